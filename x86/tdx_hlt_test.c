// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<HLT>: when a halted vCPU sleeps, and what wakes it.
 *
 * KVM can't see a TD's interrupt state.  To decide whether a vCPU that halted
 * may run again, it knows what it has posted itself, the operand by which the
 * guest says whether its interrupts are blocked, and one bit from the TDX module
 * that says whether an interrupt is pending inside the TD.  A wrong decision is
 * a guest that hangs, or one that doesn't sleep.
 */
#include <sys/eventfd.h>

#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

TDX_IRQ_SUITE(hlt);

static void guest_hlt(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);
	GUEST_ASSERT_EQ(tdvmcall_hlt(tdx_irq_shared->blocked), TDVMCALL_STATUS_SUCCESS);
	GUEST_SYNC(1);
	sti_nop_cli();
	GUEST_DONE();
}

/* Come back when the vCPU sleeps. */
static void hlt_start(struct tdx_irq_td *td, struct vcpu_thread *t, u64 blocked)
{
	tdx_irq_td_launch(td, guest_hlt);
	td->shared->blocked = blocked;
	vcpu_run_to_sync(td->vcpu[0], 0);
	vcpu_thread_start(t, td->vcpu[0]);
	vcpu_wait_until_asleep(td->vcpu[0]);
}

/* The vCPU was woken, or will be. */
static void hlt_finish(struct tdx_irq_td *td, struct vcpu_thread *t)
{
	tdx_join_with_ucall(t, UCALL_SYNC);
	TEST_ASSERT_EQ(tdx_get_mp_state(td->vcpu[0]), KVM_MP_STATE_RUNNABLE);
	vcpu_run_to_done(td->vcpu[0]);
}

/* Get a sleeping vCPU out of KVM_RUN, and check that it is still halted. */
static void hlt_interrupt(struct tdx_irq_td *td, struct vcpu_thread *t)
{
	vcpu_thread_kick(t);
	TEST_ASSERT_FAILS(vcpu_thread_join(t), EINTR);
	TEST_ASSERT_EQ(td->vcpu[0]->run->exit_reason, KVM_EXIT_INTR);
	TEST_ASSERT_EQ(tdx_get_mp_state(td->vcpu[0]), KVM_MP_STATE_HALTED);
}

TEST_F(hlt, woken_by_msi)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
}

TEST_F(hlt, woken_by_irqfd)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	int fd = kvm_new_eventfd();
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	tdx_route_msi(routing, TDX_IRQ_GSI, TDX_IRQ_VECTOR);
	kvm_gsi_routing_write(self->td.vm, routing);
	kvm_assign_irqfd(self->td.vm, TDX_IRQ_GSI, fd);

	TEST_ASSERT_EQ(eventfd_write(fd, 1), 0);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
}

TEST_F(hlt, woken_by_nmi)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	tdx_signal_msi(self->td.vm, 0, APIC_DM_NMI);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
}

TEST_F(hlt, not_woken_by_signal)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	hlt_interrupt(&self->td, &t);

	/* The next KVM_RUN goes on sleeping. */
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	hlt_finish(&self->td, &t);
}

TEST_F(hlt, woken_by_set_mp_state)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, 0);
	hlt_interrupt(&self->td, &t);

	tdx_set_mp_state(self->td.vcpu[0], KVM_MP_STATE_RUNNABLE);
	vcpu_run_to_sync(self->td.vcpu[0], 1);
	vcpu_run_to_done(self->td.vcpu[0]);
}

/* KVM has posted it, and must not let the vCPU sleep. */
TEST_F(hlt, does_not_sleep_with_msi_posted)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_hlt);

	vcpu_run_to_sync(vcpu, 0);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
}

TEST_F(hlt, does_not_sleep_with_nmi_pending)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_nmi);

	vcpu_run_to_sync(vcpu, 0);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_run_to_done(vcpu);
}

/* KVM has never seen this interrupt.  Only the module can tell KVM about it. */
static void guest_hlt_with_self_ipi(void)
{
	tdx_apic_enable();
	x2apic_write_reg(APIC_SELF_IPI, TDX_IRQ_VECTOR);
	GUEST_ASSERT_EQ(tdvmcall_hlt(tdx_irq_shared->blocked), TDVMCALL_STATUS_SUCCESS);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	sti_nop_cli();
	GUEST_ASSERT_EQ(tdx_nr_irqs(0, TDX_IRQ_VECTOR), 1);
	GUEST_DONE();
}

TEST_F(hlt, does_not_sleep_with_self_ipi_pending)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_hlt_with_self_ipi);

	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
}

TEST_F(hlt, sleeps_with_self_ipi_blocked)
{
	struct vcpu_thread t;

	tdx_irq_td_launch(&self->td, guest_hlt_with_self_ipi);
	self->td.shared->blocked = 1;
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	hlt_interrupt(&self->td, &t);

	vcpu_ioctl(self->td.vcpu[0], KVM_NMI, NULL);
	vcpu_run_to_sync(self->td.vcpu[0], 1);
	vcpu_run_to_done(self->td.vcpu[0]);
}

/* Below the task priority, so the module doesn't report it as pending. */
static void guest_hlt_with_low_priority(void)
{
	tdx_apic_enable();
	x2apic_write_reg(APIC_TASKPRI, 0xf0);
	x2apic_write_reg(APIC_SELF_IPI, TDX_IRQ_VECTOR);
	GUEST_ASSERT_EQ(tdvmcall_hlt(0), TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdx_nr_nmis(0), 1);
	sti_nop_cli();
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	x2apic_write_reg(APIC_TASKPRI, 0);
	sti_nop_cli();
	GUEST_ASSERT_EQ(tdx_nr_irqs(0, TDX_IRQ_VECTOR), 1);
	GUEST_DONE();
}

TEST_F(hlt, sleeps_with_self_ipi_of_low_priority)
{
	struct vcpu_thread t;

	tdx_irq_td_launch(&self->td, guest_hlt_with_low_priority);
	vcpu_thread_start(&t, self->td.vcpu[0]);
	vcpu_wait_until_asleep(self->td.vcpu[0]);
	tdx_signal_msi(self->td.vm, 0, APIC_DM_NMI);
	tdx_join_with_ucall(&t, UCALL_DONE);
}

/*
 * A TD's HLT is a TDVMCALL: there is no exit to disable, and no halted state in
 * a VMCS that KVM could clear when the vCPU becomes runnable.
 */
TEST_F(hlt, disabling_exits_ignored)
{
	struct kvm_vm *vm = self->td.vm;
	struct kvm_vcpu *vcpu;

	if (!(vm_check_cap(vm, KVM_CAP_X86_DISABLE_EXITS) & KVM_X86_DISABLE_EXITS_HLT))
		SKIP(return, "HLT always exits");

	/* KVM may refuse it as well. */
	__vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_HLT);
	vcpu = tdx_irq_td_launch(&self->td, guest_hlt);
	vcpu_run_to_sync(vcpu, 0);
	tdx_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	tdx_signal_msi(vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
}

/* Any operand but zero means that the guest's interrupts are blocked. */
TDX_IRQ_FIXTURE(hlt_blocked);

FIXTURE_VARIANT(hlt_blocked) {
	u64 blocked;
};

FIXTURE_VARIANT_ADD(hlt_blocked, by_1) { .blocked = 1 };
FIXTURE_VARIANT_ADD(hlt_blocked, by_2) { .blocked = 2 };
FIXTURE_VARIANT_ADD(hlt_blocked, by_bit_63) { .blocked = BIT_ULL(63) };

FIXTURE_SETUP(hlt_blocked)
{
	tdx_irq_td_create(&self->td);
}

/* The interrupt neither wakes the vCPU nor gets lost. */
TEST_F(hlt_blocked, msi_stays_pending)
{
	struct tdx_irq_td *td = &self->td;
	struct vcpu_thread t;

	hlt_start(td, &t, variant->blocked);
	tdx_signal_msi(td->vm, 0, TDX_IRQ_VECTOR);
	hlt_interrupt(td, &t);
	TEST_ASSERT_EQ(td->shared->nr_irqs[0][TDX_IRQ_VECTOR], 0);

	vcpu_ioctl(td->vcpu[0], KVM_NMI, NULL);
	vcpu_run_to_sync(td->vcpu[0], 1);
	TEST_ASSERT_EQ(td->shared->nr_nmis[0], 1);
	TEST_ASSERT_EQ(td->shared->nr_irqs[0][TDX_IRQ_VECTOR], 0);
	vcpu_run_to_done(td->vcpu[0]);
	TEST_ASSERT_EQ(td->shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
}

TEST_F(hlt_blocked, woken_by_nmi)
{
	struct vcpu_thread t;

	hlt_start(&self->td, &t, variant->blocked);
	tdx_signal_msi(self->td.vm, 0, APIC_DM_NMI);
	hlt_finish(&self->td, &t);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][TDX_IRQ_VECTOR], 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
