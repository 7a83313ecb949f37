/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What only saves time; QEMU is right without any of these calls.  Some more are
 * in tcg_hooks.h.
 */
#ifndef TDX_SPEED_H
#define TDX_SPEED_H

/* Writes to PKRU and CR3; true if they were executed here. */
bool tdx_speed_write_pkru(CPUX86State *env, uint32_t value);
bool tdx_speed_write_cr3(CPUX86State *env, int reg, target_ulong value);
/* A TD drops its translations; true if that was done here. */
bool tdx_speed_flush(CPUX86State *env);

/* PAUSE; does not return if there is a tdx-module device. */
void tdx_speed_pause(CPUX86State *env);

/* Notes about translations that QEMU is about to cache. */
void tdx_speed_note_user_page(CPUX86State *env, vaddr addr);
void tdx_speed_note_kernel_page(CPUX86State *env, int mmu_idx, uint64_t pte);
void tdx_speed_note_td_page(CPUX86State *env, int mmu_idx, vaddr addr);

/* Whether Linux has its text there, except for that of modules. */
bool speed_in_kernel_text(vaddr pc);

/*
 * A TD exits, with its registers still in @env, and @interrupt says whether that is for an
 * interrupt of the host's; and it is about to go on.
 */
void speed_td_exits(const CPUX86State *env, struct td_cpu *td, bool interrupt);
void speed_td_enters(CPUX86State *env, struct td_cpu *td);

#endif /* TDX_SPEED_H */
