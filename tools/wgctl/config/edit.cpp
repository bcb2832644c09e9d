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
	bool is_interface = false, is_disabled = false;
	std::optional<Key> key;
};

std::vector<Section> sections_of(std::string_view text)
{
	std::vector<Section> sections;
	/* Where the comments right above the present line begin. */
	std::size_t comments = 0, at = 0;
	bool was_disabled = false;

	for_each_line(text, [&](std::string_view raw) {
		std::optional<std::string_view> disabled = disabled_line(raw);
		std::string_view content = disabled.value_or(raw);
		ConfigLine line = read_config_line(content);
		/* A disabled section and one that is not have no comments in common. */
		if (disabled.has_value() != was_disabled)
			comments = at;
		was_disabled = disabled.has_value();
		if (line.kind == ConfigLine::Kind::section) {
			/* Comments right above a title belong to it; an empty line leaves them to the section above. */
			if (!sections.empty())
				sections.back().end = comments;
			sections.push_back({comments, text.size(), !disabled && line.is_section("[Interface]"), disabled.has_value(), {}});
		} else if (!sections.empty() && sections.back().is_disabled == disabled.has_value() && line.is_value("PublicKey")) {
			sections.back().key = key_from_base64(without_blanks(line.value));
		}
		at = std::min(at + raw.size() + 1, text.size());
		if (!is_comment(content))
			comments = at;
	});
	return sections;
}

/* Usually one: what they say together counts, the later before the earlier. */
std::vector<Section> find_sections(std::string_view text, const WhichSection &where)
{
	std::vector<Section> sections = sections_of(text);

	std::erase_if(sections, [&](const Section &s) { return s.is_disabled || (where ? s.is_interface || s.key != where : !s.is_interface); });
	return sections;
}

/* As find_sections(), where there must be one. */
std::vector<Section> get_sections(std::string_view text, const WhichSection &where)
{
	std::vector<Section> sections = find_sections(text, where);

	if (sections.empty())
		throw Failure{where ? "there is no [Peer] with this key" : "there is no [Interface]"};
	return sections;
}

/* Disabled or not. */
bool is_of(const Section &section, const Key &peer)
{
	return !section.is_interface && section.key == peer;
}

/* Each line of the sections as `change` makes it of the old one, which it may leave out. */
Text with_lines(std::string_view text, const std::function<bool(const Section &)> &is_wanted,
		const std::function<std::optional<Text>(std::string_view line)> &change)
{
	Text result;
	std::size_t copied = 0;

	for (const Section &section : sections_of(text)) {
		if (!is_wanted(section))
			continue;
		std::string_view part = text.substr(section.begin, section.end - section.begin);
		result.append(text.substr(copied, section.begin - copied));
		for_each_line(part, [&](std::string_view raw) {
			if (std::optional<Text> line = change(raw))
				result.append(*line).append("\n");
		});
		if (!part.ends_with('\n') && result.ends_with('\n'))
			result.pop_back();
		copied = section.end;
	}
	return result.append(text.substr(copied));
}

/* Behind the title of the last one. */
Text with_line(std::string_view text, const std::vector<Section> &sections, std::string_view line)
{
	Text result(text);
	std::size_t at = sections.back().begin, behind = at;

	for_each_line(text.substr(at, sections.back().end - at), [&](std::string_view raw) {
		at = std::min(at + raw.size() + 1, text.size());
		if (read_config_line(raw).kind == ConfigLine::Kind::section)
			behind = at;
	});
	return result.insert(behind, Text(text.substr(0, behind).ends_with('\n') ? "" : "\n").append(line).append("\n"));
}

/* What is behind the # of a comment, as if it were none. */
ConfigLine read_comment(std::string_view line)
{
	return is_comment(line) ? read_config_line(line.substr(line.find('#') + 1)) : ConfigLine();
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
			line = read_comment(raw);
		if (line.is_value(key) && !line.value.empty() && (is_hidden || how == Spelled::either_way))
			values.emplace_back(line.value);
	});
}

/* In the comments right above the title, or before all else inside; empty when there is none. */
std::string_view line_with_name(std::string_view text, const Section &section)
{
	std::string_view above, inside;
	bool is_above = true;

	for_each_line(text.substr(section.begin, section.end - section.begin), [&](std::string_view raw) {
		raw = section.is_disabled ? disabled_line(raw).value_or("") : raw;
		is_above = is_above && read_config_line(raw).kind != ConfigLine::Kind::section;
		std::string_view &line = is_above ? above : inside;
		if (line.empty() && is_comment(raw) && name_in_comment(raw))
			line = raw;
	});
	return inside.empty() ? above : inside;
}

}

PeerNames parse_peer_names(std::string_view text)
{
	PeerNames names;

	for (const Section &section : sections_of(text))
		if (std::string_view line = line_with_name(text, section); section.key && !section.is_interface && !line.empty())
			names[*section.key] = *name_in_comment(line);
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

	for (;;) {
		std::vector<Section> sections = sections_of(result);
		auto found = std::find_if(sections.begin(), sections.end(), [&](const Section &section) { return is_of(section, key); });
		if (found == sections.end())
			return result;
		result.erase(found->begin, found->end - found->begin);
		if (found->begin == result.size() && result.ends_with("\n\n"))
			result.pop_back();
	}
}

Text with_value(std::string_view text, const WhichSection &where, std::string_view key, std::string_view value)
{
	std::size_t behind = 0, length = 0, found = text.npos;

	for (const Section &section : get_sections(text, where)) {
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

Text with_only_value(std::string_view text, const Key &peer, std::string_view key, std::string_view value)
{
	std::size_t number = 0;
	auto is_value = [key](std::string_view line) { return read_config_line(line).is_value(key); };

	std::vector<Section> sections = get_sections(text, peer);
	for (const Section &section : sections)
		for_each_line(text.substr(section.begin, section.end - section.begin), [&](std::string_view line) { number += is_value(line); });
	if (!value.empty() && number <= 1 && sections.size() == 1)
		return with_value(text, peer, key, value);
	/* In the last section, where it counts, whichever key it is. */
	Text rest = with_lines(text, [&](const Section &section) { return !section.is_disabled && is_of(section, peer); },
			       [&](std::string_view line) { return is_value(line) ? std::nullopt : std::optional(Text(line)); });
	return value.empty() ? rest : with_value(rest, peer, key, value);
}

Text with_only_comment(std::string_view text, const Key &peer, std::string_view key, std::string_view value)
{
	get_sections(text, peer);
	Text rest = with_lines(text, [&](const Section &section) { return !section.is_disabled && is_of(section, peer); },
			       [&](std::string_view line) { return read_comment(line).is_value(key) ? std::nullopt : std::optional(Text(line)); });
	return value.empty() ? rest : with_line(rest, find_sections(rest, peer), Text("# ").append(key).append(" = ").append(value));
}

Text with_name(std::string_view text, const Key &peer, std::string_view name)
{
	std::vector<Section> sections = get_sections(text, peer);
	std::string_view line;

	/* Of several sections, the last with a name counts. */
	for (const Section &section : sections)
		if (std::string_view found = line_with_name(text, section); !found.empty())
			line = found;
	if (line.empty())
		return with_line(text, sections, Text("# Name = ").append(name));
	std::string_view value = trimmed(line.substr(line.find('=') + 1));
	Text result(text);
	return result.replace(value.data() - text.data(), value.size(), name);
}

Text with_disabled(std::string_view text, const Key &peer)
{
	get_sections(text, peer);
	return with_lines(text, [&](const Section &section) { return !section.is_disabled && is_of(section, peer); },
			  [](std::string_view line) { return trimmed(line).empty() ? Text(line) : Text(DISABLED).append(line); });
}

Text with_enabled(std::string_view text, const std::set<Key> &peers)
{
	return with_lines(text, [&](const Section &section) { return section.is_disabled && section.key && peers.contains(*section.key); },
			  [](std::string_view line) { return Text(disabled_line(line).value_or(line)); });
}

std::set<Key> disabled_peers(std::string_view text)
{
	std::set<Key> disabled;

	for (const Section &section : sections_of(text))
		if (section.is_disabled && section.key)
			disabled.insert(*section.key);
	for (const Section &section : sections_of(text))
		if (!section.is_disabled && section.key)
			disabled.erase(*section.key);
	return disabled;
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
		if (!section.is_interface && !section.is_disabled && section.key)
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
	std::vector<Section> sections = sections_of(text);
	std::vector<Key> found;

	if (key && std::any_of(sections.begin(), sections.end(), [&](const Section &section) { return is_of(section, *key); }))
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
