/* SPDX-License-Identifier: GPL-2.0 */
/* Second-stage address translation, private and shared. */
#ifndef TDX_TRANSLATE_H
#define TDX_TRANSLATE_H

#include "model.h"

/* tdx_translate() for callers that hold the mutex. */
enum tdx_outcome translate_gpa(struct tdx_vcpu *v, u64 gpa,
			       enum tdx_access access, u64 *hpa,
			       unsigned int *rights, struct tdx_exit *exit);

/*
 * Fills @exit for an EPT violation and returns TDX_EXIT.  @ext: see
 * ext_qualification(), or just a type
 */
enum tdx_outcome ept_violation(struct tdx_exit *exit, u64 gpa,
			       enum tdx_access access, u64 ext);

/*
 * Extended exit qualification of an EPT violation by a TDCALL that is about a page.
 * @requested: level asked for; @level: that of @e
 */
u64 ext_qualification(enum tdx_eeq type, unsigned int requested,
		      const struct sept_entry *e, unsigned int level);

#endif /* TDX_TRANSLATE_H */
