// SPDX-License-Identifier: GPL-2.0
/* The MSRs of a TD; see virt.h. */
#include "virt.h"

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
	{ 0x473, { E, E, G, E }, { E, E, G, E } },
	{ 0x474, { E, E, G, G }, { E, E, G, G } },
	{ 0x47f, { E, E, G, G }, { E, E, G, G } },
	{ 0x480, { N, N, N, N }, { G, G, G, G } },
	{ 0x481, { E, E, G, G }, { G, G, G, G } },
	{ 0x560, { G, G, G, G }, { G, G, G, G } },
	{ 0x562, { E, E, G, G }, { E, E, G, G } },
	{ 0x572, { G, G, G, G }, { G, G, G, G } },
	{ 0x573, { E, E, G, G }, { E, E, G, G } },
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
	{ 0x1902, { E, E, G, G }, { E, E, G, G } },
	{ 0x1920, { E, E, G, G }, { E, E, G, G } },
	{ 0xc0000080, { N, N, N, N }, { E, E, E, E } },
	{ 0xc0000081, { N, N, N, N }, { N, N, N, N } },
	{ 0xc0000083, { E, E, E, E }, { E, E, E, E } },
	{ 0xc0000103, { N, N, N, N }, { N, N, N, N } },
};

/* What 2.0.08 has in its table and 1.5.28 has not, */
static const uint32_t only_in_2_0_08[][2] = {
	{ 0x3f4, 0x3f5 }, { 0x550, 0x550 }, { 0x1900, 0x191f }, { 0x1980, 0x199b },
};

static bool is_only_in_2_0_08(uint32_t msr)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(only_in_2_0_08); i++)
		if (msr >= only_in_2_0_08[i][0] && msr <= only_in_2_0_08[i][1])
			return true;
	return false;
}

static void late_releases(void)
{
	struct world *early, *late;
	enum tdx_outcome unknown;
	enum setting s;
	uint64_t value;
	uint32_t msr;

	for (s = R20; s < NUM_SETTINGS; s++) {
		unknown = s == R20 ? TDX_VE : TDX_GP;
		early = running_on("1.5.28", s, TD_ATTR_PERFMON, 3, true);
		late = running_on("2.0.08", s, TD_ATTR_PERFMON, 3, true);
		for (msr = 0; msr < 0x2000; msr++) {
			bool only = is_only_in_2_0_08(msr);

			if (tdx_rdmsr(early->vcpu, msr, &value) !=
			    (only ? unknown : tdx_rdmsr(late->vcpu, msr, &value)))
				g_test_fail_printf("RDMSR 0x%x, setting %u", msr, s);
			if (tdx_wrmsr(early->vcpu, msr, 0) !=
			    (only ? unknown : tdx_wrmsr(late->vcpu, msr, 0)))
				g_test_fail_printf("WRMSR 0x%x, setting %u", msr, s);
		}
		end(early);
		end(late);
	}
}

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
	/* CTR, CFG_A, CFG_B and CFG_C of general counters, then of fixed ones. */
	static const struct { uint32_t msr; enum tdx_outcome want; } counters[] = {
		{ 0x1900, N }, { 0x1901, N }, { 0x1902, E }, { 0x1903, G },
		{ 0x191f, G }, { 0x1920, E }, { 0x197f, E },
		{ 0x1980, N }, { 0x1981, E }, { 0x1982, E }, { 0x1983, G },
		{ 0x199b, G }, { 0x199c, E },
	};
	struct world *w = running(R20, TD_ATTR_PERFMON | TD_ATTR_PKS, 0x69be7,
				  true);
	uint64_t value;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(guarded); i++)
		g_assert_cmpint(tdx_rdmsr(w->vcpu, guarded[i], &value), ==,
				TDX_NATIVE);
	for (i = 0; i < G_N_ELEMENTS(counters); i++)
		if (tdx_rdmsr(w->vcpu, counters[i].msr, &value) !=
			    counters[i].want ||
		    tdx_wrmsr(w->vcpu, counters[i].msr, 0) != counters[i].want)
			g_test_fail_printf("MSR 0x%x", counters[i].msr);
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
		/* Reserved bits, then TR without BTS, then missing features. */
		{ 0x1d9, 1 << 16 | 1 << 6, G }, { 0x1d9, 1 << 14 | 1 << 6, E },
		{ 0x1d9, 1 << 14 | 3 << 6, G },
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
	end(w);
}

/* The CPU's value is 0x851889 here; bit 7 depends on PERFMON. */
#define MSR_MISC_ENABLE	0x1a0
#define PERFMON_AVAIL	(1ull << 7)
#define PEBS_UNAVAIL	(1ull << 12)
#define EST		(1ull << 16)
#define MONITOR		(1ull << 18)
#define LIMIT_CPUID	(1ull << 22)
#define XTPR		(1ull << 23)

static void misc_enable(void)
{
	static const struct {
		enum setting s;
		uint64_t attributes;
		bool all_features;
		uint64_t want;
	} reads[] = {
		{ R15, 0, false, (0x851889 & ~PERFMON_AVAIL) | PEBS_UNAVAIL },
		{ R20, 0, false, 0x1801 }, { R20, 0, true, 0x1801 | EST | MONITOR },
		{ R20, TD_ATTR_PERFMON, false, 0x801 | PERFMON_AVAIL },
	};
	static const struct {
		uint64_t flip;
		enum tdx_outcome want;
	} writes[] = {
		{ 0, D }, { 1 << 1, G }, { EST, D }, { MONITOR, E },
		{ LIMIT_CPUID, E }, { XTPR | LIMIT_CPUID, E }, { XTPR, D },
		{ PERFMON_AVAIL | PEBS_UNAVAIL | 1 << 11, D }, { 1 << 3, D },
		{ 1, D },
	};
	uint64_t value, first;
	struct world *w;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(reads); i++) {
		w = running(reads[i].s, reads[i].attributes, 3,
			    reads[i].all_features);
		g_assert_cmpint(tdx_rdmsr(w->vcpu, MSR_MISC_ENABLE, &value), ==,
				TDX_DONE);
		g_assert_cmphex(value, ==, reads[i].want);
		end(w);
	}
	w = running(R15, TD_ATTR_PERFMON, 3, false);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, MSR_MISC_ENABLE, &value), ==, TDX_NATIVE);
	end(w);

	w = running(PARAVIRT, 0, 3, true);
	tdx_rdmsr(w->vcpu, MSR_MISC_ENABLE, &first);
	for (i = 0; i < G_N_ELEMENTS(writes); i++)
		if (tdx_wrmsr(w->vcpu, MSR_MISC_ENABLE, first ^ writes[i].flip) !=
		    writes[i].want)
			g_test_fail_printf("row %u", i);
	/* Bits that tell what the CPU has stay, others are kept. */
	tdx_rdmsr(w->vcpu, MSR_MISC_ENABLE, &value);
	g_assert_cmphex(value, ==, first ^ 1);
	tdx_wrmsr(w->vcpu, MSR_MISC_ENABLE, first ^ (PEBS_UNAVAIL | 1 << 3));
	tdx_rdmsr(w->vcpu, MSR_MISC_ENABLE, &value);
	g_assert_cmphex(value, ==, first ^ 1 << 3);
	end(w);
	w = running(REDUCED, 0, 3, false);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, MSR_MISC_ENABLE, 0x1801 | EST), ==, TDX_GP);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, MSR_MISC_ENABLE, 0x1801 | XTPR), ==, TDX_GP);
	end(w);
}

/* ARCH_CAPABILITIES: what each TD has, and what the host has to ask for. */
static void arch_capabilities(void)
{
	const uint64_t fixed = 0x20f16b, choice = 1 << 4 | 1 << 20 | 1 << 24;
	const uint64_t rrsba = 1 << 19, tsx_ctrl = 1 << 7;
	const struct { uint64_t cpu, asked, want; } rows[] = {
		{ ~0ull, 0, rrsba }, { ~0ull, choice, choice | rrsba },
		{ ~0ull, 1 << 20, 1 << 20 | rrsba },
		{ 0, choice, 0 }, { 0, rrsba, rrsba },
	};
	uint64_t value;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world_new_cpu("2.0.08", rows[i].cpu);

		world_to(w, TDCS_DONE);
		w->params.msr_config_ctls = 1;
		w->params.arch_capabilities = rows[i].asked;
		world_through(w, INITIALIZED, ENTERED);
		g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x10a, &value), ==, TDX_DONE);
		g_assert_cmphex(value & ~tsx_ctrl, ==, fixed | rows[i].want);
		end(w);
	}
}

void add_msr_tests(void)
{
	g_test_add_func("/msr/MSR accesses go by rule and state", msr_outcomes);
	g_test_add_func("/msr/1.5.28 does not know architectural PEBS, SE_SVN and PMC_*",
			late_releases);
	g_test_add_func("/msr/MSRs of missing features raise #GP", msr_without_features);
	g_test_add_func("/msr/MSRs of XFAM and ATTRIBUTES are native", msr_with_state);
	g_test_add_func("/msr/MSR values are checked", msr_values);
	g_test_add_func("/msr/MISC_ENABLE is the CPU's or the vCPU's", misc_enable);
	g_test_add_func("/msr/ARCH_CAPABILITIES has what was asked for", arch_capabilities);
}
