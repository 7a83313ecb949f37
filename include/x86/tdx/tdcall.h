/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TDCALLs for guest code, and what user space sees of a TDVMCALL.
 *
 * Which register carries which operand of a TDVMCALL is known here and nowhere
 * else.  Guest code and host code both name operands.
 */
#ifndef SELFTEST_KVM_TDX_TDCALL_H
#define SELFTEST_KVM_TDX_TDCALL_H

#include <asm/vmx.h>

#include "kvm_util.h"
#include "tdx/tdx_abi.h"
#include "ucall_common.h"

/* General purpose registers as instructions encode them. */
enum {
	GPR_RAX, GPR_RCX, GPR_RDX, GPR_RBX, GPR_RSP, GPR_RBP, GPR_RSI, GPR_RDI,
	GPR_R8, GPR_R9, GPR_R10, GPR_R11, GPR_R12, GPR_R13, GPR_R14, GPR_R15,
	NR_GPRS
};

/*
 * A TDVMCALL, i.e. TDG.VP.VMCALL, seen from either side: the registers.  The map
 * below says what each of them is.
 */
struct tdvmcall {
	u64 reg[NR_GPRS];
};

/* The register map. */
enum {
	TDVMCALL_MASK	= GPR_RCX,	/* bit per register that KVM may see */
	TDVMCALL_TYPE	= GPR_R10,	/* 0, else number of a KVM hypercall */
	TDVMCALL_STATUS	= GPR_R10,	/* TDVMCALL_STATUS_*, on return */
	TDVMCALL_LEAF	= GPR_R11,	/* sub-function */
	TDVMCALL_RET	= GPR_R11,	/* first result, on return */
};

/* ... and the operands, in the order of the GHCI; more results on return. */
#define TDVMCALL_ARG(i)	(GPR_R12 + (i))		/* a constant, for the first four */

static const u8 tdvmcall_args[] = {
	TDVMCALL_ARG(0), TDVMCALL_ARG(1), TDVMCALL_ARG(2), TDVMCALL_ARG(3),
	GPR_RBX, GPR_RDI, GPR_RSI, GPR_R8, GPR_R9, GPR_RDX,
};

#define TDVMCALL_NR_ARGS	ARRAY_SIZE(tdvmcall_args)

#define tdvmcall_arg(call, i)	((call)->reg[tdvmcall_args[i]])

/*
 * All registers that the TDX module passes on.  RAX and RCX control the TDCALL, RSP
 * is never passed on, and RBP isn't in KVM's TDs.
 */
#define TDVMCALL_MASK_ALL						\
	(GENMASK_ULL(NR_GPRS - 1, 0) & ~(BIT_ULL(GPR_RAX) |		\
	 BIT_ULL(GPR_RCX) | BIT_ULL(GPR_RSP) | BIT_ULL(GPR_RBP)))

/*
 * Guest: TDCALL with @leaf as RAX, and with the registers of @reg except RSP and
 * RBP.  All of them are written back to @reg, changed or not.  Returns RAX.
 */
u64 __tdcall(u64 leaf, u64 reg[NR_GPRS]);

/*
 * Guest: do @call.  If its mask is 0, pass all registers.  Registers are written
 * back so that a test can tell what KVM did to each of them.  Returns the TDCALL's
 * own status.  If that isn't 0, the module refused the mask and did not exit to
 * KVM.
 */
static inline u64 __tdvmcall(struct tdvmcall *call)
{
	if (!call->reg[TDVMCALL_MASK])
		call->reg[TDVMCALL_MASK] = TDVMCALL_MASK_ALL;

	return __tdcall(TDG_VP_VMCALL, call->reg);
}

#define TDVMCALL(_leaf, _args...)					\
({									\
	const u64 __args[] = { _args };					\
	struct tdvmcall __call = { .reg[TDVMCALL_LEAF] = (_leaf) };	\
									\
	kvm_static_assert(ARRAY_SIZE(__args) <= TDVMCALL_NR_ARGS);	\
	for (int __i = 0; __i < ARRAY_SIZE(__args); __i++)		\
		tdvmcall_arg(&__call, __i) = __args[__i];		\
	__call;								\
})

/* A KVM hypercall.  Its operands begin where other TDVMCALLs have the leaf. */
#define TDVMCALL_HYPERCALL(_nr, _arg0, _args...)			\
({									\
	struct tdvmcall __hypercall = TDVMCALL(_arg0, ##_args);		\
									\
	__hypercall.reg[TDVMCALL_TYPE] = (_nr);				\
	__hypercall;							\
})

#define tdvmcall_status(call)	((call)->reg[TDVMCALL_STATUS])
#define tdvmcall_ret(call)	((call)->reg[TDVMCALL_RET])

/* Guest: do a TDVMCALL.  Evaluates to the registers on return. */
#define tdvmcall_full(_leaf, _args...)					\
({									\
	struct tdvmcall __c = TDVMCALL(_leaf, _args);			\
									\
	GUEST_ASSERT_EQ(__tdvmcall(&__c), TDX_SUCCESS);			\
	__c;								\
})

/* Guest: do a TDVMCALL.  Evaluates to its status. */
#define tdvmcall(_leaf, _args...)					\
({									\
	struct tdvmcall __full = tdvmcall_full(_leaf, _args);		\
									\
	tdvmcall_status(&__full);					\
})

/* The same for a TDVMCALL with a result, which *@ret gets whatever the status. */
#define tdvmcall_ret1(_ret, _leaf, _args...)				\
({									\
	struct tdvmcall __full = tdvmcall_full(_leaf, _args);		\
									\
	*(_ret) = tdvmcall_ret(&__full);				\
	tdvmcall_status(&__full);					\
})

/*
 * Guest: the TDVMCALLs.  Each returns the TDVMCALL's status.  Sizes are in bytes.
 * Operands are passed to KVM as they are, sensible or not.
 */
static inline u64 tdvmcall_io_read(u64 port, u64 size, u64 *val)
{
	return tdvmcall_ret1(val, EXIT_REASON_IO_INSTRUCTION, size,
			     TDVMCALL_READ, port);
}

static inline u64 tdvmcall_io_write(u64 port, u64 size, u64 val)
{
	return tdvmcall(EXIT_REASON_IO_INSTRUCTION, size, TDVMCALL_WRITE, port,
			val);
}

/* A valid @gpa has the shared bit. */
static inline u64 tdvmcall_mmio_read(u64 gpa, u64 size, u64 *val)
{
	return tdvmcall_ret1(val, EXIT_REASON_EPT_VIOLATION, size,
			     TDVMCALL_READ, gpa);
}

static inline u64 tdvmcall_rdmsr(u64 msr, u64 *val)
{
	return tdvmcall_ret1(val, EXIT_REASON_MSR_READ, msr);
}

static inline u64 tdvmcall_wrmsr(u64 msr, u64 val)
{
	return tdvmcall(EXIT_REASON_MSR_WRITE, msr, val);
}

static inline u64 tdvmcall_cpuid(u64 function, u64 index, u64 *eax, u64 *ebx,
				 u64 *ecx, u64 *edx)
{
	struct tdvmcall call = tdvmcall_full(EXIT_REASON_CPUID, function, index);

	*eax = tdvmcall_arg(&call, 0);
	*ebx = tdvmcall_arg(&call, 1);
	*ecx = tdvmcall_arg(&call, 2);
	*edx = tdvmcall_arg(&call, 3);
	return tdvmcall_status(&call);
}

/* @blocked: whether the guest's interrupts are off. */
static inline u64 tdvmcall_hlt(u64 blocked)
{
	return tdvmcall(EXIT_REASON_HLT, blocked);
}

/* Unless KVM converts the whole range, *@stopped_at gets the GPA where it stopped. */
static inline u64 tdvmcall_map_gpa(u64 gpa, u64 size, u64 *stopped_at)
{
	return tdvmcall_ret1(stopped_at, TDVMCALL_MAP_GPA, gpa, size);
}

/* Host: the TDVMCALL that KVM dumped with KVM_SYSTEM_EVENT_TDX_FATAL. */
static inline struct tdvmcall tdvmcall_of_system_event(struct kvm_run *run)
{
	struct tdvmcall call;

	kvm_static_assert(sizeof(call.reg) == sizeof(run->system_event.data));
	memcpy(call.reg, run->system_event.data, sizeof(call.reg));
	return call;
}

/*
 * This VM's shared bit, the GPA bit that makes an address shared with the
 * host.  Guest code only; zero in a guest that is not a TD.
 */
extern u64 tdx_s_bit;

/*
 * Guest: write the low @size bytes of @val to MMIO at @gpa, which is given
 * without the shared bit.  Asserts nothing, because ucalls use it.
 */
static inline u64 tdvmcall_mmio_write(gpa_t gpa, u64 size, u64 val)
{
	struct tdvmcall call = TDVMCALL(EXIT_REASON_EPT_VIOLATION, size,
					TDVMCALL_WRITE, gpa | tdx_s_bit, val);

	return __tdvmcall(&call) ?: call.reg[TDVMCALL_STATUS];
}

/*
 * Guest: other TDCALLs.  Each returns the module's status unless it can't fail;
 * results are stored on failure too.
 */

/* What TDG.VP.INFO says about the TD and the vCPU. */
struct tdx_vp_info {
	u64 gpaw;
	u64 attributes;
	u32 nr_vcpus;
	u32 max_vcpus;
	u32 vcpu_index;
};

struct tdx_vp_info tdg_vp_info(void);

/* The last #VE.  TDG.VP.VEINFO.GET also lets the module inject the next one. */
struct tdx_ve_info {
	u32 exit_reason;
	u64 exit_qualification;
	u64 gla;
	u64 gpa;
	u32 instruction_length;
	u32 instruction_info;
};

u64 tdg_vp_veinfo_get(struct tdx_ve_info *info);

/* @level: 0 for a page of 4 KiB, 1 for 2 MiB. */
u64 tdg_mem_page_accept(gpa_t gpa, u64 level);

/* Undoes that, if the TD has TDX_CONFIG_PAGE_RELEASE. */
u64 tdg_mem_page_release(gpa_t gpa, u64 level);

/*
 * Metadata of the TD, see TDX_MD_* in tdx_abi.h.  TDG.VM.WR changes only the bits
 * of @mask.
 */
u64 tdg_vm_rd(u64 field, u64 *val);
u64 tdg_vm_wr(u64 field, u64 val, u64 mask);

/* Metadata of the module. */
u64 tdg_sys_rd(u64 field, u64 *val);

/* @report: 1024 bytes, @data: 64 bytes, both aligned to their size. */
u64 tdg_mr_report(gpa_t report, gpa_t data);

/* @data: 48 bytes, aligned to 64; @index: which RTMR. */
u64 tdg_mr_rtmr_extend(gpa_t data, u64 index);

#endif /* SELFTEST_KVM_TDX_TDCALL_H */
