// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<ReportFatalError> reaches user space unchanged.
 *
 * KVM dumps the guest's registers into KVM_EXIT_SYSTEM_EVENT and leaves their
 * meaning to user space.  According to the GHCI they hold an error code, whose
 * bit 63 says that a GPA follows, and a message of 64 bytes.  KVM doesn't
 * interpret any of that, so it must pass on what the GHCI forbids, too.  The
 * report doesn't end the vCPU: if user space runs it again, the guest returns
 * from the TDVMCALL with all its operands as they were.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* Index of the operand between the error code and eight words of message. */
#define GPA		1

/* Below the shared bit of any TD, and not in a memslot. */
#define SOME_GPA	0x200000000ul

static struct tdvmcall report;

static void guest_report(const struct tdvmcall *sent)
{
	struct tdvmcall call = *sent;

	GUEST_ASSERT_EQ(__tdvmcall(&call), TDX_SUCCESS);
	GUEST_ASSERT_EQ(call.reg[TDVMCALL_MASK], TDVMCALL_MASK_ALL);
	GUEST_ASSERT_EQ(call.reg[TDVMCALL_STATUS], TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(call.reg[TDVMCALL_RET], TDVMCALL_REPORT_FATAL_ERROR);
	for (int i = 0; i < TDVMCALL_NR_ARGS; i++)
		GUEST_ASSERT_EQ(tdvmcall_arg(&call, i), tdvmcall_arg(sent, i));
}

static void expect_report(struct kvm_vcpu *vcpu, const struct tdvmcall *sent)
{
	struct kvm_run *run = vcpu->run;
	struct tdvmcall seen;
	struct ucall uc;

	TEST_ASSERT_EQ(vcpu_run_to_ucall(vcpu, &uc), UCALL_NONE);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_SYSTEM_EVENT);
	TEST_ASSERT_EQ(run->system_event.type, KVM_SYSTEM_EVENT_TDX_FATAL);
	TEST_ASSERT_EQ(run->system_event.ndata, NR_GPRS);

	seen = tdvmcall_of_system_event(run);
	TEST_ASSERT_EQ(seen.reg[TDVMCALL_MASK], TDVMCALL_MASK_ALL);
	TEST_ASSERT_EQ(seen.reg[TDVMCALL_TYPE], 0ull);
	TEST_ASSERT_EQ(seen.reg[TDVMCALL_LEAF], TDVMCALL_REPORT_FATAL_ERROR);
	for (int i = 0; i < TDVMCALL_NR_ARGS; i++)
		TEST_ASSERT(tdvmcall_arg(&seen, i) == tdvmcall_arg(sent, i),
			    "Operand %d: guest sent 0x%lx, host sees 0x%lx", i,
			    (unsigned long)tdvmcall_arg(sent, i),
			    (unsigned long)tdvmcall_arg(&seen, i));

	/*
	 * Registers that the guest can't expose: KVM has the exit reason in
	 * RAX, and doesn't know the stack pointers.
	 */
	TEST_ASSERT_EQ((u16)seen.reg[GPR_RAX], EXIT_REASON_TDCALL);
	TEST_ASSERT_EQ(seen.reg[GPR_RSP], 0ull);
	TEST_ASSERT_EQ(seen.reg[GPR_RBP], 0ull);
}

FIXTURE(report_fatal_error) {
	struct kvm_vcpu *vcpu;
};

FIXTURE_VARIANT(report_fatal_error) {
	u64 arg[TDVMCALL_NR_ARGS];
	bool shared_gpa;
};

FIXTURE_VARIANT_ADD(report_fatal_error, all_zeros) { };

FIXTURE_VARIANT_ADD(report_fatal_error, all_ones) {
	.arg = { [0 ... TDVMCALL_NR_ARGS - 1] = ~0ull },
};

FIXTURE_VARIANT_ADD(report_fatal_error, all_distinct) {
	.arg = {
		0x0011223344556677, 0x1122334455667788, 0x2233445566778899,
		0x33445566778899aa, 0x445566778899aabb, 0x5566778899aabbcc,
		0x66778899aabbccdd, 0x778899aabbccddee, 0x8899aabbccddeeff,
		0x99aabbccddeeff00,
	},
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_valid_private) {
	.arg = { TDVMCALL_FATAL_GPA_VALID | 1, SOME_GPA },
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_valid_shared) {
	.arg = { TDVMCALL_FATAL_GPA_VALID | 1, SOME_GPA },
	.shared_gpa = true,
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_valid_zero) {
	.arg = { TDVMCALL_FATAL_GPA_VALID },
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_valid_unaligned) {
	.arg = { TDVMCALL_FATAL_GPA_VALID | 1, SOME_GPA + 0x123 },
	.shared_gpa = true,
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_valid_absurd) {
	.arg = { TDVMCALL_FATAL_GPA_VALID | 1, ~0ull },
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_not_valid_private) {
	.arg = { 1, SOME_GPA },
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_not_valid_shared) {
	.arg = { 1, SOME_GPA },
	.shared_gpa = true,
};

FIXTURE_VARIANT_ADD(report_fatal_error, gpa_not_valid_absurd) {
	.arg = { 1, ~0ull },
};

static void guest_report_global(void)
{
	guest_report(&report);
	GUEST_DONE();
}

FIXTURE_SETUP(report_fatal_error)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);

	report = TDVMCALL(TDVMCALL_REPORT_FATAL_ERROR);
	for (int i = 0; i < TDVMCALL_NR_ARGS; i++)
		tdvmcall_arg(&report, i) = variant->arg[i];
	if (variant->shared_gpa)
		tdvmcall_arg(&report, GPA) |= vm->arch.s_bit;

	self->vcpu = vm_vcpu_add(vm, 0, guest_report_global);
	sync_global_to_guest(vm, report);
	tdx_vm_finalize(vm);
}

FIXTURE_TEARDOWN(report_fatal_error)
{
	kvm_vm_free(self->vcpu->vm);
}

TEST_F(report_fatal_error, passed_unchanged)
{
	expect_report(self->vcpu, &report);
	vcpu_run_to_done(self->vcpu);
}

/* Only operand @i is set, to a value that depends on @i.  For guest and host. */
static struct tdvmcall only_operand(int i)
{
	struct tdvmcall call = TDVMCALL(TDVMCALL_REPORT_FATAL_ERROR);

	tdvmcall_arg(&call, i) = 0xa5a5a5a5a5a5a500ull + i;
	return call;
}

static void guest_each_operand(void)
{
	for (int i = 0; i < TDVMCALL_NR_ARGS; i++) {
		struct tdvmcall call = only_operand(i);

		guest_report(&call);
	}

	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(report_fatal_error_operands);

KVM_ONE_VCPU_TD_TEST(report_fatal_error_operands, each_alone, guest_each_operand)
{
	for (int i = 0; i < TDVMCALL_NR_ARGS; i++) {
		struct tdvmcall call = only_operand(i);

		expect_report(vcpu, &call);
	}

	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
