// SPDX-License-Identifier: GPL-2.0
/*
 * Which CPU runs when.  With a seed, one thread runs all CPUs and counts their
 * instructions, time is that count, and nothing comes from outside while they run.  So
 * whatever happens in the machine is a function of the seed.
 *
 * A seed draws each turn: who, and how many instructions.  A schedule is for races: the
 * CPUs take turns until a program marks that a race begins.  From then on the CPU with
 * the highest priority runs, except that at a few points it becomes the lowest, as in
 * Burckhardt and others, "A Randomized Scheduler with Probabilistic Guarantees of Finding
 * Bugs", 2010.  Points are where the order matters: before an atomic access, before
 * a SEAMCALL or TDCALL, and after it while its locks are still held.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "block/aio.h"
#include "cpu.h"
#include "hw/core/cpu.h"
#include "system/cpus.h"
#include "system/runstate.h"
#include "tcg/helper-tcg.h"
#include "hooks.h"
#include "glue.h"

#define MAX_CPUS	64
#define MAX_CHANGES	8

/*
 * Instructions: of a turn, of those that a seed draws, before a CPU that spins in a race
 * may look again, and before one in a race counts as spinning.
 */
#define FAIR_TURN	50000
#define MIN_TURN_BITS	4
#define MAX_TURN_BITS	17
#define RACE_TURN	10000
#define LONGEST_TURN	300000

/* Nanoseconds that a CPU stays away while all others sleep. */
#define AWAY		20000000

/*
 * A CPU becomes the lowest @after instructions after point @at: of all points, or of
 * those at calls of the module.  One that is lowest runs when all others sleep, and
 * they may sleep for a moment only, as in synchronize_srcu(); hence @stays_away.
 */
struct change {
	bool of_calls;
	uint64_t at, after;
	bool stays_away;
};

/* As schedule_parse() reads it. */
struct schedule {
	bool for_race;		/* by priority between the marks, else turns are drawn */
	uint64_t seed;
	uint8_t order[MAX_CPUS];	/* from the highest priority to the lowest */
	unsigned int num_order;
	struct change changes[MAX_CHANGES];
	unsigned int num_changes;
};

bool schedule_on;

static struct schedule plan;

static struct {
	uint64_t random;
	CPUState *cpu;		/* the last that ran */
	uint64_t turn;		/* instructions that it may still run */

	/* In a race. */
	bool racing, raced;	/* between the marks, and after the first */
	int64_t priority[MAX_CPUS], lowest;
	uint64_t ran[MAX_CPUS];	/* instructions since it was halted or the lowest */
	uint64_t points, calls;	/* passed, and those of them at calls of the module */
	CPUState *fused;	/* becomes the lowest ... */
	uint64_t fuse;		/* ... after so many instructions */
	bool fused_stays_away;
	CPUState *away;		/* is the lowest, and lets others sleep ... */
	int64_t away_until;	/* ... until then */
	bool takes_part[MAX_CPUS];	/* has come to where the race begins */
	bool waits[MAX_CPUS];	/* it spins, so others go first */
	bool at_point[MAX_CPUS];	/* it has stopped before it passed the point */
	bool in_call[MAX_CPUS];	/* its SEAMCALL or TDCALL still holds its locks */

	QemuSemaphore resting, over;	/* of QEMU's main thread */
} s;

/* See schedule_serve(). */
static struct {
	int socket;		/* or -1 */
	bool child;
	uint64_t left;		/* instructions of a child */
} fork_server = { .socket = -1 };

/* A child that needs more hangs. */
#define CHILD_INSTRUCTIONS	1000000000ull

/* Random numbers: splitmix64. */
static uint64_t draw(void)
{
	uint64_t z = s.random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* Nanoseconds to the next timer; negative: there is none. */
static int64_t next_timer(void)
{
	return qemu_clock_deadline_ns_all(QEMU_CLOCK_VIRTUAL, QEMU_TIMER_ATTR_ALL);
}

/* Whom to run. */

static bool can_run(CPUState *cpu)
{
	return cpu_can_run(cpu) && !cpu_thread_is_idle(cpu);
}

static CPUState *next_in_turn(CPUState *cpu)
{
	CPUState *last = cpu;

	do {
		cpu = CPU_NEXT(cpu) ?: first_cpu;
		if (can_run(cpu))
			return cpu;
	} while (cpu != last);
	return NULL;
}

static CPUState *any(void)
{
	unsigned int n = 0;
	CPUState *cpu;

	CPU_FOREACH(cpu)
		n += can_run(cpu);
	if (!n)
		return NULL;
	n = draw() % n;
	CPU_FOREACH(cpu)
		if (can_run(cpu) && !n--)
			break;
	return cpu;
}

/* Of those that don't wait for another one. */
static CPUState *highest(void)
{
	CPUState *cpu, *best = NULL;

	CPU_FOREACH(cpu)
		if (can_run(cpu) && cpu != s.away && !s.waits[cpu->cpu_index] &&
		    (!best || s.priority[cpu->cpu_index] > s.priority[best->cpu_index]))
			best = cpu;
	return best;
}

static bool any_waits(void)
{
	CPUState *cpu;

	CPU_FOREACH(cpu)
		if (can_run(cpu) && s.waits[cpu->cpu_index])
			return true;
	return false;
}

static void let_waiting_look(void)
{
	memset(s.waits, 0, sizeof(s.waits));
}

/* Nothing happens before then, or no timer wakes the others. */
static bool sleep_longer_than_away(void)
{
	int64_t deadline = next_timer();

	return deadline < 0 || schedule_clock() + deadline >= s.away_until;
}

/* Whoever is away may be whom the others wait for. */
static CPUState *choose_in_race(void)
{
	CPUState *cpu = highest();

	if (cpu)
		return cpu;
	if (any_waits() || (s.away && sleep_longer_than_away()))
		s.away = NULL;
	let_waiting_look();
	return highest();
}

/* Returns the CPU to run next; NULL if all are halted. */
static CPUState *choose(void)
{
	if (s.racing)
		return choose_in_race();
	if (s.turn && can_run(s.cpu))
		return s.cpu;
	if (!plan.for_race) {
		s.turn = 1 + draw() % (1 << (MIN_TURN_BITS +
					     draw() % (MAX_TURN_BITS - MIN_TURN_BITS + 1)));
		return any();
	}
	s.turn = FAIR_TURN;
	return next_in_turn(s.cpu);
}

/* In a race. */

/* How much of Linux's stack may tell who called. */
#define STACK_WORDS	96
#define MAX_CALLERS	12

/* What could be return addresses, as text to be freed. */
static char *kernel_stack(CPUX86State *env)
{
	uint64_t stack[STACK_WORDS];
	GString *text = g_string_new(NULL);
	unsigned int n = 0;

	if (env->hflags & HF_CPL_MASK || tdx_in_td(env) ||
	    cpu_memory_rw_debug(env_cpu(env), env->regs[R_ESP], stack, sizeof(stack), false))
		return g_string_free(text, false);
	for (unsigned int i = 0; i < STACK_WORDS && n < MAX_CALLERS; i++)
		if (speed_in_kernel_text(stack[i]))
			g_string_append_printf(text, "%s 0x%" PRIx64, n++ ? "" : "; stack",
					       stack[i]);
	return g_string_free(text, false);
}

static void tell_switch(CPUState *from, CPUState *to)
{
	CPUX86State *env = cpu_env(from);
	char *stack = kernel_stack(env);

	tdx_trace("cpu%d: stops at 0x%" PRIx64 "%s, %s; point %" PRIu64 ", cpu%d goes on%s",
		  from->cpu_index, (uint64_t)env->eip,
		  env->hflags & HF_CPL_MASK ? " in user mode" :
		  tdx_in_td(env) ? " in the TD" : "",
		  !can_run(from) ? "halted" :
		  s.waits[from->cpu_index] ? "waiting" :
		  s.in_call[from->cpu_index] ? "in the call" : "preempted",
		  s.points, to->cpu_index, stack);
	g_free(stack);
}

static void set_priorities(void)
{
	memset(s.priority, 0, sizeof(s.priority));
	for (unsigned int i = 0; i < plan.num_order; i++)
		s.priority[plan.order[i]] = plan.num_order - i;
}

static void make_lowest(CPUState *cpu)
{
	s.priority[cpu->cpu_index] = --s.lowest;
	s.fused = NULL;
	s.ran[cpu->cpu_index] = 0;
}

/* The schedule wants this CPU to go.  Who waited for it may look again. */
static void lose_turn(CPUState *cpu, bool stays_away)
{
	make_lowest(cpu);
	let_waiting_look();
	s.away = stays_away ? cpu : NULL;
	s.away_until = schedule_clock() + AWAY;
}

static void switch_to(CPUState *cpu)
{
	if (s.racing && cpu != s.cpu) {
		tell_switch(s.cpu, cpu);
		if (!can_run(s.cpu))
			s.ran[s.cpu->cpu_index] = 0;
		s.turn = RACE_TURN;
	}
	if (s.in_call[cpu->cpu_index]) {
		s.in_call[cpu->cpu_index] = false;
		tdx_call_end(tdx_module(), cpu->cpu_index);
	}
	s.cpu = cpu;
}

/* The CPU has run so many instructions. */
static void account(CPUState *cpu, uint64_t ran)
{
	s.turn -= MIN(ran, s.turn);	/* it may have given up its turn */
	if (!s.racing)
		return;
	s.ran[cpu->cpu_index] += ran;
	if (s.fused == cpu) {
		s.fuse -= MIN(ran, s.fuse);	/* it was lit meanwhile */
		if (!s.fuse)
			lose_turn(cpu, s.fused_stays_away);
	}
	if (s.ran[cpu->cpu_index] > LONGEST_TURN) {
		make_lowest(cpu);
		s.away = NULL;
	}
	if (!s.turn) {
		/* Who waited for this one may look again. */
		let_waiting_look();
		s.turn = RACE_TURN;
	}
}

/* What the schedule wants here, or NULL. */
static const struct change *change_at_point(bool call)
{
	for (unsigned int i = 0; i < plan.num_changes; i++) {
		const struct change *c = &plan.changes[i];

		if (c->of_calls ? call && c->at == s.calls : c->at == s.points)
			return c;
	}
	return NULL;
}

/* A point; true if the CPU stops here. */
static bool stops_at_point(CPUState *cpu, bool call)
{
	const struct change *c = change_at_point(call);

	s.points++;
	s.calls += call;
	if (!c)
		return false;
	if (c->after) {
		s.fused = cpu;
		s.fuse = c->after;
		s.fused_stays_away = c->stays_away;
	} else {
		lose_turn(cpu, c->stays_away);
	}
	return true;
}

/* The CPU loop ends, so that tdx_hook_schedule() chooses. */
static G_NORETURN void stop(CPUState *cpu, uintptr_t ra)
{
	cpu->exception_index = EXCP_INTERRUPT;
	cpu_loop_exit_restore(cpu, ra);
}

void schedule_point(CPUX86State *env, bool call, uintptr_t ra)
{
	CPUState *cpu = env_cpu(env);

	/* What user space does is not KVM's. */
	if (!s.racing || !s.takes_part[cpu->cpu_index] ||
	    (env->hflags & HF_CPL_MASK && !tdx_in_td(env)))
		return;
	if (s.at_point[cpu->cpu_index]) {
		s.at_point[cpu->cpu_index] = false;
		return;
	}
	if (!stops_at_point(cpu, call))
		return;
	s.at_point[cpu->cpu_index] = true;
	stop(cpu, ra);
}

bool schedule_keeps_locks(CPUState *cpu)
{
	if (!s.racing || !s.takes_part[cpu->cpu_index] || !stops_at_point(cpu, true))
		return false;
	cpu_exit(cpu);
	s.in_call[cpu->cpu_index] = s.fused != cpu;
	return s.in_call[cpu->cpu_index];
}

void schedule_wait(CPUState *cpu)
{
	if (s.racing)
		s.waits[cpu->cpu_index] = true;
	else
		s.turn = 0;
	stop(cpu, 0);
}

void schedule_mark(CPUState *cpu, uint32_t mark)
{
	if (!plan.for_race)
		return;
	s.takes_part[cpu->cpu_index] |= mark == MARK_BEGIN;
	if (mark == MARK_BEGIN && !s.raced) {
		s.racing = s.raced = true;
		s.turn = RACE_TURN;
	} else if (mark == MARK_END && s.racing) {
		s.racing = false;
		tdx_trace("the race ends; points %" PRIu64 ", of calls %" PRIu64, s.points,
			  s.calls);
	} else {
		return;
	}
	cpu_exit(cpu);
}

/* QEMU reads its clock only where the count of instructions is exact. */
int64_t schedule_clock(void)
{
	bool *exact = current_cpu ? &current_cpu->neg.can_do_io : NULL, was;
	int64_t now;

	if (!schedule_on || !exact)
		return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
	was = *exact;
	*exact = true;
	now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
	*exact = was;
	return now;
}

/*
 * Many schedules of one race.  When it begins the machine says "ready" on a socket, and
 * then reads lines from there: each is a schedule, which a child of this process follows
 * to its end while this one waits.  So no schedule needs a boot of its own.  The answer
 * is a line with the child's exit status, or the signal that ended it and 256.
 */
enum child_status { CHILD_ENDED, CHILD_HANGS };

bool schedule_serve(const char *socket)
{
	return !qemu_strtoi(socket, NULL, 10, &fork_server.socket);
}

/* Reads a line; false at the end of file. */
static bool read_line(char *line, size_t size)
{
	size_t len = 0;

	while (read(fork_server.socket, line + len, 1) == 1) {
		if (line[len] == '\n') {
			line[len] = '\0';
			return true;
		}
		len = MIN(len + 1, size - 1);
	}
	return false;
}

static void be_child(const char *line)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fork_server.child = true;
	fork_server.left = CHILD_INSTRUCTIONS;
	if (!schedule_parse(line)) {
		error_report("tdx: not a schedule: %s", line);
		_exit(1);
	}
	set_priorities();
}

/* QEMU keeps the machine's memory from children. */
static int give_to_children(RAMBlock *block, void *opaque)
{
	return madvise(qemu_ram_get_host_addr(block), qemu_ram_get_max_length(block),
		       MADV_DOFORK);
}

/* Returns in each child. */
static void serve(void)
{
	char line[512];
	int status;
	pid_t pid;

	if (qemu_ram_foreach_block(give_to_children, NULL)) {
		error_report("tdx: the machine's memory can't be copied: %s", strerror(errno));
		exit(1);
	}
	dprintf(fork_server.socket, "ready\n");
	while (read_line(line, sizeof(line))) {
		fflush(NULL);
		pid = fork();
		if (!pid) {
			be_child(line);
			return;
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			break;
		dprintf(fork_server.socket, "%d\n",
			WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status));
	}
	_exit(0);
}

static void account_child(uint64_t ran)
{
	if (fork_server.left > ran) {
		fork_server.left -= ran;
		return;
	}
	tdx_trace("the machine hangs");
	_exit(CHILD_HANGS);
}

/* The thread of all CPUs. */

/* As many instructions as the CPU may run, up to the next timer. */
static void run(CPUState *cpu, exec_cpu_fn *exec)
{
	int64_t deadline = next_timer();
	uint64_t budget = s.turn, left;

	if (s.racing && s.fused == cpu)
		budget = MIN(budget, s.fuse);
	if (deadline >= 0)
		budget = MIN(budget, icount_round(deadline));
	current_cpu = cpu;
	qatomic_set_mb(&cpu->exit_request, 0);
	cpu->icount_budget = budget;
	cpu->neg.icount_decr.u16.low = MIN(budget, UINT16_MAX);
	cpu->icount_extra = budget - cpu->neg.icount_decr.u16.low;
	bql_unlock();
	exec(cpu);
	left = cpu->neg.icount_decr.u16.low + cpu->icount_extra;
	icount_update(cpu);
	cpu->neg.icount_decr.u16.low = 0;
	cpu->icount_extra = cpu->icount_budget = 0;
	bql_lock();
	account(cpu, budget - left);
	if (fork_server.child)
		account_child(budget - left);
}

static void run_timers(void)
{
	while (!next_timer())
		qemu_clock_run_timers(QEMU_CLOCK_VIRTUAL);
}

static void do_queued_work(void)
{
	CPUState *cpu;

	CPU_FOREACH(cpu) {
		current_cpu = cpu;
		compat_process_cpu_events(cpu);
	}
}

static bool ends(void)
{
	return qemu_shutdown_requested_get() || qemu_reset_requested_get();
}

/* What else QEMU's main thread does would come at any time. */
static void rest(void *opaque)
{
	bql_unlock();
	qemu_sem_post(&s.resting);
	qemu_sem_wait(&s.over);
	bql_lock();
}

static void let_main_thread_rest(void)
{
	qemu_sem_init(&s.resting, 0);
	qemu_sem_init(&s.over, 0);
	aio_bh_schedule_oneshot(qemu_get_aio_context(), rest, NULL);
	bql_unlock();
	qemu_sem_wait(&s.resting);
	bql_lock();
}

/* The main thread ends the machine.  A child has none. */
static G_NORETURN void end(void)
{
	if (fork_server.child) {
		fflush(NULL);
		_exit(CHILD_ENDED);
	}
	qemu_sem_post(&s.over);
	for (;;) {
		qemu_cond_wait_bql(first_cpu->halt_cond);
		do_queued_work();
	}
}

/* Time goes on to the next timer. */
static void idle(void)
{
	if (next_timer() < 0) {
		error_report("tdx: all CPUs are halted, and no timer wakes them");
		exit(1);
	}
	/* QEMU lets time go on only if no CPU could run. */
	if (s.away)
		s.away->stopped = true;
	icount_start_warp_timer();
	if (s.away)
		s.away->stopped = false;
}

void tdx_hook_schedule(exec_cpu_fn *exec)
{
	CPUState *cpu;

	if (!schedule_on)
		return;
	let_main_thread_rest();
	s.cpu = first_cpu;
	s.random = plan.seed;
	set_priorities();
	while (!ends()) {
		if (s.racing && fork_server.socket >= 0 && !fork_server.child)
			serve();
		run_timers();
		do_queued_work();
		cpu = choose();
		if (!cpu) {
			idle();
			continue;
		}
		switch_to(cpu);
		run(cpu, exec);
	}
	end();
}

bool tdx_hook_alone(void)
{
	return schedule_on;
}

/* The property "seed". */

static bool parse_number(const char **text, uint64_t *value)
{
	return g_ascii_isdigit(**text) && !qemu_strtou64(*text, text, 10, value);
}

/* 2,0,1 */
static bool parse_order(const char **text)
{
	uint64_t seen = 0, cpu;

	do {
		if (!parse_number(text, &cpu) || cpu >= MAX_CPUS || seen & BIT_ULL(cpu))
			return false;
		seen |= BIT_ULL(cpu);
		plan.order[plan.num_order++] = cpu;
	} while (*(*text) == ',' && (*text)++);
	return true;
}

/* 17, c17, 17+230 or 17= */
static bool parse_change(const char **text)
{
	struct change *c = &plan.changes[plan.num_changes];

	if (plan.num_changes == MAX_CHANGES)
		return false;
	c->of_calls = **text == 'c';
	*text += c->of_calls;
	if (!parse_number(text, &c->at))
		return false;
	plan.num_changes++;
	if (**text == '+' && ((*text)++, !parse_number(text, &c->after)))
		return false;
	c->stays_away = **text == '=';
	*text += c->stays_away;
	return true;
}

bool schedule_parse(const char *text)
{
	memset(&plan, 0, sizeof(plan));
	plan.for_race = strpbrk(text, ",/");
	if (!plan.for_race)
		return parse_number(&text, &plan.seed) && !*text;
	if (!parse_order(&text))
		return false;
	while (*text == '/') {
		text++;
		if (!parse_change(&text))
			return false;
	}
	return !*text;
}
