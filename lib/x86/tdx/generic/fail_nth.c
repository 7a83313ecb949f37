// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_util.h"
#include "tdx/generic/fail_nth.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define FAIL_REST	"/proc/thread-self/make-it-fail"
#define SLAB		"/sys/kernel/debug/failslab/"
#define PAGE		"/sys/kernel/debug/fail_page_alloc/"

/* Higher than any order that there is: no page allocation fails. */
#define NO_ORDER	"99"

/* A setting of the kernel's: its value for each kind of failure, and before. */
static struct knob {
	const char *path;
	const char *values[NR_FAIL_NTH_KINDS];
	char old[32];
} knobs[] = {
	/* Threads that set make-it-fail, and no others, fail each time. */
	{ SLAB "task-filter",		{ "Y", "Y" } },
	{ PAGE "task-filter",		{ "Y", "Y" } },
	{ SLAB "probability",		{ "100", "100" } },
	{ PAGE "probability",		{ "100", "100" } },
	{ SLAB "interval",		{ "1", "1" } },
	{ PAGE "interval",		{ "1", "1" } },
	{ SLAB "space",			{ "0", "0" } },
	{ PAGE "space",			{ "0", "0" } },
	{ SLAB "times",			{ "-1", "-1" } },
	{ PAGE "times",			{ "-1", "-1" } },
	{ SLAB "verbose",		{ "0", "0" } },
	{ PAGE "verbose",		{ "0", "0" } },
	{ SLAB "ignore-gfp-wait",	{ "N", "N" } },
	{ PAGE "ignore-gfp-wait",	{ "N", "N" } },
	{ PAGE "ignore-gfp-highmem",	{ "N", "N" } },
	/* "Y" spares each cache that is not marked, and none is. */
	{ SLAB "cache-filter",		{ "N", "Y" } },
	{ PAGE "min-order",		{ NO_ORDER, "0" } },
};

static pid_t setup_pid;
static enum fail_nth_kind selected = NR_FAIL_NTH_KINDS;

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, text, size - 1);
	close(fd);
	if (len <= 0)
		return false;
	text[len] = 0;
	text[strcspn(text, "\n")] = 0;
	return true;
}

static bool write_text(const char *path, const char *text)
{
	const ssize_t len = strlen(text);
	int fd = open(path, O_WRONLY);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, len) == len;
	close(fd);
	return done;
}

/* In the reverse order, so that the filters go last. */
static void restore_knobs(void)
{
	if (getpid() != setup_pid)
		return;
	for (int i = ARRAY_SIZE(knobs) - 1; i >= 0; i--)
		write_text(knobs[i].path, knobs[i].old);
}

bool fail_nth_setup(void)
{
	if (access(FAIL_NTH, W_OK) || access(FAIL_REST, W_OK))
		return false;
	for (int i = 0; i < ARRAY_SIZE(knobs); i++) {
		if (access(knobs[i].path, W_OK) ||
		    !read_text(knobs[i].path, knobs[i].old, sizeof(knobs[i].old)))
			return false;
	}
	setup_pid = getpid();
	atexit(restore_knobs);
	return true;
}

void fail_nth_lock_memory(void)
{
	TEST_ASSERT(!mlockall(MCL_CURRENT), "Can't lock memory, errno %d", errno);
}

static void select_kind(enum fail_nth_kind kind)
{
	if (kind == selected)
		return;
	for (int i = 0; i < ARRAY_SIZE(knobs); i++)
		TEST_ASSERT(write_text(knobs[i].path, knobs[i].values[kind]),
			    "Can't set '%s', errno %d", knobs[i].path, errno);
	selected = kind;
}

static int open_writable(const char *path)
{
	int fd = open(path, O_RDWR);

	TEST_ASSERT(fd >= 0, "Can't open '%s', errno %d", path, errno);
	return fd;
}

bool fail_nth(const struct fail_nth *fail, int (*call)(void *arg), void *arg,
	      struct fail_nth_result *result)
{
	int nth_fd, rest_fd, len, written = 0;
	char nth[16], left[16] = "";

	select_kind(fail->kind);
	nth_fd = open_writable(FAIL_NTH);
	rest_fd = open_writable(FAIL_REST);
	len = snprintf(nth, sizeof(nth), "%u", fail->nth);

	/* Nothing fails before the nth, whatever make-it-fail says. */
	written += pwrite(nth_fd, nth, len, 0);
	if (fail->rest)
		written += pwrite(rest_fd, "1", 1, 0);
	result->ret = call(arg);
	result->error = result->ret < 0 ? errno : 0;
	written += pwrite(rest_fd, "0", 1, 0);
	pread(nth_fd, left, sizeof(left) - 1, 0);
	written += pwrite(nth_fd, "0", 1, 0);

	TEST_ASSERT_EQ(written, len + 2 + fail->rest);
	TEST_ASSERT(*left, "Can't read " FAIL_NTH);
	close(nth_fd);
	close(rest_fd);
	return !atoi(left);
}
