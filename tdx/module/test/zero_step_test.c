// SPDX-License-Identifier: GPL-2.0
/* The defence against zero-stepping: many faults at one instruction. */
#include "tests.h"

#define RIP	0x1000ull
#define MANY	40

/* The guest makes no progress at @rip: it is entered and exits again. */
static void fault_as(struct world *w, uint64_t rip, uint64_t gpa, bool by_tdcall)
{
	struct tdx_exit exit = {
		.reason = 48, .qualification = TDX_READ | 3 << 7,
		.gpa = gpa + 0x123, .gla = 0x5123, .rip = rip,
		.by_tdcall = by_tdcall,
	};

	check_status(enter(w, 0, TDVPR), 0);
	tdx_td_exit(w->vcpu, &exit, tdx_vcpu_state(w->vcpu), w->host);
}

static void fault(struct world *w, uint64_t rip, uint64_t gpa)
{
	fault_as(w, rip, gpa, false);
}

/* An exit at @rip for another reason. */
static void interrupt(struct world *w, uint64_t rip)
{
	struct tdx_exit exit = { .reason = 1, .rip = rip };

	check_status(enter(w, 0, TDVPR), 0);
	tdx_td_exit(w->vcpu, &exit, tdx_vcpu_state(w->vcpu), w->host);
}

/* Instead of the entry, the host sees a fault at @gpa. */
static void check_refused(struct world *w, uint64_t gpa)
{
	g_assert_cmphex(enter(w, 0, TDVPR), ==, 48);
	g_assert_cmphex(w->regs[TDX_RCX], ==, TDX_WRITE);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, gpa);
	g_assert_cmphex(w->regs[TDX_R9], ==, 0);
}

static void aug(struct world *w, uint64_t gpa, uint64_t page)
{
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = gpa, .rdx = TDR,
			      .r8 = page), 0);
}

/* By another vCPU: this one is not entered. */
static void other_vcpu(struct world *w)
{
	unsigned int i;

	check_status(seamcall(w, VP_CREATE, .rcx = TDVPR2, .rdx = TDR), 0);
	for (i = 0; i < TDVPS_PAGES - 1; i++)
		check_status(seamcall(w, VP_ADDCX, .rcx = VP2_TDCX + i * 4096,
				      .rdx = TDVPR2), 0);
	check_status(seamcall(w, VP_INIT | V(1), .rcx = TDVPR2, .r8 = 1), 0);
	world_step(w, RUNNABLE);
}

static void accept_by_other(struct world *w, uint64_t gpa)
{
	struct tdx_vcpu *first = w->vcpu;

	check_status(enter(w, 0, TDVPR2), 0);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = gpa), 0);
	leave(w, 1);
	w->vcpu = first;
}

static void first_faults(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 7; i++)
		fault(w, RIP, GPA_FREE);
	check_refused(w, GPA_FREE);
	check_refused(w, GPA_FREE);
}

static void other_exits(struct world *w)
{
	unsigned int i;

	fault(w, RIP, GPA_FREE);
	for (i = 0; i < MANY; i++)
		fault(w, RIP, GPA_SHARED);
	for (i = 0; i < MANY; i++)
		fault_as(w, RIP, GPA_FREE, true);
	for (i = 0; i < MANY; i++)
		interrupt(w, RIP);
	/* None of them was counted. */
	for (i = 0; i < 6; i++)
		fault(w, RIP, GPA_FREE);
	check_refused(w, GPA_FREE);
}

static void progress(struct world *w)
{
	unsigned int i, j;

	for (j = 0; j < 4; j++) {
		for (i = 0; i < 6; i++)
			fault(w, RIP, GPA_FREE);
		interrupt(w, RIP + 1);
	}
	for (i = 0; i < 7; i++)
		fault(w, RIP + j, GPA_FREE);
	check_refused(w, GPA_FREE);
}

/* The first six faults are at pages that the list does not have. */
static void several_pages(struct world *w)
{
	unsigned int i;

	other_vcpu(w);
	for (i = 0; i < 6; i++)
		fault(w, RIP, GPA_NO_TABLE);
	fault(w, RIP, GPA_FREE);
	aug(w, GPA_FREE, FREE);
	/* A pending page would fault again. */
	check_refused(w, GPA_FREE);
	accept_by_other(w, GPA_FREE);

	/* The guest gets further, at the same instruction: the list grows. */
	fault(w, RIP, GPA_AUGED);
	check_refused(w, GPA_AUGED);
	aug(w, GPA_AUGED, AUGED);
	accept_by_other(w, GPA_AUGED);
	interrupt(w, RIP);
	check_status(seamcall(w, MEM_RANGE_BLOCK, .rcx = GPA_FREE, .rdx = TDR), 0);
	check_refused(w, GPA_FREE);
}

/* So has a guest that reads what a #VE was about, as it does for each pending page. */
static void tdcall_between(struct world *w)
{
	struct tdx_exit exit = { .reason = 1, .rip = RIP };
	unsigned int i, j;

	for (j = 0; j < 4; j++) {
		for (i = 0; i < 6; i++)
			fault(w, RIP, GPA_FREE);
		check_status(enter(w, 0, TDVPR), 0);
		tdcall(w, TDG_VP_VEINFO_GET);
		tdx_td_exit(w->vcpu, &exit, tdx_vcpu_state(w->vcpu), w->host);
	}
	for (i = 0; i < 7; i++)
		fault(w, RIP, GPA_FREE);
	check_refused(w, GPA_FREE);
}

/* The guest has moved on: a page that is gone again does not matter. */
static void moved_on(struct world *w)
{
	unsigned int i;

	other_vcpu(w);
	for (i = 0; i < 7; i++)
		fault(w, RIP, GPA_FREE);
	aug(w, GPA_FREE, FREE);
	accept_by_other(w, GPA_FREE);
	interrupt(w, RIP + 4);
	check_status(seamcall(w, MEM_RANGE_BLOCK, .rcx = GPA_FREE, .rdx = TDR), 0);
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

/* GPA_ADDED is mapped, so that the vCPU is entered although the list has it. */
static void full_list(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		fault(w, RIP, GPA_ADDED);
	for (i = 0; i < 32; i++)
		fault(w, RIP, GPA_ADDED);
	/* It was logged once. */
	fault(w, RIP, GPA_FREE);
	check_refused(w, GPA_FREE);
}

#define NOTIFY_ENABLES	0x9110000300000010

static void ask_for_notice(struct world *w)
{
	check_status(enter(w, 0, TDVPR), 0);
	check_status(tdcall(w, TDG_VM_WR, .rdx = NOTIFY_ENABLES, .r8 = 1,
			    .r9 = 1), 0);
	leave(w, 1);
}

static void notice(struct world *w)
{
	unsigned int i;

	ask_for_notice(w);
	for (i = 0; i < 6; i++)
		fault(w, RIP, GPA_ADDED);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, false));
	leave(w, 1);
	for (i = 0; i < 7; i++)
		fault(w, RIP, GPA_ADDED);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_true(tdx_vcpu_take_ve(w->vcpu, false));
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, false));
	check_status(tdcall(w, TDG_VP_VEINFO_GET), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, 48);
	g_assert_cmphex(w->regs[TDX_RDX], ==, TDX_READ | 3 << 7);
	g_assert_cmphex(w->regs[TDX_R8], ==, 0x5123);
	g_assert_cmphex(w->regs[TDX_R9], ==, GPA_ADDED + 0x123);
	leave(w, 1);
}

/* Not after other exits, not while blocked, not before the last #VE was read. */
static void no_notice(struct world *w)
{
	struct tdx_ve_info ve = { .reason = 10 };
	unsigned int i;

	for (i = 0; i < 8; i++)
		fault(w, RIP, GPA_ADDED);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, false));
	leave(w, 1);
	ask_for_notice(w);
	for (i = 0; i < 8; i++)
		fault(w, RIP, GPA_ADDED);
	interrupt(w, RIP);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, false));
	leave(w, 1);
	for (i = 0; i < 8; i++)
		fault(w, RIP, GPA_ADDED);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, true));
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, false));
	leave(w, 1);
	for (i = 0; i < 8; i++)
		fault(w, RIP, GPA_ADDED);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmpint(tdx_ve(w->vcpu, &ve), ==, TDX_VE);
	g_assert_false(tdx_vcpu_take_ve(w->vcpu, false));
	leave(w, 1);
}

/* An entry that looks up the pages needs the secure EPT for itself. */
static void busy_tree(struct world *w)
{
	const char *error;

	g_assert_true(tdx_module_inject(w->m,
			"TDH.VP.ENTER:OPERAND_BUSY/SEPT_TREE@1", &error));
	check_status(enter(w, 0, TDVPR), ERR(OPERAND_BUSY, SEPT_TREE));
	check_status(enter(w, 0, TDVPR), 0);
	/* It does not keep it while the guest runs. */
	check_status(seamcall_on(w, 1, MEM_RANGE_BLOCK, &(struct operands){
		.rcx = GPA_ADDED, .rdx = TDR }), 0);
	leave(w, 1);
}

static void tree_is_dropped(struct world *w)
{
	unsigned int i;

	for (i = 0; i < 7; i++)
		fault(w, RIP, GPA_ADDED);
	busy_tree(w);
}

void add_zero_step_tests(void)
{
	add_test("/zero-step/only the seventh fault is logged", RUNNABLE, first_faults);
	add_test("/zero-step/other exits and TDCALLs are not counted", RUNNABLE, other_exits);
	add_test("/zero-step/progress starts the count again", RUNNABLE, progress);
	add_test("/zero-step/an entry needs all logged pages accepted", PAGE_ADDED, several_pages);
	add_test("/zero-step/the list ends when RIP moves", PAGE_ADDED, moved_on);
	add_test("/zero-step/a TDCALL is progress", RUNNABLE, tdcall_between);
	add_test("/zero-step/a page is logged once", RUNNABLE, full_list);
	add_test("/zero-step/NOTIFY_ENABLES tells the guest", RUNNABLE, notice);
	add_test("/zero-step/there is no #VE at other entries", RUNNABLE, no_notice);
	add_test("/zero-step/an entry locks the secure EPT only to look", RUNNABLE,
		 tree_is_dropped);
}
