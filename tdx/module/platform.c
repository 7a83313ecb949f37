// SPDX-License-Identifier: GPL-2.0
/* What the module checks of the CPU's MSRs before it starts; see platform.h. */
#include "platform.h"

static u64 read_msr(const struct tdx_module *m, unsigned int lp,
		    enum tdx_host_msr msr)
{
	return m->ops.rdmsr(m->opaque, lp, msr);
}

/*
 * VM execution controls that a TD needs to be 1, and those that it needs to be 0 or 1.
 * Of the others the CPU may fix to 1 those that have no name yet.
 */
#define PIN_USED	0x29ull		/* exits, virtual NMIs */
#define PIN_VARIABLE	0x80ull		/* posted interrupts */
#define PIN_NAMELESS	0xffffff16ull
#define PROC_USED	0x91220088ull
#define PROC_VARIABLE	0x20400c00ull
#define PROC_NAMELESS	0x04046173ull

/* The high half of such an MSR has what may be 1, the low half what must be 1. */
#define ALLOWED_1(used, variable)	(((used) | (variable)) << 32)
#define FIXED_1(used, variable, nameless) \
	((~((used) | (nameless)) | (variable)) & 0xffffffff)

#define BASIC_INS_OUTS		BIT(54)
#define BASIC_TRUE_CTLS		BIT(55)
#define BASIC_SIZE(value)	((value) >> 32 & 0x1fff)

#define EPT_EXECUTE_ONLY	BIT(0)
#define EPT_4_LEVELS		BIT(6)
#define EPT_WRITE_BACK		BIT(14)
#define EPT_2M			BIT(16)
#define EPT_1G			BIT(17)
#define EPT_INVEPT		(BIT(20) | BIT(25) | BIT(26))
#define EPT_ACCESSED_DIRTY	BIT(21)
#define EPT_INVVPID		(BIT(32) | BIT(40))

#define CR0_PE			BIT(0)
#define CR0_NE			BIT(5)
#define CR0_PG			BIT(31)
#define CR4_MCE			BIT(6)
#define CR4_VMXE		BIT(13)

#define TME_LOCKED		BIT(0)
#define TME_AES_XTS		(BIT(0) | BIT(2))	/* of 128 and 256 bits */
#define TME_AES_XTS_IN_USE	(BIT(48) | BIT(50))

static const struct msr_check {
	enum tdx_host_msr msr;
	u64 ones, zeros;	/* what it must have, and must not have */
	u64 some;		/* of which it must have one, unless this is 0 */
} checks[] = {
	{ TDX_MSR_VMX_BASIC, BASIC_INS_OUTS | BASIC_TRUE_CTLS },
	{ TDX_MSR_VMX_TRUE_PINBASED_CTLS, ALLOWED_1(PIN_USED, PIN_VARIABLE),
	  FIXED_1(PIN_USED, PIN_VARIABLE, PIN_NAMELESS) },
	{ TDX_MSR_VMX_TRUE_PROCBASED_CTLS, ALLOWED_1(PROC_USED, PROC_VARIABLE),
	  FIXED_1(PROC_USED, PROC_VARIABLE, PROC_NAMELESS) },
	{ TDX_MSR_VMX_EPT_VPID_CAP, EPT_EXECUTE_ONLY | EPT_4_LEVELS |
	  EPT_WRITE_BACK | EPT_2M | EPT_1G | EPT_INVEPT |
	  EPT_ACCESSED_DIRTY | EPT_INVVPID },
	{ TDX_MSR_VMX_CR0_FIXED0, 0, ~(CR0_PE | CR0_NE | CR0_PG) },
	{ TDX_MSR_VMX_CR0_FIXED1, CR0_PE | CR0_NE },
	{ TDX_MSR_VMX_CR4_FIXED0, 0, ~(CR4_MCE | CR4_VMXE) },
	{ TDX_MSR_VMX_CR4_FIXED1, CR4_MCE | CR4_VMXE },
	{ TDX_MSR_TME_ACTIVATE, TME_LOCKED },
	{ TDX_MSR_TME_CAPABILITY, 0, 0, TME_AES_XTS },
	{ TDX_MSR_TME_ACTIVATE, 0, 0, TME_AES_XTS_IN_USE },
};

static bool passes(const struct msr_check *c, u64 value)
{
	if (c->msr == TDX_MSR_VMX_BASIC && BASIC_SIZE(value) > PAGE_SIZE)
		return false;
	return has_all(value, c->ones) && !(value & c->zeros) &&
	       (!c->some || value & c->some);
}

u64 platform_check_msrs(struct tdx_module *m, unsigned int lp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(checks); i++)
		if (!passes(&checks[i], read_msr(m, lp, checks[i].msr)))
			return status(TDX_INCORRECT_MSR_VALUE, checks[i].msr);
	return 0;
}

#define MTRRCAP_SMRR		BIT(11)
#define MTRRCAP_SMRR_LOCK	BIT(14)
#define SMRR_LOCKED		BIT(10)
#define SMRR_VALID		BIT(11)
#define SMRR_ADDRESS		0xfffff000u
#define SMRR_NR			0	/* the second one, if any, is not modelled */

/* Whether @mask is one range, and @base aligned to it. */
static bool is_range(u32 base, u32 mask)
{
	u32 size = -mask;

	return mask && !(size & (size - 1)) && !(base & ~mask);
}

u64 platform_check_smrr(struct tdx_module *m, unsigned int lp)
{
	u64 cap = read_msr(m, lp, TDX_MSR_MTRRCAP);
	u64 phys_mask = read_msr(m, lp, TDX_MSR_SMRR_PHYSMASK);
	u32 base = read_msr(m, lp, TDX_MSR_SMRR_PHYSBASE) & SMRR_ADDRESS;
	u32 mask = phys_mask & SMRR_ADDRESS;
	const struct tdx_range *cmr = m->platform.cmr;
	unsigned int i;

	if (!(cap & MTRRCAP_SMRR))
		return status(TDX_SMRR_NOT_SUPPORTED, 0);
	if (!(cap & MTRRCAP_SMRR_LOCK))
		return status(TDX_SMRR_LOCK_NOT_SUPPORTED, 0);
	if (!(phys_mask & SMRR_LOCKED))
		return status(TDX_SMRR_NOT_LOCKED, SMRR_NR);
	if (!(phys_mask & SMRR_VALID))
		return 0;
	if (!is_range(base, mask))
		return status(TDX_INVALID_SMRR_CONFIGURATION, SMRR_NR);
	for (i = 0; i < m->platform.num_cmrs; i++)
		if (cmr[i].size && cmr[i].base < base + (u64)-mask &&
		    base < cmr[i].base + cmr[i].size)
			return status(TDX_SMRR_OVERLAPS_CMR, SMRR_NR | i << 8);
	return 0;
}

/* In the order in which TDH.SYS.LP.INIT compares them. */
static const enum tdx_host_msr same_everywhere[NUM_COMPARED_MSRS] = {
	TDX_MSR_MTRRCAP, TDX_MSR_SMRR_PHYSBASE, TDX_MSR_SMRR_PHYSMASK,
	TDX_MSR_VMX_BASIC, TDX_MSR_VMX_TRUE_PINBASED_CTLS,
	TDX_MSR_VMX_TRUE_PROCBASED_CTLS, TDX_MSR_VMX_EPT_VPID_CAP,
	TDX_MSR_VMX_CR0_FIXED0, TDX_MSR_VMX_CR0_FIXED1,
	TDX_MSR_VMX_CR4_FIXED0, TDX_MSR_VMX_CR4_FIXED1,
	TDX_MSR_PERF_CAPABILITIES, TDX_MSR_TME_CAPABILITY, TDX_MSR_TME_ACTIVATE,
	TDX_MSR_KEYID_PARTITIONING,
};

void platform_remember(struct tdx_module *m, unsigned int lp)
{
	unsigned int i;

	for (i = 0; i < NUM_COMPARED_MSRS; i++)
		m->compared_msrs[i] = read_msr(m, lp, same_everywhere[i]);
}

u64 platform_compare(struct tdx_module *m, unsigned int lp)
{
	unsigned int i;

	for (i = 0; i < NUM_COMPARED_MSRS; i++)
		if (m->compared_msrs[i] != read_msr(m, lp, same_everywhere[i]))
			return status(TDX_INCONSISTENT_MSR, same_everywhere[i]);
	return 0;
}
