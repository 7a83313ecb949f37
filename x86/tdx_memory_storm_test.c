// SPDX-License-Identifier: GPL-2.0
/*
 * All kinds of vCPU and all that user space can do, on the same 2 MiB at once.
 *
 * Some vCPUs use the memory as private, and accept half of what they find missing; one
 * does nothing but accept; others use it as shared, and take a missing memslot for MMIO
 * or for nothing.  Each page that a vCPU can't have becomes what it needs.  Meanwhile
 * user space punches holes, converts pages both ways, drops the shared pages and takes the
 * memslot away.  A page that KVM blocks or removes is one that some vCPU is about to
 * accept: the module's lock is busy, so KVM has to kick all vCPUs, and keep them out
 * until it has tried again.
 *
 * Each value tells its page and whether it was written as private or as shared memory.
 * Whatever the order of things, a vCPU may read 0, or what was written to that page as
 * that kind of memory, and an access that fails has to fail for a reason.  Afterwards
 * the TD works like any other.
 *
 * TDX_STORM=N lets user space do everything N times instead of 5 times.
 */
#include <sched.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define STORM_SLOT	12
#define STORM_GPA	0x140000000ul
#define STORM_PAGES	512
#define STORM_SIZE	(STORM_PAGES * PAGE_SIZE)
#define STORM_ROUNDS	5

#define MAX_VCPUS	8

/* The upper half of a value; the lower one is the page's number. */
#define WAS_PRIVATE	0x9a11ull
#define WAS_SHARED	0x5aedull

#define VALUE(kind, page)	((kind) << 32 | (page))

/*
 * What a vCPU does, in the order in which they are made.  The first one never stops: if
 * the host makes an access to a private page fail more than six times, by taking its
 * memslot away or converting it, the TDX module suspects an attack, and does not enter
 * the vCPU until the page has been accepted.  So another vCPU has to accept it, and
 * TDG.MEM.PAGE.ACCEPT may fail as often as it likes.
 */
enum vcpu_kind { ACCEPTS_ALL, SHARED_SKIPS, TOUCHES, SHARED_MMIO, NR_KINDS };

/* Guest code */

static u64 *storm_stop;		/* in shared memory, as the next: 1 all but ACCEPTS_ALL, 2 all */
static u64 *storm_accesses;	/* by each vCPU */
static u64 storm_s_bit;		/* of a shared GPA */

static u8 guest_read(u64 gva, u64 *val)
{
	u64 error_code;
	u8 vector;

	asm volatile(KVM_ASM_SAFE("mov (%[gva]), %[val]")
		     : [val] "=&a"(*val), KVM_ASM_SAFE_OUTPUTS(vector, error_code)
		     : [gva] "d"(gva)
		     : KVM_ASM_SAFE_CLOBBERS, "memory");
	return vector;
}

/* Another vCPU may be faster. */
static void guest_accept(gpa_t gpa)
{
	u64 status = tdg_mem_page_accept(gpa, 0) & TDX_SEAMCALL_STATUS_MASK;

	GUEST_ASSERT(status == TDX_SUCCESS || status == TDX_OPERAND_BUSY ||
		     status == TDX_PAGE_ALREADY_ACCEPTED);
}

/* The access raised #VE: the page isn't accepted, or there is no memslot. */
static void guest_missing(enum vcpu_kind kind, gpa_t gpa, u64 page)
{
	struct tdx_ve_info ve;
	u64 val;

	GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_EPT_VIOLATION);
	GUEST_ASSERT_EQ(ve.gpa & PAGE_MASK, gpa);

	if (kind == TOUCHES && page % 2)
		guest_accept(gpa);
	if (kind == SHARED_MMIO) {
		GUEST_ASSERT_EQ(tdvmcall_mmio_read(gpa, 8, &val), TDVMCALL_STATUS_SUCCESS);
		GUEST_ASSERT_EQ(val, MAGIC);
	}
}

static void guest_access(enum vcpu_kind kind, u64 page)
{
	const bool is_shared = kind != TOUCHES;
	const u64 tag = is_shared ? WAS_SHARED : WAS_PRIVATE;
	const gpa_t gpa = STORM_GPA + page * PAGE_SIZE;
	const u64 gva = is_shared ? shared(gpa) : gpa;
	u64 val;

	if (guest_read(gva, &val) ||
	    kvm_asm_safe("mov %[val], (%[gva])", [val] "a"(VALUE(tag, page)), [gva] "d"(gva)))
		guest_missing(kind, is_shared ? gpa | storm_s_bit : gpa, page);
	else
		__GUEST_ASSERT(!val || val == VALUE(tag, page), "Page %lu has 0x%lx",
			       (unsigned long)page, (unsigned long)val);
}

static void guest_storm(u64 kind)
{
	const u64 stop = kind == ACCEPTS_ALL ? 2 : 1;
	const u32 index = tdg_vp_info().vcpu_index;
	u64 page = index * 37;

	while (READ_ONCE(*storm_stop) < stop) {
		if (kind == ACCEPTS_ALL)
			guest_accept(STORM_GPA + page * PAGE_SIZE);
		else
			guest_access(kind, page);
		storm_accesses[index]++;
		page = (page + 1) % STORM_PAGES;
	}
}

/* Host code */

struct storm;

struct storm_vcpu {
	struct storm *storm;
	struct tdx_guest guest;
	enum vcpu_kind kind;
	pthread_t thread;
};

struct storm_thread {
	struct storm *storm;
	void (*act)(struct storm *storm, u64 page, u64 nr_pages);
	struct kvm_random_state random;
	pthread_t thread;
};

struct storm {
	struct kvm_vm *vm;
	char *hva;
	int nr_vcpus, nr_rounds;
	struct storm_vcpu vcpu[MAX_VCPUS];
	u64 *stop, *accesses;
};

static bool is_private(enum vcpu_kind kind)
{
	return kind == ACCEPTS_ALL || kind == TOUCHES;
}

static bool in_storm(gpa_t gpa)
{
	return gpa >= STORM_GPA && gpa < STORM_GPA + STORM_SIZE;
}

/* The guest can't have the page: it is of the other kind, or has no memslot. */
static void handle_memory_fault(struct storm_vcpu *v)
{
	struct kvm_run *run = v->guest.run;

	TEST_ASSERT(errno == EFAULT, "KVM_RUN: errno %d, %s", errno,
		    vcpu_exit_str(v->guest.vcpu));
	TEST_ASSERT_KVM_EXIT_REASON(v->guest.vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(run->memory_fault.flags, is_private(v->kind) ? PRIVATE : 0);
	TEST_ASSERT_EQ(run->memory_fault.size, PAGE_SIZE);
	TEST_ASSERT(in_storm(run->memory_fault.gpa), "A fault at 0x%llx",
		    run->memory_fault.gpa);

	if (is_private(v->kind))
		vm_mem_set_private(v->storm->vm, run->memory_fault.gpa, PAGE_SIZE);
	else
		vm_mem_set_shared(v->storm->vm, run->memory_fault.gpa, PAGE_SIZE);
}

static void answer_mmio(struct storm_vcpu *v)
{
	struct kvm_run *run = v->guest.run;
	const u64 val = MAGIC;

	TEST_ASSERT_KVM_EXIT_REASON(v->guest.vcpu, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(v->kind, SHARED_MMIO);
	TEST_ASSERT(in_storm(run->mmio.phys_addr), "MMIO at 0x%llx", run->mmio.phys_addr);
	memcpy(run->mmio.data, &val, sizeof(val));
}

static void *run_vcpu(void *arg)
{
	struct storm_vcpu *v = arg;
	int r = __tdx_guest_do(&v->guest, TDX_GUEST_FUNCTION, (u64)guest_storm, v->kind);

	while (r) {
		if (r < 0)
			handle_memory_fault(v);
		else
			answer_mmio(v);
		r = tdx_guest_run(&v->guest);
	}
	return NULL;
}

/* What user space does with some pages. */

static void punch_hole(struct storm *storm, u64 page, u64 nr_pages)
{
	vm_guest_mem_punch_hole(storm->vm, STORM_GPA + page * PAGE_SIZE, nr_pages * PAGE_SIZE);
}

static void punch_all(struct storm *storm, u64 page, u64 nr_pages)
{
	vm_guest_mem_punch_hole(storm->vm, STORM_GPA, STORM_SIZE);
}

static void make_private(struct storm *storm, u64 page, u64 nr_pages)
{
	vm_mem_set_private(storm->vm, STORM_GPA + page * PAGE_SIZE, nr_pages * PAGE_SIZE);
}

static void make_shared(struct storm *storm, u64 page, u64 nr_pages)
{
	vm_mem_set_shared(storm->vm, STORM_GPA + page * PAGE_SIZE, nr_pages * PAGE_SIZE);
}

static void drop_shared(struct storm *storm, u64 page, u64 nr_pages)
{
	TEST_ASSERT_EQ(madvise(storm->hva + page * PAGE_SIZE, nr_pages * PAGE_SIZE,
			       MADV_DONTNEED), 0);
}

static void write_shared(struct storm *storm, u64 page, u64 nr_pages)
{
	for (u64 i = page; i < page + nr_pages; i++) {
		u64 *mem = (u64 *)(storm->hva + i * PAGE_SIZE);
		u64 val = READ_ONCE(*mem);

		TEST_ASSERT(!val || val == VALUE(WAS_SHARED, i), "Page %lu has 0x%lx",
			    (unsigned long)i, (unsigned long)val);
		WRITE_ONCE(*mem, VALUE(WAS_SHARED, i));
	}
}

static void replace_slot(struct storm *storm, u64 page, u64 nr_pages)
{
	tdx_delete_slot(storm->vm, STORM_SLOT);
	tdx_create_slot(storm->vm, STORM_SLOT);
}

static void (* const acts[])(struct storm *storm, u64 page, u64 nr_pages) = {
	punch_hole, punch_all, make_private, make_shared, drop_shared, write_shared,
	replace_slot,
};

static void *run_thread(void *arg)
{
	struct storm_thread *t = arg;

	for (int i = 0; i < t->storm->nr_rounds; i++) {
		u64 page = kvm_random_u32(&t->random) % STORM_PAGES;
		u64 most = STORM_PAGES - page;

		t->act(t->storm, page, 1 + kvm_random_u32(&t->random) % most);
		sched_yield();
	}
	return NULL;
}

static void create_storm(struct storm *storm)
{
	const char *rounds = getenv("TDX_STORM");
	struct kvm_vm *vm = tdx_memory_create(0);
	gva_t gva;

	*storm = (struct storm) {
		.vm = vm,
		.nr_vcpus = min(vm_check_cap(vm, KVM_CAP_MAX_VCPUS), MAX_VCPUS),
		.nr_rounds = rounds ? atoi(rounds) : STORM_ROUNDS,
	};
	TEST_ASSERT(storm->nr_rounds > 0, "TDX_STORM: not a number: '%s'", rounds);

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, STORM_GPA, STORM_SLOT, STORM_PAGES,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	tdx_map_both(vm, STORM_GPA, STORM_PAGES);
	storm->hva = addr_gpa2hva(vm, STORM_GPA);

	gva = tdx_alloc_shared(vm, PAGE_SIZE, &storm->stop);
	storm->accesses = storm->stop + 1;
	write_guest_global(vm, storm_stop, (u64 *)gva);
	write_guest_global(vm, storm_accesses, (u64 *)gva + 1);
	write_guest_global(vm, storm_s_bit, (u64)vm->arch.s_bit);

	for (int i = 0; i < storm->nr_vcpus; i++) {
		storm->vcpu[i].storm = storm;
		storm->vcpu[i].kind = i % NR_KINDS;
		storm->vcpu[i].guest = tdx_guest_add(vm, i);
	}
	tdx_vm_finalize(vm);
}

/* Let the guests end, but for those that accept, or these, too. */
static void stop_vcpus(struct storm *storm, bool accept)
{
	WRITE_ONCE(*storm->stop, accept ? 2 : 1);
	for (int i = 0; i < storm->nr_vcpus; i++)
		if ((storm->vcpu[i].kind == ACCEPTS_ALL) == accept)
			TEST_ASSERT_EQ(pthread_join(storm->vcpu[i].thread, NULL), 0);
}

static void run_storm(struct storm *storm)
{
	struct storm_thread threads[ARRAY_SIZE(acts)];

	for (int i = 0; i < storm->nr_vcpus; i++)
		TEST_ASSERT_EQ(pthread_create(&storm->vcpu[i].thread, NULL, run_vcpu,
					      &storm->vcpu[i]), 0);
	for (int i = 0; i < ARRAY_SIZE(acts); i++) {
		threads[i] = (struct storm_thread) {
			.storm = storm,
			.act = acts[i],
			.random = new_kvm_random_state(kvm_random_seed + i),
		};
		TEST_ASSERT_EQ(pthread_create(&threads[i].thread, NULL, run_thread,
					      &threads[i]), 0);
	}
	for (int i = 0; i < ARRAY_SIZE(acts); i++)
		TEST_ASSERT_EQ(pthread_join(threads[i].thread, NULL), 0);

	stop_vcpus(storm, false);
	stop_vcpus(storm, true);
}

FIXTURE(memory) {
	struct storm storm;
};

FIXTURE_SETUP(memory)
{
	SKIP_IF_PANICS_ON_WARNING(return);
	expect_kernel_log(WARNS_OF_OTHER_PFN);
	create_storm(&self->storm);
}

FIXTURE_TEARDOWN(memory)
{
	kvm_vm_free(self->storm.vm);
}

TEST_F(memory, storm)
{
	struct storm *storm = &self->storm;
	struct tdx_guest *guest = &storm->vcpu[0].guest;

	run_storm(storm);
	for (int i = 0; i < storm->nr_vcpus; i++)
		TH_LOG("vCPU %d: %lu accesses", i, (unsigned long)storm->accesses[i]);

	/* The shared pages keep what they have, the private ones lose it. */
	make_shared(storm, 0, STORM_PAGES);
	write_shared(storm, 0, STORM_PAGES);
	for (int i = 0; i < STORM_PAGES; i += 64)
		TEST_ASSERT_EQ(*(u64 *)(storm->hva + i * PAGE_SIZE), VALUE(WAS_SHARED, i));
	make_private(storm, 0, STORM_PAGES);
	punch_all(storm, 0, STORM_PAGES);
	for (int i = 0; i < STORM_PAGES; i += 64)
		tdx_guest_assert_lost(guest, STORM_GPA + i * PAGE_SIZE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
