// SPDX-License-Identifier: GPL-2.0
/*
 * Dispatch: the tables of leaves, what is refused before a leaf is called, and
 * injection and trace around it.
 *
 * SEAMCALL leaves that Linux does not use, and TDCALL leaves of TD partitioning
 * and TDX Connect, fail as unknown leaves do, with OPERAND_INVALID|RAX.
 */
#include <string.h>
#include <time.h>

#include "host_priority.h"
#include "inject.h"
#include "locks.h"
#include "seamldr.h"
#include "sept.h"
#include "tdg.h"
#include "tdh.h"
#include "trace.h"
#include "zero_step.h"

/* Locks, by their bit. */
#define WBCACHE		BIT(LOCK_WBCACHE)
#define KOT		BIT(LOCK_KOT)
#define KET		BIT(LOCK_KET)
#define TDVPR		BIT(LOCK_TDVPR)
#define TDR		BIT(LOCK_TDR)
#define OP_STATE	BIT(LOCK_OP_STATE)
#define TREE		BIT(LOCK_SEPT_TREE)
#define EPOCH		BIT(LOCK_EPOCH)
#define RTMR		BIT(LOCK_RTMR)

static const struct leaf seamcall_leaves[] = {
	{ 0, "TDH.VP.ENTER", tdh_vp_enter, .in = "rcx:tdvpr",
	  .shared = TDVPR | TDR | OP_STATE | EPOCH, .exclusive = TREE },
	{ 1, "TDH.MNG.ADDCX", tdh_mng_addcx, .in = "rcx:page rdx:tdr",
	  .exclusive = TDR, .may = "RND_NO_ENTROPY" },
	{ 2, "TDH.MEM.PAGE.ADD", tdh_mem_page_add,
	  .in = "rcx:gpa rdx:tdr r8:page r9:source", .out = "rcx:entry rdx:state",
	  .exclusive = TDR },
	{ 3, "TDH.MEM.SEPT.ADD", tdh_mem_sept_add, 1,
	  .in = "rcx:gpa rdx:tdr r8:page", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE | TREE },
	{ 4, "TDH.VP.ADDCX", tdh_vp_addcx, .in = "rcx:page rdx:tdvpr",
	  .shared = TDR | OP_STATE, .exclusive = TDVPR },
	{ 6, "TDH.MEM.PAGE.AUG", tdh_mem_page_aug,
	  .in = "rcx:gpa rdx:tdr r8:page", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE | TREE },
	{ 7, "TDH.MEM.RANGE.BLOCK", tdh_mem_range_block,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE, .exclusive = TREE },
	{ 8, "TDH.MNG.KEY.CONFIG", tdh_mng_key_config, .in = "rcx:tdr",
	  .exclusive = TDR | KET, .may = "KEY_GENERATION_FAILED", .us = 100 },
	{ 9, "TDH.MNG.CREATE", tdh_mng_create, .in = "rcx:page rdx:hkid",
	  .exclusive = TDR | KOT, .may = "RND_NO_ENTROPY" },
	{ 10, "TDH.VP.CREATE", tdh_vp_create, .in = "rcx:page rdx:tdr",
	  .shared = TDR | OP_STATE },
	{ 11, "TDH.MNG.RD", tdh_mng_rd, 1,
	  .in = "rcx:tdr rdx:field", .out = "r8:value",
	  .shared = TDR | OP_STATE },
	{ 16, "TDH.MR.EXTEND", tdh_mr_extend,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state",
	  .exclusive = TDR },
	{ 17, "TDH.MR.FINALIZE", tdh_mr_finalize, .in = "rcx:tdr",
	  .exclusive = TDR },
	{ 18, "TDH.VP.FLUSH", tdh_vp_flush, .in = "rcx:tdvpr",
	  .shared = TDR, .exclusive = TDVPR },
	{ 19, "TDH.MNG.VPFLUSHDONE", tdh_mng_vpflushdone, .in = "rcx:tdr",
	  .exclusive = TDR | KOT },
	{ 20, "TDH.MNG.KEY.FREEID", tdh_mng_key_freeid, .in = "rcx:tdr",
	  .exclusive = TDR | KOT },
	{ 21, "TDH.MNG.INIT", tdh_mng_init,
	  .in = "rcx:tdr rdx:td_params", .out = "rcx:detail",
	  .exclusive = TDR },
	{ 22, "TDH.VP.INIT", tdh_vp_init, 1,
	  .in = "rcx:tdvpr rdx:initial_rcx r8:x2apic_id",
	  .shared = TDR | OP_STATE, .exclusive = TDVPR, .exclusive_v1 = TDR,
	  .us = 300 },
	{ 24, "TDH.PHYMEM.PAGE.RDMD", tdh_phymem_page_rdmd,
	  .in = "rcx:page", .out = "rcx:type rdx:owner r8:size" },
	{ 26, "TDH.VP.RD", tdh_vp_rd, 1,
	  .in = "rcx:tdvpr rdx:field", .out = "r8:value",
	  .shared = TDVPR | TDR | OP_STATE },
	{ 28, "TDH.PHYMEM.PAGE.RECLAIM", tdh_phymem_page_reclaim,
	  .in = "rcx:page", .out = "rcx:type rdx:owner r8:size",
	  .shared = TDR },
	{ 29, "TDH.MEM.PAGE.REMOVE", tdh_mem_page_remove,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:page rdx:state",
	  .shared = TDR | OP_STATE | TREE },
	{ 31, "TDH.SYS.KEY.CONFIG", tdh_sys_key_config, .any_state = true,
	  .may = "SYS_BUSY KEY_GENERATION_FAILED" },
	{ 33, "TDH.SYS.INIT", tdh_sys_init, .any_state = true,
	  .in = "rcx:attributes", .may = "SYS_BUSY RND_NO_ENTROPY" },
	{ 34, "TDH.SYS.RD", tdh_sys_rd, .any_state = true,
	  .in = "rdx:field", .out = "r8:value", .may = "SYS_BUSY" },
	{ 35, "TDH.SYS.LP.INIT", tdh_sys_lp_init, .any_state = true,
	  .may = "SYS_BUSY RND_NO_ENTROPY" },
	{ 36, "TDH.SYS.TDMR.INIT", tdh_sys_tdmr_init,
	  .in = "rcx:tdmr", .out = "rdx:next" },
	{ 38, "TDH.MEM.TRACK", tdh_mem_track, .in = "rcx:tdr",
	  .shared = TDR | OP_STATE, .exclusive = EPOCH,
	  .may = "PREVIOUS_TLB_EPOCH_BUSY" },
	{ 40, "TDH.PHYMEM.CACHE.WB", tdh_phymem_cache_wb, .in = "rcx:resume",
	  .shared = KOT, .exclusive = WBCACHE,
	  .may = "INTERRUPTED_RESUMABLE NO_HKID_READY_TO_WBCACHE",
	  .us = 300 },
	{ 41, "TDH.PHYMEM.PAGE.WBINVD", tdh_phymem_page_wbinvd, .in = "rcx:page",
	  .may = "OPERAND_BUSY" },
	{ 43, "TDH.VP.WR", tdh_vp_wr,
	  .in = "rcx:tdvpr rdx:field r8:value r9:mask", .out = "r8:previous",
	  .shared = TDVPR | TDR | OP_STATE },
	{ 45, "TDH.SYS.CONFIG", tdh_sys_config, .any_state = true,
	  .in = "rcx:tdmr_info rdx:count r8:hkid", .may = "SYS_BUSY" },
	{ 52, "TDH.SYS.SHUTDOWN", tdh_sys_shutdown, .in = "rcx:version",
	  .may = "SYS_BUSY" },
	{ 53, "TDH.SYS.UPDATE", tdh_sys_update, .any_state = true,
	  .may = "SYS_BUSY" },
	{ 58, "TDH.PHYMEM.PAMT.ADD", tdh_phymem_pamt_add,
	  .in = "rcx:region rdx:page r8:page", .feature = FEATURE_DYNAMIC_PAMT },
	{ 59, "TDH.PHYMEM.PAMT.REMOVE", tdh_phymem_pamt_remove,
	  .in = "rcx:region", .out = "rdx:page r8:page",
	  .feature = FEATURE_DYNAMIC_PAMT },
	{ 69, "TDH.SYS.DISABLE", tdh_sys_disable, .any_state = true,
	  .feature = FEATURE_SYS_DISABLE,
	  .may = "SYS_BUSY INTERRUPTED_RESUMABLE" },
};

static const struct leaf seamldr_leaves[] = {
	{ 0, "SEAMLDR.INFO", seamldr_info, .in = "rcx:info" },
	{ 1, "SEAMLDR.INSTALL", seamldr_install, .in = "rcx:params" },
	{ 2, "SEAMLDR.SHUTDOWN", seamldr_shutdown },
};

static const struct leaf tdcall_leaves[] = {
	{ 0, "TDG.VP.VMCALL", tdg_vp_vmcall, .in = "rcx:mask r10:vendor r11:leaf" },
	{ 1, "TDG.VP.INFO", tdg_vp_info,
	  .out = "rcx:gpaw rdx:attributes r8:vcpus r9:index r10:sys_rd" },
	{ 2, "TDG.MR.RTMR.EXTEND", tdg_mr_rtmr_extend, .in = "rcx:gpa rdx:index",
	  .exclusive = RTMR },
	{ 3, "TDG.VP.VEINFO.GET", tdg_vp_veinfo_get, 1,
	  .out = "rcx:reason rdx:qualification r8:gla r9:gpa r10:insn" },
	{ 4, "TDG.MR.REPORT", tdg_mr_report,
	  .in = "rcx:report rdx:reportdata r8:subtype",
	  .shared = RTMR },
	{ 5, "TDG.VP.CPUIDVE.SET", tdg_vp_cpuidve_set, .in = "rcx:levels" },
	{ 6, "TDG.MEM.PAGE.ACCEPT", tdg_mem_page_accept, .in = "rcx:gpa",
	  .may = "OPERAND_BUSY_HOST_PRIORITY HOST_PRIORITY_BUSY_TIMEOUT" },
	{ 7, "TDG.VM.RD", tdg_vm_rd, 1,
	  .in = "rcx:td rdx:field", .out = "r8:value" },
	{ 8, "TDG.VM.WR", tdg_vm_wr,
	  .in = "rcx:td rdx:field r8:value r9:mask", .out = "r8:previous" },
	{ 9, "TDG.VP.RD", tdg_vp_rd,
	  .in = "rcx:td rdx:field", .out = "r8:value" },
	{ 10, "TDG.VP.WR", tdg_vp_wr,
	  .in = "rcx:td rdx:field r8:value r9:mask", .out = "r8:previous" },
	{ 11, "TDG.SYS.RD", tdg_sys_rd, .in = "rdx:field", .out = "r8:value" },
	{ 12, "TDG.SYS.RDALL", tdg_sys_rdall,
	  .in = "rdx:gpa r8:field", .out = "r8:next" },
	{ 18, "TDG.SERVTD.RD", tdg_servtd_rd, .in = "rcx:handle rdx:field" },
	{ 20, "TDG.SERVTD.WR", tdg_servtd_wr,
	  .in = "rcx:handle rdx:field r8:value r9:mask" },
	{ 22, "TDG.MR.VERIFYREPORT", tdg_mr_verifyreport, .in = "rcx:gpa" },
	{ 23, "TDG.MEM.PAGE.ATTR.RD", tdg_mem_page_attr_rd,
	  .in = "rcx:gpa", .out = "rcx:gpa rdx:attributes" },
	{ 24, "TDG.MEM.PAGE.ATTR.WR", tdg_mem_page_attr_wr,
	  .in = "rcx:gpa rdx:attributes r8:mask",
	  .out = "rcx:gpa rdx:attributes" },
};

static const struct leaf *find_leaf(const struct leaf *table, unsigned int n,
				    u64 rax)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (table[i].nr == (rax & 0xffff))
			return &table[i];
	return NULL;
}

static const struct leaf *seamcall_leaf(u64 rax)
{
	return find_leaf(seamcall_leaves, ARRAY_SIZE(seamcall_leaves), rax);
}

/* The P-SEAMLDR knows no versions. */
static const struct leaf *seamldr_leaf(u64 rax)
{
	rax &= ~SEAMLDR_CALL;
	return rax >> 16 ? NULL :
	       find_leaf(seamldr_leaves, ARRAY_SIZE(seamldr_leaves), rax);
}

static const struct leaf *tdcall_leaf(u64 rax)
{
	return find_leaf(tdcall_leaves, ARRAY_SIZE(tdcall_leaves), rax);
}

const char *tdx_seamcall_name(uint64_t leaf)
{
	const struct leaf *l = leaf & SEAMLDR_CALL ? seamldr_leaf(leaf) :
						     seamcall_leaf(leaf);

	return l ? l->name : NULL;
}

const char *tdx_tdcall_name(uint64_t leaf)
{
	const struct leaf *l = tdcall_leaf(leaf);

	return l ? l->name : NULL;
}

static const struct leaf *leaf_by_name(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seamcall_leaves); i++)
		if (!strcmp(seamcall_leaves[i].name, name))
			return &seamcall_leaves[i];
	for (i = 0; i < ARRAY_SIZE(tdcall_leaves); i++)
		if (!strcmp(tdcall_leaves[i].name, name))
			return &tdcall_leaves[i];
	return NULL;
}

bool tdx_inject_check(const char *plan, const char **error)
{
	struct plan *p = plan_new(plan, leaf_by_name, error);

	plan_free(p);
	return p;
}

bool tdx_module_inject(struct tdx_module *m, const char *plan,
		       const char **error)
{
	struct plan *p = plan_new(plan, leaf_by_name, error);

	if (!p)
		return false;
	pthread_mutex_lock(&m->lock);
	plan_free(m->plan);
	m->plan = p;
	pthread_mutex_unlock(&m->lock);
	return true;
}

/* RAX: leaf in bits 15:0, version in 23:16; the rest is reserved. */
#define RAX_VERSION(rax)	((rax) >> 16 & 0xff)
#define RAX_RESERVED(rax)	((rax) >> 24)

/* Most leaves have only version 0, which is checked before the module's state. */
static u64 refuse_rax(const struct call *c, u64 rax)
{
	if (RAX_RESERVED(rax) ||
	    (c->version && !(c->leaf && c->leaf->max_version)))
		return status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	return 0;
}

static u64 refuse_leaf(const struct call *c)
{
	if (!c->leaf || c->version > c->leaf->max_version)
		return status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	return 0;
}

/* The module's state is checked even for leaves that it does not know. */
static u64 refuse_now(const struct call *c)
{
	enum sys_state state = c->m->sys_state;

	if (state == SYS_SHUT_DOWN ||
	    (state == SYS_DISABLING &&
	     !(c->leaf && c->leaf->handler == tdh_sys_disable)))
		return status(TDX_SYS_SHUTDOWN, 0);
	if (state != SYS_READY && !(c->leaf && c->leaf->any_state))
		return status(TDX_SYS_NOT_READY, 0);
	return 0;
}

static u64 refuse_seamcall(const struct call *c, u64 rax)
{
	u64 err = refuse_rax(c, rax);

	if (!err)
		err = refuse_now(c);
	return err ? err : refuse_leaf(c);
}

static u64 refuse_tdcall(const struct call *c, u64 rax)
{
	u64 err = refuse_rax(c, rax);

	return err ? err : refuse_leaf(c);
}

/* Exits that the host gets only if it asked for them. */
static void asked_exit(struct call *c, enum tdx_exit_reason reason, u64 control)
{
	c->exit->reason = reason;
	if (!(c->vcpu->vmcs[VMCS_PROC2_CONTROLS] & control))
		c->outcome = TDX_DONE;
}

/* An exit for a page that is mapped: the host has nothing to do. */
static void spurious_violation(struct call *c)
{
	c->exit->reason = EXIT_EPT_VIOLATION;
	c->exit->qualification = TDX_WRITE;
	c->exit->gpa = sept_any_mapped(c->vcpu->td);
	if (c->exit->gpa == NO_GPA)
		c->outcome = TDX_DONE;
}

/* Injects a TD exit; c->outcome is TDX_DONE if there can be none. */
static void inject_exit(struct call *c, enum injection what)
{
	struct tdx_exit *e = c->exit;

	c->outcome = TDX_EXIT;
	switch (what) {
	case INJECT_TRIPLE_FAULT:
		e->status = status(TDX_NON_RECOVERABLE_VCPU, 0);
		e->reason = EXIT_TRIPLE_FAULT;
		break;
	case INJECT_NON_RECOVERABLE:
		e->status = status(TDX_NON_RECOVERABLE_TD, 0);
		e->reason = EXIT_TDCALL;
		c->vcpu->td->fatal = true;
		break;
	case INJECT_EPT_MISCONFIGURATION:
		e->reason = EXIT_EPT_MISCONFIG;
		break;
	case INJECT_SMI:
		e->reason = EXIT_SMI;
		break;
	case INJECT_BUS_LOCK:
		asked_exit(c, EXIT_BUS_LOCK, PROC2_BUS_LOCK);
		break;
	case INJECT_NOTIFY:
		asked_exit(c, EXIT_NOTIFY, PROC2_NOTIFY);
		break;
	default:
		spurious_violation(c);
		break;
	}
}

/* Calls the leaf, or injects something instead. */
static u64 handle(struct call *c)
{
	u64 err = 0;
	enum injection what = plan_next(c, &err);

	switch (what) {
	case INJECT_NOTHING:
		break;
	case INJECT_STATUS:
		c->injected = true;
		return err;
	case INJECT_INTERRUPTED:
		c->interrupted = c->injected = true;
		break;
	case INJECT_NO_ENTROPY:
		c->no_entropy = true;
		break;
	case INJECT_LINGER:
		c->linger = true;
		break;
	default:
		inject_exit(c, what);
		c->injected = c->outcome != TDX_DONE;
		if (c->injected)
			return 0;
	}
	err = c->exit ? lock_tdcall(c) : 0;
	return err ? err : c->leaf->handler(c);
}

/*
 * Waits until other calls were refused because a lock was busy.  If the host keeps
 * them from colliding there is none, so the wait ends after longer than any call
 * needs to get here.
 */
#define LINGER_REFUSALS	2	/* the second is that of a host that tries again */
#define LINGER_SECONDS	5

static void linger(struct tdx_module *m)
{
	unsigned int before = m->num_refused;
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += LINGER_SECONDS;
	while (m->num_refused - before < LINGER_REFUSALS)
		if (pthread_cond_timedwait(&m->turn, &m->lock, &end))
			return;
}

/* For an embedder that lets the other LPs run before it goes on with this one. */
static void keep_locks_if_asked(struct call *c)
{
	struct tdx_module *m = c->m;

	if (!m->ops.keep_locks || !m->ops.keep_locks(m->opaque))
		return;
	m->kept[c->lp] = *c;
	if (c->guest_entry)
		c->guest_entry->busy = true;
	c->held = 0;
	c->locked_entry = NULL;
}

void tdx_call_end(struct tdx_module *m, unsigned int lp)
{
	struct call *kept = &m->kept[lp];

	pthread_mutex_lock(&m->lock);
	unlock_call(kept, kept->vcpu);
	if (kept->guest_entry)
		kept->guest_entry->busy = false;
	pthread_mutex_unlock(&m->lock);
}

/*
 * A SEAMCALL has done its work.  On hardware it held its locks all the time, and
 * others that came meanwhile found them busy.  Here these waited for the mutex, so
 * they have their turn before it drops its locks.
 */
static void let_others_call(struct call *c)
{
	struct tdx_module *m = c->m;
	unsigned int arrived;

	keep_locks_if_asked(c);
	if (m->ops.keep_locks)
		return;
	if (m->ops.meanwhile) {
		unlock_for_work(c);
		m->ops.meanwhile(m->opaque, c->leaf->us);
		lock_after_work(c);
	}
	if (c->linger)
		linger(m);
	arrived = g_atomic_int_get(&m->num_arrived);
	while ((int)(arrived - m->num_handled) > 0)
		pthread_cond_wait(&m->turn, &m->lock);
}

/* The result of a call that was not refused before it began. */
static u64 result(struct call *c)
{
	u64 rax = handle(c);

	return c->exit ? host_priority(c, rax) : rax;
}

/* Runs a call under the mutex and writes the trace. */
static void run(struct call *c, u64 rax, u64 refusal)
{
	struct tdx_module *m = c->m;
	u64 in[TDX_NR_GPRS], start = 0;

	if (m->ops.trace) {
		memcpy(in, c->gpr, sizeof(in));
		start = m->ops.clock(m->opaque);
	}
	c->gpr[TDX_RAX] = refusal ? refusal : result(c);
	if (m->ops.trace)
		trace_call(c, rax, in, m->ops.clock(m->opaque) - start);
}

/* Some leaves belong to a feature. */
static const struct leaf *if_there_is(const struct tdx_module *m,
				      const struct leaf *leaf)
{
	if (leaf && leaf->feature && !has_feature(m, leaf->feature))
		return NULL;
	return leaf;
}

static void call_module(struct call *c, u64 rax)
{
	c->version = RAX_VERSION(rax);
	c->leaf = if_there_is(c->m, seamcall_leaf(rax));
	run(c, rax, refuse_seamcall(c, rax));
}

/* Only one LP at a time gets into the P-SEAMLDR; SEAMCALL fails on the others. */
static bool call_seamldr(struct call *c, u64 rax)
{
	struct tdx_module *m = c->m;
	bool there;

	if (__atomic_test_and_set(&m->seamldr.busy, __ATOMIC_ACQUIRE))
		return false;
	pthread_mutex_lock(&m->lock);
	there = m->seamldr.present;
	c->leaf = seamldr_leaf(rax);
	if (there)
		run(c, rax, c->leaf ? 0 : SEAMLDR_EBADPARAM);
	pthread_mutex_unlock(&m->lock);
	__atomic_clear(&m->seamldr.busy, __ATOMIC_RELEASE);
	return there;
}

bool tdx_seamcall(struct tdx_module *m, unsigned int lp,
		  uint64_t gpr[TDX_NR_GPRS], struct tdx_vcpu **vcpu)
{
	u64 rax = gpr[TDX_RAX];
	struct call c = { .m = m, .lp = lp, .gpr = gpr };
	bool there;

	*vcpu = NULL;
	if (rax & SEAMLDR_CALL)
		return call_seamldr(&c, rax);
	g_atomic_int_inc(&m->num_arrived);
	pthread_mutex_lock(&m->lock);
	there = m->loaded;
	if (there)
		call_module(&c, rax);
	m->num_handled++;
	pthread_cond_broadcast(&m->turn);
	/* A call that fails is over at once. */
	if (c.held && !failed(gpr[TDX_RAX]))
		let_others_call(&c);
	unlock_call(&c, c.vcpu);
	pthread_mutex_unlock(&m->lock);
	*vcpu = c.vcpu;
	return there;
}

enum tdx_outcome tdx_tdcall(struct tdx_vcpu *v, uint64_t gpr[TDX_NR_GPRS],
			    struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	u64 rax = gpr[TDX_RAX];
	struct call c = {
		.m = m, .lp = v->lp, .vcpu = v, .gpr = gpr, .exit = exit,
		.outcome = TDX_DONE, .td = v->td,
		.version = RAX_VERSION(rax),
		.leaf = if_there_is(m, tdcall_leaf(rax)),
	};

	pthread_mutex_lock(&m->lock);
	memset(exit, 0, sizeof(*exit));
	run(&c, rax, refuse_tdcall(&c, rax));
	if ((c.held || c.guest_entry) && c.outcome == TDX_DONE)
		keep_locks_if_asked(&c);
	unlock_call(&c, false);
	if (c.outcome == TDX_DONE)
		zero_step_tdcall(v);
	/* If the guest repeats the instruction, RAX must be as it was. */
	if (c.outcome != TDX_DONE && c.outcome != TDX_EXIT_TRAP)
		gpr[TDX_RAX] = rax;
	pthread_mutex_unlock(&m->lock);
	return c.outcome;
}
