// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU as a TD sees it: MSRs, CPUID, instructions, control registers.
 *
 * Each row has four results: release 1.5, release 2.0, release 2.0 with REDUCE_VE,
 * and with REDUCE_VE and all features of FEATURE_PARAVIRT_CTRL.
 */
#include <string.h>

#include "tests.h"

enum setting { R15, R20, REDUCED, PARAVIRT, NUM_SETTINGS };

#define TD_CTLS		0x1110000300000017
#define PARAVIRT_CTRL	0x9110000300000022
#define CONFIG_VALUES	0x9900000300000500
#define NUM_CONFIGS	0x9900000100000004
#define CONFIG_LEAVES	0x9900000300000400

static uint64_t sys_rd(struct world *w, uint64_t id)
{
	check_status(seamcall(w, SYS_RD, .rdx = id), 0);
	return w->regs[TDX_R8];
}

/* Configures all features that leaf 1 and leaf 7 offer. */
static void ask_for_all(struct world *w)
{
	unsigned int slot, n = sys_rd(w, NUM_CONFIGS);

	for (slot = 0; slot < n; slot++) {
		uint32_t leaf = sys_rd(w, CONFIG_LEAVES + slot);
		uint64_t cd = sys_rd(w, CONFIG_VALUES + 2 * slot + 1);

		if (leaf != 1 && leaf != 7)
			continue;
		if (leaf == 7)
			w->params.cpuid[slot][1] =
				sys_rd(w, CONFIG_VALUES + 2 * slot) >> 32;
		w->params.cpuid[slot][2] = cd;
		w->params.cpuid[slot][3] = cd >> 32;
	}
}

static void set(struct world *w, uint64_t field, uint64_t value)
{
	check_status(tdcall(w, TDG_VM_WR, .rdx = field, .r8 = value,
			    .r9 = value), 0);
}

static struct world *running(enum setting s, uint64_t attributes, uint64_t xfam,
			     bool all_features)
{
	struct world *w = world_new(s == R15 ? "tdx-1.5" : "tdx-2.0");

	world_to(w, TDCS_DONE);
	w->params.attributes = attributes;
	w->params.xfam = xfam;
	if (all_features)
		ask_for_all(w);
	world_through(w, INITIALIZED, ENTERED);
	if (s >= REDUCED)
		set(w, TD_CTLS, TD_CTLS_REDUCE_VE);
	if (s == PARAVIRT)
		set(w, PARAVIRT_CTRL, 0xfff);
	return w;
}

static void end(struct world *w)
{
	leave(w, 1);
	world_free(w);
}

/* Outcomes: done, native, #VE, #GP. */
#define D	TDX_DONE
#define N	TDX_NATIVE
#define E	TDX_VE
#define G	TDX_GP

struct msr_row {
	uint32_t msr;
	enum tdx_outcome read[NUM_SETTINGS], write[NUM_SETTINGS];
};

/* A TD with all features of CPUID, and none in XFAM and ATTRIBUTES. */
static const struct msr_row msrs[] = {
	/* not in the bitmap, and not in the table */
	{ 0x2000, { E, E, E, E }, { E, E, E, E } },
	{ 0x40000000, { E, E, E, E }, { E, E, E, E } },
	{ 0xc0002000, { E, E, E, E }, { E, E, E, E } },
	{ 0x5, { E, E, G, G }, { E, E, G, G } },
	{ 0xc0000085, { E, E, G, G }, { E, E, G, G } },
	/* each rule, and the MSRs that guests use */
	{ 0x0, { E, E, E, E }, { E, E, E, E } },
	{ 0x10, { N, N, N, N }, { E, E, E, E } },
	{ 0x17, { E, E, E, E }, { E, E, G, G } },
	{ 0x1b, { E, E, E, E }, { E, E, E, E } },
	{ 0x33, { E, E, G, E }, { E, E, G, E } },
	{ 0x34, { E, E, D, D }, { E, E, D, D } },
	{ 0x3a, { E, E, D, D }, { E, E, G, G } },
	{ 0x3b, { E, E, G, G }, { E, E, G, G } },
	{ 0x48, { N, N, N, N }, { N, N, N, N } },
	{ 0x4e, { E, E, D, D }, { E, E, G, G } },
	{ 0x79, { E, E, G, G }, { E, E, D, D } },
	{ 0x87, { E, E, G, E }, { E, E, G, E } },
	{ 0x8b, { E, E, D, D }, { E, E, D, D } },
	{ 0x8c, { G, G, G, G }, { G, G, G, G } },
	{ 0xbc, { N, N, N, N }, { E, E, E, E } },
	{ 0xbd, { D, D, D, D }, { G, G, G, G } },
	{ 0xc1, { G, G, G, G }, { G, G, G, G } },
	{ 0xce, { E, E, D, D }, { E, E, G, G } },
	{ 0xcf, { E, E, G, E }, { E, G, G, G } },
	{ 0xe1, { N, N, N, N }, { N, N, N, N } },
	{ 0xfe, { E, E, G, E }, { E, G, G, G } },
	{ 0x10a, { D, D, D, D }, { G, G, G, G } },
	{ 0x122, { N, N, N, N }, { N, N, N, N } },
	{ 0x140, { E, E, D, D }, { E, E, D, D } },
	{ 0x174, { N, N, N, N }, { N, N, N, N } },
	{ 0x179, { E, E, G, E }, { E, G, G, G } },
	{ 0x17a, { E, E, G, E }, { E, E, G, E } },
	{ 0x198, { E, E, G, E }, { E, E, G, E } },
	{ 0x19a, { E, E, G, E }, { E, E, G, E } },
	{ 0x19d, { E, E, G, E }, { E, E, G, E } },
	{ 0x1a0, { D, D, D, D }, { E, E, E, E } },
	{ 0x1c4, { G, G, G, G }, { G, G, G, G } },
	{ 0x1d9, { D, D, D, D }, { D, D, D, D } },
	{ 0x1f8, { E, E, G, E }, { E, E, G, E } },
	{ 0x200, { E, E, G, E }, { E, E, G, E } },
	{ 0x277, { N, N, N, N }, { N, N, N, N } },
	{ 0x280, { E, E, G, E }, { E, E, G, E } },
	{ 0x345, { D, D, D, D }, { G, G, G, G } },
	{ 0x3f4, { E, G, G, G }, { E, G, G, G } },
	{ 0x400, { E, E, G, E }, { E, E, G, E } },
	{ 0x480, { N, N, N, N }, { G, G, G, G } },
	{ 0x481, { E, E, G, G }, { G, G, G, G } },
	{ 0x560, { G, G, G, G }, { G, G, G, G } },
	{ 0x600, { N, N, N, N }, { N, N, N, N } },
	{ 0x6a0, { G, G, G, G }, { G, G, G, G } },
	{ 0x6e0, { E, E, G, E }, { E, E, G, E } },
	{ 0x6e1, { G, G, G, G }, { G, G, G, G } },
	{ 0x770, { E, E, G, G }, { E, E, G, G } },
	{ 0x800, { G, G, G, G }, { G, G, G, G } },
	{ 0x802, { E, E, D, D }, { G, G, G, G } },
	{ 0x803, { E, E, E, E }, { E, G, G, G } },
	{ 0x808, { N, N, N, N }, { N, N, N, N } },
	{ 0x80b, { N, N, N, N }, { N, N, N, N } },
	{ 0x80d, { E, E, E, E }, { E, G, G, G } },
	{ 0x80f, { E, E, E, E }, { E, E, E, E } },
	{ 0x830, { E, E, E, E }, { E, E, E, E } },
	{ 0x839, { E, E, E, E }, { E, G, G, G } },
	{ 0x83f, { N, N, N, N }, { N, N, N, N } },
	{ 0x8ff, { G, G, G, G }, { G, G, G, G } },
	{ 0x981, { E, E, G, E }, { E, E, G, E } },
	{ 0x985, { G, G, G, G }, { G, G, G, G } },
	{ 0xc80, { N, G, G, G }, { E, E, G, G } },
	{ 0xc8d, { E, E, G, E }, { E, E, G, E } },
	{ 0xc90, { E, E, G, E }, { E, E, G, E } },
	{ 0xd90, { G, G, G, G }, { G, G, G, G } },
	{ 0xda0, { N, N, N, N }, { N, N, N, N } },
	{ 0x1200, { G, G, G, G }, { G, G, G, G } },
	{ 0x1900, { E, G, G, G }, { E, G, G, G } },
	{ 0xc0000080, { N, N, N, N }, { E, E, E, E } },
	{ 0xc0000081, { N, N, N, N }, { N, N, N, N } },
	{ 0xc0000083, { E, E, E, E }, { E, E, E, E } },
	{ 0xc0000103, { N, N, N, N }, { N, N, N, N } },
};

static void msr_setting(enum setting s)
{
	struct world *w = running(s, 0, 3, true);
	unsigned int i;
	uint64_t value;

	for (i = 0; i < G_N_ELEMENTS(msrs); i++) {
		const struct msr_row *r = &msrs[i];

		if (tdx_rdmsr(w->vcpu, r->msr, &value) != r->read[s])
			g_test_fail_printf("RDMSR 0x%x, setting %u: %d", r->msr,
				s, tdx_rdmsr(w->vcpu, r->msr, &value));
		if (tdx_wrmsr(w->vcpu, r->msr, 0) != r->write[s])
			g_test_fail_printf("WRMSR 0x%x, setting %u: %d", r->msr,
				s, tdx_wrmsr(w->vcpu, r->msr, 0));
	}
	end(w);
}

static void msr_outcomes(void)
{
	for (enum setting s = R15; s < NUM_SETTINGS; s++)
		msr_setting(s);
}

/* Without the feature in CPUID, #GP instead of #VE. */
static void msr_without_features(void)
{
	static const uint32_t by_feature[] = { 0x87, 0x1f8, 0x6e0, 0x981, 0xe1 };
	struct world *w = running(R15, 0, 3, false);
	uint64_t value;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(by_feature); i++)
		g_assert_cmpint(tdx_rdmsr(w->vcpu, by_feature[i], &value), ==,
				TDX_GP);
	end(w);
}

/* With all of XFAM and ATTRIBUTES, the MSRs that depend on them are native. */
static void msr_with_state(void)
{
	static const uint32_t guarded[] = {
		0xc1, 0x186, 0x1a6, 0x1c4, 0x309, 0x345, 0x38f, 0x560, 0x6a0,
		0x6e1, 0x1200,
	};
	struct world *w = running(R20, TD_ATTR_PERFMON | TD_ATTR_PKS, 0x69be7,
				  true);
	uint64_t value;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(guarded); i++)
		g_assert_cmpint(tdx_rdmsr(w->vcpu, guarded[i], &value), ==,
				TDX_NATIVE);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x1902, &value), ==, TDX_NATIVE);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x1903, &value), ==, TDX_GP);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0xda0, 0x9900), ==, TDX_NATIVE);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0xda0, 0x4000), ==, TDX_GP);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0xda0, 1), ==, TDX_GP);
	end(w);
}

static void msr_values(void)
{
	static const struct { uint32_t msr; uint64_t value; } reads[] = {
		{ 0x3a, 1 }, { 0x4e, 1 }, { 0x8b, 0xffffffff }, { 0xbd, 1 },
		{ 0xce, 0 }, { 0x140, 0 }, { 0x802, 7 }, { 0x345, 0 },
	};
	static const struct {
		uint32_t msr;
		uint64_t value;
		enum tdx_outcome want;
	} writes[] = {
		{ 0x140, 1, G }, { 0x1d9, 1ull << 16, G }, { 0x1d9, 1 << 6, E },
		{ 0x1d9, 3 << 6, D }, { 0x1d9, 1 << 14, G }, { 0x1d9, 1, D },
		{ 0x1a0, 2, G },
		{ 0xc0000080, 0x900, N }, { 0xc0000080, 0xd01, N },
		{ 0xc0000080, 0x800, E }, { 0xc0000080, 0x100, E },
		{ 0xc0000080, 0x1901, E },
	};
	struct world *w = running(REDUCED, 0, 3, true);
	uint64_t value;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(reads); i++) {
		g_assert_cmpint(tdx_rdmsr(w->vcpu, reads[i].msr, &value), ==,
				TDX_DONE);
		g_assert_cmphex(value, ==, reads[i].value);
	}
	for (i = 0; i < G_N_ELEMENTS(writes); i++)
		if (tdx_wrmsr(w->vcpu, writes[i].msr, writes[i].value) !=
		    writes[i].want)
			g_test_fail_printf("WRMSR 0x%x of row %u", writes[i].msr,
					   i);
	/* Reads return what was written. */
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x34, 55), ==, TDX_DONE);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x34, &value), ==, TDX_DONE);
	g_assert_cmphex(value, ==, 55);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x1d9, 0x2001), ==, TDX_DONE);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x1d9, &value), ==, TDX_DONE);
	g_assert_cmphex(value, ==, 1);
	/* MISC_ENABLE: the current value can be written, MONITOR can't change. */
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x1a0, &value), ==, TDX_DONE);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x1a0, value), ==, TDX_DONE);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x1a0, value ^ 1 << 18), ==, TDX_VE);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x1a0, value | 1 << 16), ==, TDX_GP);
	end(w);
}

struct cpuid_row {
	uint32_t leaf, subleaf;
	enum tdx_outcome want[NUM_SETTINGS];
};

static const struct cpuid_row leaves[] = {
	{ 0, 0, { D, D, D, D } }, { 1, 0, { D, D, D, D } },
	{ 2, 0, { E, E, D, D } }, { 3, 0, { D, D, D, D } },
	{ 4, 0, { D, D, D, D } }, { 4, 9, { D, D, D, D } },
	{ 5, 0, { D, D, D, D } }, { 6, 0, { E, E, D, D } },
	{ 7, 0, { D, D, D, D } }, { 7, 3, { E, E, D, D } },
	{ 9, 0, { E, E, D, E } }, { 0xa, 0, { D, D, D, D } },
	{ 0xb, 0, { E, E, D, D } }, { 0xb, 7, { E, E, D, D } },
	{ 0xc, 0, { E, E, D, D } }, { 0xd, 0, { D, D, D, D } },
	{ 0xf, 0, { E, E, D, E } }, { 0x10, 0, { E, E, D, E } },
	{ 0x12, 0, { D, D, D, D } }, { 0x15, 0, { D, D, D, D } },
	{ 0x16, 0, { E, E, D, D } }, { 0x17, 0, { E, E, D, D } },
	{ 0x18, 0, { E, D, D, D } }, { 0x19, 0, { E, D, D, D } },
	{ 0x1b, 0, { E, E, D, E } }, { 0x1f, 0, { E, E, D, D } },
	{ 0x1f, 9, { E, E, D, D } }, { 0x21, 0, { D, D, D, D } },
	/* past the last leaf */
	{ 0x24, 0, { E, D, D, D } }, { 0x3fffffff, 0, { E, D, D, D } },
	{ 0x80000009, 0, { E, D, D, D } },
	/* the hypervisor's leaves */
	{ 0x40000000, 0, { E, E, E, E } }, { 0x4fffffff, 0, { E, E, E, E } },
	{ 0x50000000, 0, { E, D, D, D } },
	{ 0x80000000, 0, { D, D, D, D } }, { 0x80000002, 0, { E, E, D, D } },
	{ 0x80000005, 0, { E, E, D, D } }, { 0x80000008, 0, { D, D, D, D } },
};

static void cpuid_outcomes(void)
{
	struct tdx_cpuid_env env = { 0 };
	uint32_t out[4];
	unsigned int i;

	for (enum setting s = R15; s < NUM_SETTINGS; s++) {
		struct world *w = running(s, 0, 3, true);

		for (i = 0; i < G_N_ELEMENTS(leaves); i++)
			if (tdx_cpuid(w->vcpu, &env, leaves[i].leaf,
				      leaves[i].subleaf, out) !=
			    leaves[i].want[s])
				g_test_fail_printf("CPUID 0x%x.%u, setting %u",
						   leaves[i].leaf,
						   leaves[i].subleaf, s);
		end(w);
	}
}

static uint32_t cpuid(struct world *w, uint32_t leaf, unsigned int reg)
{
	struct tdx_cpuid_env env = {
		.cr4 = 1 << 18, .xcr0 = 7, .long_mode = true,
	};
	uint32_t out[4] = { 0 };

	g_assert_cmpint(tdx_cpuid(w->vcpu, &env, leaf, 0, out), ==, TDX_DONE);
	return out[reg];
}

/* With REDUCE_VE, a guest sees paravirtualised features if it asked for them. */
static void cpuid_features(void)
{
	static const struct { uint32_t leaf, reg, bits; } shown[] = {
		{ 1, 2, 0x01040180 }, { 1, 3, 0x00405080 },
		{ 7, 1, 0x00009000 }, { 7, 2, 0x00002000 },
		{ 7, 3, 0x40040000 },
	};
	unsigned int i;

	for (enum setting s = R20; s < NUM_SETTINGS; s++) {
		struct world *w = running(s, 0, 3, true);

		for (i = 0; i < G_N_ELEMENTS(shown); i++)
			g_assert_cmphex(cpuid(w, shown[i].leaf, shown[i].reg) &
					shown[i].bits, ==,
					s == REDUCED ? 0 : shown[i].bits);
		end(w);
	}
}

/* Features that need a bit of XFAM or ATTRIBUTES. */
static void cpuid_gates(void)
{
	static const struct {
		uint64_t attributes, xfam;
		uint32_t leaf, reg, bits;
	} rows[] = {
		{ 0, 7, 1, 2, 0x30001000 }, { 0, 0xe7, 7, 1, 0xdc230000 },
		{ 0, 0x103, 7, 1, 0x02000000 }, { 0, 7, 7, 2, 0x600 },
		{ 0, 0xe7, 7, 2, 0x5842 }, { 0, 0x203, 7, 2, 0x8 },
		{ 0, 0x1803, 7, 2, 0x80 },
		{ TD_ATTR_PKS, 3, 7, 2, 0x80000000 },
		{ 0, 0x1803, 7, 3, 0x100000 }, { 0, 0x8003, 7, 3, 0x80000 },
		{ 0, 0x60003, 7, 3, 0x03400000 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *with = running(R20, rows[i].attributes,
					     rows[i].xfam, true);

		g_assert_cmphex(cpuid(with, rows[i].leaf, rows[i].reg) &
				rows[i].bits, ==, rows[i].bits);
		end(with);
		with = running(R20, 0, 3, true);
		g_assert_cmphex(cpuid(with, rows[i].leaf, rows[i].reg) &
				rows[i].bits, ==, 0);
		end(with);
	}
}

static void cpuid_values(void)
{
	struct world *w = running(REDUCED, 0, 7, true);
	struct tdx_cpuid_env env = { .xcr0 = 7 };
	uint32_t out[4];

	g_assert_cmphex(cpuid(w, 0, 0), ==, 0x23);
	g_assert_cmphex(cpuid(w, 0, 1), ==, 0x756e6547);
	g_assert_cmphex(cpuid(w, 1, 1) >> 24, ==, 7);	/* x2APIC id */
	g_assert_cmphex(cpuid(w, 1, 2) & 0x08000000, ==, 0x08000000);
	g_assert_cmphex(cpuid(w, 2, 0), ==, 0x00feff01);
	g_assert_cmphex(cpuid(w, 6, 0), ==, 4);
	g_assert_cmphex(cpuid(w, 0xd, 0), ==, 7);
	g_assert_cmphex(cpuid(w, 0xd, 1), ==, 576 + 64 * 2 + 64);
	g_assert_cmphex(cpuid(w, 0x15, 0), ==, 1);
	g_assert_cmphex(cpuid(w, 0x15, 1), ==, 40);
	g_assert_cmphex(cpuid(w, 0x15, 2), ==, 25000000);
	g_assert_cmphex(cpuid(w, 0x21, 3), ==, 0x5844546c);
	g_assert_cmphex(cpuid(w, 0x80000000, 0), ==, 0x80000008);
	g_assert_cmphex(cpuid(w, 0x80000001, 3), ==, 0x2c100800);
	g_assert_cmphex(cpuid(w, 0x80000008, 0) >> 8 & 0xff, ==, 57);
	/* SYSCALL shows in 64-bit mode only. */
	tdx_cpuid(w->vcpu, &env, 0x80000001, 0, out);
	g_assert_cmphex(out[3], ==, 0x2c100000);
	/* A topology subleaf past the last. */
	tdx_cpuid(w->vcpu, &env, 0x1f, 0x109, out);
	g_assert_cmphex(out[2], ==, 9);
	g_assert_cmphex(out[3], ==, 7);
	end(w);
}

/* The guest can have #VE for a privilege level or a leaf. */
static void cpuid_control(void)
{
	struct world *w = running(R15, 0, 3, false);
	struct tdx_cpuid_env kernel = { 0 }, user = { .user = true };
	uint32_t out[4];

	check_status(tdcall(w, TDG_VP_CPUIDVE_SET, .rcx = 4),
		     ERR(OPERAND_INVALID, RCX));
	check_status(tdcall(w, TDG_VP_CPUIDVE_SET, .rcx = 2), 0);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &kernel, 1, 0, out), ==, TDX_DONE);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &user, 1, 0, out), ==, TDX_VE);
	check_status(tdcall(w, TDG_VP_WR, .rdx = 0xa020000000000008, .r8 = 0,
			    .r9 = 1), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, 1);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &user, 1, 0, out), ==, TDX_DONE);
	/* Index 0 of CPUID_CONTROL is leaf 0. */
	check_status(tdcall(w, TDG_VP_WR, .rdx = 0xa120000000000000, .r8 = 1,
			    .r9 = 3), 0);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &kernel, 0, 0, out), ==, TDX_VE);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &user, 0, 0, out), ==, TDX_DONE);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &kernel, 1, 0, out), ==, TDX_DONE);
	end(w);
}

/* Valid and invalid descriptions of a topology: ECX of each subleaf. */
static void cpuid_topology(void)
{
	static const struct {
		uint32_t ecx[6];
		bool ok;
	} rows[] = {
		{ { 0x100, 0x201 }, true }, { { 0x200 }, true },
		{ { 0x100, 0x201, 0x302, 0x403, 0x504 }, true },
		{ { 0x100 } }, { { 0x200, 0x101 } }, { { 0x100, 0x202 } },
		{ { 0x100, 0, 0x202 } }, { { 0x200, 0x201 } },
	};
	const uint64_t bad = STATUS(TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, 0);
	unsigned int i, j;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world_new(NULL);

		world_to(w, TDCS_DONE);
		for (j = 0; j < 6; j++) {
			w->params.cpuid[12 + j][0] = rows[i].ecx[j] ? j + 1 : 0;
			w->params.cpuid[12 + j][2] = rows[i].ecx[j];
		}
		memcpy(ram(PARAMS), &w->params, sizeof(w->params));
		check_status(seamcall(w, MNG_INIT, .rcx = TDR, .rdx = PARAMS),
			     rows[i].ok ? 0 : bad);
		g_assert_cmphex(w->regs[TDX_RCX], ==, 0);
		world_free(w);
	}
}

static void instructions(void)
{
	static const struct { uint32_t reason; enum tdx_outcome yes, no; } rows[] = {
		{ 12, TDX_VE, TDX_VE }, { 30, TDX_VE, TDX_VE },
		{ 13, TDX_VE, TDX_VE }, { 54, TDX_VE, TDX_VE },
		{ 18, TDX_VE, TDX_VE }, { 56, TDX_VE, TDX_VE },
		{ 15, TDX_NATIVE, TDX_GP }, { 36, TDX_NATIVE, TDX_UD },
		{ 39, TDX_NATIVE, TDX_UD }, { 65, TDX_VE, TDX_UD },
		{ 67, TDX_NATIVE, TDX_UD }, { 11, TDX_UD, TDX_UD },
		{ 27, TDX_UD, TDX_UD }, { 50, TDX_UD, TDX_UD },
		{ 60, TDX_UD, TDX_UD }, { 76, TDX_UD, TDX_UD },
		{ 72, TDX_GP, TDX_GP }, { 16, TDX_NATIVE, TDX_NATIVE },
		{ 57, TDX_NATIVE, TDX_NATIVE },
	};
	struct world *w = running(R15, TD_ATTR_PERFMON, 3, true);
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(tdx_instruction(w->vcpu, rows[i].reason), ==,
				rows[i].yes);
	end(w);
	w = running(R15, 0, 3, false);
	for (i = 0; i < G_N_ELEMENTS(rows); i++)
		g_assert_cmpint(tdx_instruction(w->vcpu, rows[i].reason), ==,
				rows[i].no);
	end(w);
}

static void control_registers(void)
{
	static const struct {
		unsigned int cr;
		uint64_t value;
		enum tdx_outcome want;
	} rows[] = {
		{ 0, 0x80000031, TDX_NATIVE }, { 0, 0x30, TDX_GP },
		{ 0, 0x11, TDX_GP }, { 0, 0x40000031, TDX_VE },
		{ 0, 0x20000031, TDX_VE }, { 0, 1ull << 32 | 0x31, TDX_GP },
		{ 4, 0x60, TDX_NATIVE }, { 4, 0x20, TDX_VE },
		{ 4, 0x2040, TDX_VE }, { 4, 0x4040, TDX_VE },
		{ 4, 1 << 22 | 0x40, TDX_GP }, { 4, 1 << 23 | 0x40, TDX_GP },
		{ 4, 1 << 24 | 0x40, TDX_GP }, { 4, 1 << 25 | 0x40, TDX_GP },
		{ 4, 1 << 27 | 0x40, TDX_GP }, { 4, 1 << 19 | 0x40, TDX_GP },
		{ 4, 1ull << 32 | 0x40, TDX_GP },
	};
	struct world *w = running(R15, 0, 3, false);
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++)
		if (tdx_write_cr(w->vcpu, rows[i].cr, 0, rows[i].value) !=
		    rows[i].want)
			g_test_fail_printf("CR row %u", i);
	end(w);
	w = running(R15, TD_ATTR_PKS, 0x1a07, false);
	g_assert_cmpint(tdx_write_cr(w->vcpu, 4, 0, 0x01c00040), ==, TDX_NATIVE);
	end(w);
	/* Without MCA, MCE can be cleared. */
	w = running(REDUCED, 0, 3, true);
	g_assert_cmpint(tdx_write_cr(w->vcpu, 4, 0, 0x20), ==, TDX_NATIVE);
	end(w);
}

static void xsetbv(void)
{
	static const struct {
		uint32_t index;
		uint64_t value;
		enum tdx_outcome want;
	} rows[] = {
		{ 0, 1, TDX_NATIVE }, { 0, 3, TDX_NATIVE }, { 0, 7, TDX_NATIVE },
		{ 0, 0xe7, TDX_NATIVE }, { 0, 0, TDX_GP }, { 0, 2, TDX_GP },
		{ 0, 5, TDX_GP }, { 0, 0xe3, TDX_GP }, { 0, 0x67, TDX_GP },
		{ 0, 0x207, TDX_GP }, { 0, 0x107, TDX_GP }, { 1, 1, TDX_GP },
	};
	struct world *w = running(R15, 0, 0xe7, false);
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++)
		if (tdx_xsetbv(w->vcpu, rows[i].index, rows[i].value) !=
		    rows[i].want)
			g_test_fail_printf("XSETBV row %u", i);
	end(w);
}

/* TD_CTLS: which bits can be set, and the lock. */
static void td_ctls(void)
{
	static const struct {
		enum setting s;
		uint64_t value, want;
	} rows[] = {
		{ R15, 2, 0 }, { R15, 4, 0 }, { R20, 8, 0 },
		{ R15, 8, STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
		{ R15, 1, STATUS(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0) },
	};
	struct world *w;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		w = running(rows[i].s, 0, 3, false);
		check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS,
				    .r8 = rows[i].value, .r9 = rows[i].value),
			     rows[i].want);
		end(w);
	}
	w = running(R20, 0, 3, false);
	set(w, TD_CTLS, 1ull << 63);
	check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS, .r8 = 8, .r9 = 8),
		     STATUS(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0));
	end(w);
	w = running(R15, 0, 3, false);
	check_status(tdcall(w, TDG_VM_WR, .rdx = PARAVIRT_CTRL, .r8 = 1, .r9 = 1),
		     STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0));
	end(w);
}

void add_virt_tests(void)
{
	g_test_add_func("/virt/MSR accesses go by rule and state", msr_outcomes);
	g_test_add_func("/virt/MSRs of missing features raise #GP", msr_without_features);
	g_test_add_func("/virt/MSRs of XFAM and ATTRIBUTES are native", msr_with_state);
	g_test_add_func("/virt/MSR values are checked", msr_values);
	g_test_add_func("/virt/CPUID leaves go by rule and state", cpuid_outcomes);
	g_test_add_func("/virt/CPUID hides features nobody asked for", cpuid_features);
	g_test_add_func("/virt/CPUID hides features without their state", cpuid_gates);
	g_test_add_func("/virt/CPUID has fixed and calculated values", cpuid_values);
	g_test_add_func("/virt/CPUID raises #VE where the guest wants it", cpuid_control);
	g_test_add_func("/virt/CPUID refuses an impossible topology", cpuid_topology);
	g_test_add_func("/virt/instructions are intercepted", instructions);
	g_test_add_func("/virt/control registers are restricted", control_registers);
	g_test_add_func("/virt/XSETBV is restricted to XFAM", xsetbv);
	g_test_add_func("/virt/TD_CTLS has what the release allows", td_ctls);
}
