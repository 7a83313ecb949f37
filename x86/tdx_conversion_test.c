// SPDX-License-Identifier: GPL-2.0
/*
 * Converting memory between private and shared.
 *
 * The guest asks for it, by TDVMCALL<MapGPA> or just by an access of the other
 * kind.  KVM passes that on to user space, which decides and sets the pages'
 * attributes.  KVM then has to obey the attributes at once: the old mapping is
 * gone, only those pages are affected, and a page that becomes private again
 * has to be accepted and is empty.
 */
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* The page that is converted.  It has neighbours in the same memslot. */
#define FOCUS		GMEM_PAGE(3)

TDX_MEMORY_SUITE(conversion);

static u64 *hva(struct kvm_vm *vm, gpa_t gpa)
{
	return addr_gpa2hva(vm, gpa);
}

/* Explicit conversion: the guest uses MapGPA. */

TEST_F(conversion, explicit_to_private)
{
	struct tdx_guest *guest = &self->guest;

	tdx_guest_write(guest, shared(FOCUS), MAGIC);
	tdx_convert_to_private(guest, FOCUS, PAGE_SIZE);
	tdx_guest_assert_lost(guest, FOCUS);
	tdx_guest_write(guest, FOCUS, ~MAGIC);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC);
}

/* Host and guest see each other's writes once the page is shared, and not before. */
TEST_F(conversion, explicit_to_shared)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), 0ul);
	tdx_convert_to_shared(guest, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, shared(FOCUS)), 0ul);
	tdx_guest_write(guest, shared(FOCUS), MAGIC + 1);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC + 1);
	*hva(self->vm, FOCUS) = MAGIC + 2;
	TEST_ASSERT_EQ(tdx_guest_read(guest, shared(FOCUS)), MAGIC + 2);
}

TEST_F(conversion, explicit_there_and_back)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_convert_to_shared(guest, FOCUS, PAGE_SIZE);
	tdx_guest_write(guest, shared(FOCUS), MAGIC + 1);
	tdx_convert_to_private(guest, FOCUS, PAGE_SIZE);
	tdx_guest_assert_lost(guest, FOCUS);

	/* The shared page still has its contents. */
	tdx_convert_to_shared(guest, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, shared(FOCUS)), MAGIC + 1);
}

/*
 * A guest may release a page before it converts it, so that it is pending again and
 * its contents are gone.
 */
TEST_F(conversion, explicit_of_released_page)
{
	struct tdx_guest *guest = &self->guest;
	u64 flags;

	if (tdx_guest_vm_rd(guest, TDX_MD_CONFIG_FLAGS, &flags) != TDX_SUCCESS ||
	    !(flags & TDX_CONFIG_PAGE_RELEASE))
		SKIP(return, "KVM's TDs don't have TDG.MEM.PAGE.RELEASE");

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_guest_do(guest, TDX_GUEST_RELEASE, FOCUS, 0);
	TEST_ASSERT_EQ(guest->req->status, TDX_SUCCESS);
	tdx_guest_do(guest, TDX_GUEST_READ, FOCUS, 0);
	TEST_ASSERT_VE(guest, FOCUS);
	tdx_convert_to_shared(guest, FOCUS, PAGE_SIZE);
	tdx_guest_write(guest, shared(FOCUS), MAGIC + 1);
	tdx_convert_to_private(guest, FOCUS, PAGE_SIZE);
	tdx_guest_assert_lost(guest, FOCUS);
}

/* The attributes count, not what user space tells the guest. */
TEST_F(conversion, explicit_without_attributes)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_map_gpa(guest, FOCUS | self->vm->arch.s_bit, PAGE_SIZE);
	tdx_map_gpa_done(guest);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), MAGIC);
	tdx_guest_faults(guest, TDX_GUEST_READ, shared(FOCUS), 0, FOCUS, 0);
}

TEST_F(conversion, explicit_declined)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_map_gpa(guest, FOCUS | self->vm->arch.s_bit, PAGE_SIZE);
	guest->vcpu->run->hypercall.ret = EINVAL;
	TEST_ASSERT_EQ(tdx_call_finish_status(guest), TDVMCALL_STATUS_INVALID_OPERAND);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), MAGIC);
}

/* Implicit conversion: user space does what the fault asks for. */
#define resolve(guest, _gpa, private)					\
do {									\
	TEST_ASSERT_MEMORY_FAULT(guest, _gpa, (private) ? PRIVATE : 0);	\
	vm_set_memory_attributes((guest)->vcpu->vm,				\
				 (guest)->vcpu->run->memory_fault.gpa,	\
				 (guest)->vcpu->run->memory_fault.size,	\
				 (private) ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0); \
} while (0)

TEST_F(conversion, implicit_to_private_by_write)
{
	struct tdx_guest *guest = &self->guest;

	tdx_guest_write(guest, shared(FOCUS), MAGIC);
	tdx_guest_faults(guest, TDX_GUEST_WRITE, FOCUS, 1, FOCUS, PRIVATE);
	resolve(guest, FOCUS, true);
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_VE(guest, FOCUS);
	tdx_guest_accept(guest, FOCUS);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), 0ul);
}

TEST_F(conversion, implicit_to_private_by_read)
{
	struct tdx_guest *guest = &self->guest;

	tdx_guest_faults(guest, TDX_GUEST_READ, FOCUS, 0, FOCUS, PRIVATE);
	resolve(guest, FOCUS, true);
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_VE(guest, FOCUS);
}

TEST_F(conversion, implicit_to_private_by_accept)
{
	struct tdx_guest *guest = &self->guest;

	tdx_guest_write(guest, shared(FOCUS), MAGIC);
	tdx_guest_faults(guest, TDX_GUEST_ACCEPT, FOCUS, 0, FOCUS, PRIVATE);
	resolve(guest, FOCUS, true);
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_EQ(guest->req->status, TDX_SUCCESS);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), 0ul);
}

TEST_F(conversion, implicit_to_shared_by_write)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_guest_faults(guest, TDX_GUEST_WRITE, shared(FOCUS), MAGIC + 1, FOCUS, 0);
	resolve(guest, FOCUS, false);
	tdx_guest_resumes(guest);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC + 1);
}

TEST_F(conversion, implicit_to_shared_by_read)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	*hva(self->vm, FOCUS) = MAGIC + 1;
	tdx_guest_faults(guest, TDX_GUEST_READ, shared(FOCUS), 0, FOCUS, 0);
	resolve(guest, FOCUS, false);
	tdx_guest_resumes(guest);
	TEST_ASSERT_EQ(guest->req->val, MAGIC + 1);
}

TEST_F(conversion, implicit_there_and_back)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_guest_faults(guest, TDX_GUEST_WRITE, shared(FOCUS), 1, FOCUS, 0);
	resolve(guest, FOCUS, false);
	tdx_guest_resumes(guest);
	tdx_guest_faults(guest, TDX_GUEST_READ, FOCUS, 0, FOCUS, PRIVATE);
	resolve(guest, FOCUS, true);
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_VE(guest, FOCUS);
	tdx_guest_assert_lost(guest, FOCUS);
}

/* User space sets attributes that the guest has not asked for. */

TEST_F(conversion, private_mapping_gone_at_once)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	tdx_guest_faults(guest, TDX_GUEST_READ, FOCUS, 0, FOCUS, PRIVATE);
}

TEST_F(conversion, shared_mapping_gone_at_once)
{
	struct tdx_guest *guest = &self->guest;

	tdx_guest_write(guest, shared(FOCUS), MAGIC);
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	tdx_guest_faults(guest, TDX_GUEST_READ, shared(FOCUS), 0, FOCUS, 0);
}

TEST_F(conversion, there_and_back_between_two_accesses)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	tdx_guest_assert_lost(guest, FOCUS);
}

TEST_F(conversion, neighbours_keep_contents)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS - PAGE_SIZE, 3, MAGIC);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS + PAGE_SIZE), MAGIC);
	tdx_guest_write(guest, shared(FOCUS), 1);
}

/* Each page counts, also where the first or the last is what all are to be. */
TEST_F(conversion, range_that_is_private_in_part)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FOCUS, 1, MAGIC);
	tdx_make_private(guest, FOCUS + 2 * PAGE_SIZE, 1, MAGIC);
	vm_mem_set_private(self->vm, FOCUS, 3 * PAGE_SIZE);
	tdx_accept_and_write(guest, FOCUS + PAGE_SIZE, 1, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), MAGIC);

	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	vm_mem_set_shared(self->vm, FOCUS, 3 * PAGE_SIZE);
	for (int i = 2; i >= 0; i--)
		tdx_guest_write(guest, shared(FOCUS + i * PAGE_SIZE), i);
}

/* Attributes belong to addresses, not to memslots. */
TEST_F(conversion, attributes_outlive_memslot)
{
	struct tdx_guest *guest = &self->guest;

	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	tdx_create_slot(self->vm, GMEM_SLOT);
	tdx_guest_assert_lost(guest, FOCUS);
	tdx_guest_write(guest, shared(FOCUS + PAGE_SIZE), 1);
}

TEST_F(conversion, across_memslots_and_gaps)
{
	struct tdx_guest *guest = &self->guest;

	vm_mem_set_private(self->vm, FOCUS, PLAIN_GPA + SLOT_SIZE - FOCUS);
	tdx_accept_and_write(guest, FOCUS, 1, MAGIC);
	tdx_guest_faults(guest, TDX_GUEST_WRITE, shared(PLAIN_GPA), 1, PLAIN_GPA, 0);
	vm_mem_set_shared(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_guest_resumes(guest);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), MAGIC);
}

/*
 * As VMMs do it to save memory: they free the private page when a page becomes
 * shared, and the shared one when it becomes private.
 */
TEST_F(conversion, unused_page_freed)
{
	struct tdx_guest *guest = &self->guest;

	for (int i = 0; i < 3; i++) {
		tdx_make_private(guest, FOCUS, 1, MAGIC + i);
		TEST_ASSERT_EQ(madvise(hva(self->vm, FOCUS), PAGE_SIZE, MADV_DONTNEED), 0);
		TEST_ASSERT_EQ(tdx_guest_read(guest, FOCUS), MAGIC + i);

		tdx_convert_to_shared(guest, FOCUS, PAGE_SIZE);
		vm_guest_mem_punch_hole(self->vm, FOCUS, PAGE_SIZE);
		TEST_ASSERT_EQ(tdx_guest_read(guest, shared(FOCUS)), 0ul);
		tdx_guest_write(guest, shared(FOCUS), MAGIC + i);
		TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC + i);
	}
}

/*
 * 2 MiB, the size that KVM would map at once if it could, and a page on either
 * side.  The guest maps the pages at the ends and some in the middle.
 */
#define AREA_SLOT	12
#define AREA_GPA	0x110000000ul
#define AREA_SIZE	0x200000ul
#define FIRST		(AREA_GPA - PAGE_SIZE)
#define LAST		(AREA_GPA + AREA_SIZE)
#define PART		(AREA_GPA + 200 * PAGE_SIZE)
#define PART_PAGES	10

FIXTURE(conversion_2m) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
};

FIXTURE_SETUP(conversion_2m)
{
	self->vm = tdx_memory_create(0);
	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, FIRST, AREA_SLOT,
				    AREA_SIZE / PAGE_SIZE + 2, KVM_MEM_GUEST_MEMFD);
	tdx_map_both(self->vm, FIRST, 2);
	tdx_map_both(self->vm, PART - PAGE_SIZE, PART_PAGES + 2);
	tdx_map_both(self->vm, LAST - PAGE_SIZE, 2);
	self->guest = tdx_guest_add(self->vm, 0);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(conversion_2m)
{
	kvm_vm_free(self->vm);
}

/* Some pages of 2 MiB of private memory are shared for a while. */
TEST_F(conversion_2m, explicit_of_part)
{
	struct tdx_guest *guest = &self->guest;

	tdx_convert_to_private(guest, AREA_GPA, AREA_SIZE);
	tdx_accept_and_write(guest, PART - PAGE_SIZE, PART_PAGES + 2, MAGIC);
	tdx_accept_and_write(guest, AREA_GPA, 1, MAGIC);
	tdx_accept_and_write(guest, LAST - PAGE_SIZE, 1, MAGIC);

	tdx_convert_to_shared(guest, PART, PART_PAGES * PAGE_SIZE);
	for (int i = 0; i < PART_PAGES; i++) {
		TEST_ASSERT_EQ(tdx_guest_read(guest, shared(PART + i * PAGE_SIZE)), 0ul);
		tdx_guest_write(guest, shared(PART + i * PAGE_SIZE), MAGIC + i);
		TEST_ASSERT_EQ(*hva(self->vm, PART + i * PAGE_SIZE), MAGIC + i);
	}
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART + PART_PAGES * PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, AREA_GPA), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, LAST - PAGE_SIZE), MAGIC);

	tdx_convert_to_private(guest, PART, PART_PAGES * PAGE_SIZE);
	for (int i = 0; i < PART_PAGES; i++)
		tdx_guest_assert_lost(guest, PART + i * PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART + PART_PAGES * PAGE_SIZE), MAGIC);
}

TEST_F(conversion_2m, implicit_of_part)
{
	struct tdx_guest *guest = &self->guest;
	gpa_t gpa;

	vm_mem_set_private(self->vm, AREA_GPA, AREA_SIZE);
	tdx_accept_and_write(guest, PART - PAGE_SIZE, PART_PAGES + 2, MAGIC);
	for (int i = 0; i < PART_PAGES; i++) {
		gpa = PART + i * PAGE_SIZE;
		tdx_guest_faults(guest, TDX_GUEST_WRITE, shared(gpa), MAGIC + i, gpa, 0);
		resolve(guest, gpa, false);
		tdx_guest_resumes(guest);
		TEST_ASSERT_EQ(*hva(self->vm, gpa), MAGIC + i);
	}
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART + PART_PAGES * PAGE_SIZE), MAGIC);
	for (int i = 0; i < PART_PAGES; i++) {
		gpa = PART + i * PAGE_SIZE;
		tdx_guest_faults(guest, TDX_GUEST_ACCEPT, gpa, 0, gpa, PRIVATE);
		resolve(guest, gpa, true);
		TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
		TEST_ASSERT_EQ(tdx_guest_read(guest, gpa), 0ul);
	}
}

/* Setting an attribute that is set already must not zap the page. */
TEST_F(conversion_2m, private_again_keeps_contents)
{
	struct tdx_guest *guest = &self->guest;

	vm_mem_set_private(self->vm, AREA_GPA, AREA_SIZE);
	tdx_accept_and_write(guest, PART, 1, MAGIC);
	vm_mem_set_private(self->vm, PART, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART), MAGIC);
	vm_mem_set_private(self->vm, AREA_GPA, AREA_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART), MAGIC);

	/* Not even if other pages in the range change. */
	vm_mem_set_private(self->vm, FIRST, AREA_SIZE + 2 * PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, PART), MAGIC);
}

TEST_F(conversion_2m, neighbours_keep_contents)
{
	struct tdx_guest *guest = &self->guest;

	tdx_make_private(guest, FIRST, 1, MAGIC);
	tdx_make_private(guest, LAST, 1, MAGIC);
	vm_mem_set_private(self->vm, AREA_GPA, AREA_SIZE);
	vm_mem_set_shared(self->vm, AREA_GPA, AREA_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(guest, FIRST), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(guest, LAST), MAGIC);
	tdx_guest_write(guest, shared(AREA_GPA), 1);
	tdx_guest_write(guest, shared(LAST - PAGE_SIZE), 1);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
