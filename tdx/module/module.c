// SPDX-License-Identifier: GPL-2.0
/* Creates and frees a module. */
#include <stdlib.h>

#include "fields.h"
#include "inject.h"
#include "leaf.h"
#include "profiles.h"
#include "system.h"

struct tdx_module *tdx_module_new(const struct tdx_ops *ops, void *opaque,
				  const struct tdx_platform *platform,
				  const char **error)
{
	struct tdx_module *m;

	*error = NULL;
	if (!platform->num_lps)
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
	m->profile = platform->profile ? platform->profile : &tdx_default_profile;
	m->loaded = m->seamldr.present = m->profile->loaded;
	m->seamldr.called = g_new0(bool, platform->num_lps);
	m->seamldr.updates_left = SEAMLDR_MAX_UPDATES;
	m->seamldr.major_svn = m->profile->major;
	m->seamldr.minor_svn = m->profile->update;
	m->lp_ready = g_new0(bool, platform->num_lps);
	m->hkids = g_new0(enum hkid_state, platform->num_tdx_keyids);
	m->written_back = g_new0(bool, platform->num_tdx_keyids);
	m->kept = g_new0(struct call, platform->num_lps);
	sys_fields_init(m);
	random_bytes(m->report_key, sizeof(m->report_key));
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->turn, NULL);
	return m;
}

void tdx_module_free(struct tdx_module *m)
{
	system_forget(m);
	g_slist_free_full(m->old_pages, free);
	plan_free(m->plan);
	pthread_cond_destroy(&m->turn);
	pthread_mutex_destroy(&m->lock);
	g_free(m->seamldr.called);
	g_free(m->lp_ready);
	g_free(m->hkids);
	g_free(m->written_back);
	g_free(m->kept);
	g_free(m->native_cpuid);
	g_free(m->sys_fields);
	g_free(m);
}
