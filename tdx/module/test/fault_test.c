// SPDX-License-Identifier: GPL-2.0
/* Failures: busy locks, injection, and a host that writes to private pages. */
#include <string.h>

#include "tests.h"

/* Calls that need exclusive locks fail while a vCPU runs. */
static void busy_while_running(struct world *w)
{
	static const struct { uint64_t rax; struct operands in; uint64_t want; } rows[] = {
		{ MNG_KEY_CONFIG, { .rcx = TDR }, ERR(OPERAND_BUSY, RCX) },
		{ MNG_VPFLUSHDONE, { .rcx = TDR }, ERR(OPERAND_BUSY, RCX) },
		{ MNG_KEY_FREEID, { .rcx = TDR }, ERR(OPERAND_BUSY, RCX) },
		{ MR_FINALIZE, { .rcx = TDR }, ERR(OPERAND_BUSY, RCX) },
		{ MNG_ADDCX, { .rcx = FREE, .rdx = TDR }, ERR(OPERAND_BUSY, RDX) },
		{ VP_FLUSH, { .rcx = TDVPR }, ERR(OPERAND_BUSY, RCX) },
		/* These need shared locks only. */
		{ VP_RD, { .rcx = TDVPR, .rdx = 0xa02000000000000b },
		  STATUS(TDX_VCPU_STATE_INCORRECT, 0) },
		{ MNG_RD, { .rcx = TDR, .rdx = 0x1110000300000000 }, 0 },
		{ MEM_TRACK, { .rcx = TDR }, 0 },
		{ MEM_RANGE_BLOCK, { .rcx = GPA_ADDED, .rdx = TDR }, 0 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++)
		check_status(seamcall_on(w, 1, rows[i].rax, &rows[i].in),
			     rows[i].want);
	leave(w, 1);
	/* All locks are free again. */
	check_status(seamcall(w, VP_FLUSH, .rcx = TDVPR), 0);
	check_status(seamcall(w, MNG_VPFLUSHDONE, .rcx = TDR), 0);
}

static const struct plan_row {
	const char *plan;
	bool valid;
} plans[] = {
	{ "TDH.MEM.TRACK:OPERAND_BUSY", true },
	{ "TDH.MEM.TRACK:OPERAND_BUSY/TD_EPOCH@3", true },
	{ "TDH.MEM.TRACK:PREVIOUS_TLB_EPOCH_BUSY@2-4", true },
	{ "TDH.MEM.PAGE.AUG:OPERAND_BUSY/SEPT_TREE@every3", true },
	{ "TDH.MNG.CREATE:RND_NO_ENTROPY@1in4:7", true },
	{ "TDH.MNG.CREATE:RND_NO_ENTROPY@1in4", true },
	{ "TDH.PHYMEM.CACHE.WB:INTERRUPTED_RESUMABLE@1+TDH.VP.ENTER:OPERAND_BUSY",
	  true },
	{ "TDG.VP.VMCALL:triple-fault@5", true },
	{ "TDG.VP.VMCALL:bus-lock+TDG.VP.VMCALL:notify@2", true },
	{ "TDH.VP.ENTER:OPERAND_BUSY/SEPT_TREE", true },
	{ "TDG.MEM.PAGE.ACCEPT:OPERAND_BUSY_HOST_PRIORITY", true },
	{ "TDG.MEM.PAGE.ACCEPT:HOST_PRIORITY_BUSY_TIMEOUT@2", true },
	{ "TDG.VP.VMCALL:smi@1+TDG.VP.VMCALL:ept-misconfiguration@2", true },
	{ "TDH.PHYMEM.PAGE.WBINVD:OPERAND_BUSY@1", true },
	{ "TDH.PHYMEM.CACHE.WB:NO_HKID_READY_TO_WBCACHE@1", true },
	{ "TDH.PHYMEM.PAGE.WBINVD:OPERAND_BUSY/TDR", false },
	{ "TDH.PHYMEM.PAGE.WBINVD:NO_HKID_READY_TO_WBCACHE", false },
	{ "TDH.VP.ENTER:notify", false },
	{ "", false },
	{ "TDH.MEM.TRACK", false },
	{ "TDH.NO.SUCH:OPERAND_BUSY", false },
	{ "TDH.MEM.TRACK:NO_SUCH_STATUS", false },
	{ "TDH.MEM.TRACK:SUCCESS", false },
	{ "TDH.MEM.TRACK:RND_NO_ENTROPY", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY/SEPT_TREE", false },
	{ "TDH.MEM.TRACK:triple-fault", false },
	{ "TDH.PHYMEM.PAGE.RDMD:OPERAND_BUSY", false },
	{ "TDH.MEM.TRACK:BUSY", false },
	{ "TDG.VP.INFO:OPERAND_BUSY", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY@", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY@0", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY@4-2", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY@every0", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY@1in0", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY@3x", false },
	{ "TDH.MEM.TRACK:OPERAND_BUSY+", false },
};

static void plan_syntax(void)
{
	const char *error;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(plans); i++) {
		if (tdx_inject_check(plans[i].plan, &error) != plans[i].valid)
			g_test_fail_printf("plan \"%s\"", plans[i].plan);
		g_assert_true(plans[i].valid == !error);
	}
}

static void plan(struct world *w, const char *text)
{
	const char *error;

	if (!tdx_module_inject(w->m, text, &error))
		g_test_fail_printf("%s: %s", text, error);
}

static void injected_statuses(struct world *w)
{
	const uint64_t busy = ERR(OPERAND_BUSY, TD_EPOCH);
	unsigned int i, failed = 0;

	w->trace = g_string_new(NULL);
	plan(w, "TDH.MEM.TRACK:OPERAND_BUSY/TD_EPOCH@2-3");
	for (i = 1; i <= 5; i++)
		check_status(seamcall(w, MEM_TRACK, .rcx = TDR),
			     i == 2 || i == 3 ? busy : 0);
	g_assert_nonnull(strstr(w->trace->str,
				"OPERAND_BUSY|TD_EPOCH (injected)"));
	plan(w, "TDH.MEM.TRACK:PREVIOUS_TLB_EPOCH_BUSY@every3");
	for (i = 1; i <= 6; i++)
		check_status(seamcall(w, MEM_TRACK, .rcx = TDR), i % 3 ? 0 :
			     STATUS(TDX_PREVIOUS_TLB_EPOCH_BUSY, 0));
	plan(w, "TDH.MEM.TRACK:OPERAND_BUSY@1in4:9");
	for (i = 0; i < 400; i++)
		failed += seamcall(w, MEM_TRACK, .rcx = TDR) >> 63;
	g_assert_cmpuint(failed, >, 60);
	g_assert_cmpuint(failed, <, 140);
}

static void interrupted_write_back(struct world *w)
{
	plan(w, "TDH.PHYMEM.CACHE.WB:INTERRUPTED_RESUMABLE@1-2");
	check_status(seamcall(w, PHYMEM_CACHE_WB, .rcx = 1),
		     STATUS(TDX_WBCACHE_RESUME_ERROR, 0));
	check_status(seamcall(w, PHYMEM_CACHE_WB),
		     STATUS(TDX_INTERRUPTED_RESUMABLE, 0));
	check_status(seamcall(w, MNG_KEY_FREEID, .rcx = TDR),
		     STATUS(TDX_WBCACHE_NOT_COMPLETE, 0));
	check_status(seamcall(w, PHYMEM_CACHE_WB, .rcx = 1), 0);
	check_status(seamcall(w, MNG_KEY_FREEID, .rcx = TDR), 0);
}

/* An ACCEPT that is repeated goes on where it was interrupted. */
static void interrupted_accept(struct world *w)
{
	uint8_t *first, *last;

	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_BIG | 1, .rdx = TDR,
			      .r8 = BIG), 0);
	first = private_ram(BIG);
	last = private_ram(BIG + 2 * MIB - 1);
	*first = *last = 1;
	plan(w, "TDG.MEM.PAGE.ACCEPT:interrupted@1");
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmphex(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG | 1), ==,
			TDG_MEM_PAGE_ACCEPT);
	g_assert_cmpint(w->outcome, ==, TDX_AGAIN);
	g_assert_cmpuint(*first, ==, 0);
	g_assert_cmpuint(*last, ==, 1);
	*first = 2;
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG | 1), 0);
	g_assert_cmpuint(*first, ==, 2);
	g_assert_cmpuint(*last, ==, 0);
	leave(w, 1);
}

static void forced_exits(struct world *w)
{
	plan(w, "TDG.VP.VMCALL:ept-violation@1+TDG.VP.VMCALL:triple-fault@3");
	g_assert_cmphex(tdcall(w, TDG_VP_VMCALL, .rcx = 0xfc00), ==,
			TDG_VP_VMCALL);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->host[TDX_RAX], ==, 48);
	g_assert_cmphex(w->host[TDX_R8], ==, GPA_ADDED);
	check_status(enter(w, 0, TDVPR), 0);
	tdcall(w, TDG_VP_VMCALL, .rcx = 0xfc00);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT_TRAP);
	check_status(enter(w, 0, TDVPR), 0);
	tdcall(w, TDG_VP_VMCALL, .rcx = 0xfc00);
	check_status(w->host[TDX_RAX], STATUS(TDX_NON_RECOVERABLE_VCPU, 2));
	g_assert_cmpuint(enter(w, 0, TDVPR) >> 63 | 1, ==, 1);
}

#define PROC2		0x401e
#define BUS_LOCK	(1ull << 30)
#define NOTIFY		(1ull << 31)

/* The host gets these exits only if it enabled them. */
static void asked_exits(struct world *w)
{
	static const struct { uint64_t control; uint32_t reason; } rows[] = {
		{ 0, 77 }, { BUS_LOCK, 74 }, { NOTIFY, 75 },
	};
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = PROC2,
				      .r8 = rows[i].control,
				      .r9 = BUS_LOCK | NOTIFY), 0);
		plan(w, rows[i].reason == 75 ? "TDG.VP.VMCALL:notify@1" :
					       "TDG.VP.VMCALL:bus-lock@1");
		check_status(enter(w, 0, TDVPR), 0);
		tdcall(w, TDG_VP_VMCALL, .rcx = 0xfc00);
		g_assert_cmphex(w->host[TDX_RAX], ==, rows[i].reason);
	}
}

static void forced_end(struct world *w)
{
	plan(w, "TDG.VP.VMCALL:non-recoverable@1");
	tdcall(w, TDG_VP_VMCALL, .rcx = 0xfc00);
	g_assert_cmphex(w->host[TDX_RAX] >> 32, ==, TDX_NON_RECOVERABLE_TD);
	check_status(enter(w, 0, TDVPR), STATUS(TDX_TD_FATAL, 0));
	/* It can still be torn down. */
	world_through(w, FLUSHED, GONE);
}

static void poison(struct world *w)
{
	unsigned int rights;
	uint64_t hpa;

	w->trace = g_string_new(NULL);
	g_assert_false(tdx_host_access(w->m, FREE, true));
	g_assert_false(tdx_host_access(w->m, RESERVED_PAGE, true));
	g_assert_true(tdx_host_access(w->m, TDR, false));
	g_assert_true(tdx_host_access(w->m, ADDED, false));
	g_assert_nonnull(strstr(w->trace->str, "host: read of the module's"));
	g_assert_cmpint(tdx_translate(w->vcpu, GPA_ADDED, TDX_READ, &hpa,
				      &rights, &w->exit), ==, TDX_DONE);
	g_assert_true(tdx_host_access(w->m, ADDED + 8, true));
	g_assert_nonnull(strstr(w->trace->str, "host: write to a TD's private"));
	g_assert_cmpint(tdx_translate(w->vcpu, GPA_ADDED, TDX_READ, &hpa,
				      &rights, &w->exit), ==, TDX_EXIT);
	tdx_td_exit(w->vcpu, &w->exit, tdx_vcpu_state(w->vcpu), w->host);
	g_assert_cmphex(w->host[TDX_RAX] >> 32, ==,
			TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE);
	check_status(enter(w, 0, TDVPR), STATUS(TDX_TD_FATAL, 0));
	world_through(w, FLUSHED, GONE);
	/* The page is not poisoned any more. */
	g_assert_false(tdx_host_access(w->m, ADDED, true));
}

void add_fault_tests(void)
{
	g_test_add_func("/fault/plans that can't be are refused", plan_syntax);
	add_test("/fault/a running vCPU keeps shared locks", ENTERED, busy_while_running);
	add_test("/fault/a plan chooses the calls that fail", RUNNABLE,
		 injected_statuses);
	add_test("/fault/an interrupted write-back can be resumed", FLUSH_DONE,
		 interrupted_write_back);
	add_test("/fault/an interrupted ACCEPT can be repeated", RUNNABLE, interrupted_accept);
	add_test("/fault/a plan forces TD exits", ENTERED, forced_exits);
	add_test("/fault/bus-lock and notify exits need their control", RUNNABLE, asked_exits);
	add_test("/fault/a plan makes a TD fatal", ENTERED, forced_end);
	add_test("/fault/a TD that reads poison is lost", ENTERED, poison);
}
