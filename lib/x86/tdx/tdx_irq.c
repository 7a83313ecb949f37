// SPDX-License-Identifier: GPL-2.0
#include "tdx/tdx_irq.h"

struct tdx_irq_shared *tdx_irq_shared;

static void guest_irq_handler(struct ex_regs *regs)
{
	tdx_irq_shared->nr_irqs[tdg_vp_info().vcpu_index][regs->vector]++;
	x2apic_write_reg(APIC_EOI, 0);
}

static void guest_nmi_handler(struct ex_regs *regs)
{
	tdx_irq_shared->nr_nmis[tdg_vp_info().vcpu_index]++;
}

void tdx_irq_td_create(struct tdx_irq_td *td)
{
	gva_t gva;

	*td = (struct tdx_irq_td) {
		.vm = __vm_create(VM_SHAPE_TDX, TDX_IRQ_NR_VCPUS, 0),
	};
	gva = tdx_alloc_shared(td->vm, sizeof(*td->shared), &td->shared);
	write_guest_global(td->vm, tdx_irq_shared, (void *)gva);

	vm_install_exception_handler(td->vm, NMI_VECTOR, guest_nmi_handler);
	for (int i = TDX_IRQ_FIRST_VECTOR; i < TDX_IRQ_NR_VECTORS; i++)
		vm_install_exception_handler(td->vm, i, guest_irq_handler);
}

struct kvm_vcpu *tdx_irq_td_launch(struct tdx_irq_td *td, void *guest_code)
{
	td->vcpu[0] = vm_vcpu_add(td->vm, 0, guest_code);
	tdx_vm_finalize(td->vm);
	return td->vcpu[0];
}

int __tdx_signal_msi(struct kvm_vm *vm, u32 dest, u32 data)
{
	struct kvm_msi msi = {
		.address_lo = APIC_DEFAULT_GPA | dest << 12,
		.data = data,
	};

	return __vm_ioctl(vm, KVM_SIGNAL_MSI, &msi);
}

void tdx_route_msi(struct kvm_irq_routing *routing, u32 gsi, u32 data)
{
	routing->entries[routing->nr++] = (struct kvm_irq_routing_entry) {
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = APIC_DEFAULT_GPA, .data = data },
	};
}

u32 tdx_get_mp_state(struct kvm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	vcpu_mp_state_get(vcpu, &state);
	return state.mp_state;
}

int __tdx_set_mp_state(struct kvm_vcpu *vcpu, u32 mp_state)
{
	struct kvm_mp_state state = { .mp_state = mp_state };

	return __vcpu_ioctl(vcpu, KVM_SET_MP_STATE, &state);
}

u64 tdx_join_ucall(struct vcpu_thread *t)
{
	struct ucall uc;
	u64 cmd;

	TEST_ASSERT(!vcpu_thread_join(t), KVM_IOCTL_ERROR(KVM_RUN, -1));
	cmd = get_ucall(t->vcpu, &uc);
	if (cmd == UCALL_ABORT)
		REPORT_GUEST_ASSERT(uc);
	return cmd;
}

u64 tdx_sum_irqs(u32 vcpu)
{
	u64 sum = 0;

	for (int i = 0; i < TDX_IRQ_NR_VECTORS; i++)
		sum += tdx_nr_irqs(vcpu, i);
	return sum;
}

u64 tdx_apic_read(u32 reg)
{
	u64 val;

	GUEST_ASSERT_EQ(tdvmcall_rdmsr(APIC_BASE_MSR + (reg >> 4), &val),
			TDVMCALL_STATUS_SUCCESS);
	return val;
}

void tdx_apic_write(u32 reg, u64 val)
{
	GUEST_ASSERT_EQ(tdvmcall_wrmsr(APIC_BASE_MSR + (reg >> 4), val),
			TDVMCALL_STATUS_SUCCESS);
}

void tdx_apic_enable(void)
{
	tdx_apic_write(APIC_SPIV, APIC_SPIV_APIC_ENABLED | 0xff);
}

void tdx_send_ipi(u32 dest, u32 low)
{
	tdx_apic_write(APIC_ICR, (u64)dest << 32 | low);
}

/*
 * An interrupt that arrives between the check and HLT isn't lost: it is pending in
 * the guest, and because HLT says that interrupts are not blocked, KVM has to ask
 * the module before it puts the vCPU to sleep.
 *
 * Guest code is compiled with a red zone, which an interrupt handler overwrites.
 * Only leaf functions use it, so no function that enables interrupts may be one.
 */
void tdx_await_irqs(u32 vcpu, u32 vector, u64 nr)
{
	while (tdx_nr_irqs(vcpu, vector) < nr) {
		GUEST_ASSERT_EQ(tdvmcall_hlt(0), TDVMCALL_STATUS_SUCCESS);
		sti_nop_cli();
	}
}

void tdx_guest_step(void)
{
	WRITE_ONCE(tdx_irq_shared->progress, READ_ONCE(tdx_irq_shared->progress) + 1);
}

void tdx_guest_one_irq(void)
{
	u32 me = tdg_vp_info().vcpu_index;

	tdx_apic_enable();
	GUEST_SYNC(0);
	tdx_await_irqs(me, TDX_IRQ_VECTOR, 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(me), 1);
	GUEST_DONE();
}

void tdx_guest_one_nmi(void)
{
	u32 me = tdg_vp_info().vcpu_index;

	tdx_apic_enable();
	GUEST_SYNC(0);
	while (!tdx_nr_nmis(me))
		GUEST_ASSERT_EQ(tdvmcall_hlt(1), TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(tdx_nr_nmis(me), 1);
	GUEST_ASSERT_EQ(tdx_sum_irqs(me), 0);
	GUEST_DONE();
}

void tdx_guest_spin_for_irq(void)
{
	tdx_apic_enable();
	sti_nop();
	WRITE_ONCE(tdx_irq_shared->here, 1);
	while (!tdx_nr_irqs(0, TDX_IRQ_VECTOR))
		cpu_relax();
	GUEST_DONE();
}

void tdx_guest_spin(void)
{
	tdx_guest_step();
	WRITE_ONCE(tdx_irq_shared->here, 1);
	while (!READ_ONCE(tdx_irq_shared->go))
		cpu_relax();
	tdx_guest_step();
	GUEST_DONE();
}

void tdx_guest_halt(void)
{
	tdx_guest_step();
	GUEST_ASSERT_EQ(tdvmcall_hlt(0), TDVMCALL_STATUS_SUCCESS);
	tdx_guest_step();
	GUEST_DONE();
}

void tdx_guest_one_step(void)
{
	tdx_guest_step();
	GUEST_DONE();
}
