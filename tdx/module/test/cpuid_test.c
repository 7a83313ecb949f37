// SPDX-License-Identifier: GPL-2.0
/* CPUID of a TD: what the host may configure, and what becomes of it, by release. */
#include <string.h>

#include "tests.h"

#define NUM_CPUID_CONFIG	0x9900000100000004
#define CPUID_CONFIG_LEAVES	0x9900000300000400
#define CPUID_CONFIG_VALUES	0x9900000300000500
#define TDCS_BASE_SIZE		0x9800000100000100
#define MAX_VCPUS_PER_TD	0x9900000100000008
#define CONFIG_FLAGS_FIXED0	0x9900000300000006
#define ATTRIBUTES_FIXED0	0x1900000300000000
#define TDX_FEATURES0		0x0A00000300000008
#define TD_CTLS			0x1110000300000017
#define PARAVIRT_CTRL		0x9110000300000022

#define BAD_CPUID	ERR(OPERAND_INVALID, CPUID_CONFIG)
#define BAD_TOPOLOGY	STATUS(TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, 0)

enum { EAX, EBX, ECX, EDX };

static uint64_t sys_rd(struct world *w, uint64_t id)
{
	check_status(seamcall(w, SYS_RD, .rdx = id), 0);
	return w->regs[TDX_R8];
}

static uint64_t mng_init(struct world *w)
{
	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	return seamcall(w, MNG_INIT, .rcx = TDR, .rdx = PARAMS);
}

/* A world in which TDH.MNG.INIT comes next; @native is most of the CPU's CPUID. */
static struct world *before_init(const char *release, uint32_t native)
{
	struct world *w = world_new(release);

	w->native = native;
	world_to(w, TDCS_DONE);
	return w;
}

/* ... and its TD, initialised and running. */
static void run(struct world *w)
{
	world_through(w, INITIALIZED, ENTERED);
}

static void end(struct world *w)
{
	leave(w, 1);
	world_free(w);
}

static void cpuid(struct world *w, uint32_t leaf, uint32_t subleaf,
		  uint32_t out[4])
{
	struct tdx_cpuid_env env = { .cr4 = 1 << 18, .xcr0 = 3, .long_mode = true };

	memset(out, 0, 4 * sizeof(out[0]));
	g_assert_cmpint(tdx_cpuid(w->vcpu, &env, leaf, subleaf, out), ==, TDX_DONE);
}

static uint32_t cpuid_reg(struct world *w, uint32_t leaf, uint32_t subleaf,
			  unsigned int reg)
{
	uint32_t out[4];

	cpuid(w, leaf, subleaf, out);
	return out[reg];
}

/* CPUID_VALUES of TDH.MNG.RD, without checking the status. */
static uint64_t mng_rd_cpuid(struct world *w, uint32_t leaf, uint32_t subleaf,
			     unsigned int half)
{
	uint64_t code = (uint64_t)(leaf >> 31) << 16 | (leaf & 0x7f) << 9 |
			(subleaf == (uint32_t)WHOLE_LEAF ? 0x1fe :
			 (subleaf & 0x7f) << 1) | half;

	return seamcall(w, MNG_RD, .rcx = TDR, .rdx = 0x1400000300000000 | code);
}

static uint32_t reported(struct world *w, uint32_t leaf, uint32_t subleaf,
			 unsigned int reg)
{
	check_status(mng_rd_cpuid(w, leaf, subleaf, reg / 2), 0);
	return w->regs[TDX_R8] >> 32 * (reg % 2);
}

static void wr(struct world *w, uint64_t field, uint64_t value)
{
	check_status(tdcall(w, TDG_VM_WR, .rdx = field, .r8 = value,
			    .r9 = value), 0);
}

/* Leaf 1: family, model and stepping. */

static void ask_for_family(const char *release, uint64_t attributes,
			   uint32_t eax, bool ok)
{
	struct world *w = before_init(release, ~0u);

	g_assert_cmphex((uint32_t)sys_rd(w, CPUID_CONFIG_VALUES), ==, 0x0fff3fff);
	w->params.attributes = attributes;
	slot_of(w, 1, WHOLE_LEAF)[EAX] = eax;
	check_status(mng_init(w), ok ? 0 : BAD_CPUID);
	g_assert_cmphex(w->regs[TDX_RCX], ==, ok ? 0 : WHOLE_LEAF << 32 | 1);
	if (ok)
		g_assert_cmphex(reported(w, 1, WHOLE_LEAF, EAX), ==,
				eax ? eax : FAMILY_MODEL_STEPPING);
	world_free(w);
}

static void family(void)
{
	unsigned int bit, r;

	for (r = 0; releases[r]; r++) {
		ask_for_family(releases[r], 0, 0, true);
		ask_for_family(releases[r], 0, FAMILY_MODEL_STEPPING, true);
		for (bit = 0; bit < 28; bit++)
			if (bit != 14 && bit != 15)	/* reserved */
				ask_for_family(releases[r], 0,
					       FAMILY_MODEL_STEPPING ^ 1 << bit, false);
		ask_for_family(releases[r], 0, FAMILY_MODEL_STEPPING - 1, false);
		ask_for_family(releases[r], 0, 0x0fff3fff, false);
	}
}

/* The platform is a Granite Rapids of stepping 1, which 1.5.06 does not know. */
static void family_to_migrate(void)
{
	static const struct { uint32_t eax; bool early, late; } rows[] = {
		{ 0, false, true },		/* as the platform */
		{ FAMILY_MODEL_STEPPING, false, true },
		{ FAMILY_MODEL_STEPPING - 1, true, true },
		{ FAMILY_MODEL_STEPPING + 1 }, { FAMILY_MODEL_STEPPING ^ 1 << 8 },
		{ 0xa06f3, true, true }, { 0xa06f4 },	/* Sierra Forest */
		{ 0xc06f2, true, true }, { 0xc06f3 },	/* Emerald Rapids */
		{ 0x806f8, true, true }, { 0x806f9 },	/* Sapphire Rapids */
		{ 0xd06d0 }, { 0xa06e0 }, { 0x606a6 },	/* newer, and without TDX */
	};
	unsigned int r, i;

	for (r = 0; releases[r]; r++)
		for (i = 0; i < G_N_ELEMENTS(rows); i++)
			ask_for_family(releases[r], TD_ATTR_MIGRATABLE, rows[i].eax,
				       r ? rows[i].late : rows[i].early);
}

/* The platform's own stepping, even if the release knows later ones. */
static void stepping_to_migrate(void)
{
	const struct { uint32_t eax; bool ok; } rows[] = {
		{ 0, true }, { 0x806f5, true }, { 0x806f6, true }, { 0x806f7 }, { 0xc06f2 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world_new(NULL);

		w->family = 0x000806f6;
		world_to(w, TDCS_DONE);
		w->params.attributes = TD_ATTR_MIGRATABLE;
		slot_of(w, 1, WHOLE_LEAF)[EAX] = rows[i].eax;
		check_status(mng_init(w), rows[i].ok ? 0 : BAD_CPUID);
		world_free(w);
	}
}

/* Bits that may be allowed. */

#define MAX_SLOTS	48

/* What a CPU that has everything lets the host set of each list of features. */
static void read_offers(const char *release, uint32_t offers[MAX_SLOTS][4])
{
	struct world *w = before_init(release, ~0u);
	unsigned int i, reg, n = sys_rd(w, NUM_CPUID_CONFIG);

	for (i = 0; i < n; i++) {
		uint32_t leaf = sys_rd(w, CPUID_CONFIG_LEAVES + i);

		for (reg = leaf == 1 ? ECX : EAX; reg <= EDX; reg++)
			if (leaf == 1 || leaf == 7 || leaf == 0x1c || leaf == 0x23)
				offers[i][reg] =
					sys_rd(w, CPUID_CONFIG_VALUES + 2 * i + reg / 2) >>
					32 * (reg % 2);
	}
	world_free(w);
}

static void lacking(void)
{
	unsigned int r;

	for (r = 0; releases[r]; r++) {
		uint32_t offers[MAX_SLOTS][4] = { 0 };
		struct world *w;

		read_offers(releases[r], offers);
		w = before_init(releases[r], 0);
		g_assert_cmphex(sys_rd(w, CPUID_CONFIG_VALUES + 2 * 5) >> 32, ==, 0);
		memcpy(w->params.cpuid, offers, sizeof(offers));
		g_assert_cmphex(slot_of(w, 7, 0)[EBX], ==, 0xdc2b9b18);
		g_assert_cmphex(slot_of(w, 0x23, 0)[EAX], ==, 0xf);
		check_status(mng_init(w), 0);
		g_assert_cmphex(reported(w, 7, 0, EBX) & 0xdc2b9b18, ==, 0);
		g_assert_cmphex(reported(w, 0x1c, WHOLE_LEAF, EAX), ==, 0);
		g_assert_cmphex(reported(w, 0x23, 0, EAX), ==, 0);
		world_free(w);
	}
}

/* Neither configurable nor allowed in any release. */
static const struct never {
	uint32_t leaf;
	uint64_t subleaf;
	unsigned int reg;
	uint32_t bit;
} never[] = {
	{ 1, WHOLE_LEAF, EAX, 1u << 14 }, { 1, WHOLE_LEAF, EAX, 1u << 28 },
	{ 1, WHOLE_LEAF, EBX, 1 }, { 1, WHOLE_LEAF, ECX, 1u << 5 },
	{ 1, WHOLE_LEAF, EDX, 1u << 9 }, { 4, 0, EAX, 1 << 10 },
	{ 4, 3, EDX, 1 << 3 }, { 7, 0, EAX, 1 }, { 7, 0, EBX, 1 << 2 },
	{ 7, 1, EBX, 1 }, { 7, 2, EDX, 1 }, { 0xa, WHOLE_LEAF, EAX, 1 },
	{ 0x1c, WHOLE_LEAF, EAX, 1 << 8 }, { 0x1f, 0, EDX, 1 },
	{ 0x23, 0, EAX, 1 << 4 }, { 0x80000008, WHOLE_LEAF, EAX, 1 << 8 },
	{ 0x80000008, WHOLE_LEAF, ECX, 1 },
};

static void refuse(const char *release, uint32_t native, const struct never *n)
{
	struct world *w = before_init(release, native);

	slot_of(w, n->leaf, n->subleaf)[n->reg] = n->bit;
	check_status(mng_init(w), BAD_CPUID);
	g_assert_cmphex(w->regs[TDX_RCX], ==, n->leaf | n->subleaf << 32);
	world_free(w);
}

static void refused(void)
{
	unsigned int i, r;

	for (r = 0; releases[r]; r++) {
		for (i = 0; i < G_N_ELEMENTS(never); i++) {
			refuse(releases[r], 0, &never[i]);
			refuse(releases[r], ~0u, &never[i]);
		}
	}
}

static void tsx(void)
{
	const uint64_t both = 1 << 4 | 1 << 11;
	struct world *w = before_init(NULL, ~0u);

	slot_of(w, 7, 0)[EBX] = both;
	check_status(mng_init(w), 0);
	w->platform.arch_capabilities = 0;
	world_restart(w);
	world_to(w, TDCS_DONE);
	check_status(mng_init(w), STATUS(TDX_INCORRECT_MSR_VALUE, 0x10a));
	g_assert_cmphex(w->regs[TDX_RCX], ==, 0);
	slot_of(w, 7, 0)[EBX] = 0;
	check_status(mng_init(w), 0);
	world_free(w);
}

/* Leaf 4. */

static void caches(void)
{
	static const uint32_t edx[][2] = {
		{ 0xfffffffb, 7 }, { 7, 7 }, { 7, 7 }
	};
	unsigned int r;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);
		uint32_t out[4];

		g_assert_cmphex(sys_rd(w, CPUID_CONFIG_VALUES + 3) >> 32, ==, edx[r][0]);
		g_assert_cmphex(sys_rd(w, CPUID_CONFIG_VALUES + 9) >> 32, ==, edx[r][1]);
		memcpy(slot_of(w, 4, 1), (uint32_t[]){ 0xa5498123, 0x1234f000, 77, 3 }, 16);
		run(w);
		cpuid(w, 4, 1, out);
		g_assert_cmphex(out[EAX], ==, 0xa5498123);
		g_assert_cmphex(out[EBX], ==, 0x1234ffff);
		g_assert_cmphex(out[ECX], ==, 77);
		g_assert_cmphex(out[EDX], ==, 3);
		if (w->profile.td_ctls & TD_CTLS_REDUCE_VE) {
			wr(w, TD_CTLS, TD_CTLS_REDUCE_VE);
			cpuid(w, 4, 1, out);
			g_assert_cmphex(out[EAX], ==, 0xa5498000 | 0x121);
			g_assert_cmphex(out[EBX], ==, ~0u);
			g_assert_cmphex(out[ECX], ==, ~0u);
			g_assert_cmphex(out[EDX], ==, 7);
			cpuid(w, 4, 4, out);
			g_assert_cmphex(out[EAX] | out[EBX] | out[ECX] | out[EDX], ==, 0);
		}
		end(w);
	}
}

/* Leaves that not every release knows. */

static void unreadable(void)
{
	static const uint32_t leaves[] = { 6, 0x80000006 };
	const uint64_t absent = STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	unsigned int i, r;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);
		bool old = !r;

		world_step(w, INITIALIZED);
		for (i = 0; i < G_N_ELEMENTS(leaves); i++)
			check_status(mng_rd_cpuid(w, leaves[i], WHOLE_LEAF, 0) ? 1 : 0,
				     old ? 1 : 0);
		check_status(mng_rd_cpuid(w, 0x80000002, WHOLE_LEAF, 0),
			     old ? absent : 0);
		check_status(mng_rd_cpuid(w, 0x18, 0, 0), old ? absent : 0);
		check_status(mng_rd_cpuid(w, 0x19, WHOLE_LEAF, 0), 0);
		g_assert_cmphex(w->regs[TDX_R8], ==, 0);
		check_status(mng_rd_cpuid(w, 5, WHOLE_LEAF, 0), 0);
		check_status(mng_rd_cpuid(w, 7, 3, 0), absent);
		world_free(w);
	}
}

static void past_the_end(void)
{
	unsigned int r, i;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);

		w->params.attributes = TD_ATTR_PERFMON;
		slot_of(w, 7, 1)[EAX] = 1 << 8;
		slot_of(w, 0x23, 0)[EAX] = 0xf;
		run(w);
		for (i = 0; i < 4; i++) {
			uint32_t last[4], out[4];

			cpuid(w, 0x23, i, last);
			cpuid(w, 0x24 + i, i, out);
			g_assert_cmpmem(out, 16, last, 16);
			cpuid(w, 0x8000ffff, i, out);
			g_assert_cmpmem(out, 16, last, 16);
		}
		g_assert_cmphex(cpuid_reg(w, 0x7fffffff, 0, EAX), ==, 0xf);
		end(w);
	}
}

/* 1.5.06 shows all subleaves of leaf 0x23, the others those of EAX. */
static void perfmon_subleaves(void)
{
	unsigned int r;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);

		w->params.attributes = TD_ATTR_PERFMON;
		slot_of(w, 7, 1)[EAX] = 1 << 8;
		slot_of(w, 0x23, 0)[EAX] = 1;
		run(w);
		g_assert_cmphex(cpuid_reg(w, 0x23, 0, EAX), ==, 1);
		g_assert_cmphex(cpuid_reg(w, 0x23, 1, EAX), ==, r ? 0 : ~0u);
		end(w);
	}
}

static void tiles(void)
{
	struct world *w = before_init(NULL, 0xa5a5a5a5);

	run(w);
	g_assert_cmphex(cpuid_reg(w, 0x1d, 0, EAX), ==, 0);
	g_assert_cmphex(cpuid_reg(w, 0x1e, 0, EBX), ==, 0xa5a5a5a5);
	g_assert_cmphex(cpuid_reg(w, 0x1e, 77, EBX), ==, 0xa5a5a5a5);
	end(w);
}

/* Features that the guest sees whatever the host configured. */
static void forced(void)
{
	static const struct { uint32_t leaf, subleaf, bits; } rows[] = {
		{ 1, WHOLE_LEAF, 1 << 7 | 1 << 12 | 1 << 14 }, { 7, 0, 1 << 30 },
	};
	unsigned int i, r;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);
		uint32_t native = r ? 0 : ~0u;

		run(w);
		for (i = 0; i < G_N_ELEMENTS(rows); i++) {
			uint32_t bits = rows[i].bits;

			g_assert_cmphex(reported(w, rows[i].leaf, rows[i].subleaf, EDX) &
					bits, ==, native & bits);
			g_assert_cmphex(cpuid_reg(w, rows[i].leaf, 0, EDX) & bits, ==,
					bits);
			if (!r)
				continue;
			wr(w, TD_CTLS, TD_CTLS_REDUCE_VE);
			wr(w, PARAVIRT_CTRL, 0xfff);
			g_assert_cmphex(cpuid_reg(w, rows[i].leaf, 0, EDX) & bits, ==, 0);
			check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS,
					    .r9 = TD_CTLS_REDUCE_VE), 0);
		}
		end(w);
	}
}

/* With REDUCE_VE, MCE needs MCA of FEATURE_PARAVIRT_CTRL, but not MCA in CPUID. */
static void mce(void)
{
	struct world *w = before_init("2.0.08", ~0u);

	slot_of(w, 1, WHOLE_LEAF)[EDX] = 1 << 7;
	run(w);
	wr(w, TD_CTLS, TD_CTLS_REDUCE_VE);
	g_assert_cmphex(cpuid_reg(w, 1, 0, EDX) & (1 << 7 | 1 << 14), ==, 0);
	wr(w, PARAVIRT_CTRL, 1 << 3);
	g_assert_cmphex(cpuid_reg(w, 1, 0, EDX) & (1 << 7 | 1 << 14), ==, 1 << 7);
	end(w);
}

/* Leaves 0x1f and 0xb. */

static void topology(void)
{
	static const struct {
		uint32_t ecx[6];
		bool ok;
	} rows[] = {
		{ { 0 }, true }, { { 0x100, 0x201 }, true }, { { 0x200 }, true },
		{ { 0x100, 0x201, 0x302, 0x403, 0x504 }, true },
		/* A gap is no error, and the levels start again behind it. */
		{ { 0x200, 0, 0x302 }, true }, { { 0x100, 0x201, 0, 0x203 }, true },
		{ { 0x100, 0x201, 0x502, 0, 0x304 }, true },
		/* no cores, or after the end of the levels */
		{ { 0x100 } }, { { 0x100, 0, 0x202 } }, { { 0x300 } },
		/* order, numbers, threads that are not first, types */
		{ { 0x200, 0x101 } }, { { 0x100, 0x202 } }, { { 0x200, 0x201 } },
		{ { 0x100, 0x201, 0, 0x103 } }, { { 0x100, 0x201, 0x602 } },
		{ { 0x100, 0x201, 0xff02 } },
		/* subleaf 0 has to be there */
		{ { 0, 0x101, 0x202 } }, { { 0, 0x201 } },
	};
	unsigned int i, j, r;

	for (r = 0; releases[r]; r++) {
		for (i = 0; i < G_N_ELEMENTS(rows); i++) {
			struct world *w = before_init(releases[r], ~0u);

			for (j = 0; j < 6; j++) {
				w->params.cpuid[12 + j][EAX] = rows[i].ecx[j] ? j + 1 : 0;
				w->params.cpuid[12 + j][ECX] = rows[i].ecx[j];
			}
			check_status(mng_init(w), rows[i].ok ? 0 : BAD_TOPOLOGY);
			g_assert_cmphex(w->regs[TDX_RCX], ==, 0);
			world_free(w);
		}
	}
}

static void check_level(struct world *w, uint32_t leaf, uint32_t subleaf,
			uint32_t eax, uint32_t ebx, uint32_t ecx)
{
	uint32_t out[4];

	cpuid(w, leaf, subleaf, out);
	g_assert_cmphex(out[EAX], ==, eax);
	g_assert_cmphex(out[EBX], ==, ebx);
	g_assert_cmphex(out[ECX], ==, ecx);
	g_assert_cmphex(out[EDX], ==, 7);	/* x2APIC id */
}

/* The last valid level of leaf 0x1f becomes the cores of leaf 0xb. */
static void leaf_b(void)
{
	unsigned int r;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);

		run(w);
		wr(w, TD_CTLS, TD_CTLS_ENUM_TOPOLOGY);
		check_level(w, 0x1f, 0, 1, 2, 0x100);
		check_level(w, 0x1f, 1, 4, 16, 0x201);
		check_level(w, 0x1f, 2, 0, 0, 0);
		check_level(w, 0xb, 0, 1, 2, 0x100);
		check_level(w, 0xb, 1, 4, 16, 0x201);
		check_level(w, 0xb, 2, 0, 0, r ? 2 : 0);
		end(w);

		w = before_init(releases[r], ~0u);
		memcpy(slot_of(w, 0x1f, 0), (uint32_t[]){ 2, 4, 0x200 }, 12);
		memcpy(slot_of(w, 0x1f, 2), (uint32_t[]){ 5, 32, 0x502 }, 12);
		run(w);
		wr(w, TD_CTLS, TD_CTLS_ENUM_TOPOLOGY);
		check_level(w, 0xb, 0, 5, 32, 0x200);
		check_level(w, 0xb, 1, 0, 0, r ? 1 : 0);
		check_level(w, 0xb, 2, 0, 0, r ? 2 : 0);
		end(w);
	}
}

/* Leaf 0x80000008. */
static void widths(void)
{
	static const struct {
		uint64_t flags;
		uint32_t asked, want;
		bool bad;
	} rows[] = {
		{ 0, 0, 52 }, { 0, 47, 52 },
		{ CONFIG_MAXPA_VIRT, 0, 48 }, { CONFIG_MAXPA_VIRT, 45, 45 },
		{ CONFIG_MAXPA_VIRT, 48, 48 }, { CONFIG_MAXPA_VIRT, 44, .bad = true },
		{ CONFIG_MAXPA_VIRT, 49, .bad = true },
		{ CONFIG_MAXGPA_VIRT, 0, 52 | 48 << 16 },
		{ CONFIG_MAXGPA_VIRT, 46, 52 | 48 << 16 },
		{ CONFIG_MAXGPA_VIRT | CONFIG_MAXPA_VIRT, 44, 52 | 48 << 16 },
	};
	unsigned int i, r;

	for (r = 0; releases[r]; r++) {
		for (i = 0; i < G_N_ELEMENTS(rows); i++) {
			struct world *w = before_init(releases[r], ~0u);

			if (rows[i].flags & ~w->profile.config_flags) {
				world_free(w);
				continue;
			}
			w->params.config_flags |= rows[i].flags;
			slot_of(w, 0x80000008, WHOLE_LEAF)[EAX] = rows[i].asked;
			check_status(mng_init(w), rows[i].bad ? BAD_CPUID : 0);
			g_assert_cmphex(w->regs[TDX_RCX], ==, 0);
			if (!rows[i].bad)
				g_assert_cmphex(reported(w, 0x80000008, WHOLE_LEAF, EAX),
						==, rows[i].want | 48 << 8);
			world_free(w);
		}
	}
}

/* Sizes and masks. */
static void sizes(void)
{
	static const struct { uint64_t id, want[3]; } rows[] = {
		{ TDCS_BASE_SIZE, { 6 * 4096, 6 * 4096, 9 * 4096 } },
		{ MAX_VCPUS_PER_TD, { 576, 576, 1376 } },
		{ CONFIG_FLAGS_FIXED0, { 0xf, 0x1f, 0x1f } },
		{ ATTRIBUTES_FIXED0, { 0x8000000078010001, 0x8000000078010001,
				       0xc000000078010041 } },
		{ TDX_FEATURES0, { 0x2e1f0fbf, 0x18d1226f3f0fbf, 0x10226f3f0fbf } },
		{ NUM_CPUID_CONFIG, { 18, 28, 28 } },
	};
	unsigned int i, r;

	for (r = 0; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);

		for (i = 0; i < G_N_ELEMENTS(rows); i++)
			g_assert_cmphex(sys_rd(w, rows[i].id), ==, rows[i].want[r]);
		w->params.max_vcpus = w->profile.max_vcpus + 1;
		check_status(mng_init(w), ERR(OPERAND_INVALID, MAX_VCPUS));
		w->params.max_vcpus--;
		check_status(mng_init(w), 0);
		world_free(w);
	}
}

static void lass(void)
{
	struct world *w = before_init(NULL, ~0u);

	w->params.attributes = TD_ATTR_LASS;
	check_status(mng_init(w), 0);
	world_free(w);
	w = before_init(NULL, 0);
	g_assert_cmphex(sys_rd(w, ATTRIBUTES_FIXED0), ==,
			w->profile.attributes & ~TD_ATTR_LASS);
	w->params.attributes = TD_ATTR_LASS;
	check_status(mng_init(w), ERR(OPERAND_INVALID, ATTRIBUTES));
	world_free(w);
}

static void too_few_pages(void)
{
	struct world *w = world_new("2.0.08");
	unsigned int i;

	world_to(w, KEYED);
	for (i = 0; i < 8; i++)
		check_status(seamcall(w, MNG_ADDCX, .rcx = TDCX + i * 4096, .rdx = TDR), 0);
	g_assert_cmphex(mng_init(w) >> 32, ==, TDX_TDCS_NOT_ALLOCATED);
	check_status(seamcall(w, MNG_ADDCX, .rcx = TDCX + 8 * 4096, .rdx = TDR), 0);
	check_status(mng_init(w), 0);
	world_free(w);
}

/* TD_CTLS. */

static void reduce_ve(void)
{
	const uint64_t implied = TD_CTLS_REDUCE_VE | TD_CTLS_ENUM_TOPOLOGY |
				 TD_CTLS_VIRT_CPUID2;
	unsigned int r;

	for (r = 1; releases[r]; r++) {
		struct world *w = before_init(releases[r], ~0u);

		run(w);
		wr(w, TD_CTLS, TD_CTLS_REDUCE_VE);
		check_status(tdcall(w, TDG_VM_RD, .rdx = TD_CTLS), 0);
		g_assert_cmphex(w->regs[TDX_R8], ==, implied);
		/* They can't be cleared alone, but they stay. */
		check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS,
				    .r9 = TD_CTLS_ENUM_TOPOLOGY), 0);
		check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS,
				    .r9 = TD_CTLS_REDUCE_VE), 0);
		check_status(tdcall(w, TDG_VM_RD, .rdx = TD_CTLS), 0);
		g_assert_cmphex(w->regs[TDX_R8], ==, implied & ~TD_CTLS_REDUCE_VE);
		end(w);
	}
}

static void lock(void)
{
	struct world *w = before_init("2.0.08", ~0u);
	uint64_t err;

	run(w);
	wr(w, PARAVIRT_CTRL, 1 << 3);
	wr(w, TD_CTLS, TD_CTLS_LOCK | TD_CTLS_REDUCE_VE);
	wr(w, TD_CTLS, TD_CTLS_REDUCE_VE);
	wr(w, PARAVIRT_CTRL, 1 << 3);
	err = tdcall(w, TDG_VM_WR, .rdx = PARAVIRT_CTRL, .r8 = 1, .r9 = 1);
	g_assert_cmphex(err >> 32, ==, TDX_METADATA_FIELD_VALUE_NOT_VALID);
	err = tdcall(w, TDG_VM_WR, .rdx = PARAVIRT_CTRL, .r9 = 1 << 3);
	g_assert_cmphex(err >> 32, ==, TDX_METADATA_FIELD_VALUE_NOT_VALID);
	err = tdcall(w, TDG_VM_WR, .rdx = TD_CTLS, .r9 = TD_CTLS_LOCK);
	g_assert_cmphex(err >> 32, ==, TDX_METADATA_FIELD_VALUE_NOT_VALID);
	check_status(tdcall(w, TDG_VM_RD, .rdx = PARAVIRT_CTRL), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, 1 << 3);
	end(w);
}

void add_cpuid_tests(void)
{
	g_test_add_func("/cpuid/family, model and stepping are 0 or the platform's", family);
	g_test_add_func("/cpuid/a TD that can migrate may be of an older CPU that the release knows",
			family_to_migrate);
	g_test_add_func("/cpuid/a TD that can migrate has no later stepping", stepping_to_migrate);
	g_test_add_func("/cpuid/an allowed bit that the CPU lacks is accepted and stays 0",
			lacking);
	g_test_add_func("/cpuid/a bit that no CPU would give is refused", refused);
	g_test_add_func("/cpuid/TSX needs IA32_TSX_CTRL", tsx);
	g_test_add_func("/cpuid/leaf 4 is native with REDUCE_VE but for the ids", caches);
	g_test_add_func("/cpuid/1.5.06 has no leaf 6, 0x18, 0x80000002 and 0x80000006",
			unreadable);
	g_test_add_func("/cpuid/a leaf past the end is the last basic one", past_the_end);
	g_test_add_func("/cpuid/leaf 0x23 has the subleaves of EAX", perfmon_subleaves);
	g_test_add_func("/cpuid/leaf 0x1e is there without AMX, in any subleaf", tiles);
	g_test_add_func("/cpuid/MCE, MCA, MTRR and CORE_CAPABILITIES are 1 without REDUCE_VE",
			forced);
	g_test_add_func("/cpuid/with REDUCE_VE, MCE does not depend on MCA in CPUID", mce);
	g_test_add_func("/cpuid/leaf 0x1f has to make sense", topology);
	g_test_add_func("/cpuid/leaf 0xb follows from leaf 0x1f", leaf_b);
	g_test_add_func("/cpuid/the widths of addresses follow CONFIG_FLAGS", widths);
	g_test_add_func("/cpuid/sizes and masks are those of the release", sizes);
	g_test_add_func("/cpuid/ATTRIBUTES.LASS needs a CPU that has LASS", lass);
	g_test_add_func("/cpuid/a TD of 2.0.08 needs nine pages of TDCS", too_few_pages);
	g_test_add_func("/cpuid/REDUCE_VE turns on ENUM_TOPOLOGY and VIRT_CPUID2", reduce_ve);
	g_test_add_func("/cpuid/LOCK freezes TD_CTLS and FEATURE_PARAVIRT_CTRL", lock);
}
