// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID features of a TD that KVM depends on.
 *
 * The TDX module decides on most of a TD's CPUID: KVM doesn't check it and can't
 * change it.  So this test checks on KVM's behalf that a TD has the features that
 * KVM takes for granted, that it has none that KVM can't support, and that each
 * feature comes with its MSRs.
 */
#include "apic.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_cpuid.h"

/* Missing in the tools' and the lib's headers. */
#define X86_FEATURE_DTES64		KVM_X86_CPU_FEATURE(0x1, 0, ECX, 2)
#define X86_FEATURE_DS_CPL		KVM_X86_CPU_FEATURE(0x1, 0, ECX, 4)
#define X86_FEATURE_AVX			KVM_X86_CPU_FEATURE(0x1, 0, ECX, 28)
#define X86_FEATURE_VME			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 1)
#define X86_FEATURE_MTRR		KVM_X86_CPU_FEATURE(0x1, 0, EDX, 12)
#define X86_FEATURE_MCA			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 14)
#define X86_FEATURE_PAT			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 16)
#define X86_FEATURE_DS			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 21)
#define X86_FEATURE_FDP_EXCPTN_ONLY	KVM_X86_CPU_FEATURE(0x7, 0, EBX, 6)
#define X86_FEATURE_ZERO_FCS_FDS	KVM_X86_CPU_FEATURE(0x7, 0, EBX, 13)
#define X86_FEATURE_AVX512F		KVM_X86_CPU_FEATURE(0x7, 0, EBX, 16)
#define X86_FEATURE_INTEL_PT		KVM_X86_CPU_FEATURE(0x7, 0, EBX, 25)
#define X86_FEATURE_KEYLOCKER		KVM_X86_CPU_FEATURE(0x7, 0, ECX, 23)
#define X86_FEATURE_BUS_LOCK_DETECT	KVM_X86_CPU_FEATURE(0x7, 0, ECX, 24)
#define X86_FEATURE_ENQCMD		KVM_X86_CPU_FEATURE(0x7, 0, ECX, 29)
#define X86_FEATURE_UINTR		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 5)
#define X86_FEATURE_MD_CLEAR		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 10)
#define X86_FEATURE_ARCH_LBR		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 19)
#define X86_FEATURE_STIBP		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 27)
#define X86_FEATURE_FLUSH_L1D		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 28)
#define X86_FEATURE_CORE_CAPABILITIES	KVM_X86_CPU_FEATURE(0x7, 0, EDX, 30)
#define X86_FEATURE_SSBD		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 31)
#define X86_FEATURE_PSFD		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 0)
#define X86_FEATURE_IPRED_CTRL		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 1)
#define X86_FEATURE_RRSBA_CTRL		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 2)
#define X86_FEATURE_BHI_CTRL		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 4)
#define X86_FEATURE_SYSCALL		KVM_X86_CPU_FEATURE(0x80000001, 0, EDX, 11)

#define XFEATURE_MASK_UINTR		BIT_ULL(14)

/*
 * What KVM_TDX_GET_CPUID reports of two TDs with every CPUID bit that KVM
 * supports, one with the least XFAM and one with the most.  Created once for all
 * cases, which run in processes of their own.
 */
static struct {
	u64 xfam;
	struct kvm_cpuid2 *cpuid;
} tds[2];

static struct kvm_cpuid2 *cpuid_of_new_td(struct kvm_tdx_init_vm *init)
{
	struct kvm_vm *vm = tdx_create_without_memory(init);
	struct kvm_cpuid2 *cpuid = tdx_get_cpuid(__vm_vcpu_add(vm, 0));

	kvm_vm_free(vm);
	return cpuid;
}

static void create_tds(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);

	tds[1].xfam = caps->supported_xfam;
	for (int i = 0; i < ARRAY_SIZE(tds); i++) {
		init->xfam = tds[i].xfam;
		tds[i].cpuid = cpuid_of_new_td(init);
	}
	free(init);
	free(caps);
	kvm_vm_free(vm);
}

/*
 * Both TDs have @feature if @value is true, or don't have it otherwise; but with
 * all of @state in XFAM a TD may have it in any case.
 */
static void assert_feature(struct kvm_x86_cpu_feature feature, bool value,
			   u64 state)
{
	for (int i = 0; i < ARRAY_SIZE(tds); i++) {
		bool has = kvm_cpuid_has(tds[i].cpuid, feature);

		TEST_ASSERT(has == value ||
			    (state && (tds[i].xfam & state) == state),
			    "CPUID 0x%x.%u %s[%u] is %d, with XFAM 0x%lx",
			    feature.function, feature.index,
			    cpuid_reg_names[feature.reg], feature.bit, has,
			    (unsigned long)tds[i].xfam);
	}
}

#define FEATURE(name, _feature, value, state)				\
TEST_F(feature, name)							\
{									\
	assert_feature(_feature, value, state);				\
}

FIXTURE(feature) { };
FIXTURE_SETUP(feature) { }
FIXTURE_TEARDOWN(feature) { }

/* The only APIC that KVM supports for a TD; KVM_TDX_INIT_VCPU enables it. */
FEATURE(x2apic_is_1, X86_FEATURE_X2APIC, 1, 0)
/* KVM emulates the local APIC's timer, IPIs and LVT. */
FEATURE(apic_is_1, X86_FEATURE_APIC, 1, 0)
/* Without it a guest doesn't look for KVM's CPUID leaves. */
FEATURE(hypervisor_is_1, X86_FEATURE_HYPERVISOR, 1, 0)
/* KVM assumes that EFER has LME, NXE and SCE from the start. */
FEATURE(lm_is_1, X86_FEATURE_LM, 1, 0)
FEATURE(nx_is_1, X86_FEATURE_NX, 1, 0)
/* KVM restores the host's XSAVE state according to XFAM. */
FEATURE(xsave_is_1, X86_FEATURE_XSAVE, 1, 0)
/* KVM's timers assume that the TSC's rate is constant. */
FEATURE(invariant_tsc_is_1, X86_FEATURE_INVTSC, 1, 0)
/* KVM emulates the MSRs of machine checks in any case. */
FEATURE(mce_is_1, X86_FEATURE_MCE, 1, 0)
FEATURE(mca_is_1, X86_FEATURE_MCA, 1, 0)

/* KVM doesn't restore the host's TSX_CTRL. */
FEATURE(hle_is_0, X86_FEATURE_HLE, 0, 0)
FEATURE(rtm_is_0, X86_FEATURE_RTM, 0, 0)
/* KVM doesn't restore the host's UMWAIT_CONTROL. */
FEATURE(waitpkg_is_0, X86_FEATURE_WAITPKG, 0, 0)
/* KVM can't adjust a TD's TSC and refuses the MSR. */
FEATURE(tsc_adjust_is_0, X86_FEATURE_TSC_ADJUST, 0, 0)
/* KVM supports neither nesting, SMM, SGX nor PASIDs in a TD. */
FEATURE(vmx_is_0, X86_FEATURE_VMX, 0, 0)
FEATURE(smx_is_0, X86_FEATURE_SMX, 0, 0)
FEATURE(sgx_is_0, X86_FEATURE_SGX, 0, 0)
FEATURE(sgx_lc_is_0, X86_FEATURE_SGX_LC, 0, 0)
FEATURE(enqcmd_is_0, X86_FEATURE_ENQCMD, 0, 0)
/* Only with KVM_CAP_X86_DISABLE_EXITS may a guest execute MWAIT. */
FEATURE(mwait_is_0, X86_FEATURE_MWAIT, 0, 0)
/* KVM refuses the attributes for these, as it doesn't switch their state. */
FEATURE(pks_is_0, X86_FEATURE_PKS, 0, 0)
FEATURE(key_locker_is_0, X86_FEATURE_KEYLOCKER, 0, 0)
/* KVM restores the host's state for these only if they are in XFAM. */
FEATURE(avx_follows_xfam, X86_FEATURE_AVX, 0, XFEATURE_MASK_YMM)
FEATURE(avx512_follows_xfam, X86_FEATURE_AVX512F, 0, XFEATURE_MASK_AVX512)
FEATURE(pku_follows_xfam, X86_FEATURE_PKU, 0, XFEATURE_MASK_PKRU)
FEATURE(pt_follows_xfam, X86_FEATURE_INTEL_PT, 0, XFEATURE_MASK_PT)
FEATURE(shstk_follows_xfam, X86_FEATURE_SHSTK, 0, XFEATURE_MASK_CET_USER)
FEATURE(ibt_follows_xfam, X86_FEATURE_IBT, 0, XFEATURE_MASK_CET_USER)
FEATURE(uintr_follows_xfam, X86_FEATURE_UINTR, 0, XFEATURE_MASK_UINTR)
FEATURE(lbr_follows_xfam, X86_FEATURE_ARCH_LBR, 0, XFEATURE_MASK_LBR)
FEATURE(amx_follows_xfam, X86_FEATURE_AMX_TILE, 0, XFEATURE_MASK_XTILE)
FEATURE(xfd_follows_xfam, X86_FEATURE_XFD, 0, XFEATURE_MASK_XTILE_DATA)

/* Registers whose bits are features rather than numbers. */
static const struct {
	u32 leaf, subleaf;
	u8 reg;
} feature_words[] = {
	{ 0x1, 0, KVM_CPUID_ECX }, { 0x1, 0, KVM_CPUID_EDX },
	{ 0x7, 0, KVM_CPUID_EBX }, { 0x7, 0, KVM_CPUID_ECX },
	{ 0x7, 0, KVM_CPUID_EDX }, { 0x7, 1, KVM_CPUID_EAX },
	{ 0x7, 1, KVM_CPUID_EBX }, { 0x7, 1, KVM_CPUID_ECX },
	{ 0x7, 1, KVM_CPUID_EDX }, { 0x7, 2, KVM_CPUID_EDX },
	{ 0xd, 0, KVM_CPUID_EAX }, { 0xd, 0, KVM_CPUID_EDX },
	{ 0xd, 1, KVM_CPUID_EAX }, { 0xd, 1, KVM_CPUID_ECX },
	{ 0xd, 1, KVM_CPUID_EDX }, { 0x19, 0, KVM_CPUID_EBX },
	{ 0x80000001, 0, KVM_CPUID_ECX }, { 0x80000001, 0, KVM_CPUID_EDX },
	{ 0x80000007, 0, KVM_CPUID_EDX }, { 0x80000008, 0, KVM_CPUID_EBX },
};

/*
 * Features that a TD has even if nobody configured them, and even where they are
 * not in KVM_GET_SUPPORTED_CPUID because the host seems to lack them, and why
 * that does no harm.  If the module forces another one, somebody has to find out
 * whether the host loses state by it or the guest depends on KVM.
 */
static bool is_harmless(u32 leaf, u32 subleaf, u8 reg, int bit)
{
	const struct kvm_x86_cpu_feature harmless[] = {
		/* They concern nothing but the guest's own CR4 and FPU. */
		X86_FEATURE_VME, X86_FEATURE_FDP_EXCPTN_ONLY,
		X86_FEATURE_ZERO_FCS_FDS, X86_FEATURE_PCID, X86_FEATURE_INVPCID,
		/* The module switches DEBUGCTL, and KVM handles the exit. */
		X86_FEATURE_BUS_LOCK_DETECT,
		/* The module switches SPEC_CTRL, and commands have no state. */
		X86_FEATURE_SPEC_CTRL, X86_FEATURE_MD_CLEAR, X86_FEATURE_STIBP,
		X86_FEATURE_FLUSH_L1D, X86_FEATURE_SSBD, X86_FEATURE_PSFD,
		X86_FEATURE_IPRED_CTRL, X86_FEATURE_RRSBA_CTRL,
		X86_FEATURE_BHI_CTRL,
		/* A TD has its own DS_AREA; BTS and PEBS are unavailable. */
		X86_FEATURE_DS, X86_FEATURE_DTES64, X86_FEATURE_DS_CPL,
		/* The module's PERF_CAPABILITIES are 0 without PERFMON. */
		X86_FEATURE_PDCM,
		/* See guest.core_capabilities_has_its_msr. */
		X86_FEATURE_CORE_CAPABILITIES,
	};

	for (int i = 0; i < ARRAY_SIZE(harmless); i++) {
		struct kvm_x86_cpu_feature f = harmless[i];

		if (f.function == leaf && f.index == subleaf && f.reg == reg &&
		    f.bit == bit)
			return true;
	}
	return false;
}

/* The CPUID of a TD for which nothing but the width of GPAs was configured. */
static struct kvm_cpuid2 *forced_cpuid(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	struct kvm_cpuid2 *cpuid;

	init->xfam = 0;
	init->attributes = 0;
	init->cpuid.nent = 1;
	init->cpuid.entries[0] = (struct kvm_cpuid_entry2) {
		.function = 0x80000008,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	};
	tdx_set_gpa_width(init, 48);
	cpuid = cpuid_of_new_td(init);
	free(init);
	kvm_vm_free(vm);
	return cpuid;
}

TEST_F(feature, no_other_feature_is_forced)
{
	struct kvm_cpuid2 *supported = (void *)kvm_get_supported_cpuid();
	struct kvm_cpuid2 *forced = forced_cpuid();
	int bad = 0;

	for (int i = 0; i < ARRAY_SIZE(feature_words); i++) {
		u32 leaf = feature_words[i].leaf, subleaf = feature_words[i].subleaf;
		u8 reg = feature_words[i].reg;
		struct kvm_cpuid_entry2 *has = find_cpuid_entry(forced, leaf, subleaf);
		struct kvm_cpuid_entry2 *can = find_cpuid_entry(supported, leaf, subleaf);
		u32 unknown;

		if (!has)
			continue;
		unknown = cpuid_entry_regs(has)[reg] &
			  ~(can ? cpuid_entry_regs(can)[reg] : 0);
		for (int bit = 0; bit < 32; bit++) {
			if (!(unknown & BIT(bit)) ||
			    is_harmless(leaf, subleaf, reg, bit))
				continue;
			ksft_print_msg("CPUID 0x%x.%u %s[%d] is always 1, and KVM doesn't support it\n",
				       leaf, subleaf, cpuid_reg_names[reg], bit);
			bad++;
		}
	}
	TEST_ASSERT(!bad, "%d features are always 1 that KVM doesn't support", bad);
	free(forced);
}

/* The same in a TD with the lib's default parameters, seen by its guest. */
FIXTURE(guest) {
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_SETUP(guest)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
	tdx_guest_init(&self->guest, self->vcpu);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(guest)
{
	kvm_vm_free(self->vm);
}

static bool guest_has(struct tdx_guest *guest, struct kvm_x86_cpu_feature f)
{
	u32 reg[NR_CPUID_REGS];

	TEST_ASSERT_EQ(tdx_guest_cpuid(guest, f.function, f.index, reg), 0);
	return reg[f.reg] & BIT(f.bit);
}

TEST_F(guest, sees_what_kvm_depends_on)
{
	const struct kvm_x86_cpu_feature always_1[] = {
		X86_FEATURE_X2APIC, X86_FEATURE_APIC, X86_FEATURE_HYPERVISOR,
		X86_FEATURE_LM, X86_FEATURE_NX, X86_FEATURE_SYSCALL,
		X86_FEATURE_XSAVE, X86_FEATURE_INVTSC, X86_FEATURE_MCE,
		X86_FEATURE_MCA,
	};
	const struct kvm_x86_cpu_feature always_0[] = {
		X86_FEATURE_HLE, X86_FEATURE_RTM, X86_FEATURE_WAITPKG,
		X86_FEATURE_TSC_ADJUST, X86_FEATURE_VMX, X86_FEATURE_SMX,
		X86_FEATURE_SGX, X86_FEATURE_MWAIT, X86_FEATURE_PKS,
		/* The default XFAM doesn't have their state. */
		X86_FEATURE_PKU, X86_FEATURE_AVX, X86_FEATURE_SHSTK,
		X86_FEATURE_INTEL_PT, X86_FEATURE_ARCH_LBR, X86_FEATURE_UINTR,
		X86_FEATURE_AMX_TILE, X86_FEATURE_XFD,
	};

	for (int i = 0; i < ARRAY_SIZE(always_1); i++)
		TEST_ASSERT(guest_has(&self->guest, always_1[i]),
			    "CPUID 0x%x.%u %s[%u] is 0", always_1[i].function,
			    always_1[i].index, cpuid_reg_names[always_1[i].reg],
			    always_1[i].bit);
	for (int i = 0; i < ARRAY_SIZE(always_0); i++)
		TEST_ASSERT(!guest_has(&self->guest, always_0[i]),
			    "CPUID 0x%x.%u %s[%u] is 1", always_0[i].function,
			    always_0[i].index, cpuid_reg_names[always_0[i].reg],
			    always_0[i].bit);
}

/* If RDMSR of a feature's MSR ends in #VE, KVM has to emulate the MSR. */
TEST_F(guest, features_have_their_msrs)
{
	const struct {
		struct kvm_x86_cpu_feature feature;
		u32 msr;
	} rows[] = {
		{ X86_FEATURE_APIC, MSR_IA32_APICBASE },
		{ X86_FEATURE_X2APIC, APIC_BASE_MSR + (APIC_ID >> 4) },
		{ X86_FEATURE_X2APIC, APIC_BASE_MSR + (APIC_LVR >> 4) },
		{ X86_FEATURE_TSC_DEADLINE_TIMER, MSR_IA32_TSC_DEADLINE },
		{ X86_FEATURE_MCE, MSR_IA32_MCG_CAP },
		{ X86_FEATURE_MCA, MSR_IA32_MCG_STATUS },
		{ X86_FEATURE_MCA, MSR_IA32_MC0_STATUS },
		{ X86_FEATURE_MTRR, MSR_MTRRcap },
		{ X86_FEATURE_MTRR, MSR_MTRRdefType },
		{ X86_FEATURE_PAT, MSR_IA32_CR_PAT },
		{ X86_FEATURE_LM, MSR_EFER },
		{ X86_FEATURE_SYSCALL, MSR_LSTAR },
		{ X86_FEATURE_RDTSCP, MSR_TSC_AUX },
		{ X86_FEATURE_XSAVES, MSR_IA32_XSS },
		{ X86_FEATURE_XFD, MSR_IA32_XFD },
		{ X86_FEATURE_SPEC_CTRL, MSR_IA32_SPEC_CTRL },
		{ X86_FEATURE_ARCH_CAPABILITIES, MSR_IA32_ARCH_CAPABILITIES },
		{ X86_FEATURE_PDCM, MSR_IA32_PERF_CAPABILITIES },
		{ X86_FEATURE_SHSTK, MSR_IA32_S_CET },
		{ X86_FEATURE_TSC_ADJUST, MSR_IA32_TSC_ADJUST },
	};
	struct tdx_guest *guest = &self->guest;
	u64 val;
	u8 vector;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!guest_has(guest, rows[i].feature))
			continue;
		vector = tdx_guest_native_rdmsr(guest, rows[i].msr, &val);
		TEST_ASSERT(!vector || (vector == VE_VECTOR &&
			    !tdx_guest_rdmsr(guest, rows[i].msr, &val)),
			    "The guest can't read MSR 0x%x, vector %d",
			    rows[i].msr, vector);
	}
}

TEST_F(guest, core_capabilities_has_its_msr)
{
	struct tdx_guest *guest = &self->guest;
	u64 val;

	if (!guest_has(guest, X86_FEATURE_CORE_CAPABILITIES))
		SKIP(return, "the TD doesn't have CORE_CAPABILITIES");
	if (tdx_guest_native_rdmsr(guest, MSR_IA32_CORE_CAPS, &val) == VE_VECTOR &&
	    tdx_guest_rdmsr(guest, MSR_IA32_CORE_CAPS, &val) ==
	    TDVMCALL_STATUS_INVALID_OPERAND)
		XFAIL(return, "a TD has CORE_CAPABILITIES, but KVM doesn't emulate its MSR");
	TEST_ASSERT(!guest->req->vector && !guest->req->status,
		    "The guest can't read MSR_IA32_CORE_CAPS");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	create_tds();

	return test_harness_run(argc, argv);
}
