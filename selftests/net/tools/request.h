/* SPDX-License-Identifier: GPL-2.0 */
/* request.h: the one netlink message that a program of this folder has in work. */
#ifndef REQUEST_H
#define REQUEST_H
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include "../../../uapi/linux/wireguard.h"

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

static inline struct nlattr *nest(int type)
{
	return put(type | NLA_F_NESTED, NULL, 0);
}

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

/* A request of rtnetlink's about a link. */
static inline void begin_link(int type, int flags, const char *name)
{
	memset(buffer, 0, NLMSG_LENGTH(sizeof(struct ifinfomsg)));
	message()->nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg));
	message()->nlmsg_type = type;
	message()->nlmsg_flags = NLM_F_REQUEST | flags;
	put(IFLA_IFNAME, name, strlen(name) + 1);
}

/* An entry of WGPEER_A_ALLOWEDIPS. */
static inline void put_allowed_ip(uint16_t family, const void *address, uint8_t bits)
{
	struct nlattr *entry = nest(0);

	put(WGALLOWEDIP_A_FAMILY, &family, sizeof(family));
	put(WGALLOWEDIP_A_IPADDR, address, family == AF_INET ? 4 : 16);
	put(WGALLOWEDIP_A_CIDR_MASK, &bits, sizeof(bits));
	end(entry);
}

/* for (each attribute of @size bytes from @first on) */
#define FOR_EACH(at, first, size) \
	for (struct nlattr *at = (struct nlattr *)(first), *last_ = (struct nlattr *)((uint8_t *)(first) + (size)); \
	     at + 1 <= last_ && at->nla_len >= NLA_HDRLEN; at = (struct nlattr *)((uint8_t *)at + NLA_ALIGN(at->nla_len)))
#define FOR_EACH_IN(at, nest) FOR_EACH(at, (nest) + 1, (nest)->nla_len - NLA_HDRLEN)
#define TYPE(attribute) ((attribute)->nla_type & NLA_TYPE_MASK)

static inline struct nlattr *attributes_of(struct nlmsghdr *at)
{
	return (struct nlattr *)((uint8_t *)NLMSG_DATA(at) + GENL_HDRLEN);
}

/* Asks generic netlink for the family's number, and the number of @group, if not NULL; 0 when there is none. */
static inline int family_number(int fd, const char *group, uint32_t *group_number)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	static uint8_t reply[8192] __attribute__((aligned(4)));
	struct nlmsghdr *answer = (struct nlmsghdr *)reply;
	ssize_t length;
	int number = 0;

	begin(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	put(CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME, sizeof(WG_GENL_NAME));
	if (sendto(fd, buffer, message()->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return 0;
	length = recv(fd, reply, sizeof(reply), 0);
	if (length < 0 || !NLMSG_OK(answer, length) || answer->nlmsg_type != GENL_ID_CTRL)
		return 0;
	FOR_EACH(at, attributes_of(answer), answer->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN)) {
		if (at->nla_type == CTRL_ATTR_FAMILY_ID)
			number = *(uint16_t *)(at + 1);
		if (!group || TYPE(at) != CTRL_ATTR_MCAST_GROUPS)
			continue;
		FOR_EACH_IN(entry, at) {
			const char *name = "";
			uint32_t id = 0;

			FOR_EACH_IN(of_group, entry) {
				if (TYPE(of_group) == CTRL_ATTR_MCAST_GRP_NAME)
					name = (const char *)(of_group + 1);
				if (TYPE(of_group) == CTRL_ATTR_MCAST_GRP_ID)
					id = *(uint32_t *)(of_group + 1);
			}
			if (!strcmp(name, group))
				*group_number = id;
		}
	}
	return number;
}

#endif
