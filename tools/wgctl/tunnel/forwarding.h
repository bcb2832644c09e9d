// SPDX-License-Identifier: GPL-2.0
/* Passing packets on between a tunnel and the rest of the world: the kernel's switches, and masquerading.
 *
 * Each interface that wants it has an nftables table, which masquerades if it should. One more table says
 * what has been switched on, in the name of a chain each: it is there before that is done, and until it is
 * undone, whoever fails or is killed between. The last interface that goes takes all of it back, unless a
 * table of somebody else's forwards, too, that did not before.
 */
#pragma once

#include <string>
#include <vector>

#include "config/quick_config.h"
#include "model/machine.h"
#include "tunnel/filter_table.h"
#include "tunnel/steps.h"

namespace wgctl {

struct ForwardingWishes {
	bool masquerade = false;
	/* The IP versions to forward. */
	std::vector<std::uint16_t> families;
};
/* Those of the file's addresses. */
ForwardingWishes forwarding_wishes(const QuickConfig &config);

/* In the namespace of the interface. */
class Forwarding {
public:
	Forwarding(std::string interface, World &world);

	const std::string &table() const { return table_.name(); }
	bool is_there() { return table_.is_there(); }
	/* What of it is not as it should be, as people call it. */
	std::vector<std::string> missing_parts(const ForwardingWishes &wishes);
	/* Makes what is missing. */
	void make(const ForwardingWishes &wishes, Steps &steps);
	void remove(Steps &steps);

private:
	std::string value_of(const std::string &sysctl);
	bool is_on(std::uint16_t family) { return value_of(switch_of(family)) != "0"; }
	static std::string switch_of(std::uint16_t family);
	std::vector<std::string> changed_along(std::uint16_t family);
	void turn_on(std::uint16_t family, Steps &steps);
	[[nodiscard]] bool turn_back(std::vector<std::string> sysctls, Steps &steps);
	bool set(const std::string &sysctl, const std::string &value, Steps &steps);
	bool is_needed_by_others_of_ours();
	std::vector<std::string> others_that_forward();

	std::string interface_;
	FilterTable table_, before_;
	World &world_;
};

/* The nftables commands; part of the interface for tests. */
std::string forwarding_setup(const std::string &interface, bool masquerade);

}
