// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that changes while vCPUs use it.
 *
 * When user space converts a page, punches a hole or deletes a memslot, KVM has
 * to zap the mapping for all vCPUs before the call returns, also for those that
 * run in the guest and access that page.  Other pages must not be affected.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"
#include "tdx/host_cpus.h"
#include "tdx/races_wanted.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* The page that changes, and the first of several while a TD is built. */
#define FOCUS		GMEM_PAGE(3)
#define FOCUS_PAGES	10

static u64 *hva(struct kvm_vm *vm, gpa_t gpa)
{
	return addr_gpa2hva(vm, gpa);
}

/* The guest writes to a page, and user space changes that page. */

TDX_MEMORY_SUITE(running);

/* A vCPU that keeps writing to one page. */
struct hammer {
	struct tdx_guest *guest;
	gva_t gva;
	int r;
	int error;
	pthread_t thread;
};

static void *hammer_thread(void *arg)
{
	struct hammer *h = arg;

	h->r = __tdx_guest_do(h->guest, TDX_GUEST_HAMMER, h->gva, MAGIC);
	h->error = errno;
	return NULL;
}

/* Let the guest write to @gva over and over.  Returns once it does. */
static void start_hammer(struct hammer *h, struct tdx_guest *guest, gva_t gva)
{
	*h = (struct hammer) { .guest = guest, .gva = gva };
	WRITE_ONCE(guest->req->done, 0);
	TEST_ASSERT_EQ(pthread_create(&h->thread, NULL, hammer_thread, h), 0);
	while (!READ_ONCE(guest->req->done))
		sched_yield();
}

/* Wait for the end of KVM_RUN. */
static void wait_hammer(struct hammer *h)
{
	TEST_ASSERT_EQ(pthread_join(h->thread, NULL), 0);
}

/* Stop a guest that nothing has disturbed. */
static void stop_hammer(struct hammer *h)
{
	WRITE_ONCE(h->guest->req->stop, 1);
	wait_hammer(h);
	TEST_ASSERT_EQ(h->r, 0);
	TEST_ASSERT_EQ(h->guest->req->vector, 0);
}

#define assert_hammer_faulted(h, gpa, flags)				\
do {									\
	TEST_ASSERT_EQ((h)->r, -1);					\
	TEST_ASSERT_EQ((h)->error, EFAULT);				\
	TEST_ASSERT_MEMORY_FAULT((h)->guest, gpa, flags);			\
} while (0)

TEST_F(running, private_made_shared)
{
	struct hammer h;

	tdx_make_private(&self->guest, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->guest, FOCUS);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, PRIVATE);
}

TEST_F(running, shared_made_private)
{
	struct hammer h;

	start_hammer(&h, &self->guest, shared(FOCUS));
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, 0);

	/* The guest can't change the host's page any more. */
	*hva(self->vm, FOCUS) = 0;
	TEST_ASSERT_FAILS(tdx_guest_run(&self->guest), EFAULT);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), 0ul);
}

TEST_F(running, hole_punched)
{
	struct hammer h;

	tdx_make_private(&self->guest, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->guest, FOCUS);
	vm_guest_mem_punch_hole(self->vm, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	TEST_ASSERT_EQ(h.r, 0);
	TEST_ASSERT_VE(&self->guest, FOCUS);
	tdx_guest_assert_lost(&self->guest, FOCUS);
}

TEST_F(running, private_memslot_deleted)
{
	struct hammer h;

	tdx_make_private(&self->guest, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->guest, FOCUS);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, PRIVATE);
}

TEST_F(running, shared_memslot_deleted)
{
	struct hammer h;

	start_hammer(&h, &self->guest, shared(PLAIN_GPA));
	tdx_delete_slot(self->vm, PLAIN_SLOT);
	wait_hammer(&h);
	TEST_ASSERT_EQ(h.r, 0);
	TEST_ASSERT_VE(&self->guest, PLAIN_GPA | self->vm->arch.s_bit);
}

TEST_F(running, shared_memslot_moved)
{
	struct hammer h;

	start_hammer(&h, &self->guest, shared(PLAIN_GPA));
	vm_mem_region_move(self->vm, PLAIN_SLOT, PLAIN_GPA + SLOT_SIZE);
	wait_hammer(&h);
	TEST_ASSERT_EQ(h.r, 0);
	TEST_ASSERT_VE(&self->guest, PLAIN_GPA | self->vm->arch.s_bit);
}

/* What happens to other pages and memslots doesn't disturb the guest. */
TEST_F(running, neighbours_changed)
{
	struct hammer h;

	tdx_make_private(&self->guest, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->guest, FOCUS);
	for (int i = 0; i < 10; i++) {
		vm_mem_set_private(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_guest_mem_allocate(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_guest_mem_punch_hole(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_mem_set_shared(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		vm_mem_region_set_flags(self->vm, PLAIN_SLOT, 0);
	}
	stop_hammer(&h);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, FOCUS), MAGIC);
}

static void ignore_signal(int signal) { }

/*
 * KVM retries a fault that finds the module's locks taken, without leaving KVM_RUN, for
 * as long as it takes.  A signal must end that, as any other KVM_RUN.
 */
TEST_F(running, signal_ends_fault)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct itimerval timer = { .it_value.tv_usec = 50000, .it_interval.tv_usec = 50000 };
	int r;

	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(sigaction(SIGALRM, &action, NULL), 0);
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &timer, NULL), 0);
	tdx_guest_post(&self->guest, TDX_GUEST_ACCEPT, FOCUS, 0);
	r = __vcpu_run(self->guest.vcpu);
	TEST_ASSERT(!r || (r == -1 && errno == EINTR), "KVM_RUN returned %d, errno %d", r, errno);
}

/* The guest accepts pages while their memslot comes and goes. */
TEST_F(running, memslot_deleted_and_created)
{
	struct tdx_guest *guest = &self->guest;
	struct tdx_slot_churn churn;
	int r;

	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_slot_churn_start(&churn, self->vm, GMEM_SLOT);
	for (int i = 0; !READ_ONCE(churn.done); i++) {
		gpa_t gpa = GMEM_PAGE(i % SLOT_PAGES);

		r = __tdx_guest_do(guest, TDX_GUEST_ACCEPT, gpa, 0);
		while (r) {
			TEST_ASSERT(r == -1 && errno == EFAULT,
				    "Unexpected errno: %d", errno);
			TEST_ASSERT_MEMORY_FAULT(guest, gpa, PRIVATE);
			r = tdx_guest_run(guest);
		}
	}
	tdx_slot_churn_join(&churn);
}

/* Two vCPUs */

FIXTURE(two_vcpus) {
	struct kvm_vm *vm;
	struct tdx_guest a;
	struct tdx_guest b;
};

FIXTURE_SETUP(two_vcpus)
{
	self->vm = tdx_memory_create(0);
	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	self->a = tdx_guest_add(self->vm, 0);
	self->b = tdx_guest_add(self->vm, 1);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(two_vcpus)
{
	kvm_vm_free(self->vm);
}

TEST_F(two_vcpus, one_accepts_for_both)
{
	tdx_make_private(&self->a, FOCUS, 1, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->b, FOCUS), MAGIC);
	tdx_guest_write(&self->b, FOCUS, ~MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->a, FOCUS), ~MAGIC);
}

TEST_F(two_vcpus, one_converts_for_both)
{
	tdx_make_private(&self->a, FOCUS, 1, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->b, FOCUS), MAGIC);
	tdx_convert_to_shared(&self->a, FOCUS, PAGE_SIZE);
	tdx_guest_faults(&self->b, TDX_GUEST_READ, FOCUS, 0, FOCUS, PRIVATE);
}

TEST_F(two_vcpus, one_converts_page_of_the_other)
{
	struct hammer h;

	tdx_make_private(&self->a, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->b, FOCUS);
	tdx_convert_to_shared(&self->a, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, PRIVATE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->a, shared(FOCUS)), 0ul);
}

TEST_F(two_vcpus, one_converts_neighbour_of_the_other)
{
	struct hammer h;

	tdx_make_private(&self->a, FOCUS, 2, MAGIC);
	start_hammer(&h, &self->b, FOCUS + PAGE_SIZE);
	for (int i = 0; i < 5; i++) {
		tdx_convert_to_shared(&self->a, FOCUS, PAGE_SIZE);
		tdx_convert_to_private(&self->a, FOCUS, PAGE_SIZE);
		tdx_guest_assert_lost(&self->a, FOCUS);
	}
	stop_hammer(&h);
}

/* Both vCPUs and the host convert pages, each its own. */

#define NR_ROUNDS	10

static void *convert_pages(void *arg)
{
	struct tdx_guest *guest = arg;
	gpa_t gpa = FOCUS + guest->vcpu->id * PAGE_SIZE;

	for (int i = 0; i < NR_ROUNDS; i++) {
		tdx_make_private(guest, gpa, 1, MAGIC + i);
		tdx_convert_to_shared(guest, gpa, PAGE_SIZE);
		tdx_guest_write(guest, shared(gpa), MAGIC + i);
		TEST_ASSERT_EQ(*hva(guest->vcpu->vm, gpa), MAGIC + i);
		vm_guest_mem_punch_hole(guest->vcpu->vm, gpa, PAGE_SIZE);
		tdx_convert_to_private(guest, gpa, PAGE_SIZE);
		tdx_guest_assert_lost(guest, gpa);
		TEST_ASSERT_EQ(madvise(hva(guest->vcpu->vm, gpa), PAGE_SIZE, MADV_DONTNEED), 0);
		vm_guest_mem_punch_hole(guest->vcpu->vm, gpa, PAGE_SIZE);
		tdx_guest_assert_lost(guest, gpa);
		vm_mem_set_shared(guest->vcpu->vm, gpa, PAGE_SIZE);
	}
	return NULL;
}

TEST_F(two_vcpus, all_at_once)
{
	pthread_t a, b;

	TEST_ASSERT_EQ(pthread_create(&a, NULL, convert_pages, &self->a), 0);
	TEST_ASSERT_EQ(pthread_create(&b, NULL, convert_pages, &self->b), 0);
	for (int i = 0; i < NR_ROUNDS; i++) {
		tdx_delete_slot(self->vm, PLAIN_SLOT);
		tdx_create_slot(self->vm, PLAIN_SLOT);
		vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
		vm_mem_set_shared(self->vm, GMEM_GPA, PAGE_SIZE);
	}
	TEST_ASSERT_EQ(pthread_join(a, NULL), 0);
	TEST_ASSERT_EQ(pthread_join(b, NULL), 0);
}

/*
 * Both vCPUs accept the same pages, and the host takes them away.  Of two that want
 * the same page at the same time one may find it busy: the guests try again, and KVM lets
 * no vCPU run until it has the page.
 */

#define NR_ACCEPTS	300

static void guest_accept_all(u64 rounds)
{
	while (rounds--) {
		for (int i = 0; i < SLOT_PAGES; i++) {
			u64 status = tdg_mem_page_accept(GMEM_PAGE(i), 0) &
				     TDX_SEAMCALL_STATUS_MASK;

			GUEST_ASSERT(status == TDX_SUCCESS || status == TDX_OPERAND_BUSY ||
				     status == TDX_PAGE_ALREADY_ACCEPTED);
		}
	}
}

struct accepter {
	struct tdx_guest *guest;
	int *running;
};

static void *accept_pages(void *arg)
{
	struct accepter *accepter = arg;

	tdx_guest_do(accepter->guest, TDX_GUEST_FUNCTION, (u64)guest_accept_all, NR_ACCEPTS);
	__atomic_sub_fetch(accepter->running, 1, __ATOMIC_RELAXED);
	return NULL;
}

TEST_F(two_vcpus, same_pages_at_once)
{
	int running = 2;
	struct accepter a = { &self->a, &running }, b = { &self->b, &running };
	pthread_t thread_a, thread_b;

	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_EQ(pthread_create(&thread_a, NULL, accept_pages, &a), 0);
	TEST_ASSERT_EQ(pthread_create(&thread_b, NULL, accept_pages, &b), 0);
	while (__atomic_load_n(&running, __ATOMIC_RELAXED))
		vm_guest_mem_punch_hole(self->vm, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_EQ(pthread_join(thread_a, NULL), 0);
	TEST_ASSERT_EQ(pthread_join(thread_b, NULL), 0);
	vm_guest_mem_punch_hole(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_guest_assert_lost(&self->a, FOCUS);
}

/*
 * Holes are punched while user space builds the TD.  For KVM_TDX_FINALIZE_VM see
 * tdx_parallel_test.
 */

FIXTURE(building) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
	pthread_t thread;
};

FIXTURE_SETUP(building)
{
	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	vm_mem_set_private(self->vm, FOCUS, FOCUS_PAGES * PAGE_SIZE);
}

FIXTURE_TEARDOWN(building)
{
	kvm_vm_free(self->vm);
}

#define OTHER_SLOT	40
#define OTHER_GPA	0x140000000ul
#define OTHER_PAGES	256

static void add_other_slot(struct kvm_vm *vm, u64 nr_pages)
{
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, OTHER_GPA, OTHER_SLOT, nr_pages,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, OTHER_GPA, nr_pages * PAGE_SIZE);
}

static int nr_punched;

static void *punch_other_slot(void *arg)
{
	for (int i = 0; i < OTHER_PAGES; i++) {
		vm_guest_mem_punch_hole(arg, OTHER_GPA + i * PAGE_SIZE, PAGE_SIZE);
		WRITE_ONCE(nr_punched, i + 1);
	}
	return NULL;
}

/* From the last page to the first, to meet the other thread halfway. */
static void *punch_holes(void *arg)
{
	for (int i = FOCUS_PAGES - 1; i >= 0; i--)
		vm_guest_mem_punch_hole(arg, FOCUS + i * PAGE_SIZE, PAGE_SIZE);
	return NULL;
}

static void start_punching(struct kvm_vm *vm, pthread_t *thread)
{
	TEST_ASSERT_EQ(pthread_create(thread, NULL, punch_holes, vm), 0);
}

TEST_F(building, punch_hole_and_init_vcpu)
{
	struct tdx_guest other;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_init_mem_region(self->guest.vcpu, FOCUS, FOCUS_PAGES * PAGE_SIZE);
	start_punching(self->vm, &self->thread);
	other = tdx_guest_add(self->vm, 1);
	TEST_ASSERT_EQ(pthread_join(self->thread, NULL), 0);
	tdx_vm_finalize(self->vm);
	tdx_guest_assert_lost(&other, FOCUS);
}

/* So many holes that some come while the vCPU is initialized. */
TEST_F(building, punch_many_holes_and_init_vcpu)
{
	struct kvm_vcpu *vcpu;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vcpu = __vm_vcpu_add(self->vm, 1);
	tdx_vcpu_init_cpuid(vcpu);
	add_other_slot(self->vm, OTHER_PAGES);
	tdx_init_mem_region(self->guest.vcpu, OTHER_GPA, OTHER_PAGES * PAGE_SIZE);
	TEST_ASSERT_EQ(pthread_create(&self->thread, NULL, punch_other_slot, self->vm), 0);
	while (!READ_ONCE(nr_punched))
		sched_yield();
	tdx_init_vcpu(vcpu, 0);
	TEST_ASSERT_EQ(pthread_join(self->thread, NULL), 0);
	TEST_ASSERT(!vm_is_dead(self->vm), "The VM is dead");
}

TEST_F(building, punch_hole_and_init_mem_region)
{
	for (int i = 0; i < 5; i++) {
		start_punching(self->vm, &self->thread);
		tdx_init_mem_region(self->guest.vcpu, FOCUS, FOCUS_PAGES * PAGE_SIZE);
		TEST_ASSERT_EQ(pthread_join(self->thread, NULL), 0);

		/* Remove what is left, so that each page can be added again. */
		vm_guest_mem_punch_hole(self->vm, FOCUS, FOCUS_PAGES * PAGE_SIZE);
	}
	tdx_vm_finalize(self->vm);
	tdx_guest_assert_lost(&self->guest, FOCUS);
}

/* A hole in one page, again and again. */
struct puncher {
	struct kvm_vm *vm;
	gpa_t gpa;
	bool stop;
	pthread_t thread;
};

static void *punch_again(void *arg)
{
	struct puncher *p = arg;

	while (!READ_ONCE(p->stop))
		vm_guest_mem_punch_hole(p->vm, p->gpa, PAGE_SIZE);
	return NULL;
}

/* The caller and the thread get a CPU each, so that neither waits for the other's. */
static void start_punching_again(struct puncher *p)
{
	pin_self_to_cpu(host_cpus[0]);
	TEST_ASSERT_EQ(pthread_create(&p->thread, NULL, punch_again, p), 0);
	pin_task_to_cpu(p->thread, last_host_cpu());
}

static void stop_punching(struct puncher *p)
{
	WRITE_ONCE(p->stop, true);
	TEST_ASSERT_EQ(pthread_join(p->thread, NULL), 0);
}

static int add_page(struct tdx_guest *guest, gpa_t gpa, u32 flags)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)hva(guest->vcpu->vm, gpa),
		.gpa = gpa,
		.nr_pages = 1,
	};

	return __tdx_init_mem_region(guest->vcpu, flags, &region, NULL);
}

/* KVM measures a page in 16 steps, and a hole must not come in between. */
TEST_F(building, punch_hole_and_measure)
{
	struct puncher p = { .vm = self->vm, .gpa = FOCUS };

	start_punching_again(&p);
	for (int i = 0; i < 3000; i++) {
		/* EIO: the page is still there. */
		if (add_page(&self->guest, FOCUS, KVM_TDX_MEASURE_MEMORY_REGION))
			TEST_ASSERT_EQ(errno, EIO);
	}
	stop_punching(&p);
	TEST_ASSERT(!vm_is_dead(self->vm), "The VM is dead");

	vm_guest_mem_punch_hole(self->vm, FOCUS, PAGE_SIZE);
	tdx_vm_finalize(self->vm);
	tdx_guest_assert_lost(&self->guest, FOCUS);
}

/*
 * The same with a hole in another guest_memfd, which KVM does not lock while it
 * measures.
 */
TEST_F(building, punch_hole_elsewhere_and_measure)
{
	struct puncher p = { .vm = self->vm, .gpa = OTHER_GPA };

	SKIP_UNLESS_RACES_WANTED(return, HOST_DIES_OF_IT);
	/* The module keeps a page that KVM gives back, as tdx_sept_remove_leaf_spte() fails. */
	SKIP_UNLESS_MAY_HARM_HOST(return, "KVM would corrupt the host's memory");
	SKIP_IF_PANICS_ON_WARNING(return);

	/* Either thread meets it first, and the hole as it blocks or as it removes. */
	for (int i = 0; i < 2; i++) {
		expect_kernel_log("WARNING: *tdx_sept_|WARNING: *tdx_gmem_post_populate");
		expect_kernel_log("RANGE_BLOCK failed|PAGE_REMOVE failed|MR_EXTEND failed");
	}
	expect_kernel_log("WARNING: *tdx_reclaim_page");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");

	add_other_slot(self->vm, 1);
	start_punching_again(&p);
	for (int i = 0; i < 500 && !vm_is_dead(self->vm); i++) {
		if (add_page(&self->guest, OTHER_GPA, 0))
			TEST_ASSERT_EQ(errno, EIO);
		if (add_page(&self->guest, FOCUS, KVM_TDX_MEASURE_MEMORY_REGION))
			TEST_ASSERT_EQ(errno, EIO);
		vm_guest_mem_punch_hole(self->vm, FOCUS, PAGE_SIZE);
	}
	stop_punching(&p);
	if (vm_is_dead(self->vm))
		XFAIL(return, "KVM calls TDH.MR.EXTEND without mmu_lock, and the TD is locked");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();
	return test_harness_run(argc, argv);
}
