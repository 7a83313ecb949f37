/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD whose vCPU makes the TDVMCALLs that the host tells it to, one by one.
 *
 * So a case sees both ends of a TDVMCALL, in the order in which things happen:
 *
 *	TDX_CALLER_SUITE(get_quote);
 *
 *	TEST_F(get_quote, private_gpa)
 *	{
 *		struct tdvmcall call = tdx_call(&self->td, TDVMCALL_GET_QUOTE,
 *						gpa, size);
 *
 *		TEST_ASSERT_EQ(tdvmcall_status(&call), ...);
 *	}
 *
 * tdx_call() is for calls that KVM handles by itself.  For one that user space
 * has a part in there is tdx_call_start(), which returns with the vCPU's exit,
 * and tdx_call_finish(), which returns what the guest got.
 */
#ifndef SELFTEST_KVM_TDX_CALLER_H
#define SELFTEST_KVM_TDX_CALLER_H

#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

struct tdx_caller {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_run *run;
	struct tdvmcall *call;	/* shared with the guest */
};

/* The guest.  Its interrupts are off, as they are at reset. */
static inline void tdx_caller_guest(struct tdvmcall *shared)
{
	struct tdvmcall call;

	for (;;) {
		GUEST_SYNC(0);
		call = *shared;
		GUEST_ASSERT_EQ(__tdvmcall(&call), TDX_SUCCESS);
		*shared = call;
	}
}

/* The TD, not launched yet. */
static inline void tdx_caller_create(struct tdx_caller *td)
{
	gva_t gva;

	td->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	td->vcpu = vm_vcpu_add(td->vm, 0, tdx_caller_guest);
	td->run = td->vcpu->run;
	gva = tdx_alloc_shared(td->vm, sizeof(*td->call), &td->call);
	vcpu_args_set(td->vcpu, 1, gva);
}

/* Launch it, and run it until it waits for its first call. */
static inline void tdx_caller_launch(struct tdx_caller *td)
{
	vm_tdx_launch(td->vm);
	tdx_vcpu_run_to_sync(td->vcpu, 0);
}

/*
 * Host: let the guest make @call.  Returns true with the exit that KVM makes of
 * it, or false when the guest is back from it without one.
 */
static inline bool __tdx_call_exits(struct tdx_caller *td,
				    const struct tdvmcall *call)
{
	struct ucall uc;

	*td->call = *call;
	return tdx_vcpu_run(td->vcpu, &uc) == UCALL_NONE;
}

/* Host: let the guest make @call, which has to exit to user space. */
static inline void __tdx_call_start(struct tdx_caller *td,
				    const struct tdvmcall *call)
{
	bool exits = __tdx_call_exits(td, call);

	TEST_ASSERT(exits, "No exit for TDVMCALL 0x%lx, status 0x%lx",
		    (unsigned long)call->reg[TDVMCALL_LEAF],
		    (unsigned long)tdvmcall_status(td->call));
}

/* Host: run until the guest is back from its call. */
static inline struct tdvmcall tdx_call_finish(struct tdx_caller *td)
{
	tdx_vcpu_run_to_sync(td->vcpu, 0);
	return *td->call;
}

/* Host: let the guest make @call, which must not exit to user space. */
static inline struct tdvmcall __tdx_call(struct tdx_caller *td,
					 const struct tdvmcall *call)
{
	*td->call = *call;
	return tdx_call_finish(td);
}

#define tdx_call_exits(td, _leaf, _args...)				\
({									\
	struct tdvmcall __call_ = TDVMCALL(_leaf, ##_args);		\
									\
	__tdx_call_exits(td, &__call_);					\
})

#define tdx_call_start(td, _leaf, _args...)				\
do {									\
	struct tdvmcall __call_ = TDVMCALL(_leaf, ##_args);		\
									\
	__tdx_call_start(td, &__call_);					\
} while (0)

#define tdx_call(td, _leaf, _args...)					\
({									\
	struct tdvmcall __call_ = TDVMCALL(_leaf, ##_args);		\
									\
	__tdx_call(td, &__call_);					\
})

/* As the above, where only the status matters. */
#define tdx_call_status(td, _leaf, _args...)				\
({									\
	struct tdvmcall __back_ = tdx_call(td, _leaf, ##_args);		\
									\
	tdvmcall_status(&__back_);					\
})

static inline u64 tdx_call_finish_status(struct tdx_caller *td)
{
	struct tdvmcall call = tdx_call_finish(td);

	return tdvmcall_status(&call);
}

/*
 * Host: have KVM complete the exit at hand, but not enter the guest.  What user
 * space leaves in struct kvm_run afterwards is too late.
 */
static inline void tdx_call_complete(struct tdx_caller *td)
{
	td->run->immediate_exit = true;
	TEST_ASSERT_FAILS(__vcpu_run(td->vcpu), EINTR);
	td->run->immediate_exit = false;
}

/* A GPA as the guest gives it for shared memory. */
static inline gpa_t tdx_shared(struct tdx_caller *td, gpa_t gpa)
{
	return gpa | td->vm->arch.s_bit;
}

#define TDX_CALLER_FIXTURE(name)					\
	FIXTURE(name) {							\
		struct tdx_caller td;					\
	};								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->td.vm);				\
	}

#define TDX_CALLER_SUITE(name)						\
	TDX_CALLER_FIXTURE(name)					\
									\
	FIXTURE_SETUP(name) {						\
		tdx_caller_create(&self->td);				\
		tdx_caller_launch(&self->td);				\
	}

#endif /* SELFTEST_KVM_TDX_CALLER_H */
