/* SPDX-License-Identifier: GPL-2.0 */
/* A table of CPUID that differs in some bits from a release's; see cpuid_table.h. */
#ifndef TDX_CPUID_ADAPT_H
#define TDX_CPUID_ADAPT_H

#include "cpuid_table.h"

/* A copy that can be changed, to be freed by cpuid_table_free(). */
struct cpuid_table *cpuid_table_copy(const struct cpuid_table *t);
void cpuid_table_free(struct cpuid_table *t);

/*
 * Makes each bit of @mask in register @f->reg a field like @f, with its bit of
 * @f->value.  The leaf is added if the table does not have it.  False if it has no
 * room for that, or TD_PARAMS for another configurable leaf.
 */
bool cpuid_adapt(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf,
		 const struct cpuid_field *f, uint32_t mask);

/*
 * Makes a leaf raise #VE where leaf @as does, or always, in which case it has no value
 * either.  False if the table does not have the leaf.
 */
bool cpuid_adapt_faults(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf,
			bool always, uint32_t as);

#endif /* TDX_CPUID_ADAPT_H */
