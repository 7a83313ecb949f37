// SPDX-License-Identifier: GPL-2.0
/* RDMSR and WRMSR when a TD executes them. */
#include "msr_table.h"
#include "rules.h"
#include "td.h"
#include "td_cpuid.h"

/* Whether the TD has what an IF_ rule is about. */
static bool td_has(const struct td *td, enum msr_rule rule)
{
	switch (rule) {
	case IF_PERFMON:
		return td->attributes & TD_ATTR_PERFMON;
	case IF_WAITPKG:
		return cpuid_bit(td, CPUID_WAITPKG);
	case IF_TSX:
		return cpuid_bit(td, CPUID_RTM);
	case IF_XFD:
		return td->xfam & XFAM_AMX;
	case IF_PT:
		return td->xfam & XFAM_PT;
	case IF_CET:
		return td->xfam & XFAM_CET;
	case IF_PKS:
		return td->attributes & TD_ATTR_PKS;
	case IF_UINTR:
		return td->xfam & XFAM_UINTR;
	case IF_LBR:
		return td->xfam & XFAM_LBR;
	default:
		return false;
	}
}

#define MSR_SMI_COUNT		0x34
#define MSR_MISC_FEATURES	0x140
#define MSR_MISC_ENABLE		0x1a0
#define MSR_DEBUGCTL		0x1d9
#define MSR_PERF_CAPABILITIES	0x345
#define MSR_X2APIC_ID		0x802
#define MSR_XSS			0xda0
#define MSR_PMC_GP0		0x1900
#define MSR_PMC_FX0		0x1980
#define MSR_PMC_LAST		0x199b
#define MSR_EFER		0xc0000080

/* IA32_ARCH_CAPABILITIES: bits that every CPU with TDX has. */
#define ARCH_CAP_RDCL_NO		BIT(0)
#define ARCH_CAP_IBRS_ALL		BIT(1)
#define ARCH_CAP_SKIP_L1DFL_VMENTRY	BIT(3)
#define ARCH_CAP_MDS_NO			BIT(5)
#define ARCH_CAP_IF_PSCHANGE_MC_NO	BIT(6)
#define ARCH_CAP_TAA_NO			BIT(8)
#define ARCH_CAP_MCU_ENUMERATION	BIT(12)
#define ARCH_CAP_SBDR_SSDP_NO		BIT(13)
#define ARCH_CAP_FBSDP_NO		BIT(14)
#define ARCH_CAP_PSDP_NO		BIT(15)
#define ARCH_CAP_OVERCLOCKING_STATUS	BIT(21)
#define ARCH_CAP_FIXED1	(ARCH_CAP_RDCL_NO | ARCH_CAP_IBRS_ALL |		\
			 ARCH_CAP_SKIP_L1DFL_VMENTRY | ARCH_CAP_MDS_NO |	\
			 ARCH_CAP_IF_PSCHANGE_MC_NO | ARCH_CAP_TAA_NO |	\
			 ARCH_CAP_MCU_ENUMERATION |			\
			 ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO |	\
			 ARCH_CAP_PSDP_NO | ARCH_CAP_OVERCLOCKING_STATUS)

#define MISC_ENABLE_FAST_STRING	BIT(0)
#define MISC_ENABLE_TCC		BIT(3)	/* automatic thermal control */
#define MISC_ENABLE_PERFMON	BIT(7)
#define MISC_ENABLE_NO_BTS	BIT(11)
#define MISC_ENABLE_NO_PEBS	BIT(12)
#define MISC_ENABLE_EST		BIT(16)
#define MISC_ENABLE_XTPR	BIT(23)
/* What the guest can't change. */
#define MISC_ENABLE_FIXED	(MISC_ENABLE_PERFMON | MISC_ENABLE_NO_BTS | \
				 MISC_ENABLE_NO_PEBS)
#define MISC_ENABLE_KNOWN	(MISC_ENABLE_FIXED | MISC_ENABLE_FAST_STRING | \
				 MISC_ENABLE_TCC | MISC_ENABLE_EST |	\
				 MISC_ENABLE_MONITOR |			\
				 MISC_ENABLE_LIMIT_CPUID | MISC_ENABLE_XTPR)

u64 msr_initial_misc_enable(const struct td *td)
{
	u64 cpu = td->m->platform.misc_enable;
	bool perfmon = td->attributes & TD_ATTR_PERFMON;

	return (cpu & (MISC_ENABLE_FAST_STRING | MISC_ENABLE_NO_BTS)) |
	       (perfmon ? MISC_ENABLE_PERFMON : cpu & MISC_ENABLE_NO_PEBS) |
	       (td_feature(td, F_EST) ? MISC_ENABLE_EST : 0) |
	       (cpuid_bit(td, CPUID_MONITOR) ? MISC_ENABLE_MONITOR : 0);
}

/* A release that has no copy for each vCPU shows the CPU's, with some bits fixed. */
static enum tdx_outcome read_misc_enable(const struct tdx_vcpu *v, u64 *value)
{
	const struct td *td = v->td;

	*value = v->misc_enable;
	if (has_feature(td->m, FEATURE_VE_REDUCTION))
		return TDX_DONE;
	*value = (td->m->platform.misc_enable & ~MISC_ENABLE_PERFMON) |
		 MISC_ENABLE_NO_PEBS;
	return td->attributes & TD_ATTR_PERFMON ? TDX_NATIVE : TDX_DONE;
}

static enum tdx_outcome write_misc_enable(struct tdx_vcpu *v, u64 value)
{
	const struct td *td = v->td;
	u64 old = v->misc_enable;

	if (value & ~MISC_ENABLE_KNOWN ||
	    (value & MISC_ENABLE_EST && !td_feature(td, F_EST)))
		return TDX_GP;
	if ((value ^ old) & MISC_ENABLE_MONITOR || value & MISC_ENABLE_LIMIT_CPUID)
		return TDX_VE;
	if (value & MISC_ENABLE_XTPR && !cpuid_bit(td, CPUID_XTPR))
		return TDX_GP;
	v->misc_enable = (value & ~MISC_ENABLE_FIXED) | (old & MISC_ENABLE_FIXED);
	return TDX_DONE;
}

#define DEBUGCTL_LBR		BIT(0)
#define DEBUGCTL_BTF		BIT(1)
#define DEBUGCTL_BUS_LOCK	BIT(2)
#define DEBUGCTL_TR		BIT(6)
#define DEBUGCTL_BTS		BIT(7)
#define DEBUGCTL_BTINT		BIT(8)
#define DEBUGCTL_BTS_OFF_OS	BIT(9)
#define DEBUGCTL_BTS_OFF_USR	BIT(10)
#define DEBUGCTL_FREEZE_LBRS	BIT(11)
#define DEBUGCTL_FREEZE_PERFMON	BIT(12)
#define DEBUGCTL_UNCORE_PMI	BIT(13)
#define DEBUGCTL_FREEZE_SMM	BIT(14)
#define DEBUGCTL_RTM		BIT(15)
#define DEBUGCTL_KNOWN		(DEBUGCTL_LBR | DEBUGCTL_BTF |		\
				 DEBUGCTL_BUS_LOCK | DEBUGCTL_TR |	\
				 DEBUGCTL_BTS | DEBUGCTL_BTINT |	\
				 DEBUGCTL_BTS_OFF_OS | DEBUGCTL_BTS_OFF_USR | \
				 DEBUGCTL_FREEZE_LBRS |			\
				 DEBUGCTL_FREEZE_PERFMON |		\
				 DEBUGCTL_UNCORE_PMI | DEBUGCTL_FREEZE_SMM | \
				 DEBUGCTL_RTM)

static enum tdx_outcome write_debugctl(struct tdx_vcpu *v, u64 value)
{
	const struct td *td = v->td;

	if (value & ~DEBUGCTL_KNOWN)
		return TDX_GP;
	if (value & DEBUGCTL_TR && !(value & DEBUGCTL_BTS))
		return TDX_VE;
	if ((value & DEBUGCTL_FREEZE_SMM && !td_has(td, IF_PERFMON)) ||
	    (value & DEBUGCTL_RTM && !td_has(td, IF_TSX)))
		return TDX_GP;
	v->debugctl = value & ~DEBUGCTL_UNCORE_PMI;
	return TDX_DONE;
}

/* Four MSRs for each counter: CTR, CFG_A, CFG_B and CFG_C. */
static enum tdx_outcome perfmon_cfg(const struct td *td, u32 msr)
{
	unsigned int which = msr % 4;

	if (which == 2 || (which == 1 && msr >= MSR_PMC_FX0))
		return reduces_ve(td) ? TDX_GP : TDX_VE;
	return td_has(td, IF_PERFMON) && which != 3 ? TDX_NATIVE : TDX_GP;
}

static enum tdx_outcome special_read(struct tdx_vcpu *v, u32 msr, u64 *value)
{
	const struct td *td = v->td;

	switch (msr) {
	case MSR_SMI_COUNT:
		*value = v->smi_count;
		return TDX_DONE;
	case MSR_ARCH_CAPABILITIES:
		*value = ARCH_CAP_FIXED1 | td->arch_capabilities |
			 (td_has(td, IF_TSX) ? ARCH_CAP_TSX_CTRL : 0);
		return TDX_DONE;
	case MSR_MISC_ENABLE:
		return read_misc_enable(v, value);
	case MSR_DEBUGCTL:
		*value = v->debugctl;
		return TDX_DONE;
	case MSR_PERF_CAPABILITIES:
		*value = 0;
		return td_has(td, IF_PERFMON) ? TDX_NATIVE : TDX_DONE;
	case MSR_X2APIC_ID:
		*value = v->x2apic_id;
		return topology_on(td) ? TDX_DONE : TDX_VE;
	case MSR_PMC_GP0 ... MSR_PMC_LAST:
		return perfmon_cfg(td, msr);
	}
	return TDX_GP;
}

#define EFER_SCE	BIT(0)
#define EFER_LME	BIT(8)
#define EFER_LMA	BIT(10)
#define EFER_NXE	BIT(11)

/* The guest may change SCE, and writes of LMA are ignored. */
static bool efer_allowed(u64 value)
{
	return (value & ~(EFER_SCE | EFER_LMA)) == (EFER_LME | EFER_NXE);
}

static enum tdx_outcome special_write(struct tdx_vcpu *v, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_SMI_COUNT:
		v->smi_count = value;
		return TDX_DONE;
	case MSR_MISC_FEATURES:
		return value ? TDX_GP : TDX_DONE;
	case MSR_MISC_ENABLE:
		return write_misc_enable(v, value);
	case MSR_DEBUGCTL:
		return write_debugctl(v, value);
	case MSR_XSS:
		return value & ~(v->td->xfam & XFAM_SUPERVISOR) ? TDX_GP :
								  TDX_NATIVE;
	case MSR_PMC_GP0 ... MSR_PMC_LAST:
		return perfmon_cfg(v->td, msr);
	case MSR_EFER:
		return efer_allowed(value) ? TDX_NATIVE : TDX_VE;
	}
	return TDX_GP;
}

/* What the rule says; TDX_DONE: the value decides, or is in the row. */
static enum tdx_outcome outcome(const struct td *td, enum msr_rule rule)
{
	bool reduce = reduces_ve(td);

	switch (rule) {
	case VE:
		return TDX_VE;
	case GP:
		return TDX_GP;
	case NAT:
		return TDX_NATIVE;
	case VALUE:
	case SPECIAL:
		return TDX_DONE;
	case R_GP:
		return reduce ? TDX_GP : TDX_VE;
	case R_VALUE:
	case R_IGNORE:
	case R_SPECIAL:
		return reduce ? TDX_DONE : TDX_VE;
	case VE_FEATURE ... VE_TSC_DEADLINE:
		return td_feature(td, rule - VE_FEATURE) ? TDX_VE : TDX_GP;
	default:
		return td_has(td, rule) ? TDX_NATIVE : TDX_GP;
	}
}

static bool is_special(enum msr_rule rule)
{
	return rule == SPECIAL || rule == R_SPECIAL;
}

/* The category of a #VE by the rule. */
static enum ve_category category(enum msr_rule rule)
{
	return rule == VE ? VE_PARAVIRT : VE_CONFIGURED;
}

/* The category of a #VE by the value that is written. */
static enum ve_category category_of_value(u32 msr)
{
	return msr == MSR_MISC_ENABLE || msr == MSR_DEBUGCTL || msr == MSR_EFER ?
	       VE_UNSUPPORTED : VE_CONFIGURED;
}

static const struct msr_row *find_row(const struct td *td, u32 msr)
{
	return msr_find_row(td->m->profile, msr);
}

static const struct msr_access *access_rules(const struct td *td,
					     const struct msr_row *r)
{
	return has_feature(td->m, FEATURE_VE_REDUCTION) ? &r->v2_0 : &r->v1_5;
}

static enum tdx_outcome read_like(struct tdx_vcpu *v, u32 msr, u64 *value)
{
	const struct msr_row *r = find_row(v->td, msr);
	enum msr_rule rule = access_rules(v->td, r)->read;
	enum tdx_outcome out = outcome(v->td, rule);

	v->next_category = category(rule);
	if (out == TDX_DONE && is_special(rule))
		return special_read(v, msr, value);
	*value = r->value;
	return out;
}

enum tdx_outcome tdx_rdmsr(struct tdx_vcpu *v, uint32_t msr, uint64_t *value)
{
	const struct msr_likeness *like = rules_msr(v->td->m->profile, msr);
	enum tdx_outcome out = read_like(v, like ? like->read : msr, value);

	if (!like || !like->has_value || (out != TDX_NATIVE && out != TDX_DONE))
		return out;
	*value = like->value;
	return TDX_DONE;
}

enum tdx_outcome tdx_wrmsr(struct tdx_vcpu *v, uint32_t msr, uint64_t value)
{
	const struct msr_likeness *like = rules_msr(v->td->m->profile, msr);
	enum msr_rule rule;
	enum tdx_outcome out;

	msr = like ? like->write : msr;
	rule = access_rules(v->td, find_row(v->td, msr))->write;
	out = outcome(v->td, rule);

	v->next_category = out == TDX_VE ? category(rule) : category_of_value(msr);
	if (out == TDX_DONE && is_special(rule))
		return special_write(v, msr, value);
	return out;
}
