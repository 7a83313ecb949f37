// SPDX-License-Identifier: GPL-2.0
/* TDCALLs with operands in memory: measurement, reports, lists, attributes. */
#include <string.h>

#include "tests.h"

static void hash(const void *data, size_t len, uint8_t out[48])
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA384);
	gsize size = 48;

	g_checksum_update(sum, data, len);
	g_checksum_get_digest(sum, out, &size);
}

static void rtmr_extend(struct world *w)
{
	uint8_t buf[96] = { 0 }, want[48];
	unsigned int i, n;

	memset(private_ram(ADDED + 64), 0x42, 48);
	for (n = 0; n < 2; n++) {
		check_status(tdcall(w, TDG_MR_RTMR_EXTEND, .rcx = GPA_ADDED + 64,
				    .rdx = 2), 0);
		memset(buf + 48, 0x42, 48);
		hash(buf, sizeof(buf), want);
		memcpy(buf, want, 48);
	}
	for (i = 0; i < 6; i++) {
		check_status(tdcall(w, TDG_VM_RD,
				    .rdx = 0x1310000300000040 + 12 + i), 0);
		g_assert_cmpmem(&w->regs[TDX_R8], 8, want + 8 * i, 8);
		check_status(tdcall(w, TDG_VM_RD,
				    .rdx = 0x1310000300000040 + i), 0);
		g_assert_cmphex(w->regs[TDX_R8], ==, 0);
	}
	leave(w, 1);
}

/* The report, by the architecture's offsets. */
static void report(struct world *w)
{
	uint8_t *r = private_ram(ADDED), want[48];
	static const uint8_t zeros[512];

	memset(private_ram(ADDED + 1024), 0x99, 64);
	check_status(tdcall(w, TDG_MR_REPORT, .rcx = GPA_ADDED,
			    .rdx = GPA_ADDED + 1024), 0);
	g_assert_cmphex(r[0], ==, 0x81);
	g_assert_cmpmem(r + 1, 31, zeros, 31);
	g_assert_cmpmem(r + 128, 64, private_ram(ADDED + 1024), 64);
	hash(r + 256, 239, want);
	g_assert_cmpmem(r + 32, 48, want, 48);
	hash(r + 512, 512, want);
	g_assert_cmpmem(r + 80, 48, want, 48);
	g_assert_cmpmem(r + 495, 17, zeros, 17);
	/* TDINFO: XFAM, then MRTD, which is not 0 after PAGE.ADD. */
	g_assert_cmphex(r[512 + 8], ==, 3);
	g_assert_cmpint(memcmp(r + 512 + 16, zeros, 48), !=, 0);

	check_status(tdcall(w, TDG_MR_VERIFYREPORT, .rcx = GPA_ADDED), 0);
	r[130] ^= 1;
	check_status(tdcall(w, TDG_MR_VERIFYREPORT, .rcx = GPA_ADDED),
		     STATUS(TDX_INVALID_REPORTMACSTRUCT, 0));
	r[130] ^= 1;
	r[16] ^= 1;
	check_status(tdcall(w, TDG_MR_VERIFYREPORT, .rcx = GPA_ADDED),
		     STATUS(TDX_INVALID_CPUSVN, 0));
	leave(w, 1);
}

static const struct tdcall_row rows[] = {
	{ "RTMR.EXTEND: GPA unaligned", TDG_MR_RTMR_EXTEND,
	  { .rcx = GPA_ADDED + 32 }, ERR(OPERAND_INVALID, RCX) },
	{ "RTMR.EXTEND: shared GPA", TDG_MR_RTMR_EXTEND,
	  { .rcx = GPA_SHARED }, ERR(OPERAND_INVALID, RCX) },
	{ "RTMR.EXTEND: GPA too wide", TDG_MR_RTMR_EXTEND,
	  { .rcx = 1ull << 50 }, ERR(OPERAND_INVALID, RCX) },
	{ "RTMR.EXTEND: no such RTMR", TDG_MR_RTMR_EXTEND,
	  { .rcx = GPA_ADDED, .rdx = 4 }, ERR(OPERAND_INVALID, RDX) },
	{ "REPORT: buffer unaligned", TDG_MR_REPORT,
	  { .rcx = GPA_ADDED + 512, .rdx = GPA_ADDED },
	  ERR(OPERAND_INVALID, RCX) },
	{ "REPORT: data unaligned", TDG_MR_REPORT,
	  { .rcx = GPA_ADDED, .rdx = GPA_ADDED + 8 },
	  ERR(OPERAND_INVALID, RDX) },
	{ "REPORT: sub-type", TDG_MR_REPORT,
	  { .rcx = GPA_ADDED, .rdx = GPA_ADDED, .r8 = 1 },
	  ERR(OPERAND_INVALID, R8) },
	{ "VERIFYREPORT: GPA unaligned", TDG_MR_VERIFYREPORT,
	  { .rcx = GPA_ADDED + 128 }, ERR(OPERAND_INVALID, RCX) },
	{ "VERIFYREPORT: shared GPA", TDG_MR_VERIFYREPORT,
	  { .rcx = GPA_SHARED }, ERR(OPERAND_INVALID, RCX) },
	{ "SYS.RDALL: GPA unaligned", TDG_SYS_RDALL,
	  { .rdx = GPA_ADDED + 8, .r8 = ~0ull }, ERR(OPERAND_INVALID, RDX) },
	{ "SYS.RDALL: no such field", TDG_SYS_RDALL,
	  { .rdx = GPA_ADDED, .r8 = 0x0800000100000fff },
	  ERR(METADATA_FIELD_ID_INCORRECT, R8) },
	{ "VP.RD: another vCPU", TDG_VP_RD,
	  { .rcx = 1, .rdx = 0xa020000200000002 }, ERR(OPERAND_INVALID, RCX) },
	{ "VP.RD: field for the host only", TDG_VP_RD,
	  { .rdx = 0xa02000000000000b },
	  STATUS(TDX_METADATA_FIELD_NOT_READABLE, 0) },
	{ "VP.WR: read-only field", TDG_VP_WR,
	  { .rdx = 0xa020000200000002, .r9 = ~0ull },
	  STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
	{ "VP.WR: field for the host only", TDG_VP_WR,
	  { .rdx = 0xa02000000000000b, .r9 = ~0ull },
	  STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
	{ "SERVTD.RD: nothing is bound", TDG_SERVTD_RD, { .rcx = 1, .rdx = 0x1110000300000000 },
	  ERR(SERVTD_NOT_BOUND, RCX) },
	{ "SERVTD.WR: nothing is bound", TDG_SERVTD_WR, { .rcx = 1, .rdx = 0x1110000300000000 },
	  ERR(SERVTD_NOT_BOUND, RCX) },
	{ "PAGE.ATTR.RD: shared GPA", TDG_MEM_PAGE_ATTR_RD,
	  { .rcx = GPA_SHARED }, ERR(OPERAND_INVALID, RCX) },
	{ "PAGE.ATTR.WR: attributes of L1", TDG_MEM_PAGE_ATTR_WR,
	  { .rcx = GPA_ADDED, .rdx = 7 }, ERR(OPERAND_INVALID, RDX) },
	{ "PAGE.ATTR.WR: flags", TDG_MEM_PAGE_ATTR_WR,
	  { .rcx = GPA_ADDED, .r8 = 1 }, ERR(OPERAND_INVALID, R8) },
	/* First the attributes of each VM, then the page. */
	{ "PAGE.ATTR.WR: attributes before the level", TDG_MEM_PAGE_ATTR_WR,
	  { .rcx = 3, .rdx = 1ull << 48 }, ERR(OPERAND_INVALID, RDX) },
	{ "PAGE.ATTR.WR: flags of a VM before attributes of the next",
	  TDG_MEM_PAGE_ATTR_WR, { .rdx = 1 << 16, .r8 = 1 },
	  ERR(OPERAND_INVALID, R8) },
	{ "PAGE.ATTR.RD: shared", TDG_MEM_PAGE_ATTR_RD, { .rcx = GPA_SHARED },
	  ERR(OPERAND_INVALID, RCX) },
	{ "PAGE.ATTR.WR: level", TDG_MEM_PAGE_ATTR_WR,
	  { .rcx = 3 }, ERR(OPERAND_INVALID, RCX) },
};

/* An operand that the TD can't access faults as any access does. */
static void operand_faults(struct world *w)
{
	static const uint64_t absent = GPA_FREE, pending = GPA_AUGED;

	g_assert_cmphex(tdcall(w, TDG_MR_RTMR_EXTEND, .rcx = absent), ==,
			TDG_MR_RTMR_EXTEND);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->host[TDX_RAX], ==, 48);
	g_assert_cmphex(w->host[TDX_R8], ==, absent);
	check_status(enter(w, 0, TDVPR), 0);

	g_assert_cmphex(tdcall(w, TDG_MR_RTMR_EXTEND, .rcx = pending), ==,
			TDG_MR_RTMR_EXTEND);
	g_assert_cmpint(w->outcome, ==, TDX_VE);
	/* A #VE before the first one was read is a double fault. */
	tdcall(w, TDG_MR_RTMR_EXTEND, .rcx = pending);
	g_assert_cmpint(w->outcome, ==, TDX_DF);
	check_status(tdcall(w, TDG_VP_VEINFO_GET), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, 48);
	g_assert_cmphex(w->regs[TDX_R8], ==, 0);
	g_assert_cmphex(w->regs[TDX_R9], ==, pending);

	/* The shared EPT is empty. */
	tdcall(w, TDG_MR_REPORT, .rcx = GPA_SHARED, .rdx = GPA_ADDED);
	g_assert_cmpint(w->outcome, ==, TDX_VE);
	check_status(tdcall(w, TDG_VP_VEINFO_GET), 0);
	g_assert_cmphex(w->regs[TDX_R9], ==, GPA_SHARED);
	leave(w, 1);
}

static void sys_rdall(struct world *w)
{
	uint64_t *list = (uint64_t *)private_ram(ADDED), *at = list + 1;
	unsigned int sequences, fields = 0;

	check_status(tdcall(w, TDG_SYS_RDALL, .rdx = GPA_ADDED, .r8 = ~0ull), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, ~0ull);
	for (sequences = list[0] >> 16 & 0xffff; sequences; sequences--) {
		uint64_t id = *at & ~(0xfull << 34);
		unsigned int n = (*at++ >> 34 & 0xf) + 1;

		for (unsigned int i = 0; i < n; i++, fields++) {
			check_status(tdcall(w, TDG_SYS_RD, .rdx = id + i), 0);
			g_assert_cmphex(w->regs[TDX_R8], ==, *at++);
		}
	}
	g_assert_cmpuint(fields, >, 6);
	g_assert_cmpuint((at - list) * 8, ==, list[0] & 0xffff);
	leave(w, 1);
}

static void page_attributes(struct world *w)
{
	check_status(tdcall(w, TDG_MEM_PAGE_ATTR_RD, .rcx = GPA_ADDED), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, GPA_ADDED);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
	/* The offset in the page does not matter. */
	check_status(tdcall(w, TDG_MEM_PAGE_ATTR_RD, .rcx = GPA_AUGED + 5), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, GPA_AUGED | 1ull << 62);
	check_status(tdcall(w, TDG_MEM_PAGE_ATTR_WR, .rcx = GPA_ADDED), 0);
	check_status(tdcall(w, TDG_MEM_PAGE_ATTR_WR, .rcx = 1),
		     STATUS(TDX_PAGE_SIZE_MISMATCH, 1));
	g_assert_cmphex(w->regs[TDX_RCX] | w->regs[TDX_RDX], ==, 0);
	tdcall(w, TDG_MEM_PAGE_ATTR_WR, .rcx = GPA_FREE);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->exit.qualification, ==, TDX_WRITE);
	g_assert_cmphex(w->exit.ext_qualification & 15, ==, 5);
	check_status(enter(w, 0, TDVPR), 0);
	tdcall(w, TDG_MEM_PAGE_ATTR_RD, .rcx = GPA_FREE);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->exit.qualification, ==, 0);
}

void add_report_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/tdcall/%s",
							rows[i].name);

		g_test_add_data_func(path, &rows[i], run_tdcall_row);
	}
	add_test("/tdcall/MR.RTMR.EXTEND: hashes into one RTMR", ENTERED, rtmr_extend);
	add_test("/tdcall/MR.VERIFYREPORT: accepts what REPORT made", ENTERED, report);
	add_test("/tdcall/operands in memory fault as accesses do", ENTERED, operand_faults);
	add_test("/tdcall/SYS.RDALL: lists what SYS.RD returns", ENTERED, sys_rdall);
	add_test("/tdcall/MEM.PAGE.ATTR: fixed for L1", ENTERED, page_attributes);
}
