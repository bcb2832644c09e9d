// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"
#include "host.h"
#include "http.h"
#include "kernel.h"
#include "lookout.h"
#include "network.h"
#include "screen.h"
#include "system.h"
#include "system_host.h"
#include "userspace.h"

int main(int argc, char **argv)
{
	using namespace wgctl;

	if (sodium_init() < 0)
		return 1;
	SystemFiles files;
	SystemTerminal terminal;
	SystemResolver resolver;
	SystemClock clock;
	SystemEnvironment environment;
	SystemConfigSockets sockets;
	KernelDevices kernel(open_system_netlink);
	UserspaceDevices userspace(sockets);
	AllDevices devices(kernel, userspace, sockets);
	KernelNetwork network(open_system_netlink);
	NftFilter filter;
	SystemNotes notes;
	SystemDns dns(notes);
	SystemShell shell;
	SystemNamespaces namespaces;
	SystemStore store;
	SystemScreen screen;
	HttpServer web;
	SystemLookout lookout(open_system_netlink);
	Host host{network, filter, dns, notes, shell, namespaces, store, screen, web, lookout};
	World world{devices, files, terminal, resolver, clock, environment, host};

	std::vector<std::string_view> arguments(argv + 1, argv + argc);
	return run_command_line(arguments, world);
}
