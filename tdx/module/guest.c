// SPDX-License-Identifier: GPL-2.0
/* Operands of TDCALLs in the TD's own memory, by guest physical address. */
#include <string.h>

#include "internal.h"

/* An address of @align bytes' alignment that the TD can have. */
u64 guest_operand(struct call *c, u64 gpa, u64 align, bool private_only,
		  enum tdx_operand op)
{
	const struct td *td = c->vcpu->td;

	if (gpa % align || gpa >> gpa_width(td) ||
	    (private_only && gpa & shared_bit(td)))
		return status(TDX_OPERAND_INVALID, op);
	return 0;
}

/*
 * The host physical address of @gpa.  False if the guest cannot have it now:
 * c->outcome is then what happens instead of the call, which is repeated later.
 */
static bool locate(struct call *c, u64 gpa, enum tdx_access access, u64 *hpa)
{
	unsigned int rights;

	c->outcome = translate(c->vcpu, gpa, access, hpa, &rights, c->exit);
	if (c->outcome == TDX_VE)
		c->outcome = raise_ve(c->vcpu, &(struct tdx_ve_info){
			.reason = EXIT_EPT_VIOLATION, .gpa = gpa,
			.qualification = c->exit->qualification,
		});
	return c->outcome == TDX_DONE;
}

/* @gpa to @gpa + @len lie in one page; see locate() for the result. */
bool guest_read(struct call *c, u64 gpa, void *buf, size_t len)
{
	struct tdx_module *m = c->m;
	u64 hpa;

	if (!locate(c, gpa, TDX_READ, &hpa))
		return false;
	/* A shared page may be what no RAM is behind: it reads as ones. */
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
