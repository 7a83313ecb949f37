// SPDX-License-Identifier: GPL-2.0
/*
 * What a step of a random program may be: a row for each ioctl.
 */
#include <linux/falloc.h>

#include "tdx/fuzz_steps.h"

#define F(_type, _member)						\
	{ #_member, offsetof(struct _type, _member), sizeof(((struct _type *)0)->_member) }
#define FIELDS(_f)	.fields = _f, .nr_fields = ARRAY_SIZE(_f)
#define STRUCT(_type)	.type = #_type, .size = sizeof(_type)

static const struct fuzz_field launch_fields[] = {
	F(fuzz_launch, type), F(fuzz_launch, stage), F(fuzz_launch, vcpus),
	F(fuzz_launch, attributes), F(fuzz_launch, gpaw),
};

static const struct fuzz_field guest_fields[] = {
	F(fuzz_guest, op), F(fuzz_guest, addr), F(fuzz_guest, val), F(fuzz_guest, mask),
	F(fuzz_guest, call_mask), F(fuzz_guest, type), F(fuzz_guest, leaf),
	F(fuzz_guest, arg[0]), F(fuzz_guest, arg[1]), F(fuzz_guest, arg[2]),
	F(fuzz_guest, arg[3]), F(fuzz_guest, arg[4]), F(fuzz_guest, arg[5]),
	F(fuzz_guest, runs), F(fuzz_guest, answer), F(fuzz_guest, convert),
};

static const struct fuzz_field run_fields[] = {
	F(kvm_run, request_interrupt_window), F(kvm_run, immediate_exit), F(kvm_run, flags),
	F(kvm_run, cr8), F(kvm_run, apic_base), F(kvm_run, kvm_valid_regs),
	F(kvm_run, kvm_dirty_regs), F(kvm_run, exit_reason), F(kvm_run, hypercall.ret),
	F(kvm_run, msr.error), F(kvm_run, msr.data), F(kvm_run, tdx.unknown.ret),
};

static const struct fuzz_field memory_fields[] = {
	F(fuzz_memory, offset), F(fuzz_memory, size), F(fuzz_memory, mode),
};

static const struct fuzz_field one_number[] = {
	F(fuzz_number, number),
};

static const struct fuzz_field raw_fields[] = {
	F(fuzz_raw, target), F(fuzz_raw, nr), F(fuzz_raw, dir), F(fuzz_raw, size),
	F(fuzz_raw, word[0]), F(fuzz_raw, word[1]), F(fuzz_raw, word[2]),
	F(fuzz_raw, word[3]),
};

static const struct fuzz_field init_vm_fields[] = {
	F(fuzz_init_vm, cmd.flags), F(fuzz_init_vm, cmd.data), F(fuzz_init_vm, cmd.hw_error),
	F(fuzz_init_vm, init.attributes), F(fuzz_init_vm, init.xfam),
	F(fuzz_init_vm, init.mrconfigid[0]), F(fuzz_init_vm, init.mrownerconfig[5]),
	F(fuzz_init_vm, init.reserved[0]), F(fuzz_init_vm, init.reserved[11]),
	F(fuzz_init_vm, init.cpuid.nent), F(fuzz_init_vm, init.cpuid.padding),
	F(fuzz_init_vm, entry[0].function), F(fuzz_init_vm, entry[0].index),
	F(fuzz_init_vm, entry[0].flags), F(fuzz_init_vm, entry[0].eax),
	F(fuzz_init_vm, entry[0].ebx), F(fuzz_init_vm, entry[0].ecx),
	F(fuzz_init_vm, entry[0].edx), F(fuzz_init_vm, entry[1].function),
	F(fuzz_init_vm, entry[1].eax), F(fuzz_init_vm, entry[2].eax),
	F(fuzz_init_vm, entry[3].eax), F(fuzz_init_vm, entry[3].ebx),
};

static const struct fuzz_field cmd_fields[] = {
	F(fuzz_cmd, cmd.id), F(fuzz_cmd, cmd.flags), F(fuzz_cmd, cmd.data),
	F(fuzz_cmd, cmd.hw_error), F(fuzz_cmd, word[0]), F(fuzz_cmd, word[1]),
	F(fuzz_cmd, word[2]),
};

static const struct fuzz_field region2_fields[] = {
	F(kvm_userspace_memory_region2, slot), F(kvm_userspace_memory_region2, flags),
	F(kvm_userspace_memory_region2, guest_phys_addr),
	F(kvm_userspace_memory_region2, memory_size),
	F(kvm_userspace_memory_region2, userspace_addr),
	F(kvm_userspace_memory_region2, guest_memfd_offset),
	F(kvm_userspace_memory_region2, guest_memfd), F(kvm_userspace_memory_region2, pad1),
	F(kvm_userspace_memory_region2, pad2[0]),
};

static const struct fuzz_field attributes_fields[] = {
	F(kvm_memory_attributes, address), F(kvm_memory_attributes, size),
	F(kvm_memory_attributes, attributes), F(kvm_memory_attributes, flags),
};

static const struct fuzz_field gmem_fields[] = {
	F(kvm_create_guest_memfd, size), F(kvm_create_guest_memfd, flags),
	F(kvm_create_guest_memfd, reserved[0]),
};

static const struct fuzz_field prefault_fields[] = {
	F(kvm_pre_fault_memory, gpa), F(kvm_pre_fault_memory, size),
	F(kvm_pre_fault_memory, flags), F(kvm_pre_fault_memory, padding[0]),
};

static const struct fuzz_field events_fields[] = {
	F(kvm_vcpu_events, exception.injected), F(kvm_vcpu_events, exception.nr),
	F(kvm_vcpu_events, exception.has_error_code), F(kvm_vcpu_events, exception.pending),
	F(kvm_vcpu_events, exception.error_code), F(kvm_vcpu_events, interrupt.injected),
	F(kvm_vcpu_events, interrupt.nr), F(kvm_vcpu_events, interrupt.soft),
	F(kvm_vcpu_events, interrupt.shadow), F(kvm_vcpu_events, nmi.injected),
	F(kvm_vcpu_events, nmi.pending), F(kvm_vcpu_events, nmi.masked),
	F(kvm_vcpu_events, sipi_vector), F(kvm_vcpu_events, flags),
	F(kvm_vcpu_events, smi.smm), F(kvm_vcpu_events, smi.pending),
	F(kvm_vcpu_events, smi.smm_inside_nmi), F(kvm_vcpu_events, smi.latched_init),
	F(kvm_vcpu_events, triple_fault.pending), F(kvm_vcpu_events, exception_has_payload),
	F(kvm_vcpu_events, exception_payload),
};

static const struct fuzz_field cap_fields[] = {
	F(kvm_enable_cap, cap), F(kvm_enable_cap, flags), F(kvm_enable_cap, args[0]),
	F(kvm_enable_cap, args[1]), F(kvm_enable_cap, args[2]),
};

static const struct fuzz_field device_attr_fields[] = {
	F(kvm_device_attr, flags), F(kvm_device_attr, group), F(kvm_device_attr, attr),
	F(kvm_device_attr, addr),
};

static const struct fuzz_field device_fields[] = {
	F(kvm_create_device, type), F(kvm_create_device, flags),
};

static const struct fuzz_field irqfd_fields[] = {
	F(kvm_irqfd, fd), F(kvm_irqfd, gsi), F(kvm_irqfd, flags), F(kvm_irqfd, resamplefd),
};

static const struct fuzz_field ioeventfd_fields[] = {
	F(kvm_ioeventfd, datamatch), F(kvm_ioeventfd, addr), F(kvm_ioeventfd, len),
	F(kvm_ioeventfd, fd), F(kvm_ioeventfd, flags),
};

static const struct fuzz_field routing_fields[] = {
	F(fuzz_routing, routing.nr), F(fuzz_routing, routing.flags),
	F(fuzz_routing, entry[0].gsi), F(fuzz_routing, entry[0].type),
	F(fuzz_routing, entry[0].flags), F(fuzz_routing, entry[0].u.pad[0]),
	F(fuzz_routing, entry[0].u.pad[1]), F(fuzz_routing, entry[0].u.pad[2]),
	F(fuzz_routing, entry[0].u.pad[3]), F(fuzz_routing, entry[1].gsi),
	F(fuzz_routing, entry[1].type), F(fuzz_routing, entry[1].u.pad[0]),
};

static const struct fuzz_field msi_fields[] = {
	F(kvm_msi, address_lo), F(kvm_msi, address_hi), F(kvm_msi, data), F(kvm_msi, flags),
	F(kvm_msi, devid),
};

static const struct fuzz_field msrs_fields[] = {
	F(fuzz_msrs, msrs.nmsrs), F(fuzz_msrs, msrs.pad), F(fuzz_msrs, entry[0].index),
	F(fuzz_msrs, entry[0].data), F(fuzz_msrs, entry[1].index), F(fuzz_msrs, entry[1].data),
};

static const struct fuzz_field cpuid_fields[] = {
	F(fuzz_cpuid, cpuid.nent), F(fuzz_cpuid, cpuid.padding),
	F(fuzz_cpuid, entry[0].function), F(fuzz_cpuid, entry[0].index),
	F(fuzz_cpuid, entry[0].flags), F(fuzz_cpuid, entry[0].eax),
	F(fuzz_cpuid, entry[0].ebx), F(fuzz_cpuid, entry[0].ecx),
	F(fuzz_cpuid, entry[0].edx), F(fuzz_cpuid, entry[1].function),
	F(fuzz_cpuid, entry[1].ecx),
};

static const struct fuzz_field clock_fields[] = {
	F(kvm_clock_data, clock), F(kvm_clock_data, flags), F(kvm_clock_data, realtime),
	F(kvm_clock_data, host_tsc),
};

static const struct fuzz_field line_fields[] = {
	F(kvm_irq_level, irq), F(kvm_irq_level, level),
};

static const struct fuzz_field log_fields[] = {
	F(kvm_clear_dirty_log, slot), F(kvm_clear_dirty_log, num_pages),
	F(kvm_clear_dirty_log, first_page), F(kvm_clear_dirty_log, padding2),
};

static const struct fuzz_field zone_fields[] = {
	F(kvm_coalesced_mmio_zone, addr), F(kvm_coalesced_mmio_zone, size),
	F(kvm_coalesced_mmio_zone, pio),
};

static const struct fuzz_field debug_fields[] = {
	F(kvm_guest_debug, control), F(kvm_guest_debug, arch.debugreg[0]),
	F(kvm_guest_debug, arch.debugreg[7]),
};

static const struct fuzz_launch launch_sane = {
	.type = KVM_X86_TDX_VM, .stage = FUZZ_HAS_RUN, .vcpus = 1, .gpaw = 48,
};
static const struct fuzz_guest call_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = TDVMCALL_GET_TD_VM_CALL_INFO, .runs = 4, .convert = 1,
};
static const struct fuzz_guest memory_sane = {
	.op = TDX_GUEST_WRITE, .addr = GMEM_PAGE(1), .val = MAGIC, .runs = 4, .convert = 1,
};
static const struct fuzz_guest accept_sane = {
	.op = TDX_GUEST_ACCEPT, .addr = GMEM_PAGE(5), .runs = 4, .convert = 1,
};
static const struct fuzz_guest wrmsr_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_MSR_WRITE, .arg = { MSR_IA32_CR_PAT, 0 },
	.runs = 4,
};
static const struct fuzz_guest map_gpa_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = TDVMCALL_MAP_GPA, .arg = { GMEM_PAGE(6), PAGE_SIZE },
	.runs = 4, .convert = 1,
};
static const struct fuzz_guest io_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_IO_INSTRUCTION,
	.arg = { 4, TDVMCALL_WRITE, 0x80, 1 }, .runs = 4,
};
static const struct fuzz_guest mmio_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_EPT_VIOLATION,
	.arg = { 4, TDVMCALL_WRITE, BIT_ULL(47) | 0xd0000000, 1 }, .runs = 4,
};
static const struct fuzz_guest io_in_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_IO_INSTRUCTION,
	.arg = { 4, TDVMCALL_READ, 0x80 }, .runs = 4, .answer = 0x12345678,
};
static const struct fuzz_guest mmio_read_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_EPT_VIOLATION,
	.arg = { 4, TDVMCALL_READ, BIT_ULL(47) | 0xd0000000 }, .runs = 4, .answer = 0x12345678,
};
static const struct fuzz_guest rdmsr_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_MSR_READ, .arg = { MSR_IA32_CR_PAT },
	.runs = 4,
};
static const struct fuzz_guest cpuid_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_CPUID, .arg = { KVM_CPUID_SIGNATURE },
	.runs = 4,
};
static const struct fuzz_guest hlt_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_HLT, .runs = 2,
};
static const struct fuzz_guest get_quote_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = TDVMCALL_GET_QUOTE,
	.arg = { BIT_ULL(47) | PLAIN_GPA, PAGE_SIZE }, .runs = 4,
};
static const struct fuzz_guest notify_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT,
	.arg = { 0x40 }, .runs = 4,
};
static const struct fuzz_guest enable_apic_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_MSR_WRITE, .arg = { 0x80f, 0x1ff },
	.runs = 4,
};
static const struct fuzz_guest ipi_sane = {
	.op = TDX_GUEST_TDVMCALL, .leaf = EXIT_REASON_MSR_WRITE, .arg = { 0x830, 0x40 },
	.runs = 4,
};
static const struct fuzz_memory memory_range_sane = { 0, PAGE_SIZE, 0 };
static const struct fuzz_raw raw_sane = {
	.target = FUZZ_VCPU, .nr = 0x80, .size = 8, .dir = 1,
};
static const struct fuzz_cmd region_sane = {
	.cmd.id = KVM_TDX_INIT_MEM_REGION, .word = { 0, GMEM_PAGE(7), 1 },
};
static const struct fuzz_cmd init_vcpu_sane = { .cmd.id = KVM_TDX_INIT_VCPU };
static const struct fuzz_cmd get_cpuid_sane = {
	.cmd.id = KVM_TDX_GET_CPUID, .word = { TDX_MAX_CPUID },
};
static const struct fuzz_cmd finalize_sane = { .cmd.id = KVM_TDX_FINALIZE_VM };
static const struct fuzz_cmd capabilities_sane = { .cmd.id = KVM_TDX_CAPABILITIES };
static const struct kvm_userspace_memory_region2 region2_sane = {
	.slot = 20, .flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = GMEM_GPA + 0x2000000,
	.memory_size = FUZZ_SCRATCH_SIZE,
};
static const struct kvm_userspace_memory_region2 plain_sane = {
	.slot = PLAIN_SLOT, .guest_phys_addr = PLAIN_GPA, .memory_size = SLOT_SIZE,
};
static const struct kvm_memory_attributes attributes_sane = {
	.address = GMEM_GPA, .size = PAGE_SIZE, .attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
};
static const struct kvm_create_guest_memfd gmem_sane = { .size = FUZZ_SCRATCH_SIZE };
static const struct kvm_pre_fault_memory prefault_sane = {
	.gpa = GMEM_PAGE(8), .size = PAGE_SIZE,
};
static const struct kvm_irqfd irqfd_sane = { .gsi = 24 };
static const struct kvm_ioeventfd ioeventfd_sane = { .addr = 0xd0000000, .len = 4 };
static const struct fuzz_routing routing_sane = {
	.routing.nr = 1,
	.entry[0] = { .gsi = 24, .type = KVM_IRQ_ROUTING_MSI, .u.pad = { 0xfee00000, 0, 0x40 } },
};
static const struct kvm_msi msi_sane = { .address_lo = 0xfee00000, .data = 0x40 };
static const struct fuzz_msrs msrs_sane = {
	.msrs.nmsrs = 1, .entry[0] = { .index = MSR_IA32_CR_PAT, .data = 0x0007040600070406 },
};
static const struct kvm_enable_cap cap_sane = { .cap = KVM_CAP_EXIT_HYPERCALL };
static const struct kvm_irq_level line_sane = { .irq = 4, .level = 1 };
static const struct kvm_coalesced_mmio_zone zone_sane = { .addr = 0xd0000000, .size = 8 };
static const struct kvm_clear_dirty_log log_sane = {
	.slot = GMEM_SLOT, .num_pages = SLOT_PAGES,
};

/* An ioctl with a structure, with a number, and with one that a GET fills in. */
#define IOCTL(_target, _request, _type, _fields, _sane...)		\
	{ .name = #_request, STRUCT(_type), .target = FUZZ_##_target,	\
	  .request = _request, FIELDS(_fields), ##_sane }
#define NUMBER(_target, _request, ...)					\
	{ .name = #_request, .target = FUZZ_##_target, .request = _request, \
	  FIELDS(one_number), ##__VA_ARGS__ }
#define WORDS(_target, _request, _type, ...)				\
	{ .name = #_request, STRUCT(_type), .target = FUZZ_##_target,	\
	  .request = _request, ##__VA_ARGS__ }
#define COMMAND(_target, _name, _sane)					\
	{ .name = #_name, STRUCT(struct fuzz_cmd), .target = FUZZ_##_target, \
	  .request = KVM_MEMORY_ENCRYPT_OP, FIELDS(cmd_fields), .sane = &_sane, \
	  .run = fuzz_run_command }
#define GUEST(_name, _sane, ...)						\
	{ .name = #_name, STRUCT(struct fuzz_guest), .target = FUZZ_VCPU, \
	  FIELDS(guest_fields), .sane = &_sane, .run = fuzz_run_guest, ##__VA_ARGS__ }
#define MEMORY(_name, _c)						\
	{ .name = #_name, STRUCT(struct fuzz_memory), .target = FUZZ_VM, \
	  FIELDS(memory_fields), .sane = &memory_range_sane,	\
	  .run = fuzz_run_##_name, .c = _c }
#define OTHER(_name, _target, _c, ...)					\
	{ .name = #_name, .target = FUZZ_##_target, FIELDS(one_number), \
	  .run = fuzz_run_##_name, .c = _c, ##__VA_ARGS__ }
/* 0 is none. */
#define AT(_type, _member)	(offsetof(struct _type, _member) + 1)

const struct fuzz_op fuzz_ops[] = {
	/*
	 * The launch is the first, so that it is what a byte of 0 means.  New rows come last,
	 * as bytes that somebody has kept mean the number of a row.
	 */
	{ .name = "LAUNCH", STRUCT(struct fuzz_launch), .target = FUZZ_VM,
	  FIELDS(launch_fields), .sane = &launch_sane, .run = fuzz_run_launch, .harmless = true },

	GUEST(GUEST_CALL, call_sane, .harmless = true),
	GUEST(GUEST_MEMORY, memory_sane),
	GUEST(GUEST_ACCEPT, accept_sane),
	GUEST(GUEST_WRMSR, wrmsr_sane),
	GUEST(GUEST_MAP_GPA, map_gpa_sane),
	GUEST(GUEST_IO, io_sane, .harmless = true),
	GUEST(GUEST_MMIO, mmio_sane, .harmless = true),
	OTHER(guest_shutdown, VCPU, "__tdx_guest_do(guest, TDX_GUEST_FUNCTION, (u64)shut_down, 0)"),
	{ .name = "KVM_RUN", STRUCT(struct kvm_run), .target = FUZZ_VCPU, .request = KVM_RUN,
	  FIELDS(run_fields), .run = fuzz_run_vcpu },
	OTHER(check, VM, "/* the guest has what it had */"),

	COMMAND(VM, KVM_TDX_CAPABILITIES, capabilities_sane),
	{ .name = "KVM_TDX_INIT_VM", STRUCT(struct fuzz_init_vm), .target = FUZZ_VM,
	  FIELDS(init_vm_fields), .request = KVM_MEMORY_ENCRYPT_OP,
	  .run = fuzz_run_init_vm },
	COMMAND(VCPU, KVM_TDX_INIT_VCPU, init_vcpu_sane),
	COMMAND(VCPU, KVM_TDX_INIT_MEM_REGION, region_sane),
	COMMAND(VCPU, KVM_TDX_GET_CPUID, get_cpuid_sane),
	COMMAND(VM, KVM_TDX_FINALIZE_VM, finalize_sane),

	MEMORY(punch_hole, "vm_guest_mem_punch_hole(vm, GMEM_GPA + %0, %1)"),
	MEMORY(allocate, "fallocate(guest_memfd, %2, %0, %1)"),
	MEMORY(madvise, "madvise(addr_gpa2hva(vm, PLAIN_GPA) + %0, %1, %2)"),
	OTHER(close_vm, VM, "close(vm->fd)"),
	OTHER(close_vcpu, VCPU, "close(vcpu->fd)"),
	OTHER(close_gmem, VM, "close(guest_memfd)"),
	OTHER(dup_vm, VM, "dup(vm->fd)", .harmless = true),
	OTHER(unmap_run, VCPU, "munmap(vcpu->run, vcpu_mmap_sz())"),
	OTHER(kick, NONE, "pthread_kill(thread[%0], SIGUSR1)", .harmless = true),
	OTHER(pin, NONE, "pin_self_to_cpu(%0)", .harmless = true),
	{ .name = "RAW_IOCTL", STRUCT(struct fuzz_raw), .target = FUZZ_VCPU, FIELDS(raw_fields),
	  .sane = &raw_sane, .run = fuzz_run_raw },

	/* System */
	NUMBER(SYSTEM, KVM_CHECK_EXTENSION, .harmless = true),
	NUMBER(VM, KVM_CHECK_EXTENSION, .harmless = true),
	WORDS(SYSTEM, KVM_GET_DEVICE_ATTR, struct kvm_device_attr, .harmless = true),

	/* VM */
	OTHER(create_vcpu, VM, "ioctl(vm->fd, KVM_CREATE_VCPU, %0)"),
	IOCTL(VM, KVM_SET_USER_MEMORY_REGION2, struct kvm_userspace_memory_region2,
	      region2_fields, .sane = &region2_sane,
	      .pointer = AT(kvm_userspace_memory_region2, userspace_addr),
	      .fd = AT(kvm_userspace_memory_region2, guest_memfd)),
	{ .name = "PLAIN_MEMORY_REGION2", STRUCT(struct kvm_userspace_memory_region2),
	  .target = FUZZ_VM, .request = KVM_SET_USER_MEMORY_REGION2, FIELDS(region2_fields),
	  .sane = &plain_sane,
	  .pointer = AT(kvm_userspace_memory_region2, userspace_addr) },
	IOCTL(VM, KVM_SET_MEMORY_ATTRIBUTES, struct kvm_memory_attributes, attributes_fields,
	      .sane = &attributes_sane),
	IOCTL(VM, KVM_CREATE_GUEST_MEMFD, struct kvm_create_guest_memfd, gmem_fields,
	      .sane = &gmem_sane, .harmless = true),
	WORDS(VM, KVM_GET_DIRTY_LOG, struct kvm_dirty_log,
	      .pointer = AT(kvm_dirty_log, dirty_bitmap)),
	IOCTL(VM, KVM_CLEAR_DIRTY_LOG, struct kvm_clear_dirty_log, log_fields, .sane = &log_sane,
	      .pointer = AT(kvm_clear_dirty_log, dirty_bitmap)),
	WORDS(VM, KVM_RESET_DIRTY_RINGS, struct fuzz_number),
	NUMBER(VM, KVM_SET_NR_MMU_PAGES),
	NUMBER(VM, KVM_SET_TSS_ADDR),
	WORDS(VM, KVM_SET_IDENTITY_MAP_ADDR, u64),
	NUMBER(VM, KVM_CREATE_IRQCHIP),
	WORDS(VM, KVM_CREATE_PIT2, struct kvm_pit_config),
	WORDS(VM, KVM_SET_PIT2, struct kvm_pit_state2, .get = KVM_GET_PIT2),
	WORDS(VM, KVM_SET_IRQCHIP, struct kvm_irqchip, .get = KVM_GET_IRQCHIP),
	IOCTL(VM, KVM_IRQ_LINE, struct kvm_irq_level, line_fields, .sane = &line_sane),
	IOCTL(VM, KVM_IRQFD, struct kvm_irqfd, irqfd_fields, .sane = &irqfd_sane,
	      .fd = AT(kvm_irqfd, fd)),
	IOCTL(VM, KVM_IOEVENTFD, struct kvm_ioeventfd, ioeventfd_fields, .sane = &ioeventfd_sane,
	      .fd = AT(kvm_ioeventfd, fd)),
	IOCTL(VM, KVM_SET_GSI_ROUTING, struct fuzz_routing, routing_fields,
	      .sane = &routing_sane),
	IOCTL(VM, KVM_SIGNAL_MSI, struct kvm_msi, msi_fields, .sane = &msi_sane),
	IOCTL(VM, KVM_REGISTER_COALESCED_MMIO, struct kvm_coalesced_mmio_zone, zone_fields,
	      .sane = &zone_sane),
	NUMBER(VM, KVM_SET_BOOT_CPU_ID),
	IOCTL(VM, KVM_SET_CLOCK, struct kvm_clock_data, clock_fields, .get = KVM_GET_CLOCK),
	NUMBER(VM, KVM_SET_TSC_KHZ),
	NUMBER(VM, KVM_GET_TSC_KHZ),
	WORDS(VM, KVM_SET_PMU_EVENT_FILTER, struct kvm_pmu_event_filter),
	IOCTL(VM, KVM_CREATE_DEVICE, struct kvm_create_device, device_fields),
	IOCTL(VM, KVM_SET_DEVICE_ATTR, struct kvm_device_attr, device_attr_fields,
	      .pointer = AT(kvm_device_attr, addr)),
	IOCTL(VM, KVM_ENABLE_CAP, struct kvm_enable_cap, cap_fields, .sane = &cap_sane),
	IOCTL(VM, KVM_MEMORY_ENCRYPT_REG_REGION, struct kvm_enc_region, one_number,
	      .pointer = AT(kvm_enc_region, addr)),
	WORDS(VM, KVM_X86_SET_MSR_FILTER, struct kvm_msr_filter),
	WORDS(VM, KVM_HYPERV_EVENTFD, struct kvm_hyperv_eventfd),
	NUMBER(VM, KVM_GET_STATS_FD, .harmless = true),

	/* vCPU */
	WORDS(VCPU, KVM_SET_REGS, struct kvm_regs, .get = KVM_GET_REGS, .harmless = true),
	WORDS(VCPU, KVM_SET_SREGS, struct kvm_sregs, .get = KVM_GET_SREGS, .harmless = true),
	WORDS(VCPU, KVM_SET_SREGS2, struct kvm_sregs2, .get = KVM_GET_SREGS2,
	      .harmless = true),
	WORDS(VCPU, KVM_SET_FPU, struct kvm_fpu, .get = KVM_GET_FPU, .harmless = true),
	WORDS(VCPU, KVM_SET_XSAVE, struct kvm_xsave, .get = KVM_GET_XSAVE, .harmless = true),
	WORDS(VCPU, KVM_SET_XCRS, struct kvm_xcrs, .get = KVM_GET_XCRS, .harmless = true),
	WORDS(VCPU, KVM_SET_DEBUGREGS, struct kvm_debugregs, .get = KVM_GET_DEBUGREGS,
	      .harmless = true),
	IOCTL(VCPU, KVM_SET_GUEST_DEBUG, struct kvm_guest_debug, debug_fields,
	      .harmless = true),
	WORDS(VCPU, KVM_TRANSLATE, struct kvm_translation, .harmless = true),
	WORDS(VCPU, KVM_SET_LAPIC, struct kvm_lapic_state, .get = KVM_GET_LAPIC),
	IOCTL(VCPU, KVM_SET_MSRS, struct fuzz_msrs, msrs_fields, .sane = &msrs_sane),
	IOCTL(VCPU, KVM_GET_MSRS, struct fuzz_msrs, msrs_fields, .sane = &msrs_sane,
	      .harmless = true),
	IOCTL(VCPU, KVM_SET_CPUID2, struct fuzz_cpuid, cpuid_fields, .run = fuzz_run_set_cpuid),
	IOCTL(VCPU, KVM_GET_CPUID2, struct fuzz_cpuid, cpuid_fields, .harmless = true),
	WORDS(VCPU, KVM_SET_MP_STATE, struct kvm_mp_state, .get = KVM_GET_MP_STATE),
	IOCTL(VCPU, KVM_SET_VCPU_EVENTS, struct kvm_vcpu_events, events_fields,
	      .get = KVM_GET_VCPU_EVENTS),
	WORDS(VCPU, KVM_SET_NESTED_STATE, struct kvm_nested_state),
	WORDS(VCPU, KVM_INTERRUPT, struct kvm_interrupt),
	NUMBER(VCPU, KVM_NMI),
	NUMBER(VCPU, KVM_SMI),
	WORDS(VCPU, KVM_TPR_ACCESS_REPORTING, struct kvm_tpr_access_ctl),
	WORDS(VCPU, KVM_SET_VAPIC_ADDR, struct kvm_vapic_addr),
	WORDS(VCPU, KVM_X86_SETUP_MCE, u64),
	WORDS(VCPU, KVM_X86_SET_MCE, struct kvm_x86_mce),
	NUMBER(VCPU, KVM_SET_TSC_KHZ),
	NUMBER(VCPU, KVM_KVMCLOCK_CTRL),
	WORDS(VCPU, KVM_SET_ONE_REG, struct kvm_one_reg, .get = KVM_GET_ONE_REG,
	      .pointer = AT(kvm_one_reg, addr)),
	IOCTL(VCPU, KVM_ENABLE_CAP, struct kvm_enable_cap, cap_fields),
	IOCTL(VCPU, KVM_SET_DEVICE_ATTR, struct kvm_device_attr, device_attr_fields,
	      .pointer = AT(kvm_device_attr, addr)),
	IOCTL(VCPU, KVM_PRE_FAULT_MEMORY, struct kvm_pre_fault_memory, prefault_fields,
	      .sane = &prefault_sane),
	WORDS(VCPU, KVM_SET_SIGNAL_MASK, struct kvm_signal_mask),
	NUMBER(VCPU, KVM_GET_STATS_FD, .harmless = true),

	/* The guest again */
	GUEST(GUEST_IO_IN, io_in_sane, .harmless = true),
	GUEST(GUEST_MMIO_READ, mmio_read_sane, .harmless = true),
	GUEST(GUEST_RDMSR, rdmsr_sane, .harmless = true),
	GUEST(GUEST_CPUID, cpuid_sane, .harmless = true),
	GUEST(GUEST_HLT, hlt_sane),
	GUEST(GUEST_GET_QUOTE, get_quote_sane, .harmless = true),
	GUEST(GUEST_SETUP_NOTIFY, notify_sane, .harmless = true),
	GUEST(GUEST_ENABLE_APIC, enable_apic_sane),
	GUEST(GUEST_SEND_IPI, ipi_sane),
};

const int fuzz_nr_ops = ARRAY_SIZE(fuzz_ops);
