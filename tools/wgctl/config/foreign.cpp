// SPDX-License-Identifier: GPL-2.0
#include "config/foreign.h"

#include <algorithm>

#include "config/config.h"
#include "config/peer_names.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view DRAFT = "draft";

/* One of these in a key or a title: it may say where traffic goes. */
constexpr std::string_view WAYS[]{"oute", "outing", "ateway", "DHCP", "VRF", "NextHop", "master", "controller", "AddressPeer"};

bool is_about_ways(std::string_view text)
{
	return std::any_of(std::begin(WAYS), std::end(WAYS), [=](std::string_view word) { return text.find(word) != text.npos; });
}

/* The kernel makes one itself, to the network of an address. */
bool has_route(const QuickConfig &config, const Prefix &net)
{
	return std::any_of(config.addresses.begin(), config.addresses.end(), [&](const Address &address) { return reaches(address.prefix, net); });
}

/* NetworkManager has ; between them. */
std::vector<std::string> items_of(std::string_view list)
{
	std::string text(list);

	std::replace(text.begin(), text.end(), ';', ',');
	return list_items(text);
}

}

bool ForeignValue::is_of(std::string_view name) const
{
	return std::string_view(key).substr(0, key.find_last_not_of("0123456789") + 1) == name;
}

ForeignValue ForeignSection::take(std::string_view key, std::initializer_list<std::string_view> only)
{
	ForeignValue last;

	for (ForeignValue &value : values)
		if (value.key == key && (only.size() == 0 || std::find(only.begin(), only.end(), std::string_view(value.value)) != only.end())) {
			value.is_taken = true;
			last = value;
		}
	return last;
}

ForeignValue ForeignSection::take_list(std::string_view key)
{
	ForeignValue list;

	for (ForeignValue &value : values) {
		if (!value.is_of(key))
			continue;
		value.is_taken = true;
		if (list.value.empty() || value.value.empty())
			list = {value.key, {}, value.at};
		for (const std::string &item : items_of(value.value))
			list.value.append(list.value.empty() ? "" : ", ").append(item);
	}
	return list;
}

ForeignFile::ForeignFile(const std::string &file, std::span<const std::string_view> repeated, Files &files) : path(file)
{
	Text text = read_config_file(path, files);
	ForeignSection *current = nullptr;
	std::size_t number = 0;

	for_each_line(text, [&](std::string_view line) {
		std::string at = path + ":" + std::to_string(++number) + ": ";
		std::size_t equals = line.find('=');
		line = trimmed(line);
		if (std::optional<std::string> name = name_in_comment(line); name && current)
			current->name = *name;
		if (line.empty() || line[0] == '#' || line[0] == ';')
			return;
		if (line[0] == '[' && line.ends_with(']')) {
			line = line.substr(1, line.size() - 2);
			current = is_one_of(line, repeated) ? &sections.emplace_back() : &section(line);
			current->title = line;
			return;
		}
		if (equals == line.npos || !current)
			throw Failure{at + "neither a section nor, in one, key=value"};
		if (line.ends_with('\\'))
			throw Failure{at + "this goes on in the next line: write it in one"};
		equals = line.find('=');
		current->values.push_back({std::string(trimmed(line.substr(0, equals))), Text(trimmed(line.substr(equals + 1))), at});
	});
}

ForeignSection &ForeignFile::section(std::string_view title)
{
	auto found = std::find_if(sections.begin(), sections.end(), [=](const ForeignSection &section) { return section.title == title; });

	return found == sections.end() ? sections.emplace_back() : *found;
}

void ForeignFile::tell_left(Terminal &terminal) const
{
	for (const ForeignSection &section : sections)
		for (const ForeignValue &value : section.values) {
			std::string what = value.at + printable("[" + section.title + "] " + value.key);
			if (!value.is_taken && is_about_ways(section.title + value.key))
				throw Failure{what + " may say where traffic goes, and has no counterpart"};
			if (!value.is_taken)
				terminal.write(Stream::err, "Warning: " + harmless(what) + " has no counterpart: left out\n");
		}
}

Ways ways_of(const QuickConfig &config, const Device &device)
{
	std::uint32_t mark = device.fwmark.value_or(0);
	Ways ways;

	for (const Peer &peer : device.peers)
		for (const Prefix &ip : peer.allowed_ips) {
			Prefix net = network_of(ip);
			if (config.routing == Routing::off)
				continue;
			bool is_by_mark = is_default_route(net) && config.routing == Routing::automatic;
			if (is_by_mark)
				ways.rules[net.family] = {RULE_OF_MAIN, rule_of_unmarked(mark)};
			if (config.routing == Routing::numbered || is_by_mark)
				ways.routes.insert({net, is_by_mark ? mark : config.table});
			else if (!has_route(config, net))
				ways.routes.insert({net, MAIN_TABLE});
		}
	return ways;
}

void Draft::put(std::string_view key, const ForeignValue &value)
{
	/* A comment, or the end, in the other file alone. */
	if (value.value.find_first_of(std::string_view("#\0", 2)) != value.value.npos)
		throw Failure{value.at + std::string(key) + ": what stands behind a # has no counterpart"};
	if (!value.value.empty())
		(peers_.empty() ? head_ : peers_).push_back({Text(key).append(" = ").append(value.value), value.at});
}

void Draft::begin_peer(const std::string &name)
{
	peers_.push_back({"", ""});
	peers_.push_back({"[Peer]", ""});
	if (!name.empty())
		peers_.push_back({Text("# Name = ").append(name), ""});
}

void Draft::put_dns(const ForeignValue &servers, const ForeignValue &domains, Terminal &terminal)
{
	std::vector<std::string> others = list_items(domains.value);
	ForeignValue all{servers.key, {}, servers.value.empty() ? domains.at : servers.at};

	/* networkd's ADDRESS#NAME is for DNS over TLS. */
	for (const std::string &server : list_items(servers.value))
		all.value.append(all.value.empty() ? "" : ", ").append(server.substr(0, server.find('#')));
	if (servers.value.find('#') != servers.value.npos)
		terminal.write(Stream::err, "Warning: " + harmless(servers.at) + "names for DNS over TLS, behind a #, have no counterpart: left out\n");
	if (!servers.value.empty() && std::erase(others, "~.") + std::erase(others, "~") == 0)
		terminal.write(Stream::err, "Warning: " + harmless(servers.at) + "these servers are asked for all names from now on\n");
	/* Both IP versions may have the same. */
	for (auto domain = others.begin(); domain != others.end(); ++domain)
		if (std::find(others.begin(), domain, *domain) == domain)
			all.value.append(all.value.empty() ? "" : ", ").append(*domain);
	put("DNS", all);
}

std::vector<Draft::Line> Draft::lines(std::string_view table) const
{
	std::vector<Line> all{{"[Interface]", ""}};

	all.insert(all.end(), head_.begin(), head_.end());
	if (!table.empty())
		all.push_back({Text("Table = ").append(table), ""});
	all.insert(all.end(), peers_.begin(), peers_.end());
	return all;
}

Draft::Read Draft::read(std::string_view table, World &world) const
{
	std::vector<Line> all = lines(table);
	Read result;

	result.config.interface = interface_;
	result.config.path = DRAFT;
	for (const Line &line : all)
		result.config.text.append(line.text).append("\n");
	try {
		parse_quick_text(result.config, world.files);
		result.device = parse_without_lookup(result.config, world);
	} catch (const Failure &failure) {
		/* "draft:LINE: TEXT" */
		std::string_view text = failure.text;
		std::size_t begin = text.find(':') + 1, end = text.find(": ");
		std::size_t number = parse_number<std::size_t>(text.substr(begin, end - begin)).value_or(0);
		if (!text.starts_with(DRAFT) || !number)
			throw;
		throw Failure{all.at(number - 1).at + std::string(text.substr(end + 2))};
	}
	return result;
}

Text Draft::finish(const Ways &ways, World &world) const
{
	std::vector<std::string> tables{"", "off"};

	if (!ways.routes.empty())
		tables.push_back(std::to_string(ways.routes.begin()->table));
	for (const std::string &table : tables) {
		Read with = read(table, world);
		Ways others = ways;
		std::erase_if(others.routes, [&](const Route &route) {
			return with.config.routing != Routing::numbered && route.table == MAIN_TABLE && has_route(with.config, route.destination);
		});
		if (ways_of(with.config, with.device) == others)
			return with.config.text;
	}
	throw Failure{interface_ + ": its routes and rules are not what `up' makes of AllowedIPs with any Table: traffic would go another way"};
}

void put_value(Text &text, std::string_view key, std::string_view value)
{
	if (!value.empty())
		text.append(key).append("=").append(value).append("\n");
}

Text key_or_nothing(const std::optional<Key> &key)
{
	return key && !key->is_zero() ? to_base64(*key) : Text();
}

std::string joined(const std::vector<std::string> &items, std::string_view separator)
{
	std::string text;

	for (const std::string &item : items)
		text.append(item).append(separator);
	return text;
}

std::vector<std::string> domains_of(const QuickConfig &config)
{
	std::vector<std::string> domains = config.dns_domains;

	if (!config.dns_servers.empty() && !contains(domains, std::string("~.")))
		domains.push_back("~.");
	return domains;
}

Text endpoint_text(const Peer &peer)
{
	return peer.endpoint ? format_endpoint(*peer.endpoint) : Text(peer.endpoint_name);
}

}
