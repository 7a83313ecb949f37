// SPDX-License-Identifier: GPL-2.0
/* TDH.SYS.CONFIG: what it accepts as TDMRs, and what it says of others. */
#include <string.h>

#include "tests.h"

/* Page sizes in statuses. */
enum { PT_4K, PT_2M, PT_1G };

#define INFO(a, b, c)	((a) | (b) << 8 | (c) << 16)

/*
 * TDMR_INFO with one quadword changed, all others valid.  Quadwords 0 and 1 are base
 * and size, 2 to 7 those of the PAMTs for 1 GiB, 2 MiB and 4 KiB, then offset and
 * size of each reserved area.
 */
static const struct tdmr_row {
	const char *name;
	unsigned int tdmr, qword;
	uint64_t value;
	uint64_t want;
} rows[] = {
	{ "base unaligned", 1, 0, GIB + MIB, STATUS(TDX_INVALID_TDMR, 1) },
	{ "size unaligned", 1, 1, GIB - 4096, STATUS(TDX_INVALID_TDMR, 1) },
	{ "size 0", 1, 1, 0, STATUS(TDX_INVALID_TDMR, 1) },
	{ "size wraps around", 1, 1, -2 * GIB, STATUS(TDX_INVALID_TDMR, 1) },
	{ "KeyID bits in the base", 1, 0, 1ull << KEYID_SHIFT,
	  STATUS(TDX_INVALID_TDMR, 1) },
	{ "last byte with KeyID bits", 1, 1, 1ull << KEYID_SHIFT,
	  STATUS(TDX_INVALID_TDMR, 1) },
	{ "up to the KeyID bits is not too far", 1, 1,
	  (1ull << KEYID_SHIFT) - GIB, STATUS(TDX_INVALID_PAMT, INFO(1, PT_1G, 0)) },
	{ "not in order", 1, 0, 0, STATUS(TDX_NON_ORDERED_TDMR, 1) },
	{ "the order is checked before the alignment", 1, 0, MIB,
	  STATUS(TDX_NON_ORDERED_TDMR, 1) },
	{ "PAMTs too small for the size", 1, 1, 2 * GIB,
	  STATUS(TDX_INVALID_PAMT, INFO(1, PT_4K, 0)) },
	{ "memory outside the CMRs is not reserved", 0, 8, 4096,
	  STATUS(TDX_TDMR_OUTSIDE_CMRS, 0) },
	{ "PAMT unaligned", 0, 2, PAMT(0) + 8,
	  STATUS(TDX_INVALID_PAMT, INFO(0, PT_1G, 0)) },
	{ "PAMT too small", 0, 7, 4 * MIB - 4096,
	  STATUS(TDX_INVALID_PAMT, INFO(0, PT_4K, 0)) },
	{ "PAMT with KeyID bits", 0, 4, PAMT(1) | 1ull << KEYID_SHIFT,
	  STATUS(TDX_INVALID_PAMT, INFO(0, PT_2M, 0)) },
	{ "PAMT wraps around", 0, 6, -4096ull,
	  STATUS(TDX_INVALID_PAMT, INFO(0, PT_4K, 0)) },
	{ "PAMT outside the CMRs", 0, 4, 0,
	  STATUS(TDX_PAMT_OUTSIDE_CMRS, INFO(0, PT_2M, 0)) },
	{ "PAMTs overlap", 0, 4, PAMT(2),
	  STATUS(TDX_PAMT_OVERLAP, INFO(0, PT_4K, 0)) },
	{ "PAMTs of two TDMRs overlap", 1, 4, PAMT(1),
	  STATUS(TDX_PAMT_OVERLAP, INFO(1, PT_2M, 0)) },
	{ "PAMT in memory that is not reserved", 0, 4, 512 * MIB,
	  STATUS(TDX_PAMT_OVERLAP, INFO(0, PT_2M, 0)) },
	{ "PAMT of an earlier TDMR in memory that is not reserved", 1, 8,
	  PAMT(1) - GIB, STATUS(TDX_PAMT_OVERLAP, INFO(0, PT_1G, 1)) },
	{ "reserved area unaligned", 0, 10, RESERVED_PAGE + 8,
	  STATUS(TDX_INVALID_RESERVED_IN_TDMR, INFO(0, 1, 0)) },
	{ "reserved area past the end", 0, 11, GIB,
	  STATUS(TDX_INVALID_RESERVED_IN_TDMR, INFO(0, 1, 0)) },
	{ "reserved area wraps around", 0, 11, -4096ull,
	  STATUS(TDX_INVALID_RESERVED_IN_TDMR, INFO(0, 1, 0)) },
	{ "reserved areas not in order", 0, 10, 4096,
	  STATUS(TDX_NON_ORDERED_RESERVED_IN_TDMR, INFO(0, 1, 0)) },
	{ "an area behind one of size 0", 0, 9, 0,
	  STATUS(TDX_NON_ORDERED_RESERVED_IN_TDMR, INFO(0, 0, 0)) },
	{ "reserved areas are checked before PAMTs", 0, 10, 4096,
	  STATUS(TDX_NON_ORDERED_RESERVED_IN_TDMR, INFO(0, 1, 0)) },
};

static uint64_t config(struct world *w)
{
	return seamcall(w, SYS_CONFIG, .rcx = TDMR_ARRAY, .rdx = 2,
			.r8 = GLOBAL_HKID);
}

static void put(uint64_t pa, uint64_t value)
{
	memcpy(ram(pa), &value, sizeof(value));
}

static void run_row(const void *data)
{
	const struct tdmr_row *r = data;
	struct world *w = world_new(NULL);

	world_to(w, LPS_DONE);
	put(TDMR_INFO(r->tdmr) + 8 * r->qword, r->value);
	check_status(config(w), r->want);
	world_free(w);
}

static void info_address(struct world *w)
{
	put(TDMR_ARRAY + 8, TDMR_INFO(1) + 8);
	check_status(config(w), ERR(OPERAND_INVALID, RCX));
	put(TDMR_ARRAY + 8, TDMR_INFO(1) | (uint64_t)HKID << KEYID_SHIFT);
	check_status(config(w), ERR(OPERAND_INVALID, RCX));
	put(TDMR_ARRAY + 8, 3 * GIB);
	check_status(config(w), ERR(OPERAND_ADDR_RANGE_ERROR, RCX));
	put(TDMR_ARRAY + 8, TDMR_INFO(1));
	check_status(config(w), 0);
}

/* The KeyID of a call that fails stays reserved. */
static void keyid_stays_taken(struct world *w)
{
	put(TDMR_INFO(1) + 8, 0);
	check_status(seamcall(w, SYS_CONFIG, .rcx = TDMR_ARRAY, .rdx = 2,
			      .r8 = HKID), STATUS(TDX_INVALID_TDMR, 1));
	put(TDMR_INFO(1) + 8, GIB);
	world_through(w, CONFIG_DONE, READY);
	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = HKID),
		     STATUS(TDX_HKID_NOT_FREE, 0));
	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = OTHER_HKID), 0);
}

static void try_cmrs(const char *name, unsigned int n,
		     const struct tdx_range *cmr, uint64_t want)
{
	struct world *w = world_new_on(&(struct tdx_platform){
		.num_cmrs = n, .cmr = { cmr[0], cmr[1] },
	});

	g_test_message("%s", name);
	check_status(seamcall(w, SYS_INIT), want);
	world_free(w);
}

static void cmrs(void)
{
	static const struct {
		const char *name;
		struct tdx_range cmr[2];
		uint32_t want;
	} tries[] = {
		{ "in order", { { MIB, GIB }, { GIB + MIB, MIB } }, 0 },
		{ "one of size 0", { { MIB, 0 }, { MIB, MIB } }, 0 },
		{ "not in order", { { GIB, MIB }, { MIB, MIB } },
		  TDX_CMR_LIST_INVALID },
		{ "overlapping", { { MIB, GIB }, { GIB, MIB } },
		  TDX_CMR_LIST_INVALID },
		{ "unaligned", { { MIB, GIB }, { 2 * GIB, 8 } },
		  TDX_CMR_LIST_INVALID },
		{ "with KeyID bits", { { MIB, GIB }, { 1ull << KEYID_SHIFT, MIB } },
		  TDX_CMR_LIST_INVALID },
		{ "wrapping around", { { MIB, GIB }, { -MIB, 2 * MIB } },
		  TDX_CMR_LIST_INVALID },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(tries); i++)
		try_cmrs(tries[i].name, 2, tries[i].cmr,
			 STATUS(tries[i].want, 0));
}

/* A TDMR may lie across the border of two ranges. */
static void adjacent_cmrs(void)
{
	struct world *w = world_new_on(&(struct tdx_platform){
		.num_cmrs = 3, .cmr = { { MIB, 511 * MIB },
					{ 512 * MIB, 512 * MIB }, { GIB, GIB } },
	});

	world_to(w, READY);
	world_free(w);
}

/* 256 calls per GiB, and only the last one says that it can be used. */
static void tdmr_init(struct world *w)
{
	unsigned int calls = 0;

	do {
		check_status(seamcall(w, SYS_TDMR_INIT, .rcx = GIB), 0);
		if (++calls < 256) {
			g_assert_cmphex(w->regs[TDX_RDX], ==, GIB);
			check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = GIB),
				     ERR(OPERAND_ADDR_RANGE_ERROR, RCX));
		}
	} while (calls < 256);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 2 * GIB);
	check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = GIB), 0);
	check_status(seamcall(w, SYS_TDMR_INIT, .rcx = GIB),
		     STATUS(TDX_TDMR_ALREADY_INITIALIZED, 0));
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
}

void add_tdmr_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/tdmr/%s", rows[i].name);

		g_test_add_data_func(path, &rows[i], run_row);
	}
	g_test_add_func("/tdmr/SYS.INIT refuses a bad list of CMRs", cmrs);
	g_test_add_func("/tdmr/adjacent CMRs count as one", adjacent_cmrs);
	add_test("/tdmr/the address of a TDMR_INFO is RCX in statuses", LPS_DONE,
		 info_address);
	add_test("/tdmr/a KeyID stays taken if SYS.CONFIG fails", LPS_DONE,
		 keyid_stays_taken);
	add_test("/tdmr/TDMR.INIT returns what is usable, in units of 1 GiB", KEY_DONE,
		 tdmr_init);
}
