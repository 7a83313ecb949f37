// SPDX-License-Identifier: GPL-2.0
/* How a module differs from the release whose profile it has; see rules.h. */
#include <errno.h>
#include <string.h>

#include "cpuid_adapt.h"
#include "names.h"
#include "profiles.h"
#include "rules.h"

struct cpu_rule { u32 leaf, subleaf; enum cpuid_reg reg; u32 clear, set; };
struct instruction_rule { u32 reason, as; };

struct tdx_rules {
	GArray *cpu, *msrs, *instructions, *fields;
	struct cpuid_table *cpuid;	/* NULL if it is the release's */
};

static struct tdx_rules *rules_new(void)
{
	struct tdx_rules *r = g_new0(struct tdx_rules, 1);

	r->cpu = g_array_new(false, false, sizeof(struct cpu_rule));
	r->msrs = g_array_new(false, false, sizeof(struct msr_likeness));
	r->instructions = g_array_new(false, false, sizeof(struct instruction_rule));
	r->fields = g_array_new(false, false, sizeof(struct field_rule));
	return r;
}

void tdx_profile_clear(struct tdx_profile *p)
{
	struct tdx_rules *r = p->rules;

	if (!r)
		return;
	g_array_unref(r->cpu);
	g_array_unref(r->msrs);
	g_array_unref(r->instructions);
	g_array_unref(r->fields);
	if (r->cpuid)
		cpuid_table_free(r->cpuid);
	g_free(r);
	p->rules = NULL;
}

/* Words. */

static bool number(const char *word, u64 most, u64 *value)
{
	char *end;

	errno = 0;
	*value = g_ascii_strtoull(word, &end, g_str_has_prefix(word, "0x") ? 16 : 10);
	return !errno && g_ascii_isdigit(*word) && !*end && *value <= most;
}

static bool number32(const char *word, u32 *value)
{
	u64 v;

	if (!number(word, ~0u, &v))
		return false;
	*value = v;
	return true;
}

static bool leaf_and_register(char **word, u32 *leaf, u32 *subleaf, enum cpuid_reg *reg)
{
	static const char *const names[NUM_CPUID_REGS] = { "EAX", "EBX", "ECX", "EDX" };

	for (*reg = EAX; *reg <= EDX; ++*reg)
		if (!strcmp(word[2], names[*reg]))
			return number32(word[0], leaf) && number32(word[1], subleaf);
	return false;
}

/* The kinds of rules.  Each takes the words after its name. */

static bool add_version(struct tdx_profile *p, char **word)
{
	u64 v[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (!number(word[i], UINT16_MAX, &v[i]))
			return false;
	p->major = v[0];
	p->minor = v[1];
	p->update = v[2];
	return true;
}

#define NUMBER(name, member, least, most)				\
	{ name, offsetof(struct tdx_profile, member),			\
	  sizeof(((struct tdx_profile *)0)->member), least, most }

static const struct {
	const char *name;
	size_t offset, size;
	u64 least, most;
} profile_numbers[] = {
	NUMBER("features0", features0, 0, ~0ull),
	NUMBER("attributes", attributes, 0, ~0ull),
	NUMBER("xfam-lacks", xfam_lacks, 0, ~0ull),
	NUMBER("config-flags", config_flags, 0, ~0ull),
	NUMBER("td-ctls", td_ctls, 0, ~0ull),
	NUMBER("max-vcpus", max_vcpus, 1, UINT16_MAX),
	NUMBER("tdx-keyids", num_tdx_keyids, 2, MOST_TDX_KEYIDS),
	NUMBER("ept-5-levels", ept_5_levels, 0, 1),
	NUMBER("cpu-model", cpu_model, 0, 0xff),
	NUMBER("tsc-num", tsc_num, 1, 1000000),
	NUMBER("tsc-den", tsc_den, 1, 1000000),
};

static bool add_profile(struct tdx_profile *p, char **word)
{
	u64 clear, set, value = 0;
	unsigned int i = 0;
	u8 *at;

	while (i < ARRAY_SIZE(profile_numbers) && strcmp(profile_numbers[i].name, word[0]))
		i++;
	if (i == ARRAY_SIZE(profile_numbers) || !number(word[1], ~0ull, &clear) ||
	    !number(word[2], ~0ull, &set))
		return false;
	at = (u8 *)p + profile_numbers[i].offset;
	memcpy(&value, at, profile_numbers[i].size);
	value = (value & ~clear) | set;
	memcpy(at, &value, profile_numbers[i].size);
	return value >= profile_numbers[i].least && value <= profile_numbers[i].most;
}

static bool add_cpu(struct tdx_profile *p, char **word)
{
	struct cpu_rule r;

	if (!leaf_and_register(word, &r.leaf, &r.subleaf, &r.reg) ||
	    !number32(word[3], &r.clear) || !number32(word[4], &r.set))
		return false;
	g_array_append_val(p->rules->cpu, r);
	return true;
}

static struct cpuid_table *own_table(struct tdx_profile *p)
{
	if (!p->rules->cpuid)
		p->cpuid = p->rules->cpuid = cpuid_table_copy(p->cpuid);
	return p->rules->cpuid;
}

static bool add_cpuid(struct tdx_profile *p, char **word)
{
	struct cpuid_field f = { 0 };
	u32 leaf, subleaf, mask;
	enum cpuid_reg reg;
	u64 bits = 0;

	if (!leaf_and_register(word, &leaf, &subleaf, &reg) || !number32(word[3], &mask) ||
	    !mask || (word[5] && !number(word[5], ~0ull, &bits)))
		return false;
	f.reg = reg;
	if (!strcmp(word[4], "configured")) {
		f.how = CONFIGURED;
		return !word[5] && cpuid_adapt(own_table(p), leaf, subleaf, &f, mask);
	}
	if (!word[5])
		return false;
	f.how = NATIVE;
	f.value = mask;
	if (!strcmp(word[4], "xfam")) {
		f.xfam = bits;
	} else if (!strcmp(word[4], "attributes")) {
		f.attributes = bits;
	} else {
		f.how = FIXED;
		f.value = bits;
		if (strcmp(word[4], "fixed") || bits & ~(u64)mask)
			return false;
	}
	return cpuid_adapt(own_table(p), leaf, subleaf, &f, mask);
}

static bool add_faults(struct tdx_profile *p, char **word)
{
	bool always = !strcmp(word[2], "always");
	u32 leaf, subleaf, as = 0;

	return number32(word[0], &leaf) && number32(word[1], &subleaf) &&
	       (always || number32(word[2], &as)) &&
	       cpuid_adapt_faults(own_table(p), leaf, subleaf, always, as);
}

static bool add_last_levels(struct tdx_profile *p, char **word)
{
	u64 numbered;

	if (!number(word[0], 1, &numbered))
		return false;
	own_table(p)->numbers_last_levels = numbered;
	return true;
}

static bool add_msr(struct tdx_profile *p, char **word)
{
	struct msr_likeness l = { .has_value = word[4] };

	if (!number32(word[0], &l.first) || !number32(word[1], &l.last) || l.first > l.last ||
	    !number32(word[2], &l.read) || !number32(word[3], &l.write) ||
	    (word[4] && !number(word[4], ~0ull, &l.value)))
		return false;
	g_array_append_val(p->rules->msrs, l);
	return true;
}

static bool add_instruction(struct tdx_profile *p, char **word)
{
	struct instruction_rule r;

	if (!exit_by_name(word[0], &r.reason) || !exit_by_name(word[1], &r.as))
		return false;
	g_array_append_val(p->rules->instructions, r);
	return true;
}

static bool add_field(struct tdx_profile *p, char **word)
{
	struct field_rule r;

	if (!number(word[0], ~0ull, &r.id) || !number(word[1], ~0ull, &r.value))
		return false;
	g_array_append_val(p->rules->fields, r);
	return true;
}

static const struct {
	const char *name;
	unsigned int least, most;	/* words */
	bool (*add)(struct tdx_profile *p, char **word);
} kinds[] = {
	{ "version", 3, 3, add_version },
	{ "profile", 3, 3, add_profile },
	{ "cpu", 5, 5, add_cpu },
	{ "cpuid", 5, 6, add_cpuid },
	{ "faults", 3, 3, add_faults },
	{ "last-levels", 1, 1, add_last_levels },
	{ "msr", 4, 5, add_msr },
	{ "instruction", 2, 2, add_instruction },
	{ "field", 2, 2, add_field },
};

static bool add_rule(struct tdx_profile *p, char **word)
{
	unsigned int num = g_strv_length(word), i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(word[0], kinds[i].name))
			return num - 1 >= kinds[i].least && num - 1 <= kinds[i].most &&
			       kinds[i].add(p, word + 1);
	return false;
}

char *rules_add(struct tdx_profile *p, const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	unsigned int i;

	if (!p->rules)
		p->rules = rules_new();
	for (i = 0; lines[i]; i++) {
		g_auto(GStrv) word = g_strsplit(lines[i], " ", -1);

		if (*lines[i] && *lines[i] != '#' && !add_rule(p, word))
			return g_strdup_printf("line %u is no rule: '%s'", i + 1, lines[i]);
	}
	return NULL;
}

/* What they are about. */

/* Whether ECX selects a subleaf. */
static bool has_subleaves(u32 leaf)
{
	switch (leaf) {
	case 4:
	case 7:
	case 0xb:
	case 0xd:
	case 0xf:
	case 0x10:
	case 0x12:
	case 0x14:
	case 0x17:
	case 0x18:
	case 0x1b:
	case 0x1d:
	case 0x1e:
	case 0x1f:
	case 0x20:
	case 0x23:
	case 0x24:
		return true;
	}
	return false;
}

void tdx_profile_cpuid(const struct tdx_profile *p, uint32_t leaf, uint32_t subleaf,
		       uint32_t out[4])
{
	const struct cpu_rule *r;
	unsigned int i;

	subleaf = has_subleaves(leaf) ? subleaf : 0;
	for (i = 0; i < p->num_cpu_lacks; i++)
		if (p->cpu_lacks[i].leaf == leaf && p->cpu_lacks[i].subleaf == subleaf)
			out[p->cpu_lacks[i].reg] &= ~p->cpu_lacks[i].mask;
	for (i = 0; p->rules && i < p->rules->cpu->len; i++) {
		r = &g_array_index(p->rules->cpu, struct cpu_rule, i);
		if (r->leaf == leaf && r->subleaf == subleaf)
			out[r->reg] = (out[r->reg] & ~r->clear) | r->set;
	}
}

const struct msr_likeness *rules_msr(const struct tdx_profile *p, u32 msr)
{
	const struct msr_likeness *l;
	unsigned int i;

	for (i = p->rules ? p->rules->msrs->len : 0; i--;) {
		l = &g_array_index(p->rules->msrs, struct msr_likeness, i);
		if (msr >= l->first && msr <= l->last)
			return l;
	}
	return NULL;
}

u32 rules_instruction(const struct tdx_profile *p, u32 reason)
{
	const struct instruction_rule *r;
	unsigned int i;

	for (i = p->rules ? p->rules->instructions->len : 0; i--;) {
		r = &g_array_index(p->rules->instructions, struct instruction_rule, i);
		if (r->reason == reason)
			return r->as;
	}
	return reason;
}

const struct field_rule *rules_fields(const struct tdx_profile *p, unsigned int *num)
{
	*num = p->rules ? p->rules->fields->len : 0;
	return *num ? &g_array_index(p->rules->fields, struct field_rule, 0) : NULL;
}
