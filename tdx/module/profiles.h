/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_PROFILES_H
#define TDX_PROFILES_H

#include "model.h"

/* What TD_PARAMS.CONFIG_FLAGS may have.  GPAW 52 needs a 5-level EPT. */
u64 profile_config_flags(const struct tdx_profile *p);

#endif /* TDX_PROFILES_H */
