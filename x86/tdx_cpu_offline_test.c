// SPDX-License-Identifier: GPL-2.0
/*
 * Host CPUs that go offline while there are TDs.
 *
 * The TDX module keeps part of a vCPU's state on the CPU that it ran on.  KVM has
 * to flush it before that CPU goes offline, otherwise the vCPU can never run
 * again, and its TD can't be destroyed.
 */
#include <sys/resource.h>

#include "tdx/generic/kernel_log.h"
#include "tdx/host_cpus.h"
#include "tdx/race.h"
#include "tdx/races_wanted.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

TDX_TEST_RUNS_ALONE;

#define CANNOT_GO_OFFLINE	"the host refuses to take the CPU offline"
#define NEEDS_CPU_TO_TAKE	"no CPU that could be taken offline"

FIXTURE(cpu_offline) {
	struct tdx_irq_td td;
	int cpu;		/* the one to take offline */
};

/* A file of a CPU in sysfs. */
static int open_cpu_file(int cpu, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/%s", cpu, name);
	return open(path, flags);
}

/*
 * Returns 0 or an errno.  That isn't a failure of KVM's: there may be other
 * reasons why a CPU has to stay online.
 */
static int set_online(int cpu, bool online)
{
	int fd = open_cpu_file(cpu, "online", O_RDWR), error = 0;

	if (fd < 0)
		return errno;
	if (pwrite(fd, online ? "1" : "0", 1, 0) != 1)
		error = errno;
	close(fd);
	return error;
}

/* Also called in the end, for the CPUs that a failed case left offline. */
static void set_all_online(void)
{
	for (int i = 0; i < nr_host_cpus; i++)
		set_online(host_cpus[i], true);
}

FIXTURE_SETUP(cpu_offline)
{
	if (nr_host_cpus < 2)
		SKIP(return, NEEDS_TWO_HOST_CPUS);

	self->cpu = last_host_cpu();
	if (set_online(self->cpu, true))
		SKIP(return, NEEDS_CPU_TO_TAKE);

	tdx_irq_td_create(&self->td);
}

FIXTURE_TEARDOWN(cpu_offline)
{
	kvm_vm_free(self->td.vm);
	set_all_online();
}

/* Move @thread to @cpu, but let it run on the others once that is offline. */
static void move_to_cpu(pthread_t thread, int cpu)
{
	cpu_set_t all;

	pin_task_to_cpu(thread, cpu);
	CPU_ZERO(&all);
	for (int i = 0; i < nr_host_cpus; i++)
		CPU_SET(host_cpus[i], &all);
	TEST_ASSERT_EQ(pthread_setaffinity_np(thread, sizeof(all), &all), 0);
}

/*
 * The kernel's callback asserts what it relies on.  A kernel with CONFIG_PROVE_LOCKING
 * checks that, and warns only once after it has booted, so this case comes first.
 */
TEST_F(cpu_offline, callback_is_not_preempted)
{
	int log;

	expect_kernel_log("WARNING: *tdx_offline_cpu");
	log = kernel_log_open();
	if (set_online(self->cpu, false))
		SKIP(return, CANNOT_GO_OFFLINE);
	if (kernel_log_has_warning(log, "tdx_offline_cpu"))
		XFAIL(return, "the kernel flushes the cache for TDX, and can be preempted there");
}

TEST_F(cpu_offline, vcpu_in_user_space)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_keep_state);

	pin_self_to_cpu(self->cpu);
	vcpu_run_to_sync(vcpu, 0);
	pin_self_to_cpu(host_cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CANNOT_GO_OFFLINE);

	vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(set_online(self->cpu, true), 0);
	vcpu_run_to_sync(vcpu, 0);
	pin_self_to_cpu(self->cpu);
	vcpu_run_to_sync(vcpu, 0);
}

TEST_F(cpu_offline, several_vcpus)
{
	struct tdx_irq_td *td = &self->td;
	const int nr = ARRAY_SIZE(td->vcpu);

	tdx_vm_launch_two(td->vm, td->vcpu, tdx_guest_keep_state,
			  tdx_guest_keep_state);

	pin_self_to_cpu(self->cpu);
	for (int i = 0; i < nr; i++)
		vcpu_run_to_sync(td->vcpu[i], i);
	pin_self_to_cpu(host_cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CANNOT_GO_OFFLINE);

	for (int i = nr - 1; i >= 0; i--)
		vcpu_run_to_sync(td->vcpu[i], i);
}

/* The module has no state of this vCPU yet, but KVM has it on its list. */
TEST_F(cpu_offline, vcpu_not_initialized)
{
	struct tdx_irq_td *td = &self->td;

	tdx_init_vm(td->vm, NULL);
	pin_self_to_cpu(self->cpu);
	td->vcpu[0] = __vm_vcpu_add(td->vm, 0);
	pin_self_to_cpu(host_cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CANNOT_GO_OFFLINE);

	tdx_vcpu_init_cpuid(td->vcpu[0]);
	tdx_init_vcpu(td->vcpu[0], 0);
	vcpu_arch_set_entry_point(td->vcpu[0], tdx_guest_keep_state);
	tdx_vm_finalize(td->vm);
	vcpu_run_to_sync(td->vcpu[0], 0);
}

/* KVM_CREATE_VCPU has done all but find a file descriptor. */
static void assert_vcpu_without_fd(struct kvm_vm *vm, u64 id)
{
	struct rlimit old, limit;
	int fd = dup(vm->fd);

	TEST_ASSERT(fd >= 0, "dup() failed, errno %d", errno);
	close(fd);
	TEST_ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
	limit = (struct rlimit) { .rlim_cur = fd, .rlim_max = old.rlim_max };
	TEST_ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	TEST_ASSERT_FAILS(__vm_ioctl(vm, KVM_CREATE_VCPU, (void *)id), EMFILE);
	TEST_ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/*
 * By then KVM has put the vCPU on the CPU's list.  If it stays there, the list has freed
 * memory, or that of the next vCPU.
 */
TEST_F(cpu_offline, vcpu_refused)
{
	struct tdx_irq_td *td = &self->td;

	tdx_init_vm(td->vm, NULL);
	pin_self_to_cpu(self->cpu);
	for (int i = 0; i < 3; i++)
		assert_vcpu_without_fd(td->vm, 0);
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, tdx_guest_keep_state);
	tdx_vm_finalize(td->vm);
	vcpu_run_to_sync(td->vcpu[0], 0);
	pin_self_to_cpu(host_cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CANNOT_GO_OFFLINE);

	vcpu_run_to_sync(td->vcpu[0], 0);
}

/* The scheduler moves the vCPU's thread to another CPU, inside of KVM_RUN. */
TEST_F(cpu_offline, running_vcpu)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_spin_for_irq);
	struct vcpu_thread t;
	bool refused;

	pin_self_to_cpu(self->cpu);
	vcpu_thread_start(&t, vcpu);
	pin_self_to_cpu(host_cpus[0]);
	wait_for_guest(&self->td.shared->here, 1);
	move_to_cpu(t.thread, self->cpu);
	refused = set_online(self->cpu, false);

	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][TDX_IRQ_VECTOR], 1);
	if (refused)
		SKIP(return, CANNOT_GO_OFFLINE);
}

TEST_F(cpu_offline, halted_vcpu)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct vcpu_thread t;
	bool refused;

	pin_self_to_cpu(self->cpu);
	vcpu_run_to_sync(vcpu, 0);
	vcpu_thread_start(&t, vcpu);
	pin_self_to_cpu(host_cpus[0]);
	vcpu_wait_until_asleep(vcpu);
	move_to_cpu(t.thread, self->cpu);
	refused = set_online(self->cpu, false);

	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	if (refused)
		SKIP(return, CANNOT_GO_OFFLINE);
}

/* A TD's end flushes caches on all CPUs, and has to do without this one. */
TEST_F(cpu_offline, td_destroyed)
{
	for (int i = 0; i < 3; i++) {
		tdx_irq_td_launch(&self->td, tdx_guest_keep_state);
		pin_self_to_cpu(self->cpu);
		vcpu_run_to_sync(self->td.vcpu[0], 0);
		pin_self_to_cpu(host_cpus[0]);
		if (set_online(self->cpu, false))
			SKIP(return, CANNOT_GO_OFFLINE);

		kvm_vm_free(self->td.vm);
		tdx_irq_td_create(&self->td);
		TEST_ASSERT_EQ(set_online(self->cpu, true), 0);
	}
	tdx_irq_td_launch(&self->td, tdx_guest_keep_state);
	vcpu_run_to_sync(self->td.vcpu[0], 0);
}

/* A host may have hundreds of CPUs, and others that need them. */
#define MAX_OFFLINE	7

TEST_F(cpu_offline, many_cpus)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_keep_state);
	const int nr = min(nr_host_cpus - 1, MAX_OFFLINE);

	for (int i = 1; i <= nr; i++) {
		pin_self_to_cpu(host_cpus[i]);
		vcpu_run_to_sync(vcpu, 0);
	}
	pin_self_to_cpu(host_cpus[0]);
	for (int i = 1; i <= nr; i++)
		if (set_online(host_cpus[i], false))
			SKIP(return, CANNOT_GO_OFFLINE);

	vcpu_run_to_sync(vcpu, 0);
}

/* The CPU goes while something happens to a vCPU that ran there. */

struct offline_race {
	struct tdx_irq_td td;
	int cpu;
	bool done;	/* the CPU is offline, or stays online */
};

static int take_cpu_offline(void *arg, int side)
{
	struct offline_race *r = arg;
	int error = set_online(r->cpu, false);

	WRITE_ONCE(r->done, true);
	return error;
}

/* How far it has gone; see enum cpuhp_state of the kernel. */
static int hotplug_state(int cpu)
{
	int fd = open_cpu_file(cpu, "hotplug/state", O_RDONLY);
	char text[16] = "";

	if (fd < 0)
		return -1;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return atoi(text);
}

/*
 * In the first state on the way the kernel waits for a grace period of RCU, which doesn't
 * end while another CPU stays in the kernel.  So whoever wants to meet the rest has to
 * come later.
 */
static void wait_until_cpu_goes(void *arg)
{
	struct offline_race *r = arg;
	int state = hotplug_state(r->cpu);

	for (int i = 0; i < 2; i++) {
		int before = state;

		while (state == before && state >= 0 && !READ_ONCE(r->done))
			state = hotplug_state(r->cpu);
	}
}

/* KVM has another CPU flush it, if it isn't flushed there already. */
static int fetch_vcpu(void *arg, int side)
{
	struct offline_race *r = arg;

	return race_load_vcpu(r->td.vcpu[0]);
}

static int end_td(void *arg, int side)
{
	struct offline_race *r = arg;

	kvm_vm_free(r->td.vm);
	r->td.vm = NULL;
	return 0;
}

FIXTURE(race) {
	struct offline_race race;
};

FIXTURE_VARIANT(race) {
	int (*op)(void *race, int side);
};

FIXTURE_VARIANT_ADD(race, migration_and_cpu_offline) { fetch_vcpu };
FIXTURE_VARIANT_ADD(race, end_of_td_and_cpu_offline) { end_td };

FIXTURE_SETUP(race)
{
	self->race.cpu = last_host_cpu();
	if (nr_host_cpus < 4)
		SKIP(return, "needs four CPUs to run on");
	if (set_online(self->race.cpu, true))
		SKIP(return, NEEDS_CPU_TO_TAKE);
}

FIXTURE_TEARDOWN(race)
{
	set_all_online();
}

TEST_F_TIMEOUT(race, flushes_vcpu, 600)
{
	struct tdx_irq_td *td = &self->race.td;
	int cpu = self->race.cpu;

	for (u32 n = 0; n < nr_races_wanted(3); n++) {
		struct racer racers[] = {
			{ variant->op, &self->race, .wait = wait_until_cpu_goes },
			{ take_cpu_offline, &self->race },
		};

		tdx_irq_td_create(td);
		tdx_irq_td_launch(td, tdx_guest_keep_state);
		pin_self_to_cpu(cpu);
		vcpu_run_to_sync(td->vcpu[0], 0);
		pin_self_to_cpu(host_cpus[0]);

		self->race.done = false;
		race(racers, ARRAY_SIZE(racers));
		TEST_ASSERT_EQ(racers[0].error, 0);
		if (td->vm) {
			vcpu_run_to_sync(td->vcpu[0], 0);
			kvm_vm_free(td->vm);
		}
		if (racers[1].error)
			SKIP(return, CANNOT_GO_OFFLINE);
		TEST_ASSERT_EQ(set_online(cpu, true), 0);
	}
}

int main(int argc, char *argv[])
{
	int ret;

	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();
	ret = test_harness_run(argc, argv);
	set_all_online();
	return ret;
}
