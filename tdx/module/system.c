// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up of the module, and the dispatch of SEAMCALL and TDCALL.  Leaves that
 * Linux does not use answer OPERAND_INVALID|RAX, as unknown leaves do.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Identifies TDs and keys reports: nothing here is worth an attack. */
void random_bytes(void *buf, size_t len)
{
	u8 *b = buf;

	while (len--)
		*b++ = g_random_int();
}

struct tdx_module *tdx_module_new(const struct tdx_ops *ops, void *opaque,
				  const struct tdx_platform *platform,
				  const char **error)
{
	const struct tdx_profile *profile = tdx_profile_find(platform->profile);
	struct tdx_module *m;

	*error = NULL;
	if (!profile)
		*error = "no such profile";
	else if (!platform->num_lps)
		*error = "no logical processor";
	else if (platform->num_tdx_keyids < 2)
		*error = "fewer than two TDX KeyIDs";
	else if (platform->num_cmrs > ARRAY_SIZE(platform->cmr))
		*error = "too many ranges of convertible memory";
	if (*error)
		return NULL;

	m = g_new0(struct tdx_module, 1);
	m->ops = *ops;
	m->opaque = opaque;
	m->platform = *platform;
	m->profile = profile;
	m->lp_ready = g_new0(bool, platform->num_lps);
	m->hkids = g_new0(enum hkid_state, platform->num_tdx_keyids);
	random_bytes(m->report_key, sizeof(m->report_key));
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void tdx_module_free(struct tdx_module *m)
{
	unsigned int i;

	while (m->tds)
		td_free(m->tds);
	for (i = 0; i < m->num_tdmrs; i++)
		free(m->tdmrs[i].pages);
	inject_free(m);
	pthread_mutex_destroy(&m->lock);
	g_free(m->lp_ready);
	g_free(m->hkids);
	g_free(m->native_cpuid);
	g_free(m);
}

static u64 sys_init(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state != SYS_INIT_PENDING)
		return status(TDX_SYS_INIT_NOT_PENDING, 0);
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	cpuid_init(m);
	m->sys_state = SYS_LP_INIT;
	return 0;
}

static u64 sys_lp_init(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state == SYS_INIT_PENDING)
		return status(TDX_SYS_LP_INIT_NOT_PENDING, 0);
	if (m->lp_ready[c->lp])
		return status(TDX_SYS_LP_INIT_DONE, 0);
	m->lp_ready[c->lp] = true;
	m->num_lps_ready++;
	return 0;
}

/* One package: the global key is configured by the first call. */
static u64 sys_key_config(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state == SYS_READY)
		return status(TDX_KEY_CONFIGURED, 0);
	if (m->sys_state != SYS_CONFIGURED)
		return status(TDX_SYS_KEY_CONFIG_NOT_PENDING, 0);
	m->sys_state = SYS_READY;
	return 0;
}

static u64 sys_disable(struct call *c)
{
	if (c->interrupted)
		return status(TDX_INTERRUPTED_RESUMABLE, 0);
	c->m->sys_state = SYS_DISABLED;
	return 0;
}

/* Shorthand for the locks' columns. */
#define KOT		BIT(LOCK_KOT)
#define TDVPR		BIT(LOCK_TDVPR)
#define TDR		BIT(LOCK_TDR)
#define OP_STATE	BIT(LOCK_OP_STATE)
#define TREE		BIT(LOCK_SEPT_TREE)
#define EPOCH		BIT(LOCK_EPOCH)

const struct leaf seamcall_leaves[] = {
	{ 0, "TDH.VP.ENTER", vp_enter, .in = "rcx:tdvpr",
	  .shared = TDVPR | TDR | OP_STATE | EPOCH },
	{ 1, "TDH.MNG.ADDCX", mng_addcx, .in = "rcx:page rdx:tdr",
	  .exclusive = TDR },
	{ 2, "TDH.MEM.PAGE.ADD", mem_page_add,
	  .in = "rcx:gpa rdx:tdr r8:page r9:source", .out = "rcx:entry rdx:state",
	  .exclusive = TDR | TREE },
	{ 3, "TDH.MEM.SEPT.ADD", mem_sept_add, 1,
	  .in = "rcx:gpa rdx:tdr r8:page", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE, .exclusive = TREE },
	{ 4, "TDH.VP.ADDCX", vp_addcx, .in = "rcx:page rdx:tdvpr",
	  .shared = TDR | OP_STATE, .exclusive = TDVPR },
	{ 6, "TDH.MEM.PAGE.AUG", mem_page_aug,
	  .in = "rcx:gpa rdx:tdr r8:page", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE | TREE },
	{ 7, "TDH.MEM.RANGE.BLOCK", mem_range_block,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE, .exclusive = TREE },
	{ 8, "TDH.MNG.KEY.CONFIG", mng_key_config, .in = "rcx:tdr",
	  .exclusive = TDR, .may = "KEY_GENERATION_FAILED RND_NO_ENTROPY" },
	{ 9, "TDH.MNG.CREATE", mng_create, .in = "rcx:page rdx:hkid",
	  .exclusive = KOT, .may = "RND_NO_ENTROPY" },
	{ 10, "TDH.VP.CREATE", vp_create, .in = "rcx:page rdx:tdr",
	  .shared = TDR | OP_STATE, .may = "RND_NO_ENTROPY" },
	{ 11, "TDH.MNG.RD", mng_rd, 1,
	  .in = "rcx:tdr rdx:field", .out = "r8:value",
	  .shared = TDR | OP_STATE },
	{ 16, "TDH.MR.EXTEND", mr_extend,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state",
	  .exclusive = TDR },
	{ 17, "TDH.MR.FINALIZE", mr_finalize, .in = "rcx:tdr",
	  .exclusive = TDR | OP_STATE },
	{ 18, "TDH.VP.FLUSH", vp_flush, .in = "rcx:tdvpr",
	  .shared = TDR, .exclusive = TDVPR },
	{ 19, "TDH.MNG.VPFLUSHDONE", mng_vpflushdone, .in = "rcx:tdr",
	  .exclusive = TDR | KOT },
	{ 20, "TDH.MNG.KEY.FREEID", mng_key_freeid, .in = "rcx:tdr",
	  .exclusive = TDR | KOT },
	{ 21, "TDH.MNG.INIT", mng_init,
	  .in = "rcx:tdr rdx:td_params", .out = "rcx:detail",
	  .exclusive = TDR, .may = "RND_NO_ENTROPY" },
	{ 22, "TDH.VP.INIT", vp_init, 1,
	  .in = "rcx:tdvpr rdx:initial_rcx r8:x2apic_id",
	  .shared = TDR | OP_STATE, .exclusive = TDVPR, .exclusive_v1 = TDR },
	{ 24, "TDH.PHYMEM.PAGE.RDMD", phymem_page_rdmd,
	  .in = "rcx:page", .out = "rcx:type rdx:owner r8:size" },
	{ 26, "TDH.VP.RD", vp_rd, 1,
	  .in = "rcx:tdvpr rdx:field", .out = "r8:value",
	  .shared = TDVPR | TDR | OP_STATE },
	{ 28, "TDH.PHYMEM.PAGE.RECLAIM", phymem_page_reclaim,
	  .in = "rcx:page", .out = "rcx:type rdx:owner r8:size",
	  .shared = TDR },
	{ 29, "TDH.MEM.PAGE.REMOVE", mem_page_remove,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state",
	  .shared = TDR | OP_STATE, .exclusive = TREE },
	{ 31, "TDH.SYS.KEY.CONFIG", sys_key_config, .any_state = true,
	  .may = "SYS_BUSY KEY_GENERATION_FAILED RND_NO_ENTROPY" },
	{ 33, "TDH.SYS.INIT", sys_init, .any_state = true,
	  .in = "rcx:attributes", .may = "SYS_BUSY RND_NO_ENTROPY" },
	{ 34, "TDH.SYS.RD", sys_rd, .any_state = true,
	  .in = "rdx:field", .out = "r8:value", .may = "SYS_BUSY" },
	{ 35, "TDH.SYS.LP.INIT", sys_lp_init, .any_state = true,
	  .may = "SYS_BUSY" },
	{ 36, "TDH.SYS.TDMR.INIT", sys_tdmr_init,
	  .in = "rcx:tdmr", .out = "rdx:next" },
	{ 38, "TDH.MEM.TRACK", mem_track, .in = "rcx:tdr",
	  .shared = TDR | OP_STATE, .exclusive = EPOCH,
	  .may = "PREVIOUS_TLB_EPOCH_BUSY" },
	{ 40, "TDH.PHYMEM.CACHE.WB", phymem_cache_wb, .in = "rcx:resume",
	  .exclusive = KOT, .may = "INTERRUPTED_RESUMABLE" },
	{ 41, "TDH.PHYMEM.PAGE.WBINVD", phymem_page_wbinvd, .in = "rcx:page" },
	{ 43, "TDH.VP.WR", vp_wr,
	  .in = "rcx:tdvpr rdx:field r8:value r9:mask", .out = "r8:previous",
	  .shared = TDVPR | TDR | OP_STATE },
	{ 45, "TDH.SYS.CONFIG", sys_config, .any_state = true,
	  .in = "rcx:tdmr_info rdx:count r8:hkid", .may = "SYS_BUSY" },
	{ 69, "TDH.SYS.DISABLE", sys_disable, .any_state = true,
	  .may = "SYS_BUSY INTERRUPTED_RESUMABLE" },
};

const unsigned int num_seamcall_leaves = ARRAY_SIZE(seamcall_leaves);

static const struct leaf *find_leaf(const struct leaf *table, unsigned int n,
				    u64 nr)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (table[i].nr == nr)
			return &table[i];
	return NULL;
}

const char *tdx_seamcall_name(uint64_t leaf)
{
	const struct leaf *l = find_leaf(seamcall_leaves, num_seamcall_leaves,
					 leaf & 0xffff);

	return l ? l->name : NULL;
}

const char *tdx_tdcall_name(uint64_t leaf)
{
	const struct leaf *l = find_leaf(tdcall_leaves, num_tdcall_leaves,
					 leaf & 0xffff);

	return l ? l->name : NULL;
}

static u64 seamcall_allowed(struct call *c, const struct leaf *leaf, u64 rax)
{
	struct tdx_module *m = c->m;

	if (rax >> 24 || !leaf || c->version > leaf->max_version)
		return status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	if (m->sys_state == SYS_DISABLED)
		return status(TDX_SYS_SHUTDOWN, 0);
	if (leaf->any_state)
		return 0;
	if (m->sys_state != SYS_READY)
		return status(TDX_SYS_NOT_READY, 0);
	if (!m->lp_ready[c->lp])
		return status(TDX_SYS_LP_INIT_NOT_DONE, 0);
	return 0;
}

/* A TD exit that the plan wants in place of a TDG.VP.VMCALL. */
static u64 forced_exit(struct call *c, enum injection what)
{
	struct td *td = c->vcpu->td;
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
		td->fatal = true;
		break;
	case INJECT_BUS_LOCK:
	case INJECT_NOTIFY:
		/* Where the host asked for it. */
		e->reason = what == INJECT_NOTIFY ? EXIT_NOTIFY : EXIT_BUS_LOCK;
		if (!(c->vcpu->vmcs[VMCS_PROC2_CONTROLS] &
		      (what == INJECT_NOTIFY ? PROC2_NOTIFY : PROC2_BUS_LOCK)))
			c->outcome = TDX_DONE;
		break;
	default:
		/* Of a page that is there: the host has nothing to do. */
		e->reason = EXIT_EPT_VIOLATION;
		e->qualification = TDX_WRITE;
		e->gpa = sept_any_mapped(td);
		if (e->gpa == NO_GPA)
			c->outcome = TDX_DONE;
		break;
	}
	return 0;
}

/* The handler, or what is to happen instead. */
static u64 handle(struct call *c)
{
	u64 err = 0;
	enum injection what = inject(c, &err);

	c->injected = what != INJECT_NOTHING;
	c->interrupted = what == INJECT_INTERRUPTED;
	if (what == INJECT_STATUS)
		return err;
	if (what != INJECT_NOTHING && what != INJECT_INTERRUPTED) {
		forced_exit(c, what);
		if (c->outcome != TDX_DONE)
			return 0;
		c->injected = false;
	}
	err = c->exit ? lock_td(c, c->td, 0) : lock_system(c);
	if (!err)
		err = c->leaf->handler(c);
	unlock_call(c, !c->exit && c->vcpu);
	return err;
}

/* Runs a leaf under the mutex, and writes the trace. */
static void run_leaf(struct call *c, const char *who, u64 rax, u64 refusal)
{
	struct tdx_module *m = c->m;
	u64 in[TDX_NR_GPRS], start = 0;

	if (m->ops.trace) {
		memcpy(in, c->gpr, sizeof(in));
		start = m->ops.clock(m->opaque);
	}
	c->gpr[TDX_RAX] = refusal ? refusal : handle(c);
	if (m->ops.trace)
		trace_call(c, who, c->leaf, rax, in,
			   m->ops.clock(m->opaque) - start);
}

struct tdx_vcpu *tdx_seamcall(struct tdx_module *m, unsigned int lp,
			      uint64_t gpr[TDX_NR_GPRS])
{
	u64 rax = gpr[TDX_RAX];
	struct call c = {
		.m = m, .lp = lp, .gpr = gpr, .version = rax >> 16 & 0xff,
		.leaf = find_leaf(seamcall_leaves, num_seamcall_leaves,
				  rax & 0xffff),
	};

	pthread_mutex_lock(&m->lock);
	run_leaf(&c, NULL, rax, seamcall_allowed(&c, c.leaf, rax));
	pthread_mutex_unlock(&m->lock);
	return c.vcpu;
}

enum tdx_outcome tdx_tdcall(struct tdx_vcpu *v, uint64_t gpr[TDX_NR_GPRS],
			    struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	u64 rax = gpr[TDX_RAX], refusal = 0;
	struct call c = {
		.m = m, .lp = v->lp, .vcpu = v, .gpr = gpr, .exit = exit,
		.version = rax >> 16 & 0xff, .outcome = TDX_DONE, .td = v->td,
		.leaf = find_leaf(tdcall_leaves, num_tdcall_leaves,
				  rax & 0xffff),
	};

	pthread_mutex_lock(&m->lock);
	memset(exit, 0, sizeof(*exit));
	if (rax >> 24 || !c.leaf || c.version > c.leaf->max_version)
		refusal = status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	run_leaf(&c, "TD", rax, refusal);
	/* What repeats the instruction leaves the leaf in RAX. */
	if (c.outcome != TDX_DONE)
		gpr[TDX_RAX] = rax;
	pthread_mutex_unlock(&m->lock);
	return c.outcome;
}
