// SPDX-License-Identifier: GPL-2.0
/* Creates and frees a module. */
#include <stdlib.h>

#include "inject.h"
#include "profiles.h"
#include "td.h"

struct tdx_module *tdx_module_new(const struct tdx_ops *ops, void *opaque,
				  const struct tdx_platform *platform,
				  const char **error)
{
	const struct tdx_profile *profile = tdx_profile_find(platform->profile);
	struct tdx_module *m;

	*error = NULL;
	if (!profile)
		*error = "no such profile";
	else if (!platform->num_lps)
		*error = "no logical processor";
	else if (platform->num_tdx_keyids < 2)
		*error = "fewer than two TDX KeyIDs";
	else if (platform->num_cmrs > ARRAY_SIZE(platform->cmr))
		*error = "too many ranges of convertible memory";
	if (*error)
		return NULL;

	m = g_new0(struct tdx_module, 1);
	m->ops = *ops;
	m->opaque = opaque;
	m->platform = *platform;
	m->profile = profile;
	m->lp_ready = g_new0(bool, platform->num_lps);
	m->hkids = g_new0(enum hkid_state, platform->num_tdx_keyids);
	m->written_back = g_new0(bool, platform->num_tdx_keyids);
	random_bytes(m->report_key, sizeof(m->report_key));
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->turn, NULL);
	return m;
}

void tdx_module_free(struct tdx_module *m)
{
	unsigned int i;

	while (m->tds)
		td_free(m->tds);
	for (i = 0; i < m->num_tdmrs; i++)
		free(m->tdmrs[i].pages);
	plan_free(m->plan);
	pthread_cond_destroy(&m->turn);
	pthread_mutex_destroy(&m->lock);
	g_free(m->lp_ready);
	g_free(m->hkids);
	g_free(m->written_back);
	g_free(m->native_cpuid);
	g_free(m);
}
