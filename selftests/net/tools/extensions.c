// SPDX-License-Identifier: GPL-2.0
/* extensions: what our family can besides the deployed one's.
 *
 * usage: extensions listen GROUP               prints "joined", then each event as a line, until standard input ends
 *        extensions get DEVICE FLAGS [KEY...]  prints what WGX_CMD_GET_DEVICE tells: a line a device, a peer, a session, a kind of drop
 *        extensions set DEVICE generation N | public 0|1 | no-steal KEY ADDRESS BITS | bind-device NAME | bind-address ADDRESS |
 *                       pin KEY 0|1 | marks KEY OPENED OUTER | dscp KEY N     prints what the kernel says when it refuses
 *        extensions link NAME PORT MARK       makes a link with both in one request
 *        extensions show NAME                 prints what rtnetlink has of a link: "port=1 mark=2", and netnsid=, birth= where they are
 * Messages of the family are appended to the file of $RECORD, each in hexadecimal on a line.
 * Keys are hexadecimal. Exit status 1: refused. FLAGS: s state, n no secrets, - neither.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../../../uapi/linux/wireguard_extensions.h"
#include "request.h"

static int fd, family;

static void print_key(const char *what, const struct nlattr *at)
{
	printf(" %s=", what);
	for (int i = 0; i < WG_KEY_LEN; i++)
		printf("%02x", ((const uint8_t *)(at + 1))[i]);
}

static uint64_t number(const struct nlattr *at)
{
	uint64_t value = 0;

	memcpy(&value, at + 1, at->nla_len - NLA_HDRLEN);
	return value;
}

static void print_endpoint(const struct nlattr *at)
{
	const struct sockaddr_in *v4 = (const void *)(at + 1);
	const struct sockaddr_in6 *v6 = (const void *)(at + 1);
	char text[64];

	inet_ntop(v4->sin_family, v4->sin_family == AF_INET ? (const void *)&v4->sin_addr : &v6->sin6_addr, text, sizeof(text));
	printf(" endpoint=%s:%u", text, ntohs(v4->sin_port));
}

static void read_key(const char *text, uint8_t *key)
{
	for (int i = 0; i < WG_KEY_LEN; i++)
		if (sscanf(text + 2 * i, "%2hhx", key + i) != 1)
			exit(2);
}

static void record(const struct nlmsghdr *of)
{
	const char *path = getenv("RECORD");
	FILE *file = path ? fopen(path, "a") : NULL;

	for (uint32_t i = 0; file && i < of->nlmsg_len; i++)
		fprintf(file, "%02x%s", ((const uint8_t *)of)[i], i + 1 < of->nlmsg_len ? "" : "\n");
	if (file)
		fclose(file);
}

static void print_event(struct nlmsghdr *event)
{
	static const char *const names[] = { "?", "added", "changed", "removed", "configuration", "established", "expired", "given-up", "moved", "stranger" };

	record(event);
	FOR_EACH(at, attributes_of(event), event->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN)) {
		switch (TYPE(at)) {
		case WGDEVICE_A_IFNAME: printf("%s", (char *)(at + 1)); break;
		case WGX_A_EVENT: printf(" %s", names[number(at)]); break;
		case WGX_A_PEER: print_key("peer", at); break;
		case WGX_A_ENDPOINT: print_endpoint(at); break;
		case WGX_A_GENERATION: printf(" generation=%u", (unsigned)number(at)); break;
		case WGX_A_ROLE: printf(" role=%u", (unsigned)number(at)); break;
		case WGX_A_IS_REKEY: printf(" rekey=%u", (unsigned)number(at)); break;
		}
	}
	puts("");
	fflush(stdout);
}

static int listen_to(const char *group)
{
	static uint8_t event[8192] __attribute__((aligned(4)));
	struct pollfd both[] = { { .fd = fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
	uint32_t id = 0;

	family = family_number(fd, group, &id);
	if (!family || !id)
		return fprintf(stderr, "no group %s\n", group), 2;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &id, sizeof(id)))
		return perror("join"), 1;
	puts("joined");
	fflush(stdout);
	while (poll(both, 2, -1) > 0 && !both[1].revents) {
		ssize_t length = recv(fd, event, sizeof(event), 0);

		if (length < 0 && errno == ENOBUFS)
			puts("missed some");
		for (struct nlmsghdr *at = (struct nlmsghdr *)event; length > 0 && NLMSG_OK(at, length); at = NLMSG_NEXT(at, length))
			print_event(at);
	}
	return 0;
}

static void print_drops(const struct nlattr *drops)
{
	FOR_EACH_IN(drop, drops) {
		const char *reason = "?";
		uint64_t count = 0;

		FOR_EACH_IN(at, drop) {
			if (TYPE(at) == WGX_DROP_A_REASON)
				reason = (const char *)(at + 1);
			else if (TYPE(at) == WGX_DROP_A_COUNT)
				count = number(at);
		}
		printf("drop %s %llu\n", reason, (unsigned long long)count);
	}
}

static void print_peer(const struct nlattr *peer)
{
	unsigned opened = 0, outer = 0, dscp = 0;

	printf("peer");
	FOR_EACH_IN(at, peer) {
		if (TYPE(at) == WGPEER_A_PUBLIC_KEY)
			print_key("key", at);
		if (TYPE(at) == WGPEER_A_PRESHARED_KEY)
			printf(" psk");
		if (TYPE(at) == WGX_A_PIN_ENDPOINT)
			printf(" pinned");
		if (TYPE(at) == WGX_A_OPENED_MARK)
			opened = number(at);
		if (TYPE(at) == WGX_A_OUTER_MARK)
			outer = number(at);
		if (TYPE(at) == WGX_A_DSCP)
			dscp = number(at);
		if (TYPE(at) == WGX_A_STATE)
			FOR_EACH_IN(of_state, at) {
				switch (TYPE(of_state)) {
				case WGX_STATE_A_AWAITS_RESPONSE: printf(" awaits=%u", (unsigned)number(of_state)); break;
				case WGX_STATE_A_NEXT_RETRY: printf(" retry"); break;
				case WGX_STATE_A_LAST_DROP: printf(" last-drop=%s", (char *)(of_state + 1)); break;
				case WGX_STATE_A_STAGED: printf(" staged=%u", (unsigned)number(of_state)); break;
				case WGX_STATE_A_PATH_MTU: printf(" mtu=%u", (unsigned)number(of_state)); break;
				case WGX_STATE_A_SOURCE: printf(" source-bytes=%u", of_state->nla_len - NLA_HDRLEN); break;
				case WGX_STATE_A_SESSIONS:
					FOR_EACH_IN(session, of_state) {
						FOR_EACH_IN(of_session, session) {
							if (TYPE(of_session) == WGX_SESSION_A_SLOT)
								printf(" session=%u", (unsigned)number(of_session));
							if (TYPE(of_session) == WGX_SESSION_A_ROLE)
								printf("/%u", (unsigned)number(of_session));
						}
					}
					break;
				}
			}
	}
	printf(" opened=%u outer=%u dscp=%u", opened, outer, dscp);
	puts("");
}

/* 0, or the errno of the kernel's last word. */
static int read_answer(void)
{
	static uint8_t reply[65536] __attribute__((aligned(4)));

	for (;;) {
		ssize_t length = recv(fd, reply, sizeof(reply), 0);

		if (length < 0)
			return errno;
		for (struct nlmsghdr *at = (struct nlmsghdr *)reply; NLMSG_OK(at, length); at = NLMSG_NEXT(at, length)) {
			if (at->nlmsg_type == NLMSG_ERROR || at->nlmsg_type == NLMSG_DONE) {
				struct nlmsgerr *error = NLMSG_DATA(at);

				if (error->error && (at->nlmsg_flags & NLM_F_ACK_TLVS) && at->nlmsg_type == NLMSG_ERROR)
					FOR_EACH(of_error, (error + 1), at->nlmsg_len - NLMSG_LENGTH(sizeof(*error)))
						if (of_error->nla_type == NLMSGERR_ATTR_MSG)
							printf("%s\n", (char *)(of_error + 1));
				return -error->error;
			}
			record(at);
			printf("device");
			FOR_EACH(first, attributes_of(at), at->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN)) {
				if (TYPE(first) == WGDEVICE_A_PRIVATE_KEY)
					printf(" private-key");
				if (TYPE(first) == WGX_A_GENERATION)
					printf(" generation=%u", (unsigned)number(first));
				if (TYPE(first) == WGX_A_PUBLIC)
					printf(" public=%u", (unsigned)number(first));
				if (TYPE(first) == WGX_A_BIND_DEVICE)
					printf(" bind-device=%s", (char *)(first + 1));
				if (TYPE(first) == WGX_A_AEAD)
					printf(" aead=%s", (char *)(first + 1));
			}
			puts("");
			FOR_EACH(again, attributes_of(at), at->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN)) {
				if (TYPE(again) == WGX_A_DROPS)
					print_drops(again);
				if (TYPE(again) == WGDEVICE_A_PEERS)
					FOR_EACH_IN(peer, again)
						print_peer(peer);
			}
		}
	}
}

static int ask(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int error;

	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return perror("send"), 2;
	error = read_answer();
	if (error)
		printf("%s\n", strerror(error));
	return error != 0;
}

static int get(const char *device, const char *letters, char **keys)
{
	uint32_t flags = (strchr(letters, 's') ? WGX_F_STATE : 0) | (strchr(letters, 'n') ? WGX_F_NO_SECRETS : 0);

	begin(family, NLM_F_DUMP, WGX_CMD_GET_DEVICE);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	put(WGX_A_FLAGS, &flags, sizeof(flags));
	if (*keys) {
		struct nlattr *peers = nest(WGDEVICE_A_PEERS);

		for (; *keys; keys++) {
			struct nlattr *peer = nest(0);
			uint8_t key[WG_KEY_LEN];

			read_key(*keys, key);
			put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
			end(peer);
		}
		end(peers);
	}
	return ask();
}

static void put_u32(int type, const char *text)
{
	uint32_t value = strtoul(text, NULL, 0);

	put(type, &value, sizeof(value));
}

static int set(const char *device, char **words, int count)
{
	begin(family, NLM_F_ACK, WGX_CMD_SET_DEVICE);
	put(WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	if (count == 2 && !strcmp(words[0], "generation")) {
		uint32_t generation = strtoul(words[1], NULL, 10);

		put(WGX_A_GENERATION, &generation, sizeof(generation));
	} else if (count == 2 && !strcmp(words[0], "public")) {
		put(WGX_A_PUBLIC, &(uint8_t){ words[1][0] == '1' }, 1);
	} else if (count == 2 && !strcmp(words[0], "bind-device")) {
		put(WGX_A_BIND_DEVICE, words[1], strlen(words[1]) + 1);
	} else if (count == 2 && !strcmp(words[0], "bind-address")) {
		uint8_t address[16];
		int kind = strchr(words[1], ':') ? AF_INET6 : AF_INET;

		inet_pton(kind, words[1], address);
		put(WGX_A_BIND_ADDRESS, address, kind == AF_INET ? 4 : 16);
	} else if (count >= 3 && strstr("pin marks dscp", words[0])) {
		struct nlattr *peers = nest(WGDEVICE_A_PEERS), *peer = nest(0);
		uint8_t key[WG_KEY_LEN];

		read_key(words[1], key);
		put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
		if (!strcmp(words[0], "marks") && count == 4) {
			put_u32(WGX_A_OPENED_MARK, words[2]);
			put_u32(WGX_A_OUTER_MARK, words[3]);
		} else {
			put(words[0][0] == 'p' ? WGX_A_PIN_ENDPOINT : WGX_A_DSCP, &(uint8_t){ atoi(words[2]) }, 1);
		}
		end(peer);
		end(peers);
	} else if (count == 4 && !strcmp(words[0], "no-steal")) {
		uint32_t flags = WGX_F_NO_STEAL;
		struct nlattr *peers, *peer, *ips;
		uint8_t key[WG_KEY_LEN], address[16];
		uint16_t kind = strchr(words[2], ':') ? AF_INET6 : AF_INET;

		read_key(words[1], key);
		inet_pton(kind, words[2], address);
		put(WGX_A_FLAGS, &flags, sizeof(flags));
		peers = nest(WGDEVICE_A_PEERS);
		peer = nest(0);
		put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
		ips = nest(WGPEER_A_ALLOWEDIPS);
		put_allowed_ip(kind, address, atoi(words[3]));
		end(ips);
		end(peer);
		end(peers);
	} else {
		return 2;
	}
	return ask();
}

/* ---- rtnetlink ---- */
static int make_link(const char *name, const char *port, const char *mark)
{
	uint16_t port_number = strtoul(port, NULL, 0);
	uint32_t mark_number = strtoul(mark, NULL, 0);
	struct nlattr *info, *data;

	begin_link(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, name);
	info = nest(IFLA_LINKINFO);
	put(IFLA_INFO_KIND, "wireguard", sizeof("wireguard"));
	data = nest(IFLA_INFO_DATA);
	put(WGX_LINK_A_LISTEN_PORT, &port_number, sizeof(port_number));
	put(WGX_LINK_A_FWMARK, &mark_number, sizeof(mark_number));
	end(data);
	end(info);
	return ask();
}

static int show_link(const char *name)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	static uint8_t reply[65536] __attribute__((aligned(4)));
	struct nlmsghdr *answer = (struct nlmsghdr *)reply;

	begin_link(RTM_GETLINK, 0, name);
	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 || recv(fd, reply, sizeof(reply), 0) < 0)
		return perror("link"), 2;
	if (answer->nlmsg_type == NLMSG_ERROR)
		return 1;
	FOR_EACH(at, (uint8_t *)NLMSG_DATA(answer) + sizeof(struct ifinfomsg), answer->nlmsg_len - NLMSG_LENGTH(sizeof(struct ifinfomsg))) {
		if (TYPE(at) == IFLA_LINK_NETNSID)
			printf("netnsid=%d ", (int)number(at));
		if (TYPE(at) != IFLA_LINKINFO)
			continue;
		FOR_EACH_IN(of_info, at) {
			if (TYPE(of_info) != IFLA_INFO_DATA)
				continue;
			FOR_EACH_IN(of_data, of_info) {
				if (TYPE(of_data) == WGX_LINK_A_LISTEN_PORT)
					printf("port=%u ", (unsigned)number(of_data));
				if (TYPE(of_data) == WGX_LINK_A_FWMARK)
					printf("mark=%u ", (unsigned)number(of_data));
				if (TYPE(of_data) == WGX_LINK_A_BIRTH_NETNSID)
					printf("birth=%d ", (int)number(of_data));
			}
		}
	}
	puts("");
	return 0;
}

int main(int argc, char **argv)
{
	int yes = 1;

	fd = socket(AF_NETLINK, SOCK_RAW, argc > 1 && strstr("link show", argv[1]) ? NETLINK_ROUTE : NETLINK_GENERIC);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &yes, sizeof(yes));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &yes, sizeof(yes));
	if (argc == 3 && !strcmp(argv[1], "listen"))
		return listen_to(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "link"))
		return make_link(argv[2], argv[3], argv[4]);
	if (argc == 3 && !strcmp(argv[1], "show"))
		return show_link(argv[2]);
	family = family_number(fd, NULL, NULL);
	if (argc >= 4 && !strcmp(argv[1], "get"))
		return get(argv[2], argv[3], argv + 4);
	if (argc >= 5 && !strcmp(argv[1], "set"))
		return set(argv[2], argv + 3, argc - 3);
	return fprintf(stderr, "usage: extensions listen GROUP | get DEVICE FLAGS [KEY...] | set DEVICE WHAT... | link NAME PORT MARK | show NAME\n"), 2;
}
