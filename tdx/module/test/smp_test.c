// SPDX-License-Identifier: GPL-2.0
/*
 * Several LPs at once, each a thread; "make tsan" runs these tests under
 * ThreadSanitizer.
 */
#include <string.h>

#include "tests.h"

#define ROUNDS	200
#define BASE(lp) (OTHER + (lp) * MIB)

struct thread {
	struct world w;		/* a copy: the registers are the thread's */
	unsigned int lp;
	unsigned int busy, done;
	GThread *thread;
};

/* Repeats a call until it finds no lock busy. */
static uint64_t retry(struct thread *t, uint64_t rax, struct operands in)
{
	uint64_t got;

	do {
		got = seamcall_on(&t->w, t->lp, rax, &in);
		t->busy += got >> 32 == TDX_OPERAND_BUSY;
	} while (got >> 32 == TDX_OPERAND_BUSY);
	return got;
}

/* Creates and tears down a TD, next to the other threads. */
static gpointer lives(gpointer data)
{
	struct thread *t = data;
	uint64_t tdr = BASE(t->lp), hkid = GLOBAL_HKID + 1 + t->lp;
	unsigned int i, round;

	for (round = 0; round < ROUNDS / 10; round++) {
		check_status(retry(t, MNG_CREATE, (struct operands){
				.rcx = tdr, .rdx = hkid }), 0);
		check_status(retry(t, MNG_KEY_CONFIG, (struct operands){
				.rcx = tdr }), 0);
		for (i = 1; i <= t->w.profile.tdcs_pages; i++)
			check_status(retry(t, MNG_ADDCX, (struct operands){
					.rcx = tdr + i * 4096, .rdx = tdr }), 0);
		check_status(retry(t, MNG_INIT, (struct operands){
				.rcx = tdr, .rdx = PARAMS }), 0);
		check_status(retry(t, MNG_VPFLUSHDONE, (struct operands){
				.rcx = tdr }), 0);
		/* Another thread may already have written back this KeyID. */
		retry(t, PHYMEM_CACHE_WB, (struct operands){});
		check_status(retry(t, MNG_KEY_FREEID, (struct operands){
				.rcx = tdr }), 0);
		for (i = 1; i <= t->w.profile.tdcs_pages; i++)
			check_status(retry(t, PHYMEM_PAGE_RECLAIM,
				(struct operands){ .rcx = tdr + i * 4096 }), 0);
		check_status(retry(t, PHYMEM_PAGE_RECLAIM, (struct operands){
				.rcx = tdr }), 0);
		check_status(retry(t, PHYMEM_PAGE_WBINVD, (struct operands){
				.rcx = tdr | (uint64_t)GLOBAL_HKID << KEYID_SHIFT
				}), 0);
	}
	return NULL;
}

/* One TD: the guest accepts a page, the host adds and removes it. */
static unsigned int turns;	/* of the guest */

static void enter_again(struct thread *t)
{
	check_status(retry(t, VP_ENTER, (struct operands){ .rcx = TDVPR }), 0);
}

static gpointer guest(gpointer data)
{
	struct thread *t = data;

	while (t->done < ROUNDS) {
		uint64_t rax = tdcall(&t->w, TDG_MEM_PAGE_ACCEPT,
				      .rcx = GPA_FREE);

		if (t->w.outcome == TDX_EXIT)
			enter_again(t);
		else if (!rax)
			t->done++;
		else
			t->busy += rax >> 32 == TDX_OPERAND_BUSY;
		g_atomic_int_inc(&turns);
		/* Exits so that the host's tracking completes. */
		tdcall(&t->w, TDG_VP_VMCALL, .rcx = 0xfc00);
		enter_again(t);
	}
	leave(&t->w, 1);
	return NULL;
}

static gpointer host(gpointer data)
{
	struct thread *t = data;
	const struct operands page = { .rcx = GPA_FREE, .rdx = TDR };
	unsigned int before, i;
	uint64_t got;

	for (i = 0; !g_atomic_int_get(&t->done); i++) {
		check_status(retry(t, MEM_PAGE_AUG, (struct operands){
				.rcx = GPA_FREE, .rdx = TDR, .r8 = FREE }), 0);
		/* Let the guest accept it, every second time. */
		before = g_atomic_int_get(&turns);
		while (i % 2 && !g_atomic_int_get(&t->done) &&
		       g_atomic_int_get(&turns) - before < 2)
			g_thread_yield();
		check_status(retry(t, MEM_RANGE_BLOCK, page), 0);
		do
			got = retry(t, MEM_TRACK, (struct operands){
					.rcx = TDR });
		while (got >> 32 == TDX_PREVIOUS_TLB_EPOCH_BUSY);
		do
			got = retry(t, MEM_PAGE_REMOVE, page);
		while (got >> 32 == TDX_TLB_TRACKING_NOT_DONE);
		check_status(got, 0);
	}
	return NULL;
}

static void separate_tds(struct world *w)
{
	struct thread t[NUM_LPS];
	unsigned int i;

	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	for (i = 0; i < NUM_LPS; i++) {
		t[i] = (struct thread){ .lp = i };
		t[i].w = *w;
		t[i].thread = g_thread_new(NULL, lives, &t[i]);
	}
	for (i = 0; i < NUM_LPS; i++)
		g_thread_join(t[i].thread);
}

static void one_td(struct world *w)
{
	struct thread g = { .lp = 0 }, h = { .lp = 1 };

	g.w = *w;
	h.w = *w;
	g.thread = g_thread_new("guest", guest, &g);
	h.thread = g_thread_new("host", host, &h);
	g_thread_join(g.thread);
	g_atomic_int_set(&h.done, 1);
	g_thread_join(h.thread);
	g_assert_cmpuint(g.done, ==, ROUNDS);
}

void add_smp_tests(void)
{
	add_test("/smp/LPs work on TDs of their own", READY, separate_tds);
	add_test("/smp/host and guest work on one page", ENTERED, one_td);
}
