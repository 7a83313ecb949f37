/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stop KVM in the middle of an ioctl.  Not about TDX: for the common lib.
 *
 * A held page is memory of this process whose first access waits, by userfaultfd,
 * until the test releases the page.  An ioctl that reads the page stops there, with
 * KVM's locks held, so what the test does in the meantime reliably happens in the
 * middle of the ioctl.
 */
#ifndef SELFTEST_KVM_HELD_PAGE_H
#define SELFTEST_KVM_HELD_PAGE_H

#include <stdbool.h>

struct held_page {
	void *addr;
	int uffd;
};

/*
 * Hold the page at @addr, anonymous memory that has not been touched yet.
 * Returns false if the test may not use userfaultfd on this host.
 */
bool hold_page(struct held_page *held, void *addr);

/* Wait until the page is accessed; asserts that it happens within 20 seconds. */
void wait_for_held_page(struct held_page *held);

/* Release the page, with a copy of the page @contents. */
void release_held_page(struct held_page *held, void *contents);

#endif /* SELFTEST_KVM_HELD_PAGE_H */
