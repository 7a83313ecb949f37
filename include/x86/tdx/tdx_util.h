/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDs for tests.
 *
 * The lib's common calls work for a TD.  In one go:
 *
 *	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_code);
 *
 * or in steps, for a test that has something to do between them:
 *
 *	vm = __vm_create(VM_SHAPE_TDX, nr_vcpus, 0);
 *	vcpu = vm_vcpu_add(vm, 0, guest_code);
 *	vm_install_exception_handler(vm, UD_VECTOR, ud_handler);
 *	sync_global_to_guest(vm, global);
 *	vm_tdx_launch(vm);
 *
 * The first vm_vcpu_add() does KVM_TDX_INIT_VM with the lib's defaults, unless
 * the test called tdx_init_vm() before.  VMs that shall stay without memory
 * and lib come from ____vm_create(VM_SHAPE_TDX).
 *
 * All memory that the lib allocates is private, except what comes from
 * vm_alloc_shared() and the ucalls.  vm_tdx_launch() hands every allocated
 * private page to the TD, with its contents.  From then on the host has no
 * part in private memory: globals can no longer be synchronised, nor handlers
 * installed, nor pages mapped, and the lib fails the test that tries.  Shared
 * pages that were allocated before stay within reach by addr_gva2hva().
 */
#ifndef SELFTEST_KVM_TDX_UTIL_H
#define SELFTEST_KVM_TDX_UTIL_H

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_abi.h"
#include "tdx/tdcall.h"

/* Not in the lib's list of features. */
#ifndef X86_FEATURE_WAITPKG
#define X86_FEATURE_WAITPKG	KVM_X86_CPU_FEATURE(0x7, 0, ECX, 5)
#endif

#define VM_SHAPE_TDX						\
({								\
	struct vm_shape __shape = {				\
		.mode = VM_MODE_DEFAULT,			\
		.type = KVM_X86_TDX_VM,				\
	};							\
								\
	__shape;						\
})

static inline bool is_tdx_vm(struct kvm_vm *vm)
{
	return vm->type == KVM_X86_TDX_VM;
}

/* Does this host's KVM offer TDs?  For TEST_REQUIRE(). */
static inline bool kvm_has_tdx(void)
{
	return kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(KVM_X86_TDX_VM);
}

/*
 * Width in bits of the GPAs of the TDs that are created from here on; the
 * topmost bit is the shared bit.  48 is what every host has and where each
 * case of a test starts; 52 takes kvm_has_tdx_gpaw(52).
 */
extern u32 tdx_gpaw;

/* 52 bits take an EPT of 5 levels, and KVM's CPUID says whether there is one. */
static inline bool kvm_has_tdx_gpaw(u32 gpaw)
{
	return gpaw == 48 || kvm_cpu_property(X86_PROPERTY_GUEST_MAX_PHY_ADDR) >= gpaw;
}

/*
 * KVM_MEMORY_ENCRYPT_OP as it is: nothing filled in, nothing checked.  Returns
 * what ioctl() returned, with errno; cmd->hw_error has the TDX module's status
 * where KVM passes it on.
 */
static inline int __vm_tdx_cmd(struct kvm_vm *vm, struct kvm_tdx_cmd *cmd)
{
	return ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, cmd);
}

static inline int __vcpu_tdx_cmd(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd)
{
	return ioctl(vcpu->fd, KVM_MEMORY_ENCRYPT_OP, cmd);
}

/* One sub-command of the VM or the vCPU.  @hw_error may be NULL. */
int __vm_tdx_ioctl(struct kvm_vm *vm, u32 id, u32 flags, void *data,
		   u64 *hw_error);
int __vcpu_tdx_ioctl(struct kvm_vcpu *vcpu, u32 id, u32 flags, u64 data,
		     u64 *hw_error);

/*
 * The steps of a TD's life, each as its own call.  A plain name asserts
 * success; its "__" twin returns what ioctl() returned, with errno.
 */

/*
 * KVM_TDX_CAPABILITIES.  The twin takes room for caps->cpuid.nent entries;
 * the plain form makes room itself, and the caller frees what it returns.
 */
int __tdx_capabilities(struct kvm_vm *vm, struct kvm_tdx_capabilities *caps);
struct kvm_tdx_capabilities *tdx_capabilities(struct kvm_vm *vm);

/*
 * The lib's parameters for KVM_TDX_INIT_VM: no attributes, no XFAM beyond what
 * the module insists on, GPAs of tdx_gpaw bits, and of all configurable CPUID
 * bits those that KVM supports.  There is room for TDX_MAX_CPUID entries in all.
 * The caller may change them and has to free them.
 */
#define TDX_MAX_CPUID	256
struct kvm_tdx_init_vm *tdx_default_init_vm(struct kvm_vm *vm);

/* KVM_TDX_INIT_VM.  For the plain form, NULL means tdx_default_init_vm(). */
int __tdx_init_vm(struct kvm_vm *vm, struct kvm_tdx_init_vm *init,
		  u64 *hw_error);
void tdx_init_vm(struct kvm_vm *vm, struct kvm_tdx_init_vm *init);

/*
 * KVM_TDX_GET_CPUID.  The twin takes room for cpuid->nent entries; the plain
 * form makes room itself, and the caller frees what it returns.
 */
int __tdx_get_cpuid(struct kvm_vcpu *vcpu, struct kvm_cpuid2 *cpuid);
struct kvm_cpuid2 *tdx_get_cpuid(struct kvm_vcpu *vcpu);

/* Tell KVM by KVM_SET_CPUID2 which CPUID the TDX module gives the vCPU. */
void tdx_vcpu_init_cpuid(struct kvm_vcpu *vcpu);

/* KVM_TDX_INIT_VCPU.  @rcx is the guest's RCX at reset, see tdx_reset_rcx(). */
int __tdx_init_vcpu(struct kvm_vcpu *vcpu, u64 rcx, u64 *hw_error);
void tdx_init_vcpu(struct kvm_vcpu *vcpu, u64 rcx);

/*
 * KVM_TDX_INIT_MEM_REGION.  KVM advances *region past the pages that it added,
 * also when it fails.  @flags: 0 or KVM_TDX_MEASURE_MEMORY_REGION.  The plain
 * form adds @size bytes at @gpa, with the contents that the lib has for them,
 * and starts over when a signal came between.
 */
int __tdx_init_mem_region(struct kvm_vcpu *vcpu, u32 flags,
			  struct kvm_tdx_init_mem_region *region, u64 *hw_error);
void tdx_init_mem_region(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size);

/*
 * Does tdx_init_mem_region() measure?  Only for tests that want it: of the 17
 * calls of the TDX module that a page then takes 16 are for that.
 */
extern bool tdx_measure_memory;

/* Make every allocated private page private and tdx_init_mem_region() it. */
void tdx_init_memory(struct kvm_vm *vm);

/* KVM_TDX_FINALIZE_VM. */
int __tdx_finalize(struct kvm_vm *vm, u64 *hw_error);
void tdx_finalize(struct kvm_vm *vm);

/* tdx_init_memory() and tdx_finalize(): all that is left once vCPUs are added. */
void vm_tdx_launch(struct kvm_vm *vm);

/*
 * Map @npages from @gpa on twice: at the same virtual address as private
 * memory, at tdx_shared_gva() of it as shared memory.  Which of the two KVM
 * allows is for the test to decide, by the pages' attributes.  Before the
 * launch, and with a memslot there; the pages are not handed to the TD.
 */
void tdx_map_both(struct kvm_vm *vm, gpa_t gpa, u64 npages);

static inline gva_t tdx_shared_gva(gva_t gva)
{
	return gva | BIT_ULL(46);
}

/*
 * vm_alloc_shared() of @size bytes for guest and host to talk through.  Returns
 * where the guest has them; *@hva gets where the host does.
 */
#define tdx_alloc_shared(vm, size, hva)					\
({									\
	gva_t __gva = vm_alloc_shared(vm, size, KVM_UTIL_MIN_VADDR,	\
				      MEM_REGION_TEST_DATA);		\
									\
	*(hva) = addr_gva2hva(vm, __gva);				\
	__gva;								\
})

/* Guest: RCX as it was when this vCPU left reset. */
u64 tdx_reset_rcx(void);

#endif /* SELFTEST_KVM_TDX_UTIL_H */
