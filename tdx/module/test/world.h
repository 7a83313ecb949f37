/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small machine for the module, and the steps from its reset to a running TD
 * and back.  A test names the step at which it starts.
 */
#ifndef TDX_TEST_WORLD_H
#define TDX_TEST_WORLD_H

#include <glib.h>

#include "../abi.h"
#include "../tdx_module.h"

#define GIB		(1ull << 30)
#define MIB		(1ull << 20)
#define RAM_SIZE	(2 * GIB)
#define KEYID_SHIFT	46
#define GLOBAL_HKID	32
#define NUM_LPS		3

/* Physical addresses: 4 KiB pages from 16 MiB on. */
#define PAGE(n)		(16 * MIB + (n) * 4096ull)
#define TDR		PAGE(0)
#define TDCX		PAGE(1)		/* as many as the module has, at most nine */
#define TDVPR		PAGE(10)
#define VP_TDCX		PAGE(11)	/* five of them */
#define TDVPR2		PAGE(16)
#define VP2_TDCX	PAGE(17)
#define SEPT(level)	PAGE(24 + (level))
#define ADDED		PAGE(32)
#define AUGED		PAGE(33)
#define BIG_SEPT	PAGE(34)
#define FREE		PAGE(40)	/* and the pages after it */
#define BIG		(32 * MIB)	/* 2 MiB */
#define SOURCE		(64 * MIB)	/* TDH.MEM.PAGE.ADD copies from here */
#define PARAMS		(65 * MIB)
#define TDMR_ARRAY	(66 * MIB)
#define TDMR_INFO(n)	(66 * MIB + 4096 + 512ull * (n))
#define OTHER		(80 * MIB)	/* the TDR of a second TD */
#define RESERVED_PAGE	(2 * MIB)	/* reserved in the first TDMR */
#define PAMT(n)		(1 * GIB + 256 * MIB + 4 * MIB * (n))

/* The CPU. */
#define FAMILY_MODEL_STEPPING	0xa06d1
#define PHYSICAL_BITS		52
#define MISC_ENABLE		0x851889
#define BTS_UNAVAIL		(1ull << 11)

#define HKID		(GLOBAL_HKID + 1)
#define OTHER_HKID	(GLOBAL_HKID + 2)

/* Guest physical addresses. */
#define GPA_ADDED	0x100000ull
#define GPA_AUGED	0x101000ull
#define GPA_FREE	0x102000ull	/* has a table, but no page */
#define GPA_BIG		0x200000ull	/* for 2 MiB pages */
#define GPA_NO_TABLE	0x40000000ull
#define GPA_SHARED	(1ull << 47)

/* In order; each step needs the ones before. */
enum step {
	AT_RESET,
	SYS_INIT_DONE,
	LPS_DONE,
	CONFIG_DONE,
	KEY_DONE,
	READY,			/* all TDMRs initialised */
	CREATED,		/* a TDR */
	KEYED,
	TDCS_DONE,		/* all of its pages added */
	INITIALIZED,		/* by TDH.MNG.INIT */
	VP_CREATED,
	VP_TDCX_DONE,
	VP_DONE,
	TABLES,			/* secure EPT for 4 KiB pages at GPA_ADDED */
	PAGE_ADDED,		/* GPA_ADDED */
	RUNNABLE,		/* finalised */
	PAGE_AUGED,		/* GPA_AUGED, pending */
	ENTERED,		/* the vCPU runs on LP 0 */
	EXITED,			/* ... and has exited with TDG.VP.VMCALL */
	BLOCKED,		/* GPA_ADDED and GPA_AUGED */
	TRACKED,
	FLUSHED,		/* the vCPU is not associated */
	FLUSH_DONE,
	CACHE_DONE,
	TEARDOWN,		/* the KeyID is free */
	RECLAIMED,		/* all pages except the TDR */
	GONE,
	NUM_STEPS
};

struct world {
	struct tdx_module *m;
	struct tdx_platform platform;
	struct tdx_profile profile;
	struct td_params params;
	uint64_t regs[TDX_NR_GPRS];	/* of the last SEAMCALL or TDCALL */
	uint64_t host[TDX_NR_GPRS];	/* after the last TD exit */
	struct tdx_vcpu *vcpu;		/* the last vCPU entered */
	struct tdx_exit exit;		/* of the last TDCALL */
	enum tdx_outcome outcome;
	uint64_t rip;			/* of the last TDCALL */
	uint64_t tsc;
	uint8_t pmu_version;		/* of CPUID leaf 0xa */
	uint32_t last_leaf[2];		/* of CPUID: basic, extended */
	/* Of CPUID leaf 0xd: XCR0, instructions, XSS. */
	uint32_t lacks_xcr0, lacks_xsave, lacks_xss;
	uint32_t native;		/* each register of most CPUID leaves */
	uint32_t family;		/* EAX of leaf 1 */
	bool interrupt_pending;
	bool invalid;			/* the last SEAMCALL: VMfailInvalid */
	void (*on_write)(struct world *w);	/* when the module writes to memory */
	uint64_t tsc_adjust[NUM_LPS], misc_enable[NUM_LPS];
	/* Another MSR of a CPU that has a value of its own. */
	struct { enum tdx_host_msr msr; unsigned int lp; uint64_t value; } odd;
	GString *trace;			/* NULL: none */
	unsigned int complaints;	/* about the host */
	/* Called once, while the next SEAMCALL that succeeds holds its locks. */
	void (*meanwhile)(struct world *w);
	unsigned int states;		/* vCPU states not yet freed */
};

/* Operands of a call; those not named are 0. */
struct operands {
	uint64_t rcx, rdx, r8, r9, rbx, r10, r11, r12;
};

/* A release of each kind, for tests that go through all; the last is NULL. */
extern const char *const releases[];

/* A machine after reset.  @profile: as tdx_profile_parse() takes it */
struct world *world_new(const char *profile);
/* The same on a platform of one's own; what is 0 there is as always. */
struct world *world_new_on(const struct tdx_platform *platform);
/* The same without a trace, which takes most of the time of a call. */
struct world *world_new_untraced(const char *profile);
/* On a CPU with other IA32_ARCH_CAPABILITIES. */
struct world *world_new_cpu(const char *profile, uint64_t arch_capabilities);
void world_free(struct world *w);
/* Starts again with the module after reset, when w->platform has changed. */
void world_restart(struct world *w);

/* One of the CPU's other MSRs. */
uint64_t cpu_msr(enum tdx_host_msr msr);

/* The parameters of a leaf that is configurable.  The module must be ready. */
uint32_t *slot_of(struct world *w, uint64_t leaf, uint64_t subleaf);
#define WHOLE_LEAF	0xffffffffull	/* it has no subleaves */

/* Does all steps from reset to @step. */
void world_to(struct world *w, enum step step);
/* Does the steps from @from, which must be next, to @to. */
void world_through(struct world *w, enum step from, enum step to);
/* Does one step, which must be next. */
void world_step(struct world *w, enum step step);

/* SEAMCALL by LP @lp.  Returns RAX; all results are in w->regs. */
uint64_t seamcall_on(struct world *w, unsigned int lp, uint64_t rax,
		     const struct operands *in);
#define seamcall(w, rax, ...) \
	seamcall_on(w, 0, rax, &(struct operands){ __VA_ARGS__ })

/* TDCALL by w->vcpu.  Returns RAX; w->outcome says whether it completed. */
uint64_t tdcall_with(struct world *w, uint64_t rax, const struct operands *in);
#define tdcall(w, rax, ...) \
	tdcall_with(w, rax, &(struct operands){ __VA_ARGS__ })

/* A TDCALL at ENTERED and the status that it must return. */
struct tdcall_row {
	const char *name;
	uint64_t rax;
	struct operands in;
	uint64_t want;
};

void run_tdcall_row(const void *row);

/* TDH.VP.ENTER on @lp.  Returns 0 if the vCPU runs, else RAX. */
uint64_t enter(struct world *w, unsigned int lp, uint64_t tdvpr);
/* TD exit of the running vCPU for @reason, which is not a TDCALL. */
void leave(struct world *w, uint32_t reason);

/* Physical memory: the host's view, and the private view of a TD. */
uint8_t *ram(uint64_t pa);
uint8_t *private_ram(uint64_t pa);

/* Type of a page, by TDH.PHYMEM.PAGE.RDMD. */
unsigned int page_type(struct world *w, uint64_t pa);

/* Creates a second TD with a vCPU at OTHER; its pages follow the TDR. */
void other_td(struct world *w);

#define STATUS(code, detail)	((uint64_t)(code) << 32 | (uint32_t)(detail))
/* The same by names: ERR(OPERAND_INVALID, RCX). */
#define ERR(code, operand)	STATUS(TDX_##code, TDX_OP_##operand)

/* Fails the test if a status is not the expected one; prints their names. */
#define check_status(got, want) \
	check_status_at(__FILE__, __LINE__, #got, got, want)
void check_status_at(const char *file, int line, const char *what,
		     uint64_t got, uint64_t want);

/* SEAMCALL and TDCALL leaves. */
enum {
	VP_ENTER = 0, MNG_ADDCX = 1, MEM_PAGE_ADD = 2, MEM_SEPT_ADD = 3,
	VP_ADDCX = 4, MEM_PAGE_AUG = 6, MEM_RANGE_BLOCK = 7, MNG_KEY_CONFIG = 8,
	MNG_CREATE = 9, VP_CREATE = 10, MNG_RD = 11, MR_EXTEND = 16,
	MR_FINALIZE = 17, VP_FLUSH = 18, MNG_VPFLUSHDONE = 19,
	MNG_KEY_FREEID = 20, MNG_INIT = 21, VP_INIT = 22, PHYMEM_PAGE_RDMD = 24,
	VP_RD = 26, PHYMEM_PAGE_RECLAIM = 28, MEM_PAGE_REMOVE = 29,
	SYS_KEY_CONFIG = 31, SYS_INIT = 33, SYS_RD = 34, SYS_LP_INIT = 35,
	SYS_TDMR_INIT = 36, MEM_TRACK = 38, PHYMEM_CACHE_WB = 40,
	PHYMEM_PAGE_WBINVD = 41, VP_WR = 43, SYS_CONFIG = 45, SYS_SHUTDOWN = 52,
	SYS_UPDATE = 53, PHYMEM_PAMT_ADD = 58, PHYMEM_PAMT_REMOVE = 59,
	SYS_DISABLE = 69,
};

enum {
	TDG_VP_VMCALL = 0, TDG_VP_INFO = 1, TDG_MR_RTMR_EXTEND = 2,
	TDG_VP_VEINFO_GET = 3, TDG_MR_REPORT = 4, TDG_VP_CPUIDVE_SET = 5,
	TDG_MEM_PAGE_ACCEPT = 6, TDG_VM_RD = 7, TDG_VM_WR = 8, TDG_VP_RD = 9,
	TDG_VP_WR = 10, TDG_SYS_RD = 11, TDG_SYS_RDALL = 12,
	TDG_SERVTD_RD = 18, TDG_SERVTD_WR = 20, TDG_MR_VERIFYREPORT = 22,
	TDG_MEM_PAGE_ATTR_RD = 23, TDG_MEM_PAGE_ATTR_WR = 24,
};

#define V(n)	((uint64_t)(n) << 16)	/* version of a leaf */

#endif /* TDX_TEST_WORLD_H */
