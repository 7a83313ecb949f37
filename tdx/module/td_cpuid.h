/* SPDX-License-Identifier: GPL-2.0 */
/* CPUID as a TD sees it.  The table is in cpuid_table.c. */
#ifndef TDX_TD_CPUID_H
#define TDX_TD_CPUID_H

#include "cpuid_table.h"
#include "model.h"
#include "td_features.h"

/* The feature bits that the module itself asks about: arguments of cpuid_bit(). */
#define CPUID_MONITOR		1, 0, ECX, 3
#define CPUID_EIST		1, 0, ECX, 7
#define CPUID_TM2		1, 0, ECX, 8
#define CPUID_XTPR		1, 0, ECX, 14
#define CPUID_DCA		1, 0, ECX, 18
#define CPUID_TSC_DEADLINE	1, 0, ECX, 24
#define CPUID_OSXSAVE		1, 0, ECX, 27
#define CPUID_MCE		1, 0, EDX, 7
#define CPUID_MTRR		1, 0, EDX, 12
#define CPUID_MCA		1, 0, EDX, 14
#define CPUID_ACPI		1, 0, EDX, 22
#define CPUID_HLE		7, 0, EBX, 4
#define CPUID_RTM		7, 0, EBX, 11
#define CPUID_RDT_M		7, 0, EBX, 12
#define CPUID_RDT_A		7, 0, EBX, 15
#define CPUID_OSPKE		7, 0, ECX, 4
#define CPUID_WAITPKG		7, 0, ECX, 5
#define CPUID_TME		7, 0, ECX, 13
#define CPUID_LA57		7, 0, ECX, 16
#define CPUID_PCONFIG		7, 0, EDX, 18
#define CPUID_CORE_CAP		7, 0, EDX, 30
#define CPUID_LASS		7, 1, EAX, 6
#define CPUID_PERFMON_EXT	7, 1, EAX, 8
#define CPUID_SYSCALL		0x80000001, 0, EDX, 11

/* A TD with TSX has this bit, which the CPU must have for that. */
#define MSR_ARCH_CAPABILITIES	0x10a
#define ARCH_CAP_TSX_CTRL	BIT(7)

/*
 * Whether the guest has the feature.  With REDUCE_VE it must have asked for it in
 * FEATURE_PARAVIRT_CTRL; without, three that older guests expect are there
 * whatever the host has configured.
 */
bool td_feature(const struct td *td, enum feature f);

/* Values of CPUID_CONTROL, by row of the table: who gets #VE for the leaf. */
#define CPUID_CONTROL_SUPERVISOR	1
#define CPUID_CONTROL_USER		2

/* Reads the CPU's values, once: some depend on the state that the CPU is in. */
void cpuid_read_native(struct tdx_module *m);

/* Bits of XFAM and ATTRIBUTES that a TD may have, on this CPU. */
u64 cpuid_supported_xfam(const struct tdx_module *m);
u64 cpuid_supported_attributes(const struct tdx_module *m);

/* The slots of TD_PARAMS.CPUID_CONFIG: how many, and for slot @i ... */
unsigned int cpuid_num_configs(const struct tdx_module *m);
/* ... the leaf, with the subleaf in bits 63:32; ... */
u64 cpuid_config_leaf(const struct tdx_module *m, unsigned int i);
/* ... and the bits that the host may set in each register. */
void cpuid_config_value(const struct tdx_module *m, unsigned int i,
			u32 value[NUM_CPUID_REGS]);

/*
 * Sets the TD's values from TD_PARAMS.  Returns 0 or the status to fail with;
 * *bad is then the leaf, with the subleaf in bits 63:32, or 0.
 */
u64 cpuid_build(struct td *td, const struct td_params *p, u64 *bad);

/* Its last part, leaves 0x1f and 0xb. */
u64 cpuid_build_topology(struct td *td);

/*
 * The TD's EAX to EDX, without what changes at run time.  NULL if the leaf is not
 * in the table or has no value, or if it has subleaves and @no_subleaf says
 * otherwise.
 */
const u32 *cpuid_lookup(const struct td *td, u32 leaf, u32 subleaf,
			bool no_subleaf);

/* A bit of those, of a leaf that is in the table. */
bool cpuid_bit(const struct td *td, u32 leaf, u32 subleaf, enum cpuid_reg reg,
	       unsigned int bit);

/* Bytes of an XSAVE area with @features, in standard or compacted format. */
u32 cpuid_xsave_size(const struct tdx_module *m, u64 features, bool compacted);

#endif /* TDX_TD_CPUID_H */
