// SPDX-License-Identifier: GPL-2.0
/*
 * Life cycle of a TD: creation, keys, initialisation, measurement, teardown.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

/* Whether the TD is in a state to answer; the TDR's own checks come first. */
u64 td_check(struct td *td, enum tdx_operand op, unsigned int op_states)
{
	if (td->fatal)
		return status(TDX_TD_FATAL, op);
	if (td->lifecycle == LC_HKID_ASSIGNED)
		return status(TDX_TD_KEYS_NOT_CONFIGURED, op);
	if (td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, op);
	if (td->num_tdcx < TDCS_PAGES)
		return status(TDX_TDCS_NOT_ALLOCATED, op);
	if (!(op_states & BIT(td->op_state)))
		return status(TDX_OP_STATE_INCORRECT, 0);
	return 0;
}

static u64 tdr_get(struct call *c, u64 tdr, enum tdx_operand op,
		   struct td **td)
{
	struct page *p;
	u64 err = pamt_get(c->m, tdr, op, PT_TDR, &p);

	if (err)
		return err;
	*td = p->owner;
	return lock_td(c, *td, op);
}

u64 td_get(struct call *c, u64 tdr, enum tdx_operand op,
	   unsigned int op_states, struct td **td)
{
	u64 err = tdr_get(c, tdr, op, td);

	return err ? err : td_check(*td, op, op_states);
}

void td_free(struct td *td)
{
	struct td **at = &td->m->tds;

	while (*at != td)
		at = &(*at)->next;
	*at = td->next;
	while (td->vcpus)
		vcpu_free(td->vcpus);
	sept_free(td);
	if (td->measurement)
		g_checksum_free(td->measurement);
	g_free(td->cpuid);
	g_free(td);
}

static enum hkid_state *hkid_slot(struct tdx_module *m, u64 hkid)
{
	u64 first = m->platform.num_mktme_keyids + 1;

	if (hkid < first || hkid - first >= m->platform.num_tdx_keyids)
		return NULL;
	return &m->hkids[hkid - first];
}

u64 mng_create(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 pa = c->gpr[TDX_RCX], hkid = c->gpr[TDX_RDX], err;
	enum hkid_state *slot = hkid_slot(m, hkid);
	struct page *p;
	struct td *td;

	err = pamt_get(m, pa, TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	if (!slot || hkid == m->global_keyid)
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (*slot != HKID_FREE)
		return status(TDX_HKID_NOT_FREE, TDX_OP_RDX);

	td = g_new0(struct td, 1);
	td->m = m;
	td->next = m->tds;
	m->tds = td;
	td->tdr_pa = pa;
	td->hkid = hkid;
	random_bytes(td->uuid, sizeof(td->uuid));
	*slot = HKID_ASSIGNED;
	pamt_assign(p, PT_TDR, td, NULL);
	return 0;
}

/* One package: the first call configures the key everywhere. */
u64 mng_key_config(struct call *c)
{
	struct td *td;
	u64 err = tdr_get(c, c->gpr[TDX_RCX], TDX_OP_RCX, &td);

	if (err)
		return err;
	if (td->lifecycle == LC_KEYS_CONFIGURED)
		return status(TDX_KEY_CONFIGURED, 0);
	if (td->lifecycle != LC_HKID_ASSIGNED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_RCX);
	td->lifecycle = LC_KEYS_CONFIGURED;
	return 0;
}

u64 mng_addcx(struct call *c)
{
	struct tdx_module *m = c->m;
	struct page *p;
	struct td *td;
	u64 err;

	err = tdr_get(c, c->gpr[TDX_RDX], TDX_OP_RDX, &td);
	if (err)
		return err;
	if (td->lifecycle == LC_HKID_ASSIGNED)
		return status(TDX_TD_KEYS_NOT_CONFIGURED, TDX_OP_RDX);
	if (td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_RDX);
	if (td->op_state != OP_UNINITIALIZED)
		return status(TDX_OP_STATE_INCORRECT, 0);
	if (td->num_tdcx >= TDCS_PAGES)
		return status(TDX_TDCX_NUM_INCORRECT, 0);
	err = pamt_get(m, c->gpr[TDX_RCX], TDX_OP_RCX, PT_NDA, &p);
	if (err)
		return err;
	pamt_assign(p, PT_TDCX, td, NULL);
	td->num_tdcx++;
	return 0;
}

static bool all_zero(const void *p, size_t len)
{
	const u8 *b = p;

	while (len--)
		if (*b++)
			return false;
	return true;
}

static u64 check_attributes(const struct tdx_module *m, u64 attributes)
{
	bool migratable = attributes & TD_ATTR_MIGRATABLE;
	bool perfmon = attributes & TD_ATTR_PERFMON;

	if (attributes & ~m->profile->attributes ||
	    (migratable && (perfmon || attributes & TD_ATTR_DEBUG)) ||
	    (perfmon && attributes & TD_ATTR_ICSSD))
		return status(TDX_OPERAND_INVALID, TDX_OP_ATTRIBUTES);
	return 0;
}

/* True if either all bits of @mask are set or none is. */
static bool all_or_none(u64 value, u64 mask)
{
	return !(value & mask) || (value & mask) == mask;
}

bool xfam_consistent(u64 xfam)
{
	return all_or_none(xfam, XFAM_AVX512) && all_or_none(xfam, XFAM_CET) &&
	       all_or_none(xfam, XFAM_AMX) &&
	       !(xfam & XFAM_AVX512 && !(xfam & XFAM_AVX)) &&
	       !(xfam & XFAM_AVX && !(xfam & XFAM_SSE));
}

static u64 check_xfam(struct tdx_module *m, u64 xfam)
{
	u64 allowed;

	if (sys_read(m, FIELD(CLASS_SYS_TD_CONF, 2), false, &allowed))
		abort();	/* XFAM_FIXED0 is in the table */
	if (xfam & ~allowed || !has_all(xfam, XFAM_X87 | XFAM_SSE) ||
	    !xfam_consistent(xfam))
		return status(TDX_OPERAND_INVALID, TDX_OP_XFAM);
	return 0;
}

/* The host may choose these bits of IA32_ARCH_CAPABILITIES, and force RRSBA. */
#define ARCH_CAP_CHOICE	(BIT(4) | BIT(20) | BIT(24))	/* SSB, BHI, PBRSB */
#define ARCH_CAP_RRSBA	BIT(19)

static u64 check_arch_capabilities(const struct tdx_module *m,
				   const struct td_params *p)
{
	bool configured = p->msr_config_ctls & 1;
	u64 allowed = ARCH_CAP_RRSBA |
		      (ARCH_CAP_CHOICE & m->platform.arch_capabilities);

	if (p->msr_config_ctls & ~1 ||
	    (configured && !has_feature(m, FEATURE_CONFIG_ARCH_CAP)))
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (p->arch_capabilities & ~(configured ? allowed : 0))
		return status(TDX_OPERAND_INVALID,
			      TDX_OP_ARCH_CAPABILITIES_CONFIG);
	return 0;
}

static u64 check_params(struct tdx_module *m, const struct td_params *p)
{
	u64 levels = p->eptp_controls >> 3 & 7, err;

	err = check_attributes(m, p->attributes);
	if (!err)
		err = check_xfam(m, p->xfam);
	if (err)
		return err;
	if (!p->max_vcpus || p->max_vcpus > MAX_VCPUS_PER_TD)
		return status(TDX_OPERAND_INVALID, TDX_OP_MAX_VCPUS);
	if (p->config_flags & ~profile_config_flags(m->profile))
		return status(TDX_OPERAND_INVALID, TDX_OP_CONFIG_FLAGS);
	if ((p->eptp_controls & ~0x38ull) != 6 || levels < 3 ||
	    levels > (m->profile->ept_5_levels ? 4 : 3) ||
	    (p->config_flags & CONFIG_GPAW && levels != 4))
		return status(TDX_OPERAND_INVALID, TDX_OP_EPTP_CONTROLS);
	if (p->tsc_frequency < 4 || p->tsc_frequency > 400)
		return status(TDX_OPERAND_INVALID, TDX_OP_TSC_FREQUENCY);
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

u64 mng_init(struct call *c)
{
	struct tdx_module *m = c->m;
	u64 tsc = m->ops.tsc(m->opaque), hz = m->ops.tsc_hz(m->opaque);
	u64 bad = 0, err;
	struct td_params p;
	struct td *td;

	err = td_get(c, c->gpr[TDX_RCX], TDX_OP_RCX, BIT(OP_UNINITIALIZED), &td);
	if (err)
		return err;
	if (c->gpr[TDX_RDX] % TD_PARAMS_SIZE ||
	    c->gpr[TDX_RDX] >> m->platform.keyid_shift)
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (!m->ops.read(m->opaque, c->gpr[TDX_RDX], &p, sizeof(p)))
		return status(TDX_OPERAND_ADDR_RANGE_ERROR, TDX_OP_RDX);

	err = check_params(m, &p);
	if (err)
		return err;
	td->attributes = p.attributes;
	td->xfam = p.xfam;
	td->max_vcpus = p.max_vcpus;
	td->eptp_controls = p.eptp_controls;
	td->config_flags = p.config_flags;
	td->gpaw_52 = p.config_flags & CONFIG_GPAW;
	td->tsc_frequency = p.tsc_frequency;
	td->arch_capabilities = p.msr_config_ctls & 1 ? p.arch_capabilities :
				m->platform.arch_capabilities &
				(ARCH_CAP_CHOICE | ARCH_CAP_RRSBA);
	err = cpuid_build(td, &p, &bad);
	if (err) {
		c->gpr[TDX_RCX] = bad;
		return err;
	}

	/* The TD's clock starts at 0 and runs at TSC_FREQUENCY. */
	td->tsc_multiplier = ((__uint128_t)p.tsc_frequency * 25000000
			      << 48) / hz;
	td->tsc_offset = -(u64)((__uint128_t)tsc * td->tsc_multiplier
				>> 48);
	td->td_ctls = p.attributes & TD_ATTR_SEPT_VE_DISABLE ?
		      TD_CTLS_PENDING_VE_DISABLE : 0;
	td->topology_configured = has_feature(m, FEATURE_TOPOLOGY_ENUM);
	td->ve_reduction_valid = has_feature(m, FEATURE_VE_REDUCTION);
	memcpy(td->mrconfigid, p.mrconfigid, sizeof(td->mrconfigid));
	memcpy(td->mrowner, p.mrowner, sizeof(td->mrowner));
	memcpy(td->mrownerconfig, p.mrownerconfig, sizeof(td->mrownerconfig));
	td->measurement = g_checksum_new(G_CHECKSUM_SHA384);
	td->op_state = OP_INITIALIZED;
	c->gpr[TDX_RCX] = 0;
	return 0;
}

u64 mng_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], value = 0, err;
	struct td *td;

	err = td_get(c, c->gpr[TDX_RCX], TDX_OP_RCX,
		     BIT(OP_INITIALIZED) | BIT(OP_RUNNABLE), &td);
	if (!err)
		err = td_read(td, id, false, &value);
	c->gpr[TDX_R8] = value;
	if (c->version && !failed(err))
		c->gpr[TDX_RDX] = td_next(td, id, false);
	return err;
}

u64 mng_vpflushdone(struct call *c)
{
	struct td *td;
	u64 err = tdr_get(c, c->gpr[TDX_RCX], TDX_OP_RCX, &td);

	if (err)
		return err;
	if (td->lifecycle != LC_HKID_ASSIGNED &&
	    td->lifecycle != LC_KEYS_CONFIGURED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_RCX);
	if (td->num_associated)
		return status(TDX_FLUSHVP_NOT_DONE, 0);
	td->lifecycle = LC_BLOCKED;
	*hkid_slot(c->m, td->hkid) = HKID_FLUSHED;
	return 0;
}

/*
 * There is no cache: what was flushed is written back at once, unless the call
 * is to be interrupted.  RCX is 1 to resume it then, and at no other time.
 */
u64 phymem_cache_wb(struct call *c)
{
	struct tdx_module *m = c->m;
	bool ready = false;
	unsigned int i;

	if (c->gpr[TDX_RCX] > 1)
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (c->gpr[TDX_RCX] && !m->wb_interrupted)
		return status(TDX_WBCACHE_RESUME_ERROR, 0);
	m->wb_interrupted = c->interrupted;
	if (c->interrupted)
		return status(TDX_INTERRUPTED_RESUMABLE, 0);
	for (i = 0; i < m->platform.num_tdx_keyids; i++) {
		if (m->hkids[i] != HKID_FLUSHED)
			continue;
		m->hkids[i] = HKID_WRITTEN_BACK;
		ready = true;
	}
	return ready ? 0 : status(TDX_NO_HKID_READY_TO_WBCACHE, 0);
}

u64 mng_key_freeid(struct call *c)
{
	enum hkid_state *slot;
	struct td *td;
	u64 err = tdr_get(c, c->gpr[TDX_RCX], TDX_OP_RCX, &td);

	if (err)
		return err;
	if (td->lifecycle != LC_BLOCKED)
		return status(TDX_LIFECYCLE_STATE_INCORRECT, TDX_OP_RCX);
	slot = hkid_slot(c->m, td->hkid);
	if (*slot != HKID_WRITTEN_BACK)
		return status(TDX_WBCACHE_NOT_COMPLETE, TDX_OP_WBCACHE);
	*slot = HKID_FREE;
	td->lifecycle = LC_TEARDOWN;
	return 0;
}

u64 mr_finalize(struct call *c)
{
	struct td *td;
	gsize len = sizeof(td->mrtd);
	u64 err = td_get(c, c->gpr[TDX_RCX], TDX_OP_RCX,
			 BIT(OP_INITIALIZED), &td);

	if (err)
		return err;
	if (!td->num_vcpus)
		return status(TDX_NO_VCPUS, 0);
	g_checksum_get_digest(td->measurement, td->mrtd, &len);
	g_checksum_free(td->measurement);
	td->measurement = NULL;
	td->op_state = OP_RUNNABLE;
	return 0;
}
