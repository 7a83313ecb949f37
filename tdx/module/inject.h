/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that are made to fail; tdx_inject_help has the syntax of a plan. */
#ifndef TDX_INJECT_H
#define TDX_INJECT_H

#include "leaf.h"

struct plan;

enum injection {
	INJECT_NOTHING, INJECT_STATUS, INJECT_INTERRUPTED, INJECT_NO_ENTROPY,
	INJECT_LINGER,
	INJECT_TRIPLE_FAULT, INJECT_NON_RECOVERABLE, INJECT_EPT_VIOLATION,
	INJECT_EPT_MISCONFIGURATION, INJECT_SMI, INJECT_BUS_LOCK, INJECT_NOTIFY,
};

/*
 * Parses a plan; @find_leaf returns the row of the leaf of that name, or NULL.
 * Returns NULL and a reason in *error if the plan is not valid.
 */
struct plan *plan_new(const char *text,
		      const struct leaf *(*find_leaf)(const char *name),
		      const char **error);

/* Frees a plan, which may be NULL. */
void plan_free(struct plan *p);

/*
 * Counts a call of c->leaf, and says what is to happen to it.  INJECT_STATUS:
 * *status is what it is to return.
 */
enum injection plan_next(struct call *c, u64 *status);

/* Whether to fail, where the real module asks for random numbers. */
bool entropy_fails(struct call *c);

#endif /* TDX_INJECT_H */
