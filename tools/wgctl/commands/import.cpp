// SPDX-License-Identifier: GPL-2.0
#include "commands/commands.h"

#include "config/network_manager.h"
#include "config/networkd.h"
#include "hub/hub.h"
#include "model/values.h"

namespace wgctl {

int import_from(const Options &options, World &world)
{
	std::string netdev, network, connection, out = options.text("--out");
	Imported imported;

	for (std::string_view path : options.operands()) {
		std::string &place = path.ends_with(".netdev") ? netdev : path.ends_with(".network") ? network : connection;
		if (!place.empty())
			options.fail("one interface at a time: " + in_quotes(path));
		place = path;
	}
	if (!connection.empty() && (!netdev.empty() || !network.empty()))
		options.fail("either NAME.netdev and NAME.network, or a file of NetworkManager: not " + in_quotes(connection) + ", too");
	if (netdev.empty() && connection.empty())
		options.fail(network + " has the addresses alone; give NAME.netdev, too");
	imported = connection.empty() ? import_networkd(netdev, network, world) : import_network_manager(connection, world);
	create_client_files(imported.text, {out, {}}, [&] {
		if (out.empty())
			write_secret(imported.text, world.terminal);
	}, world);
	if (!out.empty() && out.substr(out.rfind('/') + 1) != imported.interface + ".conf")
		world.terminal.write(Stream::err, "Warning: " + harmless(out) + " is of the interface " + harmless(imported.interface) + ": call it " +
							  harmless(imported.interface) + ".conf\n");
	return 0;
}

}
