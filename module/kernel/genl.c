// SPDX-License-Identifier: GPL-2.0
/* genl.c: the generic netlink family: who may ask, of which device, and the shape of what is asked. What it means is the engine's. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "compat.h"
#include "objects.h"
#include "engine.h"
#include "../../uapi/linux/wireguard.h"
#include "../../uapi/linux/wireguard_extensions.h"

static const struct nla_policy allowed_ip_policy[WGALLOWEDIP_A_MAX + 1] = {
	[WGALLOWEDIP_A_FAMILY] = { .type = NLA_U16 },
	[WGALLOWEDIP_A_IPADDR] = NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct in_addr), sizeof(struct in6_addr)),
	[WGALLOWEDIP_A_CIDR_MASK] = { .type = NLA_U8 },
	[WGALLOWEDIP_A_FLAGS] = { .type = NLA_U32 },
};

static const struct nla_policy peer_policy[WGPEER_A_MAX + 1] = {
	[WGPEER_A_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGPEER_A_PRESHARED_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGPEER_A_FLAGS] = { .type = NLA_U32 },
	[WGPEER_A_ENDPOINT] = NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6)),
	[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = { .type = NLA_U16 },
	[WGPEER_A_LAST_HANDSHAKE_TIME] = NLA_POLICY_EXACT_LEN(16),
	[WGPEER_A_RX_BYTES] = { .type = NLA_U64 },
	[WGPEER_A_TX_BYTES] = { .type = NLA_U64 },
	[WGPEER_A_ALLOWEDIPS] = NLA_POLICY_NESTED_ARRAY(allowed_ip_policy),
	[WGPEER_A_PROTOCOL_VERSION] = { .type = NLA_U32 },
};

static const struct nla_policy device_policy[WGDEVICE_A_MAX + 1] = {
	[WGDEVICE_A_IFINDEX] = { .type = NLA_U32 },
	[WGDEVICE_A_IFNAME] = { .type = NLA_NUL_STRING, .len = IFNAMSIZ - 1 },
	[WGDEVICE_A_PRIVATE_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGDEVICE_A_PUBLIC_KEY] = NLA_POLICY_EXACT_LEN(WG_KEY_LEN),
	[WGDEVICE_A_FLAGS] = { .type = NLA_U32 },
	[WGDEVICE_A_LISTEN_PORT] = { .type = NLA_U16 },
	[WGDEVICE_A_FWMARK] = { .type = NLA_U32 },
	[WGDEVICE_A_PEERS] = NLA_POLICY_NESTED_ARRAY(peer_policy),
};

static struct genl_family family;

/* The device a request names; under rtnl. */
static struct net_device *find_device(struct net *net, struct nlattr **attributes, struct netlink_ext_ack *extack)
{
	const struct nlattr *index = attributes[WGDEVICE_A_IFINDEX], *name = attributes[WGDEVICE_A_IFNAME];
	struct net_device *dev;

	if (!index == !name) {
		NL_SET_ERR_MSG(extack, "The device must be named by exactly one of IFINDEX and IFNAME");
		return ERR_PTR(-EBADR);
	}
	dev = index ? __dev_get_by_index(net, nla_get_u32(index)) : __dev_get_by_name(net, nla_data(name));
	if (!dev) {
		NL_SET_ERR_MSG_ATTR(extack, index ?: name, "No such network device");
		return ERR_PTR(-ENODEV);
	}
	if (!wg_netdev_is_ours(dev)) {
		NL_SET_ERR_MSG_ATTR(extack, index ?: name, "Not a WireGuard device");
		return ERR_PTR(-EOPNOTSUPP);
	}
	return dev;
}

/* ---- WG_CMD_GET_DEVICE, WGX_CMD_GET_DEVICE ---- */

/* Between two parts the device is known by its index alone: a reader that stops reading must not keep it from being removed. */
struct dump_context {
	struct wg_dump dump;
	int ifindex;
};
static_assert(sizeof(struct dump_context) <= sizeof_field(struct netlink_callback, ctx));

static bool is_extended(const struct netlink_callback *cb)
{
	return ((struct genlmsghdr *)nlmsg_data(cb->nlh))->cmd == WGX_CMD_GET_DEVICE;
}

static int dump_start(struct netlink_callback *cb)
{
	struct dump_context *context = (struct dump_context *)cb->ctx;
	struct net *net = sock_net(cb->skb->sk);
	struct net_device *dev;
	int error;

	/* The deployed command's asker has been asked for it already. */
	context->dump.no_secrets = !netlink_ns_capable(cb->skb, net->user_ns, CAP_NET_ADMIN);
	rtnl_lock();
	dev = find_device(net, wg_compat_dump_attributes(cb), cb->extack);
	error = PTR_ERR_OR_ZERO(dev);
	if (!error && context->dump.no_secrets && !wg_engine_is_public(wg_private_of(dev)->engine))
		error = -EPERM;
	if (!error)
		context->ifindex = dev->ifindex;	/* all else is zero: the kernel gives it so */
	rtnl_unlock();
	return error;
}

/* One message, from a header to as much as the engine can fit behind it. */
static int dump_part(struct net_device *dev, struct dump_context *context, struct sk_buff *skb, struct netlink_callback *cb)
{
	void *request = is_extended(cb) ? genlmsg_data(nlmsg_data(cb->nlh)) : NULL;
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family, NLM_F_MULTI,
				   request ? WGX_CMD_GET_DEVICE : WG_CMD_GET_DEVICE);
	int error;

	if (!header)
		return -EMSGSIZE;
	error = wg_engine_dump(wg_private_of(dev)->engine, &context->dump, request, request ? nlmsg_attrlen(cb->nlh, GENL_HDRLEN) : 0,
			       (struct wg_reply *)skb);
	if (error) {
		genlmsg_cancel(skb, header);
		return error;
	}
	cb->seq = context->dump.generation + 1;	/* 0 would mean that nothing was written before */
	genl_dump_check_consistent(cb, header);
	genlmsg_end(skb, header);
	return context->dump.done ? 0 : skb->len;	/* the end goes into the same datagram */
}

static int dump_continue(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump_context *context = (struct dump_context *)cb->ctx;
	struct net_device *dev;
	int result = -ENODEV;

	rtnl_lock();
	dev = __dev_get_by_index(sock_net(cb->skb->sk), context->ifindex);
	if (dev && wg_netdev_is_ours(dev))
		result = dump_part(dev, context, skb, cb);
	rtnl_unlock();
	return result;
}

/* ---- WG_CMD_SET_DEVICE, WGX_CMD_SET_DEVICE ---- */

/* Port and mark act in the namespace the device was born in, which may be another one than the request's. */
static bool may_administer_birth(struct sk_buff *request, const struct net_device *dev)
{
	struct net *birth = wg_private_of(dev)->birth;

	return birth && netlink_ns_capable(request, birth->user_ns, CAP_NET_ADMIN);
}

static int set_device(struct sk_buff *request, struct genl_info *info)
{
	void *attributes = genlmsg_data(info->genlhdr);
	size_t size = genlmsg_len(info->genlhdr);
	struct net_device *dev;
	int error;

	rtnl_lock();
	dev = find_device(genl_info_net(info), info->attrs, info->extack);
	if (IS_ERR(dev)) {
		error = PTR_ERR(dev);
		memzero_explicit(attributes, size);	/* there is no engine to find the keys in it */
	} else {
		error = wg_engine_set(wg_private_of(dev)->engine, attributes, size, may_administer_birth(request, dev),
				      info->snd_portid, (struct wg_report *)info->extack);
	}
	rtnl_unlock();
	return error;
}

/* ---- writing ---- */
bool wg_kernel_reply_put(struct wg_reply *reply, uint16_t type, const void *data, size_t size)
{
	return !nla_put((struct sk_buff *)reply, type, size, data);
}

bool wg_kernel_reply_put_names(struct wg_reply *reply, const struct wg_netdev *netdev)
{
	const struct net_device *dev = wg_to_net_device(netdev);

	return !nla_put_u32((struct sk_buff *)reply, WGDEVICE_A_IFINDEX, dev->ifindex) &&
	       !nla_put_string((struct sk_buff *)reply, WGDEVICE_A_IFNAME, dev->name);
}

void *wg_kernel_reply_nest(struct wg_reply *reply, uint16_t type)
{
	return nla_nest_start((struct sk_buff *)reply, type);
}

void wg_kernel_reply_nest_end(struct wg_reply *reply, void *nest)
{
	nla_nest_end((struct sk_buff *)reply, nest);
}

void wg_kernel_reply_nest_cancel(struct wg_reply *reply, void *nest)
{
	nla_nest_cancel((struct sk_buff *)reply, nest);
}

void wg_kernel_report_error(struct wg_report *report, const void *attribute, const char *text)
{
	struct netlink_ext_ack *extack = (struct netlink_ext_ack *)report;

	if (!extack)
		return;
	extack->_msg = text;
	if (attribute)
		extack->bad_attr = attribute;
}

void wg_kernel_report_owner(struct wg_report *report, const void *attribute, uint8_t version, const uint8_t *address, uint8_t bits,
			    const uint8_t *owner)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct netlink_ext_ack *extack = (struct netlink_ext_ack *)report;
	char *text = wg_compat_extack_text(extack), key[13] = "";
	int i;

	/* Nine bytes are twelve digits of base64. */
	for (i = 0; i < 12; i++)
		key[i] = digits[(get_unaligned_be16(owner + i * 6 / 8) >> (10 - i * 6 % 8)) & 63];
	if (version == 4)
		snprintf(text, NETLINK_MAX_FMTMSG_LEN, "%pI4/%u belongs to peer %s...", address, bits, key);
	else
		snprintf(text, NETLINK_MAX_FMTMSG_LEN, "%pI6c/%u belongs to peer %s...", address, bits, key);
	wg_kernel_report_error(report, attribute, text);
}

/* ---- events ---- */
static const struct genl_multicast_group groups[] = {
	[WG_EVENTS] = { .name = WGX_GROUP_EVENTS, .flags = WG_COMPAT_ADMINS_GROUP },
	[WG_EVENTS_ENDPOINTS] = { .name = WGX_GROUP_ENDPOINTS, .flags = WG_COMPAT_ADMINS_GROUP },
	[WG_EVENTS_STRANGERS] = { .name = WGX_GROUP_STRANGERS, .flags = WG_COMPAT_ADMINS_GROUP },
};

/* Devices are there before the family and after it; then these numbers are nobody's, or another family's. */
static bool has_groups;

struct wg_reply *wg_kernel_event_begin(const struct wg_netdev *netdev, enum wg_event_group group)
{
	struct net *net = dev_net(wg_to_net_device(netdev));
	struct sk_buff *skb;

	if (!READ_ONCE(has_groups) || !genl_has_listeners(&family, net, group))
		return NULL;
	skb = genlmsg_new(256, GFP_ATOMIC);
	if (!skb || !genlmsg_put(skb, 0, 0, &family, 0, WGX_CMD_EVENT) || !wg_kernel_reply_put_names((struct wg_reply *)skb, netdev)) {
		kfree_skb(skb);
		genl_set_err(&family, net, 0, group, -ENOBUFS);
		return NULL;
	}
	return (struct wg_reply *)skb;
}

void wg_kernel_event_send(const struct wg_netdev *netdev, struct wg_reply *event, enum wg_event_group group)
{
	struct sk_buff *skb = (struct sk_buff *)event;

	genlmsg_end(skb, genlmsg_data(nlmsg_data(nlmsg_hdr(skb))));
	genlmsg_multicast_netns(&family, dev_net(wg_to_net_device(netdev)), skb, 0, group, GFP_ATOMIC);
}

/* ---- the family ---- */
static const struct genl_ops operations[] = {
	{
		.cmd = WG_CMD_GET_DEVICE,
		.start = dump_start,
		.dumpit = dump_continue,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd = WG_CMD_SET_DEVICE,
		.doit = set_device,
		.flags = GENL_UNS_ADMIN_PERM,
	},
	/* The policy knows no attribute of theirs: the engine looks at those itself. */
	{
		.cmd = WGX_CMD_GET_DEVICE,
		.start = dump_start,
		.dumpit = dump_continue,
		.validate = GENL_DONT_VALIDATE_DUMP_STRICT,
	},
	{
		.cmd = WGX_CMD_SET_DEVICE,
		.doit = set_device,
		.validate = GENL_DONT_VALIDATE_STRICT,
		.flags = GENL_UNS_ADMIN_PERM,
	},
};

static struct genl_family family __ro_after_init = {
	.name = WG_GENL_NAME,
	.version = WG_GENL_VERSION,
	.maxattr = WGDEVICE_A_MAX,
	.policy = device_policy,
	.netnsok = true,
	.parallel_ops = true,	/* rtnl is lock enough */
	.module = THIS_MODULE,
	.ops = operations,
	.n_ops = ARRAY_SIZE(operations),
	.mcgrps = groups,
	.n_mcgrps = ARRAY_SIZE(groups),
	.resv_start_op = WGX_CMD_EVENT,
};

int wg_genl_init(void)
{
	int error = genl_register_family(&family);

	WRITE_ONCE(has_groups, !error);
	return error;
}

void wg_genl_exit(void)
{
	WRITE_ONCE(has_groups, false);
	synchronize_rcu();	/* no event is on its way */
	genl_unregister_family(&family);
}
