// SPDX-License-Identifier: GPL-2.0
/*
 * A TD's own MSRs where QEMU is more generous than a CPU: it lacks some, and of
 * others it takes any value.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "glue.h"

#define MSR_SPEC_CTRL		0x48
#define MSR_PRED_CMD		0x49
#define MSR_FLUSH_CMD		0x10b
#define MSR_DS_AREA		0x600
#define MSR_UARCH_MISC_CTL	0x1b01

#define SPEC_CTRL_BITS	0x4ffull	/* IBRS to DDPD_U, and BHI_DIS_S */
#define LOW_HALF	0xffffffffull

enum check { BITS, CANONICAL, MEMORY_TYPES };

static const struct td_msr {
	uint32_t msr;
	enum check check;
	uint64_t bits;		/* BITS: those that are not reserved */
	bool write_only;
	size_t kept;		/* where in struct td_cpu; 0: QEMU has it, or nothing */
} td_msrs[] = {
	{ MSR_SPEC_CTRL, BITS, SPEC_CTRL_BITS,
	  .kept = offsetof(struct td_cpu, spec_ctrl) },
	{ MSR_PRED_CMD, BITS, 1, .write_only = true },
	{ MSR_UMWAIT_CONTROL, BITS, UMWAIT_CONTROL_BITS,
	  .kept = offsetof(struct td_cpu, umwait_control) },
	{ MSR_FLUSH_CMD, BITS, 1, .write_only = true },
	{ MSR_IA32_TSX_CTRL, BITS, TSX_CTRL_BITS,
	  .kept = offsetof(struct td_cpu, tsx_ctrl) },
	{ MSR_IA32_SYSENTER_ESP, CANONICAL },
	{ MSR_IA32_SYSENTER_EIP, CANONICAL },
	{ MSR_PAT, MEMORY_TYPES },
	{ MSR_DS_AREA, CANONICAL, .kept = offsetof(struct td_cpu, ds_area) },
	{ MSR_UARCH_MISC_CTL, BITS, 1,
	  .kept = offsetof(struct td_cpu, uarch_misc_ctl) },
	{ MSR_LSTAR, CANONICAL },
	{ MSR_FMASK, BITS, LOW_HALF },
	{ MSR_FSBASE, CANONICAL },
	{ MSR_GSBASE, CANONICAL },
	{ MSR_KERNELGSBASE, CANONICAL },
	{ MSR_TSC_AUX, BITS, LOW_HALF },
};

static const struct td_msr *find(uint32_t msr)
{
	for (size_t i = 0; i < ARRAY_SIZE(td_msrs); i++)
		if (td_msrs[i].msr == msr)
			return &td_msrs[i];
	return NULL;
}

static uint64_t *kept(CPUX86State *env, const struct td_msr *m)
{
	return (uint64_t *)((uint8_t *)tdx_td_cpu(env) + m->kept);
}

static bool is_canonical(CPUX86State *env, uint64_t address)
{
	int width = env->cr[4] & CR4_LA57_MASK ? 57 : 48;

	return (int64_t)(address << (64 - width)) >> (64 - width) == (int64_t)address;
}

/* A type for each byte: UC, WC, WT, WP, WB, UC-. */
static bool are_memory_types(uint64_t types)
{
	for (; types; types >>= 8)
		if ((types & 0xff) > 7 || (types & 0xff) == 2 || (types & 0xff) == 3)
			return false;
	return true;
}

static bool is_valid(CPUX86State *env, const struct td_msr *m, uint64_t value)
{
	switch (m->check) {
	case BITS:
		return !(value & ~m->bits);
	case CANONICAL:
		return is_canonical(env, value);
	case MEMORY_TYPES:
		return are_memory_types(value);
	}
	g_assert_not_reached();
}

bool td_msr_read(CPUX86State *env, uint32_t msr, uint64_t *value, uintptr_t ra)
{
	const struct td_msr *m = find(msr);

	if (m && m->write_only)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (!m || !m->kept)
		return false;
	*value = *kept(env, m);
	return true;
}

bool td_msr_write(CPUX86State *env, uint32_t msr, uint64_t value, uintptr_t ra)
{
	const struct td_msr *m = find(msr);

	if (!m)
		return false;
	if (!is_valid(env, m, value))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (m->kept)
		*kept(env, m) = value;
	return m->kept || m->write_only;
}
