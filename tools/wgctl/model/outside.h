// SPDX-License-Identifier: GPL-2.0
/* Everything wgctl touches outside itself, as small interfaces that tests replace.
 *
 * Failure is the one exception of the tool: bad input or a refusal from outside, told to the user in
 * one line by main; destructors undo and wipe on the way. errno values come back as numbers only
 * where the caller decides on them.
 */
#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/device.h"

namespace wgctl {

struct Failure {
	std::string text;
};

/* Runs `action`; what it throws is told as "cannot WHAT: ...". */
template<class Action>
auto step(const std::string &what, Action action)
{
	try {
		return action();
	} catch (const Failure &failure) {
		throw Failure{"cannot " + what + ": " + failure.text};
	}
}

/* Nobody reads standard output any more: nothing to tell, unless something had to be undone. */
struct ReaderGone : Failure {};

/* One thing that happened to an interface or a peer; what belongs to which: uapi/linux/wireguard_extensions.h. */
struct DeviceEvent {
	enum class Kind {
		/* Some came faster than they were read. */
		missed,
		peer_added,
		peer_changed,
		peer_removed,
		configuration_changed,
		session_established,
		session_expired,
		handshake_given_up,
		endpoint_moved,
		unknown_initiation,
	};
	Kind kind = Kind::missed;
	std::string interface = {};
	std::optional<Key> peer = {};
	std::optional<Endpoint> endpoint = {};
	/* Who answered that handshake: this side or, false, the other one. */
	std::optional<bool> is_responder = {};
	bool is_rekey = false;
	std::optional<std::uint32_t> generation = {}, port_id = {};
};

/* Kinds that only those are told of who ask for them. */
struct EventWishes {
	bool moves = false, strangers = false;
};

class DeviceEvents {
public:
	virtual ~DeviceEvents() = default;
	/* Can be read when there are some. */
	virtual int descriptor() = 0;
	/* Those that have come; call it when there are some. Throws Failure. */
	virtual std::vector<DeviceEvent> read() = 0;
};

/* WireGuard interfaces, whoever implements them. Every call throws Failure, with the system's words. */
class Devices {
public:
	virtual ~Devices() = default;
	virtual std::vector<std::string> names() = 0;
	virtual Device get(const std::string &name) = 0;
	/* With the state of device and peers, where the kernel has it. */
	virtual Device get_with_state(const std::string &name) { return get(name); }
	virtual void set(const Device &change) = 0;
	/* Of all interfaces in this network namespace; null where nobody tells of them. */
	virtual std::unique_ptr<DeviceEvents> listen(EventWishes /*wishes*/) { return {}; }
};

/* A netlink socket, with the results and errno of the system calls. */
class NetlinkSocket {
public:
	virtual ~NetlinkSocket() = default;
	virtual ssize_t send(const void *message, std::size_t size) = 0;
	virtual ssize_t receive(void *buffer, std::size_t size) = 0;
	/* Hears what is sent to the group, too. Returns 0 or errno. */
	virtual int join(std::uint32_t /*group*/) { return EOPNOTSUPP; }
	/* Of the socket, for waiting. */
	virtual int descriptor() { return -1; }
};
/* Opens a socket of the protocol, NETLINK_GENERIC or NETLINK_ROUTE; throws Failure. */
using OpenNetlink = std::function<std::unique_ptr<NetlinkSocket>(int protocol)>;

/* Configuration sockets of userspace implementations. */
class ConfigSockets {
public:
	virtual ~ConfigSockets() = default;
	virtual std::vector<std::string> names() = 0;
	virtual bool exists(const std::string &name) = 0;
	/* The answer up to its empty line; throws Failure. */
	virtual Text exchange(const std::string &name, std::string_view request) = 0;
};

class Files {
public:
	virtual ~Files() = default;
	/* All of the file, but no more than `limit` bytes; throws Failure. */
	virtual Text read(const std::string &path, std::size_t limit) = 0;
	/* The same of a regular file as somebody sees it whose root is `root`: its links lead nowhere else, and
	 * nothing there can make the program wait. */
	virtual Text read_within(const std::string &root, const std::string &path, std::size_t limit) = 0;
	/* What is in a folder, in order; nothing when it cannot be read. */
	virtual std::vector<std::string> list(const std::string &folder) = 0;
};

enum class Stream { out, err };

class Terminal {
public:
	virtual ~Terminal() = default;
	virtual Text read_input(std::size_t limit) = 0;
	/* Throws Failure when the text could not be written as a whole. */
	virtual void write(Stream stream, std::string_view text) = 0;
	virtual bool output_is_terminal() = 0;
	/* Standard output is a regular file that others have access to. */
	virtual bool output_is_open_to_the_world() = 0;
};

class Resolver {
public:
	virtual ~Resolver() = default;
	/* The first UDP address for `host` (null: any) and `service`; returns 0 or an EAI_ error, with
	 * errno for EAI_SYSTEM. */
	virtual int lookup(const char *host, const char *service, Endpoint &result) = 0;
};

class Clock {
public:
	virtual ~Clock() = default;
	/* Wall clock, seconds. */
	virtual std::int64_t now() = 0;
	/* Milliseconds that nobody sets back, for rates. */
	virtual std::int64_t monotonic() = 0;
	virtual void sleep(std::int64_t milliseconds) = 0;
};

class Environment {
public:
	virtual ~Environment() = default;
	/* Null when not set. */
	virtual const char *get(const char *name) = 0;
};

struct Host;

struct World {
	Devices &devices;
	Files &files;
	Terminal &terminal;
	Resolver &resolver;
	Clock &clock;
	Environment &environment;
	/* For those that set up more than WireGuard (machine.h). */
	Host &host;
};

}
