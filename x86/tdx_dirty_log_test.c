// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty logging of a TD's shared memory.
 *
 * KVM logs the guest's writes to shared pages as in any VM.  KVM can't
 * write-protect private memory, so that has no dirty log, and logging in one
 * memslot must not disturb the private pages of another.
 */
#include <asm/barrier.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/keyids.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

TDX_MEMORY_SUITE(dirty_log);

static u64 get_dirty(struct kvm_vm *vm)
{
	u64 bitmap = ~0ull;

	kvm_vm_get_dirty_log(vm, PLAIN_SLOT, &bitmap);
	return bitmap;
}

TEST_F(dirty_log, written_pages)
{
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(1)), 1);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(3)), 1);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(SLOT_PAGES - 1)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(3) | BIT_ULL(SLOT_PAGES - 1));
}

TEST_F(dirty_log, read_pages_are_clean)
{
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_read(&self->guest, shared(PLAIN_PAGE(1)));
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(2)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(2));
}

/* KVM_GET_DIRTY_LOG clears the log.  Pages that are written again are dirty again. */
TEST_F(dirty_log, written_again)
{
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(1)), 1);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(2)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(2));
	TEST_ASSERT_EQ(get_dirty(self->vm), 0ull);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(2)), 2);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(2));
}

/* KVM has to write-protect the pages that are mapped already. */
TEST_F(dirty_log, enabled_after_use)
{
	for (int i = 0; i < SLOT_PAGES; i++)
		tdx_guest_write(&self->guest, shared(PLAIN_PAGE(i)), 1);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ASSERT_EQ(get_dirty(self->vm), 0ull);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(5)), 2);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(5));
}

TEST_F(dirty_log, disabled_and_enabled)
{
	u64 bitmap;
	struct kvm_dirty_log log = { .slot = PLAIN_SLOT, .dirty_bitmap = &bitmap };

	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(1)), 1);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, 0);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(2)), 1);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ASSERT_EQ(get_dirty(self->vm), 0ull);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(3)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(3));
}

/* KVM can't write-protect private memory. */
TEST_F(dirty_log, private_memory_not_disturbed)
{
	tdx_make_private(&self->guest, GMEM_GPA, 2, MAGIC);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(1)), 1);
	tdx_guest_write(&self->guest, GMEM_PAGE(1), ~MAGIC);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1));
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(1)), ~MAGIC);
}

TEST_F(dirty_log, manual_clear)
{
	u64 clear = BIT_ULL(1);

	if (!kvm_check_cap(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2))
		SKIP(return, "no KVM_CLEAR_DIRTY_LOG");

	vm_enable_cap(self->vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(1)), 1);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(2)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(2));
	kvm_vm_clear_dirty_log(self->vm, PLAIN_SLOT, &clear, 0, SLOT_PAGES);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(2));
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(1)), 2);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(2));
}

TEST_F(dirty_log, ring)
{
	struct kvm_dirty_gfn *ring;
	struct tdx_guest guest;
	struct kvm_vm *vm;

	if (!tdx_can_create(1))
		SKIP(return, NEEDS_MORE_KEYIDS);

	vm = tdx_memory_create(0);
	vm_enable_dirty_ring(vm, 2 * PAGE_SIZE);
	vm_mem_region_set_flags(vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	guest = tdx_guest_add(vm, 0);
	tdx_vm_finalize(vm);

	ring = vcpu_map_dirty_ring(guest.vcpu);
	tdx_make_private(&guest, GMEM_GPA, 1, MAGIC);
	tdx_guest_write(&guest, shared(PLAIN_PAGE(7)), 1);
	tdx_guest_write(&guest, shared(PLAIN_PAGE(2)), 1);
	for (int i = 0; i < 2; i++) {
		/* Read the flags before what they say is valid. */
		TEST_ASSERT_EQ(smp_load_acquire(&ring[i].flags), KVM_DIRTY_GFN_F_DIRTY);
		TEST_ASSERT_EQ(ring[i].slot, PLAIN_SLOT);
		TEST_ASSERT_EQ(ring[i].offset, i ? 2 : 7);
		/* Give the entry back to KVM after reading it. */
		smp_store_release(&ring[i].flags, KVM_DIRTY_GFN_F_RESET);
	}
	TEST_ASSERT_EQ(READ_ONCE(ring[2].flags), 0);

	/* A reset makes the pages clean.  They are dirty when written again. */
	TEST_ASSERT_EQ(kvm_vm_reset_dirty_ring(vm), 2);
	tdx_guest_write(&guest, shared(PLAIN_PAGE(7)), 2);
	/* Read the flags first, as above. */
	TEST_ASSERT_EQ(smp_load_acquire(&ring[2].flags), KVM_DIRTY_GFN_F_DIRTY);
	TEST_ASSERT_EQ(ring[2].offset, 7);
	TEST_ASSERT_EQ(tdx_guest_read(&guest, GMEM_GPA), MAGIC);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
