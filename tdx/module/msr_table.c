// SPDX-License-Identifier: GPL-2.0
/* How MSRs are virtualised; see msr_table.h. */
#include "cpuid_table.h"
#include "msr_table.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* In other releases the row's MSRs are not in the table. */
#define IN_2_0_08	.releases = R_2_0_08

/*
 * In ascending order: first and last MSR, name without IA32_ or MSR_, RDMSR and
 * WRMSR without and with TD_CTLS.REDUCE_VE, value.
 */
const struct msr_row msr_rows[] = {
	{ 0x0, 0x1, "P5_MC_ADDR, TYPE", { VE, VE }, { VE, VE } },
	{ 0x6, 0x6, "MONITOR_FILTER_SIZE", { VE, VE }, { VE, VE } },
	{ 0x10, 0x10, "TIME_STAMP_COUNTER", { NAT, VE }, { NAT, VE } },
	{ 0x17, 0x17, "PLATFORM_ID", { VE, VE }, { VE, R_GP } },
	{ 0x1b, 0x1b, "APIC_BASE", { VE, VE }, { VE, VE } },
	{ 0x33, 0x33, "TEST_CTRL", { VE, VE }, { VE_CORE_CAP, VE_CORE_CAP } },
	{ 0x34, 0x34, "SMI_COUNT", { VE, VE }, { R_SPECIAL, R_SPECIAL } },
	{ 0x3a, 0x3a, "FEATURE_CONTROL", { VE, VE }, { R_VALUE, R_GP }, 1 },
	{ 0x3b, 0x3b, "TSC_ADJUST", { VE, VE }, { R_GP, R_GP } },
	{ 0x48, 0x49, "SPEC_CTRL, PRED_CMD", { NAT, NAT }, { NAT, NAT } },
	{ 0x4e, 0x4e, "PPIN_CTL", { VE, VE }, { R_VALUE, R_GP }, 1 },
	{ 0x4f, 0x4f, "PPIN", { VE, VE }, { R_GP, R_GP } },
	{ 0x79, 0x79, "BIOS_UPDT_TRIG", { VE, VE }, { R_GP, R_IGNORE } },
	{ 0x7a, 0x7a, "FEATURE_ACTIVATION", { VE, VE }, { R_GP, R_GP } },
	{ 0x82, 0x86, "MKTME, reserved", { VE, VE }, { R_GP, R_GP } },
	{ 0x87, 0x87, "MKTME_KEYID_PARTITIONING",
	  { VE_PCONFIG, VE_PCONFIG }, { VE_PCONFIG, VE_PCONFIG } },
	{ 0x8b, 0x8b, "BIOS_SIGN_ID",
	  { VE, VE }, { R_VALUE, R_IGNORE }, 0xffffffff },
	{ 0x8c, 0x8f, "SGXLEPUBKEYHASHx", { GP, GP }, { GP, GP } },
	{ 0x98, 0x9b, "WBINVDP, WBNOINVDP and others of SEAM",
	  { GP, GP }, { GP, GP } },
	{ 0x9e, 0x9e, "SMBASE", { GP, GP }, { GP, GP } },
	{ 0xbc, 0xbc, "MISC_PACKAGE_CTLS", { NAT, VE }, { NAT, VE } },
	{ 0xbd, 0xbd, "XAPIC_DISABLE_STATUS", { VALUE, GP }, { VALUE, GP }, 1 },
	{ 0xc1, 0xc8, "PMCx",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0xce, 0xce, "PLATFORM_INFO", { VE, VE }, { R_VALUE, R_GP } },
	{ 0xcf, 0xcf, "CORE_CAPABILITIES", { VE, VE }, { VE_CORE_CAP, GP } },
	{ 0xe1, 0xe1, "UMWAIT_CONTROL",
	  { IF_WAITPKG, IF_WAITPKG }, { IF_WAITPKG, IF_WAITPKG } },
	{ 0xe7, 0xe8, "MPERF, APERF", { VE, VE }, { R_GP, R_GP } },
	{ 0xed, 0xf0, "core capabilities, reserved",
	  { VE, VE }, { VE_CORE_CAP, VE_CORE_CAP } },
	{ 0xfe, 0xfe, "MTRRCAP", { VE, VE }, { VE_MTRR, GP } },
	{ 0x10a, 0x10a, "ARCH_CAPABILITIES", { SPECIAL, GP }, { SPECIAL, GP } },
	{ 0x10b, 0x10b, "FLUSH_CMD", { NAT, NAT }, { NAT, NAT } },
	{ 0x10f, 0x10f, "TSX_FORCE_ABORT", { VE, VE }, { R_GP, R_GP } },
	{ 0x122, 0x122, "TSX_CTRL", { IF_TSX, IF_TSX }, { IF_TSX, IF_TSX } },
	{ 0x123, 0x123, "MCU_OPT_CTRL", { VE, VE }, { R_GP, R_GP } },
	{ 0x140, 0x140, "MISC_FEATURES_ENABLES",
	  { VE, VE }, { R_VALUE, R_SPECIAL } },
	{ 0x174, 0x176, "SYSENTER_CS, ESP, EIP", { NAT, NAT }, { NAT, NAT } },
	{ 0x179, 0x179, "MCG_CAP", { VE, VE }, { VE_MCA, GP } },
	{ 0x17a, 0x17b, "MCG_STATUS, MCG_CTL", { VE, VE }, { VE_MCA, VE_MCA } },
	{ 0x186, 0x18d, "PERFEVTSELx",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x195, 0x195, "OVERCLOCKING_STATUS", { GP, GP }, { GP, GP } },
	{ 0x198, 0x199, "PERF_STATUS, PERF_CTL",
	  { VE, VE }, { VE_EST, VE_EST } },
	{ 0x19a, 0x19c, "CLOCK_MODULATION, THERM_INTERRUPT, STATUS",
	  { VE, VE }, { VE_ACPI, VE_ACPI } },
	{ 0x19d, 0x19d, "THERM2_CTL", { VE, VE }, { VE_TM2, VE_TM2 } },
	{ 0x1a0, 0x1a0, "MISC_ENABLE",
	  { SPECIAL, VE }, { SPECIAL, R_SPECIAL } },
	{ 0x1a6, 0x1a7, "OFFCORE_RSPx",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x1b0, 0x1b2, "ENERGY_PERF_BIAS, PACKAGE_THERM_*",
	  { VE, VE }, { R_GP, R_GP } },
	{ 0x1c2, 0x1c3, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x1c4, 0x1c5, "XFD, XFD_ERR",
	  { IF_XFD, IF_XFD }, { IF_XFD, IF_XFD } },
	{ 0x1c7, 0x1c7, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x1ca, 0x1cb, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x1d9, 0x1d9, "DEBUGCTL",
	  { SPECIAL, SPECIAL }, { SPECIAL, SPECIAL } },
	{ 0x1f2, 0x1f3, "SMRR", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x1f6, 0x1f7, "SMRR2", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x1f8, 0x1fa, "PLATFORM_DCA_CAP, CPU_DCA_CAP, DCA_0_CAP",
	  { VE_DCA, VE_DCA }, { VE_DCA, VE_DCA } },
	{ 0x200, 0x213, "MTRR_PHYSBASE and PHYSMASK",
	  { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x250, 0x250, "MTRR_FIX64K", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x258, 0x259, "MTRR_FIX16K", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x268, 0x26f, "MTRR_FIX4K", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x276, 0x276, "SLAM_ENABLE", { GP, GP }, { GP, GP } },
	{ 0x277, 0x277, "PAT", { NAT, NAT }, { NAT, NAT } },
	{ 0x280, 0x29f, "MCi_CTL2", { VE, VE }, { VE_MCA, VE_MCA } },
	{ 0x2a0, 0x2a7, "MTRR, reserved", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x2c0, 0x2c1, "MTRR, reserved", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x2ff, 0x2ff, "MTRR_DEF_TYPE", { VE, VE }, { VE_MTRR, VE_MTRR } },
	{ 0x302, 0x303, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x309, 0x310, "FIXED_CTRx",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x329, 0x329, "PERF_METRICS",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x345, 0x345, "PERF_CAPABILITIES",
	  { SPECIAL, IF_PERFMON }, { SPECIAL, GP } },
	{ 0x38d, 0x392, "FIXED_CTR_CTRL, PERF_GLOBAL_*",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x3f1, 0x3f2, "PEBS_ENABLE, PEBS_DATA_CFG",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x3f4, 0x3f5, "PEBS, reserved", { VE, VE }, { GP, GP }, IN_2_0_08 },
	{ 0x3f6, 0x3f7, "PEBS_LD_LAT, PEBS_FRONTEND",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x400, 0x473, "MCi_CTL, STATUS, ADDR, MISC",
	  { VE, VE }, { VE_MCA, VE_MCA } },
	{ 0x474, 0x47f, "of more banks than CPUs have",
	  { VE, VE }, { R_GP, R_GP } },
	{ 0x480, 0x480, "VMX_BASIC", { NAT, GP }, { NAT, GP } },
	{ 0x481, 0x484, "VMX_*_CTLS", { VE, GP }, { R_GP, GP } },
	{ 0x485, 0x489, "VMX_MISC, VMX_CRx_FIXEDx", { NAT, GP }, { NAT, GP } },
	{ 0x48a, 0x48a, "VMX_VMCS_ENUM", { VE, GP }, { R_GP, GP } },
	{ 0x48b, 0x492, "VMX_PROCBASED_CTLS2 to CTLS3",
	  { NAT, GP }, { NAT, GP } },
	{ 0x4c1, 0x4c8, "A_PMCx",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ 0x4d0, 0x4d0, "MCG_EXT_CTL", { VE, VE }, { VE_MCA, VE_MCA } },
	{ 0x500, 0x500, "SGX_SVN_STATUS", { GP, GP }, { GP, GP } },
	{ 0x501, 0x501, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x550, 0x550, "SE_SVN", { VE, VE }, { GP, GP }, IN_2_0_08 },
	{ 0x560, 0x561, "RTIT_OUTPUT_BASE, MASK_PTRS",
	  { IF_PT, IF_PT }, { IF_PT, IF_PT } },
	{ 0x562, 0x56f, "RTIT, reserved", { VE, VE }, { R_GP, R_GP } },
	{ 0x570, 0x572, "RTIT_CTL, STATUS, CR3_MATCH",
	  { IF_PT, IF_PT }, { IF_PT, IF_PT } },
	{ 0x573, 0x57f, "RTIT, reserved", { VE, VE }, { R_GP, R_GP } },
	{ 0x580, 0x587, "RTIT_ADDRx_A, B", { IF_PT, IF_PT }, { IF_PT, IF_PT } },
	{ 0x5d0, 0x5fd, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x600, 0x600, "DS_AREA", { NAT, NAT }, { NAT, NAT } },
	{ 0x6a0, 0x6a0, "U_CET", { IF_CET, IF_CET }, { IF_CET, IF_CET } },
	{ 0x6a2, 0x6a2, "S_CET", { IF_CET, IF_CET }, { IF_CET, IF_CET } },
	{ 0x6a4, 0x6a8, "PLx_SSP, INT_SSP_TAB",
	  { IF_CET, IF_CET }, { IF_CET, IF_CET } },
	{ 0x6e0, 0x6e0, "TSC_DEADLINE",
	  { VE_TSC_DEADLINE, VE_TSC_DEADLINE }, { VE_TSC_DEADLINE, VE_TSC_DEADLINE } },
	{ 0x6e1, 0x6e1, "PKRS", { IF_PKS, IF_PKS }, { IF_PKS, IF_PKS } },
	{ 0x770, 0x777, "HWP_*, PM_ENABLE", { VE, VE }, { R_GP, R_GP } },
	{ 0x793, 0x793, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x800, 0x801, "x2APIC, reserved", { GP, GP }, { GP, GP } },
	{ 0x802, 0x802, "X2APIC_APICID", { SPECIAL, GP }, { SPECIAL, GP } },
	{ 0x803, 0x803, "X2APIC_VERSION", { VE, VE }, { VE, GP } },
	{ 0x804, 0x807, "x2APIC, reserved", { GP, GP }, { GP, GP } },
	{ 0x808, 0x80c, "X2APIC_TPR, PPR, EOI, reserved",
	  { NAT, NAT }, { NAT, NAT } },
	{ 0x80d, 0x80d, "X2APIC_LDR", { VE, VE }, { VE, GP } },
	{ 0x80e, 0x80e, "X2APIC_DFR", { NAT, NAT }, { NAT, NAT } },
	{ 0x80f, 0x80f, "X2APIC_SIVR", { VE, VE }, { VE, VE } },
	{ 0x810, 0x827, "X2APIC_ISR, TMR, IRR", { NAT, NAT }, { NAT, NAT } },
	{ 0x828, 0x828, "X2APIC_ESR", { VE, VE }, { VE, VE } },
	{ 0x829, 0x82e, "x2APIC, reserved", { GP, GP }, { GP, GP } },
	{ 0x82f, 0x830, "X2APIC_LVT_CMCI, ICR", { VE, VE }, { VE, VE } },
	{ 0x831, 0x831, "x2APIC, reserved", { GP, GP }, { GP, GP } },
	{ 0x832, 0x838, "X2APIC_LVT_*, INIT_COUNT", { VE, VE }, { VE, VE } },
	{ 0x839, 0x839, "X2APIC_CUR_COUNT", { VE, VE }, { VE, GP } },
	{ 0x83a, 0x83a, "x2APIC, reserved", { VE, VE }, { VE, VE } },
	{ 0x83b, 0x83d, "x2APIC, reserved", { VE, VE }, { GP, GP } },
	{ 0x83e, 0x83e, "X2APIC_DIV_CONF", { VE, VE }, { VE, VE } },
	{ 0x83f, 0x83f, "X2APIC_SELF_IPI", { NAT, NAT }, { NAT, NAT } },
	{ 0x840, 0x8ff, "x2APIC, reserved", { GP, GP }, { GP, GP } },
	{ 0x981, 0x984, "TME_CAPABILITY to TME_EXCLUDE_BASE",
	  { VE_TME, VE_TME }, { VE_TME, VE_TME } },
	{ 0x985, 0x98a, "UINTR_*",
	  { IF_UINTR, IF_UINTR }, { IF_UINTR, IF_UINTR } },
	{ 0x98b, 0x98f, "reserved", { VE, VE }, { R_GP, R_GP } },
	{ 0xc80, 0xc80, "DEBUG_INTERFACE", { NAT, VE }, { GP, R_GP } },
	{ 0xc81, 0xc82, "L3_QOS_CFG, L2_QOS_CFG",
	  { VE, VE }, { VE_RDT_A, VE_RDT_A } },
	{ 0xc8d, 0xc8f, "QM_EVTSEL, QM_CTR, PQR_ASSOC",
	  { VE, VE }, { VE_RDT_M, VE_RDT_M } },
	{ 0xc90, 0xd8f, "L3_MASK_x, L2_MASK_x, MBA",
	  { VE, VE }, { VE_RDT_A, VE_RDT_A } },
	{ 0xd90, 0xd90, "BNDCFGS", { GP, GP }, { GP, GP } },
	{ 0xd93, 0xd93, "PASID", { GP, GP }, { GP, GP } },
	{ 0xda0, 0xda0, "XSS", { NAT, SPECIAL }, { NAT, SPECIAL } },
	{ 0xdb0, 0xdb2, "HDC", { VE, VE }, { R_GP, R_GP } },
	{ 0x1000, 0x1000, "model-specific", { VE, VE }, { R_GP, R_GP } },
	{ 0x1200, 0x12ff, "LBR_x_INFO",
	  { IF_LBR, IF_LBR }, { IF_LBR, IF_LBR } },
	{ 0x1400, 0x1402, "key locker backup", { VE, VE }, { R_GP, R_GP } },
	{ 0x14c1, 0x14c8, "reserved", { VE, VE }, { R_GP, R_GP } },
	{ 0x14ce, 0x14cf, "LBR_CTL, LBR_DEPTH",
	  { IF_LBR, IF_LBR }, { IF_LBR, IF_LBR } },
	{ 0x1500, 0x16ff, "LBR_x_FROM_IP, LBR_x_TO_IP",
	  { IF_LBR, IF_LBR }, { IF_LBR, IF_LBR } },
	{ 0x17d0, 0x17da, "HFI and thread director",
	  { VE, VE }, { R_GP, R_GP } },
	{ 0x1900, 0x191f, "PMC_GPx_*", { VE, VE }, { SPECIAL, SPECIAL },
	  IN_2_0_08 },
	{ 0x1980, 0x199b, "PMC_FXx_*", { VE, VE }, { SPECIAL, SPECIAL },
	  IN_2_0_08 },
	{ 0x1b01, 0x1b01, "UARCH_MISC_CTL", { NAT, NAT }, { NAT, NAT } },
	{ 0xc0000080, 0xc0000080, "EFER", { NAT, SPECIAL }, { NAT, SPECIAL } },
	{ 0xc0000081, 0xc0000082, "STAR, LSTAR", { NAT, NAT }, { NAT, NAT } },
	{ 0xc0000083, 0xc0000083, "CSTAR", { VE, VE }, { VE, VE } },
	{ 0xc0000084, 0xc0000084, "FMASK", { NAT, NAT }, { NAT, NAT } },
	{ 0xc0000100, 0xc0000103, "FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX",
	  { NAT, NAT }, { NAT, NAT } },
};

unsigned int msr_num_rows(void)
{
	return ARRAY_LEN(msr_rows);
}

/* The MSR bitmap covers 0x2000 MSRs from each of these on. */
#define LOW_MSRS	0
#define HIGH_MSRS	0xc0000000u
#define NUM_MSRS	0x2000

static bool in_bitmap(uint32_t msr)
{
	return msr - LOW_MSRS < NUM_MSRS || msr - HIGH_MSRS < NUM_MSRS;
}

static bool in_release(const struct tdx_profile *p, const struct msr_row *r)
{
	return !r->releases || r->releases & p->cpuid->release;
}

const struct msr_row *msr_find_row(const struct tdx_profile *p, uint32_t msr)
{
	static const struct msr_row unknown = {
		0, ~0u, "not in the table", { VE, VE }, { R_GP, R_GP }
	};
	static const struct msr_row outside = {
		0, ~0u, "not in the bitmap", { VE, VE }, { VE, VE }
	};
	unsigned int low = 0, high = ARRAY_LEN(msr_rows), i;

	if (!in_bitmap(msr))
		return &outside;
	while (low < high) {
		i = (low + high) / 2;
		if (msr < msr_rows[i].first)
			high = i;
		else if (msr > msr_rows[i].last)
			low = i + 1;
		else
			return in_release(p, &msr_rows[i]) ? &msr_rows[i] :
							     &unknown;
	}
	return &unknown;
}
