// SPDX-License-Identifier: GPL-2.0
#include "tdx/boot.h"

/* Selectors in the lib's GDT, see lib/x86/processor.c. */
#define BOOT_CS		0x08
#define BOOT_DS		0x10
#define BOOT_TSS	0x18

#define DESC_TYPE_TSS	9

#define VCPU(field)	offsetof(struct tdx_boot_vcpu, field)

/*
 * The page of code at the top of the 32-bit address space.  Written in a
 * function so that the compiler fills in the offsets.
 *
 * At reset, ESI is the vCPU's index, EFER already has LME and NXE, CR4 has MCE
 * (which has to stay), and all segments are flat.
 *
 * Constants from 2 GiB up are signed, as compilers print no others here.
 */
static noinline const void *boot_code(void)
{
	const void *code;

	asm volatile(
	".pushsection .rodata\n"
".Lboot:\n\t"
	".code32\n\t"
	"imul $%c[vcpu_size], %%esi, %%esi\n\t"
	"add $%c[vcpus], %%esi\n\t"
	"lgdt %c[gdtr](%%esi)\n\t"
	"mov %c[cr3](%%esi), %%eax\n\t"
	"mov %%eax, %%cr3\n\t"
	"mov %%cr4, %%eax\n\t"
	"or $%c[cr4_set], %%eax\n\t"
	"mov %%eax, %%cr4\n\t"
	"mov %%cr0, %%eax\n\t"
	"or $%c[cr0_set], %%eax\n\t"
	"mov %%eax, %%cr0\n\t"
	"ljmp $%c[cs], $(%c[code] + .Lboot64 - .Lboot)\n"

".Lboot64:\n\t"
	".code64\n\t"
	/* The upper half is undefined after the change of mode. */
	"mov %%esi, %%esi\n\t"
	"mov $%c[ds], %%eax\n\t"
	"mov %%eax, %%ds\n\t"
	"mov %%eax, %%es\n\t"
	"mov %%eax, %%ss\n\t"
	"mov %%eax, %%gs\n\t"
	"mov $%c[tss], %%eax\n\t"
	"ltr %%ax\n\t"
	"lidt %c[idtr](%%rsi)\n\t"
	/* R8 is RCX's twin at reset, and of RCX half may be lost by now. */
	"mov %%r8, %c[reset_rcx](%%rsi)\n\t"
	/* Enable all that the TD's XFAM allows, as the lib does elsewhere. */
	"mov $0xd, %%eax\n\t"
	"xor %%ecx, %%ecx\n\t"
	"cpuid\n\t"
	"xor %%ecx, %%ecx\n\t"
	"xsetbv\n\t"
	"mov %c[rsp](%%rsi), %%rsp\n\t"
	"mov %c[rip](%%rsi), %%rax\n\t"
	"mov %c[rdi](%%rsi), %%rdi\n\t"
	"mov %c[rdx](%%rsi), %%rdx\n\t"
	"mov %c[rcx](%%rsi), %%rcx\n\t"
	"mov %c[r8](%%rsi), %%r8\n\t"
	"mov %c[r9](%%rsi), %%r9\n\t"
	"mov %c[rsi](%%rsi), %%rsi\n\t"
	"jmp *%%rax\n\t"

	/* The reset vector, 16 bytes below the end. */
	".org .Lboot + 0xff0, 0xcc\n\t"
	".code32\n\t"
	"jmp .Lboot\n\t"
	".code64\n\t"
	".org .Lboot + 0x1000, 0xcc\n\t"
	".popsection\n\t"
	"lea .Lboot(%%rip), %[boot]"
	: [boot] "=r"(code)
	: [vcpu_size] "i"(sizeof(struct tdx_boot_vcpu)),
	  [vcpus] "i"((s32)(TDX_BOOT_GPA + offsetof(struct tdx_boot, vcpus))),
	  [code] "i"((s32)TDX_BOOT_CODE_GPA),
	  [cs] "i"(BOOT_CS), [ds] "i"(BOOT_DS), [tss] "i"(BOOT_TSS),
	  [cr0_set] "i"((s32)X86_CR0_PG),
	  [cr4_set] "i"(X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXSAVE),
	  [gdtr] "i"(VCPU(gdtr)), [idtr] "i"(VCPU(idtr)),
	  [cr3] "i"(VCPU(cr3)), [rip] "i"(VCPU(rip)), [rsp] "i"(VCPU(rsp)),
	  [rdi] "i"(VCPU(rdi)), [rsi] "i"(VCPU(rsi)), [rdx] "i"(VCPU(rdx)),
	  [rcx] "i"(VCPU(rcx)), [r8] "i"(VCPU(r8)), [r9] "i"(VCPU(r9)),
	  [reset_rcx] "i"(VCPU(reset_rcx)));

	return code;
}

u64 tdx_reset_rcx(void)
{
	struct tdx_boot *boot = (void *)TDX_BOOT_GPA;

	return boot->vcpus[tdg_vp_info().vcpu_index].reset_rcx;
}

struct tdx_boot *tdx_boot(struct kvm_vm *vm)
{
	struct userspace_mem_region *region;

	hash_for_each_possible(vm->regions.slot_hash, region, slot_node, TDX_BOOT_SLOT)
		if (region->region.slot == TDX_BOOT_SLOT)
			return region->host_mem;

	return NULL;
}

/* Take @gpa's page of the boot slot into use, at the same virtual address. */
static void boot_alloc_page(struct kvm_vm *vm, gpa_t gpa)
{
	gpa_t got = __vm_phy_pages_alloc(vm, 1, gpa, TDX_BOOT_SLOT, true);

	TEST_ASSERT_EQ(got, gpa);
	virt_map(vm, gpa, gpa, 1);
}

void tdx_boot_init(struct kvm_vm *vm)
{
	vm_userspace_mem_region_add(vm, VM_MEM_SRC_ANONYMOUS, TDX_BOOT_GPA,
				    TDX_BOOT_SLOT, TDX_BOOT_NR_PAGES,
				    KVM_MEM_GUEST_MEMFD);
	boot_alloc_page(vm, TDX_BOOT_GPA);
	boot_alloc_page(vm, TDX_BOOT_CODE_GPA);
	memcpy(addr_gpa2hva(vm, TDX_BOOT_CODE_GPA), boot_code(), PAGE_SIZE);
}

static void boot_init_gdt(struct kvm_vm *vm, struct tdx_boot_vcpu *boot_vcpu)
{
	struct desc64 *tss = (void *)boot_vcpu->gdt + BOOT_TSS;

	memcpy(boot_vcpu->gdt, addr_gva2hva(vm, vm->arch.gdt),
	       sizeof(boot_vcpu->gdt));

	/*
	 * The lib's TSS is marked busy already, as fits a state that is loaded
	 * whole; LTR wants it available.  That LTR then marks it busy is why
	 * each vCPU has a GDT of its own.
	 */
	tss->type = DESC_TYPE_TSS;
}

/* Top of a new stack, as a call leaves it: 8 bytes off the alignment to 16. */
static gva_t alloc_stack(struct kvm_vm *vm)
{
	const size_t size = DEFAULT_STACK_PGS * PAGE_SIZE;

	return __vm_alloc(vm, size, DEFAULT_GUEST_STACK_VADDR_MIN,
			  MEM_REGION_DATA) + size - 8;
}

struct tdx_boot_vcpu *tdx_boot_vcpu(struct kvm_vcpu *vcpu)
{
	struct kvm_vm *vm = vcpu->vm;
	struct tdx_boot *boot = tdx_boot(vm);
	struct tdx_boot_vcpu *boot_vcpu;
	gpa_t gpa, last;

	TEST_ASSERT(boot, "This TD has no memory, use __vm_create()");

	for (u32 i = 0; i < boot->nr_vcpus; i++)
		if (boot->vcpus[i].id == vcpu->id)
			return &boot->vcpus[i];

	boot_vcpu = &boot->vcpus[boot->nr_vcpus++];
	gpa = TDX_BOOT_GPA + ((void *)boot_vcpu - (void *)boot);
	last = gpa + sizeof(*boot_vcpu) - 1;
	TEST_ASSERT(last < TDX_BOOT_CODE_GPA, "No room to boot %u vCPUs",
		    boot->nr_vcpus);
	if (!vm_is_gpa_protected(vm, last))
		boot_alloc_page(vm, last & PAGE_MASK);

	boot_init_gdt(vm, boot_vcpu);
	boot_vcpu->gdtr.size = sizeof(boot_vcpu->gdt) - 1;
	boot_vcpu->gdtr.address = gpa + offsetof(struct tdx_boot_vcpu, gdt);
	boot_vcpu->idtr.size = PAGE_SIZE - 1;
	boot_vcpu->idtr.address = vm->arch.idt;
	boot_vcpu->id = vcpu->id;
	boot_vcpu->cr3 = vm->mmu.pgd;
	boot_vcpu->rsp = alloc_stack(vm);

	return boot_vcpu;
}
