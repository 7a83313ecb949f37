// SPDX-License-Identifier: GPL-2.0
/*
 * SEAMCALL: preconditions and operand checks of each leaf.  A row has the step of
 * the machine, a call and the status that it must return.  A call that fails must
 * not change the type of any page.
 */
#include <string.h>

#include "tests.h"

struct row {
	const char *name;
	enum step at;
	uint64_t rax;
	struct operands in;
	uint64_t want;
};

#define KEY_BITS	(1ull << KEYID_SHIFT)
#define TDX_KEY		(GLOBAL_HKID * KEY_BITS)	/* the first one */
#define NO_RAM		(3ull * GIB)

#define OP_STATE	STATUS(TDX_OP_STATE_INCORRECT, 0)

static const struct row rows[] = {
	/* The dispatcher. */
	{ "unknown leaf", READY, 200, {}, ERR(OPERAND_INVALID, RAX) },
	{ "leaf that Linux does not use", READY, 5, {},
	  ERR(OPERAND_INVALID, RAX) },
	{ "reserved bits of RAX", READY, PHYMEM_PAGE_RDMD | 1ull << 24,
	  { .rcx = FREE }, ERR(OPERAND_INVALID, RAX) },
	{ "reserved bit 62 of RAX", READY, PHYMEM_PAGE_RDMD | 1ull << 62,
	  { .rcx = FREE }, ERR(OPERAND_INVALID, RAX) },
	{ "a TD before SYS.KEY.CONFIG", CONFIG_DONE, MNG_CREATE,
	  { .rcx = TDR, .rdx = HKID }, STATUS(TDX_SYS_NOT_READY, 0) },
	{ "PHYMEM.PAGE.RDMD before SYS.INIT", AT_RESET, PHYMEM_PAGE_RDMD, {},
	  STATUS(TDX_SYS_NOT_READY, 0) },

	/* Bring-up. */
	{ "SYS.INIT: unknown attributes", AT_RESET, SYS_INIT, { .rcx = 1 },
	  ERR(OPERAND_INVALID, RCX) },
	{ "SYS.INIT: twice", SYS_INIT_DONE, SYS_INIT, {},
	  STATUS(TDX_SYS_INIT_NOT_PENDING, 0) },
	{ "SYS.INIT: twice, with attributes", SYS_INIT_DONE, SYS_INIT,
	  { .rcx = 1 }, ERR(OPERAND_INVALID, RCX) },
	{ "SYS.LP.INIT: before SYS.INIT", AT_RESET, SYS_LP_INIT, {},
	  STATUS(TDX_SYS_LP_INIT_NOT_PENDING, 0) },
	{ "SYS.LP.INIT: twice", LPS_DONE, SYS_LP_INIT, {},
	  STATUS(TDX_SYS_LP_INIT_DONE, 0) },
	{ "SYS.LP.INIT: after SYS.CONFIG", CONFIG_DONE, SYS_LP_INIT, {},
	  STATUS(TDX_SYS_LP_INIT_NOT_PENDING, 0) },
	{ "SYS.CONFIG: before LP.INIT on all LPs", SYS_INIT_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = 2, .r8 = GLOBAL_HKID },
	  STATUS(TDX_SYS_CONFIG_NOT_PENDING, 0) },
	{ "SYS.CONFIG: before SYS.INIT", AT_RESET, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = 2, .r8 = GLOBAL_HKID },
	  STATUS(TDX_SYS_CONFIG_NOT_PENDING, 0) },
	{ "SYS.CONFIG: twice", CONFIG_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = 2, .r8 = GLOBAL_HKID },
	  STATUS(TDX_SYS_CONFIG_NOT_PENDING, 0) },
	{ "SYS.CONFIG: array unaligned", LPS_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY + 8, .rdx = 2, .r8 = GLOBAL_HKID },
	  ERR(OPERAND_INVALID, RCX) },
	{ "SYS.CONFIG: array with a KeyID of TDX", LPS_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY | TDX_KEY, .rdx = 2, .r8 = GLOBAL_HKID },
	  ERR(OPERAND_INVALID, RCX) },
	{ "SYS.CONFIG: no RAM at the array", LPS_DONE, SYS_CONFIG,
	  { .rcx = NO_RAM, .rdx = 2, .r8 = GLOBAL_HKID },
	  ERR(OPERAND_ADDR_RANGE_ERROR, RCX) },
	{ "SYS.CONFIG: no TDMR", LPS_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = 0, .r8 = GLOBAL_HKID },
	  ERR(OPERAND_INVALID, RDX) },
	{ "SYS.CONFIG: too many TDMRs", LPS_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = MAX_TDMRS + 1, .r8 = GLOBAL_HKID },
	  ERR(OPERAND_INVALID, RDX) },
	{ "SYS.CONFIG: KeyID of MKTME", LPS_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = 2, .r8 = GLOBAL_HKID - 1 },
	  ERR(OPERAND_INVALID, R8) },
	{ "SYS.CONFIG: KeyID beyond the last", LPS_DONE, SYS_CONFIG,
	  { .rcx = TDMR_ARRAY, .rdx = 2, .r8 = GLOBAL_HKID + 4 },
	  ERR(OPERAND_INVALID, R8) },
	{ "SYS.KEY.CONFIG: before SYS.CONFIG", LPS_DONE, SYS_KEY_CONFIG, {},
	  STATUS(TDX_SYS_KEY_CONFIG_NOT_PENDING, 0) },
	{ "SYS.KEY.CONFIG: twice on one package", KEY_DONE, SYS_KEY_CONFIG, {},
	  STATUS(TDX_SYS_KEY_CONFIG_NOT_PENDING, 0) },
	{ "SYS.TDMR.INIT: no such TDMR", KEY_DONE, SYS_TDMR_INIT,
	  { .rcx = 4 * GIB }, ERR(OPERAND_INVALID, RCX) },
	{ "SYS.TDMR.INIT: already initialised", READY, SYS_TDMR_INIT, { .rcx = GIB },
	  STATUS(TDX_TDMR_ALREADY_INITIALIZED, 0) },
	{ "SYS.RD: before LP.INIT on this LP", SYS_INIT_DONE, SYS_RD,
	  { .rdx = 0x0800000100000003 }, STATUS(TDX_SYS_LP_INIT_NOT_DONE, 0) },
	{ "SYS.RD: before SYS.INIT", AT_RESET, SYS_RD,
	  { .rdx = 0x0800000100000003 }, STATUS(TDX_SYS_LP_INIT_NOT_DONE, 0) },
	{ "SYS.RD: no such field", READY, SYS_RD,
	  { .rdx = 0x0a000000000000ff },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "SYS.RD: reserved bits of the id", READY, SYS_RD,
	  { .rdx = 0x0800000101000003 },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },

	/* Pages beyond what TDMR.INIT has initialised are in no TDMR. */
	{ "MNG.CREATE: TDMR not initialised", KEY_DONE, MNG_CREATE,
	  { .rcx = FREE, .rdx = HKID }, ERR(OPERAND_ADDR_RANGE_ERROR, RCX) },
	{ "MNG.CREATE: KeyID in use", CREATED, MNG_CREATE,
	  { .rcx = FREE, .rdx = HKID }, STATUS(TDX_HKID_NOT_FREE, 0) },
	{ "MNG.CREATE: KeyID in use until KEY.FREEID", CACHE_DONE, MNG_CREATE,
	  { .rcx = FREE, .rdx = HKID }, STATUS(TDX_HKID_NOT_FREE, 0) },
	{ "MNG.CREATE: the global KeyID", READY, MNG_CREATE,
	  { .rcx = FREE, .rdx = GLOBAL_HKID }, STATUS(TDX_HKID_NOT_FREE, 0) },
	{ "MNG.CREATE: the KeyID is checked before the page", CREATED, MNG_CREATE,
	  { .rcx = TDR, .rdx = 1 }, ERR(OPERAND_INVALID, RDX) },
	{ "MNG.CREATE: KeyID of MKTME", READY, MNG_CREATE,
	  { .rcx = FREE, .rdx = 1 }, ERR(OPERAND_INVALID, RDX) },
	{ "MNG.CREATE: KeyID beyond the last", READY, MNG_CREATE,
	  { .rcx = FREE, .rdx = GLOBAL_HKID + 4 }, ERR(OPERAND_INVALID, RDX) },

	{ "MNG.KEY.CONFIG: twice", KEYED, MNG_KEY_CONFIG, { .rcx = TDR },
	  STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },
	{ "MNG.KEY.CONFIG: after teardown", TEARDOWN, MNG_KEY_CONFIG, { .rcx = TDR },
	  STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },

	{ "MNG.ADDCX: before KEY.CONFIG", CREATED, MNG_ADDCX,
	  { .rcx = FREE, .rdx = TDR }, STATUS(TDX_TD_KEYS_NOT_CONFIGURED, 0) },
	{ "MNG.ADDCX: more pages than a TD without L2 VMs needs", TDCS_DONE,
	  MNG_ADDCX, { .rcx = FREE, .rdx = TDR }, 0 },
	{ "MNG.ADDCX: after INIT", INITIALIZED, MNG_ADDCX,
	  { .rcx = FREE, .rdx = TDR }, OP_STATE },

	{ "MNG.INIT: twice", INITIALIZED, MNG_INIT,
	  { .rcx = TDR, .rdx = PARAMS }, OP_STATE },
	{ "MNG.INIT: parameters unaligned", TDCS_DONE, MNG_INIT,
	  { .rcx = TDR, .rdx = PARAMS + 512 }, ERR(OPERAND_INVALID, RDX) },
	{ "MNG.INIT: parameters with a KeyID of TDX", TDCS_DONE, MNG_INIT,
	  { .rcx = TDR, .rdx = PARAMS | TDX_KEY }, ERR(OPERAND_INVALID, RDX) },
	{ "MNG.INIT: no RAM at the parameters", TDCS_DONE, MNG_INIT,
	  { .rcx = TDR, .rdx = NO_RAM }, ERR(OPERAND_ADDR_RANGE_ERROR, RDX) },

	{ "VP.CREATE: before INIT", TDCS_DONE, VP_CREATE,
	  { .rcx = FREE, .rdx = TDR }, OP_STATE },
	{ "VP.CREATE: after FINALIZE", RUNNABLE, VP_CREATE,
	  { .rcx = FREE, .rdx = TDR }, OP_STATE },

	{ "VP.ADDCX: TDR instead of TDVPR", VP_CREATED, VP_ADDCX,
	  { .rcx = FREE, .rdx = TDR }, ERR(PAGE_METADATA_INCORRECT, RDX) },
	{ "VP.ADDCX: more pages than a vCPU without L2 VMs needs", VP_TDCX_DONE,
	  VP_ADDCX, { .rcx = FREE, .rdx = TDVPR }, 0 },
	{ "VP.ADDCX: after VP.INIT", VP_DONE, VP_ADDCX,
	  { .rcx = FREE, .rdx = TDVPR }, STATUS(TDX_VCPU_STATE_INCORRECT, 0) },
	{ "VP.ADDCX: after FINALIZE", RUNNABLE, VP_ADDCX,
	  { .rcx = FREE, .rdx = TDVPR }, OP_STATE },

	{ "VP.INIT: too few pages", VP_CREATED, VP_INIT, { .rcx = TDVPR },
	  STATUS(TDX_TDCX_NUM_INCORRECT, 0) },
	{ "VP.INIT: twice", VP_DONE, VP_INIT, { .rcx = TDVPR },
	  STATUS(TDX_VCPU_STATE_INCORRECT, 0) },
	{ "VP.INIT: x2APIC id too wide", VP_TDCX_DONE, VP_INIT | V(1),
	  { .rcx = TDVPR, .r8 = 1ull << 32 }, ERR(OPERAND_INVALID, R8) },
	{ "VP.INIT: after FINALIZE", RUNNABLE, VP_INIT, { .rcx = TDVPR }, OP_STATE },

	{ "MEM.SEPT.ADD: before INIT", TDCS_DONE, MEM_SEPT_ADD,
	  { .rcx = 3, .rdx = TDR, .r8 = FREE }, OP_STATE },
	{ "MEM.SEPT.ADD: level 0", TABLES, MEM_SEPT_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_INVALID, RCX) },
	{ "MEM.SEPT.ADD: above the root", TABLES, MEM_SEPT_ADD,
	  { .rcx = 4, .rdx = TDR, .r8 = FREE }, ERR(OPERAND_INVALID, RCX) },
	{ "MEM.SEPT.ADD: GPA unaligned for the level", TABLES, MEM_SEPT_ADD,
	  { .rcx = GPA_ADDED | 1, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_INVALID, RCX) },
	{ "MEM.SEPT.ADD: reserved bits of the GPA", TABLES, MEM_SEPT_ADD,
	  { .rcx = 1 | 8, .rdx = TDR, .r8 = FREE }, ERR(OPERAND_INVALID, RCX) },
	{ "MEM.SEPT.ADD: shared GPA", TABLES, MEM_SEPT_ADD,
	  { .rcx = GPA_SHARED | 1, .rdx = TDR, .r8 = FREE },
	  ERR(OPERAND_INVALID, RCX) },
	{ "MEM.SEPT.ADD: no parent table", INITIALIZED, MEM_SEPT_ADD,
	  { .rcx = 2, .rdx = TDR, .r8 = FREE }, ERR(EPT_WALK_FAILED, RCX) },
	{ "MEM.SEPT.ADD: table exists", TABLES, MEM_SEPT_ADD,
	  { .rcx = 1, .rdx = TDR, .r8 = FREE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.SEPT.ADD: table exists, ALLOW_EXISTING", TABLES,
	  MEM_SEPT_ADD, { .rcx = 1, .rdx = TDR | 1, .r8 = FREE }, 0 },
	{ "MEM.SEPT.ADD: ALLOW_EXISTING of a leaf", PAGE_AUGED,
	  MEM_SEPT_ADD, { .rcx = GPA_BIG | 1, .rdx = TDR | 3, .r8 = FREE },
	  ERR(OPERAND_INVALID, RDX) },
	{ "MEM.SEPT.ADD: version 0 wants a page", TABLES, MEM_SEPT_ADD,
	  { .rcx = 1, .rdx = TDR | 1, .r8 = ~0ull }, ERR(OPERAND_INVALID, R8) },

	{ "MEM.PAGE.ADD: after FINALIZE", RUNNABLE, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = SOURCE }, OP_STATE },
	{ "MEM.PAGE.ADD: level 1", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = BIG, .r9 = SOURCE },
	  ERR(OPERAND_INVALID, RCX) },
	{ "MEM.PAGE.ADD: shared GPA", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_SHARED, .rdx = TDR, .r8 = FREE, .r9 = SOURCE },
	  ERR(OPERAND_INVALID, RCX) },
	{ "MEM.PAGE.ADD: no table", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_NO_TABLE, .rdx = TDR, .r8 = FREE, .r9 = SOURCE },
	  ERR(EPT_WALK_FAILED, RCX) },
	{ "MEM.PAGE.ADD: already mapped", PAGE_ADDED, MEM_PAGE_ADD,
	  { .rcx = GPA_ADDED, .rdx = TDR, .r8 = FREE, .r9 = SOURCE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.ADD: page in use", PAGE_ADDED, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = ADDED, .r9 = SOURCE },
	  ERR(PAGE_METADATA_INCORRECT, R8) },
	{ "MEM.PAGE.ADD: source unaligned", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = SOURCE + 8 },
	  ERR(OPERAND_INVALID, R9) },
	{ "MEM.PAGE.ADD: source with a KeyID of TDX", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = SOURCE | TDX_KEY },
	  ERR(OPERAND_INVALID, R9) },
	{ "MEM.PAGE.ADD: source above physical addresses", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = SOURCE | 1ull << 52 },
	  ERR(OPERAND_INVALID, R9) },
	{ "MEM.PAGE.ADD: no RAM at the source", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = NO_RAM },
	  ERR(OPERAND_ADDR_RANGE_ERROR, R9) },
	{ "MEM.PAGE.ADD: the source is checked before the page", PAGE_ADDED,
	  MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = ADDED, .r9 = SOURCE + 8 },
	  ERR(OPERAND_INVALID, R9) },
	{ "MEM.PAGE.ADD: source is the page itself", TABLES, MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = FREE }, 0 },

	{ "MR.EXTEND: after FINALIZE", RUNNABLE, MR_EXTEND,
	  { .rcx = GPA_ADDED, .rdx = TDR }, OP_STATE },
	{ "MR.EXTEND: GPA unaligned", PAGE_ADDED, MR_EXTEND,
	  { .rcx = GPA_ADDED + 128, .rdx = TDR }, ERR(OPERAND_INVALID, RCX) },
	{ "MR.EXTEND: shared GPA", PAGE_ADDED, MR_EXTEND,
	  { .rcx = GPA_SHARED, .rdx = TDR }, ERR(OPERAND_INVALID, RCX) },
	{ "MR.EXTEND: no table", PAGE_ADDED, MR_EXTEND,
	  { .rcx = GPA_NO_TABLE, .rdx = TDR }, ERR(EPT_ENTRY_NOT_PRESENT, RCX) },
	{ "MR.EXTEND: not mapped", PAGE_ADDED, MR_EXTEND,
	  { .rcx = GPA_FREE, .rdx = TDR }, ERR(EPT_ENTRY_NOT_PRESENT, RCX) },

	{ "MR.FINALIZE: no vCPU", INITIALIZED, MR_FINALIZE, { .rcx = TDR },
	  STATUS(TDX_NO_VCPUS, 0) },
	{ "MR.FINALIZE: no vCPU is initialised", VP_TDCX_DONE, MR_FINALIZE,
	  { .rcx = TDR }, STATUS(TDX_NO_VCPUS, 0) },
	{ "MR.FINALIZE: twice", RUNNABLE, MR_FINALIZE, { .rcx = TDR }, OP_STATE },

	{ "MEM.PAGE.AUG: level 2", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = 2, .rdx = TDR, .r8 = FREE }, ERR(OPERAND_INVALID, RCX) },
	{ "MEM.PAGE.AUG: no table", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = GPA_NO_TABLE, .rdx = TDR, .r8 = FREE },
	  ERR(EPT_WALK_FAILED, RCX) },
	{ "MEM.PAGE.AUG: already mapped", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = GPA_ADDED, .rdx = TDR, .r8 = FREE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.AUG: already pending", PAGE_AUGED, MEM_PAGE_AUG,
	  { .rcx = GPA_AUGED, .rdx = TDR, .r8 = FREE },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.AUG: 2 MiB over a table", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = 1, .rdx = TDR, .r8 = BIG },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.AUG: 2 MiB unaligned", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = BIG + 4096 },
	  ERR(OPERAND_INVALID, R8) },
	{ "MEM.PAGE.AUG: 2 MiB partly in use", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = 16 * MIB },
	  ERR(PAGE_METADATA_INCORRECT, R8) },
	{ "MEM.PAGE.AUG: 2 MiB", RUNNABLE, MEM_PAGE_AUG,
	  { .rcx = GPA_BIG | 1, .rdx = TDR, .r8 = BIG }, 0 },

	{ "MEM.RANGE.BLOCK: a free entry is ENTRY_STATE_INCORRECT", RUNNABLE,
	  MEM_RANGE_BLOCK, { .rcx = GPA_FREE, .rdx = TDR },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.RANGE.BLOCK: level of the root", RUNNABLE, MEM_RANGE_BLOCK,
	  { .rcx = 3, .rdx = TDR }, 0 },
	{ "MEM.RANGE.BLOCK: above the root", RUNNABLE, MEM_RANGE_BLOCK,
	  { .rcx = 4, .rdx = TDR }, ERR(OPERAND_INVALID, RCX) },
	{ "MEM.RANGE.BLOCK: no table", RUNNABLE, MEM_RANGE_BLOCK,
	  { .rcx = GPA_NO_TABLE, .rdx = TDR }, ERR(EPT_WALK_FAILED, RCX) },
	{ "MEM.RANGE.BLOCK: twice", BLOCKED, MEM_RANGE_BLOCK,
	  { .rcx = GPA_ADDED, .rdx = TDR },
	  ERR(GPA_RANGE_ALREADY_BLOCKED, RCX) },

	{ "MEM.TRACK: before INIT", TDCS_DONE, MEM_TRACK, { .rcx = TDR },
	  OP_STATE },

	{ "MEM.PAGE.REMOVE: before FINALIZE", PAGE_ADDED, MEM_PAGE_REMOVE,
	  { .rcx = GPA_ADDED, .rdx = TDR }, 0 },
	{ "MEM.PAGE.REMOVE: not blocked", RUNNABLE, MEM_PAGE_REMOVE,
	  { .rcx = GPA_ADDED, .rdx = TDR }, ERR(GPA_RANGE_NOT_BLOCKED, RCX) },
	{ "MEM.PAGE.REMOVE: pending, not blocked", PAGE_AUGED, MEM_PAGE_REMOVE,
	  { .rcx = GPA_AUGED, .rdx = TDR }, ERR(GPA_RANGE_NOT_BLOCKED, RCX) },
	{ "MEM.PAGE.REMOVE: not tracked", BLOCKED, MEM_PAGE_REMOVE,
	  { .rcx = GPA_ADDED, .rdx = TDR }, ERR(TLB_TRACKING_NOT_DONE, RCX) },
	{ "MEM.PAGE.REMOVE: a free entry is ENTRY_STATE_INCORRECT", RUNNABLE,
	  MEM_PAGE_REMOVE, { .rcx = GPA_FREE, .rdx = TDR },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.REMOVE: a table is ENTRY_STATE_INCORRECT", RUNNABLE,
	  MEM_PAGE_REMOVE, { .rcx = 1, .rdx = TDR },
	  ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.REMOVE: level 2 is allowed", RUNNABLE, MEM_PAGE_REMOVE,
	  { .rcx = 2, .rdx = TDR }, ERR(EPT_ENTRY_STATE_INCORRECT, RCX) },
	{ "MEM.PAGE.REMOVE: level 3", RUNNABLE, MEM_PAGE_REMOVE,
	  { .rcx = 3, .rdx = TDR }, ERR(OPERAND_INVALID, RCX) },
	{ "MEM.PAGE.REMOVE: blocked and tracked", TRACKED, MEM_PAGE_REMOVE,
	  { .rcx = GPA_ADDED, .rdx = TDR }, 0 },

	{ "VP.ENTER: before FINALIZE", PAGE_ADDED, VP_ENTER, { .rcx = TDVPR },
	  OP_STATE },
	{ "VP.ENTER: reserved bits of RCX", RUNNABLE, VP_ENTER,
	  { .rcx = TDVPR | 1ull << 54 }, ERR(OPERAND_INVALID, RCX) },
	{ "VP.ENTER: after VPFLUSHDONE", FLUSH_DONE, VP_ENTER, { .rcx = TDVPR },
	  STATUS(TDX_TD_KEYS_NOT_CONFIGURED, 0) },
	{ "VP.ENTER: HOST_RECOVERABILITY_HINT about nothing", RUNNABLE, VP_ENTER,
	  { .rcx = TDVPR | 1ull << 52 }, ERR(OPERAND_INVALID, RCX) },

	{ "VP.FLUSH: twice", FLUSHED, VP_FLUSH, { .rcx = TDVPR },
	  STATUS(TDX_VCPU_NOT_ASSOCIATED, 0) },
	{ "VP.FLUSH: after teardown", TEARDOWN, VP_FLUSH, { .rcx = TDVPR },
	  STATUS(TDX_TD_KEYS_NOT_CONFIGURED, 0) },
	{ "VP.FLUSH: too few pages", VP_CREATED, VP_FLUSH, { .rcx = TDVPR },
	  STATUS(TDX_TDCX_NUM_INCORRECT, 0) },
	{ "VP.FLUSH: never associated", VP_TDCX_DONE, VP_FLUSH,
	  { .rcx = TDVPR }, STATUS(TDX_VCPU_NOT_ASSOCIATED, 0) },

	{ "MNG.VPFLUSHDONE: a vCPU is associated", EXITED, MNG_VPFLUSHDONE,
	  { .rcx = TDR }, STATUS(TDX_FLUSHVP_NOT_DONE, 0) },
	{ "MNG.VPFLUSHDONE: twice", FLUSH_DONE, MNG_VPFLUSHDONE,
	  { .rcx = TDR }, STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },
	{ "MNG.VPFLUSHDONE: without a vCPU", KEYED, MNG_VPFLUSHDONE,
	  { .rcx = TDR }, 0 },

	{ "PHYMEM.CACHE.WB: RCX neither 0 nor 1", FLUSH_DONE, PHYMEM_CACHE_WB,
	  { .rcx = 2 }, ERR(OPERAND_INVALID, RCX) },
	{ "PHYMEM.CACHE.WB: nothing to resume", FLUSH_DONE, PHYMEM_CACHE_WB,
	  { .rcx = 1 }, STATUS(TDX_WBCACHE_RESUME_ERROR, 0) },
	{ "PHYMEM.CACHE.WB: no KeyID is ready", FLUSHED, PHYMEM_CACHE_WB, {},
	  STATUS(TDX_NO_HKID_READY_TO_WBCACHE, 0) },
	{ "PHYMEM.CACHE.WB: again, before KEY.FREEID", CACHE_DONE,
	  PHYMEM_CACHE_WB, {}, 0 },
	{ "PHYMEM.CACHE.WB: after KEY.FREEID", TEARDOWN, PHYMEM_CACHE_WB, {},
	  STATUS(TDX_NO_HKID_READY_TO_WBCACHE, 0) },

	{ "MNG.KEY.FREEID: before VPFLUSHDONE", FLUSHED, MNG_KEY_FREEID,
	  { .rcx = TDR }, STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },
	{ "MNG.KEY.FREEID: cache not written back", FLUSH_DONE, MNG_KEY_FREEID,
	  { .rcx = TDR }, STATUS(TDX_WBCACHE_NOT_COMPLETE, 0) },
	{ "MNG.KEY.FREEID: twice", TEARDOWN, MNG_KEY_FREEID, { .rcx = TDR },
	  STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },

	{ "PHYMEM.PAGE.RECLAIM: TD not torn down", RUNNABLE, PHYMEM_PAGE_RECLAIM,
	  { .rcx = ADDED }, STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },
	{ "PHYMEM.PAGE.RECLAIM: before KEY.FREEID", CACHE_DONE,
	  PHYMEM_PAGE_RECLAIM, { .rcx = ADDED },
	  STATUS(TDX_LIFECYCLE_STATE_INCORRECT, 0) },
	{ "PHYMEM.PAGE.RECLAIM: free page", TEARDOWN, PHYMEM_PAGE_RECLAIM,
	  { .rcx = FREE }, ERR(PAGE_METADATA_INCORRECT, RCX) },
	{ "PHYMEM.PAGE.RECLAIM: reserved page", TEARDOWN, PHYMEM_PAGE_RECLAIM,
	  { .rcx = RESERVED_PAGE }, ERR(PAGE_METADATA_INCORRECT, RCX) },
	{ "PHYMEM.PAGE.RECLAIM: TDR before other pages", TEARDOWN,
	  PHYMEM_PAGE_RECLAIM, { .rcx = TDR },
	  STATUS(TDX_TD_ASSOCIATED_PAGES_EXIST, 0) },
	{ "PHYMEM.PAGE.RECLAIM: twice", GONE, PHYMEM_PAGE_RECLAIM,
	  { .rcx = TDR }, ERR(PAGE_METADATA_INCORRECT, RCX) },

	{ "PHYMEM.PAGE.WBINVD: no KeyID", READY, PHYMEM_PAGE_WBINVD,
	  { .rcx = FREE }, 0 },
	{ "PHYMEM.PAGE.WBINVD: KeyID of MKTME", READY, PHYMEM_PAGE_WBINVD,
	  { .rcx = FREE | KEY_BITS }, 0 },
	{ "PHYMEM.PAGE.WBINVD: page in use", CREATED, PHYMEM_PAGE_WBINVD,
	  { .rcx = TDR | HKID * KEY_BITS },
	  ERR(PAGE_METADATA_INCORRECT, RCX) },
	{ "PHYMEM.PAGE.WBINVD: unaligned", READY, PHYMEM_PAGE_WBINVD,
	  { .rcx = (FREE + 64) | HKID * KEY_BITS }, ERR(OPERAND_INVALID, RCX) },
	{ "PHYMEM.PAGE.WBINVD: free page", READY, PHYMEM_PAGE_WBINVD,
	  { .rcx = FREE | HKID * KEY_BITS }, 0 },

	{ "MNG.RD: no such field", RUNNABLE, MNG_RD,
	  { .rcx = TDR, .rdx = 0x1110000300000fff },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "MNG.RD: no such CPUID leaf", RUNNABLE, MNG_RD,
	  { .rcx = TDR, .rdx = 0x9410000300000000 | 0x7e << 9 },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "MNG.RD: field for the guest only", RUNNABLE, MNG_RD,
	  { .rcx = TDR, .rdx = 0x1310000300000000 },
	  STATUS(TDX_METADATA_FIELD_NOT_READABLE, 0) },

	{ "VP.RD: no such field", RUNNABLE, VP_RD,
	  { .rcx = TDVPR, .rdx = 0x2020000000000fff },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "VP.RD: too few pages", VP_CREATED, VP_RD,
	  { .rcx = TDVPR, .rdx = 0xa02000000000000b },
	  STATUS(TDX_TDCX_NUM_INCORRECT, 0) },
	{ "VP.RD: before VP.INIT", VP_TDCX_DONE, VP_RD,
	  { .rcx = TDVPR, .rdx = 0xa02000000000000b },
	  STATUS(TDX_VCPU_STATE_INCORRECT, 0) },

	{ "VP.WR: no such field", RUNNABLE, VP_WR,
	  { .rcx = TDVPR, .rdx = 0x2020000000000fff, .r9 = ~0ull },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "VP.WR: read-only field", RUNNABLE, VP_WR,
	  { .rcx = TDVPR, .rdx = 0x9120000300000100, .r9 = ~0ull },
	  STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
	{ "VP.WR: no writable bit in the mask", RUNNABLE, VP_WR,
	  { .rcx = TDVPR, .rdx = 0xa02000000000000b, .r8 = 1, .r9 = 0x100 },
	  STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
	{ "VP.WR: too few pages", VP_CREATED, VP_WR,
	  { .rcx = TDVPR, .rdx = 0xa02000000000000b, .r8 = 1, .r9 = 1 },
	  STATUS(TDX_TDCX_NUM_INCORRECT, 0) },
	{ "VP.WR: before VP.INIT", VP_TDCX_DONE, VP_WR,
	  { .rcx = TDVPR, .rdx = 0xa02000000000000b, .r8 = 1, .r9 = 1 },
	  STATUS(TDX_VCPU_STATE_INCORRECT, 0) },
};

/* Operands that are physical pages. */
enum kind { ANY_PAGE, MUST_BE_FREE, MUST_BE_OBJECT };

static const struct page_operand {
	const char *name;
	enum kind kind;
	enum step at;
	uint64_t rax;
	size_t reg;	/* in struct operands */
	uint32_t op;
	struct operands in;	/* the others */
} page_operands[] = {
	{ "MNG.CREATE: rcx", MUST_BE_FREE, CREATED, MNG_CREATE,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = OTHER_HKID } },
	{ "MNG.ADDCX: rcx", MUST_BE_FREE, KEYED, MNG_ADDCX,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = TDR } },
	{ "VP.CREATE: rcx", MUST_BE_FREE, INITIALIZED, VP_CREATE,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = TDR } },
	{ "VP.ADDCX: rcx", MUST_BE_FREE, VP_CREATED, VP_ADDCX,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = TDVPR } },
	{ "MEM.SEPT.ADD: r8", MUST_BE_FREE, INITIALIZED, MEM_SEPT_ADD,
	  offsetof(struct operands, r8), TDX_OP_R8,
	  { .rcx = 3, .rdx = TDR } },
	{ "MEM.PAGE.ADD: r8", MUST_BE_FREE, TABLES, MEM_PAGE_ADD,
	  offsetof(struct operands, r8), TDX_OP_R8,
	  { .rcx = GPA_FREE, .rdx = TDR, .r9 = SOURCE } },
	{ "MEM.PAGE.AUG: r8", MUST_BE_FREE, RUNNABLE, MEM_PAGE_AUG,
	  offsetof(struct operands, r8), TDX_OP_R8,
	  { .rcx = GPA_FREE, .rdx = TDR } },
	{ "MNG.KEY.CONFIG: rcx", MUST_BE_OBJECT, TDCS_DONE, MNG_KEY_CONFIG,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MNG.ADDCX: rdx", MUST_BE_OBJECT, TDCS_DONE, MNG_ADDCX,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = FREE } },
	{ "MNG.INIT: rcx", MUST_BE_OBJECT, TDCS_DONE, MNG_INIT,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = PARAMS } },
	{ "VP.CREATE: rdx", MUST_BE_OBJECT, INITIALIZED, VP_CREATE,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = FREE } },
	{ "VP.ADDCX: rdx", MUST_BE_OBJECT, VP_CREATED, VP_ADDCX,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = FREE } },
	{ "VP.INIT: rcx", MUST_BE_OBJECT, VP_TDCX_DONE, VP_INIT,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MEM.SEPT.ADD: rdx", MUST_BE_OBJECT, INITIALIZED, MEM_SEPT_ADD,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = 3, .r8 = FREE } },
	{ "MEM.PAGE.ADD: rdx", MUST_BE_OBJECT, TABLES, MEM_PAGE_ADD,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = GPA_FREE, .r8 = FREE, .r9 = SOURCE } },
	{ "MR.EXTEND: rdx", MUST_BE_OBJECT, PAGE_ADDED, MR_EXTEND,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = GPA_ADDED } },
	{ "MR.FINALIZE: rcx", MUST_BE_OBJECT, VP_DONE, MR_FINALIZE,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MEM.PAGE.AUG: rdx", MUST_BE_OBJECT, RUNNABLE, MEM_PAGE_AUG,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = GPA_FREE, .r8 = FREE } },
	{ "MEM.RANGE.BLOCK: rdx", MUST_BE_OBJECT, RUNNABLE, MEM_RANGE_BLOCK,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = GPA_ADDED } },
	{ "MEM.TRACK: rcx", MUST_BE_OBJECT, RUNNABLE, MEM_TRACK,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MEM.PAGE.REMOVE: rdx", MUST_BE_OBJECT, RUNNABLE, MEM_PAGE_REMOVE,
	  offsetof(struct operands, rdx), TDX_OP_RDX,
	  { .rcx = GPA_ADDED } },
	{ "VP.ENTER: rcx", MUST_BE_OBJECT, RUNNABLE, VP_ENTER,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "VP.FLUSH: rcx", MUST_BE_OBJECT, RUNNABLE, VP_FLUSH,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MNG.VPFLUSHDONE: rcx", MUST_BE_OBJECT, RUNNABLE, MNG_VPFLUSHDONE,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MNG.KEY.FREEID: rcx", MUST_BE_OBJECT, RUNNABLE, MNG_KEY_FREEID,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "MNG.RD: rcx", MUST_BE_OBJECT, RUNNABLE, MNG_RD,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = 0x1110000300000000 } },
	{ "VP.RD: rcx", MUST_BE_OBJECT, RUNNABLE, VP_RD,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = 0x9120000300000100 } },
	{ "VP.WR: rcx", MUST_BE_OBJECT, RUNNABLE, VP_WR,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { .rdx = 0xa02000000000000b } },
	{ "PHYMEM.PAGE.RECLAIM: rcx", ANY_PAGE, TEARDOWN, PHYMEM_PAGE_RECLAIM,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
	{ "PHYMEM.PAGE.RDMD: rcx", ANY_PAGE, READY, PHYMEM_PAGE_RDMD,
	  offsetof(struct operands, rcx), TDX_OP_RCX,
	  { } },
};

/* What each kind of page answers to pages of the wrong sort. */
static const struct {
	enum kind kind;
	const char *name;
	uint64_t pa;
	uint32_t want;
} bad_pages[] = {
	{ ANY_PAGE, "unaligned", FREE + 8, TDX_OPERAND_INVALID },
	{ ANY_PAGE, "with KeyID bits", FREE | KEY_BITS, TDX_OPERAND_INVALID },
	{ ANY_PAGE, "outside all TDMRs", NO_RAM, TDX_OPERAND_ADDR_RANGE_ERROR },
	{ MUST_BE_FREE, "in use", TDR, TDX_PAGE_METADATA_INCORRECT },
	{ MUST_BE_FREE, "reserved", RESERVED_PAGE, TDX_PAGE_METADATA_INCORRECT },
	{ MUST_BE_FREE, "of the PAMT", PAMT(2), TDX_PAGE_METADATA_INCORRECT },
	{ MUST_BE_OBJECT, "free", FREE, TDX_PAGE_METADATA_INCORRECT },
	{ MUST_BE_OBJECT, "of another type", TDCX, TDX_PAGE_METADATA_INCORRECT },
};

/* Calls on a TD, which its life cycle forbids before and after. */
static const struct life_row {
	const char *name;
	uint64_t rax;
	struct operands in;
} life_rows[] = {
	{ "MNG.INIT", MNG_INIT,
	  { .rcx = TDR, .rdx = PARAMS } },
	{ "VP.CREATE", VP_CREATE,
	  { .rcx = FREE, .rdx = TDR } },
	{ "MEM.SEPT.ADD", MEM_SEPT_ADD,
	  { .rcx = 3, .rdx = TDR, .r8 = FREE } },
	{ "MEM.PAGE.ADD", MEM_PAGE_ADD,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE, .r9 = SOURCE } },
	{ "MR.EXTEND", MR_EXTEND,
	  { .rcx = GPA_ADDED, .rdx = TDR } },
	{ "MR.FINALIZE", MR_FINALIZE,
	  { .rcx = TDR } },
	{ "MEM.PAGE.AUG", MEM_PAGE_AUG,
	  { .rcx = GPA_FREE, .rdx = TDR, .r8 = FREE } },
	{ "MEM.RANGE.BLOCK", MEM_RANGE_BLOCK,
	  { .rcx = GPA_ADDED, .rdx = TDR } },
	{ "MEM.TRACK", MEM_TRACK,
	  { .rcx = TDR } },
	{ "MEM.PAGE.REMOVE", MEM_PAGE_REMOVE,
	  { .rcx = GPA_ADDED, .rdx = TDR } },
	{ "MNG.RD", MNG_RD,
	  { .rcx = TDR, .rdx = 0x1110000300000000 } },
};

static const struct {
	const char *name;
	enum step at;
	uint32_t want;
} life_steps[] = {
	{ "before KEY.CONFIG", CREATED, TDX_TD_KEYS_NOT_CONFIGURED },
	{ "TDCS pages missing", KEYED, TDX_TDCS_NOT_ALLOCATED },
	{ "after VPFLUSHDONE", FLUSH_DONE, TDX_TD_KEYS_NOT_CONFIGURED },
	{ "after teardown", TEARDOWN, TDX_TD_KEYS_NOT_CONFIGURED },
};

static void page_types(struct world *w, unsigned int types[48])
{
	unsigned int i;

	for (i = 0; i < 48; i++)
		types[i] = page_type(w, PAGE(i));
}

static void check_row(const struct row *r)
{
	struct world *w = world_new(NULL);
	unsigned int before[48], after[48];
	bool compare = r->at >= READY && r->want >> 63;
	uint64_t got;

	world_to(w, r->at);
	if (compare)
		page_types(w, before);
	got = seamcall_on(w, 0, r->rax, &r->in);
	if (got != r->want)
		g_test_message("%s", r->name);
	check_status(got, r->want);
	if (compare) {
		page_types(w, after);
		g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
	}
	world_free(w);
}

static void run_row(const void *data)
{
	check_row(data);
}

static void run_page_operand(const void *data)
{
	const struct page_operand *p = data;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(bad_pages); i++) {
		struct row r = { bad_pages[i].name, p->at, p->rax, p->in,
				 STATUS(bad_pages[i].want, p->op) };

		if (bad_pages[i].kind != ANY_PAGE && bad_pages[i].kind != p->kind)
			continue;
		memcpy((uint8_t *)&r.in + p->reg, &bad_pages[i].pa,
		       sizeof(bad_pages[i].pa));
		check_row(&r);
	}
}

static void run_life_row(const void *data)
{
	const struct life_row *l = data;
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(life_steps); i++)
		check_row(&(struct row){ life_steps[i].name, life_steps[i].at,
			  l->rax, l->in, STATUS(life_steps[i].want, 0) });
}

static void add(const char *name, const void *row, GTestDataFunc run)
{
	g_autofree char *path = g_strdup_printf("/seamcall/%s", name);

	g_test_add_data_func(path, row, run);
}

void add_seamcall_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++)
		add(rows[i].name, &rows[i], run_row);
	for (i = 0; i < G_N_ELEMENTS(page_operands); i++)
		add(page_operands[i].name, &page_operands[i], run_page_operand);
	for (i = 0; i < G_N_ELEMENTS(life_rows); i++) {
		g_autofree char *name = g_strdup_printf("%s: wrong life cycle state",
							life_rows[i].name);

		add(name, &life_rows[i], run_life_row);
	}
}
