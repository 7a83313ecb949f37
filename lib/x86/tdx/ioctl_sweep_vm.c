// SPDX-License-Identifier: GPL-2.0
/* What a sweep tries on a VM. */
#include "tdx/ioctl_sweep_rows.h"
#include "tdx/tdx_memory.h"

#define VM_NUMBER(_cmd, ...)	SWEEP_NUMBER(SWEEP_FD_VM, #_cmd, _cmd, __VA_ARGS__)

#define VM_ROW(_name, ...)	SWEEP_STRUCT(SWEEP_FD_VM, _name, __VA_ARGS__)

#define VM(_cmd, _type, _fields, ...)					\
	VM_ROW(#_cmd, _cmd, _type, sizeof(_type), _fields, __VA_ARGS__)

/* One use of many that an ioctl has. */
#define VM_USE(_cmd, _use, _type, _in, _fields, ...)			\
	VM_ROW(#_cmd _use, _cmd, _type, _in, _fields, __VA_ARGS__)

/* An ioctl whose argument KVM does not get to look at. */
#define VM_REFUSED(_cmd, _type, _fields, ...)				\
	VM_ROW(#_cmd, _cmd, _type, sizeof(_type), _fields,		\
	       .works = SWEEP_NEVER, .errnos = { __VA_ARGS__ })

/*
 * TDX commands
 */
static const struct sweep_field command_fields[] = { SWEEP_COMMAND_FIELDS };

static const struct sweep_field capabilities_fields[] = {
	SWEEP_COMMAND_FIELDS,
	SWEEP_FIELD(struct sweep_command, caps.supported_attrs),
	SWEEP_FIELD(struct sweep_command, caps.supported_xfam),
	SWEEP_FIELD(struct sweep_command, caps.kernel_tdvmcallinfo_1_r11),
	SWEEP_FIELD(struct sweep_command, caps.user_tdvmcallinfo_1_r11),
	SWEEP_FIELD(struct sweep_command, caps.kernel_tdvmcallinfo_1_r12),
	SWEEP_FIELD(struct sweep_command, caps.user_tdvmcallinfo_1_r12),
	SWEEP_WORDS(struct sweep_command, caps.reserved, 8),
	SWEEP_FIELD(struct sweep_command, caps.cpuid.nent),
	SWEEP_FIELD(struct sweep_command, caps.cpuid.padding),
};

static const struct sweep_field init_vm_fields[] = {
	SWEEP_COMMAND_FIELDS,
	SWEEP_FIELD(struct sweep_command, init.attributes),
	SWEEP_FIELD(struct sweep_command, init.xfam),
	SWEEP_WORDS(struct sweep_command, init.mrconfigid, 8),
	SWEEP_WORDS(struct sweep_command, init.mrowner, 8),
	SWEEP_WORDS(struct sweep_command, init.mrownerconfig, 8),
	SWEEP_WORDS(struct sweep_command, init.reserved, 8),
	SWEEP_FIELD(struct sweep_command, init.cpuid.nent),
	SWEEP_FIELD(struct sweep_command, init.cpuid.padding),
	SWEEP_CPUID_ENTRY_FIELDS(struct sweep_command, init.cpuid.entries[0]),
};

static void capabilities(struct sweep_td *td, void *arg)
{
	struct sweep_command *c = arg;

	c->cmd.id = KVM_TDX_CAPABILITIES;
	c->cmd.data = (u64)&c->caps;
	c->caps.cpuid.nent = TDX_MAX_CPUID;
}

/* A dead VM has no capabilities, but then the argument doesn't matter. */
static void init_vm(struct sweep_td *td, void *arg)
{
	struct sweep_command *c = arg;
	struct kvm_tdx_init_vm *init;

	c->cmd.id = KVM_TDX_INIT_VM;
	c->cmd.data = (u64)&c->init;
	if (td->stage == SWEEP_DEAD)
		return;
	init = tdx_default_init_vm(td->vm);
	memcpy(&c->init, init, sizeof(*init) + init->cpuid.nent * sizeof(c->entries[0]));
	free(init);
}

#define COMMAND_END(member)	SWEEP_END(struct sweep_command, member)
#define INIT_VM_END		(offsetof(struct sweep_command, init.cpuid.entries) +	\
				 sizeof(struct kvm_cpuid_entry2))

/*
 * Memory
 */
static const struct sweep_field memory_region_fields[] = {
	SWEEP_FIELD(struct kvm_userspace_memory_region, slot),
	SWEEP_FIELD(struct kvm_userspace_memory_region, flags),
	SWEEP_FIELD(struct kvm_userspace_memory_region, guest_phys_addr),
	SWEEP_FIELD(struct kvm_userspace_memory_region, memory_size),
	SWEEP_FIELD(struct kvm_userspace_memory_region, userspace_addr),
};

static const struct sweep_field memory_region2_fields[] = {
	SWEEP_FIELD(struct kvm_userspace_memory_region2, slot),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, flags),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, guest_phys_addr),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, memory_size),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, userspace_addr),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, guest_memfd_offset),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, guest_memfd),
	SWEEP_FIELD(struct kvm_userspace_memory_region2, pad1),
	SWEEP_WORDS(struct kvm_userspace_memory_region2, pad2, 8),
};

static const struct sweep_field dirty_log_fields[] = {
	SWEEP_FIELD(struct kvm_dirty_log, slot),
	SWEEP_FIELD(struct kvm_dirty_log, padding1),
	SWEEP_FIELD(struct kvm_dirty_log, dirty_bitmap),
};

static const struct sweep_field clear_dirty_log_fields[] = {
	SWEEP_FIELD(struct kvm_clear_dirty_log, slot),
	SWEEP_FIELD(struct kvm_clear_dirty_log, num_pages),
	SWEEP_FIELD(struct kvm_clear_dirty_log, first_page),
	SWEEP_FIELD(struct kvm_clear_dirty_log, dirty_bitmap),
};

static const struct sweep_field attributes_fields[] = {
	SWEEP_FIELD(struct kvm_memory_attributes, address),
	SWEEP_FIELD(struct kvm_memory_attributes, size),
	SWEEP_FIELD(struct kvm_memory_attributes, attributes),
	SWEEP_FIELD(struct kvm_memory_attributes, flags),
};

static const struct sweep_field guest_memfd_fields[] = {
	SWEEP_FIELD(struct kvm_create_guest_memfd, size),
	SWEEP_FIELD(struct kvm_create_guest_memfd, flags),
	SWEEP_WORDS(struct kvm_create_guest_memfd, reserved, 8),
};

static const struct sweep_field enc_region_fields[] = {
	SWEEP_FIELD(struct kvm_enc_region, addr),
	SWEEP_FIELD(struct kvm_enc_region, size),
};

static void *free_memory(void)
{
	static void *mem;

	if (!mem)
		mem = kvm_mmap(SWEEP_SCRATCH_SIZE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1);
	return mem;
}

static void memory_region(struct sweep_td *td, void *arg)
{
	struct kvm_userspace_memory_region *region = arg;

	region->slot = SWEEP_FREE_SLOT;
	region->guest_phys_addr = SWEEP_FREE_GPA;
	region->memory_size = SWEEP_SCRATCH_SIZE;
	region->userspace_addr = (u64)free_memory();
}

static void memory_region2(struct sweep_td *td, void *arg)
{
	struct kvm_userspace_memory_region2 *region = arg;

	/* The two structures begin alike.  Not in the way of the other row's memslot. */
	memory_region(td, arg);
	region->slot++;
	region->guest_phys_addr -= 1ul << 29;
	region->flags = KVM_MEM_GUEST_MEMFD;
	region->guest_memfd = td->guest_memfd;
}

static void dirty_log(struct sweep_td *td, void *arg)
{
	struct kvm_dirty_log *log = arg;

	log->slot = SWEEP_SCRATCH_SLOT;
	log->dirty_bitmap = free_memory();
}

static void clear_dirty_log(struct sweep_td *td, void *arg)
{
	struct kvm_clear_dirty_log *log = arg;

	log->slot = SWEEP_SCRATCH_SLOT;
	log->num_pages = SWEEP_SCRATCH_SIZE / PAGE_SIZE;
	log->dirty_bitmap = free_memory();
}

static void private_attribute(struct sweep_td *td, void *arg)
{
	struct kvm_memory_attributes *attributes = arg;

	attributes->address = SWEEP_SCRATCH_GPA;
	attributes->size = SWEEP_SCRATCH_SIZE;
	attributes->attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE;
}

/*
 * Interrupts and devices
 */
static const struct sweep_field irq_level_fields[] = {
	SWEEP_FIELD(struct kvm_irq_level, irq),
	SWEEP_FIELD(struct kvm_irq_level, level),
};

static const struct sweep_field irqchip_fields[] = { SWEEP_ALL(struct kvm_irqchip, 8) };
static const struct sweep_field pit_config_fields[] = {
	SWEEP_FIELD(struct kvm_pit_config, flags),
	SWEEP_WORDS(struct kvm_pit_config, pad, 4),
};
static const struct sweep_field pit_fields[] = { SWEEP_ALL(struct kvm_pit_state, 8) };
static const struct sweep_field pit2_fields[] = { SWEEP_ALL(struct kvm_pit_state2, 8) };
static const struct sweep_field reinject_fields[] = {
	SWEEP_FIELD(struct kvm_reinject_control, pit_reinject),
	SWEEP_WORDS(struct kvm_reinject_control, reserved, 1),
};

static const struct sweep_field coalesced_fields[] = {
	SWEEP_FIELD(struct kvm_coalesced_mmio_zone, addr),
	SWEEP_FIELD(struct kvm_coalesced_mmio_zone, size),
	SWEEP_FIELD(struct kvm_coalesced_mmio_zone, pio),
};

struct routing {
	struct kvm_irq_routing routing;
	struct kvm_irq_routing_entry entry;
};

static const struct sweep_field routing_fields[] = {
	SWEEP_FIELD(struct routing, routing.nr),
	SWEEP_FIELD(struct routing, routing.flags),
	SWEEP_FIELD(struct routing, entry.gsi),
	SWEEP_FIELD(struct routing, entry.type),
	SWEEP_FIELD(struct routing, entry.flags),
	SWEEP_FIELD(struct routing, entry.pad),
	SWEEP_WORDS(struct routing, entry.u, 4),
};

static const struct sweep_field irqfd_fields[] = {
	SWEEP_FIELD(struct kvm_irqfd, fd),
	SWEEP_FIELD(struct kvm_irqfd, gsi),
	SWEEP_FIELD(struct kvm_irqfd, flags),
	SWEEP_FIELD(struct kvm_irqfd, resamplefd),
	SWEEP_WORDS(struct kvm_irqfd, pad, 8),
};

static const struct sweep_field ioeventfd_fields[] = {
	SWEEP_FIELD(struct kvm_ioeventfd, datamatch),
	SWEEP_FIELD(struct kvm_ioeventfd, addr),
	SWEEP_FIELD(struct kvm_ioeventfd, len),
	SWEEP_FIELD(struct kvm_ioeventfd, fd),
	SWEEP_FIELD(struct kvm_ioeventfd, flags),
	SWEEP_WORDS(struct kvm_ioeventfd, pad, 4),
};

static const struct sweep_field msi_fields[] = {
	SWEEP_FIELD(struct kvm_msi, address_lo),
	SWEEP_FIELD(struct kvm_msi, address_hi),
	SWEEP_FIELD(struct kvm_msi, data),
	SWEEP_FIELD(struct kvm_msi, flags),
	SWEEP_FIELD(struct kvm_msi, devid),
	SWEEP_WORDS(struct kvm_msi, pad, 4),
};

static const struct sweep_field device_fields[] = {
	SWEEP_FIELD(struct kvm_create_device, type),
	SWEEP_FIELD(struct kvm_create_device, fd),
	SWEEP_FIELD(struct kvm_create_device, flags),
};

#define VECTOR		0x40
#define MSI_ADDRESS	0xfee00000

static void coalesced(struct sweep_td *td, void *arg)
{
	struct kvm_coalesced_mmio_zone *zone = arg;

	zone->addr = SWEEP_FREE_GPA;
	zone->size = PAGE_SIZE;
}

static void routing(struct sweep_td *td, void *arg)
{
	struct routing *r = arg;

	r->routing.nr = 1;
	r->entry.gsi = 1;
	r->entry.type = KVM_IRQ_ROUTING_MSI;
	r->entry.u.msi.address_lo = MSI_ADDRESS;
	r->entry.u.msi.data = VECTOR;
}

static void irqfd(struct sweep_td *td, void *arg)
{
	struct kvm_irqfd *irqfd = arg;

	irqfd->fd = td->eventfd;
	irqfd->gsi = 1;
}

static void ioeventfd(struct sweep_td *td, void *arg)
{
	struct kvm_ioeventfd *ioeventfd = arg;

	ioeventfd->addr = SWEEP_FREE_GPA;
	ioeventfd->len = 4;
	ioeventfd->fd = td->eventfd;
}

static void msi(struct sweep_td *td, void *arg)
{
	struct kvm_msi *msi = arg;

	msi->address_lo = MSI_ADDRESS;
	msi->data = VECTOR;
}

/*
 * Other settings
 */
static const struct sweep_field clock_fields[] = {
	SWEEP_FIELD(struct kvm_clock_data, clock),
	SWEEP_FIELD(struct kvm_clock_data, flags),
	SWEEP_FIELD(struct kvm_clock_data, pad0),
	SWEEP_FIELD(struct kvm_clock_data, realtime),
	SWEEP_FIELD(struct kvm_clock_data, host_tsc),
	SWEEP_WORDS(struct kvm_clock_data, pad, 4),
};

static const struct sweep_field pmu_filter_fields[] = {
	SWEEP_FIELD(struct kvm_pmu_event_filter, action),
	SWEEP_FIELD(struct kvm_pmu_event_filter, nevents),
	SWEEP_FIELD(struct kvm_pmu_event_filter, fixed_counter_bitmap),
	SWEEP_FIELD(struct kvm_pmu_event_filter, flags),
	SWEEP_WORDS(struct kvm_pmu_event_filter, pad, 4),
};

static const struct sweep_field msr_filter_fields[] = {
	SWEEP_FIELD(struct kvm_msr_filter, flags),
	{ "pad", sizeof(u32), sizeof(u32), 1 },
	SWEEP_FIELD(struct kvm_msr_filter, ranges[0].flags),
	SWEEP_FIELD(struct kvm_msr_filter, ranges[0].nmsrs),
	SWEEP_FIELD(struct kvm_msr_filter, ranges[0].base),
	{ "ranges[0].pad", SWEEP_END(struct kvm_msr_filter, ranges[0].base), sizeof(u32), 1 },
	SWEEP_FIELD(struct kvm_msr_filter, ranges[0].bitmap),
};

static const struct sweep_field hyperv_eventfd_fields[] = {
	SWEEP_FIELD(struct kvm_hyperv_eventfd, conn_id),
	SWEEP_FIELD(struct kvm_hyperv_eventfd, fd),
	SWEEP_FIELD(struct kvm_hyperv_eventfd, flags),
	SWEEP_WORDS(struct kvm_hyperv_eventfd, padding, 4),
};

static const struct sweep_field u64_fields[] = { { "value", 0, sizeof(u64), 1 } };
static const struct sweep_field xen_config_fields[] = {
	SWEEP_ALL(struct kvm_xen_hvm_config, 8),
};
static const struct sweep_field xen_attr_fields[] = { SWEEP_ALL(struct kvm_xen_hvm_attr, 8) };
static const struct sweep_field xen_evtchn_fields[] = {
	SWEEP_ALL(struct kvm_irq_routing_xen_evtchn, 4),
};

static void vm_tsc_khz(struct sweep_td *td, void *arg)
{
	*(u64 *)arg = td->stage == SWEEP_DEAD ? 0 : __vm_ioctl(td->vm, KVM_GET_TSC_KHZ, NULL);
}

static void msr_filter(struct sweep_td *td, void *arg)
{
	struct kvm_msr_filter *filter = arg;
	static u8 bitmap[8];

	filter->ranges[0] = (struct kvm_msr_filter_range) {
		.flags = KVM_MSR_FILTER_READ,
		.nmsrs = 8,
		.base = MSR_IA32_TSC,
		.bitmap = bitmap,
	};
}

static void hyperv_eventfd(struct sweep_td *td, void *arg)
{
	((struct kvm_hyperv_eventfd *)arg)->fd = td->eventfd;
}

/*
 * Capabilities to enable
 */
static const struct sweep_field enable_cap_fields[] = { SWEEP_ENABLE_CAP_FIELDS };

#define VM_CAP(_cap)							\
	VM_ROW("KVM_ENABLE_CAP " #_cap, KVM_ENABLE_CAP, struct kvm_enable_cap, \
	       sizeof(struct kvm_enable_cap), enable_cap_fields,	\
	       .sane = _cap, .works = SWEEP_MAYBE, .may_stop = SWEEP_ALWAYS, \
	       .errnos = { EINVAL, EEXIST, EPERM, ENXIO, ENOTTY, EBADF, EFAULT, E2BIG })

const struct sweep_row sweep_vm_rows[] = {
	VM_USE(KVM_MEMORY_ENCRYPT_OP, " KVM_TDX_CAPABILITIES", struct sweep_command,
	       COMMAND_END(caps), capabilities_fields, .prepare = capabilities,
	       .works = SWEEP_ALWAYS, .errnos = { EINVAL, E2BIG, EFAULT, EIO }),
	VM_USE(KVM_MEMORY_ENCRYPT_OP, " KVM_TDX_INIT_VM", struct sweep_command, INIT_VM_END,
	       init_vm_fields, .prepare = init_vm, .works = SWEEP_ONLY(SWEEP_NEW),
	       .errnos = { EINVAL, E2BIG, EFAULT, EIO, EOPNOTSUPP }, .ends = true),
	VM_USE(KVM_MEMORY_ENCRYPT_OP, " KVM_TDX_FINALIZE_VM", struct sweep_command,
	       sizeof(struct kvm_tdx_cmd), command_fields, .sane = KVM_TDX_FINALIZE_VM,
	       .works = SWEEP_ONLY(SWEEP_MEMORY) | SWEEP_ONLY(SWEEP_INIT_VCPU),
	       .errnos = { EINVAL, EFAULT, EIO }, .ends = true),
	VM(KVM_MEMORY_ENCRYPT_REG_REGION, struct kvm_enc_region, enc_region_fields,
	   .errnos = { ENOTTY }),
	VM(KVM_MEMORY_ENCRYPT_UNREG_REGION, struct kvm_enc_region, enc_region_fields,
	   .errnos = { ENOTTY }),

	VM_NUMBER(KVM_CREATE_VCPU, .sane = 1,
		  .works = SWEEP_BETWEEN(SWEEP_INIT_VM, SWEEP_MEMORY),
		  .errnos = { EINVAL, EEXIST, EIO }, .returns_fd = true, .ends = true),
	VM_NUMBER(KVM_CHECK_EXTENSION, .sane = KVM_CAP_USER_MEMORY, .works = SWEEP_ALWAYS),
	VM_NUMBER(KVM_SET_BOOT_CPU_ID, .works = SWEEP_BETWEEN(SWEEP_NEW, SWEEP_INIT_VM),
		  .errnos = { EBUSY, EINVAL }, .may_stop = SWEEP_ALWAYS),

	VM(KVM_SET_USER_MEMORY_REGION, struct kvm_userspace_memory_region,
	   memory_region_fields, .prepare = memory_region, .works = SWEEP_ALWAYS,
	   .errnos = { EINVAL, EEXIST, ENOMEM }, .may_stop = SWEEP_ALWAYS),
	VM(KVM_SET_USER_MEMORY_REGION2, struct kvm_userspace_memory_region2,
	   memory_region2_fields, .prepare = memory_region2, .works = SWEEP_ALWAYS,
	   .errnos = { EINVAL, EEXIST, ENOMEM, EBADF }, .may_stop = SWEEP_ALWAYS),
	VM(KVM_SET_MEMORY_ATTRIBUTES, struct kvm_memory_attributes, attributes_fields,
	   .prepare = private_attribute, .too_big = too_many_attributes,
	   .works = SWEEP_ALWAYS,
	   .errnos = { EINVAL, ENOMEM }, .may_stop = SWEEP_ALWAYS),
	VM(KVM_CREATE_GUEST_MEMFD, struct kvm_create_guest_memfd, guest_memfd_fields,
	   .sane = SWEEP_SCRATCH_SIZE, .works = SWEEP_ALWAYS, .errnos = { EINVAL },
	   .returns_fd = true),
	VM(KVM_GET_DIRTY_LOG, struct kvm_dirty_log, dirty_log_fields, .prepare = dirty_log,
	   .errnos = { ENOENT, EINVAL, EFAULT, ENXIO }),
	VM(KVM_CLEAR_DIRTY_LOG, struct kvm_clear_dirty_log, clear_dirty_log_fields,
	   .prepare = clear_dirty_log, .errnos = { ENOENT, EINVAL, EFAULT, ENXIO }),
	VM_NUMBER(KVM_RESET_DIRTY_RINGS, .errnos = { EINVAL }),
	VM_NUMBER(KVM_SET_NR_MMU_PAGES, .sane = 1024, .works = SWEEP_ALWAYS,
		  .errnos = { EINVAL }),
	VM_NUMBER(KVM_SET_TSS_ADDR, .works = SWEEP_ALWAYS, .errnos = { EINVAL }),
	VM(KVM_SET_IDENTITY_MAP_ADDR, u64, u64_fields,
	   .works = SWEEP_BETWEEN(SWEEP_NEW, SWEEP_INIT_VM), .errnos = { EINVAL }),

	VM_NUMBER(KVM_CREATE_IRQCHIP, .errnos = { ENOTTY, EEXIST, EINVAL }),
	VM(KVM_IRQ_LINE, struct kvm_irq_level, irq_level_fields, .works = SWEEP_ALWAYS,
	   .errnos = { ENXIO, EINVAL }),
	VM(KVM_IRQ_LINE_STATUS, struct kvm_irq_level, irq_level_fields,
	   .works = SWEEP_ALWAYS, .errnos = { ENXIO, EINVAL }),
	VM_REFUSED(KVM_GET_IRQCHIP, struct kvm_irqchip, irqchip_fields, ENXIO, ENOTTY),
	VM_REFUSED(KVM_SET_IRQCHIP, struct kvm_irqchip, irqchip_fields, ENXIO, ENOTTY),
	VM_NUMBER(KVM_CREATE_PIT, .errnos = { ENOENT, ENOTTY }),
	VM_REFUSED(KVM_CREATE_PIT2, struct kvm_pit_config, pit_config_fields, ENOENT, ENOTTY),
	VM_REFUSED(KVM_GET_PIT, struct kvm_pit_state, pit_fields, ENXIO, ENOTTY),
	VM_REFUSED(KVM_SET_PIT, struct kvm_pit_state, pit_fields, ENXIO, ENOTTY),
	VM_REFUSED(KVM_GET_PIT2, struct kvm_pit_state2, pit2_fields, ENXIO, ENOTTY),
	VM_REFUSED(KVM_SET_PIT2, struct kvm_pit_state2, pit2_fields, ENXIO, ENOTTY),
	VM_REFUSED(KVM_REINJECT_CONTROL, struct kvm_reinject_control, reinject_fields,
		   ENXIO, ENOTTY),
	VM(KVM_REGISTER_COALESCED_MMIO, struct kvm_coalesced_mmio_zone, coalesced_fields,
	   .prepare = coalesced, .works = SWEEP_ALWAYS, .errnos = { EINVAL, ENOSPC },
	   .may_stop = SWEEP_ALWAYS),
	VM(KVM_UNREGISTER_COALESCED_MMIO, struct kvm_coalesced_mmio_zone, coalesced_fields,
	   .prepare = coalesced, .works = SWEEP_ALWAYS, .errnos = { EINVAL }),
	VM(KVM_SET_GSI_ROUTING, struct routing, routing_fields, .prepare = routing,
	   .works = SWEEP_ALWAYS, .errnos = { EINVAL, EFAULT, E2BIG, ENOMEM }),
	VM(KVM_IRQFD, struct kvm_irqfd, irqfd_fields, .prepare = irqfd,
	   .works = SWEEP_ALWAYS, .errnos = { EINVAL, EBADF, EBUSY }),
	VM(KVM_IOEVENTFD, struct kvm_ioeventfd, ioeventfd_fields, .prepare = ioeventfd,
	   .works = SWEEP_ALWAYS, .errnos = { EINVAL, EBADF, EEXIST, ENOENT, ENOSPC },
	   .may_stop = SWEEP_ALWAYS),
	VM(KVM_SIGNAL_MSI, struct kvm_msi, msi_fields, .prepare = msi,
	   .works = SWEEP_MAYBE, .errnos = { EINVAL, EPERM }, .may_stop = SWEEP_NO_IDT_YET),
	VM(KVM_CREATE_DEVICE, struct kvm_create_device, device_fields,
	   .sane = KVM_DEV_TYPE_VFIO, .works = SWEEP_MAYBE, .errnos = { ENODEV, EINVAL, EEXIST, EBUSY }),

	VM(KVM_SET_CLOCK, struct kvm_clock_data, clock_fields, .works = SWEEP_ALWAYS,
	   .errnos = { EINVAL }),
	VM(KVM_GET_CLOCK, struct kvm_clock_data, clock_fields, .works = SWEEP_ALWAYS),
	VM_NUMBER(KVM_SET_TSC_KHZ, .prepare = vm_tsc_khz,
		  .works = SWEEP_BETWEEN(SWEEP_NEW, SWEEP_INIT_VM), .errnos = { EINVAL },
		  .may_stop = SWEEP_ALWAYS),
	VM_NUMBER(KVM_GET_TSC_KHZ, .works = SWEEP_ALWAYS),
	VM_USE(KVM_SET_PMU_EVENT_FILTER, "", struct kvm_pmu_event_filter,
	       sizeof(struct kvm_pmu_event_filter), pmu_filter_fields, .works = SWEEP_MAYBE,
	       .errnos = { EINVAL, E2BIG, EFAULT, ENOTTY }),
	VM_USE(KVM_X86_SET_MSR_FILTER, "", struct kvm_msr_filter,
	       offsetof(struct kvm_msr_filter, ranges[1]), msr_filter_fields,
	       .prepare = msr_filter, .works = SWEEP_ALWAYS, .errnos = { EINVAL, EFAULT }),
	VM(KVM_HYPERV_EVENTFD, struct kvm_hyperv_eventfd, hyperv_eventfd_fields,
	   .prepare = hyperv_eventfd, .works = SWEEP_MAYBE,
	   .errnos = { EINVAL, EBADF, EEXIST, ENOENT, ENOTTY }),
	VM(KVM_XEN_HVM_CONFIG, struct kvm_xen_hvm_config, xen_config_fields,
	   .works = SWEEP_MAYBE, .errnos = { ENOTTY, EINVAL }),
	VM(KVM_XEN_HVM_GET_ATTR, struct kvm_xen_hvm_attr, xen_attr_fields,
	   .works = SWEEP_MAYBE, .errnos = { ENOTTY, EINVAL, ENOENT }),
	VM(KVM_XEN_HVM_SET_ATTR, struct kvm_xen_hvm_attr, xen_attr_fields,
	   .works = SWEEP_MAYBE, .errnos = { ENOTTY, EINVAL, ENOENT, EINVAL }),
	VM(KVM_XEN_HVM_EVTCHN_SEND, struct kvm_irq_routing_xen_evtchn, xen_evtchn_fields,
	   .works = SWEEP_MAYBE, .errnos = { ENOTTY, EINVAL, ENOENT }),
	VM_NUMBER(KVM_GET_STATS_FD, .works = SWEEP_ALWAYS, .returns_fd = true),

	VM_USE(KVM_ENABLE_CAP, "", struct kvm_enable_cap, sizeof(struct kvm_enable_cap),
	       enable_cap_fields, .works = SWEEP_MAYBE, .may_stop = SWEEP_ALWAYS,
	       .errnos = { EINVAL, EEXIST, EPERM, ENXIO, ENOTTY, EBADF, EFAULT, E2BIG }),
	VM_CAP(KVM_CAP_DIRTY_LOG_RING),
	VM_CAP(KVM_CAP_DIRTY_LOG_RING_ACQ_REL),
	VM_CAP(KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP),
	VM_CAP(KVM_CAP_DISABLE_QUIRKS),
	VM_CAP(KVM_CAP_DISABLE_QUIRKS2),
	VM_CAP(KVM_CAP_EXCEPTION_PAYLOAD),
	VM_CAP(KVM_CAP_EXIT_HYPERCALL),
	VM_CAP(KVM_CAP_EXIT_ON_EMULATION_FAILURE),
	VM_CAP(KVM_CAP_HALT_POLL),
	VM_CAP(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2),
	VM_CAP(KVM_CAP_MAX_VCPUS),
	VM_CAP(KVM_CAP_MAX_VCPU_ID),
	VM_CAP(KVM_CAP_MSR_PLATFORM_INFO),
	VM_CAP(KVM_CAP_PMU_CAPABILITY),
	VM_CAP(KVM_CAP_SGX_ATTRIBUTE),
	VM_CAP(KVM_CAP_SPLIT_IRQCHIP),
	VM_CAP(KVM_CAP_VM_COPY_ENC_CONTEXT_FROM),
	VM_CAP(KVM_CAP_VM_DISABLE_NX_HUGE_PAGES),
	VM_CAP(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM),
	VM_CAP(KVM_CAP_X2APIC_API),
	VM_CAP(KVM_CAP_X86_APIC_BUS_CYCLES_NS),
	VM_CAP(KVM_CAP_X86_BUS_LOCK_EXIT),
	VM_CAP(KVM_CAP_X86_DISABLE_EXITS),
	VM_CAP(KVM_CAP_X86_NOTIFY_VMEXIT),
	VM_CAP(KVM_CAP_X86_TRIPLE_FAULT_EVENT),
	VM_CAP(KVM_CAP_X86_USER_SPACE_MSR),
};

const int sweep_nr_vm_rows = ARRAY_SIZE(sweep_vm_rows);
