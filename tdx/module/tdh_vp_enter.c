// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.VP.ENTER, and the two halves of the switch between host and TD that follow
 * it: what passes into the TD, and what passes out of it at the TD exit.
 */
#include "events.h"
#include "locks.h"
#include "operands.h"
#include "td.h"
#include "td_cpuid.h"
#include "tdh.h"
#include "zero_step.h"

/* RAX and RCX carry status and mask; RSP never passes. */
static bool gpr_passes(u32 mask, unsigned int reg)
{
	return mask & BIT(reg) && reg != TDX_RAX && reg != TDX_RCX &&
	       reg != TDX_RSP;
}

/* What the host gets not to know of the address: offsets, and the linear one. */
#define EPT_VIOLATION_LINEAR	(0x3full << 7)

static u64 host_qualification(const struct tdx_exit *exit)
{
	return (u32)exit->qualification &
	       ~(exit->reason == EXIT_EPT_VIOLATION ? EPT_VIOLATION_LINEAR : 0);
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
		host[TDX_RCX] = host_qualification(exit);
		host[TDX_RDX] = exit->ext_qualification;
		host[TDX_R8] = exit->gpa & ~(PAGE_SIZE - 1);
		host[TDX_R9] = exit->intr_info;
	}
}

/*
 * The guest does not make progress without this page: what the host gets to see
 * instead of an entry.
 */
static u64 emulate_fault(struct call *c, struct tdx_vcpu *v, u64 gpa)
{
	set_host_gprs(v, &(struct tdx_exit){
		.reason = EXIT_EPT_VIOLATION, .gpa = gpa,
		.qualification = TDX_WRITE,
	}, 0, c->gpr, c->gpr);
	v->in_vmcall = v->after_trap = false;
	return EXIT_EPT_VIOLATION;
}

/* Flags in RCX, next to the address of the TDVPR. */
#define HOST_RECOVERABILITY_HINT	BIT(52)
#define RESUME_L1			BIT(53)
#define ENTRY_FLAGS			(HOST_RECOVERABILITY_HINT | RESUME_L1)

/* There is no L2 VM to leave, and the hint is about the last TDCALL. */
static u64 check_flags(const struct tdx_vcpu *v, u64 flags)
{
	if (flags & RESUME_L1 ||
	    (flags & HOST_RECOVERABILITY_HINT && !v->after_trap))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return 0;
}

/* The host's time must not go back. */
static u64 check_tsc(struct call *c, const struct tdx_vcpu *v)
{
	u64 err = check_tsc_adjust(c);

	if (!err && (int64_t)(c->m->ops.tsc(c->m->opaque) - v->exit_tsc) < 0)
		err = status(TDX_TSC_ROLLBACK, 0);
	return err;
}

/* MONITOR must work if the TD has it. */
static u64 check_monitor(struct call *c, const struct td *td)
{
	struct tdx_module *m = c->m;

	if (cpuid_bit(td, CPUID_MONITOR) &&
	    !(m->ops.rdmsr(m->opaque, c->lp, TDX_MSR_MISC_ENABLE) &
	      MISC_ENABLE_MONITOR))
		return status(TDX_INCORRECT_MSR_VALUE, TDX_MSR_MISC_ENABLE);
	return 0;
}

u64 tdh_vp_enter(struct call *c)
{
	u64 flags = c->gpr[TDX_RCX] & ENTRY_FLAGS, err, gpa = 0;
	struct tdx_vcpu *v;

	err = check_limit_cpuid(c);
	if (!err)
		err = vcpu_operand(c, c->gpr[TDX_RCX] & ~ENTRY_FLAGS, TDX_OP_RCX,
				   BIT(OP_RUNNABLE), &v);
	if (err)
		return err;
	err = vcpu_associate(c, v, false);
	if (!err)
		err = check_flags(v, flags);
	if (!err)
		err = check_tsc(c, v);
	if (!err)
		err = check_monitor(c, v->td);
	if (!err)
		err = take_lock(c, LOCK_EPOCH);
	if (!err)
		err = zero_step_enter(c, v, &gpa);
	if (err == EXIT_EPT_VIOLATION)
		return emulate_fault(c, v, gpa);
	if (err)
		return err;
	v->recoverability_hint = flags & HOST_RECOVERABILITY_HINT;
	v->state = VCPU_ACTIVE;
	if (v->epoch != v->td->epoch)
		v->tlb_tag = ++c->m->last_tlb_tag;
	v->epoch = v->td->epoch;
	v->td->running[v->epoch & 1]++;
	c->vcpu = v;
	return 0;
}

/* In the status of the guest's TDCALL: the host knows a way out. */
#define STATUS_RECOVERABILITY_HINT	BIT(60)

static u64 set_hint(u64 rax, bool hint)
{
	return (rax & ~STATUS_RECOVERABILITY_HINT) |
	       (hint ? STATUS_RECOVERABILITY_HINT : 0);
}

uint32_t tdx_td_enter(struct tdx_vcpu *v, const uint64_t host[TDX_NR_GPRS],
		      uint64_t guest[TDX_NR_GPRS])
{
	unsigned int i;

	if (v->after_trap)
		guest[TDX_RAX] = set_hint(guest[TDX_RAX], v->recoverability_hint);
	v->after_trap = false;
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
	v->after_trap = exit->status >> 32 == TDX_HOST_PRIORITY_BUSY_TIMEOUT;

	zero_step_exit(v, exit);
	set_host_gprs(v, exit, mask, guest, host);
	trace_exit(v, exit);
	pthread_mutex_unlock(&td->m->lock);
	return mask >> 16;
}
