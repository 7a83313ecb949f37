// SPDX-License-Identifier: GPL-2.0
/* The CPUID and MSR tables are complete and without contradiction. */
#include <glib.h>

#include "../cpuid_table.h"
#include "../msr_table.h"
#include "tests.h"

static const struct cpuid_table *const tables[] = {
	&cpuid_1_5_06, &cpuid_1_5_28, &cpuid_2_0_08,
};

static void check_row(const struct cpuid_table *t, const struct cpuid_row *row)
{
	uint32_t seen[NUM_CPUID_REGS] = { 0 };
	unsigned int i;

	for (i = 0; i < row->num_fields; i++) {
		const struct cpuid_field *f = &row->fields[i];
		uint32_t mask = cpuid_field_mask(f);

		if (!cpuid_has_field(t, f))
			continue;
		g_assert_nonnull(f->name);
		if (seen[f->reg] & mask)
			g_test_fail_printf("leaf 0x%x.%u: \"%s\" overlaps",
					   row->leaf, row->subleaf, f->name);
		if (f->value << f->lsb & ~mask ||
		    (f->value << f->lsb) >> f->lsb != f->value)
			g_test_fail_printf("leaf 0x%x.%u: value of \"%s\"",
					   row->leaf, row->subleaf, f->name);
		seen[f->reg] |= mask;
	}
	for (i = 0; i < NUM_CPUID_REGS; i++)
		if (seen[i] != ~0u)
			g_test_fail_printf("leaf 0x%x.%u: E%cX lacks 0x%x",
					   row->leaf, row->subleaf, "ABCD"[i],
					   ~seen[i]);
}

static void each_row(void (*check)(const struct cpuid_table *t,
				   const struct cpuid_row *row))
{
	const struct cpuid_row *row;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(tables); i++)
		for (row = tables[i]->rows;
		     row < tables[i]->rows + tables[i]->num_rows; row++)
			if (cpuid_has_row(tables[i], row))
				check(tables[i], row);
}

static void cpuid_fields(void)
{
	each_row(check_row);
}

static void check_found(const struct cpuid_table *t, const struct cpuid_row *row)
{
	g_assert_cmpint(cpuid_find_row(t, row->leaf, row->subleaf), ==,
			row - t->rows);
}

/* A leaf's row is found, and no other row hides it. */
static void cpuid_rows_found(void)
{
	each_row(check_found);
	g_assert_cmpint(cpuid_find_row(&cpuid_1_5_06, 0x24, 0), ==, -1);
	g_assert_cmpint(cpuid_find_row(&cpuid_1_5_06, 9, 0), ==, -1);
	g_assert_cmpint(cpuid_find_row(&cpuid_1_5_06, 0x18, 0), ==, -1);
	g_assert_cmpint(cpuid_find_row(&cpuid_1_5_28, 9, 0), !=, -1);
	g_assert_cmpint(cpuid_find_row(&cpuid_2_0_08, 0x18, 0), !=, -1);
}

static void check_slot(const struct cpuid_table *t, const struct cpuid_row *row)
{
	unsigned int i;

	for (i = 0; i < row->num_fields; i++)
		if ((row->fields[i].how == CONFIGURED ||
		     row->fields[i].how == ALLOWED) &&
		    cpuid_has_field(t, &row->fields[i]))
			g_assert_cmpuint(row->slot, !=, 0);
}

/* Leaves 0xa and 0x19 have a slot in which nothing can be set. */
static void cpuid_slots(void)
{
	static const unsigned int slots[] = { 18, 28, 28 };
	unsigned int i, t;

	for (t = 0; t < G_N_ELEMENTS(tables); t++) {
		g_assert_cmpuint(tables[t]->num_slots, ==, slots[t]);
		for (i = 0; i < slots[t]; i++)
			g_assert_cmpuint(cpuid_find_slot(tables[t], i)->slot, ==,
					 i + 1);
	}
	each_row(check_slot);
}

static void msr_order(void)
{
	struct tdx_profile latest = { .cpuid = &cpuid_2_0_08 };
	unsigned int i;

	for (i = 0; i < msr_num_rows(); i++) {
		const struct msr_row *r = &msr_rows[i];

		g_assert_nonnull(r->name);
		g_assert_cmphex(r->first, <=, r->last);
		g_assert_true(r->last < 0x2000 ||
			      (r->first >= 0xc0000000 && r->last < 0xc0002000));
		if (i)
			g_assert_cmphex(msr_rows[i - 1].last, <, r->first);
		g_assert_true(msr_find_row(&latest, r->first) == r);
		g_assert_true(msr_find_row(&latest, r->last) == r);
	}
}

/* Release 1.5 has no REDUCE_VE, so no rule that depends on it. */
static void msr_rules(void)
{
	unsigned int i;

	for (i = 0; i < msr_num_rows(); i++) {
		const struct msr_access *old = &msr_rows[i].v1_5;

		g_assert_true(old->read < R_GP || old->read > R_SPECIAL);
		g_assert_true(old->write < R_GP || old->write > R_SPECIAL);
		g_assert_cmpint(old->write, !=, VALUE);
		g_assert_cmpint(msr_rows[i].v2_0.write, !=, R_VALUE);
	}
}

void add_table_tests(void)
{
	g_test_add_func("/tables/each bit of each CPUID register has one field",
			cpuid_fields);
	g_test_add_func("/tables/each CPUID leaf is found in its releases",
			cpuid_rows_found);
	g_test_add_func("/tables/each leaf that can be configured has a slot",
			cpuid_slots);
	g_test_add_func("/tables/MSRs ascend and don't overlap", msr_order);
	g_test_add_func("/tables/MSR rules fit their release", msr_rules);
}
