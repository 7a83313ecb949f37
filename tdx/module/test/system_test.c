// SPDX-License-Identifier: GPL-2.0
/* The module as a whole: leaves and their versions, bring-up, SYS.DISABLE. */
#include <string.h>

#include "tests.h"

/* The highest version of each leaf that has more than version 0. */
static const struct { uint64_t leaf; unsigned int version; } versions[] = {
	{ MEM_SEPT_ADD, 1 }, { MNG_RD, 1 }, { VP_RD, 1 }, { VP_INIT, 1 },
};

static unsigned int max_version(uint64_t leaf)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(versions); i++)
		if (versions[i].leaf == leaf)
			return versions[i].version;
	return 0;
}

#define NUM_LEAVES	256

static bool refuses_rax(struct world *w, uint64_t rax)
{
	uint64_t got = seamcall(w, rax, .rcx = 8);

	return got == ERR(OPERAND_INVALID, RAX);
}

/* Leaves that the default profile lacks, and those that find nothing wrong. */
static const uint64_t left_out[] = {
	PHYMEM_PAMT_ADD, PHYMEM_PAMT_REMOVE, SYS_DISABLE, SYS_SHUTDOWN,
	PHYMEM_CACHE_WB,
};

static bool is_left_out(uint64_t leaf)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(left_out); i++)
		if (left_out[i] == leaf)
			return true;
	return !tdx_seamcall_name(leaf);
}

/* Each known version finds other faults with the operands. */
static void seamcall_versions(void)
{
	uint64_t leaf, v;

	for (leaf = 0; leaf < NUM_LEAVES; leaf++) {
		struct world *w;

		if (is_left_out(leaf))
			continue;
		w = world_new(NULL);
		world_to(w, TABLES);
		for (v = 0; v <= 0xff; v++)
			if (refuses_rax(w, leaf | V(v)) !=
			    (v > max_version(leaf)))
				g_test_fail_printf("%s, version %u",
						   tdx_seamcall_name(leaf),
						   (unsigned int)v);
		world_free(w);
	}
}

/* No TDCALL leaf but TDG.VM.RD has a version 1. */
static void tdcall_versions(struct world *w)
{
	uint64_t leaf, v, got;

	for (leaf = 0; leaf < NUM_LEAVES; leaf++) {
		for (v = 1; v <= 0xff && tdx_tdcall_name(leaf); v++) {
			bool known = leaf == TDG_VM_RD && v == 1;

			got = tdcall(w, leaf | V(v), .rcx = 1);
			if ((got == ERR(OPERAND_INVALID, RAX)) == known)
				g_test_fail_printf("%s, version %u",
						   tdx_tdcall_name(leaf),
						   (unsigned int)v);
		}
	}
	leave(w, 1);
}

/* RAX itself is checked before the module's state, the leaf after it. */
static void order_of_refusals(struct world *w)
{
	check_status(seamcall(w, PHYMEM_PAGE_RDMD | 1ull << 24),
		     ERR(OPERAND_INVALID, RAX));
	check_status(seamcall(w, PHYMEM_PAGE_RDMD | V(1)),
		     ERR(OPERAND_INVALID, RAX));
	check_status(seamcall(w, 200 | V(1)), ERR(OPERAND_INVALID, RAX));
	check_status(seamcall(w, MNG_RD | V(2)), STATUS(TDX_SYS_NOT_READY, 0));
	check_status(seamcall(w, 200), STATUS(TDX_SYS_NOT_READY, 0));
	check_status(seamcall(w, PHYMEM_PAGE_RDMD), STATUS(TDX_SYS_NOT_READY, 0));
}

static void results_of_init(struct world *w)
{
	check_status(seamcall(w, SYS_INIT, .rcx = 1), ERR(OPERAND_INVALID, RCX));
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX] | w->regs[TDX_R8] |
			w->regs[TDX_R9] | w->regs[TDX_R10], ==, 0);
	world_step(w, SYS_INIT_DONE);
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX] | w->regs[TDX_R8] |
			w->regs[TDX_R9] | w->regs[TDX_R10], ==, 0);
	check_status(seamcall(w, SYS_LP_INIT, .rcx = 1, .rdx = 1, .r8 = 1), 0);
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX] | w->regs[TDX_R8],
			==, 0);
}

/* Of IA32_MISC_ENABLE. */
#define PERFMON_AVAIL	(1ull << 7)
#define LIMIT_CPUID	(1ull << 22)

static void limited_cpuid(struct world *w)
{
	w->misc_enable[0] = LIMIT_CPUID;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_LIMIT_CPUID_MAXVAL_SET, 0));
	w->misc_enable[0] = ~(LIMIT_CPUID | BTS_UNAVAIL);
	check_status(seamcall(w, SYS_INIT), 0);
	w->misc_enable[1] = LIMIT_CPUID;
	check_status(seamcall(w, SYS_LP_INIT), 0);
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &(struct operands){}),
		     STATUS(TDX_LIMIT_CPUID_MAXVAL_SET, 0));
	w->misc_enable[1] = 0;
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &(struct operands){}), 0);
}

static void tsc_adjust(struct world *w)
{
	unsigned int lp;

	for (lp = 0; lp < NUM_LPS; lp++)
		w->tsc_adjust[lp] = 100;
	w->tsc_adjust[1] = 101;
	check_status(seamcall(w, SYS_INIT), 0);
	check_status(seamcall(w, SYS_LP_INIT), 0);
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &(struct operands){}),
		     STATUS(TDX_INCONSISTENT_MSR, 0x3b));
	w->tsc_adjust[1] = 100;
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &(struct operands){}), 0);
}

#define BIT(n)	(1ull << (n))

/* Bits of the CPU's MSRs, which SYS.INIT looks at in this order. */
static const struct {
	const char *name;
	enum tdx_host_msr msr;
	uint64_t flip;
	bool bad;
} msr_bits[] = {
	{ "VMX_BASIC: TRUE_* controls", TDX_MSR_VMX_BASIC, BIT(55), true },
	{ "VMX_BASIC: INS and OUTS", TDX_MSR_VMX_BASIC, BIT(54), true },
	{ "VMX_BASIC: VMCS above 4 KiB", TDX_MSR_VMX_BASIC, BIT(32), true },
	{ "VMX_BASIC: VMCS of 3 KiB", TDX_MSR_VMX_BASIC, 0x1c00ull << 32 },
	{ "VMX_BASIC: other bits", TDX_MSR_VMX_BASIC, BIT(48) },
	{ "pin-based: interrupts", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(32), true },
	{ "pin-based: virtual NMIs", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(37), true },
	{ "pin-based: posted interrupts", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(39), true },
	{ "pin-based: posted interrupts fixed", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(7), true },
	{ "pin-based: timer fixed", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(6), true },
	{ "pin-based: NMIs fixed", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(3) },
	{ "pin-based: no timer", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(38) },
	{ "pin-based: reserved", TDX_MSR_VMX_TRUE_PINBASED_CTLS, BIT(31) },
	{ "processor-based: TSC offset", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(35), true },
	{ "processor-based: secondary", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(63), true },
	{ "processor-based: MONITOR", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(61), true },
	{ "processor-based: MONITOR fixed", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(29), true },
	{ "processor-based: MOV DR fixed", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(23), true },
	{ "processor-based: HLT fixed", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(7) },
	{ "processor-based: no MOV DR", TDX_MSR_VMX_TRUE_PROCBASED_CTLS, BIT(55) },
	{ "EPT: execute only", TDX_MSR_VMX_EPT_VPID_CAP, BIT(0), true },
	{ "EPT: INVVPID of an address", TDX_MSR_VMX_EPT_VPID_CAP, BIT(40), true },
	{ "EPT: 5 levels", TDX_MSR_VMX_EPT_VPID_CAP, BIT(7) },
	{ "CR0: WP fixed to 1", TDX_MSR_VMX_CR0_FIXED0, BIT(16), true },
	{ "CR0: PG not fixed", TDX_MSR_VMX_CR0_FIXED0, BIT(31) },
	{ "CR0: NE fixed to 0", TDX_MSR_VMX_CR0_FIXED1, BIT(5), true },
	{ "CR0: WP fixed to 0", TDX_MSR_VMX_CR0_FIXED1, BIT(16) },
	{ "CR4: PAE fixed to 1", TDX_MSR_VMX_CR4_FIXED0, BIT(5), true },
	{ "CR4: MCE fixed to 1", TDX_MSR_VMX_CR4_FIXED0, BIT(6) },
	{ "CR4: MCE fixed to 0", TDX_MSR_VMX_CR4_FIXED1, BIT(6), true },
	{ "CR4: PAE fixed to 0", TDX_MSR_VMX_CR4_FIXED1, BIT(5) },
	{ "TME: not locked", TDX_MSR_TME_ACTIVATE, BIT(0), true },
	{ "TME: no AES-XTS", TDX_MSR_TME_CAPABILITY, BIT(0), true },
	{ "TME: AES-XTS with 256 bits, too", TDX_MSR_TME_CAPABILITY, BIT(2) },
	{ "TME: AES-XTS with 256 bits only", TDX_MSR_TME_CAPABILITY, BIT(0) | BIT(2) },
	{ "TME: AES-XTS with integrity only", TDX_MSR_TME_CAPABILITY, BIT(0) | BIT(1), true },
	{ "TME: AES-XTS is not used", TDX_MSR_TME_ACTIVATE, BIT(48), true },
	{ "TME: AES-XTS of 256 bits is used", TDX_MSR_TME_ACTIVATE, BIT(48) | BIT(50) },
};

static void flip(struct world *w, unsigned int lp, enum tdx_host_msr msr, uint64_t bits)
{
	w->odd.msr = msr;
	w->odd.lp = lp;
	w->odd.value = cpu_msr(msr) ^ bits;
}

/* Each of these is refused, and the neighbours don't matter. */
static void pmu_in_msrs(struct world *w)
{
	static const uint64_t capabilities[] = { 0, 1 << 12, 1 << 13 };
	static const uint64_t misc_enable[] = {
		0, ~PERFMON_AVAIL & ~LIMIT_CPUID, PERFMON_AVAIL | BTS_UNAVAIL,
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(capabilities); i++) {
		flip(w, 0, TDX_MSR_PERF_CAPABILITIES, ~capabilities[i] & 3 << 12);
		check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_MSR_VALUE, 0x345));
	}
	w->misc_enable[0] = LIMIT_CPUID;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_MSR_VALUE, 0x345));
	w->odd.msr = 0;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_LIMIT_CPUID_MAXVAL_SET, 0));
	for (i = 0; i < G_N_ELEMENTS(misc_enable); i++) {
		w->misc_enable[0] = misc_enable[i];
		check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_MSR_VALUE, 0x1a0));
	}
	w->misc_enable[0] = PERFMON_AVAIL;
	check_status(seamcall(w, SYS_INIT), 0);
}

static void pmu_version(struct world *w)
{
	for (w->pmu_version = 0; w->pmu_version < 5; w->pmu_version++) {
		check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_CPUID_VALUE, 0));
		g_assert_cmphex(w->regs[TDX_RCX], ==, 0xffffffff0000000a);
		g_assert_cmphex(w->regs[TDX_RDX], ==, 0xf);
		g_assert_cmphex(w->regs[TDX_R8], ==, 0);
		g_assert_cmphex(w->regs[TDX_R9], ==, 5);
		g_assert_cmphex(w->regs[TDX_R10], ==, 0);
	}
	w->misc_enable[0] = 0;
	w->pmu_version = 4;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_MSR_VALUE, 0x1a0));
	w->misc_enable[0] = PERFMON_AVAIL;
	w->pmu_version = 6;
	check_status(seamcall(w, SYS_INIT), 0);
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX] | w->regs[TDX_R9], ==, 0);
}

static void last_leaves(struct world *w)
{
	w->last_leaf[0] = 0x1e;
	w->last_leaf[1] = 0x80000007;
	w->pmu_version = 4;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_CPUID_LEAF_NOT_SUPPORTED, 0x1f));
	w->last_leaf[0] = 0x24;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_CPUID_LEAF_NOT_SUPPORTED, 0x80000008));
	w->last_leaf[1] = 0x80000009;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_CPUID_VALUE, 0));
	w->pmu_version = 5;
	check_status(seamcall(w, SYS_INIT), 0);
}

static void check_lacking(struct world *w, uint32_t subleaf, uint64_t eax, uint64_t ecx)
{
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_CPUID_VALUE, 0));
	g_assert_cmphex(w->regs[TDX_RCX], ==, 0xd | (uint64_t)subleaf << 32);
	g_assert_cmphex(w->regs[TDX_RDX], ==, eax);
	g_assert_cmphex(w->regs[TDX_R8], ==, ecx);
	g_assert_cmphex(w->regs[TDX_R9], ==, eax);
	g_assert_cmphex(w->regs[TDX_R10], ==, ecx);
}

/* Each bit alone; other components may lack. */
static void xsave(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		w->lacks_xsave = 1u << i;
		check_lacking(w, 1, 0xf, 0x1800);
	}
	w->lacks_xsave = 0;
	for (i = 11; i <= 12; i++) {
		w->lacks_xss = 1u << i;
		check_lacking(w, 1, 0xf, 0x1800);
	}
	for (i = 0; i < 2; i++) {
		w->lacks_xcr0 = 1u << i;
		check_lacking(w, 0, 3, 0);
	}
	w->pmu_version = 4;
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_INCORRECT_CPUID_VALUE, 0));
	g_assert_cmphex(w->regs[TDX_RCX], ==, 0xffffffff0000000a);
	w->pmu_version = 5;
	w->lacks_xsave = ~0xfu;
	w->lacks_xcr0 = ~3u;
	w->lacks_xss = ~0x1800u;
	check_status(seamcall(w, SYS_INIT), 0);
}

static void msrs_of_vmx_and_tme(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(msr_bits); i++) {
		struct world *w = world_new(NULL);
		uint64_t got;

		flip(w, 0, msr_bits[i].msr, msr_bits[i].flip);
		got = seamcall(w, SYS_INIT);
		if (got != (msr_bits[i].bad ? STATUS(TDX_INCORRECT_MSR_VALUE,
						     msr_bits[i].msr) : 0))
			g_test_fail_printf("%s: 0x%lx", msr_bits[i].name, (unsigned long)got);
		/* It can be tried again. */
		w->odd.msr = 0;
		if (msr_bits[i].bad)
			check_status(seamcall(w, SYS_INIT), 0);
		world_free(w);
	}
}

static void smrr(void)
{
	static const struct {
		enum tdx_host_msr msr;
		uint64_t flip, want;
	} rows[] = {
		{ TDX_MSR_MTRRCAP, BIT(11), STATUS(TDX_SMRR_NOT_SUPPORTED, 0) },
		{ TDX_MSR_MTRRCAP, BIT(11) | BIT(14), STATUS(TDX_SMRR_NOT_SUPPORTED, 0) },
		{ TDX_MSR_MTRRCAP, BIT(14), STATUS(TDX_SMRR_LOCK_NOT_SUPPORTED, 0) },
		{ TDX_MSR_SMRR_PHYSMASK, BIT(10), STATUS(TDX_SMRR_NOT_LOCKED, 0) },
		/* Holes in the mask, a base that is not aligned to it, no mask. */
		{ TDX_MSR_SMRR_PHYSMASK, BIT(28),
		  STATUS(TDX_INVALID_SMRR_CONFIGURATION, 0) },
		{ TDX_MSR_SMRR_PHYSBASE, BIT(22),
		  STATUS(TDX_INVALID_SMRR_CONFIGURATION, 0) },
		{ TDX_MSR_SMRR_PHYSMASK, 0xff800000,
		  STATUS(TDX_INVALID_SMRR_CONFIGURATION, 0) },
		/* RAM up to the SMRR, and within it. */
		{ TDX_MSR_SMRR_PHYSBASE, 0, 0 },
		{ TDX_MSR_SMRR_PHYSBASE, RAM_SIZE | 8 * MIB,
		  STATUS(TDX_SMRR_OVERLAPS_CMR, 0) },
		{ TDX_MSR_SMRR_PHYSBASE, RAM_SIZE ^ (RAM_SIZE - 8 * MIB),
		  STATUS(TDX_SMRR_OVERLAPS_CMR, 0) },
		/* An SMRR that is not valid does not count. */
		{ TDX_MSR_SMRR_PHYSMASK, 0xff800000 | BIT(11), 0 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world_new(NULL);

		flip(w, 0, rows[i].msr, rows[i].flip);
		check_status(seamcall(w, SYS_INIT), rows[i].want);
		world_free(w);
	}
}

/* The last page of SMRAM is in the second CMR, or the third begins behind it. */
static void smrr_overlaps(void)
{
	struct tdx_platform p = {
		.num_cmrs = 3,
		.cmr = { { MIB, MIB }, { RAM_SIZE + 8 * MIB - 4096, 4096 },
			 { RAM_SIZE + 8 * MIB, MIB } },
	};
	struct world *w = world_new_on(&p);

	check_status(seamcall(w, SYS_INIT), STATUS(TDX_SMRR_OVERLAPS_CMR, 1 << 8));
	world_free(w);
	p.cmr[1].size = 0;
	w = world_new_on(&p);
	check_status(seamcall(w, SYS_INIT), 0);
	world_free(w);
}

static void same_msrs(struct world *w)
{
	static const enum tdx_host_msr msrs[] = {
		TDX_MSR_MTRRCAP, TDX_MSR_SMRR_PHYSBASE, TDX_MSR_SMRR_PHYSMASK,
		TDX_MSR_VMX_BASIC, TDX_MSR_VMX_TRUE_PINBASED_CTLS,
		TDX_MSR_VMX_TRUE_PROCBASED_CTLS, TDX_MSR_VMX_EPT_VPID_CAP,
		TDX_MSR_VMX_CR0_FIXED0, TDX_MSR_VMX_CR0_FIXED1, TDX_MSR_VMX_CR4_FIXED0,
		TDX_MSR_VMX_CR4_FIXED1, TDX_MSR_PERF_CAPABILITIES,
		TDX_MSR_TME_CAPABILITY, TDX_MSR_TME_ACTIVATE, TDX_MSR_KEYID_PARTITIONING,
	};
	const struct operands none = { 0 };
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(msrs); i++) {
		flip(w, 1, msrs[i], BIT(60));
		check_status(seamcall_on(w, 1, SYS_LP_INIT, &none),
			     STATUS(TDX_INCONSISTENT_MSR, msrs[i]));
	}
	/* IA32_TSC_ADJUST is compared before. */
	w->tsc_adjust[1] = 1;
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &none), STATUS(TDX_INCONSISTENT_MSR, 0x3b));
	w->tsc_adjust[1] = 0;
	w->odd.msr = 0;
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &none), 0);
}

static void too_many_keyids(void)
{
	static const struct { unsigned int tdx; uint64_t want; } tries[] = {
		{ 2048 - GLOBAL_HKID, 0 },
		{ 2049 - GLOBAL_HKID,
		  STATUS(TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED, 2048) },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(tries); i++) {
		struct world *w = world_new_on(&(struct tdx_platform){
			.num_tdx_keyids = tries[i].tdx,
		});

		check_status(seamcall(w, SYS_INIT), tries[i].want);
		world_free(w);
	}
}

static void rd_results(struct world *w)
{
	check_status(seamcall(w, SYS_RD, .rdx = 0x0800000100000003), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, 5);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0x0800000100000004);
	seamcall(w, SYS_RD, .rdx = 0x0a000000000000ff, .r8 = 7);
	g_assert_cmphex(w->regs[TDX_R8], ==, 0);
	g_assert_cmphex(w->regs[TDX_RDX], ==, ~0ull);
}

/* SYS.DISABLE is not in the releases whose source is published. */
static void no_disable(struct world *w)
{
	check_status(seamcall(w, SYS_DISABLE), ERR(OPERAND_INVALID, RAX));
	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = HKID), 0);
}

static struct world *disable_at(enum step step)
{
	struct world *w = world_new("1.5.06,sys-disable");

	world_to(w, step);
	check_status(seamcall(w, SYS_DISABLE), 0);
	return w;
}

/* From each step with a TD the next host starts from scratch. */
static void disable_and_start_again(void)
{
	enum step step;

	for (step = AT_RESET; step < NUM_STEPS; step++) {
		struct world *w;

		if (step == ENTERED)
			continue;
		w = disable_at(step);
		check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = FREE),
			     STATUS(TDX_SYS_NOT_READY, 0));
		world_to(w, GONE);
		world_free(w);
	}
}

static void disable_frees_pages(void)
{
	struct world *w = disable_at(RUNNABLE);
	unsigned int i;

	world_to(w, READY);
	for (i = 0; i < 48; i++)
		g_assert_cmpuint(page_type(w, PAGE(i)), ==, PT_NDA);
	g_assert_false(tdx_host_access(w->m, ADDED, true));
	world_free(w);
}

/* Once SYS.DISABLE was called, all other calls fail. */
static void disable_while_running(void)
{
	struct world *w = world_new("1.5.06,sys-disable");

	world_to(w, ENTERED);
	check_status(seamcall_on(w, 1, SYS_DISABLE, &(struct operands){}),
		     STATUS(TDX_SYS_BUSY, 0));
	check_status(seamcall_on(w, 1, SYS_RD, &(struct operands){
			.rdx = 0x0800000100000003 }), STATUS(TDX_SYS_SHUTDOWN, 0));
	leave(w, 1);
	check_status(enter(w, 0, TDVPR), STATUS(TDX_SYS_SHUTDOWN, 0));
	check_status(seamcall_on(w, 1, SYS_DISABLE, &(struct operands){}), 0);
	world_to(w, GONE);
	world_free(w);
}

static void disable_interrupted(void)
{
	struct world *w = world_new("1.5.06,sys-disable");
	const char *error;

	g_assert_true(tdx_module_inject(w->m,
		"TDH.SYS.DISABLE:INTERRUPTED_RESUMABLE@1", &error));
	world_to(w, RUNNABLE);
	check_status(seamcall(w, SYS_DISABLE),
		     STATUS(TDX_INTERRUPTED_RESUMABLE, 0));
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_SYS_SHUTDOWN, 0));
	check_status(seamcall(w, SYS_DISABLE), 0);
	check_status(seamcall(w, SYS_INIT), 0);
	world_free(w);
}

void add_system_tests(void)
{
	g_test_add_func("/system/SYS.INIT checks the MSRs of VMX and TME", msrs_of_vmx_and_tme);
	g_test_add_func("/system/the SMRR is locked and apart from CMRs", smrr);
	g_test_add_func("/system/SYS.INIT says which CMR is SMRAM", smrr_overlaps);
	add_test("/system/LP.INIT compares the MSRs of VMX, PMU, TME and SMRR", SYS_INIT_DONE,
		 same_msrs);
	g_test_add_func("/system/SEAMCALL leaves refuse versions they don't have",
			seamcall_versions);
	add_test("/system/TDCALL leaves refuse versions they don't have", ENTERED,
		 tdcall_versions);
	add_test("/system/RAX is checked first, then the state, then the leaf",
		 SYS_INIT_DONE, order_of_refusals);
	add_test("/system/SYS.INIT and LP.INIT clear their registers", AT_RESET,
		 results_of_init);
	add_test("/system/no CPU may have a limit to CPUID", AT_RESET, limited_cpuid);
	add_test("/system/TSC_ADJUST is the same on all LPs", AT_RESET, tsc_adjust);
	add_test("/system/SYS.INIT refuses a CPU whose MSRs name no complete PMU", AT_RESET,
		 pmu_in_msrs);
	add_test("/system/SYS.INIT refuses a PMU before version 5", AT_RESET, pmu_version);
	add_test("/system/SYS.INIT needs leaves of CPUID", AT_RESET, last_leaves);
	add_test("/system/SYS.INIT needs XSAVES and CET state", AT_RESET, xsave);
	g_test_add_func("/system/SYS.INIT refuses too many KeyIDs", too_many_keyids);
	add_test("/system/SYS.RD returns the next field, none after an error", READY,
		 rd_results);
	add_test("/system/SYS.DISABLE is unknown to older modules", READY,
		 no_disable);
	g_test_add_func("/system/after SYS.DISABLE the module can be initialised again",
			disable_and_start_again);
	g_test_add_func("/system/SYS.DISABLE frees all pages", disable_frees_pages);
	g_test_add_func("/system/SYS.DISABLE waits for running vCPUs",
			disable_while_running);
	g_test_add_func("/system/SYS.DISABLE goes on after an interrupt",
			disable_interrupted);
}
