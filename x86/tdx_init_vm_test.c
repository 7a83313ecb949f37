// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_INIT_VM: which parameters KVM accepts, and what the TD gets.
 *
 * KVM checks what it can check by itself, and leaves the rest to the TDX module.
 * hw_error has the module's status if, and only if, it was the module that refused.
 * Either way user space can call again with other parameters, and nothing is left
 * of those that were refused.  The guest can read what was accepted: attributes,
 * XFAM, the number of vCPUs, the width of GPAs, three digests.
 *
 * CPUID and the TSC have tests of their own, tdx_init_vm_cpuid_test and
 * tdx_tsc_frequency_test.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_cpuid.h"
#include "tdx/tdx_init_vm.h"

TDX_INIT_VM_SUITE(init_vm);

/* Set a CPUID bit that only the module knows to be invalid. */
static void set_unconfigurable_bit(struct kvm_tdx_init_vm *init,
				   struct kvm_tdx_capabilities *caps)
{
	u32 config = cpuid_entry(&caps->cpuid, 0x80000008, 0)->edx;

	TEST_ASSERT(~config, "Every bit of this register is configurable");
	cpuid_entry(&init->cpuid, 0x80000008, 0)->edx = ~config;
}

TEST_F(init_vm, flags)
{
	for (int i = 0; i < 32; i++) {
		u64 hw_error;

		TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, KVM_TDX_INIT_VM,
						 BIT(i), self->init, &hw_error),
				  EINVAL);
		TEST_ASSERT_EQ(hw_error, 0ull);
	}
}

TEST_F(init_vm, hw_error_not_zero)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_INIT_VM,
		.data = (u64)self->init,
		.hw_error = 1,
	};

	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, &cmd), EINVAL);
	TEST_ASSERT_EQ(cmd.hw_error, 1);
}

TEST_F(init_vm, command_unreadable)
{
	struct kvm_tdx_cmd *cmd = test_alloc_before_hole(sizeof(*cmd) - 1);

	cmd->id = KVM_TDX_INIT_VM;
	cmd->data = (u64)self->init;
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, cmd), EFAULT);
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, NULL), EFAULT);
}

TEST_F(init_vm, data_unreadable)
{
	struct kvm_tdx_init_vm *init = test_alloc_before_hole(sizeof(*init) - 1);
	u64 hw_error;

	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, NULL, NULL), EFAULT);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, &hw_error), EFAULT);
	TEST_ASSERT_EQ(hw_error, 0ull);
}

/* The TD is initialized, but KVM fails to write hw_error. */
TEST_F(init_vm, command_read_only)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_INIT_VM,
		.data = (u64)self->init,
	};

	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, test_alloc_read_only(&cmd, sizeof(cmd))),
			  EFAULT);
	assert_kvm_refuses(self->vm, self->init, EINVAL);
	self->initialized = true;
}

TEST_F(init_vm, reserved)
{
	for (int i = 0; i < ARRAY_SIZE(self->init->reserved); i++) {
		self->init->reserved[i] = BIT_ULL(63);
		assert_kvm_refuses(self->vm, self->init, EINVAL);
		self->init->reserved[i] = 0;
	}
}

TEST_F(init_vm, no_gpa_width)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	struct kvm_cpuid_entry2 *entry = cpuid_entry(cpuid, 0x80000008, 0);

	*entry = cpuid->entries[--cpuid->nent];
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm, gpa_width)
{
	for (int width = 0; width <= 0xff; width++) {
		if (width == 48 || width == 52)
			continue;

		tdx_set_gpa_width(self->init, width);
		assert_kvm_refuses(self->vm, self->init, EINVAL);
	}
}

TEST_F(init_vm, gpa_width_52_without_5_level_ept)
{
	if (is_tdx_gpaw_supported(52))
		SKIP(return, "this host has an EPT of 5 levels");

	tdx_set_gpa_width(self->init, 52);
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm, attribute_not_offered)
{
	const u64 offered = self->caps->supported_attrs;

	for (int i = 0; i < 64; i++) {
		if (offered & BIT_ULL(i))
			continue;

		self->init->attributes = offered | BIT_ULL(i);
		assert_kvm_refuses(self->vm, self->init, EINVAL);
	}
}

TEST_F(init_vm, xfam_not_offered)
{
	const u64 offered = self->caps->supported_xfam;

	for (int i = 0; i < 64; i++) {
		if (offered & BIT_ULL(i))
			continue;

		self->init->xfam = offered | BIT_ULL(i);
		assert_kvm_refuses(self->vm, self->init, EINVAL);
	}
}

/* Components that a TD has together or not at all, and those that they need. */
static const struct {
	u64 together, needed;
} xfam_groups[] = {
	{ XFEATURE_MASK_AVX512, XFEATURE_MASK_YMM },
	{ XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL },
	{ XFEATURE_MASK_XTILE },
};

/* The module refuses what KVM leaves to it, and the TD can still have the others. */
TEST_F(init_vm, xfam_in_part)
{
	const u64 offered = self->caps->supported_xfam;
	int groups = 0;

	for (int i = 0; i < ARRAY_SIZE(xfam_groups); i++) {
		const u64 all = xfam_groups[i].together, needed = xfam_groups[i].needed;

		if ((offered & all) != all)
			continue;
		/* Each part of the group that is not empty. */
		for (u64 part = (all - 1) & all; part; part = (part - 1) & all) {
			self->init->xfam = part | needed;
			assert_module_refuses(self->vm, self->init);
		}
		if (needed) {
			self->init->xfam = all;
			assert_module_refuses(self->vm, self->init);
		}
		groups++;
	}
	if (!groups)
		SKIP(return, "KVM offers none of these components");
	self->init->xfam = offered;
	tdx_init_vm(self->vm, self->init);
	self->initialized = true;
}

TEST_F(init_vm, twice)
{
	tdx_init_vm(self->vm, self->init);
	self->initialized = true;

	assert_kvm_refuses(self->vm, self->init, EINVAL);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, NULL, NULL), EINVAL);
}

TEST_F(init_vm, refused_by_module)
{
	set_unconfigurable_bit(self->init, self->caps);
	assert_module_refuses(self->vm, self->init);
}

/* hw_error is that of the last call. */
TEST_F(init_vm, refused_by_both_in_turn)
{
	for (int i = 0; i < 3; i++) {
		set_unconfigurable_bit(self->init, self->caps);
		assert_module_refuses(self->vm, self->init);
		self->init->reserved[0] = 1;
		assert_kvm_refuses(self->vm, self->init, EINVAL);
		self->init->reserved[0] = 0;
	}
}

/* A TD whose guest reads what it got. */
TDX_INIT_VM_GUEST_SUITE(seen_by_guest);

static u64 read_metadata(struct tdx_guest *guest, u64 field)
{
	u64 val;

	TEST_ASSERT_EQ(tdx_guest_vm_rd(guest, field, &val), TDX_SUCCESS);
	return val;
}

#define init_vm_and_launch(self)					\
do {									\
	tdx_init_vm((self)->vm, (self)->init);				\
	(self)->guest = init_vm_guest_launch((self)->vm);		\
} while (0)

/* The same in another TD, which has the lib's default parameters. */
static u64 read_default_metadata(u64 field)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct tdx_guest guest = init_vm_guest_launch(vm);
	u64 val = read_metadata(&guest, field);

	kvm_vm_free(vm);
	return val;
}

TEST_F(seen_by_guest, attributes)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);
	u64 defaults = read_default_metadata(TDX_MD_ATTRIBUTES);

	if (!(caps->supported_attrs & ~defaults))
		SKIP(return, "KVM offers no attribute beyond the default");
	self->init->attributes = caps->supported_attrs;
	init_vm_and_launch(self);

	TEST_ASSERT_EQ(read_metadata(&self->guest, TDX_MD_ATTRIBUTES),
		       defaults | self->init->attributes);
	free(caps);
}

TEST_F(seen_by_guest, xfam)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);
	u64 defaults = read_default_metadata(TDX_MD_XFAM);

	if (!(caps->supported_xfam & ~defaults))
		SKIP(return, "KVM offers no feature beyond the default");
	self->init->xfam = caps->supported_xfam;
	init_vm_and_launch(self);

	TEST_ASSERT_EQ(read_metadata(&self->guest, TDX_MD_XFAM), defaults | self->init->xfam);
	free(caps);
}

TEST_F(seen_by_guest, max_vcpus)
{
	init_vm_and_launch(self);
	TEST_ASSERT_EQ(read_metadata(&self->guest, TDX_MD_MAX_VCPUS),
		       vm_check_cap(self->vm, KVM_CAP_MAX_VCPUS));
}

#define SHA384_QWORDS	6

TEST_F(seen_by_guest, digests)
{
	struct {
		u64 field;
		__u64 *val;
	} digests[] = {
		{ TDX_MD_MRCONFIGID, self->init->mrconfigid },
		{ TDX_MD_MROWNER, self->init->mrowner },
		{ TDX_MD_MROWNERCONFIG, self->init->mrownerconfig },
	};
	u64 val = 0x0123456789abcdef;

	for (int i = 0; i < ARRAY_SIZE(digests); i++)
		for (int j = 0; j < SHA384_QWORDS; j++)
			digests[i].val[j] = val++;
	init_vm_and_launch(self);

	for (int i = 0; i < ARRAY_SIZE(digests); i++)
		for (int j = 0; j < SHA384_QWORDS; j++)
			TEST_ASSERT_EQ(read_metadata(&self->guest, digests[i].field + j),
				       digests[i].val[j]);
}

/* Nothing is left of parameters that the module refused. */
TEST_F(seen_by_guest, td_after_refusals)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);

	set_unconfigurable_bit(self->init, caps);
	self->init->attributes = caps->supported_attrs;
	self->init->mrowner[0] = 1;
	for (int i = 0; i < 3; i++)
		assert_module_refuses(self->vm, self->init);

	self->guest = init_vm_guest_launch(self->vm);
	TEST_ASSERT_EQ(read_metadata(&self->guest, TDX_MD_ATTRIBUTES) &
		       caps->supported_attrs, 0);
	TEST_ASSERT_EQ(read_metadata(&self->guest, TDX_MD_MROWNER), 0);
	free(caps);
}

/*
 * The width of GPAs, 48 or 52 bits, decides which bit of a GPA is the shared bit,
 * and with that where memslots may be.
 */
FIXTURE(gpaw) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	u64 *shared;
};

FIXTURE_VARIANT(gpaw) {
	u32 width;
};

FIXTURE_VARIANT_ADD(gpaw, 48) { .width = 48 };
FIXTURE_VARIANT_ADD(gpaw, 52) { .width = 52 };

static void guest_gpaw(u64 width, u64 *shared)
{
	GUEST_ASSERT_EQ(tdg_vp_info().gpaw, width);
	GUEST_ASSERT_EQ(*shared, 1);
	*shared = 2;
	GUEST_DONE();
}

FIXTURE_SETUP(gpaw)
{
	gva_t gva;

	if (!is_tdx_gpaw_supported(variant->width))
		SKIP(return, "needs an EPT of 5 levels");

	tdx_gpaw = variant->width;
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_gpaw);
	gva = tdx_alloc_shared(self->vm, PAGE_SIZE, &self->shared);
	vcpu_args_set(self->vcpu, 2, (u64)variant->width, gva);
}

FIXTURE_TEARDOWN(gpaw)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

TEST_F(gpaw, shared_memory)
{
	tdx_vm_finalize(self->vm);
	*self->shared = 1;
	vcpu_run_to_done(self->vcpu);
	TEST_ASSERT_EQ(*self->shared, 2);
}

TEST_F(gpaw, reported_by_get_cpuid)
{
	struct kvm_cpuid2 *cpuid = tdx_get_cpuid(self->vcpu);

	TEST_ASSERT_EQ(kvm_cpuid_property(cpuid, X86_PROPERTY_GUEST_MAX_PHY_ADDR),
		       variant->width);
	free(cpuid);
}

/* A memslot can be anywhere below the shared bit. */
TEST_F(gpaw, limits_memslots)
{
	const gpa_t shared_bit = BIT_ULL(variant->width - 1);
	void *hva = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);

	TEST_ASSERT_FAILS(__vm_set_user_memory_region2(self->vm, 10, 0, shared_bit,
						       PAGE_SIZE, hva, -1, 0),
			  EINVAL);
	vm_set_user_memory_region2(self->vm, 10, 0, shared_bit - PAGE_SIZE,
				   PAGE_SIZE, hva, -1, 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
