// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<SetupEventNotifyInterrupt>: the guest chooses the interrupt vector by
 * which user space notifies it of events.
 *
 * KVM checks that the vector is a valid one and exits to user space, whose
 * status it passes to the guest unchanged.  If user space doesn't handle the
 * exit, the status is "unsupported".
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_irq.h"

#define SETUP	TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT

#define FIRST_VECTOR	TDX_IRQ_FIRST_VECTOR
#define LAST_VECTOR	255

#define SOME_VECTOR	0x55

static void assert_exit(struct kvm_vcpu *vcpu, u64 vector)
{
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, SETUP);
	TEST_ASSERT_EQ(run->tdx.setup_event_notify.vector, vector);
}

static void start(struct tdx_guest *td, u64 vector)
{
	/* KVM has to write every field. */
	memset(&td->run->tdx, 0xff, sizeof(td->run->tdx));
	tdx_call_start(td, SETUP, vector);
	assert_exit(td->vcpu, vector);
}

static void finish(struct tdx_guest *td, u64 status)
{
	td->run->tdx.setup_event_notify.ret = status;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), status);
}

TDX_GUEST_SUITE(event_notify);

TEST_F(event_notify, every_vector_reaches_user_space)
{
	for (u64 vector = FIRST_VECTOR; vector <= LAST_VECTOR; vector++) {
		start(&self->td, vector);
		finish(&self->td, TDVMCALL_STATUS_SUCCESS);
	}
}

TEST_F(event_notify, exception_vectors_refused)
{
	for (u64 vector = 0; vector < FIRST_VECTOR; vector++)
		TEST_ASSERT_EQ(tdx_call_status(&self->td, SETUP, vector),
			       TDVMCALL_STATUS_INVALID_OPERAND);
}

TEST_F(event_notify, vector_is_not_truncated)
{
	static const u64 vectors[] = {
		LAST_VECTOR + 1, LAST_VECTOR + 1 + SOME_VECTOR,
		BIT_ULL(16) | SOME_VECTOR, BIT_ULL(32) | SOME_VECTOR,
		BIT_ULL(63) | SOME_VECTOR, ~0ull,
	};

	for (int i = 0; i < ARRAY_SIZE(vectors); i++)
		TEST_ASSERT_EQ(tdx_call_status(&self->td, SETUP, vectors[i]),
			       TDVMCALL_STATUS_INVALID_OPERAND);
}

TEST_F(event_notify, unsupported_by_default)
{
	start(&self->td, SOME_VECTOR);
	TEST_ASSERT_EQ(tdx_call_finish_status(&self->td),
		       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

TEST_F(event_notify, status_comes_from_user_space)
{
	static const u64 statuses[] = {
		TDVMCALL_STATUS_RETRY, TDVMCALL_STATUS_INVALID_OPERAND,
		0x0123456789abcdef, ~0ull, TDVMCALL_STATUS_SUCCESS,
	};

	for (int i = 0; i < ARRAY_SIZE(statuses); i++) {
		start(&self->td, SOME_VECTOR);
		finish(&self->td, statuses[i]);
	}
}

TEST_F(event_notify, completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	start(td, SOME_VECTOR);
	td->run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_SUCCESS;
	tdx_call_complete(td);
	td->run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_RETRY;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

/* User space may advertise the call to the guest only if KVM supports it. */
TEST_F(event_notify, announced_to_user_space)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->td.vm);

	TEST_ASSERT(caps->user_tdvmcallinfo_1_r11 &
		    TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT,
		    "KVM announces 0x%lx only",
		    (unsigned long)caps->user_tdvmcallinfo_1_r11);
	free(caps);
}

static void guest_notified(void)
{
	tdx_apic_enable();
	GUEST_ASSERT_EQ(tdvmcall(SETUP, SOME_VECTOR), TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	sti_nop_cli();
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 1);
	GUEST_ASSERT_EQ(tdx_nr_irqs(0, SOME_VECTOR), 1);
	GUEST_DONE();
}

TDX_IRQ_SUITE(event_notify_interrupt);

TEST_F(event_notify_interrupt, arrives_at_vector)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_notified);

	vcpu_run(vcpu);
	assert_exit(vcpu, SOME_VECTOR);
	vcpu->run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_SUCCESS;

	tdx_signal_msi(self->td.vm, 0, vcpu->run->tdx.setup_event_notify.vector);
	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
