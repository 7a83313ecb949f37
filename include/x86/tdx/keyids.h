/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's private KeyIDs, of which each TD has one.
 */
#ifndef SELFTEST_KVM_TDX_KEYIDS_H
#define SELFTEST_KVM_TDX_KEYIDS_H

#include "kvm_util.h"
#include "tdx/tdx_util.h"

/* More KeyIDs than that no machine has. */
#define TDX_MAX_KEYIDS	0x8000

/* TDs that have a KeyID and nothing else. */
struct tdx_keyids {
	struct kvm_vm *vm[TDX_MAX_KEYIDS];
	struct kvm_tdx_init_vm *init;
	u32 nr;
};

static inline struct tdx_keyids *tdx_keyids_alloc(void)
{
	struct tdx_keyids *keyids = calloc(1, sizeof(*keyids));

	TEST_ASSERT(keyids, "-ENOMEM when allocating pointers to TDs");
	return keyids;
}

/* A VM that has no KeyID yet; keyids->init fits it. */
static inline struct kvm_vm *tdx_keyids_new_vm(struct tdx_keyids *keyids)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	if (!keyids->init)
		keyids->init = tdx_default_init_vm(vm);
	return vm;
}

static inline void tdx_keyids_add(struct tdx_keyids *keyids)
{
	struct kvm_vm *vm = tdx_keyids_new_vm(keyids);

	tdx_init_vm(vm, keyids->init);
	keyids->vm[keyids->nr++] = vm;
}

static inline void tdx_keyids_free_last(struct tdx_keyids *keyids)
{
	kvm_vm_free(keyids->vm[--keyids->nr]);
}

/*
 * Take KeyIDs until there are no more.  Returns the VM that got none, or NULL
 * if a cgroup's limit was there first.
 */
static inline struct kvm_vm *tdx_keyids_take_all(struct tdx_keyids *keyids)
{
	struct kvm_vm *vm;
	int error;

	for (;;) {
		vm = tdx_keyids_new_vm(keyids);
		if (__tdx_init_vm(vm, keyids->init, NULL))
			break;
		keyids->vm[keyids->nr++] = vm;
		TEST_ASSERT(keyids->nr < TDX_MAX_KEYIDS, "KeyIDs don't come to an end");
	}

	error = errno;
	if (error == EBUSY) {
		kvm_vm_free(vm);
		return NULL;
	}
	TEST_ASSERT(error == ENOSPC, "Wanted ENOSPC for TD %u, got errno %d (%s)",
		    keyids->nr, error, strerror(error));
	TEST_ASSERT(keyids->nr, "There is no KeyID free to begin with");
	return vm;
}

/*
 * Take the host's KeyIDs but for @nr of them, for as long as this process
 * lives.  To use up all of them takes a while, and cases that do so each in
 * turn have less to do then.  Returns how many are free, which may be fewer.
 */
static inline u32 tdx_keyids_leave(u32 nr)
{
	struct tdx_keyids *keyids = tdx_keyids_alloc();
	struct kvm_vm *refused = tdx_keyids_take_all(keyids);
	u32 left;

	if (refused)
		kvm_vm_free(refused);
	for (left = 0; left < nr && keyids->nr; left++)
		tdx_keyids_free_last(keyids);
	return left;
}

#endif /* SELFTEST_KVM_TDX_KEYIDS_H */
