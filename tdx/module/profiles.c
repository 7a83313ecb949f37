// SPDX-License-Identifier: GPL-2.0
/* The profiles: releases of the module, and modifiers of the CPU that it runs on. */
#include <stdlib.h>
#include <string.h>

#include "cpuid_table.h"
#include "profiles.h"
#include "rules.h"

#define FEATURES_1_5_06							\
	(FEATURE_TD_MIGRATION | FEATURE_TD_PRESERVING |			\
	 FEATURE_SERVICE_TD | FEATURE_TDG_VP_RDWR |			\
	 FEATURE_RELAXED_MEM_MNG_CONCURRENCY |				\
	 FEATURE_CPUID_VIRT_GUEST_CTRL | FEATURE_TD_PARTITIONING |	\
	 FEATURE_LOCAL_ATTESTATION | FEATURE_TD_ENTRY_ENHANCEMENTS |	\
	 FEATURE_HOST_PRIORITY_LOCKS |					\
	 FEATURE_CONFIG_ARCH_CAP | FEATURE_PENDING_EPT_VIOLATION_V2 |	\
	 FEATURE_FMS_CONFIG | FEATURE_NO_RBP_MOD |			\
	 FEATURE_L2_TLB_INVD_OPT | FEATURE_TOPOLOGY_ENUM |		\
	 FEATURE_ICSSD | FEATURE_FIXED_CTR12_PROF |			\
	 FEATURE_MAXPA_VIRT | FEATURE_CPUID2_VIRT)

/* Those of both 1.5.28 and 2.0.08, without Dynamic PAMT. */
#define FEATURES_LATE							\
	(FEATURES_1_5_06 | FEATURE_PARTITIONED_TD_MIGRATION |		\
	 FEATURE_EVENT_FILTERING | FEATURE_VE_REDUCTION |		\
	 FEATURE_MAXGPA_VIRT | FEATURE_FATAL_DIAGNOSTICS |		\
	 FEATURE_IMPORT_PAGE_STATUS)

#define ATTRIBUTES_1_5							\
	(TD_ATTR_DEBUG | TD_ATTR_ICSSD | TD_ATTR_LASS |			\
	 TD_ATTR_SEPT_VE_DISABLE | TD_ATTR_MIGRATABLE |			\
	 TD_ATTR_PKS | TD_ATTR_PERFMON)

#define CONFIG_FLAGS_1_5_06						\
	(CONFIG_GPAW | CONFIG_FLEXIBLE_VE | CONFIG_NO_RBP_MOD |		\
	 CONFIG_MAXPA_VIRT)

#define TD_CTLS_1_5_06							\
	(TD_CTLS_PENDING_VE_DISABLE | TD_CTLS_ENUM_TOPOLOGY |		\
	 TD_CTLS_VIRT_CPUID2)

#define THE_CPU	.cpu_model = GRANITE_RAPIDS, .num_tdx_keyids = MOST_TDX_KEYIDS, \
		.tsc_num = 2, .tsc_den = 1

const struct tdx_profile tdx_default_profile = {
	.name = "1.5.06", .loaded = true,
	.major = 1, .minor = 5, .update = 6,
	.features0 = FEATURES_1_5_06,
	.attributes = ATTRIBUTES_1_5,
	.config_flags = CONFIG_FLAGS_1_5_06,
	.td_ctls = TD_CTLS_1_5_06,
	.max_vcpus = 576, .tdcs_pages = 6, .cpuid = &cpuid_1_5_06, THE_CPU,
};

static const struct tdx_profile later_releases[] = {
	{
		.name = "1.5.28", .loaded = true,
		.major = 1, .minor = 5, .update = 28,
		.features0 = FEATURES_LATE | FEATURE_ENHANCED_INTR_STATE |
			     FEATURE_VE_INFO_INTR_STATE |
			     FEATURE_UPDATE_COMPATIBILITY |
			     FEATURE_ENHANCED_DEMOTE |
			     FEATURE_DEBUG_RO_TD_MIGRATION,
		.attributes = ATTRIBUTES_1_5,
		.config_flags = CONFIG_FLAGS_1_5_06 | CONFIG_MAXGPA_VIRT,
		.td_ctls = TD_CTLS_1_5_06 | TD_CTLS_REDUCE_VE | TD_CTLS_LOCK,
		.max_vcpus = 576, .tdcs_pages = 6, .cpuid = &cpuid_1_5_28,
		THE_CPU,
	}, {
		.name = "2.0.08", .loaded = true,
		.major = 2, .minor = 0, .update = 8,
		.features0 = FEATURES_LATE,
		.attributes = ATTRIBUTES_1_5 | TD_ATTR_PMT_PROF | TD_ATTR_TPA,
		.config_flags = CONFIG_FLAGS_1_5_06 | CONFIG_MAXGPA_VIRT,
		.td_ctls = TD_CTLS_1_5_06 | TD_CTLS_REDUCE_VE | TD_CTLS_LOCK,
		.max_vcpus = 1376, .tdcs_pages = 9, .cpuid = &cpuid_2_0_08,
		THE_CPU,
	}, {
		.name = "none", .cpuid = &cpuid_1_5_06, THE_CPU,
	}
};

bool profile_has_erratum(const struct tdx_profile *p)
{
	return p->cpu_model == SAPPHIRE_RAPIDS || p->cpu_model == EMERALD_RAPIDS;
}

const char tdx_profile_help[] =
	"1.5.06   an early release of 1.5, the default\n"
	"         source: sslab-gatech/tdx-module, commit 2c25cb3\n"
	"1.5.28   a late release of 1.5: a guest can have fewer #VE, and more of\n"
	"         CPUID is configurable\n"
	"         source: intel/tdx-module, commit 30d2218\n"
	"2.0.08   has that too; a TD takes 9 pages of TDCS and may have 1376 vCPUs\n"
	"         source: intel/tdx-module, commit 1666adc\n"
	"none     no module is loaded\n"
	"random:SEED\n"
	"         one of these releases with less of what is optional, on a CPU of any\n"
	"         model, TSC, number of KeyIDs and features; without modifiers\n"
	"\n"
	"CPUID, MSRs, metadata, sizes and limits are those of the source.  Not there,\n"
	"although TDX_FEATURES0 has their bits: migration, TD partitioning, service\n"
	"TDs and event filtering.  The CPU is a Granite Rapids with 31 guest KeyIDs\n"
	"and a 4-level EPT.\n"
	"\n"
	"Modifiers follow, as in 2.0.08,erratum,few-keys=2,gpaw=52:\n"
	"\n"
	"  erratum      the CPU is a Sapphire Rapids: it has the partial-write erratum\n"
	"  few-keys=N   N guest KeyIDs, 1 to 31\n"
	"  gpaw=BITS    52: the EPT may have 5 levels and guest addresses 52 bits; or 48\n"
	"  sys-disable  the module has TDH.SYS.DISABLE, for a kexec\n"
	"  dynamic-pamt the module has Dynamic PAMT, which Linux has to ask for\n"
	"  rules=FILE   what else differs from the release, see tdx/module/rules.h\n";

/* Another KeyID is the module's own. */
static bool set_few_keys(struct tdx_profile *p, unsigned long value)
{
	p->num_tdx_keyids = value + 1;
	return value >= 1 && value < MOST_TDX_KEYIDS;
}

static bool set_gpaw(struct tdx_profile *p, unsigned long value)
{
	p->ept_5_levels = value == 52;
	return value == 48 || value == 52;
}

/* Returns NULL, or what is wrong. */
static char *read_rules(struct tdx_profile *p, const char *path)
{
	g_autofree char *text = NULL, *wrong = NULL;
	GError *error = NULL;

	if (g_file_get_contents(path, &text, NULL, &error)) {
		wrong = rules_add(p, text);
		return wrong ? g_strdup_printf("%s: %s", path, wrong) : NULL;
	}
	wrong = g_strdup(error->message);
	g_error_free(error);
	return g_steal_pointer(&wrong);
}

static const struct modifier {
	const char *name;
	bool of_module;
	/* Without a value: the CPU's model, or a bit of TDX_FEATURES0. */
	enum cpu_model cpu_model;
	u64 feature;
	/* With one: what it may be, and what it sets. */
	const char *value;
	bool (*set)(struct tdx_profile *p, unsigned long value);
	char *(*set_text)(struct tdx_profile *p, const char *text);
} modifiers[] = {
	{ "erratum", .cpu_model = SAPPHIRE_RAPIDS },
	{ "few-keys", .value = "a number from 1 to 31", .set = set_few_keys },
	{ "gpaw", .of_module = true, .value = "48 or 52", .set = set_gpaw },
	{ "sys-disable", .of_module = true, .feature = FEATURE_SYS_DISABLE },
	{ "dynamic-pamt", .of_module = true, .feature = FEATURE_DYNAMIC_PAMT },
	{ "rules", .value = "a file", .set_text = read_rules },
};

static bool find_release(const char *name, struct tdx_profile *p)
{
	unsigned int i;

	*p = tdx_default_profile;
	if (!strcmp(name, p->name))
		return true;
	for (i = 0; i < ARRAY_SIZE(later_releases); i++) {
		*p = later_releases[i];
		if (!strcmp(name, p->name))
			return true;
	}
	return false;
}

static bool is_number(const char *text)
{
	return *text && strlen(text) <= 9 &&
	       strspn(text, "0123456789") == strlen(text);
}

/* Applies "NAME" or "NAME=VALUE".  @seen has a bit for each modifier so far. */
static char *modify(struct tdx_profile *p, const char *text, unsigned int *seen)
{
	g_auto(GStrv) part = g_strsplit(text, "=", 2);
	const char *value = part[0] ? part[1] : NULL;
	const struct modifier *m = modifiers;

	while (m < modifiers + ARRAY_SIZE(modifiers) &&
	       g_strcmp0(m->name, part[0]))
		m++;
	if (m == modifiers + ARRAY_SIZE(modifiers))
		return g_strdup_printf("no such modifier of a profile: '%s'", text);
	if (*seen & BIT(m - modifiers))
		return g_strdup_printf("a profile has '%s' once", m->name);
	*seen |= BIT(m - modifiers);
	if (m->of_module && !p->loaded)
		return g_strdup_printf("without a module, '%s' says nothing", m->name);
	if (!m->value && value)
		return g_strdup_printf("'%s' takes no value", m->name);
	if (m->set_text && value && *value)
		return m->set_text(p, value);
	if (m->value && (!value || !m->set || !is_number(value) ||
			 !m->set(p, strtoul(value, NULL, 10))))
		return g_strdup_printf("'%s' wants %s", m->name, m->value);
	if (m->cpu_model)
		p->cpu_model = m->cpu_model;
	p->features0 |= m->feature;
	return NULL;
}

#define RANDOM	"random:"

/* Each release is equally likely. */
static bool parse_random(const char *seed, struct tdx_profile *p)
{
	const unsigned int later = ARRAY_SIZE(later_releases) - 1;	/* but "none" */
	unsigned int release;
	GRand *r;

	if (!is_number(seed))
		return false;
	r = g_rand_new_with_seed(strtoul(seed, NULL, 10));
	release = g_rand_int_range(r, 0, later + 1);
	*p = release < later ? later_releases[release] : tdx_default_profile;
	draw_profile(r, p);
	g_rand_free(r);
	return true;
}

bool tdx_profile_parse(const char *text, struct tdx_profile *p, char **error)
{
	g_auto(GStrv) part = g_strsplit(text ? text : tdx_default_profile.name,
					",", -1);
	unsigned int i, seen = 0;

	*error = NULL;
	if (text && g_str_has_prefix(text, RANDOM)) {
		if (!parse_random(text + strlen(RANDOM), p))
			*error = g_strdup_printf("not a seed: '%s'", text + strlen(RANDOM));
		return !*error;
	}
	if (!part[0] || !find_release(part[0], p)) {
		*error = g_strdup_printf("no such profile: '%s'", part[0] ? part[0] : "");
		return false;
	}
	for (i = 1; part[i] && !*error; i++)
		*error = modify(p, part[i], &seen);
	return !*error;
}
