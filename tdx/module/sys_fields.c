// SPDX-License-Identifier: GPL-2.0
/* The global metadata fields: constants, and what depends on the profile. */
#include "fields.h"
#include "rules.h"
#include "td_cpuid.h"

enum source {
	CONSTANT, MINOR, MAJOR, UPDATE, FEATURES0, ATTRIBUTES, XFAM,
	CONFIG_FLAGS, MAX_VCPUS, TDCS_SIZE, NUM_CPUID_CONFIGS,
	CPUID_CONFIG_LEAF, CPUID_CONFIG_VALUE,
};

#define EACH_CPUID_CONFIG	0	/* as a count */

struct sys_field {
	u64 id;			/* as Linux and the guest write it */
	const char *name;
	enum source source;
	u64 value;		/* CONSTANT */
	enum access access;
	unsigned int count;	/* elements, with consecutive ids */
};

/* Of each release; see sys_fields_init(). */
static const struct sys_field release_fields[] = {
	{ 0x0800000200000000, "VENDOR_ID", CONSTANT, 0x8086, BOTH, 1 },
	{ 0x0800000100000003, "MINOR_VERSION", MINOR, 0, BOTH, 1 },
	{ 0x0800000100000004, "MAJOR_VERSION", MAJOR, 0, BOTH, 1 },
	{ 0x0800000100000005, "UPDATE_VERSION", UPDATE, 0, HOST, 1 },
	{ 0x0A00000200000000, "SYS_ATTRIBUTES", CONSTANT, 0, BOTH, 1 },
	{ 0x0A00000000000001, "NUM_TDX_FEATURES", CONSTANT, 1, BOTH, 1 },
	{ 0x0A00000300000008, "TDX_FEATURES0", FEATURES0, 0, BOTH, 1 },
	{ 0x9100000100000008, "MAX_TDMRS", CONSTANT, MAX_TDMRS, HOST, 1 },
	{ 0x9100000100000009, "MAX_RESERVED_PER_TDMR", CONSTANT,
	  MAX_RESERVED_PER_TDMR, HOST, 1 },
	{ 0x9100000100000010, "PAMT_4K_ENTRY_SIZE", CONSTANT,
	  PAMT_ENTRY_SIZE, HOST, 1 },
	{ 0x9100000100000011, "PAMT_2M_ENTRY_SIZE", CONSTANT,
	  PAMT_ENTRY_SIZE, HOST, 1 },
	{ 0x9100000100000012, "PAMT_1G_ENTRY_SIZE", CONSTANT,
	  PAMT_ENTRY_SIZE, HOST, 1 },
	{ 0x9800000100000000, "TDR_BASE_SIZE", CONSTANT, PAGE_SIZE, HOST, 1 },
	{ 0x9800000100000100, "TDCS_BASE_SIZE", TDCS_SIZE, 0, HOST, 1 },
	{ 0x9800000100000200, "TDVPS_BASE_SIZE", CONSTANT,
	  TDVPS_PAGES * PAGE_SIZE, HOST, 1 },
	{ 0x1900000300000000, "ATTRIBUTES_FIXED0", ATTRIBUTES, 0, HOST, 1 },
	{ 0x1900000300000001, "ATTRIBUTES_FIXED1", CONSTANT, 0, HOST, 1 },
	{ 0x1900000300000002, "XFAM_FIXED0", XFAM, 0, HOST, 1 },
	{ 0x1900000300000003, "XFAM_FIXED1", CONSTANT, XFAM_X87 | XFAM_SSE,
	  HOST, 1 },
	{ 0x9900000100000004, "NUM_CPUID_CONFIG", NUM_CPUID_CONFIGS, 0,
	  HOST, 1 },
	{ 0x9900000300000006, "CONFIG_FLAGS_FIXED0", CONFIG_FLAGS, 0, HOST, 1 },
	{ 0x9900000100000008, "MAX_VCPUS_PER_TD", MAX_VCPUS, 0, HOST, 1 },
	{ 0x9900000300000400, "CPUID_CONFIG_LEAVES", CPUID_CONFIG_LEAF, 0,
	  HOST, EACH_CPUID_CONFIG },
	{ 0x9900000300000500, "CPUID_CONFIG_VALUES", CPUID_CONFIG_VALUE, 0,
	  HOST, EACH_CPUID_CONFIG },
	{ 0x8900000100000000, "MODULE_HV", CONSTANT, 0, HOST, 1 },
	/* No migration, and no TD partitioning. */
	{ 0xA000000300000000, "MIG_ATTRIBUTES", CONSTANT, 0, BOTH, 1 },
	{ 0x2000000100000001, "migration versions", CONSTANT, 0, BOTH, 4 },
	{ 0xA200000100000000, "L2_GPA_ATTR_MASK", CONSTANT, 0, BOTH, 1 },
};

static bool same_field(u64 a, u64 b)
{
	return ID_CLASS(a) == ID_CLASS(b) && ID_CODE(a) == ID_CODE(b);
}

/* Gives a field a value, or adds it. */
static void apply_rule(GArray *fields, const struct field_rule *r)
{
	struct sys_field new = { r->id, "of a rule", CONSTANT, r->value, BOTH, 1 }, *f;
	unsigned int i;

	for (i = 0; i < fields->len; i++) {
		f = &g_array_index(fields, struct sys_field, i);
		if (f->count == 1 && same_field(f->id, r->id)) {
			f->source = CONSTANT;
			f->value = r->value;
			return;
		}
	}
	g_array_append_val(fields, new);
}

void sys_fields_init(struct tdx_module *m)
{
	unsigned int num, i;
	const struct field_rule *rules = rules_fields(m->profile, &num);
	GArray *fields = g_array_new(false, false, sizeof(struct sys_field));

	g_array_append_vals(fields, release_fields, ARRAY_SIZE(release_fields));
	for (i = 0; i < num; i++)
		apply_rule(fields, &rules[i]);
	m->num_sys_fields = fields->len;
	m->sys_fields = (struct sys_field *)g_array_free(fields, false);
}

static unsigned int count(const struct tdx_module *m,
			  const struct sys_field *f)
{
	unsigned int slots = cpuid_num_configs(m);

	if (f->count)
		return f->count;
	return f->source == CPUID_CONFIG_VALUE ? 2 * slots : slots;
}

static u64 value_of(struct tdx_module *m, const struct sys_field *f,
		    unsigned int element)
{
	const struct tdx_profile *p = m->profile;
	u32 v[4];

	switch (f->source) {
	case CONSTANT:
		return f->value;
	case MINOR:
		return p->minor;
	case MAJOR:
		return p->major;
	case UPDATE:
		return p->update;
	case FEATURES0:
		return p->features0;
	case ATTRIBUTES:
		return cpuid_supported_attributes(m);
	case XFAM:
		return cpuid_supported_xfam(m);
	case CONFIG_FLAGS:
		return p->config_flags;
	case MAX_VCPUS:
		return p->max_vcpus;
	case TDCS_SIZE:
		return p->tdcs_pages * PAGE_SIZE;
	case NUM_CPUID_CONFIGS:
		return cpuid_num_configs(m);
	case CPUID_CONFIG_LEAF:
		return cpuid_config_leaf(m, element);
	case CPUID_CONFIG_VALUE:
		cpuid_config_value(m, element / 2, v);
		return element % 2 ? v[ECX] | (u64)v[EDX] << 32 :
				     v[EAX] | (u64)v[EBX] << 32;
	}
	return 0;
}

static const struct sys_field *find(const struct tdx_module *m, u64 id,
				    unsigned int *element)
{
	const struct sys_field *f;

	if (id & ID_MUST_BE_ZERO)
		return NULL;
	for (f = m->sys_fields; f < m->sys_fields + m->num_sys_fields; f++) {
		*element = ID_CODE(id) - ID_CODE(f->id);
		if (ID_CLASS(id) == ID_CLASS(f->id) &&
		    ID_CODE(id) >= ID_CODE(f->id) && *element < count(m, f))
			return f;
	}
	return NULL;
}

u64 sys_read(struct tdx_module *m, u64 id, enum access by, u64 *value)
{
	unsigned int element;
	const struct sys_field *f = find(m, id, &element);

	*value = 0;
	if (!f)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, 0);
	if (!(f->access & by))
		return status(TDX_METADATA_FIELD_NOT_READABLE, 0);
	*value = value_of(m, f, element);
	return 0;
}

u64 sys_next(struct tdx_module *m, u64 id, enum access by)
{
	const struct sys_field *f = m->sys_fields;
	unsigned int element;

	if (id != FIRST_FIELD) {
		f = find(m, id, &element);
		if (element + 1 < count(m, f))
			return f->id + element + 1;
		f++;
	}
	for (; f < m->sys_fields + m->num_sys_fields; f++)
		if (f->access & by)
			return f->id;
	return NO_FIELD;
}

u64 sys_read_list(struct tdx_module *m, u64 *id, u64 *list, unsigned int size)
{
	u64 at = *id == FIRST_FIELD ? sys_next(m, FIRST_FIELD, GUEST) : *id;
	unsigned int used = 1, sequences = 0, element, n, i;
	const struct sys_field *f = find(m, at, &element);

	*id = NO_FIELD;
	if (!f || element)
		return status(TDX_METADATA_FIELD_ID_INCORRECT, TDX_OP_R8);
	if (!(f->access & GUEST))
		return status(TDX_METADATA_FIELD_NOT_READABLE, TDX_OP_R8);
	/* A sequence: the field's id with its number of elements, and these. */
	while (at != NO_FIELD) {
		f = find(m, at, &element);
		n = count(m, f);
		if (used + 1 + n > size)
			break;
		list[used++] = f->id | ID_LAST_ELEMENT(n - 1);
		for (i = 0; i < n; i++)
			list[used++] = value_of(m, f, i);
		sequences++;
		at = sys_next(m, f->id + n - 1, GUEST);
	}
	/* The header: the list's size in bytes, and its number of sequences. */
	list[0] = used * 8 | (u64)sequences << 16;
	*id = at;
	return 0;
}
