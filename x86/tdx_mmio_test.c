// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<#VE.RequestMMIO>: memory-mapped I/O.
 *
 * KVM can't decode a TD's instructions, so the guest passes direction, size, GPA
 * and value.  The GPA must be shared, because a device must not answer for memory
 * that the guest believes to be private.  User space and KVM's devices get the GPA
 * without the shared bit.  KVM doesn't check whether there is a memslot.
 * For MMIO by an instruction see tdx_ve_emulation_test.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/generic/io_devices.h"

#define MMIO		EXIT_REASON_EPT_VIOLATION
#define GPA		0x200000000ul
#define SLOT		10

#define VALUE		0xfedcba9876543210ul

static const u64 sizes[] = { 1, 2, 4, 8 };

static u64 low_bytes(u64 value, u64 size)
{
	return value & GENMASK_ULL(size * 8 - 1, 0);
}

/* Exits to user space.  @gpa is without the shared bit, here and below. */
static void start_read(struct tdx_guest *td, gpa_t gpa, u64 size)
{
	tdx_call_start(td, MMIO, size, TDVMCALL_READ, tdx_shared(td, gpa));
	TEST_ASSERT_EXIT_MMIO(td->vcpu, gpa, size, false);
}

static void finish_read(struct tdx_guest *td, u64 value)
{
	struct tdvmcall call = tdx_call_finish(td);

	TEST_ASSERT_EQ(tdvmcall_status(&call), TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(tdvmcall_ret(&call), value);
}

static void mmio_read(struct tdx_guest *td, gpa_t gpa, u64 size, u64 value)
{
	start_read(td, gpa, size);
	memcpy(td->run->mmio.data, &value, size);
	finish_read(td, low_bytes(value, size));
}

static void assert_exit_write(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size, u64 value)
{
	TEST_ASSERT_EXIT_MMIO(vcpu, gpa, size, true);
	TEST_ASSERT(!memcmp(vcpu->run->mmio.data, &value, size),
		    "Wrong data, wanted 0x%lx", (unsigned long)value);
}

static void mmio_write(struct tdx_guest *td, gpa_t gpa, u64 size, u64 value)
{
	tdx_call_start(td, MMIO, size, TDVMCALL_WRITE, tdx_shared(td, gpa), value);
	assert_exit_write(td->vcpu, gpa, size, value);
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

/* A write that one of KVM's devices takes, so there is no exit. */
static void write_in_kernel(struct tdx_guest *td, gpa_t gpa, u64 size, u64 value)
{
	TEST_ASSERT_EQ(tdx_call_status(td, MMIO, size, TDVMCALL_WRITE,
				       tdx_shared(td, gpa), value),
		       TDVMCALL_STATUS_SUCCESS);
}

static void assert_invalid(struct tdx_guest *td, u64 size, u64 direction, u64 gpa)
{
	u64 status = tdx_call_status(td, MMIO, size, direction, gpa, VALUE);

	TEST_ASSERT(status == TDVMCALL_STATUS_INVALID_OPERAND,
		    "Size 0x%lx, direction 0x%lx, GPA 0x%lx: status 0x%lx",
		    (unsigned long)size, (unsigned long)direction,
		    (unsigned long)gpa, (unsigned long)status);
}

TDX_GUEST_SUITE(mmio);

TEST_F(mmio, write_every_size)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		mmio_write(&self->td, GPA, sizes[i], VALUE);
}

TEST_F(mmio, read_every_size)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		mmio_read(&self->td, GPA, sizes[i], VALUE);
}

TEST_F(mmio, reads_and_writes_alternate)
{
	for (int i = 0; i < 4; i++) {
		mmio_write(&self->td, GPA, 4, 0x1000 + i);
		mmio_read(&self->td, GPA, 4, 0x2000 + i);
	}
}

TEST_F(mmio, read_is_zero_extended)
{
	struct tdx_guest *td = &self->td;

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		start_read(td, GPA, sizes[i]);
		memset(td->run->mmio.data, 0xff, sizeof(td->run->mmio.data));
		finish_read(td, low_bytes(~0ull, sizes[i]));
	}
}

TEST_F(mmio, read_size_comes_from_the_guest)
{
	struct tdx_guest *td = &self->td;

	start_read(td, GPA, 2);
	memset(td->run->mmio.data, 0xff, sizeof(td->run->mmio.data));
	td->run->mmio.len = 8;
	finish_read(td, 0xffff);
}

TEST_F(mmio, read_completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	start_read(td, GPA, 4);
	memset(td->run->mmio.data, 0x11, 4);
	tdx_call_complete(td);
	memset(td->run->mmio.data, 0x22, 4);
	finish_read(td, 0x11111111);
}

TEST_F(mmio, write_completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	tdx_call_start(td, MMIO, 4, TDVMCALL_WRITE, tdx_shared(td, GPA), VALUE);
	tdx_call_complete(td);
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(mmio, first_and_last_shared_gpa)
{
	u64 s_bit = self->td.vm->arch.s_bit;

	mmio_write(&self->td, 0, 8, VALUE);
	mmio_read(&self->td, 0, 8, VALUE);
	mmio_write(&self->td, s_bit - 8, 8, VALUE);
	mmio_read(&self->td, s_bit - 1, 1, VALUE);
}

TEST_F(mmio, across_pages)
{
	mmio_write(&self->td, GPA + PAGE_SIZE - 1, 8, VALUE);
	mmio_read(&self->td, GPA + PAGE_SIZE - 3, 4, VALUE);
}

TEST_F(mmio, bad_size_refused)
{
	static const u64 bad[] = { 0, 3, 5, 6, 7, 9, 10, 16, 0x100, ~0ull };

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_invalid(&self->td, bad[i], TDVMCALL_READ,
			       tdx_shared(&self->td, GPA));
		assert_invalid(&self->td, bad[i], TDVMCALL_WRITE,
			       tdx_shared(&self->td, GPA));
	}
}

TEST_F(mmio, bad_direction_refused)
{
	static const u64 bad[] = { 2, 3, 0x100, BIT_ULL(31), ~0ull };

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_invalid(&self->td, 4, bad[i], tdx_shared(&self->td, GPA));
}

TEST_F(mmio, size_is_not_truncated)
{
	struct tdx_guest *td = &self->td;
	int nr_exits = 0;

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (tdx_call_exits(td, MMIO, BIT_ULL(32) | sizes[i], TDVMCALL_WRITE,
				   tdx_shared(td, GPA), VALUE)) {
			assert_exit_write(td->vcpu, GPA, sizes[i], VALUE);
			tdx_call_finish(td);
			nr_exits++;
			continue;
		}
		TEST_ASSERT_EQ(tdvmcall_status(&td->req->call), TDVMCALL_STATUS_INVALID_OPERAND);
	}

	if (nr_exits)
		XFAIL(return, "KVM truncates the size to 32 bits");
}

TEST_F(mmio, direction_is_not_truncated)
{
	static const u64 directions[] = { TDVMCALL_READ, TDVMCALL_WRITE };
	struct tdx_guest *td = &self->td;
	int nr_exits = 0;

	for (int i = 0; i < ARRAY_SIZE(directions); i++) {
		if (tdx_call_exits(td, MMIO, 4, BIT_ULL(32) | directions[i],
				   tdx_shared(td, GPA), VALUE)) {
			TEST_ASSERT_EXIT_MMIO(td->vcpu, GPA, 4,
					      directions[i] == TDVMCALL_WRITE);
			tdx_call_finish(td);
			nr_exits++;
			continue;
		}
		TEST_ASSERT_EQ(tdvmcall_status(&td->req->call), TDVMCALL_STATUS_INVALID_OPERAND);
	}

	if (nr_exits)
		XFAIL(return, "KVM truncates the direction to 32 bits");
}

TEST_F(mmio, private_gpa_refused)
{
	assert_invalid(&self->td, 8, TDVMCALL_READ, GPA);
	assert_invalid(&self->td, 8, TDVMCALL_WRITE, GPA);
	assert_invalid(&self->td, 1, TDVMCALL_READ, 0);
	assert_invalid(&self->td, 1, TDVMCALL_WRITE, self->td.vm->arch.s_bit - 1);
}

TEST_F(mmio, private_to_shared_refused)
{
	u64 s_bit = self->td.vm->arch.s_bit;

	assert_invalid(&self->td, 2, TDVMCALL_READ, s_bit - 1);
	assert_invalid(&self->td, 8, TDVMCALL_WRITE, s_bit - 7);
}

TEST_F(mmio, shared_to_beyond_width_refused)
{
	u64 end = 2 * self->td.vm->arch.s_bit;

	assert_invalid(&self->td, 2, TDVMCALL_READ, end - 1);
	assert_invalid(&self->td, 8, TDVMCALL_WRITE, end - 7);
}

TEST_F(mmio, wraparound_refused)
{
	assert_invalid(&self->td, 2, TDVMCALL_READ, ~0ull);
	assert_invalid(&self->td, 8, TDVMCALL_WRITE, -7);
}

TEST_F(mmio, ioeventfd_one_size)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, GPA, 4, 0, 0);

	write_in_kernel(td, GPA, 4, VALUE);
	write_in_kernel(td, GPA, 4, 0);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 2);

	mmio_write(td, GPA, 2, VALUE);
	mmio_write(td, GPA, 8, VALUE);
	mmio_write(td, GPA + 4, 4, VALUE);
	mmio_read(td, GPA, 4, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(mmio, ioeventfd_every_size)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, GPA, 0, 0, 0);

	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		write_in_kernel(td, GPA, sizes[i], VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), ARRAY_SIZE(sizes));

	mmio_read(td, GPA, 4, VALUE);
	mmio_write(td, GPA + 1, 1, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(mmio, ioeventfd_one_value)
{
	struct tdx_guest *td = &self->td;

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		gpa_t gpa = GPA + i * sizeof(u64);
		int fd = vm_ioeventfd(td->vm, gpa, sizes[i],
				       KVM_IOEVENTFD_FLAG_DATAMATCH,
				       low_bytes(VALUE, sizes[i]));

		write_in_kernel(td, gpa, sizes[i], VALUE);
		TEST_ASSERT_EQ(eventfd_nr_events(fd), 1);
		mmio_write(td, gpa, sizes[i], VALUE + 1);
		TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
	}
}

/* KVM looks first for one that matches any size. */
TEST_F(mmio, ioeventfd_removed)
{
	struct tdx_guest *td = &self->td;
	int any_size = vm_ioeventfd(td->vm, GPA, 0, 0, 0);
	int one_size = vm_ioeventfd(td->vm, GPA + 8, 4, 0, 0);

	vm_set_ioeventfd(td->vm, any_size, GPA, 0, KVM_IOEVENTFD_FLAG_DEASSIGN, 0);
	vm_set_ioeventfd(td->vm, one_size, GPA + 8, 4, KVM_IOEVENTFD_FLAG_DEASSIGN, 0);
	mmio_write(td, GPA, 4, VALUE);
	mmio_write(td, GPA + 8, 4, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(any_size), 0);
	TEST_ASSERT_EQ(eventfd_nr_events(one_size), 0);
}

TEST_F(mmio, refused_write_signals_no_ioeventfd)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, GPA, 0, 0, 0);

	assert_invalid(td, 4, TDVMCALL_WRITE, GPA);
	assert_invalid(td, 3, TDVMCALL_WRITE, tdx_shared(td, GPA));
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(mmio, coalesced_writes)
{
	struct tdx_guest *td = &self->td;
	struct kvm_coalesced_mmio_ring *ring = vcpu_coalesced_ring(td->vcpu);

	kvm_vm_register_coalesced_io(td->vm, GPA, 8, false);
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		write_in_kernel(td, GPA, sizes[i], VALUE);
	write_in_kernel(td, GPA + 7, 1, VALUE);

	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		TEST_ASSERT_COALESCED(ring, GPA, sizes[i], false, VALUE);
	TEST_ASSERT_COALESCED(ring, GPA + 7, 1, false, VALUE);
	TEST_ASSERT_EQ(ring->first, ring->last);
}

TEST_F(mmio, coalesces_only_writes_in_zone)
{
	struct tdx_guest *td = &self->td;
	struct kvm_coalesced_mmio_ring *ring = vcpu_coalesced_ring(td->vcpu);

	kvm_vm_register_coalesced_io(td->vm, GPA, 8, false);
	mmio_read(td, GPA, 4, VALUE);
	mmio_write(td, GPA + 8, 1, VALUE);
	mmio_write(td, GPA + 4, 8, VALUE);
	mmio_write(td, GPA - 1, 2, VALUE);
	kvm_vm_unregister_coalesced_io(td->vm, GPA, 8, false);
	mmio_write(td, GPA, 1, VALUE);
	TEST_ASSERT_EQ(ring->first, ring->last);
}

TEST_F(mmio, full_ring_exits)
{
	struct tdx_guest *td = &self->td;
	struct kvm_coalesced_mmio_ring *ring = vcpu_coalesced_ring(td->vcpu);

	kvm_vm_register_coalesced_io(td->vm, GPA, 8, false);
	for (int i = 0; i < COALESCED_RING_SIZE - 1; i++)
		write_in_kernel(td, GPA, 8, i);
	mmio_write(td, GPA, 8, VALUE);

	TEST_ASSERT_COALESCED(ring, GPA, 8, false, 0);
	write_in_kernel(td, GPA, 8, VALUE);
	mmio_write(td, GPA, 8, VALUE);
}

TEST_F(mmio, memslot_ignored)
{
	struct tdx_guest *td = &self->td;
	u64 *memory;

	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, 0);
	memory = addr_gpa2hva(td->vm, GPA);
	*memory = 1;
	mmio_write(td, GPA, 8, VALUE);
	mmio_read(td, GPA, 8, VALUE);
	TEST_ASSERT_EQ(*memory, 1);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_COALESCED_MMIO));

	return test_harness_run(argc, argv);
}
