// SPDX-License-Identifier: GPL-2.0
/*
 * What the bare CPU of a TDX host has and QEMU's CPU model does not: features in
 * CPUID, the MSRs of VMX and of memory encryption, a TSC of known frequency.  The PMU
 * is in pmu.c.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "glue.h"

/* CPUID. */

#define LEAF_PMU		0xau
#define LEAF_TOPOLOGY_OLD	0xbu
#define LEAF_XSTATE		0xdu
#define LEAF_TSC		0x15u
#define LEAF_TOPOLOGY		0x1fu
#define LEAF_APM		0x80000007u
#define LEAF_HYPERVISOR		0x40000000u

#define MODEL_MASK		0x000f00f0u	/* EAX of leaf 1 */
#define CPUID_7_0_ECX_SHSTK	(1u << 7)
#define CPUID_7_0_ECX_TME_EN	(1u << 13)
#define CPUID_7_0_EDX_IBT	(1u << 20)

/* The tile registers: 8 of 16 rows of 64 bytes.  There are no products of them. */
#define LEAF_TILES		0x1du
#define TILES_BYTES		(8192u | 1024u << 16)
#define TILES_NAMES		(64u | 8u << 16)
#define TILES_ROWS		16u
#define PMU_EVENTS		8	/* architectural events, none of which is missing */
#define PMU_NO_ANYTHREAD	(1u << 15)

/* Turns what QEMU's model says into what a TDX host's CPU says. */
static void add_features(const struct tdx_profile *profile, uint32_t leaf,
			 uint32_t subleaf, uint32_t out[4])
{
	if (leaf == 0) {
		out[0] = MAX(out[0], LEAF_TOPOLOGY);
	} else if (leaf == 1) {
		out[0] = (out[0] & ~MODEL_MASK) |
			 (profile->cpu_model & 0xf) << 4 |
			 (profile->cpu_model >> 4) << 16;
		out[2] |= CPUID_EXT_VMX | CPUID_EXT_PDCM;
		out[3] |= CPUID_SS;
	} else if (leaf == 7 && subleaf == 0) {
		out[1] |= CPUID_7_0_EBX_HLE | CPUID_7_0_EBX_RTM;
		out[2] |= CPUID_7_0_ECX_WAITPKG | CPUID_7_0_ECX_TME_EN | CPUID_7_0_ECX_MOVDIRI |
			  CPUID_7_0_ECX_MOVDIR64B | CPUID_7_0_ECX_SHSTK;
		out[3] |= CPUID_7_0_EDX_ARCH_CAPABILITIES | CPUID_7_0_EDX_IBT |
			  CPUID_7_0_EDX_AMX_TILE;
	} else if (leaf == LEAF_TILES && !subleaf) {
		out[0] = 1;	/* the last palette */
	} else if (leaf == LEAF_TILES && subleaf == 1) {
		out[0] = TILES_BYTES;
		out[1] = TILES_NAMES;
		out[2] = TILES_ROWS;
	} else if (leaf == LEAF_PMU) {
		out[0] = PMU_VERSION | PMU_GP_COUNTERS << 8 | PMU_COUNTER_WIDTH << 16 |
			 PMU_EVENTS << 24;
		out[1] = 0;
		out[2] = MAKE_64BIT_MASK(0, PMU_FIXED_COUNTERS);
		out[3] = PMU_FIXED_COUNTERS | PMU_COUNTER_WIDTH << 5 | PMU_NO_ANYTHREAD;
	} else if (leaf == LEAF_APM) {
		out[3] |= CPUID_APM_INVTSC;
	} else if (leaf == LEAF_TSC) {
		out[0] = profile->tsc_den;
		out[1] = profile->tsc_num;
		out[2] = CRYSTAL_HZ;
	}
}

void bare_cpuid(CPUX86State *env, const struct tdx_profile *profile,
		uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	/* Their levels are the same: threads and cores. */
	if (leaf == LEAF_TOPOLOGY)
		cpu_x86_cpuid(env, LEAF_TOPOLOGY_OLD, subleaf, &out[0], &out[1],
			      &out[2], &out[3]);
	/* QEMU repeats its last leaf beyond it, as CPUs do. */
	else if (leaf > env->cpuid_level && leaf < LEAF_HYPERVISOR)
		memset(out, 0, 4 * sizeof(out[0]));
	else if (leaf == LEAF_XSTATE)
		xstate_cpuid(env, profile, subleaf, out);
	else
		cpu_x86_cpuid(env, leaf, subleaf, &out[0], &out[1], &out[2],
			      &out[3]);
	add_features(profile, leaf, subleaf, out);
	tdx_profile_cpuid(profile, leaf, subleaf, out);
}

/* MSRs. */

uint64_t host_arch_capabilities(void)
{
	/* It has none of these leaks. */
	return MSR_ARCH_CAP_RDCL_NO | MSR_ARCH_CAP_SKIP_L1DFL_VMENTRY |
	       MSR_ARCH_CAP_MDS_NO | MSR_ARCH_CAP_PSCHANGE_MC_NO |
	       MSR_ARCH_CAP_TSX_CTRL_MSR | MSR_ARCH_CAP_TAA_NO | MSR_ARCH_CAP_SBDR_SSDP_NO |
	       MSR_ARCH_CAP_FBSDP_NO | MSR_ARCH_CAP_PSDP_NO |
	       MSR_ARCH_CAP_BHI_NO | MSR_ARCH_CAP_PBRSB_NO |
	       MSR_ARCH_CAP_GDS_NO | MSR_ARCH_CAP_RFDS_NO;
}

/*
 * VM execution controls.  *_MUST are those that have to be 1 by the TRUE_* MSRs;
 * the older MSRs add *_OLD to them.
 */
#define PIN_MUST	0x16u
#define PIN_MAY		(VMX_PIN_BASED_EXT_INTR_MASK |			\
			 VMX_PIN_BASED_NMI_EXITING |			\
			 VMX_PIN_BASED_VIRTUAL_NMIS |			\
			 VMX_PIN_BASED_VMX_PREEMPTION_TIMER |		\
			 VMX_PIN_BASED_POSTED_INTR)

#define PROC_MUST	0x04006172u
#define PROC_OLD	(VMX_CPU_BASED_CR3_LOAD_EXITING |		\
			 VMX_CPU_BASED_CR3_STORE_EXITING)
#define PROC_TERTIARY	(1u << 17)
#define PROC_BIT_18	(1u << 18)	/* without a name */
#define PROC_MAY	(VMX_CPU_BASED_VIRTUAL_INTR_PENDING |		\
			 VMX_CPU_BASED_USE_TSC_OFFSETING |		\
			 VMX_CPU_BASED_HLT_EXITING |			\
			 VMX_CPU_BASED_INVLPG_EXITING |			\
			 VMX_CPU_BASED_MWAIT_EXITING |			\
			 VMX_CPU_BASED_RDPMC_EXITING |			\
			 VMX_CPU_BASED_RDTSC_EXITING |			\
			 VMX_CPU_BASED_CR3_LOAD_EXITING |		\
			 VMX_CPU_BASED_CR3_STORE_EXITING |		\
			 PROC_TERTIARY | PROC_BIT_18 |			\
			 VMX_CPU_BASED_CR8_LOAD_EXITING |		\
			 VMX_CPU_BASED_CR8_STORE_EXITING |		\
			 VMX_CPU_BASED_TPR_SHADOW |			\
			 VMX_CPU_BASED_VIRTUAL_NMI_PENDING |		\
			 VMX_CPU_BASED_MOV_DR_EXITING |			\
			 VMX_CPU_BASED_UNCOND_IO_EXITING |		\
			 VMX_CPU_BASED_USE_IO_BITMAPS |			\
			 VMX_CPU_BASED_MONITOR_TRAP_FLAG |		\
			 VMX_CPU_BASED_USE_MSR_BITMAPS |		\
			 VMX_CPU_BASED_MONITOR_EXITING |		\
			 VMX_CPU_BASED_PAUSE_EXITING |			\
			 VMX_CPU_BASED_ACTIVATE_SECONDARY_CONTROLS)

#define PROC2_EPT_VE	(1u << 18)
#define PROC2_XSAVES	(1u << 20)
#define PROC2_BUS_LOCK	(1u << 30)
#define PROC2_NOTIFY	(1u << 31)
#define PROC2_MAY	(VMX_SECONDARY_EXEC_VIRTUALIZE_APIC_ACCESSES |	\
			 VMX_SECONDARY_EXEC_ENABLE_EPT |		\
			 VMX_SECONDARY_EXEC_DESC |			\
			 VMX_SECONDARY_EXEC_RDTSCP |			\
			 VMX_SECONDARY_EXEC_VIRTUALIZE_X2APIC_MODE |	\
			 VMX_SECONDARY_EXEC_ENABLE_VPID |		\
			 VMX_SECONDARY_EXEC_WBINVD_EXITING |		\
			 VMX_SECONDARY_EXEC_UNRESTRICTED_GUEST |	\
			 VMX_SECONDARY_EXEC_APIC_REGISTER_VIRT |	\
			 VMX_SECONDARY_EXEC_VIRTUAL_INTR_DELIVERY |	\
			 VMX_SECONDARY_EXEC_PAUSE_LOOP_EXITING |	\
			 VMX_SECONDARY_EXEC_RDRAND_EXITING |		\
			 VMX_SECONDARY_EXEC_ENABLE_INVPCID |		\
			 VMX_SECONDARY_EXEC_RDSEED_EXITING |		\
			 VMX_SECONDARY_EXEC_ENABLE_PML | PROC2_EPT_VE |	\
			 PROC2_XSAVES | VMX_SECONDARY_EXEC_TSC_SCALING | \
			 PROC2_BUS_LOCK | PROC2_NOTIFY)

#define EXIT_MUST	0x00036dfbu
#define EXIT_OLD	VMX_VM_EXIT_SAVE_DEBUG_CONTROLS
#define EXIT_CET	(1u << 28)
#define EXIT_MAY	(EXIT_CET | VMX_VM_EXIT_SAVE_DEBUG_CONTROLS |		\
			 VMX_VM_EXIT_HOST_ADDR_SPACE_SIZE |		\
			 VMX_VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL |	\
			 VMX_VM_EXIT_ACK_INTR_ON_EXIT |			\
			 VMX_VM_EXIT_SAVE_IA32_PAT |			\
			 VMX_VM_EXIT_LOAD_IA32_PAT |			\
			 VMX_VM_EXIT_SAVE_IA32_EFER |			\
			 VMX_VM_EXIT_LOAD_IA32_EFER |			\
			 VMX_VM_EXIT_SAVE_VMX_PREEMPTION_TIMER)

#define ENTRY_MUST	0x000011fbu
#define ENTRY_OLD	VMX_VM_ENTRY_LOAD_DEBUG_CONTROLS
#define ENTRY_CET	(1u << 20)
#define ENTRY_MAY	(ENTRY_CET | VMX_VM_ENTRY_LOAD_DEBUG_CONTROLS |		\
			 VMX_VM_ENTRY_IA32E_MODE |			\
			 VMX_VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL |	\
			 VMX_VM_ENTRY_LOAD_IA32_PAT |			\
			 VMX_VM_ENTRY_LOAD_IA32_EFER)

/* Allowed 0-settings in the low half, allowed 1-settings in the high half. */
#define CONTROLS(must, may) ((uint64_t)((must) | (may)) << 32 | (must))

#define BASIC_VMCS_4K		(0x1000ull << 32)
#define BASIC_WRITE_BACK	(6ull << 50)
#define BASIC_FREE_ERROR_CODE	(1ull << 56)	/* an event may have one or not */
#define BASIC_VMCS_AFTER_SEAM	(1ull << 60)	/* SEAMRET keeps it current */
#define MISC_TIMER_RATE		5ull
#define MISC_CR3_TARGETS	(4ull << 16)
#define CR4_FIXED1		0x01f777ffull	/* what the CPU has of CR4 */
#define VMCS_LAST_INDEX		0x17

/* The number of KeyID bits is at 32 in both MSRs. */
#define TME_KEYID_BITS		((uint64_t)KEYID_BITS << 32)
#define TME_MAX_KEYS		(63ull << 36)
#define TME_AES_XTS_128		(1ull << 0)
#define TME_AES_XTS_128_USED	(1ull << 48)
#define TME_LOCKED		(1ull << 0)
#define TME_ENABLED		(1ull << 1)

/* What QEMU has, and an SMRR with a lock. */
#define MTRRCAP_SMRR		(1u << 11)
#define MTRRCAP_SMRR_LOCK	(1u << 14)
#define MTRRCAP			(MSR_MTRRcap_VCNT | MSR_MTRRcap_FIXRANGE_SUPPORT | \
				 MSR_MTRRcap_WC_SUPPORTED | MTRRCAP_SMRR | \
				 MTRRCAP_SMRR_LOCK)
#define SMRR_LOCKED		(1u << 10)

/* MSRs that QEMU's cpu.h has no name for. */
#define MSR_KEYID_PARTITIONING	0x87
#define MSR_VMX_PROCBASED_CTLS3	0x492
#define MSR_TME_CAPABILITY	0x981
#define MSR_TME_ACTIVATE	0x982

static const struct {
	uint32_t msr;
	uint64_t value;
} host_msrs[] = {
	{ MSR_IA32_FEATURE_CONTROL, FEATURE_CONTROL_LOCKED |
	  FEATURE_CONTROL_VMXON_ENABLED_OUTSIDE_SMX },
	{ MSR_KEYID_PARTITIONING, NUM_MKTME_KEYIDS },
	{ MSR_IA32_ARCH_CAPABILITIES, 0 },
	{ MSR_IA32_PERF_CAPABILITIES, PERF_CAPABILITIES },
	{ MSR_IA32_VMX_BASIC, VMCS_REVISION | BASIC_VMCS_4K |
	  BASIC_WRITE_BACK | MSR_VMX_BASIC_INS_OUTS |
	  MSR_VMX_BASIC_TRUE_CTLS | BASIC_FREE_ERROR_CODE | BASIC_VMCS_AFTER_SEAM },
	{ MSR_IA32_VMX_PINBASED_CTLS, CONTROLS(PIN_MUST, PIN_MAY) },
	{ MSR_IA32_VMX_PROCBASED_CTLS, CONTROLS(PROC_MUST | PROC_OLD, PROC_MAY) },
	{ MSR_IA32_VMX_EXIT_CTLS, CONTROLS(EXIT_MUST | EXIT_OLD, EXIT_MAY) },
	{ MSR_IA32_VMX_ENTRY_CTLS, CONTROLS(ENTRY_MUST | ENTRY_OLD, ENTRY_MAY) },
	{ MSR_IA32_VMX_MISC, MISC_TIMER_RATE | MSR_VMX_MISC_STORE_LMA |
	  MSR_VMX_MISC_ACTIVITY_HLT | MISC_CR3_TARGETS |
	  MSR_VMX_MISC_VMWRITE_VMEXIT | MSR_VMX_MISC_ZERO_LEN_INJECT },
	{ MSR_IA32_VMX_CR0_FIXED0, CR0_PG_MASK | CR0_NE_MASK | CR0_PE_MASK },
	{ MSR_IA32_VMX_CR0_FIXED1, 0xffffffff },
	{ MSR_IA32_VMX_CR4_FIXED0, CR4_VMXE_MASK },
	{ MSR_IA32_VMX_CR4_FIXED1, CR4_FIXED1 },
	{ MSR_IA32_VMX_VMCS_ENUM, VMCS_LAST_INDEX << 1 },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, CONTROLS(0u, PROC2_MAY) },
	{ MSR_IA32_VMX_EPT_VPID_CAP, MSR_VMX_EPT_EXECONLY |
	  MSR_VMX_EPT_PAGE_WALK_LENGTH_4 | MSR_VMX_EPT_WB |
	  MSR_VMX_EPT_2MB | MSR_VMX_EPT_1GB | MSR_VMX_EPT_INVEPT |
	  MSR_VMX_EPT_INVEPT_SINGLE_CONTEXT | MSR_VMX_EPT_INVEPT_ALL_CONTEXT |
	  MSR_VMX_EPT_AD_BITS | MSR_VMX_EPT_INVVPID |
	  MSR_VMX_EPT_INVVPID_SINGLE_ADDR |
	  MSR_VMX_EPT_INVVPID_SINGLE_CONTEXT |
	  MSR_VMX_EPT_INVVPID_ALL_CONTEXT |
	  MSR_VMX_EPT_INVVPID_SINGLE_CONTEXT_NOGLOBALS },
	{ MSR_IA32_VMX_TRUE_PINBASED_CTLS, CONTROLS(PIN_MUST, PIN_MAY) },
	{ MSR_IA32_VMX_TRUE_PROCBASED_CTLS, CONTROLS(PROC_MUST, PROC_MAY) },
	{ MSR_IA32_VMX_TRUE_EXIT_CTLS, CONTROLS(EXIT_MUST, EXIT_MAY) },
	{ MSR_IA32_VMX_TRUE_ENTRY_CTLS, CONTROLS(ENTRY_MUST, ENTRY_MAY) },
	{ MSR_IA32_VMX_VMFUNC, 0 },
	{ MSR_VMX_PROCBASED_CTLS3, 0 },
	{ MSR_TME_CAPABILITY, TME_AES_XTS_128 | TME_KEYID_BITS | TME_MAX_KEYS },
	{ MSR_TME_ACTIVATE, TME_LOCKED | TME_ENABLED | TME_KEYID_BITS |
	  TME_AES_XTS_128_USED },
	{ MSR_MTRRcap, MTRRCAP },
};

/* What depends on the profile, or is computed. */
static uint64_t more_bits(const struct tdx_profile *profile, uint32_t msr)
{
	switch (msr) {
	case MSR_KEYID_PARTITIONING:
		return (uint64_t)profile->num_tdx_keyids << 32;
	case MSR_IA32_ARCH_CAPABILITIES:
		return host_arch_capabilities();
	case MSR_IA32_VMX_EPT_VPID_CAP:
		return profile->ept_5_levels ? MSR_VMX_EPT_PAGE_WALK_LENGTH_5 :
					       0;
	}
	return 0;
}

bool host_tdx_msr(const struct tdx_profile *profile, uint32_t msr,
		  uint64_t *value)
{
	for (int i = 0; i < ARRAY_SIZE(host_msrs); i++) {
		if (host_msrs[i].msr == msr) {
			*value = host_msrs[i].value | more_bits(profile, msr);
			return true;
		}
	}
	return false;
}

/* There is no SMRAM. */
bool seam_msr(uint32_t msr, uint64_t *value)
{
	*value = msr == TDX_MSR_SMRR_PHYSMASK ? SMRR_LOCKED : 0;
	return msr == TDX_MSR_SMRR_PHYSBASE || msr == TDX_MSR_SMRR_PHYSMASK;
}

/*
 * It counts virtual time, at the frequency that CPUID gives: QEMU's own TSC is
 * that of the machine below, whose frequency the host would have to measure.
 */
uint64_t host_tsc(void)
{
	return muldiv64(schedule_clock(), tdx_profile()->tsc_num, tdx_profile()->tsc_den);
}
