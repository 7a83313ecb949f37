// SPDX-License-Identifier: GPL-2.0
/* The metadata fields of a vCPU of a production TD. */
#include "fields.h"
#include "td_cpuid.h"

enum storage {
	VMCS32, SHARED_EPTP, PI_DESC, PEND_NMI, STATE_DETAILS, INDEX,
	SUPERVISOR_VE, USER_VE, CPUID_CONTROL,
};

static const struct field {
	u64 id;
	const char *name;
	enum storage where;
	enum vmcs_field slot;	/* VMCS32 */
	enum access access;	/* to read, and to write what is writable */
	u64 writable;
	u8 bytes;
} fields[] = {
	{ 0x0000000000000002, "posted-interrupt notification vector",
	  VMCS32, VMCS_PI_VECTOR, HOST, 0xffff, 2 },
	{ 0x0000000000002016, "posted-interrupt descriptor address",
	  PI_DESC, 0, HOST, ~0x3full, 8 },
	{ 0x000000000000203c, "shared EPT pointer",
	  SHARED_EPTP, 0, HOST, 0xffffffffff000, 8 },
	{ 0x0000000000004000, "pin-based VM-execution controls",
	  VMCS32, VMCS_PIN_CONTROLS, HOST, PIN_POSTED_INTERRUPTS, 4 },
	{ 0x000000000000401e, "secondary processor-based controls",
	  VMCS32, VMCS_PROC2_CONTROLS, HOST, PROC2_BUS_LOCK | PROC2_NOTIFY, 4 },
	{ 0x0000000000004024, "notification window",
	  VMCS32, VMCS_NOTIFY_WINDOW, HOST, 0xffffffff, 4 },
	{ 0x9120000300000100, "VCPU_STATE_DETAILS", STATE_DETAILS, 0, HOST, 0, 8 },
	{ 0xa020000200000002, "VCPU_INDEX", INDEX, 0, GUEST, 0, 4 },
	{ 0xa020000000000007, "CPUID_SUPERVISOR_VE", SUPERVISOR_VE, 0, GUEST, 1, 1 },
	{ 0xa020000000000008, "CPUID_USER_VE", USER_VE, 0, GUEST, 1, 1 },
	{ 0xa02000000000000b, "PEND_NMI", PEND_NMI, 0, HOST, 0xff, 1 },
	{ 0xa120000000000000, "CPUID_CONTROL", CPUID_CONTROL, 0, GUEST,
	  CPUID_CONTROL_SUPERVISOR | CPUID_CONTROL_USER, 1 },
};

static unsigned int count(const struct field *f)
{
	return f->where == CPUID_CONTROL ? CPUID_MAX_ROWS : 1;
}

static const struct field *find(u64 id, unsigned int *element)
{
	const struct field *f;

	if (id & ID_MUST_BE_ZERO)
		return NULL;
	for (f = fields; f < fields + ARRAY_SIZE(fields); f++) {
		*element = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) &&
		    ID_CODE(id) >= ID_CODE(f->id) && *element < count(f))
			return f;
	}
	return NULL;
}

u64 vp_next(u64 id, enum access by)
{
	const struct field *f = fields;
	unsigned int element;

	if (id != FIRST_FIELD) {
		f = find(id, &element);
		if (!f)
			return NO_FIELD;
		if (element + 1 < count(f))
			return f->id + element + 1;
		f++;
	}
	for (; f < fields + ARRAY_SIZE(fields); f++)
		if (f->access & by)
			return f->id;
	return NO_FIELD;
}

static u64 get(const struct tdx_vcpu *v, const struct field *f,
	       unsigned int element)
{
	const struct tdx_module *m = v->td->m;

	switch (f->where) {
	case VMCS32:
		return v->vmcs[f->slot];
	case SHARED_EPTP:
		return v->shared_eptp;
	case PI_DESC:
		return v->pi_desc;
	case PEND_NMI:
		return v->pend_nmi;
	case STATE_DETAILS:	/* bit 0: an interrupt would be delivered */
		return v->state_of_cpu &&
		       m->ops.interrupt_pending(m->opaque, v->state_of_cpu);
	case INDEX:
		return v->index;
	case SUPERVISOR_VE:
		return v->cpuid_supervisor_ve;
	case USER_VE:
		return v->cpuid_user_ve;
	case CPUID_CONTROL:
		return v->cpuid_control[element];
	}
	return 0;
}

static void set(struct tdx_vcpu *v, const struct field *f, unsigned int element,
		u64 value)
{
	switch (f->where) {
	case VMCS32:
		v->vmcs[f->slot] = value;
		break;
	case SHARED_EPTP:
		v->shared_eptp = value;
		break;
	case PI_DESC:
		v->pi_desc = value;
		break;
	case PEND_NMI:
		v->pend_nmi = value;
		break;
	case SUPERVISOR_VE:
		v->cpuid_supervisor_ve = value;
		break;
	case USER_VE:
		v->cpuid_user_ve = value;
		break;
	case CPUID_CONTROL:
		v->cpuid_control[element] = value;
		break;
	case STATE_DETAILS:
	case INDEX:
		break;	/* not writable, see the table */
	}
}

u64 vp_read(struct tdx_vcpu *v, u64 id, enum access by, u64 *value)
{
	unsigned int element;
	const struct field *f = find(id, &element);

	*value = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	if (!(f->access & by))
		return status(TDX_METADATA_FIELD_NOT_READABLE, 0);
	*value = get(v, f, element);
	return 0;
}

/* The encodings of these fields, which a status names. */
#define ENCODING_PI_VECTOR	0x0002
#define ENCODING_PI_DESC	0x2016

/* What these are before they are written. */
#define PI_VECTOR_UNSET		0xffff
#define PI_DESC_UNSET		(~0ull)

#define MAX_VECTOR		0xff

void vp_init_fields(struct tdx_vcpu *v)
{
	v->vmcs[VMCS_PI_VECTOR] = PI_VECTOR_UNSET;
	v->pi_desc = PI_DESC_UNSET;
}

static u64 check_pin_controls(const struct tdx_vcpu *v, u64 value)
{
	if (!(value & PIN_POSTED_INTERRUPTS))
		return 0;
	if (v->vmcs[VMCS_PI_VECTOR] == PI_VECTOR_UNSET)
		return status(TDX_TD_VMCS_FIELD_NOT_INITIALIZED,
			      ENCODING_PI_VECTOR);
	if (v->pi_desc == PI_DESC_UNSET)
		return status(TDX_TD_VMCS_FIELD_NOT_INITIALIZED,
			      ENCODING_PI_DESC);
	return 0;
}

/* Whether the field may have the value. */
static u64 check_value(const struct tdx_vcpu *v, const struct field *f, u64 value)
{
	bool valid = true;

	if (f->where == SHARED_EPTP || f->where == PI_DESC)
		valid = is_shared_address(v->td->m, value);
	else if (f->where == VMCS32 && f->slot == VMCS_PI_VECTOR)
		valid = value <= MAX_VECTOR;
	else if (f->where == VMCS32 && f->slot == VMCS_PIN_CONTROLS)
		return check_pin_controls(v, value);
	return valid ? 0 : status(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0);
}

/* The value that a write begins with. */
static u64 value_to_change(const struct field *f, u64 old, u64 mask)
{
	if (mask == ~0ull >> (64 - 8 * f->bytes))
		return 0;
	return f->where == PI_DESC && old == PI_DESC_UNSET ? old & f->writable :
							     old;
}

u64 vp_write(struct tdx_vcpu *v, u64 id, enum access by, u64 value, u64 mask,
	     u64 *old)
{
	unsigned int element;
	const struct field *f = find(id, &element);
	u64 was, new, err;

	*old = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	if (!(f->access & by) || !(mask & f->writable))
		return status(TDX_METADATA_FIELD_NOT_WRITABLE, 0);
	was = get(v, f, element);
	new = value_to_change(f, was, mask & f->writable);
	if ((new ^ value) & mask & ~f->writable)
		return status(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0);
	mask &= f->writable;
	new = (new & ~mask) | (value & mask);
	err = check_value(v, f, new);
	if (err)
		return err;
	*old = was;
	set(v, f, element, new);
	return 0;
}
