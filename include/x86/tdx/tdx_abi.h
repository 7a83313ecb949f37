/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The TDX ABI as guest code and tests see it: TDCALL leaves, TDVMCALL
 * sub-functions, status codes, TD attributes, metadata fields.
 *
 * Constants that the kernel has too have the kernel's names, and the project's
 * checks compare the values.  Constants of KVM's uAPI are not repeated here:
 * <linux/kvm.h> and <asm/kvm.h> have them.  The leaf of a TDVMCALL that stands for
 * an instruction is its VMX exit reason, see <asm/vmx.h>.
 */
#ifndef SELFTEST_KVM_TDX_ABI_H
#define SELFTEST_KVM_TDX_ABI_H

#include <linux/bits.h>
#include <linux/types.h>

/* TDCALL leaves, RAX[15:0] */
#define TDG_VP_VMCALL			0
#define TDG_VP_INFO			1
#define TDG_MR_RTMR_EXTEND		2
#define TDG_VP_VEINFO_GET		3
#define TDG_MR_REPORT			4
#define TDG_VP_CPUIDVE_SET		5
#define TDG_MEM_PAGE_ACCEPT		6
#define TDG_VM_RD			7
#define TDG_VM_WR			8
#define TDG_VP_RD			9
#define TDG_VP_WR			10
#define TDG_SYS_RD			11
#define TDG_SYS_RDALL			12
#define TDG_SERVTD_RD			18
#define TDG_SERVTD_WR			20
#define TDG_MR_VERIFYREPORT		22
#define TDG_MEM_PAGE_ATTR_RD		23
#define TDG_MEM_PAGE_ATTR_WR		24
#define TDG_MEM_PAGE_RELEASE		30

/* RAX of a TDCALL that has versions: the leaf and this */
#define TDCALL_VERSION(n)		((u64)(n) << 16)

/* Status of a SEAMCALL or TDCALL, RAX; bits 31:0 carry details */
#define TDX_SUCCESS			0x0000000000000000ULL
#define TDX_SEAMCALL_STATUS_MASK	0xFFFFFFFF00000000ULL
#define TDX_ERROR			BIT_ULL(63)	/* else a success or a warning */
#define TDX_OPERAND_INVALID		0xC000010000000000ULL
#define TDX_OPERAND_BUSY		0x8000020000000000ULL
#define TDX_PAGE_ALREADY_ACCEPTED	0x00000B0A00000000ULL
#define TDX_PAGE_SIZE_MISMATCH		0xC0000B0B00000000ULL
#define TDX_OPERAND_ID_RAX		0x00
#define TDX_OPERAND_ID_RCX		0x01

/* TDVMCALL sub-functions beyond the instructions */
#define TDVMCALL_GET_TD_VM_CALL_INFO	0x10000
#define TDVMCALL_MAP_GPA		0x10001
#define TDVMCALL_GET_QUOTE		0x10002
#define TDVMCALL_REPORT_FATAL_ERROR	0x10003
#define TDVMCALL_SETUP_EVENT_NOTIFY_INTERRUPT 0x10004ULL

/* GetTdVmCallInfo leaf 1, first result: optional TDVMCALLs that are supported */
#define TDVMCALLINFO_SETUP_EVENT_NOTIFY_INTERRUPT	BIT_ULL(1)

/*
 * TDVMCALL status.  KVM returns SUBFUNC_UNSUPPORTED for a TDVMCALL that it doesn't
 * know, and for MapGPA unless user space has enabled KVM_CAP_EXIT_HYPERCALL for
 * KVM_HC_MAP_GPA_RANGE.
 */
#define TDVMCALL_STATUS_SUCCESS		0x0000000000000000ULL
#define TDVMCALL_STATUS_RETRY		0x0000000000000001ULL
#define TDVMCALL_STATUS_INVALID_OPERAND	0x8000000000000000ULL
#define TDVMCALL_STATUS_ALIGN_ERROR	0x8000000000000002ULL
#define TDVMCALL_STATUS_SUBFUNC_UNSUPPORTED	0x8000000000000003ULL

/* Direction operand of the I/O and MMIO TDVMCALLs */
#define TDVMCALL_READ			0
#define TDVMCALL_WRITE			1

/* ReportFatalError: bit of the error code, set if the next operand is a GPA */
#define TDVMCALL_FATAL_GPA_VALID	BIT_ULL(63)

/* TD attributes */
#define TDX_TD_ATTR_DEBUG		BIT_ULL(0)
#define TDX_TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)
#define TDX_TD_ATTR_MIGRATABLE		BIT_ULL(29)
#define TDX_TD_ATTR_PKS			BIT_ULL(30)
#define TDX_TD_ATTR_PERFMON		BIT_ULL(63)

/* CONFIG_FLAGS of a TD */
#define TDX_CONFIG_PAGE_RELEASE		BIT_ULL(6)

/* Metadata fields of a TD, for TDG.VM.RD and TDG.VM.WR */
#define TDX_MD_ATTRIBUTES		0x1110000300000000ULL
#define TDX_MD_XFAM			0x1110000300000001ULL
#define TDX_MD_MAX_VCPUS		0x1110000200000002ULL
#define TDX_MD_GPAW			0x1110000000000003ULL
#define TDX_MD_TSC_FREQUENCY		0x111000010000000cULL
#define TDX_MD_CONFIG_FLAGS		0x1110000300000016ULL
#define TDX_MD_TD_CTLS			0x1110000300000017ULL
#define TDX_MD_FEATURE_PARAVIRT_CTRL	0x1110000300000022ULL
#define TDX_MD_MRCONFIGID		0x1310000300000010ULL	/* the first of 6 */
#define TDX_MD_MROWNER			0x1310000300000018ULL	/* the first of 6 */
#define TDX_MD_MROWNERCONFIG		0x1310000300000020ULL	/* the first of 6 */

/* Bits of TD_CTLS; not every module has all of them */
#define TDX_TD_CTLS_PENDING_VE_DISABLE	BIT_ULL(0)
#define TDX_TD_CTLS_ENUM_TOPOLOGY	BIT_ULL(1)
#define TDX_TD_CTLS_VIRT_CPUID2		BIT_ULL(2)
#define TDX_TD_CTLS_REDUCE_VE		BIT_ULL(3)

/* CPUID leaf that tells a guest that it is a TD */
#define TDX_CPUID_LEAF_ID		0x21
#define TDX_IDENT			"IntelTDX    "

/* SHA-384, the hash of all measurements */
#define TDX_MEASUREMENT_SIZE		48

/* What a TDREPORT says about the TD itself */
struct tdx_td_info {
	__u64 attributes;
	__u64 xfam;
	__u8 mrtd[TDX_MEASUREMENT_SIZE];
	__u8 mrconfigid[TDX_MEASUREMENT_SIZE];
	__u8 mrowner[TDX_MEASUREMENT_SIZE];
	__u8 mrownerconfig[TDX_MEASUREMENT_SIZE];
	__u8 rtmr[4][TDX_MEASUREMENT_SIZE];
	__u8 servtd_hash[TDX_MEASUREMENT_SIZE];
	__u8 reserved[64];
};

/* TDREPORT, as TDG.MR.REPORT writes it */
struct tdx_report {
	__u8 mac_struct[256];
	__u8 tee_tcb_info[239];
	__u8 reserved[17];
	struct tdx_td_info td_info;
};

#endif /* SELFTEST_KVM_TDX_ABI_H */
