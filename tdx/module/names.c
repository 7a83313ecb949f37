// SPDX-License-Identifier: GPL-2.0
/* Names of the ABI's numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "seamldr.h"

#define X(code, name) { code, #name },
static const struct { u32 code; const char *name; } codes[] = {
	TDX_STATUS_CODES(X)
};

static const struct { u64 status; const char *name; } seamldr_codes[] = {
	SEAMLDR_STATUS_CODES(X)
};
#undef X

const char *tdx_status_name(uint64_t status)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(seamldr_codes); i++)
		if (seamldr_codes[i].status == status)
			return seamldr_codes[i].name;
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
		{ TDX_OP_KET, "KET" }, { TDX_OP_WBCACHE, "WBCACHE" },
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
	{ EXIT_SMI, "SMI" }, { EXIT_CPUID, "CPUID" }, { EXIT_GETSEC, "GETSEC" },
	{ EXIT_HLT, "HLT" }, { EXIT_INVD, "INVD" }, { EXIT_RDPMC, "RDPMC" },
	{ EXIT_RSM, "RSM" }, { EXIT_VMCALL, "VMCALL" }, { EXIT_VMCLEAR, "VMCLEAR" },
	{ EXIT_VMLAUNCH, "VMLAUNCH" }, { EXIT_VMPTRLD, "VMPTRLD" },
	{ EXIT_VMPTRST, "VMPTRST" }, { EXIT_VMREAD, "VMREAD" },
	{ EXIT_VMRESUME, "VMRESUME" }, { EXIT_VMWRITE, "VMWRITE" },
	{ EXIT_VMXOFF, "VMXOFF" }, { EXIT_VMXON, "VMXON" },
	{ EXIT_CR_ACCESS, "CR access" }, { EXIT_IO, "IO" },
	{ EXIT_RDMSR, "RDMSR" }, { EXIT_WRMSR, "WRMSR" }, { EXIT_MWAIT, "MWAIT" },
	{ EXIT_MONITOR, "MONITOR" }, { EXIT_EPT_VIOLATION, "EPT violation" },
	{ EXIT_EPT_MISCONFIG, "EPT misconfiguration" }, { EXIT_INVEPT, "INVEPT" },
	{ EXIT_INVVPID, "INVVPID" }, { EXIT_WBINVD, "WBINVD" },
	{ EXIT_VMFUNC, "VMFUNC" }, { EXIT_ENCLS, "ENCLS" },
	{ EXIT_PCONFIG, "PCONFIG" }, { EXIT_UMWAIT, "UMWAIT" },
	{ EXIT_TPAUSE, "TPAUSE" }, { EXIT_LOADIWKEY, "LOADIWKEY" },
	{ EXIT_ENCLV, "ENCLV" }, { EXIT_ENQCMD, "ENQCMD" },
	{ EXIT_ENQCMDS, "ENQCMDS" }, { EXIT_BUS_LOCK, "bus lock" },
	{ EXIT_NOTIFY, "notification" }, { EXIT_SEAMCALL, "SEAMCALL" },
	{ EXIT_TDCALL, "TDG.VP.VMCALL" },
};

const char *exit_name(u32 reason)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(exit_names); i++)
		if (exit_names[i].reason == reason)
			return exit_names[i].name;
	return "unknown";
}

bool exit_by_name(const char *name, u32 *reason)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(exit_names); i++) {
		*reason = exit_names[i].reason;
		if (!strcmp(exit_names[i].name, name))
			return true;
	}
	return false;
}

/* Sub-functions for instructions are numbered by exit reason. */
static const struct { u64 nr; const char *name; } vmcall_names[] = {
	{ 0x10000, "GetTdVmCallInfo" }, { 0x10001, "MapGPA" },
	{ 0x10002, "GetQuote" }, { 0x10003, "ReportFatalError" },
	{ 0x10004, "SetupEventNotifyInterrupt" }, { 0x10005, "Service" },
	{ EXIT_EPT_VIOLATION, "RequestMMIO" },
};

const char *vmcall_name(u64 nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmcall_names); i++)
		if (vmcall_names[i].nr == nr)
			return vmcall_names[i].name;
	return nr < 0x10000 ? exit_name(nr) : "unknown";
}

void line_append(char *line, size_t size, const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, size - used, format, args);
	va_end(args);
}
