// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that accesses a private page which it has not accepted.
 *
 * With SEPT_VE_DISABLE the TDX module reports such an access to KVM instead of
 * the guest.  The guest must not run on, as it can't tell that its memory was
 * replaced.  So KVM_RUN fails, and KVM declares the VM dead; for what that means
 * see tdx_dead_vm_test.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

FIXTURE(unaccepted) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
	struct tdx_guest other;
};

FIXTURE_SETUP(unaccepted)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	if (!has_sept_ve_disable(vm))
		SKIP(return, NEEDS_SEPT_VE_DISABLE);
	kvm_vm_free(vm);

	self->vm = tdx_memory_create(TDX_TD_ATTR_SEPT_VE_DISABLE);
	self->guest = tdx_guest_add(self->vm, 0);
	if (has_two_cpus(self->vm))
		self->other = tdx_guest_add(self->vm, 1);
	tdx_vm_finalize(self->vm);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
}

FIXTURE_TEARDOWN(unaccepted)
{
	kvm_vm_free(self->vm);
}

TEST_F(unaccepted, access_after_accept_is_fine)
{
	tdx_guest_accept(&self->guest, GMEM_GPA);
	tdx_guest_write(&self->guest, GMEM_GPA, MAGIC);
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_GPA), MAGIC);
}

/*
 * KVM tells the two apart by what the TDX module says about each exit.  What it said
 * about the fault of the page that the guest accepts must not stay.
 */
TEST_F(unaccepted, access_after_accept_of_other)
{
	tdx_guest_accept(&self->guest, GMEM_GPA);
	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_READ, GMEM_PAGE(1), 0), EIO);
	TEST_ASSERT(vm_is_dead(self->vm), "The VM is not dead");
}

/* Only an access by the guest is fatal.  A pending page alone is not. */
TEST_F(unaccepted, prefaulted_page_is_fine)
{
	struct kvm_pre_fault_memory range = { .gpa = GMEM_GPA, .size = SLOT_SIZE };

	vcpu_ioctl(self->guest.vcpu, KVM_PRE_FAULT_MEMORY, &range);
	tdx_guest_accept(&self->guest, GMEM_PAGE(1));
	TEST_ASSERT_EQ(tdx_guest_read(&self->guest, GMEM_PAGE(1)), 0ul);
}

TEST_F(unaccepted, read_fails_run)
{
	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_READ, GMEM_GPA, 0), EIO);
}

TEST_F(unaccepted, write_fails_run)
{
	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_WRITE, GMEM_GPA, 0), EIO);
}

TEST_F(unaccepted, kills_vm)
{
	struct kvm_memory_attributes shared = { .address = GMEM_GPA, .size = SLOT_SIZE };

	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_WRITE, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(tdx_guest_run(&self->guest), EIO);
	TEST_ASSERT(vm_is_dead(self->vm), "The VM is not dead");
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_SET_MEMORY_ATTRIBUTES, &shared), EIO);
}

TEST_F(unaccepted, kills_other_vcpus)
{
	if (!self->other.vcpu)
		SKIP(return, NEEDS_TWO_CPUS);

	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_WRITE, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(__tdx_guest_do(&self->other, TDX_GUEST_READ, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->other.vcpu, KVM_NMI, NULL), EIO);
}

/* HAMMER counts the guest's accesses that came to an end. */
TEST_F(unaccepted, guest_does_not_go_on)
{
	TEST_ASSERT_FAILS(__tdx_guest_do(&self->guest, TDX_GUEST_HAMMER, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(tdx_guest_run(&self->guest), EIO);
	TEST_ASSERT_EQ(self->guest.req->done, 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
