/* SPDX-License-Identifier: GPL-2.0 */
/* Fixtures for TDX tests, and what several of them assert or need. */
#ifndef SELFTEST_KVM_TDX_TEST_HARNESS_H
#define SELFTEST_KVM_TDX_TEST_HARNESS_H

#include "kselftest_harness.h"
#include "tdx/generic/asserts.h"
#include "tdx/generic/test_memory.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

/*
 * As KVM_ONE_VCPU_TEST_SUITE(), but each case creates the TD together with its
 * guest code: once a TD is launched, its entry point can't change.
 */
#define KVM_ONE_VCPU_TD_TEST_SUITE(name)				\
	FIXTURE(name) {							\
		struct kvm_vcpu *vcpu;					\
	};								\
									\
	FIXTURE_SETUP(name) { }						\
									\
	FIXTURE_TEARDOWN(name) {					\
		if (self->vcpu)						\
			kvm_vm_free(self->vcpu->vm);			\
	}

#define KVM_ONE_VCPU_TD_TEST(suite, test, guestcode)			\
static void __suite##_##test(struct kvm_vcpu *vcpu);			\
									\
TEST_F(suite, test)							\
{									\
	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &self->vcpu,	\
				      guestcode);			\
	__suite##_##test(self->vcpu);					\
}									\
static void __suite##_##test(struct kvm_vcpu *vcpu)

/* A fixture "td" for suites whose cases each have a TD of their own. */
#define TDX_GUEST_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct tdx_guest td;					\
	};								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->td.vm);				\
	}

/* ... which is launched when the case begins. */
#define TDX_GUEST_SUITE(name)						\
	TDX_GUEST_FIXTURE(name)						\
									\
	FIXTURE_SETUP(name) {						\
		tdx_guest_create(&self->td);				\
		tdx_vm_finalize(self->td.vm);				\
	}

/* KVM allows a TD no more vCPUs than the host has CPUs. */
static inline bool has_two_cpus(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_MAX_VCPUS) >= 2;
}

#define NEEDS_TWO_CPUS	"two vCPUs need two host CPUs"

/* Add two vCPUs and launch. */
static inline void tdx_vm_launch_two(struct kvm_vm *vm, struct kvm_vcpu *vcpu[2],
				     void *guest0, void *guest1)
{
	vcpu[0] = vm_vcpu_add(vm, 0, guest0);
	vcpu[1] = vm_vcpu_add(vm, 1, guest1);
	tdx_vm_finalize(vm);
}

/* KVM refuses every ioctl of a dead VM with EIO. */
static inline bool vm_is_dead(struct kvm_vm *vm)
{
	return __vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_USER_MEMORY) < 0 &&
	       errno == EIO;
}

#define NO_MEMSLOT_BEYOND_WIDTH	"KVM has no memslots that high"

#endif /* SELFTEST_KVM_TDX_TEST_HARNESS_H */
