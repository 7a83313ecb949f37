// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<SetupEventNotifyInterrupt>: the guest chooses an interrupt vector by
 * which user space is to tell it of events.
 *
 * KVM knows what a vector can be and leaves the rest to user space, whose
 * status the guest gets as it is.  For a user space that knows nothing of the
 * call the status is "unsupported".
 */
#include "apic.h"
#include "tdx/tdx_caller.h"

#define SETUP	TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT

/* Below are exceptions. */
#define FIRST_VECTOR	32
#define LAST_VECTOR	255

#define SOME_VECTOR	0x55

static u64 nr_interrupts;

static void assert_exit(struct kvm_vcpu *vcpu, u64 vector)
{
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, SETUP);
	TEST_ASSERT_EQ(run->tdx.setup_event_notify.vector, vector);
}

static void start(struct tdx_caller *td, u64 vector)
{
	/* Whatever KVM says it has to write. */
	memset(&td->run->tdx, 0xff, sizeof(td->run->tdx));
	tdx_call_start(td, SETUP, vector);
	assert_exit(td->vcpu, vector);
}

static void finish(struct tdx_caller *td, u64 status)
{
	td->run->tdx.setup_event_notify.ret = status;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), status);
}

TDX_CALLER_SUITE(event_notify);

TEST_F(event_notify, every_vector_reaches_user_space)
{
	for (u64 vector = FIRST_VECTOR; vector <= LAST_VECTOR; vector++) {
		start(&self->td, vector);
		finish(&self->td, TDVMCALL_STATUS_SUCCESS);
	}
}

TEST_F(event_notify, no_exception_is_a_vector)
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

TEST_F(event_notify, status_is_user_spaces)
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
	struct tdx_caller *td = &self->td;

	start(td, SOME_VECTOR);
	td->run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_SUCCESS;
	tdx_call_complete(td);
	td->run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_RETRY;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

/* User space tells the guest of the call if KVM says that it passes it on. */
TEST_F(event_notify, announced_to_user_space)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->td.vm);

	TEST_ASSERT(caps->user_tdvmcallinfo_1_r11 &
		    TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT,
		    "KVM announces 0x%lx only",
		    (unsigned long)caps->user_tdvmcallinfo_1_r11);
	free(caps);
}

static void guest_interrupt(struct ex_regs *regs)
{
	nr_interrupts++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_notified(void)
{
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_SPIV >> 4),
				       APIC_SPIV_APIC_ENABLED | 0xff),
			TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdvmcall(SETUP, SOME_VECTOR), TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(nr_interrupts, 0);
	sti_nop();
	GUEST_ASSERT_EQ(nr_interrupts, 1);
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(event_notify_interrupt);

TEST_F(event_notify_interrupt, has_the_vector)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_notified);
	struct kvm_msi msi = { .address_lo = APIC_DEFAULT_GPA };

	vm_install_exception_handler(vm, SOME_VECTOR, guest_interrupt);
	vm_tdx_launch(vm);
	self->vcpu = vcpu;

	vcpu_run(vcpu);
	assert_exit(vcpu, SOME_VECTOR);
	vcpu->run->tdx.setup_event_notify.ret = TDVMCALL_STATUS_SUCCESS;

	msi.data = vcpu->run->tdx.setup_event_notify.vector;
	TEST_ASSERT_EQ(__vm_ioctl(vm, KVM_SIGNAL_MSI, &msi), 1);
	tdx_vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
