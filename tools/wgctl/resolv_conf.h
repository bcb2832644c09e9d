// SPDX-License-Identifier: GPL-2.0
/* The text form of DNS settings, resolv.conf(5), and where they are kept for an interface. */
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host.h"
#include "quick_config.h"

namespace wgctl {

struct Placement;

/* `others` is the text of the resolv.conf whose place this takes: search domains alone leave its servers
 * the ones that are asked. They are not read as the interface's own. */
std::string resolv_conf(const DnsSettings &settings, const std::string &interface, std::string_view others = {});
/* The one programs see where nothing has taken its place. */
inline const std::string RESOLV_CONF = "/etc/resolv.conf";
/* The text of such a file; empty when it cannot be read. */
Text read_resolv_conf(const std::string &path, World &world);
DnsSettings parse_resolv_conf(std::string_view text);

/* The same spelling for the same settings: addresses as the system writes them, names without their
 * last dot, nothing twice; "~.", all names, is what there is without it, too. */
DnsSettings canonical(const DnsSettings &settings);
/* "10.0.0.53, example.org": as in a file; "none" when empty. */
std::string describe(const DnsSettings &settings);

/* The DNS of an interface in its place: where wgctl is, the machine's; in another namespace with a
 * name, /etc/netns/NAME/resolv.conf, which `ip netns exec` shows its programs. The file that was there
 * is kept beside it. */
class InterfaceDns {
public:
	InterfaceDns(std::string interface, const Placement &placement, World &world);

	/* There is no place in a namespace without a name. */
	bool has_place() const { return is_here_ || !path_.empty(); }
	/* As Dns (host.h) has them. */
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

}
