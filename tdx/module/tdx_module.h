/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The emulated TDX module: the SEAMCALL and TDCALL ABI in, registers out.
 *
 * The module knows nothing of the machine that it runs on.  Whoever embeds it
 * executes the instructions, switches worlds and translates addresses; the
 * module decides.  What it needs in return is in struct tdx_ops.
 *
 * All functions are thread safe; one logical processor (LP) runs on one thread
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

struct tdx_ops {
	/*
	 * Physical memory; false if there is no RAM.  An address with KeyID
	 * bits names the private view of a page, which the host's accesses
	 * neither see nor change.
	 */
	bool (*read)(void *opaque, uint64_t pa, void *buf, size_t len);
	bool (*write)(void *opaque, uint64_t pa, const void *buf, size_t len);
	/* What the bare CPU answers; EAX, EBX, ECX, EDX. */
	void (*cpuid)(void *opaque, uint32_t leaf, uint32_t subleaf,
		      uint32_t out[4]);
	/* The host's time stamp counter and its frequency in Hz. */
	uint64_t (*tsc)(void *opaque);
	uint64_t (*tsc_hz)(void *opaque);
	/* Monotonic time in ns, for the trace. */
	uint64_t (*clock)(void *opaque);
	/* One line of trace without newline.  NULL: no trace. */
	void (*trace)(void *opaque, const char *line);
	/* Whether a virtual interrupt would be delivered to that vCPU now. */
	bool (*interrupt_pending)(void *opaque, void *state);
	/* Drops what the embedder keeps for a vCPU, see tdx_vcpu_state(). */
	void (*free_state)(void *opaque, void *state);
};

struct tdx_range {
	uint64_t base, size;	/* bytes */
};

struct tdx_platform {
	const char *profile;		/* NULL: the default */
	unsigned int num_lps;
	unsigned int keyid_shift;	/* lowest KeyID bit of a physical address */
	unsigned int num_mktme_keyids;	/* KeyIDs 1..n are for MKTME */
	unsigned int num_tdx_keyids;	/* the next m are for TDX */
	unsigned int num_cmrs;
	struct tdx_range cmr[32];	/* convertible memory, ascending */
	uint64_t arch_capabilities;	/* IA32_ARCH_CAPABILITIES of the CPU */
};

/* NULL and a reason in *error if the platform or the profile is not valid. */
struct tdx_module *tdx_module_new(const struct tdx_ops *ops, void *opaque,
				  const struct tdx_platform *platform,
				  const char **error);
void tdx_module_free(struct tdx_module *m);

/*
 * Makes calls fail as @plan says, in place of the plan before; the syntax is in
 * tdx_inject_help.  False and a reason in *error if the plan is not valid or
 * asks for what the ABI does not allow.
 */
bool tdx_module_inject(struct tdx_module *m, const char *plan,
		       const char **error);
/* The same check, before there is a module. */
bool tdx_inject_check(const char *plan, const char **error);
extern const char tdx_inject_help[];

/*
 * SEAMCALL by logical processor @lp with @gpr as operands and results.
 * Returns NULL when the call is done, RAX holding the status, or the vCPU to
 * enter (TDH.VP.ENTER): the embedder then loads the TD's state, lets
 * tdx_td_enter() merge the host's registers into it, and runs it until
 * tdx_td_exit().
 */
struct tdx_vcpu *tdx_seamcall(struct tdx_module *m, unsigned int lp,
			      uint64_t gpr[TDX_NR_GPRS]);

/*
 * Merges the host's registers into the guest's as the entry after a
 * TDG.VP.VMCALL asks.  Returns the mask of XMM registers to take likewise.
 */
uint32_t tdx_td_enter(struct tdx_vcpu *vcpu, const uint64_t host[TDX_NR_GPRS],
		      uint64_t guest[TDX_NR_GPRS]);

/* Why a TD stops running; see the SDM for reason and qualification. */
struct tdx_exit {
	uint64_t status;	/* high half of RAX, already shifted */
	uint32_t reason;
	uint64_t qualification;
	uint64_t ext_qualification;
	uint64_t gpa;
	uint32_t intr_info;
	uint32_t vmcall_mask;	/* TDG.VP.VMCALL's RCX */
	uint64_t rip;		/* of the guest; the embedder fills it */
};

/*
 * Fills the host's registers for a TD exit from the guest's.  Returns the mask
 * of XMM registers that pass from guest to host; the others read 0.
 */
uint32_t tdx_td_exit(struct tdx_vcpu *vcpu, const struct tdx_exit *exit,
		     const uint64_t guest[TDX_NR_GPRS],
		     uint64_t host[TDX_NR_GPRS]);

/* What becomes of an instruction, an access or an event in a TD. */
enum tdx_outcome {
	TDX_DONE,	/* completed: advance RIP */
	TDX_NATIVE,	/* carry out as the bare CPU would */
	TDX_EXIT,	/* TD exit, RIP stays: the struct tdx_exit is filled */
	TDX_EXIT_TRAP,	/* TD exit, RIP advanced first */
	TDX_VE,		/* #VE, if tdx_ve() agrees */
	TDX_DF,		/* #DF, error code 0: a #VE inside a #VE */
	TDX_GP,		/* #GP(0) */
	TDX_UD,		/* #UD */
	TDX_RSVD,	/* #PF with the reserved bit */
	TDX_AGAIN,	/* interrupted: RIP stays, the guest executes it again */
};

/* TDCALL in 64-bit mode at CPL 0; the embedder has checked both. */
enum tdx_outcome tdx_tdcall(struct tdx_vcpu *vcpu, uint64_t gpr[TDX_NR_GPRS],
			    struct tdx_exit *exit);

enum tdx_access { TDX_READ = 1, TDX_WRITE = 2, TDX_FETCH = 4 };

/*
 * Second-stage translation of @gpa for one access.  TDX_DONE: *hpa is the host
 * physical address and *rights an or of enum tdx_access.  TDX_EXIT and TDX_VE
 * fill *exit.  Changes nothing, so that the embedder may ask twice.
 */
enum tdx_outcome tdx_translate(struct tdx_vcpu *vcpu, uint64_t gpa,
			       enum tdx_access access, uint64_t *hpa,
			       unsigned int *rights, struct tdx_exit *exit);

/*
 * An access of the host's, by a physical address without KeyID: true if the
 * page there is private to a TD or is the module's, which is quick to tell if it
 * is not.  The trace notes the access, and a write poisons a TD's page: the TD
 * that next reads it is lost, as by the machine check of the real CPU.
 */
bool tdx_host_access(struct tdx_module *m, uint64_t pa, bool write);

/*
 * Raises #VE: fills what TDG.VP.VEINFO.GET reads.  Returns TDX_VE, or TDX_DF
 * if the guest has not yet read the last one.
 */
struct tdx_ve_info {
	uint32_t reason;		/* VM exit reason */
	uint64_t qualification;
	uint64_t gla, gpa;
	uint32_t insn_len, insn_info;
};

enum tdx_outcome tdx_ve(struct tdx_vcpu *vcpu, const struct tdx_ve_info *ve);

/* Results of CPUID as the TD sees them, in the state @env. */
struct tdx_cpuid_env {
	uint64_t cr4, xcr0, xss;
	bool long_mode;		/* CS.L */
	bool user;		/* CPL > 0 */
};

enum tdx_outcome tdx_cpuid(struct tdx_vcpu *vcpu,
			   const struct tdx_cpuid_env *env, uint32_t leaf,
			   uint32_t subleaf, uint32_t out[4]);

/*
 * RDMSR or WRMSR.  TDX_DONE: *value was read, or taken; TDX_NATIVE: the CPU's
 * own register, of which the TD has its copy; else TDX_GP or TDX_VE.
 */
enum tdx_outcome tdx_rdmsr(struct tdx_vcpu *vcpu, uint32_t msr, uint64_t *value);
enum tdx_outcome tdx_wrmsr(struct tdx_vcpu *vcpu, uint32_t msr, uint64_t value);

/* MOV to CR0 or CR4, XSETBV: TDX_NATIVE, TDX_GP or TDX_VE. */
enum tdx_outcome tdx_write_cr(struct tdx_vcpu *vcpu, unsigned int cr,
			      uint64_t old, uint64_t value);
enum tdx_outcome tdx_xsetbv(struct tdx_vcpu *vcpu, uint32_t index,
			    uint64_t value);

/*
 * An instruction that the architecture may take from a TD, by its VM exit
 * reason: TDX_NATIVE, TDX_VE, TDX_GP or TDX_UD.
 */
enum tdx_outcome tdx_instruction(struct tdx_vcpu *vcpu, uint32_t reason);

/* What the host set up for posted interrupts (TDH.VP.WR). */
struct tdx_posted {
	bool enabled;
	uint8_t vector;		/* notification vector */
	uint64_t descriptor;	/* physical address, 64 bytes */
};

void tdx_vcpu_posted(struct tdx_vcpu *vcpu, struct tdx_posted *posted);

/* Whether the host wants an exit after an access that locked the bus. */
bool tdx_vcpu_bus_lock_exits(struct tdx_vcpu *vcpu);

/*
 * Whether an NMI that the host asked for (PEND_NMI) is to be delivered now; the
 * caller delivers it.  @blocked: the guest is in its NMI handler.
 */
bool tdx_vcpu_take_nmi(struct tdx_vcpu *vcpu, bool blocked);

/* The state of a vCPU at its first entry, as the architecture defines it. */
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

/* A pointer of the embedder's that lives as long as the vCPU; starts NULL. */
void *tdx_vcpu_state(struct tdx_vcpu *vcpu);
void tdx_vcpu_set_state(struct tdx_vcpu *vcpu, void *state);

/*
 * Translations that were cached while this tag ran on a processor are good until
 * another tag runs there: it changes when a TD's mapping was tracked, or when
 * the vCPU comes to another processor.
 */
uint64_t tdx_vcpu_tlb_tag(struct tdx_vcpu *vcpu);

/* The TD's time stamp counter at the host's @tsc. */
uint64_t tdx_vcpu_tsc(struct tdx_vcpu *vcpu, uint64_t tsc);

/* Supervisor and user state that XSETBV and XSS may turn on. */
uint64_t tdx_vcpu_xfam(struct tdx_vcpu *vcpu);

/* What differs from one module, or platform, to the next. */
struct tdx_profile {
	const char *name;
	const char *summary;
	bool loaded;		/* whether SEAMCALL finds a module */
	uint16_t major, minor, update;
	uint64_t features0;
	uint64_t attributes;	/* bits that a TD may set */
	uint64_t config_flags;
	uint64_t td_ctls;	/* bits that the guest may set */
	unsigned int cpu_model;	/* of family 6 */
	unsigned int num_tdx_keyids;	/* one of them is the module's own */
	bool ept_5_levels;	/* of the CPU: GPAW 52 needs it */
};

/* The default first; an entry without a name ends the table. */
extern const struct tdx_profile tdx_profiles[];
const struct tdx_profile *tdx_profile_find(const char *name);

/* "TDH.MNG.CREATE", "TDG.VP.INFO", "OPERAND_INVALID", or NULL. */
const char *tdx_seamcall_name(uint64_t leaf);
const char *tdx_tdcall_name(uint64_t leaf);
const char *tdx_status_name(uint64_t status);

#endif /* TDX_MODULE_H */
