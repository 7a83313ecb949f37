// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_FINALIZE_VM ends a TD's construction.
 *
 * Until then no vCPU runs, and only KVM_TDX_INIT_MEM_REGION adds memory, else
 * the TD's measurement would not cover what is in it.  From then on nothing of
 * the TD can be configured.  A call that comes too early or has bad arguments
 * leaves the TD unchanged.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define RESET_VECTOR_PAGE	0xfffff000ul

/* A TD without memory.  Each case adds a vCPU. */
FIXTURE(finalize) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(finalize)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(self->vm);
}

FIXTURE_TEARDOWN(finalize)
{
	kvm_vm_free(self->vm);
}

static struct kvm_vcpu *add_initialized_vcpu(struct kvm_vm *vm)
{
	struct kvm_vcpu *vcpu;

	tdx_init_vm(vm, NULL);
	vcpu = __vm_vcpu_add(vm, 0);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	return vcpu;
}

TEST_F(finalize, before_init_vm)
{
	u64 hw_error;

	TEST_ASSERT_FAILS(__tdx_finalize(self->vm, &hw_error), EINVAL);
	TEST_ASSERT_EQ(hw_error, 0ull);
	add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);
}

/*
 * The TDX module insists on a vCPU.  If user space forgot to create one, KVM must
 * neither warn nor kill the VM.  Returns true if it did.
 */
static bool dies_for_lack_of_vcpu(struct kvm_vm *vm)
{
	u64 hw_error;
	int error;

	expect_kernel_log("WARNING: *tdx_vm_ioctl|WARNING: *tdx_td_finalize");
	expect_kernel_log("SEAMCALL TDH_MR_FINALIZE failed");
	TEST_ASSERT(__tdx_finalize(vm, &hw_error), "A TD without a vCPU was finalized");

	error = errno;
	if (!vm_is_dead(vm))
		return false;

	TEST_ASSERT_EQ(error, EIO);
	TEST_ASSERT(hw_error, "The TDX module did not refuse");
	return true;
}

TEST_F(finalize, without_vcpu)
{
	SKIP_IF_PANICS_ON_WARNING(return);

	tdx_init_vm(self->vm, NULL);
	if (dies_for_lack_of_vcpu(self->vm))
		XFAIL(return, "KVM warns, and the VM is dead");

	self->vcpu = __vm_vcpu_add(self->vm, 0);
	tdx_vcpu_init_cpuid(self->vcpu);
	tdx_init_vcpu(self->vcpu, 0);
	tdx_finalize(self->vm);
}

TEST_F(finalize, without_initialized_vcpu)
{
	SKIP_IF_PANICS_ON_WARNING(return);

	tdx_init_vm(self->vm, NULL);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
	tdx_vcpu_init_cpuid(self->vcpu);
	if (dies_for_lack_of_vcpu(self->vm))
		XFAIL(return, "KVM warns, and the VM is dead");

	tdx_init_vcpu(self->vcpu, 0);
	tdx_finalize(self->vm);
}

TEST_F(finalize, twice)
{
	u64 hw_error;

	add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);
	TEST_ASSERT_FAILS(__tdx_finalize(self->vm, &hw_error), EINVAL);
	TEST_ASSERT_EQ(hw_error, 0ull);
}

/* The documentation says that flags and data have to be zero. */
TEST_F(finalize, flags_refused)
{
	add_initialized_vcpu(self->vm);
	if (!__tdx_vm_ioctl(self->vm, KVM_TDX_FINALIZE_VM, BIT(31), NULL, NULL))
		XFAIL(return, "KVM ignores flags that have to be zero");

	TEST_ASSERT_EQ(errno, EINVAL);
	for (int i = 0; i < 32; i++)
		TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, KVM_TDX_FINALIZE_VM,
						 BIT(i), NULL, NULL), EINVAL);
	tdx_finalize(self->vm);
}

TEST_F(finalize, data_refused)
{
	add_initialized_vcpu(self->vm);
	if (!__tdx_vm_ioctl(self->vm, KVM_TDX_FINALIZE_VM, 0, (void *)1, NULL))
		XFAIL(return, "KVM ignores data that has to be zero");

	TEST_ASSERT_EQ(errno, EINVAL);
	tdx_finalize(self->vm);
}

TEST_F(finalize, hw_error_not_zero_refused)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM, .hw_error = 1 };

	add_initialized_vcpu(self->vm);
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, &cmd), EINVAL);
	TEST_ASSERT_EQ(cmd.hw_error, 1);
	tdx_finalize(self->vm);
}

TEST_F(finalize, command_unreadable)
{
	struct kvm_tdx_cmd *cmd = test_alloc_before_hole(sizeof(*cmd) - 1);

	add_initialized_vcpu(self->vm);
	cmd->id = KVM_TDX_FINALIZE_VM;
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, cmd), EFAULT);
	tdx_finalize(self->vm);
}

/* The TD is final anyway: KVM only failed to write hw_error back. */
TEST_F(finalize, command_read_only)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM };

	add_initialized_vcpu(self->vm);
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, test_alloc_read_only(&cmd, sizeof(cmd))),
			  EFAULT);
	TEST_ASSERT_FAILS(__tdx_finalize(self->vm, NULL), EINVAL);
}

TEST_F(finalize, init_vm_refused_afterwards)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);

	add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, NULL), EINVAL);
	free(init);
}

/* KVM doesn't insist on memory.  The vCPU then can't run. */
TEST_F(finalize, without_memory)
{
	struct kvm_run *run;

	self->vcpu = add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);

	run = self->vcpu->run;
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EFAULT);
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(run->memory_fault.flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	TEST_ASSERT_EQ(run->memory_fault.gpa, RESET_VECTOR_PAGE);
	TEST_ASSERT_EQ(run->memory_fault.size, PAGE_SIZE);
}

static void guest_done(void)
{
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(run);

TEST_F(run, before_finalize_refused)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);

	self->vcpu = vm_vcpu_add(vm, 0, guest_done);
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	tdx_load_private_memory(vm);
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	tdx_finalize(vm);
	vcpu_run_to_done(self->vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
