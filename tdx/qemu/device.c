// SPDX-License-Identifier: GPL-2.0
/*
 * The device that puts a TDX module into the machine, and the machine as the
 * module sees it: memory, CPUID, time, trace.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/memalign.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qom/object.h"
#include "system/system.h"
#include "cpu.h"
#include "hw/core/cpu.h"
#include "glue.h"

#define TYPE_TDX_MODULE "tdx-module"
OBJECT_DECLARE_SIMPLE_TYPE(TdxModule, TDX_MODULE)

struct TdxModule {
	DeviceState parent;
	/* Properties, which may be NULL. */
	char *profile, *trace, *complaints, *inject, *seed, *schedules;
	FILE *complaints_file;
	MemoryRegion private;
	Notifier machine_done;
};

bool tdx_present;
bool tdx_debugged;

static struct tdx_profile profile;
static struct tdx_module *module;
static struct lp *lps;
static unsigned int keyid_shift;

const struct tdx_profile *tdx_profile(void)
{
	return &profile;
}

struct tdx_module *tdx_module(void)
{
	return module;
}

struct lp *tdx_lp(CPUX86State *env)
{
	return &lps[env_cpu(env)->cpu_index];
}

/* The module's view of the machine. */

/*
 * Private memory is a second RAM above the first, at the lowest address with a
 * KeyID bit.  A page has one owner at a time, so all KeyIDs share one view.
 */
uint64_t tdx_view(uint64_t pa)
{
	uint64_t private = BIT_ULL(keyid_shift);

	return pa >> keyid_shift ? (pa & (private - 1)) | private : pa;
}

/*
 * The module reaches RAM only.  Accesses to devices take QEMU's big lock, which
 * must not be taken while the module holds its own locks.
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
	return is_ram(tdx_view(pa), len) &&
	       address_space_read(&address_space_memory, tdx_view(pa),
				  MEMTXATTRS_UNSPECIFIED, buf, len) == MEMTX_OK;
}

/* Through the address space, to drop code that was translated from the page. */
static bool op_write(void *opaque, uint64_t pa, const void *buf, size_t len)
{
	return is_ram(tdx_view(pa), len) &&
	       address_space_write(&address_space_memory, tdx_view(pa),
				   MEMTXATTRS_UNSPECIFIED, buf, len) == MEMTX_OK;
}

static void op_cpuid(void *opaque, uint32_t leaf, uint32_t subleaf,
		     uint32_t out[4])
{
	bare_cpuid(cpu_env(first_cpu), &profile, leaf, subleaf, out);
}

/* The module asks for a CPU's MSRs while that CPU calls it. */
static uint64_t op_rdmsr(void *opaque, unsigned int lp,
			 enum tdx_host_msr msr)
{
	const CPUX86State *env = cpu_env(qemu_get_cpu(lp));
	uint64_t value;

	if (msr == TDX_MSR_TSC_ADJUST)
		return env->tsc_adjust;
	if (msr == TDX_MSR_MISC_ENABLE)
		return env->msr_ia32_misc_enable | MISC_ENABLE_PERFMON;
	return seam_msr(msr, &value) || host_tdx_msr(&profile, msr, &value) ? value : 0;
}

static uint64_t op_tsc(void *opaque)
{
	return host_tsc();
}

static uint64_t op_tsc_hz(void *opaque)
{
	return (uint64_t)CRYSTAL_HZ * profile.tsc_num / profile.tsc_den;
}

static uint64_t op_clock(void *opaque)
{
	return schedule_on ? schedule_clock() : qemu_clock_get_ns(QEMU_CLOCK_REALTIME);
}

static FILE *trace_file;

static void op_trace(void *opaque, const char *line)
{
	fprintf(trace_file, "%s\n", line);
	fflush(trace_file);
}

void tdx_trace(const char *fmt, ...)
{
	g_autofree char *line = NULL;
	va_list ap;

	if (!trace_file)
		return;
	va_start(ap, fmt);
	line = g_strdup_vprintf(fmt, ap);
	va_end(ap);
	op_trace(NULL, line);
}

static void op_complain(void *opaque, const char *line)
{
	TdxModule *t = opaque;

	/* The file may be the kernel's log, where a line may have begun. */
	fprintf(t->complaints_file, "\n%s\n", line);
	fflush(t->complaints_file);
}

/*
 * So that a host that doesn't keep calls apart meets a busy lock now and then, as on
 * hardware.  What has to be certain takes a plan with "lingers".
 */
static void op_meanwhile(void *opaque, unsigned int us)
{
	if (us && !schedule_on)
		g_usleep(us);
}

static bool op_keep_locks(void *opaque)
{
	return schedule_keeps_locks(current_cpu);
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

/* Takes a piece of the machine's memory as convertible, if it is RAM. */
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

/* The private view reaches as far as the convertible memory. */
static void add_private_memory(TdxModule *t, const struct tdx_platform *p)
{
	const struct tdx_range *last = &p->cmr[p->num_cmrs - 1];

	memory_region_init_ram(&t->private, OBJECT(t), "tdx.private",
			       last->base + last->size, &error_fatal);
	memory_region_add_subregion(get_system_memory(),
				    BIT_ULL(p->keyid_shift), &t->private);
}

/* All CPUs and all memory are there, and none of the CPUs has run yet. */
static void machine_done(Notifier *notifier, void *data)
{
	TdxModule *t = container_of(notifier, TdxModule, machine_done);
	X86CPU *cpu = X86_CPU(first_cpu);
	struct tdx_ops ops = {
		.read = op_read, .write = op_write, .cpuid = op_cpuid,
		.rdmsr = op_rdmsr, .tsc = op_tsc, .tsc_hz = op_tsc_hz, .clock = op_clock,
		.trace = trace_file ? op_trace : NULL,
		.complain = t->complaints_file ? op_complain : NULL,
		.meanwhile = op_meanwhile,
		.keep_locks = schedule_on ? op_keep_locks : NULL,
		.interrupt_pending = op_interrupt_pending,
		.free_state = op_free_state,
	};
	struct tdx_platform platform = {
		.profile = &profile,
		.keyid_shift = cpu->phys_bits - KEYID_BITS,
		.num_mktme_keyids = NUM_MKTME_KEYIDS,
		.num_tdx_keyids = profile.num_tdx_keyids,
		.arch_capabilities = host_arch_capabilities(),
		.misc_enable = MSR_IA32_MISC_ENABLE_DEFAULT | MISC_ENABLE_PERFMON,
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
	/* The module's random numbers are GLib's. */
	if (schedule_on)
		g_random_set_seed(1);
	module = tdx_module_new(&ops, t, &platform, &error);
	if (!module) {
		error_report("tdx-module: %s", error);
		exit(1);
	}
	if (t->inject)
		tdx_module_inject(module, t->inject, &error);
	lps = g_new0(struct lp, platform.num_lps);
	for (unsigned int i = 0; i < platform.num_lps; i++) {
		lps[i].vmcs = VMCS_NONE;
		lps[i].pmu.global_ctrl = PMU_GLOBAL_CTRL_RESET;
	}
}

/* The device. */

/* profile=help and inject=help print what there is and end QEMU. */
static void help(const TdxModule *t)
{
	if (!g_strcmp0(t->inject, "help")) {
		fputs(tdx_inject_help, stdout);
		exit(0);
	}
	if (!g_strcmp0(t->profile, "help")) {
		fputs(tdx_profile_help, stdout);
		exit(0);
	}
}

/* Opens the file of a property to write to it; true if there is none. */
static bool open_file(const char *name, const char *mode, FILE **file,
		      Error **errp)
{
	if (!name)
		return true;
	*file = fopen(name, mode);
	if (!*file)
		error_setg_file_open(errp, errno, name);
	return *file;
}

static void realize(DeviceState *dev, Error **errp)
{
	TdxModule *t = TDX_MODULE(dev);
	const char *error;
	char *wrong;

	help(t);
	if (tdx_present) {
		error_setg(errp, "there is a tdx-module already");
		return;
	}
	if (!tdx_profile_parse(t->profile, &profile, &wrong)) {
		error_setg(errp, "%s", wrong);
		g_free(wrong);
		return;
	}
	if (t->inject && !tdx_inject_check(t->inject, &error)) {
		error_setg(errp, "%s", error);
		return;
	}
	if (t->seed && !schedule_parse(t->seed)) {
		error_setg(errp, "not a seed or a schedule: '%s'", t->seed);
		return;
	}
	if (!open_file(t->trace, "a", &trace_file, errp) ||
	    !open_file(t->complaints, "a", &t->complaints_file, errp))
		return;
	if (t->schedules && !schedule_serve(t->schedules)) {
		error_setg(errp, "schedules: not a socket: '%s'", t->schedules);
		return;
	}
	schedule_on = t->seed;
	tdx_present = true;
	t->machine_done.notify = machine_done;
	qemu_add_machine_init_done_notifier(&t->machine_done);
}

/* Properties that are strings, and where they are kept. */
static const struct string {
	const char *name;
	size_t kept;
} strings[] = {
	{ "profile", offsetof(TdxModule, profile) },
	{ "trace", offsetof(TdxModule, trace) },
	{ "complaints", offsetof(TdxModule, complaints) },
	{ "inject", offsetof(TdxModule, inject) },
	{ "seed", offsetof(TdxModule, seed) },
	{ "schedules", offsetof(TdxModule, schedules) },
};

static char **kept_string(Object *obj, const struct string *s)
{
	return (char **)((uint8_t *)TDX_MODULE(obj) + s->kept);
}

static void get_string(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	visit_type_str(v, name, kept_string(obj, opaque), errp);
}

static void set_string(Object *obj, Visitor *v, const char *name, void *opaque, Error **errp)
{
	char **kept = kept_string(obj, opaque), *value;

	if (!visit_type_str(v, name, &value, errp))
		return;
	g_free(*kept);
	*kept = value;
}

static bool get_gdb(Object *obj, Error **errp)
{
	return tdx_debugged;
}

static void set_gdb(Object *obj, bool value, Error **errp)
{
	tdx_debugged = value;
}

static void class_init(ObjectClass *oc, COMPAT_CLASS_DATA *data)
{
	DeviceClass *dc = DEVICE_CLASS(oc);

	dc->realize = realize;
	dc->desc = "TDX module";
	set_bit(DEVICE_CATEGORY_CPU, dc->categories);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		object_class_property_add(oc, strings[i].name, "string", get_string, set_string,
					  NULL, (void *)&strings[i]);
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
