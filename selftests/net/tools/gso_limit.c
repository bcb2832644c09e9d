// SPDX-License-Identifier: GPL-2.0
/* gso_limit: how large packets for segmentation over IPv4 may be, which older ip(8) cannot set.
 *
 * usage: gso_limit DEVICE BYTES
 */
#include "request.h"
#include "tool.h"

#define GSO_IPV4_MAX_SIZE 63	/* IFLA_; of Linux 6.3 */

int main(int argc, char **argv)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct nlmsgerr *error = NLMSG_DATA(message());
	uint32_t bytes;

	if (argc != 3)
		return fprintf(stderr, "usage: gso_limit DEVICE BYTES\n"), 2;
	bytes = atoi(argv[2]);
	begin_link(RTM_NEWLINK, NLM_F_ACK, argv[1]);
	put(GSO_IPV4_MAX_SIZE, &bytes, sizeof(bytes));
	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0 || recv(fd, buffer, sizeof(buffer), 0) < 0)
		die("rtnetlink");
	if (error->error)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-error->error));
	return error->error != 0;
}
