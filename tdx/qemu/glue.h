/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the glue share. */
#ifndef TDX_GLUE_H
#define TDX_GLUE_H

#include "tdx_module.h"

/* KeyIDs 1 to 31 are MKTME's, 32 to 63 TDX's, in six bits of the address. */
#define KEYID_BITS		6
#define NUM_MKTME_KEYIDS	31
#define NUM_TDX_KEYIDS		32

#define TSC_HZ			2000000000ull
#define CRYSTAL_HZ		25000000u

/* A logical processor, beside what QEMU knows of it. */
struct lp {
	bool vmxon;
	uint64_t vmxon_pa;
	uint64_t vmcs;			/* current one, or ~0 */
	struct tdx_vcpu *td;		/* running, or NULL */
	void *host;			/* its state while a TD runs */
};

struct lp *tdx_lp(CPUX86State *env);
bool tdx_present(void);
const struct tdx_profile *tdx_profile(void);

/* Ends the current instruction, and the translation block with it. */
G_NORETURN void tdx_insn_done(CPUX86State *env, uint64_t next_rip);
/* Arithmetic flags all clear but @flags. */
void tdx_set_flags(CPUX86State *env, uint32_t flags);

G_NORETURN void tdx_do_seamcall(CPUX86State *env, uint64_t next_rip);
G_NORETURN void tdx_do_tdcall(CPUX86State *env, uint64_t next_rip);
/* Delivers what the module decided, anything but TDX_DONE and TDX_NATIVE. */
G_NORETURN void tdx_deliver(CPUX86State *env, enum tdx_outcome out,
			    const struct tdx_exit *exit, uint64_t next_rip,
			    uintptr_t ra);
G_NORETURN void tdx_deliver_ve(CPUX86State *env, const struct tdx_ve_info *ve,
			       uintptr_t ra);

/* vmx.c */
void vmx_host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);
bool vmx_rdmsr(uint32_t msr, uint64_t *value);
bool vmx_wrmsr_is_ro(uint32_t msr);
/* The VMX instruction, or another that QEMU lacks, at RIP; else returns. */
void vmx_execute(CPUX86State *env);

#endif /* TDX_GLUE_H */
