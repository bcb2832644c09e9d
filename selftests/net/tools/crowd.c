// SPDX-License-Identifier: GPL-2.0
/* crowd: gives a device very many peers, reads them back, and tells what both took; nothing but the kernel's work is in the times.
 *
 * usage: crowd DEVICE PEERS      PEERS 0: reads only
 * Prints: peers read, ms to set, ms of the shortest of fifteen dumps, bytes of memory a peer. Requests and reads are of the sizes wg has.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "../../../uapi/linux/wireguard.h"
#include "request.h"
#include "tool.h"

#define REQUEST_SIZE 8192
#define PEER_ROOM 256

static const char *device;
static int family, netlink;

static void send_it(void)
{
	if (send(netlink, buffer, message()->nlmsg_len, 0) < 0)
		die("send");
}

static long receive(void)
{
	long length = recv(netlink, buffer, sizeof(buffer), 0);

	if (length < 0)
		die("recv");
	return length;
}

static void send_and_wait(void)
{
	const struct nlmsgerr *answer = NLMSG_DATA(message());

	send_it();
	receive();
	if (message()->nlmsg_type != NLMSG_ERROR || answer->error) {
		errno = message()->nlmsg_type == NLMSG_ERROR ? -answer->error : EPROTO;
		die("request");
	}
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

/* The kernel's memory in use, in bytes. */
static double memory_used(void)
{
	char line[128];
	double total = 0, available = 0;
	FILE *file = fopen("/proc/meminfo", "r");

	if (!file)
		die("/proc/meminfo");
	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "MemTotal: %lf", &total);
		sscanf(line, "MemFree: %lf", &available);
	}
	fclose(file);
	return (total - available) * 1024;
}

static void put_peer(uint32_t number)
{
	uint8_t key[WG_KEY_LEN], v4[4] = { 10, number >> 16, number >> 8, number };
	struct { uint16_t family; uint8_t port[2], address[4], zero[8]; } endpoint = { 2, { number >> 8, 1 }, { 127, 1, 0, 1 }, { 0 } };
	uint64_t random = number;
	struct nlattr *peer = nest(0), *all;

	for (unsigned i = 0; i < sizeof(key); i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		key[i] = random >> 56;
	}
	put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
	put(WGPEER_A_ENDPOINT, &endpoint, sizeof(endpoint));
	all = nest(WGPEER_A_ALLOWEDIPS);
	put_allowed_ip(AF_INET, v4, 32);
	end(all);
	end(peer);
}

static void set_peers(uint32_t count)
{
	uint8_t private_key[WG_KEY_LEN] = { 1, 2, 3 };
	uint32_t number = 0, flags = WGDEVICE_F_REPLACE_PEERS;
	struct nlattr *peers;

	begin(family, NLM_F_ACK, WG_CMD_SET_DEVICE);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	put(WGDEVICE_A_PRIVATE_KEY, private_key, sizeof(private_key));
	put(WGDEVICE_A_FLAGS, &flags, 4);
	send_and_wait();
	while (number < count) {
		begin(family, NLM_F_ACK, WG_CMD_SET_DEVICE);
		put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
		peers = put(WGDEVICE_A_PEERS | NLA_F_NESTED, NULL, 0);
		while (number < count && message()->nlmsg_len < REQUEST_SIZE - PEER_ROOM)
			put_peer(number++);
		end(peers);
		send_and_wait();
	}
}

/* How many peers a part of a dump shows. */
static uint32_t peers_in(const struct nlmsghdr *part)
{
	const uint8_t *at = (const uint8_t *)NLMSG_DATA(part) + GENL_HDRLEN, *to = (const uint8_t *)part + part->nlmsg_len, *peer;
	uint32_t count = 0;

	for (; at < to; at += NLA_ALIGN(((const struct nlattr *)at)->nla_len)) {
		const struct nlattr *attribute = (const struct nlattr *)at;

		if ((attribute->nla_type & NLA_TYPE_MASK) != WGDEVICE_A_PEERS)
			continue;
		for (peer = at + NLA_HDRLEN; peer < at + attribute->nla_len; peer += NLA_ALIGN(((const struct nlattr *)peer)->nla_len))
			count++;
	}
	return count;
}

static uint32_t dump(void)
{
	uint32_t count = 0;

	begin(family, NLM_F_DUMP, WG_CMD_GET_DEVICE);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	send_it();
	for (;;) {
		int left = receive();
		const struct nlmsghdr *part;

		for (part = message(); NLMSG_OK(part, left); part = NLMSG_NEXT(part, left)) {
			if (part->nlmsg_type == NLMSG_DONE)
				return count;
			if (part->nlmsg_type == NLMSG_ERROR) {
				errno = -((const struct nlmsgerr *)NLMSG_DATA(part))->error;
				die("dump");
			}
			count += peers_in(part);
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	double before = memory_used(), began, setting = 0, shortest = 1e9, used = 0;
	uint32_t count, read = 0;

	if (argc != 3)
		return 2;
	device = argv[1];
	count = strtoul(argv[2], NULL, 10);
	netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (netlink < 0 || connect(netlink, (struct sockaddr *)&kernel, sizeof(kernel)))
		die("netlink");
	family = family_number(netlink, NULL, NULL);
	if (!family)
		die("family");
	if (count) {
		began = now_ms();
		set_peers(count);
		setting = now_ms() - began;
		used = (memory_used() - before) / count;
	}
	for (int i = 0; i < 15; i++) {
		double took;

		began = now_ms();
		read = dump();
		took = now_ms() - began;
		shortest = took < shortest ? took : shortest;
	}
	printf("%u %.0f %.1f %.0f\n", read, setting, shortest, used);
	return 0;
}
