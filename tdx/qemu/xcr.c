// SPDX-License-Identifier: GPL-2.0
/*
 * What enables state components, XCR0, XSS and XFD, and the MSRs of CET, which are such
 * state themselves.
 *
 * Shadow stacks and ENDBRANCH are never enforced, so that there is no SSP.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "tcg/helper-tcg.h"
#include "glue.h"

#define MSR_XFD			0x1c4
#define MSR_XFD_ERR		0x1c5
#define MSR_S_CET		0x6a2
#define MSR_INT_SSP_TAB		0x6a8

#define CET_RESERVED		(0xfull << 6)
#define CET_SUPPRESS		(1ull << 10)
#define CET_TRACKER		(1ull << 11)
#define CET_ADDRESS		(~0xfffull)

#define AVX512			(7ull << XSTATE_OPMASK)

struct xsave_msrs *xsave_msrs(CPUX86State *env)
{
	struct td_cpu *td = tdx_in_td(env) ? tdx_vcpu_state(tdx_lp(env)->td) : NULL;

	return td ? &td->xsave : &tdx_lp(env)->xsave;
}

static bool all_or_none(uint64_t value, uint64_t bits)
{
	return !(value & bits) || (value & bits) == bits;
}

/* The CPUs are alike. */
static uint64_t supported(CPUX86State *env)
{
	static uint64_t all;

	if (!all)
		all = xstate_supported(env, tdx_profile());
	return all;
}

static bool xcr0_is_valid(CPUX86State *env, uint64_t value)
{
	return value & BIT_ULL(XSTATE_X87) &&
	       !(value & ~(supported(env) & XSTATES_XCR0)) &&
	       all_or_none(value, AVX512) && all_or_none(value, XSTATES_AMX) &&
	       !(value & BIT_ULL(XSTATE_AVX) && !(value & BIT_ULL(XSTATE_SSE))) &&
	       !(value & AVX512 && !(value & BIT_ULL(XSTATE_AVX)));
}

void xsave_write_xcr0(CPUX86State *env, uint64_t value, uintptr_t ra)
{
	if (!xcr0_is_valid(env, value))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	env->xcr0 = value;
	cpu_sync_avx_hflag(env);
}

bool xsave_has_cet(CPUX86State *env)
{
	return (supported(env) & XSTATES_CET) == XSTATES_CET;
}

/* The components that XFD is about. */
static uint64_t xfd_bits(CPUX86State *env)
{
	return supported(env) & BIT_ULL(XSTATE_TILEDATA);
}

bool xsave_has_tiles(CPUX86State *env)
{
	return env->cr[4] & CR4_OSXSAVE_MASK && (env->xcr0 & XSTATES_AMX) == XSTATES_AMX;
}

void xsave_need_tiles(CPUX86State *env)
{
	struct xsave_msrs *m = xsave_msrs(env);

	if (env->cr[0] & CR0_TS_MASK)
		raise_exception(env, EXCP07_PREX);
	if (!(m->xfd & BIT_ULL(XSTATE_TILEDATA)))
		return;
	m->xfd_err = BIT_ULL(XSTATE_TILEDATA);
	raise_exception(env, EXCP07_PREX);
}

/* NULL if it is not one of these, or one that the CPU lacks. */
static uint64_t *find(CPUX86State *env, uint32_t msr)
{
	struct xsave_msrs *m = xsave_msrs(env);

	if (msr == MSR_IA32_XSS)
		return &m->xss;
	if (!(msr == MSR_XFD || msr == MSR_XFD_ERR ? xfd_bits(env) : xsave_has_cet(env)))
		return NULL;
	switch (msr) {
	case MSR_XFD:
		return &m->xfd;
	case MSR_XFD_ERR:
		return &m->xfd_err;
	case MSR_U_CET:
		return &m->u_cet;
	case MSR_S_CET:
		return &m->s_cet;
	case MSR_PL0_SSP ... MSR_PL3_SSP:
		return &m->pl_ssp[msr - MSR_PL0_SSP];
	case MSR_INT_SSP_TAB:
		return &m->int_ssp_tab;
	}
	return NULL;
}

static bool is_canonical(CPUX86State *env, uint64_t address)
{
	int width = env->cr[4] & CR4_LA57_MASK ? 57 : 48;

	return sextract64(address, 0, width) == address;
}

static bool cet_is_valid(CPUX86State *env, uint64_t value)
{
	return !(value & CET_RESERVED) && is_canonical(env, value & CET_ADDRESS) &&
	       (value & (CET_SUPPRESS | CET_TRACKER)) != (CET_SUPPRESS | CET_TRACKER);
}

static bool ssp_is_valid(CPUX86State *env, uint64_t value)
{
	return !(value & 3) && is_canonical(env, value);
}

bool xsave_msr_is_valid(CPUX86State *env, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_IA32_XSS:
		return !(value & ~(supported(env) & XSTATES_XSS));
	case MSR_XFD:
	case MSR_XFD_ERR:
		return !(value & ~xfd_bits(env));
	case MSR_U_CET:
	case MSR_S_CET:
		return cet_is_valid(env, value);
	case MSR_INT_SSP_TAB:
		return is_canonical(env, value);
	}
	return ssp_is_valid(env, value);
}

static bool is_known(uint32_t msr)
{
	return msr == MSR_IA32_XSS || msr == MSR_XFD || msr == MSR_XFD_ERR ||
	       msr == MSR_U_CET || msr == MSR_S_CET ||
	       (msr >= MSR_PL0_SSP && msr <= MSR_INT_SSP_TAB);
}

bool xsave_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value, uintptr_t ra)
{
	uint64_t *reg;

	if (!is_known(msr))
		return false;
	reg = find(env, msr);
	if (!reg)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	*value = *reg;
	return true;
}

bool xsave_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value, uintptr_t ra)
{
	uint64_t *reg;

	if (!is_known(msr))
		return false;
	reg = find(env, msr);
	if (!reg || !xsave_msr_is_valid(env, msr, value))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	*reg = value;
	return true;
}
