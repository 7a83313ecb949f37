/* SPDX-License-Identifier: GPL-2.0 */
/* Common to the fuzzers: input as a stream of choices, SEAMCALLs, teardown. */
#ifndef TDX_FUZZ_H
#define TDX_FUZZ_H

#include "world.h"

struct input {
	const uint8_t *data;
	size_t left;
};

uint8_t fuzz_byte(struct input *in);
/* A number below @n. */
unsigned int fuzz_choice(struct input *in, unsigned int n);
/* An operand: mostly a valid address or id, or a value near one. */
uint64_t fuzz_value(struct input *in);
void fuzz_operands(struct input *in, struct operands *o);

/* To be called first. */
void fuzz_begin(void);

/* A SEAMCALL of any kind by any LP.  A vCPU that it enters exits at once. */
void fuzz_seamcall(struct world *w, struct input *in);

/*
 * Tears down all TDs.  Aborts if the host does not get back every page and every
 * KeyID.
 */
void fuzz_end(struct world *w);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* TDX_FUZZ_H */
