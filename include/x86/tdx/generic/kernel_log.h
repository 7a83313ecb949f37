/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's log while a test runs.  Not about TDX: for the common lib.
 *
 * A case that makes KVM warn, because of a known bug, announces the warning in the
 * log and then checks for it.
 */
#ifndef SELFTEST_KVM_KERNEL_LOG_H
#define SELFTEST_KVM_KERNEL_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Write "kselftest: @text" to the kernel's log, if that is permitted. */
void write_kernel_log(const char *text);

/*
 * Announce in the kernel's log that one line with @text is expected, for whoever
 * checks the log after the test.  In @text, "*" stands for anything, and "|"
 * separates alternatives.
 */
void expect_kernel_log(const char *text);

/*
 * Would a WARN() in KVM bring this host down?  With a limit on warnings it might be
 * the last one.
 */
bool panics_on_warning(void);

#define PANICS_ON_WARNING	"the host would panic if KVM gets this wrong"

/* In a case or fixture of the harness: like SKIP(), where a warning would be the end. */
#define SKIP_IF_PANICS_ON_WARNING(statement)				\
do {									\
	if (panics_on_warning())					\
		SKIP(statement, PANICS_ON_WARNING);			\
} while (0)

/*
 * Open the kernel's log, to read what is logged from now on.  Returns a file
 * descriptor, or a negative number without access to the log.
 */
int kernel_log_open(void);

/*
 * Read the next line, without the kernel's prefix and the newline, to @line of @size
 * bytes.  Returns false if there is none.
 */
bool kernel_log_read(int fd, char *line, size_t size);

/* Does the kernel complain about something in that line? */
bool kernel_log_is_complaint(const char *line);

/*
 * Let each WARN_ON_ONCE() that has warned since the kernel booted warn again, where that
 * is permitted.
 */
void kernel_log_warn_again(void);

/* Did @function warn?  Reads and closes what kernel_log_open() returned. */
bool kernel_log_has_warning(int fd, const char *function);

#endif /* SELFTEST_KVM_KERNEL_LOG_H */
