// SPDX-License-Identifier: GPL-2.0
/*
 * runner DIR TEST...: runs test programs of a directory and prints KTAP as the
 * kernel's own runner does.  This one runs several at a time, and is a program,
 * because each process that a shell would start for a test (timeout, cp, awk)
 * takes the emulator as long as a case.
 *
 * TEST_TIMEOUT is the seconds that each test may take, TEST_JOBS how many run at
 * a time; with TEST_FAIL_FAST the first failure is the end.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Tests have several TDs each, and each TD has a KeyID. */
#define KEYS_PER_JOB	5
#define MAX_JOBS	6

/* What programs exit with, by the kernel's convention and by the shell's. */
#define EXIT_SKIP	4
#define EXIT_NOT_FOUND	127

/* These count what all TDs share, or take CPUs away. */
static const char *const alone[] = {
	"tdx_cpu_offline_test", "tdx_host_state_test", "tdx_limits_test",
	"tdx_stress_test", NULL
};

struct test {
	const char *path;
	const char *name;	/* the path's last part */
	off_t size;
	bool alone;
	int rank;		/* among those of one size, and with fail_fast */
	int output;
	pid_t pid;		/* 0: it has not begun, or it has ended */
	time_t deadline;
	bool timed_out;
	bool ended;
	int status;		/* the exit status, 128 + N after a signal */
};

static struct test *tests;
static int nr_tests, nr_running, nr_reported;
static int passed, failed, skipped;
static int timeout, max_jobs;
static bool fail_fast;

/* Where programs are copied to; NULL if they run where they are. */
static const char *copies;

/* The launcher of the box reads from the kernel's log what was running. */
static int kernel_log;

/* Returns the number that a variable of the environment holds. */
static int read_number(const char *variable, int otherwise)
{
	const char *text = getenv(variable);
	char *end;
	long n;

	if (!text || !*text)
		return otherwise;
	n = strtol(text, &end, 10);
	if (*end || n < 1 || n > 1000000)
		errx(1, "%s: not a number: '%s'", variable, text);
	return n;
}

/* Where this is not permitted, nobody minds. */
static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
}

/* The kernel tells the number of KeyIDs only with the controller on. */
static int jobs_for_keys(void)
{
	int control = open("/sys/fs/cgroup/cgroup.subtree_control",
			   O_WRONLY | O_CLOEXEC);
	FILE *capacity;
	char line[80];
	int keys = 0;
	int jobs;

	say(control, "+misc");
	close(control);
	capacity = fopen("/sys/fs/cgroup/misc.capacity", "re");
	while (capacity && fgets(line, sizeof(line), capacity))
		sscanf(line, "tdx %d", &keys);
	if (capacity)
		fclose(capacity);

	jobs = keys / KEYS_PER_JOB;
	return jobs < 1 ? 1 : jobs > MAX_JOBS ? MAX_JOBS : jobs;
}

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Kills a test and what it has started, which may have groups of their own. */
static void end_session(pid_t session)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[64], text[512];
	int pid, its_session;
	FILE *stat;

	kill(session, SIGKILL);
	while (proc && (entry = readdir(proc))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		pid = atoi(entry->d_name);
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		stat = fopen(path, "re");
		if (!stat)
			continue;
		/* Its own name, which is in parentheses, may have some in it. */
		if (fgets(text, sizeof(text), stat) && strrchr(text, ')') &&
		    sscanf(strrchr(text, ')'), ") %*c %*d %*d %d",
			   &its_session) == 1 && its_session == session)
			kill(pid, SIGKILL);
		fclose(stat);
	}
	if (proc)
		closedir(proc);
}

static void copy_path(const struct test *test, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", copies, test->name);
}

/* A program that is to be run from elsewhere; false if that did not work. */
static bool copy(const struct test *test, const char *to)
{
	int in = open(test->path, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	bool ok = in >= 0 && out >= 0 &&
		  sendfile(out, in, NULL, test->size) == test->size;

	close(in);
	close(out);
	return ok;
}

static void __attribute__((noreturn)) run(struct test *test)
{
	char path[4096], line[4200];
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(line, sizeof(line), "tdx-box: run %s\n", test->path);
	say(kernel_log, line);

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 0);
	dup2(test->output, 1);
	dup2(test->output, 2);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	snprintf(path, sizeof(path), "%s%s", *test->path == '/' ? "" : "./",
		 test->path);
	if (copies) {
		copy_path(test, path, sizeof(path));
		if (!copy(test, path))
			err(EXIT_NOT_FOUND, "cannot copy %s to %s", test->path, path);
	}
	execl(path, path, NULL);
	err(EXIT_NOT_FOUND, "%s", test->path);
}

static void start(struct test *test)
{
	/* Tests write a character at a time, for which a reader would wake up. */
	test->output = memfd_create(test->name, MFD_CLOEXEC);
	if (test->output < 0)
		err(1, "memfd_create");
	test->deadline = now() + timeout;
	test->pid = fork();
	if (test->pid < 0)
		err(1, "fork");
	if (!test->pid)
		run(test);
	nr_running++;
}

/* @test comes after the one that was started last. */
static bool may_start(const struct test *test)
{
	bool alone = test->alone || (test > tests && test[-1].alone);

	return nr_running < (alone ? 1 : max_jobs);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < nr_tests; i++) {
			struct test *test = &tests[i];
			char path[4096];

			if (test->pid != pid)
				continue;
			test->pid = 0;
			test->ended = true;
			test->status = WIFEXITED(status) ? WEXITSTATUS(status)
							 : 128 + WTERMSIG(status);
			nr_running--;
			if (copies) {
				copy_path(test, path, sizeof(path));
				unlink(path);
			}
		}
	}
}

static void end_overdue(void)
{
	for (int i = 0; i < nr_tests; i++) {
		struct test *test = &tests[i];

		if (test->pid && !test->timed_out && now() >= test->deadline) {
			test->timed_out = true;
			end_session(test->pid);
		}
	}
}

static bool has_failed(const struct test *test)
{
	return test->timed_out || (test->status && test->status != EXIT_SKIP);
}

static void report(const struct test *test)
{
	FILE *output = fdopen(test->output, "r");
	int number = test - tests + 1;
	char *line = NULL;
	size_t size = 0;

	rewind(output);
	printf("# selftests: kvm: %s\n", test->name);
	while (getline(&line, &size, output) >= 0)
		printf("# %s%s", line, strchr(line, '\n') ? "" : "\n");
	free(line);
	fclose(output);

	printf("%sok %d selftests: kvm: %s", has_failed(test) ? "not " : "",
	       number, test->name);
	if (test->timed_out)
		printf(" # TIMEOUT %d seconds\n", timeout);
	else if (has_failed(test))
		printf(" # exit=%d\n", test->status);
	else
		puts(test->status ? " # SKIP" : "");
	fflush(stdout);

	if (has_failed(test))
		failed++;
	else if (test->status)
		skipped++;
	else
		passed++;
}

/* Ends the tests that run. */
static void stop(void)
{
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	for (int i = 0; i < nr_tests; i++)
		if (tests[i].pid)
			end_session(tests[i].pid);
	for (reap(); nr_running; reap())
		sigwaitinfo(&child, NULL);
}

/* In their order, each as soon as all before it have been reported. */
static void report_ended(void)
{
	for (int i = nr_reported; fail_fast && i < nr_tests; i++) {
		if (tests[i].ended && has_failed(&tests[i])) {
			report(&tests[i]);
			stop();
			nr_reported = nr_tests;
			return;
		}
	}
	while (nr_reported < nr_tests && tests[nr_reported].ended)
		report(&tests[nr_reported++]);
}

/* Runs all tests.  Returns the signal that ended this before; 0 if none did. */
static int run_tests(const sigset_t *signals)
{
	const struct timespec second = { .tv_sec = 1 };
	int next = 0;

	while (nr_reported < nr_tests) {
		int signal;

		while (next < nr_tests && may_start(&tests[next]))
			start(&tests[next++]);
		signal = sigtimedwait(signals, NULL, &second);
		if (signal > 0 && signal != SIGCHLD)
			return signal;
		reap();
		end_overdue();
		report_ended();
		/* Nobody reads any more. */
		if (ferror(stdout))
			return SIGPIPE;
	}
	return 0;
}

/*
 * The largest have the most cases; started last they would end alone.  Whoever
 * wants the first failure names the likely test first.
 */
static int compare(const void *a, const void *b)
{
	const struct test *x = a, *y = b;

	if (fail_fast && (!x->rank || !y->rank))
		return x->rank - y->rank;
	if (x->alone != y->alone)
		return x->alone - y->alone;
	if (!x->alone && !fail_fast && x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->rank - y->rank;
}

static void find_tests(char **paths)
{
	struct stat file;

	tests = calloc(nr_tests, sizeof(*tests));
	if (!tests)
		err(1, "calloc");
	for (int i = 0; i < nr_tests; i++) {
		struct test *test = &tests[i];

		test->path = paths[i];
		test->name = basename(paths[i]);
		test->rank = i;
		if (!stat(paths[i], &file))
			test->size = file.st_size;
		for (const char *const *name = alone; *name; name++)
			test->alone |= !strcmp(test->name, *name);
	}
	qsort(tests, nr_tests, sizeof(*tests), compare);
}

int main(int argc, char **argv)
{
	char directory[] = "/tmp/tdx-runner.XXXXXX";
	struct statfs fs;
	sigset_t signals;
	int signal_nr;

	if (argc < 3)
		errx(1, "usage: runner DIR TEST...");
	timeout = read_number("TEST_TIMEOUT", 120);
	max_jobs = read_number("TEST_JOBS", 0);
	if (!max_jobs)
		max_jobs = jobs_for_keys();
	fail_fast = getenv("TEST_FAIL_FAST") && *getenv("TEST_FAIL_FAST");
	if (chdir(argv[1]))
		err(1, "%s", argv[1]);
	nr_tests = argc - 2;
	find_tests(argv + 2);

	kernel_log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	/* Each TD is filled from its program's file, and the box's are far away. */
	if (!statfs(".", &fs) && fs.f_type == OVERLAYFS_SUPER_MAGIC) {
		copies = mkdtemp(directory);
		if (!copies)
			err(1, "%s", directory);
	}

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);

	printf("TAP version 13\n1..%d\n", nr_tests);
	fflush(stdout);
	signal_nr = run_tests(&signals);
	if (signal_nr)
		stop();
	if (copies)
		rmdir(copies);
	if (signal_nr)
		return 128 + signal_nr;
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n",
	       passed, failed, skipped);
	return failed != 0;
}
