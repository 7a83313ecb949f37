// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of KVM's, on a TD in every stage of its life, with every field of its
 * argument at its edges.
 *
 * The other tests try what their authors thought of.  This one has tables of what there
 * is (lib/x86/tdx/ioctl_sweep_*.c); an ioctl of <linux/kvm.h> that is not in them, and a
 * byte of an argument that is no field, fail the test.
 *
 * For each call the right answer is one of: refused with an errno that the table
 * expects; accepted, in a stage where KVM accepts it, without effect on what a TD is
 * promised.  Afterwards the TD goes on from where it was: its guest gets to its end and
 * finds its memory and its registers as they were.  Neither may the kernel complain, nor
 * may a call hang, nor may the TD's KeyID be lost.
 *
 * Calls are made in processes, each with a TD of its own.  As long as all goes well, a
 * process makes many calls.  If something goes wrong, "make ioctl-sweep" finds out which
 * call it was.  It does that in fresh kernels, as a bug may bring one down or spoil it for
 * TDs.
 *
 * Without options the test tries each row in two stages, and leaves out known bugs.  "make
 * ioctl-sweep" runs the long form, all of it.
 */
#include <fnmatch.h>
#include <getopt.h>
#include <kselftest.h>
#include <sys/personality.h>
#include <unistd.h>

#include "tdx/generic/may_harm_host.h"
#include "tdx/generic/runner_notes.h"
#include "tdx/ioctl_sweep_play.h"

/* What other tests make the kernel say is no answer to this one's calls. */
TDX_TEST_RUNS_ALONE;

#define MAX_LEFT_OUT	256

static struct {
	bool whole;		/* all stages and known bugs, a process for each field */
	bool careful;		/* a process for each call */
	const char *row, *stage;	/* only that */
	int first, end;			/* only these calls of it */
	const char *from;		/* ROW/STAGE where to begin */
	const char *left_out[MAX_LEFT_OUT];	/* ROW/STAGE/FIELD, or patterns */
	int nr_left_out;
} options = { .first = SWEEP_SANE, .end = INT_MAX };

/* What has come of each row. */
static struct {
	struct sweep_answers answers;
	bool tried, failed;
} outcomes[SWEEP_MAX_ROWS];

/*
 * Known bugs, because of which the kernel warns or worse.  Other tests have cases for them;
 * here they are left out of the short form.
 */
#define NO_INIT_VCPU	SWEEP_BETWEEN(SWEEP_INIT_VM, SWEEP_VCPU)
#define RUNS		SWEEP_BETWEEN(SWEEP_VCPU, SWEEP_EXIT)
#define WITH_VCPU	SWEEP_FROM(SWEEP_VCPU)

static const struct {
	const char *row, *field;	/* a field of NULL: all of them */
	u32 stages;
	bool harms_host;
	const char *what;
} known[] = {
	{ "KVM_SET_VCPU_EVENTS", "smi.smm", WITH_VCPU, true,
	  "SMM makes a TD's vCPU leave nested virtualization" },
	{ "KVM_SET_VCPU_EVENTS", "smi.pending", RUNS, false, "an SMI is accepted for a TD" },
	{ "KVM_SET_NESTED_STATE", NULL, WITH_VCPU, true,
	  "a TD's vCPU leaves nested virtualization" },
	{ "KVM_GET_NESTED_STATE", NULL, WITH_VCPU, true,
	  "a TD's vCPU is taken for a VMX vCPU" },
	{ "KVM_MEMORY_ENCRYPT_OP KVM_TDX_FINALIZE_VM", NULL, NO_INIT_VCPU, false,
	  "only the module checks that a vCPU is initialized" },
	{ "KVM_MEMORY_ENCRYPT_OP KVM_TDX_CAPABILITIES", "cmd.id", NO_INIT_VCPU, false,
	  "only the module checks that a vCPU is initialized" },
	{ "KVM_MEMORY_ENCRYPT_OP KVM_TDX_INIT_VM", "cmd.id", NO_INIT_VCPU, false,
	  "only the module checks that a vCPU is initialized" },
	{ "KVM_SET_USER_MEMORY_REGION", "guest_phys_addr", SWEEP_FROM(SWEEP_NEW), true,
	  "a memslot beyond the TD's width that goes takes other pages with it" },
	{ "KVM_SET_USER_MEMORY_REGION2", "guest_phys_addr", SWEEP_FROM(SWEEP_NEW), true,
	  "a memslot beyond the TD's width that goes takes other pages with it" },
	{ "KVM_PRE_FAULT_MEMORY", "gpa", SWEEP_BETWEEN(SWEEP_FINAL, SWEEP_SHUTDOWN), false,
	  "a GPA beyond the TD's width is looked for until a signal comes" },
	{ "KVM_RUN", NULL, SWEEP_ONLY(SWEEP_SHUTDOWN), false,
	  "KVM can't print the RIP of a vCPU that has shut down" },
	{ "KVM_RUN struct kvm_run", NULL, SWEEP_ONLY(SWEEP_SHUTDOWN), false,
	  "KVM can't print the RIP of a vCPU that has shut down" },
	{ "KVM_PRE_FAULT_MEMORY", NULL, SWEEP_ONLY(SWEEP_VCPU), false,
	  "a vCPU has no page tables before it is initialized" },
};

/* Is the @i-th of them left out of this run? */
static bool leaves_out_known(int i)
{
	return !options.whole || (known[i].harms_host && !may_harm_host());
}

static bool is_known(const struct sweep_row *row, enum sweep_stage stage, const char *field)
{
	for (int i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(row->name, known[i].row) && known[i].stages & BIT(stage) &&
		    (!known[i].field || !strcmp(field, known[i].field)))
			return leaves_out_known(i);
	return false;
}

static bool is_left_out(const struct sweep_row *row, enum sweep_stage stage, int call)
{
	const char *field = sweep_field_name(row, call);
	char path[2 * SWEEP_MAX_NAME];

	if (is_known(row, stage, field))
		return true;
	snprintf(path, sizeof(path), "%s/%s/%s", row->name, sweep_stage_names[stage], field);
	for (int i = 0; i < options.nr_left_out; i++)
		if (!fnmatch(options.left_out[i], path, 0))
			return true;
	return false;
}

/* The value that a call tries, in words. */
static const char *call_name(const struct sweep_row *row, int call)
{
	static char name[SWEEP_MAX_NAME];
	u8 *mem;

	if (call == SWEEP_SANE)
		return "sane";
	mem = calloc(1, row->size ?: sizeof(u64));
	TEST_ASSERT(mem, "-ENOMEM when allocating an argument");
	sweep_apply_value(row, call, row->size ? mem : NULL, name, sizeof(name));
	free(mem);
	return name;
}

static void print_calls(const char *event, int i, enum sweep_stage stage, int first, int end,
			const char *what)
{
	const struct sweep_row *row = sweep_row(i);

	ksft_print_msg("%s: %s/%s/%s calls %d to %d: %s\n", event, row->name,
		       sweep_stage_names[stage], sweep_field_name(row, end - 1), first, end,
		       what);
}

static void print_finding(const struct sweep_calls *calls, const struct sweep_report *report,
			  const char *what)
{
	const bool last = report->verdict[0];
	const int i = last ? report->last_row : calls->rows[0];
	const int end = last ? report->last_call + 1 :
			       min(calls->end, sweep_nr_calls(sweep_row(i)));
	const int first = min(calls->first, end - 1);

	print_calls("found", i, calls->stage, first, end, what);
	ksft_print_msg("the first is %s,\n", call_name(sweep_row(i), first));
	ksft_print_msg("the last is %s\n", call_name(sweep_row(i), end - 1));
}

static void add_up(const struct sweep_calls *calls, const struct sweep_report *report)
{
	for (int i = 0; i < calls->nr_rows; i++) {
		const int row = calls->rows[i];
		const struct sweep_answers *new = &report->answers[row];
		struct sweep_answers *sum = &outcomes[row].answers;

		outcomes[row].tried = true;
		sum->accepted += new->accepted;
		for (int e = 0; e < SWEEP_MAX_ERRNO; e++)
			sum->refused[e] += new->refused[e];
	}
}

/*
 * One row
 */
static void sweep_calls(struct sweep_calls *calls)
{
	const struct sweep_report *report;
	const int i = calls->rows[0];
	char what[1024];

	if (options.whole)
		print_calls("try", i, calls->stage, calls->first, calls->end,
			    call_name(sweep_row(i), calls->first));
	report = sweep_play(calls, what, sizeof(what));
	if (report->no_such_stage)
		ksft_print_msg("no TD of this host gets to stage %s\n",
			       sweep_stage_names[calls->stage]);
	add_up(calls, report);
	if (!what[0])
		return;

	outcomes[i].failed = true;
	print_finding(calls, report, what);
	/* The kernel may be spoiled.  "make ioctl-sweep" goes on in a fresh one. */
	if (options.whole)
		exit(KSFT_FAIL);
}

/* Returns the end of the calls that one process makes. */
static int end_of_calls(const struct sweep_row *row, int first, int end)
{
	int next = first + 1;

	if (options.careful)
		return next;
	if (!options.whole || options.end != INT_MAX || row->others)
		return end;
	while (next < end && !strcmp(sweep_field_name(row, next), sweep_field_name(row, first)))
		next++;
	return next;
}

static void sweep_stage(int i, enum sweep_stage stage)
{
	struct sweep_calls calls = {
		.stage = stage,
		.rows = { i },
		.nr_rows = 1,
		.first = options.first,
		.is_left_out = is_left_out,
	};
	const struct sweep_row *row = sweep_row(i);
	const int end = min(sweep_nr_calls(row), options.end);

	for (; calls.first < end; calls.first = calls.end) {
		calls.end = end_of_calls(row, calls.first, end);
		if (calls.end != calls.first + 1 || !is_left_out(row, stage, calls.first))
			sweep_calls(&calls);
	}
}

/* Does the stage have the row's file descriptor?  The system has little to do with it. */
static bool has_fd(const struct sweep_row *row, enum sweep_stage stage)
{
	if (row->fd == SWEEP_FD_SYSTEM)
		return stage == SWEEP_RAN || stage == SWEEP_DEAD;
	return row->fd == SWEEP_FD_VM || stage >= SWEEP_VCPU;
}

static bool is_wanted(const struct sweep_row *row, enum sweep_stage stage)
{
	static bool begun;
	char path[SWEEP_MAX_NAME];

	snprintf(path, sizeof(path), "%s/%s", row->name, sweep_stage_names[stage]);
	if (!options.from || !strcmp(options.from, path))
		begun = true;
	return begun && has_fd(row, stage) &&
	       (!options.row || !strcmp(options.row, row->name)) &&
	       (!options.stage || !strcmp(options.stage, sweep_stage_names[stage]));
}

/*
 * The short form: rows share a TD, in two stages that differ much.
 */
static bool is_in_short_form(const struct sweep_row *row, enum sweep_stage stage)
{
	/* A TD that has run refuses what would make it something else. */
	if (stage == SWEEP_RAN)
		return true;
	return stage == SWEEP_VCPU && has_fd(row, stage) && !row->ends &&
	       (row->may_stop || !row->nr_fields || !row->fields[0].selects);
}

static void sweep_together(enum sweep_stage stage, bool may_stop)
{
	struct sweep_calls calls = {
		.stage = stage,
		.first = SWEEP_SANE,
		.end = INT_MAX,
		.is_left_out = is_left_out,
	};
	const struct sweep_report *report;
	char what[1024];

	for (int i = 0; i < sweep_nr_rows(); i++)
		if (is_in_short_form(sweep_row(i), stage) &&
		    !!(sweep_row(i)->may_stop & BIT(stage)) == may_stop)
			calls.rows[calls.nr_rows++] = i;

	report = sweep_play(&calls, what, sizeof(what));
	if (!what[0]) {
		add_up(&calls, report);
		return;
	}
	ksft_print_msg("%s, stage %s: %s; now one by one\n",
		       sweep_row(report->last_row)->name, sweep_stage_names[stage], what);
	for (int i = 0; i < calls.nr_rows; i++)
		sweep_stage(calls.rows[i], stage);
}

/*
 * Results
 */
static void print_answers(const struct sweep_answers *answers)
{
	char text[256];
	int len = sprintf(text, "%u accepted", answers->accepted);

	for (int e = 0; e < SWEEP_MAX_ERRNO; e++)
		if (answers->refused[e] && len < sizeof(text))
			len += snprintf(text + len, sizeof(text) - len, ", %u refused with %s",
					answers->refused[e], strerrorname_np(e) ?: "?");
	ksft_print_msg("%s\n", text);
}

static void print_known(const struct sweep_row *row)
{
	for (int i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(row->name, known[i].row) && leaves_out_known(i))
			ksft_print_msg("without %s: %s\n", known[i].field ?: "some stages",
				       known[i].what);
}

static void print_result(int i)
{
	const struct sweep_row *row = sweep_row(i);

	if (!outcomes[i].tried) {
		ksft_test_result_skip("%s\n", row->name);
		return;
	}
	print_known(row);
	print_answers(&outcomes[i].answers);
	ksft_test_result(!outcomes[i].failed, "%s\n", row->name);
}

static void sweep_short_form(void)
{
	for (int stage = 0; stage < SWEEP_NR_STAGES; stage++) {
		if (stage != SWEEP_VCPU && stage != SWEEP_RAN)
			continue;
		sweep_together(stage, false);
		sweep_together(stage, true);
	}
	for (int i = 0; i < sweep_nr_rows(); i++)
		print_result(i);
}

static void sweep_rows(void)
{
	for (int i = 0; i < sweep_nr_rows(); i++) {
		for (int stage = 0; stage < SWEEP_NR_STAGES; stage++)
			if (is_wanted(sweep_row(i), stage))
				sweep_stage(i, stage);
		print_result(i);
	}
}

static void check_tables(void)
{
	const char *name = sweep_ioctl_without_row();
	bool ok = !name;

	if (name)
		ksft_print_msg("%s has no row\n", name);
	for (int i = 0; i < sweep_nr_rows(); i++) {
		const int byte = sweep_uncovered_byte(sweep_row(i));

		if (byte < 0)
			continue;
		ksft_print_msg("%s: no field has byte %d\n", sweep_row(i)->name, byte);
		ok = false;
	}
	ksft_test_result(ok, "the tables are complete\n");
}

static void print_known_bugs(void)
{
	for (int i = 0; i < ARRAY_SIZE(known); i++)
		for (int stage = 0; stage < SWEEP_NR_STAGES; stage++)
			if (known[i].stages & BIT(stage))
				printf("%s/%s/%s: %s\n", known[i].row, sweep_stage_names[stage],
				       known[i].field ?: "*", known[i].what);
	exit(0);
}

static void print_usage(const char *name)
{
	fprintf(stderr,
		"usage: %s [-lck] [-r ROW] [-s STAGE] [-n FIRST:END] [-f ROW/STAGE] [-x ROW/STAGE/FIELD]...\n"
		"  -l  the long form: all stages, with known bugs, until something goes wrong\n"
		"  -c  a process for each call\n"
		"  -r  only this row, as in the results; -s only this stage; -n only these calls\n"
		"  -f  from here on\n"
		"  -x  without this field, or pattern of the shell's\n"
		"  -k  list the known bugs\n", name);
	exit(KSFT_FAIL);
}

static void parse_options(int argc, char *argv[])
{
	int option;

	while ((option = getopt(argc, argv, "lckr:s:n:f:x:")) != -1) {
		if (option == 'l')
			options.whole = true;
		else if (option == 'c')
			options.careful = true;
		else if (option == 'k')
			print_known_bugs();
		else if (option == 'r')
			options.row = optarg;
		else if (option == 's')
			options.stage = optarg;
		else if (option == 'f')
			options.from = optarg;
		else if (option == 'x' && options.nr_left_out < MAX_LEFT_OUT)
			options.left_out[options.nr_left_out++] = optarg;
		else if (option != 'n' ||
			 sscanf(optarg, "%d:%d", &options.first, &options.end) != 2)
			print_usage(argv[0]);
	}
	if (optind < argc)
		print_usage(argv[0]);
}

/* Addresses are values, too: with a bit changed they may still be addresses. */
static void use_same_addresses(char *argv[])
{
	const int persona = personality(0xffffffff);

	if (persona & ADDR_NO_RANDOMIZE || personality(persona | ADDR_NO_RANDOMIZE) < 0)
		return;
	execv("/proc/self/exe", argv);
}

int main(int argc, char *argv[])
{
	use_same_addresses(argv);
	parse_options(argc, argv);
	TEST_REQUIRE(is_tdx_supported());

	ksft_print_header();
	ksft_set_plan(1 + sweep_nr_rows());
	check_tables();
	sweep_play_init();
	if (options.whole || options.row || options.stage || options.from || options.careful)
		sweep_rows();
	else
		sweep_short_form();
	ksft_finished();
}
