// SPDX-License-Identifier: GPL-2.0
#include "tdx/generic/may_harm_host.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/keyids.h"

bool tdx_keyids_can_be_used_up(void)
{
	return !misc_cgroup_may_limit_tds() || may_harm_host();
}

struct tdx_keyids *tdx_keyids_alloc(void)
{
	struct tdx_keyids *keyids = calloc(1, sizeof(*keyids));

	TEST_ASSERT(keyids, "-ENOMEM when allocating pointers to TDs");
	return keyids;
}

struct kvm_vm *tdx_keyids_new_vm(struct tdx_keyids *keyids)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	if (!keyids->init)
		keyids->init = tdx_default_init_vm(vm);
	return vm;
}

void tdx_keyids_add(struct tdx_keyids *keyids)
{
	struct kvm_vm *vm = tdx_keyids_new_vm(keyids);

	tdx_init_vm(vm, keyids->init);
	keyids->vm[keyids->nr++] = vm;
}

void tdx_keyids_free_last(struct tdx_keyids *keyids)
{
	kvm_vm_free(keyids->vm[--keyids->nr]);
}

void tdx_keyids_free(struct tdx_keyids *keyids)
{
	while (keyids->nr)
		tdx_keyids_free_last(keyids);
	free(keyids->init);
	free(keyids);
}

bool tdx_can_create(int nr)
{
	struct tdx_keyids *keyids;
	bool can = true;

	if (!tdx_keyids_can_be_used_up())
		return true;
	keyids = tdx_keyids_alloc();
	while (can && keyids->nr < nr) {
		struct kvm_vm *vm = tdx_keyids_new_vm(keyids);

		can = !__tdx_init_vm(vm, keyids->init, NULL);
		TEST_ASSERT(can || errno == ENOSPC, "Unexpected errno: %d", errno);
		keyids->vm[keyids->nr++] = vm;
	}
	tdx_keyids_free(keyids);
	return can;
}

struct kvm_vm *tdx_keyids_take_all(struct tdx_keyids *keyids)
{
	struct kvm_vm *vm;
	int error;

	if (!tdx_keyids_can_be_used_up())
		return NULL;

	for (;;) {
		vm = tdx_keyids_new_vm(keyids);
		if (__tdx_init_vm(vm, keyids->init, NULL))
			break;
		keyids->vm[keyids->nr++] = vm;
		TEST_ASSERT(keyids->nr < TDX_MAX_KEYIDS, "The host never ran out of KeyIDs");
	}

	error = errno;
	if (error == EBUSY) {
		kvm_vm_free(vm);
		return NULL;
	}
	TEST_ASSERT(error == ENOSPC, "Wanted ENOSPC for TD %u, got errno %d (%s)",
		    keyids->nr, error, strerror(error));
	TEST_ASSERT(keyids->nr, "No KeyID was free");
	return vm;
}

u32 tdx_keyids_leave(u32 nr)
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
