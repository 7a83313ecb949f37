// SPDX-License-Identifier: GPL-2.0
/* Operands of calls; see operands.h. */
#include "locks.h"
#include "operands.h"
#include "pamt.h"
#include "sept.h"
#include "td.h"

static u64 check_state(const struct td *td, enum tdx_operand op,
		       unsigned int op_states)
{
	if (td->fatal)
		return status(TDX_TD_FATAL, op);
	if (td->lifecycle == LC_HKID_ASSIGNED)
		return status(TDX_TD_KEYS_NOT_CONFIGURED, op);
	if (td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, op);
	if (td->num_tdcx < TDCS_PAGES)
		return status(TDX_TDCS_NOT_ALLOCATED, op);
	if (!(op_states & BIT(td->op_state)))
		return status(TDX_OP_STATE_INCORRECT, 0);
	return 0;
}

u64 tdr_operand(struct call *c, u64 tdr, enum tdx_operand op, struct td **td)
{
	struct page *p;
	u64 err = pamt_get(c->m, tdr, op, PT_TDR, &p);

	if (err)
		return err;
	*td = p->owner;
	return lock_td(c, *td, op);
}

u64 td_operand(struct call *c, u64 tdr, enum tdx_operand op,
	       unsigned int op_states, struct td **td)
{
	u64 err = tdr_operand(c, tdr, op, td);

	return err ? err : check_state(*td, op, op_states);
}

u64 tdvpr_operand(struct call *c, u64 tdvpr, enum tdx_operand op,
		  struct tdx_vcpu **v)
{
	struct page *p;
	u64 err = pamt_get(c->m, tdvpr, op, PT_TDVPR, &p);

	if (err)
		return err;
	*v = p->object;
	err = lock_vcpu(c, *v, op);
	return err ? err : lock_td(c, (*v)->td, TDX_OP_TDR);
}

u64 vcpu_operand(struct call *c, u64 tdvpr, enum tdx_operand op,
		 unsigned int op_states, struct tdx_vcpu **v)
{
	u64 err = tdvpr_operand(c, tdvpr, op, v);

	return err ? err : check_state((*v)->td, TDX_OP_TDR, op_states);
}

u64 vcpu_associate(struct call *c, struct tdx_vcpu *v)
{
	if (v->lp == (int)c->lp)
		return 0;
	if (v->lp >= 0)
		return status(TDX_VCPU_ASSOCIATED, TDX_OP_RCX);
	v->lp = c->lp;
	v->tlb_tag = ++c->m->last_tlb_tag;
	v->td->num_associated++;
	return 0;
}

u64 leveled_gpa_operand(struct call *c, const struct td *td, unsigned int min,
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

u64 sept_operands(struct call *c, unsigned int op_states, unsigned int min,
		  unsigned int max, struct sept_place *p)
{
	unsigned int found;
	u64 err;

	err = td_operand(c, c->gpr[TDX_RDX], TDX_OP_RDX, op_states, &p->td);
	if (!err)
		err = leveled_gpa_operand(c, p->td, min,
					  MIN(max, sept_root_level(p->td)),
					  &p->gpa, &p->level);
	if (err)
		return err;
	p->e = sept_find(p->td, p->gpa, p->level, &found);
	if (found != p->level)
		return fail_at_entry(c, TDX_EPT_WALK_FAILED, p->e, found);
	/* Until the host gets the lock, the guest does not. */
	p->e->host_priority = p->e->busy;
	if (p->e->busy)
		return status(TDX_OPERAND_BUSY, TDX_OP_SEPT_ENTRY);
	return 0;
}

#define ENTRY_READ_WRITE_EXECUTE	7
#define ENTRY_PAGE_SIZE			BIT(7)	/* a leaf above level 0 */

void describe_entry(struct call *c, const struct sept_entry *e,
		    unsigned int level)
{
	bool present = e->state == SEPT_MAPPED || e->state == SEPT_NL_MAPPED;

	c->gpr[TDX_RCX] = e->pa | (present ? ENTRY_READ_WRITE_EXECUTE : 0) |
			  (level && sept_is_leaf(e) ? ENTRY_PAGE_SIZE : 0);
	c->gpr[TDX_RDX] = level | (u64)e->state << 8;
}

u64 fail_at_entry(struct call *c, enum tdx_status_code code,
		  const struct sept_entry *e, unsigned int level)
{
	describe_entry(c, e, level);
	return status(code, TDX_OP_RCX);
}
