// SPDX-License-Identifier: GPL-2.0
/* TD_PARAMS: what TDH.MNG.INIT accepts, field by field and bit by bit. */
#include <string.h>

#include "tests.h"

/* One field set to one value, all others valid. */
static const struct row {
	const char *name;
	size_t offset, size;
	uint64_t value, want;
} rows[] = {
#define ROW(name, field, value, want) \
	{ name, offsetof(struct td_params, field), \
	  sizeof(((struct td_params *)0)->field), value, want }
#define BAD_ATTR	ERR(OPERAND_INVALID, ATTRIBUTES)
#define BAD_XFAM	ERR(OPERAND_INVALID, XFAM)
#define BAD_FLAGS	ERR(OPERAND_INVALID, CONFIG_FLAGS)
#define BAD_EPTP	ERR(OPERAND_INVALID, EPTP_CONTROLS)
#define BAD_TSC		ERR(OPERAND_INVALID, TSC_FREQUENCY)
#define BAD_VCPUS	ERR(OPERAND_INVALID, MAX_VCPUS)
#define BAD_RESERVED	ERR(OPERAND_INVALID, RDX)
	ROW("DEBUG", attributes, TD_ATTR_DEBUG, 0),
	ROW("SEPT_VE_DISABLE", attributes, TD_ATTR_SEPT_VE_DISABLE, 0),
	ROW("PKS", attributes, TD_ATTR_PKS, 0),
	ROW("PERFMON", attributes, TD_ATTR_PERFMON, 0),
	ROW("MIGRATABLE, on a CPU of a later stepping than the release knows",
	    attributes, TD_ATTR_MIGRATABLE, ERR(OPERAND_INVALID, CPUID_CONFIG)),
	ROW("ICSSD", attributes, TD_ATTR_ICSSD, 0),
	ROW("MIGRATABLE and DEBUG", attributes,
	    TD_ATTR_MIGRATABLE | TD_ATTR_DEBUG, BAD_ATTR),
	ROW("MIGRATABLE and PERFMON", attributes,
	    TD_ATTR_MIGRATABLE | TD_ATTR_PERFMON, BAD_ATTR),
	ROW("PERFMON and ICSSD", attributes, TD_ATTR_PERFMON | TD_ATTR_ICSSD,
	    BAD_ATTR),
	ROW("KL", attributes, 1ull << 31, BAD_ATTR),
	ROW("reserved attribute", attributes, 1ull << 1, BAD_ATTR),
	ROW("no x87", xfam, 2, BAD_XFAM),
	ROW("no SSE", xfam, 1, BAD_XFAM),
	ROW("AVX", xfam, 7, 0),
	ROW("AVX-512", xfam, 0xe7, 0),
	ROW("AVX-512 without AVX", xfam, 0xe3, BAD_XFAM),
	ROW("AVX-512 partly", xfam, 0x67, BAD_XFAM),
	ROW("CET", xfam, 0x1803, 0),
	ROW("CET partly", xfam, 0x0803, BAD_XFAM),
	ROW("AMX", xfam, 0x60003, 0),
	ROW("AMX partly", xfam, 0x20003, BAD_XFAM),
	ROW("PT", xfam, 0x103, 0),
	ROW("LBR", xfam, 0x8003, 0),
	ROW("state that the CPU lacks", xfam, 0x4003, BAD_XFAM),
	ROW("state that no TD may have", xfam, 0x13, BAD_XFAM),
	ROW("no vCPU", max_vcpus, 0, BAD_VCPUS),
	ROW("maximum number of vCPUs", max_vcpus, 576, 0),
	ROW("too many vCPUs", max_vcpus, 577, BAD_VCPUS),
	ROW("no flags", config_flags, 0, 0),
	ROW("FLEXIBLE_PENDING_VE", config_flags, CONFIG_FLEXIBLE_VE, 0),
	ROW("reserved flag", config_flags, 1ull << 40, BAD_FLAGS),
	ROW("MAXPA_VIRT", config_flags, CONFIG_MAXPA_VIRT, 0),
	ROW("flag of later releases", config_flags, CONFIG_MAXGPA_VIRT, BAD_FLAGS),
	ROW("GPAW 52 with a 4-level EPT", config_flags, CONFIG_GPAW, BAD_EPTP),
	ROW("5-level EPT that the CPU lacks", eptp_controls, 6 | 4 << 3, BAD_EPTP),
	ROW("3-level EPT", eptp_controls, 6 | 2 << 3, BAD_EPTP),
	ROW("uncached EPT", eptp_controls, 0 | 3 << 3, BAD_EPTP),
	ROW("accessed and dirty bits", eptp_controls, 6 | 3 << 3 | 1 << 6,
	    BAD_EPTP),
	ROW("supervisor shadow stack", eptp_controls, 6 | 3 << 3 | 1 << 7,
	    BAD_EPTP),
	ROW("slowest TSC", tsc_frequency, 4, 0),
	ROW("TSC too slow", tsc_frequency, 3, BAD_TSC),
	ROW("fastest TSC", tsc_frequency, 400, 0),
	ROW("TSC too fast", tsc_frequency, 401, BAD_TSC),
	ROW("reserved bytes after msr_config_ctls", reserved0, 1, BAD_RESERVED),
	ROW("reserved bytes after tsc_frequency", reserved1[37], 1,
	    BAD_RESERVED),
	ROW("reserved bytes before CPUID", reserved2[23], 1, BAD_RESERVED),
	ROW("CPUID slot beyond the last", cpuid[47][3], 1, BAD_RESERVED),
};

static void run_row(const void *data)
{
	const struct row *r = data;
	struct world *w = world_new(NULL);

	world_to(w, TDCS_DONE);
	memcpy((uint8_t *)&w->params + r->offset, &r->value, r->size);
	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	check_status(seamcall(w, MNG_INIT, .rcx = TDR, .rdx = PARAMS), r->want);
	/* A refused call changes nothing: it can be repeated. */
	if (r->want) {
		w->params = (struct td_params){
			.xfam = 3, .max_vcpus = 1, .eptp_controls = 0x1e,
			.tsc_frequency = 40,
		};
		world_step(w, INITIALIZED);
	}
	world_free(w);
}

#define NUM_CPUID_CONFIG	0x9900000100000004
#define CPUID_CONFIG_LEAVES	0x9900000300000400
#define CPUID_CONFIG_VALUES	0x9900000300000500

static uint64_t sys_rd(struct world *w, uint64_t id)
{
	check_status(seamcall(w, SYS_RD, .rdx = id), 0);
	return w->regs[TDX_R8];
}

#define TSX	(1u << 4 | 1u << 11)	/* HLE and RTM must be equal */

/*
 * On a CPU that has everything, each bit of each slot by itself is accepted if and
 * only if CPUID_CONFIG_VALUES offers it.
 */
static void cpuid_bits(struct world *w)
{
	unsigned int slot, reg, bit, n = sys_rd(w, NUM_CPUID_CONFIG);

	g_assert_cmpuint(n, >=, 18);
	for (slot = 0; slot < n; slot++) {
		uint64_t leaf = sys_rd(w, CPUID_CONFIG_LEAVES + slot);

		for (reg = 0; reg < 4; reg++) {
			uint64_t pair = sys_rd(w, CPUID_CONFIG_VALUES +
					       2 * slot + reg / 2);
			uint32_t offered = pair >> 32 * (reg % 2);

			for (bit = 0; bit < 32; bit++) {
				bool ok = offered >> bit & 1;
				struct td_params p = w->params;
				uint64_t got;

				/* Not bit by bit: see cpuid_test.c. */
				if (((uint32_t)leaf == 0x1f && ok) ||
				    ((uint32_t)leaf == 1 && !reg && ok))
					continue;
				p.cpuid[slot][reg] = 1u << bit;
				if (leaf == 7 && reg == 1 && p.cpuid[slot][1] & TSX)
					p.cpuid[slot][1] = TSX;
				memcpy(ram(PARAMS), &p, sizeof(p));
				got = seamcall(w, MNG_INIT, .rcx = TDR,
					       .rdx = PARAMS);
				check_status(got, ok ? 0 : ERR(OPERAND_INVALID,
							       CPUID_CONFIG));
				if (!ok) {
					g_assert_cmphex(w->regs[TDX_RCX], ==,
							leaf);
					continue;
				}
				/* The next bit needs a new TD. */
				world_step(w, FLUSH_DONE);
				world_step(w, CACHE_DONE);
				world_step(w, TEARDOWN);
				for (unsigned int i = 0; i < w->profile.tdcs_pages; i++)
					check_status(seamcall(w,
						PHYMEM_PAGE_RECLAIM,
						.rcx = TDCX + i * 4096), 0);
				world_step(w, GONE);
				world_step(w, CREATED);
				world_step(w, KEYED);
				world_step(w, TDCS_DONE);
			}
		}
	}
}

static void cpuid_half_tsx(struct world *w)
{
	w->params.cpuid[5][1] = 1u << 4;
	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	check_status(seamcall(w, MNG_INIT, .rcx = TDR, .rdx = PARAMS),
		     ERR(OPERAND_INVALID, CPUID_CONFIG));
	g_assert_cmphex(w->regs[TDX_RCX], ==, 7);
	w->params.cpuid[5][1] = TSX;
	world_step(w, INITIALIZED);
}

/* Where the host has a choice, features that it does not ask for are off. */
static void cpuid_not_asked(struct world *w)
{
	struct tdx_cpuid_env env = { 0 };
	uint32_t out[4];

	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &env, 1, 0, out), ==, TDX_DONE);
	g_assert_cmphex(out[2] & 0x31044d88, ==, 0);
	g_assert_cmphex(out[2] & 0x46faa217, ==, 0x46faa217);
	g_assert_cmphex(out[2] & 0x80000000, ==, 0x80000000);
	g_assert_cmphex(out[2] & 0x60, ==, 0);
	leave(w, 1);
}

/* CPUID is read once, not for each TD. */
static void cpuid_as_at_init(struct world *w)
{
	struct tdx_cpuid_env env = { 0 };
	uint32_t out[4];

	w->native = 0;
	world_through(w, TDCS_DONE + 1, RUNNABLE);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmpint(tdx_cpuid(w->vcpu, &env, 0x1a, 0, out), ==, TDX_DONE);
	g_assert_cmphex(out[0], ==, ~0u);
	leave(w, 1);
}

void add_params_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/params/%s",
							rows[i].name);

		g_test_add_data_func(path, &rows[i], run_row);
	}
	add_test("/params/CPUID takes the bits that it offers, on a CPU that has all", TDCS_DONE, cpuid_bits);
	add_test("/params/CPUID refuses HLE without RTM", TDCS_DONE, cpuid_half_tsx);
	add_test("/params/CPUID features are off unless asked for", RUNNABLE, cpuid_not_asked);
	add_test("/params/CPUID is native as at SYS.INIT", TDCS_DONE, cpuid_as_at_init);
}
