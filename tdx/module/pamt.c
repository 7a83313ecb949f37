// SPDX-License-Identifier: GPL-2.0
/*
 * Page ownership: what the PAMT holds.  Every page that passes to the module or
 * to a TD does so here, and a page that is not free cannot pass.
 *
 * The metadata lives in the module's own memory rather than in the PAMT that
 * the host donates: nothing that the host does can corrupt it.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define GIB		(1ull << 30)
/* Large enough to be quick, small enough that a caller has to loop. */
#define TDMR_INIT_STEP	(GIB / 4)

static u64 keyid_mask(const struct tdx_module *m)
{
	return ~0ull << m->platform.keyid_shift;
}

struct page *pamt_lookup(struct tdx_module *m, u64 pa)
{
	unsigned int i;

	for (i = 0; i < m->num_tdmrs; i++) {
		struct tdmr *t = &m->tdmrs[i];

		if (pa >= t->base && pa - t->base < t->size)
			return pa < t->next ?
			       &t->pages[(pa - t->base) / PAGE_SIZE] : NULL;
	}
	return NULL;
}

/* The page at operand @op, which must be of @type. */
u64 pamt_get(struct tdx_module *m, u64 pa, enum tdx_operand op,
	     enum tdx_page_type type, struct page **page)
{
	if (pa % PAGE_SIZE || pa & keyid_mask(m))
		return status(TDX_OPERAND_INVALID, op);
	*page = pamt_lookup(m, pa);
	if (!*page)
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, op);
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

static bool overlap(const struct tdx_range *a, const struct tdx_range *b)
{
	return a->base < b->base + b->size && b->base < a->base + a->size;
}

static bool in_cmrs(const struct tdx_module *m, u64 base, u64 size)
{
	unsigned int i;

	for (i = 0; i < m->platform.num_cmrs; i++) {
		const struct tdx_range *r = &m->platform.cmr[i];

		if (base >= r->base && size <= r->size &&
		    base - r->base <= r->size - size)
			return true;
	}
	return false;
}

/* TDMR_INFO: eight quadwords, then pairs of reserved offset and size. */
#define TDMR_INFO_QWORDS (8 + 2 * MAX_RESERVED_PER_TDMR)

static u64 check_reserved(struct tdmr *t, const u64 *pair, u32 index)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < MAX_RESERVED_PER_TDMR; i++) {
		u64 offset = pair[2 * i], size = pair[2 * i + 1];

		if (!size)
			break;
		if (offset < end)
			return status(TDX_NON_ORDERED_RESERVED_IN_TDMR, index);
		if (offset % PAGE_SIZE || size % PAGE_SIZE ||
		    size > t->size || offset > t->size - size)
			return status(TDX_INVALID_RESERVED_IN_TDMR, index);
		end = offset + size;
		t->reserved[i] = (struct tdx_range){ t->base + offset, size };
		t->num_reserved++;
	}
	return 0;
}

/* What is not reserved must be convertible memory. */
static u64 check_cmrs(struct tdx_module *m, struct tdmr *t, u32 index)
{
	u64 at = t->base;
	unsigned int i;

	for (i = 0; i <= t->num_reserved; i++) {
		bool last = i == t->num_reserved;
		u64 end = last ? t->base + t->size : t->reserved[i].base;

		if (end > at && !in_cmrs(m, at, end - at))
			return status(TDX_TDMR_OUTSIDE_CMRS, index);
		if (!last)
			at = end + t->reserved[i].size;
	}
	return 0;
}

static u64 check_pamt(struct tdx_module *m, struct tdmr *t, const u64 *info,
		      u32 index)
{
	static const u64 unit[] = { GIB, 2ull << 20, PAGE_SIZE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unit); i++) {
		struct tdx_range *p = &t->pamt[i];
		u64 need = t->size / unit[i] * PAMT_ENTRY_SIZE;

		p->base = info[2 * i];
		p->size = info[2 * i + 1];
		if (p->base % PAGE_SIZE || p->size % PAGE_SIZE || p->size < need)
			return status(TDX_INVALID_PAMT, index);
		if (!in_cmrs(m, p->base, p->size))
			return status(TDX_PAMT_OUTSIDE_CMRS, index);
	}
	return 0;
}

/* Whether part of @r is memory of the TDMR that can be given to a TD. */
static bool in_use_by(const struct tdmr *t, const struct tdx_range *r)
{
	u64 at = MAX(r->base, t->base);
	u64 end = MIN(r->base + r->size, t->base + t->size);
	unsigned int i;

	for (i = 0; i < t->num_reserved && at < end; i++) {
		const struct tdx_range *hole = &t->reserved[i];

		if (at >= hole->base && at < hole->base + hole->size)
			at = hole->base + hole->size;
	}
	return at < end;
}

/* A PAMT may meet no other one, and of a TDMR only what is reserved. */
static u64 check_pamt_overlaps(struct tdx_module *m, unsigned int count)
{
	unsigned int i, j;

	for (i = 0; i < 3 * count; i++) {
		const struct tdx_range *a = &m->tdmrs[i / 3].pamt[i % 3];

		for (j = 0; j < i; j++)
			if (overlap(a, &m->tdmrs[j / 3].pamt[j % 3]))
				return status(TDX_PAMT_OVERLAP, i / 3);
		for (j = 0; j < count; j++)
			if (in_use_by(&m->tdmrs[j], a))
				return status(TDX_PAMT_OVERLAP, i / 3);
	}
	return 0;
}

static u64 read_tdmr(struct tdx_module *m, u64 pa, u32 index, u64 end)
{
	struct tdmr *t = &m->tdmrs[index];
	u64 info[TDMR_INFO_QWORDS], err;

	if (pa % 512 || pa & keyid_mask(m) ||
	    !m->ops.read(m->opaque, pa, info, sizeof(info)))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_TDMR_INFO_PA);

	memset(t, 0, sizeof(*t));
	t->base = t->next = info[0];
	t->size = info[1];
	if (t->base % GIB || t->base & keyid_mask(m) ||
	    !t->size || t->size % GIB || t->size & keyid_mask(m) ||
	    (t->base + t->size) & keyid_mask(m))
		return status(TDX_INVALID_TDMR, index);
	if (t->base < end)
		return status(TDX_NON_ORDERED_TDMR, index);

	err = check_pamt(m, t, &info[2], index);
	if (!err)
		err = check_reserved(t, &info[8], index);
	if (!err)
		err = check_cmrs(m, t, index);
	return err;
}

u64 sys_config(struct call *c)
{
	struct tdx_module *m = c->m;
	const struct tdx_platform *p = &m->platform;
	u64 array = c->gpr[TDX_RCX], count = c->gpr[TDX_RDX];
	u64 hkid = c->gpr[TDX_R8], pa[MAX_TDMRS], end = 0, err;
	unsigned int i;

	if (m->sys_state != SYS_LP_INIT)
		return status(TDX_SYS_CONFIG_NOT_PENDING, 0);
	if (m->num_lps_ready != p->num_lps)
		return status(TDX_SYS_LP_INIT_NOT_DONE, 0);
	if (array % 512 || array & keyid_mask(m))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (!count || count > MAX_TDMRS)
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (hkid <= p->num_mktme_keyids ||
	    hkid > p->num_mktme_keyids + p->num_tdx_keyids)
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	if (!m->ops.read(m->opaque, array, pa, count * sizeof(pa[0])))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);

	for (i = 0; i < count; i++) {
		err = read_tdmr(m, pa[i], i, end);
		if (err)
			return err;
		end = m->tdmrs[i].base + m->tdmrs[i].size;
	}
	err = check_pamt_overlaps(m, count);
	if (err)
		return err;
	m->num_tdmrs = count;
	m->global_keyid = hkid;
	m->hkids[hkid - p->num_mktme_keyids - 1] = HKID_ASSIGNED;
	m->sys_state = SYS_CONFIGURED;
	return 0;
}

static void reserve(struct tdmr *t, const struct tdx_range *r)
{
	u64 pa;

	for (pa = r->base; pa < r->base + r->size; pa += PAGE_SIZE)
		if (pa >= t->base && pa - t->base < t->size)
			t->pages[(pa - t->base) / PAGE_SIZE].type = PT_RSVD;
}

u64 sys_tdmr_init(struct call *c)
{
	struct tdx_module *m = c->m;
	struct tdmr *t = NULL;
	unsigned int i;

	for (i = 0; i < m->num_tdmrs; i++)
		if (m->tdmrs[i].base == c->gpr[TDX_RCX])
			t = &m->tdmrs[i];
	if (!t)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (t->next == t->base + t->size)
		return status(TDX_TDMR_ALREADY_INITIALIZED, 0);

	if (!t->pages) {
		/* calloc() of this size costs no memory until it is touched. */
		t->pages = calloc(t->size / PAGE_SIZE, sizeof(*t->pages));
		if (!t->pages)
			abort();
		for (i = 0; i < t->num_reserved; i++)
			reserve(t, &t->reserved[i]);
	}
	t->next += MIN(TDMR_INIT_STEP, t->base + t->size - t->next);
	c->gpr[TDX_RDX] = t->next;
	return 0;
}

static void describe(struct call *c, const struct page *p)
{
	c->gpr[TDX_RCX] = p->type;
	c->gpr[TDX_RDX] = p->owner ? p->owner->tdr_pa : 0;
	c->gpr[TDX_R8] = 0;	/* 4 KiB */
}

u64 phymem_page_rdmd(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 pa = c->gpr[TDX_RCX];
	struct page *p;

	if (pa % PAGE_SIZE || pa & keyid_mask(m))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	p = pamt_lookup(m, pa);
	if (!p)
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);
	describe(c, p);
	c->gpr[TDX_R9] = p->bepoch;
	c->gpr[TDX_R10] = c->gpr[TDX_R11] = 0;
	return 0;
}

/* Takes a page back from a TD whose key is gone; the TDR goes last. */
u64 phymem_page_reclaim(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 pa = c->gpr[TDX_RCX], err;
	struct page *p;
	struct td *td;

	if (pa % PAGE_SIZE || pa & keyid_mask(m))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	p = pamt_lookup(m, pa);
	if (!p)
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);
	if (p->busy)
		return status(TDX_OPERAND_BUSY, TDX_OP_RCX);
	td = p->owner;
	if (!td) {
		describe(c, p);
		return status(TDX_PAGE_METADATA_INCORRECT, TDX_OP_RCX);
	}
	if (p->type != PT_TDR) {
		err = lock_td(c, td, TDX_OP_TDR);
		if (err)
			return err;
	}
	if (td->lifecycle != LC_TEARDOWN) {
		describe(c, p);
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_TDR);
	}
	if (p->type == PT_TDR && td->num_pages)
		return status(TDX_TD_ASSOCIATED_PAGES_EXIST, TDX_OP_RCX);

	describe(c, p);
	if (p->type == PT_TDVPR)
		vcpu_free(p->object);
	pamt_release(p);
	if (c->gpr[TDX_RCX] == PT_TDR)
		td_free(td);
	return 0;
}

u64 phymem_page_wbinvd(struct call *c)
{
	struct tdx_module *m = c->m;
	const struct tdx_platform *pf = &m->platform;
	u64 pa = c->gpr[TDX_RCX] & ~keyid_mask(m);
	u64 hkid = c->gpr[TDX_RCX] >> pf->keyid_shift;
	struct page *p;

	if (hkid <= pf->num_mktme_keyids ||
	    hkid > pf->num_mktme_keyids + pf->num_tdx_keyids)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return pamt_get(m, pa, TDX_OP_RCX, PT_NDA, &p);
}

bool tdx_host_access(struct tdx_module *m, uint64_t pa, bool write)
{
	struct page *p = pamt_lookup(m, pa);
	bool private;

	/* Without the lock: who comes first as a page changes hands is open. */
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
