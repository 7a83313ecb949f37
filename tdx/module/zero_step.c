// SPDX-License-Identifier: GPL-2.0
/*
 * The defence against zero-stepping; see zero_step.h.
 *
 * The first faults at one instruction are only counted, as an instruction can touch
 * several pages.  The pages of those that follow are logged.  From then on the vCPU
 * is not entered before all of them are mapped, and TDH.VP.ENTER looks them up with
 * the secure EPT locked, until the guest has moved on.
 */
#include "locks.h"
#include "sept.h"
#include "td.h"
#include "ve.h"
#include "zero_step.h"

#define FAULTS_ONLY_COUNTED	6

static void log_fault(struct zero_step *z, u64 gpa)
{
	unsigned int i;

	if (z->num_counted < FAULTS_ONLY_COUNTED) {
		z->num_counted++;
		return;
	}
	for (i = 0; i < z->num_faults; i++)
		if (z->faults[i] == gpa)
			return;
	if (z->num_faults < MAX_FAULTS)
		z->faults[z->num_faults++] = gpa;
}

/* Whether the guest itself accessed a private page, by no TDCALL. */
static bool is_private_fault(const struct td *td, const struct tdx_exit *exit)
{
	return exit->reason == EXIT_EPT_VIOLATION && !exit->by_tdcall &&
	       !(exit->gpa & shared_bit(td));
}

void zero_step_exit(struct tdx_vcpu *v, const struct tdx_exit *exit)
{
	struct zero_step *z = &v->zero_step;

	if (exit->rip != z->entry_rip)
		z->num_counted = z->num_faults = 0;
	z->rip = exit->rip;
	z->after_fault = is_private_fault(v->td, exit);
	if (!z->after_fault)
		return;
	z->last = (struct tdx_ve_info){
		.reason = exit->reason, .gpa = exit->gpa,
		.gla = exit->gla, .qualification = exit->qualification,
	};
	log_fault(z, exit->gpa & ~(PAGE_SIZE - 1));
}

/* A guest that calls the module is at another instruction than the one that faulted. */
void zero_step_tdcall(struct tdx_vcpu *v)
{
	v->zero_step.num_counted = v->zero_step.num_faults = 0;
}

u64 zero_step_enter(struct call *c, struct tdx_vcpu *v, u64 *gpa)
{
	struct zero_step *z = &v->zero_step;
	unsigned int i;
	u64 err;

	z->notify = false;
	z->entry_rip = z->rip;
	if (!z->num_faults)
		return 0;
	err = take_lock(c, LOCK_SEPT_TREE);
	if (err)
		return err;
	for (i = 0; i < z->num_faults; i++) {
		if (sept_has_page(v->td, z->faults[i]))
			continue;
		*gpa = z->faults[i];
		return EXIT_EPT_VIOLATION;
	}
	z->notify = z->after_fault && v->td->notify_enables & NOTIFY_ZERO_STEP;
	return 0;
}

bool tdx_vcpu_take_ve(struct tdx_vcpu *v, bool blocked)
{
	struct tdx_module *m = v->td->m;
	bool take;

	pthread_mutex_lock(&m->lock);
	take = v->zero_step.notify && !blocked && !v->ve_valid;
	v->zero_step.notify = false;
	if (take) {
		v->next_category = VE_ARCHITECTURAL;
		raise_ve(v, &v->zero_step.last);
	}
	pthread_mutex_unlock(&m->lock);
	return take;
}
