// SPDX-License-Identifier: GPL-2.0
/* The metadata fields of a TD, and CPUID_VALUES. */
#include <string.h>

#include "fields.h"
#include "td_cpuid.h"

struct td_field {
	u64 id;
	u16 offset, size;	/* in struct td: bytes; size of an element */
	u16 count;		/* elements, with consecutive ids */
	enum access read;
	u64 writable;		/* by the guest; TD_CTLS: see the profile */
	u64 feature;		/* of TDX_FEATURES0 that the field needs, or 0 */
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
	TD_FIELD(0x9110000300000010, notify_enables, 1, GUEST,
		 NOTIFY_ZERO_STEP),
	TD_FIELD(0x1110000300000016, config_flags, 1, BOTH),
	TD_FIELD(0x1110000300000017, td_ctls, 1, GUEST, ~0ull),
	TD_FIELD(0x9110000000000019, topology_configured, 1, GUEST),
	TD_FIELD(0x911000000000001A, ve_reduction_valid, 1, GUEST, 0,
		 FEATURE_VE_REDUCTION),
	TD_FIELD(0x9110000300000022, paravirt_ctrl, 1, GUEST,
		 BIT(NUM_FEATURES) - 1, FEATURE_VE_REDUCTION),
	TD_FIELD(0x1310000300000000, mrtd, 6, GUEST),
	TD_FIELD(0x1310000300000010, mrconfigid, 6, GUEST),
	TD_FIELD(0x1310000300000018, mrowner, 6, GUEST),
	TD_FIELD(0x1310000300000020, mrownerconfig, 6, GUEST),
	TD_FIELD(0x1310000300000040, rtmr, 24, GUEST),
	/* Always 0: no service TD can be bound. */
	TD_FIELD(0x9810000300000040, pre_import_uuid, 4, GUEST),
	TD_FIELD(0x9910000300000000, servtd_hash, 6, GUEST),
	TD_FIELD(0x9910000100000006, num_servtds, 1, GUEST),
};

static bool is_there(const struct td *td, const struct td_field *f)
{
	return !f->feature || has_feature(td->m, f->feature);
}

static const struct td_field *find(const struct td *td, u64 id,
				   unsigned int *element)
{
	const struct td_field *f;

	if (id & ID_MUST_BE_ZERO)
		return NULL;
	for (f = td_fields; f < td_fields + ARRAY_SIZE(td_fields); f++) {
		*element = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) &&
		    ID_CODE(id) >= ID_CODE(f->id) && *element < f->count &&
		    is_there(td, f))
			return f;
	}
	return NULL;
}

/* Class and code of CPUID_VALUES. */
#define CLASS_CPUID_VALUES		0x14
#define CPUID_CODE_HALF(code)		((code) & 1)	/* EAX, EBX or ECX, EDX */
#define CPUID_CODE_SUBLEAF(code)	((code) >> 1 & 0x7f)
#define CPUID_CODE_NO_SUBLEAF(code)	((code) & BIT(8))
#define CPUID_CODE_LEAF(code)		((code) >> 9 & 0x7f)
#define CPUID_CODE_EXTENDED(code)	((code) & BIT(16))
#define CPUID_CODE_RESERVED(code)	((code) >> 17)

static u64 cpuid_read(const struct td *td, u64 id, u64 *value)
{
	u32 code = ID_CODE(id), half = CPUID_CODE_HALF(code);
	u32 leaf = CPUID_CODE_LEAF(code) |
		   (CPUID_CODE_EXTENDED(code) ? 0x80000000 : 0);
	const u32 *v = cpuid_lookup(td, leaf, CPUID_CODE_SUBLEAF(code),
				    CPUID_CODE_NO_SUBLEAF(code));

	if (CPUID_CODE_RESERVED(code) || !v)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	*value = v[2 * half] | (u64)v[2 * half + 1] << 32;
	return 0;
}

u64 td_read(struct td *td, u64 id, enum access by, u64 *value)
{
	const struct td_field *f;
	unsigned int element;

	*value = 0;
	if (by == HOST && ID_CLASS(id) == CLASS_CPUID_VALUES && !(id & ID_MUST_BE_ZERO))
		return cpuid_read(td, id, value);
	f = find(td, id, &element);
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	if (!(f->read & by))
		return status(TDX_METADATA_FIELD_NOT_READABLE, 0);
	memcpy(value, (u8 *)td + f->offset + element * f->size, f->size);
	return 0;
}

u64 td_next(const struct td *td, u64 id, enum access by)
{
	const struct td_field *f = td_fields;
	unsigned int element;

	if (id != FIRST_FIELD) {
		f = find(td, id, &element);
		if (!f)
			return NO_FIELD;
		if (element + 1 < f->count)
			return f->id + element + 1;
		f++;
	}
	for (; f < td_fields + ARRAY_SIZE(td_fields); f++)
		if (f->read & by && is_there(td, f))
			return f->id;
	return NO_FIELD;
}

/* What TD_CTLS becomes if the guest writes @new, or an error. */
static u64 td_ctls_write(const struct td *td, u64 *new)
{
	u64 changed = td->td_ctls ^ *new;

	if (changed & TD_CTLS_PENDING_VE_DISABLE &&
	    !(td->config_flags & CONFIG_FLEXIBLE_VE))
		return status(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0);
	if (*new & TD_CTLS_REDUCE_VE)
		*new |= TD_CTLS_ENUM_TOPOLOGY | TD_CTLS_VIRT_CPUID2;
	if (*new & TD_CTLS_ENUM_TOPOLOGY && !td->topology_configured)
		return status(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0);
	return 0;
}

/* TD_CTLS.LOCK covers these fields.  Writing what is there is no change. */
static bool is_locked(const struct td *td, const u64 *field, u64 new)
{
	return (field == &td->td_ctls || field == &td->paravirt_ctrl) &&
	       td->td_ctls & TD_CTLS_LOCK && new != *field;
}

u64 td_write(struct td *td, u64 id, u64 value, u64 mask, u64 *old)
{
	unsigned int element;
	const struct td_field *f = find(td, id, &element);
	u64 new, err, writable, *field;

	*old = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	field = (u64 *)((u8 *)td + f->offset);
	writable = field == &td->td_ctls ? td->m->profile->td_ctls : f->writable;
	if (!(mask & writable))
		return status(TDX_METADATA_FIELD_NOT_WRITABLE, 0);
	if ((*field ^ value) & mask & ~writable)
		return status(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0);
	mask &= writable;
	new = (*field & ~mask) | (value & mask);
	if (is_locked(td, field, new))
		return status(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0);
	if (field == &td->td_ctls) {
		err = td_ctls_write(td, &new);
		if (err)
			return err;
	}
	*old = *field;
	*field = new;
	return 0;
}
