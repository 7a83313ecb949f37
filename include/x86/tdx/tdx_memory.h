/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD for tests of memory, and helpers to access and convert its memory.
 *
 * The TD has two memslots of SLOT_PAGES pages each, one with a guest_memfd and
 * one without.  The guest maps each page twice: as private memory at a GVA equal to
 * the GPA, and as shared memory at shared() of that.  All pages start out shared,
 * and none of them is part of the TD's initial memory.
 */
#ifndef SELFTEST_KVM_TDX_MEMORY_H
#define SELFTEST_KVM_TDX_MEMORY_H

#include <pthread.h>

#include "kvm_util.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

#define GMEM_SLOT	10
#define GMEM_GPA	0x100000000ul
#define PLAIN_SLOT	11
#define PLAIN_GPA	0x101000000ul
#define SLOT_PAGES	16
#define SLOT_SIZE	(SLOT_PAGES * PAGE_SIZE)

#define GMEM_PAGE(i)	(GMEM_GPA + (i) * PAGE_SIZE)
#define PLAIN_PAGE(i)	(PLAIN_GPA + (i) * PAGE_SIZE)

#define shared(gva)	tdx_shared_gva(gva)

/* For memory_fault.flags */
#define PRIVATE		KVM_MEMORY_EXIT_FLAG_PRIVATE

/* A value that isn't in memory by chance. */
#define MAGIC		0x1122334455667788ul

/*
 * Would KVM_SET_MEMORY_ATTRIBUTES take so long, and so much memory, that random arguments
 * had better not be like that?  KVM visits each page, even if the process is killed, and
 * keeps its attributes; see converter in tdx_killed_test.
 */
static inline bool too_many_attributes(const void *arg)
{
	const struct kvm_memory_attributes *attributes = arg;

	return attributes->size >> 30;
}

/*
 * Where KVM warns if a vCPU's access was MMIO until a memslot came, and another vCPU has
 * mapped the memory since, and the warning for expect_kernel_log().  See race_with_memslot
 * in tdx_race_test.
 */
#define MAPS_OTHER_PFN		"tdp_mmu_map"
#define WARNS_OF_OTHER_PFN	"WARNING: *" MAPS_OTHER_PFN

/*
 * Create the TD with these attributes besides the default ones.  It has no vCPU
 * yet, and user space handles MapGPA.
 */
struct kvm_vm *tdx_memory_create(u64 attributes);

/* Each case gets such a TD, launched, with one vCPU. */
#define TDX_MEMORY_SUITE(name)						\
	FIXTURE(name) {							\
		struct kvm_vm *vm;					\
		struct tdx_guest guest;					\
		u64 *hva;	/* of GMEM_GPA, i.e. its shared page */	\
		u64 *plain_hva;	/* of PLAIN_GPA */			\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		self->vm = tdx_memory_create(0);			\
		self->hva = addr_gpa2hva(self->vm, GMEM_GPA);		\
		self->plain_hva = addr_gpa2hva(self->vm, PLAIN_GPA);	\
		self->guest = tdx_guest_add(self->vm, 0);			\
		tdx_vm_finalize(self->vm);				\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->vm);					\
	}

/* Have the guest accept @npages private pages from @gpa on, and write @val to each. */
void tdx_accept_and_write(struct tdx_guest *guest, gpa_t gpa, u64 npages, u64 val);

/* The same, after making the pages private. */
void tdx_make_private(struct tdx_guest *guest, gpa_t gpa, u64 npages, u64 val);

/*
 * Delete a memslot in KVM, but not in the lib, and create it again as the lib
 * has it.  In between, a test may change the lib's memslot2region().  The first returns
 * what the ioctl returns.
 */
int __tdx_delete_slot(struct kvm_vm *vm, u32 slot);
void tdx_delete_slot(struct kvm_vm *vm, u32 slot);
void tdx_create_slot(struct kvm_vm *vm, u32 slot);

/* A thread that deletes and recreates a memslot a number of times. */
struct tdx_slot_churn {
	struct kvm_vm *vm;
	u32 slot;
	pthread_t thread;
	bool done;
};

void tdx_slot_churn_start(struct tdx_slot_churn *churn, struct kvm_vm *vm, u32 slot);

/* Wait until the thread has finished.  The memslot exists then. */
void tdx_slot_churn_join(struct tdx_slot_churn *churn);

/*
 * Have the guest call MapGPA for @size bytes at @gpa, to make them shared if @gpa
 * has the shared bit, else private.  Returns at the exit to user space.
 */
void tdx_map_gpa(struct tdx_guest *guest, gpa_t gpa, u64 size);

/* Tell the guest that the conversion succeeded. */
void tdx_map_gpa_done(struct tdx_guest *guest);

/* Convert @size bytes at @gpa at the guest's request, as a VMM does. */
void tdx_convert_to_private(struct tdx_guest *guest, gpa_t gpa, u64 size);
void tdx_convert_to_shared(struct tdx_guest *guest, gpa_t gpa, u64 size);

#endif /* SELFTEST_KVM_TDX_MEMORY_H */
