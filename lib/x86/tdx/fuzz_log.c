// SPDX-License-Identifier: GPL-2.0
/* The kernel's complaints. */
#include "tdx/fuzz.h"
#include "tdx/generic/kernel_log.h"

static int log_fd = -1;

static const char *const complaints[] = {
	"WARNING: ", "BUG: ", "Oops", "general protection", "kernel BUG at", "INFO: rcu",
	"self-detected stall", "possible recursive locking", "possible circular locking",
	"suspicious RCU usage", "inconsistent lock state", "UBSAN:", "INFO: task",
};

static bool is_complaint(const char *line)
{
	const char *seamcall = strstr(line, "SEAMCALL ");

	if (seamcall && strstr(seamcall, "failed"))
		return true;
	for (int i = 0; i < ARRAY_SIZE(complaints); i++)
		if (strstr(line, complaints[i]))
			return true;
	return false;
}

void fuzz_log_open(void)
{
	log_fd = kernel_log_open();
}

void fuzz_log_read(char *text, size_t size, bool *any)
{
	char record[2048];
	ssize_t len;

	for (;;) {
		char *line;

		len = read(log_fd, record, sizeof(record) - 1);
		/* EPIPE: some are lost, go on with the next. */
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			return;
		record[len] = '\0';
		line = strchr(record, ';');
		line = line ? line + 1 : record;
		line[strcspn(line, "\n")] = '\0';
		if (!is_complaint(line))
			continue;
		*any = true;
		if (!fuzz_is_known(line))
			snprintf(text + strlen(text), size - strlen(text), "%s\n", line);
	}
}
