// SPDX-License-Identifier: GPL-2.0
/* Guest code of tdx_profile, see profile.h. */
#include "tdx/profile.h"
#include "tdx/tdx_guest.h"

#define MD_TDX_FEATURES0	0x0A00000300000008
#define FEATURE_VE_REDUCTION	BIT_ULL(30)

const struct profile_state profile_states[] = {
	{ "initial" },
	{ "cpuid2", TDX_TD_CTLS_VIRT_CPUID2 },
	{ "topology", TDX_TD_CTLS_ENUM_TOPOLOGY },
	{ "paravirt", .paravirt = true },
	{ "reduced.paravirt", TDX_TD_CTLS_REDUCE_VE, .paravirt = true },
	{ "reduced", TDX_TD_CTLS_REDUCE_VE },
};

const int nr_profile_states = ARRAY_SIZE(profile_states);

bool profile_enter_state(const struct profile_state *state)
{
	u64 features = state->paravirt ? PROFILE_PARAVIRT : 0, val;

	if (state->td_ctls && tdg_vm_wr(TDX_MD_TD_CTLS, state->td_ctls, state->td_ctls))
		return false;
	if (tdg_vm_rd(TDX_MD_FEATURE_PARAVIRT_CTRL, &val))
		return !state->paravirt;
	return !tdg_vm_wr(TDX_MD_FEATURE_PARAVIRT_CTRL, features, PROFILE_PARAVIRT);
}

bool profile_module_is_late(void)
{
	u64 features;

	GUEST_ASSERT_EQ(tdg_sys_rd(MD_TDX_FEATURES0, &features), TDX_SUCCESS);
	return features & FEATURE_VE_REDUCTION;
}

bool profile_check_state(const struct profile_state *state, bool late, u64 *td_ctls)
{
	u64 paravirt;

	if (!profile_enter_state(state)) {
		GUEST_ASSERT(!late);
		GUEST_ASSERT(state->paravirt || state->td_ctls == TDX_TD_CTLS_REDUCE_VE);
		return false;
	}
	GUEST_ASSERT_EQ(tdg_vm_rd(TDX_MD_TD_CTLS, td_ctls), TDX_SUCCESS);
	GUEST_ASSERT_EQ(*td_ctls & state->td_ctls, state->td_ctls);
	if (late) {
		GUEST_ASSERT_EQ(tdg_vm_rd(TDX_MD_FEATURE_PARAVIRT_CTRL, &paravirt), TDX_SUCCESS);
		GUEST_ASSERT_EQ(paravirt, state->paravirt ? PROFILE_PARAVIRT : 0);
	}
	return true;
}

/* The module injects another #VE only after the guest has read this one. */
static u8 done(u8 vector)
{
	struct tdx_ve_info ve;

	if (vector == VE_VECTOR)
		GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&ve), TDX_SUCCESS);
	return vector;
}

/* CPUID. */

static void add_leaf(struct profile_survey *survey, u32 leaf, u32 subleaf)
{
	struct profile_leaf *l = &survey->leaf[survey->nr_leaves++];

	GUEST_ASSERT(survey->nr_leaves <= PROFILE_MAX_LEAVES);
	memset(l, 0, sizeof(*l));
	l->leaf = leaf;
	l->subleaf = subleaf;
	l->vector = done(tdx_cpuid_safe(leaf, subleaf, l->reg));
}

static void survey_cpuid(struct profile_survey *survey)
{
	static const u32 others[] = {
		0x30000000, 0x40000000, 0x40000001, 0x4fffffff, 0x50000000,
		0x7fffffff, 0xc0000000, 0xffffffff,
	};

	survey->nr_leaves = 0;
	for (u32 leaf = 0; leaf < 0x28; leaf++)
		for (u32 subleaf = 0; subleaf < (leaf == 0xd ? 20 : 8); subleaf++)
			add_leaf(survey, leaf, subleaf);
	for (u32 leaf = 0x80000000; leaf < 0x8000000c; leaf++)
		add_leaf(survey, leaf, 0);
	for (int i = 0; i < ARRAY_SIZE(others); i++)
		add_leaf(survey, others[i], 0);
}

/* MSRs. */

#define MSRS_IN_BITMAP	0x2000	/* in each of its two ranges */
#define MSRS_OF_HYPERV	0x40000000
#define MSRS_OF_KVM	0x4b564d00

u32 profile_msr_index(int i)
{
	if (i < MSRS_IN_BITMAP)
		return i;
	if (i < 2 * MSRS_IN_BITMAP)
		return 0xc0000000 + i - MSRS_IN_BITMAP;
	i -= 2 * MSRS_IN_BITMAP;
	return i < 0x100 ? MSRS_OF_HYPERV + i : MSRS_OF_KVM + i - 0x100;
}

/*
 * Bits of some MSRs have effects that the guest could not live with, if the module
 * let it change them: processor trace writes to memory.
 */
static bool must_not_change(u32 msr)
{
	return msr >= MSR_IA32_RTIT_OUTPUT_BASE && msr <= MSR_IA32_RTIT_OUTPUT_BASE + 0x1f;
}

/* What came of writing another value to @bit: @vector or, if that is 0, @changed. */
static void note_bit(struct profile_bits *bits, u64 bit, u8 vector, bool changed)
{
	if (vector == VE_VECTOR)
		bits->ve |= bit;
	else if (vector)
		bits->gp |= bit;
	else if (changed)
		bits->changes |= bit;
	else
		bits->ignored |= bit;
}

static void try_bits(struct profile_bits *bits, u32 msr, u64 val)
{
	u64 got;
	u8 vector;

	*bits = (struct profile_bits) { .msr = msr };
	for (u64 bit = 1; bit; bit <<= 1) {
		got = val;
		vector = done(wrmsr_safe(msr, val ^ bit));
		if (!vector) {
			GUEST_ASSERT(!rdmsr_safe(msr, &got));
			wrmsr_safe(msr, val);
		}
		note_bit(bits, bit, vector, (got ^ val) & bit);
	}
}

static void try_msr(struct profile_survey *survey, int i)
{
	struct profile_msr *m = &survey->msr[i];
	u32 msr = profile_msr_index(i);
	u64 val = 0, again = 0;

	m->rdmsr = done(rdmsr_safe(msr, &val));
	if (m->rdmsr)
		val = 0;
	else
		rdmsr_safe(msr, &again);
	m->val = val;
	m->varies = !m->rdmsr && again != val;
	m->wrmsr = done(wrmsr_safe(msr, val));

	if (m->rdmsr || m->wrmsr || m->varies || must_not_change(msr))
		return;
	GUEST_ASSERT(survey->nr_bits < PROFILE_MAX_BITS);
	try_bits(&survey->bits[survey->nr_bits++], msr, val);
}

/* Control registers. */

#define BUILD_TRY_CR(n)							\
static void try_cr##n(struct profile_bits *bits, u64 skip)		\
{									\
	u64 val = get_cr##n(), got;					\
	u8 vector;							\
									\
	*bits = (struct profile_bits) {};				\
	for (u64 bit = 1; bit; bit <<= 1) {				\
		if (bit & skip)						\
			continue;					\
		vector = done(kvm_asm_safe("mov %[val], %%cr" #n,	\
					   [val] "r"(val ^ bit)));	\
		got = get_cr##n();					\
		kvm_asm_safe("mov %[val], %%cr" #n, [val] "r"(val));	\
		note_bit(bits, bit, vector, got != val);		\
	}								\
}

BUILD_TRY_CR(0)
BUILD_TRY_CR(4)

/* With these the guest could no longer fetch its code, or reach its data. */
#define CR4_NOT_FOR_THIS_GUEST	(X86_CR4_SMEP | X86_CR4_SMAP | BIT_ULL(27))

/* Instructions. */

#define NONE	~0ul		/* no valid operand */

/*
 * Name, instruction, and RAX, RBX, RCX, RDX.  MWAIT does not wait, as there was no
 * MONITOR before; UMWAIT and TPAUSE wait for a time that is over.
 */
#define INSNS								\
	INSN(HLT, "hlt", 0, 0, 0, 0)					\
	INSN(IN, "in $0x70, %%al", 0, 0, 0, 0)				\
	INSN(OUT, "out %%al, $0x80", 0, 0, 0, 0)			\
	INSN(INVD, "invd", 0, 0, 0, 0)					\
	INSN(WBINVD, "wbinvd", 0, 0, 0, 0)				\
	INSN(WBNOINVD, "repz; wbinvd", 0, 0, 0, 0)			\
	INSN(MWAIT, "mwait", 0, 0, 0, 0)				\
	INSN(MONITOR, "monitor", (u64)buf, 0, 0, 0)			\
	INSN(UMONITOR, ".byte 0xf3, 0x0f, 0xae, 0xf0", (u64)buf, 0, 0, 0)	\
	INSN(UMWAIT, ".byte 0xf2, 0x0f, 0xae, 0xf1", 0, 0, 0, 0)	\
	INSN(TPAUSE, ".byte 0x66, 0x0f, 0xae, 0xf1", 0, 0, 0, 0)	\
	INSN(RDPMC, "rdpmc", 0, 0, 0, 0)				\
	INSN(RDTSC, "rdtsc", 0, 0, 0, 0)				\
	INSN(RDTSCP, "rdtscp", 0, 0, 0, 0)				\
	INSN(RDPID, ".byte 0xf3, 0x0f, 0xc7, 0xf8", 0, 0, 0, 0)		\
	INSN(XSETBV, "xsetbv", 3, 0, 0, 0)				\
	INSN(XSETBV1, "xsetbv", 0, 0, 1, 0)				\
	INSN(INVPCID, "invpcid (%%rax), %%rcx", (u64)buf, 0, 4, 0)	\
	INSN(SERIALIZE, ".byte 0x0f, 0x01, 0xe8", 0, 0, 0, 0)		\
	INSN(GETSEC, "getsec", 0, 0, 0, 0)				\
	INSN(RSM, "rsm", 0, 0, 0, 0)					\
	INSN(ENCLS, ".byte 0x0f, 0x01, 0xcf", 0, 0, 0, 0)		\
	INSN(ENCLU, ".byte 0x0f, 0x01, 0xd7", 0, 0, 0, 0)		\
	INSN(ENCLV, ".byte 0x0f, 0x01, 0xc0", 0, 0, 0, 0)		\
	INSN(PCONFIG, ".byte 0x0f, 0x01, 0xc5", NONE, 0, 0, 0)		\
	INSN(LOADIWKEY, ".byte 0xf3, 0x0f, 0x38, 0xdc, 0xc1", 0, 0, 0, 0)	\
	INSN(ENQCMD, ".byte 0xf2, 0x0f, 0x38, 0xf8, 0x00", (u64)buf, 0, 0, 0)	\
	INSN(ENQCMDS, ".byte 0xf3, 0x0f, 0x38, 0xf8, 0x00", (u64)buf, 0, 0, 0)	\
	INSN(VMCALL, "vmcall", 0, 0, 0, 0)				\
	INSN(VMFUNC, "vmfunc", 0, 0, 0, 0)				\
	INSN(VMLAUNCH, "vmlaunch", 0, 0, 0, 0)				\
	INSN(VMRESUME, "vmresume", 0, 0, 0, 0)				\
	INSN(VMXON, "vmxon (%%rax)", (u64)buf, 0, 0, 0)			\
	INSN(VMXOFF, "vmxoff", 0, 0, 0, 0)				\
	INSN(VMCLEAR, "vmclear (%%rax)", (u64)buf, 0, 0, 0)		\
	INSN(VMPTRLD, "vmptrld (%%rax)", (u64)buf, 0, 0, 0)		\
	INSN(VMPTRST, "vmptrst (%%rax)", (u64)buf, 0, 0, 0)		\
	INSN(VMREAD, "vmread %%rcx, (%%rax)", (u64)buf, 0, 0, 0)	\
	INSN(VMWRITE, "vmwrite (%%rax), %%rcx", (u64)buf, 0, 0, 0)	\
	INSN(INVEPT, "invept (%%rax), %%rcx", (u64)buf, 0, 0, 0)	\
	INSN(INVVPID, "invvpid (%%rax), %%rcx", (u64)buf, 0, 0, 0)	\
	INSN(SEAMRET, ".byte 0x66, 0x0f, 0x01, 0xcd", 0, 0, 0, 0)	\
	INSN(SEAMOPS, ".byte 0x66, 0x0f, 0x01, 0xce", 0, 0, 0, 0)	\
	INSN(SEAMCALL, ".byte 0x66, 0x0f, 0x01, 0xcf", NONE, 0, 0, 0)	\
	INSN(UD2, "ud2", 0, 0, 0, 0)

#define INSN(name, ...)	INSN_##name,
enum { INSNS NR_INSNS };
#undef INSN

#define INSN(name, ...)	#name,
const char * const profile_insns[NR_INSNS + 1] = { INSNS };
#undef INSN

#define INSN(name, text, rax, rbx, rcx, rdx)				\
{									\
	u64 __a = rax, __b = rbx, __c = rcx, __d = rdx, __ec;		\
	u8 __vector;							\
									\
	asm volatile(KVM_ASM_SAFE(text)					\
		     : "+a"(__a), "+b"(__b), "+c"(__c), "+d"(__d),	\
		       KVM_ASM_SAFE_OUTPUTS(__vector, __ec)		\
		     : : KVM_ASM_SAFE_CLOBBERS, "cc", "memory");	\
	survey->insn[INSN_##name] = done(__vector);			\
}

static void try_insns(struct profile_survey *survey)
{
	static u64 buf[512] __attribute__((aligned(4096)));

	kvm_static_assert(NR_INSNS <= PROFILE_MAX_INSNS);
	INSNS
}

void profile_guest(struct profile_survey *survey)
{
	for (int state = 0; state < nr_profile_states; state++) {
		if (!profile_enter_state(&profile_states[state]))
			continue;
		survey_cpuid(survey);
		survey->nr_bits = 0;
		for (int i = 0; i < PROFILE_MSRS; i++)
			try_msr(survey, i);
		try_cr0(&survey->cr0, 0);
		try_cr4(&survey->cr4, CR4_NOT_FOR_THIS_GUEST);
		try_insns(survey);
		GUEST_SYNC(state);
	}
	GUEST_DONE();
}

/* Metadata. */

/*
 * Given as the id, TDG.SYS.RD and TDG.VM.RD return the first id, with a status that is
 * no error, and later the next one.
 */
#define FIRST_FIELD	~0ull

static u32 survey_fields(u64 leaf, struct profile_field *field)
{
	u64 id = FIRST_FIELD, status;
	u32 nr = 0;

	for (;;) {
		u64 reg[NR_GPRS] = { [GPR_RDX] = id };

		status = __tdcall(leaf, reg);
		if (status & TDX_ERROR)
			return nr;
		if (id != FIRST_FIELD) {
			GUEST_ASSERT(nr < PROFILE_MAX_FIELDS);
			field[nr++] = (struct profile_field) { .id = id, .val = reg[GPR_R8] };
		}
		id = reg[GPR_RDX];
		if (id == FIRST_FIELD)
			return nr;
	}
}

/* Bit 63 of TD_CTLS locks this and other fields, and so comes last. */
static u64 writable_bits(u64 id)
{
	u64 bits = 0, val, got;

	for (u64 bit = 1; bit; bit <<= 1) {
		if (tdg_vm_rd(id, &val) || tdg_vm_wr(id, ~val, bit) ||
		    tdg_vm_rd(id, &got))
			continue;
		if ((got ^ val) & bit)
			bits |= bit;
		tdg_vm_wr(id, val, bit);
	}
	return bits;
}

static void try_fields(struct profile_survey *survey, bool td_ctls)
{
	for (u32 i = 0; i < survey->nr_td; i++) {
		struct profile_field *f = &survey->td[i];

		if (profile_same_field(f->id, TDX_MD_TD_CTLS) == td_ctls)
			f->writable = writable_bits(f->id);
	}
}

void profile_fields_guest(struct profile_survey *survey)
{
	survey->nr_sys = survey_fields(TDG_SYS_RD, survey->sys);
	survey->nr_td = survey_fields(TDG_VM_RD | TDCALL_VERSION(1), survey->td);
	try_fields(survey, false);
	try_fields(survey, true);

	/* No operand is valid, so a leaf that is there complains about one of them. */
	for (u64 leaf = TDG_VP_VMCALL + 1; leaf < PROFILE_TDCALLS; leaf++) {
		u64 reg[NR_GPRS];

		memset(reg, 0xff, sizeof(reg));
		survey->tdcall[leaf] = __tdcall(leaf, reg);
	}
	GUEST_DONE();
}
