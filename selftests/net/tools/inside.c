// SPDX-License-Identifier: GPL-2.0
/* inside: a command in a network namespace, as by `ip netns exec`: /sys shows that namespace. It starts in half the time, and most of what the
 * scripts do is to start commands.
 *
 * usage: inside NAMESPACE COMMAND [ARGUMENT...]
 */
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>
#include "tool.h"

int main(int argc, char **argv)
{
	if (argc < 3)
		return fprintf(stderr, "usage: inside NAMESPACE COMMAND [ARGUMENT...]\n"), 2;
	enter(argv[1]);
	if (unshare(CLONE_NEWNS) || mount("", "/", "none", MS_SLAVE | MS_REC, NULL) || umount2("/sys", MNT_DETACH) ||
	    mount(argv[1], "/sys", "sysfs", 0, NULL))
		die("/sys");
	execvp(argv[2], argv + 2);
	die(argv[2]);
}
