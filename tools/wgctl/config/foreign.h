// SPDX-License-Identifier: GPL-2.0
/* Tunnels in the files of other programs (networkd.h, network_manager.h): what their two ways have in common.
 *
 * Such a file has sections, [Title], of key=value. Who reads one takes the values it understands; each that
 * nobody took is told, and refused where it may say which way traffic goes. That is compared as a whole (Ways):
 * a file is translated so that all goes where it went, or not at all. Every message names file and line.
 */
#pragma once

#include <initializer_list>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/quick_config.h"
#include "model/machine.h"

namespace wgctl {

struct ForeignValue {
	std::string key;
	Text value;
	/* "PATH:LINE: " */
	std::string at;
	bool is_taken = false;

	/* Its key, perhaps with a number behind it. */
	bool is_of(std::string_view name) const;
};

struct ForeignSection {
	std::string title;
	/* The comment `# Name = ` in it. */
	std::string name;
	std::vector<ForeignValue> values;

	/* The last of its key, when there are such, one of these; else an empty one. */
	ForeignValue take(std::string_view key, std::initializer_list<std::string_view> only = {});
	/* All of its key, also with a number behind it, as one list between commas; an empty one takes those before it back. */
	ForeignValue take_list(std::string_view key);
};

struct ForeignFile {
	/* Throws Failure. A section that comes twice is one, but for the titles in `repeated`. */
	ForeignFile(const std::string &path, std::span<const std::string_view> repeated, Files &files);
	/* Empty when there is none. */
	ForeignSection &section(std::string_view title);
	/* What was not taken. Throws Failure for what may say where traffic goes. */
	void tell_left(Terminal &terminal) const;

	std::string path;
	std::list<ForeignSection> sections;
};

/* What `parse` makes of it; its failure is told with the place. */
template<class Parse>
auto parsed(const ForeignValue &value, Parse parse)
{
	try {
		return parse(std::string_view(value.value));
	} catch (const Failure &failure) {
		throw Failure{value.at + value.key + ": " + failure.text};
	}
}

/* Which way traffic goes, but for what the kernel does by itself for addresses. */
struct Ways {
	std::set<Route> routes;
	/* Before that of the main table, in their order, by family. */
	std::map<std::uint16_t, std::vector<std::string>> rules;

	bool operator==(const Ways &) const = default;
};
constexpr const char *RULE_OF_MAIN = "the main table, but not its default routes";
inline std::string rule_of_unmarked(std::uint32_t mark)
{
	return "without mark " + std::to_string(mark) + ", the table of that number";
}
/* Those of `up`. */
Ways ways_of(const QuickConfig &config, const Device &device);

/* A file of wg-quick's in the making. */
class Draft {
public:
	explicit Draft(std::string interface) : interface_(std::move(interface)) {}

	/* Of [Interface], or of the peer begun last. An empty value is none. */
	void put(std::string_view key, const ForeignValue &value);
	void begin_peer(const std::string &name);
	/* Servers that are not asked for all names from now on are. */
	void put_dns(const ForeignValue &servers, const ForeignValue &domains, Terminal &terminal);

	struct Read {
		QuickConfig config;
		Device device;
	};
	/* With this Table. */
	Read read(std::string_view table, World &world) const;
	/* With the Table that has these ways. Throws Failure when none has. */
	Text finish(const Ways &ways, World &world) const;

private:
	struct Line {
		Text text;
		std::string at;
	};
	std::vector<Line> lines(std::string_view table) const;

	std::string interface_;
	std::vector<Line> head_, peers_;
};

/* What comes of a file: of which interface, and the text of its own. */
struct Imported {
	std::string interface;
	Text text;
};
struct Exported {
	std::string name;
	Text text;
	unsigned mode;
	/* Who is to read it besides; empty when nobody is. */
	std::string group;
};

/* "KEY=VALUE", or nothing without a value. */
void put_value(Text &text, std::string_view key, std::string_view value);
/* Decimal, or nothing for 0. */
template<class T>
std::string number_or_nothing(const std::optional<T> &number)
{
	return number.value_or(0) ? std::to_string(*number) : "";
}
Text key_or_nothing(const std::optional<Key> &key);
/* Between and behind them. */
std::string joined(const std::vector<std::string> &items, std::string_view separator);
/* With "~." for servers, which are to be asked for all names. */
std::vector<std::string> domains_of(const QuickConfig &config);
Text endpoint_text(const Peer &peer);

}
