/* SPDX-License-Identifier: GPL-2.0 */
/* request.h: the one netlink message that a program of this folder has in work. */
#ifndef REQUEST_H
#define REQUEST_H
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>

static uint8_t buffer[65536] __attribute__((aligned(4)));

static inline struct nlmsghdr *message(void)
{
	return (struct nlmsghdr *)buffer;
}

static inline struct nlattr *put(int type, const void *data, unsigned length)
{
	struct nlattr *at = (struct nlattr *)(buffer + NLMSG_ALIGN(message()->nlmsg_len));

	at->nla_type = type;
	at->nla_len = NLA_HDRLEN + length;
	if (length)
		memcpy((uint8_t *)at + NLA_HDRLEN, data, length);
	message()->nlmsg_len = NLMSG_ALIGN(message()->nlmsg_len) + NLA_ALIGN(at->nla_len);
	return at;
}

/* Of a nest that began with put(type, NULL, 0). */
static inline void end(struct nlattr *of)
{
	of->nla_len = buffer + message()->nlmsg_len - (uint8_t *)of;
}

/* A generic netlink request of family @type; its attributes follow. */
static inline void begin(int type, int flags, int command)
{
	struct genlmsghdr *generic = NLMSG_DATA(message());

	memset(buffer, 0, sizeof(*message()) + GENL_HDRLEN);
	message()->nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	message()->nlmsg_type = type;
	message()->nlmsg_flags = NLM_F_REQUEST | flags;
	generic->cmd = command;
	generic->version = 1;
}

#endif
