// SPDX-License-Identifier: GPL-2.0
/*
 * The PMU of the box's CPU, as the host finds it in CPUID and MSRs: what it keeps,
 * what it refuses, and that a TD leaves it alone.  It does not count.
 */
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define GP_COUNTERS	8
#define FIXED_COUNTERS	4
#define ALL_COUNTERS	0xf000000ffull

#define MSR_INUSE	0x392
#define INUSE_PMI	BIT_ULL(63)

/* None of these registers has more. */
#define WIDTH_BITS	(BIT_ULL(48) - 1)

static bool rd(u32 msr, u64 *value)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY);
	bool ok = pread(fd, value, sizeof(*value), msr) == sizeof(*value);

	close(fd);
	return ok;
}

static bool wr(u32 msr, u64 value)
{
	int fd = open("/dev/cpu/0/msr", O_WRONLY);
	bool ok = pwrite(fd, &value, sizeof(value), msr) == sizeof(value);

	close(fd);
	return ok;
}

static u64 value_of(u32 msr)
{
	u64 value;

	TEST_ASSERT(rd(msr, &value), "MSR 0x%x can't be read", msr);
	return value;
}

static void set(u32 msr, u64 value)
{
	TEST_ASSERT(wr(msr, value), "MSR 0x%x does not take 0x%lx", msr, (unsigned long)value);
}

/* The register keeps each of @bits, and #GP for each of the others. */
static void assert_keeps(u32 msr, u64 bits)
{
	u64 old = value_of(msr);

	for (unsigned int bit = 0; bit < 64; bit++) {
		TEST_ASSERT(wr(msr, BIT_ULL(bit)) == !!(bits & BIT_ULL(bit)),
			    "MSR 0x%x, bit %u", msr, bit);
		if (bits & BIT_ULL(bit))
			TEST_ASSERT_EQ(value_of(msr), BIT_ULL(bit));
	}
	set(msr, bits);
	TEST_ASSERT_EQ(value_of(msr), bits);
	set(msr, old);
}

static void assert_read_only(u32 msr)
{
	TEST_ASSERT(!wr(msr, value_of(msr)), "MSR 0x%x can be written", msr);
}

TEST(cpuid_and_capabilities)
{
	u32 eax, ebx, ecx, edx;

	__cpuid(0xa, 0, &eax, &ebx, &ecx, &edx);
	TEST_ASSERT_EQ(eax & 0xffffff, 5 | GP_COUNTERS << 8 | 48 << 16);
	TEST_ASSERT_EQ(ebx, 0);
	TEST_ASSERT_EQ(ecx, BIT(FIXED_COUNTERS) - 1);
	TEST_ASSERT_EQ(edx, FIXED_COUNTERS | 48 << 5 | BIT(15));
	TEST_ASSERT(this_cpu_has(X86_FEATURE_PDCM), "No PERF_CAPABILITIES");

	TEST_ASSERT_EQ(value_of(MSR_IA32_PERF_CAPABILITIES), BIT(12) | BIT(13));
	assert_read_only(MSR_IA32_PERF_CAPABILITIES);
	TEST_ASSERT(value_of(MSR_IA32_MISC_ENABLE) & BIT(7), "MISC_ENABLE has no PMU");
}

TEST(registers_keep_what_is_written)
{
	for (int i = 0; i < GP_COUNTERS; i++) {
		assert_keeps(MSR_IA32_PMC0 + i, WIDTH_BITS);
		assert_keeps(MSR_P6_EVNTSEL0 + i, 0x3ffdfffffull);
	}
	for (int i = 0; i < FIXED_COUNTERS; i++)
		assert_keeps(MSR_CORE_PERF_FIXED_CTR0 + i, WIDTH_BITS);
	assert_keeps(MSR_CORE_PERF_FIXED_CTR_CTRL, 0xbbbb);
	assert_keeps(MSR_CORE_PERF_GLOBAL_CTRL, ALL_COUNTERS);
	assert_keeps(MSR_OFFCORE_RSP_0, BIT_ULL(38) - 1);
	assert_keeps(MSR_OFFCORE_RSP_1, BIT_ULL(38) - 1);
}

/* The last counter is the same by both names, and there is none after it. */
TEST(old_name_of_a_counter_takes_32_bits)
{
	const u32 old = MSR_IA32_PERFCTR0 + GP_COUNTERS - 1;
	const u32 new = MSR_IA32_PMC0 + GP_COUNTERS - 1;

	set(old, 0x1234567880000001);
	TEST_ASSERT_EQ(value_of(old), 0xffff80000001);
	TEST_ASSERT_EQ(value_of(new), 0xffff80000001);
	set(old, 0x123456787fffffff);
	TEST_ASSERT_EQ(value_of(new), 0x7fffffff);
	set(new, 0x800000000000);
	TEST_ASSERT_EQ(value_of(old), 0x800000000000);
	set(new, 0);
}

TEST(global_status_by_set_and_reset)
{
	const u64 counters = BIT_ULL(0) | BIT_ULL(35);

	assert_read_only(MSR_CORE_PERF_GLOBAL_STATUS);
	set(MSR_CORE_PERF_GLOBAL_STATUS_SET, counters);
	TEST_ASSERT_EQ(value_of(MSR_CORE_PERF_GLOBAL_STATUS), counters);
	TEST_ASSERT_EQ(value_of(MSR_CORE_PERF_GLOBAL_STATUS_SET), 0);
	set(MSR_CORE_PERF_GLOBAL_OVF_CTRL, BIT_ULL(0) | BIT_ULL(63));
	TEST_ASSERT_EQ(value_of(MSR_CORE_PERF_GLOBAL_STATUS), BIT_ULL(35));
	set(MSR_CORE_PERF_GLOBAL_OVF_CTRL, BIT_ULL(35));
	TEST_ASSERT_EQ(value_of(MSR_CORE_PERF_GLOBAL_STATUS), 0);
	for (int bit = 8; bit < 32; bit++) {
		TEST_ASSERT(!wr(MSR_CORE_PERF_GLOBAL_STATUS_SET, BIT_ULL(bit)), "Bit %d", bit);
		TEST_ASSERT(!wr(MSR_CORE_PERF_GLOBAL_OVF_CTRL, BIT_ULL(bit)), "Bit %d", bit);
	}
}

TEST(inuse_names_the_counters)
{
	assert_read_only(MSR_INUSE);
	TEST_ASSERT_EQ(value_of(MSR_INUSE), 0);
	set(MSR_P6_EVNTSEL0 + 7, 0xc0);
	TEST_ASSERT_EQ(value_of(MSR_INUSE), BIT_ULL(7));
	set(MSR_P6_EVNTSEL0 + 7, BIT(20));
	TEST_ASSERT_EQ(value_of(MSR_INUSE), INUSE_PMI);
	set(MSR_P6_EVNTSEL0 + 7, 0);
	set(MSR_CORE_PERF_FIXED_CTR_CTRL, 0x2008);
	TEST_ASSERT_EQ(value_of(MSR_INUSE), BIT_ULL(35) | INUSE_PMI);
	set(MSR_CORE_PERF_FIXED_CTR_CTRL, 0);
	TEST_ASSERT_EQ(value_of(MSR_INUSE), 0);
}

/* perf reads counters with RDPMC, which QEMU itself lacks. */
TEST(perf_opens_and_reads)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_HW_CACHE_MISSES,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	u64 count;

	TEST_ASSERT(fd >= 0, "No event: %s", strerror(errno));
	TEST_ASSERT_EQ(read(fd, &count, sizeof(count)), sizeof(count));
	close(fd);
}

static void exit_twice(void)
{
	GUEST_SYNC(0);
	GUEST_DONE();
}

TEST(survives_a_td)
{
	static const u32 msrs[] = {
		MSR_IA32_PMC0, MSR_P6_EVNTSEL0, MSR_CORE_PERF_FIXED_CTR0,
		MSR_CORE_PERF_GLOBAL_CTRL, MSR_CORE_PERF_FIXED_CTR_CTRL,
	};
	struct kvm_vcpu *vcpu;
	struct kvm_vm *vm;

	pin_self_to_cpu(0);
	vm = vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &vcpu, exit_twice);
	for (int i = 0; i < ARRAY_SIZE(msrs); i++)
		set(msrs[i], 2 + i % 2);
	vcpu_run_to_sync(vcpu, 0);
	vcpu_run_to_done(vcpu);
	for (int i = 0; i < ARRAY_SIZE(msrs); i++) {
		TEST_ASSERT_EQ(value_of(msrs[i]), 2 + i % 2);
		set(msrs[i], 0);
	}
	kvm_vm_free(vm);
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
