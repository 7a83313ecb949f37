// SPDX-License-Identifier: GPL-2.0
/*
 * init of the guest: sleeps, for which it needs the timer's interrupt, says that
 * it is there, and resets the machine.  The kernel's log is the only way out.
 */
#include <stdio.h>
#include <sys/reboot.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	FILE *log = fopen("/dev/kmsg", "w");
	double start = now();

	/* The kernel panics when its init ends, and so nothing goes unseen. */
	if (!log || nanosleep(&pause, NULL))
		return 1;
	fprintf(log, "init: up after %.3f s, slept %.3f s\n", start, now() - start);
	if (fclose(log))
		return 1;
	reboot(RB_AUTOBOOT);
	return 1;
}
