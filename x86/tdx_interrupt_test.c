// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts, NMIs and timers of a TD, and the sleep that they end.
 *
 * KVM can't see a TD's interrupt state: it posts interrupts and throws NMIs
 * over the wall, and the TDX module delivers them.  What is left for KVM is to
 * route, to keep the timers, and above all to decide when a vCPU that halted by
 * TDVMCALL<HLT> may run again.  For that it knows what it has posted itself,
 * the guest's word on whether interrupts are blocked, and one bit from the
 * module that says whether an interrupt is pending inside.  A wrong decision is
 * a hang of the guest, or a sleep that isn't one.
 */
#include <sys/eventfd.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/kernel_log.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/vcpu_thread.h"

#define NR_VCPUS	2
#define NR_VECTORS	256
#define FIRST_VECTOR	32	/* below are the exceptions */
#define VECTOR		0xa1

/* Beyond the pins that the lib reserves for the IOAPIC in user space. */
#define GSI		64

/* In shared memory, so that the host can read it at any time. */
struct shared {
	u64 nr_irqs[NR_VCPUS][NR_VECTORS];
	u64 nr_nmis[NR_VCPUS];
	u64 blocked;		/* operand of HLT */
	u64 here;		/* the guest is where it can be hit */
	u64 go;			/* the guest may go on */
};

static struct shared *shared;	/* the guest's */

#define nr_irqs(vector)	READ_ONCE(shared->nr_irqs[0][vector])
#define nr_nmis()	READ_ONCE(shared->nr_nmis[0])

static void guest_irq_handler(struct ex_regs *regs)
{
	shared->nr_irqs[tdg_vp_info().vcpu_index][regs->vector]++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_nmi_handler(struct ex_regs *regs)
{
	shared->nr_nmis[tdg_vp_info().vcpu_index]++;
}

/* The registers of the x2APIC that KVM emulates. */
static void apic_write(u32 reg, u64 val)
{
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (reg >> 4), val), 0);
}

static u64 apic_read(u32 reg)
{
	u64 val;

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(APIC_BASE_MSR + (reg >> 4), &val), 0);
	return val;
}

static void apic_enable(void)
{
	apic_write(APIC_SPIV, APIC_SPIV_APIC_ENABLED | 0xff);
}

/*
 * Sleep until an interrupt has come.  It can't get lost between the look and
 * the sleep: the guest has it pending then, and tells KVM that interrupts are
 * not blocked, so that KVM has to ask the module.
 *
 * Inlined, as are all functions that let interrupts in, into functions that
 * call others: those have no red zone that a handler could overwrite.
 */
static __always_inline void wait_for_irqs(int vector, u64 nr)
{
	while (nr_irqs(vector) < nr) {
		GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
		sti_nop_cli();
	}
}

/* All interrupts that have come, to this vCPU. */
static u64 sum_of_irqs(int vcpu)
{
	u64 sum = 0;

	for (int i = 0; i < NR_VECTORS; i++)
		sum += READ_ONCE(shared->nr_irqs[vcpu][i]);
	return sum;
}

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct shared *shared;		/* the host's */
};

static void td_create(struct td *td)
{
	gva_t gva;

	*td = (struct td) { .vm = __vm_create(VM_SHAPE_TDX, NR_VCPUS, 0) };
	gva = tdx_alloc_shared(td->vm, sizeof(*td->shared), &td->shared);
	write_guest_global(td->vm, shared, (void *)gva);

	vm_install_exception_handler(td->vm, NMI_VECTOR, guest_nmi_handler);
	for (int i = FIRST_VECTOR; i < NR_VECTORS; i++)
		vm_install_exception_handler(td->vm, i, guest_irq_handler);
}

static void td_launch(struct td *td, void *guest_code)
{
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, guest_code);
	vm_tdx_launch(td->vm);
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

/* The KVM_RUN of a vCPU that ran beside the test has to end with a ucall. */
#define join_with_ucall(t, cmd_wanted)					\
do {									\
	struct ucall __uc;						\
	u64 __cmd;							\
									\
	TEST_ASSERT(!vcpu_thread_join(t), KVM_IOCTL_ERROR(KVM_RUN, -1)); \
	__cmd = get_ucall((t)->vcpu, &__uc);				\
	if (__cmd == UCALL_ABORT)					\
		REPORT_GUEST_ASSERT(__uc);				\
	TEST_ASSERT(__cmd == (cmd_wanted),				\
		    "Wanted %s, got ucall %lu, exit reason %s", #cmd_wanted, \
		    (unsigned long)__cmd,				\
		    exit_reason_str((t)->vcpu->run->exit_reason));	\
} while (0)

static int signal_msi(struct kvm_vm *vm, u32 dest, u32 data)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | dest << 12,
		.data = data,
	};

	return __vm_ioctl(vm, KVM_SIGNAL_MSI, &msi);
}

/* Sent and accepted. */
#define msi(td, dest, data)						\
	TEST_ASSERT_EQ(signal_msi((td)->vm, dest, data), 1)

static u32 mp_state(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state;
}

static int set_mp_state(struct kvm_vcpu *vcpu, u32 mp_state)
{
	struct kvm_mp_state state = { .mp_state = mp_state };

	return __vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &state);
}

/*
 * Every vector, by each of the host's ways to send an MSI.
 */
static void route_msi(struct kvm_irq_routing *routing, u32 gsi, u32 data)
{
	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = APIC_DEFAULT_GPA, .data = data },
	};
}

static int eventfds[NR_VECTORS];

static void set_up_routes(struct kvm_vm *vm)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();

	for (int i = FIRST_VECTOR; i < NR_VECTORS; i++)
		route_msi(routing, GSI + i, i);
	kvm_gsi_routing_write(vm, routing);
}

static void set_up_irqfds(struct kvm_vm *vm)
{
	set_up_routes(vm);
	for (int i = FIRST_VECTOR; i < NR_VECTORS; i++) {
		eventfds[i] = kvm_new_eventfd();
		kvm_assign_irqfd(vm, GSI + i, eventfds[i]);
	}
}

static void send_msi(struct kvm_vm *vm, int vector)
{
	TEST_ASSERT_EQ(signal_msi(vm, 0, vector), 1);
}

static void send_irqfd(struct kvm_vm *vm, int vector)
{
	TEST_ASSERT_EQ(eventfd_write(eventfds[vector], 1), 0);
}

static void send_irq_line(struct kvm_vm *vm, int vector)
{
	kvm_irq_line(vm, GSI + vector, 1);
}

TD_FIXTURE(every_vector);

FIXTURE_VARIANT(every_vector) {
	void (*set_up)(struct kvm_vm *vm);
	void (*send)(struct kvm_vm *vm, int vector);
};

FIXTURE_VARIANT_ADD(every_vector, signal_msi) {
	.send = send_msi,
};

FIXTURE_VARIANT_ADD(every_vector, irqfd) {
	.set_up = set_up_irqfds,
	.send = send_irqfd,
};

FIXTURE_VARIANT_ADD(every_vector, irq_line) {
	.set_up = set_up_routes,
	.send = send_irq_line,
};

static void guest_every_vector(void)
{
	apic_enable();

	for (int i = FIRST_VECTOR; i < NR_VECTORS; i++) {
		GUEST_SYNC(i);
		wait_for_irqs(i, 1);
		GUEST_ASSERT_EQ(sum_of_irqs(0), i - FIRST_VECTOR + 1);
	}

	GUEST_DONE();
}

TEST_F(every_vector, arrives_once)
{
	td_launch(&self->td, guest_every_vector);
	if (variant->set_up)
		variant->set_up(self->td.vm);

	for (int i = FIRST_VECTOR; i < NR_VECTORS; i++) {
		tdx_vcpu_run_to_sync(self->td.vcpu[0], i);
		variant->send(self->td.vm, i);
	}
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * MSIs that are more, or less, than one fixed interrupt.
 */
#define MSI_LOGICAL		BIT(2)		/* in the address */
#define MSI_NMI			(4 << 8)	/* in the data */
#define MSI_INIT		(5 << 8)
#define MSI_LEVEL		(1 << 15)

TD_FIXTURE(msi);

static void guest_one_irq(void)
{
	apic_enable();
	GUEST_SYNC(0);
	wait_for_irqs(VECTOR, 1);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 1);
	GUEST_DONE();
}

/* As long as the guest hasn't enabled its APIC, interrupts go nowhere. */
static void guest_apic_disabled(void)
{
	GUEST_SYNC(0);
	apic_enable();
	GUEST_SYNC(1);
	wait_for_irqs(VECTOR, 1);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(msi, apic_disabled_drops)
{
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_apic_disabled);
	vcpu = self->td.vcpu[0];

	tdx_vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(signal_msi(self->td.vm, 0, VECTOR + 1), 0);
	tdx_vcpu_run_to_sync(vcpu, 1);
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(msi, unknown_apic_id)
{
	td_launch(&self->td, guest_one_irq);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);

	/* Not accepted; whether that is an error depends on KVM's way to look. */
	TEST_ASSERT(signal_msi(self->td.vm, 7, VECTOR + 1) <= 0,
		    "KVM found a vCPU with APIC id 7");
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

TEST_F(msi, bad_flags)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA, .data = VECTOR, .flags = ~0,
	};

	td_launch(&self->td, guest_one_irq);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
}

TEST_F(msi, sent_twice_before_entry_arrives_once)
{
	td_launch(&self->td, guest_one_irq);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	msi(&self->td, 0, VECTOR);
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_three_irqs(void)
{
	apic_enable();
	GUEST_SYNC(0);
	wait_for_irqs(VECTOR, 1);
	wait_for_irqs(VECTOR + 1, 1);
	wait_for_irqs(FIRST_VECTOR, 1);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 3);
	GUEST_DONE();
}

TEST_F(msi, several_at_once)
{
	td_launch(&self->td, guest_three_irqs);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	msi(&self->td, 0, VECTOR);
	msi(&self->td, 0, FIRST_VECTOR);
	msi(&self->td, 0, VECTOR + 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

TEST_F(msi, logical_destination)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | BIT(0) << 12 | MSI_LOGICAL,
		.data = VECTOR,
	};

	td_launch(&self->td, guest_one_irq);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	TEST_ASSERT_EQ(__vm_ioctl(self->td.vm, KVM_SIGNAL_MSI, &msi), 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_other_one_irq(void)
{
	apic_enable();
	GUEST_SYNC(0);
	while (!READ_ONCE(shared->nr_irqs[1][VECTOR])) {
		GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
		sti_nop_cli();
	}
	GUEST_ASSERT_EQ(sum_of_irqs(1), 1);
	GUEST_DONE();
}

TEST_F(msi, each_vcpu_gets_its_own)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_one_irq, guest_other_one_irq);
	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_sync(self->td.vcpu[i], 0);

	msi(&self->td, 1, VECTOR);
	tdx_vcpu_run_to_done(self->td.vcpu[1]);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 0);
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

TEST_F(msi, broadcast_reaches_all)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_one_irq, guest_other_one_irq);
	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_sync(self->td.vcpu[i], 0);

	TEST_ASSERT_EQ(signal_msi(self->td.vm, 0xff, VECTOR), NR_VCPUS);
	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_done(self->td.vcpu[i]);
}

/*
 * The pins of an IOAPIC in user space: for a level-triggered one KVM would exit
 * when the guest is done with the interrupt, but of a TD's EOI nobody hears.
 */
TEST_F(msi, level_triggered_pin_has_no_eoi_exit)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_one_irq);
	vcpu = self->td.vcpu[0];
	route_msi(routing, 5, VECTOR | MSI_LEVEL);
	kvm_gsi_routing_write(self->td.vm, routing);

	tdx_vcpu_run_to_sync(vcpu, 0);
	kvm_irq_line(self->td.vm, 5, 1);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(msi, irqfd_with_resampling_refused)
{
	struct kvm_irqfd irqfd = {
		.fd = kvm_new_eventfd(),
		.gsi = GSI + VECTOR,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = kvm_new_eventfd(),
	};

	td_launch(&self->td, guest_one_irq);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td.vm, KVM_IRQFD, &irqfd), EINVAL);
}

static void guest_one_nmi(void)
{
	apic_enable();
	GUEST_SYNC(0);
	while (!nr_nmis())
		GUEST_ASSERT_EQ(tdvmcall_hlt(1), 0);
	GUEST_ASSERT_EQ(nr_nmis(), 1);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(msi, nmi)
{
	td_launch(&self->td, guest_one_nmi);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	msi(&self->td, 0, MSI_NMI);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/* Nobody can reset a TD's vCPU. */
TEST_F(msi, init_ignored)
{
	td_launch(&self->td, guest_one_irq);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	signal_msi(self->td.vm, 0, MSI_INIT);
	TEST_ASSERT_EQ(mp_state(self->td.vcpu[0]), KVM_MP_STATE_RUNNABLE);
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * TDVMCALL<HLT>.
 */
TD_FIXTURE(hlt);

static void guest_hlt(void)
{
	apic_enable();
	GUEST_SYNC(0);
	GUEST_ASSERT_EQ(tdvmcall_hlt(shared->blocked), TDVMCALL_STATUS_SUCCESS);
	GUEST_SYNC(1);
	sti_nop_cli();
	GUEST_DONE();
}

static void hlt_start(struct td *td, struct vcpu_thread *t, u64 blocked)
{
	td_launch(td, guest_hlt);
	td->shared->blocked = blocked;
	tdx_vcpu_run_to_sync(td->vcpu[0], 0);
	vcpu_thread_start(t, td->vcpu[0]);
	vcpu_wait_until_asleep(td->vcpu[0]);
}

static void hlt_finish(struct td *td, struct vcpu_thread *t)
{
	join_with_ucall(t, UCALL_SYNC);
	TEST_ASSERT_EQ(mp_state(td->vcpu[0]), KVM_MP_STATE_RUNNABLE);
	tdx_vcpu_run_to_done(td->vcpu[0]);
}

/* Get a sleeping vCPU out of KVM_RUN, and see that it still sleeps. */
static void hlt_interrupt(struct td *td, struct vcpu_thread *t)
{
	vcpu_thread_kick(t);
	TEST_ASSERT_FAILS(vcpu_thread_join(t), EINTR);
	TEST_ASSERT_EQ(td->vcpu[0]->run->exit_reason, KVM_EXIT_INTR);
	TEST_ASSERT_EQ(mp_state(td->vcpu[0]), KVM_MP_STATE_HALTED);
}

TEST_F(hlt, woken_by_msi)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	msi(&self->td, 0, VECTOR);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 1);
}

TEST_F(hlt, woken_by_irqfd)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	int fd = kvm_new_eventfd();
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	route_msi(routing, GSI, VECTOR);
	kvm_gsi_routing_write(self->td.vm, routing);
	kvm_assign_irqfd(self->td.vm, GSI, fd);

	TEST_ASSERT_EQ(eventfd_write(fd, 1), 0);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 1);
}

TEST_F(hlt, woken_by_nmi)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	msi(&self->td, 0, MSI_NMI);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
}

TEST_F(hlt, not_woken_by_signal)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	hlt_interrupt(&self->td, &t);

	/* Run again it goes on sleeping. */
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	msi(&self->td, 0, VECTOR);
	hlt_finish(&self->td, &t);
}

TEST_F(hlt, woken_by_user_space)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	hlt_interrupt(&self->td, &t);

	TEST_ASSERT_EQ(set_mp_state(self->td.vcpu[0], KVM_MP_STATE_RUNNABLE), 0);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/* Posted before the guest halts: KVM has it, and must not let it sleep. */
TEST_F(hlt, msi_posted_before)
{
	td_launch(&self->td, guest_hlt);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 1);
}

TEST_F(hlt, nmi_sent_before)
{
	td_launch(&self->td, guest_one_nmi);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	vcpu_ioctl(self->td.vcpu[0], KVM_NMI, NULL);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * An interrupt that KVM has never seen.  Only the module knows of it, so KVM
 * has to ask.
 */
static void guest_hlt_with_self_ipi(void)
{
	apic_enable();
	x2apic_write_reg(APIC_SELF_IPI, VECTOR);
	GUEST_ASSERT_EQ(tdvmcall_hlt(shared->blocked), 0);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 0);
	sti_nop_cli();
	GUEST_ASSERT_EQ(nr_irqs(VECTOR), 1);
	GUEST_DONE();
}

TEST_F(hlt, pending_inside_does_not_sleep)
{
	td_launch(&self->td, guest_hlt_with_self_ipi);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

TEST_F(hlt, pending_inside_but_blocked_sleeps)
{
	struct vcpu_thread t;

	td_launch(&self->td, guest_hlt_with_self_ipi);
	self->td.shared->blocked = 1;
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	hlt_interrupt(&self->td, &t);

	vcpu_ioctl(self->td.vcpu[0], KVM_NMI, NULL);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/* Pending inside but of too low a priority: the module says that it is not. */
static void guest_hlt_with_low_priority(void)
{
	apic_enable();
	x2apic_write_reg(APIC_TASKPRI, 0xf0);
	x2apic_write_reg(APIC_SELF_IPI, VECTOR);
	GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
	GUEST_ASSERT_EQ(nr_nmis(), 1);
	sti_nop_cli();
	GUEST_ASSERT_EQ(sum_of_irqs(0), 0);
	x2apic_write_reg(APIC_TASKPRI, 0);
	sti_nop_cli();
	GUEST_ASSERT_EQ(nr_irqs(VECTOR), 1);
	GUEST_DONE();
}

TEST_F(hlt, pending_inside_of_low_priority_sleeps)
{
	struct vcpu_thread t;

	td_launch(&self->td, guest_hlt_with_low_priority);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	msi(&self->td, 0, MSI_NMI);
	join_with_ucall(&t, UCALL_DONE);
}

/* Interrupts are blocked as soon as the guest's word isn't zero. */
FIXTURE(hlt_blocked) {
	struct td td;
	struct vcpu_thread t;
};

FIXTURE_VARIANT(hlt_blocked) {
	u64 blocked;
};

FIXTURE_VARIANT_ADD(hlt_blocked, by_1) { .blocked = 1 };
FIXTURE_VARIANT_ADD(hlt_blocked, by_2) { .blocked = 2 };
FIXTURE_VARIANT_ADD(hlt_blocked, by_bit_63) { .blocked = BIT_ULL(63) };

FIXTURE_SETUP(hlt_blocked)
{
	td_create(&self->td);
	hlt_start(&self->td, &self->t, variant->blocked);
}

FIXTURE_TEARDOWN(hlt_blocked)
{
	kvm_vm_free(self->td.vm);
}

/* The interrupt doesn't end the sleep, nor does it get lost. */
TEST_F(hlt_blocked, msi_waits_for_the_guest)
{
	struct kvm_vcpu *vcpu = self->td.vcpu[0];

	msi(&self->td, 0, VECTOR);
	hlt_interrupt(&self->td, &self->t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 0);

	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 0);
	tdx_vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 1);
}

TEST_F(hlt_blocked, woken_by_nmi)
{
	msi(&self->td, 0, MSI_NMI);
	hlt_finish(&self->td, &self->t);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 0);
}

/*
 * Interrupts for a vCPU that runs.
 */
TD_FIXTURE(running);

static void guest_spin_for_irq(void)
{
	apic_enable();
	sti_nop();
	WRITE_ONCE(shared->here, 1);
	while (!nr_irqs(VECTOR))
		cpu_relax();
	GUEST_DONE();
}

static void guest_spin_for_nmi(void)
{
	WRITE_ONCE(shared->here, 1);
	while (!nr_nmis())
		cpu_relax();
	GUEST_DONE();
}

static void spin_start(struct td *td, struct vcpu_thread *t, void *guest_code)
{
	td_launch(td, guest_code);
	vcpu_thread_start(t, td->vcpu[0]);
	wait_for_guest(&td->shared->here, 1);
}

TEST_F(running, msi)
{
	struct vcpu_thread t;

	spin_start(&self->td, &t, guest_spin_for_irq);
	msi(&self->td, 0, VECTOR);
	join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][VECTOR], 1);
}

TEST_F(running, nmi)
{
	struct vcpu_thread t;

	spin_start(&self->td, &t, guest_spin_for_nmi);
	msi(&self->td, 0, MSI_NMI);
	join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
}

static void guest_spin_with_irqs_off(void)
{
	apic_enable();
	WRITE_ONCE(shared->here, 1);
	while (!READ_ONCE(shared->go))
		cpu_relax();
	GUEST_ASSERT_EQ(nr_irqs(VECTOR), 0);
	wait_for_irqs(VECTOR, 1);
	GUEST_DONE();
}

TEST_F(running, msi_waits_for_the_guest)
{
	struct vcpu_thread t;

	spin_start(&self->td, &t, guest_spin_with_irqs_off);
	msi(&self->td, 0, VECTOR);
	WRITE_ONCE(self->td.shared->go, 1);
	join_with_ucall(&t, UCALL_DONE);
}

/*
 * NMIs.  KVM gives the module one at a time, and what comes before that one is
 * delivered is the same one: there is no NMI window that KVM could wait for.
 */
TD_FIXTURE(nmi);

static void guest_nmis(void)
{
	GUEST_SYNC(0);
	GUEST_SYNC(nr_nmis());
	GUEST_SYNC(nr_nmis());
	GUEST_DONE();
}

TEST_F(nmi, arrives_once)
{
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_nmis);
	vcpu = self->td.vcpu[0];

	tdx_vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 0);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 1);
	tdx_vcpu_run_to_sync(vcpu, 1);
	tdx_vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 1);
}

TEST_F(nmi, several_before_entry_collapse)
{
	struct kvm_vcpu_events events;
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_nmis);
	vcpu = self->td.vcpu[0];

	tdx_vcpu_run_to_sync(vcpu, 0);
	for (int i = 0; i < 3; i++)
		vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_vcpu_run_to_sync(vcpu, 1);

	/* None is left, neither with KVM nor with the module. */
	vcpu_events_get(vcpu, &events);
	TEST_ASSERT_EQ(events.nmi.pending, 0);
	TEST_ASSERT_EQ(events.nmi.injected, 0);
	TEST_ASSERT_EQ(events.nmi.masked, 0);
	tdx_vcpu_run_to_sync(vcpu, 1);
	tdx_vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 1);
}

/* One waits until the handler has returned, and only one. */
static void guest_nmi_handler_with_exits(struct ex_regs *regs)
{
	shared->nr_nmis[0]++;
	GUEST_SYNC(10 + nr_nmis());
}

TEST_F(nmi, several_during_the_handler_collapse)
{
	struct kvm_vcpu *vcpu;

	vm_install_exception_handler(self->td.vm, NMI_VECTOR,
				     guest_nmi_handler_with_exits);
	td_launch(&self->td, guest_nmis);
	vcpu = self->td.vcpu[0];

	tdx_vcpu_run_to_sync(vcpu, 0);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	tdx_vcpu_run_to_sync(vcpu, 11);
	for (int i = 0; i < 3; i++)
		vcpu_ioctl(vcpu, KVM_NMI, NULL);

	/* The second comes with the handler's return or with the next entry. */
	for (struct ucall uc; tdx_vcpu_run(vcpu, &uc) == UCALL_SYNC;)
		;
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 2);
}

static void guest_self_nmi(void)
{
	apic_enable();
	apic_write(APIC_ICR, APIC_DEST_SELF | APIC_DM_NMI);
	GUEST_SYNC(nr_nmis());
	GUEST_DONE();
}

TEST_F(nmi, sent_by_the_guest_to_itself)
{
	td_launch(&self->td, guest_self_nmi);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

TEST_F(nmi, set_as_vcpu_event)
{
	struct kvm_vcpu_events events;
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_nmis);
	vcpu = self->td.vcpu[0];

	tdx_vcpu_run_to_sync(vcpu, 0);
	vcpu_events_get(vcpu, &events);
	events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
	events.nmi.pending = 1;
	vcpu_events_set(vcpu, &events);
	tdx_vcpu_run_to_sync(vcpu, 1);
	tdx_vcpu_run_to_sync(vcpu, 1);
	tdx_vcpu_run_to_done(vcpu);
}

/*
 * User space asks for an interrupt from the PIC that a TD does not have.
 * Whether KVM refuses that or forgets it, NMIs must get through.
 */
TEST_F(nmi, not_held_up_by_external_interrupt)
{
	struct kvm_interrupt irq = { .irq = VECTOR };
	struct kvm_vcpu *vcpu;
	struct ucall uc;

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	expect_kernel_log("WARNING: *tdx_vcpu_run");
	td_launch(&self->td, guest_nmis);
	vcpu = self->td.vcpu[0];

	tdx_vcpu_run_to_sync(vcpu, 0);
	__vcpu_ioctl(vcpu, KVM_INTERRUPT, &irq);
	tdx_vcpu_run_to_sync(vcpu, 0);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	TEST_ASSERT_EQ(tdx_vcpu_run(vcpu, &uc), UCALL_SYNC);
	if (!uc.args[1])
		XFAIL(return, "KVM_INTERRUPT is never done with, and holds up NMIs for ever");
	TEST_ASSERT_EQ(uc.args[1], 1);
	tdx_vcpu_run_to_done(vcpu);
}

/*
 * KVM_GET_MP_STATE and KVM_SET_MP_STATE.
 */
TD_FIXTURE(mp_state);

static void guest_done(void)
{
	GUEST_DONE();
}

/* There is no SIPI that could start an AP. */
TEST_F(mp_state, runnable_from_init_vcpu_on)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_done, guest_done);
	for (int i = 0; i < NR_VCPUS; i++) {
		TEST_ASSERT_EQ(mp_state(self->td.vcpu[i]), KVM_MP_STATE_RUNNABLE);
		tdx_vcpu_run_to_done(self->td.vcpu[i]);
	}
}

FIXTURE(set_mp_state) {
	struct td td;
};

FIXTURE_VARIANT(set_mp_state) {
	u32 state;
};

FIXTURE_VARIANT_ADD(set_mp_state, halted) {
	.state = KVM_MP_STATE_HALTED,
};

FIXTURE_VARIANT_ADD(set_mp_state, ap_reset_hold) {
	.state = KVM_MP_STATE_AP_RESET_HOLD,
};

FIXTURE_SETUP(set_mp_state)
{
	td_create(&self->td);
	td_launch(&self->td, guest_one_irq);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	TEST_ASSERT_EQ(set_mp_state(self->td.vcpu[0], variant->state), 0);
	TEST_ASSERT_EQ(mp_state(self->td.vcpu[0]), variant->state);
}

FIXTURE_TEARDOWN(set_mp_state)
{
	kvm_vm_free(self->td.vm);
}

TEST_F(set_mp_state, sleeps_until_msi)
{
	struct vcpu_thread t;

	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	msi(&self->td, 0, VECTOR);
	join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(mp_state(self->td.vcpu[0]), KVM_MP_STATE_RUNNABLE);
}

TEST_F(set_mp_state, does_not_sleep_with_msi_pending)
{
	msi(&self->td, 0, VECTOR);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
	TEST_ASSERT_EQ(mp_state(self->td.vcpu[0]), KVM_MP_STATE_RUNNABLE);
}

/* As INIT and SIPI are not for TDs, such a vCPU could never start. */
TEST_F(mp_state, init_received_does_not_run)
{
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_done);
	vcpu = self->td.vcpu[0];

	TEST_ASSERT_EQ(set_mp_state(vcpu, KVM_MP_STATE_INIT_RECEIVED), 0);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
	TEST_ASSERT_EQ(set_mp_state(vcpu, KVM_MP_STATE_SIPI_RECEIVED), 0);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
	TEST_ASSERT_EQ(set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE), 0);
	tdx_vcpu_run_to_done(vcpu);
}

TEST_F(mp_state, unknown_refused)
{
	static const u32 unknown[] = {
		KVM_MP_STATE_STOPPED, KVM_MP_STATE_CHECK_STOP,
		KVM_MP_STATE_OPERATING, KVM_MP_STATE_LOAD,
		KVM_MP_STATE_SUSPENDED, ~0u,
	};

	td_launch(&self->td, guest_done);
	for (int i = 0; i < ARRAY_SIZE(unknown); i++)
		TEST_ASSERT_FAILS(set_mp_state(self->td.vcpu[0], unknown[i]), EINVAL);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * The APIC's timer, all of which KVM keeps.  It counts nanoseconds unless user
 * space says otherwise.
 */
#define TDCR_DIVIDE_BY_1	0xb
#define TDCR_DIVIDE_BY_2	0x0
#define TIMER_NS		20000

TD_FIXTURE(timer);

static void timer_start(u32 mode, u32 count)
{
	apic_enable();
	apic_write(APIC_TDCR, TDCR_DIVIDE_BY_1);
	apic_write(APIC_LVTT, mode | VECTOR);
	apic_write(APIC_TMICT, count);
}

/* Ticks of the TD's clock; the frequency comes in units of 25 MHz. */
static u64 ns_to_tsc(u64 ns)
{
	u64 units;

	GUEST_ASSERT_EQ(tdg_vm_rd(TDX_MD_TSC_FREQUENCY, &units), TDX_SUCCESS);
	return ns * units / 40;
}

static __always_inline void let_pass(u64 ns)
{
	u64 end = rdtsc() + ns_to_tsc(ns);

	sti_nop();
	while (rdtsc() < end)
		cpu_relax();
	cli();
}

static void guest_oneshot(void)
{
	timer_start(APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	wait_for_irqs(VECTOR, 1);
	GUEST_ASSERT_EQ(apic_read(APIC_TMICT), TIMER_NS);
	GUEST_ASSERT_EQ(apic_read(APIC_TMCCT), 0);
	let_pass(4 * TIMER_NS);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(timer, oneshot_fires_once)
{
	td_launch(&self->td, guest_oneshot);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_oneshot_running(void)
{
	sti_nop();
	timer_start(APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	while (!nr_irqs(VECTOR))
		cpu_relax();
	GUEST_DONE();
}

TEST_F(timer, oneshot_reaches_running_vcpu)
{
	td_launch(&self->td, guest_oneshot_running);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_periodic(void)
{
	timer_start(APIC_LVT_TIMER_PERIODIC, TIMER_NS);
	for (int i = 1; i <= 5; i++)
		wait_for_irqs(VECTOR, i);

	/* Stopped, it owes at most one more. */
	apic_write(APIC_TMICT, 0);
	sti_nop_cli();
	shared->nr_irqs[0][VECTOR] = 0;
	GUEST_ASSERT_EQ(apic_read(APIC_TMCCT), 0);
	GUEST_DONE();
}

TEST_F(timer, periodic_goes_on)
{
	td_launch(&self->td, guest_periodic);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_masked_timer(void)
{
	timer_start(APIC_LVT_MASKED | APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	let_pass(4 * TIMER_NS);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(timer, masked_stays_silent)
{
	td_launch(&self->td, guest_masked_timer);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/* The count of a day, so that it can't run out. */
static void guest_reprogram_timer(void)
{
	timer_start(APIC_LVT_TIMER_ONESHOT, ~0u);
	apic_write(APIC_TMICT, TIMER_NS);
	wait_for_irqs(VECTOR, 1);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(timer, new_count_replaces_the_old)
{
	td_launch(&self->td, guest_reprogram_timer);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * A TD's CPUID has a crystal of 25 MHz, so user space has to make KVM's timer
 * fit.  The test takes more than that to be told from KVM's default.
 */
#define BUS_CYCLE_NS	2000
#define BUS_CYCLES	50

static void guest_bus_cycles(void)
{
	u64 start = rdtsc();

	apic_enable();
	apic_write(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | VECTOR);
	apic_write(APIC_TDCR, TDCR_DIVIDE_BY_2);
	apic_write(APIC_TMICT, BUS_CYCLES);
	wait_for_irqs(VECTOR, 1);

	/* A tenth off, as the host's clocks differ when NTP corrects one. */
	GUEST_ASSERT(rdtsc() - start > ns_to_tsc(2 * BUS_CYCLES * BUS_CYCLE_NS * 9 / 10));
	GUEST_DONE();
}

TEST_F(timer, counts_configured_bus_cycles)
{
	if (!kvm_has_cap(KVM_CAP_X86_APIC_BUS_CYCLES_NS))
		SKIP(return, "KVM lacks KVM_CAP_X86_APIC_BUS_CYCLES_NS");

	vm_enable_cap(self->td.vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, BUS_CYCLE_NS);
	td_launch(&self->td, guest_bus_cycles);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
	TEST_ASSERT_FAILS(__vm_enable_cap(self->td.vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS,
					  BUS_CYCLE_NS), EINVAL);
}

/* Whether it fires while user space is busy, or later, makes no difference. */
static void guest_timer_and_exit(void)
{
	timer_start(APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	GUEST_SYNC(1);
	wait_for_irqs(VECTOR, 1);
	GUEST_DONE();
}

TEST_F(timer, survives_exit_to_user_space)
{
	td_launch(&self->td, guest_timer_and_exit);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 1);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * TSC deadline.  KVM has to turn the TD's TSC into its own, by an offset and a
 * ratio that it knows from the module.
 */
static void guest_deadline(void)
{
	u64 deadline, left;

	apic_enable();
	apic_write(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | VECTOR);

	for (int i = 1; i <= 5; i++) {
		deadline = rdtsc() + ns_to_tsc(10 * TIMER_NS);
		GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, deadline), 0);
		wait_for_irqs(VECTOR, i);
		GUEST_ASSERT(rdtsc() >= deadline);
		GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_TSC_DEADLINE, &left), 0);
		GUEST_ASSERT_EQ(left, 0);
	}

	GUEST_ASSERT_EQ(sum_of_irqs(0), 5);
	GUEST_DONE();
}

/* KVM goes by the CPUID that user space gave it. */
static bool has_tsc_deadline(struct kvm_vcpu *vcpu)
{
	return vcpu_cpuid_has(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
}

#define NEEDS_TSC_DEADLINE	"the TD has no TSC deadline timer"

TEST_F(timer, tsc_deadline_fires_not_before)
{
	td_launch(&self->td, guest_deadline);
	if (!has_tsc_deadline(self->td.vcpu[0]))
		SKIP(return, NEEDS_TSC_DEADLINE);

	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_past_deadline(void)
{
	apic_enable();
	apic_write(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | VECTOR);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, 1), 0);
	wait_for_irqs(VECTOR, 1);
	GUEST_DONE();
}

TEST_F(timer, past_tsc_deadline_fires_at_once)
{
	td_launch(&self->td, guest_past_deadline);
	if (!has_tsc_deadline(self->td.vcpu[0]))
		SKIP(return, NEEDS_TSC_DEADLINE);

	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_disarm_deadline(void)
{
	u64 deadline = rdtsc() + ns_to_tsc(4 * TIMER_NS), val;

	/* Not in this mode: the write is ignored. */
	apic_enable();
	apic_write(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | VECTOR);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, deadline), 0);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_TSC_DEADLINE, &val), 0);
	GUEST_ASSERT_EQ(val, 0);

	apic_write(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | VECTOR);
	deadline = rdtsc() + (1ull << 50);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, deadline), 0);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_TSC_DEADLINE, &val), 0);
	GUEST_ASSERT_EQ(val, deadline);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, 0), 0);
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_TSC_DEADLINE, &val), 0);
	GUEST_ASSERT_EQ(val, 0);

	let_pass(4 * TIMER_NS);
	GUEST_ASSERT_EQ(sum_of_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(timer, tsc_deadline_disarmed)
{
	td_launch(&self->td, guest_disarm_deadline);
	if (!has_tsc_deadline(self->td.vcpu[0]))
		SKIP(return, NEEDS_TSC_DEADLINE);

	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * IPIs through the ICR.  Each row has a vector of its own, so that one that
 * arrives where it shouldn't is found at the end even if it comes late.
 */
TD_FIXTURE(ipi);

#define IPI_VECTOR(row)	(0x40 + (row))

static const struct ipi {
	const char *name;
	u64 icr;
	bool to_self, to_other;
	bool is_nmi;
} ipis[] = {
	{ "physical, other", 1ull << 32, false, true },
	{ "physical, self", 0ull << 32, true, false },
	{ "physical, nobody", 9ull << 32 },
	{ "physical, broadcast", 0xffffffffull << 32, true, true },
	{ "logical, other", 2ull << 32 | APIC_DEST_LOGICAL, false, true },
	{ "logical, self", 1ull << 32 | APIC_DEST_LOGICAL, true, false },
	{ "logical, both", 3ull << 32 | APIC_DEST_LOGICAL, true, true },
	{ "logical, other cluster", 0x10003ull << 32 | APIC_DEST_LOGICAL },
	{ "to myself", APIC_DEST_SELF, true, false },
	{ "to all", APIC_DEST_ALLINC, true, true },
	{ "to all but myself", APIC_DEST_ALLBUT, false, true },
	{ "lowest priority, other", 1ull << 32 | APIC_DM_LOWEST, false, true },
	{ "busy bit", 1ull << 32 | APIC_ICR_BUSY, false, true },
	{ "NMI, other", 1ull << 32 | APIC_DM_NMI, false, true, true },
	{ "NMI, all but myself", APIC_DEST_ALLBUT | APIC_DM_NMI, false, true, true },
	{ "NMI, self", APIC_DEST_SELF | APIC_DM_NMI, true, false, true },
	/* What a TD has no use for. */
	{ "INIT", 1ull << 32 | APIC_DM_INIT | APIC_INT_ASSERT },
	{ "SIPI", 1ull << 32 | APIC_DM_STARTUP },
	{ "SMI", 1ull << 32 | APIC_DM_SMI },
	{ "ExtINT", 1ull << 32 | APIC_DM_EXTINT },
};

/* All that vCPU @me should have had when row @row is done. */
static void guest_check_ipis(int me, int row)
{
	u64 nr_irqs = 0, nr_nmis = 0;

	for (int i = 0; i <= row; i++) {
		bool hit = me ? ipis[i].to_other : ipis[i].to_self;

		if (ipis[i].is_nmi)
			nr_nmis += hit;
		else
			nr_irqs += hit;
	}

	__GUEST_ASSERT(sum_of_irqs(me) == nr_irqs &&
		       READ_ONCE(shared->nr_nmis[me]) == nr_nmis,
		       "vCPU %d after '%s': wanted %lu IRQs and %lu NMIs, got %lu and %lu",
		       me, ipis[row].name, (unsigned long)nr_irqs,
		       (unsigned long)nr_nmis, (unsigned long)sum_of_irqs(me),
		       (unsigned long)READ_ONCE(shared->nr_nmis[me]));
}

static __always_inline void guest_await_ipi(int me, int row)
{
	bool hit = me ? ipis[row].to_other : ipis[row].to_self;

	if (hit && !ipis[row].is_nmi) {
		while (!READ_ONCE(shared->nr_irqs[me][IPI_VECTOR(row)])) {
			GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
			sti_nop_cli();
		}
	}
	guest_check_ipis(me, row);
}

static void guest_ipi_sender(void)
{
	apic_enable();
	GUEST_SYNC(0);

	for (int i = 0; i < ARRAY_SIZE(ipis); i++) {
		u64 icr = ipis[i].icr | IPI_VECTOR(i);

		apic_write(APIC_ICR, icr);
		GUEST_ASSERT_EQ(apic_read(APIC_ICR), icr & ~APIC_ICR_BUSY);
		guest_await_ipi(0, i);
		GUEST_SYNC(i);
	}

	GUEST_DONE();
}

static void guest_ipi_receiver(void)
{
	apic_enable();
	GUEST_SYNC(0);

	for (int i = 0; i < ARRAY_SIZE(ipis); i++) {
		guest_await_ipi(1, i);
		GUEST_SYNC(i);
	}

	GUEST_DONE();
}

TEST_F(ipi, every_kind)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_ipi_sender, guest_ipi_receiver);
	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_sync(self->td.vcpu[i], 0);

	for (int row = 0; row < ARRAY_SIZE(ipis); row++)
		for (int i = 0; i < NR_VCPUS; i++)
			tdx_vcpu_run_to_sync(self->td.vcpu[i], row);

	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_done(self->td.vcpu[i]);
}

static void guest_bad_ipis(void)
{
	static const u8 reserved[] = {
		13, 16, 17, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
	};

	apic_enable();
	apic_write(APIC_ICR, VECTOR | 9ull << 32);
	for (int i = 0; i < ARRAY_SIZE(reserved); i++)
		GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_ICR >> 4),
					       BIT_ULL(reserved[i]) | VECTOR),
				TDVMCALL_STATUS_INVALID_OPERAND);
	GUEST_ASSERT_EQ(apic_read(APIC_ICR), VECTOR | 9ull << 32);
	sti_nop_cli();
	GUEST_ASSERT_EQ(sum_of_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(ipi, reserved_bits_refused)
{
	td_launch(&self->td, guest_bad_ipis);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_send_ipi(void)
{
	apic_enable();
	apic_write(APIC_ICR, 0ull << 32 | VECTOR);
	GUEST_DONE();
}

static void guest_send_nmi(void)
{
	apic_enable();
	apic_write(APIC_ICR, 0ull << 32 | APIC_DM_NMI);
	GUEST_DONE();
}

TEST_F(ipi, wakes_halted_vcpu)
{
	struct vcpu_thread t;

	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_one_irq, guest_send_ipi);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	tdx_vcpu_run_to_done(self->td.vcpu[1]);
	join_with_ucall(&t, UCALL_DONE);
}

TEST_F(ipi, nmi_wakes_vcpu_with_interrupts_blocked)
{
	struct vcpu_thread t;

	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_one_nmi, guest_send_nmi);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	tdx_vcpu_run_to_done(self->td.vcpu[1]);
	join_with_ucall(&t, UCALL_DONE);
}

TEST_F(ipi, reaches_running_vcpu)
{
	struct vcpu_thread t;

	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_spin_for_irq, guest_send_ipi);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	wait_for_guest(&self->td.shared->here, 1);
	tdx_vcpu_run_to_done(self->td.vcpu[1]);
	join_with_ucall(&t, UCALL_DONE);
}

/* Each vCPU sleeps until the other's IPI. */
#define NR_ROUNDS	50

static void guest_ping(void)
{
	apic_enable();
	GUEST_SYNC(0);
	for (int i = 1; i <= NR_ROUNDS; i++) {
		apic_write(APIC_ICR, 1ull << 32 | VECTOR);
		wait_for_irqs(VECTOR, i);
	}
	GUEST_DONE();
}

static void guest_pong(void)
{
	apic_enable();
	GUEST_SYNC(0);
	for (int i = 1; i <= NR_ROUNDS; i++) {
		while (READ_ONCE(shared->nr_irqs[1][VECTOR]) < i) {
			GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
			sti_nop_cli();
		}
		apic_write(APIC_ICR, 0ull << 32 | VECTOR);
	}
	GUEST_DONE();
}

TEST_F(ipi, none_lost_between_two_vcpus)
{
	struct vcpu_thread t[NR_VCPUS];

	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_ping, guest_pong);
	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_sync(self->td.vcpu[i], 0);
	for (int i = 0; i < NR_VCPUS; i++)
		vcpu_thread_start(&t[i], self->td.vcpu[i]);
	for (int i = 0; i < NR_VCPUS; i++)
		join_with_ucall(&t[i], UCALL_DONE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
