// SPDX-License-Identifier: GPL-2.0
/*
 * The frequency of a TD's TSC, which KVM_SET_TSC_KHZ on the VM chooses before
 * KVM_TDX_INIT_VM.
 *
 * The TDX module takes multiples of 25 MHz, from 100 MHz to 10 GHz.  KVM emulates
 * the APIC's timer and so has to compute with the frequency that the TD really
 * has.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_init_vm.h"

#define TSC_UNIT_KHZ		25000

#define TOO_FAST_FOR_KVM	"no VM of this host can have a TSC that fast"
#define WRONG_FREQUENCY		"KVM computes with a frequency that the TD doesn't have"

TDX_INIT_VM_SUITE(tsc_frequency);

static u64 frequency_khz(struct kvm_vm *vm)
{
	int khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);

	TEST_ASSERT(khz > 0, KVM_IOCTL_ERROR(KVM_GET_TSC_KHZ, khz));
	return khz;
}

TEST_F(tsc_frequency, too_slow)
{
	const u64 khz = frequency_khz(self->vm);

	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(3ul * TSC_UNIT_KHZ));
	assert_module_refuses(self->vm, self->init);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
}

TEST_F(tsc_frequency, too_fast)
{
	const u64 khz = frequency_khz(self->vm);

	if (__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(401ul * TSC_UNIT_KHZ)))
		SKIP(return, TOO_FAST_FOR_KVM);

	assert_module_refuses(self->vm, self->init);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
}

/* KVM passes the frequency to the module in 16 bits. */
TEST_F(tsc_frequency, overflow)
{
	const u64 khz = frequency_khz(self->vm);

	if (__vm_ioctl(self->vm, KVM_SET_TSC_KHZ,
		       (void *)((BIT(16) + 100ul) * TSC_UNIT_KHZ)))
		SKIP(return, TOO_FAST_FOR_KVM);

	if (!__tdx_init_vm(self->vm, self->init, NULL)) {
		self->initialized = true;
		XFAIL(return, "KVM truncates 1640.9 GHz to 2.5 GHz");
	}

	TEST_ASSERT_EQ(errno, EINVAL);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
}

/* A TD whose guest reads its TSC's frequency. */
TDX_INIT_VM_GUEST_SUITE(seen_by_guest);

static u64 read_tsc_khz(struct tdx_guest *guest)
{
	u64 units;

	TEST_ASSERT_EQ(tdx_guest_vm_rd(guest, TDX_MD_TSC_FREQUENCY, &units),
		       TDX_SUCCESS);
	return units * TSC_UNIT_KHZ;
}

TEST_F(seen_by_guest, frequency_of_host)
{
	tdx_init_vm(self->vm, self->init);
	self->guest = init_vm_guest_launch(self->vm);
	TEST_ASSERT_EQ(read_tsc_khz(&self->guest) / TSC_UNIT_KHZ,
		       frequency_khz(self->vm) / TSC_UNIT_KHZ);
}

/* KVM may refuse such a frequency, or round it, but then has to know that. */
TEST_F(seen_by_guest, between_two_units)
{
	const u64 khz = 81ul * TSC_UNIT_KHZ - 1;
	u64 known, real;

	if (__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz) ||
	    __tdx_init_vm(self->vm, self->init, NULL)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return;
	}

	self->guest = init_vm_guest_launch(self->vm);
	known = __vcpu_ioctl(self->guest.vcpu, KVM_GET_TSC_KHZ, NULL);
	real = read_tsc_khz(&self->guest);
	if (known == khz && real == 80ul * TSC_UNIT_KHZ)
		XFAIL(return, WRONG_FREQUENCY);

	TEST_ASSERT_EQ(known, real);
}

/*
 * KVM_TDX_INIT_VM fixes the frequency.  KVM may refuse to change it afterwards, or
 * ignore the new one, but must not compute with it.
 */
TEST_F(seen_by_guest, set_after_init_vm)
{
	const u64 khz = 80ul * TSC_UNIT_KHZ;
	struct kvm_vcpu *vcpu;
	bool accepted;

	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
	tdx_init_vm(self->vm, self->init);
	accepted = !__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(khz / 2));
	vcpu = vm_vcpu_add(self->vm, 0, tdx_guest_serve);

	if (accepted && __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL) == khz / 2)
		XFAIL(return, WRONG_FREQUENCY);

	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL), khz);
}

TEST_F(seen_by_guest, set_after_vcpu)
{
	tdx_init_vm(self->vm, self->init);
	vm_vcpu_add(self->vm, 0, tdx_guest_serve);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_SET_TSC_KHZ,
				     (void *)(80ul * TSC_UNIT_KHZ)), EINVAL);
}

/* Frequencies over the whole range that the module supports. */
FIXTURE(supported) { };

FIXTURE_VARIANT(supported) {
	u64 units;
};

FIXTURE_VARIANT_ADD(supported, lowest) { .units = 4 };
FIXTURE_VARIANT_ADD(supported, medium) { .units = 81 };
FIXTURE_VARIANT_ADD(supported, highest) { .units = 400 };

FIXTURE_SETUP(supported) { }
FIXTURE_TEARDOWN(supported) { }

TEST_F(supported, seen_by_guest)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct tdx_guest guest;

	if (__vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(variant->units * TSC_UNIT_KHZ))) {
		kvm_vm_free(vm);
		SKIP(return, TOO_FAST_FOR_KVM);
	}

	guest = init_vm_guest_launch(vm);
	TEST_ASSERT_EQ(read_tsc_khz(&guest), variant->units * TSC_UNIT_KHZ);
	TEST_ASSERT_EQ(__vcpu_ioctl(guest.vcpu, KVM_GET_TSC_KHZ, NULL),
		       variant->units * TSC_UNIT_KHZ);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
