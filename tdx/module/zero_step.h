/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The defence against zero-stepping: a host that keeps a page from the guest can
 * make it fault at the same instruction again and again, and watch.
 */
#ifndef TDX_ZERO_STEP_H
#define TDX_ZERO_STEP_H

#include "leaf.h"

/* At each TD exit. */
void zero_step_exit(struct tdx_vcpu *v, const struct tdx_exit *exit);

/* At each TDCALL that ends without a TD exit. */
void zero_step_tdcall(struct tdx_vcpu *v);

/*
 * At TDH.VP.ENTER, when nothing else is in the way.  Returns 0 if the vCPU may be
 * entered, or what the call returns instead.  If that is the exit reason of an EPT
 * violation, *gpa is the page that the guest would miss.
 */
u64 zero_step_enter(struct call *c, struct tdx_vcpu *v, u64 *gpa);

#endif /* TDX_ZERO_STEP_H */
