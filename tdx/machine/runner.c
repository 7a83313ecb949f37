// SPDX-License-Identifier: GPL-2.0
/*
 * runner DIR TEST...: runs test programs of a directory, several at a time, and
 * prints KTAP.  It is a program because each process that a shell would start for
 * a test (timeout, cp, awk) takes the emulator as long as a case.
 *
 * The output of a program that prints KTAP is nested as KTAP wants it, indented and
 * with a header, so that readers count its cases.  Any other output becomes
 * comments.  The line after it is the kernel's own runner's.
 *
 * TEST_TIMEOUT	seconds that each test may take (120)
 * TEST_JOBS	tests that run at a time (as many as there are TDX keys for)
 * TEST_FAIL_FAST	stop at the first failure
 * TEST_PROGRESS	say when a test starts
 *
 * Tests may carry ELF notes with the name "kselftest".  Type 1: the test must not run
 * beside others.  Type 2: it takes long, and starts first.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <elf.h>
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

#define NOTE_NAME	"kselftest"
#define NOTE_RUNS_ALONE	1
#define NOTE_TAKES_LONG	2
#define MAX_NOTES	65536

struct test {
	const char *path;
	const char *name;	/* the path's last part */
	off_t size;
	bool alone, takes_long;	/* its notes say so */
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
static bool any_failed;
static int timeout, max_jobs;
static bool fail_fast, progress;

/* Cases, and programs without any. */
static struct {
	int pass, fail, xfail, xpass, skip, error;
} total;

/* Where programs are copied to; NULL if they run where they are. */
static const char *copies;

/* The box's launcher finds what was running in the kernel's log. */
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

static bool is_set(const char *variable)
{
	const char *text = getenv(variable);

	return text && *text;
}

/* It does not matter where this is not permitted. */
static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		errno = 0;
}

/* The kernel tells the number of KeyIDs only while the controller is on. */
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

/* Kills a test and all that it started, which may be in process groups of its own. */
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
		/* The name is in parentheses, and may contain some. */
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
	if (progress) {
		printf("# running %d of %d: %s\n", (int)(test - tests) + 1, nr_tests,
		       test->name);
		fflush(stdout);
	}
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

/* Does a line report a case?  Counts it if so. */
static bool count_case(const char *line)
{
	const char *directive = strstr(line, " # ");
	bool ok = !strncmp(line, "ok ", 3);

	if (!ok && strncmp(line, "not ok ", 7))
		return false;
	if (!ok)
		total.fail++;
	else if (directive && !strncmp(directive, " # SKIP", 7))
		total.skip++;
	else if (directive && !strncmp(directive, " # XFAIL", 8))
		total.xfail++;
	else if (directive && !strncmp(directive, " # XPASS", 8))
		total.xpass++;
	else
		total.pass++;
	return true;
}

static bool is_version(const char *line)
{
	return !strncmp(line, "TAP version ", 12) || !strncmp(line, "KTAP version ", 13);
}

/* KTAP has a plan that comes before the first case. */
static bool is_ktap(FILE *output, char **line, size_t *size)
{
	bool ktap = false;
	int cases;

	while (!ktap && getline(line, size, output) >= 0)
		ktap = sscanf(*line, "1..%d", &cases) == 1 && cases > 0;
	rewind(output);
	return ktap;
}

/* Prints what a test wrote.  Returns false if there were no cases in it. */
static bool report_output(const struct test *test)
{
	FILE *output = fdopen(test->output, "r");
	const char *indent = "# ";
	bool cases = false;
	char *line = NULL;
	size_t size = 0;
	bool ktap;

	rewind(output);
	ktap = is_ktap(output, &line, &size);
	if (ktap) {
		indent = "  ";
		printf("%sKTAP version 1\n%s# Subtest: selftests: kvm: %s\n", indent,
		       indent, test->name);
	} else {
		printf("# selftests: kvm: %s\n", test->name);
	}
	while (getline(&line, &size, output) >= 0) {
		/* A second version line would begin another level. */
		if (ktap && is_version(line))
			continue;
		cases |= ktap && count_case(line);
		printf("%s%s%s", indent, line, strchr(line, '\n') ? "" : "\n");
	}
	free(line);
	fclose(output);
	return cases;
}

static void report(const struct test *test)
{
	const int failures = total.fail;
	bool cases = report_output(test);
	int number = test - tests + 1;

	printf("%sok %d selftests: kvm: %s", has_failed(test) ? "not " : "",
	       number, test->name);
	if (test->timed_out)
		printf(" # TIMEOUT %d seconds\n", timeout);
	else if (has_failed(test))
		printf(" # exit=%d\n", test->status);
	else
		puts(test->status ? " # SKIP" : "");
	fflush(stdout);

	if (has_failed(test)) {
		any_failed = true;
		if (!cases)
			total.fail++;
		else if (total.fail == failures)
			total.error++;
	} else if (!cases) {
		if (test->status)
			total.skip++;
		else
			total.pass++;
	}
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
		/* The reader is gone. */
		if (ferror(stdout))
			return SIGPIPE;
	}
	return 0;
}

/*
 * Those that take long would run on their own if they were started last.  Of the others,
 * the largest have the most cases.  With fail_fast the test named first is the one most
 * likely to fail.
 */
static int compare(const void *a, const void *b)
{
	const struct test *x = a, *y = b;

	if (fail_fast && (!x->rank || !y->rank))
		return x->rank - y->rank;
	if (x->alone != y->alone)
		return x->alone - y->alone;
	if (x->alone || fail_fast)
		return x->rank - y->rank;
	if (x->takes_long != y->takes_long)
		return y->takes_long - x->takes_long;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->rank - y->rank;
}

/* A segment of notes. */
static void take_notes(struct test *test, const char *notes, size_t size, size_t align)
{
	size_t at = 0;

	if (align < 4)
		align = 4;
	while (at + sizeof(Elf64_Nhdr) <= size) {
		const Elf64_Nhdr *note = (const void *)(notes + at);
		size_t name = at + sizeof(*note);
		size_t desc = name + ((note->n_namesz + align - 1) & -align);

		if (note->n_namesz > MAX_NOTES || note->n_descsz > MAX_NOTES)
			return;
		if (note->n_namesz == sizeof(NOTE_NAME) &&
		    name + sizeof(NOTE_NAME) <= size &&
		    !memcmp(notes + name, NOTE_NAME, sizeof(NOTE_NAME))) {
			test->alone |= note->n_type == NOTE_RUNS_ALONE;
			test->takes_long |= note->n_type == NOTE_TAKES_LONG;
		}
		at = desc + ((note->n_descsz + align - 1) & -align);
	}
}

static void read_notes(struct test *test)
{
	static char notes[MAX_NOTES];
	int fd = open(test->path, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr segment;
	Elf64_Ehdr elf;
	ssize_t size;

	if (fd < 0)
		return;
	if (pread(fd, &elf, sizeof(elf), 0) != sizeof(elf) ||
	    memcmp(elf.e_ident, ELFMAG, SELFMAG) ||
	    elf.e_ident[EI_CLASS] != ELFCLASS64)
		elf.e_phnum = 0;
	for (int i = 0; i < elf.e_phnum; i++) {
		if (pread(fd, &segment, sizeof(segment),
			  elf.e_phoff + i * sizeof(segment)) != sizeof(segment))
			break;
		if (segment.p_type != PT_NOTE || segment.p_filesz > sizeof(notes))
			continue;
		size = pread(fd, notes, segment.p_filesz, segment.p_offset);
		if (size == (ssize_t)segment.p_filesz)
			take_notes(test, notes, size, segment.p_align);
	}
	close(fd);
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
		read_notes(test);
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
	fail_fast = is_set("TEST_FAIL_FAST");
	progress = is_set("TEST_PROGRESS");
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
	printf("# Totals: pass:%d fail:%d xfail:%d xpass:%d skip:%d error:%d\n",
	       total.pass, total.fail, total.xfail, total.xpass, total.skip, total.error);
	return any_failed;
}
