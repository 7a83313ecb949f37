// SPDX-License-Identifier: GPL-2.0
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/test_memory.h"

void *test_alloc_before_hole(size_t size)
{
	size_t span = (size + PAGE_SIZE - 1) & PAGE_MASK;
	void *mem = kvm_mmap(span + PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);

	TEST_ASSERT(!mprotect(mem + span, PAGE_SIZE, PROT_NONE),
		    "mprotect() failed, errno: %d", errno);
	return mem + span - size;
}

void *test_alloc_read_only(const void *contents, size_t size)
{
	void *mem = test_alloc_before_hole(size);

	memcpy(mem, contents, size);
	TEST_ASSERT(!mprotect((void *)((u64)mem & PAGE_MASK), PAGE_SIZE, PROT_READ),
		    "mprotect() failed, errno: %d", errno);
	return mem;
}
