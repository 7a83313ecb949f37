// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_GET_CPUID: the CPUID that the TDX module gives a TD's vCPU.
 *
 * User space needs it to tell KVM by KVM_SET_CPUID2 what the guest sees.  It is
 * the module's view, so nothing that user space tells KVM changes it.
 */
#include "tdx/keyids.h"
#include "tdx/tdx_cpuid.h"
#include "tdx/tdx_test_harness.h"

/* A TD with a vCPU but without memory. */
FIXTURE(get_cpuid) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_cpuid2 *cpuid;
};

FIXTURE_SETUP(get_cpuid)
{
	self->vm = tdx_create_without_memory(NULL);
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

static void assert_same(struct kvm_cpuid2 *a, struct kvm_cpuid2 *b)
{
	TEST_ASSERT_EQ(a->nent, b->nent);
	for (int i = 0; i < a->nent; i++)
		TEST_ASSERT(!memcmp(&a->entries[i], &b->entries[i], sizeof(a->entries[i])),
			    "Entry %d, leaf 0x%x subleaf 0x%x, differs", i,
			    a->entries[i].function, a->entries[i].index);
}

TEST_F(get_cpuid, flags)
{
	/* According to KVM's documentation they must be zero. */
	if (!__tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID, BIT(31),
			      (u64)self->cpuid, NULL))
		XFAIL(return, "KVM ignores flags that must be zero");

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

	self->cpuid->nent = TDX_MAX_CPUID;
	TEST_ASSERT_FAILS(__tdx_vcpu_cmd(self->vcpu, &cmd), EINVAL);
}

TEST_F(get_cpuid, data_unreadable)
{
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, NULL), EFAULT);
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, test_alloc_before_hole(0)),
			  EFAULT);
}

TEST_F(get_cpuid, data_read_only)
{
	struct kvm_cpuid2 *cpuid = test_alloc_read_only(self->cpuid, cpuid_size(0));

	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), EFAULT);
}

/* KVM can read and write the count, but not all entries. */
TEST_F(get_cpuid, entries_unwritable)
{
	const u32 nent = self->cpuid->nent;
	struct kvm_cpuid2 *cpuid;

	cpuid = test_alloc_before_hole(cpuid_size(nent) - 1);
	cpuid->nent = nent;
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), EFAULT);

	cpuid = test_alloc_before_hole(cpuid_size(1));
	cpuid->nent = nent;
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), EFAULT);
}

/* Unlike KVM_TDX_CAPABILITIES this command returns how many entries there are. */
TEST_F(get_cpuid, too_few_entries)
{
	const u32 nent[] = { 0, 1, self->cpuid->nent - 1 };
	const size_t size = cpuid_size(self->cpuid->nent);
	struct kvm_cpuid2 *cpuid = malloc(size);
	struct kvm_cpuid2 *expected = malloc(size);

	for (int i = 0; i < ARRAY_SIZE(nent); i++) {
		memset(cpuid, 0xa5, size);
		cpuid->nent = nent[i];
		memcpy(expected, cpuid, size);
		TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), E2BIG);
		TEST_ASSERT_EQ(cpuid->nent, self->cpuid->nent);

		expected->nent = self->cpuid->nent;
		TEST_ASSERT(!memcmp(cpuid, expected, size),
			    "With room for %u entries KVM wrote more than the count",
			    nent[i]);
	}

	free(expected);
	free(cpuid);
}

TEST_F(get_cpuid, just_enough_entries)
{
	const size_t size = cpuid_size(self->cpuid->nent);
	struct kvm_cpuid2 *cpuid = test_alloc_before_hole(size);

	cpuid->nent = self->cpuid->nent;
	TEST_ASSERT(!__tdx_get_cpuid(self->vcpu, cpuid),
		    "Failed although all entries fit, errno: %d", errno);
	TEST_ASSERT(!memcmp(cpuid, self->cpuid, size), "Two calls differ");
}

TEST_F(get_cpuid, more_entries_than_needed)
{
	const size_t size = cpuid_size(self->cpuid->nent);
	struct kvm_cpuid2 *cpuid = malloc(size + 1);

	memset(cpuid, 0xa5, size + 1);
	cpuid->nent = ~0u;
	cpuid->padding = 0;
	TEST_ASSERT(!__tdx_get_cpuid(self->vcpu, cpuid), "errno: %d", errno);

	/* KVM writes every byte of the entries, and none behind them. */
	TEST_ASSERT(!memcmp(cpuid, self->cpuid, size), "Two calls differ");
	TEST_ASSERT_EQ(((u8 *)cpuid)[size], 0xa5);
	free(cpuid);
}

TEST_F(get_cpuid, twice)
{
	struct kvm_cpuid2 *again = tdx_get_cpuid(self->vcpu);

	assert_same(again, self->cpuid);
	free(again);
}

TEST_F(get_cpuid, after_set_cpuid2_and_init_vcpu)
{
	struct kvm_cpuid2 *other = tdx_get_cpuid(self->vcpu);
	struct kvm_cpuid2 *again;

	/* Something that the module doesn't have. */
	find_cpuid_entry(other, 1, 0)->eax = 0x12345678;
	vcpu_init_cpuid(self->vcpu, other);
	tdx_init_vcpu(self->vcpu, 0);
	again = tdx_get_cpuid(self->vcpu);
	assert_same(again, self->cpuid);
	free(again);
	free(other);
}

TEST_F(get_cpuid, after_finalize)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);

	vcpu_init_cpuid(self->vcpu, self->cpuid);
	tdx_init_vcpu(self->vcpu, 0);
	tdx_finalize(self->vm);
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, cpuid), EINVAL);
	free(cpuid);
}

/* Sorted, no leaf beyond the maximum, and no bits set that are reserved. */
TEST_F(get_cpuid, entries_are_well_formed)
{
	u64 last = 0, max, key;

	for (int i = 0; i < self->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &self->cpuid->entries[i];
		bool has_subleaves = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

		max = find_cpuid_entry(self->cpuid, e->function & BIT(31), 0)->eax;
		key = (u64)e->function << 32 | e->index;
		TEST_ASSERT(e->function <= max,
			    "Leaf 0x%x is beyond the maximum of 0x%lx",
			    e->function, (unsigned long)max);
		TEST_ASSERT(!i || key > last,
			    "Leaf 0x%x subleaf 0x%x comes after 0x%lx",
			    e->function, e->index, (unsigned long)last);
		TEST_ASSERT(!(e->flags & ~KVM_CPUID_FLAG_SIGNIFCANT_INDEX) &&
			    (has_subleaves || !e->index),
			    "Leaf 0x%x subleaf 0x%x has flags 0x%x",
			    e->function, e->index, e->flags);
		TEST_ASSERT(!e->padding[0] && !e->padding[1] && !e->padding[2],
			    "Leaf 0x%x subleaf 0x%x has padding that is not zero",
			    e->function, e->index);
		last = key;
	}
}

TEST_F(get_cpuid, subleaves_are_complete)
{
	static const u32 with_subleaves[] = { 4, 7, 0xd, 0x1f };
	static const u32 without_subleaves[] = {
		0, 1, 0x80000000, 0x80000001, 0x80000008,
	};
	struct kvm_cpuid_entry2 *e;

	for (int i = 0; i < ARRAY_SIZE(with_subleaves); i++) {
		for (int index = 0; index < 2; index++) {
			e = find_cpuid_entry(self->cpuid, with_subleaves[i], index);
			TEST_ASSERT(e && e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
				    "Leaf 0x%x lacks subleaf %d", with_subleaves[i],
				    index);
		}
	}
	for (int i = 0; i < ARRAY_SIZE(without_subleaves); i++) {
		e = find_cpuid_entry(self->cpuid, without_subleaves[i], 0);
		TEST_ASSERT(e && !e->flags, "Leaf 0x%x has subleaves",
			    without_subleaves[i]);
	}
}

TEST_F(get_cpuid, gpa_width)
{
	struct kvm_tdx_init_vm *init;
	struct kvm_vm *vm;

	TEST_ASSERT_EQ(kvm_cpuid_property(self->cpuid, X86_PROPERTY_GUEST_MAX_PHY_ADDR),
		       48);
	if (!tdx_can_create(1))
		SKIP(return, NEEDS_MORE_KEYIDS);

	/* Not every host can have the other width. */
	init = tdx_default_init_vm(self->vm);
	vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(vm);
	tdx_set_gpa_width(init, 52);
	if (__tdx_init_vm(vm, init, NULL)) {
		TEST_ASSERT_EQ(errno, EINVAL);
	} else {
		struct kvm_cpuid2 *cpuid = tdx_get_cpuid(__vm_vcpu_add(vm, 0));

		TEST_ASSERT_EQ(kvm_cpuid_property(cpuid, X86_PROPERTY_GUEST_MAX_PHY_ADDR),
			       52);
		free(cpuid);
	}
	kvm_vm_free(vm);
	free(init);
}

TEST_F(get_cpuid, what_was_configured)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);

	for (int i = 0; i < init->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *want = &init->cpuid.entries[i];
		struct kvm_cpuid_entry2 *can =
			find_cpuid_entry(&caps->cpuid, want->function, want->index);
		struct kvm_cpuid_entry2 *got =
			find_cpuid_entry(self->cpuid, want->function, want->index);

		TEST_ASSERT(got, "No leaf 0x%x subleaf 0x%x", want->function,
			    want->index);

		/* In other leaves bits that are not configured may be native. */
		if (want->function != 1 && want->function != 7)
			continue;
		for (int reg = KVM_CPUID_ECX; reg <= KVM_CPUID_EDX; reg++) {
			u32 unasked = cpuid_entry_regs(can)[reg] &
				      ~cpuid_entry_regs(want)[reg];

			TEST_ASSERT(!(cpuid_entry_regs(got)[reg] & unasked),
				    "Leaf 0x%x subleaf 0x%x %s: 0x%x was not configured",
				    want->function, want->index, cpuid_reg_names[reg],
				    cpuid_entry_regs(got)[reg] & unasked);
		}
	}
	free(caps);
	free(init);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
