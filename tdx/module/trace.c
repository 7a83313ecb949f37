// SPDX-License-Identifier: GPL-2.0
/* The trace of calls: a line for each, as strace has one for each system call. */
#include <inttypes.h>
#include <string.h>

#include "names.h"
#include "seamldr.h"
#include "trace.h"

/* The operands that @spec names, "rcx:page rdx:tdr", from @gpr. */
static void append_operands(char *line, size_t size, const char *spec,
			    const u64 gpr[TDX_NR_GPRS])
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	const char *separator = "";
	unsigned int i;

	while (spec && *spec) {
		size_t reg = strcspn(spec, ":"), name = strcspn(spec + reg + 1, " ");

		for (i = 0; i < ARRAY_SIZE(names); i++)
			if (strlen(names[i]) == reg &&
			    !strncmp(names[i], spec, reg))
				line_append(line, size, "%s%.*s=0x%" PRIx64,
					    separator, (int)name,
					    spec + reg + 1, gpr[i]);
		separator = ", ";
		spec += reg + 1 + name;
		spec += strspn(spec, " ");
	}
}

static void append_status(char *line, size_t size, u64 status)
{
	const char *name = tdx_status_name(status);
	const char *operand = operand_name((u32)status);

	/* The P-SEAMLDR's statuses have no operands. */
	if (name && status >> 32 == SEAMLDR_CALL >> 32)
		status = SEAMLDR_CALL;
	if (name)
		line_append(line, size, "%s", name);
	else
		line_append(line, size, "0x%" PRIx64, status);
	if (name && status != SEAMLDR_CALL && operand && failed(status))
		line_append(line, size, "|%s", operand);
	else if (name && (u32)status)
		line_append(line, size, "|0x%x", (u32)status);
}

static void append_caller(char *line, size_t size, const struct call *c)
{
	if (c->exit)
		line_append(line, size, "cpu%u TD vcpu%u: ", c->lp,
			    c->vcpu->index);
	else
		line_append(line, size, "cpu%u: ", c->lp);
}

/* The leaf's name and operands. */
static void append_leaf(char *line, size_t size, const struct call *c,
			u64 leaf_nr, const u64 in[TDX_NR_GPRS])
{
	const struct leaf *leaf = c->leaf;

	if (leaf)
		line_append(line, size, "%s(", leaf->name);
	else
		line_append(line, size, "%s leaf %" PRIu64 "(",
			    c->exit ? "TDCALL" : "SEAMCALL", leaf_nr & 0xffff);
	append_operands(line, size, leaf ? leaf->in : NULL, in);
	if (leaf && !strcmp(leaf->name, "TDG.VP.VMCALL"))
		line_append(line, size, " <%s>", in[TDX_R10] ? "vendor" :
			    vmcall_name(in[TDX_R11]));
	line_append(line, size, ")");
}

static void append_result(char *line, size_t size, const struct call *c)
{
	u64 rax = c->gpr[TDX_RAX];

	line_append(line, size, " = ");
	if (c->outcome == TDX_EXIT || c->outcome == TDX_EXIT_TRAP)
		line_append(line, size, "TD exit");
	else if (c->outcome == TDX_VE || c->outcome == TDX_DF)
		line_append(line, size, "exception");
	else if (c->outcome == TDX_AGAIN)
		line_append(line, size, "interrupted");
	else
		append_status(line, size, rax);
	if (!c->leaf)
		line_append(line, size, " (unknown or not modelled)");
	if (c->leaf && c->leaf->out && !failed(rax)) {
		line_append(line, size, " ");
		append_operands(line, size, c->leaf->out, c->gpr);
	}
	if (c->injected)
		line_append(line, size, " (injected)");
}

void trace_call(struct call *c, u64 leaf_nr, const u64 in[TDX_NR_GPRS], u64 ns)
{
	char line[512] = "";

	append_caller(line, sizeof(line), c);
	append_leaf(line, sizeof(line), c, leaf_nr, in);
	append_result(line, sizeof(line), c);
	line_append(line, sizeof(line), " <%" PRIu64 " ns>", ns);
	c->m->ops.trace(c->m->opaque, line);
}
