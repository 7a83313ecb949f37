/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDs for tests.
 *
 * The lib's common calls work for a TD.  In one go:
 *
 *	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_code);
 *
 * or step by step, for a test that has something to do in between:
 *
 *	vm = __vm_create(VM_SHAPE_TDX, nr_vcpus, 0);
 *	vcpu = vm_vcpu_add(vm, 0, guest_code);
 *	vm_install_exception_handler(vm, UD_VECTOR, ud_handler);
 *	sync_global_to_guest(vm, global);
 *	tdx_vm_finalize(vm);
 *
 * The first vm_vcpu_add() does KVM_TDX_INIT_VM with the lib's defaults, unless
 * the test has called tdx_init_vm().  ____vm_create(VM_SHAPE_TDX) makes a VM
 * without memory.
 *
 * All memory that the lib allocates is private, except for ucalls and what comes
 * from vm_alloc_shared().  tdx_vm_finalize() hands every allocated private page
 * to the TD, with its contents.  After that the host can't access private
 * memory: a test can't synchronise globals, install handlers or map pages any
 * more, and the lib asserts that it doesn't try.  addr_gva2hva() still works for
 * shared pages that were allocated before.
 */
#ifndef SELFTEST_KVM_TDX_UTIL_H
#define SELFTEST_KVM_TDX_UTIL_H

#include <stdarg.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_abi.h"
#include "tdx/tdcall.h"

/* Not in the lib's list of features. */
#ifndef X86_FEATURE_WAITPKG
#define X86_FEATURE_WAITPKG	KVM_X86_CPU_FEATURE(0x7, 0, ECX, 5)
#endif

/* The lib has only wrpkru().  The CPU must have protection keys. */
static inline u32 rdpkru(void)
{
	u32 pkru, edx;

	asm volatile("rdpkru" : "=a"(pkru), "=d"(edx) : "c"(0));
	return pkru;
}

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

/* Does KVM support TDs on this host?  For TEST_REQUIRE(). */
static inline bool is_tdx_supported(void)
{
	return kvm_check_cap(KVM_CAP_VM_TYPES) & BIT(KVM_X86_TDX_VM);
}

/*
 * Width in bits of GPAs in TDs that the test creates from now on; the topmost
 * bit is the shared bit.  Each case starts with 48, which every host supports.
 */
extern u32 tdx_gpaw;

/* 52-bit GPAs need 5-level EPT; KVM's CPUID says whether the host has it. */
static inline bool is_tdx_gpaw_supported(u32 gpaw)
{
	return gpaw == 48 || kvm_cpu_property(X86_PROPERTY_GUEST_MAX_PHY_ADDR) >= gpaw;
}

/*
 * Plain KVM_MEMORY_ENCRYPT_OP.  Returns what ioctl() returned, with errno.
 * cmd->hw_error gets the TDX module's status if KVM passes it on.
 */
static inline int __tdx_vm_cmd(struct kvm_vm *vm, struct kvm_tdx_cmd *cmd)
{
	return ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, cmd);
}

static inline int __tdx_vcpu_cmd(struct kvm_vcpu *vcpu, struct kvm_tdx_cmd *cmd)
{
	return ioctl(vcpu->fd, KVM_MEMORY_ENCRYPT_OP, cmd);
}

/*
 * One sub-command of the VM or the vCPU.  Returns what ioctl() returned, with
 * errno.  *@hw_error gets the module's status unless @hw_error is NULL.
 */
int __tdx_vm_ioctl(struct kvm_vm *vm, u32 id, u32 flags, void *data,
		   u64 *hw_error);
int __tdx_vcpu_ioctl(struct kvm_vcpu *vcpu, u32 id, u32 flags, u64 data,
		     u64 *hw_error);

/*
 * The steps of a TD's life.  A plain name asserts success; its "__" twin returns
 * what ioctl() returned, with errno.
 */

/*
 * KVM_TDX_CAPABILITIES.  The twin takes an array of caps->cpuid.nent entries; the
 * plain form allocates one, and the caller frees what it returns.
 */
int __tdx_capabilities(struct kvm_vm *vm, struct kvm_tdx_capabilities *caps);
struct kvm_tdx_capabilities *tdx_capabilities(struct kvm_vm *vm);

/*
 * The lib's parameters for KVM_TDX_INIT_VM: no attributes, no XFAM beyond what
 * the module requires, GPAs of tdx_gpaw bits, and every configurable CPUID bit
 * that KVM supports.  The array has room for TDX_MAX_CPUID entries.  The caller
 * may change the parameters and frees them.
 */
#define TDX_MAX_CPUID	256
struct kvm_tdx_init_vm *tdx_default_init_vm(struct kvm_vm *vm);

/* KVM_TDX_INIT_VM.  For the plain form, NULL means tdx_default_init_vm(). */
int __tdx_init_vm(struct kvm_vm *vm, struct kvm_tdx_init_vm *init,
		  u64 *hw_error);
void tdx_init_vm(struct kvm_vm *vm, struct kvm_tdx_init_vm *init);

/*
 * KVM_TDX_GET_CPUID.  The twin takes an array of cpuid->nent entries; the plain
 * form allocates one, and the caller frees what it returns.
 */
int __tdx_get_cpuid(struct kvm_vcpu *vcpu, struct kvm_cpuid2 *cpuid);
struct kvm_cpuid2 *tdx_get_cpuid(struct kvm_vcpu *vcpu);

/* KVM_SET_CPUID2 with the CPUID that the TDX module gives the vCPU. */
void tdx_vcpu_init_cpuid(struct kvm_vcpu *vcpu);

/* KVM_TDX_INIT_VCPU.  @rcx is the guest's RCX at reset, see tdx_reset_rcx(). */
int __tdx_init_vcpu(struct kvm_vcpu *vcpu, u64 rcx, u64 *hw_error);
void tdx_init_vcpu(struct kvm_vcpu *vcpu, u64 rcx);

/*
 * KVM_TDX_INIT_MEM_REGION.  KVM advances *region past the pages that it has
 * added, also when it fails.  @flags: 0 or KVM_TDX_MEASURE_MEMORY_REGION.  The
 * plain form adds @size bytes at @gpa, with the contents that the lib has for
 * them, and starts over after a signal.
 */
int __tdx_init_mem_region(struct kvm_vcpu *vcpu, u32 flags,
			  struct kvm_tdx_init_mem_region *region, u64 *hw_error);
void tdx_init_mem_region(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size);

/*
 * Whether tdx_init_mem_region() measures.  Only for tests of the measurement, as it
 * is slow: it takes 17 SEAMCALLs per page instead of one.
 */
extern bool tdx_measure_memory;

/* Add every allocated private page by tdx_init_mem_region(), as private memory. */
void tdx_load_private_memory(struct kvm_vm *vm);

/* KVM_TDX_FINALIZE_VM. */
int __tdx_finalize(struct kvm_vm *vm, u64 *hw_error);
void tdx_finalize(struct kvm_vm *vm);

/* Launch a TD that has all its vCPUs: tdx_load_private_memory(), tdx_finalize(). */
void tdx_vm_finalize(struct kvm_vm *vm);

/*
 * Map @npages from @gpa on twice: as private memory at a GVA equal to the GPA, as
 * shared memory at tdx_shared_gva() of that.  The pages' attributes decide which of
 * the two KVM allows.  The memslot has to exist, and the TD must not be launched
 * yet.  The pages don't become part of the TD's initial memory.
 */
void tdx_map_both(struct kvm_vm *vm, gpa_t gpa, u64 npages);

static inline gva_t tdx_shared_gva(gva_t gva)
{
	return gva | BIT_ULL(46);
}

/* KVM allows a TD no more vCPUs than the host has CPUs. */
static inline bool has_two_cpus(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_MAX_VCPUS) >= 2;
}

#define NEEDS_TWO_CPUS	"two vCPUs need two host CPUs"

/* May a TD ask for exits, and no #VE, when it accesses what it hasn't accepted? */
static inline bool has_sept_ve_disable(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	bool has = caps->supported_attrs & TDX_TD_ATTR_SEPT_VE_DISABLE;

	free(caps);
	return has;
}

#define NEEDS_SEPT_VE_DISABLE	"the TDX module lacks SEPT_VE_DISABLE"

/* Can KVM exit to user space after each bus lock? */
static inline bool has_bus_lock_exit(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_X86_BUS_LOCK_EXIT) & KVM_BUS_LOCK_DETECTION_EXIT;
}

#define NEEDS_BUS_LOCK_EXIT	"the host lacks bus lock detection"

/* Or it raises #AC instead of letting guests lock the bus. */
#define SPLIT_LOCKS_TRAPPED	"the host traps split locks"

/* Add two vCPUs and launch. */
static inline void tdx_vm_launch_two(struct kvm_vm *vm, struct kvm_vcpu *vcpu[2],
				     void *guest0, void *guest1)
{
	vcpu[0] = vm_vcpu_add(vm, 0, guest0);
	vcpu[1] = vm_vcpu_add(vm, 1, guest1);
	tdx_vm_finalize(vm);
}

/* KVM refuses every ioctl of a dead VM with EIO. */
static inline bool vm_is_dead(struct kvm_vm *vm)
{
	return __vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_USER_MEMORY) < 0 &&
	       errno == EIO;
}

/*
 * Add a memslot of one page, @mem, at a GPA that is too wide for the TD; private if
 * @guest_memfd is not negative.  Returns the GPA, or 0 if KVM has no memslots that
 * high.
 */
gpa_t add_memslot_beyond_width(struct kvm_vm *vm, u32 slot, void *mem,
			       int guest_memfd);

#define NO_MEMSLOT_BEYOND_WIDTH	"KVM has no memslots that high"

/*
 * vm_alloc_shared() of @size bytes for guest and host to talk through.  Returns
 * the guest's address; *@hva gets the host's.
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

/* The common lib's branches for TDs; nothing else calls them. */
void tdx_vm_init_address_properties(struct kvm_vm *vm);
unsigned long tdx_vm_compute_max_gfn(struct kvm_vm *vm);
void tdx_vm_post_create(struct kvm_vm *vm);
struct kvm_vcpu *tdx_vm_vcpu_add(struct kvm_vm *vm, u32 vcpu_id);
void tdx_vcpu_set_entry_point(struct kvm_vcpu *vcpu, void *guest_code);
void tdx_vcpu_args_set(struct kvm_vcpu *vcpu, unsigned int num, va_list args);
void tdx_vm_assert_gpa_accessible(struct kvm_vm *vm, gpa_t gpa);
void tdx_vm_assert_mappable(struct kvm_vm *vm);
void tdx_vcpu_dump(FILE *stream, struct kvm_vcpu *vcpu, u8 indent);
void tdx_do_ucall(gva_t uc);
void *tdx_get_ucall(struct kvm_vcpu *vcpu);

#endif /* SELFTEST_KVM_TDX_UTIL_H */
