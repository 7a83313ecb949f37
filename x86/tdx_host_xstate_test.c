// SPDX-License-Identifier: GPL-2.0
/*
 * XCR0, PKRU, x87 and vector registers of the thread that runs a TD's vCPU.
 *
 * After each exit XCR0 has what the TD's XFAM allows, and the TDX module has reset
 * the registers.  KVM has to restore the host's values, with the least XFAM that
 * a TD can have as well as with the most.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_RUNS	3

/* Exit to KVM alone and to user space, with other values in the registers. */
static void guest_code(void)
{
	u32 mxcsr = 0x1f80 | 3 << 13;	/* round towards zero */
	u64 r[4];

	for (;;) {
		asm volatile("ldmxcsr %0\n\t"
			     "fninit; fldpi; fldl2e\n\t"
			     "pcmpeqd %%xmm0, %%xmm0\n\t"
			     "movdqa %%xmm0, %%xmm7\n\t"
			     "movdqa %%xmm0, %%xmm15\n\t"
			     : : "m"(mxcsr) : "xmm0", "xmm7", "xmm15");
		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &r[0], &r[1], &r[2], &r[3]), 0);
		GUEST_SYNC(0);
	}
}

FIXTURE(host_xstate) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(host_xstate) {
	bool all_xfam;
};

FIXTURE_VARIANT_ADD(host_xstate, least_xfam) { };
FIXTURE_VARIANT_ADD(host_xstate, all_xfam) { .all_xfam = true };

FIXTURE_SETUP(host_xstate)
{
	pin_self_to_any_cpu();
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);

	if (variant->all_xfam) {
		struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);
		struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);

		init->xfam = caps->supported_xfam;
		tdx_init_vm(self->vm, init);
		free(init);
		free(caps);
	}

	self->vcpu = vm_vcpu_add(self->vm, 0, guest_code);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(host_xstate)
{
	kvm_vm_free(self->vm);
}

static void run_guest(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < NR_RUNS; i++)
		vcpu_run_to_sync(vcpu, 0);
}

TEST_F(host_xstate, xcr0)
{
	u64 before = xgetbv(0);

	run_guest(self->vcpu);
	TEST_ASSERT_EQ(xgetbv(0), before);
}

TEST_F(host_xstate, pkru)
{
	/* This program's memory has key 0, which stays accessible. */
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

static sigjmp_buf unreadable;

static void on_sigsegv(int signum)
{
	siglongjmp(unreadable, 1);
}

/* If it is not, PKRU has the value of signal handlers afterwards. */
static bool is_readable(const u8 *mem)
{
	if (sigsetjmp(unreadable, 1))
		return false;
	READ_ONCE(*mem);
	return true;
}

/* Not only is the value restored, it is also what counts for pages used before. */
TEST_F(host_xstate, protection_key)
{
	const int key = pkey_alloc(0, 0);
	struct sigaction old;
	void *mem;

	if (key < 0)
		SKIP(return, "the host has no protection keys");

	mem = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TEST_ASSERT(mem != MAP_FAILED, "mmap() failed");
	TEST_ASSERT_EQ(pkey_mprotect(mem, PAGE_SIZE, PROT_READ | PROT_WRITE, key), 0);
	sigaction(SIGSEGV, &(struct sigaction) { .sa_handler = on_sigsegv }, &old);

	for (int i = 0; i < 4; i++) {
		const bool readable = !(i & 1), use_before = i & 2;
		const int rights = readable ? 0 : PKEY_DISABLE_ACCESS;

		pkey_set(key, rights);
		if (use_before)
			TEST_ASSERT_EQ(is_readable(mem), readable);
		pkey_set(key, rights);
		run_guest(self->vcpu);
		TEST_ASSERT_EQ(is_readable(mem), readable);
	}

	sigaction(SIGSEGV, &old, NULL);
	munmap(mem, PAGE_SIZE);
	pkey_free(key);
}

#define XSAVE_LEGACY_SIZE	512
#define XSAVE_MASK	(XFEATURE_MASK_FP | XFEATURE_MASK_SSE |	\
			 XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)

/* Registers that KVM_RUN must not change, as XSAVE lays them out. */
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
	area->mxcsr = 0x1f80 | 1 << 13;	/* round down */
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

/*
 * A bare system call between XRSTOR and XSAVE, so that no other code uses the
 * registers.  Returns 0 or a negative errno.
 */
static long syscall_with_xstate(long number, long arg1, long arg2,
				const struct xsave_area *in, struct xsave_area *out,
				u64 features)
{
	register long r8 asm("r8") = number;
	long ret;

	asm volatile("xrstor64 %[in]\n\t"
		     "mov %[r8], %%rax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "syscall\n\t"
		     "mov %%rax, %[r8]\n\t"
		     "mov %[mask], %%eax\n\t"
		     "xor %%edx, %%edx\n\t"
		     "xsave64 %[out]\n\t"
		     "fninit"
		     : [r8] "+r"(r8), [out] "+m"(*out), "=a"(ret)
		     : [in] "m"(*in),
		       [mask] "b"((u32)features), "a"((u32)features), "d"(0),
		       "D"(arg1), "S"(arg2)
		     : "rcx", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2",
		       "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
		       "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	return r8;
}

static long run_with_xstate(struct kvm_vcpu *vcpu, const struct xsave_area *in,
			    struct xsave_area *out, u64 features)
{
	return syscall_with_xstate(__NR_ioctl, vcpu->fd, KVM_RUN, in, out, features);
}

static void assert_same(const char *what, const void *before, const void *after,
			size_t size)
{
	const u8 *a = before, *b = after;

	for (size_t i = 0; i < size; i++)
		TEST_ASSERT(a[i] == b[i], "%s, byte %lu: 0x%x before, 0x%x after",
			    what, (unsigned long)i, a[i], b[i]);
}

static void assert_same_area(const struct xsave_area *before,
			     const struct xsave_area *after)
{
	TEST_ASSERT_EQ(after->fcw, before->fcw);
	TEST_ASSERT_EQ(after->mxcsr, before->mxcsr);
	for (int j = 0; j < 8; j++)
		assert_same("ST", before->st[j], after->st[j], 10);
	for (int j = 0; j < 16; j++)
		assert_same("XMM", before->xmm[j], after->xmm[j], 16);
	assert_same("AVX and later", before->extended, after->extended,
		    sizeof(before->extended));
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
		assert_same_area(&before, &after);
	}
}

/* Yields the CPU to the thread that runs the TD, again and again. */
static void *neighbour(void *stop)
{
	static struct xsave_area before, after;
	u64 features = xgetbv(0) & XSAVE_MASK;
	u32 mxcsr;

	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	xsave_fill(&before, features);
	while (!READ_ONCE(*(bool *)stop)) {
		TEST_ASSERT_EQ(syscall_with_xstate(__NR_sched_yield, 0, 0, &before, &after,
						   features), 0);
		asm volatile("ldmxcsr %0" : : "m"(mxcsr));
		assert_same_area(&before, &after);
	}
	return NULL;
}

/* The registers of another thread, to which the kernel switches between the exits. */
TEST_F(host_xstate, another_thread)
{
	bool stop = false;
	pthread_t thread;

	TEST_ASSERT_EQ(pthread_create(&thread, NULL, neighbour, &stop), 0);
	for (int i = 0; i < 10 * NR_RUNS; i++) {
		vcpu_run_to_sync(self->vcpu, 0);
		sched_yield();
	}
	WRITE_ONCE(stop, true);
	TEST_ASSERT_EQ(pthread_join(thread, NULL), 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
