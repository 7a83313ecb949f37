// SPDX-License-Identifier: GPL-2.0
/*
 * KVM's tracepoints, for a TD.
 *
 * KVM can't read a TD's registers, so that all it may trace is what the TDX module
 * tells about the exit.  Whoever looks for the cause of something must find the exit's
 * true reason there, the GPA and the value, and 0 for RIP.
 *
 * The test has a trace buffer of its own, and only its own process is traced.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "tdx/tdx_irq.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"

#define NEEDS_TRACEFS	"needs tracefs with KVM's events, and the permission to use it"
#define MMIO_GPA	0x200000000ul
#define PORT		0x234

FIXTURE(trace) {
	char dir[128];
	struct kvm_vm *vm;
	struct tdx_guest guest;
};

static bool write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == strlen(text);
	close(fd);
	return ok;
}

/* Make a trace buffer in @dir; returns false if that is not possible. */
static bool create_buffer(char *dir, size_t size)
{
	static const char * const where[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};

	for (int i = 0; i < ARRAY_SIZE(where); i++) {
		snprintf(dir, size, "%s/instances/tdx_trace_test.%d", where[i], getpid());
		if (!mkdir(dir, 0700))
			return true;
	}
	dir[0] = 0;
	return false;
}

FIXTURE_SETUP(trace)
{
	char pid[16];

	if (!create_buffer(self->dir, sizeof(self->dir)))
		SKIP(return, NEEDS_TRACEFS);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (!write_file(self->dir, "set_event_pid", pid))
		SKIP(return, NEEDS_TRACEFS);

	self->vm = tdx_memory_create(0);
	self->guest = tdx_guest_add(self->vm, 0);
	tdx_vm_finalize(self->vm);
	if (!write_file(self->dir, "events/kvm/enable", "1"))
		SKIP(return, NEEDS_TRACEFS);
}

FIXTURE_TEARDOWN(trace)
{
	if (self->vm)
		kvm_vm_free(self->vm);
	if (self->dir[0])
		TEST_ASSERT_EQ(rmdir(self->dir), 0);
}

/* Forget what was traced so far. */
static void clear_trace(const char *dir)
{
	TEST_ASSERT(write_file(dir, "trace", ""), "Can't clear the trace");
}

/* How many lines of the trace have both @event and @text?  Also checks all RIPs. */
static int nr_traced(const char *dir, const char *event, const char *text)
{
	char path[256], *line = NULL;
	size_t size = 0;
	FILE *file;
	int nr = 0;

	snprintf(path, sizeof(path), "%s/trace", dir);
	file = fopen(path, "r");
	TEST_ASSERT(file, __KVM_SYSCALL_ERROR("fopen()", -1));
	while (getline(&line, &size, file) > 0) {
		const char *rip = strstr(line, "rip 0x");

		if (line[0] == '#')
			continue;
		TEST_ASSERT(!rip || strtoul(rip + strlen("rip "), NULL, 16) == 0,
			    "KVM traces a RIP: %s", line);
		nr += strstr(line, event) && strstr(line, text);
	}
	free(line);
	fclose(file);
	return nr;
}

#define assert_traced(dir, event, fmt, ...)				\
do {									\
	char __text[128];						\
									\
	snprintf(__text, sizeof(__text), fmt, ##__VA_ARGS__);		\
	TEST_ASSERT(nr_traced(dir, event, __text),			\
		    "No %s with '%s' in the trace", event, __text);	\
} while (0)

TEST_F(trace, reasons_of_tdvmcalls)
{
	struct tdx_guest *guest = &self->guest;
	u32 cpuid[4];
	u64 val;

	tdx_guest_cpuid(guest, 0, 0, cpuid);
	tdx_guest_tdvmcall_cpuid(guest, 0, 0, (u64[4]) {});
	assert_traced(self->dir, "kvm_exit", "reason CPUID ");
	assert_traced(self->dir, "kvm_cpuid", "func 0 ");

	clear_trace(self->dir);
	tdx_guest_rdmsr(guest, MSR_IA32_CR_PAT, &val);
	assert_traced(self->dir, "kvm_exit", "reason MSR_READ ");
	assert_traced(self->dir, "kvm_msr", "msr_read 277 = 0x%lx", (unsigned long)val);
	tdx_guest_wrmsr(guest, MSR_IA32_CR_PAT, val);
	assert_traced(self->dir, "kvm_exit", "reason MSR_WRITE ");

	tdx_call_start(guest, EXIT_REASON_IO_INSTRUCTION, 1, 1, PORT, 0x5a);
	tdx_call_finish(guest);
	assert_traced(self->dir, "kvm_exit", "reason IO_INSTRUCTION ");
	assert_traced(self->dir, "kvm_pio", "pio_write at 0x%x size 1 count 1 val 0x5a", PORT);
	assert_traced(self->dir, "kvm_entry", "vcpu 0");

	clear_trace(self->dir);
	tdx_call(guest, TDVMCALL_GET_TD_VM_CALL_INFO, 0);
	assert_traced(self->dir, "kvm_exit", "reason TDCALL ");
	TEST_ASSERT_EQ(nr_traced(self->dir, "kvm_exit", "reason CPUID "), 0);
}

TEST_F(trace, ept_violation)
{
	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	clear_trace(self->dir);
	tdx_guest_accept(&self->guest, GMEM_GPA);
	assert_traced(self->dir, "kvm_exit", "reason EPT_VIOLATION ");
	assert_traced(self->dir, "kvm_page_fault", "address 0x%016lx", GMEM_GPA);

	/* The qualification, in INFO1, has bits for the access that failed. */
	clear_trace(self->dir);
	tdx_guest_write(&self->guest, shared(PLAIN_GPA), MAGIC);
	TEST_ASSERT_EQ(nr_traced(self->dir, "kvm_exit", "reason EPT_VIOLATION "), 1);
	TEST_ASSERT_EQ(nr_traced(self->dir, "reason EPT_VIOLATION ",
				 "info1 0x0000000000000000"), 0);
}

TEST_F(trace, mmio)
{
	struct tdx_guest *guest = &self->guest;
	const u64 gpa = tdx_shared(guest, MMIO_GPA);

	clear_trace(self->dir);
	tdx_call_start(guest, EXIT_REASON_EPT_VIOLATION, 8, 1, gpa, MAGIC);
	TEST_ASSERT_EXIT_MMIO(guest->vcpu, MMIO_GPA, 8, true);
	tdx_call_finish(guest);
	assert_traced(self->dir, "kvm_mmio", "mmio write len 8 gpa 0x%lx val 0x%lx",
		      MMIO_GPA, MAGIC);

	tdx_call_start(guest, EXIT_REASON_EPT_VIOLATION, 4, 0, gpa);
	TEST_ASSERT_EXIT_MMIO(guest->vcpu, MMIO_GPA, 4, false);
	memcpy(guest->run->mmio.data, &(u32) { 0x12345678 }, 4);
	tdx_call_finish(guest);
	assert_traced(self->dir, "kvm_mmio", "mmio unsatisfied-read len 4 gpa 0x%lx", MMIO_GPA);
	assert_traced(self->dir, "kvm_mmio", "mmio read len 4 gpa 0x%lx val 0x12345678",
		      MMIO_GPA);
}

TEST_F(trace, interrupt)
{
	tdx_guest_wrmsr(&self->guest, APIC_BASE_MSR + (APIC_SPIV >> 4),
			APIC_SPIV_APIC_ENABLED | 0xff);
	clear_trace(self->dir);
	tdx_signal_msi(self->vm, 0, TDX_IRQ_VECTOR);
	assert_traced(self->dir, "kvm_apicv_accept_irq", "apicid 0 vec %u", TDX_IRQ_VECTOR);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
