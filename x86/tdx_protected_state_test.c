// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a TD's vCPUs is out of user space's reach.
 *
 * That state belongs to the TDX module, and KVM has no copy.  So all ioctls that
 * read or write registers, FPU, local APIC or TSC have to fail, or to do nothing,
 * and the vCPU has to run on as before.
 *
 * Each ioctl that has to fail is also made for an ordinary VM, where it has to
 * succeed: otherwise its arguments could be to blame.
 *
 * The ioctls that inject events are tested by tdx_vcpu_events_test, those for nested
 * state by tdx_vmx_state_test.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/keyids.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* All zeroes is a valid argument for each of the calls. */
static u8 arg[4 * PAGE_SIZE] __aligned(PAGE_SIZE);

static int do_ioctl(int fd, unsigned long cmd)
{
	memset(arg, 0, sizeof(arg));
	errno = 0;
	return ioctl(fd, cmd, arg);
}

/* A vCPU's ioctls that KVM refuses, all with EINVAL. */
#define REFUSED(X)				\
	X(get_regs, KVM_GET_REGS);		\
	X(set_regs, KVM_SET_REGS);		\
	X(get_sregs, KVM_GET_SREGS);		\
	X(set_sregs, KVM_SET_SREGS);		\
	X(get_sregs2, KVM_GET_SREGS2);		\
	X(set_sregs2, KVM_SET_SREGS2);		\
	X(get_debugregs, KVM_GET_DEBUGREGS);	\
	X(set_debugregs, KVM_SET_DEBUGREGS);	\
	X(set_guest_debug, KVM_SET_GUEST_DEBUG);\
	X(get_fpu, KVM_GET_FPU);		\
	X(set_fpu, KVM_SET_FPU);		\
	X(get_xsave, KVM_GET_XSAVE);		\
	X(get_xsave2, KVM_GET_XSAVE2);		\
	X(set_xsave, KVM_SET_XSAVE);		\
	X(get_xcrs, KVM_GET_XCRS);		\
	X(set_xcrs, KVM_SET_XCRS);		\
	X(get_lapic, KVM_GET_LAPIC);		\
	X(set_lapic, KVM_SET_LAPIC)

/* A vCPU of a TD without memory. */
FIXTURE(refused) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *ordinary_vm;
	struct kvm_vcpu *ordinary;
};

FIXTURE_VARIANT(refused) {
	unsigned long cmd;
};

#define VARIANT(_name, _cmd)	FIXTURE_VARIANT_ADD(refused, _name) { .cmd = _cmd }
REFUSED(VARIANT);

FIXTURE_SETUP(refused)
{
	self->ordinary_vm = ____vm_create(VM_SHAPE_DEFAULT);
	vm_enable_cap(self->ordinary_vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	self->ordinary = __vm_vcpu_add(self->ordinary_vm, 0);

	self->vm = ____vm_create(VM_SHAPE_TDX);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	tdx_init_vm(self->vm, NULL);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
}

FIXTURE_TEARDOWN(refused)
{
	kvm_vm_free(self->ordinary_vm);
	kvm_vm_free(self->vm);
}

TEST_F(refused, before_and_after_init_vcpu)
{
	TEST_ASSERT_EQ(do_ioctl(self->ordinary->fd, variant->cmd), 0);
	TEST_ASSERT_FAILS(do_ioctl(self->vcpu->fd, variant->cmd), EINVAL);
	tdx_vcpu_init_cpuid(self->vcpu);
	tdx_init_vcpu(self->vcpu, 0);
	TEST_ASSERT_FAILS(do_ioctl(self->vcpu->fd, variant->cmd), EINVAL);
}

/* A TD that has run, and has to run on after each case. */
FIXTURE(state) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static void run(struct kvm_vcpu *vcpu)
{
	vcpu_run_to_sync(vcpu, 0);
}

FIXTURE_SETUP(state)
{
	self->vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &self->vcpu, guest_code);
	run(self->vcpu);
}

FIXTURE_TEARDOWN(state)
{
	run(self->vcpu);
	kvm_vm_free(self->vm);
}

TEST_F(state, all_refused_after_run)
{
	int r;

#define TRY(_name, _cmd)						\
do {									\
	r = do_ioctl(self->vcpu->fd, _cmd);				\
	TEST_ASSERT(r == -1 && errno == EINVAL,				\
		    "Wanted EINVAL from " #_name ", got %d, errno %d", r, errno); \
	run(self->vcpu);						\
} while (0)
	REFUSED(TRY);
}

/* Registers in struct kvm_run */

TEST_F(state, no_sync_regs)
{
	TEST_ASSERT(kvm_check_cap(KVM_CAP_SYNC_REGS), "Ordinary VMs lack them, too");
	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_SYNC_REGS), 0);
}

TEST_F(state, sync_regs_read_refused)
{
	const u64 all = kvm_check_cap(KVM_CAP_SYNC_REGS);

	for (u64 field = 1; field <= all; field <<= 1) {
		self->vcpu->run->kvm_valid_regs = field;
		TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	}
	self->vcpu->run->kvm_valid_regs = 0;
}

TEST_F(state, sync_regs_write_refused)
{
	const u64 all = kvm_check_cap(KVM_CAP_SYNC_REGS);

	for (u64 field = 1; field <= all; field <<= 1) {
		self->vcpu->run->kvm_dirty_regs = field;
		TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	}
	self->vcpu->run->kvm_dirty_regs = 0;
}

/*
 * KVM can't walk a TD's page tables and must not pretend to.  As far as it knows
 * the vCPU never enabled paging.
 */
TEST_F(state, translate_reveals_nothing)
{
	/* The guest has it mapped at another GPA. */
	const gva_t gva = (gva_t)&arg;
	struct kvm_translation tr = { .linear_address = gva };

	if (__vcpu_ioctl(self->vcpu, KVM_TRANSLATE, &tr)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return;
	}
	TEST_ASSERT(!tr.valid || tr.physical_address == gva,
		    "0x%lx is at 0x%llx?", (unsigned long)gva, tr.physical_address);
}

/* The TSC's offset and frequency are fixed since KVM_TDX_INIT_VM. */

TEST_F(state, set_tsc_khz_refused)
{
	int khz = __vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL);

	TEST_ASSERT(khz > 0, KVM_IOCTL_ERROR(KVM_GET_TSC_KHZ, khz));
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_TSC_KHZ, (void *)(long)khz),
			  EINVAL);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_TSC_KHZ, NULL), EINVAL);
	TEST_ASSERT_EQ(__vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL), khz);
}

TEST_F(state, vm_set_tsc_khz_refused)
{
	int khz = __vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL);

	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(long)(khz / 2)),
			  EINVAL);
	TEST_ASSERT_EQ(__vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL), khz);
}

/* KVM reports no error, but does nothing. */
TEST_F(state, tsc_offset_ignored)
{
	u64 before, after, offset;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
	};

	attr.addr = (u64)&before;
	vcpu_ioctl(self->vcpu, KVM_GET_DEVICE_ATTR, &attr);
	offset = before + 0x123456789;
	attr.addr = (u64)&offset;
	__vcpu_ioctl(self->vcpu, KVM_SET_DEVICE_ATTR, &attr);
	attr.addr = (u64)&after;
	vcpu_ioctl(self->vcpu, KVM_GET_DEVICE_ATTR, &attr);
	TEST_ASSERT_EQ(after, before);
}

/* As for any VM, CPUID is fixed once the vCPU has run. */

TEST_F(state, set_cpuid2_same_allowed)
{
	vcpu_set_cpuid(self->vcpu);
}

TEST_F(state, set_cpuid2_other_refused)
{
	vcpu_get_cpuid_entry(self->vcpu, 1)->eax ^= 1;
	TEST_ASSERT_FAILS(__vcpu_set_cpuid(self->vcpu), EINVAL);
	vcpu_get_cpuid_entry(self->vcpu, 1)->eax ^= 1;
}

/* Before that a change resets KVM's MMU, but must not touch the TD's memory. */
TEST_F(state, set_cpuid2_after_launch_keeps_memory)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	if (!tdx_can_create(1))
		SKIP(return, NEEDS_MORE_KEYIDS);

	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_code);
	vcpu_set_cpuid(vcpu);
	run(vcpu);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
