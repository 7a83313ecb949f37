// SPDX-License-Identifier: GPL-2.0
/* TDG.SERVTD.*: no service TD can be bound, so no binding handle is valid. */
#include "tdg.h"

static u64 not_bound(struct call *c)
{
	c->gpr[TDX_R8] = 0;
	return status(TDX_SERVTD_NOT_BOUND, TDX_OP_RCX);
}

u64 tdg_servtd_rd(struct call *c)
{
	return not_bound(c);
}

u64 tdg_servtd_wr(struct call *c)
{
	return not_bound(c);
}
