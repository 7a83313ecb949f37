// SPDX-License-Identifier: GPL-2.0
#include "tdx/tdx_cpuid.h"

const char * const cpuid_reg_names[NR_CPUID_REGS] = {
	[KVM_CPUID_EAX] = "EAX",
	[KVM_CPUID_EBX] = "EBX",
	[KVM_CPUID_ECX] = "ECX",
	[KVM_CPUID_EDX] = "EDX",
};

struct kvm_cpuid_entry2 *find_cpuid_entry(struct kvm_cpuid2 *cpuid, u32 leaf,
					  u32 index)
{
	for (int i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == leaf && entry->index == index)
			return entry;
	}
	return NULL;
}

void add_cpuid_entry(struct kvm_cpuid2 *cpuid, struct kvm_cpuid_entry2 entry)
{
	TEST_ASSERT(cpuid->nent < TDX_MAX_CPUID, "No room for another entry");
	cpuid->entries[cpuid->nent++] = entry;
}

void tdx_set_gpa_width(struct kvm_tdx_init_vm *init, u8 width)
{
	struct kvm_cpuid_entry2 *entry = cpuid_entry(&init->cpuid, 0x80000008, 0);

	entry->eax = (entry->eax & ~GENMASK(23, 16)) | width << 16;
}

struct kvm_vm *tdx_create_without_memory(struct kvm_tdx_init_vm *init)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	vm_create_irqchip(vm);
	tdx_init_vm(vm, init);
	return vm;
}
