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

struct cpuid_row {
	u32 leaf, subleaf;
	u8 slot;	/* configuration slot + 1, or 0 */
	struct cpuid_bits reg[4];
};

#define ZERO	{ .zero = ~0u }
#define NATIVE	{ 0 }
#define ONLY(value)	{ .fixed1 = (value), .zero = ~0u }

static const struct cpuid_row rows[] = {
	{ 0, NO_SUBLEAF, 0, { ONLY(0x23), ONLY(0x756e6547), ONLY(0x6c65746e),
			      ONLY(0x49656e69) } },
	{ 1, NO_SUBLEAF, 1, {
		{ .zero = 0xf000c000, .direct = 0x0fff3fff },
		{ .zero = 0xff0000ff, .direct = 0x00ff0000, .required = 0x0800 },
		{ .fixed1 = 0x80000000, .zero = 0x08010060,
		  .allow = 0x31044d88, .required = 0x47faa217 },
		{ .fixed1 = 0x200, .zero = 0x40120400,
		  .allow = 0xb8440000, .required = 0x1fa9fbff } } },
	{ 2, NO_SUBLEAF, 0, { ONLY(0x00feff01), ZERO, ZERO, ZERO } },
	{ 3, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
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
	{ 7, 0, 6, {
		ONLY(2),
		{ .zero = 0x00404006, .allow = 0xdc2b9b18,
		  .required = 0x219424c1 },
		{ .zero = 0x643e8010, .allow = 0x02417f65,
		  .required = 0x99000000 },
		{ .zero = 0x002298c3, .allow = 0x0005411c,
		  .required = 0xfc080400 } } },
	{ 7, 1, 7, {
		{ .zero = 0xfb77e20f, .allow = 0x04881db0 },
		ZERO, ZERO,
		{ .zero = 0xfffdbbcf, .allow = 0x00020430 } } },
	{ 7, 2, 11, {
		ZERO, ZERO, ZERO,
		{ .zero = 0xffffffc0, .allow = 0x28, .required = 0x17 } } },
	{ 8, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0xa, NO_SUBLEAF, 8, { NATIVE, NATIVE, NATIVE, { .zero = 0xffff6000 } } },
	{ 0xb, 0, 0, { NATIVE, NATIVE, NATIVE, ZERO } },
	{ 0xb, 1, 0, { NATIVE, NATIVE, NATIVE, ZERO } },
	{ 0xb, 2, 0, { NATIVE, NATIVE, NATIVE, ZERO } },
	{ 0xd, 0, 0, { { .zero = 0xfff9fd18 }, NATIVE, NATIVE, ZERO } },
	{ 0xd, 1, 0, { { .zero = 0xffffffe0 }, NATIVE,
		       { .zero = 0xffff26ff }, ZERO } },
#define XSTATE(n)	{ 0xd, n, 0, { NATIVE, NATIVE, NATIVE, ZERO } }
	XSTATE(2), XSTATE(3), XSTATE(4), XSTATE(5), XSTATE(6), XSTATE(7),
	XSTATE(8), XSTATE(9), XSTATE(10), XSTATE(11), XSTATE(12), XSTATE(13),
	XSTATE(14), XSTATE(15), XSTATE(16), XSTATE(17), XSTATE(18),
	{ 0xe, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x11, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x12, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x13, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x14, 0, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x14, 1, 0, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 0x15, NO_SUBLEAF, 0, { ONLY(1), NATIVE, ONLY(25000000), ZERO } },
	{ 0x1a, NO_SUBLEAF, 0, { NATIVE, ZERO, ZERO, ZERO } },
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
	{ 0x20, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x21, 0, 0, { ZERO, ONLY(0x65746e49), ONLY(0x20202020),
			ONLY(0x5844546c) } },
	{ 0x22, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x23, 0, 12, { { .allow = 0xf }, NATIVE, NATIVE, NATIVE } },
	{ 0x80000000, NO_SUBLEAF, 0, { ONLY(0x80000008), ZERO, ZERO, ZERO } },
	{ 0x80000001, NO_SUBLEAF, 0, { ZERO, ZERO, ONLY(0x121),
				       ONLY(0x2c100800) } },
	{ 0x80000002, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x80000003, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x80000004, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x80000005, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ZERO } },
	{ 0x80000006, NO_SUBLEAF, 0, { ZERO, ZERO,
				       { .fixed1 = 0x7040, .zero = 0xffff }, ZERO } },
	{ 0x80000007, NO_SUBLEAF, 0, { ZERO, ZERO, ZERO, ONLY(0x100) } },
	{ 0x80000008, NO_SUBLEAF, 10, { { .zero = 0xffff0000, .direct = 0xff },
				       { .zero = ~0x200u, .allow = 0x200 },
				       ZERO, ZERO } },
};

#define NUM_SLOTS	18

/* Bits that go away unless XFAM has all of @xfam and ATTRIBUTES all of @attr. */
static const struct {
	u32 leaf, subleaf;
	unsigned int reg;
	u32 mask;
	u64 xfam, attr;
} gates[] = {
	{ 1, NO_SUBLEAF, 2, 0x30001000, .xfam = BIT(2) },
	{ 7, 0, 1, 0x00000020, .xfam = BIT(2) },
	{ 7, 0, 1, 0xdc230000, .xfam = 0xe0 },
	{ 7, 0, 1, 0x02000000, .xfam = BIT(8) },
	{ 7, 0, 2, 0x00000600, .xfam = BIT(2) },
	{ 7, 0, 2, 0x00005842, .xfam = 0xe0 },
	{ 7, 0, 2, 0x00000008, .xfam = BIT(9) },
	{ 7, 0, 2, 0x00000080, .xfam = 0x1800 },
	{ 7, 0, 2, 0x80000000, .attr = TD_ATTR_PKS },
	{ 7, 0, 3, 0x0080010c, .xfam = 0xe0 },
	{ 7, 0, 3, 0x00100000, .xfam = 0x1800 },
	{ 7, 0, 3, 0x00000020, .xfam = BIT(14) },
	{ 7, 0, 3, 0x00080000, .xfam = BIT(15) },
	{ 7, 0, 3, 0x03400000, .xfam = 0x60000 },
	{ 7, 1, 0, 0x00800010, .xfam = BIT(2) },
	{ 7, 1, 0, 0x00000020, .xfam = 0xe0 },
	{ 7, 1, 0, 0x00200000, .xfam = 0x60000 },
	{ 7, 1, 0, 0x00000040, .attr = TD_ATTR_LASS },
	{ 7, 1, 3, 0x00000430, .xfam = BIT(2) },
	{ 0xa, NO_SUBLEAF, 0, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xa, NO_SUBLEAF, 1, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xa, NO_SUBLEAF, 2, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xa, NO_SUBLEAF, 3, ~0u, .attr = TD_ATTR_PERFMON },
	{ 0xd, 1, 0, 0x00000010, .xfam = 0x60000 },
	{ 0xd, 1, 2, 0x00000100, .xfam = BIT(8) },
	{ 0xd, 1, 2, 0x00001800, .xfam = 0x1800 },
	{ 0xd, 1, 2, 0x00004000, .xfam = BIT(14) },
	{ 0xd, 1, 2, 0x00008000, .xfam = BIT(15) },
};

/* Leaves whose every register needs bits of XFAM or of ATTRIBUTES. */
static const struct { u32 leaf; u64 xfam, attr; } leaf_gates[] = {
	{ 0x14, .xfam = BIT(8) },
	{ 0x1c, .xfam = BIT(15) },
	{ 0x1d, .xfam = 0x60000 },
	{ 0x1e, .xfam = 0x60000 },
	{ 0x23, .attr = TD_ATTR_PERFMON },
};

static bool gate_open(const struct td *td, u64 xfam, u64 attr)
{
	return (td->xfam & xfam) == xfam && (td->attributes & attr) == attr;
}

static int find_row(u32 leaf, u32 subleaf)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].leaf == leaf && (rows[i].subleaf == subleaf ||
					     rows[i].subleaf == NO_SUBLEAF))
			return i;
	return -1;
}

static int find_slot(unsigned int slot)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].slot == slot + 1)
			return i;
	return -1;
}

/* The bare CPU's value, with what each TDX CPU has. */
static void native(const struct tdx_module *m, const struct cpuid_row *r,
		   u32 value[4])
{
	u32 subleaf = r->subleaf == NO_SUBLEAF ? 0 : r->subleaf;
	unsigned int i;

	m->ops.cpuid(m->opaque, r->leaf, subleaf, value);
	for (i = 0; i < 4; i++)
		value[i] |= r->reg[i].required;
}

unsigned int cpuid_num_configs(const struct tdx_module *m)
{
	(void)m;
	return NUM_SLOTS;
}

/* Leaf and subleaf of a slot, as CPUID_CONFIG_LEAVES packs them. */
u64 cpuid_config_leaf(const struct tdx_module *m, unsigned int i)
{
	const struct cpuid_row *r = &rows[find_slot(i)];

	(void)m;
	return r->leaf | (u64)r->subleaf << 32;
}

/* The bits that the host may ask for. */
void cpuid_config_value(const struct tdx_module *m, unsigned int i, u32 value[4])
{
	const struct cpuid_row *r = &rows[find_slot(i)];
	unsigned int j;

	native(m, r, value);
	for (j = 0; j < 4; j++)
		value[j] = r->reg[j].direct | (r->reg[j].allow & value[j]);
}

/* Size of the XSAVE area for @features, standard or compacted format. */
static u32 xsave_size(const struct tdx_module *m, u64 features, bool compact)
{
	u32 size = 576, sub[4];
	unsigned int i;

	for (i = 2; i < 63; i++) {
		if (!(features & BIT(i)))
			continue;
		m->ops.cpuid(m->opaque, 0xd, i, sub);
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

#define XFAM_USER	0x602e7ull

static void apply_gates(const struct td *td, const struct cpuid_row *r,
			u32 value[4])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(gates); i++)
		if (gates[i].leaf == r->leaf && gates[i].subleaf == r->subleaf &&
		    !gate_open(td, gates[i].xfam, gates[i].attr))
			value[gates[i].reg] &= ~gates[i].mask;
	for (i = 0; i < ARRAY_SIZE(leaf_gates); i++)
		if (leaf_gates[i].leaf == r->leaf &&
		    !gate_open(td, leaf_gates[i].xfam, leaf_gates[i].attr))
			memset(value, 0, 4 * sizeof(value[0]));

	if (r->leaf == 0xd && r->subleaf == 0) {
		value[0] = td->xfam & XFAM_USER;
		value[2] = xsave_size(td->m, td->xfam & XFAM_USER, false);
	} else if (r->leaf == 0xd && r->subleaf > 1 &&
		   !(td->xfam & BIT(r->subleaf))) {
		memset(value, 0, 4 * sizeof(value[0]));
	} else if (r->leaf == 0x15) {
		value[1] = td->tsc_frequency;
	} else if (r->leaf == 5 &&
		   !(td->cpuid[find_row(1, 0)][2] & BIT(3))) {
		memset(value, 0, 4 * sizeof(value[0]));
	}
}

static bool is_zero(const u32 v[4])
{
	return !(v[0] | v[1] | v[2] | v[3]);
}

/*
 * Fills the TD's CPUID values from TD_PARAMS.  On failure *bad is the leaf in
 * bits 31:0 and the subleaf above.
 */
u64 cpuid_build(struct td *td, const struct td_params *p, u64 *bad)
{
	static const u32 none[4];
	const struct tdx_module *m = td->m;
	unsigned int i, j;

	for (i = NUM_SLOTS; i < TD_PARAMS_CPUID_SLOTS; i++)
		if (!is_zero(p->cpuid[i]))
			return status(TDX_OPERAND_INVALID, TDX_OP_RDX);

	g_free(td->cpuid);
	td->cpuid = g_malloc0(ARRAY_SIZE(rows) * sizeof(td->cpuid[0]));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct cpuid_row *r = &rows[i];
		const u32 *want = r->slot ? p->cpuid[r->slot - 1] : none;
		u32 *value = td->cpuid[i];

		native(m, r, value);
		for (j = 0; j < 4; j++) {
			const struct cpuid_bits *b = &r->reg[j];
			u32 host = want[j];

			if (host & ~(b->direct | (b->allow & value[j]))) {
				*bad = r->leaf | (u64)r->subleaf << 32;
				return status(TDX_OPERAND_INVALID,
					      TDX_OP_CPUID_CONFIG);
			}
			/* No family, no width, no topology: the native one. */
			if (b->direct && !host && (r->leaf != 4))
				host = value[j] & b->direct;
			/* The width is the host's only with MAXPA_VIRT. */
			if (r->leaf == 0x80000008 && b->direct &&
			    !(td->config_flags & CONFIG_MAXPA_VIRT))
				host = value[j];
			value[j] = (value[j] & ~(b->zero | b->direct | b->allow)) |
				   b->fixed1 | (host & b->direct) |
				   (value[j] & host & b->allow);
		}
		apply_gates(td, r, value);
	}
	return 0;
}

/* The TD's value, before what changes at run time; NULL if there is none. */
const u32 *cpuid_lookup(const struct td *td, u32 leaf, u32 subleaf,
			bool no_subleaf)
{
	int i = find_row(leaf, subleaf);

	if (i < 0 || (rows[i].subleaf == NO_SUBLEAF) != no_subleaf)
		return NULL;
	return td->cpuid[i];
}

#define CR4_OSXSAVE	BIT(18)
#define CR4_PKE		BIT(22)

/* What depends on the vCPU, and on the state that it is in. */
static void adjust(struct tdx_vcpu *v, const struct tdx_cpuid_env *env,
		   u32 leaf, u32 subleaf, u32 out[4])
{
	bool topology = v->td->td_ctls & TD_CTLS_ENUM_TOPOLOGY;
	u32 id = topology ? v->x2apic_id : v->index;

	switch (leaf) {
	case 1:
		out[1] |= id << 24;
		if (env->cr4 & CR4_OSXSAVE)
			out[2] |= BIT(27);
		break;
	case 7:
		if (!subleaf && env->cr4 & CR4_PKE)
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
	switch (leaf) {
	case 2:
		return !(td->td_ctls & TD_CTLS_VIRT_CPUID2);
	case 0xb:
	case 0x1f:
		return !(td->td_ctls & TD_CTLS_ENUM_TOPOLOGY);
	case 6:
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
	case 0x80000005:
		return true;
	}
	return false;
}

enum tdx_outcome tdx_cpuid(struct tdx_vcpu *v, const struct tdx_cpuid_env *env,
			   uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	int i = find_row(leaf, subleaf);

	/* A subleaf past the last one of leaf 4 reads as that one: zero. */
	if (i < 0 && leaf == 4)
		i = find_row(leaf, 4);
	if (i < 0 || leaf_is_ve(v->td, leaf))
		return TDX_VE;
	memcpy(out, v->td->cpuid[i], 4 * sizeof(out[0]));
	adjust(v, env, leaf, subleaf, out);
	return TDX_DONE;
}
