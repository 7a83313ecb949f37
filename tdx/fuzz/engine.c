// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer for programs that run elsewhere: in the box, or on a TDX host.
 *
 * x86/tdx_ioctl_fuzz takes programs on stdin and answers with the PCs that the kernel went
 * through, which become libFuzzer's extra counters, and with what it found.  This side
 * survives a kernel that doesn't: it keeps the program, starts the command again and goes
 * on.
 *
 * FUZZ_COMMAND		the shell's command that runs "tdx_ioctl_fuzz --serve"
 * FUZZ_LOG		where that command leaves the kernel's log; may be empty
 * FUZZ_DIR		gets findings (N.bytes, N.text and, of a kernel that died, N.log), the PCs
 *			(pcs) and the number of programs (programs)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* As in include/x86/tdx/fuzz.h and x86/tdx_ioctl_fuzz.c. */
#define STEP_BYTES	14
/* Of a step's bytes, see lib/x86/tdx/fuzz_decode.c. */
#define NO_CHANGE	0x80
#define ON_VCPU_1	0x08

#define MAX_PCS		32768
#define MAX_TEXT	16384
#define ANSWER_MAGIC	0x7a7a7566

#define BOOT_MS		240000
#define ANSWER_MS	240000
#define MAX_KINDS	200
#define LOG_TAIL	65536

/* libFuzzer looks here after each input, so the variable is not static. */
__attribute__((section("__libfuzzer_extra_counters")))
uint8_t fuzz_counters[1 << 16];

static struct answer {
	uint32_t magic, nr_pcs, text_len;
} answer;

static uint32_t pcs[MAX_PCS];
static uint8_t counts[MAX_PCS];
static char text[MAX_TEXT + 1];

static pid_t child;
static int to_child, from_child;
static const char *dir;
static unsigned long programs;

static void die(const char *what)
{
	fprintf(stderr, "fuzz-kvm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static FILE *create(const char *name, const char *suffix, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
	f = fopen(path, mode);
	if (!f)
		die(path);
	return f;
}

static bool send_all(const void *data, size_t size)
{
	for (ssize_t n; size; data += n, size -= n) {
		n = write(to_child, data, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

static bool receive(void *data, size_t size, int ms)
{
	struct pollfd p = { .fd = from_child, .events = POLLIN };

	/* libFuzzer has a timer, so calls are interrupted now and then. */
	for (ssize_t n; size; data += n, size -= n) {
		n = poll(&p, 1, ms);
		if (n > 0)
			n = read(from_child, data, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return false;
	}
	return true;
}

/* The selftests lib may print something first. */
static bool receive_magic(int ms)
{
	for (int skipped = 0; skipped < 1000; skipped++) {
		uint8_t *bytes = (uint8_t *)&answer.magic;

		memmove(bytes, bytes + 1, sizeof(answer.magic) - 1);
		if (!receive(bytes + sizeof(answer.magic) - 1, 1, ms))
			return false;
		if (answer.magic == ANSWER_MAGIC)
			return true;
	}
	return false;
}

static bool receive_answer(int ms)
{
	answer.magic = 0;
	if (!receive_magic(ms) ||
	    !receive(&answer.nr_pcs, sizeof(answer) - sizeof(answer.magic), ms) ||
	    answer.nr_pcs > MAX_PCS || answer.text_len > MAX_TEXT)
		return false;
	text[answer.text_len] = '\0';
	return receive(pcs, answer.nr_pcs * sizeof(pcs[0]), ms) &&
	       receive(counts, answer.nr_pcs, ms) && receive(text, answer.text_len, ms);
}

static void stop(void)
{
	if (!child)
		return;
	close(to_child);
	close(from_child);
	kill(-child, SIGTERM);
	for (int i = 0; i < 100 && !waitpid(child, NULL, WNOHANG); i++)
		usleep(100000);
	kill(-child, SIGKILL);
	child = 0;
}

static void start(void)
{
	const char *command = getenv("FUZZ_COMMAND");
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_child = in[1];
	from_child = out[0];
	if (!receive_answer(BOOT_MS)) {
		fprintf(stderr, "fuzz-kvm: nothing came from: %s\n", command);
		exit(1);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	dir = getenv("FUZZ_DIR");
	if (!dir || !getenv("FUZZ_COMMAND")) {
		fprintf(stderr, "fuzz-kvm: FUZZ_DIR or FUZZ_COMMAND is missing\n");
		exit(1);
	}
	signal(SIGPIPE, SIG_IGN);
	start();
	atexit(stop);
	return 0;
}

/* A kind of finding is its text without numbers. */
static bool is_new_kind(const char *what)
{
	static uint64_t kinds[MAX_KINDS];
	static int nr;
	uint64_t hash = 14695981039346656037ull;
	bool in_number = false;

	for (; *what; what++) {
		in_number = (*what >= '0' && *what <= '9') ||
			    (in_number && strchr("abcdefx", *what));
		if (!in_number)
			hash = (hash ^ (uint8_t)*what) * 1099511628211ull;
	}
	for (int i = 0; i < nr; i++)
		if (kinds[i] == hash)
			return false;
	if (nr == MAX_KINDS)
		return false;
	kinds[nr++] = hash;
	return true;
}

static void keep_log(const char *name)
{
	const char *path = getenv("FUZZ_LOG");
	static char tail[LOG_TAIL];
	FILE *from = path && *path ? fopen(path, "r") : NULL, *to;
	size_t size;

	if (!from)
		return;
	if (fseek(from, -LOG_TAIL, SEEK_END))
		rewind(from);
	size = fread(tail, 1, sizeof(tail), from);
	fclose(from);
	to = create(name, ".log", "w");
	fwrite(tail, 1, size, to);
	fclose(to);
}

static void keep_finding(const uint8_t *data, size_t size, const char *what, bool died)
{
	static int nr;
	char name[32];
	FILE *f;

	if (!is_new_kind(what))
		return;
	snprintf(name, sizeof(name), "%d", ++nr);
	f = create(name, ".bytes", "w");
	fwrite(data, 1, size, f);
	fclose(f);
	f = create(name, ".text", "w");
	fputs(what, f);
	fclose(f);
	if (died)
		keep_log(name);
	fprintf(stderr, "fuzz-kvm: finding %d after %lu programs: %.*s\n", nr, programs,
		(int)strcspn(what, "\n"), what);
}

/* After these the kernel does not see the same again, or is not what it was. */
static bool wants_fresh_kernel(void)
{
	static const char *const words[] = {
		"lock", "RCU", "KASAN", "BUG:", "HANG", "KEYIDS", "CHARGE", "Oops", NULL
	};

	for (int i = 0; words[i]; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

static void take_pcs(void)
{
	static uint32_t seen[1 << 18];
	static FILE *file;

	if (!file)
		file = create("pcs", "", "a");
	for (uint32_t i = 0; i < answer.nr_pcs; i++) {
		uint32_t hash = pcs[i] * 0x9e3779b1u, at = hash >> 14;

		fuzz_counters[hash >> 16] = counts[i];
		while (seen[at] && seen[at] != pcs[i])
			at = (at + 1) % (1 << 18);
		if (!seen[at])
			fprintf(file, "0x%x\n", pcs[i]);
		seen[at] = pcs[i];
	}
	fflush(file);
}

static void count_program(void)
{
	FILE *f = create("programs", "", "w");

	fprintf(f, "%lu\n", ++programs);
	fclose(f);
}

static void died(const uint8_t *data, size_t size)
{
	static char what[100];
	static int nr;

	/* What a kernel died of is in its log, which others read. */
	snprintf(what, sizeof(what), "DIED %c%c\n", 'a' + nr / 26 % 26, 'a' + nr % 26);
	nr++;
	stop();
	keep_finding(data, size, what, true);
	start();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint32_t len = size;

	if (size < STEP_BYTES)
		return -1;
	count_program();
	if (!send_all(&len, sizeof(len)) || !send_all(data, size) || !receive_answer(ANSWER_MS)) {
		died(data, size);
		return 0;
	}
	take_pcs();
	if (answer.text_len) {
		keep_finding(data, size, text, false);
		if (wants_fresh_kernel()) {
			stop();
			start();
		}
	}
	return 0;
}

/* Mutations of whole steps, beside libFuzzer's own in one of them. */
static unsigned int rnd(unsigned int *seed, unsigned int limit)
{
	return limit ? rand_r(seed) % limit : 0;
}

static void random_change(uint8_t *change, unsigned int *seed)
{
	change[0] = rnd(seed, 32);
	change[1] = rnd(seed, 256);
	change[2] = rnd(seed, 256);
}

/* Many steps come from the first thread, change a field or two, or are the guest's. */
static void random_step(uint8_t *step, unsigned int *seed)
{
	memset(step, NO_CHANGE, STEP_BYTES);
	step[0] = rnd(seed, 3) ? rnd(seed, 256) : 1 + rnd(seed, 10);
	step[1] = rnd(seed, 2) ? rnd(seed, 256) & 0xeb : rnd(seed, 8) ? 0 : ON_VCPU_1;
	for (unsigned int i = rnd(seed, 4); i; i--)
		random_change(step + 2 + 3 * (i - 1), seed);
}

static size_t insert_steps(uint8_t *data, size_t nr, size_t at, size_t more, unsigned int *seed)
{
	uint8_t *step = data + (nr ? at + 1 : 0) * STEP_BYTES;

	memmove(step + more * STEP_BYTES, step, data + nr * STEP_BYTES - step);
	for (size_t i = 0; i < more; i++)
		random_step(step + i * STEP_BYTES, seed);
	return (nr + more) * STEP_BYTES;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t nr = size / STEP_BYTES, max = max_size / STEP_BYTES, at = rnd(&seed, nr), more;
	uint8_t *step = data + at * STEP_BYTES;

	switch (rnd(&seed, 8)) {
	case 0:
		if (nr > 1) {
			memmove(step, step + STEP_BYTES, (nr - at - 1) * STEP_BYTES);
			return (nr - 1) * STEP_BYTES;
		}
		/* fallthrough */
	case 1:
	case 2:
	case 3:
		more = 1 + rnd(&seed, 4);
		if (nr + more <= max)
			return insert_steps(data, nr, at, more, &seed);
		/* fallthrough */
	case 4:
		random_step(step, &seed);
		break;
	case 5:
		random_change(step + 2 + 3 * rnd(&seed, 4), &seed);
		break;
	case 6:
		/* Beside the step before, in another thread. */
		step[1] = (step[1] & ~3) | 0xe0 | (1 + rnd(&seed, 2));
		break;
	default:
		step[rnd(&seed, STEP_BYTES)] = rnd(&seed, 256);
	}
	return nr * STEP_BYTES ?: STEP_BYTES;
}

/* The first steps of one and the last of another, but not its launch. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data1, size_t size1, const uint8_t *data2,
				 size_t size2, uint8_t *out, size_t max_size, unsigned int seed)
{
	size_t first = (1 + rnd(&seed, size1 / STEP_BYTES)) * STEP_BYTES;
	size_t from = (1 + rnd(&seed, size2 / STEP_BYTES)) * STEP_BYTES;
	size_t more = size2 > from ? size2 - from : 0;

	if (size1 < first)
		first = size1;
	if (first > max_size)
		first = max_size;
	if (more > max_size - first)
		more = max_size - first;
	memcpy(out, data1, first);
	memcpy(out + first, data2 + from, more);
	return (first + more) / STEP_BYTES * STEP_BYTES;
}
