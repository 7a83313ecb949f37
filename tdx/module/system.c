// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up of the module, and the dispatch of SEAMCALL and TDCALL.  Leaves that
 * Linux does not use answer OPERAND_INVALID|RAX, as unknown leaves do.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

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
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void tdx_module_free(struct tdx_module *m)
{
	unsigned int i;
	u64 j;

	for (i = 0; i < m->num_tdmrs; i++) {
		struct tdmr *t = &m->tdmrs[i];

		for (j = 0; t->pages && j < t->size / PAGE_SIZE; j++)
			if (t->pages[j].type == PT_TDR)
				td_free(t->pages[j].owner);
		free(t->pages);
	}
	pthread_mutex_destroy(&m->lock);
	g_free(m->lp_ready);
	g_free(m->hkids);
	g_free(m);
}

static u64 sys_init(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state != SYS_INIT_PENDING)
		return status(TDX_SYS_INIT_NOT_PENDING, 0);
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
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
	c->m->sys_state = SYS_DISABLED;
	return 0;
}

const struct leaf seamcall_leaves[] = {
	{ 0, "TDH.VP.ENTER", vp_enter, .in = "rcx:tdvpr" },
	{ 1, "TDH.MNG.ADDCX", mng_addcx, .in = "rcx:page rdx:tdr" },
	{ 2, "TDH.MEM.PAGE.ADD", mem_page_add,
	  .in = "rcx:gpa rdx:tdr r8:page r9:source", .out = "rcx:entry rdx:state" },
	{ 3, "TDH.MEM.SEPT.ADD", mem_sept_add, 1,
	  .in = "rcx:gpa rdx:tdr r8:page", .out = "rcx:entry rdx:state" },
	{ 4, "TDH.VP.ADDCX", vp_addcx, .in = "rcx:page rdx:tdvpr" },
	{ 6, "TDH.MEM.PAGE.AUG", mem_page_aug,
	  .in = "rcx:gpa rdx:tdr r8:page", .out = "rcx:entry rdx:state" },
	{ 7, "TDH.MEM.RANGE.BLOCK", mem_range_block,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state" },
	{ 8, "TDH.MNG.KEY.CONFIG", mng_key_config, .in = "rcx:tdr" },
	{ 9, "TDH.MNG.CREATE", mng_create, .in = "rcx:page rdx:hkid" },
	{ 10, "TDH.VP.CREATE", vp_create, .in = "rcx:page rdx:tdr" },
	{ 11, "TDH.MNG.RD", mng_rd, 1,
	  .in = "rcx:tdr rdx:field", .out = "r8:value" },
	{ 16, "TDH.MR.EXTEND", mr_extend,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state" },
	{ 17, "TDH.MR.FINALIZE", mr_finalize, .in = "rcx:tdr" },
	{ 18, "TDH.VP.FLUSH", vp_flush, .in = "rcx:tdvpr" },
	{ 19, "TDH.MNG.VPFLUSHDONE", mng_vpflushdone, .in = "rcx:tdr" },
	{ 20, "TDH.MNG.KEY.FREEID", mng_key_freeid, .in = "rcx:tdr" },
	{ 21, "TDH.MNG.INIT", mng_init,
	  .in = "rcx:tdr rdx:td_params", .out = "rcx:detail" },
	{ 22, "TDH.VP.INIT", vp_init, 1,
	  .in = "rcx:tdvpr rdx:initial_rcx r8:x2apic_id" },
	{ 24, "TDH.PHYMEM.PAGE.RDMD", phymem_page_rdmd,
	  .in = "rcx:page", .out = "rcx:type rdx:owner r8:size" },
	{ 26, "TDH.VP.RD", vp_rd, 1,
	  .in = "rcx:tdvpr rdx:field", .out = "r8:value" },
	{ 28, "TDH.PHYMEM.PAGE.RECLAIM", phymem_page_reclaim,
	  .in = "rcx:page", .out = "rcx:type rdx:owner r8:size" },
	{ 29, "TDH.MEM.PAGE.REMOVE", mem_page_remove,
	  .in = "rcx:gpa rdx:tdr", .out = "rcx:entry rdx:state" },
	{ 31, "TDH.SYS.KEY.CONFIG", sys_key_config, .any_state = true },
	{ 33, "TDH.SYS.INIT", sys_init, .any_state = true, .in = "rcx:attributes" },
	{ 34, "TDH.SYS.RD", sys_rd, .any_state = true,
	  .in = "rdx:field", .out = "r8:value" },
	{ 35, "TDH.SYS.LP.INIT", sys_lp_init, .any_state = true },
	{ 36, "TDH.SYS.TDMR.INIT", sys_tdmr_init,
	  .in = "rcx:tdmr", .out = "rdx:next" },
	{ 38, "TDH.MEM.TRACK", mem_track, .in = "rcx:tdr" },
	{ 40, "TDH.PHYMEM.CACHE.WB", phymem_cache_wb, .in = "rcx:resume" },
	{ 41, "TDH.PHYMEM.PAGE.WBINVD", phymem_page_wbinvd, .in = "rcx:page" },
	{ 43, "TDH.VP.WR", vp_wr,
	  .in = "rcx:tdvpr rdx:field r8:value r9:mask", .out = "r8:previous" },
	{ 45, "TDH.SYS.CONFIG", sys_config, .any_state = true,
	  .in = "rcx:tdmr_info rdx:count r8:hkid" },
	{ 69, "TDH.SYS.DISABLE", sys_disable, .any_state = true },
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

/* Runs a leaf under the lock, and writes the trace. */
static void run_leaf(struct call *c, const char *who, const struct leaf *leaf,
		     u64 leaf_nr, u64 refusal)
{
	struct tdx_module *m = c->m;
	u64 in[TDX_NR_GPRS], start = 0;

	if (m->ops.trace) {
		memcpy(in, c->gpr, sizeof(in));
		start = m->ops.clock(m->opaque);
	}
	c->gpr[TDX_RAX] = refusal ? refusal : leaf->handler(c);
	if (m->ops.trace)
		trace_call(c, who, leaf, leaf_nr, in,
			   m->ops.clock(m->opaque) - start);
}

struct tdx_vcpu *tdx_seamcall(struct tdx_module *m, unsigned int lp,
			      uint64_t gpr[TDX_NR_GPRS])
{
	u64 rax = gpr[TDX_RAX];
	const struct leaf *leaf = find_leaf(seamcall_leaves, num_seamcall_leaves,
					    rax & 0xffff);
	struct call c = {
		.m = m, .lp = lp, .gpr = gpr, .version = rax >> 16 & 0xff,
	};

	pthread_mutex_lock(&m->lock);
	run_leaf(&c, NULL, leaf, rax, seamcall_allowed(&c, leaf, rax));
	pthread_mutex_unlock(&m->lock);
	return c.vcpu;
}

enum tdx_outcome tdx_tdcall(struct tdx_vcpu *v, uint64_t gpr[TDX_NR_GPRS],
			    struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	u64 rax = gpr[TDX_RAX], refusal = 0;
	const struct leaf *leaf = find_leaf(tdcall_leaves, num_tdcall_leaves,
					    rax & 0xffff);
	struct call c = {
		.m = m, .lp = v->lp, .vcpu = v, .gpr = gpr, .exit = exit,
		.version = rax >> 16 & 0xff, .outcome = TDX_DONE,
	};

	pthread_mutex_lock(&m->lock);
	memset(exit, 0, sizeof(*exit));
	if (rax >> 24 || !leaf || c.version > leaf->max_version)
		refusal = status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	run_leaf(&c, "TD", leaf, rax, refusal);
	/* An exit that repeats the instruction leaves the leaf in RAX. */
	if (c.outcome != TDX_DONE)
		gpr[TDX_RAX] = rax;
	pthread_mutex_unlock(&m->lock);
	return c.outcome;
}
