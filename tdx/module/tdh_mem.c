// SPDX-License-Identifier: GPL-2.0
/* TDH.MEM.*: the host's view of a TD's private memory. */
#include "locks.h"
#include "operands.h"
#include "pamt.h"
#include "sept.h"
#include "td.h"
#include "tdh.h"

/* SEPT.ADD, version 1, in RDX: don't fail if the table is there already. */
#define ALLOW_EXISTING	BIT(0)

u64 tdh_mem_sept_add(struct call *c)
{
	bool allow_existing = c->version && c->gpr[TDX_RDX] & ALLOW_EXISTING;
	struct sept_place at;
	struct page *p;
	u64 err;

	if (c->version)
		c->gpr[TDX_RDX] &= ~ALLOW_EXISTING;
	err = sept_operands(c, BUILDING_OR_RUNNING, 1, MAX_LEVEL, &at);
	if (err)
		return err;
	if (at.e->state == SEPT_NL_MAPPED && allow_existing)
		return 0;
	if (at.e->state != SEPT_FREE)
		return fail_at_entry(c, TDX_EPT_ENTRY_STATE_INCORRECT, at.e,
				     at.level);
	err = pamt_get(c->m, c->gpr[TDX_R8], TDX_OP_R8, PT_NDA, &p);
	if (err)
		return err;
	at.e->table = g_new0(struct sept_table, 1);
	at.e->pa = c->gpr[TDX_R8];
	at.e->state = SEPT_NL_MAPPED;
	pamt_assign(p, PT_EPT, at.td, at.e->table);
	return 0;
}

static void map(struct call *c, struct sept_place *at, u64 pa,
		enum tdx_sept_state state)
{
	u64 i;

	for (i = 0; i < LEVEL_SIZE(at->level); i += PAGE_SIZE)
		pamt_assign(pamt_lookup(c->m, pa + i), PT_REG, at->td, NULL);
	at->e->pa = pa;
	at->e->state = state;
}

/* Copies the page at @source, without the mutex; false if there is no RAM. */
static bool copy_page(struct call *c, const struct td *td, u64 pa, u64 source)
{
	struct tdx_module *m = c->m;
	u8 data[PAGE_SIZE];
	bool copied;

	unlock_for_work(c);
	copied = m->ops.read(m->opaque, source, data, sizeof(data)) &&
		 m->ops.write(m->opaque, private_view(td, pa), data,
			      sizeof(data));
	lock_after_work(c);
	return copied;
}

u64 tdh_mem_page_add(struct call *c)
{
	u64 pa = c->gpr[TDX_R8], source = c->gpr[TDX_R9], err;
	struct sept_place at;
	struct page *p;
	bool copied;

	err = sept_operands(c, UNTIL_FINALIZED, 0, 0, &at);
	if (err)
		return err;
	if (at.e->state != SEPT_FREE)
		return fail_at_entry(c, TDX_EPT_ENTRY_STATE_INCORRECT, at.e, 0);
	if (source % PAGE_SIZE || source & keyid_mask(c->m))
		return status(TDX_OPERAND_INVALID, TDX_OP_R9);
	err = pamt_get(c->m, pa, TDX_OP_R8, PT_NDA, &p);
	if (err)
		return err;

	p->busy = true;
	copied = copy_page(c, at.td, pa, source);
	p->busy = false;
	if (!copied)
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_R9);

	map(c, &at, pa, SEPT_MAPPED);
	td_measure(at.td, "MEM.PAGE.ADD", at.gpa);
	return 0;
}

u64 tdh_mem_page_aug(struct call *c)
{
	u64 pa = c->gpr[TDX_R8], err;
	struct sept_place at;

	err = sept_operands(c, BUILDING_OR_RUNNING, 0, MAX_LEAF_LEVEL, &at);
	if (err)
		return err;
	if (at.e->state != SEPT_FREE)
		return fail_at_entry(c, TDX_EPT_ENTRY_STATE_INCORRECT, at.e,
				     at.level);
	err = pamt_get_free(c->m, pa, TDX_OP_R8, LEVEL_SIZE(at.level));
	if (err)
		return err;
	map(c, &at, pa, SEPT_PENDING);
	return 0;
}

static struct page *page_of(struct call *c, const struct sept_entry *e)
{
	return pamt_lookup(c->m, e->pa);
}

static enum tdx_sept_state blocked_state(enum tdx_sept_state state)
{
	switch (state) {
	case SEPT_MAPPED:
		return SEPT_BLOCKED;
	case SEPT_PENDING:
		return SEPT_PENDING_BLOCKED;
	default:
		return SEPT_NL_BLOCKED;
	}
}

u64 tdh_mem_range_block(struct call *c)
{
	struct sept_place at;
	u64 err;

	err = sept_operands(c, BUILDING_OR_RUNNING, 0, MAX_LEVEL, &at);
	if (err)
		return err;
	if (sept_is_blocked(at.e))
		return fail_at_entry(c, TDX_GPA_RANGE_ALREADY_BLOCKED, at.e,
				     at.level);
	if (at.e->state == SEPT_FREE)
		return fail_at_entry(c, TDX_EPT_ENTRY_STATE_INCORRECT, at.e,
				     at.level);
	at.e->state = blocked_state(at.e->state);
	page_of(c, at.e)->bepoch = at.td->epoch;
	return 0;
}

u64 tdh_mem_track(struct call *c)
{
	struct td *td;
	u64 err = td_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX,
			     BUILDING_OR_RUNNING, &td);

	if (!err)
		err = take_lock(c, LOCK_EPOCH);
	if (err)
		return err;
	/* vCPUs inside may still have translations of the epoch before. */
	if (td->running[(td->epoch - 1) & 1])
		return status(TDX_PREVIOUS_TLB_EPOCH_BUSY, 0);
	td->epoch++;
	return 0;
}

/* Whether no vCPU can have a translation that was blocked in @bepoch. */
static bool is_tracked(const struct td *td, u64 bepoch)
{
	return td->epoch > bepoch + 1 ||
	       (td->epoch == bepoch + 1 && !td->running[bepoch & 1]);
}

u64 tdh_mem_page_remove(struct call *c)
{
	struct sept_place at;
	u64 err, i;

	err = sept_operands(c, BUILDING_OR_RUNNING, 0, MAX_LEAF_LEVEL + 1, &at);
	if (err)
		return err;
	if (!sept_is_leaf(at.e))
		return fail_at_entry(c, TDX_EPT_ENTRY_STATE_INCORRECT, at.e,
				     at.level);
	/* Before TDH.MR.FINALIZE no vCPU can have run. */
	if (at.td->op_state == OP_RUNNABLE) {
		if (!sept_is_blocked(at.e))
			return fail_at_entry(c, TDX_GPA_RANGE_NOT_BLOCKED,
					     at.e, at.level);
		if (!is_tracked(at.td, page_of(c, at.e)->bepoch))
			return status(TDX_TLB_TRACKING_NOT_DONE, TDX_OP_RCX);
	}
	for (i = 0; i < LEVEL_SIZE(at.level); i += PAGE_SIZE)
		pamt_give_back(pamt_lookup(c->m, at.e->pa + i), at.td->hkid);
	c->gpr[TDX_RCX] = at.e->pa;
	at.e->state = SEPT_FREE;
	at.e->accepted = 0;
	at.e->pa = 0;
	return 0;
}
