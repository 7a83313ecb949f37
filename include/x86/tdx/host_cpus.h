/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's CPUs, for tests that move a vCPU from one to the next.
 */
#ifndef SELFTEST_KVM_TDX_HOST_CPUS_H
#define SELFTEST_KVM_TDX_HOST_CPUS_H

#include <sched.h>

#include "kvm_util.h"

#define NEEDS_TWO_HOST_CPUS	"needs two CPUs to run on"

/* Numbers of the CPUs that the test may run on, in ascending order. */
extern int host_cpus[CPU_SETSIZE];
extern int nr_host_cpus;

/* Find them.  Call this once, before the test pins itself to a CPU. */
void find_host_cpus(void);

static inline int last_host_cpu(void)
{
	return host_cpus[nr_host_cpus - 1];
}

/*
 * Guest code: put values that depend on the vCPU's index into registers that the
 * TDX module switches, and assert forever that they keep their values.  Each check
 * follows a GUEST_SYNC() of the index.
 */
void tdx_guest_keep_state(void);

#endif /* SELFTEST_KVM_TDX_HOST_CPUS_H */
