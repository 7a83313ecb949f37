// SPDX-License-Identifier: GPL-2.0
/*
 * The local APIC timer of a TD, in all its modes.
 *
 * KVM emulates the timer with a timer of the host and posts its interrupt to
 * the TD.  It has to convert between the TD's TSC and the host's.
 */
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

/* By default the timer counts nanoseconds. */
#define TIMER_NS		20000

#define TDCR_DIVIDE_BY_1	0xb
#define TDCR_DIVIDE_BY_2	0x0

static void timer_start(u32 mode, u32 count)
{
	tdx_apic_enable();
	tdx_apic_write(APIC_TDCR, TDCR_DIVIDE_BY_1);
	tdx_apic_write(APIC_LVTT, mode | TDX_IRQ_VECTOR);
	tdx_apic_write(APIC_TMICT, count);
}

/* Ticks of the TD's TSC, whose frequency the module gives in units of 25 MHz. */
static u64 ns_to_tsc(u64 ns)
{
	u64 units;

	GUEST_ASSERT_EQ(tdg_vm_rd(TDX_MD_TSC_FREQUENCY, &units), TDX_SUCCESS);
	return ns * units / 40;
}

/* Inlined, as it enables interrupts: see tdx_await_irqs(). */
static __always_inline void let_pass(u64 ns)
{
	u64 end = rdtsc() + ns_to_tsc(ns);

	sti_nop();
	while (rdtsc() < end)
		cpu_relax();
	cli();
}

TDX_IRQ_SUITE(timer);

static void guest_oneshot(void)
{
	timer_start(APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_ASSERT_EQ(tdx_apic_read(APIC_TMICT), TIMER_NS);
	GUEST_ASSERT_EQ(tdx_apic_read(APIC_TMCCT), 0);
	let_pass(4 * TIMER_NS);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(timer, oneshot_fires_once)
{
	tdx_irq_td_launch(&self->td, guest_oneshot);
	vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_oneshot_running(void)
{
	sti_nop();
	timer_start(APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	while (!tdx_nr_irqs(0, TDX_IRQ_VECTOR))
		cpu_relax();
	GUEST_DONE();
}

TEST_F(timer, oneshot_reaches_running_vcpu)
{
	tdx_irq_td_launch(&self->td, guest_oneshot_running);
	vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_periodic(void)
{
	timer_start(APIC_LVT_TIMER_PERIODIC, TIMER_NS);
	for (int i = 1; i <= 5; i++)
		tdx_await_irqs(0, TDX_IRQ_VECTOR, i);

	/* One more interrupt may be on its way when the timer stops. */
	tdx_apic_write(APIC_TMICT, 0);
	sti_nop_cli();
	tdx_irq_shared->nr_irqs[0][TDX_IRQ_VECTOR] = 0;
	GUEST_ASSERT_EQ(tdx_apic_read(APIC_TMCCT), 0);
	GUEST_DONE();
}

TEST_F(timer, periodic_keeps_firing)
{
	tdx_irq_td_launch(&self->td, guest_periodic);
	vcpu_run_to_done(self->td.vcpu[0]);
}

static void guest_masked(void)
{
	timer_start(APIC_LVT_MASKED | APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	let_pass(4 * TIMER_NS);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(timer, masked_does_not_fire)
{
	tdx_irq_td_launch(&self->td, guest_masked);
	vcpu_run_to_done(self->td.vcpu[0]);
}

/* The first count would take four seconds. */
static void guest_reprogram(void)
{
	timer_start(APIC_LVT_TIMER_ONESHOT, ~0u);
	tdx_apic_write(APIC_TMICT, TIMER_NS);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(timer, new_count_replaces_old)
{
	tdx_irq_td_launch(&self->td, guest_reprogram);
	vcpu_run_to_done(self->td.vcpu[0]);
}

/*
 * A TD's CPUID promises a crystal of 25 MHz, so user space has to make KVM's
 * timer fit.  The test asks for a slower one, to tell it from KVM's default.
 */
#define BUS_CYCLE_NS	2000
#define BUS_CYCLES	50

static void guest_bus_cycles(void)
{
	u64 start = rdtsc();

	tdx_apic_enable();
	tdx_apic_write(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | TDX_IRQ_VECTOR);
	tdx_apic_write(APIC_TDCR, TDCR_DIVIDE_BY_2);
	tdx_apic_write(APIC_TMICT, BUS_CYCLES);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);

	/* Allow a tenth, as the host's clocks differ while NTP adjusts one. */
	GUEST_ASSERT(rdtsc() - start > ns_to_tsc(2 * BUS_CYCLES * BUS_CYCLE_NS * 9 / 10));
	GUEST_DONE();
}

TEST_F(timer, counts_configured_bus_cycles)
{
	struct kvm_vm *vm = self->td.vm;

	if (!kvm_has_cap(KVM_CAP_X86_APIC_BUS_CYCLES_NS))
		SKIP(return, "KVM lacks KVM_CAP_X86_APIC_BUS_CYCLES_NS");

	vm_enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, BUS_CYCLE_NS);
	tdx_irq_td_launch(&self->td, guest_bus_cycles);
	vcpu_run_to_done(self->td.vcpu[0]);
	TEST_ASSERT_FAILS(__vm_enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS,
					  BUS_CYCLE_NS), EINVAL);
}

/* It may fire while user space is busy, or later. */
static void guest_timer_and_exit(void)
{
	timer_start(APIC_LVT_TIMER_ONESHOT, TIMER_NS);
	GUEST_SYNC(1);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_DONE();
}

TEST_F(timer, survives_exit_to_user_space)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_timer_and_exit);

	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_done(vcpu);
}

/*
 * TSC deadline.  KVM has to convert the TD's TSC to the host's, by an offset and
 * a ratio that it gets from the module.
 */
static void deadline_write(u64 tsc)
{
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(MSR_IA32_TSC_DEADLINE, tsc),
			TDVMCALL_STATUS_SUCCESS);
}

static u64 deadline_read(void)
{
	u64 tsc;

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(MSR_IA32_TSC_DEADLINE, &tsc),
			TDVMCALL_STATUS_SUCCESS);
	return tsc;
}

static void guest_deadline(void)
{
	u64 deadline;

	tdx_apic_enable();
	tdx_apic_write(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TDX_IRQ_VECTOR);

	for (int i = 1; i <= 5; i++) {
		deadline = rdtsc() + ns_to_tsc(10 * TIMER_NS);
		deadline_write(deadline);
		tdx_await_irqs(0, TDX_IRQ_VECTOR, i);
		GUEST_ASSERT(rdtsc() >= deadline);
		GUEST_ASSERT_EQ(deadline_read(), 0);
	}

	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 5);
	GUEST_DONE();
}

/* KVM goes by the CPUID that user space gave it. */
static bool has_tsc_deadline(struct kvm_vcpu *vcpu)
{
	return vcpu_cpuid_has(vcpu, X86_FEATURE_TSC_DEADLINE_TIMER);
}

#define NEEDS_TSC_DEADLINE	"the TD has no TSC deadline timer"

TEST_F(timer, tsc_deadline_does_not_fire_early)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_deadline);

	if (!has_tsc_deadline(vcpu))
		SKIP(return, NEEDS_TSC_DEADLINE);

	vcpu_run_to_done(vcpu);
}

/* The same for TDs whose TSC is slower or faster than the host's. */
FIXTURE(tsc_ratio) {
	struct tdx_irq_td td;
};

FIXTURE_VARIANT(tsc_ratio) {
	u64 khz;
};

FIXTURE_VARIANT_ADD(tsc_ratio, slowest) { .khz = 100000 };
FIXTURE_VARIANT_ADD(tsc_ratio, fastest) { .khz = 10000000 };

FIXTURE_SETUP(tsc_ratio)
{
	tdx_irq_td_create(&self->td);
	if (__vm_ioctl(self->td.vm, KVM_SET_TSC_KHZ, (void *)variant->khz))
		SKIP(return, "no VM of this host can have a TSC that fast or slow");
}

FIXTURE_TEARDOWN(tsc_ratio)
{
	kvm_vm_free(self->td.vm);
}

TEST_F(tsc_ratio, tsc_deadline_does_not_fire_early)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_deadline);

	if (!has_tsc_deadline(vcpu))
		SKIP(return, NEEDS_TSC_DEADLINE);

	vcpu_run_to_done(vcpu);
}

static void guest_past_deadline(void)
{
	tdx_apic_enable();
	tdx_apic_write(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TDX_IRQ_VECTOR);
	deadline_write(1);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_DONE();
}

TEST_F(timer, past_tsc_deadline_fires_at_once)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_past_deadline);

	if (!has_tsc_deadline(vcpu))
		SKIP(return, NEEDS_TSC_DEADLINE);

	vcpu_run_to_done(vcpu);
}

static void guest_disarm_deadline(void)
{
	u64 deadline = rdtsc() + ns_to_tsc(4 * TIMER_NS);

	/* In any other mode the write is ignored. */
	tdx_apic_enable();
	tdx_apic_write(APIC_LVTT, APIC_LVT_TIMER_ONESHOT | TDX_IRQ_VECTOR);
	deadline_write(deadline);
	GUEST_ASSERT_EQ(deadline_read(), 0);

	tdx_apic_write(APIC_LVTT, APIC_LVT_TIMER_TSCDEADLINE | TDX_IRQ_VECTOR);
	deadline = rdtsc() + (1ull << 50);
	deadline_write(deadline);
	GUEST_ASSERT_EQ(deadline_read(), deadline);
	deadline_write(0);
	GUEST_ASSERT_EQ(deadline_read(), 0);

	let_pass(4 * TIMER_NS);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	GUEST_DONE();
}

TEST_F(timer, tsc_deadline_disarmed)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_disarm_deadline);

	if (!has_tsc_deadline(vcpu))
		SKIP(return, NEEDS_TSC_DEADLINE);

	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
