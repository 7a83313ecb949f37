/* SPDX-License-Identifier: GPL-2.0 */
/*
 * KVM's own devices at the end of a guest's port I/O and MMIO: ioeventfds, and
 * the ring of coalesced writes.
 */
#ifndef SELFTEST_KVM_TDX_IO_DEVICES_H
#define SELFTEST_KVM_TDX_IO_DEVICES_H

#include "kvm_util.h"

static inline void tdx_set_ioeventfd(struct kvm_vm *vm, int fd, u64 addr,
				     u32 len, u32 flags, u64 datamatch)
{
	struct kvm_ioeventfd ioeventfd = {
		.datamatch = datamatch,
		.addr = addr,
		.len = len,
		.fd = fd,
		.flags = flags,
	};

	vm_ioctl(vm, KVM_IOEVENTFD, &ioeventfd);
}

/* A new eventfd that is signalled by writes, see struct kvm_ioeventfd. */
static inline int tdx_ioeventfd(struct kvm_vm *vm, u64 addr, u32 len, u32 flags,
				u64 datamatch)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	TEST_ASSERT(fd >= 0, __KVM_SYSCALL_ERROR("eventfd()", fd));
	tdx_set_ioeventfd(vm, fd, addr, len, flags, datamatch);
	return fd;
}

/* How often @fd was signalled since it was last asked. */
static inline u64 tdx_nr_events(int fd)
{
	u64 nr = 0;

	if (read(fd, &nr, sizeof(nr)) < 0)
		TEST_ASSERT_EQ(errno, EAGAIN);
	return nr;
}

/* The ring of @vcpu's VM.  KVM leaves one of its entries free. */
static inline struct kvm_coalesced_mmio_ring *tdx_coalesced_ring(struct kvm_vcpu *vcpu)
{
	return (void *)vcpu->run + kvm_check_cap(KVM_CAP_COALESCED_MMIO) * PAGE_SIZE;
}

#define TDX_COALESCED_RING_SIZE						\
	((PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) /		\
	 sizeof(struct kvm_coalesced_mmio))

/* The next write in the ring has to be this one.  Takes it out. */
#define TEST_ASSERT_COALESCED(_ring, _addr, _len, _pio, _value)		\
do {									\
	struct kvm_coalesced_mmio_ring *__ring = (_ring);		\
	struct kvm_coalesced_mmio *__write =				\
		&__ring->coalesced_mmio[__ring->first];			\
	u64 __val = (_value);						\
									\
	TEST_ASSERT(__ring->first != __ring->last, "No more writes");	\
	TEST_ASSERT_EQ(__write->phys_addr, _addr);			\
	TEST_ASSERT_EQ(__write->len, _len);				\
	TEST_ASSERT_EQ(__write->pio, _pio);				\
	TEST_ASSERT(!memcmp(__write->data, &__val, _len),		\
		    "Not 0x%lx in the ring", (unsigned long)__val);	\
	__ring->first = (__ring->first + 1) % TDX_COALESCED_RING_SIZE;	\
} while (0)

#endif /* SELFTEST_KVM_TDX_IO_DEVICES_H */
