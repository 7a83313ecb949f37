// SPDX-License-Identifier: GPL-2.0
/* Fuzzes SEAMCALL: any calls in any order, from any step of a TD's life. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int step = fuzz_choice(&in, NUM_STEPS), profile = fuzz_byte(&in);
	static const char *const profiles[] = {
		"1.5.06", "1.5.28", "2.0.08", "1.5.06,sys-disable",
	};
	struct world *w = world_new_untraced(profiles[profile % 4]);

	fuzz_begin();
	world_to(w, step);
	if (step != ENTERED)
		w->vcpu = NULL;
	while (in.left)
		fuzz_seamcall(w, &in);
	fuzz_end(w);
	return 0;
}
