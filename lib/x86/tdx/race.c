// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/host_cpus.h"
#include "tdx/race.h"
#include "tdx/races_wanted.h"

/*
 * What the emulated host is told, by a leaf of CPUID that no CPU has: EAX is the leaf,
 * ECX the mark.
 */
#define MARK_LEAF	0x4d41524b	/* "MARK" */
#define MARK_BEGIN	1
#define MARK_END	2

static void mark(u32 what)
{
	u32 eax, ebx, ecx, edx;

	__cpuid(MARK_LEAF, what, &eax, &ebx, &ecx, &edx);
}

/* A race, and the thread of one racer. */
struct start {
	pthread_barrier_t barrier;
	int nr_racing;
};

struct lane {
	struct racer *racer;
	struct start *start;
	int side;
	pthread_t thread;
};

static pid_t threads[MAX_RACERS];

int race_cpu(int side)
{
	return host_cpus[(side + 1) % nr_host_cpus];
}

pid_t race_thread(int side)
{
	return threads[side];
}

/* Whoever is first begins the race, and whoever is last ends it. */
static void *run_lane(void *arg)
{
	struct lane *lane = arg;
	struct racer *racer = lane->racer;

	threads[lane->side] = gettid();
	pin_self_to_cpu(race_cpu(lane->side));
	pthread_barrier_wait(&lane->start->barrier);
	if (racer->wait)
		racer->wait(racer->arg);
	mark(MARK_BEGIN);
	racer->error = racer->op(racer->arg, lane->side);
	if (!__atomic_sub_fetch(&lane->start->nr_racing, 1, __ATOMIC_SEQ_CST))
		mark(MARK_END);
	return NULL;
}

void race(struct racer *racers, int nr_racers)
{
	struct start start = { .nr_racing = nr_racers };
	struct lane lanes[MAX_RACERS];

	TEST_ASSERT(nr_racers <= MAX_RACERS, "Too many racers: %d", nr_racers);
	pthread_barrier_init(&start.barrier, NULL, nr_racers);
	for (int i = 0; i < nr_racers; i++) {
		lanes[i] = (struct lane) { &racers[i], &start, i };
		TEST_ASSERT_EQ(pthread_create(&lanes[i].thread, NULL, run_lane, &lanes[i]), 0);
	}
	for (int i = 0; i < nr_racers; i++)
		TEST_ASSERT_EQ(pthread_join(lanes[i].thread, NULL), 0);
	pthread_barrier_destroy(&start.barrier);
}

int race_load_vcpu(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	return errno_of(__vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &state));
}

/* As other selftests are told that the kernel looks for its own bugs. */
static bool is_slow(void)
{
	const char *slow = getenv("KSFT_MACHINE_SLOW");

	return slow && !strcmp(slow, "yes");
}

u32 nr_races_wanted(u32 by_default)
{
	const char *wanted = getenv("TDX_RACES");

	if (wanted)
		return atoi_positive("TDX_RACES", wanted);
	return is_slow() ? DIV_ROUND_UP(by_default, 3) : by_default;
}
