/* SPDX-License-Identifier: GPL-2.0 */
/* tool.h: what the programs of this folder share. */
#ifndef TOOL_H
#define TOOL_H
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program, with what the last system call said. */
static inline _Noreturn void die(const char *what)
{
	perror(what);
	exit(2);
}

/* The calling thread runs on @cpu alone. */
static inline void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
}

#endif
