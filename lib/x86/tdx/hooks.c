// SPDX-License-Identifier: GPL-2.0
/*
 * What the lib's common functions do for a TD.
 *
 * The linker sends calls of these functions here (--wrap, see tdx.mk), and
 * __real_*() is the lib's own.  For any other VM nothing changes.
 */
#include "tdx/boot.h"
#include "tdx/hooks.h"

/*
 * ucalls are 8-byte MMIO writes of the ucall's address.  Nothing else has
 * business at this GPA: it is in no memslot, and KVM emulates no device there.
 */
#define TDX_UCALL_GPA	0xfff00000ul

u64 tdx_s_bit;

static bool is_tdx_vm_finalized(struct kvm_vm *vm)
{
	struct tdx_boot *boot = is_tdx_vm(vm) ? tdx_boot(vm) : NULL;

	return boot && boot->finalized;
}

void __wrap_kvm_init_vm_address_properties(struct kvm_vm *vm)
{
	__real_kvm_init_vm_address_properties(vm);

	if (!is_tdx_vm(vm))
		return;

	vm->arch.s_bit = BIT_ULL(tdx_gpaw - 1);
	vm->gpa_tag_mask = vm->arch.s_bit;

	/* One kind of page tables is enough, and this one every host has. */
	vm->va_bits = 48;
}

/*
 * The last call of __vm_create() that is not kvm_arch_vm_post_create(), which
 * can't be wrapped: the lib has a weak definition of it next to the call.
 */
void __wrap_ucall_init(struct kvm_vm *vm, gpa_t mmio_gpa)
{
	struct userspace_mem_region *slot0;

	__real_ucall_init(vm, mmio_gpa);

	if (!is_tdx_vm(vm))
		return;

	/* A GPA with the shared bit set is an alias, not more memory. */
	vm->max_gfn = (vm->arch.s_bit >> vm->page_shift) - 1;

	/* Private memory is guest_memfd's, which slot 0 was made without. */
	slot0 = memslot2region(vm, 0);
	slot0->region.guest_memfd =
		vm_create_guest_memfd(vm, slot0->region.memory_size, 0);
	slot0->region.flags |= KVM_MEM_GUEST_MEMFD;
	vm_mem_region_reload(vm, 0);

	tdx_boot_init(vm);
	write_guest_global(vm, tdx_s_bit, vm->arch.s_bit);
}

struct kvm_vcpu *__wrap_vm_arch_vcpu_add(struct kvm_vm *vm, u32 vcpu_id)
{
	struct kvm_vcpu *vcpu;

	if (!is_tdx_vm(vm))
		return __real_vm_arch_vcpu_add(vm, vcpu_id);

	TEST_ASSERT(tdx_boot(vm), "This TD has no memory, use __vm_create()");
	if (!tdx_boot(vm)->initialized)
		tdx_init_vm(vm, NULL);

	vcpu = __vm_vcpu_add(vm, vcpu_id);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	tdx_boot_vcpu(vcpu);
	return vcpu;
}

void __wrap_vcpu_arch_set_entry_point(struct kvm_vcpu *vcpu, void *guest_code)
{
	if (is_tdx_vm(vcpu->vm))
		tdx_boot_vcpu(vcpu)->rip = (u64)guest_code;
	else
		__real_vcpu_arch_set_entry_point(vcpu, guest_code);
}

void __wrap_vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, ...)
{
	u64 a[6] = {};
	va_list ap;

	TEST_ASSERT(num >= 1 && num <= ARRAY_SIZE(a),
		    "Unsupported number of args: %u", num);

	va_start(ap, num);
	for (int i = 0; i < num; i++)
		a[i] = va_arg(ap, u64);
	va_end(ap);

	if (is_tdx_vm(vcpu->vm)) {
		struct tdx_boot_vcpu *boot_vcpu = tdx_boot_vcpu(vcpu);
		u64 *regs[] = {
			&boot_vcpu->rdi, &boot_vcpu->rsi, &boot_vcpu->rdx,
			&boot_vcpu->rcx, &boot_vcpu->r8, &boot_vcpu->r9,
		};

		for (int i = 0; i < num; i++)
			*regs[i] = a[i];
	} else {
		/* Looks at the first @num only. */
		__real_vcpu_args_set(vcpu, num, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

/* Not a wrap: the lib's own definition is weak and empty. */
void kvm_arch_vm_finalize_vcpus(struct kvm_vm *vm)
{
	if (is_tdx_vm(vm))
		vm_tdx_launch(vm);
}

/*
 * The host has its own copy of all that was private at launch, page tables
 * included.  To read or change that copy afterwards is never what a test wants.
 */
gpa_t __wrap_addr_arch_gva2gpa(struct kvm_vm *vm, gva_t gva)
{
	gpa_t gpa = __real_addr_arch_gva2gpa(vm, gva);

	TEST_ASSERT(!is_tdx_vm_finalized(vm) || !vm_is_gpa_protected(vm, gpa),
		    "GVA 0x%lx is private to the TD since its launch",
		    (unsigned long)gva);
	return gpa;
}

void __wrap_virt_arch_pg_map(struct kvm_vm *vm, gva_t gva, gpa_t gpa)
{
	TEST_ASSERT(!is_tdx_vm_finalized(vm),
		    "The TD's page tables are private since its launch");
	__real_virt_arch_pg_map(vm, gva, gpa);
}

/* Called for a failing test, so it may not ask for what KVM won't give. */
void __wrap_vcpu_arch_dump(FILE *stream, struct kvm_vcpu *vcpu, u8 indent)
{
	if (is_tdx_vm(vcpu->vm))
		fprintf(stream, "%*svCPU ID: %u, state protected\n", indent, "",
			vcpu->id);
	else
		__real_vcpu_arch_dump(stream, vcpu, indent);
}

/*
 * The lib's memset() goes byte by byte, which is most of what it takes to create
 * a TD where every instruction is emulated.  Runs in the guest, too.
 */
void *__wrap_memset(void *s, int c, size_t count)
{
	u64 bytes = (u8)c * 0x0101010101010101ul;
	size_t nr = count / sizeof(bytes);
	void *at = s;

	asm volatile("rep stosq" : "+D"(at), "+c"(nr) : "a"(bytes) : "memory");
	nr = count % sizeof(bytes);
	asm volatile("rep stosb" : "+D"(at), "+c"(nr) : "a"(bytes) : "memory");
	return s;
}

/* Runs in the guest. */
void __wrap_ucall_arch_do_ucall(gva_t uc)
{
	const struct desc_ptr no_idt = {};

	if (!tdx_s_bit) {
		__real_ucall_arch_do_ucall(uc);
		return;
	}

	if (!tdvmcall_mmio_write(TDX_UCALL_GPA, sizeof(uc), uc))
		return;

	/*
	 * A guest that can't be heard must not go on as if it had been: a
	 * failed assertion would be lost.  Shut the vCPU down instead.
	 */
	set_idt(&no_idt);
	asm volatile("ud2");
}

void *__wrap_ucall_arch_get_ucall(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	void *uc;

	if (!is_tdx_vm(vcpu->vm))
		return __real_ucall_arch_get_ucall(vcpu);

	if (run->exit_reason != KVM_EXIT_MMIO ||
	    run->mmio.phys_addr != TDX_UCALL_GPA || !run->mmio.is_write ||
	    run->mmio.len != sizeof(uc))
		return NULL;

	memcpy(&uc, run->mmio.data, sizeof(uc));
	return uc;
}
