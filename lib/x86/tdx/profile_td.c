// SPDX-License-Identifier: GPL-2.0
/* What a guest sees of a TD, as lines of text; see profile.h. */
#include "tdx/cpuid_map.h"
#include "tdx/profile.h"
#include "tdx/tdx_guest.h"

static const char *outcome(u8 vector)
{
	switch (vector) {
	case 0:
		return "done";
	case VE_VECTOR:
		return "#VE";
	case GP_VECTOR:
		return "#GP";
	case UD_VECTOR:
		return "#UD";
	default:
		return "other";
	}
}

/* Everything that KVM offers, and threads and cores as a topology. */
static void ask_for_all(struct kvm_tdx_init_vm *init, struct kvm_tdx_capabilities *caps)
{
	init->xfam = caps->supported_xfam;
	for (u32 index = 0; index < 2; index++) {
		struct kvm_cpuid_entry2 *e =
			find_cpuid_entry(&init->cpuid, TOPOLOGY_LEAF, index);

		if (!find_cpuid_entry(&caps->cpuid, TOPOLOGY_LEAF, index))
			return;
		if (!e) {
			add_cpuid_entry(&init->cpuid, (struct kvm_cpuid_entry2) {
				.function = TOPOLOGY_LEAF, .index = index,
				.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			});
			e = cpuid_entry(&init->cpuid, TOPOLOGY_LEAF, index);
		}
		e->eax = index;
		e->ebx = 1;
		e->ecx = (index + 1) << 8 | index;
		e->edx = 0;
	}
}

/* Nothing but the width of GPAs, which a TD has to have. */
static void ask_for_nothing(struct kvm_tdx_init_vm *init)
{
	for (u32 i = 0; i < init->cpuid.nent; i++)
		if (init->cpuid.entries[i].function != WIDTH_LEAF)
			memset(cpuid_entry_regs(&init->cpuid.entries[i]), 0,
			       NR_CPUID_REGS * sizeof(u32));
}

/* Launch a TD that runs @guest_code on a shared survey. */
static struct kvm_vcpu *create_td(bool all, void *guest_code,
				  struct profile_survey **survey)
{
	u64 size = align_up(sizeof(**survey), PAGE_SIZE);
	struct kvm_vm *vm = __vm_create(VM_SHAPE_TDX, 1, size / PAGE_SIZE);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	struct kvm_vcpu *vcpu;

	if (all)
		ask_for_all(init, caps);
	else
		ask_for_nothing(init);
	tdx_init_vm(vm, init);
	vcpu = vm_vcpu_add(vm, 0, guest_code);
	vcpu_args_set(vcpu, 1, tdx_alloc_shared(vm, sizeof(**survey), survey));
	tdx_vm_finalize(vm);
	free(init);
	free(caps);
	return vcpu;
}

/* CPUID. */

static void profile_leaf(const char *td, const char *state, const struct profile_leaf *l)
{
	if (l->vector)
		profile_line("%s.%s.cpuid.0x%x.%u %s", td, state, l->leaf, l->subleaf,
			     outcome(l->vector));
	else
		profile_line("%s.%s.cpuid.0x%x.%u 0x%08x 0x%08x 0x%08x 0x%08x", td, state,
			     l->leaf, l->subleaf, l->reg[0], l->reg[1], l->reg[2], l->reg[3]);
}

/* MSRs: neighbours that do the same are one line. */

static bool same_msr(const struct profile_msr *a, const struct profile_msr *b)
{
	return a->rdmsr == b->rdmsr && a->wrmsr == b->wrmsr &&
	       a->varies == b->varies && (a->varies || a->val == b->val);
}

static void profile_msr_range(const char *td, const char *state, int first, int last,
			      const struct profile_msr *m)
{
	char range[32], val[32];

	sprintf(range, "0x%x", profile_msr_index(first));
	if (last != first)
		sprintf(range + strlen(range), "-0x%x", profile_msr_index(last));
	sprintf(val, "0x%lx", (unsigned long)m->val);
	profile_line("%s.%s.msr.%s rdmsr %s, wrmsr %s", td, state, range,
		     m->rdmsr ? outcome(m->rdmsr) : m->varies ? "varies" : val,
		     outcome(m->wrmsr));
}

static void profile_msrs(const char *td, const char *state,
			 const struct profile_survey *survey)
{
	int first = 0;

	for (int i = 1; i <= PROFILE_MSRS; i++) {
		if (i < PROFILE_MSRS && same_msr(&survey->msr[first], &survey->msr[i]) &&
		    profile_msr_index(i) == profile_msr_index(i - 1) + 1)
			continue;
		profile_msr_range(td, state, first, i - 1, &survey->msr[first]);
		first = i;
	}
}

static void profile_bits(const char *td, const char *state, const char *name,
			 const struct profile_bits *b)
{
	profile_line("%s.%s.%s changes 0x%lx, ignored 0x%lx, #VE 0x%lx, #GP 0x%lx",
		     td, state, name, (unsigned long)b->changes, (unsigned long)b->ignored,
		     (unsigned long)b->ve, (unsigned long)b->gp);
}

static void profile_in_state(const char *td, const char *state,
			     const struct profile_survey *survey)
{
	char name[32];

	for (u32 i = 0; i < survey->nr_leaves; i++)
		profile_leaf(td, state, &survey->leaf[i]);
	profile_msrs(td, state, survey);
	for (u32 i = 0; i < survey->nr_bits; i++) {
		sprintf(name, "msr.0x%x.bits", survey->bits[i].msr);
		profile_bits(td, state, name, &survey->bits[i]);
	}
	profile_bits(td, state, "cr0.bits", &survey->cr0);
	profile_bits(td, state, "cr4.bits", &survey->cr4);
	for (int i = 0; profile_insns[i]; i++)
		profile_line("%s.%s.insn.%s %s", td, state, profile_insns[i],
			     outcome(survey->insn[i]));
}

/* Metadata. */

#define MRTD_FIRST_FIELD	0x1310000300000000ull
#define MRTD_FIELDS		6

static const struct {
	u64 id;
	const char *name;
} fields[] = {
	{ 0x0800000200000000, "VENDOR_ID" },
	{ 0x0800000100000001, "BUILD_DATE" },
	{ 0x0800000100000002, "BUILD_NUM" },
	{ 0x0800000100000003, "MINOR_VERSION" },
	{ 0x0800000100000004, "MAJOR_VERSION" },
	{ 0x0a00000200000000, "SYS_ATTRIBUTES" },
	{ 0x0a00000000000001, "NUM_TDX_FEATURES" },
	{ 0x0a00000300000008, "TDX_FEATURES0" },
	{ 0x9010000200000001, "NUM_VCPUS" },
	{ 0x9010000100000005, "NUM_L2_VMS" },
	{ TDX_MD_ATTRIBUTES, "ATTRIBUTES" },
	{ TDX_MD_XFAM, "XFAM" },
	{ TDX_MD_MAX_VCPUS, "MAX_VCPUS" },
	{ TDX_MD_GPAW, "GPAW" },
	{ TDX_MD_TSC_FREQUENCY, "TSC_FREQUENCY" },
	{ 0x9110000300000010, "NOTIFY_ENABLES" },
	{ 0x1110000300000016, "CONFIG_FLAGS" },
	{ TDX_MD_TD_CTLS, "TD_CTLS" },
	{ 0x9110000000000019, "TOPOLOGY_ENUM_CONFIGURED" },
	{ TDX_MD_FEATURE_PARAVIRT_CTRL, "FEATURE_PARAVIRT_CTRL" },
};

/* Returns @buf if the field has no name. */
static const char *field_name(u64 id, char *buf)
{
	for (int i = 0; i < ARRAY_SIZE(fields); i++)
		if (profile_same_field(fields[i].id, id))
			return fields[i].name;
	sprintf(buf, "0x%016lx", (unsigned long)id);
	return buf;
}

/* MRTD, which measures this very program. */
static bool is_of_program(u64 id)
{
	for (int i = 0; i < MRTD_FIELDS; i++)
		if (profile_same_field(id, MRTD_FIRST_FIELD + i))
			return true;
	return false;
}

static void profile_fields(const char *prefix, u32 nr, const struct profile_field *a,
			   const struct profile_field *b)
{
	for (u32 i = 0; i < nr; i++) {
		char buf[32];
		const char *name = field_name(a[i].id, buf);

		if (a[i].val == b[i].val && !is_of_program(a[i].id))
			profile_line("%s.%s 0x%lx", prefix, name, (unsigned long)a[i].val);
		else
			profile_line("%s.%s varies", prefix, name);
		if (a[i].writable)
			profile_line("%s.%s.writable 0x%lx", prefix, name,
				     (unsigned long)a[i].writable);
	}
}

/* A second TD tells what belongs to the module, and what to one TD. */
static void profile_metadata(bool all)
{
	struct profile_survey *survey[2];
	struct kvm_vcpu *vcpu[2];

	for (int i = 0; i < 2; i++) {
		vcpu[i] = create_td(all, profile_fields_guest, &survey[i]);
		vcpu_run_to_done(vcpu[i]);
	}
	profile_fields(all ? "all.sys" : "none.sys", survey[0]->nr_sys, survey[0]->sys,
		       survey[1]->sys);
	profile_fields(all ? "all.td" : "none.td", survey[0]->nr_td, survey[0]->td,
		       survey[1]->td);
	for (int leaf = TDG_VP_VMCALL + 1; leaf < PROFILE_TDCALLS; leaf++)
		profile_line("%s.tdcall.%d 0x%lx", all ? "all" : "none", leaf,
			     (unsigned long)survey[0]->tdcall[leaf]);
	for (int i = 0; i < 2; i++)
		kvm_vm_free(vcpu[i]->vm);
}

void profile_td(bool all)
{
	const char *td = all ? "all" : "none";
	struct profile_survey *survey;
	struct kvm_vcpu *vcpu;
	struct ucall uc;

	profile_metadata(all);
	vcpu = create_td(all, profile_guest, &survey);
	while (vcpu_run_to_ucall(vcpu, &uc) == UCALL_SYNC)
		profile_in_state(td, profile_states[uc.args[1]].name, survey);
	kvm_vm_free(vcpu->vm);
}
