/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_TRACE_H
#define TDX_TRACE_H

#include "leaf.h"

/*
 * Writes the trace line of a SEAMCALL or TDCALL that has returned.  There must
 * be a trace.
 *
 * @leaf_nr: RAX as the caller set it
 * @in: registers as the caller set them; the results are in @c->gpr
 * @ns: duration in nanoseconds
 */
void trace_call(struct call *c, u64 leaf_nr, const u64 in[TDX_NR_GPRS], u64 ns);

#endif /* TDX_TRACE_H */
