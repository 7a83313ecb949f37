// SPDX-License-Identifier: GPL-2.0
/*
 * What is known to be wrong in KVM, so that random programs find something else.
 *
 * A row goes when KVM is mended.  The README's list has the cases of the suite that show
 * each bug.
 */
#include "tdx/fuzz_steps.h"

static const char *const known[] = {
	/* KVM_SET_VCPU_EVENTS and KVM_SMI take an SMI for a TD. */
	"vt_smi_allowed",
	/* FINALIZE without a vCPU or with one that is not initialised, in a race with a hole. */
	"tdx_vm_ioctl", "tdx_td_finalize", "TDH_MR_FINALIZE",
	/* A topology in CPUID that makes no sense. */
	"tdx_td_init", "TDH_MNG_INIT",
	/* KVM_PRE_FAULT_MEMORY by a vCPU that is not initialised. */
	"tdh_vp_wr_failed", "tdx_load_mmu_pgd", "TDH_VP_WR",
	/* GPAs beyond the TD's width. */
	"TDH_MEM_SEPT_ADD", "TDH_MEM_PAGE_AUG", "kvm_vcpu_map_mem", "tdp_iter_start",
	/* Holes beside FINALIZE or EXTEND, with what is lost then. */
	"tdx_sept_", "__handle_changed_spte", "TDH_MEM_RANGE_BLOCK", "TDH_MEM_PAGE_REMOVE",
	"tdx_gmem_post_populate", "TDH_MR_EXTEND", "tdx_reclaim_page",
	"TDH_PHYMEM_PAGE_RECLAIM",
	/* A vCPU that is shut down runs again, or gets an NMI. */
	"tdx_vcpu_run", "tdx_inject_nmi", "vt_cache_reg*kvm_prepare_unexpected_reason_exit",
};

/* "*" stands for anything. */
static bool matches(const char *line, const char *pattern)
{
	const char *star = strchrnul(pattern, '*');
	const char *at = memmem(line, strlen(line), pattern, star - pattern);

	return at && (!*star || strstr(at, star + 1));
}

bool fuzz_is_known(const char *line)
{
	for (int i = 0; i < ARRAY_SIZE(known); i++)
		if (matches(line, known[i]))
			return true;
	return false;
}

/* With TDX_FUZZ_DEADLY=1 the fuzzer shows that it would find these. */
static bool may_die(void)
{
	const char *wanted = getenv("TDX_FUZZ_DEADLY");

	return wanted && !strcmp(wanted, "1");
}

bool fuzz_is_deadly(const struct fuzz_step *step, const void *operand)
{
	const struct kvm_vcpu_events *events = operand;
	const struct fuzz_raw *raw = operand;
	u8 nr = _IOC_NR(step->op->request);

	if (may_die())
		return false;
	if (step->op->run == fuzz_run_raw) {
		nr = raw->nr;
		events = (void *)raw->word;
	}
	/* vmx_leave_nested() on a vCPU that is no VMX one: the kernel panics. */
	if (nr == _IOC_NR(KVM_SET_NESTED_STATE) || nr == _IOC_NR(KVM_GET_NESTED_STATE))
		return true;
	return nr == _IOC_NR(KVM_SET_VCPU_EVENTS) && step->op->target == FUZZ_VCPU &&
	       events->flags & KVM_VCPUEVENT_VALID_SMM && events->smi.smm;
}
