/* SPDX-License-Identifier: GPL-2.0 */
/* Operands of TDCALLs in the TD's memory, by guest physical address. */
#ifndef TDX_GUEST_MEMORY_H
#define TDX_GUEST_MEMORY_H

#include "leaf.h"

/*
 * Whether @gpa, operand @op, can be an address of the TD's: 0 or a status.
 * @align: in bytes; @private_only: no shared memory
 */
u64 gpa_operand(struct call *c, u64 gpa, u64 align, bool private_only,
		enum tdx_operand op);

/*
 * Read and write @len bytes that don't cross a page boundary.  If the guest
 * can't access @gpa now these return false, and c->outcome is the TD exit or
 * exception to raise instead; the guest executes the TDCALL again later.
 */
bool guest_read(struct call *c, u64 gpa, void *buf, size_t len);
bool guest_write(struct call *c, u64 gpa, const void *buf, size_t len);

#endif /* TDX_GUEST_MEMORY_H */
