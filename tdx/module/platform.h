/* SPDX-License-Identifier: GPL-2.0 */
/* What the module checks of the CPU's MSRs before it starts. */
#ifndef TDX_PLATFORM_H
#define TDX_PLATFORM_H

#include "model.h"

/*
 * Of the logical processor @lp, for TDH.SYS.INIT: the MSRs of VMX and of memory
 * encryption, then the SMRR, whose memory must not be convertible.  Each returns 0 or
 * the status to fail with.
 */
u64 platform_check_msrs(struct tdx_module *m, unsigned int lp);
u64 platform_check_smrr(struct tdx_module *m, unsigned int lp);

/* Remembers the MSRs that must be the same on each logical processor. */
void platform_remember(struct tdx_module *m, unsigned int lp);

/* Compares them with those of @lp.  Returns 0 or the status to fail with. */
u64 platform_compare(struct tdx_module *m, unsigned int lp);

#endif /* TDX_PLATFORM_H */
