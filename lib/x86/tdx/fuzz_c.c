// SPDX-License-Identifier: GPL-2.0
/*
 * Random programs as C, for a test.
 *
 * vm[], vcpu[][] and guest[][] are the test's, @mem is memory of FUZZ_SCRATCH_SIZE, and @fd
 * a guest_memfd or an eventfd.
 */
#include "tdx/fuzz_steps.h"

static const char *ioctl_of(const struct fuzz_step *step)
{
	static char text[48];

	if (step->op->target == FUZZ_VCPU)
		snprintf(text, sizeof(text), "__vcpu_ioctl(vcpu[%u][%u]", step->vm, step->vcpu);
	else if (step->op->target == FUZZ_VM)
		snprintf(text, sizeof(text), "__vm_ioctl(vm[%u]", step->vm);
	else
		snprintf(text, sizeof(text), "ioctl(kvm_fd");
	return text;
}

static void print_changes(const struct fuzz_step *step, const char *prefix, FILE *f)
{
	char name[16];

	for (int i = 0; i < step->nr_changes; i++) {
		const struct fuzz_change *change = &step->change[i];
		const char *field = fuzz_field(step->op, change->field, name).name;
		const char *how = change->how == '=' ? "=" : change->how == '^' ? "^=" : "+=";

		if (step->op->fields)
			fprintf(f, "\t%s%s %s 0x%lx;\n", prefix, field, how,
				(unsigned long)change->val);
		else
			fprintf(f, "\t((u64 *)&arg)[%s] %s 0x%lx;\n", field + 1, how,
				(unsigned long)change->val);
	}
}

/* The fields that are not zero, before they are changed. */
static void print_sane(const struct fuzz_step *step, FILE *f)
{
	const struct fuzz_op *op = step->op;
	char name[16];

	for (int i = 0; op->sane && i < fuzz_nr_fields(op); i++) {
		struct fuzz_field field = fuzz_field(op, i, name);
		u64 val = 0;

		memcpy(&val, op->sane + field.offset, field.size);
		if (val)
			fprintf(f, "\targ.%s = 0x%lx;\n", field.name, (unsigned long)val);
	}
}

static void print_ioctl(const struct fuzz_step *step, FILE *f)
{
	const struct fuzz_op *op = step->op;
	u64 number = 0;

	if (!op->size) {
		fuzz_apply(step, &number);
		fprintf(f, "\t%s, %s, (void *)0x%lx);\n", ioctl_of(step), op->name,
			(unsigned long)number);
		return;
	}
	fprintf(f, "\tmemset(&arg, 0, sizeof(arg));\t/* %s */\n", op->type);
	print_sane(step, f);
	if (op->get)
		fprintf(f, "\t%s, 0x%lx, &arg);\t/* its GET */\n", ioctl_of(step), op->get);
	if (op->pointer)
		fprintf(f, "\t*(void **)((void *)&arg + %d) = mem;\n", op->pointer - 1);
	if (op->fd)
		fprintf(f, "\t*(int *)((void *)&arg + %d) = fd;\n", op->fd - 1);
	print_changes(step, "arg.", f);
	if (op->run == fuzz_run_command)
		fprintf(f, "\targ.cmd.data = (u64)arg.word;\n");
	fprintf(f, "\t%s, 0x%lx, &arg);\t/* %s */\n", ioctl_of(step), op->request, op->name);
}

static void print_launch(const struct fuzz_step *step, const struct fuzz_launch *l, FILE *f)
{
	if (l->type != KVM_X86_TDX_VM || l->stage == FUZZ_CREATED) {
		fprintf(f, "\tvm[%u] = ____vm_create(shape);\t/* .type = %lu */\n", step->vm,
			(unsigned long)l->type);
		return;
	}
	fprintf(f, "\tvm[%u] = tdx_memory_create(0x%lx);\n", step->vm,
		(unsigned long)l->attributes);
	for (u64 i = 0; l->stage >= FUZZ_VCPU_CREATED && i < FUZZ_VCPUS && i < l->vcpus; i++) {
		if (l->stage == FUZZ_VCPU_CREATED)
			fprintf(f, "\tvcpu[%u][%lu] = __vm_vcpu_add(vm[%u], %lu);\n", step->vm,
				(unsigned long)i, step->vm, (unsigned long)i);
		else
			fprintf(f, "\tguest[%u][%lu] = tdx_guest_add(vm[%u], %lu);\n", step->vm,
				(unsigned long)i, step->vm, (unsigned long)i);
	}
	if (l->stage >= FUZZ_MEMORY_ADDED)
		fprintf(f, "\ttdx_load_private_memory(vm[%u]);\n", step->vm);
	if (l->stage >= FUZZ_FINALIZED)
		fprintf(f, "\ttdx_finalize(vm[%u]);\n", step->vm);
	if (l->stage >= FUZZ_HAS_RUN)
		fprintf(f, "\ttdx_make_private(&guest[%u][0], GMEM_GPA, 4, MAGIC);\n", step->vm);
}

static void print_guest(const struct fuzz_step *step, const struct fuzz_guest *g, FILE *f)
{
	if (g->op == TDX_GUEST_TDVMCALL) {
		fprintf(f, "\tcall = TDVMCALL(0x%lx", (unsigned long)g->leaf);
		for (int i = 0; i < ARRAY_SIZE(g->arg); i++)
			fprintf(f, ", 0x%lx", (unsigned long)g->arg[i]);
		fprintf(f, ");\n");
		if (g->call_mask || g->type)
			fprintf(f, "\tcall.reg[TDVMCALL_MASK] = 0x%lx;\n"
				"\tcall.reg[TDVMCALL_TYPE] = 0x%lx;\n",
				(unsigned long)g->call_mask, (unsigned long)g->type);
		fprintf(f, "\ttdx_guest_post_call(&guest[%u][%u], call);\n", step->vm,
			step->vcpu);
	} else {
		fprintf(f, "\ttdx_guest_post(&guest[%u][%u], %lu, 0x%lx, 0x%lx);\n", step->vm,
			step->vcpu, (unsigned long)g->op, (unsigned long)g->addr,
			(unsigned long)g->val);
	}
	fprintf(f, "\ttdx_guest_run(&guest[%u][%u]);\t/* at most %lu times */\n", step->vm,
		step->vcpu, (unsigned long)g->runs);
}

/* "%0" to "%2" are the operand's first fields. */
static void print_template(const struct fuzz_step *step, const u64 *operand, FILE *f)
{
	fputc('\t', f);
	for (const char *s = step->op->c; *s; s++) {
		if (*s == '%' && s[1] >= '0' && s[1] <= '2')
			fprintf(f, "0x%lx", (unsigned long)operand[*++s - '0']);
		else
			fputc(*s, f);
	}
	fprintf(f, ";\t/* VM %u, vCPU %u */\n", step->vm, step->vcpu);
}

static void print_step(const struct fuzz_step *step, FILE *f)
{
	const struct fuzz_op *op = step->op;
	void *operand = calloc(1, FUZZ_OPERAND_SIZE);

	if (op->sane)
		memcpy(operand, op->sane, op->size);
	if (op->size <= FUZZ_OPERAND_SIZE)
		fuzz_apply(step, operand);

	if (op->run == fuzz_run_launch) {
		print_launch(step, operand, f);
	} else if (op->run == fuzz_run_guest) {
		print_guest(step, operand, f);
	} else if (op->run == fuzz_run_vcpu) {
		fprintf(f, "\trun = vcpu[%u][%u]->run;\n", step->vm, step->vcpu);
		print_changes(step, "run->", f);
		fprintf(f, "\t__vcpu_run(vcpu[%u][%u]);\n", step->vm, step->vcpu);
	} else if (op->c) {
		print_template(step, operand, f);
	} else {
		print_ioctl(step, f);
	}
	free(operand);
}

void fuzz_print_c(const struct fuzz_program *p, FILE *f)
{
	for (int i = 0; i < p->nr; i++) {
		fputs("\t/* ", f);
		fuzz_print_step(&p->step[i], f);
		fputs(" */\n", f);
		print_step(&p->step[i], f);
	}
}
