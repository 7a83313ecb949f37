// SPDX-License-Identifier: GPL-2.0
/* The module's unit tests: "make -C tdx/module check". */
#include "tests.h"

struct test {
	enum step step;
	void (*run)(struct world *w);
};

static void run_test(const void *data)
{
	const struct test *t = data;
	struct world *w = world_new(NULL);

	world_to(w, t->step);
	t->run(w);
	world_free(w);
}

void add_test(const char *path, enum step step, void (*run)(struct world *w))
{
	struct test *t = g_new(struct test, 1);

	*t = (struct test){ step, run };
	g_test_add_data_func_full(path, t, run_test, g_free);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_set_nonfatal_assertions();
	add_seamcall_tests();
	add_system_tests();
	add_tdmr_tests();
	add_pamt_tests();
	add_seamldr_tests();
	add_params_tests();
	add_cpuid_tests();
	add_profile_tests();
	add_rules_tests();
	add_life_tests();
	add_memory_tests();
	add_tdcall_tests();
	add_msr_tests();
	add_virt_tests();
	add_report_tests();
	add_fault_tests();
	add_host_tests();
	add_lock_tests();
	add_zero_step_tests();
	add_host_priority_tests();
	add_smp_tests();
	add_table_tests();
	return g_test_run();
}
