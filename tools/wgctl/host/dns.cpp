// SPDX-License-Identifier: GPL-2.0
#include "host/dns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "host/io.h"
#include "host/process.h"
#include "host/resolv_conf.h"
#include "model/descriptor.h"
#include "model/outside.h"

namespace wgctl {

namespace {

constexpr const char *NOTE = "dns";

/* What systemd-resolved has, from its interface on D-Bus (org.freedesktop.resolve1(5)). */
class Resolved {
public:
	Resolved()
	{
		if (sd_bus_open_system(&bus_) < 0)
			bus_ = nullptr;
	}
	Resolved(const Resolved &) = delete;
	~Resolved() { sd_bus_flush_close_unref(bus_); }

	/* Does it run? Asking it anything would start it where it is installed but not used. */
	bool is_there()
	{
		sd_bus_message *answer = nullptr;
		int has_owner = 0;

		if (!bus_)
			return false;
		if (sd_bus_call_method(bus_, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
				       nullptr, &answer, "s", NAME) >= 0 &&
		    sd_bus_message_read(answer, "b", &has_owner) < 0)
			has_owner = 0;
		sd_bus_message_unref(answer);
		return has_owner;
	}

	DnsSettings get(int link)
	{
		DnsSettings settings;
		bool has_all = false;

		for (Server &server : servers())
			if (server.link == link)
				settings.servers.push_back(std::move(server.address));
		for (const Domain &domain : domains()) {
			has_all = has_all || (domain.link == link && domain.takes_all());
			if (domain.link == link && !domain.takes_all())
				settings.domains.push_back((domain.is_route ? "~" : "") + domain.name);
		}
		settings.is_partial = !settings.servers.empty() && !has_all;
		return settings;
	}

	std::vector<std::string> others(int link)
	{
		std::vector<std::string> found;

		for (Server &server : servers())
			if (server.link != link)
				found.push_back(server.address + (server.link && server.address.starts_with("fe80:") ? "%" + std::to_string(server.link) : ""));
		return found;
	}

	/* The links that take all questions ("~."), if there are any; else all but those that take only those
	 * about their own domains. */
	std::vector<std::string> asked()
	{
		std::map<int, bool> takes_all;
		bool does_any = false;
		std::vector<std::string> found;

		for (const Domain &domain : domains())
			if (domain.is_route) {
				takes_all[domain.link] = takes_all[domain.link] || domain.takes_all();
				does_any = does_any || domain.takes_all();
			}
		for (Server &server : servers()) {
			auto routes = takes_all.find(server.link);
			if (does_any ? routes != takes_all.end() && routes->second : routes == takes_all.end())
				found.push_back(std::move(server.address));
		}
		return found;
	}

private:
	static constexpr const char *NAME = "org.freedesktop.resolve1";

	struct Domain {
		int link;
		std::string name;
		bool is_route;

		bool takes_all() const { return is_route && name == "."; }
	};
	struct Server {
		int link;
		std::string address;
	};

	std::vector<Domain> domains()
	{
		std::vector<Domain> found;

		for_each_in("Domains", "a(isb)", [&](sd_bus_message *answer) {
			int link = 0, is_route = 0;
			const char *domain = nullptr;
			int result = sd_bus_message_read(answer, "(isb)", &link, &domain, &is_route);
			if (result > 0)
				found.push_back({link, domain, is_route != 0});
			return result > 0;
		});
		return found;
	}

	std::vector<Server> servers()
	{
		std::vector<Server> found;

		for_each_in("DNS", "a(iiay)", [&](sd_bus_message *answer) {
			int link = 0, family = 0;
			const void *address = nullptr;
			std::size_t size = 0;
			char text[INET6_ADDRSTRLEN];
			if (sd_bus_message_enter_container(answer, 'r', "iiay") <= 0 || sd_bus_message_read(answer, "ii", &link, &family) <= 0 ||
			    sd_bus_message_read_array(answer, 'y', &address, &size) < 0 || sd_bus_message_exit_container(answer) < 0)
				return false;
			if (size == (family == AF_INET6 ? 16 : 4) && inet_ntop(family, address, text, sizeof(text)))
				found.push_back({link, text});
			return true;
		});
		return found;
	}

	/* Calls each(answer) for the elements of a property until it returns false. */
	template<class Each>
	void for_each_in(const char *property, const char *type, Each each)
	{
		sd_bus_message *answer = nullptr;
		int result = sd_bus_get_property(bus_, NAME, "/org/freedesktop/resolve1", "org.freedesktop.resolve1.Manager", property, nullptr,
						 &answer, type);

		if (result >= 0)
			result = sd_bus_message_enter_container(answer, 'a', std::string(type).substr(1).c_str());
		if (result >= 0)
			while (each(answer))
				continue;
		sd_bus_message_unref(answer);
		if (result < 0)
			throw Failure{std::string("systemd-resolved: ") + property + ": " + std::strerror(-result)};
	}

	sd_bus *bus_ = nullptr;
};

int index_of(const std::string &interface)
{
	unsigned index = if_nametoindex(interface.c_str());

	if (!index)
		throw Failure{std::strerror(errno)};
	return static_cast<int>(index);
}

/* `key` is that of Resolved's settings for a link; none of them takes those there are away. */
void resolvectl(const std::string &key, int link, std::vector<std::string> values)
{
	std::vector<std::string> arguments{"resolvectl", key, std::to_string(link)};

	if (values.empty() && key != "revert")
		values.emplace_back();
	arguments.insert(arguments.end(), values.begin(), values.end());
	if (int status = run_process(Signals::ignore, [&] { return replace_by_program(arguments); }))
		throw Failure{"resolvectl " + key + " ended with status " + std::to_string(status)};
}

/* Everything is asked of this link's servers ("~."), and it of nobody else. */
void set_resolved(int link, const DnsSettings &settings, const std::vector<std::string> &servers_before)
{
	std::vector<std::string> domains = settings.domains;

	std::erase(domains, "~.");
	if (!settings.servers.empty() && !settings.is_partial)
		domains.emplace_back("~.");
	resolvectl("dns", link, settings.servers);
	try {
		resolvectl("domain", link, domains);
	} catch (const Failure &) {
		resolvectl("dns", link, servers_before);
		throw;
	}
}

/* Debian's resolvconf sorts by interface names, and has a place for tunnels. */
std::string resolvconf_name(const std::string &interface)
{
	std::ifstream order("/etc/resolvconf/interface-order");
	std::string line;

	while (std::getline(order, line))
		if (line == "tun*")
			return "tun." + interface;
	return interface;
}

struct Answer {
	int status = 0;
	std::string output;
};

/* Questions are quiet: some do not understand them. */
enum class Asks { yes, no };
Answer resolvconf(std::vector<std::string> arguments, const std::string &input, Asks asks)
{
	Descriptor file(memfd_create("resolv.conf", MFD_CLOEXEC)), output(memfd_create("answer", MFD_CLOEXEC)), nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));

	arguments.insert(arguments.begin(), "resolvconf");
	write_all(file.get(), input, "resolvconf");
	lseek(file.get(), 0, SEEK_SET);
	int status = run_process(Signals::ignore, [&] {
		if (dup2(file.get(), STDIN_FILENO) < 0 ||
		    (asks == Asks::yes && (dup2(output.get(), STDOUT_FILENO) < 0 || dup2(nowhere.get(), STDERR_FILENO) < 0)))
			return 126;
		return replace_by_program(arguments);
	});
	lseek(output.get(), 0, SEEK_SET);
	if (asks == Asks::no && status == 127)
		throw Failure{"neither systemd-resolved runs nor is there a resolvconf: install one of them, or remove DNS from the file"};
	if (asks == Asks::no && status)
		throw Failure{"resolvconf " + arguments[1] + " " + arguments[2] + " ended with status " + std::to_string(status)};
	return {status, std::string(std::string_view(read_to_end(output.get(), RESOLV_CONF_LIMIT, "resolvconf")))};
}

}

void SystemDns::set(const std::string &interface, const DnsSettings &settings)
{
	std::vector<std::string> arguments{"-a", resolvconf_name(interface), "-m", "0"};
	Resolved resolved;

	/* Nobody else is asked; search domains alone leave nobody else to ask. */
	if (!settings.servers.empty())
		arguments.push_back("-x");
	if (resolved.is_there())
		set_resolved(index_of(interface), settings, resolved.get(index_of(interface)).servers);
	else
		resolvconf(arguments, resolv_conf(settings, interface), Asks::no);
	notes_.write(interface, NOTE, resolv_conf(settings, interface));
}

void SystemDns::unset(const std::string &interface)
{
	Resolved resolved;

	if (resolved.is_there())
		resolvectl("revert", index_of(interface), {});
	else
		resolvconf({"-d", resolvconf_name(interface), "-f"}, "", Asks::no);
	notes_.remove(interface, NOTE);
}

std::optional<DnsSettings> SystemDns::get(const std::string &interface)
{
	Resolved resolved;

	return resolved.is_there() ? resolved.get(index_of(interface)) : ask_resolvconf(interface);
}

bool SystemDns::is_ours(const std::string &interface)
{
	return notes_.read(interface, NOTE).has_value();
}

std::optional<DnsSettings> SystemDns::ask_resolvconf(const std::string &interface)
{
	std::optional<DnsSettings> settings = record_of(resolvconf_name(interface));

	return settings ? settings : noted(interface);
}

/* Debian's resolvconf keeps a file for each interface, and lists them all together; openresolv lists
 * one, with status 2 when it has nothing; what others have nobody but us can know. */
std::optional<DnsSettings> SystemDns::record_of(const std::string &name)
{
	constexpr int NO_PROGRAM = 127, NOTHING_THERE = 2;
	const std::string path = resolvconf_files_ + name;

	/* To read a folder throws. */
	if (std::error_code error; std::filesystem::is_regular_file(path, error)) {
		std::ifstream file(path);
		return parse_resolv_conf(std::string(std::istreambuf_iterator<char>(file), {}));
	}
	if (access(resolvconf_files_.c_str(), F_OK) == 0)
		return DnsSettings{};
	Answer answer = resolvconf({"-l", name}, "", Asks::yes);
	if (answer.status == NO_PROGRAM || answer.status == NOTHING_THERE)
		return DnsSettings{};
	if (answer.status == 0 && !answer.output.empty())
		return parse_resolv_conf(answer.output);
	return {};
}

std::optional<DnsSettings> SystemDns::noted(const std::string &interface)
{
	std::optional<std::string> note = notes_.read(interface, NOTE);

	return note ? std::optional(parse_resolv_conf(*note)) : std::nullopt;
}

std::optional<std::vector<std::string>> SystemDns::asked()
{
	Resolved resolved;

	if (!resolved.is_there())
		return {};
	return resolved.asked();
}

std::vector<std::string> SystemDns::others(const std::string &interface)
{
	Resolved resolved;
	std::vector<std::string> found, names;

	if (resolved.is_there())
		return resolved.others(index_of(interface));
	if (access(resolvconf_files_.c_str(), F_OK) == 0) {
		names = names_in(resolvconf_files_);
	} else {
		std::istringstream listed(resolvconf({"-i"}, "", Asks::yes).output);
		names.assign(std::istream_iterator<std::string>(listed), {});
	}
	std::erase(names, resolvconf_name(interface));
	for (const std::string &name : names)
		if (std::optional<DnsSettings> settings = record_of(name))
			found.insert(found.end(), settings->servers.begin(), settings->servers.end());
	return found;
}

}
