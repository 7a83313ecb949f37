// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's life: create, launch, run and destroy one TD, two at once, and one with
 * several vCPUs; and every step by itself, in and out of order.
 *
 * KVM has to refuse a step that comes too early, twice or too late, without any
 * effect on the TD.
 */
#include <pthread.h>
#include <sys/resource.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/keyids.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_VCPUS	4

static u64 magic;
static u64 nr_arrived;
static u64 nr_exceptions;

static void assert_in_td(void)
{
	u32 eax, ident[3];

	/* The signature is in EBX, EDX and ECX, as in leaf 0. */
	cpuid(TDX_CPUID_LEAF_ID, &eax, &ident[0], &ident[2], &ident[1]);
	GUEST_ASSERT(!memcmp(ident, TDX_IDENT, sizeof(ident)));
}

static void guest_main(void)
{
	assert_in_td();
	GUEST_SYNC(1);
	GUEST_PRINTF("# TD with %u vCPU(s)\n", tdg_vp_info().nr_vcpus);
	GUEST_SYNC(2);
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(lifecycle);

KVM_ONE_VCPU_TD_TEST(lifecycle, one_td, guest_main)
{
	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_sync(vcpu, 2);
	vcpu_run_to_done(vcpu);
}

static void guest_assert_fails(void)
{
	GUEST_ASSERT_EQ(magic, 1);
	GUEST_DONE();
}

/* All tests rely on this. */
KVM_ONE_VCPU_TD_TEST(lifecycle, guest_assert_arrives, guest_assert_fails)
{
	struct ucall uc;

	TEST_ASSERT(!__vcpu_run(vcpu), KVM_IOCTL_ERROR(KVM_RUN, -1));
	TEST_ASSERT_EQ(get_ucall(vcpu, &uc), UCALL_ABORT);
	TEST_ASSERT(strstr(uc.buffer, "magic"), "Unexpected message '%s'",
		    uc.buffer);
}

static void guest_magic(u64 expected)
{
	assert_in_td();
	GUEST_ASSERT_EQ(magic, expected);
	magic++;
	GUEST_SYNC(expected);
	GUEST_ASSERT_EQ(magic, expected + 1);
	GUEST_DONE();
}

static struct kvm_vcpu *create_magic_td(u64 value)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_magic);

	vcpu_args_set(vcpu, 1, value);
	write_guest_global(vm, magic, value);
	tdx_vm_finalize(vm);
	return vcpu;
}

TEST_F(lifecycle, two_tds)
{
	struct kvm_vcpu *a, *b;

	if (!tdx_can_create(2))
		SKIP(return, NEEDS_MORE_KEYIDS);

	a = create_magic_td(0xaaaaul);
	b = create_magic_td(0xbbbbul);
	vcpu_run_to_sync(a, 0xaaaa);
	vcpu_run_to_sync(b, 0xbbbb);
	vcpu_run_to_done(a);

	/* One TD's end doesn't affect the other. */
	kvm_vm_free(a->vm);
	vcpu_run_to_done(b);
	kvm_vm_free(b->vm);
}

static void guest_vcpu(u64 index)
{
	struct tdx_vp_info info = tdg_vp_info();

	GUEST_ASSERT_EQ(info.vcpu_index, index);
	GUEST_ASSERT_EQ(info.nr_vcpus, NR_VCPUS);

	/* All vCPUs run at the same time, and share memory. */
	__atomic_add_fetch(&nr_arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&nr_arrived, __ATOMIC_SEQ_CST) < NR_VCPUS)
		cpu_relax();

	GUEST_SYNC(index);
	GUEST_DONE();
}

static void *run_vcpu(void *arg)
{
	struct kvm_vcpu *vcpu = arg;

	vcpu_run_to_sync(vcpu, vcpu->id);
	vcpu_run_to_done(vcpu);
	return NULL;
}

TEST_F(lifecycle, four_vcpus)
{
	struct kvm_vcpu *vcpus[NR_VCPUS];
	pthread_t threads[NR_VCPUS];
	struct kvm_vm *vm;

	vm = __vm_create(VM_SHAPE_TDX, NR_VCPUS, 0);

	/* A TD may have no more vCPUs than the host has CPUs. */
	if (vm_check_cap(vm, KVM_CAP_MAX_VCPUS) < NR_VCPUS) {
		kvm_vm_free(vm);
		SKIP(return, "needs %d host CPUs", NR_VCPUS);
	}

	for (int i = 0; i < NR_VCPUS; i++) {
		vcpus[i] = vm_vcpu_add(vm, i, guest_vcpu);
		vcpu_args_set(vcpus[i], 1, (u64)i);
	}
	tdx_vm_finalize(vm);

	for (int i = 0; i < NR_VCPUS; i++)
		TEST_ASSERT_EQ(pthread_create(&threads[i], NULL, run_vcpu, vcpus[i]), 0);
	for (int i = 0; i < NR_VCPUS; i++)
		TEST_ASSERT_EQ(pthread_join(threads[i], NULL), 0);

	kvm_vm_free(vm);
}

/*
 * KVM has made the vCPU, and loaded it once, when it finds that there is no file
 * descriptor left for it.
 */
TEST_F(lifecycle, no_file_descriptor_for_vcpu)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	struct rlimit limit, all_used;
	struct kvm_vcpu *vcpu;
	int next = dup(vm->fd);

	tdx_init_vm(vm, init);
	free(init);

	close(next);
	TEST_ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	all_used = (struct rlimit) { next, limit.rlim_max };
	TEST_ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &all_used), 0);
	for (int i = 0; i < 3; i++)
		TEST_ASSERT_FAILS(__vm_ioctl(vm, KVM_CREATE_VCPU, (void *)0), EMFILE);
	TEST_ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);

	/* Nothing is left of these. */
	vcpu = vm_vcpu_add(vm, 0, guest_main);
	tdx_vm_finalize(vm);
	vcpu_run_to_sync(vcpu, 1);
	vcpu_run_to_sync(vcpu, 2);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_exception_handler(struct ex_regs *regs)
{
	nr_exceptions += magic;

	/* INT3 is a trap, UD2 a fault of two bytes. */
	if (regs->vector == UD_VECTOR)
		regs->rip += 2;
}

static void guest_exceptions(void)
{
	asm volatile("ud2");
	GUEST_ASSERT_EQ(nr_exceptions, magic);
	asm volatile("int3");
	GUEST_ASSERT_EQ(nr_exceptions, 2 * magic);
	GUEST_DONE();
}

TEST_F(lifecycle, exceptions)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_exceptions);

	vm_install_exception_handler(vm, UD_VECTOR, guest_exception_handler);
	vm_install_exception_handler(vm, BP_VECTOR, guest_exception_handler);
	magic = 0x1234;
	sync_global_to_guest(vm, magic);
	tdx_vm_finalize(vm);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_shutdown(void)
{
	const struct desc_ptr no_idt = {};

	set_idt(&no_idt);
	asm volatile("ud2");
}

KVM_ONE_VCPU_TD_TEST(lifecycle, triple_fault, guest_shutdown)
{
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
}

static void guest_shared_memory(u64 *shared)
{
	GUEST_ASSERT_EQ(*shared, 1);
	*shared = 2;
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(*shared, 3);
	GUEST_DONE();
}

TEST_F(lifecycle, shared_memory)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_shared_memory);
	u64 *shared;
	gva_t gva = tdx_alloc_shared(vm, PAGE_SIZE, &shared);

	vcpu_args_set(vcpu, 1, gva);
	tdx_vm_finalize(vm);

	*shared = 1;
	vcpu_run_to_sync(vcpu, 2);
	TEST_ASSERT_EQ(READ_ONCE(*shared), 2);
	*shared = 3;
	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

static void guest_reset_rcx(u64 expected)
{
	GUEST_ASSERT_EQ(tdx_reset_rcx(), expected);
	GUEST_DONE();
}

TEST_F(lifecycle, step_by_step)
{
	const u64 rcx = 0xfedcba9876543210ul;
	struct kvm_tdx_init_mem_region region = { .nr_pages = 1 };
	struct kvm_tdx_init_vm *init;
	struct kvm_vcpu *vcpu;
	struct kvm_cpuid2 *cpuid;
	struct kvm_vm *vm;

	vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	init = tdx_default_init_vm(vm);

	/* A valid page, so that KVM can only refuse it for the state of the TD. */
	region.gpa = addr_gva2gpa(vm, (gva_t)&magic) & PAGE_MASK;
	region.source_addr = (u64)addr_gpa2hva(vm, region.gpa);
	vm_mem_set_private(vm, region.gpa, PAGE_SIZE);

	/* Nothing works before KVM_TDX_INIT_VM, ... */
	TEST_ASSERT_FAILS(__vm_ioctl(vm, KVM_CREATE_VCPU, (void *)0), EIO);
	TEST_ASSERT_FAILS(__tdx_finalize(vm, NULL), EINVAL);
	tdx_init_vm(vm, init);
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, NULL), EINVAL);

	/* ... nothing works on a vCPU before KVM_TDX_INIT_VCPU, ... */
	vcpu = __vm_vcpu_add(vm, 0);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, &region, NULL), EINVAL);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, NULL), EINVAL);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, rcx);
	TEST_ASSERT_FAILS(__tdx_init_vcpu(vcpu, rcx, NULL), EINVAL);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);

	vcpu_arch_set_entry_point(vcpu, guest_reset_rcx);
	vcpu_args_set(vcpu, 1, rcx);
	tdx_load_private_memory(vm);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
	tdx_finalize(vm);

	/* ... and nothing can be configured after KVM_TDX_FINALIZE_VM. */
	cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);
	TEST_ASSERT_FAILS(__tdx_finalize(vm, NULL), EINVAL);
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, NULL), EINVAL);
	TEST_ASSERT_FAILS(__tdx_init_vcpu(vcpu, 0, NULL), EINVAL);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, &region, NULL), EINVAL);
	TEST_ASSERT_FAILS(__tdx_get_cpuid(vcpu, cpuid), EINVAL);

	vcpu_run_to_done(vcpu);

	free(cpuid);
	free(init);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	/* A VMM would measure all memory. */
	tdx_measure_memory = true;

	return test_harness_run(argc, argv);
}
