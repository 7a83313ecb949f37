// SPDX-License-Identifier: GPL-2.0
/*
 * All rows of a sweep, and whether they are all: the ioctls of <linux/kvm.h> are in
 * kvm_ioctls.inc, which is made from it when the test is built.
 */
#include "tdx/ioctl_sweep.h"

static const struct kvm_ioctl {
	const char *name;
	unsigned long cmd;
	bool other_arch;
} ioctls[] = {
#define KVM_IOCTL(cmd)		{ #cmd, cmd },
#define OTHER_IOCTL(cmd, nr)	{ #cmd, _IO(KVMIO, nr), true },
#include "kvm_ioctls.inc"
};

static const struct {
	const struct sweep_row *rows;
	const int *nr;
} tables[] = {
	{ sweep_system_rows, &sweep_nr_system_rows },
	{ sweep_vm_rows, &sweep_nr_vm_rows },
	{ sweep_vcpu_rows, &sweep_nr_vcpu_rows },
};

static bool has_row(unsigned long cmd, enum sweep_fd fd)
{
	for (int t = 0; t < ARRAY_SIZE(tables); t++)
		for (int i = 0; i < *tables[t].nr; i++)
			if (tables[t].rows[i].cmd == cmd && tables[t].rows[i].fd == fd)
				return true;
	return false;
}

/* Gone from KVM. */
static bool is_gone(unsigned long cmd)
{
	return cmd == KVM_GET_NR_MMU_PAGES;
}

const char *sweep_ioctl_without_row(void)
{
	for (int i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (!ioctls[i].other_arch && !is_gone(ioctls[i].cmd) &&
		    !has_row(ioctls[i].cmd, SWEEP_FD_SYSTEM) &&
		    !has_row(ioctls[i].cmd, SWEEP_FD_VM) &&
		    !has_row(ioctls[i].cmd, SWEEP_FD_VCPU))
			return ioctls[i].name;
	return NULL;
}

/*
 * The ioctls that a descriptor does not have are one row.
 */
struct other_ioctls {
	const struct kvm_ioctl *ioctl[ARRAY_SIZE(ioctls)];
	int nr;
};

static const struct other_ioctls *other_ioctls(enum sweep_fd fd)
{
	static struct other_ioctls all[SWEEP_NR_FDS];
	struct other_ioctls *others = &all[fd];

	if (others->nr)
		return others;
	for (int i = 0; i < ARRAY_SIZE(ioctls); i++)
		if (!has_row(ioctls[i].cmd, fd))
			others->ioctl[others->nr++] = &ioctls[i];
	return others;
}

int sweep_nr_others(const struct sweep_row *row)
{
	return other_ioctls(row->fd)->nr;
}

const char *sweep_other_name(const struct sweep_row *row, int i)
{
	return other_ioctls(row->fd)->ioctl[i]->name;
}

static int fd_of(const struct sweep_td *td, enum sweep_fd fd)
{
	if (fd == SWEEP_FD_SYSTEM)
		return td->kvm_fd;
	return fd == SWEEP_FD_VM ? td->vm->fd : td->vcpu->fd;
}

static int call_other(struct sweep_td *td, const struct sweep_row *row, void *arg)
{
	static u8 zeroes[4 * PAGE_SIZE] __aligned(PAGE_SIZE);

	return ioctl(fd_of(td, row->fd), other_ioctls(row->fd)->ioctl[(u64)arg]->cmd, zeroes);
}

#define OTHERS(_name, _fd)						\
{									\
	.name = _name, .fd = _fd, .call = call_other, .others = true,	\
	.errnos = { ENOTTY, EINVAL },					\
}

static const struct sweep_row others[] = {
	OTHERS("ioctls that /dev/kvm lacks", SWEEP_FD_SYSTEM),
	OTHERS("ioctls that a VM lacks", SWEEP_FD_VM),
	OTHERS("ioctls that a vCPU lacks", SWEEP_FD_VCPU),
};

int sweep_nr_rows(void)
{
	int nr = ARRAY_SIZE(others);

	for (int t = 0; t < ARRAY_SIZE(tables); t++)
		nr += *tables[t].nr;
	return nr;
}

const struct sweep_row *sweep_row(int i)
{
	for (int t = 0; t < ARRAY_SIZE(tables); t++) {
		if (i < *tables[t].nr)
			return &tables[t].rows[i];
		i -= *tables[t].nr;
	}
	return &others[i];
}

int sweep_call(struct sweep_td *td, const struct sweep_row *row, void *arg)
{
	errno = 0;
	if (row->call)
		return row->call(td, row, arg);
	return ioctl(fd_of(td, row->fd), row->cmd, arg);
}

bool sweep_expects_errno(const struct sweep_row *row, int error)
{
	for (int i = 0; i < SWEEP_MAX_ERRNOS && row->errnos[i]; i++)
		if (row->errnos[i] == error)
			return true;
	return false;
}
