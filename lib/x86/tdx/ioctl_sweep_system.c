// SPDX-License-Identifier: GPL-2.0
/* What a sweep tries on /dev/kvm. */
#include "tdx/ioctl_sweep_rows.h"

#define NR_MSRS		1024

struct msr_list {
	struct kvm_msr_list list;
	u32 room[NR_MSRS];
};

static const struct sweep_field msr_list_fields[] = {
	SWEEP_FIELD(struct msr_list, list.nmsrs),
};

static const struct sweep_field cpuid_fields[] = { SWEEP_CPUID_FIELDS };
static const struct sweep_field msrs_fields[] = { SWEEP_MSRS_FIELDS };
static const struct sweep_field attribute_fields[] = { SWEEP_ATTRIBUTE_FIELDS };

static void one_feature_msr(struct sweep_td *td, void *arg)
{
	struct sweep_msrs *msrs = arg;

	msrs->msrs.nmsrs = 1;
	msrs->entry.index = MSR_IA32_ARCH_CAPABILITIES;
}

static void xcomp_attribute(struct sweep_td *td, void *arg)
{
	struct sweep_attribute *a = arg;

	a->attr.attr = KVM_X86_XCOMP_GUEST_SUPP;
	a->attr.addr = (u64)&a->value;
}

#define SYSTEM_NUMBER(_cmd, ...)					\
	SWEEP_NUMBER(SWEEP_FD_SYSTEM, #_cmd " of /dev/kvm", _cmd, __VA_ARGS__)

#define SYSTEM_ROW(_name, ...)	SWEEP_STRUCT(SWEEP_FD_SYSTEM, _name, __VA_ARGS__)

#define SYSTEM(_cmd, ...)						\
	SYSTEM_ROW(#_cmd " of /dev/kvm", _cmd, __VA_ARGS__)

#define MSR_LIST(_cmd)							\
	SYSTEM_ROW(#_cmd " of /dev/kvm", _cmd, struct msr_list, sizeof(u32),	\
		   msr_list_fields,					\
		   .sane = NR_MSRS, .works = SWEEP_ALWAYS, .errnos = { E2BIG, EFAULT })

#define CPUID_LIST(_cmd)						\
	SYSTEM_ROW(#_cmd " of /dev/kvm", _cmd, struct sweep_cpuid,	\
		   sizeof(struct kvm_cpuid2), cpuid_fields,		\
		   .sane = TDX_MAX_CPUID, .works = SWEEP_ALWAYS,		\
		   .errnos = { E2BIG, EFAULT, EINVAL })

#define ATTRIBUTE(_cmd)							\
	SYSTEM_ROW(#_cmd " of /dev/kvm", _cmd, struct sweep_attribute,	\
		   sizeof(struct kvm_device_attr), attribute_fields,	\
		   .prepare = xcomp_attribute, .works = SWEEP_ALWAYS,	\
		   .errnos = { ENXIO, EFAULT, EINVAL, ENOTTY })

const struct sweep_row sweep_system_rows[] = {
	SYSTEM_NUMBER(KVM_GET_API_VERSION, .works = SWEEP_ALWAYS, .errnos = { EINVAL }),
	SYSTEM_NUMBER(KVM_CREATE_VM, .sane = KVM_X86_TDX_VM, .works = SWEEP_ALWAYS,
		      .errnos = { EINVAL }, .returns_fd = true),
	SYSTEM_NUMBER(KVM_CHECK_EXTENSION, .sane = KVM_CAP_VM_TYPES, .works = SWEEP_ALWAYS),
	SYSTEM_NUMBER(KVM_GET_VCPU_MMAP_SIZE, .works = SWEEP_ALWAYS, .errnos = { EINVAL }),
	MSR_LIST(KVM_GET_MSR_INDEX_LIST),
	MSR_LIST(KVM_GET_MSR_FEATURE_INDEX_LIST),
	CPUID_LIST(KVM_GET_SUPPORTED_CPUID),
	CPUID_LIST(KVM_GET_EMULATED_CPUID),
	SYSTEM(KVM_GET_SUPPORTED_HV_CPUID, struct sweep_cpuid, sizeof(struct kvm_cpuid2),
	       cpuid_fields, .sane = TDX_MAX_CPUID, .works = SWEEP_MAYBE,
	       .errnos = { E2BIG, EFAULT, EINVAL }),
	SYSTEM(KVM_GET_MSRS, struct sweep_msrs, sizeof(struct sweep_msrs), msrs_fields,
	       .prepare = one_feature_msr, .works = SWEEP_ALWAYS,
	       .errnos = { E2BIG, EFAULT }),
	ATTRIBUTE(KVM_HAS_DEVICE_ATTR),
	ATTRIBUTE(KVM_GET_DEVICE_ATTR),
	SYSTEM_NUMBER(KVM_X86_GET_MCE_CAP_SUPPORTED, .size = sizeof(u64),
		      .works = SWEEP_ALWAYS, .errnos = { EFAULT }),
};

const int sweep_nr_system_rows = ARRAY_SIZE(sweep_system_rows);
