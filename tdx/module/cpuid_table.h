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

/* Releases of the module that have a table of their own, as bits of a mask. */
enum cpuid_releases { R_1_5_06 = 1, R_1_5_28 = 2, R_2_0_08 = 4 };

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
	uint8_t releases;	/* that have the field; 0: all */
};

#define NO_SUBLEAF	0xffffffffu	/* ECX does not select a subleaf */

/* A leaf with its subleaf. */
struct cpuid_row {
	uint32_t leaf, subleaf;
	const struct cpuid_field *fields;
	unsigned int num_fields;
	/* In TD_PARAMS.CPUID_CONFIG, counted from 1; 0: not configurable. */
	uint8_t slot;
	uint8_t releases;	/* that have the row; 0: all */
	uint8_t faulting;	/* where the leaf raises #VE and has no value */
	uint32_t faults_as;	/* the leaf raises #VE where this leaf does; 0: itself */
	/* The leaf is 0 unless XFAM and ATTRIBUTES have all of these. */
	uint64_t xfam, attributes;
};

#define MAX_LEAF		0x23
#define MAX_EXTENDED_LEAF	0x80000008

/* How many rows a table has at most: CPUID_CONTROL has an element for each. */
#define CPUID_MAX_ROWS		128

/* The rows of a module, and what else about CPUID is its own. */
struct cpuid_table {
	const struct cpuid_row *rows;
	unsigned int num_rows;
	unsigned int num_slots;		/* of TD_PARAMS.CPUID_CONFIG */
	uint8_t release;		/* which of the rows and fields count */
	bool numbers_last_levels;	/* leaf 0xb: levels that don't exist have a number */
	bool perfmon_subleaves_are_gated;	/* leaf 0x23: by EAX of subleaf 0 */
};

extern const struct cpuid_table cpuid_1_5_06, cpuid_1_5_28, cpuid_2_0_08;

/*
 * Index of the row of a leaf; -1 if there is none.  @subleaf is ignored where the
 * leaf has NO_SUBLEAF.
 */
int cpuid_find_row(const struct cpuid_table *t, uint32_t leaf, uint32_t subleaf);

/* The row of a slot of TD_PARAMS.CPUID_CONFIG, counted from 0. */
const struct cpuid_row *cpuid_find_slot(const struct cpuid_table *t,
					unsigned int slot);

/* Whether the table has the row, the leaf raises #VE, the row has the field. */
bool cpuid_has_row(const struct cpuid_table *t, const struct cpuid_row *row);
bool cpuid_faults(const struct cpuid_table *t, const struct cpuid_row *row);
bool cpuid_has_field(const struct cpuid_table *t, const struct cpuid_field *f);

/* The bits of the field's register that it has. */
uint32_t cpuid_field_mask(const struct cpuid_field *f);

#endif /* TDX_CPUID_TABLE_H */
