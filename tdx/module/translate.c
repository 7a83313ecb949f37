// SPDX-License-Identifier: GPL-2.0
/* Second-stage address translation, private and shared. */
#include <string.h>

#include "pamt.h"
#include "sept.h"
#include "td.h"
#include "translate.h"

enum tdx_outcome ept_violation(struct tdx_exit *exit, u64 gpa,
			       enum tdx_access access, u64 ext)
{
	exit->reason = EXIT_EPT_VIOLATION;
	exit->qualification = access;
	exit->ext_qualification = ext;
	exit->gpa = gpa;
	return TDX_EXIT;
}

u64 ext_qualification(enum tdx_eeq type, unsigned int requested,
		      const struct sept_entry *e, unsigned int level)
{
	u64 info = requested | level << 3 | (u64)e->state << 6 |
		   (u64)sept_is_leaf(e) << 14;

	return type | info << 32;
}

static bool poisoned(const struct tdx_vcpu *v, const struct sept_entry *e,
		     u64 gpa, unsigned int level)
{
	u64 offset = gpa & (LEVEL_SIZE(level) - 1) & ~(PAGE_SIZE - 1);

	return pamt_lookup(v->td->m, e->pa + offset)->poisoned;
}

/* A valid machine check exception (vector 18) in an exit's information. */
#define INTR_INFO_MACHINE_CHECK	0x80000312

/* The TD read a page that the host overwrote: no vCPU can be entered again. */
static enum tdx_outcome machine_check(struct tdx_vcpu *v, struct tdx_exit *exit)
{
	v->td->fatal = true;
	exit->status = status(TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE, 0);
	exit->reason = EXIT_EXCEPTION_NMI;
	exit->intr_info = INTR_INFO_MACHINE_CHECK;
	return TDX_EXIT;
}

static enum tdx_outcome translate_private(struct tdx_vcpu *v, u64 gpa,
					  enum tdx_access access, u64 *hpa,
					  unsigned int *rights,
					  struct tdx_exit *exit)
{
	struct td *td = v->td;
	unsigned int level;
	struct sept_entry *e = sept_find(td, gpa, 0, &level);

	if (e->state == SEPT_MAPPED) {
		if (poisoned(v, e, gpa, level))
			return machine_check(v, exit);
		*hpa = private_view(td, e->pa) + gpa % LEVEL_SIZE(level);
		*rights = TDX_READ | TDX_WRITE | TDX_FETCH;
		return TDX_DONE;
	}
	if (e->state != SEPT_PENDING)
		return ept_violation(exit, gpa, access, EEQ_NONE);
	if (td->td_ctls & TD_CTLS_PENDING_VE_DISABLE)
		return ept_violation(exit, gpa, access, EEQ_PENDING);
	exit->qualification = access;
	v->next_category = VE_PENDING_PAGE;
	return TDX_VE;
}

#define EPT_PAGE_SIZE		BIT(7)
#define EPT_SUPPRESS_VE		BIT(63)
#define EPT_ADDRESS(pte)	((pte) & ((1ull << 52) - PAGE_SIZE))

/* KVM builds the shared EPT, in ordinary memory. */
static enum tdx_outcome translate_shared(struct tdx_vcpu *v, u64 gpa,
					 enum tdx_access access, u64 *hpa,
					 unsigned int *rights,
					 struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	u64 table = EPT_ADDRESS(v->shared_eptp), pte;
	unsigned int level = sept_root_level(v->td), rwx = 7;

	for (;; level--) {
		u64 pa = table + 8 * sept_index(gpa, level);

		if (!m->ops.read(m->opaque, pa, &pte, sizeof(pte)))
			goto misconfig;
		if (!(pte & 7))
			goto not_present;
		if ((pte & 3) == 2)
			goto misconfig;
		rwx &= pte & 7;
		if (!level || pte & EPT_PAGE_SIZE)
			break;
		table = EPT_ADDRESS(pte);
	}
	if (level > 2)
		goto misconfig;
	*hpa = (EPT_ADDRESS(pte) & ~(LEVEL_SIZE(level) - 1)) |
	       (gpa & (LEVEL_SIZE(level) - 1));
	*rights = rwx & (TDX_READ | TDX_WRITE);
	if (*rights & access)
		return TDX_DONE;

not_present:
	/* Bits 5:3 of the qualification: accesses that the entry allows. */
	if (pte & 7 || pte & EPT_SUPPRESS_VE) {
		ept_violation(exit, gpa, access, EEQ_NONE);
		exit->qualification |= (pte & 7) << 3;
		return TDX_EXIT;
	}
	exit->qualification = access;
	v->next_category = VE_ARCHITECTURAL;
	return TDX_VE;

misconfig:
	ept_violation(exit, gpa, access, EEQ_NONE);
	exit->reason = EXIT_EPT_MISCONFIG;
	return TDX_EXIT;
}

/* With MAXGPA_VIRT, CPUID shows the GPA's width, and #VE says that it is too wide. */
static enum tdx_outcome reserved_bits(struct tdx_vcpu *v, enum tdx_access access,
				      struct tdx_exit *exit)
{
	if (!(v->td->config_flags & CONFIG_MAXGPA_VIRT))
		return TDX_RSVD;
	exit->qualification = access;
	v->next_category = VE_RESERVED_GPA_BITS;
	return TDX_VE;
}

enum tdx_outcome translate_gpa(struct tdx_vcpu *v, u64 gpa,
			       enum tdx_access access, u64 *hpa,
			       unsigned int *rights, struct tdx_exit *exit)
{
	const struct td *td = v->td;
	enum tdx_outcome out;

	memset(exit, 0, sizeof(*exit));
	/* A TD can't execute shared memory, mapped or not. */
	if (access == TDX_FETCH && gpa & shared_bit(td))
		return TDX_RSVD;
	if (gpa >> gpa_width(td))
		return reserved_bits(v, access, exit);
	out = gpa & shared_bit(td) ?
	      translate_shared(v, gpa, access, hpa, rights, exit) :
	      translate_private(v, gpa, access, hpa, rights, exit);
	/* The EPT comes first: it may map what is too wide, or raise #VE itself. */
	return exit->reason == EXIT_EPT_VIOLATION && !gpa_fits(td, gpa) ?
	       reserved_bits(v, access, exit) : out;
}

enum tdx_outcome tdx_translate(struct tdx_vcpu *v, uint64_t gpa,
			       enum tdx_access access, uint64_t *hpa,
			       unsigned int *rights, struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	enum tdx_outcome out;

	pthread_mutex_lock(&m->lock);
	out = translate_gpa(v, gpa, access, hpa, rights, exit);
	pthread_mutex_unlock(&m->lock);
	return out;
}
