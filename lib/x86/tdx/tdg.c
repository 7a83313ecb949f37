// SPDX-License-Identifier: GPL-2.0
/* TDCALLs for guest code, see tdcall.h. */
#include "tdx/tdcall.h"

struct tdx_vp_info tdg_vp_info(void)
{
	u64 reg[NR_GPRS] = {};

	__tdcall(TDG_VP_INFO, reg);

	return (struct tdx_vp_info) {
		.gpaw = reg[GPR_RCX] & GENMASK_ULL(5, 0),
		.attributes = reg[GPR_RDX],
		.nr_vcpus = (u32)reg[GPR_R8],
		.max_vcpus = reg[GPR_R8] >> 32,
		.vcpu_index = (u32)reg[GPR_R9],
	};
}

u64 tdg_vp_veinfo_get(struct tdx_ve_info *info)
{
	u64 reg[NR_GPRS] = {};
	u64 status = __tdcall(TDG_VP_VEINFO_GET, reg);

	*info = (struct tdx_ve_info) {
		.exit_reason = (u32)reg[GPR_RCX],
		.exit_qualification = reg[GPR_RDX],
		.gla = reg[GPR_R8],
		.gpa = reg[GPR_R9],
		.instruction_length = (u32)reg[GPR_R10],
		.instruction_info = reg[GPR_R10] >> 32,
	};
	return status;
}

u64 tdg_mem_page_accept(gpa_t gpa, u64 level)
{
	u64 reg[NR_GPRS] = { [GPR_RCX] = gpa | level };

	return __tdcall(TDG_MEM_PAGE_ACCEPT, reg);
}

u64 tdg_mem_page_release(gpa_t gpa, u64 level)
{
	u64 reg[NR_GPRS] = { [GPR_RCX] = gpa | level };

	return __tdcall(TDG_MEM_PAGE_RELEASE, reg);
}

static u64 read_field(u64 leaf, u64 field, u64 *val)
{
	u64 reg[NR_GPRS] = { [GPR_RDX] = field };
	u64 status = __tdcall(leaf, reg);

	*val = reg[GPR_R8];
	return status;
}

u64 tdg_vm_rd(u64 field, u64 *val)
{
	return read_field(TDG_VM_RD, field, val);
}

u64 tdg_sys_rd(u64 field, u64 *val)
{
	return read_field(TDG_SYS_RD, field, val);
}

u64 tdg_vm_wr(u64 field, u64 val, u64 mask)
{
	u64 reg[NR_GPRS] = {
		[GPR_RDX] = field, [GPR_R8] = val, [GPR_R9] = mask,
	};

	return __tdcall(TDG_VM_WR, reg);
}

u64 tdg_mr_report(gpa_t report, gpa_t data)
{
	u64 reg[NR_GPRS] = { [GPR_RCX] = report, [GPR_RDX] = data };

	return __tdcall(TDG_MR_REPORT, reg);
}

u64 tdg_mr_rtmr_extend(gpa_t data, u64 index)
{
	u64 reg[NR_GPRS] = { [GPR_RCX] = data, [GPR_RDX] = index };

	return __tdcall(TDG_MR_RTMR_EXTEND, reg);
}
