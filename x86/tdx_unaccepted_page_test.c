// SPDX-License-Identifier: GPL-2.0
/*
 * A TD that touches private memory which it has not accepted.
 *
 * With SEPT_VE_DISABLE the TDX module reports such an access to KVM instead of
 * the guest.  The guest must not run on, as it can't tell that its memory was
 * replaced.  So KVM kills the VM: KVM_RUN and every ioctl on any of its vCPUs
 * fail with EIO, and the VM can only be torn down.
 */
#include <sys/eventfd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/vcpu_thread.h"

static bool has_sept_ve_disable(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	bool has = caps->supported_attrs & TDX_TD_ATTR_SEPT_VE_DISABLE;

	free(caps);
	kvm_vm_free(vm);
	return has;
}

#define NEEDS_SEPT_VE_DISABLE	"the TDX module lacks SEPT_VE_DISABLE"

/* Which accesses are fatal, and which are not. */

FIXTURE(unaccepted) {
	struct kvm_vm *vm;
	struct tdx_servant s;
	struct tdx_servant other;
};

FIXTURE_SETUP(unaccepted)
{
	if (!has_sept_ve_disable())
		SKIP(return, NEEDS_SEPT_VE_DISABLE);

	self->vm = tdx_memory_create(TDX_TD_ATTR_SEPT_VE_DISABLE);
	self->s = tdx_servant_add(self->vm, 0);
	if (has_two_cpus(self->vm))
		self->other = tdx_servant_add(self->vm, 1);
	vm_tdx_launch(self->vm);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
}

FIXTURE_TEARDOWN(unaccepted)
{
	kvm_vm_free(self->vm);
}

TEST_F(unaccepted, access_after_accept_is_fine)
{
	tdx_accept(&self->s, GMEM_GPA);
	tdx_write(&self->s, GMEM_GPA, MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, GMEM_GPA), MAGIC);
}

/* Only an access by the guest is fatal.  A pending page alone is not. */
TEST_F(unaccepted, prefaulted_page_is_fine)
{
	struct kvm_pre_fault_memory range = { .gpa = GMEM_GPA, .size = SLOT_SIZE };

	vcpu_ioctl(self->s.vcpu, KVM_PRE_FAULT_MEMORY, &range);
	tdx_accept(&self->s, GMEM_PAGE(1));
	TEST_ASSERT_EQ(tdx_read(&self->s, GMEM_PAGE(1)), 0ul);
}

TEST_F(unaccepted, read_fails_run)
{
	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_READ, GMEM_GPA, 0), EIO);
}

TEST_F(unaccepted, write_fails_run)
{
	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_WRITE, GMEM_GPA, 0), EIO);
}

TEST_F(unaccepted, kills_vm)
{
	struct kvm_memory_attributes shared = { .address = GMEM_GPA, .size = SLOT_SIZE };

	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_WRITE, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(tdx_continue(&self->s), EIO);
	TEST_ASSERT(vm_is_dead(self->vm), "The VM is not dead");
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_SET_MEMORY_ATTRIBUTES, &shared), EIO);
}

TEST_F(unaccepted, kills_other_vcpus)
{
	if (!self->other.vcpu)
		SKIP(return, NEEDS_TWO_CPUS);

	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_WRITE, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(__tdx_order(&self->other, TDX_ORDER_READ, GMEM_GPA, 0), EIO);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->other.vcpu, KVM_NMI, NULL), EIO);
}

/* What becomes of a dead VM.  The guest counts its steps. */

#define NR_VCPUS	2

struct progress {
	u64 here;		/* the guest is where it can be interrupted */
	u64 go;			/* the guest may go on */
	u64 steps;		/* that the guest has made */
};

static struct progress *progress;	/* the guest's pointer */

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct progress *progress;	/* the host's */
};

FIXTURE(dead_vm) {
	struct td td;
};

static void create(struct td *td)
{
	gva_t gva;

	td->vm = tdx_memory_create(TDX_TD_ATTR_SEPT_VE_DISABLE);
	vm_mem_set_private(td->vm, GMEM_GPA, PAGE_SIZE);
	gva = tdx_alloc_shared(td->vm, sizeof(*td->progress), &td->progress);
	write_guest_global(td->vm, progress, (void *)gva);
}

static void launch(struct td *td, void *guest_code)
{
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, guest_code);
	vm_tdx_launch(td->vm);
}

FIXTURE_SETUP(dead_vm)
{
	if (!has_sept_ve_disable())
		SKIP(return, NEEDS_SEPT_VE_DISABLE);

	create(&self->td);
	if (!has_two_cpus(self->td.vm))
		SKIP(return, NEEDS_TWO_CPUS);
}

FIXTURE_TEARDOWN(dead_vm)
{
	kvm_vm_free(self->td.vm);
}

/* The host sees the guest's steps whatever KVM_RUN returns. */
static void guest_step(void)
{
	WRITE_ONCE(progress->steps, READ_ONCE(progress->steps) + 1);
}

static void guest_one_step(void)
{
	guest_step();
	GUEST_DONE();
}

static void guest_spin(void)
{
	guest_step();
	WRITE_ONCE(progress->here, 1);
	while (!READ_ONCE(progress->go))
		cpu_relax();
	guest_step();
	GUEST_DONE();
}

static void guest_halt(void)
{
	guest_step();
	GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
	guest_step();
	GUEST_DONE();
}

static void guest_touch_unaccepted(void)
{
	guest_step();
	WRITE_ONCE(*(u64 *)GMEM_GPA, 1);
	guest_step();
	GUEST_DONE();
}

static void guest_steps(void)
{
	for (;;) {
		guest_step();
		GUEST_SYNC(0);
	}
}

static void guest_alone(void)
{
	GUEST_DONE();
}

static void touch_unaccepted(struct td *td)
{
	TEST_ASSERT_FAILS(__vcpu_run(td->vcpu[0]), EIO);
}

TEST_F(dead_vm, vcpu_does_not_go_on)
{
	launch(&self->td, guest_touch_unaccepted);
	touch_unaccepted(&self->td);
	TEST_ASSERT_EQ(self->td.progress->steps, 1);
}

TEST_F(dead_vm, vcpu_never_runs_again)
{
	launch(&self->td, guest_touch_unaccepted);
	for (int i = 0; i < 5; i++)
		touch_unaccepted(&self->td);
	TEST_ASSERT_EQ(self->td.progress->steps, 1);
}

TEST_F(dead_vm, immediate_exit)
{
	launch(&self->td, guest_touch_unaccepted);
	touch_unaccepted(&self->td);
	self->td.vcpu[0]->run->immediate_exit = 1;
	touch_unaccepted(&self->td);
}

TEST_F(dead_vm, vcpu_in_user_space)
{
	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_touch_unaccepted, guest_steps);
	tdx_vcpu_run_to_sync(self->td.vcpu[1], 0);
	touch_unaccepted(&self->td);

	for (int i = 0; i < 5; i++)
		TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.progress->steps, 2);
}

TEST_F(dead_vm, vcpu_that_never_ran)
{
	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_touch_unaccepted, guest_steps);
	touch_unaccepted(&self->td);
	TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.progress->steps, 1);
}

/* KVM kicks it out of the guest, without a signal. */
TEST_F(dead_vm, running_vcpu)
{
	struct vcpu_thread t;

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_touch_unaccepted, guest_spin);
	vcpu_thread_start(&t, self->td.vcpu[1]);
	wait_for_guest(&self->td.progress->here, 1);
	touch_unaccepted(&self->td);
	TEST_ASSERT_FAILS(vcpu_thread_join(&t), EIO);

	WRITE_ONCE(self->td.progress->go, 1);
	TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.progress->steps, 2);
}

/* KVM doesn't wake a sleeping vCPU, but never runs it again. */
TEST_F(dead_vm, halted_vcpu)
{
	struct vcpu_thread t;

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_touch_unaccepted, guest_halt);
	vcpu_thread_start(&t, self->td.vcpu[1]);
	vcpu_wait_until_asleep(self->td.vcpu[1]);
	touch_unaccepted(&self->td);
	vcpu_thread_kick(&t);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), -1);
	TEST_ASSERT(errno == EINTR || errno == EIO, "errno %d", errno);

	TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu[1]), EIO);
	TEST_ASSERT_EQ(self->td.progress->steps, 2);
}

struct refused {
	const char *name;
	unsigned long cmd;
};

#define REFUSED(cmd)	{ #cmd, cmd }

/* KVM doesn't look at the argument, so one fits all. */
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

TEST_F(dead_vm, vm_ioctls_refused)
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

	launch(&self->td, guest_touch_unaccepted);
	touch_unaccepted(&self->td);
	assert_refused(self->td.vm->fd, refused, ARRAY_SIZE(refused));
}

TEST_F(dead_vm, vcpu_ioctls_refused)
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

	vm_tdx_launch_two(self->td.vm, self->td.vcpu, guest_touch_unaccepted, guest_one_step);
	touch_unaccepted(&self->td);
	for (int i = 0; i < NR_VCPUS; i++)
		assert_refused(self->td.vcpu[i]->fd, refused, ARRAY_SIZE(refused));
}

/* An irqfd and a statistics fd outlive the VM's death without harm. */
TEST_F(dead_vm, irqfd_and_statistics)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();
	int fd = kvm_new_eventfd();

	launch(&self->td, guest_touch_unaccepted);
	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = 64,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0x41 },
	};
	kvm_gsi_routing_write(self->td.vm, routing);
	kvm_assign_irqfd(self->td.vm, 64, fd);
	touch_unaccepted(&self->td);

	TEST_ASSERT_EQ(eventfd_write(fd, 1), 0);
	TEST_ASSERT(vcpu_get_stat(self->td.vcpu[0], exits) > 0, "No exits?");
	touch_unaccepted(&self->td);
}

TEST_F(dead_vm, other_td_goes_on)
{
	struct kvm_vcpu *other;
	struct kvm_vm *vm;

	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &other, guest_alone);
	launch(&self->td, guest_touch_unaccepted);
	touch_unaccepted(&self->td);
	tdx_vcpu_run_to_done(other);
	kvm_vm_free(vm);
}

/* KVM frees everything, also the KeyID.  Some hosts have only two. */
TEST_F(dead_vm, leaves_nothing_behind)
{
	for (int i = 0; i < 4; i++) {
		launch(&self->td, guest_touch_unaccepted);
		touch_unaccepted(&self->td);
		kvm_vm_free(self->td.vm);
		create(&self->td);
	}
	launch(&self->td, guest_one_step);
	tdx_vcpu_run_to_done(self->td.vcpu[0]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
