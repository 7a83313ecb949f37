/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Standing still in the middle of an ioctl.
 *
 * A held page is memory of this process whose first access has to wait until
 * the test lets it go on, by userfaultfd.  If KVM gets it as a source, the
 * command stops where KVM reads that page, with whatever locks KVM holds then.
 * What comes meanwhile comes in the middle of the command, every time.
 */
#ifndef SELFTEST_KVM_TDX_HELD_PAGE_H
#define SELFTEST_KVM_TDX_HELD_PAGE_H

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm_util.h"
#include "tdx/tdx_util.h"

struct held_page {
	void *addr;
	int uffd;
};

/* Far more than any machine needs: to wait for ever is to fail. */
#define HELD_PAGE_TIMEOUT_MS	20000

/*
 * Hold the page at @addr, which is anonymous memory that nobody has touched
 * yet.  Returns false if this host has no userfaultfd for us.
 */
static inline bool hold_page(struct held_page *held, void *addr)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = (u64)addr, .len = PAGE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};

	held->addr = addr;
	held->uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (held->uffd < 0)
		return false;

	TEST_ASSERT(!ioctl(held->uffd, UFFDIO_API, &api),
		    "UFFDIO_API failed, errno %d", errno);
	TEST_ASSERT(!ioctl(held->uffd, UFFDIO_REGISTER, &reg),
		    "UFFDIO_REGISTER failed, errno %d", errno);
	return true;
}

/* Wait until somebody waits for the page. */
static inline void wait_for_held_page(struct held_page *held)
{
	struct pollfd pollfd = { .fd = held->uffd, .events = POLLIN };
	struct uffd_msg msg;

	TEST_ASSERT(poll(&pollfd, 1, HELD_PAGE_TIMEOUT_MS) == 1,
		    "The held page is not read");
	TEST_ASSERT_EQ(read(held->uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	TEST_ASSERT_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
}

/* Let go, with a copy of the page @contents. */
static inline void release_held_page(struct held_page *held, void *contents)
{
	struct uffdio_copy copy = {
		.dst = (u64)held->addr,
		.src = (u64)contents,
		.len = PAGE_SIZE,
	};

	TEST_ASSERT(!ioctl(held->uffd, UFFDIO_COPY, &copy),
		    "UFFDIO_COPY failed, errno %d", errno);
	close(held->uffd);
}

/* KVM_TDX_INIT_MEM_REGION in a thread, standing still at a page of its source. */
struct held_region {
	struct kvm_vcpu *vcpu;
	u32 flags;
	struct kvm_tdx_init_mem_region region;
	int error;		/* errno, or 0 */
	struct held_page page;
	pthread_t thread;
};

static inline void *held_region_thread(void *arg)
{
	struct held_region *held = arg;

	if (__tdx_init_mem_region(held->vcpu, held->flags, &held->region, NULL))
		held->error = errno;
	return NULL;
}

/*
 * Start with vcpu, flags and region of *@held, and come back when KVM waits for
 * page @nr of the source, which nobody has touched yet.  Returns false if this
 * host has no userfaultfd for us.
 */
static inline bool hold_region(struct held_region *held, u64 nr)
{
	if (!hold_page(&held->page,
		       (void *)held->region.source_addr + nr * PAGE_SIZE))
		return false;

	held->error = 0;
	TEST_ASSERT_EQ(pthread_create(&held->thread, NULL, held_region_thread, held), 0);
	wait_for_held_page(&held->page);
	return true;
}

/* Let go, and wait for the end.  Returns its errno, or 0. */
static inline int release_held_region(struct held_region *held, void *contents)
{
	release_held_page(&held->page, contents);
	TEST_ASSERT_EQ(pthread_join(held->thread, NULL), 0);
	return held->error;
}

#endif /* SELFTEST_KVM_TDX_HELD_PAGE_H */
