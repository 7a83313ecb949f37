/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUID entries, and TDs that are created only to see their effect.
 */
#ifndef SELFTEST_KVM_TDX_CPUID_H
#define SELFTEST_KVM_TDX_CPUID_H

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_util.h"

#define NR_CPUID_REGS	4

/* EAX, EBX, ECX, EDX, to be indexed by KVM_CPUID_EAX and so on. */
extern const char * const cpuid_reg_names[NR_CPUID_REGS];

/* The four registers of @entry as an array. */
static inline u32 *cpuid_entry_regs(struct kvm_cpuid_entry2 *entry)
{
	return &entry->eax;
}

/* The entry with this leaf and this index, NULL if there is none. */
struct kvm_cpuid_entry2 *find_cpuid_entry(struct kvm_cpuid2 *cpuid, u32 leaf,
					  u32 index);

/* The same for an entry that must exist. */
static inline struct kvm_cpuid_entry2 *cpuid_entry(struct kvm_cpuid2 *cpuid, u32 leaf,
						   u32 index)
{
	return (struct kvm_cpuid_entry2 *)get_cpuid_entry(cpuid, leaf, index);
}

/*
 * Append an entry to the parameters of KVM_TDX_INIT_VM or to what
 * tdx_get_cpuid() returned.  Both have room for TDX_MAX_CPUID entries.
 */
void add_cpuid_entry(struct kvm_cpuid2 *cpuid, struct kvm_cpuid_entry2 entry);

/* Have KVM_TDX_INIT_VM ask for GPAs of @width bits. */
void tdx_set_gpa_width(struct kvm_tdx_init_vm *init, u8 width);

/*
 * Create a TD that is initialized with @init, or with the lib's defaults if @init
 * is NULL.  It has an irqchip, so vCPUs can be added, but no memory.
 */
struct kvm_vm *tdx_create_without_memory(struct kvm_tdx_init_vm *init);

#endif /* SELFTEST_KVM_TDX_CPUID_H */
