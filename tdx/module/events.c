// SPDX-License-Identifier: GPL-2.0
/* Trace lines for events that are not calls. */
#include <inttypes.h>

#include "events.h"
#include "names.h"

static void begin(char *line, size_t size, const struct tdx_vcpu *v)
{
	line_append(line, size, "cpu%d TD vcpu%u: ", v->lp, v->index);
}

void trace_exit(struct tdx_vcpu *v, const struct tdx_exit *exit)
{
	struct tdx_module *m = v->td->m;
	char line[256] = "";

	if (!m->ops.trace)
		return;
	begin(line, sizeof(line), v);
	line_append(line, sizeof(line), "exit, %s", exit_name(exit->reason));
	if (exit->reason == EXIT_EPT_VIOLATION ||
	    exit->reason == EXIT_EPT_MISCONFIG)
		line_append(line, sizeof(line),
			    " gpa=0x%" PRIx64 " qualification=0x%" PRIx64,
			    exit->gpa, exit->qualification);
	m->ops.trace(m->opaque, line);
}

void trace_ve(struct tdx_vcpu *v)
{
	struct tdx_module *m = v->td->m;
	char line[256] = "";

	if (!m->ops.trace)
		return;
	begin(line, sizeof(line), v);
	line_append(line, sizeof(line), "#VE, %s", exit_name(v->ve.reason));
	if (v->ve.reason == EXIT_EPT_VIOLATION)
		line_append(line, sizeof(line), " gpa=0x%" PRIx64, v->ve.gpa);
	m->ops.trace(m->opaque, line);
}

void trace_host_access(struct tdx_module *m, u64 pa, enum tdx_page_type type,
		       bool write)
{
	char line[256] = "";

	if (!m->ops.trace)
		return;
	line_append(line, sizeof(line), "host: %s %s page 0x%" PRIx64,
		    write ? "write to" : "read of",
		    type == PT_REG ? "a TD's private" : "the module's", pa);
	m->ops.trace(m->opaque, line);
}

void complain(struct tdx_module *m, u64 pa, const char *why)
{
	char line[256] = "";

	line_append(line, sizeof(line),
		    "BUG: the host uses page 0x%" PRIx64 " of a TD again, but %s",
		    pa, why);
	if (m->ops.complain)
		m->ops.complain(m->opaque, line);
	if (m->ops.trace)
		m->ops.trace(m->opaque, line);
}
