/* SPDX-License-Identifier: GPL-2.0 */
/* Names of the ABI's numbers, for the trace and for injection. */
#ifndef TDX_NAMES_H
#define TDX_NAMES_H

#include "model.h"

/* "RCX", "SEPT_TREE" and so on; NULL if unknown. */
const char *operand_name(enum tdx_operand op);

/* The status code called @name, in *@code; false if there is none. */
bool status_by_name(const char *name, u32 *code);

/* "EPT violation" and so on, or "unknown"; @reason is a VM exit reason. */
const char *exit_name(u32 reason);

/* The exit reason with that name, in *@reason; false if there is none. */
bool exit_by_name(const char *name, u32 *reason);

/* Name of a TDG.VP.VMCALL sub-function (R11 when R10 is 0), or "unknown". */
const char *vmcall_name(u64 nr);

/* Appends to the string in @line, which is an array of @size bytes. */
void line_append(char *line, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* TDX_NAMES_H */
