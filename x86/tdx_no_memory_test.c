// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a TD while memory is short: each allocation on the way fails once.
 *
 * Either the ioctl fails with ENOMEM and does its job when it is called again, or KVM
 * can do without that memory and the ioctl succeeds.  In both cases the TD must live to
 * its end, and nothing may be lost: not its KeyID, not the charge to the misc cgroup,
 * and no memory.
 *
 * Each case is a step of that life.  In a first round one allocation fails and those
 * after it succeed, in a second one those after it fail, too: there are fallbacks that
 * the first round never sees fail.
 *
 * A step that fails leaves all as it was, so the next allocation can fail in the same
 * TD.  The exceptions keep what they have got for the next attempt.  There each failure
 * takes a TD of its own.
 *
 * KVM stocks up on memory that it may need later, and on files in debugfs.  All of that
 * is only visited if the environment variable TDX_EVERY_ALLOCATION is set.  Else some
 * steps have only the second round, and that ends with the first success.
 */
#include <sys/eventfd.h>

#include "tdx/generic/fail_nth.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/tdx_test_harness.h"

TDX_TEST_TAKES_LONG;

/* The page with the reset vector is all that the TD has. */
#define RESET_SLOT	0
#define RESET_PAGE	0xfffff000ul
#define INT3		0xcc

/* Shared memory whose memslot comes and goes. */
#define SHARED_SLOT	1
#define SHARED_GPA	BIT_ULL(39)

#define NR_PINS		24

/* No step makes so many allocations. */
#define MAX_NTH		1000

/*
 * To find lost pages, a step fails so often.  What other processes do with memory in the
 * meantime hides whether pages are lost in one round, but not in all of them.
 */
#define NR_FAILURES	512
#define NR_ROUNDS	50

struct life {
	struct kvm_vm *vm;
	struct kvm_vcpu vcpu;		/* the lib's can't fail to be created */
	int guest_memfd, eventfd;
	u8 *page;			/* what the reset page is copied from */
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *init;
	struct kvm_cpuid2 *cpuid;
	struct kvm_tdx_init_mem_region region;
};

/* The steps.  Each returns what its ioctl returned. */

static int create_vm(struct life *td)
{
	td->vm->fd = __kvm_ioctl(td->vm->kvm_fd, KVM_CREATE_VM, (void *)td->vm->type);
	return td->vm->fd < 0 ? -1 : 0;
}

static int capabilities(struct life *td)
{
	td->caps->cpuid.nent = TDX_MAX_CPUID;
	return __tdx_capabilities(td->vm, td->caps);
}

static int irqchip(struct life *td)
{
	return __vm_enable_cap(td->vm, KVM_CAP_SPLIT_IRQCHIP, NR_PINS);
}

static int routing(struct life *td)
{
	struct {
		struct kvm_irq_routing table;
		struct kvm_irq_routing_entry msi;
	} arg = {
		.table.nr = 1,
		.msi.type = KVM_IRQ_ROUTING_MSI,
	};

	return __vm_ioctl(td->vm, KVM_SET_GSI_ROUTING, &arg.table);
}

static int irqfd(struct life *td)
{
	struct kvm_irqfd irqfd = { .fd = td->eventfd };

	return __vm_ioctl(td->vm, KVM_IRQFD, &irqfd);
}

static int ioeventfd(struct life *td)
{
	struct kvm_ioeventfd ioeventfd = {
		.addr = 0x80,
		.len = 1,
		.fd = td->eventfd,
		.flags = KVM_IOEVENTFD_FLAG_PIO,
	};

	return __vm_ioctl(td->vm, KVM_IOEVENTFD, &ioeventfd);
}

static int coalesced_mmio(struct life *td)
{
	struct kvm_coalesced_mmio_zone zone = { .addr = SHARED_GPA / 2, .size = PAGE_SIZE };

	return __vm_ioctl(td->vm, KVM_REGISTER_COALESCED_MMIO, &zone);
}

static int msr_filter(struct life *td)
{
	u8 bitmap[8] = { };
	struct kvm_msr_filter filter = {
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ,
			.nmsrs = 8 * sizeof(bitmap),
			.bitmap = bitmap,
		},
	};

	return __vm_ioctl(td->vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static int create_guest_memfd(struct life *td)
{
	td->guest_memfd = __vm_create_guest_memfd(td->vm, PAGE_SIZE, 0);
	return td->guest_memfd < 0 ? -1 : 0;
}

/* The lib's function looks for a capability first, which allocates memory, too. */
static int set_memslot(struct life *td, u32 slot, u32 flags, gpa_t gpa, u64 size)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (u64)td->page,
		.guest_memfd = td->guest_memfd,
	};

	return __vm_ioctl(td->vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

static int private_memslot(struct life *td)
{
	return set_memslot(td, RESET_SLOT, KVM_MEM_GUEST_MEMFD, RESET_PAGE, PAGE_SIZE);
}

static int shared_memslot(struct life *td)
{
	return set_memslot(td, SHARED_SLOT, 0, SHARED_GPA, PAGE_SIZE);
}

static int move_memslot(struct life *td)
{
	return set_memslot(td, SHARED_SLOT, 0, SHARED_GPA + PAGE_SIZE, PAGE_SIZE);
}

static int delete_memslot(struct life *td)
{
	return set_memslot(td, SHARED_SLOT, 0, SHARED_GPA + PAGE_SIZE, 0);
}

static int make_private(struct life *td)
{
	struct kvm_memory_attributes attributes = {
		.address = RESET_PAGE,
		.size = PAGE_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	return __vm_ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
}

static int init_vm(struct life *td)
{
	return __tdx_init_vm(td->vm, td->init, NULL);
}

static int create_vcpu(struct life *td)
{
	td->vcpu.vm = td->vm;
	td->vcpu.fd = __vm_ioctl(td->vm, KVM_CREATE_VCPU, (void *)0);
	return td->vcpu.fd < 0 ? -1 : 0;
}

static int get_cpuid(struct life *td)
{
	td->cpuid->nent = TDX_MAX_CPUID;
	return __tdx_get_cpuid(&td->vcpu, td->cpuid);
}

static int set_cpuid(struct life *td)
{
	return __vcpu_ioctl(&td->vcpu, KVM_SET_CPUID2, td->cpuid);
}

static int init_vcpu(struct life *td)
{
	return __tdx_vcpu_ioctl(&td->vcpu, KVM_TDX_INIT_VCPU, 0, 0, NULL);
}

static int init_mem_region(struct life *td)
{
	td->region = (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)td->page,
		.gpa = RESET_PAGE,
		.nr_pages = 1,
	};
	return __tdx_init_mem_region(&td->vcpu, 0, &td->region, NULL);
}

static int finalize(struct life *td)
{
	return __tdx_finalize(td->vm, NULL);
}

static int run(struct life *td)
{
	return __vcpu_run(&td->vcpu);
}

/* The last descriptor's close() destroys the VM. */
static int destroy(struct life *td)
{
	close(td->vcpu.fd);
	close(td->guest_memfd);
	return close(td->vm->fd);
}

#define STEP(_name, _flags)	{ .name = #_name, .call = _name, .flags = _flags }

static const struct step {
	const char *name;
	int (*call)(struct life *td);
	enum {
		KEEPS		= BIT(0),	/* what it has got when it fails */
		MAY_NEED_NONE	= BIT(1),	/* memory */
		HAS_MANY	= BIT(2),	/* allocations that it can do without */
	} flags;
} steps[] = {
	STEP(create_vm, HAS_MANY),
	STEP(capabilities, 0),
	STEP(irqchip, MAY_NEED_NONE),
	STEP(routing, 0),
	STEP(irqfd, 0),
	STEP(ioeventfd, 0),
	STEP(coalesced_mmio, 0),
	STEP(msr_filter, 0),
	STEP(create_guest_memfd, 0),
	STEP(private_memslot, 0),
	STEP(shared_memslot, 0),
	STEP(move_memslot, 0),
	STEP(delete_memslot, 0),
	STEP(make_private, KEEPS),
	STEP(init_vm, 0),
	STEP(create_vcpu, 0),
	STEP(get_cpuid, 0),
	STEP(set_cpuid, 0),
	STEP(init_vcpu, 0),
	STEP(init_mem_region, KEEPS | HAS_MANY),
	STEP(finalize, MAY_NEED_NONE),
	STEP(run, KEEPS),
	STEP(destroy, MAY_NEED_NONE),
};

static const struct step *find_step(int (*call)(struct life *td))
{
	const struct step *step = steps;

	while (step->call != call)
		step++;
	return step;
}

/* Live from @step on until @end. */
static void live(struct life *td, const struct step *step, const struct step *end)
{
	for (; step < end; step++) {
		int r = step->call(td);

		TEST_ASSERT(!r, "%s failed, errno %d", step->name, errno);
	}
}

FIXTURE(no_memory) {
	struct misc_cgroup cg;
	struct life td;
};

FIXTURE_SETUP(no_memory)
{
	struct life *td = &self->td;

	if (!misc_cgroup_create(&self->cg, "a"))
		SKIP(return, NEEDS_MISC_CGROUP);
	misc_cgroup_enter(&self->cg);

	/* See __tdx_init_vcpu(). */
	pin_self_to_any_cpu();

	/* The first step creates the VM anew.  What it is to be initialized with stays. */
	td->vm = ____vm_create(VM_SHAPE_TDX);
	td->page = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memset(td->page, INT3, PAGE_SIZE);
	td->eventfd = kvm_new_eventfd();
	td->caps = tdx_capabilities(td->vm);
	td->init = tdx_default_init_vm(td->vm);
	td->cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);
	kvm_vm_release(td->vm);
	td->vm->kvm_fd = open_kvm_dev_path_or_exit();
	fail_nth_lock_memory();
}

FIXTURE_TEARDOWN_PARENT(no_memory)
{
	misc_cgroup_destroy(&self->cg);
}

/* One step while allocations fail. */
struct visit {
	struct life *td;
	const struct misc_cgroup *cg;
	const struct step *step;
	struct fail_nth fail;

	/* What became of it. */
	unsigned int refused[MAX_NTH], nr_refused;
	unsigned int nr_done_without;
	unsigned int nr_died;
};

static void assert_shut_down(struct life *td)
{
	td->vcpu.run = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, td->vcpu.fd);
	TEST_ASSERT_KVM_EXIT_REASON(&td->vcpu, KVM_EXIT_SHUTDOWN);
	kvm_munmap(td->vcpu.run, PAGE_SIZE);
}

/* Live from @step to the end. */
static void finish(struct visit *v, const struct step *step)
{
	const struct step *last = find_step(run);
	struct life *td = v->td;

	if (step <= last) {
		live(td, step, last);
		if (run(td)) {
			TEST_ASSERT(errno == EIO && vm_is_dead(td->vm), "Errno %d", errno);
			v->nr_died++;
		}
	}
	if (step <= find_step(destroy)) {
		if (!vm_is_dead(td->vm))
			assert_shut_down(td);
		destroy(td);
	}
	assert_charged(v->cg, 0);
}

static int call_step(void *arg)
{
	struct visit *v = arg;

	return v->step->call(v->td);
}

/*
 * Returns true if an allocation failed.  If the step succeeded nevertheless, or keeps
 * what it has got so far, the TD is a new one then.
 */
static bool try_step(struct visit *v, struct fail_nth_result *result)
{
	const struct step *step = v->step;
	bool failed = fail_nth(&v->fail, call_step, v, result);

	TEST_ASSERT(!result->ret || (failed && result->error == ENOMEM),
		    "%s failed, errno %d, %s", step->name, result->error,
		    failed ? "for lack of memory" : "with all the memory");
	if (!result->ret) {
		finish(v, step + 1);
	} else {
		assert_charged(v->cg, step > find_step(init_vm));
		if (!(step->flags & KEEPS))
			return failed;
		finish(v, step);
	}
	if (failed)
		live(v->td, steps, step);
	return failed;
}

static bool has_time(void)
{
	return getenv("TDX_EVERY_ALLOCATION");
}

/* Some steps make more allocations than an ordinary run has time for. */
static bool in_a_hurry(const struct step *step)
{
	return step->flags & HAS_MANY && !has_time();
}

/*
 * Let each allocation of the step fail in turn.  If those after it fail, too, the first
 * time that the step succeeds it has done without all that it can do without.
 */
static void visit(struct visit *v)
{
	struct fail_nth_result result;

	live(v->td, steps, v->step);
	for (v->fail.nth = 1; try_step(v, &result); v->fail.nth++) {
		TEST_ASSERT(v->fail.nth < MAX_NTH, "%s never succeeds", v->step->name);
		if (result.ret) {
			v->refused[v->nr_refused++] = v->fail.nth;
			continue;
		}
		v->nr_done_without++;
		if (v->fail.rest && !has_time()) {
			finish(v, v->step);
			break;
		}
	}
}

/*
 * The same in one TD, for a step that keeps what it has got: the first allocation that
 * it still has to make succeeds, the next one fails.  Ends when KVM has what it needs.
 */
static void visit_in_one_td(struct visit *v)
{
	struct fail_nth_result result;
	bool failed;

	live(v->td, steps, v->step);
	v->fail.nth = 1;
	do {
		failed = fail_nth(&v->fail, call_step, v, &result);
		TEST_ASSERT(!result.ret || (failed && result.error == ENOMEM),
			    "%s failed, errno %d", v->step->name, result.error);
		v->nr_refused += !!result.ret;
		TEST_ASSERT(v->nr_refused < MAX_NTH, "%s never succeeds", v->step->name);
		v->fail.nth = 2;
	} while (result.ret);
	finish(v, v->step + 1);
}

/* Returns how many allocations the step makes. */
static unsigned int visit_kind(struct visit *v, enum fail_nth_kind kind, bool rest)
{
	v->fail.kind = kind;
	v->fail.rest = rest;
	v->nr_refused = v->nr_done_without = 0;

	if (in_a_hurry(v->step) && v->step->flags & KEEPS)
		visit_in_one_td(v);
	else
		visit(v);
	return v->nr_refused + v->nr_done_without;
}

static void visit_step(struct visit *v)
{
	unsigned int nr[NR_FAIL_NTH_KINDS] = { };

	for (int kind = 0; kind < NR_FAIL_NTH_KINDS; kind++) {
		if (!in_a_hurry(v->step))
			nr[kind] = visit_kind(v, kind, false);
		if (in_a_hurry(v->step) || nr[kind])
			nr[kind] = max(nr[kind], visit_kind(v, kind, true));
	}
	ksft_print_msg("%s: %u slab and %u page allocations failed\n", v->step->name,
		       nr[FAIL_NTH_SLAB], nr[FAIL_NTH_PAGE]);
	TEST_ASSERT(nr[FAIL_NTH_SLAB] || nr[FAIL_NTH_PAGE] || v->step->flags & MAY_NEED_NONE,
		    "%s makes no allocation", v->step->name);
}

#define VISIT(_call)							\
	((struct visit) {						\
		.td = &self->td,					\
		.cg = &self->cg,					\
		.step = find_step(_call),				\
	})

#define STEP_TEST(_step)						\
	TEST_F(no_memory, _step)					\
	{								\
		struct visit v = VISIT(_step);				\
									\
		visit_step(&v);						\
		TEST_ASSERT_EQ(v.nr_died, 0);				\
	}

STEP_TEST(create_vm)
STEP_TEST(capabilities)
STEP_TEST(irqchip)
STEP_TEST(routing)
STEP_TEST(irqfd)
STEP_TEST(ioeventfd)
STEP_TEST(coalesced_mmio)
STEP_TEST(msr_filter)
STEP_TEST(create_guest_memfd)
STEP_TEST(private_memslot)
STEP_TEST(shared_memslot)
STEP_TEST(move_memslot)
STEP_TEST(delete_memslot)
STEP_TEST(make_private)
STEP_TEST(init_vm)
STEP_TEST(create_vcpu)
STEP_TEST(get_cpuid)
STEP_TEST(set_cpuid)

/*
 * The known bug: kvm_recalculate_apic_map() inhibits APICv if it gets no memory for its
 * map, as if APIC IDs were not unique.  A TD can't do without APICv, so the next KVM_RUN
 * warns in vt_refresh_apicv_exec_ctrl(), and the VM is dead.
 */
TEST_F(no_memory, init_vcpu)
{
	struct visit v = VISIT(init_vcpu);

	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *_apicv");
	visit_step(&v);
	if (v.nr_died)
		XFAIL(return, "KVM takes missing memory for a reason to inhibit APICv");
}

STEP_TEST(init_mem_region)
STEP_TEST(finalize)
STEP_TEST(run)
STEP_TEST(destroy)

/*
 * Have the step fail over and over, at each allocation.  Now and then it does not: one of
 * the allocations was the slab allocator's, which has what it needs by now.  Returns how
 * many pages of the host are gone, by whoever took them.
 */
static long nr_pages_lost(struct visit *v)
{
	const long before = sysconf(_SC_AVPHYS_PAGES);
	struct fail_nth_result result;

	for (int i = 0; i < NR_FAILURES; i++) {
		v->fail.nth = v->refused[i % v->nr_refused];
		if (!try_step(v, &result))
			live(v->td, steps, v->step);
	}
	return before - sysconf(_SC_AVPHYS_PAGES);
}

static void assert_nothing_lost(struct visit *v)
{
	unsigned int nr_rounds = 0;
	long nr_lost, limit;

	visit_kind(v, FAIL_NTH_PAGE, false);
	limit = NR_FAILURES / v->nr_refused / 2;
	live(v->td, steps, v->step);
	do {
		nr_lost = nr_pages_lost(v);
	} while (nr_lost > limit && ++nr_rounds < NR_ROUNDS);
	finish(v, v->step);
	TEST_ASSERT(nr_lost <= limit, "%s fails %u times, and %ld pages are lost",
		    v->step->name, NR_FAILURES, nr_lost);
}

#define LOSES_NOTHING_TEST(_step)					\
	TEST_F(no_memory, _step##_loses_nothing)			\
	{								\
		struct visit v = VISIT(_step);				\
									\
		assert_nothing_lost(&v);				\
	}

LOSES_NOTHING_TEST(init_vm)
LOSES_NOTHING_TEST(create_vcpu)
LOSES_NOTHING_TEST(init_vcpu)

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());
	__TEST_REQUIRE(fail_nth_setup(), NEEDS_FAULT_INJECTION);

	return test_harness_run(argc, argv);
}
