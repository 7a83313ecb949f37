// SPDX-License-Identifier: GPL-2.0
/*
 * How KVM_RUN of a TD's vCPU ends when the guest has not asked for it.
 *
 * A signal, user space's wish to leave at once, a triple fault, a bus lock, a
 * guest that lets no interrupt in: KVM has to leave the TD, say why, and let
 * the vCPU go on if it can.  And where it can't, nothing may ever run again: a
 * TD whose memory can't be trusted is dead for all of its vCPUs and for every
 * ioctl, and yet can be torn down like any other.
 */
#include <sys/eventfd.h>
#include <sys/utsname.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/kernel_log.h"
#include "tdx/tdx_caller.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/vcpu_thread.h"

#define NR_VCPUS	2

/* Private, and neither added nor accepted. */
#define UNACCEPTED_GPA	(4ul << 30)
#define UNACCEPTED_SLOT	10

struct shared {
	u64 here;		/* the guest is where it can be hit */
	u64 go;			/* the guest may go on */
	u64 progress;		/* steps that it has made */
};

static struct shared *shared;	/* the guest's */

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct shared *shared;	/* the host's */
};

static void td_create(struct td *td)
{
	gva_t gva;

	*td = (struct td) { .vm = __vm_create(VM_SHAPE_TDX, NR_VCPUS, 0) };
	gva = tdx_alloc_shared(td->vm, sizeof(*td->shared), &td->shared);
	write_guest_global(td->vm, shared, (void *)gva);
}

static struct kvm_vcpu *td_launch(struct td *td, void *guest_code)
{
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, guest_code);
	vm_tdx_launch(td->vm);
	return td->vcpu[0];
}

#define TD_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct td td;						\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		td_create(&self->td);					\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->td.vm);				\
	}

/* The guest's steps are seen by the host whatever KVM_RUN returns. */
static void guest_step(void)
{
	WRITE_ONCE(shared->progress, READ_ONCE(shared->progress) + 1);
}

static void guest_one_step(void)
{
	guest_step();
	GUEST_DONE();
}

static void guest_spin(void)
{
	guest_step();
	WRITE_ONCE(shared->here, 1);
	while (!READ_ONCE(shared->go))
		cpu_relax();
	guest_step();
	GUEST_DONE();
}

static void guest_halt(void)
{
	guest_step();
	GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
	guest_step();
	GUEST_DONE();
}

static u32 mp_state(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state;
}

static void assert_interrupted(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
}

/*
 * Signals.  Blocked in the thread and let through by KVM_SET_SIGNAL_MASK, one
 * can be pending before KVM_RUN begins, which leaves nothing to chance.
 */
TD_FIXTURE(signals);

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
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	make_signal_pending();
	TEST_ASSERT_EQ(set_signal_mask(vcpu, 0, sizeof(u64)), 0);
	assert_interrupted(vcpu);
	assert_interrupted(vcpu);
	TEST_ASSERT_EQ(self->td.shared->progress, 0);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, signal_exits), 2);

	/* KVM doesn't take it, it is still for the thread. */
	TEST_ASSERT(is_signal_pending(), "The signal is lost");
	TEST_ASSERT_EQ(set_signal_mask(vcpu, ~0ull, sizeof(u64)), 0);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(signals, blocked_by_thread)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	make_signal_pending();
	tdx_vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, signal_exits), 0);
}

TEST_F(signals, blocked_by_mask)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	make_signal_pending();
	TEST_ASSERT_EQ(set_signal_mask(vcpu, signal_bit(VCPU_THREAD_SIGNAL),
				       sizeof(u64)), 0);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(signals, mask_removed)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	make_signal_pending();
	TEST_ASSERT_EQ(set_signal_mask(vcpu, 0, sizeof(u64)), 0);
	assert_interrupted(vcpu);
	TEST_ASSERT_EQ(__vcpu_ioctl(vcpu, KVM_SET_SIGNAL_MASK,
				    (struct kvm_signal_mask *)NULL), 0);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(signals, mask_of_wrong_size)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	TEST_ASSERT_FAILS(set_signal_mask(vcpu, 0, sizeof(u32)), EINVAL);
	TEST_ASSERT_FAILS(set_signal_mask(vcpu, 0, sizeof(sigset_t)), EINVAL);
	make_signal_pending();
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(signals, kick_running_vcpu)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_spin);
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	wait_for_guest(&self->td.shared->here, 1);
	vcpu_thread_kick(&t);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EINTR);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);

	/* It goes on where it was. */
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
	WRITE_ONCE(self->td.shared->go, 1);
	tdx_vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->progress, 2);
}

TEST_F(signals, kick_halted_vcpu)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_halt);
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	vcpu_thread_kick(&t);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EINTR);
	TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_INTR);
	TEST_ASSERT_EQ(mp_state(vcpu), KVM_MP_STATE_HALTED);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

/*
 * kvm_run->immediate_exit: everything but the entry.
 */
TD_FIXTURE(immediate_exit);

TEST_F(immediate_exit, before_first_entry)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_EQ(self->td.shared->progress, 0);
	vcpu->run->immediate_exit = 0;
	tdx_vcpu_run_to_done(vcpu);
}

/* It goes before the checks of what the TD lacks to run. */
TEST_F(immediate_exit, before_launch)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(self->td.vm, 0, guest_one_step);

	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	vcpu->run->immediate_exit = 0;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
}

TEST_F(immediate_exit, halted)
{
	struct kvm_mp_state halted = { .mp_state = KVM_MP_STATE_HALTED };
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_one_step);

	vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &halted);
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	TEST_ASSERT_EQ(mp_state(vcpu), KVM_MP_STATE_HALTED);
}

/* The exit at hand is completed, so user space may forget it. */
TDX_CALLER_SUITE(immediate_exit_completes);

#define SOME_GPA	0x200000000ul
#define SOME_PORT	0x3f0

TEST_F(immediate_exit_completes, mmio_read)
{
	struct tdx_caller *td = &self->td;
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
	struct tdx_caller *td = &self->td;
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
 * Shutdown: nobody can bring such a vCPU back.
 */
FIXTURE(shutdown) {
	struct td td;
};

FIXTURE_VARIANT(shutdown) {
	void (*guest_code)(void);
};

/* Exceptions with nowhere to go. */
static void guest_no_idt(void)
{
	const struct desc_ptr no_idt = {};

	guest_step();
	set_idt(&no_idt);
	asm volatile("ud2");
	guest_step();
}

/* #VE, of which the TDX module injects the first half of the fault. */
static void guest_no_idt_for_ve(void)
{
	const struct desc_ptr no_idt = {};

	guest_step();
	set_idt(&no_idt);
	asm volatile("hlt");
	guest_step();
}

/* A stack that isn't there, so that no handler can be called. */
static void guest_no_stack(void)
{
	guest_step();
	asm volatile("xor %esp, %esp; ud2");
	guest_step();
}

FIXTURE_VARIANT_ADD(shutdown, no_idt) { .guest_code = guest_no_idt };
FIXTURE_VARIANT_ADD(shutdown, no_idt_for_ve) { .guest_code = guest_no_idt_for_ve };
FIXTURE_VARIANT_ADD(shutdown, no_stack) { .guest_code = guest_no_stack };

FIXTURE_SETUP(shutdown)
{
	td_create(&self->td);
	td_launch(&self->td, variant->guest_code);
}

FIXTURE_TEARDOWN(shutdown)
{
	kvm_vm_free(self->td.vm);
}

TEST_F(shutdown, exit_by_triple_fault)
{
	struct kvm_vcpu *vcpu = self->td.vcpu[0];

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

#define NON_RECOVERABLE	BIT_ULL(62)	/* in the status of the TDX module */

TD_FIXTURE(after_shutdown);

/* The module doesn't enter it again, and KVM passes on what the module says. */
TEST_F(after_shutdown, vcpu_stays_down)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_no_idt);
	struct kvm_run *run = vcpu->run;
	u64 cpu;
	int log;

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	/* Announced before the log is watched, as the announcement goes there. */
	expect_kernel_log("WARNING: *vt_cache_reg");
	log = kernel_log_open();
	cpu = pin_self_to_any_cpu();
	vcpu_run(vcpu);
	for (int i = 0; i < 3; i++) {
		vcpu_run(vcpu);
		if (run->exit_reason == KVM_EXIT_SHUTDOWN)
			continue;

		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_INTERNAL_ERROR);
		TEST_ASSERT_EQ(run->internal.suberror,
			       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
		TEST_ASSERT_EQ(run->internal.ndata, 2);
		TEST_ASSERT(run->internal.data[0] & NON_RECOVERABLE,
			    "Unexpected status 0x%llx", run->internal.data[0]);
		TEST_ASSERT_EQ(run->internal.data[1], cpu);
	}
	TEST_ASSERT_EQ(self->td.shared->progress, 1);

	/* The kernel says so once after it has booted, and then is silent. */
	if (kernel_log_has_warning(log, "vt_cache_reg"))
		XFAIL(return, "KVM wants to print the TD's RIP, and warns that it can't read it");
}

TEST_F(after_shutdown, other_vcpu_goes_on)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_no_idt, guest_one_step);
	vcpu_run(self->td.vcpu[0]);
	TEST_ASSERT_KVM_EXIT_REASON(self->td.vcpu[0], KVM_EXIT_SHUTDOWN);
	tdx_vcpu_run_to_done(self->td.vcpu[1]);
}

/* User space may ask for a shutdown exit too, of which the TD knows nothing. */
TD_FIXTURE(triple_fault_event);

static void set_triple_fault(struct kvm_vcpu *vcpu, bool pending)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(vcpu, &events);
	events.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	events.triple_fault.pending = pending;
	vcpu_events_set(vcpu, &events);
}

TEST_F(triple_fault_event, exits_once)
{
	struct kvm_vcpu_events events;
	struct kvm_vcpu *vcpu;

	if (!vm_check_cap(self->td.vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT))
		SKIP(return, "KVM lacks KVM_CAP_X86_TRIPLE_FAULT_EVENT");

	vm_enable_cap(self->td.vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1);
	vcpu = td_launch(&self->td, guest_one_step);
	set_triple_fault(vcpu, true);
	vcpu_events_get(vcpu, &events);
	TEST_ASSERT_EQ(events.triple_fault.pending, 1);

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	TEST_ASSERT_EQ(self->td.shared->progress, 0);
	vcpu_events_get(vcpu, &events);
	TEST_ASSERT_EQ(events.triple_fault.pending, 0);
	tdx_vcpu_run_to_done(vcpu);
}

/*
 * The end of a TD.  The guest touches a private page that it hasn't accepted,
 * and with SEPT_VE_DISABLE the TDX module doesn't tell the guest, but the host.
 * The guest must not run on, as it couldn't tell that its memory was replaced.
 */
FIXTURE(dead) {
	struct td td;
};

static bool has_sept_ve_disable(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	bool has = caps->supported_attrs & TDX_TD_ATTR_SEPT_VE_DISABLE;

	free(caps);
	return has;
}

static void dead_create(struct td *td)
{
	struct kvm_tdx_init_vm *init;

	td_create(td);
	init = tdx_default_init_vm(td->vm);
	init->attributes |= TDX_TD_ATTR_SEPT_VE_DISABLE;
	tdx_init_vm(td->vm, init);
	free(init);

	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, UNACCEPTED_GPA,
				    UNACCEPTED_SLOT, 1, KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(td->vm, UNACCEPTED_GPA, PAGE_SIZE);
	tdx_map_both(td->vm, UNACCEPTED_GPA, 1);
}

FIXTURE_SETUP(dead)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	if (!has_sept_ve_disable(vm))
		SKIP(return, "the TDX module lacks SEPT_VE_DISABLE");
	if (!has_two_cpus(vm))
		SKIP(return, NEEDS_TWO_CPUS);

	kvm_vm_free(vm);
	dead_create(&self->td);
}

FIXTURE_TEARDOWN(dead)
{
	kvm_vm_free(self->td.vm);
}

static void guest_suicide(void)
{
	guest_step();
	WRITE_ONCE(*(u64 *)UNACCEPTED_GPA, 1);
	guest_step();
	GUEST_DONE();
}

static void guest_steps(void)
{
	for (;;) {
		guest_step();
		GUEST_SYNC(0);
	}
}

static void die(struct td *td)
{
	TEST_ASSERT_FAILS(__vcpu_run(td->vcpu[0]), EIO);
}

TEST_F(dead, unaccepted_page)
{
	td_launch(&self->td, guest_suicide);
	die(&self->td);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

TEST_F(dead, for_ever)
{
	td_launch(&self->td, guest_suicide);
	for (int i = 0; i < 5; i++)
		die(&self->td);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

TEST_F(dead, vcpu_in_user_space)
{
	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_suicide, guest_steps);
	tdx_vcpu_run_to_sync(self->td.vcpu[1], 0);
	die(&self->td);

	for (int i = 0; i < 5; i++)
		TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.shared->progress, 2);
}

TEST_F(dead, vcpu_that_never_ran)
{
	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_suicide, guest_steps);
	die(&self->td);
	TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

/* Thrown out of the guest, without a signal or anything else. */
TEST_F(dead, running_vcpu)
{
	struct vcpu_thread t;

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_suicide, guest_spin);
	vcpu_thread_start(&t, self->td.vcpu[1]);
	wait_for_guest(&self->td.shared->here, 1);
	die(&self->td);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EIO);

	WRITE_ONCE(self->td.shared->go, 1);
	TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.shared->progress, 2);
}

/* KVM doesn't wake a sleeping vCPU for this, but lets it never run again. */
TEST_F(dead, halted_vcpu)
{
	struct vcpu_thread t;

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_suicide, guest_halt);
	vcpu_thread_start(&t, self->td.vcpu[1]);
	vcpu_wait_until_asleep(self->td.vcpu[1]);
	die(&self->td);
	vcpu_thread_kick(&t);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), -1);
	TEST_ASSERT(errno == EINTR || errno == EIO, "errno %d", errno);

	TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.shared->progress, 2);
}

TEST_F(dead, immediate_exit)
{
	td_launch(&self->td, guest_suicide);
	die(&self->td);
	self->td.vcpu[0]->run->immediate_exit = 1;
	die(&self->td);
}

struct refused {
	const char *name;
	unsigned long cmd;
};

#define REFUSED(cmd)	{ #cmd, cmd }

/* No argument is looked at, so one fits all. */
static void assert_refused(int fd, const struct refused *refused, int nr)
{
	static u8 arg[PAGE_SIZE] __aligned(PAGE_SIZE);
	int r;

	for (int i = 0; i < nr; i++) {
		errno = 0;
		r = ioctl(fd, refused[i].cmd, arg);
		TEST_ASSERT(r == -1 && errno == EIO,
			    "Wanted EIO from %s, got %d, errno %d",
			    refused[i].name, r, errno);
	}
}

TEST_F(dead, vm_ioctls)
{
	static const struct refused refused[] = {
		REFUSED(KVM_CHECK_EXTENSION),
		REFUSED(KVM_CREATE_DEVICE),
		REFUSED(KVM_CREATE_GUEST_MEMFD),
		REFUSED(KVM_CREATE_VCPU),
		REFUSED(KVM_ENABLE_CAP),
		REFUSED(KVM_GET_CLOCK),
		REFUSED(KVM_GET_DIRTY_LOG),
		REFUSED(KVM_GET_STATS_FD),
		REFUSED(KVM_IOEVENTFD),
		REFUSED(KVM_IRQFD),
		REFUSED(KVM_IRQ_LINE),
		REFUSED(KVM_MEMORY_ENCRYPT_OP),
		REFUSED(KVM_SET_GSI_ROUTING),
		REFUSED(KVM_SET_MEMORY_ATTRIBUTES),
		REFUSED(KVM_SET_USER_MEMORY_REGION),
		REFUSED(KVM_SET_USER_MEMORY_REGION2),
		REFUSED(KVM_SIGNAL_MSI),
	};

	td_launch(&self->td, guest_suicide);
	die(&self->td);
	assert_refused(self->td.vm->fd, refused, ARRAY_SIZE(refused));
}

TEST_F(dead, vcpu_ioctls)
{
	static const struct refused refused[] = {
		REFUSED(KVM_GET_CPUID2),
		REFUSED(KVM_GET_LAPIC),
		REFUSED(KVM_GET_MP_STATE),
		REFUSED(KVM_GET_MSRS),
		REFUSED(KVM_GET_REGS),
		REFUSED(KVM_GET_STATS_FD),
		REFUSED(KVM_GET_VCPU_EVENTS),
		REFUSED(KVM_INTERRUPT),
		REFUSED(KVM_MEMORY_ENCRYPT_OP),
		REFUSED(KVM_NMI),
		REFUSED(KVM_PRE_FAULT_MEMORY),
		REFUSED(KVM_SET_CPUID2),
		REFUSED(KVM_SET_MP_STATE),
		REFUSED(KVM_SET_SIGNAL_MASK),
	};

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_suicide, guest_one_step);
	die(&self->td);
	for (int i = 0; i < NR_VCPUS; i++)
		assert_refused(self->td.vcpu[i]->fd, refused, ARRAY_SIZE(refused));
}

/* What is bound to the TD by other file descriptors does no harm. */
TEST_F(dead, irqfd_and_statistics)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	int fd = kvm_new_eventfd();

	td_launch(&self->td, guest_suicide);
	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = 64,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0x41 },
	};
	kvm_gsi_routing_write(self->td.vm, routing);
	kvm_assign_irqfd(self->td.vm, 64, fd);
	die(&self->td);

	TEST_ASSERT_EQ(eventfd_write(fd, 1), 0);
	TEST_ASSERT(vcpu_get_stat(self->td.vcpu[0], exits) > 0, "No exits?");
	die(&self->td);
}

static void guest_alone(void)
{
	GUEST_DONE();
}

TEST_F(dead, nothing_to_another_td)
{
	struct kvm_vcpu *other;
	struct kvm_vm *vm;

	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &other, guest_alone);
	td_launch(&self->td, guest_suicide);
	die(&self->td);
	tdx_vcpu_run_to_done(other);
	kvm_vm_free(vm);
}

/* All that it had comes back; some hosts have but two KeyIDs. */
TEST_F(dead, leaves_nothing_behind)
{
	for (int i = 0; i < 4; i++) {
		td_launch(&self->td, guest_suicide);
		die(&self->td);
		kvm_vm_free(self->td.vm);
		dead_create(&self->td);
	}
	td_launch(&self->td, guest_one_step);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * Bus locks: KVM tells user space of each one if asked to, after the fact.
 */
TD_FIXTURE(bus_lock);

static bool has_bus_lock_exit(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_X86_BUS_LOCK_EXIT) &
	       KVM_BUS_LOCK_DETECTION_EXIT;
}

#define NEEDS_BUS_LOCK_EXIT	"the host lacks bus lock detection"

/* Where two cache lines meet. */
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
		guest_step();
	}
	GUEST_DONE();
}

/* Locked, and unaligned, but within one cache line. */
static void guest_no_bus_lock(void)
{
	asm volatile("lock incl %0" : "+m"(*(u32 *)&lines[61 - 4]));
	asm volatile("lock incl %0" : "+m"(*(u32 *)&lines[64]));
	asm volatile("incl %0" : "+m"(*(u32 *)&lines[62]));
	GUEST_DONE();
}

static struct kvm_vcpu *bus_lock_launch(struct td *td, void *guest_code)
{
	vm_install_exception_handler(td->vm, AC_VECTOR, guest_ac_handler);
	return td_launch(td, guest_code);
}

/* A host that traps split locks has the CPU raise #AC instead. */
static bool is_split_lock_trapped(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	return get_ucall(vcpu, &uc) == UCALL_SYNC && uc.args[1] == AC_VECTOR;
}

#define SPLIT_LOCKS_TRAPPED	"the host traps split locks"

static bool is_kernel_before(int major, int minor)
{
	struct utsname name;
	int x, y;

	TEST_ASSERT_EQ(uname(&name), 0);
	if (sscanf(name.release, "%d.%d", &x, &y) != 2)
		TEST_FAIL("Unknown kernel release '%s'", name.release);
	return x < major || (x == major && y < minor);
}

TEST_F(bus_lock, exits_after_each)
{
	struct kvm_vcpu *vcpu;

	if (!has_bus_lock_exit(self->td.vm))
		SKIP(return, NEEDS_BUS_LOCK_EXIT);
	if (is_kernel_before(7, 3))
		SKIP(return, "KVM before 7.3 has no bus lock exits for TDs");

	vm_enable_cap(self->td.vm, KVM_CAP_X86_BUS_LOCK_EXIT,
		      KVM_BUS_LOCK_DETECTION_EXIT);
	vcpu = bus_lock_launch(&self->td, guest_bus_lock);

	for (int i = 0; i < 3; i++) {
		vcpu_run(vcpu);
		if (is_split_lock_trapped(vcpu))
			SKIP(return, SPLIT_LOCKS_TRAPPED);

		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_X86_BUS_LOCK);
		TEST_ASSERT_EQ(vcpu->run->flags, KVM_RUN_X86_BUS_LOCK);
		TEST_ASSERT_EQ(self->td.shared->progress, i);
	}
	tdx_vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu->run->flags, 0);
}

TEST_F(bus_lock, no_exit_without_a_split)
{
	if (!has_bus_lock_exit(self->td.vm))
		SKIP(return, NEEDS_BUS_LOCK_EXIT);

	vm_enable_cap(self->td.vm, KVM_CAP_X86_BUS_LOCK_EXIT,
		      KVM_BUS_LOCK_DETECTION_EXIT);
	bus_lock_launch(&self->td, guest_no_bus_lock);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
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

TEST_F(bus_lock, bad_modes)
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
 * Notify exits end a guest that leaves the CPU no moment to take an interrupt.
 * To make one takes an endless loop within one instruction, which stops the
 * host's CPU wherever KVM or the TDX module forget the exit.  No test does
 * that; here are KVM's side and a guest that must not notice.
 */
TD_FIXTURE(notify);

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

FIXTURE(notify_mode) {
	struct td td;
};

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
	td_create(&self->td);
}

FIXTURE_TEARDOWN(notify_mode)
{
	kvm_vm_free(self->td.vm);
}

/* Interrupts being off is no reason. */
TEST_F(notify_mode, well_behaved_guest_undisturbed)
{
	struct vcpu_thread t;

	if (!has_notify_exit(self->td.vm))
		SKIP(return, NEEDS_NOTIFY_EXIT);

	TEST_ASSERT_EQ(enable_notify(self->td.vm, variant->flags), 0);
	td_launch(&self->td, guest_spin);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	wait_for_guest(&self->td.shared->here, 1);
	WRITE_ONCE(self->td.shared->go, 1);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), 0);
	TEST_ASSERT_KVM_EXIT_REASON(self->td.vcpu[0], KVM_EXIT_MMIO);
	TEST_ASSERT_EQ(vcpu_get_stat(self->td.vcpu[0], notify_window_exits), 0);
}

TEST_F(notify, bad_flags)
{
	static const u64 bad[] = {
		0, KVM_X86_NOTIFY_VMEXIT_USER,
		KVM_X86_NOTIFY_VMEXIT_ENABLED | BIT_ULL(2),
		KVM_X86_NOTIFY_VMEXIT_ENABLED | BIT_ULL(31),
	};

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_ASSERT_FAILS(enable_notify(self->td.vm, bad[i]), EINVAL);
}

TEST_F(notify, too_late_after_a_vcpu)
{
	if (!has_notify_exit(self->td.vm))
		SKIP(return, NEEDS_NOTIFY_EXIT);

	vm_vcpu_add(self->td.vm, 0, guest_one_step);
	TEST_ASSERT_FAILS(enable_notify(self->td.vm, KVM_X86_NOTIFY_VMEXIT_ENABLED),
			  EINVAL);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
