// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>

#include "tdx/td_boot.h"
#include "tdx/tdx_util.h"

u32 tdx_gpaw = 48;

int __tdx_vm_ioctl(struct kvm_vm *vm, u32 id, u32 flags, void *data,
		   u64 *hw_error)
{
	struct kvm_tdx_cmd cmd = {
		.id = id,
		.flags = flags,
		.data = (u64)data,
	};
	int r = __tdx_vm_cmd(vm, &cmd);

	if (hw_error)
		*hw_error = cmd.hw_error;
	return r;
}

int __tdx_vcpu_ioctl(struct kvm_vcpu *vcpu, u32 id, u32 flags, u64 data,
		     u64 *hw_error)
{
	struct kvm_tdx_cmd cmd = {
		.id = id,
		.flags = flags,
		.data = data,
	};
	int r = __tdx_vcpu_cmd(vcpu, &cmd);

	if (hw_error)
		*hw_error = cmd.hw_error;
	return r;
}

#define TEST_ASSERT_TDX(vm, name, ret, hw_error)			\
do {									\
	TEST_ASSERT(!(ret) || !(hw_error),				\
		    "%s failed, errno: %i, TDX module status: 0x%lx",	\
		    name, errno, (unsigned long)(hw_error));		\
	__TEST_ASSERT_VM_VCPU_IOCTL(!(ret), name, ret, vm);		\
} while (0)

int __tdx_capabilities(struct kvm_vm *vm, struct kvm_tdx_capabilities *caps)
{
	return __tdx_vm_ioctl(vm, KVM_TDX_CAPABILITIES, 0, caps, NULL);
}

struct kvm_tdx_capabilities *tdx_capabilities(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps;
	int r;

	caps = calloc(1, sizeof(*caps) +
			 TDX_MAX_CPUID * sizeof(caps->cpuid.entries[0]));
	TEST_ASSERT(caps, "-ENOMEM when allocating TDX capabilities");

	caps->cpuid.nent = TDX_MAX_CPUID;
	r = __tdx_capabilities(vm, caps);
	TEST_ASSERT_TDX(vm, "KVM_TDX_CAPABILITIES", r, 0);
	return caps;
}

struct kvm_tdx_init_vm *tdx_default_init_vm(struct kvm_vm *vm)
{
	const struct kvm_cpuid2 *supported = kvm_get_supported_cpuid();
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	const u32 gpaw = __builtin_ctzll(vm->arch.s_bit) + 1;
	struct kvm_tdx_init_vm *init;

	init = calloc(1, sizeof(*init) +
			 TDX_MAX_CPUID * sizeof(init->cpuid.entries[0]));
	TEST_ASSERT(init, "-ENOMEM when allocating TD parameters");

	for (int i = 0; i < caps->cpuid.nent; i++) {
		const struct kvm_cpuid_entry2 *config = &caps->cpuid.entries[i];

		for (int j = 0; j < supported->nent; j++) {
			struct kvm_cpuid_entry2 entry = supported->entries[j];

			if (entry.function != config->function ||
			    entry.index != config->index)
				continue;

			/*
			 * If the index is not significant, KVM applies the
			 * entry to all subleaves of the leaf.
			 */
			entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
			entry.eax &= config->eax;
			entry.ebx &= config->ebx;
			entry.ecx &= config->ecx;
			entry.edx &= config->edx;

			/*
			 * 0 asks for the platform's family, model and stepping.
			 * A TD can't have others, and with several packages
			 * this CPU's may be among these.
			 */
			if (entry.function == 1)
				entry.eax = 0;

			/* EAX[23:16] tells KVM the width of GPAs. */
			if (entry.function == 0x80000008)
				entry.eax = (entry.eax & ~GENMASK(23, 16)) |
					    gpaw << 16;

			init->cpuid.entries[init->cpuid.nent++] = entry;
			break;
		}
	}

	free(caps);
	return init;
}

int __tdx_init_vm(struct kvm_vm *vm, struct kvm_tdx_init_vm *init,
		  u64 *hw_error)
{
	int r = __tdx_vm_ioctl(vm, KVM_TDX_INIT_VM, 0, init, hw_error);
	struct td_boot_parameters *boot = tdx_vm_boot_parameters(vm);

	if (!r && boot)
		boot->initialized = true;
	return r;
}

void tdx_init_vm(struct kvm_vm *vm, struct kvm_tdx_init_vm *init)
{
	struct kvm_tdx_init_vm *defaults = NULL;
	u64 hw_error;
	int r;

	if (!init)
		init = defaults = tdx_default_init_vm(vm);

	r = __tdx_init_vm(vm, init, &hw_error);
	TEST_ASSERT_TDX(vm, "KVM_TDX_INIT_VM", r, hw_error);
	free(defaults);
}

int __tdx_get_cpuid(struct kvm_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	return __tdx_vcpu_ioctl(vcpu, KVM_TDX_GET_CPUID, 0, (u64)cpuid, NULL);
}

struct kvm_cpuid2 *tdx_get_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);
	int r = __tdx_get_cpuid(vcpu, cpuid);

	TEST_ASSERT_TDX(vcpu->vm, "KVM_TDX_GET_CPUID", r, 0);
	return cpuid;
}

void tdx_vcpu_init_cpuid(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = tdx_get_cpuid(vcpu);

	vcpu_init_cpuid(vcpu, cpuid);
	free(cpuid);
}

/*
 * Pin the thread to one CPU, because KVM can't move a vCPU in the middle of
 * KVM_TDX_INIT_VCPU: tdx_flush_vp() sees that the vCPU is not initialized and leaves
 * it associated with the old CPU, and the next SEAMCALL on the new CPU fails.
 */
int __tdx_init_vcpu(struct kvm_vcpu *vcpu, u64 rcx, u64 *hw_error)
{
	pthread_t self = pthread_self();
	cpu_set_t cpus;
	int r, error;

	TEST_ASSERT_EQ(pthread_getaffinity_np(self, sizeof(cpus), &cpus), 0);
	pin_self_to_any_cpu();
	r = __tdx_vcpu_ioctl(vcpu, KVM_TDX_INIT_VCPU, 0, rcx, hw_error);
	error = errno;
	TEST_ASSERT_EQ(pthread_setaffinity_np(self, sizeof(cpus), &cpus), 0);
	errno = error;
	return r;
}

void tdx_init_vcpu(struct kvm_vcpu *vcpu, u64 rcx)
{
	u64 hw_error;
	int r = __tdx_init_vcpu(vcpu, rcx, &hw_error);

	TEST_ASSERT_TDX(vcpu->vm, "KVM_TDX_INIT_VCPU", r, hw_error);
}

int __tdx_init_mem_region(struct kvm_vcpu *vcpu, u32 flags,
			  struct kvm_tdx_init_mem_region *region, u64 *hw_error)
{
	return __tdx_vcpu_ioctl(vcpu, KVM_TDX_INIT_MEM_REGION, flags,
				(u64)region, hw_error);
}

bool tdx_measure_memory;

void tdx_init_mem_region(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size)
{
	const u32 flags = tdx_measure_memory ? KVM_TDX_MEASURE_MEMORY_REGION : 0;
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(vcpu->vm, gpa),
		.gpa = gpa,
		.nr_pages = size / PAGE_SIZE,
	};
	u64 hw_error;
	int r;

	do {
		r = __tdx_init_mem_region(vcpu, flags, &region, &hw_error);
	} while (r && errno == EINTR);

	TEST_ASSERT_TDX(vcpu->vm, "KVM_TDX_INIT_MEM_REGION", r, hw_error);
}

static void init_region(struct kvm_vcpu *vcpu,
			struct userspace_mem_region *region)
{
	struct kvm_vm *vm = vcpu->vm;
	sparsebit_idx_t i, j;

	if (!sparsebit_any_set(region->protected_phy_pages))
		return;

	TEST_ASSERT(region->region.flags & KVM_MEM_GUEST_MEMFD,
		    "Memslot %u has private pages but no guest_memfd",
		    region->region.slot);

	sparsebit_for_each_set_range(region->protected_phy_pages, i, j) {
		gpa_t gpa = i << vm->page_shift;
		u64 size = (j - i + 1) << vm->page_shift;

		vm_mem_set_private(vm, gpa, size);
		tdx_init_mem_region(vcpu, gpa, size);
	}
}

void tdx_load_private_memory(struct kvm_vm *vm)
{
	struct userspace_mem_region *region;
	struct kvm_vcpu *vcpu;
	int ctr;

	TEST_ASSERT(!list_empty(&vm->vcpus), "A TD needs a vCPU before memory can be added");

	/* The first vCPU: the lib adds new ones at the head. */
	vcpu = list_last_entry(&vm->vcpus, struct kvm_vcpu, list);

	hash_for_each(vm->regions.slot_hash, ctr, region, slot_node)
		init_region(vcpu, region);
}

int __tdx_finalize(struct kvm_vm *vm, u64 *hw_error)
{
	int r = __tdx_vm_ioctl(vm, KVM_TDX_FINALIZE_VM, 0, NULL, hw_error);
	struct td_boot_parameters *boot = tdx_vm_boot_parameters(vm);

	if (!r && boot)
		boot->finalized = true;
	return r;
}

void tdx_finalize(struct kvm_vm *vm)
{
	u64 hw_error;
	int r = __tdx_finalize(vm, &hw_error);

	TEST_ASSERT_TDX(vm, "KVM_TDX_FINALIZE_VM", r, hw_error);
}

void tdx_vm_finalize(struct kvm_vm *vm)
{
	tdx_load_private_memory(vm);
	tdx_finalize(vm);
}

void tdx_map_both(struct kvm_vm *vm, gpa_t gpa, u64 npages)
{
	for (u64 i = 0; i < npages; i++, gpa += PAGE_SIZE) {
		virt_map(vm, gpa, gpa, 1);
		*vm_get_pte(vm, gpa) &= ~vm->arch.s_bit;

		virt_map(vm, tdx_shared_gva(gpa), gpa, 1);
		*vm_get_pte(vm, tdx_shared_gva(gpa)) |= vm->arch.s_bit;
	}
}

gpa_t add_memslot_beyond_width(struct kvm_vm *vm, u32 slot, void *mem,
			       int guest_memfd)
{
	const bool private = guest_memfd >= 0;
	const gpa_t gpa = vm->arch.s_bit << 1;

	if (__vm_set_user_memory_region2(vm, slot, private ? KVM_MEM_GUEST_MEMFD : 0,
					 gpa, PAGE_SIZE, mem, guest_memfd, 0)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return 0;
	}
	if (private)
		vm_mem_set_private(vm, gpa, PAGE_SIZE);
	return gpa;
}
