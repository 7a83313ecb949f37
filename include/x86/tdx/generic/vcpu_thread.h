/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that runs beside the test.  Not about TDX: for the common lib.
 *
 * No test may depend on time, so a test waits for what it can see of the vCPU: the
 * guest says in shared memory how far it is, or KVM's statistics say that the vCPU
 * sleeps.
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

/* Wait for its end.  Returns what ioctl() returned, with errno. */
int vcpu_thread_join(struct vcpu_thread *t);

/* Send a signal, which ends a KVM_RUN that is known to have begun. */
void vcpu_thread_kick(struct vcpu_thread *t);

/* Wait until KVM has put @vcpu to sleep. */
void vcpu_wait_until_asleep(struct kvm_vcpu *vcpu);

/* Wait until *@flag, which the guest shares, is @value. */
void wait_for_guest(const u64 *flag, u64 value);

#endif /* SELFTEST_KVM_VCPU_THREAD_H */
