// SPDX-License-Identifier: GPL-2.0
/* Rules: what makes a module differ from its release. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "tests.h"

enum { EAX, EBX, ECX, EDX };

#define TDX_FEATURES0		0x0A00000300000008
#define BUILD_NUM		0x0800000100000002
#define MINOR_VERSION		0x0800000100000003
#define NUM_CPUID_CONFIG	0x9900000100000004
#define CPUID_CONFIG_LEAVES	0x9900000300000400
#define CPUID_CONFIG_VALUES	0x9900000300000500
#define XFAM_FIXED0		0x1900000300000002
#define TD_CTLS			0x1110000300000017

/* A profile with rules from a file, which need not outlive it. */
static bool parse(const char *release, const char *rules, struct tdx_profile *p,
		  char **error)
{
	g_autofree char *path = NULL, *text = NULL;
	int fd = g_file_open_tmp(NULL, &path, NULL);
	bool ok;

	g_assert_cmpint(fd, >=, 0);
	close(fd);
	g_assert_true(g_file_set_contents(path, rules, -1, NULL));
	text = g_strdup_printf("%s,rules=%s", release, path);
	ok = tdx_profile_parse(text, p, error);
	g_unlink(path);
	return ok;
}

/* A world at @step whose module follows the rules. */
static struct world *world(const char *release, const char *rules, enum step step)
{
	struct world *w = world_new(release);
	char *error;

	if (!parse(release, rules, &w->profile, &error))
		g_error("%s", error);
	world_restart(w);
	world_to(w, step);
	return w;
}

static uint64_t sys_rd(struct world *w, uint64_t id)
{
	check_status(seamcall(w, SYS_RD, .rdx = id), 0);
	return w->regs[TDX_R8];
}

static const uint32_t *cpuid(struct world *w, uint32_t leaf, uint32_t subleaf)
{
	const struct tdx_cpuid_env env = { .xcr0 = 3, .long_mode = true };
	static uint32_t out[4];

	g_assert_cmpint(tdx_cpuid(w->vcpu, &env, leaf, subleaf, out), ==, TDX_DONE);
	return out;
}

static enum tdx_outcome cpuid_outcome(struct world *w, uint32_t leaf)
{
	const struct tdx_cpuid_env env = { .xcr0 = 3, .long_mode = true };
	uint32_t out[4];

	return tdx_cpuid(w->vcpu, &env, leaf, 0, out);
}

static void numbers(void)
{
	struct tdx_profile p, release;
	char *error;

	g_assert_true(tdx_profile_parse("1.5.28", &release, &error));
	g_assert_true(parse("1.5.28",
			    "# a comment, and an empty line\n\n"
			    "version 1 6 7\n"
			    "profile features0 0x1 0x8000000000000000\n"
			    "profile attributes 0xffffffffffffffff 0x10000000\n"
			    "profile max-vcpus 0xffff 9\n"
			    "profile tdx-keyids 0xff 5\n"
			    "profile ept-5-levels 1 1\n"
			    "profile cpu-model 0xff 0x8f\n"
			    "profile tsc-num 0xffffffff 11\n"
			    "profile tsc-den 0xffffffff 5\n", &p, &error));
	g_assert_cmpuint(p.major, ==, 1);
	g_assert_cmpuint(p.minor, ==, 6);
	g_assert_cmpuint(p.update, ==, 7);
	g_assert_cmphex(p.features0, ==, (release.features0 & ~1ull) | 1ull << 63);
	g_assert_cmphex(p.attributes, ==, 0x10000000);
	g_assert_cmphex(p.config_flags, ==, release.config_flags);
	g_assert_cmphex(p.td_ctls, ==, release.td_ctls);
	g_assert_cmpuint(p.max_vcpus, ==, 9);
	g_assert_cmpuint(p.tdcs_pages, ==, release.tdcs_pages);
	g_assert_cmpuint(p.num_tdx_keyids, ==, 5);
	g_assert_true(p.ept_5_levels);
	g_assert_cmphex(p.cpu_model, ==, 0x8f);
	g_assert_cmpuint(p.tsc_num, ==, 11);
	g_assert_cmpuint(p.tsc_den, ==, 5);
	tdx_profile_clear(&p);
}

static void wrong(void)
{
	static const char *const lines[] = {
		"nonsense", "nonsense 1", " version 1 5 6", "version 1 5", "version 1 5 6 7",
		"version 1 5 0x10000", "version 1 5 -1", "version 1 5 x", "version 1  5 6",
		"profile nonsense 0 0", "profile features0 0", "profile features0 0 0 0",
		"profile features0 0 0x10000000000000000", "profile max-vcpus 0xffff 0",
		"profile max-vcpus 0 0x10000", "profile tdx-keyids 0xff 1",
		"profile tdx-keyids 0xff 33", "profile ept-5-levels 0 2",
		"profile tsc-den 0xffffffff 0", "profile tdcs-pages 0 1",
		"cpu 1 0 EAX 0", "cpu 1 0 RAX 0 0", "cpu 1 0 eax 0 0", "cpu 1 0 EAX 0 0x100000000",
		"cpuid 1 0 ECX 0 fixed 0", "cpuid 1 0 ECX 1 fixed", "cpuid 1 0 ECX 1 fixed 2",
		"cpuid 1 0 ECX 1 configured 1", "cpuid 1 0 ECX 1 nonsense 1", "cpuid 1 0 ECX 1",
		"cpuid 1 0 ECX 1 xfam", "cpuid 1 0 ECX 1 attributes",
		"faults 0x22222222 0 always", "faults 1 0", "faults 1 0 never",
		"last-levels 2", "last-levels", "last-levels 0 0",
		"msr 2 1 0 0", "msr 0 1 0", "msr 0 1 0 0 0 0", "msr 0 1 0 x",
		"instruction HLT", "instruction HLT NOP", "instruction NOP HLT",
		"field 1", "field 1 2 3", "field x 1",
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autofree char *text = g_strdup_printf("\n%s\n", lines[i]), *error = NULL;
		g_autofree char *says = g_strdup_printf("line 2 is no rule: '%s'", lines[i]);
		struct tdx_profile p;

		if (parse("2.0.08", text, &p, &error) || !strstr(error, says))
			g_error("%s: %s", lines[i], error);
		tdx_profile_clear(&p);
	}
}

static void no_file(void)
{
	static const struct { const char *text, *says; } rows[] = {
		{ "2.0.08,rules=/no/such/file", "No such file" },
		{ "2.0.08,rules=", "'rules' wants a file" },
		{ "2.0.08,rules", "'rules' wants a file" },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *error = NULL;
		struct tdx_profile p;

		g_assert_false(tdx_profile_parse(rows[i].text, &p, &error));
		g_assert_nonnull(strstr(error, rows[i].says));
		tdx_profile_clear(&p);
	}
}

static void cpu_leaves(void)
{
	uint32_t out[4] = { 0xff, 0xff, 0xff, 0xff };
	struct tdx_profile p;
	char *error;

	g_assert_true(parse("2.0.08", "cpu 1 0 EBX 0xf0 0x1000\ncpu 7 1 EDX 0xff 2\n"
				      "cpu 7 1 EDX 0xff 1\n", &p, &error));
	tdx_profile_cpuid(&p, 1, 0x1234, out);
	g_assert_cmphex(out[EAX], ==, 0xff);
	g_assert_cmphex(out[EBX], ==, 0x100f);
	g_assert_cmphex(out[ECX], ==, 0xff);
	out[EBX] = 0xff;
	tdx_profile_cpuid(&p, 7, 0, out);
	g_assert_cmphex(out[EDX], ==, 0xff);
	tdx_profile_cpuid(&p, 7, 1, out);
	g_assert_cmphex(out[EBX], ==, 0xff);
	g_assert_cmphex(out[EDX], ==, 1);
	tdx_profile_clear(&p);
}

/* Leaf 7: UMIP becomes 1, WAITPKG 0, and their neighbours stay. */
static void fixed(void)
{
	struct world *w = world("1.5.06", "cpuid 7 0 ECX 0x24 fixed 4\n", ENTERED);
	struct world *plain = world("1.5.06", "", ENTERED);
	uint32_t before[4];

	memcpy(before, cpuid(plain, 7, 0), sizeof(before));
	g_assert_cmphex(cpuid(w, 7, 0)[ECX], ==, (before[ECX] & ~0x20u) | 4);
	g_assert_cmphex(cpuid(w, 7, 0)[EBX], ==, before[EBX]);
	g_assert_cmphex(cpuid(w, 7, 0)[EDX], ==, before[EDX]);
	world_free(plain);
	world_free(w);
}

/* A field of several bits, of which one gets another value. */
static void part_of_a_field(void)
{
	struct world *w = world("1.5.06", "cpuid 0x15 0 ECX 0x40 fixed 0\n", ENTERED);

	g_assert_cmphex(cpuid(w, 0x15, 0)[ECX], ==, 25000000 & ~0x40u);
	g_assert_cmphex(cpuid(w, 0x15, 0)[EAX], ==, 1);
	world_free(w);
}

/* Bits of leaf 0x20, which has no slot, become configurable. */
static void configured(void)
{
	struct world *w = world("1.5.06", "cpuid 0x20 0 EBX 0xf configured\n", TDCS_DONE);
	unsigned int last = sys_rd(w, NUM_CPUID_CONFIG) - 1;

	g_assert_cmpuint(last, ==, 18);
	g_assert_cmphex((uint32_t)sys_rd(w, CPUID_CONFIG_LEAVES + last), ==, 0x20);
	g_assert_cmphex(sys_rd(w, CPUID_CONFIG_VALUES + 2 * last), ==, 0xf00000000);
	w->params.cpuid[last][EBX] = 0x9;
	world_through(w, INITIALIZED, ENTERED);
	g_assert_cmphex(cpuid(w, 0x20, 0)[EBX], ==, 9);
	world_free(w);
}

static void conditional(void)
{
	const char *rules = "cpuid 0x20 0 EAX 0x3 xfam 0x4\n"
			    "cpuid 0x20 0 EDX 0x4 attributes 0x10000000\n";
	struct world *w = world("1.5.06", rules, ENTERED);

	g_assert_cmphex(cpuid(w, 0x20, 0)[EAX], ==, 0);
	g_assert_cmphex(cpuid(w, 0x20, 0)[EDX], ==, 0);
	world_free(w);

	w = world("1.5.06", rules, TDCS_DONE);
	w->params.xfam |= 4;
	w->params.attributes = TD_ATTR_SEPT_VE_DISABLE;
	world_through(w, INITIALIZED, ENTERED);
	g_assert_cmphex(cpuid(w, 0x20, 0)[EAX], ==, 3);
	g_assert_cmphex(cpuid(w, 0x20, 0)[EDX], ==, 4);
	world_free(w);
}

static void no_xfam(void)
{
	struct world *w = world("1.5.06", "profile xfam-lacks 0 0x204\n", ENTERED);
	struct world *plain = world("1.5.06", "", ENTERED);

	g_assert_cmphex(sys_rd(w, XFAM_FIXED0), ==, sys_rd(plain, XFAM_FIXED0) & ~0x204ull);
	world_free(plain);
	world_free(w);
}

/* Leaf 0x11 faults where leaf 0xc does: without REDUCE_VE. */
static void faults(void)
{
	struct world *w = world("2.0.08", "faults 0x11 0 0xc\nfaults 0x12 0 always\n", ENTERED);

	g_assert_cmpint(cpuid_outcome(w, 0x11), ==, TDX_VE);
	g_assert_cmpint(cpuid_outcome(w, 0x12), ==, TDX_VE);
	g_assert_cmpint(cpuid_outcome(w, 0x13), ==, TDX_DONE);
	check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS, .r8 = TD_CTLS_REDUCE_VE,
			    .r9 = TD_CTLS_REDUCE_VE), 0);
	g_assert_cmpint(cpuid_outcome(w, 0x11), ==, TDX_DONE);
	g_assert_cmpint(cpuid_outcome(w, 0x12), ==, TDX_VE);
	world_free(w);
}

/* A leaf that the release lacks. */
static void another_leaf(void)
{
	struct world *w = world("1.5.06", "cpuid 0x16 0 EAX 0xffffffff fixed 0x7d0\n"
					  "faults 0x16 0 1\n", ENTERED);

	g_assert_cmphex(cpuid(w, 0x16, 0)[EAX], ==, 0x7d0);
	g_assert_cmphex(cpuid(w, 0x16, 0)[EBX], ==, 0);
	g_assert_cmpint(cpuid_outcome(w, 0x17), ==, TDX_VE);
	world_free(w);
}

static void last_levels(void)
{
	static const struct { const char *release, *rules; uint32_t ecx; } rows[] = {
		{ "1.5.06", "", 0 }, { "1.5.06", "last-levels 1\n", 2 },
		{ "2.0.08", "", 2 }, { "2.0.08", "last-levels 0\n", 0 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world(rows[i].release, rows[i].rules, TDCS_DONE);

		world_through(w, INITIALIZED, ENTERED);
		check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS, .r8 = TD_CTLS_ENUM_TOPOLOGY,
				    .r9 = TD_CTLS_ENUM_TOPOLOGY), 0);
		g_assert_cmphex(cpuid(w, 0xb, 2)[ECX], ==, rows[i].ecx);
		world_free(w);
	}
}

static void too_many(void)
{
	g_autoptr(GString) leaves = g_string_new(NULL), slots = g_string_new(NULL);
	g_autofree char *error = NULL, *other = NULL;
	struct tdx_profile p;
	unsigned int i;

	for (i = 0; i < 128; i++)
		g_string_append_printf(leaves, "cpuid 7 %u EAX 1 fixed 1\n", 100 + i);
	g_assert_false(parse("1.5.06", leaves->str, &p, &error));
	tdx_profile_clear(&p);
	for (i = 0; i < 31; i++)
		g_string_append_printf(slots, "cpuid 0xd %u EDX 1 configured\n", i);
	g_assert_false(parse("1.5.06", slots->str, &p, &other));
	tdx_profile_clear(&p);
}

static void msrs(void)
{
	struct world *w = world("1.5.06",
				/* as SMBASE and PAT; as PAT and SMBASE; as XAPIC_DISABLE_STATUS */
				"msr 0x1f8 0x1f9 0x9e 0x277\nmsr 0x1fa 0x1fa 0x277 0x9e\n"
				"msr 0x300 0x302 0xbd 0xbd 0x42\nmsr 0x301 0x301 0x17 0x17 7\n"
				"msr 0x480 0x480 0x480 0x480 0x1234\n", ENTERED);
	static const struct {
		uint32_t msr;
		enum tdx_outcome read, write;
		uint64_t value;		/* if it is read */
	} rows[] = {
		{ 0x1f7, TDX_VE, TDX_VE }, { 0x1f8, TDX_GP, TDX_NATIVE },
		{ 0x1f9, TDX_GP, TDX_NATIVE }, { 0x1fa, TDX_NATIVE, TDX_GP },
		{ 0x2ff, TDX_VE, TDX_VE }, { 0x300, TDX_DONE, TDX_GP, 0x42 },
		{ 0x301, TDX_VE, TDX_VE }, { 0x302, TDX_DONE, TDX_GP, 0x42 },
		{ 0x303, TDX_VE, TDX_VE }, { 0x480, TDX_DONE, TDX_GP, 0x1234 },
		{ 0xbd, TDX_DONE, TDX_GP, 1 },
	};
	unsigned int i;
	uint64_t value;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_assert_cmpint(tdx_rdmsr(w->vcpu, rows[i].msr, &value), ==, rows[i].read);
		if (rows[i].read == TDX_DONE)
			g_assert_cmphex(value, ==, rows[i].value);
		g_assert_cmpint(tdx_wrmsr(w->vcpu, rows[i].msr, 0), ==, rows[i].write);
	}
	world_free(w);
}

/* An MSR like IA32_DEBUGCTL has its value, too. */
static void special_msrs(void)
{
	struct world *w = world("1.5.06", "msr 0x1f8 0x1f8 0x1d9 0x1d9\n", ENTERED);
	uint64_t value;

	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x1f8, 2), ==, TDX_DONE);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x1d9, &value), ==, TDX_DONE);
	g_assert_cmphex(value, ==, 2);
	g_assert_cmpint(tdx_rdmsr(w->vcpu, 0x1f8, &value), ==, TDX_DONE);
	g_assert_cmphex(value, ==, 2);
	g_assert_cmpint(tdx_wrmsr(w->vcpu, 0x1f8, 1ull << 40), ==, TDX_GP);
	world_free(w);
}

static void instructions(void)
{
	struct world *w = world("1.5.06", "instruction HLT RSM\ninstruction VMFUNC HLT\n",
				ENTERED);

	g_assert_cmpint(tdx_instruction(w->vcpu, EXIT_HLT), ==, TDX_UD);
	g_assert_cmpint(tdx_instruction(w->vcpu, EXIT_VMFUNC), ==, TDX_VE);
	g_assert_cmpint(tdx_instruction(w->vcpu, EXIT_RSM), ==, TDX_UD);
	g_assert_cmpint(tdx_instruction(w->vcpu, EXIT_INVD), ==, TDX_VE);
	world_free(w);
}

static void fields(void)
{
	struct world *w = world("1.5.06", "field 0x0800000100000003 77\n"
					  "field 0x0800000100000002 0x123\n", ENTERED);
	bool seen = false;
	uint64_t id;

	check_status(tdcall(w, TDG_SYS_RD, .rdx = MINOR_VERSION), 0);
	g_assert_cmpuint(w->regs[TDX_R8], ==, 77);
	check_status(tdcall(w, TDG_SYS_RD, .rdx = BUILD_NUM), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, 0x123);
	check_status(tdcall(w, TDG_SYS_RD, .rdx = BUILD_NUM + (1ull << 56)),
		     STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0));

	tdcall(w, TDG_SYS_RD, .rdx = ~0ull);
	for (id = w->regs[TDX_RDX]; id != ~0ull; id = w->regs[TDX_RDX]) {
		seen |= id == BUILD_NUM;
		check_status(tdcall(w, TDG_SYS_RD, .rdx = id), 0);
	}
	g_assert_true(seen);
	world_free(w);
}

void add_rules_tests(void)
{
	g_test_add_func("/rules/a number of the profile has other bits", numbers);
	g_test_add_func("/rules/a line that is no rule is told", wrong);
	g_test_add_func("/rules/a file that can't be read is told", no_file);
	g_test_add_func("/rules/the CPU's CPUID, by leaf and subleaf", cpu_leaves);
	g_test_add_func("/rules/a bit of a TD's CPUID is fixed, and others are not", fixed);
	g_test_add_func("/rules/a bit in the middle of a field", part_of_a_field);
	g_test_add_func("/rules/a leaf becomes configurable", configured);
	g_test_add_func("/rules/a bit depends on XFAM or ATTRIBUTES", conditional);
	g_test_add_func("/rules/no TD has a bit of XFAM that the CPU has", no_xfam);
	g_test_add_func("/rules/a leaf raises #VE always, or where another does", faults);
	g_test_add_func("/rules/a leaf that the release lacks", another_leaf);
	g_test_add_func("/rules/levels that leaf 0xb lacks have a number or not", last_levels);
	g_test_add_func("/rules/there is no room for any number of leaves", too_many);
	g_test_add_func("/rules/RDMSR and WRMSR do what they do for other MSRs", msrs);
	g_test_add_func("/rules/an MSR like another has its value", special_msrs);
	g_test_add_func("/rules/an instruction does what another does", instructions);
	g_test_add_func("/rules/a metadata field has another value, or is new", fields);
}
