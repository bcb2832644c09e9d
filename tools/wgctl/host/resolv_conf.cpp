// SPDX-License-Identifier: GPL-2.0
#include "host/resolv_conf.h"

#include <algorithm>

#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view HEAD = "# written by wgctl for ";

/* What follows is not the interface's. */
constexpr std::string_view OTHERS = "# of others, as it was:";

void add_once(std::vector<std::string> &list, const std::string &item)
{
	if (std::find(list.begin(), list.end(), item) == list.end())
		list.push_back(item);
}

}

std::string resolv_conf(const DnsSettings &settings, const std::string &interface, std::string_view others)
{
	std::string text = std::string(HEAD) + interface + "\n";

	for (const std::string &server : settings.servers)
		text += "nameserver " + server + "\n";
	if (!settings.domains.empty()) {
		text += "search";
		for (const std::string &domain : settings.domains)
			text += " " + domain;
		text += "\n";
	}
	if (settings.servers.empty() && !others.empty()) {
		text.append(OTHERS).append("\n");
		for_each_line(others, [&](std::string_view line) {
			if (line.starts_with("nameserver") || line.starts_with("options"))
				text.append(line).append("\n");
		});
	}
	return text;
}

std::optional<std::string> owner_of_resolv_conf(std::string_view text)
{
	std::string_view line = text.substr(0, text.find('\n'));

	return line.starts_with(HEAD) ? std::optional(std::string(line.substr(HEAD.size()))) : std::nullopt;
}

Text read_resolv_conf(const std::string &path, World &world)
{
	try {
		return world.files.read(path, RESOLV_CONF_LIMIT);
	} catch (const Failure &) {
		return {};
	}
}

DnsSettings parse_resolv_conf(std::string_view text)
{
	DnsSettings settings;

	for_each_line(text.substr(0, text.find(OTHERS)), [&](std::string_view line) {
		std::vector<std::string> words = list_items(line);
		for (std::size_t i = 1; i < words.size(); ++i)
			if (words[0] == "nameserver")
				settings.servers.push_back(words[i]);
			else if (words[0] == "search" || words[0] == "domain")
				settings.domains.push_back(words[i]);
	});
	return settings;
}

DnsSettings canonical(const DnsSettings &settings)
{
	DnsSettings result;

	result.is_partial = settings.is_partial;
	for (const std::string &server : settings.servers) {
		try {
			add_once(result.servers, format_address(parse_address(server)));
		} catch (const Failure &) {
			add_once(result.servers, server);
		}
	}
	for (std::string domain : settings.domains) {
		if (domain == "~.")
			continue;
		if (domain.size() > 1 && domain.ends_with('.'))
			domain.pop_back();
		add_once(result.domains, domain);
	}
	return result;
}

std::string describe(const DnsSettings &settings)
{
	std::string text;

	for (const std::vector<std::string> *list : {&settings.servers, &settings.domains})
		for (const std::string &item : *list)
			text += (text.empty() ? "" : ", ") + item;
	if (settings.is_partial)
		text += " (not for all names)";
	return text.empty() ? "none" : text;
}

}
