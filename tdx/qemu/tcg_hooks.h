/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that "insert" puts into accel/tcg, which knows no x86 and which newer
 * QEMUs compile once for all targets.  So a patched tree builds x86_64-softmmu
 * only.
 */
#ifndef TDX_TCG_HOOKS_H
#define TDX_TCG_HOOKS_H

#include "exec/vaddr.h"
#include "hw/core/cpu.h"

/* hooks.c: an atomic access that TCG can't execute as one. */
void tdx_hook_unaligned_lock(struct CPUState *cs, vaddr addr, int size,
			     uintptr_t ra);

/* schedule.c: CPUs that run by a seed. */

/* What executes a CPU until it has to stop. */
typedef int exec_cpu_fn(CPUState *cs);
/* The thread of all CPUs, holding the BQL.  Returns if there is no seed. */
void tdx_hook_schedule(exec_cpu_fn *exec);
/* True if no other thread may do anything for the machine. */
bool tdx_hook_alone(void);

/* speed.c: what only saves time, as in speed.h. */

/* True if a block at @pc may always jump to one at @dest on another page. */
bool tdx_speed_jump(vaddr pc, vaddr dest);
/*
 * True if the cached jumps were dropped here, as far as they go with the
 * translations of these MMU indexes.
 */
bool tdx_speed_flush_jumps(CPUState *cs, uint32_t mmu_idxs);
/* A CPU's thread, holding the BQL, is about to sleep if its CPU is idle. */
void tdx_speed_idle(CPUState *cs);

#endif /* TDX_TCG_HOOKS_H */
