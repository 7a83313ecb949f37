/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says of itself while a test runs.
 *
 * Where KVM is known to warn of something that is not its business to warn of,
 * the case says so beforehand, and sees whether it does.
 */
#ifndef SELFTEST_KVM_TDX_KERNEL_LOG_H
#define SELFTEST_KVM_TDX_KERNEL_LOG_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kvm_util.h"

/*
 * Tell whoever reads the kernel's log after the test that one line with @text is
 * about to come.  In @text a "*" stands for anything, and "|" separates
 * alternatives.
 */
static inline void expect_kernel_log(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY);
	char line[128];
	int len;

	if (fd < 0)
		return;

	/* The kernel takes one write for one line, and dprintf() tries to seek. */
	len = snprintf(line, sizeof(line), "kselftest: expects: %s\n", text);
	TEST_ASSERT_EQ(write(fd, line, len), len);
	close(fd);
}

/* A host that panics for a warning must not pay for what KVM does wrong. */
static inline bool panics_on_warning(void)
{
	FILE *f = fopen("/proc/sys/kernel/panic_on_warn", "r");
	int panics = 0;

	if (f) {
		TEST_ASSERT_EQ(fscanf(f, "%d", &panics), 1);
		fclose(f);
	}
	return panics;
}

#define PANICS_ON_WARNING	"the host would panic if KVM gets this wrong"

/*
 * What the kernel says from here on.  Returns a file descriptor, negative
 * without access to its log.
 */
static inline int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Did @function warn?  Reads, and closes, what kernel_log_open() gave. */
static inline bool kernel_log_has_warning(int fd, const char *function)
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

#endif /* SELFTEST_KVM_TDX_KERNEL_LOG_H */
