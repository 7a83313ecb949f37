// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that a TDX CPU has and QEMU lacks: SEAMCALL and TDCALL, MOVDIR64B,
 * MOVDIRI and INVPCID, those of TSX and of WAITPKG.  Those of VMX are in vmx.c.
 *
 * To QEMU all of them are illegal opcodes, so they are decoded when it is about
 * to raise #UD: that costs nothing elsewhere.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/cputlb.h"
#include "tcg/helper-tcg.h"
#include "glue.h"
#include "decode.h"

static G_NORETURN void seamcall(struct insn *i)
{
	CPUX86State *env = i->env;
	struct tdx_vcpu *vcpu;

	schedule_point(env, true, 0);
	if (!tdx_seamcall(tdx_module(), env_cpu(env)->cpu_index, env->regs,
			  &vcpu)) {
		insn_set_flags(i, CC_C);
		insn_done(i);
	}
	insn_set_flags(i, 0);
	if (!vcpu)
		insn_done(i);
	env->eip = insn_next_rip(i);
	env->hflags &= ~HF_INHIBIT_IRQ_MASK;
	tdx_enter(env, vcpu);
}

static G_NORETURN void tdcall(struct insn *i)
{
	CPUX86State *env = i->env;
	struct tdx_exit exit;
	enum tdx_outcome out;

	if (env->hflags & HF_CPL_MASK || !(env->hflags & HF_CS64_MASK))
		insn_gp(i);
	schedule_point(env, true, 0);
	out = tdx_tdcall(tdx_lp(env)->td, env->regs, &exit);
	if (out == TDX_DONE)
		insn_done(i);
	if (out == TDX_AGAIN)
		insn_again(i);
	tdx_deliver(env, out, &exit, insn_next_rip(i), 0);
}

/* Tells the module which page of the host is written, and how. */
static void begin_direct_store(CPUX86State *env, target_ulong to)
{
	MemTxAttrs attrs;
	hwaddr page;

	if (!tdx_module() || tdx_in_td(env))
		return;
	page = cpu_get_phys_page_attrs_debug(env_cpu(env),
					     to & TARGET_PAGE_MASK, &attrs);
	if (page != -1)
		tdx_host_direct_store(tdx_module(),
				      page | (to & ~TARGET_PAGE_MASK));
	tdx_lp(env)->direct_store = true;
}

/* Copies 64 bytes to the address in a register. */
static G_NORETURN void movdir64b(struct insn *i)
{
	target_ulong to = i->env->regs[insn_reg(i)];
	uint64_t data[8];

	if (to & 63)
		insn_gp(i);
	for (int n = 0; n < 8; n++)
		data[n] = insn_load(i, i->ea + 8 * n);
	begin_direct_store(i->env, to);
	for (int n = 0; n < 8; n++)
		insn_store(i, to + 8 * n, data[n]);
	if (tdx_module())
		tdx_lp(i->env)->direct_store = false;
	insn_done(i);
}

static G_NORETURN void movdiri(struct insn *i)
{
	uint64_t value = i->env->regs[insn_reg(i)];

	if (i->rex & 8)
		insn_store(i, i->ea, value);
	else
		cpu_stl_le_data_ra(i->env, i->ea, value, 0);
	insn_done(i);
}

/*
 * Every TD has INVPCID, and QEMU's CPUs lack it.  QEMU drops a PCID's
 * translations when CR3 changes, so that all types of INVPCID drop everything.
 */
static G_NORETURN void invpcid(struct insn *i)
{
	CPUX86State *env = i->env;
	uint64_t type = env->regs[insn_reg(i)], pcid, gla;
	unsigned int shift = env->cr[4] & CR4_LA57_MASK ? 7 : 16;

	if (env->hflags & HF_CPL_MASK)
		insn_gp(i);
	pcid = insn_load(i, i->ea);
	gla = insn_load(i, i->ea + 8);
	if (type > 3 || pcid >> 12 ||
	    (type < 2 && pcid && !(env->cr[4] & CR4_PCIDE_MASK)) ||
	    (!type && (int64_t)(gla << shift) >> shift != gla))
		insn_gp(i);
	tlb_flush(env_cpu(env));
	insn_done(i);
}

/*
 * TSX.  A transaction may abort at any time, so that all do at once.
 */
static void tsx(struct insn *i)
{
	if (i->opcode == OP_XBEGIN) {
		i->env->regs[R_EAX] = 0;
		i->at += i->offset;
		insn_done(i);
	}
	if (i->opcode == OP_XABORT)
		insn_done(i);
	if (i->opcode != OP_GROUP7 || i->prefix)
		return;
	if (i->modrm == G7_XEND)
		insn_gp(i);
	if (i->modrm == G7_XTEST) {
		insn_set_flags(i, CC_Z);
		insn_done(i);
	}
}

/*
 * WAITPKG.  The wait may end at any time, and does so at once.  Returns if the
 * instruction is another one, or if a TD does not have it.
 */
static void waitpkg(struct insn *i)
{
	CPUX86State *env = i->env;

	if (i->opcode != OP_GROUP15 || insn_is_memory(i) || !i->prefix ||
	    insn_extension(i) != G15_WAIT)
		return;
	if (tdx_in_td(env) &&
	    tdx_instruction(tdx_lp(env)->td, EXIT_REASON_TPAUSE) != TDX_NATIVE)
		return;
	if (i->prefix == 0xf3)
		insn_done(i);
	if ((uint32_t)env->regs[insn_rm(i)] > 1 ||
	    (env->cr[4] & CR4_TSD_MASK && env->hflags & HF_CPL_MASK))
		insn_gp(i);
	insn_set_flags(i, 0);
	insn_done(i);
}

/* Returns if the TD gets #UD. */
static void execute_in_td(struct insn *i)
{
	if (i->opcode == OP_INVPCID && i->prefix == 0x66 && insn_is_memory(i))
		invpcid(i);
	if (i->opcode != OP_GROUP7)
		return;
	if (i->modrm == G7_TDCALL && i->prefix == 0x66)
		tdcall(i);
	if (i->modrm == G7_VMCALL)
		tdx_deliver_ve(i->env, &(struct tdx_ve_info){
			.reason = EXIT_REASON_VMCALL,
			.insn_len = i->at - i->start
		}, 0);
}

/* Returns if the host gets #UD. */
static void execute_in_host(struct insn *i)
{
	if (i->opcode == OP_GROUP7 && i->modrm == G7_SEAMCALL &&
	    i->prefix == 0x66) {
		vmx_need_root(i);
		seamcall(i);
	}
	vmx_execute(i);
}

void tdx_execute(CPUX86State *env)
{
	struct insn i;

	insn_decode(&i, env);
	/* It is the last of its block, so that the count of instructions is right. */
	env_cpu(env)->neg.can_do_io = true;
	/* A store that faulted did not get as far as this. */
	if (tdx_module())
		tdx_lp(env)->direct_store = false;
	if (i.opcode == OP_MOVDIR64B && i.prefix == 0x66 && insn_is_memory(&i))
		movdir64b(&i);
	if (i.opcode == OP_MOVDIRI && !i.prefix && insn_is_memory(&i))
		movdiri(&i);
	if (i.vex_map) {
		amx_execute(&i);
		return;
	}
	tsx(&i);
	waitpkg(&i);
	if (tdx_in_td(env))
		execute_in_td(&i);
	else
		execute_in_host(&i);
}
