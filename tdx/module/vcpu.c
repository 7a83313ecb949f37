// SPDX-License-Identifier: GPL-2.0
/* What the embedder asks about a vCPU; see tdx_module.h. */
#include "td.h"
#include "td_cpuid.h"

/* Registers at the first entry that are not 0. */
#define RESET_RIP	0xfffffff0
#define RESET_RFLAGS	0x2		/* bit 1 always reads 1 */
#define RESET_CR0	(BIT(0) | BIT(4) | BIT(5))	/* PE, ET, NE */
#define RESET_CR4	BIT(6)		/* MCE; VMXE is hidden */
#define RESET_EFER	(BIT(0) | BIT(8) | BIT(11))	/* SCE, LME, NXE */
#define RESET_XCR0	BIT(0)		/* x87 */
#define RESET_PAT	0x0007040600070406
#define RESET_DR6	0xffff0ff0
#define RESET_DR7	0x400
#define RESET_FMASK	0x20200		/* RFLAGS.IF, VM */
#define RESET_FCW	0x37f
#define RESET_MXCSR	0x1f80

/* Access rights as in the VMCS. */
#define RIGHTS_CODE_32	0xc09b		/* flat, 32 bits, accessed */
#define RIGHTS_DATA	0xc093
#define RIGHTS_UNUSABLE_LDT	0x10082
#define RIGHTS_BUSY_TSS	0x8b

void tdx_vcpu_reset_state(struct tdx_vcpu *v, struct tdx_reset_state *s)
{
	*s = (struct tdx_reset_state){
		.rip = RESET_RIP, .rflags = RESET_RFLAGS,
		.cr0 = RESET_CR0, .cr4 = RESET_CR4, .efer = RESET_EFER,
		.xcr0 = RESET_XCR0, .pat = RESET_PAT,
		.dr6 = RESET_DR6, .dr7 = RESET_DR7, .fmask = RESET_FMASK,
		.cs = { .limit = 0xffffffff, .rights = RIGHTS_CODE_32 },
		.data = { .limit = 0xffffffff, .rights = RIGHTS_DATA },
		.ldtr = { .limit = 0xffff, .rights = RIGHTS_UNUSABLE_LDT },
		.tr = { .limit = 0xffff, .rights = RIGHTS_BUSY_TSS },
		.gdt_limit = 0xffff, .idt_limit = 0,
		.fcw = RESET_FCW, .mxcsr = RESET_MXCSR,
	};
	s->gpr[TDX_RBX] = gpa_width(v->td);
	s->gpr[TDX_RCX] = s->gpr[TDX_R8] = v->initial_rcx;
	s->gpr[TDX_RDX] = v->td->m->family_model_stepping;
	s->gpr[TDX_RSI] = v->index;
}

bool tdx_vcpu_take_nmi(struct tdx_vcpu *v, bool blocked)
{
	struct tdx_module *m = v->td->m;
	bool take;

	pthread_mutex_lock(&m->lock);
	take = v->pend_nmi && !blocked && !v->ve_valid;
	if (take)
		v->pend_nmi = 0;
	pthread_mutex_unlock(&m->lock);
	return take;
}

uint64_t tdx_vcpu_tlb_tag(struct tdx_vcpu *v)
{
	return v->tlb_tag;
}

void tdx_vcpu_posted(struct tdx_vcpu *v, struct tdx_posted *p)
{
	*p = (struct tdx_posted){
		.enabled = v->vmcs[VMCS_PIN_CONTROLS] & PIN_POSTED_INTERRUPTS,
		.vector = v->vmcs[VMCS_PI_VECTOR],
		.descriptor = v->pi_desc,
	};
}

bool tdx_vcpu_bus_lock_exits(struct tdx_vcpu *v)
{
	return v->vmcs[VMCS_PROC2_CONTROLS] & PROC2_BUS_LOCK;
}

void *tdx_vcpu_state(struct tdx_vcpu *v)
{
	return v->state_of_cpu;
}

void tdx_vcpu_set_state(struct tdx_vcpu *v, void *state)
{
	v->state_of_cpu = state;
}

uint64_t tdx_vcpu_tsc(struct tdx_vcpu *v, uint64_t tsc)
{
	const struct td *td = v->td;

	return (u64)((__uint128_t)tsc * td->tsc_multiplier >> 48) +
	       td->tsc_offset;
}

uint64_t tdx_vcpu_xfam(struct tdx_vcpu *v)
{
	return v->td->xfam;
}
