/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TDX_VE_H
#define TDX_VE_H

#include "model.h"

/* tdx_ve() for callers that hold the mutex. */
enum tdx_outcome raise_ve(struct tdx_vcpu *v, const struct tdx_ve_info *ve);

#endif /* TDX_VE_H */
