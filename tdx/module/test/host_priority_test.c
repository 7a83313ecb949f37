// SPDX-License-Identifier: GPL-2.0
/* Host priority: a SEAMCALL found an entry of the secure EPT busy. */
#include <string.h>

#include "tests.h"

#define SECOND		2000000000ull	/* of the host's TSC */
#define HINT		(1ull << 52)
#define HINT_IN_STATUS	(1ull << 60)

static uint64_t block(struct world *w, uint64_t gpa)
{
	return seamcall_on(w, 1, MEM_RANGE_BLOCK, &(struct operands){
		.rcx = gpa, .rdx = TDR });
}

/* During an ACCEPT. */
static void find_busy(struct world *w)
{
	uint64_t saved[TDX_NR_GPRS];

	w->on_write = NULL;
	memcpy(saved, w->regs, sizeof(saved));
	check_status(block(w, GPA_AUGED), ERR(OPERAND_BUSY, RCX));
	memcpy(w->regs, saved, sizeof(saved));
}

static uint64_t accept(struct world *w)
{
	return tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_AUGED);
}

/* The host waits for the entry of GPA_AUGED. */
static void start(struct world *w)
{
	w->on_write = find_busy;
	check_status(accept(w), 0);
}

static void busy(struct world *w)
{
	start(w);
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	check_status(tdcall(w, TDG_MEM_PAGE_ATTR_RD, .rcx = GPA_AUGED),
		     ERR(OPERAND_BUSY, RCX));
	check_status(tdcall(w, TDG_MEM_PAGE_ATTR_WR, .rcx = GPA_AUGED),
		     ERR(OPERAND_BUSY, RCX));
	/* Others are not concerned. */
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_ADDED),
		     STATUS(TDX_PAGE_ALREADY_ACCEPTED, 0));
	/* The host gets the lock. */
	check_status(block(w, GPA_AUGED), 0);
	accept(w);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->host[TDX_RAX], ==, 48);
}

static void timeout(struct world *w)
{
	start(w);
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	w->tsc += SECOND - 1;
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	g_assert_cmpint(w->outcome, ==, TDX_DONE);
	w->tsc++;
	/* The guest sees the same, after the exit. */
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	g_assert_cmpint(w->outcome, ==, TDX_EXIT_TRAP);
	check_status(w->host[TDX_RAX], STATUS(TDX_HOST_PRIORITY_BUSY_TIMEOUT, 0));
	check_status(enter(w, 0, TDVPR), 0);
	/* The time starts again. */
	w->tsc += SECOND;
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	g_assert_cmpint(w->outcome, ==, TDX_DONE);
	leave(w, 1);
}

/* Only busy calls in a row count. */
static void interruption(struct world *w)
{
	start(w);
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	check_status(tdcall(w, TDG_VP_INFO), 0);
	w->tsc += SECOND;
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	g_assert_cmpint(w->outcome, ==, TDX_DONE);
	leave(w, 1);
}

static void hint(struct world *w)
{
	uint64_t *guest = tdx_vcpu_state(w->vcpu);
	const char *error;

	g_assert_true(tdx_module_inject(w->m,
		"TDG.MEM.PAGE.ACCEPT:HOST_PRIORITY_BUSY_TIMEOUT@1-2", &error));
	accept(w);
	check_status(w->host[TDX_RAX], STATUS(TDX_HOST_PRIORITY_BUSY_TIMEOUT, 0));
	check_status(enter(w, 0, TDVPR | HINT), 0);
	g_assert_cmphex(guest[TDX_RAX], ==,
			ERR(OPERAND_BUSY, RCX) | HINT_IN_STATUS);
	accept(w);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmphex(guest[TDX_RAX], ==, ERR(OPERAND_BUSY, RCX));
	/* After another exit there is nothing that it could be about. */
	leave(w, 1);
	check_status(enter(w, 0, TDVPR | HINT), ERR(OPERAND_INVALID, RCX));
	check_status(enter(w, 0, TDVPR | 1ull << 53), ERR(OPERAND_INVALID, RCX));
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

static void injected(struct world *w)
{
	const char *error;

	g_assert_true(tdx_module_inject(w->m,
		"TDG.MEM.PAGE.ACCEPT:OPERAND_BUSY_HOST_PRIORITY@1", &error));
	check_status(accept(w), ERR(OPERAND_BUSY, RCX));
	g_assert_cmpint(w->outcome, ==, TDX_DONE);
	check_status(accept(w), 0);
	leave(w, 1);
}

void add_host_priority_tests(void)
{
	add_test("/host-priority/the guest has to wait for the host", ENTERED, busy);
	add_test("/host-priority/after a second the TD exits", ENTERED, timeout);
	add_test("/host-priority/the time is that of busy TDCALLs in a row", ENTERED,
		 interruption);
	add_test("/host-priority/the host can give a hint", ENTERED, hint);
	add_test("/host-priority/a plan makes the host wait", ENTERED, injected);
}
