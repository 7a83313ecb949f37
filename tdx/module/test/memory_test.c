// SPDX-License-Identifier: GPL-2.0
/* Private and shared memory: states, tracking, translation, measurement. */
#include <string.h>

#include "tests.h"

static enum tdx_outcome translate(struct world *w, uint64_t gpa,
				  enum tdx_access access, uint64_t *hpa)
{
	unsigned int rights;

	return tdx_translate(w->vcpu, gpa, access, hpa, &rights, &w->exit);
}

static void private_access(struct world *w)
{
	uint64_t hpa;

	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_BIG | 1, .rdx = TDR,
			      .r8 = BIG), 0);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmpint(translate(w, GPA_ADDED + 0x123, TDX_READ, &hpa), ==,
			TDX_DONE);
	g_assert_cmphex(hpa, ==, (ADDED + 0x123) | (uint64_t)HKID << KEYID_SHIFT);

	/* Pending: #VE, unless the TD has SEPT_VE_DISABLE. */
	g_assert_cmpint(translate(w, GPA_AUGED, TDX_WRITE, &hpa), ==, TDX_VE);
	g_assert_cmphex(w->exit.qualification & 7, ==, TDX_WRITE);
	g_assert_cmpint(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_AUGED), ==, 0);
	g_assert_cmpint(translate(w, GPA_AUGED, TDX_WRITE, &hpa), ==, TDX_DONE);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG | 1), 0);
	g_assert_cmpint(translate(w, GPA_BIG + 0x12345, TDX_FETCH, &hpa), ==,
			TDX_DONE);
	g_assert_cmphex(hpa & 0xffffffffff, ==, BIG + 0x12345);

	/* Not mapped. */
	g_assert_cmpint(translate(w, GPA_FREE + 0x777, TDX_WRITE, &hpa), ==,
			TDX_EXIT);
	g_assert_cmpuint(w->exit.reason, ==, 48);
	g_assert_cmphex(w->exit.gpa, ==, GPA_FREE + 0x777);
	g_assert_cmphex(w->exit.ext_qualification, ==, 0);
	g_assert_cmpint(translate(w, GPA_NO_TABLE, TDX_READ, &hpa), ==,
			TDX_EXIT);
	g_assert_cmpint(translate(w, 1ull << 48, TDX_READ, &hpa), ==, TDX_RSVD);
	leave(w, 1);
}

static void pending_exit(struct world *w)
{
	uint64_t hpa;

	w->params.attributes = TD_ATTR_SEPT_VE_DISABLE;
	world_through(w, INITIALIZED, ENTERED);
	g_assert_cmpint(translate(w, GPA_AUGED, TDX_WRITE, &hpa), ==, TDX_EXIT);
	/* Just the type: the host knows the entry. */
	g_assert_cmphex(w->exit.ext_qualification, ==, 6);
	leave(w, 48);
}

/* What ACCEPT returns for each state of the entry. */
static void accept_states(struct world *w)
{
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_BIG | 1, .rdx = TDR,
			      .r8 = BIG), 0);
	check_status(enter(w, 0, TDVPR), 0);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_ADDED),
		     STATUS(TDX_PAGE_ALREADY_ACCEPTED, 0));
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = 1),
		     STATUS(TDX_PAGE_SIZE_MISMATCH, 1));
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = 2),
		     ERR(OPERAND_INVALID, RCX));
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_ADDED | 1),
		     ERR(OPERAND_INVALID, RCX));
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_ADDED | 8),
		     ERR(OPERAND_INVALID, RCX));
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_SHARED),
		     ERR(OPERAND_INVALID, RCX));

	/* A pending 2 MiB page can't be accepted in parts. */
	tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->exit.ext_qualification & 15, ==, 1);
	check_status(enter(w, 0, TDVPR), 0);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG | 1), 0);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG | 1),
		     STATUS(TDX_PAGE_ALREADY_ACCEPTED, 1));
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_BIG + 4096),
		     STATUS(TDX_PAGE_ALREADY_ACCEPTED, 1));

	/* RAX keeps the leaf: the guest repeats the TDCALL. */
	g_assert_cmphex(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_FREE), ==,
			TDG_MEM_PAGE_ACCEPT);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmphex(w->host[TDX_RAX], ==, 48);
	g_assert_cmphex(w->host[TDX_R8], ==, GPA_FREE);
}

static void accept_blocked(struct world *w)
{
	check_status(enter(w, 0, TDVPR), 0);
	tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_AUGED);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
	g_assert_cmpuint(w->exit.ext_qualification >> 38 & 0xff, ==,
			 SEPT_PENDING_BLOCKED);
}

static void accept_blocked_table(struct world *w)
{
	check_status(seamcall(w, MEM_RANGE_BLOCK, .rcx = 1, .rdx = TDR), 0);
	check_status(enter(w, 0, TDVPR), 0);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = 1),
		     STATUS(TDX_PAGE_SIZE_MISMATCH, 1));
	tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_AUGED);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT);
}

static void accept_zeroes(struct world *w)
{
	static const uint8_t zeros[4096];

	memset(ram(AUGED), 0x77, 4096);
	memset(private_ram(AUGED), 0x77, 4096);
	check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = GPA_AUGED), 0);
	g_assert_cmpmem(private_ram(AUGED), 4096, zeros, 4096);
	leave(w, 1);
}

/*
 * A page can be removed once no vCPU can have its translation.  A vCPU that was
 * entered before TDH.MEM.TRACK delays this until it exits.
 */
static void tracking(struct world *w)
{
	world_step(w, ENTERED);
	world_step(w, BLOCKED);
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_ADDED, .rdx = TDR),
		     ERR(TLB_TRACKING_NOT_DONE, RCX));
	check_status(seamcall(w, MEM_TRACK, .rcx = TDR), 0);
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_ADDED, .rdx = TDR),
		     ERR(TLB_TRACKING_NOT_DONE, RCX));
	check_status(seamcall(w, MEM_TRACK, .rcx = TDR),
		     STATUS(TDX_PREVIOUS_TLB_EPOCH_BUSY, 0));
	leave(w, 1);
	check_status(enter(w, 0, TDVPR), 0);
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_ADDED, .rdx = TDR),
		     0);
	g_assert_cmphex(w->regs[TDX_RCX] & ~0xfffull, ==, ADDED);
	g_assert_cmpuint(page_type(w, ADDED), ==, PT_NDA);
	check_status(seamcall(w, MEM_TRACK, .rcx = TDR), 0);
	leave(w, 1);

	/* The GPA and the page can be used again. */
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_ADDED, .rdx = TDR,
			      .r8 = ADDED), 0);
	check_status(seamcall(w, MEM_PAGE_REMOVE, .rcx = GPA_AUGED, .rdx = TDR),
		     0);
}

/* A blocked table hides what it maps. */
static void blocked_table(struct world *w)
{
	uint64_t hpa;

	check_status(seamcall(w, MEM_RANGE_BLOCK, .rcx = 1, .rdx = TDR), 0);
	check_status(seamcall(w, MEM_RANGE_BLOCK, .rcx = GPA_ADDED, .rdx = TDR),
		     ERR(EPT_WALK_FAILED, RCX));
	g_assert_cmpuint(w->regs[TDX_RDX] & 7, ==, 1);
	g_assert_cmpuint(w->regs[TDX_RDX] >> 8 & 0xff, ==, SEPT_NL_BLOCKED);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmpint(translate(w, GPA_ADDED, TDX_READ, &hpa), ==, TDX_EXIT);
	leave(w, 48);
}

/* A shared EPT of four levels that maps GPA_SHARED at 4 KiB. */
#define SHARED_PTE (100 * MIB + 3 * 4096)

static void put_pte(uint64_t pa, uint64_t pte)
{
	memcpy(ram(pa), &pte, sizeof(pte));
}

static void shared_access(struct world *w)
{
	static const struct {
		uint64_t pte;
		enum tdx_access access;
		enum tdx_outcome want;
		uint32_t reason;
		uint64_t qualification;
	} rows[] = {
		{ OTHER | 7, TDX_READ, TDX_DONE },
		{ OTHER | 7, TDX_WRITE, TDX_DONE },
		{ OTHER | 1, TDX_READ, TDX_DONE },
		/* Never executable, mapped or not. */
		{ OTHER | 7, TDX_FETCH, TDX_RSVD },
		{ 0, TDX_FETCH, TDX_RSVD },
		/* Read-only: the qualification has the allowed accesses. */
		{ OTHER | 1 | 1ull << 63, TDX_WRITE, TDX_EXIT, 48, 2 | 1 << 3 },
		/* Not present: a TD exit, or #VE for MMIO. */
		{ 1ull << 63, TDX_READ, TDX_EXIT, 48, 1 },
		{ 0, TDX_READ, TDX_VE },
		{ 0, TDX_WRITE, TDX_VE },
		/* Write without read is a misconfiguration. */
		{ OTHER | 2, TDX_WRITE, TDX_EXIT, 49, 0 },
	};
	uint64_t table = 100 * MIB, hpa;
	unsigned int i;

	/* GPA bit 47 is index 256 of the topmost table. */
	put_pte(table + 256 * 8, (table + 4096) | 7);
	put_pte(table + 4096, (table + 2 * 4096) | 7);
	put_pte(table + 2 * 4096, (table + 3 * 4096) | 7);
	check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = 0x203c,
			      .r8 = table, .r9 = ~0ull), 0);
	check_status(enter(w, 0, TDVPR), 0);
	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		put_pte(SHARED_PTE, rows[i].pte);
		g_assert_cmpint(translate(w, GPA_SHARED | 0x234, rows[i].access,
					  &hpa), ==, rows[i].want);
		if (rows[i].want == TDX_DONE) {
			g_assert_cmphex(hpa, ==, OTHER | 0x234);
		} else if (rows[i].want == TDX_EXIT) {
			g_assert_cmpuint(w->exit.reason, ==, rows[i].reason);
			if (rows[i].reason == 48)
				g_assert_cmphex(w->exit.qualification, ==,
						rows[i].qualification);
		}
	}
	leave(w, 1);
}

#define MAXPA_45	45	/* the narrowest */

/* GPAs at and above the TD's limits; bit 47 makes them shared. */
static const struct width_row {
	const char *name;
	const char *release;
	uint64_t flags, gpa;
	enum tdx_outcome want;
	uint64_t aug;
} widths[] = {
	{ "within MAXPA is like any other", "1.5.06", CONFIG_MAXPA_VIRT, 1ull << 44, TDX_EXIT,
	  ERR(EPT_WALK_FAILED, RCX) },
	{ "above MAXPA is reserved", "1.5.06", CONFIG_MAXPA_VIRT, 1ull << 45, TDX_RSVD,
	  ERR(OPERAND_INVALID, RCX) },
	{ "above MAXPA is reserved when shared, too", "1.5.06", CONFIG_MAXPA_VIRT, 5ull << 45, TDX_RSVD,
	  ERR(OPERAND_INVALID, RCX) },
	{ "within MAXPA is not reserved when shared", "1.5.06", CONFIG_MAXPA_VIRT, 1ull << 47, TDX_EXIT,
	  ERR(OPERAND_INVALID, RCX) },
	{ "is not limited without MAXPA_VIRT", "1.5.06", 0, 1ull << 46, TDX_EXIT,
	  ERR(EPT_WALK_FAILED, RCX) },
	{ "above its width is reserved", "1.5.06", 0, 1ull << 48, TDX_RSVD,
	  ERR(OPERAND_INVALID, RCX) },
	{ "above its width is reserved without MAXGPA_VIRT", "2.0.08", 0, 1ull << 48, TDX_RSVD,
	  ERR(OPERAND_INVALID, RCX) },
	{ "above its width raises #VE with MAXGPA_VIRT", "2.0.08", CONFIG_MAXGPA_VIRT,
	  1ull << 48, TDX_VE, ERR(OPERAND_INVALID, RCX) },
	{ "within its width does not", "2.0.08", CONFIG_MAXGPA_VIRT,
	  1ull << 46, TDX_EXIT, ERR(EPT_WALK_FAILED, RCX) },
};

static void gpa_width(const void *data)
{
	const struct width_row *row = data;
	struct world *w = world_new(row->release);
	uint64_t table = 100 * MIB, hpa;
	unsigned int i;

	world_to(w, TDCS_DONE);
	w->params.config_flags |= row->flags;
	slot_of(w, 0x80000008, WHOLE_LEAF)[0] = MAXPA_45;
	world_through(w, INITIALIZED, RUNNABLE);
	check_status(seamcall(w, MEM_PAGE_AUG, .rcx = row->gpa, .rdx = TDR, .r8 = FREE),
		     row->aug);
	for (i = 0; i < 512; i++)
		put_pte(table + 8 * i, 1ull << 63);
	check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = 0x203c, .r8 = table,
			      .r9 = ~0ull), 0);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmpint(translate(w, row->gpa, TDX_WRITE, &hpa), ==, row->want);
	if (row->want == TDX_VE || row->want == TDX_EXIT)
		g_assert_cmphex(w->exit.qualification & 7, ==, TDX_WRITE);
	/* The CPU raises #VE by itself if the shared EPT says so. */
	if (row->gpa & GPA_SHARED) {
		put_pte(table + (row->gpa >> 39) * 8, 0);
		g_assert_cmpint(translate(w, row->gpa, TDX_READ, &hpa), ==, TDX_VE);
	}
	/* Executing shared memory is refused in any case. */
	g_assert_cmpint(translate(w, GPA_SHARED, TDX_FETCH, &hpa), ==, TDX_RSVD);
	if (row->aug == ERR(OPERAND_INVALID, RCX)) {
		check_status(tdcall(w, TDG_MEM_PAGE_ACCEPT, .rcx = row->gpa), row->aug);
		check_status(tdcall(w, TDG_MR_RTMR_EXTEND, .rcx = row->gpa, .rdx = 2),
			     row->aug);
	}
	leave(w, 1);
	world_free(w);
}

/* The category of the #VE that an access raises. */
static uint64_t category_of_access(struct world *w, uint64_t gpa)
{
	const struct tdx_ve_info ve = { .reason = 48 };
	uint64_t hpa;

	g_assert_cmpint(translate(w, gpa, TDX_READ, &hpa), ==, TDX_VE);
	tdx_ve(w->vcpu, &ve);
	check_status(tdcall(w, TDG_VP_VEINFO_GET | V(1)), 0);
	g_assert_cmpuint((uint32_t)w->regs[TDX_RCX], ==, 48);
	return w->regs[TDX_RCX] >> 32;
}

static void ve_categories(void)
{
	struct world *w = world_new("2.0.08");
	uint64_t table = 100 * MIB;

	world_to(w, TDCS_DONE);
	w->params.config_flags |= CONFIG_MAXGPA_VIRT;
	world_through(w, INITIALIZED, PAGE_AUGED);
	put_pte(table + 256 * 8, 0);
	check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = 0x203c, .r8 = table,
			      .r9 = ~0ull), 0);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_cmphex(category_of_access(w, GPA_AUGED), ==, VE_PENDING_PAGE);
	g_assert_cmphex(category_of_access(w, GPA_SHARED), ==, VE_ARCHITECTURAL);
	g_assert_cmphex(category_of_access(w, 1ull << 48), ==, VE_RESERVED_GPA_BITS);
	g_assert_cmphex(category_of_access(w, GPA_AUGED), ==, VE_PENDING_PAGE);
	leave(w, 1);
	world_free(w);
}

/* MRTD, computed here as the specification describes it. */
static void hash_block(GChecksum *sum, const char *name, uint64_t gpa)
{
	uint8_t block[128] = { 0 };

	memcpy(block, name, strlen(name));
	memcpy(block + 16, &gpa, sizeof(gpa));
	g_checksum_update(sum, block, sizeof(block));
}

static void measurement(struct world *w)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA384);
	uint8_t want[48], got[48];
	gsize len = sizeof(want);
	unsigned int i;

	hash_block(sum, "MEM.PAGE.ADD", GPA_ADDED);
	for (i = 0; i < 16; i++) {
		check_status(seamcall(w, MR_EXTEND, .rcx = GPA_ADDED + 256 * i,
				      .rdx = TDR), 0);
		hash_block(sum, "MR.EXTEND", GPA_ADDED + 256 * i);
		g_checksum_update(sum, ram(SOURCE) + 256 * i, 256);
	}
	g_checksum_get_digest(sum, want, &len);

	world_step(w, RUNNABLE);
	check_status(enter(w, 0, TDVPR), 0);
	for (i = 0; i < 6; i++) {
		check_status(tdcall(w, TDG_VM_RD, .rdx = 0x1310000300000000 + i),
			     0);
		memcpy(got + 8 * i, &w->regs[TDX_R8], 8);
	}
	g_assert_cmpmem(got, sizeof(got), want, sizeof(want));
	leave(w, 1);
}

void add_memory_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(widths); i++) {
		g_autofree char *path = g_strconcat("/memory/GPA ", widths[i].name, NULL);

		g_test_add_data_func(path, &widths[i], gpa_width);
	}
	add_test("/memory/private accesses go by the state of the page", PAGE_AUGED, private_access);
	add_test("/memory/pending pages exit with SEPT_VE_DISABLE", TDCS_DONE, pending_exit);
	add_test("/memory/ACCEPT goes by the state of the page", PAGE_AUGED, accept_states);
	add_test("/memory/ACCEPT of a blocked page exits", BLOCKED, accept_blocked);
	add_test("/memory/ACCEPT says that a blocked table is no page", PAGE_AUGED,
		 accept_blocked_table);
	add_test("/memory/ACCEPT zeroes the page", ENTERED, accept_zeroes);
	add_test("/memory/REMOVE needs tracking", PAGE_AUGED, tracking);
	add_test("/memory/a blocked table hides its pages", PAGE_AUGED, blocked_table);
	add_test("/memory/shared accesses go by the shared EPT", RUNNABLE, shared_access);
	add_test("/memory/MRTD has the pages and their contents", PAGE_ADDED, measurement);
	g_test_add_func("/memory/the #VE of an access has a category", ve_categories);
}
