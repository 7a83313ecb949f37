// SPDX-License-Identifier: GPL-2.0
/* Runs a random program, in a process that it has for itself. */
#include <dirent.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "tdx/fuzz_steps.h"
#include "tdx/generic/kernel_log.h"
#include "tdx/generic/may_harm_host.h"
#include "tdx/generic/misc_cgroup.h"
#include "tdx/keyids.h"

/* After so long a vCPU is kicked out of the guest, then again and again. */
#define RUN_MS		300
#define KICK_MS		50

/* After so long a program hangs. */
#define HANG_MS		60000
#define KILL_MS		30000

/* A TD may live a little longer than its process. */
#define NO_CHARGE_S	20

/* Counting KeyIDs takes time. */
#define COUNT_KEYIDS_EVERY	100

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id	_sigev_un._tid
#endif

static __thread struct kvm_run *running;
static __thread timer_t timer;

static void kick_handler(int signal)
{
	if (running)
		WRITE_ONCE(running->immediate_exit, 1);
}

/* Signals that come before KVM_RUN has begun count, too: they set immediate_exit. */
void fuzz_limit_runs(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD_ID,
		.sigev_signo = SIGUSR1,
	};
	const struct sigaction action = { .sa_handler = kick_handler };

	event.sigev_notify_thread_id = syscall(SYS_gettid);
	sigaction(SIGUSR1, &action, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
}

int fuzz_kvm_run(struct fuzz_vm *vm, int vcpu)
{
	struct itimerspec limit = {
		.it_value.tv_nsec = RUN_MS * 1000000ul,
		.it_interval.tv_nsec = KICK_MS * 1000000ul,
	};
	int r, error;

	running = vm->run[vcpu];
	timer_settime(timer, 0, &limit, NULL);
	errno = 0;
	r = ioctl(vm->vcpu_fd[vcpu], KVM_RUN, 0);
	error = errno;
	limit = (struct itimerspec) {};
	timer_settime(timer, 0, &limit, NULL);
	if (running)
		running->immediate_exit = 0;
	running = NULL;
	errno = error;
	return r;
}

void fuzz_apply(const struct fuzz_step *step, void *operand)
{
	char name[16];

	for (int i = 0; i < step->nr_changes; i++) {
		const struct fuzz_change *change = &step->change[i];
		struct fuzz_field f = fuzz_field(step->op, change->field, name);
		u64 val = 0;

		memcpy(&val, operand + f.offset, f.size);
		if (change->how == '=')
			val = change->val;
		else if (change->how == '^')
			val ^= change->val;
		else
			val += change->val;
		memcpy(operand + f.offset, &val, f.size);
	}
}

static int target_fd(struct fuzz_world *w, const struct fuzz_step *step)
{
	if (step->op->target == FUZZ_SYSTEM)
		return w->kvm;
	if (step->op->target == FUZZ_VM)
		return w->vm[step->vm].fd;
	return w->vm[step->vm].vcpu_fd[step->vcpu];
}

static void fill_in(struct fuzz_world *w, const struct fuzz_step *step, void *operand)
{
	const struct fuzz_op *op = step->op;
	const int gmem = w->vm[step->vm].gmem;

	if (op->sane)
		memcpy(operand, op->sane, op->size);
	if (op->get)
		ioctl(target_fd(w, step), op->get, operand);
	if (op->pointer)
		memcpy(operand + op->pointer - 1, &w->scratch, sizeof(w->scratch));
	if (op->fd)
		memcpy(operand + op->fd - 1, op->request == KVM_SET_USER_MEMORY_REGION2 ? &gmem :
		       &w->event, sizeof(int));
	/* The pointer of a command leads to what follows it. */
	if (op->run == fuzz_run_command) {
		struct fuzz_cmd *c = operand;

		if (c->cmd.id == KVM_TDX_INIT_MEM_REGION)
			c->word[0] = (u64)w->scratch;
		if (c->cmd.id == KVM_TDX_INIT_MEM_REGION || c->cmd.id == KVM_TDX_GET_CPUID)
			c->cmd.data = (u64)c->word;
	}
	fuzz_apply(step, operand);
}

static void carry_out(struct fuzz_world *w, const struct fuzz_step *step, void *operand)
{
	if (step->op->run)
		step->op->run(w, step, operand);
	else if (!step->op->size)
		ioctl(target_fd(w, step), step->op->request, *(u64 *)operand);
	else
		ioctl(target_fd(w, step), step->op->request, operand);
}

static void take_step(struct fuzz_world *w, const struct fuzz_step *step)
{
	/* A GET_CPUID writes behind its header, so there is room behind all. */
	void *operand = calloc(1, FUZZ_OPERAND_SIZE + 65536);

	if (step->op->run != fuzz_run_check)
		w->outcome->at = step - w->program->step;
	fill_in(w, step, operand);
	if (!step->op->harmless && step->op->run != fuzz_run_check)
		w->vm[step->vm].may_break = true;
	if (!fuzz_is_deadly(step, operand))
		carry_out(w, step, operand);
	free(operand);
}

/* A thread's part of the steps that happen at the same time. */
struct batch {
	struct fuzz_world *w;
	const struct fuzz_step *step;
	int nr, thread;
	pthread_barrier_t *start;
};

static void *take_batch(void *arg)
{
	const struct batch *b = arg;

	fuzz_limit_runs();
	pthread_barrier_wait(b->start);
	fuzz_coverage_begin(b->thread);
	for (int i = 0; i < b->nr; i++)
		if (b->step[i].thread == b->thread)
			take_step(b->w, &b->step[i]);
	fuzz_coverage_end(b->thread);
	timer_delete(timer);
	return NULL;
}

static void take_steps(struct fuzz_world *w, const struct fuzz_step *step, int nr)
{
	struct batch batch[FUZZ_THREADS];
	pthread_barrier_t start;
	bool used[FUZZ_THREADS] = {};
	int nr_used = 0;

	for (int i = 0; i < nr; i++)
		used[step[i].thread] = true;
	for (int i = 0; i < FUZZ_THREADS; i++)
		nr_used += used[i];
	pthread_barrier_init(&start, NULL, nr_used);
	for (int i = 0; i < FUZZ_THREADS; i++) {
		batch[i] = (struct batch) { w, step, nr, i, &start };
		if (used[i] && !pthread_create(&w->thread[i], NULL, take_batch, &batch[i]))
			w->started[i] = true;
	}
	for (int i = 0; i < FUZZ_THREADS; i++) {
		if (used[i])
			pthread_join(w->thread[i], NULL);
		w->started[i] = false;
	}
	pthread_barrier_destroy(&start);
}

/* In this thread, so that it is known what ran. */
static void tear_down(struct fuzz_world *w)
{
	fuzz_coverage_begin(0);
	for (int i = 0; i < FUZZ_VMS; i++) {
		for (int j = 0; j < FUZZ_VCPUS; j++) {
			if (w->vm[i].run[j])
				munmap(w->vm[i].run[j],
				       ioctl(w->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
			close(w->vm[i].vcpu_fd[j]);
		}
		close(w->vm[i].fd);
	}
	close_range(3, ~0u, 0);
	fuzz_coverage_end(0);
}

static void world_init(struct fuzz_world *w, struct fuzz_outcome *outcome)
{
	memset(w, 0, sizeof(*w));
	w->kvm = open("/dev/kvm", O_RDWR);
	w->event = eventfd(0, EFD_NONBLOCK);
	w->scratch = mmap(NULL, FUZZ_SCRATCH_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	w->outcome = outcome;
	for (int i = 0; i < FUZZ_VMS; i++) {
		w->vm[i].fd = w->vm[i].gmem = -1;
		for (int j = 0; j < FUZZ_VCPUS; j++)
			w->vm[i].vcpu_fd[j] = -1;
	}
}

/*
 * How many steps from step @i on may be started together: those that are beside it, or
 * those of its thread that come one after the other.
 */
static int next_batch(const struct fuzz_program *p, int i)
{
	int nr = 1;

	while (i + nr < p->nr && p->step[i + nr].beside)
		nr++;
	if (nr > 1)
		return nr;
	while (i + nr < p->nr && p->step[i + nr].thread == p->step[i].thread &&
	       !p->step[i + nr].beside && (i + nr + 1 == p->nr || !p->step[i + nr + 1].beside))
		nr++;
	return nr;
}

void fuzz_run(const struct fuzz_program *program, struct fuzz_outcome *outcome)
{
	struct fuzz_program p = *program;
	struct fuzz_step check = { .op = NULL };
	struct fuzz_world w;
	int i, nr;

	world_init(&w, outcome);
	w.program = &p;
	/* Races of KVM are known that cost a host memory until it is rebooted. */
	for (i = 0; i < p.nr && !may_harm_host(); i++)
		p.step[i].beside = false;
	for (i = 0; i < p.nr; i += nr) {
		nr = next_batch(&p, i);
		take_steps(&w, &p.step[i], nr);
	}
	for (i = 0; i < fuzz_nr_ops; i++)
		if (fuzz_ops[i].run == fuzz_run_check)
			check.op = &fuzz_ops[i];
	for (check.vm = 0; check.vm < FUZZ_VMS; check.vm++) {
		take_steps(&w, &check, 1);
		outcome->dead |= w.vm[check.vm].vm && w.vm[check.vm].fd >= 0 &&
				 vm_is_dead(w.vm[check.vm].vm);
	}
	tear_down(&w);
}

/*
 * The host around a program.
 */
static void where_it_hangs(pid_t pid, char *text, size_t size)
{
	char path[300], stack[2000];
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stack", pid, entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		stack[fread(stack, 1, sizeof(stack) - 1, f)] = '\0';
		fclose(f);
		snprintf(text + strlen(text), size - strlen(text), "%s--\n", stack);
	}
	if (tasks)
		closedir(tasks);
}

static int wait_for(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, ms);
}

static void wait_for_end(pid_t pid, const struct fuzz_outcome *outcome, char *text, size_t size)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int status;

	if (!wait_for(pidfd, HANG_MS)) {
		snprintf(text, size, "HANG in step %u\n", outcome->at + 1);
		where_it_hangs(pid, text, size);
		kill(pid, SIGKILL);
		if (!wait_for(pidfd, KILL_MS)) {
			snprintf(text + strlen(text), size - strlen(text),
				 "HANG and can't be killed\n");
			close(pidfd);
			return;
		}
	}
	waitpid(pid, &status, 0);
	close(pidfd);
}

/* One cgroup for all programs; it is not there where there is no misc controller. */
static struct misc_cgroup *our_cgroup(void)
{
	static struct misc_cgroup cg;
	static bool tried, there;

	if (!tried) {
		tried = true;
		there = misc_cgroup_create(&cg, "fuzz");
	}
	return there ? &cg : NULL;
}

static void look_for_charge(char *text, size_t size)
{
	struct misc_cgroup *cg = our_cgroup();

	if (cg && !__misc_cgroup_wait_for_no_tds(cg, NO_CHARGE_S))
		snprintf(text + strlen(text), size - strlen(text),
			 "CHARGE: the cgroup is charged for %lld TDs that are gone\n",
			 (long long)misc_cgroup_tds(cg));
}

/* Returns the number of TDs that there can be. */
static u32 count_keyids(void)
{
	struct tdx_keyids *keyids;
	struct kvm_vm *refused;
	u32 nr = 0;

	if (!tdx_keyids_can_be_used_up())
		return 0;
	keyids = tdx_keyids_alloc();
	refused = tdx_keyids_take_all(keyids);
	if (refused) {
		nr = keyids->nr;
		kvm_vm_free(refused);
	}
	tdx_keyids_free(keyids);
	return nr;
}

static u32 count_keyids_in_child(void)
{
	u32 *nr = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	u32 counted;
	pid_t pid = fork();

	if (!pid) {
		*nr = count_keyids();
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	counted = *nr;
	munmap(nr, PAGE_SIZE);
	return counted;
}

static void look_for_keyids(bool thorough, char *text, size_t size)
{
	static u32 programs, before;
	u32 now;

	if (programs++ % COUNT_KEYIDS_EVERY && !thorough)
		return;
	now = count_keyids_in_child();
	if (now < before)
		snprintf(text + strlen(text), size - strlen(text),
			 "KEYIDS: there are %u, not %u, since the last %d programs\n",
			 now, before, thorough ? 1 : COUNT_KEYIDS_EVERY);
	before = now;
}

void fuzz_try(const struct fuzz_program *p, bool thorough, char *text, size_t size)
{
	static struct fuzz_outcome *outcome;
	bool complained = false;
	pid_t pid;

	if (!outcome)
		outcome = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(outcome, 0, sizeof(*outcome));
	text[0] = '\0';
	/* So that each program that makes the kernel complain is told from the others. */
	kernel_log_warn_again();
	our_cgroup();
	if (thorough)
		look_for_keyids(true, text, size);
	text[0] = '\0';
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (our_cgroup())
			misc_cgroup_enter(our_cgroup());
		fuzz_run(p, outcome);
		_exit(0);
	}
	wait_for_end(pid, outcome, text, size);
	look_for_charge(text, size);
	look_for_keyids(thorough, text, size);
	fuzz_log_read(p, text + strlen(text), size - strlen(text), &complained);
	if (outcome->wrong[0])
		snprintf(text + strlen(text), size - strlen(text), "GUEST: %s\n", outcome->wrong);
	if (outcome->dead && !complained)
		snprintf(text + strlen(text), size - strlen(text),
			 "DEAD: a VM died, and the kernel did not say why\n");
}
