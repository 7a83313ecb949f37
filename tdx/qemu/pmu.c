// SPDX-License-Identifier: GPL-2.0
/*
 * The PMU of a TDX host's CPU, without PEBS and LBRs.  Its registers keep what is
 * written to them, but TCG has nothing to count: the counters stand still.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "glue.h"

/* MSRs that QEMU's cpu.h has no name for. */
#define MSR_OFFCORE_RSP_0		0x1a6
#define MSR_PERF_GLOBAL_STATUS_SET	0x391
#define MSR_PERF_GLOBAL_INUSE		0x392
#define MSR_PEBS_FRONTEND		0x3f7	/* without PEBS, too */
#define MSR_A_PMC0			0x4c1

#define NUM_OFFCORE_RSP			ARRAY_SIZE(((struct pmu *)0)->offcore_rsp)

#define COUNTER_BITS			MAKE_64BIT_MASK(0, PMU_COUNTER_WIDTH)
#define OFFCORE_RSP_BITS		MAKE_64BIT_MASK(0, 38)
#define FRONTEND_BITS			0x7fff1full

/* PERFEVTSELx: all but AnyThread, and IN_TX and IN_TXCP of TSX. */
#define EVTSEL_EVENT			0xffull
#define EVTSEL_INT			(1ull << 20)
#define EVTSEL_ANY			(1ull << 21)
#define EVTSEL_TX			(3ull << 32)
#define EVTSEL_BITS			((MAKE_64BIT_MASK(0, 32) & ~EVTSEL_ANY) | EVTSEL_TX)

/* FIXED_CTR_CTRL has four bits for each counter. */
#define FIXED_CTRL_SHIFT		4
#define FIXED_CTRL_RINGS		3u
#define FIXED_CTRL_PMI			8u
#define FIXED_CTRL_BITS			0xbbbbull
QEMU_BUILD_BUG_ON(PMU_FIXED_COUNTERS != 4);

/* PERF_GLOBAL_*: fixed counters begin at bit 32. */
#define FIRST_FIXED			32
#define ALL_COUNTERS			(PMU_GLOBAL_CTRL_RESET |			\
					 MAKE_64BIT_MASK(FIRST_FIXED, PMU_FIXED_COUNTERS))
#define STATUS_CTR_FRZ			(1ull << 59)
#define STATUS_ASCI			(1ull << 60)
#define STATUS_OVF_UNCORE		(1ull << 61)
#define STATUS_OVF_BUF			(1ull << 62)
#define STATUS_COND_CHGD		(1ull << 63)
#define STATUS_SET_BITS			(ALL_COUNTERS | STATUS_CTR_FRZ | STATUS_ASCI |	\
					 STATUS_OVF_UNCORE | STATUS_OVF_BUF)
#define STATUS_RESET_BITS		(STATUS_SET_BITS | STATUS_COND_CHGD)
#define INUSE_PMI			(1ull << 63)

/* Registers that are what was written to them. */
static const struct pmu_msr {
	uint32_t first, count;
	uint64_t bits;		/* those that are not reserved */
	size_t kept;		/* where in struct pmu */
} pmu_msrs[] = {
	{ MSR_P6_PERFCTR0, PMU_GP_COUNTERS, ~0ull, offsetof(struct pmu, gp) },
	{ MSR_P6_EVNTSEL0, PMU_GP_COUNTERS, EVTSEL_BITS, offsetof(struct pmu, evtsel) },
	{ MSR_OFFCORE_RSP_0, NUM_OFFCORE_RSP, OFFCORE_RSP_BITS,
	  offsetof(struct pmu, offcore_rsp) },
	{ MSR_CORE_PERF_FIXED_CTR0, PMU_FIXED_COUNTERS, COUNTER_BITS,
	  offsetof(struct pmu, fixed) },
	{ MSR_CORE_PERF_FIXED_CTR_CTRL, 1, FIXED_CTRL_BITS, offsetof(struct pmu, fixed_ctrl) },
	{ MSR_CORE_PERF_GLOBAL_CTRL, 1, ALL_COUNTERS, offsetof(struct pmu, global_ctrl) },
	{ MSR_PEBS_FRONTEND, 1, FRONTEND_BITS, offsetof(struct pmu, frontend) },
	{ MSR_A_PMC0, PMU_GP_COUNTERS, COUNTER_BITS, offsetof(struct pmu, gp) },
};

/* NULL if it is not one of these. */
static const struct pmu_msr *find(uint32_t msr)
{
	for (size_t i = 0; i < ARRAY_SIZE(pmu_msrs); i++)
		if (msr - pmu_msrs[i].first < pmu_msrs[i].count)
			return &pmu_msrs[i];
	return NULL;
}

static uint64_t *kept(struct pmu *pmu, const struct pmu_msr *m, uint32_t msr)
{
	return (uint64_t *)((uint8_t *)pmu + m->kept) + (msr - m->first);
}

/* The counters that are set up, and whether one of them may interrupt. */
static uint64_t in_use(const struct pmu *pmu)
{
	uint64_t used = 0;

	for (int i = 0; i < PMU_GP_COUNTERS; i++) {
		if (pmu->evtsel[i] & EVTSEL_EVENT)
			used |= 1ull << i;
		if (pmu->evtsel[i] & EVTSEL_INT)
			used |= INUSE_PMI;
	}
	for (int i = 0; i < PMU_FIXED_COUNTERS; i++) {
		unsigned int ctrl = pmu->fixed_ctrl >> (i * FIXED_CTRL_SHIFT);

		if (ctrl & FIXED_CTRL_RINGS)
			used |= 1ull << (FIRST_FIXED + i);
		if (ctrl & FIXED_CTRL_PMI)
			used |= INUSE_PMI;
	}
	return used;
}

bool pmu_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value)
{
	struct pmu *pmu = &tdx_lp(env)->pmu;
	const struct pmu_msr *m;

	switch (msr) {
	case MSR_CORE_PERF_GLOBAL_STATUS:
		*value = pmu->global_status;
		return true;
	case MSR_CORE_PERF_GLOBAL_OVF_CTRL:
	case MSR_PERF_GLOBAL_STATUS_SET:
		*value = 0;
		return true;
	case MSR_PERF_GLOBAL_INUSE:
		*value = in_use(pmu);
		return true;
	}
	m = find(msr);
	if (m)
		*value = *kept(pmu, m, msr);
	return m;
}

/* False if the CPU refuses the value. */
static bool write_register(struct pmu *pmu, const struct pmu_msr *m, uint32_t msr,
			   uint64_t value)
{
	if (value & ~m->bits)
		return false;
	/* The old names of the counters take 32 bits, with a sign. */
	if (m->first == MSR_P6_PERFCTR0)
		value = (int32_t)value & COUNTER_BITS;
	*kept(pmu, m, msr) = value;
	return true;
}

bool pmu_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value, uintptr_t ra)
{
	struct pmu *pmu = &tdx_lp(env)->pmu;
	const struct pmu_msr *m = find(msr);
	bool ok = false;

	switch (msr) {
	case MSR_CORE_PERF_GLOBAL_STATUS:
	case MSR_PERF_GLOBAL_INUSE:
		break;
	case MSR_CORE_PERF_GLOBAL_OVF_CTRL:
		ok = !(value & ~STATUS_RESET_BITS);
		pmu->global_status &= ok ? ~value : ~0ull;
		break;
	case MSR_PERF_GLOBAL_STATUS_SET:
		ok = !(value & ~STATUS_SET_BITS);
		pmu->global_status |= ok ? value : 0;
		break;
	default:
		if (!m)
			return false;
		ok = write_register(pmu, m, msr, value);
	}
	if (!ok)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	return true;
}

/* ECX of RDPMC: the kind of a counter, and its number. */
#define RDPMC_FIXED	(1u << 30)

bool pmu_rdpmc(CPUX86State *env, uint32_t counter, uint64_t *value)
{
	const struct pmu *pmu = &tdx_lp(env)->pmu;

	if (counter < PMU_GP_COUNTERS)
		*value = pmu->gp[counter];
	else if (counter - RDPMC_FIXED < PMU_FIXED_COUNTERS)
		*value = pmu->fixed[counter - RDPMC_FIXED];
	else
		return false;
	return true;
}
