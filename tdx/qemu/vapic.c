// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual APIC of a TD's vCPU: the registers that a TD reaches without an
 * exit, interrupts that the host posts, and their delivery.
 *
 * Delivery rides on QEMU's virtual interrupt request, which is taken between
 * instructions when the TD's IF and interrupt shadow allow.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "exec/exec-all.h"
#include "exec/memory.h"
#include "hw/i386/apic.h"
#include "tcg/helper-tcg.h"
#include "hooks.h"
#include "glue.h"

/* MSRs of the x2APIC, and the registers that are arrays of eight words. */
#define X2APIC_TPR	0x808
#define X2APIC_PPR	0x80a
#define X2APIC_EOI	0x80b
#define X2APIC_ISR	0x810
#define X2APIC_TMR	0x818
#define X2APIC_IRR	0x820
#define X2APIC_SELF_IPI	0x83f

static int highest(const uint32_t reg[8])
{
	for (int i = 7; i >= 0; i--)
		if (reg[i])
			return 32 * i + 31 - clz32(reg[i]);
	return 0;
}

static void set(uint32_t reg[8], int vector)
{
	reg[vector / 32] |= 1u << vector % 32;
}

static void clear(uint32_t reg[8], int vector)
{
	reg[vector / 32] &= ~(1u << vector % 32);
}

static int ppr(const struct vapic *a)
{
	int isv = highest(a->isr) & 0xf0;

	return (a->tpr & 0xf0) >= isv ? a->tpr : isv;
}

bool vapic_pending(const struct vapic *a)
{
	return (highest(a->irr) & 0xf0) > (ppr(a) & 0xf0);
}

/* Asks TCG for the delivery of what is pending, or takes that back. */
void vapic_update(CPUX86State *env, const struct vapic *a)
{
	CPUState *cs = env_cpu(env);
	bool want = vapic_pending(a);

	if (want == !!(cs->interrupt_request & CPU_INTERRUPT_VIRQ))
		return;
	BQL_LOCK_GUARD();
	if (want)
		cpu_interrupt(cs, CPU_INTERRUPT_VIRQ);
	else
		cpu_reset_interrupt(cs, CPU_INTERRUPT_VIRQ);
}

void vapic_leave(CPUX86State *env)
{
	CPUState *cs = env_cpu(env);

	if (!(cs->interrupt_request & CPU_INTERRUPT_VIRQ))
		return;
	BQL_LOCK_GUARD();
	cpu_reset_interrupt(cs, CPU_INTERRUPT_VIRQ);
}

/*
 * Only once the handler's frame is on the stack is the interrupt in service: if
 * the stack has to be mapped first, it stays requested.
 */
void vapic_deliver(CPUX86State *env, struct vapic *a)
{
	int vector = highest(a->irr);

	if (!vapic_pending(a))
		return;
	do_interrupt_x86_hardirq(env, vector, 1);
	clear(a->irr, vector);
	set(a->isr, vector);
	vapic_update(env, a);
}

void vapic_set_tpr(CPUX86State *env, struct vapic *a, uint8_t tpr)
{
	a->tpr = tpr;
	vapic_update(env, a);
}

static bool is_array(uint32_t msr, uint32_t first)
{
	return msr >= first && msr < first + 8;
}

/* False if the CPU raises #GP. */
bool vapic_read(const struct vapic *a, uint32_t msr, uint64_t *value)
{
	if (msr == X2APIC_TPR)
		*value = a->tpr;
	else if (msr == X2APIC_PPR)
		*value = ppr(a);
	else if (is_array(msr, X2APIC_ISR))
		*value = a->isr[msr - X2APIC_ISR];
	else if (is_array(msr, X2APIC_TMR))
		*value = 0;	/* posted interrupts are edge triggered */
	else if (is_array(msr, X2APIC_IRR))
		*value = a->irr[msr - X2APIC_IRR];
	else
		return false;
	return true;
}

bool vapic_write(CPUX86State *env, struct vapic *a, uint32_t msr, uint64_t value)
{
	if (msr == X2APIC_TPR && value <= 0xff) {
		a->tpr = value;
	} else if (msr == X2APIC_EOI && !value) {
		clear(a->isr, highest(a->isr));
	} else if (msr == X2APIC_SELF_IPI && value <= 0xff) {
		/* Below 16 a vector is an error, which nobody sees here. */
		if (value >= 16)
			set(a->irr, value);
	} else {
		return false;
	}
	vapic_update(env, a);
	return true;
}

/* The posted-interrupt descriptor: 256 request bits, then ON and others. */
#define PID_ON	1u

void vapic_take_posted(CPUX86State *env, struct vapic *a, uint64_t descriptor)
{
	hwaddr len = 64;
	uint64_t *pid = address_space_map(&address_space_memory, descriptor,
					  &len, true, MEMTXATTRS_UNSPECIFIED);

	if (!pid)
		return;
	if (len == 64) {
		qatomic_and((uint32_t *)&pid[4], ~PID_ON);
		for (int i = 0; i < 4; i++) {
			uint64_t bits = qatomic_xchg(&pid[i], 0);

			a->irr[2 * i] |= bits;
			a->irr[2 * i + 1] |= bits >> 32;
		}
	}
	address_space_unmap(&address_space_memory, pid, len, true, len);
	vapic_update(env, a);
}

#define APIC_EOI	0xb0

/* The notification is acknowledged without an exit, so nobody else ends it. */
void host_apic_eoi(CPUX86State *env)
{
	DeviceState *apic = env_archcpu(env)->apic_state;

	if (is_x2apic_mode(apic))
		apic_msr_write(APIC_EOI >> 4, 0);
	else
		address_space_stl(&address_space_memory,
				  (cpu_get_apic_base(apic) & ~0xfffull) + APIC_EOI,
				  0, MEMTXATTRS_UNSPECIFIED, NULL);
}
