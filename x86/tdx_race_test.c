// SPDX-License-Identifier: GPL-2.0
/*
 * Two or three things at once to a TD that runs.
 *
 * vCPUs fault, run and move while user space takes memory away, and while other TDs come
 * and go.  KVM has locks for that, retries what the TDX module refuses as busy, and makes
 * vCPUs leave the guest.  Afterwards the TD has to be alive, each vCPU has to work, and
 * the guest has to find its memory as it was left.
 *
 * For commands that build a TD see tdx_parallel_test.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/host_cpus.h"
#include "tdx/keyids.h"
#include "tdx/race.h"
#include "tdx/races_wanted.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

TDX_TEST_TAKES_LONG;

/*
 * The page that the race is about, one that stays, those that are mapped and wait to be
 * accepted, and those for afterwards.
 */
#define FOCUS		GMEM_PAGE(3)
#define NEIGHBOUR	GMEM_PAGE(4)
#define PENDING		GMEM_PAGE(5)
#define NR_PENDING	3
#define LATER		GMEM_PAGE(8)
#define NR_LATER	8

#define NR_VCPUS	2

struct td {
	struct kvm_vm *vm;
	struct tdx_guest guest[NR_VCPUS];
	struct kvm_vm *other;	/* another TD */
};

/* The vCPU of a side. */
static struct tdx_guest *guest_of(struct td *td, int side)
{
	return &td->guest[side % NR_VCPUS];
}

/*
 * What the guest does.  EFAULT is a memory fault, after which the guest tries again when
 * it runs.
 */
static int guest_does(struct tdx_guest *guest, enum tdx_guest_op op, u64 addr, u64 val)
{
	int r = __tdx_guest_do(guest, op, addr, val);

	TEST_ASSERT(r <= 0, "The guest exits: %s", vcpu_exit_str(guest->vcpu));
	return r ? errno : 0;
}

/* Another vCPU may accept the page first, or have its entry in the S-EPT locked. */
static int accept(void *arg, int side)
{
	struct tdx_guest *guest = guest_of(arg, side);
	int error = guest_does(guest, TDX_GUEST_ACCEPT, FOCUS, 0);
	u64 status = guest->req->status & TDX_SEAMCALL_STATUS_MASK;

	TEST_ASSERT(error || status == TDX_SUCCESS || status == TDX_OPERAND_BUSY ||
		    status == TDX_PAGE_ALREADY_ACCEPTED,
		    "TDG.MEM.PAGE.ACCEPT fails: 0x%lx", (unsigned long)guest->req->status);
	return error;
}

/* A page that was taken away and came back is not accepted, hence the #VE. */
static int write_focus(void *arg, int side)
{
	struct tdx_guest *guest = guest_of(arg, side);
	int error = guest_does(guest, TDX_GUEST_WRITE, FOCUS, MAGIC);

	if (!error && guest->req->vector)
		TEST_ASSERT_VE(guest, FOCUS);
	return error;
}

static int write_neighbour(void *arg, int side)
{
	struct tdx_guest *guest = guest_of(arg, side);
	int error = guest_does(guest, TDX_GUEST_WRITE, NEIGHBOUR, MAGIC);

	TEST_ASSERT_EQ(guest->req->vector, 0);
	return error;
}

/* Memory that goes elsewhere may keep the S-EPT locked meanwhile. */
static void guest_accept_pending(u64 unused)
{
	for (int i = 0; i < NR_PENDING; i++) {
		u64 status;

		do {
			status = tdg_mem_page_accept(PENDING + i * PAGE_SIZE, 0);
			cpu_relax();
		} while ((status & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_BUSY);
		GUEST_ASSERT_EQ(status, TDX_SUCCESS);
	}
}

/* One TDCALL after the other, each with locks that KVM needs to take memory away. */
static int accept_pending(void *arg, int side)
{
	return guest_does(guest_of(arg, side), TDX_GUEST_FUNCTION, (u64)guest_accept_pending,
			  0);
}

/* Two cache lines. */
static u8 lines[128] __aligned(64);

static void guest_bus_lock(u64 unused)
{
	kvm_asm_safe("lock incl (%[split])", [split] "a"(&lines[62]));
}

/* False if the host lets no guest lock the bus. */
static bool stop_at_bus_lock(struct tdx_guest *guest)
{
	return __tdx_guest_do(guest, TDX_GUEST_FUNCTION, (u64)guest_bus_lock, 0) == 1 &&
	       guest->run->exit_reason == KVM_EXIT_X86_BUS_LOCK;
}

/* The last exit was for a bus lock, and mustn't be taken for another one. */
static int run_after_bus_lock(void *arg, int side)
{
	struct tdx_guest *guest = guest_of(arg, side);

	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	return 0;
}

/* The guest accesses what it hasn't accepted, and wants no #VE for that. */
static int die(void *arg, int side)
{
	return guest_does(guest_of(arg, side), TDX_GUEST_READ, PENDING, 0);
}

/* What user space does. */

static int punch_hole(void *arg, int side)
{
	struct td *td = arg;

	vm_guest_mem_punch_hole(td->vm, FOCUS, PAGE_SIZE);
	return 0;
}

static int set_shared(void *arg, int side)
{
	struct kvm_memory_attributes attributes = { .address = FOCUS, .size = PAGE_SIZE };
	struct td *td = arg;

	return errno_of(__vm_ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes));
}

static int delete_memslot(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__tdx_delete_slot(td->vm, GMEM_SLOT));
}

static int pre_fault_pages(struct tdx_guest *guest, gpa_t gpa, u64 npages)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = npages * PAGE_SIZE };

	return errno_of(__vcpu_ioctl(guest->vcpu, KVM_PRE_FAULT_MEMORY, &range));
}

static int pre_fault(void *arg, int side)
{
	return pre_fault_pages(guest_of(arg, side), FOCUS, 1);
}

/* The vCPU of the other side comes to this CPU. */
static int fetch_vcpu(void *arg, int side)
{
	return race_load_vcpu(guest_of(arg, side + 1)->vcpu);
}

static struct kvm_vm *create_other(void)
{
	struct kvm_vm *vm = tdx_memory_create(0);
	struct tdx_guest guest = tdx_guest_add(vm, 0);

	tdx_vm_finalize(vm);
	tdx_make_private(&guest, FOCUS, 1, MAGIC);
	return vm;
}

/* Its vCPU has run on the CPU of the first side. */
static int end_other(void *arg, int side)
{
	struct td *td = arg;

	kvm_vm_free(td->other);
	td->other = NULL;
	return 0;
}

static int begin_other(void *arg, int side)
{
	struct td *td = arg;

	td->other = create_other();
	return 0;
}

/* When the page has been taken away: EAGAIN means that its memslot is about to go. */
static bool may_fail_with(int (*op)(void *td, int side), int error)
{
	return error == EFAULT || (op == pre_fault && (error == ENOENT || error == EAGAIN));
}

FIXTURE(race) { };

FIXTURE_VARIANT(race) {
	int (*op[MAX_RACERS])(void *td, int side);
	bool accepted;		/* the guest has the page from the start */
	bool may_fault;		/* it may lose it for good */
};

FIXTURE_VARIANT_ADD(race, accept_twice) {
	{ accept, accept },
};
FIXTURE_VARIANT_ADD(race, accept_and_punch_hole) {
	{ accept, punch_hole },
};
FIXTURE_VARIANT_ADD(race, accept_and_conversion) {
	{ accept, set_shared }, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, accept_and_memslot_deletion) {
	{ accept, delete_memslot }, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, accept_and_pre_fault) {
	{ accept, pre_fault },
};
FIXTURE_VARIANT_ADD(race, accept_and_migration) {
	{ accept, fetch_vcpu },
};
FIXTURE_VARIANT_ADD(race, accept_and_end_of_other_td) {
	{ accept, end_other },
};
FIXTURE_VARIANT_ADD(race, accept_and_begin_of_other_td) {
	{ accept, begin_other },
};
FIXTURE_VARIANT_ADD(race, pre_fault_and_punch_hole) {
	{ pre_fault, punch_hole },
};
FIXTURE_VARIANT_ADD(race, pre_fault_and_memslot_deletion) {
	{ pre_fault, delete_memslot }, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, write_and_punch_hole) {
	{ write_focus, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, write_and_conversion) {
	{ write_focus, set_shared }, .accepted = true, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, write_and_memslot_deletion) {
	{ write_focus, delete_memslot }, .accepted = true, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, write_and_migration) {
	{ write_focus, fetch_vcpu }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, migration_both_ways) {
	{ fetch_vcpu, fetch_vcpu },
};
FIXTURE_VARIANT_ADD(race, write_and_end_of_other_td) {
	{ write_focus, end_other }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, write_neighbour_and_punch_hole) {
	{ write_neighbour, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, punch_hole_twice) {
	{ punch_hole, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, punch_hole_and_memslot_deletion) {
	{ punch_hole, delete_memslot }, .accepted = true, .may_fault = true,
};

FIXTURE_VARIANT_ADD(race, accept_pending_and_punch_hole) {
	{ accept_pending, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, accept_pending_and_conversion) {
	{ accept_pending, set_shared }, .accepted = true, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, accept_pending_and_memslot_deletion) {
	{ accept_pending, delete_memslot }, .accepted = true, .may_fault = true,
};

FIXTURE_VARIANT_ADD(race, accept_pending_and_write_and_punch_hole) {
	{ accept_pending, write_neighbour, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, accept_pending_and_run_after_bus_lock_and_punch_hole) {
	{ accept_pending, run_after_bus_lock, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, accept_twice_and_punch_hole) {
	{ accept, accept, punch_hole },
};
FIXTURE_VARIANT_ADD(race, accept_twice_and_conversion) {
	{ accept, accept, set_shared }, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, accept_twice_and_memslot_deletion) {
	{ accept, accept, delete_memslot }, .may_fault = true,
};
FIXTURE_VARIANT_ADD(race, accept_and_pre_fault_and_punch_hole) {
	{ accept, pre_fault, punch_hole },
};
FIXTURE_VARIANT_ADD(race, accept_and_migration_and_punch_hole) {
	{ accept, fetch_vcpu, punch_hole },
};
FIXTURE_VARIANT_ADD(race, write_twice_and_punch_hole) {
	{ write_focus, write_focus, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, write_and_migration_and_punch_hole) {
	{ write_focus, fetch_vcpu, punch_hole }, .accepted = true,
};
FIXTURE_VARIANT_ADD(race, write_and_conversion_and_memslot_deletion) {
	{ write_focus, set_shared, delete_memslot }, .accepted = true, .may_fault = true,
};

static int nr_ops(int (*const op[MAX_RACERS])(void *td, int side))
{
	int n = 0;

	while (n < MAX_RACERS && op[n])
		n++;
	return n;
}

static bool has(int (*const op[MAX_RACERS])(void *td, int side),
		int (*wanted)(void *td, int side))
{
	for (int i = 0; i < MAX_RACERS; i++)
		if (op[i] == wanted)
			return true;
	return false;
}

FIXTURE_SETUP(race)
{
	if (has(variant->op, end_other) || has(variant->op, begin_other)) {
		if (!tdx_can_create(2))
			SKIP(return, NEEDS_MORE_KEYIDS);
	}
	if (has(variant->op, run_after_bus_lock)) {
		struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

		if (!has_bus_lock_exit(vm))
			SKIP(return, NEEDS_BUS_LOCK_EXIT);
		kvm_vm_free(vm);
	}
}

FIXTURE_TEARDOWN(race) { }

static void create_td(struct td *td, u64 attributes, bool exits_at_bus_locks)
{
	td->vm = tdx_memory_create(attributes);
	if (exits_at_bus_locks)
		vm_enable_cap(td->vm, KVM_CAP_X86_BUS_LOCK_EXIT, KVM_BUS_LOCK_DETECTION_EXIT);
	for (int i = 0; i < NR_VCPUS; i++)
		td->guest[i] = tdx_guest_add(td->vm, i);
	tdx_vm_finalize(td->vm);
	vm_mem_set_private(td->vm, GMEM_GPA, SLOT_SIZE);
	tdx_accept_and_write(&td->guest[0], NEIGHBOUR, 1, MAGIC);

	/* Each vCPU begins where its side does. */
	for (int i = 0; i < NR_VCPUS; i++) {
		pin_self_to_cpu(race_cpu(i));
		TEST_ASSERT_EQ(tdx_guest_read(&td->guest[i], NEIGHBOUR), MAGIC);
	}
}

/* A page that was made shared, or lost its memslot, is out of the guests' reach. */
static void assert_out_of_reach(struct td *td, const struct racer *racers, int nr)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		bool waits = false;

		for (int side = 0; side < nr; side++)
			waits |= side % NR_VCPUS == i && racers[side].error == EFAULT;
		if (!waits)
			tdx_guest_faults(&td->guest[i], TDX_GUEST_READ, FOCUS, 0, FOCUS, PRIVATE);
	}
}

/*
 * Let the vCPUs finish what memory faults have interrupted.  The first may have faulted so
 * often, while KVM waited for the memslot to go, that the TDX module doesn't enter it
 * before the page is accepted; see tdx_zero_step_test.
 */
static void finish(struct td *td)
{
	TEST_ASSERT_EQ(tdx_guest_run(&td->guest[1]), 0);
	tdx_guest_do(&td->guest[1], TDX_GUEST_ACCEPT, FOCUS, 0);
	TEST_ASSERT_EQ(tdx_guest_run(&td->guest[0]), 0);
}

/* Whatever was taken away comes back. */
static void restore(struct td *td, bool memslot_deleted)
{
	if (memslot_deleted)
		tdx_create_slot(td->vm, GMEM_SLOT);
	vm_mem_set_private(td->vm, GMEM_GPA, SLOT_SIZE);
}

/*
 * The new pages are those that the CPU was given back last.  If the TD still has one of
 * them, the module notices.
 */
static void assert_works(struct td *td, bool memslot_deleted)
{
	const u64 nr = NR_LATER / NR_VCPUS;

	TEST_ASSERT(!vm_is_dead(td->vm), "The VM is dead");
	for (int i = 0; i < NR_VCPUS; i++) {
		pin_self_to_cpu(race_cpu(i));
		tdx_accept_and_write(&td->guest[i], LATER + i * nr * PAGE_SIZE, nr, i);
	}
	for (int i = 0; i < NR_VCPUS; i++)
		TEST_ASSERT_EQ(tdx_guest_read(&td->guest[!i], LATER + i * nr * PAGE_SIZE), (u64)i);
	if (!memslot_deleted)
		TEST_ASSERT_EQ(tdx_guest_read(&td->guest[1], NEIGHBOUR), MAGIC);
}

TEST_F_TIMEOUT(race, leaves_td_alive, 600)
{
	bool after_bus_lock = has(variant->op, run_after_bus_lock);
	bool memslot_deleted = has(variant->op, delete_memslot);
	int nr = nr_ops(variant->op);

	for (u32 n = 0; n < nr_races_wanted(3); n++) {
		struct racer racers[MAX_RACERS];
		struct td td = {};

		create_td(&td, 0, after_bus_lock);
		if (!has_two_cpus(td.vm))
			SKIP(return, NEEDS_TWO_CPUS);
		if (variant->accepted)
			tdx_accept_and_write(&td.guest[0], FOCUS, 1, MAGIC);
		if (has(variant->op, accept_pending))
			TEST_ASSERT_EQ(pre_fault_pages(&td.guest[0], PENDING, NR_PENDING), 0);
		if (after_bus_lock && !stop_at_bus_lock(&td.guest[1]))
			SKIP(return, SPLIT_LOCKS_TRAPPED);
		if (has(variant->op, end_other))
			td.other = create_other();

		for (int i = 0; i < nr; i++)
			racers[i] = (struct racer) { variant->op[i], &td };
		race(racers, nr);

		for (int i = 0; i < nr; i++) {
			int error = racers[i].error;

			TEST_ASSERT(!error || (variant->may_fault &&
					       may_fail_with(variant->op[i], error)),
				    "Side %d fails, errno %d (%s)", i, error, strerror(error));
		}
		if (variant->may_fault)
			assert_out_of_reach(&td, racers, nr);
		restore(&td, memslot_deleted);
		if (variant->may_fault)
			finish(&td);
		assert_works(&td, memslot_deleted);
		kvm_vm_free(td.vm);
		if (td.other)
			kvm_vm_free(td.other);
	}
}

/* The TD dies meanwhile.  Whatever else happens ends, and the TD can be torn down. */

/* A dead VM can't complete the exit at the end of the request, as get_ucall() wants. */
static int enter_with(struct tdx_guest *guest, enum tdx_guest_op op, u64 addr)
{
	tdx_guest_post(guest, op, addr, 0);
	return errno_of(__vcpu_run(guest->vcpu));
}

static int enter_and_accept(void *arg, int side)
{
	return enter_with(guest_of(arg, side), TDX_GUEST_ACCEPT, LATER);
}

static int enter_and_write(void *arg, int side)
{
	return enter_with(guest_of(arg, side), TDX_GUEST_WRITE, NEIGHBOUR);
}

FIXTURE(race_with_death) { };

FIXTURE_VARIANT(race_with_death) {
	int (*op)(void *td, int side);
	const char *warns;	/* what KVM does wrong, on rare occasions */
};

FIXTURE_VARIANT_ADD(race_with_death, accept) { enter_and_accept };
FIXTURE_VARIANT_ADD(race_with_death, write) { enter_and_write };
FIXTURE_VARIANT_ADD(race_with_death, second_death) { die };
FIXTURE_VARIANT_ADD(race_with_death, pre_fault) {
	pre_fault, "KVM warns that it can't fault in memory of a dead VM",
};
FIXTURE_VARIANT_ADD(race_with_death, migration) { fetch_vcpu };
FIXTURE_VARIANT_ADD(race_with_death, punch_hole) { punch_hole };
FIXTURE_VARIANT_ADD(race_with_death, conversion) { set_shared };
FIXTURE_VARIANT_ADD(race_with_death, memslot_deletion) { delete_memslot };

FIXTURE_SETUP(race_with_death)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	if (!has_sept_ve_disable(vm))
		SKIP(return, NEEDS_SEPT_VE_DISABLE);
	kvm_vm_free(vm);
	if (!variant->warns)
		return;
	SKIP_UNLESS_RACES_WANTED(return, MATTER_OF_LUCK);
	SKIP_IF_PANICS_ON_WARNING(return);
	expect_kernel_log("WARNING: *kvm_vcpu_ioctl|WARNING: *kvm_vcpu_pre_fault_memory");
}

FIXTURE_TEARDOWN(race_with_death) { }

static void assert_dead(struct td *td, int other_error)
{
	TEST_ASSERT(!other_error || other_error == EIO, "Side 1 fails, errno %d (%s)",
		    other_error, strerror(other_error));
	TEST_ASSERT(vm_is_dead(td->vm), "The VM lives");
	for (int i = 0; i < NR_VCPUS; i++)
		TEST_ASSERT_FAILS(__vcpu_run(td->guest[i].vcpu), EIO);
}

TEST_F_TIMEOUT(race_with_death, ends, 600)
{
	int log = kernel_log_open();

	for (u32 n = 0; n < nr_races_wanted(3); n++) {
		struct td td = {};
		struct racer racers[] = { { die, &td }, { variant->op, &td } };

		create_td(&td, TDX_TD_ATTR_SEPT_VE_DISABLE, false);
		if (!has_two_cpus(td.vm))
			SKIP(return, NEEDS_TWO_CPUS);
		tdx_accept_and_write(&td.guest[0], FOCUS, 1, MAGIC);
		TEST_ASSERT_EQ(pre_fault_pages(&td.guest[0], PENDING, NR_PENDING), 0);
		race(racers, ARRAY_SIZE(racers));

		/* The TD lives if its page went first. */
		if (racers[0].error != EFAULT || variant->op != delete_memslot) {
			TEST_ASSERT_EQ(racers[0].error, EIO);
			assert_dead(&td, racers[1].error);
		}
		kvm_vm_free(td.vm);
	}
	if (kernel_log_has_warning(log, "kvm_vcpu_") && variant->warns)
		XFAIL(return, "%s", variant->warns);
}

/*
 * A memslot comes where vCPUs access shared memory.  To those that were first it is MMIO,
 * and the others find the memory.  KVM may keep the MMIO entry for ever, which is for
 * tdx_memslot_test to tell.
 */

static int read_plain(void *arg, int side)
{
	struct tdx_guest *guest = guest_of(arg, side);
	int error = guest_does(guest, TDX_GUEST_READ, shared(PLAIN_GPA), 0);

	TEST_ASSERT_EQ(error, 0);
	if (guest->req->vector)
		TEST_ASSERT_VE(guest, PLAIN_GPA | guest->vcpu->vm->arch.s_bit);
	else
		TEST_ASSERT_EQ(guest->req->val, MAGIC);
	return 0;
}

static int create_plain_memslot(void *arg, int side)
{
	struct td *td = arg;

	tdx_create_slot(td->vm, PLAIN_SLOT);
	return 0;
}

FIXTURE(race_with_memslot) { };

FIXTURE_SETUP(race_with_memslot)
{
	SKIP_UNLESS_RACES_WANTED(return, MATTER_OF_LUCK);
	SKIP_IF_PANICS_ON_WARNING(return);
	expect_kernel_log(WARNS_OF_OTHER_PFN);
}

FIXTURE_TEARDOWN(race_with_memslot) { }

TEST_F_TIMEOUT(race_with_memslot, creation_and_read_twice, 600)
{
	int log = kernel_log_open();

	kernel_log_warn_again();
	for (u32 n = 0; n < nr_races_wanted(3); n++) {
		struct td td = {};
		struct racer racers[] = {
			{ read_plain, &td }, { read_plain, &td }, { create_plain_memslot, &td },
		};

		create_td(&td, 0, false);
		if (!has_two_cpus(td.vm))
			SKIP(return, NEEDS_TWO_CPUS);
		*(u64 *)addr_gpa2hva(td.vm, PLAIN_GPA) = MAGIC;
		tdx_delete_slot(td.vm, PLAIN_SLOT);
		race(racers, ARRAY_SIZE(racers));
		assert_works(&td, false);
		kvm_vm_free(td.vm);
	}
	if (kernel_log_has_warning(log, MAPS_OTHER_PFN))
		XFAIL(return, "KVM warns that MMIO has become memory during a fault");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();
	return test_harness_run(argc, argv);
}
