// SPDX-License-Identifier: GPL-2.0
/*
 * Records what can be seen of a host's TDX module and of its CPU.
 *
 *	tdx_profile [FILE]
 *
 * "tdx/box diff" compares two such files.  See include/x86/tdx/profile.h for the format.
 */
#include <kselftest.h>

#include "tdx/profile.h"

int main(int argc, char *argv[])
{
	if (argc > 2) {
		fprintf(stderr, "usage: %s [FILE]\n", argv[0]);
		return KSFT_FAIL;
	}
	TEST_REQUIRE(is_tdx_supported());
	if (argc == 2 && !freopen(argv[1], "w", stdout)) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], argv[1], strerror(errno));
		return KSFT_FAIL;
	}

	profile_line("tdx-profile 1");
	profile_host();
	profile_kvm();
	profile_cpuid();
	profile_td(true);
	profile_td(false);

	if (fflush(stdout) || ferror(stdout)) {
		perror(argv[0]);
		return KSFT_FAIL;
	}
	return 0;
}
