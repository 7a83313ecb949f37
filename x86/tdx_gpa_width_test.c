// SPDX-License-Identifier: GPL-2.0
/*
 * The width of a TD's GPAs, 48 or 52 bits, and the shared bit, their topmost bit.
 *
 * The shared bit selects a view of a page and is not part of its address, so
 * KVM must refuse memslots with that bit.  KVM itself supports GPAs up to
 * MAXPHYADDR, which is often wider than the TD's GPAs.  A memslot may be up
 * there, although the guest can't reach it.  KVM has to refuse such a GPA where
 * it would have to map it, without a warning and without killing the VM.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"
#include "tdx/races_wanted.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define SLOT		10
#define GPA		0x100000000ul
#define SIZE		(16 * PAGE_SIZE)

#define NEEDS_WIDE_GPAS	"GPAs of 52 bits need an EPT of 5 levels"

/* An initialized TD without memory. */
FIXTURE(shared_bit) {
	struct kvm_vm *vm;
	void *mem;
	gpa_t bit;
};

FIXTURE_VARIANT(shared_bit) {
	u32 width;
};

FIXTURE_VARIANT_ADD(shared_bit, gpaw_48) {
	.width = 48,
};

FIXTURE_VARIANT_ADD(shared_bit, gpaw_52) {
	.width = 52,
};

FIXTURE_SETUP(shared_bit)
{
	if (!is_tdx_gpaw_supported(variant->width))
		SKIP(return, NEEDS_WIDE_GPAS);

	tdx_gpaw = variant->width;
	self->vm = ____vm_create(VM_SHAPE_TDX);
	tdx_init_vm(self->vm, NULL);
	self->bit = BIT_ULL(variant->width - 1);
	self->mem = kvm_mmap(SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

FIXTURE_TEARDOWN(shared_bit)
{
	kvm_munmap(self->mem, SIZE);
	kvm_vm_free(self->vm);
}

static int set_slot(struct kvm_vm *vm, gpa_t gpa, u64 size, void *mem)
{
	return __vm_set_user_memory_region2(vm, SLOT, 0, gpa, size, mem, -1, 0);
}

/* By either version of the ioctl. */
#define assert_slot_refused(vm, gpa, size, mem)				\
do {									\
	TEST_ASSERT_FAILS(set_slot(vm, gpa, size, mem), EINVAL);	\
	TEST_ASSERT_FAILS(__vm_set_user_memory_region(vm, SLOT, 0, gpa, size, mem), \
			  EINVAL);					\
} while (0)

TEST_F(shared_bit, memslot_below)
{
	TEST_ASSERT_EQ(set_slot(self->vm, self->bit - SIZE, SIZE, self->mem), 0);
}

TEST_F(shared_bit, memslot_at_refused)
{
	assert_slot_refused(self->vm, self->bit, SIZE, self->mem);
	assert_slot_refused(self->vm, self->bit | GPA, SIZE, self->mem);
}

TEST_F(shared_bit, memslot_across_refused)
{
	assert_slot_refused(self->vm, self->bit - SIZE + PAGE_SIZE, SIZE, self->mem);
	TEST_ASSERT_EQ(set_slot(self->vm, self->bit - PAGE_SIZE, PAGE_SIZE, self->mem), 0);
}

TEST_F(shared_bit, memslot_moved_to_refused)
{
	TEST_ASSERT_EQ(set_slot(self->vm, GPA, SIZE, self->mem), 0);
	assert_slot_refused(self->vm, self->bit, SIZE, self->mem);
	TEST_ASSERT_EQ(set_slot(self->vm, self->bit - SIZE, SIZE, self->mem), 0);
	assert_slot_refused(self->vm, self->bit, SIZE, self->mem);
}

/* A TD with one vCPU and a private page. */

static struct kvm_vcpu *add_vcpu(struct kvm_vm *vm)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, 0);

	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	return vcpu;
}

static void add_private_slot(struct kvm_vm *vm, gpa_t gpa)
{
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, SLOT, 1, KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, gpa, PAGE_SIZE);
}

static struct kvm_tdx_init_mem_region one_page(void *source, gpa_t gpa)
{
	return (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)source,
		.gpa = gpa,
		.nr_pages = 1,
	};
}

static void assert_page_added(struct kvm_vcpu *vcpu, void *source, gpa_t gpa)
{
	struct kvm_tdx_init_mem_region region = one_page(source, gpa);

	TEST_ASSERT(!__tdx_init_mem_region(vcpu, 0, &region, NULL),
		    "Adding a page at GPA 0x%lx failed, errno %d",
		    (unsigned long)gpa, errno);
	TEST_ASSERT_EQ(region.source_addr, (u64)source + PAGE_SIZE);
	TEST_ASSERT_EQ(region.gpa, gpa + PAGE_SIZE);
	TEST_ASSERT_EQ(region.nr_pages, 0);
}

/* The shared bit of a narrow TD is a bit like any other in a wide TD. */
TEST(bit_47_is_not_shared_in_wide_td)
{
	const gpa_t gpa = BIT_ULL(47), shared_gpa = BIT_ULL(51) | gpa;
	struct kvm_tdx_init_mem_region region;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (!is_tdx_gpaw_supported(52))
		SKIP(return, NEEDS_WIDE_GPAS);

	tdx_gpaw = 52;
	vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(vm);
	tdx_init_vm(vm, NULL);
	vcpu = add_vcpu(vm);

	add_private_slot(vm, gpa);
	assert_page_added(vcpu, vcpu->run, gpa);

	region = one_page(vcpu->run, shared_gpa);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, &region, NULL), EINVAL);
	TEST_ASSERT_EQ(region.source_addr, (u64)vcpu->run);
	TEST_ASSERT_EQ(region.gpa, shared_gpa);
	TEST_ASSERT_EQ(region.nr_pages, 1);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region(vm, SLOT + 1, 0, BIT_ULL(51),
						      PAGE_SIZE, vcpu->run), EINVAL);
	tdx_finalize(vm);
	kvm_vm_free(vm);
}

/*
 * Has the same page tables as the GPA beyond the width, as the tables of this TD
 * don't cover the bit in which the two differ.
 */
#define PRIVATE_GPA	0x100000ul

FIXTURE(beyond_width) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	void *mem;		/* lives as long as the VM, see losing_memory */
};

FIXTURE_SETUP(beyond_width)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(self->vm);
	tdx_init_vm(self->vm, NULL);
	self->vcpu = add_vcpu(self->vm);
	add_private_slot(self->vm, PRIVATE_GPA);
	self->mem = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

FIXTURE_TEARDOWN(beyond_width)
{
	kvm_vm_free(self->vm);
}

TEST_F(beyond_width, init_mem_region_refused)
{
	int fd = vm_create_guest_memfd(self->vm, PAGE_SIZE, 0);
	const gpa_t gpa = add_memslot_beyond_width(self->vm, SLOT + 1, self->mem, fd);
	struct kvm_tdx_init_mem_region region = one_page(self->vcpu->run, gpa);

	if (!gpa)
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);
	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdx_sept_*: tdx_gpa_width");
	expect_kernel_log("SEAMCALL TDH_MEM_SEPT_ADD failed");
	TEST_ASSERT(__tdx_init_mem_region(self->vcpu, 0, &region, NULL),
		    "A page was added at GPA 0x%lx", (unsigned long)gpa);
	if (errno == EIO) {
		/* The TD is dead. */
		TEST_ASSERT_FAILS(__tdx_finalize(self->vm, NULL), EIO);
		XFAIL(return, "KVM leaves it to the TDX module to refuse the GPA, and warns");
	}

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(region.nr_pages, 1);
	assert_page_added(self->vcpu, self->vcpu->run, PRIVATE_GPA);
}

TEST_F(beyond_width, prefault_refused)
{
	int fd = vm_create_guest_memfd(self->vm, PAGE_SIZE, 0);
	const gpa_t gpa = add_memslot_beyond_width(self->vm, SLOT + 1, self->mem, fd);
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = PAGE_SIZE };
	struct kvm_pre_fault_memory within = { .gpa = PRIVATE_GPA, .size = PAGE_SIZE };

	if (!gpa)
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);

	/* Let KVM allocate page tables, so that only the page is missing. */
	assert_page_added(self->vcpu, self->vcpu->run, PRIVATE_GPA);
	tdx_finalize(self->vm);
	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdx_sept_*: tdx_gpa_width|WARNING: *kvm_vcpu_*: tdx_gpa_width");
	expect_kernel_log("WARNING: *tdx_sept_*: tdx_gpa_width|WARNING: *kvm_vcpu_*: tdx_gpa_width");
	expect_kernel_log("SEAMCALL TDH_MEM_PAGE_AUG failed");
	TEST_ASSERT(__vcpu_ioctl(self->vcpu, KVM_PRE_FAULT_MEMORY, &range),
		    "GPA 0x%lx was mapped", (unsigned long)gpa);
	if (vm_is_dead(self->vm))
		XFAIL(return, "KVM leaves it to the TDX module to refuse the GPA, and warns");

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(range.gpa, gpa);
	TEST_ASSERT_EQ(range.size, PAGE_SIZE);
	vcpu_ioctl(self->vcpu, KVM_PRE_FAULT_MEMORY, &within);
}

struct prefault {
	struct kvm_vcpu *vcpu;
	struct kvm_pre_fault_memory range;
	int ret, error;
	bool done;
};

static void *run_prefault(void *arg)
{
	struct prefault *p = arg;

	p->ret = __vcpu_ioctl(p->vcpu, KVM_PRE_FAULT_MEMORY, &p->range);
	p->error = errno;
	WRITE_ONCE(p->done, true);
	return NULL;
}

static void no_action(int signal)
{
}

/*
 * Prefault until it ends, or until it has taken a second of CPU time, which is enough for
 * much more memory.  Then a signal ends it.
 */
static void prefault_for_a_second(struct prefault *p)
{
	const struct sigaction interrupt = { .sa_handler = no_action };
	struct timespec used = {};
	pthread_t thread;
	clockid_t clock;

	TEST_ASSERT_EQ(sigaction(SIGUSR1, &interrupt, NULL), 0);
	TEST_ASSERT_EQ(pthread_create(&thread, NULL, run_prefault, p), 0);
	TEST_ASSERT_EQ(pthread_getcpuclockid(thread, &clock), 0);
	while (!READ_ONCE(p->done) && !used.tv_sec && !clock_gettime(clock, &used))
		sched_yield();
	pthread_kill(thread, SIGUSR1);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);
}

/* A memslot out of the guest's reach may lose its memory like any other. */
TEST_F(beyond_width, losing_memory)
{
	int log;

	/* Let KVM allocate page tables. */
	assert_page_added(self->vcpu, self->vcpu->run, PRIVATE_GPA);

	if (!add_memslot_beyond_width(self->vm, SLOT + 1, self->mem, -1))
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);
	memset(self->mem, 1, PAGE_SIZE);

	SKIP_IF_PANICS_ON_WARNING(return);

	/* This writes to the log, so before watching it. */
	expect_kernel_log("WARNING: *tdp_iter_start");
	log = kernel_log_open();
	if (log < 0)
		SKIP(return, "no access to the kernel's log");

	kvm_munmap(self->mem, PAGE_SIZE);
	if (kernel_log_has_warning(log, "tdp_iter_start"))
		XFAIL(return, "KVM looks for the memory in page tables that don't reach so far, and warns");
}

/*
 * ... or go away.  KVM then looks for private pages of its in page tables that don't reach
 * so far, and takes what it finds at the bits that they do cover: tdp_iter_start() checks
 * only shared ones.  tdx_sept_remove_leaf_spte() blocks the GPA beyond the width, which the
 * module refuses, and the other page goes back to the host while the module has it.
 */
TEST_F(beyond_width, deleting_memslot_keeps_other_page)
{
	const gpa_t gpa = self->vm->arch.s_bit << 1 | PRIVATE_GPA;

	SKIP_UNLESS_RACES_WANTED(return, HOST_DIES_OF_IT);
	SKIP_UNLESS_MAY_HARM_HOST(return, "KVM would corrupt the host's memory");
	SKIP_IF_PANICS_ON_WARNING(return);

	assert_page_added(self->vcpu, self->vcpu->run, PRIVATE_GPA);
	tdx_finalize(self->vm);
	if (__vm_set_user_memory_region(self->vm, SLOT + 1, 0, gpa, PAGE_SIZE, self->mem))
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);

	expect_kernel_log("WARNING: *tdp_iter_start");
	expect_kernel_log("WARNING: *tdx_sept_");
	expect_kernel_log("SEAMCALL TDH_MEM_RANGE_BLOCK failed");
	expect_kernel_log("WARNING: *tdx_reclaim_page");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");
	TEST_ASSERT_EQ(__vm_set_user_memory_region(self->vm, SLOT + 1, 0, gpa, 0, NULL), 0);
	if (vm_is_dead(self->vm))
		XFAIL(return, "KVM removes the page at the GPA's lower bits");
}

/*
 * Without a memslot there is nothing to prefault.  After losing_memory, as KVM warns of both
 * in the same place, once.  For KVM it is MMIO, and needs an entry
 * in page tables that don't reach so far: kvm_tdp_mmu_map() finds no place for it and says
 * that the fault is to be retried, which kvm_tdp_page_prefault() does until a signal comes.
 */
TEST_F(beyond_width, prefault_of_nothing_ends)
{
	struct prefault p = {
		.vcpu = self->vcpu,
		.range = { .gpa = self->vm->arch.s_bit << 1, .size = PAGE_SIZE },
	};

	assert_page_added(self->vcpu, self->vcpu->run, PRIVATE_GPA);
	tdx_finalize(self->vm);
	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdp_iter_start");
	prefault_for_a_second(&p);
	TEST_ASSERT(p.ret, "GPA 0x%lx was mapped", (unsigned long)p.range.gpa);
	if (p.error == EINTR)
		XFAIL(return, "KVM retries until a signal comes");
	TEST_ASSERT(p.error == ENOENT || p.error == EINVAL, "Unexpected errno: %d", p.error);
}

TDX_GUEST_FIXTURE(map_gpa)

FIXTURE_SETUP(map_gpa)
{
	tdx_guest_create(&self->td);
	vm_enable_cap(self->td.vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	tdx_vm_finalize(self->td.vm);
}

TEST_F(map_gpa, beyond_width_refused)
{
	struct tdx_guest *td = &self->td;
	const gpa_t gpa = 2 * td->vm->arch.s_bit;

	if (tdx_call_exits(td, TDVMCALL_MAP_GPA, gpa, PAGE_SIZE)) {
		TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_HYPERCALL);
		TEST_ASSERT_EQ(td->run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
		TEST_ASSERT_EQ(td->run->hypercall.args[0], gpa);
		TEST_ASSERT_EQ(td->run->hypercall.args[1], 1);
		TEST_ASSERT_EQ(td->run->hypercall.args[2],
			       KVM_MAP_GPA_RANGE_PAGE_SZ_4K | KVM_MAP_GPA_RANGE_ENCRYPTED);
		XFAIL(return, "KVM takes what is beyond the shared bit for private memory");
	}
	TEST_ASSERT_EQ(tdvmcall_status(&td->req->call), TDVMCALL_STATUS_INVALID_OPERAND);
}

TDX_GUEST_SUITE(mmio);

TEST_F(mmio, beyond_width_refused)
{
	struct tdx_guest *td = &self->td;
	gpa_t gpa = BIT_ULL(63) | GPA;

	if (tdx_call_exits(td, EXIT_REASON_EPT_VIOLATION, 4, TDVMCALL_READ,
			   tdx_shared(td, gpa))) {
		TEST_ASSERT_EXIT_MMIO(td->vcpu, gpa, 4, false);
		XFAIL(return, "KVM checks only the shared bit of the GPA");
	}
	TEST_ASSERT_EQ(tdvmcall_status(&td->req->call), TDVMCALL_STATUS_INVALID_OPERAND);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
