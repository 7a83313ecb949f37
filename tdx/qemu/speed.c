// SPDX-License-Identifier: GPL-2.0
/*
 * What only saves time.  "insert" may leave out any of these hooks, and QEMU then
 * does the work that the hook avoids.
 *
 * Most of them keep translations and jumps that QEMU would drop: a host that runs
 * TDs switches address spaces, and enters and leaves TDs, all the time.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "cpu.h"
#include "exec/cputlb.h"
#include "hw/core/cpu.h"
#include "system/cpus.h"
#include "tcg/helper-tcg.h"
#include "accel/tcg/tb-jmp-cache.h"
#include "glue.h"
#include "speed.h"
#include "tcg_hooks.h"

/* The host's translations for user code, and for the kernel's uaccess. */
#define USER_MMU_IDXS	(1 << MMU_USER64_IDX | 1 << MMU_USER32_IDX |		\
			 1 << MMU_KNOSMAP64_IDX | 1 << MMU_KNOSMAP32_IDX |	\
			 1 << MMU_KSMAP32_IDX)

static bool in_upper_half(vaddr addr)
{
	return addr >> 63;
}

/*
 * PKRU.
 *
 * QEMU applies PKRU to the translations that it caches, and drops them all when
 * PKRU is written.  Only those of user pages have to go, and they may stay if all
 * were cached with the value that is written.  So a host that restores PKRU after
 * a TD exit, which clears it, keeps them unless it has used another user page since.
 */

/* User pages are in the lower half. */
void tdx_speed_note_user_page(CPUX86State *env, vaddr addr)
{
	struct lp_speed *s;

	if (!tdx_present || tdx_in_td(env) || in_upper_half(addr))
		return;
	s = &tdx_lp(env)->speed;
	if (env->pkru != s->pkru)
		s->pkru_differs = true;
}

bool tdx_speed_write_pkru(CPUX86State *env, uint32_t value)
{
	struct lp_speed *s;

	if (!tdx_present || tdx_in_td(env))
		return false;
	s = &tdx_lp(env)->speed;
	if (s->pkru_differs || value != s->pkru)
		tlb_flush_by_mmuidx(env_cpu(env), USER_MMU_IDXS);
	s->pkru_differs = false;
	s->pkru = value;
	env->pkru = value;
	return true;
}

/* Address spaces. */

/* With SMEP and SMAP, kernel translations (KSMAP64) are never of user pages. */
#define CR4_KERNEL_APART (CR4_PGE_MASK | CR4_SMEP_MASK | CR4_SMAP_MASK)

/*
 * QEMU adapts the size of its translation tables only when it drops them all, so
 * let it do that now and then.
 */
#define SWITCHES_PER_FLUSH	32

void tdx_speed_note_kernel_page(CPUX86State *env, int mmu_idx, uint64_t pte)
{
	if (tdx_present && mmu_idx == MMU_KSMAP64_IDX && !(pte & PG_GLOBAL_MASK))
		tdx_lp(env)->speed.kernel_page_not_global = true;
}

/*
 * QEMU drops all translations at each switch of address spaces.  Those of global
 * pages may stay, as they do on a CPU, and a kernel's own pages are global.
 */
bool tdx_speed_write_cr3(CPUX86State *env, int reg, target_ulong value)
{
	struct lp_speed *s;

	if (!tdx_present || tdx_in_td(env) || reg != 3)
		return false;
	if (!(env->efer & MSR_EFER_LMA) || value >> env_archcpu(env)->phys_bits ||
	    (env->cr[4] & CR4_KERNEL_APART) != CR4_KERNEL_APART)
		return false;
	s = &tdx_lp(env)->speed;
	if (s->kernel_page_not_global ||
	    ++s->switches % SWITCHES_PER_FLUSH == 0) {
		s->kernel_page_not_global = false;
		return false;
	}
	env->cr[3] = value;
	tlb_flush_by_mmuidx(env_cpu(env), USER_MMU_IDXS);
	return true;
}

/* A TD's changes to its paging affect only its own translations. */
bool tdx_speed_flush(CPUX86State *env)
{
	if (!tdx_in_td(env))
		return false;
	tdx_flush_tlb(env);
	return true;
}

/* Jumps. */

void tdx_speed_note_td_page(CPUX86State *env, int mmu_idx, vaddr addr)
{
	if (tdx_present && mmu_idx >= TDX_MMU_IDX && in_upper_half(addr))
		tdx_lp(env)->speed.td_in_upper_half = true;
}

/*
 * Each half of the jump cache serves one half of the address space, so a flush
 * that leaves the kernel's translations alone can keep the kernel's jumps.
 */
bool tdx_speed_flush_jumps(CPUState *cs, uint32_t mmu_idxs)
{
	CPUJumpCache *cache = cs->tb_jmp_cache;
	struct lp_speed *s;

	if (!tdx_present || mmu_idxs & 1 << MMU_KSMAP64_IDX)
		return false;
	s = &tdx_lp(cpu_env(cs))->speed;
	if (mmu_idxs & TD_MMU_IDXS && s->td_in_upper_half) {
		s->td_in_upper_half = false;
		return false;
	}
	for (int i = 0; i < TB_JMP_CACHE_SIZE / 2; i++)
		qatomic_set(&cache->array[i].tb, NULL);
	return true;
}

#define KERNEL_TEXT	0xffffffff80000000ull
#define KERNEL_TEXT_END	0xffffffffa0000000ull

bool speed_in_kernel_text(vaddr pc)
{
	return pc >= KERNEL_TEXT && pc < KERNEL_TEXT_END;
}

/*
 * A jump to another page makes QEMU look up the target each time, because that
 * page may have been remapped: nearly half of all look-ups.  Kernel text is never
 * remapped.  But breakpoints are set page by page, so a debugger needs look-ups.
 */
bool tdx_speed_jump(vaddr pc, vaddr dest)
{
	return tdx_present && !tdx_debugged && speed_in_kernel_text(pc) &&
	       speed_in_kernel_text(dest);
}

/* CPUs that wait. */

/* A waiting CPU yields; every so often it sleeps instead. */
#define PAUSES_PER_SLEEP	16

/*
 * The thread of the CPU that this one waits for may itself wait for a processor,
 * so yield this one.  Unlike QEMU's own PAUSE, this stays in the CPU loop.
 */
void tdx_speed_pause(CPUX86State *env)
{
	CPUState *cs = env_cpu(env);
	struct lp_speed *s;

	if (!tdx_present)
		return;
	if (schedule_on)
		schedule_wait(cs);
	s = &tdx_lp(env)->speed;
	if (s->pause_rip != env->eip) {
		s->pause_rip = env->eip;
		s->pauses = 0;
	}
	if (++s->pauses % PAUSES_PER_SLEEP)
		sched_yield();
	else
		g_usleep(1);
	cs->exception_index = -1;
	cpu_loop_exit(cs);
}

/*
 * A TD's CPU that waits in a loop need not say so by PAUSE; those that OVMF has started
 * don't.  But its registers stay the same from one of the host's interrupts to the next.
 * Such a CPU sleeps until there is an interrupt, takes one turn, and may sleep again.
 */
#define SPIN_NS		500000	/* in the loop, before the CPU counts as waiting */
#define SPIN_SLEEP_MS	10	/* if there is no interrupt before */
#define LOOP_SIZE	128	/* bytes */

void speed_td_exits(const CPUX86State *env, struct td_cpu *td, bool interrupt)
{
	const CPUX86State *before = &td->env;
	bool same;

	if (schedule_on)
		return;
	same = interrupt && td->resumed &&
	       !memcmp(env->regs, before->regs, sizeof(env->regs)) &&
	       env->eip - before->eip + LOOP_SIZE <= 2 * LOOP_SIZE;
	td->spins = same && (td->spins || get_clock() - td->resumed >= SPIN_NS);
	td->interrupted = interrupt;
}

void speed_td_enters(CPUX86State *env, struct td_cpu *td)
{
	CPUState *cs = env_cpu(env);

	if (schedule_on)
		return;
	td->resumed = td->interrupted ? get_clock() : 0;
	if (!td->spins)
		return;
	bql_lock();
	if (!cs->interrupt_request)
		qemu_cond_timedwait_bql(cs->halt_cond, SPIN_SLEEP_MS);
	bql_unlock();
	/* The interrupt would else end each turn before it began. */
	cs->cflags_next_tb = cs->tcg_cflags | CF_NOIRQ;
}

/*
 * How long the thread of a halted CPU polls before it sleeps.  Waking it takes
 * longer than handling most interrupts, and a boot interrupts each CPU nearly two
 * thousand times.
 */
#define IDLE_POLL_NS	400000

/* Whether every CPU that has work still finds a processor to run on. */
static bool may_poll(CPUState *cs, unsigned int host_cpus)
{
	unsigned int busy = 0;
	CPUState *other;

	RCU_READ_LOCK_GUARD();
	CPU_FOREACH(other)
		busy += other != cs && !qatomic_read(&other->halted);
	return busy < host_cpus;
}

void tdx_speed_idle(CPUState *cs)
{
	unsigned int host_cpus;
	int64_t end;

	if (!tdx_present || !cpu_thread_is_idle(cs))
		return;
	bql_unlock();
	host_cpus = g_get_num_processors();
	end = get_clock() + IDLE_POLL_NS;
	while (!qatomic_read(&cs->exit_request) && get_clock() < end &&
	       may_poll(cs, host_cpus))
		sched_yield();
	bql_lock();
}
