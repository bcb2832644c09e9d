// SPDX-License-Identifier: GPL-2.0
/* hog: takes one CPU away from everything that is no real-time task, for a while.
 *
 * usage: hog CPU MILLISECONDS      fails when it may not
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct sched_param priority = { .sched_priority = 10 };
	cpu_set_t cpus;
	double until;

	if (argc != 3)
		return fprintf(stderr, "usage: hog CPU MILLISECONDS\n"), 2;
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) || sched_setscheduler(0, SCHED_FIFO, &priority))
		return perror("hog"), 1;
	until = now_ms() + atoi(argv[2]);
	while (now_ms() < until)
		;
	return 0;
}
