// SPDX-License-Identifier: GPL-2.0
/*
 * Many TDs: one after the other, several at once, and killed at any moment.  None
 * of them may leak its private KeyID or memory.
 *
 * A small leak shows only after many TDs.  TDX_LIVES is the number of TDs of a
 * case, TDX_KILLS the number of processes to kill.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/keyids.h"
#include "tdx/small_td.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

TDX_TEST_RUNS_ALONE;

#define MAX_VCPUS	4
#define MAX_THREADS	8

/* The duration depends on TDX_LIVES and TDX_KILLS. */
#define NO_TIMEOUT	INT_MAX

/* The cases have up to MAX_THREADS TDs at once, and try one too many. */
#define NR_KEYIDS	(MAX_THREADS + 1)

/* KeyIDs free before the first case. */
static u32 nr_keys;

static u32 nr_lives = 2;
static u32 nr_kills = 2;

static void *run_to_shutdown(void *arg)
{
	small_td_run_to_shutdown(arg);
	return NULL;
}

/* Create, run and destroy a TD, each vCPU in a thread if there are several. */
static void live(u32 nr_vcpus, struct small_td_code code)
{
	struct kvm_vm *vm = small_td_create(nr_vcpus, code);
	pthread_t threads[MAX_VCPUS];
	struct kvm_vcpu *vcpu;
	int n = 0;

	if (nr_vcpus == 1) {
		run_to_shutdown(list_first_entry(&vm->vcpus, struct kvm_vcpu, list));
	} else {
		list_for_each_entry(vcpu, &vm->vcpus, list)
			TEST_ASSERT_EQ(pthread_create(&threads[n++], NULL,
						      run_to_shutdown, vcpu), 0);
		while (n)
			TEST_ASSERT_EQ(pthread_join(threads[--n], NULL), 0);
	}

	kvm_vm_free(vm);
}

/* The number of TDs that can exist at once, each with a KeyID. */
static u32 count_keys(void)
{
	struct tdx_keyids *keyids = tdx_keyids_alloc();
	struct kvm_vm *refused = tdx_keyids_take_all(keyids);
	u32 nr = keyids->nr;

	if (refused)
		kvm_vm_free(refused);
	tdx_keyids_free(keyids);
	return nr;
}

static u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/*
 * The kernel may destroy a killed process's TD only after the process is gone.  A KeyID
 * that is lost does not come back.
 */
#define KEYS_COME_BACK_NS	(20 * NSEC_PER_SEC)

static void wait_for_all_keys(void)
{
	u64 end = now_ns() + KEYS_COME_BACK_NS;

	while (count_keys() != nr_keys && now_ns() < end)
		sched_yield();
	TEST_ASSERT_EQ(count_keys(), nr_keys);
}

static long available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb;

	TEST_ASSERT(f, "Can't open /proc/meminfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "MemAvailable: %ld kB", &kb) == 1) {
			fclose(f);
			return kb;
		}
	}
	TEST_FAIL("No MemAvailable in /proc/meminfo");
	return 0;
}

/*
 * Free memory changes for other reasons, too: the caches of the kernel's
 * allocators vary by some megabytes, and there may be other processes.  It is a
 * leak if more than that is lost in each attempt.  With 10,000 TDs that finds a
 * leak of one page in every other TD.
 */
#define SLACK_KB	16384
#define NR_ATTEMPTS	3

FIXTURE(stress) { };

FIXTURE_SETUP(stress)
{
	if (!tdx_keyids_can_be_used_up())
		SKIP(return, A_CGROUP_MAY_LIMIT_TDS);
	TEST_ASSERT(nr_keys, "No KeyID is free");
}

FIXTURE_TEARDOWN(stress) { }

#define assert_nothing_lost(body)					\
do {									\
	long __lost;							\
									\
	for (int __i = 0; __i < NR_ATTEMPTS; __i++) {			\
		__lost = available_kb();				\
		body;							\
		wait_for_all_keys();					\
		__lost -= available_kb();				\
		if (__lost <= SLACK_KB)					\
			break;						\
	}								\
	TEST_ASSERT(__lost <= SLACK_KB, "%ld kB lost, again and again",	\
		    __lost);						\
} while (0)

static void many_lives(void)
{
	for (u32 i = 0; i < nr_lives; i++)
		live(1, SMALL_TD_INT3);
}

TEST_F_TIMEOUT(stress, one_after_the_other, NO_TIMEOUT)
{
	assert_nothing_lost(many_lives());
}

static u32 max_vcpus(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	u32 nr = min_t(u32, vm_check_cap(vm, KVM_CAP_MAX_VCPUS), MAX_VCPUS);

	kvm_vm_free(vm);
	return nr;
}

struct parallel {
	u32 nr_started;
	u32 nr_vcpus;
};

static void *parallel_lives(void *arg)
{
	struct parallel *p = arg;

	while (__atomic_fetch_add(&p->nr_started, 1, __ATOMIC_RELAXED) < nr_lives)
		live(p->nr_vcpus, SMALL_TD_INT3);
	return NULL;
}

static void many_parallel_lives(u32 nr_threads)
{
	struct parallel p = { .nr_vcpus = max_vcpus() };
	pthread_t threads[MAX_THREADS];

	for (u32 i = 0; i < nr_threads; i++)
		TEST_ASSERT_EQ(pthread_create(&threads[i], NULL, parallel_lives, &p), 0);
	for (u32 i = 0; i < nr_threads; i++)
		TEST_ASSERT_EQ(pthread_join(threads[i], NULL), 0);
}

TEST_F_TIMEOUT(stress, many_at_once, NO_TIMEOUT)
{
	u32 nr_threads = min_t(u32, nr_keys, MAX_THREADS);

	assert_nothing_lost(many_parallel_lives(nr_threads));
}

/* Run TDs in a child process, which the kernel kills after @ns nanoseconds. */
static void live_and_be_killed(u64 ns, u32 nr_vcpus, struct small_td_code code)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGKILL,
	};
	struct itimerspec when = {
		.it_value.tv_sec = ns / NSEC_PER_SEC,
		.it_value.tv_nsec = ns % NSEC_PER_SEC,
	};
	timer_t timer;
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		TEST_ASSERT(!timer_create(CLOCK_MONOTONIC, &event, &timer),
			    "timer_create() failed, errno %d", errno);
		TEST_ASSERT(!timer_settime(timer, 0, &when, NULL),
			    "timer_settime() failed, errno %d", errno);
		for (;;)
			live(nr_vcpus, code);
	}

	TEST_ASSERT_KILLED(pid);
}

/* Kill TDs at any moment, with one vCPU or several, that shut down or spin. */
static void many_kills(void)
{
	u32 nr_vcpus = max_vcpus();
	u64 ns = now_ns();

	live(nr_vcpus, SMALL_TD_INT3);
	ns = now_ns() - ns;

	for (u32 i = 0; i < nr_kills; i++)
		live_and_be_killed(1 + kvm_random_u64(&kvm_rng) % (2 * ns),
				   1 + kvm_random_u32(&kvm_rng) % nr_vcpus,
				   kvm_random_bool(&kvm_rng) ? SMALL_TD_INT3 : SMALL_TD_JMP_SELF);
}

TEST_F_TIMEOUT(stress, killed, NO_TIMEOUT)
{
	assert_nothing_lost(many_kills());
}

int main(int argc, char *argv[])
{
	const char *lives = getenv("TDX_LIVES"), *kills = getenv("TDX_KILLS");

	TEST_REQUIRE(is_tdx_supported());

	if (lives)
		nr_lives = atoi_positive("TDX_LIVES", lives);
	if (kills)
		nr_kills = atoi_positive("TDX_KILLS", kills);

	nr_keys = tdx_keyids_leave(NR_KEYIDS);
	return test_harness_run(argc, argv);
}
