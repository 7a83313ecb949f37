// SPDX-License-Identifier: GPL-2.0
/* TDH.MNG.*: creation, keys, initialisation and teardown of a TD. */
#include <string.h>

#include "fields.h"
#include "inject.h"
#include "locks.h"
#include "operands.h"
#include "pamt.h"
#include "td.h"
#include "td_cpuid.h"
#include "tdh.h"

u64 tdh_mng_create(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 pa = c->gpr[TDX_RCX], hkid = c->gpr[TDX_RDX], err;
	struct page *p;
	struct td *td;

	if (!is_tdx_keyid(m, hkid))
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	err = pamt_get(m, pa, TDX_OP_RCX, PT_NDA, &p);
	if (!err)
		err = take_lock(c, LOCK_KOT);
	if (err)
		return err;
	if (*keyid_state(m, hkid) != HKID_FREE)
		return status(TDX_HKID_NOT_FREE, 0);
	if (entropy_fails(c))
		return status(TDX_RND_NO_ENTROPY, 0);

	td = g_new0(struct td, 1);
	td->m = m;
	td->next = m->tds;
	m->tds = td;
	td->tdr_pa = pa;
	td->hkid = hkid;
	random_bytes(td->uuid, sizeof(td->uuid));
	*keyid_state(m, hkid) = HKID_ASSIGNED;
	pamt_assign(p, PT_TDR, td, NULL);
	return lock_tdr(c, td, TDX_OP_RCX);	/* nobody else can have it */
}

/* There is one package: the first call configures the key. */
u64 tdh_mng_key_config(struct call *c)
{
	struct td *td;
	u64 err = tdr_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, &td);

	if (err)
		return err;
	if (td->fatal)
		return status(TDX_TD_FATAL, 0);
	if (td->lifecycle != LC_HKID_ASSIGNED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, 0);
	err = take_lock(c, LOCK_KET);
	if (err)
		return err;
	td->lifecycle = LC_KEYS_CONFIGURED;
	return 0;
}

u64 tdh_mng_addcx(struct call *c)
{
	struct page *p;
	struct td *td;
	u64 err;

	err = tdr_operand(c, c->gpr[TDX_RDX], TDX_OP_RDX, &td);
	if (err)
		return err;
	if (td->fatal)
		return status(TDX_TD_FATAL, 0);
	if (td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_TD_KEYS_NOT_CONFIGURED, 0);
	if (td->num_tdcx >= c->m->profile->tdcs_pages + TDCS_PAGES_OF_L2_VMS)
		return status(TDX_TDCX_NUM_INCORRECT, 0);
	err = pamt_get(c->m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	/* With the last page that each TD needs comes a key for migration. */
	if (td->num_tdcx + 1 == c->m->profile->tdcs_pages && entropy_fails(c))
		return status(TDX_RND_NO_ENTROPY, 0);
	if (td->op_state != OP_UNINITIALIZED)
		return status(TDX_OP_STATE_INCORRECT, 0);
	pamt_assign(p, PT_TDCX, td, NULL);
	td->num_tdcx++;
	return 0;
}

/* TDH.MNG.INIT: what it accepts in TD_PARAMS. */

static u64 check_attributes(const struct tdx_module *m, u64 attributes)
{
	bool migratable = attributes & TD_ATTR_MIGRATABLE;
	bool perfmon = attributes & TD_ATTR_PERFMON;

	if (attributes & ~cpuid_supported_attributes(m) ||
	    (migratable && (perfmon || attributes & TD_ATTR_DEBUG)) ||
	    (perfmon && attributes & TD_ATTR_ICSSD))
		return status(TDX_OPERAND_INVALID, TDX_OP_ATTRIBUTES);
	return 0;
}

static u64 check_xfam(const struct tdx_module *m, u64 xfam)
{
	if (xfam & ~cpuid_supported_xfam(m) ||
	    !has_all(xfam, XFAM_X87 | XFAM_SSE) || !xfam_consistent(xfam))
		return status(TDX_OPERAND_INVALID, TDX_OP_XFAM);
	return 0;
}

/* Bits of IA32_ARCH_CAPABILITIES that a TD has if the CPU does and the host asks ... */
#define ARCH_CAP_SSB_NO		BIT(4)
#define ARCH_CAP_BHI_NO		BIT(20)
#define ARCH_CAP_PBRSB_NO	BIT(24)
#define ARCH_CAP_CHOICE	(ARCH_CAP_SSB_NO | ARCH_CAP_BHI_NO | ARCH_CAP_PBRSB_NO)
/* ... and that it may set. */
#define ARCH_CAP_RRSBA		BIT(19)

/* Bits of TD_PARAMS.MSR_CONFIG_CTLS. */
#define MSR_CONFIG_ARCH_CAP	BIT(0)

static u64 check_arch_capabilities(const struct tdx_module *m,
				   const struct td_params *p)
{
	bool configured = p->msr_config_ctls & MSR_CONFIG_ARCH_CAP;
	u64 allowed = ARCH_CAP_RRSBA | ARCH_CAP_CHOICE;

	if (p->msr_config_ctls & ~MSR_CONFIG_ARCH_CAP ||
	    (configured && !has_feature(m, FEATURE_CONFIG_ARCH_CAP)))
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (p->arch_capabilities & ~(configured ? allowed : 0))
		return status(TDX_OPERAND_INVALID,
			      TDX_OP_ARCH_CAPABILITIES_CONFIG);
	return 0;
}

#define EPTP_WRITE_BACK		6
#define EPTP_LEVELS(controls)	(((controls) >> 3 & 7) + 1)
#define EPTP_LEVELS_MASK	(7ull << 3)

static u64 check_eptp_controls(const struct tdx_module *m,
			       const struct td_params *p)
{
	unsigned int levels = EPTP_LEVELS(p->eptp_controls);

	if ((p->eptp_controls & ~EPTP_LEVELS_MASK) != EPTP_WRITE_BACK ||
	    levels < 4 || levels > (m->profile->ept_5_levels ? 5 : 4) ||
	    (p->config_flags & CONFIG_GPAW && levels != 5))
		return status(TDX_OPERAND_INVALID, TDX_OP_EPTP_CONTROLS);
	return 0;
}

/* In Hz; TD_PARAMS.TSC_FREQUENCY counts these. */
#define TSC_UNIT	25000000
#define MIN_TSC_UNITS	4
#define MAX_TSC_UNITS	400

static u64 check_params(struct call *c, const struct td_params *p)
{
	const struct tdx_module *m = c->m;
	u64 err;

	err = check_attributes(m, p->attributes);
	if (!err)
		err = check_xfam(m, p->xfam);
	if (err)
		return err;
	if (!p->max_vcpus || p->max_vcpus > m->profile->max_vcpus)
		return status(TDX_OPERAND_INVALID, TDX_OP_MAX_VCPUS);
	if (p->config_flags & ~m->profile->config_flags)
		return status(TDX_OPERAND_INVALID, TDX_OP_CONFIG_FLAGS);
	err = check_eptp_controls(m, p);
	if (err)
		return err;
	if (p->tsc_frequency < MIN_TSC_UNITS || p->tsc_frequency > MAX_TSC_UNITS)
		return status(TDX_OPERAND_INVALID, TDX_OP_TSC_FREQUENCY);
	err = check_tsc_adjust(c);
	if (err)
		return err;
	if (p->num_l2_vms)
		return status(TDX_OPERAND_INVALID, TDX_OP_NUM_L2_VMS);
	err = check_arch_capabilities(m, p);
	if (err)
		return err;
	if (p->reserved0 || !all_zero(p->reserved1, sizeof(p->reserved1)) ||
	    !all_zero(p->reserved2, sizeof(p->reserved2)))
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	return 0;
}

static void start_clock(struct td *td, u64 host_tsc, u64 host_hz)
{
	u64 hz = (u64)td->tsc_frequency * TSC_UNIT;

	/* From 0 on, at the frequency that the host chose. */
	td->tsc_multiplier = ((__uint128_t)hz << 48) / host_hz;
	td->tsc_offset = -(u64)((__uint128_t)host_tsc * td->tsc_multiplier
				>> 48);
}

static u64 initial_arch_capabilities(const struct tdx_module *m,
				     const struct td_params *p)
{
	u64 cpu = m->platform.arch_capabilities;

	return (p->arch_capabilities & cpu & ARCH_CAP_CHOICE) |
	       ((p->arch_capabilities | cpu) & ARCH_CAP_RRSBA);
}

/* The fields that cpuid_build() uses, and those beside them. */
static void take_params(struct td *td, const struct td_params *p)
{
	td->attributes = p->attributes;
	td->xfam = p->xfam;
	td->max_vcpus = p->max_vcpus;
	td->eptp_controls = p->eptp_controls;
	td->config_flags = p->config_flags;
	td->gpaw_52 = p->config_flags & CONFIG_GPAW;
	td->tsc_frequency = p->tsc_frequency;
	td->arch_capabilities = initial_arch_capabilities(td->m, p);
}

static void initialize(struct td *td, const struct td_params *p)
{
	td->td_ctls = p->attributes & TD_ATTR_SEPT_VE_DISABLE ?
		      TD_CTLS_PENDING_VE_DISABLE : 0;
	td->topology_configured = has_feature(td->m, FEATURE_TOPOLOGY_ENUM);
	td->ve_reduction_valid = has_feature(td->m, FEATURE_VE_REDUCTION);
	memcpy(td->mrconfigid, p->mrconfigid, sizeof(td->mrconfigid));
	memcpy(td->mrowner, p->mrowner, sizeof(td->mrowner));
	memcpy(td->mrownerconfig, p->mrownerconfig, sizeof(td->mrownerconfig));
	td->measurement = g_checksum_new(G_CHECKSUM_SHA384);
	td->op_state = OP_INITIALIZED;
}

#define PHYSICAL_BITS	0xff	/* of EAX of leaf 0x80000008 */

static unsigned int physical_bits(const struct td *td)
{
	u32 bits = cpuid_lookup(td, 0x80000008, 0, true)[EAX] & PHYSICAL_BITS;

	return bits ? bits : PHYSICAL_ADDRESS_BITS;
}

u64 tdh_mng_init(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 tsc = m->ops.tsc(m->opaque), hz = m->ops.tsc_hz(m->opaque);
	u64 params = c->gpr[TDX_RDX], tdr = c->gpr[TDX_RCX], bad, err;
	struct td_params p;
	struct td *td;

	c->gpr[TDX_RCX] = 0;
	err = td_operand(c, tdr, TDX_OP_RCX, BIT(OP_UNINITIALIZED), &td);
	if (err)
		return err;
	if (params % TD_PARAMS_SIZE || !is_shared_address(m, params))
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (!read_shared(m, params, &p, sizeof(p)))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RDX);

	err = check_params(c, &p);
	if (err)
		return err;
	take_params(td, &p);
	err = cpuid_build(td, &p, &bad);
	c->gpr[TDX_RCX] = bad;
	if (err)
		return err;
	td->physical_bits = physical_bits(td);
	start_clock(td, tsc, hz);
	initialize(td, &p);
	return 0;
}

u64 tdh_mng_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], err;
	struct td *td;

	c->gpr[TDX_R8] = 0;
	if (c->version)
		c->gpr[TDX_RDX] = NO_FIELD;
	err = td_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, BUILDING_OR_RUNNING,
			 &td);
	if (err)
		return err;
	if (c->version && id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = td_next(td, id, HOST);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = td_read(td, id, HOST, &c->gpr[TDX_R8]);
	if (c->version && !err)
		c->gpr[TDX_RDX] = td_next(td, id, HOST);
	return err;
}

u64 tdh_mng_vpflushdone(struct call *c)
{
	struct td *td;
	u64 err = tdr_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, &td);

	if (!err)
		err = take_lock(c, LOCK_KOT);
	if (err)
		return err;
	if (td->lifecycle != LC_HKID_ASSIGNED &&
	    td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, 0);
	if (td->num_associated)
		return status(TDX_FLUSHVP_NOT_DONE, 0);
	td->lifecycle = LC_BLOCKED;
	*keyid_state(c->m, td->hkid) = HKID_FLUSHED;
	return 0;
}

u64 tdh_mng_key_freeid(struct call *c)
{
	enum hkid_state *key;
	struct td *td;
	u64 err = tdr_operand(c, c->gpr[TDX_RCX], TDX_OP_RCX, &td);

	if (err)
		return err;
	if (td->lifecycle != LC_BLOCKED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, 0);
	err = take_lock(c, LOCK_KOT);
	if (err)
		return err;
	key = keyid_state(c->m, td->hkid);
	if (*key != HKID_WRITTEN_BACK)
		return status(TDX_WBCACHE_NOT_COMPLETE, 0);
	*key = HKID_FREE;
	td->lifecycle = LC_TEARDOWN;
	return 0;
}
