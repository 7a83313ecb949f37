// SPDX-License-Identifier: GPL-2.0
/*
 * The VMX instructions that a TDX host executes.
 *
 * The only VM entry is that of the TDX module: VMLAUNCH and VMRESUME fail, as
 * they do with an invalid control field.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "cpu.h"
#include "tcg/helper-tcg.h"
#include "glue.h"
#include "decode.h"

#define VMCS_INSTRUCTION_ERROR	0x4400

/* Bits of a VMCS field's encoding: the high half, and its width. */
#define FIELD_HIGH		1u
#define FIELD_WIDTH_MASK	0x6000u
#define FIELD_WIDTH_64		0x2000u

/* Instruction error numbers of the SDM, volume 3, section 31.4. */
enum vm_error {
	VMCLEAR_ADDRESS		= 2,
	VMLAUNCH_CONTROLS	= 7,
	VMPTRLD_ADDRESS		= 9,
	VMPTRLD_REVISION	= 11,
	VMXON_IN_ROOT		= 15,
	INVEPT_OPERAND		= 28,
};

/* The highest invalidation types. */
#define INVEPT_ALL		2
#define INVVPID_ALL_BUT_GLOBAL	3

/* VMCSs by physical address: what VMWRITE wrote, by field encoding. */
static struct {
	GMutex lock;
	GHashTable *by_pa;
} vmcss;

/* The fields of the VMCS at @pa, which starts empty.  Needs the lock. */
static GHashTable *vmcs_fields(uint64_t pa)
{
	gpointer key = (gpointer)(uintptr_t)pa;
	GHashTable *fields;

	if (!vmcss.by_pa)
		vmcss.by_pa = g_hash_table_new(g_direct_hash, g_direct_equal);
	fields = g_hash_table_lookup(vmcss.by_pa, key);
	if (!fields) {
		fields = g_hash_table_new(g_direct_hash, g_direct_equal);
		g_hash_table_insert(vmcss.by_pa, key, fields);
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

/* VMX instructions report in the arithmetic flags how they ended. */

static G_NORETURN void vm_succeed(struct insn *i)
{
	insn_set_flags(i, 0);
	insn_done(i);
}

static G_NORETURN void vm_fail_invalid(struct insn *i)
{
	insn_set_flags(i, CC_C);
	insn_done(i);
}

/* Fails with an error number, if there is a VMCS to put it into. */
static G_NORETURN void vm_fail(struct insn *i, enum vm_error error)
{
	struct lp *lp = tdx_lp(i->env);

	if (lp->vmcs == VMCS_NONE)
		vm_fail_invalid(i);
	vmcs_write(lp->vmcs, VMCS_INSTRUCTION_ERROR, error);
	insn_set_flags(i, CC_Z);
	insn_done(i);
}

/* Whether a VMXON region or a VMCS may be there. */
static bool is_page(struct insn *i, uint64_t pa)
{
	return !(pa & 0xfff) && !(pa >> env_archcpu(i->env)->phys_bits);
}

/* The revision identifier, which is the first word of either. */
static uint32_t revision(struct insn *i, uint64_t pa)
{
	return x86_ldl_phys(env_cpu(i->env), pa);
}

static G_NORETURN void vmxon(struct insn *i)
{
	CPUX86State *env = i->env;
	struct lp *lp = tdx_lp(env);
	uint64_t pa;

	if (env->hflags & HF_CPL_MASK)
		insn_gp(i);
	pa = insn_load(i, i->ea);
	if (!(env->cr[4] & CR4_VMXE_MASK) || !(env->cr[0] & CR0_PE_MASK))
		insn_ud(i);
	if (lp->vmxon)
		vm_fail(i, VMXON_IN_ROOT);
	if (!is_page(i, pa) || revision(i, pa) != VMCS_REVISION)
		vm_fail_invalid(i);
	lp->vmxon = true;
	lp->vmcs = VMCS_NONE;
	vm_succeed(i);
}

static G_NORETURN void vmxoff(struct insn *i)
{
	struct lp *lp = tdx_lp(i->env);

	lp->vmxon = false;
	lp->vmcs = VMCS_NONE;
	vm_succeed(i);
}

static G_NORETURN void vmptrst(struct insn *i)
{
	insn_store(i, i->ea, tdx_lp(i->env)->vmcs);
	vm_succeed(i);
}

static G_NORETURN void vmclear(struct insn *i)
{
	struct lp *lp = tdx_lp(i->env);
	uint64_t pa = insn_load(i, i->ea);

	if (!is_page(i, pa))
		vm_fail(i, VMCLEAR_ADDRESS);
	if (lp->vmcs == pa)
		lp->vmcs = VMCS_NONE;
	vm_succeed(i);
}

static G_NORETURN void vmptrld(struct insn *i)
{
	uint64_t pa = insn_load(i, i->ea);

	if (!is_page(i, pa))
		vm_fail(i, VMPTRLD_ADDRESS);
	if ((revision(i, pa) & 0x7fffffff) != VMCS_REVISION)
		vm_fail(i, VMPTRLD_REVISION);
	tdx_lp(i->env)->vmcs = pa;
	vm_succeed(i);
}

/* The field that reg names goes from r/m into the VMCS. */
static G_NORETURN void vmwrite(struct insn *i)
{
	uint64_t vmcs = tdx_lp(i->env)->vmcs;
	uint32_t field = i->env->regs[insn_reg(i)];
	uint64_t value;

	if (vmcs == VMCS_NONE)
		vm_fail_invalid(i);
	value = insn_is_memory(i) ? insn_load(i, i->ea) :
				    i->env->regs[insn_rm(i)];
	if (field & FIELD_HIGH && (field & FIELD_WIDTH_MASK) == FIELD_WIDTH_64)
		value = (vmcs_read(vmcs, field & ~FIELD_HIGH) & 0xffffffff) |
			value << 32;
	vmcs_write(vmcs, field & ~FIELD_HIGH, value);
	vm_succeed(i);
}

/* The field that reg names goes from the VMCS to r/m. */
static G_NORETURN void vmread(struct insn *i)
{
	uint64_t vmcs = tdx_lp(i->env)->vmcs;
	uint32_t field = i->env->regs[insn_reg(i)];
	uint64_t value;

	if (vmcs == VMCS_NONE)
		vm_fail_invalid(i);
	value = vmcs_read(vmcs, field & ~FIELD_HIGH);
	if (field & FIELD_HIGH)
		value >>= 32;
	if (insn_is_memory(i))
		insn_store(i, i->ea, value);
	else
		i->env->regs[insn_rm(i)] = value;
	vm_succeed(i);
}

/* Drops all translations of TDs, whatever the type. */
static G_NORETURN void invept(struct insn *i)
{
	uint64_t type = i->env->regs[insn_reg(i)];
	uint64_t high = insn_load(i, i->ea + 8);

	if (!type || type > INVEPT_ALL || high)
		vm_fail(i, INVEPT_OPERAND);
	tdx_flush_tlb(i->env);
	vm_succeed(i);
}

/* There are no guests with a VPID. */
static G_NORETURN void invvpid(struct insn *i)
{
	/* The operand has to be readable. */
	insn_load(i, i->ea + 8);
	if (i->env->regs[insn_reg(i)] > INVVPID_ALL_BUT_GLOBAL)
		vm_fail(i, INVEPT_OPERAND);
	vm_succeed(i);
}

void vmx_need_root(struct insn *i)
{
	if (!tdx_lp(i->env)->vmxon)
		insn_ud(i);
	if (i->env->hflags & HF_CPL_MASK)
		insn_gp(i);
}

static void execute_group7(struct insn *i)
{
	switch (i->modrm) {
	case G7_VMLAUNCH:
	case G7_VMRESUME:
		vmx_need_root(i);
		/* The launcher passes this on. */
		warn_report_once("tdx: only TDs run in the box, and this is an ordinary VM");
		vm_fail(i, VMLAUNCH_CONTROLS);
	case G7_VMXOFF:
		vmx_need_root(i);
		vmxoff(i);
	}
}

static void execute_group9(struct insn *i)
{
	int extension = insn_extension(i);

	if (!insn_is_memory(i) || extension < G9_VMPTRLD)
		return;
	if (extension == G9_VMPTRLD && i->prefix == 0xf3)
		vmxon(i);
	vmx_need_root(i);
	if (extension == G9_VMPTRST)
		vmptrst(i);
	if (i->prefix == 0x66)
		vmclear(i);
	vmptrld(i);
}

void vmx_execute(struct insn *i)
{
	switch (i->opcode) {
	case OP_GROUP7:
		execute_group7(i);
		break;
	case OP_GROUP9:
		execute_group9(i);
		break;
	case OP_VMREAD:
		vmx_need_root(i);
		vmread(i);
	case OP_VMWRITE:
		vmx_need_root(i);
		vmwrite(i);
	case OP_INVEPT:
	case OP_INVVPID:
		if (i->prefix != 0x66 || !insn_is_memory(i))
			break;
		vmx_need_root(i);
		if (i->opcode == OP_INVEPT)
			invept(i);
		invvpid(i);
	}
}
