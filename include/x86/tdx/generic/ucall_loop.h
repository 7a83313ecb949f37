/* SPDX-License-Identifier: GPL-2.0 */
/* Run a vCPU to its next ucall.  Not about TDX: for the common lib. */
#ifndef SELFTEST_KVM_UCALL_LOOP_H
#define SELFTEST_KVM_UCALL_LOOP_H

#include "kvm_util.h"
#include "ucall_common.h"

/*
 * Run to the guest's next ucall.  Returns UCALL_SYNC or UCALL_DONE with @uc filled
 * in, or UCALL_NONE for an exit that isn't a ucall.  Prints what the guest prints,
 * and fails the test if an assertion in the guest fails.
 */
u64 vcpu_run_to_ucall(struct kvm_vcpu *vcpu, struct ucall *uc);

/*
 * The vCPU's last exit in words, with details such as a memory fault's GPA or a
 * port.  The next call overwrites it.
 */
const char *vcpu_exit_str(struct kvm_vcpu *vcpu);

/* UCALL_SYNC etc. by name. */
const char *ucall_str(u64 cmd);

#define __vcpu_run_expect(vcpu, uc, expected)				\
do {									\
	/* Not in TEST_ASSERT(), which may evaluate its last arguments first. */ \
	u64 __cmd = vcpu_run_to_ucall(vcpu, uc);			\
									\
	TEST_ASSERT(__cmd == (expected), "Wanted %s, got %s, %s",	\
		    #expected, ucall_str(__cmd), vcpu_exit_str(vcpu));	\
} while (0)

/* Run to the guest's next GUEST_SYNC(), which has to be GUEST_SYNC(@stage). */
#define vcpu_run_to_sync(vcpu, stage)					\
do {									\
	struct ucall __uc;						\
									\
	__vcpu_run_expect(vcpu, &__uc, UCALL_SYNC);			\
	TEST_ASSERT_EQ(__uc.args[1], (u64)(stage));			\
} while (0)

/* Run to the guest's GUEST_DONE(). */
#define vcpu_run_to_done(vcpu)						\
do {									\
	struct ucall __uc;						\
									\
	__vcpu_run_expect(vcpu, &__uc, UCALL_DONE);			\
} while (0)

#endif /* SELFTEST_KVM_UCALL_LOOP_H */
