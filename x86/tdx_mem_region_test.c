// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_INIT_MEM_REGION adds a TD's initial memory: its arguments and errors.
 *
 * KVM refuses a bad request before it adds anything.  A request that fails
 * halfway reports its progress, so that user space can resolve the error and
 * resume.  The TD needs no guest for that; for what the guest finds see
 * tdx_initial_memory_test.
 */
#include <signal.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/held_region.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define SLOT		1
#define SLOT_GPA	0x100000ul
#define NR_PAGES	4

/* 2^64 bytes, in pages. */
#define ADDRESS_SPACE_PAGES	BIT_ULL(64 - 12)

FIXTURE(mem_region) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *source;		/* NR_PAGES, with an unmapped page behind */
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

/* @nr_pages pages of the slot and of the source, from page @first on. */
static struct kvm_tdx_init_mem_region pages(void *source, u64 first, u64 nr_pages)
{
	return (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)source + first * PAGE_SIZE,
		.gpa = SLOT_GPA + first * PAGE_SIZE,
		.nr_pages = nr_pages,
	};
}

/* KVM adds all pages, and reports that. */
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

/* *@region fails after @done pages, and reports that. */
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
 * KVM refuses the whole request.  If KVM had added a page or broken the TD, adding
 * all pages afterwards would fail.
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

TEST_F(mem_region, no_memory_at_all)
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

	/* Later kernels take the contents that guest_memfd has. */
	region.source_addr = 0;
	if (!__tdx_init_mem_region(self->vcpu, 0, &region, NULL)) {
		TEST_ASSERT_EQ(region.nr_pages, 0);
		SKIP(return, "this kernel needs no source");
	}

	/* EOPNOTSUPP is what Linux 7.2 says. */
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

	/* With memory up to the shared bit, so that only the end is wrong. */
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

TEST_F(mem_region, first_page)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 1);

	add_slot(self->vm, SLOT + 1, 0, 1);
	region.gpa = 0;
	assert_added(self->vcpu, region);
	tdx_finalize(self->vm);
}

/* The size in bytes is so large that the end overflows, or that the size is 0. */
TEST_F(mem_region, end_wraps)
{
	struct kvm_tdx_init_mem_region region;

	region = pages(self->source, 0, ADDRESS_SPACE_PAGES - 1);
	assert_stops(self->vcpu, &region, 0, EINVAL);

	region = pages(self->source, 0, ADDRESS_SPACE_PAGES - SLOT_GPA / PAGE_SIZE);
	assert_stops(self->vcpu, &region, 0, EINVAL);

	assert_refused(self, pages(self->source, 0, ADDRESS_SPACE_PAGES), EINVAL);
}

/* The size in bytes doesn't fit in 64 bits, and the rest of it looks valid. */
TEST_F(mem_region, size_wraps)
{
	struct kvm_tdx_init_mem_region region;

	region = pages(self->source, 0, ADDRESS_SPACE_PAGES + 1);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, &region, NULL),
			  EINVAL);

	/* KVM added pages up to the end of the memslot. */
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

/* KVM must not succeed if it can't report its progress. */
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

TEST_F(mem_region, by_any_vcpu)
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

TEST_F(mem_region, memslot_ends_early)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 1, NR_PAGES);

	assert_stops(self->vcpu, &region, NR_PAGES - 1, EINVAL);
	assert_added(self->vcpu, pages(self->source, 0, 1));
	tdx_finalize(self->vm);
}

TEST_F(mem_region, across_two_memslots)
{
	const gpa_t next = SLOT_GPA + NR_PAGES * PAGE_SIZE;
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, NR_PAGES);

	add_slot(self->vm, SLOT + 1, next, NR_PAGES);
	region.gpa = next - 2 * PAGE_SIZE;
	assert_added(self->vcpu, region);

	/* KVM added these four pages and no others. */
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

TEST_F(mem_region, source_ends_early)
{
	struct kvm_tdx_init_mem_region region = pages(self->source, 0, 3);

	region.source_addr = (u64)self->source + (NR_PAGES - 2) * PAGE_SIZE;
	assert_stops(self->vcpu, &region, 2, EFAULT);

	/* User space provides memory and resumes. */
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
 * Signals.
 */

static void ignore_signal(int sig) { }

/*
 * Send a signal while KVM waits for page @nr of the source.  KVM may still add
 * that page afterwards, but then has to report it.
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

	/* The reported pages are there, and the rest isn't. */
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

TEST_F(mem_region, signal_halfway)
{
	if (!add_interrupted_at_page(self->vcpu, self->source, 2))
		SKIP(return, "needs userfaultfd");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
