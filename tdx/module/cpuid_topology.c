// SPDX-License-Identifier: GPL-2.0
/* A TD's topology: leaf 0x1f, and leaf 0xb which follows from it. */
#include <string.h>

#include "td.h"
#include "td_cpuid.h"

enum level { LEVEL_NONE, LEVEL_SMT, LEVEL_CORE, LEVEL_MAX = 6 };

#define NUM_LEVELS	6	/* subleaves of leaf 0x1f */

static enum level level_type(const u32 v[NUM_CPUID_REGS])
{
	return v[ECX] >> 8 & 0xff;
}

static u32 level_number(const u32 v[NUM_CPUID_REGS])
{
	return v[ECX] & 0xff;
}

static u32 level_ecx(enum level type, u32 number)
{
	return type << 8 | number;
}

/* The values of a subleaf in the TD. */
static u32 *subleaf(const struct td *td, u32 leaf, u32 number)
{
	return td->cpuid[cpuid_find_row(td->m->profile->cpuid, leaf, number)];
}

/* If the host describes no topology, the TD has the CPU's. */
static void take_native(struct td *td)
{
	const struct cpuid_table *t = td->m->profile->cpuid;
	unsigned int i;

	for (i = 0; i < NUM_LEVELS; i++)
		if (!all_zero(subleaf(td, 0x1f, i),
			      NUM_CPUID_REGS * sizeof(u32)))
			return;
	for (i = 0; i < NUM_LEVELS; i++)
		memcpy(subleaf(td, 0x1f, i),
		       td->m->native_cpuid[cpuid_find_row(t, 0x1f, i)],
		       NUM_CPUID_REGS * sizeof(u32));
}

/*
 * Whether leaf 0x1f makes sense: subleaf 0 is there, a type is higher than that of
 * the subleaf before, only subleaf 0 has threads, and a subleaf without a type
 * comes after the cores.
 */
static bool is_valid(const struct td *td)
{
	enum level type, before = LEVEL_NONE;
	bool has_cores = false;
	unsigned int i;

	for (i = 0; i < NUM_LEVELS; i++, before = type) {
		const u32 *v = subleaf(td, 0x1f, i);

		type = level_type(v);
		if (type == LEVEL_NONE) {
			if (!i || !has_cores)
				return false;
			continue;
		}
		if (type <= before || type >= LEVEL_MAX || level_number(v) != i ||
		    (type == LEVEL_SMT && i))
			return false;
		has_cores |= type == LEVEL_CORE;
	}
	return true;
}

/* Leaf 0xb has two levels: threads, and everything in the package. */
static void derive_leaf_b(struct td *td)
{
	const u32 *first = subleaf(td, 0x1f, 0), *last = first;
	unsigned int i, level = 0;

	for (i = 1; i < NUM_LEVELS; i++)
		if (level_type(subleaf(td, 0x1f, i)) != LEVEL_NONE)
			last = subleaf(td, 0x1f, i);
	if (level_type(first) == LEVEL_SMT)
		memcpy(subleaf(td, 0xb, level++), first,
		       NUM_CPUID_REGS * sizeof(u32));
	memcpy(subleaf(td, 0xb, level), last, NUM_CPUID_REGS * sizeof(u32));
	subleaf(td, 0xb, level)[ECX] = level_ecx(LEVEL_CORE, level);
	while (++level < 3) {
		u32 *v = subleaf(td, 0xb, level);

		memset(v, 0, NUM_CPUID_REGS * sizeof(u32));
		if (td->m->profile->cpuid->numbers_last_levels)
			v[ECX] = level_ecx(LEVEL_NONE, level);
	}
}

u64 cpuid_build_topology(struct td *td)
{
	take_native(td);
	if (!is_valid(td))
		return status(TDX_CPUID_LEAF_1F_FORMAT_UNRECOGNIZED, 0);
	derive_leaf_b(td);
	return 0;
}
