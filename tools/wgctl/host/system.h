// SPDX-License-Identifier: GPL-2.0
/* The real outside: files, terminal, resolver, clock, environment, netlink and config sockets. */
#pragma once

#include "model/outside.h"

namespace wgctl {

class SystemFiles : public Files {
public:
	Text read(const std::string &path, std::size_t limit) override;
	Text read_within(const std::string &root, const std::string &path, std::size_t limit) override;
	std::vector<std::string> list(const std::string &folder) override;
};

class SystemTerminal : public Terminal {
public:
	Text read_input(std::size_t limit) override;
	void write(Stream stream, std::string_view text) override;
	bool output_is_terminal() override;
	bool output_is_open_to_the_world() override;
};

/* All UDP addresses for `host` (null: any) and `service`, in the system's order; returns 0 or an EAI_ error. `flags` are more of getaddrinfo's. */
int look_up(const char *host, const char *service, std::vector<Endpoint> &found, int flags = 0);

class SystemResolver : public Resolver {
public:
	int lookup(const char *host, const char *service, Endpoint &result) override;
};

class SystemClock : public Clock {
public:
	std::int64_t now() override;
	std::int64_t monotonic() override;
	void sleep(std::int64_t milliseconds) override;
};

class SystemEnvironment : public Environment {
public:
	const char *get(const char *name) override;
};

class SystemConfigSockets : public ConfigSockets {
public:
	std::vector<std::string> names() override;
	bool exists(const std::string &name) override;
	Text exchange(const std::string &name, std::string_view request) override;
};

std::unique_ptr<NetlinkSocket> open_system_netlink(int protocol);

}
