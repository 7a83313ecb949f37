/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operands of calls: each function checks one, takes the locks that go with it,
 * and returns 0 or the status to fail with.
 */
#ifndef TDX_OPERANDS_H
#define TDX_OPERANDS_H

#include "leaf.h"

/* Sets of op states, as @op_states below. */
#define UNTIL_FINALIZED		BIT(OP_INITIALIZED)
#define BUILDING_OR_RUNNING	(BIT(OP_INITIALIZED) | BIT(OP_RUNNABLE))

/* The TD whose TDR is at @tdr, in whatever state.  @op: the operand. */
u64 tdr_operand(struct call *c, u64 tdr, enum tdx_operand op, struct td **td);

/* The same, with its keys, its TDCS and in one of @op_states. */
u64 td_operand(struct call *c, u64 tdr, enum tdx_operand op,
	       unsigned int op_states, struct td **td);

/* The vCPU whose TDVPR is at @tdvpr, its TD in whatever state. */
u64 tdvpr_operand(struct call *c, u64 tdvpr, enum tdx_operand op,
		  struct tdx_vcpu **v);

/* The same, its TD with keys, TDCS and in one of @op_states. */
u64 vcpu_operand(struct call *c, u64 tdvpr, enum tdx_operand op,
		 unsigned int op_states, struct tdx_vcpu **v);

/* Whether @v has all its pages: 0 or the status to fail with. */
u64 vcpu_pages(const struct tdx_vcpu *v);

/* The status for a vCPU in the wrong state; since release 2.0 it names the state. */
u64 vcpu_state_incorrect(const struct tdx_vcpu *v);

/*
 * Ties @v to the calling processor; another must have flushed it.  @v must be
 * ready, or after a triple fault if @disabled.
 */
u64 vcpu_associate(struct call *c, struct tdx_vcpu *v, bool disabled);

/* The CPU's IA32_MISC_ENABLE must not limit CPUID. */
u64 check_limit_cpuid(struct call *c);

/* IA32_TSC_ADJUST must be as it was at TDH.SYS.INIT. */
u64 check_tsc_adjust(struct call *c);

/*
 * A private GPA with its level in bits 2:0, in RCX.  The level must be from @min
 * to @max, and the GPA aligned to it.
 */
u64 leveled_gpa_operand(struct call *c, const struct td *td, unsigned int min,
			unsigned int max, u64 *gpa, unsigned int *level);

/* The place of a mapping in a TD's secure EPT. */
struct sept_place {
	struct td *td;
	u64 gpa;
	unsigned int level;
	struct sept_entry *e;
};

/*
 * The operands of SEAMCALLs on secure EPT: GPA and level in RCX, TDR in RDX, which
 * are 0 or describe an entry from then on.  Locks tree and entry.
 */
u64 sept_operands(struct call *c, unsigned int op_states, unsigned int min,
		  unsigned int max, struct sept_place *p);

/* Describes an entry at @level in RCX and RDX, as such calls return it. */
void describe_entry(struct call *c, const struct sept_entry *e,
		    unsigned int level);

/* The same, returning a status. */
u64 fail_at_entry(struct call *c, enum tdx_status_code code,
		  const struct sept_entry *e, unsigned int level);

#endif /* TDX_OPERANDS_H */
