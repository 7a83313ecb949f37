/* SPDX-License-Identifier: GPL-2.0 */
/* TDMRs as the host describes them to TDH.SYS.CONFIG. */
#ifndef TDX_TDMR_H
#define TDX_TDMR_H

#include "model.h"

/* Whether the list of convertible memory is in order, aligned, without KeyID. */
bool cmrs_valid(const struct tdx_module *m);

/* Whether the memory is convertible. */
bool cmrs_have(const struct tdx_module *m, u64 base, u64 size);

/*
 * Reads the TDMR_INFO at @pa and checks it, as entry @index of the array; those
 * before it must have been read.  Returns 0 or the status to fail with.
 */
u64 tdmr_read(struct tdx_module *m, u64 pa, unsigned int index);

/* The metadata of a TDMR's pages, without owners, at the first TDH.SYS.TDMR.INIT. */
void tdmr_allocate(struct tdmr *t);

/* Forgets all TDMRs, but for the memory of their metadata. */
void tdmrs_forget(struct tdx_module *m);

#endif /* TDX_TDMR_H */
