/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests of KVM_TDX_INIT_VM: assertions on who refuses it, and fixtures.
 */
#ifndef SELFTEST_KVM_TDX_INIT_VM_H
#define SELFTEST_KVM_TDX_INIT_VM_H

#include "tdx/tdx_guest.h"
#include "tdx/tdx_util.h"

/* KVM refuses @init by itself, with @error. */
#define assert_kvm_refuses(vm, init, error)				\
do {									\
	u64 __hw_error;							\
									\
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, &__hw_error), error);	\
	TEST_ASSERT_EQ(__hw_error, 0ull);				\
} while (0)

/* KVM passes @init to the TDX module, and the module refuses it. */
#define assert_module_refuses(vm, init)					\
do {									\
	u64 __hw_error;							\
									\
	TEST_ASSERT_FAILS(__tdx_init_vm(vm, init, &__hw_error), EINVAL); \
	TEST_ASSERT_EQ(__hw_error & TDX_SEAMCALL_STATUS_MASK,		\
		       TDX_OPERAND_INVALID);				\
} while (0)

/*
 * A fixture of the harness: a VM without KVM_TDX_INIT_VM, and parameters for that.
 * The teardown checks that KVM_TDX_INIT_VM still succeeds after it was refused,
 * unless the case says by @initialized that it has succeeded already.
 */
#define TDX_INIT_VM_SUITE(name)						\
	FIXTURE(name) {							\
		struct kvm_vm *vm;					\
		struct kvm_tdx_capabilities *caps;			\
		struct kvm_tdx_init_vm *init;				\
		bool initialized;					\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		self->vm = ____vm_create(VM_SHAPE_TDX);			\
		self->caps = tdx_capabilities(self->vm);		\
		self->init = tdx_default_init_vm(self->vm);		\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		if (!self->initialized)					\
			tdx_init_vm(self->vm, NULL);			\
		free(self->init);					\
		free(self->caps);					\
		kvm_vm_free(self->vm);					\
	}

/*
 * A fixture of the harness: a VM without KVM_TDX_INIT_VM, parameters for that, and a
 * guest that tells what it got of them, which init_vm_guest_launch() adds.
 */
#define TDX_INIT_VM_GUEST_SUITE(name)					\
	FIXTURE(name) {							\
		struct kvm_vm *vm;					\
		struct kvm_tdx_init_vm *init;				\
		struct tdx_guest guest;					\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);		\
		self->init = tdx_default_init_vm(self->vm);		\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		free(self->init);					\
		kvm_vm_free(self->vm);					\
	}

/* Launch a TD with one vCPU, after KVM_TDX_INIT_VM if that is still to come. */
static inline struct tdx_guest init_vm_guest_launch(struct kvm_vm *vm)
{
	struct tdx_guest guest = tdx_guest_add(vm, 0);

	tdx_vm_finalize(vm);
	return guest;
}

#endif /* SELFTEST_KVM_TDX_INIT_VM_H */
