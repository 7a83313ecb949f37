// SPDX-License-Identifier: GPL-2.0
/* TDH.VP.*: creation of vCPUs, their processor and their fields. */
#include "fields.h"
#include "operands.h"
#include "pamt.h"
#include "td.h"
#include "td_cpuid.h"
#include "tdh.h"

u64 tdh_vp_create(struct call *c)
{
	struct tdx_vcpu *v;
	struct page *p;
	struct td *td;
	u64 err;

	err = td_operand(c, c->gpr[TDX_RDX], TDX_OP_RDX, UNTIL_FINALIZED, &td);
	if (!err)
		err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	v = g_new0(struct tdx_vcpu, 1);
	v->td = td;
	v->tdvpr_pa = c->gpr[TDX_RCX];
	v->lp = -1;
	v->cpuid_control = g_malloc0(CPUID_MAX_ROWS);
	v->next = td->vcpus;
	td->vcpus = v;
	pamt_assign(p, PT_TDVPR, td, v);
	return 0;
}

u64 tdh_vp_addcx(struct call *c)
{
	struct tdx_vcpu *v;
	struct page *p;
	u64 err;

	err = vcpu_operand(c, c->gpr[TDX_RDX], TDX_OP_RDX, UNTIL_FINALIZED, &v);
	if (err)
		return err;
	if (v->state != VCPU_UNINITIALIZED)
		return vcpu_state_incorrect(v);
	if (v->num_tdcx >= MAX_TDVPS_PAGES - 1)
		return status(TDX_TDCX_NUM_INCORRECT, 0);
	err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	pamt_assign(p, PT_TDCX, v->td, NULL);
	v->num_tdcx++;
	return 0;
}

static bool x2apic_id_taken(const struct td *td, u32 id)
{
	const struct tdx_vcpu *v;

	for (v = td->vcpus; v; v = v->next)
		if (v->state != VCPU_UNINITIALIZED && v->x2apic_id == id)
			return true;
	return false;
}

u64 tdh_vp_init(struct call *c)
{
	struct tdx_vcpu *v;
	struct td *td;
	u64 err;
	u32 id;

	/* Since 2.0 this is the first check; before, it is the last one. */
	err = c->m->profile->major >= 2 ? check_tsc_adjust(c) : 0;
	if (!err)
		err = vcpu_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX,
				   UNTIL_FINALIZED, &v);
	if (err)
		return err;
	td = v->td;
	err = vcpu_pages(v);
	if (err)
		return err;
	if (v->state != VCPU_UNINITIALIZED)
		return vcpu_state_incorrect(v);
	if (td->num_vcpus >= td->max_vcpus)
		return status(TDX_MAX_VCPUS_EXCEEDED, 0);

	/* Version 0 has no x2APIC id, and so no topology. */
	id = c->version ? c->gpr[TDX_R8] : td->num_vcpus;
	if (c->version && c->gpr[TDX_R8] >> 32)
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	if (x2apic_id_taken(td, id))
		return status(TDX_X2APIC_ID_NOT_UNIQUE, id);
	err = check_tsc_adjust(c);
	if (err)
		return err;
	if (!c->version)
		td->topology_configured = td->ve_reduction_valid = false;
	v->x2apic_id = id;
	v->index = td->num_vcpus++;
	v->initial_rcx = c->gpr[TDX_RDX];
	v->exit_tsc = c->m->ops.tsc(c->m->opaque);
	vp_init_fields(v);
	v->misc_enable = msr_initial_misc_enable(td);
	v->state = VCPU_READY;
	return vcpu_associate(c, v, false);
}

u64 tdh_vp_flush(struct call *c)
{
	struct tdx_vcpu *v;
	u64 err = tdvpr_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, &v);

	if (err)
		return err;
	if (v->td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_TD_KEYS_NOT_CONFIGURED, 0);
	err = vcpu_pages(v);
	if (err)
		return err;
	if (v->lp != (int)c->lp)
		return status(TDX_VCPU_NOT_ASSOCIATED, 0);
	v->lp = -1;
	v->td->num_associated--;
	return 0;
}

/* The vCPU whose fields to access.  After a triple fault they can only be read. */
static u64 fields_operand(struct call *c, bool read, struct tdx_vcpu **v)
{
	u64 err = vcpu_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX,
			       BUILDING_OR_RUNNING, v);

	return err ? err : vcpu_associate(c, *v, read);
}

u64 tdh_vp_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;
	struct tdx_vcpu *v;

	c->gpr[TDX_R8] = 0;
	if (c->version)
		c->gpr[TDX_RDX] = NO_FIELD;
	err = fields_operand(c, true, &v);
	if (err)
		return err;
	if (c->version && id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = vp_next(id, HOST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = vp_read(v, id, HOST, &c->gpr[TDX_R8]);
	if (c->version && !err)
		c->gpr[TDX_RDX] = vp_next(id, HOST);
	return err;
}

u64 tdh_vp_wr(struct call *c)
{
	u64 value = c->gpr[TDX_R8], err;
	struct tdx_vcpu *v;

	c->gpr[TDX_R8] = 0;
	err = fields_operand(c, false, &v);
	if (err)
		return err;
	return vp_write(v, c->gpr[TDX_RDX], HOST, value, c->gpr[TDX_R9],
			&c->gpr[TDX_R8]);
}
