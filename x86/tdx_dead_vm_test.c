// SPDX-License-Identifier: GPL-2.0
/*
 * A TD that KVM has declared dead.
 *
 * When a TD can't be trusted to be what it was, KVM lets none of its vCPUs run
 * again and refuses each of its ioctls with EIO, but it can still be torn down.
 *
 * Here the TD dies because its guest accesses a private page that it hasn't
 * accepted, and has asked for no #VE in that case (SEPT_VE_DISABLE).
 */
#include <sys/eventfd.h>

#include "tdx/keyids.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

/* Two pages: private, and neither added nor accepted. */
#define UNACCEPTED_GPA	(4ul << 30)
#define UNACCEPTED_SLOT	10

TDX_IRQ_FIXTURE(dead);

static void mortal_td_create(struct tdx_irq_td *td)
{
	struct kvm_tdx_init_vm *init;

	tdx_irq_td_create(td);
	init = tdx_default_init_vm(td->vm);
	init->attributes |= TDX_TD_ATTR_SEPT_VE_DISABLE;
	tdx_init_vm(td->vm, init);
	free(init);

	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, UNACCEPTED_GPA,
				    UNACCEPTED_SLOT, 2, KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(td->vm, UNACCEPTED_GPA, 2 * PAGE_SIZE);
	tdx_map_both(td->vm, UNACCEPTED_GPA, 2);
}

FIXTURE_SETUP(dead)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	if (!has_sept_ve_disable(vm))
		SKIP(return, NEEDS_SEPT_VE_DISABLE);
	if (!has_two_cpus(vm))
		SKIP(return, NEEDS_TWO_CPUS);

	kvm_vm_free(vm);
	mortal_td_create(&self->td);
}

static void guest_unaccepted(void)
{
	tdx_guest_step();
	WRITE_ONCE(*(u64 *)UNACCEPTED_GPA, 1);
	tdx_guest_step();
	GUEST_DONE();
}

static void guest_unaccepted_too(void)
{
	WRITE_ONCE(*(u64 *)(UNACCEPTED_GPA + PAGE_SIZE), 1);
}

static void guest_steps(void)
{
	for (;;) {
		tdx_guest_step();
		GUEST_SYNC(0);
	}
}

static void assert_run_fails(struct kvm_vcpu *vcpu)
{
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EIO);
}

/* A TD with one vCPU that has killed it. */
static struct kvm_vcpu *launch_and_kill(struct tdx_irq_td *td)
{
	tdx_irq_td_launch(td, guest_unaccepted);
	assert_run_fails(td->vcpu[0]);
	return td->vcpu[0];
}

/* vCPU 0 will kill the TD, vCPU 1 runs @guest_code. */
static void launch_two(struct tdx_irq_td *td, void *guest_code)
{
	tdx_vm_launch_two(td->vm, td->vcpu, guest_unaccepted, guest_code);
}

TEST_F(dead, vcpu_never_runs_again)
{
	struct kvm_vcpu *vcpu = launch_and_kill(&self->td);

	for (int i = 0; i < 4; i++)
		assert_run_fails(vcpu);
	TEST_ASSERT_EQ(self->td.shared->progress, 1);
}

TEST_F(dead, immediate_exit_fails)
{
	struct kvm_vcpu *vcpu = launch_and_kill(&self->td);

	vcpu->run->immediate_exit = 1;
	assert_run_fails(vcpu);
}

/* The other vCPU, whatever it does when the TD dies */

TEST_F(dead, other_vcpu_in_user_space)
{
	struct tdx_irq_td *td = &self->td;

	launch_two(td, guest_steps);
	vcpu_run_to_sync(td->vcpu[1], 0);
	assert_run_fails(td->vcpu[0]);

	for (int i = 0; i < 5; i++)
		assert_run_fails(td->vcpu[1]);
	TEST_ASSERT_EQ(td->shared->progress, 2);
}

TEST_F(dead, other_vcpu_that_never_ran)
{
	struct tdx_irq_td *td = &self->td;

	launch_two(td, guest_steps);
	assert_run_fails(td->vcpu[0]);
	assert_run_fails(td->vcpu[1]);
	TEST_ASSERT_EQ(td->shared->progress, 1);
}

/* KVM has to kick it out of the guest: there is no signal. */
TEST_F(dead, other_vcpu_running)
{
	struct tdx_irq_td *td = &self->td;
	struct vcpu_thread t;

	launch_two(td, tdx_guest_spin);
	vcpu_thread_start(&t, td->vcpu[1]);
	wait_for_guest(&td->shared->here, 1);
	assert_run_fails(td->vcpu[0]);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EIO);

	WRITE_ONCE(td->shared->go, 1);
	assert_run_fails(td->vcpu[1]);
	TEST_ASSERT_EQ(td->shared->progress, 2);
}

/* KVM doesn't wake it, but never lets it run again. */
TEST_F(dead, other_vcpu_halted)
{
	struct tdx_irq_td *td = &self->td;
	struct vcpu_thread t;

	launch_two(td, tdx_guest_halt);
	vcpu_thread_start(&t, td->vcpu[1]);
	vcpu_wait_until_asleep(td->vcpu[1]);
	assert_run_fails(td->vcpu[0]);
	vcpu_thread_kick(&t);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), -1);
	TEST_ASSERT(errno == EINTR || errno == EIO, "Unexpected errno: %d", errno);

	assert_run_fails(td->vcpu[1]);
	TEST_ASSERT_EQ(td->shared->progress, 2);
}

/*
 * The TDX module is asked for a page again and again if others keep the S-EPT locked, as
 * the injection of a mutant has it.  Elsewhere the vCPU gets its page, and is the second
 * to kill the TD.
 */
TEST_F(dead, other_vcpu_that_faults)
{
	struct kvm_pre_fault_memory first = { .gpa = UNACCEPTED_GPA, .size = PAGE_SIZE };
	struct tdx_irq_td *td = &self->td;
	struct vcpu_thread t;

	launch_two(td, guest_unaccepted_too);
	vcpu_ioctl(td->vcpu[0], KVM_PRE_FAULT_MEMORY, &first);
	vcpu_thread_start(&t, td->vcpu[1]);
	while (!vcpu_get_stat(td->vcpu[1], pf_taken))
		sched_yield();
	assert_run_fails(td->vcpu[0]);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EIO);
}

/* Ioctls */

struct refused {
	const char *name;
	unsigned long cmd;
};

#define REFUSED(cmd)	{ #cmd, cmd }

/* KVM doesn't look at the argument, so any will do. */
static void assert_refused(int fd, const struct refused *refused, int nr)
{
	static u8 arg[PAGE_SIZE] __aligned(PAGE_SIZE);
	int r;

	for (int i = 0; i < nr; i++) {
		errno = 0;
		r = ioctl(fd, refused[i].cmd, arg);
		TEST_ASSERT(r == -1 && errno == EIO,
			    "Wanted EIO from %s, got %d, errno %d",
			    refused[i].name, r, errno);
	}
}

TEST_F(dead, vm_ioctls_refused)
{
	static const struct refused refused[] = {
		REFUSED(KVM_CHECK_EXTENSION),
		REFUSED(KVM_CREATE_DEVICE),
		REFUSED(KVM_CREATE_GUEST_MEMFD),
		REFUSED(KVM_CREATE_VCPU),
		REFUSED(KVM_ENABLE_CAP),
		REFUSED(KVM_GET_CLOCK),
		REFUSED(KVM_GET_DIRTY_LOG),
		REFUSED(KVM_GET_STATS_FD),
		REFUSED(KVM_IOEVENTFD),
		REFUSED(KVM_IRQFD),
		REFUSED(KVM_IRQ_LINE),
		REFUSED(KVM_MEMORY_ENCRYPT_OP),
		REFUSED(KVM_SET_GSI_ROUTING),
		REFUSED(KVM_SET_MEMORY_ATTRIBUTES),
		REFUSED(KVM_SET_USER_MEMORY_REGION),
		REFUSED(KVM_SET_USER_MEMORY_REGION2),
		REFUSED(KVM_SIGNAL_MSI),
	};

	launch_and_kill(&self->td);
	assert_refused(self->td.vm->fd, refused, ARRAY_SIZE(refused));
}

TEST_F(dead, vcpu_ioctls_refused)
{
	static const struct refused refused[] = {
		REFUSED(KVM_GET_CPUID2),
		REFUSED(KVM_GET_LAPIC),
		REFUSED(KVM_GET_MP_STATE),
		REFUSED(KVM_GET_MSRS),
		REFUSED(KVM_GET_REGS),
		REFUSED(KVM_GET_STATS_FD),
		REFUSED(KVM_GET_VCPU_EVENTS),
		REFUSED(KVM_INTERRUPT),
		REFUSED(KVM_MEMORY_ENCRYPT_OP),
		REFUSED(KVM_NMI),
		REFUSED(KVM_PRE_FAULT_MEMORY),
		REFUSED(KVM_SET_CPUID2),
		REFUSED(KVM_SET_MP_STATE),
		REFUSED(KVM_SET_SIGNAL_MASK),
	};
	struct tdx_irq_td *td = &self->td;

	launch_two(td, tdx_guest_one_step);
	assert_run_fails(td->vcpu[0]);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		assert_refused(td->vcpu[i]->fd, refused, ARRAY_SIZE(refused));
}

/* Other file descriptors that belong to the TD are harmless. */
TEST_F(dead, irqfd_and_stats_harmless)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, guest_unaccepted);
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	int fd = kvm_new_eventfd();

	tdx_route_msi(routing, TDX_IRQ_GSI, TDX_IRQ_VECTOR);
	kvm_gsi_routing_write(self->td.vm, routing);
	kvm_assign_irqfd(self->td.vm, TDX_IRQ_GSI, fd);
	assert_run_fails(vcpu);

	TEST_ASSERT_EQ(eventfd_write(fd, 1), 0);
	TEST_ASSERT(vcpu_get_stat(vcpu, exits) > 0, "No exits?");
	assert_run_fails(vcpu);
}

/* The rest of the host */

static void guest_done(void)
{
	GUEST_DONE();
}

TEST_F(dead, other_td_unaffected)
{
	struct kvm_vcpu *other;
	struct kvm_vm *vm;

	if (!tdx_can_create(1))
		SKIP(return, NEEDS_MORE_KEYIDS);

	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &other, guest_done);
	launch_and_kill(&self->td);
	vcpu_run_to_done(other);
	kvm_vm_free(vm);
}

/* Its KeyID comes back, of which a host may have no more than two. */
TEST_F(dead, leaves_nothing_behind)
{
	for (int i = 0; i < 4; i++) {
		launch_and_kill(&self->td);
		kvm_vm_free(self->td.vm);
		mortal_td_create(&self->td);
	}
	tdx_irq_td_launch(&self->td, tdx_guest_one_step);
	vcpu_run_to_done(self->td.vcpu[0]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
