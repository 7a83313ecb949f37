// SPDX-License-Identifier: GPL-2.0
#include "sha384.h"

void sha384_digest(GChecksum *sum, u8 out[SHA384_SIZE])
{
	gsize len = SHA384_SIZE;

	g_checksum_get_digest(sum, out, &len);
}

void sha384(const void *a, size_t a_len, const void *b, size_t b_len,
	    u8 out[SHA384_SIZE])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA384);

	g_checksum_update(sum, a, a_len);
	g_checksum_update(sum, b, b_len);
	sha384_digest(sum, out);
}
