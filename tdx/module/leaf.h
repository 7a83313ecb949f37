/* SPDX-License-Identifier: GPL-2.0 */
/* A leaf of SEAMCALL or TDCALL, and a call of it. */
#ifndef TDX_LEAF_H
#define TDX_LEAF_H

#include "model.h"

/* The locks of a call. */
enum lock_id {
	LOCK_TDVPR, LOCK_TDR, LOCK_OP_STATE, LOCK_SEPT_TREE, LOCK_EPOCH,
	LOCK_RTMR, LOCK_WBCACHE, LOCK_KOT, LOCK_KET, NUM_LOCKS
};

struct call {
	struct tdx_module *m;
	unsigned int lp;		/* logical processor of the caller */
	struct tdx_vcpu *vcpu;		/* caller of a TDCALL; vCPU to enter */
	u64 *gpr;			/* operands, then results */
	unsigned int version;		/* of the leaf, from RAX */
	struct tdx_exit *exit;		/* NULL for a SEAMCALL */
	enum tdx_outcome outcome;	/* of a TDCALL */
	const struct leaf *leaf;	/* NULL if unknown */
	struct td *td;			/* the TD whose locks may be held */
	struct tdx_vcpu *locked_vcpu;	/* the same for LOCK_TDVPR */
	struct sept_entry *locked_entry;
	struct sept_entry *guest_entry;	/* the same for one that an ACCEPT has changed */
	unsigned int held;		/* locks, by BIT(enum lock_id) */
	bool interrupted;		/* injected: stop half-way */
	bool no_entropy;		/* injected: no random numbers */
	bool linger;			/* injected: keep the locks */
	bool injected;			/* the result is not the leaf's own */
};

/* A row of the tables in call.c, for dispatch, locks, injection and trace. */
struct leaf {
	u16 nr;
	const char *name;	/* "TDH.MNG.INIT" */
	u64 (*handler)(struct call *c);		/* returns RAX */
	u8 max_version;
	bool any_state;		/* allowed before the module is ready */
	u64 feature;		/* of TDX_FEATURES0; without it there is no leaf */
	const char *in, *out;	/* operands for the trace: "rcx:page rdx:tdr" */
	/* Locks, by BIT(enum lock_id); exclusive_v1: from version 1 on. */
	u16 shared, exclusive, exclusive_v1;
	const char *may;	/* status codes that injection may choose */
	unsigned int us;	/* what it takes on hardware, if that is long: a guess */
};

#endif /* TDX_LEAF_H */
