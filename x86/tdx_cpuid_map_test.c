// SPDX-License-Identifier: GPL-2.0
/*
 * A map of a TD's CPUID, checked against what KVM_TDX_CAPABILITIES promises.
 *
 *	tdx_cpuid_map_test --table | --json | --html [FILE]
 *
 * prints the map instead, see include/x86/tdx/cpuid_map.h.  Give a file for JSON
 * and HTML: the lib prints its random seed to stdout first.
 */
#include "tdx/cpuid_map.h"
#include "tdx/tdx_test_harness.h"

static enum cpuid_class class_of_feature(struct kvm_x86_cpu_feature f)
{
	struct cpuid_map_leaf *m = cpuid_map_find(f.function, f.index);

	TEST_ASSERT(m, "No leaf 0x%x subleaf 0x%x", f.function, f.index);
	return cpuid_map_class(m, f.reg, f.bit);
}

#define ASSERT_CLASS(feature, class)					\
do {									\
	enum cpuid_class __is = class_of_feature(feature);		\
									\
	TEST_ASSERT(__is == (class), #feature ": expected %s, is %s",	\
		    cpuid_classes[class].name, cpuid_classes[__is].name); \
} while (0)

/* Configurable bits that KVM prevents from having an effect. */
static u32 has_no_effect(u32 leaf, int reg)
{
	switch (leaf) {
	case FAMILY_LEAF:
		/*
		 * Only a TD that can be migrated may have another family, model and
		 * stepping than the platform, and KVM creates no such TD.
		 */
		return reg == KVM_CPUID_EAX ? ~0u : 0;
	case 0xa:
	case 0x19:
	case 0x1c:
	case 0x23:
		/* The PMU, Key Locker and LBRs, which KVM gives to no TD. */
		return ~0u;
	case WIDTH_LEAF:
		/*
		 * One width needs a flag that KVM doesn't set, the other an EPT
		 * of 5 levels.
		 */
		return reg == KVM_CPUID_EAX ? GENMASK(7, 0) | GENMASK(23, 16) : 0;
	case TOPOLOGY_LEAF:
		/* Not every combination of bits is a topology. */
		return ~0u;
	default:
		return 0;
	}
}

TEST(reported_bits_have_an_effect)
{
	int bad = 0;

	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 bits = m->reported[reg] & ~m->by[CPUID_CONFIG][reg] &
				   ~has_no_effect(m->leaf, reg);

			if (!bits)
				continue;
			ksft_print_msg("CPUID 0x%x.%u %s: 0x%08x is configurable, but that has no effect\n",
				       m->leaf, m->subleaf, cpuid_reg_names[reg], bits);
			bad++;
		}
	}
	TEST_ASSERT(!bad, "KVM reports %d registers with such bits", bad);
}

TEST(reported_leaves_exist)
{
	for (int i = 0; i < cpuid_map.caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid_map.caps->cpuid.entries[i];

		TEST_ASSERT(cpuid_map_find(e->function, e->index),
			    "Leaf 0x%x subleaf 0x%x is configurable, but KVM_TDX_GET_CPUID doesn't have it",
			    e->function, e->index);
	}
}

/* One bit of one of KVM's entries. */
static struct cpuid_request request_bit(int entry, int reg, u32 bit)
{
	struct cpuid_request req = cpuid_request_none(cpuid_map.caps->supported_xfam);

	req.reg[entry][reg] = bit;
	return req;
}

static void assert_refused(int entry, int reg, u32 bit)
{
	struct kvm_cpuid_entry2 *e = &cpuid_map.caps->cpuid.entries[entry];
	struct cpuid_request req = request_bit(entry, reg, bit);
	u64 hw_error;
	struct kvm_vm *vm = cpuid_request_td(&req, &hw_error);

	TEST_ASSERT(!vm && errno == EINVAL &&
		    (hw_error & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_INVALID,
		    "CPUID 0x%x.%u %s: 0x%x was not refused, errno %d, module 0x%lx",
		    e->function, e->index, cpuid_reg_names[reg], bit, errno,
		    (unsigned long)hw_error);
}

/*
 * Bits that no TD can have: reserved bits, and numbers that belong to the CPU or to
 * the vCPU.
 */
TEST(other_bits_are_refused)
{
	const struct {
		u32 leaf;
		u8 reg;
		u32 bit;
	} never[] = {
		{ 0x1, KVM_CPUID_EAX, BIT(14) },	/* reserved */
		{ 0x1, KVM_CPUID_EBX, BIT(24) },	/* APIC ID */
		{ 0x1, KVM_CPUID_ECX, BIT(5) },		/* VMX */
		{ 0x1, KVM_CPUID_EDX, BIT(10) },	/* reserved */
		{ 0x4, KVM_CPUID_EAX, BIT(10) },	/* reserved */
		{ 0x7, KVM_CPUID_EAX, BIT(4) },		/* number of subleaves */
		{ TOPOLOGY_LEAF, KVM_CPUID_EDX, BIT(0) },	/* x2APIC ID */
		{ WIDTH_LEAF, KVM_CPUID_ECX, BIT(8) },	/* reserved */
	};
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;
	int nr = 0;

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];

		for (int j = 0; j < ARRAY_SIZE(never); j++) {
			if (e->function != never[j].leaf || e->index)
				continue;
			TEST_ASSERT(!(cpuid_entry_regs(e)[never[j].reg] & never[j].bit),
				    "CPUID 0x%x %s: 0x%x is configurable", never[j].leaf,
				    cpuid_reg_names[never[j].reg], never[j].bit);
			assert_refused(i, never[j].reg, never[j].bit);
			nr++;
		}
	}
	TEST_ASSERT(nr, "KVM reports none of these leaves");
}

/*
 * A bit that is not reported may be one that a TD could have on another CPU: the
 * module ignores it.  If it doesn't, it refuses the TD.
 */
TEST(unreported_bits_have_no_effect)
{
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 config = cpuid_entry_regs(e)[reg];
			u32 bit = ~config & (config + 1);
			struct cpuid_request req = request_bit(i, reg, bit);
			struct kvm_cpuid2 *cpuid, *base = cpuid_map.most_xfam;

			if (!bit)
				continue;
			cpuid = cpuid_request_cpuid(&req);
			if (!cpuid) {
				TEST_ASSERT_EQ(errno, EINVAL);
				continue;
			}
			TEST_ASSERT(!memcmp(cpuid_entry_regs(cpuid_entry(cpuid, e->function, e->index)),
					    cpuid_entry_regs(cpuid_entry(base, e->function, e->index)),
					    NR_CPUID_REGS * sizeof(u32)),
				    "CPUID 0x%x.%u %s: 0x%x is not configurable, but has an effect",
				    e->function, e->index, cpuid_reg_names[reg], bit);
			free(cpuid);
		}
	}
}

/*
 * A TD can have the platform's family, model and stepping.  If it can have others,
 * it has what was asked for.
 */
TEST(family_is_the_platforms)
{
	struct cpuid_map_leaf *m = cpuid_map_find(FAMILY_LEAF, 0);
	u32 platform = m->value[KVM_CPUID_EAX];
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;
	int leaf = 0;

	while (leaf < caps->cpuid.nent && caps->cpuid.entries[leaf].function != FAMILY_LEAF)
		leaf++;
	if (leaf == caps->cpuid.nent ||
	    platform & ~caps->cpuid.entries[leaf].eax)
		SKIP(return, "the family is not configurable with this TDX module");

	for (int i = 0; i < 3; i++) {
		u32 other = platform ^ (i ? BIT(4 * (i - 1)) : 0);
		struct cpuid_request req = request_bit(leaf, KVM_CPUID_EAX, other);
		struct kvm_cpuid2 *cpuid = cpuid_request_cpuid(&req);

		TEST_ASSERT(cpuid || (i && errno == EINVAL),
			    "A TD of family, model and stepping 0x%x is refused, errno %d",
			    other, errno);
		if (cpuid)
			TEST_ASSERT_EQ(cpuid_entry(cpuid, FAMILY_LEAF, 0)->eax, other);
		free(cpuid);
	}
}

TEST(td_has_what_was_asked_for)
{
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;
	struct cpuid_request req = cpuid_request_all(caps->supported_xfam, 0x55555555);
	struct kvm_cpuid2 *cpuid = cpuid_request_cpuid(&req);

	if (!cpuid)
		SKIP(return, "the TDX module refuses this combination of bits");

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];
		struct cpuid_map_leaf *m = cpuid_map_find(e->function, e->index);
		struct kvm_cpuid_entry2 *got = cpuid_entry(cpuid, e->function, e->index);

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 mask = m->by[CPUID_CONFIG][reg] &
				   ~has_no_effect(e->function, reg);

			TEST_ASSERT((cpuid_entry_regs(got)[reg] & mask) == (req.reg[i][reg] & mask),
				    "CPUID 0x%x.%u %s: asked for 0x%08x, got 0x%08x, of 0x%08x",
				    e->function, e->index, cpuid_reg_names[reg],
				    req.reg[i][reg], cpuid_entry_regs(got)[reg], mask);
		}
	}
	free(cpuid);
}

TEST(same_parameters_same_cpuid)
{
	struct cpuid_request req = cpuid_request_none(0);
	struct kvm_cpuid2 *first = cpuid_map.least_xfam;
	struct kvm_cpuid2 *again = cpuid_request_cpuid(&req);

	TEST_ASSERT(again, "A TD that asks for nothing is refused");
	TEST_ASSERT_EQ(again->nent, first->nent);
	for (int i = 0; i < first->nent; i++) {
		struct kvm_cpuid_entry2 *a = &first->entries[i];
		struct kvm_cpuid_entry2 *b = &again->entries[i];

		TEST_ASSERT(!memcmp(a, b, sizeof(*a)),
			    "Leaf 0x%x subleaf 0x%x: %x %x %x %x, then leaf 0x%x subleaf 0x%x: %x %x %x %x",
			    a->function, a->index, a->eax, a->ebx, a->ecx, a->edx,
			    b->function, b->index, b->eax, b->ebx, b->ecx, b->edx);
	}
	free(again);
}

TEST(xsave_leaf_shows_xfam)
{
	struct kvm_cpuid_entry2 *user = cpuid_entry(cpuid_map.most_xfam, 0xd, 0);
	struct kvm_cpuid_entry2 *supervisor = cpuid_entry(cpuid_map.most_xfam, 0xd, 1);
	u64 shown = user->eax | (u64)user->edx << 32 | supervisor->ecx |
		    (u64)supervisor->edx << 32;
	u64 least = cpuid_entry(cpuid_map.least_xfam, 0xd, 0)->eax;

	TEST_ASSERT_EQ(shown, cpuid_map.caps->supported_xfam);
	TEST_ASSERT_EQ(least, XFEATURE_MASK_FP | XFEATURE_MASK_SSE);

	/* A state has a size if, and only if, XFAM has it. */
	for (int i = 2; i < 32; i++) {
		struct kvm_cpuid_entry2 *e = find_cpuid_entry(cpuid_map.most_xfam, 0xd, i);
		u32 size = e ? e->eax : 0;

		TEST_ASSERT(!size == !(shown & BIT_ULL(i)),
			    "State %d has %u bytes, XFAM is 0x%lx", i, size,
			    (unsigned long)shown);
	}
}

TEST(attributes_change_nothing)
{
	/* None of the attributes that KVM supports is a feature. */
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			TEST_ASSERT(!m->by[CPUID_ATTRIBUTES][reg],
				    "CPUID 0x%x.%u %s: 0x%x follows attributes",
				    m->leaf, m->subleaf, cpuid_reg_names[reg],
				    m->by[CPUID_ATTRIBUTES][reg]);
	}
}

TEST(tsc_frequency_changes_its_leaf_only)
{
	struct cpuid_request req = cpuid_request_none(0);
	struct kvm_cpuid2 *cpuid;

	req.tsc_khz = 1000000;
	cpuid = cpuid_request_cpuid(&req);
	if (!cpuid)
		SKIP(return, "this host can't set the frequency of a guest's TSC");

	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];
		struct kvm_cpuid_entry2 *e = cpuid_entry(cpuid, m->leaf, m->subleaf);

		if (e->function == TSC_LEAF)
			TEST_ASSERT_EQ((u64)e->ecx * e->ebx / e->eax, 1000000000ull);
		else
			TEST_ASSERT(!memcmp(cpuid_entry_regs(e), m->value,
					    sizeof(m->value)),
				    "Leaf 0x%x subleaf 0x%x depends on the TSC's frequency",
				    e->function, e->index);
	}
	free(cpuid);
}

TEST(kvm_knows_what_changes_with_cr4_and_xcr0)
{
	/* The bits that KVM updates at run time in the table of any VM. */
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];
		u32 known[NR_CPUID_REGS] = {};

		switch (m->leaf) {
		case 1:
			known[KVM_CPUID_EBX] = GENMASK(31, 24);	/* APIC ID */
			known[KVM_CPUID_ECX] = BIT((X86_FEATURE_OSXSAVE).bit);
			break;
		case 7:
			known[KVM_CPUID_ECX] = BIT((X86_FEATURE_OSPKE).bit);
			break;
		case 0xb:
		case TOPOLOGY_LEAF:
			known[KVM_CPUID_ECX] = GENMASK(7, 0);	/* subleaf */
			known[KVM_CPUID_EDX] = ~0u;		/* APIC ID */
			break;
		case 0xd:
			if (m->subleaf < 2)
				known[KVM_CPUID_EBX] = ~0u;
			break;
		case 0x80000001:
			known[KVM_CPUID_EDX] = BIT(11);		/* SYSCALL */
			break;
		}
		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			TEST_ASSERT(!(m->by_cr[reg] & ~known[reg]),
				    "CPUID 0x%x.%u %s: 0x%x changes with CR4 or XCR0",
				    m->leaf, m->subleaf, cpuid_reg_names[reg],
				    m->by_cr[reg] & ~known[reg]);
	}
}

TEST(features_follow_cr4_and_xcr0)
{
	ASSERT_CLASS(X86_FEATURE_OSXSAVE, CPUID_RUNTIME);
	TEST_ASSERT(cpuid_map_find(0xd, 0)->by_cr[KVM_CPUID_EBX] ||
		    cpuid_map.caps->supported_xfam == (XFEATURE_MASK_FP | XFEATURE_MASK_SSE),
		    "The size of the XSAVE area doesn't follow XCR0");
	if (cpuid_map.caps->supported_xfam & XFEATURE_MASK_PKRU)
		ASSERT_CLASS(X86_FEATURE_OSPKE, CPUID_RUNTIME);
}

TEST(features_of_every_td)
{
	ASSERT_CLASS(X86_FEATURE_X2APIC, CPUID_FIXED_1);
	ASSERT_CLASS(X86_FEATURE_APIC, CPUID_FIXED_1);
	ASSERT_CLASS(X86_FEATURE_XSAVE, CPUID_FIXED_1);
	ASSERT_CLASS(X86_FEATURE_HYPERVISOR, CPUID_FIXED_1);
	ASSERT_CLASS(X86_FEATURE_LM, CPUID_FIXED_1);
	ASSERT_CLASS(X86_FEATURE_NX, CPUID_FIXED_1);
	ASSERT_CLASS(X86_FEATURE_INVTSC, CPUID_FIXED_1);
}

TEST(features_of_no_td)
{
	ASSERT_CLASS(X86_FEATURE_VMX, CPUID_FIXED_0);
	ASSERT_CLASS(X86_FEATURE_SMX, CPUID_FIXED_0);
	ASSERT_CLASS(X86_FEATURE_SGX, CPUID_FIXED_0);
	ASSERT_CLASS(X86_FEATURE_TSC_ADJUST, CPUID_FIXED_0);

	/* For the module they are configurable, but not for KVM. */
	ASSERT_CLASS(X86_FEATURE_HLE, CPUID_FIXED_0);
	ASSERT_CLASS(X86_FEATURE_RTM, CPUID_FIXED_0);
	ASSERT_CLASS(X86_FEATURE_WAITPKG, CPUID_FIXED_0);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *option;
		void (*print)(void);
	} formats[] = {
		{ "--table", cpuid_map_print_table },
		{ "--json", cpuid_map_print_json },
		{ "--html", cpuid_map_print_html },
	};

	TEST_REQUIRE(is_tdx_supported());

	/* Once for all cases, which run in processes of their own. */
	cpuid_map_create();

	for (int i = 0; argc > 1 && i < ARRAY_SIZE(formats); i++) {
		if (strcmp(argv[1], formats[i].option))
			continue;
		TEST_ASSERT(argc == 2 || freopen(argv[2], "w", stdout),
			    "Can't write '%s', errno %d", argv[2], errno);
		formats[i].print();
		return 0;
	}

	return test_harness_run(argc, argv);
}
