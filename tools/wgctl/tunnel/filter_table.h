// SPDX-License-Identifier: GPL-2.0
/* One table of nftables that is ours as a whole: it is made, replaced and removed in one transaction. */
#pragma once

#include <string>
#include <string_view>

#include "model/machine.h"
#include "tunnel/steps.h"

namespace wgctl {

class FilterTable {
public:
	/* With its family: "ip NAME". */
	FilterTable(std::string name, World &world) : name_(std::move(name)), nftables_(world.host.filter) {}

	const std::string &name() const { return name_; }
	std::string listing() { return nftables_.list(name_); }
	bool is_there() { return !listing().empty(); }
	/* Makes it by the commands of `setup`, unless it is as they have it. */
	void make(const std::string &setup, Steps &steps);
	void remove(Steps &steps);

private:
	std::string name_;
	Filter &nftables_;
};

/* An interface's name as part of a table's. */
std::string name_in_nftables(const std::string &interface);
/* Does the listing of a table have the rules of these commands, and no others? */
bool is_as_set_up(std::string_view listing, std::string_view setup);

}
