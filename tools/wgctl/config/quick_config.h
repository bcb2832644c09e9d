// SPDX-License-Identifier: GPL-2.0
/* The file of `up`, `down`, `save`, `strip` and `exec`: what wg-quick(8) adds to the format of wg(8).
 *
 * The additions stand in [Interface]; they are read here. All else is left, in its lines, to
 * config.h. Every error names the file and line.
 */
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/outside.h"
#include "model/policy.h"
#include "model/values.h"

namespace wgctl {

/* What the keys MTU, Table, ... ask for; with the line, for errors that show later. */
struct Address {
	Prefix prefix;
	std::size_t line = 0;
};

struct Hook {
	/* %i is already the interface's name. */
	std::string command;
	std::string_view key;
	std::size_t line = 0;
};

/* Until when a peer is let in: the comment `# Expires = ` in its section. */
struct Expiry {
	/* Seconds, wall clock. */
	std::int64_t time = 0;
	std::size_t line = 0;
};

enum class Routing {
	/* The main table, default routes by mark and a table of their own. */
	automatic,
	off,
	/* All of them in `table`. */
	numbered
};

struct QuickConfig {
	std::string interface, path;
	/* The file as it is, and what remains of it for parse_config: the same lines, some of them empty. */
	Text text, plain_text;

	std::vector<Address> addresses;
	std::vector<std::string> dns_servers, dns_domains;
	std::size_t dns_line = 0;
	std::optional<std::uint32_t> mtu;
	std::size_t mtu_line = 0;
	Routing routing = Routing::automatic;
	std::uint32_t table = 0;
	std::vector<Hook> pre_up, post_up, pre_down, post_down;
	bool save = false;
	/* Nothing leaves but by the tunnel, and to these networks. */
	bool kill_switch = false;
	std::vector<Prefix> kill_switch_except;
	/* Packets are passed on between the tunnel and the rest; and with this machine's address, to the rest. */
	bool forward = false, masquerade = false;
	std::size_t masquerade_line = 0;
	std::map<Key, Expiry> expiries;
	/* What only our module can. */
	Binding binding;
	std::map<Key, PeerPolicy> policies;

	/* INTERFACE.WHAT in the same folder. */
	std::string beside(const std::string &what) const;
	bool forwards() const { return forward || masquerade; }
	bool has_dns() const { return !dns_servers.empty() || !dns_domains.empty(); }
	/* `now`: wall clock, seconds. */
	bool is_expired(const Key &peer, std::int64_t now) const
	{
		auto found = expiries.find(peer);
		return found != expiries.end() && now >= found->second.time;
	}
	/* As a command line has it. */
	std::string argument() const;
	std::string at(std::size_t line) const { return path + ":" + std::to_string(line) + ": "; }
};

/* `argument` is an interface, whose file is in /etc/wireguard, or the path of NAME.conf. Warns when
 * everybody has access to the file. */
QuickConfig read_quick_config(std::string_view argument, World &world);
/* Which file would be that, where there is none; throws Failure when there is one, or one may not look. `config` gets
 * path and interface. */
void find_new_quick_file(std::string_view argument, QuickConfig &config, World &world);
/* Which file that is. */
std::string find_quick_file(std::string_view argument, World &world);
/* The same, but the file is not looked into. */
Text read_quick_text(std::string_view argument, World &world);
/* Fills in the rest of `config` from its path, interface and text. */
void parse_quick_text(QuickConfig &config, Files &files);

/* Without the additions: what `wg setconf` understands, comments and all. */
Text strip_quick_keys(std::string_view text);

/* A line of a configuration file taken apart, for those that edit it. */
struct ConfigLine {
	enum class Kind { other, section, value };
	Kind kind = Kind::other;
	/* The section's title with its brackets, or the key; without blanks. */
	std::string_view name;
	/* Without blanks around it. */
	std::string_view value;
	/* From its # on, blanks before it included; the end of the line is not part of it. A NUL starts one, too. */
	std::string_view comment;

	/* As wg(8) reads names: neither case nor blanks matter, not even those within. */
	bool is_section(std::string_view title) const;
	bool is_value(std::string_view key) const;
};
ConfigLine read_config_line(std::string_view line);

/* Comments right above a section's title are about that section, not the one they still stand in. */
bool is_comment(std::string_view line);

/* A peer that is disabled stays in the file, each line of it behind this. To all who read files these are comments. */
constexpr std::string_view DISABLED = "#[disabled] ";
/* What the line would say, were it not disabled; nothing when it is not. */
std::optional<std::string_view> disabled_line(std::string_view line);

/* What wg-quick adds to [Interface]; is `key` one of them? */
std::span<const std::string_view> quick_keys();
bool is_quick_key(std::string_view key);

/* A name, a decimal or hexadecimal number; the names of /etc/iproute2/rt_tables are known. */
std::uint32_t parse_table(std::string_view text, Files &files);

/* Of DNS, for search; ~ before it, or ~. alone, is systemd-resolved's. */
bool is_search_domain(std::string_view text);

/* The WireGuard part, without asking for the addresses of host names: for looking at a file before
 * anything is done. Each peer is there once, those that have expired not at all. Throws Failure when
 * something is wrong with it. */
Device parse_without_lookup(const QuickConfig &config, World &world);
/* The same with those that have expired. */
Device parse_with_expired(const QuickConfig &config, World &world);

}
