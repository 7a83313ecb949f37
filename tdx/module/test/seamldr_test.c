// SPDX-License-Identifier: GPL-2.0
/* The P-SEAMLDR: its information, the images that it accepts, and TDs across updates. */
#include <stddef.h>
#include <string.h>

#include "../seamldr.h"
#include "tests.h"

#define SEAMLDR_INFO		(SEAMLDR_CALL | 0)
#define SEAMLDR_INSTALL		(SEAMLDR_CALL | 1)
#define SEAMLDR_SHUTDOWN	(SEAMLDR_CALL | 2)

/* Where the host has them. */
#define LOADER_PARAMS	(70 * MIB)
#define SIGSTRUCT	(70 * MIB + 4096)
#define MODULE(page)	(71 * MIB + 4096ull * (page))
#define INFO		(72 * MIB)
#define NUM_PAGES	3

static struct seamldr_params *params(void)
{
	return (struct seamldr_params *)ram(LOADER_PARAMS);
}

static struct seam_sigstruct *sigstruct(void)
{
	return (struct seam_sigstruct *)ram(SIGSTRUCT);
}

static struct module_image *image(void)
{
	return (struct module_image *)ram(MODULE(0));
}

static void digest(GChecksum *sum, uint8_t *hash)
{
	gsize size = SEAM_HASH_SIZE;

	g_checksum_get_digest(sum, hash, &size);
	g_checksum_free(sum);
}

/* The hash that stands for a signature. */
static void sign(void)
{
	const size_t body = offsetof(struct seam_sigstruct, hash);
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA384);

	g_checksum_update(sum, ram(SIGSTRUCT),
			  offsetof(struct seam_sigstruct, modulus));
	g_checksum_update(sum, ram(SIGSTRUCT) + body,
			  sizeof(struct seam_sigstruct) - body);
	digest(sum, sigstruct()->signature);
}

/* An image of release 1.5.7 that everything is right with. */
static void make_image(void)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA384);
	unsigned int i;

	*image() = (struct module_image){ .major = 1, .minor = 5, .update = 7 };
	memcpy(image()->magic, MODULE_IMAGE_MAGIC, sizeof(image()->magic));
	memset(ram(MODULE(1)), 0x11, 4096);
	*sigstruct() = (struct seam_sigstruct){
		.header_type = SEAM_HEADER_TYPE, .header_size = 0xe1,
		.header_version = SEAM_HEADER_VERSION, .vendor = 0x8086,
		.size = 0x200, .key_size = 0x60, .modulus_size = 0x60,
		.exponent_size = 1, .exponent = SEAM_EXPONENT,
		.major_svn = 1, .minor_svn = 7,
		.num_cpus = 2, .cpus = { 0x806f0, FAMILY_MODEL_STEPPING & ~0xfu },
	};
	memset(sigstruct()->modulus, SEAM_MODULUS, sizeof(sigstruct()->modulus));
	g_checksum_update(sum, ram(MODULE(0)), NUM_PAGES * 4096);
	digest(sum, sigstruct()->hash);
	sign();
	*params() = (struct seamldr_params){
		.scenario = SEAMLDR_UPDATE, .sigstruct = SIGSTRUCT,
		.num_pages = NUM_PAGES,
	};
	for (i = 0; i < NUM_PAGES; i++)
		params()->page[i] = MODULE(i);
}

static uint64_t install_on(struct world *w, unsigned int lp)
{
	return seamcall_on(w, lp, SEAMLDR_INSTALL, &(struct operands){
			.rcx = LOADER_PARAMS, .rdx = 7 });
}

/* On each LP; only the last can fail, which it returns. */
static uint64_t install(struct world *w)
{
	unsigned int lp;

	for (lp = 0; lp < NUM_LPS - 1; lp++) {
		check_status(install_on(w, lp), 0);
		g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
	}
	return install_on(w, lp);
}

/* All that Linux does for an update. */
static void update(struct world *w)
{
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install(w), 0);
	world_through(w, SYS_INIT_DONE, LPS_DONE);
	check_status(seamcall(w, SYS_UPDATE), 0);
}

static uint64_t version(struct world *w)
{
	uint64_t v = 0;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		static const uint64_t fields[] = {
			0x0800000100000004, 0x0800000100000003,
			0x0800000100000005,
		};

		check_status(seamcall(w, SYS_RD, .rdx = fields[i]), 0);
		v = v << 8 | w->regs[TDX_R8];
	}
	return v;
}

static void td_lives(struct world *w)
{
	make_image();
	g_assert_cmphex(version(w), ==, 0x010506);
	update(w);
	g_assert_cmphex(version(w), ==, 0x010507);
	g_assert_cmpuint(page_type(w, ADDED), ==, PT_REG);
	check_status(seamcall(w, MNG_CREATE, .rcx = FREE, .rdx = HKID),
		     STATUS(TDX_HKID_NOT_FREE, 0));
	world_step(w, ENTERED);
	world_through(w, EXITED, GONE);
	world_through(w, CREATED, GONE);
}

static void twice(struct world *w)
{
	make_image();
	update(w);
	update(w);
	world_through(w, CREATED, GONE);
}

/* What can be called when during an update, and what can't. */
static void states(struct world *w)
{
	make_image();
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_STATE_INCORRECT, 0));
	check_status(seamcall(w, SYS_SHUTDOWN, .rcx = 1), ERR(OPERAND_INVALID, RCX));
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_SHUTDOWN, 0));
	check_status(seamcall(w, SYS_SHUTDOWN), STATUS(TDX_SYS_SHUTDOWN, 0));
	check_status(seamcall(w, SYS_INIT), STATUS(TDX_SYS_SHUTDOWN, 0));

	check_status(install_on(w, 1), 0);
	seamcall(w, SYS_INIT);
	g_assert_true(w->invalid);
	check_status(install_on(w, 1), SEAMLDR_EBADCALL);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
	check_status(seamcall(w, SEAMLDR_SHUTDOWN), SEAMLDR_EBADCALL);
	check_status(install_on(w, 0), 0);
	check_status(install_on(w, 2), 0);

	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_STATE_INCORRECT, 0));
	check_status(seamcall(w, SYS_INIT), 0);
	check_status(seamcall(w, SYS_LP_INIT), 0);
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_STATE_INCORRECT, 0));
	check_status(seamcall(w, MNG_CREATE, .rcx = TDR, .rdx = HKID),
		     STATUS(TDX_SYS_NOT_READY, 0));
	check_status(seamcall_on(w, 1, SYS_LP_INIT, &(struct operands){}), 0);
	check_status(seamcall_on(w, 2, SYS_LP_INIT, &(struct operands){}), 0);
	check_status(seamcall(w, SYS_UPDATE), 0);
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_STATE_INCORRECT, 0));
}

static void running(struct world *w)
{
	check_status(seamcall_on(w, 1, SYS_SHUTDOWN, &(struct operands){}),
		     STATUS(TDX_SYS_BUSY, 0));
	leave(w, 1);
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
	check_status(seamcall_on(w, 1, SYS_SHUTDOWN, &(struct operands){}), 0);
	check_status(enter(w, 0, TDVPR), STATUS(TDX_SYS_SHUTDOWN, 0));
}

static void no_handoff(struct world *w)
{
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_INVALID_HANDOFF, 0));
	world_through(w, CONFIG_DONE, GONE);
}

/* The host may also begin anew with the new module: the old TDs are gone. */
static void config_instead(struct world *w)
{
	make_image();
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install(w), 0);
	world_through(w, SYS_INIT_DONE, GONE);
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_STATE_INCORRECT, 0));
}

static void load(struct world *w)
{
	make_image();
	params()->scenario = SEAMLDR_LOAD;
	check_status(install(w), 0);
	check_status(seamcall(w, PHYMEM_PAGE_RDMD, .rcx = ADDED),
		     STATUS(TDX_SYS_NOT_READY, 0));
	world_to(w, LPS_DONE);
	check_status(seamcall(w, SYS_UPDATE), STATUS(TDX_SYS_INVALID_HANDOFF, 0));
	world_through(w, CONFIG_DONE, GONE);
}

static void updates_run_out(struct world *w)
{
	unsigned int i;

	make_image();
	for (i = 0; i < SEAMLDR_MAX_UPDATES; i++)
		update(w);
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install(w), SEAMLDR_EBADCALL);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
}

static const struct seamldr_info *info(struct world *w)
{
	memset(ram(INFO), 0xff, 512);
	check_status(seamcall(w, SEAMLDR_INFO, .rcx = INFO), 0);
	return (const struct seamldr_info *)ram(INFO);
}

static void tells(struct world *w)
{
	static const uint64_t bad[] = {
		INFO + 128, INFO | (uint64_t)HKID << KEYID_SHIFT, 3 * GIB
	};
	unsigned int i, left;

	for (i = 0; i < G_N_ELEMENTS(bad); i++)
		check_status(seamcall(w, SEAMLDR_INFO, .rcx = bad[i]),
			     SEAMLDR_EBADPARAM);
	check_status(seamcall(w, SEAMLDR_CALL | 9), SEAMLDR_EBADPARAM);
	check_status(seamcall(w, SEAMLDR_INFO | V(1), .rcx = INFO),
		     SEAMLDR_EBADPARAM);

	g_assert_cmphex(info(w)->vendor, ==, 0x8086);
	g_assert_cmpuint(ram(INFO)[256], ==, 0xff);
	g_assert_cmpuint(info(w)->module_ready, ==, 1);
	g_assert_cmphex(info(w)->module.valid, ==, 0x1ff);
	left = info(w)->updates_left;

	make_image();
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install_on(w, 0), 0);
	g_assert_cmpuint(info(w)->module_ready, ==, 0);
	check_status(install_on(w, 1), 0);
	check_status(install_on(w, 2), 0);
	g_assert_cmpuint(info(w)->module_ready, ==, 1);
	g_assert_cmpuint(info(w)->updates_left, ==, left - 1);
	g_assert_cmpuint(info(w)->module.tcb_svn[0], ==, 7);
	g_assert_cmpmem(info(w)->module.mrseam, SEAM_HASH_SIZE,
			sigstruct()->hash, SEAM_HASH_SIZE);
}

static void not_there(void)
{
	struct world *w = world_new("none");

	seamcall(w, SYS_INIT);
	g_assert_true(w->invalid);
	seamcall(w, SEAMLDR_INFO, .rcx = INFO);
	g_assert_true(w->invalid);
	world_free(w);
}

static bool fails_meanwhile;

static void call_meanwhile(struct world *w)
{
	uint64_t gpr[TDX_NR_GPRS] = { [TDX_RAX] = SEAMLDR_INFO,
				      [TDX_RCX] = INFO + 512 };
	struct tdx_vcpu *vcpu;

	fails_meanwhile = !tdx_seamcall(w->m, 1, gpr, &vcpu);
	g_assert_null(vcpu);
}

/* The kernel has to serialise these calls. */
static void one_at_a_time(struct world *w)
{
	w->on_write = call_meanwhile;
	info(w);
	g_assert_true(fails_meanwhile);
	w->on_write = NULL;
	check_status(seamcall_on(w, 1, SEAMLDR_INFO, &(struct operands){
			.rcx = INFO }), 0);
	g_assert_false(w->invalid);
}

/* LP 0 has to be the last one. */
static void shut_down(struct world *w)
{
	check_status(seamcall(w, SEAMLDR_SHUTDOWN), 0);
	seamcall(w, PHYMEM_PAGE_RDMD, .rcx = FREE);
	g_assert_true(w->invalid);
	check_status(install_on(w, 1), SEAMLDR_EBADCALL);
	check_status(seamcall_on(w, 1, SEAMLDR_SHUTDOWN, &(struct operands){}), 0);
	check_status(seamcall_on(w, 2, SEAMLDR_SHUTDOWN, &(struct operands){}),
		     SEAMLDR_EBADCALL);
	check_status(seamcall(w, SEAMLDR_SHUTDOWN), 0);
	seamcall(w, SEAMLDR_INFO, .rcx = INFO);
	g_assert_true(w->invalid);
}

static void shut_down_dirty(struct world *w)
{
	make_image();
	update(w);
	check_status(seamcall(w, SEAMLDR_SHUTDOWN), SEAMLDR_ECLEANUPREQ);
}

static void trace(struct world *w)
{
	make_image();
	w->trace = g_string_new(NULL);
	sigstruct()->hash[0]++;
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install(w), SEAMLDR_EBADSIG);
	g_assert_nonnull(strstr(w->trace->str, "SEAMLDR.INSTALL(params="));
	g_assert_nonnull(strstr(w->trace->str, " = EBADSIG <"));
	check_status(seamcall(w, SEAMLDR_INFO, .rcx = 8), SEAMLDR_EBADPARAM);
	g_assert_nonnull(strstr(w->trace->str, " = EBADPARAM <"));
}

/* An image, its parameters or its description with one thing changed. */
static const struct bad_row {
	const char *name;
	uint64_t at;		/* physical address */
	unsigned int size;
	uint64_t value;
	uint64_t want;
	bool sign;		/* anew, after the change */
	bool lost;		/* the old module with it */
} bad[] = {
#define PARAM(field)	LOADER_PARAMS + offsetof(struct seamldr_params, field), \
	sizeof_field(struct seamldr_params, field)
#define SIG(field)	SIGSTRUCT + offsetof(struct seam_sigstruct, field), \
	sizeof_field(struct seam_sigstruct, field)
#define sizeof_field(type, field)	sizeof(((type *)0)->field)
	{ "version of the parameters", PARAM(version), 1, SEAMLDR_EBADPARAM },
	{ "unknown scenario", PARAM(scenario), 2, SEAMLDR_EBADPARAM },
	{ "reserved parameter", PARAM(zero[103]), 1, SEAMLDR_EBADPARAM },
	{ "no page", PARAM(num_pages), 0, SEAMLDR_EBADPARAM },
	{ "too many pages", PARAM(num_pages), 497, SEAMLDR_EBADPARAM },
	{ "page unaligned", PARAM(page[2]), MODULE(2) + 8, SEAMLDR_EBADPARAM },
	{ "page with KeyID bits", PARAM(page[2]),
	  MODULE(2) | (uint64_t)HKID << KEYID_SHIFT, SEAMLDR_EBADPARAM },
	{ "signature unaligned", PARAM(sigstruct), SIGSTRUCT + 2048,
	  SEAMLDR_EBADPARAM },
	{ "reserved bytes of the header", SIG(zero0[87]), 1, SEAMLDR_EBADSIG, true },
	{ "reserved bytes of the body", SIG(zero1[0]), 1, SEAMLDR_EBADSIG, true },
	{ "header's type", SIG(header_type), 7, SEAMLDR_EBADSIG, true },
	{ "header's size", SIG(header_size), 0xe0, SEAMLDR_EBADSIG, true },
	{ "header's version", SIG(header_version), 0x10001, SEAMLDR_EBADSIG, true },
	{ "for debugging only", SIG(module_type), 1u << 31, SEAMLDR_EBADSIG, true },
	{ "vendor", SIG(vendor), 0x8087, SEAMLDR_EBADSIG, true },
	{ "size", SIG(size), 0x1ff, SEAMLDR_EBADSIG, true },
	{ "size of the key", SIG(key_size), 0x61, SEAMLDR_EBADSIG, true },
	{ "exponent", SIG(exponent), 3, SEAMLDR_EBADSIG, true },
	{ "attributes", SIG(attributes), 1, SEAMLDR_EBADSIG, true },
	{ "handoff version below its minimum", SIG(min_handoff), 1,
	  SEAMLDR_EBADSIG, true },
	{ "another signer", SIG(modulus[383]), 1, SEAMLDR_EBADSIG },
	{ "a wrong signature", SIG(signature[47]), 0xee, SEAMLDR_EBADSIG },
	{ "a signature with more behind it", SIG(signature[48]), 1,
	  SEAMLDR_EBADSIG },
	{ "SVN changed after signing", SIG(minor_svn), 8, SEAMLDR_EBADSIG },
	{ "hash changed after signing", SIG(hash[0]), 0xee, SEAMLDR_EBADSIG },
	{ "module of TDX 1.0", SIG(major_svn), 0, SEAMLDR_EUNSUPPORTED, true },
	{ "another major version", SIG(major_svn), 2, SEAMLDR_EUNSUPPORTED, true },
	{ "older than the module that runs", SIG(minor_svn), 5, SEAMLDR_EBADSIG,
	  true },
	{ "for no CPU", SIG(num_cpus), 0, SEAMLDR_EBADSIG, true },
	{ "for other CPUs", SIG(num_cpus), 1, SEAMLDR_EUNSUPCPU, true },
	{ "for more CPUs than there is room for", SIG(num_cpus), 256,
	  SEAMLDR_EBADSIG, true },
	{ "page changed", MODULE(1), 1, 0x12, SEAMLDR_EBADHASH, .lost = true },
	{ "last byte changed", MODULE(2) + 4095, 1, 1, SEAMLDR_EBADHASH,
	  .lost = true },
};

/*
 * The old module is back, shut down, if the image was refused before it was
 * loaded over the old one.
 */
static void run_bad(const void *data)
{
	const struct bad_row *r = data;
	struct world *w = world_new(NULL);

	world_to(w, RUNNABLE);
	make_image();
	memcpy(ram(r->at), &r->value, r->size);
	if (r->sign)
		sign();
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install(w), r->want);
	g_assert_cmphex(w->regs[TDX_RDX], ==, r->lost);
	seamcall(w, SYS_INIT);
	g_assert_cmpint(w->invalid, ==, r->lost);
	if (!r->lost)
		check_status(w->regs[TDX_RAX], STATUS(TDX_SYS_SHUTDOWN, 0));

	/* The next image is accepted; if there is no module left, only to be loaded. */
	make_image();
	if (r->lost) {
		check_status(install(w), SEAMLDR_EBADPARAM);
		params()->scenario = SEAMLDR_LOAD;
	}
	check_status(install(w), 0);
	world_through(w, SYS_INIT_DONE, LPS_DONE);
	check_status(seamcall(w, SYS_UPDATE),
		     r->lost ? STATUS(TDX_SYS_INVALID_HANDOFF, 0) : 0);
	world_free(w);
}

static void not_shut_down(struct world *w)
{
	make_image();
	check_status(install(w), SEAMLDR_EBADHANDOFF);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
	check_status(enter(w, 0, TDVPR), 0);
	leave(w, 1);
}

static void no_module_image(struct world *w)
{
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA384);

	make_image();
	image()->magic[0]++;
	g_checksum_update(sum, ram(MODULE(0)), NUM_PAGES * 4096);
	digest(sum, sigstruct()->hash);
	sign();
	check_status(seamcall(w, SYS_SHUTDOWN), 0);
	check_status(install(w), SEAMLDR_EBADPARAM);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 1);
}

void add_seamldr_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *path = g_strdup_printf("/seamldr/refused: %s",
							bad[i].name);

		g_test_add_data_func(path, &bad[i], run_bad);
	}
	add_test("/seamldr/a TD lives through an update", PAGE_AUGED, td_lives);
	add_test("/seamldr/one update after the other", READY, twice);
	add_test("/seamldr/each step of an update has its place", READY, states);
	add_test("/seamldr/SYS.SHUTDOWN while a vCPU runs is SYS_BUSY", ENTERED,
		 running);
	add_test("/seamldr/SYS.UPDATE needs data from SYS.SHUTDOWN", LPS_DONE,
		 no_handoff);
	add_test("/seamldr/SYS.CONFIG instead of SYS.UPDATE frees all", RUNNABLE,
		 config_instead);
	add_test("/seamldr/a module is loaded over a running one", RUNNABLE, load);
	add_test("/seamldr/updates run out", READY, updates_run_out);
	add_test("/seamldr/SEAMLDR.INFO describes loader and module", READY, tells);
	add_test("/seamldr/one LP at a time", READY, one_at_a_time);
	g_test_add_func("/seamldr/without module there is no SEAMCALL", not_there);
	add_test("/seamldr/after SEAMLDR.SHUTDOWN there is no SEAMCALL", READY,
		 shut_down);
	add_test("/seamldr/no SEAMLDR.SHUTDOWN after an update", READY,
		 shut_down_dirty);
	add_test("/seamldr/the trace names its calls and statuses", READY, trace);
	add_test("/seamldr/refused: a module that was not shut down", RUNNABLE,
		 not_shut_down);
	add_test("/seamldr/refused: what is no module", READY, no_module_image);
}
