// SPDX-License-Identifier: GPL-2.0
#include "system_host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>

#include "descriptor.h"
#include "outside.h"
#include "process.h"
#include "quick.h"

namespace wgctl {

namespace {

/* systemd-resolved's interface on D-Bus (org.freedesktop.resolve1(5)). */
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

	/* Everything is asked of this link's servers ("~."), and it of nobody else. */
	void set(int link, const DnsSettings &settings)
	{
		Call servers(bus_, "SetLinkDNS");
		servers.append("i", link);
		servers.check(sd_bus_message_open_container(servers.message, 'a', "(iay)"));
		for (const std::string &server : settings.servers) {
			std::uint8_t address[16];
			int family = server.find(':') == server.npos ? AF_INET : AF_INET6;
			servers.check(inet_pton(family, server.c_str(), address) == 1 ? 0 : -EINVAL);
			servers.check(sd_bus_message_open_container(servers.message, 'r', "iay"));
			servers.append("i", family);
			servers.check(sd_bus_message_append_array(servers.message, 'y', address, family == AF_INET ? 4 : 16));
			servers.check(sd_bus_message_close_container(servers.message));
		}
		servers.check(sd_bus_message_close_container(servers.message));
		servers.send();

		Call domains(bus_, "SetLinkDomains");
		domains.append("i", link);
		domains.check(sd_bus_message_open_container(domains.message, 'a', "(sb)"));
		for (const std::string &domain : settings.domains)
			domains.append("(sb)", domain.c_str(), 0);
		if (!settings.servers.empty())
			domains.append("(sb)", ".", 1);
		domains.check(sd_bus_message_close_container(domains.message));
		domains.send();
	}

	void revert(int link)
	{
		Call call(bus_, "RevertLink");
		call.append("i", link);
		call.send();
	}

	/* The links that take all questions ("~."), if there are any; else all but those that take only those
	 * about their own domains. */
	std::vector<std::string> asked()
	{
		std::map<int, bool> takes_all;
		bool does_any = false;
		std::vector<std::string> servers;

		for_each_in("Domains", "a(isb)", [&](sd_bus_message *answer) {
			int link = 0, is_route = 0;
			const char *domain = nullptr;
			int result = sd_bus_message_read(answer, "(isb)", &link, &domain, &is_route);
			if (result > 0 && is_route) {
				bool is_root = std::string_view(domain) == ".";
				takes_all[link] = takes_all[link] || is_root;
				does_any = does_any || is_root;
			}
			return result > 0;
		});
		for_each_in("DNS", "a(iiay)", [&](sd_bus_message *answer) {
			int link = 0, family = 0;
			const void *address = nullptr;
			std::size_t size = 0;
			char text[INET6_ADDRSTRLEN];
			if (sd_bus_message_enter_container(answer, 'r', "iiay") <= 0 || sd_bus_message_read(answer, "ii", &link, &family) <= 0 ||
			    sd_bus_message_read_array(answer, 'y', &address, &size) < 0 || sd_bus_message_exit_container(answer) < 0)
				return false;
			auto domains = takes_all.find(link);
			bool is_asked = does_any ? domains != takes_all.end() && domains->second : domains == takes_all.end();
			if (is_asked && size == (family == AF_INET6 ? 16 : 4) && inet_ntop(family, address, text, sizeof(text)))
				servers.emplace_back(text);
			return true;
		});
		return servers;
	}

private:
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

	static constexpr const char *NAME = "org.freedesktop.resolve1";

	struct Call {
		Call(sd_bus *on, const char *called) : bus(on), method(called)
		{
			check(sd_bus_message_new_method_call(bus, &message, NAME, "/org/freedesktop/resolve1",
							     "org.freedesktop.resolve1.Manager", method));
		}
		Call(const Call &) = delete;
		~Call() { sd_bus_message_unref(message); }

		template<class... T>
		void append(const char *types, T... values)
		{
			check(sd_bus_message_append(message, types, values...));
		}
		void check(int result)
		{
			if (result < 0)
				throw Failure{std::string("systemd-resolved: ") + method + ": " + std::strerror(-result)};
		}
		void send()
		{
			sd_bus_error error = SD_BUS_ERROR_NULL;
			int result = sd_bus_call(bus, message, 0, &error, nullptr);
			std::string text = error.message ? error.message : std::strerror(result < 0 ? -result : 0);
			sd_bus_error_free(&error);
			if (result < 0)
				throw Failure{std::string("systemd-resolved: ") + method + ": " + text};
		}

		sd_bus *bus;
		const char *method;
		sd_bus_message *message = nullptr;
	};

	sd_bus *bus_ = nullptr;
};

int index_of(const std::string &interface)
{
	unsigned index = if_nametoindex(interface.c_str());

	if (!index)
		throw Failure{std::strerror(errno)};
	return static_cast<int>(index);
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

void resolvconf(std::vector<std::string> arguments, const std::string &input)
{
	arguments.insert(arguments.begin(), "resolvconf");
	int status = run_process(Signals::ignore, [&] {
		Descriptor file(memfd_create("resolv.conf", 0));
		if (file.get() < 0 || write(file.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size()) ||
		    lseek(file.get(), 0, SEEK_SET) != 0 || dup2(file.get(), STDIN_FILENO) < 0)
			return 126;
		return replace_by_program(arguments);
	});
	if (status == 127)
		throw Failure{"neither systemd-resolved runs nor is there a resolvconf: install one of them, or remove DNS from the file"};
	if (status)
		throw Failure{"resolvconf " + arguments[1] + " " + arguments[2] + " ended with status " + std::to_string(status)};
}

}

void SystemDns::set(const std::string &interface, const DnsSettings &settings)
{
	Resolved resolved;

	if (resolved.is_there())
		resolved.set(index_of(interface), settings);
	else
		resolvconf({"-a", resolvconf_name(interface), "-m", "0", "-x"}, resolv_conf(settings, interface));
}

void SystemDns::unset(const std::string &interface)
{
	Resolved resolved;

	if (resolved.is_there())
		resolved.revert(index_of(interface));
	else
		resolvconf({"-d", resolvconf_name(interface), "-f"}, "");
}

std::optional<std::vector<std::string>> SystemDns::asked()
{
	Resolved resolved;

	if (!resolved.is_there())
		return {};
	return resolved.asked();
}

}
