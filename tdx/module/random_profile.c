// SPDX-License-Identifier: GPL-2.0
/*
 * A plausible module on a plausible CPU.  A seed gives the same profile everywhere, as
 * GLib defines its generator.
 */
#include "profiles.h"

static const enum cpu_model models[] = {
	SAPPHIRE_RAPIDS, EMERALD_RAPIDS, GRANITE_RAPIDS, GRANITE_RAPIDS_D,
	SIERRA_FOREST, CLEARWATER_FOREST,
};

/* Features that a CPU may lack, together with those that need them. */
static const struct tdx_cpu_bits features[][TDX_MAX_CPU_BITS] = {
	{ { 7, 0, 1, 1 << 4 | 1 << 11 } },			/* TSX */
	{ { 7, 0, 2, 1 << 5 } },				/* WAITPKG */
	{ { 1, 0, 2, 1 << 12 | 1 << 28 | 1 << 29 },		/* AVX */
	  { 7, 0, 1, 1 << 5 }, { 7, 0, 2, 1 << 9 | 1 << 10 },
	  { 7, 1, 0, 1 << 4 | 1 << 23 }, { 7, 1, 3, 1 << 4 | 1 << 5 | 1 << 10 },
	  { 0xd, 0, 0, 1 << 2 } },
	{ { 7, 0, 2, 1 << 3 }, { 0xd, 0, 0, 1 << 9 } },		/* PKU */
	{ { 7, 0, 2, 1 << 8 } },				/* GFNI */
	{ { 7, 0, 2, 1 << 22 } },				/* RDPID */
	{ { 7, 0, 2, 1 << 25 } },				/* CLDEMOTE */
	{ { 7, 0, 1, 1 << 9 } },				/* ERMS */
	{ { 7, 0, 1, 1 << 19 } },				/* ADX */
	{ { 7, 0, 3, 1 << 4 } },				/* FSRM */
	{ { 7, 0, 3, 1 << 24 }, { 0xd, 0, 0, 3 << 17 },		/* AMX */
	  { 0xd, 1, 0, 1 << 4 }, { 0x1d, 0, 0, 1 }, { 0x1d, 1, 0, ~0u },
	  { 0x1d, 1, 1, ~0u }, { 0x1d, 1, 2, ~0u } },
};

static bool one_in(GRand *r, unsigned int n)
{
	return !g_rand_int_range(r, 0, n);
}

static void draw_module(GRand *r, struct tdx_profile *p)
{
	/* What KVM can't do without, and what there has always been. */
	const u64 attributes = TD_ATTR_DEBUG | TD_ATTR_SEPT_VE_DISABLE;
	unsigned int bit;

	for (bit = 0; bit < 64; bit++)
		if (!(attributes & BIT(bit)) && one_in(r, 4))
			p->attributes &= ~BIT(bit);
	if (one_in(r, 4)) {
		p->features0 &= ~FEATURE_VE_REDUCTION;
		p->td_ctls &= ~TD_CTLS_REDUCE_VE;
	}
	/* KVM wants as many as the host has CPUs. */
	if (one_in(r, 2))
		p->max_vcpus = g_rand_int_range(r, 64, p->max_vcpus + 1);
}

static void draw_cpu(GRand *r, struct tdx_profile *p)
{
	unsigned int i, j;

	p->cpu_model = models[g_rand_int_range(r, 0, ARRAY_SIZE(models))];
	p->num_tdx_keyids = g_rand_int_range(r, 2, MOST_TDX_KEYIDS + 1);
	p->ept_5_levels = one_in(r, 2);
	/* 1.2 to 4 GHz, in steps of 25 MHz. */
	p->tsc_num = g_rand_int_range(r, 48, 161);
	p->tsc_den = 40;
	for (i = 0; i < ARRAY_SIZE(features); i++) {
		if (!one_in(r, 3))
			continue;
		for (j = 0; j < TDX_MAX_CPU_BITS && features[i][j].mask; j++)
			p->cpu_lacks[p->num_cpu_lacks++] = features[i][j];
	}
}

void draw_profile(GRand *r, struct tdx_profile *p)
{
	draw_module(r, p);
	draw_cpu(r, p);
}
