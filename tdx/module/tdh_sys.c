// SPDX-License-Identifier: GPL-2.0
/* TDH.SYS.*: bring-up of the module, TDMRs, and the global metadata. */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "td_cpuid.h"
#include "tdh.h"

u64 tdh_sys_init(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state != SYS_INIT_PENDING)
		return status(TDX_SYS_INIT_NOT_PENDING, 0);
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	cpuid_read_native(m);
	m->tsc_adjust = m->ops.tsc_adjust(m->opaque, c->lp);
	m->sys_state = SYS_LP_INIT;
	return 0;
}

u64 tdh_sys_lp_init(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state == SYS_INIT_PENDING)
		return status(TDX_SYS_LP_INIT_NOT_PENDING, 0);
	if (m->lp_ready[c->lp])
		return status(TDX_SYS_LP_INIT_DONE, 0);
	m->lp_ready[c->lp] = true;
	m->num_lps_ready++;
	return 0;
}

#define GIB		(1ull << 30)

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

/* Memory that is not reserved must be convertible. */
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

/* A PAMT may overlap only reserved areas. */
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

/* Reads and checks a TDMR_INFO; @end is where the TDMR before it ends. */
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

u64 tdh_sys_config(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 array = c->gpr[TDX_RCX], count = c->gpr[TDX_RDX];
	u64 hkid = c->gpr[TDX_R8], pa[MAX_TDMRS], end = 0, err;
	unsigned int i;

	if (m->sys_state != SYS_LP_INIT)
		return status(TDX_SYS_CONFIG_NOT_PENDING, 0);
	if (m->num_lps_ready != m->platform.num_lps)
		return status(TDX_SYS_LP_INIT_NOT_DONE, 0);
	if (array % 512 || array & keyid_mask(m))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (!count || count > MAX_TDMRS)
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (!is_tdx_keyid(m, hkid))
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
	*keyid_state(m, hkid) = HKID_ASSIGNED;
	m->sys_state = SYS_CONFIGURED;
	return 0;
}

/* There is one package: the first call configures the key. */
u64 tdh_sys_key_config(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state == SYS_READY)
		return status(TDX_KEY_CONFIGURED, 0);
	if (m->sys_state != SYS_CONFIGURED)
		return status(TDX_SYS_KEY_CONFIG_NOT_PENDING, 0);
	m->sys_state = SYS_READY;
	return 0;
}

/* Large enough to be quick, small enough that a caller has to loop. */
#define TDMR_INIT_STEP	(GIB / 4)

static void reserve(struct tdmr *t, const struct tdx_range *r)
{
	u64 pa;

	for (pa = r->base; pa < r->base + r->size; pa += PAGE_SIZE)
		if (pa >= t->base && pa - t->base < t->size)
			t->pages[(pa - t->base) / PAGE_SIZE].type = PT_RSVD;
}

u64 tdh_sys_tdmr_init(struct call *c)
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
		/* calloc() of this much takes no memory until it is touched. */
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

u64 tdh_sys_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;

	c->gpr[TDX_R8] = 0;
	c->gpr[TDX_RDX] = NO_FIELD;
	if (!c->m->lp_ready[c->lp])
		return status(TDX_SYS_LP_INIT_NOT_DONE, 0);
	if (id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = sys_next(c->m, id, HOST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = sys_read(c->m, id, HOST, &c->gpr[TDX_R8]);
	if (!err)
		c->gpr[TDX_RDX] = sys_next(c->m, id, HOST);
	return err;
}

u64 tdh_sys_disable(struct call *c)
{
	if (c->interrupted)
		return status(TDX_INTERRUPTED_RESUMABLE, 0);
	c->m->sys_state = SYS_DISABLED;
	return 0;
}
