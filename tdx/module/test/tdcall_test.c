// SPDX-License-Identifier: GPL-2.0
/* TDCALL: operands, results and errors of each leaf. */
#include <string.h>

#include "tests.h"

static const struct tdcall_row rows[] = {
	{ "unknown leaf", 13, {}, ERR(OPERAND_INVALID, RAX) },
	{ "reserved bits of RAX", TDG_VP_INFO | 1ull << 24, {},
	  ERR(OPERAND_INVALID, RAX) },
	{ "version 1 of a leaf without versions", TDG_VP_INFO | V(1), {},
	  ERR(OPERAND_INVALID, RAX) },
	{ "VM.RD: another TD", TDG_VM_RD,
	  { .rcx = 1, .rdx = 0x1110000300000000 }, ERR(OPERAND_INVALID, RCX) },
	{ "VM.RD: no such field", TDG_VM_RD, { .rdx = 0x1110000300000fff },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "VM.RD: field for the host only", TDG_VM_RD,
	  { .rdx = 0x111000030000000a }, STATUS(TDX_METADATA_FIELD_NOT_READABLE, 0) },
	{ "VM.WR: another TD", TDG_VM_WR,
	  { .rcx = 1, .rdx = 0x9110000300000010, .r9 = ~0ull },
	  ERR(OPERAND_INVALID, RCX) },
	{ "VM.WR: read-only field", TDG_VM_WR,
	  { .rdx = 0x1110000300000000, .r9 = ~0ull },
	  STATUS(TDX_METADATA_FIELD_NOT_WRITABLE, 0) },
	{ "VM.WR: PENDING_VE_DISABLE without FLEXIBLE_PENDING_VE", TDG_VM_WR,
	  { .rdx = 0x1110000300000017, .r8 = 1, .r9 = 1 },
	  STATUS(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0) },
	{ "SYS.RD: field for the host only", TDG_SYS_RD,
	  { .rdx = 0x9100000100000008 }, STATUS(TDX_METADATA_FIELD_NOT_READABLE, 0) },
	{ "SYS.RD: no such field", TDG_SYS_RD, { .rdx = 0x0800000100000fff },
	  STATUS(TDX_METADATA_FIELD_ID_INCORRECT, 0) },
	{ "VP.VEINFO.GET: no #VE", TDG_VP_VEINFO_GET, {},
	  STATUS(TDX_NO_VALID_VE_INFO, 0) },
};

/* RAX, RCX and RSP never pass, nor does RBP with NO_RBP_MOD. */
static void vmcall_masks(struct world *w)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		bool bad = bit == TDX_RAX || bit == TDX_RCX || bit == TDX_RSP ||
			   bit == TDX_RBP || bit >= 32;
		uint64_t rax = tdcall(w, TDG_VP_VMCALL, .rcx = 1ull << bit);

		if (bad) {
			check_status(rax, ERR(OPERAND_INVALID, RCX));
			g_assert_cmpint(w->outcome, ==, TDX_DONE);
			continue;
		}
		g_assert_cmpint(w->outcome, ==, TDX_EXIT_TRAP);
		g_assert_cmphex(w->host[TDX_RAX], ==, 77);
		g_assert_cmphex(w->host[TDX_RCX], ==, 1ull << bit);
		check_status(enter(w, 0, TDVPR), 0);
	}
	leave(w, 1);
}

static void vmcall_with_rbp(struct world *w)
{
	w->params.config_flags = 0;
	world_through(w, INITIALIZED, ENTERED);
	tdcall(w, TDG_VP_VMCALL, .rcx = 1 << TDX_RBP);
	g_assert_cmpint(w->outcome, ==, TDX_EXIT_TRAP);
	g_assert_cmphex(w->host[TDX_RBP], ==, w->regs[TDX_RBP]);
}

/* One register at a time, out and back; no other register passes. */
static void vmcall_registers(struct world *w)
{
	uint64_t guest[TDX_NR_GPRS], host[TDX_NR_GPRS], state[TDX_NR_GPRS];
	struct tdx_vcpu *entered;
	struct tdx_exit exit;
	uint32_t xmm;
	unsigned int reg, i;

	for (reg = 0; reg < TDX_NR_GPRS; reg++) {
		uint32_t mask = 1 << reg | 0x80010000;

		if (reg == TDX_RAX || reg == TDX_RCX || reg == TDX_RSP ||
		    reg == TDX_RBP)
			continue;
		for (i = 0; i < TDX_NR_GPRS; i++) {
			guest[i] = 0x1100 + i;
			host[i] = 0x2200 + i;
		}
		guest[TDX_RAX] = TDG_VP_VMCALL;
		guest[TDX_RCX] = mask;
		g_assert_cmpint(tdx_tdcall(w->vcpu, guest, &exit), ==,
				TDX_EXIT_TRAP);
		memcpy(state, guest, sizeof(state));
		xmm = tdx_td_exit(w->vcpu, &exit, guest, host);
		g_assert_cmphex(xmm, ==, 0x8001);
		for (i = 0; i < TDX_NR_GPRS; i++) {
			uint64_t want = i == reg ? 0x1100 + i :
					i == TDX_RAX ? 77 :
					i == TDX_RCX ? mask :
					i == TDX_RSP || i == TDX_RBP ?
					0x2200 + i : 0;

			g_assert_cmphex(host[i], ==, want);
		}

		for (i = 0; i < TDX_NR_GPRS; i++)
			host[i] = 0x3300 + i;
		host[TDX_RAX] = VP_ENTER;
		host[TDX_RCX] = TDVPR;
		g_assert_true(tdx_seamcall(w->m, 0, host, &entered));
		g_assert_true(entered == w->vcpu);
		xmm = tdx_td_enter(w->vcpu, host, state);
		g_assert_cmphex(xmm, ==, 0x8001);
		for (i = 0; i < TDX_NR_GPRS; i++) {
			uint64_t want = i == reg ? 0x3300 + i :
					i == TDX_RAX ? 0 :
					i == TDX_RCX ? mask : 0x1100 + i;

			g_assert_cmphex(state[i], ==, want);
		}
	}
	leave(w, 1);
}

/* After other exits the host can't change registers. */
static void async_registers(struct world *w)
{
	struct tdx_exit exit = {
		.reason = 48, .qualification = 0x182, .ext_qualification = 6,
		.gpa = 0x5678,
	};
	uint64_t guest[TDX_NR_GPRS], host[TDX_NR_GPRS], state[TDX_NR_GPRS];
	struct tdx_vcpu *entered;
	unsigned int i;

	for (i = 0; i < TDX_NR_GPRS; i++) {
		guest[i] = state[i] = 0x1100 + i;
		host[i] = 0x2200 + i;
	}
	g_assert_cmphex(tdx_td_exit(w->vcpu, &exit, guest, host), ==, 0);
	for (i = 0; i < TDX_NR_GPRS; i++) {
		uint64_t want = i == TDX_RAX ? 48 : i == TDX_RCX ? 2 :
				i == TDX_RDX ? 6 : i == TDX_R8 ? 0x5000 :
				i == TDX_RSP || i == TDX_RBP ? 0x2200 + i : 0;

		g_assert_cmphex(host[i], ==, want);
		host[i] = 0x3300 + i;
	}
	host[TDX_RAX] = VP_ENTER;
	host[TDX_RCX] = TDVPR;
	g_assert_true(tdx_seamcall(w->m, 0, host, &entered));
	g_assert_true(entered == w->vcpu);
	g_assert_cmphex(tdx_td_enter(w->vcpu, host, guest), ==, 0);
	g_assert_cmpmem(guest, sizeof(guest), state, sizeof(state));
	leave(w, 1);
}

static void vp_info(struct world *w)
{
	check_status(tdcall(w, TDG_VP_INFO), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, 48);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, 1 | 4ull << 32);
	g_assert_cmphex(w->regs[TDX_R9], ==, 0);
	g_assert_cmphex(w->regs[TDX_R10], ==, 1);
	g_assert_cmphex(w->regs[TDX_R11], ==, 0);
	leave(w, 1);
}

static void ve_info(struct world *w)
{
	struct tdx_ve_info ve = {
		.reason = 48, .qualification = 2, .gla = 0x1234, .gpa = 0x5678,
		.insn_len = 3, .insn_info = 9,
	};

	g_assert_cmpint(tdx_ve(w->vcpu, &ve), ==, TDX_VE);
	g_assert_cmpint(tdx_ve(w->vcpu, &ve), ==, TDX_DF);
	check_status(tdcall(w, TDG_VP_VEINFO_GET), 0);
	g_assert_cmphex(w->regs[TDX_RCX], ==, 48);
	g_assert_cmphex(w->regs[TDX_RDX], ==, 2);
	g_assert_cmphex(w->regs[TDX_R8], ==, 0x1234);
	g_assert_cmphex(w->regs[TDX_R9], ==, 0x5678);
	g_assert_cmphex(w->regs[TDX_R10], ==, 3 | 9ull << 32);
	check_status(tdcall(w, TDG_VP_VEINFO_GET),
		     STATUS(TDX_NO_VALID_VE_INFO, 0));
	g_assert_cmphex(w->regs[TDX_R8], ==, 0);
	g_assert_cmpint(tdx_ve(w->vcpu, &ve), ==, TDX_VE);
	leave(w, 1);
}

/* Version 1 came with reduced #VE. */
static void ve_info_version(void)
{
	static const char *const profiles[] = { "1.5.06", "2.0.08" };
	struct tdx_ve_info ve = { .reason = 10 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct world *w = world_new(profiles[i]);

		world_to(w, ENTERED);
		tdx_ve(w->vcpu, &ve);
		check_status(tdcall(w, TDG_VP_VEINFO_GET | V(1)),
			     i ? 0 : ERR(OPERAND_INVALID, RAX));
		check_status(tdcall(w, TDG_VP_VEINFO_GET),
			     i ? STATUS(TDX_NO_VALID_VE_INFO, 0) : 0);
		leave(w, 1);
		world_free(w);
	}
}

/* What raises #VE, and the category that version 1 gives. */
static enum tdx_outcome cpuid_leaf(struct world *w, uint64_t leaf)
{
	const struct tdx_cpuid_env env = { .xcr0 = 3, .long_mode = true };
	uint32_t out[4];

	return tdx_cpuid(w->vcpu, &env, leaf, 0, out);
}

static enum tdx_outcome rdmsr(struct world *w, uint64_t msr)
{
	uint64_t value;

	return tdx_rdmsr(w->vcpu, msr, &value);
}

static enum tdx_outcome wrmsr_1(struct world *w, uint64_t msr)
{
	return tdx_wrmsr(w->vcpu, msr, 1);
}

static enum tdx_outcome write_debugctl_tr(struct world *w, uint64_t value)
{
	return tdx_wrmsr(w->vcpu, 0x1d9, value);
}

static enum tdx_outcome instruction(struct world *w, uint64_t reason)
{
	return tdx_instruction(w->vcpu, reason);
}

static enum tdx_outcome write_cr0(struct world *w, uint64_t value)
{
	return tdx_write_cr(w->vcpu, 0, 0, value);
}

static enum tdx_outcome write_cr4(struct world *w, uint64_t value)
{
	return tdx_write_cr(w->vcpu, 4, 0, value);
}

static void ve_category(void)
{
	static const struct {
		enum tdx_outcome (*decide)(struct world *w, uint64_t operand);
		uint64_t operand, category;
	} rows[] = {
		{ cpuid_leaf, 0x40000000, VE_PARAVIRT }, { cpuid_leaf, 0xc, VE_CONFIGURED },
		{ cpuid_leaf, 0x16, VE_CONFIGURED },
		{ rdmsr, 0x40000000, VE_PARAVIRT }, { rdmsr, 0x1b, VE_PARAVIRT },
		{ rdmsr, 0x17, VE_PARAVIRT }, { rdmsr, 5, VE_CONFIGURED },
		{ rdmsr, 0x3a, VE_CONFIGURED }, { rdmsr, 0x179, VE_CONFIGURED },
		{ wrmsr_1, 0x1b, VE_PARAVIRT }, { wrmsr_1, 0x79, VE_CONFIGURED },
		{ wrmsr_1, 0x1a0, VE_CONFIGURED }, { wrmsr_1, 0xc0000080, VE_UNSUPPORTED },
		{ write_debugctl_tr, 1 << 6, VE_UNSUPPORTED },
		{ instruction, EXIT_HLT, VE_PARAVIRT }, { instruction, EXIT_IO, VE_PARAVIRT },
		{ write_cr0, 1u << 30 | 0x21, VE_UNSUPPORTED },
		{ write_cr4, 1 << 13 | 1 << 6, VE_UNSUPPORTED }, { write_cr4, 0, VE_CONFIGURED },
	};
	struct world *w = world_new("2.0.08");
	unsigned int i, version;

	world_to(w, ENTERED);
	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		for (version = 0; version < 2; version++) {
			const struct tdx_ve_info ve = { .reason = 7 };
			uint64_t want = version ? rows[i].category << 32 | 7 : 7;

			if (rows[i].decide(w, rows[i].operand) != TDX_VE)
				g_error("row %u raises no #VE", i);
			tdx_ve(w->vcpu, &ve);
			check_status(tdcall(w, TDG_VP_VEINFO_GET | V(version)), 0);
			if (w->regs[TDX_RCX] != want)
				g_error("row %u: RCX is 0x%lx", i, w->regs[TDX_RCX]);
		}
	}
	check_status(tdcall(w, TDG_VP_VEINFO_GET | V(1)), STATUS(TDX_NO_VALID_VE_INFO, 0));
	g_assert_cmphex(w->regs[TDX_RCX], ==, 0);
	leave(w, 1);
	world_free(w);
}

/* An NMI waits until the guest has read the #VE information. */
static void nmi(struct world *w)
{
	struct tdx_ve_info ve = { .reason = 10 };

	check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = 0xa02000000000000b,
			      .r8 = 1, .r9 = 1), 0);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_false(tdx_vcpu_take_nmi(w->vcpu, true));
	tdx_ve(w->vcpu, &ve);
	g_assert_false(tdx_vcpu_take_nmi(w->vcpu, false));
	check_status(tdcall(w, TDG_VP_VEINFO_GET), 0);
	g_assert_true(tdx_vcpu_take_nmi(w->vcpu, false));
	g_assert_false(tdx_vcpu_take_nmi(w->vcpu, false));
	leave(w, 1);
}

/* Secondary control 30 enables exits after bus locks. */
static void bus_lock(struct world *w)
{
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_false(tdx_vcpu_bus_lock_exits(w->vcpu));
	leave(w, 1);
	check_status(seamcall(w, VP_WR, .rcx = TDVPR, .rdx = 0x401e,
			      .r8 = 1u << 30, .r9 = 1u << 30), 0);
	check_status(enter(w, 0, TDVPR), 0);
	g_assert_true(tdx_vcpu_bus_lock_exits(w->vcpu));
	leave(w, 1);
}

static uint64_t vm_rd(struct world *w, uint64_t id)
{
	check_status(tdcall(w, TDG_VM_RD, .rdx = id), 0);
	return w->regs[TDX_R8];
}

#define TD_CTLS		0x1110000300000017
#define NOTIFY_ENABLES	0x9110000300000010

static void vm_fields(struct world *w)
{
	w->params.attributes = TD_ATTR_SEPT_VE_DISABLE;
	w->params.config_flags |= CONFIG_FLEXIBLE_VE;
	memset(w->params.mrconfigid, 0x11, 48);
	memset(w->params.mrowner, 0x22, 48);
	memset(w->params.mrownerconfig, 0x33, 48);
	world_through(w, INITIALIZED, ENTERED);

	g_assert_cmphex(vm_rd(w, 0x1110000300000000), ==,
			TD_ATTR_SEPT_VE_DISABLE);
	g_assert_cmphex(vm_rd(w, 0x1110000300000001), ==, 3);
	g_assert_cmphex(vm_rd(w, 0x1110000200000002), ==, 4);
	g_assert_cmphex(vm_rd(w, 0x1110000000000003), ==, 0);
	g_assert_cmphex(vm_rd(w, 0x111000010000000c), ==, 40);
	g_assert_cmphex(vm_rd(w, 0x1110000300000016), ==,
			CONFIG_NO_RBP_MOD | CONFIG_FLEXIBLE_VE);
	g_assert_cmphex(vm_rd(w, 0x9110000000000019), ==, 1);
	g_assert_cmphex(vm_rd(w, 0x1310000300000012), ==, 0x1111111111111111);
	g_assert_cmphex(vm_rd(w, 0x1310000300000018), ==, 0x2222222222222222);
	g_assert_cmphex(vm_rd(w, 0x1310000300000025), ==, 0x3333333333333333);

	/* TD_CTLS starts with SEPT_VE_DISABLE. */
	g_assert_cmphex(vm_rd(w, TD_CTLS), ==, 1);
	check_status(tdcall(w, TDG_VM_WR, .rdx = TD_CTLS, .r8 = 2, .r9 = 3), 0);
	g_assert_cmphex(w->regs[TDX_R8], ==, 1);
	g_assert_cmphex(vm_rd(w, TD_CTLS), ==, 2);
	/* A bit that can't be written may be in the mask only if it stays. */
	check_status(tdcall(w, TDG_VM_WR, .rdx = NOTIFY_ENABLES, .r8 = ~0ull,
			    .r9 = ~0ull),
		     STATUS(TDX_METADATA_FIELD_VALUE_NOT_VALID, 0));
	check_status(tdcall(w, TDG_VM_WR, .rdx = NOTIFY_ENABLES, .r8 = 1,
			    .r9 = ~0ull), 0);
	g_assert_cmphex(vm_rd(w, NOTIFY_ENABLES), ==, 1);
	leave(w, 1);
}

/* Each field from the first to the last can be read. */
static void walk(struct world *w, uint64_t leaf, bool guest)
{
	unsigned int n = 0;
	uint64_t id, rax;

	rax = guest ? tdcall(w, leaf, .rdx = ~0ull) :
		      seamcall(w, leaf, .rdx = ~0ull);
	check_status(rax, STATUS(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT, 0));
	for (id = w->regs[TDX_RDX]; id != ~0ull; id = w->regs[TDX_RDX]) {
		rax = guest ? tdcall(w, leaf, .rdx = id) :
			      seamcall(w, leaf, .rdx = id);
		check_status(rax, 0);
		g_assert_cmphex(w->regs[TDX_RDX], !=, id);
		if (rax || ++n > 1000)
			break;
	}
	g_assert_cmpuint(n, >, 5);
	g_assert_cmpuint(n, <, 1000);
}

static void walks(struct world *w)
{
	walk(w, SYS_RD, false);
	walk(w, TDG_SYS_RD, true);
	walk(w, TDG_VM_RD | V(1), true);
	leave(w, 1);
}

static void first_state(struct world *w)
{
	struct tdx_reset_state s;

	tdx_vcpu_reset_state(w->vcpu, &s);
	g_assert_cmphex(s.gpr[TDX_RBX], ==, 48);
	g_assert_cmphex(s.gpr[TDX_RCX], ==, 0x1234);
	g_assert_cmphex(s.gpr[TDX_R8], ==, 0x1234);
	/* The CPU's version, whatever the host configured. */
	g_assert_cmphex(s.gpr[TDX_RDX], ==, FAMILY_MODEL_STEPPING);
	g_assert_cmphex(s.gpr[TDX_RSI], ==, 0);
	g_assert_cmphex(s.rip, ==, 0xfffffff0);
	g_assert_cmphex(s.cr0, ==, 0x31);
	g_assert_cmphex(s.cr4, ==, 0x40);
	g_assert_cmphex(s.efer, ==, 0x901);
	g_assert_cmphex(s.cs.rights, ==, 0xc09b);
	g_assert_cmphex(s.data.rights, ==, 0xc093);
	leave(w, 1);
}

/* The TSC starts at 0 at TDH.MNG.INIT; the host chose 1 GHz here. */
static void tsc(struct world *w)
{
	uint64_t start = w->tsc;

	g_assert_cmpuint(tdx_vcpu_tsc(w->vcpu, start), <=, 1);
	g_assert_cmpuint(tdx_vcpu_tsc(w->vcpu, start + 2000000000), >=,
			 999999999);
	g_assert_cmpuint(tdx_vcpu_tsc(w->vcpu, start + 2000000000), <=,
			 1000000001);
	leave(w, 1);
}

static void trace(struct world *w)
{
	w->trace = g_string_new(NULL);
	tdcall(w, TDG_VP_INFO);
	g_assert_nonnull(strstr(w->trace->str, "TDG.VP.INFO() = SUCCESS"));
	leave(w, 1);
	seamcall(w, PHYMEM_PAGE_RDMD, .rcx = FREE + 1);
	g_assert_nonnull(strstr(w->trace->str,
		"TDH.PHYMEM.PAGE.RDMD(page=0x1028001) = OPERAND_INVALID|RCX"));
	seamcall(w, 200);
	g_assert_nonnull(strstr(w->trace->str, "SEAMCALL leaf 200"));
}

void add_tdcall_tests(void)
{
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autofree char *path = g_strdup_printf("/tdcall/%s",
							rows[i].name);

		g_test_add_data_func(path, &rows[i], run_tdcall_row);
	}
	add_test("/tdcall/VP.VMCALL: refuses registers that can't pass", ENTERED,
		 vmcall_masks);
	add_test("/tdcall/VP.VMCALL: RBP passes without NO_RBP_MOD", TDCS_DONE,
		 vmcall_with_rbp);
	add_test("/tdcall/VP.VMCALL: the mask's registers pass both ways", ENTERED,
		 vmcall_registers);
	add_test("/tdcall/no register passes at other exits", ENTERED, async_registers);
	add_test("/tdcall/VP.INFO: returns what INIT set", ENTERED, vp_info);
	add_test("/tdcall/VP.VEINFO.GET: returns a #VE once", ENTERED, ve_info);
	g_test_add_func("/tdcall/VP.VEINFO.GET: version 1 is of release 2.0",
			ve_info_version);
	g_test_add_func("/tdcall/VP.VEINFO.GET: version 1 has the category of the #VE", ve_category);
	add_test("/tdcall/an NMI waits for VP.VEINFO.GET", RUNNABLE, nmi);
	add_test("/tdcall/bus-lock exits are off until enabled", RUNNABLE, bus_lock);
	add_test("/tdcall/VM.RD: returns what INIT and VM.WR set", TDCS_DONE, vm_fields);
	add_test("/tdcall/each field leads to the next", ENTERED, walks);
	add_test("/tdcall/a vCPU starts with the reset state", ENTERED, first_state);
	add_test("/tdcall/the TSC starts at 0, at the TD's frequency", ENTERED, tsc);
	add_test("/tdcall/the trace has names and statuses", ENTERED, trace);
}
