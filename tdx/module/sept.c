// SPDX-License-Identifier: GPL-2.0
/* The secure EPT as a tree; see sept.h. */
#include "sept.h"

struct sept_entry *sept_find(struct td *td, u64 gpa, unsigned int level,
			     unsigned int *found)
{
	struct sept_table *table = &td->root;
	unsigned int l = sept_root_level(td);

	for (;; l--) {
		struct sept_entry *e = &table->entry[sept_index(gpa, l)];

		*found = l;
		if (l == level || e->state != SEPT_NL_MAPPED)
			return e;
		table = e->table;
	}
}

/* The first mapped page of @table, relative to where the table begins. */
static u64 mapped_below(const struct sept_table *table, unsigned int level)
{
	unsigned int i;
	u64 gpa;

	for (i = 0; i < SEPT_ENTRIES; i++) {
		const struct sept_entry *e = &table->entry[i];

		if (e->state == SEPT_MAPPED)
			return i * LEVEL_SIZE(level);
		if (e->state != SEPT_NL_MAPPED)
			continue;
		gpa = mapped_below(e->table, level - 1);
		if (gpa != NO_GPA)
			return i * LEVEL_SIZE(level) + gpa;
	}
	return NO_GPA;
}

u64 sept_any_mapped(struct td *td)
{
	return mapped_below(&td->root, sept_root_level(td));
}

bool sept_has_page(struct td *td, u64 gpa)
{
	unsigned int level;
	const struct sept_entry *e = sept_find(td, gpa, 0, &level);

	return e->state == SEPT_MAPPED;
}

static void free_table(struct sept_table *table)
{
	unsigned int i;

	for (i = 0; i < SEPT_ENTRIES; i++) {
		if (!table->entry[i].table)
			continue;
		free_table(table->entry[i].table);
		g_free(table->entry[i].table);
	}
}

void sept_free(struct td *td)
{
	free_table(&td->root);
}
