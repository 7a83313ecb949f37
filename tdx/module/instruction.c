// SPDX-License-Identifier: GPL-2.0
/* Instructions that the module intercepts, or whose operands it restricts. */
#include "rules.h"
#include "td.h"
#include "td_cpuid.h"

enum condition {
	ALWAYS, MONITOR, PERFMON, WAITPKG, PCONFIG,
};

static bool holds(const struct td *td, enum condition condition)
{
	switch (condition) {
	case MONITOR:
		return cpuid_bit(td, CPUID_MONITOR);
	case PERFMON:
		return td->attributes & TD_ATTR_PERFMON;
	case WAITPKG:
		return cpuid_bit(td, CPUID_WAITPKG);
	case PCONFIG:
		return td_feature(td, F_PCONFIG);
	default:
		return true;
	}
}

/* What an instruction does if the condition holds, and if it does not. */
static const struct {
	enum tdx_exit_reason reason;
	enum condition condition;
	enum tdx_outcome yes, no;	/* ALWAYS has no @no */
} instructions[] = {
	{ EXIT_GETSEC, ALWAYS, TDX_UD },
	{ EXIT_HLT, ALWAYS, TDX_VE },
	{ EXIT_INVD, ALWAYS, TDX_VE },
	{ EXIT_RDPMC, PERFMON, TDX_NATIVE, TDX_GP },
	{ EXIT_RSM, ALWAYS, TDX_UD },
	{ EXIT_VMCALL, ALWAYS, TDX_VE },
	{ EXIT_VMCLEAR, ALWAYS, TDX_UD },
	{ EXIT_VMLAUNCH, ALWAYS, TDX_UD },
	{ EXIT_VMPTRLD, ALWAYS, TDX_UD },
	{ EXIT_VMPTRST, ALWAYS, TDX_UD },
	{ EXIT_VMREAD, ALWAYS, TDX_UD },
	{ EXIT_VMRESUME, ALWAYS, TDX_UD },
	{ EXIT_VMWRITE, ALWAYS, TDX_UD },
	{ EXIT_VMXOFF, ALWAYS, TDX_UD },
	{ EXIT_VMXON, ALWAYS, TDX_UD },
	{ EXIT_IO, ALWAYS, TDX_VE },
	{ EXIT_MWAIT, MONITOR, TDX_NATIVE, TDX_UD },
	{ EXIT_MONITOR, MONITOR, TDX_NATIVE, TDX_UD },
	{ EXIT_INVEPT, ALWAYS, TDX_UD },
	{ EXIT_INVVPID, ALWAYS, TDX_UD },
	{ EXIT_WBINVD, ALWAYS, TDX_VE },
	{ EXIT_APIC_WRITE, ALWAYS, TDX_VE },
	{ EXIT_VMFUNC, ALWAYS, TDX_UD },
	{ EXIT_ENCLS, ALWAYS, TDX_UD },
	{ EXIT_PCONFIG, PCONFIG, TDX_VE, TDX_UD },
	{ EXIT_UMWAIT, WAITPKG, TDX_NATIVE, TDX_UD },
	{ EXIT_TPAUSE, WAITPKG, TDX_NATIVE, TDX_UD },
	{ EXIT_LOADIWKEY, ALWAYS, TDX_UD },
	{ EXIT_ENCLV, ALWAYS, TDX_UD },
	{ EXIT_ENQCMD, ALWAYS, TDX_GP },
	{ EXIT_ENQCMDS, ALWAYS, TDX_GP },
	{ EXIT_SEAMCALL, ALWAYS, TDX_UD },
};

enum tdx_outcome tdx_instruction(struct tdx_vcpu *v, uint32_t reason)
{
	unsigned int i;

	v->next_category = reason == EXIT_PCONFIG ? VE_CONFIGURED : VE_PARAVIRT;
	reason = rules_instruction(v->td->m->profile, reason);
	for (i = 0; i < ARRAY_SIZE(instructions); i++)
		if (instructions[i].reason == reason)
			return holds(v->td, instructions[i].condition) ?
			       instructions[i].yes : instructions[i].no;
	return TDX_NATIVE;
}

#define CR0_PE		BIT(0)
#define CR0_NE		BIT(5)
#define CR0_NW		BIT(29)
#define CR0_CD		BIT(30)
#define CR0_PG		BIT(31)

/* What no CPU allows in VMX operation raises #GP; what only a TD can't have, #VE. */
static enum tdx_outcome write_cr0(u64 value)
{
	if (!(value & CR0_NE) || value >> 32 ||
	    (value & CR0_PG && !(value & CR0_PE)))
		return TDX_GP;
	return value & (CR0_CD | CR0_NW) || !(value & CR0_PE) ? TDX_VE :
								TDX_NATIVE;
}

#define CR4_MCE		BIT(6)
#define CR4_VMXE	BIT(13)
#define CR4_SMXE	BIT(14)
#define CR4_KL		BIT(19)
#define CR4_PKE		BIT(22)
#define CR4_CET		BIT(23)
#define CR4_PKS		BIT(24)
#define CR4_UINTR	BIT(25)
#define CR4_LASS	BIT(27)
#define CR4_FRED	BIT(32)

/* Bits of CR4 that need bits of XFAM or of ATTRIBUTES. */
static const struct { u64 bit, xfam, attributes; } cr4_gates[] = {
	{ CR4_KL, .attributes = TD_ATTR_KL },
	{ CR4_PKE, .xfam = XFAM_PKRU },
	{ CR4_CET, .xfam = XFAM_CET },
	{ CR4_PKS, .attributes = TD_ATTR_PKS },
	{ CR4_UINTR, .xfam = XFAM_UINTR },
	{ CR4_LASS, .attributes = TD_ATTR_LASS },
	{ CR4_FRED, .xfam = ~0ull },	/* never */
};

static enum tdx_outcome write_cr4(const struct td *td, u64 value)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cr4_gates); i++)
		if (value & cr4_gates[i].bit &&
		    !td_allows(td, cr4_gates[i].xfam, cr4_gates[i].attributes))
			return TDX_GP;
	if (value & (CR4_VMXE | CR4_SMXE) ||
	    (!(value & CR4_MCE) && td_feature(td, F_MCA)))
		return TDX_VE;
	return TDX_NATIVE;
}

enum tdx_outcome tdx_write_cr(struct tdx_vcpu *v, unsigned int cr,
			      uint64_t old, uint64_t value)
{
	(void)old;
	v->next_category = cr == 4 && !(value & CR4_MCE) ? VE_CONFIGURED : VE_UNSUPPORTED;
	return cr == 0 ? write_cr0(value) : write_cr4(v->td, value);
}

enum tdx_outcome tdx_xsetbv(struct tdx_vcpu *v, uint32_t index, uint64_t value)
{
	if (index || value & ~(v->td->xfam & XFAM_USER) ||
	    !(value & XFAM_X87) || !xfam_consistent(value))
		return TDX_GP;
	return TDX_NATIVE;
}
