// SPDX-License-Identifier: GPL-2.0
/*
 * TDVMCALL<MapGPA>: the guest asks to convert a range to private or shared.
 *
 * KVM checks the range and forwards it to user space as a KVM_HC_MAP_GPA_RANGE
 * hypercall, if user space has enabled that exit.  It does so 2 MiB at a time,
 * and returns to the guest early if an interrupt is pending.  The guest gives the
 * kind of memory in the GPA's shared bit, user space gets it as an argument.  On
 * an error the guest also gets the GPA at which KVM stopped.
 */
#include <linux/sizes.h>

#include "apic.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"

#define MAP_GPA		TDVMCALL_MAP_GPA
#define CHUNK		((u64)SZ_2M)

/* Not in a memslot, and GPA is not 2 MiB aligned; KVM doesn't care. */
#define GPA_2M		0x200000000ul
#define GPA		(GPA_2M + PAGE_SIZE)

#define SOME_VECTOR	0x55

#define DATA_SLOT	10
#define DATA_GPA	GPA_2M
#define DATA_GVA	0x800000000ul

static void set_hypercall_exits(struct tdx_guest *td, u64 mask)
{
	vm_enable_cap(td->vm, KVM_CAP_EXIT_HYPERCALL, mask);
}

static void assert_chunk(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size, bool private)
{
	struct kvm_run *run = vcpu->run;

	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_HYPERCALL);
	TEST_ASSERT_EQ(run->hypercall.nr, KVM_HC_MAP_GPA_RANGE);
	TEST_ASSERT_EQ(run->hypercall.args[0], gpa);
	TEST_ASSERT_EQ(run->hypercall.args[1], size / PAGE_SIZE);
	TEST_ASSERT_EQ(run->hypercall.args[2],
		       KVM_MAP_GPA_RANGE_PAGE_SZ_4K |
		       (private ? KVM_MAP_GPA_RANGE_ENCRYPTED :
				  KVM_MAP_GPA_RANGE_DECRYPTED));
	TEST_ASSERT_EQ(run->hypercall.flags, KVM_EXIT_HYPERCALL_LONG_MODE);
	TEST_ASSERT_EQ(run->hypercall.ret, 0);
}

/* So that stale values of the last exit can't pass for new ones. */
static void scribble(struct tdx_guest *td)
{
	memset(&td->run->hypercall, 0xff, sizeof(td->run->hypercall));
}

/* Start a conversion to shared.  Returns at the exit for the first chunk. */
static void start(struct tdx_guest *td, gpa_t gpa, u64 size)
{
	scribble(td);
	tdx_call_start(td, MAP_GPA, tdx_shared(td, gpa), size);
	assert_chunk(td->vcpu, gpa, min(size, CHUNK), false);
}

/* Continue to the exit for the chunk at @gpa. */
static void next_chunk(struct tdx_guest *td, gpa_t gpa, u64 size)
{
	scribble(td);
	td->run->hypercall.ret = 0;
	vcpu_run(td->vcpu);
	assert_chunk(td->vcpu, gpa, size, false);
}

static void finish(struct tdx_guest *td, u64 ret, u64 status)
{
	td->run->hypercall.ret = ret;
	TEST_ASSERT_EQ(tdx_call_finish_status(td), status);
}

/* Convert the whole range, chunk by chunk. */
static void map(struct tdx_guest *td, gpa_t gpa, u64 size)
{
	start(td, gpa, size);
	for (u64 done = CHUNK; done < size; done += CHUNK)
		next_chunk(td, gpa + done, min(size - done, CHUNK));
	finish(td, 0, TDVMCALL_STATUS_SUCCESS);
}

static void assert_refused(struct tdx_guest *td, u64 gpa, u64 size, u64 status)
{
	struct tdvmcall call = tdx_call(td, MAP_GPA, gpa, size);

	TEST_ASSERT(tdvmcall_status(&call) == status &&
		    tdvmcall_ret(&call) == gpa,
		    "GPA 0x%lx, size 0x%lx: status 0x%lx (wanted 0x%lx) at 0x%lx",
		    (unsigned long)gpa, (unsigned long)size,
		    (unsigned long)tdvmcall_status(&call), (unsigned long)status,
		    (unsigned long)tdvmcall_ret(&call));
}

static void assert_invalid(struct tdx_guest *td, u64 gpa, u64 size)
{
	assert_refused(td, gpa, size, TDVMCALL_STATUS_INVALID_OPERAND);
}

/* The first GPA beyond the vCPU's MAXPHYADDR. */
static gpa_t end_of_gpas(struct tdx_guest *td)
{
	return BIT_ULL(vcpu_get_cpuid_entry(td->vcpu, 0x80000008)->eax & 0xff);
}

/* No case looks at the NMI's delivery. */
static void guest_nmi(struct ex_regs *regs)
{
}

TDX_GUEST_FIXTURE(map_gpa)

FIXTURE_SETUP(map_gpa)
{
	tdx_guest_create(&self->td);
	vm_install_exception_handler(self->td.vm, NMI_VECTOR, guest_nmi);
	set_hypercall_exits(&self->td, BIT(KVM_HC_MAP_GPA_RANGE));
	tdx_vm_finalize(self->td.vm);
}

TEST_F(map_gpa, to_shared)
{
	tdx_call_start(&self->td, MAP_GPA, tdx_shared(&self->td, GPA), PAGE_SIZE);
	assert_chunk(self->td.vcpu, GPA, PAGE_SIZE, false);
	finish(&self->td, 0, TDVMCALL_STATUS_SUCCESS);
}

TEST_F(map_gpa, to_private)
{
	tdx_call_start(&self->td, MAP_GPA, GPA, PAGE_SIZE);
	assert_chunk(self->td.vcpu, GPA, PAGE_SIZE, true);
	finish(&self->td, 0, TDVMCALL_STATUS_SUCCESS);
}

/* The limits of private GPAs, and of shared GPAs. */
TEST_F(map_gpa, first_and_last_page)
{
	struct tdx_guest *td = &self->td;
	const gpa_t gpas[] = { 0, td->vm->arch.s_bit - PAGE_SIZE };

	for (int i = 0; i < ARRAY_SIZE(gpas); i++) {
		map(td, gpas[i], PAGE_SIZE);
		tdx_call_start(td, MAP_GPA, gpas[i], PAGE_SIZE);
		assert_chunk(td->vcpu, gpas[i], PAGE_SIZE, true);
		finish(td, 0, TDVMCALL_STATUS_SUCCESS);
	}
}

TEST_F(map_gpa, success_by_default)
{
	start(&self->td, GPA, PAGE_SIZE);
	TEST_ASSERT_EQ(tdx_call_finish_status(&self->td), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(map_gpa, up_to_2m_in_one_exit)
{
	map(&self->td, GPA, CHUNK - PAGE_SIZE);
	map(&self->td, GPA, CHUNK);
	map(&self->td, GPA_2M, CHUNK);
}

TEST_F(map_gpa, more_in_chunks_of_2m)
{
	map(&self->td, GPA, CHUNK + PAGE_SIZE);
	map(&self->td, GPA, 2 * CHUNK);
	map(&self->td, GPA_2M, 5 * CHUNK + 5 * PAGE_SIZE);
}

TEST_F(map_gpa, more_than_4g)
{
	struct tdx_guest *td = &self->td;

	/* Fail after two chunks, as there would be too many. */
	start(td, GPA, BIT_ULL(32));
	next_chunk(td, GPA + CHUNK, CHUNK);
	finish(td, EINVAL, TDVMCALL_STATUS_INVALID_OPERAND);
}

TEST_F(map_gpa, every_chunk_is_private)
{
	struct tdx_guest *td = &self->td;

	tdx_call_start(td, MAP_GPA, GPA, 2 * CHUNK);
	assert_chunk(td->vcpu, GPA, CHUNK, true);
	vcpu_run(td->vcpu);
	assert_chunk(td->vcpu, GPA + CHUNK, CHUNK, true);
	finish(td, 0, TDVMCALL_STATUS_SUCCESS);
}

TEST_F(map_gpa, size_zero)
{
	assert_invalid(&self->td, GPA, 0);
	assert_invalid(&self->td, tdx_shared(&self->td, GPA), 0);
}

TEST_F(map_gpa, wraps_around)
{
	assert_invalid(&self->td, GPA, -PAGE_SIZE);
	assert_invalid(&self->td, GPA, -GPA);
	assert_invalid(&self->td, tdx_shared(&self->td, GPA), -PAGE_SIZE);
}

TEST_F(map_gpa, start_beyond_maxphyaddr)
{
	gpa_t end = end_of_gpas(&self->td);

	assert_invalid(&self->td, end, PAGE_SIZE);
	assert_invalid(&self->td, end | tdx_shared(&self->td, GPA), PAGE_SIZE);
	assert_invalid(&self->td, BIT_ULL(63) | GPA, PAGE_SIZE);
}

/* Both ends are private, so nothing else is wrong. */
TEST_F(map_gpa, end_beyond_maxphyaddr)
{
	assert_invalid(&self->td, 0, end_of_gpas(&self->td) + PAGE_SIZE);
	assert_invalid(&self->td, GPA, BIT_ULL(63));
}

TEST_F(map_gpa, from_private_to_shared)
{
	u64 s_bit = self->td.vm->arch.s_bit;

	assert_invalid(&self->td, s_bit - PAGE_SIZE, 2 * PAGE_SIZE);
	assert_invalid(&self->td, 0, s_bit + PAGE_SIZE);
}

TEST_F(map_gpa, from_shared_to_beyond_width)
{
	u64 s_bit = self->td.vm->arch.s_bit;

	assert_invalid(&self->td, 2 * s_bit - PAGE_SIZE, 2 * PAGE_SIZE);
}

TEST_F(map_gpa, start_unaligned)
{
	static const u64 offsets[] = { 1, 8, PAGE_SIZE / 2, PAGE_SIZE - 1 };

	for (int i = 0; i < ARRAY_SIZE(offsets); i++)
		assert_refused(&self->td, tdx_shared(&self->td, GPA) + offsets[i],
			       PAGE_SIZE, TDVMCALL_STATUS_ALIGN_ERROR);
}

TEST_F(map_gpa, size_unaligned)
{
	static const u64 sizes[] = { 1, PAGE_SIZE - 1, PAGE_SIZE + 1, SZ_2M + 8 };

	for (int i = 0; i < ARRAY_SIZE(sizes); i++)
		assert_refused(&self->td, tdx_shared(&self->td, GPA), sizes[i],
			       TDVMCALL_STATUS_ALIGN_ERROR);
}

/* Both are wrong, and KVM reports the range. */
TEST_F(map_gpa, range_is_checked_before_alignment)
{
	struct tdx_guest *td = &self->td;
	u64 s_bit = td->vm->arch.s_bit;

	assert_invalid(td, GPA + 1, 0);
	assert_invalid(td, GPA + 1, -GPA);
	assert_invalid(td, end_of_gpas(td) + 1, PAGE_SIZE);
	assert_invalid(td, 0, end_of_gpas(td) + 1);
	assert_invalid(td, s_bit - 1, 2);
}

/* User space may stop KVM at the first chunk, in the middle and at the last. */
static const u64 stops[] = { 0, CHUNK, 2 * CHUNK };

static void assert_stops(struct tdx_guest *td, u64 ret, u64 status)
{
	for (int i = 0; i < ARRAY_SIZE(stops); i++) {
		start(td, GPA, 3 * CHUNK);
		for (u64 done = CHUNK; done <= stops[i]; done += CHUNK)
			next_chunk(td, GPA + done, CHUNK);
		finish(td, ret, status);
		TEST_ASSERT_EQ(tdvmcall_ret(&td->req->call), tdx_shared(td, GPA + stops[i]));
	}
}

TEST_F(map_gpa, eagain_is_retry)
{
	assert_stops(&self->td, EAGAIN, TDVMCALL_STATUS_RETRY);
}

TEST_F(map_gpa, einval_is_invalid_operand)
{
	assert_stops(&self->td, EINVAL, TDVMCALL_STATUS_INVALID_OPERAND);
}

TEST_F(map_gpa, stops_at_private_gpa)
{
	struct tdx_guest *td = &self->td;

	tdx_call_start(td, MAP_GPA, GPA, 2 * CHUNK);
	vcpu_run(td->vcpu);
	finish(td, EAGAIN, TDVMCALL_STATUS_RETRY);
	TEST_ASSERT_EQ(tdvmcall_ret(&td->req->call), GPA + CHUNK);
}

TEST_F(map_gpa, other_answers_fail_the_ioctl)
{
	static const u64 answers[] = {
		EPERM, ENOMEM, EFAULT, -EAGAIN, -EINVAL, BIT_ULL(32),
		BIT_ULL(32) | EAGAIN, BIT_ULL(63), TDVMCALL_STATUS_INVALID_OPERAND,
	};

	for (int i = 0; i < ARRAY_SIZE(answers); i++) {
		start(&self->td, GPA, 2 * CHUNK);
		self->td.run->hypercall.ret = answers[i];
		TEST_ASSERT_FAILS(__vcpu_run(self->td.vcpu), EINVAL);

		/* The vCPU can still run. */
		tdx_call_finish(&self->td);
	}
}

/* KVM stops after the first chunk, and the guest resumes from there. */
static void assert_retry_and_go_on(struct tdx_guest *td)
{
	finish(td, 0, TDVMCALL_STATUS_RETRY);
	TEST_ASSERT_EQ(tdvmcall_ret(&td->req->call), tdx_shared(td, GPA + CHUNK));
	map(td, GPA + CHUNK, 2 * CHUNK);
}

TEST_F(map_gpa, retry_for_nmi)
{
	start(&self->td, GPA, 3 * CHUNK);
	vcpu_ioctl(self->td.vcpu, KVM_NMI, NULL);
	assert_retry_and_go_on(&self->td);
}

static void send_interrupt(struct tdx_guest *td)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,
		.data = SOME_VECTOR,
	};

	TEST_ASSERT_EQ(__vm_ioctl(td->vm, KVM_SIGNAL_MSI, &msi), 1);
}

static void enable_apic(struct tdx_guest *td)
{
	TEST_ASSERT_EQ(tdx_call_status(td, EXIT_REASON_MSR_WRITE,
				       APIC_BASE_MSR + (APIC_SPIV >> 4),
				       APIC_SPIV_APIC_ENABLED | 0xff),
		       TDVMCALL_STATUS_SUCCESS);
}

/* KVM can't know that the guest has interrupts disabled. */
TEST_F(map_gpa, retry_for_interrupt)
{
	enable_apic(&self->td);
	start(&self->td, GPA, 3 * CHUNK);
	send_interrupt(&self->td);
	assert_retry_and_go_on(&self->td);
}

TEST_F(map_gpa, no_retry_after_last_chunk)
{
	struct tdx_guest *td = &self->td;

	enable_apic(td);
	start(td, GPA, 2 * CHUNK);
	next_chunk(td, GPA + CHUNK, CHUNK);
	vcpu_ioctl(td->vcpu, KVM_NMI, NULL);
	send_interrupt(td);
	finish(td, 0, TDVMCALL_STATUS_SUCCESS);
}

TEST_F(map_gpa, signals_wait_for_last_chunk)
{
	struct tdx_guest *td = &self->td;

	start(td, GPA, 3 * CHUNK);
	td->run->immediate_exit = true;
	next_chunk(td, GPA + CHUNK, CHUNK);
	next_chunk(td, GPA + 2 * CHUNK, CHUNK);
	tdx_call_complete(td);
	TEST_ASSERT_EQ(tdx_call_finish_status(td), TDVMCALL_STATUS_SUCCESS);
}

TEST_F(map_gpa, error_completes_before_signals)
{
	struct tdx_guest *td = &self->td;

	start(td, GPA, 3 * CHUNK);
	td->run->hypercall.ret = EAGAIN;
	tdx_call_complete(td);
	finish(td, 0, TDVMCALL_STATUS_RETRY);
	TEST_ASSERT_EQ(tdvmcall_ret(&td->req->call), tdx_shared(td, GPA));
}

TEST_F(map_gpa, exit_can_be_enabled_and_disabled)
{
	struct tdx_guest *td = &self->td;

	TEST_ASSERT_EQ(vm_check_cap(td->vm, KVM_CAP_EXIT_HYPERCALL) &
		       BIT(KVM_HC_MAP_GPA_RANGE), BIT(KVM_HC_MAP_GPA_RANGE));
	map(td, GPA, PAGE_SIZE);
	set_hypercall_exits(td, 0);
	assert_refused(td, GPA, PAGE_SIZE, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	set_hypercall_exits(td, BIT(KVM_HC_MAP_GPA_RANGE));
	map(td, GPA, PAGE_SIZE);
}

TDX_GUEST_SUITE(map_gpa_without_exit);

TEST_F(map_gpa_without_exit, is_unsupported)
{
	struct tdx_guest *td = &self->td;

	assert_refused(td, GPA, PAGE_SIZE, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	assert_refused(td, tdx_shared(td, GPA), PAGE_SIZE,
		       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

TEST_F(map_gpa_without_exit, is_unsupported_whatever_the_range)
{
	assert_refused(&self->td, GPA, 0, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	assert_refused(&self->td, GPA + 1, PAGE_SIZE,
		       TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
	assert_refused(&self->td, ~0ull, ~0ull, TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED);
}

static void guest_convert(u64 *data)
{
	u64 stopped_at;

	GUEST_ASSERT_EQ(tdvmcall_map_gpa(DATA_GPA | tdx_s_bit, PAGE_SIZE, &stopped_at),
			TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(*data, 1);
	*data = 2;
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(*data, 3);

	GUEST_ASSERT_EQ(tdvmcall_map_gpa(DATA_GPA, PAGE_SIZE, &stopped_at),
			TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdg_mem_page_accept(DATA_GPA, 0), TDX_SUCCESS);
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(map_gpa_conversion);

TEST_F(map_gpa_conversion, to_shared_and_back)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_convert);
	u64 *data;

	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, DATA_GPA, DATA_SLOT, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	virt_map(vm, DATA_GVA, DATA_GPA, 1);
	vm_mem_set_private(vm, DATA_GPA, PAGE_SIZE);
	vcpu_args_set(vcpu, 1, DATA_GVA);
	tdx_vm_finalize(vm);
	self->vcpu = vcpu;

	data = addr_gpa2hva(vm, DATA_GPA);
	*data = 1;
	vcpu_run(vcpu);
	assert_chunk(vcpu, DATA_GPA, PAGE_SIZE, false);
	vm_mem_set_shared(vm, DATA_GPA, PAGE_SIZE);
	vcpu_run_to_sync(vcpu, 2);
	TEST_ASSERT_EQ(READ_ONCE(*data), 2);
	*data = 3;

	vcpu_run(vcpu);
	assert_chunk(vcpu, DATA_GPA, PAGE_SIZE, true);
	vm_mem_set_private(vm, DATA_GPA, PAGE_SIZE);
	vcpu_run_to_done(vcpu);
}

static void guest_map(gpa_t gpa)
{
	u64 stopped_at;

	GUEST_ASSERT_EQ(tdvmcall_map_gpa(gpa | tdx_s_bit, 3 * CHUNK, &stopped_at),
			TDVMCALL_STATUS_SUCCESS);
	GUEST_DONE();
}

KVM_ONE_VCPU_TD_TEST_SUITE(map_gpa_vcpus);

/* Each vCPU has its own progress. */
TEST_F(map_gpa_vcpus, do_not_mix)
{
	const gpa_t gpas[] = { GPA, 2 * GPA_2M };
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, ARRAY_SIZE(gpas), 0);
	struct kvm_vcpu *vcpus[ARRAY_SIZE(gpas)];

	if (!has_two_cpus(vm)) {
		kvm_vm_free(vm);
		SKIP(return, NEEDS_TWO_CPUS);
	}

	for (int i = 0; i < ARRAY_SIZE(gpas); i++) {
		vcpus[i] = vm_vcpu_add(vm, i, guest_map);
		vcpu_args_set(vcpus[i], 1, gpas[i]);
	}
	self->vcpu = vcpus[0];
	vm_enable_cap(vm, KVM_CAP_EXIT_HYPERCALL, BIT(KVM_HC_MAP_GPA_RANGE));
	tdx_vm_finalize(vm);

	for (u64 done = 0; done < 3 * CHUNK; done += CHUNK) {
		for (int i = 0; i < ARRAY_SIZE(gpas); i++) {
			vcpu_run(vcpus[i]);
			assert_chunk(vcpus[i], gpas[i] + done, CHUNK, false);
		}
	}
	for (int i = 0; i < ARRAY_SIZE(gpas); i++)
		vcpu_run_to_done(vcpus[i]);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
