// SPDX-License-Identifier: GPL-2.0
/*
 * Events that user space injects into a TD's vCPU: KVM_GET_VCPU_EVENTS and
 * KVM_SET_VCPU_EVENTS, KVM_INTERRUPT and KVM_SMI.
 *
 * An NMI is the only one that KVM can deliver to a TD.  It may refuse or drop
 * any other, but may not keep it as half delivered: nothing would ever complete
 * it, and no NMI would get past it.  After each case the vCPU must still run.
 *
 * The triple fault event is tested by tdx_shutdown_test, the fields for SMM by
 * tdx_vmx_state_test.
 */
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

FIXTURE(events) {
	struct tdx_irq_td td;
	struct kvm_vcpu *vcpu;
};

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(tdx_nr_nmis(0));
}

/* Run to the guest's next ucall.  Returns how many NMIs it has handled. */
static u64 run(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	__vcpu_run_expect(vcpu, &uc, UCALL_SYNC);
	return uc.args[1];
}

FIXTURE_SETUP(events)
{
	tdx_irq_td_create(&self->td);
	self->vcpu = tdx_irq_td_launch(&self->td, guest_code);
	run(self->vcpu);
}

FIXTURE_TEARDOWN(events)
{
	run(self->vcpu);
	kvm_vm_free(self->td.vm);
}

static int set_events(struct kvm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	return __vcpu_ioctl(vcpu, KVM_SET_VCPU_EVENTS, events);
}

TEST_F(events, none_after_run)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	TEST_ASSERT_EQ(events.exception.injected, 0);
	TEST_ASSERT_EQ(events.exception.pending, 0);
	TEST_ASSERT_EQ(events.interrupt.injected, 0);
	TEST_ASSERT_EQ(events.interrupt.shadow, 0);
	TEST_ASSERT_EQ(events.nmi.injected, 0);
	TEST_ASSERT_EQ(events.nmi.pending, 0);
	TEST_ASSERT_EQ(events.nmi.masked, 0);
	TEST_ASSERT_EQ(events.smi.smm, 0);
	TEST_ASSERT_EQ(events.smi.pending, 0);
	vcpu_events_set(self->vcpu, &events);
}

TEST_F(events, unknown_flags_refused)
{
	struct kvm_vcpu_events events;

	for (u32 flag = 1u << 31; flag > KVM_VCPUEVENT_VALID_TRIPLE_FAULT; flag >>= 1) {
		vcpu_events_get(self->vcpu, &events);
		events.flags |= flag;
		TEST_ASSERT_FAILS(set_events(self->vcpu, &events), EINVAL);
	}
}

TEST_F(events, pending_nmi_delivered_once)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.nmi.pending = 1;
	events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
	vcpu_events_set(self->vcpu, &events);
	TEST_ASSERT_EQ(run(self->vcpu), 1);
	TEST_ASSERT_EQ(run(self->vcpu), 1);
	vcpu_events_get(self->vcpu, &events);
	TEST_ASSERT_EQ(events.nmi.pending, 0);
	TEST_ASSERT_EQ(events.nmi.injected, 0);
}

/* KVM can't see whether a TD blocks events.  It assumes that it doesn't. */
TEST_F(events, blocking_ignored)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.nmi.masked = 1;
	events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
	vcpu_events_set(self->vcpu, &events);
	vcpu_events_get(self->vcpu, &events);
	TEST_ASSERT_EQ(events.nmi.masked, 0);
	TEST_ASSERT_EQ(events.interrupt.shadow, 0);

	vcpu_ioctl(self->vcpu, KVM_NMI, NULL);
	run(self->vcpu);
	TEST_ASSERT_EQ(run(self->vcpu), 1);
}

/*
 * User space has injected an event, and the ioctl returned @r.  Returns true if
 * KVM keeps the event although it can't deliver it.
 */
static bool is_stuck(struct kvm_vcpu *vcpu, int r)
{
	struct kvm_vcpu_events events;

	if (r) {
		TEST_ASSERT(errno == EINVAL || errno == ENXIO || errno == ENOTTY,
			    "Unexpected errno: %d", errno);
		return false;
	}

	run(vcpu);
	vcpu_events_get(vcpu, &events);
	if (events.exception.injected || events.interrupt.injected)
		return true;

	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	run(vcpu);
	TEST_ASSERT_EQ(run(vcpu), 1);
	return false;
}

TEST_F(events, exception_not_stuck)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.exception.injected = 1;
	events.exception.nr = GP_VECTOR;
	events.exception.has_error_code = 1;
	if (is_stuck(self->vcpu, set_events(self->vcpu, &events)))
		XFAIL(return, "KVM keeps an exception that it can't inject");
}

TEST_F(events, interrupt_not_stuck)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.interrupt.injected = 1;
	events.interrupt.nr = 0x40;
	if (is_stuck(self->vcpu, set_events(self->vcpu, &events)))
		XFAIL(return, "KVM keeps an interrupt that it can't inject");
}

/* An interrupt from a PIC in user space.  A TD doesn't have one. */
TEST_F(events, external_interrupt_not_stuck)
{
	struct kvm_interrupt irq = { .irq = 0x40 };

	if (is_stuck(self->vcpu, __vcpu_ioctl(self->vcpu, KVM_INTERRUPT, &irq)))
		XFAIL(return, "KVM keeps an interrupt that it can't inject");
}

TEST_F(events, external_interrupt_does_not_block_nmi)
{
	struct kvm_interrupt irq = { .irq = TDX_IRQ_VECTOR };
	u64 nr_nmis;

	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdx_vcpu_run");

	/* KVM may refuse or drop it. */
	__vcpu_ioctl(self->vcpu, KVM_INTERRUPT, &irq);
	TEST_ASSERT_EQ(run(self->vcpu), 0);
	vcpu_ioctl(self->vcpu, KVM_NMI, NULL);
	nr_nmis = run(self->vcpu);
	if (!nr_nmis)
		XFAIL(return, "KVM never completes KVM_INTERRUPT, which blocks NMIs forever");
	TEST_ASSERT_EQ(nr_nmis, 1);
}

/* A TD has no SMM. */

TEST_F(events, no_smm)
{
	TEST_ASSERT_EQ(vm_check_cap(self->td.vm, KVM_CAP_X86_SMM), 0);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SMI, NULL), ENOTTY);
}

TEST_F(events, smi_as_msi_not_accepted)
{
	TEST_ASSERT_EQ(__tdx_signal_msi(self->td.vm, 0, APIC_DM_SMI), 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
