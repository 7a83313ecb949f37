/* SPDX-License-Identifier: GPL-2.0 */
/*
 * SHA-384 (FIPS 180-4), the hash of a TD's measurements, for tests that compute
 * on the host what the TDX module should come to.
 *
 * Why here: selftests link no crypto library, and AF_ALG is for the host's
 * kernel to have or not.
 */
#ifndef SELFTEST_KVM_TDX_SHA384_H
#define SELFTEST_KVM_TDX_SHA384_H

#include "kvm_util.h"

#define SHA384_SIZE	48

struct sha384 {
	u64 state[8];
	u64 size;		/* in bytes, so far */
	u8 block[128];
};

void sha384_init(struct sha384 *sha);
void sha384_update(struct sha384 *sha, const void *data, size_t size);
void sha384_final(struct sha384 *sha, u8 hash[SHA384_SIZE]);

#endif /* SELFTEST_KVM_TDX_SHA384_H */
