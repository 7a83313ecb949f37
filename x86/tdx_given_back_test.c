// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that a TD took is given back when it is gone.
 *
 * KVM takes pages for a TD that no counter of the kernel names: those that it gives to
 * the TDX module for the TD's control structures and page tables, and what it has pinned
 * of user memory.  Lost, they would be missing until the host is rebooted.  So count
 * the pages that are neither free nor in one of the kernel's counters, before and after
 * some TDs.
 *
 * The rest of the host takes and gives back such pages, too, but a leak grows with each
 * TD, and shows each time.
 */
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/small_td.h"
#include "tdx/tdx_test_harness.h"

TDX_TEST_RUNS_ALONE;

#define NR_TDS		16
#define MIN_LEAK	(NR_TDS * 3 / 4)
#define NR_WARM_UP	4
#define NR_TRIES	3
#define MAX_READS	20

#define SLOT		10
#define GPA		0x100000000ul

/* Pages of these counters in /proc/zoneinfo are free, or somebody's. */
static const char * const counters[] = {
	"count:", "nr_free_pages", "nr_anon_pages", "nr_file_pages", "nr_slab_reclaimable",
	"nr_slab_unreclaimable", "nr_page_table_pages", "nr_sec_page_table_pages",
};

/* The CPUs keep differences to themselves, and root can ask for them. */
static bool refresh_counters(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY);
	bool done = fd >= 0 && write(fd, "1", 1) == 1;

	close(fd);
	return done;
}

/* What a line "KEY NUMBER" of /proc/zoneinfo adds to the pages of no counter. */
static s64 unnamed_pages_by(const char *key, s64 nr)
{
	if (!strcmp(key, "managed"))
		return nr;
	if (!strcmp(key, "nr_kernel_stack"))
		return -nr * 1024 / (s64)PAGE_SIZE;
	for (int i = 0; i < ARRAY_SIZE(counters); i++)
		if (!strcmp(key, counters[i]))
			return -nr;
	return 0;
}

/* What is freed by RCU is still a page of somebody.  The second wait is for callbacks. */
static void wait_for_rcu(void)
{
	for (int i = 0; i < 2; i++)
		syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

/* All numbers come by one read, as free pages move between counters at any time. */
static s64 read_unnamed_pages(void)
{
	static char text[1 << 18];
	char key[64], *line, *rest = text;
	s64 sum = 0, nr;
	ssize_t size;
	int fd;

	TEST_ASSERT(refresh_counters(), "Can't refresh the counters");
	fd = open("/proc/zoneinfo", O_RDONLY);
	TEST_ASSERT(fd >= 0, "No /proc/zoneinfo");
	for (size = 0; (nr = read(fd, text + size, sizeof(text) - 1 - size)) > 0; size += nr)
		;
	close(fd);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%63s %ld", key, &nr) == 2)
			sum += unnamed_pages_by(key, nr);
	return sum;
}

/* If pages move between the refresh and the read, the next number is another. */
static s64 nr_unnamed_pages(void)
{
	s64 nr, last = 0;

	wait_for_rcu();
	for (int i = 0; i < MAX_READS; i++) {
		nr = read_unnamed_pages();
		if (nr == last)
			break;
		last = nr;
	}
	return nr;
}

/* Returns how many pages NR_TDS calls of @live take. */
static s64 nr_pages_lost(void (*live)(void))
{
	s64 before = nr_unnamed_pages();

	for (int i = 0; i < NR_TDS; i++)
		live();
	return nr_unnamed_pages() - before;
}

/* The first calls fill what the kernel keeps at hand. */
#define ASSERT_NO_PAGES_LOST(live)					\
do {									\
	s64 __lost;							\
									\
	for (int __i = 0; __i < NR_WARM_UP; __i++)			\
		live();							\
	for (int __i = 0; __i < NR_TRIES; __i++) {			\
		__lost = nr_pages_lost(live);				\
		if (__lost < MIN_LEAK)				\
			break;						\
	}								\
	TEST_ASSERT(__lost < MIN_LEAK, "%d TDs lose %ld pages", NR_TDS, __lost);	\
} while (0)

FIXTURE(given_back) { };

FIXTURE_SETUP(given_back)
{
	pin_self_to_cpu(0);
	if (!refresh_counters())
		SKIP(return, "needs root, to read exact counters");
}

FIXTURE_TEARDOWN(given_back) { }

static void live(void)
{
	struct kvm_vm *vm = small_td_create(1, SMALL_TD_INT3);
	struct kvm_vcpu *vcpu = list_first_entry(&vm->vcpus, struct kvm_vcpu, list);
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = PAGE_SIZE };

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, GPA, PAGE_SIZE);
	vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &range);
	small_td_run_to_shutdown(vcpu);
	kvm_vm_free(vm);
}

TEST_F(given_back, td_that_ran)
{
	ASSERT_NO_PAGES_LOST(live);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
