// SPDX-License-Identifier: GPL-2.0
/*
 * init of the guest: sleeps, which needs the timer's interrupt, reports to the
 * kernel's log, the only output there is, and resets the machine.
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

	/* The kernel panics if init exits, so no error goes unnoticed. */
	if (!log || nanosleep(&pause, NULL))
		return 1;
	fprintf(log, "init: up after %.3f s, slept %.3f s\n", start, now() - start);
	if (fclose(log))
		return 1;
	reboot(RB_AUTOBOOT);
	return 1;
}
