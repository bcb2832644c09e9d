// SPDX-License-Identifier: GPL-2.0
/* packet: writes frames to a device through AF_PACKET, also such as no stack would make.
 *
 * usage: packet DEVICE [--protocol 0xNNNN] [--count N] [--size BYTES] CONTENT [--dgram]
 *   --ipv4 FROM TO     an IPv4 UDP packet filled up to --size     --ipv6 FROM TO
 *   --hex BYTES        exactly these                              --random SEED   --size random bytes
 *   --tos N            the traffic class of --ipv4 and --ipv6
 *   --say N            the length its header gives, instead of the true one
 * Prints "sent N refused M"; refused writes are no error.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tool.h"

static uint8_t frame[70000];

static uint16_t checksum(const uint8_t *at, unsigned length)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i + 1 < length; i += 2)
		sum += at[i] << 8 | at[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void udp(uint8_t *at, unsigned length)
{
	put16(at, 4000);
	put16(at + 2, 4001);
	put16(at + 4, length);
	put16(at + 6, 0);
}

int main(int argc, char **argv)
{
	unsigned protocol = 0x0800, count = 1, size = 100, tos = 0, say = 0, sent = 0, refused = 0, seed = 0;
	const char *from = NULL, *to = NULL, *hex = NULL;
	int version = 0, type = SOCK_RAW, random_bytes = 0;

	if (argc < 3)
		return fprintf(stderr, "usage: packet DEVICE OPTION...\n"), 2;
	for (int i = 2; i < argc; i++) {
		const char *option = argv[i];

		if (!strcmp(option, "--dgram")) {
			type = SOCK_DGRAM;
			continue;
		}
		if (i + 1 >= argc)
			return fprintf(stderr, "packet: %s?\n", option), 2;
		const char *value = argv[++i];
		if (!strcmp(option, "--protocol"))
			protocol = strtoul(value, NULL, 0);
		else if (!strcmp(option, "--count"))
			count = strtoul(value, NULL, 0);
		else if (!strcmp(option, "--size"))
			size = strtoul(value, NULL, 0);
		else if (!strcmp(option, "--tos"))
			tos = strtoul(value, NULL, 0);
		else if (!strcmp(option, "--say"))
			say = strtoul(value, NULL, 0);
		else if (!strcmp(option, "--hex"))
			hex = value;
		else if (!strcmp(option, "--random"))
			random_bytes = 1, seed = strtoul(value, NULL, 0);
		else if ((!strcmp(option, "--ipv4") || !strcmp(option, "--ipv6")) && i + 1 < argc)
			version = option[5] - '0', from = value, to = argv[++i];
		else
			return fprintf(stderr, "packet: %s?\n", option), 2;
	}
	if (size > sizeof(frame))
		return fprintf(stderr, "packet: too large\n"), 2;

	if (version == 4) {
		frame[0] = 0x45;
		frame[1] = tos;
		put16(frame + 2, say ? say : size);
		frame[8] = 64;
		frame[9] = 17;
		inet_pton(AF_INET, from, frame + 12);
		inet_pton(AF_INET, to, frame + 16);
		put16(frame + 10, checksum(frame, 20));
		udp(frame + 20, size - 20);
	} else if (version == 6) {
		frame[0] = 0x60 | tos >> 4;
		frame[1] = tos << 4;
		put16(frame + 4, say ? say : size - 40);
		frame[6] = 17;
		frame[7] = 64;
		inet_pton(AF_INET6, from, frame + 8);
		inet_pton(AF_INET6, to, frame + 24);
		udp(frame + 40, size - 40);
	} else if (hex) {
		size = strlen(hex) / 2;
		for (unsigned i = 0; i < size; i++)
			sscanf(hex + 2 * i, "%2hhx", &frame[i]);
	}

	int fd = socket(AF_PACKET, type, 0);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };

	if (fd < 0)
		die("socket");
	address.sll_ifindex = if_nametoindex(argv[1]);
	if (!address.sll_ifindex)
		die(argv[1]);
	srand(seed);
	for (unsigned n = 0; n < count; n++) {
		unsigned length = size;

		if (random_bytes) {
			length = size ? rand() % (size + 1) : 0;
			for (unsigned i = 0; i < length; i++)
				frame[i] = rand();
			/* Every other one at least looks like IP. */
			if (length && rand() % 2)
				frame[0] = rand() % 2 ? 0x45 : 0x60;
		}
		if (sendto(fd, frame, length, 0, (struct sockaddr *)&address, sizeof(address)) < 0)
			refused++;
		else
			sent++;
	}
	printf("sent %u refused %u\n", sent, refused);
	return 0;
}
