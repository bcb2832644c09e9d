// SPDX-License-Identifier: GPL-2.0
#include "config/merge.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "config/config.h"
#include "model/values.h"

namespace wgctl {

namespace {

using Lines = std::vector<Text>;
/* Does the text in the file mean what the interface has? May throw, which is a no. */
using IsSame = std::function<bool(std::string_view value)>;

bool holds(const IsSame &is_same, std::string_view value)
{
	try {
		return is_same(value);
	} catch (const Failure &) {
		return false;
	}
}

/* A section of the file with the comments right above its title, and whether it stays. */
struct Block {
	enum class Kind { head, interface, peer, other };
	Kind kind = Kind::head;
	Lines lines;
	Key public_key;
	bool is_gone = false;
};

Block::Kind kind_of(const ConfigLine &title)
{
	if (title.is_section("[Interface]"))
		return Block::Kind::interface;
	return title.is_section("[Peer]") ? Block::Kind::peer : Block::Kind::other;
}

std::vector<Block> split(std::string_view text)
{
	std::vector<Block> sections(1);

	for_each_line(text, [&](std::string_view raw) {
		/* A disabled peer is a section that stays, whatever becomes of the one above. */
		std::optional<std::string_view> disabled = disabled_line(raw);
		ConfigLine line = read_config_line(disabled.value_or(raw));
		if (line.kind == ConfigLine::Kind::section) {
			Block next;
			Lines &before = sections.back().lines;
			next.kind = disabled ? Block::Kind::other : kind_of(line);
			auto comments = std::find_if(before.rbegin(), before.rend(), [&](const Text &l) {
				return !is_comment(l) || disabled_line(l).has_value() != disabled.has_value();
			}).base();
			next.lines.assign(std::make_move_iterator(comments), std::make_move_iterator(before.end()));
			before.erase(comments, before.end());
			sections.push_back(std::move(next));
		} else if (sections.back().kind == Block::Kind::peer && !disabled && line.is_value("PublicKey")) {
			sections.back().public_key = parse_key(without_blanks(line.value));
		}
		sections.back().lines.emplace_back(raw);
	});
	return sections;
}

std::string_view value_of(const Text &raw)
{
	return read_config_line(raw).value;
}

void replace_value(Text &raw, std::string_view value)
{
	ConfigLine line = read_config_line(raw);
	std::size_t start = raw.find('=') + 1;

	while (start < raw.size() && (raw[start] == ' ' || raw[start] == '\t'))
		++start;
	Text edited(raw.substr(0, start));
	edited.append(value).append(line.comment);
	raw = std::move(edited);
}

/* What counts as one section: a file may have [Interface], or a peer, several times. */
using Parts = std::vector<Block *>;

std::vector<Text *> lines_with(const Parts &parts, std::string_view key)
{
	std::vector<Text *> lines;

	for (Block *part : parts)
		for (Text &raw : part->lines)
			if (read_config_line(raw).is_value(key))
				lines.push_back(&raw);
	return lines;
}

template<class Condition>
void erase_lines(const Parts &parts, Condition condition)
{
	for (Block *part : parts)
		std::erase_if(part->lines, condition);
}

/* Behind the first part's last line that says something. */
void add_value(const Parts &parts, std::string_view key, std::string_view value)
{
	Block &section = *parts.front();
	auto last = std::find_if(section.lines.rbegin(), section.lines.rend(),
				 [](const Text &raw) { return read_config_line(raw).kind != ConfigLine::Kind::other; });

	section.lines.insert(last.base(), Text(key).append(" = ").append(value));
}

/* One value that counts: of several, the last. */
void update(const Parts &parts, std::string_view key, const std::optional<Text> &wanted, const IsSame &is_same)
{
	std::vector<Text *> found = lines_with(parts, key);

	if (found.empty()) {
		if (wanted)
			add_value(parts, key, *wanted);
	} else if (holds(is_same, without_blanks(value_of(*found.back())))) {
		return;
	} else if (wanted) {
		replace_value(*found.back(), *wanted);
	} else {
		erase_lines(parts, [key](const Text &raw) { return read_config_line(raw).is_value(key); });
	}
}

/* A key whose value is a list of prefixes. */
struct ListKey {
	std::string_view name;
	std::vector<std::string> (*items_of)(std::string_view value);
	Prefix (*parse)(std::string_view item);
};

const ListKey ADDRESS{"Address", list_items, parse_address};
/* wg(8)'s way: commas separate, blanks do not matter. Address is wg-quick(8)'s. */
const ListKey ALLOWED_IPS{"AllowedIPs", [](std::string_view value) { return list_items(without_blanks(value)); }, [](std::string_view item) { return network_of(parse_address(item)); }};

std::set<Prefix> prefixes_in(Block &section, const ListKey &key)
{
	std::set<Prefix> prefixes;

	for (const Text *raw : lines_with({&section}, key.name))
		for (const std::string &item : key.items_of(value_of(*raw)))
			prefixes.insert(key.parse(item));
	return prefixes;
}

/* A list over any number of lines: items that are not wanted go, missing ones are added, each
 * line of the file keeps what it had of the rest. */
void update_list(const Parts &parts, const ListKey &key, const std::vector<Prefix> &wanted)
{
	std::set<Prefix> missing(wanted.begin(), wanted.end());
	std::vector<Text *> lines = lines_with(parts, key.name);
	Text *last = lines.empty() ? nullptr : lines.back();
	std::set<const Text *> emptied;

	for (Text *raw : lines) {
		std::string kept;
		bool is_whole = true;
		for (const std::string &item : key.items_of(value_of(*raw))) {
			Prefix prefix = key.parse(item);
			if (missing.erase(prefix))
				kept += (kept.empty() ? "" : ", ") + item;
			else
				is_whole = false;
		}
		if (!is_whole)
			replace_value(*raw, kept);
		if (!is_whole && kept.empty())
			emptied.insert(raw);
	}
	std::string added;
	for (const Prefix &prefix : wanted)
		if (missing.erase(prefix))
			added += (added.empty() ? "" : ", ") + format_prefix(prefix);
	if (!added.empty() && last)
		replace_value(*last, std::string(value_of(*last)) + (value_of(*last).empty() ? "" : ", ") + added);
	else if (!added.empty())
		add_value(parts, key.name, added);
	/* A line that was empty before says what it said. */
	erase_lines(parts, [&](const Text &raw) { return emptied.contains(&raw) && value_of(raw).empty(); });
}

std::optional<Text> key_text(const std::optional<Key> &key)
{
	return key && !key->is_zero() ? std::optional(to_base64(*key)) : std::nullopt;
}

bool is_same_key(std::string_view value, const std::optional<Key> &key)
{
	return parse_key(value) == key.value_or(Key());
}

/* Host names stay, wherever they pointed: the file's author wants the name. */
bool keeps_endpoint(std::string_view value, const Peer &peer, World &world)
{
	std::string host(value.substr(0, value.rfind(':')));

	if (!peer.endpoint)
		return true;
	if (host.starts_with('[') && host.ends_with(']'))
		host = host.substr(1, host.size() - 2);
	host = host.substr(0, host.find('%'));
	return !is_ip_address(host) || format_endpoint(parse_endpoint(value, world)) == format_endpoint(*peer.endpoint);
}

/* Of several sections the last one's list holds, even if it is empty. What the others say without effect
 * could take a prefix from the peer that has it. */
void update_allowed_ips(const Parts &parts, const Peer &peer)
{
	for (Block *part : parts) {
		std::vector<Prefix> wanted = peer.allowed_ips;
		if (part != parts.back()) {
			std::set<Prefix> said = prefixes_in(*part, ALLOWED_IPS);
			std::erase_if(wanted, [&](const Prefix &prefix) { return !said.contains(prefix); });
		}
		update_list({part}, ALLOWED_IPS, wanted);
	}
}

void update_peer(const Parts &parts, const Peer &peer, World &world)
{
	std::uint16_t keepalive = peer.persistent_keepalive.value_or(0);

	update(parts, "PresharedKey", key_text(peer.preshared_key),
	       [&](std::string_view value) { return is_same_key(value, peer.preshared_key); });
	update_allowed_ips(parts, peer);
	update(parts, "Endpoint", peer.endpoint ? std::optional(format_endpoint(*peer.endpoint)) : std::nullopt,
	       [&](std::string_view value) { return keeps_endpoint(value, peer, world); });
	update(parts, "PersistentKeepalive", keepalive ? std::optional(Text(std::to_string(keepalive))) : std::nullopt,
	       [&](std::string_view value) { return parse_keepalive(value) == keepalive; });
}

/* A mark that `up` chose for a default route is chosen anew each time. */
bool is_chosen_mark(const QuickConfig &config, const Device &device)
{
	return config.routing == Routing::automatic && any_default_route(device.peers);
}

void update_interface(const Parts &parts, const QuickConfig &config, const Device &device, const LinkState &link, World &world)
{
	std::uint16_t port = device.listen_port.value_or(0);
	std::uint32_t mark = device.fwmark.value_or(0);
	auto is_there = [&](std::string_view key) { return !lines_with(parts, key).empty(); };

	update(parts, "PrivateKey", key_text(device.private_key),
	       [&](std::string_view value) { return is_same_key(value, device.private_key); });
	update(parts, "ListenPort", port ? std::optional(Text(std::to_string(port))) : std::nullopt,
	       [&](std::string_view value) { return parse_port(value, world.resolver) == port; });
	if (is_there("FwMark") || !is_chosen_mark(config, device))
		update(parts, "FwMark", mark ? std::optional(Text(format_fwmark(mark))) : std::nullopt,
		       [&](std::string_view value) { return parse_fwmark(value) == mark; });
	update_list(parts, ADDRESS, link.addresses);
	if (is_there("MTU"))
		update(parts, "MTU", Text(std::to_string(link.mtu)),
		       [&](std::string_view value) { return parse_number<std::uint32_t>(value) == link.mtu; });
}

Block new_peer(const Peer &peer, World &world)
{
	Block section;

	section.kind = Block::Kind::peer;
	section.public_key = peer.public_key;
	section.lines = {Text("[Peer]"), Text("PublicKey = ").append(to_base64(peer.public_key))};
	update_peer({&section}, peer, world);
	return section;
}

}

Text merged_config(const QuickConfig &config, const Device &device, const LinkState &link, World &world)
{
	std::vector<Block> sections = split(config.text);
	bool has_interface = std::any_of(sections.begin(), sections.end(),
					 [](const Block &section) { return section.kind == Block::Kind::interface; });
	Parts interface;

	if (!has_interface) {
		Block &first = *sections.insert(sections.begin() + 1, Block());
		first.kind = Block::Kind::interface;
		first.lines = {Text("[Interface]")};
	}
	for (Block &section : sections)
		if (section.kind == Block::Kind::interface)
			interface.push_back(&section);
	update_interface(interface, config, device, link, world);

	std::map<Key, std::vector<std::size_t>> places;
	for (std::size_t i = 0; i < sections.size(); ++i) {
		if (sections[i].kind != Block::Kind::peer)
			continue;
		sections[i].is_gone = !config.is_expired(sections[i].public_key, world.clock.now());
		places[sections[i].public_key].push_back(i);
	}
	for (const Peer &peer : device.peers) {
		Parts parts;
		for (std::size_t i : places[peer.public_key]) {
			sections[i].is_gone = false;
			parts.push_back(&sections[i]);
		}
		if (!parts.empty()) {
			update_peer(parts, peer, world);
			continue;
		}
		if (Lines &last = sections.back().lines; !last.empty() && !trimmed(last.back()).empty())
			sections.back().lines.emplace_back();
		sections.push_back(new_peer(peer, world));
	}
	Text text;
	for (const Block &section : sections)
		if (!section.is_gone)
			for (const Text &line : section.lines)
				text.append(line).append("\n");
	return text;
}

void save_config(const QuickConfig &config, World &world)
{
	const std::string &name = config.interface;
	std::shared_ptr<void> lock = world.host.store.lock(config.path);
	QuickConfig present;

	present.interface = name;
	present.path = config.path;
	present.text = read_config_file(config.path, world.files);
	parse_quick_text(present, world.files);
	Device device = step("read interface " + in_quotes(name), [&] { return world.devices.get(name); });
	LinkState link{world.host.network.addresses(name), world.host.network.mtu(name)};
	std::vector<Prefix> foreign = world.host.network.foreign_addresses(name);
	std::erase_if(link.addresses, [&](const Prefix &prefix) { return contains(foreign, prefix); });
	Text text = merged_config(present, device, link, world);
	if (text == present.text)
		return;
	/* From here on there may be a new file beside it. */
	world.host.shell.hold_signals();
	world.host.store.replace(config.path, text, 0600);
}

}
