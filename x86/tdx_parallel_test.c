// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that run in parallel on one TD.
 *
 * While a TD is built, KVM takes commands from any thread: on the VM, on a vCPU, and
 * on memory.  They have to be serializable, i.e. their results have to be those of
 * one command after the other, in some order.  The TDX module refuses SEAMCALLs that
 * collide, and KVM must not let that happen, as it would kill the TD.
 *
 * In the first part, KVM_TDX_INIT_MEM_REGION stops in the middle while the other
 * command starts.  In the second part two commands start together, several times;
 * the environment variable TDX_RACES sets how often.  In the third part two TDs
 * begin or end together: the module has locks that all TDs share.
 */
#include <pthread.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/held_region.h"
#include "tdx/host_cpus.h"
#include "tdx/keyids.h"
#include "tdx/race.h"
#include "tdx/races_wanted.h"
#include "tdx/td_commands.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* KVM_TDX_INIT_MEM_REGION stops when KVM reads this page of the source. */
#define HELD		3

/* A thread with one of the commands. */
struct side {
	struct td *td;
	int side;
	int (*op)(void *td, int side);
	int error;
	bool done;
	pid_t tid;
	pthread_t thread;
};

/*
 * Each thread has a CPU of its own, or else one may wait for the other's CPU and not
 * for its lock.  It stays there, because KVM can't move a vCPU to another CPU before
 * KVM_TDX_INIT_VCPU is done.
 */
static void *side_thread(void *arg)
{
	struct side *side = arg;

	pin_self_to_cpu(race_cpu(side->side));
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

/* Wait until the thread waits for a lock.  Returns false if it ends without. */
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

		/* "tid (comm) state ...", and D is the state of one that waits. */
		text[len] = '\0';
		state = strrchr(text, ')');
		if (state && state[2] == 'D')
			return true;
		sched_yield();
	}
	return false;
}

static bool host_has_two_cpus(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	bool has = has_two_cpus(vm);

	kvm_vm_free(vm);
	return has;
}

/*
 * Part one: while KVM_TDX_INIT_MEM_REGION adds all pages, on vCPU 0.
 */
static void setup_held(struct __test_metadata *_metadata, struct td *td,
		       struct held_region *held, struct side *other, enum stage stage)
{
	if (!host_has_two_cpus())
		SKIP(return, NEEDS_TWO_CPUS);

	td_create_td(td, stage);
	other->td = td;
	other->side = 1;
	held->vcpu = td->vcpu[0];
	held->region = td_pages(td, 0, NR_PAGES);
	if (!hold_region(held, HELD))
		SKIP(return, "needs userfaultfd");
}

#define HELD_SUITE(name, stage)						\
	FIXTURE(name) {							\
		struct td td;						\
		struct held_region held;				\
		struct side other;					\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		setup_held(_metadata, &self->td, &self->held,		\
			   &self->other, stage);			\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		td_free_td(&self->td);					\
	}

HELD_SUITE(during_init_mem_region, READY);

#define release(self)	release_held_region(&(self)->held, (self)->td.vcpu[0]->run)

#define assert_all_added(self)						\
do {									\
	TEST_ASSERT_EQ((self)->held.region.nr_pages, 0);		\
	TEST_ASSERT_EQ((self)->held.region.gpa,				\
		       SLOT_GPA + NR_PAGES * PAGE_SIZE);		\
} while (0)

/* @_op, on the other vCPU, waits until all pages are added, and then gives @_error. */
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

TEST_F(during_init_mem_region, finalize_waits)
{
	assert_waits_and_gives(self, td_finalize, 0);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), EINVAL);
}

TEST_F(during_init_mem_region, init_vm_waits)
{
	assert_waits_and_gives(self, td_init_vm, EINVAL);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, init_vcpu_waits)
{
	assert_waits_and_gives(self, td_init_own_vcpu, EINVAL);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, init_mem_region_waits)
{
	assert_waits_and_gives(self, td_add_all_pages, EIO);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, run_waits)
{
	assert_waits_and_gives(self, td_run, EINVAL);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, conversion_waits)
{
	assert_waits_and_gives(self, td_set_shared, 0);

	/* The conversion came last, so no page is left. */
	vm_mem_set_private(self->td.vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	assert_added(self->td.vcpu[0], td_pages(&self->td, 0, NR_PAGES));
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

TEST_F(during_init_mem_region, memslot_deletion_waits)
{
	assert_waits_and_gives(self, td_delete_memslot, 0);
	TEST_ASSERT_EQ(td_add_all_pages(&self->td, 0), EINVAL);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

/* Capabilities don't depend on the TD's state. */
TEST_F(during_init_mem_region, capabilities_do_not_wait)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->td.vm);

	TEST_ASSERT(caps->supported_attrs, "No capabilities while memory is added");
	free(caps);
	TEST_ASSERT_EQ(release(self), 0);
	assert_all_added(self);
}

/* A hole removes the pages added so far, and doesn't wait for the others. */
TEST_F(during_init_mem_region, punch_hole_does_not_wait)
{
	struct kvm_tdx_init_mem_region region;

	TEST_ASSERT_EQ(td_punch_hole(&self->td, 0), 0);
	TEST_ASSERT_EQ(release(self), 0);
	assert_all_added(self);

	/* The pages before are gone, and those after are there. */
	assert_added(self->td.vcpu[1], td_pages(&self->td, 0, HELD));
	for (int i = 0; i < NR_PAGES; i++) {
		region = td_pages(&self->td, i, 1);
		TEST_ASSERT_FAILS(__tdx_init_mem_region(self->td.vcpu[1], 0,
							&region, NULL), EIO);
	}
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

/* KVM adds the page that it holds already, and has no memory for the next one. */
TEST_F(during_init_mem_region, guest_memfd_closed)
{
	kvm_free_fd(memslot2region(self->td.vm, SLOT)->region.guest_memfd);
	TEST_ASSERT_EQ(release(self), EFAULT);
	TEST_ASSERT_EQ(self->held.region.nr_pages, NR_PAGES - HELD - 1);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
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
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

/* The command in progress keeps the VM and the vCPU alive. */
TEST_F(during_init_mem_region, files_closed)
{
	void *run = self->td.vcpu[0]->run;

	kvm_free_fd(self->td.vm->fd);
	kvm_free_fd(self->td.vcpu[0]->fd);
	TEST_ASSERT_EQ(release_held_region(&self->held, run), 0);
	assert_all_added(self);

	/* kvm_vm_free() can't free what is left. */
	_exit(0);
}

/* The same while the second vCPU isn't initialized yet. */
HELD_SUITE(before_init_vcpu, FIRST_VCPU_READY);

TEST_F(before_init_vcpu, init_vcpu_waits)
{
	assert_waits_and_gives(self, td_init_own_vcpu, 0);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

TEST_F(before_init_vcpu, init_mem_region_waits)
{
	assert_waits_and_gives(self, td_add_all_pages, EINVAL);
	TEST_ASSERT_EQ(td_finalize(&self->td, 0), 0);
}

/*
 * Part two: two commands that start together.
 */
FIXTURE(race) { };

FIXTURE_VARIANT(race) {
	enum stage stage;
	int (*op[2])(void *td, int side);
	int outcomes[3][2];	/* the errno of each side, for each legal order */
	int nr_outcomes;
	const char *deadly;	/* KVM's bug that may kill the VM, if any */
	bool other_slot;
	bool run;		/* the first vCPU, afterwards */
};

FIXTURE_VARIANT_ADD(race, init_vm_twice) {
	CREATED, { td_init_vm, td_init_vm }, { { 0, EINVAL }, { EINVAL, 0 } }, 2,
};
/* Linux 7.2 counts the vCPU before it refuses it, hence EBUSY. */
FIXTURE_VARIANT_ADD(race, init_vm_and_create_vcpu) {
	CREATED, { td_init_vm, td_create_vcpu },
	{ { 0, 0 }, { 0, EIO }, { EBUSY, EIO } }, 3,
};
FIXTURE_VARIANT_ADD(race, create_vcpus) {
	INITIALIZED, { td_create_vcpu, td_create_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_twice) {
	VCPUS_CREATED, { td_init_last_vcpu, td_init_last_vcpu },
	{ { 0, EINVAL }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_vcpus) {
	VCPUS_CREATED, { td_init_own_vcpu, td_init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_init_mem_region) {
	FIRST_VCPU_READY, { td_add_all_pages, td_init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_punch_hole) {
	FIRST_VCPU_READY_MEMORY_ADDED, { td_punch_hole, td_init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_finalize) {
	FIRST_VCPU_READY, { td_finalize, td_init_own_vcpu },
	{ { 0, 0 }, { 0, EINVAL } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_of_same_pages) {
	READY, { td_add_all_pages, td_add_all_pages },
	{ { 0, EIO }, { EIO, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_of_other_pages) {
	READY, { td_add_half_of_pages, td_add_half_of_pages }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_finalize) {
	READY, { td_add_all_pages, td_finalize },
	{ { 0, 0 }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_punch_hole) {
	READY, { td_add_all_pages, td_punch_hole }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_punch_hole_elsewhere) {
	READY, { td_add_all_pages, td_punch_other_hole }, { { 0, 0 } }, 1, .other_slot = true,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_vcpu_ioctl) {
	READY, { td_get_state_of_other_vcpu, td_add_all_pages }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_vcpu_and_vcpu_ioctl) {
	VCPUS_CREATED, { td_get_state_of_other_vcpu, td_init_own_vcpu }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, measure_and_punch_hole) {
	READY, { td_add_and_measure_page, td_punch_hole }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_conversion) {
	READY, { td_add_all_pages, td_set_shared },
	{ { 0, 0 }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, init_mem_region_and_memslot_deletion) {
	READY, { td_add_all_pages, td_delete_memslot },
	{ { 0, 0 }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, finalize_twice) {
	READY, { td_finalize, td_finalize }, { { 0, EINVAL }, { EINVAL, 0 } }, 2,
};
FIXTURE_VARIANT_ADD(race, finalize_and_run) {
	READY, { td_finalize, td_run }, { { 0, EINVAL }, { 0, EFAULT } }, 2,
};
FIXTURE_VARIANT_ADD(race, finalize_and_pre_fault) {
	READY, { td_finalize, td_pre_fault }, { { 0, EOPNOTSUPP }, { 0, 0 } }, 2,
};
/* The TDX module may be busy with the hole, and KVM says so. */
FIXTURE_VARIANT_ADD(race, finalize_and_punch_hole) {
	READY_MEMORY_ADDED, { td_finalize, td_punch_hole }, { { 0, 0 }, { EBUSY, 0 } }, 2,
	"KVM finalizes the TD without mmu_lock, so that TDH.MEM.RANGE.BLOCK or TDH.MEM.PAGE.REMOVE fails",
};
FIXTURE_VARIANT_ADD(race, measure_and_punch_hole_elsewhere) {
	READY, { td_add_and_measure_page, td_punch_other_hole }, { { 0, 0 }, { EIO, 0 } }, 2,
	"KVM calls TDH.MR.EXTEND without mmu_lock, and the TD is locked", .other_slot = true,
};
/* ESRCH: the thread is done. */
FIXTURE_VARIANT_ADD(race, init_vcpu_and_migration) {
	VCPUS_CREATED, { td_init_own_vcpu, td_fetch_thread }, { { 0, 0 }, { 0, ESRCH } }, 2,
	"KVM_TDX_INIT_VCPU leaves the vCPU to the CPU where it began", .run = true,
};
FIXTURE_VARIANT_ADD(race, finalize_and_conversion) {
	READY_MEMORY_ADDED, { td_finalize, td_set_shared }, { { 0, 0 } }, 1,
};
FIXTURE_VARIANT_ADD(race, finalize_and_memslot_deletion) {
	READY_MEMORY_ADDED, { td_finalize, td_delete_memslot }, { { 0, 0 } }, 1,
};

FIXTURE_SETUP(race)
{
	if (!host_has_two_cpus())
		SKIP(return, NEEDS_TWO_CPUS);
	if (!variant->deadly)
		return;

	/*
	 * KVM gives pages back to the host that the TDX module keeps for the dead TD:
	 * tdx_sept_remove_leaf_spte() fails, and its callers can't.  Nor does KVM get
	 * the TD's other pages back, because the module still counts these.
	 */
	SKIP_UNLESS_RACES_WANTED(return, MATTER_OF_LUCK);
	SKIP_UNLESS_MAY_HARM_HOST(return, "KVM would corrupt the host's memory");
	SKIP_IF_PANICS_ON_WARNING(return);
}

FIXTURE_TEARDOWN(race) { }

/* What KVM logs when the TD is killed, and when it is freed. */
static void expect_death(void)
{
	expect_kernel_log("WARNING: *tdx_gmem_post_populate|WARNING: *tdx_vcpu_unlocked_ioctl|WARNING: *tdx_load_mmu_pgd");
	expect_kernel_log("SEAMCALL TDH_MR_EXTEND failed|SEAMCALL TDH_VP_WR failed");
	expect_kernel_log("WARNING: *tdx_sept_|WARNING: *__handle_changed_spte");
	expect_kernel_log("SEAMCALL TDH_MEM_RANGE_BLOCK failed|SEAMCALL TDH_MEM_PAGE_REMOVE failed");
	expect_kernel_log("WARNING: *tdx_reclaim_page");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");
}

TEST_F_TIMEOUT(race, is_serializable, 600)
{
	if (variant->deadly)
		expect_death();

	for (u32 n = 0; n < nr_races_wanted(3); n++) {
		struct racer racers[2];
		bool legal = false, dead;
		struct td td = {};

		td_create_td(&td, variant->stage);
		if (variant->other_slot)
			td_add_other_slot(&td);
		for (int i = 0; i < ARRAY_SIZE(racers); i++)
			racers[i] = (struct racer) { variant->op[i], &td };
		race(racers, ARRAY_SIZE(racers));

		for (int i = 0; i < variant->nr_outcomes; i++)
			legal |= variant->outcomes[i][0] == racers[0].error &&
				 variant->outcomes[i][1] == racers[1].error;
		TEST_ASSERT(legal, "errno %d (%s) and %d (%s), which no order gives",
			    racers[0].error, strerror(racers[0].error),
			    racers[1].error, strerror(racers[1].error));
		if (variant->run && !td_finalize(&td, 0))
			td_run(&td, 0);
		dead = vm_is_dead(td.vm);
		td_free_td(&td);
		if (dead && variant->deadly)
			XFAIL(return, "%s", variant->deadly);
		TEST_ASSERT(!dead, "The VM is dead");
	}
}

/*
 * Part three: two TDs at once.  They have no memory, as unmapping it takes both CPUs
 * and would keep the TDs apart.
 */
#define NR_LIVES	20	/* unless TDX_RACES says how many */

/* The last command: kvm_vm_free() closes the TD's files. */
static int end(void *arg, int side)
{
	struct td *td = arg;

	kvm_vm_free(td->vm);
	free(td->init);
	return 0;
}

static void do_together(struct td tds[2], int (*first)(void *td, int side),
			int (*second)(void *td, int side))
{
	struct racer racers[2] = { { first, &tds[0] }, { second, &tds[1] } };

	race(racers, ARRAY_SIZE(racers));
	for (int i = 0; i < ARRAY_SIZE(racers); i++)
		TEST_ASSERT_EQ(racers[i].error, 0);
}

FIXTURE(race_of_two_tds) { };

FIXTURE_SETUP(race_of_two_tds)
{
	if (!host_has_two_cpus())
		SKIP(return, NEEDS_TWO_CPUS);
	if (!tdx_can_create(2))
		SKIP(return, NEEDS_MORE_KEYIDS);
}

FIXTURE_TEARDOWN(race_of_two_tds) { }

TEST_F_TIMEOUT(race_of_two_tds, begin_and_end_together, 600)
{
	for (u32 n = 0; n < nr_races_wanted(NR_LIVES); n++) {
		struct td tds[2] = {};

		td_create_vm(&tds[0]);
		td_create_vm(&tds[1]);
		do_together(tds, td_init_vm, td_init_vm);
		do_together(tds, end, end);
	}
}

TEST_F_TIMEOUT(race_of_two_tds, one_begins_while_the_other_ends, 600)
{
	for (u32 n = 0; n < nr_races_wanted(NR_LIVES); n++) {
		struct td tds[2] = {};

		td_create_vm(&tds[0]);
		td_create_vm(&tds[1]);
		tdx_init_vm(tds[1].vm, tds[1].init);
		do_together(tds, td_init_vm, end);
		end(&tds[0], 0);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();
	return test_harness_run(argc, argv);
}
