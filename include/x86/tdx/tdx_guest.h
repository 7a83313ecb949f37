/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that does what the host asks, one request at a time, so that a test
 * is host code from top to bottom:
 *
 *	struct tdx_guest guest;
 *
 *	tdx_guest_create(&guest);
 *	tdx_vm_finalize(guest.vm);
 *	status = tdx_guest_wrmsr(&guest, MSR_IA32_CR_PAT, val);
 *
 * If a request exits to user space, start it, deal with the exit, and finish it:
 *
 *	tdx_call_start(&guest, TDVMCALL_GET_QUOTE, gpa, size);
 *	TEST_ASSERT_KVM_EXIT_REASON(guest.vcpu, KVM_EXIT_TDX);
 *	call = tdx_call_finish(&guest);
 *	TEST_ASSERT_EQ(tdvmcall_status(&call), TDVMCALL_STATUS_SUCCESS);
 *
 * The guest runs with interrupts off, as after reset.
 */
#ifndef SELFTEST_KVM_TDX_GUEST_H
#define SELFTEST_KVM_TDX_GUEST_H

#include "tdx/generic/asserts.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/tdx_util.h"

enum tdx_guest_op {
	TDX_GUEST_TDVMCALL,	/* @call */
	TDX_GUEST_CPUID,	/* CPUID of leaf @index and subleaf @val, to @cpuid */
	TDX_GUEST_RDMSR,	/* RDMSR of @index, to @val */
	TDX_GUEST_WRMSR,	/* WRMSR of @val to @index */
	TDX_GUEST_VM_RD,	/* TDG.VM.RD of @index, to @val */
	TDX_GUEST_VM_WR,	/* TDG.VM.WR of @val to @index, with @mask */
	TDX_GUEST_READ,		/* u64 at the GVA @addr, to @val */
	TDX_GUEST_WRITE,	/* @val as u64 to the GVA @addr */
	TDX_GUEST_HAMMER,	/* WRITE until it faults or @stop is set */
	TDX_GUEST_ACCEPT,	/* TDG.MEM.PAGE.ACCEPT of the GPA @addr, level @val */
	TDX_GUEST_RELEASE,	/* the same with TDG.MEM.PAGE.RELEASE */
	TDX_GUEST_FUNCTION,	/* call the function at the GVA @addr with @val */
};

/* In memory that host and guest share. */
struct tdx_guest_request {
	u64 op;
	u64 addr;
	u64 index;
	u64 val, mask;
	u64 stop;
	struct tdvmcall call;

	/* The outcome. */
	u64 status;		/* of the TDCALL */
	u64 vector;		/* of the instruction's exception, 0 for none */
	struct tdx_ve_info ve;	/* if that was #VE */
	u64 done;		/* writes that HAMMER has made so far */
	u32 cpuid[4];		/* EAX, EBX, ECX, EDX */
};

/* A vCPU that serves requests. */
struct tdx_guest {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_run *run;
	struct tdx_guest_request *req;
};

/* Create a TD with one vCPU that serves requests.  It is not launched yet. */
void tdx_guest_create(struct tdx_guest *guest);

/* Add such a vCPU to a TD that is not launched yet. */
struct tdx_guest tdx_guest_add(struct kvm_vm *vm, u32 vcpu_id);

/* The guest code. */
void tdx_guest_serve(struct tdx_guest_request *req);

/* Make a vCPU that was added already, in a TD not launched yet, serve requests. */
void tdx_guest_init(struct tdx_guest *guest, struct kvm_vcpu *vcpu);

/*
 * Run the vCPU.  Returns 0 if the guest has finished its request, 1 if it exited to
 * user space before that, and -1 with errno if KVM_RUN failed.  In the latter two
 * cases the next run continues the request.
 */
int tdx_guest_run(struct tdx_guest *guest);

/* Run until the guest has finished its request, which must not exit any more. */
void tdx_guest_finish(struct tdx_guest *guest);

/* Make a request of @op, without running the vCPU.  See enum tdx_guest_op. */
void tdx_guest_post(struct tdx_guest *guest, enum tdx_guest_op op, u64 addr,
		    u64 val);
void tdx_guest_post_call(struct tdx_guest *guest, struct tdvmcall call);

/* Make a request and run the vCPU.  Returns what tdx_guest_run() returns. */
int __tdx_guest_do(struct tdx_guest *guest, enum tdx_guest_op op, u64 addr,
		   u64 val);

#define tdx_guest_do(guest, op, addr, val)				\
do {									\
	int __r = __tdx_guest_do(guest, op, addr, val);			\
									\
	TEST_ASSERT(!__r, #op " 0x%lx did not finish: %d, errno %d, %s", \
		    (unsigned long)(addr), __r, errno,			\
		    vcpu_exit_str((guest)->vcpu));			\
} while (0)

/* Guest: CPUID.  Returns the vector of the exception, 0 for none. */
u8 tdx_cpuid_safe(u32 leaf, u32 subleaf, u32 reg[4]);

/* The instructions.  Each returns the vector of the exception, 0 for none. */
u8 tdx_guest_cpuid(struct tdx_guest *guest, u32 leaf, u32 subleaf, u32 reg[4]);
u8 tdx_guest_native_rdmsr(struct tdx_guest *guest, u32 msr, u64 *val);
u8 tdx_guest_native_wrmsr(struct tdx_guest *guest, u32 msr, u64 val);

/* TDG.VM.RD and TDG.VM.WR.  Each returns the module's status. */
u64 tdx_guest_vm_rd(struct tdx_guest *guest, u64 field, u64 *val);
u64 tdx_guest_vm_wr(struct tdx_guest *guest, u64 field, u64 val, u64 mask);

/*
 * TDVMCALLs.  tdx_call() is for one that KVM handles itself, and returns the
 * guest's registers after it.  tdx_call_start() is for one that exits to user
 * space, and returns at the exit; tdx_call_finish() returns the guest's registers.
 */
struct tdvmcall __tdx_call(struct tdx_guest *guest, const struct tdvmcall *call);
void __tdx_call_start(struct tdx_guest *guest, const struct tdvmcall *call);
struct tdvmcall tdx_call_finish(struct tdx_guest *guest);

#define tdx_call(guest, _leaf, _args...)				\
({									\
	struct tdvmcall __call_ = TDVMCALL(_leaf, ##_args);		\
									\
	__tdx_call(guest, &__call_);					\
})

#define tdx_call_start(guest, _leaf, _args...)				\
do {									\
	struct tdvmcall __call_ = TDVMCALL(_leaf, ##_args);		\
									\
	__tdx_call_start(guest, &__call_);				\
} while (0)

/* Returns true if the call exits to user space, false if KVM handles it itself. */
bool __tdx_call_exits(struct tdx_guest *guest, const struct tdvmcall *call);

#define tdx_call_exits(guest, _leaf, _args...)				\
({									\
	struct tdvmcall __call_ = TDVMCALL(_leaf, ##_args);		\
									\
	__tdx_call_exits(guest, &__call_);				\
})

/* Like tdx_call() and tdx_call_finish(), but return the TDVMCALL's status. */
#define tdx_call_status(guest, _leaf, _args...)				\
({									\
	struct tdvmcall __back_ = tdx_call(guest, _leaf, ##_args);	\
									\
	tdvmcall_status(&__back_);					\
})

static inline u64 tdx_call_finish_status(struct tdx_guest *guest)
{
	struct tdvmcall call = tdx_call_finish(guest);

	return tdvmcall_status(&call);
}

/*
 * Have KVM complete the current exit without entering the guest.  What user space
 * writes to struct kvm_run afterwards has no effect.
 */
void tdx_call_complete(struct tdx_guest *guest);

/* The TDVMCALLs for MSRs and CPUID.  Each returns the TDVMCALL's status. */
u64 tdx_guest_rdmsr(struct tdx_guest *guest, u64 msr, u64 *val);
u64 tdx_guest_wrmsr(struct tdx_guest *guest, u64 msr, u64 val);
u64 tdx_guest_tdvmcall_cpuid(struct tdx_guest *guest, u64 leaf, u64 subleaf,
			     u64 reg[4]);

/* Store the result of a finished TDVMCALL in *@ret.  Returns its status. */
u64 tdx_call_result(struct tdx_guest *guest, u64 *ret);

/* @gpa with the shared bit. */
static inline gpa_t tdx_shared(struct tdx_guest *guest, gpa_t gpa)
{
	return gpa | guest->vm->arch.s_bit;
}

/* Accesses that must not raise an exception. */
#define tdx_guest_write(guest, gva, val)				\
do {									\
	tdx_guest_do(guest, TDX_GUEST_WRITE, gva, val);			\
	TEST_ASSERT_EQ((guest)->req->vector, 0);			\
} while (0)

#define tdx_guest_read(guest, gva)					\
({									\
	tdx_guest_do(guest, TDX_GUEST_READ, gva, 0);			\
	TEST_ASSERT_EQ((guest)->req->vector, 0);			\
	(guest)->req->val;						\
})

/* Accept a page, which must not be accepted yet. */
#define tdx_guest_accept(guest, gpa)					\
do {									\
	tdx_guest_do(guest, TDX_GUEST_ACCEPT, gpa, 0);			\
	TEST_ASSERT_EQ((guest)->req->status, TDX_SUCCESS);		\
} while (0)

/* The last access raised #VE for an EPT violation on the page at @_gpa. */
#define TEST_ASSERT_VE(guest, _gpa)					\
do {									\
	struct tdx_guest_request *__req = (guest)->req;			\
									\
	TEST_ASSERT_EQ(__req->vector, VE_VECTOR);			\
	TEST_ASSERT_EQ(__req->ve.exit_reason, EXIT_REASON_EPT_VIOLATION); \
	TEST_ASSERT_EQ(__req->ve.gpa & PAGE_MASK, (_gpa) & PAGE_MASK);	\
	TEST_ASSERT_EQ(__req->ve.gla, __req->addr);			\
} while (0)

/* The last KVM_RUN exited with KVM_EXIT_MEMORY_FAULT for the page at @_gpa. */
#define TEST_ASSERT_MEMORY_FAULT(guest, _gpa, _flags)			\
do {									\
	struct kvm_run *__run = (guest)->run;				\
									\
	TEST_ASSERT_KVM_EXIT_REASON((guest)->vcpu, KVM_EXIT_MEMORY_FAULT); \
	TEST_ASSERT_EQ(__run->memory_fault.gpa, (u64)(_gpa) & PAGE_MASK); \
	TEST_ASSERT_EQ(__run->memory_fault.size, PAGE_SIZE);		\
	TEST_ASSERT_EQ(__run->memory_fault.flags, (u64)(_flags));	\
} while (0)

/*
 * The access exits with a memory fault.  The guest repeats it at the next
 * tdx_guest_run().
 */
#define tdx_guest_faults(guest, op, addr, val, _gpa, _flags)		\
do {									\
	TEST_ASSERT_FAILS(__tdx_guest_do(guest, op, addr, val), EFAULT); \
	TEST_ASSERT_MEMORY_FAULT(guest, _gpa, _flags);			\
} while (0)

/* The repeated access succeeds. */
#define tdx_guest_resumes(guest)					\
do {									\
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);			\
	TEST_ASSERT_EQ((guest)->req->vector, 0);			\
} while (0)

/* The page has lost its contents: it has to be accepted again, and then reads 0. */
#define tdx_guest_assert_lost(guest, gpa)				\
do {									\
	tdx_guest_do(guest, TDX_GUEST_READ, gpa, 0);			\
	TEST_ASSERT_VE(guest, gpa);					\
	tdx_guest_accept(guest, gpa);					\
	TEST_ASSERT_EQ(tdx_guest_read(guest, gpa), 0ul);		\
} while (0)

#endif /* SELFTEST_KVM_TDX_GUEST_H */
