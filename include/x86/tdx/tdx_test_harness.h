/* SPDX-License-Identifier: GPL-2.0 */
/* Fixtures for TDX tests, and what several of them assert or need. */
#ifndef SELFTEST_KVM_TDX_TEST_HARNESS_H
#define SELFTEST_KVM_TDX_TEST_HARNESS_H

#include "kselftest_harness.h"
#include "tdx/generic/asserts.h"
#include "tdx/generic/runner_notes.h"
#include "tdx/generic/test_memory.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

/*
 * A case may take as long as the test: how long that is depends on the machine, and on
 * what the kernel checks, and the test has a limit from whoever runs it.
 */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	3600

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

/*
 * Fail if a selection of cases (-r, -f, ...) matches none.  The harness exits with
 * success then.
 */
static pid_t test_harness_pid;

static inline void test_fail_without_cases(void)
{
	if (getpid() != test_harness_pid || ksft_test_num())
		return;
	ksft_print_msg("No case of that name\n");
	fflush(stdout);
	_exit(KSFT_FAIL);
}

#define test_harness_run(argc, argv)					\
({									\
	int __ret;							\
									\
	test_harness_pid = getpid();					\
	atexit(test_fail_without_cases);				\
	__ret = test_harness_run(argc, argv);				\
	test_harness_pid = 0;						\
	__ret;								\
})

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
