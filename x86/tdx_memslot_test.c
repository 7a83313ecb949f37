// SPDX-License-Identifier: GPL-2.0
/*
 * The memslots of a TD.
 *
 * Shared memory of a memslot is ordinary memory of user space, private memory
 * comes from the memslot's guest_memfd.  KVM has to refuse what it can't do for
 * a TD, e.g. write-protect private memory.  When a memslot goes, its private
 * pages lose their contents, and the pages of all other memslots stay: only the
 * guest could accept them again.
 */
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* What KVM checks when it is given memory.  That takes no vCPU. */

FIXTURE(memslot) {
	struct kvm_vm *vm;
	void *mem;
	int gmem;
};

static int set_slot(struct kvm_vm *vm, u32 flags, gpa_t gpa, u64 size,
		    void *mem, int gmem, u64 offset)
{
	return __vm_set_user_memory_region2(vm, GMEM_SLOT, flags, gpa, size, mem,
					    gmem, offset);
}

FIXTURE_SETUP(memslot)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	self->mem = kvm_mmap(SLOT_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);
	self->gmem = vm_create_guest_memfd(self->vm, SLOT_SIZE, 0);
}

FIXTURE_TEARDOWN(memslot)
{
	close(self->gmem);
	kvm_munmap(self->mem, SLOT_SIZE);
	kvm_vm_free(self->vm);
}

TEST_F(memslot, with_guest_memfd)
{
	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, SLOT_SIZE,
				self->mem, self->gmem, 0), 0);
}

TEST_F(memslot, without_guest_memfd)
{
	TEST_ASSERT_EQ(set_slot(self->vm, 0, GMEM_GPA, SLOT_SIZE, self->mem, -1, 0), 0);
}

/* KVM would have to emulate a write to read-only memory, and can't for a TD. */
TEST_F(memslot, read_only_refused)
{
	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_READONLY_MEM), 0);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_READONLY, GMEM_GPA, SLOT_SIZE,
				   self->mem, -1, 0), EINVAL);
}

TEST_F(memslot, read_only_private_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD,
				   GMEM_GPA, SLOT_SIZE, self->mem, self->gmem, 0), EINVAL);
}

TEST_F(memslot, dirty_log_allowed)
{
	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_LOG_DIRTY_PAGES, GMEM_GPA, SLOT_SIZE,
				self->mem, -1, 0), 0);
}

TEST_F(memslot, dirty_log_private_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm,
				   KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_GUEST_MEMFD,
				   GMEM_GPA, SLOT_SIZE, self->mem, self->gmem, 0), EINVAL);
}

/* A TD has no SMM, and no second address space for it. */
TEST_F(memslot, smm_address_space_refused)
{
	TEST_ASSERT(vm_check_cap(self->vm, KVM_CAP_MULTI_ADDRESS_SPACE) <= 1,
		    "More than one address space");
	TEST_ASSERT_FAILS(__vm_set_user_memory_region2(self->vm, 1 << 16 | GMEM_SLOT, 0,
						       GMEM_GPA, SLOT_SIZE, self->mem, -1, 0),
			  EINVAL);
}

TEST_F(memslot, other_vms_guest_memfd_refused)
{
	struct kvm_vm *other = ____vm_create(VM_SHAPE_TDX);
	int gmem = vm_create_guest_memfd(other, SLOT_SIZE, 0);

	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, SLOT_SIZE,
				   self->mem, gmem, 0), EINVAL);
	close(gmem);
	kvm_vm_free(other);
}

TEST_F(memslot, other_file_refused)
{
	int memfd = kvm_memfd_alloc(SLOT_SIZE, false);

	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, SLOT_SIZE,
				   self->mem, memfd, 0), EINVAL);
	close(memfd);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, SLOT_SIZE,
				   self->mem, memfd, 0), EBADF);
}

TEST_F(memslot, beyond_end_of_guest_memfd_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, SLOT_SIZE,
				   self->mem, self->gmem, PAGE_SIZE), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, PAGE_SIZE,
				   self->mem, self->gmem, 1), EINVAL);
}

/* A private page has one GPA only. */
TEST_F(memslot, guest_memfd_range_used_twice_refused)
{
	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, 2 * PAGE_SIZE,
				self->mem, self->gmem, 0), 0);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region2(self->vm, GMEM_SLOT + 1,
						       KVM_MEM_GUEST_MEMFD,
						       GMEM_GPA + SLOT_SIZE, PAGE_SIZE,
						       self->mem, self->gmem, PAGE_SIZE),
			  EEXIST);
	TEST_ASSERT_EQ(__vm_set_user_memory_region2(self->vm, GMEM_SLOT + 1,
						    KVM_MEM_GUEST_MEMFD,
						    GMEM_GPA + SLOT_SIZE, PAGE_SIZE,
						    self->mem, self->gmem,
						    2 * PAGE_SIZE), 0);
}

/* KVM can't move or change private memory.  It can only delete the memslot. */
TEST_F(memslot, private_slot_is_immutable)
{
	const u32 flags = KVM_MEM_GUEST_MEMFD;

	TEST_ASSERT_EQ(set_slot(self->vm, flags, GMEM_GPA, SLOT_SIZE, self->mem, self->gmem, 0), 0);
	TEST_ASSERT_FAILS(set_slot(self->vm, flags, GMEM_GPA + SLOT_SIZE, SLOT_SIZE, self->mem,
				   self->gmem, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, flags, GMEM_GPA, SLOT_SIZE / 2, self->mem,
				   self->gmem, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, 0, GMEM_GPA, SLOT_SIZE, self->mem, -1, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_LOG_DIRTY_PAGES, GMEM_GPA, SLOT_SIZE,
				   self->mem, -1, 0), EINVAL);
	TEST_ASSERT_EQ(set_slot(self->vm, flags, GMEM_GPA, 0, self->mem, self->gmem, 0), 0);
}

TEST_F(memslot, no_dirty_log_of_private_slot)
{
	u64 bitmap[SLOT_PAGES] = {};
	struct kvm_dirty_log log = { .slot = GMEM_SLOT, .dirty_bitmap = bitmap };

	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GMEM_GPA, SLOT_SIZE,
				self->mem, self->gmem, 0), 0);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
}

/* Unless KVM offers it, it can't convert such memory to private. */
TEST_F(memslot, init_shared_refused)
{
	int flags = vm_check_cap(self->vm, KVM_CAP_GUEST_MEMFD_FLAGS);

	if (flags & GUEST_MEMFD_FLAG_INIT_SHARED)
		SKIP(return, "guest_memfds are converted in place");
	TEST_ASSERT_FAILS(__vm_create_guest_memfd(self->vm, SLOT_SIZE,
						  GUEST_MEMFD_FLAG_INIT_SHARED),
			  EINVAL);
	TEST_ASSERT_FAILS(__vm_create_guest_memfd(self->vm, SLOT_SIZE,
						  GUEST_MEMFD_FLAG_INIT_SHARED |
						  GUEST_MEMFD_FLAG_MMAP),
			  EINVAL);
}

TEST_F(memslot, guest_memfd_not_mappable)
{
	TEST_ASSERT(mmap(NULL, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->gmem, 0) == MAP_FAILED, "mmap() of private memory");
	TEST_ASSERT_EQ(errno, ENODEV);
}

/* User space may map the file, but may not access its pages. */
TEST_F(memslot, mapping_private_pages_faults)
{
	int gmem = __vm_create_guest_memfd(self->vm, SLOT_SIZE, GUEST_MEMFD_FLAG_MMAP);
	char *mem;

	if (gmem < 0 && errno == EINVAL)
		SKIP(return, "guest_memfd has no mappings");
	TEST_ASSERT(gmem >= 0, KVM_IOCTL_ERROR(KVM_CREATE_GUEST_MEMFD, gmem));

	mem = kvm_mmap(SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, gmem);
	TEST_EXPECT_SIGBUS((void)READ_ONCE(mem[0]));
	TEST_EXPECT_SIGBUS(WRITE_ONCE(mem[0], 1));
	kvm_munmap(mem, SLOT_SIZE);
	close(gmem);
}

static int set_attributes(struct kvm_vm *vm, gpa_t gpa, u64 size, u64 attributes,
			  u64 flags)
{
	struct kvm_memory_attributes attr = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
		.flags = flags,
	};

	return __vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &attr);
}

TEST_F(memslot, only_private_attribute)
{
	const u64 private = KVM_MEMORY_ATTRIBUTE_PRIVATE;

	if (!vm_check_cap(self->vm, KVM_CAP_MEMORY_ATTRIBUTES))
		SKIP(return, "VMs have no attributes, only their guest_memfds do");
	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_MEMORY_ATTRIBUTES), private);
	for (int i = 0; i < 64; i++)
		if (BIT_ULL(i) != private)
			TEST_ASSERT_FAILS(set_attributes(self->vm, GMEM_GPA, SLOT_SIZE,
							 BIT_ULL(i), 0), EINVAL);
	TEST_ASSERT_EQ(set_attributes(self->vm, GMEM_GPA, SLOT_SIZE, private, 0), 0);
}

TEST_F(memslot, bad_attributes_refused)
{
	const u64 private = KVM_MEMORY_ATTRIBUTE_PRIVATE;
	struct kvm_vm *vm = self->vm;

	TEST_ASSERT_FAILS(set_attributes(vm, GMEM_GPA, SLOT_SIZE, private, 1), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GMEM_GPA, 0, private, 0), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GMEM_GPA + 1, SLOT_SIZE, private, 0), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GMEM_GPA, SLOT_SIZE + 1, private, 0), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GMEM_GPA, -PAGE_SIZE, private, 0), EINVAL);
}

/* Memslots that come, go and move, as the guest sees it. */

TDX_MEMORY_SUITE(memslot_change);

TEST_F(memslot_change, private_access_without_slot)
{
	tdx_delete_slot(self->vm, GMEM_SLOT);
	tdx_guest_faults(&self->guest, TDX_GUEST_WRITE, GMEM_GPA, 1, GMEM_GPA, PRIVATE);

	/* The page is private now, but there is still no memory. */
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	TEST_ASSERT_FAILS(tdx_guest_run(&self->guest), EFAULT);
	TEST_ASSERT_MEMORY_FAULT(&self->guest, GMEM_GPA, PRIVATE);

	tdx_create_slot(self->vm, GMEM_SLOT);
	TEST_ASSERT_EQ(tdx_guest_run(&self->guest), 0);
	TEST_ASSERT_VE(&self->guest, GMEM_GPA);
}

TEST_F(memslot_change, accept_without_slot)
{
	tdx_delete_slot(self->vm, GMEM_SLOT);
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	tdx_guest_faults(&self->guest, TDX_GUEST_ACCEPT, GMEM_GPA, 0, GMEM_GPA, PRIVATE);
}

/* Without a memslot it is MMIO, which the guest has to ask for by TDVMCALL. */
TEST_F(memslot_change, shared_access_without_slot)
{
	tdx_guest_write(&self->guest, shared(GMEM_PAGE(1)), MAGIC);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	tdx_guest_do(&self->guest, TDX_GUEST_WRITE, shared(GMEM_PAGE(1)), 1);
	TEST_ASSERT_VE(&self->guest, GMEM_PAGE(1) | self->vm->arch.s_bit);
}

/*
 * KVM has mapped the page such that an access raises #VE without an exit.  So KVM
 * has to zap that when a memslot is created there.
 */
TEST_F(memslot_change, create_where_mmio_was)
{
	tdx_delete_slot(self->vm, PLAIN_SLOT);
	tdx_guest_do(&self->guest, TDX_GUEST_READ, shared(PLAIN_GPA), 0);
	TEST_ASSERT_VE(&self->guest, PLAIN_GPA | self->vm->arch.s_bit);

	tdx_create_slot(self->vm, PLAIN_SLOT);
	*self->plain_hva = MAGIC;
	tdx_guest_do(&self->guest, TDX_GUEST_READ, shared(PLAIN_GPA), 0);
	if (self->guest.req->vector == VE_VECTOR)
		XFAIL(return, "KVM leaves its MMIO mapping in a new memslot's place");
	TEST_ASSERT_EQ(self->guest.req->vector, 0);
	TEST_ASSERT_EQ(self->guest.req->val, MAGIC);
	tdx_guest_write(&self->guest, shared(PLAIN_GPA), 1);
	TEST_ASSERT_EQ(*self->plain_hva, 1);
}

TEST_F(memslot_change, delete_loses_private_page)
{
	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	tdx_create_slot(self->vm, GMEM_SLOT);
	tdx_guest_assert_lost(&self->guest, GMEM_GPA);
}

TEST_F(memslot_change, delete_keeps_shared_page)
{
	tdx_guest_write(&self->guest, shared(GMEM_GPA), MAGIC);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	tdx_create_slot(self->vm, GMEM_SLOT);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(GMEM_GPA)), MAGIC);
}

/*
 * For other VMs KVM zaps all mappings when a memslot is deleted.  That would be
 * fatal for a TD, as only the guest can accept its pages again.
 */
TEST_F(memslot_change, delete_keeps_other_slots)
{
	tdx_make_private(&self->guest, GMEM_GPA, 2, MAGIC);
	tdx_delete_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(1)), MAGIC);
	tdx_create_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
}

TEST_F(memslot_change, delete_keeps_other_slots_without_quirk)
{
	if (!(kvm_check_cap(KVM_CAP_DISABLE_QUIRKS2) & KVM_X86_QUIRK_SLOT_ZAP_ALL))
		SKIP(return, "no quirk");

	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	vm_enable_cap(self->vm, KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_SLOT_ZAP_ALL);
	tdx_delete_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), MAGIC);
}

TEST_F(memslot_change, move)
{
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(0)), MAGIC);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	vm_mem_region_move(self->vm, PLAIN_SLOT, GMEM_GPA);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(GMEM_PAGE(0))), MAGIC);
	tdx_guest_write(&self->guest, shared(GMEM_PAGE(0)), ~MAGIC);
	TEST_ASSERT_EQ(*self->plain_hva, ~MAGIC);

	/* There is no memory at the old GPA any more. */
	tdx_guest_do(&self->guest, TDX_GUEST_READ, shared(PLAIN_PAGE(0)), 0);
	TEST_ASSERT_VE(&self->guest, PLAIN_PAGE(0) | self->vm->arch.s_bit);
}

TEST_F(memslot_change, replace_memory)
{
	struct userspace_mem_region *region = memslot2region(self->vm, PLAIN_SLOT);

	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(0)), MAGIC);
	tdx_delete_slot(self->vm, PLAIN_SLOT);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	region->region.userspace_addr = (u64)self->hva;
	tdx_create_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, shared(PLAIN_PAGE(0))), 0ul);
	tdx_guest_write(&self->guest, shared(PLAIN_PAGE(0)), ~MAGIC);
	TEST_ASSERT_EQ(*self->hva, ~MAGIC);
	TEST_ASSERT_EQ(*self->plain_hva, MAGIC);
}

/* KVM has to remove the private pages before they get another GPA. */
TEST_F(memslot_change, move_guest_memfd)
{
	struct userspace_mem_region *region = memslot2region(self->vm, GMEM_SLOT);

	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	tdx_delete_slot(self->vm, PLAIN_SLOT);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	region->region.guest_phys_addr = PLAIN_GPA;
	tdx_create_slot(self->vm, GMEM_SLOT);
	vm_mem_set_private(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_guest_assert_lost(&self->guest, PLAIN_GPA);
	tdx_guest_faults(&self->guest, TDX_GUEST_READ, GMEM_GPA, 0, GMEM_GPA, PRIVATE);
}

TEST_F(memslot_change, guest_memfd_offset)
{
	struct kvm_userspace_memory_region2 *region =
		&memslot2region(self->vm, GMEM_SLOT)->region;

	/* The slot has only the second half of the file. */
	tdx_delete_slot(self->vm, GMEM_SLOT);
	region->memory_size = SLOT_SIZE / 2;
	region->guest_memfd_offset = SLOT_SIZE / 2;
	tdx_create_slot(self->vm, GMEM_SLOT);
	tdx_make_private(&self->guest, GMEM_GPA, 2, MAGIC);

	TEST_ASSERT_EQ(fallocate(region->guest_memfd,
				 FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				 0, SLOT_SIZE / 2), 0);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(fallocate(region->guest_memfd,
				 FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				 SLOT_SIZE / 2, PAGE_SIZE), 0);
	tdx_guest_assert_lost(&self->guest, GMEM_PAGE(0));
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(1)), MAGIC);
}

/* One page more than what KVM keeps in one entry: the last must be free again, too. */
TEST_F(memslot_change, guest_memfd_of_65_pages)
{
	const u32 slot = PLAIN_SLOT + 1;

	vm_mem_add(self->vm, VM_MEM_SRC_ANONYMOUS, PLAIN_GPA + SLOT_SIZE, slot, 65,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	tdx_delete_slot(self->vm, slot);
	tdx_create_slot(self->vm, slot);
}

/* A hole may be in several memslots. */
TEST_F(memslot_change, hole_across_memslots)
{
	struct kvm_userspace_memory_region2 *a = &memslot2region(self->vm, GMEM_SLOT)->region;
	struct kvm_userspace_memory_region2 b = *a;

	tdx_delete_slot(self->vm, PLAIN_SLOT);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	a->memory_size = SLOT_SIZE / 2;
	tdx_create_slot(self->vm, GMEM_SLOT);
	b.slot = PLAIN_SLOT;
	b.guest_phys_addr = PLAIN_GPA;
	b.memory_size = SLOT_SIZE / 2;
	b.guest_memfd_offset = SLOT_SIZE / 2;
	vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION2, &b);
	vm_mem_set_private(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_make_private(&self->guest, GMEM_PAGE(SLOT_PAGES / 2 - 1), 1, MAGIC);
	tdx_accept_and_write(&self->guest, PLAIN_GPA, 1, MAGIC);

	TEST_ASSERT_EQ(fallocate(a->guest_memfd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				 0, SLOT_SIZE), 0);
	tdx_guest_assert_lost(&self->guest, GMEM_PAGE(SLOT_PAGES / 2 - 1));
	tdx_guest_assert_lost(&self->guest, PLAIN_GPA);
}

TEST_F(memslot_change, close_guest_memfd)
{
	struct userspace_mem_region *region = memslot2region(self->vm, GMEM_SLOT);

	tdx_make_private(&self->guest, GMEM_GPA, 1, MAGIC);
	kvm_free_fd(region->region.guest_memfd);
	tdx_guest_faults(&self->guest, TDX_GUEST_READ, GMEM_GPA, 0, GMEM_GPA, PRIVATE);
	vm_mem_set_shared(self->vm, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_FAILS(tdx_guest_run(&self->guest), EFAULT);
	TEST_ASSERT_MEMORY_FAULT(&self->guest, GMEM_GPA, PRIVATE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
