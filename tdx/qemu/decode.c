// SPDX-License-Identifier: GPL-2.0
/*
 * Decoding: prefixes, opcode, ModRM and address of an instruction, and the ways
 * in which one ends.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "tcg/helper-tcg.h"
#include "glue.h"
#include "decode.h"

static uint8_t fetch(struct insn *i)
{
	return cpu_ldub_mmuidx_ra(i->env, i->at++,
				  cpu_mmu_index(env_cpu(i->env), true), 0);
}

static uint32_t fetch_le(struct insn *i, int bytes)
{
	uint32_t v = 0;

	for (int n = 0; n < bytes; n++)
		v |= (uint32_t)fetch(i) << 8 * n;
	return v;
}

/* The base and index of a memory operand; true if it is relative to RIP. */
static bool fetch_base(struct insn *i, int mod, target_ulong *ea)
{
	uint8_t rm = i->modrm & 7, sib;
	int index;

	if (rm == 4) {
		sib = fetch(i);
		index = (sib >> 3 & 7) | (i->rex & 2) << 2;
		*ea = index == R_ESP ? 0 : i->env->regs[index] << (sib >> 6);
		if (i->vex_map) {
			i->stride = *ea;
			*ea = 0;
		}
		if ((sib & 7) == 5 && mod == 0)
			*ea += (int32_t)fetch_le(i, 4);
		else
			*ea += i->env->regs[(sib & 7) | (i->rex & 1) << 3];
		return false;
	}
	if (rm == 5 && mod == 0) {
		*ea = (int32_t)fetch_le(i, 4);
		return true;
	}
	*ea = i->env->regs[insn_rm(i)];
	return false;
}

/* The address of a memory operand, in 64-bit mode. */
static void fetch_address(struct insn *i)
{
	int mod = i->modrm >> 6;
	bool rip_relative = fetch_base(i, mod, &i->ea);

	if (mod == 1)
		i->ea += (int8_t)fetch(i);
	else if (mod == 2)
		i->ea += (int32_t)fetch_le(i, 4);
	/* None of these instructions has an immediate operand. */
	if (rip_relative)
		i->ea += i->at;
	if (i->segment == R_FS || i->segment == R_GS)
		i->ea += i->env->segs[i->segment].base;
}

/* Legacy prefixes; returns the byte after them. */
static uint8_t fetch_prefixes(struct insn *i)
{
	for (;;) {
		uint8_t b = fetch(i);

		switch (b) {
		case 0x66:
		case 0xf2:
		case 0xf3:
			if (i->prefix <= 0x66)
				i->prefix = b;
			break;
		case 0x64:
			i->segment = R_FS;
			break;
		case 0x65:
			i->segment = R_GS;
			break;
		case 0x26:	/* ES, CS, SS, DS */
		case 0x2e:
		case 0x36:
		case 0x3e:
			break;
		default:
			return b;
		}
	}
}

/* XBEGIN and XABORT: the only instructions outside of the 0F map. */
static void decode_tsx(struct insn *i, uint8_t b)
{
	if (b != OP_XABORT >> 8 && b != OP_XBEGIN >> 8)
		return;
	i->modrm = fetch(i);
	if (i->modrm != (OP_XBEGIN & 0xff))
		return;
	i->opcode = b << 8 | i->modrm;
	if (i->opcode == OP_XABORT)
		fetch(i);
	else if (i->prefix == 0x66)
		i->offset = (int16_t)fetch_le(i, 2);
	else
		i->offset = fetch_le(i, 4);
}

/* The long form, in 64-bit mode: no instruction of interest has the other. */
static void decode_vex(struct insn *i)
{
	uint8_t b = fetch(i), rest = fetch(i);

	i->rex = ~b >> 5 & 7;
	i->vex_map = b & 0x1f;
	i->vex_pp = rest & 3;
	i->vex_rest = (rest ^ 0x78) & ~3;
	if (!i->vex_map)
		return;
	i->opcode = fetch(i);
	i->modrm = fetch(i);
	if (insn_is_memory(i))
		fetch_address(i);
}

void insn_decode(struct insn *i, CPUX86State *env)
{
	bool code64 = env->hflags & HF_CS64_MASK;
	uint8_t b;

	*i = (struct insn){ .env = env, .segment = R_DS };
	i->start = i->at = env->segs[R_CS].base + env->eip;
	b = fetch_prefixes(i);
	if (code64 && (b & 0xf0) == 0x40) {
		i->rex = b;
		b = fetch(i);
	}
	i->first = b;
	if (b == 0xc4 && code64 && !i->prefix && !i->rex) {
		decode_vex(i);
		return;
	}
	if (b != 0x0f) {
		decode_tsx(i, b);
		return;
	}
	i->opcode = fetch(i);
	if (i->opcode == 0x38)
		i->opcode = 0x3800 | fetch(i);
	if (i->opcode == OP_RDPMC)
		return;
	i->modrm = fetch(i);
	if (insn_is_memory(i) && code64)
		fetch_address(i);
}

uint64_t insn_load(struct insn *i, target_ulong addr)
{
	return cpu_ldq_le_data_ra(i->env, addr, 0);
}

void insn_store(struct insn *i, target_ulong addr, uint64_t value)
{
	cpu_stq_le_data_ra(i->env, addr, value, 0);
}

void insn_set_flags(struct insn *i, uint32_t flags)
{
	i->env->cc_op = CC_OP_EFLAGS;
	i->env->cc_src = flags;
}

G_NORETURN void insn_ud(struct insn *i)
{
	raise_exception(i->env, EXCP06_ILLOP);
}

G_NORETURN void insn_gp(struct insn *i)
{
	raise_exception_err(i->env, EXCP0D_GPF, 0);
}

/* Goes on at @rip, and takes the trap if the guest single-steps. */
static G_NORETURN void insn_end(CPUX86State *env, uint64_t rip)
{
	CPUState *cs = env_cpu(env);

	env->eip = rip;
	env->hflags &= ~(HF_INHIBIT_IRQ_MASK | HF_RF_MASK);
	env->eflags &= ~RF_MASK;
	if (env->eflags & TF_MASK) {
		env->dr[6] |= DR6_BS;
		raise_exception(env, EXCP01_DB);
	}
	/* TDG.VP.VEINFO.GET lets an NMI through. */
	if (tdx_in_td(env))
		tdx_nmi_unblocked(env);
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

G_NORETURN void insn_done(struct insn *i)
{
	insn_end(i->env, insn_next_rip(i));
}

G_NORETURN void insn_again(struct insn *i)
{
	insn_end(i->env, i->env->eip);
}
