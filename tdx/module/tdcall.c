// SPDX-License-Identifier: GPL-2.0
/*
 * TDCALL: what a guest asks of the module.  Of the architecture's leaves those
 * are here that need no measurement report, no L2 and no service TD; the others
 * answer OPERAND_INVALID|RAX like unknown leaves, and say so in the trace.
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

const struct leaf tdcall_leaves[] = {
	{ 0, "TDG.VP.VMCALL", tdg_vp_vmcall, .in = "rcx:mask r10:vendor r11:leaf" },
	{ 1, "TDG.VP.INFO", tdg_vp_info,
	  .out = "rcx:gpaw rdx:attributes r8:vcpus r9:index r10:sys_rd" },
	{ 3, "TDG.VP.VEINFO.GET", tdg_vp_veinfo_get,
	  .out = "rcx:reason rdx:qualification r8:gla r9:gpa r10:insn" },
	{ 6, "TDG.MEM.PAGE.ACCEPT", tdg_mem_page_accept, .in = "rcx:gpa" },
	{ 7, "TDG.VM.RD", tdg_vm_rd, 1,
	  .in = "rcx:td rdx:field", .out = "r8:value" },
	{ 8, "TDG.VM.WR", tdg_vm_wr,
	  .in = "rcx:td rdx:field r8:value r9:mask", .out = "r8:previous" },
	{ 11, "TDG.SYS.RD", tdg_sys_rd, .in = "rdx:field", .out = "r8:value" },
};

const unsigned int num_tdcall_leaves = ARRAY_SIZE(tdcall_leaves);
