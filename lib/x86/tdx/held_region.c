// SPDX-License-Identifier: GPL-2.0
#include "tdx/held_region.h"

static void *held_region_thread(void *arg)
{
	struct held_region *held = arg;

	if (__tdx_init_mem_region(held->vcpu, held->flags, &held->region, NULL))
		held->error = errno;
	return NULL;
}

bool hold_region(struct held_region *held, u64 nr)
{
	if (!hold_page(&held->page,
		       (void *)held->region.source_addr + nr * PAGE_SIZE))
		return false;

	held->error = 0;
	TEST_ASSERT_EQ(pthread_create(&held->thread, NULL, held_region_thread, held), 0);
	wait_for_held_page(&held->page);
	return true;
}

int release_held_region(struct held_region *held, void *contents)
{
	release_held_page(&held->page, contents);
	TEST_ASSERT_EQ(pthread_join(held->thread, NULL), 0);
	return held->error;
}
