// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_INIT_VM: what KVM takes and refuses, and what of it the TD gets.
 *
 * KVM checks what it can check itself and leaves the rest to the TDX module.
 * User space can tell the two apart: hw_error has the module's status if and
 * only if it was the module that refused.  Either way the VM has to be as if
 * nothing had happened, so that another call with better parameters succeeds.
 * What was accepted is settled for the TD's whole life, and the guest sees it
 * without KVM coming in between: attributes, features, the width of its
 * addresses, the frequency of its TSC and three digests for its attestation.
 */
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "userfaultfd_util.h"

/* Of no slot of any TDX module. */
#define UNCONFIGURABLE_LEAF	0x12345678

#define TSC_UNIT_KHZ		25000

FIXTURE(init_vm) {
	struct kvm_vm *vm;
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *init;
	bool initialized;
};

FIXTURE_SETUP(init_vm)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	self->caps = tdx_capabilities(self->vm);
	self->init = tdx_default_init_vm(self->vm);
}

/* Whatever the case had refused, the VM is as good as new. */
FIXTURE_TEARDOWN(init_vm)
{
	if (!self->initialized)
		tdx_init_vm(self->vm, NULL);

	free(self->init);
	free(self->caps);
	kvm_vm_free(self->vm);
}

/* KVM refuses by itself. */
#define assert_kvm_refuses(self, error)					\
do {									\
	u64 __hw_error;							\
									\
	TEST_ASSERT_FAILS(__tdx_init_vm((self)->vm, (self)->init,	\
					&__hw_error), error);		\
	TEST_ASSERT_EQ(__hw_error, 0ull);				\
} while (0)

/* KVM asks the module, and the module refuses. */
#define assert_module_refuses(vm, init)					\
do {									\
	u64 __hw_error;							\
									\
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, &__hw_error), EINVAL); \
	TEST_ASSERT_EQ(__hw_error & TDX_SEAMCALL_STATUS_MASK,		\
		       TDX_OPERAND_INVALID);				\
} while (0)

static struct kvm_cpuid_entry2 *find_entry(struct kvm_cpuid2 *cpuid, u32 leaf,
					   u32 index)
{
	return (struct kvm_cpuid_entry2 *)get_cpuid_entry(cpuid, leaf, index);
}

static void add_entry(struct kvm_cpuid2 *cpuid, struct kvm_cpuid_entry2 entry)
{
	TEST_ASSERT(cpuid->nent < TDX_MAX_CPUID, "No room for another entry");
	cpuid->entries[cpuid->nent++] = entry;
}

static void set_gpa_width(struct kvm_tdx_init_vm *init, u8 width)
{
	struct kvm_cpuid_entry2 *entry = find_entry(&init->cpuid, 0x80000008, 0);

	entry->eax = (entry->eax & ~GENMASK(23, 16)) | width << 16;
}

/* A bit that KVM can't know to be wrong: which are right is the module's. */
static void set_unconfigurable_bit(struct kvm_tdx_init_vm *init,
				   struct kvm_tdx_capabilities *caps)
{
	u32 config = find_entry(&caps->cpuid, 0x80000008, 0)->edx;

	TEST_ASSERT(~config, "All of this register is configurable");
	find_entry(&init->cpuid, 0x80000008, 0)->edx = ~config;
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

TEST_F(init_vm, entries_unreadable)
{
	size_t size = offsetof(struct kvm_tdx_init_vm,
			       cpuid.entries[self->init->cpuid.nent]);
	struct kvm_tdx_init_vm *init = test_alloc_before_hole(size);

	memcpy(init, self->init, size);
	init->cpuid.nent++;
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, NULL), EFAULT);

	/* KVM reads no further than it was told. */
	init->cpuid.nent--;
	tdx_init_vm(self->vm, init);
	self->initialized = true;
}

/* The call succeeds, and KVM has nowhere to write that no one refused. */
TEST_F(init_vm, command_read_only)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_INIT_VM,
		.data = (u64)self->init,
	};

	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, test_alloc_read_only(&cmd, sizeof(cmd))),
			  EFAULT);
	assert_kvm_refuses(self, EINVAL);
	self->initialized = true;
}

TEST_F(init_vm, reserved)
{
	for (int i = 0; i < ARRAY_SIZE(self->init->reserved); i++) {
		self->init->reserved[i] = BIT_ULL(63);
		assert_kvm_refuses(self, EINVAL);
		self->init->reserved[i] = 0;
	}
}

TEST_F(init_vm, cpuid_padding)
{
	self->init->cpuid.padding = 1;
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, too_many_entries)
{
	/* Not that there were so many: KVM may not look at a single one. */
	self->init->cpuid.nent = TDX_MAX_CPUID + 1;
	assert_kvm_refuses(self, E2BIG);
	self->init->cpuid.nent = ~0u;
	assert_kvm_refuses(self, E2BIG);
}

TEST_F(init_vm, most_entries)
{
	while (self->init->cpuid.nent < TDX_MAX_CPUID)
		add_entry(&self->init->cpuid, (struct kvm_cpuid_entry2) {
			.function = UNCONFIGURABLE_LEAF,
		});
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, no_entries)
{
	self->init->cpuid.nent = 0;
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, no_gpa_width)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	struct kvm_cpuid_entry2 *entry = find_entry(cpuid, 0x80000008, 0);

	*entry = cpuid->entries[--cpuid->nent];
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, gpa_width)
{
	for (int width = 0; width <= 0xff; width++) {
		if (width == 48 || width == 52)
			continue;

		set_gpa_width(self->init, width);
		assert_kvm_refuses(self, EINVAL);
	}
}

TEST_F(init_vm, gpa_width_52_without_5_level_ept)
{
	if (is_tdx_gpaw_supported(52))
		SKIP(return, "this host has an EPT of 5 levels");

	set_gpa_width(self->init, 52);
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, attribute_not_offered)
{
	const u64 offered = self->caps->supported_attrs;

	for (int i = 0; i < 64; i++) {
		if (offered & BIT_ULL(i))
			continue;

		self->init->attributes = offered | BIT_ULL(i);
		assert_kvm_refuses(self, EINVAL);
	}
}

TEST_F(init_vm, xfam_not_offered)
{
	const u64 offered = self->caps->supported_xfam;

	for (int i = 0; i < 64; i++) {
		if (offered & BIT_ULL(i))
			continue;

		self->init->xfam = offered | BIT_ULL(i);
		assert_kvm_refuses(self, EINVAL);
	}
}

/*
 * Features that come with MSRs of which KVM doesn't know what the guest made of
 * them.  The module may well be able to offer them, KVM is not.
 */
TEST_F(init_vm, tsx)
{
	struct kvm_cpuid_entry2 *entry = find_entry(&self->init->cpuid, 7, 0);
	const u32 ebx = entry->ebx;

	entry->ebx = ebx | BIT(X86_FEATURE_HLE.bit);
	assert_kvm_refuses(self, EINVAL);
	entry->ebx = ebx | BIT(X86_FEATURE_RTM.bit);
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, waitpkg)
{
	find_entry(&self->init->cpuid, 7, 0)->ecx |= BIT(X86_FEATURE_WAITPKG.bit);
	assert_kvm_refuses(self, EINVAL);
}

/* What has no slot with the module would be lost, were it not refused. */
TEST_F(init_vm, unconfigurable_leaf)
{
	add_entry(&self->init->cpuid, (struct kvm_cpuid_entry2) {
		.function = UNCONFIGURABLE_LEAF,
	});
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, unconfigurable_subleaf)
{
	add_entry(&self->init->cpuid, (struct kvm_cpuid_entry2) {
		.function = 7,
		.index = 100,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	});
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, same_entry_twice)
{
	add_entry(&self->init->cpuid, *find_entry(&self->init->cpuid, 7, 0));
	assert_kvm_refuses(self, EINVAL);
}

TEST_F(init_vm, twice)
{
	tdx_init_vm(self->vm, self->init);
	self->initialized = true;

	assert_kvm_refuses(self, EINVAL);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, NULL, NULL), EINVAL);
}

TEST_F(init_vm, refused_by_module)
{
	set_unconfigurable_bit(self->init, self->caps);
	assert_module_refuses(self->vm, self->init);
}

/* Whose fault it was is said of each call anew. */
TEST_F(init_vm, refused_by_both_in_turn)
{
	for (int i = 0; i < 3; i++) {
		set_unconfigurable_bit(self->init, self->caps);
		assert_module_refuses(self->vm, self->init);
		self->init->reserved[0] = 1;
		assert_kvm_refuses(self, EINVAL);
		self->init->reserved[0] = 0;
	}
}

/*
 * A topology of threads without cores.  To the module this is wrong in another
 * way than an operand is, to user space it is nothing but a wrong parameter.
 */
TEST_F(init_vm, malformed_topology)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	const struct kvm_cpuid_entry2 threads = {
		.function = 0x1f,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = 1,
		.ebx = 2,
		.ecx = 1 << 8,
	};
	bool configurable = false;
	u64 hw_error;

	for (int i = 0; i < self->caps->cpuid.nent; i++)
		configurable |= self->caps->cpuid.entries[i].function == threads.function;
	if (!configurable)
		SKIP(return, "the module doesn't let the topology be configured");

	cpuid->entries[0] = *find_entry(cpuid, 0x80000008, 0);
	cpuid->entries[1] = threads;
	cpuid->nent = 2;

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	expect_kernel_log("WARNING: *tdx_vm_ioctl|WARNING: *tdx_td_init");
	expect_kernel_log("SEAMCALL TDH_MNG_INIT failed");
	TEST_ASSERT(__tdx_init_vm(self->vm, self->init, &hw_error), "Not refused");
	if (errno == EIO) {
		/* Too late to try again. */
		self->initialized = true;
		TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_CHECK_EXTENSION,
					     (void *)KVM_CAP_USER_MEMORY), EIO);
		XFAIL(return, "KVM warns, and the VM is dead");
	}

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT(hw_error, "KVM knows the rules of leaf 0x1f by itself");
}

static u64 frequency_khz(struct kvm_vm *vm)
{
	int khz = __vm_ioctl(vm, KVM_GET_TSC_KHZ, NULL);

	TEST_ASSERT(khz > 0, KVM_IOCTL_ERROR(KVM_GET_TSC_KHZ, khz));
	return khz;
}

/* 100 MHz to 10 GHz is what a module can do. */
TEST_F(init_vm, tsc_too_slow)
{
	const u64 khz = frequency_khz(self->vm);

	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(3ul * TSC_UNIT_KHZ));
	assert_module_refuses(self->vm, self->init);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
}

TEST_F(init_vm, tsc_too_fast)
{
	const u64 khz = frequency_khz(self->vm);

	if (__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(401ul * TSC_UNIT_KHZ)))
		SKIP(return, "too fast for this host's KVM in any VM");

	assert_module_refuses(self->vm, self->init);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
}

/* KVM hands the frequency over in 16 bits. */
TEST_F(init_vm, tsc_absurdly_fast)
{
	const u64 khz = frequency_khz(self->vm);

	if (__vm_ioctl(self->vm, KVM_SET_TSC_KHZ,
		       (void *)((BIT(16) + 100ul) * TSC_UNIT_KHZ)))
		SKIP(return, "too fast for this host's KVM in any VM");

	if (!__tdx_init_vm(self->vm, self->init, NULL)) {
		self->initialized = true;
		XFAIL(return, "KVM takes 1640.9 GHz for 2.5 GHz");
	}

	TEST_ASSERT_EQ(errno, EINVAL);
	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
}

/*
 * The count changes between KVM's two reads of it: the first is by itself, the
 * second with all that precedes it, which is where a page is missing.  By the
 * time that page is there, the count is another.
 */
static struct {
	void *page;
	void *contents;
	u32 *nent;
	u32 new_nent;
	bool used;
} change;

static int change_nent(int uffd_mode, int uffd, struct uffd_msg *msg)
{
	struct uffdio_copy copy = {
		.src = (u64)change.contents,
		.dst = (u64)change.page,
		.len = PAGE_SIZE,
	};

	WRITE_ONCE(*change.nent, change.new_nent);
	change.used = true;
	return ioctl(uffd, UFFDIO_COPY, &copy);
}

TEST_F(init_vm, entry_count_changed_under_kvm)
{
	const size_t header = offsetof(struct kvm_tdx_init_vm, cpuid);
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	struct kvm_tdx_init_vm *init;
	struct uffd_desc *uffd;
	u64 hw_error;
	int fd;

	fd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (fd < 0)
		SKIP(return, "no userfaultfd for the kernel's own accesses");
	close(fd);

	/* Without the last entry all is well. */
	change.new_nent = cpuid->nent;
	add_entry(cpuid, (struct kvm_cpuid_entry2) {
		.function = UNCONFIGURABLE_LEAF,
	});

	change.page = kvm_mmap(4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1);
	change.contents = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memcpy(change.contents + PAGE_SIZE - header, self->init, header);

	init = change.page + PAGE_SIZE - header;
	change.nent = &init->cpuid.nent;
	memcpy(&init->cpuid, cpuid, offsetof(struct kvm_cpuid2, entries[cpuid->nent]));

	uffd = uffd_setup_demand_paging(UFFDIO_REGISTER_MODE_MISSING, 0,
					change.page, PAGE_SIZE, 1, change_nent);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, &hw_error), EINVAL);
	uffd_stop_demand_paging(uffd);

	TEST_ASSERT_EQ(hw_error, 0ull);
	TEST_ASSERT(change.used, "KVM did not read all of the parameters");
	TEST_ASSERT_EQ(*change.nent, change.new_nent);
}

/* The CPUID of a TD with the parameters @init, which the TD's VM is made for. */
static struct kvm_cpuid2 *cpuid_of_td(struct kvm_vm *vm,
				      struct kvm_tdx_init_vm *init)
{
	vm_create_irqchip(vm);
	tdx_init_vm(vm, init);
	return tdx_get_cpuid(__vm_vcpu_add(vm, 0));
}

/*
 * Entries with the flags with which KVM_TDX_CAPABILITIES offered them have to
 * be as good as entries that leave no doubt about their subleaf.  Leaf 4, of
 * caches, has subleaves with every module, and they differ on every CPU.
 */
TEST_F(init_vm, all_subleaves_with_flags_of_capabilities)
{
	const struct kvm_cpuid2 *supported = kvm_get_supported_cpuid();
	struct kvm_vm *other_vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_cpuid2 *given = &self->init->cpuid;
	struct kvm_cpuid2 *cpuid, *expected;
	bool same = true;

	given->entries[0] = *find_entry(given, 0x80000008, 0);
	given->nent = 1;
	for (int i = 0; i < self->caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 entry = self->caps->cpuid.entries[i];
		const struct kvm_cpuid_entry2 *value;

		if (entry.function != 4)
			continue;

		value = get_cpuid_entry(supported, 4, entry.index);
		entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		entry.eax &= value->eax;
		entry.ebx &= value->ebx;
		entry.ecx &= value->ecx;
		entry.edx &= value->edx;
		add_entry(given, entry);
	}
	expected = cpuid_of_td(other_vm, self->init);

	for (int i = 1; i < given->nent; i++)
		given->entries[i].flags = find_entry(&self->caps->cpuid, 4,
						     given->entries[i].index)->flags;
	cpuid = cpuid_of_td(self->vm, self->init);
	self->initialized = true;

	for (int i = 1; i < given->nent; i++) {
		const u32 index = given->entries[i].index;

		if (memcmp(find_entry(cpuid, 4, index), find_entry(expected, 4, index),
			   sizeof(given->entries[i])))
			same = false;
	}
	if (!same)
		TEST_ASSERT(!given->entries[1].flags, "Mixed up in spite of the flags");

	free(cpuid);
	free(expected);
	kvm_vm_free(other_vm);

	if (!same)
		XFAIL(return, "all subleaves got the values of the first");
}

TEST_F(init_vm, one_subleaf_with_flags_of_capabilities)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	u64 hw_error;
	int r;

	cpuid->entries[0] = *find_entry(cpuid, 0x80000008, 0);
	cpuid->entries[1] = *find_entry(&self->caps->cpuid, 4, 1);
	memset(&cpuid->entries[1].eax, 0, 4 * sizeof(u32));
	cpuid->nent = 2;

	r = __tdx_init_vm(self->vm, self->init, &hw_error);
	self->initialized = !r;
	if (r) {
		TEST_ASSERT_EQ(errno, EINVAL);
		TEST_ASSERT_EQ(hw_error, 0ull);
		TEST_ASSERT(!cpuid->entries[1].flags, "Refused in spite of its flags");
		XFAIL(return, "one entry was taken for all subleaves, then refused for it");
	}
}

/*
 * KVM knows unconfigurable leaves by the number of slots that got an entry.
 * An entry for more than one slot must not outweigh one for none.
 */
TEST_F(init_vm, unconfigurable_leaf_beside_ambiguous_one)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	u64 hw_error;
	int r;

	cpuid->entries[0] = *find_entry(cpuid, 0x80000008, 0);
	cpuid->entries[1] = (struct kvm_cpuid_entry2) { .function = 4 };
	cpuid->nent = 2;

	for (int i = 0; i < self->caps->cpuid.nent; i++) {
		if (self->caps->cpuid.entries[i].function == 4 &&
		    self->caps->cpuid.entries[i].index)
			add_entry(cpuid, (struct kvm_cpuid_entry2) {
				.function = UNCONFIGURABLE_LEAF,
				.eax = ~0u,
			});
	}
	TEST_ASSERT(cpuid->nent > 2, "Leaf 4 has one subleaf only");

	r = __tdx_init_vm(self->vm, self->init, &hw_error);
	self->initialized = !r;
	if (!r)
		XFAIL(return, "entries for a leaf that has no slot are dropped silently");

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(hw_error, 0ull);
}

/* A TD whose guest tells what it got. */
FIXTURE(seen_inside) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_tdx_init_vm *init;
	struct tdx_guest guest;
};

FIXTURE_SETUP(seen_inside)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->init = tdx_default_init_vm(self->vm);
}

FIXTURE_TEARDOWN(seen_inside)
{
	free(self->init);
	kvm_vm_free(self->vm);
}

/* The vCPU does KVM_TDX_INIT_VM if the test did not. */
static struct kvm_vcpu *launch(struct kvm_vm *vm, struct tdx_guest *guest)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, tdx_guest_serve);

	tdx_guest_init(guest, vcpu);
	tdx_vm_finalize(vm);
	return vcpu;
}

static u64 read_metadata(struct tdx_guest *guest, u64 field)
{
	u64 val;

	TEST_ASSERT_EQ(tdx_guest_vm_rd(guest, field, &val), TDX_SUCCESS);
	return val;
}

#define start(self)							\
do {									\
	tdx_init_vm((self)->vm, (self)->init);				\
	(self)->vcpu = launch((self)->vm, &(self)->guest);		\
} while (0)

#define inside(self, f)	read_metadata(&(self)->guest, f)

/* The same of a TD with the lib's parameters, to compare with. */
static u64 inside_other_td(u64 field)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct tdx_guest guest;
	u64 val;

	launch(vm, &guest);
	val = read_metadata(&guest, field);
	kvm_vm_free(vm);
	return val;
}

TEST_F(seen_inside, attributes)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);
	u64 basic = inside_other_td(TDX_MD_ATTRIBUTES);

	TEST_ASSERT(caps->supported_attrs & ~basic, "No attribute to choose");
	self->init->attributes = caps->supported_attrs;
	start(self);

	TEST_ASSERT_EQ(inside(self, TDX_MD_ATTRIBUTES), basic | self->init->attributes);
	free(caps);
}

TEST_F(seen_inside, xfam)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);
	u64 basic = inside_other_td(TDX_MD_XFAM);

	TEST_ASSERT(caps->supported_xfam & ~basic, "No feature to choose");
	self->init->xfam = caps->supported_xfam;
	start(self);

	TEST_ASSERT_EQ(inside(self, TDX_MD_XFAM), basic | self->init->xfam);
	free(caps);
}

TEST_F(seen_inside, max_vcpus)
{
	start(self);
	TEST_ASSERT_EQ(inside(self, TDX_MD_MAX_VCPUS),
		       vm_check_cap(self->vm, KVM_CAP_MAX_VCPUS));
}

#define SHA384_QWORDS	6

TEST_F(seen_inside, digests)
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
	start(self);

	for (int i = 0; i < ARRAY_SIZE(digests); i++)
		for (int j = 0; j < SHA384_QWORDS; j++)
			TEST_ASSERT_EQ(inside(self, digests[i].field + j),
				       digests[i].val[j]);
}

TEST_F(seen_inside, tsc_frequency_of_host)
{
	start(self);
	TEST_ASSERT_EQ(inside(self, TDX_MD_TSC_FREQUENCY),
		       frequency_khz(self->vm) / TSC_UNIT_KHZ);
}

/*
 * A TD has multiples of 25 MHz.  KVM may refuse what isn't, or round it, but
 * then it has to know the vCPU's frequency better than user space.
 */
TEST_F(seen_inside, tsc_frequency_between_two)
{
	const u64 khz = 81ul * TSC_UNIT_KHZ - 1;
	u64 known, real;

	if (__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz) ||
	    __tdx_init_vm(self->vm, self->init, NULL)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return;
	}

	self->vcpu = launch(self->vm, &self->guest);
	known = __vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL);
	real = inside(self, TDX_MD_TSC_FREQUENCY) * TSC_UNIT_KHZ;
	if (known == khz && real == 80ul * TSC_UNIT_KHZ)
		XFAIL(return, "KVM computes with a frequency that the TD doesn't have");

	TEST_ASSERT_EQ(known, real);
}

/*
 * After KVM_TDX_INIT_VM the frequency is settled.  Either KVM says so, or it
 * at least doesn't pretend that the TD's TSC has another one.
 */
TEST_F(seen_inside, tsc_frequency_set_too_late)
{
	const u64 khz = 80ul * TSC_UNIT_KHZ;
	bool taken;

	vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)khz);
	tdx_init_vm(self->vm, self->init);
	taken = !__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(khz / 2));
	self->vcpu = vm_vcpu_add(self->vm, 0, tdx_guest_serve);

	if (taken && __vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL) == khz / 2)
		XFAIL(return, "KVM computes with a frequency that the TD doesn't have");

	TEST_ASSERT_EQ(__vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL), khz);
}

TEST_F(seen_inside, tsc_frequency_set_after_vcpu)
{
	tdx_init_vm(self->vm, self->init);
	vm_vcpu_add(self->vm, 0, tdx_guest_serve);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_SET_TSC_KHZ,
				     (void *)(80ul * TSC_UNIT_KHZ)), EINVAL);
}

/* A module's refusal leaves no trace in the TD that comes of it after all. */
TEST_F(seen_inside, td_after_refusals)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);

	set_unconfigurable_bit(self->init, caps);
	self->init->attributes = caps->supported_attrs;
	self->init->mrowner[0] = 1;
	for (int i = 0; i < 3; i++)
		assert_module_refuses(self->vm, self->init);

	self->vcpu = launch(self->vm, &self->guest);
	TEST_ASSERT_EQ(inside(self, TDX_MD_ATTRIBUTES) & caps->supported_attrs, 0);
	TEST_ASSERT_EQ(inside(self, TDX_MD_MROWNER), 0);
	free(caps);
}

FIXTURE(tsc_frequency) { };

FIXTURE_VARIANT(tsc_frequency) {
	u64 units;
};

FIXTURE_VARIANT_ADD(tsc_frequency, least) { .units = 4 };
FIXTURE_VARIANT_ADD(tsc_frequency, some) { .units = 81 };
FIXTURE_VARIANT_ADD(tsc_frequency, most) { .units = 400 };

FIXTURE_SETUP(tsc_frequency) { }
FIXTURE_TEARDOWN(tsc_frequency) { }

TEST_F(tsc_frequency, seen_inside)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;

	if (__vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(variant->units * TSC_UNIT_KHZ))) {
		kvm_vm_free(vm);
		SKIP(return, "too fast for this host's KVM in any VM");
	}

	vcpu = launch(vm, &guest);
	TEST_ASSERT_EQ(read_metadata(&guest, TDX_MD_TSC_FREQUENCY), variant->units);
	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL),
		       variant->units * TSC_UNIT_KHZ);
	kvm_vm_free(vm);
}

/*
 * The width of GPAs, 48 bits or 52, is also the place of the shared bit, and
 * that one is everywhere: in the memslots that KVM takes, in the CPUID that it
 * reports, in each of the guest's accesses to what it shares with the host.
 */
FIXTURE(gpaw) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	gva_t gva;
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
	if (!is_tdx_gpaw_supported(variant->width))
		SKIP(return, "needs an EPT of 5 levels");

	tdx_gpaw = variant->width;
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_gpaw);
	self->gva = vm_alloc_shared(self->vm, PAGE_SIZE, KVM_UTIL_MIN_VADDR,
				    MEM_REGION_TEST_DATA);
	vcpu_args_set(self->vcpu, 2, (u64)variant->width, self->gva);
}

FIXTURE_TEARDOWN(gpaw)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

TEST_F(gpaw, shared_memory)
{
	u64 *shared = addr_gva2hva(self->vm, self->gva);

	tdx_vm_finalize(self->vm);
	*shared = 1;
	vcpu_run_to_done(self->vcpu);
	TEST_ASSERT_EQ(*shared, 2);
}

TEST_F(gpaw, reported_by_get_cpuid)
{
	struct kvm_cpuid2 *cpuid = tdx_get_cpuid(self->vcpu);

	TEST_ASSERT_EQ(find_entry(cpuid, 0x80000008, 0)->eax >> 16 & 0xff,
		       variant->width);
	free(cpuid);
}

/* Everything below the shared bit is memory, the rest has two names already. */
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
