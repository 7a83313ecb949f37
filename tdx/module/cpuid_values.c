// SPDX-License-Identifier: GPL-2.0
/* The CPUID values of a TD, as TDH.MNG.INIT sets them by the table. */
#include <string.h>

#include "profiles.h"
#include "td.h"
#include "td_cpuid.h"

static int find_row(const struct tdx_module *m, u32 leaf, u32 subleaf)
{
	return cpuid_find_row(m->profile->cpuid, leaf, subleaf);
}

/* The bits of the field that the CPU's own value decides, or the host within it. */
static u32 from_cpu(const struct cpuid_field *f)
{
	return f->how == FIXED || f->how == CALCULATED ? 0 : cpuid_field_mask(f);
}

/* Bits of the field that are 1 whatever the emulated CPU has. */
static u32 always_set(const struct cpuid_field *f)
{
	return f->how == CONFIGURED ? 0 : f->value << f->lsb;
}

static void read_native_row(struct tdx_module *m, const struct cpuid_row *r,
			    u32 native[NUM_CPUID_REGS])
{
	u32 subleaf = r->subleaf == NO_SUBLEAF ? 0 : r->subleaf;
	u32 of_cpu[NUM_CPUID_REGS];
	const struct cpuid_field *f;

	m->ops.cpuid(m->opaque, r->leaf, subleaf, of_cpu);
	for (f = r->fields; f < r->fields + r->num_fields; f++)
		if (cpuid_has_field(m->profile->cpuid, f))
			native[f->reg] |= (of_cpu[f->reg] & from_cpu(f)) |
					  always_set(f);
	if (r->leaf == 1)
		m->family_model_stepping = of_cpu[EAX];
}

void cpuid_read_native(struct tdx_module *m)
{
	const struct cpuid_table *t = m->profile->cpuid;
	unsigned int i;

	m->native_cpuid = g_malloc0(t->num_rows * sizeof(m->native_cpuid[0]));
	for (i = 0; i < t->num_rows; i++)
		if (cpuid_has_row(t, &t->rows[i]))
			read_native_row(m, &t->rows[i], m->native_cpuid[i]);
}

static const u32 *native_leaf(const struct tdx_module *m, u32 leaf, u32 subleaf)
{
	return m->native_cpuid[find_row(m, leaf, subleaf)];
}

u64 cpuid_supported_xfam(const struct tdx_module *m)
{
	const u32 *user = native_leaf(m, 0xd, 0);
	const u32 *supervisor = native_leaf(m, 0xd, 1);

	return (XFAM_USER | XFAM_SUPERVISOR) & ~m->profile->xfam_lacks &
	       (user[EAX] | (u64)user[EDX] << 32 |
		supervisor[ECX] | (u64)supervisor[EDX] << 32);
}

static bool native_bit(const struct tdx_module *m, u32 leaf, u32 subleaf,
		       enum cpuid_reg reg, unsigned int bit)
{
	return native_leaf(m, leaf, subleaf)[reg] >> bit & 1;
}

u64 cpuid_supported_attributes(const struct tdx_module *m)
{
	return m->profile->attributes &
	       ~(native_bit(m, CPUID_LASS) ? 0 : TD_ATTR_LASS);
}

unsigned int cpuid_num_configs(const struct tdx_module *m)
{
	return m->profile->cpuid->num_slots;
}

u64 cpuid_config_leaf(const struct tdx_module *m, unsigned int i)
{
	const struct cpuid_row *r = cpuid_find_slot(m->profile->cpuid, i);

	return r->leaf | (u64)r->subleaf << 32;
}

/* The bits of the field that the host may set, on a CPU that has all of @native. */
static u32 configurable(const struct cpuid_field *f, u32 native)
{
	if (f->how == CONFIGURED)
		return cpuid_field_mask(f);
	return f->how == ALLOWED ? cpuid_field_mask(f) & native : 0;
}

void cpuid_config_value(const struct tdx_module *m, unsigned int i,
			u32 value[NUM_CPUID_REGS])
{
	const struct cpuid_table *t = m->profile->cpuid;
	const struct cpuid_row *r = cpuid_find_slot(t, i);
	const u32 *native = m->native_cpuid[r - t->rows];
	const struct cpuid_field *f;

	memset(value, 0, NUM_CPUID_REGS * sizeof(value[0]));
	for (f = r->fields; f < r->fields + r->num_fields; f++)
		if (cpuid_has_field(t, f))
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

static void clear(u32 v[NUM_CPUID_REGS])
{
	memset(v, 0, NUM_CPUID_REGS * sizeof(v[0]));
}

/* EAX of the TD's leaf 0x80000008. */
#define PHYSICAL_BITS		0xffu
#define LINEAR_SHIFT		8
#define GUEST_PHYSICAL_SHIFT	16

/* The narrowest physical address that a TD may see. */
#define MIN_PHYSICAL_BITS	45

/* Leaf 0x80000008: the widths of addresses.  False if the host asks for a wrong one. */
static bool calculate_widths(const struct td *td, u32 v[NUM_CPUID_REGS])
{
	u32 native = native_leaf(td->m, 0x80000008, 0)[EAX] & PHYSICAL_BITS;
	u32 most = MIN(native, gpa_width(td)), asked = v[EAX] & PHYSICAL_BITS;
	u32 linear = cpuid_bit(td, CPUID_LA57) ? 57 : 48;

	if (td->config_flags & CONFIG_MAXGPA_VIRT) {
		v[EAX] = native | most << GUEST_PHYSICAL_SHIFT;
	} else if (td->config_flags & CONFIG_MAXPA_VIRT) {
		if (asked && (asked < MIN_PHYSICAL_BITS || asked > most))
			return false;
		v[EAX] = asked ? asked : most;
	} else {
		v[EAX] = native;
	}
	v[EAX] |= linear << LINEAR_SHIFT;
	return true;
}

/* A subleaf of leaf 0x23, which has those that EAX of subleaf 0 says. */
static bool perfmon_subleaf_is_there(const struct td *td, u32 subleaf)
{
	return cpuid_bit(td, CPUID_PERFMON_EXT) &&
	       (!subleaf || !td->m->profile->cpuid->perfmon_subleaves_are_gated ||
		cpuid_bit(td, 0x23, 0, EAX, subleaf));
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
			v[EAX] &= td->xfam & XFAM_USER;
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
			clear(v);
		break;
	case 0x23:
		if (!perfmon_subleaf_is_there(td, r->subleaf))
			clear(v);
		break;
	}
}

/* What the host asks for in the slot of @r; all zero without a slot. */
static const u32 *wanted(const struct cpuid_row *r, const struct td_params *p)
{
	static const u32 none[NUM_CPUID_REGS];

	return r->slot ? p->cpuid[r->slot - 1] : none;
}

/* The field's bits; the others are 0. */
static u32 field_value(const struct td *td, const struct cpuid_field *f,
		       u32 native, u32 host)
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
		return host & mask;
	case ALLOWED:
		return native & host & mask;
	}
	return 0;
}

/*
 * One leaf; false if the host asks for bits that no CPU would give it.  What only
 * this CPU lacks may be asked for, and stays 0.
 */
static bool build_row(struct td *td, const struct cpuid_row *r,
		      const struct td_params *p)
{
	const struct cpuid_table *t = td->m->profile->cpuid;
	const u32 *native = td->m->native_cpuid[r - t->rows];
	const u32 *host = wanted(r, p);
	u32 *value = td->cpuid[r - t->rows], may[NUM_CPUID_REGS] = { 0 };
	const struct cpuid_field *f;
	enum cpuid_reg reg;

	for (f = r->fields; f < r->fields + r->num_fields; f++) {
		if (!cpuid_has_field(t, f))
			continue;
		reg = f->reg;
		may[reg] |= configurable(f, ~0u);
		value[reg] |= field_value(td, f, native[reg], host[reg]);
	}
	for (reg = EAX; reg <= EDX; reg++)
		if (host[reg] & ~may[reg])
			return false;
	if (!td_allows(td, r->xfam, r->attributes))
		clear(value);
	calculate(td, r, value);
	return true;
}

/* EAX of leaf 1. */
#define STEPPING		0xfu
#define FAMILY_6(model)		(((model) & 0xfu) << 4 | 6 << 8 | ((model) & 0xf0u) << 12)

/*
 * The CPUs that a release knows, the newest first, and the latest stepping of each in
 * 1.5.06 and in later releases.
 */
static const struct { u32 model; u8 early, late; } cpus[] = {
	{ CLEARWATER_FOREST, 0, 1 }, { GRANITE_RAPIDS_D, 0, 1 },
	{ GRANITE_RAPIDS, 0, 1 }, { SIERRA_FOREST, 3, 3 },
	{ EMERALD_RAPIDS, 2, 2 }, { SAPPHIRE_RAPIDS, 8, 8 },
};

static bool is_cpu(u32 eax, unsigned int i)
{
	return i < ARRAY_SIZE(cpus) && (eax & ~STEPPING) == FAMILY_6(cpus[i].model);
}

/*
 * Whether a TD on this platform can be moved from or to a CPU of that family, model
 * and stepping: the platform's own, or an older one.
 */
static bool can_move(const struct td *td, u32 eax)
{
	bool early = td->m->profile->cpuid->release == R_1_5_06;
	u32 platform = td->m->family_model_stepping;
	unsigned int i = 0;

	while (i < ARRAY_SIZE(cpus) && !is_cpu(platform, i))
		i++;
	if (is_cpu(eax, i) && (eax & STEPPING) > (platform & STEPPING))
		return false;
	while (i < ARRAY_SIZE(cpus) && !is_cpu(eax, i))
		i++;
	return i < ARRAY_SIZE(cpus) &&
	       (eax & STEPPING) <= (early ? cpus[i].early : cpus[i].late);
}

/* Leaf 1: 0 asks for the platform's family, model and stepping. */
static bool set_family(const struct td *td, u32 v[NUM_CPUID_REGS])
{
	u32 platform = td->m->family_model_stepping;

	if (!v[EAX])
		v[EAX] = platform;
	return td->attributes & TD_ATTR_MIGRATABLE ? can_move(td, v[EAX]) :
						     v[EAX] == platform;
}

/*
 * What a leaf needs beyond the right bits.  *bad is the leaf, and is kept if a value
 * in it is at fault.
 */
static u64 check_row(struct td *td, const struct cpuid_row *r, u64 *bad)
{
	u32 *value = td->cpuid[r - td->m->profile->cpuid->rows];

	if (r->leaf == 1 && !set_family(td, value))
		return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
	if (r->leaf == 7 && !r->subleaf) {
		if (cpuid_bit(td, CPUID_HLE) != cpuid_bit(td, CPUID_RTM))
			return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
		*bad = 0;
		if (cpuid_bit(td, CPUID_HLE) &&
		    !(td->m->platform.arch_capabilities & ARCH_CAP_TSX_CTRL))
			return status(TDX_INCORRECT_MSR_VALUE,
				      MSR_ARCH_CAPABILITIES);
	}
	*bad = 0;
	if (r->leaf == 0x80000008 && !calculate_widths(td, value))
		return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
	return 0;
}

static u64 build_rows(struct td *td, const struct td_params *p, u64 *bad)
{
	const struct cpuid_table *t = td->m->profile->cpuid;
	const struct cpuid_row *r;
	u64 err;

	for (r = t->rows; r < t->rows + t->num_rows; r++) {
		if (!cpuid_has_row(t, r))
			continue;
		*bad = r->leaf | (u64)r->subleaf << 32;
		if (!build_row(td, r, p))
			return status(TDX_OPERAND_INVALID, TDX_OP_CPUID_CONFIG);
		err = check_row(td, r, bad);
		if (err)
			return err;
	}
	return 0;
}

u64 cpuid_build(struct td *td, const struct td_params *p, u64 *bad)
{
	const struct cpuid_table *t = td->m->profile->cpuid;
	unsigned int i;
	u64 err;

	*bad = 0;
	for (i = t->num_slots; i < TD_PARAMS_CPUID_SLOTS; i++)
		if (!all_zero(p->cpuid[i], sizeof(p->cpuid[i])))
			return status(TDX_OPERAND_INVALID, TDX_OP_RDX);

	g_free(td->cpuid);
	td->cpuid = g_malloc0(t->num_rows * sizeof(td->cpuid[0]));
	err = build_rows(td, p, bad);
	return err ? err : cpuid_build_topology(td);
}

const u32 *cpuid_lookup(const struct td *td, u32 leaf, u32 subleaf,
			bool no_subleaf)
{
	const struct cpuid_table *t = td->m->profile->cpuid;
	int i = cpuid_find_row(t, leaf, subleaf);

	if (i < 0 || cpuid_faults(t, &t->rows[i]) ||
	    (t->rows[i].subleaf == NO_SUBLEAF) != no_subleaf)
		return NULL;
	return td->cpuid[i];
}

bool cpuid_bit(const struct td *td, u32 leaf, u32 subleaf, enum cpuid_reg reg,
	       unsigned int bit)
{
	return td->cpuid[find_row(td->m, leaf, subleaf)][reg] >> bit & 1;
}
