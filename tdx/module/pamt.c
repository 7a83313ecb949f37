// SPDX-License-Identifier: GPL-2.0
/*
 * Page ownership, as the PAMT records it.  The metadata is in the module's own
 * memory and not in the PAMT that the host donates, so the host can't corrupt it.
 */
#include <string.h>

#include "events.h"
#include "pamt.h"

struct page *pamt_lookup(struct tdx_module *m, u64 pa)
{
	unsigned int i;

	for (i = 0; i < m->num_tdmrs; i++) {
		struct tdmr *t = &m->tdmrs[i];

		if (pa >= t->base && pa - t->base < t->size)
			return pa < t->next / TDMR_UNIT * TDMR_UNIT ?
			       &t->pages[(pa - t->base) / PAGE_SIZE] : NULL;
	}
	return NULL;
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
	if ((*page)->type != type)
		return status(TDX_PAGE_METADATA_INCORRECT, op);
	return 0;
}

void pamt_assign(struct page *p, enum tdx_page_type type, struct td *owner,
		 void *object)
{
	p->type = type;
	p->owner = owner;
	p->object = object;
	p->bepoch = 0;
	if (type != PT_TDR)
		owner->num_pages++;
}

void pamt_release(struct page *p)
{
	if (p->type != PT_TDR)
		p->owner->num_pages--;
	memset(p, 0, sizeof(*p));
}

bool tdx_host_access(struct tdx_module *m, uint64_t pa, bool write)
{
	struct page *p = pamt_lookup(m, pa);
	bool private;

	/* Not locked: an access may race with a change of ownership. */
	if (!p || !p->owner)
		return false;
	pthread_mutex_lock(&m->lock);
	private = p->owner;
	if (private) {
		p->poisoned |= write && p->type == PT_REG;
		trace_host_access(m, pa, p->type, write);
	}
	pthread_mutex_unlock(&m->lock);
	return private;
}
