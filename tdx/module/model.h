/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model: the state of the module, of its TDs and of their vCPUs.  Everything
 * else in this directory works on these structures; see test/layers.py for what
 * may use what.
 */
#ifndef TDX_MODEL_H
#define TDX_MODEL_H

#include <glib.h>
#include <pthread.h>

#include "abi.h"
#include "tdx_module.h"

#define PAGE_SIZE	4096ull
#define TDMR_UNIT	(1ull << 30)	/* of a TDMR's size, and of its use */
#define BIT(n)		(1ull << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

/* RAX of a call: a status code and its detail, such as an enum tdx_operand. */
static inline u64 status(enum tdx_status_code code, u32 detail)
{
	return (u64)code << 32 | detail;
}

/* Whether @status is an error, and not a success or a warning. */
static inline bool failed(u64 status)
{
	return status >> 63;
}

/* Whether @value has all of @bits. */
static inline bool has_all(u64 value, u64 bits)
{
	return (value & bits) == bits;
}

/* A lock that is never waited for; see locks.c. */
struct try_lock {
	unsigned int shared;
	bool exclusive;
};

/* Page metadata, one for each 4 KiB page of each TDMR. */
struct page {
	enum tdx_page_type type;
	struct td *owner;	/* NULL when not owned */
	void *object;		/* PT_EPT: sept_table; PT_TDVPR: tdx_vcpu */
	u64 bepoch;		/* TD epoch at which the mapping was blocked */
	bool busy;		/* in use by a call that dropped the mutex */
	bool poisoned;		/* the host wrote to it */
	bool holds_pamt;	/* by TDH.PHYMEM.PAMT.ADD */
	/* Of a free page, from when it belonged to a TD: see pamt_give_back(). */
	u16 dirty_hkid;		/* KeyID of lines that may be in the cache, or 0 */
	u32 dirty_since;	/* tdx_module.num_write_backs */
	u64 unreset;		/* 64-byte lines not written with MOVDIR64B yet */
};

#define PAMT_REGION	(2ull << 20)
#define PAMT_PAIR	2

/* With Dynamic PAMT, the pages that hold the metadata of 2 MiB; 0 without. */
struct pamt_pair {
	u64 page[PAMT_PAIR];
	bool there;
};

struct tdmr {
	u64 base, size;
	u64 next;		/* first address not yet initialised */
	struct page *pages;	/* NULL before the first TDH.SYS.TDMR.INIT */
	struct pamt_pair *pairs;	/* the same, by PAMT_REGION */
	unsigned int num_reserved;
	struct tdx_range reserved[MAX_RESERVED_PER_TDMR];
	struct tdx_range pamt[3];	/* for pages of 1 GiB, 2 MiB, 4 KiB */
};

struct sept_entry {
	enum tdx_sept_state state;
	u16 accepted;		/* 4 KiB pages done by an interrupted ACCEPT */
	bool busy;		/* in use by an ACCEPT that dropped the mutex */
	bool locked;		/* by a SEAMCALL */
	bool host_priority;	/* the host found it busy, see host_priority.c */
	u64 pa;
	struct sept_table *table;	/* of a non-leaf entry */
};

#define SEPT_ENTRIES	512

struct sept_table {
	struct sept_entry entry[SEPT_ENTRIES];
};

struct td {
	struct td *next;		/* in tdx_module.tds */
	struct tdx_module *m;
	u64 tdr_pa;
	u16 hkid;
	enum tdx_lifecycle lifecycle;
	enum tdx_op_state op_state;
	unsigned int num_tdcx;
	unsigned int num_pages;		/* owned, not counting the TDR */

	u64 attributes, xfam, eptp_controls, config_flags, td_ctls;
	u64 notify_enables, paravirt_ctrl, arch_capabilities;
	u16 max_vcpus, tsc_frequency;	/* frequency in units of 25 MHz */
	u64 tsc_offset, tsc_multiplier;	/* multiplier: 48 fraction bits */
	bool gpaw_52, topology_configured, ve_reduction_valid;
	u8 physical_bits;		/* of an address, as the TD's CPUID says */
	u64 uuid[4];
	/* Always 0: no TD partitioning, service TDs or migration. */
	u16 num_l2_vms, num_servtds;
	u64 pre_import_uuid[4], servtd_hash[6];
	u8 mrconfigid[48], mrowner[48], mrownerconfig[48];
	u32 (*cpuid)[4];		/* by row of the CPUID table */

	GChecksum *measurement;		/* NULL before INIT and after FINALIZE */
	u8 mrtd[48], rtmr[4][48];

	struct try_lock tdr_lock, op_state_lock, sept_lock, epoch_lock, rtmr_lock;
	bool fatal;			/* calls get TD_FATAL from now on */
	struct sept_table root;
	u64 epoch;
	unsigned int running[2];	/* vCPUs inside, by parity of epoch */

	unsigned int num_vcpus;		/* initialised ones */
	unsigned int num_associated;	/* with a logical processor */
	struct tdx_vcpu *vcpus;		/* all that were created */
};

#define MAX_FAULTS	32

/* See zero_step.c. */
struct zero_step {
	u64 rip, entry_rip;		/* at the last TD exit, and at the last entry */
	unsigned int num_counted, num_faults;
	u64 faults[MAX_FAULTS];		/* their pages; later ones are not kept */
	bool after_fault;		/* the last exit was one; @last has it */
	bool notify;			/* the guest gets @last as #VE */
	struct tdx_ve_info last;
};

enum vcpu_state { VCPU_UNINITIALIZED, VCPU_READY, VCPU_ACTIVE, VCPU_DISABLED };

/* TD VMCS fields of at most 32 bits that the host writes. */
enum vmcs_field {
	VMCS_PI_VECTOR, VMCS_PIN_CONTROLS, VMCS_PROC2_CONTROLS,
	VMCS_NOTIFY_WINDOW, NUM_VMCS_FIELDS,
};

/* Bits of VMCS_PIN_CONTROLS and VMCS_PROC2_CONTROLS. */
#define PIN_POSTED_INTERRUPTS	BIT(7)
#define PROC2_BUS_LOCK		BIT(30)
#define PROC2_NOTIFY		BIT(31)

struct tdx_vcpu {
	struct tdx_vcpu *next;		/* in td.vcpus */
	struct td *td;
	u64 tdvpr_pa;
	enum vcpu_state state;
	unsigned int num_tdcx;
	u32 index, x2apic_id;
	int lp;				/* associated processor, or -1 */
	struct try_lock tdvpr_lock;
	u64 initial_rcx;
	u64 exit_tsc;			/* the host's, at the last TD exit */
	u64 epoch;			/* TD epoch of the last entry */
	struct zero_step zero_step;
	bool host_priority;		/* the last TDCALL had to let the host go first */
	u64 host_priority_since;	/* the host's TSC at the first in a row */
	bool recoverability_hint;	/* from TDH.VP.ENTER, after an exit like a trap */
	bool after_trap;		/* the last exit was one, and no TDVMCALL */
	u64 tlb_tag;			/* see tdx_vcpu_tlb_tag() */
	bool in_vmcall;			/* the last exit was TDG.VP.VMCALL */
	u32 vmcall_mask;
	u32 vmcs[NUM_VMCS_FIELDS];
	u64 shared_eptp, pi_desc;
	u8 pend_nmi;
	bool cpuid_supervisor_ve, cpuid_user_ve;
	u8 *cpuid_control;		/* by row of the CPUID table */
	u64 smi_count, debugctl, misc_enable;
	bool ve_valid;			/* @ve was not read yet */
	struct tdx_ve_info ve;
	enum ve_category ve_category;
	enum ve_category next_category;	/* of the #VE that was decided last */
	void *state_of_cpu;		/* the embedder's, tdx_vcpu_state() */
};

enum hkid_state { HKID_FREE, HKID_ASSIGNED, HKID_FLUSHED, HKID_WRITTEN_BACK };

enum sys_state {
	SYS_INIT_PENDING, SYS_LP_INIT, SYS_CONFIGURED, SYS_READY,
	SYS_SHUT_DOWN,		/* until another module takes its place */
	SYS_DISABLING,		/* TDH.SYS.DISABLE has begun */
};

enum seamldr_flow { FLOW_NONE, FLOW_INSTALL, FLOW_SHUTDOWN };

#define NUM_COMPARED_MSRS	15

/* The P-SEAMLDR, and what it knows of the module. */
struct seamldr {
	bool busy;			/* an LP is in it; atomic */
	bool present;
	enum seamldr_flow flow;		/* the session that has begun */
	bool *called;			/* in it, by logical processor */
	unsigned int num_called;
	bool was_loaded;		/* tdx_module.loaded before it */
	bool dirty;			/* a module was replaced */
	unsigned int updates_left;
	u8 major_svn, minor_svn, mrseam[48];
};

struct tdx_module {
	struct tdx_ops ops;
	void *opaque;
	struct tdx_platform platform;
	const struct tdx_profile *profile;
	struct tdx_profile replaced;	/* @profile, after SEAMLDR.INSTALL */

	/* Guards everything below.  Never held while a TD runs. */
	pthread_mutex_t lock;
	struct seamldr seamldr;
	bool loaded;			/* SEAMCALL reaches the module */
	enum sys_state sys_state;
	bool dynamic_pamt;		/* TDH.SYS.CONFIG has asked for it */
	bool handoff_valid;		/* by TDH.SYS.SHUTDOWN, for another module */
	u16 handoff_version;
	u64 tsc_adjust;			/* of all CPUs */
	u64 compared_msrs[NUM_COMPARED_MSRS];	/* the same, see platform.c */
	bool *lp_ready;			/* by logical processor */
	unsigned int num_lps_ready;
	u16 global_keyid;
	unsigned int num_tdmrs;
	struct tdmr tdmrs[MAX_TDMRS];
	GSList *old_pages;		/* metadata of earlier TDMRs, to be freed */
	u64 last_tlb_tag;
	struct td *tds;
	enum hkid_state *hkids;		/* by KeyID - first TDX KeyID */
	u8 report_key[32];
	struct sys_field *sys_fields;	/* see sys_fields.c */
	unsigned int num_sys_fields;
	u32 (*native_cpuid)[4];		/* by row of the CPUID table */
	u32 family_model_stepping;	/* the platform's, as in EAX of leaf 1 */
	bool *written_back;		/* TDH.PHYMEM.CACHE.WB's session: by @hkids */
	/*
	 * Of the KeyID ownership table: @hkids; of the package's cache to write
	 * back; of the CPU's table of keys.
	 */
	struct try_lock kot, wbt, ket;
	u32 num_write_backs;		/* of the whole cache */
	unsigned int num_refused;	/* calls that found a lock busy */
	/* SEAMCALLs that came (atomic), and those that were handled. */
	unsigned int num_arrived, num_handled;
	pthread_cond_t turn;		/* @num_handled or @num_refused changed */
	struct call *kept;		/* whose locks tdx_call_end() drops, by LP */
	struct plan *plan;		/* calls to fail, or NULL; see inject.c */
	bool wb_interrupted;		/* TDH.PHYMEM.CACHE.WB can be resumed */
};

/* Whether the profile has @feature, a bit of TDX_FEATURES0. */
static inline bool has_feature(const struct tdx_module *m, u64 feature)
{
	return m->profile->features0 & feature;
}

/* The bits of a physical address that hold a KeyID, or lie above it. */
static inline u64 keyid_mask(const struct tdx_module *m)
{
	return ~0ull << m->platform.keyid_shift;
}

#define PHYSICAL_ADDRESS_BITS	52

/* Whether @pa is an address of the host's: its KeyID, if any, is one of MKTME. */
static inline bool is_shared_address(const struct tdx_module *m, u64 pa)
{
	return !(pa >> PHYSICAL_ADDRESS_BITS) &&
	       pa >> m->platform.keyid_shift <= m->platform.num_mktme_keyids;
}

/* Reads the host's memory.  The host's KeyIDs have no keys, so all see the same. */
static inline bool read_shared(const struct tdx_module *m, u64 pa, void *buf,
			       size_t len)
{
	return m->ops.read(m->opaque, pa & ~keyid_mask(m), buf, len);
}

/* Whether @hkid is one of the KeyIDs that are reserved for TDX. */
static inline bool is_tdx_keyid(const struct tdx_module *m, u64 hkid)
{
	u64 first = m->platform.num_mktme_keyids + 1;

	return hkid >= first && hkid - first < m->platform.num_tdx_keyids;
}

/* The state of @hkid, which must be a TDX KeyID. */
static inline enum hkid_state *keyid_state(struct tdx_module *m, u64 hkid)
{
	return &m->hkids[hkid - m->platform.num_mktme_keyids - 1];
}

/* Whether @len bytes are 0. */
static inline bool all_zero(const void *buf, size_t len)
{
	const u8 *b = buf;

	while (len--)
		if (*b++)
			return false;
	return true;
}

/* For ids and keys that protect nothing: any generator will do. */
static inline void random_bytes(void *buf, size_t len)
{
	u8 *b = buf;

	while (len--)
		*b++ = g_random_int();
}

#endif /* TDX_MODEL_H */
