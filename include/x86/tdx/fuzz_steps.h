/* SPDX-License-Identifier: GPL-2.0 */
/* The operands of steps that are no plain ioctls, and the world that steps change. */
#ifndef SELFTEST_KVM_TDX_FUZZ_STEPS_H
#define SELFTEST_KVM_TDX_FUZZ_STEPS_H

#include "tdx/fuzz.h"

/* How far LAUNCH goes. */
enum fuzz_stage {
	FUZZ_CREATED,
	FUZZ_INITIALIZED,
	FUZZ_VCPU_CREATED,
	FUZZ_VCPU_INITIALIZED,
	FUZZ_MEMORY_ADDED,
	FUZZ_FINALIZED,
	FUZZ_HAS_RUN,		/* and has FUZZ_PAGES private pages, and its APIC on */
};

#define FUZZ_PAGES	4	/* from GMEM_GPA on */

struct fuzz_launch {
	u64 type, stage, vcpus, attributes, gpaw;
};

/* A request to the guest, see tdx_guest.h, and what user space does about its exits. */
struct fuzz_guest {
	u64 op, addr, val, mask;
	u64 call_mask, type, leaf, arg[6];	/* of a TDVMCALL */
	u64 runs;		/* KVM_RUNs at most */
	u64 answer;		/* the result that user space gives */
	u64 convert;		/* convert memory that the guest faults on? */
};

/* A range of the memory of a memslot or of the guest_memfd of one. */
struct fuzz_memory {
	u64 offset, size, mode;
};

struct fuzz_number {
	u64 number;
};

/* An ioctl that is not in the table. */
struct fuzz_raw {
	u8 target, nr, dir;
	u16 size;
	u64 word[64];
};

/* Commands of KVM_MEMORY_ENCRYPT_OP, and what their pointer leads to. */
struct fuzz_cmd {
	struct kvm_tdx_cmd cmd;
	u64 word[3];
};

struct fuzz_init_vm {
	struct kvm_tdx_cmd cmd;
	struct kvm_tdx_init_vm init;
	struct kvm_cpuid_entry2 entry[64];
};

struct fuzz_routing {
	struct kvm_irq_routing routing;
	struct kvm_irq_routing_entry entry[2];
};

struct fuzz_msrs {
	struct kvm_msrs msrs;
	struct kvm_msr_entry entry[2];
};

struct fuzz_cpuid {
	struct kvm_cpuid2 cpuid;
	struct kvm_cpuid_entry2 entry[128];
};

#define FUZZ_SCRATCH_SIZE	(16 * PAGE_SIZE)

/* A VM, in which anything may be missing. */
struct fuzz_vm {
	struct kvm_vm *vm;		/* the lib's; NULL before LAUNCH */
	int fd, vcpu_fd[FUZZ_VCPUS];	/* -1 if there is none */
	struct kvm_run *run[FUZZ_VCPUS];
	struct tdx_guest guest[FUZZ_VCPUS];	/* .vm is NULL if it can't run */
	bool down[FUZZ_VCPUS];		/* the guest has stopped serving requests */
	int gmem;			/* the guest_memfd of GMEM_SLOT */
	void *hva;			/* the shared memory of that */
	bool has_pages;			/* of FUZZ_HAS_RUN */
	bool may_break;			/* the program asked for it */
};

struct fuzz_world {
	const struct fuzz_program *program;
	int kvm, event;
	struct fuzz_vm vm[FUZZ_VMS];
	pthread_t thread[FUZZ_THREADS];
	bool started[FUZZ_THREADS];
	void *scratch;
	struct fuzz_outcome *outcome;
};

#define FUZZ_STEP(_name)						\
	int fuzz_run_##_name(struct fuzz_world *w, const struct fuzz_step *step, void *operand)

FUZZ_STEP(launch);
FUZZ_STEP(guest);
FUZZ_STEP(guest_shutdown);
FUZZ_STEP(vcpu);
FUZZ_STEP(check);
FUZZ_STEP(command);
FUZZ_STEP(init_vm);
FUZZ_STEP(set_cpuid);
FUZZ_STEP(punch_hole);
FUZZ_STEP(allocate);
FUZZ_STEP(madvise);
FUZZ_STEP(close_vm);
FUZZ_STEP(close_vcpu);
FUZZ_STEP(close_gmem);
FUZZ_STEP(dup_vm);
FUZZ_STEP(unmap_run);
FUZZ_STEP(kick);
FUZZ_STEP(pin);
FUZZ_STEP(raw);
FUZZ_STEP(create_vcpu);

/* Apply a step's changes to its operand. */
void fuzz_apply(const struct fuzz_step *step, void *operand);

/* KVM_RUN with a limit on its time: a signal kicks the vCPU out. */
int fuzz_kvm_run(struct fuzz_vm *vm, int vcpu);
void fuzz_limit_runs(void);

#endif /* SELFTEST_KVM_TDX_FUZZ_STEPS_H */
