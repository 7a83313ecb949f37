// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a TD: memslots, guest_memfd, attributes, faults, acceptance,
 * holes, dirty logging and prefaulting.
 *
 * A TD has two views of its GPAs.  With the shared bit an address is ordinary
 * memory of user space.  Without it, it is private: KVM takes the page from the
 * memslot's guest_memfd, gives it to the TDX module, and neither KVM nor user
 * space see it again.  Which of the two the guest may use is an attribute of
 * the page, and an access by the other one is for user space to resolve, by
 * KVM_EXIT_MEMORY_FAULT.  Whatever takes a private page away takes its contents
 * away for good: the guest must get back no other page as if nothing had
 * happened, but one that it has to accept, and that is zeroes then.
 */
#include <pthread.h>
#include <sys/mman.h>

#include <asm/barrier.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/orders.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* A memslot with guest_memfd, and one without. */
#define SLOT		10
#define GPA		0x100000000ul
#define PLAIN_SLOT	11
#define PLAIN_GPA	0x140000000ul
#define NPAGES		16
#define SIZE		(NPAGES * PAGE_SIZE)

#define PAGE(i)		(GPA + (i) * PAGE_SIZE)
#define PLAIN_PAGE(i)	(PLAIN_GPA + (i) * PAGE_SIZE)
#define shared(gva)	tdx_shared_gva(gva)

/* Of memory_fault.flags */
#define PRIVATE		KVM_MEMORY_EXIT_FLAG_PRIVATE

#define MAGIC		0x1122334455667788ul

/* What KVM checks when user space describes memory; no vCPU needed. */

FIXTURE(memslot) {
	struct kvm_vm *vm;
	void *mem;
	int gmem;
};

static int set_slot(struct kvm_vm *vm, u32 flags, gpa_t gpa, u64 size,
		    void *mem, int gmem, u64 offset)
{
	return __vm_set_user_memory_region2(vm, SLOT, flags, gpa, size, mem,
					    gmem, offset);
}

FIXTURE_SETUP(memslot)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	self->mem = kvm_mmap(SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);
	self->gmem = vm_create_guest_memfd(self->vm, SIZE, 0);
}

FIXTURE_TEARDOWN(memslot)
{
	close(self->gmem);
	kvm_munmap(self->mem, SIZE);
	kvm_vm_free(self->vm);
}

TEST_F(memslot, with_guest_memfd)
{
	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				self->mem, self->gmem, 0), 0);
}

TEST_F(memslot, without_guest_memfd)
{
	TEST_ASSERT_EQ(set_slot(self->vm, 0, GPA, SIZE, self->mem, -1, 0), 0);
}

/* A write to a read-only slot would be MMIO, which KVM can't emulate here. */
TEST_F(memslot, read_only_refused)
{
	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_READONLY_MEM), 0);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_READONLY, GPA, SIZE,
				   self->mem, -1, 0), EINVAL);
}

TEST_F(memslot, read_only_private_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_READONLY | KVM_MEM_GUEST_MEMFD,
				   GPA, SIZE, self->mem, self->gmem, 0), EINVAL);
}

TEST_F(memslot, dirty_log_allowed)
{
	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE,
				self->mem, -1, 0), 0);
}

TEST_F(memslot, dirty_log_private_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm,
				   KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_GUEST_MEMFD,
				   GPA, SIZE, self->mem, self->gmem, 0), EINVAL);
}

/* A TD has no SMM, and so no second address space for it. */
TEST_F(memslot, smm_address_space_refused)
{
	TEST_ASSERT(vm_check_cap(self->vm, KVM_CAP_MULTI_ADDRESS_SPACE) <= 1,
		    "More than one address space");
	TEST_ASSERT_FAILS(__vm_set_user_memory_region2(self->vm, 1 << 16 | SLOT, 0,
						       GPA, SIZE, self->mem, -1, 0),
			  EINVAL);
}

TEST_F(memslot, other_vms_guest_memfd_refused)
{
	struct kvm_vm *other = ____vm_create(VM_SHAPE_TDX);
	int gmem = vm_create_guest_memfd(other, SIZE, 0);

	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				   self->mem, gmem, 0), EINVAL);
	close(gmem);
	kvm_vm_free(other);
}

TEST_F(memslot, other_file_refused)
{
	int memfd = kvm_memfd_alloc(SIZE, false);

	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				   self->mem, memfd, 0), EINVAL);
	close(memfd);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				   self->mem, memfd, 0), EBADF);
}

TEST_F(memslot, beyond_end_of_guest_memfd_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				   self->mem, self->gmem, PAGE_SIZE), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, PAGE_SIZE,
				   self->mem, self->gmem, 1), EINVAL);
}

/* A page of private memory has one address. */
TEST_F(memslot, guest_memfd_range_used_twice_refused)
{
	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, 2 * PAGE_SIZE,
				self->mem, self->gmem, 0), 0);
	TEST_ASSERT_FAILS(__vm_set_user_memory_region2(self->vm, SLOT + 1,
						       KVM_MEM_GUEST_MEMFD,
						       GPA + SIZE, PAGE_SIZE,
						       self->mem, self->gmem, PAGE_SIZE),
			  EEXIST);
	TEST_ASSERT_EQ(__vm_set_user_memory_region2(self->vm, SLOT + 1,
						    KVM_MEM_GUEST_MEMFD,
						    GPA + SIZE, PAGE_SIZE,
						    self->mem, self->gmem,
						    2 * PAGE_SIZE), 0);
}

/* ... for as long as the memslot lives, which can only be deleted. */
TEST_F(memslot, private_immutable)
{
	const u32 flags = KVM_MEM_GUEST_MEMFD;

	TEST_ASSERT_EQ(set_slot(self->vm, flags, GPA, SIZE, self->mem, self->gmem, 0), 0);
	TEST_ASSERT_FAILS(set_slot(self->vm, flags, GPA + SIZE, SIZE, self->mem,
				   self->gmem, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, flags, GPA, SIZE / 2, self->mem,
				   self->gmem, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, 0, GPA, SIZE, self->mem, -1, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, KVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE,
				   self->mem, -1, 0), EINVAL);
	TEST_ASSERT_EQ(set_slot(self->vm, flags, GPA, 0, self->mem, self->gmem, 0), 0);
}

TEST_F(memslot, no_dirty_log_of_private_slot)
{
	u64 bitmap[NPAGES] = {};
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };

	TEST_ASSERT_EQ(set_slot(self->vm, KVM_MEM_GUEST_MEMFD, GPA, SIZE,
				self->mem, self->gmem, 0), 0);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
}

/* KVM has no way yet to let such memory become private. */
TEST_F(memslot, initially_shared_guest_memfd_refused)
{
	int flags = vm_check_cap(self->vm, KVM_CAP_GUEST_MEMFD_FLAGS);

	TEST_ASSERT_EQ(flags & GUEST_MEMFD_FLAG_INIT_SHARED, 0);
	TEST_ASSERT_FAILS(__vm_create_guest_memfd(self->vm, SIZE,
						  GUEST_MEMFD_FLAG_INIT_SHARED),
			  EINVAL);
	TEST_ASSERT_FAILS(__vm_create_guest_memfd(self->vm, SIZE,
						  GUEST_MEMFD_FLAG_INIT_SHARED |
						  GUEST_MEMFD_FLAG_MMAP),
			  EINVAL);
}

TEST_F(memslot, guest_memfd_has_no_mapping)
{
	TEST_ASSERT(mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 self->gmem, 0) == MAP_FAILED, "mmap() of private memory");
	TEST_ASSERT_EQ(errno, ENODEV);
}

/* A mapping may be had, the pages behind it may not. */
TEST_F(memslot, mapping_of_private_pages_faults)
{
	int gmem = __vm_create_guest_memfd(self->vm, SIZE, GUEST_MEMFD_FLAG_MMAP);
	char *mem;

	if (gmem < 0 && errno == EINVAL)
		SKIP(return, "guest_memfd has no mappings");
	TEST_ASSERT(gmem >= 0, KVM_IOCTL_ERROR(KVM_CREATE_GUEST_MEMFD, gmem));

	mem = kvm_mmap(SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, gmem);
	TEST_EXPECT_SIGBUS((void)READ_ONCE(mem[0]));
	TEST_EXPECT_SIGBUS(WRITE_ONCE(mem[0], 1));
	kvm_munmap(mem, SIZE);
	close(gmem);
}

static int set_attributes(struct kvm_vm *vm, gpa_t gpa, u64 size, u64 attributes,
			  u64 flags)
{
	struct kvm_memory_attributes attr = {
		.address = gpa,
		.size = size,
		.attributes = attributes,
		.flags = flags,
	};

	return __vm_ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &attr);
}

TEST_F(memslot, attributes_private_only)
{
	const u64 private = KVM_MEMORY_ATTRIBUTE_PRIVATE;

	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_MEMORY_ATTRIBUTES), private);
	for (int i = 0; i < 64; i++)
		if (BIT_ULL(i) != private)
			TEST_ASSERT_FAILS(set_attributes(self->vm, GPA, SIZE,
							 BIT_ULL(i), 0), EINVAL);
	TEST_ASSERT_EQ(set_attributes(self->vm, GPA, SIZE, private, 0), 0);
}

TEST_F(memslot, attributes_bad_arguments)
{
	const u64 private = KVM_MEMORY_ATTRIBUTE_PRIVATE;
	struct kvm_vm *vm = self->vm;

	TEST_ASSERT_FAILS(set_attributes(vm, GPA, SIZE, private, 1), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GPA, 0, private, 0), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GPA + 1, SIZE, private, 0), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GPA, SIZE + 1, private, 0), EINVAL);
	TEST_ASSERT_FAILS(set_attributes(vm, GPA, -PAGE_SIZE, private, 0), EINVAL);
}

/* The shared bit is no part of an address, whatever the width of addresses. */

FIXTURE(shared_bit) {
	struct kvm_vm *vm;
	void *mem;
	gpa_t bit;
};

FIXTURE_VARIANT(shared_bit) {
	int width;
};

FIXTURE_VARIANT_ADD(shared_bit, gpaw_48) {
	.width = 48,
};

FIXTURE_VARIANT_ADD(shared_bit, gpaw_52) {
	.width = 52,
};

FIXTURE_SETUP(shared_bit)
{
	struct kvm_tdx_init_vm *init;
	int r;

	self->vm = ____vm_create(VM_SHAPE_TDX);
	self->bit = BIT_ULL(variant->width - 1);
	self->mem = kvm_mmap(SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (this_cpu_property(X86_PROPERTY_MAX_PHY_ADDR) < variant->width)
		SKIP(return, "addresses of this host are shorter");

	init = tdx_default_init_vm(self->vm);
	for (int i = 0; i < init->cpuid.nent; i++)
		if (init->cpuid.entries[i].function == 0x80000008)
			init->cpuid.entries[i].eax = variant->width << 16;
	r = __tdx_init_vm(self->vm, init, NULL);
	free(init);
	if (r && errno == EINVAL && variant->width > 48)
		SKIP(return, "no 5-level EPT");
	TEST_ASSERT(!r, "KVM_TDX_INIT_VM failed, errno: %d", errno);
}

FIXTURE_TEARDOWN(shared_bit)
{
	kvm_munmap(self->mem, SIZE);
	kvm_vm_free(self->vm);
}

TEST_F(shared_bit, memslot_below)
{
	TEST_ASSERT_EQ(set_slot(self->vm, 0, self->bit - SIZE, SIZE, self->mem, -1, 0), 0);
}

TEST_F(shared_bit, memslot_at_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm, 0, self->bit, SIZE, self->mem, -1, 0), EINVAL);
	TEST_ASSERT_FAILS(set_slot(self->vm, 0, self->bit | GPA, SIZE, self->mem, -1, 0),
			  EINVAL);
}

TEST_F(shared_bit, memslot_across_refused)
{
	TEST_ASSERT_FAILS(set_slot(self->vm, 0, self->bit - SIZE + PAGE_SIZE, SIZE,
				   self->mem, -1, 0), EINVAL);
}

TEST_F(shared_bit, memslot_moved_to_refused)
{
	TEST_ASSERT_EQ(set_slot(self->vm, 0, GPA, SIZE, self->mem, -1, 0), 0);
	TEST_ASSERT_FAILS(set_slot(self->vm, 0, self->bit, SIZE, self->mem, -1, 0), EINVAL);
	TEST_ASSERT_EQ(set_slot(self->vm, 0, self->bit - SIZE, SIZE, self->mem, -1, 0), 0);
}

/* From here on a guest takes part. */

FIXTURE(memory) {
	struct kvm_vm *vm;
	struct tdx_servant s;
	u8 *hva;		/* of GPA, i.e. the shared pages */
	u8 *plain_hva;
};

static struct kvm_vm *create_td(u64 attributes)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 64);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);

	init->attributes |= attributes;
	tdx_init_vm(vm, init);
	free(init);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES,
				    KVM_MEM_GUEST_MEMFD);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, PLAIN_GPA,
				    PLAIN_SLOT, NPAGES, 0);
	tdx_map_both(vm, GPA, NPAGES);
	tdx_map_both(vm, PLAIN_GPA, NPAGES);
	return vm;
}

FIXTURE_SETUP(memory)
{
	self->vm = create_td(0);
	self->hva = addr_gpa2hva(self->vm, GPA);
	self->plain_hva = addr_gpa2hva(self->vm, PLAIN_GPA);
	self->s = tdx_servant_add(self->vm, 0);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(memory)
{
	kvm_vm_free(self->vm);
}

/* Make @n pages private and let the guest use them, with @val in each. */
static void make_private(struct tdx_servant *s, gpa_t gpa, int n, u64 val)
{
	vm_mem_set_private(s->vcpu->vm, gpa, n * PAGE_SIZE);
	for (int i = 0; i < n; i++, gpa += PAGE_SIZE) {
		tdx_accept(s, gpa);
		tdx_write(s, gpa, val);
	}
}

/* Delete a memslot of the lib's and bring it back, possibly as another one. */
static void delete_slot(struct kvm_vm *vm, u32 slot)
{
	struct kvm_userspace_memory_region2 region = memslot2region(vm, slot)->region;

	region.memory_size = 0;
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

static void create_slot(struct kvm_vm *vm, u32 slot)
{
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &memslot2region(vm, slot)->region);
}

TEST_F(memory, shared_both_ways)
{
	*(u64 *)self->hva = MAGIC;
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(GPA)), MAGIC);
	tdx_write(&self->s, shared(GPA), ~MAGIC);
	TEST_ASSERT_EQ(*(u64 *)self->hva, ~MAGIC);
}

TEST_F(memory, shared_in_plain_slot)
{
	*(u64 *)self->plain_hva = MAGIC;
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(PLAIN_GPA)), MAGIC);
	tdx_write(&self->s, shared(PLAIN_GPA), ~MAGIC);
	TEST_ASSERT_EQ(*(u64 *)self->plain_hva, ~MAGIC);
}

/* What the host finds at the memslot's address is another page. */
TEST_F(memory, private_not_seen_by_host)
{
	memset(self->hva, 0xa5, PAGE_SIZE);
	make_private(&self->s, GPA, 1, MAGIC);
	for (int i = 0; i < PAGE_SIZE; i++)
		TEST_ASSERT_EQ(self->hva[i], 0xa5);

	tdx_write(&self->s, GPA, ~MAGIC);
	for (int i = 0; i < PAGE_SIZE; i++)
		TEST_ASSERT_EQ(self->hva[i], 0xa5);
}

TEST_F(memory, private_not_changed_by_host)
{
	make_private(&self->s, GPA, 1, MAGIC);
	memset(self->hva, 0xa5, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), MAGIC);
}

TEST_F(memory, private_survives_loss_of_shared_page)
{
	memset(self->hva, 0xa5, PAGE_SIZE);
	make_private(&self->s, GPA, 1, MAGIC);
	TEST_ASSERT_EQ(madvise(self->hva, PAGE_SIZE, MADV_DONTNEED), 0);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), MAGIC);
	TEST_ASSERT_EQ(self->hva[0], 0);
}

/* The guest follows when user space changes what is behind a shared page. */
TEST_F(memory, shared_follows_madvise)
{
	tdx_write(&self->s, shared(GPA), MAGIC);
	TEST_ASSERT_EQ(madvise(self->hva, PAGE_SIZE, MADV_DONTNEED), 0);
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(GPA)), 0ul);
}

TEST_F(memory, shared_follows_mmap)
{
	tdx_write(&self->s, shared(GPA), MAGIC);
	TEST_ASSERT(mmap(self->hva, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == self->hva,
		    "mmap() failed, errno: %d", errno);
	*(u64 *)self->hva = ~MAGIC;
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(GPA)), ~MAGIC);
}

/* KVM_EXIT_MEMORY_FAULT: which page, how large, and which view was wanted. */

FIXTURE(memory_fault) {
	struct kvm_vm *vm;
	struct tdx_servant s;
};

FIXTURE_VARIANT(memory_fault) {
	enum tdx_order_op op;
	u64 offset;
	bool private;		/* the access; the page is the other one */
};

FIXTURE_VARIANT_ADD(memory_fault, private_read) {
	.op = TDX_ORDER_READ,
	.private = true,
};

FIXTURE_VARIANT_ADD(memory_fault, private_write) {
	.op = TDX_ORDER_WRITE,
	.private = true,
};

FIXTURE_VARIANT_ADD(memory_fault, private_unaligned) {
	.op = TDX_ORDER_WRITE,
	.offset = PAGE_SIZE - 8,
	.private = true,
};

FIXTURE_VARIANT_ADD(memory_fault, shared_read) {
	.op = TDX_ORDER_READ,
};

FIXTURE_VARIANT_ADD(memory_fault, shared_write) {
	.op = TDX_ORDER_WRITE,
};

FIXTURE_VARIANT_ADD(memory_fault, shared_unaligned) {
	.op = TDX_ORDER_WRITE,
	.offset = PAGE_SIZE - 8,
};

FIXTURE_SETUP(memory_fault)
{
	self->vm = create_td(0);
	self->s = tdx_servant_add(self->vm, 0);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(memory_fault)
{
	kvm_vm_free(self->vm);
}

TEST_F(memory_fault, reported_until_resolved)
{
	gva_t gva = variant->private ? PAGE(3) : shared(PAGE(3));
	u64 flags = variant->private ? PRIVATE : 0;
	struct tdx_servant *s = &self->s;

	if (!variant->private)
		vm_mem_set_private(self->vm, GPA, SIZE);

	tdx_order_faults(s, variant->op, gva + variant->offset, MAGIC, PAGE(3), flags);
	TEST_ASSERT_FAILS(tdx_continue(s), EFAULT);
	TEST_ASSERT_MEMORY_FAULT(s, PAGE(3), flags);

	if (variant->private) {
		vm_mem_set_private(self->vm, PAGE(3), PAGE_SIZE);
		TEST_ASSERT_EQ(tdx_continue(s), 0);
		TEST_ASSERT_VE(s, PAGE(3));
	} else {
		vm_mem_set_shared(self->vm, PAGE(3), PAGE_SIZE);
		tdx_order_resumes(s);
	}
}

TEST_F(memory, fault_without_guest_memfd)
{
	vm_mem_set_private(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_order_faults(&self->s, TDX_ORDER_WRITE, PLAIN_GPA, 1, PLAIN_GPA, PRIVATE);
}

TEST_F(memory, fault_private_without_memslot)
{
	delete_slot(self->vm, SLOT);
	tdx_order_faults(&self->s, TDX_ORDER_WRITE, GPA, 1, GPA, PRIVATE);

	/* It has the attribute now, but is still nowhere. */
	vm_mem_set_private(self->vm, GPA, PAGE_SIZE);
	TEST_ASSERT_FAILS(tdx_continue(&self->s), EFAULT);
	TEST_ASSERT_MEMORY_FAULT(&self->s, GPA, PRIVATE);

	create_slot(self->vm, SLOT);
	TEST_ASSERT_EQ(tdx_continue(&self->s), 0);
	TEST_ASSERT_VE(&self->s, GPA);
}

/* Without a memslot it is MMIO, which is the guest's to ask for, by TDVMCALL. */
TEST_F(memory, ve_shared_without_memslot)
{
	tdx_write(&self->s, shared(PAGE(1)), MAGIC);
	delete_slot(self->vm, SLOT);
	tdx_order(&self->s, TDX_ORDER_WRITE, shared(PAGE(1)), 1);
	TEST_ASSERT_VE(&self->s, PAGE(1) | self->vm->arch.s_bit);
}

/*
 * KVM's mapping that says "MMIO" raises #VE without an exit, so that KVM has to
 * take it back itself when a memslot is created there.
 */
TEST_F(memory, memslot_created_where_mmio_was)
{
	delete_slot(self->vm, PLAIN_SLOT);
	tdx_order(&self->s, TDX_ORDER_READ, shared(PLAIN_GPA), 0);
	TEST_ASSERT_VE(&self->s, PLAIN_GPA | self->vm->arch.s_bit);

	create_slot(self->vm, PLAIN_SLOT);
	*(u64 *)self->plain_hva = MAGIC;
	tdx_order(&self->s, TDX_ORDER_READ, shared(PLAIN_GPA), 0);
	if (self->s.order->vector == VE_VECTOR)
		XFAIL(return, "KVM leaves its MMIO mapping in a new memslot's place");
	TEST_ASSERT_EQ(self->s.order->vector, 0);
	TEST_ASSERT_EQ(self->s.order->val, MAGIC);
}

TEST_F(memory, efault_without_host_mapping)
{
	kvm_munmap(self->plain_hva, PAGE_SIZE);
	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_READ, shared(PLAIN_GPA), 0), EFAULT);
	TEST_ASSERT(mmap(self->plain_hva, PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == self->plain_hva,
		    "mmap() failed, errno: %d", errno);
	tdx_order_resumes(&self->s);
}

TEST_F(memory, efault_on_write_to_read_only_mapping)
{
	struct tdx_servant *s = &self->s;

	*(u64 *)self->plain_hva = MAGIC;
	TEST_ASSERT_EQ(mprotect(self->plain_hva, PAGE_SIZE, PROT_READ), 0);
	TEST_ASSERT_EQ(tdx_read(s, shared(PLAIN_GPA)), MAGIC);
	TEST_ASSERT_FAILS(__tdx_order(s, TDX_ORDER_WRITE, shared(PLAIN_GPA), ~MAGIC), EFAULT);
	TEST_ASSERT_EQ(*(u64 *)self->plain_hva, MAGIC);

	TEST_ASSERT_EQ(mprotect(self->plain_hva, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	tdx_order_resumes(s);
	TEST_ASSERT_EQ(*(u64 *)self->plain_hva, ~MAGIC);
}

/* Acceptance */

TEST_F(memory, accept_after_ve)
{
	vm_mem_set_private(self->vm, GPA, SIZE);
	tdx_order(&self->s, TDX_ORDER_WRITE, PAGE(2) + 0x18, MAGIC);
	TEST_ASSERT_VE(&self->s, PAGE(2));
	tdx_accept(&self->s, PAGE(2));
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(2) + 0x18), 0ul);
	tdx_write(&self->s, PAGE(2) + 0x18, MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(2) + 0x18), MAGIC);
}

/* The guest may come to accept before it has ever touched the page. */
TEST_F(memory, accept_without_access)
{
	vm_mem_set_private(self->vm, GPA, SIZE);
	tdx_accept(&self->s, GPA);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), 0ul);
}

TEST_F(memory, accept_of_shared_page_faults)
{
	tdx_order_faults(&self->s, TDX_ORDER_ACCEPT, GPA, 0, GPA, PRIVATE);
	vm_mem_set_private(self->vm, GPA, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_continue(&self->s), 0);
	TEST_ASSERT_EQ(self->s.order->status, TDX_SUCCESS);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), 0ul);
}

TEST_F(memory, accept_without_memslot_faults)
{
	delete_slot(self->vm, SLOT);
	vm_mem_set_private(self->vm, GPA, PAGE_SIZE);
	tdx_order_faults(&self->s, TDX_ORDER_ACCEPT, GPA, 0, GPA, PRIVATE);
}

TEST_F(memory, neighbours_not_accepted)
{
	vm_mem_set_private(self->vm, GPA, SIZE);
	tdx_accept(&self->s, PAGE(1));
	tdx_order(&self->s, TDX_ORDER_READ, PAGE(0), 0);
	TEST_ASSERT_VE(&self->s, PAGE(0));
	tdx_order(&self->s, TDX_ORDER_READ, PAGE(2), 0);
	TEST_ASSERT_VE(&self->s, PAGE(2));
}

/* KVM maps 4 KiB only.  A guest that asks for more has to hear that. */
TEST_F(memory, accept_2m_size_mismatch)
{
	const u32 slot = SLOT + 10;
	const gpa_t gpa = 0x180000000ul;
	const u64 size = 0x200000ul;

	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, gpa, slot,
				    size / PAGE_SIZE, KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(self->vm, gpa, size);
	tdx_order(&self->s, TDX_ORDER_ACCEPT, gpa, 1);
	TEST_ASSERT_EQ(self->s.order->status & TDX_SEAMCALL_STATUS_MASK,
		       TDX_PAGE_SIZE_MISMATCH);

	/* What the guest then does. */
	for (gpa_t page = gpa; page < gpa + 4 * PAGE_SIZE; page += PAGE_SIZE)
		tdx_accept(&self->s, page);
}

/* The end of a TD that touches a page without accepting it, and without #VE. */

FIXTURE(unaccepted) {
	struct kvm_vm *vm;
	struct tdx_servant s;
	struct tdx_servant other;
};

FIXTURE_SETUP(unaccepted)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	bool supported = caps->supported_attrs & TDX_TD_ATTR_SEPT_VE_DISABLE;

	free(caps);
	kvm_vm_free(vm);
	if (!supported)
		SKIP(return, "no SEPT_VE_DISABLE");

	self->vm = create_td(TDX_TD_ATTR_SEPT_VE_DISABLE);
	self->s = tdx_servant_add(self->vm, 0);
	if (vm_check_cap(self->vm, KVM_CAP_MAX_VCPUS) > 1)
		self->other = tdx_servant_add(self->vm, 1);
	vm_tdx_launch(self->vm);
	vm_mem_set_private(self->vm, GPA, SIZE);
}

FIXTURE_TEARDOWN(unaccepted)
{
	kvm_vm_free(self->vm);
}

TEST_F(unaccepted, accepting_first_is_fine)
{
	tdx_accept(&self->s, GPA);
	tdx_write(&self->s, GPA, MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), MAGIC);
}

TEST_F(unaccepted, read_fails_run)
{
	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_READ, GPA, 0), EIO);
}

TEST_F(unaccepted, write_fails_run)
{
	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_WRITE, GPA, 0), EIO);
}

TEST_F(unaccepted, kills_vm)
{
	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_WRITE, GPA, 0), EIO);
	TEST_ASSERT_FAILS(tdx_continue(&self->s), EIO);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_CHECK_EXTENSION,
				     (void *)KVM_CAP_USER_MEMORY), EIO);
	TEST_ASSERT_FAILS(set_attributes(self->vm, GPA, SIZE, 0, 0), EIO);
}

TEST_F(unaccepted, kills_other_vcpus)
{
	if (!self->other.vcpu)
		SKIP(return, "needs 2 host CPUs");

	TEST_ASSERT_FAILS(__tdx_order(&self->s, TDX_ORDER_WRITE, GPA, 0), EIO);
	TEST_ASSERT_FAILS(__tdx_order(&self->other, TDX_ORDER_READ, GPA, 0), EIO);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->other.vcpu, KVM_NMI, NULL), EIO);
}

/* Only the guest's access counts: what it leaves alone may stay pending. */
TEST_F(unaccepted, prefaulted_page_is_fine)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };

	vcpu_ioctl(self->s.vcpu, KVM_PRE_FAULT_MEMORY, &range);
	tdx_accept(&self->s, PAGE(1));
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(1)), 0ul);
}

/* Holes punched into guest_memfd */

TEST_F(memory, punch_hole_loses_contents)
{
	make_private(&self->s, GPA, 1, MAGIC);
	vm_guest_mem_punch_hole(self->vm, GPA, PAGE_SIZE);
	tdx_assert_lost(&self->s, GPA);
}

TEST_F(memory, punch_hole_keeps_neighbours)
{
	make_private(&self->s, GPA, 4, MAGIC);
	vm_guest_mem_punch_hole(self->vm, PAGE(1), 2 * PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(3)), MAGIC);
	tdx_assert_lost(&self->s, PAGE(1));
	tdx_assert_lost(&self->s, PAGE(2));
}

TEST_F(memory, punch_hole_before_use)
{
	vm_mem_set_private(self->vm, GPA, SIZE);
	vm_guest_mem_punch_hole(self->vm, GPA, SIZE);
	tdx_assert_lost(&self->s, GPA);
}

TEST_F(memory, punch_hole_of_pending_page)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };

	vm_mem_set_private(self->vm, GPA, SIZE);
	vcpu_ioctl(self->s.vcpu, KVM_PRE_FAULT_MEMORY, &range);
	vm_guest_mem_punch_hole(self->vm, GPA, SIZE);
	tdx_assert_lost(&self->s, GPA);
}

TEST_F(memory, punch_hole_keeps_shared_page)
{
	tdx_write(&self->s, shared(GPA), MAGIC);
	vm_guest_mem_punch_hole(self->vm, GPA, SIZE);
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(GPA)), MAGIC);
	TEST_ASSERT_EQ(*(u64 *)self->hva, MAGIC);
}

TEST_F(memory, allocate_keeps_contents)
{
	make_private(&self->s, GPA, 1, MAGIC);
	vm_guest_mem_allocate(self->vm, GPA, SIZE);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), MAGIC);
}

TEST_F(memory, guest_memfd_closed)
{
	struct userspace_mem_region *region = memslot2region(self->vm, SLOT);

	make_private(&self->s, GPA, 1, MAGIC);
	kvm_free_fd(region->region.guest_memfd);
	tdx_order_faults(&self->s, TDX_ORDER_READ, GPA, 0, GPA, PRIVATE);
	vm_mem_set_shared(self->vm, GPA, SIZE);
	TEST_ASSERT_FAILS(tdx_continue(&self->s), EFAULT);
	TEST_ASSERT_MEMORY_FAULT(&self->s, GPA, PRIVATE);
}

/* Memslots that come, go and move */

TEST_F(memory, memslot_deleted_loses_contents)
{
	make_private(&self->s, GPA, 1, MAGIC);
	delete_slot(self->vm, SLOT);
	create_slot(self->vm, SLOT);
	tdx_assert_lost(&self->s, GPA);
}

TEST_F(memory, memslot_deleted_keeps_shared_page)
{
	tdx_write(&self->s, shared(GPA), MAGIC);
	delete_slot(self->vm, SLOT);
	create_slot(self->vm, SLOT);
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(GPA)), MAGIC);
}

/*
 * To drop all mappings whenever a memslot goes is KVM's habit with other VMs.
 * To a TD it would be fatal: nobody but the guest can accept the pages again.
 */
TEST_F(memory, memslot_deleted_keeps_others)
{
	make_private(&self->s, GPA, 2, MAGIC);
	delete_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(1)), MAGIC);
	create_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(0)), MAGIC);
}

TEST_F(memory, memslot_deleted_keeps_others_whatever_the_quirk)
{
	if (!(kvm_check_cap(KVM_CAP_DISABLE_QUIRKS2) & KVM_X86_QUIRK_SLOT_ZAP_ALL))
		SKIP(return, "no quirk");

	make_private(&self->s, GPA, 1, MAGIC);
	vm_enable_cap(self->vm, KVM_CAP_DISABLE_QUIRKS2, KVM_X86_QUIRK_SLOT_ZAP_ALL);
	delete_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_read(&self->s, GPA), MAGIC);
}

TEST_F(memory, memslot_moved)
{
	tdx_write(&self->s, shared(PLAIN_PAGE(0)), MAGIC);
	delete_slot(self->vm, SLOT);
	vm_mem_region_move(self->vm, PLAIN_SLOT, GPA);
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(PAGE(0))), MAGIC);
	tdx_write(&self->s, shared(PAGE(0)), ~MAGIC);
	TEST_ASSERT_EQ(*(u64 *)self->plain_hva, ~MAGIC);

	/* Where it was is nothing now. */
	tdx_order(&self->s, TDX_ORDER_READ, shared(PLAIN_PAGE(0)), 0);
	TEST_ASSERT_VE(&self->s, PLAIN_PAGE(0) | self->vm->arch.s_bit);
}

TEST_F(memory, memslot_with_other_memory)
{
	struct userspace_mem_region *region = memslot2region(self->vm, PLAIN_SLOT);

	tdx_write(&self->s, shared(PLAIN_PAGE(0)), MAGIC);
	delete_slot(self->vm, PLAIN_SLOT);
	delete_slot(self->vm, SLOT);
	region->region.userspace_addr = (u64)self->hva;
	create_slot(self->vm, PLAIN_SLOT);
	TEST_ASSERT_EQ(tdx_read(&self->s, shared(PLAIN_PAGE(0))), 0ul);
	tdx_write(&self->s, shared(PLAIN_PAGE(0)), ~MAGIC);
	TEST_ASSERT_EQ(*(u64 *)self->hva, ~MAGIC);
	TEST_ASSERT_EQ(*(u64 *)self->plain_hva, MAGIC);
}

/* The same private pages at another address: all of them have to go first. */
TEST_F(memory, guest_memfd_at_other_gpa)
{
	struct userspace_mem_region *region = memslot2region(self->vm, SLOT);

	make_private(&self->s, GPA, 1, MAGIC);
	delete_slot(self->vm, PLAIN_SLOT);
	delete_slot(self->vm, SLOT);
	region->region.guest_phys_addr = PLAIN_GPA;
	create_slot(self->vm, SLOT);
	vm_mem_set_private(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_assert_lost(&self->s, PLAIN_GPA);
	tdx_order_faults(&self->s, TDX_ORDER_READ, GPA, 0, GPA, PRIVATE);
}

TEST_F(memory, guest_memfd_offset)
{
	struct kvm_userspace_memory_region2 *region = &memslot2region(self->vm, SLOT)->region;

	/* The slot shows the second half of the file only. */
	delete_slot(self->vm, SLOT);
	region->memory_size = SIZE / 2;
	region->guest_memfd_offset = SIZE / 2;
	create_slot(self->vm, SLOT);
	make_private(&self->s, GPA, 2, MAGIC);

	TEST_ASSERT_EQ(fallocate(region->guest_memfd,
				 FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				 0, SIZE / 2), 0);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(fallocate(region->guest_memfd,
				 FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE,
				 SIZE / 2, PAGE_SIZE), 0);
	tdx_assert_lost(&self->s, PAGE(0));
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(1)), MAGIC);
}

/* Dirty logging, which is for shared memory only */

FIXTURE(dirty_log) {
	struct kvm_vm *vm;
	struct tdx_servant s;
};

FIXTURE_SETUP(dirty_log)
{
	self->vm = create_td(0);
	self->s = tdx_servant_add(self->vm, 0);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(dirty_log)
{
	kvm_vm_free(self->vm);
}

static u64 get_dirty(struct kvm_vm *vm)
{
	u64 bitmap = ~0ull;

	kvm_vm_get_dirty_log(vm, PLAIN_SLOT, &bitmap);
	return bitmap;
}

TEST_F(dirty_log, written_pages)
{
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_write(&self->s, shared(PLAIN_PAGE(1)), 1);
	tdx_write(&self->s, shared(PLAIN_PAGE(3)), 1);
	tdx_write(&self->s, shared(PLAIN_PAGE(NPAGES - 1)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(3) | BIT_ULL(NPAGES - 1));
}

TEST_F(dirty_log, read_pages_are_clean)
{
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_read(&self->s, shared(PLAIN_PAGE(1)));
	tdx_write(&self->s, shared(PLAIN_PAGE(2)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(2));
}

/* Asking makes clean, and a page that is written again is dirty again. */
TEST_F(dirty_log, written_again)
{
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_write(&self->s, shared(PLAIN_PAGE(1)), 1);
	tdx_write(&self->s, shared(PLAIN_PAGE(2)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(2));
	TEST_ASSERT_EQ(get_dirty(self->vm), 0ull);
	tdx_write(&self->s, shared(PLAIN_PAGE(2)), 2);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(2));
}

/* Pages that the guest could write to before count as well. */
TEST_F(dirty_log, enabled_after_use)
{
	for (int i = 0; i < NPAGES; i++)
		tdx_write(&self->s, shared(PLAIN_PAGE(i)), 1);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ASSERT_EQ(get_dirty(self->vm), 0ull);
	tdx_write(&self->s, shared(PLAIN_PAGE(5)), 2);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(5));
}

TEST_F(dirty_log, disabled_and_enabled)
{
	u64 bitmap;
	struct kvm_dirty_log log = { .slot = PLAIN_SLOT, .dirty_bitmap = &bitmap };

	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_write(&self->s, shared(PLAIN_PAGE(1)), 1);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, 0);
	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_GET_DIRTY_LOG, &log), ENOENT);
	tdx_write(&self->s, shared(PLAIN_PAGE(2)), 1);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	TEST_ASSERT_EQ(get_dirty(self->vm), 0ull);
	tdx_write(&self->s, shared(PLAIN_PAGE(3)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(3));
}

/* To write-protect a private page is nothing that KVM could do. */
TEST_F(dirty_log, private_memory_undisturbed)
{
	make_private(&self->s, GPA, 2, MAGIC);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_write(&self->s, shared(PLAIN_PAGE(1)), 1);
	tdx_write(&self->s, PAGE(1), ~MAGIC);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1));
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(1)), ~MAGIC);
}

TEST_F(dirty_log, cleared_by_hand)
{
	u64 clear = BIT_ULL(1);

	if (!kvm_check_cap(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2))
		SKIP(return, "no KVM_CLEAR_DIRTY_LOG");

	vm_enable_cap(self->vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		      KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
	vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_write(&self->s, shared(PLAIN_PAGE(1)), 1);
	tdx_write(&self->s, shared(PLAIN_PAGE(2)), 1);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(2));
	kvm_vm_clear_dirty_log(self->vm, PLAIN_SLOT, &clear, 0, NPAGES);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(2));
	tdx_write(&self->s, shared(PLAIN_PAGE(1)), 2);
	TEST_ASSERT_EQ(get_dirty(self->vm), BIT_ULL(1) | BIT_ULL(2));
}

TEST_F(dirty_log, ring)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 64);
	struct kvm_dirty_gfn *ring;
	struct tdx_servant s;

	vm_enable_dirty_ring(vm, 2 * PAGE_SIZE);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, NPAGES,
				    KVM_MEM_GUEST_MEMFD);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, PLAIN_GPA,
				    PLAIN_SLOT, NPAGES, KVM_MEM_LOG_DIRTY_PAGES);
	tdx_map_both(vm, GPA, NPAGES);
	tdx_map_both(vm, PLAIN_GPA, NPAGES);
	s = tdx_servant_add(vm, 0);
	vm_tdx_launch(vm);

	ring = vcpu_map_dirty_ring(s.vcpu);
	make_private(&s, GPA, 1, MAGIC);
	tdx_write(&s, shared(PLAIN_PAGE(7)), 1);
	tdx_write(&s, shared(PLAIN_PAGE(2)), 1);
	for (int i = 0; i < 2; i++) {
		/* The flags say that the rest is there. */
		TEST_ASSERT_EQ(smp_load_acquire(&ring[i].flags), KVM_DIRTY_GFN_F_DIRTY);
		TEST_ASSERT_EQ(ring[i].slot, PLAIN_SLOT);
		TEST_ASSERT_EQ(ring[i].offset, i ? 2 : 7);
		/* ... and give it back. */
		smp_store_release(&ring[i].flags, KVM_DIRTY_GFN_F_RESET);
	}
	TEST_ASSERT_EQ(READ_ONCE(ring[2].flags), 0);

	/* Collected, the pages are clean, and dirty when written again. */
	TEST_ASSERT_EQ(kvm_vm_reset_dirty_ring(vm), 2);
	tdx_write(&s, shared(PLAIN_PAGE(7)), 2);
	/* As above. */
	TEST_ASSERT_EQ(smp_load_acquire(&ring[2].flags), KVM_DIRTY_GFN_F_DIRTY);
	TEST_ASSERT_EQ(ring[2].offset, 7);
	TEST_ASSERT_EQ(tdx_read(&s, GPA), MAGIC);
	kvm_vm_free(vm);
}

/* KVM_PRE_FAULT_MEMORY */

FIXTURE(prefault) {
	struct kvm_vm *vm;
	struct tdx_servant s;
};

FIXTURE_SETUP(prefault)
{
	self->vm = create_td(0);
	self->s = tdx_servant_add(self->vm, 0);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(prefault)
{
	kvm_vm_free(self->vm);
}

/* What is left of the range comes back in it. */
static int __prefault(struct tdx_servant *s, struct kvm_pre_fault_memory *range)
{
	return __vcpu_ioctl(s->vcpu, KVM_PRE_FAULT_MEMORY, range);
}

static int prefault(struct tdx_servant *s, gpa_t gpa, u64 size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };

	return __prefault(s, &range);
}

/* Until the TD is final a mapping would be an addition to its image. */
TEST_F(prefault, before_finalize_refused)
{
	struct kvm_vm *vm = create_td(0);
	struct tdx_servant s = tdx_servant_add(vm, 0);

	vm_mem_set_private(vm, GPA, SIZE);
	TEST_ASSERT_FAILS(prefault(&s, GPA, SIZE), EOPNOTSUPP);
	TEST_ASSERT_FAILS(prefault(&s, PLAIN_GPA, SIZE), EOPNOTSUPP);
	vm_tdx_launch(vm);
	TEST_ASSERT_EQ(prefault(&s, GPA, SIZE), 0);
	kvm_vm_free(vm);
}

/* The guest's access then finds the page where it is. */
TEST_F(prefault, private)
{
	struct kvm_pre_fault_memory range = { .gpa = GPA, .size = SIZE };
	u64 nr_fixed;

	vm_mem_set_private(self->vm, GPA, SIZE);
	TEST_ASSERT_EQ(__prefault(&self->s, &range), 0);
	TEST_ASSERT_EQ(range.size, 0);
	TEST_ASSERT_EQ(range.gpa, GPA + SIZE);

	tdx_accept(&self->s, PAGE(0));
	nr_fixed = vcpu_get_stat(self->s.vcpu, pf_fixed);
	for (int i = 1; i < NPAGES; i++)
		tdx_accept(&self->s, PAGE(i));
	TEST_ASSERT_EQ(vcpu_get_stat(self->s.vcpu, pf_fixed), nr_fixed);
}

TEST_F(prefault, private_is_not_accepted)
{
	vm_mem_set_private(self->vm, GPA, SIZE);
	TEST_ASSERT_EQ(prefault(&self->s, GPA, SIZE), 0);
	tdx_assert_lost(&self->s, GPA);
}

TEST_F(prefault, private_keeps_contents)
{
	make_private(&self->s, GPA, 2, MAGIC);
	TEST_ASSERT_EQ(prefault(&self->s, GPA, SIZE), 0);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(0)), MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->s, PAGE(1)), MAGIC);
}

TEST_F(prefault, shared)
{
	u64 nr_fixed;

	TEST_ASSERT_EQ(prefault(&self->s, PLAIN_GPA, SIZE), 0);
	tdx_read(&self->s, shared(PLAIN_PAGE(0)));
	nr_fixed = vcpu_get_stat(self->s.vcpu, pf_fixed);
	for (int i = 1; i < NPAGES; i++)
		tdx_read(&self->s, shared(PLAIN_PAGE(i)));
	TEST_ASSERT_EQ(vcpu_get_stat(self->s.vcpu, pf_fixed), nr_fixed);
}

/* Which view it is follows from the attributes, not from the address. */
TEST_F(prefault, shared_bit_refused)
{
	const gpa_t s_bit = self->vm->arch.s_bit;

	vm_mem_set_private(self->vm, GPA, SIZE);
	TEST_ASSERT_FAILS(prefault(&self->s, s_bit | GPA, SIZE), EINVAL);
	TEST_ASSERT_FAILS(prefault(&self->s, s_bit | PLAIN_GPA, SIZE), EINVAL);
}

TEST_F(prefault, bad_range_refused)
{
	struct kvm_pre_fault_memory flags = { .gpa = GPA, .size = SIZE, .flags = 1 };

	TEST_ASSERT_FAILS(prefault(&self->s, GPA + 1, SIZE), EINVAL);
	TEST_ASSERT_FAILS(prefault(&self->s, GPA, SIZE + 1), EINVAL);
	TEST_ASSERT_FAILS(prefault(&self->s, GPA, 0), EINVAL);
	TEST_ASSERT_FAILS(prefault(&self->s, GPA, -PAGE_SIZE), EINVAL);
	TEST_ASSERT_FAILS(__prefault(&self->s, &flags), EINVAL);
}

TEST_F(prefault, without_memslot)
{
	delete_slot(self->vm, SLOT);
	TEST_ASSERT_FAILS(prefault(&self->s, GPA, SIZE), ENOENT);
	vm_mem_set_private(self->vm, GPA, SIZE);
	TEST_ASSERT_FAILS(prefault(&self->s, GPA, SIZE), EFAULT);
}

TEST_F(prefault, private_without_guest_memfd)
{
	vm_mem_set_private(self->vm, PLAIN_GPA, SIZE);
	TEST_ASSERT_FAILS(prefault(&self->s, PLAIN_GPA, SIZE), EFAULT);
}

/* Some progress is success, and says how far it went. */
TEST_F(prefault, beyond_end_of_memslot)
{
	struct kvm_pre_fault_memory range = { .gpa = PAGE(NPAGES - 2), .size = SIZE };

	vm_mem_set_private(self->vm, GPA, 2 * SIZE);
	TEST_ASSERT_EQ(__prefault(&self->s, &range), 0);
	TEST_ASSERT_EQ(range.gpa, GPA + SIZE);
	TEST_ASSERT_EQ(range.size, SIZE - 2 * PAGE_SIZE);
	TEST_ASSERT_FAILS(__prefault(&self->s, &range), EFAULT);
}

TEST_F(prefault, private_and_shared)
{
	vm_mem_set_private(self->vm, PAGE(1), PAGE_SIZE);
	TEST_ASSERT_EQ(prefault(&self->s, GPA, 3 * PAGE_SIZE), 0);
	tdx_write(&self->s, shared(PAGE(0)), 1);
	tdx_assert_lost(&self->s, PAGE(1));
	tdx_write(&self->s, shared(PAGE(2)), 1);
}

struct deletion {
	struct kvm_vm *vm;
	pthread_t thread;
	bool done;
};

static void *delete_and_create_slot(void *arg)
{
	struct deletion *d = arg;

	for (int i = 0; i < 20; i++) {
		delete_slot(d->vm, SLOT);
		create_slot(d->vm, SLOT);
	}
	WRITE_ONCE(d->done, true);
	return NULL;
}

/* Make the slot's memory private, and the slot go and come for some time. */
static void start_deletion(struct deletion *d, struct kvm_vm *vm)
{
	*d = (struct deletion) { .vm = vm };
	vm_mem_set_private(vm, GPA, SIZE);
	TEST_ASSERT_EQ(pthread_create(&d->thread, NULL, delete_and_create_slot, d), 0);
}

/*
 * Whoever waits for the page of a memslot that is going waits in vain, and the
 * deletion waits for them: it is for user space to try again.
 */
TEST_F(prefault, against_memslot_deletion)
{
	struct deletion d;

	start_deletion(&d, self->vm);
	while (!READ_ONCE(d.done))
		if (prefault(&self->s, GPA, SIZE))
			TEST_ASSERT(errno == EAGAIN || errno == EFAULT,
				    "Unexpected errno: %d", errno);
	TEST_ASSERT_EQ(pthread_join(d.thread, NULL), 0);
	TEST_ASSERT_EQ(prefault(&self->s, GPA, SIZE), 0);
}

TEST_F(memory, access_against_memslot_deletion)
{
	struct tdx_servant *s = &self->s;
	struct deletion d;
	int r;

	start_deletion(&d, self->vm);
	for (int i = 0; !READ_ONCE(d.done); i++) {
		gpa_t gpa = PAGE(i % NPAGES);

		r = __tdx_order(s, TDX_ORDER_ACCEPT, gpa, 0);
		while (r) {
			TEST_ASSERT(r == -1 && errno == EFAULT,
				    "Unexpected errno: %d", errno);
			TEST_ASSERT_MEMORY_FAULT(s, gpa, PRIVATE);
			r = tdx_continue(s);
		}
	}
	TEST_ASSERT_EQ(pthread_join(d.thread, NULL), 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
