/* SPDX-License-Identifier: GPL-2.0 */
/* More assertions, and XFAIL.  Not about TDX: for the common lib. */
#ifndef SELFTEST_KVM_ASSERTS_H
#define SELFTEST_KVM_ASSERTS_H

#include <signal.h>
#include <sys/wait.h>

#include "kvm_util.h"

/* @call, an ioctl's wrapper, fails with errno @error. */
#define TEST_ASSERT_FAILS(call, error)					\
do {									\
	int __ret;							\
									\
	errno = 0;							\
	__ret = (call);							\
	TEST_ASSERT(__ret == -1 && errno == (error),			\
		    "Wanted %s from %s, got %d, errno %d (%s)", #error,	\
		    #call, __ret, errno, strerror(errno));		\
} while (0)

/* The child @pid ends, which this waits for, and by SIGKILL. */
#define TEST_ASSERT_KILLED(pid)						\
do {									\
	int __status;							\
									\
	TEST_ASSERT_EQ(waitpid(pid, &__status, 0), pid);		\
	TEST_ASSERT(WIFSIGNALED(__status) && WTERMSIG(__status) == SIGKILL, \
		    "Wanted the child killed, got status 0x%x", __status);	\
} while (0)

/*
 * For cases of the kselftest harness: like SKIP(), for a case that has hit a known
 * bug of KVM, and nothing but that bug.  The harness's XFAIL_ADD() accepts any
 * failure.
 */
#define XFAIL(statement, fmt, ...)					\
do {									\
	snprintf(_metadata->results->reason,				\
		 sizeof(_metadata->results->reason), fmt, ##__VA_ARGS__); \
	if (TH_LOG_ENABLED)						\
		fprintf(TH_LOG_STREAM, "#      XFAIL     %s\n",		\
			_metadata->results->reason);			\
	_metadata->exit_code = KSFT_XFAIL;				\
	_metadata->trigger = 0;						\
	statement;							\
} while (0)

/* The vCPU's last exit is port I/O; @_dir is KVM_EXIT_IO_IN or _OUT. */
#define TEST_ASSERT_EXIT_IO(vcpu, _port, _size, _dir)			\
do {									\
	struct kvm_run *__run = (vcpu)->run;				\
									\
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);			\
	TEST_ASSERT_EQ(__run->io.port, _port);				\
	TEST_ASSERT_EQ(__run->io.size, _size);				\
	TEST_ASSERT_EQ(__run->io.direction, _dir);			\
	TEST_ASSERT_EQ(__run->io.count, 1);				\
} while (0)

/* The vCPU's last exit is MMIO, at a GPA without the shared bit. */
#define TEST_ASSERT_EXIT_MMIO(vcpu, _gpa, _size, _is_write)		\
do {									\
	struct kvm_run *__run = (vcpu)->run;				\
									\
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);		\
	TEST_ASSERT_EQ(__run->mmio.phys_addr, _gpa);			\
	TEST_ASSERT_EQ(__run->mmio.len, _size);				\
	TEST_ASSERT_EQ(__run->mmio.is_write, _is_write);		\
} while (0)

#endif /* SELFTEST_KVM_ASSERTS_H */
