// SPDX-License-Identifier: GPL-2.0
/*
 * A map of a TD's CPUID: for each bit, what decides about it.
 *
 * VMMs have tables of what the TDX module fixes in CPUID, made by hand for each
 * release.  KVM has no ioctl that tells, but all that it takes to find out:
 * TDs that are never launched cost little, and KVM_TDX_GET_CPUID shows what
 * came of their parameters.  So this test asks for things, compares what it
 * gets, and lets a TD run CPUID in all states that it can be in.  Then it checks
 * the map against what KVM_TDX_CAPABILITIES promises.
 *
 *	tdx_cpuid_map_test --table | --json | --html [FILE]
 *
 * prints the map instead.  On stdout the lib's random seed comes first, so JSON
 * and HTML want a file.
 */
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_REGS		4
#define MAX_LEAVES	TDX_MAX_CPUID
#define TOPOLOGY_LEAF	0x1f
#define TSC_LEAF	0x15
#define WIDTH_LEAF	0x80000008

enum bit_class {
	FIXED_0, FIXED_1, CONFIG, XFAM, ATTRIBUTES, OTHER, RUNTIME, NO_EFFECT,
	NR_CLASSES
};

static const struct {
	char letter;
	const char *name, *colour, *text;
} classes[NR_CLASSES] = {
	[FIXED_0] = { '0', "fixed0", "#e8e8e8", "always 0" },
	[FIXED_1] = { '1', "fixed1", "#404040", "always 1" },
	[CONFIG] = { 'c', "config", "#4caf50", "as asked for by KVM_TDX_INIT_VM" },
	[XFAM] = { 'x', "xfam", "#2196f3", "follows XFAM" },
	[ATTRIBUTES] = { 'a', "attributes", "#9c27b0", "follows the TD's attributes" },
	[OTHER] = { 'o', "other", "#ff9800", "follows other parameters" },
	[RUNTIME] = { 'r', "runtime", "#f44336", "changes at run time" },
	[NO_EFFECT] = { '-', "no_effect", "#ffeb3b",
			"may be asked for, makes no difference" },
};

static const char * const reg_names[NR_REGS] = { "eax", "ebx", "ecx", "edx" };

struct leaf_map {
	u32 leaf, subleaf;
	bool has_subleaves;
	bool ve;		/* the guest gets #VE, and has to ask KVM */
	u32 value[NR_REGS];	/* of a TD that asked for nothing */
	u32 reported[NR_REGS];	/* configurable, as KVM says */
	u32 by[NR_CLASSES][NR_REGS];
};

static struct leaf_map map[MAX_LEAVES];
static int nr_leaves;

static struct kvm_tdx_capabilities *caps;
static struct kvm_cpuid2 *base;		/* nothing asked for, least XFAM */
static struct kvm_cpuid2 *base_xfam;	/* nothing asked for, all of XFAM */

static u32 *regs_of(struct kvm_cpuid_entry2 *entry)
{
	return &entry->eax;
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, u32 leaf,
				     u32 subleaf)
{
	for (int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf &&
		    cpuid->entries[i].index == subleaf)
			return &cpuid->entries[i];
	return NULL;
}

static struct leaf_map *find_map(u32 leaf, u32 subleaf)
{
	for (int i = 0; i < nr_leaves; i++)
		if (map[i].leaf == leaf && map[i].subleaf == subleaf)
			return &map[i];
	return NULL;
}

static enum bit_class class_of(struct leaf_map *m, int reg, int bit)
{
	static const enum bit_class order[] = {
		CONFIG, RUNTIME, XFAM, ATTRIBUTES, OTHER,
	};

	for (int i = 0; i < ARRAY_SIZE(order); i++)
		if (m->by[order[i]][reg] & BIT(bit))
			return order[i];
	if (m->reported[reg] & BIT(bit))
		return NO_EFFECT;
	return m->value[reg] & BIT(bit) ? FIXED_1 : FIXED_0;
}

/*
 * Asking
 */

/* What to ask for: bits of each entry of KVM_TDX_CAPABILITIES. */
struct wish {
	u32 reg[MAX_LEAVES][NR_REGS];
	u64 xfam, attributes;
	u32 width;		/* of GPAs */
	u32 tsc_khz;		/* 0 for KVM's choice */
};

static struct wish nothing(u64 xfam)
{
	return (struct wish) { .xfam = xfam, .width = 48 };
}

/* A TD with these parameters and nothing else, NULL if it is refused. */
static struct kvm_vm *create_td(const struct wish *w, u64 *hw_error)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	int r = 0;

	vm_create_irqchip(vm);
	if (w->tsc_khz)
		r = __vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(u64)w->tsc_khz);

	init->xfam = w->xfam;
	init->attributes = w->attributes;
	init->cpuid.nent = caps->cpuid.nent;
	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &init->cpuid.entries[i];

		*e = caps->cpuid.entries[i];
		e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		memcpy(regs_of(e), w->reg[i], sizeof(w->reg[i]));
		if (e->function == WIDTH_LEAF)
			e->eax = (e->eax & ~GENMASK(23, 16)) | w->width << 16;
	}

	r = r ?: __tdx_init_vm(vm, init, hw_error);
	free(init);
	if (!r)
		return vm;
	kvm_vm_free(vm);
	return NULL;
}

static struct kvm_cpuid2 *try_td(const struct wish *w)
{
	struct kvm_vm *vm = create_td(w, NULL);
	struct kvm_cpuid2 *cpuid;

	if (!vm)
		return NULL;
	cpuid = tdx_get_cpuid(__vm_vcpu_add(vm, 0));
	kvm_vm_free(vm);
	return cpuid;
}

/*
 * Note that what differs between two TDs is due to @why.  A difference due to
 * configuration is another leaf's doing where the bit itself isn't reported.
 */
static void note(struct kvm_cpuid2 *a, struct kvm_cpuid2 *b, enum bit_class why)
{
	for (int i = 0; i < nr_leaves; i++) {
		struct leaf_map *m = &map[i];
		struct kvm_cpuid_entry2 *x = find(a, m->leaf, m->subleaf);
		struct kvm_cpuid_entry2 *y = find(b, m->leaf, m->subleaf);

		TEST_ASSERT(x && y, "Leaf 0x%x subleaf 0x%x comes and goes",
			    m->leaf, m->subleaf);
		for (int reg = 0; reg < NR_REGS; reg++) {
			u32 diff = regs_of(x)[reg] ^ regs_of(y)[reg];

			if (why == CONFIG) {
				m->by[OTHER][reg] |= diff & ~m->reported[reg];
				diff &= m->reported[reg];
			}
			m->by[why][reg] |= diff;
		}
	}
}

static int count_bits(const struct wish *w)
{
	int n = 0;

	for (int i = 0; i < caps->cpuid.nent; i++)
		for (int reg = 0; reg < NR_REGS; reg++)
			n += __builtin_popcount(w->reg[i][reg]);
	return n;
}

/* The first @nr bits of a wish, or all but these. */
static struct wish part(const struct wish *w, int nr, bool first)
{
	struct wish out = *w;

	for (int i = 0; i < caps->cpuid.nent; i++) {
		for (int reg = 0; reg < NR_REGS; reg++) {
			u32 kept = 0;

			for (int bit = 0; bit < 32; bit++)
				if (w->reg[i][reg] & BIT(bit) && (nr-- > 0) == first)
					kept |= BIT(bit);
			out.reg[i][reg] = kept;
		}
	}
	return out;
}

/* A wish that is refused may be granted in parts. */
static void ask(const struct wish *w, struct kvm_cpuid2 *unasked)
{
	struct kvm_cpuid2 *cpuid = try_td(w);
	int nr = count_bits(w);
	struct wish half;

	if (cpuid) {
		note(unasked, cpuid, CONFIG);
		free(cpuid);
	} else if (nr > 1) {
		half = part(w, nr / 2, true);
		ask(&half, unasked);
		half = part(w, nr / 2, false);
		ask(&half, unasked);
	}
}

/* All that is reported of @pattern, but the topology, which is all or nothing. */
static struct wish all(u64 xfam, u32 pattern)
{
	struct wish w = nothing(xfam);

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];

		if (e->function == TOPOLOGY_LEAF)
			continue;
		for (int reg = 0; reg < NR_REGS; reg++)
			w.reg[i][reg] = regs_of(e)[reg] & pattern;
		if (e->function == WIDTH_LEAF)
			w.reg[i][KVM_CPUID_EAX] &= ~GENMASK(23, 16);
	}
	return w;
}

/* Threads and cores, in levels of as many processors as is said. */
static struct kvm_cpuid2 *try_topology(u32 shift, u32 nr)
{
	struct wish w = nothing(0);

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];

		if (e->function != TOPOLOGY_LEAF || e->index > 1)
			continue;
		w.reg[i][KVM_CPUID_EAX] = shift;
		w.reg[i][KVM_CPUID_EBX] = nr;
		w.reg[i][KVM_CPUID_ECX] = (e->index + 1) << 8 | e->index;
	}
	return try_td(&w);
}

static void ask_topology(void)
{
	struct kvm_cpuid2 *a = try_topology(0x15, 0x5555);
	struct kvm_cpuid2 *b = try_topology(0x0a, 0xaaaa);

	if (a)
		note(base, a, CONFIG);
	if (b)
		note(base, b, CONFIG);
	if (a && b)
		note(a, b, CONFIG);
	free(a);
	free(b);
}

static void ask_one(struct wish w, enum bit_class why)
{
	struct kvm_cpuid2 *cpuid = try_td(&w);

	if (cpuid)
		note(base, cpuid, why);
	free(cpuid);
}

/*
 * Running
 */

enum pass {
	PASS_START, PASS_NO_OSXSAVE, PASS_LEAST_XCR0, PASS_XCR0, PASS_PKE,
	PASS_TOPOLOGY, PASS_REDUCE_VE, NR_PASSES
};

/* In memory that host and guest share. */
struct survey {
	u64 xcr0;
	bool pku;
	int nr;
	struct {
		u32 leaf, subleaf;
		u32 reg[NR_REGS];
		u8 vector;
	} leaf[MAX_LEAVES];
};

static void guest_survey(struct survey *s)
{
	struct tdx_ve_info ve;

	for (int pass = 0; pass < NR_PASSES; pass++) {
		u64 status = 0;

		switch (pass) {
		case PASS_NO_OSXSAVE:
			set_cr4(get_cr4() & ~X86_CR4_OSXSAVE);
			break;
		case PASS_LEAST_XCR0:
			set_cr4(get_cr4() | X86_CR4_OSXSAVE);
			xsetbv(0, XFEATURE_MASK_FP | XFEATURE_MASK_SSE);
			break;
		case PASS_XCR0:
			xsetbv(0, s->xcr0);
			break;
		case PASS_PKE:
			if (s->pku)
				set_cr4(get_cr4() | X86_CR4_PKE);
			break;
		case PASS_TOPOLOGY:
			status = tdg_vm_wr(TDX_MD_TD_CTLS, TDX_TD_CTLS_ENUM_TOPOLOGY,
					   TDX_TD_CTLS_ENUM_TOPOLOGY);
			break;
		case PASS_REDUCE_VE:
			status = tdg_vm_wr(TDX_MD_TD_CTLS, TDX_TD_CTLS_REDUCE_VE,
					   TDX_TD_CTLS_REDUCE_VE);
			break;
		}
		/* What the module doesn't have changes nothing. */
		if (status)
			continue;

		for (int i = 0; i < s->nr; i++) {
			s->leaf[i].vector = tdx_cpuid_safe(s->leaf[i].leaf,
							   s->leaf[i].subleaf,
							   s->leaf[i].reg);
			if (s->leaf[i].vector)
				GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
		}
		GUEST_SYNC(pass);
	}
	GUEST_DONE();
}

/* All that changes with CR4 and XCR0 alone, for a case of its own. */
static u32 changed_by_state[MAX_LEAVES][NR_REGS];

static void note_survey(struct survey *s, struct kvm_cpuid2 *cpuid, u64 pass)
{
	for (int i = 0; i < s->nr; i++) {
		struct leaf_map *m = find_map(s->leaf[i].leaf, s->leaf[i].subleaf);
		struct kvm_cpuid_entry2 *e = find(cpuid, m->leaf, m->subleaf);

		if (s->leaf[i].vector) {
			m->ve |= pass == PASS_START;
			continue;
		}
		for (int reg = 0; reg < NR_REGS; reg++) {
			u32 diff = s->leaf[i].reg[reg] ^ regs_of(e)[reg];

			/* KVM's way to show the width, whatever the module does. */
			if (m->leaf == WIDTH_LEAF && reg == KVM_CPUID_EAX)
				diff &= ~GENMASK(23, 16);
			m->by[RUNTIME][reg] |= diff;
			if (pass < PASS_TOPOLOGY)
				changed_by_state[m - map][reg] |= diff;
		}
	}
}

static void run_td(void)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 0);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	int nr_vcpus = has_two_cpus(vm) ? 2 : 1;
	struct kvm_vcpu *vcpus[2];
	struct kvm_cpuid2 *cpuid;
	struct survey *s;
	struct ucall uc;
	gva_t gva;

	init->xfam = caps->supported_xfam;
	tdx_init_vm(vm, init);
	free(init);

	gva = vm_alloc_shared(vm, sizeof(*s), KVM_UTIL_MIN_VADDR,
			      MEM_REGION_TEST_DATA);
	for (int i = 0; i < nr_vcpus; i++) {
		vcpus[i] = vm_vcpu_add(vm, i, guest_survey);
		vcpu_args_set(vcpus[i], 1, gva);
	}
	cpuid = tdx_get_cpuid(vcpus[0]);
	tdx_vm_finalize(vm);

	s = addr_gva2hva(vm, gva);
	s->nr = nr_leaves;
	s->pku = kvm_cpuid_has(cpuid, X86_FEATURE_PKU);
	s->xcr0 = find(cpuid, 0xd, 0)->eax | (u64)find(cpuid, 0xd, 0)->edx << 32;
	for (int i = 0; i < nr_leaves; i++) {
		s->leaf[i].leaf = map[i].leaf;
		s->leaf[i].subleaf = map[i].subleaf;
	}

	/* The second one has another APIC id, and finds the controls set. */
	for (int i = 0; i < nr_vcpus; i++)
		while (vcpu_run_to_ucall(vcpus[i], &uc) == UCALL_SYNC)
			note_survey(s, cpuid, i ? NR_PASSES : uc.args[1]);

	free(cpuid);
	kvm_vm_free(vm);
}

static void draw_map(void)
{
	/* States that come in groups, with what they need. */
	static const u64 states[] = {
		XFEATURE_MASK_YMM, XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512,
		XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL,
		XFEATURE_MASK_XTILE,
	};
	static const u32 patterns[] = { ~0u, 0x55555555, 0xaaaaaaaa };
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct wish w = nothing(0);

	caps = tdx_capabilities(vm);
	kvm_vm_free(vm);

	base = try_td(&w);
	TEST_ASSERT(base, "A TD that asks for nothing is refused");
	w.xfam = caps->supported_xfam;
	base_xfam = try_td(&w);
	TEST_ASSERT(base_xfam, "A TD with XFAM 0x%llx is refused", caps->supported_xfam);

	for (nr_leaves = 0; nr_leaves < base->nent; nr_leaves++) {
		struct kvm_cpuid_entry2 *e = &base->entries[nr_leaves];
		struct kvm_cpuid_entry2 *can =
			find(&caps->cpuid, e->function, e->index);
		struct leaf_map *m = &map[nr_leaves];

		m->leaf = e->function;
		m->subleaf = e->index;
		m->has_subleaves = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		memcpy(m->value, regs_of(e), sizeof(m->value));
		if (can)
			memcpy(m->reported, regs_of(can), sizeof(m->reported));
	}

	note(base, base_xfam, XFAM);
	for (int i = 0; i < ARRAY_SIZE(states); i++)
		if ((caps->supported_xfam & states[i]) == states[i])
			ask_one(nothing(states[i]), XFAM);

	for (u64 bit = 1; bit; bit <<= 1) {
		w = nothing(0);
		w.attributes = bit;
		if (caps->supported_attrs & bit)
			ask_one(w, ATTRIBUTES);
	}

	for (int i = 0; i < ARRAY_SIZE(patterns); i++) {
		w = all(caps->supported_xfam, patterns[i]);
		ask(&w, base_xfam);
	}
	ask_topology();

	w = nothing(0);
	w.width = 52;
	ask_one(w, CONFIG);

	w = nothing(0);
	w.tsc_khz = 1000000;
	ask_one(w, OTHER);

	run_td();
}

/*
 * Printing
 */

static void print_table(void)
{
	for (int i = 0; i < NR_CLASSES; i++)
		printf("%c  %s\n", classes[i].letter, classes[i].text);
	printf("*  the guest gets #VE, and has to ask KVM\n\n%-22s %s\n", "",
	       "31      24 23      16 15       8 7        0");

	for (int i = 0; i < nr_leaves; i++) {
		for (int reg = 0; reg < NR_REGS; reg++) {
			printf("%08x.%02x%c %s 0x%08x ", map[i].leaf,
			       map[i].subleaf, map[i].ve ? '*' : ' ',
			       reg_names[reg], map[i].value[reg]);
			for (int bit = 31; bit >= 0; bit--)
				printf("%c%s", classes[class_of(&map[i], reg, bit)].letter,
				       bit && bit % 8 == 0 ? "   " : "");
			printf("\n");
		}
	}
}

/* Each register as a mask per class. */
static void print_json(void)
{
	printf("{\n  \"xfam\": \"0x%llx\", \"attributes\": \"0x%llx\",\n  \"leaves\": [\n",
	       caps->supported_xfam, caps->supported_attrs);
	for (int i = 0; i < nr_leaves; i++) {
		printf("    { \"leaf\": \"0x%x\", \"subleaf\": ", map[i].leaf);
		if (map[i].has_subleaves)
			printf("%u", map[i].subleaf);
		else
			printf("null");
		printf(", \"ve\": %s", map[i].ve ? "true" : "false");
		for (int reg = 0; reg < NR_REGS; reg++) {
			u32 mask[NR_CLASSES] = {};

			for (int bit = 0; bit < 32; bit++)
				mask[class_of(&map[i], reg, bit)] |= BIT(bit);
			printf(",\n      \"%s\": { \"value\": \"0x%08x\"",
			       reg_names[reg], map[i].value[reg]);
			for (int j = 0; j < NR_CLASSES; j++)
				if (mask[j])
					printf(", \"%s\": \"0x%08x\"",
					       classes[j].name, mask[j]);
			printf(" }");
		}
		printf(" }%s\n", i < nr_leaves - 1 ? "," : "");
	}
	printf("  ]\n}\n");
}

/* A square for each bit. */
static void print_html(void)
{
	printf("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>CPUID of a TD</title>\n"
	       "<style>\nbody { font: 12px monospace }\ntable { border-spacing: 1px }\n"
	       "td.b, span { width: 12px; height: 12px; display: inline-block }\n"
	       "td.b { display: table-cell }\n");
	for (int i = 0; i < NR_CLASSES; i++)
		printf(".%s { background: %s }\n", classes[i].name, classes[i].colour);
	printf("</style>\n<h1>CPUID of a TD</h1>\n<p>");
	for (int i = 0; i < NR_CLASSES; i++)
		printf("<span class=\"%s\"></span> %s<br>\n", classes[i].name,
		       classes[i].text);
	printf("* the guest gets #VE, and has to ask KVM</p>\n<table>\n");

	for (int i = 0; i < nr_leaves; i++) {
		for (int reg = 0; reg < NR_REGS; reg++) {
			printf("<tr><td>%x.%x%s %s</td>", map[i].leaf, map[i].subleaf,
			       map[i].ve ? "*" : "", reg_names[reg]);
			for (int bit = 31; bit >= 0; bit--) {
				enum bit_class c = class_of(&map[i], reg, bit);

				printf("<td class=\"b %s\" title=\"%d: %s\"></td>",
				       classes[c].name, bit, classes[c].text);
			}
			printf("</tr>\n");
		}
	}
	printf("</table>\n");
}

/*
 * Checking
 */

static enum bit_class class_of_feature(struct kvm_x86_cpu_feature f)
{
	struct leaf_map *m = find_map(f.function, f.index);

	TEST_ASSERT(m, "No leaf 0x%x subleaf 0x%x", f.function, f.index);
	return class_of(m, f.reg, f.bit);
}

#define ASSERT_CLASS(feature, class)					\
do {									\
	enum bit_class __is = class_of_feature(feature);		\
									\
	TEST_ASSERT(__is == (class), #feature ": wanted %s, is %s",	\
		    classes[class].name, classes[__is].name);		\
} while (0)

/* Configurable bits that make no difference, as KVM doesn't let them. */
static u32 out_of_reach(u32 leaf, int reg)
{
	switch (leaf) {
	case 0xa:
	case 0x19:
	case 0x1c:
	case 0x23:
		/* About states that no TD has: the PMU, Key Locker, LBRs */
		return ~0u;
	case WIDTH_LEAF:
		/*
		 * The widths of physical addresses take a flag that KVM doesn't
		 * set, and EPT of 5 levels.
		 */
		return reg == KVM_CPUID_EAX ? GENMASK(7, 0) | GENMASK(23, 16) : 0;
	case TOPOLOGY_LEAF:
		/* A topology has to make sense, so not every bit is free. */
		return ~0u;
	default:
		return 0;
	}
}

TEST(what_kvm_reports_can_be_had)
{
	int bad = 0;

	for (int i = 0; i < nr_leaves; i++) {
		for (int reg = 0; reg < NR_REGS; reg++) {
			u32 bits = map[i].reported[reg] & ~map[i].by[CONFIG][reg] &
				   ~out_of_reach(map[i].leaf, reg);

			if (!bits)
				continue;
			ksft_print_msg("CPUID 0x%x.%u %s: 0x%08x is configurable without effect\n",
				       map[i].leaf, map[i].subleaf, reg_names[reg], bits);
			bad++;
		}
	}
	TEST_ASSERT(!bad, "KVM reports bits that can't be had");
}

TEST(what_kvm_reports_has_a_leaf)
{
	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];

		TEST_ASSERT(find_map(e->function, e->index),
			    "Leaf 0x%x subleaf 0x%x is configurable, and KVM_TDX_GET_CPUID lacks it",
			    e->function, e->index);
	}
}

TEST(what_kvm_does_not_report_is_refused)
{
	u64 hw_error;

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];
		struct wish w = nothing(caps->supported_xfam);
		struct kvm_vm *vm;
		int reg = 0;

		/* The lowest bit that is not to be had in this leaf. */
		while (reg < NR_REGS && !~regs_of(e)[reg])
			reg++;
		if (reg == NR_REGS)
			continue;
		w.reg[i][reg] = ~regs_of(e)[reg] & (regs_of(e)[reg] + 1);

		vm = create_td(&w, &hw_error);
		TEST_ASSERT(!vm && errno == EINVAL &&
			    (hw_error & TDX_SEAMCALL_STATUS_MASK) == TDX_OPERAND_INVALID,
			    "CPUID 0x%x.%u %s: 0x%x was not refused, errno %d, module 0x%lx",
			    e->function, e->index, reg_names[reg], w.reg[i][reg],
			    errno, (unsigned long)hw_error);
	}
}

TEST(what_was_asked_for_is_there)
{
	struct wish w = all(caps->supported_xfam, 0x55555555);
	struct kvm_cpuid2 *cpuid = try_td(&w);

	if (!cpuid)
		SKIP(return, "the TDX module has rules that this pattern breaks");

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];
		struct leaf_map *m = find_map(e->function, e->index);
		struct kvm_cpuid_entry2 *got = find(cpuid, e->function, e->index);

		for (int reg = 0; reg < NR_REGS; reg++) {
			u32 mask = m->by[CONFIG][reg] &
				   ~out_of_reach(e->function, reg);

			TEST_ASSERT((regs_of(got)[reg] & mask) == (w.reg[i][reg] & mask),
				    "CPUID 0x%x.%u %s: asked for 0x%08x, got 0x%08x, of 0x%08x",
				    e->function, e->index, reg_names[reg],
				    w.reg[i][reg], regs_of(got)[reg], mask);
		}
	}
	free(cpuid);
}

TEST(same_parameters_give_the_same)
{
	struct wish w = nothing(0);
	struct kvm_cpuid2 *again = try_td(&w);

	TEST_ASSERT(again, "A TD that asks for nothing is refused");
	TEST_ASSERT_EQ(again->nent, base->nent);
	for (int i = 0; i < base->nent; i++) {
		struct kvm_cpuid_entry2 *a = &base->entries[i];
		struct kvm_cpuid_entry2 *b = &again->entries[i];

		TEST_ASSERT(!memcmp(a, b, sizeof(*a)),
			    "Leaf 0x%x subleaf 0x%x: %x %x %x %x, then leaf 0x%x subleaf 0x%x: %x %x %x %x",
			    a->function, a->index, a->eax, a->ebx, a->ecx, a->edx,
			    b->function, b->index, b->eax, b->ebx, b->ecx, b->edx);
	}
	free(again);
}

TEST(xfam_is_the_state_that_xsave_shows)
{
	struct kvm_cpuid_entry2 *user = find(base_xfam, 0xd, 0);
	struct kvm_cpuid_entry2 *supervisor = find(base_xfam, 0xd, 1);
	u64 shown = user->eax | (u64)user->edx << 32 | supervisor->ecx |
		    (u64)supervisor->edx << 32;
	u64 least = find(base, 0xd, 0)->eax;

	TEST_ASSERT_EQ(shown, caps->supported_xfam);
	TEST_ASSERT_EQ(least, XFEATURE_MASK_FP | XFEATURE_MASK_SSE);

	/* The size of each state that is there, of none that isn't. */
	for (int i = 2; i < 32; i++) {
		struct kvm_cpuid_entry2 *e = find(base_xfam, 0xd, i);
		u32 size = e ? e->eax : 0;

		TEST_ASSERT(!size == !(shown & BIT_ULL(i)),
			    "State %d has %u bytes, XFAM is 0x%lx", i, size,
			    (unsigned long)shown);
	}
}

TEST(attributes_change_nothing)
{
	/* Those that KVM allows are no features. */
	for (int i = 0; i < nr_leaves; i++)
		for (int reg = 0; reg < NR_REGS; reg++)
			TEST_ASSERT(!map[i].by[ATTRIBUTES][reg],
				    "CPUID 0x%x.%u %s: 0x%x follows attributes",
				    map[i].leaf, map[i].subleaf, reg_names[reg],
				    map[i].by[ATTRIBUTES][reg]);
}

TEST(tsc_frequency_changes_its_leaf_only)
{
	struct wish w = nothing(0);
	struct kvm_cpuid2 *cpuid;

	w.tsc_khz = 1000000;
	cpuid = try_td(&w);
	if (!cpuid)
		SKIP(return, "the TSC of this host's guests can't be chosen");

	for (int i = 0; i < nr_leaves; i++) {
		struct kvm_cpuid_entry2 *e = find(cpuid, map[i].leaf, map[i].subleaf);

		if (e->function == TSC_LEAF)
			TEST_ASSERT_EQ((u64)e->ecx * e->ebx / e->eax, 1000000000ull);
		else
			TEST_ASSERT(!memcmp(regs_of(e), map[i].value,
					    sizeof(map[i].value)),
				    "Leaf 0x%x subleaf 0x%x depends on the TSC's frequency",
				    e->function, e->index);
	}
	free(cpuid);
}

TEST(no_bit_changes_unknown_to_kvm)
{
	/* What KVM updates at run time in its own table, for any VM. */
	for (int i = 0; i < nr_leaves; i++) {
		u32 known[NR_REGS] = {};

		switch (map[i].leaf) {
		case 1:
			known[KVM_CPUID_EBX] = GENMASK(31, 24);	/* APIC id */
			known[KVM_CPUID_ECX] = BIT((X86_FEATURE_OSXSAVE).bit);
			break;
		case 7:
			known[KVM_CPUID_ECX] = BIT((X86_FEATURE_OSPKE).bit);
			break;
		case 0xb:
		case TOPOLOGY_LEAF:
			known[KVM_CPUID_ECX] = GENMASK(7, 0);	/* subleaf */
			known[KVM_CPUID_EDX] = ~0u;		/* APIC id */
			break;
		case 0xd:
			if (map[i].subleaf < 2)
				known[KVM_CPUID_EBX] = ~0u;
			break;
		case 0x80000001:
			known[KVM_CPUID_EDX] = BIT(11);		/* SYSCALL */
			break;
		}
		for (int reg = 0; reg < NR_REGS; reg++)
			TEST_ASSERT(!(changed_by_state[i][reg] & ~known[reg]),
				    "CPUID 0x%x.%u %s: 0x%x changes with CR4 or XCR0",
				    map[i].leaf, map[i].subleaf, reg_names[reg],
				    changed_by_state[i][reg] & ~known[reg]);
	}
}

TEST(cr4_and_xcr0_change_what_they_should)
{
	ASSERT_CLASS(X86_FEATURE_OSXSAVE, RUNTIME);
	TEST_ASSERT(changed_by_state[find_map(0xd, 0) - map][KVM_CPUID_EBX] ||
		    caps->supported_xfam == (XFEATURE_MASK_FP | XFEATURE_MASK_SSE),
		    "The size of XSAVE's area doesn't follow XCR0");
	if (caps->supported_xfam & XFEATURE_MASK_PKRU)
		ASSERT_CLASS(X86_FEATURE_OSPKE, RUNTIME);
}

TEST(what_every_td_has_is_fixed_1)
{
	ASSERT_CLASS(X86_FEATURE_X2APIC, FIXED_1);
	ASSERT_CLASS(X86_FEATURE_APIC, FIXED_1);
	ASSERT_CLASS(X86_FEATURE_XSAVE, FIXED_1);
	ASSERT_CLASS(X86_FEATURE_HYPERVISOR, FIXED_1);
	ASSERT_CLASS(X86_FEATURE_LM, FIXED_1);
	ASSERT_CLASS(X86_FEATURE_NX, FIXED_1);
	ASSERT_CLASS(X86_FEATURE_INVTSC, FIXED_1);
}

TEST(what_no_td_has_is_fixed_0)
{
	ASSERT_CLASS(X86_FEATURE_VMX, FIXED_0);
	ASSERT_CLASS(X86_FEATURE_SMX, FIXED_0);
	ASSERT_CLASS(X86_FEATURE_SGX, FIXED_0);
	ASSERT_CLASS(X86_FEATURE_TSC_ADJUST, FIXED_0);

	/* KVM's doing: the module would let them be configured. */
	ASSERT_CLASS(X86_FEATURE_HLE, FIXED_0);
	ASSERT_CLASS(X86_FEATURE_RTM, FIXED_0);
	ASSERT_CLASS(KVM_X86_CPU_FEATURE(0x7, 0, ECX, 5), FIXED_0);
}

int main(int argc, char *argv[])
{
	static const struct {
		const char *option;
		void (*print)(void);
	} formats[] = {
		{ "--table", print_table }, { "--json", print_json },
		{ "--html", print_html },
	};

	TEST_REQUIRE(is_tdx_supported());

	/* Once for all cases, which run in processes of their own. */
	draw_map();

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
