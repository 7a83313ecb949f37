// SPDX-License-Identifier: GPL-2.0
/*
 * Random programs of ioctls and of requests to a TD's guest.  KVM may refuse what it likes,
 * but it must not complain, hang, lose a KeyID or a cgroup's charge, or harm a guest that
 * was left in peace.
 *
 *	tdx_ioctl_fuzz [SECONDS [SEED]]	random programs, by itself (60)
 *	tdx_ioctl_fuzz --replay FILE	the program in a file, see include/x86/tdx/fuzz.h
 *	tdx_ioctl_fuzz --serve		programs as bytes or text on stdin, what came of them
 *					and which code of the kernel ran on stdout; for
 *					"make fuzz-kvm"
 *	tdx_ioctl_fuzz --seeds DIR	writes programs to start from, as bytes
 *	tdx_ioctl_fuzz --text, --c	the bytes on stdin as text, the text on stdin as C
 *
 * fuzz_is_deadly() leaves out what is known to bring a host down.  Where TDX_MAY_HARM_HOST
 * is not set, no two steps happen at the same time, either.
 */
#include <kselftest.h>

#include "tdx/fuzz.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"

#define MAX_BYTES	(FUZZ_MAX_STEPS * FUZZ_STEP_BYTES)
#define MAX_TEXT	16384
#define MAX_PROGRAM	65536

/* What --serve answers, followed by the PCs, their counts, and the text. */
#define ANSWER_MAGIC	0x7a7a7566

struct answer {
	u32 magic;
	u32 nr_pcs;
	u32 text_len;
};

/* Not in .bss, as that would be part of each TD. */
static char *text;

static bool read_all(void *data, size_t size)
{
	for (ssize_t n; size; data += n, size -= n) {
		n = read(0, data, size);
		if (n <= 0)
			return false;
	}
	return true;
}

static void write_all(int fd, const void *data, size_t size)
{
	for (ssize_t n; size; data += n, size -= n) {
		n = write(fd, data, size);
		if (n <= 0)
			exit(KSFT_FAIL);
	}
}

static void write_answer(int fd, const struct fuzz_coverage *coverage)
{
	const struct answer answer = {
		ANSWER_MAGIC, coverage ? coverage->nr : 0, strlen(text),
	};

	write_all(fd, &answer, sizeof(answer));
	if (coverage) {
		write_all(fd, coverage->pc, coverage->nr * sizeof(coverage->pc[0]));
		write_all(fd, coverage->count, coverage->nr);
	}
	write_all(fd, text, strlen(text));
}

/* A length with the top bit set says that the program is text. */
#define IS_TEXT	BIT(31)

static const char *read_program(struct fuzz_program *p, u32 len)
{
	static char *input;
	const char *wrong;
	FILE *f;

	if (!input)
		input = malloc(MAX_PROGRAM);
	if ((len & ~IS_TEXT) >= MAX_PROGRAM || !read_all(input, len & ~IS_TEXT))
		exit(KSFT_FAIL);
	if (!(len & IS_TEXT)) {
		fuzz_decode(p, (u8 *)input, len);
		return NULL;
	}
	f = fmemopen(input, (len & ~IS_TEXT) ?: 1, "r");
	wrong = fuzz_parse(p, f);
	fclose(f);
	return wrong;
}

static int serve(void)
{
	struct fuzz_coverage *coverage = fuzz_coverage_open();
	struct fuzz_program p;
	const char *wrong;
	int out = dup(1);
	u32 len;

	/* What the lib prints is nobody's. */
	dup2(open("/dev/null", O_WRONLY), 1);
	dup2(1, 2);
	fuzz_log_open();
	text[0] = '\0';
	write_answer(out, coverage);

	while (read_all(&len, sizeof(len))) {
		if (coverage)
			fuzz_coverage_reset(coverage);
		wrong = read_program(&p, len);
		if (wrong)
			snprintf(text, MAX_TEXT, "WRONG: %s\n", wrong);
		else
			fuzz_try(&p, len & IS_TEXT, text, MAX_TEXT);
		write_answer(out, coverage);
	}
	return 0;
}

static int replay(const char *path)
{
	struct fuzz_program p;
	const char *wrong;
	FILE *f = fopen(path, "r");

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return KSFT_FAIL;
	}
	wrong = fuzz_parse(&p, f);
	fclose(f);
	if (wrong) {
		fprintf(stderr, "%s: %s\n", path, wrong);
		return KSFT_FAIL;
	}
	fuzz_log_open();
	fuzz_try(&p, true, text, MAX_TEXT);
	fputs(text, stdout);
	return text[0] ? KSFT_FAIL : 0;
}

static int print(bool as_c)
{
	u8 input[MAX_BYTES];
	struct fuzz_program p;
	const char *wrong = NULL;

	if (as_c)
		wrong = fuzz_parse(&p, stdin);
	else
		fuzz_decode(&p, input, fread(input, 1, sizeof(input), stdin));
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		return KSFT_FAIL;
	}
	if (as_c)
		fuzz_print_c(&p, stdout);
	else
		fuzz_print(&p, stdout);
	return 0;
}

static void random_program(struct fuzz_program *p, unsigned int *seed)
{
	u8 data[MAX_BYTES];
	size_t size = FUZZ_STEP_BYTES * (2 + rand_r(seed) % 10);

	for (int i = 0; i < size; i++)
		data[i] = rand_r(seed) >> 8;
	/* Most programs begin with a TD that runs. */
	if (rand_r(seed) % 8) {
		memset(data, 0x80, FUZZ_STEP_BYTES);
		data[0] = data[1] = 0;
	}
	fuzz_decode(p, data, size);
}

static int fuzz_alone(int seconds, unsigned int seed)
{
	time_t end = time(NULL) + seconds;
	struct fuzz_program p;
	int nr = 0, found = 0;

	printf("# without the kernel's coverage; seed %u\n", seed);
	fuzz_log_open();
	for (; time(NULL) < end; nr++) {
		random_program(&p, &seed);
		fuzz_try(&p, false, text, MAX_TEXT);
		if (!text[0])
			continue;
		found++;
		printf("# found:\n%s", text);
		fuzz_print(&p, stdout);
		fflush(stdout);
	}
	printf("# %d programs, %d findings\n", nr, found);
	return found ? KSFT_FAIL : 0;
}

#define USAGE	"[SECONDS [SEED]] | --replay FILE | --serve | --seeds DIR | --text | --c"

static int refuse(const char *name)
{
	fprintf(stderr, "usage: %s %s\n", name, USAGE);
	return KSFT_FAIL;
}

int main(int argc, char *argv[])
{
	const char *word = argc > 1 ? argv[1] : "60";

	text = calloc(1, MAX_TEXT);
	if (!strcmp(word, "--text") || !strcmp(word, "--c"))
		return print(!strcmp(word, "--c"));
	if (!strcmp(word, "--seeds") && argc == 3) {
		fuzz_write_seeds(argv[2]);
		return 0;
	}
	if (argc > 3 || (word[0] == '-' && strcmp(word, "--serve") && strcmp(word, "--replay")))
		return refuse(argv[0]);

	TEST_REQUIRE(is_tdx_supported());
	__TEST_REQUIRE(may_harm_host() || !panics_on_warning(), PANICS_ON_WARNING);
	if (!strcmp(word, "--serve"))
		return serve();
	if (!strcmp(word, "--replay"))
		return argc == 3 ? replay(argv[2]) : refuse(argv[0]);
	if (atoi(word) < 1)
		return refuse(argv[0]);
	return fuzz_alone(atoi(word), argc == 3 ? atoi(argv[2]) : time(NULL));
}
