// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a TD that the host finds broken.
 *
 * A private page is taken away from the TD.  When the guest, KVM_PRE_FAULT_MEMORY or
 * KVM_TDX_INIT_MEM_REGION wants it, KVM returns EHWPOISON.  It is up to user space what
 * comes next: it can punch a hole, and the guest gets another page, without the
 * contents.  A shared page is user space's, so that gets SIGBUS.  All other pages stay
 * as they are.
 *
 * The host's kernel takes each page that is poisoned out of use until it is rebooted.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tdx/generic/may_harm_host.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"

/* If it takes a frame for the TD's, the frame may be that of any other guest_memfd. */
TDX_TEST_RUNS_ALONE;

#define HWPOISON	"/sys/kernel/debug/hwpoison/"
#define KPAGEFLAGS	"/proc/kpageflags"
#define KPF_HWPOISON	BIT_ULL(19)
#define PAGEMAP_PFN	GENMASK_ULL(54, 0)

#define HARM		"the host would lose a page until it is rebooted"
#define NEEDS_HWPOISON							\
	"needs HWPOISON_INJECT, PROC_PAGE_MONITOR, a guest_memfd to mmap(), and root"

static bool can_poison(void)
{
	const u64 flags = GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;

	return !access(HWPOISON "corrupt-pfn", W_OK) && !access(KPAGEFLAGS, R_OK) &&
	       (kvm_check_cap(KVM_CAP_GUEST_MEMFD_FLAGS) & flags) == flags;
}

static void write_number(const char *path, u64 val)
{
	char text[32];
	int fd = open(path, O_WRONLY), len;

	TEST_ASSERT(fd >= 0, "Can't open '%s', errno %d", path, errno);
	len = snprintf(text, sizeof(text), "%lu", (unsigned long)val);
	TEST_ASSERT(write(fd, text, len) == len, "Can't write '%s' to '%s', errno %d", text,
		    path, errno);
	close(fd);
}

/* Returns the number at @index in a file of them in /proc. */
static u64 read_number(const char *path, u64 index)
{
	int fd = open(path, O_RDONLY);
	u64 val;

	TEST_ASSERT(fd >= 0, "Can't open '%s', errno %d", path, errno);
	TEST_ASSERT_EQ(pread(fd, &val, sizeof(val), index * sizeof(val)), sizeof(val));
	close(fd);
	return val;
}

/* Only pages of guest_memfds are poisoned.  They have a device number of their own. */
static void poison_only(int guest_memfd)
{
	struct stat st;

	TEST_ASSERT(!fstat(guest_memfd, &st), "fstat() failed, errno %d", errno);
	write_number(HWPOISON "corrupt-filter-dev-major", major(st.st_dev));
	write_number(HWPOISON "corrupt-filter-dev-minor", minor(st.st_dev));
	write_number(HWPOISON "corrupt-filter-enable", 1);
}

static void poison_any(void)
{
	write_number(HWPOISON "corrupt-filter-enable", 0);
	write_number(HWPOISON "corrupt-filter-dev-major", ~0u);
	write_number(HWPOISON "corrupt-filter-dev-minor", ~0u);
}

/*
 * User space can't ask which frames a guest_memfd has that it can't map.  But the next
 * one that it gets is one that another guest_memfd has just freed on the same CPU.
 */
#define NR_FRAMES	16

static void free_frames(struct kvm_vm *vm, u64 pfns[NR_FRAMES])
{
	const size_t size = NR_FRAMES * PAGE_SIZE;
	int fd = vm_create_guest_memfd(vm, size, GUEST_MEMFD_FLAG_MMAP |
						 GUEST_MEMFD_FLAG_INIT_SHARED);
	u8 *mem = kvm_mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);

	for (int i = 0; i < NR_FRAMES; i++) {
		mem[i * PAGE_SIZE] = 1;
		pfns[i] = read_number("/proc/self/pagemap", (u64)mem / PAGE_SIZE + i) &
			  PAGEMAP_PFN;
	}
	kvm_munmap(mem, size);
	close(fd);
}

/*
 * Returns false if the frame belongs to something else.  If not, the write may fail: that
 * the page stays in the guest_memfd is a failure to the kernel.
 */
static bool poison_frame(u64 pfn)
{
	int fd = open(HWPOISON "corrupt-pfn", O_WRONLY);

	TEST_ASSERT(fd >= 0, "Can't open corrupt-pfn, errno %d", errno);
	dprintf(fd, "%lu", (unsigned long)pfn);
	close(fd);
	return read_number(KPAGEFLAGS, pfn) & KPF_HWPOISON;
}

/*
 * Call @get for one page of GMEM_SLOT after the other, to allocate it, until one has got
 * a frame that is known.  Poison that.  Returns the page's number.
 */
static int poison_page(struct tdx_guest *guest, void (*get)(struct tdx_guest *guest, int page))
{
	const int gmem = memslot2region(guest->vm, GMEM_SLOT)->region.guest_memfd;
	struct kvm_vm *other = ____vm_create(VM_SHAPE_DEFAULT);
	u64 pfns[NR_FRAMES];
	int poisoned = -1;

	pin_self_to_any_cpu();
	poison_only(gmem);
	for (int page = 0; page < SLOT_PAGES && poisoned < 0; page++) {
		free_frames(other, pfns);
		get(guest, page);
		for (int i = NR_FRAMES - 1; i >= 0 && poisoned < 0; i--) {
			if (poison_frame(pfns[i]))
				poisoned = page;
		}
	}
	poison_any();
	kvm_vm_free(other);
	TEST_ASSERT(poisoned >= 0, "None of the pages could be found");
	return poisoned;
}

static void accept_page(struct tdx_guest *guest, int page)
{
	tdx_guest_accept(guest, GMEM_PAGE(page));
	tdx_guest_write(guest, GMEM_PAGE(page), MAGIC + page);
}

static void allocate_page(struct tdx_guest *guest, int page)
{
	vm_guest_mem_allocate(guest->vm, GMEM_PAGE(page), PAGE_SIZE);
}

/* The guest's request needs the page.  It can be repeated, to no avail. */
static void assert_poisoned(struct tdx_guest *guest, enum tdx_guest_op op, int page)
{
	tdx_guest_post(guest, op, GMEM_PAGE(page), 0);
	for (int i = 0; i < 2; i++) {
		TEST_ASSERT_FAILS(tdx_guest_run(guest), EHWPOISON);
		TEST_ASSERT_MEMORY_FAULT(guest, GMEM_PAGE(page), PRIVATE);
	}
}

/* All pages but the one that is poisoned have what accept_page() wrote. */
static void assert_others_alive(struct tdx_guest *guest, int poisoned)
{
	for (int page = 0; page < poisoned; page++)
		TEST_ASSERT_EQ(tdx_guest_read(guest, GMEM_PAGE(page)), MAGIC + page);

	/* The guest hasn't had these yet. */
	for (int page = poisoned + 1; page < SLOT_PAGES; page++)
		accept_page(guest, page);
}

/* Make the page a new one. */
static void replace_page(struct tdx_guest *guest, int page)
{
	vm_guest_mem_punch_hole(guest->vm, GMEM_PAGE(page), PAGE_SIZE);
}

FIXTURE(poisoned_page) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
};

FIXTURE_SETUP(poisoned_page)
{
	SKIP_UNLESS_MAY_HARM_HOST(return, HARM);
	if (!can_poison())
		SKIP(return, NEEDS_HWPOISON);

	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
}

FIXTURE_TEARDOWN(poisoned_page)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

/* The guest has the page, and loses it. */
TEST_F(poisoned_page, mapped)
{
	struct tdx_guest *guest = &self->guest;
	int poisoned;

	tdx_vm_finalize(self->vm);
	poisoned = poison_page(guest, accept_page);
	assert_poisoned(guest, TDX_GUEST_READ, poisoned);

	replace_page(guest, poisoned);
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_VE(guest, GMEM_PAGE(poisoned));
	tdx_guest_accept(guest, GMEM_PAGE(poisoned));
	TEST_ASSERT_EQ(tdx_guest_read(guest, GMEM_PAGE(poisoned)), 0ul);
	assert_others_alive(guest, poisoned);
}

/* The VM ends while a page is poisoned, and the next one is as good as any. */
TEST_F(poisoned_page, at_the_end)
{
	struct tdx_guest *guest = &self->guest;

	tdx_vm_finalize(self->vm);
	poison_page(guest, accept_page);
	kvm_vm_free(self->vm);

	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	vm_mem_set_private(self->vm, GMEM_GPA, SLOT_SIZE);
	tdx_vm_finalize(self->vm);
	for (int page = 0; page < SLOT_PAGES; page++)
		accept_page(guest, page);
}

/* The page is in the guest_memfd, and the guest hasn't had it yet. */
TEST_F(poisoned_page, unmapped)
{
	struct tdx_guest *guest = &self->guest;
	struct kvm_pre_fault_memory range = { .size = PAGE_SIZE };
	int poisoned;

	tdx_vm_finalize(self->vm);
	poisoned = poison_page(guest, allocate_page);
	range.gpa = GMEM_PAGE(poisoned);
	TEST_ASSERT_FAILS(__vcpu_ioctl(guest->vcpu, KVM_PRE_FAULT_MEMORY, &range), EHWPOISON);
	TEST_ASSERT_EQ(range.size, PAGE_SIZE);
	assert_poisoned(guest, TDX_GUEST_ACCEPT, poisoned);

	replace_page(guest, poisoned);
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_EQ(guest->req->status, TDX_SUCCESS);
	for (int page = 0; page < SLOT_PAGES; page++) {
		if (page != poisoned)
			accept_page(guest, page);
	}
}

/* The page was to be part of the TD's initial memory. */
TEST_F(poisoned_page, initial_memory)
{
	struct tdx_guest *guest = &self->guest;
	const int poisoned = poison_page(guest, allocate_page);
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)addr_gpa2hva(self->vm, GMEM_GPA),
		.gpa = GMEM_GPA,
		.nr_pages = SLOT_PAGES,
	};
	u64 *source = (u64 *)region.source_addr;

	for (int page = 0; page < SLOT_PAGES; page++)
		source[page * PAGE_SIZE / sizeof(*source)] = MAGIC + page;

	TEST_ASSERT_FAILS(__tdx_init_mem_region(guest->vcpu, 0, &region, NULL), EHWPOISON);
	TEST_ASSERT_EQ(region.gpa, GMEM_PAGE(poisoned));
	TEST_ASSERT_EQ(region.nr_pages, SLOT_PAGES - poisoned);

	replace_page(guest, poisoned);
	TEST_ASSERT_EQ(__tdx_init_mem_region(guest->vcpu, 0, &region, NULL), 0);
	tdx_vm_finalize(self->vm);
	for (int page = 0; page < SLOT_PAGES; page++)
		TEST_ASSERT_EQ(tdx_guest_read(guest, GMEM_PAGE(page)), MAGIC + page);
}

static siginfo_t sigbus;

static void sigbus_handler(int sig, siginfo_t *info, void *context)
{
	sigbus = *info;
}

/* Shared memory is the process's, and so is the trouble. */
TEST_F(poisoned_page, shared)
{
	const struct sigaction action = {
		.sa_sigaction = sigbus_handler,
		.sa_flags = SA_SIGINFO,
	};
	struct tdx_guest *guest = &self->guest;
	u64 *hva = addr_gpa2hva(self->vm, PLAIN_GPA);

	tdx_vm_finalize(self->vm);
	tdx_guest_write(guest, shared(PLAIN_PAGE(0)), MAGIC);
	tdx_guest_write(guest, shared(PLAIN_PAGE(1)), MAGIC + 1);

	TEST_ASSERT_EQ(sigaction(SIGBUS, &action, NULL), 0);
	TEST_ASSERT(!madvise(hva, PAGE_SIZE, MADV_HWPOISON), "errno %d", errno);
	memset(&sigbus, 0, sizeof(sigbus));
	tdx_guest_post(guest, TDX_GUEST_READ, shared(PLAIN_PAGE(0)), 0);
	TEST_ASSERT_FAILS(__vcpu_run(guest->vcpu), EINTR);
	TEST_ASSERT_EQ(sigbus.si_signo, SIGBUS);
	TEST_ASSERT_EQ(sigbus.si_code, BUS_MCEERR_AR);
	TEST_ASSERT_EQ((u64)sigbus.si_addr, (u64)hva);

	/* Another page there, and the guest goes on. */
	kvm_munmap(hva, PAGE_SIZE);
	TEST_ASSERT(mmap(hva, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == hva, "No mmap()");
	TEST_ASSERT_EQ(tdx_guest_run(guest), 0);
	TEST_ASSERT_EQ(guest->req->val, 0);
	TEST_ASSERT_EQ(tdx_guest_read(guest, shared(PLAIN_PAGE(1))), MAGIC + 1);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
