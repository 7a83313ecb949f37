// SPDX-License-Identifier: GPL-2.0
/*
 * Records what can be seen of a host's TDX module and of its CPU.
 *
 *	tdx_profile FILE
 *
 * The box runs the module that FILE describes: tdx/box run --profile FILE.  See
 * include/x86/tdx/profile.h for the format.
 */
#include <kselftest.h>

#include "tdx/profile.h"

int main(int argc, char *argv[])
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return KSFT_FAIL;
	}
	TEST_REQUIRE(is_tdx_supported());
	TEST_ASSERT(freopen(argv[1], "w", stdout), "Can't write '%s', errno %d", argv[1],
		    errno);

	profile_line("tdx-profile 1");
	profile_host();
	profile_kvm();
	profile_cpuid();
	profile_td(true);
	profile_td(false);

	TEST_ASSERT(!fflush(stdout) && !ferror(stdout), "Can't write '%s', errno %d",
		    argv[1], errno);
	return 0;
}
