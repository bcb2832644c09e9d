// SPDX-License-Identifier: GPL-2.0
/* The rest of the machine, for the commands that set up more than WireGuard: links and routes, the
 * packet filter, DNS, hooks, namespaces and files to write. Small interfaces that tests replace.
 *
 * Every call throws Failure with the system's words; who calls adds what was being done. All of them
 * act in the network namespace the program is in at the time of the call.
 */
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/outside.h"

namespace wgctl {

constexpr std::uint32_t MAIN_TABLE = 254;
constexpr std::array<std::uint16_t, 2> FAMILIES{AF_INET, AF_INET6};

/* A network namespace, kept alive by the handle. */
struct Namespace {
	int descriptor = -1;
	/* What tells two of them apart. */
	std::uint64_t device = 0, inode = 0;
	/* Of the user namespace to enter first, which is for good; -1: there is none. */
	int user = -1;
	std::shared_ptr<void> owner;

	bool operator==(const Namespace &other) const { return device == other.device && inode == other.inode; }
};

struct Route {
	Prefix destination;
	std::uint32_t table = MAIN_TABLE;
	/* There is no more to it: neither a gateway nor a source address, nor an MTU of its own, ... */
	bool is_plain = true;

	bool operator==(const Route &other) const { return destination == other.destination && table == other.table; }
	bool operator<(const Route &other) const { return std::tie(table, destination) < std::tie(other.table, other.destination); }
};

/* Of policy routing; only the parts that are used here. */
struct Rule {
	std::uint16_t family = AF_INET;
	bool invert = false;
	std::optional<std::uint32_t> fwmark;
	std::uint32_t table = 0;
	std::optional<std::uint32_t> suppress_prefix_length;
	/* Chosen by the kernel when absent. */
	std::optional<std::uint32_t> priority;
	/* It has other conditions, or another action. */
	bool is_special = false;
};

struct PacketWay {
	/* Absent for that of IPv4's default route. */
	std::optional<Prefix> destination;
	/* Of the packets. */
	std::uint32_t mark = 0;
	/* A link that does not count as a way; empty when all do. */
	std::string besides = {};
};

/* How our module's drop counters begin in ethtool -S; the rest is the reason. */
constexpr std::string_view DROP_COUNTER = "drop-";

struct Counter {
	std::string name;
	std::uint64_t value = 0;
};

class Network {
public:
	virtual ~Network() = default;
	virtual bool has_link(const std::string &name) = 0;
	/* Down, without configuration. Its UDP sockets are of the namespace the program is in; the link
	 * itself is created in `home`, if that is another. False when the kernel has no such links. */
	[[nodiscard]] virtual bool add_wireguard(const std::string &name, const std::optional<Namespace> &home) = 0;
	virtual void delete_link(const std::string &name) = 0;
	/* Without `mtu` it stays as it is. */
	virtual void set_up(const std::string &name, std::optional<std::uint32_t> mtu) = 0;
	virtual void set_down(const std::string &name) = 0;
	virtual std::uint32_t mtu(const std::string &name) = 0;

	virtual bool is_up(const std::string &name) = 0;
	/* What `ethtool -S` has of the link; none when it counts nothing of its own. */
	virtual std::vector<Counter> statistics(const std::string &name) = 0;

	virtual std::vector<Prefix> addresses(const std::string &name) = 0;
	/* Those among them that no file can ask for: of the kernel's own choice, or with another's at the far end. */
	virtual std::vector<Prefix> foreign_addresses(const std::string &name) = 0;
	/* Those of all other links, by the link's name; of all there are, without a name. */
	virtual std::multimap<std::string, Prefix> other_addresses(const std::string &name) = 0;
	virtual void add_address(const std::string &name, const Prefix &address) = 0;
	virtual void delete_address(const std::string &name, const Prefix &address) = 0;

	/* The routes over the link in the main table, default routes included. */
	virtual std::vector<Prefix> main_routes(const std::string &name) = 0;
	/* The routes over the link in all tables that stand where `add_route` puts them; not those the kernel
	 * made for addresses, nor a routing daemon's, nor those with a metric of their own. */
	virtual std::vector<Route> added_routes(const std::string &name) = 0;
	virtual void add_route(const std::string &name, const Route &route) = 0;
	virtual void delete_route(const std::string &name, const Route &route) = 0;
	virtual bool is_table_empty(std::uint32_t table) = 0;
	/* How large a packet the way takes: the route's MTU, else the link's; not what the kernel has
	 * learned about it and will forget again. Nothing when there is no way. */
	virtual std::optional<std::uint32_t> path_mtu(const PacketWay &way) = 0;

	/* The link that packets with this mark leave by, of a socket bound to a link, or to none; nothing when there is no way. */
	virtual std::optional<std::string> way_to(const Endpoint &endpoint, std::uint32_t mark, const std::string &bound = {}) = 0;
	virtual std::vector<Rule> rules(std::uint16_t family) = 0;
	virtual void add_rule(const Rule &rule) = 0;
	virtual void delete_rule(const Rule &rule) = 0;
};

/* nftables. */
class Filter {
public:
	virtual ~Filter() = default;
	/* All of it, or nothing. */
	virtual void run(const std::string &commands) = 0;
	/* What `run` would make the table of anew; empty when there is no such table. Marks are in
	 * hexadecimal, priorities in numbers, counters left out. */
	virtual std::string list(const std::string &table) = 0;
	/* The same of all tables, without rules: their chains, and what these are hooked to. */
	virtual std::string chains() = 0;
};

struct DnsSettings {
	std::vector<std::string> servers, domains;
	/* The servers are asked for these domains and no others. */
	bool is_partial = false;

	bool operator==(const DnsSettings &) const = default;
};

/* The machine's DNS, whoever manages it: asked for an interface, all queries go to its servers. */
class Dns {
public:
	virtual ~Dns() = default;
	/* All of it, or nothing. */
	virtual void set(const std::string &interface, const DnsSettings &settings) = 0;
	virtual void unset(const std::string &interface) = 0;
	/* Whom questions go to that are about no link's own domain. Nothing when only resolv.conf says. */
	virtual std::optional<std::vector<std::string>> asked() = 0;
	/* What the interface has; nothing when that cannot be known. */
	virtual std::optional<DnsSettings> get(const std::string &interface) = 0;
	/* Set by `set`, for the interface as it is there now, and not unset since. */
	virtual bool is_ours(const std::string &interface) = 0;
	/* The servers the machine has from elsewhere: who is asked when the interface is gone. */
	virtual std::vector<std::string> others(const std::string &interface) = 0;
};

/* What has to be remembered of a link and nothing in it tells; of the link as it is there now, by a
 * keyword each. */
class Notes {
public:
	virtual ~Notes() = default;
	virtual std::optional<std::string> read(const std::string &interface, const std::string &keyword) = 0;
	/* Where there is no place for notes, there are none. */
	virtual void write(const std::string &interface, const std::string &keyword, const std::string &text) = 0;
	virtual void remove(const std::string &interface, const std::string &keyword) = 0;
};

class Shell {
public:
	virtual ~Shell() = default;
	/* With these variables besides. What the command is, no other user can see. Returns the exit status:
	 * 128 and the signal's number when one ended it. */
	virtual int run(const std::string &command, const std::map<std::string, std::string> &variables) = 0;
	/* The same with a program found by PATH; 127 when there is none. */
	virtual int run_program(const std::vector<std::string> &arguments) = 0;
	/* The beginning of a command line that runs this program as root; empty for root. */
	virtual std::vector<std::string> sudo() = 0;
	/* From now on, a signal that would end the program is only remembered. Returns whether that was so before. */
	virtual bool hold_signals() = 0;
	/* From now on, one ends it again; one that came before is still remembered. */
	virtual void release_signals() = 0;
	virtual bool is_interrupted() = 0;
};

class Namespaces {
public:
	virtual ~Namespaces() = default;
	virtual Namespace current() = 0;
	/* The path of a namespace's file. */
	virtual Namespace open(const std::string &path) = 0;
	/* A new one, which dies with its handle and processes; the program stays where it is. Whoever may
	 * not make one gets one that belongs to a user namespace of its own: once the program has entered
	 * it, it cannot go back. */
	virtual Namespace create() = 0;
	virtual void enter(const Namespace &where) = 0;
	/* Runs a program in the namespace the program is in, and waits for it. It sees `resolv_conf`, if
	 * there is one, as its /etc/resolv.conf, and cannot ask the machine's own DNS services. Returns
	 * the exit status, as Shell. */
	virtual int run(std::span<const std::string_view> command, const std::optional<std::string> &resolv_conf) = 0;
};

/* Files that are looked at or written; reading is Files (outside.h). */
class Store {
public:
	virtual ~Store() = default;
	virtual bool exists(const std::string &path) = 0;
	/* Whether it does, one may not look. */
	virtual bool is_hidden(const std::string &path) = 0;
	/* Anybody may read, write or run it: the file and its folder both let them. */
	virtual bool is_open_to_the_world(const std::string &path) = 0;
	/* The whole file in one step, or not at all; a file that was there lends its owner and mode, a
	 * new one gets `mode`. */
	virtual void replace(const std::string &path, std::string_view text, unsigned mode) = 0;
	/* A new file, as a whole or not at all; fails when the name is taken, whoever was faster. */
	virtual void create(const std::string &path, std::string_view text, unsigned mode) = 0;
	/* Waits until nobody else has it; held until the handle goes, and so is what replaces it meanwhile. For changing a file that was read. */
	virtual std::shared_ptr<void> lock(const std::string &path) = 0;
	/* Into a file of /proc. */
	virtual void overwrite(const std::string &path, std::string_view text) = 0;
	virtual void rename(const std::string &from, const std::string &to) = 0;
	virtual void remove(const std::string &path) = 0;
	/* Fine when it is there. Returns whether it was made. */
	virtual bool make_folder(const std::string &path, unsigned mode) = 0;
};

/* A terminal as one page that is painted again and again; keys come without Enter. */
class Screen {
public:
	struct Size {
		std::size_t rows = 24, columns = 80;
	};
	/* `quit` is Ctrl-C, or any other end of the program that is asked for. */
	enum class Event { time, key, resized, quit };

	virtual ~Screen() = default;
	virtual void open() = 0;
	/* Gives the terminal back as it was. */
	virtual void close() = 0;
	virtual Size size() = 0;
	/* Lines end in a newline; those beyond the size are not seen. */
	virtual void paint(std::string_view page) = 0;
	/* What comes first; `time` after so many milliseconds. */
	virtual Event wait(std::int64_t milliseconds, char &key) = 0;
};

struct WebPage {
	std::string content_type, body;
};

/* Answers HTTP at one place, one page. */
class WebServer {
public:
	virtual ~WebServer() = default;
	/* At unix:PATH or a loopback ADDRESS:PORT, until the program is asked to end. Tells the service manager,
	 * if there is one, once it listens. `page` is called for each request; its Failure becomes the answer. */
	virtual void serve(const std::string &place, const std::string &path, const std::function<WebPage()> &page) = 0;
};

/* A question to the path to an endpoint, and what came of it. */
struct PathProbe {
	Endpoint endpoint;
	/* The size to begin with. */
	std::uint32_t largest = 0;
	/* What the routers on the path let through; those that say nothing are not noticed. */
	std::optional<std::uint32_t> mtu;
	/* The other side says that nobody listens there. */
	bool is_refused = false;
	/* This machine's own filter lets nothing out to there. */
	bool is_forbidden = false;
};

/* A question to an address inside a tunnel, and what came of it. */
struct EchoProbe {
	Endpoint inside;
	/* Of the packets, with their IP headers. */
	std::vector<std::uint32_t> sizes;
	/* The largest that came back; nothing when none did. */
	std::optional<std::uint32_t> answered;
	/* From a request to its answer, of the first that came back. */
	std::optional<std::int64_t> microseconds = {};
};

/* The network between here and the peers; nothing is changed. */
class Lookout {
public:
	/* `network`: an address or a route has changed. `besides`: that descriptor can be read. `quit`: the program is asked to end. */
	enum class Event { time, network, besides, quit };

	virtual ~Lookout() = default;
	/* Every answer for a name or number and a port, in the system's order; none when there is none. */
	virtual std::vector<Endpoint> addresses_of(const std::string &host, const std::string &port) = 0;
	/* The same of a name, as one of these servers knows it, asked with packets of this mark; after 3 s at the latest. */
	virtual std::vector<Endpoint> ask(const std::vector<std::string> &servers, std::uint32_t mark, const std::string &host,
					  const std::string &port) = 0;
	/* Sends a few packets with this mark to each endpoint, which WireGuard ignores. Takes 2 s for each
	 * 256 of them. */
	virtual void probe(std::vector<PathProbe> &probes, std::uint32_t mark) = 0;
	/* Sends echo requests (ICMP) of each size into a link, up to three times. Ends when all the largest
	 * have come back, after 1.5 s at the latest. Without CAP_NET_RAW, nothing does. */
	virtual void echo(const std::string &link, std::vector<EchoProbe> &probes) = 0;
	/* Sends a packet of one byte into a link, so that a tunnel makes itself a session. Returns 0 or errno. */
	virtual int knock(const std::string &link, const Endpoint &inside) = 0;
	/* What comes first; `time` after so many milliseconds. The first call tells the service manager, if
	 * there is one, that the program is at work. Between calls a request to end is obeyed at once: looking
	 * up names may take minutes. */
	virtual Event wait(std::int64_t milliseconds, int besides = -1) = 0;
	/* Lines that have come into the kernel's log since the first call, which may throw Failure. */
	virtual std::vector<std::string> kernel_lines() = 0;
	/* Can be read when there are some; after the first call. */
	virtual int kernel_log() = 0;
};

struct Host {
	Network &network;
	Filter &filter;
	Dns &dns;
	Notes &notes;
	Shell &shell;
	Namespaces &namespaces;
	Store &store;
	Screen &screen;
	WebServer &web;
	Lookout &lookout;
};

}
