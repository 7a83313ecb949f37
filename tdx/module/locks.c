// SPDX-License-Identifier: GPL-2.0
/*
 * The module's locks as callers see them.  A call never waits for a lock: it
 * returns OPERAND_BUSY.
 *
 * A single mutex guards the module's data.  It is free while a vCPU runs, while a
 * call copies memory, and after a call's work until all those that came meanwhile
 * had their turn: these are the times at which others find a lock busy.
 */
#include "locks.h"

static struct try_lock *find(struct call *c, enum lock_id id)
{
	switch (id) {
	case LOCK_WBCACHE:
		return &c->m->wbt;
	case LOCK_KOT:
		return &c->m->kot;
	case LOCK_KET:
		return &c->m->ket;
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

bool lock_is_free(const struct try_lock *l)
{
	return !l->exclusive && !l->shared;
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
	[LOCK_TDVPR] = TDX_OP_TDVPR, [LOCK_TDR] = TDX_OP_TDR,
	[LOCK_OP_STATE] = TDX_OP_OP_STATE, [LOCK_SEPT_TREE] = TDX_OP_SEPT_TREE,
	[LOCK_EPOCH] = TDX_OP_TD_EPOCH, [LOCK_RTMR] = TDX_OP_RTMR,
	[LOCK_WBCACHE] = TDX_OP_WBCACHE, [LOCK_KOT] = TDX_OP_KOT,
	[LOCK_KET] = TDX_OP_KET,
};

enum tdx_operand lock_operand(enum lock_id id)
{
	return operands[id];
}

static unsigned int exclusive_locks(const struct call *c)
{
	return c->leaf->exclusive | (c->version ? c->leaf->exclusive_v1 : 0);
}

/* Takes a lock if the row names it; reports @op. */
static u64 lock(struct call *c, enum lock_id id, enum tdx_operand op)
{
	unsigned int exclusive = exclusive_locks(c);

	if (!((c->leaf->shared | exclusive) & ~c->held & BIT(id)))
		return 0;
	if (!take(find(c, id), exclusive & BIT(id))) {
		c->m->num_refused++;
		pthread_cond_broadcast(&c->m->turn);
		return status(TDX_OPERAND_BUSY, op);
	}
	c->held |= BIT(id);
	return 0;
}

u64 take_lock(struct call *c, enum lock_id id)
{
	return lock(c, id, operands[id]);
}

u64 lock_tdr(struct call *c, struct td *td, enum tdx_operand op)
{
	c->td = td;
	return lock(c, LOCK_TDR, op);
}

u64 lock_vcpu(struct call *c, struct tdx_vcpu *v, enum tdx_operand op)
{
	c->locked_vcpu = v;
	return lock(c, LOCK_TDVPR, op);
}

u64 lock_tdcall(struct call *c)
{
	enum lock_id id;
	u64 err = 0;

	for (id = 0; id < NUM_LOCKS && !err; id++)
		err = take_lock(c, id);
	return err;
}

bool lock_entry(struct call *c, struct sept_entry *e)
{
	if (e->busy || e->locked)
		return false;
	e->locked = true;
	c->locked_entry = e;
	return true;
}

void unlock_call(struct call *c, bool entered)
{
	unsigned int drop_now = c->held, exclusive;
	enum lock_id id;

	if (!c->held)
		return;
	exclusive = exclusive_locks(c);
	if (entered)
		drop_now &= ~(BIT(LOCK_TDVPR) | BIT(LOCK_TDR));
	for (id = 0; id < NUM_LOCKS; id++)
		if (drop_now & BIT(id))
			drop(find(c, id), exclusive & BIT(id));
	if (c->locked_entry)
		c->locked_entry->locked = false;
	c->held = 0;
}

/* TDH.VP.ENTER takes both of them shared. */
void unlock_exited(struct tdx_vcpu *v)
{
	drop(&v->td->tdr_lock, false);
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
