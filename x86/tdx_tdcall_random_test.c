// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that makes random TDCALLs: leaves, versions, masks and operands, biased
 * towards values that are valid or nearly so.
 *
 * Few of them reach KVM as TDVMCALLs.  More reach it as faults, because an operand
 * is the address of memory that isn't there, that is shared instead of private or
 * the other way round, or that the guest hasn't accepted.  KVM has to survive, and
 * may change no register of the guest but those with results.  User space does what
 * the guest asks for: it converts memory, adds memslots and answers every exit.
 *
 * Environment variables: TDX_CALLS is the number of calls, TDX_SEED the random seed.
 */
#include <linux/sizes.h>

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Memory that the guest doesn't use, to be converted back and forth. */
#define SPARE_SLOT		10
#define SPARE_GPA		BIT_ULL(32)
#define SPARE_PAGES		1024

/* There is never a memslot, so shared accesses are MMIO. */
#define MMIO_GPA		BIT_ULL(45)

/*
 * A gigabyte without memory, in which user space adds single pages on demand.  When
 * the guest faults repeatedly at one instruction, the module checks for up to 32 of
 * the pages before it lets the guest go on (zero-step mitigation), so user space
 * keeps as many.
 */
#define NR_HOLES		32
#define HOLE_SLOT		11	/* of the first one */
#define HOLE_GPA		BIT_ULL(46)
#define HOLE_PAGES		BIT_ULL(18)

static u64 nr_calls = 4000;

/* Pages that the guest may overwrite. */
static gpa_t scratch_private;
static gpa_t scratch_shared;

/* What a leaf expects of an operand. */
enum kind {
	ANY, NONE, BOOL, LEVEL, WIDTH, SIZE, GPA, GPA_LEVEL, FIELD, MSR, CPUID,
};

static u64 pick_any(void)
{
	u32 r = kvm_random_u32(&kvm_rng);
	int bit = r >> 8 & 63;

	switch (r & 7) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return BIT_ULL(bit);
	case 3:
		return BIT_ULL(bit) - 1;
	case 4:
		return kvm_random_u32(&kvm_rng);
	case 5:
		return kvm_random_u64(&kvm_rng) << 1;
	default:
		return bit;
	}
}

#define pick(array) ((array)[kvm_random_u32(&kvm_rng) % ARRAY_SIZE(array)])

static u64 pick_gpa(void)
{
	u32 r = kvm_random_u32(&kvm_rng);
	u64 page = kvm_random_u32(&kvm_rng);
	gpa_t gpa;

	switch (r & 15) {
	case 0 ... 3:
		gpa = scratch_private;
		break;
	case 4 ... 5:
		gpa = scratch_shared;
		break;
	case 6 ... 9:
		gpa = SPARE_GPA + page % SPARE_PAGES * PAGE_SIZE;
		break;
	case 10 ... 12:
		gpa = (SPARE_GPA + page % SPARE_PAGES * PAGE_SIZE) | tdx_s_bit;
		break;
	case 13:
		gpa = APIC_DEFAULT_GPA | tdx_s_bit;
		break;
	case 14:
		gpa = (MMIO_GPA + page % HOLE_PAGES * PAGE_SIZE) | tdx_s_bit;
		break;
	default:
		gpa = HOLE_GPA + page % HOLE_PAGES * PAGE_SIZE;
		break;
	}

	/* Not aligned, aligned to 64 bytes or to 2 MiB, or out of range. */
	switch (r >> 4 & 15) {
	case 0:
		return gpa + (r >> 8) % PAGE_SIZE;
	case 1:
		return gpa + ((r >> 8) % PAGE_SIZE & ~63u);
	case 2:
		return gpa | BIT_ULL(48 + (r >> 8 & 15));
	case 3:
		return gpa & ~GENMASK_ULL(20, 12);
	default:
		return gpa;
	}
}

/* Identifiers of TD-scope, VP-scope and SYS fields. */
static const u64 fields[] = {
	0x1110000300000000, 0x1110000300000001, 0x1110000300000016,
	0x1110000300000017, 0x1110000300000022, 0x9110000300000010,
	0x1310000300000000, 0x1310000300000040, 0x9910000300000000,
	0xa020000200000002, 0xa020000000000007, 0xa120000000000001,
	0x0800000100000004, 0x0a00000300000008, 0x0a00000000000001,
	~0ull,
};

static u64 pick_field(void)
{
	u64 field = pick(fields);

	switch (kvm_random_u32(&kvm_rng) & 7) {
	case 0:
		return field ^ BIT_ULL(kvm_random_u32(&kvm_rng) & 63);
	case 1:
		return field + (kvm_random_u32(&kvm_rng) & 15);
	default:
		return field;
	}
}

static const u32 msrs[] = {
	MSR_IA32_TSC, MSR_IA32_APICBASE, MSR_IA32_MISC_ENABLE, MSR_MTRRcap,
	MSR_IA32_CR_PAT, MSR_IA32_TSC_DEADLINE, MSR_IA32_MCG_STATUS,
	MSR_IA32_MCx_CTL(0), MSR_EFER, MSR_IA32_ARCH_CAPABILITIES,
	MSR_IA32_FEAT_CTL, MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_POLL_CONTROL,
	APIC_BASE_MSR + (APIC_ID >> 4), APIC_BASE_MSR + (APIC_SPIV >> 4),
	APIC_BASE_MSR + (APIC_ICR >> 4), APIC_BASE_MSR + (APIC_LVTT >> 4),
	APIC_BASE_MSR + (APIC_TMICT >> 4), APIC_BASE_MSR + (APIC_TMCCT >> 4),
	APIC_BASE_MSR + (APIC_EOI >> 4),
};

static u64 pick_operand(enum kind kind)
{
	static const u64 sizes[] = { 0, 1, SZ_4K, SZ_8K, SZ_2M, SZ_4M + SZ_4K };
	static const u32 leaves[] = { 0, 1, 4, 7, 0xd, 0x1f, 0x21,
				      0x40000000, 0x80000001, 0x80000008 };
	u32 r = kvm_random_u32(&kvm_rng);

	/* Ignore what the leaf expects, now and then. */
	if (!(r & 7))
		kind = ANY;

	switch (kind) {
	case NONE:
		return 0;
	case BOOL:
		return r >> 8 & 1;
	case LEVEL:
		return r >> 8 & 3;
	case WIDTH:
		return BIT_ULL(r >> 8 & 3);
	case SIZE:
		return pick(sizes);
	case GPA:
		return pick_gpa();
	case GPA_LEVEL:
		return pick_gpa() | (r >> 8 & r >> 16 & 3);
	case FIELD:
		return pick_field();
	case MSR:
		return pick(msrs);
	case CPUID:
		return pick(leaves);
	default:
		return pick_any();
	}
}

/*
 * Keep operands in memory off the guest's own memory.  The TDCALL might overwrite it,
 * or user space might convert it to shared.
 */
static u64 keep_off(u64 gpa)
{
	gpa_t page = gpa & ~tdx_s_bit & PAGE_MASK;

	if (gpa >> 48 || page >= SPARE_GPA || page == scratch_private ||
	    page == (scratch_shared & ~tdx_s_bit))
		return gpa;

	return scratch_private + gpa % PAGE_SIZE;
}

static bool is_hole(u64 gpa)
{
	return gpa >= SPARE_GPA + SPARE_PAGES * PAGE_SIZE && !(gpa & tdx_s_bit);
}

/*
 * The second operand in memory, given the first.  Both have to be there at the same
 * time, so they can't be the shared and the private view of one page, nor two pages
 * of the gigabyte where user space may remove one to add the other.
 */
static u64 agree(u64 first, u64 second)
{
	if (is_hole(first) && is_hole(second))
		return first;
	if (((first ^ second) & PAGE_MASK) == tdx_s_bit)
		return second ^ tdx_s_bit;
	return second;
}

static const struct tdcall {
	u64 leaf;
	enum kind rcx, rdx, r8, r9;
} tdcalls[] = {
	{ TDG_VP_INFO },
	{ TDG_MR_RTMR_EXTEND, GPA, LEVEL },
	{ TDG_VP_VEINFO_GET },
	{ TDG_MR_REPORT, GPA, GPA, NONE },
	{ TDG_VP_CPUIDVE_SET, LEVEL },
	{ TDG_MEM_PAGE_ACCEPT, GPA_LEVEL },
	{ TDG_VM_RD, NONE, FIELD },
	{ TDG_VM_WR, NONE, FIELD, ANY, ANY },
	{ TDG_VP_RD, NONE, FIELD },
	{ TDG_VP_WR, NONE, FIELD, ANY, ANY },
	{ TDG_SYS_RD, NONE, FIELD },
	{ TDG_SYS_RDALL, NONE, GPA, FIELD },
	{ TDG_SERVTD_RD, ANY, FIELD },
	{ TDG_SERVTD_WR, ANY, FIELD, ANY, ANY },
	{ TDG_MR_VERIFYREPORT, GPA },
	{ TDG_MEM_PAGE_ATTR_RD, GPA },
	{ TDG_MEM_PAGE_ATTR_WR, GPA, ANY, ANY },
};

static bool is_gpa(enum kind kind)
{
	return kind == GPA || kind == GPA_LEVEL;
}

static void random_tdcall(void)
{
	const struct tdcall *t = &pick(tdcalls);
	u64 leaf = t->leaf, reg[NR_GPRS];
	u32 r = kvm_random_u32(&kvm_rng);

	for (int i = 0; i < NR_GPRS; i++)
		reg[i] = pick_any();
	reg[GPR_RCX] = pick_operand(t->rcx);
	reg[GPR_RDX] = pick_operand(t->rdx);
	reg[GPR_R8] = pick_operand(t->r8);
	reg[GPR_R9] = pick_operand(t->r9);

	/* Which operands are in memory depends on the leaf, not on its version. */
	if (is_gpa(t->rcx))
		reg[GPR_RCX] = keep_off(reg[GPR_RCX]);
	/*
	 * KVM maps private memory by pages of 4 KiB.  The guest would fault forever
	 * if it asked for the attributes of a larger page.
	 */
	if (leaf == TDG_MEM_PAGE_ATTR_WR)
		reg[GPR_RCX] &= ~7ull;
	if (is_gpa(t->rdx))
		reg[GPR_RDX] = agree(reg[GPR_RCX], keep_off(reg[GPR_RDX]));

	switch (r & 31) {
	case 0:
		leaf |= pick_any() << 16;
		break;
	case 1:
		leaf |= BIT_ULL(16);
		break;
	case 2:
		/* There are no such leaves. */
		leaf = 25 + (r >> 8) % 64;
		break;
	}

	__tdcall(leaf, reg);
}

static const struct {
	u64 leaf;
	enum kind arg[4];
} tdvmcalls[] = {
	{ TDVMCALL_GET_TD_VM_CALL_INFO, { BOOL } },
	{ TDVMCALL_MAP_GPA, { GPA, SIZE } },
	{ TDVMCALL_MAP_GPA, { GPA, SIZE } },
	{ TDVMCALL_GET_QUOTE, { GPA, SIZE } },
	{ TDVMCALL_REPORT_FATAL_ERROR, { ANY, GPA, ANY, ANY } },
	{ TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT, { ANY } },
	{ EXIT_REASON_CPUID, { CPUID, LEVEL } },
	{ EXIT_REASON_HLT },
	{ EXIT_REASON_IO_INSTRUCTION, { WIDTH, BOOL, ANY, ANY } },
	{ EXIT_REASON_MSR_READ, { MSR } },
	{ EXIT_REASON_MSR_WRITE, { MSR, ANY } },
	{ EXIT_REASON_EPT_VIOLATION, { WIDTH, BOOL, GPA, ANY } },
	{ EXIT_REASON_WBINVD, { BOOL } },
};

/*
 * HLT is the only call that doesn't return by itself, so set the timer first.  The
 * interrupt stays pending, because interrupts are off, but KVM believes the guest
 * that they are on.
 */
static void halt(void)
{
	tdx_apic_enable();
	tdx_apic_write(APIC_LVTT, 0x80);
	tdx_apic_write(APIC_TMICT, 1);
	GUEST_ASSERT_EQ(tdvmcall_hlt(0), TDVMCALL_STATUS_SUCCESS);
}

/* KVM changes only the results of this TDVMCALL, and only those in the mask. */
static void check_tdvmcall(const struct tdvmcall *sent,
			   const struct tdvmcall *back, u64 status)
{
	const u64 mask = sent->reg[TDVMCALL_MASK];
	u64 may_change = 0;

	if (mask & ~(TDVMCALL_MASK_ALL | GENMASK_ULL(31, 16))) {
		GUEST_ASSERT_EQ(status, TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX);
	} else {
		GUEST_ASSERT_EQ(status, TDX_SUCCESS);
		may_change = mask & (BIT_ULL(TDVMCALL_STATUS) | BIT_ULL(TDVMCALL_RET));
		if (sent->reg[TDVMCALL_LEAF] == TDVMCALL_GET_TD_VM_CALL_INFO ||
		    sent->reg[TDVMCALL_LEAF] == EXIT_REASON_CPUID)
			for (int i = 0; i < 4; i++)
				may_change |= mask & BIT_ULL(tdvmcall_args[i]);
	}

	for (int i = 0; i < NR_GPRS; i++)
		__GUEST_ASSERT(may_change & BIT_ULL(i) ||
			       back->reg[i] == sent->reg[i],
			       "TDVMCALL 0x%lx, mask 0x%lx: register %d was 0x%lx, is 0x%lx",
			       sent->reg[TDVMCALL_LEAF], mask, i, sent->reg[i],
			       back->reg[i]);
}

static void random_tdvmcall(void)
{
	u32 t = kvm_random_u32(&kvm_rng) % ARRAY_SIZE(tdvmcalls);
	u32 r = kvm_random_u32(&kvm_rng);
	struct tdvmcall call, back;

	for (int i = 0; i < NR_GPRS; i++)
		call.reg[i] = pick_any();

	call.reg[TDVMCALL_TYPE] = 0;
	call.reg[TDVMCALL_LEAF] = tdvmcalls[t].leaf;
	for (int i = 0; i < ARRAY_SIZE(tdvmcalls[t].arg); i++)
		tdvmcall_arg(&call, i) = pick_operand(tdvmcalls[t].arg[i]);

	if (!(r & 15))
		call.reg[TDVMCALL_TYPE] = pick_any();
	if (!(r >> 4 & 15))
		call.reg[TDVMCALL_LEAF] = pick_any();
	call.reg[TDVMCALL_MASK] = TDVMCALL_MASK_ALL;
	if (!(r >> 8 & 7))
		call.reg[TDVMCALL_MASK] |= pick_any();
	if (!(r >> 11 & 7))
		call.reg[TDVMCALL_MASK] &= kvm_random_u64(&kvm_rng);

	if (call.reg[TDVMCALL_LEAF] == EXIT_REASON_HLT) {
		halt();
		return;
	}

	back = call;
	check_tdvmcall(&call, &back, __tdcall(TDG_VP_VMCALL, back.reg));
}

/*
 * Operands in memory fault as any access does.  #VE means that there is no memslot,
 * or that the page hasn't been accepted: skip the TDCALL.
 */
static void ve_handler(struct ex_regs *regs)
{
	static const u8 insn_tdcall[] = { 0x66, 0x0f, 0x01, 0xcc };
	u64 reg[NR_GPRS] = {};

	GUEST_ASSERT(!memcmp((void *)regs->rip, insn_tdcall, sizeof(insn_tdcall)));
	GUEST_ASSERT_EQ(__tdcall(TDG_VP_VEINFO_GET, reg), TDX_SUCCESS);
	GUEST_ASSERT_EQ((u32)reg[GPR_RCX], EXIT_REASON_EPT_VIOLATION);
	regs->rip += sizeof(insn_tdcall);
}

static void guest_random(void)
{
	for (u64 i = 0; i < nr_calls; i++) {
		if (kvm_random_bool(&kvm_rng))
			random_tdvmcall();
		else
			random_tdcall();
	}

	GUEST_DONE();
}

static gpa_t holes[NR_HOLES];

static void drop_hole(struct kvm_vm *vm, int i)
{
	if (!holes[i])
		return;
	vm_mem_region_delete(vm, HOLE_SLOT + i);
	vm_mem_set_shared(vm, holes[i], PAGE_SIZE);
	holes[i] = 0;
}

static void fill_hole(struct kvm_vm *vm, gpa_t gpa)
{
	static u32 next;
	int i = next++ % NR_HOLES;

	drop_hole(vm, i);
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, gpa, HOLE_SLOT + i, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(vm, gpa, PAGE_SIZE);
	holes[i] = gpa;
}

static void open_hole(struct kvm_vm *vm, gpa_t gpa)
{
	for (int i = 0; i < NR_HOLES; i++)
		if (holes[i] == gpa)
			drop_hole(vm, i);
}

static bool is_spare(gpa_t gpa, u64 nr_pages)
{
	gpa_t end = SPARE_GPA + SPARE_PAGES * PAGE_SIZE;

	return gpa >= SPARE_GPA && gpa < end &&
	       nr_pages <= (end - gpa) / PAGE_SIZE;
}

static void convert(struct kvm_vm *vm, gpa_t gpa, u64 size, bool private)
{
	if (private)
		vm_mem_set_private(vm, gpa, size);
	else
		vm_mem_set_shared(vm, gpa, size);
}

static void handle_memory_fault(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	bool private = run->memory_fault.flags & KVM_MEMORY_EXIT_FLAG_PRIVATE;
	gpa_t gpa = run->memory_fault.gpa;

	TEST_ASSERT_EQ(run->memory_fault.size, PAGE_SIZE);
	if (is_spare(gpa, 1)) {
		convert(vcpu->vm, gpa, PAGE_SIZE, private);
	} else {
		TEST_ASSERT(gpa >= SPARE_GPA,
			    "The guest's own memory at 0x%lx is to be %s",
			    (unsigned long)gpa, private ? "private" : "shared");
		if (private)
			fill_hole(vcpu->vm, gpa);
		else
			open_hole(vcpu->vm, gpa);
	}
}

static u64 handle_map_gpa(struct kvm_vcpu *vcpu)
{
	__u64 *args = vcpu->run->hypercall.args;

	TEST_ASSERT_EQ(vcpu->run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	if (!is_spare(args[0], args[1]))
		return kvm_random_bool(&kvm_rng) ? EINVAL : EAGAIN;

	convert(vcpu->vm, args[0], args[1] * PAGE_SIZE,
		args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED);
	return 0;
}

/* Returns false when the guest is done. */
static bool run_once(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int r = __vcpu_run(vcpu);
	struct ucall uc;

	if (r && errno == EFAULT && run->exit_reason == KVM_EXIT_MEMORY_FAULT) {
		handle_memory_fault(vcpu);
		return true;
	}
	TEST_ASSERT(!r, KVM_IOCTL_ERROR(KVM_RUN, r));

	switch (get_ucall(vcpu, &uc)) {
	case UCALL_DONE:
		return false;
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
	}

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		memset((void *)run + run->io.data_offset,
		       kvm_random_u32(&kvm_rng), run->io.size);
		break;
	case KVM_EXIT_MMIO:
		memset(run->mmio.data, kvm_random_u32(&kvm_rng), run->mmio.len);
		break;
	case KVM_EXIT_HYPERCALL:
		run->hypercall.ret = handle_map_gpa(vcpu);
		break;
	case KVM_EXIT_TDX:
		run->tdx.unknown.ret = kvm_random_bool(&kvm_rng) ?
			TDVMCALL_STATUS_SUCCESS : TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED;
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		TEST_ASSERT_EQ(run->system_event.type, KVM_SYSTEM_EVENT_TDX_FATAL);
		break;
	default:
		TEST_FAIL("Unexpected exit: %s", vcpu_exit_str(vcpu));
	}
	return true;
}

static void guest_done(void)
{
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(tdcall_random);

/* No timeout: TDX_CALLS may be large. */
TEST_F_TIMEOUT(tdcall_random, survives, INT_MAX)
{
	struct tdx_irq_td td;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	gva_t private, shared;
	void *hva;

	/* Random writes to the interrupt command register send NMIs. */
	tdx_irq_td_create(&td);
	vm = td.vm;
	vcpu = vm_vcpu_add(vm, 0, guest_random);
	vm_install_exception_handler(vm, VE_VECTOR, ve_handler);
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, SPARE_GPA, SPARE_SLOT, SPARE_PAGES,
		   KVM_MEM_GUEST_MEMFD, -1, 0);

	private = vm_alloc_page(vm);
	shared = tdx_alloc_shared(vm, PAGE_SIZE, &hva);
	write_guest_global(vm, scratch_private, addr_gva2gpa(vm, private));
	write_guest_global(vm, scratch_shared,
			   addr_gva2gpa(vm, shared) | vm->arch.s_bit);
	sync_global_to_guest(vm, nr_calls);
	tdx_vm_finalize(vm);

	self->vcpu = vcpu;
	while (run_once(vcpu))
		;

	/* Another TD still works. */
	kvm_vm_free(vm);
	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &self->vcpu, guest_done);
	vcpu_run_to_done(self->vcpu);
}

static u64 from_environment(const char *name, u64 value)
{
	const char *s = getenv(name);

	return s ? atoi_positive(name, s) : value;
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	nr_calls = from_environment("TDX_CALLS", nr_calls);
	kvm_random_seed = from_environment("TDX_SEED", kvm_random_seed);

	return test_harness_run(argc, argv);
}
