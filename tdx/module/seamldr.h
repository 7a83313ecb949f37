/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The P-SEAMLDR, which loads the TDX module and replaces it by another release:
 * its ABI, and images of the emulated module.
 *
 * The signature of an image is a stand-in: the hash that Intel would sign.  So the
 * modulus is not a key but SEAM_MODULUS in each byte.
 */
#ifndef TDX_SEAMLDR_H
#define TDX_SEAMLDR_H

#include <stdint.h>

/* RAX of a SEAMCALL to the P-SEAMLDR has this bit. */
#define SEAMLDR_CALL	(1ull << 63)

#define SEAMLDR_STATUS_CODES(X)	\
	X(0x8000000000000000, EBADPARAM)	\
	X(0x8000000000000003, EBADCALL)	\
	X(0x8000000000000004, EBADHANDOFF)	\
	X(0x8000000000000005, ECLEANUPREQ)	\
	X(0x8000000000000006, EUNSUPPORTED)	\
	X(0x8000000000010004, EUNSUPCPU)	\
	X(0x8000000000020000, EBADSIG)	\
	X(0x8000000000020001, EBADHASH)

#define X(code, name) SEAMLDR_##name = code,
enum seamldr_status_code { SEAMLDR_STATUS_CODES(X) };
#undef X

#define SEAMLDR_MAX_PAGES	496

enum seamldr_scenario { SEAMLDR_LOAD, SEAMLDR_UPDATE };

/* Operand of SEAMLDR.INSTALL. */
struct seamldr_params {
	uint32_t version;
	uint32_t scenario;
	uint64_t sigstruct;		/* physical address */
	uint8_t zero[104];
	uint64_t num_pages;
	uint64_t page[SEAMLDR_MAX_PAGES];	/* physical addresses */
};

_Static_assert(sizeof(struct seamldr_params) == 4096, "seamldr_params");

/* Result of SEAMLDR.INFO. */
struct seamldr_info {
	uint32_t version, attributes, vendor, build_date;
	uint16_t build, minor, major, update;
	uint32_t acm_x2apic_id, updates_left;
	struct {
		uint64_t valid;
		uint8_t tcb_svn[16], mrseam[48], mrsigner[48];
		uint64_t attributes;
	} module;
	uint8_t module_ready, debug, seamldr_ready, zero[93];
};

_Static_assert(sizeof(struct seamldr_info) == 256, "seamldr_info");

#define SEAM_HEADER_TYPE	6
#define SEAM_HEADER_VERSION	0x10000
#define SEAM_EXPONENT		0x10001
#define SEAM_MODULUS		0x5a
#define SEAM_HASH_SIZE		48	/* SHA-384 */

/* What describes a module and signs it.  Sizes in it are in 4 bytes. */
struct seam_sigstruct {
	/* The header. */
	uint32_t header_type, header_size, header_version;
	uint32_t module_type, vendor, date, size;
	uint32_t key_size, modulus_size, exponent_size;
	uint8_t zero0[88];
	/* The signature of all but itself. */
	uint8_t modulus[384];
	uint32_t exponent;
	uint8_t signature[384];
	/* The body. */
	uint8_t hash[SEAM_HASH_SIZE];	/* of the module's pages */
	uint8_t minor_svn, major_svn;
	uint64_t attributes;
	uint8_t layout[20];	/* sizes that the emulation does not need */
	uint8_t zero1[6];
	uint16_t handoff, min_handoff;	/* versions of the data handed over */
	uint8_t no_downgrade, zero2, handoff_pages[2];
	uint8_t offsets[8], zero3[24];
	uint32_t num_cpus, cpus[255];	/* EAX of CPUID leaf 1 */
} __attribute__((packed));

_Static_assert(sizeof(struct seam_sigstruct) == 2048, "seam_sigstruct");

#define MODULE_IMAGE_MAGIC	"TDX MODULE IMAGE"

/* An image of the emulated module begins with this. */
struct module_image {
	char magic[16];
	uint16_t major, minor, update;
};

#endif /* TDX_SEAMLDR_H */
