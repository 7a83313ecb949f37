// SPDX-License-Identifier: GPL-2.0
/*
 * KVM_TDX_FINALIZE_VM: the line between a TD that is being made and one that
 * runs.
 *
 * Before it no vCPU runs and nobody but KVM_TDX_INIT_MEM_REGION adds memory,
 * else the TD's measurement would not say what is in it; KVM_PRE_FAULT_MEMORY
 * has to wait.  After it nothing can be decided any more.  A call that comes
 * too early or with wrong arguments has to leave the TD as it is.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/kernel_log.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define RESET_VECTOR_PAGE	0xfffff000ul

/* A TD without memory, with a vCPU that is initialised or not. */
FIXTURE(finalize) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

FIXTURE_SETUP(finalize)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(self->vm);
}

FIXTURE_TEARDOWN(finalize)
{
	kvm_vm_free(self->vm);
}

static struct kvm_vcpu *add_initialized_vcpu(struct kvm_vm *vm)
{
	struct kvm_vcpu *vcpu;

	tdx_init_vm(vm, NULL);
	vcpu = __vm_vcpu_add(vm, 0);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	return vcpu;
}

TEST_F(finalize, before_init_vm)
{
	u64 hw_error;

	TEST_ASSERT_FAILS(__tdx_finalize(self->vm, &hw_error), EINVAL);
	TEST_ASSERT_EQ(hw_error, 0ull);
	add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);
}

/*
 * A TD needs a vCPU, the module says.  That user space forgot it is no reason
 * for the kernel to complain of the module, nor for the VM to die.  Returns
 * true if it did.
 */
static bool dies_for_lack_of_vcpu(struct kvm_vm *vm)
{
	u64 hw_error;
	int error;

	expect_kernel_log("WARNING: *tdx_vm_ioctl|WARNING: *tdx_td_finalize");
	expect_kernel_log("SEAMCALL TDH_MR_FINALIZE failed");
	TEST_ASSERT(__tdx_finalize(vm, &hw_error), "A TD without vCPU is final");

	error = errno;
	if (!vm_is_dead(vm))
		return false;

	TEST_ASSERT_EQ(error, EIO);
	TEST_ASSERT(hw_error, "The module did not refuse");
	return true;
}

TEST_F(finalize, without_vcpu)
{
	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	tdx_init_vm(self->vm, NULL);
	if (dies_for_lack_of_vcpu(self->vm))
		XFAIL(return, "KVM warns, and the VM is dead");

	self->vcpu = __vm_vcpu_add(self->vm, 0);
	tdx_vcpu_init_cpuid(self->vcpu);
	tdx_init_vcpu(self->vcpu, 0);
	tdx_finalize(self->vm);
}

TEST_F(finalize, without_initialized_vcpu)
{
	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	tdx_init_vm(self->vm, NULL);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
	tdx_vcpu_init_cpuid(self->vcpu);
	if (dies_for_lack_of_vcpu(self->vm))
		XFAIL(return, "KVM warns, and the VM is dead");

	tdx_init_vcpu(self->vcpu, 0);
	tdx_finalize(self->vm);
}

TEST_F(finalize, twice)
{
	u64 hw_error;

	add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);
	TEST_ASSERT_FAILS(__tdx_finalize(self->vm, &hw_error), EINVAL);
	TEST_ASSERT_EQ(hw_error, 0ull);
}

/* Flags and data have to be zero, as it is documented. */
TEST_F(finalize, flags)
{
	add_initialized_vcpu(self->vm);
	if (!__vm_tdx_ioctl(self->vm, KVM_TDX_FINALIZE_VM, BIT(31), NULL, NULL))
		XFAIL(return, "KVM doesn't look at flags that have to be zero");

	TEST_ASSERT_EQ(errno, EINVAL);
	for (int i = 0; i < 32; i++)
		TEST_ASSERT_FAILS(__vm_tdx_ioctl(self->vm, KVM_TDX_FINALIZE_VM,
						 BIT(i), NULL, NULL), EINVAL);
	tdx_finalize(self->vm);
}

TEST_F(finalize, unused_data)
{
	add_initialized_vcpu(self->vm);
	if (!__vm_tdx_ioctl(self->vm, KVM_TDX_FINALIZE_VM, 0, (void *)1, NULL))
		XFAIL(return, "KVM doesn't look at data that has to be zero");

	TEST_ASSERT_EQ(errno, EINVAL);
	tdx_finalize(self->vm);
}

TEST_F(finalize, hw_error_not_zero)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM, .hw_error = 1 };

	add_initialized_vcpu(self->vm);
	TEST_ASSERT_FAILS(__vm_tdx_cmd(self->vm, &cmd), EINVAL);
	TEST_ASSERT_EQ(cmd.hw_error, 1);
	tdx_finalize(self->vm);
}

TEST_F(finalize, command_unreadable)
{
	struct kvm_tdx_cmd *cmd = test_alloc_before_hole(sizeof(*cmd) - 1);

	add_initialized_vcpu(self->vm);
	cmd->id = KVM_TDX_FINALIZE_VM;
	TEST_ASSERT_FAILS(__vm_tdx_cmd(self->vm, cmd), EFAULT);
	tdx_finalize(self->vm);
}

/* The TD is final all the same: what failed is to report hw_error. */
TEST_F(finalize, command_read_only)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_FINALIZE_VM };

	add_initialized_vcpu(self->vm);
	TEST_ASSERT_FAILS(__vm_tdx_cmd(self->vm, test_alloc_read_only(&cmd, sizeof(cmd))),
			  EFAULT);
	TEST_ASSERT_FAILS(__tdx_finalize(self->vm, NULL), EINVAL);
}

TEST_F(finalize, init_vm_after_it)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);

	add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);
	TEST_ASSERT_FAILS(__tdx_init_vm(self->vm, init, NULL), EINVAL);
	free(init);
}

/* Memory is not KVM's concern: its lack shows when the first vCPU runs. */
TEST_F(finalize, td_without_memory)
{
	struct kvm_run *run;

	self->vcpu = add_initialized_vcpu(self->vm);
	tdx_finalize(self->vm);

	run = self->vcpu->run;
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EFAULT);
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_MEMORY_FAULT);
	TEST_ASSERT_EQ(run->memory_fault.flags, KVM_MEMORY_EXIT_FLAG_PRIVATE);
	TEST_ASSERT_EQ(run->memory_fault.gpa, RESET_VECTOR_PAGE);
	TEST_ASSERT_EQ(run->memory_fault.size, PAGE_SIZE);
}

/*
 * A TD with four pages that are not part of its initial contents: two private,
 * then two shared.
 */
#define TEST_GPA	BIT_ULL(32)
#define TEST_SLOT	10
#define NR_PAGES	4
#define PRIVATE_PAGE	TEST_GPA
#define SHARED_PAGE	(TEST_GPA + 2 * PAGE_SIZE)
#define TEST_END	(TEST_GPA + NR_PAGES * PAGE_SIZE)

#define MAGIC		0x0123456789abcdef

static u64 initial = MAGIC;

/* What the host wants of the guest. */
struct request {
	enum {
		NOTHING,
		ACCEPT,		/* a private page, by its GPA */
		READ,		/* MAGIC at a GVA */
	} op;
	u64 addr;
};

static void guest_memory(const struct request *req)
{
	for (;;) {
		switch (READ_ONCE(req->op)) {
		case NOTHING:
			break;
		case ACCEPT:
			GUEST_ASSERT_EQ(tdg_mem_page_accept(req->addr, 0), TDX_SUCCESS);
			break;
		case READ:
			GUEST_ASSERT_EQ(READ_ONCE(*(u64 *)req->addr), MAGIC);
			break;
		}
		GUEST_SYNC(0);
	}
}

FIXTURE(prefault) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct request *req;
	gpa_t initial_gpa;
};

FIXTURE_SETUP(prefault)
{
	gva_t gva;

	self->vm = __vm_create(VM_SHAPE_TDX, 2, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_memory);

	vm_userspace_mem_region_add(self->vm, VM_MEM_SRC_ANONYMOUS, TEST_GPA,
				    TEST_SLOT, NR_PAGES, KVM_MEM_GUEST_MEMFD);
	vm_mem_set_private(self->vm, PRIVATE_PAGE, SHARED_PAGE - PRIVATE_PAGE);
	virt_map(self->vm, SHARED_PAGE, SHARED_PAGE, (TEST_END - SHARED_PAGE) / PAGE_SIZE);

	gva = tdx_alloc_shared(self->vm, PAGE_SIZE, &self->req);
	vcpu_args_set(self->vcpu, 1, gva);

	/*
	 * All of the host's memory is there before the guest has a look: later
	 * on, to write to it for the first time would unmap it from the guest.
	 */
	*self->req = (struct request) { .op = NOTHING };
	for (gpa_t gpa = SHARED_PAGE; gpa < TEST_END; gpa += PAGE_SIZE)
		*(u64 *)addr_gpa2hva(self->vm, gpa) = MAGIC;
	self->initial_gpa = addr_gva2gpa(self->vm, (gva_t)&initial) & PAGE_MASK;
}

FIXTURE_TEARDOWN(prefault)
{
	kvm_vm_free(self->vm);
}

static void launch(struct kvm_vm *vm, struct kvm_vcpu *vcpu)
{
	vm_tdx_launch(vm);
	/* From here on nothing but what is asked for is touched for the first time. */
	tdx_vcpu_run_to_sync(vcpu, 0);
}

static int prefault(struct kvm_vcpu *vcpu, struct kvm_pre_fault_memory *range)
{
	return __vcpu_ioctl(vcpu, KVM_PRE_FAULT_MEMORY, range);
}

#define assert_prefault_fails(vcpu, _gpa, _size, error)			\
do {									\
	struct kvm_pre_fault_memory __range = {				\
		.gpa = (_gpa),						\
		.size = (_size),					\
	};								\
									\
	TEST_ASSERT_FAILS(prefault(vcpu, &__range), error);		\
	TEST_ASSERT_EQ(__range.gpa, _gpa);				\
	TEST_ASSERT_EQ(__range.size, _size);				\
} while (0)

static void assert_prefault(struct kvm_vcpu *vcpu, gpa_t gpa, u64 size)
{
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = size };
	int r = prefault(vcpu, &range);

	TEST_ASSERT(!r, KVM_IOCTL_ERROR(KVM_PRE_FAULT_MEMORY, r));
	TEST_ASSERT_EQ(range.gpa, gpa + size);
	TEST_ASSERT_EQ(range.size, 0);
}

/* How many faults KVM handles while the guest does what is asked for. */
#define faults_of(self, _op, _addr)					\
({									\
	u64 __before = vcpu_get_stat((self)->vcpu, pf_taken);		\
									\
	*(self)->req = (struct request) { .op = _op, .addr = _addr };	\
	tdx_vcpu_run_to_sync((self)->vcpu, 0);				\
	vcpu_get_stat((self)->vcpu, pf_taken) - __before;		\
})

TEST_F(prefault, before_finalize)
{
	assert_prefault_fails(self->vcpu, PRIVATE_PAGE, PAGE_SIZE, EOPNOTSUPP);
	assert_prefault_fails(self->vcpu, SHARED_PAGE, PAGE_SIZE, EOPNOTSUPP);
	assert_prefault_fails(self->vcpu, self->initial_gpa, PAGE_SIZE, EOPNOTSUPP);
	tdx_init_memory(self->vm);
	assert_prefault_fails(self->vcpu, PRIVATE_PAGE, PAGE_SIZE, EOPNOTSUPP);

	/* Nor does the attempt change what there is to measure. */
	tdx_finalize(self->vm);
	tdx_vcpu_run_to_sync(self->vcpu, 0);
}

TEST_F(prefault, run_before_finalize)
{
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	tdx_init_memory(self->vm);
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	tdx_finalize(self->vm);
	tdx_vcpu_run_to_sync(self->vcpu, 0);
}

TEST_F(prefault, private_page)
{
	launch(self->vm, self->vcpu);
	assert_prefault(self->vcpu, PRIVATE_PAGE, PAGE_SIZE);

	TEST_ASSERT_EQ(faults_of(self, ACCEPT, PRIVATE_PAGE), 0);
	TEST_ASSERT(faults_of(self, ACCEPT, PRIVATE_PAGE + PAGE_SIZE),
		    "A page that nobody asked for was mapped, too");
}

TEST_F(prefault, shared_page)
{
	launch(self->vm, self->vcpu);
	assert_prefault(self->vcpu, SHARED_PAGE, PAGE_SIZE);

	TEST_ASSERT_EQ(faults_of(self, READ, SHARED_PAGE), 0);
	TEST_ASSERT(faults_of(self, READ, SHARED_PAGE + PAGE_SIZE),
		    "A page that nobody asked for was mapped, too");
}

TEST_F(prefault, private_and_shared_pages)
{
	launch(self->vm, self->vcpu);
	assert_prefault(self->vcpu, TEST_GPA, TEST_END - TEST_GPA);

	for (gpa_t gpa = PRIVATE_PAGE; gpa < SHARED_PAGE; gpa += PAGE_SIZE)
		TEST_ASSERT_EQ(faults_of(self, ACCEPT, gpa), 0);
	for (gpa_t gpa = SHARED_PAGE; gpa < TEST_END; gpa += PAGE_SIZE)
		TEST_ASSERT_EQ(faults_of(self, READ, gpa), 0);
}

/* Before the first run just as well. */
TEST_F(prefault, before_first_run)
{
	vm_tdx_launch(self->vm);
	assert_prefault(self->vcpu, PRIVATE_PAGE, PAGE_SIZE);
	tdx_vcpu_run_to_sync(self->vcpu, 0);
	TEST_ASSERT_EQ(faults_of(self, ACCEPT, PRIVATE_PAGE), 0);
}

TEST_F(prefault, twice)
{
	launch(self->vm, self->vcpu);
	for (int i = 0; i < 2; i++) {
		assert_prefault(self->vcpu, PRIVATE_PAGE, PAGE_SIZE);
		assert_prefault(self->vcpu, SHARED_PAGE, PAGE_SIZE);
	}
	faults_of(self, ACCEPT, PRIVATE_PAGE);
	assert_prefault(self->vcpu, PRIVATE_PAGE, PAGE_SIZE);
}

TEST_F(prefault, initial_memory)
{
	vm_tdx_launch(self->vm);
	assert_prefault(self->vcpu, self->initial_gpa, PAGE_SIZE);
	tdx_vcpu_run_to_sync(self->vcpu, 0);
	TEST_ASSERT_EQ(faults_of(self, READ, (u64)&initial), 0);
}

/* Whether a page is private is an attribute of it, no part of its address. */
TEST_F(prefault, shared_bit)
{
	const u64 shared_bit = self->vm->arch.s_bit;

	launch(self->vm, self->vcpu);
	assert_prefault_fails(self->vcpu, SHARED_PAGE | shared_bit, PAGE_SIZE, EINVAL);
	assert_prefault_fails(self->vcpu, PRIVATE_PAGE | shared_bit, PAGE_SIZE, EINVAL);
}

TEST_F(prefault, no_memslot)
{
	launch(self->vm, self->vcpu);
	assert_prefault_fails(self->vcpu, TEST_END, PAGE_SIZE, ENOENT);
}

TEST_F(prefault, up_to_end_of_memslot)
{
	struct kvm_pre_fault_memory range = {
		.gpa = SHARED_PAGE,
		.size = TEST_END - SHARED_PAGE + PAGE_SIZE,
	};

	launch(self->vm, self->vcpu);
	TEST_ASSERT(!prefault(self->vcpu, &range), "errno: %d", errno);
	TEST_ASSERT_EQ(range.gpa, TEST_END);
	TEST_ASSERT_EQ(range.size, PAGE_SIZE);
	TEST_ASSERT_FAILS(prefault(self->vcpu, &range), ENOENT);
}

/* A memslot may lie where guest addresses of this width don't reach. */
TEST_F(prefault, gpa_beyond_width)
{
	/* Stays until the VM is gone, see tdx_mem_region_test. */
	void *mem = kvm_mmap(PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int fd = vm_create_guest_memfd(self->vm, PAGE_SIZE, 0);
	const gpa_t gpa = add_memslot_beyond_width(self->vm, TEST_SLOT + 1, mem, fd);
	struct kvm_pre_fault_memory range = { .gpa = gpa, .size = PAGE_SIZE };

	if (!gpa)
		SKIP(return, NO_MEMSLOT_BEYOND_WIDTH);

	launch(self->vm, self->vcpu);

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	/* Not to be taken for tdx_mem_region_test's, which may run beside this. */
	expect_kernel_log("WARNING: *tdx_sept_*: tdx_finalize|WARNING: *kvm_vcpu_*: tdx_finalize");
	expect_kernel_log("WARNING: *tdx_sept_*: tdx_finalize|WARNING: *kvm_vcpu_*: tdx_finalize");
	expect_kernel_log("SEAMCALL TDH_MEM_PAGE_AUG failed");
	TEST_ASSERT(prefault(self->vcpu, &range), "GPA 0x%lx was mapped",
		    (unsigned long)gpa);
	if (vm_is_dead(self->vm))
		XFAIL(return, "KVM leaves it to the TDX module to refuse the GPA, and warns");

	TEST_ASSERT_EQ(errno, EINVAL);
	TEST_ASSERT_EQ(range.gpa, gpa);
	TEST_ASSERT_EQ(range.size, PAGE_SIZE);
	faults_of(self, ACCEPT, PRIVATE_PAGE);
}

/*
 * A vCPU that isn't initialised is none to the module.  KVM may do without the
 * vCPU or refuse, but not fail.
 */
TEST_F(prefault, vcpu_not_initialized)
{
	struct kvm_pre_fault_memory range = { .gpa = PRIVATE_PAGE, .size = PAGE_SIZE };
	struct kvm_vcpu *vcpu;
	int r;

	if (!has_two_cpus(self->vm))
		SKIP(return, NEEDS_TWO_CPUS);

	vcpu = __vm_vcpu_add(self->vm, 1);
	launch(self->vm, self->vcpu);

	if (panics_on_warning())
		SKIP(return, PANICS_ON_WARNING);

	expect_kernel_log("WARNING: *tdh_vp_wr_failed|WARNING: *tdx_load_mmu_pgd");
	expect_kernel_log("WARNING: *kvm_vcpu_");
	expect_kernel_log("TDH_VP_WR* failed");
	r = prefault(vcpu, &range);
	if (vm_is_dead(self->vm))
		XFAIL(return, "KVM writes to a vCPU that isn't there, and the VM is dead");

	TEST_ASSERT(!r || errno == EINVAL, "errno: %d", errno);
	faults_of(self, ACCEPT, PRIVATE_PAGE);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
