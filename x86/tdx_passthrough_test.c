// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a TDVMCALL: which ones KVM and user space see, and which ones
 * KVM changes.
 *
 * RCX is a mask of the registers that pass from the guest to KVM and back.  The TDX
 * module enforces that.  Of the registers that pass, KVM may change only the
 * TDVMCALL's results, whether it handles the TDVMCALL by itself or by way of user
 * space, and whatever user space leaves in struct kvm_run.  XMM registers in the
 * mask get the host's values on return, which must not be those of user space.
 *
 * This is the only test that deals with registers by number.  What the results are
 * is up to the tests of each TDVMCALL.
 */
#include <linux/kvm_para.h>

#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_XMMS		16
#define XMM_BIT(i)	BIT_ULL(16 + (i))
#define ALL_XMMS	GENMASK_ULL(31, 16)

/* There is no memslot. */
#define GPA		0x200000000ul

struct regs {
	u64 gpr[NR_GPRS];
	u64 xmm[NR_XMMS][2];
};

#define FOR_EACH_XMM	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"

kvm_static_assert(offsetof(struct regs, xmm) == 128);

/*
 * Guest: TDCALL with all of @regs but RSP, which are written back.  __tdcall() does
 * not touch RBP and XMM registers.
 */
static __attribute__((naked)) noinline void tdcall_regs(struct regs *regs)
{
	asm("push %rbp\n\t"
	    "push %rdi\n\t"
	    FOR_EACH_XMM
	    "movups 128 + \\n * 16(%rdi), %xmm\\n\n\t"
	    ".endr\n\t"
	    "mov 40(%rdi), %rbp\n\t"
	    "mov %rdi, %rsi\n\t"
	    "mov 0(%rdi), %rdi\n\t"
	    "call __tdcall\n\t"
	    "pop %rdi\n\t"
	    "mov %rax, 0(%rdi)\n\t"
	    "mov %rbp, 40(%rdi)\n\t"
	    FOR_EACH_XMM
	    "movups %xmm\\n, 128 + \\n * 16(%rdi)\n\t"
	    ".endr\n\t"
	    "pop %rbp\n\t"
	    "ret");
}

/* The host puts into @shared what to call with, and finds what came back. */
static void guest_tdcall(struct regs *shared)
{
	static struct regs regs;

	regs = *shared;
	tdcall_regs(&regs);
	*shared = regs;
}

struct td {
	struct tdx_guest guest;
	struct regs *shared;
	gva_t shared_gva;
};

/* KVM_RUN with user space's XMM registers loaded from and stored to @xmm. */
static long run_with_xmms(int fd, u64 (*xmm)[2])
{
	long ret = __NR_ioctl;

	asm volatile(FOR_EACH_XMM
		     "movups \\n * 16(%[xmm]), %%xmm\\n\n\t"
		     ".endr\n\t"
		     "syscall\n\t"
		     FOR_EACH_XMM
		     "movups %%xmm\\n, \\n * 16(%[xmm])\n\t"
		     ".endr"
		     : "+a"(ret)
		     : "D"((long)fd), "S"(KVM_RUN), "d"(0l), [xmm] "r"(xmm)
		     : "rcx", "r11", "cc", "memory", "xmm0", "xmm1", "xmm2",
		       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return ret;
}

/* Distinct values for each register, different ones in guest and host. */
static u64 guests_value(int reg)
{
	return 0x0102030405060708ul * (reg + 1);
}

static u64 hosts_value(int reg)
{
	return 0xf0e0d0c0b0a09080ul + reg;
}

/* KVM_RUN, which has to preserve user space's XMM registers. */
static void run(struct td *td)
{
	u64 xmm[NR_XMMS][2];

	for (int i = 0; i < NR_XMMS; i++)
		xmm[i][0] = xmm[i][1] = hosts_value(i);

	TEST_ASSERT_EQ(run_with_xmms(td->guest.vcpu->fd, xmm), 0);

	for (int i = 0; i < NR_XMMS; i++) {
		TEST_ASSERT_EQ(xmm[i][0], hosts_value(i));
		TEST_ASSERT_EQ(xmm[i][1], hosts_value(i));
	}
}

static void create(struct td *td)
{
	tdx_guest_create(&td->guest);
	td->shared_gva = tdx_alloc_shared(td->guest.vm, sizeof(*td->shared), &td->shared);
	vm_enable_cap(td->guest.vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	tdx_vm_finalize(td->guest.vm);
}

#define TD_SUITE(name)							\
	FIXTURE(name) {							\
		struct td td;						\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		create(&self->td);					\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->td.guest.vm);				\
	}

/* A distinct value in each register, to be overwritten with operands. */
static struct regs distinct_regs(u64 mask)
{
	struct regs regs;

	for (int i = 0; i < NR_GPRS; i++)
		regs.gpr[i] = guests_value(i);
	for (int i = 0; i < NR_XMMS; i++)
		regs.xmm[i][0] = regs.xmm[i][1] = guests_value(NR_GPRS + i);

	regs.gpr[GPR_RAX] = TDG_VP_VMCALL;
	regs.gpr[TDVMCALL_MASK] = mask;
	regs.gpr[TDVMCALL_TYPE] = 0;
	return regs;
}

/* Returns true if the guest's TDVMCALL exits, false if it is done. */
static bool start(struct td *td, const struct regs *sent)
{
	struct ucall uc;

	*td->shared = *sent;
	tdx_guest_post(&td->guest, TDX_GUEST_FUNCTION, (u64)guest_tdcall, td->shared_gva);
	run(td);
	if (get_ucall(td->guest.vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	return uc.cmd == UCALL_NONE;
}

/* User space writes all that it can, with success as the result. */
static void finish(struct td *td)
{
	struct kvm_run *kvm_run = td->guest.run;
	struct ucall uc;

	memset(kvm_run->padding, 0xff, sizeof(kvm_run->padding));
	if (kvm_run->exit_reason == KVM_EXIT_HYPERCALL)
		kvm_run->hypercall.ret = 0;
	run(td);
	TEST_ASSERT_EQ(get_ucall(td->guest.vcpu, &uc), UCALL_SYNC);
}

/* All of the guest's registers but @results are unchanged. */
static void assert_unchanged(struct td *td, const struct regs *sent, u64 results)
{
	const struct regs *back = td->shared;

	TEST_ASSERT_EQ(back->gpr[GPR_RAX], TDX_SUCCESS);
	for (int i = GPR_RCX; i < NR_GPRS; i++)
		TEST_ASSERT(results & BIT_ULL(i) || back->gpr[i] == sent->gpr[i],
			    "Mask 0x%lx: register %d was 0x%lx, is 0x%lx",
			    (unsigned long)sent->gpr[TDVMCALL_MASK], i,
			    (unsigned long)sent->gpr[i],
			    (unsigned long)back->gpr[i]);
	for (int i = 0; i < NR_XMMS; i++)
		TEST_ASSERT(results & XMM_BIT(i) ||
			    !memcmp(back->xmm[i], sent->xmm[i], sizeof(back->xmm[i])),
			    "Mask 0x%lx: XMM%d was 0x%lx:%lx, is 0x%lx:%lx",
			    (unsigned long)sent->gpr[TDVMCALL_MASK], i,
			    (unsigned long)sent->xmm[i][1],
			    (unsigned long)sent->xmm[i][0],
			    (unsigned long)back->xmm[i][1],
			    (unsigned long)back->xmm[i][0]);
}

/* User space sees the registers in the mask.  This is the only exit that shows them. */
static void assert_seen(struct td *td, const struct regs *sent)
{
	u64 mask = sent->gpr[TDVMCALL_MASK];
	struct tdvmcall seen;

	TEST_ASSERT_KVM_EXIT_REASON(td->guest.vcpu, KVM_EXIT_SYSTEM_EVENT);
	seen = tdvmcall_of_system_event(td->guest.run);

	/* RAX is the exit reason, and RCX always passes. */
	TEST_ASSERT_EQ(seen.reg[TDVMCALL_MASK], mask);
	for (int i = GPR_RDX; i < NR_GPRS; i++)
		TEST_ASSERT(seen.reg[i] == (mask & BIT_ULL(i) ? sent->gpr[i] : 0),
			    "Mask 0x%lx: register %d is 0x%lx, user space sees 0x%lx",
			    (unsigned long)mask, i, (unsigned long)sent->gpr[i],
			    (unsigned long)seen.reg[i]);
}

/*
 * Each TDVMCALL, in each way that KVM handles it.
 */
#define STATUS		BIT_ULL(TDVMCALL_STATUS)
#define RET		BIT_ULL(TDVMCALL_RET)
#define ARG(i)		BIT_ULL(TDVMCALL_ARG(i))

TD_SUITE(tdvmcall);

FIXTURE_VARIANT(tdvmcall) {
	u64 type;
	u64 leaf;
	u64 arg[4];
	int nr_args;
	u64 shared;	/* bit per argument that has the shared bit */
	u32 exit;	/* zero if there is none */
	u64 results;	/* bit per register that KVM may change */
	bool halts;
};

FIXTURE_VARIANT_ADD(tdvmcall, unknown) {
	.leaf = ~0ull, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, hypercall) {
	.type = KVM_HC_FEATURES, .leaf = 1, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, hypercall_exit) {
	.type = KVM_HC_MAP_GPA_RANGE, .leaf = GPA, .arg = { 1 }, .nr_args = 2,
	.exit = KVM_EXIT_HYPERCALL, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, cpuid) {
	.leaf = EXIT_REASON_CPUID, .arg = { 1 }, .nr_args = 2,
	.results = ARG(0) | ARG(1) | ARG(2) | ARG(3),
};

FIXTURE_VARIANT_ADD(tdvmcall, hlt) {
	.leaf = EXIT_REASON_HLT, .arg = { 0 }, .nr_args = 1, .halts = true,
};

FIXTURE_VARIANT_ADD(tdvmcall, rdmsr) {
	.leaf = EXIT_REASON_MSR_READ, .arg = { MSR_IA32_APICBASE }, .nr_args = 1,
	.results = RET,
};

FIXTURE_VARIANT_ADD(tdvmcall, rdmsr_refused) {
	.leaf = EXIT_REASON_MSR_READ, .arg = { ~0u }, .nr_args = 1,
	.results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, wrmsr) {
	.leaf = EXIT_REASON_MSR_WRITE, .arg = { MSR_KVM_POLL_CONTROL, 1 },
	.nr_args = 2,
};

FIXTURE_VARIANT_ADD(tdvmcall, wrmsr_refused) {
	.leaf = EXIT_REASON_MSR_WRITE, .arg = { MSR_IA32_APICBASE, ~0ull },
	.nr_args = 2, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, in) {
	.leaf = EXIT_REASON_IO_INSTRUCTION, .arg = { 2, TDVMCALL_READ, 0x50 },
	.nr_args = 3, .exit = KVM_EXIT_IO, .results = RET,
};

FIXTURE_VARIANT_ADD(tdvmcall, out) {
	.leaf = EXIT_REASON_IO_INSTRUCTION, .arg = { 2, TDVMCALL_WRITE, 0x50, 1 },
	.nr_args = 4, .exit = KVM_EXIT_IO,
};

FIXTURE_VARIANT_ADD(tdvmcall, io_refused) {
	.leaf = EXIT_REASON_IO_INSTRUCTION, .arg = { 3, TDVMCALL_READ, 0x50 },
	.nr_args = 3, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, mmio_read) {
	.leaf = EXIT_REASON_EPT_VIOLATION, .arg = { 2, TDVMCALL_READ, GPA },
	.nr_args = 3, .shared = BIT(2), .exit = KVM_EXIT_MMIO, .results = RET,
};

FIXTURE_VARIANT_ADD(tdvmcall, mmio_write) {
	.leaf = EXIT_REASON_EPT_VIOLATION, .arg = { 2, TDVMCALL_WRITE, GPA, 1 },
	.nr_args = 4, .shared = BIT(2), .exit = KVM_EXIT_MMIO,
};

FIXTURE_VARIANT_ADD(tdvmcall, mmio_refused) {
	.leaf = EXIT_REASON_EPT_VIOLATION, .arg = { 2, TDVMCALL_READ, GPA },
	.nr_args = 3, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, vmcall_info) {
	.leaf = TDVMCALL_GET_TD_VM_CALL_INFO, .arg = { 0 }, .nr_args = 1,
	.results = STATUS | RET | ARG(0) | ARG(1) | ARG(2),
};

FIXTURE_VARIANT_ADD(tdvmcall, vmcall_info_exit) {
	.leaf = TDVMCALL_GET_TD_VM_CALL_INFO, .arg = { 1 }, .nr_args = 1,
	.exit = KVM_EXIT_TDX,
	.results = STATUS | RET | ARG(0) | ARG(1) | ARG(2),
};

FIXTURE_VARIANT_ADD(tdvmcall, vmcall_info_refused) {
	.leaf = TDVMCALL_GET_TD_VM_CALL_INFO, .arg = { 2 }, .nr_args = 1,
	.results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, map_gpa) {
	.leaf = TDVMCALL_MAP_GPA, .arg = { GPA, PAGE_SIZE }, .nr_args = 2,
	.exit = KVM_EXIT_HYPERCALL,
};

FIXTURE_VARIANT_ADD(tdvmcall, map_gpa_refused) {
	.leaf = TDVMCALL_MAP_GPA, .arg = { GPA, 0 }, .nr_args = 2,
	.results = STATUS | RET,
};

FIXTURE_VARIANT_ADD(tdvmcall, get_quote) {
	.leaf = TDVMCALL_GET_QUOTE, .arg = { GPA, PAGE_SIZE }, .nr_args = 2,
	.shared = BIT(0), .exit = KVM_EXIT_TDX, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, get_quote_refused) {
	.leaf = TDVMCALL_GET_QUOTE, .arg = { GPA, PAGE_SIZE }, .nr_args = 2,
	.results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, event_notify) {
	.leaf = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, .arg = { 0x55 },
	.nr_args = 1, .exit = KVM_EXIT_TDX, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, event_notify_refused) {
	.leaf = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, .arg = { 0 },
	.nr_args = 1, .results = STATUS,
};

FIXTURE_VARIANT_ADD(tdvmcall, report_fatal_error) {
	.leaf = TDVMCALL_REPORT_FATAL_ERROR, .exit = KVM_EXIT_SYSTEM_EVENT,
};

/* Make the next HLT end at once. */
static void kick(struct td *td)
{
	struct regs regs = distinct_regs(TDVMCALL_MASK_ALL);

	regs.gpr[TDVMCALL_TYPE] = KVM_HC_KICK_CPU;
	regs.gpr[tdvmcall_args[0]] = td->guest.vcpu->id;
	TEST_ASSERT_EQ(start(td, &regs), false);
}

TEST_F(tdvmcall, changes_only_its_results)
{
	u64 masks[] = {
		TDVMCALL_MASK_ALL,
		BIT_ULL(TDVMCALL_TYPE) | BIT_ULL(TDVMCALL_LEAF) | variant->results,
	};
	struct td *td = &self->td;

	for (int i = 0; i < variant->nr_args; i++)
		masks[1] |= BIT_ULL(tdvmcall_args[i]);

	for (int i = 0; i < ARRAY_SIZE(masks); i++) {
		struct regs regs = distinct_regs(masks[i]);

		regs.gpr[TDVMCALL_TYPE] = variant->type;
		regs.gpr[TDVMCALL_LEAF] = variant->leaf;
		for (int j = 0; j < variant->nr_args; j++) {
			regs.gpr[tdvmcall_args[j]] = variant->arg[j];
			if (variant->shared & BIT_ULL(j))
				regs.gpr[tdvmcall_args[j]] |= td->guest.vm->arch.s_bit;
		}

		if (variant->halts)
			kick(td);
		if (start(td, &regs)) {
			TEST_ASSERT_KVM_EXIT_REASON(td->guest.vcpu, variant->exit);
			finish(td);
		} else {
			TEST_ASSERT_EQ(variant->exit, 0);
		}
		assert_unchanged(td, &regs, variant->results);
	}
}

/*
 * The mask, bit by bit.
 */
TD_SUITE(mask);

static struct regs report_regs(u64 mask)
{
	struct regs regs = distinct_regs(mask);

	regs.gpr[TDVMCALL_LEAF] = TDVMCALL_REPORT_FATAL_ERROR;
	return regs;
}

#define for_each_passed_gpr(i)						\
	for (int i = 0; i < NR_GPRS; i++)				\
		if (TDVMCALL_MASK_ALL & BIT_ULL(i))

static void assert_report(struct td *td, u64 mask)
{
	struct regs regs = report_regs(mask);

	TEST_ASSERT_EQ(start(td, &regs), true);
	assert_seen(td, &regs);
	finish(td);
	assert_unchanged(td, &regs, 0);
}

TEST_F(mask, every_gpr_reaches_user_space)
{
	assert_report(&self->td, TDVMCALL_MASK_ALL);
}

TEST_F(mask, one_gpr_alone_reaches_user_space)
{
	for_each_passed_gpr(i)
		assert_report(&self->td, BIT_ULL(TDVMCALL_LEAF) | BIT_ULL(i));
}

TEST_F(mask, withheld_gpr_is_hidden)
{
	for_each_passed_gpr(i)
		if (i != TDVMCALL_LEAF)
			assert_report(&self->td, TDVMCALL_MASK_ALL & ~BIT_ULL(i));
}

/* KVM has a result, but the guest doesn't let it pass. */
TEST_F(mask, withheld_status_is_dropped)
{
	const u64 masks[] = { 0, TDVMCALL_MASK_ALL & ~STATUS & ~RET };

	for (int i = 0; i < ARRAY_SIZE(masks); i++) {
		struct regs regs = report_regs(masks[i]);

		TEST_ASSERT_EQ(start(&self->td, &regs), false);
		assert_unchanged(&self->td, &regs, 0);
	}
}

/* KVM sees a leaf of zero, which is unsupported. */
TEST_F(mask, withheld_leaf_is_zero)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL & ~BIT_ULL(TDVMCALL_LEAF));

	TEST_ASSERT_EQ(start(&self->td, &regs), false);
	assert_unchanged(&self->td, &regs, STATUS);
	TEST_ASSERT_EQ(self->td.shared->gpr[TDVMCALL_STATUS],
		       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

/* With the type, this would be a hypercall. */
TEST_F(mask, withheld_type_is_zero)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL & ~BIT_ULL(TDVMCALL_TYPE));

	regs.gpr[TDVMCALL_TYPE] = KVM_HC_VAPIC_POLL_IRQ;
	TEST_ASSERT_EQ(start(&self->td, &regs), true);
	assert_seen(&self->td, &regs);
	finish(&self->td);
	assert_unchanged(&self->td, &regs, 0);
}

/* CPUID has four results, all from the kernel. */
TEST_F(mask, withheld_kernel_result_is_dropped)
{
	for (int i = 0; i < 4; i++) {
		const u64 mask = TDVMCALL_MASK_ALL & ~ARG(i);
		struct regs regs = distinct_regs(mask);

		regs.gpr[TDVMCALL_LEAF] = EXIT_REASON_CPUID;
		TEST_ASSERT_EQ(start(&self->td, &regs), false);
		assert_unchanged(&self->td, &regs, ARG(0) | ARG(1) | ARG(2) | ARG(3));
		assert_unchanged(&self->td, &regs, mask);
	}
}

/* Results from user space, which are all ones. */
TEST_F(mask, withheld_user_space_result_is_dropped)
{
	const u64 results = STATUS | RET | ARG(0) | ARG(1) | ARG(2);

	for_each_passed_gpr(i) {
		struct regs regs = distinct_regs(TDVMCALL_MASK_ALL & ~BIT_ULL(i));
		bool visible = i != TDVMCALL_LEAF && i != tdvmcall_args[0];

		regs.gpr[TDVMCALL_LEAF] = TDVMCALL_GET_TD_VM_CALL_INFO;
		regs.gpr[tdvmcall_args[0]] = 1;
		TEST_ASSERT_EQ(start(&self->td, &regs), visible);
		if (!visible)
			continue;

		finish(&self->td);
		assert_unchanged(&self->td, &regs, results & ~BIT_ULL(i));
		for (int j = 0; j < NR_GPRS; j++)
			if (results & ~BIT_ULL(i) & BIT_ULL(j))
				TEST_ASSERT_EQ(self->td.shared->gpr[j], ~0ull);
	}
}

/* KVM creates TDs with the flag NO_RBP_MOD, because its own code needs RBP. */
TEST_F(mask, rbp_refused)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL | BIT_ULL(GPR_RBP));

	TEST_ASSERT_EQ(start(&self->td, &regs), false);
	TEST_ASSERT_EQ(self->td.shared->gpr[GPR_RAX],
		       TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX);
	self->td.shared->gpr[GPR_RAX] = TDX_SUCCESS;
	assert_unchanged(&self->td, &regs, 0);
}

/*
 * XMM registers.  KVM has no use for them, so those that pass may come back with
 * anything but user space's values.
 */
static bool is_hosts_xmm(struct td *td, int i)
{
	return td->shared->xmm[i][0] == hosts_value(i) ||
	       td->shared->xmm[i][1] == hosts_value(i);
}

static bool is_same_or_zero(struct td *td, const struct regs *sent, int i)
{
	const u64 *back = td->shared->xmm[i];

	return (!back[0] && !back[1]) || !memcmp(back, sent->xmm[i], sizeof(sent->xmm[i]));
}

static void assert_same_or_zero(struct td *td, const struct regs *sent, int i)
{
	const u64 *back = td->shared->xmm[i];

	TEST_ASSERT(is_same_or_zero(td, sent, i),
		    "XMM%d was 0x%lx:%lx, is 0x%lx:%lx", i,
		    (unsigned long)sent->xmm[i][1], (unsigned long)sent->xmm[i][0],
		    (unsigned long)back[1], (unsigned long)back[0]);
}

/*
 * If the thread is preempted before KVM enters the guest, what leaks is another
 * thread's: the same bug, but a matter of luck.  So try again if a value is nobody's.
 */
#define MAX_TRIES	10

static void call_kernel(struct td *td, struct regs *regs)
{
	int i, tries = 0;

	do {
		TEST_ASSERT_EQ(start(td, regs), false);
		for (i = 0; i < NR_XMMS; i++)
			if (regs->gpr[TDVMCALL_MASK] & XMM_BIT(i) &&
			    !is_same_or_zero(td, regs, i))
				break;
	} while (i < NR_XMMS && ++tries < MAX_TRIES);
}

TEST_F(mask, one_xmm_passed_to_kernel)
{
	for (int i = 0; i < NR_XMMS; i++) {
		struct regs regs = distinct_regs(TDVMCALL_MASK_ALL | XMM_BIT(i));

		regs.gpr[TDVMCALL_LEAF] = ~0ull;
		call_kernel(&self->td, &regs);
		assert_unchanged(&self->td, &regs, STATUS | XMM_BIT(i));
		assert_same_or_zero(&self->td, &regs, i);
	}
}

TEST_F(mask, all_xmms_passed_to_kernel)
{
	struct regs regs = distinct_regs(TDVMCALL_MASK_ALL | ALL_XMMS);

	regs.gpr[TDVMCALL_LEAF] = ~0ull;
	call_kernel(&self->td, &regs);
	assert_unchanged(&self->td, &regs, STATUS | ALL_XMMS);
	for (int i = 0; i < NR_XMMS; i++)
		assert_same_or_zero(&self->td, &regs, i);
}

/* Returns true if user space's value came back. */
static bool leaks(struct td *td, int i)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL | XMM_BIT(i));

	for (int tries = 0; tries < MAX_TRIES; tries++) {
		TEST_ASSERT_EQ(start(td, &regs), true);
		assert_seen(td, &regs);
		finish(td);
		assert_unchanged(td, &regs, XMM_BIT(i));
		if (is_hosts_xmm(td, i))
			return true;
		if (is_same_or_zero(td, &regs, i))
			return false;
	}
	assert_same_or_zero(td, &regs, i);
	return false;
}

TEST_F(mask, user_space_xmms_do_not_leak)
{
	int nr_leaks = 0;

	for (int i = 0; i < NR_XMMS; i++)
		nr_leaks += leaks(&self->td, i);
	if (nr_leaks)
		XFAIL(return, "KVM leaks user space's XMM registers to the guest");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
