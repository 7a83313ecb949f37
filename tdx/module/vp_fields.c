// SPDX-License-Identifier: GPL-2.0
/*
 * Fields of a vCPU: what the host reaches by TDH.VP.RD and WR in a production
 * TD, and the guest by TDG.VP.RD and WR.
 */
#include "internal.h"

enum storage {
	VMCS32, SHARED_EPTP, PI_DESC, PEND_NMI, STATE_DETAILS, INDEX,
	SUPERVISOR_VE, USER_VE, CPUID_CONTROL,
};

static const struct field {
	u64 id;
	enum storage where;
	unsigned int slot;	/* of tdx_vcpu.vmcs */
	enum access access;
	u64 writable;		/* by the same who may read */
} fields[] = {
	/* posted-interrupt notification vector */
	{ 0x0000000000000002, VMCS32, VMCS_PI_VECTOR, HOST, 0xffff },
	/* posted-interrupt descriptor address */
	{ 0x0000000000002016, PI_DESC, 0, HOST, ~0x3full },
	/* shared EPT pointer */
	{ 0x000000000000203c, SHARED_EPTP, 0, HOST, ~0xfffull },
	/* pin-based controls: process posted interrupts */
	{ 0x0000000000004000, VMCS32, VMCS_PIN_CONTROLS, HOST, BIT(7) },
	/* secondary controls: bus-lock detection, notification exiting */
	{ 0x000000000000401e, VMCS32, VMCS_PROC2_CONTROLS, HOST,
	  PROC2_BUS_LOCK | PROC2_NOTIFY },
	/* notification window */
	{ 0x0000000000004024, VMCS32, VMCS_NOTIFY_WINDOW, HOST, 0xffffffff },
	/* bit 0: a virtual interrupt would be delivered */
	{ 0x9120000300000100, STATE_DETAILS, 0, HOST, 0 },
	{ 0xa020000200000002, INDEX, 0, GUEST, 0 },
	{ 0xa020000000000007, SUPERVISOR_VE, 0, GUEST, 1 },
	{ 0xa020000000000008, USER_VE, 0, GUEST, 1 },
	{ 0xa02000000000000b, PEND_NMI, 0, HOST, 1 },
	{ 0xa120000000000000, CPUID_CONTROL, 0, GUEST, 3 },
};

static unsigned int count(const struct field *f)
{
	return f->where == CPUID_CONTROL ? cpuid_num_rows() : 1;
}

static const struct field *find(u64 id, unsigned int *element)
{
	const struct field *f;

	if (id & ID_MUST_BE_ZERO)
		return NULL;
	for (f = fields; f < fields + ARRAY_SIZE(fields); f++) {
		*element = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) &&
		    ID_CODE(id) >= ID_CODE(f->id) && *element < count(f))
			return f;
	}
	return NULL;
}

static u64 next(u64 id, bool guest)
{
	const struct field *f = fields;
	unsigned int element;

	if (id != FIRST_FIELD) {
		f = find(id, &element);
		if (!f)
			return NO_FIELD;
		if (element + 1 < count(f))
			return f->id + element + 1;
		f++;
	}
	for (; f < fields + ARRAY_SIZE(fields); f++)
		if (may(f->access, guest))
			return f->id;
	return NO_FIELD;
}

static u64 get(const struct tdx_vcpu *v, const struct field *f,
	       unsigned int element)
{
	const struct tdx_module *m = v->td->m;

	switch (f->where) {
	case VMCS32:
		return v->vmcs[f->slot];
	case SHARED_EPTP:
		return v->shared_eptp;
	case PI_DESC:
		return v->pi_desc;
	case PEND_NMI:
		return v->pend_nmi;
	case STATE_DETAILS:
		return v->state_of_cpu &&
		       m->ops.interrupt_pending(m->opaque, v->state_of_cpu);
	case INDEX:
		return v->index;
	case SUPERVISOR_VE:
		return v->cpuid_supervisor_ve;
	case USER_VE:
		return v->cpuid_user_ve;
	case CPUID_CONTROL:
		return v->cpuid_control[element];
	}
	return 0;
}

static void set(struct tdx_vcpu *v, const struct field *f, unsigned int element,
		u64 value)
{
	switch (f->where) {
	case VMCS32:
		v->vmcs[f->slot] = value;
		break;
	case SHARED_EPTP:
		v->shared_eptp = value;
		break;
	case PI_DESC:
		v->pi_desc = value;
		break;
	case PEND_NMI:
		v->pend_nmi = value;
		break;
	case SUPERVISOR_VE:
		v->cpuid_supervisor_ve = value;
		break;
	case USER_VE:
		v->cpuid_user_ve = value;
		break;
	case CPUID_CONTROL:
		v->cpuid_control[element] = value;
		break;
	case STATE_DETAILS:
	case INDEX:
		break;	/* not writable, see the table */
	}
}

static u64 read_field(struct call *c, struct tdx_vcpu *v, bool guest)
{
	u64 id = c->gpr[TDX_RDX];
	unsigned int element;
	const struct field *f = find(id, &element);

	c->gpr[TDX_R8] = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	if (!may(f->access, guest))
		return status(TDX_METADATA_FIELD_NOT_READABLE, TDX_OP_RDX);
	c->gpr[TDX_R8] = get(v, f, element);
	return 0;
}

static u64 write_field(struct call *c, struct tdx_vcpu *v, bool guest)
{
	u64 value = c->gpr[TDX_R8], mask = c->gpr[TDX_R9], old;
	unsigned int element;
	const struct field *f = find(c->gpr[TDX_RDX], &element);

	c->gpr[TDX_R8] = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	mask &= f->writable;
	if (!may(f->access, guest) || !mask)
		return status(TDX_METADATA_FIELD_NOT_WRITABLE, TDX_OP_RDX);
	old = get(v, f, element);
	set(v, f, element, (old & ~mask) | (value & mask));
	c->gpr[TDX_R8] = old;
	return 0;
}

/* The vCPU in RCX, for TDH.VP.RD and WR. */
static u64 vp_access(struct call *c, struct tdx_vcpu **v)
{
	u64 err = vp_get(c, BIT(OP_INITIALIZED) | BIT(OP_RUNNABLE), v);

	if (!err && (*v)->state == VCPU_UNINITIALIZED)
		err = status(TDX_VCPU_STATE_INCORRECT, TDX_OP_RCX);
	return err ? err : vp_associate(c, *v);
}

u64 vp_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;
	struct tdx_vcpu *v;

	c->gpr[TDX_R8] = 0;
	err = vp_access(c, &v);
	if (err)
		return err;
	if (c->version && id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = next(id, false);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = read_field(c, v, false);
	if (c->version)
		c->gpr[TDX_RDX] = err ? NO_FIELD : next(id, false);
	return err;
}

u64 vp_wr(struct call *c)
{
	struct tdx_vcpu *v;
	u64 err = vp_access(c, &v);

	return err ? err : write_field(c, v, false);
}

u64 tdg_vp_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;

	c->gpr[TDX_R8] = 0;
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = next(id, true);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = read_field(c, c->vcpu, true);
	c->gpr[TDX_RDX] = err ? NO_FIELD : next(id, true);
	return err;
}

u64 tdg_vp_wr(struct call *c)
{
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return write_field(c, c->vcpu, true);
}
