// SPDX-License-Identifier: GPL-2.0
/*
 * #VE, which a TD's guest gets instead of an exit.
 *
 * The TDX module raises it for instructions that a VMM would emulate.  For accesses
 * of shared memory KVM decides: it has to make GPAs without a memslot raise #VE, so
 * that the guest can emulate MMIO, and no others.  What KVM makes of the guest's
 * TDVMCALLs then is for tdx_ve_emulation_test.
 *
 * A second #VE before the guest has fetched the information about the first is a
 * double fault.  The information has to survive exits.
 */
#include <sched.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define GPA		0x100000000ul
#define SLOT		10

#define PORT		0x1a2b

/* A leaf and an MSR of KVM's, for which every TD gets #VE. */
#define KVM_LEAF	0x40000000
#define KVM_MSR		MSR_KVM_POLL_CONTROL

#define PORT_IN_INSN	0x42

/* Exit qualification of port I/O, control registers and EPT violations. */
#define IO_PORT(qual)		((qual) >> 16 & 0xffff)
#define IO_QUAL(port, size)	((port) << 16 | ((size) - 1))
#define IO_IN			BIT(3)
#define IO_IMMEDIATE		BIT(6)
#define CR_QUAL(cr, gpr)	((cr) | (gpr) << 8)
#define EPT_IS_WRITE(qual)	((qual) & BIT(1))
#define EPT_LINEAR_ADDRESS	(BIT(7) | BIT(8))	/* valid, and of the access itself */

static struct tdx_ve_info ve;
static u64 nr_ve;

static void get_info(struct ex_regs *regs)
{
	GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	nr_ve++;
}

/* Skip the instruction. */
static void ve_skip(struct ex_regs *regs)
{
	get_info(regs);
	regs->rip += ve.instruction_length;
}

TDX_IRQ_SUITE(ve);

typedef void handler_fn(struct ex_regs *regs);

/* Returns the vCPU. */
static struct kvm_vcpu *launch(struct tdx_irq_td *td, void *guest, handler_fn *handler)
{
	vm_install_exception_handler(td->vm, VE_VECTOR, handler);
	return tdx_irq_td_launch(td, guest);
}

/*
 * Instructions.
 */

/* The #VE handler changes memory. */
#define EXECUTE(name, insn, a, c, d)					\
static void do_##name(void)						\
{									\
	u64 rax = a, rcx = c, rdx = d;					\
									\
	asm volatile(insn : "+a"(rax), "+c"(rcx), "+d"(rdx)		\
		     : : "rbx", "r9", "memory");			\
}

EXECUTE(hlt, "hlt", 0, 0, 0)
EXECUTE(vmcall, "vmcall", ~0ull, 0, 0)
EXECUTE(invd, "invd", 0, 0, 0)
EXECUTE(wbinvd, "wbinvd", 0, 0, 0)
EXECUTE(inb, "inb %%dx, %%al", 0, 0, PORT)
EXECUTE(outl, "outl %%eax, %%dx", 0, 0, PORT)
EXECUTE(rdmsr, "rdmsr", 0, KVM_MSR, 0)
EXECUTE(wrmsr, "wrmsr", 0, KVM_MSR, 0)
EXECUTE(cpuid, "cpuid", KVM_LEAF, 0, 0)
EXECUTE(inb_port, "inb $0x42, %%al", 0, 0, 0)
EXECUTE(mov_cr0, "mov %%rdx, %%cr0", 0, 0, get_cr0() | X86_CR0_CD)
EXECUTE(mov_cr4, "mov %%rdx, %%r9\n\tmov %%r9, %%cr4", 0, 0, get_cr4() | X86_CR4_VMXE)

static const struct {
	const char *name;
	void (*execute)(void);
	u32 exit_reason;
	u32 length;
	u64 qualification;
} instructions[] = {
	{ "hlt", do_hlt, EXIT_REASON_HLT, 1 },
	{ "vmcall", do_vmcall, EXIT_REASON_VMCALL, 3 },
	{ "invd", do_invd, EXIT_REASON_INVD, 2 },
	{ "wbinvd", do_wbinvd, EXIT_REASON_WBINVD, 2 },
	{ "inb", do_inb, EXIT_REASON_IO_INSTRUCTION, 1, IO_QUAL(PORT, 1) | IO_IN },
	{ "outl", do_outl, EXIT_REASON_IO_INSTRUCTION, 1, IO_QUAL(PORT, 4) },
	{ "inb of a constant", do_inb_port, EXIT_REASON_IO_INSTRUCTION, 2,
	  IO_QUAL(PORT_IN_INSN, 1) | IO_IN | IO_IMMEDIATE },
	{ "mov to CR0", do_mov_cr0, EXIT_REASON_CR_ACCESS, 3, CR_QUAL(0, 2) },
	{ "mov to CR4", do_mov_cr4, EXIT_REASON_CR_ACCESS, 4, CR_QUAL(4, 9) },
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
			       ve.instruction_length == instructions[i].length &&
			       ve.exit_qualification == instructions[i].qualification,
			       "%s: #VE %lu, exit reason %u, %u bytes, qualification 0x%lx",
			       instructions[i].name, nr_ve, ve.exit_reason,
			       ve.instruction_length, (unsigned long)ve.exit_qualification);
	}
	GUEST_DONE();
}

/* None of them exits. */
TEST_F(ve, raised_by_emulated_instructions)
{
	struct kvm_vcpu *vcpu = launch(&self->td, guest_instructions, ve_skip);

	vcpu_run_to_done(vcpu);
}

static void guest_no_ve(void)
{
	u64 val;

	/* The TDX module handles these without KVM, ... */
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

TEST_F(ve, not_raised_by_other_instructions)
{
	struct kvm_vcpu *vcpu = launch(&self->td, guest_no_ve, ve_skip);

	vcpu_run_to_done(vcpu);
}

/*
 * Shared memory.
 */

static noinline u64 read_gpa(void)
{
	u64 val;

	asm volatile("mov (%%rdi), %%rax" : "=a"(val) : "D"(GPA) : "memory");
	return val;
}

static noinline void write_gpa(u64 val)
{
	asm volatile("mov %%rax, (%%rdi)" : : "a"(val), "D"(GPA) : "memory");
}

/* Of these two.  The module doesn't tell. */
#define MOV_LENGTH	3

/* Alternate reads and writes, and report the value read and the number of #VEs. */
static void guest_accesses(void)
{
	for (;;) {
		u64 val = read_gpa();

		GUEST_SYNC_ARGS(0, val, nr_ve, 0, 0);
		write_gpa(val + 1);
		GUEST_SYNC_ARGS(1, val, nr_ve, 0, 0);
	}
}

/* What is not in memory reads as all ones. */
static void ve_no_memory(struct ex_regs *regs)
{
	get_info(regs);
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_EPT_VIOLATION);
	GUEST_ASSERT_EQ(ve.gpa, tdx_s_bit | GPA);
	GUEST_ASSERT_EQ(ve.exit_qualification & EPT_LINEAR_ADDRESS, EPT_LINEAR_ADDRESS);
	GUEST_ASSERT_EQ(ve.gla, GPA);
	if (!EPT_IS_WRITE(ve.exit_qualification))
		regs->rax = ~0ull;
	regs->rip += MOV_LENGTH;
}

static void expect_access(struct kvm_vcpu *vcpu, u64 write, u64 val, u64 wanted_ve)
{
	struct ucall uc;

	TEST_ASSERT_EQ(vcpu_run_to_ucall(vcpu, &uc), UCALL_SYNC);
	TEST_ASSERT_EQ(uc.args[1], write);
	TEST_ASSERT_EQ(uc.args[2], val);
	TEST_ASSERT_EQ(uc.args[3], wanted_ve);
}

#define expect_read(vcpu, val, wanted_ve)	expect_access(vcpu, 0, val, wanted_ve)
#define expect_write(vcpu, val, wanted_ve)	expect_access(vcpu, 1, val, wanted_ve)

/* The memslot's memory, which starts with 1. */
static u64 *memory(struct kvm_vm *vm)
{
	return addr_gpa2hva(vm, GPA);
}

static struct kvm_vcpu *launch_accesses(struct tdx_irq_td *td)
{
	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, 0);
	virt_map(td->vm, GPA, GPA, 1);
	*memory(td->vm) = 1;
	return launch(td, guest_accesses, ve_no_memory);
}

TEST_F(ve, not_raised_by_first_touch)
{
	struct kvm_vcpu *vcpu = launch_accesses(&self->td);

	expect_read(vcpu, 1, 0);
	expect_write(vcpu, 1, 0);
	TEST_ASSERT_EQ(*memory(vcpu->vm), 2);
}

TEST_F(ve, not_raised_by_page_that_host_dropped)
{
	struct kvm_vcpu *vcpu = launch_accesses(&self->td);

	expect_read(vcpu, 1, 0);
	expect_write(vcpu, 1, 0);

	TEST_ASSERT(!madvise(memory(vcpu->vm), PAGE_SIZE, MADV_DONTNEED),
		    "madvise() failed, errno %d", errno);
	expect_read(vcpu, 0, 0);
	expect_write(vcpu, 0, 0);
	TEST_ASSERT_EQ(*memory(vcpu->vm), 1);
}

TEST_F(ve, not_raised_by_dirty_logging)
{
	struct kvm_vcpu *vcpu = launch_accesses(&self->td);
	unsigned long dirty = 0;

	expect_read(vcpu, 1, 0);
	expect_write(vcpu, 1, 0);

	vm_mem_region_set_flags(vcpu->vm, SLOT, KVM_MEM_LOG_DIRTY_PAGES);
	expect_read(vcpu, 2, 0);
	kvm_vm_get_dirty_log(vcpu->vm, SLOT, &dirty);
	TEST_ASSERT_EQ(dirty, 0ul);
	expect_write(vcpu, 2, 0);
	kvm_vm_get_dirty_log(vcpu->vm, SLOT, &dirty);
	TEST_ASSERT_EQ(dirty, 1ul);
}

TEST_F(ve, raised_without_memslot)
{
	struct kvm_vcpu *vcpu = launch_accesses(&self->td);

	vm_mem_region_delete(vcpu->vm, SLOT);
	expect_read(vcpu, ~0ull, 1);
	expect_write(vcpu, ~0ull, 2);
	expect_read(vcpu, ~0ull, 3);
}

/* For a memslot that is created later, see tdx_memslot_test. */
TEST_F(ve, raised_after_memslot_deleted)
{
	struct kvm_vcpu *vcpu = launch_accesses(&self->td);

	expect_read(vcpu, 1, 0);
	expect_write(vcpu, 1, 0);
	vm_mem_region_delete(vcpu->vm, SLOT);
	expect_read(vcpu, ~0ull, 1);
	expect_write(vcpu, ~0ull, 2);
}

/*
 * The information about a #VE, which TDG.VP.VEINFO.GET fetches.
 */

static void ve_twice(struct ex_regs *regs)
{
	do_hlt();
	GUEST_FAIL("A second #VE should be a double fault");
}

static void double_fault(struct ex_regs *regs)
{
	GUEST_ASSERT_EQ(nr_ve, 0);

	/* There is information about the first #VE only. */
	GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_CPUID);
	GUEST_ASSERT(tdg_vp_veinfo_get(&ve) != TDX_SUCCESS);
	GUEST_ASSERT_EQ(ve.exit_reason, 0);
	GUEST_DONE();
}

TEST_F(ve, second_before_info_fetched_is_double_fault)
{
	struct kvm_vcpu *vcpu;

	vm_install_exception_handler(self->td.vm, DF_VECTOR, double_fault);
	vcpu = launch(&self->td, do_cpuid, ve_twice);
	vcpu_run_to_done(vcpu);
}

static void guest_without_idt(void)
{
	const struct desc_ptr no_idt = {};

	set_idt(&no_idt);
	do_cpuid();
	GUEST_FAIL("Without an IDT there should be a triple fault");
}

TEST_F(ve, undeliverable_shuts_vcpu_down)
{
	struct kvm_vcpu *vcpu = launch(&self->td, guest_without_idt, ve_skip);

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SHUTDOWN);
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
	GUEST_ASSERT_EQ(IO_PORT(ve.exit_qualification), PORT);
	GUEST_ASSERT_EQ(first.exit_reason, EXIT_REASON_CPUID);
	ve = first;
}

static void guest_nested(void)
{
	do_cpuid();
	GUEST_ASSERT_EQ(nr_ve, 2);
	GUEST_DONE();
}

TEST_F(ve, second_after_info_fetched_nests)
{
	struct kvm_vcpu *vcpu = launch(&self->td, guest_nested, ve_nested);

	vcpu_run_to_done(vcpu);
}

static void ve_exits_first(struct ex_regs *regs)
{
	u64 val;

	/* Handled by KVM, by the test, and by the lib. */
	GUEST_ASSERT_EQ(tdvmcall_rdmsr(KVM_MSR, &val), TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdvmcall_io_write(PORT, 1, 0), TDVMCALL_STATUS_SUCCESS);
	for (int i = 0; i < 4; i++)
		GUEST_SYNC(i);
	ve_skip(regs);
}

static void guest_inb(void)
{
	do_inb();
	GUEST_ASSERT_EQ(ve.exit_reason, EXIT_REASON_IO_INSTRUCTION);
	GUEST_ASSERT_EQ(IO_PORT(ve.exit_qualification), PORT);
	GUEST_ASSERT_EQ(ve.instruction_length, 1);
	GUEST_DONE();
}

TEST_F(ve, info_survives_exits)
{
	struct kvm_vcpu *vcpu = launch(&self->td, guest_inb, ve_exits_first);

	vcpu_run(vcpu);
	TEST_ASSERT_EXIT_IO(vcpu, PORT, 1, KVM_EXIT_IO_OUT);

	/* Also when KVM_RUN ends without entering the guest. */
	vcpu->run->immediate_exit = true;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	vcpu->run->immediate_exit = false;

	for (int i = 0; i < 4; i++)
		vcpu_run_to_sync(vcpu, i);
	vcpu_run_to_done(vcpu);
}

TEST_F(ve, info_survives_migration_between_cpus)
{
	struct kvm_vcpu *vcpu;
	cpu_set_t allowed;
	int cpu = -1;

	TEST_ASSERT(!sched_getaffinity(0, sizeof(allowed), &allowed),
		    "sched_getaffinity() failed, errno %d", errno);
	if (CPU_COUNT(&allowed) < 2)
		SKIP(return, "needs 2 host CPUs");

	vcpu = launch(&self->td, guest_inb, ve_exits_first);
	vcpu_run(vcpu);
	for (int i = 0; i < 4; i++) {
		/* The next CPU that the process may use. */
		do {
			cpu = (cpu + 1) % CPU_SETSIZE;
		} while (!CPU_ISSET(cpu, &allowed));
		pin_self_to_cpu(cpu);
		vcpu_run_to_sync(vcpu, i);
	}
	vcpu_run_to_done(vcpu);
}

static void ve_awaits_nmi(struct ex_regs *regs)
{
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(tdx_nr_nmis(0), 0);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(tdx_nr_nmis(0), 0);
	ve_skip(regs);
	/* Without another entry. */
	GUEST_ASSERT_EQ(tdx_nr_nmis(0), 1);
}

static void guest_awaits_nmi(void)
{
	do_cpuid();
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(tdx_nr_nmis(0), 1);
	GUEST_SYNC(4);
	GUEST_ASSERT_EQ(tdx_nr_nmis(0), 1);
	GUEST_DONE();
}

/* An NMI handler may raise #VE itself, so NMIs have to wait. */
TEST_F(ve, nmi_waits_until_info_fetched)
{
	struct kvm_vcpu *vcpu = launch(&self->td, guest_awaits_nmi, ve_awaits_nmi);

	vcpu_run_to_sync(vcpu, 1);
	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	for (int i = 2; i <= 4; i++)
		vcpu_run_to_sync(vcpu, i);
	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
