// SPDX-License-Identifier: GPL-2.0
/*
 * Metadata: the global fields (TDH.SYS.RD, TDG.SYS.RD) and those of a TD
 * (TDH.MNG.RD, TDG.VM.RD and WR).  A field is found by class and code; the rest
 * of an id says how wide it is and is only checked to be sane.
 */
#include <string.h>

#include "internal.h"

/* Global fields: constants of the profile, or computed. */
enum sys_value {
	SV_CONST, SV_MINOR, SV_MAJOR, SV_UPDATE, SV_FEATURES0, SV_ATTRIBUTES,
	SV_XFAM, SV_CONFIG_FLAGS, SV_NUM_CPUID, SV_CPUID_LEAF, SV_CPUID_VALUE,
};

struct sys_field {
	u64 id;			/* as Linux and the guest write it */
	enum sys_value kind;
	u64 value;
	enum access access;
	unsigned int count;	/* elements; 0 counts the CPUID slots */
};

static const struct sys_field sys_fields[] = {
	{ 0x0800000200000000, SV_CONST, 0x8086, BOTH, 1 },	/* VENDOR_ID */
	{ 0x0800000100000003, SV_MINOR, 0, BOTH, 1 },
	{ 0x0800000100000004, SV_MAJOR, 0, BOTH, 1 },
	{ 0x0800000100000005, SV_UPDATE, 0, HOST, 1 },
	{ 0x0A00000200000000, SV_CONST, 0, BOTH, 1 },	/* SYS_ATTRIBUTES */
	{ 0x0A00000000000001, SV_CONST, 1, BOTH, 1 },	/* NUM_TDX_FEATURES */
	{ 0x0A00000300000008, SV_FEATURES0, 0, BOTH, 1 },
	{ 0x9100000100000008, SV_CONST, MAX_TDMRS, HOST, 1 },
	{ 0x9100000100000009, SV_CONST, MAX_RESERVED_PER_TDMR, HOST, 1 },
	{ 0x9100000100000010, SV_CONST, PAMT_ENTRY_SIZE, HOST, 1 },	/* 4K */
	{ 0x9100000100000011, SV_CONST, PAMT_ENTRY_SIZE, HOST, 1 },	/* 2M */
	{ 0x9100000100000012, SV_CONST, PAMT_ENTRY_SIZE, HOST, 1 },	/* 1G */
	{ 0x9800000100000000, SV_CONST, PAGE_SIZE, HOST, 1 },	/* TDR */
	{ 0x9800000100000100, SV_CONST, TDCS_PAGES * PAGE_SIZE, HOST, 1 },
	{ 0x9800000100000200, SV_CONST, TDVPS_PAGES * PAGE_SIZE, HOST, 1 },
	{ 0x1900000300000000, SV_ATTRIBUTES, 0, HOST, 1 },	/* FIXED0 */
	{ 0x1900000300000001, SV_CONST, 0, HOST, 1 },		/* FIXED1 */
	{ 0x1900000300000002, SV_XFAM, 0, HOST, 1 },		/* FIXED0 */
	{ 0x1900000300000003, SV_CONST, 3, HOST, 1 },		/* FIXED1 */
	{ 0x9900000100000004, SV_NUM_CPUID, 0, HOST, 1 },
	{ 0x9900000300000006, SV_CONFIG_FLAGS, 0, HOST, 1 },
	{ 0x9900000100000008, SV_CONST, MAX_VCPUS_PER_TD, HOST, 1 },
	{ 0x9900000300000400, SV_CPUID_LEAF, 0, HOST, 0 },
	{ 0x9900000300000500, SV_CPUID_VALUE, 0, HOST, 0 },
	{ 0x8900000100000000, SV_CONST, 0, HOST, 1 },	/* MODULE_HV */
	/* Nothing can be migrated, and there are no L2 VMs. */
	{ 0xA000000300000000, SV_CONST, 0, BOTH, 1 },	/* MIG_ATTRIBUTES */
	{ 0x2000000100000001, SV_CONST, 0, BOTH, 4 },	/* MIG versions */
	{ 0xA200000100000000, SV_CONST, 0, BOTH, 1 },	/* L2_GPA_ATTR_MASK */
};

static u64 native_xfam(const struct tdx_module *m)
{
	const u32 *user = cpuid_native(m, 0xd, 0);
	const u32 *supervisor = cpuid_native(m, 0xd, 1);

	return (XFAM_USER | XFAM_SUPERVISOR) & (user[0] | (u64)user[3] << 32 | supervisor[2] |
			     (u64)supervisor[3] << 32);
}

static unsigned int sys_count(const struct tdx_module *m,
			      const struct sys_field *f)
{
	unsigned int slots = cpuid_num_configs(m);

	if (f->count)
		return f->count;
	return f->kind == SV_CPUID_VALUE ? 2 * slots : slots;
}

static u64 sys_value(struct tdx_module *m, const struct sys_field *f,
		     unsigned int element)
{
	const struct tdx_profile *p = m->profile;
	u32 v[4];

	switch (f->kind) {
	case SV_CONST:
		return f->value;
	case SV_MINOR:
		return p->minor;
	case SV_MAJOR:
		return p->major;
	case SV_UPDATE:
		return p->update;
	case SV_FEATURES0:
		return p->features0;
	case SV_ATTRIBUTES:
		return p->attributes;
	case SV_XFAM:
		return native_xfam(m);
	case SV_CONFIG_FLAGS:
		return profile_config_flags(p);
	case SV_NUM_CPUID:
		return cpuid_num_configs(m);
	case SV_CPUID_LEAF:
		return cpuid_config_leaf(m, element);
	case SV_CPUID_VALUE:
		cpuid_config_value(m, element / 2, v);
		return element % 2 ? v[2] | (u64)v[3] << 32 :
				     v[0] | (u64)v[1] << 32;
	}
	return 0;
}

static const struct sys_field *sys_find(const struct tdx_module *m, u64 id,
					unsigned int *element)
{
	const struct sys_field *f;

	if (id & ID_MUST_BE_ZERO)
		return NULL;
	for (f = sys_fields; f < sys_fields + ARRAY_SIZE(sys_fields); f++) {
		*element = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) &&
		    ID_CODE(id) >= ID_CODE(f->id) && *element < sys_count(m, f))
			return f;
	}
	return NULL;
}

u64 sys_read(struct tdx_module *m, u64 id, bool guest, u64 *value)
{
	unsigned int element;
	const struct sys_field *f = sys_find(m, id, &element);

	*value = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	if (!may(f->access, guest))
		return status(TDX_METADATA_FIELD_NOT_READABLE, TDX_OP_RDX);
	*value = sys_value(m, f, element);
	return 0;
}

/* The id after @id that can be read, the first one for FIRST_FIELD. */
u64 sys_next(struct tdx_module *m, u64 id, bool guest)
{
	const struct sys_field *f = sys_fields;
	unsigned int element;

	if (id != FIRST_FIELD) {
		f = sys_find(m, id, &element);
		if (element + 1 < sys_count(m, f))
			return f->id + element + 1;
		f++;
	}
	for (; f < sys_fields + ARRAY_SIZE(sys_fields); f++)
		if (may(f->access, guest))
			return f->id;
	return NO_FIELD;
}

static u64 do_sys_rd(struct call *c, bool guest)
{
	u64 id = c->gpr[TDX_RDX], value = 0, err;

	c->gpr[TDX_R8] = 0;
	if (id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = sys_next(c->m, id, guest);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = sys_read(c->m, id, guest, &value);
	c->gpr[TDX_R8] = value;
	c->gpr[TDX_RDX] = err ? NO_FIELD : sys_next(c->m, id, guest);
	return err;
}

u64 sys_rd(struct call *c)
{
	if (c->m->sys_state == SYS_INIT_PENDING)
		return status(TDX_SYS_NOT_READY, 0);
	return do_sys_rd(c, false);
}

u64 tdg_sys_rd(struct call *c)
{
	return do_sys_rd(c, true);
}

/*
 * A metadata list as TDG.SYS.RDALL writes it: its size and number of sequences,
 * then for each field an id that tells how many elements follow.
 */
#define ID_LAST_ELEMENT(n)	((u64)(n) << 34)

u64 tdg_sys_rdall(struct call *c)
{
	u64 id = c->gpr[TDX_R8], list[PAGE_SIZE / 8] = { 0 }, sequences = 0, err;
	unsigned int used = 1, element, i;
	const struct sys_field *f;

	c->gpr[TDX_R8] = NO_FIELD;
	err = guest_operand(c, c->gpr[TDX_RDX], PAGE_SIZE, true, TDX_OP_RDX);
	if (err)
		return err;
	if (id == FIRST_FIELD)
		id = sys_next(c->m, id, true);
	f = sys_find(c->m, id, &element);
	if (!f || element)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_R8);
	if (!may(f->access, true))
		return status(TDX_METADATA_FIELD_NOT_READABLE, TDX_OP_R8);
	while (id != NO_FIELD) {
		unsigned int n;

		f = sys_find(c->m, id, &element);
		n = sys_count(c->m, f);
		if (used + 1 + n > ARRAY_SIZE(list))
			break;
		list[used++] = f->id | ID_LAST_ELEMENT(n - 1);
		for (i = 0; i < n; i++)
			list[used++] = sys_value(c->m, f, i);
		sequences++;
		id = sys_next(c->m, f->id + n - 1, true);
	}
	list[0] = used * 8 | sequences << 16;
	if (guest_write(c, c->gpr[TDX_RDX], list, sizeof(list)))
		c->gpr[TDX_R8] = id;
	return 0;
}

/* Fields of a TD: where they lie in struct td, and who may do what. */
struct td_field {
	u64 id;
	u16 offset, size;	/* bytes; size of one element */
	u16 count;
	enum access read;
	u64 writable;		/* by the guest, see td_write() */
	u64 feature;		/* of TDX_FEATURES0, without which it is not there */
};

#define TD_FIELD(id, member, n, access, ...)				\
	{ id, offsetof(struct td, member),				\
	  sizeof(((struct td *)0)->member) / (n), n, access, __VA_ARGS__ }

static const struct td_field td_fields[] = {
	TD_FIELD(0x8010000300000020, uuid, 4, GUEST),
	TD_FIELD(0x9010000200000001, num_vcpus, 1, BOTH),
	TD_FIELD(0x9010000100000005, num_l2_vms, 1, BOTH),
	TD_FIELD(0x1110000300000000, attributes, 1, BOTH),
	TD_FIELD(0x1110000300000001, xfam, 1, BOTH),
	TD_FIELD(0x1110000200000002, max_vcpus, 1, BOTH),
	TD_FIELD(0x1110000000000003, gpaw_52, 1, BOTH),
	TD_FIELD(0x1110000300000004, eptp_controls, 1, HOST),
	TD_FIELD(0x111000030000000A, tsc_offset, 1, HOST),
	TD_FIELD(0x111000030000000B, tsc_multiplier, 1, HOST),
	TD_FIELD(0x111000010000000C, tsc_frequency, 1, BOTH),
	TD_FIELD(0x9110000300000010, notify_enables, 1, GUEST, 1),
	TD_FIELD(0x1110000300000016, config_flags, 1, BOTH),
	TD_FIELD(0x1110000300000017, td_ctls, 1, GUEST, ~0ull),
	TD_FIELD(0x9110000000000019, topology_configured, 1, GUEST),
	TD_FIELD(0x911000000000001A, ve_reduction_valid, 1, GUEST, 0,
		 FEATURE_VE_REDUCTION),
	TD_FIELD(0x9110000300000022, paravirt_ctrl, 1, GUEST,
		 BIT(F_LAST + 1) - 1, FEATURE_VE_REDUCTION),
	TD_FIELD(0x1310000300000000, mrtd, 6, GUEST),
	TD_FIELD(0x1310000300000010, mrconfigid, 6, GUEST),
	TD_FIELD(0x1310000300000018, mrowner, 6, GUEST),
	TD_FIELD(0x1310000300000020, mrownerconfig, 6, GUEST),
	TD_FIELD(0x1310000300000040, rtmr, 24, GUEST),
	/* No service TD is ever bound: all of these read 0. */
	TD_FIELD(0x9810000300000040, pre_import_uuid, 4, GUEST),
	TD_FIELD(0x9910000300000000, servtd_hash, 6, GUEST),
	TD_FIELD(0x9910000100000006, num_servtds, 1, GUEST),
};

static bool td_field_there(const struct td *td, const struct td_field *f)
{
	return !f->feature || has_feature(td->m, f->feature);
}

static const struct td_field *td_find(const struct td *td, u64 id,
				      unsigned int *element)
{
	const struct td_field *f;

	if (id & ID_MUST_BE_ZERO)
		return NULL;
	for (f = td_fields; f < td_fields + ARRAY_SIZE(td_fields); f++) {
		*element = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) &&
		    ID_CODE(id) >= ID_CODE(f->id) && *element < f->count &&
		    td_field_there(td, f))
			return f;
	}
	return NULL;
}

/*
 * CPUID_VALUES: the code packs leaf, subleaf and which half.  Element 0 is EAX
 * and EBX, element 1 is ECX and EDX.
 */
static u64 cpuid_read(const struct td *td, u64 id, u64 *value)
{
	u32 code = ID_CODE(id), half = code & 1;
	u32 leaf = (code >> 9 & 0x7f) | (code & BIT(16) ? 0x80000000 : 0);
	const u32 *v = cpuid_lookup(td, leaf, code >> 1 & 0x7f,
				    code & BIT(8));

	if (code >> 17 || !v)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	*value = v[2 * half] | (u64)v[2 * half + 1] << 32;
	return 0;
}

u64 td_read(struct td *td, u64 id, bool guest, u64 *value)
{
	const struct td_field *f;
	unsigned int element;

	*value = 0;
	if (!guest && ID_CLASS(id) == CLASS_TD_CPUID && !(id & ID_MUST_BE_ZERO))
		return cpuid_read(td, id, value);
	f = td_find(td, id, &element);
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	if (!may(f->read, guest))
		return status(TDX_METADATA_FIELD_NOT_READABLE, TDX_OP_RDX);
	memcpy(value, (u8 *)td + f->offset + element * f->size, f->size);
	return 0;
}

u64 td_next(struct td *td, u64 id, bool guest)
{
	const struct td_field *f = td_fields;
	unsigned int element;

	if (id != FIRST_FIELD) {
		f = td_find(td, id, &element);
		if (!f)
			return NO_FIELD;
		if (element + 1 < f->count)
			return f->id + element + 1;
		f++;
	}
	for (; f < td_fields + ARRAY_SIZE(td_fields); f++)
		if (may(f->read, guest) && td_field_there(td, f))
			return f->id;
	return NO_FIELD;
}

static u64 td_ctls_check(const struct td *td, u64 new)
{
	u64 changed = td->td_ctls ^ new;

	if ((changed && td->td_ctls & TD_CTLS_LOCK) ||
	    (changed & TD_CTLS_PENDING_VE_DISABLE &&
	     !(td->config_flags & CONFIG_FLEXIBLE_VE)) ||
	    (new & TD_CTLS_ENUM_TOPOLOGY && !td->topology_configured) ||
	    (new & TD_CTLS_REDUCE_VE && !td->ve_reduction_valid))
		return status(TDX_METADATA_FIELD_VALUE_NOT_VALID, TDX_OP_R8);
	return 0;
}

/* A write by the guest; the masked-out bits keep their value. */
u64 td_write(struct td *td, u64 id, u64 value, u64 mask, u64 *old)
{
	unsigned int element;
	const struct td_field *f = td_find(td, id, &element);
	u64 new, err, *field;

	*old = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_RDX);
	field = (u64 *)((u8 *)td + f->offset);
	mask &= field == &td->td_ctls ? td->m->profile->td_ctls : f->writable;
	if (!mask)
		return status(TDX_METADATA_FIELD_NOT_WRITABLE, TDX_OP_RDX);
	new = (*field & ~mask) | (value & mask);
	if (field == &td->td_ctls) {
		err = td_ctls_check(td, new);
		if (err)
			return err;
	}
	*old = *field;
	*field = new;
	return 0;
}

u64 tdg_vm_rd(struct call *c)
{
	u64 id = c->gpr[TDX_RDX], value = 0, err;
	struct td *td = c->vcpu->td;

	c->gpr[TDX_R8] = 0;
	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	if (c->version && id == FIRST_FIELD) {
		c->gpr[TDX_RDX] = td_next(td, id, true);
		return status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0);
	}
	err = td_read(td, id, true, &value);
	c->gpr[TDX_R8] = value;
	if (c->version)
		c->gpr[TDX_RDX] = err ? NO_FIELD : td_next(td, id, true);
	return err;
}

u64 tdg_vm_wr(struct call *c)
{
	u64 old = 0, err;

	if (c->gpr[TDX_RCX])
		return status(TDX_OPERAND_INVALID, TDX_OP_RCX);
	err = td_write(c->vcpu->td, c->gpr[TDX_RDX], c->gpr[TDX_R8],
		       c->gpr[TDX_R9], &old);
	c->gpr[TDX_R8] = old;
	return err;
}
