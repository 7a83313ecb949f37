/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Let allocations of a system call fail.  Not about TDX: for the common lib.
 *
 * A kernel with CONFIG_FAULT_INJECTION counts a thread's allocations down from the
 * number in its /proc/thread-self/fail-nth, and fails the one that gets there.  So a
 * loop that counts up until nothing fails any more visits all of them:
 *
 *	for (fail.nth = 1; fail_nth(&fail, call, arg, &result); fail.nth++)
 *		...
 */
#ifndef SELFTEST_KVM_FAIL_NTH_H
#define SELFTEST_KVM_FAIL_NTH_H

#include <stdbool.h>

struct fail_nth {
	/*
	 * What is counted.  One at a time, because the slab allocator now and then
	 * allocates pages for itself, and that would change the number of a kmalloc().
	 */
	enum fail_nth_kind {
		FAIL_NTH_SLAB,		/* kmalloc() and the like */
		FAIL_NTH_PAGE,		/* alloc_pages() and the like */
		NR_FAIL_NTH_KINDS,
	} kind;

	/* Whether all that follow the nth fail, too. */
	bool rest;

	unsigned int nth;
};

/*
 * At the head of main(): let allocations fail that may sleep, which the kernel spares
 * by default, and have the kernel be quiet about it.  When this process exits, all is
 * as it was.  Returns false if the kernel can't do that or the process may not ask.
 */
bool fail_nth_setup(void);

#define NEEDS_FAULT_INJECTION						\
	"needs FAILSLAB, FAIL_PAGE_ALLOC and FAULT_INJECTION_DEBUG_FS, and root"

/*
 * In each process of the test: the process's own page faults must not be what fails,
 * so lock all memory that it has so far.
 */
void fail_nth_lock_memory(void);

/* What a call returned. */
struct fail_nth_result {
	int ret;
	int error;		/* errno, or 0 */
};

/*
 * Call @call with @arg while allocations fail.  @call makes one system call, and touches
 * no memory for the first time.  Returns true if one did fail.
 */
bool fail_nth(const struct fail_nth *fail, int (*call)(void *arg), void *arg,
	      struct fail_nth_result *result);

#endif /* SELFTEST_KVM_FAIL_NTH_H */
