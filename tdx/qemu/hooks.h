/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that "insert" puts into QEMU.  Each costs one test of a flag, or
 * sits where TCG was about to do something slow anyway.
 */
#ifndef TDX_HOOKS_H
#define TDX_HOOKS_H

#ifndef CONFIG_USER_ONLY

/* An exception that an instruction raises.  Returns if it really does. */
void tdx_hook_exception(struct CPUArchState *env, int vector);

/* True if the instruction was carried out here. */
bool tdx_hook_cpuid(CPUX86State *env, uintptr_t ra);
bool tdx_hook_rdtsc(CPUX86State *env, uintptr_t ra);
bool tdx_hook_wrpkru(CPUX86State *env, uint32_t value);
bool tdx_hook_rdmsr(CPUX86State *env, uintptr_t ra);
bool tdx_hook_wrmsr(CPUX86State *env, uintptr_t ra);

bool tdx_hook_write_cr(CPUX86State *env, int reg, target_ulong value,
		       uintptr_t ra);
bool tdx_hook_read_cr8(CPUX86State *env, target_ulong *value);
/* Returns if XSETBV may go on. */
void tdx_hook_xsetbv(CPUX86State *env, uint32_t index, uint64_t value,
		     uintptr_t ra);

/* An SVM intercept.  True if a TD runs and the event is not SVM's. */
bool tdx_hook_intercept(CPUX86State *env, uint32_t type, uintptr_t ra);
/* An I/O instruction in a TD; does not return then. */
void tdx_hook_io(CPUX86State *env, uint32_t port, uint32_t param,
		 uint32_t insn_len, uintptr_t ra);
/* An SVM exit that is not SVM's; returns if no TD runs. */
void tdx_hook_vmexit(CPUX86State *env, uint64_t code, uintptr_t ra);

/* The PAUSE of a loop that waits; does not return if there is the device. */
void tdx_hook_pause(CPUState *cs);

/* A CPU's thread, with QEMU's big lock, looks whether it is to sleep. */
void tdx_hook_idle(CPUState *cs);

/*
 * Second stage of address translation.  Returns whether a TD runs; then *ok
 * says whether there is a translation.
 */
bool tdx_hook_translate(CPUX86State *env, hwaddr gpa, MMUAccessType access,
			bool *ok, hwaddr *hpa, int *prot);
/* The second stage failed; does not return if a TD runs. */
void tdx_hook_fault(CPUX86State *env, vaddr gla, hwaddr gpa,
		    MMUAccessType access, uintptr_t ra);

/* An atomic access that TCG can't do as one. */
void tdx_hook_unaligned_lock(CPUX86State *env, vaddr addr, int size,
			     uintptr_t ra);

/*
 * A translation of the host's, about to be cached.  One of a page that is
 * private is for a single access: *page_size says so.
 */
void tdx_hook_host_access(CPUX86State *env, vaddr addr, MMUAccessType access,
			  hwaddr pa, int *page_size);

/* True if all translations of the world that runs were dropped here. */
bool tdx_hook_flush(CPUX86State *env);
/* A translation of @addr was found, by the entry @pte of a page table. */
void tdx_hook_translated(CPUX86State *env, int mmu_idx, vaddr addr,
			 uint64_t pte);
/* True if a block at @pc may lead to one at @dest, on another page, for ever. */
bool tdx_hook_jump(vaddr pc, vaddr dest);
/* True if what is known of jumps was dropped here, with these translations. */
bool tdx_hook_flush_jumps(CPUState *cs, uint16_t mmu_idxs);

/* tdx_hook_cr4_bits() is declared in cpu.h, by "insert". */

#else

static inline void tdx_hook_exception(CPUX86State *env, int vector)
{
}

static inline bool tdx_hook_cpuid(CPUX86State *env, uintptr_t ra)
{
	return false;
}

static inline bool tdx_hook_rdtsc(CPUX86State *env, uintptr_t ra)
{
	return false;
}

static inline bool tdx_hook_wrpkru(CPUX86State *env, uint32_t value)
{
	return false;
}

static inline bool tdx_hook_flush(CPUX86State *env)
{
	return false;
}

static inline bool tdx_hook_jump(vaddr pc, vaddr dest)
{
	return false;
}

static inline void tdx_hook_pause(CPUState *cs)
{
}

static inline void tdx_hook_xsetbv(CPUX86State *env, uint32_t index,
				   uint64_t value, uintptr_t ra)
{
}

#endif /* CONFIG_USER_ONLY */

#endif /* TDX_HOOKS_H */
