/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that does what the host asks, one request at a time.
 *
 * With it a test of many small accesses is host code from top to bottom:
 *
 *	tdx_agent_init(&agent, vm, vcpu);
 *	vm_tdx_launch(vm);
 *	status = tdx_agent_wrmsr(&agent, MSR_IA32_CR_PAT, val);
 *
 * A request that needs user space's help between, i.e. one that exits, is
 * posted, and finished when the test has dealt with the exit.
 */
#ifndef SELFTEST_KVM_TDX_AGENT_H
#define SELFTEST_KVM_TDX_AGENT_H

#include "tdx/tdx_test_harness.h"
#include "tdx/tdx_util.h"

enum tdx_agent_op {
	TDX_AGENT_TDVMCALL,
	TDX_AGENT_CPUID,
	TDX_AGENT_RDMSR,
	TDX_AGENT_VM_RD,
	TDX_AGENT_VM_WR,
};

/* In memory that host and guest share. */
struct tdx_agent_request {
	u64 op;
	u64 status;		/* of the TDCALL */
	u64 vector;		/* of the instruction's exception, 0 for none */
	u64 index;		/* MSR or metadata field */
	u64 val, mask;
	u32 leaf, subleaf;
	u32 cpuid[4];		/* EAX, EBX, ECX, EDX */
	struct tdvmcall call;
	struct tdx_ve_info ve;	/* if the exception is a #VE */
};

struct tdx_agent {
	struct kvm_vcpu *vcpu;
	struct tdx_agent_request *req;
};

static inline u8 tdx_cpuid_safe(u32 leaf, u32 subleaf, u32 reg[4])
{
	u64 error_code;
	u8 vector;

	asm volatile(KVM_ASM_SAFE("cpuid")
		     : "=a"(reg[0]), "=b"(reg[1]), "=c"(reg[2]), "=d"(reg[3]),
		       KVM_ASM_SAFE_OUTPUTS(vector, error_code)
		     : "a"(leaf), "c"(subleaf)
		     : KVM_ASM_SAFE_CLOBBERS);
	return vector;
}

static inline void tdx_agent_serve(struct tdx_agent_request *req)
{
	struct tdvmcall call;

	req->vector = 0;

	switch (req->op) {
	case TDX_AGENT_TDVMCALL:
		call = req->call;
		req->status = __tdvmcall(&call);
		req->call = call;
		break;
	case TDX_AGENT_CPUID:
		req->vector = tdx_cpuid_safe(req->leaf, req->subleaf, req->cpuid);
		break;
	case TDX_AGENT_RDMSR:
		req->vector = rdmsr_safe(req->index, &req->val);
		break;
	case TDX_AGENT_VM_RD:
		req->status = tdg_vm_rd(req->index, &req->val);
		break;
	case TDX_AGENT_VM_WR:
		req->status = tdg_vm_wr(req->index, req->val, req->mask);
		break;
	default:
		GUEST_FAIL("Unknown request %lu", req->op);
	}

	if (req->vector == VE_VECTOR)
		GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&req->ve), TDX_SUCCESS);
}

static inline void tdx_agent_guest(struct tdx_agent_request *req)
{
	for (;;) {
		tdx_agent_serve(req);
		GUEST_SYNC(0);
	}
}

/* Make an agent of @vcpu, which is not launched yet. */
static inline void tdx_agent_init(struct tdx_agent *agent, struct kvm_vm *vm,
				  struct kvm_vcpu *vcpu)
{
	gva_t gva = tdx_alloc_shared(vm, sizeof(*agent->req), &agent->req);

	vcpu_arch_set_entry_point(vcpu, tdx_agent_guest);
	vcpu_args_set(vcpu, 1, gva);
	agent->vcpu = vcpu;
}

/* Let the agent do what was posted, or go on with it. */
static inline void tdx_agent_finish(struct tdx_agent *agent)
{
	tdx_vcpu_run_to_sync(agent->vcpu, 0);
}

static inline void tdx_agent_post_tdvmcall(struct tdx_agent *agent,
					   struct tdvmcall call)
{
	*agent->req = (struct tdx_agent_request) {
		.op = TDX_AGENT_TDVMCALL,
		.call = call,
	};
}

/* What came back of the TDVMCALL that is finished.  Returns its status. */
static inline u64 tdx_agent_result(struct tdx_agent *agent, u64 *ret)
{
	TEST_ASSERT_EQ(agent->req->status, TDX_SUCCESS);
	if (ret)
		*ret = tdvmcall_ret(&agent->req->call);
	return tdvmcall_status(&agent->req->call);
}

/* The TDVMCALLs for MSRs, status in return. */
static inline u64 tdx_agent_rdmsr(struct tdx_agent *agent, u64 msr, u64 *val)
{
	tdx_agent_post_tdvmcall(agent, TDVMCALL(EXIT_REASON_MSR_READ, msr));
	tdx_agent_finish(agent);
	return tdx_agent_result(agent, val);
}

static inline u64 tdx_agent_wrmsr(struct tdx_agent *agent, u64 msr, u64 val)
{
	tdx_agent_post_tdvmcall(agent, TDVMCALL(EXIT_REASON_MSR_WRITE, msr, val));
	tdx_agent_finish(agent);
	return tdx_agent_result(agent, NULL);
}

/* TDVMCALL<CPUID>, status in return. */
static inline u64 tdx_agent_tdvmcall_cpuid(struct tdx_agent *agent, u64 leaf,
					   u64 subleaf, u64 reg[4])
{
	tdx_agent_post_tdvmcall(agent, TDVMCALL(EXIT_REASON_CPUID, leaf, subleaf));
	tdx_agent_finish(agent);
	for (int i = 0; i < 4; i++)
		reg[i] = tdvmcall_arg(&agent->req->call, i);
	return tdx_agent_result(agent, NULL);
}

/* The instructions.  Each returns the vector of the exception, 0 for none. */
static inline u8 tdx_agent_cpuid(struct tdx_agent *agent, u32 leaf, u32 subleaf,
				 u32 reg[4])
{
	*agent->req = (struct tdx_agent_request) {
		.op = TDX_AGENT_CPUID, .leaf = leaf, .subleaf = subleaf,
	};
	tdx_agent_finish(agent);
	memcpy(reg, agent->req->cpuid, sizeof(agent->req->cpuid));
	return agent->req->vector;
}

static inline u8 tdx_agent_native_rdmsr(struct tdx_agent *agent, u32 msr,
					u64 *val)
{
	*agent->req = (struct tdx_agent_request) {
		.op = TDX_AGENT_RDMSR, .index = msr,
	};
	tdx_agent_finish(agent);
	*val = agent->req->val;
	return agent->req->vector;
}

/* TDG.VM.RD and TDG.VM.WR, the module's status in return. */
static inline u64 tdx_agent_vm_rd(struct tdx_agent *agent, u64 field, u64 *val)
{
	*agent->req = (struct tdx_agent_request) {
		.op = TDX_AGENT_VM_RD, .index = field,
	};
	tdx_agent_finish(agent);
	*val = agent->req->val;
	return agent->req->status;
}

static inline u64 tdx_agent_vm_wr(struct tdx_agent *agent, u64 field, u64 val,
				  u64 mask)
{
	*agent->req = (struct tdx_agent_request) {
		.op = TDX_AGENT_VM_WR, .index = field, .val = val, .mask = mask,
	};
	tdx_agent_finish(agent);
	return agent->req->status;
}

#endif /* SELFTEST_KVM_TDX_AGENT_H */
