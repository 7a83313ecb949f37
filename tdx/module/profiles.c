// SPDX-License-Identifier: GPL-2.0
/* The profiles: module releases, and the platforms that they run on. */
#include <string.h>

#include "profiles.h"

#define FEATURES_1_5	(FEATURE_TD_PRESERVING |		\
			 FEATURE_PENDING_EPT_VIOLATION_V2 |	\
			 FEATURE_FMS_CONFIG | FEATURE_NO_RBP_MOD |	\
			 FEATURE_TOPOLOGY_ENUM)

#define MODULE_1_5	MODULE_1_5_WITH(0)
#define MODULE_1_5_WITH(features)					\
	.loaded = true,							\
	.major = 1, .minor = 5, .update = 6,				\
	.features0 = FEATURES_1_5 | (features),				\
	.attributes = TD_ATTR_DEBUG | TD_ATTR_ICSSD | TD_ATTR_LASS |	\
		      TD_ATTR_SEPT_VE_DISABLE | TD_ATTR_MIGRATABLE |	\
		      TD_ATTR_PKS | TD_ATTR_PERFMON,			\
	.config_flags = CONFIG_FLEXIBLE_VE | CONFIG_NO_RBP_MOD,		\
	.td_ctls = TD_CTLS_PENDING_VE_DISABLE | TD_CTLS_ENUM_TOPOLOGY |	\
		   TD_CTLS_VIRT_CPUID2

#define GRANITE_RAPIDS	.cpu_model = 0xad, .num_tdx_keyids = 32
#define SAPPHIRE_RAPIDS	.cpu_model = 0x8f, .num_tdx_keyids = 32

const struct tdx_profile tdx_profiles[] = {
	{
		.name = "tdx-1.5",
		.summary = "module 1.5.06, 4-level EPT, 31 guest KeyIDs",
		MODULE_1_5, GRANITE_RAPIDS,
	}, {
		.name = "tdx-2.0",
		.summary = "module 2.0.08: a guest may have fewer #VE",
		.loaded = true,
		.major = 2, .minor = 0, .update = 8,
		.features0 = FEATURES_1_5 | FEATURE_CONFIG_ARCH_CAP |
			     FEATURE_ICSSD | FEATURE_MAXPA_VIRT |
			     FEATURE_CPUID2_VIRT | FEATURE_VE_REDUCTION |
			     FEATURE_MAXGPA_VIRT,
		.attributes = TD_ATTR_DEBUG | TD_ATTR_PMT_PROF |
			      TD_ATTR_ICSSD | TD_ATTR_LASS |
			      TD_ATTR_SEPT_VE_DISABLE | TD_ATTR_MIGRATABLE |
			      TD_ATTR_PKS | TD_ATTR_TPA | TD_ATTR_PERFMON,
		.config_flags = CONFIG_FLEXIBLE_VE | CONFIG_NO_RBP_MOD |
				CONFIG_MAXPA_VIRT | CONFIG_MAXGPA_VIRT,
		.td_ctls = TD_CTLS_PENDING_VE_DISABLE |
			   TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_VIRT_CPUID2 |
			   TD_CTLS_REDUCE_VE | TD_CTLS_LOCK,
		GRANITE_RAPIDS,
	}, {
		.name = "erratum",
		.summary = "tdx-1.5 on a CPU with the partial-write erratum",
		MODULE_1_5, SAPPHIRE_RAPIDS,
	}, {
		.name = "few-keys",
		.summary = "tdx-1.5 with 2 guest KeyIDs",
		MODULE_1_5, .cpu_model = 0xad, .num_tdx_keyids = 3,
	}, {
		.name = "gpaw-52",
		.summary = "tdx-1.5 with 5-level EPT: guest addresses of 52 bits",
		MODULE_1_5, GRANITE_RAPIDS, .ept_5_levels = true,
	}, {
		.name = "sys-disable",
		.summary = "tdx-1.5 with TDH.SYS.DISABLE, for a kexec",
		MODULE_1_5_WITH(FEATURE_SYS_DISABLE), GRANITE_RAPIDS,
	}, {
		.name = "dynamic-pamt",
		.summary = "tdx-1.5 with Dynamic PAMT, which Linux has to ask for",
		MODULE_1_5_WITH(FEATURE_DYNAMIC_PAMT), GRANITE_RAPIDS,
	}, {
		.name = "none",
		.summary = "the CPU of tdx-1.5, and no module loaded",
		GRANITE_RAPIDS,
	}, {
		.name = NULL,
	}
};

const struct tdx_profile *tdx_profile_find(const char *name)
{
	const struct tdx_profile *p;

	if (!name)
		return &tdx_profiles[0];
	for (p = tdx_profiles; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

u64 profile_config_flags(const struct tdx_profile *p)
{
	return p->config_flags | (p->ept_5_levels ? CONFIG_GPAW : 0);
}
