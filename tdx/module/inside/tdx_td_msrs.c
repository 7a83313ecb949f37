// SPDX-License-Identifier: GPL-2.0
/*
 * What RDMSR and WRMSR do in a TD, each MSR in each state that the guest can bring
 * itself into.  This tests the emulated module, and QEMU which executes what the
 * module decides; KVM only runs the TD.
 *
 * An MSR of a feature is there if the CPUID that the TD sees in that state says
 * that the feature is.  For the rest there are lists of MSRs by their rule.  They
 * say the same as the module's table in another order, so this test does not find
 * what both got wrong.
 */
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/profile.h"
#include "tdx/tdx_util.h"

#define MD_MAJOR_VERSION	0x0800000100000004

enum outcome { DONE, VE, GP };
static const char *const outcome_names[] = { "done", "#VE", "#GP" };

/* MSRs in the two ranges of the MSR bitmap, and some outside. */
#define NR_LOW		0x2000
#define NR_INSIDE	(2 * NR_LOW)
static const u32 msrs_outside[] = {
	0x2000, 0x40000000, 0x4b564d00, 0x80000000, 0xbfffffff, 0xc0002000,
	0xffffffff,
};
#define NR_MSRS		(NR_INSIDE + ARRAY_SIZE(msrs_outside))

static u32 msr_of(u32 i)
{
	return i < NR_LOW ? i : i < NR_INSIDE ? 0xc0000000 + i - NR_LOW :
	       msrs_outside[i - NR_INSIDE];
}

/* Writes of a value that differs from the current one in one bit. */
static const struct probe {
	u32 msr;
	u64 flip;
	enum outcome want, want_reduced;
	const char *what;
} probes[] = {
	{ 0xc0000080, BIT(0), DONE, DONE, "EFER.SCE changes" },
	{ 0xc0000080, BIT(10), DONE, DONE, "EFER.LMA is ignored" },
	{ 0xc0000080, BIT(8), VE, VE, "EFER.LME can't change" },
	{ 0xc0000080, BIT(11), VE, VE, "EFER.NXE can't change" },
	{ 0xc0000080, BIT(12), VE, VE, "EFER.SVME can't change" },
	{ 0xda0, BIT(8), GP, GP, "XSS.PT is not in XFAM" },
	{ 0xda0, BIT(13), GP, GP, "XSS.HDC is never in XFAM" },
	{ 0x6a0, BIT(6), GP, GP, "U_CET's reserved bits" },
	{ 0x6a7, BIT(0), GP, GP, "PL3_SSP is aligned" },
	{ 0x1d9, BIT(6), VE, VE, "DEBUGCTL.TR without BTS" },
	{ 0x1d9, BIT(14), GP, GP, "DEBUGCTL.FREEZE_WHILE_SMM without PERFMON" },
	{ 0x1d9, BIT(20), GP, GP, "DEBUGCTL's reserved bits" },
	{ 0x140, BIT(0), VE, GP, "MISC_FEATURES_ENABLES is zero" },
	{ 0x1a0, BIT(1), VE, GP, "MISC_ENABLE's reserved bits" },
	{ 0x1a0, BIT(12), VE, DONE, "MISC_ENABLE.PEBS_UNAVAIL is ignored" },
	{ 0x1a0, BIT(18), VE, VE, "MISC_ENABLE.MONITOR can't change" },
	{ 0x1a0, BIT(22), VE, VE, "MISC_ENABLE.LIMIT_CPUID can't be set" },
};

enum { EAX, EBX, ECX, EDX };

/* Features by their bit in FEATURE_PARAVIRT_CTRL, and where CPUID shows them. */
enum feature {
	CORE_CAP, DCA, EST, MCA, MTRR, PCONFIG, RDT_A, RDT_M, ACPI, TM2, TME,
	TSC_DEADLINE, NR_FEATURES
};

static const struct {
	u32 leaf, reg, bit;
	bool on_unless_reduced;
} paravirt[NR_FEATURES] = {
	[CORE_CAP] = { 7, EDX, 30, true }, [DCA] = { 1, ECX, 18 },
	[EST] = { 1, ECX, 7 }, [MCA] = { 1, EDX, 14, true },
	[MTRR] = { 1, EDX, 12, true }, [PCONFIG] = { 7, EDX, 18 },
	[RDT_A] = { 7, EBX, 15 }, [RDT_M] = { 7, EBX, 12 },
	[ACPI] = { 1, EDX, 22 }, [TM2] = { 1, ECX, 8 }, [TME] = { 7, ECX, 13 },
	[TSC_DEADLINE] = { 1, ECX, 24 },
};

/* What an access to an MSR does.  OWN: the CPU's, so anything but #VE. */
enum what {
	W_VE, W_GP, OWN, W_DONE,
	RVE,			/* #GP if reduced, else #VE */
	RDONE,			/* done if reduced, else #VE */
	TOPO,			/* done with the topology, else #VE */
	MISC,			/* done without reserved bits if reduced, else #VE */
	COUNTER,		/* see counter_access() */
	F_FIRST,		/* #VE with the feature, else #GP */
	F_LAST = F_FIRST + NR_FEATURES - 1,
	/* As OWN with the feature, else #GP. */
	IF_PERFMON, IF_WAITPKG, IF_TSX, IF_XFD, IF_PT, IF_CET, IF_PKS, IF_UINTR,
	IF_LBR,
};

#define F(f)	(F_FIRST + (f))

struct access {
	u8 rd, wr;
};

/* MSRs by their rule: RDMSR and WRMSR in releases with REDUCE_VE, then in others. */
static const struct msr_list {
	const char *msrs;	/* hexadecimal */
	struct access v2_0, v1_5;
	bool since_2_0;		/* late releases of 1.5 don't know them */
} msr_lists[] = {
	{ "0-1 6 1b 80f 828 82f-830 832-838 83a 83e c0000083", { W_VE, W_VE }, { W_VE, W_VE } },
	{ "10", { W_DONE, W_VE }, { W_DONE, W_VE } },
	{ "17", { W_VE, RVE }, { W_VE, W_VE } },
	{ "33 ed-f0", { F(CORE_CAP), F(CORE_CAP) }, { W_VE, W_VE } },
	{ "34 8b 140", { RDONE, RDONE }, { W_VE, W_VE } },
	{ "3a 4e ce", { RDONE, RVE }, { W_VE, W_VE } },
	{ "48-49 10b 600 809-80a 80c 80e 83f 1b01", { OWN, OWN }, { OWN, OWN } },
	{ "79", { RVE, RDONE }, { W_VE, W_VE } },
	{ "87", { F(PCONFIG), F(PCONFIG) }, { F(PCONFIG), F(PCONFIG) } },
	{ "8c-8f 98-9b 9e 195 276 500 800-801 804-807 829-82e 831",
	  { W_GP, W_GP }, { W_GP, W_GP } },
	{ "840-8ff d90 d93", { W_GP, W_GP }, { W_GP, W_GP } },
	{ "bc", { OWN, W_VE }, { OWN, W_VE } },
	{ "bd 810-827", { W_DONE, OWN }, { W_DONE, OWN } },
	{ "c1-c8 186-18d 1a6-1a7 309-310 329 38d-392 3f1-3f2 3f6-3f7",
	  { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ "4c1-4c8", { IF_PERFMON, IF_PERFMON }, { IF_PERFMON, IF_PERFMON } },
	{ "cf", { F(CORE_CAP), W_GP }, { W_VE, W_VE } },
	{ "e1", { IF_WAITPKG, IF_WAITPKG }, { IF_WAITPKG, IF_WAITPKG } },
	{ "fe", { F(MTRR), W_GP }, { W_VE, W_VE } },
	{ "10a", { W_DONE, W_GP }, { W_DONE, OWN } },
	{ "122", { IF_TSX, IF_TSX }, { IF_TSX, IF_TSX } },
	{ "174-176 1d9 277 808 da0 c0000080-c0000082 c0000084",
	  { W_DONE, W_DONE }, { W_DONE, W_DONE } },
	{ "c0000100-c0000103", { W_DONE, W_DONE }, { W_DONE, W_DONE } },
	{ "179", { F(MCA), W_GP }, { W_VE, W_VE } },
	{ "17a-17b 280-29f 400-473 4d0", { F(MCA), F(MCA) }, { W_VE, W_VE } },
	{ "198-199", { F(EST), F(EST) }, { W_VE, W_VE } },
	{ "19a-19c", { F(ACPI), F(ACPI) }, { W_VE, W_VE } },
	{ "19d", { F(TM2), F(TM2) }, { W_VE, W_VE } },
	{ "1a0", { W_DONE, MISC }, { W_DONE, W_VE } },
	{ "1c4-1c5", { IF_XFD, IF_XFD }, { IF_XFD, IF_XFD } },
	{ "1f2-1f3 1f6-1f7 200-213 250 258-259 268-26f 2a0-2a7",
	  { F(MTRR), F(MTRR) }, { W_VE, W_VE } },
	{ "2c0-2c1 2ff", { F(MTRR), F(MTRR) }, { W_VE, W_VE } },
	{ "1f8-1fa", { F(DCA), F(DCA) }, { F(DCA), F(DCA) } },
	{ "345 480 485-489 48b-492", { W_DONE, W_GP }, { W_DONE, W_GP } },
	{ "3f4-3f5 550", { W_GP, W_GP }, { W_VE, W_VE }, true },
	{ "83b-83d", { W_GP, W_GP }, { W_VE, W_VE } },
	{ "481-484 48a", { RVE, W_GP }, { W_VE, W_GP } },
	{ "560-561 570-572 580-587", { IF_PT, IF_PT }, { IF_PT, IF_PT } },
	{ "6a0 6a2 6a4-6a8", { IF_CET, IF_CET }, { IF_CET, IF_CET } },
	{ "6e0", { F(TSC_DEADLINE), F(TSC_DEADLINE) }, { F(TSC_DEADLINE), F(TSC_DEADLINE) } },
	{ "6e1", { IF_PKS, IF_PKS }, { IF_PKS, IF_PKS } },
	{ "802", { TOPO, W_GP }, { TOPO, W_GP } },
	{ "803 80d 839", { W_VE, W_GP }, { W_VE, W_VE } },
	{ "80b", { OWN, W_DONE }, { OWN, W_DONE } },
	{ "981-984", { F(TME), F(TME) }, { F(TME), F(TME) } },
	{ "985-98a", { IF_UINTR, IF_UINTR }, { IF_UINTR, IF_UINTR } },
	{ "c80", { W_GP, RVE }, { OWN, W_VE } },
	{ "c81-c82 c90-d8f", { F(RDT_A), F(RDT_A) }, { W_VE, W_VE } },
	{ "c8d-c8f", { F(RDT_M), F(RDT_M) }, { W_VE, W_VE } },
	{ "1200-12ff 14ce-14cf 1500-16ff", { IF_LBR, IF_LBR }, { IF_LBR, IF_LBR } },
	{ "1900-191f 1980-199b", { COUNTER, COUNTER }, { W_VE, W_VE }, true },
};

/* Values that every TD reads, if it can. */
static const struct { u32 msr; u64 value; } msr_values[] = {
	{ 0x3a, 1 }, { 0x4e, 1 }, { 0x8b, 0xffffffff }, { 0xbd, 1 }, { 0xce, 0 },
	{ 0x140, 0 }, { 0x345, 0 },
};

/* What the guest has found out, in memory that it shares with the host. */
struct record {
	bool late;		/* the module has REDUCE_VE */
	u64 major;		/* its version */
	u64 state, td_ctls;
	u32 cpuid_1[4], cpuid_7[4], cpuid_d_1[4], cpuid_a[4];
	struct {
		u8 rd, wr;
		u64 value;
	} msr[NR_MSRS];
	u8 probe[ARRAY_SIZE(probes)];
};

/* Guest. */

static u8 outcome;
static u64 reason;

static void fault_handler(struct ex_regs *regs)
{
	u64 reg[NR_GPRS] = {};

	if (regs->vector == VE_VECTOR) {
		GUEST_ASSERT_EQ(__tdcall(TDG_VP_VEINFO_GET, reg), TDX_SUCCESS);
		GUEST_ASSERT_EQ((u32)reg[GPR_RCX], reason);
		GUEST_ASSERT_EQ((u32)reg[GPR_R10], 2);
		outcome = VE;
	} else {
		outcome = GP;
	}
	/* CPUID, RDMSR and WRMSR are two bytes each. */
	regs->rip += 2;
}

static u8 try_rdmsr(u32 msr, u64 *value)
{
	u32 eax = 0, edx = 0;

	outcome = DONE;
	reason = EXIT_REASON_MSR_READ;
	asm volatile("rdmsr" : "+a"(eax), "+d"(edx) : "c"(msr) : "memory");
	*value = outcome == DONE ? eax | (u64)edx << 32 : 0;
	return outcome;
}

static u8 try_wrmsr(u32 msr, u64 value)
{
	outcome = DONE;
	reason = EXIT_REASON_MSR_WRITE;
	asm volatile("wrmsr" : : "a"((u32)value), "d"((u32)(value >> 32)), "c"(msr)
		     : "memory");
	return outcome;
}

static void see_cpuid(u32 leaf, u32 subleaf, u32 *value)
{
	__cpuid(leaf, subleaf, &value[0], &value[1], &value[2], &value[3]);
}

static void try_all(struct record *rec)
{
	see_cpuid(1, 0, rec->cpuid_1);
	see_cpuid(7, 0, rec->cpuid_7);
	see_cpuid(0xd, 1, rec->cpuid_d_1);
	see_cpuid(0xa, 0, rec->cpuid_a);

	for (int i = 0; i < NR_MSRS; i++) {
		rec->msr[i].rd = try_rdmsr(msr_of(i), &rec->msr[i].value);
		rec->msr[i].wr = try_wrmsr(msr_of(i), rec->msr[i].value);
	}

	for (int i = 0; i < ARRAY_SIZE(probes); i++) {
		u64 value, scratch;

		try_rdmsr(probes[i].msr, &value);
		rec->probe[i] = try_wrmsr(probes[i].msr, value ^ probes[i].flip);
		if (rec->probe[i] == DONE && !try_rdmsr(probes[i].msr, &scratch))
			try_wrmsr(probes[i].msr, value);
	}
}

static void guest_code(struct record *rec)
{
	rec->late = profile_module_is_late();
	GUEST_ASSERT_EQ(tdg_sys_rd(MD_MAJOR_VERSION, &rec->major), TDX_SUCCESS);

	for (int i = 0; i < nr_profile_states; i++) {
		if (!profile_check_state(&profile_states[i], rec->late, &rec->td_ctls))
			continue;
		rec->state = i;
		try_all(rec);
		GUEST_SYNC(i);
	}

	GUEST_DONE();
}

/* Host. */

static const struct profile_state *state;
static struct record *rec;

static bool is_late(void)
{
	return rec->late;
}

static bool is_reduced(void)
{
	return rec->td_ctls & TDX_TD_CTLS_REDUCE_VE;
}

static u32 bits_of(const char *list)
{
	u32 bits = 0;

	for (; list; list = strchr(list + 1, ','))
		bits |= BIT(strtoul(list + strspn(list, ", "), NULL, 10));
	return bits;
}

static bool has_feature(enum feature f)
{
	const u32 *seen = paravirt[f].leaf == 1 ? rec->cpuid_1 : rec->cpuid_7;

	return (paravirt[f].on_unless_reduced && !is_reduced()) ||
	       seen[paravirt[f].reg] & BIT(paravirt[f].bit);
}

/* Whether the guest's CPUID says that the MSR is there. */
static bool cpuid_says(u8 what)
{
	switch (what) {
	case IF_PERFMON:
		return rec->cpuid_a[EAX] & 0xff;
	case IF_WAITPKG:
		return rec->cpuid_7[ECX] & BIT(5);
	case IF_TSX:
		return rec->cpuid_7[EBX] & BIT(11);
	case IF_XFD:
		return rec->cpuid_d_1[EAX] & BIT(4);
	case IF_PT:
		return rec->cpuid_7[EBX] & BIT(25);
	case IF_CET:
		return rec->cpuid_7[ECX] & BIT(7) || rec->cpuid_7[EDX] & BIT(20);
	case IF_PKS:
		return rec->cpuid_7[ECX] & BIT(31);
	case IF_UINTR:
		return rec->cpuid_7[EDX] & BIT(5);
	case IF_LBR:
		return rec->cpuid_7[EDX] & BIT(19);
	default:
		return false;
	}
}

static void check(bool ok, const char *fmt, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	ksft_test_result(ok, "%s: %s\n", state->name, name);
}

/* Whether a list has the MSR: "10-12 40" */
static bool has_msr(const char *list, u32 msr)
{
	char *end;

	while (*list) {
		u32 first = strtoul(list, &end, 16), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 16);
		if (msr >= first && msr <= last)
			return true;
		list = end + strspn(end, " ");
	}
	return false;
}

/* Four MSRs for each counter; the fixed ones have none to choose the event. */
static struct access counter_access(u32 msr)
{
	unsigned int which = msr % 4;
	u8 rule = which == 3 ? W_GP :
		  which == 2 || (which == 1 && msr >= 0x1980) ? RVE : IF_PERFMON;

	return (struct access){ rule, rule };
}

static struct access msr_access(u32 msr)
{
	const struct access outside = { W_VE, W_VE }, unknown = { RVE, RVE };
	const struct msr_list *list;
	struct access found;

	if (msr >= NR_LOW && msr - 0xc0000000 >= NR_LOW)
		return outside;
	for (list = msr_lists; list < msr_lists + ARRAY_SIZE(msr_lists); list++)
		if (has_msr(list->msrs, msr)) {
			if (list->since_2_0 && rec->major < 2)
				return unknown;
			found = is_late() ? list->v2_0 : list->v1_5;
			return found.rd == COUNTER ? counter_access(msr) : found;
		}
	return unknown;
}

/* The architecture does not say for certain. */
static bool is_unsure(u32 msr)
{
	return msr == 0x3f3;
}

#define MISC_ENABLE_KNOWN	(BIT(0) | BIT(3) | BIT(7) | BIT(11) | BIT(12) | \
				 BIT(16) | BIT(18) | BIT(22) | BIT(23))

/* What the guest may not write, even if it has just read it. */
static bool is_bad_misc_enable(u64 value)
{
	return value & ~MISC_ENABLE_KNOWN || (value & BIT(16) && !has_feature(EST));
}

static bool is_right(u8 what, u8 got, u64 value)
{
	switch (what) {
	case W_VE:
		return got == VE;
	case W_GP:
		return got == GP;
	case W_DONE:
		return got == DONE;
	case OWN:
		return got != VE;
	case RVE:
		return got == (is_reduced() ? GP : VE);
	case RDONE:
		return got == (is_reduced() ? DONE : VE);
	case TOPO:
		return got == (rec->td_ctls & TDX_TD_CTLS_ENUM_TOPOLOGY ? DONE : VE);
	case MISC:
		return got == (!is_reduced() ? VE :
			       is_bad_misc_enable(value) ? GP : DONE);
	case F_FIRST ... F_LAST:
		return got == (has_feature(what - F_FIRST) ? VE : GP);
	default:
		return cpuid_says(what) ? got != VE : got == GP;
	}
}

static bool check_msr(u32 i)
{
	u8 rd = rec->msr[i].rd, wr = rec->msr[i].wr;
	u64 value = rec->msr[i].value;
	u32 msr = msr_of(i);
	struct access want = msr_access(msr);
	bool ok = true;

	if (!is_right(want.rd, rd, value)) {
		ksft_print_msg("RDMSR 0x%x: %s\n", msr, outcome_names[rd]);
		ok = false;
	}
	if (!is_right(want.wr, wr, value)) {
		ksft_print_msg("WRMSR 0x%x: %s\n", msr, outcome_names[wr]);
		ok = false;
	}
	for (int v = 0; v < ARRAY_SIZE(msr_values); v++) {
		if (msr_values[v].msr != msr || rd != DONE ||
		    msr_values[v].value == value)
			continue;
		ksft_print_msg("RDMSR 0x%x: 0x%llx\n", msr, (unsigned long long)value);
		ok = false;
	}
	return ok;
}

/* Blocks of so many MSRs are a test. */
#define BLOCK	0x40

static void check_msrs(void)
{
	for (u32 i = 0; i < NR_INSIDE; i += BLOCK) {
		bool ok = true;

		for (u32 j = i; j < i + BLOCK; j++)
			if (!is_unsure(msr_of(j)))
				ok &= check_msr(j);
		check(ok, "MSR 0x%x-0x%x", msr_of(i), msr_of(i + BLOCK - 1));
	}
	for (u32 i = NR_INSIDE; i < NR_MSRS; i++)
		check(check_msr(i), "MSR 0x%x", msr_of(i));
}

static void check_probes(void)
{
	for (int i = 0; i < ARRAY_SIZE(probes); i++) {
		enum outcome want = is_reduced() ? probes[i].want_reduced : probes[i].want;

		if (probes[i].msr == 0x1a0 && is_reduced() &&
		    is_bad_misc_enable(rec->msr[0x1a0].value))
			want = GP;
		if (rec->probe[i] != want)
			ksft_print_msg("WRMSR 0x%x flipping 0x%llx: %s, want %s\n",
				       probes[i].msr, (unsigned long long)probes[i].flip,
				       outcome_names[rec->probe[i]], outcome_names[want]);
		check(rec->probe[i] == want, "%s", probes[i].what);
	}
}

/*
 * IA32_ARCH_CAPABILITIES: bits that every TD sees set, and that may be set.  KVM
 * asks for none of SSB_NO, BHI_NO and PBRSB_NO.
 */
#define ARCH_CAP_SHOWN_LOW	"0 RDCL_NO, 1 IBRS_ALL, 3 SKIP_L1DFL, 5 MDS_NO, 6 IF_PSCHANGE_MC_NO"
#define ARCH_CAP_SHOWN_HIGH	"8 TAA_NO, 12 MCU_ENUM, 13 SBDR_SSDP_NO, 14 FBSDP_NO, 15 PSDP_NO"
#define ARCH_CAP_SHOWN_LAST	"21 OVERCLOCKING_STATUS"
#define ARCH_CAP_MAYBE		"7 TSX_CTRL, 19 RRSBA"

static void check_arch_capabilities(void)
{
	u64 shown = bits_of(ARCH_CAP_SHOWN_LOW) | bits_of(ARCH_CAP_SHOWN_HIGH) |
		    bits_of(ARCH_CAP_SHOWN_LAST);
	u64 value = rec->msr[0x10a].value;
	bool ok = (value & shown) == shown &&
		  !(value & ~(shown | bits_of(ARCH_CAP_MAYBE)));

	if (!ok)
		ksft_print_msg("0x%llx\n", (unsigned long long)value);
	check(ok, "ARCH_CAPABILITIES");
}

static void check_state(void)
{
	state = &profile_states[rec->state];
	check_msrs();
	check_probes();
	check_arch_capabilities();
}

/* A TD with all that KVM has on offer, or with nothing. */
static void run_td(bool all)
{
	u64 size = align_up(sizeof(struct record), PAGE_SIZE);
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *init;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct ucall uc;

	vm = __vm_create(VM_SHAPE_TDX, 1, size / PAGE_SIZE);
	caps = tdx_capabilities(vm);
	init = tdx_default_init_vm(vm);
	if (all)
		init->xfam = caps->supported_xfam;
	else
		for (u32 i = 0; i < init->cpuid.nent; i++)
			if (init->cpuid.entries[i].function != 0x80000008)
				memset(&init->cpuid.entries[i].eax, 0, 4 * sizeof(u32));
	tdx_init_vm(vm, init);

	vcpu = vm_vcpu_add(vm, 0, guest_code);
	vm_install_exception_handler(vm, VE_VECTOR, fault_handler);
	vm_install_exception_handler(vm, GP_VECTOR, fault_handler);
	vcpu_args_set(vcpu, 1, tdx_alloc_shared(vm, sizeof(*rec), &rec));
	tdx_vm_finalize(vm);

	ksft_print_msg("a TD with %s\n", all ? "all that KVM offers" : "nothing optional");
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		check_state();

	kvm_vm_free(vm);
	free(init);
	free(caps);
}

int main(int argc, char *argv[])
{
	ksft_print_header();
	TEST_REQUIRE(is_tdx_supported());

	run_td(true);
	run_td(false);

	ksft_set_plan(ksft_test_num());
	ksft_finished();
}
