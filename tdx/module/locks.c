// SPDX-License-Identifier: GPL-2.0
/*
 * The module's locks as callers see them.  A call never waits for a lock: it
 * returns OPERAND_BUSY.
 *
 * A single mutex guards the module's data, so most calls never compete.  The
 * locks matter to those that do: a running vCPU holds some until its TD exit,
 * and a call that copies memory drops the mutex, see unlock_for_work().
 */
#include "locks.h"

static struct try_lock *find(struct call *c, enum lock_id id)
{
	switch (id) {
	case LOCK_KOT:
		return &c->m->kot;
	case LOCK_TDR:
		return &c->td->tdr_lock;
	case LOCK_OP_STATE:
		return &c->td->op_state_lock;
	case LOCK_SEPT_TREE:
		return &c->td->sept_lock;
	case LOCK_EPOCH:
		return &c->td->epoch_lock;
	case LOCK_RTMR:
		return &c->td->rtmr_lock;
	case LOCK_TDVPR:
		return &c->locked_vcpu->tdvpr_lock;
	case NUM_LOCKS:
		break;
	}
	return NULL;
}

static bool take(struct try_lock *l, bool exclusive)
{
	if (l->exclusive || (exclusive && l->shared))
		return false;
	if (exclusive)
		l->exclusive = true;
	else
		l->shared++;
	return true;
}

static void drop(struct try_lock *l, bool exclusive)
{
	if (exclusive)
		l->exclusive = false;
	else
		l->shared--;
}

static const enum tdx_operand operands[NUM_LOCKS] = {
	[LOCK_KOT] = TDX_OP_KOT, [LOCK_TDR] = TDX_OP_TDR,
	[LOCK_TDVPR] = TDX_OP_TDVPR, [LOCK_OP_STATE] = TDX_OP_OP_STATE,
	[LOCK_SEPT_TREE] = TDX_OP_SEPT_TREE, [LOCK_EPOCH] = TDX_OP_TD_EPOCH,
	[LOCK_RTMR] = TDX_OP_RTMR,
};

enum tdx_operand lock_operand(enum lock_id id)
{
	return operands[id];
}

static unsigned int wanted(const struct leaf *leaf, unsigned int version)
{
	return leaf->shared | leaf->exclusive |
	       (version ? leaf->exclusive_v1 : 0);
}

static bool is_exclusive(const struct leaf *leaf, unsigned int version,
			 enum lock_id id)
{
	return (leaf->exclusive | (version ? leaf->exclusive_v1 : 0)) & BIT(id);
}

/* Takes those of @which that the leaf's row names; @op as for lock_td(). */
static u64 lock(struct call *c, unsigned int which, enum tdx_operand op)
{
	enum lock_id id;

	which &= wanted(c->leaf, c->version) & ~c->held;
	for (id = 0; id < NUM_LOCKS; id++) {
		if (!(which & BIT(id)))
			continue;
		if (!take(find(c, id), is_exclusive(c->leaf, c->version, id)))
			return status(TDX_OPERAND_BUSY, op ? op : operands[id]);
		c->held |= BIT(id);
	}
	return 0;
}

u64 lock_system(struct call *c)
{
	return lock(c, BIT(LOCK_KOT), 0);
}

u64 take_lock(struct call *c, enum lock_id id)
{
	return lock(c, BIT(id), 0);
}

u64 lock_td(struct call *c, struct td *td, enum tdx_operand op)
{
	u64 err;

	c->td = td;
	err = lock(c, BIT(LOCK_TDR), op);
	return err ? err : lock(c, (BIT(LOCK_OP_STATE) | BIT(LOCK_SEPT_TREE) |
				    BIT(LOCK_EPOCH) | BIT(LOCK_RTMR)) &
				   ~c->leaf->later, 0);
}

u64 lock_vcpu(struct call *c, struct tdx_vcpu *v, enum tdx_operand op)
{
	c->locked_vcpu = v;
	return lock(c, BIT(LOCK_TDVPR), op);
}

void unlock_call(struct call *c, bool entered)
{
	enum lock_id id;

	for (id = 0; id < NUM_LOCKS; id++)
		if (c->held & BIT(id) &&
		    !(entered && id != LOCK_EPOCH && id != LOCK_SEPT_TREE))
			drop(find(c, id), is_exclusive(c->leaf, c->version, id));
	c->held = 0;
}

/* TDH.VP.ENTER takes all of them shared. */
void unlock_exited(struct tdx_vcpu *v)
{
	drop(&v->td->tdr_lock, false);
	drop(&v->td->op_state_lock, false);
	drop(&v->tdvpr_lock, false);
}

void unlock_for_work(struct call *c)
{
	pthread_mutex_unlock(&c->m->lock);
}

void lock_after_work(struct call *c)
{
	pthread_mutex_lock(&c->m->lock);
}
