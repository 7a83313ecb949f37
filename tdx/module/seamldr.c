// SPDX-License-Identifier: GPL-2.0
/*
 * The P-SEAMLDR's leaves.  SEAMLDR.INSTALL and SEAMLDR.SHUTDOWN are sessions: each
 * LP calls once, the first call takes the module away, the last one does the work.
 */
#include <string.h>

#include "seamldr.h"
#include "sha384.h"
#include "system.h"
#include "tdh.h"

/* RDX of an INSTALL that failed: whether the old module is still there. */
enum { RECOVERABLE, UNRECOVERABLE };

/* Whether memory of the host's starts at @pa. */
static bool is_shared(const struct tdx_module *m, u64 pa, u64 alignment)
{
	return !(pa % alignment) && !(pa & keyid_mask(m));
}

u64 seamldr_info(struct call *c)
{
	struct tdx_module *m = c->m;
	const struct seamldr *s = &m->seamldr;
	struct seamldr_info info = {
		.vendor = 0x8086, .major = 1, .minor = 5,
		.updates_left = s->updates_left, .seamldr_ready = 1,
		.module_ready = m->loaded,
	};

	memcpy(info.module.mrseam, s->mrseam, sizeof(s->mrseam));
	info.module.tcb_svn[0] = s->minor_svn;
	info.module.tcb_svn[1] = s->major_svn;
	if (m->loaded || (s->flow != FLOW_NONE && s->was_loaded))
		info.module.valid = 0x1ff;
	if (!is_shared(m, c->gpr[TDX_RCX], sizeof(info)) ||
	    !m->ops.write(m->opaque, c->gpr[TDX_RCX], &info, sizeof(info)))
		return SEAMLDR_EBADPARAM;
	return 0;
}

/* Begins a session, or goes on with it.  Returns whether this is the last LP. */
static bool join(struct call *c, enum seamldr_flow flow)
{
	struct tdx_module *m = c->m;
	struct seamldr *s = &m->seamldr;

	if (s->flow == FLOW_NONE) {
		s->was_loaded = m->loaded;
		m->loaded = false;
		s->flow = flow;
	}
	s->called[c->lp] = true;
	return ++s->num_called == m->platform.num_lps;
}

static void end_session(struct tdx_module *m)
{
	struct seamldr *s = &m->seamldr;

	memset(s->called, 0, m->platform.num_lps * sizeof(s->called[0]));
	s->num_called = 0;
	s->flow = FLOW_NONE;
}

static u64 check_params(const struct tdx_module *m,
			const struct seamldr_params *p)
{
	unsigned int i;

	if (p->version || !all_zero(p->zero, sizeof(p->zero)) ||
	    p->scenario > SEAMLDR_UPDATE ||
	    !p->num_pages || p->num_pages > SEAMLDR_MAX_PAGES)
		return SEAMLDR_EBADPARAM;
	for (i = 0; i < p->num_pages; i++)
		if (!is_shared(m, p->page[i], PAGE_SIZE))
			return SEAMLDR_EBADPARAM;
	if (!is_shared(m, p->sigstruct, PAGE_SIZE) ||
	    (p->scenario == SEAMLDR_UPDATE && !m->seamldr.was_loaded))
		return SEAMLDR_EBADPARAM;
	return 0;
}

static bool is_well_formed(const struct seam_sigstruct *sig)
{
	return all_zero(sig->zero0, sizeof(sig->zero0)) &&
	       all_zero(sig->zero1, sizeof(sig->zero1)) && !sig->zero2 &&
	       all_zero(sig->zero3, sizeof(sig->zero3)) &&
	       sig->header_type == SEAM_HEADER_TYPE &&
	       sig->header_size == offsetof(struct seam_sigstruct, hash) / 4 &&
	       sig->header_version == SEAM_HEADER_VERSION &&
	       sig->key_size == sizeof(sig->modulus) / 4 &&
	       sig->modulus_size == sizeof(sig->modulus) / 4 &&
	       sig->exponent_size == 1 && sig->exponent == SEAM_EXPONENT &&
	       sig->vendor == 0x8086 && !sig->module_type && !sig->attributes &&
	       sig->size == sizeof(*sig) / 4 &&
	       sig->num_cpus <= ARRAY_SIZE(sig->cpus) &&
	       sig->min_handoff <= sig->handoff;
}

/* Whether the hash that stands for a signature is right. */
static bool is_signed(const struct seam_sigstruct *sig)
{
	const size_t body = offsetof(struct seam_sigstruct, hash);
	u8 hash[SHA384_SIZE];

	sha384(sig, offsetof(struct seam_sigstruct, modulus),
	       (const u8 *)sig + body, sizeof(*sig) - body, hash);
	return !memcmp(sig->signature, hash, sizeof(hash)) &&
	       all_zero(sig->signature + sizeof(hash),
			sizeof(sig->signature) - sizeof(hash));
}

static bool is_ours(const struct seam_sigstruct *sig)
{
	unsigned int i;

	for (i = 0; i < sizeof(sig->modulus); i++)
		if (sig->modulus[i] != SEAM_MODULUS)
			return false;
	return true;
}

#define STEPPING	0xfu

static bool supports_cpu(const struct tdx_module *m,
			 const struct seam_sigstruct *sig)
{
	u32 cpuid[4];
	unsigned int i;

	m->ops.cpuid(m->opaque, 1, 0, cpuid);
	for (i = 0; i < sig->num_cpus; i++)
		if (!((sig->cpus[i] ^ cpuid[0]) & ~STEPPING))
			return true;
	return false;
}

/* An older module may not take the place of a newer one. */
static u64 check_svn(const struct seamldr *s, const struct seam_sigstruct *sig,
		     enum seamldr_scenario scenario)
{
	bool other = sig->major_svn != s->major_svn;

	if (!sig->major_svn)
		return SEAMLDR_EUNSUPPORTED;
	if (scenario == SEAMLDR_UPDATE && other)
		return SEAMLDR_EUNSUPPORTED;
	if (scenario == SEAMLDR_UPDATE && sig->minor_svn < s->minor_svn)
		return SEAMLDR_EBADSIG;
	if (scenario == SEAMLDR_LOAD && s->dirty &&
	    (other || sig->minor_svn < s->minor_svn))
		return SEAMLDR_ECLEANUPREQ;
	return 0;
}

static u64 check_sigstruct(const struct tdx_module *m,
			   const struct seam_sigstruct *sig,
			   enum seamldr_scenario scenario)
{
	u64 err;

	if (!is_well_formed(sig) || !is_ours(sig))
		return SEAMLDR_EBADSIG;
	err = check_svn(&m->seamldr, sig, scenario);
	if (err)
		return err;
	if (sig->num_cpus && !supports_cpu(m, sig))
		return SEAMLDR_EUNSUPCPU;
	if (!sig->num_cpus || !is_signed(sig))
		return SEAMLDR_EBADSIG;
	return 0;
}

static u64 check_update(const struct tdx_module *m,
			const struct seam_sigstruct *sig)
{
	if (!m->seamldr.updates_left)
		return SEAMLDR_EBADCALL;
	if (!m->handoff_valid || m->handoff_version < sig->min_handoff ||
	    m->handoff_version > sig->handoff)
		return SEAMLDR_EBADHANDOFF;
	return 0;
}

/* Reads the pages of a module that @sig describes. */
static u64 read_module(const struct tdx_module *m,
		       const struct seamldr_params *p,
		       const struct seam_sigstruct *sig,
		       struct module_image *image)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA384);
	u8 page[PAGE_SIZE], hash[SHA384_SIZE];
	unsigned int i;

	for (i = 0; i < p->num_pages; i++) {
		if (!m->ops.read(m->opaque, p->page[i], page, sizeof(page)))
			return SEAMLDR_EBADPARAM;
		g_checksum_update(sum, page, sizeof(page));
		if (!i)
			memcpy(image, page, sizeof(*image));
	}
	sha384_digest(sum, hash);
	if (memcmp(hash, sig->hash, sizeof(hash)))
		return SEAMLDR_EBADHASH;
	/* A real one would have to be a relocatable ELF file. */
	if (memcmp(image->magic, MODULE_IMAGE_MAGIC, sizeof(image->magic)))
		return SEAMLDR_EBADPARAM;
	return 0;
}

/* The new module has the old one's profile, and a version of its own. */
static void start_module(struct tdx_module *m, const struct seam_sigstruct *sig,
			 const struct module_image *image)
{
	struct seamldr *s = &m->seamldr;

	m->replaced = *m->profile;
	m->replaced.major = image->major;
	m->replaced.minor = image->minor;
	m->replaced.update = image->update;
	m->profile = &m->replaced;
	s->major_svn = sig->major_svn;
	s->minor_svn = sig->minor_svn;
	memcpy(s->mrseam, sig->hash, sizeof(s->mrseam));
	s->updates_left--;
	s->dirty = true;
	m->loaded = true;
	system_restart(m);
}

/* What the last LP does.  Sets *lost if there is no module any more. */
static u64 install(struct call *c, bool *lost)
{
	struct tdx_module *m = c->m;
	struct seamldr_params p;
	struct seam_sigstruct sig;
	struct module_image image;
	u64 err;

	*lost = false;
	if (!is_shared(m, c->gpr[TDX_RCX], sizeof(p)) ||
	    !m->ops.read(m->opaque, c->gpr[TDX_RCX], &p, sizeof(p)))
		return SEAMLDR_EBADPARAM;
	err = check_params(m, &p);
	if (err)
		return err;
	if (!m->ops.read(m->opaque, p.sigstruct, &sig, sizeof(sig)))
		return SEAMLDR_EBADPARAM;
	err = check_sigstruct(m, &sig, p.scenario);
	if (!err && p.scenario == SEAMLDR_UPDATE)
		err = check_update(m, &sig);
	if (err)
		return err;
	*lost = true;
	m->seamldr.major_svn = m->seamldr.minor_svn = 0;
	memset(m->seamldr.mrseam, 0, sizeof(m->seamldr.mrseam));
	if (p.scenario == SEAMLDR_LOAD) {
		system_forget(m);
		m->seamldr.updates_left = SEAMLDR_MAX_UPDATES;
	}
	err = read_module(m, &p, &sig, &image);
	if (!err)
		start_module(m, &sig, &image);
	return err;
}

u64 seamldr_install(struct call *c)
{
	struct tdx_module *m = c->m;
	struct seamldr *s = &m->seamldr;
	bool lost = false;
	u64 err = 0;

	if (s->flow == FLOW_SHUTDOWN || s->called[c->lp]) {
		c->gpr[TDX_RDX] = RECOVERABLE;
		return SEAMLDR_EBADCALL;
	}
	if (join(c, FLOW_INSTALL)) {
		err = install(c, &lost);
		if (err && !lost)
			m->loaded = s->was_loaded;
		end_session(m);
	}
	c->gpr[TDX_RDX] = err && lost ? UNRECOVERABLE : RECOVERABLE;
	return err;
}

/* The last LP has to be the one that started the P-SEAMLDR: the first one. */
u64 seamldr_shutdown(struct call *c)
{
	struct seamldr *s = &c->m->seamldr;

	if (s->flow == FLOW_INSTALL)
		return SEAMLDR_EBADCALL;
	if (s->dirty)
		return SEAMLDR_ECLEANUPREQ;
	if (!s->called[c->lp])
		join(c, FLOW_SHUTDOWN);
	if (s->num_called < c->m->platform.num_lps)
		return 0;
	if (c->lp)
		return SEAMLDR_EBADCALL;
	s->present = false;
	return 0;
}
