/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a TD's vCPUs get from reset to guest code.  Used by the lib only.
 *
 * The host can't set a TD's registers: every vCPU starts at the reset vector,
 * in 32-bit protected mode without paging.  What KVM_SET_SREGS and
 * KVM_SET_REGS do for other VMs travels through memory here: a small memslot
 * that ends at 4 GiB holds the parameters of each vCPU and, in its last page,
 * the code that loads them.
 */
#ifndef SELFTEST_KVM_TDX_BOOT_H
#define SELFTEST_KVM_TDX_BOOT_H

#include "tdx/tdx_util.h"

/* Far from the numbers that tests choose for their own memslots. */
#define TDX_BOOT_SLOT		4095

#define TDX_BOOT_CODE_GPA	0xfffff000ul
#define TDX_BOOT_GPA		0xfffe0000ul
#define TDX_BOOT_NR_PAGES	((TDX_BOOT_CODE_GPA - TDX_BOOT_GPA) / PAGE_SIZE + 1)

/* Null, code, data, and a TSS of two entries, as the lib lays them out. */
#define TDX_BOOT_NR_GDT		5

struct tdx_boot_vcpu {
	u64 gdt[TDX_BOOT_NR_GDT];
	struct desc_ptr gdtr;
	struct desc_ptr idtr;
	u32 id;
	u64 cr3;
	u64 rip;
	u64 rsp;
	u64 rdi, rsi, rdx, rcx, r8, r9;
	u64 reset_rcx;		/* written by the guest */
};

/*
 * The first page(s) of the slot.  All but @vcpus is for the host, which can't
 * keep it in struct kvm_vm.
 */
struct tdx_boot {
	bool initialized;	/* KVM_TDX_INIT_VM has succeeded */
	bool finalized;		/* KVM_TDX_FINALIZE_VM has succeeded */
	u32 nr_vcpus;
	struct tdx_boot_vcpu vcpus[];	/* by VCPU_INDEX */
};

/* Add the boot slot to a VM that has the lib's memory. */
void tdx_boot_init(struct kvm_vm *vm);

/* The boot slot as the host sees it, NULL for VMs without. */
struct tdx_boot *tdx_boot(struct kvm_vm *vm);

/*
 * @vcpu's parameters.  The first use gives it a stack and the next free
 * place, so uses have to come in the order of KVM_TDX_INIT_VCPU.
 */
struct tdx_boot_vcpu *tdx_boot_vcpu(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_TDX_BOOT_H */
