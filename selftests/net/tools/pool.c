// SPDX-License-Identifier: GPL-2.0
/* pool: one UDP socket with a small buffer for two who listen: does what waits for the one keep it from sending to the other?
 *
 * usage: pool DEAD ALIVE      50 datagrams of 1000 bytes to DEAD, then one to ALIVE, none of which may wait; port 9
 * Prints "dead N alive N": how many were taken.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int send_some(int fd, const char *address, int count)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(9) };
	char message[1000] = { 0 };
	int taken = 0;

	if (inet_pton(AF_INET, address, &there.sin_addr) != 1) {
		fprintf(stderr, "pool: %s is no address\n", address);
		exit(2);
	}
	while (count--)
		if (sendto(fd, message, sizeof(message), MSG_DONTWAIT, (void *)&there, sizeof(there)) > 0)
			taken++;
	return taken;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 8192, dead;

	if (argc != 3)
		return fprintf(stderr, "usage: pool DEAD ALIVE\n"), 2;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)))
		return perror("pool"), 2;
	dead = send_some(fd, argv[1], 50);
	printf("dead %d alive %d\n", dead, send_some(fd, argv[2], 1));
	return 0;
}
