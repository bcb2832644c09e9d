// SPDX-License-Identifier: GPL-2.0
/* faults: does one thing again and again, with its first allocation failing, its second, and so on, until none was left to fail.
 *
 * usage: faults add NAME | configure NAME | up NAME | show NAME | send ADDRESS
 * Prints "N points, N refused". Exit status 1, and what was wrong, when a try left neither what was before nor what was asked for.
 * Needs a kernel with CONFIG_FAULT_INJECTION.
 */
#include <errno.h>
#include <linux/if.h>
#include "request.h"
#include "tool.h"

#define MOST_POINTS 3000

static const char *name;
static int fault_fd, generic_fd, route_fd, family, has_failed;
static uint8_t before[65536], after[65536], now[65536];
static size_t before_size, after_size, now_size;

/* From here to stop_failing() this thread's @n-th allocation fails; 0: none. */
static void fail_nth(int n)
{
	char text[16];

	if (pwrite(fault_fd, text, snprintf(text, sizeof(text), "%d", n), 0) < 0)
		die("fail-nth");
}

static void stop_failing(void)
{
	char text[16] = "";

	if (pread(fault_fd, text, sizeof(text) - 1, 0) < 0)
		die("fail-nth");
	has_failed = !atoi(text);	/* the count was used up */
	fail_nth(0);
}

/* Answers that got lost for want of memory are not waited for. */
static int netlink(int protocol)
{
	struct timeval patience = { .tv_sec = 2 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("netlink");
	return fd;
}

/* The error that the request in work got. No answer is one, too: it takes memory. */
static int ask(int fd)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	static uint8_t reply[8192] __attribute__((aligned(4)));
	struct nlmsghdr *answer = (struct nlmsghdr *)reply;
	ssize_t size;

	while (recv(fd, reply, sizeof(reply), MSG_DONTWAIT) > 0)
		;	/* of an earlier try */
	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return errno;
	size = recv(fd, reply, sizeof(reply), 0);
	if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer->nlmsg_type != NLMSG_ERROR)
		return size < 0 ? errno : ENOMSG;
	return -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
}

/* ---- links ---- */
static void add_request(void)
{
	struct nlattr *info;

	begin_link(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, name);
	info = nest(IFLA_LINKINFO);
	put(IFLA_INFO_KIND, "wireguard", 9);
	end(info);
}

static void up_request(unsigned flags)
{
	struct ifinfomsg *link;

	begin_link(RTM_NEWLINK, NLM_F_ACK, name);
	link = NLMSG_DATA(message());
	link->ifi_change = IFF_UP;
	link->ifi_flags = flags;
}

static int is_there(void)
{
	return !access((snprintf((char *)now, sizeof(now), "/proc/sys/net/ipv4/conf/%s", name), (char *)now), F_OK);
}

static void forget_link(void)
{
	begin_link(RTM_DELLINK, NLM_F_ACK, name);
	ask(route_fd);
}

static void set_down(void)
{
	up_request(0);
	if (ask(route_fd))
		die("down");
}

/* ---- the configuration ---- */
static void put_peer(uint8_t number, int prefixes)
{
	struct nlattr *peer = nest(0), *list;
	uint8_t key[WG_KEY_LEN] = { number, 1 }, address[4] = { 10, number, 0, 0 };
	struct sockaddr_in endpoint = { .sin_family = AF_INET, .sin_port = htons(1000 + number), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	put(WGPEER_A_PUBLIC_KEY, key, sizeof(key));
	put(WGPEER_A_ENDPOINT, &endpoint, sizeof(endpoint));
	list = nest(WGPEER_A_ALLOWEDIPS);
	for (int i = 0; i < prefixes; i++) {
		address[2] = i;
		put_allowed_ip(AF_INET, address, 24);
	}
	end(list);
	end(peer);
}

/* @first and the peer behind it, in place of all there are. */
static void configuration(uint8_t first)
{
	uint8_t key[WG_KEY_LEN] = { first, 2 };
	uint32_t replace = WGDEVICE_F_REPLACE_PEERS;
	uint16_t port = 5000 + first;
	struct nlattr *peers;

	begin(family, NLM_F_ACK, WG_CMD_SET_DEVICE);
	put(WGDEVICE_A_IFNAME, name, strlen(name) + 1);
	put(WGDEVICE_A_FLAGS, &replace, 4);
	put(WGDEVICE_A_PRIVATE_KEY, key, sizeof(key));
	put(WGDEVICE_A_LISTEN_PORT, &port, 2);
	peers = nest(WGDEVICE_A_PEERS);
	put_peer(first, 3);
	put_peer(first + 1, 5);
	end(peers);
}

/* All messages that show the device; 0: refused. */
static size_t show(uint8_t *shown)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	static uint8_t part[32768] __attribute__((aligned(4)));
	size_t size = 0;

	while (recv(generic_fd, part, sizeof(part), MSG_DONTWAIT) > 0)
		;
	begin(family, NLM_F_DUMP, WG_CMD_GET_DEVICE);
	put(WGDEVICE_A_IFNAME, name, strlen(name) + 1);
	if (sendto(generic_fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return 0;
	for (;;) {
		ssize_t length = recv(generic_fd, part, sizeof(part), 0);

		if (length <= 0)
			return 0;
		for (struct nlmsghdr *at = (struct nlmsghdr *)part; NLMSG_OK(at, length); at = NLMSG_NEXT(at, length)) {
			if (at->nlmsg_type == NLMSG_ERROR)
				return 0;
			if (at->nlmsg_type == NLMSG_DONE)
				return size;
			memcpy(shown + size, NLMSG_DATA(at), NLMSG_PAYLOAD(at, 0));
			size += NLMSG_PAYLOAD(at, 0);
		}
	}
}

static int same(const uint8_t *wanted, size_t size)
{
	return now_size == size && !memcmp(now, wanted, size);
}

/* ---- what is done: each tries once, with allocation @n failing if it is not 0, and tells the error, or -1 when something was left ---- */
static int try_add(int n)
{
	int error;

	add_request();
	fail_nth(n);
	error = ask(route_fd);
	stop_failing();
	if (!error && !is_there())
		return -1;
	forget_link();
	return is_there() ? -1 : error;
}

static int try_configure(int n)
{
	int error;

	configuration(10);
	if (ask(generic_fd))
		return -1;
	configuration(20);
	fail_nth(n);
	error = ask(generic_fd);
	stop_failing();
	now_size = show(now);
	if (same(after, after_size))
		return error;
	return error && same(before, before_size) ? error : -1;
}

static int try_up(int n)
{
	int error;

	up_request(IFF_UP);
	fail_nth(n);
	error = ask(route_fd);
	stop_failing();
	set_down();
	return error;
}

static int try_show(int n)
{
	fail_nth(n);
	now_size = show(now);
	stop_failing();
	return now_size ? same(before, before_size) ? 0 : -1 : ENOMEM;
}

static struct sockaddr_storage to;
static socklen_t to_size;

static int try_send(int n)
{
	int fd = patient_socket(to.ss_family, SOCK_DGRAM, 1000), error;
	char text[1000] = "";

	fail_nth(n);
	error = sendto(fd, text, sizeof(text), 0, (struct sockaddr *)&to, to_size) < 0 ? errno : 0;
	stop_failing();
	close(fd);
	return error;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*try)(int n);
	} things[] = { { "add", try_add }, { "configure", try_configure }, { "up", try_up }, { "show", try_show }, { "send", try_send } };
	unsigned which = 0, refused = 0, n;

	while (argc == 3 && which < 5 && strcmp(argv[1], things[which].name))
		which++;
	if (argc != 3 || which == 5)
		return fprintf(stderr, "usage: faults add|configure|up|show NAME, faults send ADDRESS\n"), 2;
	name = argv[2];
	fault_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fault_fd < 0)
		die("fail-nth");
	generic_fd = netlink(NETLINK_GENERIC);
	route_fd = netlink(NETLINK_ROUTE);
	family = family_number(generic_fd, NULL, NULL);
	if (!family)
		die("family");
	if (things[which].try == try_send) {
		to_size = parse_address(&to, name, 9);
		if (!to_size)
			return 2;
	}
	if (things[which].try == try_configure || things[which].try == try_show) {
		configuration(20);
		if (ask(generic_fd))
			die("configure");
		after_size = show(after);
		configuration(10);
		if (ask(generic_fd))
			die("configure");
		before_size = show(before);
	}
	for (n = 1; n < MOST_POINTS; n++) {
		int error = things[which].try(n);

		if (error < 0)
			return printf("allocation %u failed, and something was left\n", n), 1;
		if (!has_failed)
			break;
		refused += error != 0;
	}
	printf("%u points, %u refused\n", n - 1, refused);
	return n == MOST_POINTS || n == 1;
}
