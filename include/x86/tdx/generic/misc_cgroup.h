/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A misc cgroup of a test's own.  For the common lib, with the resource as an
 * argument.
 *
 * KVM charges each TD's KeyID to the cgroup of the process that initialises the
 * TD.  So user space can tell when a KeyID is taken and when it is free again,
 * whatever else the machine does.
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

#endif /* SELFTEST_KVM_MISC_CGROUP_H */
