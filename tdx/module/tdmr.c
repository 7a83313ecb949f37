// SPDX-License-Identifier: GPL-2.0
/*
 * TDMRs: the checks of what the host offers as memory for TDs, in the module's
 * order, since the first failure is what the host gets to see.
 */
#include <stdlib.h>
#include <string.h>

#include "tdmr.h"

bool cmrs_valid(const struct tdx_module *m)
{
	const struct tdx_range *r = m->platform.cmr;
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < m->platform.num_cmrs; i++) {
		if (!r[i].size)
			continue;
		if (r[i].base + r[i].size < r[i].base || r[i].base < end ||
		    (r[i].base | r[i].size) % PAGE_SIZE)
			return false;
		end = r[i].base + r[i].size;
		if ((end - 1) & keyid_mask(m))
			return false;
	}
	return true;
}

/* Adjacent ranges count as one. */
bool cmrs_have(const struct tdx_module *m, u64 base, u64 size)
{
	u64 start = 0, end = 0;
	unsigned int i;

	for (i = 0; i < m->platform.num_cmrs; i++) {
		const struct tdx_range *r = &m->platform.cmr[i];

		if (!r->size)
			continue;
		if (r->base != end)
			start = r->base;
		end = r->base + r->size;
		if (base >= start && base <= end && size <= end - base)
			return true;
	}
	return false;
}

/* Page sizes as errors give them, the place of their PAMT, and in bytes. */
enum { PT_4K, PT_2M, PT_1G, NUM_SIZES };

static const struct {
	unsigned int place;	/* in TDMR_INFO, and of tdmr.pamt */
	u64 bytes;
} sizes[NUM_SIZES] = {
	[PT_4K] = { 2, PAGE_SIZE }, [PT_2M] = { 1, 2ull << 20 },
	[PT_1G] = { 0, TDMR_UNIT },
};

/* A status about a TDMR: its index, and up to two more numbers. */
static u64 fail(enum tdx_status_code code, unsigned int index, u32 second,
		u32 third)
{
	return status(code, index | second << 8 | third << 16);
}

static bool overflows(u64 base, u64 size)
{
	return base + size < base;
}

static bool overlap(const struct tdx_range *a, const struct tdx_range *b)
{
	return a->base < b->base + b->size && b->base < a->base + a->size;
}

static bool is_outside(const struct tdx_module *m, u64 base, u64 size)
{
	return (base | (base + size - 1)) & keyid_mask(m);
}

static u64 check_area(const struct tdx_module *m, unsigned int index)
{
	const struct tdmr *t = &m->tdmrs[index];

	if (overflows(t->base, t->size))
		return fail(TDX_INVALID_TDMR, index, 0, 0);
	if (index && t->base < t[-1].base + t[-1].size)
		return fail(TDX_NON_ORDERED_TDMR, index, 0, 0);
	if (t->base % TDMR_UNIT || t->size % TDMR_UNIT || !t->size ||
	    is_outside(m, t->base, t->size))
		return fail(TDX_INVALID_TDMR, index, 0, 0);
	return 0;
}

/* TDMR_INFO: eight quadwords, then pairs of reserved offset and size. */
#define TDMR_INFO_QWORDS (8 + 2 * MAX_RESERVED_PER_TDMR)

static u64 check_reserved(struct tdmr *t, const u64 *pair, unsigned int index)
{
	u64 end = 0;
	unsigned int i;

	for (i = 0; i < MAX_RESERVED_PER_TDMR; i++) {
		u64 offset = pair[2 * i], size = pair[2 * i + 1];

		if (!size) {
			if (i + 1 < MAX_RESERVED_PER_TDMR && pair[2 * i + 3])
				return fail(TDX_NON_ORDERED_RESERVED_IN_TDMR,
					    index, i, 0);
			continue;
		}
		if (overflows(offset, size))
			return fail(TDX_INVALID_RESERVED_IN_TDMR, index, i, 0);
		if (offset < end)
			return fail(TDX_NON_ORDERED_RESERVED_IN_TDMR, index, i, 0);
		if ((offset | size) % PAGE_SIZE || offset + size > t->size)
			return fail(TDX_INVALID_RESERVED_IN_TDMR, index, i, 0);
		end = offset + size;
		t->reserved[i] = (struct tdx_range){ t->base + offset, size };
		t->num_reserved++;
	}
	return 0;
}

/* A PAMT of a TDMR, by page size. */
static const struct tdx_range *pamt(const struct tdx_module *m,
				    unsigned int index, unsigned int size)
{
	return &m->tdmrs[index].pamt[sizes[size].place];
}

static u64 check_pamts(const struct tdx_module *m, unsigned int index)
{
	int size;

	for (size = PT_1G; size >= PT_4K; size--) {
		const struct tdx_range *p = pamt(m, index, size);
		u64 need = m->tdmrs[index].size / sizes[size].bytes *
			   PAMT_ENTRY_SIZE;

		/* With Dynamic PAMT, a bit for each 4 KiB page. */
		if (size == PT_4K && m->dynamic_pamt)
			need = m->tdmrs[index].size / PAGE_SIZE / 8;
		if (overflows(p->base, p->size) ||
		    (p->base | p->size) % PAGE_SIZE ||
		    is_outside(m, p->base, p->size) || p->size < need)
			return fail(TDX_INVALID_PAMT, index, size, 0);
	}
	return 0;
}

/* PAMTs may not overlap each other ... */
static u64 check_pamts_apart(const struct tdx_module *m, unsigned int index)
{
	unsigned int i, a, b;

	for (i = 0; i < index; i++)
		for (a = 0; a < NUM_SIZES; a++)
			for (b = 0; b < NUM_SIZES; b++)
				if (overlap(pamt(m, index, a), pamt(m, i, b)))
					return fail(TDX_PAMT_OVERLAP, index, a, i);
	for (a = 0; a < NUM_SIZES; a++)
		for (b = a + 1; b < NUM_SIZES; b++)
			if (overlap(pamt(m, index, a), pamt(m, index, b)))
				return fail(TDX_PAMT_OVERLAP, index, a, index);
	return 0;
}

/* Whether @r overlaps memory of the TDMR that is not reserved. */
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

/* ... nor what TDs may use of this TDMR or of one before it. */
static u64 check_pamts_reserved(const struct tdx_module *m, unsigned int index)
{
	unsigned int i, size;

	for (i = 0; i <= index; i++) {
		for (size = 0; size < NUM_SIZES; size++)
			if (in_use_by(&m->tdmrs[i], pamt(m, index, size)))
				return fail(TDX_PAMT_OVERLAP, index, size, i);
		for (size = 0; i < index && size < NUM_SIZES; size++)
			if (in_use_by(&m->tdmrs[index], pamt(m, i, size)))
				return fail(TDX_PAMT_OVERLAP, i, size, index);
	}
	return 0;
}

static u64 check_pamts_convertible(const struct tdx_module *m,
				   unsigned int index)
{
	int size;

	for (size = PT_1G; size >= PT_4K; size--) {
		const struct tdx_range *p = pamt(m, index, size);

		if (!cmrs_have(m, p->base, p->size))
			return fail(TDX_PAMT_OUTSIDE_CMRS, index, size, 0);
	}
	return 0;
}

/* Memory that is not reserved must be convertible. */
static u64 check_convertible(const struct tdx_module *m, unsigned int index)
{
	const struct tdmr *t = &m->tdmrs[index];
	u64 at = t->base;
	unsigned int i;

	for (i = 0; i <= t->num_reserved; i++) {
		bool last = i == t->num_reserved;
		u64 end = last ? t->base + t->size : t->reserved[i].base;

		if (end > at && !cmrs_have(m, at, end - at))
			return fail(TDX_TDMR_OUTSIDE_CMRS, index, 0, 0);
		if (!last)
			at = end + t->reserved[i].size;
	}
	return 0;
}

u64 tdmr_read(struct tdx_module *m, u64 pa, unsigned int index)
{
	struct tdmr *t = &m->tdmrs[index];
	u64 info[TDMR_INFO_QWORDS], err;
	unsigned int i;

	if (pa % 512 || !is_shared_address(m, pa))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (!read_shared(m, pa, info, sizeof(info)))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);

	memset(t, 0, sizeof(*t));
	t->base = t->next = info[0];
	t->size = info[1];
	for (i = 0; i < NUM_SIZES; i++)
		t->pamt[i] = (struct tdx_range){ info[2 + 2 * i],
						 info[3 + 2 * i] };
	err = check_area(m, index);
	if (!err)
		err = check_reserved(t, &info[8], index);
	if (!err)
		err = check_pamts(m, index);
	if (!err)
		err = check_pamts_apart(m, index);
	if (!err)
		err = check_pamts_reserved(m, index);
	if (!err)
		err = check_pamts_convertible(m, index);
	return err ? err : check_convertible(m, index);
}

static void reserve(struct tdmr *t, const struct tdx_range *r)
{
	u64 pa;

	for (pa = r->base; pa < r->base + r->size; pa += PAGE_SIZE)
		if (pa >= t->base && pa - t->base < t->size)
			t->pages[(pa - t->base) / PAGE_SIZE].type = PT_RSVD;
}

void tdmr_allocate(struct tdmr *t)
{
	unsigned int i;

	/* calloc() of this much takes no memory until it is touched. */
	t->pages = calloc(t->size / PAGE_SIZE, sizeof(*t->pages));
	t->pairs = calloc(t->size / PAMT_REGION, sizeof(*t->pairs));
	if (!t->pages || !t->pairs)
		abort();
	for (i = 0; i < t->num_reserved; i++)
		reserve(t, &t->reserved[i]);
}

/* tdx_host_access() may still look at the metadata, which it does unlocked. */
void tdmrs_forget(struct tdx_module *m)
{
	struct tdmr *t;

	while (m->num_tdmrs) {
		t = &m->tdmrs[--m->num_tdmrs];
		m->old_pages = g_slist_prepend(m->old_pages, t->pages);
		m->old_pages = g_slist_prepend(m->old_pages, t->pairs);
	}
}
