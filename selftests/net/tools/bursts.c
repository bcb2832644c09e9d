// SPDX-License-Identifier: GPL-2.0
/* bursts: datagrams from one network namespace to another, sixteen at once, the next ones when these are there: nothing on the way has to
 * lose any, but may merge them. What arrives is compared with what was sent.
 *
 * usage: bursts FROM TO ADDRESS BURSTS      names of `ip netns`; an address of TO
 * Prints "sent N received N", and fails when other bytes came.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "tool.h"

#define BURST 16
#define SIZE 1200
#define PATIENCE_MS 1000

static void fill(char *message, uint32_t number)
{
	memcpy(message, &number, sizeof(number));
	for (int i = sizeof(number); i < SIZE; i++)
		message[i] = number * 7 + i * 13;
}

static void send_burst(int fd, uint32_t first)
{
	static char messages[BURST][SIZE];
	struct iovec parts[BURST];
	struct mmsghdr headers[BURST] = { 0 };

	for (int i = 0; i < BURST; i++) {
		fill(messages[i], first + i);
		parts[i] = (struct iovec){ messages[i], SIZE };
		headers[i].msg_hdr.msg_iov = &parts[i];
		headers[i].msg_hdr.msg_iovlen = 1;
	}
	if (sendmmsg(fd, headers, BURST, 0) != BURST)
		die("sendmmsg");
}

int main(int argc, char **argv)
{
	struct sockaddr_storage there = { 0 };
	socklen_t there_size;
	uint32_t sent = 0, received = 0, bursts;
	int from, to, room = 4 << 20;

	if (argc != 5)
		return fprintf(stderr, "usage: bursts FROM TO ADDRESS BURSTS\n"), 2;
	there_size = parse_address(&there, argv[3], 0);
	if (!there_size)
		return 2;
	bursts = atoi(argv[4]);
	enter(argv[2]);
	to = patient_socket(there.ss_family, SOCK_DGRAM, PATIENCE_MS);
	/* A piece of a merged packet may count as much as the whole. */
	if (setsockopt(to, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) || bind(to, (void *)&there, there_size) ||
	    getsockname(to, (void *)&there, &there_size))
		die("bind");
	enter(argv[1]);
	from = patient_socket(there.ss_family, SOCK_DGRAM, PATIENCE_MS);
	if (connect(from, (void *)&there, there_size))
		die("connect");
	for (; sent < bursts * BURST; sent += BURST) {
		send_burst(from, sent);
		for (int i = 0; i < BURST; i++) {
			char message[SIZE + 1], expected[SIZE];
			uint32_t number;

			if (recv(to, message, sizeof(message), 0) != SIZE)
				break;
			memcpy(&number, message, sizeof(number));
			fill(expected, number);
			if (number >= sent + BURST || memcmp(message, expected, SIZE))
				return fprintf(stderr, "bursts: other bytes came than were sent, after %u\n", received), 1;
			received++;
		}
	}
	printf("sent %u received %u\n", sent, received);
	return 0;
}
