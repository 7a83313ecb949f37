// SPDX-License-Identifier: GPL-2.0
/* TDG.MEM.*: private pages, as the guest sees them. */
#include "guest_memory.h"
#include "host_priority.h"
#include "locks.h"
#include "operands.h"
#include "sept.h"
#include "td.h"
#include "tdg.h"
#include "translate.h"

/* Zeroes the 4 KiB pages of @e from the first to before @end, unlocked. */
static void zero_pages(struct call *c, struct sept_entry *e, u64 first, u64 end)
{
	static const u8 zeros[PAGE_SIZE];
	struct tdx_module *m = c->m;
	u64 i;

	e->busy = true;
	unlock_for_work(c);
	for (i = first; i < end; i++)
		m->ops.write(m->opaque, private_view(c->vcpu->td, e->pa) +
			     i * PAGE_SIZE, zeros, sizeof(zeros));
	lock_after_work(c);
	e->busy = false;
}

/* Zeroes the page.  An interrupted ACCEPT goes on where it stopped. */
static void accept(struct call *c, struct sept_entry *e, unsigned int level)
{
	u64 end = LEVEL_SIZE(level) / PAGE_SIZE;

	if (c->interrupted)
		end = e->accepted + (end - e->accepted) / 2;
	zero_pages(c, e, e->accepted, end);
	if (c->interrupted) {
		e->accepted = end;
		c->outcome = TDX_AGAIN;
		return;
	}
	e->accepted = 0;
	e->state = SEPT_MAPPED;
	c->guest_entry = e;
}

/* The TD exit of a call that needs the host's help at @gpa. */
static u64 violation(struct call *c, u64 gpa, enum tdx_access access, u64 ext)
{
	c->outcome = ept_violation(c->exit, gpa, access, ext);
	c->exit->by_tdcall = true;
	return 0;
}

u64 tdg_mem_page_accept(struct call *c)
{
	struct td *td = c->vcpu->td;
	unsigned int level, found;
	struct sept_entry *e;
	u64 gpa, err;

	err = leveled_gpa_operand(c, td, 0, MAX_LEAF_LEVEL, &gpa, &level);
	if (err)
		return err;
	e = sept_find(td, gpa, level, &found);
	err = found == level ? guest_entry_lock(e) : 0;
	if (err)
		return err;
	if (e->state == SEPT_MAPPED)
		return status(TDX_PAGE_ALREADY_ACCEPTED, found);
	if (found == level && e->state & SEPT_NON_LEAF)
		return status(TDX_PAGE_SIZE_MISMATCH, level);
	if (found != level || e->state != SEPT_PENDING)
		return violation(c, gpa, TDX_WRITE,
				 ext_qualification(EEQ_ACCEPT, level, e, found));
	accept(c, e, level);
	return 0;
}

#define ATTR_PENDING	BIT(62)

static bool has_attributes(const struct sept_entry *e)
{
	return e->state == SEPT_MAPPED || e->state == SEPT_PENDING;
}

/* The attributes in RDX are those of L2 VMs, of which there are none. */
static u64 attr_result(struct call *c, const struct sept_entry *e, u64 gpa,
		       unsigned int level)
{
	c->gpr[TDX_RCX] = (gpa & ~(LEVEL_SIZE(level) - 1)) | level |
			  (e->state == SEPT_PENDING ? ATTR_PENDING : 0);
	c->gpr[TDX_RDX] = 0;
	return 0;
}

static u64 attr_failure(struct call *c, u64 err)
{
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	return err;
}

u64 tdg_mem_page_attr_rd(struct call *c)
{
	u64 gpa = c->gpr[TDX_RCX], err;
	struct sept_entry *e;
	unsigned int level;

	err = gpa_operand(c, gpa, 1, true, TDX_OP_RCX);
	if (err)
		return attr_failure(c, err);
	e = sept_find(c->vcpu->td, gpa, 0, &level);
	err = guest_entry_lock(e);
	if (err)
		return attr_failure(c, err);
	if (!has_attributes(e))
		return violation(c, gpa, 0, EEQ_NONE);
	return attr_result(c, e, gpa, level);
}

#define ATTRIBUTES_OF(vm, value)	((value) >> 16 * (vm) & 0xffff)
#define MAX_VMS				4

/* The TD's own attributes are fixed, and it has no L2 VM with others. */
static u64 check_attributes(const struct call *c)
{
	unsigned int vm;

	for (vm = 0; vm < MAX_VMS; vm++) {
		if (ATTRIBUTES_OF(vm, c->gpr[TDX_RDX]))
			return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
		if (ATTRIBUTES_OF(vm, c->gpr[TDX_R8]))
			return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	}
	return 0;
}

u64 tdg_mem_page_attr_wr(struct call *c)
{
	struct td *td = c->vcpu->td;
	unsigned int level, found;
	struct sept_entry *e;
	u64 gpa, err;

	err = check_attributes(c);
	if (!err)
		err = leveled_gpa_operand(c, td, 0, 2, &gpa, &level);
	if (err)
		return attr_failure(c, err);
	e = sept_find(td, gpa, level, &found);
	if (found == level) {
		err = guest_entry_lock(e);
		if (!err && e->state & SEPT_NON_LEAF)
			err = status(TDX_PAGE_SIZE_MISMATCH, level);
		if (err)
			return attr_failure(c, err);
		if (has_attributes(e))
			return attr_result(c, e, gpa, level);
	}
	return violation(c, gpa, TDX_WRITE,
			 ext_qualification(EEQ_ATTR_WR, level, e, found));
}
