// SPDX-License-Identifier: GPL-2.0
#include "processor.h"
#include "tdx/host_cpus.h"
#include "tdx/tdcall.h"
#include "ucall_common.h"

int host_cpus[CPU_SETSIZE];
int nr_host_cpus;

void find_host_cpus(void)
{
	cpu_set_t set;

	TEST_ASSERT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			host_cpus[nr_host_cpus++] = i;
}

void tdx_guest_keep_state(void)
{
	const u32 id = tdg_vp_info().vcpu_index;
	const u64 lstar = 0x5a5a5a5a0000 + id;
	const u64 kernel_gs_base = 0x5a5a5a5a0010 + id;
	const u64 breakpoint = 0x5a5a5a5a0020 + id;
	const u32 tsc_aux = 0x77 + id;
	const u32 truncate = 0x1f80 | 3 << 13;	/* all exceptions masked */
	u64 tsc = rdtsc(), dr0;
	u32 aux, mxcsr;

	wrmsr(MSR_LSTAR, lstar);
	wrmsr(MSR_KERNEL_GS_BASE, kernel_gs_base);
	wrmsr(MSR_TSC_AUX, tsc_aux);
	asm volatile("mov %0, %%dr0" : : "r"(breakpoint));
	asm volatile("ldmxcsr %0" : : "m"(truncate));

	for (;;) {
		GUEST_SYNC(id);

		asm volatile("mov %%dr0, %0" : "=r"(dr0));
		asm volatile("stmxcsr %0" : "=m"(mxcsr));
		GUEST_ASSERT_EQ(dr0, breakpoint);
		GUEST_ASSERT_EQ(mxcsr, truncate);
		GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), lstar);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), kernel_gs_base);
		GUEST_ASSERT(rdtscp(&aux) >= tsc);
		GUEST_ASSERT_EQ(aux, tsc_aux);
		tsc = rdtsc();
	}
}
