// SPDX-License-Identifier: GPL-2.0
/*
 * What the common lib does differently for a TD: each function is the TD's
 * branch of the lib's function that it is named after.
 */
#include <asm/prctl.h>
#include <sys/syscall.h>

#include "tdx/td_boot.h"
#include "tdx/tdx_util.h"
#include "ucall_common.h"

/*
 * A ucall is an 8-byte MMIO write of the ucall's address.  This GPA is in no
 * memslot, and KVM emulates no device there.
 */
#define TDX_UCALL_GPA	0xfff00000ul

u64 tdx_s_bit;

static bool is_tdx_vm_finalized(struct kvm_vm *vm)
{
	struct td_boot_parameters *boot = tdx_vm_boot_parameters(vm);

	return boot && boot->finalized;
}

/*
 * KVM_SET_CPUID2 of a vCPU with AMX needs the permission, which a process can ask for
 * until it has a vCPU.  A host without AMX refuses it.
 */
static void request_amx_permission(void)
{
	syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_GUEST_PERM, ilog2(XFEATURE_MASK_XTILE_DATA));
}

/* This comes first, also for a VM without memory. */
void tdx_vm_init_address_properties(struct kvm_vm *vm)
{
	request_amx_permission();
	vm->arch.s_bit = BIT_ULL(tdx_gpaw - 1);
	vm->gpa_tag_mask = vm->arch.s_bit;

	/* 4-level paging, which every host has. */
	vm->va_bits = 48;
}

/* A GPA with the shared bit is an alias, so the shared half adds no memory. */
unsigned long tdx_vm_compute_max_gfn(struct kvm_vm *vm)
{
	return (vm->arch.s_bit >> vm->page_shift) - 1;
}

void tdx_vm_post_create(struct kvm_vm *vm)
{
	tdx_vm_setup_boot_region(vm);
	write_guest_global(vm, tdx_s_bit, vm->arch.s_bit);
}

struct kvm_vcpu *tdx_vm_vcpu_add(struct kvm_vm *vm, u32 vcpu_id)
{
	struct td_boot_parameters *boot = tdx_vm_boot_parameters(vm);
	struct kvm_vcpu *vcpu;

	TEST_ASSERT(boot, "This TD has no memory, use __vm_create()");
	if (!boot->initialized)
		tdx_init_vm(vm, NULL);

	vcpu = __vm_vcpu_add(vm, vcpu_id);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	tdx_vcpu_boot_parameters(vcpu);
	return vcpu;
}

void tdx_vcpu_set_entry_point(struct kvm_vcpu *vcpu, void *guest_code)
{
	tdx_vcpu_boot_parameters(vcpu)->rip = (u64)guest_code;
}

void tdx_vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, va_list args)
{
	struct td_per_vcpu_parameters *params = tdx_vcpu_boot_parameters(vcpu);
	u64 *regs[] = {
		&params->rdi, &params->rsi, &params->rdx,
		&params->rcx, &params->r8, &params->r9,
	};

	for (int i = 0; i < num; i++)
		*regs[i] = va_arg(args, u64);
}

/*
 * The host keeps its own copy of what was private at launch, page tables
 * included.  A test that reads or changes that copy after the launch has a bug.
 */
void tdx_vm_assert_gpa_accessible(struct kvm_vm *vm, gpa_t gpa)
{
	TEST_ASSERT(!is_tdx_vm_finalized(vm) || !vm_is_gpa_protected(vm, gpa),
		    "GPA 0x%lx is private, the host can't access it after the launch",
		    (unsigned long)gpa);
}

void tdx_vm_assert_mappable(struct kvm_vm *vm)
{
	TEST_ASSERT(!is_tdx_vm_finalized(vm),
		    "The host can't change a TD's page tables after the launch");
}

/* KVM refuses to return a TD's registers, so don't fail once more over them. */
void tdx_vcpu_dump(FILE *stream, struct kvm_vcpu *vcpu, u8 indent)
{
	fprintf(stream, "%*svCPU ID: %u, its state is protected\n", indent, "",
		vcpu->id);
}

/* Runs in the guest. */
void tdx_do_ucall(gva_t uc)
{
	const struct desc_ptr no_idt = {};

	if (!tdvmcall_mmio_write(TDX_UCALL_GPA, sizeof(uc), uc))
		return;

	/*
	 * The ucall did not reach the host.  Shut the vCPU down, as a failed
	 * assertion must not go unnoticed.
	 */
	set_idt(&no_idt);
	asm volatile("ud2");
}

void *tdx_get_ucall(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	void *uc;

	if (run->exit_reason != KVM_EXIT_MMIO ||
	    run->mmio.phys_addr != TDX_UCALL_GPA || !run->mmio.is_write ||
	    run->mmio.len != sizeof(uc))
		return NULL;

	memcpy(&uc, run->mmio.data, sizeof(uc));
	return uc;
}
