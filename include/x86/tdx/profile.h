/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be seen of a TDX module from outside and from inside a TD, as lines of
 * text: a name without blanks, one blank, and the value.  No two lines have the same
 * name, and two recordings on one host are equal.
 *
 * x86/tdx_profile prints it, and "tdx/box diff" compares two of them.
 */
#ifndef SELFTEST_KVM_TDX_PROFILE_H
#define SELFTEST_KVM_TDX_PROFILE_H

#include "kvm_util.h"
#include "tdx/tdx_util.h"

/* Print a line.  @fmt gives name and value. */
void profile_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The kernel, the machine, and the CPU's own CPUID. */
void profile_host(void);

/* KVM's capabilities for TDs. */
void profile_kvm(void);

/* A TD's CPUID, each register with its bits by class; see cpuid_map.h. */
void profile_cpuid(void);

/*
 * What the guest sees of a TD: metadata, CPUID, MSRs, control registers and
 * instructions in each state that the guest can bring itself into.  @all: the TD has
 * all that KVM offers, else nothing that is optional.
 */
void profile_td(bool all);

/*
 * Guest.
 */

/* A leaf of CPUID as the guest sees it. */
struct profile_leaf {
	u32 leaf, subleaf;
	u32 reg[4];
	u8 vector;		/* of the exception, 0 for none */
};

/* What RDMSR does, and WRMSR of the same value; 0 if it can't be read. */
struct profile_msr {
	u64 val;
	u8 rdmsr, wrmsr;	/* vectors */
	bool varies;		/* a second read gave another value */
};

/* What happens if the guest changes one bit, for each bit of a register. */
struct profile_bits {
	u32 msr;
	u64 changes, ignored, ve, gp;
};

/* A metadata field that TDG.SYS.RD or TDG.VM.RD has. */
struct profile_field {
	u64 id, val;
	u64 writable;		/* bits that TDG.VM.WR changes */
};

/* Class and code of a field's id; the other bits describe its size and shape. */
static inline bool profile_same_field(u64 a, u64 b)
{
	return !((a ^ b) & (GENMASK_ULL(61, 56) | GENMASK_ULL(23, 0)));
}

#define PROFILE_MSRS		0x4110
#define PROFILE_MAX_LEAVES	512
#define PROFILE_MAX_BITS	1024
#define PROFILE_MAX_FIELDS	256
#define PROFILE_MAX_INSNS	64
#define PROFILE_TDCALLS		64

/* In memory that host and guest share. */
struct profile_survey {
	u32 nr_leaves, nr_bits;
	struct profile_leaf leaf[PROFILE_MAX_LEAVES];
	struct profile_msr msr[PROFILE_MSRS];
	struct profile_bits bits[PROFILE_MAX_BITS];
	struct profile_bits cr0, cr4;
	u8 insn[PROFILE_MAX_INSNS];

	/* These don't depend on the state. */
	u32 nr_sys, nr_td;
	struct profile_field sys[PROFILE_MAX_FIELDS], td[PROFILE_MAX_FIELDS];
	u64 tdcall[PROFILE_TDCALLS];
};

/* All features that the guest can ask for, in FEATURE_PARAVIRT_CTRL. */
#define PROFILE_PARAVIRT	GENMASK_ULL(11, 0)

/* The states, in an order in which each can follow the ones before. */
extern const struct profile_state {
	const char *name;
	u64 td_ctls;
	bool paravirt;		/* PROFILE_PARAVIRT */
} profile_states[];
extern const int nr_profile_states;

/* Guest code: enter a state.  Returns false if the module doesn't have it. */
bool profile_enter_state(const struct profile_state *state);

/* Guest code: does the module have REDUCE_VE, and so all states? */
bool profile_module_is_late(void);

/*
 * Guest code: enter a state, and check that the TD is in it.  Returns false if the module
 * doesn't have it, which only a module that is not @late may lack.  @td_ctls gets TD_CTLS.
 */
bool profile_check_state(const struct profile_state *state, bool late, u64 *td_ctls);

/* The names of insn[], with NULL at the end. */
extern const char * const profile_insns[];

/* The MSR of an element of msr[]. */
u32 profile_msr_index(int i);

/*
 * The guest code.  It syncs with the number of the state after it has filled in
 * @survey, and leaves out states that the module doesn't have.
 */
void profile_guest(struct profile_survey *survey);

/*
 * The guest code for a TD of its own, as it changes what it can: metadata and TDCALLs.
 */
void profile_fields_guest(struct profile_survey *survey);

#endif /* SELFTEST_KVM_TDX_PROFILE_H */
