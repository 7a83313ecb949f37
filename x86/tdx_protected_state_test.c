// SPDX-License-Identifier: GPL-2.0
/*
 * What user space may not do to a TD, ioctl by ioctl.
 *
 * The state of a TD's vCPUs is the TDX module's.  KVM has no part in it, so the
 * ioctls that read or write registers, FPU, local APIC or TSC have to fail, and
 * those that would hand an event to the vCPU, for which KVM relies on the VMCS
 * of other VMs, must be refused, or do nothing, or work.  They may not leave
 * KVM's own view of the vCPU behind in a state that no TD can be in.
 *
 * For each call that has to fail here there is the same call on an ordinary VM,
 * where it succeeds: otherwise it could be the arguments that were wrong.
 */
#include "apic.h"
#include "kvm_util.h"
#include "mce.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

/* All zeroes is a valid argument for each of the calls. */
static u8 arg[4 * PAGE_SIZE] __aligned(PAGE_SIZE);

static int do_ioctl(int fd, unsigned long cmd)
{
	memset(arg, 0, sizeof(arg));
	errno = 0;
	return ioctl(fd, cmd, arg);
}

/* Calls of a vCPU that KVM refuses, all with EINVAL. */
#define REFUSED(X)				\
	X(get_regs, KVM_GET_REGS);		\
	X(set_regs, KVM_SET_REGS);		\
	X(get_sregs, KVM_GET_SREGS);		\
	X(set_sregs, KVM_SET_SREGS);		\
	X(get_sregs2, KVM_GET_SREGS2);		\
	X(set_sregs2, KVM_SET_SREGS2);		\
	X(get_debugregs, KVM_GET_DEBUGREGS);	\
	X(set_debugregs, KVM_SET_DEBUGREGS);	\
	X(set_guest_debug, KVM_SET_GUEST_DEBUG);\
	X(get_fpu, KVM_GET_FPU);		\
	X(set_fpu, KVM_SET_FPU);		\
	X(get_xsave, KVM_GET_XSAVE);		\
	X(get_xsave2, KVM_GET_XSAVE2);		\
	X(set_xsave, KVM_SET_XSAVE);		\
	X(get_xcrs, KVM_GET_XCRS);		\
	X(set_xcrs, KVM_SET_XCRS);		\
	X(get_lapic, KVM_GET_LAPIC);		\
	X(set_lapic, KVM_SET_LAPIC)

/* A vCPU that KVM_TDX_INIT_VCPU was done for, of a TD without memory. */
FIXTURE(refused) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *ordinary_vm;
	struct kvm_vcpu *ordinary;
};

FIXTURE_VARIANT(refused) {
	unsigned long cmd;
};

#define VARIANT(_name, _cmd)	FIXTURE_VARIANT_ADD(refused, _name) { .cmd = _cmd }
REFUSED(VARIANT);

FIXTURE_SETUP(refused)
{
	self->ordinary_vm = ____vm_create(VM_SHAPE_DEFAULT);
	vm_enable_cap(self->ordinary_vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	self->ordinary = __vm_vcpu_add(self->ordinary_vm, 0);

	self->vm = ____vm_create(VM_SHAPE_TDX);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	tdx_init_vm(self->vm, NULL);
	self->vcpu = __vm_vcpu_add(self->vm, 0);
}

FIXTURE_TEARDOWN(refused)
{
	kvm_vm_free(self->ordinary_vm);
	kvm_vm_free(self->vm);
}

TEST_F(refused, since_vcpu_exists)
{
	TEST_ASSERT_EQ(do_ioctl(self->ordinary->fd, variant->cmd), 0);
	TEST_ASSERT_FAILS(do_ioctl(self->vcpu->fd, variant->cmd), EINVAL);
	tdx_vcpu_init_cpuid(self->vcpu);
	tdx_init_vcpu(self->vcpu, 0);
	TEST_ASSERT_FAILS(do_ioctl(self->vcpu->fd, variant->cmd), EINVAL);
}

/* A TD that has run, and that has to be able to go on after each case. */

static u64 nr_nmis;

static void nmi_handler(struct ex_regs *regs)
{
	WRITE_ONCE(nr_nmis, nr_nmis + 1);
}

static void guest_code(void)
{
	for (;;)
		GUEST_SYNC(READ_ONCE(nr_nmis));
}

FIXTURE(state) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

/* Run to the guest's next word.  How many NMIs has it seen? */
static u64 run(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	__tdx_vcpu_run_expect(vcpu, &uc, UCALL_SYNC);
	return uc.args[1];
}

FIXTURE_SETUP(state)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, guest_code);
	vm_install_exception_handler(self->vm, NMI_VECTOR, nmi_handler);
	vm_tdx_launch(self->vm);
	run(self->vcpu);
}

FIXTURE_TEARDOWN(state)
{
	run(self->vcpu);
	kvm_vm_free(self->vm);
}

TEST_F(state, all_refused_after_run)
{
	int r;

#define TRY(_name, _cmd)						\
do {									\
	r = do_ioctl(self->vcpu->fd, _cmd);				\
	TEST_ASSERT(r == -1 && errno == EINVAL,				\
		    "Wanted EINVAL from " #_name ", got %d, errno %d", r, errno); \
	run(self->vcpu);						\
} while (0)
	REFUSED(TRY);
}

/* Registers by way of struct kvm_run */

TEST_F(state, no_sync_regs)
{
	TEST_ASSERT(kvm_check_cap(KVM_CAP_SYNC_REGS), "Other VMs have them");
	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_SYNC_REGS), 0);
}

TEST_F(state, sync_regs_read_refused)
{
	const u64 all = kvm_check_cap(KVM_CAP_SYNC_REGS);

	for (u64 field = 1; field <= all; field <<= 1) {
		self->vcpu->run->kvm_valid_regs = field;
		TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	}
	self->vcpu->run->kvm_valid_regs = 0;
}

TEST_F(state, sync_regs_write_refused)
{
	const u64 all = kvm_check_cap(KVM_CAP_SYNC_REGS);

	for (u64 field = 1; field <= all; field <<= 1) {
		self->vcpu->run->kvm_dirty_regs = field;
		TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	}
	self->vcpu->run->kvm_dirty_regs = 0;
}

/*
 * KVM can't walk a TD's page tables, and must not pretend to have.  As far as
 * it knows the vCPU never turned paging on.
 */
TEST_F(state, translate_tells_nothing)
{
	/* Mapped by the guest, at another GPA. */
	const gva_t gva = (gva_t)&nr_nmis;
	struct kvm_translation tr = { .linear_address = gva };

	if (__vcpu_ioctl(self->vcpu, KVM_TRANSLATE, &tr)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return;
	}
	TEST_ASSERT(!tr.valid || tr.physical_address == gva,
		    "0x%lx is at 0x%llx?", (unsigned long)gva, tr.physical_address);
}

/* Time: offset and frequency were settled by KVM_TDX_INIT_VM. */

TEST_F(state, set_tsc_khz_refused)
{
	int khz = __vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL);

	TEST_ASSERT(khz > 0, KVM_IOCTL_ERROR(KVM_GET_TSC_KHZ, khz));
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_TSC_KHZ, (void *)(long)khz),
			  EINVAL);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_TSC_KHZ, NULL), EINVAL);
	TEST_ASSERT_EQ(__vcpu_ioctl(self->vcpu, KVM_GET_TSC_KHZ, NULL), khz);
}

TEST_F(state, vm_set_tsc_khz_refused)
{
	int khz = __vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL);

	TEST_ASSERT_FAILS(__vm_ioctl(self->vm, KVM_SET_TSC_KHZ, (void *)(long)(khz / 2)),
			  EINVAL);
	TEST_ASSERT_EQ(__vm_ioctl(self->vm, KVM_GET_TSC_KHZ, NULL), khz);
}

/* No error, and no effect either. */
TEST_F(state, tsc_offset_ignored)
{
	u64 before, after, offset;
	struct kvm_device_attr attr = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
	};

	attr.addr = (u64)&before;
	vcpu_ioctl(self->vcpu, KVM_GET_DEVICE_ATTR, &attr);
	offset = before + 0x123456789;
	attr.addr = (u64)&offset;
	__vcpu_ioctl(self->vcpu, KVM_SET_DEVICE_ATTR, &attr);
	attr.addr = (u64)&after;
	vcpu_ioctl(self->vcpu, KVM_GET_DEVICE_ATTR, &attr);
	TEST_ASSERT_EQ(after, before);
}

/* CPUID is settled since the vCPU has run, as for any VM. */

TEST_F(state, set_cpuid2_same_allowed)
{
	vcpu_set_cpuid(self->vcpu);
}

TEST_F(state, set_cpuid2_other_refused)
{
	vcpu_get_cpuid_entry(self->vcpu, 1)->eax ^= 1;
	TEST_ASSERT_FAILS(__vcpu_set_cpuid(self->vcpu), EINVAL);
	vcpu_get_cpuid_entry(self->vcpu, 1)->eax ^= 1;
}

/* Before that it is not, and KVM's MMU starts over; the TD's memory may not. */
TEST_F(state, set_cpuid2_after_launch_keeps_memory)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, 0, guest_code);

	vm_tdx_launch(vm);
	vcpu_set_cpuid(vcpu);
	run(vcpu);
	kvm_vm_free(vm);
}

/* A TD's vCPUs don't wait for INIT and SIPI; KVM could not give them to them. */

static void set_mp_state(struct kvm_vcpu *vcpu, u32 mp_state)
{
	struct kvm_mp_state state = { .mp_state = mp_state };

	vcpu_mp_state_set(vcpu, &state);
}

TEST_F(state, run_waiting_for_sipi_refused)
{
	set_mp_state(self->vcpu, KVM_MP_STATE_INIT_RECEIVED);
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	set_mp_state(self->vcpu, KVM_MP_STATE_RUNNABLE);
}

TEST_F(state, run_with_sipi_received_refused)
{
	set_mp_state(self->vcpu, KVM_MP_STATE_SIPI_RECEIVED);
	TEST_ASSERT_FAILS(__vcpu_run(self->vcpu), EINVAL);
	set_mp_state(self->vcpu, KVM_MP_STATE_RUNNABLE);
}

static int signal_msi(struct kvm_vm *vm, u32 data)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA,		/* vCPU 0 */
		.data = data,
	};

	return __vm_ioctl(vm, KVM_SIGNAL_MSI, &msi);
}

static void assert_runnable(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_ioctl(vcpu, KVM_GET_MP_STATE, &state);
	TEST_ASSERT_EQ(state.mp_state, KVM_MP_STATE_RUNNABLE);
}

TEST_F(state, init_ignored)
{
	TEST_ASSERT(signal_msi(self->vm, APIC_DM_INIT) >= 0, KVM_IOCTL_ERROR(KVM_SIGNAL_MSI, -1));
	run(self->vcpu);
	assert_runnable(self->vcpu);
}

TEST_F(state, init_and_sipi_ignored)
{
	TEST_ASSERT(signal_msi(self->vm, APIC_DM_INIT) >= 0, KVM_IOCTL_ERROR(KVM_SIGNAL_MSI, -1));
	TEST_ASSERT(signal_msi(self->vm, APIC_DM_STARTUP | 0x10) >= 0,
		    KVM_IOCTL_ERROR(KVM_SIGNAL_MSI, -1));
	run(self->vcpu);
	assert_runnable(self->vcpu);
}

/* SMM */

TEST_F(state, no_smm)
{
	TEST_ASSERT_EQ(vm_check_cap(self->vm, KVM_CAP_X86_SMM), 0);
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SMI, NULL), ENOTTY);
}

TEST_F(state, smi_by_msi_not_delivered)
{
	TEST_ASSERT_EQ(signal_msi(self->vm, APIC_DM_SMI), 0);
}

/* Events that user space puts into the vCPU by hand */

TEST_F(state, no_events_after_run)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	TEST_ASSERT_EQ(events.exception.injected, 0);
	TEST_ASSERT_EQ(events.exception.pending, 0);
	TEST_ASSERT_EQ(events.interrupt.injected, 0);
	TEST_ASSERT_EQ(events.interrupt.shadow, 0);
	TEST_ASSERT_EQ(events.nmi.injected, 0);
	TEST_ASSERT_EQ(events.nmi.pending, 0);
	TEST_ASSERT_EQ(events.nmi.masked, 0);
	TEST_ASSERT_EQ(events.smi.smm, 0);
	TEST_ASSERT_EQ(events.smi.pending, 0);
	vcpu_events_set(self->vcpu, &events);
}

TEST_F(state, unknown_events_refused)
{
	struct kvm_vcpu_events events;

	for (u32 flag = 1u << 31; flag > KVM_VCPUEVENT_VALID_TRIPLE_FAULT; flag >>= 1) {
		vcpu_events_get(self->vcpu, &events);
		events.flags |= flag;
		TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events),
				  EINVAL);
	}
}

/* Blocked or not is between guest and module, and KVM assumes the latter. */
TEST_F(state, blocking_ignored)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.nmi.masked = 1;
	events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	events.flags |= KVM_VCPUEVENT_VALID_SHADOW;
	vcpu_events_set(self->vcpu, &events);
	vcpu_events_get(self->vcpu, &events);
	TEST_ASSERT_EQ(events.nmi.masked, 0);
	TEST_ASSERT_EQ(events.interrupt.shadow, 0);

	vcpu_ioctl(self->vcpu, KVM_NMI, NULL);
	run(self->vcpu);
	TEST_ASSERT_EQ(run(self->vcpu), 1);
}

/* An NMI is the one event that KVM can hand to a TD. */
TEST_F(state, pending_nmi_delivered)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.nmi.pending = 1;
	events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
	vcpu_events_set(self->vcpu, &events);
	run(self->vcpu);
	TEST_ASSERT_EQ(run(self->vcpu), 1);
	vcpu_events_get(self->vcpu, &events);
	TEST_ASSERT_EQ(events.nmi.pending, 0);
	TEST_ASSERT_EQ(events.nmi.injected, 0);
}

/*
 * An event was put into the vCPU, with the result @r.  KVM may refuse it or
 * drop it.  It may not keep it as one that is half delivered: nothing ever ends
 * that, and no NMI gets past it.  Does KVM keep it?
 */
static bool is_stuck(struct kvm_vcpu *vcpu, int r)
{
	struct kvm_vcpu_events events;

	if (r) {
		TEST_ASSERT(errno == EINVAL || errno == ENXIO || errno == ENOTTY,
			    "Unexpected errno: %d", errno);
		return false;
	}

	run(vcpu);
	vcpu_events_get(vcpu, &events);
	if (events.exception.injected || events.interrupt.injected)
		return true;

	vcpu_ioctl(vcpu, KVM_NMI, NULL);
	run(vcpu);
	TEST_ASSERT_EQ(run(vcpu), 1);
	return false;
}

TEST_F(state, exception_not_stuck)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.exception.injected = 1;
	events.exception.nr = GP_VECTOR;
	events.exception.has_error_code = 1;
	if (is_stuck(self->vcpu, __vcpu_ioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events)))
		XFAIL(return, "KVM keeps an exception that it can't inject");
}

TEST_F(state, interrupt_not_stuck)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.interrupt.injected = 1;
	events.interrupt.nr = 0x40;
	if (is_stuck(self->vcpu, __vcpu_ioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events)))
		XFAIL(return, "KVM keeps an interrupt that it can't inject");
}

/* An interrupt from a PIC in user space, which the TD's APIC can't take. */
TEST_F(state, external_interrupt_not_stuck)
{
	struct kvm_interrupt irq = { .irq = 0x40 };

	if (is_stuck(self->vcpu, __vcpu_ioctl(self->vcpu, KVM_INTERRUPT, &irq)))
		XFAIL(return, "KVM keeps an interrupt that it can't inject");
}

TEST_F(state, smm_events_refused)
{
	struct kvm_vcpu_events events;

	vcpu_events_get(self->vcpu, &events);
	events.smi.pending = 1;
	events.flags |= KVM_VCPUEVENT_VALID_SMM;
	if (!__vcpu_ioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events)) {
		/* To run the vCPU now would be the end of the TD. */
		events.smi.pending = 0;
		vcpu_events_set(self->vcpu, &events);
		XFAIL(return, "KVM accepts an SMI for a TD");
	}
	TEST_ASSERT_EQ(errno, EINVAL);

	events.smi.pending = 0;
	events.smi.smm = 1;
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_VCPU_EVENTS, &events), EINVAL);
}

/* An end that user space may ask for: KVM gives it without a word to the TD. */
TEST_F(state, triple_fault_event_shuts_down)
{
	struct kvm_vcpu_events events;

	vm_enable_cap(self->vm, KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1);
	vcpu_events_get(self->vcpu, &events);
	events.triple_fault.pending = 1;
	vcpu_events_set(self->vcpu, &events);
	vcpu_run(self->vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_SHUTDOWN);
}

static void guest_exits_to_kvm(void)
{
	u64 reg[4];

	for (;;) {
		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &reg[0], &reg[1], &reg[2], &reg[3]), 0);
		GUEST_SYNC(0);
	}
}

/*
 * KVM can't ask the CPU to tell when a TD can take interrupts.  It takes the
 * window for open at each exit that it handles by itself.
 */
TEST_F(state, interrupt_window_at_kvms_own_exits)
{
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, guest_exits_to_kvm);
	tdx_vcpu_run_to_sync(vcpu, 0);

	vcpu->run->request_interrupt_window = 1;
	vcpu_run(vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IRQ_WINDOW_OPEN);
	TEST_ASSERT(vcpu->run->ready_for_interrupt_injection, "Open, and not ready");

	vcpu->run->request_interrupt_window = 0;
	tdx_vcpu_run_to_sync(vcpu, 0);
	kvm_vm_free(vm);
}

/* HLT is a TDVMCALL, there is no exit to turn off, nor a state to leave. */
TEST_F(state, hlt_exits_off_ignored)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	struct kvm_vcpu *vcpu;

	if (!(vm_check_cap(vm, KVM_CAP_X86_DISABLE_EXITS) & KVM_X86_DISABLE_EXITS_HLT)) {
		kvm_vm_free(vm);
		SKIP(return, "HLT always exits");
	}

	/* Refusing it would be right as well. */
	__vm_enable_cap(vm, KVM_CAP_X86_DISABLE_EXITS, KVM_X86_DISABLE_EXITS_HLT);
	vcpu = vm_vcpu_add(vm, 0, guest_code);
	vm_tdx_launch(vm);
	run(vcpu);
	set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);

	run(vcpu);
	kvm_vm_free(vm);
}

/*
 * KVM thinks that CR4.MCE is clear, so that the machine check is the end; but
 * it is an end that user space hears of, and not the TD's.
 */
TEST_F(state, uncorrected_mce_shuts_down)
{
	struct kvm_x86_mce mce = {
		.status = MCI_STATUS_VAL | MCI_STATUS_UC,
		.mcg_status = BIT_ULL(0),	/* RIPV, as for an exception */
	};
	u64 mcg_cap = 1;

	vcpu_ioctl(self->vcpu, KVM_X86_SETUP_MCE, &mcg_cap);
	if (__vcpu_ioctl(self->vcpu, KVM_X86_SET_MCE, &mce)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return;
	}
	vcpu_run(self->vcpu);
	TEST_ASSERT_KVM_EXIT_REASON(self->vcpu, KVM_EXIT_SHUTDOWN);
}

/*
 * Nested virtualisation.  KVM_SET_NESTED_STATE is not tried where KVM takes
 * the TD's vCPU for one of VMX: the host may not survive.
 */
TEST_F(state, nested_state_refused)
{
	struct kvm_nested_state *nested = (void *)arg;

	if (!kvm_check_cap(KVM_CAP_NESTED_STATE))
		SKIP(return, "no nested virtualisation");
	TEST_ASSERT(kvm_check_cap(KVM_CAP_NESTED_STATE) <= sizeof(arg),
		    "Nested state is larger than expected");

	memset(arg, 0, sizeof(arg));
	nested->size = sizeof(arg);
	if (!__vcpu_ioctl(self->vcpu, KVM_GET_NESTED_STATE, nested) || errno == EFAULT)
		XFAIL(return, "KVM looks for VMX state in a TD's vCPU");
	TEST_ASSERT(errno == EINVAL || errno == ENOTTY, "Unexpected errno: %d", errno);

	memset(arg, 0, sizeof(arg));
	nested->size = sizeof(*nested);
	nested->hdr.vmx.vmxon_pa = -1;
	nested->hdr.vmx.vmcs12_pa = -1;
	TEST_ASSERT_EQ(__vcpu_ioctl(self->vcpu, KVM_SET_NESTED_STATE, nested), -1);
	TEST_ASSERT(errno == EINVAL || errno == ENOTTY, "Unexpected errno: %d", errno);
}

/* A TD has no VMX to turn on. */
TEST_F(state, set_nested_state_with_vmxon_refused)
{
	struct kvm_nested_state *nested = (void *)arg;

	if (!kvm_check_cap(KVM_CAP_NESTED_STATE))
		SKIP(return, "no nested virtualisation");

	memset(arg, 0, sizeof(arg));
	nested->size = sizeof(*nested);
	nested->hdr.vmx.vmxon_pa = PAGE_SIZE;
	nested->hdr.vmx.vmcs12_pa = -1;
	TEST_ASSERT_FAILS(__vcpu_ioctl(self->vcpu, KVM_SET_NESTED_STATE, nested), EINVAL);
}

/* Calls of the VM */

FIXTURE(vm) {
	struct kvm_vm *vm;
	struct kvm_vm *ordinary;
};

FIXTURE_SETUP(vm)
{
	self->vm = ____vm_create(VM_SHAPE_TDX);
	self->ordinary = ____vm_create(VM_SHAPE_DEFAULT);
}

FIXTURE_TEARDOWN(vm)
{
	kvm_vm_free(self->vm);
	kvm_vm_free(self->ordinary);
}

/* Kernels are built with an I/O APIC, or without one for any VM. */
static bool has_irqchip(struct kvm_vm *ordinary)
{
	int r = do_ioctl(ordinary->fd, KVM_CREATE_IRQCHIP);

	TEST_ASSERT(!r || errno == ENOTTY, KVM_IOCTL_ERROR(KVM_CREATE_IRQCHIP, r));
	return !r;
}

/* KVM can't see EOIs, and an I/O APIC needs them. */
TEST_F(vm, create_irqchip_refused)
{
	if (!has_irqchip(self->ordinary))
		SKIP(return, "KVM has no I/O APIC");

	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_CREATE_IRQCHIP), ENOTTY);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
}

/* ... and with it goes all that hangs on PIC and I/O APIC. */
TEST_F(vm, no_pic_nor_ioapic)
{
	if (!has_irqchip(self->ordinary))
		SKIP(return, "KVM has no I/O APIC");

	TEST_ASSERT_EQ(do_ioctl(self->ordinary->fd, KVM_GET_IRQCHIP), 0);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_GET_IRQCHIP), ENXIO);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_SET_IRQCHIP), ENXIO);
}

TEST_F(vm, no_pit)
{
	if (!has_irqchip(self->ordinary))
		SKIP(return, "KVM has no I/O APIC");

	TEST_ASSERT_EQ(do_ioctl(self->ordinary->fd, KVM_CREATE_PIT2), 0);
	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_CREATE_PIT2), ENOENT);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_GET_PIT2), ENXIO);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_SET_PIT2), ENXIO);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_REINJECT_CONTROL), ENXIO);
}

static int set_slot(struct kvm_vm *vm, gpa_t gpa)
{
	return __vm_set_user_memory_region(vm, 10, 0, gpa, sizeof(arg), arg);
}

/*
 * Memory that an ordinary vCPU needs in real mode, in a memslot of KVM's own.
 * KVM knows better than to have one in a TD.
 */
TEST_F(vm, set_tss_addr_ignored)
{
	const gpa_t gpa = 0xfffb0000ul;

	TEST_ASSERT_EQ(__vm_ioctl(self->vm, KVM_SET_TSS_ADDR, (void *)gpa), 0);
	TEST_ASSERT_EQ(set_slot(self->vm, gpa), 0);
}

TEST_F(vm, set_identity_map_addr_ignored)
{
	u64 gpa = 0xfffb0000ul;

	TEST_ASSERT_EQ(__vm_ioctl(self->vm, KVM_SET_IDENTITY_MAP_ADDR, &gpa), 0);
	TEST_ASSERT_EQ(set_slot(self->vm, gpa), 0);
}

/* These are SEV's. */

TEST_F(vm, encrypted_regions_refused)
{
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_MEMORY_ENCRYPT_REG_REGION), ENOTTY);
	TEST_ASSERT_FAILS(do_ioctl(self->vm->fd, KVM_MEMORY_ENCRYPT_UNREG_REGION), ENOTTY);
}

TEST_F(vm, copy_enc_context_refused)
{
	struct kvm_vm *other = ____vm_create(VM_SHAPE_TDX);

	TEST_ASSERT_FAILS(__vm_enable_cap(self->vm, KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
					  other->fd), EINVAL);
	kvm_vm_free(other);
}

TEST_F(vm, move_enc_context_refused)
{
	struct kvm_vm *other = ____vm_create(VM_SHAPE_TDX);

	TEST_ASSERT_FAILS(__vm_enable_cap(self->vm, KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
					  other->fd), EINVAL);
	kvm_vm_free(other);
}

/* The PMU is the module's. */
TEST_F(vm, pmu_refused)
{
	if (!kvm_check_cap(KVM_CAP_PMU_CAPABILITY))
		SKIP(return, "KVM emulates no PMU");

	TEST_ASSERT_EQ(__vm_enable_cap(self->ordinary, KVM_CAP_PMU_CAPABILITY, 0), 0);
	TEST_ASSERT_FAILS(__vm_enable_cap(self->vm, KVM_CAP_PMU_CAPABILITY, 0), EINVAL);
	TEST_ASSERT_EQ(__vm_enable_cap(self->vm, KVM_CAP_PMU_CAPABILITY,
				       KVM_PMU_CAP_DISABLE), 0);
}

/* Commands for a vCPU before there is one to command. */
TEST_F(vm, run_before_init_vcpu_refused)
{
	struct kvm_vcpu *vcpu;

	vm_enable_cap(self->vm, KVM_CAP_SPLIT_IRQCHIP, 24);
	tdx_init_vm(self->vm, NULL);
	vcpu = __vm_vcpu_add(self->vm, 0);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
	tdx_vcpu_init_cpuid(vcpu);
	tdx_init_vcpu(vcpu, 0);
	TEST_ASSERT_FAILS(__vcpu_run(vcpu), EINVAL);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(kvm_has_tdx());

	return test_harness_run(argc, argv);
}
