/* SPDX-License-Identifier: GPL-2.0 */
/* A TD, and the vCPUs that it has. */
#ifndef TDX_TD_H
#define TDX_TD_H

#include "model.h"

/* Width of the TD's guest physical addresses in bits: 48 or 52. */
static inline unsigned int gpa_width(const struct td *td)
{
	return td->config_flags & CONFIG_GPAW ? 52 : 48;
}

/* The bit that makes a GPA shared: the topmost one. */
static inline u64 shared_bit(const struct td *td)
{
	return BIT(gpa_width(td) - 1);
}

/*
 * Whether @gpa has only bits that the TD's addresses have.  The shared bit may lie
 * above those that its CPUID shows.
 */
static inline bool gpa_fits(const struct td *td, u64 gpa)
{
	unsigned int bits = MIN(gpa_width(td), td->physical_bits);

	return !(gpa & ~shared_bit(td) & ~0ull << bits);
}

/* Whether XFAM has all of @xfam and ATTRIBUTES all of @attributes. */
static inline bool td_allows(const struct td *td, u64 xfam, u64 attributes)
{
	return has_all(td->xfam, xfam) && has_all(td->attributes, attributes);
}

/* The guest reads CPUID's topology leaves, and its x2APIC id, without #VE. */
static inline bool topology_on(const struct td *td)
{
	return td->td_ctls & (TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_REDUCE_VE);
}

/* Whether the guest wants as few #VE as possible. */
static inline bool reduces_ve(const struct td *td)
{
	return td->td_ctls & TD_CTLS_REDUCE_VE;
}

/* Whether @xfam has no feature without another that it needs. */
bool xfam_consistent(u64 xfam);

/* The host physical address, with KeyID, of a private page's contents. */
static inline u64 private_view(const struct td *td, u64 pa)
{
	return pa | (u64)td->hkid << td->m->platform.keyid_shift;
}

/*
 * Adds to MRTD a block with the name of an operation and a GPA.  Only before
 * TDH.MR.FINALIZE.
 */
void td_measure(struct td *td, const char *operation, u64 gpa);

/* Frees a TD with its vCPUs.  Its pages must have been released, see pamt.h. */
void td_free(struct td *td);

#define MISC_ENABLE_MONITOR	BIT(18)
#define MISC_ENABLE_LIMIT_CPUID	BIT(22)

/* IA32_MISC_ENABLE of a new vCPU. */
u64 msr_initial_misc_enable(const struct td *td);

/* Frees a vCPU, which its TD then has no longer. */
void vcpu_free(struct tdx_vcpu *v);

#endif /* TDX_TD_H */
