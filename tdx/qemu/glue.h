/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the glue share. */
#ifndef TDX_GLUE_H
#define TDX_GLUE_H

#include "tdx_module.h"

/*
 * KeyIDs 1 to 31 are MKTME's, those from 32 on TDX's, as many as the profile
 * has, in six bits of the address.
 */
#define KEYID_BITS		6
#define NUM_MKTME_KEYIDS	31

/* ARCH_CAPABILITIES: RDCL, MDS, TAA, GDS and the other leaks it has not. */
#define ARCH_CAPABILITIES	(1ull << 0 | 1ull << 3 | 1ull << 5 | \
				 1ull << 6 | 1ull << 8 | 7ull << 13 | \
				 1ull << 20 | 1ull << 24 | 3ull << 26)

/* Linux takes the crystal for the APIC timer's clock, which QEMU's runs at. */
#define TSC_HZ			2000000000ull
#define CRYSTAL_HZ		1000000000u

/* A logical processor, beside what QEMU knows of it. */
struct lp {
	bool vmxon;
	uint64_t vmcs;			/* current one, or ~0 */
	struct tdx_vcpu *td;		/* running, or NULL */
	CPUX86State *host;		/* its state while a TD runs */
	uint64_t tlb_tag;		/* whose translations are cached */
	bool bus_lock;			/* the TD takes one */
	uint64_t bus_lock_rip;		/* the instruction that does */
	uint64_t debugctl;		/* the host's; TDs have their own */
	bool pkru_lost;			/* by an exit; no user page since */
	uint32_t pkru;			/* what the host had before */
	bool kernel_not_global;		/* some cached translation isn't */
	bool td_in_upper_half;		/* some cached translation is */
	unsigned int switches;		/* of the host's address spaces */
	uint64_t pause_rip;		/* the last PAUSE's */
	unsigned int pauses;		/* there, one after the other */
};

/* What TDs see of their APIC without an exit. */
struct vapic {
	uint32_t isr[8], irr[8];
	uint8_t tpr;
};

/* A TD's vCPU while it does not run; the virtual APIC, always. */
struct td_cpu {
	struct vapic apic;
	int event;		/* exception to deliver on entry, or -1 */
	CPUX86State env;	/* up to end_reset_fields */
};

struct lp *tdx_lp(CPUX86State *env);
bool tdx_in_td(const CPUX86State *env);
const struct tdx_profile *tdx_profile(void);

/* Ends the current instruction, and the translation block with it. */
G_NORETURN void tdx_insn_done(CPUX86State *env, uint64_t next_rip);
/* Arithmetic flags all clear but @flags. */
void tdx_set_flags(CPUX86State *env, uint32_t flags);

/* Drops all translations of TDs on this CPU. */
void tdx_flush_tlb(CPUX86State *env);

G_NORETURN void tdx_do_seamcall(CPUX86State *env, uint64_t next_rip);
G_NORETURN void tdx_do_tdcall(CPUX86State *env, uint64_t next_rip);
/* Delivers what the module decided, anything but TDX_DONE and TDX_NATIVE. */
G_NORETURN void tdx_deliver(CPUX86State *env, enum tdx_outcome out,
			    const struct tdx_exit *exit, uint64_t next_rip,
			    uintptr_t ra);
G_NORETURN void tdx_deliver_ve(CPUX86State *env, const struct tdx_ve_info *ve,
			       uintptr_t ra);

/* vapic.c */
bool vapic_pending(const struct vapic *a);
void vapic_update(CPUX86State *env, const struct vapic *a);
void vapic_leave(CPUX86State *env);
void vapic_deliver(CPUX86State *env, struct vapic *a);
void vapic_set_tpr(CPUX86State *env, struct vapic *a, uint8_t tpr);
bool vapic_read(const struct vapic *a, uint32_t msr, uint64_t *value);
bool vapic_write(CPUX86State *env, struct vapic *a, uint32_t msr,
		 uint64_t value);
void vapic_take_posted(CPUX86State *env, struct vapic *a, uint64_t descriptor);
void host_apic_eoi(CPUX86State *env);

/* vmx.c */
void vmx_host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
bool vmx_rdmsr(uint32_t msr, uint64_t *value);
bool vmx_wrmsr_is_ro(uint32_t msr);
/* The VMX instruction, or another that QEMU lacks, at RIP; else returns. */
void vmx_execute(CPUX86State *env);

#endif /* TDX_GLUE_H */
