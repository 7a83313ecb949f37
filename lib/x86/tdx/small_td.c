// SPDX-License-Identifier: GPL-2.0
#include "tdx/small_td.h"

#define RESET_PAGE	0xfffff000ul

struct kvm_vm *small_td_create(u32 nr_vcpus, struct small_td_code code)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_vcpu *vcpu;
	u8 *page;

	vm_create_irqchip(vm);
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, RESET_PAGE, 0, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	__vm_phy_pages_alloc(vm, 1, RESET_PAGE, 0, true);
	page = addr_gpa2hva(vm, RESET_PAGE);
	for (int i = 0; i < PAGE_SIZE; i++)
		page[i] = code.bytes[i % ARRAY_SIZE(code.bytes)];

	tdx_init_vm(vm, NULL);
	for (u32 i = 0; i < nr_vcpus; i++) {
		vcpu = __vm_vcpu_add(vm, i);
		tdx_vcpu_init_cpuid(vcpu);
		tdx_init_vcpu(vcpu, 0);
	}
	tdx_vm_finalize(vm);
	return vm;
}

void small_td_run_to_shutdown(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
}
