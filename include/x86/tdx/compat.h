/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lib's random numbers by the names that they have since Linux 7.3, for
 * trees where they are called otherwise; tdx.mk looks.
 */
#ifndef SELFTEST_KVM_TDX_COMPAT_H
#define SELFTEST_KVM_TDX_COMPAT_H

#include "test_util.h"

#ifdef TDX_LIB_HAS_GUEST_RNG

#define kvm_random_state	guest_random_state
#define kvm_random_seed		guest_random_seed
#define kvm_rng			guest_rng
#define kvm_random_u32		guest_random_u32
#define kvm_random_u64		guest_random_u64
#define kvm_random_bool		guest_random_bool

/* Both ends included. */
static inline u64 kvm_random_u64_in_range(struct kvm_random_state *state,
					  u64 min, u64 max)
{
	return min + kvm_random_u64(state) % (max - min + 1);
}

static inline u32 kvm_random_u32_in_range(struct kvm_random_state *state,
					  u32 min, u32 max)
{
	return kvm_random_u64_in_range(state, min, max);
}

#endif

#endif /* SELFTEST_KVM_TDX_COMPAT_H */
