/* SPDX-License-Identifier: GPL-2.0 */
/* Run KVM_TDX_INIT_MEM_REGION in a thread, and stop it at a page of its source. */
#ifndef SELFTEST_KVM_TDX_HELD_REGION_H
#define SELFTEST_KVM_TDX_HELD_REGION_H

#include <pthread.h>

#include "tdx/generic/held_page.h"
#include "tdx/tdx_util.h"

struct held_region {
	struct kvm_vcpu *vcpu;
	u32 flags;
	struct kvm_tdx_init_mem_region region;
	int error;		/* errno, or 0 */
	struct held_page page;
	pthread_t thread;
};

/*
 * Start the command with vcpu, flags and region of *@held.  Returns when KVM waits
 * for page @nr of the source, which must not have been touched before.  Returns
 * false if the test may not use userfaultfd on this host.
 */
bool hold_region(struct held_region *held, u64 nr);

/* Release the page and wait for the command.  Returns its errno, or 0. */
int release_held_region(struct held_region *held, void *contents);

#endif /* SELFTEST_KVM_TDX_HELD_REGION_H */
