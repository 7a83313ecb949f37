/* SPDX-License-Identifier: GPL-2.0 */
/* Each file adds its tests to the suite. */
#ifndef TDX_TESTS_H
#define TDX_TESTS_H

#include "world.h"

void add_seamcall_tests(void);
void add_system_tests(void);
void add_tdmr_tests(void);
void add_pamt_tests(void);
void add_seamldr_tests(void);
void add_params_tests(void);
void add_cpuid_tests(void);
void add_profile_tests(void);
void add_rules_tests(void);
void add_life_tests(void);
void add_memory_tests(void);
void add_tdcall_tests(void);
void add_msr_tests(void);
void add_virt_tests(void);
void add_report_tests(void);
void add_fault_tests(void);
void add_host_tests(void);
void add_lock_tests(void);
void add_zero_step_tests(void);
void add_host_priority_tests(void);
void add_smp_tests(void);
void add_table_tests(void);

/*
 * A test that starts in a world at @step.  @path is its name: a folder of the
 * suite and the rule that it checks.
 */
void add_test(const char *path, enum step step, void (*run)(struct world *w));

#endif /* TDX_TESTS_H */
