/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory for ioctl arguments that KVM can't fully access.  Not about TDX: for the
 * common lib.
 */
#ifndef SELFTEST_KVM_TEST_MEMORY_H
#define SELFTEST_KVM_TEST_MEMORY_H

#include <stddef.h>

/*
 * Allocate @size zeroed bytes that end at an inaccessible page, so that KVM can't
 * read or write past them.  The test does not free them.
 */
void *test_alloc_before_hole(size_t size);

/* Allocate a copy of @size bytes, at most a page, that KVM may not write to. */
void *test_alloc_read_only(const void *contents, size_t size);

#endif /* SELFTEST_KVM_TEST_MEMORY_H */
