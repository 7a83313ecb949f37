/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Metadata: the fields of the module, of a TD and of a vCPU that host and guest
 * read and write by id.
 *
 * A field is found by the class and code in its id.  The rest of an id describes
 * the field's width and shape; it is only checked for reserved bits.  Reads and
 * writes return 0 or the status to fail with.
 */
#ifndef TDX_FIELDS_H
#define TDX_FIELDS_H

#include "model.h"

#define ID_CLASS(id)	((id) >> 56 & 0x3f)
#define ID_CODE(id)	((u32)((id) & 0xffffff))

/* Reserved bits, and the shape of a list, which a single access can't have. */
#define ID_LAST_ELEMENT(n)	((u64)(n) << 34)
#define ID_LAST_FIELD(n)	((u64)(n) << 38)
#define ID_RESERVED	(0xff000000ull | 7ull << 47 | BIT(55) | BIT(62))
#define ID_MUST_BE_ZERO	(ID_RESERVED | ID_LAST_ELEMENT(0xf) | \
			 ID_LAST_FIELD(0x1ff))

/* The all-ones id: "no more fields", or "give me the first". */
#define NO_FIELD	(~0ull)
#define FIRST_FIELD	NO_FIELD

/* Who may access a field, and who does. */
enum access { HOST = 1, GUEST = 2, BOTH = HOST | GUEST };

/* Sets m->sys_fields, by the profile. */
void sys_fields_init(struct tdx_module *m);

/* A global field (TDH.SYS.RD, TDG.SYS.RD). */
u64 sys_read(struct tdx_module *m, u64 id, enum access by, u64 *value);

/*
 * The next id after @id that @by can read, the first one after FIRST_FIELD, and
 * NO_FIELD after the last.  @id must be that of a field.
 */
u64 sys_next(struct tdx_module *m, u64 id, enum access by);

/*
 * Fills a metadata list of @size quadwords with whole fields for the guest, from
 * *id on; *id is then where the next list begins, or NO_FIELD.
 */
u64 sys_read_list(struct tdx_module *m, u64 *id, u64 *list, unsigned int size);

/* A field of a TD (TDH.MNG.RD, TDG.VM.RD and WR). */
u64 td_read(struct td *td, u64 id, enum access by, u64 *value);
u64 td_next(const struct td *td, u64 id, enum access by);	/* any @id */

/*
 * A write by the guest of the bits in @mask.  One of them must be writable, and the
 * others must keep their value; *old is the value before.
 */
u64 td_write(struct td *td, u64 id, u64 value, u64 mask, u64 *old);

/* A field of a vCPU (TDH.VP.RD and WR, TDG.VP.RD and WR); writes as above. */
u64 vp_read(struct tdx_vcpu *v, u64 id, enum access by, u64 *value);
u64 vp_next(u64 id, enum access by);	/* any @id */
void vp_init_fields(struct tdx_vcpu *v);	/* at TDH.VP.INIT */
u64 vp_write(struct tdx_vcpu *v, u64 id, enum access by, u64 value, u64 mask,
	     u64 *old);

#endif /* TDX_FIELDS_H */
