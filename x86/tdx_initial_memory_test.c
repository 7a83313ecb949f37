// SPDX-License-Identifier: GPL-2.0
/*
 * The initial memory of a TD: what KVM_TDX_INIT_MEM_REGION adds, what becomes of
 * it before the launch, and what the guest finds.
 *
 * KVM adds a page once, with the contents that the source had at the time of the
 * call.  User space may take a page back before the TD is final, and add it
 * again.  For the command's arguments and errors see tdx_mem_region_test.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_PAGES	4

/*
 * Which pages are there.
 */

FIXTURE(initial_page) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	u64 *hva;		/* NR_PAGES of shared memory, which serve as source */
};

FIXTURE_SETUP(initial_page)
{
	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	self->vcpu = self->guest.vcpu;
	self->hva = addr_gpa2hva(self->vm, GMEM_GPA);
	vm_mem_set_private(self->vm, GMEM_GPA, NR_PAGES * PAGE_SIZE);
}

FIXTURE_TEARDOWN(initial_page)
{
	kvm_vm_free(self->vm);
}

static struct kvm_tdx_init_mem_region pages(void *source, gpa_t gpa, u64 nr_pages)
{
	return (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)source,
		.gpa = gpa,
		.nr_pages = nr_pages,
	};
}

#define assert_region_eq(region, _source, _gpa, _nr_pages)		\
do {									\
	TEST_ASSERT_EQ((region)->source_addr, (u64)(_source));		\
	TEST_ASSERT_EQ((region)->gpa, _gpa);				\
	TEST_ASSERT_EQ((region)->nr_pages, _nr_pages);			\
} while (0)

static void add(struct kvm_vcpu *vcpu, void *source, gpa_t gpa, u64 nr_pages)
{
	struct kvm_tdx_init_mem_region region = pages(source, gpa, nr_pages);
	const u64 size = nr_pages * PAGE_SIZE;

	TEST_ASSERT(!__tdx_init_mem_region(vcpu, 0, &region, NULL),
		    "Adding pages failed at GPA 0x%lx, errno %d (%s)",
		    (unsigned long)region.gpa, errno, strerror(errno));
	assert_region_eq(&region, source + size, gpa + size, 0);
}

/* The page is there already, so KVM can't add it. */
static void assert_present(struct kvm_vcpu *vcpu, void *source, gpa_t gpa)
{
	struct kvm_tdx_init_mem_region region = pages(source, gpa, 1);

	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, &region, NULL), EIO);
	assert_region_eq(&region, source, gpa, 1);
}

TEST_F(initial_page, added_twice_refused)
{
	struct kvm_tdx_init_mem_region region = pages(self->hva, GMEM_GPA, NR_PAGES);

	add(self->vcpu, self->hva, GMEM_PAGE(1), 1);
	assert_present(self->vcpu, self->hva, GMEM_PAGE(1));

	/* A range stops at that page, and can be resumed behind it. */
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, 0, &region, NULL), EIO);
	assert_region_eq(&region, (void *)self->hva + PAGE_SIZE, GMEM_PAGE(1),
			 NR_PAGES - 1);
	add(self->vcpu, self->hva, GMEM_PAGE(2), NR_PAGES - 2);
	tdx_finalize(self->vm);
}

TEST_F(initial_page, added_again_after_punch_hole)
{
	add(self->vcpu, self->hva, GMEM_GPA, NR_PAGES);
	vm_guest_mem_punch_hole(self->vm, GMEM_PAGE(1), 2 * PAGE_SIZE);
	add(self->vcpu, self->hva, GMEM_PAGE(1), 2);

	/* The neighbours are still there. */
	assert_present(self->vcpu, self->hva, GMEM_PAGE(0));
	assert_present(self->vcpu, self->hva, GMEM_PAGE(3));
	tdx_finalize(self->vm);
}

TEST_F(initial_page, added_again_after_conversion)
{
	add(self->vcpu, self->hva, GMEM_GPA, NR_PAGES);
	vm_mem_set_shared(self->vm, GMEM_PAGE(1), PAGE_SIZE);
	vm_mem_set_private(self->vm, GMEM_PAGE(1), PAGE_SIZE);
	add(self->vcpu, self->hva, GMEM_PAGE(1), 1);

	/* The neighbours are still there. */
	assert_present(self->vcpu, self->hva, GMEM_PAGE(0));
	assert_present(self->vcpu, self->hva, GMEM_PAGE(2));
	tdx_finalize(self->vm);
}

static void add_slot(struct kvm_vm *vm, u32 slot, gpa_t gpa, u64 nr_pages)
{
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, slot, nr_pages,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, gpa, nr_pages * PAGE_SIZE);
}

TEST_F(initial_page, added_again_in_new_memslot)
{
	const gpa_t other = GMEM_GPA + SLOT_SIZE;
	void *source = self->vcpu->run;

	add_slot(self->vm, GMEM_SLOT + 10, other, 1);
	add(self->vcpu, source, other, 1);
	add(self->vcpu, self->hva, GMEM_GPA, NR_PAGES);

	vm_mem_region_delete(self->vm, GMEM_SLOT);
	add_slot(self->vm, GMEM_SLOT, GMEM_GPA, NR_PAGES);
	self->hva = addr_gpa2hva(self->vm, GMEM_GPA);
	add(self->vcpu, self->hva, GMEM_GPA, NR_PAGES);

	/* The page of the other memslot is still there. */
	assert_present(self->vcpu, source, other);
	tdx_finalize(self->vm);
}

/* User space may change its mind before the TD is final. */
TEST_F(initial_page, taken_back)
{
	add(self->vcpu, self->hva, GMEM_GPA, 3);
	vm_mem_set_shared(self->vm, GMEM_PAGE(0), PAGE_SIZE);
	vm_guest_mem_punch_hole(self->vm, GMEM_PAGE(1), PAGE_SIZE);
	tdx_vm_finalize(self->vm);

	tdx_guest_write(&self->guest, shared(GMEM_PAGE(0)), MAGIC);
	tdx_guest_assert_lost(&self->guest, GMEM_PAGE(1));
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(2)), 0ul);
}

/* After the launch it is a page like any other. */
TEST_F(initial_page, converted)
{
	*self->hva = MAGIC;
	*(u64 *)addr_gpa2hva(self->vm, GMEM_PAGE(1)) = ~MAGIC;
	add(self->vcpu, self->hva, GMEM_GPA, 2);
	tdx_vm_finalize(self->vm);

	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
	tdx_convert_to_shared(&self->guest, GMEM_PAGE(0), PAGE_SIZE);
	tdx_convert_to_private(&self->guest, GMEM_PAGE(0), PAGE_SIZE);
	tdx_guest_assert_lost(&self->guest, GMEM_PAGE(0));
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(1)), ~MAGIC);
}

/*
 * What the guest finds.
 */

/* A memslot that tdx_vm_finalize() leaves alone. */
#define GUEST_SLOT	10
#define GUEST_GPA	0x80000000ul
#define NR_GUEST_PAGES	5

FIXTURE(contents) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *source;		/* NR_GUEST_PAGES, each with its own contents */
};

/* A word depends on its page and on its offset there. */
static u64 word(u64 page, u64 i)
{
	return ((page + 1) << 32) + i * 0x9e3779b1;
}

static void fill(u64 *to, u64 page)
{
	for (int i = 0; i < PAGE_SIZE / sizeof(*to); i++)
		to[i] = word(page, i);
}

/* Guest page i has the contents of source page expected[i]. */
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
	tdx_vm_finalize(vcpu->vm);
	vcpu_run_to_done(vcpu);
}

TEST_F(contents, each_page_has_its_own)
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

TEST_F(contents, source_changed_afterwards)
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

	/* This page stays in guest_memfd, with its contents. */
	vm_mem_set_shared(self->vm, GUEST_GPA + PAGE_SIZE, PAGE_SIZE);
	vm_mem_set_private(self->vm, GUEST_GPA + PAGE_SIZE, PAGE_SIZE);
	fill(self->source, 101);
	add_contents(self->vcpu, 0, 1, self->source, 1);
	expected[1] = 101;
	assert_found(self->vcpu);
}

/* A refused attempt to add a page again must not change its contents. */
TEST_F(contents, refused_page_unchanged)
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
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
