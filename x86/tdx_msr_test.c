// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<RDMSR> and TDVMCALL<WRMSR>: MSRs that KVM keeps for a TD.
 *
 * KVM doesn't know which MSRs the TDX module lets a guest access by itself, nor
 * whether the guest gets #VE or #GP for the others: a guest may ask for any MSR
 * by TDVMCALL, and KVM has to answer from a list of its own.  What is on it has
 * to behave as for any VM, all 64 bits of it, and be the same register that
 * KVM_GET_MSRS and KVM_SET_MSRS access; the rest has to fail for both sides.
 * On top come the two ways in which user space has a say, the MSR filter and
 * exits for accesses that failed.
 */
#include "apic.h"
#include "kvm_util.h"
#include "mce.h"
#include "processor.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Of the kernel's headers these are not among the tools'. */
#define APIC_LDR		0xd0
#define APIC_ESR		0x280
#define APIC_LVTTHMR		0x330
#define APIC_LVTPC		0x340
#define APIC_LVT0		0x350
#define APIC_LVT1		0x360
#define APIC_LVTERR		0x370
#define X2APIC_MSR(reg)		(APIC_BASE_MSR + ((reg) >> 4))
#define MTRR_PHYS_BASE(n)	(0x200 + 2 * (n))
#define MTRR_PHYS_MASK(n)	(MTRR_PHYS_BASE(n) + 1)
#define MTRR_CAP_VCNT		0xff
#define MCG_EXT_CTL_LMCE_EN	BIT_ULL(0)
#define MCI_CTL2_CMCI_EN	BIT_ULL(30)
#define MSR_TME_CAPABILITY	0x981
#define MSR_MKTME_PARTITIONING	0x87
#define MSR_CORE_CAPABILITIES	0xcf

/* In no list of KVM's and of no CPU. */
#define MSR_NOBODYS		0x1fed

#define SOME_VALUE		0xfedcba9876543210ull

static int host_get(struct kvm_vcpu *vcpu, u32 msr, u64 *val)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} buffer = {
		.header.nmsrs = 1,
		.entry.index = msr,
	};
	int r = __vcpu_ioctl(vcpu, KVM_GET_MSRS, &buffer.header);

	*val = buffer.entry.data;
	return r;
}

static void assert_host_reads(struct tdx_guest *guest, u32 msr, u64 wanted)
{
	u64 val;
	int r = host_get(guest->vcpu, msr, &val);

	TEST_ASSERT(r == 1 && val == wanted,
		    "KVM_GET_MSRS of 0x%x: wanted 0x%lx, got 0x%lx", msr,
		    (unsigned long)wanted, (unsigned long)val);
}

static void assert_host_cannot_read(struct tdx_guest *guest, u32 msr)
{
	u64 val;
	int r = host_get(guest->vcpu, msr, &val);

	TEST_ASSERT(!r, "KVM_GET_MSRS of 0x%x got 0x%lx", msr, (unsigned long)val);
}

static void assert_host_set(struct tdx_guest *guest, u32 msr, u64 val, bool ok)
{
	int r = _vcpu_set_msr(guest->vcpu, msr, val);

	TEST_ASSERT(r == ok, "KVM_SET_MSRS of 0x%x to 0x%lx: wanted %d, got %d",
		    msr, (unsigned long)val, ok, r);
}

static void assert_read_status(struct tdx_guest *guest, u32 msr, u64 wanted)
{
	u64 val, status = tdx_guest_rdmsr(guest, msr, &val);

	TEST_ASSERT(status == wanted, "Read of 0x%x: wanted 0x%lx, got 0x%lx",
		    msr, (unsigned long)wanted, (unsigned long)status);
}

static u64 read_msr(struct tdx_guest *guest, u32 msr)
{
	u64 val, status = tdx_guest_rdmsr(guest, msr, &val);

	TEST_ASSERT(!status, "Read of 0x%x failed, status 0x%lx", msr,
		    (unsigned long)status);
	return val;
}

/* Both sides see the same value. */
static void assert_is(struct tdx_guest *guest, u32 msr, u64 wanted)
{
	u64 val = read_msr(guest, msr);

	TEST_ASSERT(val == wanted, "Read of 0x%x: wanted 0x%lx, got 0x%lx",
		    msr, (unsigned long)wanted, (unsigned long)val);
	assert_host_reads(guest, msr, wanted);
}

static void write_status(struct tdx_guest *guest, u32 msr, u64 val, u64 wanted)
{
	u64 status = tdx_guest_wrmsr(guest, msr, val);

	TEST_ASSERT(status == wanted,
		    "Write of 0x%lx to 0x%x: wanted 0x%lx, got 0x%lx",
		    (unsigned long)val, msr, (unsigned long)wanted,
		    (unsigned long)status);
}

static void write_msr(struct tdx_guest *guest, u32 msr, u64 val)
{
	write_status(guest, msr, val, TDVMCALL_STATUS_SUCCESS);
}

/* The write has to fail and to leave the register alone. */
static void assert_write_fails(struct tdx_guest *guest, u32 msr, u64 val)
{
	u64 before = read_msr(guest, msr);

	write_status(guest, msr, val, TDVMCALL_STATUS_INVALID_OPERAND);
	assert_is(guest, msr, before);
}

static void assert_refused(struct tdx_guest *guest, u32 msr)
{
	assert_read_status(guest, msr, TDVMCALL_STATUS_INVALID_OPERAND);
	write_status(guest, msr, 0, TDVMCALL_STATUS_INVALID_OPERAND);
}

/* A register with room for @a and @b: both sides write, both sides read. */
static void assert_stores(struct tdx_guest *guest, u32 msr, u64 a, u64 b)
{
	assert_is(guest, msr, read_msr(guest, msr));
	write_msr(guest, msr, a);
	assert_is(guest, msr, a);
	assert_host_set(guest, msr, b, true);
	assert_is(guest, msr, b);
}

/* ... and of which KVM takes @bad from neither side. */
static void assert_not_taken(struct tdx_guest *guest, u32 msr, u64 bad)
{
	u64 before = read_msr(guest, msr);

	write_status(guest, msr, bad, TDVMCALL_STATUS_INVALID_OPERAND);
	assert_host_set(guest, msr, bad, false);
	assert_is(guest, msr, before);
}

FIXTURE(msr) {
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
};

FIXTURE_SETUP(msr)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
	tdx_guest_init(&self->guest, self->vcpu);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(msr)
{
	kvm_vm_free(self->vm);
}

static void power_ctl_holds_64_bits(struct tdx_guest *guest)
{
	assert_stores(guest, MSR_IA32_POWER_CTL, SOME_VALUE, ~SOME_VALUE);
}

static void pat_holds_8_memory_types(struct tdx_guest *guest)
{
	assert_stores(guest, MSR_IA32_CR_PAT, 0x0706050401000706,
		      0x0007040600070406);
	assert_not_taken(guest, MSR_IA32_CR_PAT, 0x0007040600070402);
	assert_not_taken(guest, MSR_IA32_CR_PAT, 0x0307040600070406);
}

static void mtrr_cap_is_read_only(struct tdx_guest *guest)
{
	assert_is(guest, MSR_MTRRcap, read_msr(guest, MSR_MTRRcap));
	assert_write_fails(guest, MSR_MTRRcap, 0);
	assert_write_fails(guest, MSR_MTRRcap, read_msr(guest, MSR_MTRRcap));
}

static void mtrr_variable_as_many_as_cap_says(struct tdx_guest *guest)
{
	int i, nr = read_msr(guest, MSR_MTRRcap) & MTRR_CAP_VCNT;

	TEST_ASSERT(nr, "MTRRcap without variable MTRRs");
	for (i = 0; i < nr; i++) {
		assert_stores(guest, MTRR_PHYS_BASE(i), 0xfedcba006, 0x123450000 + (i << 12));
		assert_stores(guest, MTRR_PHYS_MASK(i), 0xffffff800, 0x800000800 + (i << 12));
	}

	/* Each was a register of its own. */
	for (i = 0; i < nr; i++) {
		assert_is(guest, MTRR_PHYS_BASE(i), 0x123450000 + (i << 12));
		assert_is(guest, MTRR_PHYS_MASK(i), 0x800000800 + (i << 12));
	}

	assert_refused(guest, MTRR_PHYS_BASE(nr));
	assert_refused(guest, MTRR_PHYS_MASK(nr));
}

static void mtrr_variable_reserved_bits(struct tdx_guest *guest)
{
	assert_not_taken(guest, MTRR_PHYS_BASE(0), 2);
	assert_not_taken(guest, MTRR_PHYS_BASE(0), BIT_ULL(8) | 6);
	assert_not_taken(guest, MTRR_PHYS_BASE(0), BIT_ULL(63) | 6);
	assert_not_taken(guest, MTRR_PHYS_MASK(0), BIT_ULL(10));
	assert_not_taken(guest, MTRR_PHYS_MASK(0), BIT_ULL(63) | BIT_ULL(11));
}

TEST_F(msr, mtrr_variable)
{
	mtrr_cap_is_read_only(&self->guest);
	mtrr_variable_as_many_as_cap_says(&self->guest);
	mtrr_variable_reserved_bits(&self->guest);
}

static void mtrr_fixed_hold_8_memory_types(struct tdx_guest *guest)
{
	static const u32 fixed[] = {
		MSR_MTRRfix64K_00000, MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000,
		MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_C8000, MSR_MTRRfix4K_D0000,
		MSR_MTRRfix4K_D8000, MSR_MTRRfix4K_E0000, MSR_MTRRfix4K_E8000,
		MSR_MTRRfix4K_F0000, MSR_MTRRfix4K_F8000,
	};

	for (int i = 0; i < ARRAY_SIZE(fixed); i++) {
		assert_stores(guest, fixed[i], 0x0001040506000104,
			      0x0606060606060606);
		assert_not_taken(guest, fixed[i], 0x0206060606060606);
		assert_not_taken(guest, fixed[i], 0x0606060606060607);
	}
}

static void mtrr_default_type(struct tdx_guest *guest)
{
	assert_stores(guest, MSR_MTRRdefType, 0xc06, 0x800);
	assert_not_taken(guest, MSR_MTRRdefType, 0xc02);
	assert_not_taken(guest, MSR_MTRRdefType, 0x100);
	assert_not_taken(guest, MSR_MTRRdefType, BIT_ULL(32) | 6);
}

static void between_mtrrs_is_refused(struct tdx_guest *guest)
{
	/* In the range of KVM's list, but no registers. */
	static const u32 gaps[] = { 0x220, 0x24f, 0x251, 0x257, 0x25a, 0x267 };

	for (int i = 0; i < ARRAY_SIZE(gaps); i++)
		assert_refused(guest, gaps[i]);
}

TEST_F(msr, mtrr_fixed_and_default)
{
	mtrr_fixed_hold_8_memory_types(&self->guest);
	mtrr_default_type(&self->guest);
	between_mtrrs_is_refused(&self->guest);
}

TEST_F(msr, misc_enable)
{
	const u64 pmu = MSR_IA32_MISC_ENABLE_BTS_UNAVAIL |
			MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL;
	struct tdx_guest *guest = &self->guest;
	u64 val = read_msr(guest, MSR_IA32_MISC_ENABLE);
	u64 other = val ^ (MSR_IA32_MISC_ENABLE_FAST_STRING |
			   MSR_IA32_MISC_ENABLE_XD_DISABLE);

	assert_stores(guest, MSR_IA32_MISC_ENABLE, other, val);

	/* Without a PMU, which no TD has, these two say so and stay. */
	TEST_ASSERT_EQ(val & pmu, pmu);
	assert_write_fails(guest, MSR_IA32_MISC_ENABLE,
			   val & ~MSR_IA32_MISC_ENABLE_BTS_UNAVAIL);
	assert_write_fails(guest, MSR_IA32_MISC_ENABLE,
			   val & ~MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL);

	/* This one is for the guest to read and silently not to write. */
	write_msr(guest, MSR_IA32_MISC_ENABLE, val ^ MSR_IA32_MISC_ENABLE_EMON);
	assert_is(guest, MSR_IA32_MISC_ENABLE, val);
	assert_host_set(guest, MSR_IA32_MISC_ENABLE,
			val ^ MSR_IA32_MISC_ENABLE_EMON, true);
	assert_is(guest, MSR_IA32_MISC_ENABLE, val ^ MSR_IA32_MISC_ENABLE_EMON);
}

/* Part of the vCPU's model, which user space defines until the first run. */
static void assert_in_model(struct tdx_guest *guest, u32 msr)
{
	assert_host_set(guest, msr, SOME_VALUE, true);
	assert_is(guest, msr, SOME_VALUE);
	assert_write_fails(guest, msr, SOME_VALUE);
	assert_host_set(guest, msr, ~SOME_VALUE, false);
	assert_host_set(guest, msr, SOME_VALUE, true);
	assert_is(guest, msr, SOME_VALUE);
}

static void platform_info_is_the_hosts(struct tdx_guest *guest)
{
	assert_in_model(guest, MSR_PLATFORM_INFO);
}

static void platform_info_hidden_by_cap(struct tdx_guest *guest)
{
	u64 val = read_msr(guest, MSR_PLATFORM_INFO);

	vm_enable_cap(guest->vcpu->vm, KVM_CAP_MSR_PLATFORM_INFO, 0);
	assert_read_status(guest, MSR_PLATFORM_INFO,
			   TDVMCALL_STATUS_INVALID_OPERAND);
	assert_host_reads(guest, MSR_PLATFORM_INFO, val);

	vm_enable_cap(guest->vcpu->vm, KVM_CAP_MSR_PLATFORM_INFO, 1);
	assert_is(guest, MSR_PLATFORM_INFO, val);
}

TEST_F(msr, misc_features_enables_without_cpuid_faulting)
{
	struct tdx_guest *guest = &self->guest;

	assert_host_set(guest, MSR_PLATFORM_INFO, 0, true);
	assert_not_taken(guest, MSR_MISC_FEATURES_ENABLES,
			 MSR_MISC_FEATURES_ENABLES_CPUID_FAULT);
	assert_stores(guest, MSR_MISC_FEATURES_ENABLES, 0, 0);
}

TEST_F(msr, misc_features_enables_with_cpuid_faulting)
{
	const u64 fault = MSR_MISC_FEATURES_ENABLES_CPUID_FAULT;
	struct tdx_guest *guest = &self->guest;

	assert_host_set(guest, MSR_PLATFORM_INFO, MSR_PLATFORM_INFO_CPUID_FAULT,
			true);
	assert_stores(guest, MSR_MISC_FEATURES_ENABLES, fault, 0);
	assert_not_taken(guest, MSR_MISC_FEATURES_ENABLES, BIT_ULL(1));
	assert_not_taken(guest, MSR_MISC_FEATURES_ENABLES, BIT_ULL(63));
}

TEST_F(msr, cpuid_faulting_is_not_promised)
{
	struct tdx_guest *guest = &self->guest;
	u64 info = read_msr(guest, MSR_PLATFORM_INFO);

	/* KVM never sees a TD's CPUID instruction, so it can't make it fault. */
	if (info & MSR_PLATFORM_INFO_CPUID_FAULT &&
	    !tdx_guest_wrmsr(guest, MSR_MISC_FEATURES_ENABLES,
			     MSR_MISC_FEATURES_ENABLES_CPUID_FAULT))
		XFAIL(return, "KVM offers a TD CPUID faulting and lets it be enabled");

	TEST_ASSERT(!(info & MSR_PLATFORM_INFO_CPUID_FAULT),
		    "CPUID faulting is offered, but can't be enabled");
}

static void microcode_revision_ignores_guest_writes(struct tdx_guest *guest)
{
	assert_host_set(guest, MSR_IA32_UCODE_REV, SOME_VALUE, true);
	assert_is(guest, MSR_IA32_UCODE_REV, SOME_VALUE);
	write_msr(guest, MSR_IA32_UCODE_REV, ~SOME_VALUE);
	assert_is(guest, MSR_IA32_UCODE_REV, SOME_VALUE);
}

TEST_F(msr, platform_info_and_microcode_are_the_hosts)
{
	platform_info_is_the_hosts(&self->guest);
	platform_info_hidden_by_cap(&self->guest);
	microcode_revision_ignores_guest_writes(&self->guest);
}

TEST_F(msr, arch_capabilities_is_the_hosts)
{
	if (!vcpu_cpuid_has(self->vcpu, X86_FEATURE_ARCH_CAPABILITIES))
		SKIP(return, "the TDX module doesn't have ARCH_CAPABILITIES");

	assert_in_model(&self->guest, MSR_IA32_ARCH_CAPABILITIES);
}

/* Not even the host writes it, and not even the value that it has. */
static void assert_immutable(struct tdx_guest *guest, u32 msr)
{
	u64 val = read_msr(guest, msr);

	assert_is(guest, msr, val);
	assert_not_taken(guest, msr, val);
	assert_not_taken(guest, msr, 0);
}

static void apic_base_is_immutable(struct tdx_guest *guest)
{
	const u64 bits = MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD |
			 MSR_IA32_APICBASE_BSP;
	u64 val = read_msr(guest, MSR_IA32_APICBASE);

	TEST_ASSERT((val & bits) == bits && GET_APIC_BASE(val) == APIC_DEFAULT_GPA,
		    "Wanted the BSP in x2APIC mode, got 0x%lx", (unsigned long)val);
	assert_immutable(guest, MSR_IA32_APICBASE);
}

static void efer_is_immutable_and_the_guests_own(struct tdx_guest *guest)
{
	u64 own;

	TEST_ASSERT_EQ(tdx_guest_native_rdmsr(guest, MSR_EFER, &own), 0);
	assert_is(guest, MSR_EFER, own);
	assert_immutable(guest, MSR_EFER);
}

static void feat_ctl_is_immutable_and_locked(struct tdx_guest *guest)
{
	assert_is(guest, MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED);
	assert_immutable(guest, MSR_IA32_FEAT_CTL);
}

TEST_F(msr, apic_base_efer_and_feat_ctl_are_immutable)
{
	apic_base_is_immutable(&self->guest);
	efer_is_immutable_and_the_guests_own(&self->guest);
	feat_ctl_is_immutable_and_locked(&self->guest);
}

static u64 mce_supported(void)
{
	u64 cap;

	kvm_ioctl(open_kvm_dev_path_or_exit(), KVM_X86_GET_MCE_CAP_SUPPORTED, &cap);
	return cap;
}

static void setup_mce(struct kvm_vcpu *vcpu, u64 cap)
{
	vcpu_ioctl(vcpu, KVM_X86_SETUP_MCE, &cap);
}

TEST_F(msr, local_machine_check)
{
	struct tdx_guest *guest = &self->guest;
	u64 val;

	if (!(mce_supported() & MCG_LMCE_P))
		SKIP(return, "this KVM has no local machine checks");

	/* What the vCPU has no bank for is there for the host only. */
	assert_refused(guest, MSR_IA32_MCG_EXT_CTL);
	TEST_ASSERT_EQ(host_get(self->vcpu, MSR_IA32_MCG_EXT_CTL, &val), 1);

	setup_mce(self->vcpu, MCG_LMCE_P | 4);
	assert_is(guest, MSR_IA32_MCG_CAP, MCG_LMCE_P | 4);
	assert_is(guest, MSR_IA32_FEAT_CTL, FEAT_CTL_LOCKED | FEAT_CTL_LMCE_ENABLED);
	assert_immutable(guest, MSR_IA32_FEAT_CTL);
	assert_stores(guest, MSR_IA32_MCG_EXT_CTL, MCG_EXT_CTL_LMCE_EN, 0);
	assert_not_taken(guest, MSR_IA32_MCG_EXT_CTL, BIT_ULL(1));
	assert_not_taken(guest, MSR_IA32_MCG_EXT_CTL, BIT_ULL(63));
}

static void mcg_cap_is_what_user_space_set_up(struct tdx_guest *guest)
{
	u64 cap = mce_supported() | 7;

	assert_is(guest, MSR_IA32_MCG_CAP, read_msr(guest, MSR_IA32_MCG_CAP));
	setup_mce(guest->vcpu, cap);
	assert_is(guest, MSR_IA32_MCG_CAP, cap);
	assert_write_fails(guest, MSR_IA32_MCG_CAP, cap);
}

static void mcg_status_holds_64_bits(struct tdx_guest *guest)
{
	assert_stores(guest, MSR_IA32_MCG_STATUS, SOME_VALUE, ~SOME_VALUE);
}

static void mcg_ctl_follows_mcg_cap(struct tdx_guest *guest)
{
	setup_mce(guest->vcpu, 4);
	assert_refused(guest, MSR_IA32_MCG_CTL);
	setup_mce(guest->vcpu, MCG_CTL_P | 4);
	assert_stores(guest, MSR_IA32_MCG_CTL, 0, ~0ull);
	assert_not_taken(guest, MSR_IA32_MCG_CTL, BIT_ULL(32));
}

static void mca_bank(struct tdx_guest *guest, int i)
{
	assert_stores(guest, MSR_IA32_MCx_CTL(i), 0, ~0ull);
	assert_not_taken(guest, MSR_IA32_MCx_CTL(i), SOME_VALUE);
	assert_stores(guest, MSR_IA32_MCx_ADDR(i), SOME_VALUE, ~SOME_VALUE);
	assert_stores(guest, MSR_IA32_MCx_MISC(i), SOME_VALUE, ~SOME_VALUE);

	/* The guest may only clear what the host reported. */
	assert_host_set(guest, MSR_IA32_MCx_STATUS(i), SOME_VALUE, true);
	assert_is(guest, MSR_IA32_MCx_STATUS(i), SOME_VALUE);
	assert_write_fails(guest, MSR_IA32_MCx_STATUS(i), SOME_VALUE);
	write_msr(guest, MSR_IA32_MCx_STATUS(i), 0);
	assert_is(guest, MSR_IA32_MCx_STATUS(i), 0);
}

TEST_F(msr, mca_banks)
{
	struct tdx_guest *guest = &self->guest;
	int i, nr = read_msr(guest, MSR_IA32_MCG_CAP) & MCG_CAP_BANKS_MASK;

	TEST_ASSERT(nr, "A vCPU without MCA banks");
	mca_bank(guest, 0);
	mca_bank(guest, nr - 1);
	for (i = 0; i < nr; i++) {
		write_msr(guest, MSR_IA32_MCx_ADDR(i), SOME_VALUE + i);
		write_msr(guest, MSR_IA32_MCx_MISC(i), ~SOME_VALUE - i);
	}

	/* Each was a register of its own. */
	for (i = 0; i < nr; i++) {
		assert_is(guest, MSR_IA32_MCx_ADDR(i), SOME_VALUE + i);
		assert_is(guest, MSR_IA32_MCx_MISC(i), ~SOME_VALUE - i);
	}
}

static void mca_banks_as_many_as_set_up(struct tdx_guest *guest)
{
	setup_mce(guest->vcpu, 3);
	assert_stores(guest, MSR_IA32_MCx_MISC(2), SOME_VALUE, 0);
	assert_refused(guest, MSR_IA32_MCx_CTL(3));
	assert_refused(guest, MSR_IA32_MCx_MISC(3));
	assert_refused(guest, MSR_IA32_MCx_MISC(31));
}

TEST_F(msr, mca_as_user_space_set_it_up)
{
	mcg_cap_is_what_user_space_set_up(&self->guest);
	mcg_ctl_follows_mcg_cap(&self->guest);
	mca_banks_as_many_as_set_up(&self->guest);
}

TEST_F(msr, mca_ctl2_follows_cmci)
{
	struct tdx_guest *guest = &self->guest;

	if (!(mce_supported() & MCG_CMCI_P))
		SKIP(return, "this KVM has no CMCI");

	setup_mce(self->vcpu, 4);
	assert_refused(guest, MSR_IA32_MCx_CTL2(0));
	setup_mce(self->vcpu, MCG_CMCI_P | 4);
	for (int i = 0; i < 4; i++) {
		assert_stores(guest, MSR_IA32_MCx_CTL2(i), MCI_CTL2_CMCI_EN | 0x7fff, i);
		assert_not_taken(guest, MSR_IA32_MCx_CTL2(i), BIT_ULL(15));
		assert_not_taken(guest, MSR_IA32_MCx_CTL2(i), BIT_ULL(62));
	}
	assert_refused(guest, MSR_IA32_MCx_CTL2(4));
	assert_refused(guest, MSR_IA32_MCx_CTL2(31));
}

static void poll_control_has_one_bit(struct tdx_guest *guest)
{
	assert_stores(guest, MSR_KVM_POLL_CONTROL, 0, 1);
	assert_not_taken(guest, MSR_KVM_POLL_CONTROL, 2);
	assert_not_taken(guest, MSR_KVM_POLL_CONTROL, BIT_ULL(32));
}

TEST_F(msr, whole_values_are_stored)
{
	power_ctl_holds_64_bits(&self->guest);
	pat_holds_8_memory_types(&self->guest);
	mcg_status_holds_64_bits(&self->guest);
	poll_control_has_one_bit(&self->guest);
}

TEST_F(msr, poll_control_enforced_by_cpuid)
{
	/* KVM's own leaves, by which user space would offer it, are not there. */
	vcpu_enable_cap(self->vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
	assert_refused(&self->guest, MSR_KVM_POLL_CONTROL);
}

/* Far enough not to come up, near enough for KVM's arithmetic, over 32 bits. */
static u64 some_deadline(void)
{
	return rdtsc() + BIT_ULL(43);
}

TEST_F(msr, tsc_deadline_holds_64_bits)
{
	const u32 mode = APIC_LVT_MASKED | APIC_LVT_TIMER_TSCDEADLINE | 0x40;
	struct tdx_guest *guest = &self->guest;
	u64 deadline = some_deadline();

	if (!vcpu_cpuid_has(self->vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
		SKIP(return, "the TD has no TSC deadline timer");

	/* A timer in another mode has no deadline. */
	write_msr(guest, MSR_IA32_TSC_DEADLINE, deadline);
	assert_is(guest, MSR_IA32_TSC_DEADLINE, 0);

	write_msr(guest, X2APIC_MSR(APIC_LVTT), mode);
	assert_stores(guest, MSR_IA32_TSC_DEADLINE, deadline,
		      deadline ^ 0x12345678);
	write_msr(guest, MSR_IA32_TSC_DEADLINE, 0);
	assert_is(guest, MSR_IA32_TSC_DEADLINE, 0);
}

static void x2apic_id_registers(struct tdx_guest *guest)
{
	static const u32 regs[] = { APIC_ID, APIC_LVR, APIC_LDR };

	TEST_ASSERT_EQ(read_msr(guest, X2APIC_MSR(APIC_ID)), (u64)guest->vcpu->id);
	TEST_ASSERT_EQ(read_msr(guest, X2APIC_MSR(APIC_LDR)), 1ull);
	for (int i = 0; i < ARRAY_SIZE(regs); i++)
		assert_immutable(guest, X2APIC_MSR(regs[i]));
}

TEST_F(msr, x2apic_local_vector_table)
{
	static const u32 lvts[] = {
		APIC_LVTT, APIC_LVTTHMR, APIC_LVTPC, APIC_LVT0, APIC_LVT1,
		APIC_LVTERR,
	};
	struct tdx_guest *guest = &self->guest;

	/* An APIC that is off masks its interrupts. */
	write_msr(guest, X2APIC_MSR(APIC_SPIV), 0xff);
	for (int i = 0; i < ARRAY_SIZE(lvts); i++) {
		write_msr(guest, X2APIC_MSR(lvts[i]), 0x31 + i);
		assert_is(guest, X2APIC_MSR(lvts[i]), APIC_LVT_MASKED | (0x31 + i));
	}

	assert_stores(guest, X2APIC_MSR(APIC_SPIV), 0xff,
		      APIC_SPIV_APIC_ENABLED | 0xff);
	for (int i = 0; i < ARRAY_SIZE(lvts); i++) {
		assert_stores(guest, X2APIC_MSR(lvts[i]), 0x41 + i,
			      APIC_LVT_MASKED | (0x51 + i));
		assert_not_taken(guest, X2APIC_MSR(lvts[i]), BIT_ULL(32) | 0x41);

		/* Reserved bits of the lower half don't stick. */
		write_msr(guest, X2APIC_MSR(lvts[i]), BIT_ULL(31) | (0x41 + i));
		assert_is(guest, X2APIC_MSR(lvts[i]), 0x41 + i);
	}
}

TEST_F(msr, x2apic_lvt_cmci_follows_mcg_cap)
{
	struct tdx_guest *guest = &self->guest;
	u64 version;

	if (!(mce_supported() & MCG_CMCI_P))
		SKIP(return, "this KVM has no CMCI");

	setup_mce(self->vcpu, 4);
	assert_refused(guest, X2APIC_MSR(APIC_LVTCMCI));
	version = read_msr(guest, X2APIC_MSR(APIC_LVR));

	/* One more entry, which the version register counts. */
	setup_mce(self->vcpu, MCG_CMCI_P | 4);
	assert_stores(guest, X2APIC_MSR(APIC_LVTCMCI), APIC_LVT_MASKED | 0x31,
		      APIC_LVT_MASKED | 0x41);
	assert_is(guest, X2APIC_MSR(APIC_LVR), version + BIT(16));
}

TEST_F(msr, x2apic_timer)
{
	struct tdx_guest *guest = &self->guest;
	u64 left;

	/* The slowest clock, and a masked interrupt. */
	write_msr(guest, X2APIC_MSR(APIC_LVTT), APIC_LVT_MASKED | 0x40);
	assert_stores(guest, X2APIC_MSR(APIC_TDCR), 0xb, 0xa);
	write_msr(guest, X2APIC_MSR(APIC_TDCR), 0xfffffff4);
	assert_is(guest, X2APIC_MSR(APIC_TDCR), 0);
	write_msr(guest, X2APIC_MSR(APIC_TDCR), 0xa);

	assert_not_taken(guest, X2APIC_MSR(APIC_TMICT), BIT_ULL(32));
	write_msr(guest, X2APIC_MSR(APIC_TMICT), 0xfffffff0);
	assert_is(guest, X2APIC_MSR(APIC_TMICT), 0xfffffff0);

	left = read_msr(guest, X2APIC_MSR(APIC_TMCCT));
	TEST_ASSERT(left <= 0xfffffff0, "The timer counts from 0x%lx",
		    (unsigned long)left);
	write_status(guest, X2APIC_MSR(APIC_TMCCT), left,
		     TDVMCALL_STATUS_INVALID_OPERAND);

	write_msr(guest, X2APIC_MSR(APIC_TMICT), 0);
	assert_is(guest, X2APIC_MSR(APIC_TMCCT), 0);
}

static void x2apic_icr_holds_64_bits(struct tdx_guest *guest)
{
	const u64 nobody = 0x00fffffeull << 32;

	/* A sender's register only: there is nobody at that address. */
	write_msr(guest, X2APIC_MSR(APIC_ICR), nobody | APIC_INT_ASSERT | 0x40);
	assert_is(guest, X2APIC_MSR(APIC_ICR), nobody | APIC_INT_ASSERT | 0x40);
	write_msr(guest, X2APIC_MSR(APIC_ICR), nobody | APIC_ICR_BUSY | 0x41);
	assert_is(guest, X2APIC_MSR(APIC_ICR), nobody | 0x41);
	assert_not_taken(guest, X2APIC_MSR(APIC_ICR), nobody | BIT_ULL(20) | 0x42);
}

static void x2apic_esr_takes_zero_only(struct tdx_guest *guest)
{
	write_msr(guest, X2APIC_MSR(APIC_ESR), 0);
	assert_is(guest, X2APIC_MSR(APIC_ESR), 0);
	assert_not_taken(guest, X2APIC_MSR(APIC_ESR), 1);
	assert_not_taken(guest, X2APIC_MSR(APIC_ESR), BIT_ULL(32));
}

TEST_F(msr, x2apic_ids_icr_and_esr)
{
	x2apic_id_registers(&self->guest);
	x2apic_icr_holds_64_bits(&self->guest);
	x2apic_esr_takes_zero_only(&self->guest);
}

TEST_F(msr, x2apic_without_kvms_help_is_refused)
{
	struct tdx_guest *guest = &self->guest;

	/*
	 * TPR, PPR, EOI, ISR, TMR, IRR and self IPI live in a page that KVM
	 * has no part in; the others are no registers of an x2APIC.
	 */
	for (u32 reg = 0; reg < 0x1000; reg += 0x10) {
		switch (reg) {
		case APIC_ID:
		case APIC_LVR:
		case APIC_LDR:
		case APIC_SPIV:
		case APIC_ESR:
		case APIC_LVTCMCI:
		case APIC_ICR:
		case APIC_LVTT ... APIC_LVTERR:
		case APIC_TMICT:
		case APIC_TMCCT:
		case APIC_TDCR:
			break;
		default:
			assert_refused(guest, X2APIC_MSR(reg));
			break;
		}
	}
}

/* KVM has to keep its hands off: some it doesn't know, most it does. */
static const u32 not_emulated[] = {
	0x0, 0x1, MSR_IA32_TSC, 0x17, 0x33, MSR_SMI_COUNT, MSR_IA32_TSC_ADJUST,
	MSR_IA32_SPEC_CTRL, MSR_IA32_PRED_CMD, MSR_IA32_UCODE_WRITE,
	MSR_MKTME_PARTITIONING, MSR_IA32_SMBASE, MSR_IA32_PERFCTR0, 0xcd,
	MSR_CORE_CAPABILITIES, MSR_IA32_UMWAIT_CONTROL, MSR_IA32_FLUSH_CMD,
	MSR_IA32_BBL_CR_CTL3, MSR_IA32_TSX_CTRL, MSR_IA32_SYSENTER_CS,
	MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP, MSR_P6_EVNTSEL0,
	MSR_IA32_PERF_STATUS, MSR_IA32_PERF_CTL, MSR_IA32_XFD, MSR_IA32_XFD_ERR,
	MSR_IA32_DEBUGCTLMSR, MSR_CORE_PERF_FIXED_CTR0, MSR_IA32_PERF_CAPABILITIES,
	MSR_CORE_PERF_GLOBAL_CTRL, MSR_IA32_VMX_BASIC, MSR_IA32_VMX_VMFUNC,
	MSR_IA32_RTIT_CTL, MSR_IA32_DS_AREA, MSR_IA32_U_CET, MSR_IA32_S_CET,
	MSR_IA32_PL0_SSP, 0x6e1, MSR_TME_CAPABILITY, 0x982, 0x983, 0x984, 0xc80,
	0xc8d, 0xc8f, 0xc90, MSR_IA32_BNDCFGS, MSR_IA32_XSS, 0x14ce, MSR_NOBODYS,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK, MSR_FS_BASE,
	MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_K7_HWCR, 0xffffffff,
};

static void not_emulated_is_refused(struct tdx_guest *guest)
{
	for (int i = 0; i < ARRAY_SIZE(not_emulated); i++)
		assert_refused(guest, not_emulated[i]);
}

static void not_emulated_is_refused_to_the_host(struct tdx_guest *guest)
{
	for (int i = 0; i < ARRAY_SIZE(not_emulated); i++) {
		assert_host_cannot_read(guest, not_emulated[i]);
		assert_host_set(guest, not_emulated[i], 0, false);
	}
}

TEST_F(msr, not_emulated_is_refused_to_both_sides)
{
	not_emulated_is_refused(&self->guest);
	not_emulated_is_refused_to_the_host(&self->guest);
}

TEST_F(msr, paravirtual_is_refused)
{
	/* All of these have KVM access guest memory, or another guest's time. */
	static const u32 pv[] = {
		MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_KVM_WALL_CLOCK_NEW,
		MSR_KVM_SYSTEM_TIME_NEW, MSR_KVM_ASYNC_PF_EN, MSR_KVM_STEAL_TIME,
		MSR_KVM_PV_EOI_EN, MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_ACK,
		MSR_KVM_MIGRATION_CONTROL, 0x40000000, 0x40000001, 0x40000073,
	};

	for (int i = 0; i < ARRAY_SIZE(pv); i++) {
		assert_refused(&self->guest, pv[i]);
		assert_host_cannot_read(&self->guest, pv[i]);
		assert_host_set(&self->guest, pv[i], 0, false);
	}
}

TEST_F(msr, index_is_32_bits_as_for_the_instruction)
{
	struct tdx_guest *guest = &self->guest;
	const u64 high = 0xabcdull << 32;
	u64 val;

	TEST_ASSERT_EQ(tdx_guest_wrmsr(guest, high | MSR_IA32_POWER_CTL, SOME_VALUE),
		       TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(tdx_guest_rdmsr(guest, high | MSR_IA32_POWER_CTL, &val),
		       TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(val, SOME_VALUE);
	assert_is(guest, MSR_IA32_POWER_CTL, SOME_VALUE);
}

/* Deny accesses of @flags to @nr MSRs from @base on. */
static void deny(struct kvm_vm *vm, u32 flags, u32 base, u32 nr)
{
	u8 none[32] = {};
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = flags, .base = base, .nmsrs = nr, .bitmap = none,
		},
	};

	TEST_ASSERT(nr <= 8 * sizeof(none), "No bitmap for %u MSRs", nr);
	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static void lift_filter(struct kvm_vm *vm)
{
	struct kvm_msr_filter none = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &none);
}

static void filter_denies_reads(struct tdx_guest *guest)
{
	deny(guest->vcpu->vm, KVM_MSR_FILTER_READ, MSR_IA32_POWER_CTL, 1);
	assert_read_status(guest, MSR_IA32_POWER_CTL,
			   TDVMCALL_STATUS_INVALID_OPERAND);
	write_msr(guest, MSR_IA32_POWER_CTL, SOME_VALUE);

	/* The filter is for the guest only, and for that MSR. */
	assert_host_reads(guest, MSR_IA32_POWER_CTL, SOME_VALUE);
	read_msr(guest, MSR_IA32_CR_PAT);
	lift_filter(guest->vcpu->vm);
}

static void filter_denies_writes(struct tdx_guest *guest)
{
	u64 val = read_msr(guest, MSR_IA32_POWER_CTL);

	deny(guest->vcpu->vm, KVM_MSR_FILTER_WRITE, MSR_IA32_POWER_CTL, 1);
	assert_write_fails(guest, MSR_IA32_POWER_CTL, ~SOME_VALUE);
	assert_is(guest, MSR_IA32_POWER_CTL, val);
	assert_host_set(guest, MSR_IA32_POWER_CTL, ~SOME_VALUE, true);
	assert_is(guest, MSR_IA32_POWER_CTL, ~SOME_VALUE);
	lift_filter(guest->vcpu->vm);
}

static void filter_can_be_lifted(struct tdx_guest *guest)
{
	deny(guest->vcpu->vm, KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
	     MSR_IA32_POWER_CTL, 1);
	assert_refused(guest, MSR_IA32_POWER_CTL);
	lift_filter(guest->vcpu->vm);
	assert_stores(guest, MSR_IA32_POWER_CTL, SOME_VALUE, 0);
}

TEST_F(msr, filter_by_direction)
{
	filter_denies_reads(&self->guest);
	filter_denies_writes(&self->guest);
	filter_can_be_lifted(&self->guest);
}

static void filter_denies_by_default(struct tdx_guest *guest)
{
	u8 first = 1;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ,
			.base = MSR_IA32_MISC_ENABLE, .nmsrs = 1, .bitmap = &first,
		},
		.ranges[1] = {
			.flags = KVM_MSR_FILTER_WRITE,
			.base = MSR_IA32_POWER_CTL, .nmsrs = 1, .bitmap = &first,
		},
	};
	u64 misc = read_msr(guest, MSR_IA32_MISC_ENABLE);

	vm_ioctl(guest->vcpu->vm, KVM_X86_SET_MSR_FILTER, &filter);
	assert_refused(guest, MSR_IA32_MCG_STATUS);
	assert_refused(guest, MSR_IA32_TSC_DEADLINE);
	assert_is(guest, MSR_IA32_MISC_ENABLE, misc);
	assert_write_fails(guest, MSR_IA32_MISC_ENABLE, misc);
	write_msr(guest, MSR_IA32_POWER_CTL, SOME_VALUE);
	assert_read_status(guest, MSR_IA32_POWER_CTL,
			   TDVMCALL_STATUS_INVALID_OPERAND);

	/* The filter doesn't reach the x2APIC's. */
	assert_stores(guest, X2APIC_MSR(APIC_TDCR), 0xb, 0xa);
}

static void filter_gives_nothing_that_is_not_emulated(struct tdx_guest *guest)
{
	u8 all = 0xff;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.base = MSR_IA32_TSC, .nmsrs = 8, .bitmap = &all,
		},
	};

	vm_ioctl(guest->vcpu->vm, KVM_X86_SET_MSR_FILTER, &filter);
	assert_refused(guest, MSR_IA32_TSC);
}

TEST_F(msr, filter_by_default)
{
	filter_denies_by_default(&self->guest);
	filter_gives_nothing_that_is_not_emulated(&self->guest);
}

static void assert_msr_exit(struct kvm_vcpu *vcpu, u32 exit_reason, u32 msr,
			    u64 data, u32 reason)
{
	struct kvm_run *run = vcpu->run;
	static const u8 zero[sizeof(run->msr.pad)];

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, exit_reason);
	TEST_ASSERT_EQ(run->msr.index, msr);
	TEST_ASSERT_EQ(run->msr.data, data);
	TEST_ASSERT_EQ(run->msr.reason, reason);
	TEST_ASSERT_EQ(run->msr.error, 0);
	TEST_ASSERT(!memcmp(run->msr.pad, zero, sizeof(zero)), "Padding is used");
}

/* The guest's RDMSR or WRMSR, up to the exit that it causes. */
static void read_exits(struct tdx_guest *guest, u32 msr, u32 reason)
{
	memset(&guest->vcpu->run->msr, 0xff, sizeof(guest->vcpu->run->msr));
	tdx_guest_post_call(guest, TDVMCALL(EXIT_REASON_MSR_READ, msr));
	vcpu_run(guest->vcpu);
	assert_msr_exit(guest->vcpu, KVM_EXIT_X86_RDMSR, msr, 0, reason);
}

static void write_exits(struct tdx_guest *guest, u32 msr, u64 val, u32 reason)
{
	memset(&guest->vcpu->run->msr, 0xff, sizeof(guest->vcpu->run->msr));
	tdx_guest_post_call(guest, TDVMCALL(EXIT_REASON_MSR_WRITE, msr, val));
	vcpu_run(guest->vcpu);
	assert_msr_exit(guest->vcpu, KVM_EXIT_X86_WRMSR, msr, val, reason);
}

static void enable_exits(struct kvm_vm *vm, u64 reasons)
{
	vm_enable_cap(vm, KVM_CAP_X86_USER_SPACE_MSR, reasons);
}

static void deny_power_ctl(struct kvm_vm *vm)
{
	enable_exits(vm, KVM_MSR_EXIT_REASON_FILTER);
	deny(vm, KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE, MSR_IA32_POWER_CTL, 1);
}

static void exit_read_gets_64_bits_from_user_space(struct tdx_guest *guest)
{
	u64 val;

	write_msr(guest, MSR_IA32_POWER_CTL, ~SOME_VALUE);
	deny_power_ctl(guest->vcpu->vm);

	read_exits(guest, MSR_IA32_POWER_CTL, KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.data = SOME_VALUE;
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, &val), TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(val, SOME_VALUE);

	/* KVM's own register is out of it. */
	assert_host_reads(guest, MSR_IA32_POWER_CTL, ~SOME_VALUE);
}

static void exit_read_fails_by_user_space(struct tdx_guest *guest)
{
	u64 val;

	deny_power_ctl(guest->vcpu->vm);
	read_exits(guest, MSR_IA32_POWER_CTL, KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.data = SOME_VALUE;
	guest->vcpu->run->msr.error = 1;
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, &val),
		       TDVMCALL_STATUS_INVALID_OPERAND);
	TEST_ASSERT(val != SOME_VALUE, "The value of a failed read got through");
}

TEST_F(msr, exit_for_a_read)
{
	exit_read_gets_64_bits_from_user_space(&self->guest);
	exit_read_fails_by_user_space(&self->guest);
}

static void exit_write_gives_64_bits_to_user_space(struct tdx_guest *guest)
{
	u64 before = read_msr(guest, MSR_IA32_POWER_CTL);

	deny_power_ctl(guest->vcpu->vm);
	write_exits(guest, MSR_IA32_POWER_CTL, SOME_VALUE,
		    KVM_MSR_EXIT_REASON_FILTER);
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, NULL), TDVMCALL_STATUS_SUCCESS);
	assert_host_reads(guest, MSR_IA32_POWER_CTL, before);
}

static void exit_write_fails_by_user_space(struct tdx_guest *guest)
{
	deny_power_ctl(guest->vcpu->vm);
	write_exits(guest, MSR_IA32_POWER_CTL, SOME_VALUE,
		    KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.error = 1;
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, NULL),
		       TDVMCALL_STATUS_INVALID_OPERAND);
}

static void exit_error_is_forgotten_by_the_next_access(struct tdx_guest *guest)
{
	deny_power_ctl(guest->vcpu->vm);
	write_exits(guest, MSR_IA32_POWER_CTL, 1, KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.error = 1;
	tdx_guest_finish(guest);

	/* write_exits() finds the error preset to 0. */
	write_exits(guest, MSR_IA32_POWER_CTL, 2, KVM_MSR_EXIT_REASON_FILTER);
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, NULL), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(msr, exit_for_a_write)
{
	exit_write_gives_64_bits_to_user_space(&self->guest);
	exit_write_fails_by_user_space(&self->guest);
	exit_error_is_forgotten_by_the_next_access(&self->guest);
}

TEST_F(msr, exit_invalid_is_a_refused_value)
{
	struct tdx_guest *guest = &self->guest;

	enable_exits(self->vm, KVM_MSR_EXIT_REASON_INVAL);
	write_exits(guest, MSR_IA32_CR_PAT, 2, KVM_MSR_EXIT_REASON_INVAL);
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, NULL), TDVMCALL_STATUS_SUCCESS);

	write_exits(guest, MSR_EFER, 0, KVM_MSR_EXIT_REASON_INVAL);
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, NULL), TDVMCALL_STATUS_SUCCESS);

	/* An access that succeeds is no news. */
	assert_stores(guest, MSR_IA32_CR_PAT, 0, 0x0007040600070406);
}

TEST_F(msr, exit_unknown_is_a_write_that_kvm_has_no_code_for)
{
	struct tdx_guest *guest = &self->guest;

	enable_exits(self->vm, KVM_MSR_EXIT_REASON_UNKNOWN);
	write_exits(guest, MSR_IA32_MCG_CAP, SOME_VALUE,
		    KVM_MSR_EXIT_REASON_UNKNOWN);
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(tdx_call_result(guest, NULL), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(msr, exit_unknown_for_an_msr_that_is_not_emulated)
{
	struct tdx_guest *guest = &self->guest;
	struct kvm_run *run = self->vcpu->run;
	u32 reason;

	enable_exits(self->vm, KVM_MSR_EXIT_REASON_UNKNOWN |
			       KVM_MSR_EXIT_REASON_INVAL);
	tdx_guest_post_call(guest, TDVMCALL(EXIT_REASON_MSR_READ, MSR_NOBODYS));
	vcpu_run(self->vcpu);
	reason = run->msr.reason;
	assert_msr_exit(self->vcpu, KVM_EXIT_X86_RDMSR, MSR_NOBODYS, 0, reason);

	if (reason == KVM_MSR_EXIT_REASON_INVAL)
		XFAIL(return, "KVM calls an MSR invalid that it doesn't know");
	TEST_ASSERT_EQ(reason, KVM_MSR_EXIT_REASON_UNKNOWN);
}

TEST_F(msr, exit_makes_up_for_what_is_not_emulated)
{
	struct tdx_guest *guest = &self->guest;
	u64 val;

	/* KVM's reason for not emulating them is not the point here. */
	enable_exits(self->vm, KVM_MSR_EXIT_REASON_UNKNOWN |
			       KVM_MSR_EXIT_REASON_INVAL);
	for (int i = 0; i < ARRAY_SIZE(not_emulated); i++) {
		tdx_guest_post_call(guest, TDVMCALL(EXIT_REASON_MSR_READ,
							not_emulated[i]));
		vcpu_run(self->vcpu);
		assert_msr_exit(self->vcpu, KVM_EXIT_X86_RDMSR, not_emulated[i],
				0, self->vcpu->run->msr.reason);
		self->vcpu->run->msr.data = SOME_VALUE + i;
		tdx_guest_finish(guest);
		TEST_ASSERT_EQ(tdx_call_result(guest, &val),
			       TDVMCALL_STATUS_SUCCESS);
		TEST_ASSERT_EQ(val, SOME_VALUE + i);
	}
}

TEST_F(msr, exit_for_enabled_reasons_only)
{
	struct tdx_guest *guest = &self->guest;

	enable_exits(self->vm, KVM_MSR_EXIT_REASON_UNKNOWN |
			       KVM_MSR_EXIT_REASON_INVAL);
	deny(self->vm, KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
	     MSR_IA32_POWER_CTL, 1);
	assert_refused(guest, MSR_IA32_POWER_CTL);

	enable_exits(self->vm, KVM_MSR_EXIT_REASON_FILTER);
	assert_refused(guest, MSR_IA32_TSC);
	assert_write_fails(guest, MSR_IA32_CR_PAT, 2);

	enable_exits(self->vm, 0);
	assert_refused(guest, MSR_IA32_POWER_CTL);
}

/*
 * A guest that takes less #VE gets #GP for MSRs that KVM emulates, unless it
 * asks for #VE feature by feature.  By TDVMCALL they are there in any case.
 */
static const u32 ve_or_gp[] = {
	MSR_IA32_TSC_DEADLINE, MSR_TME_CAPABILITY, 0x982, 0x983, 0x984,
	MSR_MKTME_PARTITIONING, MSR_IA32_MCG_CAP, MSR_IA32_MCG_STATUS,
	MSR_IA32_MCG_CTL, MSR_IA32_MCG_EXT_CTL, MSR_IA32_MCx_CTL(0),
	MSR_IA32_MCx_STATUS(0), MSR_IA32_MCx_ADDR(0), MSR_IA32_MCx_MISC(0),
	MSR_IA32_MCx_CTL2(0), MSR_MTRRcap, MSR_MTRRdefType, MTRR_PHYS_BASE(0),
	MSR_MTRRfix64K_00000, MSR_CORE_CAPABILITIES, 0x33, MSR_IA32_PERF_STATUS,
	MSR_IA32_PERF_CTL, 0x19a, 0x19b, 0x19c, 0x19d, 0x1f8, 0x1f9, 0x1fa,
	0xc8d, 0xc8e, 0xc8f, 0xc90, MSR_IA32_FEAT_CTL, MSR_IA32_UCODE_REV,
	MSR_PLATFORM_INFO, MSR_MISC_FEATURES_ENABLES, MSR_IA32_MISC_ENABLE,
	MSR_IA32_POWER_CTL, MSR_NOBODYS,
};

struct observation {
	u64 read, val, write;
};

static struct observation observe(struct tdx_guest *guest, u32 msr)
{
	struct observation o = {};

	o.read = tdx_guest_rdmsr(guest, msr, &o.val);
	if (o.read)
		o.val = 0;

	/* Writing what is there anyhow, so that the next one finds the same. */
	o.write = tdx_guest_wrmsr(guest, msr, o.val);
	return o;
}

FIXTURE(ve_or_gp) {
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct observation first[ARRAY_SIZE(ve_or_gp)];
};

FIXTURE_SETUP(ve_or_gp)
{
	struct tdx_guest *guest = &self->guest;

	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
	tdx_guest_init(guest, self->vcpu);
	tdx_vm_finalize(self->vm);
	setup_mce(self->vcpu, mce_supported() | 4);

	/* Values that can be told from a register that isn't there. */
	if (vcpu_cpuid_has(self->vcpu, X86_FEATURE_TSC_DEADLINE_TIMER)) {
		write_msr(guest, X2APIC_MSR(APIC_LVTT),
			  APIC_LVT_MASKED | APIC_LVT_TIMER_TSCDEADLINE | 0x40);
		write_msr(guest, MSR_IA32_TSC_DEADLINE, some_deadline());
	}
	write_msr(guest, MSR_IA32_MCx_ADDR(0), SOME_VALUE);
	write_msr(guest, MSR_IA32_MCG_STATUS, SOME_VALUE);
	write_msr(guest, MTRR_PHYS_BASE(0), 0xfedcba006);

	for (int i = 0; i < ARRAY_SIZE(ve_or_gp); i++)
		self->first[i] = observe(guest, ve_or_gp[i]);
}

FIXTURE_TEARDOWN(ve_or_gp)
{
	kvm_vm_free(self->vm);
}

static void assert_nothing_changed(struct tdx_guest *guest,
				   const struct observation *first)
{
	for (int i = 0; i < ARRAY_SIZE(ve_or_gp); i++) {
		struct observation now = observe(guest, ve_or_gp[i]);

		TEST_ASSERT(!memcmp(&now, &first[i], sizeof(now)),
			    "MSR 0x%x: read 0x%lx (status 0x%lx), now 0x%lx (0x%lx), write 0x%lx, now 0x%lx",
			    ve_or_gp[i], (unsigned long)first[i].val,
			    (unsigned long)first[i].read, (unsigned long)now.val,
			    (unsigned long)now.read, (unsigned long)first[i].write,
			    (unsigned long)now.write);
	}
}

/* Set the bits @mask of the guest's own control @field, if the module has it. */
static bool control(struct tdx_guest *guest, u64 field, u64 val, u64 mask)
{
	u64 now;

	if (tdx_guest_vm_wr(guest, field, val, mask))
		return false;
	TEST_ASSERT_EQ(tdx_guest_vm_rd(guest, field, &now), TDX_SUCCESS);
	TEST_ASSERT_EQ(now & mask, val);
	return true;
}

static bool reduce_ve(struct tdx_guest *guest)
{
	return control(guest, TDX_MD_TD_CTLS, TDX_TD_CTLS_REDUCE_VE,
		       TDX_TD_CTLS_REDUCE_VE);
}

/* All that FEATURE_PARAVIRT_CTRL has, and one of them */
#define PARAVIRT_ALL		GENMASK_ULL(11, 0)
#define PARAVIRT_TSC_DEADLINE	BIT_ULL(11)

TEST_F(ve_or_gp, same_for_all_guests_with_reduce_ve)
{
	struct tdx_guest *guest = &self->guest;
	u64 val;

	if (!reduce_ve(guest))
		SKIP(return, "the TDX module has no REDUCE_VE");
	assert_nothing_changed(guest, self->first);

	/* The point: the instruction fails, and in a way that isn't for KVM. */
	TEST_ASSERT_EQ(tdx_guest_native_rdmsr(guest, MSR_IA32_TSC_DEADLINE, &val),
		       GP_VECTOR);
}

TEST_F(ve_or_gp, same_for_each_paravirt_ctrl)
{
	struct tdx_guest *guest = &self->guest;
	u64 val;

	if (!reduce_ve(guest))
		SKIP(return, "the TDX module has no REDUCE_VE");

	for (u64 bit = 1; bit & PARAVIRT_ALL; bit <<= 1) {
		if (!control(guest, TDX_MD_FEATURE_PARAVIRT_CTRL, bit, PARAVIRT_ALL))
			continue;
		assert_nothing_changed(guest, self->first);
		if (bit == PARAVIRT_TSC_DEADLINE &&
		    vcpu_cpuid_has(self->vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
			TEST_ASSERT_EQ(tdx_guest_native_rdmsr(guest,
							      MSR_IA32_TSC_DEADLINE,
							      &val),
				       VE_VECTOR);
	}
}

TEST_F(ve_or_gp, same_for_all_paravirt_ctrl)
{
	struct tdx_guest *guest = &self->guest;

	if (!reduce_ve(guest))
		SKIP(return, "the TDX module has no REDUCE_VE");
	if (!control(guest, TDX_MD_FEATURE_PARAVIRT_CTRL, PARAVIRT_ALL, PARAVIRT_ALL))
		SKIP(return, "the TDX module has not all of FEATURE_PARAVIRT_CTRL");
	assert_nothing_changed(guest, self->first);
	TEST_ASSERT(control(guest, TDX_MD_FEATURE_PARAVIRT_CTRL, 0, PARAVIRT_ALL),
		    "FEATURE_PARAVIRT_CTRL can't be cleared");
	assert_nothing_changed(guest, self->first);
}

TEST_F(ve_or_gp, same_for_paravirt_ctrl_without_reduce_ve)
{
	struct tdx_guest *guest = &self->guest;

	if (!control(guest, TDX_MD_FEATURE_PARAVIRT_CTRL, PARAVIRT_ALL, PARAVIRT_ALL))
		SKIP(return, "the TDX module has not all of FEATURE_PARAVIRT_CTRL");
	assert_nothing_changed(guest, self->first);
}

TEST_F(ve_or_gp, same_for_topology)
{
	struct tdx_guest *guest = &self->guest;

	/* With it the guest reads its APIC id without KVM. */
	if (!control(guest, TDX_MD_TD_CTLS, TDX_TD_CTLS_ENUM_TOPOLOGY,
		     TDX_TD_CTLS_ENUM_TOPOLOGY))
		SKIP(return, "the TDX module has no ENUM_TOPOLOGY");
	assert_nothing_changed(guest, self->first);
	TEST_ASSERT_EQ(read_msr(guest, X2APIC_MSR(APIC_ID)), (u64)self->vcpu->id);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
