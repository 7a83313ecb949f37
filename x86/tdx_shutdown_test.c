// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_EXIT_SHUTDOWN: a vCPU of a TD has shut down, or user space has asked for
 * that exit.
 *
 * After a triple fault the TDX module never enters the vCPU again, while the
 * TD's other vCPUs run on.  A triple fault that user space injects and a machine
 * check are another matter: the module knows nothing about them, so KVM exits
 * once and the vCPU can run on.
 */
#include "mce.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

/* Triple faults in the guest */

TDX_IRQ_FIXTURE(shutdown);

FIXTURE_VARIANT(shutdown) {
	void (*guest_code)(void);
};

/* An exception that no handler can be found for. */
static void guest_no_idt(void)
{
	const struct desc_ptr no_idt = {};

	tdx_guest_step();
	set_idt(&no_idt);
	asm volatile("ud2");
	tdx_guest_step();
}

/* The same for #VE, which the TDX module injects. */
static void guest_no_idt_for_ve(void)
{
	const struct desc_ptr no_idt = {};

	tdx_guest_step();
	set_idt(&no_idt);
	asm volatile("hlt");
	tdx_guest_step();
}

/* The handler can't be called without a stack. */
static void guest_no_stack(void)
{
	tdx_guest_step();
	asm volatile("xor %esp, %esp; ud2");
	tdx_guest_step();
}

FIXTURE_VARIANT_ADD(shutdown, no_idt) { .guest_code = guest_no_idt };
FIXTURE_VARIANT_ADD(shutdown, no_idt_for_ve) { .guest_code = guest_no_idt_for_ve };
FIXTURE_VARIANT_ADD(shutdown, no_stack) { .guest_code = guest_no_stack };

FIXTURE_SETUP(shutdown)
{
	tdx_irq_td_create(&self->td);
}

TEST_F(shutdown, exits_on_triple_fault)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, variant->guest_code);

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

#define NON_RECOVERABLE	BIT_ULL(62)	/* in the status of the TDX module */

TDX_IRQ_SUITE(after_shutdown);

/* The module refuses to enter it, and KVM reports the module's status. */
TEST_F(after_shutdown, vcpu_stays_down)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_no_idt);
	struct kvm_run *run = vcpu->run;
	u64 cpu;
	int log;

	SKIP_IF_PANICS_ON_WARNING(return);

	/* First, as the announcement itself is a line of the log. */
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

	/* KVM warns only once after the kernel has booted. */
	if (kernel_log_has_warning(log, "vt_cache_reg"))
		XFAIL(return, "KVM wants to print the TD's RIP, and warns that it can't read it");
}

TEST_F(after_shutdown, other_vcpu_runs_on)
{
	struct tdx_irq_td *td = &self->td;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(td->vm, td->vcpu, guest_no_idt, tdx_guest_one_step);
	vcpu_run(td->vcpu[0]);
	TEST_ASSERT_KVM_EXIT_REASON(td->vcpu[0], KVM_EXIT_SHUTDOWN);
	vcpu_run_to_done(td->vcpu[1]);
}

/* The module writes to no field of a vCPU that is down. */
TEST_F(after_shutdown, nmi_leaves_vm_alive)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_no_idt);

	SKIP_IF_PANICS_ON_WARNING(return);

	expect_kernel_log("WARNING: *tdx_inject_nmi");
	expect_kernel_log("WARNING: *vt_cache_reg");
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	if (__vcpu_run(vcpu))
		TEST_ASSERT_EQ(errno, EIO);
	if (vm_is_dead(self->td.vm))
		XFAIL(return, "KVM has the module inject an NMI, and takes the refusal for a bug");
}

/* Triple faults that user space injects */

TDX_IRQ_SUITE(triple_fault_event);

TEST_F(triple_fault_event, exits_once)
{
	struct kvm_vcpu_events events;
	struct kvm_vcpu *vcpu;

	vm_enable_cap(self->td.vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1);
	vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_step);
	vcpu_events_get(vcpu, &events);
	events.flags |= KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	events.triple_fault.pending = true;
	vcpu_events_set(vcpu, &events);
	vcpu_events_get(vcpu, &events);
	TEST_ASSERT_EQ(events.triple_fault.pending, 1);

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	TEST_ASSERT_EQ(self->td.shared->progress, 0);
	vcpu_events_get(vcpu, &events);
	TEST_ASSERT_EQ(events.triple_fault.pending, 0);
	vcpu_run_to_done(vcpu);
}

static void guest_two_stages(void)
{
	GUEST_SYNC(0);
	GUEST_DONE();
}

/* KVM_GET_VCPU_EVENTS sets the flag once the capability is enabled. */
TEST_F(triple_fault_event, enabled_after_first_run)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_two_stages);
	struct kvm_vcpu_events events;

	vcpu_run_to_sync(vcpu, 0);
	vm_enable_cap(self->td.vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1);
	vcpu_events_get(vcpu, &events);
	events.triple_fault.pending = true;
	vcpu_events_set(vcpu, &events);
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	vcpu_run_to_done(vcpu);
}

/* Machine checks */

TDX_IRQ_SUITE(machine_check);

/*
 * As far as KVM knows, CR4.MCE is clear in a TD, so an uncorrected error shuts
 * the vCPU down.  Only user space learns about that, not the TD.
 */
TEST_F(machine_check, uncorrected_error_exits)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_two_stages);
	struct kvm_x86_mce mce = {
		.status = MCI_STATUS_VAL | MCI_STATUS_UC,
		.mcg_status = BIT_ULL(0),	/* RIPV, as for an exception */
	};
	u64 mcg_cap = 1;

	vcpu_run_to_sync(vcpu, 0);
	vcpu_ioctl(vcpu, KVM_X86_SETUP_MCE, &mcg_cap);
	if (__vcpu_ioctl(vcpu, KVM_X86_SET_MCE, &mce)) {
		TEST_ASSERT_EQ(errno, EINVAL);
	} else {
		vcpu_run(vcpu);
		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
	}
	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
