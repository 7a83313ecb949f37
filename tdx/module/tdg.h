/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The TDCALL leaves, by class.  Each returns RAX; operands are in c->gpr.  If
 * c->outcome is not TDX_DONE afterwards the call has not completed.
 */
#ifndef TDX_TDG_H
#define TDX_TDG_H

#include "leaf.h"

/* tdg_vp.c */
u64 tdg_vp_vmcall(struct call *c);
u64 tdg_vp_info(struct call *c);
u64 tdg_vp_veinfo_get(struct call *c);
u64 tdg_vp_cpuidve_set(struct call *c);
u64 tdg_vp_rd(struct call *c);
u64 tdg_vp_wr(struct call *c);

/* tdg_vm.c */
u64 tdg_vm_rd(struct call *c);
u64 tdg_vm_wr(struct call *c);

/* tdg_sys.c */
u64 tdg_sys_rd(struct call *c);
u64 tdg_sys_rdall(struct call *c);

/* tdg_mr.c */
u64 tdg_mr_rtmr_extend(struct call *c);
u64 tdg_mr_report(struct call *c);
u64 tdg_mr_verifyreport(struct call *c);

/* tdg_mem.c */
u64 tdg_mem_page_accept(struct call *c);
u64 tdg_mem_page_attr_rd(struct call *c);
u64 tdg_mem_page_attr_wr(struct call *c);

/* tdg_servtd.c */
u64 tdg_servtd_rd(struct call *c);
u64 tdg_servtd_wr(struct call *c);

#endif /* TDX_TDG_H */
