// SPDX-License-Identifier: GPL-2.0
/* Bring-up, and TDs from TDH.MNG.CREATE to the last TDH.PHYMEM.PAGE.RECLAIM. */
#include <string.h>

#include "tests.h"

/* The TD has no page any more. */
static void all_free(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 48; i++)
		g_assert_cmpuint(page_type(w, PAGE(i)), ==, PT_NDA);
}

static void whole_life(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 20; i++) {
		world_through(w, CREATED, GONE);
		all_free(w);
	}
}

/* A TD can be torn down at any step, and gives back its KeyID and pages. */
static void life_cut_short(struct world *w)
{
	enum step last;
	unsigned int i;

	for (last = CREATED; last < FLUSHED; last++) {
		world_through(w, CREATED, last);
		if (last == ENTERED)
			leave(w, 1);
		seamcall(w, VP_FLUSH, .rcx = TDVPR);
		world_through(w, FLUSH_DONE, TEARDOWN);
		for (i = 1; i < 48; i++)
			seamcall(w, PHYMEM_PAGE_RECLAIM, .rcx = PAGE(i));
		world_step(w, GONE);
		all_free(w);
	}
}

/* RDMD returns type and owner of a page. */
static void page_types(struct world *w)
{
	static const struct { uint64_t pa; unsigned int type; } pages[] = {
		{ TDR, PT_TDR }, { TDCX, PT_TDCX }, { TDVPR, PT_TDVPR },
		{ VP_TDCX, PT_TDCX }, { SEPT(1), PT_EPT }, { ADDED, PT_REG },
		{ AUGED, PT_REG }, { FREE, PT_NDA }, { RESERVED_PAGE, PT_RSVD },
		{ PAMT(0), PT_RSVD }, { PAMT(5), PT_RSVD }, { 0, PT_RSVD },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(pages); i++) {
		g_assert_cmpuint(page_type(w, pages[i].pa), ==, pages[i].type);
		if (pages[i].type != PT_NDA && pages[i].type != PT_RSVD &&
		    pages[i].type != PT_TDR)
			g_assert_cmphex(w->regs[TDX_RDX], ==, TDR);
	}
}

/* Each KeyID but the global one can be assigned, to one TD. */
static void all_keys(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		check_status(seamcall(w, MNG_CREATE, .rcx = PAGE(i),
				      .rdx = GLOBAL_HKID + 1 + i), 0);
	for (i = 0; i < 3; i++)
		check_status(seamcall(w, MNG_CREATE, .rcx = FREE,
				      .rdx = GLOBAL_HKID + 1 + i),
			     STATUS(TDX_HKID_NOT_FREE, 0));
}

static void two_tds(struct world *w)
{
	other_td(w);
	/* A page of one TD can't be given to the other. */
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = TDR,
			      .r8 = OTHER + 4096),
		     ERR(PAGE_METADATA_INCORRECT, R8));
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_FREE, .rdx = OTHER,
			      .r8 = FREE), ERR(EPT_WALK_FAILED, RCX));
	/* One is torn down, the other still runs. */
	world_through(w, PAGE_AUGED, GONE);
	check_status(enter(w, 0, OTHER + 10 * 4096), 0);
	leave(w, 1);
}

static void association(struct world *w)
{
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
	check_status(enter(w, 1, TDVPR), STATUS(TDX_VCPU_ASSOCIATED, 0));
	check_status(seamcall_on(w, 1, VP_RD, &(struct operands){
			.rcx = TDVPR, .rdx = 0xa02000000000000b }),
		     STATUS(TDX_VCPU_ASSOCIATED, 0));
	check_status(seamcall_on(w, 1, VP_FLUSH, &(struct operands){
			.rcx = TDVPR }), STATUS(TDX_VCPU_NOT_ASSOCIATED, 0));
	check_status(seamcall(w, VP_FLUSH, .rcx = TDVPR), 0);
	check_status(enter(w, 1, TDVPR), 0);
	leave(w, 1);
	check_status(seamcall_on(w, 1, VP_FLUSH, &(struct operands){
			.rcx = TDVPR }), 0);
}

#define PEND_NMI	0xa02000000000000b

static void triple_fault(struct world *w)
{
	struct tdx_exit exit = {
		.status = STATUS(TDX_NON_RECOVERABLE_VCPU, 0), .reason = 2,
	};

	tdx_td_exit(w->vcpu, &exit, tdx_vcpu_state(w->vcpu), w->host);
	check_status(w->host[TDX_RAX], STATUS(TDX_NON_RECOVERABLE_VCPU, 2));
	check_status(enter(w, 0, TDVPR), STATUS(TDX_VCPU_STATE_INCORRECT, 0));
	/* The host can still read, but not write. */
	check_status(seamcall(w, VP_RD, .rcx = TDVPR, .rdx = PEND_NMI), 0);
	check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = PEND_NMI, .r8 = 1,
			      .r9 = 1), STATUS(TDX_VCPU_STATE_INCORRECT, 0));
}

static void vcpus(struct world *w)
{
	struct { uint64_t id, want; } try[] = {
		{ 7, STATUS(TDX_X2APIC_ID_NOT_UNIQUE, 7) }, { 8, 0 },
	};
	unsigned int i;

	check_status(seamcall(w, VP_CREATE, .rcx = TDVPR2, .rdx = TDR), 0);
	for (i = 0; i < TDVPS_PAGES - 1; i++)
		check_status(seamcall(w, VP_ADDCX, .rcx = VP2_TDCX + i * 4096,
				      .rdx = TDVPR2), 0);
	for (i = 0; i < G_N_ELEMENTS(try); i++)
		check_status(seamcall(w, VP_INIT | V(1), .rcx = TDVPR2,
				      .r8 = try[i].id), try[i].want);
}

static void too_many_vcpus(struct world *w)
{
	unsigned int i;

	w->params.max_vcpus = 1;
	world_through(w, INITIALIZED, VP_DONE);
	check_status(seamcall(w, VP_CREATE, .rcx = TDVPR2, .rdx = TDR), 0);
	for (i = 0; i < TDVPS_PAGES - 1; i++)
		check_status(seamcall(w, VP_ADDCX, .rcx = VP2_TDCX + i * 4096,
				      .rdx = TDVPR2), 0);
	check_status(seamcall(w, VP_INIT | V(1), .rcx = TDVPR2, .r8 = 9),
		     STATUS(TDX_MAX_VCPUS_EXCEEDED, 0));
}

/* LP.INIT on one LP is not enough. */
static void lp_not_ready(struct world *w)
{
	check_status(seamcall_on(w, 0, SYS_LP_INIT, &(struct operands){}), 0);
	check_status(seamcall_on(w, 1, PHYMEM_PAGE_RDMD, &(struct operands){}),
		     STATUS(TDX_SYS_NOT_READY, 0));
}

void add_life_tests(void)
{
	add_test("/life/a TD can be created again and again", READY, whole_life);
	add_test("/life/a TD can be torn down at each step", READY, life_cut_short);
	add_test("/life/each page has its type and owner", PAGE_AUGED, page_types);
	add_test("/life/each KeyID is for one TD", READY, all_keys);
	add_test("/life/two TDs don't share pages", RUNNABLE, two_tds);
	add_test("/life/a vCPU runs on one LP until flushed", RUNNABLE, association);
	add_test("/life/after a triple fault a vCPU can only be read", ENTERED, triple_fault);
	add_test("/life/x2APIC ids are unique", VP_DONE, vcpus);
	add_test("/life/no more vCPUs than MAX_VCPUS", TDCS_DONE, too_many_vcpus);
	add_test("/life/no call before LP.INIT on all LPs", SYS_INIT_DONE, lp_not_ready);
}
