// SPDX-License-Identifier: GPL-2.0
/*
 * What a TD leaves of the CPU that it ran on.
 *
 * The TDX module gives the host's registers back as they suit the module: most
 * are reset, some take the TD's configuration, and KVM has to put everything
 * right before anybody notices, the thread that ran the vCPU or whoever has the
 * CPU next.  KVM also has to take a vCPU's state off one CPU before the module
 * lets it run on another, and off a CPU before that goes offline.
 */
#include <asm/prctl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/vcpu_thread.h"

TDX_TEST_RUNS_ALONE;

#define NR_VCPUS	2
#define VECTOR		0xa1

struct shared {
	u64 here;		/* the guest is where it can be hit */
	u64 go;			/* the guest may go on */
	u64 nr_irqs;
};

static struct shared *shared;	/* the guest's */

/* The guest's breakpoint is on it, and the host's, each in its own memory. */
static u64 watched __aligned(8);

struct td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[NR_VCPUS];
	struct shared *shared;	/* the host's */
};

static void guest_irq_handler(struct ex_regs *regs)
{
	shared->nr_irqs++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void td_create(struct td *td)
{
	gva_t gva;

	*td = (struct td) { .vm = __vm_create(VM_SHAPE_TDX, NR_VCPUS, 0) };
	gva = tdx_alloc_shared(td->vm, sizeof(*td->shared), &td->shared);
	write_guest_global(td->vm, shared, (void *)gva);
	vm_install_exception_handler(td->vm, VECTOR, guest_irq_handler);
}

static struct kvm_vcpu *td_launch(struct td *td, void *guest_code)
{
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, guest_code);
	vm_tdx_launch(td->vm);
	return td->vcpu[0];
}

/* The CPUs that the test may use, before it has pinned itself to one. */
static int cpus[CPU_SETSIZE];
static int nr_cpus;

static void find_cpus(void)
{
	cpu_set_t set;

	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpus[nr_cpus++] = i;
}

/* Not CPU 0 if it can be helped: its TSC_AUX is 0, as the module leaves it. */
static int last_cpu(void)
{
	return cpus[nr_cpus - 1];
}

#define NEEDS_ANOTHER_CPU	"needs another CPU"

/*
 * The guest: something of its own in all that the host may miss, and then both
 * kinds of exits, one that KVM handles and one to user space.
 */
#define GUEST_PATTERN	0x5a5a5a5a0000ul

static void guest_scribble(void)
{
	u32 mxcsr = 0x1f80 | 3 << 13;	/* round towards zero */

	wrmsr(MSR_STAR, GUEST_PATTERN);
	wrmsr(MSR_LSTAR, GUEST_PATTERN + 1);
	wrmsr(MSR_SYSCALL_MASK, 0x100);
	wrmsr(MSR_TSC_AUX, 0x5a5a);
	wrmsr(MSR_KERNEL_GS_BASE, GUEST_PATTERN + 2);
	wrmsr(MSR_GS_BASE, GUEST_PATTERN + 3);
	wrmsr(MSR_FS_BASE, GUEST_PATTERN + 4);
	wrmsr(MSR_IA32_SYSENTER_EIP, GUEST_PATTERN + 5);

	asm volatile("mov %0, %%dr0" : : "r"(&watched));
	asm volatile("mov %0, %%dr7" : : "r"(0xd0402ul));	/* writes of 8 bytes */

	for (;;) {
		u32 eax, ebx, ecx, edx;
		u64 r[4];

		asm volatile("ldmxcsr %0\n\t"
			     "fninit; fldpi; fldl2e\n\t"
			     "pcmpeqd %%xmm0, %%xmm0\n\t"
			     "movdqa %%xmm0, %%xmm7\n\t"
			     "movdqa %%xmm0, %%xmm15\n\t"
			     : : "m"(mxcsr) : "xmm0", "xmm7", "xmm15");
		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &r[0], &r[1], &r[2], &r[3]), 0);
		__cpuid(0, 0, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC(0);
	}
}

FIXTURE(host_state) {
	struct td td;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(host_state)
{
	pin_self_to_cpu(last_cpu());
	td_create(&self->td);
	self->vcpu = td_launch(&self->td, guest_scribble);
}

FIXTURE_TEARDOWN(host_state)
{
	kvm_vm_free(self->td.vm);
}

#define NR_RUNS	3

static void run_guest(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < NR_RUNS; i++)
		tdx_vcpu_run_to_sync(vcpu, 0);
}

/*
 * A TD without XFAM beyond the least, and one with all that KVM has: what the
 * module leaves in XCR0 and in the registers beyond SSE depends on it.
 */
FIXTURE(host_xstate) {
	struct td td;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(host_xstate) {
	bool all_xfam;
};

FIXTURE_VARIANT_ADD(host_xstate, least_xfam) { };
FIXTURE_VARIANT_ADD(host_xstate, all_xfam) { .all_xfam = true };

FIXTURE_SETUP(host_xstate)
{
	struct td *td = &self->td;

	pin_self_to_cpu(cpus[0]);
	td_create(td);

	if (variant->all_xfam) {
		struct kvm_tdx_capabilities *caps = tdx_capabilities(td->vm);
		struct kvm_tdx_init_vm *init = tdx_default_init_vm(td->vm);

		init->xfam = caps->supported_xfam;
		tdx_init_vm(td->vm, init);
		free(init);
		free(caps);
	}

	self->vcpu = td_launch(td, guest_scribble);
}

FIXTURE_TEARDOWN(host_xstate)
{
	kvm_vm_free(self->td.vm);
}

TEST_F(host_xstate, xcr0)
{
	u64 before = xgetbv(0);

	run_guest(self->vcpu);
	TEST_ASSERT_EQ(xgetbv(0), before);
}

static u32 rdpkru(void)
{
	u32 pkru, edx;

	asm volatile(".byte 0x0f, 0x01, 0xee" : "=a"(pkru), "=d"(edx) : "c"(0));
	return pkru;
}

TEST_F(host_xstate, pkru)
{
	/* Key 0 is what this program's memory has. */
	static const u32 values[] = { 0, 0x55555554, 0xaaaaaaa8, 0xfffffffc };
	u32 old;

	if (!this_cpu_has(X86_FEATURE_OSPKE))
		SKIP(return, "the host has no protection keys");

	old = rdpkru();
	for (int i = 0; i < ARRAY_SIZE(values); i++) {
		wrpkru(values[i]);
		run_guest(self->vcpu);
		TEST_ASSERT_EQ(rdpkru(), values[i]);
	}
	wrpkru(old);
}

/*
 * x87 and vector registers.  KVM_RUN is a bare system call here, between XRSTOR
 * and XSAVE, so that nothing else gets at them.
 */
#define XSAVE_LEGACY_SIZE	512
#define XSAVE_HEADER_SIZE	64
#define XSAVE_MASK	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE |	\
			 XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

struct xsave_area {
	union {
		struct {
			u16 fcw;
			u8 unused[22];
			u32 mxcsr, mxcsr_mask;
			u8 st[8][16];
			u8 xmm[16][16];
		};
		u8 legacy[XSAVE_LEGACY_SIZE];
	};
	u64 xstate_bv, xcomp_bv, reserved[6];
	u8 extended[PAGE_SIZE];
} __aligned(64);

static void xsave_fill(struct xsave_area *area, u64 features)
{
	memset(area, 0, sizeof(*area));
	area->xstate_bv = features;
	area->fcw = 0x27f;
	area->mxcsr = 0x1f80 | 1 << 13;
	for (int i = 0; i < 8; i++)
		memset(area->st[i], 0x11 * (i + 1), 10);
	for (int i = 0; i < 16; i++)
		memset(area->xmm[i], 0xa0 + i, 16);
	for (u64 i = 2; i < 63; i++) {
		u32 size, offset, ecx, edx;

		if (!(features & BIT_ULL(i)))
			continue;
		__cpuid(0xd, i, &size, &offset, &ecx, &edx);
		TEST_ASSERT(offset + size <= sizeof(*area), "XSAVE area too small");
		memset((u8 *)area + offset, 0xc0 + i, size);
	}
}

/* Returns what the system call does, an errno as a negative number. */
static long run_with_xstate(struct kvm_vcpu *vcpu, const struct xsave_area *in,
			    struct xsave_area *out, u64 features)
{
	register long r8 asm("r8") = 0;
	long ret;

	asm volatile("xrstor64 %[in]\n\t"
		     "mov %[ioctl], %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "syscall\n\t"
		     "mov %%rax, %[r8]\n\t"
		     "mov %[mask], %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xsave64 %[out]\n\t"
		     "fninit"
		     : [r8] "+r"(r8), [out] "+m"(*out), "=a"(ret)
		     : [in] "m"(*in), [ioctl] "i"(__NR_ioctl),
		       [mask] "b"((u32)features), "a"((u32)features), "d"(0),
		       "D"(vcpu->fd), "S"(KVM_RUN)
		     : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2",
		       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return r8;
}

static void assert_same(const char *what, const void *before, const void *after,
			size_t size)
{
	const u8 *a = before, *b = after;

	for (size_t i = 0; i < size; i++)
		TEST_ASSERT(a[i] == b[i], "%s, byte %lu: 0x%x before, 0x%x after",
			    what, (unsigned long)i, a[i], b[i]);
}

TEST_F(host_xstate, vector_registers)
{
	static struct xsave_area before, after;
	u64 features = xgetbv(0) & XSAVE_MASK;
	u32 mxcsr;

	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	xsave_fill(&before, features);
	for (int i = 0; i < NR_RUNS; i++) {
		memset(&after, 0, sizeof(after));
		TEST_ASSERT_EQ(run_with_xstate(self->vcpu, &before, &after,
					       features), 0);
		asm volatile("ldmxcsr %0" : : "m"(mxcsr));

		TEST_ASSERT_EQ(after.fcw, before.fcw);
		TEST_ASSERT_EQ(after.mxcsr, before.mxcsr);
		for (int j = 0; j < 8; j++)
			assert_same("ST", before.st[j], after.st[j], 10);
		for (int j = 0; j < 16; j++)
			assert_same("XMM", before.xmm[j], after.xmm[j], 16);
		assert_same("AVX and later", before.extended, after.extended,
			    sizeof(before.extended));
	}
}

/* All that a system call keeps. */
enum { RBX, RBP, RSI, RDI, RDX, R8, R9, R10, R12, R13, R14, R15, NR_REGS };

static u64 regs[NR_REGS], saved_rbp;

static long run_with_registers(struct kvm_vcpu *vcpu)
{
	long ret;

	/* The compiler may need RBP, and what is below the stack pointer. */
	asm volatile("mov %%rbp, %[saved]\n\t"
		     "mov $0x1111, %%ebx\n\t"
		     "mov $0x2222, %%ebp\n\t"
		     "mov $0x8888, %%r8d\n\t"
		     "mov $0x9999, %%r9d\n\t"
		     "mov $0xaaaa, %%r10d\n\t"
		     "mov $0xcccc, %%r12d\n\t"
		     "mov $0xdddd, %%r13d\n\t"
		     "mov $0xeeee, %%r14d\n\t"
		     "mov $0xffff, %%r15d\n\t"
		     "syscall\n\t"
		     "mov %%rbx, %c[rbx]+%[regs]\n\t"
		     "mov %%rbp, %c[rbp]+%[regs]\n\t"
		     "mov %%rsi, %c[rsi]+%[regs]\n\t"
		     "mov %%rdi, %c[rdi]+%[regs]\n\t"
		     "mov %%rdx, %c[rdx]+%[regs]\n\t"
		     "mov %%r8, %c[r8]+%[regs]\n\t"
		     "mov %%r9, %c[r9]+%[regs]\n\t"
		     "mov %%r10, %c[r10]+%[regs]\n\t"
		     "mov %%r12, %c[r12]+%[regs]\n\t"
		     "mov %%r13, %c[r13]+%[regs]\n\t"
		     "mov %%r14, %c[r14]+%[regs]\n\t"
		     "mov %%r15, %c[r15]+%[regs]\n\t"
		     "mov %[saved], %%rbp"
		     : "=a"(ret), [regs] "=m"(regs), [saved] "=m"(saved_rbp)
		     : "a"(__NR_ioctl), "D"(vcpu->fd), "S"(KVM_RUN), "d"(0),
		       [rbx] "i"(8 * RBX), [rbp] "i"(8 * RBP), [rsi] "i"(8 * RSI),
		       [rdi] "i"(8 * RDI), [rdx] "i"(8 * RDX), [r8] "i"(8 * R8),
		       [r9] "i"(8 * R9), [r10] "i"(8 * R10), [r12] "i"(8 * R12),
		       [r13] "i"(8 * R13), [r14] "i"(8 * R14), [r15] "i"(8 * R15)
		     : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "memory", "cc");
	return ret;
}

TEST_F(host_state, general_registers)
{
	const u64 expected[NR_REGS] = {
		[RBX] = 0x1111, [RBP] = 0x2222, [RSI] = KVM_RUN,
		[RDI] = self->vcpu->fd, [RDX] = 0, [R8] = 0x8888, [R9] = 0x9999,
		[R10] = 0xaaaa, [R12] = 0xcccc, [R13] = 0xdddd, [R14] = 0xeeee,
		[R15] = 0xffff,
	};

	for (int i = 0; i < NR_RUNS; i++) {
		TEST_ASSERT_EQ(run_with_registers(self->vcpu), 0);
		for (int j = 0; j < NR_REGS; j++)
			TEST_ASSERT(regs[j] == expected[j],
				    "Register %d: 0x%lx before, 0x%lx after", j,
				    (unsigned long)expected[j],
				    (unsigned long)regs[j]);
	}
}

static u64 get_base(int op)
{
	unsigned long base;

	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, op, &base), 0);
	return base;
}

static u64 read_gs(void)
{
	u64 val;

	asm volatile("mov %%gs:0, %0" : "=r"(val));
	return val;
}

/* While the kernel runs, the user's GS base is one that the module clobbers. */
TEST_F(host_state, fs_and_gs_base)
{
	static u64 value = 0x1122334455667788;
	u64 fs = get_base(ARCH_GET_FS), gs = get_base(ARCH_GET_GS);

	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, &value), 0);
	run_guest(self->vcpu);
	TEST_ASSERT_EQ(get_base(ARCH_GET_GS), (u64)&value);
	TEST_ASSERT_EQ(get_base(ARCH_GET_FS), fs);
	TEST_ASSERT_EQ(read_gs(), value);
	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, gs), 0);
}

static u32 read_tsc_aux(void)
{
	u32 aux;

	rdtscp(&aux);
	return aux;
}

/*
 * The kernel has the CPU's number and its node's there, for user space to read.
 * What is there may be wrong, as a TD of another case may have spoilt it.
 */
static u32 own_tsc_aux(void)
{
	unsigned int cpu, node;

	TEST_ASSERT_EQ(syscall(SYS_getcpu, &cpu, &node, NULL), 0);
	return node << 12 | cpu;
}

TEST_F(host_state, tsc_aux)
{
	if (!this_cpu_has(X86_FEATURE_RDTSCP))
		SKIP(return, "the host has no RDTSCP");

	run_guest(self->vcpu);
	TEST_ASSERT_EQ(read_tsc_aux(), own_tsc_aux());
	if (this_cpu_has(X86_FEATURE_RDPID)) {
		u64 pid;

		asm volatile("rdpid %0" : "=r"(pid));
		TEST_ASSERT_EQ(pid, own_tsc_aux());
	}
}

/*
 * MSRs, as the kernel reads them on the CPU that the vCPU ran on.
 */
static int msr_open(int cpu, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	return open(path, flags);
}

static bool msr_read(int fd, u32 msr, u64 *val)
{
	return pread(fd, val, sizeof(*val), msr) == sizeof(*val);
}

TEST_F(host_state, msrs)
{
	static const struct {
		const char *name;
		u32 msr;
	} msrs[] = {
		{ "SPEC_CTRL", MSR_IA32_SPEC_CTRL },
		{ "TSX_CTRL", MSR_IA32_TSX_CTRL },
		{ "SYSENTER_CS", MSR_IA32_SYSENTER_CS },
		{ "SYSENTER_ESP", MSR_IA32_SYSENTER_ESP },
		{ "SYSENTER_EIP", MSR_IA32_SYSENTER_EIP },
		{ "DEBUGCTL", MSR_IA32_DEBUGCTLMSR },
		{ "PAT", MSR_IA32_CR_PAT },
		{ "UMWAIT_CONTROL", MSR_IA32_UMWAIT_CONTROL },
		{ "XFD", MSR_IA32_XFD },
		{ "XSS", MSR_IA32_XSS },
		{ "EFER", MSR_EFER },
		{ "STAR", MSR_STAR },
		{ "LSTAR", MSR_LSTAR },
		{ "CSTAR", MSR_CSTAR },
		{ "SYSCALL_MASK", MSR_SYSCALL_MASK },
		{ "GS_BASE", MSR_GS_BASE },
		{ "KERNEL_GS_BASE", MSR_KERNEL_GS_BASE },
		{ "TSC_AUX", MSR_TSC_AUX },
	};
	u64 before[ARRAY_SIZE(msrs)], after;
	bool has[ARRAY_SIZE(msrs)];
	int fd = msr_open(last_cpu(), O_RDONLY);

	if (fd < 0)
		SKIP(return, "no access to the host's MSRs");

	for (int i = 0; i < ARRAY_SIZE(msrs); i++)
		has[i] = msr_read(fd, msrs[i].msr, &before[i]);
	run_guest(self->vcpu);
	for (int i = 0; i < ARRAY_SIZE(msrs); i++)
		if (has[i] && msr_read(fd, msrs[i].msr, &after))
			TEST_ASSERT(after == before[i],
				    "%s: 0x%lx before, 0x%lx after", msrs[i].name,
				    (unsigned long)before[i], (unsigned long)after);
	close(fd);
}

/*
 * DEBUGCTL: of the host's bits the module keeps but a few, so for the rest KVM
 * has to know what was there.  LBR recording is one that does no harm.
 */
#define DEBUGCTL_LBR	BIT_ULL(0)
#define DEBUGCTL_BTF	BIT_ULL(1)

TEST_F(host_state, debugctl)
{
	static const u64 bits[] = {
		DEBUGCTL_LBR, DEBUGCTL_BTF, DEBUGCTL_LBR | DEBUGCTL_BTF,
	};
	int fd = msr_open(last_cpu(), O_RDWR);
	u64 old, val;

	if (fd < 0)
		SKIP(return, "no access to the host's MSRs");

	TEST_ASSERT(msr_read(fd, MSR_IA32_DEBUGCTLMSR, &old), "No DEBUGCTL?");
	for (int i = 0; i < ARRAY_SIZE(bits); i++) {
		val = old | bits[i];
		if (pwrite(fd, &val, sizeof(val), MSR_IA32_DEBUGCTLMSR) < 0 ||
		    !msr_read(fd, MSR_IA32_DEBUGCTLMSR, &val) ||
		    val != (old | bits[i]))
			SKIP(return, "the host's DEBUGCTL can't be written");

		run_guest(self->vcpu);
		TEST_ASSERT(msr_read(fd, MSR_IA32_DEBUGCTLMSR, &val), "No DEBUGCTL?");
		TEST_ASSERT_EQ(pwrite(fd, &old, sizeof(old), MSR_IA32_DEBUGCTLMSR),
			       sizeof(old));
		TEST_ASSERT_EQ(val, old | bits[i]);
	}
	close(fd);
}

/*
 * Debug registers: the guest has a breakpoint at the same address, and the
 * module resets the lot.
 */
static int breakpoint_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (unsigned long)&watched,
		.bp_len = sizeof(watched),
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static u64 breakpoint_hits(int fd)
{
	u64 hits;

	TEST_ASSERT_EQ(read(fd, &hits, sizeof(hits)), sizeof(hits));
	return hits;
}

TEST_F(host_state, breakpoint)
{
	int fd = breakpoint_open();

	if (fd < 0)
		SKIP(return, "no hardware breakpoints for programs");

	WRITE_ONCE(watched, 1);
	TEST_ASSERT_EQ(breakpoint_hits(fd), 1);
	for (int i = 0; i < NR_RUNS; i++) {
		run_guest(self->vcpu);
		WRITE_ONCE(watched, i);
		TEST_ASSERT_EQ(breakpoint_hits(fd), 2 + i);
	}
	close(fd);
}

/* If the guest's breakpoint were active, the write would end in SIGTRAP. */
TEST_F(host_state, no_breakpoint_of_the_guest)
{
	run_guest(self->vcpu);
	WRITE_ONCE(watched, 1);
}

/*
 * The CPU's next user, while the vCPU has not left KVM_RUN.
 */
FIXTURE(next_user) {
	struct td td;
};

FIXTURE_SETUP(next_user)
{
	td_create(&self->td);
}

FIXTURE_TEARDOWN(next_user)
{
	kvm_vm_free(self->td.vm);
}

struct user_state {
	u64 xcr0, fs, gs, gs_value;
	u32 pkru, mxcsr;
};

static struct user_state user_state(void)
{
	struct user_state s = {
		.xcr0 = xgetbv(0),
		.fs = get_base(ARCH_GET_FS),
		.gs = get_base(ARCH_GET_GS),
		.gs_value = read_gs(),
		.pkru = this_cpu_has(X86_FEATURE_OSPKE) ? rdpkru() : 0,
	};

	asm volatile("stmxcsr %0" : "=m"(s.mxcsr));
	return s;
}

static void assert_same_user_state(const struct user_state *before)
{
	struct user_state after = user_state();

	TEST_ASSERT_EQ(after.xcr0, before->xcr0);
	TEST_ASSERT_EQ(after.fs, before->fs);
	TEST_ASSERT_EQ(after.gs, before->gs);
	TEST_ASSERT_EQ(after.gs_value, before->gs_value);
	TEST_ASSERT_EQ(after.pkru, before->pkru);
	TEST_ASSERT_EQ(after.mxcsr, before->mxcsr);
	if (this_cpu_has(X86_FEATURE_RDTSCP))
		TEST_ASSERT_EQ(read_tsc_aux(), own_tsc_aux());
}

static void apic_enable(void)
{
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_SPIV >> 4),
				       APIC_SPIV_APIC_ENABLED | 0xff), 0);
}

/* The interrupt is pending or has come when this returns from the last HLT. */
static __always_inline void guest_await_irqs(u64 nr)
{
	while (READ_ONCE(shared->nr_irqs) < nr) {
		GUEST_ASSERT_EQ(tdvmcall_hlt(0), 0);
		sti_nop_cli();
	}
}

static void guest_halt(void)
{
	apic_enable();
	guest_await_irqs(1);
	GUEST_DONE();
}

static void guest_spin(void)
{
	apic_enable();
	sti_nop();
	WRITE_ONCE(shared->here, 1);
	while (!READ_ONCE(shared->go) && !READ_ONCE(shared->nr_irqs))
		cpu_relax();
	GUEST_DONE();
}

static void send_irq(struct td *td)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,
		.data = VECTOR,
	};

	TEST_ASSERT_EQ(__vm_ioctl(td->vm, KVM_SIGNAL_MSI, &msi), 1);
}

static void join_to_done(struct vcpu_thread *t)
{
	struct ucall uc;
	u64 cmd;

	TEST_ASSERT(!vcpu_thread_join(t), KVM_IOCTL_ERROR(KVM_RUN, -1));
	cmd = get_ucall(t->vcpu, &uc);
	if (cmd == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	TEST_ASSERT_EQ(cmd, UCALL_DONE);
}

static u64 gs_value = 0x8877665544332211;

/* Threads inherit where their creator is pinned to. */
static struct user_state pin_with_state(void)
{
	pin_self_to_cpu(last_cpu());
	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, &gs_value), 0);
	return user_state();
}

TEST_F(next_user, of_a_halted_vcpu)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_halt);
	struct user_state state = pin_with_state();
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	assert_same_user_state(&state);
	send_irq(&self->td);
	join_to_done(&t);
	assert_same_user_state(&state);
}

/* That this thread gets to run at all is because the vCPU was preempted. */
TEST_F(next_user, of_a_preempted_vcpu)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_spin);
	struct user_state state = pin_with_state();
	struct vcpu_thread t;

	vcpu_thread_start(&t, vcpu);
	while (!READ_ONCE(self->td.shared->here)) {
		assert_same_user_state(&state);
		sched_yield();
	}
	for (int i = 0; i < 5; i++) {
		assert_same_user_state(&state);
		sched_yield();
	}
	WRITE_ONCE(self->td.shared->go, 1);
	join_to_done(&t);
	assert_same_user_state(&state);
}

/*
 * A vCPU that changes its CPU.
 */
FIXTURE(moved) {
	struct td td;
};

FIXTURE_SETUP(moved)
{
	if (nr_cpus < 2)
		SKIP(return, NEEDS_ANOTHER_CPU);

	td_create(&self->td);
}

FIXTURE_TEARDOWN(moved)
{
	kvm_vm_free(self->td.vm);
}

/* State that nothing but this function touches, checked after each move. */
static void guest_keeps_state(void)
{
	const u32 mine = 0x1f80 | 3 << 13;
	u32 id = tdg_vp_info().vcpu_index, aux, mxcsr;
	u64 tsc = rdtsc(), dr0;

	wrmsr(MSR_LSTAR, GUEST_PATTERN + id);
	wrmsr(MSR_KERNEL_GS_BASE, GUEST_PATTERN + 0x10 + id);
	wrmsr(MSR_TSC_AUX, 0x77 + id);
	asm volatile("mov %0, %%dr0" : : "r"(GUEST_PATTERN + 0x20 + id));
	asm volatile("ldmxcsr %0" : : "m"(mine));

	for (;;) {
		GUEST_SYNC(id);

		asm volatile("mov %%dr0, %0" : "=r"(dr0));
		asm volatile("stmxcsr %0" : "=m"(mxcsr));
		GUEST_ASSERT_EQ(dr0, GUEST_PATTERN + 0x20 + id);
		GUEST_ASSERT_EQ(mxcsr, mine);
		GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), GUEST_PATTERN + id);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), GUEST_PATTERN + 0x10 + id);
		GUEST_ASSERT(rdtscp(&aux) >= tsc);
		GUEST_ASSERT_EQ(aux, 0x77 + id);
		tsc = rdtsc();
	}
}

TEST_F(moved, over_all_cpus)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_keeps_state);

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < nr_cpus; i++) {
			pin_self_to_cpu(cpus[i]);
			tdx_vcpu_run_to_sync(vcpu, 0);
			tdx_vcpu_run_to_sync(vcpu, 0);
		}
	}
}

TEST_F(moved, two_vcpus_change_places)
{
	struct td *td = &self->td;

	for (int i = 0; i < NR_VCPUS; i++)
		td->vcpu[i] = vm_vcpu_add(td->vm, i, guest_keeps_state);
	vm_tdx_launch(td->vm);

	for (int round = 0; round < 6; round++) {
		for (int i = 0; i < NR_VCPUS; i++) {
			pin_self_to_cpu(cpus[(i + round) % 2]);
			tdx_vcpu_run_to_sync(td->vcpu[i], i);
		}
	}
}

/* The TD's creation has its own associations with CPUs. */
TEST_F(moved, between_the_steps_of_the_launch)
{
	struct td *td = &self->td;

	pin_self_to_cpu(cpus[0]);
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, guest_keeps_state);
	pin_self_to_cpu(cpus[1]);
	td->vcpu[1] = vm_vcpu_add(td->vm, 1, guest_keeps_state);
	tdx_init_memory(td->vm);
	pin_self_to_cpu(cpus[0]);
	tdx_finalize(td->vm);
	tdx_vcpu_run_to_sync(td->vcpu[1], 1);
	tdx_vcpu_run_to_sync(td->vcpu[0], 0);
}

/* Interrupts are posted to where the vCPU runs now. */
TEST_F(moved, interrupts_follow_the_running_vcpu)
{
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu;

	td_launch(&self->td, guest_spin);
	vcpu = self->td.vcpu[0];

	/* Once there and out again, by a signal that is there already. */
	pin_self_to_cpu(cpus[0]);
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	vcpu->run->immediate_exit = 0;

	pin_self_to_cpu(cpus[1]);
	vcpu_thread_start(&t, vcpu);
	pin_self_to_cpu(cpus[0]);
	wait_for_guest(&self->td.shared->here, 1);
	send_irq(&self->td);
	join_to_done(&t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs, 1);
}

TEST_F(moved, while_it_runs)
{
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_spin);

	pin_self_to_cpu(cpus[0]);
	vcpu_thread_start(&t, vcpu);
	wait_for_guest(&self->td.shared->here, 1);
	for (int i = 0; i < 4; i++)
		pin_task_to_cpu(t.thread, cpus[(i + 1) % 2]);
	send_irq(&self->td);
	join_to_done(&t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs, 1);
}

TEST_F(moved, while_it_sleeps)
{
	struct vcpu_thread t;
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_halt);

	pin_self_to_cpu(cpus[0]);
	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	pin_task_to_cpu(t.thread, cpus[1]);
	send_irq(&self->td);
	join_to_done(&t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs, 1);
}

static void guest_timer(void)
{
	apic_enable();
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_LVTT >> 4), VECTOR), 0);
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (APIC_TMICT >> 4), 100000), 0);
	GUEST_SYNC(0);
	guest_await_irqs(1);
	GUEST_DONE();
}

TEST_F(moved, with_a_timer_armed)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_timer);

	pin_self_to_cpu(cpus[0]);
	tdx_vcpu_run_to_sync(vcpu, 0);
	pin_self_to_cpu(cpus[1]);
	tdx_vcpu_run_to_done(vcpu);
}

/*
 * CPUs that go offline.  What the TDX module has of a vCPU on such a CPU has to
 * be off it beforehand, or the vCPU can never run again, nor its TD be freed.
 */
FIXTURE(offline) {
	struct td td;
	int cpu;		/* the one that goes */
};

static int online_open(int cpu)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	return open(path, O_RDWR);
}

/* Returns an errno, as a CPU may be needed for reasons of its own. */
static int set_online(int cpu, bool online)
{
	int fd = online_open(cpu);
	int error = 0;

	if (fd < 0)
		return errno;
	if (pwrite(fd, online ? "1" : "0", 1, 0) != 1)
		error = errno;
	close(fd);
	return error;
}

/* Nothing that a case breaks off with may leave the host short of a CPU. */
static void all_online(void)
{
	for (int i = 0; i < nr_cpus; i++)
		set_online(cpus[i], true);
}

FIXTURE_SETUP(offline)
{
	if (nr_cpus < 2)
		SKIP(return, NEEDS_ANOTHER_CPU);

	self->cpu = last_cpu();
	if (set_online(self->cpu, true))
		SKIP(return, "no CPU that could be taken offline");

	td_create(&self->td);
}

FIXTURE_TEARDOWN(offline)
{
	kvm_vm_free(self->td.vm);
	all_online();
}

#define CPU_STAYS	"the host needs the CPU"

/* Pinned to the CPU, with the rest to go to. */
static void pin_weakly(pthread_t thread, int cpu)
{
	cpu_set_t all;

	pin_task_to_cpu(thread, cpu);
	CPU_ZERO(&all);
	for (int i = 0; i < nr_cpus; i++)
		CPU_SET(cpus[i], &all);
	TEST_ASSERT_EQ(pthread_setaffinity_np(thread, sizeof(all), &all), 0);
}

TEST_F(offline, vcpu_in_user_space)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_keeps_state);

	pin_self_to_cpu(self->cpu);
	tdx_vcpu_run_to_sync(vcpu, 0);
	pin_self_to_cpu(cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CPU_STAYS);

	tdx_vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(set_online(self->cpu, true), 0);
	tdx_vcpu_run_to_sync(vcpu, 0);
	pin_self_to_cpu(self->cpu);
	tdx_vcpu_run_to_sync(vcpu, 0);
}

TEST_F(offline, several_vcpus)
{
	struct td *td = &self->td;

	for (int i = 0; i < NR_VCPUS; i++)
		td->vcpu[i] = vm_vcpu_add(td->vm, i, guest_keeps_state);
	vm_tdx_launch(td->vm);

	pin_self_to_cpu(self->cpu);
	for (int i = 0; i < NR_VCPUS; i++)
		tdx_vcpu_run_to_sync(td->vcpu[i], i);
	pin_self_to_cpu(cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CPU_STAYS);

	for (int i = NR_VCPUS - 1; i >= 0; i--)
		tdx_vcpu_run_to_sync(td->vcpu[i], i);
}

/* A vCPU that isn't initialised has nothing there, except in KVM's lists. */
TEST_F(offline, vcpu_between_creation_and_init)
{
	struct td *td = &self->td;

	tdx_init_vm(td->vm, NULL);
	pin_self_to_cpu(self->cpu);
	td->vcpu[0] = __vm_vcpu_add(td->vm, 0);
	pin_self_to_cpu(cpus[0]);
	if (set_online(self->cpu, false))
		SKIP(return, CPU_STAYS);

	tdx_vcpu_init_cpuid(td->vcpu[0]);
	tdx_init_vcpu(td->vcpu[0], 0);
	vcpu_arch_set_entry_point(td->vcpu[0], guest_keeps_state);
	vm_tdx_launch(td->vm);
	tdx_vcpu_run_to_sync(td->vcpu[0], 0);
}

/* The scheduler finds it another CPU, in the midst of KVM_RUN. */
TEST_F(offline, running_vcpu)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_spin);
	struct vcpu_thread t;

	pin_self_to_cpu(self->cpu);
	vcpu_thread_start(&t, vcpu);
	pin_self_to_cpu(cpus[0]);
	wait_for_guest(&self->td.shared->here, 1);
	pin_weakly(t.thread, self->cpu);
	if (set_online(self->cpu, false)) {
		WRITE_ONCE(self->td.shared->go, 1);
		join_to_done(&t);
		SKIP(return, CPU_STAYS);
	}

	send_irq(&self->td);
	join_to_done(&t);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs, 1);
}

TEST_F(offline, halted_vcpu)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_halt);
	struct vcpu_thread t;
	bool refused;

	pin_self_to_cpu(self->cpu);
	vcpu_thread_start(&t, vcpu);
	pin_self_to_cpu(cpus[0]);
	vcpu_wait_until_asleep(vcpu);
	pin_weakly(t.thread, self->cpu);
	refused = set_online(self->cpu, false);
	send_irq(&self->td);
	join_to_done(&t);
	if (refused)
		SKIP(return, CPU_STAYS);
}

/* The KeyID comes back although the CPU isn't there to say that it is clean. */
TEST_F(offline, td_torn_down_meanwhile)
{
	for (int i = 0; i < 3; i++) {
		td_launch(&self->td, guest_keeps_state);
		pin_self_to_cpu(self->cpu);
		tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
		pin_self_to_cpu(cpus[0]);
		if (set_online(self->cpu, false))
			SKIP(return, CPU_STAYS);

		kvm_vm_free(self->td.vm);
		td_create(&self->td);
		TEST_ASSERT_EQ(set_online(self->cpu, true), 0);
	}
	td_launch(&self->td, guest_keeps_state);
	tdx_vcpu_run_to_sync(self->td.vcpu[0], 0);
}

/* As many CPUs as may go, for as long as there is a TD. */
TEST_F(offline, all_but_one)
{
	struct kvm_vcpu *vcpu = td_launch(&self->td, guest_keeps_state);

	for (int i = 1; i < nr_cpus; i++) {
		pin_self_to_cpu(cpus[i]);
		tdx_vcpu_run_to_sync(vcpu, 0);
	}
	pin_self_to_cpu(cpus[0]);
	for (int i = 1; i < nr_cpus; i++)
		if (set_online(cpus[i], false))
			SKIP(return, CPU_STAYS);

	tdx_vcpu_run_to_sync(vcpu, 0);
}

int main(int argc, char *argv[])
{
	int ret;

	TEST_REQUIRE(kvm_has_tdx());

	find_cpus();
	ret = test_harness_run(argc, argv);
	all_online();
	return ret;
}
