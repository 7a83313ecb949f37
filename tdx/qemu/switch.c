// SPDX-License-Identifier: GPL-2.0
/*
 * The world switch: a TD's entry and its exit, and how the module's decisions
 * reach the TD.
 *
 * A TD runs with TCG's guest flag (HF_GUEST_MASK), which SVM uses too: the
 * translator then checks for intercepts, and memory accesses take the second
 * stage.  So the CPU must not have SVM.
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "cpu.h"
#include "tcg/helper-tcg.h"
#include "glue.h"
#include "speed.h"

#define EXCP_VE		20

/* What belongs to a world: the part of QEMU's CPU that a reset clears. */
#define STATE_SIZE	offsetof(CPUX86State, end_reset_fields)

/* Vector registers need the alignment of the CPU's own state. */
static void *state_new(size_t header)
{
	return qemu_memalign(__alignof__(CPUX86State), header + STATE_SIZE);
}

/* All but the tiles, which are large: few TDs have them. */
static void copy_state(CPUX86State *to, const CPUX86State *from)
{
	const size_t hole = offsetof(CPUX86State, xtilecfg);
	const size_t rest = offsetof(CPUX86State, xtiledata) +
			    sizeof(from->xtiledata);

	memcpy(to, from, hole);
	memcpy((char *)to + rest, (const char *)from + rest, STATE_SIZE - rest);
}

/* Breakpoints belong to a world, but QEMU's list of them does not. */
static void save_state(CPUX86State *env, CPUX86State *to)
{
	uint64_t dr7 = env->dr[7];

	cpu_x86_update_dr7(env, DR7_FIXED_1);
	copy_state(to, env);
	to->dr[7] = dr7;
}

static void load_state(CPUX86State *env, const CPUX86State *from)
{
	uint64_t dr7 = from->dr[7];

	copy_state(env, from);
	env->dr[7] = DR7_FIXED_1;
	cpu_x86_update_dr7(env, dr7);
}

/* The tiles, whose configuration is next to their data. */
#define TILES_SIZE	(offsetof(CPUX86State, xtiledata) +		\
			 sizeof_field(CPUX86State, xtiledata) -		\
			 offsetof(CPUX86State, xtilecfg))

static bool has_tiles(struct tdx_vcpu *vcpu)
{
	return tdx_vcpu_xfam(vcpu) & XSTATES_AMX;
}

static void copy_tiles(CPUX86State *to, const CPUX86State *from)
{
	memcpy(to->xtilecfg, from->xtilecfg, TILES_SIZE);
}

static void reset_tiles(CPUX86State *env)
{
	memset(env->xtilecfg, 0, TILES_SIZE);
}

/* The state of a vCPU before its first entry. */

/* From the access rights of a VMCS to QEMU's segment flags. */
static uint32_t segment_flags(const struct tdx_segment *s)
{
	return (s->rights & 0xf0ff) << DESC_TYPE_SHIFT;
}

static void set_segment(CPUX86State *env, int reg, const struct tdx_segment *s)
{
	cpu_x86_load_seg_cache(env, reg, s->selector, s->base, s->limit,
			       segment_flags(s));
}

/* LDTR and TR. */
static void set_table(SegmentCache *c, const struct tdx_segment *s)
{
	*c = (SegmentCache){ s->selector, s->base, s->limit, segment_flags(s) };
}

/* x87, and the vector registers with those upper parts that are in @xfam. */
static void reset_fpu(CPUX86State *env, uint64_t xfam)
{
	size_t size = xfam & BIT_ULL(XSTATE_ZMM_HI256) ? 64 :
		      xfam & BIT_ULL(XSTATE_AVX) ? 32 : 16;

	for (int i = 0; i < CPU_NB_REGS; i++)
		memset(&env->xmm_regs[i], 0, size);
	if (xfam & BIT_ULL(XSTATE_HI16_ZMM))
		memset(&env->xmm_regs[CPU_NB_REGS], 0, CPU_NB_REGS * sizeof(ZMMReg));
	if (xfam & BIT_ULL(XSTATE_OPMASK))
		memset(env->opmask_regs, 0, sizeof(env->opmask_regs));
	memset(env->fpregs, 0, sizeof(env->fpregs));
	memset(env->fptags, 1, sizeof(env->fptags));
	env->fpstt = 0;
	env->fpus = 0;
	cpu_set_fpuc(env, FCW_INIT);
	cpu_set_mxcsr(env, MXCSR_INIT);
}

static void reset_segments(CPUX86State *env, const struct tdx_reset_state *s)
{
	static const int data[] = { R_DS, R_ES, R_FS, R_GS, R_SS };

	set_segment(env, R_CS, &s->cs);
	for (int i = 0; i < ARRAY_SIZE(data); i++)
		set_segment(env, data[i], &s->data);
	set_table(&env->ldt, &s->ldtr);
	set_table(&env->tr, &s->tr);
	env->gdt = (SegmentCache){ .limit = s->gdt_limit };
	env->idt = (SegmentCache){ .limit = s->idt_limit };
}

/* Overwrites everything in the host's state that the architecture defines. */
static void reset_vcpu(CPUX86State *env, struct tdx_vcpu *vcpu)
{
	struct tdx_reset_state s;

	tdx_vcpu_reset_state(vcpu, &s);
	memcpy(env->regs, s.gpr, sizeof(s.gpr));
	env->eip = s.rip;
	cpu_load_eflags(env, s.rflags, ~0u);

	env->hflags = HF_GUEST_MASK;
	env->hflags2 = HF2_GIF_MASK | HF2_HIF_MASK | HF2_VINTR_MASK |
		       HF2_VGIF_MASK | HF2_NPT_MASK;
	env->cr[0] = 0;
	env->efer = 0;
	cpu_x86_update_cr0(env, s.cr0);
	env->cr[2] = 0;
	cpu_x86_update_cr3(env, s.cr3);
	cpu_x86_update_cr4(env, s.cr4);
	cpu_load_efer(env, s.efer);
	reset_segments(env, &s);

	env->dr[0] = env->dr[1] = env->dr[2] = env->dr[3] = 0;
	env->dr[6] = s.dr6;
	env->dr[7] = s.dr7;
	env->star = env->lstar = env->cstar = env->kernelgsbase = 0;
	env->fmask = s.fmask;
	env->sysenter_cs = env->sysenter_esp = env->sysenter_eip = 0;
	env->tsc_aux = 0;
	env->pat = s.pat;
	env->pkru = env->pkrs = 0;
	env->spec_ctrl = 0;
	env->xcr0 = s.xcr0;
	env->old_exception = -1;
	env->int_ctl = 0;
	reset_fpu(env, ~0ull);
	cpu_sync_avx_hflag(env);
	cpu_sync_bndcs_hflags(env);
}

/* Entry and exit. */

struct td_cpu *tdx_td_cpu(CPUX86State *env)
{
	return tdx_vcpu_state(tdx_lp(env)->td);
}

/* Passes bits 127:0 of the XMM registers in @mask to the other world. */
static void pass_xmm(CPUX86State *to, const CPUX86State *from, uint32_t mask)
{
	for (int i = 0; i < 16; i++)
		if (mask & 1u << i)
			memcpy(&to->xmm_regs[i], &from->xmm_regs[i], 16);
}

/* Whether the TD takes an NMI that the host asked for. */
static bool take_nmi(CPUX86State *env)
{
	if (!tdx_vcpu_take_nmi(tdx_lp(env)->td, env->hflags2 & HF2_NMI_MASK))
		return false;
	env->hflags2 |= HF2_NMI_MASK;
	return true;
}

/* The exception that the TD starts with, or -1. */
static int take_event(CPUX86State *env, struct td_cpu *td)
{
	int event = td->event;

	td->event = -1;
	if (tdx_vcpu_take_ve(tdx_lp(env)->td,
			     event >= 0 || env->hflags2 & HF2_NMI_MASK))
		event = EXCP_VE;
	else if (event < 0 && take_nmi(env))
		event = EXCP02_NMI;
	env->exception_is_int = 0;
	env->error_code = 0;
	return event;
}

void tdx_nmi_unblocked(CPUX86State *env)
{
	CPUState *cs = env_cpu(env);

	if (!take_nmi(env))
		return;
	env->exception_is_int = 0;
	env->error_code = 0;
	cs->exception_index = EXCP02_NMI;
	cpu_loop_exit(cs);
}

/* Loads the TD's state over the host's, which was saved. */
static struct td_cpu *load_td(CPUX86State *env, struct tdx_vcpu *vcpu)
{
	struct td_cpu *td = tdx_vcpu_state(vcpu);

	if (td) {
		load_state(env, &td->env);
		if (has_tiles(vcpu))
			copy_tiles(env, &td->env);
		return td;
	}
	td = state_new(offsetof(struct td_cpu, env));
	memset(td, 0, offsetof(struct td_cpu, env));
	td->event = -1;
	tdx_vcpu_set_state(vcpu, td);
	reset_vcpu(env, vcpu);
	if (has_tiles(vcpu))
		reset_tiles(env);
	return td;
}

G_NORETURN void tdx_enter(CPUX86State *env, struct tdx_vcpu *vcpu)
{
	struct lp *lp = tdx_lp(env);
	CPUState *cs = env_cpu(env);
	struct td_cpu *td;
	uint32_t xmm;

	if (!lp->host)
		lp->host = state_new(0);
	save_state(env, lp->host);
	td = load_td(env, vcpu);
	lp->td = vcpu;
	if (lp->tlb_tag != tdx_vcpu_tlb_tag(vcpu)) {
		lp->tlb_tag = tdx_vcpu_tlb_tag(vcpu);
		tdx_flush_tlb(env);
	}
	xmm = tdx_td_enter(vcpu, lp->host->regs, env->regs);
	pass_xmm(env, lp->host, xmm);
	vapic_update(env, &td->apic);
	cs->exception_index = take_event(env, td);
	speed_td_enters(env, td);
	cpu_loop_exit(cs);
}

/* XCR0 and XSS become all that the TD may have, and what they enable is initialised. */
static void scrub_xstate(CPUX86State *env, CPUX86State *host)
{
	struct xsave_msrs *m = &tdx_lp(env)->xsave;
	uint64_t xfam = tdx_vcpu_xfam(tdx_lp(env)->td);

	reset_fpu(host, xfam);
	if (xfam & BIT_ULL(XSTATE_PKRU))
		host->pkru = 0;
	if (xfam & XSTATES_CET) {
		m->u_cet = 0;
		memset(m->pl_ssp, 0, sizeof(m->pl_ssp));
	}
	if (xfam & XSTATES_AMX)
		m->xfd = m->xfd_err = 0;
	host->xcr0 = xfam & XSTATES_XCR0;
	m->xss = xfam & XSTATES_XSS;
}

/* What the module does to the host's state on an exit, as on real hardware. */
static void scrub_host(CPUX86State *env, CPUX86State *host)
{
	scrub_xstate(env, host);
	host->dr[0] = host->dr[1] = host->dr[2] = host->dr[3] = 0;
	host->dr[6] = DR6_FIXED_1;
	host->dr[7] = DR7_FIXED_1;
	host->cr[2] = 0;
	host->star = host->lstar = host->kernelgsbase = host->tsc_aux = 0;
	host->fmask = VM_MASK | IF_MASK;
	tdx_lp(env)->debugctl &= DEBUGCTL_KEPT;
}

void tdx_end_bus_lock(CPUX86State *env)
{
	struct lp *lp = tdx_lp(env);

	if (!lp->bus_lock)
		return;
	BQL_LOCK_GUARD();
	cpu_reset_interrupt(env_cpu(env), CPU_INTERRUPT_SMI);
	lp->bus_lock = false;
}

/* The CPU's state must be in @env, not in a translation block. */
static G_NORETURN void exit_td(CPUX86State *env, const struct tdx_exit *exit)
{
	struct lp *lp = tdx_lp(env);
	struct td_cpu *td = tdx_td_cpu(env);
	CPUX86State *host = lp->host;
	CPUState *cs = env_cpu(env);
	struct tdx_exit known = *exit;
	uint32_t xmm;

	/*
	 * The exit may have interrupted the delivery of an exception.  The
	 * instruction raises it again after the next entry, but a #VE or an NMI
	 * has been consumed already: keep it.
	 */
	if (cs->exception_index == EXCP_VE || cs->exception_index == EXCP02_NMI)
		td->event = cs->exception_index;
	env->old_exception = -1;
	vapic_leave(env);
	tdx_end_bus_lock(env);
	speed_td_exits(env, td, exit->reason == EXIT_REASON_EXTERNAL_INTERRUPT);
	save_state(env, &td->env);
	/* The host's are lost, so that nobody has saved them. */
	if (has_tiles(lp->td)) {
		copy_tiles(&td->env, env);
		reset_tiles(env);
	}
	scrub_host(env, host);
	known.rip = env->eip;
	xmm = tdx_td_exit(lp->td, &known, td->env.regs, host->regs);
	lp->td = NULL;
	if (exit->reason == EXIT_REASON_NMI) {
		/* The exit takes the NMI that caused it. */
		cpu_reset_interrupt(cs, CPU_INTERRUPT_NMI);
		host->hflags2 |= HF2_NMI_MASK;
	}
	load_state(env, host);
	pass_xmm(env, &td->env, xmm);
	cpu_sync_avx_hflag(env);
	cpu_sync_bndcs_hflags(env);
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

/* The module's decisions. */

G_NORETURN void tdx_deliver(CPUX86State *env, enum tdx_outcome out,
			    const struct tdx_exit *exit, uint64_t next_rip,
			    uintptr_t ra)
{
	switch (out) {
	case TDX_EXIT_TRAP:
	case TDX_EXIT:
		cpu_restore_state(env_cpu(env), ra);
		if (out == TDX_EXIT_TRAP) {
			env->eip = next_rip;
			env->hflags &= ~HF_INHIBIT_IRQ_MASK;
		}
		exit_td(env, exit);
	case TDX_VE:
		raise_exception_err_ra(env, EXCP_VE, 0, ra);
	case TDX_DF:
		raise_exception_err_ra(env, EXCP08_DBLE, 0, ra);
	case TDX_GP:
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	case TDX_UD:
		raise_exception_ra(env, EXCP06_ILLOP, ra);
	default:
		g_assert_not_reached();
	}
}

G_NORETURN void tdx_deliver_ve(CPUX86State *env, const struct tdx_ve_info *ve,
			       uintptr_t ra)
{
	tdx_deliver(env, tdx_ve(tdx_lp(env)->td, ve), NULL, 0, ra);
}
