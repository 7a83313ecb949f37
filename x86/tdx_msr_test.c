// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<RDMSR> and TDVMCALL<WRMSR>: the MSRs that KVM emulates for a TD.
 *
 * A guest may ask KVM for any MSR, no matter whether RDMSR and WRMSR would
 * succeed or end in #VE or #GP.  KVM doesn't know which, so it answers from a
 * list of its own.  An MSR on that list has to behave as in any other VM, with
 * all of its 64 bits, and has to be the same register that KVM_GET_MSRS and
 * KVM_SET_MSRS access.  All others have to fail for the guest and for the host.
 *
 * The x2APIC's MSRs have a test of their own, tdx_msr_x2apic_test.
 */
#include "hyperv.h"
#include "mce.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"

#define MTRR_CAP_VCNT		0xff		/* number of variable ranges */
#define MTRR_PHYS_MASK_VALID	BIT_ULL(11)
#define MTRR_DEF_TYPE_FIXED	BIT_ULL(10)	/* fixed ranges are enabled */
#define MTRR_DEF_TYPE_ENABLE	BIT_ULL(11)
#define MCG_EXT_CTL_LMCE_EN	BIT_ULL(0)
#define MCI_CTL2_CMCI_EN	BIT_ULL(30)
#define MCI_CTL2_THRESHOLD	0x7fff

TDX_MSR_SUITE(msr);

/*
 * MSRs that store what guest and host write.  A row is the MSR, two values that
 * KVM accepts, and values that KVM rejects, with the reason.
 */
struct stored_msr {
	u32 msr;
	u64 good[2];
	struct {
		u64 val;
		const char *why;
	} bad[3];
};

/* Eight memory types, of which 2, 3 and 7 don't exist for MTRRs. */
#define FIXED_RANGE(msr)						\
	{ msr, { 0x0001040506000104, 0x0606060606060606 }, {		\
		{ 0x0206060606060606, "type 2 for the last range" },	\
		{ 0x0606060606060607, "type 7 for the first range" } } }

static const struct stored_msr stored[] = {
	{ MSR_IA32_POWER_CTL, { MSR_TEST_VALUE, ~MSR_TEST_VALUE } },

	{ MSR_IA32_MCG_STATUS, { MSR_TEST_VALUE, ~MSR_TEST_VALUE } },

	{ MSR_KVM_POLL_CONTROL, { 0, 1 }, {
		{ BIT_ULL(1), "bit 1 is reserved" },
		{ BIT_ULL(32), "bit 32 is reserved" } } },

	{ MSR_IA32_CR_PAT, { 0x0706050401000706, 0x0007040600070406 }, {
		{ 0x0007040600070402, "type 2 in the first entry" },
		{ 0x0307040600070406, "type 3 in the last entry" } } },

	{ MSR_MTRRdefType,
		{ MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_FIXED | 6, MTRR_DEF_TYPE_ENABLE }, {
		{ MTRR_DEF_TYPE_ENABLE | MTRR_DEF_TYPE_FIXED | 2, "there is no type 2" },
		{ BIT_ULL(8), "bit 8 is reserved" },
		{ BIT_ULL(32) | 6, "bit 32 is reserved" } } },

	FIXED_RANGE(MSR_MTRRfix64K_00000),
	FIXED_RANGE(MSR_MTRRfix16K_80000),
	FIXED_RANGE(MSR_MTRRfix16K_A0000),
	FIXED_RANGE(MSR_MTRRfix4K_C0000),
	FIXED_RANGE(MSR_MTRRfix4K_C8000),
	FIXED_RANGE(MSR_MTRRfix4K_D0000),
	FIXED_RANGE(MSR_MTRRfix4K_D8000),
	FIXED_RANGE(MSR_MTRRfix4K_E0000),
	FIXED_RANGE(MSR_MTRRfix4K_E8000),
	FIXED_RANGE(MSR_MTRRfix4K_F0000),
	FIXED_RANGE(MSR_MTRRfix4K_F8000),

	/* There are more variable ranges; see msr.mtrr_variable. */
	{ MTRR_PHYS_BASE(0), { 0xfedcba006, 0x123450000 }, {
		{ 2, "there is no type 2" },
		{ BIT_ULL(8) | 6, "bit 8 is reserved" },
		{ BIT_ULL(63) | 6, "wider than a physical address" } } },

	{ MTRR_PHYS_MASK(0),
		{ 0xffffff000 | MTRR_PHYS_MASK_VALID, 0x800000000 | MTRR_PHYS_MASK_VALID }, {
		{ BIT_ULL(10), "bit 10 is reserved" },
		{ BIT_ULL(63) | MTRR_PHYS_MASK_VALID, "wider than a physical address" } } },
};

TEST_F(msr, values_are_stored)
{
	struct tdx_guest *guest = &self->td.guest;

	for (int i = 0; i < ARRAY_SIZE(stored); i++) {
		const struct stored_msr *row = &stored[i];

		assert_msr_stores(guest, row->msr, row->good[0], row->good[1]);
		for (int j = 0; j < ARRAY_SIZE(row->bad) && row->bad[j].why; j++)
			assert_msr_rejects(guest, row->msr, row->bad[j].val,
					   row->bad[j].why);
	}
}

TEST_F(msr, index_has_32_bits)
{
	struct tdx_guest *guest = &self->td.guest;
	const u64 index = 0xabcdull << 32 | MSR_IA32_POWER_CTL;
	u64 val;

	/* As for the instructions, which take it from ECX. */
	TEST_ASSERT_EQ(tdx_guest_wrmsr(guest, index, MSR_TEST_VALUE),
		       TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(tdx_guest_rdmsr(guest, index, &val),
		       TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(val, MSR_TEST_VALUE);
	assert_msr_is(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE);
}

TEST_F(msr, poll_control_needs_its_cpuid_bit)
{
	/* The TD's CPUID doesn't have KVM's own leaves. */
	vcpu_enable_cap(self->td.vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
	assert_guest_has_no_msr(&self->td.guest, MSR_KVM_POLL_CONTROL);
}

static void assert_mtrr_cap_is_read_only(struct tdx_guest *guest)
{
	u64 cap = guest_read_msr(guest, MSR_MTRRcap);

	assert_msr_is(guest, MSR_MTRRcap, cap);
	assert_guest_cannot_change(guest, MSR_MTRRcap, 0);
	assert_guest_cannot_change(guest, MSR_MTRRcap, cap);
}

TEST_F(msr, mtrr_variable)
{
	struct tdx_guest *guest = &self->td.guest;
	int i, nr = guest_read_msr(guest, MSR_MTRRcap) & MTRR_CAP_VCNT;

	assert_mtrr_cap_is_read_only(guest);
	TEST_ASSERT(nr, "MTRRcap says that there are no variable MTRRs");
	for (i = 0; i < nr; i++) {
		assert_msr_stores(guest, MTRR_PHYS_BASE(i), 0xfedcba006,
				  0x123450000 + (i << 12));
		assert_msr_stores(guest, MTRR_PHYS_MASK(i), 0xffffff800,
				  0x800000800 + (i << 12));
	}

	/* No two of them are the same register. */
	for (i = 0; i < nr; i++) {
		assert_msr_is(guest, MTRR_PHYS_BASE(i), 0x123450000 + (i << 12));
		assert_msr_is(guest, MTRR_PHYS_MASK(i), 0x800000800 + (i << 12));
	}

	assert_guest_has_no_msr(guest, MTRR_PHYS_BASE(nr));
	assert_guest_has_no_msr(guest, MTRR_PHYS_MASK(nr));
}

TEST_F(msr, gaps_between_mtrrs)
{
	/* KVM's list has ranges that include these, which don't exist. */
	static const u32 gaps[] = {
		0x220, 0x24f,			/* before MTRRfix64K_00000 */
		0x251, 0x257,			/* before MTRRfix16K_80000 */
		MSR_MTRRfix16K_A0000 + 1,
		MSR_MTRRfix4K_C0000 - 1,
	};

	for (int i = 0; i < ARRAY_SIZE(gaps); i++)
		assert_guest_has_no_msr(&self->td.guest, gaps[i]);
}

TEST_F(msr, misc_enable)
{
	const u64 pmu = MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
	struct tdx_guest *guest = &self->td.guest;
	u64 val = guest_read_msr(guest, MSR_IA32_MISC_ENABLE);
	u64 other = val ^ (MSR_IA32_MISC_ENABLE_FAST_STRING |
			   MSR_IA32_MISC_ENABLE_XD_DISABLE);

	assert_msr_stores(guest, MSR_IA32_MISC_ENABLE, other, val);

	/* KVM emulates no PMU for a TD, so BTS and PEBS stay unavailable. */
	TEST_ASSERT_EQ(val & pmu, pmu);
	assert_guest_cannot_change(guest, MSR_IA32_MISC_ENABLE,
				   val & ~MSR_IA32_MISC_ENABLE_BTS_UNAVAIL);
	assert_guest_cannot_change(guest, MSR_IA32_MISC_ENABLE,
				   val & ~MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL);

	/* KVM ignores the guest's writes to EMON, but not the host's. */
	guest_write_msr(guest, MSR_IA32_MISC_ENABLE,
			val ^ MSR_IA32_MISC_ENABLE_EMON);
	assert_msr_is(guest, MSR_IA32_MISC_ENABLE, val);
	assert_host_writes(guest, MSR_IA32_MISC_ENABLE,
			   val ^ MSR_IA32_MISC_ENABLE_EMON);
	assert_msr_is(guest, MSR_IA32_MISC_ENABLE,
		      val ^ MSR_IA32_MISC_ENABLE_EMON);
}

/*
 * Feature MSRs are part of the vCPU's model: the guest can't write them, and the
 * host can change them only before the vCPU has run.
 */
static void assert_is_feature_msr(struct tdx_guest *guest, u32 msr)
{
	assert_host_writes(guest, msr, MSR_TEST_VALUE);
	assert_msr_is(guest, msr, MSR_TEST_VALUE);
	assert_guest_cannot_change(guest, msr, MSR_TEST_VALUE);
	assert_host_write_fails(guest, msr, ~MSR_TEST_VALUE);
	assert_host_writes(guest, msr, MSR_TEST_VALUE);
	assert_msr_is(guest, msr, MSR_TEST_VALUE);
}

static void assert_platform_info_can_be_hidden(struct tdx_guest *guest)
{
	u64 val = guest_read_msr(guest, MSR_PLATFORM_INFO);

	vm_enable_cap(guest->vcpu->vm, KVM_CAP_MSR_PLATFORM_INFO, 0);
	assert_guest_read_fails(guest, MSR_PLATFORM_INFO);
	assert_host_reads(guest, MSR_PLATFORM_INFO, val);

	vm_enable_cap(guest->vcpu->vm, KVM_CAP_MSR_PLATFORM_INFO, 1);
	assert_msr_is(guest, MSR_PLATFORM_INFO, val);
}

static void assert_ucode_rev_ignores_guest(struct tdx_guest *guest)
{
	assert_host_writes(guest, MSR_IA32_UCODE_REV, MSR_TEST_VALUE);
	assert_msr_is(guest, MSR_IA32_UCODE_REV, MSR_TEST_VALUE);
	guest_write_msr(guest, MSR_IA32_UCODE_REV, ~MSR_TEST_VALUE);
	assert_msr_is(guest, MSR_IA32_UCODE_REV, MSR_TEST_VALUE);
}

TEST_F(msr, platform_info_and_microcode_are_set_by_host)
{
	assert_is_feature_msr(&self->td.guest, MSR_PLATFORM_INFO);
	assert_platform_info_can_be_hidden(&self->td.guest);
	assert_ucode_rev_ignores_guest(&self->td.guest);
}

TEST_F(msr, arch_capabilities_is_set_by_host)
{
	if (!vcpu_cpuid_has(self->td.vcpu, X86_FEATURE_ARCH_CAPABILITIES))
		SKIP(return, "the TDX module doesn't have ARCH_CAPABILITIES");

	assert_is_feature_msr(&self->td.guest, MSR_IA32_ARCH_CAPABILITIES);
}

TEST_F(msr, misc_features_enables_without_cpuid_faulting)
{
	struct tdx_guest *guest = &self->td.guest;

	assert_host_writes(guest, MSR_PLATFORM_INFO, 0);
	assert_msr_rejects(guest, MSR_MISC_FEATURES_ENABLES,
			   MSR_MISC_FEATURES_ENABLES_CPUID_FAULT,
			   "PLATFORM_INFO doesn't offer CPUID faulting");
	assert_msr_stores(guest, MSR_MISC_FEATURES_ENABLES, 0, 0);
}

TEST_F(msr, misc_features_enables_with_cpuid_faulting)
{
	struct tdx_guest *guest = &self->td.guest;

	assert_host_writes(guest, MSR_PLATFORM_INFO, MSR_PLATFORM_INFO_CPUID_FAULT);
	assert_msr_stores(guest, MSR_MISC_FEATURES_ENABLES,
			  MSR_MISC_FEATURES_ENABLES_CPUID_FAULT, 0);
	assert_msr_rejects(guest, MSR_MISC_FEATURES_ENABLES, BIT_ULL(1),
			   "bit 1 is reserved");
	assert_msr_rejects(guest, MSR_MISC_FEATURES_ENABLES, BIT_ULL(63),
			   "bit 63 is reserved");
}

/* The TDX module emulates a TD's CPUID, so KVM can't make it fault. */
TEST_F(msr, cpuid_faulting_is_not_promised)
{
	struct tdx_guest *guest = &self->td.guest;
	u64 info = guest_read_msr(guest, MSR_PLATFORM_INFO);

	if (info & MSR_PLATFORM_INFO_CPUID_FAULT &&
	    !tdx_guest_wrmsr(guest, MSR_MISC_FEATURES_ENABLES,
			     MSR_MISC_FEATURES_ENABLES_CPUID_FAULT))
		XFAIL(return, "KVM offers CPUID faulting to a TD and lets it be enabled");

	TEST_ASSERT(!(info & MSR_PLATFORM_INFO_CPUID_FAULT),
		    "CPUID faulting is offered, but can't be enabled");
}

static void assert_apic_base_is_immutable(struct tdx_guest *guest)
{
	const u64 bits = MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD |
			 MSR_IA32_APICBASE_BSP;
	u64 val = guest_read_msr(guest, MSR_IA32_APICBASE);

	TEST_ASSERT((val & bits) == bits && GET_APIC_BASE(val) == APIC_DEFAULT_GPA,
		    "Expected the BSP in x2APIC mode, got 0x%lx", (unsigned long)val);
	assert_msr_is_immutable(guest, MSR_IA32_APICBASE);
}

static void assert_efer_is_immutable(struct tdx_guest *guest)
{
	u64 own;

	/* KVM's value is what RDMSR gives the guest. */
	TEST_ASSERT_EQ(tdx_guest_native_rdmsr(guest, MSR_EFER, &own), 0);
	assert_msr_is(guest, MSR_EFER, own);
	assert_msr_is_immutable(guest, MSR_EFER);
}

static void assert_feat_ctl_is_immutable(struct tdx_guest *guest)
{
	assert_msr_is(guest, MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED);
	assert_msr_is_immutable(guest, MSR_IA32_FEAT_CTL);
}

TEST_F(msr, apic_base_efer_and_feat_ctl_are_immutable)
{
	assert_apic_base_is_immutable(&self->td.guest);
	assert_efer_is_immutable(&self->td.guest);
	assert_feat_ctl_is_immutable(&self->td.guest);
}

/* Machine checks: MCG_CAP says which of the MSRs there are. */
TEST_F(msr, local_machine_check)
{
	struct tdx_guest *guest = &self->td.guest;
	u64 val;

	if (!(kvm_supported_mce_cap() & MCG_LMCE_P))
		SKIP(return, "this KVM has no local machine checks");

	/* Without LMCE in MCG_CAP only the host can access MCG_EXT_CTL. */
	assert_guest_has_no_msr(guest, MSR_IA32_MCG_EXT_CTL);
	TEST_ASSERT_EQ(tdx_host_get_msr(self->td.vcpu, MSR_IA32_MCG_EXT_CTL, &val), 1);

	vcpu_set_mce_cap(self->td.vcpu, MCG_LMCE_P | 4);
	assert_msr_is(guest, MSR_IA32_MCG_CAP, MCG_LMCE_P | 4);
	assert_msr_is(guest, MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED | FEAT_CTL_LMCE_ENABLED);
	assert_msr_is_immutable(guest, MSR_IA32_FEAT_CTL);
	assert_msr_stores(guest, MSR_IA32_MCG_EXT_CTL, MCG_EXT_CTL_LMCE_EN, 0);
	assert_msr_rejects(guest, MSR_IA32_MCG_EXT_CTL, BIT_ULL(1),
			   "bit 1 is reserved");
	assert_msr_rejects(guest, MSR_IA32_MCG_EXT_CTL, BIT_ULL(63),
			   "bit 63 is reserved");
}

static void assert_mca_bank(struct tdx_guest *guest, int i)
{
	assert_msr_stores(guest, MSR_IA32_MCx_CTL(i), 0, ~0ull);
	assert_msr_rejects(guest, MSR_IA32_MCx_CTL(i), MSR_TEST_VALUE,
			   "neither all zeroes nor all ones");
	assert_msr_stores(guest, MSR_IA32_MCx_ADDR(i), MSR_TEST_VALUE, ~MSR_TEST_VALUE);
	assert_msr_stores(guest, MSR_IA32_MCx_MISC(i), MSR_TEST_VALUE, ~MSR_TEST_VALUE);

	/* The guest can clear a status that the host set, and nothing else. */
	assert_host_writes(guest, MSR_IA32_MCx_STATUS(i), MSR_TEST_VALUE);
	assert_msr_is(guest, MSR_IA32_MCx_STATUS(i), MSR_TEST_VALUE);
	assert_guest_cannot_change(guest, MSR_IA32_MCx_STATUS(i), MSR_TEST_VALUE);
	guest_write_msr(guest, MSR_IA32_MCx_STATUS(i), 0);
	assert_msr_is(guest, MSR_IA32_MCx_STATUS(i), 0);
}

TEST_F(msr, mca_banks)
{
	struct tdx_guest *guest = &self->td.guest;
	int i, nr = guest_read_msr(guest, MSR_IA32_MCG_CAP) & MCG_CAP_BANKS_MASK;

	TEST_ASSERT(nr, "MCG_CAP says that there are no banks");
	assert_mca_bank(guest, 0);
	assert_mca_bank(guest, nr - 1);
	for (i = 0; i < nr; i++) {
		guest_write_msr(guest, MSR_IA32_MCx_ADDR(i), MSR_TEST_VALUE + i);
		guest_write_msr(guest, MSR_IA32_MCx_MISC(i), ~MSR_TEST_VALUE - i);
	}

	/* No two of them are the same register. */
	for (i = 0; i < nr; i++) {
		assert_msr_is(guest, MSR_IA32_MCx_ADDR(i), MSR_TEST_VALUE + i);
		assert_msr_is(guest, MSR_IA32_MCx_MISC(i), ~MSR_TEST_VALUE - i);
	}
}

static void assert_mcg_cap_is_set_by_user_space(struct tdx_guest *guest)
{
	u64 cap = kvm_supported_mce_cap() | 7;

	assert_msr_is(guest, MSR_IA32_MCG_CAP, guest_read_msr(guest, MSR_IA32_MCG_CAP));
	vcpu_set_mce_cap(guest->vcpu, cap);
	assert_msr_is(guest, MSR_IA32_MCG_CAP, cap);
	assert_guest_cannot_change(guest, MSR_IA32_MCG_CAP, cap);
}

static void assert_mcg_ctl_follows_mcg_cap(struct tdx_guest *guest)
{
	vcpu_set_mce_cap(guest->vcpu, 4);
	assert_guest_has_no_msr(guest, MSR_IA32_MCG_CTL);
	vcpu_set_mce_cap(guest->vcpu, MCG_CTL_P | 4);
	assert_msr_stores(guest, MSR_IA32_MCG_CTL, 0, ~0ull);
	assert_msr_rejects(guest, MSR_IA32_MCG_CTL, BIT_ULL(32),
			   "neither all zeroes nor all ones");
}

static void assert_nr_of_banks_follows_mcg_cap(struct tdx_guest *guest)
{
	vcpu_set_mce_cap(guest->vcpu, 3);
	assert_msr_stores(guest, MSR_IA32_MCx_MISC(2), MSR_TEST_VALUE, 0);
	assert_guest_has_no_msr(guest, MSR_IA32_MCx_CTL(3));
	assert_guest_has_no_msr(guest, MSR_IA32_MCx_MISC(3));
	assert_guest_has_no_msr(guest, MSR_IA32_MCx_MISC(31));
}

TEST_F(msr, mca_follows_mcg_cap)
{
	assert_mcg_cap_is_set_by_user_space(&self->td.guest);
	assert_mcg_ctl_follows_mcg_cap(&self->td.guest);
	assert_nr_of_banks_follows_mcg_cap(&self->td.guest);
}

TEST_F(msr, mca_ctl2_needs_cmci)
{
	struct tdx_guest *guest = &self->td.guest;

	if (!(kvm_supported_mce_cap() & MCG_CMCI_P))
		SKIP(return, "this KVM has no CMCI");

	vcpu_set_mce_cap(self->td.vcpu, 4);
	assert_guest_has_no_msr(guest, MSR_IA32_MCx_CTL2(0));

	vcpu_set_mce_cap(self->td.vcpu, MCG_CMCI_P | 4);
	for (int i = 0; i < 4; i++) {
		assert_msr_stores(guest, MSR_IA32_MCx_CTL2(i),
				  MCI_CTL2_CMCI_EN | MCI_CTL2_THRESHOLD, i);
		assert_msr_rejects(guest, MSR_IA32_MCx_CTL2(i), BIT_ULL(15),
				   "bit 15 is reserved");
		assert_msr_rejects(guest, MSR_IA32_MCx_CTL2(i), BIT_ULL(62),
				   "bit 62 is reserved");
	}
	assert_guest_has_no_msr(guest, MSR_IA32_MCx_CTL2(4));
	assert_guest_has_no_msr(guest, MSR_IA32_MCx_CTL2(31));
}

/*
 * As for any vCPU, the host may read an MSR that KVM lists as 0 and write 0 to it
 * although the vCPU does not have it.
 */
static void assert_nobody_has_msr(struct tdx_guest *guest, u32 msr)
{
	u64 val;

	assert_guest_has_no_msr(guest, msr);
	assert_host_write_fails(guest, msr, 4);
	if (kvm_msr_is_in_save_restore_list(msr)) {
		tdx_host_get_msr(guest->vcpu, msr, &val);
		TEST_ASSERT(!val, "KVM_GET_MSRS of 0x%x: expected nothing, got 0x%lx", msr,
			    (unsigned long)val);
		return;
	}
	assert_host_read_fails(guest, msr);
	assert_host_write_fails(guest, msr, 0);
}

TEST_F(msr, not_emulated)
{
	for (int i = 0; i < nr_tdx_msrs_not_emulated; i++)
		assert_nobody_has_msr(&self->td.guest, tdx_msrs_not_emulated[i]);
}

/* With these KVM accesses the guest's memory, or reports another guest's time. */
TEST_F(msr, paravirtual_msrs)
{
	static const u32 pv[] = {
		MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_KVM_WALL_CLOCK_NEW,
		MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_ASYNC_PF_EN, MSR_KVM_STEAL_TIME,
		MSR_KVM_PV_EOI_EN, MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_ACK,
		MSR_KVM_MIGRATION_CONTROL,
		HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL,
		HV_X64_MSR_VP_ASSIST_PAGE,
	};

	for (int i = 0; i < ARRAY_SIZE(pv); i++)
		assert_nobody_has_msr(&self->td.guest, pv[i]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
