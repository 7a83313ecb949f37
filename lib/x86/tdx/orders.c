// SPDX-License-Identifier: GPL-2.0
#include "tdx/orders.h"

/* Guest: what the access at @addr ended with, 0 or an exception's vector. */
static u64 access_safe(struct tdx_order *o)
{
	u8 vector;

	if (o->op == TDX_ORDER_READ) {
		u64 error_code, val;

		asm volatile(KVM_ASM_SAFE("mov (%[addr]), %[val]")
			     : [val] "=&a"(val),
			       KVM_ASM_SAFE_OUTPUTS(vector, error_code)
			     : [addr] "d"(o->addr)
			     : KVM_ASM_SAFE_CLOBBERS, "memory");
		if (!vector)
			o->val = val;
	} else {
		vector = kvm_asm_safe("mov %[val], (%[addr])",
				      [val] "a"(o->val), [addr] "d"(o->addr));
	}

	/* The next #VE can only come once this one has been asked about. */
	if (vector == VE_VECTOR)
		GUEST_ASSERT_EQ(tdg_vp_veinfo_get(&o->ve), TDX_SUCCESS);

	return vector;
}

static void guest_take_orders(struct tdx_order *o)
{
	for (;;) {
		switch (o->op) {
		case TDX_ORDER_READ:
		case TDX_ORDER_WRITE:
			o->vector = access_safe(o);
			break;
		case TDX_ORDER_HAMMER:
			do {
				o->vector = access_safe(o);
				WRITE_ONCE(o->done, o->done + 1);
			} while (!o->vector && !READ_ONCE(o->stop));
			break;
		case TDX_ORDER_ACCEPT:
			o->status = tdg_mem_page_accept(o->addr, o->val);
			break;
		case TDX_ORDER_MAP_GPA:
			o->status = tdvmcall_map_gpa(o->addr, o->val, &o->addr);
			break;
		default:
			GUEST_FAIL("No such order: %lu", (unsigned long)o->op);
		}

		GUEST_SYNC(o->op);
	}
}

struct tdx_servant tdx_servant_add(struct kvm_vm *vm, u32 vcpu_id)
{
	struct kvm_vcpu *vcpu = vm_vcpu_add(vm, vcpu_id, guest_take_orders);
	gva_t gva = vm_alloc_shared(vm, sizeof(struct tdx_order),
				    KVM_UTIL_MIN_VADDR, MEM_REGION_TEST_DATA);

	vcpu_args_set(vcpu, 1, gva);

	return (struct tdx_servant) {
		.vcpu = vcpu,
		.order = addr_gva2hva(vm, gva),
	};
}

int tdx_continue(struct tdx_servant *s)
{
	struct ucall uc;

	errno = 0;
	if (_vcpu_run(s->vcpu))
		return -1;

	switch (get_ucall(s->vcpu, &uc)) {
	case UCALL_SYNC:
		return 0;
	case UCALL_ABORT:
		REPORT_GUEST_ASSERT(uc);
	default:
		return 1;
	}
}

int __tdx_order(struct tdx_servant *s, enum tdx_order_op op, u64 addr, u64 val)
{
	*s->order = (struct tdx_order) {
		.op = op,
		.addr = addr,
		.val = val,
	};

	return tdx_continue(s);
}
