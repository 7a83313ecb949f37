/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A map of a TD's CPUID: what determines each bit.
 *
 * VMMs maintain such tables by hand, for each release of the TDX module.  KVM has
 * no ioctl for it, but all that is needed to find out: create TDs with different
 * parameters, compare what KVM_TDX_GET_CPUID reports, and have a guest execute
 * CPUID in each state that matters.
 */
#ifndef SELFTEST_KVM_TDX_CPUID_MAP_H
#define SELFTEST_KVM_TDX_CPUID_MAP_H

#include "tdx/tdx_cpuid.h"

#define FAMILY_LEAF	0x1
#define TSC_LEAF	0x15
#define TOPOLOGY_LEAF	0x1f
#define WIDTH_LEAF	0x80000008

enum cpuid_class {
	CPUID_FIXED_0,		/* 0 in every TD */
	CPUID_FIXED_1,		/* 1 in every TD */
	CPUID_CONFIG,		/* what KVM_TDX_INIT_VM asked for */
	CPUID_XFAM,		/* depends on XFAM */
	CPUID_ATTRIBUTES,	/* depends on the TD's attributes */
	CPUID_OTHER,		/* depends on other parameters */
	CPUID_RUNTIME,		/* depends on the vCPU's state */
	CPUID_NO_EFFECT,	/* configurable, but that changes nothing */
	NR_CPUID_CLASSES
};

extern const struct cpuid_class_info {
	char letter;
	const char *name, *colour, *text;
} cpuid_classes[NR_CPUID_CLASSES];

/* One leaf or subleaf.  Arrays have a mask for each register. */
struct cpuid_map_leaf {
	u32 leaf, subleaf;
	bool has_subleaves;
	bool ve;			/* CPUID raises #VE in the guest */
	u32 value[NR_CPUID_REGS];	/* in a TD that asked for nothing */
	u32 reported[NR_CPUID_REGS];	/* configurable bits, according to KVM */
	u32 by_cr[NR_CPUID_REGS];	/* changes with CR4 or XCR0 in the guest */
	u32 by[NR_CPUID_CLASSES][NR_CPUID_REGS];
};

struct cpuid_map {
	int nr;
	struct cpuid_map_leaf leaf[TDX_MAX_CPUID];
	struct kvm_tdx_capabilities *caps;

	/* From KVM_TDX_GET_CPUID, for TDs that asked for nothing. */
	struct kvm_cpuid2 *least_xfam, *most_xfam;
};

extern struct cpuid_map cpuid_map;

/* Fill in cpuid_map.  To be called once. */
void cpuid_map_create(void);

/* The map of a leaf, NULL if TDs don't have it. */
struct cpuid_map_leaf *cpuid_map_find(u32 leaf, u32 subleaf);

/* The class of bit @bit of register @reg. */
enum cpuid_class cpuid_map_class(struct cpuid_map_leaf *m, int reg, int bit);

/*
 * Parameters of a TD.  The CPUID bits to ask for are in the order of the entries
 * of KVM_TDX_CAPABILITIES.
 */
struct cpuid_request {
	u32 reg[TDX_MAX_CPUID][NR_CPUID_REGS];
	u64 xfam, attributes;
	u32 gpa_width;
	u32 tsc_khz;		/* 0 for KVM's default */
};

/* Ask for no CPUID bit at all. */
struct cpuid_request cpuid_request_none(u64 xfam);

/*
 * Ask for all configurable bits that are in @pattern, except for those that are not
 * free: the topology, and the family, model and stepping of a TD.
 */
struct cpuid_request cpuid_request_all(u64 xfam, u32 pattern);

/*
 * Create a TD for @req.  Returns NULL if it is refused, with errno, and with the
 * module's status in *@hw_error.
 */
struct kvm_vm *cpuid_request_td(const struct cpuid_request *req, u64 *hw_error);

/* The CPUID of such a TD, which the caller frees, or NULL. */
struct kvm_cpuid2 *cpuid_request_cpuid(const struct cpuid_request *req);

/* Print the map to stdout, with a character, a mask or a square for each bit. */
void cpuid_map_print_table(void);
void cpuid_map_print_json(void);
void cpuid_map_print_html(void);

#endif /* SELFTEST_KVM_TDX_CPUID_MAP_H */
