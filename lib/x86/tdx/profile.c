// SPDX-License-Identifier: GPL-2.0
/* What can be seen of a TDX host from outside, see profile.h. */
#include <sys/utsname.h>

#include "tdx/cpuid_map.h"
#include "tdx/host_cpus.h"
#include "tdx/keyids.h"
#include "tdx/profile.h"

void profile_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The host. */

/* The value of the first line of a file that begins with @key, or NULL. */
static char *find_value(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	static char line[512];
	char *val = NULL;

	if (!file)
		return NULL;
	while (!val && fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		val = line + strlen(key);
		val += strspn(val, " \t:");
		val[strcspn(val, "\n")] = '\0';
	}
	fclose(file);
	return val;
}

#define UNKNOWN	"unknown"

static void print_value(const char *name, const char *path, const char *key)
{
	const char *val = find_value(path, key);

	profile_line("%s %s", name, val ?: UNKNOWN);
}

/* The device has been in different places in sysfs, or there is none. */
static void print_module_version(void)
{
	static const char * const paths[] = {
		"/sys/devices/faux/tdx_host/version",
		"/sys/devices/virtual/tdx/tdx_host/version",
	};
	const char *val = NULL;

	for (int i = 0; !val && i < ARRAY_SIZE(paths); i++)
		val = find_value(paths[i], "");
	profile_line("host.module %s", val ?: UNKNOWN);
}

/*
 * The cgroup's root has the number if anybody uses the controller; else those that are
 * free are counted.
 */
static void print_keyids(void)
{
	const char *val = find_value("/sys/fs/cgroup/misc.capacity", "tdx ");
	struct tdx_keyids *keyids;
	struct kvm_vm *refused;

	if (val) {
		profile_line("host.keyids %s", val);
		return;
	}
	keyids = tdx_keyids_alloc();
	refused = tdx_keyids_take_all(keyids);
	if (refused) {
		profile_line("host.keyids %u", keyids->nr);
		kvm_vm_free(refused);
	} else {
		profile_line("host.keyids %s", UNKNOWN);
	}
	tdx_keyids_free(keyids);
}

/* Which subleaves of a leaf to record. */
static bool is_last_subleaf(u32 leaf, const u32 reg[4])
{
	switch (leaf) {
	case 4:
		return !(reg[0] & GENMASK(4, 0));	/* no cache */
	case 0xb:
	case TOPOLOGY_LEAF:
		return !(reg[2] & GENMASK(15, 8));	/* no level */
	default:
		return false;
	}
}

static u32 nr_subleaves(u32 leaf)
{
	static const u32 with_subleaves[] = {
		4, 7, 0xb, 0xd, 0xf, 0x10, 0x12, 0x14, 0x17, 0x18, 0x1b, 0x1d,
		0x1e, TOPOLOGY_LEAF, 0x20, 0x23, 0x24,
	};

	for (int i = 0; i < ARRAY_SIZE(with_subleaves); i++)
		if (with_subleaves[i] == leaf)
			return 64;
	return 1;
}

/* Bits that say which CPU executes the instruction. */
static u32 cpu_number_bits(u32 leaf, int reg)
{
	if (leaf == 1 && reg == KVM_CPUID_EBX)
		return GENMASK(31, 24);
	if ((leaf == 0xb || leaf == TOPOLOGY_LEAF) && reg == KVM_CPUID_EDX)
		return ~0u;
	return 0;
}

static void profile_cpu_leaf(u32 leaf)
{
	u32 reg[4];

	for (u32 subleaf = 0; subleaf < nr_subleaves(leaf); subleaf++) {
		__cpuid(leaf, subleaf, &reg[0], &reg[1], &reg[2], &reg[3]);
		if (is_last_subleaf(leaf, reg))
			return;
		for (int i = 0; i < 4; i++)
			reg[i] &= ~cpu_number_bits(leaf, i);
		if (!subleaf || reg[0] || reg[1] || reg[2] || reg[3])
			profile_line("cpu.cpuid.0x%x.%u 0x%08x 0x%08x 0x%08x 0x%08x",
				     leaf, subleaf, reg[0], reg[1], reg[2], reg[3]);
	}
}

static void profile_cpu_leaves(u32 first)
{
	u32 last, ebx, ecx, edx;

	__cpuid(first, 0, &last, &ebx, &ecx, &edx);
	for (u32 leaf = first; leaf <= last; leaf++)
		profile_cpu_leaf(leaf);
}

void profile_host(void)
{
	struct utsname name;

	TEST_ASSERT(!uname(&name), "uname() failed, errno %d", errno);
	profile_line("host.kernel %s", name.release);
	print_value("host.cpu", "/proc/cpuinfo", "model name");
	print_value("host.microcode", "/proc/cpuinfo", "microcode");
	profile_line("host.cpus %ld", sysconf(_SC_NPROCESSORS_ONLN));
	print_module_version();
	print_keyids();

	profile_cpu_leaves(0);
	profile_cpu_leaves(0x80000000);
}

/* KVM. */

#define MAX_CAP	512

static bool has_gpa_width(u8 width)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_init_vm *init = tdx_default_init_vm(vm);
	bool has;

	tdx_set_gpa_width(init, width);
	has = !__tdx_init_vm(vm, init, NULL);
	free(init);
	kvm_vm_free(vm);
	return has;
}

static void profile_tsc(struct kvm_vm *vm)
{
	struct kvm_vcpu *vcpu;

	vm_create_irqchip(vm);
	tdx_init_vm(vm, NULL);
	vcpu = __vm_vcpu_add(vm, 0);
	profile_line("kvm.tsc_khz %d", __vcpu_ioctl(vcpu, KVM_GET_TSC_KHZ, NULL));
}

void profile_kvm(void)
{
	struct kvm_vm *vm = ____vm_create(VM_SHAPE_TDX);
	struct kvm_tdx_capabilities *caps = tdx_capabilities(vm);

	profile_line("kvm.supported_attrs 0x%llx", caps->supported_attrs);
	profile_line("kvm.supported_xfam 0x%llx", caps->supported_xfam);
	profile_line("kvm.kernel_tdvmcallinfo_1_r11 0x%llx", caps->kernel_tdvmcallinfo_1_r11);
	profile_line("kvm.kernel_tdvmcallinfo_1_r12 0x%llx", caps->kernel_tdvmcallinfo_1_r12);
	profile_line("kvm.user_tdvmcallinfo_1_r11 0x%llx", caps->user_tdvmcallinfo_1_r11);
	profile_line("kvm.user_tdvmcallinfo_1_r12 0x%llx", caps->user_tdvmcallinfo_1_r12);
	profile_line("kvm.gpa_width_52 %d", has_gpa_width(52));
	for (long cap = 0; cap < MAX_CAP; cap++) {
		int val = __vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)cap);

		if (val > 0)
			profile_line("kvm.cap.%ld 0x%x", cap, val);
	}
	profile_tsc(vm);
	kvm_vm_free(vm);
	free(caps);
}

/* A TD's CPUID as KVM reports it. */

/* XFAM components that a TD can have without others, except for x87 and SSE. */
static const struct {
	const char *name;
	u64 bits;
} components[] = {
	{ "avx", XFEATURE_MASK_YMM },
	{ "avx512", XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512 },
	{ "pt", BIT_ULL(8) },
	{ "pkru", XFEATURE_MASK_PKRU },
	{ "cet", XFEATURE_MASK_CET_USER | XFEATURE_MASK_CET_KERNEL },
	{ "uintr", BIT_ULL(14) },
	{ "lbr", BIT_ULL(15) },
	{ "amx", XFEATURE_MASK_XTILE },
};

static void profile_reg(struct cpuid_map_leaf *m, int reg)
{
	u32 mask[NR_CPUID_CLASSES] = {};

	profile_line("td.cpuid.0x%x.%u.%s.value 0x%08x", m->leaf, m->subleaf,
		     cpuid_reg_names[reg], m->value[reg]);
	if (m->reported[reg])
		profile_line("td.cpuid.0x%x.%u.%s.configurable 0x%08x", m->leaf,
			     m->subleaf, cpuid_reg_names[reg], m->reported[reg]);
	for (int bit = 0; bit < 32; bit++)
		mask[cpuid_map_class(m, reg, bit)] |= BIT(bit);
	for (int i = CPUID_CONFIG; i < NR_CPUID_CLASSES; i++)
		if (mask[i])
			profile_line("td.cpuid.0x%x.%u.%s.%s 0x%08x", m->leaf,
				     m->subleaf, cpuid_reg_names[reg],
				     cpuid_classes[i].name, mask[i]);
}

/* The bits that a TD has in addition if it has @bits in XFAM or in its attributes. */
static void profile_difference(const char *name, u64 xfam, u64 attributes)
{
	struct cpuid_request req = cpuid_request_none(xfam);
	struct kvm_cpuid2 *cpuid;

	req.attributes = attributes;
	cpuid = cpuid_request_cpuid(&req);
	profile_line("td.%s %s", name, cpuid ? "yes" : "refused");
	if (!cpuid)
		return;
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];
		u32 *with = cpuid_entry_regs(cpuid_entry(cpuid, m->leaf, m->subleaf));

		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			if (with[reg] != m->value[reg])
				profile_line("td.cpuid.0x%x.%u.%s.%s 0x%08x", m->leaf,
					     m->subleaf, cpuid_reg_names[reg], name, with[reg]);
	}
	free(cpuid);
}

void profile_cpuid(void)
{
	char name[32];

	cpuid_map_create();
	for (int i = 0; i < cpuid_map.nr; i++)
		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			profile_reg(&cpuid_map.leaf[i], reg);

	for (int i = 0; i < ARRAY_SIZE(components); i++) {
		sprintf(name, "xfam.%s", components[i].name);
		profile_difference(name, components[i].bits, 0);
	}
	for (int bit = 0; bit < 64; bit++) {
		sprintf(name, "attribute.%d", bit);
		if (cpuid_map.caps->supported_attrs & BIT_ULL(bit))
			profile_difference(name, 0, BIT_ULL(bit));
	}
}
