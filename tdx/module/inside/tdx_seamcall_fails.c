// SPDX-License-Identifier: GPL-2.0
/*
 * KVM and a SEAMCALL that fails when nothing may fail any more: while a TD loses a
 * page, while its vCPU runs, while it ends.
 *
 * KVM takes each of these failures for a bug of its own, so it warns.  It must do
 * nothing worse than that: the VM is dead, KVM gives up what it can't get back, and
 * another TD lives on.  Since the machine has lost something, each case has a box of
 * its own; tdx_seamcall_fails.plans has the cases with what is injected.
 */
#include <sched.h>
#include <sys/mman.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/kernel_release.h"
#include "tdx/tdx_irq.h"
#include "tdx/tdx_memory.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* A TD that has run, and another one that goes on. */
FIXTURE(fails) {
	struct kvm_vm *vm;
	struct tdx_guest guest;
	struct kvm_vm *other_vm;
	struct tdx_guest other;
};

static void create(struct kvm_vm **vm, struct tdx_guest *guest)
{
	*vm = tdx_memory_create(0);
	*guest = tdx_guest_add(*vm, 0);
	tdx_vm_finalize(*vm);
	tdx_make_private(guest, GMEM_GPA, 1, MAGIC);
}

FIXTURE_SETUP(fails)
{
	/* A vCPU that moves to another CPU is flushed before its end. */
	pin_self_to_any_cpu();
	create(&self->vm, &self->guest);
	create(&self->other_vm, &self->other);
}

/* The other TD works, and only it ends as it should. */
FIXTURE_TEARDOWN(fails)
{
	if (self->vm)
		kvm_vm_free(self->vm);
	TEST_ASSERT_EQ(tdx_guest_read(&self->other, GMEM_GPA), MAGIC);
	tdx_make_private(&self->other, GMEM_PAGE(1), 1, MAGIC);
	vm_guest_mem_punch_hole(self->other_vm, GMEM_PAGE(1), PAGE_SIZE);
	tdx_guest_assert_lost(&self->other, GMEM_PAGE(1));
}

static void assert_dead(struct kvm_vm *vm, struct tdx_guest *guest)
{
	TEST_ASSERT(vm_is_dead(vm), "The VM lives");
	TEST_ASSERT_FAILS(__tdx_guest_do(guest, TDX_GUEST_READ, GMEM_GPA, 0), EIO);
}

/* What the log has of a failed @call, whose caller is a function like @function. */
static void expect_failure(const char *function, const char *call)
{
	char text[128];

	snprintf(text, sizeof(text), "WARNING: *%s", function);
	expect_kernel_log(text);
	snprintf(text, sizeof(text), "SEAMCALL %s failed", call);
	expect_kernel_log(text);
}

/*
 * A hole is punched.  The page stays the module's, which notices when the TD's root
 * page is reclaimed.
 */
static void hole_fails(struct kvm_vm *vm, struct tdx_guest *guest, const char *call)
{
	expect_failure("tdx_", call);
	vm_guest_mem_punch_hole(vm, GMEM_GPA, PAGE_SIZE);
	assert_dead(vm, guest);
	expect_failure("tdx_reclaim", "TDH_PHYMEM_PAGE_RECLAIM");
}

TEST_F(fails, range_block)
{
	hole_fails(self->vm, &self->guest, "TDH_MEM_RANGE_BLOCK");
}

/* Without it, TDH.MEM.PAGE.REMOVE is refused, too, but one warning is enough. */
TEST_F(fails, track)
{
	hole_fails(self->vm, &self->guest, "TDH_MEM_TRACK");
}

TEST_F(fails, page_remove)
{
	hole_fails(self->vm, &self->guest, "TDH_MEM_PAGE_REMOVE");
}

/*
 * The page is the host's again, but the cache may write to it some day.  KVM gives it
 * back to the kernel all the same, and the module complains when it is used.
 */
TEST_F(fails, page_wbinvd)
{
	const size_t size = 64 << 20;
	void *mem;

	expect_failure("tdx_", "TDH_PHYMEM_PAGE_WBINVD");
	expect_kernel_log("were not written back");
	vm_guest_mem_punch_hole(self->vm, GMEM_GPA, PAGE_SIZE);
	assert_dead(self->vm, &self->guest);

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	TEST_ASSERT(mem != MAP_FAILED, __KVM_SYSCALL_ERROR("mmap()", -1));
}

/* The end of a TD.  Its KeyID and its pages are lost if KVM can't free the KeyID. */

static void end_fails(struct kvm_vm **vm)
{
	kvm_vm_free(*vm);
	*vm = NULL;
}

/* Then the vCPU is associated with its CPU for ever, and the KeyID is in use. */
TEST_F(fails, vp_flush)
{
	expect_failure("tdx_flush_vp_on_cpu", "TDH_VP_FLUSH");
	end_fails(&self->vm);
}

TEST_F(fails, mng_vpflushdone)
{
	expect_failure("tdx_mmu_release_hkid", "TDH_MNG_VPFLUSHDONE");
	end_fails(&self->vm);
}

TEST_F(fails, phymem_cache_wb)
{
	expect_failure("smp_func_do_phymem_cache_wb", "TDH_PHYMEM_CACHE_WB");
	expect_failure("tdx_mmu_release_hkid", "TDH_MNG_KEY_FREEID");
	end_fails(&self->vm);
}

/* KVM must believe that the cache was written back, and be told the truth later. */
TEST_F(fails, phymem_cache_wb_not_needed)
{
	expect_failure("tdx_mmu_release_hkid", "TDH_MNG_KEY_FREEID");
	end_fails(&self->vm);
}

TEST_F(fails, mng_key_freeid)
{
	expect_failure("tdx_mmu_release_hkid", "TDH_MNG_KEY_FREEID");
	end_fails(&self->vm);
}

/* Without one of its pages the module does not let go of the TD's root page. */
TEST_F(fails, page_reclaim)
{
	expect_failure("tdx_reclaim", "TDH_PHYMEM_PAGE_RECLAIM");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");
	end_fails(&self->vm);
}

TEST_F(fails, page_reclaim_of_page_table)
{
	expect_failure("tdx_reclaim", "TDH_PHYMEM_PAGE_RECLAIM");
	expect_kernel_log("SEAMCALL TDH_PHYMEM_PAGE_RECLAIM failed");
	end_fails(&self->vm);
}

/* The vCPU */

/*
 * KVM asks whether an interrupt has come, when a vCPU halts that would take one.  The
 * vCPU sleeps, although its VM is dead, until a signal comes.
 */
TEST_F(fails, vp_rd)
{
	struct vcpu_thread t;

	expect_kernel_log("WARNING: *tdx_protected_apic_has_interrupt|WARNING: *tdh_vp_rd_failed");
	tdx_guest_post_call(&self->guest, TDVMCALL(EXIT_REASON_HLT, 0));
	vcpu_thread_start(&t, self->guest.vcpu);
	while (!vm_is_dead(self->vm))
		sched_yield();
	vcpu_thread_kick(&t);
	TEST_ASSERT_EQ(vcpu_thread_join(&t), -1);
	assert_dead(self->vm, &self->guest);
}

/* Only KVM could cause one. */
TEST_F(fails, ept_misconfiguration)
{
	expect_kernel_log("WARNING: *tdx_handle_exit");
	tdx_guest_post_call(&self->guest, TDVMCALL(TDVMCALL_GET_TD_VM_CALL_INFO, 0));
	TEST_ASSERT_FAILS(tdx_guest_run(&self->guest), EIO);
	assert_dead(self->vm, &self->guest);
}

/* A TD that is not built yet. */

FIXTURE(early) {
	struct kvm_vm *vm;
};

FIXTURE_SETUP(early)
{
	struct kvm_tdx_init_vm *init;

	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	init = tdx_default_init_vm(self->vm);
	tdx_init_vm(self->vm, init);
	free(init);
}

FIXTURE_TEARDOWN(early)
{
	if (self->vm)
		kvm_vm_free(self->vm);
}

/* It has no memory, so that its root page is the only one that is written back. */
TEST_F(early, root_page_wbinvd)
{
	expect_failure("tdx_reclaim_td_control_pages", "TDH_PHYMEM_PAGE_WBINVD");
	end_fails(&self->vm);
}

/* The VM is dead, even if KVM_TDX_INIT_VCPU has succeeded. */
TEST_F(early, vp_wr)
{
	struct kvm_vcpu *vcpu = __vm_vcpu_add(self->vm, 0);

	tdx_vcpu_init_cpuid(vcpu);
	expect_kernel_log("WARNING: *tdx_vcpu_|WARNING: *tdh_vp_wr_failed");
	__tdx_init_vcpu(vcpu, 0, NULL);
	TEST_ASSERT(vm_is_dead(self->vm), "The VM lives");
}

/* No failure, but the only way to a notify exit that hangs no CPU: the guest goes on. */
TEST_F(early, notify_exit)
{
	struct tdx_guest guest;

	if (!vm_check_cap(self->vm, KVM_CAP_X86_NOTIFY_VMEXIT))
		SKIP(return, "the host lacks notify exits");

	vm_enable_cap(self->vm, KVM_CAP_X86_NOTIFY_VMEXIT,
		      0x20000000ull << 32 | KVM_X86_NOTIFY_VMEXIT_ENABLED);
	guest = tdx_guest_add(self->vm, 0);
	tdx_vm_finalize(self->vm);
	TEST_ASSERT_EQ(tdx_call_status(&guest, TDVMCALL_GET_TD_VM_CALL_INFO, 0),
		       TDVMCALL_STATUS_SUCCESS);
	if (!vcpu_get_stat(guest.vcpu, notify_window_exits) && is_kernel_before(7, 3))
		SKIP(return, "KVM before 7.3 sets no notify window for TDs");
	TEST_ASSERT_EQ(vcpu_get_stat(guest.vcpu, notify_window_exits), 1);
}

/* KVM_TDX_GET_CPUID reads the TD's CPUID from the module. */
static void get_cpuid_fails(struct kvm_vm *vm)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(MAX_NR_CPUID_ENTRIES);

	TEST_ASSERT_FAILS(__tdx_get_cpuid(__vm_vcpu_add(vm, 0), cpuid), EIO);
	TEST_ASSERT(!vm_is_dead(vm), "The VM is dead");
	free(cpuid);
}

TEST_F(early, first_cpuid_leaf)
{
	get_cpuid_fails(self->vm);
}

TEST_F(early, second_half_of_cpuid_leaf)
{
	expect_kernel_log("WARNING: *tdx_");
	get_cpuid_fails(self->vm);
}

TEST_F(early, first_extended_cpuid_leaf)
{
	get_cpuid_fails(self->vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
