/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD in each stage of being built, and commands that build it or get in the way, for
 * tests that call several of them at once.
 */
#ifndef SELFTEST_KVM_TDX_TD_COMMANDS_H
#define SELFTEST_KVM_TDX_TD_COMMANDS_H

#include "kvm_util.h"
#include "tdx/tdx_util.h"

#define SLOT		1
#define SLOT_GPA	0x100000ul
#define NR_PAGES	8

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[2];
	struct kvm_tdx_init_vm *init;
	void *source;			/* NR_PAGES */
};

enum stage {
	CREATED,
	INITIALIZED,
	VCPUS_CREATED,
	FIRST_VCPU_READY,
	FIRST_VCPU_READY_MEMORY_ADDED,
	READY,
	READY_MEMORY_ADDED,
};

/* @nr pages of the memslot from page @first on, and of the source. */
struct kvm_tdx_init_mem_region td_pages(struct td *td, u64 first, u64 nr);

#define assert_added(vcpu, _region)					\
do {									\
	struct kvm_tdx_init_mem_region __region = (_region);		\
									\
	TEST_ASSERT(!__tdx_init_mem_region(vcpu, 0, &__region, NULL),	\
		    "Adding pages failed at GPA 0x%lx, errno %d (%s)",	\
		    (unsigned long)__region.gpa, errno, strerror(errno)); \
} while (0)

/* Create a VM, then the TD as far as @stage; vCPU i is loaded on race_cpu(i). */
void td_create_vm(struct td *td);
void td_create_td(struct td *td, enum stage stage);
void td_free_td(struct td *td);
/* Add another memslot, with a guest_memfd of its own and one page of the TD. */
void td_add_other_slot(struct td *td);

/*
 * The commands.  @arg is a struct td, @side is 0 or 1, and each side has a vCPU of its
 * own.  They return an errno, or 0.
 */
int td_init_vm(void *arg, int side);
int td_create_vcpu(void *arg, int side);
int td_init_own_vcpu(void *arg, int side);
int td_init_last_vcpu(void *arg, int side);
int td_add_all_pages(void *arg, int side);
int td_add_half_of_pages(void *arg, int side);
int td_finalize(void *arg, int side);
int td_run(void *arg, int side);
int td_pre_fault(void *arg, int side);
int td_punch_hole(void *arg, int side);
int td_set_shared(void *arg, int side);
int td_delete_memslot(void *arg, int side);
int td_punch_other_hole(void *arg, int side);
int td_add_and_measure_page(void *arg, int side);
int td_get_state_of_other_vcpu(void *arg, int side);
int td_fetch_thread(void *arg, int side);

#endif /* SELFTEST_KVM_TDX_TD_COMMANDS_H */
