// SPDX-License-Identifier: GPL-2.0
/*
 * Exits from KVM_RUN that the guest has not asked for.
 *
 * A signal, kvm_run->immediate_exit, an open interrupt window, a bus lock, a
 * guest that lets no interrupt in: KVM has to leave the TD, say why, and let the
 * vCPU run on as if nothing had happened.
 *
 * Exits after which a vCPU can't run on are tested by tdx_shutdown_test and
 * tdx_dead_vm_test.
 */
#include "tdx/generic/kernel_release.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_irq.h"

static void assert_interrupted(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
}

/*
 * Signals.  One that the thread blocks and KVM_SET_SIGNAL_MASK lets through is
 * pending before KVM_RUN starts, so nothing is left to chance.
 */
TDX_IRQ_SUITE(signals);

static int set_signal_mask(struct kvm_vcpu *vcpu, u64 blocked, u32 len)
{
	struct {
		struct kvm_signal_mask mask;
		u32 blocked[2];	/* what the kernel takes for a sigset_t */
	} arg = {
		.mask.len = len,
		.blocked = { (u32)blocked, blocked >> 32 },
	};

	return __vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK, &arg.mask);
}

static u64 signal_bit(int signal)
{
	return BIT_ULL(signal - 1);
}

static void make_signal_pending(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, VCPU_THREAD_SIGNAL);
	TEST_ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	TEST_ASSERT_EQ(raise(VCPU_THREAD_SIGNAL), 0);
}

static bool is_signal_pending(void)
{
	sigset_t set;

	TEST_ASSERT_EQ(sigpending(&set), 0);
	return sigismember(&set, VCPU_THREAD_SIGNAL);
}

TEST_F(signals, pending_before_entry)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	make_signal_pending();
	TEST_ASSERT_EQ(set_signal_mask(vcpu, 0, sizeof(u64)), 0);
	assert_interrupted(vcpu);
	assert_interrupted(vcpu);
	TEST_ASSERT_EQ(self->td.shared->progress, 0);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, signal_exits), 2);

	/* KVM doesn't consume it. */
	TEST_ASSERT(is_signal_pending(), "The signal is lost");
	TEST_ASSERT_EQ(set_signal_mask(vcpu, ~0ull, sizeof(u64)), 0);
	vcpu_run_to_done(vcpu);
}

TEST_F(signals, blocked_by_thread)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	make_signal_pending();
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, signal_exits), 0);
}

TEST_F(signals, blocked_by_mask)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	make_signal_pending();
	TEST_ASSERT_EQ(set_signal_mask(vcpu, signal_bit(VCPU_THREAD_SIGNAL),
				       sizeof(u64)), 0);
	vcpu_run_to_done(vcpu);
}

TEST_F(signals, mask_removed)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	make_signal_pending();
	TEST_ASSERT_EQ(set_signal_mask(vcpu, 0, sizeof(u64)), 0);
	assert_interrupted(vcpu);
	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK,
				    (struct kvm_signal_mask *)NULL), 0);
	vcpu_run_to_done(vcpu);
}

TEST_F(signals, mask_of_wrong_size_refused)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	TEST_ASSERT_FAILS(set_signal_mask(vcpu, 0, sizeof(u32)), EINVAL);
	TEST_ASSERT_FAILS(set_signal_mask(vcpu, 0, sizeof(sigset_t)), EINVAL);
	make_signal_pending();
	vcpu_run_to_done(vcpu);
}

TEST_F(signals, kick_running_vcpu)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_spin);
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	wait_for_guest(&self->td.shared->here, 1);
	vcpu_thread_kick(&t);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EINTR);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);

	/* The guest continues where it was. */
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
	WRITE_ONCE(self->td.shared->go, 1);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->progress, 2);
}

TEST_F(signals, kick_halted_vcpu)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_halt);
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	vcpu_thread_kick(&t);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EINTR);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_HALTED);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

/* kvm_run->immediate_exit: KVM_RUN does everything but enter the guest. */
TDX_IRQ_SUITE(immediate_exit);

TEST_F(immediate_exit, before_first_entry)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_EQ(self->td.shared->progress, 0);
	vcpu->run->immediate_exit = 0;
	vcpu_run_to_done(vcpu);
}

/* KVM looks at it before it checks whether the TD can run at all. */
TEST_F(immediate_exit, before_launch)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(self->td.vm, 0, tdx_guest_one_step);

	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	vcpu->run->immediate_exit = 0;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
}

TEST_F(immediate_exit, halted)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);

	tdx_set_mp_state(vcpu, KVM_MP_STATE_HALTED);
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_HALTED);
}

/* A pending exit is completed, so user space can't change its result later. */
TDX_GUEST_SUITE(immediate_exit_completes);

#define SOME_GPA	0x200000000ul
#define SOME_PORT	0x3f0

TEST_F(immediate_exit_completes, mmio_read)
{
	struct tdx_guest *td = &self->td;
	struct tdvmcall call;

	tdx_call_start(td, EXIT_REASON_EPT_VIOLATION, 4, TDVMCALL_READ,
		       tdx_shared(td, SOME_GPA));
	TEST_ASSERT_EXIT_MMIO(td->vcpu, SOME_GPA, 4, false);
	*(u32 *)td->run->mmio.data = 0x11223344;
	tdx_call_complete(td);
	*(u32 *)td->run->mmio.data = 0x55667788;
	call = tdx_call_finish(td);
	TEST_ASSERT_EQ(tdvmcall_ret(&call), 0x11223344);
}

TEST_F(immediate_exit_completes, io_read)
{
	struct tdx_guest *td = &self->td;
	struct tdvmcall call;
	u16 *data;

	tdx_call_start(td, EXIT_REASON_IO_INSTRUCTION, 2, TDVMCALL_READ, SOME_PORT);
	TEST_ASSERT_EXIT_IO(td->vcpu, SOME_PORT, 2, KVM_EXIT_IO_IN);
	data = (void *)td->run + td->run->io.data_offset;
	*data = 0x1122;
	tdx_call_complete(td);
	*data = 0x3344;
	call = tdx_call_finish(td);
	TEST_ASSERT_EQ(tdvmcall_ret(&call), 0x1122);
}

/*
 * KVM can't ask the CPU to exit once a TD can take interrupts.  Whenever it
 * handles an exit by itself, it reports that the interrupt window is open.
 */
KVM_ONE_VCPU_TD_TEST_SUITE(interrupt_window);

static void guest_exits_to_kvm(void)
{
	u64 reg[4];

	for (;;) {
		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &reg[0], &reg[1], &reg[2], &reg[3]),
				TDVMCALL_STATUS_SUCCESS);
		GUEST_SYNC(0);
	}
}

KVM_ONE_VCPU_TD_TEST(interrupt_window, open_when_kvm_handles_exit, guest_exits_to_kvm)
{
	vcpu_run_to_sync(vcpu, 0);

	vcpu->run->request_interrupt_window = 1;
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	TEST_ASSERT(vcpu->run->ready_for_interrupt_injection, "Open, but not ready");

	vcpu->run->request_interrupt_window = 0;
	vcpu_run_to_sync(vcpu, 0);
}

/* Bus locks: if asked to, KVM exits to user space after each. */
TDX_IRQ_SUITE(bus_lock);

/* Two cache lines. */
static u8 lines[128] __aligned(64);

static void guest_ac_handler(struct ex_regs *regs)
{
	GUEST_SYNC(AC_VECTOR);
}

static void guest_bus_lock(void)
{
	u32 *split = (u32 *)&lines[62];

	for (u32 i = 1; i <= 3; i++) {
		asm volatile("lock incl %0" : "+m"(*split));
		GUEST_ASSERT_EQ(*split, i);
		tdx_guest_step();
	}
	GUEST_DONE();
}

/* Locked and within one cache line, or across two and not locked. */
static void guest_no_bus_lock(void)
{
	asm volatile("lock incl %0" : "+m"(*(u32 *)&lines[61 - 4]));
	asm volatile("lock incl %0" : "+m"(*(u32 *)&lines[64]));
	asm volatile("incl %0" : "+m"(*(u32 *)&lines[62]));
	GUEST_DONE();
}

static struct kvm_vcpu *bus_lock_launch(struct tdx_irq_td *td, void *guest_code)
{
	vm_install_exception_handler(td->vm, AC_VECTOR, guest_ac_handler);
	return tdx_irq_td_launch(td, guest_code);
}

/* A host that traps split locks has the CPU raise #AC instead. */
static bool is_split_lock_trapped(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	return get_ucall(vcpu, &uc) == UCALL_SYNC && uc.args[1] == AC_VECTOR;
}

TEST_F(bus_lock, exits_after_each)
{
	struct kvm_vcpu *vcpu;

	if (!has_bus_lock_exit(self->td.vm))
		SKIP(return, NEEDS_BUS_LOCK_EXIT);

	vm_enable_cap(self->td.vm, KVM_CAP_X86_BUS_LOCK_EXIT,
		      KVM_BUS_LOCK_DETECTION_EXIT);
	vcpu = bus_lock_launch(&self->td, guest_bus_lock);

	for (int i = 0; i < 3; i++) {
		vcpu_run(vcpu);
		if (is_split_lock_trapped(vcpu))
			SKIP(return, SPLIT_LOCKS_TRAPPED);
		/* Without an exit the guest runs to its end. */
		if (vcpu->run->exit_reason == KVM_EXIT_MMIO && is_kernel_before(7, 3))
			SKIP(return, "KVM before 7.3 has no bus lock exits for TDs");

		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_X86_BUS_LOCK);
		TEST_ASSERT_EQ(vcpu->run->flags, KVM_RUN_X86_BUS_LOCK);
		TEST_ASSERT_EQ(self->td.shared->progress, i);
	}
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu->run->flags, 0);
}

TEST_F(bus_lock, no_exit_without_split_lock)
{
	if (!has_bus_lock_exit(self->td.vm))
		SKIP(return, NEEDS_BUS_LOCK_EXIT);

	vm_enable_cap(self->td.vm, KVM_CAP_X86_BUS_LOCK_EXIT,
		      KVM_BUS_LOCK_DETECTION_EXIT);
	bus_lock_launch(&self->td, guest_no_bus_lock);
	vcpu_run_to_done(self->td.vcpu[0]);
}

static void assert_no_bus_lock_exit(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu->run->flags, 0);
}

TEST_F(bus_lock, no_exit_by_default)
{
	struct kvm_vcpu *vcpu = bus_lock_launch(&self->td, guest_bus_lock);

	assert_no_bus_lock_exit(vcpu);
	if (is_split_lock_trapped(vcpu))
		SKIP(return, SPLIT_LOCKS_TRAPPED);
	TEST_ASSERT_EQ(self->td.shared->progress, 3);
}

TEST_F(bus_lock, no_exit_when_off)
{
	struct kvm_vcpu *vcpu;

	vm_enable_cap(self->td.vm, KVM_CAP_X86_BUS_LOCK_EXIT,
		      KVM_BUS_LOCK_DETECTION_OFF);
	vcpu = bus_lock_launch(&self->td, guest_bus_lock);
	assert_no_bus_lock_exit(vcpu);
	if (is_split_lock_trapped(vcpu))
		SKIP(return, SPLIT_LOCKS_TRAPPED);
	TEST_ASSERT_EQ(self->td.shared->progress, 3);
}

TEST_F(bus_lock, bad_modes_refused)
{
	static const u64 bad[] = {
		KVM_BUS_LOCK_DETECTION_OFF | KVM_BUS_LOCK_DETECTION_EXIT,
		BIT_ULL(2), BIT_ULL(63),
	};

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_ASSERT_FAILS(__vm_enable_cap(self->td.vm,
						  KVM_CAP_X86_BUS_LOCK_EXIT,
						  bad[i]), EINVAL);
}

/*
 * Notify exits stop a guest that gives the CPU no chance to take an interrupt.
 * To provoke one takes an endless loop within one instruction, which hangs the
 * host's CPU if KVM or the TDX module fails to enable the exit.  So this tests
 * only how it is enabled, and that other guests don't exit.
 */
TDX_IRQ_SUITE(notify);

#define NOTIFY_WINDOW	0x20000000ull	/* in TSC ticks */

static bool has_notify_exit(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_X86_NOTIFY_VMEXIT);
}

#define NEEDS_NOTIFY_EXIT	"the host lacks notify exits"

static int enable_notify(struct kvm_vm *vm, u64 flags)
{
	return __vm_enable_cap(vm, KVM_CAP_X86_NOTIFY_VMEXIT,
			       NOTIFY_WINDOW << 32 | flags);
}

TDX_IRQ_FIXTURE(notify_mode);

FIXTURE_VARIANT(notify_mode) {
	u64 flags;
};

FIXTURE_VARIANT_ADD(notify_mode, kernel) {
	.flags = KVM_X86_NOTIFY_VMEXIT_ENABLED,
};

FIXTURE_VARIANT_ADD(notify_mode, user) {
	.flags = KVM_X86_NOTIFY_VMEXIT_ENABLED | KVM_X86_NOTIFY_VMEXIT_USER,
};

FIXTURE_SETUP(notify_mode)
{
	tdx_irq_td_create(&self->td);
}

/* To run with interrupts off is no reason to exit. */
TEST_F(notify_mode, well_behaved_guest_undisturbed)
{
	struct vcpu_thread t;

	if (!has_notify_exit(self->td.vm))
		SKIP(return, NEEDS_NOTIFY_EXIT);

	TEST_ASSERT_EQ(enable_notify(self->td.vm, variant->flags), 0);
	tdx_irq_td_launch(&self->td, tdx_guest_spin);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	wait_for_guest(&self->td.shared->here, 1);
	WRITE_ONCE(self->td.shared->go, 1);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), 0);
	TEST_ASSERT_KVM_EXIT_REASON(self->td.vcpu[0], KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu_get_stat(self->td.vcpu[0], notify_window_exits), 0);
}

TEST_F(notify, bad_flags_refused)
{
	static const u64 bad[] = {
		0, KVM_X86_NOTIFY_VMEXIT_USER,
		KVM_X86_NOTIFY_VMEXIT_ENABLED | BIT_ULL(2),
		KVM_X86_NOTIFY_VMEXIT_ENABLED | BIT_ULL(31),
	};

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_ASSERT_FAILS(enable_notify(self->td.vm, bad[i]), EINVAL);
}

TEST_F(notify, refused_after_vcpu_creation)
{
	if (!has_notify_exit(self->td.vm))
		SKIP(return, NEEDS_NOTIFY_EXIT);

	vm_vcpu_add(self->td.vm, 0, tdx_guest_one_step);
	TEST_ASSERT_FAILS(enable_notify(self->td.vm, KVM_X86_NOTIFY_VMEXIT_ENABLED),
			  EINVAL);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
