/* SPDX-License-Identifier: GPL-2.0 */
/* What the module's own files share. */
#ifndef TDX_INTERNAL_H
#define TDX_INTERNAL_H

#include <glib.h>
#include <pthread.h>

#include "abi.h"
#include "tdx_module.h"

#define PAGE_SIZE	4096ull
#define BIT(n)		(1ull << (n))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;

static inline u64 status(enum tdx_status_code code, u32 detail)
{
	return (u64)code << 32 | detail;
}

static inline bool failed(u64 status)
{
	return status >> 63;
}

struct try_lock {
	unsigned int shared;
	bool exclusive;
};

/* In the order in which a call takes them. */
enum lock_id {
	LOCK_KOT, LOCK_TDVPR, LOCK_TDR, LOCK_OP_STATE, LOCK_SEPT_TREE,
	LOCK_EPOCH, LOCK_RTMR, NUM_LOCKS
};

/* Page metadata, one for each 4 KiB page of each TDMR. */
struct page {
	enum tdx_page_type type;
	struct td *owner;	/* NULL when not owned */
	void *object;		/* the sept_table of a PT_EPT page, and so on */
	u64 bepoch;		/* TD epoch at which the mapping was blocked */
	bool busy;		/* a call is at work on it */
	bool poisoned;		/* the host wrote to it */
};

struct tdmr {
	u64 base, size;
	u64 next;		/* first address not yet initialised */
	struct page *pages;	/* NULL until initialised to the end */
	unsigned int num_reserved;
	struct tdx_range reserved[MAX_RESERVED_PER_TDMR];
	struct tdx_range pamt[3];
};

struct sept_entry {
	enum tdx_sept_state state;
	u16 accepted;		/* 4 KiB pages done, of an ACCEPT of more */
	bool busy;		/* a call is at work on it */
	u64 pa;
	struct sept_table *table;	/* of a non-leaf entry */
};

struct sept_table {
	struct sept_entry entry[512];
};

struct td {
	struct td *next;		/* of the module's */
	struct tdx_module *m;
	u64 tdr_pa;
	u16 hkid;
	enum tdx_lifecycle lifecycle;
	enum tdx_op_state op_state;
	unsigned int num_tdcx;
	unsigned int num_pages;		/* owned, the TDR not counted */

	u64 attributes, xfam, eptp_controls, config_flags, td_ctls;
	u64 notify_enables, paravirt_ctrl, arch_capabilities;
	u16 max_vcpus, tsc_frequency;
	u64 tsc_offset, tsc_multiplier;	/* multiplier: 48 fraction bits */
	bool gpaw_52, topology_configured, ve_reduction_valid;
	u64 uuid[4];
	u16 num_l2_vms, num_servtds;	/* always 0, as the two that follow */
	u64 pre_import_uuid[4], servtd_hash[6];
	u8 mrconfigid[48], mrowner[48], mrownerconfig[48];
	u32 (*cpuid)[4];		/* by row of the CPUID table */

	GChecksum *measurement;		/* running, until finalised */
	u8 mrtd[48], rtmr[4][48];

	struct try_lock tdr_lock, op_state_lock, sept_lock, epoch_lock, rtmr_lock;
	bool fatal;			/* every call is refused from now on */
	struct sept_table root;
	u64 epoch;
	unsigned int running[2];	/* vCPUs inside, by parity of epoch */

	unsigned int num_vcpus, num_associated;
	struct tdx_vcpu *vcpus;		/* all that were created */
};

#define MAX_FAULTS	32

enum vcpu_state { VCPU_UNINITIALIZED, VCPU_READY, VCPU_ACTIVE, VCPU_DISABLED };

/* Fields of the TD VMCS that the host writes, those of up to 32 bits. */
enum {
	VMCS_PI_VECTOR, VMCS_PIN_CONTROLS, VMCS_PROC2_CONTROLS,
	VMCS_NOTIFY_WINDOW, VMCS_FIELDS,
};

/* Bits of VMCS_PROC2_CONTROLS. */
#define PROC2_BUS_LOCK	BIT(30)
#define PROC2_NOTIFY	BIT(31)

struct tdx_vcpu {
	struct tdx_vcpu *next;
	struct td *td;
	u64 tdvpr_pa;
	enum vcpu_state state;
	unsigned int num_tdcx;
	u32 index, x2apic_id;
	int lp;				/* associated with, or -1 */
	struct try_lock tdvpr_lock;
	u64 initial_rcx;
	u64 epoch;			/* of the last entry */
	u64 fault_rip, fault_qualification;
	unsigned int num_faults;	/* private ones in a row, at that RIP */
	u64 faults[MAX_FAULTS];		/* the pages, as long as there is room */
	u64 tlb_tag;			/* see tdx_vcpu_tlb_tag() */
	bool in_vmcall;			/* the last exit was TDG.VP.VMCALL */
	u32 vmcall_mask;
	u32 vmcs[VMCS_FIELDS];
	u64 shared_eptp, pi_desc;
	u8 pend_nmi;
	bool cpuid_supervisor_ve, cpuid_user_ve;
	u8 *cpuid_control;		/* by row of the CPUID table */
	u64 smi_count, debugctl;
	bool ve_valid;
	struct tdx_ve_info ve;
	void *state_of_cpu;
};

enum hkid_state { HKID_FREE, HKID_ASSIGNED, HKID_FLUSHED, HKID_WRITTEN_BACK };

enum sys_state {
	SYS_INIT_PENDING, SYS_LP_INIT, SYS_CONFIGURED, SYS_READY, SYS_DISABLED,
};

struct tdx_module {
	struct tdx_ops ops;
	void *opaque;
	struct tdx_platform platform;
	const struct tdx_profile *profile;

	/* Guards all below.  Never held while a TD runs. */
	pthread_mutex_t lock;
	enum sys_state sys_state;
	bool *lp_ready;
	unsigned int num_lps_ready;
	u16 global_keyid;
	unsigned int num_tdmrs;
	struct tdmr tdmrs[MAX_TDMRS];
	u64 last_tlb_tag;
	struct td *tds;
	enum hkid_state *hkids;		/* by KeyID - first TDX KeyID */
	u8 report_key[32];
	u32 (*native_cpuid)[4];		/* by row of the CPUID table */
	struct try_lock kot;
	struct plan *plan;		/* what is to fail, or NULL */
	bool wb_interrupted;		/* TDH.PHYMEM.CACHE.WB is to be resumed */
};

/* What one SEAMCALL or TDCALL works on. */
struct call {
	struct tdx_module *m;
	unsigned int lp;
	struct tdx_vcpu *vcpu;		/* caller of a TDCALL; vCPU to enter */
	u64 *gpr;
	unsigned int version;
	struct tdx_exit *exit;		/* TDCALL */
	enum tdx_outcome outcome;
	const struct leaf *leaf;
	struct td *td;			/* whose locks are held, */
	struct tdx_vcpu *locked_vcpu;	/* and this vCPU's */
	unsigned int held;		/* by enum lock_id */
	bool interrupted;		/* is to stop half-way */
	bool injected;
};

/* One leaf: dispatch, versions and trace read the same row. */
struct leaf {
	u16 nr;
	const char *name;
	u64 (*handler)(struct call *c);		/* returns RAX */
	u8 max_version;
	bool any_state;		/* allowed before the module is ready */
	const char *in, *out;	/* "rcx:page rdx:tdr", for the trace */
	/* Locks, by enum lock_id; exclusive_v1: with version 1. */
	u16 shared, exclusive, exclusive_v1;
	const char *may;	/* statuses that injection may choose */
};

extern const struct leaf seamcall_leaves[], tdcall_leaves[];
extern const unsigned int num_seamcall_leaves, num_tdcall_leaves;

void trace_call(struct call *c, const char *who, const struct leaf *leaf,
		u64 leaf_nr, const u64 in[TDX_NR_GPRS], u64 ns);
void trace_exit(struct tdx_vcpu *v, const struct tdx_exit *exit);
void trace_ve(struct tdx_vcpu *v);
void trace_host_access(struct tdx_module *m, u64 pa, enum tdx_page_type type,
		       bool write);

/* system.c */
void random_bytes(void *buf, size_t len);

/* pamt.c */
struct page *pamt_lookup(struct tdx_module *m, u64 pa);
u64 pamt_get(struct tdx_module *m, u64 pa, enum tdx_operand op,
	     enum tdx_page_type type, struct page **page);
void pamt_assign(struct page *p, enum tdx_page_type type, struct td *owner,
		 void *object);
void pamt_release(struct page *p);
u64 sys_config(struct call *c);
u64 sys_tdmr_init(struct call *c);
u64 phymem_page_rdmd(struct call *c);
u64 phymem_page_reclaim(struct call *c);
u64 phymem_page_wbinvd(struct call *c);

/* td.c */
u64 td_get(struct call *c, u64 tdr, enum tdx_operand op,
	   unsigned int op_states, struct td **td);
#define ANY_OP_STATE	(~0u)
u64 td_check(struct td *td, enum tdx_operand op, unsigned int op_states);
void td_free(struct td *td);
bool xfam_consistent(u64 xfam);
u64 mng_create(struct call *c);
u64 mng_key_config(struct call *c);
u64 mng_addcx(struct call *c);
u64 mng_init(struct call *c);
u64 mng_rd(struct call *c);
u64 mng_vpflushdone(struct call *c);
u64 mng_key_freeid(struct call *c);
u64 phymem_cache_wb(struct call *c);
u64 mr_extend(struct call *c);
u64 mr_finalize(struct call *c);

/* vp.c */
void vcpu_free(struct tdx_vcpu *v);
u64 vp_create(struct call *c);
u64 vp_addcx(struct call *c);
u64 vp_init(struct call *c);
u64 vp_enter(struct call *c);
u64 vp_flush(struct call *c);
u64 vp_get(struct call *c, unsigned int op_states, struct tdx_vcpu **v);
u64 vp_associate(struct call *c, struct tdx_vcpu *v);

/* vp_fields.c */
u64 vp_rd(struct call *c);
u64 vp_wr(struct call *c);
u64 tdg_vp_rd(struct call *c);
u64 tdg_vp_wr(struct call *c);

/* guest.c */
u64 guest_operand(struct call *c, u64 gpa, u64 align, bool private_only,
		  enum tdx_operand op);
bool guest_read(struct call *c, u64 gpa, void *buf, size_t len);
bool guest_write(struct call *c, u64 gpa, const void *buf, size_t len);

/* report.c */
u64 tdg_mr_rtmr_extend(struct call *c);
u64 tdg_mr_report(struct call *c);
u64 tdg_mr_verifyreport(struct call *c);

/* sept.c */
enum { GPA_PRIVATE_ONLY, GPA_ANY };
u64 gpa_width(const struct td *td);
u64 shared_bit(const struct td *td);
struct sept_entry *sept_find(struct td *td, u64 gpa, unsigned int level,
			     unsigned int *found);
void sept_free(struct td *td);
#define NO_GPA	(~0ull)
u64 sept_any_mapped(struct td *td);
bool sept_has_page(struct td *td, u64 gpa);
/* tdx_translate() with the lock held. */
enum tdx_outcome translate(struct tdx_vcpu *v, u64 gpa, enum tdx_access access,
			   u64 *hpa, unsigned int *rights,
			   struct tdx_exit *exit);
u64 mem_sept_add(struct call *c);
u64 mem_page_add(struct call *c);
u64 mem_page_aug(struct call *c);
u64 mem_page_remove(struct call *c);
u64 mem_range_block(struct call *c);
u64 mem_track(struct call *c);
u64 tdg_mem_page_accept(struct call *c);
u64 tdg_mem_page_attr_rd(struct call *c);
u64 tdg_mem_page_attr_wr(struct call *c);

/* profiles.c */
u64 profile_config_flags(const struct tdx_profile *p);

static inline bool has_feature(const struct tdx_module *m, u64 feature)
{
	return m->profile->features0 & feature;
}

/* locks.c */
u64 lock_system(struct call *c);
u64 lock_td(struct call *c, struct td *td, enum tdx_operand op);
u64 lock_vcpu(struct call *c, struct tdx_vcpu *v, enum tdx_operand op);
void unlock_call(struct call *c, bool entered);
void unlock_exited(struct tdx_vcpu *v);
enum tdx_operand lock_operand(enum lock_id id);
/* Between these two the try-locks alone keep others out. */
void unlock_for_work(struct call *c);
void lock_after_work(struct call *c);

/* inject.c */
enum injection {
	INJECT_NOTHING, INJECT_STATUS, INJECT_INTERRUPTED,
	INJECT_TRIPLE_FAULT, INJECT_NON_RECOVERABLE, INJECT_EPT_VIOLATION,
	INJECT_BUS_LOCK, INJECT_NOTIFY,
};

enum injection inject(struct call *c, u64 *status);
void inject_free(struct tdx_module *m);

/* trace.c */
const char *operand_name(enum tdx_operand op);
bool status_by_name(const char *name, u32 *code);

/* instruction.c */
enum tdx_outcome raise_ve(struct tdx_vcpu *v, const struct tdx_ve_info *ve);

/*
 * What a guest may want to handle by #VE, in the order of the bits of
 * FEATURE_PARAVIRT_CTRL.
 */
enum feature {
	F_CORE_CAP, F_DCA, F_EST, F_MCA, F_MTRR, F_PCONFIG, F_RDT_A, F_RDT_M,
	F_ACPI, F_TM2, F_TME, F_TSC_DEADLINE, F_LAST = F_TSC_DEADLINE,
};

/* cpuid.c */
bool td_feature(const struct td *td, enum feature f);
bool cpuid_bit(const struct td *td, u32 leaf, u32 subleaf, unsigned int reg,
	       unsigned int bit);
void cpuid_init(struct tdx_module *m);
const u32 *cpuid_native(const struct tdx_module *m, u32 leaf, u32 subleaf);
unsigned int cpuid_num_rows(void);
unsigned int cpuid_num_configs(const struct tdx_module *m);
u64 cpuid_config_leaf(const struct tdx_module *m, unsigned int i);
void cpuid_config_value(const struct tdx_module *m, unsigned int i,
			u32 value[4]);
u64 cpuid_build(struct td *td, const struct td_params *p, u64 *bad);
const u32 *cpuid_lookup(const struct td *td, u32 leaf, u32 subleaf,
			bool no_subleaf);

static inline bool has_all(u64 value, u64 bits)
{
	return (value & bits) == bits;
}

/* Whether XFAM has all of @xfam and ATTRIBUTES all of @attributes. */
static inline bool td_allows(const struct td *td, u64 xfam, u64 attributes)
{
	return has_all(td->xfam, xfam) && has_all(td->attributes, attributes);
}

/* The guest has asked for CPUID's topology leaves, or for REDUCE_VE. */
static inline bool topology_on(const struct td *td)
{
	return td->td_ctls & (TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_REDUCE_VE);
}

/* metadata.c */
#define ID_CLASS(id)	((id) >> 56 & 0x3f)
#define ID_CODE(id)	((u32)((id) & 0xffffff))
/* Reserved bits, and the list shape that a single access must not have. */
#define ID_MUST_BE_ZERO	(0xff000000ull | 0x3full << 34 | 0x1ffull << 38 | \
			 7ull << 47 | BIT(55) | BIT(62))

/* The all-ones id: "no more fields", or "give me the first". */
#define NO_FIELD	(~0ull)
#define FIRST_FIELD	NO_FIELD

enum access { NONE, HOST = 1, GUEST = 2, BOTH = HOST | GUEST };

static inline bool may(enum access access, bool guest)
{
	return access & (guest ? GUEST : HOST);
}

u64 sys_read(struct tdx_module *m, u64 id, bool guest, u64 *value);
u64 sys_next(struct tdx_module *m, u64 id, bool guest);
u64 td_read(struct td *td, u64 id, bool guest, u64 *value);
u64 td_next(struct td *td, u64 id, bool guest);
u64 td_write(struct td *td, u64 id, u64 value, u64 mask, u64 *old);
u64 sys_rd(struct call *c);
u64 tdg_sys_rd(struct call *c);
u64 tdg_sys_rdall(struct call *c);
u64 tdg_vm_rd(struct call *c);
u64 tdg_vm_wr(struct call *c);

#endif /* TDX_INTERNAL_H */
