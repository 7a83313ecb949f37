/* SPDX-License-Identifier: GPL-2.0 */
/* Trace lines for events that are not calls; no effect without a trace. */
#ifndef TDX_EVENTS_H
#define TDX_EVENTS_H

#include "model.h"

/* A TD exit of @v. */
void trace_exit(struct tdx_vcpu *v, const struct tdx_exit *exit);
/* The #VE in @v->ve was raised. */
void trace_ve(struct tdx_vcpu *v);
/* On hardware the host would have corrupted the page at @pa. */
void complain(struct tdx_module *m, u64 pa, const char *why);
/* The host accessed the page of @type at @pa, which the module or a TD owns. */
void trace_host_access(struct tdx_module *m, u64 pa, enum tdx_page_type type,
		       bool write);

#endif /* TDX_EVENTS_H */
