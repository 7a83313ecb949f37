// SPDX-License-Identifier: GPL-2.0
#include "tdx/cpuid_map.h"
#include "tdx/tdx_guest.h"

struct cpuid_map cpuid_map;

struct cpuid_map_leaf *cpuid_map_find(u32 leaf, u32 subleaf)
{
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		if (m->leaf == leaf && m->subleaf == subleaf)
			return m;
	}
	return NULL;
}

/* A bit that depends on several things belongs to the first of these classes. */
enum cpuid_class cpuid_map_class(struct cpuid_map_leaf *m, int reg, int bit)
{
	static const enum cpuid_class order[] = {
		CPUID_CONFIG, CPUID_RUNTIME, CPUID_XFAM, CPUID_ATTRIBUTES,
		CPUID_OTHER,
	};

	for (int i = 0; i < ARRAY_SIZE(order); i++)
		if (m->by[order[i]][reg] & BIT(bit))
			return order[i];
	if (m->reported[reg] & BIT(bit))
		return CPUID_NO_EFFECT;
	return m->value[reg] & BIT(bit) ? CPUID_FIXED_1 : CPUID_FIXED_0;
}

struct cpuid_request cpuid_request_none(u64 xfam)
{
	return (struct cpuid_request) { .xfam = xfam, .gpa_width = 48 };
}

struct cpuid_request cpuid_request_all(u64 xfam, u32 pattern)
{
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;
	struct cpuid_request req = cpuid_request_none(xfam);

	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &caps->cpuid.entries[i];

		if (e->function == TOPOLOGY_LEAF)
			continue;
		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			req.reg[i][reg] = cpuid_entry_regs(e)[reg] & pattern;
		if (e->function == WIDTH_LEAF)
			req.reg[i][KVM_CPUID_EAX] &= ~GENMASK(23, 16);
		if (e->function == FAMILY_LEAF)
			req.reg[i][KVM_CPUID_EAX] = 0;
	}
	return req;
}

struct kvm_vm *cpuid_request_td(const struct cpuid_request *req, u64 *hw_error)
{
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	int r = 0;

	vm_create_irqchip(vm);
	if (req->tsc_khz)
		r = __vm_ioctl(vm, KVM_SET_TSC_KHZ, (void *)(u64)req->tsc_khz);

	init->xfam = req->xfam;
	init->attributes = req->attributes;
	init->cpuid.nent = caps->cpuid.nent;
	for (int i = 0; i < caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &init->cpuid.entries[i];

		*e = caps->cpuid.entries[i];
		e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		memcpy(cpuid_entry_regs(e), req->reg[i], sizeof(req->reg[i]));
	}
	tdx_set_gpa_width(init, req->gpa_width);

	r = r ?: __tdx_init_vm(vm, init, hw_error);
	free(init);
	if (!r)
		return vm;
	kvm_vm_free(vm);
	return NULL;
}

struct kvm_cpuid2 *cpuid_request_cpuid(const struct cpuid_request *req)
{
	struct kvm_vm *vm = cpuid_request_td(req, NULL);
	struct kvm_cpuid2 *cpuid;

	if (!vm)
		return NULL;
	cpuid = tdx_get_cpuid(__vm_vcpu_add(vm, 0));
	kvm_vm_free(vm);
	return cpuid;
}

/*
 * Record that the differences between two TDs are due to @why.  If that is
 * CPUID_CONFIG, a bit that isn't configurable itself follows another leaf.
 */
static void note_difference(struct kvm_cpuid2 *a, struct kvm_cpuid2 *b,
			    enum cpuid_class why)
{
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];
		struct kvm_cpuid_entry2 *x = find_cpuid_entry(a, m->leaf, m->subleaf);
		struct kvm_cpuid_entry2 *y = find_cpuid_entry(b, m->leaf, m->subleaf);

		TEST_ASSERT(x && y, "Not every TD has leaf 0x%x subleaf 0x%x",
			    m->leaf, m->subleaf);
		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 diff = cpuid_entry_regs(x)[reg] ^ cpuid_entry_regs(y)[reg];

			if (why == CPUID_CONFIG) {
				m->by[CPUID_OTHER][reg] |= diff & ~m->reported[reg];
				diff &= m->reported[reg];
			}
			m->by[why][reg] |= diff;
		}
	}
}

static int count_bits(const struct cpuid_request *req)
{
	int n = 0;

	for (int i = 0; i < cpuid_map.caps->cpuid.nent; i++)
		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			n += __builtin_popcount(req->reg[i][reg]);
	return n;
}

/* A request for the first @nr bits of @req, or for all but these. */
static struct cpuid_request split(const struct cpuid_request *req, int nr, bool first)
{
	struct cpuid_request out = *req;

	for (int i = 0; i < cpuid_map.caps->cpuid.nent; i++) {
		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 kept = 0;

			for (int bit = 0; bit < 32; bit++)
				if (req->reg[i][reg] & BIT(bit) && (nr-- > 0) == first)
					kept |= BIT(bit);
			out.reg[i][reg] = kept;
		}
	}
	return out;
}

/* Compare @unasked with the CPUID that @req gets, or its halves if it is refused. */
static void note_configuration(const struct cpuid_request *req,
			       struct kvm_cpuid2 *unasked)
{
	struct kvm_cpuid2 *cpuid = cpuid_request_cpuid(req);
	int nr = count_bits(req);
	struct cpuid_request half;

	if (cpuid) {
		note_difference(unasked, cpuid, CPUID_CONFIG);
		free(cpuid);
	} else if (nr > 1) {
		half = split(req, nr / 2, true);
		note_configuration(&half, unasked);
		half = split(req, nr / 2, false);
		note_configuration(&half, unasked);
	}
}

/* A topology of threads and cores, with the same two numbers for each level. */
static struct kvm_cpuid2 *topology_cpuid(u32 shift, u32 nr)
{
	struct cpuid_request req = cpuid_request_none(0);

	for (int i = 0; i < cpuid_map.caps->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid_map.caps->cpuid.entries[i];

		if (e->function != TOPOLOGY_LEAF || e->index > 1)
			continue;
		req.reg[i][KVM_CPUID_EAX] = shift;
		req.reg[i][KVM_CPUID_EBX] = nr;
		req.reg[i][KVM_CPUID_ECX] = (e->index + 1) << 8 | e->index;
	}
	return cpuid_request_cpuid(&req);
}

static void note_topology(void)
{
	struct kvm_cpuid2 *a = topology_cpuid(0x15, 0x5555);
	struct kvm_cpuid2 *b = topology_cpuid(0x0a, 0xaaaa);

	if (a)
		note_difference(cpuid_map.least_xfam, a, CPUID_CONFIG);
	if (b)
		note_difference(cpuid_map.least_xfam, b, CPUID_CONFIG);
	if (a && b)
		note_difference(a, b, CPUID_CONFIG);
	free(a);
	free(b);
}

/* Compare the CPUID of least_xfam and of @req, unless @req is refused. */
static void note_request(struct cpuid_request req, enum cpuid_class why)
{
	struct kvm_cpuid2 *cpuid = cpuid_request_cpuid(&req);

	if (cpuid)
		note_difference(cpuid_map.least_xfam, cpuid, why);
	free(cpuid);
}

/*
 * The guest goes through these states, and executes CPUID for all leaves in each.
 */
enum guest_state {
	STATE_START, STATE_NO_OSXSAVE, STATE_LEAST_XCR0, STATE_MOST_XCR0,
	STATE_PKE, STATE_ENUM_TOPOLOGY, STATE_REDUCE_VE, NR_STATES
};

/* In memory that host and guest share. */
struct survey {
	u64 xcr0;
	bool has_pku;
	int nr;
	struct surveyed {
		u32 leaf, subleaf;
		u32 reg[NR_CPUID_REGS];
		u8 vector;
	} leaf[TDX_MAX_CPUID];
};

/* Returns false if the TDX module doesn't have the control for this state. */
static bool guest_enter_state(const struct survey *s, enum guest_state state)
{
	switch (state) {
	case STATE_NO_OSXSAVE:
		set_cr4(get_cr4() & ~X86_CR4_OSXSAVE);
		return true;
	case STATE_LEAST_XCR0:
		set_cr4(get_cr4() | X86_CR4_OSXSAVE);
		xsetbv(0, XFEATURE_MASK_FP | XFEATURE_MASK_SSE);
		return true;
	case STATE_MOST_XCR0:
		xsetbv(0, s->xcr0);
		return true;
	case STATE_PKE:
		if (s->has_pku)
			set_cr4(get_cr4() | X86_CR4_PKE);
		return true;
	case STATE_ENUM_TOPOLOGY:
		return !tdg_vm_wr(TDX_MD_TD_CTLS, TDX_TD_CTLS_ENUM_TOPOLOGY,
				  TDX_TD_CTLS_ENUM_TOPOLOGY);
	case STATE_REDUCE_VE:
		return !tdg_vm_wr(TDX_MD_TD_CTLS, TDX_TD_CTLS_REDUCE_VE,
				  TDX_TD_CTLS_REDUCE_VE);
	default:
		return true;
	}
}

static void guest_survey(struct survey *s)
{
	struct tdx_ve_info ve;

	for (int state = 0; state < NR_STATES; state++) {
		if (!guest_enter_state(s, state))
			continue;

		for (int i = 0; i < s->nr; i++) {
			s->leaf[i].vector = tdx_cpuid_safe(s->leaf[i].leaf,
							   s->leaf[i].subleaf,
							   s->leaf[i].reg);
			if (s->leaf[i].vector)
				GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
		}
		GUEST_SYNC(state);
	}
	GUEST_DONE();
}

/*
 * Record how what the guest sees differs from @cpuid, and from what it saw in its
 * first state, which is @start.
 */
static void note_survey(struct survey *s, const struct surveyed *start,
			struct kvm_cpuid2 *cpuid, u64 state)
{
	for (int i = 0; i < s->nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];
		struct kvm_cpuid_entry2 *e = find_cpuid_entry(cpuid, m->leaf, m->subleaf);

		if (s->leaf[i].vector) {
			m->ve |= state == STATE_START;
			continue;
		}
		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 diff = s->leaf[i].reg[reg] ^ cpuid_entry_regs(e)[reg];

			/* KVM adds the width of GPAs to what the module reports. */
			if (m->leaf == WIDTH_LEAF && reg == KVM_CPUID_EAX)
				diff &= ~GENMASK(23, 16);
			m->by[CPUID_RUNTIME][reg] |= diff;
			if (state < STATE_ENUM_TOPOLOGY)
				m->by_cr[reg] |= s->leaf[i].reg[reg] ^ start[i].reg[reg];
		}
	}
}

static void note_guest(void)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 0);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	int nr_vcpus = has_two_cpus(vm) ? 2 : 1;
	struct kvm_vcpu *vcpus[2];
	struct surveyed start[TDX_MAX_CPUID];
	struct kvm_cpuid2 *cpuid;
	struct survey *s;
	struct ucall uc;
	gva_t gva;

	init->xfam = cpuid_map.caps->supported_xfam;
	tdx_init_vm(vm, init);
	free(init);

	gva = tdx_alloc_shared(vm, sizeof(*s), &s);
	for (int i = 0; i < nr_vcpus; i++) {
		vcpus[i] = vm_vcpu_add(vm, i, guest_survey);
		vcpu_args_set(vcpus[i], 1, gva);
	}
	cpuid = tdx_get_cpuid(vcpus[0]);
	tdx_vm_finalize(vm);

	s->nr = cpuid_map.nr;
	s->has_pku = kvm_cpuid_has(cpuid, X86_FEATURE_PKU);
	s->xcr0 = cpuid_entry(cpuid, 0xd, 0)->eax |
		  (u64)cpuid_entry(cpuid, 0xd, 0)->edx << 32;
	for (int i = 0; i < cpuid_map.nr; i++) {
		s->leaf[i].leaf = cpuid_map.leaf[i].leaf;
		s->leaf[i].subleaf = cpuid_map.leaf[i].subleaf;
	}

	/* The second vCPU has another APIC ID, and starts with the controls set. */
	for (int i = 0; i < nr_vcpus; i++) {
		while (vcpu_run_to_ucall(vcpus[i], &uc) == UCALL_SYNC) {
			if (!i && uc.args[1] == STATE_START)
				memcpy(start, s->leaf, sizeof(start));
			note_survey(s, start, cpuid, i ? NR_STATES : uc.args[1]);
		}
	}

	free(cpuid);
	kvm_vm_free(vm);
}

/* TDs without any configurable bit, and the leaves that they have. */
static void create_base(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	struct cpuid_request req = cpuid_request_none(0);
	struct kvm_cpuid2 *base;

	kvm_vm_free(vm);
	cpuid_map.caps = caps;
	base = cpuid_map.least_xfam = cpuid_request_cpuid(&req);
	TEST_ASSERT(base, "A TD that asks for nothing is refused");
	req.xfam = caps->supported_xfam;
	cpuid_map.most_xfam = cpuid_request_cpuid(&req);
	TEST_ASSERT(cpuid_map.most_xfam, "A TD with XFAM 0x%llx is refused",
		    caps->supported_xfam);

	for (int i = 0; i < base->nent; i++) {
		struct kvm_cpuid_entry2 *e = &base->entries[i];
		struct kvm_cpuid_entry2 *can =
			find_cpuid_entry(&caps->cpuid, e->function, e->index);
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		m->leaf = e->function;
		m->subleaf = e->index;
		m->has_subleaves = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		memcpy(m->value, cpuid_entry_regs(e), sizeof(m->value));
		if (can)
			memcpy(m->reported, cpuid_entry_regs(can), sizeof(m->reported));
	}
	cpuid_map.nr = base->nent;
}

static void note_xfam_and_attributes(void)
{
	/* States that the module only allows together. */
	static const u64 states[] = {
		XFEATURE_MASK_YMM, XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512,
		XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL,
		XFEATURE_MASK_XTILE,
	};
	struct kvm_tdx_capabilities *caps = cpuid_map.caps;

	note_difference(cpuid_map.least_xfam, cpuid_map.most_xfam, CPUID_XFAM);
	for (int i = 0; i < ARRAY_SIZE(states); i++)
		if ((caps->supported_xfam & states[i]) == states[i])
			note_request(cpuid_request_none(states[i]), CPUID_XFAM);

	for (u64 bit = 1; bit; bit <<= 1) {
		struct cpuid_request req = cpuid_request_none(0);

		req.attributes = bit;
		if (caps->supported_attrs & bit)
			note_request(req, CPUID_ATTRIBUTES);
	}
}

void cpuid_map_create(void)
{
	static const u32 patterns[] = { ~0u, 0x55555555, 0xaaaaaaaa };
	struct cpuid_request req;

	create_base();
	note_xfam_and_attributes();

	for (int i = 0; i < ARRAY_SIZE(patterns); i++) {
		req = cpuid_request_all(cpuid_map.caps->supported_xfam, patterns[i]);
		note_configuration(&req, cpuid_map.most_xfam);
	}
	note_topology();

	req = cpuid_request_none(0);
	req.gpa_width = 52;
	note_request(req, CPUID_CONFIG);

	req = cpuid_request_none(0);
	req.tsc_khz = 1000000;
	note_request(req, CPUID_OTHER);

	note_guest();
}
