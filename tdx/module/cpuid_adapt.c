// SPDX-License-Identifier: GPL-2.0
/* A table of CPUID that differs in some bits from a release's. */
#include <glib.h>
#include <string.h>

#include "cpuid_adapt.h"

/* The table's own rows and fields, which its users only read. */
static struct cpuid_row *rows_of(struct cpuid_table *t)
{
	return (struct cpuid_row *)t->rows;
}

static const struct cpuid_field *copy_fields(const struct cpuid_field *fields,
					     unsigned int num)
{
	struct cpuid_field *copy = g_new(struct cpuid_field, num);

	if (num)
		memcpy(copy, fields, num * sizeof(*copy));
	return copy;
}

struct cpuid_table *cpuid_table_copy(const struct cpuid_table *t)
{
	struct cpuid_table *copy = g_new(struct cpuid_table, 1);
	struct cpuid_row *rows = g_new0(struct cpuid_row, CPUID_MAX_ROWS);
	unsigned int i;

	memcpy(rows, t->rows, t->num_rows * sizeof(*rows));
	for (i = 0; i < t->num_rows; i++) {
		rows[i].fields = copy_fields(rows[i].fields, rows[i].num_fields);
		/* Slots of later releases. */
		if (rows[i].slot > t->num_slots)
			rows[i].slot = 0;
	}
	*copy = *t;
	copy->rows = rows;
	return copy;
}

void cpuid_table_free(struct cpuid_table *t)
{
	unsigned int i;

	for (i = 0; i < t->num_rows; i++)
		g_free((void *)t->rows[i].fields);
	g_free(rows_of(t));
	g_free(t);
}

static struct cpuid_row *find_or_add(struct cpuid_table *t, uint32_t leaf,
				     uint32_t subleaf)
{
	int i = cpuid_find_row(t, leaf, subleaf);

	if (i >= 0)
		return &rows_of(t)[i];
	if (t->num_rows == CPUID_MAX_ROWS)
		return NULL;
	rows_of(t)[t->num_rows] = (struct cpuid_row){ .leaf = leaf, .subleaf = subleaf };
	return &rows_of(t)[t->num_rows++];
}

/* The field @f as it is for one bit. */
static struct cpuid_field one_bit(const struct cpuid_field *f, unsigned int bit,
				  uint32_t value)
{
	struct cpuid_field one = *f;

	one.msb = one.lsb = bit;
	one.value = value >> bit & 1;
	return one;
}

/* Adds a field for each bit of @mask. */
static void add_bits(GArray *fields, const struct cpuid_field *f, uint32_t mask,
		     uint32_t value)
{
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		struct cpuid_field one = one_bit(f, bit, value);

		if (mask >> bit & 1)
			g_array_append_val(fields, one);
	}
}

bool cpuid_adapt(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf,
		 const struct cpuid_field *f, uint32_t mask)
{
	struct cpuid_row *r = find_or_add(t, leaf, subleaf);
	const struct cpuid_field *old;
	GArray *fields;

	if (!r || (f->how == CONFIGURED && !r->slot &&
		   t->num_slots == TD_PARAMS_CPUID_SLOTS))
		return false;
	if (f->how == CONFIGURED && !r->slot)
		r->slot = ++t->num_slots;
	fields = g_array_new(false, false, sizeof(struct cpuid_field));
	for (old = r->fields; old < r->fields + r->num_fields; old++) {
		if (old->reg != f->reg || !(cpuid_field_mask(old) & mask))
			g_array_append_vals(fields, old, 1);
		else if (cpuid_has_field(t, old))
			add_bits(fields, old, cpuid_field_mask(old) & ~mask,
				 old->value << old->lsb);
	}
	add_bits(fields, f, mask, f->value);
	g_free((void *)r->fields);
	r->num_fields = fields->len;
	r->fields = (struct cpuid_field *)g_array_free(fields, false);
	r->releases = 0;
	r->faulting = 0;
	return true;
}

bool cpuid_adapt_faults(struct cpuid_table *t, uint32_t leaf, uint32_t subleaf,
			bool always, uint32_t as)
{
	int i = cpuid_find_row(t, leaf, subleaf);

	if (i < 0)
		return false;
	rows_of(t)[i].faulting = always ? t->release : 0;
	rows_of(t)[i].faults_as = as;
	return true;
}
