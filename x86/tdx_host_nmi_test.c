// SPDX-License-Identifier: GPL-2.0
/*
 * An NMI of the host's that arrives while a TD runs.
 *
 * It ends in a TD exit, and KVM has to call the host's handler before NMIs are enabled
 * again.  The guest must not notice, and the NMI must not get lost.  Here a request for
 * the backtraces of all CPUs sends the NMIs: the kernel waits until all have come.
 */
#include <fcntl.h>

#include "tdx/generic/may_harm_host.h"
#include "tdx/host_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

#define NR_NMIS	3

TDX_IRQ_SUITE(host_nmi);

/* The column of @cpu in /proc/interrupts, whose first line names those that are online. */
static int column_of_cpu(char *names, int cpu)
{
	char *save, *name = strtok_r(names, "\n ", &save);
	int column = 0;

	while (name && atoi(name + strlen("CPU")) != cpu) {
		name = strtok_r(NULL, "\n ", &save);
		column++;
	}
	TEST_ASSERT(name, "No CPU %d in /proc/interrupts", cpu);
	return column;
}

/* How many NMIs the host's CPU has had. */
static u64 nr_host_nmis(int cpu)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char *line = NULL, *at = NULL;
	size_t size = 0;
	u64 nr = 0;
	int column;

	TEST_ASSERT(file, __KVM_SYSCALL_ERROR("fopen()", -1));
	TEST_ASSERT(getline(&line, &size, file) > 0, "/proc/interrupts is empty");
	column = column_of_cpu(line, cpu);
	while (!at && getline(&line, &size, file) > 0)
		at = strstr(line, "NMI:");
	TEST_ASSERT(at, "No line for NMIs in /proc/interrupts");
	at += strlen("NMI:");
	for (int i = 0; i <= column; i++)
		nr = strtoul(at, &at, 10);
	free(line);
	fclose(file);
	return nr;
}

TEST_F(host_nmi, while_guest_runs)
{
	const int cpu = last_host_cpu();
	struct tdx_irq_td *td = &self->td;
	struct vcpu_thread t;
	u64 before;
	int fd;

	if (!has_two_cpus(td->vm))
		SKIP(return, NEEDS_TWO_CPUS);
	SKIP_UNLESS_MAY_HARM_HOST(return, "the host's log gets each CPU's backtrace");
	fd = open("/proc/sysrq-trigger", O_WRONLY);
	if (fd < 0)
		SKIP(return, "needs /proc/sysrq-trigger");

	pin_self_to_cpu(host_cpus[0]);
	vcpu_thread_start(&t, tdx_irq_td_launch(td, tdx_guest_spin));
	pin_task_to_cpu(t.thread, cpu);
	wait_for_guest(&td->shared->here, 1);

	for (int i = 0; i < NR_NMIS; i++) {
		before = nr_host_nmis(cpu);
		TEST_ASSERT_EQ(write(fd, "l", 1), 1);
		TEST_ASSERT(nr_host_nmis(cpu) > before, "CPU %d had no NMI", cpu);
	}
	close(fd);

	WRITE_ONCE(td->shared->go, 1);
	tdx_join_with_ucall(&t, UCALL_DONE);
	TEST_ASSERT_EQ(td->shared->progress, 2);
	TEST_ASSERT_EQ(td->shared->nr_nmis[0], 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();
	return test_harness_run(argc, argv);
}
