// SPDX-License-Identifier: GPL-2.0
/* A TD, and the vCPUs that it has. */
#include <string.h>

#include "sept.h"
#include "td.h"

static bool all_or_none(u64 value, u64 mask)
{
	return !(value & mask) || has_all(value, mask);
}

bool xfam_consistent(u64 xfam)
{
	return all_or_none(xfam, XFAM_AVX512) && all_or_none(xfam, XFAM_CET) &&
	       all_or_none(xfam, XFAM_AMX) &&
	       !(xfam & XFAM_AVX512 && !(xfam & XFAM_AVX)) &&
	       !(xfam & XFAM_AVX && !(xfam & XFAM_SSE));
}

void td_measure(struct td *td, const char *operation, u64 gpa)
{
	u8 block[128] = { 0 };

	memcpy(block, operation, strlen(operation));
	memcpy(block + 16, &gpa, sizeof(gpa));
	g_checksum_update(td->measurement, block, sizeof(block));
}

void vcpu_free(struct tdx_vcpu *v)
{
	struct tdx_module *m = v->td->m;
	struct tdx_vcpu **at = &v->td->vcpus;

	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	if (v->state_of_cpu)
		m->ops.free_state(m->opaque, v->state_of_cpu);
	g_free(v->cpuid_control);
	g_free(v);
}

void td_free(struct td *td)
{
	struct td **at = &td->m->tds;

	while (*at != td)
		at = &(*at)->next;
	*at = td->next;
	while (td->vcpus)
		vcpu_free(td->vcpus);
	sept_free(td);
	if (td->measurement)
		g_checksum_free(td->measurement);
	g_free(td->cpuid);
	g_free(td);
}
