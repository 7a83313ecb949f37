// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_INIT_VM: the CPUID entries among its parameters.
 *
 * KVM copies each entry to the slot that the TDX module has for its leaf and
 * subleaf, and has to refuse entries without a slot, which the TD would not get.
 * It also refuses features whose state it can't restore for the host.  Which bits
 * of a slot may be set is for the module to check.
 */
#include <sys/syscall.h>

#include "tdx/generic/kernel_log.h"
#include "tdx/keyids.h"
#include "tdx/tdx_cpuid.h"
#include "tdx/tdx_init_vm.h"
#include "tdx/tdx_test_harness.h"
#include "userfaultfd_util.h"

/* No TDX module has a slot for it. */
#define UNCONFIGURABLE_LEAF	0x12345678

TDX_INIT_VM_SUITE(init_vm_cpuid);

TEST_F(init_vm_cpuid, padding)
{
	self->init->cpuid.padding = 1;
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm_cpuid, too_many_entries)
{
	/* KVM refuses the count without reading any entry. */
	self->init->cpuid.nent = TDX_MAX_CPUID + 1;
	assert_kvm_refuses(self->vm, self->init, E2BIG);
	self->init->cpuid.nent = ~0u;
	assert_kvm_refuses(self->vm, self->init, E2BIG);
}

TEST_F(init_vm_cpuid, most_entries)
{
	while (self->init->cpuid.nent < TDX_MAX_CPUID)
		add_cpuid_entry(&self->init->cpuid, (struct kvm_cpuid_entry2) {
			.function = UNCONFIGURABLE_LEAF,
		});
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm_cpuid, no_entries)
{
	self->init->cpuid.nent = 0;
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm_cpuid, entries_unreadable)
{
	size_t size = offsetof(struct kvm_tdx_init_vm,
			       cpuid.entries[self->init->cpuid.nent]);
	struct kvm_tdx_init_vm *init = test_alloc_before_hole(size);

	memcpy(init, self->init, size);
	init->cpuid.nent++;
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, NULL), EFAULT);

	/* KVM reads no more entries than nent says. */
	init->cpuid.nent--;
	tdx_init_vm(self->vm, init);
	self->initialized = true;
}

/*
 * The guest could change TSX_CTRL and UMWAIT_CONTROL, which KVM doesn't restore
 * for the host.  The module may support these features; KVM doesn't.
 */
TEST_F(init_vm_cpuid, tsx)
{
	struct kvm_cpuid_entry2 *entry = cpuid_entry(&self->init->cpuid, 7, 0);
	const u32 ebx = entry->ebx;

	entry->ebx = ebx | BIT(X86_FEATURE_HLE.bit);
	assert_kvm_refuses(self->vm, self->init, EINVAL);
	entry->ebx = ebx | BIT(X86_FEATURE_RTM.bit);
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm_cpuid, waitpkg)
{
	cpuid_entry(&self->init->cpuid, 7, 0)->ecx |= BIT(X86_FEATURE_WAITPKG.bit);
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

/* The module has no slot for it, so the TD would not get it. */
TEST_F(init_vm_cpuid, unconfigurable_leaf)
{
	add_cpuid_entry(&self->init->cpuid, (struct kvm_cpuid_entry2) {
		.function = UNCONFIGURABLE_LEAF,
	});
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm_cpuid, unconfigurable_subleaf)
{
	add_cpuid_entry(&self->init->cpuid, (struct kvm_cpuid_entry2) {
		.function = 7,
		.index = 100,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
	});
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

TEST_F(init_vm_cpuid, same_entry_twice)
{
	add_cpuid_entry(&self->init->cpuid, *cpuid_entry(&self->init->cpuid, 7, 0));
	assert_kvm_refuses(self->vm, self->init, EINVAL);
}

/*
 * A topology that has threads but no cores.  The module has a status of its own
 * for that; for user space it is one more invalid parameter.
 */
TEST_F(init_vm_cpuid, malformed_topology)
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
		SKIP(return, "the topology is not configurable with this TDX module");

	cpuid->entries[0] = *cpuid_entry(cpuid, 0x80000008, 0);
	cpuid->entries[1] = threads;
	cpuid->nent = 2;

	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdx_vm_ioctl|WARNING: *tdx_td_init");
	expect_kernel_log("SEAMCALL TDH_MNG_INIT failed");
	TEST_ASSERT(__tdx_init_vm(self->vm, self->init, &hw_error), "Not refused");
	if (errno == EIO) {
		/* Another KVM_TDX_INIT_VM can't succeed any more. */
		self->initialized = true;
		TEST_ASSERT(vm_is_dead(self->vm), "EIO, but the VM is alive");
		XFAIL(return, "KVM warns, and the VM is dead");
	}

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT(hw_error, "It was KVM that refused the topology, not the module");
}

/*
 * KVM reads the count twice: alone at first, then with the rest of the parameters.
 * These start on a page that is missing, and the handler that provides it changes
 * the count.
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

TEST_F(init_vm_cpuid, entry_count_changed_under_kvm)
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

	/* Without the last entry the parameters would be valid. */
	change.new_nent = cpuid->nent;
	add_cpuid_entry(cpuid, (struct kvm_cpuid_entry2) {
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
	TEST_ASSERT(change.used, "KVM did not read the beginning of the parameters");
	TEST_ASSERT_EQ(*change.nent, change.new_nent);
}

/* Make @vm a TD with the parameters @init, and get the CPUID of its vCPU. */
static struct kvm_cpuid2 *cpuid_of_td(struct kvm_vm *vm,
				      struct kvm_tdx_init_vm *init)
{
	vm_create_irqchip(vm);
	tdx_init_vm(vm, init);
	return tdx_get_cpuid(__vm_vcpu_add(vm, 0));
}

/*
 * User space may pass back entries with the flags that KVM_TDX_CAPABILITIES gave
 * them.  The TD has to be the same as with KVM_CPUID_FLAG_SIGNIFCANT_INDEX.  Leaf 4
 * describes caches: with every module it has subleaves, and they differ.
 */
TEST_F(init_vm_cpuid, all_subleaves_with_flags_of_capabilities)
{
	const struct kvm_cpuid2 *supported = kvm_get_supported_cpuid();
	struct kvm_vm *other_vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_cpuid2 *given = &self->init->cpuid;
	struct kvm_cpuid2 *cpuid, *expected;
	bool same = true;

	if (!tdx_can_create(2))
		SKIP(return, NEEDS_MORE_KEYIDS);

	given->entries[0] = *cpuid_entry(given, 0x80000008, 0);
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
		add_cpuid_entry(given, entry);
	}
	expected = cpuid_of_td(other_vm, self->init);

	for (int i = 1; i < given->nent; i++)
		given->entries[i].flags = cpuid_entry(&self->caps->cpuid, 4,
						     given->entries[i].index)->flags;
	cpuid = cpuid_of_td(self->vm, self->init);
	self->initialized = true;

	for (int i = 1; i < given->nent; i++) {
		const u32 index = given->entries[i].index;

		if (memcmp(cpuid_entry(cpuid, 4, index), cpuid_entry(expected, 4, index),
			   sizeof(given->entries[i])))
			same = false;
	}
	if (!same)
		TEST_ASSERT(!given->entries[1].flags,
			    "Subleaves are mixed up in spite of the flags");

	free(cpuid);
	free(expected);
	kvm_vm_free(other_vm);

	if (!same)
		XFAIL(return, "KVM takes the first entry for all subleaves");
}

TEST_F(init_vm_cpuid, one_subleaf_with_flags_of_capabilities)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	u64 hw_error;
	int r;

	cpuid->entries[0] = *cpuid_entry(cpuid, 0x80000008, 0);
	cpuid->entries[1] = *cpuid_entry(&self->caps->cpuid, 4, 1);
	memset(&cpuid->entries[1].eax, 0, 4 * sizeof(u32));
	cpuid->nent = 2;

	r = __tdx_init_vm(self->vm, self->init, &hw_error);
	self->initialized = !r;
	if (r) {
		TEST_ASSERT_EQ(errno, EINVAL);
		TEST_ASSERT_EQ(hw_error, 0ull);
		TEST_ASSERT(!cpuid->entries[1].flags, "Refused in spite of the flags");
		XFAIL(return, "KVM takes the entry for all subleaves, and so refuses it");
	}
}

/*
 * KVM finds unconfigurable leaves by comparing the number of entries with the
 * number of slots that it filled.  An entry that fills more than one slot must not
 * make up for one that fills none.
 */
TEST_F(init_vm_cpuid, unconfigurable_leaf_beside_ambiguous_one)
{
	struct kvm_cpuid2 *cpuid = &self->init->cpuid;
	u64 hw_error;
	int r;

	cpuid->entries[0] = *cpuid_entry(cpuid, 0x80000008, 0);
	cpuid->entries[1] = (struct kvm_cpuid_entry2) { .function = 4 };
	cpuid->nent = 2;

	for (int i = 0; i < self->caps->cpuid.nent; i++) {
		if (self->caps->cpuid.entries[i].function == 4 &&
		    self->caps->cpuid.entries[i].index)
			add_cpuid_entry(cpuid, (struct kvm_cpuid_entry2) {
				.function = UNCONFIGURABLE_LEAF,
				.eax = ~0u,
			});
	}
	TEST_ASSERT(cpuid->nent > 2, "Leaf 4 has only one subleaf");

	r = __tdx_init_vm(self->vm, self->init, &hw_error);
	self->initialized = !r;
	if (!r)
		XFAIL(return, "KVM silently drops entries for a leaf that has no slot");

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(hw_error, 0ull);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
