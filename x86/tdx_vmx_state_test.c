// SPDX-License-Identifier: GPL-2.0
/*
 * State that only VMX vCPUs have: nested virtualization and SMM.
 *
 * KVM keeps it in struct vcpu_vmx, which a TD's vCPU is not: it is a struct vcpu_tdx in
 * the same memory.  So user space must not get at that state of a TD's vCPU.
 *
 * Where KVM lets user space leave nested virtualization or change SMM, vmx_leave_nested()
 * makes the vCPU's memory a struct vcpu_vmx and loads a VMCS that isn't there.  For that
 * KVM sends an interrupt to CPU 0, where __loaded_vmcs_clear() follows a null pointer,
 * and the kernel panics.  On CPU 0 itself there is no interrupt, and only the vCPU is
 * damaged, in ways that depend on the layout of the structures.
 */
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"
#include "tdx/tdx_test_harness.h"

/* Last of all, as the host might not survive it where it may be harmed. */
TDX_TEST_RUNS_ALONE;

#define WOULD_PANIC	"KVM would bring the host down"

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static void run(struct kvm_vcpu *vcpu)
{
	vcpu_run_to_sync(vcpu, 0);
}

/* A TD that has run, and that need not run on. */
FIXTURE(vmx_state) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(vmx_state)
{
	self->vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &self->vcpu, guest_code);
	run(self->vcpu);
}

FIXTURE_TEARDOWN(vmx_state)
{
	kvm_vm_free(self->vm);
}

/* For the bug that is described above, on CPU 0. */
static void expect_leave_nested(void)
{
	expect_kernel_log("WARNING: *free_nested");
	expect_kernel_log("WARNING: *vmptrld_error");
	expect_kernel_log("WARNING: *vt_cache_reg");
	pin_self_to_cpu(0);
}

/*
 * Nested virtualization
 */
#define NO_NESTED_VIRTUALIZATION	"no nested virtualization"

static int get_nested_state(struct kvm_vcpu *vcpu, struct kvm_nested_state *nested)
{
	return __vcpu_ioctl(vcpu, KVM_GET_NESTED_STATE, nested);
}

static int set_nested_state(struct kvm_vcpu *vcpu, u64 vmxon_pa)
{
	struct kvm_nested_state nested = {
		.size = sizeof(nested),
		.hdr.vmx.vmxon_pa = vmxon_pa,
		.hdr.vmx.vmcs12_pa = -1,
	};

	return __vcpu_ioctl(vcpu, KVM_SET_NESTED_STATE, &nested);
}

/*
 * With enough room for the state, KVM might copy a VMX vCPU's, and with
 * CONFIG_KVM_HYPERV vmx_get_nested_state() then follows a null pointer.  With too little
 * room KVM only tells the size, and a TD's vCPU has none of that either.
 */
TEST_F(vmx_state, get_nested_state_refused)
{
	struct kvm_nested_state nested = { .size = sizeof(nested.size) };

	if (!kvm_check_cap(KVM_CAP_NESTED_STATE))
		SKIP(return, NO_NESTED_VIRTUALIZATION);

	TEST_ASSERT(get_nested_state(self->vcpu, &nested),
		    "A TD's vCPU has nested state");
	if (errno == E2BIG)
		XFAIL(return, "KVM looks for VMX state in a TD's vCPU");
	TEST_ASSERT(errno == EINVAL || errno == ENOTTY, "Unexpected errno: %d", errno);
	run(self->vcpu);
}

/* A TD can't do VMXON. */
TEST_F(vmx_state, set_nested_state_with_vmxon_refused)
{
	if (!kvm_check_cap(KVM_CAP_NESTED_STATE))
		SKIP(return, NO_NESTED_VIRTUALIZATION);

	TEST_ASSERT_FAILS(set_nested_state(self->vcpu, PAGE_SIZE), EINVAL);
	run(self->vcpu);
}

/* Without VMXON there is no state, but KVM first leaves nested virtualization. */
TEST_F(vmx_state, set_empty_nested_state_refused)
{
	if (!kvm_check_cap(KVM_CAP_NESTED_STATE))
		SKIP(return, NO_NESTED_VIRTUALIZATION);
	SKIP_UNLESS_MAY_HARM_HOST(return, WOULD_PANIC);

	expect_leave_nested();
	if (!set_nested_state(self->vcpu, -1))
		XFAIL(return, "KVM makes a TD's vCPU leave nested virtualization");
	TEST_ASSERT_EQ(errno, EINVAL);
	run(self->vcpu);
}

/*
 * SMM
 */
static int set_smi(struct kvm_vcpu *vcpu, bool smm, bool pending)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(vcpu, &events);
	events.smi.smm = smm;
	events.smi.pending = pending;
	events.flags |= KVM_VCPUEVENT_VALID_SMM;
	return __vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, &events);
}

/* KVM notices a pending SMI when it is about to deliver it. */
TEST_F(vmx_state, pending_smi_refused)
{
	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *vt_smi_allowed");
	if (!set_smi(self->vcpu, false, true)) {
		TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EIO);
		TEST_ASSERT(vm_is_dead(self->vm), "The VM is not dead");
		XFAIL(return, "KVM accepts an SMI for a TD, warns, and the VM is dead");
	}
	TEST_ASSERT_EQ(errno, EINVAL);
	run(self->vcpu);
}

TEST_F(vmx_state, smm_refused)
{
	SKIP_UNLESS_MAY_HARM_HOST(return, WOULD_PANIC);

	expect_leave_nested();
	if (!set_smi(self->vcpu, true, false))
		XFAIL(return, "KVM puts a TD's vCPU into SMM");
	TEST_ASSERT_EQ(errno, EINVAL);
	run(self->vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
