// SPDX-License-Identifier: GPL-2.0
/* fuzz: requests of our family and packets, made at random and changed at random; what reaches new code of the module (KCOV) is kept and
 * changed further.
 *
 * usage: fuzz NAMESPACE DEVICE SECONDS PORT [CORPUS]    PORT is the device's, on 127.0.0.1 there; CORPUS is read, if it is there, and
 *                                                       written: an input a line, in hexadecimal
 * Prints "N inputs, N kept, N points". Needs a kernel with CONFIG_KCOV, and the module built for it.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/kcov.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include "../../../uapi/linux/wireguard_extensions.h"
#include "request.h"
#include "tool.h"

#define POINTS (1 << 16)
#define MOST_KEPT 4096
#define LONGEST 2048

/* What an input is for: four commands, a packet into the device, a datagram to its port. Its first byte says so. */
enum { SET, SET_EXTENDED, GET, GET_EXTENDED, PACKET, DATAGRAM, KINDS };

struct input {
	unsigned size;
	uint8_t bytes[LONGEST];
};

static struct input *kept[MOST_KEPT];
static unsigned kept_count, points;
static uint8_t seen[POINTS];
static unsigned long *cover;
static int kcov, netlink, packet_fd, datagram_fd, family, device_index;
static const char *device;
static struct sockaddr_in port_of_device;

static uint32_t below(uint32_t bound)
{
	return bound ? (uint32_t)random() % bound : 0;
}

/* ---- the family, as far as it has a description here: attribute, size, or another list inside ---- */
struct attribute {
	int type, size;
	const struct attribute *inside;
};
static const struct attribute allowed_ip[] = {
	{ WGALLOWEDIP_A_FAMILY, 2, NULL }, { WGALLOWEDIP_A_IPADDR, 4, NULL }, { WGALLOWEDIP_A_IPADDR, 16, NULL },
	{ WGALLOWEDIP_A_CIDR_MASK, 1, NULL }, { WGALLOWEDIP_A_FLAGS, 4, NULL }, {}
};
static const struct attribute allowed_ips[] = { { 0, 0, allowed_ip }, {} };
static const struct attribute peer[] = {
	{ WGPEER_A_PUBLIC_KEY, 32, NULL }, { WGPEER_A_PRESHARED_KEY, 32, NULL }, { WGPEER_A_FLAGS, 4, NULL }, { WGPEER_A_ENDPOINT, 16, NULL },
	{ WGPEER_A_ENDPOINT, 28, NULL }, { WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 2, NULL }, { WGPEER_A_PROTOCOL_VERSION, 4, NULL },
	{ WGPEER_A_ALLOWEDIPS, 0, allowed_ips }, { WGX_A_PIN_ENDPOINT, 1, NULL }, { WGX_A_OPENED_MARK, 4, NULL }, { WGX_A_OUTER_MARK, 4, NULL },
	{ WGX_A_DSCP, 1, NULL }, {}
};
static const struct attribute peers[] = { { 0, 0, peer }, {} };
static const struct attribute of_device[] = {
	{ WGDEVICE_A_PRIVATE_KEY, 32, NULL }, { WGDEVICE_A_FLAGS, 4, NULL }, { WGDEVICE_A_LISTEN_PORT, 2, NULL }, { WGDEVICE_A_FWMARK, 4, NULL },
	{ WGDEVICE_A_PEERS, 0, peers }, { WGX_A_FLAGS, 4, NULL }, { WGX_A_GENERATION, 4, NULL }, { WGX_A_PUBLIC, 1, NULL },
	{ WGX_A_BIND_DEVICE, 3, NULL }, { WGX_A_BIND_ADDRESS, 4, NULL }, { WGX_A_BIND_ADDRESS, 16, NULL }, {}
};

/* Few values, so that they meet: one of eight keys, small numbers, addresses of one network. */
static void put_value(int type, int size)
{
	uint8_t value[32] = {};

	if (size == 32)
		memset(value, 1 + below(8), 32);
	else if (size >= 16 && type == WGPEER_A_ENDPOINT)
		memcpy(value, &port_of_device, sizeof(port_of_device));
	else if (below(4))
		value[0] = below(size == 2 ? 12 : 4);
	else
		for (int i = 0; i < size; i++)
			value[i] = below(4) ? 0 : random();
	if (size == 2 && type == WGALLOWEDIP_A_FAMILY)
		value[0] = below(2) ? AF_INET : AF_INET6;
	put(type, value, below(50) ? size : (int)below(33));
}

static void put_some(const struct attribute *list, int depth)
{
	int count = 0;

	while (list[count].size || list[count].inside)
		count++;
	for (int i = depth == 2 || depth == 4 ? below(5) : below(8); i >= 0 && message()->nlmsg_len < LONGEST / 2; i--) {
		const struct attribute *one = &list[below(count)];

		if (one->inside) {
			struct nlattr *list = nest(one->type);

			/* What an entry cannot do without. */
			if (one->inside == peer && below(20))
				put_value(WGPEER_A_PUBLIC_KEY, 32);
			put_some(one->inside, depth + 1);
			end(list);
		} else {
			put_value(one->type, one->size);
		}
	}
}

/* ---- inputs ---- */
static void make(struct input *input)
{
	unsigned kind = below(10) ? below(KINDS - 2) : PACKET + below(2);

	input->bytes[0] = kind;
	if (kind < PACKET) {
		begin(0, 0, 0);
		put_some(of_device, 1);
		input->size = message()->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
		memcpy(input->bytes + 1, buffer + NLMSG_LENGTH(GENL_HDRLEN), input->size);
		input->size++;
		return;
	}
	input->size = 1 + below(below(8) ? 160 : LONGEST - 1);
	for (unsigned i = 1; i < input->size; i++)
		input->bytes[i] = random();
	if (kind == PACKET && input->size > 40) {
		static const uint8_t ipv4[20] = { 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0 };

		memcpy(input->bytes + 1, ipv4, sizeof(ipv4));
		input->bytes[3] = (input->size - 1) >> 8;
		input->bytes[4] = input->size - 1;
	} else if (input->size > 5) {
		static const unsigned sizes[] = { 0, 148, 92, 64, 32 };
		uint8_t type = 1 + below(4);

		memset(input->bytes + 2, 0, 3);
		input->bytes[1] = type;
		if (below(4))
			input->size = 1 + sizes[type];
	}
}

static void change(struct input *input)
{
	for (unsigned changes = 1 + below(4); changes; changes--) {
		unsigned at = below(input->size), size = below(input->size - at) % 64;

		switch (below(6)) {
		case 0: input->bytes[at] ^= 1 << below(8); break;
		case 1: input->bytes[at] = random(); break;
		case 2: input->bytes[at] = below(5); break;
		case 3: /* a part goes */
			if (at && size < input->size - at) {
				memmove(input->bytes + at, input->bytes + at + size, input->size - at - size);
				input->size -= size;
			}
			break;
		case 4: /* a part comes twice */
			if (at && input->size + size <= LONGEST) {
				memmove(input->bytes + at + size, input->bytes + at, input->size - at);
				input->size += size;
			}
			break;
		case 5: { /* the rest is another's */
			const struct input *other = kept[below(kept_count)];

			if (at < other->size) {
				memcpy(input->bytes + at, other->bytes + at, other->size - at);
				input->size = other->size;
			}
		}
		}
	}
}

/* ---- running one ---- */
static void drain(void)
{
	static uint8_t reply[32768];
	ssize_t size;

	while ((size = recv(netlink, reply, sizeof(reply), MSG_DONTWAIT)) > 0)
		if (((struct nlmsghdr *)reply)->nlmsg_type == NLMSG_DONE || ((struct nlmsghdr *)reply)->nlmsg_type == NLMSG_ERROR)
			break;
}

static void run(const struct input *input)
{
	static const int commands[] = { WG_CMD_SET_DEVICE, WGX_CMD_SET_DEVICE, WG_CMD_GET_DEVICE, WGX_CMD_GET_DEVICE };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	unsigned kind = input->bytes[0] % KINDS;
	const void *rest = input->bytes + 1;
	unsigned size = input->size - 1;

	if (kind == PACKET) {
		struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = device_index,
					  .sll_protocol = htons(input->bytes[1] >> 4 == 6 ? 0x86dd : 0x0800) };

		sendto(packet_fd, rest, size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
		return;
	}
	if (kind == DATAGRAM) {
		sendto(datagram_fd, rest, size, MSG_DONTWAIT, (struct sockaddr *)&port_of_device, sizeof(port_of_device));
		return;
	}
	begin(family, kind >= GET ? NLM_F_DUMP : NLM_F_ACK, commands[kind]);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	memcpy(buffer + NLMSG_ALIGN(message()->nlmsg_len), rest, size);
	message()->nlmsg_len = NLMSG_ALIGN(message()->nlmsg_len) + size;
	sendto(netlink, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
	drain();
}

/* How much of what the input reached is new: pairs of points, one after the other. */
static unsigned news(const struct input *input)
{
	unsigned fresh = 0, before = 0;
	unsigned long count;

	__atomic_store_n(&cover[0], 0, __ATOMIC_RELAXED);
	run(input);
	count = __atomic_load_n(&cover[0], __ATOMIC_RELAXED);
	for (unsigned long i = 1; i <= count && i < POINTS; i++) {
		unsigned here = (uint32_t)(cover[i] * 2654435761u) >> 16, pair = (here ^ before) & (POINTS - 1);

		before = here >> 1;
		fresh += !seen[pair];
		seen[pair] = 1;
	}
	points += fresh;
	return fresh;
}

static void keep(const struct input *input)
{
	if (kept_count == MOST_KEPT)
		return;
	kept[kept_count] = malloc(sizeof(*input));
	if (!kept[kept_count])
		die("malloc");
	*kept[kept_count++] = *input;
}

static void try(const struct input *input)
{
	if (news(input))
		keep(input);
}

static void read_corpus(const char *path)
{
	static char line[2 * LONGEST + 2];
	FILE *file = fopen(path, "r");
	struct input input;

	while (file && fgets(line, sizeof(line), file)) {
		for (input.size = 0; sscanf(line + 2 * input.size, "%2hhx", &input.bytes[input.size]) == 1;)
			input.size++;
		if (input.size)
			try(&input);
	}
	if (file)
		fclose(file);
}

static void write_corpus(const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		die(path);
	for (unsigned i = 0; i < kept_count; i++)
		for (unsigned j = 0; j < kept[i]->size; j++)
			fprintf(file, "%02x%s", kept[i]->bytes[j], j + 1 < kept[i]->size ? "" : "\n");
	fclose(file);
}

int main(int argc, char **argv)
{
	unsigned inputs = 0;
	time_t until;

	if (argc < 5)
		return fprintf(stderr, "usage: fuzz NAMESPACE DEVICE SECONDS PORT [CORPUS]\n"), 2;
	device = argv[2];
	port_of_device = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(atoi(argv[4])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (kcov < 0 || ioctl(kcov, KCOV_INIT_TRACE, POINTS))
		die("kcov");
	cover = mmap(NULL, POINTS * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, kcov, 0);
	if (cover == MAP_FAILED)
		die("kcov");
	enter(argv[1]);
	device_index = if_nametoindex(device);
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	packet_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	datagram_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	family = family_number(netlink, NULL, NULL);
	if (!family || packet_fd < 0 || datagram_fd < 0)
		die("sockets");
	srandom(getpid());
	if (ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
		die("kcov");
	if (argc > 5)
		read_corpus(argv[5]);
	for (until = time(NULL) + atoi(argv[3]); time(NULL) < until; inputs++) {
		struct input input;

		if (kept_count && below(4)) {
			input = *kept[below(kept_count)];
			change(&input);
		} else {
			make(&input);
		}
		try(&input);
	}
	printf("%u inputs, %u kept, %u points\n", inputs, kept_count, points);
	if (argc > 5)
		write_corpus(argv[5]);
	return points < 500;
}
