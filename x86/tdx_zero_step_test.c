// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that faults at one instruction again and again.
 *
 * A host could learn what a guest does by letting it fault at each instruction, so
 * the TDX module stops after some faults: it no longer enters the guest, and reports
 * a fault that it makes up, until the guest has accepted the page.  To KVM that looks
 * like any other fault.
 */
#include <sched.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/vcpu_thread.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* More faults than the module lets happen. */
#define MANY_FAULTS	20

#define TDG_NOTIFY_ENABLES	0x9110000300000010ull
#define NOTIFY_ZERO_STEP	BIT(0)

FIXTURE(zero_step) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
	struct tdx_guest other;
};

FIXTURE_SETUP(zero_step)
{
	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	if (has_two_cpus(self->vm))
		self->other = tdx_guest_add(self->vm, 1);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(zero_step)
{
	kvm_vm_free(self->vm);
}

/* The guest repeats an access to a page that is shared. */
static void fault_many_times(struct tdx_guest *guest, enum tdx_guest_op op, gpa_t gpa)
{
	tdx_guest_faults(guest, op, gpa, MAGIC, gpa, PRIVATE);
	for (int i = 1; i < MANY_FAULTS; i++) {
		TEST_ASSERT_FAILS(tdx_guest_run(guest), EFAULT);
		TEST_ASSERT_MEMORY_FAULT(guest, gpa, PRIVATE);
	}
}

TEST_F(zero_step, each_fault_is_reported)
{
	fault_many_times(&self->guest, TDX_GUEST_READ, GMEM_GPA);
}

TEST_F(zero_step, goes_on_when_another_vcpu_has_accepted)
{
	if (!self->other.vcpu)
		SKIP(return, NEEDS_TWO_CPUS);

	fault_many_times(&self->guest, TDX_GUEST_WRITE, GMEM_PAGE(3));
	tdx_make_private(&self->other, GMEM_PAGE(3), 1, 0);
	tdx_guest_resumes(&self->guest);
	TEST_ASSERT_EQ(tdx_guest_read(&self->other, GMEM_PAGE(3)), MAGIC);

	/* The next instruction starts from the beginning. */
	tdx_guest_faults(&self->guest, TDX_GUEST_READ, GMEM_GPA, 0, GMEM_GPA, PRIVATE);
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_guest_run(&self->guest), 0);
	TEST_ASSERT_VE(&self->guest, GMEM_GPA);
}

/* KVM enters the guest, or tries to, again and again. */
static void wait_for_retries(struct kvm_vcpu *vcpu, u64 before)
{
	while (vcpu_get_stat(vcpu, exits) < before + 3)
		sched_yield();
}

/* A private page that is not accepted is not enough: KVM_RUN does not get on. */
TEST_F(zero_step, run_waits_for_accept)
{
	struct kvm_pre_fault_memory range = { .gpa = GMEM_GPA, .size = PAGE_SIZE };
	struct vcpu_thread t;
	u64 exits;

	if (!self->other.vcpu)
		SKIP(return, NEEDS_TWO_CPUS);

	fault_many_times(&self->guest, TDX_GUEST_READ, GMEM_GPA);
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	vcpu_ioctl(self->other.vcpu, KVM_PRE_FAULT_MEMORY, &range);
	exits = vcpu_get_stat(self->guest.vcpu, exits);
	vcpu_thread_start(&t, self->guest.vcpu);
	wait_for_retries(self->guest.vcpu, exits);
	tdx_guest_accept(&self->other, GMEM_GPA);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), 0);
	TEST_ASSERT_EQ(self->guest.req->vector, 0);
	TEST_ASSERT_EQ(self->guest.req->val, 0);
}

/* A signal ends it. */
TEST_F(zero_step, signal_ends_run)
{
	struct vcpu_thread t;
	u64 exits;

	fault_many_times(&self->guest, TDX_GUEST_READ, GMEM_GPA);
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	exits = vcpu_get_stat(self->guest.vcpu, exits);
	vcpu_thread_start(&t, self->guest.vcpu);
	wait_for_retries(self->guest.vcpu, exits);
	vcpu_thread_kick(&t);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EINTR);
}

/* The guest can ask for a #VE when it goes on. */
TEST_F(zero_step, guest_is_told)
{
	if (!self->other.vcpu)
		SKIP(return, NEEDS_TWO_CPUS);

	TEST_ASSERT_EQ(tdx_guest_vm_wr(&self->guest, TDG_NOTIFY_ENABLES, NOTIFY_ZERO_STEP,
				       NOTIFY_ZERO_STEP), TDX_SUCCESS);
	fault_many_times(&self->guest, TDX_GUEST_READ, GMEM_GPA);
	tdx_make_private(&self->other, GMEM_GPA, 1, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_run(&self->guest), 0);
	TEST_ASSERT_VE(&self->guest, GMEM_GPA);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), MAGIC);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
