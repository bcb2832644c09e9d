// SPDX-License-Identifier: GPL-2.0
#include "tunnel/take_down.h"

#include <algorithm>

#include "config/merge.h"
#include "model/values.h"
#include "tunnel/default_route.h"
#include "tunnel/hooks.h"
#include "tunnel/interface_dns.h"

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
		Device device = get_device();

		attempt("read the nftables tables", [&] { delete_filters(); });
		if (device.fwmark.value_or(0) && config_.routing == Routing::automatic)
			for (std::uint16_t family : FAMILIES)
				attempt("read the rules", [&] { delete_rules(family, *device.fwmark); });
		attempt("look for the DNS of " + name_, [&] { unset_dns(); });
		bool is_gone = tell_and_attempt("delete interface " + name_, [&] { host_.network.delete_link(name_); });
		forget_notes(name_, world_);
		/* They undo what PostUp did, whatever else could not be undone. */
		if (is_gone)
			run_hooks(config_, config_.post_down, world_);
		if (failed_)
			throw Failure{name_ + " is not down as a whole: see above"};
	}

private:
	/* Somebody deleted the interface, or its program ended: what stood beside it is still there. */
	void clear_away()
	{
		std::vector<std::pair<std::uint16_t, std::uint32_t>> marks;

		for (std::uint16_t family : FAMILIES)
			if (std::optional<std::uint32_t> mark = mark_of_filter(host_.filter.list((family == AF_INET6 ? "ip6 " : "ip ") + filter_table(name_))))
				marks.emplace_back(family, *mark);
		if (marks.empty())
			throw Failure{"there is no WireGuard interface " + in_quotes(name_) + ": nothing to take down"};
		host_.shell.hold_signals();
		for (const auto &[family, mark] : marks)
			attempt("read the rules", [&] { delete_rules(family, mark); });
		attempt("read the nftables tables", [&] { delete_filters(); });
		run_hooks(config_, config_.post_down, world_);
		if (failed_)
			throw Failure{"what " + name_ + " left behind is not gone as a whole: see above"};
	}

	Device get_device()
	{
		return step("read interface " + name_, [&] { return world_.devices.get(name_); });
	}

	/* Only now: a hook may have changed the file. */
	void save()
	{
		world_.terminal.write(Stream::err, "[#] save the configuration to " + config_.path + "\n");
		step("save the configuration to " + config_.path, [&] { save_config(config_, world_); });
	}

	template<class Action>
	bool attempt(const std::string &what, Action action)
	{
		try {
			step(what, action);
			return true;
		} catch (const Failure &failure) {
			complain(failure.text, world_.terminal);
			failed_ = true;
			return false;
		}
	}
	template<class Action>
	bool tell_and_attempt(const std::string &what, Action action)
	{
		world_.terminal.write(Stream::err, "[#] " + what + "\n");
		return attempt(what, action);
	}

	void delete_filters()
	{
		std::vector<std::string> tables = host_.filter.tables();
		for (const std::string &table : {"ip " + filter_table(name_), "ip6 " + filter_table(name_)})
			if (std::find(tables.begin(), tables.end(), table) != tables.end())
				tell_and_attempt("delete nftables table " + table, [&] { host_.filter.run("delete table " + table + "\n"); });
	}

	void delete_rules(std::uint16_t family, std::uint32_t mark)
	{
		RulePair pair = find_rules(host_.network.rules(family), mark);
		std::string version = family == AF_INET6 ? "IPv6" : "IPv4";

		if (!pair.unmarked)
			return;
		tell_and_attempt("delete the " + version + " rules of " + name_, [&] {
			host_.network.delete_rule(*pair.unmarked);
			if (pair.specific)
				host_.network.delete_rule(*pair.specific);
		});
	}

	/* The file may have lost its DNS since. */
	void unset_dns()
	{
		InterfaceDns dns(name_, placement_, world_);

		if (dns.has_place() && (config_.has_dns() || dns.is_ours()))
			tell_and_attempt("unset " + dns.place(), [&] { dns.unset(); });
	}

	const QuickConfig &config_;
	const Placement &placement_;
	const std::string name_;
	World &world_;
	Host &host_;
	bool failed_ = false;
};

}

void take_down(const QuickConfig &config, const Placement &placement, World &world)
{
	Down(config, placement, world).run();
}

}
