// SPDX-License-Identifier: GPL-2.0
/* TDH.MR.*: the measurement of a TD's initial contents. */
#include "operands.h"
#include "sept.h"
#include "sha384.h"
#include "td.h"
#include "tdh.h"

#define EXTEND_CHUNK	256ull	/* bytes */

u64 tdh_mr_extend(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 gpa = c->gpr[TDX_RCX], tdr = c->gpr[TDX_RDX], err;
	u8 data[EXTEND_CHUNK];
	struct sept_entry *e;
	unsigned int found;
	struct td *td;

	c->gpr[TDX_RCX] = c->gpr[TDX_RDX] = 0;
	err = td_operand(c, tdr, TDX_OP_RDX, UNTIL_FINALIZED, &td);
	if (err)
		return err;
	if (gpa % EXTEND_CHUNK || gpa & shared_bit(td) || !gpa_fits(td, gpa))
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	e = sept_find(td, gpa, 0, &found);
	if (e->state != SEPT_MAPPED)
		return fail_at_entry(c, TDX_EPT_ENTRY_NOT_PRESENT, e, found);
	if (!m->ops.read(m->opaque, private_view(td, e->pa) + gpa % LEVEL_SIZE(found),
			 data, sizeof(data)))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RCX);
	td_measure(td, "MR.EXTEND", gpa);
	g_checksum_update(td->measurement, data, sizeof(data));
	return 0;
}

u64 tdh_mr_finalize(struct call *c)
{
	struct td *td;
	u64 err = td_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, UNTIL_FINALIZED,
			     &td);

	if (err)
		return err;
	if (!td->num_vcpus)
		return status(TDX_NO_VCPUS, 0);
	sha384_digest(td->measurement, td->mrtd);
	g_checksum_free(td->measurement);
	td->measurement = NULL;
	td->op_state = OP_RUNNABLE;
	return 0;
}
