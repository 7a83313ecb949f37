// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID of a TD, of which there are three views: what the TDX module shows the
 * guest, what KVM_TDX_GET_CPUID reports of it, and the table of KVM_SET_CPUID2
 * from which KVM answers TDVMCALL<CPUID> and on which it bases its emulation.
 *
 * The first two have to be the same but for what depends on the state of the
 * vCPU.  The third is user space's, and KVM has to hand it out as it is.  KVM
 * checks none of this, and can't choose what the module fixes.  So this test
 * checks on KVM's behalf that the module's fixed bits are such that KVM can do
 * its part, and that none of them is a feature that KVM would have to know.
 */
#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_guest.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_CPUID_REGS	4

/* What the tools' headers lack */
#define X86_FEATURE_DTES64		KVM_X86_CPU_FEATURE(0x1, 0, ECX, 2)
#define X86_FEATURE_DS_CPL		KVM_X86_CPU_FEATURE(0x1, 0, ECX, 4)
#define X86_FEATURE_DS			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 21)
#define X86_FEATURE_MTRR		KVM_X86_CPU_FEATURE(0x1, 0, EDX, 12)
#define X86_FEATURE_MCA			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 14)
#define X86_FEATURE_SYSCALL		KVM_X86_CPU_FEATURE(0x80000001, 0, EDX, 11)
#define X86_FEATURE_WAITPKG		KVM_X86_CPU_FEATURE(0x7, 0, ECX, 5)
#define X86_FEATURE_KEYLOCKER		KVM_X86_CPU_FEATURE(0x7, 0, ECX, 23)
#define X86_FEATURE_ENQCMD		KVM_X86_CPU_FEATURE(0x7, 0, ECX, 29)
#define X86_FEATURE_UINTR		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 5)
#define X86_FEATURE_ARCH_LBR		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 19)
#define X86_FEATURE_INTEL_PT		KVM_X86_CPU_FEATURE(0x7, 0, EBX, 25)
#define X86_FEATURE_AVX			KVM_X86_CPU_FEATURE(0x1, 0, ECX, 28)
#define X86_FEATURE_AVX512F		KVM_X86_CPU_FEATURE(0x7, 0, EBX, 16)
#define X86_FEATURE_CORE_CAPABILITIES	KVM_X86_CPU_FEATURE(0x7, 0, EDX, 30)
#define X86_FEATURE_PAT			KVM_X86_CPU_FEATURE(0x1, 0, EDX, 16)

static const char * const reg_names[NR_CPUID_REGS] = {
	"EAX", "EBX", "ECX", "EDX"
};

static u32 *cpuid_regs(struct kvm_cpuid_entry2 *entry)
{
	return &entry->eax;
}

/* The entry for an exact leaf and subleaf, NULL without. */
static struct kvm_cpuid_entry2 *find_entry(struct kvm_cpuid2 *cpuid,
					   u32 leaf, u32 subleaf)
{
	for (int i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

		if (entry->function == leaf && (entry->index == subleaf ||
		    !(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return entry;
	}
	return NULL;
}

/* A TD with a vCPU and nothing else, and the CPUID that the module gave it. */
FIXTURE(get_cpuid) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_cpuid2 *cpuid;
};

static struct kvm_vcpu *create_bare_td(struct kvm_tdx_init_vm *init)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);

	vm_create_irqchip(vm);
	tdx_init_vm(vm, init);
	return __vm_vcpu_add(vm, 0);
}

FIXTURE_SETUP(get_cpuid)
{
	self->vcpu = create_bare_td(NULL);
	self->vm = self->vcpu->vm;
	self->cpuid = tdx_get_cpuid(self->vcpu);
}

FIXTURE_TEARDOWN(get_cpuid)
{
	free(self->cpuid);
	kvm_vm_free(self->vm);
}

TEST_F(get_cpuid, entries_are_well_formed)
{
	u64 last = 0, max, key;

	for (int i = 0; i < self->cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &self->cpuid->entries[i];
		bool subleaves = e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

		max = find_entry(self->cpuid, e->function & BIT(31), 0)->eax;
		key = (u64)e->function << 32 | e->index;
		TEST_ASSERT(e->function <= max && (!i || key > last),
			    "Leaf 0x%x subleaf 0x%x, max 0x%lx, comes after 0x%lx",
			    e->function, e->index, (unsigned long)max,
			    (unsigned long)last);
		TEST_ASSERT(!(e->flags & ~KVM_CPUID_FLAG_SIGNIFCANT_INDEX) &&
			    (subleaves || !e->index) && !e->padding[0] &&
			    !e->padding[1] && !e->padding[2],
			    "Leaf 0x%x subleaf 0x%x: flags 0x%x or padding",
			    e->function, e->index, e->flags);
		last = key;
	}
}

TEST_F(get_cpuid, subleaves_are_complete)
{
	static const u32 with[] = { 4, 7, 0xd, 0x1f };
	static const u32 without[] = { 0, 1, 0x80000000, 0x80000001, 0x80000008 };
	struct kvm_cpuid_entry2 *e;

	for (int i = 0; i < ARRAY_SIZE(with); i++) {
		for (int subleaf = 0; subleaf < 2; subleaf++) {
			e = find_entry(self->cpuid, with[i], subleaf);
			TEST_ASSERT(e && e->index == subleaf &&
				    e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
				    "Leaf 0x%x lacks subleaf %d", with[i], subleaf);
		}
	}
	for (int i = 0; i < ARRAY_SIZE(without); i++) {
		e = find_entry(self->cpuid, without[i], 0);
		TEST_ASSERT(e && !e->flags, "Leaf 0x%x has subleaves", without[i]);
	}
}

static void assert_same(struct kvm_cpuid2 *a, struct kvm_cpuid2 *b)
{
	TEST_ASSERT_EQ(a->nent, b->nent);
	for (int i = 0; i < a->nent; i++)
		TEST_ASSERT(!memcmp(&a->entries[i], &b->entries[i], sizeof(a->entries[i])),
			    "Entry %d, leaf 0x%x subleaf 0x%x, differs", i,
			    a->entries[i].function, a->entries[i].index);
}

TEST_F(get_cpuid, twice_the_same)
{
	struct kvm_cpuid2 *again = tdx_get_cpuid(self->vcpu);

	assert_same(again, self->cpuid);
	free(again);
}

TEST_F(get_cpuid, same_after_set_cpuid2_and_init_vcpu)
{
	struct kvm_cpuid2 *other = tdx_get_cpuid(self->vcpu);
	struct kvm_cpuid2 *again;

	/* The module's view, which is none of user space's business. */
	find_entry(other, 1, 0)->eax = 0x12345678;
	vcpu_init_cpuid(self->vcpu, other);
	tdx_init_vcpu(self->vcpu, 0);
	again = tdx_get_cpuid(self->vcpu);
	assert_same(again, self->cpuid);
	free(again);
	free(other);
}

TEST_F(get_cpuid, exact_room_is_enough)
{
	struct kvm_cpuid2 *exact = allocate_kvm_cpuid2(self->cpuid->nent);

	TEST_ASSERT(!__tdx_get_cpuid(self->vcpu, exact), "Failed, errno %d", errno);
	assert_same(exact, self->cpuid);
	free(exact);
}

TEST_F(get_cpuid, too_little_room_tells_how_much)
{
	struct kvm_cpuid2 *few = allocate_kvm_cpuid2(self->cpuid->nent);
	u32 nents[] = { self->cpuid->nent - 1, 1, 0 };

	for (int i = 0; i < ARRAY_SIZE(nents); i++) {
		memset(few->entries, 0xa5, kvm_cpuid2_size(1) - kvm_cpuid2_size(0));
		few->nent = nents[i];
		TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, few), E2BIG);
		TEST_ASSERT_EQ(few->nent, self->cpuid->nent);
		TEST_ASSERT_EQ(few->entries[0].eax, 0xa5a5a5a5);
	}
	free(few);
}

TEST_F(get_cpuid, bad_address)
{
	u32 nent = self->cpuid->nent;
	u8 *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_cpuid2 *straddling;

	TEST_ASSERT(pages != MAP_FAILED, "mmap() failed, errno %d", errno);
	TEST_ASSERT(!mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE),
		    "mprotect() failed, errno %d", errno);

	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, NULL), EFAULT);
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, (void *)(pages + PAGE_SIZE)),
			  EFAULT);

	/* Here the count can be read and written, the last entry can't. */
	straddling = (void *)(pages + PAGE_SIZE - kvm_cpuid2_size(1));
	straddling->nent = nent;
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, straddling), EFAULT);
	munmap(pages, 2 * PAGE_SIZE);
}

TEST_F(get_cpuid, hw_error_is_for_kvm_to_set)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_GET_CPUID,
		.data = (u64)self->cpuid,
		.hw_error = 1,
	};

	self->cpuid->nent = TDX_MAX_CPUID;
	TEST_ASSERT_FAILS(__tdx_vcpu_cmd(self->vcpu, &cmd), EINVAL);
}

TEST_F(get_cpuid, flags_are_reserved)
{
	struct kvm_cpuid2 *cpuid = allocate_kvm_cpuid2(TDX_MAX_CPUID);
	int r = __tdx_vcpu_ioctl(self->vcpu, KVM_TDX_GET_CPUID, BIT(31),
				 (u64)cpuid, NULL);

	free(cpuid);
	if (!r)
		XFAIL(return, "KVM ignores the flags of KVM_TDX_GET_CPUID");
	TEST_ASSERT_EQ(errno, EINVAL);
}

TEST_F(get_cpuid, reports_the_address_width)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	u32 width;

	width = find_entry(self->cpuid, 0x80000008, 0)->eax >> 16 & 0xff;
	TEST_ASSERT_EQ(width, 48);

	/* The other one is not for every host. */
	vm = ____vm_create(VM_SHAPE_TDX);
	vm_create_irqchip(vm);
	for (int i = 0; i < init->cpuid.nent; i++)
		if (init->cpuid.entries[i].function == 0x80000008)
			init->cpuid.entries[i].eax ^= (48 ^ 52) << 16;
	if (__tdx_init_vm(vm, init, NULL)) {
		TEST_ASSERT_EQ(errno, EINVAL);
	} else {
		struct kvm_cpuid2 *cpuid;

		vcpu = __vm_vcpu_add(vm, 0);
		cpuid = tdx_get_cpuid(vcpu);
		width = find_entry(cpuid, 0x80000008, 0)->eax >> 16 & 0xff;
		TEST_ASSERT_EQ(width, 52);
		free(cpuid);
	}
	kvm_vm_free(vm);
	free(init);
}

TEST_F(get_cpuid, shows_what_was_configured)
{
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(self->vm);

	for (int i = 0; i < init->cpuid.nent; i++) {
		struct kvm_cpuid_entry2 *want = &init->cpuid.entries[i];
		struct kvm_cpuid_entry2 *can =
			find_entry(&caps->cpuid, want->function, want->index);
		struct kvm_cpuid_entry2 *got =
			find_entry(self->cpuid, want->function, want->index);

		TEST_ASSERT(got, "No leaf 0x%x subleaf 0x%x", want->function,
			    want->index);

		/* What was not asked for may be native, and more than asked for. */
		if (want->function != 1 && want->function != 7)
			continue;
		for (int reg = KVM_CPUID_ECX; reg <= KVM_CPUID_EDX; reg++) {
			u32 mask = cpuid_regs(can)[reg] & ~cpuid_regs(want)[reg];

			TEST_ASSERT(!(cpuid_regs(got)[reg] & mask),
				    "Leaf 0x%x subleaf 0x%x register %d: 0x%x was not asked for",
				    want->function, want->index, reg,
				    cpuid_regs(got)[reg] & mask);
		}
	}
	free(caps);
	free(init);
}

/*
 * The sanity check: a case for each bit on which KVM depends, in TDs as user
 * space has to ask for them: all that KVM supports and no more, with the least
 * XFAM and with all of it.
 */
static struct {
	u64 xfam;
	struct kvm_cpuid2 *cpuid;
} tds[2];

/* Once for all cases, which run in processes of their own. */
static void create_tds(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);

	tds[1].xfam = caps->supported_xfam;
	for (int i = 0; i < ARRAY_SIZE(tds); i++) {
		struct kvm_vcpu *vcpu;

		init->xfam = tds[i].xfam;
		vcpu = create_bare_td(init);
		tds[i].cpuid = tdx_get_cpuid(vcpu);
		kvm_vm_free(vcpu->vm);
	}
	free(init);
	free(caps);
	kvm_vm_free(vm);
}

/* @feature is to be @value, but may be 1 if XFAM has all of @state. */
static void assert_needs(struct kvm_x86_cpu_feature feature, bool value,
			 u64 state)
{
	for (int i = 0; i < ARRAY_SIZE(tds); i++) {
		bool has = kvm_cpuid_has(tds[i].cpuid, feature);

		TEST_ASSERT(has == value ||
			    (state && (tds[i].xfam & state) == state),
			    "CPUID 0x%x.%u register %u bit %u is %d, with XFAM 0x%lx",
			    feature.function, feature.index, feature.reg,
			    feature.bit, has, (unsigned long)tds[i].xfam);
	}
}

#define KVM_NEEDS(name, feature, value, state)				\
TEST(kvm_needs_##name)							\
{									\
	assert_needs(feature, value, state);				\
}

/* The only APIC that KVM gives a TD, and KVM_TDX_INIT_VCPU turns it on. */
KVM_NEEDS(x2apic_is_1, X86_FEATURE_X2APIC, 1, 0)
/* The local APIC is KVM's: timer, IPIs and LVT. */
KVM_NEEDS(apic_is_1, X86_FEATURE_APIC, 1, 0)
/* A TD finds KVM's own leaves only if it looks for a hypervisor. */
KVM_NEEDS(hypervisor_is_1, X86_FEATURE_HYPERVISOR, 1, 0)
/* KVM takes it that EFER has LME, NXE and SCE from the beginning. */
KVM_NEEDS(lm_is_1, X86_FEATURE_LM, 1, 0)
KVM_NEEDS(nx_is_1, X86_FEATURE_NX, 1, 0)
/* Which registers to restore for the host goes by XFAM, so XSAVE has to be. */
KVM_NEEDS(xsave_is_1, X86_FEATURE_XSAVE, 1, 0)
/* KVM neither scales nor offsets the TSC, and its timer counts on it. */
KVM_NEEDS(invariant_tsc_is_1, X86_FEATURE_INVTSC, 1, 0)
/* KVM has the registers of machine checks, whatever the module shows. */
KVM_NEEDS(mce_is_1, X86_FEATURE_MCE, 1, 0)
KVM_NEEDS(mca_is_1, X86_FEATURE_MCA, 1, 0)

/* A TD could leave its TSX_CTRL to the host, and KVM doesn't restore it. */
KVM_NEEDS(hle_is_0, X86_FEATURE_HLE, 0, 0)
KVM_NEEDS(rtm_is_0, X86_FEATURE_RTM, 0, 0)
/* The same for UMWAIT_CONTROL. */
KVM_NEEDS(waitpkg_is_0, X86_FEATURE_WAITPKG, 0, 0)
/* KVM has no part in a TD's TSC, and refuses the register. */
KVM_NEEDS(tsc_adjust_is_0, X86_FEATURE_TSC_ADJUST, 0, 0)
/* No exits that KVM could run a nested guest by, no SMM, no EPC, no PASIDs. */
KVM_NEEDS(vmx_is_0, X86_FEATURE_VMX, 0, 0)
KVM_NEEDS(smx_is_0, X86_FEATURE_SMX, 0, 0)
KVM_NEEDS(sgx_is_0, X86_FEATURE_SGX, 0, 0)
KVM_NEEDS(sgx_lc_is_0, X86_FEATURE_SGX_LC, 0, 0)
KVM_NEEDS(enqcmd_is_0, X86_FEATURE_ENQCMD, 0, 0)
/* User space says by KVM_CAP_X86_DISABLE_EXITS whether a guest may idle alone. */
KVM_NEEDS(mwait_is_0, X86_FEATURE_MWAIT, 0, 0)
/* Attributes of a TD that KVM refuses: it wouldn't switch these. */
KVM_NEEDS(pks_is_0, X86_FEATURE_PKS, 0, 0)
KVM_NEEDS(key_locker_is_0, X86_FEATURE_KEYLOCKER, 0, 0)
/* States that KVM restores for the host if, and only if, XFAM has them. */
KVM_NEEDS(avx_follows_xfam, X86_FEATURE_AVX, 0, XFEATURE_MASK_YMM)
KVM_NEEDS(avx512_follows_xfam, X86_FEATURE_AVX512F, 0, XFEATURE_MASK_AVX512)
KVM_NEEDS(pku_follows_xfam, X86_FEATURE_PKU, 0, XFEATURE_MASK_PKRU)
KVM_NEEDS(pt_follows_xfam, X86_FEATURE_INTEL_PT, 0, XFEATURE_MASK_PT)
KVM_NEEDS(shstk_follows_xfam, X86_FEATURE_SHSTK, 0, XFEATURE_MASK_CET_USER)
KVM_NEEDS(ibt_follows_xfam, X86_FEATURE_IBT, 0, XFEATURE_MASK_CET_USER)
KVM_NEEDS(uintr_follows_xfam, X86_FEATURE_UINTR, 0, BIT_ULL(14))
KVM_NEEDS(lbr_follows_xfam, X86_FEATURE_ARCH_LBR, 0, XFEATURE_MASK_LBR)
KVM_NEEDS(amx_follows_xfam, X86_FEATURE_AMX_TILE, 0, XFEATURE_MASK_XTILE)
KVM_NEEDS(xfd_follows_xfam, X86_FEATURE_XFD, 0, XFEATURE_MASK_XTILE_DATA)

/* Registers whose bits are features, rather than numbers. */
static const struct {
	u32 leaf, subleaf;
	u8 reg;
} feature_words[] = {
	{ 0x1, 0, KVM_CPUID_ECX }, { 0x1, 0, KVM_CPUID_EDX },
	{ 0x7, 0, KVM_CPUID_EBX }, { 0x7, 0, KVM_CPUID_ECX },
	{ 0x7, 0, KVM_CPUID_EDX }, { 0x7, 1, KVM_CPUID_EAX },
	{ 0x7, 1, KVM_CPUID_EBX }, { 0x7, 1, KVM_CPUID_ECX },
	{ 0x7, 1, KVM_CPUID_EDX }, { 0x7, 2, KVM_CPUID_EDX },
	{ 0xd, 0, KVM_CPUID_EAX }, { 0xd, 0, KVM_CPUID_EDX },
	{ 0xd, 1, KVM_CPUID_EAX }, { 0xd, 1, KVM_CPUID_ECX },
	{ 0xd, 1, KVM_CPUID_EDX }, { 0x19, 0, KVM_CPUID_EBX },
	{ 0x80000001, 0, KVM_CPUID_ECX }, { 0x80000001, 0, KVM_CPUID_EDX },
	{ 0x80000007, 0, KVM_CPUID_EDX }, { 0x80000008, 0, KVM_CPUID_EBX },
};

/*
 * Features that a TD has unasked, with the reason why it is well even if KVM
 * doesn't have them in KVM_GET_SUPPORTED_CPUID, as it doesn't for what the host
 * seems to lack.  Any other one is news that somebody has to look at: does the
 * host lose state by it, or does the guest count on KVM?
 */
static bool is_harmless(u32 leaf, u32 subleaf, u8 reg, int bit)
{
	const struct kvm_x86_cpu_feature harmless[] = {
		/* Only the guest's own CR4 and FPU have to do with them. */
		KVM_X86_CPU_FEATURE(0x1, 0, EDX, 1),	/* VME */
		KVM_X86_CPU_FEATURE(0x7, 0, EBX, 6),	/* FDP_EXCPTN_ONLY */
		KVM_X86_CPU_FEATURE(0x7, 0, EBX, 13),	/* ZERO_FCS_FDS */
		X86_FEATURE_PCID, X86_FEATURE_INVPCID,
		/* DEBUGCTL is switched with the TD, and KVM has the exit. */
		KVM_X86_CPU_FEATURE(0x7, 0, ECX, 24),	/* BUS_LOCK_DETECT */
		/* SPEC_CTRL is the module's to switch, commands leave no trace. */
		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 10),	/* MD_CLEAR */
		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 27),	/* STIBP */
		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 28),	/* FLUSH_L1D */
		KVM_X86_CPU_FEATURE(0x7, 0, EDX, 31),	/* SSBD */
		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 0),	/* PSFD */
		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 1),	/* IPRED_CTRL */
		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 2),	/* RRSBA_CTRL */
		KVM_X86_CPU_FEATURE(0x7, 2, EDX, 4),	/* BHI_CTRL */
		X86_FEATURE_SPEC_CTRL,
		/* A TD has a DS_AREA of its own; BTS and PEBS are unavailable. */
		X86_FEATURE_DS, X86_FEATURE_DTES64, X86_FEATURE_DS_CPL,
		/* The module's PERF_CAPABILITIES, which is 0 without PERFMON */
		X86_FEATURE_PDCM,
		/* Harmless for the host; for the guest see the case below. */
		X86_FEATURE_CORE_CAPABILITIES,
	};

	for (int i = 0; i < ARRAY_SIZE(harmless); i++) {
		struct kvm_x86_cpu_feature f = harmless[i];

		if (f.function == leaf && f.index == subleaf && f.reg == reg &&
		    f.bit == bit)
			return true;
	}
	return false;
}

/* Nothing asked for but what KVM insists on, so all that is there is forced. */
static void ask_for_nothing(struct kvm_tdx_init_vm *init)
{
	init->xfam = 0;
	init->attributes = 0;
	init->cpuid.nent = 1;
	init->cpuid.entries[0] = (struct kvm_cpuid_entry2) {
		.function = 0x80000008,
		.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		.eax = 48 << 16,
	};
}

TEST_F(get_cpuid, no_forced_feature_that_kvm_would_have_to_know)
{
	struct kvm_cpuid2 *supported = (void *)kvm_get_supported_cpuid();
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(self->vm);
	struct kvm_vcpu *vcpu;
	struct kvm_cpuid2 *forced;
	int bad = 0;

	ask_for_nothing(init);
	vcpu = create_bare_td(init);
	forced = tdx_get_cpuid(vcpu);

	for (int i = 0; i < ARRAY_SIZE(feature_words); i++) {
		u32 leaf = feature_words[i].leaf, subleaf = feature_words[i].subleaf;
		u8 reg = feature_words[i].reg;
		struct kvm_cpuid_entry2 *has = find_entry(forced, leaf, subleaf);
		struct kvm_cpuid_entry2 *can = find_entry(supported, leaf, subleaf);
		u32 unknown;

		if (!has)
			continue;
		unknown = cpuid_regs(has)[reg] & ~(can ? cpuid_regs(can)[reg] : 0);
		for (int bit = 0; bit < 32; bit++) {
			if (!(unknown & BIT(bit)) ||
			    is_harmless(leaf, subleaf, reg, bit))
				continue;
			ksft_print_msg("CPUID 0x%x.%u %s bit %d is forced on, unknown to KVM\n",
				       leaf, subleaf, reg_names[reg], bit);
			bad++;
		}
	}
	TEST_ASSERT(!bad, "%d features are forced on that KVM doesn't know", bad);

	free(forced);
	kvm_vm_free(vcpu->vm);
	free(init);
}

/*
 * A TD that runs, with the CPUID table that user space gave KVM for it.
 */
FIXTURE(cpuid) {
	struct tdx_guest guest;
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;
	struct kvm_cpuid2 *module;	/* as of KVM_TDX_GET_CPUID */
};

FIXTURE_SETUP(cpuid)
{
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	self->vcpu = vm_vcpu_add(self->vm, 0, NULL);
	self->module = tdx_get_cpuid(self->vcpu);
	tdx_guest_init(&self->guest, self->vcpu);
	tdx_vm_finalize(self->vm);
}

FIXTURE_TEARDOWN(cpuid)
{
	free(self->module);
	kvm_vm_free(self->vm);
}

/* Bits that the CPU or the module changes with the state of the vCPU. */
static u32 runtime_bits(u32 leaf, u32 subleaf, int reg)
{
	static const struct {
		u32 leaf, subleaf;
		u8 reg;
		u32 mask;
	} runtime[] = {
		{ 0x1, 0, KVM_CPUID_EBX, GENMASK(31, 24) },	/* APIC id */
		{ 0x1, 0, KVM_CPUID_ECX, BIT(27) },		/* OSXSAVE */
		{ 0x7, 0, KVM_CPUID_ECX, BIT(4) },		/* OSPKE */
		{ 0xd, 0, KVM_CPUID_EBX, ~0u },			/* by XCR0 */
		{ 0xd, 1, KVM_CPUID_EBX, ~0u },			/* and XSS */
		{ 0x80000001, 0, KVM_CPUID_EDX, BIT(11) },	/* 64-bit mode */
		/* KVM's addition: not all modules show it */
		{ 0x80000008, 0, KVM_CPUID_EAX, GENMASK(23, 16) },
	};

	/* Subleaf and x2APIC id, also for subleaves that aren't there */
	if (leaf == 0xb || leaf == 0x1f)
		return reg == KVM_CPUID_ECX ? GENMASK(7, 0) :
		       reg == KVM_CPUID_EDX ? ~0u : 0;

	for (int i = 0; i < ARRAY_SIZE(runtime); i++)
		if (runtime[i].leaf == leaf && runtime[i].subleaf == subleaf &&
		    runtime[i].reg == reg)
			return runtime[i].mask;
	return 0;
}

/* Returns how many leaves the guest gets from the module. */
static int compare_instruction(struct tdx_guest *guest, struct kvm_cpuid2 *module)
{
	u32 got[NR_CPUID_REGS];
	int nr = 0;

	for (int i = 0; i < module->nent; i++) {
		struct kvm_cpuid_entry2 *e = &module->entries[i];
		u8 vector = tdx_guest_cpuid(guest, e->function, e->index, got);

		/* One that the guest is to ask KVM for. */
		if (vector == VE_VECTOR) {
			TEST_ASSERT_EQ(guest->req->ve.exit_reason, EXIT_REASON_CPUID);
			continue;
		}
		TEST_ASSERT_EQ(vector, 0);
		nr++;

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			u32 mask = ~runtime_bits(e->function, e->index, reg);

			TEST_ASSERT((got[reg] & mask) == (cpuid_regs(e)[reg] & mask),
				    "CPUID 0x%x.%u register %d: guest has 0x%x, KVM_TDX_GET_CPUID 0x%x",
				    e->function, e->index, reg, got[reg],
				    cpuid_regs(e)[reg]);
		}
	}
	return nr;
}

TEST_F(cpuid, instruction_gives_what_get_cpuid_reports)
{
	TEST_ASSERT(compare_instruction(&self->guest, self->module) > 10,
		    "Nearly every leaf is #VE");
}

TEST_F(cpuid, instruction_gives_it_with_topology)
{
	if (tdx_guest_vm_wr(&self->guest, TDX_MD_TD_CTLS, TDX_TD_CTLS_ENUM_TOPOLOGY,
			    TDX_TD_CTLS_ENUM_TOPOLOGY))
		SKIP(return, "the TDX module has no ENUM_TOPOLOGY");
	compare_instruction(&self->guest, self->module);
}

TEST_F(cpuid, instruction_of_a_runtime_bit_follows_the_guest)
{
	u32 reg[NR_CPUID_REGS];

	/* KVM doesn't see CR4, so only the guest can know. */
	TEST_ASSERT_EQ(tdx_guest_cpuid(&self->guest, 1, 0, reg), 0);
	TEST_ASSERT(reg[KVM_CPUID_ECX] & BIT((X86_FEATURE_OSXSAVE).bit),
		    "The lib's guest has OSXSAVE");
}

TEST_F(cpuid, what_kvm_needs_is_so_in_the_guest)
{
	const struct {
		struct kvm_x86_cpu_feature feature;
		bool value;
	} rows[] = {
		{ X86_FEATURE_X2APIC, 1 }, { X86_FEATURE_APIC, 1 },
		{ X86_FEATURE_HYPERVISOR, 1 }, { X86_FEATURE_LM, 1 },
		{ X86_FEATURE_NX, 1 }, { X86_FEATURE_SYSCALL, 1 },
		{ X86_FEATURE_XSAVE, 1 }, { X86_FEATURE_INVTSC, 1 },
		{ X86_FEATURE_MCE, 1 }, { X86_FEATURE_MCA, 1 },
		{ X86_FEATURE_HLE, 0 },
		{ X86_FEATURE_RTM, 0 }, { X86_FEATURE_WAITPKG, 0 },
		{ X86_FEATURE_TSC_ADJUST, 0 }, { X86_FEATURE_VMX, 0 },
		{ X86_FEATURE_SMX, 0 }, { X86_FEATURE_SGX, 0 },
		{ X86_FEATURE_MWAIT, 0 }, { X86_FEATURE_PKS, 0 },
		{ X86_FEATURE_PKU, 0 }, { X86_FEATURE_AVX, 0 },
		{ X86_FEATURE_SHSTK, 0 }, { X86_FEATURE_INTEL_PT, 0 },
		{ X86_FEATURE_ARCH_LBR, 0 }, { X86_FEATURE_UINTR, 0 },
		{ X86_FEATURE_AMX_TILE, 0 }, { X86_FEATURE_XFD, 0 },
	};
	u32 reg[NR_CPUID_REGS];

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_x86_cpu_feature f = rows[i].feature;

		TEST_ASSERT_EQ(tdx_guest_cpuid(&self->guest, f.function, f.index, reg), 0);
		TEST_ASSERT(!!(reg[f.reg] & BIT(f.bit)) == rows[i].value,
			    "CPUID 0x%x.%u register %u bit %u is not %d",
			    f.function, f.index, f.reg, f.bit, rows[i].value);
	}
}

/*
 * A feature promises registers.  What the module leaves to KVM, by #VE, KVM
 * has to have.
 */
TEST_F(cpuid, features_have_their_msrs)
{
	const struct {
		struct kvm_x86_cpu_feature feature;
		u32 msr;
	} rows[] = {
		{ X86_FEATURE_APIC, MSR_IA32_APICBASE },
		{ X86_FEATURE_X2APIC, 0x802 },
		{ X86_FEATURE_X2APIC, 0x803 },
		{ X86_FEATURE_TSC_DEADLINE_TIMER, MSR_IA32_TSC_DEADLINE },
		{ X86_FEATURE_MCE, MSR_IA32_MCG_CAP },
		{ X86_FEATURE_MCA, MSR_IA32_MCG_STATUS },
		{ X86_FEATURE_MCA, MSR_IA32_MC0_STATUS },
		{ X86_FEATURE_MTRR, MSR_MTRRcap },
		{ X86_FEATURE_MTRR, MSR_MTRRdefType },
		{ X86_FEATURE_PAT, MSR_IA32_CR_PAT },
		{ X86_FEATURE_LM, MSR_EFER },
		{ X86_FEATURE_SYSCALL, MSR_LSTAR },
		{ X86_FEATURE_RDTSCP, MSR_TSC_AUX },
		{ X86_FEATURE_XSAVES, MSR_IA32_XSS },
		{ X86_FEATURE_XFD, MSR_IA32_XFD },
		{ X86_FEATURE_SPEC_CTRL, MSR_IA32_SPEC_CTRL },
		{ X86_FEATURE_ARCH_CAPABILITIES, MSR_IA32_ARCH_CAPABILITIES },
		{ X86_FEATURE_PDCM, MSR_IA32_PERF_CAPABILITIES },
		{ X86_FEATURE_SHSTK, MSR_IA32_S_CET },
		{ X86_FEATURE_TSC_ADJUST, MSR_IA32_TSC_ADJUST },
	};
	struct tdx_guest *guest = &self->guest;
	u32 reg[NR_CPUID_REGS];
	u64 val;
	u8 vector;

	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct kvm_x86_cpu_feature f = rows[i].feature;

		TEST_ASSERT_EQ(tdx_guest_cpuid(guest, f.function, f.index, reg), 0);
		if (!(reg[f.reg] & BIT(f.bit)))
			continue;
		vector = tdx_guest_native_rdmsr(guest, rows[i].msr, &val);
		TEST_ASSERT(!vector || (vector == VE_VECTOR &&
			    !tdx_guest_rdmsr(guest, rows[i].msr, &val)),
			    "The guest can't have MSR 0x%x, vector %d",
			    rows[i].msr, vector);
	}
}

TEST_F(cpuid, core_capabilities_has_its_msr)
{
	const u32 msr = 0xcf;
	struct tdx_guest *guest = &self->guest;
	u32 reg[NR_CPUID_REGS];
	u64 val;

	TEST_ASSERT_EQ(tdx_guest_cpuid(guest, 7, 0, reg), 0);
	if (!(reg[KVM_CPUID_EDX] & BIT(X86_FEATURE_CORE_CAPABILITIES.bit)))
		SKIP(return, "the TD has no CORE_CAPABILITIES");
	if (tdx_guest_native_rdmsr(guest, msr, &val) == VE_VECTOR &&
	    tdx_guest_rdmsr(guest, msr, &val) == TDVMCALL_STATUS_INVALID_OPERAND)
		XFAIL(return, "the module shows CORE_CAPABILITIES, KVM doesn't emulate its MSR");
	TEST_ASSERT(!guest->req->vector && !guest->req->status,
		    "The guest can't have MSR 0x%x", msr);
}

/*
 * TDVMCALL<CPUID>: KVM's table.
 */

static void assert_kvms(struct tdx_guest *guest, u64 leaf, u64 subleaf,
			u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	u64 wanted[] = { eax, ebx, ecx, edx }, got[NR_CPUID_REGS];

	TEST_ASSERT_EQ(tdx_guest_tdvmcall_cpuid(guest, leaf, subleaf, got),
		       TDVMCALL_STATUS_SUCCESS);
	for (int reg = 0; reg < NR_CPUID_REGS; reg++)
		TEST_ASSERT(got[reg] == wanted[reg],
			    "CPUID 0x%lx.%lu register %d: wanted 0x%lx, got 0x%lx",
			    (unsigned long)leaf, (unsigned long)subleaf, reg,
			    (unsigned long)wanted[reg], (unsigned long)got[reg]);
}

static void assert_kvms_entry(struct tdx_guest *guest, u64 leaf, u64 subleaf,
			      struct kvm_cpuid_entry2 *e)
{
	assert_kvms(guest, leaf, subleaf, e->eax, e->ebx, e->ecx, e->edx);
}

/* Before the first run, as later the table can't change. */
static void set_cpuid2(struct kvm_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	vcpu_init_cpuid(vcpu, cpuid);
}

static void add_entry(struct kvm_cpuid2 *cpuid, u32 leaf, u32 subleaf, u32 flags,
		      u32 value)
{
	cpuid->entries[cpuid->nent++] = (struct kvm_cpuid_entry2) {
		.function = leaf, .index = subleaf, .flags = flags,
		.eax = value, .ebx = value + 1, .ecx = value + 2, .edx = value + 3,
	};
}

TEST_F(cpuid, tdvmcall_gives_each_entry_of_set_cpuid2)
{
	struct kvm_cpuid2 *cpuid;

	/* KVM adjusts a few bits, and KVM_GET_CPUID2 tells. */
	vcpu_get_cpuid(self->vcpu);
	cpuid = self->vcpu->cpuid;
	TEST_ASSERT_EQ(cpuid->nent, self->module->nent);
	for (int i = 0; i < cpuid->nent; i++) {
		struct kvm_cpuid_entry2 *e = &cpuid->entries[i];

		assert_kvms_entry(&self->guest, e->function, e->index, e);
	}
}

TEST_F(cpuid, tdvmcall_gives_what_user_space_invents)
{
	const u32 index = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;

	add_entry(self->module, 0x40000000, 0, 0, 0x40000001);
	add_entry(self->module, 0x40000001, 0, 0, 0xfffffff0);
	add_entry(self->module, 0x4fffff00, 0, index, 0x80000000);
	add_entry(self->module, 0x4fffff00, 0x12345678, index, 0x87654321);
	set_cpuid2(self->vcpu, self->module);

	/* Registers of 32 bits each, in operands of 64. */
	assert_kvms(&self->guest, 0x40000001, 0, 0xfffffff0, 0xfffffff1,
		    0xfffffff2, 0xfffffff3);
	assert_kvms(&self->guest, 0x4fffff00, 0, 0x80000000, 0x80000001,
		    0x80000002, 0x80000003);
	assert_kvms(&self->guest, 0x4fffff00, 0x12345678, 0x87654321, 0x87654322,
		    0x87654323, 0x87654324);
}

TEST_F(cpuid, tdvmcall_differs_from_the_instruction_as_told)
{
	struct kvm_cpuid_entry2 *e = find_entry(self->module, 7, 0);
	u32 before = e->ebx, reg[NR_CPUID_REGS];

	e->ebx = ~before;
	set_cpuid2(self->vcpu, self->module);
	e = __vcpu_get_cpuid_entry(self->vcpu, 7, 0);
	TEST_ASSERT_EQ(e->ebx, ~before);
	assert_kvms_entry(&self->guest, 7, 0, e);
	TEST_ASSERT_EQ(tdx_guest_cpuid(&self->guest, 7, 0, reg), 0);
	TEST_ASSERT_EQ(reg[KVM_CPUID_EBX], before);
}

TEST_F(cpuid, tdvmcall_takes_any_subleaf_where_it_means_nothing)
{
	struct kvm_cpuid_entry2 *e = find_entry(self->module, 0x80000008, 0);

	assert_kvms_entry(&self->guest, 0x80000008, 0, e);
	assert_kvms_entry(&self->guest, 0x80000008, 1, e);
	assert_kvms_entry(&self->guest, 0x80000008, 0xffffffff, e);
}

TEST_F(cpuid, tdvmcall_of_no_such_subleaf_is_zero)
{
	assert_kvms(&self->guest, 4, 0x1000, 0, 0, 0, 0);
	assert_kvms(&self->guest, 7, 0x1000, 0, 0, 0, 0);
	assert_kvms(&self->guest, 0xd, 0xffffffff, 0, 0, 0, 0);
}

TEST_F(cpuid, tdvmcall_of_no_such_topology_level)
{
	const u32 index = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	struct kvm_cpuid_entry2 *e;

	/* KVM takes the x2APIC id for such a one from subleaf 1. */
	e = find_entry(self->module, 0x1f, 1);
	if (!e) {
		add_entry(self->module, 0x1f, 1, index, 0);
		e = find_entry(self->module, 0x1f, 1);
	}
	e->edx = 0x1234567;
	set_cpuid2(self->vcpu, self->module);
	assert_kvms(&self->guest, 0x1f, 0x37a, 0, 0, 0x7a, 0x1234567);
}

TEST_F(cpuid, tdvmcall_beyond_the_last_leaf_is_the_last_basic_one)
{
	const u32 index = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	u32 max = self->module->entries[0].eax;
	struct kvm_cpuid2 *cpuid = self->module;

	/* A table whose last basic leaf can be told from others. */
	for (int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == max)
			cpuid->entries[i].function = 0x7f;
	add_entry(cpuid, max, 0, index, 0x11110000);
	add_entry(cpuid, max, 5, index, 0x55550000);
	set_cpuid2(self->vcpu, cpuid);

	assert_kvms(&self->guest, max, 5, 0x55550000, 0x55550001, 0x55550002, 0x55550003);
	assert_kvms(&self->guest, max + 1, 0, 0x11110000, 0x11110001, 0x11110002, 0x11110003);
	assert_kvms(&self->guest, 0x3fffffff, 5, 0x55550000, 0x55550001, 0x55550002, 0x55550003);
	assert_kvms(&self->guest, 0x8fffffff, 0, 0x11110000, 0x11110001, 0x11110002, 0x11110003);
	assert_kvms(&self->guest, 0xc0000000, 5, 0x55550000, 0x55550001, 0x55550002, 0x55550003);
	assert_kvms(&self->guest, 0x40000000, 0, 0x11110000, 0x11110001, 0x11110002, 0x11110003);
	assert_kvms(&self->guest, 0x40000000, 7, 0, 0, 0, 0);
}

TEST_F(cpuid, tdvmcall_operands_are_32_bits_as_for_the_instruction)
{
	const u64 high = 0xabcdull << 32;

	add_entry(self->module, 0x40000000, 3, KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
		  0x40000000);
	set_cpuid2(self->vcpu, self->module);
	assert_kvms(&self->guest, high | 0x40000000, high | 3, 0x40000000,
		    0x40000001, 0x40000002, 0x40000003);
}

TEST_F(cpuid, tdvmcall_without_a_table_is_zero)
{
	struct kvm_cpuid2 none = {};

	vcpu_ioctl(self->vcpu, KVM_SET_CPUID2, &none);
	assert_kvms(&self->guest, 0, 0, 0, 0, 0, 0);
	assert_kvms(&self->guest, 0x40000000, 0, 0, 0, 0, 0);
}

TEST_F(cpuid, table_is_settled_by_the_first_run)
{
	struct kvm_cpuid_entry2 *e;

	add_entry(self->module, 0x40000000, 0, 0, 0x40000000);
	set_cpuid2(self->vcpu, self->module);
	assert_kvms(&self->guest, 0x40000000, 0, 0x40000000, 0x40000001,
		    0x40000002, 0x40000003);

	vcpu_get_cpuid(self->vcpu);
	TEST_ASSERT(!__vcpu_set_cpuid(self->vcpu), "The same table is refused");
	e = find_entry(self->vcpu->cpuid, 0x40000000, 0);
	e->ebx = 0;
	TEST_ASSERT_FAILS(__vcpu_set_cpuid(self->vcpu), EINVAL);
	assert_kvms(&self->guest, 0x40000000, 0, 0x40000000, 0x40000001,
		    0x40000002, 0x40000003);
}

TEST_F(cpuid, tdvmcall_shows_mwait_by_misc_enable)
{
	const u64 mwait = MSR_IA32_MISC_ENABLE_MWAIT;
	struct tdx_guest *guest = &self->guest;
	u64 reg[NR_CPUID_REGS], misc;

	/* One of the few bits that KVM changes at run time, if told to. */
	vm_enable_cap(self->vm, KVM_CAP_DISABLE_QUIRKS2,
		      KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT);
	TEST_ASSERT(!tdx_guest_rdmsr(guest, MSR_IA32_MISC_ENABLE, &misc),
		    "MISC_ENABLE can't be read");
	for (int i = 0; i < 3; i++) {
		misc ^= mwait;
		TEST_ASSERT(!tdx_guest_wrmsr(guest, MSR_IA32_MISC_ENABLE, misc),
			    "MISC_ENABLE can't be written");
		tdx_guest_tdvmcall_cpuid(guest, 1, 0, reg);
		TEST_ASSERT_EQ(!!(reg[KVM_CPUID_ECX] & BIT(X86_FEATURE_MWAIT.bit)),
			       !!(misc & mwait));
	}
}

TEST_F(cpuid, get_cpuid_is_over_after_the_launch)
{
	self->module->nent = TDX_MAX_CPUID;
	TEST_ASSERT_FAILS(__tdx_get_cpuid(self->vcpu, self->module), EINVAL);
}

/* Each vCPU has a table of its own. */
static void guest_own_leaf(u64 wanted)
{
	u64 eax, ebx, ecx, edx;

	GUEST_ASSERT_EQ(tdvmcall_cpuid(0x40000000, 0, &eax, &ebx, &ecx, &edx),
			TDVMCALL_STATUS_SUCCESS);
	GUEST_ASSERT_EQ(eax, wanted);
	GUEST_DONE();
}

TEST(tdvmcall_gives_each_vcpu_its_own)
{
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 2, 0);
	struct kvm_vcpu *vcpus[2];

	if (vm_check_cap(vm, KVM_CAP_MAX_VCPUS) < ARRAY_SIZE(vcpus)) {
		kvm_vm_free(vm);
		SKIP(return, "needs 2 host CPUs");
	}

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++) {
		struct kvm_cpuid2 *cpuid;

		vcpus[i] = vm_vcpu_add(vm, i, guest_own_leaf);
		cpuid = tdx_get_cpuid(vcpus[i]);
		add_entry(cpuid, 0x40000000, 0, 0, 0x40000000 + 16 * i);
		set_cpuid2(vcpus[i], cpuid);
		free(cpuid);
		vcpu_args_set(vcpus[i], 1, 0x40000000 + 16 * i);
	}
	tdx_vm_finalize(vm);

	for (int i = 0; i < ARRAY_SIZE(vcpus); i++)
		vcpu_run_to_done(vcpus[i]);
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	create_tds();

	return test_harness_run(argc, argv);
}
