// SPDX-License-Identifier: GPL-2.0
/*
 * What CPUID, RDMSR and WRMSR do inside a TD, row by row.
 *
 * The rows were written from the architecture's tables and not from the
 * module's sources, so that one may be checked against the other.  They are for
 * releases 2.0.08 and 1.5.06; the TD says which one it has.  This is a test of
 * the emulated module.  KVM has no part in it but to run the TD.
 *
 * The guest tries everything in each state that it can bring itself into and
 * writes down what happened.  The host compares.
 */
#include "kselftest.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_util.h"
#include "ucall_common.h"

#define MD_MAJOR_VERSION	0x0800000100000004
#define MD_TD_CTLS		0x1110000300000017
#define MD_FEATURE_PARAVIRT	0x1110000300000022

#define TD_CTLS_ENUM_TOPOLOGY	BIT_ULL(1)
#define TD_CTLS_VIRT_CPUID2	BIT_ULL(2)
#define TD_CTLS_REDUCE_VE	BIT_ULL(3)

enum outcome { DONE, VE, GP };
static const char *const outcome_names[] = { "done", "#VE", "#GP" };

/* The states, in an order in which each can follow the one before. */
static const struct state {
	const char *name;
	u64 td_ctls, paravirt;
	bool only_2_0;
} states[] = {
	{ "initial" },
	{ "VIRT_CPUID2", TD_CTLS_VIRT_CPUID2 },
	{ "ENUM_TOPOLOGY", TD_CTLS_VIRT_CPUID2 | TD_CTLS_ENUM_TOPOLOGY },
	{ "paravirtualised", TD_CTLS_VIRT_CPUID2 | TD_CTLS_ENUM_TOPOLOGY, 0xfff, true },
	{ "REDUCE_VE, paravirtualised",
	  TD_CTLS_VIRT_CPUID2 | TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_REDUCE_VE, 0xfff, true },
	{ "REDUCE_VE",
	  TD_CTLS_VIRT_CPUID2 | TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_REDUCE_VE, 0, true },
};

/* Two ranges of MSRs have intercepts of their own; some from outside of them. */
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

static u32 index_of(u32 msr)
{
	return msr < NR_LOW ? msr : msr - 0xc0000000 + NR_LOW;
}

/* Writes of something else than what is there. */
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
	{ 0x1d9, BIT(6), VE, VE, "DEBUGCTL.TR without BTS" },
	{ 0x1d9, BIT(14), GP, GP, "DEBUGCTL.FREEZE_WHILE_SMM without PERFMON" },
	{ 0x1d9, BIT(20), GP, GP, "DEBUGCTL's reserved bits" },
	{ 0x140, BIT(0), VE, GP, "MISC_FEATURES_ENABLES is zero" },
	{ 0x1a0, BIT(1), VE, GP, "MISC_ENABLE's reserved bits" },
	{ 0x1a0, BIT(12), VE, DONE, "MISC_ENABLE.PEBS_UNAVAIL is ignored" },
	{ 0x1a0, BIT(18), VE, VE, "MISC_ENABLE.MONITOR can't change" },
	{ 0x1a0, BIT(22), VE, VE, "MISC_ENABLE.LIMIT_CPUID can't be set" },
};

/* CPUID: what a register is made of, and of which leaf. */
struct bits {
	u32 mask, value;	/* required of the CPU, taken as its own */
	u32 one, zero;		/* fixed, or recomputed at run time */
	u32 direct, allow;	/* as configured; as configured if the CPU has it */
};

enum leaf_rule {
	TABLE,
	IF_VIRT_CPUID2, IF_TOPOLOGY,	/* of the table with that, else #VE */
	ZERO_IF_REDUCED,		/* else #VE */
	ZERO_IF_2_0,			/* else #VE */
	ZERO_IF_REDUCED_OR_2_0,
	ALWAYS_VE,
	TABLE_IF_REDUCED,
	TOPOLOGY_END,			/* zero but for subleaf and id */
};

#define ZERO		{ .zero = ~0u }
#define ALL_ZERO	.reg = { ZERO, ZERO, ZERO, ZERO }
#define IS(v)		{ .one = (v), .zero = ~(v) }

static const struct leaf {
	u32 leaf, subleaf;
	enum leaf_rule rule;
	struct bits reg[4];
	u32 dynamic[4];		/* not compared */
} leaves[] = {
	{ 0, 0, TABLE, { IS(0x23u), IS(0x756e6547u), IS(0x6c65746eu), IS(0x49656e69u) } },
	{ 1, 0, TABLE, {
		{ .zero = 0xf000c000, .direct = 0x0fff3fff },
		{ .mask = 0xff00, .value = 0x0800, .zero = 0xff0000ff, .direct = 0x00ff0000 },
		{ .mask = 0x47faa217, .value = 0x47faa217, .one = 0x80000000,
		  .zero = 0x08010060, .allow = 0x31044d88 },
		{ .mask = 0x1fa9fbff, .value = 0x1fa9fbff, .one = 0x200,
		  .zero = 0x40120400, .allow = 0xb8445080 } },
	  .dynamic = { 0, 0xff000000, BIT(27), 0 } },
	{ 2, 0, IF_VIRT_CPUID2, { IS(0x00feff01u), ZERO, ZERO, ZERO } },
	{ 3, 0, TABLE, ALL_ZERO },
#define CACHE(n) { 4, n, TABLE, {					\
		{ .zero = 0x3c00, .direct = 0xffffc3ff },		\
		{ .mask = 0xfff, .value = 0x3f, .direct = 0xfffff000 },	\
		{ .direct = ~0u },					\
		{ .zero = 0xfffffff8, .direct = 7 } } }
	CACHE(0), CACHE(1), CACHE(2), CACHE(3),
	{ 4, 4, TABLE, ALL_ZERO },
	{ 4, 9, TABLE, ALL_ZERO },
	{ 5, 0, TABLE, { { .zero = 0xffff0000 }, { .zero = 0xffff0000 },
			 { .zero = 0xfffffffc } } },
	{ 6, 0, TABLE_IF_REDUCED, { IS(4u), ZERO, ZERO, ZERO } },
	{ 7, 0, TABLE, {
		IS(2u),
		{ .mask = 0x219424c1, .value = 0x219424c1, .zero = 0x00404006,
		  .allow = 0xdc2b9b18 },
		{ .mask = 0x99000000, .value = 0x99000000, .zero = 0x643e8010,
		  .allow = 0x02417f65 },
		{ .mask = 0xfc082600, .value = 0xfc080400, .zero = 0x002298c3,
		  .allow = 0x4005411c } },
	  .dynamic = { 0, 0, BIT(4), 0 } },
	{ 7, 1, TABLE, {
		{ .zero = 0xfb57e200, .allow = 0x04a81dbf }, ZERO, ZERO,
		{ .zero = 0xfffdbbcf, .allow = 0x24430 } } },
	{ 7, 2, TABLE, { ZERO, ZERO, ZERO,
		{ .mask = 0x17, .value = 0x17, .zero = 0xffffffc0, .allow = 0x28 } } },
	{ 7, 3, ZERO_IF_REDUCED, ALL_ZERO },
	{ 8, 0, TABLE, ALL_ZERO },
	{ 9, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0xa, 0, TABLE, ALL_ZERO },
	{ 0xb, 0, IF_TOPOLOGY, .dynamic = { ~0u, ~0u, 0xff00, ~0u } },
	{ 0xb, 1, IF_TOPOLOGY, .dynamic = { ~0u, ~0u, 0xff00, ~0u } },
	{ 0xb, 2, IF_TOPOLOGY, .dynamic = { ~0u, ~0u, 0xff00, ~0u } },
	{ 0xb, 3, TOPOLOGY_END },
	{ 0xc, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0xd, 0, TABLE, .reg[3] = ZERO, .dynamic = { 0, ~0u, 0, 0 } },
	/*
	 * XSAVEC and XSAVES, bits 1 and 3, are required of a real CPU.  QEMU's
	 * has neither, and CPUID tells the truth.
	 */
	{ 0xd, 1, TABLE, {
		{ .mask = 5, .value = 5, .zero = 0xffffffe0 }, { 0 },
		{ .mask = 0x1800, .value = 0x1800, .zero = 0xffff26ff }, ZERO },
	  .dynamic = { 0, ~0u, 0, 0 } },
#define XSTATE(n) { 0xd, n, TABLE, .reg[3] = ZERO }
	XSTATE(2), XSTATE(3), XSTATE(4), XSTATE(5), XSTATE(6), XSTATE(7),
	XSTATE(8), XSTATE(9), XSTATE(10), XSTATE(11), XSTATE(12), XSTATE(13),
	XSTATE(14), XSTATE(15), XSTATE(16), XSTATE(17), XSTATE(18),
	{ 0xd, 19, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0xe, 0, TABLE, ALL_ZERO },
	{ 0xf, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x10, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x11, 0, TABLE, ALL_ZERO },
	{ 0x12, 0, TABLE, ALL_ZERO },
	{ 0x13, 0, TABLE, ALL_ZERO },
	{ 0x14, 0, TABLE, ALL_ZERO },
	{ 0x14, 1, TABLE, ALL_ZERO },
	{ 0x14, 2, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x15, 0, TABLE, { IS(1u), { 0 }, IS(25000000u), ZERO }, .dynamic = { 0, ~0u, 0, 0 } },
	{ 0x16, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x17, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x19, 0, ZERO_IF_2_0, ALL_ZERO },
	{ 0x1a, 0, TABLE, .dynamic = { 0, ~0u, ~0u, ~0u } },
	{ 0x1b, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x1c, 0, TABLE, ALL_ZERO },
	{ 0x1d, 0, TABLE, ALL_ZERO },
	{ 0x1d, 1, TABLE, ALL_ZERO },
	{ 0x1e, 0, TABLE, ALL_ZERO },
#define TOPOLOGY(n) { 0x1f, n, IF_TOPOLOGY, {				\
		{ .zero = ~0x1fu, .direct = 0x1f },			\
		{ .zero = ~0xffffu, .direct = 0xffff },			\
		{ .zero = ~0xffffu, .direct = 0xffff } },		\
		.dynamic = { 0, 0, 0, ~0u } }
	TOPOLOGY(0), TOPOLOGY(1), TOPOLOGY(2), TOPOLOGY(3), TOPOLOGY(4),
	TOPOLOGY(5),
	{ 0x1f, 6, TOPOLOGY_END },
	{ 0x20, 0, TABLE, ALL_ZERO },
	{ 0x21, 0, TABLE, { ZERO, IS(0x65746e49u), IS(0x20202020u), IS(0x5844546cu) } },
	{ 0x22, 0, TABLE, ALL_ZERO },
	{ 0x23, 0, TABLE, ALL_ZERO },
	{ 0x23, 1, TABLE, ALL_ZERO },
	{ 0x23, 2, TABLE, ALL_ZERO },
	{ 0x23, 3, TABLE, ALL_ZERO },
	{ 0x24, 0, ZERO_IF_2_0, ALL_ZERO },
	{ 0x30000000, 0, ZERO_IF_2_0, ALL_ZERO },
	{ 0x40000000, 0, ALWAYS_VE },
	{ 0x40000001, 0, ALWAYS_VE },
	{ 0x4fffffff, 0, ALWAYS_VE },
	{ 0x50000000, 0, ZERO_IF_2_0, ALL_ZERO },
	{ 0x80000000, 0, TABLE, { IS(0x80000008u), ZERO, ZERO, ZERO } },
	{ 0x80000001, 0, TABLE, { ZERO, ZERO, IS(0x121u), IS(0x2c100800u) } },
	{ 0x80000002, 0, TABLE_IF_REDUCED, { IS(0x65746e49u) },
	  .dynamic = { 0, ~0u, ~0u, ~0u } },
	{ 0x80000003, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x80000004, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x80000005, 0, ZERO_IF_REDUCED, ALL_ZERO },
	{ 0x80000006, 0, TABLE, { ZERO, ZERO, IS(0x7040u), ZERO } },
	{ 0x80000007, 0, TABLE, { ZERO, ZERO, ZERO, IS(0x100u) } },
	{ 0x80000008, 0, TABLE, { { .zero = 0xffffff00 },
		{ .mask = 0x200, .value = 0x200, .zero = ~0x200u, .allow = 0x200 },
		ZERO, ZERO } },
	{ 0x80000009, 0, ZERO_IF_2_0, ALL_ZERO },
	{ 0xffffffff, 0, ZERO_IF_2_0, ALL_ZERO },
};

/* What the guest writes down.  In memory that it shares with the host. */
struct record {
	u64 major;
	u64 state;
	struct {
		u8 rd, wr;
		u64 value;
	} msr[NR_MSRS];
	u8 probe[ARRAY_SIZE(probes)];
	struct {
		u8 outcome;
		u32 value[4];
	} cpuid[ARRAY_SIZE(leaves)];
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

static u8 try_cpuid(u32 leaf, u32 subleaf, u32 *value)
{
	outcome = DONE;
	reason = EXIT_REASON_CPUID;
	asm volatile("cpuid"
		     : "=a"(value[0]), "=b"(value[1]), "=c"(value[2]), "=d"(value[3])
		     : "a"(leaf), "c"(subleaf) : "memory");
	return outcome;
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

static u64 read_field(u64 leaf, u64 field)
{
	u64 reg[NR_GPRS] = { [GPR_RDX] = field };

	GUEST_ASSERT_EQ(__tdcall(leaf, reg), TDX_SUCCESS);
	return reg[GPR_R8];
}

static void write_field(u64 field, u64 value, u64 mask)
{
	u64 reg[NR_GPRS] = {
		[GPR_RDX] = field, [GPR_R8] = value, [GPR_R9] = mask,
	};

	GUEST_ASSERT_EQ(__tdcall(TDG_VM_WR, reg), TDX_SUCCESS);
	GUEST_ASSERT_EQ(read_field(TDG_VM_RD, field) & mask, value & mask);
}

static void try_all(struct record *rec)
{
	for (int i = 0; i < ARRAY_SIZE(leaves); i++)
		rec->cpuid[i].outcome = try_cpuid(leaves[i].leaf, leaves[i].subleaf,
						  rec->cpuid[i].value);

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
	rec->major = read_field(TDG_SYS_RD, MD_MAJOR_VERSION);

	for (int i = 0; i < ARRAY_SIZE(states); i++) {
		if (states[i].only_2_0 && rec->major < 2)
			continue;
		if (rec->major >= 2)
			write_field(MD_FEATURE_PARAVIRT, states[i].paravirt, 0xfff);
		if (states[i].td_ctls)
			write_field(MD_TD_CTLS, states[i].td_ctls, states[i].td_ctls);
		rec->state = i;
		try_all(rec);
		GUEST_SYNC(i);
	}

	GUEST_DONE();
}

/* Host. */

static const struct state *state;
static const struct record *rec;
static struct kvm_tdx_init_vm *init;

static bool is_2_0(void)
{
	return rec->major >= 2;
}

static bool is_reduced(void)
{
	return state->td_ctls & TD_CTLS_REDUCE_VE;
}

static const struct leaf *find_leaf(u32 leaf, u32 subleaf)
{
	for (int i = 0; i < ARRAY_SIZE(leaves); i++)
		if (leaves[i].leaf == leaf && leaves[i].subleaf == subleaf)
			return &leaves[i];
	return NULL;
}

static const u32 *configured(const struct leaf *l)
{
	static const u32 nothing[4];

	for (u32 i = 0; i < init->cpuid.nent; i++)
		if (init->cpuid.entries[i].function == l->leaf &&
		    init->cpuid.entries[i].index == l->subleaf)
			return &init->cpuid.entries[i].eax;
	return nothing;
}

/* Bits that go away without all of the XFAM, or that no TD of KVM's has. */
#define NEVER	BIT_ULL(63)
static const struct {
	u32 leaf, subleaf, reg, mask;
	u64 xfam;
} gates[] = {
	{ 1, 0, 2, 0x30001000, BIT(2) },
	{ 7, 0, 1, 0x00000020, BIT(2) },
	{ 7, 0, 1, 0xdc230000, 0xe0 },
	{ 7, 0, 1, 0x02000000, BIT(8) },
	{ 7, 0, 2, 0x00000600, BIT(2) },
	{ 7, 0, 2, 0x00005842, 0xe0 },
	{ 7, 0, 2, 0x00000008, BIT(9) },
	{ 7, 0, 2, 0x00000080, 0x1800 },
	{ 7, 0, 2, 0x80800000, NEVER },
	{ 7, 0, 3, 0x0080010c, 0xe0 },
	{ 7, 0, 3, 0x00100000, 0x1800 },
	{ 7, 0, 3, 0x00000020, BIT(14) },
	{ 7, 0, 3, 0x00080000, BIT(15) },
	{ 7, 0, 3, 0x03400000, 0x60000 },
	{ 7, 1, 0, 0x00800010, BIT(2) },
	{ 7, 1, 0, 0x00000020, 0xe0 },
	{ 7, 1, 0, 0x00200000, 0x60000 },
	{ 7, 1, 0, 0x00000040, NEVER },
	{ 7, 1, 3, 0x00000430, BIT(2) },
	{ 0xd, 1, 0, 0x00000010, 0x60000 },
	{ 0xd, 1, 2, 0x00000100, BIT(8) },
	{ 0xd, 1, 2, 0x00001800, 0x1800 },
	{ 0xd, 1, 2, 0x00004000, BIT(14) },
	{ 0xd, 1, 2, 0x00008000, BIT(15) },
};

/* Release 1.5 lets the host decide about fewer bits. */
static u32 allowed(const struct leaf *l, int reg)
{
	u32 allow = l->reg[reg].allow;

	if (is_2_0())
		return allow;
	if (l->leaf == 1 && reg == 3)
		return 0xb8440000;
	if (l->leaf == 7 && l->subleaf == 0 && reg == 3)
		return 0x0005411c;
	if (l->leaf == 7 && l->subleaf == 1)
		return reg == 0 ? 0x04881db0 : reg == 3 ? 0x20430 : allow;
	return allow;
}

static u32 zero_bits(const struct leaf *l, int reg)
{
	if (!is_2_0() && l->leaf == 7 && l->subleaf == 1 && reg == 0)
		return 0xfb77e20f;
	return l->reg[reg].zero;
}

#define XFAM_USER	0x602e7ull

/* Of the area that XSAVE writes, which ends with the last component. */
static u32 xsave_size(u64 features)
{
	u32 size = 512 + 64, cpu[4];

	for (u32 i = 2; i < 63; i++) {
		if (!(features & BIT_ULL(i)))
			continue;
		__cpuid(0xd, i, &cpu[0], &cpu[1], &cpu[2], &cpu[3]);
		size = max(size, cpu[0] + cpu[1]);
	}
	return size;
}

/* The TD's own value of one register, before what changes at run time. */
static u32 cpuid_value(u32 leaf, u32 subleaf, int reg)
{
	const struct leaf *l = find_leaf(leaf, subleaf);
	const struct bits *b = &l->reg[reg];
	u32 allow = allowed(l, reg);
	const u32 *want = configured(l);
	u64 xfam = init->xfam | 3;
	u32 cpu[4], v;

	__cpuid(leaf, subleaf, &cpu[0], &cpu[1], &cpu[2], &cpu[3]);
	v = (cpu[reg] & ~b->mask) | b->value;

	if (leaf == 5 && !(cpuid_value(1, 0, 2) & BIT(3)))
		return 0;
	if (leaf == 0xd && subleaf == 0 && reg == 0)
		return xfam & XFAM_USER;
	if (leaf == 0xd && subleaf == 0 && reg == 2)
		return xsave_size(xfam & XFAM_USER);
	if (leaf == 0xd && subleaf > 1 && !(xfam & BIT_ULL(subleaf)))
		return 0;
	if (leaf == 0x80000008 && reg == 0)
		return (v & 0xff) |
		       (cpuid_value(7, 0, 2) & BIT(16) ? 57 << 8 : 48 << 8);

	/* No family, and no topology at all, means the CPU's. */
	if ((leaf == 1 && reg == 0 && !want[reg]) ||
	    (leaf == 0x1f && !(want[0] | want[1] | want[2] | want[3])))
		want = cpu;
	v = (v & ~(zero_bits(l, reg) | b->direct | allow)) | b->one |
	    (want[reg] & b->direct) | (v & want[reg] & allow);

	for (int i = 0; i < ARRAY_SIZE(gates); i++)
		if (gates[i].leaf == leaf && gates[i].subleaf == subleaf &&
		    (int)gates[i].reg == reg && (xfam & gates[i].xfam) != gates[i].xfam)
			v &= ~gates[i].mask;
	return v;
}

/* Features that a guest can have as #VE, by their bit in FEATURE_PARAVIRT_CTRL. */
enum feature {
	CORE_CAP, DCA, EST, MCA, MTRR, PCONFIG, RDT_A, RDT_M, ACPI, TM2, TME,
	TSC_DEADLINE, NR_FEATURES
};

static const struct {
	u32 leaf, reg, bits;
	bool on_unless_reduced;
} features[NR_FEATURES] = {
	[CORE_CAP] = { 7, 3, BIT(30), true },
	[DCA] = { 1, 2, BIT(18) },
	[EST] = { 1, 2, BIT(7) },
	[MCA] = { 1, 3, BIT(7) | BIT(14), true },
	[MTRR] = { 1, 3, BIT(12), true },
	[PCONFIG] = { 7, 3, BIT(18) },
	[RDT_A] = { 7, 1, BIT(15) },
	[RDT_M] = { 7, 1, BIT(12) },
	[ACPI] = { 1, 3, BIT(22) },
	[TM2] = { 1, 2, BIT(8) },
	[TME] = { 7, 2, BIT(13) },
	[TSC_DEADLINE] = { 1, 2, BIT(24) },
};

static bool has_feature(enum feature f)
{
	u32 v = cpuid_value(features[f].leaf, 0, features[f].reg);
	bool has = (v & features[f].bits) == features[f].bits;
	bool wanted = state->paravirt & BIT(f);

	if (!is_reduced())
		return features[f].on_unless_reduced || has;
	return has && wanted;
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

static enum outcome leaf_outcome(const struct leaf *l)
{
	switch (l->rule) {
	case IF_VIRT_CPUID2:
		return state->td_ctls & TD_CTLS_VIRT_CPUID2 ? DONE : VE;
	case IF_TOPOLOGY:
		return state->td_ctls & TD_CTLS_ENUM_TOPOLOGY ? DONE : VE;
	case ZERO_IF_REDUCED:
		/* ... and there is no #VE for what the guest wants to have. */
		if ((l->leaf == 9 && is_reduced() && has_feature(DCA)) ||
		    (l->leaf == 0xf && is_reduced() && has_feature(RDT_M)) ||
		    (l->leaf == 0x10 && is_reduced() && has_feature(RDT_A)) ||
		    (l->leaf == 0x1b && is_reduced() && has_feature(PCONFIG)))
			return VE;
		return is_reduced() ? DONE : VE;
	case TABLE_IF_REDUCED:
	case TOPOLOGY_END:
		return is_reduced() ? DONE : VE;
	case ZERO_IF_2_0:
		return is_2_0() ? DONE : VE;
	case ALWAYS_VE:
		return VE;
	default:
		return DONE;
	}
}

static void check_leaf(int i)
{
	const struct leaf *l = &leaves[i];
	enum outcome want = leaf_outcome(l);
	const u32 *got = rec->cpuid[i].value;
	bool ok = rec->cpuid[i].outcome == want;

	if (!ok)
		ksft_print_msg("%s, want %s\n", outcome_names[rec->cpuid[i].outcome],
			       outcome_names[want]);

	for (int reg = 0; reg < 4 && ok && want == DONE; reg++) {
		u32 value = cpuid_value(l->leaf, l->subleaf, reg);
		u32 differs;

		if (l->rule == TOPOLOGY_END)
			value = reg == 2 ? l->subleaf : 0;
		else if (l->leaf == 0xb || l->leaf == 0x1f)
			value = (value & ~0xffu) | (reg == 2 ? l->subleaf : value & 0xff);
		/* What the guest did not ask for is gone. */
		for (int f = 0; f < NR_FEATURES; f++)
			if (features[f].leaf == l->leaf && !l->subleaf &&
			    (int)features[f].reg == reg && !has_feature(f))
				value &= ~features[f].bits;

		differs = (got[reg] ^ value) & ~l->dynamic[reg];
		if (differs) {
			ok = false;
			ksft_print_msg("E%cX is 0x%x, want 0x%x (0x%x differs)\n",
				       "ABCD"[reg], got[reg], value, differs);
		}
	}
	check(ok, "CPUID 0x%x.%u", l->leaf, l->subleaf);
}

/* MSRs.  NAT is the CPU's own: whatever happens, it is no #VE. */
enum what {
	W_VE, W_GP, NAT, W_DONE,
	RVE,			/* #GP if reduced, else #VE */
	RDONE,			/* done if reduced, else #VE */
	TOPO,			/* done with the topology, else #VE */
	MISC,			/* done without reserved bits if reduced, else #VE */
	F_FIRST,		/* #VE with the feature, else #GP */
	F_LAST = F_FIRST + NR_FEATURES - 1,
	IF_PERFMON, IF_WAITPKG, IF_TSX, IF_XFD, IF_PT, IF_CET, IF_PKS, IF_UINTR,
	IF_LBR,			/* as NAT with it, else #GP */
};

#define F(f)	(F_FIRST + (f))

struct msr_row {
	u32 first, last;
	u8 rd, wr;
	u64 value;		/* if @has_value */
	bool has_value;
};

static const struct msr_row rows_2_0[] = {
	{ 0x0, 0x1, W_VE, W_VE },
	{ 0x6, 0x6, W_VE, W_VE },
	{ 0x10, 0x10, W_DONE, W_VE },
	{ 0x17, 0x17, W_VE, RVE },
	{ 0x1b, 0x1b, W_VE, W_VE },
	{ 0x33, 0x33, F(CORE_CAP), F(CORE_CAP) },
	{ 0x34, 0x34, RDONE, RDONE },
	{ 0x3a, 0x3a, RDONE, RVE, 1, true },
	{ 0x3b, 0x3b, RVE, RVE },
	{ 0x48, 0x49, NAT, NAT },
	{ 0x4e, 0x4e, RDONE, RVE, 1, true },
	{ 0x4f, 0x4f, RVE, RVE },
	{ 0x79, 0x79, RVE, RDONE },
	{ 0x7a, 0x7a, RVE, RVE },
	{ 0x82, 0x86, RVE, RVE },
	{ 0x87, 0x87, F(PCONFIG), F(PCONFIG) },
	{ 0x8b, 0x8b, RDONE, RDONE, 0xffffffff, true },
	{ 0x8c, 0x8f, W_GP, W_GP },
	{ 0x98, 0x9b, W_GP, W_GP },
	{ 0x9e, 0x9e, W_GP, W_GP },
	{ 0xbc, 0xbc, NAT, W_VE },
	{ 0xbd, 0xbd, W_DONE, NAT, 1, true },
	{ 0xc1, 0xc8, IF_PERFMON, IF_PERFMON },
	{ 0xce, 0xce, RDONE, RVE, 0, true },
	{ 0xcf, 0xcf, F(CORE_CAP), W_GP },
	{ 0xe1, 0xe1, IF_WAITPKG, IF_WAITPKG },
	{ 0xe7, 0xe8, RVE, RVE },
	{ 0xed, 0xf0, F(CORE_CAP), F(CORE_CAP) },
	{ 0xfe, 0xfe, F(MTRR), W_GP },
	{ 0x10a, 0x10a, W_DONE, W_GP },
	{ 0x10b, 0x10b, NAT, NAT },
	{ 0x10f, 0x10f, RVE, RVE },
	{ 0x122, 0x122, IF_TSX, IF_TSX },
	{ 0x123, 0x123, RVE, RVE },
	{ 0x140, 0x140, RDONE, RDONE, 0, true },
	{ 0x174, 0x176, W_DONE, W_DONE },
	{ 0x179, 0x179, F(MCA), W_GP },
	{ 0x17a, 0x17b, F(MCA), F(MCA) },
	{ 0x186, 0x18d, IF_PERFMON, IF_PERFMON },
	{ 0x195, 0x195, W_GP, W_GP },
	{ 0x198, 0x199, F(EST), F(EST) },
	{ 0x19a, 0x19c, F(ACPI), F(ACPI) },
	{ 0x19d, 0x19d, F(TM2), F(TM2) },
	{ 0x1a0, 0x1a0, W_DONE, MISC },
	{ 0x1a6, 0x1a7, IF_PERFMON, IF_PERFMON },
	{ 0x1b0, 0x1b2, RVE, RVE },
	{ 0x1c2, 0x1c3, RVE, RVE },
	{ 0x1c4, 0x1c5, IF_XFD, IF_XFD },
	{ 0x1c7, 0x1c7, RVE, RVE },
	{ 0x1ca, 0x1cb, RVE, RVE },
	{ 0x1d9, 0x1d9, W_DONE, W_DONE },
	{ 0x1f2, 0x1f3, F(MTRR), F(MTRR) },
	{ 0x1f6, 0x1f7, F(MTRR), F(MTRR) },
	{ 0x1f8, 0x1fa, F(DCA), F(DCA) },
	{ 0x200, 0x213, F(MTRR), F(MTRR) },
	{ 0x250, 0x250, F(MTRR), F(MTRR) },
	{ 0x258, 0x259, F(MTRR), F(MTRR) },
	{ 0x268, 0x26f, F(MTRR), F(MTRR) },
	{ 0x276, 0x276, W_GP, W_GP },
	{ 0x277, 0x277, W_DONE, W_DONE },
	{ 0x280, 0x29f, F(MCA), F(MCA) },
	{ 0x2a0, 0x2a7, F(MTRR), F(MTRR) },
	{ 0x2c0, 0x2c1, F(MTRR), F(MTRR) },
	{ 0x2ff, 0x2ff, F(MTRR), F(MTRR) },
	{ 0x302, 0x303, RVE, RVE },
	{ 0x309, 0x310, IF_PERFMON, IF_PERFMON },
	{ 0x329, 0x329, IF_PERFMON, IF_PERFMON },
	{ 0x345, 0x345, W_DONE, W_GP, 0, true },
	{ 0x38d, 0x392, IF_PERFMON, IF_PERFMON },
	{ 0x3f1, 0x3f2, IF_PERFMON, IF_PERFMON },
	{ 0x3f4, 0x3f5, W_GP, W_GP },
	{ 0x3f6, 0x3f7, IF_PERFMON, IF_PERFMON },
	{ 0x400, 0x433, F(MCA), F(MCA) },
	{ 0x480, 0x480, W_DONE, W_GP },
	{ 0x481, 0x484, RVE, W_GP },
	{ 0x485, 0x489, W_DONE, W_GP },
	{ 0x48a, 0x48a, RVE, W_GP },
	{ 0x48b, 0x492, W_DONE, W_GP },
	{ 0x4c1, 0x4c8, IF_PERFMON, IF_PERFMON },
	{ 0x4d0, 0x4d0, F(MCA), F(MCA) },
	{ 0x500, 0x500, W_GP, W_GP },
	{ 0x501, 0x501, RVE, RVE },
	{ 0x550, 0x550, W_GP, W_GP },
	{ 0x560, 0x587, IF_PT, IF_PT },
	{ 0x5d0, 0x5fd, RVE, RVE },
	{ 0x600, 0x600, NAT, NAT },
	{ 0x6a0, 0x6a0, IF_CET, IF_CET },
	{ 0x6a2, 0x6a2, IF_CET, IF_CET },
	{ 0x6a4, 0x6a8, IF_CET, IF_CET },
	{ 0x6e0, 0x6e0, F(TSC_DEADLINE), F(TSC_DEADLINE) },
	{ 0x6e1, 0x6e1, IF_PKS, IF_PKS },
	{ 0x770, 0x777, RVE, RVE },
	{ 0x793, 0x793, RVE, RVE },
	{ 0x800, 0x801, W_GP, W_GP },
	{ 0x802, 0x802, TOPO, W_GP },
	{ 0x803, 0x803, W_VE, W_GP },
	{ 0x804, 0x807, W_GP, W_GP },
	{ 0x808, 0x808, W_DONE, W_DONE },
	{ 0x809, 0x80a, NAT, NAT },
	{ 0x80b, 0x80b, NAT, W_DONE },
	{ 0x80c, 0x80c, NAT, NAT },
	{ 0x80d, 0x80d, W_VE, W_GP },
	{ 0x80e, 0x80e, NAT, NAT },
	{ 0x80f, 0x80f, W_VE, W_VE },
	{ 0x810, 0x827, W_DONE, NAT },
	{ 0x828, 0x828, W_VE, W_VE },
	{ 0x829, 0x82e, W_GP, W_GP },
	{ 0x82f, 0x830, W_VE, W_VE },
	{ 0x831, 0x831, W_GP, W_GP },
	{ 0x832, 0x838, W_VE, W_VE },
	{ 0x839, 0x839, W_VE, W_GP },
	{ 0x83a, 0x83a, W_VE, W_VE },
	{ 0x83b, 0x83d, W_GP, W_GP },
	{ 0x83e, 0x83e, W_VE, W_VE },
	{ 0x83f, 0x83f, NAT, NAT },
	{ 0x840, 0x8ff, W_GP, W_GP },
	{ 0x981, 0x984, F(TME), F(TME) },
	{ 0x985, 0x98a, IF_UINTR, IF_UINTR },
	{ 0x98b, 0x98f, RVE, RVE },
	{ 0xc80, 0xc80, W_GP, RVE },
	{ 0xc81, 0xc82, F(RDT_A), F(RDT_A) },
	{ 0xc8d, 0xc8f, F(RDT_M), F(RDT_M) },
	{ 0xc90, 0xd8f, F(RDT_A), F(RDT_A) },
	{ 0xd90, 0xd90, W_GP, W_GP },
	{ 0xd93, 0xd93, W_GP, W_GP },
	{ 0xda0, 0xda0, W_DONE, W_DONE },
	{ 0xdb0, 0xdb2, RVE, RVE },
	{ 0x1000, 0x1000, RVE, RVE },
	{ 0x1200, 0x12ff, IF_LBR, IF_LBR },
	{ 0x1400, 0x1402, RVE, RVE },
	{ 0x14c1, 0x14c8, RVE, RVE },
	{ 0x14ce, 0x14cf, IF_LBR, IF_LBR },
	{ 0x1500, 0x16ff, IF_LBR, IF_LBR },
	{ 0x17d0, 0x17da, RVE, RVE },
	{ 0x1900, 0x1998, IF_PERFMON, IF_PERFMON },
	{ 0x1b01, 0x1b01, NAT, NAT },
	{ 0xc0000080, 0xc0000080, W_DONE, W_DONE },
	{ 0xc0000081, 0xc0000082, W_DONE, W_DONE },
	{ 0xc0000083, 0xc0000083, W_VE, W_VE },
	{ 0xc0000084, 0xc0000084, W_DONE, W_DONE },
	{ 0xc0000100, 0xc0000103, W_DONE, W_DONE },
};

static const struct msr_row rows_1_5[] = {
	{ 0x10, 0x10, W_DONE, W_VE },
	{ 0x48, 0x49, NAT, NAT },
	{ 0x87, 0x87, F(PCONFIG), F(PCONFIG) },
	{ 0x8c, 0x8f, W_GP, W_GP },
	{ 0x98, 0x9b, W_GP, W_GP },
	{ 0x9e, 0x9e, W_GP, W_GP },
	{ 0xbc, 0xbc, NAT, W_VE },
	{ 0xbd, 0xbd, W_DONE, NAT, 1, true },
	{ 0xc1, 0xc8, IF_PERFMON, IF_PERFMON },
	{ 0xe1, 0xe1, IF_WAITPKG, IF_WAITPKG },
	{ 0x10a, 0x10a, W_DONE, NAT },
	{ 0x10b, 0x10b, NAT, NAT },
	{ 0x122, 0x122, IF_TSX, IF_TSX },
	{ 0x174, 0x176, W_DONE, W_DONE },
	{ 0x186, 0x18d, IF_PERFMON, IF_PERFMON },
	{ 0x195, 0x195, W_GP, W_GP },
	{ 0x1a0, 0x1a0, W_DONE, W_VE },
	{ 0x1a6, 0x1a7, IF_PERFMON, IF_PERFMON },
	{ 0x1c4, 0x1c5, IF_XFD, IF_XFD },
	{ 0x1d9, 0x1d9, W_DONE, W_DONE },
	{ 0x1f8, 0x1fa, F(DCA), F(DCA) },
	{ 0x276, 0x276, W_GP, W_GP },
	{ 0x277, 0x277, W_DONE, W_DONE },
	{ 0x309, 0x310, IF_PERFMON, IF_PERFMON },
	{ 0x329, 0x329, IF_PERFMON, IF_PERFMON },
	{ 0x345, 0x345, W_DONE, W_GP, 0, true },
	{ 0x38d, 0x392, IF_PERFMON, IF_PERFMON },
	{ 0x3f1, 0x3f2, IF_PERFMON, IF_PERFMON },
	{ 0x3f6, 0x3f7, IF_PERFMON, IF_PERFMON },
	{ 0x480, 0x480, W_DONE, W_GP },
	{ 0x481, 0x484, W_VE, W_GP },
	{ 0x485, 0x489, W_DONE, W_GP },
	{ 0x48a, 0x48a, W_VE, W_GP },
	{ 0x48b, 0x492, W_DONE, W_GP },
	{ 0x4c1, 0x4c8, IF_PERFMON, IF_PERFMON },
	{ 0x500, 0x500, W_GP, W_GP },
	{ 0x560, 0x561, IF_PT, IF_PT },
	{ 0x570, 0x572, IF_PT, IF_PT },
	{ 0x580, 0x587, IF_PT, IF_PT },
	{ 0x600, 0x600, NAT, NAT },
	{ 0x6a0, 0x6a0, IF_CET, IF_CET },
	{ 0x6a2, 0x6a2, IF_CET, IF_CET },
	{ 0x6a4, 0x6a8, IF_CET, IF_CET },
	{ 0x6e0, 0x6e0, F(TSC_DEADLINE), F(TSC_DEADLINE) },
	{ 0x6e1, 0x6e1, IF_PKS, IF_PKS },
	{ 0x800, 0x801, W_GP, W_GP },
	{ 0x802, 0x802, TOPO, W_GP },
	{ 0x804, 0x807, W_GP, W_GP },
	{ 0x808, 0x808, W_DONE, W_DONE },
	{ 0x809, 0x80a, NAT, NAT },
	{ 0x80b, 0x80b, NAT, W_DONE },
	{ 0x80c, 0x80c, NAT, NAT },
	{ 0x80e, 0x80e, NAT, NAT },
	{ 0x810, 0x827, W_DONE, NAT },
	{ 0x829, 0x82e, W_GP, W_GP },
	{ 0x831, 0x831, W_GP, W_GP },
	{ 0x83f, 0x83f, NAT, NAT },
	{ 0x840, 0x8ff, W_GP, W_GP },
	{ 0x981, 0x984, F(TME), F(TME) },
	{ 0x985, 0x98a, IF_UINTR, IF_UINTR },
	{ 0xc80, 0xc80, NAT, W_VE },
	{ 0xd90, 0xd90, W_GP, W_GP },
	{ 0xd93, 0xd93, W_GP, W_GP },
	{ 0xda0, 0xda0, W_DONE, W_DONE },
	{ 0x1200, 0x12ff, IF_LBR, IF_LBR },
	{ 0x14ce, 0x14cf, IF_LBR, IF_LBR },
	{ 0x1500, 0x16ff, IF_LBR, IF_LBR },
	{ 0x1b01, 0x1b01, NAT, NAT },
	{ 0xc0000080, 0xc0000082, W_DONE, W_DONE },
	{ 0xc0000084, 0xc0000084, W_DONE, W_DONE },
	{ 0xc0000100, 0xc0000103, W_DONE, W_DONE },
};

/* What the architecture's table does not say for certain. */
static bool is_unsure(u32 msr)
{
	return (msr >= 0x434 && msr <= 0x47f) || msr == 0x3f3;
}

#define MISC_ENABLE_RESERVED	0xffffffffff3ae776ull

static bool is_right(u8 what, u8 got, u64 value)
{
	u64 xfam = init->xfam | 3;
	bool has = false;

	switch (what) {
	case W_VE:
		return got == VE;
	case W_GP:
		return got == GP;
	case W_DONE:
		return got == DONE;
	case NAT:
		return got != VE;
	case RVE:
		return got == (is_reduced() ? GP : VE);
	case RDONE:
		return got == (is_reduced() ? DONE : VE);
	case TOPO:
		return got == (state->td_ctls & TD_CTLS_ENUM_TOPOLOGY ? DONE : VE);
	case MISC:
		return got == (!is_reduced() ? VE :
			       value & MISC_ENABLE_RESERVED ? GP : DONE);
	case F_FIRST ... F_LAST:
		return got == (has_feature(what - F_FIRST) ? VE : GP);
	case IF_WAITPKG:
		has = cpuid_value(7, 0, 2) & BIT(5);
		break;
	case IF_TSX:
		has = cpuid_value(7, 0, 1) & BIT(11);
		break;
	case IF_XFD:
		has = xfam & 0x60000;
		break;
	case IF_PT:
		has = xfam & BIT(8);
		break;
	case IF_CET:
		has = xfam & 0x1800;
		break;
	case IF_UINTR:
		has = xfam & BIT(14);
		break;
	case IF_LBR:
		has = xfam & BIT(15);
		break;
	}
	return has ? got != VE : got == GP;
}

static bool check_msr(u32 i, const struct msr_row *row)
{
	u8 rd = rec->msr[i].rd, wr = rec->msr[i].wr;
	u64 value = rec->msr[i].value;
	bool ok = true;

	if (!is_right(row->rd, rd, value)) {
		ksft_print_msg("RDMSR 0x%x: %s\n", msr_of(i), outcome_names[rd]);
		ok = false;
	} else if (rd == DONE && row->has_value && value != row->value) {
		ksft_print_msg("RDMSR 0x%x: 0x%llx, want 0x%llx\n", msr_of(i),
			       (unsigned long long)value,
			       (unsigned long long)row->value);
		ok = false;
	}
	if (!is_right(row->wr, wr, value)) {
		ksft_print_msg("WRMSR 0x%x: %s\n", msr_of(i), outcome_names[wr]);
		ok = false;
	}
	return ok;
}

static void check_msrs(void)
{
	const struct msr_row *rows = is_2_0() ? rows_2_0 : rows_1_5;
	int nr = is_2_0() ? ARRAY_SIZE(rows_2_0) : ARRAY_SIZE(rows_1_5);
	const struct msr_row unknown = { .rd = RVE, .wr = RVE };
	const struct msr_row outside = { .rd = W_VE, .wr = W_VE };
	static bool listed[NR_MSRS];
	bool ok;

	memset(listed, 0, sizeof(listed));
	for (int r = 0; r < nr; r++) {
		ok = true;
		for (u64 msr = rows[r].first; msr <= rows[r].last; msr++) {
			ok &= check_msr(index_of(msr), &rows[r]);
			listed[index_of(msr)] = true;
		}
		check(ok, "MSR 0x%x-0x%x", rows[r].first, rows[r].last);
	}

	ok = true;
	for (u32 i = 0; i < NR_INSIDE; i++)
		if (!listed[i] && !is_unsure(msr_of(i)))
			ok &= check_msr(i, &unknown);
	check(ok, "MSRs that are in no row");

	ok = true;
	for (u32 i = NR_INSIDE; i < NR_MSRS; i++)
		ok &= check_msr(i, &outside);
	check(ok, "MSRs out of range");
}

static void check_probes(void)
{
	for (int i = 0; i < ARRAY_SIZE(probes); i++) {
		enum outcome want = is_reduced() ? probes[i].want_reduced : probes[i].want;

		if (rec->probe[i] != want)
			ksft_print_msg("WRMSR 0x%x flipping 0x%llx: %s, want %s\n",
				       probes[i].msr, (unsigned long long)probes[i].flip,
				       outcome_names[rec->probe[i]], outcome_names[want]);
		check(rec->probe[i] == want, "%s", probes[i].what);
	}
}

/* Bits that every TD sees set, and bits that none does. */
#define ARCH_CAP_ONE	0x20716bull
#define ARCH_CAP_ZERO	(~0ull << 25 | 0xc70e00 | BIT(22) | BIT(23))

static void check_arch_capabilities(void)
{
	u64 value = rec->msr[0x10a].value;
	bool ok = (value & ARCH_CAP_ONE) == ARCH_CAP_ONE && !(value & ARCH_CAP_ZERO);

	if (!ok)
		ksft_print_msg("0x%llx\n", (unsigned long long)value);
	check(ok, "ARCH_CAPABILITIES");
}

static void check_state(void)
{
	state = &states[rec->state];
	for (int i = 0; i < ARRAY_SIZE(leaves); i++)
		check_leaf(i);
	check_msrs();
	check_probes();
	check_arch_capabilities();
}

static u64 supported_xfam(struct kvm_vm *vm)
{
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	u64 xfam = caps->supported_xfam;

	free(caps);
	return xfam;
}

/* Run until the guest has been through another state, or through all. */
static bool next_state(struct kvm_vcpu *vcpu)
{
	struct ucall uc;

	vcpu_run(vcpu);
	switch (get_ucall(vcpu, &uc)) {
	case UCALL_SYNC:
		return true;
	case UCALL_DONE:
		return false;
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
	default:
		TEST_FAIL("Unexpected exit: %u (%s)", vcpu->run->exit_reason,
			  exit_reason_str(vcpu->run->exit_reason));
		return false;
	}
}

/* A TD with all that KVM has on offer, or with nothing. */
static void run_td(bool all)
{
	u64 size = align_up(sizeof(struct record), PAGE_SIZE);
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	gva_t gva;

	vm = __vm_create(VM_SHAPE_TDX, 1, size / PAGE_SIZE);
	init = tdx_default_init_vm(vm);
	if (all)
		init->xfam = supported_xfam(vm);
	else
		for (u32 i = 0; i < init->cpuid.nent; i++)
			if (init->cpuid.entries[i].function != 0x80000008)
				memset(&init->cpuid.entries[i].eax, 0, 4 * sizeof(u32));
	tdx_init_vm(vm, init);

	vcpu = vm_vcpu_add(vm, 0, guest_code);
	vm_install_exception_handler(vm, VE_VECTOR, fault_handler);
	vm_install_exception_handler(vm, GP_VECTOR, fault_handler);
	gva = vm_alloc_shared(vm, size, KVM_UTIL_MIN_VADDR, MEM_REGION_TEST_DATA);
	vcpu_args_set(vcpu, 1, gva);
	tdx_vm_finalize(vm);
	rec = addr_gva2hva(vm, gva);

	ksft_print_msg("a TD with %s\n", all ? "all that KVM offers" : "nothing optional");
	while (next_state(vcpu))
		check_state();

	kvm_vm_free(vm);
	free(init);
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
