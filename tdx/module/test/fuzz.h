/* SPDX-License-Identifier: GPL-2.0 */
/* What the two fuzzers share: input as a stream of choices, and the end. */
#ifndef TDX_FUZZ_H
#define TDX_FUZZ_H

#include "world.h"

struct input {
	const uint8_t *data;
	size_t left;
};

uint8_t fuzz_byte(struct input *in);
/* A choice of @n. */
unsigned int fuzz_choice(struct input *in, unsigned int n);
/* An operand: mostly an address or an id that means something, or near one. */
uint64_t fuzz_value(struct input *in);
void fuzz_operands(struct input *in, struct operands *o);

/* Before anything else. */
void fuzz_begin(void);

/* A SEAMCALL of any kind by any LP; what it enters is left again. */
void fuzz_seamcall(struct world *w, struct input *in);

/*
 * Whatever happened, the host gets everything back: all TDs are taken down, and
 * then no page may be left with one.
 */
void fuzz_end(struct world *w);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* TDX_FUZZ_H */
