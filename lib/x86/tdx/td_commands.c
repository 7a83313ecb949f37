// SPDX-License-Identifier: GPL-2.0
#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/test_memory.h"
#include "tdx/race.h"
#include "tdx/td_commands.h"
#include "tdx/tdx_memory.h"

struct kvm_tdx_init_mem_region td_pages(struct td *td, u64 first, u64 nr)
{
	return (struct kvm_tdx_init_mem_region) {
		.source_addr = (u64)td->source + first * PAGE_SIZE,
		.gpa = SLOT_GPA + first * PAGE_SIZE,
		.nr_pages = nr,
	};
}

void td_create_vm(struct td *td)
{
	td->vm = ____vm_create(VM_SHAPE_TDX);
	td->init = tdx_default_init_vm(td->vm);
}

void td_create_td(struct td *td, enum stage stage)
{
	td_create_vm(td);
	vm_create_irqchip(td->vm);
	vm_mem_add(td->vm, VM_MEM_SRC_ANONYMOUS, SLOT_GPA, SLOT, NR_PAGES,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(td->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	td->source = test_alloc_before_hole(NR_PAGES * PAGE_SIZE);
	if (stage >= INITIALIZED)
		tdx_init_vm(td->vm, td->init);

	/* Each vCPU begins where its side runs. */
	for (int i = 0; i < ARRAY_SIZE(td->vcpu) && stage >= VCPUS_CREATED; i++) {
		pin_self_to_cpu(race_cpu(i));
		td->vcpu[i] = __vm_vcpu_add(td->vm, i);
		tdx_vcpu_init_cpuid(td->vcpu[i]);
		if (stage >= READY || (stage >= FIRST_VCPU_READY && !i))
			tdx_init_vcpu(td->vcpu[i], 0);
	}

	pin_self_to_cpu(race_cpu(0));
	if (stage == FIRST_VCPU_READY_MEMORY_ADDED || stage == READY_MEMORY_ADDED)
		assert_added(td->vcpu[0], td_pages(td, 0, NR_PAGES));
}

void td_free_td(struct td *td)
{
	kvm_vm_free(td->vm);
	kvm_munmap(td->source, NR_PAGES * PAGE_SIZE);
	free(td->init);
}

int td_init_vm(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__tdx_init_vm(td->vm, td->init, NULL));
}

int td_create_vcpu(void *arg, int side)
{
	struct td *td = arg;
	int fd = __vm_ioctl(td->vm, KVM_CREATE_VCPU, (void *)(u64)side);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int td_init_own_vcpu(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__tdx_init_vcpu(td->vcpu[side], 0, NULL));
}

int td_init_last_vcpu(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__tdx_init_vcpu(td->vcpu[1], 0, NULL));
}

int td_add_all_pages(void *arg, int side)
{
	struct td *td = arg;
	struct kvm_tdx_init_mem_region region = td_pages(td, 0, NR_PAGES);
	int error = errno_of(__tdx_init_mem_region(td->vcpu[side], 0, &region, NULL));

	/* All or nothing. */
	TEST_ASSERT_EQ(region.nr_pages, error ? NR_PAGES : 0);
	return error;
}

int td_add_half_of_pages(void *arg, int side)
{
	struct td *td = arg;
	struct kvm_tdx_init_mem_region region =
		td_pages(td, side * NR_PAGES / 2, NR_PAGES / 2);

	return errno_of(__tdx_init_mem_region(td->vcpu[side], 0, &region, NULL));
}

int td_finalize(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__tdx_finalize(td->vm, NULL));
}

/* There is no memory at the reset vector, hence a memory fault. */
int td_run(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__vcpu_run(td->vcpu[side]));
}

int td_pre_fault(void *arg, int side)
{
	struct td *td = arg;
	struct kvm_pre_fault_memory range = {
		.gpa = SLOT_GPA,
		.size = NR_PAGES * PAGE_SIZE,
	};

	return errno_of(__vcpu_ioctl(td->vcpu[side], KVM_PRE_FAULT_MEMORY, &range));
}

int td_punch_hole(void *arg, int side)
{
	struct td *td = arg;

	vm_guest_mem_punch_hole(td->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	return 0;
}

int td_set_shared(void *arg, int side)
{
	struct td *td = arg;

	vm_mem_set_shared(td->vm, SLOT_GPA, NR_PAGES * PAGE_SIZE);
	return 0;
}

int td_delete_memslot(void *arg, int side)
{
	struct td *td = arg;

	return errno_of(__tdx_delete_slot(td->vm, SLOT));
}

/* Another memslot with a guest_memfd of its own, which has one of its pages. */
#define OTHER_SLOT	2
#define OTHER_GPA	0x200000ul

void td_add_other_slot(struct td *td)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)td->source,
		.gpa = OTHER_GPA,
		.nr_pages = 1,
	};

	vm_mem_add(td->vm, VM_MEM_SRC_ANONYMOUS, OTHER_GPA, OTHER_SLOT, 1,
		   KVM_MEM_GUEST_MEMFD, -1, 0);
	vm_mem_set_private(td->vm, OTHER_GPA, PAGE_SIZE);
	assert_added(td->vcpu[0], region);
}

int td_punch_other_hole(void *arg, int side)
{
	struct td *td = arg;

	vm_guest_mem_punch_hole(td->vm, OTHER_GPA, PAGE_SIZE);
	return 0;
}

int td_add_and_measure_page(void *arg, int side)
{
	struct td *td = arg;
	struct kvm_tdx_init_mem_region region = td_pages(td, 0, 1);

	return errno_of(__tdx_init_mem_region(td->vcpu[side], KVM_TDX_MEASURE_MEMORY_REGION,
					      &region, NULL));
}

int td_get_state_of_other_vcpu(void *arg, int side)
{
	struct td *td = arg;

	return race_load_vcpu(td->vcpu[!side]);
}

/* Have the other side's thread come to this CPU. */
int td_fetch_thread(void *arg, int side)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	return errno_of(sched_setaffinity(race_thread(!side), sizeof(here), &here));
}
