// SPDX-License-Identifier: GPL-2.0
/*
 * What a TD's guest finds in its memory.
 *
 * A TD has two views of its GPAs.  With the shared bit an address is ordinary
 * memory of user space.  Without it, it is private: KVM takes the page from the
 * memslot's guest_memfd and gives it to the TDX module, and neither KVM nor user
 * space see it again.  An attribute of the page says which view the guest may
 * use.  An access by the other one is up to user space, by KVM_EXIT_MEMORY_FAULT.
 * When KVM takes a private page away its contents are lost.  The guest must not
 * get another page as if nothing had happened: it has to accept the new page,
 * and finds zeroes there.
 */
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

TDX_MEMORY_SUITE(memory);

TEST_F(memory, shared_both_ways)
{
	*self->hva = MAGIC;
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(GMEM_GPA)), MAGIC);
	tdx_guest_write(&self->guest, shared(GMEM_GPA), ~MAGIC);
	TEST_ASSERT_EQ(*self->hva, ~MAGIC);
}

TEST_F(memory, shared_in_plain_slot)
{
	*self->plain_hva = MAGIC;
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(PLAIN_GPA)), MAGIC);
	tdx_guest_write(&self->guest, shared(PLAIN_GPA), ~MAGIC);
	TEST_ASSERT_EQ(*self->plain_hva, ~MAGIC);
}

static void assert_filled(const u8 *page, u8 value)
{
	for (int i = 0; i < PAGE_SIZE; i++)
		TEST_ASSERT_EQ(page[i], value);
}

/* The memslot has another page in user space. */
TEST_F(memory, host_cannot_read_private)
{
	memset(self->hva, 0xa5, PAGE_SIZE);
	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	assert_filled((void *)self->hva, 0xa5);

	tdx_guest_write(&self->guest, GMEM_GPA, ~MAGIC);
	assert_filled((void *)self->hva, 0xa5);
}

TEST_F(memory, host_cannot_write_private)
{
	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	memset(self->hva, 0xa5, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), MAGIC);
}

TEST_F(memory, private_survives_madvise_of_shared)
{
	memset(self->hva, 0xa5, PAGE_SIZE);
	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	TEST_ASSERT_EQ(madvise(self->hva, PAGE_SIZE, MADV_DONTNEED), 0);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), MAGIC);
	TEST_ASSERT_EQ(*self->hva, 0ul);
}

/* The guest sees it when user space replaces a shared page. */
TEST_F(memory, shared_follows_madvise)
{
	tdx_guest_write(&self->guest, shared(GMEM_GPA), MAGIC);
	TEST_ASSERT_EQ(madvise(self->hva, PAGE_SIZE, MADV_DONTNEED), 0);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(GMEM_GPA)), 0ul);
}

TEST_F(memory, shared_follows_mmap)
{
	tdx_guest_write(&self->guest, shared(GMEM_GPA), MAGIC);
	TEST_ASSERT(mmap(self->hva, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == self->hva,
		    "mmap() failed, errno: %d", errno);
	*self->hva = ~MAGIC;
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(GMEM_GPA)), ~MAGIC);
}

TEST_F(memory, private_access_without_guest_memfd)
{
	vm_mem_set_private(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_guest_faults(&self->guest, TDX_GUEST_WRITE, PLAIN_GPA, 1, PLAIN_GPA, PRIVATE);
}

TEST_F(memory, efault_without_host_mapping)
{
	kvm_munmap(self->plain_hva, PAGE_SIZE);
	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_READ, shared(PLAIN_GPA), 0), EFAULT);
	TEST_ASSERT(mmap(self->plain_hva, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == self->plain_hva,
		    "mmap() failed, errno: %d", errno);
	tdx_guest_resumes(&self->guest);
}

TEST_F(memory, efault_on_write_to_read_only_mapping)
{
	struct tdx_guest *guest = &self->guest;

	*self->plain_hva = MAGIC;
	TEST_ASSERT_EQ(mprotect(self->plain_hva, PAGE_SIZE, PROT_READ), 0);
	TEST_ASSERT_EQ(tdx_guest_read(guest, shared(PLAIN_GPA)), MAGIC);
	TEST_ASSERT_FAILS(__tdx_guest_do(guest, TDX_GUEST_WRITE, shared(PLAIN_GPA), ~MAGIC), EFAULT);
	TEST_ASSERT_EQ(*self->plain_hva, MAGIC);

	TEST_ASSERT_EQ(mprotect(self->plain_hva, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	tdx_guest_resumes(guest);
	TEST_ASSERT_EQ(*self->plain_hva, ~MAGIC);
}

/* Acceptance */

TEST_F(memory, accept_after_ve)
{
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_guest_do(&self->guest, TDX_GUEST_WRITE, GMEM_PAGE(2) + 0x18, MAGIC);
	TEST_ASSERT_VE(&self->guest, GMEM_PAGE(2));
	tdx_guest_accept(&self->guest, GMEM_PAGE(2));
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(2) + 0x18), 0ul);
	tdx_guest_write(&self->guest, GMEM_PAGE(2) + 0x18, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(2) + 0x18), MAGIC);
}

/* The guest may accept a page that it has never touched. */
TEST_F(memory, accept_without_access)
{
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_guest_accept(&self->guest, GMEM_GPA);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), 0ul);
}

TEST_F(memory, accept_of_shared_page_faults)
{
	tdx_guest_faults(&self->guest, TDX_GUEST_ACCEPT, GMEM_GPA, 0, GMEM_GPA, PRIVATE);
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_run(&self->guest), 0);
	TEST_ASSERT_EQ(self->guest.req->status, TDX_SUCCESS);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), 0ul);
}

TEST_F(memory, accept_is_for_one_page)
{
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_guest_accept(&self->guest, GMEM_PAGE(1));
	tdx_guest_do(&self->guest, TDX_GUEST_READ, GMEM_PAGE(0), 0);
	TEST_ASSERT_VE(&self->guest, GMEM_PAGE(0));
	tdx_guest_do(&self->guest, TDX_GUEST_READ, GMEM_PAGE(2), 0);
	TEST_ASSERT_VE(&self->guest, GMEM_PAGE(2));
}

/* KVM maps 4 KiB pages only, and the guest has to learn that. */
TEST_F(memory, accept_2m_size_mismatch)
{
	const u32 slot = GMEM_SLOT + 10;
	const gpa_t gpa = 0x180000000ul;
	const u64 size = 0x200000ul;

	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, gpa, slot,
				    size / PAGE_SIZE, KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(self->vm, gpa, size);
	tdx_guest_do(&self->guest, TDX_GUEST_ACCEPT, gpa, 1);
	TEST_ASSERT_EQ(self->guest.req->status & TDX_SEAMCALL_STATUS_MASK,
		       TDX_PAGE_SIZE_MISMATCH);

	/* Guests then fall back to 4 KiB. */
	for (gpa_t page = gpa; page < gpa + 4 * PAGE_SIZE; page += PAGE_SIZE)
		tdx_guest_accept(&self->guest, page);
}

/* Holes punched into guest_memfd */

TEST_F(memory, punch_hole_loses_contents)
{
	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	vm_guest_mem_punch_hole(self->vm, GMEM_GPA, PAGE_SIZE);
	tdx_guest_assert_lost(&self->guest, GMEM_GPA);
}

TEST_F(memory, punch_hole_keeps_neighbours)
{
	tdx_make_private(&self->guest, GMEM_GPA, 4, MAGIC);
	vm_guest_mem_punch_hole(self->vm, GMEM_PAGE(1), 2 * PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(3)), MAGIC);
	tdx_guest_assert_lost(&self->guest, GMEM_PAGE(1));
	tdx_guest_assert_lost(&self->guest, GMEM_PAGE(2));
}

TEST_F(memory, punch_hole_before_use)
{
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	vm_guest_mem_punch_hole(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_guest_assert_lost(&self->guest, GMEM_GPA);
}

TEST_F(memory, punch_hole_of_pending_page)
{
	struct kvm_pre_fault_memory range = { .gpa = GMEM_GPA, .size = SLOT_SIZE };

	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	vcpu_ioctl(self->guest.vcpu, KVM_PRE_FAULT_MEMORY, &range);
	vm_guest_mem_punch_hole(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_guest_assert_lost(&self->guest, GMEM_GPA);
}

TEST_F(memory, punch_hole_keeps_shared_page)
{
	tdx_guest_write(&self->guest, shared(GMEM_GPA), MAGIC);
	vm_guest_mem_punch_hole(self->vm, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(GMEM_GPA)), MAGIC);
	TEST_ASSERT_EQ(*self->hva, MAGIC);
}

TEST_F(memory, allocate_keeps_contents)
{
	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	vm_guest_mem_allocate(self->vm, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), MAGIC);
}

/* KVM_EXIT_MEMORY_FAULT has the page, its size and the view that the guest used. */

FIXTURE(memory_fault) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
};

FIXTURE_VARIANT(memory_fault) {
	enum tdx_guest_op op;
	u64 offset;
	bool private;		/* the access; the page is the opposite */
};

FIXTURE_VARIANT_ADD(memory_fault, private_read) {
	.op = TDX_GUEST_READ,
	.private = true,
};

FIXTURE_VARIANT_ADD(memory_fault, private_write) {
	.op = TDX_GUEST_WRITE,
	.private = true,
};

FIXTURE_VARIANT_ADD(memory_fault, private_unaligned) {
	.op = TDX_GUEST_WRITE,
	.offset = PAGE_SIZE - 8,
	.private = true,
};

FIXTURE_VARIANT_ADD(memory_fault, shared_read) {
	.op = TDX_GUEST_READ,
};

FIXTURE_VARIANT_ADD(memory_fault, shared_write) {
	.op = TDX_GUEST_WRITE,
};

FIXTURE_VARIANT_ADD(memory_fault, shared_unaligned) {
	.op = TDX_GUEST_WRITE,
	.offset = PAGE_SIZE - 8,
};

FIXTURE_SETUP(memory_fault)
{
	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(memory_fault)
{
	kvm_vm_free(self->vm);
}

TEST_F(memory_fault, reported_until_resolved)
{
	gva_t gva = variant->private ? GMEM_PAGE(3) : shared(GMEM_PAGE(3));
	u64 flags = variant->private ? PRIVATE : 0;
	struct tdx_guest *guest = &self->guest;

	if (!variant->private)
		vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);

	tdx_guest_faults(guest, variant->op, gva + variant->offset, MAGIC, GMEM_PAGE(3), flags);
	TEST_ASSERT_FAILS(tdx_guest_run(guest), EFAULT);
	TEST_ASSERT_MEMORY_FAULT(guest, GMEM_PAGE(3), flags);

	if (variant->private) {
		vm_mem_set_private(self->vm, GMEM_PAGE(3), PAGE_SIZE);
		TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
		TEST_ASSERT_VE(guest, GMEM_PAGE(3));
	} else {
		vm_mem_set_shared(self->vm, GMEM_PAGE(3), PAGE_SIZE);
		tdx_guest_resumes(guest);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
