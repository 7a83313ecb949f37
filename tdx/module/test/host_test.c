// SPDX-License-Identifier: GPL-2.0
/*
 * What SEAMCALLs return beside their status, what TDH.VP.WR accepts, the host's
 * clock, and what the host must do with a page before it uses it again.
 */
#include <string.h>

#include "tests.h"

#define FREE_ENTRY	(1ull << 63)

static void entry_results(struct world *w)
{
	/* A free entry suppresses #VE. */
	check_status(seamcall(w, MEM_RANGE_BLOCK, .rcx = GPA_FREE, .rdx = TDR),
		     ERR(EPT_ENTRY_STATE_INCORRECT, RCX));
	g_assert_cmphex(w->regs[TDX_RCX], ==, FREE_ENTRY);
	g_assert_cmphex(w->regs[TDX_RDX], ==, SEPT_FREE);
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_ADDED, .rdx = TDR),
		     ERR(TLB_TRACKING_NOT_DONE, RCX));
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX], ==, 0);
	world_step(w, TRACKED);
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_ADDED, .rdx = TDR), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, ADDED);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
}

static void early_failure(struct world *w)
{
	static const uint64_t leaves[] = {
		MEM_PAGE_AUG, MEM_PAGE_ADD, MEM_SEPT_ADD, MEM_RANGE_BLOCK,
		MEM_PAGE_REMOVE, MR_EXTEND,
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(leaves); i++) {
		check_status(seamcall(w, leaves[i], .rcx = GPA_FREE, .rdx = FREE,
				      .r8 = FREE),
			     ERR(PAGE_METADATA_INCORRECT, RDX));
		g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX], ==, 0);
	}
	check_status(seamcall(w, MNG_INIT, .rcx = FREE, .rdx = PARAMS),
		     ERR(PAGE_METADATA_INCORRECT, RCX));
	g_assert_cmphex(w->regs[TDX_RCX], ==, 0);
	check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = 8),
		     ERR(OPERAND_INVALID, RCX));
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX] | w->regs[TDX_R8] |
			w->regs[TDX_R9] | w->regs[TDX_R10] | w->regs[TDX_R11],
			==, 0);
	check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = TDR), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, PT_TDR);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
}

static void field_ids(struct world *w)
{
	check_status(seamcall(w, MNG_RD | V(1), .rcx = TDR, .rdx = ~0ull),
		     STATUS(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0));
	g_assert_cmphex(w->regs[TDX_RDX], !=, ~0ull);
	check_status(seamcall(w, MNG_RD | V(1), .rcx = FREE,
			      .rdx = 0x1110000300000000),
		     ERR(PAGE_METADATA_INCORRECT, RCX));
	g_assert_cmphex(w->regs[TDX_RDX], ==, ~0ull);
	check_status(seamcall(w, VP_RD | V(1), .rcx = FREE, .rdx = 0x203c),
		     ERR(PAGE_METADATA_INCORRECT, RCX));
	g_assert_cmphex(w->regs[TDX_RDX], ==, ~0ull);
	g_assert_cmphex(w->regs[TDX_R8], ==, 0);
}

/* TDH.VP.WR, one after the other. */
#define PI_VECTOR	0x0002
#define PI_DESC		0x2016
#define EPTP		0x203c
#define PIN		0x4000
#define PEND_NMI	0xa02000000000000b
#define POSTED		(1ull << 7)
#define NOT_VALID	STATUS(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0)
#define NOT_SET(field)	STATUS(TDX_TD_VMCS_FIELD_NOT_INITIALIZED, field)

static const struct {
	uint64_t field, value, mask, want;
} writes[] = {
	/* Posted interrupts need vector and descriptor. */
	{ PIN, 0, POSTED, 0 },
	{ PIN, POSTED, POSTED, NOT_SET(PI_VECTOR) },
	{ PI_VECTOR, 256, 0xffff, NOT_VALID },
	{ PI_VECTOR, 255, 0xffff, 0 },
	{ PI_VECTOR, 255 | 1 << 16, ~0ull, NOT_VALID },
	{ PIN, POSTED, POSTED, NOT_SET(PI_DESC) },
	{ PI_DESC, FREE + 32, ~0ull, NOT_VALID },
	{ PI_DESC, FREE | 1ull << 52, ~0ull, NOT_VALID },
	{ PI_DESC, FREE | (uint64_t)HKID << KEYID_SHIFT, ~0ull, NOT_VALID },
	{ PI_DESC, FREE + 64, ~0ull, 0 },
	{ PIN, POSTED, POSTED, 0 },
	/* Bits that are not writable must stay. */
	{ PIN, POSTED | 1, POSTED | 1, NOT_VALID },
	{ PIN, POSTED, POSTED | 1, 0 },
	{ PIN, 1, 1, STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
	{ EPTP, FREE | 1, ~0ull, NOT_VALID },
	{ EPTP, FREE, ~0ull, 0 },
	{ EPTP, FREE | (uint64_t)HKID << KEYID_SHIFT, ~0ull, NOT_VALID },
	{ EPTP, FREE | 1ull << KEYID_SHIFT, ~0ull, 0 },
	{ EPTP, 1ull << 52, ~0ull, NOT_VALID },
	{ PEND_NMI, 0xff, 0xff, 0 },
	{ PEND_NMI, 0x1ff, 0x1ff, NOT_VALID },
};

static void field_values(struct world *w)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(writes); i++) {
		uint64_t got = seamcall(w, VP_WR, .rcx = TDVPR,
					.rdx = writes[i].field,
					.r8 = writes[i].value,
					.r9 = writes[i].mask);

		if (got != writes[i].want)
			g_test_message("row %u", i);
		check_status(got, writes[i].want);
	}
}

/* The KeyID before the first one of TDX. */
#define MKTME_KEY	((GLOBAL_HKID - 1ull) << KEYID_SHIFT)

static void mktme_keys(struct world *w)
{
	uint64_t info[2] = { TDMR_INFO(0) | MKTME_KEY, TDMR_INFO(1) | MKTME_KEY };

	memcpy(ram(TDMR_ARRAY), info, sizeof(info));
	check_status(seamcall(w, SYS_CONFIG, .rcx = TDMR_ARRAY | MKTME_KEY, .rdx = 2,
			      .r8 = GLOBAL_HKID), 0);
	world_through(w, KEY_DONE, TDCS_DONE);
	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	check_status(seamcall(w, MNG_INIT, .rcx = TDR, .rdx = PARAMS | MKTME_KEY), 0);
	world_through(w, VP_CREATED, TABLES);
	memset(ram(SOURCE), 0x5a, 4096);
	check_status(seamcall(w, MEM_PAGE_ADD, .rcx = GPA_ADDED, .rdx = TDR, .r8 = ADDED,
			      .r9 = SOURCE | MKTME_KEY), 0);
	g_assert_cmpmem(private_ram(ADDED), 4096, ram(SOURCE), 4096);
}

#define NO_PAGE		(~0ull)
#define NOT_USED	(1ull << 63)
/* What makes a table for 4 KiB pages: none is there, one is there, a page is. */
#define NEW_TABLE	(GPA_BIG | 1)
#define TABLE		1
#define BIG_PAGE	((GPA_BIG + 2 * MIB) | 1)

static const struct sept_add_row {
	const char *name;
	struct operands in;
	uint64_t want, r8;
} sept_adds[] = {
	{ "a page is used",
	  { NEW_TABLE, TDR, FREE, NO_PAGE, 0, NO_PAGE, NO_PAGE }, 0, NO_PAGE },
	{ "the mark of an unused page is ignored",
	  { NEW_TABLE, TDR, FREE | NOT_USED, NO_PAGE, 0, NO_PAGE, NO_PAGE }, 0, NO_PAGE },
	{ "a page is not used if the table may exist",
	  { TABLE, TDR | 1, FREE, NO_PAGE, 0, NO_PAGE, NO_PAGE }, 0, FREE | NOT_USED },
	{ "the table must not exist otherwise",
	  { TABLE, TDR, FREE | NOT_USED, NO_PAGE, 0, NO_PAGE, NO_PAGE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX), FREE },
	{ "without a page the table must exist",
	  { TABLE, TDR, NO_PAGE, NO_PAGE, 0, NO_PAGE, NO_PAGE }, 0, NO_PAGE },
	{ "without a page there is no new table",
	  { NEW_TABLE, TDR | 1, NO_PAGE, NO_PAGE, 0, NO_PAGE, NO_PAGE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX), NO_PAGE },
	{ "where a page is, nothing fits",
	  { BIG_PAGE, TDR | 1, NO_PAGE, NO_PAGE, 0, NO_PAGE, NO_PAGE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX), NO_PAGE },
	{ "no page for the first L2 VM",
	  { NEW_TABLE, TDR, FREE, FREE, 0, NO_PAGE, NO_PAGE },
	  ERR(OPERAND_INVALID, R9), FREE },
	{ "no page for the second one",
	  { TABLE, TDR | 1, FREE, NO_PAGE, 0, FREE, FREE },
	  ERR(OPERAND_INVALID, R10), FREE | NOT_USED },
	{ "no page for the third one",
	  { TABLE, TDR, NO_PAGE, NO_PAGE, 0, NO_PAGE, 0 }, ERR(OPERAND_INVALID, R11),
	  NO_PAGE },
	{ "the page is checked before those of L2 VMs",
	  { NEW_TABLE, TDR, ADDED, FREE, 0, NO_PAGE, NO_PAGE },
	  ERR(PAGE_METADATA_INCORRECT, R8), ADDED },
	{ "the mark is cleared if the call fails early",
	  { NEW_TABLE, FREE, FREE | NOT_USED, NO_PAGE, 0, FREE | NOT_USED, NO_PAGE },
	  ERR(PAGE_METADATA_INCORRECT, RDX), FREE },
};

static void sept_add(const void *data)
{
	const struct sept_add_row *row = data;
	const struct operands *in = &row->in;
	struct world *w = world_new(NULL);

	world_to(w, PAGE_AUGED);
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = BIG_PAGE, .rdx = TDR, .r8 = BIG), 0);
	check_status(seamcall_on(w, 0, MEM_SEPT_ADD | V(1), in), row->want);
	g_assert_cmphex(w->regs[TDX_R8], ==, row->r8);
	/* Those of L2 VMs are returned, too. */
	g_assert_cmphex(w->regs[TDX_R9], ==, in->r9);
	g_assert_cmphex(w->regs[TDX_R10], ==,
			in->r10 == NO_PAGE ? NO_PAGE : in->r10 & ~NOT_USED);
	g_assert_cmphex(w->regs[TDX_R11], ==, in->r11);
	g_assert_cmpuint(page_type(w, FREE), ==, row->want || row->r8 != NO_PAGE ||
			 in->r8 == NO_PAGE ? PT_NDA : PT_EPT);
	world_free(w);
}

/* Version 0 leaves R8 to R11 alone. */
static void sept_add_0(struct world *w)
{
	check_status(seamcall(w, MEM_SEPT_ADD, .rcx = TABLE, .rdx = TDR | 1,
			      .r8 = FREE | NOT_USED, .r9 = 9, .r10 = 10, .r11 = 11), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, FREE | NOT_USED);
	check_status(seamcall(w, MEM_SEPT_ADD, .rcx = NEW_TABLE, .rdx = TDR,
			      .r8 = FREE | NOT_USED, .r9 = 9, .r10 = 10, .r11 = 11), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, FREE | NOT_USED);
	g_assert_cmphex(w->regs[TDX_R9], ==, 9);
	g_assert_cmphex(w->regs[TDX_R10], ==, 10);
	g_assert_cmphex(w->regs[TDX_R11], ==, 11);
	g_assert_cmpuint(page_type(w, FREE), ==, PT_EPT);
}

/* What VP.INIT says of a page that is no TDVPR while TSC_ADJUST differs. */
static void vp_init_order(void)
{
	const struct { const char *release; uint64_t want; } rows[] = {
		{ "1.5.06", ERR(PAGE_METADATA_INCORRECT, RCX) },
		{ "2.0.08", STATUS(TDX_INCONSISTENT_MSR, 0x3b) },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		struct world *w = world_new(rows[i].release);

		world_to(w, VP_TDCX_DONE);
		w->tsc_adjust[0] = 1;
		check_status(seamcall(w, VP_INIT | V(1), .rcx = FREE), rows[i].want);
		w->tsc_adjust[0] = 0;
		check_status(seamcall(w, VP_INIT | V(1), .rcx = FREE),
			     ERR(PAGE_METADATA_INCORRECT, RCX));
		world_free(w);
	}
}

#define MONITOR			(1ull << 18)	/* of IA32_MISC_ENABLE */
#define LIMIT_CPUID		(1ull << 22)
#define RECOVERABILITY_HINT	(1ull << 52)

static void limited_cpuid(struct world *w)
{
	w->misc_enable[0] |= LIMIT_CPUID;
	check_status(enter(w, 0, FREE), STATUS(TDX_LIMIT_CPUID_MAXVAL_SET, 0));
	check_status(enter(w, 0, TDVPR), STATUS(TDX_LIMIT_CPUID_MAXVAL_SET, 0));
	/* Another CPU's register does not matter. */
	check_status(enter(w, 1, FREE), ERR(PAGE_METADATA_INCORRECT, RCX));
	w->misc_enable[0] &= ~LIMIT_CPUID;
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

static void monitor(struct world *w)
{
	const uint64_t wrong = STATUS(TDX_INCORRECT_MSR_VALUE, 0x1a0);

	slot_of(w, 1, WHOLE_LEAF)[2] |= 1 << 3;
	world_through(w, INITIALIZED, RUNNABLE);
	w->misc_enable[0] = ~(MONITOR | LIMIT_CPUID);
	check_status(enter(w, 0, TDVPR), wrong);
	/* The flags of the entry, then the TSC are checked before. */
	w->tsc_adjust[0] = 1;
	check_status(enter(w, 0, TDVPR), STATUS(TDX_INCONSISTENT_MSR, 0x3b));
	check_status(enter(w, 0, TDVPR | RECOVERABILITY_HINT), ERR(OPERAND_INVALID, RCX));
	w->tsc_adjust[0] = 0;
	check_status(enter(w, 0, TDVPR), wrong);
	w->misc_enable[0] = MONITOR;
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

static void no_monitor(struct world *w)
{
	w->misc_enable[0] = 0;
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

static void tsc(struct world *w)
{
	const uint64_t adjusted = STATUS(TDX_INCONSISTENT_MSR, 0x3b);

	w->tsc_adjust[0] = 1;
	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	check_status(seamcall(w, MNG_INIT, .rcx = TDR, .rdx = PARAMS), adjusted);
	w->tsc_adjust[0] = 0;
	world_through(w, INITIALIZED, VP_TDCX_DONE);
	w->tsc_adjust[0] = 1;
	check_status(seamcall(w, VP_INIT | V(1), .rcx = TDVPR), adjusted);
	w->tsc_adjust[0] = 0;
	world_through(w, VP_DONE, EXITED);
	w->tsc_adjust[0] = 1;
	check_status(enter(w, 0, TDVPR), adjusted);
	w->tsc_adjust[0] = 0;
	w->tsc--;
	check_status(enter(w, 0, TDVPR), STATUS(TDX_TSC_ROLLBACK, 0));
	w->tsc++;
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

/* Since 2.0 the status has the state of the vCPU. */
static void vcpu_states(void)
{
	struct world *w = world_new("2.0.08");
	struct tdx_exit exit = {
		.status = STATUS(TDX_NON_RECOVERABLE_VCPU, 0), .reason = 2,
	};

	world_to(w, VP_DONE);
	check_status(seamcall(w, VP_INIT | V(1), .rcx = TDVPR),
		     STATUS(TDX_VCPU_STATE_INCORRECT, 2));
	check_status(seamcall(w, VP_ADDCX, .rcx = FREE, .rdx = TDVPR),
		     STATUS(TDX_VCPU_STATE_INCORRECT, 2));
	world_through(w, TABLES, ENTERED);
	tdx_td_exit(w->vcpu, &exit, tdx_vcpu_state(w->vcpu), w->host);
	check_status(enter(w, 0, TDVPR), STATUS(TDX_VCPU_STATE_INCORRECT, 8));
	world_free(w);
}

/* What comes back from a TD has lines in the cache. */
static void remove_page(struct world *w)
{
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_ADDED, .rdx = TDR), 0);
}

static void write_back(struct world *w, uint64_t pa, uint64_t hkid)
{
	check_status(seamcall(w, PHYMEM_PAGE_WBINVD,
			      .rcx = pa | hkid << KEYID_SHIFT), 0);
}

static void use(struct world *w, uint64_t pa, unsigned int complaints)
{
	w->complaints = 0;
	tdx_host_access(w->m, pa, true);
	g_assert_cmpuint(w->complaints, ==, complaints);
	/* Once is enough. */
	tdx_host_access(w->m, pa, true);
	g_assert_cmpuint(w->complaints, ==, complaints);
}

static void used_dirty(struct world *w)
{
	remove_page(w);
	use(w, ADDED, 1);
}

static void used_clean(struct world *w)
{
	remove_page(w);
	write_back(w, ADDED, HKID);
	use(w, ADDED, 0);
}

static void other_key(struct world *w)
{
	remove_page(w);
	write_back(w, ADDED, OTHER_HKID);
	write_back(w, FREE, HKID);
	use(w, ADDED, 1);
}

static void given_again(struct world *w)
{
	remove_page(w);
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
			      .r8 = ADDED), 0);
	g_assert_cmpuint(w->complaints, ==, 1);
}

static void all_written_back(struct world *w)
{
	remove_page(w);
	world_through(w, FLUSHED, CACHE_DONE);
	use(w, ADDED, 0);
}

static void control_pages(struct world *w)
{
	world_through(w, RECLAIMED, GONE);
	use(w, ADDED, 0);
	use(w, TDVPR, 0);
	/* The module's own KeyID. */
	use(w, TDR, 1);
	world_through(w, CREATED, GONE);
	write_back(w, TDR, HKID);
	use(w, TDR, 1);
	world_through(w, CREATED, GONE);
	write_back(w, TDR, GLOBAL_HKID);
	use(w, TDR, 0);
}

/* On CPUs with the erratum every line must be written by MOVDIR64B first. */
static void unreset_page(void)
{
	static const unsigned int written[] = { 0, 63, 64 };
	struct world *w = world_new("1.5.06,erratum");
	unsigned int i, line;

	world_to(w, RECLAIMED);
	for (i = 0; i < G_N_ELEMENTS(written); i++) {
		for (line = 0; line < written[i]; line++)
			tdx_host_direct_store(w->m, TDCX + i * 4096 + 64 * line);
		use(w, TDCX + i * 4096, written[i] < 64);
	}
	world_free(w);
}

#define PLAN "TDH.MNG.CREATE:RND_NO_ENTROPY@1-2+TDH.MNG.ADDCX:RND_NO_ENTROPY@1-7"

static void entropy(struct world *w)
{
	const uint64_t none = STATUS(TDX_RND_NO_ENTROPY, 0);
	const char *error;
	unsigned int i;

	g_assert_true(tdx_module_inject(w->m, PLAN, &error));
	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = 1),
		     ERR(OPERAND_INVALID, RDX));
	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = HKID), none);
	g_assert_cmpuint(page_type(w, TDR), ==, PT_NDA);
	world_through(w, CREATED, KEYED);
	/* Only the last page comes with random numbers. */
	for (i = 1; i < w->profile.tdcs_pages; i++)
		check_status(seamcall(w, MNG_ADDCX, .rcx = TDCX + i * 4096,
				      .rdx = TDR), 0);
	for (; i < 8; i++)
		check_status(seamcall(w, MNG_ADDCX, .rcx = TDCX, .rdx = TDR), none);
	check_status(seamcall(w, MNG_ADDCX, .rcx = TDCX, .rdx = TDR), 0);
}

static void entropy_plans(void)
{
	static const struct { const char *leaf; bool draws; } leaves[] = {
		{ "TDH.MNG.CREATE", true }, { "TDH.MNG.ADDCX", true },
		{ "TDH.SYS.INIT", true }, { "TDH.SYS.LP.INIT", true },
		{ "TDH.MNG.INIT", false }, { "TDH.VP.CREATE", false },
		{ "TDH.MNG.KEY.CONFIG", false }, { "TDH.SYS.KEY.CONFIG", false },
	};
	const char *error;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(leaves); i++) {
		g_autofree char *plan = g_strconcat(leaves[i].leaf,
						    ":RND_NO_ENTROPY", NULL);

		if (tdx_inject_check(plan, &error) != leaves[i].draws)
			g_test_fail_printf("%s", plan);
	}
}

static void add_sept_adds(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(sept_adds); i++) {
		g_autofree char *path = g_strconcat("/host/SEPT.ADD version 1: ",
						    sept_adds[i].name, NULL);

		g_test_add_data_func(path, &sept_adds[i], sept_add);
	}
	add_test("/host/SEPT.ADD version 0 leaves R8 to R11 alone", TABLES, sept_add_0);
}

void add_host_tests(void)
{
	add_sept_adds();
	add_test("/host/the host's memory may have KeyIDs of MKTME", LPS_DONE, mktme_keys);
	g_test_add_func("/host/since 2.0 VP.INIT looks at TSC_ADJUST first", vp_init_order);
	add_test("/host/a call on an entry describes it, or returns zeros", BLOCKED, entry_results);
	add_test("/host/results are 0 if a call fails early", RUNNABLE, early_failure);
	add_test("/host/RD returns no next field if it fails", RUNNABLE, field_ids);
	add_test("/host/VP.WR checks what it writes", RUNNABLE, field_values);
	add_test("/host/VP.ENTER on a CPU that limits CPUID is refused", RUNNABLE, limited_cpuid);
	add_test("/host/a TD with MONITOR needs a CPU whose MONITOR works", TDCS_DONE, monitor);
	add_test("/host/a TD without MONITOR does not", RUNNABLE, no_monitor);
	add_test("/host/the TSC must not be adjusted or go back", TDCS_DONE, tsc);
	g_test_add_func("/host/since 2.0 VCPU_STATE_INCORRECT has the state", vcpu_states);
	add_test("/host/a page that is used without write-back is a complaint", TRACKED, used_dirty);
	add_test("/host/a page that was written back can be used", TRACKED, used_clean);
	add_test("/host/write-back of another page or KeyID is not enough", TRACKED, other_key);
	add_test("/host/a page given to a TD without write-back is a complaint", TRACKED, given_again);
	add_test("/host/CACHE.WB writes back all pages", TRACKED, all_written_back);
	add_test("/host/a TDR is written back with the module's KeyID", TEARDOWN, control_pages);
	g_test_add_func("/host/the partial-write erratum calls for MOVDIR64B", unreset_page);
	add_test("/host/no entropy, where random numbers are drawn", READY, entropy);
	g_test_add_func("/host/no entropy only for calls that draw random numbers", entropy_plans);
}
