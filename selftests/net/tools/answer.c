// SPDX-License-Identifier: GPL-2.0
/* answer: what the kernel answers to WG_CMD_GET_DEVICE, to the byte.
 *
 * usage: answer DEVICE      a line for each datagram, in hexadecimal; the family's number, which is drawn, is left out
 */
#include "request.h"
#include "tool.h"

int main(int argc, char **argv)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), family, is_done = 0;
	static uint8_t reply[65536] __attribute__((aligned(4)));
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (argc != 2)
		return fprintf(stderr, "usage: answer DEVICE\n"), 2;
	family = family_number(fd, NULL, NULL);
	if (!family)
		die("family");
	begin(family, NLM_F_DUMP, WG_CMD_GET_DEVICE);
	put(WGDEVICE_A_IFNAME, argv[1], strlen(argv[1]) + 1);
	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		die("ask");
	while (!is_done) {
		ssize_t size = recv(fd, reply, sizeof(reply), 0);

		if (size <= 0)
			die("answer");
		for (ssize_t left = size, at = 0; left > 0;) {
			struct nlmsghdr *each = (struct nlmsghdr *)(reply + at);

			if (!NLMSG_OK(each, left) || each->nlmsg_type == NLMSG_ERROR)
				return fprintf(stderr, "no answer\n"), 1;
			is_done |= each->nlmsg_type == NLMSG_DONE;
			if (each->nlmsg_type == family)
				each->nlmsg_type = 0;
			each->nlmsg_pid = 0;
			left -= NLMSG_ALIGN(each->nlmsg_len);
			at += NLMSG_ALIGN(each->nlmsg_len);
		}
		for (ssize_t i = 0; i < size; i++)
			printf("%02x", reply[i]);
		puts("");
	}
	return 0;
}
