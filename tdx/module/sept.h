/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The secure EPT, which maps a TD's private memory.  Levels count as in the ABI:
 * 0 maps 4 KiB, 1 maps 2 MiB, and so on.
 */
#ifndef TDX_SEPT_H
#define TDX_SEPT_H

#include "model.h"

#define LEVEL_SHIFT(level)	(12 + 9 * (level))
#define LEVEL_SIZE(level)	(1ull << LEVEL_SHIFT(level))
#define MAX_LEAF_LEVEL		1
#define MAX_LEVEL		4

/* Level of the entries in the topmost table, private and shared: 3 or 4. */
static inline unsigned int sept_root_level(const struct td *td)
{
	return td->eptp_controls >> 3 & 7;
}

/* Index of @gpa in its table of entries at @level. */
static inline unsigned int sept_index(u64 gpa, unsigned int level)
{
	return (gpa >> LEVEL_SHIFT(level)) % SEPT_ENTRIES;
}

/* Whether the entry is for a page, and neither free nor for a table. */
static inline bool sept_is_leaf(const struct sept_entry *e)
{
	return e->state != SEPT_FREE && !(e->state & SEPT_NON_LEAF);
}

static inline bool sept_is_blocked(const struct sept_entry *e)
{
	return e->state == SEPT_BLOCKED || e->state == SEPT_PENDING_BLOCKED ||
	       e->state == SEPT_NL_BLOCKED;
}

/*
 * The entry that maps @gpa at @level, or the last one on the way there; *found
 * is the level of the entry that is returned.
 */
struct sept_entry *sept_find(struct td *td, u64 gpa, unsigned int level,
			     unsigned int *found);

/* Whether the guest can access the private page at @gpa, so that it is accepted. */
bool sept_has_page(struct td *td, u64 gpa);

/* The lowest GPA that is mapped and accepted, or NO_GPA. */
#define NO_GPA	(~0ull)
u64 sept_any_mapped(struct td *td);

/* Frees all tables. */
void sept_free(struct td *td);

#endif /* TDX_SEPT_H */
