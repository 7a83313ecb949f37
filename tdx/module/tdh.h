/* SPDX-License-Identifier: GPL-2.0 */
/* The SEAMCALL leaves, by class.  Each returns RAX; operands are in c->gpr. */
#ifndef TDX_TDH_H
#define TDX_TDH_H

#include "leaf.h"

/* tdh_sys.c */
u64 tdh_sys_init(struct call *c);
u64 tdh_sys_lp_init(struct call *c);
u64 tdh_sys_config(struct call *c);
u64 tdh_sys_key_config(struct call *c);
u64 tdh_sys_tdmr_init(struct call *c);
u64 tdh_sys_rd(struct call *c);
u64 tdh_sys_shutdown(struct call *c);
u64 tdh_sys_update(struct call *c);
u64 tdh_sys_disable(struct call *c);

/* tdh_pamt.c */
u64 tdh_phymem_pamt_add(struct call *c);
u64 tdh_phymem_pamt_remove(struct call *c);

/* seamldr.c: leaves of the P-SEAMLDR, whose statuses are in seamldr.h */
u64 seamldr_info(struct call *c);
u64 seamldr_install(struct call *c);
u64 seamldr_shutdown(struct call *c);

/* tdh_mng.c */
u64 tdh_mng_create(struct call *c);
u64 tdh_mng_key_config(struct call *c);
u64 tdh_mng_addcx(struct call *c);
u64 tdh_mng_init(struct call *c);
u64 tdh_mng_rd(struct call *c);
u64 tdh_mng_vpflushdone(struct call *c);
u64 tdh_mng_key_freeid(struct call *c);

/* tdh_vp.c */
u64 tdh_vp_create(struct call *c);
u64 tdh_vp_addcx(struct call *c);
u64 tdh_vp_init(struct call *c);
u64 tdh_vp_flush(struct call *c);
u64 tdh_vp_rd(struct call *c);
u64 tdh_vp_wr(struct call *c);

/* tdh_vp_enter.c; c->vcpu is the vCPU to enter, if it succeeds */
u64 tdh_vp_enter(struct call *c);

/* tdh_mem.c */
u64 tdh_mem_sept_add(struct call *c);
u64 tdh_mem_page_add(struct call *c);
u64 tdh_mem_page_aug(struct call *c);
u64 tdh_mem_range_block(struct call *c);
u64 tdh_mem_track(struct call *c);
u64 tdh_mem_page_remove(struct call *c);

/* tdh_mr.c */
u64 tdh_mr_extend(struct call *c);
u64 tdh_mr_finalize(struct call *c);

/* tdh_phymem.c */
u64 tdh_phymem_page_rdmd(struct call *c);
u64 tdh_phymem_page_reclaim(struct call *c);
u64 tdh_phymem_page_wbinvd(struct call *c);
u64 tdh_phymem_cache_wb(struct call *c);

#endif /* TDX_TDH_H */
