// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_CAP_X2APIC_API: MSIs with destinations of 32 bits, and 255 as an APIC ID like
 * any other.
 *
 * A TD's local APIC is an x2APIC, but without the capability user space can name only
 * IDs of eight bits, and an MSI to 255 reaches all vCPUs.  What the guest sends by its
 * ICR has 32 bits all along.
 */
#include "tdx/tdx_irq.h"
#include "tdx/tdx_test_harness.h"

#define BOTH		(KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)

#define XAPIC_ALL	0xffu
#define X2APIC_ALL	0xffffffffu
#define OTHER_VECTOR	(TDX_IRQ_VECTOR + 1)
#define MSI_LOGICAL	BIT(2)	/* in the address */

TDX_IRQ_SUITE(x2apic_api);

TEST_F(x2apic_api, flags)
{
	const u64 flags = vm_check_cap(self->td.vm, KVM_CAP_X2APIC_API);

	TEST_ASSERT_EQ(flags & BOTH, BOTH);
	for (int i = 0; i < 64; i++) {
		int r = __vm_enable_cap(self->td.vm, KVM_CAP_X2APIC_API, BIT_ULL(i));

		TEST_ASSERT(flags & BIT_ULL(i) ? !r : r == -1 && errno == EINVAL,
			    "Flag %d: got %d, errno %d", i, r, errno);
	}
	TEST_ASSERT_FAILS(__vm_enable_cap(self->td.vm, KVM_CAP_X2APIC_API, BOTH | BIT_ULL(63)),
			  EINVAL);
	TEST_ASSERT_EQ(__vm_enable_cap(self->td.vm, KVM_CAP_X2APIC_API, BOTH), 0);
}

TEST_F(x2apic_api, refused_flags_change_nothing)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	TEST_ASSERT_FAILS(__vm_enable_cap(self->td.vm, KVM_CAP_X2APIC_API, BOTH | BIT_ULL(63)),
			  EINVAL);
	vcpu_run_to_sync(vcpu, 0);
	tdx_signal_msi(self->td.vm, XAPIC_ALL, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
}

/* MSIs from the host. */

/* @low_bits are those of the upper half that are no part of the destination. */
static int signal_wide_msi(struct kvm_vm *vm, u32 dest, u8 low_bits, u32 mode, u32 vector)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | (dest & 0xff) << 12 | mode,
		.address_hi = (dest & ~0xffu) | low_bits,
		.data = vector,
	};

	return __vm_ioctl(vm, KVM_SIGNAL_MSI, &msi);
}

/* Whether it is an error that no vCPU is meant depends on how KVM looks for it. */
#define assert_found_none(vm, dest, mode)				\
	TEST_ASSERT(signal_wide_msi(vm, dest, 0, mode, OTHER_VECTOR) <= 0, \
		    "KVM found a vCPU for destination 0x%x", (u32)(dest))

TEST_F(x2apic_api, upper_bits_ignored_without)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(signal_wide_msi(self->td.vm, 0x100, 1, 0, TDX_IRQ_VECTOR), 1);
	vcpu_run_to_done(vcpu);
}

TEST_F(x2apic_api, upper_bits_count)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct kvm_vm *vm = self->td.vm;

	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS);
	vcpu_run_to_sync(vcpu, 0);
	for (int i = 8; i < 32; i++) {
		assert_found_none(vm, BIT(i), 0);
		if (i >= 16)
			assert_found_none(vm, BIT(i) | 1, MSI_LOGICAL);
	}
	for (int i = 0; i < 8; i++)
		TEST_ASSERT_FAILS(signal_wide_msi(vm, 0, BIT(i), 0, OTHER_VECTOR), EINVAL);
	TEST_ASSERT_EQ(signal_wide_msi(vm, 0, 0, 0, TDX_IRQ_VECTOR), 1);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][OTHER_VECTOR], 0);
}

TEST_F(x2apic_api, logical_destination)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);

	vm_enable_cap(self->td.vm, KVM_CAP_X2APIC_API, BOTH);
	vcpu_run_to_sync(vcpu, 0);
	TEST_ASSERT_EQ(signal_wide_msi(self->td.vm, BIT(0), 0, MSI_LOGICAL, TDX_IRQ_VECTOR), 1);
	vcpu_run_to_done(vcpu);
}

static struct kvm_irq_routing *route_with_low_bits(void)
{
	struct kvm_irq_routing *routing = kvm_gsi_routing_create();

	tdx_route_msi(routing, TDX_IRQ_GSI, OTHER_VECTOR);
	routing->entries[0].u.msi.address_hi = 1;
	return routing;
}

TEST_F(x2apic_api, route_with_low_bits)
{
	struct kvm_irq_level level = { .irq = TDX_IRQ_GSI, .level = 1 };
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct kvm_vm *vm = self->td.vm;

	/* A route that is there already leads nowhere. */
	kvm_gsi_routing_write(vm, route_with_low_bits());
	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS);
	vcpu_run_to_sync(vcpu, 0);
	__vm_ioctl(vm, KVM_IRQ_LINE, &level);
	TEST_ASSERT_FAILS(_kvm_gsi_routing_write(vm, route_with_low_bits()), EINVAL);

	tdx_signal_msi(vm, 0, TDX_IRQ_VECTOR);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][OTHER_VECTOR], 0);
}

/* Two vCPUs. */

static bool launch_two(struct tdx_irq_td *td, void *guest_a, void *guest_b)
{
	if (!has_two_cpus(td->vm))
		return false;

	tdx_vm_launch_two(td->vm, td->vcpu, guest_a, guest_b);
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_sync(td->vcpu[i], 0);
	return true;
}

static void run_both_to_done(struct tdx_irq_td *td)
{
	for (int i = 0; i < TDX_IRQ_NR_VCPUS; i++)
		vcpu_run_to_done(td->vcpu[i]);
}

TEST_F(x2apic_api, broadcast)
{
	struct kvm_vm *vm = self->td.vm;

	if (!launch_two(&self->td, tdx_guest_one_irq, tdx_guest_one_irq))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_enable_cap(vm, KVM_CAP_X2APIC_API, BOTH);
	assert_found_none(vm, XAPIC_ALL, 0);
	TEST_ASSERT_EQ(signal_wide_msi(vm, X2APIC_ALL, 0, 0, TDX_IRQ_VECTOR),
		       TDX_IRQ_NR_VCPUS);
	run_both_to_done(&self->td);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][OTHER_VECTOR], 0);
}

/* Each flag has its own effect. */
TEST_F(x2apic_api, wide_ids_with_broadcast_quirk)
{
	struct kvm_vm *vm = self->td.vm;

	if (!launch_two(&self->td, tdx_guest_one_irq, tdx_guest_one_irq))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS);
	TEST_ASSERT_EQ(signal_wide_msi(vm, XAPIC_ALL, 0, 0, TDX_IRQ_VECTOR), TDX_IRQ_NR_VCPUS);
	run_both_to_done(&self->td);
}

TEST_F(x2apic_api, narrow_ids_without_broadcast_quirk)
{
	struct kvm_vcpu *vcpu = tdx_irq_td_launch(&self->td, tdx_guest_one_irq);
	struct kvm_vm *vm = self->td.vm;

	vm_enable_cap(vm, KVM_CAP_X2APIC_API, KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
	vcpu_run_to_sync(vcpu, 0);
	assert_found_none(vm, XAPIC_ALL, 0);
	assert_found_none(vm, X2APIC_ALL, 0);
	TEST_ASSERT_EQ(signal_wide_msi(vm, 0x100, 1, 0, TDX_IRQ_VECTOR), 1);
	vcpu_run_to_done(vcpu);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[0][OTHER_VECTOR], 0);
}

/* IPIs: the first two reach nobody, the third both. */
static void guest_send_ipis(void)
{
	tdx_apic_enable();
	GUEST_SYNC(0);
	tdx_send_ipi(XAPIC_ALL, OTHER_VECTOR);
	tdx_send_ipi(0x101, OTHER_VECTOR);
	tdx_send_ipi(X2APIC_ALL, TDX_IRQ_VECTOR);
	tdx_await_irqs(0, TDX_IRQ_VECTOR, 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 1);
	GUEST_DONE();
}

TEST_F(x2apic_api, ipis)
{
	if (!launch_two(&self->td, guest_send_ipis, tdx_guest_one_irq))
		SKIP(return, NEEDS_TWO_CPUS);

	vm_enable_cap(self->td.vm, KVM_CAP_X2APIC_API, BOTH);
	run_both_to_done(&self->td);
	TEST_ASSERT_EQ(self->td.shared->nr_irqs[1][OTHER_VECTOR], 0);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
