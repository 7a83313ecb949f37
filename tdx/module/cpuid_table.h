/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How CPUID is virtualised: a row for each field of each leaf, in the order and
 * the words of the CPUID virtualisation tables of the "Intel TDX Module ABI".
 */
#ifndef TDX_CPUID_TABLE_H
#define TDX_CPUID_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "td_params.h"

enum cpuid_reg { EAX, EBX, ECX, EDX, NUM_CPUID_REGS };

enum virtualization {
	FIXED,		/* @value */
	CALCULATED,	/* 0, or what cpuid_values.c and cpuid.c put there */
	NATIVE,		/* the CPU's */
	CONFIGURED,	/* the host's */
	ALLOWED,	/* the host's, but only bits that the CPU has */
};

/* Releases in which a row is valid. */
enum release { ANY_RELEASE, ONLY_1_5, ONLY_2_0 };

struct cpuid_field {
	enum cpuid_reg reg;
	uint8_t msb, lsb;
	const char *name;
	enum virtualization how;
	/*
	 * FIXED: the value.  NATIVE and ALLOWED: bits that every CPU with TDX
	 * has.  The box's CPU may lack them; the module takes them as native.
	 */
	uint32_t value;
	/* The field is 0 unless XFAM and ATTRIBUTES have all of these. */
	uint64_t xfam, attributes;
	enum release release;
};

#define NO_SUBLEAF	0xffffffffu	/* ECX does not select a subleaf */

/* A leaf with its subleaf; there is a row for each release that has its own. */
struct cpuid_row {
	uint32_t leaf, subleaf;
	const struct cpuid_field *fields;
	unsigned int num_fields;
	/* In TD_PARAMS.CPUID_CONFIG, counted from 1; 0: not configurable. */
	uint8_t slot;
	enum release release;
	/* The leaf is 0 unless XFAM and ATTRIBUTES have all of these. */
	uint64_t xfam, attributes;
};

#define MAX_LEAF		0x23
#define MAX_EXTENDED_LEAF	0x80000008

extern const struct cpuid_row cpuid_rows[];
unsigned int cpuid_num_rows(void);

/*
 * Index of the row of a leaf in @release, which is not ANY_RELEASE; -1 if there
 * is none.  @subleaf is ignored where the leaf has NO_SUBLEAF.
 */
int cpuid_find_row(enum release release, uint32_t leaf, uint32_t subleaf);

/* The row of a slot of TD_PARAMS.CPUID_CONFIG, counted from 0. */
const struct cpuid_row *cpuid_find_slot(enum release release, unsigned int slot);
unsigned int cpuid_num_slots(enum release release);

/* Whether the field is there in the release of @row. */
bool cpuid_has_field(const struct cpuid_row *row, const struct cpuid_field *f);

/* The bits of the field's register that it has. */
uint32_t cpuid_field_mask(const struct cpuid_field *f);

#endif /* TDX_CPUID_TABLE_H */
