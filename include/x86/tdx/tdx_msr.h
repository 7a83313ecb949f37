/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD's MSRs as the guest and the host access them.
 *
 * The guest reads and writes by TDVMCALL<RDMSR> and TDVMCALL<WRMSR>, the host by
 * KVM_GET_MSRS and KVM_SET_MSRS.  Every assertion names the MSR by its index and
 * prints what was expected.
 */
#ifndef SELFTEST_KVM_TDX_MSR_H
#define SELFTEST_KVM_TDX_MSR_H

#include "apic.h"
#include "kvm_util.h"
#include "processor.h"
#include "tdx/tdx_guest.h"

/* APIC registers and MSRs that are missing in the tools' headers. */
#define APIC_LDR			0xd0
#define APIC_ESR			0x280
#define APIC_LVTTHMR			0x330
#define APIC_LVTPC			0x340
#define APIC_LVT0			0x350
#define APIC_LVT1			0x360
#define APIC_LVTERR			0x370
#define X2APIC_MSR(reg)			(APIC_BASE_MSR + ((reg) >> 4))
#define MTRR_PHYS_BASE(n)		(0x200 + 2 * (n))
#define MTRR_PHYS_MASK(n)		(MTRR_PHYS_BASE(n) + 1)
#define MSR_IA32_PKRS			0x6e1
#define MSR_IA32_TME_CAPABILITY		0x981
#define MSR_IA32_TME_ACTIVATE		0x982
#define MSR_IA32_TME_EXCLUDE_MASK	0x983
#define MSR_IA32_TME_EXCLUDE_BASE	0x984
#define MSR_IA32_DEBUG_INTERFACE	0xc80

/* Neither KVM nor any CPU has an MSR with this index. */
#define MSR_UNKNOWN			0x1fed

/* A value that uses both halves of an MSR. */
#define MSR_TEST_VALUE			0xfedcba9876543210ull

/*
 * MSRs that KVM must not emulate for a TD: it knows most of them, but either the
 * TDX module virtualizes them or a TD doesn't have them.
 */
extern const u32 tdx_msrs_not_emulated[];
extern const int nr_tdx_msrs_not_emulated;

/*
 * Host: KVM_GET_MSRS of one MSR.  Returns how many MSRs KVM read: 1, or 0 if it
 * refused.
 */
int tdx_host_get_msr(struct kvm_vcpu *vcpu, u32 msr, u64 *val);

void assert_host_reads(struct tdx_guest *guest, u32 msr, u64 expected);
void assert_host_read_fails(struct tdx_guest *guest, u32 msr);
void assert_host_writes(struct tdx_guest *guest, u32 msr, u64 val);
void assert_host_write_fails(struct tdx_guest *guest, u32 msr, u64 val);

/* Guest: a read that must succeed.  Returns the value. */
u64 guest_read_msr(struct tdx_guest *guest, u32 msr);

/* Guest: a write that must succeed. */
void guest_write_msr(struct tdx_guest *guest, u32 msr, u64 val);

/* Guest: an access that must fail with TDVMCALL_STATUS_INVALID_OPERAND. */
void assert_guest_read_fails(struct tdx_guest *guest, u32 msr);
void assert_guest_write_fails(struct tdx_guest *guest, u32 msr, u64 val);

/* Guest: neither reads nor writes. */
void assert_guest_has_no_msr(struct tdx_guest *guest, u32 msr);

/* Guest and host read @expected. */
void assert_msr_is(struct tdx_guest *guest, u32 msr, u64 expected);

/* Guest: can read the MSR but not write @val to it. */
void assert_guest_cannot_change(struct tdx_guest *guest, u32 msr, u64 val);

/* The guest writes @a, the host writes @b, and both read what was written last. */
void assert_msr_stores(struct tdx_guest *guest, u32 msr, u64 a, u64 b);

/* Neither guest nor host can write @bad.  @why is printed if one of them can. */
void assert_msr_rejects(struct tdx_guest *guest, u32 msr, u64 bad,
			const char *why);

/* Neither guest nor host can write any value, not even the current one. */
void assert_msr_is_immutable(struct tdx_guest *guest, u32 msr);

/* KVM's machine check capabilities, MCG_*; and MCG_CAP of @vcpu. */
u64 kvm_supported_mce_cap(void);
void vcpu_set_mce_cap(struct kvm_vcpu *vcpu, u64 cap);

/*
 * A value for MSR_IA32_TSC_DEADLINE that needs more than 32 bits, and that is not
 * reached before the test ends.
 */
u64 tdx_msr_far_deadline(void);

/* A launched TD with one vCPU, whose guest accesses MSRs on the host's behalf. */
struct tdx_msr_td {
	struct kvm_vm *vm;
	struct kvm_vcpu *vcpu;
	struct tdx_guest guest;
};

void tdx_msr_td_create(struct tdx_msr_td *td);

/* A fixture of the harness with such a TD. */
#define TDX_MSR_SUITE(name)						\
	FIXTURE(name) {							\
		struct tdx_msr_td td;					\
	};								\
									\
	FIXTURE_SETUP(name) {						\
		tdx_msr_td_create(&self->td);				\
	}								\
									\
	FIXTURE_TEARDOWN(name) {					\
		kvm_vm_free(self->td.vm);				\
	}

#endif /* SELFTEST_KVM_TDX_MSR_H */
