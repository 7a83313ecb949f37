/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that does what the host tells it, one order at a time.
 *
 * Tests of memory are stories of the host's doing: convert this page, punch a
 * hole, let the guest look.  Here the guest's part is an order that the host
 * leaves in shared memory, so that a story can be told in one place.
 */
#ifndef SELFTEST_KVM_TDX_ORDERS_H
#define SELFTEST_KVM_TDX_ORDERS_H

#include <asm/vmx.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_util.h"
#include "ucall_common.h"

enum tdx_order_op {
	TDX_ORDER_READ,		/* u64 at the GVA @addr, to @val */
	TDX_ORDER_WRITE,	/* @val as u64 to the GVA @addr */
	TDX_ORDER_HAMMER,	/* WRITE until it faults or @stop is set */
	TDX_ORDER_ACCEPT,	/* TDG.MEM.PAGE.ACCEPT of the GPA @addr, level @val */
	TDX_ORDER_MAP_GPA,	/* TDVMCALL<MapGPA> of the GPA @addr, @val bytes */
};

struct tdx_order {
	u64 op;
	u64 addr;
	u64 val;
	u64 stop;

	/* The outcome */
	u64 done;		/* accesses that HAMMER has made so far */
	u64 status;		/* of the TDCALL or TDVMCALL */
	u64 vector;		/* of an exception that ended the access, or 0 */
	struct tdx_ve_info ve;	/* if that was #VE */
};

/* A vCPU that takes orders. */
struct tdx_servant {
	struct kvm_vcpu *vcpu;
	struct tdx_order *order;
};

/* vm_vcpu_add() with the guest code that takes orders. */
struct tdx_servant tdx_servant_add(struct kvm_vm *vm, u32 vcpu_id);

/*
 * Give an order and run the vCPU.  Returns 0 when the order was carried out, 1
 * when there was an exit on the way, and -1 with errno when KVM_RUN failed.
 * After the latter two the guest is still at it: no new order before
 * tdx_continue() has returned 0.
 */
int __tdx_order(struct tdx_servant *s, enum tdx_order_op op, u64 addr, u64 val);
int tdx_continue(struct tdx_servant *s);

#define tdx_order(s, op, addr, val)					\
do {									\
	int __r = __tdx_order(s, op, addr, val);			\
									\
	TEST_ASSERT(!__r, #op " 0x%lx was not carried out: %d, errno %d, exit reason %s", \
		    (unsigned long)(addr), __r, errno,			\
		    exit_reason_str((s)->vcpu->run->exit_reason));	\
} while (0)

/* An access that meets no exception. */
#define tdx_write(s, gva, val)						\
do {									\
	tdx_order(s, TDX_ORDER_WRITE, gva, val);			\
	TEST_ASSERT_EQ((s)->order->vector, 0);				\
} while (0)

#define tdx_read(s, gva)						\
({									\
	tdx_order(s, TDX_ORDER_READ, gva, 0);				\
	TEST_ASSERT_EQ((s)->order->vector, 0);				\
	(s)->order->val;						\
})

/* A page that the guest has not accepted, and accepts. */
#define tdx_accept(s, gpa)						\
do {									\
	tdx_order(s, TDX_ORDER_ACCEPT, gpa, 0);				\
	TEST_ASSERT_EQ((s)->order->status, TDX_SUCCESS);		\
} while (0)

/* The order met #VE for an EPT violation at @_gpa, in the GVA @addr. */
#define TEST_ASSERT_VE(s, _gpa)						\
do {									\
	TEST_ASSERT_EQ((s)->order->vector, VE_VECTOR);			\
	TEST_ASSERT_EQ((s)->order->ve.exit_reason, EXIT_REASON_EPT_VIOLATION); \
	TEST_ASSERT_EQ((s)->order->ve.gpa & PAGE_MASK, (_gpa) & PAGE_MASK); \
	TEST_ASSERT_EQ((s)->order->ve.gla, (s)->order->addr);		\
} while (0)

/* The last KVM_RUN left with KVM_EXIT_MEMORY_FAULT for the page at @_gpa. */
#define TEST_ASSERT_MEMORY_FAULT(s, _gpa, _flags)			\
do {									\
	struct kvm_run *__run = (s)->vcpu->run;				\
									\
	TEST_ASSERT_KVM_EXIT_REASON((s)->vcpu, KVM_EXIT_MEMORY_FAULT);	\
	TEST_ASSERT_EQ(__run->memory_fault.gpa, (u64)(_gpa) & PAGE_MASK); \
	TEST_ASSERT_EQ(__run->memory_fault.size, PAGE_SIZE);		\
	TEST_ASSERT_EQ(__run->memory_fault.flags, (u64)(_flags));	\
} while (0)

/*
 * The order can't be carried out as long as the page is what it is.  The guest
 * waits for the host to change that, and for tdx_continue().
 */
#define tdx_order_faults(s, op, addr, val, _gpa, _flags)		\
do {									\
	TEST_ASSERT_FAILS(__tdx_order(s, op, addr, val), EFAULT);	\
	TEST_ASSERT_MEMORY_FAULT(s, _gpa, _flags);			\
} while (0)

/* ... which it has, and no exception came of it. */
#define tdx_order_resumes(s)						\
do {									\
	TEST_ASSERT_EQ(tdx_continue(s), 0);				\
	TEST_ASSERT_EQ((s)->order->vector, 0);				\
} while (0)

/* The page is private and there, but it is none that the guest has accepted. */
#define tdx_assert_lost(s, gpa)						\
do {									\
	tdx_order(s, TDX_ORDER_READ, gpa, 0);				\
	TEST_ASSERT_VE(s, gpa);						\
	tdx_accept(s, gpa);						\
	TEST_ASSERT_EQ(tdx_read(s, gpa), 0ul);				\
} while (0)

#endif /* SELFTEST_KVM_TDX_ORDERS_H */
