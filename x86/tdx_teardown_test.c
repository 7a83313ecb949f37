// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a TD, at each stage of its life and in each way.
 *
 * A TD lives as long as anybody has hold of any part of it, by a file descriptor
 * or a mapping, and no longer: when the last part goes, its KeyID is free, and so
 * is its memory.  For that KVM has to unwind what is there by then, whichever
 * part is the last to go and whoever lets go of it, a process that was killed
 * included.
 *
 * The account of a misc cgroup shows when KVM has given the KeyID back.  What it
 * could not unwind it complains about in the kernel's log.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/held_region.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/generic/vcpu_thread.h"

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
 * A small TD: the page with the reset vector, 16 bytes below its end, in slot 0.
 * Its code is no more than one instruction: an exception, for which there is no
 * handler; a read of GPA 0; or a jump to itself.
 */
#define RESET_PAGE	0xfffff000ul
#define RESET_OFFSET	0xff0

static const u8 insn_int3[] = { 0xcc };
static const u8 insn_read_0[] = { 0xa1, 0, 0, 0, 0 };
static const u8 insn_jmp_self[] = { 0xeb, 0xfe };

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

/* GPA 0 is not private, and KVM leaves it to user space what that means. */
static void run_to_memory_fault(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EFAULT);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(vcpu->run->memory_fault.gpa, 0);
}

/* GPA 0 is private, not accepted, and the guest wants no #VE for that. */
static void run_to_death(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EIO);
	TEST_ASSERT_FAILS(__vm_ioctl(vcpu->vm, KVM_CHECK_EXTENSION,
				     (void *)KVM_CAP_NR_VCPUS), EIO);
}

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

/*
 * The parts by which user space has hold of a TD.  KVM's statistics are more
 * such parts, see below.
 */
enum part {
	VM_FD,
	GUEST_MEMFD,
	VCPU_FD,
	VCPU_RUN,	/* mapped from the vCPU's file descriptor */
	VM_STATS_FD,
	VCPU_STATS_FD,
	NR_PARTS
};

static void let_go(struct kvm_vm *vm, enum part part)
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
		TEST_FAIL("There is no part %d", part);
	}
}

/* The @n-th of all orders of the first @nr parts, counted from 0. */
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

/* Far more than any machine needs: to wait for that long is to fail. */
#define TD_END_TIMEOUT_S	10

/*
 * Wait for the TD of a process that has ended.  If another looks at that one in
 * /proc just then, it is the last to have its memory, and so the vCPUs' run pages.
 */
static void wait_for_td_to_end(const struct misc_cgroup *cg)
{
	const time_t deadline = time(NULL) + TD_END_TIMEOUT_S;

	while (misc_cgroup_tds(cg) == 1 && time(NULL) < deadline)
		sched_yield();
}

FIXTURE(teardown) {
	struct misc_cgroup cg;
};

FIXTURE_VARIANT(teardown) {
	enum stage stage;
	int nr_parts;		/* of which all orders are tried */
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

static void setup_cgroup(struct __test_metadata *_metadata, struct misc_cgroup *cg)
{
	if (!misc_cgroup_create(cg, "a"))
		SKIP(return, "needs the misc controller, and root");
	misc_cgroup_enter(cg);
}

FIXTURE_SETUP(teardown)
{
	setup_cgroup(_metadata, &self->cg);
}

FIXTURE_TEARDOWN_PARENT(teardown)
{
	misc_cgroup_destroy(&self->cg);
}

TEST_F(teardown, in_every_order)
{
	const s64 charge = variant->stage != CREATED;
	enum part order[NR_PARTS];
	int nr_orders = 1;

	for (int i = 2; i <= variant->nr_parts; i++)
		nr_orders *= i;

	for (int n = 0; n < nr_orders; n++) {
		struct kvm_vm *vm = td_at(variant->stage);

		/* First those whose order is not the subject. */
		for (int i = variant->nr_parts; i < NR_PARTS; i++)
			let_go(vm, i);

		nth_order(n, order, variant->nr_parts);
		for (int i = 0; i < variant->nr_parts; i++) {
			assert_charged(&self->cg, charge);
			let_go(vm, order[i]);
		}
		assert_charged(&self->cg, 0);
	}
}

TEST_F(teardown, killed)
{
	int status;
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		td_at(variant->stage);
		raise(SIGKILL);
	}

	TEST_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		    "Wanted the child killed, got status 0x%x", status);
	wait_for_td_to_end(&self->cg);
	assert_charged(&self->cg, 0);
}

/*
 * Each part alone keeps the TD.
 */
FIXTURE(last_part) {
	struct misc_cgroup cg;
};

FIXTURE_VARIANT(last_part) {
	enum part part;
};

FIXTURE_VARIANT_ADD(last_part, vm_fd) { VM_FD };
FIXTURE_VARIANT_ADD(last_part, guest_memfd) { GUEST_MEMFD };
FIXTURE_VARIANT_ADD(last_part, vcpu_fd) { VCPU_FD };
FIXTURE_VARIANT_ADD(last_part, vcpu_run) { VCPU_RUN };
FIXTURE_VARIANT_ADD(last_part, vm_stats_fd) { VM_STATS_FD };
FIXTURE_VARIANT_ADD(last_part, vcpu_stats_fd) { VCPU_STATS_FD };

FIXTURE_SETUP(last_part)
{
	setup_cgroup(_metadata, &self->cg);
}

FIXTURE_TEARDOWN_PARENT(last_part)
{
	misc_cgroup_destroy(&self->cg);
}

TEST_F(last_part, keeps_the_td)
{
	struct kvm_vm *vm = td_at(RAN);

	if (vm->stats.fd < 0)
		SKIP(return, "needs KVM_CAP_BINARY_STATS_FD");

	for (int i = 0; i < NR_PARTS; i++)
		if (i != variant->part)
			let_go(vm, i);
	assert_charged(&self->cg, 1);
	let_go(vm, variant->part);
	assert_charged(&self->cg, 0);
}

/*
 * What works with a part of the TD, works without the others.
 */
FIXTURE(parts) {
	struct misc_cgroup cg;
};

FIXTURE_SETUP(parts)
{
	setup_cgroup(_metadata, &self->cg);
}

FIXTURE_TEARDOWN_PARENT(parts)
{
	misc_cgroup_destroy(&self->cg);
}

TEST_F(parts, vcpu_runs_without_vm_fd)
{
	struct kvm_vm *vm = td_at(FINALIZED);

	let_go(vm, VM_FD);
	for (int i = 0; i < 2; i++)
		run_to_memory_fault(first_vcpu(vm));
}

TEST_F(parts, launch_without_vcpu_run)
{
	struct kvm_vm *vm = td_at(VCPU_INITIALIZED);

	let_go(vm, VCPU_RUN);
	add_code(vm, insn_int3);
	tdx_finalize(vm);
	TEST_ASSERT_EQ(ioctl(first_vcpu(vm)->fd, KVM_RUN, NULL), 0);
}

/* The TD's memory goes with guest_memfd, and it is for user space to tell. */
TEST_F(parts, run_without_guest_memfd)
{
	struct kvm_vm *vm = td_at(FINALIZED);
	struct kvm_vcpu *vcpu = first_vcpu(vm);

	let_go(vm, GUEST_MEMFD);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EFAULT);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(vcpu->run->memory_fault.gpa, RESET_PAGE);
}

TEST_F(parts, vcpus_one_by_one)
{
	struct kvm_vm *vm = create_vm();
	struct kvm_vcpu *vcpu;

	if (vm_check_cap(vm, KVM_CAP_MAX_VCPUS) < 3)
		SKIP(return, "needs 3 host CPUs");

	/* One each that ran, that could run, and that is not initialised. */
	tdx_init_vm(vm, NULL);
	add_vcpu(vm, 0);
	vcpu = add_vcpu(vm, 1);
	add_code(vm, insn_int3);
	__vm_vcpu_add(vm, 2);
	tdx_finalize(vm);
	vcpu_run(vcpu);

	let_go(vm, VM_FD);
	let_go(vm, GUEST_MEMFD);
	let_go(vm, VM_STATS_FD);
	for (int i = 0; i < 3; i++) {
		assert_charged(&self->cg, 1);
		let_go(vm, VCPU_FD);
		let_go(vm, VCPU_STATS_FD);
		let_go(vm, VCPU_RUN);
		list_del(&first_vcpu(vm)->list);
	}
	assert_charged(&self->cg, 0);
}

/* The TDX module has refused the TD, and KVM has unwound a part already. */
TEST_F(parts, init_vm_failed)
{
	struct kvm_vm *vm = create_vm();
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	u64 hw_error = 0;

	/* No module takes all bits of a leaf from the VMM. */
	memset(&init->cpuid.entries[0].eax, 0xff, 4 * sizeof(u32));
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, &hw_error), EINVAL);
	TEST_ASSERT(hw_error, "It was KVM that refused the parameters");
	kvm_vm_free(vm);
	assert_charged(&self->cg, 0);
	free(init);
}

/*
 * Killed in the middle of something.
 */

static void *kill_when_running(void *arg)
{
	struct kvm_vcpu *vcpu = arg;

	/* In a loop without end the host's interrupts are all that exits. */
	while (vcpu_get_stat(vcpu, exits) < 3)
		sched_yield();
	kill(getpid(), SIGKILL);
	return NULL;
}

static void *kill_when_asleep(void *arg)
{
	vcpu_wait_until_asleep(arg);
	kill(getpid(), SIGKILL);
	return NULL;
}

static void run_and_be_killed(struct kvm_vcpu *vcpu, void *(*killer)(void *))
{
	pthread_t thread;

	TEST_ASSERT_EQ(pthread_create(&thread, NULL, killer, vcpu), 0);
	vcpu_run(vcpu);
	TEST_FAIL("KVM_RUN came back with %s", exit_reason_str(vcpu->run->exit_reason));
}

static void killed_running(void)
{
	struct kvm_vm *vm = td_at(VCPU_INITIALIZED);

	add_code(vm, insn_jmp_self);
	tdx_finalize(vm);
	run_and_be_killed(first_vcpu(vm), kill_when_running);
}

static void killed_with_two_vcpus_running(void)
{
	struct kvm_vm *vm = td_at(VCPU_INITIALIZED);
	struct kvm_vcpu *vcpu = first_vcpu(vm);
	struct vcpu_thread thread;

	add_vcpu(vm, 1);
	add_code(vm, insn_jmp_self);
	tdx_finalize(vm);
	vcpu_thread_start(&thread, vcpu);
	while (vcpu_get_stat(vcpu, exits) < 3)
		sched_yield();
	run_and_be_killed(first_vcpu(vm), kill_when_running);
}

static void guest_hlt(void)
{
	tdvmcall_hlt(0);
	GUEST_DONE();
}

static void killed_halted(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_hlt);
	run_and_be_killed(vcpu, kill_when_asleep);
}

static void killed_adding_memory(void)
{
	struct kvm_vm *vm = td_at(VCPU_INITIALIZED);
	struct held_region held = {
		.vcpu = first_vcpu(vm),
		.region.gpa = RESET_PAGE - PAGE_SIZE,
		.region.nr_pages = 2,
	};

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, RESET_PAGE - PAGE_SIZE, 1, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, RESET_PAGE - PAGE_SIZE, PAGE_SIZE);
	held.region.source_addr = (u64)test_alloc_before_hole(2 * PAGE_SIZE);
	TEST_ASSERT(hold_region(&held, 1), "No userfaultfd, errno %d", errno);
	kill(getpid(), SIGKILL);
}

FIXTURE(killed) {
	struct misc_cgroup cg;
};

FIXTURE_VARIANT(killed) {
	void (*child)(void);
	bool needs_userfaultfd;
	u32 nr_vcpus;
};

FIXTURE_VARIANT_ADD(killed, running) { killed_running };
FIXTURE_VARIANT_ADD(killed, with_two_vcpus_running) {
	killed_with_two_vcpus_running,
	.nr_vcpus = 2,
};
FIXTURE_VARIANT_ADD(killed, halted) { killed_halted };
FIXTURE_VARIANT_ADD(killed, adding_memory) {
	killed_adding_memory,
	.needs_userfaultfd = true,
};

FIXTURE_SETUP(killed)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	u32 max_vcpus = vm_check_cap(vm, KVM_CAP_MAX_VCPUS);
	struct held_page held;
	void *page;

	kvm_vm_free(vm);
	if (max_vcpus < variant->nr_vcpus)
		SKIP(return, "needs %u host CPUs", variant->nr_vcpus);

	page = test_alloc_before_hole(PAGE_SIZE);
	if (variant->needs_userfaultfd && !hold_page(&held, page))
		SKIP(return, "needs userfaultfd");

	setup_cgroup(_metadata, &self->cg);
}

FIXTURE_TEARDOWN_PARENT(killed)
{
	misc_cgroup_destroy(&self->cg);
}

TEST_F(killed, gives_all_back)
{
	int status;
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		variant->child();
		_exit(0);
	}

	TEST_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		    "Wanted the child killed, got status 0x%x", status);
	wait_for_td_to_end(&self->cg);
	assert_charged(&self->cg, 0);
}

/*
 * Another process.  A TD belongs to the memory of the process that created it,
 * so that a child may have hold of it, and no more.
 */
FIXTURE(other_process) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(other_process)
{
	self->vm = td_at(VCPU_INITIALIZED);
	self->vcpu = first_vcpu(self->vm);
}

FIXTURE_TEARDOWN(other_process)
{
	kvm_vm_free(self->vm);
}

/* Run @statement in a child, and have the test fail if it does there. */
#define in_child(statement)						\
do {									\
	int __status;							\
	pid_t __pid = fork();						\
									\
	TEST_ASSERT(__pid >= 0, "fork() failed, errno %d", errno);	\
	if (!__pid) {							\
		statement;						\
		_exit(0);						\
	}								\
	TEST_ASSERT_EQ(waitpid(__pid, &__status, 0), __pid);		\
	TEST_ASSERT_EQ(__status, 0);					\
} while (0)

#define assert_unharmed(self)						\
do {									\
	add_code((self)->vm, insn_read_0);				\
	tdx_finalize((self)->vm);					\
	run_to_memory_fault((self)->vcpu);				\
} while (0)

static void use_vm(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities caps = {};
	struct kvm_tdx_init_vm init = {};

	TEST_ASSERT_FAILS(__tdx_capabilities(vm, &caps), EIO);
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, &init, NULL), EIO);
	TEST_ASSERT_FAILS(__tdx_finalize(vm, NULL), EIO);
	TEST_ASSERT_FAILS(__vm_ioctl(vm, KVM_CREATE_VCPU, (void *)1), EIO);
	TEST_ASSERT_FAILS(__vm_ioctl(vm, KVM_CHECK_EXTENSION,
				     (void *)KVM_CAP_NR_VCPUS), EIO);
}

TEST_F(other_process, vm_fd)
{
	in_child(use_vm(self->vm));
	assert_unharmed(self);
}

static void use_vcpu(struct kvm_vcpu *vcpu)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)vcpu->run,
		.gpa = RESET_PAGE,
		.nr_pages = 1,
	};
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);

	TEST_ASSERT_FAILS(__tdx_init_vcpu(vcpu, 0, NULL), EIO);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, &region, NULL), EIO);
	TEST_ASSERT_EQ(region.nr_pages, 1);
	TEST_ASSERT_FAILS(__tdx_get_cpuid(vcpu, cpuid), EIO);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EIO);
}

TEST_F(other_process, vcpu_fd)
{
	in_child(use_vcpu(self->vcpu));
	assert_unharmed(self);
}

TEST_F(other_process, vcpu_fd_of_running_td)
{
	assert_unharmed(self);
	in_child(TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EIO));
	run_to_memory_fault(self->vcpu);
}

/* What a child gets by fork() it may also give up, or not. */
TEST_F(other_process, child_exits)
{
	in_child(kvm_vm_free(self->vm));
	in_child(let_go(self->vm, VM_FD));
	assert_unharmed(self);
}

FIXTURE(inherited) {
	struct misc_cgroup cg;
};

FIXTURE_SETUP(inherited)
{
	setup_cgroup(_metadata, &self->cg);
}

FIXTURE_TEARDOWN_PARENT(inherited)
{
	misc_cgroup_destroy(&self->cg);
}

/* Keep the TD until everybody else has closed the pipe's other end. */
static void keep_until_closed(struct kvm_vm *vm, int fds[2])
{
	char c;

	close(fds[1]);
	TEST_ASSERT_EQ(read(fds[0], &c, 1), 0);
	use_vm(vm);
	_exit(0);
}

/*
 * The creator dies and leaves the TD to its child, which can do nothing with it
 * but end it.
 */
TEST_F(inherited, creator_killed)
{
	int fds[2], status;
	pid_t pid;

	/* The test inherits the child. */
	TEST_ASSERT(!prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl() failed, errno %d", errno);
	TEST_ASSERT(!pipe(fds), "pipe() failed, errno %d", errno);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		struct kvm_vm *vm = td_at(RAN);

		pid = fork();
		TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
		if (!pid)
			keep_until_closed(vm, fds);
		raise(SIGKILL);
	}

	TEST_ASSERT_EQ(waitpid(pid, &status, 0), pid);
	TEST_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		    "Wanted the creator killed, got status 0x%x", status);
	assert_charged(&self->cg, 1);

	close(fds[1]);
	TEST_ASSERT(waitpid(-1, &status, 0) > 0, "No heir, errno %d", errno);
	TEST_ASSERT_EQ(status, 0);
	wait_for_td_to_end(&self->cg);
	assert_charged(&self->cg, 0);
}

/*
 * A TD's context is not to be had from another VM.
 */
FIXTURE(context) {
	struct kvm_vm *vm;
};

FIXTURE_SETUP(context)
{
	self->vm = td_at(VCPU_INITIALIZED);
}

FIXTURE_TEARDOWN(context)
{
	kvm_vm_free(self->vm);
}

static void assert_no_context(struct kvm_vm *td, u32 cap)
{
	struct kvm_vm *vms[] = {
		____vm_create(VM_SHAPE_TDX),
		td_at(INITIALIZED),
		____vm_create(VM_SHAPE_DEFAULT),
	};

	for (int i = 0; i < ARRAY_SIZE(vms); i++) {
		struct kvm_enable_cap enable = { .cap = cap };

		enable.args[0] = td->fd;
		TEST_ASSERT_FAILS(__vm_ioctl(vms[i], KVM_ENABLE_CAP, &enable), EINVAL);
		enable.args[0] = vms[i]->fd;
		TEST_ASSERT_FAILS(__vm_ioctl(td, KVM_ENABLE_CAP, &enable), EINVAL);
		kvm_vm_free(vms[i]);
	}

	add_code(td, insn_read_0);
	tdx_finalize(td);
	run_to_memory_fault(first_vcpu(td));
}

TEST_F(context, moved)
{
	assert_no_context(self->vm, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM);
}

TEST_F(context, copied)
{
	assert_no_context(self->vm, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
