// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm_util.h"
#include "tdx/generic/kernel_log.h"

void expect_kernel_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);
	char line[128];
	int len;

	if (fd < 0)
		return;

	/* One write is one line to the kernel, and dprintf() tries to seek. */
	len = snprintf(line, sizeof(line), "kselftest: expects: %s\n", text);
	TEST_ASSERT_EQ(write(fd, line, len), len);
	close(fd);
}

bool panics_on_warning(void)
{
	FILE *f = fopen("/proc/sys/kernel/panic_on_warn", "r");
	int panics = 0;

	if (f) {
		TEST_ASSERT_EQ(fscanf(f, "%d", &panics), 1);
		fclose(f);
	}
	return panics;
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
