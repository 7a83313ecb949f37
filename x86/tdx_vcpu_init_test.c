// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's vCPUs: KVM_CREATE_VCPU, KVM_TDX_INIT_VCPU and KVM_TDX_GET_CPUID.
 *
 * A vCPU is made between KVM_TDX_INIT_VM and KVM_TDX_FINALIZE_VM, and only with
 * what the module takes for granted: a local APIC in the kernel, in x2APIC
 * mode, and an I/O APIC in user space.  User space chooses the vCPU's id, which
 * is also its APIC's, and what the guest finds in RCX; all other state is the
 * module's.  No INIT or SIPI starts an AP: once initialised each vCPU can run.
 */
#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define X2APIC_MODE	(MSR_IA32_APICBASE_ENABLE | MSR_IA32_APICBASE_EXTD)

/* A TD without memory, as far as KVM_TDX_INIT_VM. */
static struct kvm_vm *create_td(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	vm_create_irqchip(vm);
	tdx_init_vm(vm, NULL);
	return vm;
}

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

	/* Nor did the attempt get in the way of anything. */
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
	TEST_ASSERT(hw_error, "KVM knows a frequency's limits by itself");
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

	/* A host with one CPU sees the other limit first. */
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

/* A vCPU without KVM_TDX_INIT_VCPU, all else being ready for it. */
FIXTURE(init_vcpu) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(init_vcpu)
{
	self->vm = create_td();
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

/* KVM asks the vCPU's CPUID, which user space has to tell it first. */
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

TEST_F(init_vcpu, commands_of_the_vm)
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

TEST_F(init_vcpu, commands_of_the_vcpu_for_the_vm)
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

/* For a vCPU that was left out it is too late then. */
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

TEST_F(init_vcpu, run_before_it)
{
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	tdx_init_vcpu(self->vcpu, 0);
}

static u32 mp_state(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state;
}

TEST_F(init_vcpu, makes_an_ap_runnable)
{
	struct kvm_vcpu *ap;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	ap = __vm_vcpu_add(self->vm, 1);
	TEST_ASSERT_EQ(mp_state(ap), KVM_MP_STATE_UNINITIALIZED);

	tdx_vcpu_init_cpuid(ap);
	tdx_init_vcpu(ap, 0);
	TEST_ASSERT_EQ(mp_state(ap), KVM_MP_STATE_RUNNABLE);

	tdx_init_vcpu(self->vcpu, 0);
	TEST_ASSERT_EQ(mp_state(self->vcpu), KVM_MP_STATE_RUNNABLE);
}

FIXTURE(get_cpuid) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_cpuid2 *cpuid;
};

FIXTURE_SETUP(get_cpuid)
{
	self->vm = create_td();
	self->vcpu = __vm_vcpu_add(self->vm, 0);
	self->cpuid = tdx_get_cpuid(self->vcpu);
}

FIXTURE_TEARDOWN(get_cpuid)
{
	free(self->cpuid);
	kvm_vm_free(self->vm);
}

static size_t cpuid_size(u32 nent)
{
	return offsetof(struct kvm_cpuid2, entries[nent]);
}

TEST_F(get_cpuid, flags)
{
	/* As it is documented. */
	if (!__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID, BIT(31),
			      (u64)self->cpuid, NULL))
		XFAIL(return, "KVM doesn't look at flags that have to be zero");

	for (int i = 0; i < 32; i++)
		TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID,
						   BIT(i), (u64)self->cpuid, NULL),
				  EINVAL);
}

TEST_F(get_cpuid, hw_error_not_zero)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_GET_CPUID,
		.data = (u64)self->cpuid,
		.hw_error = 1,
	};

	TEST_ASSERT_FAILS(__tdx_vcpu_cmd(self->vcpu, &cmd), EINVAL);
}

TEST_F(get_cpuid, data_unreadable)
{
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, NULL), EFAULT);
}

TEST_F(get_cpuid, data_read_only)
{
	struct kvm_cpuid2 *cpuid = test_alloc_read_only(self->cpuid, cpuid_size(0));

	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), EFAULT);
}

TEST_F(get_cpuid, entries_unwritable)
{
	const u32 nent = self->cpuid->nent;
	struct kvm_cpuid2 *cpuid = test_alloc_before_hole(cpuid_size(nent) - 1);

	cpuid->nent = nent;
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), EFAULT);
}

/* Unlike KVM_TDX_CAPABILITIES this one says how many entries it wants. */
TEST_F(get_cpuid, too_few_entries)
{
	const u32 nent[] = { 0, 1, self->cpuid->nent - 1 };
	const size_t size = cpuid_size(self->cpuid->nent);
	struct kvm_cpuid2 *cpuid = malloc(size);
	struct kvm_cpuid2 *untouched = malloc(size);

	for (int i = 0; i < ARRAY_SIZE(nent); i++) {
		memset(cpuid, 0xa5, size);
		cpuid->nent = nent[i];
		memcpy(untouched, cpuid, size);
		TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), E2BIG);
		TEST_ASSERT_EQ(cpuid->nent, self->cpuid->nent);

		untouched->nent = self->cpuid->nent;
		TEST_ASSERT(!memcmp(cpuid, untouched, size),
			    "KVM wrote more than the count for %u entries", nent[i]);
	}

	free(untouched);
	free(cpuid);
}

TEST_F(get_cpuid, just_enough_entries)
{
	const size_t size = cpuid_size(self->cpuid->nent);
	struct kvm_cpuid2 *cpuid = test_alloc_before_hole(size);

	cpuid->nent = self->cpuid->nent;
	TEST_ASSERT(!__tdx_get_cpuid(self->vcpu, cpuid),
		    "Refused what fits exactly, errno: %d", errno);
	TEST_ASSERT(!memcmp(cpuid, self->cpuid, size), "Two answers differ");
}

TEST_F(get_cpuid, more_entries_than_needed)
{
	const size_t size = cpuid_size(self->cpuid->nent);
	struct kvm_cpuid2 *cpuid = malloc(size + 1);

	memset(cpuid, 0xa5, size + 1);
	cpuid->nent = ~0u;
	cpuid->padding = 0;
	TEST_ASSERT(!__tdx_get_cpuid(self->vcpu, cpuid), "errno: %d", errno);

	/* No field keeps what was there before, and no byte more is written. */
	TEST_ASSERT(!memcmp(cpuid, self->cpuid, size), "Two answers differ");
	TEST_ASSERT_EQ(((u8 *)cpuid)[size], 0xa5);
	free(cpuid);
}

TEST_F(get_cpuid, same_after_init_vcpu)
{
	struct kvm_cpuid2 *cpuid;

	vcpu_init_cpuid(self->vcpu, self->cpuid);
	tdx_init_vcpu(self->vcpu, 0);
	cpuid = tdx_get_cpuid(self->vcpu);
	TEST_ASSERT_EQ(cpuid->nent, self->cpuid->nent);
	TEST_ASSERT(!memcmp(cpuid, self->cpuid, cpuid_size(cpuid->nent)),
		    "Two answers differ");
	free(cpuid);
}

/* What a vCPU's guest finds. */
#define NR_VCPUS	2

FIXTURE(seen_inside) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpus[NR_VCPUS];
	struct tdx_guest guests[NR_VCPUS];
};

FIXTURE_SETUP(seen_inside)
{
	self->vm = __vm_create(VM_SHAPE_TDX, NR_VCPUS, 0);
	if (vm_check_cap(self->vm, KVM_CAP_MAX_VCPUS) < NR_VCPUS)
		SKIP(return, "needs %d host CPUs", NR_VCPUS);
}

FIXTURE_TEARDOWN(seen_inside)
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

TEST_F(seen_inside, rcx)
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

/* The guest counts vCPUs in the order of KVM_TDX_INIT_VCPU, whatever their ids. */
TEST_F(seen_inside, index_in_order_of_init_vcpu)
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

/* To the module and to KVM's APIC a vCPU has one and the same id. */
TEST_F(seen_inside, apic_id)
{
	const u32 ids[NR_VCPUS] = {
		3, vm_check_cap(self->vm, KVM_CAP_MAX_VCPU_ID) - 1,
	};

	for (int i = 0; i < NR_VCPUS; i++)
		add_agent(self, i, ids[i]);
	tdx_vm_finalize(self->vm);

	/* The module tells it once the guest has asked for it. */
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

/* Host and guest see the same base, and one vCPU is the BSP. */
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

TEST_F(seen_inside, apic_base)
{
	for (int i = 0; i < NR_VCPUS; i++)
		add_agent(self, i, i);
	tdx_vm_finalize(self->vm);

	assert_apic_base(&self->guests[0], true);
	assert_apic_base(&self->guests[1], false);
}

TEST_F(seen_inside, apic_base_of_chosen_bsp)
{
	vm_ioctl(self->vm, KVM_SET_BOOT_CPU_ID, (void *)1);
	for (int i = 0; i < NR_VCPUS; i++)
		add_agent(self, i, i);
	tdx_vm_finalize(self->vm);

	assert_apic_base(&self->guests[0], false);
	assert_apic_base(&self->guests[1], true);
}

TEST_F(seen_inside, ap_runs_first)
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
 * The TD does without a vCPU that was never initialised.  As an AP that one
 * waits for an INIT that never comes, and not even user space can wake it.
 */
TEST_F(seen_inside, other_vcpu_not_initialized)
{
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu *idle;

	self->vcpus[0] = vm_vcpu_add(self->vm, 0, guest_index);
	vcpu_args_set(self->vcpus[0], 1, 0ul);
	idle = __vm_vcpu_add(self->vm, 1);
	tdx_vm_finalize(self->vm);

	idle->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(idle), EINTR);
	idle->run->immediate_exit = 0;
	vcpu_ioctl(idle, KVM_SET_MP_STATE, &runnable);
	TEST_ASSERT_FAILS(__vcpu_run(idle), EINVAL);

	vcpu_run_to_done(self->vcpus[0]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
