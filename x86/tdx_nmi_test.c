// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs of a TD.
 *
 * KVM asks the TDX module to deliver an NMI, one at a time, and never hears
 * when the guest has taken it: there is no NMI window to wait for.  So NMIs that
 * arrive before delivery are collapsed into one, and KVM has to consider an NMI
 * injected as soon as it has passed it on.
 *
 * NMIs that user space injects by KVM_SET_VCPU_EVENTS are tested by
 * tdx_vcpu_events_test.
 */
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

TDX_IRQ_SUITE(nmi);

/* Reports after each entry how many NMIs have been handled. */
static void guest_nmis(void)
{
	GUEST_SYNC(0);
	GUEST_SYNC(tdx_nr_nmis(0));
	GUEST_SYNC(tdx_nr_nmis(0));
	GUEST_DONE();
}

TEST_F(nmi, arrives_once)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_nmis);

	vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 0);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 1);
	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 1);
}

TEST_F(nmi, several_before_entry_collapse)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_nmis);
	struct kvm_vcpu_events events;

	vcpu_run_to_sync(vcpu, 0);
	for (int i = 0; i < 3; i++)
		vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_run_to_sync(vcpu, 1);

	/* None is left in KVM, nor in the module. */
	vcpu_events_get(vcpu, &events);
	TEST_ASSERT_EQ(events.nmi.pending, 0);
	TEST_ASSERT_EQ(events.nmi.injected, 0);
	TEST_ASSERT_EQ(events.nmi.masked, 0);
	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(vcpu_get_stat(vcpu, nmi_injections), 1);
}

static void guest_nmi_handler_with_exit(struct ex_regs *regs)
{
	tdx_irq_shared->nr_nmis[0]++;
	GUEST_SYNC(10 + tdx_nr_nmis(0));
}

/* One NMI waits until the handler returns, and only one. */
TEST_F(nmi, several_during_handler_collapse)
{
	struct kvm_vcpu *vcpu;

	vm_install_exception_handler(self->td.vm, NMI_VECTOR,
				     guest_nmi_handler_with_exit);
	vcpu = tdx_irq_td_launch(&self->td, guest_nmis);

	vcpu_run_to_sync(vcpu, 0);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	vcpu_run_to_sync(vcpu, 11);
	for (int i = 0; i < 3; i++)
		vcpu_ioctl(vcpu, KVM_NMI, NULL);

	/* It arrives as soon as the handler returns, not at the next entry. */
	vcpu_run_to_sync(vcpu, 12);
	vcpu_run_to_sync(vcpu, 2);
	vcpu_run_to_sync(vcpu, 2);
	vcpu_run_to_done(vcpu);
}

TEST_F(nmi, sent_as_msi)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_nmi);

	vcpu_run_to_sync(vcpu, 0);
	tdx_signal_msi(self->td.vm, 0, APIC_DM_NMI);
	vcpu_run_to_done(vcpu);
}

static void guest_self_nmi(void)
{
	tdx_apic_enable();
	tdx_send_ipi(0, APIC_DEST_SELF | APIC_DM_NMI);
	GUEST_SYNC(tdx_nr_nmis(0));
	GUEST_DONE();
}

TEST_F(nmi, sent_by_guest_to_itself)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_self_nmi);

	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
}

static void guest_spin_for_nmi(void)
{
	WRITE_ONCE(tdx_irq_shared->here, 1);
	while (!tdx_nr_nmis(0))
		cpu_relax();
	GUEST_DONE();
}

TEST_F(nmi, reaches_running_vcpu)
{
	struct vcpu_thread t;

	vcpu_thread_start(&t, tdx_irq_td_launch(&self->td, guest_spin_for_nmi));
	wait_for_guest(&self->td.shared->here, 1);
	tdx_signal_msi(self->td.vm, 0, APIC_DM_NMI);
	tdx_join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(self->td.shared->nr_nmis[0], 1);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
