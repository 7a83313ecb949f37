// SPDX-License-Identifier: GPL-2.0
/* CPUID when a TD executes it. */
#include <string.h>

#include "td.h"
#include "td_cpuid.h"

static const struct feature_bit {
	u32 leaf, subleaf;
	enum cpuid_reg reg;
	unsigned int bit;
} feature_bits[NUM_FEATURES] = {
	[F_CORE_CAP] = { CPUID_CORE_CAP },
	[F_DCA] = { CPUID_DCA },
	[F_EST] = { CPUID_EIST },
	[F_MCA] = { CPUID_MCA },
	[F_MTRR] = { CPUID_MTRR },
	[F_PCONFIG] = { CPUID_PCONFIG },
	[F_RDT_A] = { CPUID_RDT_A },
	[F_RDT_M] = { CPUID_RDT_M },
	[F_ACPI] = { CPUID_ACPI },
	[F_TM2] = { CPUID_TM2 },
	[F_TME] = { CPUID_TME },
	[F_TSC_DEADLINE] = { CPUID_TSC_DEADLINE },
};

bool td_feature(const struct td *td, enum feature f)
{
	const struct feature_bit *b = &feature_bits[f];
	bool shown = cpuid_bit(td, b->leaf, b->subleaf, b->reg, b->bit);

	if (reduces_ve(td))
		return shown && td->paravirt_ctrl & BIT(f);
	return shown || f == F_MCA || f == F_MTRR || f == F_CORE_CAP;
}

static void put_bit(u32 out[NUM_CPUID_REGS], bool value, u32 leaf, u32 subleaf,
		    enum cpuid_reg reg, unsigned int bit)
{
	(void)leaf;
	(void)subleaf;
	out[reg] = (out[reg] & ~BIT(bit)) | (u32)value << bit;
}

/* The machine check exception goes with the MSRs. */
static bool has_mce(const struct td *td)
{
	return !reduces_ve(td) || (td->paravirt_ctrl & BIT(F_MCA) &&
				   cpuid_bit(td, CPUID_MCE));
}

/* Shows what td_feature() says is there, and hides the rest. */
static void show_features(const struct td *td, u32 leaf,
			  u32 out[NUM_CPUID_REGS])
{
	const struct feature_bit *b;
	enum feature f;

	for (f = 0; f < NUM_FEATURES; f++) {
		b = &feature_bits[f];
		if (b->leaf == leaf)
			put_bit(out, td_feature(td, f), b->leaf, b->subleaf,
				b->reg, b->bit);
	}
	if (leaf == 1)
		put_bit(out, has_mce(td), CPUID_MCE);
}

#define CR4_OSXSAVE	BIT(18)
#define CR4_PKE		BIT(22)

/*
 * With REDUCE_VE the guest sees the CPU's caches.  Of the host's are the numbers of
 * threads and cores.
 */
#define CACHE_IDS	0xffffc000u

static void show_native_cache(const struct td *td, unsigned int row,
			      u32 out[NUM_CPUID_REGS])
{
	u32 ids = out[EAX] & CACHE_IDS;

	if (!reduces_ve(td))
		return;
	memcpy(out, td->m->native_cpuid[row], NUM_CPUID_REGS * sizeof(out[0]));
	out[EAX] = (out[EAX] & ~CACHE_IDS) | ids;
}

/* What depends on the vCPU and on the state that it is in. */
static void adjust(struct tdx_vcpu *v, const struct tdx_cpuid_env *env,
		   u32 leaf, u32 subleaf, u32 out[NUM_CPUID_REGS])
{
	switch (leaf) {
	case 1:
		show_features(v->td, leaf, out);
		out[EBX] |= (topology_on(v->td) ? v->x2apic_id : v->index) << 24;
		put_bit(out, env->cr4 & CR4_OSXSAVE, CPUID_OSXSAVE);
		break;
	case 7:
		if (subleaf)
			break;
		show_features(v->td, leaf, out);
		put_bit(out, env->cr4 & CR4_PKE, CPUID_OSPKE);
		break;
	case 0xb:
	case 0x1f:
		out[EDX] = v->x2apic_id;
		break;
	case 0xd:
		if (subleaf == 0)
			out[EBX] = cpuid_xsave_size(v->td->m, env->xcr0, false);
		else if (subleaf == 1)
			out[EBX] = cpuid_xsave_size(v->td->m,
						    env->xcr0 | env->xss, true);
		break;
	case 0x80000001:
		put_bit(out, env->long_mode, CPUID_SYSCALL);
		break;
	}
}

/* Leaves that are in the table and still raise #VE. */
static bool leaf_is_ve(const struct td *td, u32 leaf)
{
	bool reduce = reduces_ve(td);

	switch (leaf) {
	case 2:
		return !reduce && !(td->td_ctls & TD_CTLS_VIRT_CPUID2);
	case 0xb:
	case 0x1f:
		return !topology_on(td);
	case 9:
		return !reduce || td_feature(td, F_DCA);
	case 0xf:
		return !reduce || td_feature(td, F_RDT_M);
	case 0x10:
		return !reduce || td_feature(td, F_RDT_A);
	case 0x1b:
		return !reduce || td_feature(td, F_PCONFIG);
	case 6:
	case 0xc:
	case 0x16:
	case 0x17:
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
	case 0x80000005:
		return !reduce;
	}
	return false;
}

/* A leaf that is not in the table. */
static enum tdx_outcome unknown_leaf(struct tdx_vcpu *v, u32 leaf, u32 subleaf,
				     u32 out[NUM_CPUID_REGS])
{
	if (!reduces_ve(v->td))
		return TDX_VE;
	memset(out, 0, NUM_CPUID_REGS * sizeof(out[0]));
	if (leaf == 0xb || leaf == 0x1f) {
		out[ECX] = subleaf & 0xff;
		out[EDX] = v->x2apic_id;
	}
	return TDX_DONE;
}

/* Leaves 0x40000000 to 0x4fffffff are the hypervisor's. */
static bool is_hypervisor_leaf(u32 leaf)
{
	return leaf >> 28 == 4;
}

/* As on a CPU, a leaf past the end reads as the last basic one. */
static u32 limit_leaf(u32 leaf)
{
	bool beyond = leaf > MAX_EXTENDED_LEAF ||
		      (leaf > MAX_LEAF && leaf < 0x80000000);

	return beyond ? MAX_LEAF : leaf;
}

enum tdx_outcome tdx_cpuid(struct tdx_vcpu *v, const struct tdx_cpuid_env *env,
			   uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	const struct td *td = v->td;
	const struct cpuid_table *t = td->m->profile->cpuid;
	u8 control = env->user ? CPUID_CONTROL_USER : CPUID_CONTROL_SUPERVISOR;
	int i;

	v->next_category = is_hypervisor_leaf(leaf) ? VE_PARAVIRT : VE_CONFIGURED;
	if (is_hypervisor_leaf(leaf) ||
	    (env->user ? v->cpuid_user_ve : v->cpuid_supervisor_ve))
		return TDX_VE;
	leaf = limit_leaf(leaf);
	i = cpuid_find_row(t, leaf, subleaf);
	if (i < 0)
		return unknown_leaf(v, leaf, subleaf, out);
	if (v->cpuid_control[i] & control || cpuid_faults(t, &t->rows[i]) ||
	    leaf_is_ve(td, t->rows[i].faults_as ? t->rows[i].faults_as : leaf))
		return TDX_VE;
	memcpy(out, td->cpuid[i], NUM_CPUID_REGS * sizeof(out[0]));
	if (leaf == 4)
		show_native_cache(td, i, out);
	adjust(v, env, leaf, subleaf, out);
	return TDX_DONE;
}
