// SPDX-License-Identifier: GPL-2.0
/*
 * #VE: what a TD's guest gets instead of an exit, and what KVM makes of it.
 *
 * The TDX module turns what a VMM would emulate into an exception, and a guest
 * that wants it emulated asks KVM by TDVMCALL.  So for a guest that does that
 * in its #VE handler, KVM has to be the VMM that it would be without TDX.  For
 * accesses of shared memory #VE is even KVM's own doing: it marks GPAs without
 * a memslot as MMIO, and has to raise no #VE for anything else.
 *
 * A second #VE before the guest has fetched the information about the first is
 * a double fault.  Whatever happens in between, exits included, the information
 * has to stay.
 */
#include <sched.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define MMIO_GPA	0x100000000ul
#define MMIO_SLOT	10

#define SOME_PORT	0x1a2b
#define SOME_VALUE	0xfedcba9876543210ull

/* A leaf and an MSR of the hypervisor's, for which every TD gets #VE. */
#define KVM_LEAF	0x40000000
#define KVM_MSR		MSR_KVM_POLL_CONTROL

/* Port I/O and EPT violations by their exit qualification. */
#define IO_SIZE(qual)		(((qual) & 7) + 1)
#define IO_IS_READ(qual)	((qual) & BIT(3))
#define IO_PORT(qual)		((qual) >> 16 & 0xffff)
#define EPT_IS_WRITE(qual)	((qual) & BIT(1))

static struct tdx_ve_info ve;
static u64 nr_ve, nr_nmi, nr_double_faults;

/* Of the length that the #VE handler skips. */
#define MMIO_INSN_LENGTH	3

static noinline u64 mmio_read(u64 *addr)
{
	u64 val;

	asm volatile("mov (%%rdi), %%rax" : "=a"(val) : "D"(addr) : "memory");
	return val;
}

static noinline void mmio_write(u64 *addr, u64 val)
{
	asm volatile("mov %%rax, (%%rdi)" : : "a"(val), "D"(addr) : "memory");
}

static u64 *const mmio = (u64 *)MMIO_GPA;

static void get_info(struct ex_regs *regs)
{
	GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	nr_ve++;
}

/* The instruction is of no interest any more. */
static void ve_skip(struct ex_regs *regs)
{
	get_info(regs);
	regs->rip += ve.instruction_length;
}

static u64 set_edx_eax(struct ex_regs *regs, u64 val)
{
	regs->rax = (u32)val;
	regs->rdx = val >> 32;
	return TDVMCALL_STATUS_SUCCESS;
}

static u64 ve_port_io(struct ex_regs *regs)
{
	u64 qual = ve.exit_qualification, mask, val, status;

	if (!IO_IS_READ(qual))
		return tdvmcall_io_write(IO_PORT(qual), IO_SIZE(qual), regs->rax);

	status = tdvmcall_io_read(IO_PORT(qual), IO_SIZE(qual), &val);
	mask = GENMASK_ULL(8 * IO_SIZE(qual) - 1, 0);
	regs->rax = (regs->rax & ~mask) | (val & mask);
	return status;
}

static u64 ve_mmio(struct ex_regs *regs)
{
	regs->rip += MMIO_INSN_LENGTH;
	if (EPT_IS_WRITE(ve.exit_qualification))
		return tdvmcall_mmio_write(ve.gpa & ~tdx_s_bit, 8, regs->rax);
	return tdvmcall_mmio_read(ve.gpa, 8, &regs->rax);
}

/* What a guest's kernel does: ask KVM for what the instruction should have done. */
static void ve_emulate(struct ex_regs *regs)
{
	u64 val = 0, status;

	get_info(regs);

	switch (ve.exit_reason) {
	case EXIT_REASON_CPUID:
		status = tdvmcall_cpuid(regs->rax, regs->rcx, &regs->rax,
					&regs->rbx, &regs->rcx, &regs->rdx);
		break;
	case EXIT_REASON_MSR_READ:
		status = tdvmcall_rdmsr(regs->rcx, &val) ?: set_edx_eax(regs, val);
		break;
	case EXIT_REASON_MSR_WRITE:
		status = tdvmcall_wrmsr(regs->rcx, (u32)regs->rax | regs->rdx << 32);
		break;
	case EXIT_REASON_IO_INSTRUCTION:
		status = ve_port_io(regs);
		break;
	case EXIT_REASON_EPT_VIOLATION:
		GUEST_ASSERT_EQ(ve_mmio(regs), TDVMCALL_STATUS_SUCCESS);
		return;
	default:
		status = tdvmcall(ve.exit_reason);
		break;
	}

	/* Left to the guest code: RAX is whatever status KVM has for the rest. */
	if (ve.exit_reason == EXIT_REASON_WBINVD)
		regs->rax = status;
	else
		GUEST_ASSERT_EQ(status, TDVMCALL_STATUS_SUCCESS);
	regs->rip += ve.instruction_length;
}

FIXTURE(ve) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(ve)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
}

FIXTURE_TEARDOWN(ve)
{
	kvm_vm_free(self->vm);
}

typedef void handler_fn(struct ex_regs *regs);

static void launch(struct kvm_vcpu *vcpu, void *guest, handler_fn *handler)
{
	vcpu_arch_set_entry_point(vcpu, guest);
	vm_install_exception_handler(vcpu->vm, VE_VECTOR, handler);
	tdx_vm_finalize(vcpu->vm);
}

/* Shared memory that comes and goes by its memslot. */
static void add_memslot(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, MMIO_GPA,
				    MMIO_SLOT, 1, 0);
}

static void map_memslot(struct kvm_vm *vm)
{
	add_memslot(vm);
	virt_map(vm, MMIO_GPA, MMIO_GPA, 1);
}

static u64 *memslot_hva(struct kvm_vm *vm)
{
	return addr_gpa2hva(vm, MMIO_GPA);
}

/*
 * What raises #VE
 */

/* To the compiler all of memory may change: the #VE handler's globals do. */
#define EXECUTE(name, insn, a, c, d)					\
static void do_##name(void)						\
{									\
	u64 rax = a, rcx = c, rdx = d;					\
									\
	asm volatile(insn : "+a"(rax), "+c"(rcx), "+d"(rdx)		\
		     : : "rbx", "memory");				\
}

EXECUTE(hlt, "hlt", 0, 0, 0)
EXECUTE(vmcall, "vmcall", ~0ull, 0, 0)
EXECUTE(invd, "invd", 0, 0, 0)
EXECUTE(wbinvd, "wbinvd", 0, 0, 0)
EXECUTE(inb, "inb %%dx, %%al", 0, 0, SOME_PORT)
EXECUTE(outl, "outl %%eax, %%dx", 0, 0, SOME_PORT)
EXECUTE(rdmsr, "rdmsr", 0, KVM_MSR, 0)
EXECUTE(wrmsr, "wrmsr", 0, KVM_MSR, 0)
EXECUTE(cpuid, "cpuid", KVM_LEAF, 0, 0)

static const struct {
	const char *name;
	void (*execute)(void);
	u32 exit_reason;
	u32 length;
} instructions[] = {
	{ "hlt", do_hlt, EXIT_REASON_HLT, 1 },
	{ "vmcall", do_vmcall, EXIT_REASON_VMCALL, 3 },
	{ "invd", do_invd, EXIT_REASON_INVD, 2 },
	{ "wbinvd", do_wbinvd, EXIT_REASON_WBINVD, 2 },
	{ "inb", do_inb, EXIT_REASON_IO_INSTRUCTION, 1 },
	{ "outl", do_outl, EXIT_REASON_IO_INSTRUCTION, 1 },
	{ "rdmsr", do_rdmsr, EXIT_REASON_MSR_READ, 2 },
	{ "wrmsr", do_wrmsr, EXIT_REASON_MSR_WRITE, 2 },
	{ "cpuid", do_cpuid, EXIT_REASON_CPUID, 2 },
};

static void guest_instructions(void)
{
	for (int i = 0; i < ARRAY_SIZE(instructions); i++) {
		instructions[i].execute();
		__GUEST_ASSERT(nr_ve == i + 1 &&
			       ve.exit_reason == instructions[i].exit_reason &&
			       ve.instruction_length == instructions[i].length,
			       "%s: #VE %lu, exit reason %u, %u bytes",
			       instructions[i].name, nr_ve, ve.exit_reason,
			       ve.instruction_length);
	}
	GUEST_DONE();
}

/* ... and none of them is an exit. */
TEST_F(ve, raised_by_instructions_that_a_vmm_emulates)
{
	launch(self->vcpu, guest_instructions, ve_skip);
	vcpu_run_to_done(self->vcpu);
}

static void guest_no_ve(void)
{
	u64 val;

	/* A TD has these for itself, ... */
	rdtsc();
	GUEST_ASSERT_EQ(rdmsr_safe(MSR_IA32_CR_PAT, &val), 0);
	GUEST_ASSERT_EQ(rdmsr_safe(MSR_GS_BASE, &val), 0);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_GS_BASE, val), 0);
	GUEST_ASSERT_EQ(xgetbv_safe(0, &val), 0);

	/* ... and these are plain faults. */
	GUEST_ASSERT_EQ(kvm_asm_safe("ud2"), UD_VECTOR);
	GUEST_ASSERT_EQ(xsetbv_safe(0, 0), GP_VECTOR);
	GUEST_ASSERT_EQ(kvm_asm_safe("vmxoff"), UD_VECTOR);

	GUEST_ASSERT_EQ(nr_ve, 0);
	GUEST_DONE();
}

TEST_F(ve, not_raised_by_what_a_td_has_or_must_not_have)
{
	launch(self->vcpu, guest_no_ve, ve_skip);
	vcpu_run_to_done(self->vcpu);
}

/*
 * What KVM makes of it
 */

static void guest_port_io(void)
{
	u32 val = 0x12345678;

	asm volatile("outb %%al, %%dx" : : "a"(val), "d"(SOME_PORT));
	asm volatile("outw %%ax, %%dx" : : "a"(val), "d"(SOME_PORT));
	asm volatile("outl %%eax, %%dx" : : "a"(val), "d"(SOME_PORT));
	asm volatile("inb %%dx, %%al" : "+a"(val) : "d"(SOME_PORT));
	GUEST_ASSERT_EQ(val, 0x123456ef);
	asm volatile("inw %%dx, %%ax" : "+a"(val) : "d"(SOME_PORT));
	GUEST_ASSERT_EQ(val, 0x1234cdef);
	asm volatile("inl %%dx, %%eax" : "+a"(val) : "d"(SOME_PORT));
	GUEST_ASSERT_EQ(val, 0x89abcdef);
	GUEST_DONE();
}

TEST_F(ve, port_io_is_emulated)
{
	struct kvm_run *run = self->vcpu->run;
	const u32 in = 0x89abcdef;
	u32 out;

	launch(self->vcpu, guest_port_io, ve_emulate);
	for (int size = 1; size <= 4; size *= 2) {
		vcpu_run(self->vcpu);
		TEST_ASSERT_EXIT_IO(self->vcpu, SOME_PORT, size, KVM_EXIT_IO_OUT);
		out = 0x12345678;
		TEST_ASSERT(!memcmp((void *)run + run->io.data_offset, &out, size),
			    "Wrong data, size %d", size);
	}
	for (int size = 1; size <= 4; size *= 2) {
		vcpu_run(self->vcpu);
		TEST_ASSERT_EXIT_IO(self->vcpu, SOME_PORT, size, KVM_EXIT_IO_IN);
		memcpy((void *)run + run->io.data_offset, &in, size);
	}
	vcpu_run_to_done(self->vcpu);
}

static void guest_mmio(void)
{
	mmio_write(mmio + 1, SOME_VALUE);
	GUEST_ASSERT_EQ(ve.gpa, tdx_s_bit | (MMIO_GPA + 8));
	GUEST_ASSERT_EQ(ve.gla, (u64)(mmio + 1));
	GUEST_ASSERT_EQ(mmio_read(mmio + 2), ~SOME_VALUE);
	GUEST_ASSERT_EQ(ve.gpa, tdx_s_bit | (MMIO_GPA + 16));
	GUEST_ASSERT_EQ(nr_ve, 2);
	GUEST_DONE();
}

TEST_F(ve, mmio_is_emulated)
{
	struct kvm_run *run = self->vcpu->run;
	const u64 written = SOME_VALUE, read = ~SOME_VALUE;

	map_memslot(self->vm);
	launch(self->vcpu, guest_mmio, ve_emulate);
	vm_mem_region_delete(self->vm, MMIO_SLOT);

	vcpu_run(self->vcpu);
	TEST_ASSERT_EXIT_MMIO(self->vcpu, MMIO_GPA + 8, 8, true);
	TEST_ASSERT(!memcmp(run->mmio.data, &written, 8), "Wrong data");
	vcpu_run(self->vcpu);
	TEST_ASSERT_EXIT_MMIO(self->vcpu, MMIO_GPA + 16, 8, false);
	memcpy(run->mmio.data, &read, 8);
	vcpu_run_to_done(self->vcpu);
}

static void guest_cpuid(void)
{
	u32 eax, ebx, ecx, edx;

	__cpuid(KVM_LEAF, 0, &eax, &ebx, &ecx, &edx);
	GUEST_ASSERT_EQ(eax, 0x40000001);
	GUEST_ASSERT_EQ(ebx, 0xb0b0b0b0);
	GUEST_ASSERT_EQ(ecx, 0xc0c0c0c0);
	GUEST_ASSERT_EQ(edx, 0xd0d0d0d0);
	GUEST_DONE();
}

TEST_F(ve, cpuid_is_emulated)
{
	struct kvm_cpuid2 *cpuid = tdx_get_cpuid(self->vcpu);

	/* KVM's leaves are user space's to add, in a TD as in any VM. */
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2) {
		.function = KVM_LEAF, .eax = 0x40000001,
		.ebx = 0xb0b0b0b0, .ecx = 0xc0c0c0c0, .edx = 0xd0d0d0d0,
	};
	vcpu_init_cpuid(self->vcpu, cpuid);
	free(cpuid);
	launch(self->vcpu, guest_cpuid, ve_emulate);
	vcpu_run_to_done(self->vcpu);
}

static void guest_msr(void)
{
	GUEST_ASSERT_EQ(rdmsr(KVM_MSR), 1);
	wrmsr(KVM_MSR, 0);
	GUEST_ASSERT_EQ(rdmsr(KVM_MSR), 0);
	GUEST_SYNC(0);
	wrmsr(KVM_MSR, 1);
	GUEST_DONE();
}

TEST_F(ve, msr_is_emulated)
{
	vcpu_set_msr(self->vcpu, KVM_MSR, 1);
	launch(self->vcpu, guest_msr, ve_emulate);
	vcpu_run_to_sync(self->vcpu, 0);
	TEST_ASSERT_EQ(vcpu_get_msr(self->vcpu, KVM_MSR), 0ull);
	vcpu_run_to_done(self->vcpu);
	TEST_ASSERT_EQ(vcpu_get_msr(self->vcpu, KVM_MSR), 1ull);
}

static void guest_wbinvd(void)
{
	u64 status = 0;

	asm volatile("wbinvd" : "+a"(status) : : "memory");
	GUEST_ASSERT_EQ(nr_ve, 1);
	GUEST_ASSERT_EQ(status, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	GUEST_DONE();
}

TEST_F(ve, wbinvd_is_unsupported)
{
	launch(self->vcpu, guest_wbinvd, ve_emulate);
	vcpu_run_to_done(self->vcpu);
}

/*
 * Shared memory
 */

/* One access a stage, and whether it was #VE. */
static void guest_accesses(void)
{
	for (int i = 0; ; i++) {
		u64 val = mmio_read(mmio);

		GUEST_SYNC_ARGS(0, val, nr_ve, 0, 0);
		mmio_write(mmio, val + 1);
		GUEST_SYNC_ARGS(1, val, nr_ve, 0, 0);
	}
}

/* Skips a read as if all bits were set. */
static void ve_no_memory(struct ex_regs *regs)
{
	get_info(regs);
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_EPT_VIOLATION);
	GUEST_ASSERT_EQ(ve.gpa, tdx_s_bit | MMIO_GPA);
	if (!EPT_IS_WRITE(ve.exit_qualification))
		regs->rax = ~0ull;
	regs->rip += MMIO_INSN_LENGTH;
}

static void expect_access(struct kvm_vcpu *vcpu, u64 write, u64 val, u64 wanted_ve)
{
	struct ucall uc;

	TEST_ASSERT_EQ(vcpu_run_to_ucall(vcpu, &uc), UCALL_SYNC);
	TEST_ASSERT_EQ(uc.args[1], write);
	TEST_ASSERT_EQ(uc.args[2], val);
	TEST_ASSERT_EQ(uc.args[3], wanted_ve);
}

static void launch_accesses(struct kvm_vcpu *vcpu)
{
	map_memslot(vcpu->vm);
	launch(vcpu, guest_accesses, ve_no_memory);
	*memslot_hva(vcpu->vm) = 1;
}

TEST_F(ve, not_raised_by_the_first_touch_of_shared_memory)
{
	launch_accesses(self->vcpu);
	expect_access(self->vcpu, 0, 1, 0);
	expect_access(self->vcpu, 1, 1, 0);
	TEST_ASSERT_EQ(*memslot_hva(self->vm), 2);
}

TEST_F(ve, not_raised_by_shared_memory_that_the_host_dropped)
{
	launch_accesses(self->vcpu);
	expect_access(self->vcpu, 0, 1, 0);
	expect_access(self->vcpu, 1, 1, 0);

	TEST_ASSERT(!madvise(memslot_hva(self->vm), PAGE_SIZE, MADV_DONTNEED),
		    "madvise() failed, errno %d", errno);
	expect_access(self->vcpu, 0, 0, 0);
	expect_access(self->vcpu, 1, 0, 0);
	TEST_ASSERT_EQ(*memslot_hva(self->vm), 1);
}

TEST_F(ve, not_raised_by_shared_memory_whose_writes_are_logged)
{
	unsigned long dirty = 0;

	launch_accesses(self->vcpu);
	expect_access(self->vcpu, 0, 1, 0);
	expect_access(self->vcpu, 1, 1, 0);

	vm_mem_region_set_flags(self->vm, MMIO_SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_access(self->vcpu, 0, 2, 0);
	kvm_vm_get_dirty_log(self->vm, MMIO_SLOT, &dirty);
	TEST_ASSERT_EQ(dirty, 0ul);
	expect_access(self->vcpu, 1, 2, 0);
	kvm_vm_get_dirty_log(self->vm, MMIO_SLOT, &dirty);
	TEST_ASSERT_EQ(dirty, 1ul);
}

TEST_F(ve, raised_by_shared_memory_without_memslot)
{
	launch_accesses(self->vcpu);
	vm_mem_region_delete(self->vm, MMIO_SLOT);
	expect_access(self->vcpu, 0, ~0ull, 1);
	expect_access(self->vcpu, 1, ~0ull, 2);
	expect_access(self->vcpu, 0, ~0ull, 3);
}

TEST_F(ve, raised_once_the_memslot_is_deleted)
{
	launch_accesses(self->vcpu);
	expect_access(self->vcpu, 0, 1, 0);
	expect_access(self->vcpu, 1, 1, 0);
	vm_mem_region_delete(self->vm, MMIO_SLOT);
	expect_access(self->vcpu, 0, ~0ull, 1);
	expect_access(self->vcpu, 1, ~0ull, 2);
}

TEST_F(ve, not_raised_once_there_is_a_memslot)
{
	struct ucall uc;

	launch_accesses(self->vcpu);
	vm_mem_region_delete(self->vm, MMIO_SLOT);
	expect_access(self->vcpu, 0, ~0ull, 1);
	expect_access(self->vcpu, 1, ~0ull, 2);

	add_memslot(self->vm);
	*memslot_hva(self->vm) = 7;
	TEST_ASSERT_EQ(vcpu_run_to_ucall(self->vcpu, &uc), UCALL_SYNC);
	if (uc.args[2] == ~0ull && uc.args[3] == 3)
		XFAIL(return, "KVM's MMIO SPTEs of a TD outlive the creation of a memslot");

	TEST_ASSERT_EQ(uc.args[2], 7);
	TEST_ASSERT_EQ(uc.args[3], 2);
	expect_access(self->vcpu, 1, 7, 2);
	TEST_ASSERT_EQ(*memslot_hva(self->vm), 8);
}

/*
 * Re-entrancy
 */

static void ve_twice(struct ex_regs *regs)
{
	do_hlt();
	GUEST_FAIL("No double fault for a #VE that came too early");
}

static void double_fault(struct ex_regs *regs)
{
	GUEST_ASSERT_EQ(nr_ve, 0);
	nr_double_faults++;

	/* The information is that of the first, and of this one only. */
	GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_CPUID);
	GUEST_ASSERT(tdg_vp_veinfo_get(&ve) != TDX_SUCCESS);
	GUEST_ASSERT_EQ(ve.exit_reason, 0);
	GUEST_DONE();
}

TEST_F(ve, second_before_the_first_is_fetched_is_a_double_fault)
{
	vm_install_exception_handler(self->vm, DF_VECTOR, double_fault);
	launch(self->vcpu, do_cpuid, ve_twice);
	vcpu_run_to_done(self->vcpu);
}

static void guest_without_idt(void)
{
	const struct desc_ptr no_idt = {};

	set_idt(&no_idt);
	do_cpuid();
	GUEST_FAIL("No exception could be delivered");
}

TEST_F(ve, undeliverable_shuts_the_vcpu_down)
{
	launch(self->vcpu, guest_without_idt, ve_skip);
	vcpu_run(self->vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_SHUTDOWN);
}

static void ve_nested(struct ex_regs *regs)
{
	struct tdx_ve_info first;

	ve_skip(regs);
	if (nr_ve > 1)
		return;

	first = ve;
	do_inb();
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_IO_INSTRUCTION);
	GUEST_ASSERT_EQ(IO_PORT(ve.exit_qualification), SOME_PORT);
	GUEST_ASSERT_EQ(first.exit_reason, EXIT_REASON_CPUID);
	ve = first;
}

static void guest_nested(void)
{
	do_cpuid();
	GUEST_ASSERT_EQ(nr_ve, 2);
	GUEST_DONE();
}

TEST_F(ve, second_after_the_first_is_fetched_nests)
{
	launch(self->vcpu, guest_nested, ve_nested);
	vcpu_run_to_done(self->vcpu);
}

static void ve_exits_first(struct ex_regs *regs)
{
	u64 val;

	/* Handled in KVM, by user space, and by the lib. */
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(KVM_MSR, &val), TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdvmcall_io_write(SOME_PORT, 1, 0), TDVMCALL_STATUS_SUCCESS);
	for (int i = 0; i < 4; i++)
		GUEST_SYNC(i);
	ve_skip(regs);
}

static void guest_inb(void)
{
	do_inb();
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_IO_INSTRUCTION);
	GUEST_ASSERT_EQ(IO_PORT(ve.exit_qualification), SOME_PORT);
	GUEST_ASSERT_EQ(ve.instruction_length, 1);
	GUEST_DONE();
}

TEST_F(ve, information_outlives_exits)
{
	launch(self->vcpu, guest_inb, ve_exits_first);
	vcpu_run(self->vcpu);
	TEST_ASSERT_EXIT_IO(self->vcpu, SOME_PORT, 1, KVM_EXIT_IO_OUT);

	/* Interrupted before the guest is entered, too. */
	self->vcpu->run->immediate_exit = true;
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINTR);
	self->vcpu->run->immediate_exit = false;

	for (int i = 0; i < 4; i++)
		vcpu_run_to_sync(self->vcpu, i);
	vcpu_run_to_done(self->vcpu);
}

TEST_F(ve, information_moves_with_the_vcpu)
{
	cpu_set_t allowed;
	int cpu = -1;

	TEST_ASSERT(!sched_getaffinity(0, sizeof(allowed), &allowed),
		    "sched_getaffinity() failed, errno %d", errno);
	if (CPU_COUNT(&allowed) < 2)
		SKIP(return, "needs 2 host CPUs");

	launch(self->vcpu, guest_inb, ve_exits_first);
	vcpu_run(self->vcpu);
	for (int i = 0; i < 4; i++) {
		/* The next one that the process may use, round and round. */
		do {
			cpu = (cpu + 1) % CPU_SETSIZE;
		} while (!CPU_ISSET(cpu, &allowed));
		pin_self_to_cpu(cpu);
		vcpu_run_to_sync(self->vcpu, i);
	}
	vcpu_run_to_done(self->vcpu);
}

static void nmi(struct ex_regs *regs)
{
	nr_nmi++;
}

static void ve_awaits_nmi(struct ex_regs *regs)
{
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(nr_nmi, 0);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(nr_nmi, 0);
	ve_skip(regs);
}

static void guest_awaits_nmi(void)
{
	do_cpuid();
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(nr_nmi, 1);
	GUEST_SYNC(4);
	GUEST_ASSERT_EQ(nr_nmi, 1);
	GUEST_DONE();
}

/* An NMI handler may meet #VE itself, so it has to wait. */
TEST_F(ve, nmi_waits_until_the_information_is_fetched)
{
	vm_install_exception_handler(self->vm, NMI_VECTOR, nmi);
	launch(self->vcpu, guest_awaits_nmi, ve_awaits_nmi);
	vcpu_run_to_sync(self->vcpu, 1);
	vcpu_ioctl(self->vcpu, KVM_NMI, NULL);
	for (int i = 2; i <= 4; i++)
		vcpu_run_to_sync(self->vcpu, i);
	vcpu_run_to_done(self->vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
