// SPDX-License-Identifier: GPL-2.0
/* TDG.VP.*: the calling vCPU. */
#include "fields.h"
#include "td.h"
#include "tdg.h"

/* Registers that TDG.VP.VMCALL can't pass. */
#define VMCALL_NEVER	(BIT(TDX_RAX) | BIT(TDX_RCX) | BIT(TDX_RSP))

u64 tdg_vp_vmcall(struct call *c)
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

/* R10 of TDG.VP.INFO: TDG.SYS.RD and RDALL exist. */
#define HAS_SYS_RD	BIT(0)

u64 tdg_vp_info(struct call *c)
{
	struct tdx_vcpu *v = c->vcpu;
	struct td *td = v->td;

	c->gpr[TDX_RCX] = gpa_width(td);
	c->gpr[TDX_RDX] = td->attributes;
	c->gpr[TDX_R8] = td->num_vcpus | (u64)td->max_vcpus << 32;
	c->gpr[TDX_R9] = v->index;
	c->gpr[TDX_R10] = HAS_SYS_RD;
	c->gpr[TDX_R11] = 0;
	return 0;
}

u64 tdg_vp_veinfo_get(struct call *c)
{
	struct tdx_vcpu *v = c->vcpu;
	struct tdx_ve_info ve = { 0 };
	bool valid = v->ve_valid;

	/* Version 1, with the #VE's category, came with reduced #VE. */
	if (c->version && !has_feature(c->m, FEATURE_VE_REDUCTION))
		return status(TDX_OPERAND_INVALID, TDX_OP_RAX);
	if (valid)
		ve = v->ve;
	v->ve_valid = false;
	c->gpr[TDX_RCX] = ve.reason;
	if (c->version && valid)
		c->gpr[TDX_RCX] |= (u64)v->ve_category << 32;
	c->gpr[TDX_RDX] = ve.qualification;
	c->gpr[TDX_R8] = ve.gla;
	c->gpr[TDX_R9] = ve.gpa;
	c->gpr[TDX_R10] = ve.insn_len | (u64)ve.insn_info << 32;
	return valid ? 0 : status(TDX_NO_VALID_VE_INFO, 0);
}

/* The same as writing CPUID_SUPERVISOR_VE and CPUID_USER_VE. */
u64 tdg_vp_cpuidve_set(struct call *c)
{
	if (c->gpr[TDX_RCX] & ~3ull)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	c->vcpu->cpuid_supervisor_ve = c->gpr[TDX_RCX] & 1;
	c->vcpu->cpuid_user_ve = c->gpr[TDX_RCX] & 2;
	return 0;
}

u64 tdg_vp_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;

	c->gpr[TDX_R8] = 0;
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = vp_next(id, GUEST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = vp_read(c->vcpu, id, GUEST, &c->gpr[TDX_R8]);
	c->gpr[TDX_RDX] = err ? NO_FIELD : vp_next(id, GUEST);
	return err;
}

u64 tdg_vp_wr(struct call *c)
{
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	return vp_write(c->vcpu, c->gpr[TDX_RDX], GUEST, c->gpr[TDX_R8],
			c->gpr[TDX_R9], &c->gpr[TDX_R8]);
}
