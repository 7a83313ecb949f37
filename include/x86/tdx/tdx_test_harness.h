/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Macros for defining a TDX test, and what several tests assert or need.
 */
#ifndef SELFTEST_KVM_TDX_TEST_HARNESS_H
#define SELFTEST_KVM_TDX_TEST_HARNESS_H

#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "tdx/tdx_util.h"
#include "tdx/ucall_loop.h"

/*
 * As KVM_ONE_VCPU_TEST_SUITE(), but each case creates the TD together with its
 * guest code: in a TD that has been launched the entry point is settled.
 */
#define KVM_ONE_VCPU_TD_TEST_SUITE(name)				\
	FIXTURE(name) {							\
		struct kvm_vcpu *vcpu;					\
	};								\
									\
	FIXTURE_SETUP(name) { }						\
									\
	FIXTURE_TEARDOWN(name) {					\
		if (self->vcpu)						\
			kvm_vm_free(self->vcpu->vm);			\
	}

#define KVM_ONE_VCPU_TD_TEST(suite, test, guestcode)			\
static void __suite##_##test(struct kvm_vcpu *vcpu);			\
									\
TEST_F(suite, test)							\
{									\
	vm_create_shape_with_one_vcpu(VM_SHAPE_TDX, &self->vcpu,	\
				      guestcode);			\
	__suite##_##test(self->vcpu);					\
}									\
static void __suite##_##test(struct kvm_vcpu *vcpu)

/*
 * At file scope: this test must not run beside others, because it counts what all
 * TDs share or takes CPUs away.  Leaves an ELF note in the program, which a runner
 * may read.
 */
#define TDX_TEST_RUNS_ALONE						\
	static const struct {						\
		u32 namesz, descsz, type;				\
		char name[12];						\
	} tdx_test_runs_alone						\
	__attribute__((used, aligned(4), section(".note.kselftest"))) = {	\
		sizeof("kselftest"), 0, 1, "kselftest",			\
	}

/*
 * A selection of cases (-r, -f, ...) that matches none is a mistake.  The harness
 * calls it a success, and exits.
 */
static pid_t test_harness_pid;

static inline void test_fail_without_cases(void)
{
	if (getpid() != test_harness_pid || ksft_test_num())
		return;
	ksft_print_msg("No case of that name\n");
	fflush(stdout);
	_exit(KSFT_FAIL);
}

#define test_harness_run(argc, argv)					\
({									\
	int __ret;							\
									\
	test_harness_pid = getpid();					\
	atexit(test_fail_without_cases);				\
	__ret = test_harness_run(argc, argv);				\
	test_harness_pid = 0;						\
	__ret;								\
})

/* An ioctl's wrapper that has to fail, with this errno. */
#define TEST_ASSERT_FAILS(call, error)					\
do {									\
	int __ret;							\
									\
	errno = 0;							\
	__ret = (call);							\
	TEST_ASSERT(__ret == -1 && errno == (error),			\
		    "Wanted %s from %s, got %d, errno %d (%s)", #error,	\
		    #call, __ret, errno, strerror(errno));		\
} while (0)

/*
 * As SKIP(), for a case that has seen a bug of KVM that is known, exactly that
 * and nothing else.  XFAIL_ADD() of the harness can't tell a bug from any other
 * failure.
 */
#define XFAIL(statement, fmt, ...)					\
do {									\
	snprintf(_metadata->results->reason,				\
		 sizeof(_metadata->results->reason), fmt, ##__VA_ARGS__); \
	if (TH_LOG_ENABLED)						\
		fprintf(TH_LOG_STREAM, "#      XFAIL     %s\n",		\
			_metadata->results->reason);			\
	_metadata->exit_code = KSFT_XFAIL;				\
	_metadata->trigger = 0;						\
	statement;							\
} while (0)

/*
 * Zeroed memory of @size bytes, behind which KVM finds nothing to read or
 * write on the test's behalf.  Nobody frees it.
 */
static inline void *test_alloc_before_hole(size_t size)
{
	size_t span = (size + PAGE_SIZE - 1) & PAGE_MASK;
	void *mem = kvm_mmap(span + PAGE_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);

	TEST_ASSERT(!mprotect(mem + span, PAGE_SIZE, PROT_NONE),
		    "mprotect() failed, errno: %d", errno);
	return mem + span - size;
}

/* A copy of @size bytes, at most a page of them, that KVM may not write to. */
static inline void *test_alloc_read_only(const void *contents, size_t size)
{
	void *mem = test_alloc_before_hole(size);

	memcpy(mem, contents, size);
	TEST_ASSERT(!mprotect((void *)((u64)mem & PAGE_MASK), PAGE_SIZE, PROT_READ),
		    "mprotect() failed, errno: %d", errno);
	return mem;
}

/* KVM allows a TD no more vCPUs than the host has CPUs. */
static inline bool has_two_cpus(struct kvm_vm *vm)
{
	return vm_check_cap(vm, KVM_CAP_MAX_VCPUS) >= 2;
}

#define NEEDS_TWO_CPUS	"two vCPUs need two host CPUs"

static inline void vm_tdx_launch_two(struct kvm_vm *vm, struct kvm_vcpu *vcpu[2],
				     void *guest0, void *guest1)
{
	vcpu[0] = vm_vcpu_add(vm, 0, guest0);
	vcpu[1] = vm_vcpu_add(vm, 1, guest1);
	vm_tdx_launch(vm);
}

/* A VM that KVM has given up refuses every command with EIO. */
static inline bool vm_is_dead(struct kvm_vm *vm)
{
	return __vm_ioctl(vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_USER_MEMORY) < 0 &&
	       errno == EIO;
}

/*
 * Add a memslot of one page, @mem, where guest addresses of the TD's width don't
 * reach; private if @guest_memfd is not negative.  Returns its GPA, or 0 if KVM
 * has no memslots that high.
 */
static inline gpa_t add_memslot_beyond_width(struct kvm_vm *vm, u32 slot, void *mem,
					     int guest_memfd)
{
	const bool private = guest_memfd >= 0;
	const gpa_t gpa = vm->arch.s_bit << 1;

	if (__vm_set_user_memory_region2(vm, slot, private ? KVM_MEM_GUEST_MEMFD : 0,
					 gpa, PAGE_SIZE, mem, guest_memfd, 0)) {
		TEST_ASSERT_EQ(errno, EINVAL);
		return 0;
	}
	if (private)
		vm_mem_set_private(vm, gpa, PAGE_SIZE);
	return gpa;
}

#define NO_MEMSLOT_BEYOND_WIDTH	"KVM has no memslots that high"

/* The vCPU's last exit is port I/O; @dir is KVM_EXIT_IO_IN or _OUT. */
#define TEST_ASSERT_EXIT_IO(vcpu, _port, _size, _dir)			\
do {									\
	struct kvm_run *__run = (vcpu)->run;				\
									\
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_IO);			\
	TEST_ASSERT_EQ(__run->io.port, _port);				\
	TEST_ASSERT_EQ(__run->io.size, _size);				\
	TEST_ASSERT_EQ(__run->io.direction, _dir);			\
	TEST_ASSERT_EQ(__run->io.count, 1);				\
} while (0)

/* The vCPU's last exit is MMIO, at a GPA without the shared bit. */
#define TEST_ASSERT_EXIT_MMIO(vcpu, _gpa, _size, _is_write)		\
do {									\
	struct kvm_run *__run = (vcpu)->run;				\
									\
	TEST_ASSERT_KVM_EXIT_REASON(vcpu, KVM_EXIT_MMIO);		\
	TEST_ASSERT_EQ(__run->mmio.phys_addr, _gpa);			\
	TEST_ASSERT_EQ(__run->mmio.len, _size);				\
	TEST_ASSERT_EQ(__run->mmio.is_write, _is_write);		\
} while (0)

#endif /* SELFTEST_KVM_TDX_TEST_HARNESS_H */
