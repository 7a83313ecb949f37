// SPDX-License-Identifier: GPL-2.0
#include "tdx/cpuid_map.h"

const struct cpuid_class_info cpuid_classes[NR_CPUID_CLASSES] = {
	[CPUID_FIXED_0] = { '0', "fixed0", "#e8e8e8", "always 0" },
	[CPUID_FIXED_1] = { '1', "fixed1", "#404040", "always 1" },
	[CPUID_CONFIG] = { 'c', "config", "#4caf50", "as configured by KVM_TDX_INIT_VM" },
	[CPUID_XFAM] = { 'x', "xfam", "#2196f3", "follows XFAM" },
	[CPUID_ATTRIBUTES] = { 'a', "attributes", "#9c27b0", "follows the TD's attributes" },
	[CPUID_OTHER] = { 'o', "other", "#ff9800", "follows other parameters" },
	[CPUID_RUNTIME] = { 'r', "runtime", "#f44336", "changes at run time" },
	[CPUID_NO_EFFECT] = { '-', "no_effect", "#ffeb3b", "configurable, without effect" },
};

#define VE_TEXT	"ends in #VE, so the guest has to ask KVM"

static const char * const reg_names[NR_CPUID_REGS] = { "eax", "ebx", "ecx", "edx" };

void cpuid_map_print_table(void)
{
	for (int i = 0; i < NR_CPUID_CLASSES; i++)
		printf("%c  %s\n", cpuid_classes[i].letter, cpuid_classes[i].text);
	printf("*  " VE_TEXT "\n\n%-22s %s\n", "",
	       "31      24 23      16 15       8 7        0");

	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			printf("%08x.%02x%c %s 0x%08x ", m->leaf, m->subleaf,
			       m->ve ? '*' : ' ', reg_names[reg], m->value[reg]);
			for (int bit = 31; bit >= 0; bit--)
				printf("%c%s", cpuid_classes[cpuid_map_class(m, reg, bit)].letter,
				       bit && bit % 8 == 0 ? "   " : "");
			printf("\n");
		}
	}
}

/* A mask for each class that the register has bits of. */
static void print_json_reg(struct cpuid_map_leaf *m, int reg)
{
	u32 mask[NR_CPUID_CLASSES] = {};

	for (int bit = 0; bit < 32; bit++)
		mask[cpuid_map_class(m, reg, bit)] |= BIT(bit);
	printf(",\n      \"%s\": { \"value\": \"0x%08x\"", reg_names[reg],
	       m->value[reg]);
	for (int i = 0; i < NR_CPUID_CLASSES; i++)
		if (mask[i])
			printf(", \"%s\": \"0x%08x\"", cpuid_classes[i].name, mask[i]);
	printf(" }");
}

void cpuid_map_print_json(void)
{
	printf("{\n  \"xfam\": \"0x%llx\", \"attributes\": \"0x%llx\",\n  \"leaves\": [\n",
	       cpuid_map.caps->supported_xfam, cpuid_map.caps->supported_attrs);
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		printf("    { \"leaf\": \"0x%x\", \"subleaf\": ", m->leaf);
		if (m->has_subleaves)
			printf("%u", m->subleaf);
		else
			printf("null");
		printf(", \"ve\": %s", m->ve ? "true" : "false");
		for (int reg = 0; reg < NR_CPUID_REGS; reg++)
			print_json_reg(m, reg);
		printf(" }%s\n", i < cpuid_map.nr - 1 ? "," : "");
	}
	printf("  ]\n}\n");
}

static void print_html_head(void)
{
	printf("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>CPUID of a TD</title>\n"
	       "<style>\nbody { font: 12px monospace }\ntable { border-spacing: 1px }\n"
	       "td.b, span { width: 12px; height: 12px; display: inline-block }\n"
	       "td.b { display: table-cell }\n");
	for (int i = 0; i < NR_CPUID_CLASSES; i++)
		printf(".%s { background: %s }\n", cpuid_classes[i].name,
		       cpuid_classes[i].colour);
	printf("</style>\n<h1>CPUID of a TD</h1>\n<p>");
	for (int i = 0; i < NR_CPUID_CLASSES; i++)
		printf("<span class=\"%s\"></span> %s<br>\n", cpuid_classes[i].name,
		       cpuid_classes[i].text);
	printf("* " VE_TEXT "</p>\n");
}

void cpuid_map_print_html(void)
{
	print_html_head();
	printf("<table>\n");
	for (int i = 0; i < cpuid_map.nr; i++) {
		struct cpuid_map_leaf *m = &cpuid_map.leaf[i];

		for (int reg = 0; reg < NR_CPUID_REGS; reg++) {
			printf("<tr><td>%x.%x%s %s</td>", m->leaf, m->subleaf,
			       m->ve ? "*" : "", reg_names[reg]);
			for (int bit = 31; bit >= 0; bit--) {
				enum cpuid_class c = cpuid_map_class(m, reg, bit);

				printf("<td class=\"b %s\" title=\"%d: %s\"></td>",
				       cpuid_classes[c].name, bit, cpuid_classes[c].text);
			}
			printf("</tr>\n");
		}
	}
	printf("</table>\n");
}
