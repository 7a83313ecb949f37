// SPDX-License-Identifier: GPL-2.0
/*
 * The state of the host CPU that a TD's vCPU runs on.
 *
 * On each exit the TDX module gives the CPU back with most of the host's registers
 * reset, and some as the TD's configuration has them.  KVM has to restore all of
 * them, both for the thread that runs the vCPU and for any other thread that the
 * scheduler puts on that CPU meanwhile.
 *
 * XCR0, PKRU and vector registers have a test of their own, tdx_host_xstate_test.
 */
#include <asm/prctl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "tdx/host_cpus.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

TDX_TEST_RUNS_ALONE;

#define NR_RUNS		3
#define GUEST_PATTERN	0x5a5a5a5a0000ul

/* DR7: breakpoint 0 is enabled, for writes of 8 bytes. */
#define DR7_WRITE_8	0xd0402ul

/* Guest and host have a breakpoint on it, each on its own copy. */
static u64 watched __aligned(8);

/* Exit to KVM alone and to user space, with other values in the registers. */
static void guest_code(void)
{
	wrmsr(MSR_STAR, GUEST_PATTERN);
	wrmsr(MSR_LSTAR, GUEST_PATTERN + 1);
	wrmsr(MSR_SYSCALL_MASK, 0x100);
	wrmsr(MSR_TSC_AUX, 0x5a5a);
	wrmsr(MSR_KERNEL_GS_BASE, GUEST_PATTERN + 2);
	wrmsr(MSR_GS_BASE, GUEST_PATTERN + 3);
	wrmsr(MSR_FS_BASE, GUEST_PATTERN + 4);
	wrmsr(MSR_IA32_SYSENTER_EIP, GUEST_PATTERN + 5);

	asm volatile("mov %0, %%dr0" : : "r"(&watched));
	asm volatile("mov %0, %%dr7" : : "r"(DR7_WRITE_8));

	for (;;) {
		u32 eax, ebx, ecx, edx;
		u64 r[4];

		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &r[0], &r[1], &r[2], &r[3]), 0);
		__cpuid(0, 0, &eax, &ebx, &ecx, &edx);
		GUEST_SYNC(0);
	}
}

FIXTURE(host_state) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(host_state)
{
	/*
	 * Not CPU 0 if there is another one: TSC_AUX is 0 there, which is also
	 * what the TDX module resets it to.
	 */
	pin_self_to_cpu(last_host_cpu());
	self->vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &self->vcpu,
						 guest_code);
}

FIXTURE_TEARDOWN(host_state)
{
	kvm_vm_free(self->vm);
}

static void run_guest(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < NR_RUNS; i++)
		vcpu_run_to_sync(vcpu, 0);
}

/* The registers that a system call preserves. */
enum { RBX, RBP, RSI, RDI, RDX, R8, R9, R10, R12, R13, R14, R15, NR_REGS };

static u64 regs[NR_REGS], saved_rbp;

static long run_with_registers(struct kvm_vcpu *vcpu)
{
	long ret;

	/* RBP goes to memory, as the compiler may use it and the red zone. */
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

/*
 * User space's GS base is in MSR_KERNEL_GS_BASE while the kernel runs, and the
 * module resets that.
 */
TEST_F(host_state, fs_and_gs_base)
{
	static u64 value[] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	u64 fs = get_base(ARCH_GET_FS), gs = get_base(ARCH_GET_GS);

	/* The second is not the one of the first run. */
	for (int i = 0; i < ARRAY_SIZE(value); i++) {
		TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, &value[i]), 0);
		run_guest(self->vcpu);
		TEST_ASSERT_EQ(get_base(ARCH_GET_GS), (u64)&value[i]);
		TEST_ASSERT_EQ(get_base(ARCH_GET_FS), fs);
		TEST_ASSERT_EQ(read_gs(), value[i]);
	}
	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, gs), 0);
}

static u32 read_tsc_aux(void)
{
	u32 aux;

	rdtscp(&aux);
	return aux;
}

/*
 * What the kernel has in TSC_AUX for user space to read: the numbers of the node
 * and of the CPU.  Computed, because a TD of another case may have left a wrong
 * value.
 */
static u32 expected_tsc_aux(void)
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
	TEST_ASSERT_EQ(read_tsc_aux(), expected_tsc_aux());
	if (this_cpu_has(X86_FEATURE_RDPID)) {
		u64 pid;

		asm volatile("rdpid %0" : "=r"(pid));
		TEST_ASSERT_EQ(pid, expected_tsc_aux());
	}
}

/* The MSRs of the CPU that the vCPU runs on. */
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
		{ "S_CET", MSR_IA32_S_CET },
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
	int fd = msr_open(last_host_cpu(), O_RDONLY);

	if (fd < 0)
		SKIP(return, "no access to the host's MSRs");

	for (int i = 0; i < ARRAY_SIZE(msrs); i++)
		has[i] = msr_read(fd, msrs[i].msr, &before[i]);

	/* Linux has to clear these, but not the module, whose value a TD may have left. */
	TEST_ASSERT_EQ(msr_read(fd, MSR_SYSCALL_MASK, &after), true);
	TEST_ASSERT_EQ(after & (X86_EFLAGS_TF | X86_EFLAGS_DF), X86_EFLAGS_TF | X86_EFLAGS_DF);

	run_guest(self->vcpu);
	for (int i = 0; i < ARRAY_SIZE(msrs); i++)
		if (has[i] && msr_read(fd, msrs[i].msr, &after))
			TEST_ASSERT(after == before[i],
				    "%s: 0x%lx before, 0x%lx after", msrs[i].name,
				    (unsigned long)before[i], (unsigned long)after);
	close(fd);
}

/*
 * The module preserves only some bits of DEBUGCTL; KVM has to restore the others.
 * These are safe to set.  Which of them are there depends on the CPU: one with
 * architectural LBRs ignores writes of LBR, and few have BUS_LOCK_DETECT.
 */
#define DEBUGCTL_LBR			BIT_ULL(0)
#define DEBUGCTL_BTF			BIT_ULL(1)	/* which the module preserves */
#define DEBUGCTL_BUS_LOCK_DETECT	BIT_ULL(2)

static bool debugctl_write(int fd, u64 val)
{
	u64 now;

	return pwrite(fd, &val, sizeof(val), MSR_IA32_DEBUGCTLMSR) == sizeof(val) &&
	       msr_read(fd, MSR_IA32_DEBUGCTLMSR, &now) && now == val;
}

TEST_F(host_state, debugctl)
{
	static const u64 bits[] = {
		DEBUGCTL_LBR, DEBUGCTL_BTF, DEBUGCTL_BUS_LOCK_DETECT,
	};
	int fd = msr_open(last_host_cpu(), O_RDWR);
	u64 values[ARRAY_SIZE(bits) + 1], old, val;
	int nr_values = 0;

	if (fd < 0)
		SKIP(return, "no access to the host's MSRs");

	/* Those that the CPU has, each by itself, and then all of them. */
	TEST_ASSERT(msr_read(fd, MSR_IA32_DEBUGCTLMSR, &old), "DEBUGCTL can't be read");
	val = old;
	for (int i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!(old & bits[i]) && debugctl_write(fd, old | bits[i])) {
			values[nr_values++] = old | bits[i];
			val |= bits[i];
		}
		TEST_ASSERT(debugctl_write(fd, old) || !nr_values,
			    "DEBUGCTL can't be restored");
	}
	if (!nr_values)
		SKIP(return, "the host's DEBUGCTL can't be written");
	values[nr_values++] = val;

	for (int i = 0; i < nr_values; i++) {
		TEST_ASSERT(debugctl_write(fd, values[i]), "DEBUGCTL can't be written");
		run_guest(self->vcpu);
		TEST_ASSERT(msr_read(fd, MSR_IA32_DEBUGCTLMSR, &val), "DEBUGCTL can't be read");
		TEST_ASSERT(debugctl_write(fd, old), "DEBUGCTL can't be restored");
		TEST_ASSERT_EQ(val, values[i]);
	}
	close(fd);
}

/*
 * The guest has a breakpoint at the same address, and the module resets all debug
 * registers.
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

/* With the guest's breakpoint the write would end in SIGTRAP. */
TEST_F(host_state, guest_breakpoint_is_inactive)
{
	run_guest(self->vcpu);
	WRITE_ONCE(watched, 1);
}

/*
 * Another thread on the same CPU, while the vCPU's thread is inside of KVM_RUN.
 */
TDX_IRQ_SUITE(other_thread);

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
		TEST_ASSERT_EQ(read_tsc_aux(), expected_tsc_aux());
}

static u64 gs_value = 0x8877665544332211;

/* Pin this thread, and with it those that it will create, to the same CPU. */
static struct user_state pin_and_save_state(void)
{
	pin_self_to_cpu(last_host_cpu());
	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, &gs_value), 0);
	return user_state();
}

TEST_F(other_thread, while_vcpu_is_halted)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct user_state state = pin_and_save_state();
	struct vcpu_thread t;

	vcpu_run_to_sync(vcpu, 0);
	vcpu_thread_start(&t, vcpu);
	vcpu_wait_until_asleep(vcpu);
	assert_same_user_state(&state);
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	assert_same_user_state(&state);
}

/* Whenever this thread runs, the vCPU has been preempted. */
TEST_F(other_thread, while_vcpu_is_preempted)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_spin_for_irq);
	struct user_state state = pin_and_save_state();
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
	tdx_signal_msi(self->td.vm, 0, TDX_IRQ_VECTOR);
	tdx_join_with_ucall(&t, UCALL_DONE);
	assert_same_user_state(&state);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	find_host_cpus();

	return test_harness_run(argc, argv);
}
