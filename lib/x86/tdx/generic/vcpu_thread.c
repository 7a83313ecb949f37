// SPDX-License-Identifier: GPL-2.0
#include <sched.h>

#include "tdx/generic/vcpu_thread.h"

static void do_nothing(int signal) { }

static void *vcpu_thread_run(void *arg)
{
	struct vcpu_thread *t = arg;

	errno = 0;
	t->ret = __vcpu_run(t->vcpu);
	t->error = errno;
	return NULL;
}

void vcpu_thread_start(struct vcpu_thread *t, struct kvm_vcpu *vcpu)
{
	/* No SA_RESTART: the signal has to end the ioctl. */
	const struct sigaction action = { .sa_handler = do_nothing };

	TEST_ASSERT_EQ(sigaction(VCPU_THREAD_SIGNAL, &action, NULL), 0);
	t->vcpu = vcpu;
	TEST_ASSERT_EQ(pthread_create(&t->thread, NULL, vcpu_thread_run, t), 0);
}

int vcpu_thread_join(struct vcpu_thread *t)
{
	TEST_ASSERT_EQ(pthread_join(t->thread, NULL), 0);
	errno = t->error;
	return t->ret;
}

void vcpu_thread_kick(struct vcpu_thread *t)
{
	TEST_ASSERT_EQ(pthread_kill(t->thread, VCPU_THREAD_SIGNAL), 0);
}

void vcpu_wait_until_asleep(struct kvm_vcpu *vcpu)
{
	while (!vcpu_get_stat(vcpu, blocking))
		sched_yield();
}

void wait_for_guest(const u64 *flag, u64 value)
{
	while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) != value)
		sched_yield();
}
