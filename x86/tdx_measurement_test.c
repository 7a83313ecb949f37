// SPDX-License-Identifier: GPL-2.0
/*
 * KVM measures into MRTD what user space asks for, and nothing else.
 *
 * MRTD tells a remote party what a TD was started with, so it must be possible to
 * compute it from user space's calls.  Here the host computes it, and the guest
 * reports what the TDX module computed.  The module hashes the addition of each
 * page, and the contents when KVM asks for it.  The contract is that KVM measures
 * a page with KVM_TDX_MEASURE_MEMORY_REGION right after adding it, from start to
 * end, once.
 */
/* if_alg.h takes __counted_by for granted, which the tools' types.h lacks. */
#include <linux/stddef.h>
#include <linux/if_alg.h>
#include <signal.h>
#include <sys/socket.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/held_region.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define MEASURED	KVM_TDX_MEASURE_MEMORY_REGION

/* A page for the guest's TDCALLs, at the same GVA and GPA. */
#define SLOT		10
#define GUEST_GPA	0x80000000ul
#define REPORT_GPA	GUEST_GPA
#define REPORT_DATA_GPA	(REPORT_GPA + sizeof(struct tdx_report))
#define RTMR_DATA_GPA	(REPORT_DATA_GPA + 64)

/* Pages that are only there to be measured. */
#define PAGES_GPA	(GUEST_GPA + PAGE_SIZE)
#define NR_PAGES	4

#define SHA384_SIZE	48

/* A message that grows until it is hashed. */
struct message {
	u8 *data;
	size_t size;
};

static void append(struct message *message, const void *data, size_t size)
{
	message->data = realloc(message->data, message->size + size);
	TEST_ASSERT(message->data, "-ENOMEM when allocating a message");
	memcpy(message->data + message->size, data, size);
	message->size += size;
}

/* An AF_ALG socket for SHA-384, or -1 if the kernel has none. */
static int sha384_socket = -1;

static void open_sha384(void)
{
	const struct sockaddr_alg addr = {
		.salg_family = AF_ALG,
		.salg_type = "hash",
		.salg_name = "sha384",
	};
	int fd = socket(AF_ALG, SOCK_SEQPACKET, 0);

	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&addr, sizeof(addr)))
		sha384_socket = accept(fd, NULL, NULL);
}

static void sha384(const struct message *message, u8 hash[SHA384_SIZE])
{
	ssize_t size = message->size;

	TEST_ASSERT_EQ(send(sha384_socket, message->data, size, 0), size);
	TEST_ASSERT_EQ(recv(sha384_socket, hash, SHA384_SIZE, 0), (ssize_t)SHA384_SIZE);
}

#define NEEDS_SHA384	"the kernel offers no SHA-384 by AF_ALG"

FIXTURE(measurement) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct tdx_td_info *td_info;	/* shared with the guest */
	void *source;			/* NR_PAGES, with different contents */
	struct message mrtd;		/* all that was measured so far */
};

static void guest_report(struct tdx_td_info *td_info)
{
	const struct tdx_report *report = (void *)REPORT_GPA;

	kvm_static_assert(sizeof(*report) == 1024);

	GUEST_ASSERT_EQ(tdg_mr_report(REPORT_GPA, REPORT_DATA_GPA), TDX_SUCCESS);
	*td_info = report->td_info;
	GUEST_SYNC(0);
}

static void guest_reports(struct tdx_td_info *td_info)
{
	for (;;)
		guest_report(td_info);
}

/* The block that the module hashes for the operation @name at @gpa. */
static void measure_block(struct message *mrtd, const char *name, gpa_t gpa)
{
	u8 block[128] = {};

	memcpy(block, name, strlen(name));
	memcpy(block + 16, &gpa, sizeof(gpa));
	append(mrtd, block, sizeof(block));
}

static void measure_page(struct message *mrtd, u32 flags, gpa_t gpa,
			 const void *contents)
{
	const int chunk = 256;

	measure_block(mrtd, "MEM.PAGE.ADD", gpa);
	for (int i = 0; flags & MEASURED && i < PAGE_SIZE; i += chunk) {
		measure_block(mrtd, "MR.EXTEND", gpa + i);
		append(mrtd, contents + i, chunk);
	}
}

/* Add pages to the TD and to the expected measurement. */
static void add(struct kvm_vcpu *vcpu, struct message *mrtd, u32 flags, gpa_t gpa,
		const void *source, u64 nr_pages)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)source,
		.gpa = gpa,
		.nr_pages = nr_pages,
	};

	TEST_ASSERT(!__tdx_init_mem_region(vcpu, flags, &region, NULL),
		    "Adding pages failed at GPA 0x%lx, errno %d",
		    (unsigned long)region.gpa, errno);
	for (; nr_pages--; gpa += PAGE_SIZE, source += PAGE_SIZE)
		measure_page(mrtd, flags, gpa, source);
}

/* Do the same for all memory of the guest. */
static void add_lib_memory(struct kvm_vcpu *vcpu, struct message *mrtd, u32 flags)
{
	struct kvm_vm *vm = vcpu->vm;
	struct userspace_mem_region *region;
	sparsebit_idx_t i, j;
	int ctr;

	hash_for_each(vm->regions.slot_hash, ctr, region, slot_node) {
		if (!sparsebit_any_set(region->protected_phy_pages))
			continue;

		sparsebit_for_each_set_range(region->protected_phy_pages, i, j) {
			gpa_t gpa = i << vm->page_shift;
			u64 nr_pages = j - i + 1;

			vm_mem_set_private(vm, gpa, nr_pages * PAGE_SIZE);
			add(vcpu, mrtd, flags, gpa, addr_gpa2hva(vm, gpa), nr_pages);
		}
	}
}

FIXTURE_SETUP(measurement)
{
	gva_t gva;

	if (sha384_socket < 0)
		SKIP(return, NEEDS_SHA384);

	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_reports);

	gva = tdx_alloc_shared(self->vm, sizeof(*self->td_info), &self->td_info);
	vcpu_args_set(self->vcpu, 1, gva);

	vm_mem_add(self->vm, VM_MEM_SRC_ANONYMOUS, GUEST_GPA, SLOT, 1 + NR_PAGES,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(self->vm, GUEST_GPA, (1 + NR_PAGES) * PAGE_SIZE);
	tdx_map_both(self->vm, GUEST_GPA, 1);

	self->source = test_alloc_before_hole(NR_PAGES * PAGE_SIZE);
}

FIXTURE_TEARDOWN(measurement)
{
	kvm_vm_free(self->vm);
}

/* Add pages [@to, @to + @nr) with the contents of the source from page @from on. */
#define add_pages(self, flags, to, from, nr)				\
	add((self)->vcpu, &(self)->mrtd, flags, PAGES_GPA + (to) * PAGE_SIZE, \
	    (self)->source + (from) * PAGE_SIZE, nr)

/* Fill the source such that no two chunks are the same. */
static void fill_source(void *source)
{
	u64 *word = source;

	for (int i = 0; i < NR_PAGES * PAGE_SIZE / sizeof(*word); i++)
		word[i] = i + 1;
}

/* Launch without adding anything, and compare what the guest reports. */
#define assert_mrtd(self)						\
do {									\
	struct tdx_td_info *__td_info = (self)->td_info;		\
	u8 __mrtd[SHA384_SIZE];						\
									\
	sha384(&(self)->mrtd, __mrtd);					\
	tdx_finalize((self)->vm);					\
	vcpu_run_to_sync((self)->vcpu, 0);				\
	assert_hash_eq(__td_info->mrtd, __mrtd);			\
} while (0)

static const char *hex(const u8 hash[SHA384_SIZE])
{
	static char text[4][2 * SHA384_SIZE + 1];
	static int next;
	char *s = text[next++ % ARRAY_SIZE(text)];

	for (int i = 0; i < SHA384_SIZE; i++)
		sprintf(s + 2 * i, "%02x", hash[i]);
	return s;
}

#define assert_hash_eq(hash, expected)					\
	TEST_ASSERT(!memcmp(hash, expected, SHA384_SIZE),		\
		    #hash ": wanted %s, got %s", hex(expected), hex(hash))

/* Add the memory that the guest needs, unmeasured. */
#define add_others(self)						\
do {									\
	add_lib_memory((self)->vcpu, &(self)->mrtd, 0);			\
	add((self)->vcpu, &(self)->mrtd, 0, GUEST_GPA, (self)->vcpu->run, 1); \
} while (0)

static void assert_hash_of(const char *text, int times, const char *expected)
{
	struct message message = {};
	u8 hash[SHA384_SIZE];

	while (times--)
		append(&message, text, strlen(text));
	sha384(&message, hash);
	free(message.data);
	TEST_ASSERT(!strcmp(hex(hash), expected), "SHA-384: wanted %s, got %s",
		    expected, hex(hash));
}

/* The examples of FIPS 180-4: no block of data, one, two, very many. */
TEST(sha384_examples)
{
	if (sha384_socket < 0)
		SKIP(return, NEEDS_SHA384);

	assert_hash_of("", 0,
		       "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b");
	assert_hash_of("abc", 1,
		       "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
	assert_hash_of("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 1,
		       "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039");
	assert_hash_of("a", 1000000,
		       "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985");
}

TEST_F(measurement, guest_measured)
{
	add_lib_memory(self->vcpu, &self->mrtd, MEASURED);
	add(self->vcpu, &self->mrtd, MEASURED, GUEST_GPA, self->vcpu->run, 1);
	assert_mrtd(self);
}

TEST_F(measurement, guest_not_measured)
{
	add_others(self);
	assert_mrtd(self);
}

TEST_F(measurement, one_page)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 0, 1);
	assert_mrtd(self);
}

/* MRTD then covers the page itself, but not its contents. */
TEST_F(measurement, unmeasured_contents)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, 0, 0, 1, 1);
	assert_mrtd(self);
}

TEST_F(measurement, gpa_counts)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 3, 0, 1);
	assert_mrtd(self);
}

TEST_F(measurement, descending_order)
{
	fill_source(self->source);
	add_others(self);
	for (int i = NR_PAGES - 1; i >= 0; i--)
		add_pages(self, MEASURED, i, i, 1);
	assert_mrtd(self);
}

/* KVM measures them as if each page was added by a call of its own. */
TEST_F(measurement, many_pages_in_one_call)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 0, NR_PAGES);
	assert_mrtd(self);
}

TEST_F(measurement, measured_and_not)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 0, 1);
	add_pages(self, 0, 1, 1, 2);
	add_pages(self, MEASURED, 3, 3, 1);
	assert_mrtd(self);
}

TEST_F(measurement, same_contents_twice)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 2, 1);
	add_pages(self, MEASURED, 1, 2, 1);
	assert_mrtd(self);
}

TEST_F(measurement, page_added_again)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 0, 2);
	vm_guest_mem_punch_hole(self->vm, PAGES_GPA, PAGE_SIZE);
	add_pages(self, MEASURED, 0, 2, 1);
	assert_mrtd(self);
}

/* A page stays measured even if user space removes it. */
TEST_F(measurement, page_removed)
{
	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 0, 2);
	vm_guest_mem_punch_hole(self->vm, PAGES_GPA, 2 * PAGE_SIZE);
	assert_mrtd(self);
}

TEST_F(measurement, refused_requests)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)self->source + PAGE_SIZE,
		.gpa = PAGES_GPA,
		.nr_pages = 1,
	}, nowhere = region;

	fill_source(self->source);
	add_others(self);
	add_pages(self, MEASURED, 0, 0, 1);

	/* A page that is there already, no source, no memslot, an unknown flag. */
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, MEASURED, &region, NULL), EIO);
	nowhere.gpa += PAGE_SIZE;
	nowhere.source_addr = (u64)self->source + NR_PAGES * PAGE_SIZE;
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, MEASURED, &nowhere, NULL), EFAULT);
	region.gpa = GUEST_GPA - PAGE_SIZE;
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, MEASURED, &region, NULL), EINVAL);
	region.gpa = PAGES_GPA + PAGE_SIZE;
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, BIT(31), &region, NULL), EINVAL);

	add_pages(self, MEASURED, 1, 1, 1);
	assert_mrtd(self);
}

/* A request that is resumed is measured as if it had succeeded at once. */
TEST_F(measurement, resumed_after_error)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)self->source,
		.gpa = PAGES_GPA,
		.nr_pages = NR_PAGES,
	};

	fill_source(self->source);
	add_others(self);

	vm_mem_set_shared(self->vm, PAGES_GPA + 2 * PAGE_SIZE, PAGE_SIZE);
	TEST_ASSERT_FAILS(__tdx_init_mem_region(self->vcpu, MEASURED, &region, NULL), EINVAL);
	vm_mem_set_private(self->vm, PAGES_GPA + 2 * PAGE_SIZE, PAGE_SIZE);
	TEST_ASSERT(!__tdx_init_mem_region(self->vcpu, MEASURED, &region, NULL),
		    "Not resumed at GPA 0x%llx, errno %d", region.gpa, errno);

	for (int i = 0; i < NR_PAGES; i++)
		measure_page(&self->mrtd, MEASURED, PAGES_GPA + i * PAGE_SIZE,
			     self->source + i * PAGE_SIZE);
	assert_mrtd(self);
}

static void ignore_signal(int sig) { }

TEST_F(measurement, resumed_after_signal)
{
	struct held_region held = {
		.vcpu = self->vcpu,
		.flags = MEASURED,
		.region.source_addr = (u64)self->source,
		.region.gpa = PAGES_GPA,
		.region.nr_pages = NR_PAGES,
	};

	add_others(self);
	if (!hold_region(&held, 2))
		SKIP(return, "needs userfaultfd");

	signal(SIGUSR1, ignore_signal);
	TEST_ASSERT_EQ(pthread_kill(held.thread, SIGUSR1), 0);
	TEST_ASSERT_EQ(release_held_region(&held, self->vcpu->run), EINTR);
	TEST_ASSERT(!__tdx_init_mem_region(self->vcpu, MEASURED, &held.region, NULL),
		    "Not resumed at GPA 0x%llx, errno %d", held.region.gpa, errno);

	for (int i = 0; i < NR_PAGES; i++)
		measure_page(&self->mrtd, MEASURED, PAGES_GPA + i * PAGE_SIZE,
			     self->source + i * PAGE_SIZE);
	assert_mrtd(self);
}

/*
 * RTMRs are extended by the guest only.  Whatever KVM does must not change them.
 */

#define NR_RTMRS	4
#define NR_EXTENSIONS	5

static const u8 rtmr_of_extension[NR_EXTENSIONS] = { 0, 3, 0, 1, 0 };

/* Guest and host: the data of the guest's extension @i. */
static void extension(int i, u8 data[SHA384_SIZE])
{
	for (int j = 0; j < SHA384_SIZE; j++)
		data[j] = (i + 1) * 16 + j;
}

static void guest_extend(struct tdx_td_info *td_info)
{
	guest_report(td_info);

	for (int i = 0; i < NR_EXTENSIONS; i++) {
		extension(i, (void *)RTMR_DATA_GPA);
		GUEST_ASSERT_EQ(tdg_mr_rtmr_extend(RTMR_DATA_GPA, rtmr_of_extension[i]),
				TDX_SUCCESS);
		guest_report(td_info);
	}
}

TEST_F(measurement, rtmrs)
{
	u8 rtmr[NR_RTMRS][SHA384_SIZE] = {};
	u8 mrtd[SHA384_SIZE];

	vcpu_arch_set_entry_point(self->vcpu, guest_extend);
	add_others(self);
	assert_mrtd(self);
	memcpy(mrtd, self->td_info->mrtd, sizeof(mrtd));

	for (int i = 0; i <= NR_EXTENSIONS; i++) {
		u8 data[SHA384_SIZE], *extended;
		struct message message = {};

		for (int j = 0; j < NR_RTMRS; j++)
			assert_hash_eq(self->td_info->rtmr[j], rtmr[j]);
		assert_hash_eq(self->td_info->mrtd, mrtd);

		if (i == NR_EXTENSIONS)
			break;

		extension(i, data);
		extended = rtmr[rtmr_of_extension[i]];
		append(&message, extended, SHA384_SIZE);
		append(&message, data, sizeof(data));
		sha384(&message, extended);
		free(message.data);
		vcpu_run_to_sync(self->vcpu, 0);
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	open_sha384();
	return test_harness_run(argc, argv);
}
