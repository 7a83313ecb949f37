// SPDX-License-Identifier: GPL-2.0
/* What a sweep tries on a vCPU. */
#include "tdx/ioctl_sweep_rows.h"

#define VCPU_NUMBER(_cmd, ...)	SWEEP_NUMBER(SWEEP_FD_VCPU, #_cmd, _cmd, __VA_ARGS__)

/* Other descriptors have it, too. */
#define VCPU_SHARED_NUMBER(_cmd, ...)					\
	SWEEP_NUMBER(SWEEP_FD_VCPU, #_cmd " of a vCPU", _cmd, __VA_ARGS__)

#define VCPU_ROW(_name, ...)	SWEEP_STRUCT(SWEEP_FD_VCPU, _name, __VA_ARGS__)

#define VCPU(_cmd, _type, _fields, ...)					\
	VCPU_ROW(#_cmd, _cmd, _type, sizeof(_type), _fields, __VA_ARGS__)

/* One use of many that an ioctl has. */
#define VCPU_USE(_cmd, _use, _type, _in, _fields, ...)			\
	VCPU_ROW(#_cmd _use, _cmd, _type, _in, _fields, __VA_ARGS__)

/* From here on there is a vCPU. */
#define ALWAYS		SWEEP_FROM(SWEEP_VCPU)

/*
 * State that is not KVM's: refused, whatever the argument.  KVM may have looked at it.
 */
#define PROTECTED(_cmd, _type, _width)					\
{									\
	.name = #_cmd, .cmd = _cmd, .fd = SWEEP_FD_VCPU, .size = sizeof(_type),	\
	.in = sizeof(_type),						\
	.fields = (const struct sweep_field[]) { SWEEP_ALL(_type, _width) },	\
	.nr_fields = 1, .errnos = { EINVAL, EFAULT },			\
}

/*
 * TDX commands
 */
static const struct sweep_field init_vcpu_fields[] = { SWEEP_COMMAND_FIELDS };

static const struct sweep_field init_mem_region_fields[] = {
	SWEEP_COMMAND_FIELDS,
	SWEEP_FIELD(struct sweep_command, region.source_addr),
	SWEEP_FIELD(struct sweep_command, region.gpa),
	SWEEP_FIELD(struct sweep_command, region.nr_pages),
};

static const struct sweep_field get_cpuid_fields[] = {
	SWEEP_COMMAND_FIELDS,
	SWEEP_FIELD(struct sweep_command, cpuid.nent),
	SWEEP_FIELD(struct sweep_command, cpuid.padding),
};

static void *page(void)
{
	static u8 page[PAGE_SIZE] __aligned(PAGE_SIZE);

	return page;
}

static void make_scratch_private(struct sweep_td *td)
{
	struct kvm_memory_attributes private = {
		.address = SWEEP_SCRATCH_GPA,
		.size = SWEEP_SCRATCH_SIZE,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};

	__vm_ioctl(td->vm, KVM_SET_MEMORY_ATTRIBUTES, &private);
}

/* A page that the TD does not have yet, unless this has been here before. */
static void init_mem_region(struct sweep_td *td, void *arg)
{
	struct sweep_command *c = arg;

	make_scratch_private(td);
	c->cmd.id = KVM_TDX_INIT_MEM_REGION;
	c->cmd.data = (u64)&c->region;
	c->region.source_addr = (u64)page();
	c->region.gpa = SWEEP_SCRATCH_GPA;
	c->region.nr_pages = 1;
}

static void get_cpuid(struct sweep_td *td, void *arg)
{
	struct sweep_command *c = arg;

	c->cmd.id = KVM_TDX_GET_CPUID;
	c->cmd.data = (u64)&c->cpuid;
	c->cpuid.nent = TDX_MAX_CPUID;
}

/*
 * KVM_RUN: what user space may write to struct kvm_run, and what KVM reads of it.
 */
static const struct sweep_field run_fields[] = {
	SWEEP_FIELD(struct kvm_run, request_interrupt_window),
	SWEEP_FIELD(struct kvm_run, immediate_exit),
	SWEEP_WORDS(struct kvm_run, padding1, 1),
	SWEEP_FIELD(struct kvm_run, exit_reason),
	SWEEP_FIELD(struct kvm_run, ready_for_interrupt_injection),
	SWEEP_FIELD(struct kvm_run, if_flag),
	SWEEP_FIELD(struct kvm_run, flags),
	SWEEP_FIELD(struct kvm_run, cr8),
	SWEEP_FIELD(struct kvm_run, apic_base),
	{ "exit", SWEEP_END(struct kvm_run, apic_base), 8, 32 },
	SWEEP_FIELD(struct kvm_run, kvm_valid_regs),
	SWEEP_FIELD(struct kvm_run, kvm_dirty_regs),
	SWEEP_WORDS(struct kvm_run, s, 8),
};

static void run_page(struct sweep_td *td, void *arg)
{
	memcpy(arg, td->vcpu->run, sizeof(*td->vcpu->run));
}

/* KVM puts some of the fields in order.  The rest must not stay as it is. */
static int call_run(struct sweep_td *td, const struct sweep_row *row, void *arg)
{
	struct kvm_run *run = td->vcpu->run;
	int r;

	memcpy(run, arg, sizeof(*run));
	r = ioctl(td->vcpu->fd, KVM_RUN, NULL);
	run->request_interrupt_window = 0;
	run->immediate_exit = 0;
	run->kvm_valid_regs = 0;
	run->kvm_dirty_regs = 0;
	return r;
}

/*
 * Lists
 */
static const struct sweep_field cpuid_fields[] = {
	SWEEP_CPUID_FIELDS,
	SWEEP_CPUID_ENTRY_FIELDS(struct sweep_cpuid, cpuid.entries[0]),
};

#define CPUID_IN	(sizeof(struct kvm_cpuid2) + sizeof(struct kvm_cpuid_entry2))

/* As KVM has it for the vCPU; without any before the library has set it. */
static void vcpu_cpuid(struct sweep_td *td, void *arg)
{
	struct sweep_cpuid *list = arg;

	list->cpuid.nent = TDX_MAX_CPUID;
	if (ioctl(td->vcpu->fd, KVM_GET_CPUID2, list))
		list->cpuid.nent = 0;
}

struct old_cpuid {
	struct kvm_cpuid cpuid;
	struct kvm_cpuid_entry entry;
};

static const struct sweep_field old_cpuid_fields[] = {
	SWEEP_FIELD(struct old_cpuid, cpuid.nent),
	SWEEP_FIELD(struct old_cpuid, cpuid.padding),
	SWEEP_WORDS(struct old_cpuid, entry, 4),
};

static const struct sweep_field msrs_fields[] = { SWEEP_MSRS_FIELDS };

static void one_msr(struct sweep_td *td, void *arg)
{
	struct sweep_msrs *msrs = arg;

	msrs->msrs.nmsrs = 1;
	msrs->entry.index = MSR_IA32_APICBASE;
}

static const struct sweep_field one_reg_fields[] = {
	SWEEP_FIELD(struct kvm_one_reg, id),
	SWEEP_FIELD(struct kvm_one_reg, addr),
};

static void one_reg(struct sweep_td *td, void *arg)
{
	((struct kvm_one_reg *)arg)->addr = (u64)page();
}

static const struct sweep_field reg_list_fields[] = { { "n", 0, sizeof(u64), 1 } };

static const struct sweep_field attribute_fields[] = { SWEEP_ATTRIBUTE_FIELDS };

static void tsc_offset(struct sweep_td *td, void *arg)
{
	struct sweep_attribute *a = arg;

	a->attr.group = KVM_VCPU_TSC_CTRL;
	a->attr.attr = KVM_VCPU_TSC_OFFSET;
	a->attr.addr = (u64)&a->value;
}

#define ATTRIBUTE(_cmd)							\
	VCPU_ROW(#_cmd " of a vCPU", _cmd, struct sweep_attribute, sizeof(struct kvm_device_attr),	\
		 attribute_fields, .prepare = tsc_offset, .works = ALWAYS,	\
		 .errnos = { ENXIO, EFAULT, EINVAL, ENOTTY })

/*
 * Events and state
 */
static const struct sweep_field events_fields[] = {
	SWEEP_FIELD(struct kvm_vcpu_events, exception.injected),
	SWEEP_FIELD(struct kvm_vcpu_events, exception.nr),
	SWEEP_FIELD(struct kvm_vcpu_events, exception.has_error_code),
	SWEEP_FIELD(struct kvm_vcpu_events, exception.pending),
	SWEEP_FIELD(struct kvm_vcpu_events, exception.error_code),
	SWEEP_FIELD(struct kvm_vcpu_events, interrupt.injected),
	SWEEP_FIELD(struct kvm_vcpu_events, interrupt.nr),
	SWEEP_FIELD(struct kvm_vcpu_events, interrupt.soft),
	SWEEP_FIELD(struct kvm_vcpu_events, interrupt.shadow),
	SWEEP_FIELD(struct kvm_vcpu_events, nmi.injected),
	SWEEP_FIELD(struct kvm_vcpu_events, nmi.pending),
	SWEEP_FIELD(struct kvm_vcpu_events, nmi.masked),
	SWEEP_FIELD(struct kvm_vcpu_events, nmi.pad),
	SWEEP_FIELD(struct kvm_vcpu_events, sipi_vector),
	SWEEP_FIELD(struct kvm_vcpu_events, flags),
	SWEEP_FIELD(struct kvm_vcpu_events, smi.smm),
	SWEEP_FIELD(struct kvm_vcpu_events, smi.pending),
	SWEEP_FIELD(struct kvm_vcpu_events, smi.smm_inside_nmi),
	SWEEP_FIELD(struct kvm_vcpu_events, smi.latched_init),
	SWEEP_FIELD(struct kvm_vcpu_events, triple_fault.pending),
	SWEEP_WORDS(struct kvm_vcpu_events, reserved, 1),
	SWEEP_FIELD(struct kvm_vcpu_events, exception_has_payload),
	SWEEP_FIELD(struct kvm_vcpu_events, exception_payload),
};

/* With all flags that KVM takes, so that it looks at each field. */
static void vcpu_events(struct sweep_td *td, void *arg)
{
	struct kvm_vcpu_events *events = arg;

	__vcpu_ioctl(td->vcpu, KVM_GET_VCPU_EVENTS, events);
	events->flags = KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR |
			KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_SMM;
}

static const struct sweep_field nested_fields[] = {
	SWEEP_FIELD(struct kvm_nested_state, flags),
	SWEEP_FIELD(struct kvm_nested_state, format),
	SWEEP_FIELD(struct kvm_nested_state, size),
	SWEEP_FIELD(struct kvm_nested_state, hdr.vmx.vmxon_pa),
	SWEEP_FIELD(struct kvm_nested_state, hdr.vmx.vmcs12_pa),
	SWEEP_FIELD(struct kvm_nested_state, hdr.vmx.smm.flags),
	SWEEP_FIELD(struct kvm_nested_state, hdr.vmx.pad),
	SWEEP_FIELD(struct kvm_nested_state, hdr.vmx.flags),
	SWEEP_FIELD(struct kvm_nested_state, hdr.vmx.preemption_timer_deadline),
	SWEEP_WORDS(struct kvm_nested_state, hdr.pad, 8),
};

struct nested {
	struct kvm_nested_state state;
	u8 room[2 * PAGE_SIZE];
};

static void nested_room(struct sweep_td *td, void *arg)
{
	((struct nested *)arg)->state.size = sizeof(struct nested);
}

/* As a vCPU without VMXON has it. */
static void nested_state(struct sweep_td *td, void *arg)
{
	struct nested *nested = arg;

	nested->state.size = sizeof(nested->state);
	nested->state.hdr.vmx.vmxon_pa = -1;
	nested->state.hdr.vmx.vmcs12_pa = -1;
}

static const struct sweep_field mce_fields[] = {
	SWEEP_FIELD(struct kvm_x86_mce, status),
	SWEEP_FIELD(struct kvm_x86_mce, addr),
	SWEEP_FIELD(struct kvm_x86_mce, misc),
	SWEEP_FIELD(struct kvm_x86_mce, mcg_status),
	SWEEP_FIELD(struct kvm_x86_mce, bank),
	SWEEP_WORDS(struct kvm_x86_mce, pad1, 1),
	SWEEP_WORDS(struct kvm_x86_mce, pad2, 8),
};

static const struct sweep_field translation_fields[] = {
	SWEEP_FIELD(struct kvm_translation, linear_address),
	SWEEP_FIELD(struct kvm_translation, physical_address),
	SWEEP_FIELD(struct kvm_translation, valid),
	SWEEP_FIELD(struct kvm_translation, writeable),
	SWEEP_FIELD(struct kvm_translation, usermode),
	SWEEP_WORDS(struct kvm_translation, pad, 1),
};

static const struct sweep_field tpr_fields[] = {
	SWEEP_FIELD(struct kvm_tpr_access_ctl, enabled),
	SWEEP_FIELD(struct kvm_tpr_access_ctl, flags),
	SWEEP_WORDS(struct kvm_tpr_access_ctl, reserved, 4),
};

static const struct sweep_field prefault_fields[] = {
	SWEEP_FIELD(struct kvm_pre_fault_memory, gpa),
	SWEEP_FIELD(struct kvm_pre_fault_memory, size),
	SWEEP_FIELD(struct kvm_pre_fault_memory, flags),
	SWEEP_WORDS(struct kvm_pre_fault_memory, padding, 8),
};

static const struct sweep_field enable_cap_fields[] = { SWEEP_ENABLE_CAP_FIELDS };

struct signal_mask {
	u32 len;
	u8 mask[8];
};

static const struct sweep_field signal_mask_fields[] = {
	SWEEP_FIELD(struct signal_mask, len),
	SWEEP_WORDS(struct signal_mask, mask, 4),
};

static const struct sweep_field u32_fields[] = { { "value", 0, sizeof(u32), 1 } };
static const struct sweep_field u64_fields[] = { { "value", 0, sizeof(u64), 1 } };
static const struct sweep_field xen_attr_fields[] = {
	SWEEP_ALL(struct kvm_xen_vcpu_attr, 8),
};

static void tsc_khz(struct sweep_td *td, void *arg)
{
	int khz = __vcpu_ioctl(td->vcpu, KVM_GET_TSC_KHZ, NULL);

	*(u64 *)arg = max(khz, 0);
}

static void prefault(struct sweep_td *td, void *arg)
{
	struct kvm_pre_fault_memory *range = arg;

	make_scratch_private(td);
	range->gpa = SWEEP_SCRATCH_GPA;
	range->size = SWEEP_SCRATCH_SIZE;
}

const struct sweep_row sweep_vcpu_rows[] = {
	VCPU_USE(KVM_MEMORY_ENCRYPT_OP, " KVM_TDX_INIT_VCPU", struct sweep_command,
		 sizeof(struct kvm_tdx_cmd), init_vcpu_fields, .sane = KVM_TDX_INIT_VCPU,
		 .works = SWEEP_ONLY(SWEEP_VCPU), .errnos = { EINVAL, EFAULT, EIO },
		 .ends = true),
	VCPU_USE(KVM_MEMORY_ENCRYPT_OP, " KVM_TDX_INIT_MEM_REGION", struct sweep_command,
		 SWEEP_END(struct sweep_command, region), init_mem_region_fields,
		 .prepare = init_mem_region,
		 .works = SWEEP_BETWEEN(SWEEP_INIT_VCPU, SWEEP_MEMORY),
		 .errnos = { EINVAL, EFAULT, EIO, EEXIST, EOPNOTSUPP, EOVERFLOW }, .ends = true),
	VCPU_USE(KVM_MEMORY_ENCRYPT_OP, " KVM_TDX_GET_CPUID", struct sweep_command,
		 SWEEP_END(struct sweep_command, cpuid), get_cpuid_fields,
		 .prepare = get_cpuid, .works = SWEEP_BETWEEN(SWEEP_VCPU, SWEEP_MEMORY),
		 .errnos = { EINVAL, EFAULT, EIO, E2BIG }),

	VCPU_NUMBER(KVM_RUN, .works = SWEEP_FROM(SWEEP_FINAL), .errnos = { EINVAL, EIO }),
	VCPU_USE(KVM_RUN, " struct kvm_run", struct kvm_run, sizeof(struct kvm_run),
		 run_fields, .prepare = run_page, .call = call_run,
		 .works = SWEEP_FROM(SWEEP_FINAL), .errnos = { EINVAL, EINTR, EIO, EFAULT }),
	VCPU_NUMBER(KVM_NMI, .works = ALWAYS, .may_stop = SWEEP_NO_IDT_YET),
	VCPU_NUMBER(KVM_SMI, .works = SWEEP_NEVER, .errnos = { EINVAL, ENOTTY }),
	VCPU(KVM_INTERRUPT, struct kvm_interrupt, u32_fields, .sane = 0x40,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL, ENXIO, EEXIST }),
	VCPU_NUMBER(KVM_KVMCLOCK_CTRL, .works = SWEEP_MAYBE, .errnos = { EINVAL }),
	VCPU(KVM_GET_VCPU_EVENTS, struct kvm_vcpu_events, events_fields, .works = ALWAYS),
	VCPU(KVM_SET_VCPU_EVENTS, struct kvm_vcpu_events, events_fields,
	     .prepare = vcpu_events, .works = ALWAYS, .errnos = { EINVAL },
	     .may_stop = SWEEP_NO_IDT_YET),
	VCPU(KVM_GET_MP_STATE, struct kvm_mp_state, u32_fields, .works = ALWAYS),
	VCPU(KVM_SET_MP_STATE, struct kvm_mp_state, u32_fields, .works = ALWAYS,
	     .errnos = { EINVAL }),
	VCPU(KVM_X86_SETUP_MCE, u64, u64_fields, .sane = 1, .works = ALWAYS,
	     .errnos = { EINVAL }),
	VCPU(KVM_X86_SET_MCE, struct kvm_x86_mce, mce_fields, .works = SWEEP_MAYBE,
	     .errnos = { EINVAL }, .may_stop = SWEEP_ALWAYS),
	VCPU_USE(KVM_GET_NESTED_STATE, "", struct nested, sizeof(struct kvm_nested_state),
		 nested_fields, .prepare = nested_room,
		 .errnos = { EINVAL, ENOTTY, EFAULT, E2BIG }),
	VCPU_USE(KVM_SET_NESTED_STATE, "", struct nested, sizeof(struct kvm_nested_state),
		 nested_fields, .prepare = nested_state,
		 .errnos = { EINVAL, ENOTTY, EFAULT }),

	PROTECTED(KVM_GET_REGS, struct kvm_regs, 8),
	PROTECTED(KVM_SET_REGS, struct kvm_regs, 8),
	PROTECTED(KVM_GET_SREGS, struct kvm_sregs, 8),
	PROTECTED(KVM_SET_SREGS, struct kvm_sregs, 8),
	PROTECTED(KVM_GET_SREGS2, struct kvm_sregs2, 8),
	PROTECTED(KVM_SET_SREGS2, struct kvm_sregs2, 8),
	PROTECTED(KVM_GET_DEBUGREGS, struct kvm_debugregs, 8),
	PROTECTED(KVM_SET_DEBUGREGS, struct kvm_debugregs, 8),
	PROTECTED(KVM_SET_GUEST_DEBUG, struct kvm_guest_debug, 4),
	PROTECTED(KVM_GET_FPU, struct kvm_fpu, 8),
	PROTECTED(KVM_SET_FPU, struct kvm_fpu, 8),
	PROTECTED(KVM_GET_XSAVE, struct kvm_xsave, 8),
	PROTECTED(KVM_SET_XSAVE, struct kvm_xsave, 8),
	PROTECTED(KVM_GET_XSAVE2, struct kvm_xsave, 8),
	PROTECTED(KVM_GET_XCRS, struct kvm_xcrs, 8),
	PROTECTED(KVM_SET_XCRS, struct kvm_xcrs, 8),
	PROTECTED(KVM_GET_LAPIC, struct kvm_lapic_state, 8),
	PROTECTED(KVM_SET_LAPIC, struct kvm_lapic_state, 8),

	VCPU(KVM_TRANSLATE, struct kvm_translation, translation_fields, .works = SWEEP_MAYBE,
	     .errnos = { EINVAL }),
	VCPU_USE(KVM_GET_CPUID2, "", struct sweep_cpuid, sizeof(struct kvm_cpuid2),
		 cpuid_fields, .sane = TDX_MAX_CPUID, .works = ALWAYS,
		 .errnos = { E2BIG, EFAULT }),
	VCPU_USE(KVM_SET_CPUID2, "", struct sweep_cpuid, CPUID_IN, cpuid_fields,
		 .prepare = vcpu_cpuid, .works = ALWAYS, .errnos = { E2BIG, EFAULT, EINVAL },
		 .may_stop = SWEEP_ALWAYS),
	VCPU(KVM_SET_CPUID, struct old_cpuid, old_cpuid_fields, .sane = 1,
	     .works = SWEEP_MAYBE, .errnos = { E2BIG, EFAULT, EINVAL }, .may_stop = SWEEP_ALWAYS),
	VCPU_USE(KVM_GET_SUPPORTED_HV_CPUID, "", struct sweep_cpuid, sizeof(struct kvm_cpuid2),
		 cpuid_fields, .sane = TDX_MAX_CPUID, .works = SWEEP_MAYBE,
		 .errnos = { E2BIG, EFAULT, EINVAL }),
	VCPU(KVM_GET_MSRS, struct sweep_msrs, msrs_fields, .prepare = one_msr, .works = ALWAYS,
	     .errnos = { E2BIG, EFAULT }),
	VCPU(KVM_SET_MSRS, struct sweep_msrs, msrs_fields, .prepare = one_msr, .works = ALWAYS,
	     .errnos = { E2BIG, EFAULT }),
	VCPU(KVM_GET_ONE_REG, struct kvm_one_reg, one_reg_fields, .prepare = one_reg,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL, EFAULT, ENOENT }),
	VCPU(KVM_SET_ONE_REG, struct kvm_one_reg, one_reg_fields, .prepare = one_reg,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL, EFAULT, ENOENT }),
	VCPU_USE(KVM_GET_REG_LIST, "", struct sweep_cpuid, sizeof(u64), reg_list_fields,
		 .works = SWEEP_MAYBE, .errnos = { E2BIG, EINVAL, EFAULT }),
	ATTRIBUTE(KVM_HAS_DEVICE_ATTR),
	ATTRIBUTE(KVM_GET_DEVICE_ATTR),
	ATTRIBUTE(KVM_SET_DEVICE_ATTR),

	VCPU(KVM_SET_SIGNAL_MASK, struct signal_mask, signal_mask_fields,
	     .sane = 8, .works = ALWAYS, .errnos = { EINVAL }),
	VCPU(KVM_TPR_ACCESS_REPORTING, struct kvm_tpr_access_ctl, tpr_fields,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL }),
	VCPU(KVM_SET_VAPIC_ADDR, struct kvm_vapic_addr, u64_fields, .sane = SWEEP_SCRATCH_GPA,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL }),
	VCPU_SHARED_NUMBER(KVM_GET_TSC_KHZ, .works = ALWAYS),
	VCPU_SHARED_NUMBER(KVM_SET_TSC_KHZ, .prepare = tsc_khz, .errnos = { EINVAL }),
	VCPU(KVM_PRE_FAULT_MEMORY, struct kvm_pre_fault_memory, prefault_fields,
	     .prepare = prefault, .works = SWEEP_FROM(SWEEP_FINAL),
	     .errnos = { EINVAL, ENOENT, EFAULT, EOPNOTSUPP, EIO }),
	VCPU(KVM_XEN_VCPU_GET_ATTR, struct kvm_xen_vcpu_attr, xen_attr_fields,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL, ENOENT }),
	VCPU(KVM_XEN_VCPU_SET_ATTR, struct kvm_xen_vcpu_attr, xen_attr_fields,
	     .works = SWEEP_MAYBE, .errnos = { EINVAL, ENOENT }),
	VCPU_USE(KVM_ENABLE_CAP, " of a vCPU", struct kvm_enable_cap,
		 sizeof(struct kvm_enable_cap), enable_cap_fields, .works = SWEEP_MAYBE,
	     .errnos = { EINVAL, ENOTTY, EFAULT }),
	VCPU_SHARED_NUMBER(KVM_GET_STATS_FD, .works = ALWAYS, .returns_fd = true),
};

const int sweep_nr_vcpu_rows = ARRAY_SIZE(sweep_vcpu_rows);
