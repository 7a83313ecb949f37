// SPDX-License-Identifier: GPL-2.0
/*
 * Secure EPT: the mapping of a TD's private memory, its states, and the second
 * stage of address translation, private and shared.
 *
 * Levels count as in the ABI: 0 maps 4 KiB, 1 maps 2 MiB, and so on.
 */
#include <string.h>

#include "internal.h"

#define LEVEL_SHIFT(level)	(12 + 9 * (level))
#define LEVEL_SIZE(level)	(1ull << LEVEL_SHIFT(level))
#define MAX_LEAF_LEVEL		1

static unsigned int root_level(const struct td *td)
{
	return td->eptp_controls >> 3 & 7;
}

u64 gpa_width(const struct td *td)
{
	return td->config_flags & CONFIG_GPAW ? 52 : 48;
}

u64 shared_bit(const struct td *td)
{
	return BIT(gpa_width(td) - 1);
}

static unsigned int entry_index(u64 gpa, unsigned int level)
{
	return gpa >> LEVEL_SHIFT(level) & 511;
}

static bool is_leaf(const struct sept_entry *e)
{
	return e->state != SEPT_FREE && !(e->state & 0x80);
}

static bool is_blocked(const struct sept_entry *e)
{
	return e->state == SEPT_BLOCKED || e->state == SEPT_PENDING_BLOCKED ||
	       e->state == SEPT_NL_BLOCKED;
}

/*
 * The entry that maps @gpa at @level, or the last one on the way to it; *found
 * is the level reached.
 */
struct sept_entry *sept_find(struct td *td, u64 gpa, unsigned int level,
			     unsigned int *found)
{
	struct sept_table *table = &td->root;
	unsigned int l = root_level(td);

	for (;; l--) {
		struct sept_entry *e = &table->entry[entry_index(gpa, l)];

		*found = l;
		if (l == level || e->state != SEPT_NL_MAPPED)
			return e;
		table = e->table;
	}
}

static u64 mapped_below(const struct sept_table *table, unsigned int level)
{
	unsigned int i;
	u64 gpa;

	for (i = 0; i < 512; i++) {
		const struct sept_entry *e = &table->entry[i];

		if (e->state == SEPT_MAPPED)
			return i * LEVEL_SIZE(level);
		if (e->state != SEPT_NL_MAPPED)
			continue;
		gpa = mapped_below(e->table, level - 1);
		if (gpa != NO_GPA)
			return i * LEVEL_SIZE(level) + gpa;
	}
	return NO_GPA;
}

/* The lowest mapped address, or NO_GPA. */
u64 sept_any_mapped(struct td *td)
{
	return mapped_below(&td->root, root_level(td));
}

bool sept_has_page(struct td *td, u64 gpa)
{
	unsigned int level;
	const struct sept_entry *e = sept_find(td, gpa, 0, &level);

	return e->state == SEPT_MAPPED || e->state == SEPT_PENDING;
}

static void free_table(struct sept_table *table)
{
	unsigned int i;

	for (i = 0; i < 512; i++) {
		if (!table->entry[i].table)
			continue;
		free_table(table->entry[i].table);
		g_free(table->entry[i].table);
	}
}

void sept_free(struct td *td)
{
	free_table(&td->root);
}

/* RCX and RDX of a call that failed on, or removed, an entry. */
static void describe(struct call *c, const struct sept_entry *e,
		     unsigned int level)
{
	u64 rwx = e->state == SEPT_MAPPED || e->state == SEPT_NL_MAPPED ? 7 : 0;
	u64 page_size = level && is_leaf(e) ? BIT(7) : 0;

	c->gpr[TDX_RCX] = e->pa | rwx | page_size;
	c->gpr[TDX_RDX] = level | (u64)e->state << 8;
}

static u64 fail(struct call *c, enum tdx_status_code code, u32 detail,
		const struct sept_entry *e, unsigned int level)
{
	describe(c, e, level);
	return status(code, detail);
}

/* A private GPA with its level in bits 2:0, in RCX. */
static u64 get_gpa(struct call *c, const struct td *td, unsigned int min,
		   unsigned int max, u64 *gpa, unsigned int *level)
{
	u64 rcx = c->gpr[TDX_RCX];

	*level = rcx & 7;
	*gpa = rcx & ~7ull;
	if (*level < min || *level > max || *gpa % LEVEL_SIZE(*level) ||
	    *gpa >= shared_bit(td))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return 0;
}

/* The operands of all calls on secure EPT: RCX is a GPA, RDX the TDR. */
static u64 get_entry(struct call *c, unsigned int op_states, unsigned int min,
		     unsigned int max, struct td **td, u64 *gpa,
		     unsigned int *level, struct sept_entry **e)
{
	unsigned int found;
	u64 err;

	err = td_get(c, c->gpr[TDX_RDX], TDX_OP_RDX, op_states, td);
	if (!err)
		err = get_gpa(c, *td, min, MIN(max, root_level(*td)), gpa, level);
	if (err)
		return err;
	*e = sept_find(*td, *gpa, *level, &found);
	if (found != *level)
		return fail(c, TDX_EPT_WALK_FAILED, TDX_OP_RCX, *e, found);
	if ((*e)->busy)
		return status(TDX_OPERAND_BUSY, TDX_OP_SEPT_ENTRY);
	return 0;
}

#define BUILDING	(BIT(OP_INITIALIZED) | BIT(OP_RUNNABLE))

u64 mem_sept_add(struct call *c)
{
	bool allow_existing = c->version && c->gpr[TDX_RDX] & 1;
	struct sept_entry *e;
	unsigned int level;
	struct page *p;
	struct td *td;
	u64 gpa, err;

	if (c->version)
		c->gpr[TDX_RDX] &= ~1ull;
	err = get_entry(c, BUILDING, 1, 4, &td, &gpa, &level, &e);
	if (err)
		return err;
	if (e->state == SEPT_NL_MAPPED && allow_existing)
		return 0;
	if (e->state != SEPT_FREE)
		return fail(c, TDX_EPT_ENTRY_STATE_INCORRECT, TDX_OP_RCX, e,
			    level);
	err = pamt_get(c->m, c->gpr[TDX_R8], TDX_OP_R8, PT_NDA, &p);
	if (err)
		return err;
	e->table = g_new0(struct sept_table, 1);
	e->pa = c->gpr[TDX_R8];
	e->state = SEPT_NL_MAPPED;
	pamt_assign(p, PT_EPT, td, e->table);
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	return 0;
}

/* Where the content of a private page is. */
static u64 private_view(const struct td *td, u64 pa)
{
	return pa | (u64)td->hkid << td->m->platform.keyid_shift;
}

/* All pages of a mapping at @level from @pa must be of @type. */
static u64 check_pages(struct call *c, u64 pa, unsigned int level,
		       enum tdx_operand op, enum tdx_page_type type)
{
	struct page *p;
	u64 i, err;

	if (pa % LEVEL_SIZE(level))
		return status(TDX_OPERAND_INVALID, op);
	for (i = 0; i < LEVEL_SIZE(level); i += PAGE_SIZE) {
		err = pamt_get(c->m, pa + i, op, type, &p);
		if (err)
			return err;
	}
	return 0;
}

static void map_pages(struct call *c, struct td *td, struct sept_entry *e,
		      u64 pa, unsigned int level, enum tdx_sept_state state)
{
	u64 i;

	for (i = 0; i < LEVEL_SIZE(level); i += PAGE_SIZE)
		pamt_assign(pamt_lookup(c->m, pa + i), PT_REG, td, NULL);
	e->pa = pa;
	e->state = state;
}

/* A block of the measured stream: a name, a GPA, zeros. */
static void measure(struct td *td, const char *name, u64 gpa)
{
	u8 block[128] = { 0 };

	memcpy(block, name, strlen(name));
	memcpy(block + 16, &gpa, sizeof(gpa));
	g_checksum_update(td->measurement, block, sizeof(block));
}

u64 mem_page_add(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 pa = c->gpr[TDX_R8], source = c->gpr[TDX_R9], gpa, err;
	u8 data[PAGE_SIZE];
	struct sept_entry *e;
	unsigned int level;
	struct page *p;
	struct td *td;
	bool copied;

	err = get_entry(c, BIT(OP_INITIALIZED), 0, 0, &td, &gpa, &level, &e);
	if (err)
		return err;
	if (e->state != SEPT_FREE)
		return fail(c, TDX_EPT_ENTRY_STATE_INCORRECT, TDX_OP_RCX, e, 0);
	err = pamt_get(m, pa, TDX_OP_R8, PT_NDA, &p);
	if (err)
		return err;
	if (source % PAGE_SIZE || source >> m->platform.keyid_shift)
		return status(TDX_OPERAND_INVALID, TDX_OP_R9);

	e->busy = p->busy = true;
	unlock_for_work(c);
	copied = m->ops.read(m->opaque, source, data, sizeof(data)) &&
		 m->ops.write(m->opaque, private_view(td, pa), data,
			      sizeof(data));
	lock_after_work(c);
	e->busy = p->busy = false;
	if (!copied)
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_R9);

	map_pages(c, td, e, pa, 0, SEPT_MAPPED);
	measure(td, "MEM.PAGE.ADD", gpa);
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	return 0;
}

#define EXTEND_CHUNK	256ull

u64 mr_extend(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 gpa = c->gpr[TDX_RCX], err;
	u8 data[EXTEND_CHUNK];
	struct sept_entry *e;
	unsigned int found;
	struct td *td;

	err = td_get(c, c->gpr[TDX_RDX], TDX_OP_RDX, BIT(OP_INITIALIZED), &td);
	if (err)
		return err;
	if (gpa % EXTEND_CHUNK || gpa >= shared_bit(td))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	e = sept_find(td, gpa, 0, &found);
	if (found)
		return fail(c, TDX_EPT_WALK_FAILED, TDX_OP_RCX, e, found);
	if (e->state != SEPT_MAPPED)
		return fail(c, TDX_EPT_ENTRY_STATE_INCORRECT, TDX_OP_RCX, e, 0);
	if (!m->ops.read(m->opaque, private_view(td, e->pa) + gpa % PAGE_SIZE,
			 data, sizeof(data)))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);
	measure(td, "MR.EXTEND", gpa);
	g_checksum_update(td->measurement, data, sizeof(data));
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	return 0;
}

u64 mem_page_aug(struct call *c)
{
	u64 pa = c->gpr[TDX_R8], gpa, err;
	struct sept_entry *e;
	unsigned int level;
	struct td *td;

	err = get_entry(c, BUILDING, 0, MAX_LEAF_LEVEL, &td, &gpa, &level, &e);
	if (err)
		return err;
	if (e->state != SEPT_FREE)
		return fail(c, TDX_EPT_ENTRY_STATE_INCORRECT, TDX_OP_RCX, e,
			    level);
	err = check_pages(c, pa, level, TDX_OP_R8, PT_NDA);
	if (err)
		return err;
	map_pages(c, td, e, pa, level, SEPT_PENDING);
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	return 0;
}

static struct page *page_of(struct call *c, const struct sept_entry *e)
{
	return pamt_lookup(c->m, e->pa);
}

u64 mem_range_block(struct call *c)
{
	struct sept_entry *e;
	unsigned int level;
	struct td *td;
	u64 gpa, err;

	err = get_entry(c, BUILDING, 0, 3, &td, &gpa, &level, &e);
	if (err)
		return err;
	if (is_blocked(e))
		return fail(c, TDX_GPA_RANGE_ALREADY_BLOCKED, TDX_OP_RCX, e,
			    level);
	if (e->state == SEPT_FREE)
		return fail(c, TDX_EPT_ENTRY_FREE, TDX_OP_RCX, e, level);

	if (e->state == SEPT_MAPPED)
		e->state = SEPT_BLOCKED;
	else if (e->state == SEPT_PENDING)
		e->state = SEPT_PENDING_BLOCKED;
	else
		e->state = SEPT_NL_BLOCKED;
	page_of(c, e)->bepoch = td->epoch;
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	return 0;
}

/* vCPUs inside may still hold translations of the epoch before this one. */
u64 mem_track(struct call *c)
{
	struct td *td;
	u64 err = td_get(c, c->gpr[TDX_RCX], TDX_OP_RCX, BUILDING, &td);

	if (err)
		return err;
	if (td->running[(td->epoch - 1) & 1])
		return status(TDX_PREVIOUS_TLB_EPOCH_BUSY, TDX_OP_TD_EPOCH);
	td->epoch++;
	return 0;
}

/* No vCPU can hold a translation that was blocked in @bepoch. */
static bool is_tracked(const struct td *td, u64 bepoch)
{
	return td->epoch > bepoch + 1 ||
	       (td->epoch == bepoch + 1 && !td->running[bepoch & 1]);
}

u64 mem_page_remove(struct call *c)
{
	struct sept_entry *e;
	unsigned int level;
	struct td *td;
	u64 gpa, err, i;

	err = get_entry(c, BUILDING, 0, MAX_LEAF_LEVEL, &td, &gpa, &level, &e);
	if (err)
		return err;
	if (!is_leaf(e))
		return fail(c, e->state == SEPT_FREE ? TDX_EPT_ENTRY_FREE :
			    TDX_EPT_ENTRY_NOT_LEAF, TDX_OP_RCX, e, level);
	if (td->op_state == OP_RUNNABLE) {
		if (!is_blocked(e))
			return fail(c, TDX_GPA_RANGE_NOT_BLOCKED, TDX_OP_RCX, e,
				    level);
		if (!is_tracked(td, page_of(c, e)->bepoch))
			return fail(c, TDX_TLB_TRACKING_NOT_DONE, TDX_OP_RCX, e,
				    level);
	}
	for (i = 0; i < LEVEL_SIZE(level); i += PAGE_SIZE)
		pamt_release(pamt_lookup(c->m, e->pa + i));
	describe(c, e, level);
	*e = (struct sept_entry){ SEPT_FREE };
	return 0;
}

/* A TD exit for @gpa.  Private addresses do not show their offset. */
static enum tdx_outcome violation(struct tdx_exit *exit, u64 gpa,
				  enum tdx_access access, u64 ext)
{
	exit->reason = EXIT_EPT_VIOLATION;
	exit->qualification = access;
	exit->ext_qualification = ext;
	exit->gpa = gpa & ~(PAGE_SIZE - 1);
	return TDX_EXIT;
}

static u64 ext_qualification(enum tdx_eeq type, unsigned int requested,
			     const struct sept_entry *e, unsigned int level)
{
	u64 info = requested | level << 3 | (u64)e->state << 6 |
		   (u64)is_leaf(e) << 14;

	return type | info << 32;
}

static bool poisoned(const struct tdx_vcpu *v, const struct sept_entry *e,
		     u64 gpa, unsigned int level)
{
	u64 offset = gpa & (LEVEL_SIZE(level) - 1) & ~(PAGE_SIZE - 1);

	return pamt_lookup(v->td->m, e->pa + offset)->poisoned;
}

/* A valid machine check exception (vector 18) in an exit's information. */
#define INTR_INFO_MACHINE_CHECK	0x80000312

/* The TD met poison: no vCPU of it can be entered again. */
static enum tdx_outcome lost(struct tdx_vcpu *v, struct tdx_exit *exit)
{
	v->td->fatal = true;
	exit->status = status(TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, 0);
	exit->reason = EXIT_EXCEPTION_NMI;
	exit->intr_info = INTR_INFO_MACHINE_CHECK;
	return TDX_EXIT;
}

static enum tdx_outcome translate_private(struct tdx_vcpu *v, u64 gpa,
					  enum tdx_access access, u64 *hpa,
					  unsigned int *rights,
					  struct tdx_exit *exit)
{
	struct td *td = v->td;
	unsigned int level;
	struct sept_entry *e = sept_find(td, gpa, 0, &level);

	if (e->state == SEPT_MAPPED) {
		if (poisoned(v, e, gpa, level))
			return lost(v, exit);
		*hpa = private_view(td, e->pa) + gpa % LEVEL_SIZE(level);
		*rights = TDX_READ | TDX_WRITE | TDX_FETCH;
		return TDX_DONE;
	}
	if (e->state != SEPT_PENDING)
		return violation(exit, gpa, access, EEQ_NONE);
	if (td->td_ctls & TD_CTLS_PENDING_VE_DISABLE)
		return violation(exit, gpa, access,
				 ext_qualification(EEQ_PENDING, 0, e, level));
	exit->qualification = access;
	return TDX_VE;
}

#define EPT_PAGE_SIZE		BIT(7)
#define EPT_SUPPRESS_VE		BIT(63)
#define EPT_ADDRESS(pte)	((pte) & ((1ull << 52) - PAGE_SIZE))

/* The shared EPT is KVM's; it lies in ordinary memory. */
static enum tdx_outcome translate_shared(struct tdx_vcpu *v, u64 gpa,
					 enum tdx_access access, u64 *hpa,
					 unsigned int *rights,
					 struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	u64 table = EPT_ADDRESS(v->shared_eptp), pte;
	unsigned int level = root_level(v->td), rwx = 7;

	for (;; level--) {
		u64 pa = table + 8 * entry_index(gpa, level);

		if (!m->ops.read(m->opaque, pa, &pte, sizeof(pte)))
			goto misconfig;
		if (!(pte & 7))
			goto not_present;
		if ((pte & 3) == 2)
			goto misconfig;
		rwx &= pte & 7;
		if (!level || pte & EPT_PAGE_SIZE)
			break;
		table = EPT_ADDRESS(pte);
	}
	if (level > 2)
		goto misconfig;
	*hpa = (EPT_ADDRESS(pte) & ~(LEVEL_SIZE(level) - 1)) |
	       (gpa & (LEVEL_SIZE(level) - 1));
	*rights = rwx & (TDX_READ | TDX_WRITE);
	if (*rights & access)
		return TDX_DONE;

not_present:
	/* Present but not allowed: bits 5:3 tell what would be. */
	if (pte & 7 || pte & EPT_SUPPRESS_VE) {
		violation(exit, gpa, access, EEQ_NONE);
		exit->qualification |= (pte & 7) << 3;
		return TDX_EXIT;
	}
	exit->qualification = access;
	return TDX_VE;

misconfig:
	violation(exit, gpa, access, EEQ_NONE);
	exit->reason = EXIT_EPT_MISCONFIG;
	return TDX_EXIT;
}

enum tdx_outcome translate(struct tdx_vcpu *v, u64 gpa, enum tdx_access access,
			   u64 *hpa, unsigned int *rights,
			   struct tdx_exit *exit)
{
	memset(exit, 0, sizeof(*exit));
	/* Nor is there code in shared memory, mapped or not. */
	if (gpa >> gpa_width(v->td) ||
	    (access == TDX_FETCH && gpa & shared_bit(v->td)))
		return TDX_RSVD;
	return gpa & shared_bit(v->td) ?
	       translate_shared(v, gpa, access, hpa, rights, exit) :
	       translate_private(v, gpa, access, hpa, rights, exit);
}

enum tdx_outcome tdx_translate(struct tdx_vcpu *v, uint64_t gpa,
			       enum tdx_access access, uint64_t *hpa,
			       unsigned int *rights, struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	enum tdx_outcome out;

	pthread_mutex_lock(&m->lock);
	out = translate(v, gpa, access, hpa, rights, exit);
	pthread_mutex_unlock(&m->lock);
	return out;
}

u64 tdg_mem_page_accept(struct call *c)
{
	static const u8 zeros[PAGE_SIZE];
	struct tdx_module *m = c->m;
	struct td *td = c->vcpu->td;
	unsigned int level, found;
	struct sept_entry *e;
	u64 gpa, err, i, end;

	err = get_gpa(c, td, 0, MAX_LEAF_LEVEL, &gpa, &level);
	if (err)
		return err;
	e = sept_find(td, gpa, level, &found);
	if (e->state == SEPT_MAPPED)
		return status(TDX_PAGE_ALREADY_ACCEPTED, found);
	if (found == level && e->state == SEPT_NL_MAPPED)
		return status(TDX_PAGE_SIZE_MISMATCH, level);
	if (found != level || e->state != SEPT_PENDING) {
		c->outcome = violation(c->exit, gpa, TDX_WRITE,
				       ext_qualification(EEQ_ACCEPT, level, e,
							 found));
		return 0;
	}
	if (e->busy)
		return status(TDX_OPERAND_BUSY, TDX_OP_RCX);

	/* Where an interruption stopped it, this goes on. */
	end = LEVEL_SIZE(level) / PAGE_SIZE;
	if (c->interrupted)
		end = e->accepted + (end - e->accepted) / 2;
	e->busy = true;
	unlock_for_work(c);
	for (i = e->accepted; i < end; i++)
		m->ops.write(m->opaque, private_view(td, e->pa) + i * PAGE_SIZE,
			     zeros, sizeof(zeros));
	lock_after_work(c);
	e->busy = false;
	if (c->interrupted) {
		e->accepted = end;
		c->outcome = TDX_AGAIN;
		return 0;
	}
	e->accepted = 0;
	e->state = SEPT_MAPPED;
	return 0;
}

/* Attributes of a page for the TD itself: read, write, both kinds of execute. */
#define ATTR_L1		(0xfull | BIT(15))
#define ATTR_PENDING	BIT(62)

static u64 attr_result(struct call *c, const struct sept_entry *e, u64 gpa,
		       unsigned int level)
{
	c->gpr[TDX_RCX] = (gpa & ~(LEVEL_SIZE(level) - 1)) | level |
			  (e->state == SEPT_PENDING ? ATTR_PENDING : 0);
	c->gpr[TDX_RDX] = ATTR_L1;
	return 0;
}

static bool has_attributes(const struct sept_entry *e)
{
	return e->state == SEPT_MAPPED || e->state == SEPT_PENDING;
}

u64 tdg_mem_page_attr_rd(struct call *c)
{
	u64 gpa = c->gpr[TDX_RCX], err;
	struct sept_entry *e;
	unsigned int level;

	err = guest_operand(c, gpa, PAGE_SIZE, true, TDX_OP_RCX);
	if (err)
		return err;
	e = sept_find(c->vcpu->td, gpa, 0, &level);
	if (has_attributes(e))
		return attr_result(c, e, gpa, level);
	c->outcome = violation(c->exit, gpa, 0, EEQ_NONE);
	return 0;
}

/* The TD's own attributes are fixed, and there is no L2 VM to have others. */
u64 tdg_mem_page_attr_wr(struct call *c)
{
	struct td *td = c->vcpu->td;
	unsigned int level, found;
	struct sept_entry *e;
	u64 gpa, err;

	err = get_gpa(c, td, 0, 2, &gpa, &level);
	if (err)
		return err;
	if (c->gpr[TDX_RDX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (c->gpr[TDX_R8])
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	e = sept_find(td, gpa, level, &found);
	if (found == level && has_attributes(e))
		return attr_result(c, e, gpa, level);
	c->outcome = violation(c->exit, gpa, 0,
			       ext_qualification(EEQ_ATTR_WR, level, e, found));
	return 0;
}
