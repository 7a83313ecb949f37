// SPDX-License-Identifier: GPL-2.0
/*
 * MSRs as a TD sees them.  Release 2.0.08 and 1.5.06 have a table each; a row
 * is a range of MSRs, and what RDMSR and WRMSR do.
 */
#include "internal.h"

enum rule {
	VE,		/* #VE */
	GP,		/* #GP(0) */
	NAT,		/* the TD's own register, by the CPU */
	/* With TD_CTLS.REDUCE_VE as follows, and else #VE: */
	RVE,		/* #GP(0) */
	RVALUE,		/* the row's value */
	RIGNORE,	/* nothing happens */
	RSPECIAL,	/* see special_read(), special_write() */
	/* In any case: */
	VALUE,		/* the row's value */
	SPECIAL,

	/* #VE if the feature is on, else #GP(0); see enum feature. */
	VE_FEATURE,
	VE_CORE_CAP = VE_FEATURE + F_CORE_CAP, VE_DCA = VE_FEATURE + F_DCA,
	VE_EST = VE_FEATURE + F_EST, VE_MCA = VE_FEATURE + F_MCA,
	VE_MTRR = VE_FEATURE + F_MTRR, VE_PCONFIG = VE_FEATURE + F_PCONFIG,
	VE_RDT_A = VE_FEATURE + F_RDT_A, VE_RDT_M = VE_FEATURE + F_RDT_M,
	VE_ACPI = VE_FEATURE + F_ACPI, VE_TM2 = VE_FEATURE + F_TM2,
	VE_TME = VE_FEATURE + F_TME,
	VE_TSC_DEADLINE = VE_FEATURE + F_TSC_DEADLINE,

	/* Native if the TD has it, else #GP(0); see has(). */
	IF_PERFMON, IF_WAITPKG, IF_TSX, IF_XFD, IF_PT, IF_CET, IF_PKS,
	IF_UINTR, IF_LBR,
};

struct msr_row {
	u32 first, last;
	enum rule read, write;
	u64 value;
};

/* Release 2.0.08.  Of rows that overlap, the first counts. */
static const struct msr_row rows_2_0[] = {
	{ 0x0, 0x1, VE, VE },			/* P5_MC_ADDR, TYPE */
	{ 0x6, 0x6, VE, VE },			/* MONITOR_FILTER_SIZE */
	{ 0x10, 0x10, NAT, VE },		/* TIME_STAMP_COUNTER */
	{ 0x17, 0x17, VE, RVE },		/* PLATFORM_ID */
	{ 0x1b, 0x1b, VE, VE },			/* APIC_BASE */
	{ 0x33, 0x33, VE_CORE_CAP, VE_CORE_CAP },	/* TEST_CTRL */
	{ 0x34, 0x34, RSPECIAL, RSPECIAL },	/* SMI_COUNT */
	{ 0x3a, 0x3a, RVALUE, RVE, 1 },		/* FEATURE_CONTROL: locked */
	{ 0x3b, 0x3b, RVE, RVE },		/* TSC_ADJUST */
	{ 0x48, 0x49, NAT, NAT },		/* SPEC_CTRL, PRED_CMD */
	{ 0x4e, 0x4e, RVALUE, RVE, 1 },		/* PPIN_CTL: locked */
	{ 0x4f, 0x4f, RVE, RVE },		/* PPIN */
	{ 0x79, 0x79, RVE, RIGNORE },		/* BIOS_UPDT_TRIG */
	{ 0x7a, 0x7a, RVE, RVE },		/* FEATURE_ACTIVATION */
	{ 0x82, 0x86, RVE, RVE },
	{ 0x87, 0x87, VE_PCONFIG, VE_PCONFIG },	/* MKTME_KEYID_PARTITIONING */
	{ 0x8b, 0x8b, RVALUE, RIGNORE, 0xffffffff },	/* BIOS_SIGN_ID */
	{ 0x8c, 0x8f, GP, GP },			/* SGXLEPUBKEYHASH */
	{ 0x98, 0x9b, GP, GP },			/* WBINVDP and others of SEAM */
	{ 0x9e, 0x9e, GP, GP },			/* SMBASE */
	{ 0xbc, 0xbc, NAT, VE },		/* MISC_PACKAGE_CTLS */
	{ 0xbd, 0xbd, VALUE, GP, 1 },		/* XAPIC_DISABLE_STATUS */
	{ 0xc1, 0xc8, IF_PERFMON, IF_PERFMON },	/* PMCx */
	{ 0xce, 0xce, RVALUE, RVE, 0 },		/* PLATFORM_INFO */
	{ 0xcf, 0xcf, VE_CORE_CAP, GP },	/* CORE_CAPABILITIES */
	{ 0xe1, 0xe1, IF_WAITPKG, IF_WAITPKG },	/* UMWAIT_CONTROL */
	{ 0xe7, 0xe8, RVE, RVE },		/* MPERF, APERF */
	{ 0xed, 0xf0, VE_CORE_CAP, VE_CORE_CAP },
	{ 0xfe, 0xfe, VE_MTRR, GP },		/* MTRRCAP */
	{ 0x10a, 0x10a, SPECIAL, GP },		/* ARCH_CAPABILITIES */
	{ 0x10b, 0x10b, NAT, NAT },		/* FLUSH_CMD */
	{ 0x10f, 0x10f, RVE, RVE },		/* TSX_FORCE_ABORT */
	{ 0x122, 0x122, IF_TSX, IF_TSX },	/* TSX_CTRL */
	{ 0x123, 0x123, RVE, RVE },		/* MCU_OPT_CTRL */
	{ 0x140, 0x140, RVALUE, RSPECIAL, 0 },	/* MISC_FEATURES_ENABLES */
	{ 0x174, 0x176, NAT, NAT },		/* SYSENTER_CS, ESP, EIP */
	{ 0x179, 0x179, VE_MCA, GP },		/* MCG_CAP */
	{ 0x17a, 0x17b, VE_MCA, VE_MCA },	/* MCG_STATUS, MCG_CTL */
	{ 0x186, 0x18d, IF_PERFMON, IF_PERFMON },	/* PERFEVTSELx */
	{ 0x195, 0x195, GP, GP },		/* OVERCLOCKING_STATUS */
	{ 0x198, 0x199, VE_EST, VE_EST },	/* PERF_STATUS, PERF_CTL */
	{ 0x19a, 0x19c, VE_ACPI, VE_ACPI },	/* CLOCK_MODULATION, THERM_* */
	{ 0x19d, 0x19d, VE_TM2, VE_TM2 },	/* THERM2_CTL */
	{ 0x1a0, 0x1a0, SPECIAL, RSPECIAL },	/* MISC_ENABLE */
	{ 0x1a6, 0x1a7, IF_PERFMON, IF_PERFMON },	/* OFFCORE_RSPx */
	{ 0x1b0, 0x1b2, RVE, RVE },		/* ENERGY_PERF_BIAS, PKG_THERM */
	{ 0x1c2, 0x1c3, RVE, RVE },
	{ 0x1c4, 0x1c5, IF_XFD, IF_XFD },	/* XFD, XFD_ERR */
	{ 0x1c7, 0x1c7, RVE, RVE },
	{ 0x1ca, 0x1cb, RVE, RVE },
	{ 0x1d9, 0x1d9, SPECIAL, SPECIAL },	/* DEBUGCTL */
	{ 0x1f2, 0x1f3, VE_MTRR, VE_MTRR },	/* SMRR */
	{ 0x1f6, 0x1f7, VE_MTRR, VE_MTRR },	/* SMRR2 */
	{ 0x1f8, 0x1fa, VE_DCA, VE_DCA },	/* DCA capabilities */
	{ 0x200, 0x213, VE_MTRR, VE_MTRR },	/* MTRR_PHYS* */
	{ 0x250, 0x250, VE_MTRR, VE_MTRR },	/* MTRR_FIX* from here on */
	{ 0x258, 0x259, VE_MTRR, VE_MTRR },
	{ 0x268, 0x26f, VE_MTRR, VE_MTRR },
	{ 0x276, 0x276, GP, GP },		/* SLAM_ENABLE */
	{ 0x277, 0x277, NAT, NAT },		/* PAT */
	{ 0x280, 0x29f, VE_MCA, VE_MCA },	/* MCi_CTL2 */
	{ 0x2a0, 0x2a7, VE_MTRR, VE_MTRR },
	{ 0x2c0, 0x2c1, VE_MTRR, VE_MTRR },
	{ 0x2ff, 0x2ff, VE_MTRR, VE_MTRR },	/* MTRR_DEF_TYPE */
	{ 0x302, 0x303, RVE, RVE },
	{ 0x309, 0x310, IF_PERFMON, IF_PERFMON },	/* fixed counters */
	{ 0x329, 0x329, IF_PERFMON, IF_PERFMON },	/* PERF_METRICS */
	{ 0x345, 0x345, SPECIAL, GP },		/* PERF_CAPABILITIES */
	{ 0x38d, 0x392, IF_PERFMON, IF_PERFMON },	/* PERF_GLOBAL_* */
	{ 0x3f1, 0x3f2, IF_PERFMON, IF_PERFMON },	/* PEBS */
	{ 0x3f4, 0x3f5, GP, GP },
	{ 0x3f6, 0x3f7, IF_PERFMON, IF_PERFMON },
	{ 0x400, 0x47f, VE_MCA, VE_MCA },	/* MCi_* */
	{ 0x480, 0x480, NAT, GP },		/* VMX capabilities, to 0x492 */
	{ 0x481, 0x484, RVE, GP },
	{ 0x485, 0x489, NAT, GP },
	{ 0x48a, 0x48a, RVE, GP },
	{ 0x48b, 0x492, NAT, GP },
	{ 0x4c1, 0x4c8, IF_PERFMON, IF_PERFMON },	/* A_PMCx */
	{ 0x4d0, 0x4d0, VE_MCA, VE_MCA },	/* MCG_EXT_CTL */
	{ 0x500, 0x500, GP, GP },		/* SGX_SVN_STATUS */
	{ 0x501, 0x501, RVE, RVE },
	{ 0x550, 0x550, GP, GP },
	{ 0x560, 0x587, IF_PT, IF_PT },		/* RTIT_* */
	{ 0x5d0, 0x5fd, RVE, RVE },
	{ 0x600, 0x600, NAT, NAT },		/* DS_AREA */
	{ 0x6a0, 0x6a0, IF_CET, IF_CET },	/* U_CET */
	{ 0x6a2, 0x6a2, IF_CET, IF_CET },	/* S_CET */
	{ 0x6a4, 0x6a8, IF_CET, IF_CET },	/* PLx_SSP, INT_SSP_TAB */
	{ 0x6e0, 0x6e0, VE_TSC_DEADLINE, VE_TSC_DEADLINE },
	{ 0x6e1, 0x6e1, IF_PKS, IF_PKS },	/* PKRS */
	{ 0x770, 0x777, RVE, RVE },		/* HWP */
	{ 0x793, 0x793, RVE, RVE },
	{ 0x800, 0x801, GP, GP },		/* x2APIC, to 0x8ff */
	{ 0x802, 0x802, SPECIAL, GP },		/* id */
	{ 0x803, 0x803, VE, GP },		/* version */
	{ 0x804, 0x807, GP, GP },
	{ 0x808, 0x80c, NAT, NAT },		/* TPR, PPR, EOI */
	{ 0x80d, 0x80d, VE, GP },		/* LDR */
	{ 0x80e, 0x80e, NAT, NAT },
	{ 0x80f, 0x80f, VE, VE },		/* SPIV */
	{ 0x810, 0x827, NAT, NAT },		/* ISR, TMR, IRR */
	{ 0x828, 0x828, VE, VE },		/* ESR */
	{ 0x829, 0x82e, GP, GP },
	{ 0x82f, 0x830, VE, VE },		/* LVT CMCI, ICR */
	{ 0x831, 0x831, GP, GP },
	{ 0x832, 0x838, VE, VE },		/* LVTs, initial count */
	{ 0x839, 0x839, VE, GP },		/* current count */
	{ 0x83a, 0x83a, VE, VE },
	{ 0x83b, 0x83d, GP, GP },
	{ 0x83e, 0x83e, VE, VE },		/* divide configuration */
	{ 0x83f, 0x83f, NAT, NAT },		/* self IPI */
	{ 0x840, 0x8ff, GP, GP },
	{ 0x981, 0x984, VE_TME, VE_TME },	/* TME_* */
	{ 0x985, 0x98a, IF_UINTR, IF_UINTR },
	{ 0x98b, 0x98f, RVE, RVE },
	{ 0xc80, 0xc80, GP, RVE },		/* DEBUG_INTERFACE */
	{ 0xc81, 0xc82, VE_RDT_A, VE_RDT_A },	/* L3 and L2 QOS_CFG */
	{ 0xc8d, 0xc8f, VE_RDT_M, VE_RDT_M },	/* QM_*, PQR_ASSOC */
	{ 0xc90, 0xd8f, VE_RDT_A, VE_RDT_A },	/* masks */
	{ 0xd90, 0xd90, GP, GP },		/* BNDCFGS */
	{ 0xd93, 0xd93, GP, GP },		/* PASID */
	{ 0xda0, 0xda0, NAT, SPECIAL },		/* XSS */
	{ 0xdb0, 0xdb2, RVE, RVE },
	{ 0x1000, 0x1000, RVE, RVE },
	{ 0x1200, 0x12ff, IF_LBR, IF_LBR },
	{ 0x1400, 0x1402, RVE, RVE },		/* LOADIWKEY */
	{ 0x14c1, 0x14c8, RVE, RVE },
	{ 0x14ce, 0x14cf, IF_LBR, IF_LBR },	/* LBR_CTL, LBR_DEPTH */
	{ 0x1500, 0x16ff, IF_LBR, IF_LBR },
	{ 0x17d0, 0x17da, RVE, RVE },		/* HFI */
	{ 0x1900, 0x1998, SPECIAL, SPECIAL },	/* PMC_GPn_*, PMC_FXn_* */
	{ 0x1b01, 0x1b01, NAT, NAT },		/* UARCH_MISC_CTL */
	{ 0xc0000080, 0xc0000080, NAT, SPECIAL },	/* EFER */
	{ 0xc0000081, 0xc0000082, NAT, NAT },	/* STAR, LSTAR */
	{ 0xc0000083, 0xc0000083, VE, VE },	/* CSTAR */
	{ 0xc0000084, 0xc0000084, NAT, NAT },	/* FMASK */
	{ 0xc0000100, 0xc0000103, NAT, NAT },	/* FS, GS, kernel GS, AUX */
};

/* Release 1.5.06: what is not here is #VE. */
static const struct msr_row rows_1_5[] = {
	{ 0x10, 0x10, NAT, VE },
	{ 0x48, 0x49, NAT, NAT },
	{ 0x87, 0x87, VE_PCONFIG, VE_PCONFIG },
	{ 0x8c, 0x8f, GP, GP },
	{ 0x98, 0x9b, GP, GP },
	{ 0x9e, 0x9e, GP, GP },
	{ 0xbc, 0xbc, NAT, VE },
	{ 0xbd, 0xbd, VALUE, GP, 1 },
	{ 0xc1, 0xc8, IF_PERFMON, IF_PERFMON },
	{ 0xe1, 0xe1, IF_WAITPKG, IF_WAITPKG },
	{ 0x10a, 0x10a, SPECIAL, GP },
	{ 0x10b, 0x10b, NAT, NAT },
	{ 0x122, 0x122, IF_TSX, IF_TSX },
	{ 0x174, 0x176, NAT, NAT },
	{ 0x186, 0x18d, IF_PERFMON, IF_PERFMON },
	{ 0x195, 0x195, GP, GP },
	{ 0x1a0, 0x1a0, SPECIAL, VE },
	{ 0x1a6, 0x1a7, IF_PERFMON, IF_PERFMON },
	{ 0x1c4, 0x1c5, IF_XFD, IF_XFD },
	{ 0x1d9, 0x1d9, SPECIAL, SPECIAL },
	{ 0x1f8, 0x1fa, VE_DCA, VE_DCA },
	{ 0x276, 0x276, GP, GP },
	{ 0x277, 0x277, NAT, NAT },
	{ 0x309, 0x310, IF_PERFMON, IF_PERFMON },
	{ 0x329, 0x329, IF_PERFMON, IF_PERFMON },
	{ 0x345, 0x345, SPECIAL, IF_PERFMON },
	{ 0x38d, 0x392, IF_PERFMON, IF_PERFMON },
	{ 0x3f1, 0x3f2, IF_PERFMON, IF_PERFMON },
	{ 0x3f6, 0x3f7, IF_PERFMON, IF_PERFMON },
	{ 0x480, 0x480, NAT, GP },
	{ 0x481, 0x484, VE, GP },
	{ 0x485, 0x489, NAT, GP },
	{ 0x48a, 0x48a, VE, GP },
	{ 0x48b, 0x492, NAT, GP },
	{ 0x4c1, 0x4c8, IF_PERFMON, IF_PERFMON },
	{ 0x500, 0x500, GP, GP },
	{ 0x560, 0x561, IF_PT, IF_PT },
	{ 0x570, 0x572, IF_PT, IF_PT },
	{ 0x580, 0x587, IF_PT, IF_PT },
	{ 0x600, 0x600, NAT, NAT },
	{ 0x6a0, 0x6a0, IF_CET, IF_CET },
	{ 0x6a2, 0x6a2, IF_CET, IF_CET },
	{ 0x6a4, 0x6a8, IF_CET, IF_CET },
	{ 0x6e0, 0x6e0, VE_TSC_DEADLINE, VE_TSC_DEADLINE },
	{ 0x6e1, 0x6e1, IF_PKS, IF_PKS },
	{ 0x800, 0x801, GP, GP },
	{ 0x802, 0x802, SPECIAL, GP },
	{ 0x804, 0x807, GP, GP },
	{ 0x808, 0x80c, NAT, NAT },
	{ 0x80e, 0x80e, NAT, NAT },
	{ 0x810, 0x827, NAT, NAT },
	{ 0x829, 0x82e, GP, GP },
	{ 0x831, 0x831, GP, GP },
	{ 0x83f, 0x83f, NAT, NAT },
	{ 0x840, 0x8ff, GP, GP },
	{ 0x981, 0x984, VE_TME, VE_TME },
	{ 0x985, 0x98a, IF_UINTR, IF_UINTR },
	{ 0xc80, 0xc80, NAT, VE },
	{ 0xd90, 0xd90, GP, GP },
	{ 0xd93, 0xd93, GP, GP },
	{ 0xda0, 0xda0, NAT, SPECIAL },
	{ 0x1200, 0x12ff, IF_LBR, IF_LBR },
	{ 0x14ce, 0x14cf, IF_LBR, IF_LBR },
	{ 0x1500, 0x16ff, IF_LBR, IF_LBR },
	{ 0x1b01, 0x1b01, NAT, NAT },
	{ 0xc0000080, 0xc0000080, NAT, SPECIAL },
	{ 0xc0000081, 0xc0000082, NAT, NAT },
	{ 0xc0000084, 0xc0000084, NAT, NAT },
	{ 0xc0000100, 0xc0000103, NAT, NAT },
};

/* The MSR bitmap covers two ranges; outside, every access is #VE. */
static bool in_bitmap(u32 msr)
{
	return (msr & ~0xc0000000u) < 0x2000 &&
	       (msr < 0x2000 || msr >= 0xc0000000);
}

static const struct msr_row *find_row(const struct td *td, u32 msr)
{
	static const struct msr_row outside = { 0, ~0u, VE, VE };
	static const struct msr_row unknown = { 0, ~0u, RVE, RVE };
	const struct msr_row *r = rows_2_0, *end = r + ARRAY_SIZE(rows_2_0);

	if (!in_bitmap(msr))
		return &outside;
	if (!has_feature(td->m, FEATURE_VE_REDUCTION)) {
		r = rows_1_5;
		end = r + ARRAY_SIZE(rows_1_5);
	}
	for (; r < end; r++)
		if (msr >= r->first && msr <= r->last)
			return r;
	return &unknown;
}

static bool has(const struct td *td, enum rule rule)
{
	switch (rule) {
	case IF_PERFMON:
		return td->attributes & TD_ATTR_PERFMON;
	case IF_WAITPKG:
		return cpuid_bit(td, 7, 0, 2, 5);
	case IF_TSX:
		return cpuid_bit(td, 7, 0, 1, 11);
	case IF_XFD:
		return td->xfam & XFAM_AMX;
	case IF_PT:
		return td->xfam & XFAM_PT;
	case IF_CET:
		return td->xfam & XFAM_CET;
	case IF_PKS:
		return td->attributes & TD_ATTR_PKS;
	case IF_UINTR:
		return td->xfam & XFAM_UINTR;
	case IF_LBR:
		return td->xfam & XFAM_LBR;
	default:
		return false;
	}
}

#define MSR_SMI_COUNT		0x34
#define MSR_ARCH_CAPABILITIES	0x10a
#define MSR_MISC_FEATURES	0x140
#define MSR_MISC_ENABLE		0x1a0
#define MSR_DEBUGCTL		0x1d9
#define MSR_PERF_CAPABILITIES	0x345
#define MSR_X2APIC_ID		0x802
#define MSR_XSS			0xda0
#define MSR_PMC_GP0		0x1900
#define MSR_PMC_LAST		0x1998
#define MSR_EFER		0xc0000080

/* Bits 0, 1, 3, 5, 6, 8, 12-15 and 21: what no TDX CPU suffers from. */
#define ARCH_CAP_FIXED1		0x20f16bull
#define ARCH_CAP_TSX_CTRL	BIT(7)

#define MISC_ENABLE_FAST_STRING	BIT(0)
#define MISC_ENABLE_PERFMON	BIT(7)
#define MISC_ENABLE_NO_BTS	BIT(11)
#define MISC_ENABLE_NO_PEBS	BIT(12)
#define MISC_ENABLE_EST		BIT(16)
#define MISC_ENABLE_MONITOR	BIT(18)
#define MISC_ENABLE_LIMIT_CPUID	BIT(22)
#define MISC_ENABLE_XTPR	BIT(23)
#define MISC_ENABLE_RESERVED	0xffffffffff3ae776ull

static u64 misc_enable(const struct td *td)
{
	return MISC_ENABLE_FAST_STRING |
	       (td->attributes & TD_ATTR_PERFMON ? MISC_ENABLE_PERFMON :
		MISC_ENABLE_NO_BTS | MISC_ENABLE_NO_PEBS) |
	       (td_feature(td, F_EST) ? MISC_ENABLE_EST : 0) |
	       (cpuid_bit(td, 1, 0, 2, 3) ? MISC_ENABLE_MONITOR : 0);
}

static enum tdx_outcome write_misc_enable(const struct td *td, u64 value)
{
	u64 changed = value ^ misc_enable(td);

	if (value & MISC_ENABLE_RESERVED ||
	    (value & MISC_ENABLE_EST && !td_feature(td, F_EST)) ||
	    (value & MISC_ENABLE_XTPR && !cpuid_bit(td, 1, 0, 2, 14)))
		return TDX_GP;
	if (changed & (MISC_ENABLE_MONITOR | MISC_ENABLE_LIMIT_CPUID))
		return TDX_VE;
	return TDX_DONE;
}

#define DEBUGCTL_TR		BIT(6)
#define DEBUGCTL_BTS		BIT(7)
#define DEBUGCTL_UNCORE_PMI	BIT(13)
#define DEBUGCTL_FREEZE_SMM	BIT(14)
#define DEBUGCTL_RTM		BIT(15)
#define DEBUGCTL_KNOWN		0xffc7ull	/* LBR, BTF, bus lock, 15:6 */

static enum tdx_outcome write_debugctl(struct tdx_vcpu *v, u64 value)
{
	const struct td *td = v->td;

	if (value & ~DEBUGCTL_KNOWN ||
	    (value & DEBUGCTL_FREEZE_SMM && !has(td, IF_PERFMON)) ||
	    (value & DEBUGCTL_RTM && !has(td, IF_TSX)))
		return TDX_GP;
	if (value & DEBUGCTL_TR && !(value & DEBUGCTL_BTS))
		return TDX_VE;
	v->debugctl = value & ~DEBUGCTL_UNCORE_PMI;
	return TDX_DONE;
}

/* Of each counter's four MSRs the last, CFG_C, is never there. */
static enum tdx_outcome perfmon_cfg(const struct td *td, u32 msr)
{
	return has(td, IF_PERFMON) && msr % 4 != 3 ? TDX_NATIVE : TDX_GP;
}

static enum tdx_outcome special_read(struct tdx_vcpu *v, u32 msr, u64 *value)
{
	const struct td *td = v->td;

	switch (msr) {
	case MSR_SMI_COUNT:
		*value = v->smi_count;
		return TDX_DONE;
	case MSR_ARCH_CAPABILITIES:
		*value = ARCH_CAP_FIXED1 | td->arch_capabilities |
			 (has(td, IF_TSX) ? ARCH_CAP_TSX_CTRL : 0);
		return TDX_DONE;
	case MSR_MISC_ENABLE:
		*value = misc_enable(td);
		return TDX_DONE;
	case MSR_DEBUGCTL:
		*value = v->debugctl;
		return TDX_DONE;
	case MSR_PERF_CAPABILITIES:
		*value = 0;
		return has(td, IF_PERFMON) ? TDX_NATIVE : TDX_DONE;
	case MSR_X2APIC_ID:
		*value = v->x2apic_id;
		return topology_on(td) ? TDX_DONE : TDX_VE;
	case MSR_PMC_GP0 ... MSR_PMC_LAST:
		return perfmon_cfg(td, msr);
	}
	return TDX_GP;
}

#define EFER_SCE	1ull
#define EFER_LMA	0x400ull
/* LME and NXE are always on in a TD. */
#define EFER_FIXED	0x900ull

static enum tdx_outcome special_write(struct tdx_vcpu *v, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_SMI_COUNT:
		v->smi_count = value;
		return TDX_DONE;
	case MSR_MISC_FEATURES:
		return value ? TDX_GP : TDX_DONE;
	case MSR_MISC_ENABLE:
		return write_misc_enable(v->td, value);
	case MSR_DEBUGCTL:
		return write_debugctl(v, value);
	case MSR_XSS:
		return value & ~(v->td->xfam & XFAM_SUPERVISOR) ? TDX_GP :
								  TDX_NATIVE;
	case MSR_PMC_GP0 ... MSR_PMC_LAST:
		return perfmon_cfg(v->td, msr);
	case MSR_EFER:
		return (value & ~(EFER_SCE | EFER_LMA)) == EFER_FIXED ?
		       TDX_NATIVE : TDX_VE;
	}
	return TDX_GP;
}

/* What the rule says without looking at the value; TDX_DONE: look. */
static enum tdx_outcome outcome(const struct td *td, enum rule rule)
{
	bool reduce = td->td_ctls & TD_CTLS_REDUCE_VE;

	switch (rule) {
	case VE:
		return TDX_VE;
	case GP:
		return TDX_GP;
	case NAT:
		return TDX_NATIVE;
	case RVE:
		return reduce ? TDX_GP : TDX_VE;
	case RVALUE:
	case RIGNORE:
	case RSPECIAL:
		return reduce ? TDX_DONE : TDX_VE;
	case VALUE:
	case SPECIAL:
		return TDX_DONE;
	case VE_FEATURE ... VE_FEATURE + F_LAST:
		return td_feature(td, rule - VE_FEATURE) ? TDX_VE : TDX_GP;
	default:
		return has(td, rule) ? TDX_NATIVE : TDX_GP;
	}
}

static bool is_special(enum rule rule)
{
	return rule == SPECIAL || rule == RSPECIAL;
}

enum tdx_outcome tdx_rdmsr(struct tdx_vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct msr_row *r = find_row(v->td, msr);
	enum tdx_outcome out = outcome(v->td, r->read);

	if (out == TDX_DONE && is_special(r->read))
		return special_read(v, msr, value);
	*value = r->value;
	return out;
}

enum tdx_outcome tdx_wrmsr(struct tdx_vcpu *v, uint32_t msr, uint64_t value)
{
	const struct msr_row *r = find_row(v->td, msr);
	enum tdx_outcome out = outcome(v->td, r->write);

	if (out == TDX_DONE && is_special(r->write))
		return special_write(v, msr, value);
	return out;
}
