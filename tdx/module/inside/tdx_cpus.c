// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's CPU: what the others do to it, and what an interrupt leaves behind.
 */
#include <pthread.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdcall.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define CPUS	4
#define EXITS	20000

static bool stop;

static void *restore_x87(void *cpu)
{
	u8 state[512] __aligned(16);

	pin_self_to_cpu((long)cpu);
	asm volatile("fxsave %0" : "=m"(state));
	while (!READ_ONCE(stop))
		asm volatile("fxrstor %0" : : "m"(state));
	return NULL;
}

/* KVM handles these TDVMCALLs without user space. */
static void guest_code(void)
{
	u64 regs[4];

	for (int i = 0; i < EXITS; i++)
		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &regs[0], &regs[1],
					       &regs[2], &regs[3]), 0);
	GUEST_DONE();
}

/*
 * A CPU that switches between host and TD while other CPUs restore x87 state,
 * for which QEMU accesses the first CPU's structure.  If the two mix, the host
 * continues with the TD's flags, takes interrupts when it must not, and the
 * machine hangs.
 */
TEST(exits_beside_x87_restores)
{
	pthread_t others[CPUS];
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	tdx_init_vm(vm, NULL);
	vcpu = vm_vcpu_add(vm, 0, guest_code);
	tdx_vm_finalize(vm);
	for (long i = 1; i < CPUS; i++)
		TEST_ASSERT_EQ(pthread_create(&others[i], NULL, restore_x87,
					      (void *)i), 0);

	pin_self_to_cpu(0);
	vcpu_run_to_done(vcpu);

	WRITE_ONCE(stop, true);
	for (int i = 1; i < CPUS; i++)
		TEST_ASSERT_EQ(pthread_join(others[i], NULL), 0);
	kvm_vm_free(vm);
}

static void assert_no_resume_flag(struct ex_regs *regs)
{
	GUEST_ASSERT_EQ(regs->rflags & X86_EFLAGS_RF, 0);
	GUEST_SYNC(regs->vector);
}

/*
 * The first instruction after STI still runs with interrupts blocked, so the
 * interrupt arrives just before INT3, which saves the flags that IRET restored.
 */
static void guest_interrupted_before_int3(void)
{
	tdx_apic_enable();
	x2apic_write_reg(APIC_SELF_IPI, TDX_IRQ_VECTOR);
	asm volatile("sti; nop; int3; cli");
	GUEST_ASSERT_EQ(tdx_nr_irqs(0, TDX_IRQ_VECTOR), 1);
	GUEST_DONE();
}

/*
 * An interrupt between two instructions saves RF as it is (Intel SDM vol. 3,
 * "Instruction-Breakpoint Exception Condition").  QEMU by itself sets it.
 */
TEST(interrupt_does_not_set_resume_flag)
{
	struct tdx_irq_td td;

	tdx_irq_td_create(&td);
	vm_install_exception_handler(td.vm, BP_VECTOR, assert_no_resume_flag);
	tdx_irq_td_launch(&td, guest_interrupted_before_int3);
	vcpu_run_to_sync(td.vcpu[0], BP_VECTOR);
	vcpu_run_to_done(td.vcpu[0]);
	kvm_vm_free(td.vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
