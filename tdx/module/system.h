/* SPDX-License-Identifier: GPL-2.0 */
/* The module as a whole, and what happens to its state when it starts again. */
#ifndef TDX_SYSTEM_H
#define TDX_SYSTEM_H

#include "model.h"

/* The module waits for TDH.SYS.INIT; TDs and TDMRs stay. */
void system_restart(struct tdx_module *m);

/* Forgets TDs, TDMRs and KeyIDs.  No vCPU may be running. */
void system_forget(struct tdx_module *m);

/* Whether a vCPU is running. */
bool system_runs_td(const struct tdx_module *m);

#endif /* TDX_SYSTEM_H */
