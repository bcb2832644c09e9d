// SPDX-License-Identifier: GPL-2.0
/* The kill switch: one nftables table that lets nothing leave this machine but by the tunnel.
 *
 * `up` closes it before anything else; from then on it stays, whatever fails or is killed, until `down`
 * opens it. It knows the tunnel by the link's name, so the link need not be there, and the tunnel's own
 * packets by their mark, so that the interface always has one. What else passes: loopback, what it takes to
 * get and keep an address, the networks that the file excepts, and out of the tunnel the answers to what went into
 * it for others, say containers. Connections from before do not.
 */
#pragma once

#include <string>
#include <vector>

#include "model/machine.h"
#include "tunnel/filter_table.h"
#include "tunnel/steps.h"

namespace wgctl {

/* In the namespace of the interface. */
class KillSwitch {
public:
	KillSwitch(std::string interface, World &world);

	const std::string &table() const { return table_.name(); }
	bool is_closed() { return table_.is_there(); }
	/* `mark`: that of the tunnel's own packets; 0: they leave elsewhere. */
	bool is_closed_as(std::uint32_t mark, const std::vector<Prefix> &excepted);
	void close(std::uint32_t mark, const std::vector<Prefix> &excepted, Steps &steps);
	void open(Steps &steps) { table_.remove(steps); }

	/* Asks the machine's name servers with the mark. Nobody, when it is open: then the system's resolver can. */
	std::vector<Endpoint> ask_past(std::uint32_t mark, const std::string &host, const std::string &port);

private:
	std::string interface_;
	FilterTable table_;
	World &world_;
};

/* Finds names even when the switch is closed. */
class ResolverPast : public Resolver {
public:
	ResolverPast(KillSwitch kill_switch, std::uint32_t mark, Resolver &resolver) : kill_switch_(std::move(kill_switch)), mark_(mark), resolver_(resolver) {}
	int lookup(const char *host, const char *service, Endpoint &result) override;

private:
	KillSwitch kill_switch_;
	std::uint32_t mark_;
	Resolver &resolver_;
};

/* The nftables commands; part of the interface for tests. */
std::string kill_switch_setup(const std::string &interface, std::uint32_t mark, const std::vector<Prefix> &excepted);

}
