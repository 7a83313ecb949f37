// SPDX-License-Identifier: GPL-2.0
/*
 * The part of VMX that a TDX host needs, and two instructions that every TDX
 * CPU has and QEMU does not.
 *
 * All of them are illegal opcodes to QEMU, so they are decoded when it is about
 * to raise #UD: that costs nothing elsewhere.  There is no VM entry but that
 * of the TDX module; VMLAUNCH fails as with a control field that is not valid.
 */
#include "qemu/osdep.h"
#include "cpu.h"
#include "exec/cpu_ldst.h"
#include "exec/cputlb.h"
#include "exec/exec-all.h"
#include "tcg/helper-tcg.h"
#include "hooks.h"
#include "glue.h"

/* CPUID and MSRs of the bare CPU. */

#define LAST_LEAF		0x15u
#define CPUID_1_EDX_SS		(1u << 27)
#define CPUID_7_ECX_TME		(1u << 13)
#define CPUID_7_ECX_MOVDIRI	(1u << 27)
#define CPUID_7_ECX_MOVDIR64B	(1u << 28)
#define CPUID_7_EDX_ARCH_CAP	(1u << 29)

void vmx_host_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	if (leaf == 0) {
		out[0] = MAX(out[0], LAST_LEAF);
	} else if (leaf == 1) {
		unsigned int model = tdx_profile()->cpu_model;

		out[0] = (out[0] & ~0xf00f0u) | (model & 0xf) << 4 |
			 (model >> 4) << 16;
		out[2] |= CPUID_EXT_VMX;
		out[3] |= CPUID_1_EDX_SS;
	} else if (leaf == 7 && subleaf == 0) {
		out[2] |= CPUID_7_ECX_TME | CPUID_7_ECX_MOVDIRI |
			  CPUID_7_ECX_MOVDIR64B;
		out[3] |= CPUID_7_EDX_ARCH_CAP;
	} else if (leaf == 0x80000007) {
		out[3] |= CPUID_APM_INVTSC;
	} else if (leaf == 0x15) {
		out[0] = 1;
		out[1] = TSC_HZ / CRYSTAL_HZ;
		out[2] = CRYSTAL_HZ;
	}
}

/* Allowed 0-settings in the low half, allowed 1-settings in the high half. */
#define CONTROLS(must, may) ((uint64_t)((must) | (may)) << 32 | (must))

#define PIN_MUST	0x16u
#define PIN_MAY		0xe9u		/* ... posted interrupts */
#define PROC_MUST	0x04006172u
#define PROC_MUST_OLD	0x0401e172u	/* with CR3 exiting: before TRUE_* */
#define PROC_MAY	0xfbff9e8cu
/*
 * APIC access, EPT, descriptors, RDTSCP, x2APIC mode, VPID, WBINVD,
 * unrestricted guest, APIC registers, interrupt delivery, PAUSE loop, RDRAND,
 * INVPCID, RDSEED, PML, #VE, TSC scaling, bus lock, notification.
 */
#define PROC2_MAY	0xc2071fffu
#define EXIT_MUST	0x00036dfbu
#define EXIT_MUST_OLD	0x00036dffu
#define EXIT_MAY	0x007c9204u	/* 64-bit, ack, PERF, PAT, EFER, timer */
#define ENTRY_MUST	0x000011fbu
#define ENTRY_MUST_OLD	0x000011ffu
#define ENTRY_MAY	0x0000e204u	/* 64-bit, PERF, PAT, EFER */

/* Revision, 4 KiB of write-back memory, INS/OUTS, TRUE_*, survives SEAMRET. */
#define VMX_REVISION	0x11u
#define VMX_BASIC	(VMX_REVISION | 0x1000ull << 32 | 6ull << 50 | \
			 1ull << 54 | 1ull << 55 | 1ull << 60)
/* 4 levels, WB, 2M, 1G, INVEPT, A/D, INVVPID with all types. */
#define EPT_5_LEVELS	(1ull << 7)
#define EPT_VPID	(1ull | 1ull << 6 | 1ull << 14 | \
			 3ull << 16 | 1ull << 20 | 1ull << 21 | 3ull << 25 | \
			 1ull << 32 | 0xfull << 40)

/* Locked, enabled, KeyID bits, and how many of them are for TDX. */
#define TME_ACTIVATE	(1ull | 1ull << 1 | (uint64_t)KEYID_BITS << 32)

#define MSR_KEYID_PARTITIONING	0x87
#define MSR_EPT_VPID_CAP	0x48c

static const struct {
	uint32_t msr;
	uint64_t value;
} vmx_msrs[] = {
	{ 0x3a, 5 },	/* FEATURE_CONTROL: locked, VMX outside SMX */
	{ MSR_KEYID_PARTITIONING, NUM_MKTME_KEYIDS },
	{ 0x10a, ARCH_CAPABILITIES },
	{ 0x480, VMX_BASIC },
	{ 0x481, CONTROLS(PIN_MUST, PIN_MAY) },
	{ 0x482, CONTROLS(PROC_MUST_OLD, PROC_MAY) },
	{ 0x483, CONTROLS(EXIT_MUST_OLD, EXIT_MAY) },
	{ 0x484, CONTROLS(ENTRY_MUST_OLD, ENTRY_MAY) },
	/* MISC: timer rate, LMA on exit, HLT, CR3 targets, VMWRITE anywhere */
	{ 0x485, 5 | 1 << 5 | 1 << 6 | 4 << 16 | 3 << 29 },
	{ 0x486, 0x80000021 }, { 0x487, 0xffffffff },	/* CR0 fixed 0, 1 */
	{ 0x488, 0x2000 }, { 0x489, 0x01f777ff },	/* CR4 fixed 0, 1 */
	{ 0x48a, 0x2e },				/* VMCS_ENUM */
	{ 0x48b, CONTROLS(0u, PROC2_MAY) },
	{ MSR_EPT_VPID_CAP, EPT_VPID },
	{ 0x48d, CONTROLS(PIN_MUST, PIN_MAY) },
	{ 0x48e, CONTROLS(PROC_MUST, PROC_MAY) },
	{ 0x48f, CONTROLS(EXIT_MUST, EXIT_MAY) },
	{ 0x490, CONTROLS(ENTRY_MUST, ENTRY_MAY) },
	{ 0x491, 0 }, { 0x492, 0 },	/* VMFUNC, tertiary controls */
	{ 0x981, 1ull | (uint64_t)KEYID_BITS << 32 | 63ull << 36 },
	{ 0x982, TME_ACTIVATE },
};

/* What the profile adds to a value of the table. */
static uint64_t profile_bits(uint32_t msr)
{
	const struct tdx_profile *p = tdx_profile();

	switch (msr) {
	case MSR_KEYID_PARTITIONING:
		return (uint64_t)p->num_tdx_keyids << 32;
	case MSR_EPT_VPID_CAP:
		return p->ept_5_levels ? EPT_5_LEVELS : 0;
	}
	return 0;
}

bool vmx_rdmsr(uint32_t msr, uint64_t *value)
{
	for (int i = 0; i < ARRAY_SIZE(vmx_msrs); i++) {
		if (vmx_msrs[i].msr == msr) {
			*value = vmx_msrs[i].value | profile_bits(msr);
			return true;
		}
	}
	return false;
}

bool vmx_wrmsr_is_ro(uint32_t msr)
{
	uint64_t value;

	return vmx_rdmsr(msr, &value);
}

/* Decoding: prefixes, opcode, ModRM. */

struct insn {
	CPUX86State *env;
	target_ulong start, at;		/* linear */
	uint8_t rex, prefix;		/* prefix: 0, 0x66, 0xf2, 0xf3 */
	int segment;
	uint8_t modrm;
	target_ulong ea;		/* linear, if memory */
};

static uint8_t code_byte(CPUX86State *env, target_ulong addr)
{
	return cpu_ldub_mmuidx_ra(env, addr, cpu_mmu_index(env_cpu(env), true),
				  0);
}

static uint8_t fetch(struct insn *i)
{
	return code_byte(i->env, i->at++);
}

static uint32_t fetch_le(struct insn *i, int bytes)
{
	uint32_t v = 0;

	for (int n = 0; n < bytes; n++)
		v |= (uint32_t)fetch(i) << 8 * n;
	return v;
}

static uint64_t reg_of(struct insn *i)
{
	return (i->modrm >> 3 & 7) | (i->rex & 4) << 1;
}

static bool is_memory(const struct insn *i)
{
	return i->modrm < 0xc0;
}

static int rm_of(struct insn *i)
{
	return (i->modrm & 7) | (i->rex & 1) << 3;
}

/* The 64-bit effective address of a memory operand. */
static void decode_address(struct insn *i)
{
	int mod = i->modrm >> 6, base = rm_of(i);
	target_ulong ea = 0;
	bool rip = false;

	if ((i->modrm & 7) == 4) {
		uint8_t sib = fetch(i);
		int index = (sib >> 3 & 7) | (i->rex & 2) << 2;

		base = (sib & 7) | (i->rex & 1) << 3;
		if (index != R_ESP)
			ea = i->env->regs[index] << (sib >> 6);
		if ((sib & 7) == 5 && mod == 0)
			ea += (int32_t)fetch_le(i, 4);
		else
			ea += i->env->regs[base];
	} else if ((i->modrm & 7) == 5 && mod == 0) {
		rip = true;
		ea = (int32_t)fetch_le(i, 4);
	} else {
		ea = i->env->regs[base];
	}
	if (mod == 1)
		ea += (int8_t)fetch(i);
	else if (mod == 2)
		ea += (int32_t)fetch_le(i, 4);
	if (rip)
		ea += i->at;	/* these instructions have no immediate */
	if (i->segment == R_FS || i->segment == R_GS)
		ea += i->env->segs[i->segment].base;
	i->ea = ea;
}

/* Fetches up to and with ModRM and address; returns the opcode, map first. */
static uint32_t decode(struct insn *i, CPUX86State *env)
{
	uint32_t opcode;
	uint8_t b;

	*i = (struct insn){ .env = env, .segment = R_DS };
	i->start = i->at = env->segs[R_CS].base + env->eip;
	for (;;) {
		b = fetch(i);
		if (b == 0x66 || b == 0xf2 || b == 0xf3)
			i->prefix = i->prefix > 0x66 ? i->prefix : b;
		else if (b == 0x64 || b == 0x65)
			i->segment = b == 0x64 ? R_FS : R_GS;
		else if (b != 0x2e && b != 0x36 && b != 0x3e && b != 0x26)
			break;
	}
	if (env->hflags & HF_CS64_MASK && (b & 0xf0) == 0x40) {
		i->rex = b;
		b = fetch(i);
	}
	if (b != 0x0f)
		return 0;
	opcode = fetch(i);
	if (opcode == 0x38)
		opcode = 0x3800 | fetch(i);
	i->modrm = fetch(i);
	return opcode;
}

static G_NORETURN void done(struct insn *i)
{
	tdx_insn_done(i->env, i->at - i->env->segs[R_CS].base);
}

static uint64_t load(struct insn *i, target_ulong addr)
{
	return cpu_ldq_data_ra(i->env, addr, 0);
}

/* VMX instructions say how they ended in the arithmetic flags. */

static G_NORETURN void vm_succeed(struct insn *i)
{
	tdx_set_flags(i->env, 0);
	done(i);
}

static G_NORETURN void vm_fail_invalid(struct insn *i)
{
	tdx_set_flags(i->env, CC_C);
	done(i);
}

/* VMCSs, by physical address: what VMWRITE wrote, by field encoding. */
static struct {
	GMutex lock;
	GHashTable *by_pa;
} vmcss;

/* Instruction error numbers of the SDM, volume 3, section 31.4. */
enum vm_error {
	VMCLEAR_ADDRESS = 2, VMLAUNCH_CONTROLS = 7, VMPTRLD_ADDRESS = 9,
	VMPTRLD_REVISION = 11, VMXON_IN_ROOT = 15, INVEPT_OPERAND = 28,
};

#define VMCS_INSTRUCTION_ERROR 0x4400

static GHashTable *vmcs_fields(uint64_t pa)
{
	GHashTable *fields;

	if (!vmcss.by_pa)
		vmcss.by_pa = g_hash_table_new(g_direct_hash, g_direct_equal);
	fields = g_hash_table_lookup(vmcss.by_pa, (gpointer)(uintptr_t)pa);
	if (!fields) {
		fields = g_hash_table_new(g_direct_hash, g_direct_equal);
		g_hash_table_insert(vmcss.by_pa, (gpointer)(uintptr_t)pa, fields);
	}
	return fields;
}

static uint64_t vmcs_read(uint64_t pa, uint32_t field)
{
	uint64_t v;

	g_mutex_lock(&vmcss.lock);
	v = (uintptr_t)g_hash_table_lookup(vmcs_fields(pa),
					   (gpointer)(uintptr_t)field);
	g_mutex_unlock(&vmcss.lock);
	return v;
}

static void vmcs_write(uint64_t pa, uint32_t field, uint64_t value)
{
	g_mutex_lock(&vmcss.lock);
	g_hash_table_insert(vmcs_fields(pa), (gpointer)(uintptr_t)field,
			    (gpointer)(uintptr_t)value);
	g_mutex_unlock(&vmcss.lock);
}

static G_NORETURN void vm_fail(struct insn *i, enum vm_error error)
{
	struct lp *lp = tdx_lp(i->env);

	if (lp->vmcs == ~0ull)
		vm_fail_invalid(i);
	vmcs_write(lp->vmcs, VMCS_INSTRUCTION_ERROR, error);
	tdx_set_flags(i->env, CC_Z);
	done(i);
}

static bool address_ok(struct insn *i, uint64_t pa)
{
	return !(pa & 0xfff) && !(pa >> env_archcpu(i->env)->phys_bits);
}

static uint32_t revision(struct insn *i, uint64_t pa)
{
	return x86_ldl_phys(env_cpu(i->env), pa);
}

static G_NORETURN void do_vmxon(struct insn *i)
{
	struct lp *lp = tdx_lp(i->env);
	uint64_t pa = load(i, i->ea);

	if (!(i->env->cr[4] & CR4_VMXE_MASK) || !(i->env->cr[0] & CR0_PE_MASK))
		raise_exception(i->env, EXCP06_ILLOP);
	if (lp->vmxon)
		vm_fail(i, VMXON_IN_ROOT);
	if (!address_ok(i, pa) || revision(i, pa) != VMX_REVISION)
		vm_fail_invalid(i);
	lp->vmxon = true;
	lp->vmcs = ~0ull;
	vm_succeed(i);
}

/* Group 9, memory: VMPTRLD, VMCLEAR and VMXON by prefix, VMPTRST. */
static G_NORETURN void do_vmcs_pointer(struct insn *i)
{
	struct lp *lp = tdx_lp(i->env);
	uint64_t pa;

	if ((i->modrm >> 3 & 7) == 7) {
		cpu_stq_data_ra(i->env, i->ea, lp->vmcs, 0);
		vm_succeed(i);
	}
	pa = load(i, i->ea);
	if (i->prefix == 0x66) {
		if (!address_ok(i, pa))
			vm_fail(i, VMCLEAR_ADDRESS);
		if (lp->vmcs == pa)
			lp->vmcs = ~0ull;
		vm_succeed(i);
	}
	if (!address_ok(i, pa))
		vm_fail(i, VMPTRLD_ADDRESS);
	if ((revision(i, pa) & 0x7fffffff) != VMX_REVISION)
		vm_fail(i, VMPTRLD_REVISION);
	lp->vmcs = pa;
	vm_succeed(i);
}

/* VMREAD (0x78) stores the field named by reg to r/m; VMWRITE the reverse. */
static G_NORETURN void do_vmcs_field(struct insn *i, bool write)
{
	struct lp *lp = tdx_lp(i->env);
	uint32_t field = i->env->regs[reg_of(i)];
	uint64_t value;

	if (lp->vmcs == ~0ull)
		vm_fail_invalid(i);
	if (write) {
		value = is_memory(i) ? load(i, i->ea) : i->env->regs[rm_of(i)];
		/* A 64-bit field in two halves: odd encodings are the high. */
		if (field & 1 && (field & 0x6000) == 0x2000)
			value = (vmcs_read(lp->vmcs, field - 1) & 0xffffffff) |
				value << 32;
		vmcs_write(lp->vmcs, field & ~1u, value);
		vm_succeed(i);
	}
	value = vmcs_read(lp->vmcs, field & ~1u);
	if (field & 1)
		value >>= 32;
	if (is_memory(i))
		cpu_stq_data_ra(i->env, i->ea, value, 0);
	else
		i->env->regs[rm_of(i)] = value;
	vm_succeed(i);
}

/*
 * INVEPT drops all translations of TDs, whatever its type; for INVVPID there is
 * no guest.
 */
static G_NORETURN void do_invalidate(struct insn *i, unsigned int max_type)
{
	uint64_t type = i->env->regs[reg_of(i)], high = load(i, i->ea + 8);

	if (type > max_type || (max_type == 2 && (!type || high)))
		vm_fail(i, INVEPT_OPERAND);
	if (max_type == 2)
		tdx_flush_tlb(i->env);
	vm_succeed(i);
}

static G_NORETURN void do_movdir64b(struct insn *i)
{
	target_ulong to = i->env->regs[reg_of(i)];
	uint64_t data[8];

	if (to & 63)
		raise_exception_err(i->env, EXCP0D_GPF, 0);
	for (int n = 0; n < 8; n++)
		data[n] = load(i, i->ea + 8 * n);
	for (int n = 0; n < 8; n++)
		cpu_stq_data_ra(i->env, to + 8 * n, data[n], 0);
	done(i);
}

static G_NORETURN void do_movdiri(struct insn *i)
{
	uint64_t value = i->env->regs[reg_of(i)];

	if (i->rex & 8)
		cpu_stq_data_ra(i->env, i->ea, value, 0);
	else
		cpu_stl_data_ra(i->env, i->ea, value, 0);
	done(i);
}

/*
 * INVPCID, which every TD has and QEMU's CPUs lack.  Here translations do not
 * outlive their PCID's time in CR3, so that any type drops them all.
 */
static G_NORETURN void do_invpcid(struct insn *i)
{
	CPUX86State *env = i->env;
	uint64_t type = env->regs[reg_of(i)], pcid, gla;
	unsigned int shift = env->cr[4] & CR4_LA57_MASK ? 7 : 16;

	if (env->hflags & HF_CPL_MASK)
		raise_exception_err(env, EXCP0D_GPF, 0);
	pcid = load(i, i->ea);
	gla = load(i, i->ea + 8);
	if (type > 3 || pcid >> 12 ||
	    (type < 2 && pcid && !(env->cr[4] & CR4_PCIDE_MASK)) ||
	    (!type && (int64_t)(gla << shift) >> shift != gla))
		raise_exception_err(env, EXCP0D_GPF, 0);
	tlb_flush(env_cpu(env));
	done(i);
}

/* VMX operation only: #UD outside, #GP(0) from user space. */
static void need_root(struct insn *i)
{
	if (!tdx_lp(i->env)->vmxon)
		raise_exception(i->env, EXCP06_ILLOP);
	if (i->env->hflags & HF_CPL_MASK)
		raise_exception_err(i->env, EXCP0D_GPF, 0);
}

/* What a TD may execute of all this. */
static void execute_in_td(struct insn *i, uint32_t opcode)
{
	if (opcode == 0x3882 && i->prefix == 0x66 && is_memory(i))
		do_invpcid(i);
	if (opcode != 1)
		return;
	if (i->modrm == 0xcc && i->prefix == 0x66)
		tdx_do_tdcall(i->env, i->at - i->env->segs[R_CS].base);
	if (i->modrm == 0xc1)
		tdx_deliver_ve(i->env, &(struct tdx_ve_info){
			.reason = 18, .insn_len = i->at - i->start
		}, 0);
}

static void execute_group7(struct insn *i)
{
	struct lp *lp = tdx_lp(i->env);

	switch (i->modrm) {
	case 0xc2:	/* VMLAUNCH */
	case 0xc3:	/* VMRESUME */
		need_root(i);
		vm_fail(i, VMLAUNCH_CONTROLS);
	case 0xc4:	/* VMXOFF */
		need_root(i);
		lp->vmxon = false;
		lp->vmcs = ~0ull;
		vm_succeed(i);
	case 0xcf:	/* SEAMCALL */
		if (i->prefix != 0x66)
			return;
		need_root(i);
		tdx_do_seamcall(i->env, i->at - i->env->segs[R_CS].base);
	}
}

void vmx_execute(CPUX86State *env)
{
	struct insn i;
	uint32_t opcode = decode(&i, env);

	if (opcode == 0)
		return;
	if (is_memory(&i) && env->hflags & HF_CS64_MASK)
		decode_address(&i);
	if (opcode == 0x38f8 && i.prefix == 0x66 && is_memory(&i))
		do_movdir64b(&i);
	if (opcode == 0x38f9 && !i.prefix && is_memory(&i))
		do_movdiri(&i);
	if (tdx_in_td(env)) {
		execute_in_td(&i, opcode);
		return;
	}
	switch (opcode) {
	case 0x01:
		if (!is_memory(&i))
			execute_group7(&i);
		break;
	case 0x78:
	case 0x79:
		need_root(&i);
		do_vmcs_field(&i, opcode == 0x79);
	case 0xc7:
		if (!is_memory(&i) || (i.modrm >> 3 & 7) < 6)
			break;
		if (i.prefix == 0xf3 && (i.modrm >> 3 & 7) == 6) {
			if (env->hflags & HF_CPL_MASK)
				raise_exception_err(env, EXCP0D_GPF, 0);
			do_vmxon(&i);
		}
		need_root(&i);
		do_vmcs_pointer(&i);
	case 0x3880:
	case 0x3881:
		if (i.prefix != 0x66 || !is_memory(&i))
			break;
		need_root(&i);
		do_invalidate(&i, opcode == 0x3880 ? 2 : 3);
	}
}
