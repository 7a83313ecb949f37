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

/* A complaint, and who called the function that it is about, as far as that is known. */
static char complaint[300];
static bool in_task;

static void judge(char *text, size_t size)
{
	if (complaint[0] && !fuzz_is_known(complaint))
		snprintf(text + strlen(text), size - strlen(text), "%s\n", complaint);
	complaint[0] = '\0';
	in_task = false;
}

static void take_line(const char *line, char *text, size_t size, bool *any)
{
	if (is_complaint(line)) {
		judge(text, size);
		snprintf(complaint, sizeof(complaint), "%.200s", line);
		*any = true;
	} else if (complaint[0] && strstr(line, "<TASK>")) {
		in_task = true;
	} else if (complaint[0] && in_task && !strstr(line, " ? ")) {
		snprintf(complaint + strlen(complaint), sizeof(complaint) - strlen(complaint),
			 " from%.60s", line);
		judge(text, size);
	}
}

void fuzz_log_read(char *text, size_t size, bool *any)
{
	char record[2048], *line;
	ssize_t len;

	for (;;) {
		len = read(log_fd, record, sizeof(record) - 1);
		/* EPIPE: some are lost, go on with the next. */
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			break;
		record[len] = '\0';
		line = strchr(record, ';');
		line = line ? line + 1 : record;
		line[strcspn(line, "\n")] = '\0';
		take_line(line, text, size, any);
	}
	judge(text, size);
}
