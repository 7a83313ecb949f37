// SPDX-License-Identifier: GPL-2.0
/* A sweep's calls, in a process that has a TD for them, and what comes of it. */
#include <kselftest.h>
#include <sys/wait.h>

#include "tdx/generic/kernel_log.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/ioctl_sweep_play.h"

/* A process has so many seconds for each row, on the slowest machine and kernel. */
#define HANGS_AFTER_S	20

/* Shared by the processes. */
static struct sweep_report *report;

static int kernel_log;
static struct misc_cgroup cgroup;
static bool has_cgroup;

const char *sweep_field_name(const struct sweep_row *row, int call)
{
	int field;

	if (call == SWEEP_SANE)
		return "sane";
	field = sweep_field_of_value(row, call);
	if (row->others || !row->size)
		return "arg";
	return field < row->nr_fields ? row->fields[field].name : "pointer";
}

/*
 * A data race needs luck to be seen, so that no call stands for it, nor does the next run
 * see it.  Who reads the log of the whole run finds it there.
 */
static bool is_complaint(const char *line)
{
	return kernel_log_is_complaint(line) && !strstr(line, "KCSAN: ");
}

/* The kernel's first complaint since the last call, or "". */
static const char *read_complaint(void)
{
	static char complaint[256];
	char line[1024], *cpu;

	complaint[0] = '\0';
	while (kernel_log >= 0 && kernel_log_read(kernel_log, line, sizeof(line)))
		if (!complaint[0] && is_complaint(line))
			snprintf(complaint, sizeof(complaint), "%.255s", line);
	/* Which CPU it was, and which process, is no matter. */
	cpu = strstr(complaint, ", CPU#");
	if (cpu)
		*cpu = '\0';
	return complaint;
}

/*
 * In the process that has the TD
 */
static bool is_another_call(const struct sweep_row *row, int call)
{
	return call != SWEEP_SANE && sweep_value_selects(row, call);
}

/* May KVM accept the sane argument; does it have to? */
static bool may_work(const struct sweep_row *row, enum sweep_stage stage)
{
	if (row->fd == SWEEP_FD_SYSTEM)
		return row->works;
	return stage != SWEEP_DEAD && row->works & (BIT(stage) | SWEEP_MAYBE);
}

static bool has_to_work(const struct sweep_row *row, enum sweep_stage stage)
{
	return may_work(row, stage) && !(row->works & SWEEP_MAYBE);
}

static bool is_expected(const struct sweep_row *row, enum sweep_stage stage, bool is_pointer,
			int error)
{
	if (stage == SWEEP_DEAD && row->fd != SWEEP_FD_SYSTEM)
		return error == EIO;
	return sweep_expects_errno(row, error) || (is_pointer && error == EFAULT);
}

static void judge(int i, enum sweep_stage stage, int call, const char *name, int r, int error)
{
	struct sweep_answers *answers = &report->answers[i];
	const struct sweep_row *row = sweep_row(i);
	const bool is_pointer = !strcmp(sweep_field_name(row, call), "pointer");
	char *verdict = report->verdict;

	if (r >= 0) {
		answers->accepted++;
		if (!may_work(row, stage) && !is_another_call(row, call))
			sprintf(verdict, "%s is accepted", name);
	} else {
		answers->refused[error % SWEEP_MAX_ERRNO]++;
		if ((call == SWEEP_SANE && has_to_work(row, stage)) ||
		    !is_expected(row, stage, is_pointer, error))
			sprintf(verdict, "%s is refused with %s", name, strerrorname_np(error));
	}
}

/* Returns whether KVM accepted the call. */
static bool make_call(struct sweep_td *td, int i, int call, void *mem)
{
	const struct sweep_row *row = sweep_row(i);
	char name[SWEEP_MAX_NAME] = "the sane argument";
	const char *complaint;
	u64 number = row->sane;
	void *arg;
	int r, error;

	memset(mem, 0, row->size);
	if (row->nr_fields)
		memcpy(mem + row->fields[0].offset, &row->sane, row->fields[0].size);
	if (row->prepare)
		row->prepare(td, row->size ? mem : &number);
	arg = row->size ? mem : (void *)number;
	if (call != SWEEP_SANE)
		arg = sweep_apply_value(row, call, arg, name, sizeof(name));
	if (row->too_big && arg == mem && row->too_big(mem))
		return false;

	report->last_row = i;
	report->last_call = call;
	r = sweep_call(td, row, arg);
	error = errno;
	judge(i, td->stage, call, name, r, error);
	complaint = read_complaint();
	if (complaint[0])
		snprintf(report->verdict, sizeof(report->verdict), "the kernel: %s", complaint);
	if (r >= 0 && row->returns_fd)
		close(r);
	return r >= 0;
}

/*
 * Returns zeroed memory for an argument, with nothing else where a pointer into it gets to
 * when one of its bits is changed: KVM writes where it is told to.
 */
static void *argument(size_t size)
{
	const size_t half = 32ul << 20;
	void *area = (void *)0x20003c000000ul;

	/* In place of the last one. */
	area = mmap(area, 2 * half, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	TEST_ASSERT(area != MAP_FAILED, "mmap() failed, errno: %d", errno);
	area += half - size;
	TEST_ASSERT(!mprotect((void *)((u64)area & PAGE_MASK), (size + PAGE_SIZE - 1) & PAGE_MASK,
			      PROT_READ | PROT_WRITE), "mprotect() failed, errno: %d", errno);
	return area;
}

/* Returns whether the guest may not get to its end after these calls. */
static bool play_row(struct sweep_td *td, int i, const struct sweep_calls *calls)
{
	const struct sweep_row *row = sweep_row(i);
	void *mem = argument(row->size ?: sizeof(u64));
	const int end = min(calls->end, sweep_nr_calls(row));
	const enum sweep_stage stage = td->stage;
	bool accepted = false;

	for (int call = calls->first; call < end && !report->verdict[0]; call++) {
		if (calls->is_left_out(row, stage, call) || !make_call(td, i, call, mem))
			continue;
		if (row->ends || (is_another_call(row, call) && !row->may_stop)) {
			sweep_td_free(td);
			sweep_td_create(td, stage);
		} else {
			accepted = true;
		}
	}
	return accepted && row->may_stop & BIT(stage);
}

static struct sweep_td td;

/*
 * Let go of the VM, also when an assertion has failed.  Otherwise a thread of KVM's might
 * be the last to have it, and complain when another process makes calls.
 */
static void close_all(void)
{
	if (td.vcpu)
		munmap(td.vcpu->run, td.run_size);
	close_range(3, ~0u, 0);
}

/* Does not return. */
static void play(const struct sweep_calls *calls)
{
	bool may_stop = false;

	/* A file descriptor's place in the log is its own, but not a child's. */
	kernel_log = kernel_log_open();
	atexit(close_all);
	if (!sweep_td_create(&td, calls->stage)) {
		report->no_such_stage = true;
		exit(0);
	}
	for (int i = 0; i < calls->nr_rows && !report->verdict[0]; i++)
		may_stop |= play_row(&td, calls->rows[i], calls);
	if (may_stop)
		sweep_td_try_to_finish(&td);
	else
		sweep_td_finish(&td);
	exit(0);
}

/*
 * In the parent
 */

/* Returns the process's status, or -1 if it had to be killed. */
static int wait_for(pid_t pid, int seconds)
{
	const struct timespec limit = { .tv_sec = seconds };
	sigset_t child;
	int status;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (sigtimedwait(&child, NULL, &limit) >= 0 || errno != EAGAIN)
			continue;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return -1;
	}
	return status;
}

/* Play, with what the library prints when it fails going to @messages. */
static int play_in_process(const struct sweep_calls *calls, int messages)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	TEST_ASSERT(pid >= 0, "fork() failed, errno: %d", errno);
	if (!pid) {
		dup2(messages, 1);
		dup2(messages, 2);
		play(calls);
	}
	return wait_for(pid, HANGS_AFTER_S * calls->nr_rows);
}

static void read_messages(int messages, char *text, size_t size)
{
	ssize_t len = pread(messages, text, size - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	for (; *text; text++)
		if (*text == '\n')
			*text = '|';
}

const struct sweep_report *sweep_play(const struct sweep_calls *calls, char *what, size_t size)
{
	int messages = memfd_create("messages", 0), status;
	const char *complaint;
	char text[512];

	memset(report, 0, sizeof(*report));
	status = play_in_process(calls, messages);
	read_messages(messages, text, sizeof(text));
	close(messages);

	what[0] = '\0';
	complaint = read_complaint();
	if (complaint[0])
		kernel_log_warn_again();
	if (status == -1 && !report->verdict[0])
		snprintf(report->verdict, sizeof(report->verdict), "a call or the guest hangs");

	if (report->verdict[0])
		snprintf(what, size, "%s", report->verdict);
	else if (complaint[0])
		snprintf(what, size, "afterwards the kernel: %s", complaint);
	else if (status)
		snprintf(what, size, "the TD does not go on: %s", text);
	else if (has_cgroup && misc_cgroup_tds(&cgroup))
		snprintf(what, size, "a KeyID is left charged");
	return report;
}

void sweep_play_init(void)
{
	sigset_t child;

	TEST_ASSERT(sweep_nr_rows() <= SWEEP_MAX_ROWS, "No room for %d rows", sweep_nr_rows());
	report = kvm_mmap(sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);

	/* What KVM does to another CPU it does by an interrupt, which makes a difference. */
	pin_self_to_cpu(sysconf(_SC_NPROCESSORS_ONLN) - 1);

	kernel_log = kernel_log_open();
	kernel_log_warn_again();
	has_cgroup = misc_cgroup_create(&cgroup, "sweep");
	if (has_cgroup)
		misc_cgroup_enter(&cgroup);
}
