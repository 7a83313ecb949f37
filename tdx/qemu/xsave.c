// SPDX-License-Identifier: GPL-2.0
/*
 * The instructions of the XSAVE feature set.  What they save and load is in xstate.c,
 * what enables it in xcr.c.
 *
 * QEMU has XSAVE, XSAVEOPT and XRSTOR in the standard format, and lacks all else.  All
 * of them are here, as they share nearly everything.
 *
 * Of the optimisations there is the one for components in their initial state, but not
 * that for components which have not changed.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "cpu.h"
#include "exec/helper-proto.h"
#include "tcg/helper-tcg.h"
#include "glue.h"
#include "hooks.h"

/* The legacy region and the header. */
#define LEGACY_MXCSR		24
#define LEGACY_ST		32
#define LEGACY_XMM		160
#define HEADER			XSAVE_LEGACY_SIZE

#define X87_SIZE		24	/* of its part before MXCSR */
#define ST_SIZE			16
#define XMM_SIZE		16

#define COMPACTED		(1ull << 63)	/* of XCOMP_BV */

#define MXCSR_RESERVED		0xffff0000u

#define MXCSR_OWNERS		(BIT_ULL(XSTATE_SSE) | BIT_ULL(XSTATE_AVX))

/* The area that an instruction works on. */
struct area {
	CPUX86State *env;
	target_ulong addr;
	int mmu_idx;
	uintptr_t ra;		/* into the translation block */
	uint8_t *host;		/* where QEMU has it, if that is one piece, or NULL */
};

static G_NORETURN void fault(struct area *a, int vector)
{
	if (vector == EXCP0D_GPF)
		raise_exception_err_ra(a->env, vector, 0, a->ra);
	raise_exception_ra(a->env, vector, a->ra);
}

/* Checks what all the instructions check. */
static struct area begin(CPUX86State *env, target_ulong addr, bool supervisor, uintptr_t ra)
{
	struct area a = { env, addr, cpu_mmu_index(env_cpu(env), false), ra };

	if (!(env->cr[4] & CR4_OSXSAVE_MASK))
		fault(&a, EXCP06_ILLOP);
	if (env->cr[0] & CR0_TS_MASK)
		fault(&a, EXCP07_PREX);
	if ((supervisor && env->hflags & HF_CPL_MASK) || addr & 63)
		fault(&a, EXCP0D_GPF);
	return a;
}

/* Memory.  Offsets and sizes are multiples of 8. */

/* How much of it is on the first page. */
static uint32_t on_page(target_ulong addr, uint32_t size)
{
	return MIN(size, TARGET_PAGE_SIZE - (addr & ~TARGET_PAGE_MASK));
}

/* Saves the look-ups of an area of this size that is on one page, as most are. */
static void look_up(struct area *a, uint32_t size, MMUAccessType access)
{
	if (on_page(a->addr, size) == size)
		a->host = probe_access(a->env, a->addr, size, access, a->mmu_idx, a->ra);
}

static void move_bytes(uint8_t *regs, uint8_t *data, uint32_t size, bool to_reg)
{
	memcpy(to_reg ? regs : data, to_reg ? data : regs, size);
}

/* Where QEMU has no address of its own for the memory. */
static void transfer_word(struct area *a, target_ulong addr, uint8_t *data, bool to_reg)
{
	if (to_reg)
		stq_le_p(data, cpu_ldq_le_mmuidx_ra(a->env, addr, a->mmu_idx, a->ra));
	else
		cpu_stq_le_mmuidx_ra(a->env, addr, ldq_le_p(data), a->mmu_idx, a->ra);
}

static void transfer(struct area *a, uint32_t offset, uint8_t *data, uint32_t size, bool to_reg)
{
	MMUAccessType access = to_reg ? MMU_DATA_LOAD : MMU_DATA_STORE;
	target_ulong addr = a->addr + offset;

	if (a->host) {
		move_bytes(data, a->host + offset, size, to_reg);
		return;
	}
	while (size) {
		uint32_t n = on_page(addr, size);
		void *host = probe_access(a->env, addr, n, access, a->mmu_idx, a->ra);

		if (host)
			move_bytes(data, host, n, to_reg);
		for (uint32_t i = 0; !host && i < n; i += 8)
			transfer_word(a, addr + i, data + i, to_reg);
		addr += n;
		data += n;
		size -= n;
	}
}

static void store(struct area *a, uint32_t offset, uint8_t *data, uint32_t size)
{
	transfer(a, offset, data, size, false);
}

static void load(struct area *a, uint32_t offset, uint8_t *data, uint32_t size)
{
	transfer(a, offset, data, size, true);
}

static uint64_t load_word(struct area *a, uint32_t offset)
{
	uint8_t word[8];

	load(a, offset, word, sizeof(word));
	return ldq_le_p(word);
}

static void store_word(struct area *a, uint32_t offset, uint64_t value)
{
	uint8_t word[8];

	stq_le_p(word, value);
	store(a, offset, word, sizeof(word));
}

/* Registers. */

/* A word of the state goes to memory, or comes from there. */
static void move(uint64_t *reg, uint8_t *word, bool to_reg)
{
	if (to_reg)
		*reg = ldq_le_p(word);
	else
		stq_le_p(word, *reg);
}

/* Vector registers that the mode of the CPU has. */
static int vector_regs(CPUX86State *env)
{
	return env->hflags & HF_CS64_MASK ? 16 : 8;
}

/* @num words of each vector register from @first_reg on, starting with word @first. */
static void move_vector(CPUX86State *env, uint8_t *data, bool to_reg, int first_reg,
			int first, int num)
{
	for (int i = 0; i < vector_regs(env); i++)
		for (int j = 0; j < num; j++, data += 8)
			move(&env->xmm_regs[first_reg + i].ZMM_Q(first + j), data, to_reg);
}

static void set_pkru(CPUX86State *env, uint32_t value)
{
	if (value == env->pkru)
		return;
	env->pkru = value;
	if (!tdx_speed_flush(env))
		tlb_flush(env_cpu(env));
}

static void move_pkru(CPUX86State *env, uint8_t *data, bool to_reg)
{
	if (to_reg)
		set_pkru(env, ldl_le_p(data));
	else
		stq_le_p(data, env->pkru);
}

static void move_component(CPUX86State *env, const struct xstate *s, uint8_t *data,
			   bool to_reg)
{
	struct xsave_msrs *m = xsave_msrs(env);

	switch (s->bit) {
	case XSTATE_AVX:
		return move_vector(env, data, to_reg, 0, 2, 2);
	case XSTATE_OPMASK:
		for (int i = 0; i < NB_OPMASK_REGS; i++)
			move(&env->opmask_regs[i], data + 8 * i, to_reg);
		return;
	case XSTATE_ZMM_HI256:
		return move_vector(env, data, to_reg, 0, 4, 4);
	case XSTATE_HI16_ZMM:
		if (vector_regs(env) == 16)
			move_vector(env, data, to_reg, 16, 0, 8);
		return;
	case XSTATE_PKRU:
		return move_pkru(env, data, to_reg);
	case XSTATE_CET_U:
		move(&m->u_cet, data, to_reg);
		move(&m->pl_ssp[3], data + 8, to_reg);
		return;
	case XSTATE_CET_S:
		for (int i = 0; i < 3; i++)
			move(&m->pl_ssp[i], data + 8 * i, to_reg);
		return;
	case XSTATE_TILECFG:
		return move_bytes(env->xtilecfg, data, s->size, to_reg);
	case XSTATE_TILEDATA:
		return move_bytes(env->xtiledata, data, s->size, to_reg);
	}
	g_assert_not_reached();
}

/* What the mode of the CPU can't reach of a component is neither saved nor loaded. */
static uint32_t reachable_size(CPUX86State *env, const struct xstate *s)
{
	if (vector_regs(env) == 16)
		return s->size;
	if (s->bit == XSTATE_AVX || s->bit == XSTATE_ZMM_HI256)
		return s->size / 2;
	return s->bit == XSTATE_HI16_ZMM ? 0 : s->size;
}

/* x87 up to MXCSR; QEMU keeps no pointers to instructions and operands. */
static void get_x87(CPUX86State *env, uint8_t data[X87_SIZE])
{
	uint8_t used = 0;

	for (int i = 0; i < 8; i++)
		used |= !env->fptags[i] << i;
	memset(data, 0, X87_SIZE);
	stw_le_p(data, env->fpuc);
	stw_le_p(data + 2, (env->fpus & ~0x3800) | (env->fpstt & 7) << 11);
	data[4] = used;
}

static void set_x87(CPUX86State *env, const uint8_t data[X87_SIZE])
{
	uint16_t status = lduw_le_p(data + 2);

	cpu_set_fpuc(env, lduw_le_p(data));
	env->fpstt = status >> 11 & 7;
	/* Whether there is an exception pending, twice. */
	env->fpus = status & ~0xb800;
	if (status & 0x80)
		env->fpus |= 0x8000;
	for (int i = 0; i < 8; i++)
		env->fptags[i] = !(data[4] & 1 << i);
}

/* ST(0) to ST(7). */
static void move_st(CPUX86State *env, uint8_t *data, bool to_reg)
{
	for (int i = 0; i < 8; i++, data += ST_SIZE) {
		floatx80 *st = &env->fpregs[(env->fpstt + i) & 7].d;

		move(&st->low, data, to_reg);
		if (to_reg)
			st->high = lduw_le_p(data + 8);
		else
			stq_le_p(data + 8, st->high);
	}
}

static const uint8_t x87_init[X87_SIZE] = { FCW_INIT & 0xff, FCW_INIT >> 8 };

static void init_x87(CPUX86State *env)
{
	set_x87(env, x87_init);
	memset(env->fpregs, 0, sizeof(env->fpregs));
}

/* XSAVE, XSAVEOPT, XSAVEC, XSAVES. */

enum saved { ALL, USED };		/* whether a component in its initial state is written */

/* These get what is to be saved and return whether it is not the initial state. */

static bool get_all_x87(CPUX86State *env, uint8_t x87[X87_SIZE], uint8_t st[8 * ST_SIZE])
{
	get_x87(env, x87);
	move_st(env, st, false);
	return memcmp(x87, x87_init, X87_SIZE) || !buffer_is_zero(st, 8 * ST_SIZE);
}

static bool get_xmm(CPUX86State *env, uint8_t xmm[16 * XMM_SIZE])
{
	move_vector(env, xmm, false, 0, 0, 2);
	return !buffer_is_zero(xmm, vector_regs(env) * XMM_SIZE);
}

static bool get_component(CPUX86State *env, const struct xstate *s, uint8_t *data)
{
	uint32_t size = reachable_size(env, s);

	move_component(env, s, data, false);
	return size && !buffer_is_zero(data, size);
}

/* What XFD disables counts as not in use. */
static uint64_t in_use(CPUX86State *env)
{
	uint64_t enabled = env->xcr0 & ~xsave_msrs(env)->xfd;
	uint8_t x87[X87_SIZE], st[8 * ST_SIZE], data[MAX_XSTATE_SIZE];
	uint64_t used = 0;

	if (get_all_x87(env, x87, st))
		used |= BIT_ULL(XSTATE_X87);
	if (get_xmm(env, data))
		used |= BIT_ULL(XSTATE_SSE);
	for (int i = 0; i < num_xstates; i++)
		if (enabled & BIT_ULL(xstates[i].bit) &&
		    get_component(env, &xstates[i], data))
			used |= BIT_ULL(xstates[i].bit);
	return used & enabled;
}

/* These save a component and return its bit if it is not in its initial state. */

static uint64_t save_x87(struct area *a, enum saved which)
{
	uint8_t x87[X87_SIZE], st[8 * ST_SIZE];
	bool used = get_all_x87(a->env, x87, st);

	if (used || which == ALL) {
		store(a, 0, x87, sizeof(x87));
		store(a, LEGACY_ST, st, sizeof(st));
	}
	return used ? BIT_ULL(XSTATE_X87) : 0;
}

static void save_mxcsr(struct area *a)
{
	store_word(a, LEGACY_MXCSR, a->env->mxcsr | 0xffffull << 32);
}

/* The compacted format takes MXCSR for a part of SSE. */
static uint64_t save_sse(struct area *a, enum saved which, bool compacted)
{
	uint32_t size = vector_regs(a->env) * XMM_SIZE;
	uint8_t xmm[16 * XMM_SIZE];
	bool used = get_xmm(a->env, xmm) || (compacted && a->env->mxcsr != MXCSR_INIT);

	if (used && compacted)
		save_mxcsr(a);
	if (used || which == ALL)
		store(a, LEGACY_XMM, xmm, size);
	return used ? BIT_ULL(XSTATE_SSE) : 0;
}

static uint64_t save_component(struct area *a, const struct xstate *s, uint32_t offset,
			       enum saved which)
{
	bool disabled = xsave_msrs(a->env)->xfd & BIT_ULL(s->bit), used;
	uint8_t data[MAX_XSTATE_SIZE];

	if (disabled && which == USED)
		return 0;
	if (disabled)
		memset(data, 0, s->size);
	used = !disabled && get_component(a->env, s, data);
	if (used || which == ALL)
		store(a, offset, data, reachable_size(a->env, s));
	return used ? BIT_ULL(s->bit) : 0;
}

static void save(struct area *a, uint64_t components, enum saved which, bool compacted)
{
	uint32_t end = XSAVE_LEGACY_SIZE + XSAVE_HEADER_SIZE;
	uint64_t used = 0;

	look_up(a, xstate_size(components, compacted), MMU_DATA_STORE);
	update_mxcsr_from_sse_status(a->env);
	if (components & BIT_ULL(XSTATE_X87))
		used |= save_x87(a, which);
	if (!compacted && components & MXCSR_OWNERS)
		save_mxcsr(a);
	if (components & BIT_ULL(XSTATE_SSE))
		used |= save_sse(a, which, compacted);
	for (int i = 0; i < num_xstates; i++) {
		uint32_t offset = xstate_place(&xstates[i], compacted, end);

		if (!(components & BIT_ULL(xstates[i].bit)))
			continue;
		used |= save_component(a, &xstates[i], offset, which);
		end = offset + xstates[i].size;
	}
	if (!compacted)
		used |= load_word(a, HEADER) & ~components;
	store_word(a, HEADER, used);
	if (compacted)
		store_word(a, HEADER + 8, components | COMPACTED);
}

/* XRSTOR, XRSTORS. */

struct header { uint64_t used, format, zero[6]; };

/* Raises #GP for a header that is wrong.  @allowed are all components that may be there. */
static void check_header(struct area *a, const struct header *h, uint64_t allowed)
{
	bool compacted = h->format & COMPACTED;
	uint64_t there = compacted ? h->format & ~COMPACTED : a->env->xcr0;

	if (there & ~allowed || h->used & ~there)
		fault(a, EXCP0D_GPF);
	if (compacted ? !buffer_is_zero(h->zero, sizeof(h->zero)) : h->format || h->zero[0])
		fault(a, EXCP0D_GPF);
}

static struct header load_header(struct area *a)
{
	uint8_t data[XSAVE_HEADER_SIZE];
	struct header h = { 0 };

	look_up(a, XSAVE_LEGACY_SIZE + XSAVE_HEADER_SIZE, MMU_DATA_LOAD);
	load(a, HEADER, data, sizeof(data));
	h.used = ldq_le_p(data);
	h.format = ldq_le_p(data + 8);
	for (int i = 0; i < ARRAY_SIZE(h.zero); i++)
		h.zero[i] = ldq_le_p(data + 16 + 8 * i);
	return h;
}

static void load_x87(struct area *a, bool used)
{
	uint8_t x87[X87_SIZE], st[8 * ST_SIZE];

	if (!used)
		return init_x87(a->env);
	load(a, 0, x87, sizeof(x87));
	load(a, LEGACY_ST, st, sizeof(st));
	set_x87(a->env, x87);
	move_st(a->env, st, true);
}

static void load_sse(struct area *a, bool used)
{
	uint8_t xmm[16 * XMM_SIZE] = { 0 };

	if (used)
		load(a, LEGACY_XMM, xmm, vector_regs(a->env) * XMM_SIZE);
	move_vector(a->env, xmm, true, 0, 0, 2);
}

/* The standard format has MXCSR in any case. */
static void load_mxcsr(struct area *a, uint64_t components, const struct header *h)
{
	uint32_t mxcsr = MXCSR_INIT;

	if (!(components & (h->format & COMPACTED ? BIT_ULL(XSTATE_SSE) : MXCSR_OWNERS)))
		return;
	if (!(h->format & COMPACTED) || h->used & BIT_ULL(XSTATE_SSE))
		mxcsr = load_word(a, LEGACY_MXCSR);
	if (mxcsr & MXCSR_RESERVED)
		fault(a, EXCP0D_GPF);
	cpu_set_mxcsr(a->env, mxcsr);
}

/* Whether the MSRs that are part of a component take these values. */
static bool component_is_valid(CPUX86State *env, const struct xstate *s, const uint8_t *data)
{
	if (s->bit == XSTATE_CET_U)
		return xsave_msr_is_valid(env, MSR_U_CET, ldq_le_p(data)) &&
		       xsave_msr_is_valid(env, MSR_PL3_SSP, ldq_le_p(data + 8));
	if (s->bit == XSTATE_CET_S)
		return xsave_msr_is_valid(env, MSR_PL0_SSP, ldq_le_p(data)) &&
		       xsave_msr_is_valid(env, MSR_PL0_SSP + 1, ldq_le_p(data + 8)) &&
		       xsave_msr_is_valid(env, MSR_PL0_SSP + 2, ldq_le_p(data + 16));
	return true;
}

static void load_component(struct area *a, const struct xstate *s, uint32_t offset, bool used)
{
	uint32_t size = reachable_size(a->env, s);
	uint8_t data[MAX_XSTATE_SIZE];

	if (used)
		load(a, offset, data, size);
	else
		memset(data, 0, size);
	if (!component_is_valid(a->env, s, data))
		fault(a, EXCP0D_GPF);
	move_component(a->env, s, data, true);
}

/* #NM for what the system has to allow first. */
static void check_xfd(struct area *a, uint64_t components)
{
	struct xsave_msrs *m = xsave_msrs(a->env);

	if (!(m->xfd & components))
		return;
	m->xfd_err = m->xfd & components;
	fault(a, EXCP07_PREX);
}

static void restore(struct area *a, uint64_t components, const struct header *h)
{
	bool compacted = h->format & COMPACTED;
	uint64_t there = compacted ? h->format & ~COMPACTED : h->used;
	uint32_t end = XSAVE_LEGACY_SIZE + XSAVE_HEADER_SIZE;

	a->host = NULL;
	look_up(a, xstate_size(there, compacted), MMU_DATA_LOAD);
	check_xfd(a, components & h->used);
	load_mxcsr(a, components, h);
	if (components & BIT_ULL(XSTATE_X87))
		load_x87(a, h->used & BIT_ULL(XSTATE_X87));
	if (components & BIT_ULL(XSTATE_SSE))
		load_sse(a, h->used & BIT_ULL(XSTATE_SSE));
	for (int i = 0; i < num_xstates; i++) {
		uint64_t bit = BIT_ULL(xstates[i].bit);
		uint32_t offset = xstate_place(&xstates[i], compacted, end);

		if (components & bit)
			load_component(a, &xstates[i], offset, h->used & bit);
		if (there & bit)
			end = offset + xstates[i].size;
	}
}

/* The instructions. */

bool tdx_hook_xsave(CPUX86State *env, target_ulong addr, uint64_t components, bool optimize,
		    uintptr_t ra)
{
	struct area a;

	if (!tdx_present)
		return false;
	a = begin(env, addr, false, ra);
	save(&a, components & env->xcr0, optimize ? USED : ALL, false);
	return true;
}

bool tdx_hook_xrstor(CPUX86State *env, target_ulong addr, uint64_t components, uintptr_t ra)
{
	struct header h;
	struct area a;

	if (!tdx_present)
		return false;
	a = begin(env, addr, false, ra);
	h = load_header(&a);
	check_header(&a, &h, env->xcr0);
	restore(&a, components & env->xcr0, &h);
	return true;
}

static uint64_t enabled(CPUX86State *env)
{
	return env->xcr0 | xsave_msrs(env)->xss;
}

static void xrstors(struct area *a, uint64_t components)
{
	struct header h = load_header(a);

	if (!(h.format & COMPACTED))
		fault(a, EXCP0D_GPF);
	check_header(a, &h, enabled(a->env));
	restore(a, components & enabled(a->env), &h);
}

/* ModRM.reg of those in group 9. */
enum { XRSTORS = 3, XSAVEC = 4, XSAVES = 5 };

/* Where the CPU is as QEMU's own, it has none of them. */
void helper_tdx_xsave(CPUX86State *env, target_ulong addr, uint64_t components, uint32_t op)
{
	struct area a;

	if (!tdx_present)
		raise_exception_ra(env, EXCP06_ILLOP, GETPC());
	a = begin(env, addr, op != XSAVEC, GETPC());
	if (op == XRSTORS)
		xrstors(&a, components);
	else
		save(&a, components & (op == XSAVES ? enabled(env) : env->xcr0), USED, true);
}

/* Index 1: the components of XCR0 that are in use. */
bool tdx_hook_xgetbv(CPUX86State *env, uint32_t index, uint64_t *value)
{
	if (!tdx_present || index != 1 || !(env->cr[4] & CR4_OSXSAVE_MASK))
		return false;
	*value = in_use(env);
	return true;
}
