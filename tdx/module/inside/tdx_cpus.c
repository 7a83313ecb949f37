// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU that switches between host and TD while other CPUs restore x87 state,
 * for which QEMU accesses the first CPU's structure.  If the two mix, the host
 * continues with the TD's flags, takes interrupts when it must not, and the
 * machine hangs.
 */
#include <pthread.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdcall.h"
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

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
