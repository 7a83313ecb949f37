// SPDX-License-Identifier: GPL-2.0
/* The CPUID values of a TD, as TDH.MNG.INIT sets them by the table. */
#include <string.h>

#include "td.h"
#include "td_cpuid.h"

enum release cpuid_release(const struct tdx_module *m)
{
	return has_feature(m, FEATURE_VE_REDUCTION) ? ONLY_2_0 : ONLY_1_5;
}

static int find_row(const struct tdx_module *m, u32 leaf, u32 subleaf)
{
	return cpuid_find_row(cpuid_release(m), leaf, subleaf);
}

/* Whether the CPU's own value counts for the field. */
static bool is_native(const struct cpuid_field *f)
{
	return f->how == NATIVE || f->how == ALLOWED;
}

void cpuid_read_native(struct tdx_module *m)
{
	unsigned int i, j, n = cpuid_num_rows();

	m->native_cpuid = g_malloc0(n * sizeof(m->native_cpuid[0]));
	for (i = 0; i < n; i++) {
		const struct cpuid_row *r = &cpuid_rows[i];
		u32 subleaf = r->subleaf == NO_SUBLEAF ? 0 : r->subleaf;
		u32 *native = m->native_cpuid[i];

		m->ops.cpuid(m->opaque, r->leaf, subleaf, native);
		for (j = 0; j < r->num_fields; j++) {
			const struct cpuid_field *f = &r->fields[j];

			if (is_native(f) && cpuid_has_field(r, f))
				native[f->reg] |= f->value << f->lsb;
		}
	}
}

static const u32 *native_leaf(const struct tdx_module *m, u32 leaf, u32 subleaf)
{
	return m->native_cpuid[find_row(m, leaf, subleaf)];
}

u32 cpuid_native_version(const struct tdx_module *m)
{
	return native_leaf(m, 1, 0)[EAX];
}

u64 cpuid_supported_xfam(const struct tdx_module *m)
{
	const u32 *user = native_leaf(m, 0xd, 0);
	const u32 *supervisor = native_leaf(m, 0xd, 1);

	return (XFAM_USER | XFAM_SUPERVISOR) &
	       (user[EAX] | (u64)user[EDX] << 32 |
		supervisor[ECX] | (u64)supervisor[EDX] << 32);
}

unsigned int cpuid_num_configs(const struct tdx_module *m)
{
	return cpuid_num_slots(cpuid_release(m));
}

u64 cpuid_config_leaf(const struct tdx_module *m, unsigned int i)
{
	const struct cpuid_row *r = cpuid_find_slot(cpuid_release(m), i);

	return r->leaf | (u64)r->subleaf << 32;
}

/* The bits of the field that the host may set. */
static u32 configurable(const struct cpuid_field *f, u32 native)
{
	if (f->how == CONFIGURED)
		return cpuid_field_mask(f);
	return f->how == ALLOWED ? cpuid_field_mask(f) & native : 0;
}

void cpuid_config_value(const struct tdx_module *m, unsigned int i,
			u32 value[NUM_CPUID_REGS])
{
	const struct cpuid_row *r = cpuid_find_slot(cpuid_release(m), i);
	const u32 *native = m->native_cpuid[r - cpuid_rows];
	const struct cpuid_field *f;

	memset(value, 0, NUM_CPUID_REGS * sizeof(value[0]));
	for (f = r->fields; f < r->fields + r->num_fields; f++)
		if (cpuid_has_field(r, f))
			value[f->reg] |= configurable(f, native[f->reg]);
}

u32 cpuid_xsave_size(const struct tdx_module *m, u64 features, bool compacted)
{
	const u32 legacy_and_header = 512 + 64, aligned = 2;
	u32 size = legacy_and_header;
	unsigned int i;

	for (i = 2; i < 63; i++) {
		const u32 *component;

		if (!(features & BIT(i)))
			continue;
		component = native_leaf(m, 0xd, i);
		if (!compacted) {
			size = MAX(size, component[EAX] + component[EBX]);
			continue;
		}
		if (component[ECX] & aligned)
			size = (size + 63) & ~63u;
		size += component[EAX];
	}
	return size;
}

static bool is_zero(const u32 v[NUM_CPUID_REGS])
{
	return !(v[EAX] | v[EBX] | v[ECX] | v[EDX]);
}

static void clear(u32 v[NUM_CPUID_REGS])
{
	memset(v, 0, NUM_CPUID_REGS * sizeof(v[0]));
}

/* Fields that are calculated, and leaves that depend on other leaves. */
static void calculate(const struct td *td, const struct cpuid_row *r,
		      u32 v[NUM_CPUID_REGS])
{
	switch (r->leaf) {
	case 5:
		if (!cpuid_bit(td, CPUID_MONITOR))
			clear(v);
		break;
	case 0xd:
		if (r->subleaf == 0) {
			v[EAX] = td->xfam & XFAM_USER;
			v[ECX] = cpuid_xsave_size(td->m, td->xfam & XFAM_USER,
						  false);
		} else if (r->subleaf > 1 && !(td->xfam & BIT(r->subleaf))) {
			clear(v);
		}
		break;
	case 0x15:
		v[EBX] = td->tsc_frequency;
		break;
	case 0x1a:
		if (td->attributes & TD_ATTR_MIGRATABLE)
			v[EAX] = 0;
		break;
	case 0x23:
		if (!cpuid_bit(td, CPUID_PERFMON_EXT))
			clear(v);
		break;
	case 0x80000008:
		v[EAX] |= (cpuid_bit(td, CPUID_LA57) ? 57 : 48) << 8;
		if (td->config_flags & CONFIG_MAXGPA_VIRT)
			v[EAX] |= gpa_width(td) << 16;
		break;
	}
}

/* What the host asks for in the slot of @r; all zero without a slot. */
static const u32 *wanted(const struct cpuid_row *r, const struct td_params *p)
{
	static const u32 none[NUM_CPUID_REGS];

	return r->slot ? p->cpuid[r->slot - 1] : none;
}

static bool wants_topology(const struct td_params *p)
{
	unsigned int i;

	for (i = 0; i < cpuid_num_rows(); i++)
		if (cpuid_rows[i].leaf == 0x1f &&
		    !is_zero(wanted(&cpuid_rows[i], p)))
			return true;
	return false;
}

/* Whether a register that the host may configure shows the CPU's own value. */
static bool keeps_native(const struct td *td, const struct cpuid_row *r,
			 enum cpuid_reg reg, const struct td_params *p)
{
	switch (r->leaf) {
	case 1:		/* 0 asks for the CPU's family, model and stepping */
		return reg == EAX && !wanted(r, p)[EAX];
	case 0x80000008:	/* so does 0 for the address width */
		return !(td->config_flags & CONFIG_MAXPA_VIRT) ||
		       !(wanted(r, p)[EAX] & 0xff);
	case 0x1f:	/* one topology, described by six subleaves */
		return !wants_topology(p);
	}
	return false;
}

/* The field's bits; the others are 0. */
static u32 field_value(const struct td *td, const struct cpuid_field *f,
		       u32 native, u32 host, bool keep)
{
	u32 mask = cpuid_field_mask(f);

	if (!td_allows(td, f->xfam, f->attributes))
		return 0;
	switch (f->how) {
	case FIXED:
		return f->value << f->lsb;
	case CALCULATED:
		return 0;
	case NATIVE:
		return native & mask;
	case CONFIGURED:
		return (keep ? native : host) & mask;
	case ALLOWED:
		return native & host & mask;
	}
	return 0;
}

/* One leaf; false if the host asks for bits that it can't have. */
static bool build_row(struct td *td, const struct cpuid_row *r,
		      const struct td_params *p)
{
	const u32 *native = td->m->native_cpuid[r - cpuid_rows];
	const u32 *host = wanted(r, p);
	u32 *value = td->cpuid[r - cpuid_rows], may[NUM_CPUID_REGS] = { 0 };
	const struct cpuid_field *f;
	enum cpuid_reg reg;

	for (f = r->fields; f < r->fields + r->num_fields; f++) {
		if (!cpuid_has_field(r, f))
			continue;
		reg = f->reg;
		may[reg] |= configurable(f, native[reg]);
		value[reg] |= field_value(td, f, native[reg], host[reg],
					  keeps_native(td, r, reg, p));
	}
	for (reg = EAX; reg <= EDX; reg++)
		if (host[reg] & ~may[reg])
			return false;
	if (!td_allows(td, r->xfam, r->attributes))
		clear(value);
	calculate(td, r, value);
	return true;
}

enum level { LEVEL_NONE, LEVEL_SMT, LEVEL_CORE };

#define NUM_LEVELS	6	/* subleaves of leaf 0x1f */

static enum level level_type(const u32 v[NUM_CPUID_REGS])
{
	return v[ECX] >> 8 & 0xff;
}

/*
 * Whether the host's leaf 0x1f makes sense: the levels ascend, only subleaf 0
 * has threads, there are cores, and nothing follows the end.
 */
static bool topology_valid(const struct td *td)
{
	bool has_cores = false, ended = false;
	enum level type, before = LEVEL_NONE;
	unsigned int i;

	for (i = 0; i < NUM_LEVELS; i++) {
		const u32 *v = cpuid_lookup(td, 0x1f, i, false);

		type = level_type(v);
		if ((v[ECX] & 0xff) != i && !is_zero(v))
			return false;
		if (type == LEVEL_NONE) {
			ended = true;
			continue;
		}
		if (ended || type <= before || (type == LEVEL_SMT && i))
			return false;
		has_cores |= type == LEVEL_CORE;
		before = type;
	}
	return has_cores;
}

/* Leaf 0xb has two levels: threads, and everything in the package. */
static void derive_leaf_b(struct td *td)
{
	const u32 *smt = cpuid_lookup(td, 0x1f, 0, false), *last = smt;
	u32 (*b)[NUM_CPUID_REGS] = &td->cpuid[find_row(td->m, 0xb, 0)];
	unsigned int i;

	for (i = 1; i < NUM_LEVELS; i++) {
		const u32 *v = cpuid_lookup(td, 0x1f, i, false);

		if (level_type(v) != LEVEL_NONE)
			last = v;
	}
	memset(b, 0, 3 * sizeof(*b));
	memcpy(b[0], smt, 3 * sizeof(u32));	/* EAX, EBX, ECX */
	if (last != smt) {
		b[1][EAX] = last[EAX];
		b[1][EBX] = last[EBX];
		b[1][ECX] = LEVEL_CORE << 8 | 1;
	}
	b[2][ECX] = 2;
}

u64 cpuid_build(struct td *td, const struct td_params *p, u64 *bad)
{
	enum release release = cpuid_release(td->m);
	unsigned int i;

	*bad = 0;
	for (i = cpuid_num_configs(td->m); i < TD_PARAMS_CPUID_SLOTS; i++)
		if (!is_zero(p->cpuid[i]))
			return status(TDX_OPERAND_INVALID, TDX_OP_RDX);

	g_free(td->cpuid);
	td->cpuid = g_malloc0(cpuid_num_rows() * sizeof(td->cpuid[0]));
	for (i = 0; i < cpuid_num_rows(); i++) {
		const struct cpuid_row *r = &cpuid_rows[i];

		if (r->release != ANY_RELEASE && r->release != release)
			continue;
		*bad = r->leaf | (u64)r->subleaf << 32;
		if (!build_row(td, r, p))
			return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
	}
	*bad = 7;
	if (cpuid_bit(td, CPUID_HLE) != cpuid_bit(td, CPUID_RTM))
		return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
	*bad = 0;
	if (!wants_topology(p))
		return 0;
	if (!topology_valid(td))
		return status(TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, 0);
	derive_leaf_b(td);
	return 0;
}

const u32 *cpuid_lookup(const struct td *td, u32 leaf, u32 subleaf,
			bool no_subleaf)
{
	int i = find_row(td->m, leaf, subleaf);

	if (i < 0 || (cpuid_rows[i].subleaf == NO_SUBLEAF) != no_subleaf)
		return NULL;
	return td->cpuid[i];
}

bool cpuid_bit(const struct td *td, u32 leaf, u32 subleaf, enum cpuid_reg reg,
	       unsigned int bit)
{
	return td->cpuid[find_row(td->m, leaf, subleaf)][reg] >> bit & 1;
}
