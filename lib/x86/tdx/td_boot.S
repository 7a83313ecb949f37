/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page of code at the top of the 32-bit address space, see td_boot.h.
 *
 * At reset, ESI is the vCPU's index, EFER already has LME and NXE, CR4 has MCE
 * (which has to stay), and all segments are flat.
 */
#include "tdx/td_boot.h"
#include "td_boot_offsets.inc"

	.section .rodata.td_boot, "a"
	.balign 16
	.globl td_boot
	.type td_boot, @object
td_boot:
	.code32
	imul	$TD_BOOT_VCPU_SIZE, %esi, %esi
	add	$TD_BOOT_PARAMETERS_GPA + TD_BOOT_PER_VCPU, %esi

	lgdt	TD_BOOT_GDTR(%esi)
	mov	TD_BOOT_CR3(%esi), %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$TD_BOOT_CR4_SET, %eax
	mov	%eax, %cr4
	mov	%cr0, %eax
	or	$TD_BOOT_CR0_SET, %eax
	mov	%eax, %cr0
	ljmp	$TD_BOOT_CS, $(TD_BOOT_CODE_GPA + (.Llong_mode - td_boot))

	.code64
.Llong_mode:
	/* Upper halves are undefined after the switch to 64-bit mode. */
	mov	%esi, %esi

	mov	$TD_BOOT_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %gs
	mov	$TD_BOOT_TSS, %eax
	ltr	%ax
	lidt	TD_BOOT_IDTR(%rsi)

	/* At reset R8 equals RCX, whose upper half may be lost by now. */
	mov	%r8, TD_BOOT_RESET_RCX(%rsi)

	/* Enable all that the TD's XFAM allows, as the lib does for other VMs. */
	mov	$0xd, %eax
	xor	%ecx, %ecx
	cpuid
	xor	%ecx, %ecx
	xsetbv

	mov	TD_BOOT_RSP(%rsi), %rsp
	mov	TD_BOOT_RIP(%rsi), %rax
	mov	TD_BOOT_RDI(%rsi), %rdi
	mov	TD_BOOT_RDX(%rsi), %rdx
	mov	TD_BOOT_RCX(%rsi), %rcx
	mov	TD_BOOT_R8(%rsi), %r8
	mov	TD_BOOT_R9(%rsi), %r9
	mov	TD_BOOT_RSI(%rsi), %rsi
	jmp	*%rax

	.org	td_boot + TD_BOOT_RESET_VECTOR, 0xcc
	.code32
	jmp	td_boot
	.code64
	.org	td_boot + 0x1000, 0xcc
	.size	td_boot, . - td_boot

	.section .note.GNU-stack, "", @progbits
