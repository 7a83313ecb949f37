/* SPDX-License-Identifier: GPL-2.0 */
/* The smallest TD, for tests that need many of them soon. */
#ifndef SELFTEST_KVM_TDX_SMALL_TD_H
#define SELFTEST_KVM_TDX_SMALL_TD_H

#include "tdx/tdx_util.h"

/* What fills its only page, the one with the reset vector: one instruction. */
struct small_td_code {
	u8 bytes[2];
};

/* Shuts the vCPU down, as there are no exception handlers. */
#define SMALL_TD_INT3		((struct small_td_code) { { 0xcc, 0xcc } })

/* Keeps the vCPU running for ever. */
#define SMALL_TD_JMP_SELF	((struct small_td_code) { { 0xeb, 0xfe } })

/* Create and launch a TD with @nr_vcpus vCPUs, which all run @code. */
struct kvm_vm *small_td_create(u32 nr_vcpus, struct small_td_code code);

/* Run @vcpu, whose code is SMALL_TD_INT3. */
void small_td_run_to_shutdown(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_TDX_SMALL_TD_H */
