// SPDX-License-Identifier: GPL-2.0
/* TDG.SYS.*: the global metadata, as the guest reads it. */
#include "fields.h"
#include "guest_memory.h"
#include "tdg.h"

u64 tdg_sys_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;

	c->gpr[TDX_R8] = 0;
	if (id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = sys_next(c->m, id, GUEST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = sys_read(c->m, id, GUEST, &c->gpr[TDX_R8]);
	c->gpr[TDX_RDX] = err ? NO_FIELD : sys_next(c->m, id, GUEST);
	return err;
}

u64 tdg_sys_rdall(struct call *c)
{
	u64 id = c->gpr[TDX_R8], list[PAGE_SIZE / 8] = { 0 }, err;

	c->gpr[TDX_R8] = NO_FIELD;
	err = gpa_operand(c, c->gpr[TDX_RDX], PAGE_SIZE, true, TDX_OP_RDX);
	if (!err)
		err = sys_read_list(c->m, &id, list, ARRAY_SIZE(list));
	if (err)
		return err;
	if (guest_write(c, c->gpr[TDX_RDX], list, sizeof(list)))
		c->gpr[TDX_R8] = id;
	return 0;
}
