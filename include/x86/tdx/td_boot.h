/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a TD's vCPUs get from reset to guest code.  For the lib only.
 *
 * The host can't set a TD's registers: every vCPU starts at the reset vector,
 * in 32-bit protected mode without paging.  For a TD, guest code in td_boot.S does
 * what KVM_SET_SREGS and KVM_SET_REGS do for other VMs.  It runs from the last
 * page of a small memslot below 4 GiB, and loads what the host put into the pages
 * before it.
 */
#ifndef SELFTEST_KVM_TD_BOOT_H
#define SELFTEST_KVM_TD_BOOT_H

#include <linux/const.h>

/* The memslot.  Tests use small numbers for theirs. */
#define TD_BOOT_SLOT		4095

#define TD_BOOT_PARAMETERS_GPA	_AC(0xfffe0000, UL)
#define TD_BOOT_CODE_GPA	_AC(0xfffff000, UL)

/* Offset of the reset vector, 0xfffffff0, in the page of code. */
#define TD_BOOT_RESET_VECTOR	0xff0

/* Selectors in the lib's GDT, see lib/x86/processor.c. */
#define TD_BOOT_CS		0x08
#define TD_BOOT_DS		0x10
#define TD_BOOT_TSS		0x18

#ifndef __ASSEMBLER__

#include "kvm_util.h"
#include "processor.h"

#define TD_BOOT_NR_PAGES						\
	((TD_BOOT_CODE_GPA - TD_BOOT_PARAMETERS_GPA) / PAGE_SIZE + 1)

/* Null, code, data, and a TSS, which takes two entries. */
#define TD_BOOT_NR_GDT		5

/* What a vCPU loads. */
struct td_per_vcpu_parameters {
	u64 gdt[TD_BOOT_NR_GDT];
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
 * The first page(s) of the slot.  The guest uses @per_vcpu only; the rest is the
 * lib's state of the TD, for which struct kvm_vm has no room.
 */
struct td_boot_parameters {
	bool initialized;	/* KVM_TDX_INIT_VM has succeeded */
	bool finalized;		/* KVM_TDX_FINALIZE_VM has succeeded */
	u32 nr_vcpus;
	struct td_per_vcpu_parameters per_vcpu[];	/* by VCPU_INDEX */
};

/* The page of code, in td_boot.S. */
extern const u8 td_boot[PAGE_SIZE];

/* Add the boot slot to a VM that has memory. */
void tdx_vm_setup_boot_region(struct kvm_vm *vm);

/* The host's mapping of the boot slot, NULL if the VM has none. */
struct td_boot_parameters *tdx_vm_boot_parameters(struct kvm_vm *vm);

/*
 * @vcpu's parameters.  The first call for a vCPU gives it a stack and the next
 * VCPU_INDEX, so first calls must be made in the order of KVM_TDX_INIT_VCPU.
 */
struct td_per_vcpu_parameters *tdx_vcpu_boot_parameters(struct kvm_vcpu *vcpu);

#endif /* __ASSEMBLER__ */

#endif /* SELFTEST_KVM_TD_BOOT_H */
