// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_X86_SET_MSR_FILTER: user space denies a TD's guest some of the MSRs that
 * KVM emulates for it.
 *
 * The filter applies to TDVMCALL<RDMSR> and TDVMCALL<WRMSR>, per direction, but
 * neither to user space's own accesses nor to the x2APIC's MSRs.  It can take
 * MSRs away, but can't add any.
 */
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"

#define FILTER_BOTH	(KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE)

TDX_MSR_SUITE(msr_filter);

/* Deny the guest accesses in the directions @flags to @msr. */
static void deny(struct kvm_vm *vm, u32 flags, u32 msr)
{
	u8 denied = 0;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = flags, .base = msr, .nmsrs = 1, .bitmap = &denied,
		},
	};

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static void remove_filter(struct kvm_vm *vm)
{
	struct kvm_msr_filter none = { .flags = KVM_MSR_FILTER_DEFAULT_ALLOW };

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &none);
}

static void assert_reads_can_be_denied(struct tdx_guest *guest)
{
	deny(guest->vcpu->vm, KVM_MSR_FILTER_READ, MSR_IA32_POWER_CTL);
	assert_guest_read_fails(guest, MSR_IA32_POWER_CTL);
	guest_write_msr(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE);

	/* The filter is neither for the host nor for other MSRs. */
	assert_host_reads(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE);
	guest_read_msr(guest, MSR_IA32_CR_PAT);
	remove_filter(guest->vcpu->vm);
}

static void assert_writes_can_be_denied(struct tdx_guest *guest)
{
	u64 val = guest_read_msr(guest, MSR_IA32_POWER_CTL);

	deny(guest->vcpu->vm, KVM_MSR_FILTER_WRITE, MSR_IA32_POWER_CTL);
	assert_guest_cannot_change(guest, MSR_IA32_POWER_CTL, ~MSR_TEST_VALUE);
	assert_msr_is(guest, MSR_IA32_POWER_CTL, val);
	assert_host_writes(guest, MSR_IA32_POWER_CTL, ~MSR_TEST_VALUE);
	assert_msr_is(guest, MSR_IA32_POWER_CTL, ~MSR_TEST_VALUE);
	remove_filter(guest->vcpu->vm);
}

static void assert_filter_can_be_removed(struct tdx_guest *guest)
{
	deny(guest->vcpu->vm, FILTER_BOTH, MSR_IA32_POWER_CTL);
	assert_guest_has_no_msr(guest, MSR_IA32_POWER_CTL);
	remove_filter(guest->vcpu->vm);
	assert_msr_stores(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE, 0);
}

TEST_F(msr_filter, by_direction)
{
	assert_reads_can_be_denied(&self->td.guest);
	assert_writes_can_be_denied(&self->td.guest);
	assert_filter_can_be_removed(&self->td.guest);
}

static void assert_all_others_are_denied(struct tdx_guest *guest)
{
	u8 allowed = 1;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ,
			.base = MSR_IA32_MISC_ENABLE, .nmsrs = 1, .bitmap = &allowed,
		},
		.ranges[1] = {
			.flags = KVM_MSR_FILTER_WRITE,
			.base = MSR_IA32_POWER_CTL, .nmsrs = 1, .bitmap = &allowed,
		},
	};
	u64 misc = guest_read_msr(guest, MSR_IA32_MISC_ENABLE);

	vm_ioctl(guest->vcpu->vm, KVM_X86_SET_MSR_FILTER, &filter);
	assert_guest_has_no_msr(guest, MSR_IA32_MCG_STATUS);
	assert_guest_has_no_msr(guest, MSR_IA32_TSC_DEADLINE);
	assert_msr_is(guest, MSR_IA32_MISC_ENABLE, misc);
	assert_guest_cannot_change(guest, MSR_IA32_MISC_ENABLE, misc);
	guest_write_msr(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE);
	assert_guest_read_fails(guest, MSR_IA32_POWER_CTL);

	/* The x2APIC's MSRs can't be filtered. */
	assert_msr_stores(guest, X2APIC_MSR(APIC_TDCR), 0xb, 0xa);
}

static void assert_allowing_an_msr_does_not_emulate_it(struct tdx_guest *guest)
{
	u8 allowed = 0xff;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = {
			.flags = FILTER_BOTH,
			.base = MSR_IA32_TSC, .nmsrs = 8, .bitmap = &allowed,
		},
	};

	vm_ioctl(guest->vcpu->vm, KVM_X86_SET_MSR_FILTER, &filter);
	assert_guest_has_no_msr(guest, MSR_IA32_TSC);
}

TEST_F(msr_filter, deny_by_default)
{
	assert_all_others_are_denied(&self->td.guest);
	assert_allowing_an_msr_does_not_emulate_it(&self->td.guest);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
