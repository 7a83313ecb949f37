// SPDX-License-Identifier: GPL-2.0
/* TDH.MEM.*: the host's view of a TD's private memory. */
#include "locks.h"
#include "operands.h"
#include "pamt.h"
#include "sept.h"
#include "td.h"
#include "tdh.h"

/* SEPT.ADD, in RDX: don't fail if the table is there already. */
#define ALLOW_EXISTING	BIT(0)

#define NO_PAGE		(~0ull)
#define NOT_USED	BIT(63)

/*
 * R8 has the page for the table, and in version 1 R9 to R11 have those for the tables
 * of L2 VMs, or NO_PAGE.  Version 1 returns NO_PAGE for each page that it has used,
 * and NOT_USED with a page whose table exists.  The host may pass that again.
 */
static void begin_pages(struct call *c)
{
	enum tdx_gpr reg;

	for (reg = TDX_R8; c->version && reg <= TDX_R11; reg++)
		if (c->gpr[reg] != NO_PAGE)
			c->gpr[reg] &= ~NOT_USED;
}

/* No TD has L2 VMs. */
static u64 check_l2_pages(const struct call *c)
{
	enum tdx_gpr reg;

	for (reg = TDX_R9; c->version && reg <= TDX_R11; reg++)
		if (c->gpr[reg] != NO_PAGE)
			return status(TDX_OPERAND_INVALID,
				      TDX_OP_R8 + reg - TDX_R8);
	return 0;
}

static u64 add_table(struct call *c, const struct sept_place *at)
{
	u64 pa = c->gpr[TDX_R8] & ~NOT_USED, err;
	struct page *p;

	err = pamt_get(c->m, pa, TDX_OP_R8, PT_NDA, &p);
	if (!err)
		err = check_l2_pages(c);
	if (err)
		return err;
	at->e->table = g_new0(struct sept_table, 1);
	at->e->pa = pa;
	at->e->state = SEPT_NL_MAPPED;
	pamt_assign(p, PT_EPT, at->td, at->e->table);
	if (c->version)
		c->gpr[TDX_R8] = NO_PAGE;
	return 0;
}

u64 tdh_mem_sept_add(struct call *c)
{
	bool allow_existing = c->gpr[TDX_RDX] & ALLOW_EXISTING;
	bool no_page = c->gpr[TDX_R8] == NO_PAGE, exists;
	struct sept_place at;
	u64 err;

	begin_pages(c);
	c->gpr[TDX_RDX] &= ~ALLOW_EXISTING;
	err = sept_operands(c, BUILDING_OR_RUNNING, 1, MAX_LEVEL, &at);
	if (err)
		return err;
	exists = at.e->state == SEPT_NL_MAPPED;
	if (exists || at.e->state == SEPT_FREE) {
		if (no_page && !c->version)
			return status(TDX_OPERAND_INVALID, TDX_OP_R8);
		if (!no_page && !exists)
			return add_table(c, &at);
	}
	if (!exists || (!no_page && !allow_existing))
		return fail_at_entry(c, TDX_EPT_ENTRY_STATE_INCORRECT, at.e,
				     at.level);
	if (c->version)
		c->gpr[TDX_R8] |= NOT_USED;
	return check_l2_pages(c);
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
	copied = read_shared(m, source, data, sizeof(data)) &&
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
	if (source % PAGE_SIZE || !is_shared_address(c->m, source))
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
