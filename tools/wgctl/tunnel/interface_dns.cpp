// SPDX-License-Identifier: GPL-2.0
#include "tunnel/interface_dns.h"

#include <algorithm>

#include "host/resolv_conf.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view NETNS_FOLDER = "/etc/netns";

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
		Text text = world_.files.read(path, RESOLV_CONF_LIMIT);
		std::optional<std::string> owner = owner_of_resolv_conf(text);
		if (owner == interface_)
			return OwnFile{path, std::string(text.begin(), text.end())};
		if (!owner)
			break;
		path = kept(*owner);
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
	store.make_folder(std::string(NETNS_FOLDER), 0755);
	store.make_folder(path_.substr(0, path_.rfind('/')), 0755);
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

/* The C library may ask systemd-resolved whatever resolv.conf says. */
static bool asks_resolved(World &world)
{
	bool found = false;

	try {
		Text text = world.files.read("/etc/nsswitch.conf", RESOLV_CONF_LIMIT);
		for_each_line(text, [&](std::string_view line) { found = found || (line.starts_with("hosts:") && line.find("resolve") != line.npos); });
	} catch (const Failure &) {
		/* Without that file, it does not. */
	}
	return found;
}

std::optional<std::string> asked_instead_of(const std::vector<std::string> &ours, World &world)
{
	Text text = read_resolv_conf(RESOLV_CONF, world);
	std::vector<std::string> servers = parse_resolv_conf(text).servers;
	auto is_ours = [&](const std::string &server) { return server.starts_with("127.") || contains(ours, server); };

	if (servers.empty() || std::any_of(servers.begin(), servers.end(), is_ours) || text.find("systemd-resolved") != text.npos || asks_resolved(world))
		return {};
	return servers[0];
}

}
