/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The CPU as a TD sees it.  A row of a table has four results: release 1.5.06, release
 * 2.0.08, release 2.0.08 with REDUCE_VE, and with REDUCE_VE and all features of
 * FEATURE_PARAVIRT_CTRL.
 */
#ifndef TDX_TEST_VIRT_H
#define TDX_TEST_VIRT_H

#include "tests.h"

enum setting { R15, R20, REDUCED, PARAVIRT, NUM_SETTINGS };

/* A vCPU that runs.  @all_features: those that leaf 1 and leaf 7 offer */
struct world *running(enum setting s, uint64_t attributes, uint64_t xfam,
		      bool all_features);
/* The same on a release of its own. */
struct world *running_on(const char *release, enum setting s, uint64_t attributes,
			 uint64_t xfam, bool all_features);
void end(struct world *w);

/* Outcomes: done, native, #VE, #GP. */
#define D	TDX_DONE
#define N	TDX_NATIVE
#define E	TDX_VE
#define G	TDX_GP

#endif /* TDX_TEST_VIRT_H */
