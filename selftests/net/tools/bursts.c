// SPDX-License-Identifier: GPL-2.0
/* bursts: datagrams from one network namespace to another, a burst at once, the next one when this is there: nothing on the way has to
 * lose any, but may merge them. What arrives is compared with what was sent.
 *
 * usage: bursts FROM TO ADDRESS BURSTS [BURST [COMMAND]]      names of `ip netns`; an address of TO
 * BURST: what is sent, separated by commas: a size; or SIZExCOUNT[+LAST], one packet for segmentation; default sixteen of 1200 bytes.
 * COMMAND runs when a burst was sent, before it is waited for.
 * Prints "sent N received N", and fails when other bytes came.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "tool.h"

#define MOST 256			/* datagrams of a burst */
#define LONGEST 65536
#define PATIENCE_MS 1000
#define USUAL "1200,1200,1200,1200,1200,1200,1200,1200,1200,1200,1200,1200,1200,1200,1200,1200"

/* What one call sends: @count datagrams of @size, and one of @last unless that is 0. */
struct packet {
	int size, count, last;
};

static struct packet packets[MOST];
static int sizes[MOST];
static int packet_count, burst;

static void add_datagrams(int size, int count)
{
	for (; count > 0 && burst < MOST; count--)
		sizes[burst++] = size;
}

static int parse_burst(const char *text)
{
	for (; *text && packet_count < MOST; packet_count++) {
		struct packet *it = &packets[packet_count];
		int used = 0;

		it->count = 1;
		if (sscanf(text, "%d%n", &it->size, &used) != 1 || it->size < (int)sizeof(uint32_t))
			return 0;
		text += used;
		if (sscanf(text, "x%d%n", &it->count, &used) == 1)
			text += used;
		if (sscanf(text, "+%d%n", &it->last, &used) == 1)
			text += used;
		if (*text == ',')
			text++;
		add_datagrams(it->size, it->count);
		add_datagrams(it->last, it->last > 0);
	}
	return !*text && burst > 0 && burst < MOST;
}

static void fill(char *message, uint32_t number, int size)
{
	memcpy(message, &number, sizeof(number));
	for (int i = sizeof(number); i < size; i++)
		message[i] = number * 7 + i * 13;
}

/* Returns the next number. */
static uint32_t send_packet(int fd, const struct packet *it, uint32_t number)
{
	static char bytes[LONGEST];
	int length = 0, segment = it->count > 1 ? it->size : 0;

	for (int i = 0; i < it->count + (it->last > 0); i++) {
		int size = i < it->count ? it->size : it->last;

		if (length + size > LONGEST)
			return fprintf(stderr, "bursts: too much for one packet\n"), exit(2), 0;
		fill(bytes + length, number++, size);
		length += size;
	}
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		die("UDP_SEGMENT");
	if (send(fd, bytes, length, 0) != length)
		die("send");
	return number;
}

int main(int argc, char **argv)
{
	struct sockaddr_storage there = { 0 };
	socklen_t there_size;
	uint32_t sent = 0, received = 0, bursts;
	int from, to, room = 4 << 20;

	if (argc < 5 || argc > 7 || !parse_burst(argc > 5 ? argv[5] : USUAL))
		return fprintf(stderr, "usage: bursts FROM TO ADDRESS BURSTS [SIZE[xCOUNT][+LAST],... [COMMAND]]\n"), 2;
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
	while (bursts-- > 0) {
		for (int i = 0; i < packet_count; i++)
			sent = send_packet(from, &packets[i], sent);
		if (argc > 6 && system(argv[6]))
			return fprintf(stderr, "bursts: the command failed\n"), 2;
		for (int i = 0; i < burst; i++) {
			char message[LONGEST], expected[LONGEST];
			uint32_t number;
			ssize_t size = recv(to, message, sizeof(message), 0);

			if (size < (ssize_t)sizeof(number))
				break;
			memcpy(&number, message, sizeof(number));
			fill(expected, number, sizes[number % burst]);
			if (number >= sent || size != sizes[number % burst] || memcmp(message, expected, size))
				return fprintf(stderr, "bursts: other bytes came than were sent, after %u\n", received), 1;
			received++;
		}
	}
	printf("sent %u received %u\n", sent, received);
	return 0;
}
