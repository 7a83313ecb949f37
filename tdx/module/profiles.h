/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_PROFILES_H
#define TDX_PROFILES_H

#include "model.h"

/* KeyIDs for TDX that the glue has room for. */
#define MOST_TDX_KEYIDS		32

/* Takes away what is optional in the release @p, and draws a CPU for it. */
void draw_profile(GRand *r, struct tdx_profile *p);

/* The profile of a platform that names none. */
extern const struct tdx_profile tdx_default_profile;

#endif /* TDX_PROFILES_H */
