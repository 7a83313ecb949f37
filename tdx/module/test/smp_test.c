// SPDX-License-Identifier: GPL-2.0
/*
 * Several LPs at once; run by "make tsan" under ThreadSanitizer too.  Each
 * thread is an LP with registers of its own, on one module.
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

/* A call that may find a lock taken, as often as it takes. */
static uint64_t retry(struct thread *t, uint64_t rax, struct operands in)
{
	uint64_t got;

	do {
		got = seamcall_on(&t->w, t->lp, rax, &in);
		t->busy += got >> 32 == TDX_OPERAND_BUSY;
	} while (got >> 32 == TDX_OPERAND_BUSY);
	return got;
}

/* Lives of a TD of the thread's own, next to those of the others. */
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
		for (i = 1; i <= TDCS_PAGES; i++)
			check_status(retry(t, MNG_ADDCX, (struct operands){
					.rcx = tdr + i * 4096, .rdx = tdr }), 0);
		check_status(retry(t, MNG_INIT, (struct operands){
				.rcx = tdr, .rdx = PARAMS }), 0);
		check_status(retry(t, MNG_VPFLUSHDONE, (struct operands){
				.rcx = tdr }), 0);
		/* Another thread's write-back may have done this one's. */
		retry(t, PHYMEM_CACHE_WB, (struct operands){});
		check_status(retry(t, MNG_KEY_FREEID, (struct operands){
				.rcx = tdr }), 0);
		for (i = 1; i <= TDCS_PAGES; i++)
			check_status(retry(t, PHYMEM_PAGE_RECLAIM,
				(struct operands){ .rcx = tdr + i * 4096 }), 0);
		check_status(retry(t, PHYMEM_PAGE_RECLAIM, (struct operands){
				.rcx = tdr }), 0);
	}
	return NULL;
}

/* One TD: the guest accepts and loses pages, the host gives and takes them. */
static gpointer guest(gpointer data)
{
	struct thread *t = data;

	while (t->done < ROUNDS) {
		uint64_t rax = tdcall(&t->w, TDG_MEM_PAGE_ACCEPT,
				      .rcx = GPA_FREE);

		if (t->w.outcome == TDX_EXIT)
			check_status(enter(&t->w, t->lp, TDVPR), 0);
		else if (!rax)
			t->done++;
		else
			t->busy += rax >> 32 == TDX_OPERAND_BUSY;
		/* Comes out so that tracking goes on. */
		tdcall(&t->w, TDG_VP_VMCALL, .rcx = 0xfc00);
		check_status(enter(&t->w, t->lp, TDVPR), 0);
	}
	leave(&t->w, 1);
	return NULL;
}

static gpointer host(gpointer data)
{
	struct thread *t = data;
	const struct operands page = { .rcx = GPA_FREE, .rdx = TDR };
	uint64_t got;

	while (!g_atomic_int_get(&t->done)) {
		check_status(retry(t, MEM_PAGE_AUG, (struct operands){
				.rcx = GPA_FREE, .rdx = TDR, .r8 = FREE }), 0);
		/* Gives the guest a chance to accept it. */
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
	add_test("/smp/TDs of their own", READY, separate_tds);
	add_test("/smp/host and guest of one TD", ENTERED, one_td);
}
