// SPDX-License-Identifier: GPL-2.0
#include "host/dns.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "host/process.h"
#include "host/resolv_conf.h"
#include "model/descriptor.h"
#include "model/outside.h"

namespace wgctl {

namespace {

constexpr const char *NOTE = "dns";

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
		std::vector<std::string> before = get(link).servers;

		set_servers(link, settings.servers);
		try {
			set_domains(link, settings);
		} catch (const Failure &) {
			set_servers(link, before);
			throw;
		}
	}

	DnsSettings get(int link)
	{
		Call find(bus_, "GetLink");
		find.append("i", link);
		Message answer = find.send();
		const char *path = nullptr;
		find.check(sd_bus_message_read(answer.get(), "o", &path));
		DnsSettings settings;
		read_property(path, "DNS", "a(iay)", [&](sd_bus_message *list) { return read_servers(list, settings.servers); });
		bool has_all = false;
		read_property(path, "Domains", "a(sb)", [&](sd_bus_message *list) { return read_domains(list, settings.domains, has_all); });
		settings.is_partial = !settings.servers.empty() && !has_all;
		return settings;
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

	struct Unref {
		void operator()(sd_bus_message *message) const { sd_bus_message_unref(message); }
	};
	using Message = std::unique_ptr<sd_bus_message, Unref>;

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
				fail(method, std::strerror(-result));
		}
		Message send()
		{
			sd_bus_error error = SD_BUS_ERROR_NULL;
			sd_bus_message *answer = nullptr;
			int result = sd_bus_call(bus, message, 0, &error, &answer);
			std::string text = error.message ? error.message : std::strerror(result < 0 ? -result : 0);
			sd_bus_error_free(&error);
			if (result < 0)
				fail(method, text);
			return Message(answer);
		}

		sd_bus *bus;
		const char *method;
		sd_bus_message *message = nullptr;
	};

	[[noreturn]] static void fail(const std::string &what, const std::string &text)
	{
		throw Failure{"systemd-resolved: " + what + ": " + text};
	}

	void set_servers(int link, const std::vector<std::string> &servers)
	{
		Call call(bus_, "SetLinkDNS");
		call.append("i", link);
		call.check(sd_bus_message_open_container(call.message, 'a', "(iay)"));
		for (const std::string &server : servers) {
			std::uint8_t address[16];
			int family = server.find(':') == server.npos ? AF_INET : AF_INET6;
			/* The zone of an address is the link itself. */
			call.check(inet_pton(family, server.substr(0, server.find('%')).c_str(), address) == 1 ? 0 : -EINVAL);
			call.check(sd_bus_message_open_container(call.message, 'r', "iay"));
			call.append("i", family);
			call.check(sd_bus_message_append_array(call.message, 'y', address, family == AF_INET ? 4 : 16));
			call.check(sd_bus_message_close_container(call.message));
		}
		call.check(sd_bus_message_close_container(call.message));
		call.send();
	}

	void set_domains(int link, const DnsSettings &settings)
	{
		Call call(bus_, "SetLinkDomains");
		call.append("i", link);
		call.check(sd_bus_message_open_container(call.message, 'a', "(sb)"));
		/* "~corp": its names are asked here, but it is not searched. */
		for (const std::string &domain : settings.domains)
			if (domain != "~.")
				call.append("(sb)", domain.c_str() + domain.starts_with('~'), int{domain.starts_with('~')});
		if (!settings.servers.empty() && !settings.is_partial)
			call.append("(sb)", ".", 1);
		call.check(sd_bus_message_close_container(call.message));
		call.send();
	}

	/* `read` takes the value apart, and returns what sd-bus does. */
	template<class Read>
	void read_property(const char *path, const char *name, const char *type, Read read)
	{
		sd_bus_message *answer = nullptr;
		int result = sd_bus_get_property(bus_, NAME, path, "org.freedesktop.resolve1.Link", name, nullptr, &answer, type);
		Message owner(answer);

		if (result >= 0)
			result = read(answer);
		if (result < 0)
			fail(name, std::strerror(-result));
	}

	static int read_servers(sd_bus_message *list, std::vector<std::string> &servers)
	{
		int result = sd_bus_message_enter_container(list, 'a', "(iay)");

		while (result > 0 && (result = sd_bus_message_enter_container(list, 'r', "iay")) > 0) {
			int family = 0;
			const void *bytes = nullptr;
			std::size_t size = 0;
			char text[INET6_ADDRSTRLEN];
			result = sd_bus_message_read(list, "i", &family);
			if (result >= 0)
				result = sd_bus_message_read_array(list, 'y', &bytes, &size);
			if (result >= 0 && size == (family == AF_INET6 ? 16u : 4u) && inet_ntop(family, bytes, text, sizeof(text)))
				servers.emplace_back(text);
			if (result >= 0)
				result = sd_bus_message_exit_container(list);
		}
		return result;
	}

	static int read_domains(sd_bus_message *list, std::vector<std::string> &domains, bool &has_all)
	{
		const char *domain = nullptr;
		int is_route = 0, result = sd_bus_message_enter_container(list, 'a', "(sb)");

		while (result > 0 && (result = sd_bus_message_read(list, "(sb)", &domain, &is_route)) > 0) {
			std::string_view name = domain;
			if (!is_route)
				domains.emplace_back(name);
			else if (name == ".")
				has_all = true;
			else
				domains.push_back("~" + std::string(name));
		}
		return result;
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

std::string contents(int file)
{
	std::string text;
	char buffer[4096];

	lseek(file, 0, SEEK_SET);
	for (ssize_t size; (size = read(file, buffer, sizeof(buffer))) > 0;)
		text.append(buffer, static_cast<std::size_t>(size));
	return text;
}

/* Quiet: for questions that some do not understand. */
Answer ask(std::vector<std::string> arguments)
{
	Descriptor output(memfd_create("answer", MFD_CLOEXEC)), nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
	int status = run_process(Signals::ignore, [&] {
		if (dup2(nowhere.get(), STDIN_FILENO) < 0 || dup2(output.get(), STDOUT_FILENO) < 0 || dup2(nowhere.get(), STDERR_FILENO) < 0)
			return 126;
		return replace_by_program(arguments);
	});

	return {status, contents(output.get())};
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

std::optional<std::string> read_file(const std::string &path)
{
	std::ifstream file(path);

	if (!file)
		return {};
	return std::string(std::istreambuf_iterator<char>(file), {});
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
		resolved.set(index_of(interface), settings);
	else
		resolvconf(arguments, resolv_conf(settings, interface));
	notes_.write(interface, NOTE, resolv_conf(settings, interface));
}

void SystemDns::unset(const std::string &interface)
{
	Resolved resolved;

	if (resolved.is_there())
		resolved.revert(index_of(interface));
	else
		resolvconf({"-d", resolvconf_name(interface), "-f"}, "");
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

/* Debian's resolvconf keeps a file for each interface, and lists them all together; openresolv lists
 * one, with status 2 when it has nothing; what others have nobody but us can know. */
std::optional<DnsSettings> SystemDns::ask_resolvconf(const std::string &interface)
{
	constexpr int NO_PROGRAM = 127, NOTHING_THERE = 2;
	std::string name = resolvconf_name(interface);

	if (std::optional<std::string> text = read_file(resolvconf_files_ + name))
		return parse_resolv_conf(*text);
	if (access(resolvconf_files_.c_str(), F_OK) == 0)
		return DnsSettings{};
	Answer answer = ask({"resolvconf", "-l", name});
	if (answer.status == NO_PROGRAM || answer.status == NOTHING_THERE)
		return DnsSettings{};
	if (answer.status == 0 && !answer.output.empty())
		return parse_resolv_conf(answer.output);
	return noted(interface);
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

}
