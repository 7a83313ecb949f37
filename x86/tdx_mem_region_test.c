// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_INIT_MEM_REGION puts a TD's first memory in place.
 *
 * What KVM owes its caller: a request that makes no sense is refused before
 * anything happens; one that fails on the way says how far it came, so that it
 * can be repaired and resumed; no page is added twice or by halves; and the
 * guest finds the contents that the source had at the time of the call.
 *
 * Most cases need a TD that can be given memory but no guest.
 */
#include <signal.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/held_page.h"
#include "tdx/kernel_log.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define SLOT		1
#define SLOT_GPA	0x100000ul
#define NR_PAGES	4

/* KVM's view of 64 bits of bytes, in pages. */
#define ADDRESS_SPACE_PAGES	BIT_ULL(64 - 12)

FIXTURE(mem_region) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *source;		/* NR_PAGES, and then nothing */
};

static struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, u32 id)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, id);

	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	return vcpu;
}

static void add_slot(struct kvm_vm *vm, u32 slot, gpa_t gpa, u64 nr_pages)
{
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, nr_pages,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, gpa, nr_pages * PAGE_SIZE);
}

FIXTURE_SETUP(mem_region)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(self->vm);
	tdx_init_vm(self->vm, NULL);
	self->vcpu = add_vcpu(self->vm, 0);
	add_slot(self->vm, SLOT, SLOT_GPA, NR_PAGES);

	self->source = test_alloc_before_hole(NR_PAGES * PAGE_SIZE);
}

FIXTURE_TEARDOWN(mem_region)
{
	kvm_vm_free(self->vm);
}

/* @nr_pages pages of the slot and of the source, from the @first. */
static struct kvm_tdx_init_mem_region pages(void *source, u64 first, u64 nr_pages)
{
	return (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)source + first * PAGE_SIZE,
		.gpa = SLOT_GPA + first * PAGE_SIZE,
		.nr_pages = nr_pages,
	};
}

/* Add them all, and see that KVM counts them all. */
#define assert_added(vcpu, _region)					\
do {									\
	struct kvm_tdx_init_mem_region __region = (_region);		\
	struct kvm_tdx_init_mem_region __end = {			\
		.source_addr = __region.source_addr +			\
			       __region.nr_pages * PAGE_SIZE,		\
		.gpa = __region.gpa + __region.nr_pages * PAGE_SIZE,	\
	};								\
									\
	TEST_ASSERT(!__tdx_init_mem_region(vcpu, 0, &__region, NULL),	\
		    "Adding pages failed at GPA 0x%lx, errno %d (%s)",	\
		    (unsigned long)__region.gpa, errno, strerror(errno)); \
	assert_region_eq(&__region, &__end);				\
} while (0)

#define assert_region_eq(region, expected)				\
do {									\
	TEST_ASSERT_EQ((region)->source_addr, (expected)->source_addr);	\
	TEST_ASSERT_EQ((region)->gpa, (expected)->gpa);			\
	TEST_ASSERT_EQ((region)->nr_pages, (expected)->nr_pages);	\
} while (0)

/* *@region fails after @done pages, and tells so. */
#define assert_stops(vcpu, region, done, error)				\
do {									\
	struct kvm_tdx_init_mem_region __expected = *(region);		\
									\
	__expected.source_addr += (done) * PAGE_SIZE;			\
	__expected.gpa += (done) * PAGE_SIZE;				\
	__expected.nr_pages -= (done);					\
	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, region, NULL), error); \
	assert_region_eq(region, &__expected);				\
} while (0)

/*
 * A request of which KVM takes nothing.  Had a page been added, or had the TD
 * come to harm, then what follows would fail.
 */
#define assert_refused(self, _region, error)				\
do {									\
	struct kvm_tdx_init_mem_region __refused = (_region);		\
									\
	assert_stops((self)->vcpu, &__refused, 0, error);		\
	assert_added((self)->vcpu, pages((self)->source, 0, NR_PAGES));	\
	tdx_finalize((self)->vm);					\
} while (0)

TEST_F(mem_region, added_one_by_one_and_together)
{
	assert_added(self->vcpu, pages(self->source, 2, 1));
	assert_added(self->vcpu, pages(self->source, 0, 2));
	assert_added(self->vcpu, pages(self->source, 3, 1));
	tdx_finalize(self->vm);
}

TEST_F(mem_region, none_at_all)
{
	tdx_finalize(self->vm);
}

/*
 * Arguments.
 */

TEST_F(mem_region, source_unaligned)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	region.source_addr++;
	assert_stops(self->vcpu, &region, 0, EINVAL);
	region.source_addr += PAGE_SIZE / 2 - 1;
	assert_refused(self, region, EINVAL);
}

TEST_F(mem_region, gpa_unaligned)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	region.gpa++;
	assert_stops(self->vcpu, &region, 0, EINVAL);
	region.gpa += PAGE_SIZE / 2 - 1;
	assert_refused(self, region, EINVAL);
}

TEST_F(mem_region, source_zero)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	/* Later kernels then take what guest_memfd has for the page. */
	region.source_addr = 0;
	if (!__tdx_init_mem_region(self->vcpu, 0, &region, NULL)) {
		TEST_ASSERT_EQ(region.nr_pages, 0);
		SKIP(return, "this kernel needs no source");
	}

	/* The latter is Linux 7.2's word for it. */
	TEST_ASSERT(errno == EINVAL || errno == EOPNOTSUPP,
		    "Wanted EINVAL, got errno %d (%s)", errno, strerror(errno));
	TEST_ASSERT_EQ(region.nr_pages, 1);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, no_pages)
{
	assert_refused(self, pages(self->source, 0, 0), EINVAL);
}

TEST_F(mem_region, unknown_flags)
{
	for (int i = 0; i < 32; i++) {
		struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

		if (BIT(i) == KVM_TDX_MEASURE_MEMORY_REGION)
			continue;

		TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, BIT(i),
							&region, NULL), EINVAL);
	}

	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, gpa_shared)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	region.gpa |= self->vm->arch.s_bit;
	assert_refused(self, region, EINVAL);
}

TEST_F(mem_region, end_shared)
{
	const u64 s_bit = self->vm->arch.s_bit;
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 2);

	/* With memory on the private side, so that the end is what is wrong. */
	add_slot(self->vm, SLOT + 1, s_bit - PAGE_SIZE, 1);
	region.gpa = s_bit - PAGE_SIZE;
	assert_stops(self->vcpu, &region, 0, EINVAL);

	region = pages(self->source, 0, s_bit / PAGE_SIZE);
	assert_refused(self, region, EINVAL);
}

TEST_F(mem_region, last_private_page)
{
	const gpa_t gpa = self->vm->arch.s_bit - PAGE_SIZE;
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	add_slot(self->vm, SLOT + 1, gpa, 1);
	region.gpa = gpa;
	assert_added(self->vcpu, region);
	tdx_finalize(self->vm);
}

TEST_F(mem_region, first_page_of_all)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	add_slot(self->vm, SLOT + 1, 0, 1);
	region.gpa = 0;
	assert_added(self->vcpu, region);
	tdx_finalize(self->vm);
}

/* The number of bytes is the top of what 64 bits can hold, or just zero. */
TEST_F(mem_region, end_wraps)
{
	struct kvm_tdx_init_mem_region region;

	region = pages(self->source, 0, ADDRESS_SPACE_PAGES - 1);
	assert_stops(self->vcpu, &region, 0, EINVAL);

	region = pages(self->source, 0, ADDRESS_SPACE_PAGES - SLOT_GPA / PAGE_SIZE);
	assert_stops(self->vcpu, &region, 0, EINVAL);

	assert_refused(self, pages(self->source, 0, ADDRESS_SPACE_PAGES), EINVAL);
}

/* The number of bytes has more than 64 bits, of which KVM sees only those. */
TEST_F(mem_region, size_wraps)
{
	struct kvm_tdx_init_mem_region region;

	region = pages(self->source, 0, ADDRESS_SPACE_PAGES + 1);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, &region, NULL),
			  EINVAL);

	/* It came as far as there is memory. */
	if (region.gpa == SLOT_GPA + NR_PAGES * PAGE_SIZE) {
		TEST_ASSERT_EQ(region.nr_pages, ADDRESS_SPACE_PAGES + 1 - NR_PAGES);
		XFAIL(return, "KVM does not see that the size in bytes overflows");
	}

	TEST_ASSERT_EQ(region.gpa, SLOT_GPA);
	TEST_ASSERT_EQ(region.nr_pages, ADDRESS_SPACE_PAGES + 1);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, region_unreadable)
{
	void *nowhere = self->source + NR_PAGES * PAGE_SIZE;

	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, NULL, NULL),
			  EFAULT);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, nowhere, NULL),
			  EFAULT);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, nowhere - 8, NULL),
			  EFAULT);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

/* A caller that can't be told how far KVM came must not hear of success. */
TEST_F(mem_region, region_read_only)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);
	void *read_only = test_alloc_read_only(&region, sizeof(region));

	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, read_only, NULL),
			  EFAULT);
}

/*
 * The state of the TD and of the vCPU.
 */

TEST_F(mem_region, finalized)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	tdx_finalize(self->vm);
	assert_stops(self->vcpu, &region, 0, EINVAL);
}

TEST_F(mem_region, vcpu_not_initialized)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);
	struct kvm_vcpu *vcpu;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vcpu = __vm_vcpu_add(self->vm, 1);
	assert_stops(vcpu, &region, 0, EINVAL);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, any_vcpu)
{
	struct kvm_vcpu *vcpu;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	assert_added(self->vcpu, pages(self->source, 0, 1));
	vcpu = add_vcpu(self->vm, 1);
	assert_added(vcpu, pages(self->source, 1, 1));
	assert_added(self->vcpu, pages(self->source, 2, 1));
	tdx_finalize(self->vm);
}

/*
 * The memory.
 */

TEST_F(mem_region, no_memslot)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	region.gpa = SLOT_GPA + NR_PAGES * PAGE_SIZE;
	assert_stops(self->vcpu, &region, 0, EINVAL);
	region.gpa = SLOT_GPA - PAGE_SIZE;
	assert_refused(self, region, EINVAL);
}

TEST_F(mem_region, memslot_ends)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 1, NR_PAGES);

	assert_stops(self->vcpu, &region, NR_PAGES - 1, EINVAL);
	assert_added(self->vcpu, pages(self->source, 0, 1));
	tdx_finalize(self->vm);
}

TEST_F(mem_region, memslot_ends_and_next_begins)
{
	const gpa_t next = SLOT_GPA + NR_PAGES * PAGE_SIZE;
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, NR_PAGES);

	add_slot(self->vm, SLOT + 1, next, NR_PAGES);
	region.gpa = next - 2 * PAGE_SIZE;
	assert_added(self->vcpu, region);

	/* All four of them, and no others. */
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES - 2));
	region.gpa = next + 2 * PAGE_SIZE;
	region.nr_pages = NR_PAGES - 2;
	assert_added(self->vcpu, region);
}

TEST_F(mem_region, memslot_without_guest_memfd)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);
	const gpa_t gpa = SLOT_GPA + NR_PAGES * PAGE_SIZE;

	vm_mem_add(self->vm, VM_MEM_SRC_ANONYMOUS, gpa, SLOT + 1, 1, 0, -1, 0);
	vm_mem_set_private(self->vm, gpa, PAGE_SIZE);
	region.gpa = gpa;
	assert_refused(self, region, EINVAL);
}

TEST_F(mem_region, memslot_deleted)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	vm_mem_region_delete(self->vm, SLOT);
	assert_stops(self->vcpu, &region, 0, EINVAL);
	add_slot(self->vm, SLOT, SLOT_GPA, NR_PAGES);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, guest_memfd_closed)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 1, 1);

	assert_added(self->vcpu, pages(self->source, 0, 1));
	kvm_free_fd(memslot2region(self->vm, SLOT)->region.guest_memfd);
	assert_stops(self->vcpu, &region, 0, EFAULT);
	region = pages(self->source, 0, 1);
	assert_stops(self->vcpu, &region, 0, EFAULT);
	tdx_finalize(self->vm);
}

TEST_F(mem_region, shared_attribute)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	vm_mem_set_shared(self->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	assert_stops(self->vcpu, &region, 0, EINVAL);
	vm_mem_set_private(self->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	assert_refused(self, pages(self->source, 0, 0), EINVAL);
}

TEST_F(mem_region, shared_attribute_of_one_page)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, NR_PAGES);

	vm_mem_set_shared(self->vm, SLOT_GPA + 2 * PAGE_SIZE, PAGE_SIZE);
	assert_stops(self->vcpu, &region, 2, EINVAL);
	vm_mem_set_private(self->vm, SLOT_GPA + 2 * PAGE_SIZE, PAGE_SIZE);
	assert_added(self->vcpu, region);
	tdx_finalize(self->vm);
}

/* What host and guest share is reached by one address only. */
TEST_F(mem_region, memslot_at_shared_gpa)
{
	const u64 s_bit = self->vm->arch.s_bit;
	void *hva = self->source;

	TEST_ASSERT_FAILS(__vm_set_user_memory_region(self->vm, SLOT + 1, 0,
						      s_bit, PAGE_SIZE, hva),
			  EINVAL);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region(self->vm, SLOT + 1, 0,
						      s_bit | SLOT_GPA,
						      PAGE_SIZE, hva),
			  EINVAL);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region(self->vm, SLOT + 1, 0,
						      s_bit - PAGE_SIZE,
						      2 * PAGE_SIZE, hva),
			  EINVAL);
	vm_set_user_memory_region(self->vm, SLOT + 1, 0, s_bit - PAGE_SIZE,
				  PAGE_SIZE, hva);
}

TEST_F(mem_region, memslot_moved_to_shared_gpa)
{
	const u64 s_bit = self->vm->arch.s_bit;
	void *hva = self->source;

	vm_set_user_memory_region(self->vm, SLOT + 1, 0, s_bit - PAGE_SIZE,
				  PAGE_SIZE, hva);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region(self->vm, SLOT + 1, 0,
						      s_bit, PAGE_SIZE, hva),
			  EINVAL);
}

/*
 * A memslot may lie where guest addresses of this width don't reach.  To add a
 * page there is an error of user space, and no more.
 */
TEST_F(mem_region, gpa_beyond_width)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);
	int fd = vm_create_guest_memfd(self->vm, PAGE_SIZE, 0);
	const gpa_t gpa = add_memslot_beyond_width(self->vm, SLOT + 1, self->source, fd);

	if (!gpa)
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	expect_kernel_log("WARNING: *tdx_sept_*: tdx_mem_region");
	expect_kernel_log("SEAMCALL TDH_MEM_SEPT_ADD failed");
	region.gpa = gpa;
	TEST_ASSERT(__tdx_init_mem_region(self->vcpu, 0, &region, NULL),
		    "A page was added at GPA 0x%lx", (unsigned long)gpa);
	if (errno == EIO) {
		/* The TD is lost. */
		TEST_ASSERT_FAILS(__tdx_finalize(self->vm, NULL), EIO);
		XFAIL(return, "KVM leaves it to the TDX module to refuse the GPA, and warns");
	}

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(region.nr_pages, 1);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

/* Nobody but user space is concerned when its memory goes there. */
TEST_F(mem_region, memslot_beyond_width_loses_its_memory)
{
	void *mem = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int log;

	/* KVM has page tables from now on. */
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));

	if (!add_memslot_beyond_width(self->vm, SLOT + 1, mem, -1))
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);
	memset(mem, 1, PAGE_SIZE);

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	/* Announced before the log is watched, as the announcement goes there. */
	expect_kernel_log("WARNING: *tdp_iter_start");
	log = kernel_log_open();
	if (log < 0)
		SKIP(return, "no access to the kernel's log");

	kvm_munmap(mem, PAGE_SIZE);
	if (kernel_log_has_warning(log, "tdp_iter_start"))
		XFAIL(return, "KVM looks for the memory in page tables that don't reach so far, and warns");
}

/*
 * The source.
 */

TEST_F(mem_region, source_read_only)
{
	TEST_ASSERT(!mprotect(self->source, NR_PAGES * PAGE_SIZE, PROT_READ),
		    "mprotect() failed, errno %d", errno);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, source_not_mapped)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	region.source_addr = (u64)self->source + NR_PAGES * PAGE_SIZE;
	assert_refused(self, region, EFAULT);
}

TEST_F(mem_region, source_not_readable)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	TEST_ASSERT(!mprotect(self->source, NR_PAGES * PAGE_SIZE, PROT_NONE),
		    "mprotect() failed, errno %d", errno);
	assert_stops(self->vcpu, &region, 0, EFAULT);
	TEST_ASSERT(!mprotect(self->source, NR_PAGES * PAGE_SIZE, PROT_READ),
		    "mprotect() failed, errno %d", errno);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
}

TEST_F(mem_region, source_in_kernel)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	region.source_addr = BIT_ULL(63);
	assert_refused(self, region, EFAULT);
}

TEST_F(mem_region, source_ends)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 3);

	region.source_addr = (u64)self->source + (NR_PAGES - 2) * PAGE_SIZE;
	assert_stops(self->vcpu, &region, 2, EFAULT);

	/* The caller looks after its memory and goes on. */
	region.source_addr = (u64)self->source;
	assert_added(self->vcpu, region);
	assert_added(self->vcpu, pages(self->source, 3, 1));
	tdx_finalize(self->vm);
}

TEST_F(mem_region, source_used_twice)
{
	for (int i = 0; i < NR_PAGES; i++) {
		struct kvm_tdx_init_mem_region region = pages(self->source, i, 1);

		region.source_addr = (u64)self->source;
		assert_added(self->vcpu, region);
	}
	tdx_finalize(self->vm);
}

/*
 * A page is added once.
 */

TEST_F(mem_region, page_added_before)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 1, 1);

	assert_added(self->vcpu, pages(self->source, 1, 1));
	assert_stops(self->vcpu, &region, 0, EIO);

	/* A range stops at it, and can be resumed behind. */
	region = pages(self->source, 0, NR_PAGES);
	assert_stops(self->vcpu, &region, 1, EIO);
	assert_added(self->vcpu, pages(self->source, 2, NR_PAGES - 2));
	tdx_finalize(self->vm);
}

TEST_F(mem_region, page_added_again_after_punch_hole)
{
	struct kvm_tdx_init_mem_region region;

	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
	vm_guest_mem_punch_hole(self->vm, SLOT_GPA + PAGE_SIZE, 2 * PAGE_SIZE);
	assert_added(self->vcpu, pages(self->source, 1, 2));

	/* The neighbours stayed. */
	region = pages(self->source, 0, 1);
	assert_stops(self->vcpu, &region, 0, EIO);
	region = pages(self->source, 3, 1);
	assert_stops(self->vcpu, &region, 0, EIO);
	tdx_finalize(self->vm);
}

TEST_F(mem_region, page_added_again_after_conversion)
{
	struct kvm_tdx_init_mem_region region;

	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));
	vm_mem_set_shared(self->vm, SLOT_GPA + PAGE_SIZE, PAGE_SIZE);
	vm_mem_set_private(self->vm, SLOT_GPA + PAGE_SIZE, PAGE_SIZE);
	assert_added(self->vcpu, pages(self->source, 1, 1));

	region = pages(self->source, 0, 1);
	assert_stops(self->vcpu, &region, 0, EIO);
	region = pages(self->source, 2, 1);
	assert_stops(self->vcpu, &region, 0, EIO);
	tdx_finalize(self->vm);
}

TEST_F(mem_region, page_added_again_in_new_memslot)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);
	const gpa_t other = SLOT_GPA + NR_PAGES * PAGE_SIZE;

	add_slot(self->vm, SLOT + 1, other, 1);
	region.gpa = other;
	assert_added(self->vcpu, region);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));

	vm_mem_region_delete(self->vm, SLOT);
	add_slot(self->vm, SLOT, SLOT_GPA, NR_PAGES);
	assert_added(self->vcpu, pages(self->source, 0, NR_PAGES));

	/* The other memslot's page stayed. */
	region.gpa = other;
	assert_stops(self->vcpu, &region, 0, EIO);
	tdx_finalize(self->vm);
}

/*
 * Signals.
 */

static void ignore_signal(int sig) { }

/*
 * The signal comes when KVM waits for page @nr of the source.  Whether it still
 * adds that page when it gets it is up to KVM, but it has to say so.
 */
static bool add_interrupted_at_page(struct kvm_vcpu *vcpu, void *source, u64 nr)
{
	struct held_region held = {
		.vcpu = vcpu,
		.region = pages(source, 0, NR_PAGES),
	};
	u64 done;

	if (!hold_region(&held, nr))
		return false;

	signal(SIGUSR1, ignore_signal);
	TEST_ASSERT_EQ(pthread_kill(held.thread, SIGUSR1), 0);
	TEST_ASSERT_EQ(release_held_region(&held, vcpu->run), EINTR);

	done = NR_PAGES - held.region.nr_pages;
	TEST_ASSERT(done == nr || done == nr + 1,
		    "Interrupted at page %lu, but %lu pages done",
		    (unsigned long)nr, (unsigned long)done);
	TEST_ASSERT_EQ(held.region.gpa, SLOT_GPA + done * PAGE_SIZE);
	TEST_ASSERT_EQ(held.region.source_addr, (u64)source + done * PAGE_SIZE);

	/* What was done is done, and the rest isn't. */
	if (done) {
		struct kvm_tdx_init_mem_region region = pages(source, done - 1, 1);

		assert_stops(vcpu, &region, 0, EIO);
	}
	assert_added(vcpu, held.region);
	tdx_finalize(vcpu->vm);
	return true;
}

TEST_F(mem_region, signal_at_first_page)
{
	if (!add_interrupted_at_page(self->vcpu, self->source, 0))
		SKIP(return, "needs userfaultfd");
}

TEST_F(mem_region, signal_on_the_way)
{
	if (!add_interrupted_at_page(self->vcpu, self->source, 2))
		SKIP(return, "needs userfaultfd");
}

/*
 * With wide guest addresses the shared bit is another one.
 */
TEST(mem_region_gpaw_52)
{
	struct kvm_tdx_init_mem_region region = { .nr_pages = 1 };
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	struct kvm_vcpu *vcpu;

	for (int i = 0; i < init->cpuid.nent; i++)
		if (init->cpuid.entries[i].function == 0x80000008)
			init->cpuid.entries[i].eax ^= (48 ^ 52) << 16;
	if (__tdx_init_vm(vm, init, NULL))
		SKIP(return, "no guest addresses of 52 bits");
	vm_create_irqchip(vm);
	vcpu = add_vcpu(vm, 0);

	/* What is the shared bit elsewhere is a bit like others here. */
	add_slot(vm, SLOT, BIT_ULL(47), 1);
	region.source_addr = (u64)vcpu->run;
	region.gpa = BIT_ULL(47);
	assert_added(vcpu, region);

	region.gpa = BIT_ULL(51) | BIT_ULL(47);
	assert_stops(vcpu, &region, 0, EINVAL);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region(vm, SLOT + 1, 0,
						      BIT_ULL(51), PAGE_SIZE,
						      vcpu->run), EINVAL);
	tdx_finalize(vm);
	free(init);
	kvm_vm_free(vm);
}

/*
 * What the guest finds.
 */

/* A memslot that the launch has nothing for. */
#define GUEST_SLOT	10
#define GUEST_GPA	0x80000000ul
#define NR_GUEST_PAGES	5

FIXTURE(contents) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *source;		/* NR_GUEST_PAGES, each with its own contents */
};

/* Each word of a page depends on the page and on the place in it. */
static u64 word(u64 page, u64 i)
{
	return ((page + 1) << 32) + i * 0x9e3779b1;
}

static void fill(u64 *to, u64 page)
{
	for (int i = 0; i < PAGE_SIZE / sizeof(*to); i++)
		to[i] = word(page, i);
}

/* Page i has to have the contents no. expected[i]. */
static u64 expected[NR_GUEST_PAGES] = { 0, 1, 2, 3, 4 };

static void guest_compare(void)
{
	const u64 *memory = (void *)GUEST_GPA;
	const int nr_words = PAGE_SIZE / sizeof(*memory);

	for (int page = 0; page < NR_GUEST_PAGES; page++)
		for (int i = 0; i < nr_words; i++)
			__GUEST_ASSERT(memory[page * nr_words + i] ==
				       word(expected[page], i),
				       "Page %d, word %d: wanted 0x%lx, got 0x%lx",
				       page, i,
				       (unsigned long)word(expected[page], i),
				       (unsigned long)memory[page * nr_words + i]);
	GUEST_DONE();
}

FIXTURE_SETUP(contents)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_compare);
	add_slot(self->vm, GUEST_SLOT, GUEST_GPA, NR_GUEST_PAGES);
	tdx_map_both(self->vm, GUEST_GPA, NR_GUEST_PAGES);

	self->source = test_alloc_before_hole(NR_GUEST_PAGES * PAGE_SIZE);
	for (int i = 0; i < NR_GUEST_PAGES; i++)
		fill(self->source + i * PAGE_SIZE, i);
}

FIXTURE_TEARDOWN(contents)
{
	kvm_vm_free(self->vm);
}

/* Add @nr_pages pages from page @to on. */
static void add_contents(struct kvm_vcpu *vcpu, u32 flags, u64 to,
			 void *source, u64 nr_pages)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)source,
		.gpa = GUEST_GPA + to * PAGE_SIZE,
		.nr_pages = nr_pages,
	};

	TEST_ASSERT(!__tdx_init_mem_region(vcpu, flags, &region, NULL),
		    "Adding page %lu failed, errno %d", (unsigned long)to, errno);
}

static void assert_found(struct kvm_vcpu *vcpu)
{
	sync_global_to_guest(vcpu->vm, expected);
	vm_tdx_launch(vcpu->vm);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(contents, each_page_its_own)
{
	add_contents(self->vcpu, 0, 3, self->source + 3 * PAGE_SIZE, 2);
	add_contents(self->vcpu, KVM_TDX_MEASURE_MEMORY_REGION, 0, self->source, 2);
	add_contents(self->vcpu, 0, 2, self->source + 2 * PAGE_SIZE, 1);
	assert_found(self->vcpu);
}

TEST_F(contents, one_source_for_all)
{
	for (int i = 0; i < NR_GUEST_PAGES; i++) {
		add_contents(self->vcpu, 0, i, self->source + 2 * PAGE_SIZE, 1);
		expected[i] = 2;
	}
	assert_found(self->vcpu);
}

TEST_F(contents, source_changed_later)
{
	add_contents(self->vcpu, 0, 0, self->source, NR_GUEST_PAGES);
	memset(self->source, 0xff, NR_GUEST_PAGES * PAGE_SIZE);
	assert_found(self->vcpu);
}

TEST_F(contents, page_added_again)
{
	add_contents(self->vcpu, 0, 0, self->source, NR_GUEST_PAGES);

	vm_guest_mem_punch_hole(self->vm, GUEST_GPA, PAGE_SIZE);
	fill(self->source, 100);
	add_contents(self->vcpu, 0, 0, self->source, 1);
	expected[0] = 100;

	/* This page stays in guest_memfd, with what it had. */
	vm_mem_set_shared(self->vm, GUEST_GPA + PAGE_SIZE, PAGE_SIZE);
	vm_mem_set_private(self->vm, GUEST_GPA + PAGE_SIZE, PAGE_SIZE);
	fill(self->source, 101);
	add_contents(self->vcpu, 0, 1, self->source, 1);
	expected[1] = 101;
	assert_found(self->vcpu);
}

/* An attempt to add a page again must not leave its contents behind. */
TEST_F(contents, second_source_refused)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)self->source + PAGE_SIZE,
		.gpa = GUEST_GPA,
		.nr_pages = 1,
	};

	add_contents(self->vcpu, 0, 0, self->source, NR_GUEST_PAGES);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, &region, NULL), EIO);
	assert_found(self->vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
