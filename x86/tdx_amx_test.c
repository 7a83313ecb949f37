// SPDX-License-Identifier: GPL-2.0
/*
 * A TD with AMX in its XFAM.
 *
 * The TDX module initialises tile registers, XFD and XFD_ERR on each exit of such a
 * TD.  So KVM must not rely on the XFD that Linux has written last: a thread that has no
 * permission to use tile registers must not get them that way, and one that has keeps
 * its own.
 */
#include <asm/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>

#include "processor.h"
#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

#define NR_RUNS		3
#define ROWS		16
#define ROW_SIZE	64

struct tile_config {
	u8 palette, start_row, reserved[14];
	u16 row_bytes[16];
	u8 rows[16];
} __packed __aligned(64);

typedef u8 tile_t[ROWS][ROW_SIZE];

/* Tile registers 0 and 7, in full size. */
static const struct tile_config all_tiles = {
	.palette = 1,
	.row_bytes = { [0] = ROW_SIZE, [7] = ROW_SIZE },
	.rows = { [0] = ROWS, [7] = ROWS },
};

static void configure_tiles(void)
{
	asm volatile("ldtilecfg %0" : : "m"(all_tiles));
}

static void load_tiles(const tile_t *t)
{
	asm volatile("tileloadd (%0, %2, 1), %%tmm0\n\t"
		     "tileloadd (%1, %2, 1), %%tmm7"
		     : : "r"(t[0]), "r"(t[1]), "r"((u64)ROW_SIZE) : "memory");
}

static void store_tiles(tile_t *t)
{
	asm volatile("tilestored %%tmm0, (%0, %2, 1)\n\t"
		     "tilestored %%tmm7, (%1, %2, 1)"
		     : : "r"(t[0]), "r"(t[1]), "r"((u64)ROW_SIZE) : "memory");
}

static void fill_tiles(tile_t *t, u8 seed)
{
	for (int i = 0; i < 2; i++)
		for (int row = 0; row < ROWS; row++)
			for (int n = 0; n < ROW_SIZE; n++)
				t[i][row][n] = seed + 31 * i + 7 * row + n;
}

static tile_t guest_in[2], guest_out[2];

/* The guest's registers are its own; exits to KVM alone and to user space. */
static void guest_code(void)
{
	u64 r[4];

	wrmsr(MSR_IA32_XFD, 0);
	for (int i = 0;; i++) {
		configure_tiles();
		fill_tiles(guest_in, i);
		load_tiles(guest_in);
		GUEST_ASSERT_EQ(tdvmcall_cpuid(0, 0, &r[0], &r[1], &r[2], &r[3]), 0);
		GUEST_SYNC(0);
		store_tiles(guest_out);
		GUEST_ASSERT(!memcmp(guest_in, guest_out, sizeof(guest_in)));

		wrmsr(MSR_IA32_XFD_ERR, XFEATURE_MASK_XTILE_DATA);
		wrmsr(MSR_IA32_XFD, XFEATURE_MASK_XTILE_DATA);
		GUEST_SYNC(0);
		GUEST_ASSERT_EQ(rdmsr(MSR_IA32_XFD), XFEATURE_MASK_XTILE_DATA);
		GUEST_ASSERT_EQ(rdmsr(MSR_IA32_XFD_ERR), XFEATURE_MASK_XTILE_DATA);
		GUEST_ASSERT_EQ(kvm_asm_safe("tilezero %%tmm0"), NM_VECTOR);
		wrmsr(MSR_IA32_XFD_ERR, 0);
		wrmsr(MSR_IA32_XFD, 0);
	}
}

FIXTURE(amx) {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
};

/*
 * A process that has not asked for the permission can't show AMX in the CPUID that it
 * gives to KVM, which then has no room for tile registers.  The TD's guest has them anyway.
 */
FIXTURE_VARIANT(amx) {
	bool hide;
};

FIXTURE_VARIANT_ADD(amx, in_cpuid_of_vcpu) { };
FIXTURE_VARIANT_ADD(amx, not_in_cpuid_of_vcpu) { .hide = true };

static struct kvm_vcpu *add_vcpu(struct kvm_vm *vm, bool hide)
{
	struct kvm_cpuid2 *cpuid;
	struct kvm_vcpu *vcpu;

	if (!hide)
		return vm_vcpu_add(vm, 0, guest_code);

	vcpu = __vm_vcpu_add(vm, 0);
	cpuid = tdx_get_cpuid(vcpu);
	for (int i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0xd && cpuid->entries[i].index == 0)
			cpuid->entries[i].eax &= ~XFEATURE_MASK_XTILE;
	vcpu_init_cpuid(vcpu, cpuid);
	free(cpuid);
	tdx_init_vcpu(vcpu, 0);
	vcpu_arch_set_entry_point(vcpu, guest_code);
	return vcpu;
}

FIXTURE_SETUP(amx)
{
	struct kvm_tdx_capabilities *caps;
	struct kvm_tdx_init_vm *init;

	pin_self_to_any_cpu();
	self->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	caps = tdx_capabilities(self->vm);
	if ((caps->supported_xfam & XFEATURE_MASK_XTILE) != XFEATURE_MASK_XTILE)
		SKIP(return, "KVM offers no AMX");

	init = tdx_default_init_vm(self->vm);
	init->xfam = XFEATURE_MASK_XTILE;
	tdx_init_vm(self->vm, init);
	self->vcpu = add_vcpu(self->vm, variant->hide);
	tdx_vm_finalize(self->vm);
	free(init);
	free(caps);
}

FIXTURE_TEARDOWN(amx)
{
	kvm_vm_free(self->vm);
}

static void run_guest(struct kvm_vcpu *vcpu)
{
	for (int i = 0; i < 2 * NR_RUNS; i++)
		vcpu_run_to_sync(vcpu, 0);
}

TEST_F(amx, guest_keeps_its_own)
{
	run_guest(self->vcpu);
}

static sigjmp_buf after_fault;

static void on_sigill(int signal)
{
	siglongjmp(after_fault, 1);
}

/* Whether this thread may use tile registers. */
static bool can_use_tiles(void)
{
	struct sigaction old, new = { .sa_handler = on_sigill };
	bool can;

	sigaction(SIGILL, &new, &old);
	can = !sigsetjmp(after_fault, 1);
	if (can)
		asm volatile("ldtilecfg %0" : : "m"(all_tiles));
	sigaction(SIGILL, &old, NULL);
	return can;
}

TEST_F(amx, host_needs_permission)
{
	TEST_ASSERT(!can_use_tiles(), "Tile registers without the permission");
	for (int i = 0; i < 2 * NR_RUNS; i++) {
		vcpu_run_to_sync(self->vcpu, 0);
		TEST_ASSERT(!can_use_tiles(), "Tile registers without the permission");
	}
}

static void allow_tiles(void)
{
	TEST_ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM,
			       __builtin_ctzll(XFEATURE_MASK_XTILE_DATA)), 0);
}

TEST_F(amx, host_with_permission_keeps_its_own)
{
	static tile_t in[2], out[2];

	allow_tiles();
	configure_tiles();
	for (int i = 0; i < NR_RUNS; i++) {
		fill_tiles(in, 100 + i);
		load_tiles(in);
		run_guest(self->vcpu);
		store_tiles(out);
		TEST_ASSERT(!memcmp(in, out, sizeof(in)), "Tile registers changed");
	}
	asm volatile("tilerelease");
}

/* It begins to use them while the guest's state was the last that the CPU had. */
TEST_F(amx, host_uses_tiles_after_a_run)
{
	static tile_t in[2], out[2];

	allow_tiles();
	run_guest(self->vcpu);
	configure_tiles();
	fill_tiles(in, 50);
	load_tiles(in);
	sched_yield();
	run_guest(self->vcpu);
	store_tiles(out);
	TEST_ASSERT(!memcmp(in, out, sizeof(in)), "Tile registers changed");
	asm volatile("tilerelease");
}

int main(int argc, char *argv[])
{
	TEST_REQUIRE(is_tdx_supported());

	return test_harness_run(argc, argv);
}
