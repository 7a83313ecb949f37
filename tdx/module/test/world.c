// SPDX-License-Identifier: GPL-2.0
/* The machine of the unit tests and fuzzers; see world.h. */
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "world.h"

/* The host's view, then the private one.  Pages are allocated on first use. */
static uint8_t *memory;

uint8_t *ram(uint64_t pa)
{
	return memory + pa;
}

uint8_t *private_ram(uint64_t pa)
{
	return memory + RAM_SIZE + pa;
}

static uint8_t *locate(uint64_t pa, size_t len)
{
	bool private = pa >> KEYID_SHIFT;

	pa &= (1ull << KEYID_SHIFT) - 1;
	if (pa > RAM_SIZE || len > RAM_SIZE - pa)
		return NULL;
	return private ? private_ram(pa) : ram(pa);
}

static bool op_read(void *opaque, uint64_t pa, void *buf, size_t len)
{
	uint8_t *at = locate(pa, len);

	(void)opaque;
	if (at)
		memcpy(buf, at, len);
	return at;
}

static bool op_write(void *opaque, uint64_t pa, const void *buf, size_t len)
{
	struct world *w = opaque;
	uint8_t *at = locate(pa, len);

	if (w->on_write)
		w->on_write(w);
	if (at)
		memcpy(at, buf, len);
	return at;
}

/* XSAVE components that a TD may have: 64 bytes each, in order. */
#define XCR0_NATIVE	0x602e7u
#define XSS_NATIVE	0x09900u

/* Leaf 0x1f: two threads to a core, eight cores. */
static const uint32_t levels[][3] = { { 1, 2, 0x100 }, { 4, 16, 0x201 } };

static void op_cpuid(void *opaque, uint32_t leaf, uint32_t subleaf,
		     uint32_t out[4])
{
	struct world *w = opaque;
	unsigned int i;

	for (i = 0; i < 4; i++)
		out[i] = w->native;
	if (leaf == 0 || leaf == 0x80000000) {
		out[0] = w->last_leaf[leaf >> 31];
	} else if (leaf == 1) {
		out[0] = w->family;
	} else if (leaf == 0xa) {
		out[0] = (w->native & ~0xffu) | w->pmu_version;
	} else if (leaf == 0x1f) {
		memset(out, 0, 4 * sizeof(out[0]));
		if (subleaf < G_N_ELEMENTS(levels))
			memcpy(out, levels[subleaf], sizeof(levels[0]));
	} else if (leaf == 0x80000008) {
		out[0] = w->native & (0xffffff00 | PHYSICAL_BITS);
	} else if (leaf == 0xd && subleaf == 0) {
		out[0] = XCR0_NATIVE & ~w->lacks_xcr0;
		out[3] = 0;
	} else if (leaf == 0xd && subleaf == 1) {
		out[0] = 0x1f & ~w->lacks_xsave;
		out[2] = XSS_NATIVE & ~w->lacks_xss;
		out[3] = 0;
	} else if (leaf == 0xd) {
		out[0] = 64;
		out[1] = 576 + 64 * subleaf;
		out[2] = XSS_NATIVE >> subleaf & 1;
		out[3] = 0;
	} else if (leaf == 4) {
		out[0] = subleaf < 4 ? 0x121 : 0;
	}
}

/* The other MSRs; what is a mask of controls allows all, and fixes few. */
static const struct { enum tdx_host_msr msr; uint64_t value; } cpu_msrs[] = {
	{ TDX_MSR_KEYID_PARTITIONING, 4ull << 32 | (GLOBAL_HKID - 1) },
	{ TDX_MSR_MTRRCAP, 0x4d0a },
	{ TDX_MSR_SMRR_PHYSBASE, RAM_SIZE | 6 },
	{ TDX_MSR_SMRR_PHYSMASK, 0xff800c00 },
	{ TDX_MSR_PERF_CAPABILITIES, 3ull << 12 },
	{ TDX_MSR_VMX_BASIC, 3ull << 54 | 0x1000ull << 32 },
	{ TDX_MSR_VMX_TRUE_PINBASED_CTLS, ~0ull << 32 | 0x16 },
	{ TDX_MSR_VMX_TRUE_PROCBASED_CTLS, ~0ull << 32 | 0x04006172 },
	{ TDX_MSR_VMX_EPT_VPID_CAP, ~0ull },
	{ TDX_MSR_VMX_CR0_FIXED0, 0x80000021 }, { TDX_MSR_VMX_CR0_FIXED1, ~0u },
	{ TDX_MSR_VMX_CR4_FIXED0, 0x2000 }, { TDX_MSR_VMX_CR4_FIXED1, ~0u },
	{ TDX_MSR_TME_CAPABILITY, 1 }, { TDX_MSR_TME_ACTIVATE, 1ull << 48 | 3 },
};

uint64_t cpu_msr(enum tdx_host_msr msr)
{
	unsigned int i = 0;

	while (cpu_msrs[i].msr != msr)
		i++;
	return cpu_msrs[i].value;
}

static uint64_t op_rdmsr(void *opaque, unsigned int lp,
			 enum tdx_host_msr msr)
{
	struct world *w = opaque;

	if (msr == TDX_MSR_TSC_ADJUST)
		return w->tsc_adjust[lp];
	if (msr == TDX_MSR_MISC_ENABLE)
		return w->misc_enable[lp];
	return w->odd.msr == msr && w->odd.lp == lp ? w->odd.value : cpu_msr(msr);
}

static uint64_t op_tsc(void *opaque)
{
	return ((struct world *)opaque)->tsc;
}

static uint64_t op_tsc_hz(void *opaque)
{
	(void)opaque;
	return 2000000000;
}

static uint64_t op_clock(void *opaque)
{
	(void)opaque;
	return 0;
}

static void op_trace(void *opaque, const char *line)
{
	struct world *w = opaque;

	if (w->trace)
		g_string_append_printf(w->trace, "%s\n", line);
}

static void op_complain(void *opaque, const char *line)
{
	struct world *w = opaque;

	if (!strstr(line, "BUG: "))
		g_error("not a complaint: %s", line);
	w->complaints++;
}

static void op_meanwhile(void *opaque, unsigned int us)
{
	struct world *w = opaque;
	void (*meanwhile)(struct world *w) = w->meanwhile;

	(void)us;
	if (!meanwhile)
		return;
	/* Once, as what it calls comes here, too. */
	w->meanwhile = NULL;
	meanwhile(w);
}

static bool op_interrupt_pending(void *opaque, void *state)
{
	(void)state;
	return ((struct world *)opaque)->interrupt_pending;
}

static void op_free_state(void *opaque, void *state)
{
	((struct world *)opaque)->states--;
	g_free(state);
}

static const struct tdx_ops ops = {
	.read = op_read, .write = op_write, .cpuid = op_cpuid,
	.rdmsr = op_rdmsr, .tsc = op_tsc, .tsc_hz = op_tsc_hz, .clock = op_clock,
	.trace = op_trace, .complain = op_complain, .meanwhile = op_meanwhile,
	.interrupt_pending = op_interrupt_pending,
	.free_state = op_free_state,
};

static void put(uint64_t pa, const uint64_t *values, unsigned int n)
{
	memcpy(ram(pa), values, n * sizeof(*values));
}

/*
 * Two TDMRs of 1 GiB.  Reserved are the first MiB and RESERVED_PAGE in the first
 * one, and the PAMTs of both in the second.
 */
static void put_tdmrs(void)
{
	const uint64_t array[] = { TDMR_INFO(0), TDMR_INFO(1) };
	const uint64_t first[] = {
		0, GIB, PAMT(0), 4096, PAMT(1), MIB, PAMT(2), 4 * MIB,
		0, MIB, RESERVED_PAGE, 4096,
	};
	const uint64_t second[] = {
		GIB, GIB, PAMT(3), 4096, PAMT(4), MIB, PAMT(5), 4 * MIB,
		PAMT(0) - GIB, PAMT(6) - PAMT(0),
	};

	put(TDMR_ARRAY, array, G_N_ELEMENTS(array));
	put(TDMR_INFO(0), first, G_N_ELEMENTS(first));
	put(TDMR_INFO(1), second, G_N_ELEMENTS(second));
}

static void start(struct world *w, const struct tdx_ops *with)
{
	const char *error;

	w->m = tdx_module_new(with, w, &w->platform, &error);
	if (!w->m)
		g_error("%s", error);
}

void world_restart(struct world *w)
{
	tdx_module_free(w->m);
	start(w, &ops);
}

static struct world *world_new_with(const struct tdx_ops *with,
				    const char *profile,
				    const struct tdx_platform *own,
				    uint64_t arch_capabilities)
{
	struct world *w = g_new0(struct world, 1);
	unsigned int lp;
	char *wrong;

	if (!memory)
		memory = mmap(NULL, 2 * RAM_SIZE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	g_assert(memory != MAP_FAILED);
	madvise(memory, 2 * RAM_SIZE, MADV_DONTNEED);

	w->platform = (struct tdx_platform){
		.profile = &w->profile, .num_lps = NUM_LPS,
		.keyid_shift = KEYID_SHIFT,
		.num_mktme_keyids = GLOBAL_HKID - 1,
		.num_tdx_keyids = own && own->num_tdx_keyids ? own->num_tdx_keyids : 4,
		.arch_capabilities = arch_capabilities, .misc_enable = MISC_ENABLE,
		.num_cmrs = 1, .cmr = { { MIB, RAM_SIZE - MIB } },
	};
	if (!tdx_profile_parse(profile, &w->profile, &wrong))
		g_error("%s", wrong);
	if (own && own->num_cmrs) {
		w->platform.num_cmrs = own->num_cmrs;
		memcpy(w->platform.cmr, own->cmr, sizeof(own->cmr));
	}
	w->native = ~0u;
	w->pmu_version = 5;
	w->last_leaf[0] = 0x1f;
	w->last_leaf[1] = 0x80000008;
	w->family = FAMILY_MODEL_STEPPING;
	w->tsc = 1000;
	for (lp = 0; lp < NUM_LPS; lp++)
		w->misc_enable[lp] = MISC_ENABLE & ~BTS_UNAVAIL;
	w->params = (struct td_params){
		.xfam = 3, .max_vcpus = 4, .eptp_controls = 6 | 3 << 3,
		.config_flags = CONFIG_NO_RBP_MOD, .tsc_frequency = 40,
	};
	put_tdmrs();
	start(w, with);
	return w;
}

const char *const releases[] = { "1.5.06", "1.5.28", "2.0.08", NULL };

struct world *world_new(const char *profile)
{
	return world_new_with(&ops, profile, NULL, ~0ull);
}

struct world *world_new_on(const struct tdx_platform *platform)
{
	return world_new_with(&ops, NULL, platform, ~0ull);
}

struct world *world_new_untraced(const char *profile)
{
	struct tdx_ops untraced = ops;

	untraced.trace = NULL;
	return world_new_with(&untraced, profile, NULL, ~0ull);
}

struct world *world_new_cpu(const char *profile, uint64_t arch_capabilities)
{
	return world_new_with(&ops, profile, NULL, arch_capabilities);
}

void world_free(struct world *w)
{
	tdx_module_free(w->m);
	g_assert_cmpuint(w->states, ==, 0);
	if (w->trace)
		g_string_free(w->trace, true);
	tdx_profile_clear(&w->profile);
	g_free(w);
}

static const uint64_t poison = 0xa5a5a5a5a5a5a5a5;

static void load(uint64_t regs[TDX_NR_GPRS], uint64_t rax,
		 const struct operands *in)
{
	unsigned int i;

	for (i = 0; i < TDX_NR_GPRS; i++)
		regs[i] = poison;
	regs[TDX_RAX] = rax;
	regs[TDX_RCX] = in->rcx;
	regs[TDX_RDX] = in->rdx;
	regs[TDX_RBX] = in->rbx;
	regs[TDX_R8] = in->r8;
	regs[TDX_R9] = in->r9;
	regs[TDX_R10] = in->r10;
	regs[TDX_R11] = in->r11;
	regs[TDX_R12] = in->r12;
}

uint64_t seamcall_on(struct world *w, unsigned int lp, uint64_t rax,
		     const struct operands *in)
{
	struct tdx_vcpu *v;

	load(w->regs, rax, in);
	w->invalid = !tdx_seamcall(w->m, lp, w->regs, &v);
	if (!v)
		return w->regs[TDX_RAX];
	w->vcpu = v;
	if (!tdx_vcpu_state(v)) {
		tdx_vcpu_set_state(v, g_new0(uint64_t, TDX_NR_GPRS));
		w->states++;
	}
	tdx_td_enter(v, w->regs, tdx_vcpu_state(v));
	return 0;
}

uint64_t enter(struct world *w, unsigned int lp, uint64_t tdvpr)
{
	return seamcall_on(w, lp, VP_ENTER, &(struct operands){ .rcx = tdvpr });
}

void leave(struct world *w, uint32_t reason)
{
	struct tdx_exit exit = { .reason = reason };

	tdx_td_exit(w->vcpu, &exit, tdx_vcpu_state(w->vcpu), w->host);
}

uint64_t tdcall_with(struct world *w, uint64_t rax, const struct operands *in)
{
	load(w->regs, rax, in);
	w->outcome = tdx_tdcall(w->vcpu, w->regs, &w->exit);
	if (w->outcome == TDX_EXIT || w->outcome == TDX_EXIT_TRAP) {
		memcpy(tdx_vcpu_state(w->vcpu), w->regs, sizeof(w->regs));
		/* Each TDCALL is at another address. */
		w->exit.rip = ++w->rip;
		tdx_td_exit(w->vcpu, &w->exit, tdx_vcpu_state(w->vcpu), w->host);
	}
	return w->regs[TDX_RAX];
}

static const char *name_of(uint64_t value)
{
	const char *name = tdx_status_name(value);

	return name ? name : "?";
}

void check_status_at(const char *file, int line, const char *what,
		     uint64_t got, uint64_t want)
{
	if (got != want)
		g_test_fail_printf("%s:%d: %s is %s (%" PRIx64 "), not %s (%"
				   PRIx64 ")", file, line, what, name_of(got),
				   got, name_of(want), want);
}

#define NUM_CPUID_CONFIG	0x9900000100000004
#define CPUID_CONFIG_LEAVES	0x9900000300000400

uint32_t *slot_of(struct world *w, uint64_t leaf, uint64_t subleaf)
{
	unsigned int i, n;

	check_status(seamcall(w, SYS_RD, .rdx = NUM_CPUID_CONFIG), 0);
	n = w->regs[TDX_R8];
	for (i = 0; i < n; i++) {
		check_status(seamcall(w, SYS_RD, .rdx = CPUID_CONFIG_LEAVES + i), 0);
		if (w->regs[TDX_R8] == (leaf | subleaf << 32))
			return w->params.cpuid[i];
	}
	g_error("leaf 0x%x is not configurable", (uint32_t)leaf);
	return NULL;
}

unsigned int page_type(struct world *w, uint64_t pa)
{
	check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = pa), 0);
	return w->regs[TDX_RCX];
}

#define must(call)	check_status(call, 0)

static void add_pages(struct world *w, uint64_t leaf, uint64_t first,
		      unsigned int n, uint64_t parent)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		must(seamcall(w, leaf, .rcx = first + i * 4096, .rdx = parent));
}

static void init_tdmr(struct world *w, uint64_t base)
{
	uint64_t got;

	do {
		got = seamcall(w, SYS_TDMR_INIT, .rcx = base);
		must(got);
	} while (!got && w->regs[TDX_RDX] < base + GIB);
}

static void init_td(struct world *w, uint64_t tdr)
{
	memcpy(ram(PARAMS), &w->params, sizeof(w->params));
	must(seamcall(w, MNG_INIT, .rcx = tdr, .rdx = PARAMS));
}

static void reclaim(struct world *w, uint64_t pa)
{
	must(seamcall(w, PHYMEM_PAGE_RECLAIM, .rcx = pa));
}

void world_step(struct world *w, enum step step)
{
	unsigned int i;

	switch (step) {
	case SYS_INIT_DONE:
		must(seamcall(w, SYS_INIT));
		break;
	case LPS_DONE:
		for (i = 0; i < NUM_LPS; i++)
			must(seamcall_on(w, i, SYS_LP_INIT, &(struct operands){}));
		break;
	case CONFIG_DONE:
		must(seamcall(w, SYS_CONFIG, .rcx = TDMR_ARRAY, .rdx = 2,
			      .r8 = GLOBAL_HKID));
		break;
	case KEY_DONE:
		must(seamcall(w, SYS_KEY_CONFIG));
		break;
	case READY:
		init_tdmr(w, 0);
		init_tdmr(w, GIB);
		break;
	case CREATED:
		must(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = HKID));
		break;
	case KEYED:
		must(seamcall(w, MNG_KEY_CONFIG, .rcx = TDR));
		break;
	case TDCS_DONE:
		add_pages(w, MNG_ADDCX, TDCX, w->profile.tdcs_pages, TDR);
		break;
	case INITIALIZED:
		init_td(w, TDR);
		break;
	case VP_CREATED:
		must(seamcall(w, VP_CREATE, .rcx = TDVPR, .rdx = TDR));
		break;
	case VP_TDCX_DONE:
		add_pages(w, VP_ADDCX, VP_TDCX, TDVPS_PAGES - 1, TDVPR);
		break;
	case VP_DONE:
		must(seamcall(w, VP_INIT | V(1), .rcx = TDVPR, .rdx = 0x1234,
			      .r8 = 7));
		break;
	case TABLES:
		for (i = w->params.eptp_controls >> 3 & 7; i; i--)
			must(seamcall(w, MEM_SEPT_ADD, .rcx = i, .rdx = TDR,
				      .r8 = SEPT(i)));
		break;
	case PAGE_ADDED:
		memset(ram(SOURCE), 0x5c, 4096);
		must(seamcall(w, MEM_PAGE_ADD, .rcx = GPA_ADDED, .rdx = TDR,
			      .r8 = ADDED, .r9 = SOURCE));
		break;
	case RUNNABLE:
		must(seamcall(w, MR_FINALIZE, .rcx = TDR));
		break;
	case PAGE_AUGED:
		must(seamcall(w, MEM_PAGE_AUG, .rcx = GPA_AUGED, .rdx = TDR,
			      .r8 = AUGED));
		break;
	case ENTERED:
		must(enter(w, 0, TDVPR));
		break;
	case EXITED:
		tdcall(w, TDG_VP_VMCALL, .rcx = 0xffcc, .r11 = 0x10000);
		g_assert_cmpint(w->outcome, ==, TDX_EXIT_TRAP);
		break;
	case BLOCKED:
		must(seamcall(w, MEM_RANGE_BLOCK, .rcx = GPA_ADDED, .rdx = TDR));
		must(seamcall(w, MEM_RANGE_BLOCK, .rcx = GPA_AUGED, .rdx = TDR));
		break;
	case TRACKED:
		must(seamcall(w, MEM_TRACK, .rcx = TDR));
		break;
	case FLUSHED:
		must(seamcall(w, VP_FLUSH, .rcx = TDVPR));
		break;
	case FLUSH_DONE:
		must(seamcall(w, MNG_VPFLUSHDONE, .rcx = TDR));
		break;
	case CACHE_DONE:
		must(seamcall(w, PHYMEM_CACHE_WB));
		break;
	case TEARDOWN:
		must(seamcall(w, MNG_KEY_FREEID, .rcx = TDR));
		break;
	case RECLAIMED:
		for (i = 0; i < w->profile.tdcs_pages; i++)
			reclaim(w, TDCX + i * 4096);
		for (i = 0; i < TDVPS_PAGES - 1; i++)
			reclaim(w, VP_TDCX + i * 4096);
		reclaim(w, TDVPR);
		for (i = w->params.eptp_controls >> 3 & 7; i; i--)
			reclaim(w, SEPT(i));
		reclaim(w, ADDED);
		reclaim(w, AUGED);
		break;
	case GONE:
		reclaim(w, TDR);
		break;
	default:
		g_assert_not_reached();
	}
}

void world_through(struct world *w, enum step from, enum step to)
{
	enum step at;

	for (at = from; at <= to; at++)
		world_step(w, at);
}

void world_to(struct world *w, enum step step)
{
	world_through(w, AT_RESET + 1, step);
}

void other_td(struct world *w)
{
	const uint64_t vp = OTHER + 10 * 4096;

	must(seamcall(w, MNG_CREATE, .rcx = OTHER, .rdx = OTHER_HKID));
	must(seamcall(w, MNG_KEY_CONFIG, .rcx = OTHER));
	add_pages(w, MNG_ADDCX, OTHER + 4096, w->profile.tdcs_pages, OTHER);
	init_td(w, OTHER);
	must(seamcall(w, VP_CREATE, .rcx = vp, .rdx = OTHER));
	add_pages(w, VP_ADDCX, vp + 4096, TDVPS_PAGES - 1, vp);
	must(seamcall(w, VP_INIT | V(1), .rcx = vp, .r8 = 0));
	must(seamcall(w, MR_FINALIZE, .rcx = OTHER));
}

void run_tdcall_row(const void *data)
{
	const struct tdcall_row *r = data;
	struct world *w = world_new(NULL);

	world_to(w, ENTERED);
	check_status(tdcall_with(w, r->rax, &r->in), r->want);
	g_assert_cmpint(w->outcome, ==, TDX_DONE);
	leave(w, 1);
	world_free(w);
}
