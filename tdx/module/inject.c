// SPDX-License-Identifier: GPL-2.0
/* Calls that are made to fail in ways that the ABI allows. */
#include <stdio.h>
#include <string.h>

#include "inject.h"
#include "locks.h"
#include "names.h"

const char tdx_inject_help[] =
	"PLAN is RULE[+RULE...], and RULE is LEAF:RESULT[@WHEN].\n"
	"LEAF is an architectural name such as TDH.MEM.PAGE.AUG.\n"
	"RESULT is one that this leaf can have:\n"
	"  OPERAND_BUSY              a lock that the leaf takes is busy; to choose\n"
	"                            one: OPERAND_BUSY/SEPT_TREE and so on\n"
	"  lingers                   it succeeds, and keeps its locks until two calls\n"
	"                            have found one busy, at most 5 seconds\n"
	"  SYS_BUSY                  TDH.SYS.*\n"
	"  RND_NO_ENTROPY            leaves that need random numbers, if they do;\n"
	"                            TDH.MNG.ADDCX: for the last page that a TD needs\n"
	"  KEY_GENERATION_FAILED     TDH.MNG.KEY.CONFIG, TDH.SYS.KEY.CONFIG\n"
	"  INTERRUPTED_RESUMABLE     TDH.PHYMEM.CACHE.WB, TDH.SYS.DISABLE\n"
	"  PREVIOUS_TLB_EPOCH_BUSY   TDH.MEM.TRACK\n"
	"  interrupted               TDG.MEM.PAGE.ACCEPT of 2 MiB, half-way\n"
	"  OPERAND_BUSY_HOST_PRIORITY, HOST_PRIORITY_BUSY_TIMEOUT\n"
	"                            TDG.MEM.PAGE.ACCEPT: the host goes first, which\n"
	"                            the guest sees as OPERAND_BUSY; for too long\n"
	"  NO_HKID_READY_TO_WBCACHE  TDH.PHYMEM.CACHE.WB\n"
	"  triple-fault, non-recoverable, ept-violation, ept-misconfiguration, smi,\n"
	"  bus-lock, notify          TDG.VP.VMCALL: this TD exit instead\n"
	"WHEN counts calls of that leaf: N or N-M, calls by number from 1; everyN;\n"
	"1inN or 1inN:SEED, at random.  The default is every2.\n";

enum when { RANGE, EVERY, CHANCE };

struct rule {
	const struct leaf *leaf;
	enum injection what;
	u64 status;
	enum when when;
	u64 first, last;	/* RANGE; EVERY and CHANCE: first is N */
	GRand *random;		/* CHANCE */
	u64 calls;		/* of the leaf so far */
};

struct plan {
	struct rule *rules;
	unsigned int num_rules;
};

/* Results that are not status codes, and the leaf that can have them. */
static const struct {
	const char *name, *leaf;
	enum injection what;
} effects[] = {
	{ "interrupted", "TDG.MEM.PAGE.ACCEPT", INJECT_INTERRUPTED },
	{ "triple-fault", "TDG.VP.VMCALL", INJECT_TRIPLE_FAULT },
	{ "non-recoverable", "TDG.VP.VMCALL", INJECT_NON_RECOVERABLE },
	{ "ept-violation", "TDG.VP.VMCALL", INJECT_EPT_VIOLATION },
	{ "ept-misconfiguration", "TDG.VP.VMCALL", INJECT_EPT_MISCONFIGURATION },
	{ "smi", "TDG.VP.VMCALL", INJECT_SMI },
	{ "bus-lock", "TDG.VP.VMCALL", INJECT_BUS_LOCK },
	{ "notify", "TDG.VP.VMCALL", INJECT_NOTIFY },
};

/* OPERAND_BUSY for the lock named @operand; NULL: the leaf's first lock. */
static bool parse_busy(const struct leaf *leaf, const char *operand, u64 *result)
{
	unsigned int locks = leaf->shared | leaf->exclusive | leaf->exclusive_v1;
	enum lock_id id;

	for (id = 0; id < NUM_LOCKS; id++) {
		enum tdx_operand op = lock_operand(id);

		if (!(locks & BIT(id)) ||
		    (operand && strcmp(operand, operand_name(op))))
			continue;
		*result = status(TDX_OPERAND_BUSY, op);
		return true;
	}
	return false;
}

/* Whether @word is in @list, which is separated by spaces. */
static bool in_list(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at;

	for (at = list; at && (at = strstr(at, word)); at += len)
		if ((at == list || at[-1] == ' ') &&
		    (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static bool parse_result(struct rule *r, const char *text)
{
	const char *slash = strchr(text, '/');
	unsigned int i;
	u32 code;

	for (i = 0; i < ARRAY_SIZE(effects); i++) {
		if (!strcmp(effects[i].name, text) &&
		    !strcmp(effects[i].leaf, r->leaf->name)) {
			r->what = effects[i].what;
			return true;
		}
	}
	if (!strcmp(text, "lingers")) {
		r->what = INJECT_LINGER;
		return parse_busy(r->leaf, NULL, &r->status);
	}
	r->what = INJECT_STATUS;
	if (in_list(r->leaf->may, text) && !strcmp(text, "OPERAND_BUSY")) {
		/* Of the page, which others may hold. */
		r->status = status(TDX_OPERAND_BUSY, TDX_OP_RCX);
		return true;
	}
	if (!strcmp(text, "OPERAND_BUSY") || g_str_has_prefix(text, "OPERAND_BUSY/"))
		return parse_busy(r->leaf, slash ? slash + 1 : NULL, &r->status);
	if (!in_list(r->leaf->may, text) || !status_by_name(text, &code))
		return false;
	r->status = status(code, 0);
	if (code == TDX_INTERRUPTED_RESUMABLE)
		r->what = INJECT_INTERRUPTED;
	if (code == TDX_RND_NO_ENTROPY && !r->leaf->any_state)
		r->what = INJECT_NO_ENTROPY;
	return true;
}

static bool parse_when(struct rule *r, const char *text)
{
	unsigned long long first, last;
	unsigned int seed = 0;
	int end = 0;

	r->when = EVERY;
	r->first = 2;
	if (!text)
		return true;
	if (sscanf(text, "every%llu%n", &first, &end) == 1 && !text[end]) {
		r->first = first;
		return first > 0;
	}
	if ((sscanf(text, "1in%llu:%u%n", &first, &seed, &end) == 2 ||
	     sscanf(text, "1in%llu%n", &first, &end) == 1) && !text[end]) {
		r->when = CHANCE;
		r->first = first;
		r->random = g_rand_new_with_seed(seed);
		return first > 0 && first <= G_MAXINT32;
	}
	r->when = RANGE;
	if (sscanf(text, "%llu-%llu%n", &first, &last, &end) != 2 || text[end]) {
		end = 0;
		if (sscanf(text, "%llu%n", &first, &end) != 1 || text[end])
			return false;
		last = first;
	}
	r->first = first;
	r->last = last;
	return first > 0 && first <= last;
}

/* Modifies @text.  Returns NULL, or what is wrong with it. */
static const char *parse_rule(struct rule *r, char *text,
			      const struct leaf *(*find_leaf)(const char *name))
{
	char *result = strchr(text, ':'), *when;

	if (!result)
		return "inject: a rule is LEAF:RESULT[@WHEN]";
	*result++ = 0;
	when = strchr(result, '@');
	if (when)
		*when++ = 0;
	r->leaf = find_leaf(text);
	if (!r->leaf)
		return "inject: no such leaf";
	if (!parse_result(r, result))
		return "inject: the leaf cannot have this result";
	if (!parse_when(r, when))
		return "inject: when is N, N-M, everyN or 1inN[:SEED]";
	return NULL;
}

void plan_free(struct plan *p)
{
	unsigned int i;

	if (!p)
		return;
	for (i = 0; i < p->num_rules; i++)
		if (p->rules[i].random)
			g_rand_free(p->rules[i].random);
	g_free(p->rules);
	g_free(p);
}

struct plan *plan_new(const char *text,
		      const struct leaf *(*find_leaf)(const char *name),
		      const char **error)
{
	char **rules = g_strsplit(text, "+", 0);
	struct plan *p = g_new0(struct plan, 1);
	unsigned int i;

	*error = *text ? NULL : "inject: the plan is empty";
	p->num_rules = g_strv_length(rules);
	p->rules = g_new0(struct rule, p->num_rules);
	for (i = 0; i < p->num_rules && !*error; i++)
		*error = parse_rule(&p->rules[i], rules[i], find_leaf);
	g_strfreev(rules);
	if (!*error)
		return p;
	plan_free(p);
	return NULL;
}

static bool applies(struct rule *r)
{
	u64 n = ++r->calls;

	switch (r->when) {
	case RANGE:
		return n >= r->first && n <= r->last;
	case EVERY:
		return n % r->first == 0;
	case CHANCE:
		return g_rand_int_range(r->random, 0, r->first) == 0;
	}
	return false;
}

enum injection plan_next(struct call *c, u64 *status)
{
	struct plan *p = c->m->plan;
	enum injection what = INJECT_NOTHING;
	unsigned int i;

	for (i = 0; p && i < p->num_rules; i++) {
		struct rule *r = &p->rules[i];

		/* Every rule counts the call; the first that applies wins. */
		if (r->leaf != c->leaf || !applies(r) || what != INJECT_NOTHING)
			continue;
		what = r->what;
		*status = r->status;
	}
	return what;
}

bool entropy_fails(struct call *c)
{
	c->injected |= c->no_entropy;
	return c->no_entropy;
}
