// SPDX-License-Identifier: GPL-2.0
/* DNS settings of one interface, wherever it is. */
#pragma once

#include "tunnel/placement.h"

namespace wgctl {

/* The DNS of an interface in its place: where wgctl is, the machine's; in another namespace with a
 * name, /etc/netns/NAME/resolv.conf, which `ip netns exec` shows its programs. The file that was there
 * is kept beside it. */
class InterfaceDns {
public:
	InterfaceDns(std::string interface, const Placement &placement, World &world);

	/* There is no place in a namespace without a name. */
	bool has_place() const { return is_here_ || !path_.empty(); }
	/* As Dns (model/machine.h) has them. */
	void set(const DnsSettings &settings);
	void unset();
	std::optional<DnsSettings> get();
	bool is_ours();
	/* What `set` does, for people. */
	std::string place() const { return is_here_ ? "the DNS of " + interface_ : path_; }

private:
	struct OwnFile {
		std::string path, text;
	};
	std::optional<OwnFile> find();
	Text others(const std::optional<OwnFile> &own);
	/* What was there before that interface's. */
	std::string kept(const std::string &interface) const { return path_ + ".before-" + interface; }

	std::string interface_, path_;
	bool is_here_;
	World &world_;
};

/* systemd-resolved may run while programs read a resolv.conf that is somebody else's: a server of that, when none of
 * `ours` is in it. */
std::optional<std::string> asked_instead_of(const std::vector<std::string> &ours, World &world);

}
