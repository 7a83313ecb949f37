// SPDX-License-Identifier: GPL-2.0
/* What the steps of a random program do that are no plain ioctls. */
#include <linux/falloc.h>
#include <sys/mman.h>

#include "apic.h"
#include "tdx/fuzz_steps.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/tdx_msr.h"

/* What a guest that was not disturbed still finds in its private memory. */
#define CANARY	0x5ca1ab1e0ddba11ull

/* A spurious vector of 0xff, and the APIC enabled. */
#define APIC_SPIV_ON	0x1ff

static u64 canary = CANARY;

static void shut_down(u64 unused)
{
	const struct desc_ptr no_idt = {};

	set_idt(&no_idt);
	asm volatile("ud2");
}

static struct fuzz_vm *vm_of(struct fuzz_world *w, const struct fuzz_step *step)
{
	return &w->vm[step->vm];
}

static void add_vcpu(struct fuzz_vm *vm, int i, u64 stage)
{
	struct kvm_vcpu *vcpu;

	if (stage >= FUZZ_VCPU_INITIALIZED) {
		vm->guest[i] = tdx_guest_add(vm->vm, i);
		vcpu = vm->guest[i].vcpu;
	} else {
		vcpu = __vm_vcpu_add(vm->vm, i);
	}
	vm->vcpu_fd[i] = vcpu->fd;
	vm->run[i] = vcpu->run;
}

/* The guest has private memory beyond the initial one, and an APIC that is on. */
static void run_guest(struct fuzz_vm *vm)
{
	tdx_guest_wrmsr(&vm->guest[0], X2APIC_MSR(APIC_SPIV), APIC_SPIV_ON);
	for (int page = 0; page < FUZZ_PAGES; page++)
		tdx_make_private(&vm->guest[0], GMEM_PAGE(page), 1, MAGIC + page);
	vm->has_pages = true;
}

static struct kvm_vm *create_td(const struct fuzz_launch *launch)
{
	if (launch->stage == FUZZ_CREATED)
		return ____vm_create(VM_SHAPE_TDX);
	return tdx_memory_create(launch->attributes);
}

/* What is not a TD is there to get in the way. */
static struct kvm_vm *create_other(u64 type)
{
	const struct vm_shape shape = {
		.mode = VM_MODE_DEFAULT,
		.type = type,
	};

	if (type > 63 || !(kvm_check_cap(KVM_CAP_VM_TYPES) & BIT_ULL(type)))
		return NULL;
	return ____vm_create(shape);
}

FUZZ_STEP(launch)
{
	const struct fuzz_launch *launch = operand;
	struct fuzz_vm *vm = vm_of(w, step);
	u64 vcpus = clamp(launch->vcpus, 1ul, (u64)FUZZ_VCPUS);
	bool is_td = launch->type == KVM_X86_TDX_VM;

	if (vm->vm)
		return 0;
	tdx_gpaw = launch->gpaw == 52 && is_tdx_gpaw_supported(52) ? 52 : 48;
	vm->vm = is_td ? create_td(launch) : create_other(launch->type);
	if (!vm->vm)
		return 0;
	vm->fd = vm->vm->fd;
	if (!is_td || launch->stage == FUZZ_CREATED)
		return 0;
	vm->gmem = memslot2region(vm->vm, GMEM_SLOT)->region.guest_memfd;
	vm->hva = addr_gpa2hva(vm->vm, GMEM_GPA);

	for (int i = 0; launch->stage >= FUZZ_VCPU_CREATED && i < vcpus; i++)
		add_vcpu(vm, i, launch->stage);
	if (launch->stage >= FUZZ_MEMORY_ADDED)
		tdx_load_private_memory(vm->vm);
	if (launch->stage >= FUZZ_FINALIZED)
		tdx_finalize(vm->vm);
	if (launch->stage < FUZZ_FINALIZED)
		vm->may_break = true;
	if (launch->stage >= FUZZ_HAS_RUN)
		run_guest(vm);
	return 0;
}

/* A VMM's answers to exits.  Returns false if the guest need not run on. */
static bool answer(struct fuzz_vm *vm, int vcpu, const struct fuzz_guest *guest)
{
	struct kvm_run *run = vm->run[vcpu];
	struct kvm_memory_attributes attributes;

	switch (run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		run->hypercall.ret = guest->answer;
		return true;
	case KVM_EXIT_TDX:
		run->tdx.unknown.ret = guest->answer;
		return true;
	case KVM_EXIT_MMIO:
		memcpy(run->mmio.data, &guest->answer, sizeof(run->mmio.data));
		return true;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		run->msr.data = guest->answer;
		run->msr.error = guest->answer & 1;
		return true;
	case KVM_EXIT_MEMORY_FAULT:
		attributes = (struct kvm_memory_attributes) {
			.address = run->memory_fault.gpa,
			.size = run->memory_fault.size,
			.attributes = run->memory_fault.flags & PRIVATE ?
				      KVM_MEMORY_ATTRIBUTE_PRIVATE : 0,
		};
		return guest->convert &&
		       !ioctl(vm->fd, KVM_SET_MEMORY_ATTRIBUTES, &attributes);
	case KVM_EXIT_IO:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_IOAPIC_EOI:
		return true;
	default:
		return false;
	}
}

/* Run until the guest has served its request.  Returns whether it has. */
static bool serve(struct fuzz_vm *vm, int i, const struct fuzz_guest *guest)
{
	struct kvm_run *run = vm->run[i];
	struct ucall uc;

	for (u64 n = 0; n < guest->runs && n < 16; n++) {
		int r = fuzz_kvm_run(vm, i);

		if (r && !(errno == EFAULT && run->exit_reason == KVM_EXIT_MEMORY_FAULT))
			return false;
		if (!r && tdx_get_ucall(vm->guest[i].vcpu)) {
			if (get_ucall(vm->guest[i].vcpu, &uc) == UCALL_SYNC)
				return true;
			vm->down[i] = true;
			return false;
		}
		if (run->exit_reason == KVM_EXIT_SHUTDOWN ||
		    run->exit_reason == KVM_EXIT_SYSTEM_EVENT)
			vm->down[i] = true;
		if (!answer(vm, i, guest))
			return false;
	}
	return false;
}

static bool can_serve(struct fuzz_vm *vm, int i)
{
	return vm->guest[i].vm && vm->run[i] && vm->vcpu_fd[i] >= 0 && !vm->down[i];
}

/* What the guest does to itself is not KVM's. */
static bool keeps_guest_whole(u64 op)
{
	return op == TDX_GUEST_TDVMCALL || op == TDX_GUEST_CPUID || op == TDX_GUEST_RDMSR ||
	       op == TDX_GUEST_VM_RD || op == TDX_GUEST_READ;
}

FUZZ_STEP(guest)
{
	struct fuzz_vm *vm = vm_of(w, step);
	const struct fuzz_guest *guest = operand;
	struct tdvmcall call = TDVMCALL(guest->leaf);

	if (!can_serve(vm, step->vcpu))
		return 0;
	if (guest->op > TDX_GUEST_RELEASE)
		return 0;
	if (!keeps_guest_whole(guest->op))
		vm->may_break = true;
	call.reg[TDVMCALL_MASK] = guest->call_mask;
	call.reg[TDVMCALL_TYPE] = guest->type;
	for (int i = 0; i < ARRAY_SIZE(guest->arg); i++)
		tdvmcall_arg(&call, i) = guest->arg[i];

	tdx_guest_post(&vm->guest[step->vcpu], guest->op, guest->addr, guest->val);
	vm->guest[step->vcpu].req->mask = guest->mask;
	vm->guest[step->vcpu].req->call = call;
	serve(vm, step->vcpu, guest);
	return 0;
}

FUZZ_STEP(guest_shutdown)
{
	const struct fuzz_guest once = { .runs = 1 };
	struct fuzz_vm *vm = vm_of(w, step);

	if (!can_serve(vm, step->vcpu))
		return 0;
	tdx_guest_post(&vm->guest[step->vcpu], TDX_GUEST_FUNCTION, (u64)shut_down, 0);
	serve(vm, step->vcpu, &once);
	vm->down[step->vcpu] = true;
	return 0;
}

/* A bare KVM_RUN, after changes to struct kvm_run, of whatever vCPU it is. */
FUZZ_STEP(vcpu)
{
	struct fuzz_vm *vm = vm_of(w, step);
	struct kvm_run *run = vm->run[step->vcpu];
	struct kvm_vcpu *vcpu = vm->guest[step->vcpu].vcpu;
	int r;

	if (!run)
		return 0;
	fuzz_apply(step, run);
	r = fuzz_kvm_run(vm, step->vcpu);
	if (!r && run->exit_reason == KVM_EXIT_SHUTDOWN)
		vm->down[step->vcpu] = true;
	if (!r && vcpu && tdx_get_ucall(vcpu) && get_ucall(vcpu, NULL) == UCALL_ABORT)
		vm->down[step->vcpu] = true;
	return r;
}

/* Returns whether the guest has served its request, or says why not. */
static bool serves(struct fuzz_world *w, struct fuzz_vm *vm)
{
	const struct fuzz_guest patient = { .runs = 16 };

	errno = 0;
	if (serve(vm, 0, &patient))
		return true;
	/* Kicked out: it sleeps, or does what takes long, as it was asked to. */
	if (errno != EINTR && !vm->down[0] && !vm_is_dead(vm->vm))
		snprintf(w->outcome->wrong, sizeof(w->outcome->wrong),
			 "the guest does not run on: errno %d, %s", errno,
			 vcpu_exit_str(vm->guest[0].vcpu));
	return false;
}

static bool has_in_memory(struct fuzz_world *w, struct fuzz_vm *vm, u64 gva, u64 val)
{
	struct tdx_guest_request *req = vm->guest[0].req;

	tdx_guest_post(&vm->guest[0], TDX_GUEST_READ, gva, 0);
	if (!serves(w, vm))
		return false;
	if (!req->vector && req->val == val)
		return true;
	snprintf(w->outcome->wrong, sizeof(w->outcome->wrong),
		 "the guest has 0x%lx at 0x%lx, not 0x%lx, vector %lu", (unsigned long)req->val,
		 (unsigned long)gva, (unsigned long)val, (unsigned long)req->vector);
	return false;
}

/* A TDVMCALL that KVM deals with leaves what is neither result nor status as it was. */
static bool keeps_registers(struct fuzz_world *w, struct fuzz_vm *vm)
{
	struct tdvmcall call = TDVMCALL(TDVMCALL_GET_TD_VM_CALL_INFO, 0);
	struct tdvmcall *back = &vm->guest[0].req->call;

	for (int i = 4; i < TDVMCALL_NR_ARGS; i++)
		tdvmcall_arg(&call, i) = CANARY + i;
	tdx_guest_post_call(&vm->guest[0], call);
	if (!serves(w, vm))
		return false;
	for (int i = 4; i < TDVMCALL_NR_ARGS; i++) {
		if (tdvmcall_arg(back, i) == CANARY + i)
			continue;
		snprintf(w->outcome->wrong, sizeof(w->outcome->wrong),
			 "the guest's register %u has changed to 0x%lx", tdvmcall_args[i],
			 (unsigned long)tdvmcall_arg(back, i));
		return false;
	}
	return true;
}

/* After steps that must not harm it, the guest has its memory and registers. */
FUZZ_STEP(check)
{
	struct fuzz_vm *vm = vm_of(w, step);
	const struct fuzz_guest patient = { .runs = 16 };

	if (vm->may_break || !can_serve(vm, 0))
		return 0;
	/* What was going on may end first. */
	serve(vm, 0, &patient);
	if (vm->down[0] || vm_is_dead(vm->vm))
		return 0;
	if (!has_in_memory(w, vm, (u64)&canary, CANARY) || !keeps_registers(w, vm))
		return 0;
	for (int page = 0; vm->has_pages && page < FUZZ_PAGES; page++)
		if (!has_in_memory(w, vm, GMEM_PAGE(page), MAGIC + page))
			break;
	return 0;
}

FUZZ_STEP(command)
{
	struct fuzz_vm *vm = vm_of(w, step);
	struct fuzz_cmd *c = operand;
	struct kvm_tdx_capabilities *caps = NULL;
	cpu_set_t cpus;
	int r;

	if (c->cmd.id == KVM_TDX_CAPABILITIES && !c->cmd.data) {
		caps = calloc(1, sizeof(*caps) + TDX_MAX_CPUID * sizeof(*caps->cpuid.entries));
		caps->cpuid.nent = TDX_MAX_CPUID;
		c->cmd.data = (u64)caps;
	}
	/* KVM moves no vCPU between CPUs that it is just initialising: README. */
	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (c->cmd.id == KVM_TDX_INIT_VCPU)
		pin_self_to_any_cpu();
	r = ioctl(step->op->target == FUZZ_VM ? vm->fd : vm->vcpu_fd[step->vcpu],
		  KVM_MEMORY_ENCRYPT_OP, &c->cmd);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	free(caps);
	return r;
}

FUZZ_STEP(init_vm)
{
	struct fuzz_vm *vm = vm_of(w, step);
	struct fuzz_init_vm *c = operand;
	struct kvm_tdx_init_vm *sane;

	if (!vm->vm || vm->vm->type != KVM_X86_TDX_VM)
		return 0;
	sane = tdx_default_init_vm(vm->vm);
	c->cmd.id = KVM_TDX_INIT_VM;
	c->cmd.data = (u64)&c->init;
	memcpy(&c->init, sane, min_t(size_t, sizeof(c->init) + sizeof(c->entry),
				     sizeof(*sane) + sane->cpuid.nent *
				     sizeof(sane->cpuid.entries[0])));
	free(sane);
	fuzz_apply(step, operand);
	return ioctl(vm->fd, KVM_MEMORY_ENCRYPT_OP, &c->cmd);
}

FUZZ_STEP(set_cpuid)
{
	struct fuzz_cpuid *c = operand;
	const int fd = vm_of(w, step)->vcpu_fd[step->vcpu];

	c->cpuid.nent = ARRAY_SIZE(c->entry);
	if (ioctl(fd, KVM_GET_CPUID2, &c->cpuid))
		c->cpuid.nent = 0;
	fuzz_apply(step, operand);
	return ioctl(fd, KVM_SET_CPUID2, &c->cpuid);
}

FUZZ_STEP(punch_hole)
{
	const struct fuzz_memory *m = operand;

	return fallocate(vm_of(w, step)->gmem, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 m->offset, m->size);
}

FUZZ_STEP(allocate)
{
	const struct fuzz_memory *m = operand;

	return fallocate(vm_of(w, step)->gmem, m->mode, m->offset, m->size);
}

FUZZ_STEP(madvise)
{
	const struct fuzz_memory *m = operand;
	struct fuzz_vm *vm = vm_of(w, step);

	if (!vm->hva || m->offset >= SLOT_SIZE || m->size > SLOT_SIZE - m->offset)
		return 0;
	/* These make the machine's memory bad, or this process wait. */
	if (m->mode == MADV_HWPOISON || m->mode == 101)
		return 0;
	return madvise(vm->hva + m->offset, m->size, m->mode);
}

static int close_fd(int *fd)
{
	int r = close(*fd);

	*fd = -1;
	return r;
}

FUZZ_STEP(close_vm)
{
	vm_of(w, step)->may_break = true;
	return close_fd(&vm_of(w, step)->fd);
}

FUZZ_STEP(close_vcpu)
{
	return close_fd(&vm_of(w, step)->vcpu_fd[step->vcpu]);
}

FUZZ_STEP(close_gmem)
{
	return close_fd(&vm_of(w, step)->gmem);
}

FUZZ_STEP(dup_vm)
{
	return dup(vm_of(w, step)->fd);
}

FUZZ_STEP(unmap_run)
{
	struct fuzz_vm *vm = vm_of(w, step);
	void *run = vm->run[step->vcpu];

	vm->run[step->vcpu] = NULL;
	return run ? munmap(run, ioctl(w->kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) : 0;
}

FUZZ_STEP(kick)
{
	const struct fuzz_number *n = operand;

	if (n->number >= FUZZ_THREADS || !w->started[n->number])
		return 0;
	return pthread_kill(w->thread[n->number], SIGUSR1);
}

FUZZ_STEP(pin)
{
	const struct fuzz_number *n = operand;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(n->number % 4, &cpus);
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

FUZZ_STEP(create_vcpu)
{
	const struct fuzz_number *n = operand;
	struct fuzz_vm *vm = vm_of(w, step);
	int fd = ioctl(vm->fd, KVM_CREATE_VCPU, n->number);
	void *run;

	if (fd < 0 || vm->vcpu_fd[step->vcpu] >= 0)
		return fd;
	run = mmap(NULL, ioctl(w->kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		   MAP_SHARED, fd, 0);
	vm->vcpu_fd[step->vcpu] = fd;
	vm->run[step->vcpu] = run == MAP_FAILED ? NULL : run;
	return 0;
}

FUZZ_STEP(raw)
{
	struct fuzz_raw *raw = operand;
	struct fuzz_vm *vm = vm_of(w, step);
	const int fds[] = { -1, w->kvm, vm->fd, vm->vcpu_fd[step->vcpu], vm->gmem };

	return ioctl(fds[raw->target % ARRAY_SIZE(fds)],
		     _IOC(raw->dir & 3, KVMIO, raw->nr, min_t(u16, raw->size, 512)), raw->word);
}
