/* SPDX-License-Identifier: GPL-2.0 */
/* What becomes of a TDCALL that has to let the host go first. */
#ifndef TDX_HOST_PRIORITY_H
#define TDX_HOST_PRIORITY_H

#include "leaf.h"

/*
 * The lock of an entry of the secure EPT, as a TDCALL takes it: 0, or the status
 * to return.  OPERAND_BUSY_HOST_PRIORITY is for host_priority() only.
 */
u64 guest_entry_lock(const struct sept_entry *e);

/*
 * After a TDCALL with the result @rax.  Returns what the guest gets.  If the host
 * has had priority for too long, c->outcome is a TD exit.
 */
u64 host_priority(struct call *c, u64 rax);

#endif /* TDX_HOST_PRIORITY_H */
