// SPDX-License-Identifier: GPL-2.0
/* Random programs as text. */
#include <ctype.h>

#include "tdx/fuzz_steps.h"

#define MAX_LINE	400

int fuzz_nr_fields(const struct fuzz_op *op)
{
	if (op->fields)
		return op->nr_fields;
	return max_t(int, 1, min_t(int, op->size / 8, 100));
}

/* Where there are no names, a field is a u64, or all of something smaller. */
struct fuzz_field fuzz_field(const struct fuzz_op *op, int i, char name[16])
{
	if (op->fields)
		return op->fields[i];
	snprintf(name, 16, "q%d", i);
	return (struct fuzz_field) { name, 8 * i, min_t(u16, 8, op->size) };
}

static char error[200];

#define WRONG(_fmt, ...)						\
({									\
	snprintf(error, sizeof(error), _fmt, ##__VA_ARGS__);		\
	error;								\
})

static const char *parse_change(struct fuzz_step *step, const char *word)
{
	size_t len = strcspn(word, "=^+");
	struct fuzz_change *change = &step->change[step->nr_changes];
	char name[16], *end;

	if (!word[len] || !len)
		return WRONG("no change of a field, FIELD=VALUE or with ^ or +: %.60s", word);
	if (step->nr_changes == FUZZ_MAX_CHANGES)
		return WRONG("more than %d changes", FUZZ_MAX_CHANGES);
	for (int i = 0; i < fuzz_nr_fields(step->op); i++) {
		struct fuzz_field f = fuzz_field(step->op, i, name);

		if (strlen(f.name) != len || strncmp(f.name, word, len))
			continue;
		errno = 0;
		*change = (struct fuzz_change) {
			i, word[len], strtoull(word + len + 1, &end, 0)
		};
		if (errno || *end || end == word + len + 1)
			return WRONG("no number: %.60s", word + len + 1);
		step->nr_changes++;
		return NULL;
	}
	return WRONG("%s has no field %.*s", step->op->name, (int)min_t(size_t, len, 60), word);
}

/* A letter or two and a number below @limit, such as "vm1". */
static bool parse_place(const char *word, const char *what, int limit, u8 *number)
{
	const size_t len = strlen(what);

	if (strncmp(word, what, len) || !isdigit(word[len]) || word[len + 1] ||
	    word[len] - '0' >= limit)
		return false;
	*number = word[len] - '0';
	return true;
}

static const struct fuzz_op *find_op(const char *name, enum fuzz_target target)
{
	for (int i = 0; i < fuzz_nr_ops; i++) {
		const struct fuzz_op *op = &fuzz_ops[i];

		if (!strcmp(op->name, name) && max_t(int, op->target, FUZZ_SYSTEM) == target)
			return op;
	}
	return NULL;
}

static const char *parse_step(struct fuzz_step *step, char *line)
{
	enum fuzz_target target = FUZZ_SYSTEM;
	const char *wrong = NULL;
	char *save, *word = strtok_r(line, " \t\n", &save);

	*step = (struct fuzz_step) {};
	if (word && !strcmp(word, "&")) {
		step->beside = true;
		word = strtok_r(NULL, " \t\n", &save);
	}
	if (!word || !parse_place(word, "t", FUZZ_THREADS, &step->thread))
		return WRONG("a step begins with its thread, t0 to t%d", FUZZ_THREADS - 1);
	word = strtok_r(NULL, " \t\n", &save);
	if (word && parse_place(word, "vm", FUZZ_VMS, &step->vm)) {
		target = FUZZ_VM;
		word = strtok_r(NULL, " \t\n", &save);
		if (word && parse_place(word, "vcpu", FUZZ_VCPUS, &step->vcpu)) {
			target = FUZZ_VCPU;
			word = strtok_r(NULL, " \t\n", &save);
		}
	}
	if (!word)
		return WRONG("a step without a name");
	step->op = find_op(word, target);
	if (!step->op)
		return WRONG("no step %.60s of %s", word, target == FUZZ_VCPU ? "a vCPU" :
			     target == FUZZ_VM ? "a VM" : "the system");
	while (!wrong && (word = strtok_r(NULL, " \t\n", &save)))
		wrong = parse_change(step, word);
	return wrong;
}

const char *fuzz_parse(struct fuzz_program *p, FILE *f)
{
	static char located[300];
	char line[MAX_LINE];
	const char *wrong;

	p->nr = 0;
	for (int number = 1; fgets(line, sizeof(line), f); number++) {
		if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
			continue;
		if (p->nr == FUZZ_MAX_STEPS)
			wrong = WRONG("more than %d steps", FUZZ_MAX_STEPS);
		else if (strlen(line) == sizeof(line) - 1)
			wrong = WRONG("the line is too long");
		else
			wrong = parse_step(&p->step[p->nr], line);
		if (wrong) {
			snprintf(located, sizeof(located), "line %d: %s", number, wrong);
			return located;
		}
		p->nr++;
	}
	if (p->nr && p->step[0].beside)
		return "the first step has nothing beside it";
	return p->nr ? NULL : "no steps";
}

static void print_place(const struct fuzz_step *step, FILE *f)
{
	fprintf(f, "%st%u ", step->beside ? "& " : "", step->thread);
	if (step->op->target >= FUZZ_VM)
		fprintf(f, "vm%u ", step->vm);
	if (step->op->target == FUZZ_VCPU)
		fprintf(f, "vcpu%u ", step->vcpu);
}

void fuzz_print_step(const struct fuzz_step *step, FILE *f)
{
	char name[16];

	print_place(step, f);
	fputs(step->op->name, f);
	for (int i = 0; i < step->nr_changes; i++) {
		const struct fuzz_change *change = &step->change[i];

		fprintf(f, " %s%c0x%lx", fuzz_field(step->op, change->field, name).name,
			change->how, (unsigned long)change->val);
	}
}

void fuzz_print(const struct fuzz_program *p, FILE *f)
{
	for (int i = 0; i < p->nr; i++) {
		fuzz_print_step(&p->step[i], f);
		fputc('\n', f);
	}
}
