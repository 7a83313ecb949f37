// SPDX-License-Identifier: GPL-2.0
/* The kernel's complaints. */
#include "tdx/fuzz.h"
#include "tdx/generic/kernel_log.h"

static int log_fd = -1;

void fuzz_log_open(void)
{
	log_fd = kernel_log_open();
}

/* A complaint, and who called the function that it is about, as far as that is known. */
static char complaint[300];
static bool in_task;

static void judge(const struct fuzz_program *p, char *text, size_t size)
{
	if (complaint[0] && !fuzz_is_known(complaint, p))
		snprintf(text + strlen(text), size - strlen(text), "%s\n", complaint);
	complaint[0] = '\0';
	in_task = false;
}

static void take_line(const struct fuzz_program *p, const char *line, char *text, size_t size,
		      bool *any)
{
	if (kernel_log_is_complaint(line)) {
		judge(p, text, size);
		snprintf(complaint, sizeof(complaint), "%.200s", line);
		*any = true;
	} else if (complaint[0] && strstr(line, "<TASK>")) {
		in_task = true;
	} else if (complaint[0] && in_task && !strstr(line, " ? ")) {
		snprintf(complaint + strlen(complaint), sizeof(complaint) - strlen(complaint),
			 " from%.60s", line);
		judge(p, text, size);
	}
}

void fuzz_log_read(const struct fuzz_program *p, char *text, size_t size, bool *any)
{
	char line[2048];

	while (kernel_log_read(log_fd, line, sizeof(line)))
		take_line(p, line, text, size, any);
	judge(p, text, size);
}
