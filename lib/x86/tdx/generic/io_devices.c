// SPDX-License-Identifier: GPL-2.0
#include "tdx/generic/io_devices.h"

void vm_set_ioeventfd(struct kvm_vm *vm, int fd, u64 addr, u32 len, u32 flags,
		      u64 datamatch)
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

int vm_ioeventfd(struct kvm_vm *vm, u64 addr, u32 len, u32 flags, u64 datamatch)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	TEST_ASSERT(fd >= 0, __KVM_SYSCALL_ERROR("eventfd()", fd));
	vm_set_ioeventfd(vm, fd, addr, len, flags, datamatch);
	return fd;
}

u64 eventfd_nr_events(int fd)
{
	u64 nr = 0;

	if (read(fd, &nr, sizeof(nr)) < 0)
		TEST_ASSERT_EQ(errno, EAGAIN);
	return nr;
}
