/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_PROFILES_H
#define TDX_PROFILES_H

#include "model.h"

/* KeyIDs for TDX that the glue has room for. */
#define MOST_TDX_KEYIDS		32

/* Models of family 6 that have TDX, as tdx_profile.cpu_model names them. */
enum cpu_model {
	SAPPHIRE_RAPIDS = 0x8f, EMERALD_RAPIDS = 0xcf,
	GRANITE_RAPIDS = 0xad, GRANITE_RAPIDS_D = 0xae,
	SIERRA_FOREST = 0xaf, CLEARWATER_FOREST = 0xdd,
};

/* Whether the CPU has the partial-write erratum. */
bool profile_has_erratum(const struct tdx_profile *p);

/* Takes away what is optional in the release @p, and draws a CPU for it. */
void draw_profile(GRand *r, struct tdx_profile *p);

/* The profile of a platform that names none. */
extern const struct tdx_profile tdx_default_profile;

#endif /* TDX_PROFILES_H */
