// SPDX-License-Identifier: GPL-2.0
/* #VE. */
#include "events.h"
#include "ve.h"

enum tdx_outcome raise_ve(struct tdx_vcpu *v, const struct tdx_ve_info *ve)
{
	if (v->ve_valid)
		return TDX_DF;
	v->ve = *ve;
	v->ve_category = v->next_category;
	v->ve_valid = true;
	trace_ve(v);
	return TDX_VE;
}

enum tdx_outcome tdx_ve(struct tdx_vcpu *v, const struct tdx_ve_info *ve)
{
	struct tdx_module *m = v->td->m;
	enum tdx_outcome out;

	pthread_mutex_lock(&m->lock);
	out = raise_ve(v, ve);
	pthread_mutex_unlock(&m->lock);
	return out;
}
