// SPDX-License-Identifier: GPL-2.0
/* The kernel's KCOV, for each thread of a program. */
#include <sys/mman.h>

#include "tdx/fuzz.h"

#define KCOV_INIT_TRACE	_IOR('c', 1, unsigned long)
#define KCOV_ENABLE	_IO('c', 100)
#define KCOV_DISABLE	_IO('c', 101)
#define KCOV_TRACE_PC	0

#define KCOV_WORDS	(64 << 10)

static struct fuzz_coverage *coverage;
static int kcov_fd[FUZZ_THREADS];
static u64 *kcov_area[FUZZ_THREADS];

static bool kcov_open(int thread)
{
	kcov_fd[thread] = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov_fd[thread] < 0 || ioctl(kcov_fd[thread], KCOV_INIT_TRACE, KCOV_WORDS))
		return false;
	kcov_area[thread] = mmap(NULL, KCOV_WORDS * sizeof(u64), PROT_READ | PROT_WRITE,
				 MAP_SHARED, kcov_fd[thread], 0);
	return kcov_area[thread] != MAP_FAILED;
}

/* This process opens them, and its children use them, one child at a time. */
struct fuzz_coverage *fuzz_coverage_open(void)
{
	for (int i = 0; i < FUZZ_THREADS; i++)
		if (!kcov_open(i))
			return NULL;
	coverage = mmap(NULL, sizeof(*coverage), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(coverage != MAP_FAILED, "No memory for the coverage");
	return coverage;
}

void fuzz_coverage_reset(struct fuzz_coverage *c)
{
	c->lock = c->nr = 0;
	memset(c->slot, 0, sizeof(c->slot));
}

void fuzz_coverage_begin(int thread)
{
	if (!coverage)
		return;
	kcov_area[thread][0] = 0;
	TEST_ASSERT(!ioctl(kcov_fd[thread], KCOV_ENABLE, KCOV_TRACE_PC),
		    "KCOV_ENABLE failed, errno %d", errno);
}

static void count(struct fuzz_coverage *c, u32 pc)
{
	u32 at = (pc * 0x9e3779b1u) >> 15;

	for (;; at = (at + 1) % ARRAY_SIZE(c->slot)) {
		const u32 i = c->slot[at] - 1;

		if (!c->slot[at]) {
			if (c->nr == FUZZ_MAX_PCS)
				return;
			c->pc[c->nr] = pc;
			c->count[c->nr] = 1;
			c->slot[at] = ++c->nr;
			return;
		}
		if (c->pc[i] == pc) {
			c->count[i] += c->count[i] < 255;
			return;
		}
	}
}

void fuzz_coverage_end(int thread)
{
	u64 *area, nr;

	if (!coverage)
		return;
	area = kcov_area[thread];
	ioctl(kcov_fd[thread], KCOV_DISABLE, 0);
	while (__sync_lock_test_and_set(&coverage->lock, 1))
		sched_yield();
	nr = min_t(u64, area[0], KCOV_WORDS - 1);
	for (u64 i = 1; i <= nr; i++)
		count(coverage, area[i]);
	__sync_lock_release(&coverage->lock);
}
