// SPDX-License-Identifier: GPL-2.0
/*
 * A TD that runs while memory is short: what KVM allocates when a page is touched for
 * the first time, by the guest or by KVM_PRE_FAULT_MEMORY, fails once.
 *
 * KVM must return an error to user space and leave the guest where it is, so that the
 * guest gets the page when it runs again, and notices nothing.
 *
 * Each failure takes a place of its own in guest memory.  They are so far apart that no
 * two share a page table.
 */
#include "tdx/generic/fail_nth.h"
#include "tdx/tdx_test_harness.h"

#define NR_PLACES	64
#define PLACE_SLOT(i)	((i) + 10)
#define PLACE_GPA(i)	(((i) + 1ul) << 39)

/* The second page takes a node in the xarray of its guest_memfd, the first doesn't. */
#define PLACE_PAGES	2
#define PLACE_PAGE(i)	(PLACE_GPA(i) + PAGE_SIZE)

/* The lib takes two page tables for so many pages. */
#define EXTRA_PAGES	(NR_PLACES * 4 * 512ul)

#define MAGIC		0x1122334455667788ul

struct places {
	struct tdx_guest td;
	int nr_touched;
	gpa_t gpa;		/* of the last one */
};

FIXTURE(guest) {
	struct places places;
};

FIXTURE_SETUP(guest)
{
	struct kvm_vm *vm;

	/* Now, and not later: KVM has to be the first to touch the guest's memory. */
	fail_nth_lock_memory();

	vm = __vm_create(VM_SHAPE_TDX, 1, EXTRA_PAGES);
	for (int i = 0; i < NR_PLACES; i++) {
		vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, PLACE_GPA(i),
					    PLACE_SLOT(i), PLACE_PAGES, KVM_MEM_GUEST_MEMFD);
		tdx_map_both(vm, PLACE_PAGE(i), 1);
	}
	self->places.td = tdx_guest_add(vm, 0);
	tdx_vm_finalize(vm);

	/* What the first KVM_RUN allocates for itself is not of interest here. */
	tdx_guest_do(&self->places.td, TDX_GUEST_CPUID, 0, 0);
}

FIXTURE_TEARDOWN(guest)
{
	kvm_vm_free(self->places.td.vm);
}

/* A first touch. */
struct touch {
	const char *name;
	void (*prepare)(struct places *places);
	int (*call)(void *arg);
	void (*check)(struct places *places);
	int error;		/* besides ENOMEM */
};

static int run(void *arg)
{
	struct places *places = arg;

	return __vcpu_run(places->td.vcpu);
}

static int prefault(void *arg)
{
	struct places *places = arg;
	struct kvm_pre_fault_memory range = { .gpa = places->gpa, .size = PAGE_SIZE };

	return __vcpu_ioctl(places->td.vcpu, KVM_PRE_FAULT_MEMORY, &range);
}

static void make_private(struct places *places)
{
	vm_mem_set_private(places->td.vm, places->gpa, PAGE_SIZE);
}

static void prepare_private(struct places *places)
{
	make_private(places);
	tdx_guest_post(&places->td, TDX_GUEST_ACCEPT, places->gpa, 0);
}

static void prepare_shared(struct places *places)
{
	tdx_guest_post(&places->td, TDX_GUEST_WRITE, tdx_shared_gva(places->gpa), MAGIC);
}

static void assert_done(struct tdx_guest *td)
{
	struct ucall uc;

	TEST_ASSERT_EQ(get_ucall(td->vcpu, &uc), UCALL_SYNC);
	TEST_ASSERT_EQ(td->req->status, TDX_SUCCESS);
	TEST_ASSERT_EQ(td->req->vector, 0);
}

static void check_private(struct places *places)
{
	assert_done(&places->td);
	tdx_guest_write(&places->td, places->gpa, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&places->td, places->gpa), MAGIC);
}

static void check_shared(struct places *places)
{
	u64 *hva = addr_gpa2hva(places->td.vm, places->gpa);

	assert_done(&places->td);
	TEST_ASSERT_EQ(*hva, MAGIC);
}

static void check_prefault(struct places *places)
{
	tdx_guest_accept(&places->td, places->gpa);
	tdx_guest_write(&places->td, places->gpa, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&places->td, places->gpa), MAGIC);
}

/* Returns true if an allocation failed. */
static bool touch_place(struct places *places, const struct touch *touch,
			const struct fail_nth *fail)
{
	struct fail_nth_result result;
	bool failed;

	TEST_ASSERT(places->nr_touched < NR_PLACES, "%s never succeeds", touch->name);
	places->gpa = PLACE_PAGE(places->nr_touched++);
	touch->prepare(places);
	failed = fail_nth(fail, touch->call, places, &result);
	if (result.ret) {
		TEST_ASSERT(failed && (result.error == ENOMEM || result.error == touch->error),
			    "%s failed, errno %d", touch->name, result.error);
		TEST_ASSERT_EQ(touch->call(places), 0);
	}
	touch->check(places);
	return failed;
}

static void touch_places(struct places *places, const struct touch *touch)
{
	unsigned int nr[NR_FAIL_NTH_KINDS] = { };
	struct fail_nth fail;

	for (fail.kind = 0; fail.kind < NR_FAIL_NTH_KINDS; fail.kind++) {
		for (int rest = 0; rest < 2; rest++) {
			fail.rest = rest;
			for (fail.nth = 1; touch_place(places, touch, &fail); fail.nth++)
				nr[fail.kind] = max(nr[fail.kind], fail.nth);
		}
	}
	ksft_print_msg("%s: %u slab and %u page allocations failed\n", touch->name,
		       nr[FAIL_NTH_SLAB], nr[FAIL_NTH_PAGE]);
	TEST_ASSERT(nr[FAIL_NTH_SLAB] || nr[FAIL_NTH_PAGE], "%s makes no allocation",
		    touch->name);
}

TEST_F(guest, private_page)
{
	static const struct touch touch = {
		.name = "private page",
		.prepare = prepare_private,
		.call = run,
		.check = check_private,
	};

	touch_places(&self->places, &touch);
}

/*
 * For KVM, memory that user space maps and that can't be had is like memory that isn't
 * mapped: it returns EFAULT.
 */
TEST_F(guest, shared_page)
{
	static const struct touch touch = {
		.name = "shared page",
		.prepare = prepare_shared,
		.call = run,
		.check = check_shared,
		.error = EFAULT,
	};

	touch_places(&self->places, &touch);
}

TEST_F(guest, prefault)
{
	static const struct touch touch = {
		.name = "prefault",
		.prepare = make_private,
		.call = prefault,
		.check = check_prefault,
	};

	touch_places(&self->places, &touch);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());
	__TEST_REQUIRE(fail_nth_setup(), NEEDS_FAULT_INJECTION);

	return test_harness_run(argc, argv);
}
