// SPDX-License-Identifier: GPL-2.0
/* Names of profiles: releases and their modifiers. */
#include <string.h>

#include "tests.h"

static void valid(void)
{
	static const struct {
		const char *text, *name;
		uint16_t update;
		unsigned int model, keyids;
		bool loaded, ept_5_levels;
	} rows[] = {
		{ NULL, "1.5.06", 6, 0xad, 32, true, false },
		{ "1.5.06", "1.5.06", 6, 0xad, 32, true, false },
		{ "1.5.28", "1.5.28", 28, 0xad, 32, true, false },
		{ "2.0.08", "2.0.08", 8, 0xad, 32, true, false },
		{ "none", "none", 0, 0xad, 32, false, false },
		{ "1.5.28,erratum", "1.5.28", 28, 0x8f, 32, true, false },
		{ "1.5.06,gpaw=48", "1.5.06", 6, 0xad, 32, true, false },
		{ "2.0.08,erratum,few-keys=2,gpaw=52", "2.0.08", 8, 0x8f, 3, true, true },
		{ "2.0.08,gpaw=52,few-keys=2,erratum", "2.0.08", 8, 0x8f, 3, true, true },
		{ "1.5.06,few-keys=1", "1.5.06", 6, 0xad, 2, true, false },
		{ "1.5.06,few-keys=31", "1.5.06", 6, 0xad, 32, true, false },
		{ "none,erratum,few-keys=4", "none", 0, 0x8f, 5, false, false },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *error = NULL;
		struct tdx_profile p;

		g_assert_true(tdx_profile_parse(rows[i].text, &p, &error));
		g_assert_null(error);
		g_assert_cmpstr(p.name, ==, rows[i].name);
		g_assert_cmpuint(p.update, ==, rows[i].update);
		g_assert_cmpuint(p.cpu_model, ==, rows[i].model);
		g_assert_cmpuint(p.num_tdx_keyids, ==, rows[i].keyids);
		g_assert_cmpuint(p.loaded, ==, rows[i].loaded);
		g_assert_cmpuint(p.ept_5_levels, ==, rows[i].ept_5_levels);
		g_assert_nonnull(p.cpuid);
	}
}

static void invalid(void)
{
	static const struct { const char *text, *says; } rows[] = {
		{ "", "no such profile: ''" },
		{ "no-such", "no such profile: 'no-such'" },
		{ "1.5", "no such profile: '1.5'" },
		{ "erratum", "no such profile: 'erratum'" },
		{ ",erratum", "no such profile: ''" },
		{ "2.0.08,", "no such modifier of a profile: ''" },
		{ "2.0.08,,erratum", "no such modifier of a profile: ''" },
		{ "2.0.08,1.5.06", "no such modifier of a profile: '1.5.06'" },
		{ "2.0.08,fast=1", "no such modifier of a profile: 'fast=1'" },
		{ "2.0.08,erratum,erratum", "a profile has 'erratum' once" },
		{ "2.0.08,gpaw=48,gpaw=52", "a profile has 'gpaw' once" },
		{ "2.0.08,erratum=1", "'erratum' takes no value" },
		{ "2.0.08,gpaw", "'gpaw' wants 48 or 52" },
		{ "2.0.08,gpaw=", "'gpaw' wants 48 or 52" },
		{ "2.0.08,gpaw=49", "'gpaw' wants 48 or 52" },
		{ "2.0.08,gpaw=52x", "'gpaw' wants 48 or 52" },
		{ "2.0.08,few-keys=0", "'few-keys' wants a number from 1 to 31" },
		{ "2.0.08,few-keys=32", "'few-keys' wants a number from 1 to 31" },
		{ "2.0.08,few-keys=-1", "'few-keys' wants a number from 1 to 31" },
		{ "2.0.08,few-keys=4294967297", "'few-keys' wants a number from 1 to 31" },
		{ "2.0.08,few-keys=1=1", "'few-keys' wants a number from 1 to 31" },
		{ "none,gpaw=52", "without a module, 'gpaw' says nothing" },
		{ "random:", "not a seed: ''" },
		{ "random:x", "not a seed: 'x'" },
		{ "random:-1", "not a seed: '-1'" },
		{ "random:1,erratum", "not a seed: '1,erratum'" },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *error = NULL;
		struct tdx_profile p;

		g_assert_false(tdx_profile_parse(rows[i].text, &p, &error));
		g_assert_cmpstr(error, ==, rows[i].says);
	}
}

/* The default comes first, and each release is there with its source. */
static void help(void)
{
	unsigned int i;

	g_assert_true(g_str_has_prefix(tdx_profile_help, "1.5.06 "));
	for (i = 1; releases[i]; i++) {
		g_autofree char *line = g_strdup_printf("\n%s ", releases[i]);

		g_assert_nonnull(strstr(tdx_profile_help, line));
	}
	g_assert_nonnull(strstr(tdx_profile_help, "\nnone "));
}

/* A seed always means the same, seeds differ, and a TD runs on each. */
static void drawn(void)
{
	unsigned int seed, versions = 0;

	for (seed = 1; seed <= 30; seed++) {
		g_autofree char *text = g_strdup_printf("random:%u", seed), *error = NULL;
		struct world *w = world_new(text);
		struct tdx_profile again;

		memset(&again, 0, sizeof(again));
		g_assert_true(tdx_profile_parse(text, &again, &error));
		g_assert_cmpmem(&again.major, sizeof(again) - offsetof(struct tdx_profile, major),
				&w->profile.major,
				sizeof(again) - offsetof(struct tdx_profile, major));
		versions |= 1u << w->profile.update;
		g_assert_cmpuint(again.tsc_num * 1000 / again.tsc_den, >=, 1200);
		w->params.max_vcpus = 1;
		world_to(w, EXITED);
		world_free(w);
	}
	g_assert_cmphex(versions, ==, 1 << 6 | 1 << 8 | 1 << 28);
}

/* Each modifier changes what the module does. */
static void effects(void)
{
	struct world *w = world_new("2.0.08,gpaw=52");

	w->params.eptp_controls = 6 | 4 << 3;
	w->params.config_flags |= CONFIG_GPAW;
	world_to(w, INITIALIZED);
	world_free(w);
}

void add_profile_tests(void)
{
	g_test_add_func("/profiles/a release and modifiers in any order", valid);
	g_test_add_func("/profiles/wrong names, values and combinations are told", invalid);
	g_test_add_func("/profiles/the list has each release", help);
	g_test_add_func("/profiles/a seed is a module that runs a TD", drawn);
	g_test_add_func("/profiles/GPAW 52 is there with a 5-level EPT", effects);
}
