// SPDX-License-Identifier: GPL-2.0
/* requests: single configuration requests, most of them wrong, and the error each must get.
 *
 * usage: requests DEVICE CASE      exit status 0 when the answer is the expected one
 *        requests --list           the cases' names
 * No case changes a device that has a peer with 10.0.0.0/8.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../../../uapi/linux/wireguard.h"
#include "request.h"

static const char *device;
static int family;

static void put32(int type, uint32_t value)
{
	put(type, &value, 4);
}

static void put16(int type, uint16_t value)
{
	put(type, &value, 2);
}

static void put8(int type, uint8_t value)
{
	put(type, &value, 1);
}

/* ---- what most requests begin with ---- */
static void set(void)
{
	begin(family, NLM_F_ACK, WG_CMD_SET_DEVICE);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
}

static void get(void)
{
	begin(family, NLM_F_DUMP, WG_CMD_GET_DEVICE);
}

static struct nlattr *peers, *peer;

/* A key that is nobody's. */
static void a_peer(void)
{
	uint8_t key[WG_KEY_LEN];

	memset(key, 0x42, sizeof(key));
	peer = nest(0);
	put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
}

static void set_peer(void)
{
	set();
	peers = nest(WGDEVICE_A_PEERS);
	a_peer();
}

static void end_peer(void)
{
	end(peer);
	end(peers);
}

static void allowed_ip(int address_family, unsigned bytes, unsigned cidr)
{
	uint8_t address[16] = { 172, 16 };
	struct nlattr *all = nest(WGPEER_A_ALLOWEDIPS), *one = nest(0);

	if (address_family >= 0)
		put16(WGALLOWEDIP_A_FAMILY, address_family);
	if (bytes)
		put(WGALLOWEDIP_A_IPADDR, address, bytes);
	if (cidr < 256)
		put8(WGALLOWEDIP_A_CIDR_MASK, cidr);
	end(one);
	end(all);
}

/* ---- the cases ---- */
static void get_without_device(void)
{
	get();
}
static void get_by_name_and_index(void)
{
	get();
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	put32(WGDEVICE_A_IFINDEX, if_nametoindex(device));
}
static void get_of_no_device(void)
{
	get();
	put(WGDEVICE_A_IFNAME, "no-such", 8);
}
static void get_of_no_index(void)
{
	get();
	put32(WGDEVICE_A_IFINDEX, 999999);
}
static void get_of_another_kind(void)
{
	get();
	put(WGDEVICE_A_IFNAME, "lo", 3);
}
static void get_by_index(void)
{
	get();
	put32(WGDEVICE_A_IFINDEX, if_nametoindex(device));
}
static void get_without_dump(void)
{
	begin(family, NLM_F_ACK, WG_CMD_GET_DEVICE);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
}
static void get_as_nobody(void)
{
	get();
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	if (setgid(65534) || setuid(65534))
		exit(2);
}
static void unknown_command(void)
{
	begin(family, NLM_F_ACK, 99);
}
static void set_without_device(void)
{
	begin(family, NLM_F_ACK, WG_CMD_SET_DEVICE);
}
static void set_by_name_and_index(void)
{
	set();
	put32(WGDEVICE_A_IFINDEX, if_nametoindex(device));
}
static void set_of_another_kind(void)
{
	begin(family, NLM_F_ACK, WG_CMD_SET_DEVICE);
	put(WGDEVICE_A_IFNAME, "lo", 3);
	put16(WGDEVICE_A_LISTEN_PORT, 1);
}
static void set_as_nobody(void)
{
	set();
	put16(WGDEVICE_A_LISTEN_PORT, 1);
	if (setgid(65534) || setuid(65534))
		exit(2);
}
static void set_of_nothing(void)
{
	set();
}
static void unknown_device_flag(void)
{
	set();
	put32(WGDEVICE_A_FLAGS, 1u << 31 | WGDEVICE_F_REPLACE_PEERS);
}
static void short_private_key(void)
{
	set();
	put(WGDEVICE_A_PRIVATE_KEY, buffer, WG_KEY_LEN - 1);
}
static void long_private_key(void)
{
	set();
	put(WGDEVICE_A_PRIVATE_KEY, buffer, WG_KEY_LEN + 1);
}
static void short_port(void)
{
	set();
	put8(WGDEVICE_A_LISTEN_PORT, 1);
}
static void unknown_peer_flag(void)
{
	set_peer();
	put32(WGPEER_A_FLAGS, 1u << 31);
	end_peer();
}
static void unknown_protocol_version(void)
{
	set_peer();
	put32(WGPEER_A_PROTOCOL_VERSION, 2);
	end_peer();
}
static void peer_without_key(void)
{
	set();
	peers = nest(WGDEVICE_A_PEERS);
	peer = nest(0);
	put16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 1);
	end_peer();
}
static void short_peer_key(void)
{
	set();
	peers = nest(WGDEVICE_A_PEERS);
	peer = nest(0);
	put(WGPEER_A_PUBLIC_KEY, buffer, WG_KEY_LEN - 1);
	end_peer();
}
static void short_preshared_key(void)
{
	set_peer();
	put(WGPEER_A_PRESHARED_KEY, buffer, WG_KEY_LEN - 1);
	end_peer();
}
static void short_endpoint(void)
{
	set_peer();
	put(WGPEER_A_ENDPOINT, buffer, 3);
	end_peer();
}
static void allowed_ip_without_address(void)
{
	set_peer();
	allowed_ip(AF_INET, 0, 32);
	end_peer();
}
static void allowed_ip_of_unknown_family(void)
{
	set_peer();
	allowed_ip(AF_UNIX, 4, 32);
	end_peer();
}
static void ipv4_prefix_of_33_bits(void)
{
	set_peer();
	allowed_ip(AF_INET, 4, 33);
	end_peer();
}
static void ipv6_prefix_of_129_bits(void)
{
	set_peer();
	allowed_ip(AF_INET6, 16, 129);
	end_peer();
}
static void ipv6_address_of_4_bytes(void)
{
	set_peer();
	allowed_ip(AF_INET6, 4, 32);
	end_peer();
}
static void second_peer_is_wrong(void)
{
	set_peer();
	allowed_ip(AF_INET, 4, 12);
	end(peer);
	peer = nest(0);
	put(WGPEER_A_PUBLIC_KEY, "0123456789abcdef0123456789ABCDEF", WG_KEY_LEN);
	allowed_ip(AF_INET, 4, 33);
	end_peer();
}
static void device_attributes_before_a_wrong_peer(void)
{
	set();
	put16(WGDEVICE_A_LISTEN_PORT, 4321);
	put32(WGDEVICE_A_FWMARK, 77);
	put32(WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
	peers = nest(WGDEVICE_A_PEERS);
	a_peer();
	put32(WGPEER_A_PROTOCOL_VERSION, 2);
	end_peer();
}
static void remove_of_no_peer(void)
{
	set_peer();
	put32(WGPEER_A_FLAGS, WGPEER_F_REMOVE_ME);
	end_peer();
}
static void update_of_no_peer(void)
{
	set_peer();
	put32(WGPEER_A_FLAGS, WGPEER_F_UPDATE_ONLY);
	put16(WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 9);
	allowed_ip(AF_INET, 4, 12);
	end_peer();
}
static void entries_of_any_type(void)
{
	set_peer();
	put32(WGPEER_A_FLAGS, WGPEER_F_REMOVE_ME);
	peer->nla_type = 7 | NLA_F_NESTED;
	end_peer();
}
static void empty_nests(void)
{
	set();
	end(nest(WGDEVICE_A_PEERS));
}
static void same_port_again(void)
{
	set();
	put16(WGDEVICE_A_LISTEN_PORT, 1234);
	put32(WGDEVICE_A_FWMARK, 5);
}

/* The error may be one of two where the kernel's own validation gives it and versions differ. */
static const struct {
	const char *name;
	void (*make)(void);
	int error, other;
} cases[] = {
	{ "get_without_device_is_refused", get_without_device, EBADR },
	{ "get_by_name_and_index_is_refused", get_by_name_and_index, EBADR },
	{ "get_of_no_device_is_refused", get_of_no_device, ENODEV },
	{ "get_of_no_index_is_refused", get_of_no_index, ENODEV },
	{ "get_of_another_kind_is_refused", get_of_another_kind, EOPNOTSUPP },
	{ "get_by_index_works", get_by_index, 0 },
	{ "get_without_dump_is_refused", get_without_dump, EOPNOTSUPP },
	{ "get_as_nobody_is_refused", get_as_nobody, EPERM },
	{ "unknown_command_is_refused", unknown_command, EOPNOTSUPP },
	{ "set_without_device_is_refused", set_without_device, EBADR },
	{ "set_by_name_and_index_is_refused", set_by_name_and_index, EBADR },
	{ "set_of_another_kind_is_refused", set_of_another_kind, EOPNOTSUPP },
	{ "set_as_nobody_is_refused", set_as_nobody, EPERM },
	{ "set_of_nothing_works", set_of_nothing, 0 },
	{ "unknown_device_flag_is_refused", unknown_device_flag, EOPNOTSUPP },
	{ "short_private_key_is_refused", short_private_key, ERANGE, EINVAL },
	{ "long_private_key_is_refused", long_private_key, ERANGE, EINVAL },
	{ "short_port_is_refused", short_port, ERANGE, EINVAL },
	{ "unknown_peer_flag_is_refused", unknown_peer_flag, EOPNOTSUPP },
	{ "unknown_protocol_version_is_refused", unknown_protocol_version, EPFNOSUPPORT },
	{ "peer_without_key_is_refused", peer_without_key, EINVAL },
	{ "short_peer_key_is_refused", short_peer_key, ERANGE, EINVAL },
	{ "short_preshared_key_is_refused", short_preshared_key, ERANGE, EINVAL },
	{ "short_endpoint_is_refused", short_endpoint, ERANGE, EINVAL },
	{ "allowed_ip_without_address_is_refused", allowed_ip_without_address, EINVAL },
	{ "allowed_ip_of_unknown_family_is_refused", allowed_ip_of_unknown_family, EINVAL },
	{ "ipv4_prefix_of_33_bits_is_refused", ipv4_prefix_of_33_bits, EINVAL },
	{ "ipv6_prefix_of_129_bits_is_refused", ipv6_prefix_of_129_bits, EINVAL },
	{ "ipv6_address_of_4_bytes_is_refused", ipv6_address_of_4_bytes, EINVAL },
	{ "wrong_second_peer_leaves_nothing_of_the_first", second_peer_is_wrong, EINVAL },
	{ "wrong_peer_leaves_nothing_of_the_device", device_attributes_before_a_wrong_peer, EPFNOSUPPORT },
	{ "remove_of_no_peer_works", remove_of_no_peer, 0 },
	{ "update_of_no_peer_works", update_of_no_peer, 0 },
	{ "entries_of_any_type_work", entries_of_any_type, 0 },
	{ "empty_nests_work", empty_nests, 0 },
	{ "same_port_and_mark_again_work", same_port_again, 0 },
};

/* The error of the answer; for a dump that worked, 0 when it had content. */
static int answer(int fd)
{
	int parts = 0;

	for (;;) {
		static uint8_t reply[1 << 18] __attribute__((aligned(4)));
		ssize_t length = recv(fd, reply, sizeof(reply), 0);
		struct nlmsghdr *at = (struct nlmsghdr *)reply;

		if (length < 0)
			return errno;
		for (; NLMSG_OK(at, length); at = NLMSG_NEXT(at, length)) {
			if (at->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(at))->error;
			if (at->nlmsg_type == NLMSG_DONE) {
				int status = *(int *)NLMSG_DATA(at);

				return status ? -status : parts ? 0 : ENODATA;
			}
			parts++;
		}
	}
}

static int ask(int fd)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return errno;
	return answer(fd);
}

int main(int argc, char **argv)
{
	unsigned count = sizeof(cases) / sizeof(cases[0]);

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (unsigned i = 0; i < count; i++)
			puts(cases[i].name);
		return 0;
	}
	if (argc != 3)
		return fprintf(stderr, "usage: requests DEVICE CASE | --list\n"), 2;
	device = argv[1];

	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);

	family = family_number(fd, NULL, NULL);
	if (!family)
		return fprintf(stderr, "no family %s\n", WG_GENL_NAME), 2;
	for (unsigned i = 0; i < count; i++) {
		int error;

		if (strcmp(cases[i].name, argv[2]))
			continue;
		cases[i].make();
		error = ask(fd);
		if (error == cases[i].error || (cases[i].other && error == cases[i].other))
			return 0;
		printf("got %d (%s), expected %d (%s)\n", error, strerror(error), cases[i].error, strerror(cases[i].error));
		return 1;
	}
	return fprintf(stderr, "requests: no case %s\n", argv[2]), 2;
}
