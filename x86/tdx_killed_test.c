// SPDX-License-Identifier: GPL-2.0
/*
 * A process that is killed while KVM is at work for its TD.
 *
 * KVM has to get out of what it is doing, whether it runs vCPUs, has one asleep or
 * is in the middle of a command or waits for its turn, and has to free the TD with all
 * its memory and its KeyID.  What happens to a TD that is idle is for tdx_teardown_test.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/generic/vcpu_thread.h"
#include "tdx/held_region.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define SLOT	10
#define GPA	0x100000000ul

static void guest_spin(void)
{
	for (;;)
		cpu_relax();
}

static void guest_hlt(void)
{
	tdvmcall_hlt(0);
	GUEST_DONE();
}

/* A guest that spins exits only for the host's interrupts. */
static void wait_until_running(struct kvm_vcpu *vcpu)
{
	while (vcpu_get_stat(vcpu, exits) < 3)
		sched_yield();
}

static void *kill_when_running(void *vcpu)
{
	wait_until_running(vcpu);
	kill(getpid(), SIGKILL);
	return NULL;
}

static void *kill_when_asleep(void *vcpu)
{
	vcpu_wait_until_asleep(vcpu);
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

static void one_vcpu_running(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_spin);
	run_and_be_killed(vcpu, kill_when_running);
}

static void two_vcpus_running(void)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 0);
	struct kvm_vcpu *vcpu[2];
	struct vcpu_thread thread;

	tdx_vm_launch_two(vm, vcpu, guest_spin, guest_spin);
	vcpu_thread_start(&thread, vcpu[0]);
	wait_until_running(vcpu[0]);
	run_and_be_killed(vcpu[1], kill_when_running);
}

static void vcpu_halted(void)
{
	struct kvm_vcpu *vcpu;

	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_hlt);
	run_and_be_killed(vcpu, kill_when_asleep);
}

/* One page is added, and KVM waits for the second page of the source. */
static void adding_memory(void)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct held_region held = {
		.vcpu = vm_vcpu_add(vm, 0, guest_hlt),
		.region.gpa = GPA,
		.region.nr_pages = 2,
	};

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 2, KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, GPA, 2 * PAGE_SIZE);
	held.region.source_addr = (u64)test_alloc_before_hole(2 * PAGE_SIZE);
	TEST_ASSERT(hold_region(&held, 1), "No userfaultfd, errno %d", errno);
	kill(getpid(), SIGKILL);
}

FIXTURE(killed_with) {
	struct misc_cgroup cg;
};

FIXTURE_VARIANT(killed_with) {
	void (*child)(void);
	bool needs_userfaultfd;
	bool needs_two_cpus;
};

FIXTURE_VARIANT_ADD(killed_with, one_vcpu_running) {
	.child = one_vcpu_running,
};

FIXTURE_VARIANT_ADD(killed_with, two_vcpus_running) {
	.child = two_vcpus_running,
	.needs_two_cpus = true,
};

FIXTURE_VARIANT_ADD(killed_with, vcpu_halted) {
	.child = vcpu_halted,
};

FIXTURE_VARIANT_ADD(killed_with, memory_being_added) {
	.child = adding_memory,
	.needs_userfaultfd = true,
};

FIXTURE_SETUP(killed_with)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	bool two_cpus = has_two_cpus(vm);
	struct held_page held;
	void *page;

	kvm_vm_free(vm);
	if (variant->needs_two_cpus && !two_cpus)
		SKIP(return, NEEDS_TWO_CPUS);

	page = test_alloc_before_hole(PAGE_SIZE);
	if (variant->needs_userfaultfd && !hold_page(&held, page))
		SKIP(return, "needs userfaultfd");

	if (!misc_cgroup_create(&self->cg, "a"))
		SKIP(return, NEEDS_MISC_CGROUP);
	misc_cgroup_enter(&self->cg);
}

FIXTURE_TEARDOWN_PARENT(killed_with)
{
	misc_cgroup_destroy(&self->cg);
}

TEST_F(killed_with, td_is_freed)
{
	pid_t pid;

	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		variant->child();
		_exit(0);
	}

	TEST_ASSERT_KILLED(pid);
	misc_cgroup_wait_for_no_tds(&self->cg);
}

/*
 * Only one process of two that have the TD is killed.
 */

#define STACK_SIZE	(16 * PAGE_SIZE)

/* Start a process that shares this one's memory, as KVM demands, but is no thread of it. */
static pid_t start_beside(int (*function)(void *), void *arg, char *stack)
{
	pid_t pid = clone(function, stack + STACK_SIZE, CLONE_VM | CLONE_FILES | SIGCHLD, arg);

	TEST_ASSERT(pid > 0, __KVM_SYSCALL_ERROR("clone()", pid));
	return pid;
}

/*
 * A process that waits for a TD's vCPUs.  KVM's commands lock all of them, so they wait
 * as long as one is in KVM_RUN.
 */

TDX_IRQ_FIXTURE(waiter);

FIXTURE_VARIANT(waiter) {
	u32 command;
	bool of_vcpu;
};

FIXTURE_VARIANT_ADD(waiter, init_vm) { KVM_TDX_INIT_VM };
FIXTURE_VARIANT_ADD(waiter, finalize) { KVM_TDX_FINALIZE_VM };
FIXTURE_VARIANT_ADD(waiter, init_vcpu) { KVM_TDX_INIT_VCPU, true };
FIXTURE_VARIANT_ADD(waiter, init_mem_region) { KVM_TDX_INIT_MEM_REGION, true };

struct command {
	int fd;
	struct kvm_tdx_cmd cmd;
};

static int run_command(void *arg)
{
	struct command *c = arg;

	/* Not the lib's ioctl(), which would leave its errno to the other process. */
	syscall(SYS_ioctl, c->fd, KVM_MEMORY_ENCRYPT_OP, &c->cmd);
	return 0;
}

/* Wait until @pid sleeps so that only what kills it can wake it. */
static void wait_until_killable(pid_t pid)
{
	char path[32], stat[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	do {
		sched_yield();
		fd = open(path, O_RDONLY);
		TEST_ASSERT(fd >= 0, __KVM_SYSCALL_ERROR("open()", fd));
		TEST_ASSERT(read(fd, stat, sizeof(stat)) == sizeof(stat), "Short %s", path);
		close(fd);
	} while (!memmem(stat, sizeof(stat), ") D ", 4));
}

FIXTURE_SETUP(waiter)
{
	tdx_irq_td_create(&self->td);
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);
	tdx_vm_launch_two(self->td.vm, self->td.vcpu, tdx_guest_spin, tdx_guest_spin);
}

TEST_F(waiter, disturbs_nobody)
{
	struct tdx_irq_td *td = &self->td;
	struct command c = {
		.fd = variant->of_vcpu ? td->vcpu[0]->fd : td->vm->fd,
		.cmd.id = variant->command,
	};
	char *stack = malloc(STACK_SIZE);
	struct vcpu_thread t;
	pid_t pid;

	/* The first vCPU is locked when it has to wait for the second. */
	vcpu_thread_start(&t, td->vcpu[1]);
	wait_for_guest(&td->shared->here, 1);
	pid = start_beside(run_command, &c, stack);
	wait_until_killable(pid);
	TEST_ASSERT_EQ(kill(pid, SIGKILL), 0);
	TEST_ASSERT_KILLED(pid);

	/* The vCPU runs on, and the others' locks are free. */
	WRITE_ONCE(td->shared->go, 1);
	tdx_join_with_ucall(&t, UCALL_DONE);
	vcpu_run_to_done(td->vcpu[0]);
	TEST_ASSERT_EQ(td->shared->progress, 4);
	TEST_ASSERT_EQ(run_command(&c), 0);
	free(stack);
}

/*
 * A process that converts much memory.  KVM visits each page, which with all that there
 * may be takes longer than any host is up.
 */
TDX_MEMORY_SUITE(converter);

#define RANGE_SIZE	(1ul << 28)
#define FIRST_GPA	GMEM_GPA
#define LAST_GPA	(GMEM_GPA + RANGE_SIZE - PAGE_SIZE)
#define LAST_SLOT	12

struct conversion {
	int fd;
	bool begins, ended;
};

static int make_all_shared(void *arg)
{
	struct kvm_memory_attributes to_shared = { .address = GMEM_GPA, .size = RANGE_SIZE };
	struct conversion *c = arg;

	WRITE_ONCE(c->begins, true);
	syscall(SYS_ioctl, c->fd, KVM_SET_MEMORY_ATTRIBUTES, &to_shared);
	WRITE_ONCE(c->ended, true);
	return 0;
}

/* If it isn't, the guest waits for user space to make it private. */
static bool is_private(struct tdx_guest *guest, gpa_t gpa)
{
	if (!__tdx_guest_do(guest, TDX_GUEST_ACCEPT, gpa, 0))
		return true;
	TEST_ASSERT_EQ(errno, EFAULT);
	TEST_ASSERT_MEMORY_FAULT(guest, gpa, PRIVATE);
	return false;
}

TEST_F(converter, stops)
{
	bool goes_on;
	char *stack;
	pid_t pid;

	/* Or the signal would wait until the scheduler stops the other process. */
	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	stack = malloc(STACK_SIZE);
	vm_mem_add(self->vm, VM_MEM_SRC_ANONYMOUS, LAST_GPA, LAST_SLOT, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	for (;;) {
		struct conversion c = { .fd = self->vm->fd };

		vm_mem_set_private(self->vm, FIRST_GPA, PAGE_SIZE);
		vm_mem_set_private(self->vm, LAST_GPA, PAGE_SIZE);
		pid = start_beside(make_all_shared, &c, stack);
		while (!READ_ONCE(c.begins))
			sched_yield();
		TEST_ASSERT_EQ(kill(pid, SIGKILL), 0);
		TEST_ASSERT_EQ(waitpid(pid, NULL, 0), pid);

		/* The signal may have come too late, or before KVM had the call. */
		if (c.ended)
			continue;
		goes_on = !is_private(&self->guest, LAST_GPA);
		if (goes_on || !is_private(&self->guest, FIRST_GPA))
			break;
	}
	free(stack);

	vm_mem_set_private(self->vm, goes_on ? LAST_GPA : FIRST_GPA, PAGE_SIZE);
	tdx_guest_finish(&self->guest);
	if (goes_on)
		XFAIL(return, "KVM goes on converting memory for a process that is killed");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
