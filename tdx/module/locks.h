/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The locks that a call takes, at the points where the real module does.  Which
 * ones, and how, is in the row of its leaf.  What returns a status returns 0 or
 * OPERAND_BUSY with an operand.
 */
#ifndef TDX_LOCKS_H
#define TDX_LOCKS_H

#include "leaf.h"

/* Takes a lock if the row names it.  If it is one of a TD's, c->td is the TD. */
u64 take_lock(struct call *c, enum lock_id id);

/*
 * The same for the TDR of @td, which c->td is from then on.  @op is the operand
 * to report.
 */
u64 lock_tdr(struct call *c, struct td *td, enum tdx_operand op);

/* The same for the TDVPR of @v. */
u64 lock_vcpu(struct call *c, struct tdx_vcpu *v, enum tdx_operand op);

/* The same for all locks of a TDCALL. */
u64 lock_tdcall(struct call *c);

/*
 * Takes the host's lock of an entry of the secure EPT; false if it is busy.  A
 * guest does not see it, as the entry changes when the real module unlocks it.
 */
bool lock_entry(struct call *c, struct sept_entry *e);

/* Whether no call holds the lock. */
bool lock_is_free(const struct try_lock *l);

/* Drops all locks.  If a vCPU was @entered it keeps those of its TDVPR and TDR. */
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
