/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The locks that a call takes.  Which ones, and how, is in the row of its leaf.
 * Each of these returns 0 or OPERAND_BUSY with an operand.
 */
#ifndef TDX_LOCKS_H
#define TDX_LOCKS_H

#include "leaf.h"

/* Locks that belong to no TD. */
u64 lock_system(struct call *c);

/*
 * The locks of @td; c->td is @td from then on.  @op is the operand to report if
 * the TDR is busy, or 0 to report the TDR.
 */
u64 lock_td(struct call *c, struct td *td, enum tdx_operand op);

/* A lock of c->td that the row says is taken later. */
u64 take_lock(struct call *c, enum lock_id id);

/* The lock of @v, reported as @op. */
u64 lock_vcpu(struct call *c, struct tdx_vcpu *v, enum tdx_operand op);

/* Drops all locks.  A vCPU that was @entered keeps those of its TD and itself. */
void unlock_call(struct call *c, bool entered);

/* Drops the locks that @v has kept since it was entered. */
void unlock_exited(struct tdx_vcpu *v);

/* The operand that stands for a lock in a status. */
enum tdx_operand lock_operand(enum lock_id id);

/*
 * Drop the module's mutex for lengthy work, and take it again.  In between,
 * only the locks of the call and the busy flags keep others out.
 */
void unlock_for_work(struct call *c);
void lock_after_work(struct call *c);

#endif /* TDX_LOCKS_H */
