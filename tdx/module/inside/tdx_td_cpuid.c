// SPDX-License-Identifier: GPL-2.0
/*
 * What CPUID does in a TD, each leaf in each state that the guest can bring
 * itself into.  This tests the emulated module, and QEMU which executes what the
 * module decides; KVM only runs the TD.
 *
 * What the TD has to see is derived from
 * - the CPU's own CPUID,
 * - what KVM_TDX_CAPABILITIES says can be configured, and how it was,
 * - what KVM_TDX_GET_CPUID reports of the TD,
 * - relations in the SDM, such as a feature that needs its state in XFAM,
 * - and lists of features that every TD sees, or none.  These say the same as the
 *   module's table in another order, so this test does not find what both got
 *   wrong.
 */
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/generic/ucall_loop.h"
#include "tdx/profile.h"
#include "tdx/tdx_util.h"

enum outcome { DONE, VE };
static const char *const outcome_names[] = { "done", "#VE" };

enum { EAX, EBX, ECX, EDX };

/* When CPUID completes; otherwise it raises #VE. */
enum leaf_rule {
	ALWAYS,
	IF_VIRT_CPUID2, IF_TOPOLOGY,
	IF_REDUCED, IF_LATE,		/* a release that has REDUCE_VE */
	IF_REDUCED_AND_NOT_ASKED,	/* and the guest has not asked for #VE */
	NEVER,
};

enum reg_rule {
	ZERO, IS,
	NATIVE,
	CONFIGURED,	/* where the host may; the rest is zero */
	FEATURES,	/* see features[]; the rest is native or configured */
	FEATURES_ONLY,	/* ... is zero or configured */
	REPORTED,	/* as KVM_TDX_GET_CPUID says */
	CACHED,		/* of leaf 4: configured, or native with REDUCE_VE */
	L2_CACHE,	/* native size, fixed geometry */
	WIDTHS,		/* of physical and of linear addresses */
};

#define XFAM_AVX	BIT_ULL(2)
#define XFAM_AVX512	(BIT_ULL(5) | BIT_ULL(6) | BIT_ULL(7))
#define XFAM_PT		BIT_ULL(8)
#define XFAM_PKRU	BIT_ULL(9)
#define XFAM_CET	(BIT_ULL(11) | BIT_ULL(12))
#define XFAM_UINTR	BIT_ULL(14)
#define XFAM_LBR	BIT_ULL(15)
#define XFAM_AMX	(BIT_ULL(17) | BIT_ULL(18))
#define XFAM_USER	(BIT_ULL(0) | BIT_ULL(1) | XFAM_AVX | XFAM_AVX512 | \
			 XFAM_PKRU | XFAM_AMX)
#define NO_TD		BIT_ULL(63)	/* KVM gives no TD PERFMON, KL or PKS */

#define TEXT(s)		((s)[0] | (s)[1] << 8 | (s)[2] << 16 | (u32)(s)[3] << 24)

static const struct leaf {
	u32 leaf, subleaf;
	enum leaf_rule rule;
	enum reg_rule reg[4];
	u32 value[4];		/* IS */
	u32 dynamic[4];		/* depends on the vCPU: not compared */
	u64 xfam;		/* all zero without */
} leaves[] = {
	{ 0, 0, ALWAYS, { IS, IS, IS, IS },
	  { 0x23, TEXT("Genu"), TEXT("ntel"), TEXT("ineI") } },
	{ 1, 0, ALWAYS, { CONFIGURED, REPORTED, FEATURES, FEATURES },
	  .dynamic = { [EBX] = 0xff000000, [ECX] = BIT(27) } },
	{ 2, 0, IF_VIRT_CPUID2, { IS }, { 0x00feff01 } }, { 3, 0, ALWAYS },
#define CACHE(n) { 4, n, ALWAYS, { CACHED, CACHED, CACHED, CACHED } }
	CACHE(0), CACHE(1), CACHE(2), CACHE(3),
	{ 4, 4, ALWAYS }, { 4, 5, IF_REDUCED }, { 4, 9, IF_REDUCED },
	{ 5, 0, ALWAYS, { NATIVE, NATIVE, NATIVE, NATIVE } },
	{ 6, 0, IF_REDUCED, { IS }, { BIT(2) } },
	{ 7, 0, ALWAYS, { IS, FEATURES, FEATURES, FEATURES }, { 2 },
	  .dynamic = { [ECX] = BIT(4) } },
	{ 7, 1, ALWAYS, { FEATURES_ONLY, ZERO, ZERO, FEATURES_ONLY } },
	{ 7, 2, ALWAYS, { ZERO, ZERO, ZERO, FEATURES_ONLY } }, { 7, 3, IF_REDUCED },
	{ 8, 0, ALWAYS }, { 9, 0, IF_REDUCED_AND_NOT_ASKED },
	{ 0xa, 0, ALWAYS },	/* KVM gives no TD a PMU */
#define TOPOLOGY_B(n) { 0xb, n, IF_TOPOLOGY, { REPORTED, REPORTED, REPORTED }, \
		.dynamic = { ~0u, ~0u, 0xff00, ~0u } }
	TOPOLOGY_B(0), TOPOLOGY_B(1), TOPOLOGY_B(2),
	{ 0xb, 3, IF_REDUCED, { ZERO, ZERO, IS }, { [ECX] = 3 }, .dynamic = { [EDX] = ~0u } },
	{ 0xc, 0, IF_REDUCED },
	{ 0xd, 0, ALWAYS, { REPORTED, REPORTED, REPORTED, ZERO }, .dynamic = { [EBX] = ~0u } },
	{ 0xd, 1, ALWAYS, { FEATURES, REPORTED, FEATURES_ONLY, ZERO }, .dynamic = { [EBX] = ~0u } },
#define XSTATE(n) { 0xd, n, ALWAYS, { NATIVE, NATIVE, NATIVE }, .xfam = BIT(n) }
	XSTATE(2), XSTATE(3), XSTATE(4), XSTATE(5), XSTATE(6), XSTATE(7),
	XSTATE(8), XSTATE(9), XSTATE(10), XSTATE(11), XSTATE(12), XSTATE(13),
	XSTATE(14), XSTATE(15), XSTATE(16), XSTATE(17), XSTATE(18),
	{ 0xd, 19, IF_REDUCED }, { 0xe, 0, ALWAYS }, { 0xf, 0, IF_REDUCED_AND_NOT_ASKED },
	{ 0x10, 0, IF_REDUCED_AND_NOT_ASKED },
	{ 0x11, 0, ALWAYS }, { 0x12, 0, ALWAYS }, { 0x13, 0, ALWAYS },
#define IF_XFAM(leaf, n, xfam) \
	{ leaf, n, ALWAYS, { NATIVE, NATIVE, NATIVE, NATIVE }, {}, {}, xfam }
	IF_XFAM(0x14, 0, XFAM_PT), IF_XFAM(0x14, 1, XFAM_PT), { 0x14, 2, IF_REDUCED },
	{ 0x15, 0, ALWAYS, { IS, REPORTED, IS, ZERO }, { 1, 0, 25000000 } },
	{ 0x16, 0, IF_REDUCED }, { 0x17, 0, IF_REDUCED },
	{ 0x18, 9, IF_REDUCED }, { 0x19, 0, ALWAYS }, { 0x1a, 0, ALWAYS, { NATIVE } },
	{ 0x1b, 0, IF_REDUCED_AND_NOT_ASKED }, IF_XFAM(0x1c, 0, XFAM_LBR),
	IF_XFAM(0x1d, 0, XFAM_AMX), IF_XFAM(0x1d, 1, XFAM_AMX),
	{ 0x1e, 0, ALWAYS, { NATIVE, NATIVE, NATIVE, NATIVE } },
#define TOPOLOGY(n) \
	{ 0x1f, n, IF_TOPOLOGY, { CONFIGURED, CONFIGURED, CONFIGURED },	\
	  .dynamic = { [ECX] = 0xff, [EDX] = ~0u } }
	TOPOLOGY(0), TOPOLOGY(1), TOPOLOGY(2), TOPOLOGY(3), TOPOLOGY(4), TOPOLOGY(5),
	{ 0x1f, 6, IF_REDUCED, { ZERO, ZERO, IS }, { [ECX] = 6 }, .dynamic = { [EDX] = ~0u } },
	{ 0x20, 0, ALWAYS },
	{ 0x21, 0, ALWAYS, { ZERO, IS, IS, IS },
	  { 0, TEXT("Inte"), TEXT("    "), TEXT("lTDX") } },
	{ 0x22, 0, ALWAYS }, IF_XFAM(0x23, 0, NO_TD), IF_XFAM(0x23, 1, NO_TD),
	IF_XFAM(0x23, 2, NO_TD), IF_XFAM(0x23, 3, NO_TD),
	/* Past the end: as leaf 0x23. */
	{ 0x24, 0, ALWAYS }, { 0x24, 9, IF_REDUCED }, { 0x30000000, 3, ALWAYS },
	{ 0x40000000, 0, NEVER }, { 0x40000001, 0, NEVER }, { 0x4fffffff, 0, NEVER },
	{ 0x50000000, 0, ALWAYS }, { 0x80000000, 0, ALWAYS, { IS }, { 0x80000008 } },
	{ 0x80000001, 0, ALWAYS, { ZERO, ZERO, FEATURES_ONLY, FEATURES_ONLY } },
	{ 0x80000002, 0, IF_REDUCED, { IS, REPORTED, REPORTED, ZERO }, { TEXT("Inte") } },
	{ 0x80000003, 0, IF_REDUCED }, { 0x80000004, 0, IF_REDUCED },
	{ 0x80000005, 0, IF_REDUCED },
	/* An L2 cache with lines of 64 bytes. */
	{ 0x80000006, 0, IF_LATE, { ZERO, ZERO, L2_CACHE } },
	{ 0x80000007, 0, ALWAYS, { ZERO, ZERO, ZERO, FEATURES_ONLY } },
	{ 0x80000008, 0, ALWAYS, { WIDTHS, FEATURES_ONLY } },
	{ 0x80000009, 0, ALWAYS }, { 0xffffffff, 0, ALWAYS },
};

/* Features by their rule, as "bit NAME, bit NAME". */
enum feature_rule {
	SHOWN,		/* of every TD, unless the host may choose */
	HIDDEN,		/* from every TD, or KVM does not let a TD have it */
	NEEDS,		/* hidden without XFAM */
};

static const struct feature_list {
	u32 leaf, subleaf, reg;
	enum feature_rule rule;
	const char *bits;
	u64 xfam;
} features[] = {
	{ 1, 0, ECX, SHOWN, "0 SSE3, 1 PCLMULQDQ, 2 DTES64, 4 DS-CPL, 9 SSSE3, 13 CMPXCHG16B" },
	{ 1, 0, ECX, SHOWN, "15 PDCM, 17 PCID, 19 SSE4.1, 20 SSE4.2, 21 x2APIC, 22 MOVBE" },
	{ 1, 0, ECX, SHOWN, "23 POPCNT, 25 AES, 26 XSAVE, 30 RDRAND, 31 hypervisor" },
	{ 1, 0, ECX, HIDDEN, "5 VMX, 6 SMX, 16 reserved" },
	{ 1, 0, ECX, NEEDS, "12 FMA, 28 AVX, 29 F16C", XFAM_AVX },
	{ 1, 0, EDX, SHOWN, "0 FPU, 1 VME, 2 DE, 3 PSE, 4 TSC, 5 MSR, 6 PAE, 7 MCE, 8 CX8" },
	{ 1, 0, EDX, SHOWN, "9 APIC, 11 SEP, 12 MTRR, 13 PGE, 14 MCA, 15 CMOV, 16 PAT, 19 CLFSH" },
	{ 1, 0, EDX, SHOWN, "21 DS, 23 MMX, 24 FXSR, 25 SSE, 26 SSE2" },
	{ 1, 0, EDX, HIDDEN, "10 reserved, 17 PSE-36, 20 reserved, 30 IA64" },
	{ 7, 0, EBX, SHOWN, "0 FSGSBASE, 6 FDP_EXCPTN_ONLY, 7 SMEP, 10 INVPCID, 13 FCS and FDS" },
	{ 7, 0, EBX, SHOWN, "18 RDSEED, 20 SMAP, 23 CLFLUSHOPT, 24 CLWB, 29 SHA" },
	{ 7, 0, EBX, HIDDEN, "1 TSC_ADJUST, 2 SGX, 4 HLE, 11 RTM, 14 MPX, 22 reserved" },
	{ 7, 0, EBX, NEEDS, "5 AVX2", XFAM_AVX },
	{ 7, 0, EBX, NEEDS, "16 F, 17 DQ, 21 IFMA, 26 PF, 27 ER, 28 CD, 30 BW", XFAM_AVX512 },
	{ 7, 0, EBX, NEEDS, "31 VL", XFAM_AVX512 },
	{ 7, 0, EBX, NEEDS, "25 PT", XFAM_PT },
	{ 7, 0, ECX, SHOWN, "24 BUS_LOCK_DETECT, 27 MOVDIRI, 28 MOVDIR64B" },
	{ 7, 0, ECX, HIDDEN, "5 WAITPKG, 15 reserved, 17 MAWAU, 18 MAWAU, 19 MAWAU, 20 MAWAU" },
	{ 7, 0, ECX, HIDDEN, "21 MAWAU, 23 KL, 26 reserved, 29 ENQCMD, 30 SGX_LC, 31 PKS" },
	{ 7, 0, ECX, NEEDS, "9 VAES, 10 VPCLMULQDQ", XFAM_AVX },
	{ 7, 0, ECX, NEEDS, "1 VBMI, 6 VBMI2, 11 VNNI, 12 BITALG, 14 VPOPCNTDQ", XFAM_AVX512 },
	{ 7, 0, ECX, NEEDS, "3 PKU", XFAM_PKRU },
	{ 7, 0, ECX, NEEDS, "7 CET_SS", XFAM_CET },
	{ 7, 0, EDX, SHOWN, "10 MD_CLEAR, 19 architectural LBRs, 26 IBRS, 27 STIBP" },
	{ 7, 0, EDX, SHOWN, "28 L1D_FLUSH, 29 ARCH_CAPABILITIES, 30 CORE_CAPABILITIES, 31 SSBD" },
	{ 7, 0, EDX, HIDDEN, "0 reserved, 1 SGX-KEYS, 6 reserved, 7 reserved, 9 SRBDS_CTRL" },
	{ 7, 0, EDX, HIDDEN, "11 RTM_ALWAYS_ABORT, 12 reserved, 13 RTM_FORCE_ABORT, 15 hybrid" },
	{ 7, 0, EDX, HIDDEN, "17 reserved, 21 reserved" },
	{ 7, 0, EDX, NEEDS, "2 4VNNIW, 3 4FMAPS, 8 VP2INTERSECT, 23 FP16", XFAM_AVX512 },
	{ 7, 0, EDX, NEEDS, "5 UINTR", XFAM_UINTR },
	{ 7, 0, EDX, NEEDS, "19 architectural LBRs", XFAM_LBR },
	{ 7, 0, EDX, NEEDS, "20 CET_IBT", XFAM_CET },
	{ 7, 0, EDX, NEEDS, "22 BF16, 24 TILE, 25 INT8", XFAM_AMX },
	{ 7, 1, EAX, HIDDEN, "6 LASS" },
	{ 7, 1, EAX, NEEDS, "4 AVX-VNNI, 23 AVX-IFMA", XFAM_AVX },
	{ 7, 1, EAX, NEEDS, "0 SHA512, 5 AVX512_BF16", XFAM_AVX512 },
	{ 7, 1, EAX, NEEDS, "21 AMX-FP16", XFAM_AMX },
	{ 7, 1, EDX, NEEDS, "4 AVX-VNNI-INT8, 5 AVX-NE-CONVERT, 10 AVX-VNNI-INT16", XFAM_AVX },
	{ 7, 2, EDX, SHOWN, "0 PSFD, 1 IPRED_CTRL, 2 RRSBA_CTRL, 4 BHI_CTRL" },
	{ 0xd, 1, EAX, SHOWN, "0 XSAVEOPT, 1 XSAVEC, 2 XGETBV with ECX = 1, 3 XSAVES" },
	{ 0xd, 1, EAX, NEEDS, "4 XFD", XFAM_AMX },
	{ 0xd, 1, ECX, SHOWN, "8 PT, 11 CET_U, 12 CET_S, 14 UINTR, 15 LBR" },
	{ 0xd, 1, ECX, NEEDS, "8 PT", XFAM_PT },
	{ 0xd, 1, ECX, NEEDS, "11 CET_U, 12 CET_S", XFAM_CET },
	{ 0xd, 1, ECX, NEEDS, "14 UINTR", XFAM_UINTR },
	{ 0xd, 1, ECX, NEEDS, "15 LBR", XFAM_LBR },
	{ 0x80000001, 0, ECX, SHOWN, "0 LAHF, 5 LZCNT, 8 PREFETCHW" },
	{ 0x80000001, 0, EDX, SHOWN, "11 SYSCALL, 20 NX, 26 1 GiB pages, 27 RDTSCP" },
	{ 0x80000001, 0, EDX, SHOWN, "29 64-bit mode" },
	{ 0x80000007, 0, EDX, SHOWN, "8 invariant TSC" },
};

/* What the guest has found out, in memory that it shares with the host. */
struct record {
	bool late;		/* the module has REDUCE_VE */
	u64 state, td_ctls;
	struct {
		u8 outcome;
		u32 value[4];
	} cpuid[ARRAY_SIZE(leaves)];
};

/* Guest. */

static bool raised;

static void ve_handler(struct ex_regs *regs)
{
	u64 reg[NR_GPRS] = {};

	GUEST_ASSERT_EQ(__tdcall(TDG_VP_VEINFO_GET, reg), TDX_SUCCESS);
	GUEST_ASSERT_EQ((u32)reg[GPR_RCX], EXIT_REASON_CPUID);
	GUEST_ASSERT_EQ((u32)reg[GPR_R10], 2);	/* length of the instruction */
	raised = true;
	regs->rip += 2;
}

static u8 try_cpuid(u32 leaf, u32 subleaf, u32 *value)
{
	raised = false;
	asm volatile("cpuid"
		     : "=a"(value[0]), "=b"(value[1]), "=c"(value[2]), "=d"(value[3])
		     : "a"(leaf), "c"(subleaf) : "memory");
	return raised ? VE : DONE;
}

static void try_all(struct record *rec)
{
	for (int i = 0; i < ARRAY_SIZE(leaves); i++)
		rec->cpuid[i].outcome = try_cpuid(leaves[i].leaf, leaves[i].subleaf,
						  rec->cpuid[i].value);
}

static void guest_code(struct record *rec)
{
	rec->late = profile_module_is_late();

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
static struct kvm_tdx_init_vm *init;
static struct kvm_tdx_capabilities *caps;
static struct kvm_cpuid2 *reported;

static bool is_late(void)
{
	return rec->late;
}

static bool is_reduced(void)
{
	return rec->td_ctls & TDX_TD_CTLS_REDUCE_VE;
}

/* EAX to EDX of an entry; all zero if there is none. */
static const u32 *entry(const struct kvm_cpuid2 *cpuid, u32 leaf, u32 subleaf)
{
	static const u32 nothing[4];

	for (u32 i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf &&
		    cpuid->entries[i].index == subleaf)
			return &cpuid->entries[i].eax;
	return nothing;
}

static u64 xfam(void)
{
	return init->xfam | BIT(0) | BIT(1);
}

static bool xfam_has(u64 bits)
{
	return (xfam() & bits) == bits;
}

static u32 bits_of(const char *list)
{
	u32 bits = 0;

	for (; list; list = strchr(list + 1, ','))
		bits |= BIT(strtoul(list + strspn(list, ", "), NULL, 10));
	return bits;
}

/* Whether a list applies to a register of a leaf. */
static bool concerns(const struct feature_list *f, const struct leaf *l, u32 reg)
{
	return f->leaf == l->leaf && f->subleaf == l->subleaf && f->reg == reg;
}

static u32 feature_value(const struct leaf *l, u32 reg, u32 rest)
{
	u32 choice = entry(&caps->cpuid, l->leaf, l->subleaf)[reg];
	u32 chosen = entry(&init->cpuid, l->leaf, l->subleaf)[reg];
	u32 value = (rest & ~choice) | (chosen & choice);

	for (int i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature_list *f = &features[i];
		u32 bits = bits_of(f->bits);

		if (!concerns(f, l, reg))
			continue;
		if (f->rule == SHOWN)
			value |= bits & ~choice;
		else if (f->rule == HIDDEN || !xfam_has(f->xfam))
			value &= ~bits;
	}
	return value;
}

/* Leaf 1 and leaf 0x1f as the CPU has them, if the host configured nothing. */
static bool keeps_native(const struct leaf *l, u32 reg)
{
	const u32 *chosen = entry(&init->cpuid, l->leaf, l->subleaf);

	return (l->leaf == 1 && !chosen[reg]) ||
	       (l->leaf == 0x1f && !(chosen[0] | chosen[1] | chosen[2] | chosen[3]));
}

static const struct leaf *find_leaf(u32 leaf)
{
	for (int i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i].leaf == leaf)
			return &leaves[i];
	return NULL;
}

static bool has_bit(u32 leaf, u32 reg, u32 bit)
{
	const struct leaf *l = find_leaf(leaf);
	u32 cpu[4];

	__cpuid(leaf, 0, &cpu[0], &cpu[1], &cpu[2], &cpu[3]);
	return feature_value(l, reg, cpu[reg]) & BIT(bit);
}

#define MONITOR	1, ECX, 3
#define LA57	7, ECX, 16

/* A register of leaf 4.  The host decides on the ids even if the rest is native. */
static u32 cache_value(const struct leaf *l, u32 reg, u32 cpu)
{
	const u32 native[] = { GENMASK(9, 0), ~0u, ~0u, GENMASK(2, 0) };
	u32 can = entry(&caps->cpuid, l->leaf, l->subleaf)[reg];
	u32 mask = is_reduced() ? native[reg] : reg == EBX ? ~can : 0;

	return (cpu & mask) |
	       (entry(&init->cpuid, l->leaf, l->subleaf)[reg] & can & ~mask);
}

/* The TD's value of a register, before what depends on the vCPU. */
static u32 cpuid_value(const struct leaf *l, u32 reg)
{
	u32 cpu[4];

	__cpuid(l->leaf, l->subleaf, &cpu[0], &cpu[1], &cpu[2], &cpu[3]);
	if (!xfam_has(l->xfam) || (l->leaf == 5 && !has_bit(MONITOR)))
		return 0;
	switch (l->reg[reg]) {
	case IS:
		return l->value[reg];
	case NATIVE:
		return cpu[reg];
	case CONFIGURED:
		return (keeps_native(l, reg) ? cpu[reg] :
			entry(&init->cpuid, l->leaf, l->subleaf)[reg]) &
		       entry(&caps->cpuid, l->leaf, l->subleaf)[reg];
	case FEATURES:
		return feature_value(l, reg, cpu[reg]);
	case FEATURES_ONLY:
		return feature_value(l, reg, 0);
	case REPORTED:
		return entry(reported, l->leaf, l->subleaf)[reg];
	case CACHED:
		return cache_value(l, reg, cpu[reg]);
	case L2_CACHE:
		return (cpu[reg] & GENMASK(31, 16)) | 7 << 12 | 64;
	case WIDTHS:
		return (cpu[reg] & 0xff) | (has_bit(LA57) ? 57 : 48) << 8;
	default:
		return 0;
	}
}

/* Features that a guest can have as #VE, by their bit in FEATURE_PARAVIRT_CTRL. */
enum feature {
	CORE_CAP, DCA, EST, MCA, MTRR, PCONFIG, RDT_A, RDT_M, ACPI, TM2, TME,
	TSC_DEADLINE, NR_FEATURES
};

static const struct {
	u32 leaf, reg, bits;
	bool on_unless_reduced;
} paravirt[NR_FEATURES] = {
	[CORE_CAP] = { 7, EDX, BIT(30), true },
	[DCA] = { 1, ECX, BIT(18) },
	[EST] = { 1, ECX, BIT(7) },
	[MCA] = { 1, EDX, BIT(7) | BIT(14), true },
	[MTRR] = { 1, EDX, BIT(12), true },
	[PCONFIG] = { 7, EDX, BIT(18) },
	[RDT_A] = { 7, EBX, BIT(15) },
	[RDT_M] = { 7, EBX, BIT(12) },
	[ACPI] = { 1, EDX, BIT(22) },
	[TM2] = { 1, ECX, BIT(8) },
	[TME] = { 7, ECX, BIT(13) },
	[TSC_DEADLINE] = { 1, ECX, BIT(24) },
};

static bool has_feature(enum feature f)
{
	u32 value = cpuid_value(find_leaf(paravirt[f].leaf), paravirt[f].reg);
	bool has = (value & paravirt[f].bits) == paravirt[f].bits;

	if (!is_reduced())
		return paravirt[f].on_unless_reduced || has;
	return has && state->paravirt;
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

/* With REDUCE_VE the guest may have asked for #VE for these leaves. */
static bool guest_asked(u32 leaf)
{
	switch (leaf) {
	case 9:
		return has_feature(DCA);
	case 0xf:
		return has_feature(RDT_M);
	case 0x10:
		return has_feature(RDT_A);
	default:
		return has_feature(PCONFIG);
	}
}

static enum outcome leaf_outcome(const struct leaf *l)
{
	bool done = true;

	switch (l->rule) {
	case ALWAYS:
		break;
	case IF_VIRT_CPUID2:
		done = rec->td_ctls & TDX_TD_CTLS_VIRT_CPUID2;
		break;
	case IF_TOPOLOGY:
		done = rec->td_ctls & TDX_TD_CTLS_ENUM_TOPOLOGY;
		break;
	case IF_REDUCED:
		done = is_reduced();
		break;
	case IF_LATE:
		done = is_late();
		break;
	case IF_REDUCED_AND_NOT_ASKED:
		done = is_reduced() && !guest_asked(l->leaf);
		break;
	case NEVER:
		done = false;
		break;
	}
	return done ? DONE : VE;
}

/* What is there whatever the host has configured. */
static u32 forced_features(const struct leaf *l, u32 reg)
{
	u32 bits = 0;

	for (int f = 0; f < NR_FEATURES; f++)
		if (paravirt[f].leaf == l->leaf && !l->subleaf &&
		    paravirt[f].reg == reg && paravirt[f].on_unless_reduced)
			bits |= paravirt[f].bits;
	return is_reduced() ? 0 : bits;
}

/* What the guest did not ask for is gone. */
static u32 hidden_features(const struct leaf *l, u32 reg)
{
	u32 bits = 0;

	for (int f = 0; f < NR_FEATURES; f++)
		if (paravirt[f].leaf == l->leaf && !l->subleaf &&
		    paravirt[f].reg == reg && !has_feature(f))
			bits |= paravirt[f].bits;
	return bits;
}

/* Bits that KVM_TDX_GET_CPUID takes from the module as they are. */
static u32 reported_bits(const struct leaf *l, u32 reg)
{
	if (entry(reported, l->leaf, l->subleaf) == entry(reported, ~0u, 0))
		return 0;
	if (l->reg[reg] == CACHED && is_reduced())
		return 0;
	/* KVM adds the width of guest physical addresses. */
	return l->leaf == 0x80000008 && reg == EAX ? ~0xff0000u : ~0u;
}

static bool check_register(const struct leaf *l, u32 reg, u32 got)
{
	u32 hidden = hidden_features(l, reg), forced = forced_features(l, reg);
	u32 value = (cpuid_value(l, reg) | forced) & ~hidden;
	u32 wrong = (got ^ value) & ~l->dynamic[reg];

	wrong |= (got ^ entry(reported, l->leaf, l->subleaf)[reg]) &
		 reported_bits(l, reg) & ~(l->dynamic[reg] | hidden | forced);
	if (wrong)
		ksft_print_msg("E%cX is 0x%x, want 0x%x, reported 0x%x (0x%x differs)\n",
			       "ABCD"[reg], got, value,
			       entry(reported, l->leaf, l->subleaf)[reg], wrong);
	return !wrong;
}

static void check_leaf(int i)
{
	const struct leaf *l = &leaves[i];
	enum outcome want = leaf_outcome(l);
	bool ok = rec->cpuid[i].outcome == want;

	if (!ok)
		ksft_print_msg("%s, want %s\n", outcome_names[rec->cpuid[i].outcome],
			       outcome_names[want]);
	for (int reg = 0; reg < 4 && ok && want == DONE; reg++)
		ok = check_register(l, reg, rec->cpuid[i].value[reg]);
	check(ok, "CPUID 0x%x.%u", l->leaf, l->subleaf);
}

/* Sizes as the SDM defines them. */
static void check_sizes(void)
{
	const u32 *xsave = entry(reported, 0xd, 0), *cache = entry(reported, 4, 0);
	u32 size = 512 + 64, cpu[4];

	for (u32 i = 2; i < 63; i++) {
		if (!(xfam() & XFAM_USER & BIT_ULL(i)))
			continue;
		__cpuid(0xd, i, &cpu[0], &cpu[1], &cpu[2], &cpu[3]);
		size = max(size, cpu[EAX] + cpu[EBX]);
	}
	check(xsave[EAX] == (u32)(xfam() & XFAM_USER), "XSAVE has the state of XFAM");
	check(xsave[ECX] == size, "XSAVE's area ends with the last component");
	check((cache[EBX] & 0xfff) + 1 == 64, "cache lines have 64 bytes");
	check((entry(reported, 1, 0)[EBX] >> 8 & 0xff) * 8 == 64,
	      "CLFLUSH lines have 64 bytes");
}

static void check_state(void)
{
	state = &profile_states[rec->state];
	for (int i = 0; i < ARRAY_SIZE(leaves); i++)
		check_leaf(i);
	check_sizes();
}

/* A TD with all that KVM has on offer, or with nothing. */
static void run_td(bool all)
{
	u64 size = align_up(sizeof(struct record), PAGE_SIZE);
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
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
	vm_install_exception_handler(vm, VE_VECTOR, ve_handler);
	vcpu_args_set(vcpu, 1, tdx_alloc_shared(vm, sizeof(*rec), &rec));
	reported = tdx_get_cpuid(vcpu);
	tdx_vm_finalize(vm);

	ksft_print_msg("a TD with %s\n", all ? "all that KVM offers" : "nothing optional");
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		check_state();

	kvm_vm_free(vm);
	free(reported);
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
