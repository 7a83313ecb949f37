// SPDX-License-Identifier: GPL-2.0
/* The trace: one line for each call, as strace has one for each system call. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define X(code, name) { code, #name },
static const struct { u32 code; const char *name; } codes[] = {
	TDX_STATUS_CODES(X)
};
#undef X

const char *tdx_status_name(uint64_t status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == status >> 32)
			return codes[i].name;
	return NULL;
}

bool status_by_name(const char *name, u32 *code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		if (!strcmp(codes[i].name, name)) {
			*code = codes[i].code;
			return true;
		}
	}
	return false;
}

const char *operand_name(enum tdx_operand op)
{
	static const char *const gpr[] = {
		"RAX", "RCX", "RDX", "RBX", NULL, "RBP", "RSI", "RDI",
		"R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15",
	};
	static const struct { enum tdx_operand op; const char *name; } other[] = {
		{ TDX_OP_ATTRIBUTES, "ATTRIBUTES" }, { TDX_OP_XFAM, "XFAM" },
		{ TDX_OP_CONFIG_FLAGS, "CONFIG_FLAGS" },
		{ TDX_OP_EPTP_CONTROLS, "EPTP_CONTROLS" },
		{ TDX_OP_MAX_VCPUS, "MAX_VCPUS" },
		{ TDX_OP_CPUID_CONFIG, "CPUID_CONFIG" },
		{ TDX_OP_TSC_FREQUENCY, "TSC_FREQUENCY" },
		{ TDX_OP_NUM_L2_VMS, "NUM_L2_VMS" },
		{ TDX_OP_ARCH_CAPABILITIES_CONFIG, "ARCH_CAPABILITIES_CONFIG" },
		{ TDX_OP_TDMR_INFO_PA, "TDMR_INFO_PA" }, { TDX_OP_TDR, "TDR" },
		{ TDX_OP_TDVPR, "TDVPR" }, { TDX_OP_OP_STATE, "OP_STATE" },
		{ TDX_OP_SEPT_TREE, "SEPT_TREE" },
		{ TDX_OP_SEPT_ENTRY, "SEPT_ENTRY" }, { TDX_OP_RTMR, "RTMR" },
		{ TDX_OP_TD_EPOCH, "TD_EPOCH" }, { TDX_OP_KOT, "KOT" },
		{ TDX_OP_WBCACHE, "WBCACHE" },
	};
	unsigned int i;

	if (op < ARRAY_SIZE(gpr))
		return gpr[op];
	for (i = 0; i < ARRAY_SIZE(other); i++)
		if (other[i].op == op)
			return other[i].name;
	return NULL;
}

static const struct { u32 reason; const char *name; } exit_names[] = {
	{ EXIT_EXCEPTION_NMI, "exception or NMI" }, { EXIT_INTERRUPT, "interrupt" },
	{ EXIT_TRIPLE_FAULT, "triple fault" }, { EXIT_INIT, "INIT" },
	{ EXIT_SMI, "SMI" }, { EXIT_CPUID, "CPUID" }, { EXIT_HLT, "HLT" },
	{ EXIT_INVD, "INVD" }, { EXIT_VMCALL, "VMCALL" },
	{ EXIT_CR_ACCESS, "CR access" }, { EXIT_IO, "IO" },
	{ EXIT_RDMSR, "RDMSR" }, { EXIT_WRMSR, "WRMSR" },
	{ EXIT_EPT_VIOLATION, "EPT violation" },
	{ EXIT_EPT_MISCONFIG, "EPT misconfiguration" },
	{ EXIT_WBINVD, "WBINVD" }, { EXIT_BUS_LOCK, "bus lock" },
	{ EXIT_NOTIFY, "notification" }, { EXIT_TDCALL, "TDG.VP.VMCALL" },
};

static const char *exit_name(u32 reason)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(exit_names); i++)
		if (exit_names[i].reason == reason)
			return exit_names[i].name;
	return "unknown";
}

/* TDG.VP.VMCALL's sub-functions: the instructions have their exit reason. */
static const struct { u64 nr; const char *name; } vmcall_names[] = {
	{ 0x10000, "GetTdVmCallInfo" }, { 0x10001, "MapGPA" },
	{ 0x10002, "GetQuote" }, { 0x10003, "ReportFatalError" },
	{ 0x10004, "SetupEventNotifyInterrupt" }, { 0x10005, "Service" },
	{ EXIT_EPT_VIOLATION, "RequestMMIO" },
};

static const char *vmcall_name(u64 nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmcall_names); i++)
		if (vmcall_names[i].nr == nr)
			return vmcall_names[i].name;
	return nr < 0x10000 ? exit_name(nr) : "unknown";
}

static void append(char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *line, size_t size, const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, size - used, format, args);
	va_end(args);
}

/* "rcx:page rdx:tdr" with the values of @gpr. */
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
				append(line, size, "%s%.*s=0x%" PRIx64, separator,
				       (int)name, spec + reg + 1, gpr[i]);
		separator = ", ";
		spec += reg + 1 + name;
		spec += strspn(spec, " ");
	}
}

static void append_status(char *line, size_t size, u64 status)
{
	const char *name = tdx_status_name(status);
	const char *operand = operand_name((u32)status);

	if (name)
		append(line, size, "%s", name);
	else
		append(line, size, "0x%" PRIx64, status);
	if (name && status >> 32 && operand && failed(status))
		append(line, size, "|%s", operand);
	else if (name && (u32)status)
		append(line, size, "|0x%x", (u32)status);
}

void trace_call(struct call *c, const char *who, const struct leaf *leaf,
		u64 leaf_nr, const u64 in[TDX_NR_GPRS], u64 ns)
{
	u64 rax = c->gpr[TDX_RAX];
	char line[512] = "";

	if (who)
		append(line, sizeof(line), "cpu%u %s vcpu%u: ", c->lp, who,
		       c->vcpu->index);
	else
		append(line, sizeof(line), "cpu%u: ", c->lp);
	if (leaf)
		append(line, sizeof(line), "%s", leaf->name);
	else
		append(line, sizeof(line), "%s leaf %" PRIu64,
		       who ? "TDCALL" : "SEAMCALL", leaf_nr & 0xffff);
	append(line, sizeof(line), "(");
	append_operands(line, sizeof(line), leaf ? leaf->in : NULL, in);
	if (leaf && !strcmp(leaf->name, "TDG.VP.VMCALL"))
		append(line, sizeof(line), " <%s>", in[TDX_R10] ? "vendor" :
		       vmcall_name(in[TDX_R11]));
	append(line, sizeof(line), ") = ");
	if (c->outcome == TDX_EXIT || c->outcome == TDX_EXIT_TRAP)
		append(line, sizeof(line), "TD exit");
	else if (c->outcome == TDX_VE || c->outcome == TDX_DF)
		append(line, sizeof(line), "exception");
	else if (c->outcome == TDX_AGAIN)
		append(line, sizeof(line), "interrupted");
	else
		append_status(line, sizeof(line), rax);
	if (leaf && leaf->out && !failed(rax)) {
		append(line, sizeof(line), " ");
		append_operands(line, sizeof(line), leaf->out, c->gpr);
	}
	if (!leaf)
		append(line, sizeof(line), " (unknown or not modelled)");
	append(line, sizeof(line), "%s <%" PRIu64 " ns>",
	       c->injected ? " (injected)" : "", ns);
	c->m->ops.trace(c->m->opaque, line);
}

void trace_exit(struct tdx_vcpu *v, const struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	char line[256] = "";

	if (!m->ops.trace)
		return;
	append(line, sizeof(line), "cpu%d TD vcpu%u: exit, %s", v->lp, v->index,
	       exit_name(exit->reason));
	if (exit->reason == EXIT_EPT_VIOLATION ||
	    exit->reason == EXIT_EPT_MISCONFIG)
		append(line, sizeof(line),
		       " gpa=0x%" PRIx64 " qualification=0x%" PRIx64,
		       exit->gpa, exit->qualification);
	m->ops.trace(m->opaque, line);
}

void trace_ve(struct tdx_vcpu *v)
{
	struct tdx_module *m = v->td->m;
	char line[256] = "";

	if (!m->ops.trace)
		return;
	append(line, sizeof(line), "cpu%d TD vcpu%u: #VE, %s", v->lp, v->index,
	       exit_name(v->ve.reason));
	if (v->ve.reason == EXIT_EPT_VIOLATION)
		append(line, sizeof(line), " gpa=0x%" PRIx64, v->ve.gpa);
	m->ops.trace(m->opaque, line);
}

void trace_host_access(struct tdx_module *m, u64 pa, enum tdx_page_type type,
		       bool write)
{
	char line[256] = "";

	if (!m->ops.trace)
		return;
	append(line, sizeof(line), "host: %s %s page 0x%" PRIx64,
	       write ? "write to" : "read of",
	       type == PT_REG ? "a TD's private" : "the module's", pa);
	m->ops.trace(m->opaque, line);
}
