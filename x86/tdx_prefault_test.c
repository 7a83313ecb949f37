// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_PRE_FAULT_MEMORY for a TD.
 *
 * KVM maps the pages of a range ahead of the guest's first access.  It takes the
 * view of each page, private or shared, from the page's attributes.  A private
 * page that was prefaulted still has to be accepted by the guest, and one that
 * the guest uses already keeps its contents.  Until KVM_TDX_FINALIZE_VM
 * prefaulting has to wait, as it would add to the TD's measured memory.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* A page of the TD's initial memory. */
static u64 initial = MAGIC;

FIXTURE(prefault) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	gpa_t initial_gpa;
};

FIXTURE_SETUP(prefault)
{
	u64 *hva;

	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	self->vcpu = self->guest.vcpu;
	self->initial_gpa = addr_gva2gpa(self->vm, (gva_t)&initial) & PAGE_MASK;

	/*
	 * Populate the host's memory first.  A first write later on would unmap
	 * the page from the guest.
	 */
	hva = addr_gpa2hva(self->vm, GMEM_GPA);
	for (int i = 0; i < SLOT_SIZE / sizeof(*hva); i++)
		hva[i] = MAGIC;
}

FIXTURE_TEARDOWN(prefault)
{
	kvm_vm_free(self->vm);
}

/*
 * Launch the TD and let the guest touch what it needs for itself, so that the
 * pages under test are the only ones left to fault in.
 */
static void launch(struct kvm_vm *vm, struct tdx_guest *guest)
{
	tdx_vm_finalize(vm);
	TEST_ASSERT_EQ(tdx_guest_read(guest, (gva_t)&initial), MAGIC);
}

/* KVM advances *@range past the pages that it mapped. */
static int __prefault(struct kvm_vcpu *vcpu, struct kvm_pre_fault_memory *range)
{
	return __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, range);
}

static void prefault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };
	int r = __prefault(vcpu, &range);

	TEST_ASSERT(!r, KVM_IOCTL_ERROR(KVM_PRE_FAULT_MEMORY, r));
	TEST_ASSERT_EQ(range.gpa, gpa + size);
	TEST_ASSERT_EQ(range.size, 0);
}

/* KVM refuses the first page of the range. */
#define assert_refused(vcpu, _gpa, _size, error)			\
do {									\
	struct kvm_pre_fault_memory __range = {				\
		.gpa = (_gpa),						\
		.size = (_size),					\
	};								\
									\
	TEST_ASSERT_FAILS(__prefault(vcpu, &__range), error);		\
	TEST_ASSERT_EQ(__range.gpa, _gpa);				\
	TEST_ASSERT_EQ(__range.size, _size);				\
} while (0)

/* The number of faults that KVM handles while @access runs in the guest. */
#define faults_of(vcpu, access)						\
({									\
	u64 __before = vcpu_get_stat(vcpu, pf_taken);			\
									\
	access;								\
	vcpu_get_stat(vcpu, pf_taken) - __before;			\
})

TEST_F(prefault, before_finalize_refused)
{
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	assert_refused(self->vcpu, GMEM_GPA, SLOT_SIZE, EOPNOTSUPP);
	assert_refused(self->vcpu, PLAIN_GPA, SLOT_SIZE, EOPNOTSUPP);
	assert_refused(self->vcpu, self->initial_gpa, PAGE_SIZE, EOPNOTSUPP);
	tdx_load_private_memory(self->vm);
	assert_refused(self->vcpu, GMEM_GPA, PAGE_SIZE, EOPNOTSUPP);

	/* The attempts had no effect on the TD. */
	tdx_finalize(self->vm);
	prefault(self->vcpu, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, (gva_t)&initial), MAGIC);
}

TEST_F(prefault, before_first_run)
{
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	tdx_vm_finalize(self->vm);
	prefault(self->vcpu, GMEM_GPA, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, (gva_t)&initial), MAGIC);
	TEST_ASSERT_EQ(faults_of(self->vcpu, tdx_guest_accept(&self->guest, GMEM_GPA)), 0);
}

TEST_F(prefault, initial_memory)
{
	tdx_vm_finalize(self->vm);
	prefault(self->vcpu, self->initial_gpa, PAGE_SIZE);
	tdx_guest_read(&self->guest, shared(PLAIN_GPA));
	TEST_ASSERT_EQ(faults_of(self->vcpu, tdx_guest_read(&self->guest, (gva_t)&initial)), 0);
	TEST_ASSERT_EQ(self->guest.req->val, MAGIC);
}

TEST_F(prefault, private_page)
{
	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	prefault(self->vcpu, GMEM_GPA, PAGE_SIZE);

	TEST_ASSERT_EQ(faults_of(self->vcpu, tdx_guest_accept(&self->guest, GMEM_GPA)), 0);
	TEST_ASSERT(faults_of(self->vcpu, tdx_guest_accept(&self->guest, GMEM_PAGE(1))),
		    "KVM mapped a page outside of the range");
}

TEST_F(prefault, shared_page)
{
	launch(self->vm, &self->guest);
	prefault(self->vcpu, GMEM_GPA, PAGE_SIZE);

	TEST_ASSERT_EQ(faults_of(self->vcpu, tdx_guest_read(&self->guest, shared(GMEM_GPA))), 0);
	TEST_ASSERT_EQ(self->guest.req->val, MAGIC);
	TEST_ASSERT(faults_of(self->vcpu, tdx_guest_read(&self->guest, shared(GMEM_PAGE(1)))),
		    "KVM mapped a page outside of the range");
	TEST_ASSERT_EQ(self->guest.req->val, MAGIC);
}

TEST_F(prefault, private_range)
{
	u64 nr_fixed;

	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	prefault(self->vcpu, GMEM_GPA, SLOT_SIZE);

	nr_fixed = vcpu_get_stat(self->vcpu, pf_fixed);
	for (int i = 0; i < SLOT_PAGES; i++)
		TEST_ASSERT_EQ(faults_of(self->vcpu,
					 tdx_guest_accept(&self->guest, GMEM_PAGE(i))), 0);
	TEST_ASSERT_EQ(vcpu_get_stat(self->vcpu, pf_fixed), nr_fixed);
}

TEST_F(prefault, shared_range)
{
	u64 nr_fixed;

	launch(self->vm, &self->guest);
	prefault(self->vcpu, PLAIN_GPA, SLOT_SIZE);

	nr_fixed = vcpu_get_stat(self->vcpu, pf_fixed);
	for (int i = 0; i < SLOT_PAGES; i++)
		tdx_guest_read(&self->guest, shared(PLAIN_PAGE(i)));
	TEST_ASSERT_EQ(vcpu_get_stat(self->vcpu, pf_fixed), nr_fixed);
}

/* Shared pages before and behind private ones. */
TEST_F(prefault, private_and_shared_pages)
{
	struct tdx_guest *guest = &self->guest;

	launch(self->vm, guest);
	vm_mem_set_private(self->vm, GMEM_PAGE(1), 2 * PAGE_SIZE);
	prefault(self->vcpu, GMEM_GPA, 5 * PAGE_SIZE);

	for (int i = 1; i <= 2; i++)
		TEST_ASSERT_EQ(faults_of(self->vcpu, tdx_guest_accept(guest, GMEM_PAGE(i))), 0);
	for (int i = 0; i < 5; i++) {
		if (i == 1 || i == 2)
			continue;
		TEST_ASSERT_EQ(faults_of(self->vcpu, tdx_guest_read(guest, shared(GMEM_PAGE(i)))), 0);
		TEST_ASSERT_EQ(guest->req->val, MAGIC);
		tdx_guest_write(guest, shared(GMEM_PAGE(i)), 1);
	}
	TEST_ASSERT_EQ(tdx_guest_read(guest, GMEM_PAGE(1)), 0ul);
}

TEST_F(prefault, same_page_twice)
{
	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_PAGE(1), PAGE_SIZE);
	for (int i = 0; i < 2; i++) {
		prefault(self->vcpu, GMEM_PAGE(1), PAGE_SIZE);
		prefault(self->vcpu, GMEM_PAGE(2), PAGE_SIZE);
	}
	tdx_guest_accept(&self->guest, GMEM_PAGE(1));
	prefault(self->vcpu, GMEM_PAGE(1), PAGE_SIZE);
}

TEST_F(prefault, private_page_is_not_accepted)
{
	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	prefault(self->vcpu, GMEM_GPA, SLOT_SIZE);
	tdx_guest_assert_lost(&self->guest, GMEM_GPA);
}

TEST_F(prefault, private_page_keeps_contents)
{
	launch(self->vm, &self->guest);
	tdx_make_private(&self->guest, GMEM_GPA, 2, MAGIC);
	prefault(self->vcpu, GMEM_GPA, SLOT_SIZE);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(1)), MAGIC);
}

/* The view comes from the page's attributes, not from the address. */
TEST_F(prefault, shared_bit_refused)
{
	const gpa_t s_bit = self->vm->arch.s_bit;

	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_PAGE(1), PAGE_SIZE);
	assert_refused(self->vcpu, s_bit | GMEM_PAGE(0), PAGE_SIZE, EINVAL);
	assert_refused(self->vcpu, s_bit | GMEM_PAGE(1), PAGE_SIZE, EINVAL);
	assert_refused(self->vcpu, s_bit | PLAIN_GPA, SLOT_SIZE, EINVAL);
}

TEST_F(prefault, bad_range_refused)
{
	struct kvm_pre_fault_memory flags = {
		.gpa = GMEM_GPA,
		.size = SLOT_SIZE,
		.flags = 1,
	};

	launch(self->vm, &self->guest);
	assert_refused(self->vcpu, GMEM_GPA + 1, SLOT_SIZE, EINVAL);
	assert_refused(self->vcpu, GMEM_GPA, SLOT_SIZE + 1, EINVAL);
	assert_refused(self->vcpu, GMEM_GPA, 0, EINVAL);
	assert_refused(self->vcpu, GMEM_GPA, -PAGE_SIZE, EINVAL);
	TEST_ASSERT_FAILS(__prefault(self->vcpu, &flags), EINVAL);
}

TEST_F(prefault, no_memslot_refused)
{
	launch(self->vm, &self->guest);
	assert_refused(self->vcpu, GMEM_GPA + SLOT_SIZE, PAGE_SIZE, ENOENT);
	tdx_delete_slot(self->vm, GMEM_SLOT);
	assert_refused(self->vcpu, GMEM_GPA, SLOT_SIZE, ENOENT);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	assert_refused(self->vcpu, GMEM_GPA, SLOT_SIZE, EFAULT);
}

TEST_F(prefault, private_without_guest_memfd_refused)
{
	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, PLAIN_GPA, SLOT_SIZE);
	assert_refused(self->vcpu, PLAIN_GPA, SLOT_SIZE, EFAULT);
}

/* KVM succeeds if it maps any page, and says how far it got. */
static void assert_stops_at_end_of_slot(struct kvm_vcpu *vcpu, int error)
{
	struct kvm_pre_fault_memory range = {
		.gpa = GMEM_PAGE(SLOT_PAGES - 2),
		.size = SLOT_SIZE,
	};

	TEST_ASSERT(!__prefault(vcpu, &range), "errno: %d", errno);
	TEST_ASSERT_EQ(range.gpa, GMEM_GPA + SLOT_SIZE);
	TEST_ASSERT_EQ(range.size, SLOT_SIZE - 2 * PAGE_SIZE);
	TEST_ASSERT_FAILS(__prefault(vcpu, &range), error);
}

TEST_F(prefault, private_range_ends_with_memslot)
{
	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_GPA, 2 * SLOT_SIZE);
	assert_stops_at_end_of_slot(self->vcpu, EFAULT);
}

TEST_F(prefault, shared_range_ends_with_memslot)
{
	launch(self->vm, &self->guest);
	assert_stops_at_end_of_slot(self->vcpu, ENOENT);
}

/*
 * The TDX module doesn't know a vCPU that isn't initialized.  KVM may succeed
 * without the module's vCPU or refuse, but must not kill the VM.
 */
TEST_F(prefault, vcpu_not_initialized)
{
	struct kvm_pre_fault_memory range = { .gpa = GMEM_GPA, .size = PAGE_SIZE };
	struct kvm_vcpu *vcpu;
	int r;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vcpu = __vm_vcpu_add(self->vm, 1);
	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);

	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdh_vp_wr_failed|WARNING: *tdx_load_mmu_pgd");
	expect_kernel_log("WARNING: *kvm_vcpu_");
	expect_kernel_log("TDH_VP_WR* failed");
	r = __prefault(vcpu, &range);
	if (vm_is_dead(self->vm))
		XFAIL(return, "KVM writes to a vCPU that isn't there, and the VM is dead");

	TEST_ASSERT(!r || errno == EINVAL, "errno: %d", errno);
	tdx_guest_accept(&self->guest, GMEM_GPA);
}

/*
 * KVM must not wait for a memslot that is being deleted, as the deletion waits
 * for KVM.  It leaves it to user space to try again.
 */
TEST_F(prefault, while_memslot_is_deleted)
{
	struct kvm_pre_fault_memory range;
	struct tdx_slot_churn churn;

	launch(self->vm, &self->guest);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_slot_churn_start(&churn, self->vm, GMEM_SLOT);
	while (!READ_ONCE(churn.done)) {
		range = (struct kvm_pre_fault_memory) { .gpa = GMEM_GPA, .size = SLOT_SIZE };
		if (__prefault(self->vcpu, &range))
			TEST_ASSERT(errno == EAGAIN || errno == EFAULT,
				    "Unexpected errno: %d", errno);
	}
	tdx_slot_churn_join(&churn);
	prefault(self->vcpu, GMEM_GPA, SLOT_SIZE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
