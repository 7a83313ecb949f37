// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that changes between private and shared.
 *
 * The guest asks for it, by TDVMCALL<MapGPA> or just by an access of the other
 * kind, and KVM passes that on to user space, which decides and sets the pages'
 * attributes.  KVM's part is that the attributes are then obeyed, at once and
 * by all vCPUs, also those that run in the page: the old mapping is gone, no
 * page but those asked for is affected, and what was private before comes back
 * as a page that has to be accepted and is empty.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/orders.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* 2 MiB and a page on either side of it. */
#define SLOT		10
#define GPA		0x110000000ul
#define AREA		0x200000ul
#define SIZE		(AREA + 2 * PAGE_SIZE)
#define FIRST		(GPA - PAGE_SIZE)
#define PLAIN_SLOT	11
#define PLAIN_GPA	0x111000000ul
#define PLAIN_SIZE	(4 * PAGE_SIZE)

/* The pages that the guest looks at: the area's ends, the middle, outside. */
#define PAGE(i)		(GPA + (i) * PAGE_SIZE)
#define FOCUS		PAGE(200)
#define FOCUS_PAGES	10
#define LAST		(GPA + AREA)

#define shared(gva)	tdx_shared_gva(gva)

#define PRIVATE		KVM_MEMORY_EXIT_FLAG_PRIVATE

#define MAGIC		0x1122334455667788ul

FIXTURE(conversion) {
	struct kvm_vm *vm;
	struct tdx_servant s;
};

static u64 *hva(struct kvm_vm *vm, gpa_t gpa)
{
	return addr_gpa2hva(vm, gpa);
}

static struct kvm_vm *create_td(void)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 64);

	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT_ULL(KVM_HC_MAP_GPA_RANGE));
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, FIRST, SLOT,
				    SIZE / PAGE_SIZE, KVM_MEM_GUEST_MEMFD);
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, PLAIN_GPA, PLAIN_SLOT,
				    PLAIN_SIZE / PAGE_SIZE, 0);
	tdx_map_both(vm, FIRST, 2);
	tdx_map_both(vm, FOCUS - PAGE_SIZE, FOCUS_PAGES + 2);
	tdx_map_both(vm, LAST - PAGE_SIZE, 2);
	tdx_map_both(vm, PLAIN_GPA, PLAIN_SIZE / PAGE_SIZE);
	return vm;
}

FIXTURE_SETUP(conversion)
{
	self->vm = create_td();
	self->s = tdx_servant_add(self->vm, 0);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(conversion)
{
	kvm_vm_free(self->vm);
}

static void accept_and_write(struct tdx_servant *s, gpa_t gpa, int n, u64 val)
{
	for (int i = 0; i < n; i++, gpa += PAGE_SIZE) {
		tdx_accept(s, gpa);
		tdx_write(s, gpa, val);
	}
}

/* Make @n pages private and let the guest use them, with @val in each. */
static void make_private(struct tdx_servant *s, gpa_t gpa, int n, u64 val)
{
	vm_mem_set_private(s->vcpu->vm, gpa, n * PAGE_SIZE);
	accept_and_write(s, gpa, n, val);
}

/* Explicit conversion: the guest's MapGPA, answered as user space does. */
#define map_gpa(s, _gpa, _size)						\
do {									\
	struct kvm_run *__run = (s)->vcpu->run;				\
	gpa_t __s_bit = (s)->vcpu->vm->arch.s_bit;			\
	bool __private = !((_gpa) & __s_bit);				\
									\
	TEST_ASSERT_EQ(__tdx_order(s, TDX_ORDER_MAP_GPA, _gpa, _size), 1); \
	TEST_ASSERT_KVM_EXIT_REASON((s)->vcpu, KVM_EXIT_HYPERCALL);	\
	TEST_ASSERT_EQ(__run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);	\
	TEST_ASSERT_EQ(__run->hypercall.args[0], (_gpa) & ~__s_bit);	\
	TEST_ASSERT_EQ(__run->hypercall.args[1], (_size) / PAGE_SIZE);	\
	TEST_ASSERT_EQ(!!(__run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED), \
		       __private);					\
} while (0)

#define map_gpa_done(s)							\
do {									\
	(s)->vcpu->run->hypercall.ret = 0;				\
	TEST_ASSERT_EQ(tdx_continue(s), 0);				\
	TEST_ASSERT_EQ((s)->order->status, TDVMCALL_STATUS_SUCCESS);	\
} while (0)

static void convert_to_private(struct tdx_servant *s, gpa_t gpa, u64 size)
{
	map_gpa(s, gpa, size);
	vm_mem_set_private(s->vcpu->vm, gpa, size);
	map_gpa_done(s);
}

static void convert_to_shared(struct tdx_servant *s, gpa_t gpa, u64 size)
{
	map_gpa(s, gpa | s->vcpu->vm->arch.s_bit, size);
	vm_mem_set_shared(s->vcpu->vm, gpa, size);
	map_gpa_done(s);
}

TEST_F(conversion, explicit_to_private)
{
	struct tdx_servant *s = &self->s;

	tdx_write(s, shared(FOCUS), MAGIC);
	convert_to_private(s, FOCUS, PAGE_SIZE);
	tdx_assert_lost(s, FOCUS);
	tdx_write(s, FOCUS, ~MAGIC);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC);
}

/* Values travel both ways once the page is shared, and not before. */
TEST_F(conversion, explicit_to_shared)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), 0ul);
	convert_to_shared(s, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(s, shared(FOCUS)), 0ul);
	tdx_write(s, shared(FOCUS), MAGIC + 1);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC + 1);
	*hva(self->vm, FOCUS) = MAGIC + 2;
	TEST_ASSERT_EQ(tdx_read(s, shared(FOCUS)), MAGIC + 2);
}

TEST_F(conversion, explicit_there_and_back)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	convert_to_shared(s, FOCUS, PAGE_SIZE);
	tdx_write(s, shared(FOCUS), MAGIC + 1);
	convert_to_private(s, FOCUS, PAGE_SIZE);
	tdx_assert_lost(s, FOCUS);

	/* The shared page is as it was left. */
	convert_to_shared(s, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(s, shared(FOCUS)), MAGIC + 1);
}

/* What user space does not do has not happened, whatever it answers. */
TEST_F(conversion, explicit_without_attributes)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	map_gpa(s, FOCUS | self->vm->arch.s_bit, PAGE_SIZE);
	map_gpa_done(s);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC);
	tdx_order_faults(s, TDX_ORDER_READ, shared(FOCUS), 0, FOCUS, 0);
}

TEST_F(conversion, explicit_declined)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	map_gpa(s, FOCUS | self->vm->arch.s_bit, PAGE_SIZE);
	s->vcpu->run->hypercall.ret = EINVAL;
	TEST_ASSERT_EQ(tdx_continue(s), 0);
	TEST_ASSERT_EQ(s->order->status, TDVMCALL_STATUS_INVALID_OPERAND);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC);
}

/* 2 MiB of private memory, of which some pages are shared for a while. */
TEST_F(conversion, explicit_focus_in_2m)
{
	struct tdx_servant *s = &self->s;

	convert_to_private(s, GPA, AREA);
	accept_and_write(s, FOCUS - PAGE_SIZE, FOCUS_PAGES + 2, MAGIC);
	accept_and_write(s, GPA, 1, MAGIC);
	accept_and_write(s, LAST - PAGE_SIZE, 1, MAGIC);

	convert_to_shared(s, FOCUS, FOCUS_PAGES * PAGE_SIZE);
	for (int i = 0; i < FOCUS_PAGES; i++) {
		TEST_ASSERT_EQ(tdx_read(s, shared(FOCUS + i * PAGE_SIZE)), 0ul);
		tdx_write(s, shared(FOCUS + i * PAGE_SIZE), MAGIC + i);
		TEST_ASSERT_EQ(*hva(self->vm, FOCUS + i * PAGE_SIZE), MAGIC + i);
	}
	TEST_ASSERT_EQ(tdx_read(s, FOCUS - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS + FOCUS_PAGES * PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, GPA), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, LAST - PAGE_SIZE), MAGIC);

	convert_to_private(s, FOCUS, FOCUS_PAGES * PAGE_SIZE);
	for (int i = 0; i < FOCUS_PAGES; i++)
		tdx_assert_lost(s, FOCUS + i * PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS + FOCUS_PAGES * PAGE_SIZE), MAGIC);
}

/* Implicit conversion: user space does what the fault asks for. */
#define resolve(s, _gpa, private)					\
do {									\
	TEST_ASSERT_MEMORY_FAULT(s, _gpa, (private) ? PRIVATE : 0);	\
	vm_set_memory_attributes((s)->vcpu->vm,				\
				 (s)->vcpu->run->memory_fault.gpa,	\
				 (s)->vcpu->run->memory_fault.size,	\
				 (private) ? KVM_MEMORY_ATTRIBUTE_PRIVATE : 0); \
} while (0)

TEST_F(conversion, implicit_to_private_by_write)
{
	struct tdx_servant *s = &self->s;

	tdx_write(s, shared(FOCUS), MAGIC);
	tdx_order_faults(s, TDX_ORDER_WRITE, FOCUS, 1, FOCUS, PRIVATE);
	resolve(s, FOCUS, true);
	TEST_ASSERT_EQ(tdx_continue(s), 0);
	TEST_ASSERT_VE(s, FOCUS);
	tdx_accept(s, FOCUS);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), 0ul);
}

TEST_F(conversion, implicit_to_private_by_read)
{
	struct tdx_servant *s = &self->s;

	tdx_order_faults(s, TDX_ORDER_READ, FOCUS, 0, FOCUS, PRIVATE);
	resolve(s, FOCUS, true);
	TEST_ASSERT_EQ(tdx_continue(s), 0);
	TEST_ASSERT_VE(s, FOCUS);
}

TEST_F(conversion, implicit_to_private_by_accept)
{
	struct tdx_servant *s = &self->s;

	tdx_write(s, shared(FOCUS), MAGIC);
	tdx_order_faults(s, TDX_ORDER_ACCEPT, FOCUS, 0, FOCUS, PRIVATE);
	resolve(s, FOCUS, true);
	TEST_ASSERT_EQ(tdx_continue(s), 0);
	TEST_ASSERT_EQ(s->order->status, TDX_SUCCESS);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), 0ul);
}

TEST_F(conversion, implicit_to_shared_by_write)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	tdx_order_faults(s, TDX_ORDER_WRITE, shared(FOCUS), MAGIC + 1, FOCUS, 0);
	resolve(s, FOCUS, false);
	tdx_order_resumes(s);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC + 1);
}

TEST_F(conversion, implicit_to_shared_by_read)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	*hva(self->vm, FOCUS) = MAGIC + 1;
	tdx_order_faults(s, TDX_ORDER_READ, shared(FOCUS), 0, FOCUS, 0);
	resolve(s, FOCUS, false);
	tdx_order_resumes(s);
	TEST_ASSERT_EQ(s->order->val, MAGIC + 1);
}

TEST_F(conversion, implicit_there_and_back)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	tdx_order_faults(s, TDX_ORDER_WRITE, shared(FOCUS), 1, FOCUS, 0);
	resolve(s, FOCUS, false);
	tdx_order_resumes(s);
	tdx_order_faults(s, TDX_ORDER_READ, FOCUS, 0, FOCUS, PRIVATE);
	resolve(s, FOCUS, true);
	TEST_ASSERT_EQ(tdx_continue(s), 0);
	TEST_ASSERT_VE(s, FOCUS);
	tdx_assert_lost(s, FOCUS);
}

TEST_F(conversion, implicit_focus_in_2m)
{
	struct tdx_servant *s = &self->s;
	gpa_t gpa;

	vm_mem_set_private(self->vm, GPA, AREA);
	accept_and_write(s, FOCUS - PAGE_SIZE, FOCUS_PAGES + 2, MAGIC);
	for (int i = 0; i < FOCUS_PAGES; i++) {
		gpa = FOCUS + i * PAGE_SIZE;
		tdx_order_faults(s, TDX_ORDER_WRITE, shared(gpa), MAGIC + i, gpa, 0);
		resolve(s, gpa, false);
		tdx_order_resumes(s);
		TEST_ASSERT_EQ(*hva(self->vm, gpa), MAGIC + i);
	}
	TEST_ASSERT_EQ(tdx_read(s, FOCUS - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS + FOCUS_PAGES * PAGE_SIZE), MAGIC);
	for (int i = 0; i < FOCUS_PAGES; i++) {
		gpa = FOCUS + i * PAGE_SIZE;
		tdx_order_faults(s, TDX_ORDER_ACCEPT, gpa, 0, gpa, PRIVATE);
		resolve(s, gpa, true);
		TEST_ASSERT_EQ(tdx_continue(s), 0);
		TEST_ASSERT_EQ(tdx_read(s, gpa), 0ul);
	}
}

/* Attributes, for themselves */

TEST_F(conversion, private_mapping_gone_at_once)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	tdx_order_faults(s, TDX_ORDER_READ, FOCUS, 0, FOCUS, PRIVATE);
}

TEST_F(conversion, shared_mapping_gone_at_once)
{
	struct tdx_servant *s = &self->s;

	tdx_write(s, shared(FOCUS), MAGIC);
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	tdx_order_faults(s, TDX_ORDER_READ, shared(FOCUS), 0, FOCUS, 0);
}

TEST_F(conversion, private_to_shared_to_private_unseen_by_guest)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS, 1, MAGIC);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	tdx_assert_lost(s, FOCUS);
}

/* To ask for what already is may not cost the guest its page. */
TEST_F(conversion, private_again_keeps_contents)
{
	struct tdx_servant *s = &self->s;

	vm_mem_set_private(self->vm, GPA, AREA);
	accept_and_write(s, FOCUS, 1, MAGIC);
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC);
	vm_mem_set_private(self->vm, GPA, AREA);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC);

	/* Also when it is new to some of the pages. */
	vm_mem_set_private(self->vm, FIRST, SIZE);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC);
}

TEST_F(conversion, neighbours_keep_contents)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FOCUS - PAGE_SIZE, 3, MAGIC);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS - PAGE_SIZE), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS + PAGE_SIZE), MAGIC);
	tdx_write(s, shared(FOCUS), 1);
}

/* 2 MiB is the size that KVM would map at once if it could. */
TEST_F(conversion, neighbours_of_2m_keep_contents)
{
	struct tdx_servant *s = &self->s;

	make_private(s, FIRST, 1, MAGIC);
	make_private(s, LAST, 1, MAGIC);
	vm_mem_set_private(self->vm, GPA, AREA);
	vm_mem_set_shared(self->vm, GPA, AREA);
	TEST_ASSERT_EQ(tdx_read(s, FIRST), MAGIC);
	TEST_ASSERT_EQ(tdx_read(s, LAST), MAGIC);
	tdx_write(s, shared(GPA), 1);
	tdx_write(s, shared(LAST - PAGE_SIZE), 1);
}

/* Attributes belong to addresses, not to memslots. */
TEST_F(conversion, attributes_outlive_memslot)
{
	struct kvm_userspace_memory_region2 region = memslot2region(self->vm, SLOT)->region;
	struct tdx_servant *s = &self->s;

	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	region.memory_size = 0;
	vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION2, &region);
	region.memory_size = SIZE;
	vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION2, &region);
	tdx_assert_lost(s, FOCUS);
	tdx_write(s, shared(FOCUS + PAGE_SIZE), 1);
}

TEST_F(conversion, across_memslots_and_gaps)
{
	struct tdx_servant *s = &self->s;

	vm_mem_set_private(self->vm, FOCUS, PLAIN_GPA + PLAIN_SIZE - FOCUS);
	accept_and_write(s, FOCUS, 1, MAGIC);
	tdx_order_faults(s, TDX_ORDER_WRITE, shared(PLAIN_GPA), 1, PLAIN_GPA, 0);
	vm_mem_set_shared(self->vm, PLAIN_GPA, PAGE_SIZE);
	tdx_order_resumes(s);
	TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC);
}

/* A page that was part of the TD's image is a page like any other. */
TEST_F(conversion, page_of_image)
{
	struct kvm_vm *vm = create_td();
	struct tdx_servant s = tdx_servant_add(vm, 0);

	vm_mem_set_private(vm, FOCUS, 2 * PAGE_SIZE);
	*hva(vm, FOCUS) = MAGIC;
	*hva(vm, FOCUS + PAGE_SIZE) = ~MAGIC;
	tdx_init_mem_region(s.vcpu, FOCUS, 2 * PAGE_SIZE);
	vm_tdx_launch(vm);

	TEST_ASSERT_EQ(tdx_read(&s, FOCUS), MAGIC);
	convert_to_shared(&s, FOCUS, PAGE_SIZE);
	convert_to_private(&s, FOCUS, PAGE_SIZE);
	tdx_assert_lost(&s, FOCUS);
	TEST_ASSERT_EQ(tdx_read(&s, FOCUS + PAGE_SIZE), ~MAGIC);
	kvm_vm_free(vm);
}

/* Before the TD is final user space may still think again. */
TEST_F(conversion, page_of_image_taken_back)
{
	struct kvm_vm *vm = create_td();
	struct tdx_servant s = tdx_servant_add(vm, 0);

	vm_mem_set_private(vm, FOCUS, 3 * PAGE_SIZE);
	tdx_init_mem_region(s.vcpu, FOCUS, 3 * PAGE_SIZE);
	vm_mem_set_shared(vm, FOCUS, PAGE_SIZE);
	vm_guest_mem_punch_hole(vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
	vm_tdx_launch(vm);

	tdx_write(&s, shared(FOCUS), MAGIC);
	tdx_assert_lost(&s, FOCUS + PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_read(&s, FOCUS + 2 * PAGE_SIZE), 0ul);
	kvm_vm_free(vm);
}

TEST_F(conversion, page_of_image_added_again_after_hole)
{
	struct kvm_vm *vm = create_td();
	struct tdx_servant s = tdx_servant_add(vm, 0);

	vm_mem_set_private(vm, FOCUS, PAGE_SIZE);
	*hva(vm, FOCUS) = MAGIC;
	tdx_init_mem_region(s.vcpu, FOCUS, PAGE_SIZE);
	vm_guest_mem_punch_hole(vm, FOCUS, PAGE_SIZE);
	*hva(vm, FOCUS) = ~MAGIC;
	tdx_init_mem_region(s.vcpu, FOCUS, PAGE_SIZE);
	vm_tdx_launch(vm);

	TEST_ASSERT_EQ(tdx_read(&s, FOCUS), ~MAGIC);
	kvm_vm_free(vm);
}

/*
 * As VMMs do it, to have memory used once: what is shared gives up its private
 * page and the other way around.
 */
TEST_F(conversion, with_the_other_page_given_back)
{
	struct tdx_servant *s = &self->s;

	for (int i = 0; i < 3; i++) {
		make_private(s, FOCUS, 1, MAGIC + i);
		TEST_ASSERT_EQ(madvise(hva(self->vm, FOCUS), PAGE_SIZE, MADV_DONTNEED), 0);
		TEST_ASSERT_EQ(tdx_read(s, FOCUS), MAGIC + i);

		convert_to_shared(s, FOCUS, PAGE_SIZE);
		vm_guest_mem_punch_hole(self->vm, FOCUS, PAGE_SIZE);
		TEST_ASSERT_EQ(tdx_read(s, shared(FOCUS)), 0ul);
		tdx_write(s, shared(FOCUS), MAGIC + i);
		TEST_ASSERT_EQ(*hva(self->vm, FOCUS), MAGIC + i);
	}
}

/* What the host does while the guest runs, and is in the page. */

FIXTURE(running) {
	struct kvm_vm *vm;
	struct tdx_servant s;
};

FIXTURE_SETUP(running)
{
	self->vm = create_td();
	self->s = tdx_servant_add(self->vm, 0);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(running)
{
	kvm_vm_free(self->vm);
}

struct hammer {
	struct tdx_servant *s;
	gva_t gva;
	int r;
	int error;
	pthread_t thread;
};

static void *hammer_thread(void *arg)
{
	struct hammer *h = arg;

	h->r = __tdx_order(h->s, TDX_ORDER_HAMMER, h->gva, MAGIC);
	h->error = errno;
	return NULL;
}

/* Let the guest write to @gva over and over again, and see that it does. */
static void start_hammer(struct hammer *h, struct tdx_servant *s, gva_t gva)
{
	*h = (struct hammer) { .s = s, .gva = gva };
	WRITE_ONCE(s->order->done, 0);
	TEST_ASSERT_EQ(pthread_create(&h->thread, NULL, hammer_thread, h), 0);
	while (!READ_ONCE(s->order->done))
		sched_yield();
}

static void wait_hammer(struct hammer *h)
{
	TEST_ASSERT_EQ(pthread_join(h->thread, NULL), 0);
}

static void stop_hammer(struct hammer *h)
{
	WRITE_ONCE(h->s->order->stop, 1);
	wait_hammer(h);
	TEST_ASSERT_EQ(h->r, 0);
	TEST_ASSERT_EQ(h->s->order->vector, 0);
}

#define assert_hammer_faulted(h, gpa, flags)				\
do {									\
	TEST_ASSERT_EQ((h)->r, -1);					\
	TEST_ASSERT_EQ((h)->error, EFAULT);				\
	TEST_ASSERT_MEMORY_FAULT((h)->s, gpa, flags);			\
} while (0)

TEST_F(running, private_made_shared)
{
	struct hammer h;

	make_private(&self->s, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->s, FOCUS);
	vm_mem_set_shared(self->vm, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, PRIVATE);
}

TEST_F(running, shared_made_private)
{
	struct hammer h;

	start_hammer(&h, &self->s, shared(FOCUS));
	vm_mem_set_private(self->vm, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, 0);

	/* From then on the host's page is the host's alone. */
	*hva(self->vm, FOCUS) = 0;
	TEST_ASSERT_FAILS(tdx_continue(&self->s), EFAULT);
	TEST_ASSERT_EQ(*hva(self->vm, FOCUS), 0ul);
}

TEST_F(running, hole_punched)
{
	struct hammer h;

	make_private(&self->s, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->s, FOCUS);
	vm_guest_mem_punch_hole(self->vm, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	TEST_ASSERT_EQ(h.r, 0);
	TEST_ASSERT_VE(&self->s, FOCUS);
	tdx_assert_lost(&self->s, FOCUS);
}

static void delete_slot(struct kvm_vm *vm, u32 slot)
{
	struct kvm_userspace_memory_region2 region = memslot2region(vm, slot)->region;

	region.memory_size = 0;
	vm_ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region);
}

TEST_F(running, private_memslot_deleted)
{
	struct hammer h;

	make_private(&self->s, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->s, FOCUS);
	delete_slot(self->vm, SLOT);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, PRIVATE);
}

TEST_F(running, shared_memslot_deleted)
{
	struct hammer h;

	start_hammer(&h, &self->s, shared(PLAIN_GPA));
	delete_slot(self->vm, PLAIN_SLOT);
	wait_hammer(&h);
	TEST_ASSERT_EQ(h.r, 0);
	TEST_ASSERT_VE(&self->s, PLAIN_GPA | self->vm->arch.s_bit);
}

TEST_F(running, shared_memslot_moved)
{
	struct hammer h;

	start_hammer(&h, &self->s, shared(PLAIN_GPA));
	vm_mem_region_move(self->vm, PLAIN_SLOT, PLAIN_GPA + PLAIN_SIZE);
	wait_hammer(&h);
	TEST_ASSERT_EQ(h.r, 0);
	TEST_ASSERT_VE(&self->s, PLAIN_GPA | self->vm->arch.s_bit);
}

/* The host turns things over all around; the guest's page is its own. */
TEST_F(running, neighbours_changed)
{
	struct hammer h;

	make_private(&self->s, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->s, FOCUS);
	for (int i = 0; i < 10; i++) {
		vm_mem_set_private(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_guest_mem_allocate(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_guest_mem_punch_hole(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_mem_set_shared(self->vm, FOCUS + PAGE_SIZE, PAGE_SIZE);
		vm_mem_region_set_flags(self->vm, PLAIN_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
		vm_mem_region_set_flags(self->vm, PLAIN_SLOT, 0);
	}
	stop_hammer(&h);
	TEST_ASSERT_EQ(tdx_read(&self->s, FOCUS), MAGIC);
}

/* Two vCPUs */

FIXTURE(two_vcpus) {
	struct kvm_vm *vm;
	struct tdx_servant a;
	struct tdx_servant b;
};

FIXTURE_SETUP(two_vcpus)
{
	self->vm = create_td();
	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	self->a = tdx_servant_add(self->vm, 0);
	self->b = tdx_servant_add(self->vm, 1);
	vm_tdx_launch(self->vm);
}

FIXTURE_TEARDOWN(two_vcpus)
{
	kvm_vm_free(self->vm);
}

TEST_F(two_vcpus, one_accepts_for_both)
{
	make_private(&self->a, FOCUS, 1, MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->b, FOCUS), MAGIC);
	tdx_write(&self->b, FOCUS, ~MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->a, FOCUS), ~MAGIC);
}

TEST_F(two_vcpus, one_converts_for_both)
{
	make_private(&self->a, FOCUS, 1, MAGIC);
	TEST_ASSERT_EQ(tdx_read(&self->b, FOCUS), MAGIC);
	convert_to_shared(&self->a, FOCUS, PAGE_SIZE);
	tdx_order_faults(&self->b, TDX_ORDER_READ, FOCUS, 0, FOCUS, PRIVATE);
}

TEST_F(two_vcpus, one_converts_under_the_other)
{
	struct hammer h;

	make_private(&self->a, FOCUS, 1, MAGIC);
	start_hammer(&h, &self->b, FOCUS);
	convert_to_shared(&self->a, FOCUS, PAGE_SIZE);
	wait_hammer(&h);
	assert_hammer_faulted(&h, FOCUS, PRIVATE);
	TEST_ASSERT_EQ(tdx_read(&self->a, shared(FOCUS)), 0ul);
}

TEST_F(two_vcpus, one_converts_beside_the_other)
{
	struct hammer h;

	make_private(&self->a, FOCUS, 2, MAGIC);
	start_hammer(&h, &self->b, FOCUS + PAGE_SIZE);
	for (int i = 0; i < 5; i++) {
		convert_to_shared(&self->a, FOCUS, PAGE_SIZE);
		convert_to_private(&self->a, FOCUS, PAGE_SIZE);
		tdx_assert_lost(&self->a, FOCUS);
	}
	stop_hammer(&h);
}

/* Both vCPUs and a thread of the host's, each with pages of its own. */

#define NR_ROUNDS	10

static void *convert_pages(void *arg)
{
	struct tdx_servant *s = arg;
	gpa_t gpa = FOCUS + s->vcpu->id * PAGE_SIZE;

	for (int i = 0; i < NR_ROUNDS; i++) {
		make_private(s, gpa, 1, MAGIC + i);
		convert_to_shared(s, gpa, PAGE_SIZE);
		tdx_write(s, shared(gpa), MAGIC + i);
		TEST_ASSERT_EQ(*hva(s->vcpu->vm, gpa), MAGIC + i);
		vm_guest_mem_punch_hole(s->vcpu->vm, gpa, PAGE_SIZE);
		convert_to_private(s, gpa, PAGE_SIZE);
		tdx_assert_lost(s, gpa);
		TEST_ASSERT_EQ(madvise(hva(s->vcpu->vm, gpa), PAGE_SIZE, MADV_DONTNEED), 0);
		vm_guest_mem_punch_hole(s->vcpu->vm, gpa, PAGE_SIZE);
		tdx_assert_lost(s, gpa);
		vm_mem_set_shared(s->vcpu->vm, gpa, PAGE_SIZE);
	}
	return NULL;
}

TEST_F(two_vcpus, all_at_once)
{
	struct kvm_userspace_memory_region2 region = memslot2region(self->vm, PLAIN_SLOT)->region;
	pthread_t a, b;

	TEST_ASSERT_EQ(pthread_create(&a, NULL, convert_pages, &self->a), 0);
	TEST_ASSERT_EQ(pthread_create(&b, NULL, convert_pages, &self->b), 0);
	for (int i = 0; i < NR_ROUNDS; i++) {
		region.memory_size = 0;
		vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION2, &region);
		region.memory_size = PLAIN_SIZE;
		vm_ioctl(self->vm, KVM_SET_USER_MEMORY_REGION2, &region);
		vm_mem_set_private(self->vm, GPA, PAGE_SIZE);
		vm_mem_set_shared(self->vm, GPA, PAGE_SIZE);
	}
	TEST_ASSERT_EQ(pthread_join(a, NULL), 0);
	TEST_ASSERT_EQ(pthread_join(b, NULL), 0);
}

/*
 * Pages taken back while user space builds the TD.  Not while it finalizes the
 * TD: see tdx_parallel_test.
 */

FIXTURE(building) {
	struct kvm_vm *vm;
	struct tdx_servant s;
	pthread_t thread;
};

FIXTURE_SETUP(building)
{
	self->vm = create_td();
	self->s = tdx_servant_add(self->vm, 0);
	vm_mem_set_private(self->vm, FOCUS, FOCUS_PAGES * PAGE_SIZE);
}

FIXTURE_TEARDOWN(building)
{
	kvm_vm_free(self->vm);
}

/* From the last page to the first, so that the other side meets it midway. */
static void *punch_holes(void *arg)
{
	for (int i = FOCUS_PAGES - 1; i >= 0; i--)
		vm_guest_mem_punch_hole(arg, FOCUS + i * PAGE_SIZE, PAGE_SIZE);
	return NULL;
}

static void start_punching(struct kvm_vm *vm, pthread_t *thread)
{
	TEST_ASSERT_EQ(pthread_create(thread, NULL, punch_holes, vm), 0);
}

TEST_F(building, holes_against_init_vcpu)
{
	struct tdx_servant other;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	tdx_init_mem_region(self->s.vcpu, FOCUS, FOCUS_PAGES * PAGE_SIZE);
	start_punching(self->vm, &self->thread);
	other = tdx_servant_add(self->vm, 1);
	TEST_ASSERT_EQ(pthread_join(self->thread, NULL), 0);
	vm_tdx_launch(self->vm);
	tdx_assert_lost(&other, FOCUS);
}

TEST_F(building, holes_against_init_mem_region)
{
	for (int i = 0; i < 5; i++) {
		start_punching(self->vm, &self->thread);
		tdx_init_mem_region(self->s.vcpu, FOCUS, FOCUS_PAGES * PAGE_SIZE);
		TEST_ASSERT_EQ(pthread_join(self->thread, NULL), 0);

		/* Make sure that all can be added again. */
		vm_guest_mem_punch_hole(self->vm, FOCUS, FOCUS_PAGES * PAGE_SIZE);
	}
	vm_tdx_launch(self->vm);
	tdx_assert_lost(&self->s, FOCUS);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
