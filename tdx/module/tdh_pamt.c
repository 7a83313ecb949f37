// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.PHYMEM.PAMT.*: Dynamic PAMT.  The host adds two pages for the metadata of
 * 2 MiB when it wants to use 4 KiB pages there, and removes them afterwards.
 */
#include "pamt.h"
#include "tdh.h"

#define LEVEL_2M	1ull

/* The 2 MiB in RCX, with their level. */
static u64 region_operand(struct call *c, u64 *pa)
{
	u64 rcx = c->gpr[TDX_RCX];

	if (!c->m->dynamic_pamt)
		return status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	*pa = rcx & ~(PAGE_SIZE - 1);
	if (rcx % PAGE_SIZE != LEVEL_2M || *pa % PAMT_REGION ||
	    *pa & keyid_mask(c->m))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return 0;
}

static bool same_region(u64 a, u64 b)
{
	return a / PAMT_REGION == b / PAMT_REGION;
}

/* A page for the pair must belong to no TD; it needs no metadata itself. */
static u64 check_new(struct tdx_module *m, u64 pa, u64 region,
		     enum tdx_operand op)
{
	if (same_region(pa, region))
		return 0;
	if (pamt_pair(m, pa)->there ? pamt_lookup(m, pa)->type != PT_NDA :
				      pamt_is_big_page(m, pa))
		return status(TDX_PAGE_NOT_FREE, op);
	return 0;
}

static bool is_taken(const struct page *p)
{
	return p->holds_pamt || p->type == PT_RSVD;
}

u64 tdh_phymem_pamt_add(struct call *c)
{
	static const enum tdx_operand ops[PAMT_PAIR] = { TDX_OP_RDX, TDX_OP_R8 };
	const u64 pa[PAMT_PAIR] = { c->gpr[TDX_RDX], c->gpr[TDX_R8] };
	struct page *p[PAMT_PAIR], *first;
	struct pamt_pair *pair;
	unsigned int i;
	u64 region, err;

	err = region_operand(c, &region);
	for (i = 0; i < PAMT_PAIR && !err; i++)
		err = pamt_find(c->m, pa[i], ops[i], &p[i]);
	if (!err)
		err = pamt_find(c->m, region, TDX_OP_RCX, &first);
	if (err)
		return err;
	pair = pamt_pair(c->m, region);
	if (pair->there || pamt_is_big_page(c->m, region))
		return status(TDX_HPA_RANGE_NOT_FREE, TDX_OP_RCX);
	for (i = 0; i < PAMT_PAIR && !err; i++)
		err = check_new(c->m, pa[i], region, ops[i]);
	if (err)
		return err;
	for (i = 0; i < PAMT_PAIR; i++)
		if (is_taken(p[i]) || (i && p[i] == p[0]))
			return status(TDX_PAGE_NOT_FREE, ops[i]);
	for (i = 0; i < PAMT_PAIR; i++) {
		p[i]->holds_pamt = true;
		pair->page[i] = pa[i];
	}
	pair->there = true;
	return 0;
}

u64 tdh_phymem_pamt_remove(struct call *c)
{
	const u64 half = PAMT_REGION / PAMT_PAIR;
	struct pamt_pair *pair;
	struct page *p;
	u64 region, err, at;
	unsigned int i;

	err = region_operand(c, &region);
	if (!err)
		err = pamt_find(c->m, region, TDX_OP_RCX, &p);
	if (err)
		return err;
	pair = pamt_pair(c->m, region);
	if (!pair->there)
		return status(TDX_NO_PAMT_PAGE_PAIR, TDX_OP_RCX);
	for (at = 0; at < PAMT_REGION; at += PAGE_SIZE)
		if (pamt_lookup(c->m, region + at)->owner)
			return status(TDX_PAMT_PAGE_NOT_EMPTY, at / half);
	for (i = 0; i < PAMT_PAIR; i++)
		pamt_lookup(c->m, pair->page[i])->holds_pamt = false;
	c->gpr[TDX_RDX] = pair->page[0];
	c->gpr[TDX_R8] = pair->page[1];
	pair->there = false;
	return 0;
}
