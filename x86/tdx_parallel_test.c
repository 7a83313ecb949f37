// SPDX-License-Identifier: GPL-2.0
/*
 * Commands for one TD that come at the same time.
 *
 * While a TD is built, KVM takes commands from any thread: for the VM, for each
 * vCPU, for the memory behind it.  Whatever the order, the outcome has to be one
 * that some order explains, and the TD has to live on: the TDX module refuses
 * what collides, and KVM must not let it come to that.
 *
 * In the first part one command stands still in its middle, for as long as it
 * takes, and the others come then.  In the second part two start together, over
 * and over; TDX_RACES says how often.
 */
#include <pthread.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/held_region.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define SLOT		1
#define SLOT_GPA	0x100000ul
#define NR_PAGES	8

/* A command in a thread stops when KVM reads this page of the source. */
#define HELD		3

#define NR_VCPUS	2

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct kvm_tdx_init_vm *init;
	void *source;			/* NR_PAGES */
};

enum stage {
	CREATED,
	INITIALIZED,
	VCPUS_CREATED,
	FIRST_VCPU_READY,
	FIRST_VCPU_READY_MEMORY_ADDED,
	READY,
	READY_MEMORY_ADDED,
};

static struct kvm_tdx_init_mem_region pages(struct td *td, u64 first, u64 nr)
{
	return (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)td->source + first * PAGE_SIZE,
		.gpa = SLOT_GPA + first * PAGE_SIZE,
		.nr_pages = nr,
	};
}

#define assert_added(vcpu, _region)					\
do {									\
	struct kvm_tdx_init_mem_region __region = (_region);		\
									\
	TEST_ASSERT(!__tdx_init_mem_region(vcpu, 0, &__region, NULL),	\
		    "Adding pages failed at GPA 0x%lx, errno %d (%s)",	\
		    (unsigned long)__region.gpa, errno, strerror(errno)); \
} while (0)

static void create_td(struct td *td, enum stage stage)
{
	td->vm = ____vm_create(VM_SHAPE_TDX);
	td->init = tdx_default_init_vm(td->vm);
	vm_create_irqchip(td->vm);
	vm_mem_add(td->vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA, SLOT, NR_PAGES,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(td->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	td->source = test_alloc_before_hole(NR_PAGES * PAGE_SIZE);
	if (stage >= INITIALIZED)
		tdx_init_vm(td->vm, td->init);

	for (int i = 0; i < NR_VCPUS && stage >= VCPUS_CREATED; i++) {
		td->vcpu[i] = __vm_vcpu_add(td->vm, i);
		tdx_vcpu_init_cpuid(td->vcpu[i]);
		if (stage >= READY || (stage >= FIRST_VCPU_READY && !i))
			tdx_init_vcpu(td->vcpu[i], 0);
	}

	if (stage == FIRST_VCPU_READY_MEMORY_ADDED || stage == READY_MEMORY_ADDED)
		assert_added(td->vcpu[0], pages(td, 0, NR_PAGES));
}

static void free_td(struct td *td)
{
	kvm_vm_free(td->vm);
	kvm_munmap(td->source, NR_PAGES * PAGE_SIZE);
	free(td->init);
}

/*
 * What the threads do.  @side is 0 or 1, and each side has its vCPU.  The result
 * is an errno, or 0.
 */

#define errno_of(call)	((call) < 0 ? errno : 0)

static int init_vm(struct td *td, int side)
{
	return errno_of(__tdx_init_vm(td->vm, td->init, NULL));
}

static int create_vcpu(struct td *td, int side)
{
	int fd = __vm_ioctl(td->vm, KVM_CREATE_VCPU, (void *)(u64)side);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int init_own_vcpu(struct td *td, int side)
{
	return errno_of(__tdx_init_vcpu(td->vcpu[side], 0, NULL));
}

static int init_last_vcpu(struct td *td, int side)
{
	return errno_of(__tdx_init_vcpu(td->vcpu[NR_VCPUS - 1], 0, NULL));
}

static int add_all_pages(struct td *td, int side)
{
	struct kvm_tdx_init_mem_region region = pages(td, 0, NR_PAGES);
	int error = errno_of(__tdx_init_mem_region(td->vcpu[side], 0, &region, NULL));

	/* There is no order in which this is done by halves. */
	TEST_ASSERT_EQ(region.nr_pages, error ? NR_PAGES : 0);
	return error;
}

static int add_half_of_pages(struct td *td, int side)
{
	struct kvm_tdx_init_mem_region region =
		pages(td, side * NR_PAGES / 2, NR_PAGES / 2);

	return errno_of(__tdx_init_mem_region(td->vcpu[side], 0, &region, NULL));
}

static int finalize(struct td *td, int side)
{
	return errno_of(__tdx_finalize(td->vm, NULL));
}

/* The guest has no memory where it starts, which is a memory fault. */
static int run(struct td *td, int side)
{
	return errno_of(__vcpu_run(td->vcpu[side]));
}

static int pre_fault(struct td *td, int side)
{
	struct kvm_pre_fault_memory range = {
		.gpa = SLOT_GPA,
		.size = NR_PAGES * PAGE_SIZE,
	};

	return errno_of(__vcpu_ioctl(td->vcpu[side], KVM_PRE_FAULT_MEMORY, &range));
}

static int punch_hole(struct td *td, int side)
{
	vm_guest_mem_punch_hole(td->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	return 0;
}

static int set_shared(struct td *td, int side)
{
	vm_mem_set_shared(td->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	return 0;
}

static int delete_memslot(struct td *td, int side)
{
	struct kvm_userspace_memory_region2 region = { .slot = SLOT };

	return errno_of(__vm_ioctl(td->vm, KVM_SET_USER_MEMORY_REGION2, &region));
}

/* One of the above in a thread. */
struct side {
	struct td *td;
	int side;
	int (*op)(struct td *td, int side);
	int error;
	bool done;
	pid_t tid;
	pthread_t thread;
	pthread_barrier_t *start;
};

/*
 * On one CPU, for the time being: KVM can't move a vCPU to another one before
 * KVM_TDX_INIT_VCPU has come to its end.
 */
static void *side_thread(void *arg)
{
	struct side *side = arg;

	pin_self_to_any_cpu();
	if (side->start)
		pthread_barrier_wait(side->start);
	WRITE_ONCE(side->tid, syscall(__NR_gettid));
	side->error = side->op(side->td, side->side);
	WRITE_ONCE(side->done, true);
	return NULL;
}

static void start_side(struct side *side)
{
	TEST_ASSERT_EQ(pthread_create(&side->thread, NULL, side_thread, side), 0);
}

static int finish_side(struct side *side)
{
	TEST_ASSERT_EQ(pthread_join(side->thread, NULL), 0);
	return side->error;
}

/* Wait until the kernel makes it wait.  Returns false if it need not. */
static bool side_waits(struct side *side)
{
	char path[64], text[512], *state;
	int fd;

	while (!READ_ONCE(side->tid))
		sched_yield();

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", side->tid);
	while (!READ_ONCE(side->done)) {
		ssize_t len = 0;

		fd = open(path, O_RDONLY);
		if (fd >= 0) {
			len = read(fd, text, sizeof(text) - 1);
			close(fd);
		}
		if (len <= 0)
			break;

		/* "tid (comm) state ...", where D waits for a lock. */
		text[len] = '\0';
		state = strrchr(text, ')');
		if (state && state[2] == 'D')
			return true;
		sched_yield();
	}
	return false;
}

static bool has_vcpus(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	bool has = vm_check_cap(vm, KVM_CAP_MAX_VCPUS) >= NR_VCPUS;

	kvm_vm_free(vm);
	return has;
}

/*
 * Part one: KVM_TDX_INIT_MEM_REGION of all pages on vCPU 0 stands still.
 */
FIXTURE(during_init_mem_region) {
	struct td td;
	struct held_region held;
	struct side other;
};

static void setup_held(struct __test_metadata *_metadata, struct td *td,
		       struct held_region *held, enum stage stage)
{
	if (!has_vcpus())
		SKIP(return, "needs %d host CPUs", NR_VCPUS);

	create_td(td, stage);
	held->vcpu = td->vcpu[0];
	held->region = pages(td, 0, NR_PAGES);
	if (!hold_region(held, HELD))
		SKIP(return, "needs userfaultfd");
}

FIXTURE_SETUP(during_init_mem_region)
{
	setup_held(_metadata, &self->td, &self->held, READY);
	self->other.td = &self->td;
	self->other.side = 1;
}

FIXTURE_TEARDOWN(during_init_mem_region)
{
	free_td(&self->td);
}

#define release(self)	release_held_region(&(self)->held, (self)->td.vcpu[0]->run)

#define assert_all_added(self)						\
do {									\
	TEST_ASSERT_EQ((self)->held.region.nr_pages, 0);		\
	TEST_ASSERT_EQ((self)->held.region.gpa,				\
		       SLOT_GPA + NR_PAGES * PAGE_SIZE);		\
} while (0)

/* @_op, on the other vCPU, has to wait for the end and then finds all done. */
#define assert_waits_and_gives(self, _op, _error)			\
do {									\
	(self)->other.op = _op;						\
	start_side(&(self)->other);					\
	TEST_ASSERT(side_waits(&(self)->other),				\
		    #_op " does not wait, errno %d", (self)->other.error); \
	TEST_ASSERT_EQ(release(self), 0);				\
	assert_all_added(self);						\
	TEST_ASSERT_EQ(finish_side(&(self)->other), _error);		\
} while (0)

TEST_F(during_init_mem_region, finalize)
{
	assert_waits_and_gives(self, finalize, 0);
	TEST_ASSERT_EQ(finalize(&self->td, 0), EINVAL);
}

TEST_F(during_init_mem_region, init_vm)
{
	assert_waits_and_gives(self, init_vm, EINVAL);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, init_vcpu)
{
	assert_waits_and_gives(self, init_own_vcpu, EINVAL);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, same_pages)
{
	assert_waits_and_gives(self, add_all_pages, EIO);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, run)
{
	assert_waits_and_gives(self, run, EINVAL);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, conversion)
{
	assert_waits_and_gives(self, set_shared, 0);

	/* It came last, and so no page is left. */
	vm_mem_set_private(self->td.vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	assert_added(self->td.vcpu[0], pages(&self->td, 0, NR_PAGES));
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, memslot_deletion)
{
	assert_waits_and_gives(self, delete_memslot, 0);
	TEST_ASSERT_EQ(add_all_pages(&self->td, 0), EINVAL);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

/* Nobody needs to wait for what the TDX module can do. */
TEST_F(during_init_mem_region, capabilities)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->td.vm);

	TEST_ASSERT(caps->supported_attrs, "No capabilities while memory is added");
	free(caps);
	TEST_ASSERT_EQ(release(self), 0);
	assert_all_added(self);
}

/* A hole does not wait for pages that are still to come, and takes the others. */
TEST_F(during_init_mem_region, punch_hole)
{
	struct kvm_tdx_init_mem_region region;

	TEST_ASSERT_EQ(punch_hole(&self->td, 0), 0);
	TEST_ASSERT_EQ(release(self), 0);
	assert_all_added(self);

	/* Those before are gone, and those behind are there. */
	assert_added(self->td.vcpu[1], pages(&self->td, 0, HELD));
	for (int i = 0; i < NR_PAGES; i++) {
		region = pages(&self->td, i, 1);
		TEST_ASSERT_FAILS(__tdx_init_mem_region(self->td.vcpu[1], 0,
							&region, NULL), EIO);
	}
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

/* The page at hand is added, and for the next there is no memory. */
TEST_F(during_init_mem_region, guest_memfd_closed)
{
	kvm_free_fd(memslot2region(self->td.vm, SLOT)->region.guest_memfd);
	TEST_ASSERT_EQ(release(self), EFAULT);
	TEST_ASSERT_EQ(self->held.region.nr_pages, NR_PAGES - HELD - 1);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, source_unmapped)
{
	const size_t rest = (NR_PAGES - HELD - 1) * PAGE_SIZE;

	TEST_ASSERT(!mprotect(self->td.source + (HELD + 1) * PAGE_SIZE, rest, PROT_NONE),
		    "mprotect() failed, errno %d", errno);
	TEST_ASSERT_EQ(release(self), EFAULT);
	TEST_ASSERT_EQ(self->held.region.nr_pages, NR_PAGES - HELD - 1);

	TEST_ASSERT(!mprotect(self->td.source, NR_PAGES * PAGE_SIZE, PROT_READ),
		    "mprotect() failed, errno %d", errno);
	assert_added(self->td.vcpu[1], self->held.region);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

/* The thread in the command is the last to have hold of the VM and the vCPU. */
TEST_F(during_init_mem_region, files_closed)
{
	void *run = self->td.vcpu[0]->run;

	kvm_free_fd(self->td.vm->fd);
	kvm_free_fd(self->td.vcpu[0]->fd);
	TEST_ASSERT_EQ(release_held_region(&self->held, run), 0);
	assert_all_added(self);

	/* Some other parts are still there, but kvm_vm_free() has no way. */
	_exit(0);
}

/* The same, with a second vCPU that isn't initialised yet. */
FIXTURE(during_init_mem_region_first_vcpu) {
	struct td td;
	struct held_region held;
	struct side other;
};

FIXTURE_SETUP(during_init_mem_region_first_vcpu)
{
	setup_held(_metadata, &self->td, &self->held, FIRST_VCPU_READY);
	self->other.td = &self->td;
	self->other.side = 1;
}

FIXTURE_TEARDOWN(during_init_mem_region_first_vcpu)
{
	free_td(&self->td);
}

TEST_F(during_init_mem_region_first_vcpu, init_vcpu)
{
	assert_waits_and_gives(self, init_own_vcpu, 0);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region_first_vcpu, init_mem_region)
{
	assert_waits_and_gives(self, add_all_pages, EINVAL);
	TEST_ASSERT_EQ(finalize(&self->td, 0), 0);
}

/*
 * Part two: two commands that start together.
 */
static u32 nr_races = 3;

FIXTURE(race) { };

FIXTURE_VARIANT(race) {
	enum stage stage;
	int (*op[2])(struct td *td, int side);
	int outcomes[3][2];	/* the errno of each side; all are legal */
	int nr_outcomes;
	const char *deadly;	/* why KVM may kill the VM, if it may */
};

FIXTURE_VARIANT_ADD(race, init_vm_twice) {
	CREATED, { init_vm, init_vm }, { { 0, EINVAL }, { EINVAL, 0 } }, 2,
};
/* Linux 7.2 takes note of a vCPU before it has seen that it can't be. */
FIXTURE_VARIANT_ADD(race, init_vm_and_create_vcpu) {
	CREATED, { init_vm, create_vcpu },
	{ { 0, 0 }, { 0, EIO }, { EBUSY, EIO } }, 3,
};
FIXTURE_VARIANT_ADD(race, create_vcpus) {
	INITIALIZED, { create_vcpu, create_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_twice) {
	VCPUS_CREATED, { init_last_vcpu, init_last_vcpu },
	{ { 0, EINVAL }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_vcpus) {
	VCPUS_CREATED, { init_own_vcpu, init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_init_mem_region) {
	FIRST_VCPU_READY, { add_all_pages, init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_punch_hole) {
	FIRST_VCPU_READY_MEMORY_ADDED, { punch_hole, init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_finalize) {
	FIRST_VCPU_READY, { finalize, init_own_vcpu },
	{ { 0, 0 }, { 0, EINVAL } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_of_same_pages) {
	READY, { add_all_pages, add_all_pages },
	{ { 0, EIO }, { EIO, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_of_other_pages) {
	READY, { add_half_of_pages, add_half_of_pages }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_finalize) {
	READY, { add_all_pages, finalize },
	{ { 0, 0 }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_punch_hole) {
	READY, { add_all_pages, punch_hole }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_conversion) {
	READY, { add_all_pages, set_shared },
	{ { 0, 0 }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_memslot_deletion) {
	READY, { add_all_pages, delete_memslot },
	{ { 0, 0 }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, finalize_twice) {
	READY, { finalize, finalize }, { { 0, EINVAL }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, finalize_and_run) {
	READY, { finalize, run }, { { 0, EINVAL }, { 0, EFAULT } }, 2,
};
FIXTURE_VARIANT_ADD(race, finalize_and_pre_fault) {
	READY, { finalize, pre_fault }, { { 0, EOPNOTSUPP }, { 0, 0 } }, 2,
};
/* The TDX module may be busy with the hole, and KVM says so. */
FIXTURE_VARIANT_ADD(race, finalize_and_punch_hole) {
	READY_MEMORY_ADDED, { finalize, punch_hole }, { { 0, 0 }, { EBUSY, 0 } }, 2,
	"The TD is final between KVM's leaving out TDH.MEM.TRACK and TDH.MEM.PAGE.REMOVE",
};
FIXTURE_VARIANT_ADD(race, finalize_and_conversion) {
	READY_MEMORY_ADDED, { finalize, set_shared }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, finalize_and_memslot_deletion) {
	READY_MEMORY_ADDED, { finalize, delete_memslot }, { { 0, 0 } }, 1,
};

FIXTURE_SETUP(race)
{
	if (!has_vcpus())
		SKIP(return, "needs %d host CPUs", NR_VCPUS);
	/* The dead VM's pages go back to the host, and whoever gets them fails. */
	if (variant->deadly && !getenv("TDX_RACES"))
		SKIP(return, "KVM's bug would spoil the host's memory; TDX_RACES=5000 dares it");
	if (variant->deadly && panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);
}

FIXTURE_TEARDOWN(race) { }

/* The lines of a TD that dies of a hole: as it does, and when it is gone. */
static void expect_death(void)
{
	expect_kernel_log("WARNING: *tdx_sept_|WARNING: *__handle_changed_spte");
	expect_kernel_log("SEAMCALL TDH_MEM_RANGE_BLOCK failed|SEAMCALL TDH_MEM_PAGE_REMOVE failed");
	expect_kernel_log("WARNING: *tdx_reclaim_page");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");
}

TEST_F_TIMEOUT(race, as_if_in_order, 600)
{
	if (variant->deadly)
		expect_death();

	for (u32 n = 0; n < nr_races; n++) {
		struct side sides[2];
		pthread_barrier_t start;
		bool legal = false, dead;
		struct td td = {};

		create_td(&td, variant->stage);
		pthread_barrier_init(&start, NULL, ARRAY_SIZE(sides));
		for (int i = 0; i < ARRAY_SIZE(sides); i++) {
			sides[i] = (struct side) {
				.td = &td,
				.side = i,
				.op = variant->op[i],
				.start = &start,
			};
			start_side(&sides[i]);
		}
		for (int i = 0; i < ARRAY_SIZE(sides); i++)
			finish_side(&sides[i]);

		for (int i = 0; i < variant->nr_outcomes; i++)
			legal |= variant->outcomes[i][0] == sides[0].error &&
				 variant->outcomes[i][1] == sides[1].error;
		TEST_ASSERT(legal, "No order explains errno %d (%s) and %d (%s)",
			    sides[0].error, strerror(sides[0].error),
			    sides[1].error, strerror(sides[1].error));
		dead = vm_is_dead(td.vm);
		free_td(&td);
		if (dead && variant->deadly)
			XFAIL(return, "%s", variant->deadly);
		TEST_ASSERT(!dead, "The VM is dead");
	}
}

int main(int argc, char *argv[])
{
	const char *races = getenv("TDX_RACES");

	TEST_REQUIRE(is_tdx_supported());

	if (races)
		nr_races = atoi_positive("TDX_RACES", races);

	return test_harness_run(argc, argv);
}
