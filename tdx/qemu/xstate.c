// SPDX-License-Identifier: GPL-2.0
/* The state components of the XSAVE feature set: which there are, how large, and where. */
#include "qemu/osdep.h"
#include "cpu.h"
#include "glue.h"

#define LEAF_XSTATE		0xdu
#define XSTATE_MAIN		0u	/* subleaves: all of XCR0 ... */
#define XSTATE_MORE		1u	/* ... the instructions, and all of XSS */

/* EAX of the latter. */
#define HAS_XSAVEOPT		(1u << 0)
#define HAS_XSAVEC		(1u << 1)
#define HAS_XGETBV_1		(1u << 2)
#define HAS_XSAVES		(1u << 3)
#define HAS_XFD_MSR		(1u << 4)

/* ECX of a component's subleaf. */
#define OF_XSS			(1u << 0)
#define ALIGNED			(1u << 1)
#define HAS_XFD			(1u << 2)

/* The offsets are those of Intel's CPUs. */
const struct xstate xstates[] = {
	{ XSTATE_AVX, 256, 576 },
	{ XSTATE_OPMASK, 64, 1088 },
	{ XSTATE_ZMM_HI256, 512, 1152 },
	{ XSTATE_HI16_ZMM, 1024, 1664 },
	{ XSTATE_PKRU, 8, 2688 },
	{ XSTATE_CET_U, 16, 0, OF_XSS },
	{ XSTATE_CET_S, 24, 0, OF_XSS },
	{ XSTATE_TILECFG, 64, 2752, ALIGNED },
	{ XSTATE_TILEDATA, 8192, 2816, ALIGNED | HAS_XFD },
};

const unsigned int num_xstates = ARRAY_SIZE(xstates);

uint32_t xstate_place(const struct xstate *s, bool compacted, uint32_t end)
{
	if (!compacted)
		return s->offset;
	return s->flags & ALIGNED ? ROUND_UP(end, 64) : end;
}

uint32_t xstate_size(uint64_t components, bool compacted)
{
	uint32_t end = XSAVE_LEGACY_SIZE + XSAVE_HEADER_SIZE;

	for (int i = 0; i < ARRAY_SIZE(xstates); i++)
		if (components & BIT_ULL(xstates[i].bit))
			end = MAX(end, xstate_place(&xstates[i], compacted, end) +
				       xstates[i].size);
	return end;
}

/* The components that QEMU's CPU, the host's or a TD's, can have. */
static uint64_t all_xstates(CPUX86State *env)
{
	uint64_t all = XSTATES_X87_SSE | XSTATES_CET | XSTATES_AMX;

	if (env->features[FEAT_1_ECX] & CPUID_EXT_AVX)
		all |= BIT_ULL(XSTATE_AVX);
	if (env->features[FEAT_7_0_ECX] & CPUID_7_0_ECX_PKU)
		all |= BIT_ULL(XSTATE_PKRU);
	return all;
}

/* Subleaves 0 and 1 without sizes, which is where a profile may lack components. */
static void describe_all(CPUX86State *env, const struct tdx_profile *profile,
			 uint32_t main[4], uint32_t more[4])
{
	uint64_t all = all_xstates(env);

	main[R_EAX] = all & XSTATES_XCR0;
	more[R_EAX] = HAS_XSAVEOPT | HAS_XSAVEC | HAS_XGETBV_1 | HAS_XSAVES | HAS_XFD_MSR;
	more[2] = all & XSTATES_XSS;
	main[1] = main[2] = main[3] = more[1] = more[3] = 0;
	tdx_profile_cpuid(profile, LEAF_XSTATE, XSTATE_MAIN, main);
	tdx_profile_cpuid(profile, LEAF_XSTATE, XSTATE_MORE, more);
}

uint64_t xstate_supported(CPUX86State *env, const struct tdx_profile *profile)
{
	uint32_t main[4], more[4];

	describe_all(env, profile, main, more);
	return all_xstates(env) & ((main[0] & XSTATES_XCR0) | (more[2] & XSTATES_XSS));
}

/* The subleaf of a component. */
static void describe(uint64_t supported, uint32_t subleaf, uint32_t out[4])
{
	memset(out, 0, 4 * sizeof(out[0]));
	for (int i = 0; i < ARRAY_SIZE(xstates); i++) {
		if (xstates[i].bit != subleaf || !(supported & BIT_ULL(subleaf)))
			continue;
		out[0] = xstates[i].size;
		out[1] = xstates[i].offset;
		out[2] = xstates[i].flags;
	}
}

void xstate_cpuid(CPUX86State *env, const struct tdx_profile *profile, uint32_t subleaf,
		  uint32_t out[4])
{
	uint64_t supported = xstate_supported(env, profile);
	uint32_t main[4], more[4];

	describe_all(env, profile, main, more);
	main[1] = xstate_size(env->xcr0, false);
	main[2] = xstate_size(supported & XSTATES_XCR0, false);
	more[1] = xstate_size(env->xcr0, true);
	if (subleaf > XSTATE_MORE)
		describe(supported, subleaf, out);
	else
		memcpy(out, subleaf == XSTATE_MORE ? more : main, sizeof(main));
}
