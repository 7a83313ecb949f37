// SPDX-License-Identifier: GPL-2.0
/*
 * The registers of a TD's x2APIC that KVM emulates, and the TSC deadline.
 *
 * The CPU virtualizes TPR, PPR, EOI, ISR, TMR, IRR and SELF_IPI in a page that
 * KVM can't access.  For all other registers the guest asks KVM by TDVMCALL, and
 * KVM_GET_MSRS and KVM_SET_MSRS access the same registers.
 */
#include "mce.h"
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"

#define APIC_LVT_RESERVED	BIT_ULL(31)
#define APIC_ICR_RESERVED	BIT_ULL(20)
#define APIC_TDCR_DIV_128	0xa
#define APIC_TDCR_DIV_1		0xb

/* An APIC ID that no vCPU has, where the ICR has the destination. */
#define ICR_TO_NOBODY		(0x00fffffeull << 32)

TDX_MSR_SUITE(x2apic);

static void assert_ids_are_immutable(struct tdx_guest *guest)
{
	static const u32 regs[] = { APIC_ID, APIC_LVR, APIC_LDR };

	TEST_ASSERT_EQ(guest_read_msr(guest, X2APIC_MSR(APIC_ID)), (u64)guest->vcpu->id);
	TEST_ASSERT_EQ(guest_read_msr(guest, X2APIC_MSR(APIC_LDR)), 1ull);
	for (int i = 0; i < ARRAY_SIZE(regs); i++)
		assert_msr_is_immutable(guest, X2APIC_MSR(regs[i]));
}

static void assert_icr_has_64_bits(struct tdx_guest *guest)
{
	const u32 icr = X2APIC_MSR(APIC_ICR);

	guest_write_msr(guest, icr, ICR_TO_NOBODY | APIC_INT_ASSERT | 0x40);
	assert_msr_is(guest, icr, ICR_TO_NOBODY | APIC_INT_ASSERT | 0x40);

	/* KVM clears the busy bit, which an x2APIC doesn't have. */
	guest_write_msr(guest, icr, ICR_TO_NOBODY | APIC_ICR_BUSY | 0x41);
	assert_msr_is(guest, icr, ICR_TO_NOBODY | 0x41);

	assert_msr_rejects(guest, icr, ICR_TO_NOBODY | APIC_ICR_RESERVED | 0x42,
			   "bit 20 is reserved");
}

static void assert_esr_accepts_only_zero(struct tdx_guest *guest)
{
	guest_write_msr(guest, X2APIC_MSR(APIC_ESR), 0);
	assert_msr_is(guest, X2APIC_MSR(APIC_ESR), 0);
	assert_msr_rejects(guest, X2APIC_MSR(APIC_ESR), 1, "not zero");
	assert_msr_rejects(guest, X2APIC_MSR(APIC_ESR), BIT_ULL(32), "not zero");
}

TEST_F(x2apic, ids_icr_and_esr)
{
	assert_ids_are_immutable(&self->td.guest);
	assert_icr_has_64_bits(&self->td.guest);
	assert_esr_accepts_only_zero(&self->td.guest);
}

TEST_F(x2apic, local_vector_table)
{
	static const u32 lvts[] = {
		APIC_LVTT, APIC_LVTTHMR, APIC_LVTPC, APIC_LVT0, APIC_LVT1,
		APIC_LVTERR,
	};
	struct tdx_guest *guest = &self->td.guest;

	/* While the APIC is disabled, every entry is masked. */
	guest_write_msr(guest, X2APIC_MSR(APIC_SPIV), 0xff);
	for (int i = 0; i < ARRAY_SIZE(lvts); i++) {
		guest_write_msr(guest, X2APIC_MSR(lvts[i]), 0x31 + i);
		assert_msr_is(guest, X2APIC_MSR(lvts[i]), APIC_LVT_MASKED | (0x31 + i));
	}

	assert_msr_stores(guest, X2APIC_MSR(APIC_SPIV), 0xff,
			  APIC_SPIV_APIC_ENABLED | 0xff);
	for (int i = 0; i < ARRAY_SIZE(lvts); i++) {
		const u32 msr = X2APIC_MSR(lvts[i]);

		assert_msr_stores(guest, msr, 0x41 + i, APIC_LVT_MASKED | (0x51 + i));
		assert_msr_rejects(guest, msr, BIT_ULL(32) | 0x41, "wider than 32 bits");

		/* KVM clears reserved bits of the lower half. */
		guest_write_msr(guest, msr, APIC_LVT_RESERVED | (0x41 + i));
		assert_msr_is(guest, msr, 0x41 + i);
	}
}

TEST_F(x2apic, lvt_cmci_follows_mcg_cap)
{
	struct tdx_guest *guest = &self->td.guest;
	u64 version;

	if (!(kvm_supported_mce_cap() & MCG_CMCI_P))
		SKIP(return, "this KVM has no CMCI");

	vcpu_set_mce_cap(self->td.vcpu, 4);
	assert_guest_has_no_msr(guest, X2APIC_MSR(APIC_LVTCMCI));
	version = guest_read_msr(guest, X2APIC_MSR(APIC_LVR));

	/* The version register counts the LVT's entries, now one more. */
	vcpu_set_mce_cap(self->td.vcpu, MCG_CMCI_P | 4);
	assert_msr_stores(guest, X2APIC_MSR(APIC_LVTCMCI), APIC_LVT_MASKED | 0x31,
			  APIC_LVT_MASKED | 0x41);
	assert_msr_is(guest, X2APIC_MSR(APIC_LVR), version + BIT(16));
}

TEST_F(x2apic, timer)
{
	struct tdx_guest *guest = &self->td.guest;
	u64 left;

	guest_write_msr(guest, X2APIC_MSR(APIC_LVTT), APIC_LVT_MASKED | 0x40);
	assert_msr_stores(guest, X2APIC_MSR(APIC_TDCR), APIC_TDCR_DIV_1, APIC_TDCR_DIV_128);

	/* Only bits 0, 1 and 3 exist. */
	guest_write_msr(guest, X2APIC_MSR(APIC_TDCR), 0xfffffff4);
	assert_msr_is(guest, X2APIC_MSR(APIC_TDCR), 0);

	/* Slow enough for the current count not to reach zero. */
	guest_write_msr(guest, X2APIC_MSR(APIC_TDCR), APIC_TDCR_DIV_128);
	assert_msr_rejects(guest, X2APIC_MSR(APIC_TMICT), BIT_ULL(32), "wider than 32 bits");
	guest_write_msr(guest, X2APIC_MSR(APIC_TMICT), 0xfffffff0);
	assert_msr_is(guest, X2APIC_MSR(APIC_TMICT), 0xfffffff0);

	left = guest_read_msr(guest, X2APIC_MSR(APIC_TMCCT));
	TEST_ASSERT(left <= 0xfffffff0, "The timer counts down from 0x%lx",
		    (unsigned long)left);
	assert_guest_write_fails(guest, X2APIC_MSR(APIC_TMCCT), left);

	guest_write_msr(guest, X2APIC_MSR(APIC_TMICT), 0);
	assert_msr_is(guest, X2APIC_MSR(APIC_TMCCT), 0);
}

TEST_F(x2apic, tsc_deadline_has_64_bits)
{
	const u32 mode = APIC_LVT_MASKED | APIC_LVT_TIMER_TSCDEADLINE | 0x40;
	struct tdx_guest *guest = &self->td.guest;
	u64 deadline = tdx_msr_far_deadline();

	if (!vcpu_cpuid_has(self->td.vcpu, X86_FEATURE_TSC_DEADLINE_TIMER))
		SKIP(return, "the TD has no TSC deadline timer");

	/* In the timer's other modes the MSR ignores writes. */
	guest_write_msr(guest, MSR_IA32_TSC_DEADLINE, deadline);
	assert_msr_is(guest, MSR_IA32_TSC_DEADLINE, 0);

	guest_write_msr(guest, X2APIC_MSR(APIC_LVTT), mode);
	assert_msr_stores(guest, MSR_IA32_TSC_DEADLINE, deadline,
			  deadline ^ 0x12345678);
	guest_write_msr(guest, MSR_IA32_TSC_DEADLINE, 0);
	assert_msr_is(guest, MSR_IA32_TSC_DEADLINE, 0);
}

/* Those that the CPU virtualizes, and those that an x2APIC doesn't have. */
TEST_F(x2apic, other_registers)
{
	for (u32 reg = 0; reg < 0x1000; reg += 0x10) {
		switch (reg) {
		case APIC_ID:
		case APIC_LVR:
		case APIC_LDR:
		case APIC_SPIV:
		case APIC_ESR:
		case APIC_LVTCMCI:
		case APIC_ICR:
		case APIC_LVTT ... APIC_LVTERR:
		case APIC_TMICT:
		case APIC_TMCCT:
		case APIC_TDCR:
			break;
		default:
			assert_guest_has_no_msr(&self->td.guest, X2APIC_MSR(reg));
			break;
		}
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
