/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that runs beside the test, for what has to happen to it while it runs
 * or sleeps.  No test here may depend on time, so a vCPU's thread is waited for
 * by what can be seen of it: the guest says in shared memory that it is there,
 * or KVM says by its statistics that the vCPU sleeps.
 */
#ifndef SELFTEST_KVM_TDX_VCPU_THREAD_H
#define SELFTEST_KVM_TDX_VCPU_THREAD_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "kvm_util.h"

#define VCPU_THREAD_SIGNAL	SIGUSR1

struct vcpu_thread {
	struct kvm_vcpu *vcpu;
	pthread_t thread;
	int ret, error;		/* of KVM_RUN */
};

static inline void vcpu_thread_signal_handler(int signal) { }

static inline void *vcpu_thread_run(void *arg)
{
	struct vcpu_thread *t = arg;

	errno = 0;
	t->ret = __vcpu_run(t->vcpu);
	t->error = errno;
	return NULL;
}

/* Start one KVM_RUN of @vcpu. */
static inline void vcpu_thread_start(struct vcpu_thread *t, struct kvm_vcpu *vcpu)
{
	/* No SA_RESTART: a kick has to end the ioctl. */
	const struct sigaction action = { .sa_handler = vcpu_thread_signal_handler };

	TEST_ASSERT_EQ(sigaction(VCPU_THREAD_SIGNAL, &action, NULL), 0);
	t->vcpu = vcpu;
	TEST_ASSERT_EQ(pthread_create(&t->thread, NULL, vcpu_thread_run, t), 0);
}

/* Wait for its end.  Returns what ioctl() returned, with errno. */
static inline int vcpu_thread_join(struct vcpu_thread *t)
{
	TEST_ASSERT_EQ(pthread_join(t->thread, NULL), 0);
	errno = t->error;
	return t->ret;
}

/* Send a signal, which ends a KVM_RUN that is known to have begun. */
static inline void vcpu_thread_kick(struct vcpu_thread *t)
{
	TEST_ASSERT_EQ(pthread_kill(t->thread, VCPU_THREAD_SIGNAL), 0);
}

/* Wait until KVM has put @vcpu to sleep: what comes then has to wake it. */
static inline void vcpu_wait_until_asleep(struct kvm_vcpu *vcpu)
{
	while (!vcpu_get_stat(vcpu, blocking))
		sched_yield();
}

/* Wait until @flag, which the guest shares, is @value. */
static inline void wait_for_guest(const u64 *flag, u64 value)
{
	while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) != value)
		sched_yield();
}

#endif /* SELFTEST_KVM_TDX_VCPU_THREAD_H */
