// SPDX-License-Identifier: GPL-2.0
#include "config/edit.h"

#include <algorithm>

#include "config/quick_config.h"
#include "model/values.h"

namespace wgctl {

namespace {

/* Offsets into the text. */
struct Section {
	std::size_t begin = 0, end = 0;
	bool is_interface = false;
	std::optional<Key> key;
};

std::vector<Section> sections_of(std::string_view text)
{
	std::vector<Section> sections;
	/* Where the comments right above the present line begin. */
	std::size_t comments = 0, at = 0;

	for_each_line(text, [&](std::string_view raw) {
		ConfigLine line = read_config_line(raw);
		if (line.kind == ConfigLine::Kind::section) {
			/* Comments right above a title belong to it; an empty line leaves them to the section above. */
			if (!sections.empty())
				sections.back().end = comments;
			sections.push_back({comments, text.size(), line.is_section("[Interface]"), {}});
		} else if (!sections.empty() && line.is_value("PublicKey")) {
			sections.back().key = key_from_base64(without_blanks(line.value));
		}
		at = std::min(at + raw.size() + 1, text.size());
		if (!is_comment(raw))
			comments = at;
	});
	return sections;
}

/* Usually one: what they say together counts, the later before the earlier. */
std::vector<Section> find_sections(std::string_view text, const WhichSection &where)
{
	std::vector<Section> sections = sections_of(text);

	std::erase_if(sections, [&](const Section &s) { return where ? s.is_interface || s.key != where : !s.is_interface; });
	return sections;
}

void add_values(std::string_view text, const Section &section, std::string_view key, Spelled how, std::vector<std::string> &values)
{
	bool is_above = true;

	for_each_line(text.substr(section.begin, section.end - section.begin), [&](std::string_view raw) {
		ConfigLine line = read_config_line(raw);
		bool was_above = is_above;
		if (line.kind == ConfigLine::Kind::section)
			is_above = false;
		bool is_hidden = line.kind == ConfigLine::Kind::other && is_comment(raw) && !was_above;
		if (is_hidden)
			line = read_config_line(raw.substr(raw.find('#') + 1));
		if (line.is_value(key) && !line.value.empty() && (is_hidden || how == Spelled::either_way))
			values.emplace_back(line.value);
	});
}

}

PeerNames parse_peer_names(std::string_view text)
{
	PeerNames names;

	for (const Section &section : sections_of(text)) {
		/* In the comments right above the title, or before all else inside. */
		std::optional<std::string> above, inside;
		bool is_above = true;
		for_each_line(text.substr(section.begin, section.end - section.begin), [&](std::string_view raw) {
			is_above = is_above && read_config_line(raw).kind != ConfigLine::Kind::section;
			std::optional<std::string> &name = is_above ? above : inside;
			if (!name && is_comment(raw))
				name = name_in_comment(raw);
		});
		if (section.key && !section.is_interface && (inside || above))
			names[*section.key] = inside ? *inside : *above;
	}
	return names;
}

Text with_peer(std::string_view text, const std::string &name, const Peer &peer)
{
	Text result(text);

	if (!result.empty() && !result.ends_with('\n'))
		result += '\n';
	if (!result.empty() && !result.ends_with("\n\n"))
		result += '\n';
	result.append("[Peer]\n# Name = ").append(name).append("\nPublicKey = ").append(to_base64(peer.public_key)).append("\n");
	if (peer.preshared_key)
		result.append("PresharedKey = ").append(to_base64(*peer.preshared_key)).append("\n");
	if (!peer.allowed_ips.empty())
		result.append("AllowedIPs = ").append(format_prefixes(peer.allowed_ips)).append("\n");
	return result;
}

Text without_peer(std::string_view text, const Key &key)
{
	Text result(text);

	for (std::vector<Section> sections; !(sections = find_sections(result, key)).empty();) {
		result.erase(sections[0].begin, sections[0].end - sections[0].begin);
		while (sections[0].begin == result.size() && result.ends_with("\n\n"))
			result.pop_back();
		sections[0].begin = std::min(sections[0].begin, result.size());
	}
	return result;
}

Text with_value(std::string_view text, const WhichSection &where, std::string_view key, std::string_view value)
{
	std::vector<Section> sections = find_sections(text, where);
	std::size_t behind = 0, length = 0, found = text.npos;

	if (sections.empty())
		throw Failure{where ? "there is no [Peer] with this key" : "there is no [Interface]"};
	for (const Section &section : sections) {
		std::size_t at = section.begin;
		for_each_line(text.substr(at, section.end - at), [&](std::string_view raw) {
			ConfigLine line = read_config_line(raw);
			if (line.is_value(key)) {
				/* read_config_line's views point into the text. */
				found = line.value.empty() ? at + raw.find('=') + 1 : static_cast<std::size_t>(line.value.data() - text.data());
				length = line.value.size();
			}
			at = std::min(at + raw.size() + 1, text.size());
			if (line.kind != ConfigLine::Kind::other)
				behind = at;
		});
	}
	Text result(text);
	if (found != text.npos)
		return result.replace(found, length, value);
	Text line = Text(text.substr(0, behind).ends_with('\n') ? "" : "\n").append(key).append(" = ").append(value).append("\n");
	return result.insert(behind, line);
}

Text with_public_key(std::string_view text, const Key &old, const Key &key)
{
	Text value = to_base64(key), result = with_value(text, old, "PublicKey", value);

	/* Each time it is the last section's, which then is no longer among them. */
	while (!(old == key) && !find_sections(result, old).empty())
		result = with_value(result, old, "PublicKey", value);
	return result;
}

std::vector<std::string> values_of(std::string_view text, const WhichSection &where, std::string_view key, Spelled how)
{
	std::vector<std::string> values;

	for (const Section &section : find_sections(text, where))
		add_values(text, section, key, how, values);
	return values;
}

std::map<Key, std::vector<std::string>> values_of_peers(std::string_view text, std::string_view key, Spelled how)
{
	std::map<Key, std::vector<std::string>> values;

	for (const Section &section : sections_of(text))
		if (!section.is_interface && section.key)
			add_values(text, section, key, how, values[*section.key]);
	return values;
}

std::size_t last_line_with(std::string_view text, const WhichSection &where, std::string_view key, const std::function<bool(std::string_view)> &fits)
{
	std::size_t found = text.size();

	for (const Section &section : find_sections(text, where)) {
		std::size_t at = section.begin;
		for_each_line(text.substr(at, section.end - at), [&](std::string_view raw) {
			ConfigLine line = read_config_line(raw);
			found = line.is_value(key) && fits(line.value) ? at : found;
			at += raw.size() + 1;
		});
	}
	return static_cast<std::size_t>(std::count(text.begin(), text.begin() + found, '\n')) + 1;
}

Key find_peer(std::string_view what, std::string_view text, const std::string &path)
{
	std::optional<Key> key = key_from_base64(what);
	std::vector<Key> found;

	if (key && !find_sections(text, key).empty())
		return *key;
	for (const auto &[peer, name] : parse_peer_names(text))
		if (name == what)
			found.push_back(peer);
	if (found.size() == 1)
		return found[0];
	if (found.empty())
		throw Failure{path + " has no peer of this name or key: " + in_quotes(what)};
	throw Failure{path + " has " + std::to_string(found.size()) + " peers named " + in_quotes(what) + "; give the public key"};
}

void check_new_name(std::string_view name, const PeerNames &names, const std::string &path)
{
	if (name_in_comment("# Name = " + std::string(name)) != std::string(name))
		throw Failure{"a name is text without control characters and blanks around it, not " + in_quotes(name)};
	if (key_from_base64(name))
		throw Failure{"a name must not look like a key: " + in_quotes(name)};
	for (const auto &[key, other] : names)
		if (other == name)
			throw Failure{path + " has a peer named " + in_quotes(name) + " already: " + std::string(to_base64(key))};
}

}
