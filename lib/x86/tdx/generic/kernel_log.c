// SPDX-License-Identifier: GPL-2.0
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

bool kernel_log_has_warning(int fd, const char *function)
{
	bool warned = false;
	char line[1024];
	ssize_t len;

	if (fd < 0)
		return false;

	while ((len = read(fd, line, sizeof(line) - 1)) > 0) {
		line[len] = '\0';
		warned |= strstr(line, "WARNING: ") && strstr(line, function);
	}
	close(fd);
	return warned;
}
