// SPDX-License-Identifier: GPL-2.0
/* SystemDns against a message bus and a resolvconf of our own. */
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "config/notes.h"
#include "config/quick_config.h"
#include "host/dns.h"
#include "model/descriptor.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

/* The other end of one connection to the system bus, in a thread: bus and systemd-resolved in one. */
class FakeBus {
public:
	FakeBus(const std::string &path, bool has_resolved) : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), has_resolved_(has_resolved)
	{
		sockaddr_un address{};
		address.sun_family = AF_UNIX;
		path.copy(address.sun_path, sizeof(address.sun_path) - 1);
		EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
		EXPECT_EQ(listen(listener_.get(), 1), 0);
		thread_ = std::thread([this] { serve(); });
	}
	FakeBus(const FakeBus &) = delete;
	~FakeBus() { thread_.join(); }

	struct Server {
		int link;
		std::string address;
	};
	std::vector<Server> servers;
	struct Domain {
		int link;
		std::string name;
		bool is_route;
	};
	std::vector<Domain> domains;

private:
	void serve()
	{
		sd_bus *bus = nullptr;
		int connection = accept(listener_.get(), nullptr, nullptr);
		ASSERT_GE(sd_bus_new(&bus), 0);
		ASSERT_GE(sd_bus_set_fd(bus, connection, connection), 0);
		ASSERT_GE(sd_bus_set_server(bus, 1, sd_id128_t{{1}}), 0);
		ASSERT_GE(sd_bus_add_filter(bus, nullptr, &FakeBus::answer, this), 0);
		ASSERT_GE(sd_bus_start(bus), 0);
		for (;;) {
			int result = sd_bus_process(bus, nullptr);
			if (result < 0)
				break;
			if (result == 0 && sd_bus_wait(bus, 10'000'000) <= 0)
				break;
		}
		sd_bus_flush_close_unref(bus);
	}

	static int answer(sd_bus_message *call, void *data, sd_bus_error *)
	{
		auto &self = *static_cast<FakeBus *>(data);
		std::string member = sd_bus_message_get_member(call) ? sd_bus_message_get_member(call) : "";

		if (member == "Hello")
			return reply(call, "s", ":1.1");
		if (member == "NameHasOwner")
			return reply(call, "b", int{self.has_resolved_});
		if (member == "Get")
			return self.property(call);
		return 0;
	}
	template<class... T>
	static int reply(sd_bus_message *call, const char *types, T... values)
	{
		EXPECT_GE(sd_bus_reply_method_return(call, types, values...), 0);
		return 1;
	}

	int property(sd_bus_message *call)
	{
		const char *interface = nullptr, *name = nullptr;
		sd_bus_message *answer = nullptr;

		EXPECT_EQ(sd_bus_message_read(call, "ss", &interface, &name), 1);
		EXPECT_GE(sd_bus_message_new_method_return(call, &answer), 0);
		bool is_dns = name == std::string("DNS");
		sd_bus_message_open_container(answer, 'v', is_dns ? "a(iiay)" : "a(isb)");
		sd_bus_message_open_container(answer, 'a', is_dns ? "(iiay)" : "(isb)");
		for (const Server &server : is_dns ? servers : std::vector<Server>()) {
			Prefix address = parse_address(server.address);
			sd_bus_message_open_container(answer, 'r', "iiay");
			sd_bus_message_append(answer, "ii", server.link, int{address.family});
			sd_bus_message_append_array(answer, 'y', address.address.data(), address.bits() / 8u);
			sd_bus_message_close_container(answer);
		}
		for (const Domain &domain : is_dns ? std::vector<Domain>() : domains)
			sd_bus_message_append(answer, "(isb)", domain.link, domain.name.c_str(), int{domain.is_route});
		sd_bus_message_close_container(answer);
		sd_bus_message_close_container(answer);
		EXPECT_GE(sd_bus_send(nullptr, answer, nullptr), 0);
		sd_bus_message_unref(answer);
		return 1;
	}

	Descriptor listener_;
	bool has_resolved_;
	std::thread thread_;
};

struct SystemDnses : testing::Test {
	std::string folder = new_folder();
	std::string old_path = std::getenv("PATH");
	SystemNotes notes{folder + "/notes/"};
	SystemDns dns{notes, folder + "/interface/"};
	std::string lo = std::to_string(if_nametoindex("lo"));

	SystemDnses()
	{
		setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + folder + "/bus").c_str(), 1);
	}
	~SystemDnses() override
	{
		setenv("PATH", old_path.c_str(), 1);
		unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
		std::filesystem::remove_all(folder);
	}
	static std::string new_folder()
	{
		std::string name = std::filesystem::temp_directory_path() / "wgctl-dns-XXXXXX";
		EXPECT_NE(mkdtemp(name.data()), nullptr);
		return name;
	}
	/* `answer`: a shell command for -l, with which some list what they have. */
	void add_resolvconf(int status, const std::string &answer = "exit 1")
	{
		add_program("resolvconf", "if [ \"$1\" = -l ]; then " + answer + "; fi\n{ echo \"$@\"; cat; } >>" + folder + "/log\nexit " + std::to_string(status));
	}
	/* Fails for the setting `broken`. */
	void add_resolvectl(const std::string &broken = "")
	{
		add_program("resolvectl", "printf '<%s>' \"$@\" >>" + folder + "/log\necho >>" + folder + "/log\n[ \"$1\" != '" + broken + "' ]");
	}
	void add_program(const std::string &name, const std::string &text)
	{
		std::ofstream(folder + "/" + name) << "#!/bin/sh\n" << text << "\n";
		std::filesystem::permissions(folder + "/" + name, std::filesystem::perms::owner_all);
		setenv("PATH", (folder + ":" + old_path).c_str(), 1);
	}
	std::string log()
	{
		std::ostringstream text;
		text << std::ifstream(folder + "/log").rdbuf();
		return text.str();
	}
};

}

TEST_F(SystemDnses, resolved_is_told_servers_and_domains)
{
	FakeBus bus(folder + "/bus", true);
	add_resolvectl();
	dns.set("lo", {{"10.0.0.53", "fd00::53"}, {"example.org", "~corp", "~."}});
	EXPECT_EQ(log(), "<dns><" + lo + "><10.0.0.53><fd00::53>\n<domain><" + lo + "><example.org><~corp><~.>\n");
	EXPECT_TRUE(dns.is_ours("lo"));
}

TEST_F(SystemDnses, domains_alone_leave_resolved_its_servers)
{
	FakeBus bus(folder + "/bus", true);
	add_resolvectl();
	dns.set("lo", {{}, {"example.org"}});
	EXPECT_EQ(log(), "<dns><" + lo + "><>\n<domain><" + lo + "><example.org>\n");
}

TEST_F(SystemDnses, resolved_is_told_to_forget)
{
	FakeBus bus(folder + "/bus", true);
	add_resolvectl();
	dns.unset("lo");
	EXPECT_EQ(log(), "<revert><" + lo + ">\n");
}

TEST_F(SystemDnses, what_resolved_refuses_is_told)
{
	FakeBus bus(folder + "/bus", true);
	add_resolvectl("domain");
	bus.servers = {{std::stoi(lo), "192.0.2.53"}, {4711, "192.0.2.54"}};
	EXPECT_EQ(failure_of([&] { dns.set("lo", {{"10.0.0.53"}, {}}); }), "resolvectl domain ended with status 1");
	/* All of it, or nothing. */
	EXPECT_EQ(log(), "<dns><" + lo + "><10.0.0.53>\n<domain><" + lo + "><~.>\n<dns><" + lo + "><192.0.2.53>\n");
	EXPECT_FALSE(dns.is_ours("lo"));
}

TEST_F(SystemDnses, what_resolved_has_is_read)
{
	FakeBus bus(folder + "/bus", true);
	int link = std::stoi(lo);
	bus.servers = {{0, "192.0.2.53"}, {link, "10.0.0.53"}, {4711, "192.0.2.54"}, {link, "fd00::53"}};
	bus.domains = {{link, "corp.example", false}, {link, ".", true}, {4711, "other.example", false}, {link, "example.org", true}};
	EXPECT_EQ(dns.get("lo"), (DnsSettings{{"10.0.0.53", "fd00::53"}, {"corp.example", "~example.org"}}));
}

TEST_F(SystemDnses, a_link_that_does_not_take_all_questions_is_partial)
{
	FakeBus bus(folder + "/bus", true);
	bus.servers = {{std::stoi(lo), "10.0.0.53"}};
	bus.domains = {{std::stoi(lo), "corp.example", false}, {4711, ".", true}};
	EXPECT_EQ(dns.get("lo"), (DnsSettings{{"10.0.0.53"}, {"corp.example"}, true}));
}

TEST_F(SystemDnses, what_is_partial_is_set_so)
{
	FakeBus bus(folder + "/bus", true);
	add_resolvectl();
	dns.set("lo", {{"10.0.0.53"}, {"corp.example"}, true});
	EXPECT_EQ(log(), "<dns><" + lo + "><10.0.0.53>\n<domain><" + lo + "><corp.example>\n");
}

TEST_F(SystemDnses, openresolv_lists_what_it_has)
{
	add_resolvconf(0, "printf '# resolv.conf from %s\\nnameserver 10.0.0.53\\nsearch corp\\n' \"$2\"; exit 0");
	EXPECT_EQ(dns.get("lo"), (DnsSettings{{"10.0.0.53"}, {"corp"}}));
	add_resolvconf(0, "exit 2");
	EXPECT_EQ(dns.get("lo"), DnsSettings());
}

TEST_F(SystemDnses, resolvconf_s_own_file_is_read)
{
	add_resolvconf(0, "echo nameserver 192.0.2.53; exit 0");
	std::filesystem::create_directory(folder + "/interface");
	EXPECT_EQ(dns.get("lo"), DnsSettings());
	std::ofstream(folder + "/interface/lo") << "nameserver 10.0.0.53\n";
	EXPECT_EQ(dns.get("lo"), (DnsSettings{{"10.0.0.53"}, {}}));
}

TEST_F(SystemDnses, what_others_do_not_tell_is_known_from_the_note)
{
	add_resolvconf(0);
	EXPECT_EQ(dns.get("lo"), std::nullopt);
	EXPECT_FALSE(dns.is_ours("lo"));
	dns.set("lo", {{"10.0.0.53"}, {"corp"}});
	EXPECT_EQ(dns.get("lo"), (DnsSettings{{"10.0.0.53"}, {"corp"}}));
	EXPECT_TRUE(dns.is_ours("lo"));
	/* That of a link that had the name before says nothing. */
	for (const auto &note : std::filesystem::directory_iterator(folder + "/notes"))
		std::ofstream(note.path()) << "# link 4711\nnameserver 10.0.0.53\n";
	EXPECT_FALSE(dns.is_ours("lo"));
	EXPECT_EQ(dns.get("lo"), std::nullopt);
	dns.set("lo", {{"10.0.0.53"}, {}});
	dns.unset("lo");
	EXPECT_FALSE(dns.is_ours("lo"));
}

TEST_F(SystemDnses, where_nobody_manages_dns_there_is_none)
{
	setenv("PATH", folder.c_str(), 1);
	EXPECT_EQ(dns.get("lo"), DnsSettings());
}

TEST_F(SystemDnses, those_are_asked_that_take_all_questions)
{
	using Servers = std::vector<std::string>;
	{
		FakeBus bus(folder + "/bus", true);
		bus.servers = {{2, "192.168.1.1"}, {7, "10.0.0.53"}, {7, "fd00::53"}};
		bus.domains = {{2, "home.arpa", false}, {7, ".", true}, {7, "corp.example", true}};
		EXPECT_EQ(dns.asked(), (Servers{"10.0.0.53", "fd00::53"}));
	}
	std::filesystem::remove(folder + "/bus");
	FakeBus bus(folder + "/bus", true);
	bus.servers = {{0, "192.0.2.53"}, {2, "192.168.1.1"}, {7, "10.0.0.53"}};
	bus.domains = {{2, "home.arpa", false}, {7, "corp.example", true}};
	EXPECT_EQ(dns.asked(), (Servers{"192.0.2.53", "192.168.1.1"}));
}

TEST_F(SystemDnses, without_resolved_nobody_knows_who_is_asked)
{
	FakeBus bus(folder + "/bus", false);
	EXPECT_EQ(dns.asked(), std::nullopt);
}

TEST_F(SystemDnses, a_bus_without_resolved_leaves_it_to_resolvconf)
{
	FakeBus bus(folder + "/bus", false);
	add_resolvconf(0);
	dns.set("wg0", {{"10.0.0.53"}, {"example.org"}});
	EXPECT_EQ(log(), "-a wg0 -m 0 -x\n# written by wgctl for wg0\nnameserver 10.0.0.53\nsearch example.org\n");
}

TEST_F(SystemDnses, domains_alone_leave_resolvconf_the_servers_of_others)
{
	add_resolvconf(0);
	dns.set("wg0", {{}, {"example.org"}});
	EXPECT_EQ(log(), "-a wg0 -m 0\n# written by wgctl for wg0\nsearch example.org\n");
}

TEST_F(SystemDnses, resolvconf_is_told_to_forget)
{
	add_resolvconf(0);
	dns.unset("wg0");
	EXPECT_EQ(log(), "-d wg0 -f\n");
}

TEST_F(SystemDnses, a_failure_of_resolvconf_is_told)
{
	add_resolvconf(7);
	EXPECT_EQ(failure_of([&] { dns.set("wg0", {{"10.0.0.53"}, {}}); }), "resolvconf -a wg0 ended with status 7");
}

TEST_F(SystemDnses, with_neither_it_is_told_what_to_do)
{
	setenv("PATH", folder.c_str(), 1);
	EXPECT_EQ(failure_of([&] { dns.set("wg0", {{"10.0.0.53"}, {}}); }),
		  "neither systemd-resolved runs nor is there a resolvconf: install one of them, or remove DNS from the file");
}

}
