/* SPDX-License-Identifier: GPL-2.0 */
/* What a test tells a runner about itself.  Not about TDX: for the common lib. */
#ifndef SELFTEST_KVM_RUNNER_NOTES_H
#define SELFTEST_KVM_RUNNER_NOTES_H

#include <linux/types.h>

#include "kvm_util.h"

/* An ELF note in the program, which a runner may read. */
#define TDX_TEST_NOTE(_name, _type)					\
	static const struct {						\
		u32 namesz, descsz, type;				\
		char name[12];						\
	} _name								\
	__attribute__((used, aligned(4), section(".note.kselftest"))) = {	\
		sizeof("kselftest"), 0, _type, "kselftest",		\
	}

/*
 * At file scope: this test must not run in parallel with others, because it counts
 * a resource that all TDs share, or takes CPUs offline.
 */
#define TDX_TEST_RUNS_ALONE	TDX_TEST_NOTE(tdx_test_runs_alone, 1)

/* At file scope: this test takes several times as long as others, so start it first. */
#define TDX_TEST_TAKES_LONG	TDX_TEST_NOTE(tdx_test_takes_long, 2)

#endif /* SELFTEST_KVM_RUNNER_NOTES_H */
