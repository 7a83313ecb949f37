// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a TD, at each stage of its life.
 *
 * User space holds a TD by several file descriptors and mappings.  Each of them
 * keeps the TD alive; when the last one goes, KVM frees the TD's memory and KeyID,
 * in whichever order they go, also when a process is killed.
 *
 * The misc cgroup shows when KVM has freed the KeyID.  If KVM fails to free a page
 * of the TD, it warns in the kernel's log.
 */
#include <signal.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

enum stage {
	CREATED,
	INITIALIZED,
	VCPU_CREATED,
	VCPU_INITIALIZED,
	MEMORY_ADDED,
	FINALIZED,
	RAN,
	SHUT_DOWN,
	DEAD,
};

/*
 * A TD with as little as possible, so that it can be stopped at each stage: one
 * page, which has the reset vector 16 bytes below its end.  The guest is a single
 * instruction: either INT3, for which there is no handler, or a read of GPA 0.
 */
#define RESET_PAGE	0xfffff000ul
#define RESET_OFFSET	0xff0

static const u8 insn_int3[] = { 0xcc };
static const u8 insn_read_0[] = { 0xa1, 0, 0, 0, 0 };

static struct kvm_vcpu *first_vcpu(struct kvm_vm *vm)
{
	return list_first_entry(&vm->vcpus, struct kvm_vcpu, list);
}

static struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, u32 id)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(vm, id);

	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	return vcpu;
}

static struct kvm_vm *create_vm(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	vm_create_irqchip(vm);
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, RESET_PAGE, 0, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, RESET_PAGE, PAGE_SIZE);
	return vm;
}

#define add_code(vm, insn)						\
do {									\
	void *__page = addr_gpa2hva(vm, RESET_PAGE);			\
									\
	memcpy(__page + RESET_OFFSET, insn, sizeof(insn));		\
	tdx_init_mem_region(first_vcpu(vm), RESET_PAGE, PAGE_SIZE);	\
} while (0)

/* GPA 0 is not private: KVM leaves the access to user space. */
static void run_to_memory_fault(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EFAULT);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(vcpu->run->memory_fault.gpa, 0);
}

/* GPA 0 is private but not accepted, and #VE for such an access is disabled. */
static void run_to_death(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EIO);
	TEST_ASSERT(vm_is_dead(vcpu->vm), "The VM is not dead");
}

/* Create a TD and take it to @stage. */
static struct kvm_vm *td_at(enum stage stage)
{
	struct kvm_vm *vm = create_vm();
	struct kvm_tdx_init_vm *init;
	struct kvm_vcpu *vcpu;

	if (stage == CREATED)
		return vm;

	init = tdx_default_init_vm(vm);
	if (stage == DEAD)
		init->attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;
	tdx_init_vm(vm, init);
	free(init);
	if (stage == INITIALIZED)
		return vm;

	vcpu = __vm_vcpu_add(vm, 0);
	if (stage == VCPU_CREATED)
		return vm;

	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	if (stage == VCPU_INITIALIZED)
		return vm;

	if (stage == SHUT_DOWN)
		add_code(vm, insn_int3);
	else
		add_code(vm, insn_read_0);
	if (stage == MEMORY_ADDED)
		return vm;

	tdx_finalize(vm);
	switch (stage) {
	case RAN:
		run_to_memory_fault(vcpu);
		break;
	case SHUT_DOWN:
		vcpu_run(vcpu);
		TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
		break;
	case DEAD:
		vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, 0, 1, 1,
			   KVM_MEM_GUEST_MEMFD, -1, 0);
		vm_mem_set_private(vm, 0, PAGE_SIZE);
		run_to_death(vcpu);
		break;
	default:
		break;
	}
	return vm;
}

/* What user space holds a TD by. */
enum part {
	VM_FD,
	GUEST_MEMFD,
	VCPU_FD,
	VCPU_RUN,	/* mapped from the vCPU's file descriptor */
	VM_STATS_FD,
	VCPU_STATS_FD,
	NR_PARTS
};

/* Close or unmap @part, if this TD has it. */
static void release(struct kvm_vm *vm, enum part part)
{
	struct kvm_vcpu *vcpu = list_empty(&vm->vcpus) ? NULL : first_vcpu(vm);
	struct userspace_mem_region *region;
	int ctr;

	switch (part) {
	case VM_FD:
		kvm_free_fd(vm->fd);
		break;
	case GUEST_MEMFD:
		hash_for_each(vm->regions.slot_hash, ctr, region, slot_node)
			kvm_free_fd(region->region.guest_memfd);
		break;
	case VCPU_FD:
		if (vcpu)
			kvm_free_fd(vcpu->fd);
		break;
	case VCPU_RUN:
		if (vcpu)
			kvm_munmap(vcpu->run, ioctl(vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL));
		break;
	case VM_STATS_FD:
		if (vm->stats.fd >= 0)
			kvm_free_fd(vm->stats.fd);
		break;
	case VCPU_STATS_FD:
		if (vcpu && vcpu->stats.fd >= 0)
			kvm_free_fd(vcpu->stats.fd);
		break;
	default:
		TEST_FAIL("No such part: %d", part);
	}
}

/* The @n-th permutation, from 0, of the first @nr parts. */
static void nth_order(int n, enum part *order, int nr)
{
	for (int i = 0; i < nr; i++)
		order[i] = i;

	for (int i = 0; i < nr; i++) {
		enum part *other = &order[i + n % (nr - i)];
		enum part part = *other;

		*other = order[i];
		order[i] = part;
		n /= nr - i;
	}
}

MISC_CGROUP_SUITE(teardown);

FIXTURE_VARIANT(teardown) {
	enum stage stage;
	int nr_parts;		/* the first so many are released in every order */
};

FIXTURE_VARIANT_ADD(teardown, created) { CREATED, 2 };
FIXTURE_VARIANT_ADD(teardown, initialized) { INITIALIZED, 2 };
FIXTURE_VARIANT_ADD(teardown, vcpu_created) { VCPU_CREATED, 3 };
FIXTURE_VARIANT_ADD(teardown, vcpu_initialized) { VCPU_INITIALIZED, 3 };
FIXTURE_VARIANT_ADD(teardown, memory_added) { MEMORY_ADDED, 3 };
FIXTURE_VARIANT_ADD(teardown, finalized) { FINALIZED, 3 };
FIXTURE_VARIANT_ADD(teardown, ran) { RAN, 4 };
FIXTURE_VARIANT_ADD(teardown, shut_down) { SHUT_DOWN, 3 };
FIXTURE_VARIANT_ADD(teardown, dead) { DEAD, 3 };

TEST_F(teardown, in_every_order)
{
	const s64 charge = variant->stage != CREATED;
	enum part order[NR_PARTS];
	int nr_orders = 1;

	for (int i = 2; i <= variant->nr_parts; i++)
		nr_orders *= i;

	for (int n = 0; n < nr_orders; n++) {
		struct kvm_vm *vm = td_at(variant->stage);

		for (int i = variant->nr_parts; i < NR_PARTS; i++)
			release(vm, i);

		nth_order(n, order, variant->nr_parts);
		for (int i = 0; i < variant->nr_parts; i++) {
			assert_charged(&self->cg, charge);
			release(vm, order[i]);
		}
		assert_charged(&self->cg, 0);
	}
}

TEST_F(teardown, killed)
{
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		td_at(variant->stage);
		raise(SIGKILL);
	}

	TEST_ASSERT_KILLED(pid);
	misc_cgroup_wait_for_no_tds(&self->cg);
}

/*
 * One part is enough to keep the TD.
 */
MISC_CGROUP_SUITE(last_part);

FIXTURE_VARIANT(last_part) {
	enum part part;
};

FIXTURE_VARIANT_ADD(last_part, vm_fd) { VM_FD };
FIXTURE_VARIANT_ADD(last_part, guest_memfd) { GUEST_MEMFD };
FIXTURE_VARIANT_ADD(last_part, vcpu_fd) { VCPU_FD };
FIXTURE_VARIANT_ADD(last_part, vcpu_run) { VCPU_RUN };
FIXTURE_VARIANT_ADD(last_part, vm_stats_fd) { VM_STATS_FD };
FIXTURE_VARIANT_ADD(last_part, vcpu_stats_fd) { VCPU_STATS_FD };

TEST_F(last_part, keeps_the_td)
{
	struct kvm_vm *vm = td_at(RAN);

	if (vm->stats.fd < 0)
		SKIP(return, "needs KVM_CAP_BINARY_STATS_FD");

	for (int i = 0; i < NR_PARTS; i++)
		if (i != variant->part)
			release(vm, i);
	assert_charged(&self->cg, 1);
	release(vm, variant->part);
	assert_charged(&self->cg, 0);
}

/*
 * A part of the TD works without the others.
 */
MISC_CGROUP_SUITE(parts);

TEST_F(parts, vcpu_runs_without_vm_fd)
{
	struct kvm_vm *vm = td_at(FINALIZED);

	release(vm, VM_FD);
	for (int i = 0; i < 2; i++)
		run_to_memory_fault(first_vcpu(vm));
}

TEST_F(parts, launch_without_vcpu_run)
{
	struct kvm_vm *vm = td_at(VCPU_INITIALIZED);

	release(vm, VCPU_RUN);
	add_code(vm, insn_int3);
	tdx_finalize(vm);
	TEST_ASSERT_EQ(ioctl(first_vcpu(vm)->fd, KVM_RUN, NULL), 0);
}

/* Without guest_memfd there is no private memory, and KVM exits for the first page. */
TEST_F(parts, run_without_guest_memfd)
{
	struct kvm_vm *vm = td_at(FINALIZED);
	struct kvm_vcpu *vcpu = first_vcpu(vm);

	release(vm, GUEST_MEMFD);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EFAULT);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(vcpu->run->memory_fault.gpa, RESET_PAGE);
}

TEST_F(parts, vcpus_go_one_by_one)
{
	struct kvm_vm *vm = create_vm();
	struct kvm_vcpu *vcpu;

	if (vm_check_cap(vm, KVM_CAP_MAX_VCPUS) < 3)
		SKIP(return, "needs 3 host CPUs");

	/* One that has run, one that could run, and one that isn't initialized. */
	tdx_init_vm(vm, NULL);
	add_vcpu(vm, 0);
	vcpu = add_vcpu(vm, 1);
	add_code(vm, insn_int3);
	__vm_vcpu_add(vm, 2);
	tdx_finalize(vm);
	vcpu_run(vcpu);

	release(vm, VM_FD);
	release(vm, GUEST_MEMFD);
	release(vm, VM_STATS_FD);
	for (int i = 0; i < 3; i++) {
		assert_charged(&self->cg, 1);
		release(vm, VCPU_FD);
		release(vm, VCPU_STATS_FD);
		release(vm, VCPU_RUN);
		list_del(&first_vcpu(vm)->list);
	}
	assert_charged(&self->cg, 0);
}

/* KVM has already cleaned up when the TDX module refused the TD. */
TEST_F(parts, init_vm_failed)
{
	struct kvm_vm *vm = create_vm();
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	u64 hw_error = 0;

	/* There is no leaf whose bits are all configurable. */
	memset(&init->cpuid.entries[0].eax, 0xff, 4 * sizeof(u32));
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, &hw_error), EINVAL);
	TEST_ASSERT(hw_error, "KVM refused the parameters, not the TDX module");
	kvm_vm_free(vm);
	assert_charged(&self->cg, 0);
	free(init);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
