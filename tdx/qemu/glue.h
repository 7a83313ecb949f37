/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the glue share, in layers: a file may call only those
 * declared before it.
 */
#ifndef TDX_GLUE_H
#define TDX_GLUE_H

#include "exec/cputlb.h"
#include "compat.h"
#include "../module/tdx_module.h"

/*
 * The KeyID is the upper six bits of a physical address.  KeyIDs 1 to 31 belong
 * to MKTME; those from 32 on, as many as the profile has, belong to TDX.
 */
#define KEYID_BITS		6
#define NUM_MKTME_KEYIDS	31

/* Linux takes the crystal for the APIC timer's clock, and QEMU's runs at 1 GHz. */
#define CRYSTAL_HZ		1000000000u

/* Of VMXON regions and VMCSs, in their first word. */
#define VMCS_REVISION		0x11u
/* There is no current VMCS. */
#define VMCS_NONE		(~0ull)

/* Bits of DEBUGCTL that a TD exit leaves to the host. */
#define DEBUGCTL_BTF			(1ull << 1)
#define DEBUGCTL_FREEZE_PERFMON		(1ull << 12)
#define DEBUGCTL_FREEZE_WHILE_SMM	(1ull << 14)
#define DEBUGCTL_KEPT	(DEBUGCTL_BTF | DEBUGCTL_FREEZE_PERFMON |	\
			 DEBUGCTL_FREEZE_WHILE_SMM)

/* The PMU: a Granite Rapids has as many counters. */
#define PMU_VERSION		5
#define PMU_GP_COUNTERS		8
#define PMU_FIXED_COUNTERS	4
#define PMU_COUNTER_WIDTH	48
/* PERF_GLOBAL_CTRL after a reset: the general-purpose counters. */
#define PMU_GLOBAL_CTRL_RESET	MAKE_64BIT_MASK(0, PMU_GP_COUNTERS)
/* It can freeze in SMM, and the counters' new names take all their bits. */
#define PERF_CAPABILITIES	(1ull << 12 | 1ull << 13)
#define MISC_ENABLE_PERFMON	(1ull << 7)	/* there is a PMU; read-only */

/* VM exit reasons, by their names in the SDM, volume 3, appendix C. */
enum exit_reason {
	EXIT_REASON_NMI			= 0,
	EXIT_REASON_EXTERNAL_INTERRUPT	= 1,
	EXIT_REASON_TRIPLE_FAULT	= 2,
	EXIT_REASON_OTHER_SMI		= 6,
	EXIT_REASON_CPUID		= 10,
	EXIT_REASON_HLT			= 12,
	EXIT_REASON_INVD		= 13,
	EXIT_REASON_RDPMC		= 15,
	EXIT_REASON_VMCALL		= 18,
	EXIT_REASON_CR_ACCESS		= 28,
	EXIT_REASON_IO_INSTRUCTION	= 30,
	EXIT_REASON_MSR_READ		= 31,
	EXIT_REASON_MSR_WRITE		= 32,
	EXIT_REASON_MWAIT		= 36,
	EXIT_REASON_MONITOR		= 39,
	EXIT_REASON_EPT_VIOLATION	= 48,
	EXIT_REASON_WBINVD		= 54,
	EXIT_REASON_TPAUSE		= 68,
	EXIT_REASON_BUS_LOCK		= 74,
};

/* The registers of the PMU, see pmu.c. */
struct pmu {
	uint64_t gp[PMU_GP_COUNTERS], evtsel[PMU_GP_COUNTERS];
	uint64_t fixed[PMU_FIXED_COUNTERS], fixed_ctrl;
	uint64_t global_ctrl, global_status;
	uint64_t offcore_rsp[2], frontend;
};

/* The MSRs of a world that belong to the XSAVE feature set, see xcr.c. */
struct xsave_msrs {
	uint64_t xss;
	uint64_t u_cet, s_cet, pl_ssp[4], int_ssp_tab;
	uint64_t xfd, xfd_err;
};

/* What only saves time, see speed.c. */
struct lp_speed {
	uint32_t pkru;			/* the host's, when it was last written */
	bool pkru_differs;		/* some user page was cached with another PKRU since */
	bool kernel_page_not_global;	/* some cached translation of the host's */
	bool td_in_upper_half;		/* some cached translation of a TD's */
	unsigned int switches;		/* of the host's address spaces */
	uint64_t pause_rip;		/* of the last PAUSE */
	unsigned int pauses;		/* there, in a row */
};

/* A logical processor: what QEMU's CPU lacks. */
struct lp {
	bool vmxon;			/* in VMX operation */
	uint64_t vmcs;			/* physical address, or VMCS_NONE */
	struct tdx_vcpu *td;		/* the vCPU that runs, or NULL */
	CPUX86State *host;		/* the host's state while a TD runs */
	uint64_t tlb_tag;		/* of the TD translations in the TLB */
	bool bus_lock;			/* the TD is taking a split lock ... */
	uint64_t bus_lock_rip;		/* ... by the instruction here */
	uint64_t debugctl, tsx_ctrl, umwait_control;	/* the host's, not a TD's */
	struct xsave_msrs xsave;	/* the host's */
	bool direct_store;		/* the host executes MOVDIR64B */
	struct pmu pmu;			/* the host's: no TD has PERFMON */
	struct lp_speed speed;
};

/* The part of a TD's APIC that it reaches without an exit. */
struct vapic {
	uint32_t isr[8], irr[8];
	uint8_t tpr;
};

/* A TD's vCPU; @env is valid only while it does not run. */
struct td_cpu {
	struct vapic apic;
	int event;		/* exception to deliver on entry, or -1 */
	/* See speed.c; times are in nanoseconds. */
	bool interrupted;	/* the last exit was for an interrupt of the host's */
	int64_t resumed;	/* since when it runs after such an exit, or 0 */
	bool spins;		/* it waits in a loop */
	/* See td_msrs.c. */
	uint64_t spec_ctrl, ds_area, uarch_misc_ctl, tsx_ctrl, umwait_control;
	struct xsave_msrs xsave;
	CPUX86State env;	/* up to end_reset_fields */
};

/* xstate.c: the state components of the XSAVE feature set. */

/* Their numbers, which are bits of XCR0, XSS and XFAM. */
enum {
	XSTATE_X87 = 0, XSTATE_SSE = 1, XSTATE_AVX = 2, XSTATE_OPMASK = 5,
	XSTATE_ZMM_HI256 = 6, XSTATE_HI16_ZMM = 7, XSTATE_PKRU = 9,
	XSTATE_CET_U = 11, XSTATE_CET_S = 12, XSTATE_TILECFG = 17, XSTATE_TILEDATA = 18,
};

#define XSTATES_X87_SSE		3ull
#define XSTATES_CET		(3ull << XSTATE_CET_U)
#define XSTATES_AMX		(3ull << XSTATE_TILECFG)
#define XSTATES_XSS		XSTATES_CET
#define XSTATES_XCR0		(XSTATES_X87_SSE | 1ull << XSTATE_AVX |		\
				 7ull << XSTATE_OPMASK | 1ull << XSTATE_PKRU |	\
				 XSTATES_AMX)

/* Initial values of the x87 control word and of MXCSR. */
#define FCW_INIT		0x37f
#define MXCSR_INIT		0x1f80

#define XSAVE_LEGACY_SIZE	512
#define XSAVE_HEADER_SIZE	64
#define MAX_XSTATE_SIZE		8192

/* One that is not in the legacy region. */
struct xstate {
	uint8_t bit;
	uint16_t size;
	uint16_t offset;	/* in the standard format; 0: only in the compacted one */
	uint32_t flags;		/* ECX of its subleaf of CPUID */
};

extern const struct xstate xstates[];
extern const unsigned int num_xstates;

/* Where it is in an area with more before it, that ends at @end. */
uint32_t xstate_place(const struct xstate *s, bool compacted, uint32_t end);
/* The size of an area with these components. */
uint32_t xstate_size(uint64_t components, bool compacted);
/* What the CPU has of XCR0 and XSS. */
uint64_t xstate_supported(CPUX86State *env, const struct tdx_profile *profile);
/* Leaf 0xd of CPUID, with XSS = 0. */
void xstate_cpuid(CPUX86State *env, const struct tdx_profile *profile, uint32_t subleaf,
		  uint32_t out[4]);

/* schedule.c: CPUs that run by a seed; also see tcg_hooks.h. */

/* Whether they do. */
extern bool schedule_on;

/* What a program tells by CPUID: EAX is this leaf, ECX the mark. */
#define SCHEDULE_LEAF	0x4d41524bu	/* "MARK" */
enum schedule_mark { MARK_BEGIN = 1, MARK_END = 2 };

/* Reads the property "seed"; false if it makes no sense. */
bool schedule_parse(const char *text);
/* The same for "schedules", a socket to read them from when a race begins; see there. */
bool schedule_serve(const char *socket);
/* Virtual time in ns, for any caller. */
int64_t schedule_clock(void);
void schedule_mark(CPUState *cpu, uint32_t mark);
/* A point before an instruction, a @call of the module.  Returns if no CPU stops here. */
void schedule_point(CPUX86State *env, bool call, uintptr_t ra);
/* A point after a call.  True if its locks are kept until the CPU runs again. */
bool schedule_keeps_locks(CPUState *cpu);
/* The CPU waits for another one, and RIP is where it goes on. */
G_NORETURN void schedule_wait(CPUState *cpu);

/* host_cpu.c: what the bare CPU has and QEMU's CPU model does not. */

/* CPUID of the CPU, whatever TSX_CTRL hides, with XSS = 0; @out is EAX, EBX, ECX, EDX. */
void bare_cpuid(CPUX86State *env, const struct tdx_profile *profile,
		uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
/* Reads an MSR about TDX or VMX; false if it is not one of these. */
bool host_tdx_msr(const struct tdx_profile *profile, uint32_t msr,
		  uint64_t *value);
/* The same for those that only SMM and SEAM can read. */
bool seam_msr(uint32_t msr, uint64_t *value);
/* The host's time stamp counter. */
uint64_t host_tsc(void);
uint64_t host_arch_capabilities(void);

#define MSR_UMWAIT_CONTROL	0xe1
#define UMWAIT_CONTROL_BITS	0xfffffffdull	/* those that are not reserved */
#define TSX_CTRL_BITS		3ull
#define TSX_CTRL_CPUID_CLEAR	2ull

/*
 * td_msrs.c: MSRs that the TD has for itself.  False if QEMU has to do it.  Both
 * raise #GP where a CPU does; @ra is the return address into the translation block.
 */
bool td_msr_read(CPUX86State *env, uint32_t msr, uint64_t *value, uintptr_t ra);
bool td_msr_write(CPUX86State *env, uint32_t msr, uint64_t value, uintptr_t ra);

/* vapic.c: a TD's virtual APIC. */

/* Whether an interrupt is pending whose priority allows its delivery. */
bool vapic_pending(const struct vapic *a);
/* Asks TCG to deliver what is pending, or takes that back. */
void vapic_update(CPUX86State *env, const struct vapic *a);
/* A TD exit: takes back the request to deliver. */
void vapic_leave(CPUX86State *env);
/* Delivers the interrupt of the highest priority, if it may be. */
void vapic_deliver(CPUX86State *env, struct vapic *a);
void vapic_set_tpr(CPUX86State *env, struct vapic *a, uint8_t tpr);
/* x2APIC registers by MSR number; false if the CPU raises #GP. */
bool vapic_read(const struct vapic *a, uint32_t msr, uint64_t *value);
bool vapic_write(CPUX86State *env, struct vapic *a, uint32_t msr,
		 uint64_t value);
/* Collects what was posted to the descriptor at that physical address. */
void vapic_take_posted(CPUX86State *env, struct vapic *a, uint64_t descriptor);
/* Ends the interrupt in service in the host's own APIC. */
void host_apic_eoi(CPUX86State *env);

/* device.c: the device, and the machine as the module sees it. */

/* Whether there is a TDX module device; without one all is plain QEMU. */
extern bool tdx_present;
/* Whether a debugger may set breakpoints in the machine. */
extern bool tdx_debugged;

const struct tdx_profile *tdx_profile(void);
/* NULL until the machine is complete. */
struct tdx_module *tdx_module(void);
struct lp *tdx_lp(CPUX86State *env);
/* Where QEMU keeps the page that the module knows by @pa. */
uint64_t tdx_view(uint64_t pa);

/* Whether this CPU runs a TD. */
static inline bool tdx_in_td(const CPUX86State *env)
{
	return tdx_present && env->hflags & HF_GUEST_MASK;
}

/* Writes a line of trace, if there is one. */
void tdx_trace(const char *fmt, ...) G_GNUC_PRINTF(1, 2);

/* The TD's translations: all its MMU indexes, and the second stage. */
#define TD_MMU_IDXS	(0x3f << TDX_MMU_IDX | 1 << MMU_NESTED_IDX)

/* Drops all translations of TDs on this CPU. */
static inline void tdx_flush_tlb(CPUX86State *env)
{
	tlb_flush_by_mmuidx(env_cpu(env), TD_MMU_IDXS);
}

/* speed.c: see speed.h. */

/* pmu.c: the host's PMU. */

/* Its MSRs; false if it is another one.  A write raises #GP where a CPU does. */
bool pmu_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value);
bool pmu_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value, uintptr_t ra);
/* RDPMC; false if there is no such counter. */
bool pmu_rdpmc(CPUX86State *env, uint32_t counter, uint64_t *value);

/* xcr.c: what enables state components, and the MSRs of CET. */

#define MSR_U_CET		0x6a0
#define MSR_PL0_SSP		0x6a4
#define MSR_PL3_SSP		0x6a7

/* Raises #GP for a value that the CPU refuses. */
void xsave_write_xcr0(CPUX86State *env, uint64_t value, uintptr_t ra);
/* Whether the CPU has CET, and whether its tile registers may be used. */
bool xsave_has_cet(CPUX86State *env);
bool xsave_has_tiles(CPUX86State *env);
/* Raises #NM if the system has not allowed the use of tile registers. */
void xsave_need_tiles(CPUX86State *env);
/* The MSRs of the world that runs. */
struct xsave_msrs *xsave_msrs(CPUX86State *env);
/* They return false if it is another one, and raise #GP where a CPU does. */
bool xsave_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value, uintptr_t ra);
bool xsave_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value, uintptr_t ra);
/* Whether one of these can have that value. */
bool xsave_msr_is_valid(CPUX86State *env, uint32_t msr, uint64_t value);

/* switch.c: the world switch. */

/* The TD state of the vCPU that runs here. */
struct td_cpu *tdx_td_cpu(CPUX86State *env);
/* Enters @vcpu; the host goes on at its RIP after the exit. */
G_NORETURN void tdx_enter(CPUX86State *env, struct tdx_vcpu *vcpu);
/*
 * Carries out what the module decided, any outcome but TDX_DONE, TDX_NATIVE,
 * TDX_RSVD and TDX_AGAIN.  @exit is for TDX_EXIT and TDX_EXIT_TRAP, @next_rip
 * for the latter; @ra is the return address into the translation block, or 0.
 */
G_NORETURN void tdx_deliver(CPUX86State *env, enum tdx_outcome out,
			    const struct tdx_exit *exit, uint64_t next_rip,
			    uintptr_t ra);
/* Raises #VE in the TD, or what the module wants instead. */
G_NORETURN void tdx_deliver_ve(CPUX86State *env, const struct tdx_ve_info *ve,
			       uintptr_t ra);
/* RIP is at the next instruction, and an NMI may go first. */
void tdx_nmi_unblocked(CPUX86State *env);
/* Drops the request for an exit after a bus lock, as the TD exits anyway. */
void tdx_end_bus_lock(CPUX86State *env);

/* vmx.c and instructions.c: see also decode.h. */

/* Executes the instruction at RIP if it is one that QEMU lacks, or returns. */
void tdx_execute(CPUX86State *env);

#endif /* TDX_GLUE_H */
