// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_EXIT_X86_RDMSR and KVM_EXIT_X86_WRMSR: user space handles a TD's MSR
 * accesses that KVM would let fail.
 *
 * User space chooses by KVM_CAP_X86_USER_SPACE_MSR which failures exit: accesses
 * that its filter denies, MSRs that KVM doesn't know, values that KVM rejects.
 * All 64 bits of a value have to pass in either direction, and user space's error
 * has to be the status of the guest's TDVMCALL.
 */
#include "tdx/tdx_msr.h"
#include "tdx/tdx_test_harness.h"

TDX_MSR_SUITE(msr_exits);

static void enable_exits(struct kvm_vm *vm, u64 reasons)
{
	vm_enable_cap(vm, KVM_CAP_X86_USER_SPACE_MSR, reasons);
}

/* Deny the guest any access to MSR_IA32_POWER_CTL. */
static void deny_power_ctl(struct kvm_vm *vm)
{
	u8 denied = 0;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.base = MSR_IA32_POWER_CTL, .nmsrs = 1, .bitmap = &denied,
		},
	};

	vm_ioctl(vm, KVM_X86_SET_MSR_FILTER, &filter);
}

static void assert_msr_exit(struct kvm_vcpu *vcpu, u32 exit_reason, u32 msr,
			    u64 data, u32 reason)
{
	static const u8 zeroes[sizeof(vcpu->run->msr.pad)];
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, exit_reason);
	TEST_ASSERT_EQ(run->msr.index, msr);
	TEST_ASSERT_EQ(run->msr.data, data);
	TEST_ASSERT_EQ(run->msr.reason, reason);
	TEST_ASSERT_EQ(run->msr.error, 0);
	TEST_ASSERT(!memcmp(run->msr.pad, zeroes, sizeof(zeroes)), "Padding is not zero");
}

/* Run the guest's access up to its exit, which has to overwrite run->msr. */
static void run_to_msr_exit(struct tdx_guest *guest, struct tdvmcall call)
{
	memset(&guest->vcpu->run->msr, 0xff, sizeof(guest->vcpu->run->msr));
	tdx_guest_post_call(guest, call);
	vcpu_run(guest->vcpu);
}

static void read_exits(struct tdx_guest *guest, u32 msr, u32 reason)
{
	run_to_msr_exit(guest, TDVMCALL(EXIT_REASON_MSR_READ, msr));
	assert_msr_exit(guest->vcpu, KVM_EXIT_X86_RDMSR, msr, 0, reason);
}

static void write_exits(struct tdx_guest *guest, u32 msr, u64 val, u32 reason)
{
	run_to_msr_exit(guest, TDVMCALL(EXIT_REASON_MSR_WRITE, msr, val));
	assert_msr_exit(guest->vcpu, KVM_EXIT_X86_WRMSR, msr, val, reason);
}

/* Let the guest have the outcome.  Returns the status that it gets. */
static u64 complete(struct tdx_guest *guest, u64 *val)
{
	tdx_guest_finish(guest);
	return tdx_call_result(guest, val);
}

static void assert_user_space_provides_value(struct tdx_guest *guest)
{
	u64 val;

	guest_write_msr(guest, MSR_IA32_POWER_CTL, ~MSR_TEST_VALUE);
	enable_exits(guest->vcpu->vm, KVM_MSR_EXIT_REASON_FILTER);
	deny_power_ctl(guest->vcpu->vm);

	read_exits(guest, MSR_IA32_POWER_CTL, KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.data = MSR_TEST_VALUE;
	TEST_ASSERT_EQ(complete(guest, &val), TDVMCALL_STATUS_SUCCESS);
	TEST_ASSERT_EQ(val, MSR_TEST_VALUE);

	/* KVM's own value is unaffected. */
	assert_host_reads(guest, MSR_IA32_POWER_CTL, ~MSR_TEST_VALUE);
}

static void assert_user_space_fails_read(struct tdx_guest *guest)
{
	u64 val;

	read_exits(guest, MSR_IA32_POWER_CTL, KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.data = MSR_TEST_VALUE;
	guest->vcpu->run->msr.error = 1;
	TEST_ASSERT_EQ(complete(guest, &val), TDVMCALL_STATUS_INVALID_OPERAND);
	TEST_ASSERT(val != MSR_TEST_VALUE, "The guest got the value of a failed read");
}

TEST_F(msr_exits, denied_read)
{
	assert_user_space_provides_value(&self->td.guest);
	assert_user_space_fails_read(&self->td.guest);
}

static void assert_user_space_gets_value(struct tdx_guest *guest)
{
	u64 before = guest_read_msr(guest, MSR_IA32_POWER_CTL);

	enable_exits(guest->vcpu->vm, KVM_MSR_EXIT_REASON_FILTER);
	deny_power_ctl(guest->vcpu->vm);

	write_exits(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE,
		    KVM_MSR_EXIT_REASON_FILTER);
	TEST_ASSERT_EQ(complete(guest, NULL), TDVMCALL_STATUS_SUCCESS);
	assert_host_reads(guest, MSR_IA32_POWER_CTL, before);
}

static void assert_user_space_fails_write(struct tdx_guest *guest)
{
	write_exits(guest, MSR_IA32_POWER_CTL, MSR_TEST_VALUE,
		    KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.error = 1;
	TEST_ASSERT_EQ(complete(guest, NULL), TDVMCALL_STATUS_INVALID_OPERAND);
}

static void assert_error_is_per_exit(struct tdx_guest *guest)
{
	write_exits(guest, MSR_IA32_POWER_CTL, 1, KVM_MSR_EXIT_REASON_FILTER);
	guest->vcpu->run->msr.error = 1;
	tdx_guest_finish(guest);

	/* write_exits() asserts that the error is zero again. */
	write_exits(guest, MSR_IA32_POWER_CTL, 2, KVM_MSR_EXIT_REASON_FILTER);
	TEST_ASSERT_EQ(complete(guest, NULL), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(msr_exits, denied_write)
{
	assert_user_space_gets_value(&self->td.guest);
	assert_user_space_fails_write(&self->td.guest);
	assert_error_is_per_exit(&self->td.guest);
}

TEST_F(msr_exits, invalid_value)
{
	struct tdx_guest *guest = &self->td.guest;

	enable_exits(self->td.vm, KVM_MSR_EXIT_REASON_INVAL);
	write_exits(guest, MSR_IA32_CR_PAT, 2, KVM_MSR_EXIT_REASON_INVAL);
	TEST_ASSERT_EQ(complete(guest, NULL), TDVMCALL_STATUS_SUCCESS);

	write_exits(guest, MSR_EFER, 0, KVM_MSR_EXIT_REASON_INVAL);
	TEST_ASSERT_EQ(complete(guest, NULL), TDVMCALL_STATUS_SUCCESS);

	/* An access that succeeds doesn't exit. */
	assert_msr_stores(guest, MSR_IA32_CR_PAT, 0, 0x0007040600070406);
}

/* The guest can read MCG_CAP, but KVM has no code for writing it. */
TEST_F(msr_exits, unknown_write)
{
	struct tdx_guest *guest = &self->td.guest;

	enable_exits(self->td.vm, KVM_MSR_EXIT_REASON_UNKNOWN);
	write_exits(guest, MSR_IA32_MCG_CAP, MSR_TEST_VALUE,
		    KVM_MSR_EXIT_REASON_UNKNOWN);
	TEST_ASSERT_EQ(complete(guest, NULL), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(msr_exits, unknown_msr)
{
	struct tdx_guest *guest = &self->td.guest;
	u32 reason;

	enable_exits(self->td.vm, KVM_MSR_EXIT_REASON_UNKNOWN |
				  KVM_MSR_EXIT_REASON_INVAL);
	run_to_msr_exit(guest, TDVMCALL(EXIT_REASON_MSR_READ, MSR_UNKNOWN));
	reason = self->td.vcpu->run->msr.reason;
	assert_msr_exit(self->td.vcpu, KVM_EXIT_X86_RDMSR, MSR_UNKNOWN, 0, reason);

	if (reason == KVM_MSR_EXIT_REASON_INVAL)
		XFAIL(return, "KVM says that an MSR is invalid that it doesn't know");
	TEST_ASSERT_EQ(reason, KVM_MSR_EXIT_REASON_UNKNOWN);
}

TEST_F(msr_exits, user_space_emulates)
{
	struct tdx_guest *guest = &self->td.guest;
	struct kvm_run *run = self->td.vcpu->run;
	u64 val;

	/* unknown_msr tests which of the two reasons KVM gives. */
	enable_exits(self->td.vm, KVM_MSR_EXIT_REASON_UNKNOWN |
				  KVM_MSR_EXIT_REASON_INVAL);
	for (int i = 0; i < nr_tdx_msrs_not_emulated; i++) {
		u32 msr = tdx_msrs_not_emulated[i];

		run_to_msr_exit(guest, TDVMCALL(EXIT_REASON_MSR_READ, msr));
		assert_msr_exit(self->td.vcpu, KVM_EXIT_X86_RDMSR, msr, 0,
				run->msr.reason);
		run->msr.data = MSR_TEST_VALUE + i;
		TEST_ASSERT_EQ(complete(guest, &val), TDVMCALL_STATUS_SUCCESS);
		TEST_ASSERT_EQ(val, MSR_TEST_VALUE + i);
	}
}

TEST_F(msr_exits, enabled_reasons_only)
{
	struct tdx_guest *guest = &self->td.guest;

	enable_exits(self->td.vm, KVM_MSR_EXIT_REASON_UNKNOWN |
				  KVM_MSR_EXIT_REASON_INVAL);
	deny_power_ctl(self->td.vm);
	assert_guest_has_no_msr(guest, MSR_IA32_POWER_CTL);

	enable_exits(self->td.vm, KVM_MSR_EXIT_REASON_FILTER);
	assert_guest_has_no_msr(guest, MSR_IA32_TSC);
	assert_guest_cannot_change(guest, MSR_IA32_CR_PAT, 2);

	enable_exits(self->td.vm, 0);
	assert_guest_has_no_msr(guest, MSR_IA32_POWER_CTL);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
