// SPDX-License-Identifier: GPL-2.0
/*
 * The TDX module in QEMU: the device that switches it on, its view of the
 * machine, and the switch between the worlds of the host and of a TD.
 *
 * A TD runs with TCG's guest flag (HF_GUEST_MASK), which SVM uses too: the
 * translator then checks for intercepts, and memory accesses take the nested
 * stage.  SVM itself has to be off.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "qom/object.h"
#include "system/system.h"
#include "cpu.h"
#include "exec/address-spaces.h"
#include "exec/cputlb.h"
#include "exec/exec-all.h"
#include "exec/memory.h"
#include "hw/core/cpu.h"
#include "hw/qdev-core.h"
#include "tcg/helper-tcg.h"
#include "accel/tcg/tb-jmp-cache.h"
#include "svm.h"
#include "hooks.h"
#include "glue.h"

#define TYPE_TDX_MODULE "tdx-module"
OBJECT_DECLARE_SIMPLE_TYPE(TdxModule, TDX_MODULE)

struct TdxModule {
	DeviceState parent;
	char *profile, *trace, *inject;
	FILE *trace_file;
	bool gdb;			/* somebody may set breakpoints */
	unsigned int host_cpus;
	MemoryRegion private;
	Notifier machine_done;
};

#define EXCP_VE		20

static TdxModule *device;
static const struct tdx_profile *profile;
static struct tdx_module *module;
static struct lp *lps;
static unsigned int keyid_shift;

const struct tdx_profile *tdx_profile(void)
{
	return profile;
}

struct lp *tdx_lp(CPUX86State *env)
{
	return &lps[env_cpu(env)->cpu_index];
}

bool tdx_in_td(const CPUX86State *env)
{
	return device && env->hflags & HF_GUEST_MASK;
}

/* The module's view of the machine. */

/*
 * Private memory is a second RAM behind the first, at the lowest address with a
 * KeyID bit: one page has one owner, so one view serves all KeyIDs.
 */
static uint64_t view(uint64_t pa)
{
	return pa >> keyid_shift ? (pa & (BIT_ULL(keyid_shift) - 1)) |
				   BIT_ULL(keyid_shift) : pa;
}

/*
 * RAM only: devices want QEMU's big lock, which must not be taken while the
 * module holds its own.
 */
static bool is_ram(uint64_t pa, size_t len)
{
	hwaddr offset, got = len;
	MemoryRegion *mr;

	RCU_READ_LOCK_GUARD();
	mr = address_space_translate(&address_space_memory, pa, &offset, &got,
				     true, MEMTXATTRS_UNSPECIFIED);
	return memory_region_is_ram(mr) && got == len;
}

static bool op_read(void *opaque, uint64_t pa, void *buf, size_t len)
{
	return is_ram(view(pa), len) &&
	       address_space_read(&address_space_memory, view(pa),
				  MEMTXATTRS_UNSPECIFIED, buf, len) == MEMTX_OK;
}

/* Through the address space, so that code translated from the page goes. */
static bool op_write(void *opaque, uint64_t pa, const void *buf, size_t len)
{
	return is_ram(view(pa), len) &&
	       address_space_write(&address_space_memory, view(pa),
				   MEMTXATTRS_UNSPECIFIED, buf, len) == MEMTX_OK;
}

static void native_cpuid(CPUX86State *env, uint32_t leaf, uint32_t subleaf,
			 uint32_t out[4])
{
	/* Beyond its last leaf QEMU repeats it, as CPUs do. */
	if (leaf > env->cpuid_level && leaf < 0x40000000)
		memset(out, 0, 4 * sizeof(out[0]));
	else
		cpu_x86_cpuid(env, leaf, subleaf, &out[0], &out[1], &out[2],
			      &out[3]);
	vmx_host_cpuid(leaf, subleaf, out);
}

static void op_cpuid(void *opaque, uint32_t leaf, uint32_t subleaf,
		     uint32_t out[4])
{
	native_cpuid(cpu_env(first_cpu), leaf, subleaf, out);
}

/*
 * The TSC counts virtual time, at a frequency that CPUID tells: QEMU's own is
 * the host's, whose frequency nobody knows, and calibrating it is chance.
 */
static uint64_t tsc_now(void)
{
	return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) *
	       (TSC_HZ / NANOSECONDS_PER_SECOND);
}

static uint64_t op_tsc(void *opaque)
{
	return tsc_now();
}

static uint64_t op_tsc_hz(void *opaque)
{
	return TSC_HZ;
}

static uint64_t op_clock(void *opaque)
{
	return qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
}

static void op_trace(void *opaque, const char *line)
{
	TdxModule *t = opaque;

	fprintf(t->trace_file, "%s\n", line);
	fflush(t->trace_file);
}

/* State buffers hold vector registers: give them the alignment of the CPU's. */
#define STATE_SIZE	offsetof(CPUX86State, end_reset_fields)

static void *state_new(size_t header)
{
	return qemu_memalign(__alignof__(CPUX86State), header + STATE_SIZE);
}

static bool op_interrupt_pending(void *opaque, void *state)
{
	const struct td_cpu *td = state;

	return td && vapic_pending(&td->apic);
}

static void op_free_state(void *opaque, void *state)
{
	qemu_vfree(state);
}

static bool add_cmr(Int128 start, Int128 len, const MemoryRegion *mr,
		    hwaddr offset, void *opaque)
{
	struct tdx_platform *p = opaque;

	if (memory_region_is_ram((MemoryRegion *)mr) && !mr->readonly &&
	    !memory_region_is_ram_device((MemoryRegion *)mr) &&
	    p->num_cmrs < ARRAY_SIZE(p->cmr))
		p->cmr[p->num_cmrs++] = (struct tdx_range){
			int128_get64(start), int128_get64(len)
		};
	return false;
}

static void add_private_memory(TdxModule *t, const struct tdx_platform *p)
{
	const struct tdx_range *last = &p->cmr[p->num_cmrs - 1];

	memory_region_init_ram(&t->private, OBJECT(t), "tdx.private",
			       last->base + last->size, &error_fatal);
	memory_region_add_subregion(get_system_memory(),
				    BIT_ULL(p->keyid_shift), &t->private);
}

static void machine_done(Notifier *notifier, void *data)
{
	TdxModule *t = container_of(notifier, TdxModule, machine_done);
	X86CPU *cpu = X86_CPU(first_cpu);
	struct tdx_ops ops = {
		.read = op_read, .write = op_write, .cpuid = op_cpuid,
		.tsc = op_tsc, .tsc_hz = op_tsc_hz, .clock = op_clock,
		.trace = t->trace_file ? op_trace : NULL,
		.interrupt_pending = op_interrupt_pending,
		.free_state = op_free_state,
	};
	struct tdx_platform platform = {
		.profile = t->profile,
		.keyid_shift = cpu->phys_bits - KEYID_BITS,
		.num_mktme_keyids = NUM_MKTME_KEYIDS,
		.num_tdx_keyids = profile->num_tdx_keyids,
		.arch_capabilities = ARCH_CAPABILITIES,
	};
	const char *error;
	CPUState *cs;

	keyid_shift = platform.keyid_shift;
	if (cpu->env.features[FEAT_8000_0001_ECX] & CPUID_EXT3_SVM) {
		error_report("tdx-module: the CPU must not have SVM");
		exit(1);
	}
	CPU_FOREACH(cs)
		platform.num_lps++;
	RCU_READ_LOCK_GUARD();
	flatview_for_each_range(address_space_to_flatview(&address_space_memory),
				add_cmr, &platform);

	add_private_memory(t, &platform);

	module = tdx_module_new(&ops, t, &platform, &error);
	if (!module) {
		error_report("tdx-module: %s", error);
		exit(1);
	}
	if (t->inject)
		tdx_module_inject(module, t->inject, &error);
	lps = g_new0(struct lp, platform.num_lps);
	for (unsigned int i = 0; i < platform.num_lps; i++)
		lps[i].vmcs = ~0ull;
}

/* profile=help and inject=help say what there is, and nothing else. */
static void help(const TdxModule *t)
{
	if (!g_strcmp0(t->inject, "help")) {
		fputs(tdx_inject_help, stdout);
		exit(0);
	}
	if (!g_strcmp0(t->profile, "help")) {
		for (const struct tdx_profile *p = tdx_profiles; p->name; p++)
			printf("%-10s %s\n", p->name, p->summary);
		exit(0);
	}
}

static void realize(DeviceState *dev, Error **errp)
{
	TdxModule *t = TDX_MODULE(dev);
	const char *error;

	help(t);
	if (device) {
		error_setg(errp, "there is a tdx-module already");
		return;
	}
	profile = tdx_profile_find(t->profile);
	if (!profile) {
		error_setg(errp, "no such profile: %s", t->profile);
		return;
	}
	if (t->inject && !tdx_inject_check(t->inject, &error)) {
		error_setg(errp, "%s", error);
		return;
	}
	if (t->trace) {
		t->trace_file = fopen(t->trace, "w");
		if (!t->trace_file) {
			error_setg_file_open(errp, errno, t->trace);
			return;
		}
	}
	t->host_cpus = g_get_num_processors();
	device = t;
	t->machine_done.notify = machine_done;
	qemu_add_machine_init_done_notifier(&t->machine_done);
}

static char *get_profile(Object *obj, Error **errp)
{
	return g_strdup(TDX_MODULE(obj)->profile);
}

static void set_profile(Object *obj, const char *value, Error **errp)
{
	g_free(TDX_MODULE(obj)->profile);
	TDX_MODULE(obj)->profile = g_strdup(value);
}

static char *get_trace(Object *obj, Error **errp)
{
	return g_strdup(TDX_MODULE(obj)->trace);
}

static void set_trace(Object *obj, const char *value, Error **errp)
{
	g_free(TDX_MODULE(obj)->trace);
	TDX_MODULE(obj)->trace = g_strdup(value);
}

static char *get_inject(Object *obj, Error **errp)
{
	return g_strdup(TDX_MODULE(obj)->inject);
}

static void set_inject(Object *obj, const char *value, Error **errp)
{
	g_free(TDX_MODULE(obj)->inject);
	TDX_MODULE(obj)->inject = g_strdup(value);
}

static bool get_gdb(Object *obj, Error **errp)
{
	return TDX_MODULE(obj)->gdb;
}

static void set_gdb(Object *obj, bool value, Error **errp)
{
	TDX_MODULE(obj)->gdb = value;
}

static void class_init(ObjectClass *oc, void *data)
{
	DeviceClass *dc = DEVICE_CLASS(oc);

	dc->realize = realize;
	dc->desc = "TDX module";
	set_bit(DEVICE_CATEGORY_CPU, dc->categories);
	object_class_property_add_str(oc, "profile", get_profile, set_profile);
	object_class_property_add_str(oc, "trace", get_trace, set_trace);
	object_class_property_add_str(oc, "inject", get_inject, set_inject);
	object_class_property_add_bool(oc, "gdb", get_gdb, set_gdb);
}

static const TypeInfo type_info = {
	.name = TYPE_TDX_MODULE,
	.parent = TYPE_DEVICE,
	.instance_size = sizeof(TdxModule),
	.class_init = class_init,
};

static void register_type(void)
{
	type_register_static(&type_info);
}

type_init(register_type);

/* World switch. */

G_NORETURN void tdx_insn_done(CPUX86State *env, uint64_t next_rip)
{
	CPUState *cs = env_cpu(env);

	env->eip = next_rip;
	env->hflags &= ~(HF_INHIBIT_IRQ_MASK | HF_RF_MASK);
	env->eflags &= ~RF_MASK;
	if (env->eflags & TF_MASK) {
		env->dr[6] |= DR6_BS;
		raise_exception(env, EXCP01_DB);
	}
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

void tdx_set_flags(CPUX86State *env, uint32_t flags)
{
	env->cc_op = CC_OP_EFLAGS;
	env->cc_src = flags;
}

#define TD_MMU_IDXS	(0x3f << TDX_MMU_IDX | 1 << MMU_NESTED_IDX)

void tdx_flush_tlb(CPUX86State *env)
{
	tlb_flush_by_mmuidx(env_cpu(env), TD_MMU_IDXS);
}

/* All that a reset clears, but for the tiles, which TCG does not have. */
static void copy_state(CPUX86State *to, const CPUX86State *from)
{
	const size_t hole = offsetof(CPUX86State, xtilecfg);
	const size_t rest = offsetof(CPUX86State, xtiledata) +
			    sizeof(from->xtiledata);

	memcpy(to, from, hole);
	memcpy((char *)to + rest, (const char *)from + rest, STATE_SIZE - rest);
}

/* Breakpoints belong to a world, but QEMU's list of them does not. */
static void save_state(CPUX86State *env, CPUX86State *to)
{
	uint64_t dr7 = env->dr[7];

	cpu_x86_update_dr7(env, DR7_FIXED_1);
	copy_state(to, env);
	to->dr[7] = dr7;
}

static void load_state(CPUX86State *env, const CPUX86State *from)
{
	uint64_t dr7 = from->dr[7];

	copy_state(env, from);
	env->dr[7] = DR7_FIXED_1;
	cpu_x86_update_dr7(env, dr7);
}

static void set_segment(CPUX86State *env, int reg, const struct tdx_segment *s)
{
	cpu_x86_load_seg_cache(env, reg, s->selector, s->base, s->limit,
			       (s->rights & 0xf0ff) << DESC_TYPE_SHIFT);
}

static void set_table(SegmentCache *c, const struct tdx_segment *s)
{
	*c = (SegmentCache){
		s->selector, s->base, s->limit,
		(s->rights & 0xf0ff) << DESC_TYPE_SHIFT
	};
}

/* XMM0 to 15 (or a part of them), all of x87, and the upper parts. */
static void reset_fpu(CPUX86State *env)
{
	for (int i = 0; i < CPU_NB_REGS; i++)
		memset(&env->xmm_regs[i], 0, sizeof(env->xmm_regs[i]));
	memset(env->fpregs, 0, sizeof(env->fpregs));
	memset(env->fptags, 1, sizeof(env->fptags));
	env->fpstt = 0;
	env->fpus = 0;
	cpu_set_fpuc(env, 0x37f);
	cpu_set_mxcsr(env, 0x1f80);
}

/* The first entry: everything that the architecture defines, over the host's. */
static void reset_vcpu(CPUX86State *env, struct tdx_vcpu *vcpu)
{
	static const int data[] = { R_DS, R_ES, R_FS, R_GS, R_SS };
	struct tdx_reset_state s;

	tdx_vcpu_reset_state(vcpu, &s);
	memcpy(env->regs, s.gpr, sizeof(s.gpr));
	env->eip = s.rip;
	cpu_load_eflags(env, s.rflags, ~0u);

	env->hflags = HF_GUEST_MASK;
	env->hflags2 = HF2_GIF_MASK | HF2_HIF_MASK | HF2_VINTR_MASK |
		       HF2_VGIF_MASK | HF2_NPT_MASK;
	env->cr[0] = 0;
	env->efer = 0;
	cpu_x86_update_cr0(env, s.cr0);
	env->cr[2] = 0;
	cpu_x86_update_cr3(env, s.cr3);
	cpu_x86_update_cr4(env, s.cr4);
	cpu_load_efer(env, s.efer);
	set_segment(env, R_CS, &s.cs);
	for (int i = 0; i < ARRAY_SIZE(data); i++)
		set_segment(env, data[i], &s.data);
	set_table(&env->ldt, &s.ldtr);
	set_table(&env->tr, &s.tr);
	env->gdt = (SegmentCache){ .limit = s.gdt_limit };
	env->idt = (SegmentCache){ .limit = s.idt_limit };

	env->dr[0] = env->dr[1] = env->dr[2] = env->dr[3] = 0;
	env->dr[6] = s.dr6;
	env->dr[7] = s.dr7;
	env->star = env->lstar = env->cstar = env->kernelgsbase = 0;
	env->fmask = s.fmask;
	env->sysenter_cs = env->sysenter_esp = env->sysenter_eip = 0;
	env->tsc_aux = 0;
	env->pat = s.pat;
	env->pkru = env->pkrs = 0;
	env->spec_ctrl = 0;
	env->xcr0 = s.xcr0;
	env->old_exception = -1;
	env->int_ctl = 0;
	reset_fpu(env);
	cpu_sync_avx_hflag(env);
	cpu_sync_bndcs_hflags(env);
}

/* Bits 127:0 of the registers in @mask go from one world to the other. */
static void pass_xmm(CPUX86State *to, const CPUX86State *from, uint32_t mask)
{
	for (int i = 0; i < 16; i++)
		if (mask & 1u << i)
			memcpy(&to->xmm_regs[i], &from->xmm_regs[i], 16);
}

static struct td_cpu *td_cpu(CPUX86State *env)
{
	return tdx_vcpu_state(tdx_lp(env)->td);
}

/* The exception that the TD starts with, or -1. */
static int pending_event(CPUX86State *env, struct td_cpu *td)
{
	int event = td->event;

	td->event = -1;
	if (event < 0 && tdx_vcpu_take_nmi(tdx_lp(env)->td,
					   env->hflags2 & HF2_NMI_MASK)) {
		env->hflags2 |= HF2_NMI_MASK;
		event = EXCP02_NMI;
	}
	env->exception_is_int = 0;
	env->error_code = 0;
	return event;
}

static G_NORETURN void enter_td(CPUX86State *env, struct tdx_vcpu *vcpu)
{
	struct lp *lp = tdx_lp(env);
	struct td_cpu *td = tdx_vcpu_state(vcpu);
	CPUState *cs = env_cpu(env);
	uint32_t xmm;

	if (!lp->host)
		lp->host = state_new(0);
	save_state(env, lp->host);
	if (td) {
		load_state(env, &td->env);
	} else {
		td = state_new(offsetof(struct td_cpu, env));
		td->apic = (struct vapic){ 0 };
		td->event = -1;
		tdx_vcpu_set_state(vcpu, td);
		reset_vcpu(env, vcpu);
	}
	lp->td = vcpu;
	if (lp->tlb_tag != tdx_vcpu_tlb_tag(vcpu)) {
		lp->tlb_tag = tdx_vcpu_tlb_tag(vcpu);
		tdx_flush_tlb(env);
	}
	xmm = tdx_td_enter(vcpu, lp->host->regs, env->regs);
	pass_xmm(env, lp->host, xmm);
	vapic_update(env, &td->apic);
	cs->exception_index = pending_event(env, td);
	cpu_loop_exit(cs);
}

/* What a TD's exit leaves of the host's: BTF, FREEZE_PERFMON and _WHILE_SMM. */
#define DEBUGCTL_KEPT	(1ull << 1 | 1ull << 12 | 1ull << 14)

/* What the module leaves of the host's state, as it does on real hardware. */
static void scrub_host(CPUX86State *env, uint64_t xfam)
{
	reset_fpu(env);
	env->dr[0] = env->dr[1] = env->dr[2] = env->dr[3] = 0;
	env->dr[6] = DR6_FIXED_1;
	env->dr[7] = DR7_FIXED_1;
	env->cr[2] = 0;
	env->star = env->lstar = env->kernelgsbase = env->tsc_aux = 0;
	env->fmask = 0x20200;
	env->pkru = 0;
	env->xcr0 = xfam & 0x602e7;
}

/* The request of the exit goes with the exit, this one or another. */
static void end_bus_lock(CPUX86State *env)
{
	struct lp *lp = tdx_lp(env);

	if (!lp->bus_lock)
		return;
	BQL_LOCK_GUARD();
	env_cpu(env)->interrupt_request &= ~CPU_INTERRUPT_SMI;
	lp->bus_lock = false;
}

/* The state of the CPU is in @env, not in a translation block. */
static G_NORETURN void exit_td(CPUX86State *env, const struct tdx_exit *exit)
{
	struct lp *lp = tdx_lp(env);
	struct td_cpu *td = td_cpu(env);
	CPUX86State *host = lp->host;
	CPUState *cs = env_cpu(env);
	struct tdx_exit known = *exit;
	uint32_t xmm;

	/*
	 * An exit while an exception is being delivered: the instruction will
	 * raise it again, but for those that have left a mark already.
	 */
	if (cs->exception_index == EXCP_VE || cs->exception_index == EXCP02_NMI)
		td->event = cs->exception_index;
	env->old_exception = -1;
	vapic_leave(env);
	end_bus_lock(env);
	save_state(env, &td->env);
	if (!lp->pkru_lost)
		lp->pkru = host->pkru;
	lp->pkru_lost = true;
	scrub_host(host, tdx_vcpu_xfam(lp->td));
	lp->debugctl &= DEBUGCTL_KEPT;
	known.rip = env->eip;
	xmm = tdx_td_exit(lp->td, &known, td->env.regs, host->regs);
	lp->td = NULL;
	if (exit->reason == 0) {
		/* The NMI that ends the TD's run is taken by the exit. */
		cs->interrupt_request &= ~CPU_INTERRUPT_NMI;
		host->hflags2 |= HF2_NMI_MASK;
	}
	load_state(env, host);
	pass_xmm(env, &td->env, xmm);
	cpu_sync_avx_hflag(env);
	cpu_sync_bndcs_hflags(env);
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

G_NORETURN void tdx_deliver(CPUX86State *env, enum tdx_outcome out,
			    const struct tdx_exit *exit, uint64_t next_rip,
			    uintptr_t ra)
{
	switch (out) {
	case TDX_EXIT_TRAP:
	case TDX_EXIT:
		cpu_restore_state(env_cpu(env), ra);
		if (out == TDX_EXIT_TRAP) {
			env->eip = next_rip;
			env->hflags &= ~HF_INHIBIT_IRQ_MASK;
		}
		exit_td(env, exit);
	case TDX_VE:
		raise_exception_err_ra(env, EXCP_VE, 0, ra);
	case TDX_DF:
		raise_exception_err_ra(env, EXCP08_DBLE, 0, ra);
	case TDX_GP:
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	case TDX_UD:
		raise_exception_ra(env, EXCP06_ILLOP, ra);
	default:
		g_assert_not_reached();
	}
}

G_NORETURN void tdx_deliver_ve(CPUX86State *env, const struct tdx_ve_info *ve,
			       uintptr_t ra)
{
	tdx_deliver(env, tdx_ve(tdx_lp(env)->td, ve), NULL, 0, ra);
}

#define SEAMLDR_CALL	(1ull << 63)

G_NORETURN void tdx_do_seamcall(CPUX86State *env, uint64_t next_rip)
{
	struct tdx_vcpu *vcpu;

	/* There is no P-SEAMLDR, and with some profiles no module either. */
	if (!profile->loaded || env->regs[R_EAX] & SEAMLDR_CALL) {
		tdx_set_flags(env, CC_C);
		tdx_insn_done(env, next_rip);
	}
	tdx_set_flags(env, 0);
	vcpu = tdx_seamcall(module, env_cpu(env)->cpu_index, env->regs);
	if (!vcpu)
		tdx_insn_done(env, next_rip);
	env->eip = next_rip;
	env->hflags &= ~HF_INHIBIT_IRQ_MASK;
	enter_td(env, vcpu);
}

G_NORETURN void tdx_do_tdcall(CPUX86State *env, uint64_t next_rip)
{
	struct tdx_exit exit;
	enum tdx_outcome out;

	if (env->hflags & HF_CPL_MASK || !(env->hflags & HF_CS64_MASK))
		raise_exception_err(env, EXCP0D_GPF, 0);
	out = tdx_tdcall(tdx_lp(env)->td, env->regs, &exit);
	if (out == TDX_DONE || out == TDX_AGAIN)
		tdx_insn_done(env, out == TDX_DONE ? next_rip : env->eip);
	tdx_deliver(env, out, &exit, next_rip, 0);
}

/* Hooks. */

void tdx_hook_exception(CPUX86State *env, int vector)
{
	if (device && vector == EXCP06_ILLOP)
		vmx_execute(env);
}

bool tdx_hook_cpuid(CPUX86State *env, uintptr_t ra)
{
	uint32_t leaf = env->regs[R_EAX], subleaf = env->regs[R_ECX], out[4];
	enum tdx_outcome result = TDX_DONE;

	if (!device)
		return false;
	if (tdx_in_td(env)) {
		struct tdx_cpuid_env e = {
			.cr4 = env->cr[4], .xcr0 = env->xcr0, .xss = env->xss,
			.long_mode = env->hflags & HF_CS64_MASK,
			.user = env->hflags & HF_CPL_MASK,
		};

		result = tdx_cpuid(tdx_lp(env)->td, &e, leaf, subleaf, out);
	} else {
		native_cpuid(env, leaf, subleaf, out);
	}
	if (result == TDX_VE)
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = 10, .insn_len = 2
		}, ra);
	env->regs[R_EAX] = out[0];
	env->regs[R_EBX] = out[1];
	env->regs[R_ECX] = out[2];
	env->regs[R_EDX] = out[3];
	return true;
}

/* The TSC of the world that is running. */
static uint64_t world_tsc(CPUX86State *env)
{
	return tdx_in_td(env) ? tdx_vcpu_tsc(tdx_lp(env)->td, tsc_now()) :
			    tsc_now();
}

bool tdx_hook_rdtsc(CPUX86State *env, uintptr_t ra)
{
	uint64_t tsc;

	if (!device ||
	    (env->cr[4] & CR4_TSD_MASK && env->hflags & HF_CPL_MASK))
		return false;
	tsc = world_tsc(env);
	env->regs[R_EAX] = (uint32_t)tsc;
	env->regs[R_EDX] = tsc >> 32;
	return true;
}

/* The host's translations for user code, and for the kernel's use of its pages. */
#define USER_MMU_IDXS	(1 << MMU_USER64_IDX | 1 << MMU_USER32_IDX |		\
			 1 << MMU_KNOSMAP64_IDX | 1 << MMU_KNOSMAP32_IDX |	\
			 1 << MMU_KSMAP32_IDX)

/*
 * QEMU caches translations with what PKRU makes of them and drops all when it is
 * written.  Only those of users' pages need go, and a host that puts back what a
 * TD's exit took away may keep these as well, if it has made none meanwhile.
 */
bool tdx_hook_wrpkru(CPUX86State *env, uint32_t value)
{
	struct lp *lp;

	if (!device || tdx_in_td(env))
		return false;
	lp = tdx_lp(env);
	if (!lp->pkru_lost || value != lp->pkru)
		tlb_flush_by_mmuidx(env_cpu(env), USER_MMU_IDXS);
	lp->pkru_lost = false;
	env->pkru = value;
	return true;
}

/* Delivers what is left when an MSR access was neither done nor native. */
static void refuse_msr(CPUX86State *env, enum tdx_outcome out, uint32_t reason,
		       uintptr_t ra)
{
	if (out == TDX_VE)
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = reason, .insn_len = 2
		}, ra);
	tdx_deliver(env, out, NULL, 0, ra);
}

#define MSR_TSC		0x10
#define MSR_DEBUGCTL	0x1d9
#define MSR_X2APIC	0x800
#define MSR_X2APIC_LAST	0x8ff

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
		refuse_msr(env, out, 31, ra);
	if (is_x2apic(msr)) {
		if (!vapic_read(&td_cpu(env)->apic, msr, value))
			raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
		return true;
	}
	if (msr != MSR_TSC)
		return vmx_rdmsr(msr, value);
	*value = world_tsc(env);
	return true;
}

static bool host_rdmsr(CPUX86State *env, uint32_t msr, uint64_t *value)
{
	if (msr == MSR_TSC)
		*value = tsc_now();
	else if (msr == MSR_DEBUGCTL)
		*value = tdx_lp(env)->debugctl;
	else
		return vmx_rdmsr(msr, value);
	return true;
}

/* LBR beside what an exit keeps; TCG does nothing for any of them. */
#define DEBUGCTL_HAS	(DEBUGCTL_KEPT | 1)

static bool host_wrmsr(CPUX86State *env, uint32_t msr, uint64_t value,
		       uintptr_t ra)
{
	if (vmx_wrmsr_is_ro(msr) ||
	    (msr == MSR_DEBUGCTL && value & ~DEBUGCTL_HAS))
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (msr != MSR_DEBUGCTL)
		return false;
	tdx_lp(env)->debugctl = value;
	return true;
}

bool tdx_hook_rdmsr(CPUX86State *env, uintptr_t ra)
{
	uint32_t msr = env->regs[R_ECX];
	uint64_t value;

	if (!device)
		return false;
	if (!(tdx_in_td(env) ? td_rdmsr(env, msr, &value, ra) :
			   host_rdmsr(env, msr, &value)))
		return false;
	env->regs[R_EAX] = (uint32_t)value;
	env->regs[R_EDX] = value >> 32;
	return true;
}

bool tdx_hook_wrmsr(CPUX86State *env, uintptr_t ra)
{
	uint32_t msr = env->regs[R_ECX];
	uint64_t value = (uint32_t)env->regs[R_EAX] |
			 (uint64_t)(uint32_t)env->regs[R_EDX] << 32;
	enum tdx_outcome out;

	if (!device)
		return false;
	if (!tdx_in_td(env))
		return host_wrmsr(env, msr, value, ra);
	out = tdx_wrmsr(tdx_lp(env)->td, msr, value);
	if (out != TDX_DONE && out != TDX_NATIVE)
		refuse_msr(env, out, 32, ra);
	if (out == TDX_NATIVE && is_x2apic(msr)) {
		if (!vapic_write(env, &td_cpu(env)->apic, msr, value))
			raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
		return true;
	}
	return out == TDX_DONE;
}

/* With SMEP and SMAP the kernel's own translations are of no user page. */
#define CR4_KERNEL_APART (CR4_PGE_MASK | CR4_SMEP_MASK | CR4_SMAP_MASK)

/* QEMU adapts the size of its tables of translations when it drops them all. */
#define SWITCHES_PER_FLUSH	32

/*
 * QEMU drops all translations, and all that it knows of jumps, with each switch
 * of address spaces.  Those of global pages may stay, as they do on a CPU, and a
 * kernel's own pages are global.
 */
static bool write_host_cr3(CPUX86State *env, uint64_t value)
{
	struct lp *lp = tdx_lp(env);

	if (!(env->efer & MSR_EFER_LMA) || value >> env_archcpu(env)->phys_bits ||
	    (env->cr[4] & CR4_KERNEL_APART) != CR4_KERNEL_APART)
		return false;
	if (lp->kernel_not_global || ++lp->switches % SWITCHES_PER_FLUSH == 0) {
		lp->kernel_not_global = false;
		return false;
	}
	env->cr[3] = value;
	tlb_flush_by_mmuidx(env_cpu(env), USER_MMU_IDXS);
	return true;
}

bool tdx_hook_flush(CPUX86State *env)
{
	if (!device || !tdx_in_td(env))
		return false;
	tdx_flush_tlb(env);
	return true;
}

void tdx_hook_translated(CPUX86State *env, int mmu_idx, vaddr addr,
			 uint64_t pte)
{
	if (!device)
		return;
	if (mmu_idx == MMU_KSMAP64_IDX && !(pte & PG_GLOBAL_MASK))
		tdx_lp(env)->kernel_not_global = true;
	if (mmu_idx >= TDX_MMU_IDX && addr >> 63)
		tdx_lp(env)->td_in_upper_half = true;
}

bool tdx_hook_flush_jumps(CPUState *cs, uint16_t mmu_idxs)
{
	CPUJumpCache *cache = cs->tb_jmp_cache;
	struct lp *lp;

	if (!device || mmu_idxs & 1 << MMU_KSMAP64_IDX)
		return false;
	lp = tdx_lp(cpu_env(cs));
	if (mmu_idxs & TD_MMU_IDXS && lp->td_in_upper_half) {
		lp->td_in_upper_half = false;
		return false;
	}
	/* The kernel is in the upper half, of addresses and so of the cache. */
	for (int i = 0; i < TB_JMP_CACHE_SIZE / 2; i++)
		qatomic_set(&cache->array[i].tb, NULL);
	return true;
}

/* Where Linux is, but for its modules. */
#define KERNEL_TEXT	0xffffffff80000000ull
#define KERNEL_TEXT_END	0xffffffffa0000000ull

static bool in_kernel_text(vaddr pc)
{
	return pc >= KERNEL_TEXT && pc < KERNEL_TEXT_END;
}

/*
 * QEMU looks for each block on another page, as that may be mapped elsewhere
 * meanwhile: nearly half of its searches.  A kernel never moves, but a debugger
 * puts its breakpoints into pages.
 */
bool tdx_hook_jump(vaddr pc, vaddr dest)
{
	return device && !device->gdb && in_kernel_text(pc) &&
	       in_kernel_text(dest);
}

/* Of a CPU that waits, before its thread sleeps instead of giving way. */
#define PAUSES_PER_SLEEP	16

/*
 * The CPU that this one waits for may be waiting itself, for one of this
 * machine's.  QEMU does not leave its loop for it, as it would otherwise.
 */
void tdx_hook_pause(CPUState *cs)
{
	struct lp *lp;

	if (!device)
		return;
	lp = tdx_lp(cpu_env(cs));
	if (lp->pause_rip != cpu_env(cs)->eip) {
		lp->pause_rip = cpu_env(cs)->eip;
		lp->pauses = 0;
	}
	if (++lp->pauses % PAUSES_PER_SLEEP)
		sched_yield();
	else
		g_usleep(1);
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

/*
 * How long a halted CPU's thread waits awake: to wake it takes longer than most
 * of what interrupts it.  Booting interrupts each CPU nearly two thousand times.
 */
#define IDLE_POLL_NS	400000

/* Whether this thread keeps none from running that has something to do. */
static bool may_poll(CPUState *cs)
{
	unsigned int busy = 0;
	CPUState *other;

	RCU_READ_LOCK_GUARD();
	CPU_FOREACH(other)
		busy += other != cs && !qatomic_read(&other->halted);
	return busy < device->host_cpus;
}

void tdx_hook_idle(CPUState *cs)
{
	int64_t end;

	if (!device || !cpu_thread_is_idle(cs))
		return;
	bql_unlock();
	end = get_clock() + IDLE_POLL_NS;
	while (!qatomic_read(&cs->exit_request) && get_clock() < end &&
	       may_poll(cs))
		sched_yield();
	bql_lock();
}

bool tdx_hook_write_cr(CPUX86State *env, int reg, target_ulong value,
		       uintptr_t ra)
{
	enum tdx_outcome out;

	if (!device)
		return false;
	if (!tdx_in_td(env))
		return reg == 3 && write_host_cr3(env, value);
	if (reg == 8) {
		vapic_set_tpr(env, &td_cpu(env)->apic, value << 4);
		return true;
	}
	/* With PCIDs bit 63 asks to keep translations: a hint, not to be kept. */
	if (reg == 3 && env->cr[4] & CR4_PCIDE_MASK && value >> 63) {
		value &= ~(1ull << 63);
		if (value >> env_archcpu(env)->phys_bits)
			raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
		cpu_x86_update_cr3(env, value);
		return true;
	}
	if (reg != 0 && reg != 4)
		return false;
	out = tdx_write_cr(tdx_lp(env)->td, reg, env->cr[reg], value);
	if (out == TDX_NATIVE)
		return false;
	if (out == TDX_VE)
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = 28, .qualification = reg, .insn_len = 3
		}, ra);
	tdx_deliver(env, out, NULL, 0, ra);
}

bool tdx_hook_read_cr8(CPUX86State *env, target_ulong *value)
{
	if (!tdx_in_td(env))
		return false;
	*value = td_cpu(env)->apic.tpr >> 4;
	return true;
}

void tdx_hook_xsetbv(CPUX86State *env, uint32_t index, uint64_t value,
		     uintptr_t ra)
{
	enum tdx_outcome out;

	if (!tdx_in_td(env))
		return;
	out = tdx_xsetbv(tdx_lp(env)->td, index, value);
	if (out != TDX_NATIVE)
		tdx_deliver(env, out, NULL, 0, ra);
}

/* An event that belongs to the host ends the TD's run. */
static G_NORETURN void host_event(CPUX86State *env, uint32_t reason,
				  uint32_t intr_info, uintptr_t ra)
{
	struct tdx_exit exit = { .reason = reason, .intr_info = intr_info };

	tdx_deliver(env, TDX_EXIT, &exit, 0, ra);
}

/*
 * External interrupts are acknowledged by the exit, which tells the vector; the
 * notification of a posted interrupt is no exit.
 */
static G_NORETURN void host_interrupt(CPUX86State *env)
{
	CPUState *cs = env_cpu(env);
	struct tdx_posted posted;
	int vector;

	cs->interrupt_request &= ~CPU_INTERRUPT_HARD;
	vector = cpu_get_pic_interrupt(env);
	tdx_vcpu_posted(tdx_lp(env)->td, &posted);
	if (posted.enabled && vector == posted.vector) {
		host_apic_eoi(env);
		vapic_take_posted(env, &td_cpu(env)->apic, posted.descriptor);
		vector = -1;
	}
	if (vector >= 0)
		host_event(env, 1, 0x80000000 | vector, 0);
	/* Taken, or it went away: the TD runs on. */
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

/*
 * Split locks.  TCG carries one out alone and by itself, and the exit comes
 * after it: for that it borrows the request of an SMI, of which there are none.
 */
void tdx_hook_unaligned_lock(CPUX86State *env, vaddr addr, int size,
			     uintptr_t ra)
{
	struct lp *lp;

	if (!tdx_in_td(env) || (addr & 63) + size <= 64)
		return;
	lp = tdx_lp(env);
	if (!tdx_vcpu_bus_lock_exits(lp->td))
		return;
	cpu_restore_state(env_cpu(env), ra);
	lp->bus_lock = true;
	lp->bus_lock_rip = env->eip;
	BQL_LOCK_GUARD();
	env_cpu(env)->interrupt_request |= CPU_INTERRUPT_SMI;
}

/* An interrupt may have come first: then the instruction starts over. */
static void bus_lock_event(CPUX86State *env)
{
	struct lp *lp = tdx_lp(env);

	if (!lp->bus_lock)
		return;
	if (env->eip != lp->bus_lock_rip)
		host_event(env, 74, 0, 0);
	end_bus_lock(env);
	env_cpu(env)->exception_index = -1;
	cpu_loop_exit(env_cpu(env));
}

/* Returns if the instruction is native. */
static void td_instruction(CPUX86State *env, uint32_t reason,
			   uint32_t insn_len, uintptr_t ra)
{
	enum tdx_outcome out = tdx_instruction(tdx_lp(env)->td, reason);

	if (out == TDX_VE)
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = reason, .insn_len = insn_len
		}, ra);
	if (out != TDX_NATIVE)
		tdx_deliver(env, out, NULL, 0, ra);
}

bool tdx_hook_intercept(CPUX86State *env, uint32_t type, uintptr_t ra)
{
	if (!tdx_in_td(env))
		return false;
	switch (type) {
	case SVM_EXIT_INTR:
		host_interrupt(env);
	case SVM_EXIT_VINTR:
		vapic_deliver(env, &td_cpu(env)->apic);
		env_cpu(env)->exception_index = -1;
		cpu_loop_exit(env_cpu(env));
	case SVM_EXIT_NMI:
		host_event(env, 0, 0x80000202, ra);
	case SVM_EXIT_SMI:
		bus_lock_event(env);
		host_event(env, 6, 0, ra);
	case SVM_EXIT_HLT:
		td_instruction(env, 12, 1, ra);
		break;
	case SVM_EXIT_INVD:
		td_instruction(env, 13, 2, ra);
		break;
	case SVM_EXIT_WBINVD:
		td_instruction(env, 54, 2, ra);
		break;
	case SVM_EXIT_RDPMC:
		td_instruction(env, 15, 2, ra);
		break;
	case SVM_EXIT_MWAIT:
		td_instruction(env, 36, 3, ra);
		break;
	case SVM_EXIT_MONITOR:
		td_instruction(env, 39, 3, ra);
		break;
	}
	return true;
}

/* From SVM's description of an I/O access to VMX's exit qualification. */
void tdx_hook_io(CPUX86State *env, uint32_t port, uint32_t param,
		 uint32_t insn_len, uintptr_t ra)
{
	uint64_t size = param >> SVM_IOIO_SIZE_SHIFT & 7;
	uint64_t qualification = (size - 1) | (uint64_t)port << 16;

	if (!tdx_in_td(env))
		return;
	if (param & SVM_IOIO_TYPE_MASK)
		qualification |= 1 << 3;	/* IN */
	if (param & SVM_IOIO_STR_MASK)
		qualification |= 1 << 4;
	if (param & SVM_IOIO_REP_MASK)
		qualification |= 1 << 5;
	tdx_deliver_ve(env, &(struct tdx_ve_info){
		.reason = 30, .qualification = qualification,
		.insn_len = insn_len
	}, ra);
}

#define NON_RECOVERABLE_VCPU	(0x40000001ull << 32)

void tdx_hook_vmexit(CPUX86State *env, uint64_t code, uintptr_t ra)
{
	struct tdx_exit exit = { .status = NON_RECOVERABLE_VCPU, .reason = 2 };

	/* QEMU's way to say that a CR write is not valid. */
	if (device && code == SVM_EXIT_ERR)
		raise_exception_err_ra(env, EXCP0D_GPF, 0, ra);
	if (!tdx_in_td(env))
		return;
	g_assert(code == SVM_EXIT_SHUTDOWN);
	tdx_deliver(env, TDX_EXIT, &exit, 0, ra);
}

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
	*hpa = view(*hpa);
	*prot = (rights & TDX_READ ? PAGE_READ : 0) |
		(rights & TDX_WRITE ? PAGE_WRITE : 0) |
		(rights & TDX_FETCH ? PAGE_EXEC : 0);
	return true;
}

void tdx_hook_fault(CPUX86State *env, vaddr gla, hwaddr gpa,
		    MMUAccessType access, uintptr_t ra)
{
	enum tdx_outcome out;
	unsigned int rights;
	struct tdx_exit exit;
	hwaddr hpa;

	if (!tdx_in_td(env))
		return;
	out = tdx_translate(tdx_lp(env)->td, gpa, to_access(access), &hpa,
			    &rights, &exit);
	switch (out) {
	case TDX_DONE:
		/* Another CPU has just mapped it: try again. */
		env_cpu(env)->exception_index = -1;
		cpu_loop_exit_restore(env_cpu(env), ra);
	case TDX_VE:
		tdx_deliver_ve(env, &(struct tdx_ve_info){
			.reason = 48, .qualification = exit.qualification,
			.gla = gla, .gpa = gpa,
		}, ra);
	case TDX_RSVD:
		env->cr[2] = gla;
		raise_exception_err_ra(env, EXCP0E_PAGE, PG_ERROR_RSVD_MASK |
				       PG_ERROR_P_MASK |
				       (access == MMU_DATA_STORE ?
					PG_ERROR_W_MASK : 0) |
				       (access == MMU_INST_FETCH ?
					PG_ERROR_I_D_MASK : 0) |
				       ((env->hflags & HF_CPL_MASK) == 3 ?
					PG_ERROR_U_MASK : 0), ra);
	default:
		tdx_deliver(env, out, &exit, 0, ra);
	}
}

/*
 * What was cached before the page became private stays so until the next flush,
 * which some switches of address spaces are.
 */
void tdx_hook_host_access(CPUX86State *env, vaddr addr, MMUAccessType access,
			  hwaddr pa, int *page_size)
{
	if (!module || tdx_in_td(env))
		return;
	/* PKRU is about user pages, and those are in the lower half. */
	if (!(addr >> 63))
		tdx_lp(env)->pkru_lost = false;
	if (tdx_host_access(module, pa, access == MMU_DATA_STORE))
		*page_size = 1;
}

uint64_t tdx_hook_cr4_bits(void)
{
	return device ? CR4_VMXE_MASK : 0;
}
