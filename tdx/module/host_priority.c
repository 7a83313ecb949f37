// SPDX-License-Identifier: GPL-2.0
/*
 * Host priority.  A SEAMCALL that finds the lock of a secure EPT entry busy sets a
 * flag there, and until a SEAMCALL has got the lock no TDCALL gets it.  To the guest
 * the lock is busy; if that goes on for too long, the host gets to know.
 */
#include "host_priority.h"

#define TIMEOUT_SECONDS		1	/* HP_LOCK_TIMEOUT, which KVM leaves alone */

u64 guest_entry_lock(const struct sept_entry *e)
{
	if (e->busy)
		return status(TDX_OPERAND_BUSY, TDX_OP_RCX);
	return e->host_priority ?
	       status(TDX_OPERAND_BUSY_HOST_PRIORITY, TDX_OP_RCX) : 0;
}

static bool timed_out(struct call *c, struct tdx_vcpu *v)
{
	const struct tdx_ops *ops = &c->m->ops;
	u64 now = ops->tsc(c->m->opaque);

	if (!v->host_priority) {
		v->host_priority = true;
		v->host_priority_since = now;
		return false;
	}
	return now - v->host_priority_since >=
	       TIMEOUT_SECONDS * ops->tsc_hz(c->m->opaque);
}

u64 host_priority(struct call *c, u64 rax)
{
	struct tdx_vcpu *v = c->vcpu;
	bool timeout = rax >> 32 == TDX_HOST_PRIORITY_BUSY_TIMEOUT;

	if (!timeout && rax >> 32 != TDX_OPERAND_BUSY_HOST_PRIORITY) {
		v->host_priority = false;
		return rax;
	}
	if (timeout || timed_out(c, v)) {
		v->host_priority = false;
		c->exit->status = status(TDX_HOST_PRIORITY_BUSY_TIMEOUT, 0);
		c->outcome = TDX_EXIT_TRAP;
	}
	return status(TDX_OPERAND_BUSY, TDX_OP_RCX);
}
