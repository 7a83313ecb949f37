// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<RDMSR> and TDVMCALL<WRMSR> don't depend on which MSRs end in #VE.
 *
 * A guest that sets REDUCE_VE gets #GP instead of #VE for MSRs that KVM emulates,
 * unless it asks for #VE again, feature by feature, in FEATURE_PARAVIRT_CTRL.
 * KVM doesn't know about either, and has to answer as before.
 */
#include "mce.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"

/* All bits of FEATURE_PARAVIRT_CTRL, and the one for the TSC deadline. */
#define PARAVIRT_ALL		GENMASK_ULL(11, 0)
#define PARAVIRT_TSC_DEADLINE	BIT_ULL(11)

#define NO_REDUCE_VE		"the TDX module has no REDUCE_VE"
#define NO_PARAVIRT_CTRL	"the TDX module doesn't have all of FEATURE_PARAVIRT_CTRL"

/* Missing in the tools' headers. */
#define MSR_PLATFORM_DCA_CAP	0x1f8
#define MSR_CPU_DCA_CAP		0x1f9
#define MSR_DCA_0_CAP		0x1fa

/* By RDMSR, each ends in #VE or in #GP, depending on the guest's controls. */
static const u32 ve_or_gp[] = {
	MSR_IA32_TSC_DEADLINE,

	MSR_IA32_TME_CAPABILITY, MSR_IA32_TME_ACTIVATE,
	MSR_IA32_TME_EXCLUDE_MASK, MSR_IA32_TME_EXCLUDE_BASE,
	MSR_IA32_MKTME_KEYID_PARTITIONING,

	MSR_IA32_MCG_CAP, MSR_IA32_MCG_STATUS, MSR_IA32_MCG_CTL,
	MSR_IA32_MCG_EXT_CTL, MSR_IA32_MCx_CTL(0), MSR_IA32_MCx_STATUS(0),
	MSR_IA32_MCx_ADDR(0), MSR_IA32_MCx_MISC(0), MSR_IA32_MCx_CTL2(0),

	MSR_MTRRcap, MSR_MTRRdefType, MTRR_PHYS_BASE(0), MSR_MTRRfix64K_00000,

	MSR_IA32_CORE_CAPS, MSR_TEST_CTRL,

	MSR_IA32_PERF_STATUS, MSR_IA32_PERF_CTL, MSR_IA32_THERM_CONTROL,
	MSR_IA32_THERM_INTERRUPT, MSR_IA32_THERM_STATUS, MSR_THERM2_CTL,

	MSR_PLATFORM_DCA_CAP, MSR_CPU_DCA_CAP, MSR_DCA_0_CAP,

	MSR_IA32_QM_EVTSEL, MSR_IA32_QM_CTR, MSR_IA32_PQR_ASSOC,
	MSR_IA32_L3_CBM_BASE,

	MSR_IA32_FEAT_CTL, MSR_IA32_UCODE_REV, MSR_PLATFORM_INFO,
	MSR_MISC_FEATURES_ENABLES, MSR_IA32_MISC_ENABLE, MSR_IA32_POWER_CTL,
	MSR_UNKNOWN,
};

/* What KVM answers a guest that reads an MSR and writes the value back. */
struct answer {
	u64 read_status, val, write_status;
};

static struct answer access_msr(struct tdx_guest *guest, u32 msr)
{
	struct answer a = {};

	a.read_status = tdx_guest_rdmsr(guest, msr, &a.val);
	if (a.read_status)
		a.val = 0;
	a.write_status = tdx_guest_wrmsr(guest, msr, a.val);
	return a;
}

/* A TD, and the answers that its guest gets with all controls at zero. */
FIXTURE(msr_ve) {
	struct tdx_msr_td td;
	struct answer first[ARRAY_SIZE(ve_or_gp)];
};

FIXTURE_SETUP(msr_ve)
{
	struct tdx_guest *guest = &self->td.guest;

	tdx_msr_td_create(&self->td);
	vcpu_set_mce_cap(self->td.vcpu, kvm_supported_mce_cap() | 4);

	/* An MSR that isn't emulated would not have these values. */
	if (vcpu_cpuid_has(self->td.vcpu, X86_FEATURE_TSC_DEADLINE_TIMER)) {
		guest_write_msr(guest, X2APIC_MSR(APIC_LVTT),
				APIC_LVT_MASKED | APIC_LVT_TIMER_TSCDEADLINE | 0x40);
		guest_write_msr(guest, MSR_IA32_TSC_DEADLINE, tdx_msr_far_deadline());
	}
	guest_write_msr(guest, MSR_IA32_MCx_ADDR(0), MSR_TEST_VALUE);
	guest_write_msr(guest, MSR_IA32_MCG_STATUS, MSR_TEST_VALUE);
	guest_write_msr(guest, MTRR_PHYS_BASE(0), 0xfedcba006);

	for (int i = 0; i < ARRAY_SIZE(ve_or_gp); i++)
		self->first[i] = access_msr(guest, ve_or_gp[i]);
}

FIXTURE_TEARDOWN(msr_ve)
{
	kvm_vm_free(self->td.vm);
}

static void assert_same_answers(struct tdx_guest *guest, const struct answer *first)
{
	for (int i = 0; i < ARRAY_SIZE(ve_or_gp); i++) {
		const struct answer *was = &first[i];
		struct answer now = access_msr(guest, ve_or_gp[i]);

		TEST_ASSERT(now.read_status == was->read_status && now.val == was->val,
			    "Read of 0x%x: was 0x%lx (status 0x%lx), now 0x%lx (status 0x%lx)",
			    ve_or_gp[i], (unsigned long)was->val,
			    (unsigned long)was->read_status, (unsigned long)now.val,
			    (unsigned long)now.read_status);
		TEST_ASSERT(now.write_status == was->write_status,
			    "Write to 0x%x: status was 0x%lx, now 0x%lx", ve_or_gp[i],
			    (unsigned long)was->write_status,
			    (unsigned long)now.write_status);
	}
}

/*
 * Set the bits @mask of the guest's control @field to @val.  Returns false if the
 * TDX module doesn't have them.
 */
static bool set_control(struct tdx_guest *guest, u64 field, u64 val, u64 mask)
{
	u64 now;

	if (tdx_guest_vm_wr(guest, field, val, mask))
		return false;
	TEST_ASSERT_EQ(tdx_guest_vm_rd(guest, field, &now), TDX_SUCCESS);
	TEST_ASSERT_EQ(now & mask, val);
	return true;
}

static bool set_reduce_ve(struct tdx_guest *guest)
{
	return set_control(guest, TDX_MD_TD_CTLS, TDX_TD_CTLS_REDUCE_VE,
			   TDX_TD_CTLS_REDUCE_VE);
}

static bool set_paravirt_ctrl(struct tdx_guest *guest, u64 val)
{
	return set_control(guest, TDX_MD_FEATURE_PARAVIRT_CTRL, val, PARAVIRT_ALL);
}

TEST_F(msr_ve, reduce_ve)
{
	struct tdx_guest *guest = &self->td.guest;
	u64 val;

	if (!set_reduce_ve(guest))
		SKIP(return, NO_REDUCE_VE);
	assert_same_answers(guest, self->first);

	/* RDMSR, on the other hand, is now #GP. */
	TEST_ASSERT_EQ(tdx_guest_native_rdmsr(guest, MSR_IA32_TSC_DEADLINE, &val),
		       GP_VECTOR);
}

TEST_F(msr_ve, reduce_ve_with_each_paravirt_ctrl)
{
	struct tdx_guest *guest = &self->td.guest;
	u64 val;

	if (!set_reduce_ve(guest))
		SKIP(return, NO_REDUCE_VE);

	for (u64 bit = 1; bit & PARAVIRT_ALL; bit <<= 1) {
		if (!set_paravirt_ctrl(guest, bit))
			continue;
		assert_same_answers(guest, self->first);
		if (bit == PARAVIRT_TSC_DEADLINE &&
		    vcpu_cpuid_has(self->td.vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
			TEST_ASSERT_EQ(tdx_guest_native_rdmsr(guest,
							      MSR_IA32_TSC_DEADLINE,
							      &val),
				       VE_VECTOR);
	}
}

TEST_F(msr_ve, reduce_ve_with_all_paravirt_ctrl)
{
	struct tdx_guest *guest = &self->td.guest;

	if (!set_reduce_ve(guest))
		SKIP(return, NO_REDUCE_VE);
	if (!set_paravirt_ctrl(guest, PARAVIRT_ALL))
		SKIP(return, NO_PARAVIRT_CTRL);
	assert_same_answers(guest, self->first);
	TEST_ASSERT(set_paravirt_ctrl(guest, 0),
		    "FEATURE_PARAVIRT_CTRL can't be cleared");
	assert_same_answers(guest, self->first);
}

TEST_F(msr_ve, paravirt_ctrl_without_reduce_ve)
{
	struct tdx_guest *guest = &self->td.guest;

	if (!set_paravirt_ctrl(guest, PARAVIRT_ALL))
		SKIP(return, NO_PARAVIRT_CTRL);
	assert_same_answers(guest, self->first);
}

/* The module tells the guest its APIC ID then, KVM still does, too. */
TEST_F(msr_ve, enum_topology)
{
	struct tdx_guest *guest = &self->td.guest;

	if (!set_control(guest, TDX_MD_TD_CTLS, TDX_TD_CTLS_ENUM_TOPOLOGY,
			 TDX_TD_CTLS_ENUM_TOPOLOGY))
		SKIP(return, "the TDX module has no ENUM_TOPOLOGY");
	assert_same_answers(guest, self->first);
	TEST_ASSERT_EQ(guest_read_msr(guest, X2APIC_MSR(APIC_ID)),
		       (u64)self->td.vcpu->id);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
