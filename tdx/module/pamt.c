// SPDX-License-Identifier: GPL-2.0
/*
 * Page ownership, as the PAMT records it.  The metadata is in the module's own
 * memory and not in the PAMT that the host donates, so the host can't corrupt it.
 */
#include <string.h>

#include "events.h"
#include "pamt.h"
#include "profiles.h"

/* The TDMR that has @pa; NULL if that is not initialised. */
static struct tdmr *find_tdmr(struct tdx_module *m, u64 pa)
{
	unsigned int i;

	for (i = 0; i < m->num_tdmrs; i++) {
		struct tdmr *t = &m->tdmrs[i];

		if (pa >= t->base && pa - t->base < t->size)
			return pa < t->next / TDMR_UNIT * TDMR_UNIT ? t : NULL;
	}
	return NULL;
}

struct page *pamt_lookup(struct tdx_module *m, u64 pa)
{
	struct tdmr *t = find_tdmr(m, pa);

	return t ? &t->pages[(pa - t->base) / PAGE_SIZE] : NULL;
}

struct pamt_pair *pamt_pair(struct tdx_module *m, u64 pa)
{
	struct tdmr *t = find_tdmr(m, pa);

	return &t->pairs[(pa - t->base) / PAMT_REGION];
}

/* Without a pair there is no room for the metadata of small pages. */
bool pamt_is_big_page(struct tdx_module *m, u64 pa)
{
	return !pamt_pair(m, pa)->there && pamt_lookup(m, pa)->owner;
}

u64 pamt_find(struct tdx_module *m, u64 pa, enum tdx_operand op,
	      struct page **page)
{
	if (pa % PAGE_SIZE || pa & keyid_mask(m))
		return status(TDX_OPERAND_INVALID, op);
	*page = pamt_lookup(m, pa);
	return *page ? 0 : status(TDX_OPERAND_ADDR_RANGE_ERROR, op);
}

u64 pamt_get(struct tdx_module *m, u64 pa, enum tdx_operand op,
	     enum tdx_page_type type, struct page **page)
{
	u64 err = pamt_find(m, pa, op, page);

	if (err)
		return err;
	if ((*page)->busy)
		return status(TDX_OPERAND_BUSY, op);
	if (m->dynamic_pamt && !pamt_pair(m, pa)->there && type == PT_NDA &&
	    !pamt_is_big_page(m, pa))
		return status(TDX_MISSING_PAMT_PAGE_PAIR, op);
	if ((*page)->type != type || (*page)->holds_pamt)
		return status(TDX_PAGE_METADATA_INCORRECT, op);
	return 0;
}

u64 pamt_get_free(struct tdx_module *m, u64 pa, enum tdx_operand op, u64 size)
{
	struct page *p;
	u64 at, err;

	if (pa % size)
		return status(TDX_OPERAND_INVALID, op);
	if (size == PAGE_SIZE || !m->dynamic_pamt) {
		for (at = pa, err = 0; at < pa + size && !err; at += PAGE_SIZE)
			err = pamt_get(m, at, op, PT_NDA, &p);
		return err;
	}
	for (at = pa; at < pa + size; at += PAGE_SIZE) {
		err = pamt_find(m, at, op, &p);
		if (err)
			return err;
		if (p->busy)
			return status(TDX_OPERAND_BUSY, op);
		if (p->type != PT_NDA || p->holds_pamt || pamt_pair(m, at)->there)
			return status(TDX_PAGE_METADATA_INCORRECT, op);
	}
	return 0;
}

/*
 * What a host has to do on hardware with a page of a TD that it got back, before it
 * uses the page: to write back the lines that are in the cache under the TD's
 * KeyID, as they overwrite the page some day; and, if the CPU has the partial-write
 * erratum, to write the whole page with MOVDIR64B, as a partial write poisons it.
 * Nothing of that happens here, so the module complains.
 */
#define LINE_SIZE	64
#define ALL_LINES	(~0ull)		/* a bit for each line of a page */

void pamt_write_back(struct page *p, u64 hkid)
{
	if (p->dirty_hkid == hkid)
		p->dirty_hkid = 0;
}

/* The free page at @pa is used, by the host or by the module. */
static void check_use(struct tdx_module *m, struct page *p, u64 pa, bool by_host)
{
	if (p->dirty_hkid && p->dirty_since == m->num_write_backs)
		complain(m, pa, "its lines in the cache were not written back");
	else if (p->unreset && by_host)
		complain(m, pa, "it was not reset with MOVDIR64B");
	p->dirty_hkid = 0;
	p->unreset = 0;
}

static u64 address(const struct tdx_module *m, const struct page *p)
{
	const struct tdmr *t = m->tdmrs;

	while (p < t->pages || p >= t->pages + t->size / PAGE_SIZE)
		t++;
	return t->base + (p - t->pages) * PAGE_SIZE;
}

void pamt_assign(struct page *p, enum tdx_page_type type, struct td *owner,
		 void *object)
{
	if (p->dirty_hkid || p->unreset)
		check_use(owner->m, p, address(owner->m, p), false);
	p->type = type;
	p->owner = owner;
	p->object = object;
	p->bepoch = 0;
	if (type != PT_TDR)
		owner->num_pages++;
}

void pamt_give_back(struct page *p, u16 hkid)
{
	const struct tdx_module *m = p->owner->m;

	if (p->type != PT_TDR)
		p->owner->num_pages--;
	memset(p, 0, sizeof(*p));
	p->dirty_hkid = hkid;
	p->dirty_since = m->num_write_backs;
	p->unreset = profile_has_erratum(m->profile) ? ALL_LINES : 0;
}

bool tdx_host_access(struct tdx_module *m, uint64_t pa, bool write)
{
	struct page *p = pamt_lookup(m, pa);
	bool private;

	/* Not locked: an access may race with a change of ownership. */
	if (!p || (!p->owner && !p->dirty_hkid && !p->unreset))
		return false;
	pthread_mutex_lock(&m->lock);
	private = p->owner;
	if (private) {
		p->poisoned |= write && p->type == PT_REG;
		trace_host_access(m, pa, p->type, write);
	} else {
		check_use(m, p, pa, true);
	}
	pthread_mutex_unlock(&m->lock);
	return private;
}

void tdx_host_direct_store(struct tdx_module *m, uint64_t pa)
{
	struct page *p = pamt_lookup(m, pa);

	if (!p || !p->unreset)
		return;
	pthread_mutex_lock(&m->lock);
	p->unreset &= ~BIT(pa % PAGE_SIZE / LINE_SIZE);
	pthread_mutex_unlock(&m->lock);
}
