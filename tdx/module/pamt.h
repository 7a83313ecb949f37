/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page ownership.  A page passes to the module or to a TD only by
 * pamt_assign(), and only if pamt_get() has found it free.
 */
#ifndef TDX_PAMT_H
#define TDX_PAMT_H

#include "model.h"

/* Metadata of the page at @pa; NULL if no initialised TDMR has it. */
struct page *pamt_lookup(struct tdx_module *m, u64 pa);

/* The same for an operand: 0 or the status to fail with. */
u64 pamt_find(struct tdx_module *m, u64 pa, enum tdx_operand op,
	      struct page **page);

/* The same; the page must be of @type, and no other call at work on it. */
u64 pamt_get(struct tdx_module *m, u64 pa, enum tdx_operand op,
	     enum tdx_page_type type, struct page **page);

/* The same for @size bytes, 4 KiB or 2 MiB, that must be free. */
u64 pamt_get_free(struct tdx_module *m, u64 pa, enum tdx_operand op, u64 size);

/*
 * With Dynamic PAMT: the pair of pages that the metadata of the page at @pa, which
 * must be in an initialised TDMR, would be in.
 */
struct pamt_pair *pamt_pair(struct tdx_module *m, u64 pa);

/*
 * Whether the 2 MiB at @pa, which must be in an initialised TDMR, belong to a TD as
 * one page.
 */
bool pamt_is_big_page(struct tdx_module *m, u64 pa);

/* Makes a free page one of @owner's; @object is what it stands for. */
void pamt_assign(struct page *p, enum tdx_page_type type, struct td *owner,
		 void *object);

/*
 * Makes a page free.  The host must write back what @hkid has of it in the cache
 * before it uses the page; 0: there is nothing.
 */
void pamt_give_back(struct page *p, u16 hkid);

/* The host has written back what @hkid has of a free page in the cache. */
void pamt_write_back(struct page *p, u64 hkid);

#endif /* TDX_PAMT_H */
