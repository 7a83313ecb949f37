// SPDX-License-Identifier: GPL-2.0
#include "tdx/tdx_memory.h"

struct kvm_vm *tdx_memory_create(u64 attributes)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 64);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);

	init->attributes |= attributes;
	tdx_init_vm(vm, init);
	free(init);

	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT_ULL(KVM_HC_MAP_GPA_RANGE));
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GMEM_GPA, GMEM_SLOT,
				    SLOT_PAGES, KVM_MEM_GUEST_MEMFD);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, PLAIN_GPA, PLAIN_SLOT,
				    SLOT_PAGES, 0);
	tdx_map_both(vm, GMEM_GPA, SLOT_PAGES);
	tdx_map_both(vm, PLAIN_GPA, SLOT_PAGES);
	return vm;
}

void tdx_accept_and_write(struct tdx_guest *guest, gpa_t gpa, u64 npages, u64 val)
{
	for (; npages--; gpa += PAGE_SIZE) {
		tdx_guest_accept(guest, gpa);
		tdx_guest_write(guest, gpa, val);
	}
}

void tdx_make_private(struct tdx_guest *guest, gpa_t gpa, u64 npages, u64 val)
{
	vm_mem_set_private(guest->vcpu->vm, gpa, npages * PAGE_SIZE);
	tdx_accept_and_write(guest, gpa, npages, val);
}

int __tdx_delete_slot(struct kvm_vm *vm, u32 slot)
{
	struct kvm_userspace_memory_region2 region = memslot2region(vm, slot)->region;

	region.memory_size = 0;
	return __vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

void tdx_delete_slot(struct kvm_vm *vm, u32 slot)
{
	int r = __tdx_delete_slot(vm, slot);

	TEST_ASSERT(!r, KVM_IOCTL_ERROR(KVM_SET_USER_MEMORY_REGION2, r));
}

void tdx_create_slot(struct kvm_vm *vm, u32 slot)
{
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &memslot2region(vm, slot)->region);
}

static void *slot_churn_thread(void *arg)
{
	struct tdx_slot_churn *churn = arg;

	for (int i = 0; i < 20; i++) {
		tdx_delete_slot(churn->vm, churn->slot);
		tdx_create_slot(churn->vm, churn->slot);
	}
	WRITE_ONCE(churn->done, true);
	return NULL;
}

void tdx_slot_churn_start(struct tdx_slot_churn *churn, struct kvm_vm *vm, u32 slot)
{
	*churn = (struct tdx_slot_churn) { .vm = vm, .slot = slot };
	TEST_ASSERT_EQ(pthread_create(&churn->thread, NULL, slot_churn_thread, churn), 0);
}

void tdx_slot_churn_join(struct tdx_slot_churn *churn)
{
	TEST_ASSERT_EQ(pthread_join(churn->thread, NULL), 0);
}

void tdx_map_gpa(struct tdx_guest *guest, gpa_t gpa, u64 size)
{
	const gpa_t s_bit = guest->vcpu->vm->arch.s_bit;
	struct kvm_run *run = guest->vcpu->run;

	tdx_call_start(guest, TDVMCALL_MAP_GPA, gpa, size);
	TEST_ASSERT_KVM_EXIT_REASON(guest->vcpu, KVM_EXIT_HYPERCALL);
	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	TEST_ASSERT_EQ(run->hypercall.args[0], gpa & ~s_bit);
	TEST_ASSERT_EQ(run->hypercall.args[1], size / PAGE_SIZE);
	TEST_ASSERT_EQ(!!(run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED),
		       !(gpa & s_bit));
}

void tdx_map_gpa_done(struct tdx_guest *guest)
{
	guest->vcpu->run->hypercall.ret = 0;
	TEST_ASSERT_EQ(tdx_call_finish_status(guest), TDVMCALL_STATUS_SUCCESS);
}

void tdx_convert_to_private(struct tdx_guest *guest, gpa_t gpa, u64 size)
{
	tdx_map_gpa(guest, gpa, size);
	vm_mem_set_private(guest->vcpu->vm, gpa, size);
	tdx_map_gpa_done(guest);
}

void tdx_convert_to_shared(struct tdx_guest *guest, gpa_t gpa, u64 size)
{
	tdx_map_gpa(guest, gpa | guest->vcpu->vm->arch.s_bit, size);
	vm_mem_set_shared(guest->vcpu->vm, gpa, size);
	tdx_map_gpa_done(guest);
}
