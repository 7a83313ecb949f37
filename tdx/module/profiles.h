/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_PROFILES_H
#define TDX_PROFILES_H

#include "model.h"

/* The profile of a platform that names none. */
extern const struct tdx_profile tdx_default_profile;

#endif /* TDX_PROFILES_H */
