// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as a TD's guest sees it: by the instruction and by TDVMCALL<CPUID>.
 *
 * The TDX module emulates the instruction, which returns what KVM_TDX_GET_CPUID
 * reports, except for bits that depend on the vCPU's state.  Leaves that the
 * module doesn't virtualize end in #VE.
 *
 * KVM answers TDVMCALL<CPUID> from the table that user space passed to
 * KVM_SET_CPUID2, as it stands and for any leaf.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_cpuid.h"

/* The first of the leaves that belong to KVM. */
#define KVM_LEAF	0x40000000

FIXTURE(cpuid) {
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct kvm_cpuid2 *module;	/* from KVM_TDX_GET_CPUID */
};

FIXTURE_SETUP(cpuid)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
	self->module = tdx_get_cpuid(self->vcpu);
	tdx_guest_init(&self->guest, self->vcpu);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(cpuid)
{
	free(self->module);
	kvm_vm_free(self->vm);
}

/* Bits that depend on the vCPU's state. */
static u32 runtime_bits(u32 leaf, u32 subleaf, int reg)
{
	const struct {
		u32 leaf, subleaf;
		u8 reg;
		u32 mask;
	} runtime[] = {
		{ 0x1, 0, KVM_CPUID_EBX, GENMASK(31, 24) },	/* APIC ID */
		{ 0x1, 0, KVM_CPUID_ECX, BIT((X86_FEATURE_OSXSAVE).bit) },
		{ 0x7, 0, KVM_CPUID_ECX, BIT((X86_FEATURE_OSPKE).bit) },
		{ 0xd, 0, KVM_CPUID_EBX, ~0u },			/* size by XCR0 */
		{ 0xd, 1, KVM_CPUID_EBX, ~0u },			/* and by XSS */
		{ 0x80000001, 0, KVM_CPUID_EDX, BIT(11) },	/* SYSCALL */
		/* The width of GPAs: added by KVM if the module doesn't report it. */
		{ 0x80000008, 0, KVM_CPUID_EAX, GENMASK(23, 16) },
	};

	/* Subleaf and x2APIC ID, also of subleaves that don't exist. */
	if (leaf == 0xb || leaf == 0x1f)
		return reg == KVM_CPUID_ECX ? GENMASK(7, 0) :
		       reg == KVM_CPUID_EDX ? ~0u : 0;

	for (int i = 0; i < ARRAY_SIZE(runtime); i++)
		if (runtime[i].leaf == leaf && runtime[i].subleaf == subleaf &&
		    runtime[i].reg == reg)
			return runtime[i].mask;
	return 0;
}

/*
 * MCE, MTRR, MCA and CORE_CAPABILITIES: a guest that has not asked for fewer #VE
 * expects them.  So it may see them even if they are not configured.
 */
static u32 expected_bits(u32 leaf, u32 subleaf, int reg)
{
	if (subleaf || reg != KVM_CPUID_EDX)
		return 0;
	return leaf == 1 ? BIT(7) | BIT(12) | BIT(14) : leaf == 7 ? BIT(30) : 0;
}

/*
 * Compare what the guest's CPUID returns with @module.  Returns how many leaves
 * don't end in #VE.
 */
static int compare_instruction(struct tdx_guest *guest, struct kvm_cpuid2 *module)
{
	u32 got[NR_CPUID_REGS];
	int nr = 0;

	for (int i = 0; i < module->nent; i++) {
		struct kvm_cpuid_entry2 *e = &module->entries[i];
		u8 vector = tdx_guest_cpuid(guest, e->function, e->index, got);

		if (vector == VE_VECTOR) {
			TEST_ASSERT_EQ(guest->req->ve.exit_reason, EXIT_REASON_CPUID);
			continue;
		}
		TEST_ASSERT_EQ(vector, 0);
		nr++;

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 mask = ~runtime_bits(e->function, e->index, reg) &
				   ~(expected_bits(e->function, e->index, reg) & got[reg]);

			TEST_ASSERT((got[reg] & mask) == (cpuid_entry_regs(e)[reg] & mask),
				    "CPUID 0x%x.%u %s: guest has 0x%x, KVM_TDX_GET_CPUID 0x%x",
				    e->function, e->index, cpuid_reg_names[reg], got[reg],
				    cpuid_entry_regs(e)[reg]);
		}
	}
	return nr;
}

TEST_F(cpuid, instruction_matches_get_cpuid)
{
	TEST_ASSERT(compare_instruction(&self->guest, self->module) > 10,
		    "Almost every leaf ends in #VE");
}

TEST_F(cpuid, instruction_matches_with_enum_topology)
{
	if (tdx_guest_vm_wr(&self->guest, TDX_MD_TD_CTLS, TDX_TD_CTLS_ENUM_TOPOLOGY,
			    TDX_TD_CTLS_ENUM_TOPOLOGY))
		SKIP(return, "the TDX module has no ENUM_TOPOLOGY");
	compare_instruction(&self->guest, self->module);
}

TEST_F(cpuid, instruction_shows_osxsave)
{
	u32 reg[NR_CPUID_REGS];

	/* A bit that follows CR4, which KVM doesn't know. */
	TEST_ASSERT_EQ(tdx_guest_cpuid(&self->guest, 1, 0, reg), 0);
	TEST_ASSERT(reg[KVM_CPUID_ECX] & BIT((X86_FEATURE_OSXSAVE).bit),
		    "OSXSAVE is 0 although CR4 has it");
}

/* TDVMCALL<CPUID> returns these values. */
static void assert_tdvmcall(struct tdx_guest *guest, u64 leaf, u64 subleaf,
			    u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	u64 expected[] = { eax, ebx, ecx, edx }, got[NR_CPUID_REGS];

	TEST_ASSERT_EQ(tdx_guest_tdvmcall_cpuid(guest, leaf, subleaf, got),
		       TDVMCALL_STATUS_SUCCESS);
	for (int reg = 0; reg < NR_CPUID_REGS; reg++)
		TEST_ASSERT(got[reg] == expected[reg],
			    "CPUID 0x%lx.%lu %s: expected 0x%lx, got 0x%lx",
			    (unsigned long)leaf, (unsigned long)subleaf,
			    cpuid_reg_names[reg], (unsigned long)expected[reg],
			    (unsigned long)got[reg]);
}

static void assert_tdvmcall_entry(struct tdx_guest *guest, u64 leaf, u64 subleaf,
				  struct kvm_cpuid_entry2 *e)
{
	assert_tdvmcall(guest, leaf, subleaf, e->eax, e->ebx, e->ecx, e->edx);
}

/* Append an entry whose registers are @value and the three numbers after it. */
static void add_test_entry(struct kvm_cpuid2 *cpuid, u32 leaf, u32 subleaf,
			   u32 flags, u32 value)
{
	add_cpuid_entry(cpuid, (struct kvm_cpuid_entry2) {
		.function = leaf, .index = subleaf, .flags = flags,
		.eax = value, .ebx = value + 1, .ecx = value + 2, .edx = value + 3,
	});
}

static void assert_test_entry(struct tdx_guest *guest, u64 leaf, u64 subleaf,
			      u32 value)
{
	assert_tdvmcall(guest, leaf, subleaf, value, value + 1, value + 2, value + 3);
}

TEST_F(cpuid, tdvmcall_returns_set_cpuid2)
{
	struct kvm_cpuid2 *cpuid;

	/* KVM_GET_CPUID2 also shows the few bits that KVM has adjusted. */
	vcpu_get_cpuid(self->vcpu);
	cpuid = self->vcpu->cpuid;
	TEST_ASSERT_EQ(cpuid->nent, self->module->nent);
	for (int i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		assert_tdvmcall_entry(&self->guest, e->function, e->index, e);
	}
}

TEST_F(cpuid, tdvmcall_returns_invented_leaves)
{
	const u32 index = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

	add_test_entry(self->module, KVM_LEAF, 0, 0, KVM_LEAF + 1);
	add_test_entry(self->module, KVM_LEAF + 1, 0, 0, 0xfffffff0);
	add_test_entry(self->module, 0x4fffff00, 0, index, 0x80000000);
	add_test_entry(self->module, 0x4fffff00, 0x12345678, index, 0x87654321);
	vcpu_init_cpuid(self->vcpu, self->module);

	/* The upper halves of the operands are zero. */
	assert_test_entry(&self->guest, KVM_LEAF + 1, 0, 0xfffffff0);
	assert_test_entry(&self->guest, 0x4fffff00, 0, 0x80000000);
	assert_test_entry(&self->guest, 0x4fffff00, 0x12345678, 0x87654321);
}

TEST_F(cpuid, tdvmcall_may_differ_from_instruction)
{
	struct kvm_cpuid_entry2 *e = find_cpuid_entry(self->module, 7, 0);
	u32 before = e->ebx, reg[NR_CPUID_REGS];

	e->ebx = ~before;
	vcpu_init_cpuid(self->vcpu, self->module);
	e = __vcpu_get_cpuid_entry(self->vcpu, 7, 0);
	TEST_ASSERT_EQ(e->ebx, ~before);
	assert_tdvmcall_entry(&self->guest, 7, 0, e);
	TEST_ASSERT_EQ(tdx_guest_cpuid(&self->guest, 7, 0, reg), 0);
	TEST_ASSERT_EQ(reg[KVM_CPUID_EBX], before);
}

TEST_F(cpuid, tdvmcall_ignores_insignificant_index)
{
	struct kvm_cpuid_entry2 *e = find_cpuid_entry(self->module, 0x80000008, 0);

	assert_tdvmcall_entry(&self->guest, 0x80000008, 0, e);
	assert_tdvmcall_entry(&self->guest, 0x80000008, 1, e);
	assert_tdvmcall_entry(&self->guest, 0x80000008, 0xffffffff, e);
}

TEST_F(cpuid, tdvmcall_unknown_subleaf)
{
	assert_tdvmcall(&self->guest, 4, 0x1000, 0, 0, 0, 0);
	assert_tdvmcall(&self->guest, 7, 0x1000, 0, 0, 0, 0);
	assert_tdvmcall(&self->guest, 0xd, 0xffffffff, 0, 0, 0, 0);
}

TEST_F(cpuid, tdvmcall_unknown_topology_level)
{
	const u32 index = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	struct kvm_cpuid_entry2 *e;

	/* It still has the x2APIC ID, which KVM takes from subleaf 1. */
	e = find_cpuid_entry(self->module, 0x1f, 1);
	if (!e) {
		add_test_entry(self->module, 0x1f, 1, index, 0);
		e = find_cpuid_entry(self->module, 0x1f, 1);
	}
	e->edx = 0x1234567;
	vcpu_init_cpuid(self->vcpu, self->module);
	assert_tdvmcall(&self->guest, 0x1f, 0x37a, 0, 0, 0x7a, 0x1234567);
}

TEST_F(cpuid, tdvmcall_leaf_out_of_range)
{
	const u32 index = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	u32 max = self->module->entries[0].eax;
	struct kvm_cpuid2 *cpuid = self->module;

	/*
	 * As on Intel's CPUs, a leaf out of range returns the last basic leaf.
	 * Replace that by one that differs from all others.
	 */
	for (int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == max)
			cpuid->entries[i].function = 0x7f;
	add_test_entry(cpuid, max, 0, index, 0x11110000);
	add_test_entry(cpuid, max, 5, index, 0x55550000);
	vcpu_init_cpuid(self->vcpu, cpuid);

	assert_test_entry(&self->guest, max, 5, 0x55550000);
	assert_test_entry(&self->guest, max + 1, 0, 0x11110000);
	assert_test_entry(&self->guest, 0x3fffffff, 5, 0x55550000);
	assert_test_entry(&self->guest, 0x8fffffff, 0, 0x11110000);
	assert_test_entry(&self->guest, 0xc0000000, 5, 0x55550000);
	assert_test_entry(&self->guest, KVM_LEAF, 0, 0x11110000);
	assert_tdvmcall(&self->guest, KVM_LEAF, 7, 0, 0, 0, 0);
}

TEST_F(cpuid, tdvmcall_operands_have_32_bits)
{
	const u64 high = 0xabcdull << 32;

	add_test_entry(self->module, KVM_LEAF, 3, KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		       KVM_LEAF);
	vcpu_init_cpuid(self->vcpu, self->module);
	assert_test_entry(&self->guest, high | KVM_LEAF, high | 3, KVM_LEAF);
}

TEST_F(cpuid, tdvmcall_without_table)
{
	struct kvm_cpuid2 none = {};

	vcpu_ioctl(self->vcpu, KVM_SET_CPUID2, &none);
	assert_tdvmcall(&self->guest, 0, 0, 0, 0, 0, 0);
	assert_tdvmcall(&self->guest, KVM_LEAF, 0, 0, 0, 0, 0);
}

TEST_F(cpuid, table_is_fixed_after_first_run)
{
	struct kvm_cpuid_entry2 *e;

	add_test_entry(self->module, KVM_LEAF, 0, 0, KVM_LEAF);
	vcpu_init_cpuid(self->vcpu, self->module);
	assert_test_entry(&self->guest, KVM_LEAF, 0, KVM_LEAF);

	vcpu_get_cpuid(self->vcpu);
	TEST_ASSERT(!__vcpu_set_cpuid(self->vcpu), "KVM refuses the table that it has");
	e = find_cpuid_entry(self->vcpu->cpuid, KVM_LEAF, 0);
	e->ebx = 0;
	TEST_ASSERT_FAILS(__vcpu_set_cpuid(self->vcpu), EINVAL);
	assert_test_entry(&self->guest, KVM_LEAF, 0, KVM_LEAF);
}

TEST_F(cpuid, tdvmcall_mwait_follows_misc_enable)
{
	const u64 mwait = MSR_IA32_MISC_ENABLE_MWAIT;
	struct tdx_guest *guest = &self->guest;
	u64 reg[NR_CPUID_REGS], misc;

	/* With this quirk disabled KVM changes the bit at run time. */
	vm_enable_cap(self->vm, KVM_CAP_DISABLE_QUIRKS2,
		      KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT);
	TEST_ASSERT(!tdx_guest_rdmsr(guest, MSR_IA32_MISC_ENABLE, &misc),
		    "MISC_ENABLE can't be read");
	for (int i = 0; i < 3; i++) {
		misc ^= mwait;
		TEST_ASSERT(!tdx_guest_wrmsr(guest, MSR_IA32_MISC_ENABLE, misc),
			    "MISC_ENABLE can't be written");
		tdx_guest_tdvmcall_cpuid(guest, 1, 0, reg);
		TEST_ASSERT_EQ(!!(reg[KVM_CPUID_ECX] & BIT(X86_FEATURE_MWAIT.bit)),
			       !!(misc & mwait));
	}
}

static void guest_check_leaf(u64 expected)
{
	u64 eax, ebx, ecx, edx;

	GUEST_ASSERT_EQ(tdvmcall_cpuid(KVM_LEAF, 0, &eax, &ebx, &ecx, &edx),
			TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(eax, expected);
	GUEST_DONE();
}

TEST(tdvmcall_table_is_per_vcpu)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 0);
	struct kvm_vcpu *vcpus[2];

	if (!has_two_cpus(vm)) {
		kvm_vm_free(vm);
		SKIP(return, NEEDS_TWO_CPUS);
	}

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		struct kvm_cpuid2 *cpuid;

		vcpus[i] = vm_vcpu_add(vm, i, guest_check_leaf);
		cpuid = tdx_get_cpuid(vcpus[i]);
		add_test_entry(cpuid, KVM_LEAF, 0, 0, KVM_LEAF + 16 * i);
		vcpu_init_cpuid(vcpus[i], cpuid);
		free(cpuid);
		vcpu_args_set(vcpus[i], 1, KVM_LEAF + 16 * i);
	}
	tdx_vm_finalize(vm);

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpu_run_to_done(vcpus[i]);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
