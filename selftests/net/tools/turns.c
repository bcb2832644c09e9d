// SPDX-License-Identifier: GPL-2.0
/* turns: two threads, each on a CPU of its own, send numbered datagrams in turn through one socket each; a token goes to and fro, so
 * there is one true order, and whoever receives says how often it was broken.
 *
 * usage: turns send ADDRESS PORT COUNT CPU CPU [FLOOD-CPU]     FLOOD-CPU: a third thread there sends to port 9 meanwhile, all it can
 *        turns receive ADDRESS PORT                            until it is told the end, or 10 s nothing came
 * Prints "sent N flooded N", or "received N inversions N". An inversion is a datagram that comes after one with a higher number.
 */
#include <arpa/inet.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "tool.h"

#define END UINT32_MAX

static struct sockaddr_storage there;
static socklen_t there_size;
static uint32_t count, next_number;	/* its lowest bit says whose turn it is */
static int done;

static int open_socket(void)
{
	int fd = socket(there.ss_family, SOCK_DGRAM, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

struct turn {
	int cpu;
	uint32_t whose;
};

static void *take_turns(void *argument)
{
	const struct turn *turn = argument;
	int fd = open_socket();

	pin(turn->cpu);
	for (;;) {
		uint32_t number = __atomic_load_n(&next_number, __ATOMIC_ACQUIRE), message;

		if (number >= count)
			return NULL;
		if ((number & 1) != turn->whose) {
			syscall(SYS_futex, &next_number, FUTEX_WAIT, number, NULL, NULL, 0);
			continue;
		}
		message = htonl(number);
		if (sendto(fd, &message, sizeof(message), 0, (void *)&there, there_size) < 0)
			die("sendto");
		__atomic_store_n(&next_number, number + 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, &next_number, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
}

static void *flood(void *argument)
{
	struct sockaddr_storage discard = there;
	uint64_t flooded = 0;
	char message[64] = { 0 };
	int fd = open_socket();

	pin(*(int *)argument);
	if (discard.ss_family == AF_INET)
		((struct sockaddr_in *)&discard)->sin_port = htons(9);
	else
		((struct sockaddr_in6 *)&discard)->sin6_port = htons(9);
	while (!__atomic_load_n(&done, __ATOMIC_RELAXED))
		if (sendto(fd, message, sizeof(message), 0, (void *)&discard, there_size) > 0)
			flooded++;
	return (void *)flooded;
}

static int send_all(int cpu0, int cpu1, int flood_cpu)
{
	struct turn turns[2] = { { cpu0, 0 }, { cpu1, 1 } };
	uint32_t end = htonl(END);
	pthread_t threads[2], flooder;
	void *flooded = NULL;
	int fd = open_socket();

	if (flood_cpu >= 0)
		pthread_create(&flooder, NULL, flood, &flood_cpu);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, take_turns, &turns[i]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&done, 1, __ATOMIC_RELAXED);
	if (flood_cpu >= 0)
		pthread_join(flooder, &flooded);
	/* What is under way comes first; and one of ten is enough. */
	for (int i = 0; i < 10; i++) {
		usleep(200000);
		sendto(fd, &end, sizeof(end), 0, (void *)&there, there_size);
	}
	printf("sent %u flooded %lu\n", count, (unsigned long)flooded);
	return 0;
}

static int receive_all(void)
{
	struct timeval patience = { .tv_sec = 10 };
	uint32_t message, number, highest = 0, received = 0, inversions = 0;
	int fd = open_socket(), size = 64 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(fd, (void *)&there, there_size))
		die("bind");
	while (recv(fd, &message, sizeof(message), 0) == sizeof(message)) {
		number = ntohl(message);
		if (number == END)
			break;
		received++;
		if (number < highest)
			inversions++;
		else
			highest = number;
	}
	printf("received %u inversions %u\n", received, inversions);
	return 0;
}

int main(int argc, char **argv)
{
	if ((argc == 7 || argc == 8) && !strcmp(argv[1], "send")) {
		there_size = parse_address(&there, argv[2], atoi(argv[3]));
		count = atoi(argv[4]);
		return send_all(atoi(argv[5]), atoi(argv[6]), argc == 8 ? atoi(argv[7]) : -1);
	}
	if (argc == 4 && !strcmp(argv[1], "receive")) {
		there_size = parse_address(&there, argv[2], atoi(argv[3]));
		return receive_all();
	}
	return fprintf(stderr, "usage: turns send ADDRESS PORT COUNT CPU CPU [FLOOD-CPU] | turns receive ADDRESS PORT\n"), 2;
}
