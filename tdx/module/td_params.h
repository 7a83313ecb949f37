/* SPDX-License-Identifier: GPL-2.0 */
/* TD_PARAMS and the bits of its fields, TD_CTLS and NOTIFY_ENABLES. */
#ifndef TDX_TD_PARAMS_H
#define TDX_TD_PARAMS_H

#include <stdint.h>

/* TD_PARAMS, the operand of TDH.MNG.INIT. */
#define TD_PARAMS_SIZE		1024
#define TD_PARAMS_CPUID_SLOTS	48

struct td_params {
	uint64_t attributes;
	uint64_t xfam;
	uint16_t max_vcpus;
	uint8_t num_l2_vms;
	uint8_t msr_config_ctls;
	uint32_t reserved0;
	uint64_t eptp_controls;
	uint64_t config_flags;
	uint16_t tsc_frequency;
	uint8_t reserved1[38];
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint64_t arch_capabilities;
	uint8_t reserved2[24];
	uint32_t cpuid[TD_PARAMS_CPUID_SLOTS][4];
};

_Static_assert(sizeof(struct td_params) == TD_PARAMS_SIZE, "TD_PARAMS");

/* ATTRIBUTES */
#define TD_ATTR_DEBUG		(1ull << 0)
#define TD_ATTR_PMT_PROF	(1ull << 6)
#define TD_ATTR_ICSSD		(1ull << 16)
#define TD_ATTR_LASS		(1ull << 27)
#define TD_ATTR_SEPT_VE_DISABLE	(1ull << 28)
#define TD_ATTR_MIGRATABLE	(1ull << 29)
#define TD_ATTR_PKS		(1ull << 30)
#define TD_ATTR_KL		(1ull << 31)	/* no release allows it */
#define TD_ATTR_TPA		(1ull << 62)
#define TD_ATTR_PERFMON		(1ull << 63)

/* XFAM, in groups that must be set together */
#define XFAM_X87	(1ull << 0)
#define XFAM_SSE	(1ull << 1)
#define XFAM_AVX	(1ull << 2)
#define XFAM_AVX512	(7ull << 5)	/* opmask, ZMM_Hi256, Hi16_ZMM */
#define XFAM_PT		(1ull << 8)
#define XFAM_PKRU	(1ull << 9)
#define XFAM_CET	(3ull << 11)	/* user, supervisor */
#define XFAM_UINTR	(1ull << 14)
#define XFAM_LBR	(1ull << 15)
#define XFAM_AMX	(3ull << 17)	/* TILECFG, TILEDATA */
/* ... of XCR0, and of XSS. */
#define XFAM_USER	(XFAM_X87 | XFAM_SSE | XFAM_AVX | XFAM_AVX512 | \
			 XFAM_PKRU | XFAM_AMX)
#define XFAM_SUPERVISOR	(XFAM_PT | XFAM_CET | XFAM_UINTR | XFAM_LBR)

/* CONFIG_FLAGS */
#define CONFIG_GPAW		(1ull << 0)
#define CONFIG_FLEXIBLE_VE	(1ull << 1)
#define CONFIG_NO_RBP_MOD	(1ull << 2)
#define CONFIG_MAXPA_VIRT	(1ull << 3)
#define CONFIG_MAXGPA_VIRT	(1ull << 4)

/* TD_CTLS, a metadata field that the guest writes */
#define TD_CTLS_PENDING_VE_DISABLE	(1ull << 0)
#define TD_CTLS_ENUM_TOPOLOGY		(1ull << 1)
#define TD_CTLS_VIRT_CPUID2		(1ull << 2)
#define TD_CTLS_REDUCE_VE		(1ull << 3)
#define TD_CTLS_LOCK			(1ull << 63)

/* NOTIFY_ENABLES, which the guest writes as well: #VE if it may be zero-stepped */
#define NOTIFY_ZERO_STEP		(1ull << 0)

#endif /* TDX_TD_PARAMS_H */
