// SPDX-License-Identifier: GPL-2.0
/*
 * The MP state of a TD's vCPUs.
 *
 * All vCPUs of a TD are runnable from KVM_TDX_INIT_VCPU on.  User space may put
 * one to sleep and wake it.  But nobody can reset a TD's vCPU, so INIT and SIPI
 * do nothing, and a vCPU that user space says is waiting for them can't run.
 *
 * How HLT changes the MP state is tested by tdx_hlt_test.
 */
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

TDX_IRQ_SUITE(mp_state);

static void guest_counts(void)
{
	for (u64 i = 0;; i++)
		GUEST_SYNC(i);
}

TEST_F(mp_state, runnable_after_init_vcpu)
{
	struct tdx_irq_td *td = &self->td;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(td->vm, td->vcpu, tdx_guest_one_step, tdx_guest_one_step);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++) {
		TEST_ASSERT_EQ(tdx_get_mp_state(td->vcpu[i]), KVM_MP_STATE_RUNNABLE);
		vcpu_run_to_done(td->vcpu[i]);
	}
}

TEST_F(mp_state, unknown_states_refused)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);
	static const u32 unknown[] = {
		KVM_MP_STATE_STOPPED, KVM_MP_STATE_CHECK_STOP,
		KVM_MP_STATE_OPERATING, KVM_MP_STATE_LOAD,
		KVM_MP_STATE_SUSPENDED, ~0u,
	};

	for (int i = 0; i < ARRAY_SIZE(unknown); i++)
		TEST_ASSERT_FAILS(__tdx_set_mp_state(vcpu, unknown[i]), EINVAL);
	vcpu_run_to_done(vcpu);
}

static void assert_not_run_in(struct kvm_vcpu *vcpu, u32 mp_state)
{
	tdx_set_mp_state(vcpu, mp_state);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
}

TEST_F(mp_state, waiting_for_sipi_does_not_run)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_counts);

	assert_not_run_in(vcpu, KVM_MP_STATE_INIT_RECEIVED);
	assert_not_run_in(vcpu, KVM_MP_STATE_SIPI_RECEIVED);
	tdx_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	vcpu_run_to_sync(vcpu, 0);

	/* The same once it has run. */
	assert_not_run_in(vcpu, KVM_MP_STATE_INIT_RECEIVED);
	tdx_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	vcpu_run_to_sync(vcpu, 1);
	assert_not_run_in(vcpu, KVM_MP_STATE_SIPI_RECEIVED);
	tdx_set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
	vcpu_run_to_sync(vcpu, 2);
}

#define send_ignored(td, data)						\
	TEST_ASSERT(__tdx_signal_msi((td)->vm, 0, data) >= 0,		\
		    KVM_IOCTL_ERROR(KVM_SIGNAL_MSI, -1))

TEST_F(mp_state, init_ignored)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	vcpu_run_to_sync(vcpu, 0);
	send_ignored(&self->td, APIC_DM_INIT);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
}

TEST_F(mp_state, init_and_sipi_ignored)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_counts);

	vcpu_run_to_sync(vcpu, 0);
	send_ignored(&self->td, APIC_DM_INIT);
	send_ignored(&self->td, APIC_DM_STARTUP | 0x10);
	vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
	vcpu_run_to_sync(vcpu, 2);
}

/* The states in which a vCPU sleeps. */
TDX_IRQ_FIXTURE(set_mp_state);

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
	struct kvm_vcpu *vcpu;

	tdx_irq_td_create(&self->td);
	vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	vcpu_run_to_sync(vcpu, 0);
	tdx_set_mp_state(vcpu, variant->state);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), variant->state);
}

TEST_F(set_mp_state, sleeps_until_msi)
{
	struct kvm_vcpu *vcpu = self->td.vcpu[0];
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
}

TEST_F(set_mp_state, does_not_sleep_with_msi_pending)
{
	struct kvm_vcpu *vcpu = self->td.vcpu[0];

	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(tdx_get_mp_state(vcpu), KVM_MP_STATE_RUNNABLE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
