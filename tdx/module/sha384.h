/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-384, which measures TDs and modules. */
#ifndef TDX_SHA384_H
#define TDX_SHA384_H

#include "model.h"

#define SHA384_SIZE	48

/* The hash of @a and @b, one after the other; @out may be one of them. */
void sha384(const void *a, size_t a_len, const void *b, size_t b_len,
	    u8 out[SHA384_SIZE]);

/* The hash of all that @sum was updated with, which is its end. */
void sha384_digest(GChecksum *sum, u8 out[SHA384_SIZE]);

#endif /* TDX_SHA384_H */
