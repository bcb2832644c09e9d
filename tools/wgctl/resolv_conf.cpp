// SPDX-License-Identifier: GPL-2.0
#include "resolv_conf.h"

#include <algorithm>

#include "quick.h"
#include "values.h"

namespace wgctl {

namespace {

constexpr std::string_view NETNS_FOLDER = "/etc/netns";
constexpr std::size_t LIMIT = 64 << 10;
constexpr std::string_view BLANKS = " \t\r";

constexpr std::string_view HEAD = "# written by wgctl for ";

/* What follows is not the interface's. */
constexpr std::string_view OTHERS = "# of others, as it was:";

/* The file's first line, by which it is known as ours. */
std::string head(const std::string &interface)
{
	return std::string(HEAD) + interface + "\n";
}

template<class Each>
void for_each_word(std::string_view line, Each each)
{
	for (std::size_t start; (start = line.find_first_not_of(BLANKS)) != line.npos;) {
		std::size_t end = std::min(line.find_first_of(BLANKS, start), line.size());
		each(std::string(line.substr(start, end - start)));
		line.remove_prefix(end);
	}
}

void add_once(std::vector<std::string> &list, const std::string &item)
{
	if (std::find(list.begin(), list.end(), item) == list.end())
		list.push_back(item);
}

}

std::string resolv_conf(const DnsSettings &settings, const std::string &interface, std::string_view others)
{
	std::string text = head(interface);

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

Text read_resolv_conf(const std::string &path, World &world)
{
	try {
		return world.files.read(path, LIMIT);
	} catch (const Failure &) {
		return {};
	}
}

DnsSettings parse_resolv_conf(std::string_view text)
{
	DnsSettings settings;

	for_each_line(text.substr(0, text.find(OTHERS)), [&](std::string_view line) {
		std::string key;
		for_each_word(line, [&](const std::string &word) {
			if (key.empty())
				key = word;
			else if (key == "nameserver")
				settings.servers.push_back(word);
			else if (key == "search" || key == "domain")
				settings.domains.push_back(word);
		});
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

InterfaceDns::InterfaceDns(std::string interface, const Placement &placement, World &world) :
	interface_(std::move(interface)), is_here_(placement.is_here), world_(world)
{
	if (!placement.home_name.empty())
		path_ = std::string(NETNS_FOLDER) + "/" + placement.home_name + "/resolv.conf";
}

/* That of another interface may have taken its place since: then it is kept beside that one. */
std::optional<InterfaceDns::OwnFile> InterfaceDns::find()
{
	/* More interfaces with DNS has no namespace; a circle somebody made ends, too. */
	constexpr unsigned DEPTH = 100;
	std::string path = path_;

	for (unsigned i = 0; i < DEPTH && !path.empty() && world_.host.store.exists(path); ++i) {
		Text text = world_.files.read(path, LIMIT);
		if (text.starts_with(head(interface_)))
			return OwnFile{path, std::string(text.begin(), text.end())};
		std::string_view line = std::string_view(text).substr(0, text.find('\n'));
		if (!line.starts_with(HEAD))
			break;
		path = kept(std::string(line.substr(HEAD.size())));
	}
	return {};
}

/* Of the file that was there before, or the one programs see without any. */
Text InterfaceDns::others(const std::optional<OwnFile> &own)
{
	std::string before = own ? kept(interface_) : path_;

	return read_resolv_conf(world_.host.store.exists(before) ? before : RESOLV_CONF, world_);
}

void InterfaceDns::set(const DnsSettings &settings)
{
	Store &store = world_.host.store;

	if (is_here_)
		return world_.host.dns.set(interface_, settings);
	std::optional<OwnFile> own = find();
	std::string text = resolv_conf(settings, interface_, others(own));
	if (own)
		return store.replace(own->path, text, 0644);
	store.make_folder(std::string(NETNS_FOLDER));
	store.make_folder(path_.substr(0, path_.rfind('/')));
	bool displaces = store.exists(path_);
	if (displaces)
		store.rename(path_, kept(interface_));
	try {
		store.replace(path_, text, 0644);
	} catch (const Failure &) {
		if (displaces)
			store.rename(kept(interface_), path_);
		throw;
	}
}

void InterfaceDns::unset()
{
	Store &store = world_.host.store;

	if (is_here_)
		return world_.host.dns.unset(interface_);
	std::optional<OwnFile> own = find();
	if (store.exists(kept(interface_)))
		store.rename(kept(interface_), own ? own->path : path_);
	else if (own)
		store.remove(own->path);
}

std::optional<DnsSettings> InterfaceDns::get()
{
	if (is_here_)
		return world_.host.dns.get(interface_);
	std::optional<OwnFile> own = find();
	return own ? parse_resolv_conf(own->text) : DnsSettings{};
}

bool InterfaceDns::is_ours()
{
	return is_here_ ? world_.host.dns.is_ours(interface_) : find().has_value();
}

}
