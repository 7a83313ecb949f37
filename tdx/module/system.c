// SPDX-License-Identifier: GPL-2.0
/* The module as a whole, and what happens to its state when it starts again. */
#include <string.h>

#include "system.h"
#include "td.h"
#include "tdmr.h"

void system_restart(struct tdx_module *m)
{
	m->sys_state = SYS_INIT_PENDING;
	m->num_lps_ready = 0;
	g_clear_pointer(&m->native_cpuid, g_free);
	memset(m->lp_ready, 0, m->platform.num_lps * sizeof(m->lp_ready[0]));
}

void system_forget(struct tdx_module *m)
{
	while (m->tds)
		td_free(m->tds);
	tdmrs_forget(m);
	memset(m->hkids, 0, m->platform.num_tdx_keyids * sizeof(m->hkids[0]));
	m->wb_interrupted = false;
	m->handoff_valid = false;
}

bool system_runs_td(const struct tdx_module *m)
{
	const struct td *td;

	for (td = m->tds; td; td = td->next)
		if (td->running[0] || td->running[1])
			return true;
	return false;
}
