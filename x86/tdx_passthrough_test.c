// SPDX-License-Identifier: GPL-2.0
/*
 * Registers of a TDVMCALL: what goes in comes out, what is masked stays where
 * it is.
 *
 * RCX says which registers KVM gets and gives back.  The TDX module keeps to
 * that, and KVM has to do its part: it may change nothing but what the TDVMCALL
 * returns, be it handled in the kernel or by way of user space, whatever user
 * space leaves in struct kvm_run.  And as the module loads XMM registers from
 * the host's, if the guest asks for it, it must not be user space's that it
 * finds there.
 *
 * This is the one test that deals in registers, by number and all.  What the
 * results are is for the tests of the TDVMCALLs.
 */
#include <linux/kvm_para.h>

#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_XMMS		16
#define XMM_BIT(i)	BIT_ULL(16 + (i))
#define ALL_XMMS	GENMASK_ULL(31, 16)

/* Of no memslot. */
#define GPA		0x200000000ul

struct regs {
	u64 gpr[NR_GPRS];
	u64 xmm[NR_XMMS][2];
};

#define FOR_EACH_XMM	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n\t"

kvm_static_assert(offsetof(struct regs, xmm) == 128);

/*
 * Guest: TDCALL with all of @regs but RSP, which are written back.  It leaves no
 * register to the compiler.
 */
static __attribute__((naked)) noinline void tdcall_regs(struct regs *regs)
{
	asm("push %rbx\n\t"
	    "push %rbp\n\t"
	    "push %r12\n\t"
	    "push %r13\n\t"
	    "push %r14\n\t"
	    "push %r15\n\t"
	    "push %rdi\n\t"
	    FOR_EACH_XMM
	    "movups 128 + \\n * 16(%rdi), %xmm\\n\n\t"
	    ".endr\n\t"
	    "mov 0(%rdi), %rax\n\t"
	    "mov 8(%rdi), %rcx\n\t"
	    "mov 16(%rdi), %rdx\n\t"
	    "mov 24(%rdi), %rbx\n\t"
	    "mov 40(%rdi), %rbp\n\t"
	    "mov 48(%rdi), %rsi\n\t"
	    "mov 64(%rdi), %r8\n\t"
	    "mov 72(%rdi), %r9\n\t"
	    "mov 80(%rdi), %r10\n\t"
	    "mov 88(%rdi), %r11\n\t"
	    "mov 96(%rdi), %r12\n\t"
	    "mov 104(%rdi), %r13\n\t"
	    "mov 112(%rdi), %r14\n\t"
	    "mov 120(%rdi), %r15\n\t"
	    "mov 56(%rdi), %rdi\n\t"
	    ".byte 0x66, 0x0f, 0x01, 0xcc\n\t"
	    "xchg %rdi, (%rsp)\n\t"
	    "mov %rax, 0(%rdi)\n\t"
	    "mov %rcx, 8(%rdi)\n\t"
	    "mov %rdx, 16(%rdi)\n\t"
	    "mov %rbx, 24(%rdi)\n\t"
	    "mov %rbp, 40(%rdi)\n\t"
	    "mov %rsi, 48(%rdi)\n\t"
	    "mov %r8, 64(%rdi)\n\t"
	    "mov %r9, 72(%rdi)\n\t"
	    "mov %r10, 80(%rdi)\n\t"
	    "mov %r11, 88(%rdi)\n\t"
	    "mov %r12, 96(%rdi)\n\t"
	    "mov %r13, 104(%rdi)\n\t"
	    "mov %r14, 112(%rdi)\n\t"
	    "mov %r15, 120(%rdi)\n\t"
	    "pop 56(%rdi)\n\t"
	    FOR_EACH_XMM
	    "movups %xmm\\n, 128 + \\n * 16(%rdi)\n\t"
	    ".endr\n\t"
	    "pop %r15\n\t"
	    "pop %r14\n\t"
	    "pop %r13\n\t"
	    "pop %r12\n\t"
	    "pop %rbp\n\t"
	    "pop %rbx\n\t"
	    "ret");
}

/* The host puts into @shared what to call with, and finds there what came. */
static void guest_calls(struct regs *shared)
{
	static struct regs regs;

	for (;;) {
		GUEST_SYNC(0);
		regs = *shared;
		tdcall_regs(&regs);
		*shared = regs;
	}
}

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_run *run;
	struct regs *shared;
};

/* KVM_RUN by a user space that has @xmm in its XMM registers. */
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

static u64 guests_value(int reg)
{
	return 0x0102030405060708ul * (reg + 1);
}

static u64 hosts_value(int reg)
{
	return 0xf0e0d0c0b0a09080ul + reg;
}

/* User space's own registers have to be as they were, whatever the guest has. */
static void run(struct td *td)
{
	u64 xmm[NR_XMMS][2];

	for (int i = 0; i < NR_XMMS; i++)
		xmm[i][0] = xmm[i][1] = hosts_value(i);

	TEST_ASSERT_EQ(run_with_xmms(td->vcpu->fd, xmm), 0);

	for (int i = 0; i < NR_XMMS; i++) {
		TEST_ASSERT_EQ(xmm[i][0], hosts_value(i));
		TEST_ASSERT_EQ(xmm[i][1], hosts_value(i));
	}
}

static void create(struct td *td)
{
	gva_t gva;

	td->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	td->vcpu = vm_vcpu_add(td->vm, 0, guest_calls);
	td->run = td->vcpu->run;
	gva = tdx_alloc_shared(td->vm, sizeof(*td->shared), &td->shared);
	vcpu_args_set(td->vcpu, 1, gva);
	vm_enable_cap(td->vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	tdx_vm_finalize(td->vm);
	vcpu_run_to_sync(td->vcpu, 0);
}

/* A value of its own in each register, for the caller to put operands over. */
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

/* Returns true with the exit of the guest's TDVMCALL, false without. */
static bool start(struct td *td, const struct regs *sent)
{
	struct ucall uc;

	*td->shared = *sent;
	run(td);
	if (get_ucall(td->vcpu, &uc) == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	return uc.cmd == UCALL_NONE;
}

/* User space answers with all that it can write, and that is not an error. */
static void finish(struct td *td)
{
	struct ucall uc;

	memset(td->run->padding, 0xff, sizeof(td->run->padding));
	if (td->run->exit_reason == KVM_EXIT_HYPERCALL)
		td->run->hypercall.ret = 0;
	run(td);
	TEST_ASSERT_EQ(get_ucall(td->vcpu, &uc), UCALL_SYNC);
}

/* The guest's registers are as they were, but for those of @results. */
static void assert_kept(struct td *td, const struct regs *sent, u64 results)
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

/* What user space sees of all registers, in the one exit that shows them. */
static void assert_seen(struct td *td, const struct regs *sent)
{
	u64 mask = sent->gpr[TDVMCALL_MASK];
	struct tdvmcall seen;

	TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_SYSTEM_EVENT);
	seen = tdvmcall_of_system_event(td->run);

	/* RAX is the exit's own, RCX is the mask and always there. */
	TEST_ASSERT_EQ(seen.reg[TDVMCALL_MASK], mask);
	for (int i = GPR_RDX; i < NR_GPRS; i++)
		TEST_ASSERT(seen.reg[i] == (mask & BIT_ULL(i) ? sent->gpr[i] : 0),
			    "Mask 0x%lx: register %d is 0x%lx, user space sees 0x%lx",
			    (unsigned long)mask, i, (unsigned long)sent->gpr[i],
			    (unsigned long)seen.reg[i]);
}

/*
 * Each TDVMCALL, and each way in which KVM handles it.
 */
#define STATUS		BIT_ULL(TDVMCALL_STATUS)
#define RET		BIT_ULL(TDVMCALL_RET)
#define ARG(i)		BIT_ULL(GPR_R12 + (i))

FIXTURE(tdvmcall) {
	struct td td;
};

FIXTURE_VARIANT(tdvmcall) {
	u64 type;
	u64 leaf;
	u64 arg[4];
	int nr_args;
	u64 shared;	/* bit per argument that has the shared bit */
	u32 exit;	/* zero if KVM handles it by itself */
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

FIXTURE_SETUP(tdvmcall)
{
	create(&self->td);
}

FIXTURE_TEARDOWN(tdvmcall)
{
	kvm_vm_free(self->td.vm);
}

/* See to it that the next HLT ends at once. */
static void kick(struct td *td)
{
	struct regs regs = distinct_regs(TDVMCALL_MASK_ALL);

	regs.gpr[TDVMCALL_TYPE] = KVM_HC_KICK_CPU;
	regs.gpr[tdvmcall_args[0]] = td->vcpu->id;
	TEST_ASSERT_EQ(start(td, &regs), false);
}

TEST_F(tdvmcall, changes_its_results_only)
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
				regs.gpr[tdvmcall_args[j]] |= td->vm->arch.s_bit;
		}

		if (variant->halts)
			kick(td);
		if (start(td, &regs)) {
			TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, variant->exit);
			finish(td);
		} else {
			TEST_ASSERT_EQ(variant->exit, 0);
		}
		assert_kept(td, &regs, variant->results);
	}
}

/*
 * The mask, bit by bit.
 */
FIXTURE(mask) {
	struct td td;
};

FIXTURE_SETUP(mask)
{
	create(&self->td);
}

FIXTURE_TEARDOWN(mask)
{
	kvm_vm_free(self->td.vm);
}

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
	assert_kept(td, &regs, 0);
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

TEST_F(mask, one_gpr_withheld_stays_private)
{
	for_each_passed_gpr(i)
		if (i != TDVMCALL_LEAF)
			assert_report(&self->td, TDVMCALL_MASK_ALL & ~BIT_ULL(i));
}

/* KVM gives an answer, but the guest didn't want any. */
TEST_F(mask, no_gpr_passed_no_gpr_changed)
{
	const u64 masks[] = { 0, TDVMCALL_MASK_ALL & ~STATUS & ~RET };

	for (int i = 0; i < ARRAY_SIZE(masks); i++) {
		struct regs regs = report_regs(masks[i]);

		TEST_ASSERT_EQ(start(&self->td, &regs), false);
		assert_kept(&self->td, &regs, 0);
	}
}

/* KVM finds a leaf of zero then, which there isn't. */
TEST_F(mask, leaf_withheld_is_no_leaf)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL & ~BIT_ULL(TDVMCALL_LEAF));

	TEST_ASSERT_EQ(start(&self->td, &regs), false);
	assert_kept(&self->td, &regs, STATUS);
	TEST_ASSERT_EQ(self->td.shared->gpr[TDVMCALL_STATUS],
		       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

/* A hypercall to those who see its number. */
TEST_F(mask, type_withheld_is_zero)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL & ~BIT_ULL(TDVMCALL_TYPE));

	regs.gpr[TDVMCALL_TYPE] = KVM_HC_VAPIC_POLL_IRQ;
	TEST_ASSERT_EQ(start(&self->td, &regs), true);
	assert_seen(&self->td, &regs);
	finish(&self->td);
	assert_kept(&self->td, &regs, 0);
}

/* Results of the kernel: the four registers of CPUID. */
TEST_F(mask, kernels_result_withheld_is_kept)
{
	for (int i = 0; i < 4; i++) {
		const u64 mask = TDVMCALL_MASK_ALL & ~ARG(i);
		struct regs regs = distinct_regs(mask);

		regs.gpr[TDVMCALL_LEAF] = EXIT_REASON_CPUID;
		TEST_ASSERT_EQ(start(&self->td, &regs), false);
		assert_kept(&self->td, &regs, ARG(0) | ARG(1) | ARG(2) | ARG(3));
		assert_kept(&self->td, &regs, mask);
	}
}

/* Results of user space, which has left all ones there. */
TEST_F(mask, user_spaces_result_withheld_is_kept)
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
		assert_kept(&self->td, &regs, results & ~BIT_ULL(i));
		for (int j = 0; j < NR_GPRS; j++)
			if (results & ~BIT_ULL(i) & BIT_ULL(j))
				TEST_ASSERT_EQ(self->td.shared->gpr[j], ~0ull);
	}
}

/* KVM asks the module for that, for its own code needs RBP. */
TEST_F(mask, rbp_never_passes)
{
	struct regs regs = report_regs(TDVMCALL_MASK_ALL | BIT_ULL(GPR_RBP));

	TEST_ASSERT_EQ(start(&self->td, &regs), false);
	TEST_ASSERT_EQ(self->td.shared->gpr[GPR_RAX],
		       TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX);
	self->td.shared->gpr[GPR_RAX] = TDX_SUCCESS;
	assert_kept(&self->td, &regs, 0);
}

/*
 * XMM registers.  KVM knows nothing of them, so of those that the guest passes
 * it may make what it likes, but for what is not its own.
 */
static bool is_hosts_xmm(struct td *td, int i)
{
	return td->shared->xmm[i][0] == hosts_value(i) ||
	       td->shared->xmm[i][1] == hosts_value(i);
}

static void assert_own_or_none(struct td *td, const struct regs *sent, int i)
{
	const u64 *back = td->shared->xmm[i];

	TEST_ASSERT((!back[0] && !back[1]) ||
		    !memcmp(back, sent->xmm[i], sizeof(sent->xmm[i])),
		    "XMM%d was 0x%lx:%lx, is 0x%lx:%lx", i,
		    (unsigned long)sent->xmm[i][1], (unsigned long)sent->xmm[i][0],
		    (unsigned long)back[1], (unsigned long)back[0]);
}

TEST_F(mask, one_xmm_to_the_kernel)
{
	for (int i = 0; i < NR_XMMS; i++) {
		struct regs regs = distinct_regs(TDVMCALL_MASK_ALL | XMM_BIT(i));

		regs.gpr[TDVMCALL_LEAF] = ~0ull;
		TEST_ASSERT_EQ(start(&self->td, &regs), false);
		assert_kept(&self->td, &regs, STATUS | XMM_BIT(i));
		assert_own_or_none(&self->td, &regs, i);
	}
}

TEST_F(mask, all_xmms_to_the_kernel)
{
	struct regs regs = distinct_regs(TDVMCALL_MASK_ALL | ALL_XMMS);

	regs.gpr[TDVMCALL_LEAF] = ~0ull;
	TEST_ASSERT_EQ(start(&self->td, &regs), false);
	assert_kept(&self->td, &regs, STATUS | ALL_XMMS);
	for (int i = 0; i < NR_XMMS; i++)
		assert_own_or_none(&self->td, &regs, i);
}

TEST_F(mask, xmms_of_user_space_stay_there)
{
	int nr_leaks = 0;

	for (int i = 0; i < NR_XMMS; i++) {
		struct regs regs = report_regs(TDVMCALL_MASK_ALL | XMM_BIT(i));

		TEST_ASSERT_EQ(start(&self->td, &regs), true);
		assert_seen(&self->td, &regs);
		finish(&self->td);
		assert_kept(&self->td, &regs, XMM_BIT(i));
		if (is_hosts_xmm(&self->td, i))
			nr_leaks++;
		else
			assert_own_or_none(&self->td, &regs, i);
	}

	if (nr_leaks)
		XFAIL(return, "KVM lets the guest have user space's XMM registers");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
