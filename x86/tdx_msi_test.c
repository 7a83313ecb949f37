// SPDX-License-Identifier: GPL-2.0
/*
 * MSIs from the host to a TD.
 *
 * KVM can't see a TD's interrupt state.  It finds the vCPU that an MSI is for,
 * posts the vector, and the TDX module delivers it.  Each interrupt has to
 * arrive exactly once, whichever ioctl or file descriptor it came by, and
 * whatever the vCPU does at that moment.  KVM can't see a TD's EOIs either, so
 * what depends on them isn't there.
 *
 * How MSIs wake a halted vCPU is tested by tdx_hlt_test, wide destinations by
 * tdx_x2apic_api_test.
 */
#include <sys/eventfd.h>

#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

/* Every vector, by each of the host's ways to send an MSI. */

static int eventfds[TDX_IRQ_NR_VECTORS];

static void set_up_routes(struct kvm_vm *vm)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();

	for (int i = TDX_IRQ_FIRST_VECTOR; i < TDX_IRQ_NR_VECTORS; i++)
		tdx_route_msi(routing, TDX_IRQ_GSI + i, i);
	kvm_gsi_routing_write(vm, routing);
}

static void set_up_irqfds(struct kvm_vm *vm)
{
	set_up_routes(vm);
	for (int i = TDX_IRQ_FIRST_VECTOR; i < TDX_IRQ_NR_VECTORS; i++) {
		eventfds[i] = kvm_new_eventfd();
		kvm_assign_irqfd(vm, TDX_IRQ_GSI + i, eventfds[i]);
	}
}

static void send_msi(struct kvm_vm *vm, int vector)
{
	tdx_signal_msi(vm, 0, vector);
}

static void send_irqfd(struct kvm_vm *vm, int vector)
{
	TEST_ASSERT_EQ(eventfd_write(eventfds[vector], 1), 0);
}

static void send_irq_line(struct kvm_vm *vm, int vector)
{
	kvm_irq_line(vm, TDX_IRQ_GSI + vector, 1);
}

TDX_IRQ_SUITE(every_vector);

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
	tdx_apic_enable();

	for (int i = TDX_IRQ_FIRST_VECTOR; i < TDX_IRQ_NR_VECTORS; i++) {
		GUEST_SYNC(i);
		tdx_await_irqs(0, i, 1);
		GUEST_ASSERT_EQ(tdx_sum_irqs(0), i - TDX_IRQ_FIRST_VECTOR + 1);
	}

	GUEST_DONE();
}

TEST_F(every_vector, arrives_once)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_every_vector);

	if (variant->set_up)
		variant->set_up(self->td.vm);

	for (int i = TDX_IRQ_FIRST_VECTOR; i < TDX_IRQ_NR_VECTORS; i++) {
		vcpu_run_to_sync(vcpu, i);
		variant->send(self->td.vm, i);
	}
	vcpu_run_to_done(vcpu);
}

/* A vCPU that isn't running. */

#define MSI_LOGICAL	BIT(2)	/* in the address: the destination is logical */

TDX_IRQ_SUITE(msi);

static void guest_enables_apic_late(void)
{
	GUEST_SYNC(0);
	tdx_apic_enable();
	GUEST_SYNC(1);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(msi, dropped_while_apic_disabled)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_enables_apic_late);

	vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(__tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR + 1), 0);
	vcpu_run_to_sync(vcpu, 1);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
}

TEST_F(msi, unknown_apic_id_not_accepted)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	vcpu_run_to_sync(vcpu, 0);

	/* Whether that is an error depends on how KVM looks up the vCPU. */
	TEST_ASSERT(__tdx_signal_msi(self->td.vm, 7, TDX_IRQ_VECTOR + 1) <= 0,
		    "KVM found a vCPU with APIC ID 7");
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
}

TEST_F(msi, bad_flags_refused)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,
		.data = TDX_IRQ_VECTOR,
		.flags = ~0,
	};

	tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td.vm, KVM_SIGNAL_MSI, &msi), EINVAL);
}

TEST_F(msi, sent_twice_before_entry_arrives_once)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	vcpu_run_to_sync(vcpu, 0);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
}

static void guest_three_irqs(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	tdx_await_irqs(0, TDX_IRQ_VECTOR + 1, 1);
	tdx_await_irqs(0, TDX_IRQ_FIRST_VECTOR, 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 3);
	GUEST_DONE();
}

TEST_F(msi, several_at_once)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_three_irqs);

	vcpu_run_to_sync(vcpu, 0);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_FIRST_VECTOR);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR + 1);
	vcpu_run_to_done(vcpu);
}

TEST_F(msi, logical_destination)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | BIT(0) << 12 | MSI_LOGICAL,
		.data = TDX_IRQ_VECTOR,
	};

	vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(__vm_ioctl(self->td.vm, KVM_SIGNAL_MSI, &msi), 1);
	vcpu_run_to_done(vcpu);
}

TEST_F(msi, each_vcpu_gets_its_own)
{
	struct tdx_irq_td *td = &self->td;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(td->vm, td->vcpu, tdx_guest_one_irq, tdx_guest_one_irq);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_sync(td->vcpu[i], 0);

	tdx_signal_msi(td->vm, 1, TDX_IRQ_VECTOR);
	vcpu_run_to_done(td->vcpu[1]);
	TEST_ASSERT_EQ(td->shared->nr_irqs[0][TDX_IRQ_VECTOR], 0);
	tdx_signal_msi(td->vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(td->vcpu[0]);
}

TEST_F(msi, broadcast_reaches_all)
{
	struct tdx_irq_td *td = &self->td;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(td->vm, td->vcpu, tdx_guest_one_irq, tdx_guest_one_irq);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_sync(td->vcpu[i], 0);

	TEST_ASSERT_EQ(__tdx_signal_msi(td->vm, 0xff, TDX_IRQ_VECTOR),
		       TDX_IRQ_NR_VCPUS);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_done(td->vcpu[i]);
}

/*
 * For a level-triggered pin of an I/O APIC in user space KVM would exit on the
 * guest's EOI, but KVM can't see a TD's EOIs.
 */
TEST_F(msi, level_triggered_pin_has_no_eoi_exit)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	const u32 pin = 5;

	tdx_route_msi(routing, pin, APIC_INT_LEVELTRIG | TDX_IRQ_VECTOR);
	kvm_gsi_routing_write(self->td.vm, routing);

	vcpu_run_to_sync(vcpu, 0);
	kvm_irq_line(self->td.vm, pin, 1);
	vcpu_run_to_done(vcpu);
}

TEST_F(msi, irqfd_with_resampling_refused)
{
	struct kvm_irqfd irqfd = {
		.fd = kvm_new_eventfd(),
		.gsi = TDX_IRQ_GSI + TDX_IRQ_VECTOR,
		.flags = KVM_IRQFD_FLAG_RESAMPLE,
		.resamplefd = kvm_new_eventfd(),
	};

	tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	TEST_ASSERT_FAILS(__vm_ioctl(self->td.vm, KVM_IRQFD, &irqfd), EINVAL);
}

/* A vCPU that is running. */

static void spin_start(struct tdx_irq_td *td, struct vcpu_thread *t, void *guest_code)
{
	vcpu_thread_start(t, tdx_irq_td_launch(td, guest_code));
	wait_for_guest(&td->shared->here, 1);
}

TEST_F(msi, reaches_running_vcpu)
{
	struct vcpu_thread t;

	spin_start(&self->td, &t, tdx_guest_spin_for_irq);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
}

static void guest_spin_with_irqs_off(void)
{
	tdx_apic_enable();
	WRITE_ONCE(tdx_irq_shared->here, 1);
	while (!READ_ONCE(tdx_irq_shared->go))
		cpu_relax();
	GUEST_ASSERT_EQ(tdx_nr_irqs(0, TDX_IRQ_VECTOR), 0);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_DONE();
}

TEST_F(msi, waits_until_interrupts_are_on)
{
	struct vcpu_thread t;

	spin_start(&self->td, &t, guest_spin_with_irqs_off);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	WRITE_ONCE(self->td.shared->go, 1);
	tdx_join_with_ucall(&t, UCALL_DONE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
