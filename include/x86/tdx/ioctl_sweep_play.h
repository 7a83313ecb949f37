/* SPDX-License-Identifier: GPL-2.0 */
/* To make a sweep's calls; see ioctl_sweep.h for what there is to call. */
#ifndef SELFTEST_KVM_TDX_IOCTL_SWEEP_PLAY_H
#define SELFTEST_KVM_TDX_IOCTL_SWEEP_PLAY_H

#include "tdx/ioctl_sweep.h"

#define SWEEP_MAX_ROWS		256
#define SWEEP_MAX_ERRNO		134
#define SWEEP_MAX_NAME		128

/* The call with the sane argument.  The others count from 0, one for each value. */
#define SWEEP_SANE		(-1)

/* Calls that one process makes: of each of the rows from @first to before @end. */
struct sweep_calls {
	enum sweep_stage stage;
	int rows[SWEEP_MAX_ROWS];
	int nr_rows;
	int first, end;
	bool (*is_left_out)(const struct sweep_row *row, enum sweep_stage stage, int call);
};

struct sweep_answers {
	u32 accepted;
	u32 refused[SWEEP_MAX_ERRNO];
};

struct sweep_report {
	bool no_such_stage;		/* this host's TDs can't get there */
	char verdict[512];		/* what is wrong with the last call */
	int last_row, last_call;
	struct sweep_answers answers[SWEEP_MAX_ROWS];
};

/* First of all, once.  Pins the process to a CPU. */
void sweep_play_init(void);

/*
 * Make @calls in a process, and look at what is left of it.  @what, of @size bytes, gets
 * what went wrong, or nothing.  The report is good until the next call.
 */
const struct sweep_report *sweep_play(const struct sweep_calls *calls, char *what, size_t size);

/* The name of the field that a call changes, "sane", "arg" or "pointer". */
const char *sweep_field_name(const struct sweep_row *row, int call);

#endif /* SELFTEST_KVM_TDX_IOCTL_SWEEP_PLAY_H */
