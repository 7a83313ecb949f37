// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/held_page.h"

/* Long enough for any machine, but a test must not hang. */
#define HELD_PAGE_TIMEOUT_MS	20000

bool hold_page(struct held_page *held, void *addr)
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

void wait_for_held_page(struct held_page *held)
{
	struct pollfd pollfd = { .fd = held->uffd, .events = POLLIN };
	struct uffd_msg msg;

	TEST_ASSERT(poll(&pollfd, 1, HELD_PAGE_TIMEOUT_MS) == 1,
		    "The held page was not accessed");
	TEST_ASSERT_EQ(read(held->uffd, &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	TEST_ASSERT_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
}

void release_held_page(struct held_page *held, void *contents)
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
