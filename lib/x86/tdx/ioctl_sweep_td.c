// SPDX-License-Identifier: GPL-2.0
/*
 * The TD that a sweep plays with.  Its guest knows what its memory, its registers and
 * its MSRs were, and stops if any of them changes.
 */
#include <sys/eventfd.h>
#include <sys/time.h>

#include "tdx/generic/asserts.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/ioctl_sweep.h"
#include "tdx/td_boot.h"

const char *const sweep_stage_names[SWEEP_NR_STAGES] = {
	"new", "init_vm", "vcpu", "init_vcpu", "memory", "final", "ran", "exit",
	"shutdown", "dead",
};

/*
 * Guest
 */
#define EXIT_PORT	0x5678

/* Private memory. */
static u64 guest_memory[1024];

/* How the guest ends before it has exited, if at all. */
static bool guest_shuts_down, guest_kills_td;

/* MSRs that a TD may access without asking the host. */
static const u32 guest_msrs[] = {
	MSR_EFER, MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_KERNEL_GS_BASE, MSR_FS_BASE,
	MSR_GS_BASE, MSR_IA32_CR_PAT, MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP,
	MSR_IA32_SYSENTER_EIP,
};

struct guest_state {
	u64 cr0, cr3, cr4, xcr0;
	u64 dr[5];
	u64 msr[ARRAY_SIZE(guest_msrs)];
	u32 cpuid[3][4];
};

static struct guest_state guest_before, guest_now;

static void guest_fill_in_state(void)
{
	for (int i = 0; i < ARRAY_SIZE(guest_memory); i++)
		guest_memory[i] = ~i;

	wrmsr(MSR_STAR, 0x0023001000000000ul);
	wrmsr(MSR_LSTAR, 0x111122220000ul);
	wrmsr(MSR_SYSCALL_MASK, 0x700);
	wrmsr(MSR_KERNEL_GS_BASE, 0x333344440000ul);
	wrmsr(MSR_IA32_SYSENTER_ESP, 0x555566660000ul);
	asm volatile("mov %0, %%dr0" : : "r"(0x1000ul));
	asm volatile("mov %0, %%dr1" : : "r"(0x2000ul));
	asm volatile("mov %0, %%dr2" : : "r"(0x3000ul));
	asm volatile("mov %0, %%dr3" : : "r"(0x4000ul));
}

static void guest_save_state(struct guest_state *state)
{
	state->cr0 = get_cr0();
	state->cr3 = get_cr3();
	state->cr4 = get_cr4();
	state->xcr0 = this_cpu_has(X86_FEATURE_OSXSAVE) ? xgetbv(0) : 0;
	asm volatile("mov %%dr0, %0" : "=r"(state->dr[0]));
	asm volatile("mov %%dr1, %0" : "=r"(state->dr[1]));
	asm volatile("mov %%dr2, %0" : "=r"(state->dr[2]));
	asm volatile("mov %%dr3, %0" : "=r"(state->dr[3]));
	asm volatile("mov %%dr7, %0" : "=r"(state->dr[4]));
	for (int i = 0; i < ARRAY_SIZE(guest_msrs); i++)
		state->msr[i] = rdmsr(guest_msrs[i]);
	for (int i = 0; i < ARRAY_SIZE(state->cpuid); i++)
		__cpuid(i == 2 ? 7 : i, 0, &state->cpuid[i][0], &state->cpuid[i][1],
			&state->cpuid[i][2], &state->cpuid[i][3]);
}

static void guest_check_state(void)
{
	const u64 *before = (void *)&guest_before, *now = (void *)&guest_now;

	guest_save_state(&guest_now);
	for (int i = 0; i < sizeof(guest_now) / sizeof(u64); i++)
		__GUEST_ASSERT(before[i] == now[i], "State %u was 0x%lx and is 0x%lx", i,
			       (unsigned long)before[i], (unsigned long)now[i]);
	for (int i = 0; i < ARRAY_SIZE(guest_memory); i++)
		GUEST_ASSERT_EQ(guest_memory[i], (u64)~i);
}

/* Exit with a TDVMCALL that passes all registers. */
static void guest_exit(void)
{
	struct tdvmcall call = TDVMCALL(EXIT_REASON_IO_INSTRUCTION, 1, TDVMCALL_WRITE,
					EXIT_PORT, 0xaa);

	for (int i = 4; i < TDVMCALL_NR_ARGS; i++)
		tdvmcall_arg(&call, i) = 0x123456789abc0000ul + i;

	GUEST_ASSERT_EQ(__tdvmcall(&call), TDX_SUCCESS);
	GUEST_ASSERT_EQ(tdvmcall_status(&call), TDVMCALL_STATUS_SUCCESS);
	for (int i = 4; i < TDVMCALL_NR_ARGS; i++)
		GUEST_ASSERT_EQ(tdvmcall_arg(&call, i), 0x123456789abc0000ul + i);
}

static void guest_code(void)
{
	const struct desc_ptr no_idt = {};

	if (guest_kills_td)
		READ_ONCE(*(u64 *)SWEEP_SCRATCH_GPA);
	if (guest_shuts_down) {
		set_idt(&no_idt);
		asm volatile("ud2");
	}

	guest_fill_in_state();
	guest_save_state(&guest_before);
	for (;;) {
		guest_exit();
		guest_check_state();
		GUEST_DONE();
	}
}

/* What user space sends may arrive. */
static void guest_nmi_handler(struct ex_regs *regs)
{
}

/*
 * Host
 */

/* The guest's access to the scratch memory, which it has not accepted, will kill it. */
static bool init_vm_to_die(struct kvm_vm *vm)
{
	const bool can = has_sept_ve_disable(vm);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);

	if (can) {
		init->attributes |= TDX_TD_ATTR_SEPT_VE_DISABLE;
		tdx_init_vm(vm, init);
		vm_mem_set_private(vm, SWEEP_SCRATCH_GPA, SWEEP_SCRATCH_SIZE);
		tdx_map_both(vm, SWEEP_SCRATCH_GPA, 1);
	}
	free(init);
	return can;
}

static void create_vm(struct sweep_td *td, enum sweep_stage stage)
{
	td->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	td->vcpu = NULL;
	td->kvm_fd = open_kvm_dev_path_or_exit();
	td->run_size = ioctl(td->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
	td->eventfd = kvm_new_eventfd();
	td->guest_memfd = vm_create_guest_memfd(td->vm, SWEEP_SCRATCH_SIZE, 0);
	vm_userspace_mem_region_add(td->vm, VM_MEM_SRC_ANONYMOUS, SWEEP_SCRATCH_GPA,
				    SWEEP_SCRATCH_SLOT, SWEEP_SCRATCH_SIZE / PAGE_SIZE,
				    KVM_MEM_GUEST_MEMFD);
	vm_install_exception_handler(td->vm, NMI_VECTOR, guest_nmi_handler);
	guest_shuts_down = stage == SWEEP_SHUTDOWN;
	guest_kills_td = stage == SWEEP_DEAD;
	sync_global_to_guest(td->vm, guest_shuts_down);
	sync_global_to_guest(td->vm, guest_kills_td);
}

static void init_vcpu(struct kvm_vcpu *vcpu)
{
	tdx_init_vcpu(vcpu, 0);
	vcpu_arch_set_entry_point(vcpu, guest_code);
}

static void run_to_exit(struct kvm_vcpu *vcpu)
{
	vcpu_run(vcpu);
	TEST_ASSERT_EXIT_IO(vcpu, EXIT_PORT, 1, KVM_EXIT_IO_OUT);
}

static void complete_exit(struct kvm_vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINTR);
	vcpu->run->immediate_exit = 0;
}

static void next_stage(struct sweep_td *td)
{
	switch (++td->stage) {
	case SWEEP_INIT_VM:
		tdx_init_vm(td->vm, NULL);
		break;
	case SWEEP_VCPU:
		td->vcpu = __vm_vcpu_add(td->vm, 0);
		tdx_vcpu_init_cpuid(td->vcpu);
		break;
	case SWEEP_INIT_VCPU:
		init_vcpu(td->vcpu);
		break;
	case SWEEP_MEMORY:
		tdx_load_private_memory(td->vm);
		break;
	case SWEEP_FINAL:
		tdx_finalize(td->vm);
		break;
	case SWEEP_RAN:
		run_to_exit(td->vcpu);
		complete_exit(td->vcpu);
		break;
	default:
		TEST_FAIL("No way to stage %u", td->stage);
	}
}

bool sweep_td_create(struct sweep_td *td, enum sweep_stage stage)
{
	td->stage = SWEEP_NEW;
	create_vm(td, stage);
	if (stage == SWEEP_DEAD) {
		if (!init_vm_to_die(td->vm))
			return false;
		td->stage = SWEEP_INIT_VM;
	}
	while (td->stage < (stage <= SWEEP_RAN ? stage : SWEEP_FINAL))
		next_stage(td);

	if (stage == SWEEP_EXIT)
		run_to_exit(td->vcpu);
	if (stage == SWEEP_SHUTDOWN) {
		vcpu_run(td->vcpu);
		TEST_ASSERT_KVM_EXIT_REASON(td->vcpu, KVM_EXIT_SHUTDOWN);
	}
	if (stage == SWEEP_DEAD)
		TEST_ASSERT_FAILS(__vcpu_run(td->vcpu), EIO);
	td->stage = stage;
	return true;
}

/* Let the guest, which does not end by itself, get to where it has checked everything. */
static void run_to_done(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < 16; i++) {
		struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
		struct ucall uc;

		vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &runnable);
		if (vcpu_run_to_ucall(vcpu, &uc) == UCALL_DONE)
			return;
		TEST_ASSERT_EXIT_IO(vcpu, EXIT_PORT, 1, KVM_EXIT_IO_OUT);
	}
	TEST_FAIL("The guest doesn't get to its end");
}

void sweep_td_finish(struct sweep_td *td)
{
	switch (td->stage) {
	case SWEEP_DEAD:
		TEST_ASSERT_FAILS(__vcpu_run(td->vcpu), EIO);
		break;
	case SWEEP_SHUTDOWN:
		break;
	default:
		while (td->stage < SWEEP_FINAL)
			next_stage(td);
		run_to_done(td->vcpu);
	}
}

void sweep_td_free(struct sweep_td *td)
{
	close(td->kvm_fd);
	close(td->eventfd);
	close(td->guest_memfd);
	kvm_vm_free(td->vm);
}

static void no_action(int signal)
{
}

void sweep_td_try_to_finish(struct sweep_td *td)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000,
					.it_interval.tv_usec = 20000 };
	const struct sigaction interrupt = { .sa_handler = no_action };

	if (td->stage < SWEEP_FINAL || td->stage >= SWEEP_SHUTDOWN)
		return;

	/* A vCPU that waits for ever is none of KVM's mistakes. */
	TEST_ASSERT_EQ(sigaction(SIGALRM, &interrupt, NULL), 0);
	TEST_ASSERT_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
	for (int i = 0; i < 3; i++) {
		__vcpu_run(td->vcpu);
		if (td->vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN)
			break;
	}
}
