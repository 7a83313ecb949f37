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

enum tdx_outcome tdx_ve(struct tdx_vcpu *v, const struct tdx_ve_info *ve)
{
	struct tdx_module *m = v->td->m;
	bool nested;

	pthread_mutex_lock(&m->lock);
	nested = v->ve_valid;
	if (!nested) {
		v->ve = *ve;
		v->ve_valid = true;
		trace_ve(v);
	}
	pthread_mutex_unlock(&m->lock);
	return nested ? TDX_DF : TDX_VE;
}

/* MSRs that a TD reaches directly; the rest of the space is #VE. */
enum msr_rule { MSR_VE, MSR_NATIVE, MSR_GP };

static const struct msr_row {
	u32 first, last;
	enum msr_rule read, write;
} msr_rows[] = {
	{ 0x10, 0x10, MSR_NATIVE, MSR_VE },		/* TSC */
	{ 0x48, 0x49, MSR_NATIVE, MSR_NATIVE },		/* SPEC_CTRL, PRED_CMD */
	{ 0x8c, 0x8f, MSR_GP, MSR_GP },			/* SGXLEPUBKEYHASH */
	{ 0x10b, 0x10b, MSR_NATIVE, MSR_NATIVE },	/* FLUSH_CMD */
	{ 0x174, 0x176, MSR_NATIVE, MSR_NATIVE },	/* SYSENTER */
	{ 0x277, 0x277, MSR_NATIVE, MSR_NATIVE },	/* PAT */
	{ 0x600, 0x600, MSR_NATIVE, MSR_NATIVE },	/* DS_AREA */
	{ 0xda0, 0xda0, MSR_NATIVE, MSR_NATIVE },	/* XSS */
	{ 0xc0000080, 0xc0000080, MSR_NATIVE, MSR_NATIVE },	/* EFER */
	{ 0xc0000081, 0xc0000082, MSR_NATIVE, MSR_NATIVE },	/* STAR, LSTAR */
	{ 0xc0000084, 0xc0000084, MSR_NATIVE, MSR_NATIVE },	/* FMASK */
	{ 0xc0000100, 0xc0000103, MSR_NATIVE, MSR_NATIVE },	/* bases, AUX */
};

#define MSR_EFER	0xc0000080
#define MSR_XSS		0xda0
#define EFER_SCE	1ull
#define EFER_LMA	0x400ull
/* LME and NXE are always on in a TD. */
#define EFER_FIXED	0x900ull

static enum msr_rule msr_rule(uint32_t msr, bool write)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(msr_rows); i++)
		if (msr >= msr_rows[i].first && msr <= msr_rows[i].last)
			return write ? msr_rows[i].write : msr_rows[i].read;
	return MSR_VE;
}

static enum tdx_outcome msr_outcome(enum msr_rule rule)
{
	return rule == MSR_NATIVE ? TDX_NATIVE :
	       rule == MSR_GP ? TDX_GP : TDX_VE;
}

enum tdx_outcome tdx_rdmsr(struct tdx_vcpu *v, uint32_t msr, uint64_t *value)
{
	(void)v;
	(void)value;
	return msr_outcome(msr_rule(msr, false));
}

enum tdx_outcome tdx_wrmsr(struct tdx_vcpu *v, uint32_t msr, uint64_t value)
{
	if (msr == MSR_EFER && (value & ~(EFER_SCE | EFER_LMA)) != EFER_FIXED)
		return TDX_VE;
	if (msr == MSR_XSS && value & ~(v->td->xfam & 0x1fd00))
		return TDX_GP;
	return msr_outcome(msr_rule(msr, true));
}

#define CR0_PE		BIT(0)
#define CR0_NE		BIT(5)
#define CR0_NW		BIT(29)
#define CR0_CD		BIT(30)
#define CR4_MCE		BIT(6)
#define CR4_VMXE	BIT(13)
#define CR4_SMXE	BIT(14)

enum tdx_outcome tdx_write_cr(struct tdx_vcpu *v, unsigned int cr,
			      uint64_t old, uint64_t value)
{
	(void)v;
	(void)old;
	if (cr == 0) {
		if (!(value & CR0_PE) || !(value & CR0_NE))
			return TDX_GP;
		return value & (CR0_CD | CR0_NW) ? TDX_VE : TDX_NATIVE;
	}
	if (value & (CR4_VMXE | CR4_SMXE) || !(value & CR4_MCE))
		return TDX_VE;
	return TDX_NATIVE;
}

enum tdx_outcome tdx_xsetbv(struct tdx_vcpu *v, uint32_t index, uint64_t value)
{
	if (index || value & ~(v->td->xfam & 0x602e7))
		return TDX_GP;
	return TDX_NATIVE;
}

enum tdx_outcome tdx_instruction(struct tdx_vcpu *v, uint32_t reason)
{
	(void)v;
	switch (reason) {
	case EXIT_HLT:
	case EXIT_INVD:
	case EXIT_VMCALL:
	case EXIT_IO:
	case EXIT_WBINVD:
		return TDX_VE;
	}
	return TDX_NATIVE;
}
