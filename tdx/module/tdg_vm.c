// SPDX-License-Identifier: GPL-2.0
/* TDG.VM.*: the metadata of the calling TD. */
#include "fields.h"
#include "tdg.h"

u64 tdg_vm_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], value = 0, err;
	struct td *td = c->vcpu->td;

	c->gpr[TDX_R8] = 0;
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (c->version && id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = td_next(td, id, GUEST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = td_read(td, id, GUEST, &value);
	c->gpr[TDX_R8] = value;
	if (c->version)
		c->gpr[TDX_RDX] = err ? NO_FIELD : td_next(td, id, GUEST);
	return err;
}

u64 tdg_vm_wr(struct call *c)
{
	u64 old = 0, err;

	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	err = td_write(c->vcpu->td, c->gpr[TDX_RDX], c->gpr[TDX_R8],
		       c->gpr[TDX_R9], &old);
	c->gpr[TDX_R8] = old;
	return err;
}
