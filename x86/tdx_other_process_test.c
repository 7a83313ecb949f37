// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's file descriptors in another process.
 *
 * A VM belongs to the memory of the process that created it.  KVM refuses every
 * ioctl on it, or on its vCPUs, from any other process with EIO.  A child that has
 * inherited the file descriptors keeps the TD alive, but can neither use nor harm
 * it.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* For KVM_TDX_INIT_MEM_REGION. */
#define SLOT	10
#define GPA	0x100000000ul

static void guest_counts(void)
{
	for (int i = 0; ; i++)
		GUEST_SYNC(i);
}

/* A TD with one vCPU that is ready to be launched. */
static struct kvm_vcpu *create_td(void)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, GPA, PAGE_SIZE);
	return vm_vcpu_add(vm, 0, guest_counts);
}

FIXTURE(other_process) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(other_process)
{
	self->vcpu = create_td();
	self->vm = self->vcpu->vm;
}

FIXTURE_TEARDOWN(other_process)
{
	kvm_vm_free(self->vm);
}

/* Run @statement in a child.  If it fails there, the test fails. */
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

/* The TD can still be launched and run. */
static void assert_unharmed(struct kvm_vcpu *vcpu)
{
	tdx_vm_finalize(vcpu->vm);
	vcpu_run_to_sync(vcpu, 0);
}

static void assert_vm_unusable(struct kvm_vm *vm)
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

TEST_F(other_process, vm_ioctls_refused)
{
	in_child(assert_vm_unusable(self->vm));
	assert_unharmed(self->vcpu);
}

static void assert_vcpu_unusable(struct kvm_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)vcpu->run,
		.gpa = GPA,
		.nr_pages = 1,
	};

	TEST_ASSERT_FAILS(__tdx_init_vcpu(vcpu, 0, NULL), EIO);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(vcpu, 0, &region, NULL), EIO);
	TEST_ASSERT_EQ(region.nr_pages, 1);
	TEST_ASSERT_FAILS(__tdx_get_cpuid(vcpu, cpuid), EIO);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EIO);
}

TEST_F(other_process, vcpu_ioctls_refused)
{
	in_child(assert_vcpu_unusable(self->vcpu));
	assert_unharmed(self->vcpu);
}

TEST_F(other_process, running_vcpu_refused)
{
	assert_unharmed(self->vcpu);
	in_child(TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EIO));
	vcpu_run_to_sync(self->vcpu, 1);
}

/* The file descriptors that a child inherits are its own to close. */
TEST_F(other_process, child_closes_its_copies)
{
	in_child(kvm_vm_free(self->vm));
	in_child(kvm_free_fd(self->vm->fd));
	assert_unharmed(self->vcpu);
}

MISC_CGROUP_SUITE(inherited);

/* Keep the TD until all others have closed the pipe's other end. */
static void keep_until_closed(struct kvm_vm *vm, int fds[2])
{
	char c;

	close(fds[1]);
	TEST_ASSERT_EQ(read(fds[0], &c, 1), 0);
	assert_vm_unusable(vm);
	_exit(0);
}

/* The child that inherits the TD can only end it. */
TEST_F(inherited, creator_killed)
{
	int fds[2], status;
	pid_t pid;

	/* Become the parent of the creator's child when the creator dies. */
	TEST_ASSERT(!prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl() failed, errno %d", errno);
	TEST_ASSERT(!pipe(fds), "pipe() failed, errno %d", errno);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
	if (!pid) {
		struct kvm_vcpu *vcpu = create_td();

		tdx_vm_finalize(vcpu->vm);
		vcpu_run_to_sync(vcpu, 0);
		pid = fork();
		TEST_ASSERT(pid >= 0, "fork() failed, errno %d", errno);
		if (!pid)
			keep_until_closed(vcpu->vm, fds);
		raise(SIGKILL);
	}

	TEST_ASSERT_KILLED(pid);
	assert_charged(&self->cg, 1);

	close(fds[1]);
	TEST_ASSERT(waitpid(-1, &status, 0) > 0, "No child left, errno %d", errno);
	TEST_ASSERT_EQ(status, 0);
	misc_cgroup_wait_for_no_tds(&self->cg);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
