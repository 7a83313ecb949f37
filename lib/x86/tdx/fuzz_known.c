// SPDX-License-Identifier: GPL-2.0
/*
 * What is known to be wrong in KVM, so that random programs find something else.
 *
 * A row goes when KVM is mended.  docs/kvm-bugs.md has the cases of the suite that show
 * each bug.
 */
#include "tdx/fuzz_steps.h"

/* What a program does that can meet a known bug. */
#define INJECTS		BIT(0)	/* KVM_SET_VCPU_EVENTS, KVM_SMI, KVM_NMI */
#define COMMANDS	BIT(1)	/* KVM_MEMORY_ENCRYPT_OP */
#define PREFAULTS	BIT(2)
#define CHANGES_MEMORY	BIT(3)	/* memslots, attributes, holes, guest_memfd's end */
#define AT_ONCE		BIT(4)	/* two steps at the same time */
#define ANYTHING	BIT(5)	/* each program does: a guest can shut itself down */

/* A complaint is that of a known bug if the program does one of these things. */
static const struct known {
	const char *complaint;	/* "*" stands for anything */
	u32 by;
	u32 and;		/* and all of these */
} known[] = {
	/* KVM_SET_VCPU_EVENTS and KVM_SMI take an SMI for a TD. */
	{ "vt_smi_allowed", INJECTS },
	/* FINALIZE without a vCPU or with one that is not initialised. */
	{ "tdx_vm_ioctl", COMMANDS },
	{ "tdx_td_finalize", COMMANDS },
	{ "TDH_MR_FINALIZE", COMMANDS },
	/* A topology in CPUID that makes no sense. */
	{ "tdx_td_init", COMMANDS },
	{ "TDH_MNG_INIT", COMMANDS },
	/* KVM_PRE_FAULT_MEMORY by a vCPU that is not initialised. */
	{ "tdh_vp_wr_failed", PREFAULTS },
	{ "tdx_load_mmu_pgd", PREFAULTS },
	{ "TDH_VP_WR", PREFAULTS },
	/* GPAs beyond the TD's width. */
	{ "TDH_MEM_SEPT_ADD", PREFAULTS | COMMANDS | CHANGES_MEMORY },
	{ "TDH_MEM_PAGE_AUG", PREFAULTS | COMMANDS | CHANGES_MEMORY },
	{ "kvm_vcpu_map_mem", PREFAULTS | COMMANDS },
	{ "tdp_iter_start", CHANGES_MEMORY },
	/* The same, and holes beside FINALIZE or EXTEND, with what is lost then. */
	{ "tdx_sept_", CHANGES_MEMORY },
	{ "__handle_changed_spte", CHANGES_MEMORY },
	{ "TDH_MEM_RANGE_BLOCK", CHANGES_MEMORY },
	{ "TDH_MEM_PAGE_REMOVE", CHANGES_MEMORY },
	{ "tdx_reclaim_page", CHANGES_MEMORY },
	{ "TDH_PHYMEM_PAGE_RECLAIM", CHANGES_MEMORY },
	{ "tdx_gmem_post_populate", CHANGES_MEMORY, AT_ONCE },
	{ "TDH_MR_EXTEND", CHANGES_MEMORY, AT_ONCE },
	/* An access is MMIO until a memslot comes. */
	{ "tdp_mmu_map", CHANGES_MEMORY, AT_ONCE },
	/* A vCPU that is shut down runs again, or gets an NMI. */
	{ "tdx_vcpu_run", ANYTHING },
	{ "vt_cache_reg*kvm_prepare_unexpected_reason_exit", ANYTHING },
	{ "tdx_inject_nmi", INJECTS },
};

static u32 what_request_does(unsigned long request)
{
	switch (request) {
	case KVM_SET_VCPU_EVENTS:
	case KVM_SMI:
	case KVM_NMI:
		return INJECTS;
	case KVM_MEMORY_ENCRYPT_OP:
		return COMMANDS;
	case KVM_PRE_FAULT_MEMORY:
		return PREFAULTS;
	case KVM_SET_USER_MEMORY_REGION2:
	case KVM_SET_MEMORY_ATTRIBUTES:
		return CHANGES_MEMORY;
	default:
		return 0;
	}
}

static u32 what_step_does(const struct fuzz_step *step)
{
	const struct fuzz_op *op = step->op;

	if (op->run == fuzz_run_raw)
		return INJECTS | COMMANDS | PREFAULTS | CHANGES_MEMORY;
	/* The guest's user space converts memory for it. */
	if (op->run == fuzz_run_guest || op->run == fuzz_run_punch_hole ||
	    op->run == fuzz_run_close_gmem || op->run == fuzz_run_close_vm)
		return CHANGES_MEMORY;
	return what_request_does(op->request);
}

static u32 what_program_does(const struct fuzz_program *p)
{
	u32 does = ANYTHING;

	for (int i = 0; i < p->nr; i++) {
		does |= what_step_does(&p->step[i]);
		if (p->step[i].beside)
			does |= AT_ONCE;
	}
	/* A launch is commands, too, which are in order unless something gets between. */
	return does & AT_ONCE ? does | COMMANDS : does;
}

/* "*" stands for anything. */
static bool matches(const char *line, const char *pattern)
{
	const char *star = strchrnul(pattern, '*');
	const char *at = memmem(line, strlen(line), pattern, star - pattern);

	return at && (!*star || strstr(at, star + 1));
}

bool fuzz_is_known(const char *line, const struct fuzz_program *p)
{
	const u32 does = what_program_does(p);

	for (int i = 0; i < ARRAY_SIZE(known); i++) {
		const struct known *k = &known[i];

		if (matches(line, k->complaint) && does & k->by &&
		    (does & k->and) == k->and)
			return true;
	}
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
	const struct kvm_vcpu_events *events;
	const struct fuzz_raw *raw = operand;
	u8 nr = _IOC_NR(step->op->request);

	if (may_die())
		return false;
	if (step->op->run == fuzz_run_raw) {
		nr = raw->nr;
		operand = raw->word;
	}
	/* vmx_leave_nested() on a vCPU that is no VMX one: the kernel panics. */
	if (nr == _IOC_NR(KVM_SET_NESTED_STATE) || nr == _IOC_NR(KVM_GET_NESTED_STATE))
		return true;
	if (nr == _IOC_NR(KVM_SET_MEMORY_ATTRIBUTES) && too_many_attributes(operand))
		return true;
	events = operand;
	return nr == _IOC_NR(KVM_SET_VCPU_EVENTS) && step->op->target == FUZZ_VCPU &&
	       events->flags & KVM_VCPUEVENT_VALID_SMM && events->smi.smm;
}
