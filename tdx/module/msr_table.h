/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How MSRs are virtualised: a row for each MSR or range of MSRs, as in the MSR
 * virtualisation table of the "Intel TDX Module ABI".
 */
#ifndef TDX_MSR_TABLE_H
#define TDX_MSR_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "td_features.h"
#include "tdx_module.h"

/* What RDMSR or WRMSR does. */
enum msr_rule {
	VE,		/* #VE */
	GP,		/* #GP(0) */
	NAT,		/* native: the TD's own register, or the CPU's #GP */
	VALUE,		/* RDMSR gives the row's value */
	SPECIAL,	/* see special_read() and special_write() in msr.c */

	/* #VE; with TD_CTLS.REDUCE_VE instead ... */
	R_GP,		/* #GP(0) */
	R_VALUE,	/* the row's value */
	R_IGNORE,	/* nothing */
	R_SPECIAL,	/* as SPECIAL */

	/* #VE if the guest has the feature, see td_feature(); else #GP(0). */
	VE_FEATURE,
	VE_CORE_CAP = VE_FEATURE + F_CORE_CAP, VE_DCA = VE_FEATURE + F_DCA,
	VE_EST = VE_FEATURE + F_EST, VE_MCA = VE_FEATURE + F_MCA,
	VE_MTRR = VE_FEATURE + F_MTRR, VE_PCONFIG = VE_FEATURE + F_PCONFIG,
	VE_RDT_A = VE_FEATURE + F_RDT_A, VE_RDT_M = VE_FEATURE + F_RDT_M,
	VE_ACPI = VE_FEATURE + F_ACPI, VE_TM2 = VE_FEATURE + F_TM2,
	VE_TME = VE_FEATURE + F_TME,
	VE_TSC_DEADLINE = VE_FEATURE + F_TSC_DEADLINE,

	/* Native if the TD has the feature, see td_has() in msr.c; else #GP(0). */
	IF_PERFMON, IF_WAITPKG, IF_TSX, IF_XFD, IF_PT, IF_CET, IF_PKS,
	IF_UINTR, IF_LBR,
};

struct msr_access {
	enum msr_rule read, write;
};

struct msr_row {
	uint32_t first, last;
	const char *name;
	/* In releases without and with TD_CTLS.REDUCE_VE. */
	struct msr_access v1_5, v2_0;
	uint64_t value;			/* VALUE and R_VALUE */
	uint8_t releases;		/* that have the row, of cpuid_table.h; 0: all */
};

extern const struct msr_row msr_rows[];
unsigned int msr_num_rows(void);

/*
 * The row of @msr in the profile's table.  MSRs that are not there have one of two
 * rows: those in the MSR bitmap's two ranges, and all others.
 */
const struct msr_row *msr_find_row(const struct tdx_profile *p, uint32_t msr);

#endif /* TDX_MSR_TABLE_H */
