// SPDX-License-Identifier: GPL-2.0
/*
 * TDH.SYS.*: bring-up of the module, its end, and the global metadata.  As the
 * module does, a leaf clears the registers of its results before it checks.
 */
#include "fields.h"
#include "operands.h"
#include "platform.h"
#include "system.h"
#include "td_cpuid.h"
#include "tdh.h"
#include "tdmr.h"

/* Of IA32_MISC_ENABLE. */
#define PERFMON_AVAIL		BIT(7)
#define BTS_UNAVAIL		BIT(11)

/* Of IA32_PERF_CAPABILITIES. */
#define PERF_CAP_NEEDED		(BIT(12) | BIT(13))	/* freezes in SMM, full writes */

#define LEAF_BASIC		0u			/* EAX: the last one */
#define LEAF_EXTENDED		0x80000000u
#define MIN_LAST_BASIC		0x1fu
#define LEAF_PERFMON		0xau
#define PERFMON_VERSION		0xfu			/* EAX: what is compared */
#define PERFMON_MIN_VERSION	5u

static u64 read_msr(struct call *c, enum tdx_host_msr msr)
{
	return c->m->ops.rdmsr(c->m->opaque, c->lp, msr);
}

static void read_cpuid(struct call *c, u32 leaf, u32 subleaf, u32 regs[NUM_CPUID_REGS])
{
	c->m->ops.cpuid(c->m->opaque, leaf, subleaf, regs);
}

static u64 check_last_leaf(struct call *c, u32 leaf, u32 min_last)
{
	u32 regs[NUM_CPUID_REGS];

	read_cpuid(c, leaf, 0, regs);
	return regs[EAX] < min_last ? status(TDX_CPUID_LEAF_NOT_SUPPORTED, min_last) : 0;
}

/* RCX: the leaf.  RDX and R8 have the bits that are compared, R9 and R10 their values. */
static u64 incorrect_cpuid(struct call *c, u64 leaf, const u32 mask[NUM_CPUID_REGS],
			   const u32 want[NUM_CPUID_REGS])
{
	c->gpr[TDX_RCX] = leaf;
	c->gpr[TDX_RDX] = mask[EAX] | (u64)mask[EBX] << 32;
	c->gpr[TDX_R8] = mask[ECX] | (u64)mask[EDX] << 32;
	c->gpr[TDX_R9] = want[EAX] | (u64)want[EBX] << 32;
	c->gpr[TDX_R10] = want[ECX] | (u64)want[EDX] << 32;
	return status(TDX_INCORRECT_CPUID_VALUE, 0);
}

static u64 check_pmu_version(struct call *c)
{
	const u32 mask[NUM_CPUID_REGS] = { PERFMON_VERSION };
	const u32 want[NUM_CPUID_REGS] = { PERFMON_MIN_VERSION };
	u32 regs[NUM_CPUID_REGS];

	read_cpuid(c, LEAF_PERFMON, 0, regs);
	if ((regs[EAX] & 0xff) >= PERFMON_MIN_VERSION)
		return 0;
	return incorrect_cpuid(c, LEAF_PERFMON | (u64)NO_SUBLEAF << 32, mask, want);
}

/*
 * What the CPU must have for the module to save a TD's state.  The module wants more of
 * other leaves, some of which the box's CPU lacks: cpuid_table.c has that as the values
 * of native fields.
 */
static const struct {
	u32 leaf, subleaf;
	u32 need[NUM_CPUID_REGS];
} cpuid_needs[] = {
	{ 0xd, 0, { [EAX] = XFAM_X87 | XFAM_SSE } },
	{ 0xd, 1, { [EAX] = 0xf, [ECX] = XFAM_CET } },	/* XSAVEOPT to XSAVES */
};

static u64 check_cpuid(struct call *c)
{
	u32 regs[NUM_CPUID_REGS];
	enum cpuid_reg reg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cpuid_needs); i++) {
		const u32 *need = cpuid_needs[i].need;

		read_cpuid(c, cpuid_needs[i].leaf, cpuid_needs[i].subleaf, regs);
		for (reg = EAX; reg <= EDX; reg++)
			if (need[reg] & ~regs[reg])
				return incorrect_cpuid(c, cpuid_needs[i].leaf |
						       (u64)cpuid_needs[i].subleaf << 32,
						       need, need);
	}
	return 0;
}

static u64 check_features(struct call *c)
{
	u64 misc_enable = read_msr(c, TDX_MSR_MISC_ENABLE), err;

	if (~read_msr(c, TDX_MSR_PERF_CAPABILITIES) & PERF_CAP_NEEDED)
		return status(TDX_INCORRECT_MSR_VALUE, TDX_MSR_PERF_CAPABILITIES);
	err = check_limit_cpuid(c);
	if (err)
		return err;
	if (!(misc_enable & PERFMON_AVAIL) || misc_enable & BTS_UNAVAIL)
		return status(TDX_INCORRECT_MSR_VALUE, TDX_MSR_MISC_ENABLE);
	err = check_last_leaf(c, LEAF_BASIC, MIN_LAST_BASIC);
	if (!err)
		err = check_last_leaf(c, LEAF_EXTENDED, MAX_EXTENDED_LEAF);
	if (!err)
		err = check_pmu_version(c);
	return err ? err : check_cpuid(c);
}

static u64 check_platform(struct call *c)
{
	const struct tdx_platform *p = &c->m->platform;
	u64 err = check_features(c);

	if (!err)
		err = platform_check_msrs(c->m, c->lp);
	if (err)
		return err;
	if (p->num_mktme_keyids + p->num_tdx_keyids >= MAX_HKIDS)
		return status(TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED, MAX_HKIDS);
	if (!cmrs_valid(c->m))
		return status(TDX_CMR_LIST_INVALID, 0);
	return platform_check_smrr(c->m, c->lp);
}

u64 tdh_sys_init(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 attributes = c->gpr[TDX_RCX], err;

	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	c->gpr[TDX_R8] = c->gpr[TDX_R9] = c->gpr[TDX_R10] = 0;
	if (attributes)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (m->sys_state != SYS_INIT_PENDING)
		return status(TDX_SYS_INIT_NOT_PENDING, 0);
	err = check_platform(c);
	if (err)
		return err;
	m->tsc_adjust = read_msr(c, TDX_MSR_TSC_ADJUST);
	platform_remember(m, c->lp);
	cpuid_read_native(m);
	m->sys_state = SYS_LP_INIT;
	return 0;
}

u64 tdh_sys_lp_init(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 err;

	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = c->gpr[TDX_R8] = 0;
	if (m->sys_state != SYS_LP_INIT)
		return status(TDX_SYS_LP_INIT_NOT_PENDING, 0);
	if (m->lp_ready[c->lp])
		return status(TDX_SYS_LP_INIT_DONE, 0);
	err = check_limit_cpuid(c);
	if (!err)
		err = check_tsc_adjust(c);
	if (!err)
		err = platform_compare(m, c->lp);
	if (err)
		return err;
	m->lp_ready[c->lp] = true;
	m->num_lps_ready++;
	return 0;
}

/* Whether TDH.SYS.INIT and all TDH.SYS.LP.INIT are done, and nothing else. */
static bool lps_are_ready(const struct tdx_module *m)
{
	return m->sys_state == SYS_LP_INIT &&
	       m->num_lps_ready == m->platform.num_lps;
}

/* R8 of TDH.SYS.CONFIG, next to the KeyID. */
#define DYNAMIC_PAMT	BIT(16)

u64 tdh_sys_config(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 array = c->gpr[TDX_RCX], count = c->gpr[TDX_RDX];
	u64 hkid = c->gpr[TDX_R8], pa[MAX_TDMRS], err;
	bool dynamic_pamt = has_feature(m, FEATURE_DYNAMIC_PAMT) &&
			    hkid & DYNAMIC_PAMT;
	unsigned int i;

	if (!lps_are_ready(m))
		return status(TDX_SYS_CONFIG_NOT_PENDING, 0);
	if (array % 512 || !is_shared_address(m, array))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (!count || count > MAX_TDMRS)
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (dynamic_pamt)
		hkid &= ~DYNAMIC_PAMT;
	if (!is_tdx_keyid(m, hkid))
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	if (!read_shared(m, array, pa, count * sizeof(pa[0])))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);

	/* From here on, what another module handed over no longer counts. */
	if (m->handoff_valid)
		system_forget(m);
	/* The KeyID is taken even if the rest fails. */
	*keyid_state(m, hkid) = HKID_ASSIGNED;
	m->dynamic_pamt = dynamic_pamt;
	if (dynamic_pamt && m->platform.keyid_shift > MAX_DYNAMIC_PAMT_KEYID_SHIFT)
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	for (i = 0; i < count; i++) {
		err = tdmr_read(m, pa[i], i);
		if (err)
			return err;
	}
	m->num_tdmrs = count;
	m->global_keyid = hkid;
	m->sys_state = SYS_CONFIGURED;
	return 0;
}

/* There is one package: the first call configures the key. */
u64 tdh_sys_key_config(struct call *c)
{
	struct tdx_module *m = c->m;

	if (m->sys_state != SYS_CONFIGURED)
		return status(TDX_SYS_KEY_CONFIG_NOT_PENDING, 0);
	m->sys_state = SYS_READY;
	return 0;
}

/* A call initialises this much; only whole units of it can be used. */
#define TDMR_INIT_STEP	(4ull << 20)

u64 tdh_sys_tdmr_init(struct call *c)
{
	struct tdx_module *m = c->m;
	struct tdmr *t = NULL;
	unsigned int i;

	c->gpr[TDX_RDX] = 0;
	for (i = 0; i < m->num_tdmrs; i++)
		if (m->tdmrs[i].base == c->gpr[TDX_RCX])
			t = &m->tdmrs[i];
	if (!t)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (t->next == t->base + t->size)
		return status(TDX_TDMR_ALREADY_INITIALIZED, 0);

	if (!t->pages)
		tdmr_allocate(t);
	t->next += TDMR_INIT_STEP;
	c->gpr[TDX_RDX] = t->next / TDMR_UNIT * TDMR_UNIT;
	return 0;
}

u64 tdh_sys_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;

	c->gpr[TDX_RDX] = NO_FIELD;
	c->gpr[TDX_R8] = 0;
	if (!c->m->lp_ready[c->lp])
		return status(TDX_SYS_LP_INIT_NOT_DONE, 0);
	if (id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = sys_next(c->m, id, HOST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = sys_read(c->m, id, HOST, &c->gpr[TDX_R8]);
	if (!err)
		c->gpr[TDX_RDX] = sys_next(c->m, id, HOST);
	return err;
}

/* RCX: the version of the data for the next module. */
u64 tdh_sys_shutdown(struct call *c)
{
	struct tdx_module *m = c->m;

	if (c->gpr[TDX_RCX] != HANDOFF_VERSION)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (system_runs_td(m))
		return status(TDX_SYS_BUSY, 0);
	m->handoff_valid = true;
	m->handoff_version = c->gpr[TDX_RCX];
	m->sys_state = SYS_SHUT_DOWN;
	return 0;
}

/* Takes over what the module before this one has left. */
u64 tdh_sys_update(struct call *c)
{
	struct tdx_module *m = c->m;

	if (!lps_are_ready(m))
		return status(TDX_SYS_STATE_INCORRECT, 0);
	if (!m->handoff_valid)
		return status(TDX_SYS_INVALID_HANDOFF, 0);
	m->handoff_valid = false;
	m->sys_state = SYS_READY;
	return 0;
}

/*
 * Once it has begun no other call is possible, until the module is initialised
 * anew.  What TDs had is free.
 */
u64 tdh_sys_disable(struct call *c)
{
	struct tdx_module *m = c->m;

	m->sys_state = SYS_DISABLING;
	if (system_runs_td(m))
		return status(TDX_SYS_BUSY, 0);
	if (c->interrupted)
		return status(TDX_INTERRUPTED_RESUMABLE, 0);
	system_forget(m);
	system_restart(m);
	return 0;
}
