/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that "insert" puts into target/i386.  Each costs a test of a flag,
 * or is where TCG is about to do something slow.  Without a tdx-module device
 * all of them leave QEMU as it is.  Those here are what an emulated TDX host needs;
 * those of speed.h only save time.
 */
#ifndef TDX_HOOKS_H
#define TDX_HOOKS_H

#include "cpu.h"
#include "exec/mmu-access-type.h"
#include "speed.h"
#include "tcg_hooks.h"

/* An instruction raises an exception.  Returns if it really does. */
void tdx_hook_exception(struct CPUArchState *env, int vector);

/* RDPMC, which QEMU lacks.  Returns if a TD runs. */
void tdx_hook_rdpmc(CPUX86State *env, uintptr_t ra);
/* These return true if the instruction was executed here. */
bool tdx_hook_cpuid(CPUX86State *env, uintptr_t ra);
bool tdx_hook_rdtsc(CPUX86State *env, uintptr_t ra);
bool tdx_hook_rdmsr(CPUX86State *env, uintptr_t ra);
bool tdx_hook_wrmsr(CPUX86State *env, uintptr_t ra);
bool tdx_hook_write_cr(CPUX86State *env, int reg, target_ulong value,
		       uintptr_t ra);
bool tdx_hook_read_cr8(CPUX86State *env, target_ulong *value);
bool tdx_hook_xsetbv(CPUX86State *env, uint32_t index, uint64_t value,
		     uintptr_t ra);
/* XGETBV of another register than XCR0. */
bool tdx_hook_xgetbv(CPUX86State *env, uint32_t index, uint64_t *value);
/* XSAVE, or XSAVEOPT, and XRSTOR. */
bool tdx_hook_xsave(CPUX86State *env, target_ulong addr, uint64_t components,
		    bool optimize, uintptr_t ra);
bool tdx_hook_xrstor(CPUX86State *env, target_ulong addr, uint64_t components,
		     uintptr_t ra);

/* QEMU asks SVM for an intercept.  True if a TD runs, so that SVM has none. */
bool tdx_hook_intercept(CPUX86State *env, uint32_t type, uintptr_t ra);
/* An I/O instruction.  Returns if no TD runs. */
void tdx_hook_io(CPUX86State *env, uint32_t port, uint32_t param,
		 uint32_t insn_len, uintptr_t ra);
/* QEMU is about to make an SVM exit.  Returns if no TD runs. */
void tdx_hook_vmexit(CPUX86State *env, uint64_t code, uintptr_t ra);

/*
 * The second stage of address translation.  Returns whether a TD runs; then *ok
 * says whether there is a translation, of one page.
 */
bool tdx_hook_translate(CPUX86State *env, hwaddr gpa, MMUAccessType access,
			bool *ok, hwaddr *hpa, int *prot);
/*
 * The second stage failed, for the access or while QEMU walked the page tables for
 * it.  Returns if no TD runs.
 */
void tdx_hook_fault(CPUX86State *env, vaddr gla, hwaddr gpa,
		    MMUAccessType access, bool walk, uintptr_t ra);
/* IRET is about to unblock NMIs; RIP is at the next instruction. */
void tdx_hook_nmi_unblocked(CPUX86State *env);
/*
 * A translation that QEMU is about to cache.  If it is the host's and the page
 * is private, *page_size becomes 1 so that it serves this access only.
 */
void tdx_hook_host_access(CPUX86State *env, MMUAccessType access, hwaddr pa,
			  int *page_size);

/* tdx_hook_cr4_bits() is declared in cpu.h, by "insert". */

#endif /* TDX_HOOKS_H */
