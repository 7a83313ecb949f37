/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The emulated TDX module: the SEAMCALL and TDCALL ABI, registers in and out.
 *
 * The module knows nothing about the machine.  The embedder executes
 * instructions, switches between host and TD and walks page tables; the module
 * decides what the result is.  struct tdx_ops has what it needs in return.
 *
 * All functions are thread safe.  A logical processor (LP) must be on one thread
 * at a time.
 */
#ifndef TDX_MODULE_H
#define TDX_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tdx_module;
struct tdx_vcpu;

/* General purpose registers in the order of their encoding. */
enum tdx_gpr {
	TDX_RAX, TDX_RCX, TDX_RDX, TDX_RBX, TDX_RSP, TDX_RBP, TDX_RSI, TDX_RDI,
	TDX_R8, TDX_R9, TDX_R10, TDX_R11, TDX_R12, TDX_R13, TDX_R14, TDX_R15,
	TDX_NR_GPRS
};

/* MSRs of the CPU that the module asks for. */
enum tdx_host_msr {
	TDX_MSR_TSC_ADJUST = 0x3b, TDX_MSR_KEYID_PARTITIONING = 0x87,
	TDX_MSR_MTRRCAP = 0xfe, TDX_MSR_MISC_ENABLE = 0x1a0,
	TDX_MSR_SMRR_PHYSBASE = 0x1f2, TDX_MSR_SMRR_PHYSMASK = 0x1f3,
	TDX_MSR_PERF_CAPABILITIES = 0x345,
	TDX_MSR_VMX_BASIC = 0x480, TDX_MSR_VMX_CR0_FIXED0 = 0x486,
	TDX_MSR_VMX_CR0_FIXED1 = 0x487, TDX_MSR_VMX_CR4_FIXED0 = 0x488,
	TDX_MSR_VMX_CR4_FIXED1 = 0x489, TDX_MSR_VMX_EPT_VPID_CAP = 0x48c,
	TDX_MSR_VMX_TRUE_PINBASED_CTLS = 0x48d,
	TDX_MSR_VMX_TRUE_PROCBASED_CTLS = 0x48e,
	TDX_MSR_TME_CAPABILITY = 0x981, TDX_MSR_TME_ACTIVATE = 0x982,
};

struct tdx_ops {
	/*
	 * Access @len bytes of physical memory; false if there is no RAM.  A
	 * @pa with KeyID bits is the private view of a page, separate from what
	 * the host sees at the same address.
	 */
	bool (*read)(void *opaque, uint64_t pa, void *buf, size_t len);
	bool (*write)(void *opaque, uint64_t pa, const void *buf, size_t len);
	/* CPUID of the CPU itself: EAX, EBX, ECX, EDX. */
	void (*cpuid)(void *opaque, uint32_t leaf, uint32_t subleaf,
		      uint32_t out[4]);
	/* An MSR of logical processor @lp. */
	uint64_t (*rdmsr)(void *opaque, unsigned int lp, enum tdx_host_msr msr);
	/* The host's time stamp counter and its frequency in Hz. */
	uint64_t (*tsc)(void *opaque);
	uint64_t (*tsc_hz)(void *opaque);
	/* Monotonic time in ns, for the trace. */
	uint64_t (*clock)(void *opaque);
	/* Writes a line of trace, without newline.  NULL: no trace. */
	void (*trace)(void *opaque, const char *line);
	/*
	 * The host did what corrupts memory on hardware, and here goes
	 * unnoticed.  NULL: that is nobody's concern.
	 */
	void (*complain)(void *opaque, const char *line);
	/*
	 * A call has done its work and still holds its locks; it takes @us
	 * microseconds on hardware, or 0 for few.  Others may call the module
	 * meanwhile.  NULL: all calls are short.
	 */
	void (*meanwhile)(void *opaque, unsigned int us);
	/*
	 * A call has done its work and still holds its locks.  True if the LP does
	 * nothing until the embedder calls tdx_call_end().  NULL: never.
	 */
	bool (*keep_locks)(void *opaque);
	/* Whether the vCPU with that state has an interrupt to deliver now. */
	bool (*interrupt_pending)(void *opaque, void *state);
	/* Frees what the embedder keeps for a vCPU, see tdx_vcpu_state(). */
	void (*free_state)(void *opaque, void *state);
};

struct tdx_range {
	uint64_t base, size;	/* bytes */
};

struct tdx_platform {
	const struct tdx_profile *profile;	/* outlives the module; NULL: the default */
	unsigned int num_lps;
	unsigned int keyid_shift;	/* lowest KeyID bit of a physical address */
	unsigned int num_mktme_keyids;	/* KeyIDs 1..n are for MKTME */
	unsigned int num_tdx_keyids;	/* the next m are for TDX */
	unsigned int num_cmrs;
	struct tdx_range cmr[32];	/* convertible memory, ascending */
	/* IA32_ARCH_CAPABILITIES and IA32_MISC_ENABLE of the CPU */
	uint64_t arch_capabilities, misc_enable;
};

/*
 * Creates a module, before TDH.SYS.INIT.  @opaque is passed to all of @ops.
 * Returns NULL and a reason in *error if the platform is not valid.
 */
struct tdx_module *tdx_module_new(const struct tdx_ops *ops, void *opaque,
				  const struct tdx_platform *platform,
				  const char **error);
/* Frees a module with its TDs.  No vCPU may be running. */
void tdx_module_free(struct tdx_module *m);

/*
 * Makes calls fail as @plan says; replaces the previous plan.  tdx_inject_help
 * has the syntax.  Returns false and a reason in *error if the plan is not valid
 * or asks for a failure that the ABI does not allow.
 */
bool tdx_module_inject(struct tdx_module *m, const char *plan,
		       const char **error);
/* Checks a plan without a module. */
bool tdx_inject_check(const char *plan, const char **error);
extern const char tdx_inject_help[];

/*
 * SEAMCALL by logical processor @lp, to the module or to the P-SEAMLDR; @gpr holds
 * operands and then results.  Returns false if what it calls is not there: the
 * instruction fails (VMfailInvalid).
 *
 * *vcpu is NULL if the call has completed, with the status in RAX.  It is a vCPU
 * if TDH.VP.ENTER enters it: the embedder loads the TD's state, merges the host's
 * registers into it with tdx_td_enter(), and runs it until tdx_td_exit().
 */
bool tdx_seamcall(struct tdx_module *m, unsigned int lp,
		  uint64_t gpr[TDX_NR_GPRS], struct tdx_vcpu **vcpu);
/* Ends a call of @lp, a SEAMCALL or a TDCALL, whose locks tdx_ops.keep_locks kept. */
void tdx_call_end(struct tdx_module *m, unsigned int lp);

/*
 * Merges the host's registers into the guest's, which happens at the entry that
 * follows a TDG.VP.VMCALL.  Returns the mask of XMM registers to merge as well.
 */
uint32_t tdx_td_enter(struct tdx_vcpu *vcpu, const uint64_t host[TDX_NR_GPRS],
		      uint64_t guest[TDX_NR_GPRS]);

/* A TD exit; the SDM defines reason and qualification. */
struct tdx_exit {
	uint64_t status;	/* high half of RAX, already shifted */
	uint32_t reason;
	uint64_t qualification;
	uint64_t ext_qualification;
	uint64_t gpa;
	uint64_t gla;		/* of an EPT violation; the host does not get it */
	uint32_t intr_info;
	uint32_t vmcall_mask;	/* TDG.VP.VMCALL's RCX */
	bool by_tdcall;		/* EPT violation: not by an access of the guest */
	uint64_t rip;		/* of the guest; the embedder fills it */
};

/*
 * Sets the host's registers for a TD exit.  Returns the mask of XMM registers
 * that pass from the guest to the host; the others become 0.
 */
uint32_t tdx_td_exit(struct tdx_vcpu *vcpu, const struct tdx_exit *exit,
		     const uint64_t guest[TDX_NR_GPRS],
		     uint64_t host[TDX_NR_GPRS]);

/* The outcome of an instruction, an access or an event in a TD. */
enum tdx_outcome {
	TDX_DONE,	/* completed: advance RIP */
	TDX_NATIVE,	/* execute it as the CPU would */
	TDX_EXIT,	/* TD exit, RIP stays: the struct tdx_exit is filled */
	TDX_EXIT_TRAP,	/* TD exit, RIP advanced first */
	TDX_VE,		/* #VE, if tdx_ve() agrees */
	TDX_DF,		/* #DF, error code 0: a #VE inside a #VE */
	TDX_GP,		/* #GP(0) */
	TDX_UD,		/* #UD */
	TDX_RSVD,	/* #PF with the reserved bit */
	TDX_AGAIN,	/* interrupted: RIP stays, the guest repeats it */
};

/* TDCALL.  The embedder has checked for 64-bit mode and CPL 0. */
enum tdx_outcome tdx_tdcall(struct tdx_vcpu *vcpu, uint64_t gpr[TDX_NR_GPRS],
			    struct tdx_exit *exit);

enum tdx_access { TDX_READ = 1, TDX_WRITE = 2, TDX_FETCH = 4 };

/*
 * Second-stage translation of @gpa for an access.  TDX_DONE: *hpa is the host
 * physical address and *rights the accesses allowed.  TDX_EXIT and TDX_VE fill
 * *exit; the embedder may add to the qualification what it knows of the linear
 * address.  Nothing is accessed, so the embedder may ask more than once.
 */
enum tdx_outcome tdx_translate(struct tdx_vcpu *vcpu, uint64_t gpa,
			       enum tdx_access access, uint64_t *hpa,
			       unsigned int *rights, struct tdx_exit *exit);

/*
 * An access by the host to a physical address without KeyID.  Returns true if
 * the page belongs to a TD or to the module; for other pages this is quick.  The
 * access is traced.  A write to a TD's page poisons it: the TD is lost when it
 * reads the page, as by the machine check of a real CPU.  An access to a page that
 * a TD had, and that the host has not prepared for use, is a complaint.
 */
bool tdx_host_access(struct tdx_module *m, uint64_t pa, bool write);

/*
 * The host wrote 64 bytes at a physical address with MOVDIR64B, which, unlike other
 * accesses, is not reported by tdx_host_access().
 */
void tdx_host_direct_store(struct tdx_module *m, uint64_t pa);

/*
 * Raises #VE: TDG.VP.VEINFO.GET will return @ve.  Returns TDX_VE, or TDX_DF if
 * the guest has not read the previous one yet.
 */
struct tdx_ve_info {
	uint32_t reason;		/* VM exit reason */
	uint64_t qualification;
	uint64_t gla, gpa;
	uint32_t insn_len, insn_info;
};

enum tdx_outcome tdx_ve(struct tdx_vcpu *vcpu, const struct tdx_ve_info *ve);

/* CPUID: TDX_DONE and the result in @out, or TDX_VE. */
struct tdx_cpuid_env {
	uint64_t cr4, xcr0, xss;
	bool long_mode;		/* CS.L */
	bool user;		/* CPL > 0 */
};

enum tdx_outcome tdx_cpuid(struct tdx_vcpu *vcpu,
			   const struct tdx_cpuid_env *env, uint32_t leaf,
			   uint32_t subleaf, uint32_t out[4]);

/*
 * RDMSR and WRMSR.  TDX_DONE: *value was read, or @value written.  TDX_NATIVE:
 * the register is the CPU's, with a copy for the TD.  Otherwise TDX_GP or TDX_VE.
 */
enum tdx_outcome tdx_rdmsr(struct tdx_vcpu *vcpu, uint32_t msr, uint64_t *value);
enum tdx_outcome tdx_wrmsr(struct tdx_vcpu *vcpu, uint32_t msr, uint64_t value);

/* MOV to CR0 or CR4, XSETBV: TDX_NATIVE, TDX_GP or TDX_VE. */
enum tdx_outcome tdx_write_cr(struct tdx_vcpu *vcpu, unsigned int cr,
			      uint64_t old, uint64_t value);
enum tdx_outcome tdx_xsetbv(struct tdx_vcpu *vcpu, uint32_t index,
			    uint64_t value);

/*
 * An instruction that the module may intercept, by its VM exit reason.  Returns
 * TDX_NATIVE, TDX_VE, TDX_GP or TDX_UD.
 */
enum tdx_outcome tdx_instruction(struct tdx_vcpu *vcpu, uint32_t reason);

/* Posted interrupts, as the host has set them up with TDH.VP.WR. */
struct tdx_posted {
	bool enabled;
	uint8_t vector;		/* notification vector */
	uint64_t descriptor;	/* physical address, 64 bytes */
};

void tdx_vcpu_posted(struct tdx_vcpu *vcpu, struct tdx_posted *posted);

/* Whether the host wants a TD exit after an access that locked the bus. */
bool tdx_vcpu_bus_lock_exits(struct tdx_vcpu *vcpu);

/*
 * Whether to deliver an NMI that the host has requested (PEND_NMI).  Clears the
 * request if so.  @blocked: the guest is in its NMI handler
 */
bool tdx_vcpu_take_nmi(struct tdx_vcpu *vcpu, bool blocked);

/*
 * Whether to deliver a #VE at entry, because the TD wants to know that it may have
 * been attacked.  @blocked: the guest is in its NMI handler, or another event is to
 * be delivered
 */
bool tdx_vcpu_take_ve(struct tdx_vcpu *vcpu, bool blocked);

/* Registers of a vCPU at its first entry; those not here are 0. */
struct tdx_segment {
	uint16_t selector;
	uint64_t base;
	uint32_t limit;
	uint32_t rights;	/* access rights as in the VMCS */
};

struct tdx_reset_state {
	uint64_t gpr[TDX_NR_GPRS];
	uint64_t rip, rflags, cr0, cr3, cr4, efer, xcr0, pat;
	uint64_t dr6, dr7, fmask;
	struct tdx_segment cs, data, ldtr, tr;	/* data: DS ES FS GS SS */
	uint32_t gdt_limit, idt_limit;
	uint16_t fcw;
	uint32_t mxcsr;
};

void tdx_vcpu_reset_state(struct tdx_vcpu *vcpu, struct tdx_reset_state *s);

/* A pointer that the embedder keeps with the vCPU; initially NULL. */
void *tdx_vcpu_state(struct tdx_vcpu *vcpu);
void tdx_vcpu_set_state(struct tdx_vcpu *vcpu, void *state);

/*
 * A processor may keep the translations that it cached for a tag until a vCPU
 * with another tag runs there.  A vCPU's tag changes when it is entered after
 * TDH.MEM.TRACK, or on another processor.
 */
uint64_t tdx_vcpu_tlb_tag(struct tdx_vcpu *vcpu);

/* The TD's time stamp counter at the host's @tsc. */
uint64_t tdx_vcpu_tsc(struct tdx_vcpu *vcpu, uint64_t tsc);

/* Supervisor and user state that XSETBV and XSS may turn on. */
uint64_t tdx_vcpu_xfam(struct tdx_vcpu *vcpu);

struct cpuid_table;
struct tdx_rules;

/* Bits of a register of CPUID: EAX, EBX, ECX or EDX, counted from 0. */
struct tdx_cpu_bits {
	uint32_t leaf, subleaf;
	unsigned int reg;
	uint32_t mask;
};

#define TDX_MAX_CPU_BITS	8
#define TDX_MAX_CPU_LACKS	32

/*
 * A module and the CPU that it runs on.  The module's code has no other way to tell
 * one release from another.
 */
struct tdx_profile {
	const char *name;	/* of the module */
	bool loaded;		/* false: SEAMCALL finds no module */
	uint16_t major, minor, update;
	uint64_t features0;
	uint64_t attributes;	/* bits that a TD may have */
	uint64_t config_flags;	/* the same */
	uint64_t xfam_lacks;	/* bits that no TD may have, although the CPU has them */
	uint64_t td_ctls;	/* bits that the guest may set */
	uint16_t max_vcpus;	/* of a TD */
	unsigned int tdcs_pages;
	const struct cpuid_table *cpuid;
	/* The CPU. */
	unsigned int cpu_model;	/* of family 6 */
	unsigned int num_tdx_keyids;	/* one of them is the module's own */
	bool ept_5_levels;	/* GPAW 52 needs it */
	uint32_t tsc_num, tsc_den;	/* the TSC's frequency in GHz */
	unsigned int num_cpu_lacks;
	struct tdx_cpu_bits cpu_lacks[TDX_MAX_CPU_LACKS];
	/* How both differ from the above; NULL: not at all. */
	struct tdx_rules *rules;
};

/*
 * Makes a profile of a release and modifiers, such as "2.0.08,erratum,few-keys=2";
 * NULL: the default.  tdx_profile_help has what there is, the default first.
 * Returns false and a reason in *error, which the caller frees with g_free().
 */
bool tdx_profile_parse(const char *text, struct tdx_profile *p, char **error);
/* Frees what a profile that was parsed refers to. */
void tdx_profile_clear(struct tdx_profile *p);
extern const char tdx_profile_help[];

/*
 * Turns CPUID of the most capable CPU, EAX to EDX, into that of the profile's CPU, by
 * its features.
 */
void tdx_profile_cpuid(const struct tdx_profile *p, uint32_t leaf, uint32_t subleaf,
		       uint32_t out[4]);

/* "TDH.MNG.CREATE", "TDG.VP.INFO", "OPERAND_INVALID"; NULL if unknown. */
const char *tdx_seamcall_name(uint64_t leaf);
const char *tdx_tdcall_name(uint64_t leaf);
const char *tdx_status_name(uint64_t status);

#endif /* TDX_MODULE_H */
