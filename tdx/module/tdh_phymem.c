// SPDX-License-Identifier: GPL-2.0
/* TDH.PHYMEM.*: physical pages, and the cache. */
#include "locks.h"
#include "pamt.h"
#include "td.h"
#include "tdh.h"

#define SIZE_4K	0

static void describe(struct call *c, const struct page *p)
{
	c->gpr[TDX_RCX] = p->type;
	c->gpr[TDX_RDX] = p->owner ? p->owner->tdr_pa : 0;
	c->gpr[TDX_R8] = SIZE_4K;
}

u64 tdh_phymem_page_rdmd(struct call *c)
{
	struct page *p;
	u64 err = pamt_find(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, &p);

	if (err)
		return err;
	describe(c, p);
	c->gpr[TDX_R9] = p->bepoch;
	c->gpr[TDX_R10] = c->gpr[TDX_R11] = 0;
	return 0;
}

/* Takes a page from a TD whose KeyID is free again; the TDR goes last. */
u64 tdh_phymem_page_reclaim(struct call *c)
{
	struct page *p;
	struct td *td;
	bool is_tdr;
	u64 err = pamt_find(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, &p);

	if (err)
		return err;
	if (p->busy)
		return status(TDX_OPERAND_BUSY, TDX_OP_RCX);
	td = p->owner;
	if (!td) {
		describe(c, p);
		return status(TDX_PAGE_METADATA_INCORRECT, TDX_OP_RCX);
	}
	is_tdr = p->type == PT_TDR;
	if (!is_tdr) {
		err = lock_td(c, td, TDX_OP_TDR);
		if (err)
			return err;
	}
	if (td->lifecycle != LC_TEARDOWN) {
		describe(c, p);
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_TDR);
	}
	if (is_tdr && td->num_pages)
		return status(TDX_TD_ASSOCIATED_PAGES_EXIST, TDX_OP_RCX);

	describe(c, p);
	if (p->type == PT_TDVPR)
		vcpu_free(p->object);
	pamt_release(p);
	if (is_tdr)
		td_free(td);
	return 0;
}

u64 tdh_phymem_page_wbinvd(struct call *c)
{
	u64 pa = c->gpr[TDX_RCX] & ~keyid_mask(c->m);
	u64 hkid = c->gpr[TDX_RCX] >> c->m->platform.keyid_shift;
	struct page *p;

	if (!is_tdx_keyid(c->m, hkid))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return pamt_get(c->m, pa, TDX_OP_RCX, PT_NDA, &p);
}

/*
 * There is no cache: all flushed KeyIDs are written back at once, unless
 * injection interrupts the call.  RCX must then be 1 to resume it, else 0.
 */
u64 tdh_phymem_cache_wb(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 resume = c->gpr[TDX_RCX];
	bool ready = false;
	unsigned int i;

	if (resume > 1)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (resume && !m->wb_interrupted)
		return status(TDX_WBCACHE_RESUME_ERROR, 0);
	m->wb_interrupted = c->interrupted;
	if (c->interrupted)
		return status(TDX_INTERRUPTED_RESUMABLE, 0);
	for (i = 0; i < m->platform.num_tdx_keyids; i++) {
		if (m->hkids[i] != HKID_FLUSHED)
			continue;
		m->hkids[i] = HKID_WRITTEN_BACK;
		ready = true;
	}
	return ready ? 0 : status(TDX_NO_HKID_READY_TO_WBCACHE, 0);
}
