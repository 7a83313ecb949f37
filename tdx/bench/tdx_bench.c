// SPDX-License-Identifier: GPL-2.0
/*
 * What the box costs, for "make bench": a TDVMCALL to user space and back,
 * computation in a TD, and the life of a TD.
 *
 * The two times of a ratio are measured in turns.  Each time is the best of
 * several, because disturbances can only add to it.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/small_td.h"
#include "tdx/tdx_util.h"
#include "tdx/generic/ucall_loop.h"

#define NR_ROUNDS	15
#define NR_CALLS	2000
#define NR_STEPS	10000000ul
#define NR_TDS		5

/* Not in a memslot, and not the GPA of ucalls. */
#define MMIO_GPA	0xfee00000ul

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ul + t.tv_nsec;
}

/* A chain of dependent multiplications. */
static noinline u64 compute(void)
{
	u64 x = 1;

	for (u64 i = 0; i < NR_STEPS; i++)
		asm volatile("imul $0x5851f42d, %0, %0" : "+r"(x));
	return x;
}

static void guest_code(void)
{
	for (;;) {
		for (int i = 0; i < NR_CALLS; i++)
			tdvmcall_mmio_write(MMIO_GPA, sizeof(u64), i);
		GUEST_SYNC(1);
		compute();
		GUEST_SYNC(2);
	}
}

static void guest_done(void)
{
	GUEST_DONE();
}

static u64 time_calls(struct kvm_vcpu *vcpu)
{
	u64 start = now_ns(), end;

	for (int i = 0; i < NR_CALLS; i++) {
		vcpu_run(vcpu);
		TEST_ASSERT_EQ(vcpu->run->exit_reason, KVM_EXIT_MMIO);
		TEST_ASSERT_EQ(vcpu->run->mmio.phys_addr, MMIO_GPA);
	}
	end = now_ns();
	vcpu_run_to_sync(vcpu, 1);
	return (end - start) / NR_CALLS;
}

static u64 time_null_ioctls(int fd)
{
	u64 start = now_ns();

	for (int i = 0; i < NR_CALLS; i++)
		ioctl(fd, KVM_GET_API_VERSION, 0);
	return (now_ns() - start) / NR_CALLS;
}

static u64 time_guest_compute(struct kvm_vcpu *vcpu)
{
	u64 start = now_ns();

	vcpu_run_to_sync(vcpu, 2);
	return now_ns() - start;
}

static u64 time_host_compute(void)
{
	u64 start = now_ns();

	compute();
	return now_ns() - start;
}

/* A typical test's TD, with the lib's memory, page tables and code. */
static void live(void)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_done);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

/* The smallest TD, with one page. */
static void live_small(void)
{
	struct kvm_vm *vm = small_td_create(1, SMALL_TD_INT3);

	small_td_run_to_shutdown(list_first_entry(&vm->vcpus, struct kvm_vcpu, list));
	kvm_vm_free(vm);
}

static u64 time_lives(void (*life)(void))
{
	u64 start = now_ns();

	for (int i = 0; i < NR_TDS; i++)
		life();
	return (now_ns() - start) / NR_TDS;
}

#define BEST(best, time)	((best) = min_t(u64, best, time))

int main(void)
{
	u64 call = -1, null = -1, guest = -1, host = -1;
	u64 life = -1, small = -1;
	int fd = open("/dev/kvm", O_RDWR);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	TEST_REQUIRE(is_tdx_supported());
	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_code);
	for (int i = 0; i < NR_ROUNDS; i++) {
		BEST(call, time_calls(vcpu));
		BEST(null, time_null_ioctls(fd));
		BEST(guest, time_guest_compute(vcpu));
		BEST(host, time_host_compute());
	}
	kvm_vm_free(vm);
	for (int i = 0; i < NR_ROUNDS; i++) {
		BEST(life, time_lives(live));
		BEST(small, time_lives(live_small));
	}

	printf("call %.2f us, null ioctl %.3f us: ratio %.1f\n", call / 1e3,
	       null / 1e3, (double)call / null);
	printf("compute in a TD %.1f ms, in a process %.1f ms: speed %.3f\n",
	       guest / 1e6, host / 1e6, (double)host / guest);
	printf("life of the smallest TD %.1f ms, of the library's %.1f ms\n",
	       small / 1e6, life / 1e6);
	return 0;
}
