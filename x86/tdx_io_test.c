// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<Instruction.IO>: port I/O.
 *
 * As with any VM, KVM tries its own devices first and then exits to user space.
 * New is that the guest itself passes size, direction and port.  KVM has to refuse
 * those that no IN or OUT can have.  The value is an operand or a result of 64
 * bits, and all of them are defined.  For IN and OUT themselves see
 * tdx_ve_emulation_test.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/generic/io_devices.h"

#define IO		EXIT_REASON_IO_INSTRUCTION
#define PORT		0x50

#define VALUE		0xfedcba9876543210ul

static const u64 sizes[] = { 1, 2, 4 };

static u64 low_bytes(u64 value, u64 size)
{
	return value & GENMASK_ULL(size * 8 - 1, 0);
}

static void *io_data(struct kvm_run *run)
{
	return (void *)run + run->io.data_offset;
}

static void start_in(struct tdx_guest *td, u64 port, u64 size)
{
	tdx_call_start(td, IO, size, TDVMCALL_READ, port);
	TEST_ASSERT_EXIT_IO(td->vcpu, port, size, KVM_EXIT_IO_IN);
}

static void finish_in(struct tdx_guest *td, u64 value)
{
	struct tdvmcall call = tdx_call_finish(td);

	TEST_ASSERT_EQ(tdvmcall_status(&call), TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(tdvmcall_ret(&call), value);
}

static void in(struct tdx_guest *td, u64 port, u64 size, u64 value)
{
	start_in(td, port, size);
	memcpy(io_data(td->run), &value, size);
	finish_in(td, low_bytes(value, size));
}

static void out(struct tdx_guest *td, u64 port, u64 size, u64 value)
{
	tdx_call_start(td, IO, size, TDVMCALL_WRITE, port, value);
	TEST_ASSERT_EXIT_IO(td->vcpu, port, size, KVM_EXIT_IO_OUT);
	TEST_ASSERT(!memcmp(io_data(td->run), &value, size),
		    "Wrong data, wanted 0x%lx", (unsigned long)value);
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

/* An OUT that one of KVM's devices takes, so there is no exit. */
static void out_in_kernel(struct tdx_guest *td, u64 port, u64 size, u64 value)
{
	TEST_ASSERT_EQ(tdx_call_status(td, IO, size, TDVMCALL_WRITE, port, value),
		       TDVMCALL_STATUS_SUCCESS);
}

static void assert_invalid(struct tdx_guest *td, u64 size, u64 direction)
{
	u64 status = tdx_call_status(td, IO, size, direction, PORT, VALUE);

	TEST_ASSERT(status == TDVMCALL_STATUS_INVALID_OPERAND,
		    "Size 0x%lx, direction 0x%lx: status 0x%lx",
		    (unsigned long)size, (unsigned long)direction,
		    (unsigned long)status);
}

TDX_GUEST_SUITE(io);

TEST_F(io, out_every_size)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		out(&self->td, PORT, sizes[i], VALUE);
}

TEST_F(io, in_every_size)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		in(&self->td, PORT, sizes[i], VALUE);
}

/* KVM must not complete one as if it were the other. */
TEST_F(io, in_and_out_alternate)
{
	for (int i = 0; i < 4; i++) {
		out(&self->td, PORT, 1, 0xab + i);
		in(&self->td, PORT, 1, 0xac + i);
	}
}

TEST_F(io, in_is_zero_extended)
{
	struct tdx_guest *td = &self->td;

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		start_in(td, PORT, sizes[i]);
		memset(io_data(td->run), 0xff, sizeof(u64));
		finish_in(td, low_bytes(~0ull, sizes[i]));
	}
}

TEST_F(io, in_is_zero_by_default)
{
	out(&self->td, PORT, 4, VALUE);
	start_in(&self->td, PORT, 4);
	finish_in(&self->td, 0);
}

TEST_F(io, in_size_comes_from_the_guest)
{
	struct tdx_guest *td = &self->td;

	start_in(td, PORT, 2);
	memset(io_data(td->run), 0xff, sizeof(u64));
	td->run->io.size = 4;
	td->run->io.count = 2;
	finish_in(td, 0xffff);
}

TEST_F(io, in_completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	start_in(td, PORT, 4);
	memset(io_data(td->run), 0x11, 4);
	tdx_call_complete(td);
	memset(io_data(td->run), 0x22, 4);
	finish_in(td, 0x11111111);
}

TEST_F(io, out_completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	tdx_call_start(td, IO, 4, TDVMCALL_WRITE, PORT, VALUE);
	tdx_call_complete(td);
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
	in(td, PORT, 4, VALUE);
}

TEST_F(io, ports_from_first_to_last)
{
	static const u16 ports[] = { 0, 1, 0x71, 0xcf8, 0x8000, 0xfffe, 0xffff };

	for (int i = 0; i < ARRAY_SIZE(ports); i++) {
		out(&self->td, ports[i], 4, VALUE);
		in(&self->td, ports[i], 1, VALUE);
	}
}

TEST_F(io, port_beyond_16_bits_refused)
{
	static const u64 bits[] = { BIT_ULL(16), BIT_ULL(31), BIT_ULL(32), BIT_ULL(63) };
	struct tdx_guest *td = &self->td;
	int nr_exits = 0;

	for (int i = 0; i < ARRAY_SIZE(bits); i++) {
		if (tdx_call_exits(td, IO, 1, TDVMCALL_WRITE, bits[i] | PORT, VALUE)) {
			TEST_ASSERT_EXIT_IO(td->vcpu, PORT, 1, KVM_EXIT_IO_OUT);
			tdx_call_finish(td);
			nr_exits++;
			continue;
		}
		TEST_ASSERT_EQ(tdvmcall_status(&td->req->call), TDVMCALL_STATUS_INVALID_OPERAND);
	}

	if (nr_exits)
		XFAIL(return, "KVM truncates the port to 16 bits");
}

TEST_F(io, bad_size_refused)
{
	static const u64 bad[] = { 0, 3, 5, 6, 7, 8, 16, 0x100, ~0ull };

	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_invalid(&self->td, bad[i], TDVMCALL_READ);
		assert_invalid(&self->td, bad[i], TDVMCALL_WRITE);
	}
}

TEST_F(io, size_is_not_truncated)
{
	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_invalid(&self->td, BIT_ULL(32) | sizes[i], TDVMCALL_READ);
		assert_invalid(&self->td, BIT_ULL(63) | sizes[i], TDVMCALL_WRITE);
	}
}

TEST_F(io, bad_direction_refused)
{
	static const u64 bad[] = { 2, 3, 0x100, BIT_ULL(31), ~0ull };

	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_invalid(&self->td, 1, bad[i]);
}

TEST_F(io, direction_is_not_truncated)
{
	assert_invalid(&self->td, 1, BIT_ULL(32) | TDVMCALL_READ);
	assert_invalid(&self->td, 1, BIT_ULL(32) | TDVMCALL_WRITE);
	assert_invalid(&self->td, 1, BIT_ULL(63) | TDVMCALL_WRITE);
}

TEST_F(io, ioeventfd_one_size)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, PORT, 2, KVM_IOEVENTFD_FLAG_PIO, 0);

	out_in_kernel(td, PORT, 2, VALUE);
	out_in_kernel(td, PORT, 2, 0);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 2);

	out(td, PORT, 1, VALUE);
	out(td, PORT, 4, VALUE);
	out(td, PORT + 1, 2, VALUE);
	in(td, PORT, 2, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(io, ioeventfd_every_size)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, PORT, 0, KVM_IOEVENTFD_FLAG_PIO, 0);

	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		out_in_kernel(td, PORT, sizes[i], VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), ARRAY_SIZE(sizes));
}

TEST_F(io, ioeventfd_one_value)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, PORT, 2, KVM_IOEVENTFD_FLAG_PIO |
			       KVM_IOEVENTFD_FLAG_DATAMATCH, low_bytes(VALUE, 2));

	/* Only as many bytes as the OUT has count. */
	out_in_kernel(td, PORT, 2, low_bytes(VALUE, 2));
	out_in_kernel(td, PORT, 2, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 2);
	out(td, PORT, 2, VALUE + 1);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(io, ioeventfd_removed)
{
	struct tdx_guest *td = &self->td;
	int fd = vm_ioeventfd(td->vm, PORT, 2, KVM_IOEVENTFD_FLAG_PIO, 0);

	vm_set_ioeventfd(td->vm, fd, PORT, 2, KVM_IOEVENTFD_FLAG_PIO |
			  KVM_IOEVENTFD_FLAG_DEASSIGN, 0);
	out(td, PORT, 2, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(io, mmio_ioeventfd_ignores_ports)
{
	int fd = vm_ioeventfd(self->td.vm, PORT, 0, 0, 0);

	out(&self->td, PORT, 4, VALUE);
	TEST_ASSERT_EQ(eventfd_nr_events(fd), 0);
}

TEST_F(io, coalesced_out)
{
	struct tdx_guest *td = &self->td;
	struct kvm_coalesced_mmio_ring *ring = vcpu_coalesced_ring(td->vcpu);

	kvm_vm_register_coalesced_io(td->vm, PORT, 4, true);
	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		out_in_kernel(td, PORT, sizes[i], VALUE);
	out_in_kernel(td, PORT + 3, 1, VALUE);

	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		TEST_ASSERT_COALESCED(ring, PORT, sizes[i], true, VALUE);
	TEST_ASSERT_COALESCED(ring, PORT + 3, 1, true, VALUE);
	TEST_ASSERT_EQ(ring->first, ring->last);
}

TEST_F(io, coalesces_only_outs_in_zone)
{
	struct tdx_guest *td = &self->td;
	struct kvm_coalesced_mmio_ring *ring = vcpu_coalesced_ring(td->vcpu);

	kvm_vm_register_coalesced_io(td->vm, PORT, 4, true);
	in(td, PORT, 4, VALUE);
	out(td, PORT + 4, 1, VALUE);
	out(td, PORT + 2, 4, VALUE);
	kvm_vm_unregister_coalesced_io(td->vm, PORT, 4, true);
	out(td, PORT, 1, VALUE);
	TEST_ASSERT_EQ(ring->first, ring->last);
}

TEST_F(io, full_ring_exits)
{
	struct tdx_guest *td = &self->td;
	struct kvm_coalesced_mmio_ring *ring = vcpu_coalesced_ring(td->vcpu);

	kvm_vm_register_coalesced_io(td->vm, PORT, 4, true);
	for (int i = 0; i < COALESCED_RING_SIZE - 1; i++)
		out_in_kernel(td, PORT, 4, i);
	out(td, PORT, 4, VALUE);

	TEST_ASSERT_COALESCED(ring, PORT, 4, true, 0);
	out_in_kernel(td, PORT, 4, VALUE);
	out(td, PORT, 4, VALUE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());
	TEST_REQUIRE(kvm_has_cap(KVM_CAP_COALESCED_PIO));

	return test_harness_run(argc, argv);
}
