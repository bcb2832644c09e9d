// SPDX-License-Identifier: GPL-2.0
#include "hub/new_hub.h"

#include "config/config.h"
#include "hub/pool.h"
#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::uint16_t USUAL_PORT = 51820;
constexpr unsigned PRIVATE_FOLDER_MODE = 0700;
const std::string FOLDER = "/etc/wireguard";

bool is_broadcast(const Prefix &address)
{
	bool are_all_ones = address.family == AF_INET;

	for (unsigned bit = address.cidr; bit < 32; ++bit)
		are_all_ones = are_all_ones && (address.address[bit / 8] & (0x80 >> bit % 8));
	return are_all_ones;
}

/* In that network. */
Prefix own_address(const Prefix &network)
{
	Prefix address = network;

	if (is_default_route(network) || network.bits() - network.cidr < 2)
		throw Failure{"--address: " + format_prefix(network) + " is no network for a few machines: give one like 10.8.0.0/24 or fd00:8::/64"};
	if (is_broadcast(network))
		throw Failure{"--address: " + format_prefix(network) + " is the network's broadcast address: give another"};
	if (network_of(network) == network)
		address.address = next_free_address(network, {})->address;
	return address;
}

/* What is set up here already. */
class Neighbours {
public:
	explicit Neighbours(World &world) : world_(world)
	{
		for (const std::string &name : world.devices.names())
			running(name);
		for (const std::string &name : world.files.list(FOLDER))
			if (name.ends_with(".conf"))
				file(FOLDER + "/" + name);
		for (const auto &[link, address] : world.host.network.other_addresses(""))
			networks_.emplace_back(network_of(address), link);
	}

	void take(const Prefix &network)
	{
		for (const auto &[other, owner] : networks_)
			if (covers(network, other) || covers(other, network))
				throw Failure{"--address: " + format_prefix(network_of(network)) + " overlaps " + format_prefix(other) + " of " + owner +
					      ": give another network"};
		networks_.emplace_back(network_of(network), "this list");
	}
	const std::string *owner_of(std::uint16_t port) const
	{
		auto owner = ports_.find(port);
		return owner == ports_.end() ? nullptr : &owner->second;
	}

private:
	void running(const std::string &name)
	{
		try {
			ports_.emplace(world_.devices.get(name).listen_port.value_or(0), name);
		} catch (const Failure &) {
			/* It has just gone, or one may not look. */
		}
	}
	/* One that cannot be used takes nothing. */
	void file(const std::string &path)
	{
		QuickConfig config;

		config.path = path;
		config.interface = "other";
		try {
			config.text = read_config_file(path, world_.files);
			parse_quick_text(config, world_.files);
			ports_.emplace(parse_without_lookup(config, world_).listen_port.value_or(0), path);
		} catch (const Failure &) {
			return;
		}
		for (const Address &address : config.addresses)
			if (address.prefix.cidr < address.prefix.bits())
				networks_.emplace_back(network_of(address.prefix), path);
	}

	World &world_;
	std::map<std::uint16_t, std::string> ports_;
	std::vector<std::pair<Prefix, std::string>> networks_;
};

/* That of the endpoint, or the first from the usual one that nobody has. */
std::uint16_t choose_port(const std::string &endpoint, const Neighbours &neighbours)
{
	std::uint16_t port = USUAL_PORT;

	if (!endpoint.empty() && has_port(endpoint)) {
		port = *parse_number<std::uint16_t>(std::string_view(endpoint).substr(endpoint.rfind(':') + 1));
		if (const std::string *owner = neighbours.owner_of(port))
			throw Failure{"--endpoint: the port " + std::to_string(port) + " is that of " + *owner + ": give another"};
		return port;
	}
	while (neighbours.owner_of(port))
		++port;
	return port;
}

Text text_of(const HubWishes &wishes, const std::vector<Prefix> &addresses, const Neighbours &neighbours)
{
	refuse_url(wishes.endpoint, "--endpoint: ");
	std::string endpoint = with_brackets(wishes.endpoint);
	/* Comments right above a peer that somebody adds would be the peer's. */
	Text text = "[Interface]\n";

	if (!endpoint.empty())
		check_endpoint(has_port(endpoint) ? endpoint : endpoint + ":1", "--endpoint");
	std::string port = std::to_string(choose_port(endpoint, neighbours));
	if (!endpoint.empty())
		text.append("# Endpoint = ").append(endpoint).append(has_port(endpoint) ? "" : ":" + port).append("\n");
	text.append("# Forward = yes\n").append(wishes.masquerade ? "# Masquerade = yes\n" : "");
	text.append("PrivateKey = ").append(to_base64(random_private_key()));
	text.append("\nListenPort = ").append(port).append("\nAddress = ").append(format_prefixes(addresses)).append("\n");
	return text;
}

}

Hub make_hub(const HubWishes &wishes, World &world)
{
	Hub hub;
	QuickConfig &config = hub.config;
	std::vector<Prefix> addresses;

	find_new_quick_file(wishes.name, config, world);
	if (world.host.network.has_link(config.interface))
		throw Failure{"interface " + in_quotes(config.interface) + " already exists: give another name"};
	Neighbours neighbours(world);
	for (const Prefix &network : wishes.networks) {
		neighbours.take(network);
		addresses.push_back(own_address(network));
	}
	config.text = text_of(wishes, addresses, neighbours);
	parse_quick_text(config, world.files);
	hub.device = parse_without_lookup(config, world);
	hub.public_key = public_key_of(*hub.device.private_key);
	step("write " + config.path, [&] {
		if (config.path.starts_with(FOLDER + "/"))
			world.host.store.make_folder(FOLDER, PRIVATE_FOLDER_MODE);
		world.host.store.create(config.path, config.text, PRIVATE_MODE);
	});
	return hub;
}

}
