// SPDX-License-Identifier: GPL-2.0
/* TDH.PHYMEM.*: physical pages, and the cache. */
#include "locks.h"
#include "pamt.h"
#include "td.h"
#include "tdh.h"

#define SIZE_4K	0

/* The results of RDMD and RECLAIM, which are 0 if the call fails early. */
static void clear(struct call *c)
{
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = c->gpr[TDX_R8] = 0;
	c->gpr[TDX_R9] = c->gpr[TDX_R10] = c->gpr[TDX_R11] = 0;
}

static void describe(struct call *c, const struct page *p)
{
	bool owned = p->owner && p->type != PT_TDR;

	c->gpr[TDX_RCX] = p->type;
	c->gpr[TDX_RDX] = owned ? p->owner->tdr_pa : 0;
	c->gpr[TDX_R8] = SIZE_4K;
}

u64 tdh_phymem_page_rdmd(struct call *c)
{
	u64 pa = c->gpr[TDX_RCX], err;
	struct page *p;

	clear(c);
	err = pamt_find(c->m, pa, TDX_OP_RCX, &p);
	if (err)
		return err;
	describe(c, p);
	c->gpr[TDX_R9] = p->bepoch;
	return 0;
}

/* The TDR goes last, when nobody holds its lock. */
static u64 reclaim_tdr(struct page *p)
{
	struct td *td = p->owner;

	if (!lock_is_free(&td->tdr_lock))
		return status(TDX_OPERAND_BUSY, TDX_OP_RCX);
	if (td->lifecycle != LC_TEARDOWN)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, 0);
	if (td->num_pages)
		return status(TDX_TD_ASSOCIATED_PAGES_EXIST, 0);
	/* It is the module's own KeyID that protects a TDR. */
	pamt_give_back(p, td->m->global_keyid);
	td_free(td);
	return 0;
}

/* Takes a page from a TD whose KeyID is free again. */
u64 tdh_phymem_page_reclaim(struct call *c)
{
	u64 pa = c->gpr[TDX_RCX], err;
	struct tdx_vcpu *v;
	struct page *p;

	clear(c);
	err = pamt_find(c->m, pa, TDX_OP_RCX, &p);
	if (err)
		return err;
	v = p->type == PT_TDVPR ? p->object : NULL;
	if (p->busy || (v && !lock_is_free(&v->tdvpr_lock)))
		return status(TDX_OPERAND_BUSY, TDX_OP_RCX);
	if (!p->owner)
		return status(TDX_PAGE_METADATA_INCORRECT, TDX_OP_RCX);
	describe(c, p);
	if (p->type == PT_TDR)
		return reclaim_tdr(p);
	err = lock_tdr(c, p->owner, TDX_OP_TDR);
	if (err)
		return err;
	if (c->td->lifecycle != LC_TEARDOWN)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, 0);
	if (v)
		vcpu_free(v);
	/* The TD's lines in the cache were written back before its KeyID was freed. */
	pamt_give_back(p, 0);
	return 0;
}

u64 tdh_phymem_page_wbinvd(struct call *c)
{
	u64 pa = c->gpr[TDX_RCX] & ~keyid_mask(c->m);
	struct page *p;
	u64 err = pamt_get(c->m, pa, TDX_OP_RCX, PT_NDA, &p);

	if (!err)
		pamt_write_back(p, c->gpr[TDX_RCX] >> c->m->platform.keyid_shift);
	return err;
}

/* Begins to write back the KeyIDs that are flushed; false if there is none. */
static bool begin_write_back(struct tdx_module *m)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < m->platform.num_tdx_keyids; i++) {
		m->written_back[i] = m->hkids[i] == HKID_FLUSHED ||
				     m->hkids[i] == HKID_WRITTEN_BACK;
		any |= m->written_back[i];
	}
	return any;
}

static void end_write_back(struct tdx_module *m)
{
	unsigned int i;

	for (i = 0; i < m->platform.num_tdx_keyids; i++)
		if (m->written_back[i] && m->hkids[i] == HKID_FLUSHED)
			m->hkids[i] = HKID_WRITTEN_BACK;
	m->num_write_backs++;
}

/*
 * There is no cache, so this only interrupts itself if injection wants that.  RCX
 * must then be 1 to resume it, else 0.
 */
u64 tdh_phymem_cache_wb(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 resume = c->gpr[TDX_RCX], err;

	if (resume > 1)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	err = take_lock(c, LOCK_WBCACHE);
	if (!err)
		err = take_lock(c, LOCK_KOT);
	if (err)
		return err;
	if (resume && !m->wb_interrupted)
		return status(TDX_WBCACHE_RESUME_ERROR, 0);
	m->wb_interrupted = false;
	if (!resume && !begin_write_back(m))
		return status(TDX_NO_HKID_READY_TO_WBCACHE, 0);
	m->wb_interrupted = c->interrupted;
	if (c->interrupted)
		return status(TDX_INTERRUPTED_RESUMABLE, 0);
	end_write_back(m);
	return 0;
}
