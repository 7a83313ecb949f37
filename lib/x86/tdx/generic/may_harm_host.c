// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"

bool may_harm_host(void)
{
	const char *allowed = getenv("TDX_MAY_HARM_HOST");

	return allowed && *allowed && strcmp(allowed, "0");
}

void announce_harm(const char *fixture, const char *test)
{
	char text[100];

	snprintf(text, sizeof(text), "may harm the host: %s %s.%s",
		 program_invocation_short_name, fixture, test);
	write_kernel_log(text);
}
