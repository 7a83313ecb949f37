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


#endif /* SELFTEST_KVM_TDX_TEST_HARNESS_H */
