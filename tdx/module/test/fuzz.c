// SPDX-License-Identifier: GPL-2.0
/* See fuzz.h. */
#include <stdlib.h>
#include <string.h>

#include "../seamldr.h"
#include "fuzz.h"

uint8_t fuzz_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

unsigned int fuzz_choice(struct input *in, unsigned int n)
{
	return fuzz_byte(in) % n;
}

#define NEAR	16	/* pages */

static const uint64_t values[] = {
	0, 1, 2, 3, 4, 7, ~0ull, HKID, OTHER_HKID, GLOBAL_HKID,
	GPA_ADDED, GPA_AUGED, GPA_FREE, GPA_BIG, GPA_BIG | 1, GPA_NO_TABLE,
	GPA_SHARED, GPA_SHARED | GPA_ADDED, 1ull << 48, 1ull << 51,
	TDR, TDCX, TDVPR, TDVPR2, SEPT(1), ADDED, AUGED, FREE, FREE + 4096,
	BIG, SOURCE, PARAMS, TDMR_ARRAY, OTHER, RESERVED_PAGE, PAMT(0), GIB,
	(uint64_t)HKID << KEYID_SHIFT | FREE, 3 * GIB,
	/* fields, of all scopes */
	0x0a00000300000008, 0x9900000300000400, 0x9900000300000500,
	0x1110000300000017, 0x9110000300000022, 0x9110000300000010,
	0x1310000300000040, 0x9410000300000000, 0x203c, 0x2016, 0x4000,
	0xa02000000000000b, 0xa120000000000000, 0xa020000000000007,
	0x8010000300000020,
};

uint64_t fuzz_value(struct input *in)
{
	uint8_t how = fuzz_byte(in);
	uint64_t value = values[how % G_N_ELEMENTS(values)], any;

	switch (how / G_N_ELEMENTS(values)) {
	case 1:		/* near */
		return value + fuzz_byte(in);
	case 2:		/* a page or so away */
		return value + 4096ull * fuzz_choice(in, NEAR);
	case 3:		/* one bit off */
		return value ^ 1ull << fuzz_byte(in) % 64;
	case 4:
		for (any = 0, how = 0; how < 8; how++)
			any = any << 8 | fuzz_byte(in);
		return any;
	}
	return value;
}

void fuzz_operands(struct input *in, struct operands *o)
{
	o->rcx = fuzz_value(in);
	o->rdx = fuzz_value(in);
	o->r8 = fuzz_value(in);
	o->r9 = fuzz_value(in);
}

/* Pages that the host offered, so that a TD may have them. */
static uint64_t given[1024];
static unsigned int num_given;

void fuzz_begin(void)
{
	num_given = 0;
}

/* False if no more can be noted. */
static bool note_page(uint64_t pa)
{
	if (pa >= RAM_SIZE || pa % 4096)
		return true;
	if (num_given == G_N_ELEMENTS(given))
		return false;
	given[num_given++] = pa;
	return true;
}

static const uint8_t leaves[] = {
	MNG_ADDCX, MEM_PAGE_ADD, MEM_SEPT_ADD, VP_ADDCX, MEM_PAGE_AUG,
	MEM_RANGE_BLOCK, MNG_KEY_CONFIG, MNG_CREATE, VP_CREATE, MNG_RD,
	MR_EXTEND, MR_FINALIZE, VP_FLUSH, MNG_VPFLUSHDONE, MNG_KEY_FREEID,
	MNG_INIT, VP_INIT, PHYMEM_PAGE_RDMD, VP_RD, PHYMEM_PAGE_RECLAIM,
	MEM_PAGE_REMOVE, SYS_KEY_CONFIG, SYS_INIT, SYS_RD, SYS_LP_INIT,
	SYS_TDMR_INIT, MEM_TRACK, PHYMEM_CACHE_WB, PHYMEM_PAGE_WBINVD, VP_WR,
	SYS_CONFIG, SYS_SHUTDOWN, SYS_UPDATE, SYS_DISABLE, PHYMEM_PAMT_ADD,
	PHYMEM_PAMT_REMOVE, VP_ENTER, 200,
};

#define SEAMLDR_LEAVES	4	/* one more than there are */

void fuzz_seamcall(struct world *w, struct input *in)
{
	uint64_t rax = leaves[fuzz_choice(in, sizeof(leaves))];
	struct tdx_vcpu *running = w->vcpu;
	uint8_t how = fuzz_byte(in);
	struct operands o = { 0 };

	/* LP 0 is running the vCPU: the others make the calls. */
	fuzz_operands(in, &o);
	if (!note_page(o.rcx) || !note_page(o.r8))
		return;
	if (how & 0x80)
		rax |= 1 << 16;
	else if (how & 0x40 && rax == 200)
		rax = SEAMLDR_CALL | fuzz_choice(in, SEAMLDR_LEAVES);
	w->vcpu = NULL;
	seamcall_on(w, 1 + how % (NUM_LPS - 1), rax, &o);
	if (w->vcpu)
		leave(w, 1);
	w->vcpu = running;
}

struct page { uint64_t pa; unsigned int type; };

static int compare(const void *a, const void *b)
{
	const struct page *x = a, *y = b;

	return x->pa < y->pa ? -1 : x->pa > y->pa;
}

static void look_at(struct world *w, GArray *pages, uint64_t from, uint64_t to)
{
	struct page p;

	for (p.pa = from & ~4095ull; p.pa < to; p.pa += 4096) {
		uint64_t failed = seamcall(w, PHYMEM_PAGE_RDMD, .rcx = p.pa);

		p.type = w->regs[TDX_RCX];
		if (!failed && p.type != PT_NDA && p.type != PT_RSVD)
			g_array_append_val(pages, p);
	}
}

/* All pages that belong to the module or to a TD. */
static GArray *pages_in_use(struct world *w)
{
	GArray *pages = g_array_new(false, false, sizeof(struct page));
	unsigned int i, n;

	look_at(w, pages, PAGE(0), FREE);
	for (i = 0; i < num_given; i++)
		look_at(w, pages, given[i],
			given[i] + (given[i] % (2 * MIB) ? 1 : 2 * MIB));
	g_array_sort(pages, compare);
	for (i = n = 0; i < pages->len; i++)
		if (!n || compare(&g_array_index(pages, struct page, i),
				  &g_array_index(pages, struct page, n - 1)))
			g_array_index(pages, struct page, n++) =
				g_array_index(pages, struct page, i);
	g_array_set_size(pages, n);
	return pages;
}

static void flush(struct world *w, uint64_t tdvpr)
{
	unsigned int lp;

	for (lp = 0; lp < NUM_LPS; lp++)
		seamcall_on(w, lp, VP_FLUSH, &(struct operands){ .rcx = tdvpr });
}

/* Calls @rax for TDRs or for all other pages; the last error, or 0. */
static uint64_t for_all(struct world *w, GArray *pages, unsigned int type,
			uint64_t rax)
{
	uint64_t got, failure = 0;
	unsigned int i;

	for (i = 0; i < pages->len; i++) {
		struct page *p = &g_array_index(pages, struct page, i);

		if ((p->type == PT_TDR) != (type == PT_TDR))
			continue;
		got = seamcall(w, rax, .rcx = p->pa);
		failure = got >> 63 ? got : failure;
	}
	return failure;
}

void fuzz_end(struct world *w)
{
	uint64_t failed;
	GArray *pages;
	unsigned int i;

	if (w->vcpu)
		leave(w, 1);
	failed = seamcall(w, PHYMEM_PAGE_RDMD, .rcx = FREE);
	if (failed) {
		world_free(w);	/* the TDMRs are not initialised */
		return;
	}
	pages = pages_in_use(w);
	for (i = 0; i < pages->len; i++)
		if (g_array_index(pages, struct page, i).type == PT_TDVPR)
			flush(w, g_array_index(pages, struct page, i).pa);
	for_all(w, pages, PT_TDR, MNG_VPFLUSHDONE);
	seamcall(w, PHYMEM_CACHE_WB);
	for_all(w, pages, PT_TDR, MNG_KEY_FREEID);
	/* From here on nothing may fail, or pages or keys are lost. */
	if (for_all(w, pages, PT_REG, PHYMEM_PAGE_RECLAIM) ||
	    for_all(w, pages, PT_TDR, PHYMEM_PAGE_RECLAIM))
		abort();
	for (i = 1; i < w->platform.num_tdx_keyids; i++) {
		failed = seamcall(w, MNG_CREATE, .rcx = PAGE(i),
				  .rdx = GLOBAL_HKID + i);
		if (failed)
			abort();
	}
	g_array_free(pages, true);
	world_free(w);
}
