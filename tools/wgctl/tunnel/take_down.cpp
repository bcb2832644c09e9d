// SPDX-License-Identifier: GPL-2.0
#include "tunnel/take_down.h"

#include <algorithm>
#include <map>

#include "config/merge.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/forwarding.h"
#include "tunnel/hooks.h"
#include "tunnel/interface_dns.h"
#include "tunnel/kill_switch.h"

namespace wgctl {

namespace {

class Down {
public:
	Down(const QuickConfig &config, const Placement &placement, World &world) :
		config_(config), placement_(placement), name_(config.interface), world_(world), host_(world.host)
	{
	}

	void run()
	{
		step("enter the interface's namespace", [&] { host_.namespaces.enter(placement_.home); });
		std::vector<std::string> names = step("list the interfaces", [&] { return world_.devices.names(); });
		if (std::find(names.begin(), names.end(), name_) == names.end())
			return clear_away();
		run_hooks(config_, config_.pre_down, world_);
		if (config_.save)
			save();
		host_.shell.hold_signals();
		Device device = step("read interface " + name_, [&] { return world_.devices.get(name_); });

		for (std::uint16_t family : FAMILIES)
			remove_default_route(family, config_.routing == Routing::automatic ? device.fwmark.value_or(0) : 0);
		steps_.attempt([&] { unset_dns(); });
		bool is_gone = steps_.run("delete interface " + name_, [&] { host_.network.delete_link(name_); });
		forget_notes(name_, world_);
		if (is_gone) {
			steps_.attempt([&] { forwarding_.remove(steps_); });
			kill_switch_.open(steps_);
		}
		steps_.keep();
		/* They undo what PostUp did, whatever else could not be undone. */
		if (is_gone)
			run_hooks(config_, config_.post_down, world_);
		if (steps_.has_failed())
			throw Failure{name_ + " is not down as a whole: see above"};
	}

private:
	/* Somebody deleted the interface, or its program ended: what stood beside it is still there. */
	void clear_away()
	{
		std::map<std::uint16_t, std::uint32_t> marks;

		for (std::uint16_t family : FAMILIES)
			if (std::optional<std::uint32_t> mark = mark_of_filter(host_.filter.list((family == AF_INET6 ? "ip6 " : "ip ") + filter_table(name_))))
				marks[family] = *mark;
		bool leaves_dns = has_dns();
		if (marks.empty() && !kill_switch_.is_closed() && !forwarding_.is_there() && !leaves_dns)
			throw Failure{"there is no WireGuard interface " + in_quotes(name_) + ": nothing to take down"};
		host_.shell.hold_signals();
		for (const auto &[family, mark] : marks)
			remove_default_route(family, mark);
		if (leaves_dns)
			steps_.attempt([&] { unset_dns(); });
		steps_.attempt([&] { forwarding_.remove(steps_); });
		kill_switch_.open(steps_);
		steps_.keep();
		run_hooks(config_, config_.post_down, world_);
		if (steps_.has_failed())
			throw Failure{"what " + name_ + " left behind is not gone as a whole: see above"};
	}

	void remove_default_route(std::uint16_t family, std::uint32_t mark)
	{
		DefaultRoute route(name_, family, mark, world_);

		steps_.attempt([&] { route.remove_filter(steps_); });
		steps_.attempt([&] { step("read the rules", [&] { route.remove_rules(steps_); }); });
	}

	/* Only now: a hook may have changed the file. */
	void save()
	{
		world_.terminal.write(Stream::err, harmless("[#] save the configuration to " + config_.path) + "\n");
		step("save the configuration to " + config_.path, [&] { save_config(config_, world_); });
	}

	/* Of an interface that is gone. systemd-resolved forgets it by itself. */
	bool has_dns()
	{
		InterfaceDns dns(name_, placement_, world_);

		try {
			return config_.has_dns() && dns.has_place() && dns.get().value_or(DnsSettings()) != DnsSettings();
		} catch (const Failure &) {
			return false;
		}
	}

	/* The file may have lost its DNS since. */
	void unset_dns()
	{
		InterfaceDns dns(name_, placement_, world_);

		if (dns.has_place() && (config_.has_dns() || dns.is_ours()))
			steps_.run("unset " + dns.place(), [&] { dns.unset(); });
	}

	const QuickConfig &config_;
	const Placement &placement_;
	const std::string name_;
	World &world_;
	Host &host_;
	KillSwitch kill_switch_{name_, world_};
	Forwarding forwarding_{name_, world_};
	Steps steps_{world_, Steps::Tells::all, Steps::AtFailure::go_on};
};

}

void take_down(const QuickConfig &config, const Placement &placement, World &world)
{
	Down(config, placement, world).run();
}

}
