// SPDX-License-Identifier: GPL-2.0
/* How CPUID is virtualised; see cpuid_table.h. */
#include "cpuid_table.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* One bit, and a whole register. */
#define BIT_OF(reg, bit, ...)	{ reg, bit, bit, __VA_ARGS__ }
#define WHOLE(reg, ...)		{ reg, 31, 0, __VA_ARGS__ }
/* Four characters of a string. */
#define TEXT(reg, a, b, c, d, ...)					\
	WHOLE(reg, "characters", FIXED, (a) | (b) << 8 | (c) << 16 | (d) << 24, \
	      __VA_ARGS__)

#define AVX	.xfam = XFAM_AVX
#define AVX512	.xfam = XFAM_AVX512
#define AMX	.xfam = XFAM_AMX
#define PT	.xfam = XFAM_PT
#define PKRU	.xfam = XFAM_PKRU
#define CET	.xfam = XFAM_CET
#define UINTR	.xfam = XFAM_UINTR
#define LBR	.xfam = XFAM_LBR
/* In which of the releases a field or a leaf is like that; without, in all. */
#define IN_1_5_06	.releases = R_1_5_06
#define IN_2_0_08	.releases = R_2_0_08
#define BUT_2_0_08	.releases = R_1_5_06 | R_1_5_28
#define SINCE_1_5_28	.releases = R_1_5_28 | R_2_0_08

static const struct cpuid_field all_zero[] = {
	WHOLE(EAX, "reserved", FIXED),
	WHOLE(EBX, "reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field all_native[] = {
	WHOLE(EAX, "all fields", NATIVE),
	WHOLE(EBX, "all fields", NATIVE),
	WHOLE(ECX, "all fields", NATIVE),
	WHOLE(EDX, "all fields", NATIVE),
};

static const struct cpuid_field vendor[] = {
	WHOLE(EAX, "highest basic leaf", FIXED, MAX_LEAF),
	TEXT(EBX, 'G', 'e', 'n', 'u'),
	TEXT(EDX, 'i', 'n', 'e', 'I'),
	TEXT(ECX, 'n', 't', 'e', 'l'),
};

static const struct cpuid_field features_1[] = {
	{ EAX, 3, 0, "stepping", CONFIGURED },
	{ EAX, 7, 4, "model", CONFIGURED },
	{ EAX, 11, 8, "family", CONFIGURED },
	{ EAX, 13, 12, "processor type", CONFIGURED },
	{ EAX, 15, 14, "reserved", FIXED },
	{ EAX, 19, 16, "extended model", CONFIGURED },
	{ EAX, 27, 20, "extended family", CONFIGURED },
	{ EAX, 31, 28, "reserved", FIXED },

	{ EBX, 7, 0, "brand index", FIXED },
	{ EBX, 15, 8, "CLFLUSH line size", NATIVE, 8 },
	{ EBX, 23, 16, "addressable ids", CONFIGURED },
	{ EBX, 31, 24, "initial APIC id", CALCULATED },

	BIT_OF(ECX, 0, "SSE3", NATIVE, 1),
	BIT_OF(ECX, 1, "PCLMULQDQ", NATIVE, 1),
	BIT_OF(ECX, 2, "DTES64", NATIVE, 1),
	BIT_OF(ECX, 3, "MONITOR", ALLOWED),
	BIT_OF(ECX, 4, "DS-CPL", NATIVE, 1),
	BIT_OF(ECX, 5, "VMX", FIXED),
	BIT_OF(ECX, 6, "SMX", FIXED),
	BIT_OF(ECX, 7, "EIST", ALLOWED),
	BIT_OF(ECX, 8, "TM2", ALLOWED),
	BIT_OF(ECX, 9, "SSSE3", NATIVE, 1),
	BIT_OF(ECX, 10, "CNXT-ID", ALLOWED),
	BIT_OF(ECX, 11, "SDBG", ALLOWED),
	BIT_OF(ECX, 12, "FMA", NATIVE, AVX),
	BIT_OF(ECX, 13, "CMPXCHG16B", NATIVE, 1),
	BIT_OF(ECX, 14, "xTPR", ALLOWED),
	BIT_OF(ECX, 15, "PDCM", NATIVE, 1),
	BIT_OF(ECX, 16, "reserved", FIXED),
	BIT_OF(ECX, 17, "PCID", NATIVE, 1),
	BIT_OF(ECX, 18, "DCA", ALLOWED),
	BIT_OF(ECX, 19, "SSE4.1", NATIVE, 1),
	BIT_OF(ECX, 20, "SSE4.2", NATIVE, 1),
	BIT_OF(ECX, 21, "x2APIC", NATIVE, 1),
	BIT_OF(ECX, 22, "MOVBE", NATIVE, 1),
	BIT_OF(ECX, 23, "POPCNT", NATIVE, 1),
	BIT_OF(ECX, 24, "TSC-Deadline", ALLOWED, 1),
	BIT_OF(ECX, 25, "AES", NATIVE, 1),
	BIT_OF(ECX, 26, "XSAVE", NATIVE, 1),
	BIT_OF(ECX, 27, "OSXSAVE", CALCULATED),
	BIT_OF(ECX, 28, "AVX", ALLOWED, AVX),
	BIT_OF(ECX, 29, "F16C", ALLOWED, AVX),
	BIT_OF(ECX, 30, "RDRAND", NATIVE, 1),
	BIT_OF(ECX, 31, "hypervisor", FIXED, 1),

	BIT_OF(EDX, 0, "FPU", NATIVE, 1),
	BIT_OF(EDX, 1, "VME", NATIVE, 1),
	BIT_OF(EDX, 2, "DE", NATIVE, 1),
	BIT_OF(EDX, 3, "PSE", NATIVE, 1),
	BIT_OF(EDX, 4, "TSC", NATIVE, 1),
	BIT_OF(EDX, 5, "MSR", NATIVE, 1),
	BIT_OF(EDX, 6, "PAE", NATIVE, 1),
	BIT_OF(EDX, 7, "MCE", NATIVE, 1, IN_1_5_06),
	BIT_OF(EDX, 7, "MCE", ALLOWED, 1, SINCE_1_5_28),
	BIT_OF(EDX, 8, "CX8", NATIVE, 1),
	BIT_OF(EDX, 9, "APIC", FIXED, 1),
	BIT_OF(EDX, 10, "reserved", FIXED),
	BIT_OF(EDX, 11, "SEP", NATIVE, 1),
	BIT_OF(EDX, 12, "MTRR", NATIVE, 1, IN_1_5_06),
	BIT_OF(EDX, 12, "MTRR", ALLOWED, 1, SINCE_1_5_28),
	BIT_OF(EDX, 13, "PGE", NATIVE, 1),
	BIT_OF(EDX, 14, "MCA", NATIVE, 1, IN_1_5_06),
	BIT_OF(EDX, 14, "MCA", ALLOWED, 1, SINCE_1_5_28),
	BIT_OF(EDX, 15, "CMOV", NATIVE, 1),
	BIT_OF(EDX, 16, "PAT", NATIVE, 1),
	BIT_OF(EDX, 17, "PSE-36", FIXED),
	BIT_OF(EDX, 18, "PSN", ALLOWED),
	BIT_OF(EDX, 19, "CLFSH", NATIVE, 1),
	BIT_OF(EDX, 20, "reserved", FIXED),
	BIT_OF(EDX, 21, "DS", NATIVE, 1),
	BIT_OF(EDX, 22, "ACPI", ALLOWED),
	BIT_OF(EDX, 23, "MMX", NATIVE, 1),
	BIT_OF(EDX, 24, "FXSR", NATIVE, 1),
	BIT_OF(EDX, 25, "SSE", NATIVE, 1),
	BIT_OF(EDX, 26, "SSE2", NATIVE, 1),
	BIT_OF(EDX, 27, "SS", ALLOWED, 1),
	BIT_OF(EDX, 28, "HTT", ALLOWED, 1),
	BIT_OF(EDX, 29, "TM", ALLOWED),
	BIT_OF(EDX, 30, "IA64", FIXED),
	BIT_OF(EDX, 31, "PBE", ALLOWED),
};

static const struct cpuid_field cache_descriptors[] = {
	{ EAX, 7, 0, "always 1", FIXED, 0x01 },
	{ EAX, 15, 8, "see leaf 4 for caches", FIXED, 0xff },
	{ EAX, 23, 16, "see leaf 0x18 for TLBs", FIXED, 0xfe },
	{ EAX, 31, 24, "no descriptor", FIXED },
	WHOLE(EBX, "no descriptors", FIXED),
	WHOLE(ECX, "no descriptors", FIXED),
	WHOLE(EDX, "no descriptors", FIXED),
};

#define CACHE_FIELDS							\
	{ EAX, 4, 0, "cache type", CONFIGURED },			\
	{ EAX, 7, 5, "cache level", CONFIGURED },			\
	BIT_OF(EAX, 8, "self-initialising", CONFIGURED),		\
	BIT_OF(EAX, 9, "fully associative", CONFIGURED),		\
	{ EAX, 13, 10, "reserved", FIXED },				\
	{ EAX, 25, 14, "threads that share the cache, minus 1", CONFIGURED }, \
	{ EAX, 31, 26, "cores in the package, minus 1", CONFIGURED },	\
	{ EBX, 11, 0, "line size, minus 1", NATIVE, 63 },		\
	{ EBX, 21, 12, "line partitions, minus 1", CONFIGURED },	\
	{ EBX, 31, 22, "ways, minus 1", CONFIGURED },			\
	WHOLE(ECX, "sets, minus 1", CONFIGURED),			\
	BIT_OF(EDX, 0, "WBINVD does not reach lower levels", CONFIGURED), \
	BIT_OF(EDX, 1, "inclusive", CONFIGURED)

static const struct cpuid_field cache[] = {
	CACHE_FIELDS,
	BIT_OF(EDX, 2, "complex indexing", FIXED, IN_1_5_06),
	BIT_OF(EDX, 2, "complex indexing", CONFIGURED, SINCE_1_5_28),
	{ EDX, 31, 3, "reserved", CONFIGURED, IN_1_5_06 },
	{ EDX, 31, 3, "reserved", FIXED, SINCE_1_5_28 },
};

static const struct cpuid_field last_cache[] = {
	CACHE_FIELDS,
	BIT_OF(EDX, 2, "complex indexing", CONFIGURED),
	{ EDX, 31, 3, "reserved", FIXED },
};

/* All of it is 0 without MONITOR. */
static const struct cpuid_field monitor[] = {
	{ EAX, 15, 0, "smallest line size", NATIVE },
	{ EAX, 31, 16, "reserved", FIXED },
	{ EBX, 15, 0, "largest line size", NATIVE },
	{ EBX, 31, 16, "reserved", FIXED },
	BIT_OF(ECX, 0, "extensions", NATIVE),
	BIT_OF(ECX, 1, "interrupts break MWAIT even if masked", NATIVE),
	{ ECX, 31, 2, "reserved", FIXED },
	WHOLE(EDX, "C-states", NATIVE),
};

static const struct cpuid_field power[] = {
	{ EAX, 1, 0, "DTS, turbo", FIXED },
	BIT_OF(EAX, 2, "ARAT", FIXED, 1),
	{ EAX, 31, 3, "power and thermal features", FIXED },
	WHOLE(EBX, "power and thermal features", FIXED),
	WHOLE(ECX, "power and thermal features", FIXED),
	WHOLE(EDX, "power and thermal features", FIXED),
};

static const struct cpuid_field features_7_0[] = {
	WHOLE(EAX, "highest subleaf", FIXED, 2),

	BIT_OF(EBX, 0, "FSGSBASE", NATIVE, 1),
	BIT_OF(EBX, 1, "IA32_TSC_ADJUST", FIXED),
	BIT_OF(EBX, 2, "SGX", FIXED),
	BIT_OF(EBX, 3, "BMI1", ALLOWED),
	BIT_OF(EBX, 4, "HLE", ALLOWED),
	BIT_OF(EBX, 5, "AVX2", NATIVE, AVX),
	BIT_OF(EBX, 6, "FDP_EXCPTN_ONLY", NATIVE, 1),
	BIT_OF(EBX, 7, "SMEP", NATIVE, 1),
	BIT_OF(EBX, 8, "BMI2", ALLOWED),
	BIT_OF(EBX, 9, "ERMS", ALLOWED),
	BIT_OF(EBX, 10, "INVPCID", NATIVE, 1),
	BIT_OF(EBX, 11, "RTM", ALLOWED),
	BIT_OF(EBX, 12, "RDT-M", ALLOWED),
	BIT_OF(EBX, 13, "no FPU CS and DS", NATIVE, 1),
	BIT_OF(EBX, 14, "MPX", FIXED),
	BIT_OF(EBX, 15, "RDT-A", ALLOWED),
	BIT_OF(EBX, 16, "AVX512F", ALLOWED, AVX512),
	BIT_OF(EBX, 17, "AVX512DQ", ALLOWED, AVX512),
	BIT_OF(EBX, 18, "RDSEED", NATIVE, 1),
	BIT_OF(EBX, 19, "ADX", ALLOWED),
	BIT_OF(EBX, 20, "SMAP", NATIVE, 1),
	BIT_OF(EBX, 21, "AVX512_IFMA", ALLOWED, AVX512),
	BIT_OF(EBX, 22, "reserved", FIXED),
	BIT_OF(EBX, 23, "CLFLUSHOPT", NATIVE, 1),
	BIT_OF(EBX, 24, "CLWB", NATIVE, 1),
	BIT_OF(EBX, 25, "PT", NATIVE, PT),
	BIT_OF(EBX, 26, "AVX512PF", ALLOWED, AVX512),
	BIT_OF(EBX, 27, "AVX512ER", ALLOWED, AVX512),
	BIT_OF(EBX, 28, "AVX512CD", ALLOWED, AVX512),
	BIT_OF(EBX, 29, "SHA", NATIVE, 1),
	BIT_OF(EBX, 30, "AVX512BW", ALLOWED, AVX512),
	BIT_OF(EBX, 31, "AVX512VL", ALLOWED, AVX512),

	BIT_OF(ECX, 0, "PREFETCHWT1", ALLOWED),
	BIT_OF(ECX, 1, "AVX512_VBMI", NATIVE, AVX512),
	BIT_OF(ECX, 2, "UMIP", ALLOWED),
	BIT_OF(ECX, 3, "PKU", NATIVE, PKRU),
	BIT_OF(ECX, 4, "OSPKE", CALCULATED),
	BIT_OF(ECX, 5, "WAITPKG", ALLOWED),
	BIT_OF(ECX, 6, "AVX512_VBMI2", ALLOWED, AVX512),
	BIT_OF(ECX, 7, "CET_SS", NATIVE, CET),
	BIT_OF(ECX, 8, "GFNI", ALLOWED),
	BIT_OF(ECX, 9, "VAES", ALLOWED, AVX),
	BIT_OF(ECX, 10, "VPCLMULQDQ", ALLOWED, AVX),
	BIT_OF(ECX, 11, "AVX512_VNNI", ALLOWED, AVX512),
	BIT_OF(ECX, 12, "AVX512_BITALG", ALLOWED, AVX512),
	BIT_OF(ECX, 13, "TME", ALLOWED),
	BIT_OF(ECX, 14, "AVX512_VPOPCNTDQ", ALLOWED, AVX512),
	BIT_OF(ECX, 15, "reserved", FIXED),
	BIT_OF(ECX, 16, "LA57", ALLOWED),
	{ ECX, 21, 17, "MAWAU", FIXED },
	BIT_OF(ECX, 22, "RDPID", ALLOWED),
	BIT_OF(ECX, 23, "KL", NATIVE),
	BIT_OF(ECX, 24, "BUS_LOCK_DETECT", NATIVE, 1),
	BIT_OF(ECX, 25, "CLDEMOTE", ALLOWED),
	BIT_OF(ECX, 26, "reserved", FIXED),
	BIT_OF(ECX, 27, "MOVDIRI", NATIVE, 1),
	BIT_OF(ECX, 28, "MOVDIR64B", NATIVE, 1),
	BIT_OF(ECX, 29, "ENQCMD", FIXED),
	BIT_OF(ECX, 30, "SGX_LC", FIXED),
	BIT_OF(ECX, 31, "PKS", NATIVE, 1, .attributes = TD_ATTR_PKS),

	BIT_OF(EDX, 0, "reserved", FIXED),
	BIT_OF(EDX, 1, "SGX-KEYS", FIXED),
	BIT_OF(EDX, 2, "AVX512_4VNNIW", ALLOWED, AVX512),
	BIT_OF(EDX, 3, "AVX512_4FMAPS", ALLOWED, AVX512),
	BIT_OF(EDX, 4, "FSRM", ALLOWED),
	BIT_OF(EDX, 5, "UINTR", NATIVE, UINTR),
	{ EDX, 7, 6, "reserved", FIXED },
	BIT_OF(EDX, 8, "AVX512_VP2INTERSECT", ALLOWED, AVX512),
	BIT_OF(EDX, 9, "SRBDS_CTRL", NATIVE),
	BIT_OF(EDX, 10, "MD_CLEAR", NATIVE, 1),
	BIT_OF(EDX, 11, "RTM_ALWAYS_ABORT", FIXED),
	BIT_OF(EDX, 12, "reserved", FIXED),
	BIT_OF(EDX, 13, "RTM_FORCE_ABORT", NATIVE),
	BIT_OF(EDX, 14, "SERIALIZE", ALLOWED),
	BIT_OF(EDX, 15, "hybrid", FIXED),
	BIT_OF(EDX, 16, "TSXLDTRK", ALLOWED),
	BIT_OF(EDX, 17, "reserved", FIXED),
	BIT_OF(EDX, 18, "PCONFIG", ALLOWED),
	BIT_OF(EDX, 19, "architectural LBRs", NATIVE, 1, LBR),
	BIT_OF(EDX, 20, "CET_IBT", NATIVE, CET),
	BIT_OF(EDX, 21, "reserved", FIXED),
	BIT_OF(EDX, 22, "AMX-BF16", NATIVE, AMX),
	BIT_OF(EDX, 23, "AVX512_FP16", NATIVE, AVX512),
	BIT_OF(EDX, 24, "AMX-TILE", NATIVE, AMX),
	BIT_OF(EDX, 25, "AMX-INT8", NATIVE, AMX),
	BIT_OF(EDX, 26, "IBRS, IBPB", NATIVE, 1),
	BIT_OF(EDX, 27, "STIBP", NATIVE, 1),
	BIT_OF(EDX, 28, "L1D_FLUSH", NATIVE, 1),
	BIT_OF(EDX, 29, "IA32_ARCH_CAPABILITIES", NATIVE, 1),
	BIT_OF(EDX, 30, "IA32_CORE_CAPABILITIES", NATIVE, 1, IN_1_5_06),
	BIT_OF(EDX, 30, "IA32_CORE_CAPABILITIES", ALLOWED, 1, SINCE_1_5_28),
	BIT_OF(EDX, 31, "SSBD", NATIVE, 1),
};

static const struct cpuid_field features_7_1[] = {
	{ EAX, 3, 0, "SHA512, SM3, SM4, RAO-INT", FIXED, BUT_2_0_08 },
	BIT_OF(EAX, 0, "SHA512", ALLOWED, AVX512, IN_2_0_08),
	BIT_OF(EAX, 1, "SM3", ALLOWED, IN_2_0_08),
	BIT_OF(EAX, 2, "SM4", ALLOWED, IN_2_0_08),
	BIT_OF(EAX, 3, "RAO-INT", ALLOWED, IN_2_0_08),
	BIT_OF(EAX, 4, "AVX-VNNI", ALLOWED, AVX),
	BIT_OF(EAX, 5, "AVX512_BF16", ALLOWED, AVX512),
	BIT_OF(EAX, 6, "LASS", NATIVE, .attributes = TD_ATTR_LASS),
	BIT_OF(EAX, 7, "CMPCCXADD", ALLOWED),
	BIT_OF(EAX, 8, "ArchPerfmonExt", ALLOWED),
	BIT_OF(EAX, 9, "reserved", FIXED),
	BIT_OF(EAX, 10, "fast zero-length REP MOVSB", ALLOWED),
	BIT_OF(EAX, 11, "fast short REP STOSB", ALLOWED),
	BIT_OF(EAX, 12, "fast short REP CMPSB, SCASB", ALLOWED),
	{ EAX, 18, 13, "reserved, FRED, LKGS", FIXED },
	BIT_OF(EAX, 19, "WRMSRNS", ALLOWED),
	BIT_OF(EAX, 20, "reserved", FIXED),
	BIT_OF(EAX, 21, "AMX-FP16", FIXED, BUT_2_0_08),
	BIT_OF(EAX, 21, "AMX-FP16", ALLOWED, AMX, IN_2_0_08),
	BIT_OF(EAX, 22, "HRESET", FIXED),
	BIT_OF(EAX, 23, "AVX-IFMA", ALLOWED, AVX),
	{ EAX, 25, 24, "reserved", FIXED },
	BIT_OF(EAX, 26, "LAM", ALLOWED),
	{ EAX, 31, 27, "MSRLIST, reserved", FIXED },
	WHOLE(EBX, "PPIN, reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	{ EDX, 3, 0, "reserved", FIXED },
	BIT_OF(EDX, 4, "AVX-VNNI-INT8", ALLOWED, AVX),
	BIT_OF(EDX, 5, "AVX-NE-CONVERT", ALLOWED, AVX),
	{ EDX, 9, 6, "reserved, AMX-COMPLEX", FIXED },
	BIT_OF(EDX, 10, "AVX-VNNI-INT16", ALLOWED, AVX),
	{ EDX, 13, 11, "reserved", FIXED },
	BIT_OF(EDX, 14, "PREFETCHI", FIXED, IN_1_5_06),
	BIT_OF(EDX, 14, "PREFETCHI", ALLOWED, SINCE_1_5_28),
	{ EDX, 16, 15, "reserved", FIXED },
	BIT_OF(EDX, 17, "UIRET_UIF", ALLOWED),
	{ EDX, 31, 18, "reserved", FIXED },
};

static const struct cpuid_field features_7_2[] = {
	WHOLE(EAX, "reserved", FIXED),
	WHOLE(EBX, "reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	BIT_OF(EDX, 0, "PSFD", NATIVE, 1),
	BIT_OF(EDX, 1, "IPRED_CTRL", NATIVE, 1),
	BIT_OF(EDX, 2, "RRSBA_CTRL", NATIVE, 1),
	BIT_OF(EDX, 3, "DDPD_U", ALLOWED),
	BIT_OF(EDX, 4, "BHI_CTRL", NATIVE, 1),
	BIT_OF(EDX, 5, "MCDT_NO", ALLOWED),
	{ EDX, 31, 6, "reserved", FIXED },
};

static const struct cpuid_field perfmon[] = {
	WHOLE(EAX, "version, general-purpose counters", NATIVE),
	WHOLE(EBX, "events that are not available", NATIVE),
	WHOLE(ECX, "fixed counters", NATIVE),
	{ EDX, 4, 0, "number of fixed counters", NATIVE },
	{ EDX, 12, 5, "width of fixed counters", NATIVE },
	{ EDX, 14, 13, "reserved", FIXED },
	BIT_OF(EDX, 15, "AnyThread is deprecated", NATIVE),
	{ EDX, 31, 16, "reserved", FIXED },
};

/* Derived from leaf 0x1f if the host configures that. */
static const struct cpuid_field topology_b[] = {
	WHOLE(EAX, "shift to the next level", NATIVE),
	WHOLE(EBX, "processors at this level", NATIVE),
	WHOLE(ECX, "level number and type", NATIVE),
	WHOLE(EDX, "x2APIC id", CALCULATED),
};

static const struct cpuid_field xsave_main[] = {
	WHOLE(EAX, "XCR0, low half", NATIVE),
	WHOLE(EBX, "size for the current XCR0", CALCULATED),
	WHOLE(ECX, "size for all of XCR0", NATIVE),
	WHOLE(EDX, "XCR0, high half", FIXED),
};

static const struct cpuid_field xsave_1[] = {
	BIT_OF(EAX, 0, "XSAVEOPT", NATIVE),
	BIT_OF(EAX, 1, "XSAVEC", NATIVE),
	BIT_OF(EAX, 2, "XGETBV of index 1", NATIVE),
	BIT_OF(EAX, 3, "XSAVES", NATIVE),
	BIT_OF(EAX, 4, "XFD", NATIVE, AMX),
	{ EAX, 31, 5, "reserved", FIXED },
	WHOLE(EBX, "size for the current XCR0 and XSS", CALCULATED),
	{ ECX, 7, 0, "of XCR0, not XSS", FIXED },
	BIT_OF(ECX, 8, "PT", NATIVE, PT),
	{ ECX, 10, 9, "PKRU, PASID", FIXED },
	BIT_OF(ECX, 11, "CET_U", NATIVE, CET),
	BIT_OF(ECX, 12, "CET_S", NATIVE, CET),
	BIT_OF(ECX, 13, "HDC", FIXED),
	BIT_OF(ECX, 14, "UINTR", NATIVE, UINTR),
	BIT_OF(ECX, 15, "LBR", NATIVE, LBR),
	{ ECX, 31, 16, "HWP, of XCR0, reserved", FIXED },
	WHOLE(EDX, "XSS, high half", FIXED),
};

/* 0 without the component in XFAM. */
static const struct cpuid_field xsave_component[] = {
	WHOLE(EAX, "size", NATIVE),
	WHOLE(EBX, "offset", NATIVE),
	WHOLE(ECX, "of XSS, aligned, XFD", NATIVE),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field trace[] = {
	WHOLE(EAX, "highest subleaf", NATIVE),
	{ EBX, 8, 0, "features", NATIVE },
	{ EBX, 31, 9, "reserved", FIXED },
	{ ECX, 3, 0, "output", NATIVE },
	{ ECX, 30, 4, "reserved", FIXED },
	BIT_OF(ECX, 31, "LIP", NATIVE),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field trace_1[] = {
	{ EAX, 2, 0, "address ranges", NATIVE },
	{ EAX, 15, 3, "reserved", FIXED },
	{ EAX, 31, 16, "MTC periods", NATIVE },
	WHOLE(EBX, "cycle thresholds, PSB frequencies", NATIVE),
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field tsc[] = {
	WHOLE(EAX, "denominator", FIXED, 1),
	WHOLE(EBX, "numerator: TSC_FREQUENCY", CALCULATED),
	WHOLE(ECX, "crystal clock in Hz", FIXED, 25000000),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field tlb[] = {
	WHOLE(EAX, "highest subleaf", NATIVE),
	WHOLE(EBX, "page sizes, partitioning, ways", NATIVE),
	WHOLE(ECX, "sets", NATIVE),
	{ EDX, 13, 0, "type, level, fully associative", NATIVE },
	{ EDX, 25, 14, "threads that share the TLB, minus 1", CONFIGURED },
	{ EDX, 31, 26, "reserved", NATIVE },
};

static const struct cpuid_field hybrid[] = {
	WHOLE(EAX, "core type and native model", NATIVE),
	WHOLE(EBX, "reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field lbr[] = {
	{ EAX, 7, 0, "supported depths", ALLOWED },
	{ EAX, 31, 8, "deep C-state reset, LIP", NATIVE },
	WHOLE(EBX, "filtering and call stack", NATIVE),
	WHOLE(ECX, "mispredict, timed, branch type", NATIVE),
	WHOLE(EDX, "reserved", NATIVE),
};

static const struct cpuid_field topology_1f[] = {
	{ EAX, 4, 0, "shift to the next level", CONFIGURED },
	{ EAX, 31, 5, "reserved", FIXED },
	{ EBX, 15, 0, "processors at this level", CONFIGURED },
	{ EBX, 31, 16, "reserved", FIXED },
	{ ECX, 7, 0, "level number", CONFIGURED },
	{ ECX, 15, 8, "level type", CONFIGURED },
	{ ECX, 31, 16, "reserved", FIXED },
	WHOLE(EDX, "x2APIC id", CALCULATED),
};

static const struct cpuid_field tdx_name[] = {
	WHOLE(EAX, "highest subleaf", FIXED),
	TEXT(EBX, 'I', 'n', 't', 'e'),
	TEXT(EDX, 'l', 'T', 'D', 'X'),
	TEXT(ECX, ' ', ' ', ' ', ' '),
};

static const struct cpuid_field perfmon_ext[] = {
	{ EAX, 3, 0, "subleaves", ALLOWED },
	{ EAX, 31, 4, "reserved", FIXED },
	WHOLE(EBX, "unit masks", NATIVE),
	WHOLE(ECX, "slots per cycle", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field perfmon_counters[] = {
	WHOLE(EAX, "general-purpose counters", NATIVE),
	WHOLE(EBX, "fixed counters", NATIVE),
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field perfmon_events[] = {
	WHOLE(EAX, "architectural events", NATIVE),
	WHOLE(EBX, "reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field highest_extended[] = {
	WHOLE(EAX, "highest extended leaf", FIXED, MAX_EXTENDED_LEAF),
	WHOLE(EBX, "reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field extended_features[] = {
	WHOLE(EAX, "reserved", FIXED),
	WHOLE(EBX, "reserved", FIXED),
	BIT_OF(ECX, 0, "LAHF in 64-bit mode", FIXED, 1),
	{ ECX, 4, 1, "reserved", FIXED },
	BIT_OF(ECX, 5, "LZCNT", FIXED, 1),
	{ ECX, 7, 6, "reserved", FIXED },
	BIT_OF(ECX, 8, "PREFETCHW", FIXED, 1),
	{ ECX, 31, 9, "reserved", FIXED },
	{ EDX, 10, 0, "reserved", FIXED },
	BIT_OF(EDX, 11, "SYSCALL, in 64-bit mode", FIXED, 1),
	{ EDX, 19, 12, "reserved", FIXED },
	BIT_OF(EDX, 20, "execute disable", FIXED, 1),
	{ EDX, 25, 21, "reserved", FIXED },
	BIT_OF(EDX, 26, "1 GiB pages", FIXED, 1),
	BIT_OF(EDX, 27, "RDTSCP", FIXED, 1),
	BIT_OF(EDX, 28, "reserved", FIXED),
	BIT_OF(EDX, 29, "64-bit mode", FIXED, 1),
	{ EDX, 31, 30, "reserved", FIXED },
};

/* In 2.0.08 the parts of the text are in the wrong order. */
static const struct cpuid_field brand_string[] = {
	TEXT(EAX, 'I', 'n', 't', 'e'),
	TEXT(EBX, 'l', ' ', 'T', 'D', .releases = R_1_5_28),
	TEXT(EBX, 'T', 'D', ' ', 'X', IN_2_0_08),
	TEXT(ECX, 'X', ' ', ' ', ' ', .releases = R_1_5_28),
	TEXT(ECX, ' ', ' ', ' ', 'l', IN_2_0_08),
	WHOLE(EDX, "no characters", FIXED),
};

static const struct cpuid_field l2_cache[] = {
	WHOLE(EAX, "reserved", FIXED),
	WHOLE(EBX, "reserved", FIXED),
	{ ECX, 7, 0, "line size", FIXED, 64 },
	{ ECX, 11, 8, "reserved", FIXED },
	{ ECX, 15, 12, "associativity", FIXED, 7 },
	{ ECX, 31, 16, "size", NATIVE },
	WHOLE(EDX, "reserved", FIXED),
};

static const struct cpuid_field invariant_tsc[] = {
	WHOLE(EAX, "reserved", FIXED),
	WHOLE(EBX, "reserved", FIXED),
	WHOLE(ECX, "reserved", FIXED),
	{ EDX, 7, 0, "reserved", FIXED },
	BIT_OF(EDX, 8, "invariant TSC", FIXED, 1),
	{ EDX, 31, 9, "reserved", FIXED },
};

static const struct cpuid_field addresses[] = {
	{ EAX, 7, 0, "physical address bits", CONFIGURED },
	{ EAX, 15, 8, "linear address bits", CALCULATED },
	{ EAX, 23, 16, "guest physical address bits", CALCULATED },
	{ EAX, 31, 24, "reserved", FIXED },
	{ EBX, 8, 0, "reserved", FIXED },
	BIT_OF(EBX, 9, "WBNOINVD", ALLOWED),
	{ EBX, 31, 10, "reserved", FIXED },
	WHOLE(ECX, "reserved", FIXED),
	WHOLE(EDX, "reserved", FIXED),
};

#define ROW(leaf, subleaf, fields, ...) \
	{ leaf, subleaf, fields, ARRAY_LEN(fields), __VA_ARGS__ }
#define LEAF(leaf, fields, ...)	ROW(leaf, NO_SUBLEAF, fields, __VA_ARGS__)
#define NOTHING(leaf, ...)	LEAF(leaf, all_zero, __VA_ARGS__)
#define CACHE(n, fields)	ROW(4, n, fields, .slot = 2 + (n))
#define XSTATE(n)	ROW(0xd, n, xsave_component)
#define TLB(n)		ROW(0x18, n, tlb, .slot = 20 + (n), SINCE_1_5_28)
#define TOPOLOGY(n)	ROW(0x1f, n, topology_1f, .slot = 13 + (n))
#define PERFMON		.attributes = TD_ATTR_PERFMON
#define FAULTS_IN_1_5_06	.faulting = R_1_5_06

/*
 * The order is that of CPUID_CONTROL's elements, which is the same in all releases.
 * The leaves from 9 on, at the end, have no element; they are 0 since 1.5.28.
 */
static const struct cpuid_row rows[] = {
	LEAF(1, features_1, .slot = 1),
	CACHE(0, cache), CACHE(1, cache), CACHE(2, cache), CACHE(3, last_cache),
	ROW(7, 0, features_7_0, .slot = 6),
	ROW(7, 1, features_7_1, .slot = 7),
	LEAF(0xa, perfmon, .slot = 8, PERFMON),
	LEAF(0x1c, lbr, .slot = 9, LBR),
	LEAF(0x80000008, addresses, .slot = 10),
	LEAF(0, vendor),
	NOTHING(3),
	ROW(4, 4, all_zero),
	LEAF(6, power, FAULTS_IN_1_5_06),
	ROW(7, 2, features_7_2, .slot = 11),
	NOTHING(8),
	ROW(0xd, 0, xsave_main),
	ROW(0xd, 1, xsave_1),
	XSTATE(2), XSTATE(3), XSTATE(4), XSTATE(5), XSTATE(6), XSTATE(7),
	XSTATE(8), XSTATE(9), XSTATE(10), XSTATE(11), XSTATE(12), XSTATE(13),
	XSTATE(14), XSTATE(15), XSTATE(16), XSTATE(17), XSTATE(18),
	NOTHING(0xe), NOTHING(0x11), NOTHING(0x12), NOTHING(0x13),
	ROW(0x14, 0, trace, PT),
	ROW(0x14, 1, trace_1, PT),
	LEAF(0x15, tsc),
	NOTHING(0x19, .slot = 19),
	ROW(0x1d, 0, all_native, AMX),
	ROW(0x1d, 1, all_native, AMX),
	LEAF(0x1e, all_native),
	TOPOLOGY(0), TOPOLOGY(1), TOPOLOGY(2), TOPOLOGY(3), TOPOLOGY(4),
	TOPOLOGY(5),
	NOTHING(0x20),
	ROW(0x21, 0, tdx_name),
	LEAF(0x80000000, highest_extended),
	LEAF(0x80000001, extended_features),
	LEAF(0x80000006, l2_cache, FAULTS_IN_1_5_06),
	LEAF(0x80000007, invariant_tsc),
	NOTHING(0x22),
	ROW(0x23, 0, perfmon_ext, .slot = 12, PERFMON),
	ROW(0x23, 1, perfmon_counters, PERFMON),
	ROW(0x23, 2, all_zero, PERFMON),
	ROW(0x23, 3, perfmon_events, PERFMON),
	LEAF(5, monitor),
	ROW(0xb, 0, topology_b), ROW(0xb, 1, topology_b), ROW(0xb, 2, topology_b),
	LEAF(0x1a, hybrid),
	TLB(0), TLB(1), TLB(2), TLB(3),
	LEAF(2, cache_descriptors),
	TLB(4), TLB(5), TLB(6), TLB(7), TLB(8),
	LEAF(0x80000002, brand_string, SINCE_1_5_28),
	NOTHING(9, SINCE_1_5_28), NOTHING(0xc, SINCE_1_5_28),
	NOTHING(0xf, SINCE_1_5_28), NOTHING(0x10, SINCE_1_5_28),
	NOTHING(0x16, SINCE_1_5_28), NOTHING(0x17, SINCE_1_5_28),
	NOTHING(0x1b, SINCE_1_5_28),
	NOTHING(0x80000003, SINCE_1_5_28), NOTHING(0x80000004, SINCE_1_5_28),
	NOTHING(0x80000005, SINCE_1_5_28),
};

_Static_assert(ARRAY_LEN(rows) <= CPUID_MAX_ROWS, "CPUID_MAX_ROWS");

const struct cpuid_table cpuid_1_5_06 = {
	.release = R_1_5_06, .rows = rows, .num_rows = ARRAY_LEN(rows),
	.num_slots = 18,
};

/* 1.5.28 added the slots of leaves 0x18 and 0x19. */
const struct cpuid_table cpuid_1_5_28 = {
	.release = R_1_5_28, .rows = rows, .num_rows = ARRAY_LEN(rows),
	.num_slots = 28, .numbers_last_levels = true,
	.perfmon_subleaves_are_gated = true,
};

const struct cpuid_table cpuid_2_0_08 = {
	.release = R_2_0_08, .rows = rows, .num_rows = ARRAY_LEN(rows),
	.num_slots = 28, .numbers_last_levels = true,
	.perfmon_subleaves_are_gated = true,
};

/* Whether something with @releases is there in the release of @t. */
static bool in_release(const struct cpuid_table *t, uint8_t releases)
{
	return !releases || releases & t->release;
}

int cpuid_find_row(const struct cpuid_table *t, uint32_t leaf, uint32_t subleaf)
{
	const struct cpuid_row *r;
	unsigned int i;

	for (i = 0; i < t->num_rows; i++) {
		r = &t->rows[i];
		if (r->leaf == leaf && in_release(t, r->releases) &&
		    (r->subleaf == subleaf || r->subleaf == NO_SUBLEAF))
			return i;
	}
	return -1;
}

const struct cpuid_row *cpuid_find_slot(const struct cpuid_table *t,
					unsigned int slot)
{
	const struct cpuid_row *r = t->rows;

	while (r->slot != slot + 1 || !in_release(t, r->releases))
		r++;
	return r;
}

bool cpuid_has_row(const struct cpuid_table *t, const struct cpuid_row *row)
{
	return in_release(t, row->releases);
}

bool cpuid_faults(const struct cpuid_table *t, const struct cpuid_row *row)
{
	return row->faulting & t->release;
}

bool cpuid_has_field(const struct cpuid_table *t, const struct cpuid_field *f)
{
	return in_release(t, f->releases);
}

uint32_t cpuid_field_mask(const struct cpuid_field *f)
{
	return (~0u >> (31 - f->msb + f->lsb)) << f->lsb;
}
