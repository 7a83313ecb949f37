// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<GetQuote>: the guest asks user space to sign a report.
 *
 * The report is in a buffer in shared memory.  KVM removes the shared bit from
 * the buffer's GPA, and so has to refuse private memory: user space couldn't
 * tell the difference.  Otherwise KVM passes GPA and size to user space without
 * checks, even if the buffer is empty or not aligned, and user space's status to
 * the guest.  If user space doesn't handle the exit, the status is
 * "unsupported".
 */
#include <linux/sizes.h>

#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"

#define GET_QUOTE	TDVMCALL_GET_QUOTE

/* Not in a memslot; KVM doesn't access the buffer. */
#define GPA		0x200000000ul

static void assert_exit(struct tdx_guest *td, u64 gpa, u64 size)
{
	struct kvm_run *run = td->run;

	TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.flags, 0);
	TEST_ASSERT_EQ(run->tdx.nr, GET_QUOTE);
	TEST_ASSERT_EQ(run->tdx.get_quote.gpa, gpa);
	TEST_ASSERT_EQ(run->tdx.get_quote.size, size);
}

static void start(struct tdx_guest *td, u64 gpa, u64 size)
{
	/* KVM has to write every field. */
	memset(&td->run->tdx, 0xff, sizeof(td->run->tdx));
	tdx_call_start(td, GET_QUOTE, tdx_shared(td, gpa), size);
	assert_exit(td, gpa, size);
}

static void finish(struct tdx_guest *td, u64 status)
{
	td->run->tdx.get_quote.ret = status;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), status);
}

TDX_GUEST_SUITE(get_quote);

TEST_F(get_quote, exit_has_gpa_without_shared_bit)
{
	start(&self->td, GPA, PAGE_SIZE);
	finish(&self->td, TDVMCALL_STATUS_SUCCESS);
}

TEST_F(get_quote, unsupported_by_default)
{
	start(&self->td, GPA, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_call_finish_status(&self->td),
		       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

TEST_F(get_quote, status_comes_from_user_space)
{
	static const u64 statuses[] = {
		TDVMCALL_STATUS_RETRY, TDVMCALL_STATUS_INVALID_OPERAND,
		TDVMCALL_STATUS_ALIGN_ERROR, 0x0123456789abcdef, ~0ull,
		TDVMCALL_STATUS_SUCCESS,
	};

	for (int i = 0; i < ARRAY_SIZE(statuses); i++) {
		start(&self->td, GPA, PAGE_SIZE);
		finish(&self->td, statuses[i]);
	}
}

TEST_F(get_quote, status_is_not_remembered)
{
	for (int i = 0; i < 2; i++) {
		start(&self->td, GPA, PAGE_SIZE);
		TEST_ASSERT_EQ(self->td.run->tdx.get_quote.ret,
			       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
		finish(&self->td, TDVMCALL_STATUS_SUCCESS);
	}
}

TEST_F(get_quote, completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	start(td, GPA, PAGE_SIZE);
	td->run->tdx.get_quote.ret = TDVMCALL_STATUS_SUCCESS;
	tdx_call_complete(td);
	td->run->tdx.get_quote.ret = TDVMCALL_STATUS_RETRY;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(get_quote, private_buffer_refused)
{
	const u64 gpas[] = { 0, GPA, self->td.vm->arch.s_bit - PAGE_SIZE };

	for (int i = 0; i < ARRAY_SIZE(gpas); i++)
		TEST_ASSERT_EQ(tdx_call_status(&self->td, GET_QUOTE, gpas[i], PAGE_SIZE),
			       TDVMCALL_STATUS_INVALID_OPERAND);
}

TEST_F(get_quote, size_passed_unchanged)
{
	static const u64 sizes[] = {
		0, 1, PAGE_SIZE - 1, PAGE_SIZE + 1, SZ_2M, BIT_ULL(32) | PAGE_SIZE,
	};

	for (int i = 0; i < ARRAY_SIZE(sizes); i++) {
		start(&self->td, GPA, sizes[i]);
		finish(&self->td, TDVMCALL_STATUS_ALIGN_ERROR);
	}
}

TEST_F(get_quote, gpa_passed_unchanged)
{
	const u64 gpas[] = {
		0, 1, GPA + 0x123, GPA + PAGE_SIZE - 1,
		self->td.vm->arch.s_bit - PAGE_SIZE,
	};

	for (int i = 0; i < ARRAY_SIZE(gpas); i++) {
		start(&self->td, gpas[i], PAGE_SIZE);
		finish(&self->td, TDVMCALL_STATUS_ALIGN_ERROR);
	}
}

/* For MapGPA and MMIO, KVM checks the end as well. */
TEST_F(get_quote, end_has_to_be_shared)
{
	struct tdx_guest *td = &self->td;
	u64 gpa = td->vm->arch.s_bit - PAGE_SIZE, size = 2 * PAGE_SIZE;

	if (tdx_call_exits(td, GET_QUOTE, tdx_shared(td, gpa), size)) {
		assert_exit(td, gpa, size);
		XFAIL(return, "KVM passes on a buffer whose end is not shared");
	}
	TEST_ASSERT_EQ(tdvmcall_status(&td->req->call), TDVMCALL_STATUS_INVALID_OPERAND);
}

/* Writes "r" for the report, and wants "q" for the quote back. */
static void guest_quote(u8 *buf, u64 gpa)
{
	memset(buf, 'r', PAGE_SIZE);
	GUEST_ASSERT_EQ(tdvmcall(GET_QUOTE, gpa | tdx_s_bit, PAGE_SIZE),
			TDVMCALL_STATUS_SUCCESS);
	for (int i = 0; i < PAGE_SIZE; i++)
		GUEST_ASSERT_EQ(buf[i], 'q');
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(get_quote_buffer);

TEST_F(get_quote_buffer, found_at_reported_gpa)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_quote);
	struct kvm_run *run = vcpu->run;
	u8 *buf;
	gva_t gva = tdx_alloc_shared(vm, PAGE_SIZE, &buf);

	vcpu_args_set(vcpu, 2, gva, addr_gva2gpa(vm, gva));
	tdx_vm_finalize(vm);
	self->vcpu = vcpu;

	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_TDX);
	TEST_ASSERT_EQ(run->tdx.nr, GET_QUOTE);
	TEST_ASSERT_EQ(addr_gpa2hva(vm, run->tdx.get_quote.gpa), (void *)buf);
	for (int i = 0; i < PAGE_SIZE; i++)
		TEST_ASSERT_EQ(buf[i], 'r');
	memset(buf, 'q', PAGE_SIZE);
	run->tdx.get_quote.ret = TDVMCALL_STATUS_SUCCESS;

	vcpu_run_to_done(vcpu);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
