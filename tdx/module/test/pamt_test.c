// SPDX-License-Identifier: GPL-2.0
/* Dynamic PAMT: pages for the metadata of 2 MiB at a time. */
#include <string.h>

#include "tests.h"

#define DYNAMIC_PAMT	(1ull << 16)
#define LEVEL_2M	1
#define REGION(n)	(96 * MIB + (n) * 2 * MIB)
#define PAIR(n)		(120 * MIB + (n) * 4096ull)

static uint64_t add(struct world *w, uint64_t region, uint64_t first,
		    uint64_t second)
{
	return seamcall(w, PHYMEM_PAMT_ADD, .rcx = region | LEVEL_2M,
			.rdx = first, .r8 = second);
}

static uint64_t take_away(struct world *w, uint64_t region)
{
	return seamcall(w, PHYMEM_PAMT_REMOVE, .rcx = region | LEVEL_2M,
			.rdx = 7, .r8 = 7);
}

static uint64_t config(struct world *w, uint64_t options)
{
	return seamcall(w, SYS_CONFIG, .rcx = TDMR_ARRAY, .rdx = 2,
			.r8 = GLOBAL_HKID | options);
}

/* READY, with Dynamic PAMT. */
static struct world *world_new_dynamic(void)
{
	struct world *w = world_new("1.5.06,dynamic-pamt");

	world_to(w, LPS_DONE);
	check_status(config(w, DYNAMIC_PAMT), 0);
	world_through(w, KEY_DONE, READY);
	return w;
}

static void not_offered(struct world *w)
{
	check_status(config(w, DYNAMIC_PAMT), ERR(OPERAND_INVALID, R8));
	world_through(w, CONFIG_DONE, READY);
	check_status(add(w, REGION(0), PAIR(0), PAIR(1)),
		     ERR(OPERAND_INVALID, RAX));
	check_status(take_away(w, REGION(0)), ERR(OPERAND_INVALID, RAX));
}

static void not_asked_for(void)
{
	struct world *w = world_new("1.5.06,dynamic-pamt");

	world_to(w, READY);
	check_status(add(w, REGION(0), PAIR(0), PAIR(1)),
		     ERR(OPERAND_INVALID, RAX));
	check_status(take_away(w, REGION(0)), ERR(OPERAND_INVALID, RAX));
	world_through(w, CREATED, GONE);
	world_free(w);
}

static void other_options(void)
{
	struct world *w = world_new("1.5.06,dynamic-pamt");

	world_to(w, LPS_DONE);
	check_status(config(w, DYNAMIC_PAMT << 1), ERR(OPERAND_INVALID, R8));
	check_status(config(w, DYNAMIC_PAMT | DYNAMIC_PAMT << 1),
		     ERR(OPERAND_INVALID, R8));
	check_status(config(w, DYNAMIC_PAMT), 0);
	world_free(w);
}

/* A bit instead of 16 bytes for each 4 KiB. */
static void small_pamt(void)
{
	struct world *w = world_new("1.5.06,dynamic-pamt");
	uint64_t size = GIB / 4096 / 8;

	world_to(w, LPS_DONE);
	memcpy(ram(TDMR_INFO(0) + 8 * 7), &size, sizeof(size));
	check_status(config(w, 0), STATUS(TDX_INVALID_PAMT, 0));
	check_status(config(w, DYNAMIC_PAMT), 0);
	world_free(w);
}

static void smaller_pamt(void)
{
	struct world *w = world_new("1.5.06,dynamic-pamt");
	uint64_t size = GIB / 4096 / 8 - 4096;

	world_to(w, LPS_DONE);
	memcpy(ram(TDMR_INFO(0) + 8 * 7), &size, sizeof(size));
	check_status(config(w, DYNAMIC_PAMT), STATUS(TDX_INVALID_PAMT, 0));
	world_free(w);
}

/* Each call that gives a TD a page. */
static void pages_need_a_pair(void)
{
	struct world *w = world_new_dynamic();
	unsigned int i;

	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = HKID),
		     ERR(MISSING_PAMT_PAGE_PAIR, RCX));
	/* TDR to FREE are in one region. */
	check_status(add(w, PAGE(0), PAIR(0), PAIR(1)), 0);
	world_through(w, CREATED, TDCS_DONE - 1);
	check_status(seamcall(w, MNG_ADDCX, .rcx = REGION(0), .rdx = TDR),
		     ERR(MISSING_PAMT_PAGE_PAIR, RCX));
	world_through(w, TDCS_DONE, INITIALIZED);
	check_status(seamcall(w, VP_CREATE, .rcx = REGION(0), .rdx = TDR),
		     ERR(MISSING_PAMT_PAGE_PAIR, RCX));
	world_step(w, VP_CREATED);
	check_status(seamcall(w, VP_ADDCX, .rcx = REGION(0), .rdx = TDVPR),
		     ERR(MISSING_PAMT_PAGE_PAIR, RCX));
	world_through(w, VP_TDCX_DONE, TABLES);
	check_status(seamcall(w, MEM_PAGE_ADD, .rcx = GPA_FREE, .rdx = TDR,
			      .r8 = REGION(0), .r9 = SOURCE),
		     ERR(MISSING_PAMT_PAGE_PAIR, R8));
	world_through(w, PAGE_ADDED, RUNNABLE);
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
			      .r8 = REGION(0)), ERR(MISSING_PAMT_PAGE_PAIR, R8));
	check_status(add(w, REGION(0), PAIR(2), PAIR(3)), 0);
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
			      .r8 = REGION(0)), 0);
	world_through(w, PAGE_AUGED, TEARDOWN);
	for (i = 0; i < 40; i++)
		seamcall(w, PHYMEM_PAGE_RECLAIM, .rcx = PAGE(i));
	check_status(seamcall(w, PHYMEM_PAGE_RECLAIM, .rcx = REGION(0)), 0);
	check_status(seamcall(w, PHYMEM_PAGE_RECLAIM, .rcx = TDR), 0);
	check_status(take_away(w, PAGE(0)), 0);
	world_free(w);
}

static void operands(void)
{
	static const struct {
		uint64_t rcx, rdx, r8, want;
	} rows[] = {
		{ REGION(0), PAIR(0), PAIR(1), ERR(OPERAND_INVALID, RCX) },
		{ REGION(0) | 2, PAIR(0), PAIR(1), ERR(OPERAND_INVALID, RCX) },
		{ REGION(0) | 8 | LEVEL_2M, PAIR(0), PAIR(1),
		  ERR(OPERAND_INVALID, RCX) },
		{ (REGION(0) + 4096) | LEVEL_2M, PAIR(0), PAIR(1),
		  ERR(OPERAND_INVALID, RCX) },
		{ 1ull << KEYID_SHIFT | LEVEL_2M, PAIR(0), PAIR(1),
		  ERR(OPERAND_INVALID, RCX) },
		{ 1ull << 63 | REGION(0) | LEVEL_2M, PAIR(0), PAIR(1),
		  ERR(OPERAND_INVALID, RCX) },
		{ 3 * GIB | LEVEL_2M, PAIR(0), PAIR(1),
		  ERR(OPERAND_ADDR_RANGE_ERROR, RCX) },
		{ REGION(0) | LEVEL_2M, PAIR(0) + 8, PAIR(1),
		  ERR(OPERAND_INVALID, RDX) },
		{ REGION(0) | LEVEL_2M, 3 * GIB, PAIR(1),
		  ERR(OPERAND_ADDR_RANGE_ERROR, RDX) },
		{ REGION(0) | LEVEL_2M, PAIR(0), PAIR(1) + 8,
		  ERR(OPERAND_INVALID, R8) },
		{ REGION(0) | LEVEL_2M, PAIR(0), 3 * GIB,
		  ERR(OPERAND_ADDR_RANGE_ERROR, R8) },
		/* Both pages are checked before the region. */
		{ 3 * GIB | LEVEL_2M, PAIR(0), 3 * GIB,
		  ERR(OPERAND_ADDR_RANGE_ERROR, R8) },
		{ REGION(0) | LEVEL_2M, PAIR(0), PAIR(0), ERR(PAGE_NOT_FREE, R8) },
		{ REGION(0) | LEVEL_2M, RESERVED_PAGE, PAIR(0),
		  ERR(PAGE_NOT_FREE, RDX) },
		{ REGION(0) | LEVEL_2M, PAIR(0), 0, ERR(PAGE_NOT_FREE, R8) },
	};
	struct world *w = world_new_dynamic();
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_test_message("row %u", i);
		check_status(seamcall(w, PHYMEM_PAMT_ADD, .rcx = rows[i].rcx,
				      .rdx = rows[i].rdx, .r8 = rows[i].r8),
			     rows[i].want);
	}
	check_status(seamcall(w, PHYMEM_PAMT_REMOVE, .rcx = REGION(0)),
		     ERR(OPERAND_INVALID, RCX));
	check_status(take_away(w, 3 * GIB), ERR(OPERAND_ADDR_RANGE_ERROR, RCX));
	check_status(take_away(w, REGION(0)), ERR(NO_PAMT_PAGE_PAIR, RCX));
	/* Nothing of all this has taken a page. */
	check_status(add(w, REGION(0), PAIR(0), PAIR(1)), 0);
	world_free(w);
}

static void pages_of_a_pair(void)
{
	struct world *w = world_new_dynamic();

	/* They may lie in what they are for. */
	check_status(add(w, REGION(0), REGION(0), REGION(0) + 4096), 0);
	check_status(add(w, REGION(0), PAIR(0), PAIR(1)),
		     ERR(HPA_RANGE_NOT_FREE, RCX));
	check_status(add(w, REGION(1), PAIR(0), REGION(0)), ERR(PAGE_NOT_FREE, R8));
	/* No TD gets them. */
	check_status(seamcall(w, MNG_CREATE, .rcx = REGION(0) + 4096, .rdx = HKID),
		     ERR(PAGE_METADATA_INCORRECT, RCX));
	check_status(seamcall(w, MNG_CREATE, .rcx = REGION(0) + 8192, .rdx = HKID),
		     0);
	/* A page that a TD has is not for a pair. */
	check_status(add(w, REGION(1), REGION(0) + 8192, PAIR(0)),
		     ERR(PAGE_NOT_FREE, RDX));
	check_status(take_away(w, REGION(0)), STATUS(TDX_PAMT_PAGE_NOT_EMPTY, 0));
	check_status(seamcall(w, MNG_CREATE, .rcx = REGION(0) + 2 * MIB - 4096,
			      .rdx = OTHER_HKID), 0);
	check_status(take_away(w, REGION(0)), STATUS(TDX_PAMT_PAGE_NOT_EMPTY, 0));
	world_free(w);
}

static void second_half(void)
{
	struct world *w = world_new_dynamic();

	check_status(add(w, REGION(0), PAIR(0), PAIR(1)), 0);
	check_status(seamcall(w, MNG_CREATE, .rcx = REGION(0) + MIB, .rdx = HKID), 0);
	check_status(take_away(w, REGION(0)), STATUS(TDX_PAMT_PAGE_NOT_EMPTY, 1));
	world_free(w);
}

static void taken_back(void)
{
	struct world *w = world_new_dynamic();
	unsigned int i;

	for (i = 0; i < 3; i++) {
		check_status(add(w, REGION(i), PAIR(0), PAIR(1)), 0);
		check_status(take_away(w, REGION(i)), 0);
		g_assert_cmphex(w->regs[TDX_RDX], ==, PAIR(0));
		g_assert_cmphex(w->regs[TDX_R8], ==, PAIR(1));
	}
	check_status(seamcall(w, MNG_CREATE, .rcx = REGION(0), .rdx = HKID),
		     ERR(MISSING_PAMT_PAGE_PAIR, RCX));
	world_free(w);
}

/* A 2 MiB page has its metadata elsewhere. */
static void big_pages(void)
{
	struct world *w = world_new_dynamic();
	struct operands aug = { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = REGION(0) };

	check_status(add(w, PAGE(0), PAIR(0), PAIR(1)), 0);
	world_through(w, CREATED, RUNNABLE);
	check_status(add(w, REGION(0), PAIR(2), PAIR(3)), 0);
	check_status(seamcall_on(w, 0, MEM_PAGE_AUG, &aug),
		     ERR(PAGE_METADATA_INCORRECT, R8));
	check_status(take_away(w, REGION(0)), 0);
	/* A page of a pair in it. */
	check_status(add(w, REGION(1), REGION(0), PAIR(3)), 0);
	check_status(seamcall_on(w, 0, MEM_PAGE_AUG, &aug),
		     ERR(PAGE_METADATA_INCORRECT, R8));
	check_status(take_away(w, REGION(1)), 0);
	check_status(seamcall_on(w, 0, MEM_PAGE_AUG, &aug), 0);
	check_status(add(w, REGION(0), PAIR(2), PAIR(3)),
		     ERR(HPA_RANGE_NOT_FREE, RCX));
	check_status(add(w, REGION(1), REGION(0) + 4096, PAIR(3)),
		     ERR(PAGE_NOT_FREE, RDX));
	check_status(seamcall(w, MNG_CREATE, .rcx = REGION(0), .rdx = OTHER_HKID),
		     ERR(PAGE_METADATA_INCORRECT, RCX));
	world_free(w);
}

void add_pamt_tests(void)
{
	add_test("/pamt/a module without Dynamic PAMT", LPS_DONE, not_offered);
	g_test_add_func("/pamt/the host has to ask for it", not_asked_for);
	g_test_add_func("/pamt/no other option of SYS.CONFIG", other_options);
	g_test_add_func("/pamt/a bit for each page is enough", small_pamt);
	g_test_add_func("/pamt/fewer bits are not", smaller_pamt);
	g_test_add_func("/pamt/a TD's pages need a pair", pages_need_a_pair);
	g_test_add_func("/pamt/operands of PAMT.ADD and PAMT.REMOVE", operands);
	g_test_add_func("/pamt/the pages of a pair are no TD's", pages_of_a_pair);
	g_test_add_func("/pamt/which half is not empty", second_half);
	g_test_add_func("/pamt/PAMT.REMOVE gives the pages back", taken_back);
	g_test_add_func("/pamt/2 MiB pages have no pair", big_pages);
}
