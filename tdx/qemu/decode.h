/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions that QEMU does not know, decoded as it is about to raise #UD for
 * them, and those that cause a #VE which describes them.
 */
#ifndef TDX_DECODE_H
#define TDX_DECODE_H

struct insn {
	CPUX86State *env;
	target_ulong start;	/* linear address of the first byte ... */
	target_ulong at;	/* ... and of the next one to fetch */
	uint8_t rex;
	uint8_t prefix;		/* 0, or 0x66, over which 0xf2 and 0xf3 win */
	int segment;
	uint8_t first;		/* the byte after the prefixes */
	uint16_t opcode;	/* OP_*, or 0: another one */
	uint8_t modrm;
	int32_t offset;		/* XBEGIN: of the fallback, from the next instruction */
	target_ulong ea;	/* linear address of the memory operand */
	/* With a VEX prefix the opcode is a byte, in the map that the prefix names. */
	uint8_t vex_map, vex_pp;	/* 0: there is none */
	uint8_t vex_rest;		/* W, vvvv and L, which these instructions lack */
	target_ulong stride;		/* the index, of which the address has nothing */
};

/*
 * The byte after 0F, or the two after 0F 38; for XBEGIN and XABORT the opcode with
 * its ModRM byte.
 */
enum opcode {
	OP_GROUP7	= 0x01,
	OP_RDPMC	= 0x33,		/* without ModRM */
	OP_VMREAD	= 0x78,
	OP_VMWRITE	= 0x79,
	OP_GROUP15	= 0xae,
	OP_GROUP9	= 0xc7,
	OP_INVEPT	= 0x3880,
	OP_INVVPID	= 0x3881,
	OP_INVPCID	= 0x3882,
	OP_MOVDIR64B	= 0x38f8,
	OP_MOVDIRI	= 0x38f9,
	OP_XABORT	= 0xc6f8,
	OP_XBEGIN	= 0xc7f8,
};

/* ModRM bytes of group 7 that are instructions of their own. */
enum group7 {
	G7_VMCALL	= 0xc1,
	G7_VMLAUNCH	= 0xc2,
	G7_VMRESUME	= 0xc3,
	G7_VMXOFF	= 0xc4,
	G7_TDCALL	= 0xcc,
	G7_SEAMCALL	= 0xcf,
	G7_XEND		= 0xd5,
	G7_XTEST	= 0xd6,
};

/* ModRM.reg in group 15, with a register operand. */
#define G15_WAIT	6	/* 66: TPAUSE, F2: UMWAIT, F3: UMONITOR */

/* Values of ModRM.reg in group 9, with a memory operand. */
enum group9 {
	G9_VMPTRLD	= 6,	/* 66: VMCLEAR, F3: VMXON */
	G9_VMPTRST	= 7,
};

/* Fetches and decodes the instruction at RIP. */
void insn_decode(struct insn *i, CPUX86State *env);

/* Whether ModRM names memory, and not a register. */
static inline bool insn_is_memory(const struct insn *i)
{
	return i->modrm < 0xc0;
}

/* ModRM.reg as a register number, and without REX as an opcode's extension. */
static inline int insn_reg(const struct insn *i)
{
	return (i->modrm >> 3 & 7) | (i->rex & 4) << 1;
}

static inline int insn_extension(const struct insn *i)
{
	return i->modrm >> 3 & 7;
}

/* ModRM.rm as a register number. */
static inline int insn_rm(const struct insn *i)
{
	return (i->modrm & 7) | (i->rex & 1) << 3;
}

/* RIP after this instruction. */
static inline uint64_t insn_next_rip(const struct insn *i)
{
	return i->at - i->env->segs[R_CS].base;
}

/* Eight bytes at a linear address. */
uint64_t insn_load(struct insn *i, target_ulong addr);
void insn_store(struct insn *i, target_ulong addr, uint64_t value);

/* Arithmetic flags all clear but @flags. */
void insn_set_flags(struct insn *i, uint32_t flags);
/* #UD and #GP(0). */
G_NORETURN void insn_ud(struct insn *i);
G_NORETURN void insn_gp(struct insn *i);
/* Ends the instruction, and the translation block with it. */
G_NORETURN void insn_done(struct insn *i);
/* Ends it with RIP where it was: it is executed again. */
G_NORETURN void insn_again(struct insn *i);

/* amx.c: those of tile registers; returns if it is another one, or #UD. */
void amx_execute(struct insn *i);

/* vmx.c: VMX instructions of the host; returns if it is not one. */
void vmx_execute(struct insn *i);
/* #UD outside VMX operation, #GP(0) from user space. */
void vmx_need_root(struct insn *i);

#endif /* TDX_DECODE_H */
