// SPDX-License-Identifier: GPL-2.0
/* Operands of calls; see operands.h. */
#include "locks.h"
#include "operands.h"
#include "pamt.h"
#include "sept.h"
#include "td.h"

/* The TD needs its keys and its TDCS, and one of @op_states. */
static u64 check_state(struct call *c, unsigned int op_states)
{
	const struct td *td = c->td;
	u64 err;

	if (td->fatal)
		return status(TDX_TD_FATAL, 0);
	if (td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_TD_KEYS_NOT_CONFIGURED, 0);
	if (td->num_tdcx < td->m->profile->tdcs_pages)
		return status(TDX_TDCS_NOT_ALLOCATED, 0);
	err = take_lock(c, LOCK_OP_STATE);
	if (!err && !(op_states & BIT(td->op_state)))
		err = status(TDX_OP_STATE_INCORRECT, 0);
	return err;
}

u64 tdr_operand(struct call *c, u64 tdr, enum tdx_operand op, struct td **td)
{
	struct page *p;
	u64 err = pamt_get(c->m, tdr, op, PT_TDR, &p);

	if (err)
		return err;
	*td = p->owner;
	return lock_tdr(c, *td, op);
}

u64 td_operand(struct call *c, u64 tdr, enum tdx_operand op,
	       unsigned int op_states, struct td **td)
{
	u64 err = tdr_operand(c, tdr, op, td);

	return err ? err : check_state(c, op_states);
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
	return err ? err : lock_tdr(c, (*v)->td, TDX_OP_TDR);
}

u64 vcpu_operand(struct call *c, u64 tdvpr, enum tdx_operand op,
		 unsigned int op_states, struct tdx_vcpu **v)
{
	u64 err = tdvpr_operand(c, tdvpr, op, v);

	return err ? err : check_state(c, op_states);
}

u64 vcpu_pages(const struct tdx_vcpu *v)
{
	return v->num_tdcx < TDVPS_PAGES - 1 ?
	       status(TDX_TDCX_NUM_INCORRECT, 0) : 0;
}

u64 vcpu_state_incorrect(const struct tdx_vcpu *v)
{
	static const u8 states[] = {
		[VCPU_UNINITIALIZED] = 0, [VCPU_READY] = 2, [VCPU_ACTIVE] = 4,
		[VCPU_DISABLED] = 8,
	};

	return status(TDX_VCPU_STATE_INCORRECT,
		      v->td->m->profile->major >= 2 ? states[v->state] : 0);
}

u64 vcpu_associate(struct call *c, struct tdx_vcpu *v, bool disabled)
{
	u64 err = vcpu_pages(v);

	if (err)
		return err;
	if (v->state != VCPU_READY && !(disabled && v->state == VCPU_DISABLED))
		return vcpu_state_incorrect(v);
	if (v->lp == (int)c->lp)
		return 0;
	if (v->lp >= 0)
		return status(TDX_VCPU_ASSOCIATED, 0);
	v->lp = c->lp;
	v->tlb_tag = ++c->m->last_tlb_tag;
	v->td->num_associated++;
	return 0;
}

u64 check_limit_cpuid(struct call *c)
{
	struct tdx_module *m = c->m;

	return m->ops.rdmsr(m->opaque, c->lp, TDX_MSR_MISC_ENABLE) &
	       MISC_ENABLE_LIMIT_CPUID ? status(TDX_LIMIT_CPUID_MAXVAL_SET, 0) : 0;
}

u64 check_tsc_adjust(struct call *c)
{
	struct tdx_module *m = c->m;

	return m->ops.rdmsr(m->opaque, c->lp, TDX_MSR_TSC_ADJUST) == m->tsc_adjust ? 0 :
	       status(TDX_INCONSISTENT_MSR, TDX_MSR_TSC_ADJUST);
}

u64 leveled_gpa_operand(struct call *c, const struct td *td, unsigned int min,
			unsigned int max, u64 *gpa, unsigned int *level)
{
	u64 rcx = c->gpr[TDX_RCX];

	*level = rcx & 7;
	*gpa = rcx & ~7ull;
	if (*level < min || *level > max || *gpa % LEVEL_SIZE(*level) ||
	    *gpa & shared_bit(td) || !gpa_fits(td, *gpa))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return 0;
}

u64 sept_operands(struct call *c, unsigned int op_states, unsigned int min,
		  unsigned int max, struct sept_place *p)
{
	u64 tdr = c->gpr[TDX_RDX], err;
	unsigned int found;

	err = td_operand(c, tdr, TDX_OP_RDX, op_states, &p->td);
	if (!err)
		err = leveled_gpa_operand(c, p->td, min,
					  MIN(max, sept_root_level(p->td)),
					  &p->gpa, &p->level);
	if (!err)
		err = take_lock(c, LOCK_SEPT_TREE);
	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	if (err)
		return err;
	p->e = sept_find(p->td, p->gpa, p->level, &found);
	if (found != p->level)
		return fail_at_entry(c, TDX_EPT_WALK_FAILED, p->e, found);
	/* Until the host gets the lock, the guest does not. */
	p->e->host_priority = p->e->busy;
	if (!lock_entry(c, p->e))
		return fail_at_entry(c, TDX_OPERAND_BUSY, p->e, p->level);
	return 0;
}

#define ENTRY_READ_WRITE_EXECUTE	7
#define ENTRY_PAGE_SIZE			BIT(7)	/* a leaf above level 0 */
#define ENTRY_SUPPRESS_VE		BIT(63)

void describe_entry(struct call *c, const struct sept_entry *e,
		    unsigned int level)
{
	bool present = e->state == SEPT_MAPPED || e->state == SEPT_NL_MAPPED;

	c->gpr[TDX_RCX] = e->pa | (present ? ENTRY_READ_WRITE_EXECUTE : 0) |
			  (level && sept_is_leaf(e) ? ENTRY_PAGE_SIZE : 0) |
			  (e->state == SEPT_FREE ? ENTRY_SUPPRESS_VE : 0);
	c->gpr[TDX_RDX] = level | (u64)e->state << 8;
}

u64 fail_at_entry(struct call *c, enum tdx_status_code code,
		  const struct sept_entry *e, unsigned int level)
{
	describe_entry(c, e, level);
	return status(code, TDX_OP_RCX);
}
