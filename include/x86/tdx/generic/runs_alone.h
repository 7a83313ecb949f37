/* SPDX-License-Identifier: GPL-2.0 */
/* A test that must not run beside others.  Not about TDX: for the common lib. */
#ifndef SELFTEST_KVM_RUNS_ALONE_H
#define SELFTEST_KVM_RUNS_ALONE_H

#include <linux/types.h>

#include "kvm_util.h"

/*
 * At file scope: this test must not run in parallel with others, because it counts
 * a resource that all TDs share, or takes CPUs offline.  Adds an ELF note to the
 * program, which a runner may read.
 */
#define TDX_TEST_RUNS_ALONE						\
	static const struct {						\
		u32 namesz, descsz, type;				\
		char name[12];						\
	} tdx_test_runs_alone						\
	__attribute__((used, aligned(4), section(".note.kselftest"))) = {	\
		sizeof("kselftest"), 0, 1, "kselftest",			\
	}

#endif /* SELFTEST_KVM_RUNS_ALONE_H */
