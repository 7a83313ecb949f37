// SPDX-License-Identifier: GPL-2.0
/*
 * TDCALL: what a guest asks of the module.  The leaves of TD partitioning and of
 * TDX Connect, which no profile has, answer OPERAND_INVALID|RAX like unknown
 * ones, and the trace says so.
 */
#include <string.h>

#include "internal.h"

/* Registers that TDG.VP.VMCALL never passes: RAX, RCX and RSP. */
#define VMCALL_NEVER	(BIT(TDX_RAX) | BIT(TDX_RCX) | BIT(TDX_RSP))

static u64 tdg_vp_vmcall(struct call *c)
{
	u64 mask = c->gpr[TDX_RCX];

	if (mask >> 32 || mask & VMCALL_NEVER)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (mask & BIT(TDX_RBP) &&
	    c->vcpu->td->config_flags & CONFIG_NO_RBP_MOD)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	c->exit->reason = EXIT_TDCALL;
	c->exit->vmcall_mask = mask;
	c->outcome = TDX_EXIT_TRAP;
	return 0;
}

static u64 tdg_vp_info(struct call *c)
{
	struct tdx_vcpu *v = c->vcpu;
	struct td *td = v->td;

	c->gpr[TDX_RCX] = gpa_width(td);
	c->gpr[TDX_RDX] = td->attributes;
	c->gpr[TDX_R8] = td->num_vcpus | (u64)td->max_vcpus << 32;
	c->gpr[TDX_R9] = v->index;
	c->gpr[TDX_R10] = 1;	/* TDG.SYS.RD is there */
	c->gpr[TDX_R11] = 0;
	return 0;
}

static u64 tdg_vp_veinfo_get(struct call *c)
{
	struct tdx_vcpu *v = c->vcpu;
	struct tdx_ve_info ve = { 0 };
	bool valid = v->ve_valid;

	if (valid)
		ve = v->ve;
	v->ve_valid = false;
	c->gpr[TDX_RCX] = ve.reason;
	c->gpr[TDX_RDX] = ve.qualification;
	c->gpr[TDX_R8] = ve.gla;
	c->gpr[TDX_R9] = ve.gpa;
	c->gpr[TDX_R10] = ve.insn_len | (u64)ve.insn_info << 32;
	return valid ? 0 : status(TDX_NO_VALID_VE_INFO, 0);
}

/* The same as writing two fields of the vCPU. */
static u64 tdg_vp_cpuidve_set(struct call *c)
{
	if (c->gpr[TDX_RCX] & ~3ull)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	c->vcpu->cpuid_supervisor_ve = c->gpr[TDX_RCX] & 1;
	c->vcpu->cpuid_user_ve = c->gpr[TDX_RCX] & 2;
	return 0;
}

/* TDH.SERVTD.BIND is not there, so no binding handle is valid. */
static u64 tdg_servtd(struct call *c)
{
	c->gpr[TDX_R8] = 0;
	return status(TDX_SERVTD_NOT_BOUND, TDX_OP_RCX);
}

const struct leaf tdcall_leaves[] = {
	{ 0, "TDG.VP.VMCALL", tdg_vp_vmcall, .in = "rcx:mask r10:vendor r11:leaf" },
	{ 1, "TDG.VP.INFO", tdg_vp_info,
	  .out = "rcx:gpaw rdx:attributes r8:vcpus r9:index r10:sys_rd" },
	{ 2, "TDG.MR.RTMR.EXTEND", tdg_mr_rtmr_extend, .in = "rcx:gpa rdx:index",
	  .exclusive = BIT(LOCK_RTMR) },
	{ 3, "TDG.VP.VEINFO.GET", tdg_vp_veinfo_get,
	  .out = "rcx:reason rdx:qualification r8:gla r9:gpa r10:insn" },
	{ 4, "TDG.MR.REPORT", tdg_mr_report,
	  .in = "rcx:report rdx:reportdata r8:subtype",
	  .shared = BIT(LOCK_RTMR) },
	{ 5, "TDG.VP.CPUIDVE.SET", tdg_vp_cpuidve_set, .in = "rcx:levels" },
	{ 6, "TDG.MEM.PAGE.ACCEPT", tdg_mem_page_accept, .in = "rcx:gpa",
	  .shared = BIT(LOCK_SEPT_TREE) },
	{ 7, "TDG.VM.RD", tdg_vm_rd, 1,
	  .in = "rcx:td rdx:field", .out = "r8:value" },
	{ 8, "TDG.VM.WR", tdg_vm_wr,
	  .in = "rcx:td rdx:field r8:value r9:mask", .out = "r8:previous" },
	{ 9, "TDG.VP.RD", tdg_vp_rd,
	  .in = "rcx:td rdx:field", .out = "r8:value" },
	{ 10, "TDG.VP.WR", tdg_vp_wr,
	  .in = "rcx:td rdx:field r8:value r9:mask", .out = "r8:previous" },
	{ 11, "TDG.SYS.RD", tdg_sys_rd, .in = "rdx:field", .out = "r8:value" },
	{ 12, "TDG.SYS.RDALL", tdg_sys_rdall,
	  .in = "rdx:gpa r8:field", .out = "r8:next" },
	{ 18, "TDG.SERVTD.RD", tdg_servtd, .in = "rcx:handle rdx:field" },
	{ 20, "TDG.SERVTD.WR", tdg_servtd,
	  .in = "rcx:handle rdx:field r8:value r9:mask" },
	{ 22, "TDG.MR.VERIFYREPORT", tdg_mr_verifyreport, .in = "rcx:gpa" },
	{ 23, "TDG.MEM.PAGE.ATTR.RD", tdg_mem_page_attr_rd,
	  .in = "rcx:gpa", .out = "rcx:gpa rdx:attributes" },
	{ 24, "TDG.MEM.PAGE.ATTR.WR", tdg_mem_page_attr_wr,
	  .in = "rcx:gpa rdx:attributes r8:mask",
	  .out = "rcx:gpa rdx:attributes" },
};

const unsigned int num_tdcall_leaves = ARRAY_SIZE(tdcall_leaves);
