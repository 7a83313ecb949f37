// SPDX-License-Identifier: GPL-2.0
/*
 * The constants of C that td_boot.S needs.  The build compiles this to assembly
 * and makes td_boot_offsets.inc of the lines that begin with "->".
 */
#include "tdx/td_boot.h"

#define DEFINE(name, value)						\
	asm volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))

#define OFFSET(name, field)						\
	DEFINE(name, offsetof(struct td_per_vcpu_parameters, field))

/* Nothing calls it. */
static __attribute__((used)) void td_boot_offsets(void)
{
	DEFINE(TD_BOOT_PER_VCPU, offsetof(struct td_boot_parameters, per_vcpu));
	DEFINE(TD_BOOT_VCPU_SIZE, sizeof(struct td_per_vcpu_parameters));

	OFFSET(TD_BOOT_GDTR, gdtr);
	OFFSET(TD_BOOT_IDTR, idtr);
	OFFSET(TD_BOOT_CR3, cr3);
	OFFSET(TD_BOOT_RIP, rip);
	OFFSET(TD_BOOT_RSP, rsp);
	OFFSET(TD_BOOT_RDI, rdi);
	OFFSET(TD_BOOT_RSI, rsi);
	OFFSET(TD_BOOT_RDX, rdx);
	OFFSET(TD_BOOT_RCX, rcx);
	OFFSET(TD_BOOT_R8, r8);
	OFFSET(TD_BOOT_R9, r9);
	OFFSET(TD_BOOT_RESET_RCX, reset_rcx);

	DEFINE(TD_BOOT_CR0_SET, X86_CR0_PG);
	DEFINE(TD_BOOT_CR4_SET, X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXSAVE);
}
