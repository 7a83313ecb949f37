/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A misc cgroup for one test.  For the common lib, once the resource is an
 * argument.
 *
 * KVM charges each TD's KeyID to the cgroup of the process that initialises the
 * TD.  So a test can tell when its TDs take and free KeyIDs, whatever other
 * processes do.
 */
#ifndef SELFTEST_KVM_MISC_CGROUP_H
#define SELFTEST_KVM_MISC_CGROUP_H

#include <limits.h>
#include <stdio.h>

#include "cgroup_util.h"
#include "kvm_util.h"

struct misc_cgroup {
	char root[PATH_MAX];
	char path[PATH_MAX];
};

/* Returns the number after "tdx" in @file of the misc controller, or -1. */
s64 misc_cgroup_read(const char *cgroup, const char *file);

/*
 * Might a cgroup that this process is in refuse a TD although there is a KeyID left?
 * Returns true also if that can't be seen, as in a container.
 */
bool misc_cgroup_may_limit_tds(void);

/* Returns the number of TDs that the cgroup is charged for. */
s64 misc_cgroup_tds(const struct misc_cgroup *cg);

#define assert_charged(cg, nr)						\
	TEST_ASSERT_EQ(misc_cgroup_tds(cg), (s64)(nr))

/*
 * Create a cgroup below the root, named after the test's process and @name.
 * Returns false if there is no misc controller for TDX that the test may use.
 */
bool misc_cgroup_create(struct misc_cgroup *cg, const char *name);

/* Charge what this process does from now on to @cg. */
void misc_cgroup_enter(const struct misc_cgroup *cg);

/* Remove the cgroup, which no process may be in. */
void misc_cgroup_destroy(struct misc_cgroup *cg);

/*
 * Wait until @cg is charged for no TD; asserts that it happens within 10 seconds.
 * For a TD whose process has exited: anyone who looks at that process in /proc just
 * then keeps its memory, and the vCPUs' run pages with it, a little longer.
 */
void misc_cgroup_wait_for_no_tds(const struct misc_cgroup *cg);

/* The same, but returns false if it does not happen within @seconds. */
bool __misc_cgroup_wait_for_no_tds(const struct misc_cgroup *cg, int seconds);

#define NEEDS_MISC_CGROUP	"needs the misc controller, and root"

/*
 * A fixture of the harness whose cases run in a cgroup of their own.  The parent
 * removes the cgroup, because TDs may live until the case's process has exited.
 */
#define MISC_CGROUP_SUITE(name)						\
	FIXTURE(name) {							\
		struct misc_cgroup cg;					\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		if (misc_cgroup_create(&self->cg, "a"))			\
			misc_cgroup_enter(&self->cg);			\
		else							\
			SKIP(/* no return */, NEEDS_MISC_CGROUP);	\
	}								\
									\
	FIXTURE_TEARDOWN_PARENT(name) {					\
		misc_cgroup_destroy(&self->cg);				\
	}

#endif /* SELFTEST_KVM_MISC_CGROUP_H */
