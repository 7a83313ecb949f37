// SPDX-License-Identifier: GPL-2.0
#include "tdx/tdx_msr.h"

const u32 tdx_msrs_not_emulated[] = {
	MSR_IA32_P5_MC_ADDR,
	MSR_IA32_P5_MC_TYPE,
	MSR_IA32_TSC,
	MSR_IA32_PLATFORM_ID,
	MSR_TEST_CTRL,
	MSR_SMI_COUNT,
	MSR_IA32_TSC_ADJUST,
	MSR_IA32_SPEC_CTRL,
	MSR_IA32_PRED_CMD,
	MSR_IA32_UCODE_WRITE,
	MSR_IA32_MKTME_KEYID_PARTITIONING,
	MSR_IA32_SMBASE,
	MSR_IA32_PERFCTR0,
	MSR_FSB_FREQ,
	MSR_IA32_CORE_CAPS,
	MSR_IA32_UMWAIT_CONTROL,
	MSR_IA32_FLUSH_CMD,
	MSR_IA32_BBL_CR_CTL3,
	MSR_IA32_TSX_CTRL,
	MSR_IA32_SYSENTER_CS,
	MSR_IA32_SYSENTER_ESP,
	MSR_IA32_SYSENTER_EIP,
	MSR_P6_EVNTSEL0,
	MSR_IA32_PERF_STATUS,
	MSR_IA32_PERF_CTL,
	MSR_IA32_XFD,
	MSR_IA32_XFD_ERR,
	MSR_IA32_DEBUGCTLMSR,
	MSR_CORE_PERF_FIXED_CTR0,
	MSR_IA32_PERF_CAPABILITIES,
	MSR_CORE_PERF_GLOBAL_CTRL,
	MSR_IA32_VMX_BASIC,
	MSR_IA32_VMX_VMFUNC,
	MSR_IA32_RTIT_CTL,
	MSR_IA32_DS_AREA,
	MSR_IA32_U_CET,
	MSR_IA32_S_CET,
	MSR_IA32_PL0_SSP,
	MSR_IA32_PKRS,
	MSR_IA32_TME_CAPABILITY,
	MSR_IA32_TME_ACTIVATE,
	MSR_IA32_TME_EXCLUDE_MASK,
	MSR_IA32_TME_EXCLUDE_BASE,
	MSR_IA32_DEBUG_INTERFACE,
	MSR_IA32_QM_EVTSEL,
	MSR_IA32_PQR_ASSOC,
	MSR_IA32_L3_CBM_BASE,
	MSR_IA32_BNDCFGS,
	MSR_IA32_XSS,
	MSR_ARCH_LBR_CTL,
	MSR_UNKNOWN,
	MSR_STAR,
	MSR_LSTAR,
	MSR_CSTAR,
	MSR_SYSCALL_MASK,
	MSR_FS_BASE,
	MSR_GS_BASE,
	MSR_KERNEL_GS_BASE,
	MSR_TSC_AUX,
	MSR_K7_HWCR,
	0xffffffff,	/* the highest index */
};

const int nr_tdx_msrs_not_emulated = ARRAY_SIZE(tdx_msrs_not_emulated);

int tdx_host_get_msr(struct kvm_vcpu *vcpu, u32 msr, u64 *val)
{
	struct {
		struct kvm_msrs header;
		struct kvm_msr_entry entry;
	} buffer = {
		.header.nmsrs = 1,
		.entry.index = msr,
	};
	int r = __vcpu_ioctl(vcpu, KVM_GET_MSRS, &buffer.header);

	*val = buffer.entry.data;
	return r;
}

void assert_host_reads(struct tdx_guest *guest, u32 msr, u64 expected)
{
	u64 val;
	int r = tdx_host_get_msr(guest->vcpu, msr, &val);

	TEST_ASSERT(r == 1, "KVM_GET_MSRS of 0x%x failed", msr);
	TEST_ASSERT(val == expected,
		    "KVM_GET_MSRS of 0x%x: expected 0x%lx, got 0x%lx", msr,
		    (unsigned long)expected, (unsigned long)val);
}

void assert_host_read_fails(struct tdx_guest *guest, u32 msr)
{
	u64 val;
	int r = tdx_host_get_msr(guest->vcpu, msr, &val);

	TEST_ASSERT(!r, "KVM_GET_MSRS of 0x%x did not fail, got 0x%lx", msr,
		    (unsigned long)val);
}

void assert_host_writes(struct tdx_guest *guest, u32 msr, u64 val)
{
	TEST_ASSERT(_vcpu_set_msr(guest->vcpu, msr, val) == 1,
		    "KVM_SET_MSRS of 0x%x to 0x%lx failed", msr,
		    (unsigned long)val);
}

void assert_host_write_fails(struct tdx_guest *guest, u32 msr, u64 val)
{
	TEST_ASSERT(_vcpu_set_msr(guest->vcpu, msr, val) == 0,
		    "KVM_SET_MSRS of 0x%x to 0x%lx did not fail", msr,
		    (unsigned long)val);
}

u64 guest_read_msr(struct tdx_guest *guest, u32 msr)
{
	u64 val, status = tdx_guest_rdmsr(guest, msr, &val);

	TEST_ASSERT(!status, "Guest's read of 0x%x failed, status 0x%lx", msr,
		    (unsigned long)status);
	return val;
}

void guest_write_msr(struct tdx_guest *guest, u32 msr, u64 val)
{
	u64 status = tdx_guest_wrmsr(guest, msr, val);

	TEST_ASSERT(!status, "Guest's write of 0x%lx to 0x%x failed, status 0x%lx",
		    (unsigned long)val, msr, (unsigned long)status);
}

void assert_guest_read_fails(struct tdx_guest *guest, u32 msr)
{
	u64 val, status = tdx_guest_rdmsr(guest, msr, &val);

	TEST_ASSERT(status == TDVMCALL_STATUS_INVALID_OPERAND,
		    "Guest's read of 0x%x: expected INVALID_OPERAND, got status 0x%lx",
		    msr, (unsigned long)status);
}

void assert_guest_write_fails(struct tdx_guest *guest, u32 msr, u64 val)
{
	u64 status = tdx_guest_wrmsr(guest, msr, val);

	TEST_ASSERT(status == TDVMCALL_STATUS_INVALID_OPERAND,
		    "Guest's write of 0x%lx to 0x%x: expected INVALID_OPERAND, got status 0x%lx",
		    (unsigned long)val, msr, (unsigned long)status);
}

void assert_guest_has_no_msr(struct tdx_guest *guest, u32 msr)
{
	assert_guest_read_fails(guest, msr);
	assert_guest_write_fails(guest, msr, 0);
}

void assert_msr_is(struct tdx_guest *guest, u32 msr, u64 expected)
{
	u64 val = guest_read_msr(guest, msr);

	TEST_ASSERT(val == expected,
		    "Guest's read of 0x%x: expected 0x%lx, got 0x%lx", msr,
		    (unsigned long)expected, (unsigned long)val);
	assert_host_reads(guest, msr, expected);
}

void assert_guest_cannot_change(struct tdx_guest *guest, u32 msr, u64 val)
{
	u64 before = guest_read_msr(guest, msr);

	assert_guest_write_fails(guest, msr, val);
	assert_msr_is(guest, msr, before);
}

void assert_msr_stores(struct tdx_guest *guest, u32 msr, u64 a, u64 b)
{
	assert_msr_is(guest, msr, guest_read_msr(guest, msr));
	guest_write_msr(guest, msr, a);
	assert_msr_is(guest, msr, a);
	assert_host_writes(guest, msr, b);
	assert_msr_is(guest, msr, b);
}

void assert_msr_rejects(struct tdx_guest *guest, u32 msr, u64 bad,
			const char *why)
{
	u64 before = guest_read_msr(guest, msr);
	u64 status = tdx_guest_wrmsr(guest, msr, bad);

	TEST_ASSERT(status == TDVMCALL_STATUS_INVALID_OPERAND,
		    "Guest's write of 0x%lx to 0x%x (%s): expected INVALID_OPERAND, got status 0x%lx",
		    (unsigned long)bad, msr, why, (unsigned long)status);
	TEST_ASSERT(_vcpu_set_msr(guest->vcpu, msr, bad) == 0,
		    "KVM_SET_MSRS of 0x%x to 0x%lx (%s) did not fail", msr,
		    (unsigned long)bad, why);
	assert_msr_is(guest, msr, before);
}

void assert_msr_is_immutable(struct tdx_guest *guest, u32 msr)
{
	u64 val = guest_read_msr(guest, msr);

	assert_msr_is(guest, msr, val);
	assert_msr_rejects(guest, msr, val, "the current value");
	assert_msr_rejects(guest, msr, 0, "zero");
}

u64 kvm_supported_mce_cap(void)
{
	int kvm = open_kvm_dev_path_or_exit();
	u64 cap;

	kvm_ioctl(kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap);
	close(kvm);
	return cap;
}

void vcpu_set_mce_cap(struct kvm_vcpu *vcpu, u64 cap)
{
	vcpu_ioctl(vcpu, KVM_X86_SETUP_MCE, &cap);
}

/* Any further, and KVM's conversion to nanoseconds would overflow. */
u64 tdx_msr_far_deadline(void)
{
	return rdtsc() + BIT_ULL(43);
}

void tdx_msr_td_create(struct tdx_msr_td *td)
{
	td->vm = __vm_create(VM_SHAPE_TDX, 1, 0);
	td->vcpu = vm_vcpu_add(td->vm, 0, NULL);
	tdx_guest_init(&td->guest, td->vcpu);
	tdx_vm_finalize(td->vm);
}
