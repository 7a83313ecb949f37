// SPDX-License-Identifier: GPL-2.0
/*
 * KVM and SEAMCALLs that fail although they should not.  The module runs with
 * tdx_failures.plan: each TD fails at the next failure of the plan, and the last
 * one runs to its end.
 *
 * The ioctl must report the failure, and must release everything: otherwise the
 * next TD would fail earlier.
 */
#include <fcntl.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define SLOT	10
#define GPA	0x100000000ul

enum step { INIT_VM, INIT_VCPU, MEM_REGION, FINALIZE, RUN };

static const char * const step_names[] = {
	[INIT_VM] = "KVM_TDX_INIT_VM",
	[INIT_VCPU] = "KVM_TDX_INIT_VCPU",
	[MEM_REGION] = "KVM_TDX_INIT_MEM_REGION",
	[FINALIZE] = "KVM_TDX_FINALIZE_VM",
	[RUN] = "KVM_RUN",
};

FIXTURE(failure) {
	struct kvm_vm *vm;
};

/* @bug: KVM takes the failure for a bug of its own and warns. */
FIXTURE_VARIANT(failure) {
	enum step step;
	int error;
	bool bug;
};

/* In the order of the plan. */
FIXTURE_VARIANT_ADD(failure, mng_create_no_entropy) { INIT_VM, EAGAIN };
FIXTURE_VARIANT_ADD(failure, mng_create_busy) { INIT_VM, EIO, true };
FIXTURE_VARIANT_ADD(failure, mng_key_config) { INIT_VM, EIO, true };
FIXTURE_VARIANT_ADD(failure, mng_addcx_busy) { INIT_VM, EIO, true };
FIXTURE_VARIANT_ADD(failure, mng_addcx_no_entropy) { INIT_VM, EAGAIN };
FIXTURE_VARIANT_ADD(failure, mng_init_busy) { INIT_VM, EIO, true };
FIXTURE_VARIANT_ADD(failure, vp_create_busy) { INIT_VCPU, EIO, true };
FIXTURE_VARIANT_ADD(failure, vp_addcx_busy) { INIT_VCPU, EIO, true };
FIXTURE_VARIANT_ADD(failure, vp_init_busy) { INIT_VCPU, EIO, true };
FIXTURE_VARIANT_ADD(failure, mr_extend_busy) { MEM_REGION, EIO, true };
FIXTURE_VARIANT_ADD(failure, mr_finalize_busy) { FINALIZE, EBUSY };
FIXTURE_VARIANT_ADD(failure, none) { RUN, 0 };

FIXTURE_SETUP(failure)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
}

FIXTURE_TEARDOWN(failure)
{
	kvm_vm_free(self->vm);
}

static void guest_code(void)
{
	GUEST_DONE();
}

/* Runs a TD until a step fails.  Returns that step; errno is set. */
static enum step live(struct kvm_vm *vm)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	struct kvm_tdx_init_mem_region region = { .gpa = GPA, .nr_pages = 1 };
	struct kvm_vcpu *vcpu;
	int r;

	r = __tdx_init_vm(vm, init, NULL);
	free(init);
	if (r)
		return INIT_VM;

	vcpu = __vm_vcpu_add(vm, 0);
	tdx_vcpu_init_cpuid(vcpu);
	if (__tdx_init_vcpu(vcpu, 0, NULL))
		return INIT_VCPU;
	vcpu_arch_set_entry_point(vcpu, guest_code);

	vm_mem_add(vm, VM_MEM_SRC_ANONYMOUS, GPA, SLOT, 1, KVM_MEM_GUEST_MEMFD,
		   -1, 0);
	vm_mem_set_private(vm, GPA, PAGE_SIZE);
	region.source_addr = (u64)addr_gpa2hva(vm, GPA);
	if (__tdx_init_mem_region(vcpu, KVM_TDX_MEASURE_MEMORY_REGION, &region, NULL))
		return MEM_REGION;
	tdx_load_private_memory(vm);

	if (__tdx_finalize(vm, NULL))
		return FINALIZE;

	vcpu_run_to_done(vcpu);
	errno = 0;
	return RUN;
}

TEST_F(failure, is_reported)
{
	enum step step;

	if (variant->bug) {
		expect_kernel_log("WARNING: ");
		expect_kernel_log("SEAMCALL TDH_* failed");
	}
	step = live(self->vm);
	TEST_ASSERT(step == variant->step && errno == variant->error,
		    "Wanted errno %d from %s, got %d from %s", variant->error,
		    step_names[variant->step], errno, step_names[step]);
}

static int set_online(int cpu, const char *online)
{
	char path[64];
	int fd, r;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY);
	TEST_ASSERT(fd >= 0, "No %s", path);
	r = write(fd, online, 1);
	close(fd);
	return r;
}

/* KVM_TDX_INIT_VM keeps CPUs from going offline, and has failed while it did. */
FIXTURE(afterwards) { };
FIXTURE_SETUP(afterwards) { }
FIXTURE_TEARDOWN(afterwards) { }

TEST_F(afterwards, cpus_come_and_go)
{
	TEST_ASSERT_EQ(set_online(1, "0"), 1);
	TEST_ASSERT_EQ(set_online(1, "1"), 1);
}

#define HOST_PRIORITY_BUSY_TIMEOUT	0x9000020500000000ull
#define OPERAND_BUSY_RCX		0x8000020000000001ull
#define NON_RECOVERABLE_TD		0x60000002ull	/* upper half */

TDX_MEMORY_SUITE(busy_guest);

/*
 * A guest's TDCALL that has to wait for the host.  KVM does not know the status, but
 * the TD is not lost, and the guest sees a busy lock.
 */
TEST_F(busy_guest, waits_for_host)
{
	struct tdx_guest *guest = &self->guest;

	vm_mem_set_private(self->vm, GMEM_GPA, PAGE_SIZE);
	/* KVM wants to print the TD's RIP. */
	expect_kernel_log("WARNING: *vt_cache_reg");
	TEST_ASSERT_EQ(__tdx_guest_do(guest, TDX_GUEST_ACCEPT, GMEM_GPA, 0), 1);
	TEST_ASSERT_KVM_EXIT_REASON(guest->vcpu, KVM_EXIT_INTERNAL_ERROR);
	TEST_ASSERT_EQ(guest->run->internal.suberror,
		       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
	TEST_ASSERT_EQ(guest->run->internal.data[0], HOST_PRIORITY_BUSY_TIMEOUT);
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(guest->req->status, OPERAND_BUSY_RCX);

	tdx_guest_do(guest, TDX_GUEST_ACCEPT, GMEM_GPA, 0);
	TEST_ASSERT_EQ(guest->req->status, OPERAND_BUSY_RCX);
	tdx_guest_accept(guest, GMEM_GPA);
}

/* The module gives the TD up, and says so by a status without its error bit. */
TDX_MEMORY_SUITE(lost_td);

TEST_F(lost_td, is_reported)
{
	struct tdx_guest *guest = &self->guest;

	/* KVM wants to print the TD's RIP, and then to remove its memory. */
	expect_kernel_log("WARNING: *vt_cache_reg");
	expect_kernel_log("WARNING: *tdx_sept_");
	expect_kernel_log("SEAMCALL TDH_MEM_RANGE_BLOCK failed");
	expect_kernel_log("WARNING: *tdx_reclaim_page");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");
	TEST_ASSERT_EQ(__tdx_guest_do(guest, TDX_GUEST_CPUID, 0, 0), 1);
	TEST_ASSERT_KVM_EXIT_REASON(guest->vcpu, KVM_EXIT_INTERNAL_ERROR);
	TEST_ASSERT_EQ(guest->run->internal.suberror,
		       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
	TEST_ASSERT_EQ(guest->run->internal.data[0] >> 32, NON_RECOVERABLE_TD);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
