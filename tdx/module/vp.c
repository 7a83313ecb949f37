// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs: creation, association with a logical processor, entry and exit.
 */
#include <string.h>

#include "internal.h"

u64 vp_get(struct call *c, unsigned int op_states, struct tdx_vcpu **v)
{
	struct page *p;
	u64 err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_TDVPR, &p);

	if (err)
		return err;
	*v = p->object;
	err = lock_vcpu(c, *v, TDX_OP_RCX);
	if (!err)
		err = lock_td(c, (*v)->td, TDX_OP_TDR);
	return err ? err : td_check((*v)->td, TDX_OP_TDR, op_states);
}

/* Ties the vCPU to this LP; another one must have let it go by VP.FLUSH. */
u64 vp_associate(struct call *c, struct tdx_vcpu *v)
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

	err = td_get(c, c->gpr[TDX_RDX], TDX_OP_RDX, BIT(OP_INITIALIZED), &td);
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
	err = lock_vcpu(c, v, TDX_OP_RDX);
	if (!err)
		err = lock_td(c, v->td, TDX_OP_TDR);
	if (!err)
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
	err = vp_associate(c, v);
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
	err = lock_vcpu(c, v, TDX_OP_RCX);
	if (!err)
		err = lock_td(c, v->td, TDX_OP_TDR);
	if (err)
		return err;
	if (v->td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_TDR);
	if (v->lp != (int)c->lp)
		return status(TDX_VCPU_NOT_ASSOCIATED, 0);
	dissociate(v);
	return 0;
}

/* RAX and RCX carry the status and the mask, RSP is never passed. */
static bool gpr_passes(u32 mask, unsigned int reg)
{
	return mask & BIT(reg) && reg != TDX_RAX && reg != TDX_RCX &&
	       reg != TDX_RSP;
}

/* The host's registers after a TD exit; @guest's where @mask lets them pass. */
static void set_host_gprs(const struct tdx_vcpu *v, const struct tdx_exit *exit,
			  u32 mask, const u64 guest[TDX_NR_GPRS],
			  u64 host[TDX_NR_GPRS])
{
	unsigned int i;

	for (i = 0; i < TDX_NR_GPRS; i++) {
		if (i == TDX_RSP)
			continue;
		if (i == TDX_RBP && v->td->config_flags & CONFIG_NO_RBP_MOD)
			continue;
		host[i] = gpr_passes(mask, i) ? guest[i] : 0;
	}
	host[TDX_RAX] = exit->status | exit->reason;
	if (exit->reason == EXIT_TDCALL) {
		host[TDX_RCX] = mask;
	} else {
		host[TDX_RCX] = (u32)exit->qualification;
		host[TDX_RDX] = exit->ext_qualification;
		host[TDX_R8] = exit->gpa;
		host[TDX_R9] = exit->intr_info;
	}
}

/*
 * Zero-step mitigation: a guest that faulted this often at one instruction, and
 * shows no sign of having gone on, is not entered before all the pages are there.
 */
#define FAULTS_TO_CHECK	6

static void note_exit(struct tdx_vcpu *v, const struct tdx_exit *exit)
{
	if (exit->rip != v->fault_rip)
		v->num_faults = 0;
	if (exit->reason != EXIT_EPT_VIOLATION || exit->gpa >= shared_bit(v->td))
		return;
	v->fault_rip = exit->rip;
	v->fault_qualification = exit->qualification;
	if (v->num_faults < MAX_FAULTS)
		v->faults[v->num_faults++] = exit->gpa;
}

/* The first page that is still not there, as if it had been met again. */
static u64 repeat_fault(struct call *c, struct tdx_vcpu *v)
{
	const struct try_lock *tree = &v->td->sept_lock;
	unsigned int i;

	if (v->num_faults < FAULTS_TO_CHECK)
		return 0;
	if (tree->exclusive || tree->shared)
		return status(TDX_OPERAND_BUSY, TDX_OP_SEPT_TREE);
	for (i = 0; i < v->num_faults; i++) {
		if (sept_has_page(v->td, v->faults[i]))
			continue;
		set_host_gprs(v, &(struct tdx_exit){
			.reason = EXIT_EPT_VIOLATION, .gpa = v->faults[i],
			.qualification = v->fault_qualification,
		}, 0, c->gpr, c->gpr);
		return c->gpr[TDX_RAX];
	}
	v->num_faults = 0;
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
	err = vp_associate(c, v);
	if (!err)
		err = repeat_fault(c, v);
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

	pthread_mutex_lock(&td->m->lock);
	td->running[v->epoch & 1]--;
	unlock_exited(v);
	v->state = exit->reason == EXIT_TRIPLE_FAULT ? VCPU_DISABLED :
		   VCPU_READY;
	v->in_vmcall = vmcall;
	v->vmcall_mask = mask;

	note_exit(v, exit);
	set_host_gprs(v, exit, mask, guest, host);
	trace_exit(v, exit);
	pthread_mutex_unlock(&td->m->lock);
	return mask >> 16;
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
		.enabled = v->vmcs[VMCS_PIN_CONTROLS] & BIT(7),
		.vector = v->vmcs[VMCS_PI_VECTOR],
		.descriptor = v->pi_desc,
	};
}

bool tdx_vcpu_bus_lock_exits(struct tdx_vcpu *v)
{
	return v->vmcs[VMCS_PROC2_CONTROLS] & PROC2_BUS_LOCK;
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

	return (u64)((__uint128_t)tsc * td->tsc_multiplier >> 48) +
	       td->tsc_offset;
}

uint64_t tdx_vcpu_xfam(struct tdx_vcpu *v)
{
	return v->td->xfam;
}
