// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs: creation, association with a logical processor, entry and exit, and
 * the fields that the host may touch.
 */
#include <string.h>

#include "internal.h"

static u64 vp_get(struct call *c, unsigned int op_states, struct tdx_vcpu **v)
{
	struct page *p;
	u64 err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_TDVPR, &p);

	if (err)
		return err;
	*v = p->object;
	return td_check((*v)->td, TDX_OP_TDR, op_states);
}

/* Ties the vCPU to this LP; another one must have let it go by VP.FLUSH. */
static u64 associate(struct call *c, struct tdx_vcpu *v)
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

static void dissociate(struct tdx_vcpu *v)
{
	v->lp = -1;
	v->td->num_associated--;
}

void vcpu_free(struct tdx_vcpu *v)
{
	struct tdx_module *m = v->td->m;
	struct tdx_vcpu **at = &v->td->vcpus;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	if (v->state_of_cpu)
		m->ops.free_state(m->opaque, v->state_of_cpu);
	g_free(v->cpuid_control);
	g_free(v);
}

u64 vp_create(struct call *c)
{
	struct tdx_vcpu *v;
	struct page *p;
	struct td *td;
	u64 err;

	err = td_get(c->m, c->gpr[TDX_RDX], TDX_OP_RDX, BIT(OP_INITIALIZED), &td);
	if (!err)
		err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	v = g_new0(struct tdx_vcpu, 1);
	v->td = td;
	v->tdvpr_pa = c->gpr[TDX_RCX];
	v->lp = -1;
	v->cpuid_control = g_malloc0(cpuid_num_rows());
	v->next = td->vcpus;
	td->vcpus = v;
	pamt_assign(p, PT_TDVPR, td, v);
	return 0;
}

u64 vp_addcx(struct call *c)
{
	struct tdx_vcpu *v;
	struct page *tdvpr, *p;
	u64 err;

	err = pamt_get(c->m, c->gpr[TDX_RDX], TDX_OP_RDX, PT_TDVPR, &tdvpr);
	if (err)
		return err;
	v = tdvpr->object;
	err = td_check(v->td, TDX_OP_TDR, BIT(OP_INITIALIZED));
	if (err)
		return err;
	if (v->state != VCPU_UNINITIALIZED)
		return status(TDX_VCPU_STATE_INCORRECT, TDX_OP_RDX);
	if (v->num_tdcx >= TDVPS_PAGES - 1)
		return status(TDX_TDCX_NUM_INCORRECT, 0);
	err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	pamt_assign(p, PT_TDCX, v->td, NULL);
	v->num_tdcx++;
	return 0;
}

u64 vp_init(struct call *c)
{
	struct tdx_vcpu *v, *other;
	struct td *td;
	u64 err;
	u32 id;

	err = vp_get(c, BIT(OP_INITIALIZED), &v);
	if (err)
		return err;
	td = v->td;
	if (v->state != VCPU_UNINITIALIZED)
		return status(TDX_VCPU_STATE_INCORRECT, TDX_OP_RCX);
	if (v->num_tdcx != TDVPS_PAGES - 1)
		return status(TDX_TDCX_NUM_INCORRECT, 0);
	if (td->num_vcpus >= td->max_vcpus)
		return status(TDX_MAX_VCPUS_EXCEEDED, 0);

	id = c->version ? c->gpr[TDX_R8] : td->num_vcpus;
	if (c->version && c->gpr[TDX_R8] >> 32)
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	for (other = td->vcpus; other; other = other->next)
		if (other->state != VCPU_UNINITIALIZED && other->x2apic_id == id)
			return status(TDX_X2APIC_ID_NOT_UNIQUE, 0);
	err = associate(c, v);
	if (err)
		return err;
	if (!c->version)
		td->topology_configured = td->ve_reduction_valid = false;
	v->x2apic_id = id;
	v->index = td->num_vcpus++;
	v->initial_rcx = c->gpr[TDX_RDX];
	v->state = VCPU_READY;
	return 0;
}

u64 vp_flush(struct call *c)
{
	struct page *p;
	struct tdx_vcpu *v;
	u64 err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_TDVPR, &p);

	if (err)
		return err;
	v = p->object;
	if (v->td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_TDR);
	if (v->lp != (int)c->lp)
		return status(TDX_VCPU_NOT_ASSOCIATED, 0);
	dissociate(v);
	return 0;
}

/* Bits of RCX beside the TDVPR's address. */
#define HOST_RECOVERABILITY_HINT	BIT(52)
#define RESUME_L1			BIT(53)

u64 vp_enter(struct call *c)
{
	struct tdx_vcpu *v;
	u64 err;

	c->gpr[TDX_RCX] &= ~(HOST_RECOVERABILITY_HINT | RESUME_L1);
	err = vp_get(c, BIT(OP_RUNNABLE), &v);
	if (err)
		return err;
	if (v->state == VCPU_DISABLED)
		return status(TDX_NON_RECOVERABLE_VCPU, 0);
	if (v->state != VCPU_READY)
		return status(TDX_VCPU_STATE_INCORRECT, TDX_OP_RCX);
	err = associate(c, v);
	if (err)
		return err;
	v->state = VCPU_ACTIVE;
	if (v->epoch != v->td->epoch)
		v->tlb_tag = ++c->m->last_tlb_tag;
	v->epoch = v->td->epoch;
	v->td->running[v->epoch & 1]++;
	c->vcpu = v;
	return 0;
}

/* RAX and RCX carry the status and the mask, RSP is never passed. */
static bool gpr_passes(u32 mask, unsigned int reg)
{
	return mask & BIT(reg) && reg != TDX_RAX && reg != TDX_RCX &&
	       reg != TDX_RSP;
}

uint32_t tdx_td_enter(struct tdx_vcpu *v, const uint64_t host[TDX_NR_GPRS],
		      uint64_t guest[TDX_NR_GPRS])
{
	unsigned int i;

	if (!v->in_vmcall)
		return 0;
	v->in_vmcall = false;
	for (i = 0; i < TDX_NR_GPRS; i++)
		if (gpr_passes(v->vmcall_mask, i))
			guest[i] = host[i];
	guest[TDX_RAX] = 0;
	return v->vmcall_mask >> 16;
}

uint32_t tdx_td_exit(struct tdx_vcpu *v, const struct tdx_exit *exit,
		     const uint64_t guest[TDX_NR_GPRS],
		     uint64_t host[TDX_NR_GPRS])
{
	struct td *td = v->td;
	bool vmcall = exit->reason == EXIT_TDCALL;
	u32 mask = vmcall ? exit->vmcall_mask : 0;
	unsigned int i;

	pthread_mutex_lock(&td->m->lock);
	td->running[v->epoch & 1]--;
	v->state = exit->reason == EXIT_TRIPLE_FAULT ? VCPU_DISABLED :
		   VCPU_READY;
	v->in_vmcall = vmcall;
	v->vmcall_mask = mask;

	for (i = 0; i < TDX_NR_GPRS; i++) {
		if (i == TDX_RSP)
			continue;
		if (i == TDX_RBP && td->config_flags & CONFIG_NO_RBP_MOD)
			continue;
		host[i] = gpr_passes(mask, i) ? guest[i] : 0;
	}
	host[TDX_RAX] = exit->status | exit->reason;
	if (vmcall) {
		host[TDX_RCX] = mask;
	} else {
		host[TDX_RCX] = (u32)exit->qualification;
		host[TDX_RDX] = exit->ext_qualification;
		host[TDX_R8] = exit->gpa;
		host[TDX_R9] = exit->intr_info;
	}
	trace_exit(v, exit);
	pthread_mutex_unlock(&td->m->lock);
	return mask >> 16;
}

enum vp_storage { VP_VMCS32, VP_SHARED_EPTP, VP_PI_DESC, VP_PEND_NMI, VP_DETAILS };

/* What the host may read or write of a production TD's vCPU. */
static const struct vp_field {
	u8 class;
	u32 code;
	enum vp_storage where;
	unsigned int slot;	/* of tdx_vcpu.vmcs */
	bool can_read;
	u64 writable;
} vp_fields[] = {
	/* posted-interrupt notification vector */
	{ CLASS_VP_VMCS, 0x0002, VP_VMCS32, 0, true, 0xffff },
	/* posted-interrupt descriptor address */
	{ CLASS_VP_VMCS, 0x2016, VP_PI_DESC, 0, true, ~0x3full },
	/* shared EPT pointer */
	{ CLASS_VP_VMCS, 0x203c, VP_SHARED_EPTP, 0, true, ~0xfffull },
	/* pin-based controls: process posted interrupts */
	{ CLASS_VP_VMCS, 0x4000, VP_VMCS32, 1, true, BIT(7) },
	/* secondary controls: bus-lock detection, notification exiting */
	{ CLASS_VP_VMCS, 0x401e, VP_VMCS32, 2, true, BIT(30) | BIT(31) },
	/* notification window */
	{ CLASS_VP_VMCS, 0x4024, VP_VMCS32, 3, true, 0xffffffff },
	{ CLASS_VP_MANAGEMENT, 11, VP_PEND_NMI, 0, true, 1 },
	/* bit 0: a virtual interrupt would be delivered */
	{ CLASS_VP_STATE, 0x100, VP_DETAILS, 0, true, 0 },
};

static const struct vp_field *vp_field_find(u64 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vp_fields); i++)
		if (vp_fields[i].class == (id >> 56 & 0x3f) &&
		    vp_fields[i].code == (id & 0xffffff))
			return &vp_fields[i];
	return NULL;
}

static u64 vp_field_read(const struct tdx_vcpu *v, const struct vp_field *f)
{
	switch (f->where) {
	case VP_VMCS32:
		return v->vmcs[f->slot];
	case VP_SHARED_EPTP:
		return v->shared_eptp;
	case VP_PI_DESC:
		return v->pi_desc;
	case VP_PEND_NMI:
		return v->pend_nmi;
	case VP_DETAILS:
		return v->td->m->ops.interrupt_pending(v->td->m->opaque,
						       v->state_of_cpu);
	}
	return 0;
}

static void vp_field_write(struct tdx_vcpu *v, const struct vp_field *f, u64 val)
{
	switch (f->where) {
	case VP_VMCS32:
		v->vmcs[f->slot] = val;
		break;
	case VP_SHARED_EPTP:
		v->shared_eptp = val;
		break;
	case VP_PI_DESC:
		v->pi_desc = val;
		break;
	case VP_PEND_NMI:
		v->pend_nmi = val;
		break;
	case VP_DETAILS:
		break;
	}
}

/* The vCPU in RCX and the field in RDX, for TDH.VP.RD and WR. */
static u64 vp_access(struct call *c, struct tdx_vcpu **v,
		     const struct vp_field **f)
{
	u64 err = vp_get(c, BIT(OP_INITIALIZED) | BIT(OP_RUNNABLE), v);

	if (err)
		return err;
	if ((*v)->state == VCPU_UNINITIALIZED)
		return status(TDX_VCPU_STATE_INCORRECT, TDX_OP_RCX);
	err = associate(c, *v);
	if (err)
		return err;
	*f = vp_field_find(c->gpr[TDX_RDX]);
	if (!*f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	return 0;
}

u64 vp_rd(struct call *c)
{
	const struct vp_field *f;
	struct tdx_vcpu *v;
	u64 err = vp_access(c, &v, &f);

	c->gpr[TDX_R8] = 0;
	if (err)
		return err;
	if (!f->can_read)
		return status(TDX_METADATA_FIELD_NOT_READABLE, TDX_OP_RDX);
	c->gpr[TDX_R8] = vp_field_read(v, f);
	return 0;
}

u64 vp_wr(struct call *c)
{
	u64 value = c->gpr[TDX_R8], mask = c->gpr[TDX_R9], old;
	const struct vp_field *f;
	struct tdx_vcpu *v;
	u64 err = vp_access(c, &v, &f);

	if (err)
		return err;
	mask &= f->writable;
	if (!mask)
		return status(TDX_METADATA_FIELD_NOT_WRITABLE, TDX_OP_RDX);
	old = vp_field_read(v, f);
	vp_field_write(v, f, (old & ~mask) | (value & mask));
	c->gpr[TDX_R8] = old;
	return 0;
}

bool tdx_vcpu_take_nmi(struct tdx_vcpu *v, bool blocked)
{
	struct tdx_module *m = v->td->m;
	bool take;

	pthread_mutex_lock(&m->lock);
	take = v->pend_nmi && !blocked && !v->ve_valid;
	if (take)
		v->pend_nmi = 0;
	pthread_mutex_unlock(&m->lock);
	return take;
}

void tdx_vcpu_reset_state(struct tdx_vcpu *v, struct tdx_reset_state *s)
{
	const u32 *cpuid1 = cpuid_lookup(v->td, 1, 0, true);

	*s = (struct tdx_reset_state){
		.rip = 0xfffffff0, .rflags = 2,
		.cr0 = 0x31,		/* PE, ET, NE */
		.cr4 = 0x40,		/* MCE; VMXE reads 0 */
		.efer = 0x901,		/* SCE, LME, NXE */
		.xcr0 = 1, .pat = 0x0007040600070406,
		.dr6 = 0xffff0ff0, .dr7 = 0x400, .fmask = 0x20200,
		.cs = { .limit = 0xffffffff, .rights = 0xc09b },
		.data = { .limit = 0xffffffff, .rights = 0xc093 },
		.ldtr = { .limit = 0xffff, .rights = 0x10082 },
		.tr = { .limit = 0xffff, .rights = 0x8b },
		.gdt_limit = 0xffff, .idt_limit = 0,
		.fcw = 0x37f, .mxcsr = 0x1f80,
	};
	s->gpr[TDX_RBX] = gpa_width(v->td);
	s->gpr[TDX_RCX] = s->gpr[TDX_R8] = v->initial_rcx;
	s->gpr[TDX_RDX] = cpuid1[0];
	s->gpr[TDX_RSI] = v->index;
}

uint64_t tdx_vcpu_tlb_tag(struct tdx_vcpu *v)
{
	return v->tlb_tag;
}

void tdx_vcpu_posted(struct tdx_vcpu *v, struct tdx_posted *p)
{
	*p = (struct tdx_posted){
		.enabled = v->vmcs[1] & BIT(7),
		.vector = v->vmcs[0],
		.descriptor = v->pi_desc,
	};
}

void *tdx_vcpu_state(struct tdx_vcpu *v)
{
	return v->state_of_cpu;
}

void tdx_vcpu_set_state(struct tdx_vcpu *v, void *state)
{
	v->state_of_cpu = state;
}

uint64_t tdx_vcpu_tsc(struct tdx_vcpu *v, uint64_t tsc)
{
	const struct td *td = v->td;

	return (u64)((unsigned __int128)tsc * td->tsc_multiplier >> 48) +
	       td->tsc_offset;
}

uint64_t tdx_vcpu_xfam(struct tdx_vcpu *v)
{
	return v->td->xfam;
}
