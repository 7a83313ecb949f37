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

TEST(other_bits_are_refused)
{
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;
	u64 hw_error;

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];
		struct cpuid_request req = cpuid_request_none(caps->supported_xfam);
		struct kvm_vm *vm;
		int reg = 0;
		u32 config;

		/* The lowest bit of this leaf that is not configurable. */
		while (reg < NR_CPUID_REGS && !~cpuid_entry_regs(e)[reg])
			reg++;
		if (reg == NR_CPUID_REGS)
			continue;
		config = cpuid_entry_regs(e)[reg];
		req.reg[i][reg] = ~config & (config + 1);

		vm = cpuid_request_td(&req, &hw_error);
		TEST_ASSERT(!vm && errno == EINVAL &&
			    (hw_error & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_INVALID,
			    "CPUID 0x%x.%u %s: 0x%x was not refused, errno %d, module 0x%lx",
			    e->function, e->index, cpuid_reg_names[reg], req.reg[i][reg],
			    errno, (unsigned long)hw_error);
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
