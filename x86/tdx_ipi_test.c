// SPDX-License-Identifier: GPL-2.0
/*
 * IPIs that a TD sends through the ICR.
 *
 * The guest asks KVM by TDVMCALL to write the ICR, and KVM finds the vCPUs that
 * are meant.  An IPI has to reach these and no others, whether they run, sleep
 * or haven't been entered, and what a TD can't receive has to be dropped.
 */
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

/* APIC IDs of the two vCPUs, and one that isn't there. */
#define SENDER		0ull
#define RECEIVER	1ull
#define NOBODY		9ull

#define DEST(id)	((id) << 32)

TDX_IRQ_SUITE(ipi);

/*
 * Each row has its own vector, so that an IPI that arrives where it shouldn't is
 * found even if it is late.
 */
#define IPI_VECTOR(row)	(0x40 + (row))

static const struct ipi {
	const char *name;
	u64 icr;
	bool to_self, to_other;
	bool is_nmi;
} ipis[] = {
	{ "physical, other", DEST(RECEIVER), false, true },
	{ "physical, self", DEST(SENDER), true, false },
	{ "physical, nobody", DEST(NOBODY) },
	{ "physical, broadcast", DEST(0xffffffffull), true, true },
	{ "physical, xAPIC's broadcast", DEST(0xffull) },
	{ "logical, other", DEST(2ull) | APIC_DEST_LOGICAL, false, true },
	{ "logical, self", DEST(1ull) | APIC_DEST_LOGICAL, true, false },
	{ "logical, both", DEST(3ull) | APIC_DEST_LOGICAL, true, true },
	{ "logical, other cluster", DEST(0x10003ull) | APIC_DEST_LOGICAL },
	{ "to self", APIC_DEST_SELF, true, false },
	{ "to all", APIC_DEST_ALLINC, true, true },
	{ "to all but self", APIC_DEST_ALLBUT, false, true },
	{ "lowest priority, other", DEST(RECEIVER) | APIC_DM_LOWEST, false, true },
	{ "busy bit", DEST(RECEIVER) | APIC_ICR_BUSY, false, true },
	{ "NMI, other", DEST(RECEIVER) | APIC_DM_NMI, false, true, true },
	{ "NMI, all but self", APIC_DEST_ALLBUT | APIC_DM_NMI, false, true, true },
	{ "NMI, self", APIC_DEST_SELF | APIC_DM_NMI, true, false, true },
	/* A TD can't receive these. */
	{ "INIT", DEST(RECEIVER) | APIC_DM_INIT | APIC_INT_ASSERT },
	{ "SIPI", DEST(RECEIVER) | APIC_DM_STARTUP },
	{ "SMI", DEST(RECEIVER) | APIC_DM_SMI },
	{ "ExtINT", DEST(RECEIVER) | APIC_DM_EXTINT },
};

/* All that vCPU @me should have handled when row @row is done. */
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

	__GUEST_ASSERT(tdx_sum_irqs(me) == nr_irqs && tdx_nr_nmis(me) == nr_nmis,
		       "vCPU %d after '%s': wanted %lu IRQs and %lu NMIs, got %lu and %lu",
		       me, ipis[row].name, (unsigned long)nr_irqs,
		       (unsigned long)nr_nmis, (unsigned long)tdx_sum_irqs(me),
		       (unsigned long)tdx_nr_nmis(me));
}

static void guest_await_ipi(int me, int row)
{
	bool hit = me ? ipis[row].to_other : ipis[row].to_self;

	if (hit && !ipis[row].is_nmi)
		tdx_await_irqs(me, IPI_VECTOR(row), 1);
	guest_check_ipis(me, row);
}

static void guest_sender(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);

	for (int i = 0; i < ARRAY_SIZE(ipis); i++) {
		u64 icr = ipis[i].icr | IPI_VECTOR(i);

		tdx_apic_write(APIC_ICR, icr);
		GUEST_ASSERT_EQ(tdx_apic_read(APIC_ICR), icr & ~APIC_ICR_BUSY);
		guest_await_ipi(0, i);
		GUEST_SYNC(i);
	}

	GUEST_DONE();
}

static void guest_receiver(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);

	for (int i = 0; i < ARRAY_SIZE(ipis); i++) {
		guest_await_ipi(1, i);
		GUEST_SYNC(i);
	}

	GUEST_DONE();
}

TEST_F(ipi, every_kind)
{
	struct kvm_vcpu **vcpu = self->td.vcpu;

	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(self->td.vm, vcpu, guest_sender, guest_receiver);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_sync(vcpu[i], 0);

	for (int row = 0; row < ARRAY_SIZE(ipis); row++)
		for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
			vcpu_run_to_sync(vcpu[i], row);

	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_done(vcpu[i]);
}

static void guest_reserved_bits(void)
{
	static const u8 reserved[] = {
		13, 16, 17, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
	};
	const u64 good = DEST(NOBODY) | TDX_IRQ_VECTOR;

	tdx_apic_enable();
	tdx_apic_write(APIC_ICR, good);
	for (int i = 0; i < ARRAY_SIZE(reserved); i++)
		GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_ICR >> 4),
					       BIT_ULL(reserved[i]) | TDX_IRQ_VECTOR),
				TDVMCALL_STATUS_INVALID_OPERAND);
	GUEST_ASSERT_EQ(tdx_apic_read(APIC_ICR), good);
	sti_nop_cli();
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(ipi, reserved_bits_refused)
{
	tdx_irq_td_launch(&self->td, guest_reserved_bits);
	vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_send_irq(void)
{
	tdx_apic_enable();
	tdx_send_ipi(0, TDX_IRQ_VECTOR);
	GUEST_DONE();
}

static void guest_send_nmi(void)
{
	tdx_apic_enable();
	tdx_send_ipi(0, APIC_DM_NMI);
	GUEST_DONE();
}

/* vCPU 0 sleeps until it gets an IPI from vCPU 1. */
static void wake_by_ipi(struct tdx_irq_td *td, void *guest_sleep, void *guest_send)
{
	struct vcpu_thread t;

	tdx_vm_launch_two(td->vm, td->vcpu, guest_sleep, guest_send);
	vcpu_run_to_sync(td->vcpu[0], 0);
	vcpu_thread_start(&t, td->vcpu[0]);
	vcpu_wait_until_asleep(td->vcpu[0]);
	vcpu_run_to_done(td->vcpu[1]);
	tdx_join_with_ucall(&t, UCALL_DONE);
}

TEST_F(ipi, wakes_halted_vcpu)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	wake_by_ipi(&self->td, tdx_guest_one_irq, guest_send_irq);
}

TEST_F(ipi, nmi_wakes_vcpu_with_interrupts_blocked)
{
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);

	wake_by_ipi(&self->td, tdx_guest_one_nmi, guest_send_nmi);
}

TEST_F(ipi, reaches_running_vcpu)
{
	struct tdx_irq_td *td = &self->td;
	struct vcpu_thread t;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(td->vm, td->vcpu, tdx_guest_spin_for_irq, guest_send_irq);
	vcpu_thread_start(&t, td->vcpu[0]);
	wait_for_guest(&td->shared->here, 1);
	vcpu_run_to_done(td->vcpu[1]);
	tdx_join_with_ucall(&t, UCALL_DONE);
}

/* Each vCPU sleeps until it gets the other's IPI. */
#define NR_ROUNDS	50

static void guest_ping(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);
	for (int i = 1; i <= NR_ROUNDS; i++) {
		tdx_send_ipi(1, TDX_IRQ_VECTOR);
		tdx_await_irqs(0, TDX_IRQ_VECTOR, i);
	}
	GUEST_DONE();
}

static void guest_pong(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);
	for (int i = 1; i <= NR_ROUNDS; i++) {
		tdx_await_irqs(1, TDX_IRQ_VECTOR, i);
		tdx_send_ipi(0, TDX_IRQ_VECTOR);
	}
	GUEST_DONE();
}

TEST_F(ipi, none_lost_between_two_vcpus)
{
	struct vcpu_thread t[TDX_IRQ_NR_VCPUS];
	struct tdx_irq_td *td = &self->td;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_vm_launch_two(td->vm, td->vcpu, guest_ping, guest_pong);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_sync(td->vcpu[i], 0);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_thread_start(&t[i], td->vcpu[i]);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		tdx_join_with_ucall(&t[i], UCALL_DONE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
