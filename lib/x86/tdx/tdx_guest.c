// SPDX-License-Identifier: GPL-2.0
#include "tdx/tdx_guest.h"

/* Guest code: serves one request after the other. */

u8 tdx_cpuid_safe(u32 leaf, u32 subleaf, u32 reg[4])
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

static u8 read_safe(u64 addr, u64 *val)
{
	u64 error_code, got;
	u8 vector;

	asm volatile(KVM_ASM_SAFE("mov (%[addr]), %[val]")
		     : [val] "=&a"(got), KVM_ASM_SAFE_OUTPUTS(vector, error_code)
		     : [addr] "d"(addr)
		     : KVM_ASM_SAFE_CLOBBERS, "memory");
	if (!vector)
		*val = got;
	return vector;
}

static u8 write_safe(u64 addr, u64 val)
{
	return kvm_asm_safe("mov %[val], (%[addr])", [val] "a"(val), [addr] "d"(addr));
}

static void guest_hammer(struct tdx_guest_request *req)
{
	do {
		req->vector = write_safe(req->addr, req->val);
		WRITE_ONCE(req->done, req->done + 1);
	} while (!req->vector && !READ_ONCE(req->stop));
}

static void guest_tdvmcall(struct tdx_guest_request *req)
{
	struct tdvmcall call = req->call;

	req->status = __tdvmcall(&call);
	req->call = call;
}

static void guest_serve_one(struct tdx_guest_request *req)
{
	req->vector = 0;

	switch (req->op) {
	case TDX_GUEST_TDVMCALL:
		guest_tdvmcall(req);
		break;
	case TDX_GUEST_CPUID:
		req->vector = tdx_cpuid_safe(req->index, req->val, req->cpuid);
		break;
	case TDX_GUEST_RDMSR:
		req->vector = rdmsr_safe(req->index, &req->val);
		break;
	case TDX_GUEST_WRMSR:
		req->vector = wrmsr_safe(req->index, req->val);
		break;
	case TDX_GUEST_VM_RD:
		req->status = tdg_vm_rd(req->index, &req->val);
		break;
	case TDX_GUEST_VM_WR:
		req->status = tdg_vm_wr(req->index, req->val, req->mask);
		break;
	case TDX_GUEST_READ:
		req->vector = read_safe(req->addr, &req->val);
		break;
	case TDX_GUEST_WRITE:
		req->vector = write_safe(req->addr, req->val);
		break;
	case TDX_GUEST_HAMMER:
		guest_hammer(req);
		break;
	case TDX_GUEST_ACCEPT:
		req->status = tdg_mem_page_accept(req->addr, req->val);
		break;
	case TDX_GUEST_RELEASE:
		req->status = tdg_mem_page_release(req->addr, req->val);
		break;
	case TDX_GUEST_FUNCTION:
		((void (*)(u64))req->addr)(req->val);
		break;
	default:
		GUEST_FAIL("Unknown request %lu", (unsigned long)req->op);
	}

	/* The module doesn't inject another #VE until the guest has read this one. */
	if (req->vector == VE_VECTOR)
		GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&req->ve), TDX_SUCCESS);
}

void tdx_guest_serve(struct tdx_guest_request *req)
{
	for (;;) {
		guest_serve_one(req);
		GUEST_SYNC(0);
	}
}

/* Host code. */

void tdx_guest_init(struct tdx_guest *guest, struct kvm_vcpu *vcpu)
{
	gva_t gva = tdx_alloc_shared(vcpu->vm, sizeof(*guest->req), &guest->req);

	guest->vm = vcpu->vm;
	guest->vcpu = vcpu;
	guest->run = vcpu->run;
	vcpu_arch_set_entry_point(vcpu, tdx_guest_serve);
	vcpu_args_set(vcpu, 1, gva);
}

struct tdx_guest tdx_guest_add(struct kvm_vm *vm, u32 vcpu_id)
{
	struct tdx_guest guest;

	tdx_guest_init(&guest, vm_vcpu_add(vm, vcpu_id, tdx_guest_serve));
	return guest;
}

void tdx_guest_create(struct tdx_guest *guest)
{
	*guest = tdx_guest_add(__vm_create(VM_SHAPE_TDX, 1, 0), 0);
}

int tdx_guest_run(struct tdx_guest *guest)
{
	struct ucall uc;

	for (;;) {
		errno = 0;
		if (_vcpu_run(guest->vcpu))
			return -1;

		switch (get_ucall(guest->vcpu, &uc)) {
		case UCALL_SYNC:
			return 0;
		case UCALL_PRINTF:
			REPORT_GUEST_PRINTF(uc);
			break;
		case UCALL_ABORT:
			REPORT_GUEST_ASSERT(uc);
			break;
		default:
			return 1;
		}
	}
}

void tdx_guest_finish(struct tdx_guest *guest)
{
	int r = tdx_guest_run(guest);

	TEST_ASSERT(!r, "The guest's request did not finish: %d, errno %d, %s",
		    r, errno, vcpu_exit_str(guest->vcpu));
}

void tdx_guest_post(struct tdx_guest *guest, enum tdx_guest_op op, u64 addr,
		    u64 val)
{
	*guest->req = (struct tdx_guest_request) {
		.op = op,
		.addr = addr,
		.index = addr,
		.val = val,
		.mask = ~0ull,
	};
}

void tdx_guest_post_call(struct tdx_guest *guest, struct tdvmcall call)
{
	tdx_guest_post(guest, TDX_GUEST_TDVMCALL, 0, 0);
	guest->req->call = call;
}

int __tdx_guest_do(struct tdx_guest *guest, enum tdx_guest_op op, u64 addr,
		   u64 val)
{
	tdx_guest_post(guest, op, addr, val);
	return tdx_guest_run(guest);
}

u8 tdx_guest_cpuid(struct tdx_guest *guest, u32 leaf, u32 subleaf, u32 reg[4])
{
	tdx_guest_do(guest, TDX_GUEST_CPUID, leaf, subleaf);
	memcpy(reg, guest->req->cpuid, sizeof(guest->req->cpuid));
	return guest->req->vector;
}

u8 tdx_guest_native_rdmsr(struct tdx_guest *guest, u32 msr, u64 *val)
{
	tdx_guest_do(guest, TDX_GUEST_RDMSR, msr, 0);
	*val = guest->req->val;
	return guest->req->vector;
}

u8 tdx_guest_native_wrmsr(struct tdx_guest *guest, u32 msr, u64 val)
{
	tdx_guest_do(guest, TDX_GUEST_WRMSR, msr, val);
	return guest->req->vector;
}

u64 tdx_guest_vm_rd(struct tdx_guest *guest, u64 field, u64 *val)
{
	tdx_guest_do(guest, TDX_GUEST_VM_RD, field, 0);
	*val = guest->req->val;
	return guest->req->status;
}

u64 tdx_guest_vm_wr(struct tdx_guest *guest, u64 field, u64 val, u64 mask)
{
	tdx_guest_post(guest, TDX_GUEST_VM_WR, field, val);
	guest->req->mask = mask;
	tdx_guest_finish(guest);
	return guest->req->status;
}

bool __tdx_call_exits(struct tdx_guest *guest, const struct tdvmcall *call)
{
	int r;

	tdx_guest_post_call(guest, *call);
	r = tdx_guest_run(guest);
	TEST_ASSERT(r >= 0, "KVM_RUN failed in TDVMCALL 0x%lx, errno %d",
		    (unsigned long)call->reg[TDVMCALL_LEAF], errno);
	return r;
}

void __tdx_call_start(struct tdx_guest *guest, const struct tdvmcall *call)
{
	bool exits = __tdx_call_exits(guest, call);

	TEST_ASSERT(exits, "No exit for TDVMCALL 0x%lx, status 0x%lx",
		    (unsigned long)call->reg[TDVMCALL_LEAF],
		    (unsigned long)tdvmcall_status(&guest->req->call));
}

struct tdvmcall tdx_call_finish(struct tdx_guest *guest)
{
	tdx_guest_finish(guest);
	TEST_ASSERT_EQ(guest->req->status, TDX_SUCCESS);
	return guest->req->call;
}

struct tdvmcall __tdx_call(struct tdx_guest *guest, const struct tdvmcall *call)
{
	tdx_guest_post_call(guest, *call);
	return tdx_call_finish(guest);
}

void tdx_call_complete(struct tdx_guest *guest)
{
	guest->run->immediate_exit = true;
	TEST_ASSERT_FAILS(__vcpu_run(guest->vcpu), EINTR);
	guest->run->immediate_exit = false;
}

u64 tdx_call_result(struct tdx_guest *guest, u64 *ret)
{
	TEST_ASSERT_EQ(guest->req->status, TDX_SUCCESS);
	if (ret)
		*ret = tdvmcall_ret(&guest->req->call);
	return tdvmcall_status(&guest->req->call);
}

u64 tdx_guest_rdmsr(struct tdx_guest *guest, u64 msr, u64 *val)
{
	tdx_call(guest, EXIT_REASON_MSR_READ, msr);
	return tdx_call_result(guest, val);
}

u64 tdx_guest_wrmsr(struct tdx_guest *guest, u64 msr, u64 val)
{
	return tdx_call_status(guest, EXIT_REASON_MSR_WRITE, msr, val);
}

u64 tdx_guest_tdvmcall_cpuid(struct tdx_guest *guest, u64 leaf, u64 subleaf,
			     u64 reg[4])
{
	struct tdvmcall call = tdx_call(guest, EXIT_REASON_CPUID, leaf, subleaf);

	for (int i = 0; i < 4; i++)
		reg[i] = tdvmcall_arg(&call, i);
	return tdvmcall_status(&call);
}
