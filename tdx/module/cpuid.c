// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID as a TD sees it.
 *
 * One row for each leaf and subleaf that the module virtualises, with what
 * happens to each bit of each register; bits of no class have their native
 * value.  The host may only ask for bits of the config classes, in the leaves
 * that have a configuration slot.
 */
#include <string.h>

#include "internal.h"

#define NO_SUBLEAF	0xffffffffu

struct cpuid_bits {
	u32 fixed1;
	u32 zero;	/* always 0, or recomputed at run time */
	u32 direct;	/* the host's value */
	u32 allow;	/* native AND the host's value */
	u32 required;	/* every TDX CPU has it, ours may not: taken as native */
};

/* Where releases differ a row is there for each. */
enum release { ANY_RELEASE, ONLY_1_5, ONLY_2_0 };

struct cpuid_row {
	u32 leaf, subleaf;
	u8 slot;	/* configuration slot + 1, or 0 */
	struct cpuid_bits reg[4];
	enum release release;
};

#define ZERO	{ .zero = ~0u }
#define NATIVE	{ 0 }
#define ONLY(value)	{ .fixed1 = (value), .zero = ~0u }

#define NOTHING(leaf)	{ leaf, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } }
#define NOTHING_2_0(leaf)						\
	{ leaf, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO }, ONLY_2_0 }

static const struct cpuid_row rows[] = {
	{ 0, NO_SUBLEAF, 0, { ONLY(0x23), ONLY(0x756e6547), ONLY(0x6c65746e),
			      ONLY(0x49656e69) } },
#define LEAF_1(edx_allow, release)	{ 1, NO_SUBLEAF, 1, {		\
		{ .zero = 0xf000c000, .direct = 0x0fff3fff },		\
		{ .zero = 0xff0000ff, .direct = 0x00ff0000,		\
		  .required = 0x0800 },					\
		{ .fixed1 = 0x80000000, .zero = 0x08010060,		\
		  .allow = 0x31044d88, .required = 0x47faa217 },	\
		{ .fixed1 = 0x200, .zero = 0x40120400,			\
		  .allow = (edx_allow), .required = 0x1fa9fbff } }, release }
	LEAF_1(0xb8440000, ONLY_1_5),
	LEAF_1(0xb8445080, ONLY_2_0),
	{ 2, NO_SUBLEAF, 0, { ONLY(0x00feff01), ZERO, ZERO, ZERO } },
	NOTHING(3),
#define CACHE(n)	{ 4, n, 2 + (n), {				\
		{ .zero = 0x3c00, .direct = 0xffffc3ff },		\
		{ .direct = 0xfffff000, .required = 0x3f },		\
		{ .direct = ~0u },					\
		{ .zero = 0xfffffff8, .direct = 0x7 } } }
	CACHE(0), CACHE(1), CACHE(2), CACHE(3),
	{ 4, 4, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 5, NO_SUBLEAF, 0, { { .zero = 0xffff0000 }, { .zero = 0xffff0000 },
			      { .zero = 0xfffffffc }, NATIVE } },
	{ 6, NO_SUBLEAF, 0, { ONLY(4), ZERO, ZERO, ZERO } },
#define LEAF_7(edx_allow, release)	{ 7, 0, 6, {			\
		ONLY(2),						\
		{ .zero = 0x00404006, .allow = 0xdc2b9b18,		\
		  .required = 0x219424c1 },				\
		{ .zero = 0x643e8010, .allow = 0x02417f65,		\
		  .required = 0x99000000 },				\
		{ .zero = 0x002298c3, .allow = (edx_allow),		\
		  .required = 0xfc080400 } }, release }
	LEAF_7(0x0005411c, ONLY_1_5),
	LEAF_7(0x4005411c, ONLY_2_0),
	{ 7, 1, 7, { { .zero = 0xfb77e20f, .allow = 0x04881db0 }, ZERO, ZERO,
		     { .zero = 0xfffdbbcf, .allow = 0x00020430 } }, ONLY_1_5 },
	{ 7, 1, 7, { { .zero = 0xfb57e200, .allow = 0x04a81dbf }, ZERO, ZERO,
		     { .zero = 0xfffdbbcf, .allow = 0x00024430 } }, ONLY_2_0 },
	{ 7, 2, 11, {
		ZERO, ZERO, ZERO,
		{ .zero = 0xffffffc0, .allow = 0x28, .required = 0x17 } } },
	NOTHING(8), NOTHING_2_0(9),
	{ 0xa, NO_SUBLEAF, 8, { NATIVE, NATIVE, NATIVE, { .zero = 0xffff6000 } } },
	{ 0xb, 0, 0, { NATIVE, NATIVE, NATIVE, ZERO } },
	{ 0xb, 1, 0, { NATIVE, NATIVE, NATIVE, ZERO } },
	{ 0xb, 2, 0, { NATIVE, NATIVE, NATIVE, ZERO } },
	NOTHING_2_0(0xc),
	{ 0xd, 0, 0, { { .zero = 0xfff9fd18 }, NATIVE, NATIVE, ZERO } },
	{ 0xd, 1, 0, { { .zero = 0xffffffe0 }, NATIVE,
		       { .zero = 0xffff26ff }, ZERO } },
#define XSTATE(n)	{ 0xd, n, 0, { NATIVE, NATIVE, NATIVE, ZERO } }
	XSTATE(2), XSTATE(3), XSTATE(4), XSTATE(5), XSTATE(6), XSTATE(7),
	XSTATE(8), XSTATE(9), XSTATE(10), XSTATE(11), XSTATE(12), XSTATE(13),
	XSTATE(14), XSTATE(15), XSTATE(16), XSTATE(17), XSTATE(18),
	NOTHING(0xe), NOTHING_2_0(0xf), NOTHING_2_0(0x10), NOTHING(0x11),
	NOTHING(0x12), NOTHING(0x13),
	{ 0x14, 0, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x14, 1, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x15, NO_SUBLEAF, 0, { ONLY(1), NATIVE, ONLY(25000000), ZERO } },
	NOTHING_2_0(0x16), NOTHING_2_0(0x17),
#define TLB(n)	{ 0x18, n, 20 + (n), { NATIVE, NATIVE, NATIVE,	\
				{ .direct = 0x03ffc000 } }, ONLY_2_0 }
	TLB(0), TLB(1), TLB(2), TLB(3), TLB(4), TLB(5), TLB(6),
	TLB(7), TLB(8),
	{ 0x19, NO_SUBLEAF, 19, { ZERO, ZERO, ZERO, ZERO }, ONLY_2_0 },
	{ 0x1a, NO_SUBLEAF, 0, { NATIVE, ZERO, ZERO, ZERO } },
	NOTHING_2_0(0x1b),
	{ 0x1c, NO_SUBLEAF, 9, { { .allow = 0xff }, NATIVE, NATIVE, NATIVE } },
	{ 0x1d, 0, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x1d, 1, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x1e, 0, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
#define TOPOLOGY(n)	{ 0x1f, n, 13 + (n), {				\
		{ .zero = ~0x1fu, .direct = 0x1f },			\
		{ .zero = ~0xffffu, .direct = 0xffff },			\
		{ .zero = ~0xffffu, .direct = 0xffff }, ZERO } }
	TOPOLOGY(0), TOPOLOGY(1), TOPOLOGY(2), TOPOLOGY(3), TOPOLOGY(4),
	TOPOLOGY(5),
	NOTHING(0x20),
	{ 0x21, 0, 0, { ZERO, ONLY(0x65746e49), ONLY(0x20202020),
			ONLY(0x5844546c) } },
	NOTHING(0x22),
	{ 0x23, 0, 12, { { .allow = 0xf }, NATIVE, NATIVE, NATIVE } },
	{ 0x23, 1, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x23, 2, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x23, 3, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x80000000, NO_SUBLEAF, 0, { ONLY(0x80000008), ZERO, ZERO, ZERO } },
	{ 0x80000001, NO_SUBLEAF, 0, { ZERO, ZERO, ONLY(0x121),
				       ONLY(0x2c100800) } },
	/* "Intel TDX" and spaces */
	{ 0x80000002, NO_SUBLEAF, 0, { ONLY(0x65746e49), ONLY(0x4454206c),
				       ONLY(0x20202058), ONLY(0x20202020) } },
	NOTHING(0x80000003), NOTHING(0x80000004), NOTHING(0x80000005),
	{ 0x80000006, NO_SUBLEAF, 0, { ZERO, ZERO, ONLY(0x7040), ZERO } },
	{ 0x80000007, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ONLY(0x100) } },
	{ 0x80000008, NO_SUBLEAF, 10, { { .zero = 0xffffff00, .direct = 0xff },
				       { .zero = ~0x200u, .allow = 0x200 },
				       ZERO, ZERO } },
};

/* The slots after these are leaves 0x18 and 0x19, of release 2.0. */
#define NUM_SLOTS_1_5	18
#define NUM_SLOTS_2_0	28
#define MAX_LEAF	0x23
#define MAX_EXT_LEAF	0x80000008

/* Bits that go away unless XFAM has all of @xfam and ATTRIBUTES all of @attr. */
static const struct {
	u32 leaf, subleaf;
	unsigned int reg;
	u32 mask;
	u64 xfam, attr;
} gates[] = {
	{ 1, NO_SUBLEAF, 2, 0x30001000, .xfam = XFAM_AVX },
	{ 7, 0, 1, 0x00000020, .xfam = XFAM_AVX },
	{ 7, 0, 1, 0xdc230000, .xfam = XFAM_AVX512 },
	{ 7, 0, 1, 0x02000000, .xfam = XFAM_PT },
	{ 7, 0, 2, 0x00000600, .xfam = XFAM_AVX },
	{ 7, 0, 2, 0x00005842, .xfam = XFAM_AVX512 },
	{ 7, 0, 2, 0x00000008, .xfam = XFAM_PKRU },
	{ 7, 0, 2, 0x00000080, .xfam = XFAM_CET },
	{ 7, 0, 2, 0x80000000, .attr = TD_ATTR_PKS },
	{ 7, 0, 3, 0x0080010c, .xfam = XFAM_AVX512 },
	{ 7, 0, 3, 0x00100000, .xfam = XFAM_CET },
	{ 7, 0, 3, 0x00000020, .xfam = XFAM_UINTR },
	{ 7, 0, 3, 0x00080000, .xfam = XFAM_LBR },
	{ 7, 0, 3, 0x03400000, .xfam = XFAM_AMX },
	{ 7, 1, 0, 0x00800010, .xfam = XFAM_AVX },
	{ 7, 1, 0, 0x00000021, .xfam = XFAM_AVX512 },
	{ 7, 1, 0, 0x00200000, .xfam = XFAM_AMX },
	{ 7, 1, 0, 0x00000040, .attr = TD_ATTR_LASS },
	{ 7, 1, 3, 0x00000430, .xfam = XFAM_AVX },
	{ 0xa, NO_SUBLEAF, 0, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xa, NO_SUBLEAF, 1, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xa, NO_SUBLEAF, 2, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xa, NO_SUBLEAF, 3, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xd, 1, 0, 0x00000010, .xfam = XFAM_AMX },
	{ 0xd, 1, 2, 0x00000100, .xfam = XFAM_PT },
	{ 0xd, 1, 2, 0x00001800, .xfam = XFAM_CET },
	{ 0xd, 1, 2, 0x00004000, .xfam = XFAM_UINTR },
	{ 0xd, 1, 2, 0x00008000, .xfam = XFAM_LBR },
};

/* Leaves whose every register needs bits of XFAM or of ATTRIBUTES. */
static const struct { u32 leaf; u64 xfam, attr; } leaf_gates[] = {
	{ 0x14, .xfam = XFAM_PT },
	{ 0x1c, .xfam = XFAM_LBR },
	{ 0x1d, .xfam = XFAM_AMX },
	{ 0x1e, .xfam = XFAM_AMX },
	{ 0x23, .attr = TD_ATTR_PERFMON },
};

static bool in_release(const struct tdx_module *m, const struct cpuid_row *r)
{
	return r->release == ANY_RELEASE || r->release ==
	       (has_feature(m, FEATURE_VE_REDUCTION) ? ONLY_2_0 : ONLY_1_5);
}

static int find_row(const struct tdx_module *m, u32 leaf, u32 subleaf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].leaf == leaf && in_release(m, &rows[i]) &&
		    (rows[i].subleaf == subleaf ||
		     rows[i].subleaf == NO_SUBLEAF))
			return i;
	return -1;
}

static const struct cpuid_row *find_slot(const struct tdx_module *m,
					 unsigned int slot)
{
	const struct cpuid_row *r = rows;

	while (r->slot != slot + 1 || !in_release(m, r))
		r++;
	return r;
}

unsigned int cpuid_num_rows(void)
{
	return ARRAY_SIZE(rows);
}

/*
 * Reads the bare CPU's values, and adds what each TDX CPU has.  Once and for all,
 * as some follow the state of the CPU that is asked.
 */
void cpuid_init(struct tdx_module *m)
{
	unsigned int i, j;

	m->native_cpuid = g_malloc0(ARRAY_SIZE(rows) * sizeof(m->native_cpuid[0]));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cpuid_row *r = &rows[i];
		u32 subleaf = r->subleaf == NO_SUBLEAF ? 0 : r->subleaf;

		m->ops.cpuid(m->opaque, r->leaf, subleaf, m->native_cpuid[i]);
		for (j = 0; j < 4; j++)
			m->native_cpuid[i][j] |= r->reg[j].required;
	}
}

/* The bare CPU's EAX, EBX, ECX and EDX for a leaf that is in the table. */
const u32 *cpuid_native(const struct tdx_module *m, u32 leaf, u32 subleaf)
{
	return m->native_cpuid[find_row(m, leaf, subleaf)];
}

unsigned int cpuid_num_configs(const struct tdx_module *m)
{
	return has_feature(m, FEATURE_VE_REDUCTION) ? NUM_SLOTS_2_0 :
						     NUM_SLOTS_1_5;
}

/* Leaf and subleaf of a slot, as CPUID_CONFIG_LEAVES packs them. */
u64 cpuid_config_leaf(const struct tdx_module *m, unsigned int i)
{
	const struct cpuid_row *r = find_slot(m, i);

	return r->leaf | (u64)r->subleaf << 32;
}

/* The bits that the host may ask for. */
void cpuid_config_value(const struct tdx_module *m, unsigned int i, u32 value[4])
{
	const struct cpuid_row *r = find_slot(m, i);
	unsigned int j;

	for (j = 0; j < 4; j++)
		value[j] = r->reg[j].direct |
			   (r->reg[j].allow & m->native_cpuid[r - rows][j]);
}

/* Size of the XSAVE area for @features, standard or compacted format. */
static u32 xsave_size(const struct tdx_module *m, u64 features, bool compact)
{
	u32 size = 576;
	unsigned int i;

	for (i = 2; i < 63; i++) {
		const u32 *sub;

		if (!(features & BIT(i)))
			continue;
		sub = cpuid_native(m, 0xd, i);
		if (!compact) {
			size = MAX(size, sub[0] + sub[1]);
			continue;
		}
		if (sub[2] & 2)
			size = (size + 63) & ~63u;
		size += sub[0];
	}
	return size;
}

static void apply_gates(const struct td *td, const struct cpuid_row *r,
			u32 value[4])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gates); i++)
		if (gates[i].leaf == r->leaf && gates[i].subleaf == r->subleaf &&
		    !td_allows(td, gates[i].xfam, gates[i].attr))
			value[gates[i].reg] &= ~gates[i].mask;
	for (i = 0; i < ARRAY_SIZE(leaf_gates); i++)
		if (leaf_gates[i].leaf == r->leaf &&
		    !td_allows(td, leaf_gates[i].xfam, leaf_gates[i].attr))
			memset(value, 0, 4 * sizeof(value[0]));

	switch (r->leaf) {
	case 5:
		if (!cpuid_bit(td, 1, 0, 2, 3))	/* MONITOR */
			memset(value, 0, 4 * sizeof(value[0]));
		break;
	case 0xd:
		if (r->subleaf == 0) {
			value[0] = td->xfam & XFAM_USER;
			value[2] = xsave_size(td->m, td->xfam & XFAM_USER, false);
		} else if (r->subleaf > 1 && !(td->xfam & BIT(r->subleaf))) {
			memset(value, 0, 4 * sizeof(value[0]));
		}
		break;
	case 0x15:
		value[1] = td->tsc_frequency;
		break;
	case 0x1a:
		if (td->attributes & TD_ATTR_MIGRATABLE)
			value[0] = 0;
		break;
	case 0x23:
		if (!cpuid_bit(td, 7, 1, 0, 8))	/* extended PERFMON */
			memset(value, 0, 4 * sizeof(value[0]));
		break;
	case 0x80000008:
		value[0] |= (cpuid_bit(td, 7, 0, 2, 16) ? 57 : 48) << 8;
		if (td->config_flags & CONFIG_MAXGPA_VIRT)
			value[0] |= gpa_width(td) << 16;
		break;
	}
}

static bool is_zero(const u32 v[4])
{
	return !(v[0] | v[1] | v[2] | v[3]);
}

/* What the host asks for in the slot of @r; all zero without a slot. */
static const u32 *wanted(const struct cpuid_row *r, const struct td_params *p)
{
	static const u32 none[4];

	return r->slot ? p->cpuid[r->slot - 1] : none;
}

/* Whether a register for which the host asked nothing shows the CPU's own. */
static bool keeps_native(const struct td *td, const struct cpuid_row *r,
			 unsigned int reg, const struct td_params *p)
{
	unsigned int i;

	switch (r->leaf) {
	case 1:		/* family, model, stepping */
		return reg == 0 && !wanted(r, p)[0];
	case 0x80000008:	/* address width */
		return !(td->config_flags & CONFIG_MAXPA_VIRT) ||
		       !(wanted(r, p)[0] & 0xff);
	case 0x1f:	/* one topology, in six subleaves */
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			if (rows[i].leaf == 0x1f && !is_zero(wanted(&rows[i], p)))
				return false;
		return true;
	}
	return false;
}

/* One register; false if the host asks for a bit that it cannot have. */
static bool build(const struct cpuid_bits *b, u32 host, bool keep, u32 *value)
{
	u32 direct = keep ? *value : host;

	if (host & ~(b->direct | (b->allow & *value)))
		return false;
	*value = (*value & ~(b->zero | b->direct | b->allow)) | b->fixed1 |
		 (direct & b->direct) | (*value & host & b->allow);
	return true;
}

enum { LEVEL_NONE, LEVEL_SMT, LEVEL_CORE };

/*
 * Leaf 0x1f as the host gave it: levels ascend, the threads of a core are in
 * subleaf 0 only, cores must be there, and no level follows the last.
 */
static bool topology_valid(const struct td *td)
{
	unsigned int i, type, before = LEVEL_NONE;
	bool core = false, ended = false;

	for (i = 0; i < 6; i++) {
		const u32 *v = cpuid_lookup(td, 0x1f, i, false);

		type = v[2] >> 8 & 0xff;
		if ((v[2] & 0xff) != i && !is_zero(v))
			return false;
		if (type == LEVEL_NONE) {
			ended = true;
			continue;
		}
		if (ended || type <= before || (type == LEVEL_SMT && i))
			return false;
		core |= type == LEVEL_CORE;
		before = type;
	}
	return core;
}

/* Leaf 0xb knows two levels: threads, and all that a package has. */
static void derive_leaf_b(struct td *td)
{
	const u32 *smt = cpuid_lookup(td, 0x1f, 0, false), *last = smt;
	u32 (*b)[4] = &td->cpuid[find_row(td->m, 0xb, 0)];
	unsigned int i;

	for (i = 1; i < 6; i++) {
		const u32 *v = cpuid_lookup(td, 0x1f, i, false);

		if (v[2] >> 8 & 0xff)
			last = v;
	}
	memset(b, 0, 3 * sizeof(*b));
	memcpy(b[0], smt, 3 * sizeof(u32));
	if (last != smt) {
		b[1][0] = last[0];
		b[1][1] = last[1];
		b[1][2] = LEVEL_CORE << 8 | 1;
	}
	b[2][2] = 2;
}

/*
 * Fills the TD's CPUID values from TD_PARAMS.  On failure *bad is the leaf in
 * bits 31:0 and the subleaf above.
 */
u64 cpuid_build(struct td *td, const struct td_params *p, u64 *bad)
{
	const struct tdx_module *m = td->m;
	bool own_topology = false;
	unsigned int i, j;

	for (i = cpuid_num_configs(m); i < TD_PARAMS_CPUID_SLOTS; i++)
		if (!is_zero(p->cpuid[i]))
			return status(TDX_OPERAND_INVALID, TDX_OP_RDX);

	g_free(td->cpuid);
	td->cpuid = g_malloc0(ARRAY_SIZE(rows) * sizeof(td->cpuid[0]));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cpuid_row *r = &rows[i];

		if (!in_release(m, r))
			continue;
		memcpy(td->cpuid[i], m->native_cpuid[i], sizeof(td->cpuid[i]));
		for (j = 0; j < 4; j++) {
			*bad = r->leaf | (u64)r->subleaf << 32;
			if (!build(&r->reg[j], wanted(r, p)[j],
				   keeps_native(td, r, j, p), &td->cpuid[i][j]))
				return status(TDX_OPERAND_INVALID,
					      TDX_OP_CPUID_CONFIG);
		}
		apply_gates(td, r, td->cpuid[i]);
		own_topology |= r->leaf == 0x1f && !keeps_native(td, r, 0, p);
	}
	/* TSX is there as a whole, HLE and RTM, or not at all. */
	*bad = 7;
	if (cpuid_bit(td, 7, 0, 1, 4) != cpuid_bit(td, 7, 0, 1, 11))
		return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
	/* Not an invalid operand, and nothing is said about which leaf. */
	*bad = 0;
	if (own_topology) {
		if (!topology_valid(td))
			return status(TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, 0);
		derive_leaf_b(td);
	}
	return 0;
}

/* The TD's value, before what changes at run time; NULL if there is none. */
const u32 *cpuid_lookup(const struct td *td, u32 leaf, u32 subleaf,
			bool no_subleaf)
{
	int i = find_row(td->m, leaf, subleaf);

	if (i < 0 || (rows[i].subleaf == NO_SUBLEAF) != no_subleaf)
		return NULL;
	return td->cpuid[i];
}

/* A bit of a leaf that is in the table; @reg counts EAX, EBX, ECX, EDX. */
bool cpuid_bit(const struct td *td, u32 leaf, u32 subleaf, unsigned int reg,
	       unsigned int bit)
{
	return td->cpuid[find_row(td->m, leaf, subleaf)][reg] >> bit & 1;
}

/* Where CPUID shows each of enum feature. */
static const struct {
	u32 leaf;
	unsigned int reg, bit;
} feature_bits[] = {
	[F_CORE_CAP] = { 7, 3, 30 }, [F_DCA] = { 1, 2, 18 },
	[F_EST] = { 1, 2, 7 }, [F_MCA] = { 1, 3, 14 }, [F_MTRR] = { 1, 3, 12 },
	[F_PCONFIG] = { 7, 3, 18 }, [F_RDT_A] = { 7, 1, 15 },
	[F_RDT_M] = { 7, 1, 12 }, [F_ACPI] = { 1, 3, 22 },
	[F_TM2] = { 1, 2, 8 }, [F_TME] = { 7, 2, 13 },
	[F_TSC_DEADLINE] = { 1, 2, 24 },
};

/*
 * Whether the guest has the feature, by #VE.  With REDUCE_VE it has those that
 * it asked for in FEATURE_PARAVIRT_CTRL; without, three that older guests
 * expect are there whatever CPUID says.
 */
bool td_feature(const struct td *td, enum feature f)
{
	bool shown = cpuid_bit(td, feature_bits[f].leaf, 0, feature_bits[f].reg,
			       feature_bits[f].bit);

	if (td->td_ctls & TD_CTLS_REDUCE_VE)
		return shown && td->paravirt_ctrl & BIT(f);
	return shown || f == F_MCA || f == F_MTRR || f == F_CORE_CAP;
}

static void hide_features(const struct td *td, u32 leaf, u32 out[4])
{
	enum feature f;

	for (f = 0; f <= F_LAST; f++)
		if (feature_bits[f].leaf == leaf && !td_feature(td, f))
			out[feature_bits[f].reg] &= ~BIT(feature_bits[f].bit);
	/* The machine check exception goes with its MSRs. */
	if (leaf == 1 && !td_feature(td, F_MCA))
		out[3] &= ~BIT(7);
}

#define CR4_OSXSAVE	BIT(18)
#define CR4_PKE		BIT(22)

/* What depends on the vCPU, and on the state that it is in. */
static void adjust(struct tdx_vcpu *v, const struct tdx_cpuid_env *env,
		   u32 leaf, u32 subleaf, u32 out[4])
{
	u32 id = topology_on(v->td) ? v->x2apic_id : v->index;

	switch (leaf) {
	case 1:
		hide_features(v->td, leaf, out);
		out[1] |= id << 24;
		if (env->cr4 & CR4_OSXSAVE)
			out[2] |= BIT(27);
		break;
	case 7:
		if (subleaf)
			break;
		hide_features(v->td, leaf, out);
		if (env->cr4 & CR4_PKE)
			out[2] |= BIT(4);
		break;
	case 0xb:
	case 0x1f:
		out[2] = (out[2] & ~0xffu) | (subleaf & 0xff);
		out[3] = v->x2apic_id;
		break;
	case 0xd:
		if (subleaf == 0)
			out[1] = xsave_size(v->td->m, env->xcr0, false);
		else if (subleaf == 1)
			out[1] = xsave_size(v->td->m, env->xcr0 | env->xss, true);
		break;
	case 0x80000001:
		if (!env->long_mode)
			out[3] &= ~BIT(11);
		break;
	}
}

/* Leaves that are in the table and still raise #VE. */
static bool leaf_is_ve(const struct td *td, u32 leaf)
{
	bool reduce = td->td_ctls & TD_CTLS_REDUCE_VE;

	switch (leaf) {
	case 2:
		return !reduce && !(td->td_ctls & TD_CTLS_VIRT_CPUID2);
	case 0xb:
	case 0x1f:
		return !topology_on(td);
	case 9:
		return !reduce || td_feature(td, F_DCA);
	case 0xf:
		return !reduce || td_feature(td, F_RDT_M);
	case 0x10:
		return !reduce || td_feature(td, F_RDT_A);
	case 0x1b:
		return !reduce || td_feature(td, F_PCONFIG);
	case 6:
	case 0xc:
	case 0x16:
	case 0x17:
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
	case 0x80000005:
		return !reduce;
	}
	return false;
}

/* A leaf that is not in the table. */
static enum tdx_outcome unknown_leaf(struct tdx_vcpu *v, u32 leaf, u32 subleaf,
				     u32 out[4])
{
	if (!(v->td->td_ctls & TD_CTLS_REDUCE_VE))
		return TDX_VE;
	memset(out, 0, 4 * sizeof(out[0]));
	if (leaf == 0xb || leaf == 0x1f) {
		out[2] = subleaf & 0xff;
		out[3] = v->x2apic_id;
	}
	return TDX_DONE;
}

enum { SUPERVISOR_VE = 1, USER_VE = 2 };	/* CPUID_CONTROL */

enum tdx_outcome tdx_cpuid(struct tdx_vcpu *v, const struct tdx_cpuid_env *env,
			   uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct td *td = v->td;
	int i;

	if (leaf >> 28 == 4 ||
	    (env->user ? v->cpuid_user_ve : v->cpuid_supervisor_ve))
		return TDX_VE;
	/* As on a CPU, a leaf past the end reads as the last basic one. */
	if (has_feature(td->m, FEATURE_VE_REDUCTION) &&
	    (leaf > MAX_EXT_LEAF || (leaf > MAX_LEAF && leaf < 0x80000000)))
		leaf = MAX_LEAF;
	/* Leaf 4 has no cache after the fourth, whatever the subleaf. */
	i = find_row(td->m, leaf, leaf == 4 ? MIN(subleaf, 4) : subleaf);
	if (i < 0)
		return unknown_leaf(v, leaf, subleaf, out);
	if (v->cpuid_control[i] & (env->user ? USER_VE : SUPERVISOR_VE) ||
	    leaf_is_ve(td, leaf))
		return TDX_VE;
	memcpy(out, td->cpuid[i], 4 * sizeof(out[0]));
	adjust(v, env, leaf, subleaf, out);
	return TDX_DONE;
}
