// SPDX-License-Identifier: GPL-2.0
/*
 * tdx_linux VMLINUX INITRAMFS: boots Linux as a TD, without firmware, and tests
 * that it reaches its init.
 *
 * The TD starts with the lib's boot code.  Guest code below does the rest of a
 * firmware's work: it accepts the memory that was not added before the launch,
 * and enters the kernel by the 64-bit boot protocol.  The TD has one CPU, memory
 * and a serial port for output.  This program prints that output and looks for
 * two lines in it, one by the kernel and one by its init (init.c).
 */
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <asm/bootparam.h>

#include "kvm_util.h"
#include "kselftest.h"
#include "processor.h"
#include "tdx/tdx_util.h"

/* Linux's memory: the lib's memslot, and one at the kernel's load address. */
#define LOW_END		0x9f000ul
#define RAM_SLOT	1
#define RAM_GPA		0x1000000ul
#define RAM_SIZE	0x1800000ul
#define RAM_END		(RAM_GPA + RAM_SIZE)

#define E820_RAM	1
#define LOADER_OTHER	0xff

/* The kernel takes the APIC timer's frequency from CPUID: the TSC's crystal clock. */
#define CRYSTAL_NS	(1000000000 / 25000000)

/* The default SWIOTLB is larger than the memory. */
#define CMDLINE \
	"earlyprintk=serial,ttyS0,keep acpi=off reboot=k panic=-1 noapic swiotlb=1024"

#define DETECTED	"tdx: Guest detected"
#define IN_INIT		"init: up"

#define SERIAL		0x3f8
#define SERIAL_STATUS	(SERIAL + 5)
#define SERIAL_IDLE	0x60
#define KEYBOARD	0x64
#define KEYBOARD_RESET	0xfe

/* The status for pages that were added before the launch. */
#define PAGE_ALREADY_ACCEPTED	0x00000b0a00000000ul

static void accept(u64 gpa, u64 end)
{
	for (; gpa < end; gpa += PAGE_SIZE) {
		u64 status = tdg_mem_page_accept(gpa, 0) & TDX_SEAMCALL_STATUS_MASK;
		struct tdvmcall fatal = TDVMCALL(TDVMCALL_REPORT_FATAL_ERROR,
						 status >> 32, gpa);

		if (status && status != PAGE_ALREADY_ACCEPTED)
			__tdvmcall(&fatal);
	}
}

/* Does not return: Linux also gets the memory that holds this code. */
static void guest_code(u64 entry, u64 zero_page, u64 low_end)
{
	accept(0, low_end);
	accept(RAM_GPA, RAM_END);
	asm volatile("cli; jmp *%0" : : "r"(entry), "S"(zero_page));
}

static const void *map_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	close(fd);
	*size = st.st_size;
	return data;
}

/* Allocate private memory to be added before the launch.  Returns its HVA. */
static void *load_at(struct kvm_vm *vm, u64 gpa, u64 size)
{
	u64 nr_pages = vm_calc_num_guest_pages(vm->mode, size);

	TEST_ASSERT(gpa >= RAM_GPA && gpa < RAM_END && size < RAM_END - gpa,
		    "No room for 0x%lx bytes at 0x%lx", size, gpa);
	TEST_ASSERT_EQ(__vm_phy_pages_alloc(vm, nr_pages, gpa, RAM_SLOT, true), gpa);
	return addr_gpa2hva(vm, gpa);
}

/* Returns the kernel's entry point.  *end gets the GPA after its last byte. */
static u64 load_kernel(struct kvm_vm *vm, const char *path, u64 *end)
{
	size_t size;
	const void *file = map_file(path, &size);
	const Elf64_Ehdr *elf = file;
	const Elf64_Phdr *ph = file + elf->e_phoff;
	u64 start = RAM_END;

	if (size < sizeof(*elf) || memcmp(elf->e_ident, ELFMAG, SELFMAG) ||
	    elf->e_machine != EM_X86_64 || elf->e_phentsize != sizeof(*ph) ||
	    size < elf->e_phoff + elf->e_phnum * sizeof(*ph))
		ksft_exit_fail_msg("%s: not a vmlinux\n", path);

	*end = 0;
	for (int i = 0; i < elf->e_phnum; i++) {
		void *to;

		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_offset + ph[i].p_filesz > size)
			ksft_exit_fail_msg("%s: cut short\n", path);
		to = load_at(vm, ph[i].p_paddr, ph[i].p_memsz);
		memcpy(to, file + ph[i].p_offset, ph[i].p_filesz);
		start = min_t(u64, start, ph[i].p_paddr);
		*end = max_t(u64, *end, ph[i].p_paddr + ph[i].p_memsz);
	}

	/* The entry point runs with an identity mapping. */
	*end = align_up(*end, PG_SIZE_2M);
	virt_map_level(vm, start, start, *end - start, PG_LEVEL_2M);
	return elf->e_entry;
}

/*
 * Linux uses a local APIC that is in x2APIC mode at boot only if the firmware
 * lists the CPUs.  An MP table is the simplest such list.
 */
struct mp_table {
	struct {
		char signature[4];
		u32 table;
		u8 length, revision, checksum, features[5];
	} pointer;
	struct mp_config {
		char signature[4];
		u16 length;
		u8 revision, checksum;
		char oem[8], product[12];
		u32 oem_table;
		u16 oem_length, nr_entries;
		u32 lapic_address, reserved;
		struct {
			u8 type, apic_id, apic_version, flags;
			u32 signature, features, reserved[2];
		} cpu;
	} config;
};

#define MP_TABLE_GPA	0ul
#define MP_REVISION	4
#define MP_CPU_ENABLED	1
#define MP_CPU_BOOT	2
#define LAPIC_VERSION	0x14
#define LAPIC_ADDRESS	0xfee00000

static u8 checksum(const void *data, size_t size)
{
	const u8 *byte = data;
	u8 sum = 0;

	while (size--)
		sum -= *byte++;
	return sum;
}

/* In page 0, where Linux looks for it, and which the lib doesn't allocate. */
static void load_mp_table(struct kvm_vcpu *vcpu)
{
	struct mp_table *mp = addr_gpa2hva(vcpu->vm, MP_TABLE_GPA);

	*mp = (struct mp_table){
		.pointer.signature = "_MP_",
		.pointer.table = MP_TABLE_GPA + offsetof(struct mp_table, config),
		.pointer.length = sizeof(mp->pointer) / 16,
		.pointer.revision = MP_REVISION,
		.config.signature = "PCMP",
		.config.length = sizeof(mp->config),
		.config.revision = MP_REVISION,
		.config.nr_entries = 1,
		.config.lapic_address = LAPIC_ADDRESS,
		.config.cpu.apic_version = LAPIC_VERSION,
		.config.cpu.flags = MP_CPU_ENABLED | MP_CPU_BOOT,
	};
	mp->pointer.checksum = checksum(&mp->pointer, sizeof(mp->pointer));
	mp->config.checksum = checksum(&mp->config, sizeof(mp->config));
	tdx_init_mem_region(vcpu, MP_TABLE_GPA, PAGE_SIZE);
}

static void add_ram(struct boot_params *params, u64 start, u64 end)
{
	params->e820_table[params->e820_entries++] = (struct boot_e820_entry){
		.addr = start, .size = end - start, .type = E820_RAM,
	};
}

/* Load the zero page, the command line and the initramfs.  Returns the first's GPA. */
static u64 load_params(struct kvm_vm *vm, const char *initramfs, u64 gpa)
{
	struct boot_params *params = load_at(vm, gpa, sizeof(*params));
	u64 cmdline = gpa + PAGE_SIZE, image = cmdline + PAGE_SIZE;
	size_t size;
	const void *data = map_file(initramfs, &size);

	memcpy(load_at(vm, cmdline, sizeof(CMDLINE)), CMDLINE, sizeof(CMDLINE));
	memcpy(load_at(vm, image, size), data, size);

	params->hdr.type_of_loader = LOADER_OTHER;
	params->hdr.cmd_line_ptr = cmdline;
	params->hdr.cmdline_size = sizeof(CMDLINE) - 1;
	params->hdr.ramdisk_image = image;
	params->hdr.ramdisk_size = size;
	add_ram(params, 0, LOW_END);
	add_ram(params, RAM_GPA, RAM_END);
	return gpa;
}

static struct kvm_vcpu *create_td(const char *vmlinux, const char *initramfs)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct userspace_mem_region *low = memslot2region(vm, 0);
	struct kvm_tdx_init_vm *init;
	struct kvm_vcpu *vcpu;
	u64 entry, zero_page;

	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	vm_enable_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS, CRYSTAL_NS);

	/* Linux refuses to run if the host can cause #VE at any time. */
	init = tdx_default_init_vm(vm);
	init->attributes = TDX_TD_ATTR_SEPT_VE_DISABLE;
	tdx_init_vm(vm, init);
	free(init);

	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, RAM_GPA, RAM_SLOT,
				    RAM_SIZE / PAGE_SIZE, KVM_MEM_GUEST_MEMFD);
	entry = load_kernel(vm, vmlinux, &zero_page);
	zero_page = load_params(vm, initramfs, zero_page);

	vcpu = vm_vcpu_add(vm, 0, guest_code);
	vcpu_args_set(vcpu, 3, entry, zero_page, low->region.memory_size);
	vm_mem_set_private(vm, 0, low->region.memory_size);
	vm_mem_set_private(vm, RAM_GPA, RAM_SIZE);
	tdx_load_private_memory(vm);
	load_mp_table(vcpu);
	tdx_finalize(vm);
	return vcpu;
}

/* Print the console line by line, and look for the two lines. */
static bool detected, in_init;

static void print_char(char c)
{
	static char line[512];
	static size_t len;

	if (c == '\r')
		return;
	if (c != '\n') {
		if (len < sizeof(line) - 1)
			line[len++] = c;
		return;
	}
	line[len] = '\0';
	len = 0;
	ksft_print_msg("%s\n", line);
	detected |= !!strstr(line, DETECTED);
	in_init |= !!strstr(line, IN_INIT);
}

/* Returns true if the guest has reset the machine. */
static bool do_io(struct kvm_run *run)
{
	u8 *data = (u8 *)run + run->io.data_offset;
	u16 port = run->io.port;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, 0, run->io.size * run->io.count);
		if (port == SERIAL_STATUS)
			*data = SERIAL_IDLE;
		return false;
	}
	if (port == SERIAL)
		print_char(*data);
	return port == KEYBOARD && *data == KEYBOARD_RESET;
}

static void do_hypercall(struct kvm_vm *vm, struct kvm_run *run)
{
	u64 gpa = run->hypercall.args[0];
	u64 size = run->hypercall.args[1] * PAGE_SIZE;

	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	if (run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED)
		vm_mem_set_private(vm, gpa, size);
	else
		vm_mem_set_shared(vm, gpa, size);
	run->hypercall.ret = 0;
}

static void print_fatal_error(struct kvm_run *run)
{
	struct tdvmcall call = tdvmcall_of_system_event(run);
	u64 text[9] = {};

	for (int i = 0; i < 8; i++)
		text[i] = tdvmcall_arg(&call, i + 2);
	ksft_print_msg("fatal error 0x%lx, 0x%lx: %s\n",
		       (unsigned long)tdvmcall_arg(&call, 0),
		       (unsigned long)tdvmcall_arg(&call, 1), (char *)text);
}

/* Returns true if Linux resets the machine, false with a message if it stops. */
static bool run_linux(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	for (;;) {
		vcpu_run(vcpu);

		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			if (do_io(run))
				return true;
			break;
		case KVM_EXIT_HYPERCALL:
			do_hypercall(vcpu->vm, run);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			print_fatal_error(run);
			return false;
		default:
			ksft_print_msg("exit reason %u (%s)\n", run->exit_reason,
				       exit_reason_str(run->exit_reason));
			return false;
		}
	}
}

int main(int argc, char *argv[])
{
	struct kvm_vcpu *vcpu;
	bool reset;

	if (argc != 3) {
		fprintf(stderr, "usage: %s VMLINUX INITRAMFS\n", argv[0]);
		return KSFT_FAIL;
	}
	TEST_REQUIRE(is_tdx_supported());

	ksft_print_header();
	ksft_set_plan(3);
	vcpu = create_td(argv[1], argv[2]);
	reset = run_linux(vcpu);
	kvm_vm_free(vcpu->vm);

	ksft_test_result(detected, "Linux finds itself in a TD\n");
	ksft_test_result(in_init, "Linux reaches its init\n");
	ksft_test_result(in_init && reset, "init resets the machine\n");
	ksft_finished();
}
