/* SPDX-License-Identifier: GPL-2.0 */
/* tool.h: what the programs of this folder share. */
#ifndef TOOL_H
#define TOOL_H
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

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

/* The calling thread makes its sockets in this namespace of `ip netns` from now on. */
static inline void enter(const char *namespace)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/var/run/netns/%s", namespace);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

/* Sets the port as well. Returns the size for the system calls, 0 when @text is no address. */
static inline socklen_t parse_address(struct sockaddr_storage *address, const char *text, int port)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	fprintf(stderr, "%s is no address\n", text);
	return 0;
}

/* A socket that waits for so many milliseconds at most. */
static inline int patient_socket(int family, int type, int ms)
{
	struct timeval patience = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)))
		die("socket");
	return fd;
}

#endif
