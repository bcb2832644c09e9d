// SPDX-License-Identifier: GPL-2.0
/* stream: one TCP connection from one network namespace to another, both ends of it here; what arrives is compared with what was sent.
 *
 * usage: stream FROM TO ADDRESS [KILOBYTES [COMMAND]]      names of `ip netns`; an address of TO; default 1000
 * The connection is closed when all has arrived: who tracks it sees it whole. COMMAND runs when half of it is there, and the reader waits for it.
 * Prints what went wrong, and fails: other data, an end that came early, or nothing for 30 s.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "tool.h"

#define PART 65536
#define PATIENCE_MS 30000

static uint64_t total = 1000000;
static int writer_fd;

/* The next @size bytes of the one sequence both ends know. */
static void next_part(uint64_t *state, char *part, size_t size)
{
	for (size_t i = 0; i < size; i += sizeof(*state)) {
		*state ^= *state << 13;
		*state ^= *state >> 7;
		*state ^= *state << 17;
		memcpy(part + i, state, sizeof(*state));
	}
}

static size_t size_at(uint64_t offset)
{
	return total - offset < PART ? total - offset : PART;
}

static void *write_all(void *unused)
{
	uint64_t state = 1;
	char part[PART];

	(void)unused;
	for (uint64_t at = 0; at < total; at += size_at(at)) {
		size_t size = size_at(at), sent = 0;

		next_part(&state, part, PART);
		while (sent < size) {
			ssize_t n = send(writer_fd, part + sent, size - sent, MSG_NOSIGNAL);

			if (n < 0)
				die("send");
			sent += n;
		}
	}
	return NULL;
}

static void read_all(int fd, const char *command)
{
	uint64_t state = 1;
	char expected[PART], part[PART];

	for (uint64_t at = 0; at < total; at += size_at(at)) {
		size_t size = size_at(at), got = 0;

		while (got < size) {
			ssize_t n = recv(fd, part + got, size - got, 0);

			if (n <= 0) {
				fprintf(stderr, "stream: %lu bytes came of %lu, then %s\n", (unsigned long)(at + got), (unsigned long)total,
					n ? strerror(errno) : "the end");
				exit(1);
			}
			got += n;
		}
		next_part(&state, expected, PART);
		if (memcmp(part, expected, size)) {
			fprintf(stderr, "stream: other data came, between %lu and %lu\n", (unsigned long)at, (unsigned long)(at + size));
			exit(1);
		}
		if (command && at + size >= total / 2) {
			if (system(command)) {
				fprintf(stderr, "stream: '%s' failed\n", command);
				exit(1);
			}
			command = NULL;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage there = { 0 };
	socklen_t there_size;
	pthread_t writer;
	int listener, fd;
	char byte;

	if (argc < 4 || argc > 6)
		return fprintf(stderr, "usage: stream FROM TO ADDRESS [KILOBYTES [COMMAND]]\n"), 2;
	there_size = parse_address(&there, argv[3], 0);
	if (!there_size)
		return 2;
	if (argc > 4)
		total = strtoull(argv[4], NULL, 10) * 1000;
	enter(argv[2]);
	listener = patient_socket(there.ss_family, SOCK_STREAM, PATIENCE_MS);
	if (bind(listener, (void *)&there, there_size) || listen(listener, 1) || getsockname(listener, (void *)&there, &there_size))
		die("listen");
	enter(argv[1]);
	writer_fd = patient_socket(there.ss_family, SOCK_STREAM, PATIENCE_MS);
	if (connect(writer_fd, (void *)&there, there_size))
		die("connect");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	/* An accepted socket has the times of the listening one. */
	if (pthread_create(&writer, NULL, write_all, NULL))
		die("pthread_create");
	read_all(fd, argc > 5 ? argv[5] : NULL);
	pthread_join(writer, NULL);
	shutdown(writer_fd, SHUT_WR);
	if (recv(fd, &byte, 1, 0))
		return fprintf(stderr, "stream: there is more than was sent, or no end\n"), 1;
	return 0;
}
