// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual APIC of a TD's vCPU: the registers that a TD reaches without an
 * exit, interrupts that the host posts, and their delivery.
 *
 * Delivery uses QEMU's virtual interrupt request (VIRQ), which is taken between
 * instructions when the TD's IF and interrupt shadow allow.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "cpu.h"
#include "hw/i386/apic.h"
#include "tcg/helper-tcg.h"
#include "glue.h"

/* MSRs of the x2APIC, and the registers that are arrays of eight words. */
#define X2APIC_TPR	0x808
#define X2APIC_PPR	0x80a
#define X2APIC_EOI	0x80b
#define X2APIC_ISR	0x810
#define X2APIC_TMR	0x818
#define X2APIC_IRR	0x820
#define X2APIC_SELF_IPI	0x83f

/* The highest vector in a register, or 0. */
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

/* Processor priority: the TPR's, or that of the interrupt in service. */
static int ppr(const struct vapic *a)
{
	int isv = highest(a->isr) & 0xf0;

	return (a->tpr & 0xf0) >= isv ? a->tpr : isv;
}

bool vapic_pending(const struct vapic *a)
{
	return (highest(a->irr) & 0xf0) > (ppr(a) & 0xf0);
}

static bool virq_requested(CPUState *cs)
{
	return qatomic_read(&cs->interrupt_request) & CPU_INTERRUPT_VIRQ;
}

void vapic_update(CPUX86State *env, const struct vapic *a)
{
	CPUState *cs = env_cpu(env);
	bool want = vapic_pending(a);

	if (want == virq_requested(cs))
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

	if (!virq_requested(cs))
		return;
	BQL_LOCK_GUARD();
	cpu_reset_interrupt(cs, CPU_INTERRUPT_VIRQ);
}

/*
 * Pushing the handler's frame may fault and not return; then the interrupt stays
 * requested.
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

/* Whether @msr is one of the eight words of a register. */
static bool is_array(uint32_t msr, uint32_t first)
{
	return msr >= first && msr < first + 8;
}

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
		/* Vectors below 16 are errors, and this APIC reports none. */
		if (value >= 16)
			set(a->irr, value);
	} else {
		return false;
	}
	vapic_update(env, a);
	return true;
}

/* The posted-interrupt descriptor: 256 request bits, then ON and others. */
#define PID_SIZE	64
#define PID_CONTROL	4	/* the 64-bit word with ON */
#define PID_ON		1u

void vapic_take_posted(CPUX86State *env, struct vapic *a, uint64_t descriptor)
{
	hwaddr len = PID_SIZE;
	uint64_t *pid = address_space_map(&address_space_memory, descriptor,
					  &len, true, MEMTXATTRS_UNSPECIFIED);

	if (!pid)
		return;
	if (len == PID_SIZE) {
		qatomic_and((uint32_t *)&pid[PID_CONTROL], ~PID_ON);
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

/* A notification causes no exit, so the host won't end it. */
void host_apic_eoi(CPUX86State *env)
{
	__auto_type apic = env_archcpu(env)->apic_state;

	if (is_x2apic_mode(apic))
		compat_apic_msr_write(apic, APIC_EOI >> 4, 0);
	else
		address_space_stl(&address_space_memory,
				  (cpu_get_apic_base(apic) & ~0xfffull) + APIC_EOI,
				  0, MEMTXATTRS_UNSPECIFIED, NULL);
}
