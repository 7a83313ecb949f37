// SPDX-License-Identifier: GPL-2.0
/*
 * tdx_kexec VMLINUX COMMAND [ARGUMENT]...: runs the command, starts the kernel in
 * VMLINUX by kexec, and runs the command there again.  The exit status is that of
 * the last command that ran.
 *
 * For the box with --append retain_initrd: the next kernel gets the initramfs that
 * this one has kept, and so runs this program again.  That it is the second time is
 * in the kernel's command line.
 */
#include <asm/bootparam.h>
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGAIN	"tdx_kexec_again"

/* Physical addresses; the initramfs follows the kernel. */
#define AT_START	0x10000ul
#define AT_PARAMS	0x11000ul
#define AT_CMDLINE	0x12000ul
#define ALIGNMENT	(2ul << 20)

#define MAX_SEGMENTS	16

static struct kexec_segment segments[MAX_SEGMENTS];
static unsigned int num_segments;

static unsigned long round_up(unsigned long value, unsigned long to)
{
	return (value + to - 1) / to * to;
}

static void add_segment(const void *data, size_t size, unsigned long at,
			size_t size_there)
{
	if (num_segments == MAX_SEGMENTS)
		errx(125, "too many segments");
	segments[num_segments++] = (struct kexec_segment){
		data, size, (void *)at, round_up(size_there, 4096)
	};
}

/* Reads a file whose size may not be known, as of those in /proc and /sys. */
static char *read_file(const char *path, size_t *size)
{
	size_t room = 1 << 20, len = 0;
	char *data = malloc(room + 1);
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0 || !data)
		err(125, "%s", path);
	while ((n = read(fd, data + len, room - len)) > 0) {
		len += n;
		if (len == room) {
			room *= 2;
			data = realloc(data, room + 1);
			if (!data)
				err(125, "%s", path);
		}
	}
	if (n < 0)
		err(125, "%s", path);
	close(fd);
	data[len] = '\0';
	if (size)
		*size = len;
	return data;
}

/* Returns the entry point; *end is the address behind the kernel. */
static unsigned long add_kernel(const char *path, unsigned long *end)
{
	const char *file = read_file(path, NULL);
	const Elf64_Ehdr *header = (const void *)file;
	const Elf64_Phdr *p = (const void *)(file + header->e_phoff);
	unsigned int i;

	if (memcmp(header->e_ident, ELFMAG, SELFMAG))
		errx(125, "%s: no vmlinux", path);
	*end = 0;
	for (i = 0; i < header->e_phnum; i++) {
		if (p[i].p_type != PT_LOAD)
			continue;
		add_segment(file + p[i].p_offset, p[i].p_filesz, p[i].p_paddr,
			    p[i].p_memsz);
		if (p[i].p_paddr + p[i].p_memsz > *end)
			*end = p[i].p_paddr + p[i].p_memsz;
	}
	return header->e_entry;
}

/* The memory map that this kernel was given. */
static void add_memory_map(struct boot_params *params)
{
	char *map = read_file("/proc/iomem", NULL), *line, *rest = map;
	unsigned long long first, last;
	struct boot_e820_entry *e;
	char type[40];

	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%llx-%llx : %39[^\n]", &first, &last, type) != 3 ||
		    *line == ' ')
			continue;
		if (strcmp(type, "System RAM") && strcmp(type, "Reserved"))
			continue;
		if (params->e820_entries == E820_MAX_ENTRIES_ZEROPAGE)
			errx(125, "/proc/iomem: too many ranges");
		e = &params->e820_table[params->e820_entries++];
		e->addr = first;
		e->size = last - first + 1;
		e->type = strcmp(type, "Reserved") ? 1 : 2;
	}
	free(map);
}

/* Enters the kernel as its 64-bit boot protocol wants it. */
static void add_start(unsigned long entry)
{
	/* mov $AT_PARAMS, %rsi; mov $entry, %rax; jmp *%rax */
	static unsigned char code[] = {
		0x48, 0xbe, 0, 0, 0, 0, 0, 0, 0, 0,
		0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xe0,
	};
	const unsigned long params = AT_PARAMS;

	memcpy(code + 2, &params, sizeof(params));
	memcpy(code + 12, &entry, sizeof(entry));
	add_segment(code, sizeof(code), AT_START, sizeof(code));
}

static void load(const char *kernel)
{
	static struct boot_params params;
	static char cmdline[4096];
	unsigned long entry, end;
	size_t size;
	char *text;

	entry = add_kernel(kernel, &end);
	add_start(entry);

	text = read_file("/sys/firmware/initrd", &size);
	add_segment(text, size, round_up(end, ALIGNMENT), size);
	params.hdr.ramdisk_image = round_up(end, ALIGNMENT);
	params.hdr.ramdisk_size = size;

	text = read_file("/proc/cmdline", NULL);
	snprintf(cmdline, sizeof(cmdline), "%.*s " AGAIN,
		 (int)strcspn(text, "\n"), text);
	add_segment(cmdline, sizeof(cmdline), AT_CMDLINE, sizeof(cmdline));
	params.hdr.cmd_line_ptr = AT_CMDLINE;

	params.hdr.boot_flag = 0xaa55;
	memcpy(&params.hdr.header, "HdrS", 4);
	params.hdr.version = 0x20f;
	params.hdr.type_of_loader = 0xff;
	params.hdr.loadflags = LOADED_HIGH;
	add_memory_map(&params);
	add_segment(&params, sizeof(params), AT_PARAMS, sizeof(params));

	if (syscall(SYS_kexec_load, AT_START, (unsigned long)num_segments, segments,
		    KEXEC_ARCH_DEFAULT))
		err(125, "kexec_load");
}

/* Returns the status of a command. */
static int run(char **argv)
{
	pid_t child = fork();
	int status;

	if (!child) {
		execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		err(125, "%s", argv[0]);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	bool again = strstr(read_file("/proc/cmdline", NULL), AGAIN);
	int status;

	if (argc < 3)
		errx(125, "usage: tdx_kexec VMLINUX COMMAND [ARGUMENT]...");
	status = run(&argv[2]);
	if (status || again)
		return status;
	load(argv[1]);
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		LINUX_REBOOT_CMD_KEXEC, NULL);
	err(125, "kexec");
}
