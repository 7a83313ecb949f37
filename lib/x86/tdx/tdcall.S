/* SPDX-License-Identifier: GPL-2.0 */
/*
 * u64 __tdcall(u64 leaf, u64 reg[NR_GPRS])
 *
 * Guest code, see tdcall.h.  reg[] is indexed as instructions encode registers;
 * RAX is the leaf, RSP and RBP stay as they are.
 */
#define REG(n)	(8 * (n))

	.text
	.globl __tdcall
	.type __tdcall, @function
__tdcall:
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi

	mov	%rdi, %rax
	mov	REG(1)(%rsi), %rcx
	mov	REG(2)(%rsi), %rdx
	mov	REG(3)(%rsi), %rbx
	mov	REG(7)(%rsi), %rdi
	mov	REG(8)(%rsi), %r8
	mov	REG(9)(%rsi), %r9
	mov	REG(10)(%rsi), %r10
	mov	REG(11)(%rsi), %r11
	mov	REG(12)(%rsi), %r12
	mov	REG(13)(%rsi), %r13
	mov	REG(14)(%rsi), %r14
	mov	REG(15)(%rsi), %r15
	mov	REG(6)(%rsi), %rsi

	/* TDCALL, spelt in bytes for assemblers that don't know it. */
	.byte	0x66, 0x0f, 0x01, 0xcc

	/* Get reg back, and keep the returned RSI in its place. */
	xchg	%rsi, (%rsp)
	mov	%rcx, REG(1)(%rsi)
	mov	%rdx, REG(2)(%rsi)
	mov	%rbx, REG(3)(%rsi)
	mov	%rdi, REG(7)(%rsi)
	mov	%r8, REG(8)(%rsi)
	mov	%r9, REG(9)(%rsi)
	mov	%r10, REG(10)(%rsi)
	mov	%r11, REG(11)(%rsi)
	mov	%r12, REG(12)(%rsi)
	mov	%r13, REG(13)(%rsi)
	mov	%r14, REG(14)(%rsi)
	mov	%r15, REG(15)(%rsi)
	pop	%rcx
	mov	%rcx, REG(6)(%rsi)

	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	ret
	.size	__tdcall, . - __tdcall

	.section .note.GNU-stack, "", @progbits
