// SPDX-License-Identifier: GPL-2.0
#include "tunnel/filter_table.h"

#include <set>

#include "model/values.h"

namespace wgctl {

/* Chains and rules of a listing, or of the commands that make one; without what is said in one version of
 * nftables and not in another. */
static std::multiset<std::string> rules_of(std::string_view text)
{
	static const std::set<std::string> LEFT_OUT{"{", "}", "meta", "policy", "accept;"};
	std::multiset<std::string> rules;
	std::string chain;

	for_each_line(text, [&](std::string_view line) {
		std::vector<std::string> words = list_items(line);
		if (words.empty() || words[0] == "table" || (words.size() > 1 && words[1] == "table"))
			return;
		std::size_t place = words[0] == "add" ? 4 : words[0] == "chain" ? 1 : 0;
		std::string rule;
		chain = place ? words[place] : chain;
		for (std::size_t i = place ? place + 1 : 0; i < words.size(); ++i)
			rule += LEFT_OUT.contains(words[i]) ? "" : " " + words[i];
		if (!rule.empty())
			rules.insert(chain + rule);
	});
	return rules;
}

bool is_as_set_up(std::string_view listing, std::string_view setup)
{
	return rules_of(listing) == rules_of(setup);
}

/* What nftables does not take in a name is written in hexadecimal, behind a slash, which no interface has. */
std::string name_in_nftables(const std::string &interface)
{
	std::string name;

	for (char c : interface) {
		if (c == '=')
			name += "/3d";
		else if (c == '+')
			name += "/2b";
		else
			name += c;
	}
	return name;
}

void FilterTable::make(const std::string &setup, Steps &steps)
{
	std::string before = listing(), without_old = "add table " + name_ + "\ndelete table " + name_ + "\n";

	if (!before.empty() && is_as_set_up(before, setup))
		return;
	if (before.empty()) {
		steps.run("add nftables table " + name_, [&] { nftables_.run(setup); });
		steps.undo_by("delete nftables table " + name_, [&nftables = nftables_, name = name_] { nftables.run("delete table " + name + "\n"); });
	} else {
		steps.run("replace nftables table " + name_, [&] { nftables_.run(without_old + setup); });
		steps.undo_by("restore nftables table " + name_, [&nftables = nftables_, without_old, before] { nftables.run(without_old + before); });
	}
}

void FilterTable::remove(Steps &steps)
{
	std::string before = listing();

	if (before.empty())
		return;
	steps.run("delete nftables table " + name_, [&] { nftables_.run("delete table " + name_ + "\n"); });
	steps.undo_by("restore nftables table " + name_, [&nftables = nftables_, before] { nftables.run(before); });
}

}
