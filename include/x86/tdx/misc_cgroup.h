/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A misc cgroup for a test of its own: KVM charges each TD's KeyID to the
 * cgroup of whoever initialised it, and that is how user space can see for sure
 * when a KeyID is taken and when it is free again, whatever else the machine
 * does.
 */
#ifndef SELFTEST_KVM_TDX_MISC_CGROUP_H
#define SELFTEST_KVM_TDX_MISC_CGROUP_H

#include <limits.h>

#include "cgroup_util.h"
#include "kvm_util.h"

struct misc_cgroup {
	char root[PATH_MAX];
	char path[PATH_MAX];
};

/* The number behind "tdx" in a file of the misc controller, or -1. */
static inline s64 misc_cgroup_read(const char *cgroup, const char *file)
{
	char text[BUF_SIZE], *s;

	if (cg_read(cgroup, file, text, sizeof(text)))
		return -1;

	s = strstr(text, "tdx");
	if (!s)
		return -1;

	/* The kernel prints as unsigned what it has as signed. */
	s += strcspn(s, " ");
	return (s64)strtoull(s, NULL, 10);
}

/* How many TDs the cgroup is charged for. */
static inline s64 misc_cgroup_tds(const struct misc_cgroup *cg)
{
	return misc_cgroup_read(cg->path, "misc.current");
}

#define assert_charged(cg, nr)						\
	TEST_ASSERT_EQ(misc_cgroup_tds(cg), (s64)(nr))

/*
 * Create a cgroup below the root, called after the test's process and @name.
 * Returns false if this host has no misc controller for TDX, or not for us.
 */
static inline bool misc_cgroup_create(struct misc_cgroup *cg, const char *name)
{
	if (cg_find_unified_root(cg->root, sizeof(cg->root), NULL) ||
	    cg_write(cg->root, "cgroup.subtree_control", "+misc") ||
	    misc_cgroup_read(cg->root, "misc.capacity") <= 0)
		return false;

	TEST_ASSERT(snprintf(cg->path, sizeof(cg->path), "%s/tdx_test-%d-%s",
			     cg->root, getpid(), name) < sizeof(cg->path),
		    "No room for '%s' in a path", name);
	TEST_ASSERT(!cg_create(cg->path), "Can't create '%s', errno %d",
		    cg->path, errno);
	return true;
}

/* Charge what this process does from now on to @cg. */
static inline void misc_cgroup_enter(const struct misc_cgroup *cg)
{
	TEST_ASSERT(!cg_enter_current(cg->path), "Can't enter '%s', errno %d",
		    cg->path, errno);
}

/* Nobody may be in it any more. */
static inline void misc_cgroup_destroy(struct misc_cgroup *cg)
{
	if (cg->path[0])
		TEST_ASSERT(!cg_destroy(cg->path), "Can't remove '%s', errno %d",
			    cg->path, errno);
}

#endif /* SELFTEST_KVM_TDX_MISC_CGROUP_H */
