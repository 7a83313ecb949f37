// SPDX-License-Identifier: GPL-2.0
/*
 * The hooks that ask the module: QEMU is about to execute an instruction, take
 * an interrupt or translate an address, and the module decides what becomes of
 * it in a TD.  For the host, these hooks add what QEMU's CPU lacks.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "accel/tcg/getpc.h"
#include "cpu.h"
#include "tcg/helper-tcg.h"
#include "svm.h"
#include "hooks.h"
#include "glue.h"
#include "decode.h"

/* Interruption information of a VM exit. */
#define INTR_INFO_VALID		(1u << 31)
#define INTR_TYPE_NMI		(2u << 8)

/* Exit qualification of an I/O instruction. */
#define IO_IN			(1u << 3)
#define IO_STRING		(1u << 4)
#define IO_REP			(1u << 5)
#define IO_IMMEDIATE		(1u << 6)
#define IO_PORT_SHIFT		16

/* Of an access to a control register. */
#define CR_GPR_SHIFT		8

/* Of an EPT violation. */
#define EPT_LINEAR		(1u << 7)	/* there is a linear address ... */
#define EPT_TRANSLATED		(1u << 8)	/* ... and this was the access to it */

#define CACHE_LINE		64

void tdx_hook_exception(CPUX86State *env, int vector)
{
	if (tdx_present && vector == EXCP06_ILLOP)
		tdx_execute(env);
}

/* The TD's exception when the module refused an instruction. */
static G_NORETURN void refuse(CPUX86State *env, enum tdx_outcome out,
			      enum exit_reason reason, uint32_t insn_len,
			      uintptr_t ra)
{
	if (out == TDX_VE)
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = reason, .insn_len = insn_len
		}, ra);
	tdx_deliver(env, out, NULL, 0, ra);
}

/* CPUID and RDTSC. */

/* CPUID in a TD.  Returns unless it raises #VE. */
static void td_cpuid(CPUX86State *env, uint32_t leaf, uint32_t subleaf,
		     uint32_t out[4], uintptr_t ra)
{
	struct tdx_cpuid_env e = {
		.cr4 = env->cr[4], .xcr0 = env->xcr0, .xss = xsave_msrs(env)->xss,
		.long_mode = env->hflags & HF_CS64_MASK,
		.user = env->hflags & HF_CPL_MASK,
	};

	if (tdx_cpuid(tdx_lp(env)->td, &e, leaf, subleaf, out) == TDX_VE)
		refuse(env, TDX_VE, EXIT_REASON_CPUID, 2, ra);
}

/* CPUID of the host, as TSX_CTRL lets it be seen. */
static void host_visible_cpuid(CPUX86State *env, uint32_t leaf, uint32_t subleaf,
			       uint32_t out[4])
{
	bare_cpuid(env, tdx_profile(), leaf, subleaf, out);
	if (leaf == 0xd && subleaf == 1)
		out[1] = xstate_size(env->xcr0 | xsave_msrs(env)->xss, true);
	if (leaf == 7 && !subleaf && tdx_lp(env)->tsx_ctrl & TSX_CTRL_CPUID_CLEAR)
		out[1] &= ~(CPUID_7_0_EBX_HLE | CPUID_7_0_EBX_RTM);
}

bool tdx_hook_cpuid(CPUX86State *env, uintptr_t ra)
{
	uint32_t leaf = env->regs[R_EAX], subleaf = env->regs[R_ECX], out[4];

	if (!tdx_present)
		return false;
	if (schedule_on && leaf == SCHEDULE_LEAF)
		schedule_mark(env_cpu(env), subleaf);
	if (tdx_in_td(env))
		td_cpuid(env, leaf, subleaf, out, ra);
	else
		host_visible_cpuid(env, leaf, subleaf, out);
	env->regs[R_EAX] = out[0];
	env->regs[R_EBX] = out[1];
	env->regs[R_ECX] = out[2];
	env->regs[R_EDX] = out[3];
	return true;
}

/* The TSC of the world that runs. */
static uint64_t world_tsc(CPUX86State *env)
{
	return tdx_in_td(env) ? tdx_vcpu_tsc(tdx_lp(env)->td, host_tsc()) :
				host_tsc();
}

/* A result in EDX:EAX. */
static void set_edx_eax(CPUX86State *env, uint64_t value)
{
	env->regs[R_EAX] = (uint32_t)value;
	env->regs[R_EDX] = value >> 32;
}

/* QEMU raises the #GP where CR4.TSD forbids RDTSC. */
bool tdx_hook_rdtsc(CPUX86State *env, uintptr_t ra)
{
	if (!tdx_present ||
	    (env->cr[4] & CR4_TSD_MASK && env->hflags & HF_CPL_MASK))
		return false;
	set_edx_eax(env, world_tsc(env));
	return true;
}

/* MSRs. */

#define MSR_IA32_DEBUGCTL	0x1d9
#define DEBUGCTL_LBR		(1ull << 0)
#define MSR_X2APIC		0x800
#define MSR_X2APIC_LAST		0x8ff

/* Whether it is a register of the x2APIC. */
static bool is_x2apic(uint32_t msr)
{
	return msr >= MSR_X2APIC && msr <= MSR_X2APIC_LAST;
}

/* True if *value is the register's value, false if QEMU has it. */
static bool td_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value,
		     uintptr_t ra)
{
	enum tdx_outcome out = tdx_rdmsr(tdx_lp(env)->td, msr, value);

	if (out == TDX_DONE)
		return true;
	if (out != TDX_NATIVE)
		refuse(env, out, EXIT_REASON_MSR_READ, 2, ra);
	if (is_x2apic(msr)) {
		if (!vapic_read(&tdx_td_cpu(env)->apic, msr, value))
			raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
		return true;
	}
	if (msr != MSR_IA32_TSC)
		return xsave_rdmsr(env, msr, value, ra) ||
		       td_msr_read(env, msr, value, ra) ||
		       host_tdx_msr(tdx_profile(), msr, value);
	*value = world_tsc(env);
	return true;
}

/*
 * MSRs of the host that QEMU lacks, and their bits that are not reserved.  TCG does
 * nothing for the bits of DEBUGCTL, so it has only those that a TD exit keeps, and
 * LBR.
 */
static const struct host_msr {
	uint32_t msr;
	uint64_t bits;
	size_t kept;		/* where in struct lp */
} host_msrs[] = {
	{ MSR_UMWAIT_CONTROL, UMWAIT_CONTROL_BITS, offsetof(struct lp, umwait_control) },
	{ MSR_IA32_TSX_CTRL, TSX_CTRL_BITS, offsetof(struct lp, tsx_ctrl) },
	{ MSR_IA32_DEBUGCTL, DEBUGCTL_KEPT | DEBUGCTL_LBR, offsetof(struct lp, debugctl) },
};

/* NULL if it is not one of these. */
static const struct host_msr *find_host_msr(uint32_t msr)
{
	for (size_t i = 0; i < ARRAY_SIZE(host_msrs); i++)
		if (host_msrs[i].msr == msr)
			return &host_msrs[i];
	return NULL;
}

static uint64_t *host_msr_value(CPUX86State *env, const struct host_msr *m)
{
	return (uint64_t *)((uint8_t *)tdx_lp(env) + m->kept);
}

/* As td_rdmsr(), for the host. */
static bool host_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value,
		       uintptr_t ra)
{
	const struct host_msr *m = find_host_msr(msr);

	if (msr == MSR_IA32_TSC)
		*value = host_tsc();
	else if (msr == MSR_IA32_MISC_ENABLE)
		*value = env->msr_ia32_misc_enable | MISC_ENABLE_PERFMON;
	else if (m)
		*value = *host_msr_value(env, m);
	else
		return pmu_rdmsr(env, msr, value) ||
		       xsave_rdmsr(env, msr, value, ra) ||
		       host_tdx_msr(tdx_profile(), msr, value);
	return true;
}

bool tdx_hook_rdmsr(CPUX86State *env, uintptr_t ra)
{
	uint32_t msr = env->regs[R_ECX];
	uint64_t value;

	if (!tdx_present)
		return false;
	if (!(tdx_in_td(env) ? td_rdmsr(env, msr, &value, ra) :
			       host_rdmsr(env, msr, &value, ra)))
		return false;
	set_edx_eax(env, value);
	return true;
}

/* True if the TD's write is done, false if the register is QEMU's. */
static bool td_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value,
		     uintptr_t ra)
{
	enum tdx_outcome out = tdx_wrmsr(tdx_lp(env)->td, msr, value);

	if (out == TDX_DONE)
		return true;
	if (out != TDX_NATIVE)
		refuse(env, out, EXIT_REASON_MSR_WRITE, 2, ra);
	if (!is_x2apic(msr))
		return xsave_wrmsr(env, msr, value, ra) ||
		       td_msr_write(env, msr, value, ra);
	if (!vapic_write(env, &tdx_td_cpu(env)->apic, msr, value))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	return true;
}

/* The same for the host.  What host_tdx_msr() has is read-only. */
static bool host_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value,
		       uintptr_t ra)
{
	const struct host_msr *m = find_host_msr(msr);
	uint64_t old;

	if (xsave_wrmsr(env, msr, value, ra))
		return true;
	if (host_tdx_msr(tdx_profile(), msr, &old) || (m && value & ~m->bits))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (!m)
		return pmu_wrmsr(env, msr, value, ra);
	*host_msr_value(env, m) = value;
	return true;
}

bool tdx_hook_wrmsr(CPUX86State *env, uintptr_t ra)
{
	uint32_t msr = env->regs[R_ECX];
	uint64_t value = (uint32_t)env->regs[R_EAX] |
			 (uint64_t)(uint32_t)env->regs[R_EDX] << 32;

	if (!tdx_present)
		return false;
	return tdx_in_td(env) ? td_wrmsr(env, msr, value, ra) :
				host_wrmsr(env, msr, value, ra);
}

/* RDPMC. */

/* In a TD, QEMU asks for an intercept. */
void tdx_hook_rdpmc(CPUX86State *env, uintptr_t ra)
{
	uint64_t value;
	struct insn i;

	if (!tdx_present || tdx_in_td(env))
		return;
	if ((env->hflags & HF_CPL_MASK && !(env->cr[4] & CR4_PCE_MASK)) ||
	    !pmu_rdpmc(env, env->regs[R_ECX], &value))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	cpu_restore_state(env_cpu(env), ra);
	set_edx_eax(env, value);
	insn_decode(&i, env);
	insn_done(&i);
}

/* Control registers. */

/* With PCIDs, bit 63 asks to keep translations: a hint, and not part of CR3. */
static bool td_write_cr3(CPUX86State *env, target_ulong value, uintptr_t ra)
{
	if (!(env->cr[4] & CR4_PCIDE_MASK) || !(value >> 63))
		return false;
	value &= ~(1ull << 63);
	if (value >> env_archcpu(env)->phys_bits)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	cpu_x86_update_cr3(env, value);
	return true;
}

#define CR4_CET		(1u << 23)	/* needs CR0.WP */

static bool cpu_refuses_cet(CPUX86State *env, int reg, target_ulong value)
{
	if (reg == 0)
		return !(value & CR0_WP_MASK) && env->cr[4] & CR4_CET;
	return value & CR4_CET && (!xsave_has_cet(env) || !(env->cr[0] & CR0_WP_MASK));
}

/* #GP for values that the CPU refuses and QEMU does not. */
static bool cpu_refuses_cr(CPUX86State *env, int reg, target_ulong value)
{
	target_ulong changed = env->cr[reg] ^ value;

	if (reg == 0)
		return (value & CR0_PG_MASK && !(value & CR0_PE_MASK)) ||
		       (value & CR0_NW_MASK && !(value & CR0_CD_MASK)) ||
		       (changed & CR0_PG_MASK && env->hflags & HF_CS64_MASK) ||
		       (value & changed & CR0_PG_MASK && env->efer & MSR_EFER_LME &&
			!(env->cr[4] & CR4_PAE_MASK)) ||
		       (!(value & CR0_PG_MASK) && env->cr[4] & CR4_PCIDE_MASK);

	return (changed & CR4_PAE_MASK && env->hflags & HF_LMA_MASK) ||
	       (value & changed & CR4_PCIDE_MASK &&
		(!(env->hflags & HF_LMA_MASK) || env->cr[3] & 0xfff));
}

/* Only a MOV can write what a TD may not: CLTS and LMSW are about other bits. */
static G_NORETURN void cr_access(CPUX86State *env, int reg, uintptr_t ra)
{
	struct insn i;

	cpu_restore_state(env_cpu(env), ra);
	insn_decode(&i, env);
	tdx_deliver_ve(env, &(struct tdx_ve_info){
		.reason = EXIT_REASON_CR_ACCESS,
		.qualification = reg | insn_rm(&i) << CR_GPR_SHIFT,
		.insn_len = i.at - i.start
	}, 0);
}

bool tdx_hook_write_cr(CPUX86State *env, int reg, target_ulong value,
		       uintptr_t ra)
{
	enum tdx_outcome out;

	if (tdx_present && (reg == 0 || reg == 4) && cpu_refuses_cet(env, reg, value))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (!tdx_in_td(env))
		return false;
	switch (reg) {
	case 0:
	case 4:
		out = tdx_write_cr(tdx_lp(env)->td, reg, env->cr[reg], value);
		if (out == TDX_NATIVE && !cpu_refuses_cr(env, reg, value))
			return false;
		if (out == TDX_NATIVE)
			raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
		if (out == TDX_VE)
			cr_access(env, reg, ra);
		tdx_deliver(env, out, NULL, 0, ra);
	case 3:
		return td_write_cr3(env, value, ra);
	case 8:
		vapic_set_tpr(env, &tdx_td_cpu(env)->apic, value << 4);
		return true;
	}
	return false;
}

bool tdx_hook_read_cr8(CPUX86State *env, target_ulong *value)
{
	if (!tdx_in_td(env))
		return false;
	*value = tdx_td_cpu(env)->apic.tpr >> 4;
	return true;
}

bool tdx_hook_xsetbv(CPUX86State *env, uint32_t index, uint64_t value,
		     uintptr_t ra)
{
	enum tdx_outcome out = TDX_NATIVE;

	if (!tdx_present)
		return false;
	if (!(env->cr[4] & CR4_OSXSAVE_MASK))
		raise_exception_ra(env, EXCP06_ILLOP, ra);
	if (tdx_in_td(env))
		out = tdx_xsetbv(tdx_lp(env)->td, index, value);
	if (out != TDX_NATIVE)
		tdx_deliver(env, out, NULL, 0, ra);
	if (index)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	xsave_write_xcr0(env, value, ra);
	return true;
}

/* To QEMU these are reserved bits. */
uint64_t tdx_hook_cr4_bits(void)
{
	return tdx_present ? CR4_VMXE_MASK | CR4_CET : 0;
}

/* Interrupts, and instructions that SVM could intercept. */

/* The TD exits for an event that belongs to the host. */
static G_NORETURN void host_event(CPUX86State *env, enum exit_reason reason,
				  uint32_t intr_info, uintptr_t ra)
{
	struct tdx_exit exit = { .reason = reason, .intr_info = intr_info };

	tdx_deliver(env, TDX_EXIT, &exit, 0, ra);
}

/* Back to the CPU loop, and the TD runs on. */
static G_NORETURN void run_on(CPUX86State *env)
{
	CPUState *cs = env_cpu(env);

	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

/*
 * An external interrupt.  The exit acknowledges it and reports its vector.  The
 * notification of a posted interrupt causes no exit.
 */
static G_NORETURN void host_interrupt(CPUX86State *env)
{
	struct tdx_posted posted;
	int vector;

	cpu_reset_interrupt(env_cpu(env), CPU_INTERRUPT_HARD);
	vector = cpu_get_pic_interrupt(env);
	tdx_vcpu_posted(tdx_lp(env)->td, &posted);
	if (posted.enabled && vector == posted.vector) {
		host_apic_eoi(env);
		vapic_take_posted(env, &tdx_td_cpu(env)->apic,
				  posted.descriptor);
		run_on(env);
	}
	/* It may also have gone away. */
	if (vector >= 0)
		host_event(env, EXIT_REASON_EXTERNAL_INTERRUPT,
			   INTR_INFO_VALID | vector, 0);
	run_on(env);
}

static bool exits_after_lock(CPUX86State *env, vaddr addr, int size)
{
	return tdx_in_td(env) && (addr & (CACHE_LINE - 1)) + size > CACHE_LINE &&
	       tdx_vcpu_bus_lock_exits(tdx_lp(env)->td);
}

/*
 * Split locks.  TCG executes such an instruction with all other CPUs stopped,
 * and the exit must follow it.  Request that exit as an SMI: there are no others.
 */
static void request_bus_lock_exit(CPUX86State *env, uintptr_t ra)
{
	struct lp *lp = tdx_lp(env);

	cpu_restore_state(env_cpu(env), ra);
	lp->bus_lock = true;
	lp->bus_lock_rip = env->eip;
	BQL_LOCK_GUARD();
	qatomic_or(&env_cpu(env)->interrupt_request, CPU_INTERRUPT_SMI);
}

void tdx_hook_unaligned_lock(CPUState *cs, vaddr addr, int size, uintptr_t ra)
{
	if (exits_after_lock(cpu_env(cs), addr, size))
		request_bus_lock_exit(cpu_env(cs), ra);
}

/*
 * An atomic access, before it comes.  Where one thread runs all CPUs TCG does not stop
 * them, so a split lock gets a block of its own for the exit to follow.
 */
void helper_tdx_point(CPUX86State *env, target_ulong addr, uint32_t size)
{
	schedule_point(env, false, GETPC());
	if (!exits_after_lock(env, addr, size) || tdx_lp(env)->bus_lock)
		return;
	request_bus_lock_exit(env, GETPC());
	env_cpu(env)->cflags_next_tb = env_cpu(env)->tcg_cflags | CF_NOIRQ | 1;
	run_on(env);
}

/* If RIP has not moved, something else came first and the lock was not taken. */
static void bus_lock_event(CPUX86State *env)
{
	struct lp *lp = tdx_lp(env);

	if (!lp->bus_lock)
		return;
	if (env->eip != lp->bus_lock_rip)
		host_event(env, EXIT_REASON_BUS_LOCK, 0, 0);
	tdx_end_bus_lock(env);
	run_on(env);
}

void tdx_hook_nmi_unblocked(CPUX86State *env)
{
	if (!tdx_in_td(env))
		return;
	env->hflags2 &= ~HF2_NMI_MASK;
	tdx_nmi_unblocked(env);
}

/* Returns if the TD executes the instruction as the bare CPU would. */
static void td_instruction(CPUX86State *env, enum exit_reason reason,
			   uint32_t insn_len, uintptr_t ra)
{
	enum tdx_outcome out = tdx_instruction(tdx_lp(env)->td, reason);

	if (out != TDX_NATIVE)
		refuse(env, out, reason, insn_len, ra);
}

bool tdx_hook_intercept(CPUX86State *env, uint32_t type, uintptr_t ra)
{
	if (!tdx_in_td(env))
		return false;
	switch (type) {
	case SVM_EXIT_INTR:
		host_interrupt(env);
	case SVM_EXIT_VINTR:
		vapic_deliver(env, &tdx_td_cpu(env)->apic);
		run_on(env);
	case SVM_EXIT_NMI:
		host_event(env, EXIT_REASON_NMI, INTR_INFO_VALID |
			   INTR_TYPE_NMI | EXCP02_NMI, ra);
	case SVM_EXIT_SMI:
		bus_lock_event(env);
		host_event(env, EXIT_REASON_OTHER_SMI, 0, ra);
	case SVM_EXIT_HLT:
		td_instruction(env, EXIT_REASON_HLT, 1, ra);
		break;
	case SVM_EXIT_INVD:
		td_instruction(env, EXIT_REASON_INVD, 2, ra);
		break;
	case SVM_EXIT_WBINVD:
		td_instruction(env, EXIT_REASON_WBINVD, 2, ra);
		break;
	case SVM_EXIT_RDPMC:
		td_instruction(env, EXIT_REASON_RDPMC, 2, ra);
		break;
	case SVM_EXIT_MWAIT:
		td_instruction(env, EXIT_REASON_MWAIT, 3, ra);
		break;
	case SVM_EXIT_MONITOR:
		td_instruction(env, EXIT_REASON_MONITOR, 3, ra);
		break;
	}
	return true;
}

/* IN and OUT with the port in the instruction. */
static bool is_immediate_io(CPUX86State *env)
{
	struct insn i;

	insn_decode(&i, env);
	return i.first >= 0xe4 && i.first <= 0xe7;
}

/* @param describes the access as SVM does; translate that to VMX. */
void tdx_hook_io(CPUX86State *env, uint32_t port, uint32_t param,
		 uint32_t insn_len, uintptr_t ra)
{
	uint64_t size = param >> SVM_IOIO_SIZE_SHIFT & 7;
	uint64_t qualification = (size - 1) | (uint64_t)port << IO_PORT_SHIFT;

	if (!tdx_in_td(env))
		return;
	if (param & SVM_IOIO_TYPE_MASK)
		qualification |= IO_IN;
	if (param & SVM_IOIO_STR_MASK)
		qualification |= IO_STRING;
	if (param & SVM_IOIO_REP_MASK)
		qualification |= IO_REP;
	cpu_restore_state(env_cpu(env), ra);
	if (is_immediate_io(env))
		qualification |= IO_IMMEDIATE;
	tdx_deliver_ve(env, &(struct tdx_ve_info){
		.reason = EXIT_REASON_IO_INSTRUCTION,
		.qualification = qualification, .insn_len = insn_len
	}, 0);
}

/* The status of an exit for a triple fault: NON_RECOVERABLE_VCPU. */
#define NON_RECOVERABLE_VCPU	(0x40000001ull << 32)

void tdx_hook_vmexit(CPUX86State *env, uint64_t code, uintptr_t ra)
{
	struct tdx_exit exit = {
		.status = NON_RECOVERABLE_VCPU,
		.reason = EXIT_REASON_TRIPLE_FAULT
	};

	/* This is how QEMU says that a value for a CR is invalid. */
	if (tdx_present && code == SVM_EXIT_ERR)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (!tdx_in_td(env))
		return;
	g_assert(code == SVM_EXIT_SHUTDOWN);
	tdx_deliver(env, TDX_EXIT, &exit, 0, ra);
}

/* Address translation. */

/* QEMU's kind of access as the module's. */
static enum tdx_access to_access(MMUAccessType access)
{
	return access == MMU_INST_FETCH ? TDX_FETCH :
	       access == MMU_DATA_STORE ? TDX_WRITE : TDX_READ;
}

bool tdx_hook_translate(CPUX86State *env, hwaddr gpa, MMUAccessType access,
			bool *ok, hwaddr *hpa, int *prot)
{
	unsigned int rights = 0;
	struct tdx_exit exit;

	if (!tdx_in_td(env))
		return false;
	*ok = tdx_translate(tdx_lp(env)->td, gpa, to_access(access), hpa,
			    &rights, &exit) == TDX_DONE;
	*hpa = tdx_view(*hpa);
	*prot = (rights & TDX_READ ? PAGE_READ : 0) |
		(rights & TDX_WRITE ? PAGE_WRITE : 0) |
		(rights & TDX_FETCH ? PAGE_EXEC : 0);
	return true;
}

/* #PF for a page table entry that has a reserved bit set. */
static G_NORETURN void reserved_bit_fault(CPUX86State *env, vaddr gla,
					  MMUAccessType access, uintptr_t ra)
{
	int error = PG_ERROR_RSVD_MASK | PG_ERROR_P_MASK;

	if (access == MMU_DATA_STORE)
		error |= PG_ERROR_W_MASK;
	if (access == MMU_INST_FETCH)
		error |= PG_ERROR_I_D_MASK;
	if ((env->hflags & HF_CPL_MASK) == 3)
		error |= PG_ERROR_U_MASK;
	env->cr[2] = gla;
	raise_exception_err_ra(env, EXCP0E_PAGE, error, ra);
}

void tdx_hook_fault(CPUX86State *env, vaddr gla, hwaddr gpa,
		    MMUAccessType access, bool walk, uintptr_t ra)
{
	enum tdx_access kind = walk && access == MMU_INST_FETCH ?
			       TDX_READ : to_access(access);
	enum tdx_outcome out;
	unsigned int rights;
	struct tdx_exit exit;
	hwaddr hpa;

	if (!tdx_in_td(env))
		return;
	out = tdx_translate(tdx_lp(env)->td, gpa, kind, &hpa, &rights, &exit);
	exit.qualification |= EPT_LINEAR | (walk ? 0 : EPT_TRANSLATED);
	exit.gla = gla;
	switch (out) {
	case TDX_DONE:
		/* Another CPU has just mapped it: try again. */
		env_cpu(env)->exception_index = -1;
		cpu_loop_exit_restore(env_cpu(env), ra);
	case TDX_VE:
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = EXIT_REASON_EPT_VIOLATION,
			.qualification = exit.qualification,
			.gla = gla, .gpa = gpa,
		}, ra);
	case TDX_RSVD:
		reserved_bit_fault(env, gla, access, ra);
	default:
		tdx_deliver(env, out, &exit, 0, ra);
	}
}

/*
 * A translation that was cached before the page became private stays until the
 * next flush; some switches of address spaces flush.
 */
void tdx_hook_host_access(CPUX86State *env, MMUAccessType access, hwaddr pa,
			  int *page_size)
{
	if (!tdx_module() || tdx_in_td(env) || tdx_lp(env)->direct_store)
		return;
	if (tdx_host_access(tdx_module(), pa, access == MMU_DATA_STORE))
		*page_size = 1;
}
