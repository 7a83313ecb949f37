// SPDX-License-Identifier: GPL-2.0
#include "tdx/td_boot.h"
#include "tdx/tdx_util.h"

#define DESC_TYPE_TSS	9

u64 tdx_reset_rcx(void)
{
	struct td_boot_parameters *params = (void *)TD_BOOT_PARAMETERS_GPA;

	return params->per_vcpu[tdg_vp_info().vcpu_index].reset_rcx;
}

struct td_boot_parameters *tdx_vm_boot_parameters(struct kvm_vm *vm)
{
	struct userspace_mem_region *region;

	hash_for_each_possible(vm->regions.slot_hash, region, slot_node, TD_BOOT_SLOT)
		if (region->region.slot == TD_BOOT_SLOT)
			return region->host_mem;

	return NULL;
}

/* Allocate @gpa's page of the boot slot and map it at the same GVA. */
static void boot_alloc_page(struct kvm_vm *vm, gpa_t gpa)
{
	gpa_t got = __vm_phy_pages_alloc(vm, 1, gpa, TD_BOOT_SLOT, true);

	TEST_ASSERT_EQ(got, gpa);
	virt_map(vm, gpa, gpa, 1);
}

void tdx_vm_setup_boot_region(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TD_BOOT_PARAMETERS_GPA,
				    TD_BOOT_SLOT, TD_BOOT_NR_PAGES,
				    KVM_MEM_GUEST_MEMFD);
	boot_alloc_page(vm, TD_BOOT_PARAMETERS_GPA);
	boot_alloc_page(vm, TD_BOOT_CODE_GPA);
	memcpy(addr_gpa2hva(vm, TD_BOOT_CODE_GPA), td_boot, sizeof(td_boot));
}

static void boot_init_gdt(struct kvm_vm *vm, struct td_per_vcpu_parameters *params)
{
	struct desc64 *tss = (void *)params->gdt + TD_BOOT_TSS;

	memcpy(params->gdt, addr_gva2hva(vm, vm->arch.gdt), sizeof(params->gdt));

	/*
	 * The lib marks its TSS as busy, as KVM_SET_SREGS wants it.  LTR wants
	 * an available one and marks it busy, hence a GDT for each vCPU.
	 */
	tss->type = DESC_TYPE_TSS;
}

/* Returns the top of a new stack as a call leaves it, 8 bytes off alignment. */
static gva_t alloc_stack(struct kvm_vm *vm)
{
	const size_t size = DEFAULT_STACK_PGS * PAGE_SIZE;

	return __vm_alloc(vm, size, DEFAULT_GUEST_STACK_VADDR_MIN,
			  MEM_REGION_DATA) + size - 8;
}

struct td_per_vcpu_parameters *tdx_vcpu_boot_parameters(struct kvm_vcpu *vcpu)
{
	struct kvm_vm *vm = vcpu->vm;
	struct td_boot_parameters *boot = tdx_vm_boot_parameters(vm);
	struct td_per_vcpu_parameters *params;
	gpa_t gpa, last;

	TEST_ASSERT(boot, "This TD has no memory, use __vm_create()");

	for (u32 i = 0; i < boot->nr_vcpus; i++)
		if (boot->per_vcpu[i].id == vcpu->id)
			return &boot->per_vcpu[i];

	params = &boot->per_vcpu[boot->nr_vcpus++];
	gpa = TD_BOOT_PARAMETERS_GPA + ((void *)params - (void *)boot);
	last = gpa + sizeof(*params) - 1;
	TEST_ASSERT(last < TD_BOOT_CODE_GPA, "No room to boot %u vCPUs",
		    boot->nr_vcpus);
	if (!vm_is_gpa_protected(vm, last))
		boot_alloc_page(vm, last & PAGE_MASK);

	boot_init_gdt(vm, params);
	params->gdtr.size = sizeof(params->gdt) - 1;
	params->gdtr.address = gpa + offsetof(struct td_per_vcpu_parameters, gdt);
	params->idtr.size = PAGE_SIZE - 1;
	params->idtr.address = vm->arch.idt;
	params->id = vcpu->id;
	params->cr3 = vm->mmu.pgd;
	params->rsp = alloc_stack(vm);

	return params;
}
