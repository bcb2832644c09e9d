// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"
#include "config/notes.h"
#include "host/dns.h"
#include "host/http.h"
#include "host/lookout.h"
#include "host/namespaces.h"
#include "host/process.h"
#include "host/screen.h"
#include "host/shell.h"
#include "host/store.h"
#include "host/system.h"
#include "kernel/devices.h"
#include "kernel/filter.h"
#include "kernel/network.h"
#include "kernel/userspace.h"
#include "model/machine.h"

int main(int argc, char **argv)
{
	using namespace wgctl;

	if (sodium_init() < 0)
		return 1;
	survive_lost_readers();
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
	SystemLookout lookout;
	Host host{network, filter, dns, notes, shell, namespaces, store, screen, web, lookout};
	World world{devices, files, terminal, resolver, clock, environment, host};

	std::string_view name = argv[0];
	std::vector<std::string_view> arguments(argv + 1, argv + argc);
	return run_command_line(arguments, world, name.substr(name.rfind('/') + 1));
}
