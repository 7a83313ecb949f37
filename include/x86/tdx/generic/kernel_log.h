/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's log while a test runs.  Not about TDX: for the common lib.
 *
 * A case in which KVM is known to warn says so beforehand, and checks whether KVM
 * does.
 */
#ifndef SELFTEST_KVM_KERNEL_LOG_H
#define SELFTEST_KVM_KERNEL_LOG_H

#include <stdbool.h>

/*
 * Tell who reads the kernel's log after the test that one line with @text is about
 * to come.  In @text a "*" stands for anything, and "|" separates alternatives.
 */
void expect_kernel_log(const char *text);

/* Would a warning of KVM's bring this host down? */
bool panics_on_warning(void);

#define PANICS_ON_WARNING	"the host would panic if KVM gets this wrong"

/*
 * Open the kernel's log, for what comes from here on.  Returns a file descriptor,
 * or a negative number without access to the log.
 */
int kernel_log_open(void);

/* Did @function warn?  Reads and closes what kernel_log_open() returned. */
bool kernel_log_has_warning(int fd, const char *function);

#endif /* SELFTEST_KVM_KERNEL_LOG_H */
