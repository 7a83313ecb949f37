/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioeventfds, and the ring of coalesced writes.  Not about TDX: for the common lib.
 */
#ifndef SELFTEST_KVM_IO_DEVICES_H
#define SELFTEST_KVM_IO_DEVICES_H

#include "kvm_util.h"
#include "processor.h"

/* KVM_IOEVENTFD, with the fields of struct kvm_ioeventfd. */
void vm_set_ioeventfd(struct kvm_vm *vm, int fd, u64 addr, u32 len, u32 flags,
		      u64 datamatch);

/* The same with a new eventfd, which is returned. */
int vm_ioeventfd(struct kvm_vm *vm, u64 addr, u32 len, u32 flags, u64 datamatch);

/* Returns how often @fd was signalled since the last call. */
u64 eventfd_nr_events(int fd);

/* The ring of @vcpu's VM.  KVM leaves one of its entries free. */
static inline struct kvm_coalesced_mmio_ring *vcpu_coalesced_ring(struct kvm_vcpu *vcpu)
{
	return (void *)vcpu->run + kvm_check_cap(KVM_CAP_COALESCED_MMIO) * PAGE_SIZE;
}

#define COALESCED_RING_SIZE						\
	((PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) /		\
	 sizeof(struct kvm_coalesced_mmio))

/* Assert that the next write in the ring is this one, and remove it. */
#define TEST_ASSERT_COALESCED(_ring, _addr, _len, _pio, _value)		\
do {									\
	struct kvm_coalesced_mmio_ring *__ring = (_ring);		\
	struct kvm_coalesced_mmio *__write =				\
		&__ring->coalesced_mmio[__ring->first];			\
	u64 __val = (_value);						\
									\
	TEST_ASSERT(__ring->first != __ring->last, "The ring is empty");	\
	TEST_ASSERT_EQ(__write->phys_addr, _addr);			\
	TEST_ASSERT_EQ(__write->len, _len);				\
	TEST_ASSERT_EQ(__write->pio, _pio);				\
	TEST_ASSERT(!memcmp(__write->data, &__val, _len),		\
		    "The ring's next value is not 0x%lx", (unsigned long)__val);	\
	__ring->first = (__ring->first + 1) % COALESCED_RING_SIZE;	\
} while (0)

#endif /* SELFTEST_KVM_IO_DEVICES_H */
