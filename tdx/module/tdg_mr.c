// SPDX-License-Identifier: GPL-2.0
/*
 * TDG.MR.*: run-time measurements, and the report of a TD.
 *
 * The report has the architecture's layout and correct hashes.  Its MAC uses a
 * key that the module generates when it starts: VERIFYREPORT accepts a report of
 * this module, and nobody else does.
 */
#include <string.h>

#include "guest_memory.h"
#include "sha384.h"
#include "tdg.h"

#define NUM_RTMRS	4

#define REPORT_SIZE	1024
#define REPORTDATA_SIZE	64
#define MACSTRUCT_SIZE	256
#define MAC_SIZE	32

#define REPORT_TYPE_TD	0x81

struct report_mac {
	u8 type, subtype, version, reserved0[13];
	u8 cpusvn[16];
	u8 tcb_info_hash[SHA384_SIZE], td_info_hash[SHA384_SIZE];
	u8 reportdata[REPORTDATA_SIZE];
	u8 reserved1[32];
	u8 mac[MAC_SIZE];
};

struct tcb_info {
	u64 valid;
	u8 svn[16], mrseam[SHA384_SIZE], mrsignerseam[SHA384_SIZE];
	u64 attributes;
	u8 svn2[16], reserved[95];
} __attribute__((packed));

/* In @valid, bit n is for the eight bytes at 8 * n. */
#define TCB_INFO_VALID(member)						\
	((BIT(sizeof(((struct tcb_info *)0)->member) / 8) - 1) <<	\
	 (offsetof(struct tcb_info, member) / 8))

struct td_info {
	u64 attributes, xfam;
	u8 mrtd[SHA384_SIZE], mrconfigid[SHA384_SIZE], mrowner[SHA384_SIZE];
	u8 mrownerconfig[SHA384_SIZE], rtmr[NUM_RTMRS][SHA384_SIZE];
	u8 servtd_hash[SHA384_SIZE], reserved[64];
};

struct report {
	struct report_mac mac;
	struct tcb_info tcb;
	u8 reserved[17];
	struct td_info td;
};

_Static_assert(sizeof(struct report_mac) == MACSTRUCT_SIZE, "REPORTMACSTRUCT");
_Static_assert(sizeof(struct tcb_info) == 239, "TEE_TCB_INFO");
_Static_assert(sizeof(struct td_info) == 512, "TDINFO");
_Static_assert(sizeof(struct report) == REPORT_SIZE, "TDREPORT");

u64 tdg_mr_rtmr_extend(struct call *c)
{
	struct td *td = c->vcpu->td;
	u64 gpa = c->gpr[TDX_RCX], index = c->gpr[TDX_RDX], err;
	u8 data[SHA384_SIZE];

	err = gpa_operand(c, gpa, 64, true, TDX_OP_RCX);
	if (err)
		return err;
	if (index >= NUM_RTMRS)
		return status(TDX_OPERAND_INVALID, TDX_OP_RDX);
	if (!guest_read(c, gpa, data, sizeof(data)))
		return 0;
	sha384(td->rtmr[index], SHA384_SIZE, data, sizeof(data),
	       td->rtmr[index]);
	return 0;
}

/* MRSEAM identifies this module: it is not the hash of a real one. */
static void fill_tcb_info(const struct tdx_module *m, struct tcb_info *tcb)
{
	static const char name[] = "emulated TDX module";

	tcb->valid = TCB_INFO_VALID(valid) | TCB_INFO_VALID(svn) |
		     TCB_INFO_VALID(mrseam) | TCB_INFO_VALID(svn2);
	tcb->svn[0] = tcb->svn2[0] = m->profile->update;
	tcb->svn[1] = tcb->svn2[1] = m->profile->minor;
	sha384(name, sizeof(name), m->profile->name, strlen(m->profile->name),
	       tcb->mrseam);
}

static void fill_td_info(const struct td *td, struct td_info *info)
{
	info->attributes = td->attributes;
	info->xfam = td->xfam;
	memcpy(info->mrtd, td->mrtd, SHA384_SIZE);
	memcpy(info->mrconfigid, td->mrconfigid, SHA384_SIZE);
	memcpy(info->mrowner, td->mrowner, SHA384_SIZE);
	memcpy(info->mrownerconfig, td->mrownerconfig, SHA384_SIZE);
	memcpy(info->rtmr, td->rtmr, sizeof(info->rtmr));
}

static void make_mac(const struct tdx_module *m, const struct report_mac *r,
		     u8 mac[MAC_SIZE])
{
	GHmac *hmac = g_hmac_new(G_CHECKSUM_SHA256, m->report_key,
				 sizeof(m->report_key));
	gsize len = MAC_SIZE;

	g_hmac_update(hmac, (const u8 *)r, offsetof(struct report_mac, mac));
	g_hmac_get_digest(hmac, mac, &len);
	g_hmac_unref(hmac);
}

u64 tdg_mr_report(struct call *c)
{
	u64 to = c->gpr[TDX_RCX], from = c->gpr[TDX_RDX], err;
	struct report r = { .mac.type = REPORT_TYPE_TD };

	err = gpa_operand(c, to, REPORT_SIZE, false, TDX_OP_RCX);
	if (!err)
		err = gpa_operand(c, from, REPORTDATA_SIZE, false, TDX_OP_RDX);
	if (err)
		return err;
	if (c->gpr[TDX_R8])
		return status(TDX_OPERAND_INVALID, TDX_OP_R8);
	if (!guest_read(c, from, r.mac.reportdata, REPORTDATA_SIZE))
		return 0;

	fill_tcb_info(c->m, &r.tcb);
	fill_td_info(c->vcpu->td, &r.td);
	sha384(&r.tcb, sizeof(r.tcb), "", 0, r.mac.tcb_info_hash);
	sha384(&r.td, sizeof(r.td), "", 0, r.mac.td_info_hash);
	make_mac(c->m, &r.mac, r.mac.mac);
	guest_write(c, to, &r, sizeof(r));
	return 0;
}

u64 tdg_mr_verifyreport(struct call *c)
{
	static const u8 cpusvn[16];
	struct report_mac r;
	u8 mac[MAC_SIZE];
	u64 err = gpa_operand(c, c->gpr[TDX_RCX], MACSTRUCT_SIZE, true,
				TDX_OP_RCX);

	if (err || !guest_read(c, c->gpr[TDX_RCX], &r, sizeof(r)))
		return err;
	if (memcmp(r.cpusvn, cpusvn, sizeof(cpusvn)))
		return status(TDX_INVALID_CPUSVN, 0);
	make_mac(c->m, &r, mac);
	if (r.type != REPORT_TYPE_TD || memcmp(r.mac, mac, sizeof(mac)))
		return status(TDX_INVALID_REPORTMACSTRUCT, 0);
	return 0;
}
