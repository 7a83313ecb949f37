/* SPDX-License-Identifier: GPL-2.0 */
/* The host's private KeyIDs; each TD takes one. */
#ifndef SELFTEST_KVM_TDX_KEYIDS_H
#define SELFTEST_KVM_TDX_KEYIDS_H

#include "tdx/tdx_util.h"

/* No machine has more KeyIDs. */
#define TDX_MAX_KEYIDS	0x8000

/* TDs that have a KeyID and nothing else. */
struct tdx_keyids {
	struct kvm_vm *vm[TDX_MAX_KEYIDS];
	struct kvm_tdx_init_vm *init;
	u32 nr;
};

struct tdx_keyids *tdx_keyids_alloc(void);

/* Free @keyids with all its TDs. */
void tdx_keyids_free(struct tdx_keyids *keyids);

/* Create a VM that has no KeyID yet, to be initialised with keyids->init. */
struct kvm_vm *tdx_keyids_new_vm(struct tdx_keyids *keyids);

/* Take one more KeyID; free the one that was taken last. */
void tdx_keyids_add(struct tdx_keyids *keyids);
void tdx_keyids_free_last(struct tdx_keyids *keyids);

/*
 * May this process use up the KeyIDs?  Not where a cgroup's limit may come first: each
 * time that a cgroup refuses a TD, KVM's account of the cgroups goes wrong, until the
 * host is rebooted.
 */
bool tdx_keyids_can_be_used_up(void);

/*
 * Can @nr more TDs be created?  A host may have a single KeyID for TDs.  Returns true
 * without a try where a cgroup's limit may come first.
 */
bool tdx_can_create(int nr);

#define NEEDS_MORE_KEYIDS	"several TDs need as many KeyIDs"

#define A_CGROUP_MAY_LIMIT_TDS	"a cgroup's limit may be below the number of KeyIDs"

/*
 * Take KeyIDs until there are none left.  Returns the VM that got none, or NULL if
 * a cgroup's limit came first or is to be expected.
 */
struct kvm_vm *tdx_keyids_take_all(struct tdx_keyids *keyids);

/*
 * Take all but @nr of the host's KeyIDs until this process exits, so that using up
 * the rest is quick.  Returns how many are left, which may be fewer than @nr.
 */
u32 tdx_keyids_leave(u32 nr);

#endif /* SELFTEST_KVM_TDX_KEYIDS_H */
