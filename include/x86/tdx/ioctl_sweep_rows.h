/* SPDX-License-Identifier: GPL-2.0 */
/* What the tables of a sweep have in common. */
#ifndef SELFTEST_KVM_TDX_IOCTL_SWEEP_ROWS_H
#define SELFTEST_KVM_TDX_IOCTL_SWEEP_ROWS_H

#include "tdx/ioctl_sweep.h"

/* An ioctl of @_fd whose argument is a number. */
#define SWEEP_NUMBER(_fd, _name, _cmd, ...)				\
	{ .name = _name, .cmd = _cmd, .fd = _fd, __VA_ARGS__ }

/* One whose argument is a structure, of which KVM reads the first @_in bytes. */
#define SWEEP_STRUCT(_fd, _name, _cmd, _type, _in, _fields, ...)	\
	SWEEP_NUMBER(_fd, _name, _cmd, .size = sizeof(_type), .in = _in,	\
		     SWEEP_FIELDS(_fields), __VA_ARGS__)

/* The guest does not survive an NMI. */
#define SWEEP_NO_IDT_YET	SWEEP_BETWEEN(SWEEP_VCPU, SWEEP_FINAL)

/* A TDX command and what it points to. */
struct sweep_command {
	struct kvm_tdx_cmd cmd;
	union {
		struct kvm_tdx_capabilities caps;
		struct kvm_tdx_init_vm init;
		struct kvm_tdx_init_mem_region region;
		struct kvm_cpuid2 cpuid;
	};
	struct kvm_cpuid_entry2 entries[TDX_MAX_CPUID];
};

#define SWEEP_COMMAND_FIELDS						\
	SWEEP_SELECTOR(struct sweep_command, cmd.id),			\
	SWEEP_FIELD(struct sweep_command, cmd.flags),			\
	SWEEP_FIELD(struct sweep_command, cmd.data),			\
	SWEEP_FIELD(struct sweep_command, cmd.hw_error)

/* A list with room for CPUID. */
struct sweep_cpuid {
	struct kvm_cpuid2 cpuid;
	struct kvm_cpuid_entry2 room[TDX_MAX_CPUID];
};

#define SWEEP_CPUID_FIELDS						\
	SWEEP_FIELD(struct sweep_cpuid, cpuid.nent),			\
	SWEEP_FIELD(struct sweep_cpuid, cpuid.padding)

#define SWEEP_CPUID_ENTRY_FIELDS(type, entry)				\
	SWEEP_FIELD(type, entry.function),				\
	SWEEP_FIELD(type, entry.index),					\
	SWEEP_FIELD(type, entry.flags),					\
	SWEEP_FIELD(type, entry.eax),					\
	SWEEP_FIELD(type, entry.ebx),					\
	SWEEP_FIELD(type, entry.ecx),					\
	SWEEP_FIELD(type, entry.edx),					\
	SWEEP_WORDS(type, entry.padding, 4)

/* One MSR. */
struct sweep_msrs {
	struct kvm_msrs msrs;
	struct kvm_msr_entry entry;
};

#define SWEEP_MSRS_FIELDS						\
	SWEEP_FIELD(struct sweep_msrs, msrs.nmsrs),			\
	SWEEP_FIELD(struct sweep_msrs, msrs.pad),			\
	SWEEP_FIELD(struct sweep_msrs, entry.index),			\
	SWEEP_FIELD(struct sweep_msrs, entry.reserved),			\
	SWEEP_FIELD(struct sweep_msrs, entry.data)

/* An attribute of a device, and its value. */
struct sweep_attribute {
	struct kvm_device_attr attr;
	u64 value;
};

#define SWEEP_ATTRIBUTE_FIELDS						\
	SWEEP_FIELD(struct sweep_attribute, attr.flags),		\
	SWEEP_FIELD(struct sweep_attribute, attr.group),		\
	SWEEP_FIELD(struct sweep_attribute, attr.attr),			\
	SWEEP_FIELD(struct sweep_attribute, attr.addr)

#define SWEEP_ENABLE_CAP_FIELDS						\
	SWEEP_SELECTOR(struct kvm_enable_cap, cap),			\
	SWEEP_FIELD(struct kvm_enable_cap, flags),			\
	SWEEP_WORDS(struct kvm_enable_cap, args, 8),			\
	SWEEP_WORDS(struct kvm_enable_cap, pad, 8)

#endif /* SELFTEST_KVM_TDX_IOCTL_SWEEP_ROWS_H */
