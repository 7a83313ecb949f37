/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: how a module and its CPU differ from the release whose profile they have.  A
 * rule is a line of words; numbers are decimal, or begin with 0x.  An empty line and
 * one that begins with # are none.  Of two rules about the same thing the later counts.
 *
 *	version MAJOR MINOR UPDATE
 *	profile NAME CLEAR SET
 *		Bits of a number of the profile, see profile_numbers[] in rules.c:
 *		those in CLEAR become 0, and then those in SET 1.
 *	cpu LEAF SUBLEAF REGISTER CLEAR SET
 *		The same for the CPU's own CPUID.
 *	cpuid LEAF SUBLEAF REGISTER MASK HOW [BITS]
 *		What decides the bits in MASK of a TD's CPUID.  HOW is "fixed", with
 *		their value in BITS; "configured", by the host; "xfam" or
 *		"attributes": they are 1 if the TD has all of BITS there, else 0.
 *	faults LEAF SUBLEAF AS
 *		In a TD the leaf raises #VE where the leaf AS does, or "always".
 *	last-levels 0 or 1
 *		Whether levels that leaf 0xb does not have get a number.
 *	msr FIRST LAST READ WRITE [VALUE]
 *		In a TD, RDMSR and WRMSR of these MSRs do what they do for the MSRs READ
 *		and WRITE.  What RDMSR reads is VALUE.
 *	instruction NAME AS
 *		In a TD, an instruction does what another one does.  The names are those
 *		of the trace.
 *	field ID VALUE
 *		A global metadata field, which the guest can read.
 */
#ifndef TDX_RULES_H
#define TDX_RULES_H

#include "model.h"

struct tdx_rules;

/* Adds the rules in @text to @p.  Returns NULL, or what is wrong, to be freed. */
char *rules_add(struct tdx_profile *p, const char *text);

/* What RDMSR and WRMSR of an MSR do. */
struct msr_likeness {
	u32 first, last;
	u32 read, write;	/* the MSRs that they do it like */
	bool has_value;
	u64 value;		/* that is read */
};

/* Of a profile that may have no rules: NULL if none is about the MSR. */
const struct msr_likeness *rules_msr(const struct tdx_profile *p, u32 msr);

/* The exit reason of the instruction that one with this exit reason behaves like. */
u32 rules_instruction(const struct tdx_profile *p, u32 reason);

/* A metadata field. */
struct field_rule { u64 id, value; };

/* The rules about metadata fields; *num is how many. */
const struct field_rule *rules_fields(const struct tdx_profile *p, unsigned int *num);

#endif /* TDX_RULES_H */
