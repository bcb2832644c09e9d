// SPDX-License-Identifier: GPL-2.0
/* Configuration files: whatever is in them, they are read or refused; what is written says what it was
 * written from; and who changes one thing changes nothing else.
 */
#include <arpa/inet.h>

#include "config/config.h"
#include "config/edit.h"
#include "config/expiry.h"
#include "config/merge.h"
#include "config/network_manager.h"
#include "config/networkd.h"
#include "config/quick_config.h"
#include "kernel/devices.h"
#include "kernel/userspace.h"
#include "tests/fuzz/fuzz.h"
#include "tunnel/bring_up.h"
#include "view/format.h"

namespace {

using namespace wgctl;
using namespace wgctl::fuzz;

const std::string PATH = "/etc/wireguard/wg0.conf";

Device parsed(std::string_view text, World &world)
{
	return parse_config(text, "file", FileMeaning::replace, world);
}

/* A userspace implementation that has what it was told. */
struct Echo : ConfigSockets {
	Text told;

	std::vector<std::string> names() override { return {"wg0"}; }
	bool exists(const std::string &) override { return true; }
	Text exchange(const std::string &, std::string_view request) override
	{
		if (request.starts_with("get"))
			return Text(told).append("errno=0\n\n");
		must(request.starts_with("set=1\n") && request.ends_with("\n\n"), "a request has a first and a last line");
		told = request.substr(6, request.size() - 7);
		return Text("errno=0\n\n");
	}
};

/* What a device has, others show, and take. */
void speaks_every_dialect(const Device &change, FakeWorld &fake)
{
	Echo sockets;
	UserspaceDevices userspace(sockets);
	Device named = change;

	must_equal(outcome(parsed(format_config(settled(change)), fake)), outcome(change), "showconf shows what is there");
	named.name = "wg0";
	userspace.set(named);
	/* The answer does not repeat what only changes say. */
	Device back = userspace.get("wg0");
	for (Peer &peer : back.peers)
		peer.replace_allowed_ips = true;
	must_equal(outcome(back), outcome(change), "a userspace implementation is told what the file says");
}

/* What `down` would do with the file, were the interface like this. */
struct Running {
	Device device;
	LinkState link;
};

Running as_the_file_says(const QuickConfig &config, const Device &wanted)
{
	Running running{settled(wanted), {{}, config.mtu.value_or(1420)}};

	for (const Address &address : config.addresses)
		if (std::find(running.link.addresses.begin(), running.link.addresses.end(), address.prefix) == running.link.addresses.end())
			running.link.addresses.push_back(address.prefix);
	return running;
}

std::string in_words(const Running &running, bool with_mtu)
{
	std::set<std::string> addresses;
	std::string text = outcome(running.device) + "addresses";

	for (const Prefix &address : running.link.addresses)
		addresses.insert(format_prefix(address));
	for (const std::string &address : addresses)
		text += " " + address;
	return text + (with_mtu ? " mtu " + std::to_string(running.link.mtu) : "") + "\n";
}

/* Something else in every place that can change. */
Running otherwise(Running running, std::size_t seed, FakeWorld &fake)
{
	Device &device = running.device;
	auto wants = [&seed] { return (seed = seed * 6364136223846793005u + 1442695040888963407u) >> 63; };

	if (wants())
		device.listen_port = wants() ? 0 : 4711;
	if (wants())
		device.fwmark = wants() ? 0 : 0x77;
	if (wants())
		device.private_key = wants() ? std::nullopt : std::optional(test_key(0x48));
	if (wants() && !device.peers.empty())
		device.peers.erase(device.peers.begin());
	for (Peer &peer : device.peers) {
		if (wants())
			peer.endpoint = wants() ? parse_endpoint("[2001:db8::1]:9", fake) : parse_endpoint("198.51.100.1:9", fake);
		if (wants())
			peer.preshared_key = wants() ? std::nullopt : std::optional(test_key(0x49));
		if (wants())
			peer.persistent_keepalive = wants() ? 0 : 21;
		if (wants() && !peer.allowed_ips.empty())
			peer.allowed_ips.erase(peer.allowed_ips.begin());
	}
	if (wants()) {
		Peer &peer = device.peers.emplace_back();
		peer.public_key = test_key(0x4a);
		peer.allowed_ips = {test_prefix("203.0.113.0/24"), test_prefix("2001:db8:7::/48")};
	}
	if (wants() && !running.link.addresses.empty())
		running.link.addresses.erase(running.link.addresses.begin());
	if (wants())
		running.link.addresses.push_back(test_prefix("203.0.113.1/24"));
	if (wants())
		running.link.mtu = 1380;
	running.device = settled(device);
	return running;
}

QuickConfig reread(std::string_view text, FakeWorld &fake)
{
	fake.files.contents[PATH] = text;
	return read_quick_config("wg0", fake);
}

std::string hooks_of(const QuickConfig &config)
{
	std::string text;

	for (const std::vector<Hook> *hooks : {&config.pre_up, &config.post_up, &config.pre_down, &config.post_down})
		for (const Hook &hook : *hooks)
			text += std::string(hook.key) + " " + hook.command + "\n";
	for (const std::vector<std::string> *list : {&config.dns_servers, &config.dns_domains})
		for (const std::string &item : *list)
			text += item + "\n";
	return text;
}

/* Names stay in the file, wherever they pointed: what the interface has for them does not matter. */
void forget_kept_endpoints(std::string_view text, Device &a, Device &b)
{
	in6_addr address;

	for (Device *device : {&a, &b})
		for (Peer &peer : device->peers)
			for (const std::string &value : values_of(text, peer.public_key, "Endpoint", Spelled::either_way)) {
				std::string host = value.substr(0, value.rfind(':'));
				host = host.starts_with('[') ? host.substr(1, host.find_first_of("]%") - 1) : host;
				if (inet_pton(AF_INET, host.c_str(), &address) != 1 && inet_pton(AF_INET6, host.c_str(), &address) != 1)
					peer.endpoint.reset();
			}
	/* Whoever was never heard from keeps what the file has. */
	for (Peer &peer : b.peers)
		for (Peer &other : a.peers)
			if (other.public_key == peer.public_key && !peer.endpoint)
				other.endpoint.reset();
}

bool is_mark_chosen(const QuickConfig &config, const Device &device)
{
	bool is_said = false, is_needed = false;

	for_each_line(config.text, [&](std::string_view raw) { is_said = is_said || read_config_line(raw).is_value("FwMark"); });
	for (const Peer &peer : device.peers)
		is_needed = is_needed || std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), is_default_route);
	return !is_said && is_needed && config.routing == Routing::automatic;
}

void saved(const QuickConfig &config, const Running &running, FakeWorld &fake)
{
	Text text = merged_config(config, running.device, running.link, fake);
	QuickConfig again = reread(text, fake);
	Device admitted = parse_config(again.plain_text, PATH, FileMeaning::replace, fake);
	leave_out_expired(admitted.peers, again, fake);
	Running after = as_the_file_says(again, admitted), before = running;

	/* A mark that `up` chose is not saved. */
	if (is_mark_chosen(config, running.device))
		before.device.fwmark = after.device.fwmark;
	forget_kept_endpoints(text, after.device, before.device);
	must_equal(in_words(after, config.mtu.has_value()), in_words(before, config.mtu.has_value()), "the saved file says what the interface has");
	must_equal(hooks_of(again), hooks_of(config), "save leaves hooks and DNS alone");
	must(again.save == config.save && again.routing == config.routing && again.table == config.table, "save leaves the rest alone");
	must_equal(merged_config(again, running.device, running.link, fake), text, "saving twice is saving once");
}

/* Each section, key and prefix once: nothing the device would have to choose from. */
bool is_plain(const QuickConfig &config, const Device &wanted)
{
	std::map<std::string, int> seen;
	std::size_t interfaces = 0;

	for_each_line(config.text, [&](std::string_view raw) {
		ConfigLine line = read_config_line(raw);
		interfaces += line.kind == ConfigLine::Kind::section && line.is_section("[Interface]");
	});
	for (const Peer &peer : wanted.peers) {
		++seen[std::string(std::string_view(to_base64(peer.public_key)))];
		for (const Prefix &prefix : peer.allowed_ips)
			++seen[format_prefix(network_of(prefix))];
	}
	for (const Address &address : config.addresses)
		++seen["address " + format_prefix(address.prefix)];
	return interfaces == 1 && config.text.ends_with('\n') &&
	       std::all_of(seen.begin(), seen.end(), [](const auto &entry) { return entry.second == 1; });
}

void quick_file(std::string_view text, std::size_t seed, FakeWorld &fake)
{
	QuickConfig config = reread(text, fake);
	text = config.text;	/* a byte order mark ends where the file is read */
	Device wanted = parse_config(config.plain_text, PATH, FileMeaning::replace, fake);
	leave_out_expired(wanted.peers, config, fake);

	must(std::count(config.text.begin(), config.text.end(), '\n') <= std::count(config.plain_text.begin(), config.plain_text.end(), '\n'),
	     "the plain text has the same lines");
	must_equal(outcome(parse_config(strip_quick_keys(text), "file", FileMeaning::replace, fake)),
		   outcome(parse_config(config.plain_text, "file", FileMeaning::replace, fake)), "strip leaves what setconf is told");

	Running running = as_the_file_says(config, wanted);
	if (is_plain(config, wanted))
		must_equal(merged_config(config, running.device, running.link, fake), text, "saving what the file says changes nothing");
	saved(config, running, fake);
	saved(config, otherwise(running, seed, fake), fake);
}

Device without(Device device, const Key &key)
{
	std::erase_if(device.peers, [&](const Peer &peer) { return peer.public_key == key; });
	return device;
}

void edited(std::string_view text, FakeWorld &fake)
{
	Device before = parsed(text, fake);
	PeerNames names = parse_peer_names(text);
	Peer added;

	added.public_key = test_key(77);
	added.allowed_ips = {test_prefix("203.0.113.1/32")};
	added.replace_allowed_ips = true;
	if (!std::count_if(before.peers.begin(), before.peers.end(), [&](const Peer &p) { return p.public_key == added.public_key; })) {
		Text more = with_peer(text, "new", added);
		Device after = before;
		after.peers.push_back(added);
		must_equal(outcome(parsed(more, fake)), outcome(after), "a peer more is a peer more");
		must(parse_peer_names(more)[added.public_key] == "new", "and has its name");
		must(find_peer("new", more, "file") == added.public_key || names.size(), "by which it is found");
		Text less = without_peer(more, added.public_key);
		must(less.starts_with(text.substr(0, text.find_last_not_of('\n') + 1)) && less.size() <= text.size() + 2, "added and removed is as it was");
		must(parse_peer_names(less) == names, "with the same names");
	}
	for (const Peer &peer : before.peers) {
		Text out = with_disabled(text, peer.public_key);
		must_equal(outcome(parsed(out, fake)), outcome(without(before, peer.public_key)), "a disabled peer is nobody");
		must(parse_peer_names(out) == names, "and keeps its name");
		if (!disabled_peers(text).contains(peer.public_key) && text.find(DISABLED) == text.npos)
			must_equal(with_enabled(out, {peer.public_key}), text, "disabled and enabled is as it was");
		Text less = without_peer(text, peer.public_key);
		must_equal(outcome(parsed(less, fake)), outcome(without(before, peer.public_key)), "a peer less is a peer less");
		PeerNames fewer = names;
		fewer.erase(peer.public_key);
		must(parse_peer_names(less) == fewer, "the others keep their names");
		Text kept = with_value(text, peer.public_key, "PersistentKeepalive", "7");
		Device after = before;
		after.peers.emplace_back().public_key = peer.public_key;
		after.peers.back().persistent_keepalive = 7;
		must_equal(outcome(parsed(kept, fake)), outcome(after), "a peer's value changes");
		must_equal(with_value(kept, peer.public_key, "PersistentKeepalive", "7"), kept, "once");
		if (peer_with(test_key(78), before.peers))
			continue;
		Device renamed = before;
		for (Peer &other : renamed.peers)
			if (other.public_key == peer.public_key)
				other.public_key = test_key(78);
		must_equal(outcome(parsed(with_public_key(text, peer.public_key, test_key(78)), fake)), outcome(renamed),
			   "a peer's new key is the key of all it has");
	}
	Text changed;
	if (fails([&] { changed = with_value(text, {}, "ListenPort", "7"); }))
		return;
	Device after = before;
	after.listen_port = 7;
	must_equal(outcome(parsed(changed, fake)), outcome(after), "the interface's value changes");
	must_equal(with_value(changed, {}, "ListenPort", "7"), changed, "once");
}

/* In other programs' words, and back. */
void translated(std::string_view text, FakeWorld &fake)
{
	QuickConfig config = reread(text, fake);
	Device device = parse_without_lookup(config, fake);
	PeerNames names = parse_peer_names(config.text);
	auto words = [](const QuickConfig &one, const Device &of) {
		std::string all = outcome(of);
		for (const Peer &peer : of.peers)
			all += "endpoint " + peer.endpoint_name + "\n";
		/* NetworkManager's are apart by family. */
		std::set<std::string> addresses;
		for (const Address &address : one.addresses)
			addresses.insert(format_prefix(address.prefix));
		addresses.insert(one.dns_servers.begin(), one.dns_servers.end());
		for (const std::string &address : addresses)
			all += address + "\n";
		for (Route route : ways_of(one, of).routes)
			if (std::none_of(one.addresses.begin(), one.addresses.end(), [&](const Address &a) { return reaches(a.prefix, route.destination); }))
				all += format_prefix(route.destination) + " " + std::to_string(route.table) + "\n";
		return all + std::to_string(ways_of(one, of).rules.size()) + " " + std::to_string(one.mtu.value_or(0));
	};

	for (bool by_networkd : {false, true}) {
		std::vector<Exported> files;
		if (by_networkd)
			files = export_networkd(config, device, names);
		else if (fails([&] { files.push_back(export_network_manager(config, device, names)); }))
			continue;
		for (const Exported &file : files)
			fake.files.contents[file.name] = file.text;
		Imported back = by_networkd ? import_networkd("wg0.netdev", "wg0.network", fake) : import_network_manager("wg0.nmconnection", fake);
		QuickConfig again = reread(back.text, fake);
		Device wanted = device;
		if (by_networkd && !ways_of(config, device).rules.empty() && !device.fwmark.value_or(0))
			wanted.fwmark = 51820;
		must_equal(words(again, parse_without_lookup(again, fake)), words(config, wanted), "exported and imported is as it was");
		must(parse_peer_names(back.text) == names || names.size() != parse_peer_names(back.text).size(), "with the same names");
	}
}

/* Whatever is wrong, its line is named and no secret told. */
void read_or_refused(std::string_view text, FakeWorld &fake)
{
	std::set<std::string> secrets = secrets_in(text);
	auto check = [&](const std::string &words) {
		if (words.empty())
			return;
		must(is_harmless(words), "a failure steers no terminal");
		for (const std::string &secret : secrets)
			must(words.find(secret) == words.npos || is_elsewhere(secret, text), "a failure tells no secret");
	};

	std::string words = failure_of([&] { parsed(text, fake); });
	must(words.empty() || words.starts_with("file:"), "a failure names file and line");
	check(words);
	check(failure_of([&] { parse_without_lookup(reread(text, fake), fake); }));
	fake.files.contents["file"] = text;
	check(failure_of([&] { import_networkd("file", "file", fake); }));
	check(failure_of([&] { import_network_manager("file", fake); }));
	must(is_harmless(fake.terminal.err), "a warning steers no terminal");
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	std::string_view text(reinterpret_cast<const char *>(data), size);
	std::size_t seed = std::hash<std::string_view>{}(text);
	FakeWorld fake;

	read_or_refused(text, fake);
	strip_quick_keys(text);
	for (const auto &[key, name] : parse_peer_names(text))
		must(is_harmless(name) && !name.empty(), "a name can be printed");
	if (!fails([&] { parsed(text, fake); })) {
		works([&] { speaks_every_dialect(parsed(text, fake), fake); });
		works([&] { edited(text, fake); });
	}
	if (!fails([&] { parse_without_lookup(reread(text, fake), fake); }) &&
	    !fails([&] { parse_config(reread(text, fake).plain_text, "file", FileMeaning::replace, fake); }))
		works([&] { quick_file(text, seed, fake); });
	if (text.find('\\') == text.npos && !fails([&] { parse_without_lookup(reread(text, fake), fake); }))
		works([&] { translated(text, fake); });
	return 0;
}
