// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "tdx/generic/misc_cgroup.h"

#define NO_TDS_TIMEOUT_S	10

s64 misc_cgroup_read(const char *cgroup, const char *file)
{
	char text[BUF_SIZE], *s;

	if (cg_read(cgroup, file, text, sizeof(text)))
		return -1;

	s = strstr(text, "tdx");
	if (!s)
		return -1;

	/* The kernel prints a signed number as unsigned. */
	s += strcspn(s, " ");
	return (s64)strtoull(s, NULL, 10);
}

/* In misc.max, "max" stands for no limit. */
static bool has_limit(const char *cgroup)
{
	char text[BUF_SIZE], *s;

	if (cg_read(cgroup, "misc.max", text, sizeof(text)))
		return false;

	s = strstr(text, "tdx ");
	return s && isdigit(s[strlen("tdx ")]);
}

/* From this process's cgroup up to the root, which has no cgroup.type. */
bool misc_cgroup_may_limit_tds(void)
{
	char root[PATH_MAX], own[BUF_SIZE], path[PATH_MAX + BUF_SIZE];
	char *relative;

	if (cg_find_unified_root(root, sizeof(root), NULL))
		return false;

	snprintf(path, sizeof(path), "%s/cgroup.type", root);
	if (!access(path, F_OK))
		return true;

	TEST_ASSERT(read_text("/proc/self/cgroup", own, sizeof(own)) > 0,
		    "No access to /proc/self/cgroup, errno %d", errno);
	relative = strstr(own, "0::/");
	if (!relative)
		return false;
	relative += strlen("0::");
	relative[strcspn(relative, "\n")] = '\0';

	while (*relative) {
		snprintf(path, sizeof(path), "%s%s", root, relative);
		if (has_limit(path))
			return true;
		*strrchr(relative, '/') = '\0';
	}
	return false;
}

s64 misc_cgroup_tds(const struct misc_cgroup *cg)
{
	return misc_cgroup_read(cg->path, "misc.current");
}

bool misc_cgroup_create(struct misc_cgroup *cg, const char *name)
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

void misc_cgroup_enter(const struct misc_cgroup *cg)
{
	TEST_ASSERT(!cg_enter_current(cg->path), "Can't enter '%s', errno %d",
		    cg->path, errno);
}

void misc_cgroup_destroy(struct misc_cgroup *cg)
{
	if (cg->path[0])
		TEST_ASSERT(!cg_destroy(cg->path), "Can't remove '%s', errno %d",
			    cg->path, errno);
}

bool __misc_cgroup_wait_for_no_tds(const struct misc_cgroup *cg, int seconds)
{
	const time_t deadline = time(NULL) + seconds;

	while (misc_cgroup_tds(cg) > 0 && time(NULL) < deadline)
		sched_yield();
	return !misc_cgroup_tds(cg);
}

void misc_cgroup_wait_for_no_tds(const struct misc_cgroup *cg)
{
	__misc_cgroup_wait_for_no_tds(cg, NO_TDS_TIMEOUT_S);
	assert_charged(cg, 0);
}
