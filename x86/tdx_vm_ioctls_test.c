// SPDX-License-Identifier: GPL-2.0
/*
 * Ioctls of a VM that KVM refuses, or ignores, for a TD.
 *
 * A TD has no PIC, I/O APIC or PIT, as KVM can't see its EOIs.  It needs none of
 * the memory that KVM has to reserve for real mode.  It is not an SEV guest, and
 * its PMU is virtualized by the TDX module.
 *
 * Where the same call works for an ordinary VM, it is made for one as well: if
 * it failed there, it would fail for other reasons.
 */
#include "kvm_util.h"
#include "tdx/keyids.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* All zeroes is a valid argument for each of the calls. */
static u8 arg[4 * PAGE_SIZE] __aligned(PAGE_SIZE);

static int do_ioctl(struct kvm_vm *vm, unsigned long cmd)
{
	memset(arg, 0, sizeof(arg));
	errno = 0;
	return ioctl(vm->fd, cmd, arg);
}

FIXTURE(vm_ioctls) {
	struct kvm_vm *vm;
	struct kvm_vm *ordinary;
};

FIXTURE_SETUP(vm_ioctls)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	self->ordinary = ____vm_create(VM_SHAPE_DEFAULT);
}

FIXTURE_TEARDOWN(vm_ioctls)
{
	kvm_vm_free(self->vm);
	kvm_vm_free(self->ordinary);
}

/* Kernels are built with an I/O APIC, or without one for any VM. */
static bool has_irqchip(struct kvm_vm *ordinary)
{
	int r = do_ioctl(ordinary, KVM_CREATE_IRQCHIP);

	TEST_ASSERT(!r || errno == ENOTTY, KVM_IOCTL_ERROR(KVM_CREATE_IRQCHIP, r));
	return !r;
}

TEST_F(vm_ioctls, create_irqchip_refused)
{
	if (!has_irqchip(self->ordinary))
		SKIP(return, "KVM has no I/O APIC");

	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_CREATE_IRQCHIP), ENOTTY);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
}

TEST_F(vm_ioctls, no_pic_nor_ioapic)
{
	if (!has_irqchip(self->ordinary))
		SKIP(return, "KVM has no I/O APIC");

	TEST_ASSERT_EQ(do_ioctl(self->ordinary, KVM_GET_IRQCHIP), 0);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_GET_IRQCHIP), ENXIO);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_SET_IRQCHIP), ENXIO);
}

TEST_F(vm_ioctls, no_pit)
{
	if (!has_irqchip(self->ordinary))
		SKIP(return, "KVM has no I/O APIC");

	TEST_ASSERT_EQ(do_ioctl(self->ordinary, KVM_CREATE_PIT2), 0);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_CREATE_PIT2), ENOENT);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_GET_PIT2), ENXIO);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_SET_PIT2), ENXIO);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_REINJECT_CONTROL), ENXIO);
}

static int set_slot(struct kvm_vm *vm, gpa_t gpa)
{
	return __vm_set_user_memory_region(vm, 10, 0, gpa, sizeof(arg), arg);
}

/* For an ordinary VM, KVM has a memslot of its own at these addresses. */

TEST_F(vm_ioctls, set_tss_addr_ignored)
{
	const gpa_t gpa = 0xfffb0000ul;

	TEST_ASSERT_EQ(__vm_ioctl(self->vm, KVM_SET_TSS_ADDR, (void *)gpa), 0);
	TEST_ASSERT_EQ(set_slot(self->vm, gpa), 0);
}

TEST_F(vm_ioctls, set_identity_map_addr_ignored)
{
	u64 gpa = 0xfffb0000ul;

	TEST_ASSERT_EQ(__vm_ioctl(self->vm, KVM_SET_IDENTITY_MAP_ADDR, &gpa), 0);
	TEST_ASSERT_EQ(set_slot(self->vm, gpa), 0);
}

/* These are for SEV. */

TEST_F(vm_ioctls, encrypted_regions_refused)
{
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_MEMORY_ENCRYPT_REG_REGION), ENOTTY);
	TEST_ASSERT_FAILS(do_ioctl(self->vm, KVM_MEMORY_ENCRYPT_UNREG_REGION), ENOTTY);
}

static void guest_done(void)
{
	GUEST_DONE();
}

/* In either direction, between VMs in different states. */
static void assert_enc_context_refused(struct kvm_vm *vm, u32 cap)
{
	struct kvm_vm *ready = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(ready, 0, guest_done);
	struct kvm_vm *tds[] = { vm, ready };
	struct kvm_vm *others[] = {
		____vm_create(VM_SHAPE_TDX),
		____vm_create(VM_SHAPE_TDX),
		____vm_create(VM_SHAPE_DEFAULT),
	};

	tdx_init_vm(others[1], NULL);
	for (int i = 0; i < ARRAY_SIZE(others); i++) {
		for (int j = 0; j < ARRAY_SIZE(tds); j++) {
			TEST_ASSERT_FAILS(__vm_enable_cap(tds[j], cap, others[i]->fd), EINVAL);
			TEST_ASSERT_FAILS(__vm_enable_cap(others[i], cap, tds[j]->fd), EINVAL);
		}
		kvm_vm_free(others[i]);
	}

	tdx_vm_finalize(ready);
	vcpu_run_to_done(vcpu);
	kvm_vm_free(ready);
}

TEST_F(vm_ioctls, copy_enc_context_refused)
{
	if (!tdx_can_create(2))
		SKIP(return, NEEDS_MORE_KEYIDS);
	assert_enc_context_refused(self->vm, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM);
}

TEST_F(vm_ioctls, move_enc_context_refused)
{
	if (!tdx_can_create(2))
		SKIP(return, NEEDS_MORE_KEYIDS);
	assert_enc_context_refused(self->vm, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM);
}

TEST_F(vm_ioctls, enabling_pmu_refused)
{
	if (!kvm_check_cap(KVM_CAP_PMU_CAPABILITY))
		SKIP(return, "KVM emulates no PMU");

	TEST_ASSERT_EQ(__vm_enable_cap(self->ordinary, KVM_CAP_PMU_CAPABILITY, 0), 0);
	TEST_ASSERT_FAILS(__vm_enable_cap(self->vm, KVM_CAP_PMU_CAPABILITY, 0), EINVAL);
	TEST_ASSERT_EQ(__vm_enable_cap(self->vm, KVM_CAP_PMU_CAPABILITY,
				       KVM_PMU_CAP_DISABLE), 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
