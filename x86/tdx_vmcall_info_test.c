// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<GetTdVmCallInfo>: the guest asks which TDVMCALLs are supported.
 *
 * Leaf 0 is about the base TDVMCALLs.  KVM answers with all zeros: they are
 * supported.  Leaf 1 is about the others.  Most of those are implemented by user
 * space, so KVM exits and passes user space's answer to the guest unchanged.  If
 * user space doesn't handle the exit, the answer is that there are none.
 */
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"

#define INFO	TDVMCALL_GET_TD_VM_CALL_INFO

/* The first result, and more in place of the operands. */
#define NR_RESULTS	4

static u64 result(const struct tdvmcall *call, int i)
{
	return i ? tdvmcall_arg(call, i - 1) : tdvmcall_ret(call);
}

static void assert_exit_leaf_1(struct tdx_guest *td)
{
	struct kvm_run *run = td->run;

	TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, INFO);
	TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.leaf, 1);
}

static void start_leaf_1(struct tdx_guest *td)
{
	/* KVM has to write every field. */
	memset(&td->run->tdx, 0xff, sizeof(td->run->tdx));
	tdx_call_start(td, INFO, 1);
	assert_exit_leaf_1(td);
}

static void answer(struct kvm_run *run, u64 ret, u64 first)
{
	run->tdx.get_tdvmcall_info.ret = ret;
	run->tdx.get_tdvmcall_info.r11 = first;
	run->tdx.get_tdvmcall_info.r12 = first + 1;
	run->tdx.get_tdvmcall_info.r13 = first + 2;
	run->tdx.get_tdvmcall_info.r14 = first + 3;
}

static void assert_answered(struct tdvmcall call, u64 ret, u64 first)
{
	TEST_ASSERT_EQ(tdvmcall_status(&call), ret);
	for (int i = 0; i < NR_RESULTS; i++)
		TEST_ASSERT_EQ(result(&call, i), first + i);
}

TDX_GUEST_SUITE(vmcall_info);

TEST_F(vmcall_info, leaf_0_is_all_zeros)
{
	struct tdvmcall call = tdx_call(&self->td, INFO, 0, ~0ull, ~0ull, ~0ull);

	TEST_ASSERT_EQ(tdvmcall_status(&call), TDVMCALL_STATUS_SUCCESS);
	for (int i = 0; i < NR_RESULTS; i++)
		TEST_ASSERT_EQ(result(&call, i), 0ull);
	TEST_ASSERT_EQ(tdvmcall_arg(&call, NR_RESULTS - 1), ~0ull);
}

TEST_F(vmcall_info, leaf_1_is_none_by_default)
{
	struct tdvmcall call;

	start_leaf_1(&self->td);
	call = tdx_call_finish(&self->td);
	TEST_ASSERT_EQ(tdvmcall_status(&call), TDVMCALL_STATUS_SUCCESS);
	for (int i = 0; i < NR_RESULTS; i++)
		TEST_ASSERT_EQ(result(&call, i), 0ull);
}

TEST_F(vmcall_info, leaf_1_answered_by_user_space)
{
	start_leaf_1(&self->td);
	answer(self->td.run, TDVMCALL_STATUS_SUCCESS, 0x123456789abcdef0);
	assert_answered(tdx_call_finish(&self->td), TDVMCALL_STATUS_SUCCESS,
			0x123456789abcdef0);
}

TEST_F(vmcall_info, leaf_1_status_comes_from_user_space)
{
	static const u64 statuses[] = {
		TDVMCALL_STATUS_RETRY, TDVMCALL_STATUS_INVALID_OPERAND,
		TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED, 0x0123456789abcdef, ~0ull,
	};

	for (int i = 0; i < ARRAY_SIZE(statuses); i++) {
		start_leaf_1(&self->td);
		answer(self->td.run, statuses[i], i << 8);
		assert_answered(tdx_call_finish(&self->td), statuses[i], i << 8);
	}
}

TEST_F(vmcall_info, leaf_1_answer_is_not_remembered)
{
	struct kvm_run *run = self->td.run;

	for (int i = 0; i < 2; i++) {
		start_leaf_1(&self->td);
		TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.ret, TDVMCALL_STATUS_SUCCESS);
		TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r11, 0);
		TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r12, 0);
		TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r13, 0);
		TEST_ASSERT_EQ(run->tdx.get_tdvmcall_info.r14, 0);
		answer(run, TDVMCALL_STATUS_RETRY, 1);
		tdx_call_finish(&self->td);
	}
}

TEST_F(vmcall_info, leaf_1_completes_before_signals)
{
	start_leaf_1(&self->td);
	answer(self->td.run, TDVMCALL_STATUS_SUCCESS, 0x100);
	tdx_call_complete(&self->td);
	answer(self->td.run, TDVMCALL_STATUS_RETRY, 0x200);
	assert_answered(tdx_call_finish(&self->td), TDVMCALL_STATUS_SUCCESS, 0x100);
}

TEST_F(vmcall_info, unknown_leaves_refused)
{
	static const u64 leaves[] = {
		2, 3, BIT_ULL(31), BIT_ULL(32), BIT_ULL(32) | 1, BIT_ULL(63), ~0ull,
	};

	for (int i = 0; i < ARRAY_SIZE(leaves); i++) {
		struct tdvmcall call = tdx_call(&self->td, INFO, leaves[i]);

		TEST_ASSERT(tdvmcall_status(&call) == TDVMCALL_STATUS_INVALID_OPERAND,
			    "Leaf 0x%lx: status 0x%lx", (unsigned long)leaves[i],
			    (unsigned long)tdvmcall_status(&call));
	}
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
