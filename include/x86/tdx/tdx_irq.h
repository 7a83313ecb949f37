/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD that takes interrupts, and memory that it shares with the host.
 *
 * Host:
 *
 *	tdx_irq_td_create(&td);
 *	tdx_irq_td_launch(&td, guest_code);
 *	vcpu_run_to_sync(td.vcpu[0], 0);
 *	tdx_signal_msi(td.vm, 0, VECTOR);
 *	vcpu_run_to_done(td.vcpu[0]);
 *
 * Guest:
 *
 *	tdx_apic_enable();
 *	GUEST_SYNC(0);
 *	tdx_await_irqs(0, VECTOR, 1);
 *	tdx_send_ipi(1, VECTOR);
 *	GUEST_DONE();
 *
 * What guest code has to know about the local APIC of a TD:
 *
 * - It is in x2APIC mode from reset on and can't leave it.  The lib's
 *   x2apic_enable() and apic_disable() end in #VE, because they write
 *   MSR_IA32_APICBASE, which a TD can't.
 * - SPIV still disables it, and KVM drops interrupts until the guest has called
 *   tdx_apic_enable().
 * - TPR, PPR, EOI, ISR, TMR, IRR and SELF_IPI are virtualized by the CPU: use
 *   the lib's x2apic_read_reg() and x2apic_write_reg().
 * - All other registers (SPIV, ICR, LVT, timer) are emulated by KVM, and plain
 *   RDMSR and WRMSR end in #VE.  The guest asks KVM by TDVMCALL instead: use
 *   tdx_apic_read(), tdx_apic_write() and tdx_send_ipi().
 * - HLT ends in #VE, too.  Sleep by tdvmcall_hlt() or tdx_await_irqs().
 */
#ifndef SELFTEST_KVM_TDX_IRQ_H
#define SELFTEST_KVM_TDX_IRQ_H

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_util.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/generic/vcpu_thread.h"

#define TDX_IRQ_NR_VCPUS	2
#define TDX_IRQ_NR_VECTORS	256
#define TDX_IRQ_FIRST_VECTOR	32	/* exceptions are below */

/* The vector that the guest code declared below waits for. */
#define TDX_IRQ_VECTOR		0xa1

/* The first GSI beyond the pins that the lib reserves for an I/O APIC. */
#define TDX_IRQ_GSI		64

/* In shared memory, so that the host can read and write it at any time. */
struct tdx_irq_shared {
	u64 nr_irqs[TDX_IRQ_NR_VCPUS][TDX_IRQ_NR_VECTORS];	/* handled */
	u64 nr_nmis[TDX_IRQ_NR_VCPUS];				/* handled */
	u64 blocked;		/* operand of HLT */
	u64 here;		/* set by a guest that has begun to spin */
	u64 go;			/* set by the host to end that */
	u64 progress;		/* how often the guest called tdx_guest_step() */
};

struct tdx_irq_td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu[TDX_IRQ_NR_VCPUS];
	struct tdx_irq_shared *shared;	/* the host's mapping */
};

/*
 * Host: create a TD without vCPUs, but with shared memory and with handlers that
 * count NMIs and all interrupts.  The test may install others.
 */
void tdx_irq_td_create(struct tdx_irq_td *td);

/*
 * Host: add vCPU 0, which starts at @guest_code, and launch the TD.  Returns
 * the vCPU.  For two vCPUs call tdx_vm_launch_two(td->vm, td->vcpu, ...).
 */
struct kvm_vcpu *tdx_irq_td_launch(struct tdx_irq_td *td, void *guest_code);

/*
 * Host: send an MSI to the vCPU with APIC ID @dest.  @data is the vector,
 * and/or APIC_DM_*.  The plain form asserts that one vCPU accepted it; the twin
 * returns what KVM_SIGNAL_MSI returned: how many did, or -1 with errno.
 */
int __tdx_signal_msi(struct kvm_vm *vm, u32 dest, u32 data);

#define tdx_signal_msi(vm, dest, data)	TEST_ASSERT_EQ(__tdx_signal_msi(vm, dest, data), 1)

/* Host: append a route from @gsi to an MSI for vCPU 0, with @data as above. */
void tdx_route_msi(struct kvm_irq_routing *routing, u32 gsi, u32 data);

/*
 * Host: KVM_MP_STATE_* of @vcpu.  The twin returns what KVM_SET_MP_STATE
 * returned, with errno.
 */
u32 tdx_get_mp_state(struct kvm_vcpu *vcpu);
int __tdx_set_mp_state(struct kvm_vcpu *vcpu, u32 mp_state);

#define tdx_set_mp_state(vcpu, mp_state)	TEST_ASSERT_EQ(__tdx_set_mp_state(vcpu, mp_state), 0)

/*
 * Host: wait until @t returns from KVM_RUN.  Fails the test if KVM_RUN failed
 * or if the guest's assertion did.  Returns UCALL_*, UCALL_NONE for an exit that
 * is not a ucall.
 */
u64 tdx_join_ucall(struct vcpu_thread *t);

/* The same, where the ucall must be @wanted. */
#define tdx_join_with_ucall(t, wanted)					\
do {									\
	u64 __cmd = tdx_join_ucall(t);					\
									\
	TEST_ASSERT(__cmd == (wanted),					\
		    "Wanted %s, got ucall %lu, exit reason %s", #wanted, \
		    (unsigned long)__cmd,				\
		    exit_reason_str((t)->vcpu->run->exit_reason));	\
} while (0)

/* Guest: its mapping of the shared memory. */
extern struct tdx_irq_shared *tdx_irq_shared;

/* Guest: what the vCPU with index @vcpu has handled so far. */
static inline u64 tdx_nr_irqs(u32 vcpu, u32 vector)
{
	return READ_ONCE(tdx_irq_shared->nr_irqs[vcpu][vector]);
}

static inline u64 tdx_nr_nmis(u32 vcpu)
{
	return READ_ONCE(tdx_irq_shared->nr_nmis[vcpu]);
}

/* Guest: the same, summed over all vectors. */
u64 tdx_sum_irqs(u32 vcpu);

/*
 * Guest: the APIC's registers that KVM emulates, APIC_*.  A status other than
 * success fails the test.
 */
u64 tdx_apic_read(u32 reg);
void tdx_apic_write(u32 reg, u64 val);

/* Guest: enable the local APIC. */
void tdx_apic_enable(void);

/*
 * Guest: send an IPI to the vCPU with APIC ID @dest.  @low is the low half of
 * the ICR: the vector, and/or APIC_DM_* and APIC_DEST_*.
 */
void tdx_send_ipi(u32 dest, u32 low);

/*
 * Guest: sleep, with interrupts off in between, until this vCPU, which has index
 * @vcpu, has handled @nr interrupts of @vector since it started.
 */
void tdx_await_irqs(u32 vcpu, u32 vector, u64 nr);

/* Guest: let the host see how far this vCPU has got. */
void tdx_guest_step(void);

/*
 * Guest code to start a vCPU at.  The first two work on any vCPU, and do
 * GUEST_SYNC(0) once the APIC is enabled and GUEST_DONE() at the end.
 */
void tdx_guest_one_irq(void);		/* sleep until TDX_IRQ_VECTOR comes, once */
void tdx_guest_one_nmi(void);		/* the same for an NMI, interrupts blocked */

/* These set "here" and spin, until TDX_IRQ_VECTOR comes or until "go" is set. */
void tdx_guest_spin_for_irq(void);	/* vCPU 0 only */
void tdx_guest_spin(void);		/* interrupts off, a step before and after */

void tdx_guest_halt(void);		/* HLT once, a step before and after */
void tdx_guest_one_step(void);		/* nothing but a step */

/* A fixture of the harness with such a TD.  TDX_IRQ_SUITE() also creates the TD. */
#define TDX_IRQ_FIXTURE(name)						\
	FIXTURE(name) {							\
		struct tdx_irq_td td;					\
	};								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->td.vm);				\
	}

#define TDX_IRQ_SUITE(name)						\
	TDX_IRQ_FIXTURE(name)						\
									\
	FIXTURE_SETUP(name) {						\
		tdx_irq_td_create(&self->td);				\
	}

#endif /* SELFTEST_KVM_TDX_IRQ_H */
