// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's vCPUs: KVM_CREATE_VCPU and KVM_TDX_INIT_VCPU.
 *
 * Both must come between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM, and need a split
 * irqchip: the local APIC in the kernel, in x2APIC mode, the I/O APIC in user
 * space.  User space chooses the vCPU's ID, which is also its APIC ID, and the
 * guest's RCX at reset.  All other state is up to the TDX module.  There is no INIT
 * and no SIPI for an AP: every vCPU can run as soon as it is initialized.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_cpuid.h"
#include "tdx/tdx_irq.h"

#define X2APIC_MODE	(MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD)

static int create_vcpu(struct kvm_vm *vm, u64 id)
{
	return __vm_ioctl(vm, KVM_CREATE_VCPU, (void *)id);
}

FIXTURE(create_vcpu) {
	struct kvm_vm *vm;
};

FIXTURE_SETUP(create_vcpu)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
}

FIXTURE_TEARDOWN(create_vcpu)
{
	kvm_vm_free(self->vm);
}

TEST_F(create_vcpu, before_init_vm)
{
	vm_create_irqchip(self->vm);
	TEST_ASSERT_FAILS(create_vcpu(self->vm, 0), EIO);

	/* The failure has no effect on what comes later. */
	tdx_init_vm(self->vm, NULL);
	__vm_vcpu_add(self->vm, 0);
}

TEST_F(create_vcpu, after_init_vm_was_refused)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);
	u64 hw_error;

	vm_create_irqchip(self->vm);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)1);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, &hw_error), EINVAL);
	TEST_ASSERT(hw_error, "It was KVM that refused the frequency, not the module");
	TEST_ASSERT_FAILS(create_vcpu(self->vm, 0), EIO);
	free(init);
}

TEST_F(create_vcpu, without_irqchip)
{
	tdx_init_vm(self->vm, NULL);
	TEST_ASSERT_FAILS(create_vcpu(self->vm, 0), EINVAL);

	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	__vm_vcpu_add(self->vm, 0);
}

TEST_F(create_vcpu, one_too_many)
{
	const int max = vm_check_cap(self->vm, KVM_CAP_MAX_VCPUS);

	vm_create_irqchip(self->vm);
	tdx_init_vm(self->vm, NULL);
	for (int i = 0; i < max; i++)
		__vm_vcpu_add(self->vm, i);
	TEST_ASSERT_FAILS(create_vcpu(self->vm, max), EINVAL);
}

TEST_F(create_vcpu, id_too_large)
{
	const int max = vm_check_cap(self->vm, KVM_CAP_MAX_VCPU_ID);

	vm_create_irqchip(self->vm);
	tdx_init_vm(self->vm, NULL);
	TEST_ASSERT_FAILS(create_vcpu(self->vm, max), EINVAL);
	TEST_ASSERT_FAILS(create_vcpu(self->vm, ~0ul), EINVAL);
	__vm_vcpu_add(self->vm, max - 1);
}

TEST_F(create_vcpu, id_twice)
{
	vm_create_irqchip(self->vm);
	tdx_init_vm(self->vm, NULL);
	__vm_vcpu_add(self->vm, 1);

	/* With one host CPU there are too many vCPUs already. */
	TEST_ASSERT_FAILS(create_vcpu(self->vm, 1),
			  vm_check_cap(self->vm, KVM_CAP_MAX_VCPUS) > 1 ? EEXIST : EINVAL);
}

TEST_F(create_vcpu, after_finalize)
{
	struct kvm_vcpu *vcpu;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_create_irqchip(self->vm);
	tdx_init_vm(self->vm, NULL);
	vcpu = __vm_vcpu_add(self->vm, 0);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	tdx_finalize(self->vm);

	TEST_ASSERT_FAILS(create_vcpu(self->vm, 1), EIO);
}

/* A vCPU that is ready for KVM_TDX_INIT_VCPU. */
FIXTURE(init_vcpu) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(init_vcpu)
{
	self->vm = tdx_create_without_memory(NULL);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
	tdx_vcpu_init_cpuid(self->vcpu);
}

FIXTURE_TEARDOWN(init_vcpu)
{
	kvm_vm_free(self->vm);
}

TEST_F(init_vcpu, flags)
{
	for (int i = 0; i < 32; i++)
		TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_INIT_VCPU,
						   BIT(i), 0, NULL), EINVAL);

	tdx_init_vcpu(self->vcpu, 0);
}

TEST_F(init_vcpu, hw_error_not_zero)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VCPU, .hw_error = 1 };

	TEST_ASSERT_FAILS(__tdx_vcpu_cmd(self->vcpu, &cmd), EINVAL);
	tdx_init_vcpu(self->vcpu, 0);
}

TEST_F(init_vcpu, command_unreadable)
{
	struct kvm_tdx_cmd *cmd = test_alloc_before_hole(sizeof(*cmd) - 1);

	cmd->id = KVM_TDX_INIT_VCPU;
	TEST_ASSERT_FAILS(__tdx_vcpu_cmd(self->vcpu, cmd), EFAULT);
	TEST_ASSERT_FAILS(__tdx_vcpu_cmd(self->vcpu, NULL), EFAULT);
	tdx_init_vcpu(self->vcpu, 0);
}

TEST_F(init_vcpu, twice)
{
	tdx_init_vcpu(self->vcpu, 0);
	TEST_ASSERT_FAILS(__tdx_init_vcpu(self->vcpu, 0, NULL), EINVAL);
}

/* KVM looks up x2APIC in the table of KVM_SET_CPUID2. */
TEST_F(init_vcpu, without_cpuid)
{
	struct kvm_vcpu *vcpu;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vcpu = __vm_vcpu_add(self->vm, 1);
	TEST_ASSERT_FAILS(__tdx_init_vcpu(vcpu, 0, NULL), EINVAL);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
}

TEST_F(init_vcpu, without_x2apic)
{
	vcpu_clear_cpuid_feature(self->vcpu, X86_FEATURE_X2APIC);
	TEST_ASSERT_FAILS(__tdx_init_vcpu(self->vcpu, 0, NULL), EINVAL);
	vcpu_set_cpuid_feature(self->vcpu, X86_FEATURE_X2APIC);
	tdx_init_vcpu(self->vcpu, 0);
}

TEST_F(init_vcpu, unknown_commands)
{
	const u32 ids[] = { KVM_TDX_CMD_NR_MAX, 0x100, ~0u };

	for (int i = 0; i < ARRAY_SIZE(ids); i++) {
		TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, ids[i], 0, 0, NULL),
				  EINVAL);
		TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, ids[i], 0, NULL, NULL),
				  EINVAL);
	}
}

TEST_F(init_vcpu, vm_commands_on_vcpu)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);

	TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_CAPABILITIES, 0,
					   (u64)caps, NULL), EINVAL);
	TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_INIT_VM, 0, 0, NULL),
			  EINVAL);

	tdx_init_vcpu(self->vcpu, 0);
	TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_FINALIZE_VM, 0, 0, NULL),
			  EINVAL);
	tdx_finalize(self->vm);
	free(caps);
}

TEST_F(init_vcpu, vcpu_commands_on_vm)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);

	TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, KVM_TDX_INIT_VCPU, 0, NULL, NULL),
			  EINVAL);
	TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, KVM_TDX_INIT_MEM_REGION, 0, NULL,
					 NULL), EINVAL);
	TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, KVM_TDX_GET_CPUID, 0, cpuid, NULL),
			  EINVAL);
	tdx_init_vcpu(self->vcpu, 0);
	free(cpuid);
}

/* Too late, also for a vCPU that was not initialized in time. */
TEST_F(init_vcpu, after_finalize)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = PAGE_SIZE,
		.nr_pages = 1,
	};
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);
	struct kvm_vcpu *vcpus[] = { self->vcpu, NULL };

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vcpus[1] = __vm_vcpu_add(self->vm, 1);
	tdx_vcpu_init_cpuid(vcpus[1]);
	tdx_init_vcpu(vcpus[0], 0);
	tdx_finalize(self->vm);

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		TEST_ASSERT_FAILS(__tdx_init_vcpu(vcpus[i], 0, NULL), EINVAL);
		TEST_ASSERT_FAILS(__tdx_get_cpuid(vcpus[i], cpuid), EINVAL);
		TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpus[i], 0, &region, NULL),
				  EINVAL);
		TEST_ASSERT_FAILS(__tdx_vcpu_cmd(vcpus[i], NULL), EFAULT);
	}
	free(cpuid);
}

TEST_F(init_vcpu, run_before_init)
{
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	tdx_init_vcpu(self->vcpu, 0);
}

TEST_F(init_vcpu, makes_an_ap_runnable)
{
	struct kvm_vcpu *ap;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	ap = __vm_vcpu_add(self->vm, 1);
	TEST_ASSERT_EQ(tdx_get_mp_state(ap), KVM_MP_STATE_UNINITIALIZED);

	tdx_vcpu_init_cpuid(ap);
	tdx_init_vcpu(ap, 0);
	TEST_ASSERT_EQ(tdx_get_mp_state(ap), KVM_MP_STATE_RUNNABLE);

	tdx_init_vcpu(self->vcpu, 0);
	TEST_ASSERT_EQ(tdx_get_mp_state(self->vcpu), KVM_MP_STATE_RUNNABLE);
}

/* What the guest sees of its vCPU. */
#define NR_VCPUS	2

FIXTURE(seen_by_guest) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct tdx_guest guests[NR_VCPUS];
};

FIXTURE_SETUP(seen_by_guest)
{
	self->vm = __vm_create(VM_SHAPE_TDX, NR_VCPUS, 0);
	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);
}

FIXTURE_TEARDOWN(seen_by_guest)
{
	kvm_vm_free(self->vm);
}

#define add_agent(self, i, id)						\
do {									\
	(self)->vcpus[i] = vm_vcpu_add((self)->vm, id, tdx_guest_serve); \
	tdx_guest_init(&(self)->guests[i], (self)->vcpus[i]); \
} while (0)

static const u64 rcx_values[NR_VCPUS] = { 0x0123456789abcdef, ~0ull };

static void guest_rcx(u64 expected)
{
	GUEST_ASSERT_EQ(tdx_reset_rcx(), expected);
	GUEST_DONE();
}

TEST_F(seen_by_guest, rcx)
{
	tdx_init_vm(self->vm, NULL);
	for (int i = 0; i < NR_VCPUS; i++) {
		self->vcpus[i] = __vm_vcpu_add(self->vm, i);
		tdx_vcpu_init_cpuid(self->vcpus[i]);
		tdx_init_vcpu(self->vcpus[i], rcx_values[i]);
		vcpu_arch_set_entry_point(self->vcpus[i], guest_rcx);
		vcpu_args_set(self->vcpus[i], 1, rcx_values[i]);
	}
	tdx_vm_finalize(self->vm);

	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_run_to_done(self->vcpus[i]);
}

static void guest_index(u64 expected)
{
	GUEST_ASSERT_EQ(tdg_vp_info().vcpu_index, expected);
	GUEST_DONE();
}

/* The index follows the order of KVM_TDX_INIT_VCPU, not the vCPUs' IDs. */
TEST_F(seen_by_guest, index_in_order_of_init_vcpu)
{
	const int order[NR_VCPUS] = { 1, 0 };

	tdx_init_vm(self->vm, NULL);
	for (int i = 0; i < NR_VCPUS; i++) {
		self->vcpus[i] = __vm_vcpu_add(self->vm, i);
		tdx_vcpu_init_cpuid(self->vcpus[i]);
	}
	for (int i = 0; i < NR_VCPUS; i++) {
		struct kvm_vcpu *vcpu = self->vcpus[order[i]];

		tdx_init_vcpu(vcpu, 0);
		vcpu_arch_set_entry_point(vcpu, guest_index);
		vcpu_args_set(vcpu, 1, (u64)i);
	}
	tdx_vm_finalize(self->vm);

	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_run_to_done(self->vcpus[i]);
}

/* The module and KVM's local APIC agree on the vCPU's APIC ID. */
TEST_F(seen_by_guest, apic_id)
{
	const u32 ids[NR_VCPUS] = {
		3, vm_check_cap(self->vm, KVM_CAP_MAX_VCPU_ID) - 1,
	};

	for (int i = 0; i < NR_VCPUS; i++)
		add_agent(self, i, ids[i]);
	tdx_vm_finalize(self->vm);

	/* The module reports it if the guest enables that. */
	TEST_ASSERT_EQ(tdx_guest_vm_wr(&self->guests[0], TDX_MD_TD_CTLS,
				       TDX_TD_CTLS_ENUM_TOPOLOGY,
				       TDX_TD_CTLS_ENUM_TOPOLOGY), TDX_SUCCESS);

	for (int i = 0; i < NR_VCPUS; i++) {
		u32 reg[4];
		u64 id;

		TEST_ASSERT_EQ(tdx_guest_cpuid(&self->guests[i], 0x1f, 0, reg), 0);
		TEST_ASSERT_EQ(reg[3], ids[i]);
		TEST_ASSERT_EQ(tdx_guest_rdmsr(&self->guests[i], APIC_BASE_MSR +
					       (APIC_ID >> 4), &id),
			       TDVMCALL_STATUS_SUCCESS);
		TEST_ASSERT_EQ(id, ids[i]);
	}
}

/* Host and guest read the same value, which says whether the vCPU is the BSP. */
static void assert_apic_base(struct tdx_guest *guest, bool bsp)
{
	const u64 base = vcpu_get_msr(guest->vcpu, MSR_IA32_APICBASE);
	u64 val;

	TEST_ASSERT_EQ(base & X2APIC_MODE, X2APIC_MODE);
	TEST_ASSERT_EQ(base & MSR_IA32_APICBASE_BASE, APIC_DEFAULT_GPA);
	TEST_ASSERT_EQ(!!(base & MSR_IA32_APICBASE_BSP), bsp);

	TEST_ASSERT_EQ(tdx_guest_rdmsr(guest, MSR_IA32_APICBASE, &val),
		       TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(val, base);
}

TEST_F(seen_by_guest, apic_base)
{
	for (int i = 0; i < NR_VCPUS; i++)
		add_agent(self, i, i);
	tdx_vm_finalize(self->vm);

	assert_apic_base(&self->guests[0], true);
	assert_apic_base(&self->guests[1], false);
}

TEST_F(seen_by_guest, apic_base_with_other_bsp)
{
	vm_ioctl(self->vm, KVM_SET_BOOT_CPU_ID, (void *)1);
	for (int i = 0; i < NR_VCPUS; i++)
		add_agent(self, i, i);
	tdx_vm_finalize(self->vm);

	assert_apic_base(&self->guests[0], false);
	assert_apic_base(&self->guests[1], true);
}

TEST_F(seen_by_guest, ap_runs_first)
{
	for (int i = 0; i < NR_VCPUS; i++) {
		self->vcpus[i] = vm_vcpu_add(self->vm, i, guest_index);
		vcpu_args_set(self->vcpus[i], 1, (u64)i);
	}
	tdx_vm_finalize(self->vm);

	for (int i = NR_VCPUS - 1; i >= 0; i--)
		vcpu_run_to_done(self->vcpus[i]);
}

/*
 * The TD runs although one of its vCPUs was never initialized.  That one can't
 * run: KVM has it wait for an INIT, and refuses to run it if user space changes
 * its MP state.
 */
TEST_F(seen_by_guest, other_vcpu_not_initialized)
{
	struct kvm_vcpu *idle;

	self->vcpus[0] = vm_vcpu_add(self->vm, 0, guest_index);
	vcpu_args_set(self->vcpus[0], 1, 0ul);
	idle = __vm_vcpu_add(self->vm, 1);
	tdx_vm_finalize(self->vm);

	idle->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(idle), EINTR);
	idle->run->immediate_exit = 0;
	tdx_set_mp_state(idle, KVM_MP_STATE_RUNNABLE);
	TEST_ASSERT_FAILS(__vcpu_run(idle), EINVAL);

	vcpu_run_to_done(self->vcpus[0]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
