/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which kernel this is.  Not about TDX: for the common lib.
 *
 * Only for what a kernel shows by its absence alone, which in a newer one is a bug.  Where
 * it can be asked, as by a capability, ask.
 */
#ifndef SELFTEST_KVM_KERNEL_RELEASE_H
#define SELFTEST_KVM_KERNEL_RELEASE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "test_util.h"

/* Is the running kernel older than the release @major.@minor? */
static inline bool is_kernel_before(int major, int minor)
{
	struct utsname name;
	int x, y;

	TEST_ASSERT_EQ(uname(&name), 0);
	if (sscanf(name.release, "%d.%d", &x, &y) != 2)
		TEST_FAIL("Unknown kernel release '%s'", name.release);
	return x < major || (x == major && y < minor);
}

#endif /* SELFTEST_KVM_KERNEL_RELEASE_H */
