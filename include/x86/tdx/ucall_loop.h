/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's side of ucalls: runs a vCPU up to what its guest has to tell.
 */
#ifndef SELFTEST_KVM_TDX_UCALL_LOOP_H
#define SELFTEST_KVM_TDX_UCALL_LOOP_H

#include "kvm_util.h"
#include "ucall_common.h"

/*
 * Run until the guest has something to tell.  Returns UCALL_SYNC or UCALL_DONE
 * with @uc filled in, or UCALL_NONE for an exit that is no ucall.  Prints what
 * the guest prints, and fails the test when the guest's assertion fails.
 */
static inline u64 tdx_vcpu_run(struct kvm_vcpu *vcpu, struct ucall *uc)
{
	for (;;) {
		vcpu_run(vcpu);

		switch (get_ucall(vcpu, uc)) {
		case UCALL_PRINTF:
			REPORT_GUEST_PRINTF(*uc);
			break;
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(*uc);
			break;
		default:
			return uc->cmd;
		}
	}
}

#define __tdx_vcpu_run_expect(vcpu, uc, expected)			\
do {									\
	/* Not in the assertion, which may look at its arguments first. */ \
	u64 __cmd = tdx_vcpu_run(vcpu, uc);				\
									\
	TEST_ASSERT(__cmd == (expected),				\
		    "Wanted %s, got ucall %lu, exit reason %u (%s)",	\
		    #expected, (unsigned long)__cmd,			\
		    (vcpu)->run->exit_reason,				\
		    exit_reason_str((vcpu)->run->exit_reason));		\
} while (0)

/* Run to the guest's next GUEST_SYNC(), which has to be that of @stage. */
#define tdx_vcpu_run_to_sync(vcpu, stage)				\
do {									\
	struct ucall __uc;						\
									\
	__tdx_vcpu_run_expect(vcpu, &__uc, UCALL_SYNC);			\
	TEST_ASSERT_EQ(__uc.args[1], (u64)(stage));			\
} while (0)

/* Run to the guest's GUEST_DONE(). */
#define tdx_vcpu_run_to_done(vcpu)					\
do {									\
	struct ucall __uc;						\
									\
	__tdx_vcpu_run_expect(vcpu, &__uc, UCALL_DONE);			\
} while (0)

#endif /* SELFTEST_KVM_TDX_UCALL_LOOP_H */
