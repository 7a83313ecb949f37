// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALLs that KVM doesn't know, and KVM's own hypercalls.
 *
 * KVM has to reject unknown TDVMCALLs as unsupported, so that guests can probe
 * for new ones.  A TDVMCALL whose type isn't zero is not defined by the GHCI: KVM
 * takes it for a hypercall, like VMCALL in 64-bit mode.  The type is the number
 * of the hypercall, and the operands start at the leaf.
 */
#include <linux/kvm_para.h>

#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_irq.h"

/* Operand of hypercalls about memory.  KVM doesn't access it. */
#define GPA		0x200000000ul

#define SOME_VECTOR	0x55

static const u64 known_leaves[] = {
	EXIT_REASON_CPUID, EXIT_REASON_HLT, EXIT_REASON_IO_INSTRUCTION,
	EXIT_REASON_MSR_READ, EXIT_REASON_MSR_WRITE, EXIT_REASON_EPT_VIOLATION,
	TDVMCALL_GET_TD_VM_CALL_INFO, TDVMCALL_MAP_GPA, TDVMCALL_GET_QUOTE,
	TDVMCALL_REPORT_FATAL_ERROR, TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT,
};

static bool is_known_leaf(u64 leaf)
{
	for (int i = 0; i < ARRAY_SIZE(known_leaves); i++)
		if (known_leaves[i] == leaf)
			return true;
	return false;
}

static void assert_unsupported(struct tdx_guest *td, u64 leaf)
{
	u64 status = tdx_call_status(td, leaf, 1, 1, 1, 1);

	TEST_ASSERT(status == TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED,
		    "Leaf 0x%lx: status 0x%lx", (unsigned long)leaf,
		    (unsigned long)status);
}

TDX_GUEST_SUITE(unknown_tdvmcall);

/* Such as WBINVD, PCONFIG, VMCALL and EPT misconfiguration. */
TEST_F(unknown_tdvmcall, exit_reasons_that_are_not_leaves)
{
	for (u64 leaf = 0; leaf < 256; leaf++)
		if (!is_known_leaf(leaf))
			assert_unsupported(&self->td, leaf);
}

/* From 0x10005 on there are services, migration TDs and future extensions. */
TEST_F(unknown_tdvmcall, other_leaves_of_ghci)
{
	for (u64 leaf = 0xfff8; leaf < 0x10020; leaf++)
		if (!is_known_leaf(leaf))
			assert_unsupported(&self->td, leaf);
}

TEST_F(unknown_tdvmcall, leaf_is_not_truncated)
{
	for (int i = 0; i < ARRAY_SIZE(known_leaves); i++) {
		assert_unsupported(&self->td, BIT_ULL(17) | known_leaves[i]);
		assert_unsupported(&self->td, BIT_ULL(31) | known_leaves[i]);
		assert_unsupported(&self->td, BIT_ULL(32) | known_leaves[i]);
		assert_unsupported(&self->td, BIT_ULL(63) | known_leaves[i]);
	}
}

TEST_F(unknown_tdvmcall, all_ones)
{
	assert_unsupported(&self->td, ~0u);
	assert_unsupported(&self->td, ~0ull);
}

static u64 hypercall(struct tdx_guest *td, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	struct tdvmcall call = TDVMCALL_HYPERCALL(nr, a0, a1, a2, a3);

	call = __tdx_call(td, &call);
	return tdvmcall_status(&call);
}

static void start_map_gpa(struct tdx_guest *td, u64 gpa, u64 nr_pages, u64 attrs)
{
	struct tdvmcall call = TDVMCALL_HYPERCALL(KVM_HC_MAP_GPA_RANGE, gpa,
						  nr_pages, attrs);
	struct kvm_run *run = td->run;

	memset(&run->hypercall, 0xff, sizeof(run->hypercall));
	__tdx_call_start(td, &call);
	TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_HYPERCALL);
	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	TEST_ASSERT_EQ(run->hypercall.args[0], gpa);
	TEST_ASSERT_EQ(run->hypercall.args[1], nr_pages);
	TEST_ASSERT_EQ(run->hypercall.args[2], attrs);
	TEST_ASSERT_EQ(run->hypercall.flags, KVM_EXIT_HYPERCALL_LONG_MODE);
	TEST_ASSERT_EQ(run->hypercall.ret, 0);
}

static void set_hypercall_exits(struct tdx_guest *td, u64 mask)
{
	vm_enable_cap(td->vm, KVM_CAP_EXIT_HYPERCALL, mask);
}

TDX_GUEST_SUITE(kvm_hypercall);

TEST_F(kvm_hypercall, unknown_numbers)
{
	static const u64 numbers[] = {
		KVM_HC_MMU_OP, KVM_HC_FEATURES, KVM_HC_PPC_MAP_MAGIC_PAGE,
		KVM_HC_MIPS_GET_CLOCK_FREQ, KVM_HC_MAP_GPA_RANGE + 1,
		TDVMCALL_MAP_GPA, BIT_ULL(31), BIT_ULL(63), ~0ull,
	};

	for (int i = 0; i < ARRAY_SIZE(numbers); i++)
		TEST_ASSERT_EQ(hypercall(&self->td, numbers[i], 1, 1, 1, 1),
			       (u64)-KVM_ENOSYS);
}

TEST_F(kvm_hypercall, number_is_not_truncated)
{
	TEST_ASSERT_EQ(hypercall(&self->td, BIT_ULL(32) | KVM_HC_VAPIC_POLL_IRQ,
				 0, 0, 0, 0), (u64)-KVM_ENOSYS);
	TEST_ASSERT_EQ(hypercall(&self->td, BIT_ULL(63) | KVM_HC_SCHED_YIELD,
				 0, 0, 0, 0), (u64)-KVM_ENOSYS);
}

TEST_F(kvm_hypercall, vapic_poll_irq)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0), 0);
}

/* The register of the leaf is just an operand here. */
TEST_F(kvm_hypercall, leaf_is_ignored)
{
	set_hypercall_exits(&self->td, BIT(KVM_HC_MAP_GPA_RANGE));

	for (int i = 0; i < ARRAY_SIZE(known_leaves); i++) {
		struct tdvmcall sent = TDVMCALL_HYPERCALL(KVM_HC_VAPIC_POLL_IRQ,
							  known_leaves[i], 1, 2, 3, 4);
		struct tdvmcall back = __tdx_call(&self->td, &sent);

		TEST_ASSERT_EQ(tdvmcall_status(&back), 0);
		TEST_ASSERT_EQ(tdvmcall_ret(&back), known_leaves[i]);
		for (int j = 0; j < TDVMCALL_NR_ARGS; j++)
			TEST_ASSERT_EQ(tdvmcall_arg(&back, j), tdvmcall_arg(&sent, j));
	}
}

TEST_F(kvm_hypercall, kick_cpu_ends_halt)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_KICK_CPU, 0, self->td.vcpu->id,
				 0, 0), 0);
	TEST_ASSERT_EQ(tdx_call_status(&self->td, EXIT_REASON_HLT, 0),
		       TDVMCALL_STATUS_SUCCESS);
}

TEST_F(kvm_hypercall, sched_yield)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_SCHED_YIELD, self->td.vcpu->id,
				 0, 0, 0), 0);
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_SCHED_YIELD, ~0ull, 0, 0, 0), 0);
}

TEST_F(kvm_hypercall, clock_pairing_of_unknown_type_refused)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_CLOCK_PAIRING, GPA,
				 KVM_CLOCK_PAIRING_WALLCLOCK + 1, 0, 0),
		       (u64)-KVM_EOPNOTSUPP);
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_CLOCK_PAIRING, GPA,
				 BIT_ULL(32) | KVM_CLOCK_PAIRING_WALLCLOCK, 0, 0),
		       (u64)-KVM_EOPNOTSUPP);
}

TEST_F(kvm_hypercall, send_ipi_to_nobody)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_SEND_IPI, 0, 0, 0, SOME_VECTOR), 0);
}

TEST_F(kvm_hypercall, send_ipi_destination_bits_refused)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_SEND_IPI, 1, 0, 0,
				 APIC_DEST_ALLBUT | SOME_VECTOR), (u64)-KVM_EINVAL);
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_SEND_IPI, 1, 0, 0,
				 APIC_DEST_LOGICAL | SOME_VECTOR), (u64)-KVM_EINVAL);
}

/* The TD's CPUID doesn't have the leaf with these features. */
TEST_F(kvm_hypercall, pv_features_enforced)
{
	struct tdx_guest *td = &self->td;

	vcpu_enable_cap(td->vcpu, KVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1);
	TEST_ASSERT_EQ(hypercall(td, KVM_HC_KICK_CPU, 0, 0, 0, 0), (u64)-KVM_ENOSYS);
	TEST_ASSERT_EQ(hypercall(td, KVM_HC_SEND_IPI, 0, 0, 0, 0), (u64)-KVM_ENOSYS);
	TEST_ASSERT_EQ(hypercall(td, KVM_HC_SCHED_YIELD, 0, 0, 0, 0), (u64)-KVM_ENOSYS);
	TEST_ASSERT_EQ(hypercall(td, KVM_HC_VAPIC_POLL_IRQ, 0, 0, 0, 0), 0);
}

TEST_F(kvm_hypercall, map_gpa_range_exit_not_enabled)
{
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_MAP_GPA_RANGE, GPA, 1,
				 KVM_MAP_GPA_RANGE_ENCRYPTED, 0), (u64)-KVM_ENOSYS);
	TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_MAP_GPA_RANGE, GPA, 0,
				 KVM_MAP_GPA_RANGE_ENCRYPTED, 0), (u64)-KVM_ENOSYS);
}

/* Unlike MapGPA, KVM doesn't treat the shared bit or 2 MiB specially. */
TEST_F(kvm_hypercall, map_gpa_range_passed_unchanged)
{
	struct tdx_guest *td = &self->td;

	set_hypercall_exits(td, BIT(KVM_HC_MAP_GPA_RANGE));
	start_map_gpa(td, GPA, 1, KVM_MAP_GPA_RANGE_ENCRYPTED);
	tdx_call_finish(td);
	start_map_gpa(td, tdx_shared(td, GPA), 4096, KVM_MAP_GPA_RANGE_DECRYPTED);
	tdx_call_finish(td);
	start_map_gpa(td, 0, BIT_ULL(40), ~0ull);
	tdx_call_finish(td);
}

TEST_F(kvm_hypercall, map_gpa_range_bad_ranges_refused)
{
	static const struct {
		u64 gpa, nr_pages;
	} bad[] = {
		{ GPA, 0 },
		{ GPA + 1, 1 },
		{ GPA + PAGE_SIZE - 1, 1 },
		{ GPA, -1ull },
		{ GPA, -(GPA / PAGE_SIZE) },
	};

	set_hypercall_exits(&self->td, BIT(KVM_HC_MAP_GPA_RANGE));
	for (int i = 0; i < ARRAY_SIZE(bad); i++)
		TEST_ASSERT_EQ(hypercall(&self->td, KVM_HC_MAP_GPA_RANGE,
					 bad[i].gpa, bad[i].nr_pages, 0, 0),
			       (u64)-KVM_EINVAL);
}

TEST_F(kvm_hypercall, map_gpa_range_result_passed_unchanged)
{
	static const u64 results[] = {
		0, EAGAIN, EINVAL, -EINVAL, 0xfedcba9876543210, ~0ull,
	};

	set_hypercall_exits(&self->td, BIT(KVM_HC_MAP_GPA_RANGE));
	for (int i = 0; i < ARRAY_SIZE(results); i++) {
		start_map_gpa(&self->td, GPA, 1, 0);
		self->td.run->hypercall.ret = results[i];
		TEST_ASSERT_EQ(tdx_call_finish_status(&self->td), results[i]);
	}
}

TEST_F(kvm_hypercall, map_gpa_range_completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	set_hypercall_exits(td, BIT(KVM_HC_MAP_GPA_RANGE));
	start_map_gpa(td, GPA, 1, 0);
	td->run->hypercall.ret = 1;
	tdx_call_complete(td);
	td->run->hypercall.ret = 2;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), 1);
}

static void guest_send_ipi(void)
{
	struct tdvmcall call = TDVMCALL_HYPERCALL(KVM_HC_SEND_IPI, BIT_ULL(0), 0,
						  0, SOME_VECTOR);

	tdx_apic_enable();
	GUEST_ASSERT_EQ(__tdvmcall(&call), TDX_SUCCESS);
	GUEST_ASSERT_EQ(tdvmcall_status(&call), 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 0);
	sti_nop_cli();
	GUEST_ASSERT_EQ(tdx_sum_irqs(0), 1);
	GUEST_ASSERT_EQ(tdx_nr_irqs(0, SOME_VECTOR), 1);
	GUEST_DONE();
}

TDX_IRQ_SUITE(kvm_hypercall_ipi);

TEST_F(kvm_hypercall_ipi, arrives)
{
	tdx_irq_td_launch(&self->td, guest_send_ipi);
	vcpu_run_to_done(self->td.vcpu[0]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
