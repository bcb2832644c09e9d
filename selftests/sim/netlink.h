// SPDX-License-Identifier: GPL-2.0
/* Requests for wg_engine_set and what comes back from wg_engine_dump, as netlink attributes in memory of their exact size. */
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>
#include "../../uapi/linux/wireguard.h"
#include "../../uapi/linux/wireguard_extensions.h"
#include "kernel/engine.h"
#include "random.h"

struct wg_reply {
	std::vector<sim::u8> bytes;	/* reserved once: nests are pointers into it */
	size_t limit;
	std::vector<size_t> open;
	bool overflowed = false;
	explicit wg_reply(size_t limit) : limit(limit) { bytes.reserve(limit); }
};

struct wg_report {
	std::string text;
	const void *attribute = nullptr;
};

namespace sim {

constexpr u32 PORT_ID = 4711;	/* whose the requests are */

using Key = std::vector<u8>;

struct AllowedIp {
	u16 family = 2;		/* AF_INET, AF_INET6 */
	std::vector<u8> address;
	u8 bits = 32;
	std::optional<u32> flags;
};

struct PeerRequest {
	Key public_key;
	std::optional<Key> preshared_key = {};
	std::optional<u32> flags = {};
	std::optional<std::vector<u8>> endpoint = {};	/* a sockaddr */
	std::optional<u16> persistent_keepalive = {};
	std::optional<u32> protocol_version = {};
	std::vector<AllowedIp> allowed_ips = {};
	std::optional<u8> pins_endpoint = {}, dscp = {};	/* policy */
	std::optional<u32> opened_mark = {}, outer_mark = {};
};

struct Request {
	std::optional<Key> private_key;
	std::optional<u16> listen_port;
	std::optional<u32> fwmark, flags;
	std::optional<u32> extended_flags, generation;	/* of WGX_CMD_SET_DEVICE, or of a question */
	std::optional<u8> is_public;
	std::optional<std::vector<u8>> bind_device;
	std::optional<std::vector<u8>> bind_address;
	std::vector<PeerRequest> peers;
};

/* The attributes of a request, one after the other: what wg_engine_set takes. */
class Message {
public:
	explicit Message(const Request &);
	void append(const Request &);		/* the same attributes once more, with other values */
	int set(wg_device *, bool may_administer_birth_namespace, wg_report &);
	/* No 32-byte key of the request may still lie in it. */
	bool holds(const Key &key) const;
	std::vector<u8> &bytes() { return bytes_; }
	size_t last() const { return last_; }	/* where the last attribute begins */

private:
	std::vector<u8> bytes_;
	size_t last_ = 0;
};

std::vector<u8> sockaddr_of(const wg_endpoint &);

/* A device as a dump shows it, parts joined. */
struct ShownPeer {
	Key public_key, preshared_key;
	std::optional<std::vector<u8>> endpoint;
	u16 persistent_keepalive = 0;
	u64 rx_bytes = 0, tx_bytes = 0;
	i64 last_handshake_seconds = 0;
	std::vector<AllowedIp> allowed_ips;
	std::vector<u8> state;		/* WGX_A_STATE */
	std::map<u16, std::vector<u8>> policy;
};
struct Shown {
	std::optional<Key> private_key, public_key;
	u16 listen_port = 0;
	u32 fwmark = 0, parts = 0;
	bool interrupted = false;
	std::vector<ShownPeer> peers;
	std::map<u16, std::vector<u8>> extensions;
	const ShownPeer *peer(const Key &public_key) const;
	bool operator==(const Shown &) const = default;
};
bool operator==(const AllowedIp &, const AllowedIp &);
bool operator==(const ShownPeer &, const ShownPeer &);

/* Attributes one after the other. */
std::vector<std::pair<u16, std::vector<u8>>> attributes_of(const std::vector<u8> &);

/* Adds one part; fails the run when it is malformed. */
void parse_part(const wg_reply &, Shown &);

} // namespace sim
