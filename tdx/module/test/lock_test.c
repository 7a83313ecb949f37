// SPDX-License-Identifier: GPL-2.0
/*
 * Locks between SEAMCALLs: what a call on one LP returns while another LP is in the
 * middle of its own.
 */
#include "tests.h"

static const struct pair {
	const char *name;
	enum step at;
	uint64_t first;
	struct operands in;
	uint64_t second;	/* on another LP, meanwhile */
	struct operands second_in;
	uint64_t want;
} pairs[] = {
	{ "KEY.CONFIG and KEY.CONFIG of another TD", CREATED,
	  MNG_KEY_CONFIG, { .rcx = TDR },
	  MNG_KEY_CONFIG, { .rcx = OTHER }, ERR(OPERAND_BUSY, KET) },
	{ "KEY.CONFIG and ADDCX", CREATED,
	  MNG_KEY_CONFIG, { .rcx = TDR },
	  MNG_ADDCX, { .rcx = FREE, .rdx = TDR }, ERR(OPERAND_BUSY, RDX) },
	{ "KEY.CONFIG and CREATE", CREATED,
	  MNG_KEY_CONFIG, { .rcx = TDR },
	  MNG_CREATE, { .rcx = FREE, .rdx = HKID + 2 }, 0 },
	{ "CREATE and CREATE", READY,
	  MNG_CREATE, { .rcx = TDR, .rdx = HKID },
	  MNG_CREATE, { .rcx = FREE, .rdx = HKID + 2 }, ERR(OPERAND_BUSY, KOT) },
	{ "CREATE and CACHE.WB", FLUSH_DONE,
	  MNG_CREATE, { .rcx = FREE, .rdx = HKID + 2 },
	  PHYMEM_CACHE_WB, { }, ERR(OPERAND_BUSY, KOT) },
	{ "VPFLUSHDONE and CACHE.WB", FLUSHED,
	  MNG_VPFLUSHDONE, { .rcx = TDR },
	  PHYMEM_CACHE_WB, { }, ERR(OPERAND_BUSY, KOT) },
	{ "CACHE.WB and CACHE.WB", FLUSH_DONE,
	  PHYMEM_CACHE_WB, { }, PHYMEM_CACHE_WB, { }, ERR(OPERAND_BUSY, WBCACHE) },
	{ "CACHE.WB and CREATE", FLUSH_DONE,
	  PHYMEM_CACHE_WB, { },
	  MNG_CREATE, { .rcx = FREE, .rdx = HKID + 2 }, ERR(OPERAND_BUSY, KOT) },
	{ "CACHE.WB and VPFLUSHDONE of another TD", FLUSH_DONE,
	  PHYMEM_CACHE_WB, { },
	  MNG_VPFLUSHDONE, { .rcx = OTHER }, ERR(OPERAND_BUSY, KOT) },
	{ "CACHE.WB and FREEID", FLUSH_DONE,
	  PHYMEM_CACHE_WB, { },
	  MNG_KEY_FREEID, { .rcx = TDR }, ERR(OPERAND_BUSY, KOT) },
	{ "CACHE.WB and a call without the KeyIDs' lock", FLUSH_DONE,
	  PHYMEM_CACHE_WB, { },
	  MNG_KEY_CONFIG, { .rcx = OTHER }, 0 },
	{ "FREEID and CREATE", CACHE_DONE,
	  MNG_KEY_FREEID, { .rcx = TDR },
	  MNG_CREATE, { .rcx = FREE, .rdx = HKID + 2 }, ERR(OPERAND_BUSY, KOT) },
	{ "FREEID and RECLAIM", CACHE_DONE,
	  MNG_KEY_FREEID, { .rcx = TDR },
	  PHYMEM_PAGE_RECLAIM, { .rcx = ADDED }, ERR(OPERAND_BUSY, TDR) },
	{ "RECLAIM and RECLAIM of the TDR", TEARDOWN,
	  PHYMEM_PAGE_RECLAIM, { .rcx = ADDED },
	  PHYMEM_PAGE_RECLAIM, { .rcx = TDR }, ERR(OPERAND_BUSY, RCX) },
	{ "RECLAIM and RECLAIM of another page", TEARDOWN,
	  PHYMEM_PAGE_RECLAIM, { .rcx = ADDED },
	  PHYMEM_PAGE_RECLAIM, { .rcx = AUGED }, 0 },
	{ "VP.INIT and SEPT.ADD", VP_TDCX_DONE,
	  VP_INIT | V(1), { .rcx = TDVPR },
	  MEM_SEPT_ADD, { .rcx = 3, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_BUSY, RDX) },
	{ "VP.INIT and RANGE.BLOCK", VP_TDCX_DONE,
	  VP_INIT | V(1), { .rcx = TDVPR },
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR },
	  ERR(OPERAND_BUSY, RDX) },
	{ "VP.INIT, version 0, and SEPT.ADD", VP_TDCX_DONE,
	  VP_INIT, { .rcx = TDVPR },
	  MEM_SEPT_ADD, { .rcx = 3, .rdx = TDR, .r8 = FREE }, 0 },
	{ "VP.INIT and VP.RD", VP_TDCX_DONE,
	  VP_INIT | V(1), { .rcx = TDVPR },
	  VP_RD, { .rcx = TDVPR }, ERR(OPERAND_BUSY, RCX) },
	{ "MR.EXTEND and MR.EXTEND", PAGE_ADDED,
	  MR_EXTEND, { .rcx = GPA_ADDED, .rdx = TDR },
	  MR_EXTEND, { .rcx = GPA_ADDED, .rdx = TDR }, ERR(OPERAND_BUSY, RDX) },
	{ "MR.EXTEND and RANGE.BLOCK", PAGE_ADDED,
	  MR_EXTEND, { .rcx = GPA_ADDED, .rdx = TDR },
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR },
	  ERR(OPERAND_BUSY, RDX) },
	{ "MR.EXTEND and PAGE.REMOVE", PAGE_ADDED,
	  MR_EXTEND, { .rcx = GPA_ADDED, .rdx = TDR },
	  MEM_PAGE_REMOVE, { .rcx = GPA_ADDED, .rdx = TDR },
	  ERR(OPERAND_BUSY, RDX) },
	{ "MR.FINALIZE and PAGE.REMOVE", PAGE_ADDED,
	  MR_FINALIZE, { .rcx = TDR },
	  MEM_PAGE_REMOVE, { .rcx = GPA_ADDED, .rdx = TDR },
	  ERR(OPERAND_BUSY, RDX) },
	{ "PAGE.ADD and SEPT.ADD", TABLES,
	  MEM_PAGE_ADD, { .rcx = GPA_ADDED, .rdx = TDR, .r8 = ADDED, .r9 = SOURCE },
	  MEM_SEPT_ADD, { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_BUSY, RDX) },
	{ "SEPT.ADD and PAGE.AUG", RUNNABLE,
	  MEM_SEPT_ADD, { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = BIG_SEPT },
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE }, 0 },
	{ "PAGE.AUG and PAGE.AUG of another page", RUNNABLE,
	  MEM_PAGE_AUG, { .rcx = GPA_AUGED, .rdx = TDR, .r8 = AUGED },
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE }, 0 },
	{ "PAGE.AUG and PAGE.AUG of the same entry", RUNNABLE,
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = AUGED },
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_BUSY, RCX) },
	{ "PAGE.AUG and RANGE.BLOCK", RUNNABLE,
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE },
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR },
	  ERR(OPERAND_BUSY, SEPT_TREE) },
	{ "RANGE.BLOCK and PAGE.AUG", RUNNABLE,
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR },
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_BUSY, SEPT_TREE) },
	{ "PAGE.REMOVE and PAGE.AUG", TRACKED,
	  MEM_PAGE_REMOVE, { .rcx = GPA_ADDED, .rdx = TDR },
	  MEM_PAGE_AUG, { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE }, 0 },
	{ "PAGE.REMOVE and RANGE.BLOCK", TRACKED,
	  MEM_PAGE_REMOVE, { .rcx = GPA_ADDED, .rdx = TDR },
	  MEM_RANGE_BLOCK, { .rcx = GPA_AUGED, .rdx = TDR },
	  ERR(OPERAND_BUSY, SEPT_TREE) },
	{ "MEM.TRACK and MEM.TRACK", RUNNABLE,
	  MEM_TRACK, { .rcx = TDR },
	  MEM_TRACK, { .rcx = TDR }, ERR(OPERAND_BUSY, TD_EPOCH) },
	{ "MEM.TRACK and RANGE.BLOCK", RUNNABLE,
	  MEM_TRACK, { .rcx = TDR },
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR }, 0 },
	{ "MEM.TRACK and VP.ENTER", FLUSHED,
	  MEM_TRACK, { .rcx = TDR },
	  VP_ENTER, { .rcx = TDVPR }, ERR(OPERAND_BUSY, TD_EPOCH) },
	{ "VP.ENTER and MEM.TRACK", RUNNABLE,
	  VP_ENTER, { .rcx = TDVPR },
	  MEM_TRACK, { .rcx = TDR }, ERR(OPERAND_BUSY, TD_EPOCH) },
	{ "VP.ENTER and VP.FLUSH", RUNNABLE,
	  VP_ENTER, { .rcx = TDVPR },
	  VP_FLUSH, { .rcx = TDVPR }, ERR(OPERAND_BUSY, RCX) },
	{ "VP.ENTER and RANGE.BLOCK", RUNNABLE,
	  VP_ENTER, { .rcx = TDVPR },
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR }, 0 },
	{ "a call that fails and another", RUNNABLE,
	  MEM_RANGE_BLOCK, { .rcx = GPA_FREE, .rdx = TDR },
	  MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR }, 0 },
};

static const struct pair *pair;
static bool met;

static uint64_t second(struct world *w)
{
	return seamcall_on(w, 1, pair->second, &pair->second_in);
}

static void meet(struct world *w)
{
	struct world other = *w;	/* with registers of its own */

	check_status(second(&other), pair->want);
	met = true;
}

static void run_pair(const void *data)
{
	struct world *w = world_new(NULL);
	uint64_t first;

	pair = data;
	met = false;
	world_to(w, pair->at);
	seamcall(w, MNG_CREATE, .rcx = OTHER, .rdx = OTHER_HKID);
	w->meanwhile = meet;
	first = seamcall_on(w, 0, pair->first, &pair->in);
	/* If nobody holds a lock the other call finds none busy. */
	w->meanwhile = NULL;
	g_assert_true(met != first >> 63);
	if (pair->first == VP_ENTER)
		leave(w, 1);
	if (first >> 63 || pair->want)
		g_assert_cmphex(second(w) >> 32, !=, TDX_OPERAND_BUSY);
	world_free(w);
}

/* A guest's ACCEPT needs no lock that the host may hold. */
static void accept_meanwhile(struct world *w)
{
	struct world guest = *w;

	check_status(tdcall(&guest, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_AUGED), 0);
	met = true;
}

static void accept_while_blocked(struct world *w)
{
	met = false;
	w->meanwhile = accept_meanwhile;
	check_status(seamcall_on(w, 1, MEM_RANGE_BLOCK, &(struct operands){
			.rcx = GPA_ADDED, .rdx = TDR }), 0);
	g_assert_true(met);
	leave(w, 1);
}

static void accept_while_added(struct world *w)
{
	check_status(seamcall_on(w, 1, MEM_RANGE_BLOCK, &(struct operands){
			.rcx = GPA_AUGED, .rdx = TDR }), 0);
	check_status(seamcall_on(w, 1, MEM_TRACK, &(struct operands){
			.rcx = TDR }), 0);
	leave(w, 1);
	check_status(enter(w, 0, TDVPR), 0);
	check_status(seamcall_on(w, 1, MEM_PAGE_REMOVE, &(struct operands){
			.rcx = GPA_AUGED, .rdx = TDR }), 0);
	met = false;
	w->meanwhile = accept_meanwhile;
	check_status(seamcall_on(w, 1, MEM_PAGE_AUG, &(struct operands){
			.rcx = GPA_AUGED, .rdx = TDR, .r8 = FREE }), 0);
	g_assert_true(met);
	leave(w, 1);
}

/* The locks that a vCPU keeps while it runs. */
static void running(struct world *w)
{
	check_status(seamcall_on(w, 1, VP_FLUSH, &(struct operands){
			.rcx = TDVPR }), ERR(OPERAND_BUSY, RCX));
	check_status(seamcall_on(w, 1, MNG_VPFLUSHDONE, &(struct operands){
			.rcx = TDR }), ERR(OPERAND_BUSY, RCX));
	check_status(seamcall_on(w, 1, MEM_TRACK, &(struct operands){
			.rcx = TDR }), 0);
	check_status(seamcall_on(w, 1, MEM_RANGE_BLOCK, &(struct operands){
			.rcx = GPA_ADDED, .rdx = TDR }), 0);
	leave(w, 1);
}

/* Two threads: the first one's call lingers, so the other's finds a lock busy, twice. */
struct caller {
	struct world w;
	unsigned int lp;
	uint64_t got, again;
	GThread *thread;
};

static gpointer write_back(gpointer data)
{
	struct caller *c = data;

	c->got = seamcall_on(&c->w, c->lp, PHYMEM_CACHE_WB, &(struct operands){});
	if (c->got)
		c->again = seamcall_on(&c->w, c->lp, PHYMEM_CACHE_WB,
				       &(struct operands){});
	return NULL;
}

static void linger(struct world *w)
{
	struct caller callers[2];
	const char *error;
	unsigned int i;

	g_assert_true(tdx_module_inject(w->m, "TDH.PHYMEM.CACHE.WB:lingers@1",
					&error));
	g_assert_false(tdx_inject_check("TDH.PHYMEM.PAGE.RDMD:lingers", &error));
	for (i = 0; i < 2; i++) {
		callers[i] = (struct caller){ .lp = i };
		callers[i].w = *w;
		callers[i].thread = g_thread_new(NULL, write_back, &callers[i]);
	}
	for (i = 0; i < 2; i++)
		g_thread_join(callers[i].thread);
	check_status(callers[0].got | callers[1].got, ERR(OPERAND_BUSY, WBCACHE));
	check_status(callers[0].got & callers[1].got, 0);
	check_status(callers[0].again | callers[1].again, ERR(OPERAND_BUSY, WBCACHE));
}

void add_lock_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *path = g_strdup_printf("/locks/%s", pairs[i].name);

		g_test_add_data_func(path, &pairs[i], run_pair);
	}
	add_test("/locks/ACCEPT while another page is blocked", ENTERED, accept_while_blocked);
	add_test("/locks/ACCEPT of a page that was just added", ENTERED, accept_while_added);
	add_test("/locks/a vCPU that runs keeps its TDVPR and TDR", ENTERED, running);
	add_test("/smp/a call that lingers keeps its locks from one that tries again", FLUSH_DONE, linger);
}
