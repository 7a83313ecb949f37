/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that runs in a thread of its own.  Not about TDX: for the common lib.
 *
 * Tests must not depend on timing, so they wait for what they can observe: the
 * guest reports its progress in shared memory, or KVM's statistics show that the
 * vCPU sleeps.
 */
#ifndef SELFTEST_KVM_VCPU_THREAD_H
#define SELFTEST_KVM_VCPU_THREAD_H

#include <pthread.h>
#include <signal.h>

#include "kvm_util.h"

/* What vcpu_thread_kick() sends. */
#define VCPU_THREAD_SIGNAL	SIGUSR1

struct vcpu_thread {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int ret, error;		/* of KVM_RUN */
};

/* Start one KVM_RUN of @vcpu. */
void vcpu_thread_start(struct vcpu_thread *t, struct kvm_vcpu *vcpu);

/* Wait until KVM_RUN returns.  Returns what ioctl() returned, with errno. */
int vcpu_thread_join(struct vcpu_thread *t);

/* Send the thread a signal.  This ends KVM_RUN, but only if it has begun already. */
void vcpu_thread_kick(struct vcpu_thread *t);

/* Wait until KVM has put @vcpu to sleep. */
void vcpu_wait_until_asleep(struct kvm_vcpu *vcpu);

/* Wait until *@flag, which the guest shares, is @value. */
void wait_for_guest(const u64 *flag, u64 value);

#endif /* SELFTEST_KVM_VCPU_THREAD_H */
