// SPDX-License-Identifier: GPL-2.0
/* The CPU as a TD sees it: CPUID, instructions, control registers; see virt.h. */
#include <string.h>

#include "virt.h"

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

struct world *running_on(const char *release, enum setting s, uint64_t attributes,
			 uint64_t xfam, bool all_features)
{
	struct world *w = world_new(release);

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

struct world *running(enum setting s, uint64_t attributes, uint64_t xfam,
		      bool all_features)
{
	return running_on(s == R15 ? "1.5.06" : "2.0.08", s, attributes, xfam,
			  all_features);
}

void end(struct world *w)
{
	leave(w, 1);
	world_free(w);
}

struct cpuid_row {
	uint32_t leaf, subleaf;
	enum tdx_outcome want[NUM_SETTINGS];
};

static const struct cpuid_row leaves[] = {
	{ 0, 0, { D, D, D, D } }, { 1, 0, { D, D, D, D } },
	{ 2, 0, { E, E, D, D } }, { 3, 0, { D, D, D, D } },
	{ 4, 0, { D, D, D, D } }, { 4, 4, { D, D, D, D } },
	{ 4, 5, { E, E, D, D } },
	{ 5, 0, { D, D, D, D } }, { 6, 0, { E, E, D, D } },
	{ 7, 0, { D, D, D, D } }, { 7, 3, { E, E, D, D } },
	{ 9, 0, { E, E, D, E } }, { 0xa, 0, { D, D, D, D } },
	{ 0xb, 0, { E, E, D, D } }, { 0xb, 7, { E, E, D, D } },
	{ 0xc, 0, { E, E, D, D } }, { 0xd, 0, { D, D, D, D } },
	{ 0xf, 0, { E, E, D, E } }, { 0x10, 0, { E, E, D, E } },
	{ 0x12, 0, { D, D, D, D } }, { 0x15, 0, { D, D, D, D } },
	{ 0x16, 0, { E, E, D, D } }, { 0x17, 0, { E, E, D, D } },
	{ 0x18, 0, { E, D, D, D } }, { 0x18, 9, { E, E, D, D } },
	{ 0x19, 0, { D, D, D, D } },
	{ 0x1b, 0, { E, E, D, E } }, { 0x1f, 0, { E, E, D, D } },
	{ 0x1f, 9, { E, E, D, D } }, { 0x1e, 9, { D, D, D, D } },
	{ 0x21, 0, { D, D, D, D } },
	/* past the last leaf */
	{ 0x24, 0, { D, D, D, D } }, { 0x3fffffff, 0, { D, D, D, D } },
	{ 0x80000009, 0, { D, D, D, D } }, { 0x24, 4, { E, E, D, D } },
	/* the hypervisor's leaves */
	{ 0x40000000, 0, { E, E, E, E } }, { 0x4fffffff, 0, { E, E, E, E } },
	{ 0x50000000, 0, { D, D, D, D } },
	{ 0x80000000, 0, { D, D, D, D } }, { 0x80000002, 0, { E, E, D, D } },
	{ 0x80000005, 0, { E, E, D, D } }, { 0x80000006, 0, { E, D, D, D } },
	{ 0x80000008, 0, { D, D, D, D } },
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
	g_assert_cmphex(cpuid(w, 0x80000002, 1), ==, 0x58204454);
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
	/* Index 0 of CPUID_CONTROL is leaf 1, index 10 leaf 0. */
	check_status(tdcall(w, TDG_VP_WR, .rdx = 0xa12000000000000a, .r8 = 1,
			    .r9 = 3), 0);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &kernel, 0, 0, out), ==, TDX_VE);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &user, 0, 0, out), ==, TDX_DONE);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &kernel, 1, 0, out), ==, TDX_DONE);
	end(w);
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
		{ 0, 0x80000031, TDX_NATIVE }, { 0, 0x30, TDX_VE },
		{ 0, 0x80000030, TDX_GP }, { 0, 0x80000010, TDX_GP },
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
	g_test_add_func("/virt/CPUID leaves go by rule and state", cpuid_outcomes);
	g_test_add_func("/virt/CPUID hides features nobody asked for", cpuid_features);
	g_test_add_func("/virt/CPUID hides features without their state", cpuid_gates);
	g_test_add_func("/virt/CPUID has fixed and calculated values", cpuid_values);
	g_test_add_func("/virt/CPUID raises #VE where the guest wants it", cpuid_control);
	g_test_add_func("/virt/instructions are intercepted", instructions);
	g_test_add_func("/virt/control registers are restricted", control_registers);
	g_test_add_func("/virt/XSETBV is restricted to XFAM", xsetbv);
	g_test_add_func("/virt/TD_CTLS has what the release allows", td_ctls);
}
