// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs that run on one host CPU after the other.
 *
 * The TDX module keeps part of a vCPU's state on the CPU that it ran on, and
 * refuses to enter the vCPU elsewhere.  KVM has to flush that state when a vCPU
 * moves, including those moves that are part of a TD's creation.  The guest must
 * not lose any state, nor interrupts that arrive at the same time.
 */
#include "tdx/host_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

TDX_IRQ_FIXTURE(migration);

FIXTURE_SETUP(migration)
{
	if (nr_host_cpus < 2)
		SKIP(return, NEEDS_TWO_HOST_CPUS);

	tdx_irq_td_create(&self->td);
}

TEST_F(migration, through_all_cpus)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_keep_state);

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < nr_host_cpus; i++) {
			pin_self_to_cpu(host_cpus[i]);
			vcpu_run_to_sync(vcpu, 0);
			vcpu_run_to_sync(vcpu, 0);
		}
	}
}

TEST_F(migration, two_vcpus_swap_cpus)
{
	struct tdx_irq_td *td = &self->td;

	tdx_vm_launch_two(td->vm, td->vcpu, tdx_guest_keep_state,
			  tdx_guest_keep_state);
	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < ARRAY_SIZE(td->vcpu); i++) {
			pin_self_to_cpu(host_cpus[(i + round) % 2]);
			vcpu_run_to_sync(td->vcpu[i], i);
		}
	}
}

TEST_F(migration, during_creation)
{
	struct tdx_irq_td *td = &self->td;

	pin_self_to_cpu(host_cpus[0]);
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, tdx_guest_keep_state);
	pin_self_to_cpu(host_cpus[1]);
	td->vcpu[1] = vm_vcpu_add(td->vm, 1, tdx_guest_keep_state);
	tdx_load_private_memory(td->vm);
	pin_self_to_cpu(host_cpus[0]);
	tdx_finalize(td->vm);
	vcpu_run_to_sync(td->vcpu[1], 1);
	vcpu_run_to_sync(td->vcpu[0], 0);
}

static void assert_one_irq(struct tdx_irq_td *td)
{
	TEST_ASSERT_EQ(td->shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
}

/* KVM has to post the interrupt to the CPU that the vCPU runs on now. */
TEST_F(migration, interrupt_after_migration)
{
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_spin_for_irq);

	/* Load the vCPU on the first CPU, without entering the guest. */
	pin_self_to_cpu(host_cpus[0]);
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	vcpu->run->immediate_exit = 0;

	pin_self_to_cpu(host_cpus[1]);
	vcpu_thread_start(&t, vcpu);
	pin_self_to_cpu(host_cpus[0]);
	wait_for_guest(&self->td.shared->here, 1);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	assert_one_irq(&self->td);
}

TEST_F(migration, while_running)
{
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_spin_for_irq);

	pin_self_to_cpu(host_cpus[0]);
	vcpu_thread_start(&t, vcpu);
	wait_for_guest(&self->td.shared->here, 1);
	for (int i = 0; i < 4; i++)
		pin_task_to_cpu(t.thread, host_cpus[(i + 1) % 2]);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	assert_one_irq(&self->td);
}

TEST_F(migration, while_halted)
{
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	pin_self_to_cpu(host_cpus[0]);
	vcpu_run_to_sync(vcpu, 0);
	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	pin_task_to_cpu(t.thread, host_cpus[1]);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	assert_one_irq(&self->td);
}

static void guest_arm_timer(void)
{
	tdx_apic_enable();
	tdx_apic_write(APIC_LVTT, TDX_IRQ_VECTOR);
	tdx_apic_write(APIC_TMICT, 100000);
	GUEST_SYNC(0);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_DONE();
}

TEST_F(migration, with_armed_timer)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_arm_timer);

	pin_self_to_cpu(host_cpus[0]);
	vcpu_run_to_sync(vcpu, 0);
	pin_self_to_cpu(host_cpus[1]);
	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();

	return test_harness_run(argc, argv);
}
