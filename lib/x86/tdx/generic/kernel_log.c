// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm_util.h"
#include "tdx/generic/kernel_log.h"

void write_kernel_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);
	char line[160];
	int len;

	if (fd < 0)
		return;

	/* One write is one line to the kernel, and dprintf() tries to seek. */
	len = snprintf(line, sizeof(line), "kselftest: %s\n", text);
	TEST_ASSERT(len < sizeof(line), "No room for '%s' in a line", text);
	TEST_ASSERT_EQ(write(fd, line, len), len);
	close(fd);
}

void expect_kernel_log(const char *text)
{
	char line[128];

	snprintf(line, sizeof(line), "expects: %s", text);
	write_kernel_log(line);
}

static int read_sysctl(const char *path)
{
	FILE *f = fopen(path, "r");
	int value = 0;

	if (f) {
		TEST_ASSERT_EQ(fscanf(f, "%d", &value), 1);
		fclose(f);
	}
	return value;
}

bool panics_on_warning(void)
{
	return read_sysctl("/proc/sys/kernel/panic_on_warn") ||
	       read_sysctl("/proc/sys/kernel/warn_limit");
}

int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

bool kernel_log_read(int fd, char *line, size_t size)
{
	char record[2048], *text;
	ssize_t len;

	/* EPIPE: some are lost, go on with the next. */
	do {
		len = read(fd, record, sizeof(record) - 1);
	} while (len < 0 && errno == EPIPE);
	if (len <= 0)
		return false;

	record[len] = '\0';
	text = strchr(record, ';');
	text = text ? text + 1 : record;
	snprintf(line, size, "%.*s", (int)strcspn(text, "\n"), text);
	return true;
}

bool kernel_log_is_complaint(const char *line)
{
	static const char *const complaints[] = {
		"WARNING: ", "BUG: ", "Oops", "general protection", "kernel BUG at",
		"SEAMCALL", "UBSAN:", "KASAN:", "INFO: ", "self-detected stall", "possible ",
		"suspicious ", "inconsistent lock state", "ODEBUG: ",
	};

	/* An announcement has the text of the complaint. */
	if (strstr(line, "kselftest: "))
		return false;
	for (int i = 0; i < ARRAY_SIZE(complaints); i++)
		if (strstr(line, complaints[i]))
			return true;
	return false;
}

void kernel_log_warn_again(void)
{
	int fd = open("/sys/kernel/debug/clear_warn_once", O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		errno = 0;
	close(fd);
}

bool kernel_log_has_warning(int fd, const char *function)
{
	bool warned = false;
	char line[1024];

	if (fd < 0)
		return false;

	while (kernel_log_read(fd, line, sizeof(line)))
		warned |= strstr(line, "WARNING: ") && strstr(line, function);
	close(fd);
	return warned;
}
