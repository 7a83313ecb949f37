// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_CAPABILITIES, and KVM_CHECK_EXTENSION on a TD's file descriptor.
 *
 * KVM_TDX_CAPABILITIES reports what user space may configure: what both the TDX
 * module and KVM support.  It is the same for every TD at any time.
 * KVM_CHECK_EXTENSION reports in what else a TD differs from other VMs, and the
 * ioctls have to agree with that.
 */
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_VM_TYPES	32

static size_t caps_size(u32 nent)
{
	return offsetof(struct kvm_tdx_capabilities, cpuid.entries[nent]);
}

FIXTURE(capabilities) {
	struct kvm_vm *vm;
	struct kvm_tdx_capabilities *caps;
};

FIXTURE_SETUP(capabilities)
{
	self->vm = vm_create_barebones_type(KVM_X86_TDX_VM);
	self->caps = tdx_capabilities(self->vm);
}

FIXTURE_TEARDOWN(capabilities)
{
	free(self->caps);
	kvm_vm_free(self->vm);
}

TEST_F(capabilities, flags)
{
	for (int i = 0; i < 32; i++)
		TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, KVM_TDX_CAPABILITIES,
						 BIT(i), self->caps, NULL),
				  EINVAL);
}

TEST_F(capabilities, hw_error_not_zero)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_CAPABILITIES,
		.data = (u64)self->caps,
		.hw_error = BIT_ULL(63),
	};

	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, &cmd), EINVAL);
	TEST_ASSERT_EQ(cmd.hw_error, BIT_ULL(63));
}

TEST_F(capabilities, command_unreadable)
{
	struct kvm_tdx_cmd *cmd = test_alloc_before_hole(sizeof(*cmd) - 1);

	cmd->id = KVM_TDX_CAPABILITIES;
	cmd->data = (u64)self->caps;
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, cmd), EFAULT);
	TEST_ASSERT_FAILS(__tdx_vm_cmd(self->vm, NULL), EFAULT);
}

/* The only command for which KVM doesn't write hw_error. */
TEST_F(capabilities, command_read_only)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_CAPABILITIES,
		.data = (u64)self->caps,
	};

	TEST_ASSERT(!__tdx_vm_cmd(self->vm, test_alloc_read_only(&cmd, sizeof(cmd))),
		    "KVM tries to write to the command, errno: %d", errno);
}

TEST_F(capabilities, data_unreadable)
{
	TEST_ASSERT_FAILS(__tdx_capabilities(self->vm, NULL), EFAULT);
}

TEST_F(capabilities, data_read_only)
{
	struct kvm_tdx_capabilities *caps = test_alloc_before_hole(caps_size(0));
	u8 *page = (u8 *)((u64)caps & PAGE_MASK);

	/* KVM can read the count, but can't write the fields before it. */
	caps->cpuid.nent = TDX_MAX_CPUID;
	TEST_ASSERT(!mprotect(page, PAGE_SIZE, PROT_READ), "mprotect() failed");
	TEST_ASSERT_FAILS(__tdx_capabilities(self->vm, caps), EFAULT);
}

TEST_F(capabilities, entries_unwritable)
{
	const u32 nent = self->caps->cpuid.nent;
	struct kvm_tdx_capabilities *caps = test_alloc_before_hole(caps_size(nent) - 1);

	caps->cpuid.nent = nent;
	TEST_ASSERT_FAILS(__tdx_capabilities(self->vm, caps), EFAULT);
}

/* KVM doesn't say how many entries there are. */
TEST_F(capabilities, too_few_entries)
{
	const u32 nent[] = { 0, 1, self->caps->cpuid.nent - 1 };
	const size_t size = caps_size(self->caps->cpuid.nent);
	struct kvm_tdx_capabilities *caps = malloc(size);
	struct kvm_tdx_capabilities *untouched = malloc(size);

	for (int i = 0; i < ARRAY_SIZE(nent); i++) {
		memset(caps, 0xa5, size);
		caps->cpuid.nent = nent[i];
		memcpy(untouched, caps, size);
		TEST_ASSERT_FAILS(__tdx_capabilities(self->vm, caps), E2BIG);
		TEST_ASSERT(!memcmp(caps, untouched, size),
			    "KVM wrote something, with room for %u entries only", nent[i]);
	}

	free(untouched);
	free(caps);
}

TEST_F(capabilities, just_enough_entries)
{
	const size_t size = caps_size(self->caps->cpuid.nent);
	struct kvm_tdx_capabilities *caps = test_alloc_before_hole(size);

	caps->cpuid.nent = self->caps->cpuid.nent;
	TEST_ASSERT(!__tdx_capabilities(self->vm, caps),
		    "Failed although all entries fit, errno: %d", errno);
	TEST_ASSERT(!memcmp(caps, self->caps, size), "Two calls differ");
}

TEST_F(capabilities, more_entries_than_needed)
{
	const size_t size = caps_size(self->caps->cpuid.nent);
	struct kvm_tdx_capabilities *caps = malloc(size + 1);

	memset(caps, 0xa5, size + 1);
	caps->cpuid.nent = ~0u;
	TEST_ASSERT(!__tdx_capabilities(self->vm, caps), "errno: %d", errno);

	/* KVM writes every byte of the entries, and none behind them. */
	TEST_ASSERT(!memcmp(caps, self->caps, size), "Two calls differ");
	TEST_ASSERT_EQ(((u8 *)caps)[size], 0xa5);
	free(caps);
}

TEST_F(capabilities, reserved_fields)
{
	struct kvm_tdx_capabilities *caps = self->caps;

	for (int i = 0; i < ARRAY_SIZE(caps->reserved); i++)
		TEST_ASSERT(!caps->reserved[i], "reserved[%d] is 0x%llx", i,
			    caps->reserved[i]);
	TEST_ASSERT_EQ(caps->cpuid.padding, 0);
	for (int i = 0; i < caps->cpuid.nent; i++)
		for (int j = 0; j < ARRAY_SIZE(caps->cpuid.entries[i].padding); j++)
			TEST_ASSERT_EQ(caps->cpuid.entries[i].padding[j], 0);
}

/*
 * The TDVMCALLs that user space may offer to the guest.  GetQuote isn't among
 * them, as every KVM that can run TDs supports it.
 */
TEST_F(capabilities, tdvmcalls)
{
	struct kvm_tdx_capabilities *caps = self->caps;

	TEST_ASSERT_EQ(caps->user_tdvmcallinfo_1_r11,
		       TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT);
	TEST_ASSERT_EQ(caps->user_tdvmcallinfo_1_r12, 0ull);
	TEST_ASSERT_EQ(caps->kernel_tdvmcallinfo_1_r11, 0ull);
	TEST_ASSERT_EQ(caps->kernel_tdvmcallinfo_1_r12, 0ull);
}

/* KVM doesn't support debuggable TDs, whose state it could access. */
TEST_F(capabilities, attributes)
{
	TEST_ASSERT(self->caps->supported_attrs, "KVM supports no attribute");
	TEST_ASSERT_EQ(self->caps->supported_attrs & TDX_TD_ATTR_DEBUG, 0);
}

/*
 * A TD can't have any state that KVM supports for no VM.  KVM_GET_SUPPORTED_CPUID
 * lacks bits of XCR0 for which the process needs permission; the device attribute
 * has all.
 */
TEST_F(capabilities, xfam)
{
	const struct kvm_cpuid_entry2 *xss;
	const u64 xfam = self->caps->supported_xfam;
	u64 xcr0;
	struct kvm_device_attr attr = {
		.attr = KVM_X86_XCOMP_GUEST_SUPP,
		.addr = (u64)&xcr0,
	};
	int kvm = open_kvm_dev_path_or_exit();

	kvm_ioctl(kvm, KVM_GET_DEVICE_ATTR, &attr);
	close(kvm);
	xss = get_cpuid_entry(kvm_get_supported_cpuid(), 0xd, 1);

	TEST_ASSERT_EQ(xfam & XFEATURE_MASK_FP, XFEATURE_MASK_FP);
	TEST_ASSERT_EQ(xfam & XFEATURE_MASK_SSE, XFEATURE_MASK_SSE);
	TEST_ASSERT_EQ(xfam & ~(xcr0 | (u64)xss->edx << 32 | xss->ecx), 0);
}

/* The module starts only on a CPU that has the state of CET, and offers it. */
TEST_F(capabilities, xfam_has_cet_if_kvm_has)
{
	const u64 cet = XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL;
	const struct kvm_cpuid_entry2 *xss;

	xss = get_cpuid_entry(kvm_get_supported_cpuid(), 0xd, 1);
	if ((xss->ecx & cet) != cet)
		SKIP(return, "KVM does not support CET");
	TEST_ASSERT_EQ(self->caps->supported_xfam & cet, cet);
}

TEST_F(capabilities, no_cpuid_entry_twice)
{
	struct kvm_cpuid2 *cpuid = &self->caps->cpuid;

	TEST_ASSERT(cpuid->nent, "Nothing is configurable");
	for (int i = 0; i < cpuid->nent; i++)
		for (int j = 0; j < i; j++)
			TEST_ASSERT(cpuid->entries[i].function != cpuid->entries[j].function ||
				    cpuid->entries[i].index != cpuid->entries[j].index,
				    "There are two entries for 0x%x.%u", cpuid->entries[i].function,
				    cpuid->entries[i].index);
}

/* The module has another number for a leaf without subleaves than KVM. */
TEST_F(capabilities, cpuid_index_without_subleaf)
{
	struct kvm_cpuid2 *cpuid = &self->caps->cpuid;

	TEST_ASSERT_EQ(get_cpuid_entry(cpuid, 1, 0)->index, 0);
	TEST_ASSERT_EQ(get_cpuid_entry(cpuid, 0x80000008, 0)->index, 0);
	for (int i = 0; i < cpuid->nent; i++)
		TEST_ASSERT(cpuid->entries[i].index != ~0u, "Leaf 0x%x has no index",
			    cpuid->entries[i].function);
}

/*
 * Without the flag an entry means all subleaves of its leaf when user space passes
 * it back to KVM_TDX_INIT_VM.
 */
TEST_F(capabilities, cpuid_index_is_significant)
{
	struct kvm_cpuid2 *cpuid = &self->caps->cpuid;
	u32 flagged = 0, indexed = 0;

	for (int i = 0; i < cpuid->nent; i++) {
		flagged += !!(cpuid->entries[i].flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
		indexed += !!cpuid->entries[i].index;
		TEST_ASSERT_EQ(cpuid->entries[i].flags & ~KVM_CPUID_FLAG_SIGNIFCANT_INDEX, 0);
	}

	TEST_ASSERT(indexed, "There is no entry for a subleaf");
	if (!flagged)
		XFAIL(return, "no entry says that its index is significant");

	for (int i = 0; i < cpuid->nent; i++)
		TEST_ASSERT(!cpuid->entries[i].index || cpuid->entries[i].flags,
			    "0x%x.%u does not say that its index is significant",
			    cpuid->entries[i].function, cpuid->entries[i].index);
}

/* KVM_TDX_INIT_VM has to refuse them, see tdx_init_vm_cpuid_test. */
TEST_F(capabilities, tsx_and_waitpkg_hidden)
{
	const struct kvm_cpuid_entry2 *entry = get_cpuid_entry(&self->caps->cpuid, 7, 0);

	TEST_ASSERT_EQ(entry->ebx & BIT(X86_FEATURE_HLE.bit), 0);
	TEST_ASSERT_EQ(entry->ebx & BIT(X86_FEATURE_RTM.bit), 0);
	TEST_ASSERT_EQ(entry->ecx & BIT(X86_FEATURE_WAITPKG.bit), 0);
}

/* The module has a parameter for the width of GPAs, KVM takes it from CPUID. */
TEST_F(capabilities, gpa_width_configurable)
{
	TEST_ASSERT_EQ(get_cpuid_entry(&self->caps->cpuid, 0x80000008, 0)->eax >> 16 & 0xff,
		       0xff);
}

static void assert_same(struct kvm_vm *vm, struct kvm_tdx_capabilities *expected,
			const char *when)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);

	TEST_ASSERT(!memcmp(caps, expected, caps_size(expected->cpuid.nent)),
		    "KVM reports something else %s", when);
	free(caps);
}

static void guest_done(void)
{
	GUEST_DONE();
}

TEST_F(capabilities, same_at_any_time)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu;

	assert_same(vm, self->caps, "for another VM");
	tdx_init_vm(vm, NULL);
	assert_same(vm, self->caps, "after KVM_TDX_INIT_VM");
	vcpu = vm_vcpu_add(vm, 0, guest_done);
	assert_same(vm, self->caps, "with a vCPU");
	tdx_vm_finalize(vm);
	assert_same(vm, self->caps, "after KVM_TDX_FINALIZE_VM");
	vcpu_run_to_done(vcpu);
	assert_same(vm, self->caps, "after the TD has run");

	kvm_vm_free(vm);
}

/* KVM creates VMs of the types that it reports, and of no other. */
FIXTURE(vm_types) { };
FIXTURE_SETUP(vm_types) { }
FIXTURE_TEARDOWN(vm_types) { }

TEST_F(vm_types, reported_or_refused)
{
	const u32 types = kvm_check_cap(KVM_CAP_VM_TYPES);
	int kvm = open_kvm_dev_path_or_exit();

	for (unsigned long type = 0; type < NR_VM_TYPES; type++) {
		int fd = ioctl(kvm, KVM_CREATE_VM, type);

		if (types & BIT(type)) {
			TEST_ASSERT(fd >= 0, "Type %lu, errno: %d", type, errno);
			close(fd);
		} else {
			TEST_ASSERT(fd == -1 && errno == EINVAL,
				    "Type %lu, errno: %d", type, errno);
		}
	}
	close(kvm);
}

/* KVM_MEMORY_ENCRYPT_OP on a VM that is not a TD. */
FIXTURE(other_vm) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(other_vm) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(other_vm, plain) { .type = KVM_X86_DEFAULT_VM };
FIXTURE_VARIANT_ADD(other_vm, sw_protected) { .type = KVM_X86_SW_PROTECTED_VM };

FIXTURE_SETUP(other_vm)
{
	if (!(kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(variant->type)))
		SKIP(return, "no VMs of this type");

	self->vm = vm_create_barebones_type(variant->type);
	vm_create_irqchip(self->vm);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
}

FIXTURE_TEARDOWN(other_vm)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

TEST_F(other_vm, has_no_vm_commands)
{
	for (u32 id = 0; id < KVM_TDX_CMD_NR_MAX; id++)
		TEST_ASSERT_FAILS(__tdx_vm_ioctl(self->vm, id, 0, NULL, NULL), ENOTTY);
}

TEST_F(other_vm, has_no_vcpu_commands)
{
	for (u32 id = 0; id < KVM_TDX_CMD_NR_MAX; id++)
		TEST_ASSERT_FAILS(__tdx_vcpu_ioctl(self->vcpu, id, 0, 0, NULL), EINVAL);
}

/* What KVM_CHECK_EXTENSION reports for a TD, compared with another VM. */
FIXTURE(extensions) {
	struct kvm_vm *td;
	struct kvm_vm *plain;
};

FIXTURE_SETUP(extensions)
{
	self->td = vm_create_barebones_type(KVM_X86_TDX_VM);
	self->plain = vm_create_barebones_type(KVM_X86_DEFAULT_VM);
}

FIXTURE_TEARDOWN(extensions)
{
	kvm_vm_free(self->plain);
	kvm_vm_free(self->td);
}

/* Online or not.  The kernel prints a list of numbers and ranges. */
static int nr_present_cpus(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/present", "r");
	int first, last, nr = 0;

	TEST_ASSERT(file, "Can't open the list of CPUs, errno: %d", errno);
	while (fscanf(file, "%d", &first) == 1) {
		if (fscanf(file, "-%d", &last) != 1)
			last = first;
		nr += last - first + 1;
		if (fgetc(file) != ',')
			break;
	}
	fclose(file);
	return nr;
}

TEST_F(extensions, max_vcpus)
{
	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_MAX_VCPUS),
		       min_t(int, kvm_check_cap(KVM_CAP_MAX_VCPUS), nr_present_cpus()));
}

TEST_F(extensions, no_sync_regs)
{
	TEST_ASSERT(vm_check_cap(self->plain, KVM_CAP_SYNC_REGS),
		    "No VM has KVM_CAP_SYNC_REGS");
	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_SYNC_REGS), 0);
}

TEST_F(extensions, no_readonly_mem)
{
	TEST_ASSERT(vm_check_cap(self->plain, KVM_CAP_READONLY_MEM),
		    "No VM has KVM_CAP_READONLY_MEM");
	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_READONLY_MEM), 0);
}

TEST_F(extensions, no_smm)
{
	if (!vm_check_cap(self->plain, KVM_CAP_X86_SMM))
		SKIP(return, "no VM of this kernel has SMM");

	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_X86_SMM), 0);
	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_MULTI_ADDRESS_SPACE), 1);
}

/*
 * Which pages are private is an attribute of the VM, or of a guest_memfd that is
 * converted in place; such a file may begin with all pages shared.
 */
TEST_F(extensions, private_memory)
{
	const u32 flags = vm_check_cap(self->td, KVM_CAP_GUEST_MEMFD_FLAGS);
	const bool in_place = flags & GUEST_MEMFD_FLAG_INIT_SHARED;

	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_MEMORY_ATTRIBUTES),
		       in_place ? 0 : KVM_MEMORY_ATTRIBUTE_PRIVATE);
	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_GUEST_MEMFD), 1);
	TEST_ASSERT_EQ(vm_check_cap(self->td, KVM_CAP_PRE_FAULT_MEMORY), 1);
}

TEST_F(extensions, guest_memfd_flags)
{
	const u32 flags = vm_check_cap(self->td, KVM_CAP_GUEST_MEMFD_FLAGS);

	for (int i = 0; i < 64; i++) {
		int fd = __vm_create_guest_memfd(self->td, PAGE_SIZE, BIT_ULL(i));

		TEST_ASSERT(i < 32 && flags & BIT(i) ? fd >= 0 : fd == -1 && errno == EINVAL,
			    "Flag %d, errno: %d", i, errno);
		if (fd >= 0)
			close(fd);
	}
}

/* KVM can't see a TD's EOIs, so it can't emulate an I/O APIC. */
TEST_F(extensions, irqchip_split_only)
{
	/* KVM can be built without the I/O APIC and the PIT. */
	const bool ioapic = kvm_has_cap(KVM_CAP_PIT2);
	struct kvm_pit_config pit = {};

	TEST_ASSERT_FAILS(__vm_ioctl(self->td, KVM_CREATE_IRQCHIP, NULL), ENOTTY);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td, KVM_CREATE_PIT2, &pit),
			  ioapic ? ENOENT : ENOTTY);
	vm_enable_cap(self->td, KVM_CAP_SPLIT_IRQCHIP, 24);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td, KVM_CREATE_IRQCHIP, NULL),
			  ioapic ? EEXIST : ENOTTY);
}

TEST_F(extensions, no_encryption_context_of_another_vm)
{
	struct kvm_vm *source = vm_create_barebones_type(KVM_X86_TDX_VM);

	TEST_ASSERT_FAILS(__vm_enable_cap(self->td, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
					  source->fd), EINVAL);
	TEST_ASSERT_FAILS(__vm_enable_cap(self->td, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
					  source->fd), EINVAL);
	kvm_vm_free(source);
}

TEST_F(extensions, no_encrypted_regions)
{
	struct kvm_enc_region region = { .size = PAGE_SIZE };

	TEST_ASSERT_FAILS(__vm_ioctl(self->td, KVM_MEMORY_ENCRYPT_REG_REGION, &region),
			  ENOTTY);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td, KVM_MEMORY_ENCRYPT_UNREG_REGION, &region),
			  ENOTTY);
}

/* A TD can only have the PMU that the module virtualizes. */
TEST_F(extensions, no_pmu_of_kvm)
{
	if (!vm_check_cap(self->td, KVM_CAP_PMU_CAPABILITY))
		SKIP(return, "no VM has a PMU");

	TEST_ASSERT_FAILS(__vm_enable_cap(self->td, KVM_CAP_PMU_CAPABILITY, 0), EINVAL);
	vm_enable_cap(self->td, KVM_CAP_PMU_CAPABILITY, KVM_PMU_CAP_DISABLE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
