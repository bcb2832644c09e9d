// SPDX-License-Identifier: GPL-2.0
/* longest: how long a system call that sends one datagram lasts while another CPU sends all it can by the same way.
 *
 * usage: longest ADDRESS SECONDS CPU FLOOD-CPU      one datagram every 5 ms from CPU to port 9; 64 bytes a time from FLOOD-CPU
 * Prints "calls N flooded N median N p90 N p99 N longest N", times in microseconds.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "tool.h"

#define PERIOD_US 5000
#define MOST 100000

static struct sockaddr_in there = { .sin_family = AF_INET };
static int done;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (void *)&there, sizeof(there)))
		die("socket");
	return fd;
}

/* It never waits for room: what is under way may hold as much as it likes. */
static void *flood(void *argument)
{
	uint64_t flooded = 0;
	char message[64] = { 0 };
	int fd = open_socket(), room = 1 << 30;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		die("SO_SNDBUFFORCE");
	pin(*(int *)argument);
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
		if (send(fd, message, sizeof(message), 0) > 0)
			flooded++;
	return (void *)flooded;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	static uint64_t took[MOST];
	uint64_t until;
	unsigned calls = 0;
	char message[64] = { 0 };
	pthread_t flooder;
	void *flooded;
	int fd, flood_cpu;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &there.sin_addr) != 1)
		return fprintf(stderr, "usage: longest ADDRESS SECONDS CPU FLOOD-CPU\n"), 2;
	there.sin_port = htons(9);
	fd = open_socket();
	flood_cpu = atoi(argv[4]);
	pthread_create(&flooder, NULL, flood, &flood_cpu);
	pin(atoi(argv[3]));
	until = now_us() + atoi(argv[2]) * 1000000ull;
	while (calls < MOST && now_us() < until) {
		uint64_t began = now_us();

		send(fd, message, sizeof(message), 0);
		took[calls++] = now_us() - began;
		usleep(PERIOD_US);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	pthread_join(flooder, &flooded);
	qsort(took, calls, sizeof(*took), by_size);
	printf("calls %u flooded %lu median %lu p90 %lu p99 %lu longest %lu\n", calls, (unsigned long)flooded, took[calls / 2],
	       took[calls * 9 / 10], took[calls * 99 / 100], took[calls - 1]);
	return 0;
}
