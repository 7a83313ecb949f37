// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.VP.ENTER, and the two halves of the switch between host and TD that follow
 * it: what passes into the TD, and what passes out of it at the TD exit.
 */
#include "events.h"
#include "locks.h"
#include "operands.h"
#include "sept.h"
#include "td.h"
#include "tdh.h"

/* RAX and RCX carry status and mask; RSP never passes. */
static bool gpr_passes(u32 mask, unsigned int reg)
{
	return mask & BIT(reg) && reg != TDX_RAX && reg != TDX_RCX &&
	       reg != TDX_RSP;
}

/* The host's registers after a TD exit.  @mask: those of @guest that pass. */
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
 * Zero-step mitigation.  After this many EPT violations at one instruction, with
 * no sign that the guest has made progress, the vCPU is not entered until all
 * the pages are mapped.
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

/* Repeats the TD exit for the first page that is still not mapped. */
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

/* Flags in RCX, next to the address of the TDVPR. */
#define HOST_RECOVERABILITY_HINT	BIT(52)
#define RESUME_L1			BIT(53)

/* The host's time must not go back. */
static u64 check_tsc(struct call *c, const struct tdx_vcpu *v)
{
	u64 err = check_tsc_adjust(c);

	if (!err && (int64_t)(c->m->ops.tsc(c->m->opaque) - v->exit_tsc) < 0)
		err = status(TDX_TSC_ROLLBACK, 0);
	return err;
}

u64 tdh_vp_enter(struct call *c)
{
	struct tdx_vcpu *v;
	u64 err;

	c->gpr[TDX_RCX] &= ~(HOST_RECOVERABILITY_HINT | RESUME_L1);
	err = vcpu_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, BIT(OP_RUNNABLE),
			   &v);
	if (err)
		return err;
	err = vcpu_associate(c, v, false);
	if (!err)
		err = check_tsc(c, v);
	if (!err)
		err = take_lock(c, LOCK_EPOCH);
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
	v->exit_tsc = td->m->ops.tsc(td->m->opaque);

	note_exit(v, exit);
	set_host_gprs(v, exit, mask, guest, host);
	trace_exit(v, exit);
	pthread_mutex_unlock(&td->m->lock);
	return mask >> 16;
}
