// SPDX-License-Identifier: GPL-2.0
/*
 * The XSAVE feature set of the box's CPU, as SDM volume 1, chapter 13 has it: what
 * XSAVEC, XSAVES, XRSTOR and XRSTORS save and load, and what they refuse, in a TD's kernel
 * and in a program of the host's; the MSRs of CET.
 */
#include <setjmp.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define COMPACTED	BIT_ULL(63)
#define CET_U		XFEATURE_MASK_CET_USER
#define CET_S		XFEATURE_MASK_CET_KERNEL
#define CET		(CET_U | CET_S)
#define LEGACY		(XFEATURE_MASK_FP | XFEATURE_MASK_SSE)
#define UNTOUCHED	0xee

/* Which the lib's processor.h lacks. */
#ifndef X86_CR4_CET
#define X86_CR4_CET	BIT_ULL(23)
#endif

struct area {
	u16 fcw;
	u8 x87[22];
	u32 mxcsr, mxcsr_mask;
	u8 st[8][16];
	u8 xmm[16][16];
	u8 unused[96];
	u64 used, format, zero[6];
	u8 extended[4096 - 576];
} __aligned(64);

/* For one that is on one page, and one that is on two. */
static u8 pages[3 * 4096] __aligned(4096);

static struct area *area_at(int offset)
{
	struct area *a = (void *)(pages + offset);

	memset(a, UNTOUCHED, sizeof(*a));
	memset(&a->used, 0, 64);
	return a;
}

/* The vector of the exception that the instruction raises, or 0. */
#define xsave_safe(insn, a, components)					\
({									\
	u8 vector;							\
									\
	barrier();							\
	vector = kvm_asm_safe(insn " (%[area])", [area] "D"(a),		\
			      "a"((u32)(components)),			\
			      "d"((u64)(components) >> 32));		\
	barrier();							\
	vector;								\
})

static u8 xsavec(struct area *a, u64 components)
{
	return xsave_safe("xsavec64", a, components);
}

static u8 xsaves(struct area *a, u64 components)
{
	return xsave_safe("xsaves64", a, components);
}

static u8 xrstor(struct area *a, u64 components)
{
	return xsave_safe("xrstor64", a, components);
}

static u8 xrstors(struct area *a, u64 components)
{
	return xsave_safe("xrstors64", a, components);
}

static u64 guest_rdmsr(u32 msr)
{
	u64 value;

	GUEST_ASSERT_EQ(rdmsr_safe(msr, &value), 0);
	return value;
}

static void guest_wrmsr(u32 msr, u64 value)
{
	GUEST_ASSERT_EQ(wrmsr_safe(msr, value), 0);
}

/* Where a component is in the compacted format, by CPUID. */
static u8 *component(struct area *a, u64 format, int which)
{
	u32 eax, ebx, ecx, edx, at = 576;

	for (int i = 2; i <= which; i++) {
		if (!(format & BIT_ULL(i)))
			continue;
		__cpuid(0xd, i, &eax, &ebx, &ecx, &edx);
		if (ecx & BIT(1))
			at = (at + 63) & ~63;
		if (i != which)
			at += eax;
	}
	return (u8 *)a + at;
}

static u64 word_of(struct area *a, int which, int i)
{
	return ((u64 *)component(a, a->format, which))[i];
}

static void set_upper_half_of_ymm3(u64 value)
{
	asm volatile("vmovq %0, %%xmm3\n\t"
		     "vinserti128 $1, %%xmm3, %%ymm3, %%ymm3" : : "r"(value) : "xmm3");
}

static u64 upper_half_of_ymm3(void)
{
	u64 value;

	asm volatile("vextracti128 $1, %%ymm3, %%xmm4\n\t"
		     "vmovq %%xmm4, %0" : "=r"(value) : : "xmm4");
	return value;
}

static u64 start_guest(void)
{
	u64 xcr0 = xgetbv(0);

	guest_wrmsr(MSR_IA32_XSS, CET);
	asm volatile("vzeroall; fninit");
	return xcr0 | CET;
}

static void save_and_load(int offset)
{
	struct area *a = area_at(offset);
	u64 all = start_guest();

	set_upper_half_of_ymm3(0x1234);
	guest_wrmsr(MSR_IA32_U_CET, 0x5003);
	guest_wrmsr(MSR_IA32_PL3_SSP, 0x7ff8);
	guest_wrmsr(MSR_IA32_PL2_SSP, 0x6664);
	GUEST_ASSERT_EQ(xsaves(a, ~0ull), 0);
	GUEST_ASSERT_EQ(a->format, COMPACTED | all);
	GUEST_ASSERT_EQ(a->used & CET, CET);
	GUEST_ASSERT(a->used & XFEATURE_MASK_YMM);
	GUEST_ASSERT_EQ(word_of(a, 2, 3 * 2), 0x1234);
	GUEST_ASSERT_EQ(word_of(a, 11, 0), 0x5003);
	GUEST_ASSERT_EQ(word_of(a, 11, 1), 0x7ff8);
	GUEST_ASSERT_EQ(word_of(a, 12, 2), 0x6664);

	set_upper_half_of_ymm3(0);
	guest_wrmsr(MSR_IA32_U_CET, 0);
	guest_wrmsr(MSR_IA32_PL3_SSP, 0);
	guest_wrmsr(MSR_IA32_PL2_SSP, 4);
	GUEST_ASSERT_EQ(xrstors(a, XFEATURE_MASK_YMM | CET_U), 0);
	GUEST_ASSERT_EQ(upper_half_of_ymm3(), 0x1234);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_U_CET), 0x5003);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_PL3_SSP), 0x7ff8);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_PL2_SSP), 4);

	/* What the area does not have is initialised. */
	a->used &= ~(CET_S | XFEATURE_MASK_YMM);
	a->format &= ~XFEATURE_MASK_YMM;
	GUEST_ASSERT_EQ(xrstors(a, XFEATURE_MASK_YMM | CET_S), 0);
	GUEST_ASSERT_EQ(upper_half_of_ymm3(), 0);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_PL2_SSP), 0);
}

static void guest_saves_and_loads(void)
{
	save_and_load(0);
	save_and_load(4096 - 640);	/* the page ends within AVX */
	GUEST_DONE();
}

/* Memory of a component in its initial state is left alone. */
static void guest_initial_state(void)
{
	struct area *a = area_at(0);
	u64 all = start_guest();

	guest_wrmsr(MSR_IA32_PL0_SSP, 8);
	GUEST_ASSERT_EQ(xsaves(a, all), 0);
	GUEST_ASSERT_EQ(a->used & (LEGACY | XFEATURE_MASK_YMM | CET), CET_S);
	GUEST_ASSERT_EQ(*(u8 *)a, UNTOUCHED);
	GUEST_ASSERT_EQ(a->mxcsr, 0x01010101u * UNTOUCHED);
	GUEST_ASSERT_EQ(a->xmm[3][0], UNTOUCHED);
	GUEST_ASSERT_EQ(component(a, a->format, 2)[0], UNTOUCHED);
	GUEST_ASSERT_EQ(component(a, a->format, 11)[0], UNTOUCHED);

	/* MXCSR goes with SSE. */
	asm volatile("ldmxcsr %0" : : "m"((u32){ 0x9fc0 }));
	GUEST_ASSERT_EQ(xsaves(a, all), 0);
	GUEST_ASSERT(a->used & XFEATURE_MASK_SSE);
	GUEST_ASSERT_EQ(a->mxcsr, 0x9fc0);
	GUEST_ASSERT_EQ(a->xmm[3][0], 0);
	asm volatile("ldmxcsr %0" : : "m"((u32){ 0x1f80 }));

	/* XSAVEC has nothing of XSS. */
	a = area_at(0);
	GUEST_ASSERT_EQ(xsavec(a, all), 0);
	GUEST_ASSERT_EQ(a->format, COMPACTED | (all & ~CET));
	GUEST_ASSERT_EQ(a->used & ~XFEATURE_MASK_PKRU, 0);
	GUEST_DONE();
}

static void assert_refused(struct area *a, u64 used, u64 format, u64 zero)
{
	a->used = used;
	a->format = format;
	a->zero[5] = zero;
	GUEST_ASSERT_EQ(xrstors(a, CET_U), GP_VECTOR);
	a->zero[5] = 0;
}

static void guest_wrong_areas(void)
{
	u64 all = start_guest(), good = COMPACTED | all;
	struct area *a = area_at(0);

	GUEST_ASSERT_EQ(xsaves(a, all), 0);
	GUEST_ASSERT_EQ(xrstors(a, all), 0);
	assert_refused(a, 0, all, 0);
	assert_refused(a, 0, 0, 0);
	assert_refused(a, BIT_ULL(63), good, 0);
	assert_refused(a, CET_U, good & ~CET_U, 0);
	assert_refused(a, 0, good | BIT_ULL(13), 0);
	assert_refused(a, 0, good, BIT_ULL(63));
	guest_wrmsr(MSR_IA32_XSS, 0);
	assert_refused(a, 0, good, 0);
	guest_wrmsr(MSR_IA32_XSS, CET);

	/* Values that the MSRs don't take, and MXCSR. */
	a->used = CET_U;
	a->format = good;
	((u64 *)component(a, good, 11))[0] = BIT_ULL(6);
	((u64 *)component(a, good, 11))[1] = 0;
	GUEST_ASSERT_EQ(xrstors(a, CET_U), GP_VECTOR);
	((u64 *)component(a, good, 11))[0] = 0;
	((u64 *)component(a, good, 11))[1] = 1;
	GUEST_ASSERT_EQ(xrstors(a, CET_U), GP_VECTOR);
	((u64 *)component(a, good, 11))[1] = 4;
	GUEST_ASSERT_EQ(xrstors(a, CET_U), 0);
	a->used = XFEATURE_MASK_SSE;
	a->mxcsr = BIT(16);
	GUEST_ASSERT_EQ(xrstors(a, CET_U), 0);
	GUEST_ASSERT_EQ(xrstors(a, XFEATURE_MASK_SSE), GP_VECTOR);

	/* XRSTOR takes both formats, but nothing of XSS. */
	a->used = 0;
	GUEST_ASSERT_EQ(xrstor(a, LEGACY), GP_VECTOR);
	a->format &= ~CET;
	GUEST_ASSERT_EQ(xrstor(a, LEGACY), 0);
	a->format = LEGACY;
	GUEST_ASSERT_EQ(xrstor(a, LEGACY), GP_VECTOR);
	a->format = 0;
	GUEST_ASSERT_EQ(xrstor(a, LEGACY), GP_VECTOR);	/* MXCSR, in any case */
	a->mxcsr = 0x1f80;
	GUEST_ASSERT_EQ(xrstor(a, LEGACY), 0);
	GUEST_DONE();
}

static void guest_wrong_states(void)
{
	struct area *a = area_at(0);
	u64 cr0, cr4;

	start_guest();
	GUEST_ASSERT_EQ(xsaves(a, ~0ull), 0);
	GUEST_ASSERT_EQ(xsaves((void *)a + 32, ~0ull), GP_VECTOR);
	GUEST_ASSERT_EQ(xsavec((void *)a + 1, ~0ull), GP_VECTOR);
	GUEST_ASSERT_EQ(xrstors((void *)a + 8, ~0ull), GP_VECTOR);

	cr0 = get_cr0();
	set_cr0(cr0 | X86_CR0_TS);
	GUEST_ASSERT_EQ(xsaves(a, ~0ull), NM_VECTOR);
	GUEST_ASSERT_EQ(xsavec((void *)a + 1, ~0ull), NM_VECTOR);
	GUEST_ASSERT_EQ(xrstors(a, ~0ull), NM_VECTOR);
	set_cr0(cr0);

	cr4 = get_cr4();
	set_cr4(cr4 & ~X86_CR4_OSXSAVE);
	GUEST_ASSERT_EQ(xsaves(a, ~0ull), UD_VECTOR);
	GUEST_ASSERT_EQ(xsavec((void *)a + 1, ~0ull), UD_VECTOR);
	GUEST_ASSERT_EQ(xrstors(a, ~0ull), UD_VECTOR);
	set_cr4(cr4);
	GUEST_DONE();
}

static u8 mov_cr0(u64 value)
{
	return kvm_asm_safe("mov %[value], %%cr0", [value] "a"(value));
}

static u8 mov_cr4(u64 value)
{
	return kvm_asm_safe("mov %[value], %%cr4", [value] "a"(value));
}

static void guest_cet(void)
{
	static const struct { u32 msr; u64 good, bad; } msrs[] = {
		{ MSR_IA32_U_CET, 0x7fffffff043full, BIT_ULL(9) },
		{ MSR_IA32_S_CET, 0x7fffffff083full, BIT_ULL(10) | BIT_ULL(11) },
		{ MSR_IA32_S_CET, 0xffff800000000000, 0x800000000000 },
		{ MSR_IA32_PL0_SSP, 0x7ffffffffffc, 1 },
		{ MSR_IA32_PL1_SSP, 0xffff800000000000, 2 },
		{ MSR_IA32_PL2_SSP, 4, 0x800000000000 },
		{ MSR_IA32_PL3_SSP, 4, 0xffff7ffffffffffc },
		{ MSR_IA32_INT_SSP_TAB, 0x7fffffffffff, 0x800000000000 },
	};
	u64 cr0 = get_cr0(), cr4 = get_cr4();

	for (int i = 0; i < ARRAY_SIZE(msrs); i++) {
		guest_wrmsr(msrs[i].msr, msrs[i].good);
		GUEST_ASSERT_EQ(wrmsr_safe(msrs[i].msr, msrs[i].bad), GP_VECTOR);
		GUEST_ASSERT_EQ(guest_rdmsr(msrs[i].msr), msrs[i].good);
		guest_wrmsr(msrs[i].msr, 0);
	}

	GUEST_ASSERT_EQ(mov_cr0(cr0 & ~X86_CR0_WP), 0);
	GUEST_ASSERT_EQ(mov_cr4(cr4 | X86_CR4_CET), GP_VECTOR);
	GUEST_ASSERT_EQ(mov_cr0(cr0 | X86_CR0_WP), 0);
	GUEST_ASSERT_EQ(mov_cr4(cr4 | X86_CR4_CET), 0);
	GUEST_ASSERT_EQ(get_cr4(), cr4 | X86_CR4_CET);
	GUEST_ASSERT_EQ(mov_cr0(cr0 & ~X86_CR0_WP), GP_VECTOR);
	GUEST_ASSERT_EQ(mov_cr4(cr4), 0);
	GUEST_DONE();
}

/* XSS, CET and vector registers are the TD's own. */
static void guest_keeps(void)
{
	start_guest();
	guest_wrmsr(MSR_IA32_S_CET, 0x1004);
	guest_wrmsr(MSR_IA32_U_CET, 0x2004);
	guest_wrmsr(MSR_IA32_PL1_SSP, 0x3004);
	guest_wrmsr(MSR_IA32_INT_SSP_TAB, 0x4001);
	GUEST_SYNC(0);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_XSS), CET);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_S_CET), 0x1004);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_U_CET), 0x2004);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_PL1_SSP), 0x3004);
	GUEST_ASSERT_EQ(guest_rdmsr(MSR_IA32_INT_SSP_TAB), 0x4001);
	GUEST_DONE();
}

static struct kvm_vm *new_td(void *guest_code, struct kvm_vcpu **vcpu)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);

	init->xfam = caps->supported_xfam;
	tdx_init_vm(vm, init);
	*vcpu = vm_vcpu_add(vm, 0, guest_code);
	tdx_vm_finalize(vm);
	free(init);
	free(caps);
	return vm;
}

static void run_td(void *guest_code)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm = new_td(guest_code, &vcpu);

	vcpu_run_to_done(vcpu);
	kvm_vm_free(vm);
}

TEST(saves_and_loads) { run_td(guest_saves_and_loads); }
TEST(initial_state) { run_td(guest_initial_state); }
TEST(wrong_areas) { run_td(guest_wrong_areas); }
TEST(wrong_states) { run_td(guest_wrong_states); }
TEST(cet) { run_td(guest_cet); }

TEST(td_keeps_its_own)
{
	struct kvm_vcpu *vcpu[2];
	struct kvm_vm *vm[2];

	pin_self_to_any_cpu();
	for (int i = 0; i < 2; i++)
		vm[i] = new_td(guest_keeps, &vcpu[i]);
	for (int i = 0; i < 2; i++)
		vcpu_run_to_sync(vcpu[i], 0);
	for (int i = 0; i < 2; i++) {
		vcpu_run_to_done(vcpu[i]);
		kvm_vm_free(vm[i]);
	}
}

/* The host. */

static bool host_msr(u32 msr, u64 *value, bool write)
{
	int fd = open("/dev/cpu/0/msr", O_RDWR);
	ssize_t done = write ? pwrite(fd, value, sizeof(*value), msr) :
			       pread(fd, value, sizeof(*value), msr);

	close(fd);
	return done == sizeof(*value);
}

TEST(msrs_of_the_host)
{
	u64 xss, s_cet = 0x1000, bad = BIT_ULL(6), now;

	pin_self_to_cpu(0);
	TEST_ASSERT_EQ(host_msr(MSR_IA32_XSS, &xss, false), true);
	for (int bit = 0; bit < 64; bit++) {
		u64 value = xss | BIT_ULL(bit);

		TEST_ASSERT_EQ(host_msr(MSR_IA32_XSS, &value, true), !!(CET & BIT_ULL(bit)));
	}
	TEST_ASSERT_EQ(host_msr(MSR_IA32_XSS, &xss, true), true);

	/* The TD's is another one. */
	TEST_ASSERT_EQ(host_msr(MSR_IA32_INT_SSP_TAB, &s_cet, true), true);
	run_td(guest_cet);
	TEST_ASSERT_EQ(host_msr(MSR_IA32_INT_SSP_TAB, &now, false), true);
	TEST_ASSERT_EQ(now, s_cet);
	s_cet = 0;
	TEST_ASSERT_EQ(host_msr(MSR_IA32_INT_SSP_TAB, &s_cet, true), true);
	TEST_ASSERT_EQ(host_msr(MSR_IA32_S_CET, &bad, true), false);
}

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
	siglongjmp(after_fault, 1);
}

/* Whether the instruction faults in a program. */
#define FAULTS(insn, a, components)						\
({										\
	bool fault = sigsetjmp(after_fault, 1);				\
										\
	if (!fault)								\
		asm volatile(insn " (%0)" : : "D"(a), "a"((u32)(components)),	\
			     "d"((u64)(components) >> 32) : "memory");		\
	fault;									\
})

TEST(program_of_the_host)
{
	u64 xcr0 = xgetbv(0);
	struct area *a = area_at(0);

	signal(SIGSEGV, on_fault);
	TEST_ASSERT_EQ(FAULTS("xsavec64", a, ~0ull), false);
	TEST_ASSERT_EQ(a->format, COMPACTED | xcr0);
	TEST_ASSERT_EQ(FAULTS("xrstor64", a, ~0ull), false);
	TEST_ASSERT_EQ(FAULTS("xsavec64", (void *)a + 32, ~0ull), true);
	TEST_ASSERT_EQ(FAULTS("xsaves64", a, ~0ull), true);
	TEST_ASSERT_EQ(FAULTS("xrstors64", a, ~0ull), true);
	a->used |= CET_U;
	a->format |= CET_U;
	TEST_ASSERT_EQ(FAULTS("xrstor64", a, ~0ull), true);
	signal(SIGSEGV, SIG_DFL);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
