// SPDX-License-Identifier: GPL-2.0
/* Operands of TDCALLs in the TD's memory; see guest_memory.h. */
#include <string.h>

#include "guest_memory.h"
#include "td.h"
#include "translate.h"
#include "ve.h"

u64 gpa_operand(struct call *c, u64 gpa, u64 align, bool private_only,
		enum tdx_operand op)
{
	const struct td *td = c->vcpu->td;

	if (gpa % align || !gpa_fits(td, gpa) ||
	    (private_only && gpa & shared_bit(td)))
		return status(TDX_OPERAND_INVALID, op);
	return 0;
}

/* The host physical address of @gpa in *hpa; returns as guest_read() does. */
static bool locate(struct call *c, u64 gpa, enum tdx_access access, u64 *hpa)
{
	unsigned int rights;

	c->outcome = translate_gpa(c->vcpu, gpa, access, hpa, &rights, c->exit);
	c->exit->by_tdcall = true;
	if (c->outcome == TDX_VE)
		c->outcome = raise_ve(c->vcpu, &(struct tdx_ve_info){
			.reason = EXIT_EPT_VIOLATION, .gpa = gpa,
			.qualification = c->exit->qualification,
		});
	return c->outcome == TDX_DONE;
}

bool guest_read(struct call *c, u64 gpa, void *buf, size_t len)
{
	struct tdx_module *m = c->m;
	u64 hpa;

	if (!locate(c, gpa, TDX_READ, &hpa))
		return false;
	/* Without RAM behind it, shared memory reads as ones. */
	if (!m->ops.read(m->opaque, hpa, buf, len))
		memset(buf, 0xff, len);
	return true;
}

bool guest_write(struct call *c, u64 gpa, const void *buf, size_t len)
{
	struct tdx_module *m = c->m;
	u64 hpa;

	if (!locate(c, gpa, TDX_WRITE, &hpa))
		return false;
	m->ops.write(m->opaque, hpa, buf, len);
	return true;
}
