/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that start together, to see whether KVM keeps them apart.
 *
 * On most hosts it is a matter of luck in which order things happen.  The host that
 * "make races" emulates chooses the order, and is told here when to: from the moment
 * when all threads have come to the start until all are done.  Fixtures with such races
 * have names that begin with "race".
 */
#ifndef SELFTEST_KVM_TDX_RACE_H
#define SELFTEST_KVM_TDX_RACE_H

#include <sys/types.h>
#include <linux/types.h>

#define MAX_RACERS	3

struct kvm_vcpu;

struct racer {
	/* What it does with @arg; @side is its number.  Returns an errno, or 0. */
	int (*op)(void *arg, int side);
	void *arg;
	int error;	/* what @op has returned */
	/* What it waits for before it takes part, which is no part of the race; or NULL. */
	void (*wait)(void *arg);
};

/* What @op returns of an ioctl. */
#define errno_of(call)	((call) < 0 ? errno : 0)

/*
 * Have all racers do what they do at once, each on a CPU of its own if there are as many,
 * and wait until they have.
 */
void race(struct racer *racers, int nr_racers);

/*
 * The CPU of a side.  The first of host_cpus[] comes last: it has work of the kernel's to
 * do, which others may wait for.
 */
int race_cpu(int side);

/* The thread that does what @side does, for sched_setaffinity() and the like. */
pid_t race_thread(int side);

/* Have KVM load the vCPU on this CPU, wherever it is.  Returns an errno, or 0. */
int race_load_vcpu(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_TDX_RACE_H */
