// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that a VMM emulates, in a TD.
 *
 * The TDX module turns them into #VE, and the guest's #VE handler asks KVM by
 * TDVMCALL for what the instruction should have done.  To the code that was
 * interrupted, KVM has to look like the VMM that it is for any other VM.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define MMIO_GPA	0x100000000ul
#define MMIO_SLOT	10

#define PORT		0x50
#define VALUE		0xfedcba9876543210ul

/* A leaf and an MSR of KVM's, for which every TD gets #VE. */
#define KVM_LEAF	0x40000000
#define KVM_MSR		MSR_KVM_POLL_CONTROL

/* Exit qualification of port I/O and of EPT violations. */
#define IO_SIZE(qual)		(((qual) & 7) + 1)
#define IO_IS_READ(qual)	((qual) & BIT(3))
#define IO_PORT(qual)		((qual) >> 16 & 0xffff)
#define EPT_IS_WRITE(qual)	((qual) & BIT(1))

/* MOV of 8 bytes has a REX prefix, and takes 3 bytes instead of 2. */
#define REX_W		0x48

static struct tdx_ve_info ve;
static u64 nr_ve;

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

/* "mov %rax, (%rdi)", "mov (%rdi), %rax", and the same with EAX. */
static u64 ve_mmio(struct ex_regs *regs)
{
	bool rex = *(u8 *)regs->rip == REX_W;
	u64 size = rex ? 8 : 4;

	GUEST_ASSERT_EQ(ve.gla, regs->rdi);
	GUEST_ASSERT_EQ(ve.gpa, regs->rdi | tdx_s_bit);

	/* The module doesn't tell this length. */
	ve.instruction_length = rex ? 3 : 2;
	if (EPT_IS_WRITE(ve.exit_qualification))
		return tdvmcall_mmio_write(ve.gpa, size, regs->rax);
	return tdvmcall_mmio_read(ve.gpa, size, &regs->rax);
}

static u64 ve_rdmsr(struct ex_regs *regs)
{
	u64 val = 0, status = tdvmcall_rdmsr(regs->rcx, &val);

	regs->rax = (u32)val;
	regs->rdx = val >> 32;
	return status;
}

static void ve_handler(struct ex_regs *regs)
{
	u64 status;

	GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	nr_ve++;

	switch (ve.exit_reason) {
	case EXIT_REASON_CPUID:
		status = tdvmcall_cpuid(regs->rax, regs->rcx, &regs->rax,
					&regs->rbx, &regs->rcx, &regs->rdx);
		break;
	case EXIT_REASON_MSR_READ:
		status = ve_rdmsr(regs);
		break;
	case EXIT_REASON_MSR_WRITE:
		status = tdvmcall_wrmsr(regs->rcx, (u32)regs->rax | regs->rdx << 32);
		break;
	case EXIT_REASON_IO_INSTRUCTION:
		status = ve_port_io(regs);
		break;
	case EXIT_REASON_EPT_VIOLATION:
		status = ve_mmio(regs);
		break;
	case EXIT_REASON_WBINVD:
		/* For the guest code to check. */
		regs->rax = tdvmcall(EXIT_REASON_WBINVD);
		status = TDVMCALL_STATUS_SUCCESS;
		break;
	default:
		GUEST_FAIL("#VE for exit reason %u", ve.exit_reason);
		return;
	}

	GUEST_ASSERT_EQ(status, TDVMCALL_STATUS_SUCCESS);
	regs->rip += ve.instruction_length;
}

FIXTURE(ve_emulation) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(ve_emulation)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
}

FIXTURE_TEARDOWN(ve_emulation)
{
	kvm_vm_free(self->vm);
}

static void launch(struct kvm_vcpu *vcpu, void *guest)
{
	vcpu_arch_set_entry_point(vcpu, guest);
	vm_install_exception_handler(vcpu->vm, VE_VECTOR, ve_handler);
	tdx_vm_finalize(vcpu->vm);
}

static void guest_port_io(void)
{
	u64 rax = VALUE;

	asm volatile("outb %%al, %%dx" : : "a"(rax), "d"(PORT));
	asm volatile("outw %%ax, %%dx" : : "a"(rax), "d"(PORT));
	asm volatile("outl %%eax, %%dx" : : "a"(rax), "d"(PORT));
	asm volatile("outb %%al, %[port]" : : "a"(rax), [port] "i"(PORT));

	/* Smaller ones leave the rest of RAX as it is. */
	asm volatile("inb %%dx, %%al" : "+a"(rax) : "d"(PORT));
	GUEST_ASSERT_EQ(rax, (VALUE & ~0xfful) | (~VALUE & 0xff));
	asm volatile("inw %%dx, %%ax" : "+a"(rax) : "d"(PORT));
	GUEST_ASSERT_EQ(rax, (VALUE & ~0xfffful) | (~VALUE & 0xffff));
	asm volatile("inl %%dx, %%eax" : "+a"(rax) : "d"(PORT));
	GUEST_ASSERT_EQ((u32)rax, (u32)~VALUE);
	GUEST_ASSERT_EQ(nr_ve, 7);
	GUEST_DONE();
}

TEST_F(ve_emulation, port_io)
{
	static const u8 outs[] = { 1, 2, 4, 1 }, ins[] = { 1, 2, 4 };
	struct kvm_vcpu *vcpu = self->vcpu;
	const u64 out = VALUE, in = ~VALUE;

	launch(vcpu, guest_port_io);
	for (int i = 0; i < ARRAY_SIZE(outs); i++) {
		vcpu_run(vcpu);
		TEST_ASSERT_EXIT_IO(vcpu, PORT, outs[i], KVM_EXIT_IO_OUT);
		TEST_ASSERT(!memcmp((void *)vcpu->run + vcpu->run->io.data_offset,
				    &out, outs[i]), "Wrong data, size %u", outs[i]);
	}
	for (int i = 0; i < ARRAY_SIZE(ins); i++) {
		vcpu_run(vcpu);
		TEST_ASSERT_EXIT_IO(vcpu, PORT, ins[i], KVM_EXIT_IO_IN);
		memcpy((void *)vcpu->run + vcpu->run->io.data_offset, &in, ins[i]);
	}
	vcpu_run_to_done(vcpu);
}

static void write4(u64 offset, u32 val)
{
	asm volatile("mov %%eax, (%%rdi)" : : "D"(MMIO_GPA + offset), "a"(val) : "memory");
}

static void write8(u64 offset, u64 val)
{
	asm volatile("mov %%rax, (%%rdi)" : : "D"(MMIO_GPA + offset), "a"(val) : "memory");
}

static u64 read4(u64 offset)
{
	u64 val = ~0ull;

	asm volatile("mov (%%rdi), %%eax" : "+a"(val) : "D"(MMIO_GPA + offset) : "memory");
	return val;
}

static u64 read8(u64 offset)
{
	u64 val = ~0ull;

	asm volatile("mov (%%rdi), %%rax" : "+a"(val) : "D"(MMIO_GPA + offset) : "memory");
	return val;
}

static void add_memslot(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, MMIO_GPA, MMIO_SLOT, 1, 0);
}

/* The guest has the page mapped, but there is no memslot any more. */
static void launch_mmio(struct kvm_vcpu *vcpu, void *guest)
{
	add_memslot(vcpu->vm);
	virt_map(vcpu->vm, MMIO_GPA, MMIO_GPA, 1);
	vm_mem_region_delete(vcpu->vm, MMIO_SLOT);
	launch(vcpu, guest);
}

static void assert_exit_write(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size, u64 val)
{
	TEST_ASSERT_EXIT_MMIO(vcpu, gpa, size, true);
	TEST_ASSERT(!memcmp(vcpu->run->mmio.data, &val, size),
		    "Wrong data, wanted 0x%lx", (unsigned long)val);
}

static void guest_mmio_writes(void)
{
	/* On the first, KVM sets up the EPT. */
	write8(0, VALUE);
	write4(0, (u32)VALUE);
	write8(0x123, VALUE);
	GUEST_ASSERT_EQ(nr_ve, 3);
	GUEST_DONE();
}

TEST_F(ve_emulation, mmio_writes)
{
	struct kvm_vcpu *vcpu = self->vcpu;

	launch_mmio(vcpu, guest_mmio_writes);
	vcpu_run(vcpu);
	assert_exit_write(vcpu, MMIO_GPA, 8, VALUE);
	vcpu_run(vcpu);
	assert_exit_write(vcpu, MMIO_GPA, 4, VALUE);
	vcpu_run(vcpu);
	assert_exit_write(vcpu, MMIO_GPA + 0x123, 8, VALUE);
	vcpu_run_to_done(vcpu);
}

static void guest_mmio_reads(void)
{
	GUEST_ASSERT_EQ(read4(8), (u32)VALUE);
	GUEST_ASSERT_EQ(read8(PAGE_SIZE - 8), VALUE);
	GUEST_ASSERT_EQ(nr_ve, 2);
	GUEST_DONE();
}

TEST_F(ve_emulation, mmio_reads)
{
	struct kvm_vcpu *vcpu = self->vcpu;
	const u64 value = VALUE;

	launch_mmio(vcpu, guest_mmio_reads);
	vcpu_run(vcpu);
	TEST_ASSERT_EXIT_MMIO(vcpu, MMIO_GPA + 8, 4, false);
	memcpy(vcpu->run->mmio.data, &value, sizeof(value));
	vcpu_run(vcpu);
	TEST_ASSERT_EXIT_MMIO(vcpu, MMIO_GPA + PAGE_SIZE - 8, 8, false);
	memcpy(vcpu->run->mmio.data, &value, sizeof(value));
	vcpu_run_to_done(vcpu);
}

static void guest_writes_twice(void)
{
	write8(0, 1);
	GUEST_ASSERT_EQ(nr_ve, 0);
	GUEST_SYNC(1);
	write8(0, 2);
	GUEST_ASSERT_EQ(nr_ve, 1);
	GUEST_SYNC(2);
}

/* What was memory is MMIO now.  For the opposite, see tdx_memslot_test. */
TEST_F(ve_emulation, mmio_where_memslot_was)
{
	struct kvm_vcpu *vcpu = self->vcpu;

	launch_mmio(vcpu, guest_writes_twice);
	add_memslot(self->vm);
	vcpu_run_to_sync(vcpu, 1);
	TEST_ASSERT_EQ(*(u64 *)addr_gpa2hva(self->vm, MMIO_GPA), 1);

	vm_mem_region_delete(self->vm, MMIO_SLOT);
	vcpu_run(vcpu);
	assert_exit_write(vcpu, MMIO_GPA, 8, 2);
	vcpu_run_to_sync(vcpu, 2);
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

TEST_F(ve_emulation, cpuid)
{
	struct kvm_cpuid2 *cpuid = tdx_get_cpuid(self->vcpu);

	/* As for any VM, user space sets KVM's leaves. */
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2) {
		.function = KVM_LEAF, .eax = 0x40000001,
		.ebx = 0xb0b0b0b0, .ecx = 0xc0c0c0c0, .edx = 0xd0d0d0d0,
	};
	vcpu_init_cpuid(self->vcpu, cpuid);
	free(cpuid);
	launch(self->vcpu, guest_cpuid);
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

TEST_F(ve_emulation, msr)
{
	vcpu_set_msr(self->vcpu, KVM_MSR, 1);
	launch(self->vcpu, guest_msr);
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

TEST_F(ve_emulation, wbinvd_unsupported)
{
	launch(self->vcpu, guest_wbinvd);
	vcpu_run_to_done(self->vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
