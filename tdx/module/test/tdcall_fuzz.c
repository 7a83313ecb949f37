// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the guest: TDCALL, MSRs, CPUID and memory accesses, mixed with random
 * SEAMCALLs by the host.
 */
#include <string.h>

#include "fuzz.h"

static const uint8_t leaves[] = {
	TDG_VP_INFO, TDG_MR_RTMR_EXTEND, TDG_VP_VEINFO_GET, TDG_MR_REPORT,
	TDG_VP_CPUIDVE_SET, TDG_MEM_PAGE_ACCEPT, TDG_VM_RD, TDG_VM_WR,
	TDG_VP_RD, TDG_VP_WR, TDG_SYS_RD, TDG_SYS_RDALL, TDG_SERVTD_RD,
	TDG_SERVTD_WR, TDG_MR_VERIFYREPORT, TDG_MEM_PAGE_ATTR_RD,
	TDG_MEM_PAGE_ATTR_WR, TDG_VP_VMCALL, 99,
};

/* Enters the vCPU again after a TD exit, if that is still possible. */
static void back(struct world *w)
{
	w->vcpu = NULL;
	seamcall(w, VP_ENTER, .rcx = TDVPR);
}

static void guest_tdcall(struct world *w, struct input *in)
{
	uint64_t rax = leaves[fuzz_choice(in, sizeof(leaves))];
	struct operands o = { 0 };

	if (fuzz_byte(in) & 1)
		rax |= 1 << 16;
	fuzz_operands(in, &o);
	tdcall_with(w, rax, &o);
	if (w->outcome == TDX_EXIT || w->outcome == TDX_EXIT_TRAP)
		back(w);
}

static void guest_cpu(struct world *w, struct input *in)
{
	struct tdx_cpuid_env env = {
		.cr4 = fuzz_value(in), .xcr0 = fuzz_byte(in) | 1,
		.xss = fuzz_value(in), .user = fuzz_byte(in) & 1,
	};
	uint32_t out[4], low = fuzz_byte(in) | fuzz_byte(in) << 8;
	uint32_t base[] = { 0, 0x40000000, 0x80000000, 0xc0000000 };
	uint64_t value;

	low |= base[fuzz_choice(in, 4)];
	tdx_cpuid(w->vcpu, &env, low, fuzz_byte(in), out);
	tdx_rdmsr(w->vcpu, low, &value);
	tdx_wrmsr(w->vcpu, low, fuzz_value(in));
	tdx_write_cr(w->vcpu, fuzz_byte(in) & 4, 0, fuzz_value(in));
	tdx_xsetbv(w->vcpu, fuzz_byte(in), fuzz_value(in));
	tdx_instruction(w->vcpu, fuzz_byte(in));
}

static void guest_access(struct world *w, struct input *in)
{
	enum tdx_access access = 1 << fuzz_choice(in, 3);
	uint64_t gpa = fuzz_value(in), hpa;
	unsigned int rights;

	switch (tdx_translate(w->vcpu, gpa, access, &hpa, &rights, &w->exit)) {
	case TDX_EXIT:
		tdx_td_exit(w->vcpu, &w->exit, tdx_vcpu_state(w->vcpu), w->host);
		back(w);
		break;
	case TDX_VE:
		tdx_ve(w->vcpu, &(struct tdx_ve_info){ .reason = 48 });
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int how = fuzz_byte(&in);
	struct world *w = world_new_untraced(releases[how / 16 % 3]);

	fuzz_begin();
	world_to(w, TDCS_DONE);
	w->params.attributes = how & 2 ? TD_ATTR_SEPT_VE_DISABLE : 0;
	w->params.config_flags |= how & 4 ? CONFIG_FLEXIBLE_VE : 0;
	w->params.xfam = how & 8 ? 0x69be7 : 3;
	world_through(w, INITIALIZED, ENTERED);
	while (in.left && w->vcpu) {
		switch (fuzz_choice(&in, 8)) {
		case 0:
			fuzz_seamcall(w, &in);
			break;
		case 1:
			guest_cpu(w, &in);
			break;
		case 2:
			guest_access(w, &in);
			break;
		case 3:
			tdx_host_access(w->m, fuzz_value(&in), in.left & 1);
			break;
		case 4:
			leave(w, 1);
			back(w);
			break;
		default:
			guest_tdcall(w, &in);
			break;
		}
	}
	fuzz_end(w);
	return 0;
}
