// SPDX-License-Identifier: GPL-2.0
/* Configuration: a SET is a transaction, a dump is the truth, and both scale. */
#include "scenario.h"
#include <algorithm>
#include <chrono>
#include <cstring>

using namespace sim;

namespace {

constexpr int EINVAL_ = -22, ENOMEM_ = -12, EOPNOTSUPP_ = -95, EPFNOSUPPORT_ = -96, EPERM_ = -1, EADDRINUSE_ = -98, EAGAIN_ = -11, EBUSY_ = -16;

/* What SET means, one entry after the other, in the simplest way. */
struct Settings {
	std::optional<Key> private_key, public_key;
	u16 listen_port = 0;
	u32 fwmark = 0;
	std::vector<ShownPeer> peers;

	ShownPeer *find(const Key &key)
	{
		for (ShownPeer &peer : peers)
			if (peer.public_key == key)
				return &peer;
		return nullptr;
	}
	void remove(const Key &key)
	{
		std::erase_if(peers, [&](const ShownPeer &peer) { return peer.public_key == key; });
	}
	void apply(const Request &request, const std::map<Key, Key> &public_of)
	{
		if (request.flags.value_or(0) & WGDEVICE_F_REPLACE_PEERS)
			peers.clear();
		if (request.listen_port)
			listen_port = *request.listen_port;
		if (request.fwmark)
			fwmark = *request.fwmark;
		if (request.private_key) {
			bool none = std::all_of(request.private_key->begin(), request.private_key->end(), [](u8 byte) { return byte == 0; });

			private_key = none ? std::nullopt : std::optional<Key>(*request.private_key);
			public_key = none ? std::nullopt : std::optional<Key>(public_of.at(*request.private_key));
			if (public_key)
				remove(*public_key);
		}
		for (const PeerRequest &entry : request.peers)
			apply(entry);
	}
	void apply(const PeerRequest &entry)
	{
		u32 flags = entry.flags.value_or(0);
		ShownPeer *peer = find(entry.public_key);

		if (!peer) {
			if (flags & (WGPEER_F_REMOVE_ME | WGPEER_F_UPDATE_ONLY) || (public_key && *public_key == entry.public_key))
				return;
			peers.push_back({});
			peer = &peers.back();
			peer->public_key = entry.public_key;
			peer->preshared_key = Key(32);
		}
		if (flags & WGPEER_F_REMOVE_ME) {
			remove(entry.public_key);
			return;
		}
		if (entry.preshared_key)
			peer->preshared_key = *entry.preshared_key;
		if (entry.endpoint)
			peer->endpoint = entry.endpoint;
		if (flags & WGPEER_F_REPLACE_ALLOWEDIPS)
			peer->allowed_ips.clear();
		for (AllowedIp ip : entry.allowed_ips) {
			for (u32 bit = ip.bits; bit < ip.address.size() * 8; bit++)
				ip.address[bit / 8] &= static_cast<u8>(~(0x80u >> bit % 8));
			bool remove_it = ip.flags.value_or(0) & WGALLOWEDIP_F_REMOVE_ME;
			bool had = std::find(peer->allowed_ips.begin(), peer->allowed_ips.end(), ip) != peer->allowed_ips.end();

			if (!remove_it && had)
				continue;
			for (ShownPeer &owner : peers)
				if (!remove_it || &owner == peer)
					std::erase(owner.allowed_ips, ip);
			ip.flags.reset();
			if (!remove_it)
				peer->allowed_ips.push_back(ip);
		}
		if (entry.persistent_keepalive)
			peer->persistent_keepalive = *entry.persistent_keepalive;
	}
};

void sort(std::vector<AllowedIp> &ips)
{
	std::sort(ips.begin(), ips.end(), [](const AllowedIp &a, const AllowedIp &b) {
		return std::tie(a.family, a.address, a.bits) < std::tie(b.family, b.address, b.bits);
	});
}

void expect_same(Shown shown, Settings settings)
{
	EXPECT(shown.private_key == settings.private_key);
	EXPECT(shown.public_key == settings.public_key);
	EXPECT(shown.fwmark == settings.fwmark);
	if (settings.listen_port)
		EXPECT(shown.listen_port == settings.listen_port);
	if (shown.peers.size() != settings.peers.size())
		fail("%zu peers are shown, %zu should be", shown.peers.size(), settings.peers.size());
	for (size_t i = 0; i < settings.peers.size(); i++) {
		ShownPeer &a = shown.peers[i], &b = settings.peers[i];

		EXPECT(a.public_key == b.public_key);
		EXPECT(a.preshared_key == b.preshared_key);
		EXPECT(a.persistent_keepalive == b.persistent_keepalive);
		EXPECT(a.endpoint == b.endpoint);
		sort(a.allowed_ips);
		sort(b.allowed_ips);
		EXPECT(a.allowed_ips == b.allowed_ips);
	}
}

/* Requests over few keys and few prefixes, so that they meet. */
struct Requests {
	Random &random;
	std::vector<Key> private_keys, public_keys;
	std::map<Key, Key> public_of;

	explicit Requests(Random &random) : random(random)
	{
		for (int i = 0; i < 6; i++) {
			Key private_key, public_key;

			make_keys(random, private_key, public_key);
			private_keys.push_back(private_key);
			public_keys.push_back(public_key);
			public_of[private_key] = public_key;
		}
	}
	AllowedIp allowed_ip()
	{
		AllowedIp ip;

		if (random.chance(500)) {
			ip.family = 2;
			ip.address = {10, static_cast<u8>(random.below(2)), static_cast<u8>(random.below(3)), static_cast<u8>(random.below(3))};
			ip.bits = static_cast<u8>(random.chance(300) ? random.below(33) : 22 + random.below(11));
		} else {
			ip.family = 10;
			ip.address.assign(16, 0);
			ip.address[0] = 0xfd;
			ip.address[random.below(16)] ^= static_cast<u8>(random.below(4));
			ip.bits = static_cast<u8>(random.chance(300) ? random.below(129) : 120 + random.below(9));
		}
		if (random.chance(250))
			ip.flags = random.chance(500) ? u32{WGALLOWEDIP_F_REMOVE_ME} : 0u;
		return ip;
	}
	PeerRequest peer()
	{
		PeerRequest entry;

		entry.public_key = public_keys[random.below(public_keys.size())];
		if (random.chance(300)) {
			entry.preshared_key = Key(32);
			if (random.chance(700))
				random.fill(entry.preshared_key->data(), 32);
		}
		if (random.chance(400))
			entry.flags = static_cast<u32>(random.below(8));
		if (random.chance(300)) {
			wg_endpoint endpoint{};

			endpoint.family = random.chance(500) ? 4 : 6;
			endpoint.port = static_cast<u16>(random.between(1, 65535));
			random.fill(endpoint.address, endpoint.family == 4 ? 4 : 16);
			entry.endpoint = sockaddr_of(endpoint);
		}
		if (random.chance(200))
			entry.persistent_keepalive = static_cast<u16>(random.chance(300) ? 0 : random.between(1000, 65535));
		if (random.chance(200))
			entry.protocol_version = 1;
		for (u64 count = random.below(6); count > 0; count--)
			entry.allowed_ips.push_back(allowed_ip());
		if (random.chance(100))
			entry.pins_endpoint = static_cast<u8>(random.below(2));
		if (random.chance(100))
			entry.dscp = static_cast<u8>(random.below(65));
		if (random.chance(100))
			entry.opened_mark = entry.outer_mark = static_cast<u32>(random.next());
		return entry;
	}
	Request request()
	{
		Request it;

		if (random.chance(250))
			it.private_key = random.chance(150) ? Key(32) : private_keys[random.below(private_keys.size())];
		if (random.chance(150))
			it.listen_port = static_cast<u16>(random.between(1000, 1010));
		if (random.chance(150))
			it.fwmark = static_cast<u32>(random.next());
		if (random.chance(150))
			it.flags = random.chance(500) ? u32{WGDEVICE_F_REPLACE_PEERS} : 0u;
		for (u64 count = random.below(5); count > 0; count--)
			it.peers.push_back(peer());
		return it;
	}
	/* Breaks @it somewhere; returns the errno it must be refused with. */
	int spoil(Request &it)
	{
		while (it.peers.empty())
			it.peers.push_back(peer());
		PeerRequest &entry = it.peers[random.below(it.peers.size())];
		switch (random.below(14)) {
		case 11: entry.dscp = static_cast<u8>(random.between(65, 255)); return EINVAL_;
		case 12: it.generation = static_cast<u32>(-1); return EAGAIN_;
		case 13: it.bind_address = std::vector<u8>(4, 1); return EBUSY_;
		case 0: it.flags = 2u << random.below(31); return EOPNOTSUPP_;
		case 1: entry.flags = 8u << random.below(29); return EOPNOTSUPP_;
		case 2: entry.protocol_version = static_cast<u32>(random.chance(500) ? 0 : 2); return EPFNOSUPPORT_;
		case 3: entry.endpoint = std::vector<u8>(random.chance(500) ? 16 : 28, 7); return EINVAL_;
		case 4:
			entry.allowed_ips.push_back({2, {1, 2, 3, 4}, 33, {}});
			return EINVAL_;
		case 5:
			entry.allowed_ips.push_back({10, std::vector<u8>(16), 129, {}});
			return EINVAL_;
		case 6:
			entry.allowed_ips.push_back({10, {1, 2, 3, 4}, 32, {}});
			return EINVAL_;
		case 7:
			entry.allowed_ips.push_back({static_cast<u16>(random.chance(500) ? 3 : 7), {1, 2, 3, 4}, 32, {}});
			return EINVAL_;
		case 8: entry.preshared_key = Key(31, 7); return EINVAL_;
		case 9: it.private_key = Key(31, 7); return EINVAL_;
		default:
			entry.allowed_ips.push_back({2, {1, 2, 3, 4}, 32, 2u << random.below(31)});
			return EOPNOTSUPP_;
		}
	}
};

} // namespace

SCENARIO(random_configurations_end_as_a_simple_model_says, 2)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Requests requests(world.random);
	Settings settings;

	for (int step = 0; step < 40; step++) {
		Request request = requests.request();

		if (world.random.chance(50) && !world.host(0).netdev.up)
			EXPECT(world.up(0) == 0);
		else if (world.random.chance(50) && world.host(0).netdev.up)
			world.down(0);
		EXPECT(world.configure(0, request) == 0);
		settings.apply(request, requests.public_of);
		expect_same(world.dump(0, static_cast<size_t>(world.random.between(300, 3000))), settings);
	}
}

SCENARIO(refused_configuration_names_its_error_and_changes_nothing, 2)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Requests requests(world.random);

	EXPECT(world.up(0) == 0);
	for (int step = 0; step < 30; step++) {
		Request request = requests.request();

		EXPECT(world.configure(0, request) == 0);
		request = requests.request();
		int expected = requests.spoil(request);
		Shown before = world.dump(0);
		int result = world.configure(0, request);
		if (result != expected)
			fail("a bad request got %d, not %d (\"%s\")", result, expected, world.host(0).report.c_str());
		EXPECT(!world.host(0).report.empty());
		EXPECT(world.dump(0) == before);
	}
}

SCENARIO(configuration_that_runs_out_of_memory_changes_nothing, 20)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Requests requests(world.random);
	Settings settings;

	if (world.random.chance(500))
		EXPECT(world.up(0) == 0);
	for (int step = 0; step < 6; step++) {
		Request request = requests.request();
		Shown before = world.dump(0);

		for (u64 at = 1;; at++) {
			world.kernel.arm_allocations();
			world.kernel.knobs.fail_allocation = at;
			int result = world.configure(0, request);
			bool failed = world.kernel.allocations() >= at;
			world.kernel.knobs.fail_allocation = 0;
			if (result == 0)
				break;
			EXPECT(failed && result == ENOMEM_);
			EXPECT(world.dump(0) == before);
			if (at > 10000)
				fail("never enough memory");
		}
		settings.apply(request, requests.public_of);
		expect_same(world.dump(0), settings);
	}
}

SCENARIO(port_in_use_changes_nothing_and_the_old_port_serves_on, 20)
{
	World world(seed);
	wg_sockets taken{};

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.host(1).ns.bound[7777] = &taken;
	Shown before = world.dump(1);
	Request request;
	request.listen_port = 7777;
	request.fwmark = 5;
	request.peers.push_back(world.peer_entry(1, 0));
	request.peers[0].persistent_keepalive = 99;
	EXPECT(world.configure(1, request) == EADDRINUSE_);
	EXPECT(!world.host(1).report.empty());
	EXPECT(world.dump(1) == before);
	world.expect_traffic(0, 1, SECOND);
	/* And on `up`. */
	world.down(1);
	world.host(1).ns.bound[world.host(1).port] = &taken;
	EXPECT(world.up(1) == EADDRINUSE_);
	world.run_for(SECOND);
	world.host(1).ns.bound.erase(world.host(1).port);
	EXPECT(world.up(1) == 0);
	world.expect_recovery(0, 1, 12 * SECOND);
	world.host(1).ns.bound.erase(7777);
}

SCENARIO(port_change_moves_the_sockets_and_peers_follow, 10)
{
	World world(seed);
	Request request;

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	request.listen_port = world.host(1).port = 40000;
	EXPECT(world.configure(1, request) == 0);
	world.send(1, 0);
	world.run_for(SECOND);
	world.expect_traffic(0, 1, SECOND);
	EXPECT(world.dump(1).listen_port == 40000);
}

SCENARIO(what_concerns_the_birth_namespace_needs_power_over_it, 50)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = nullptr});
	Request port, mark, binding, outer_mark, dscp;

	world.introduce(0, 1);
	Shown before = world.dump(0);
	port.listen_port = 1234;
	mark.fwmark = 7;
	binding.bind_address = std::vector<u8>{127, 0, 0, 1};
	for (Request *request : {&outer_mark, &dscp})
		request->peers.push_back(world.peer_entry(0, 1));
	outer_mark.peers[0].outer_mark = 7;
	dscp.peers[0].dscp = 46;
	for (const Request &request : {port, mark, binding, outer_mark, dscp}) {
		int result = 0;

		world.kernel.run_process(world.host(0).domain, "set", [&] {
			Message message(request);
			wg_report report;

			result = message.set(world.host(0).device, false, report);
		});
		EXPECT(result == EPERM_);
		EXPECT(world.dump(0) == before);
	}
}

/* What rtnetlink gives with a new device, and shows of it. */
SCENARIO(port_and_mark_of_a_link_are_the_devices, 50)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	u16 port = 0;
	u32 mark = 0;

	wg_engine_device_set_link(world.host(0).device, 4242, 7);
	EXPECT(world.up(0) == 0);
	wg_engine_device_get_link(world.host(0).device, &port, &mark);
	EXPECT(port == 4242 && mark == 7);
	EXPECT(world.dump(0).listen_port == 4242 && world.dump(0).fwmark == 7);
}

/* The kernel's policy has seen the top level; inside the nests the engine is on its own. */
SCENARIO(damaged_requests_are_refused_or_taken_and_never_read_beyond, 2)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Requests requests(world.random);

	for (int step = 0; step < 30; step++) {
		Request request = requests.request();
		if (request.peers.empty())
			request.peers.push_back(requests.peer());
		Message message(request);
		std::vector<u8> &bytes = message.bytes();
		i64 first = static_cast<i64>(message.last()) + 4;

		for (u64 count = world.random.below(6); count > 0; count--)
			bytes[static_cast<size_t>(world.random.between(first, static_cast<i64>(bytes.size()) - 1))] =
				static_cast<u8>(world.random.chance(500) ? world.random.next() : world.random.below(12));
		int result = 0;
		Shown before = world.dump(0);
		world.kernel.run_process(world.host(0).domain, "set", [&] {
			wg_report report;

			result = message.set(world.host(0).device, true, report);
		});
		if (result)
			EXPECT(world.dump(0) == before);
	}
}

SCENARIO(keys_are_wiped_from_a_request_however_often_it_names_them, 20)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = nullptr});
	std::vector<Key> keys;
	Message message{Request{}};
	auto fresh_key = [&] {
		keys.push_back(Key(32));
		for (u8 &byte : keys.back())
			byte = static_cast<u8>(world.random.between(1, 255));
		return keys.back();
	};

	/* Of the device's attributes the last counts, and of a peer's: so there are keys that nobody takes. */
	for (int round = 0; round < 3; round++) {
		Request request;

		request.private_key = fresh_key();
		request.peers = {world.peer_entry(0, 1), world.peer_entry(0, 1)};
		for (PeerRequest &peer : request.peers)
			peer.preshared_key = fresh_key();
		if (world.random.chance(300))
			request.flags = 1u << 31;	/* unknown: all is refused */
		message.append(request);
	}
	world.kernel.run_process(world.host(0).domain, "set", [&] {
		wg_report report;

		(void)message.set(world.host(0).device, true, report);
		for (const Key &key : keys)
			EXPECT(!message.holds(key));
	});
}

SCENARIO(own_public_key_as_a_peer_is_ignored, 50)
{
	World world(seed);
	Request request = world.base_request(0);

	request.peers.push_back(world.peer_entry(0, 0));
	EXPECT(world.configure(0, request) == 0);
	EXPECT(world.dump(0).peers.empty());
	/* A key that becomes ours is a peer no longer. */
	request = Request{};
	request.peers.push_back(world.peer_entry(0, 1));
	EXPECT(world.configure(0, request) == 0);
	EXPECT(world.dump(0).peers.size() == 1);
	request = Request{};
	request.private_key = world.host(1).private_key;
	EXPECT(world.configure(0, request) == 0);
	EXPECT(world.dump(0).peers.empty());
}

SCENARIO(private_key_change_sends_nothing_and_the_next_packet_starts_a_handshake_at_once, 5)
{
	World world(seed);
	Request mine, theirs;

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.run_for(SECOND);		/* what confirms and answers has arrived; REKEY_TIMEOUT runs on */
	make_keys(world.random, world.host(0).private_key, world.host(0).public_key);
	mine.private_key = world.host(0).private_key;
	size_t from = world.log.size();
	EXPECT(world.configure(0, mine) == 0);
	world.run_for(SECOND);
	EXPECT(world.log.size() == from);
	/* The other side learns the key a moment later. An initiation before that would have been lost, and this packet waited for its retry. */
	theirs.flags = WGDEVICE_F_REPLACE_PEERS;
	theirs.peers.push_back(world.peer_entry(1, 0));
	EXPECT(world.configure(1, theirs) == 0);
	world.send(0, 1);
	world.run_for(SECOND);
	EXPECT(world.log[from].kind == INITIATION && world.log[from].from == 0);
	EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
}

SCENARIO(first_private_key_of_an_interface_that_is_up_starts_what_waited_for_it, 5)
{
	for (bool keepalive : {false, true}) {
		World world(seed);
		Request request = world.base_request(0), key, other = world.base_request(1);

		key.private_key = request.private_key;
		request.private_key.reset();
		request.peers.push_back(world.peer_entry(0, 1));
		if (keepalive)
			request.peers[0].persistent_keepalive = 3600;
		other.peers.push_back(world.peer_entry(1, 0));
		EXPECT(world.configure(0, request) == 0);
		EXPECT(world.up(0) == 0);
		EXPECT(world.configure(1, other) == 0);
		EXPECT(world.up(1) == 0);
		if (!keepalive)
			world.send(0, 1);
		world.run_for(world.random.between(0, 20) * SECOND);
		EXPECT(world.log.empty());
		EXPECT(world.configure(0, key) == 0);
		world.run_for(SECOND);
		EXPECT(world.count(INITIATION, 0) == 1 && world.count(DATA, 0) == 1);
		EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
	}
}

namespace {

Request many_peers(Random &random, u32 count, u32 ips_on_first)
{
	Request request;

	for (u32 i = 0; i < count; i++) {
		PeerRequest peer;

		peer.public_key.resize(32);
		random.fill(peer.public_key.data(), 32);
		for (u32 ip = 0; ip < (i == 0 ? ips_on_first : 1); ip++)
			peer.allowed_ips.push_back({2, {static_cast<u8>(10 + i / 65536), static_cast<u8>(i >> 8), static_cast<u8>(i), static_cast<u8>(ip)}, 32, {}});
		request.peers.push_back(std::move(peer));
	}
	return request;
}

/* A configuration of any size, in requests that fit netlink's 16-bit lengths. */
void configure_in_parts(World &world, const Request &request)
{
	for (size_t at = 0; at < request.peers.size(); at += 250) {
		Request part;

		part.peers.assign(request.peers.begin() + static_cast<std::ptrdiff_t>(at),
				  request.peers.begin() + static_cast<std::ptrdiff_t>(std::min(at + 250, request.peers.size())));
		EXPECT(world.configure(0, part) == 0);
	}
}

} // namespace

SCENARIO(static_static_secret_is_made_when_a_peer_first_speaks_and_once, 20)
{
	World world(seed);
	Request request;

	world.meet();
	for (u32 i = 0; i < 100; i++) {
		PeerRequest entry;

		entry.public_key = Key(32);
		for (u8 &byte : entry.public_key)
			byte = static_cast<u8>(world.random.next());
		request.peers.push_back(entry);
	}
	u64 calls = world.kernel.x25519_calls;
	EXPECT(world.configure(0, request) == 0);
	EXPECT(world.kernel.x25519_calls == calls);		/* none is made for those who may never speak */
	world.expect_traffic(0, 1, 20 * SECOND);
	/* A handshake of two who met before takes three on each side: es, ee, se, and none for ss. */
	for (u32 host = 0; host < 2; host++)
		world.erase_keys(host);
	world.log.clear();
	calls = world.kernel.x25519_calls;
	world.expect_recovery(0, 1, 30 * SECOND);
	EXPECT(world.kernel.x25519_calls - calls <= 2 * world.count(INITIATION) + 4 * world.count(RESPONSE));
	/* Ours changed: it is another secret, and with it they speak again. */
	Request change;
	Key private_key, public_key;

	make_keys(world.random, private_key, public_key);
	change.private_key = private_key;
	calls = world.kernel.x25519_calls;
	EXPECT(world.configure(0, change) == 0);
	EXPECT(world.kernel.x25519_calls - calls < 20);		/* of a hundred and one peers */
	world.host(0).private_key = private_key;
	world.host(0).public_key = public_key;
	Request other = world.base_request(1);
	other.peers = {world.peer_entry(1, 0)};
	EXPECT(world.configure(1, other) == 0);
	world.expect_recovery(0, 1, 30 * SECOND);
}

SCENARIO(pollers_come_with_a_peer_s_first_session, 20)
{
	World world(seed);

	world.meet();
	world.run_for(SECOND);
	EXPECT(world.kernel.pollers.empty());
	world.expect_traffic(0, 1, 20 * SECOND);
	EXPECT(world.kernel.pollers.size() == 4);
}

SCENARIO(dump_goes_on_over_parts_with_2000_peers_and_5000_allowed_ips, 250)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = [](Knobs &knobs) { knobs.preempt = 0; }});
	Request request = many_peers(world.random, 2000, 0);
	Request big;
	Key key = request.peers[700].public_key;

	configure_in_parts(world, request);
	for (u32 block = 0; block < 5; block++) {
		big = Request{};
		big.peers.push_back({});
		big.peers[0].public_key = key;
		for (u32 i = 0; i < 1000; i++)
			big.peers[0].allowed_ips.push_back({2, {100, static_cast<u8>(block), static_cast<u8>(i >> 8), static_cast<u8>(i)}, 32, {}});
		EXPECT(world.configure(0, big) == 0);
	}
	for (size_t part : {size_t{400}, size_t{3776}, size_t{7872}, size_t{32768}}) {
		Shown shown = world.dump(0, part);

		EXPECT(shown.peers.size() == 2000 && !shown.interrupted);
		for (size_t i = 0; i < 2000; i++) {
			EXPECT(shown.peers[i].public_key == request.peers[i].public_key);
			EXPECT(shown.peers[i].allowed_ips.size() == (i == 0 ? 0 : i == 700 ? 5001 : 1));
		}
		std::vector<AllowedIp> ips = shown.peers[700].allowed_ips;
		sort(ips);
		EXPECT(std::adjacent_find(ips.begin(), ips.end()) == ips.end());
	}
}

SCENARIO(dump_survives_peers_that_come_and_go_between_its_parts, 10)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request request = many_peers(world.random, 40, 200);
	std::set<Key> untouched;

	configure_in_parts(world, request);
	for (const PeerRequest &peer : request.peers)
		untouched.insert(peer.public_key);
	Shown shown = world.dump(0, static_cast<size_t>(world.random.between(300, 1500)), [&] {
		Request change;
		PeerRequest entry;

		if (world.random.chance(700))
			return;
		entry.public_key = request.peers[world.random.below(request.peers.size())].public_key;
		switch (world.random.below(3)) {
		case 0: entry.flags = WGPEER_F_REMOVE_ME; break;
		case 1: entry.flags = WGPEER_F_REPLACE_ALLOWEDIPS; break;
		case 2: entry.public_key[3] ^= 0x55; break;
		}
		untouched.erase(entry.public_key);
		change.peers.push_back(entry);
		EXPECT(world.configure(0, change) == 0);
	});
	for (const Key &key : untouched) {
		EXPECT(shown.peer(key));
		EXPECT(std::count_if(shown.peers.begin(), shown.peers.end(), [&](const ShownPeer &peer) { return peer.public_key == key; }) == 1);
		EXPECT(shown.peer(key)->allowed_ips.size() == (key == request.peers[0].public_key ? 200 : 1));
	}
	EXPECT(shown.interrupted == (untouched.size() < 40 || shown.peers.size() > 40) || shown.interrupted);
}

/* The shortest time of a dump in small parts: that in which least came between. */
std::chrono::nanoseconds dump_takes(World &world)
{
	auto shortest = std::chrono::nanoseconds::max();

	for (int round = 0; round < 12; round++) {
		auto began = std::chrono::steady_clock::now();

		world.dump(0, 500);
		shortest = std::min<std::chrono::nanoseconds>(shortest, std::chrono::steady_clock::now() - began);
	}
	return shortest;
}

SCENARIO(dump_of_four_times_as_much_takes_four_times_as_long, 100)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = [](Knobs &knobs) { knobs.preempt = 0; }});
	Request peers = many_peers(world.random, 500, 1);
	u32 prefixes = 0;
	std::chrono::nanoseconds first;
	auto add_prefixes = [&](u32 until) {
		while (prefixes < until) {
			Request request;

			request.peers.push_back({});
			request.peers[0].public_key = peers.peers.back().public_key;
			for (u32 i = 0; i < 500; i++, prefixes++)
				request.peers[0].allowed_ips.push_back(
					{2, {100, static_cast<u8>(prefixes >> 16), static_cast<u8>(prefixes >> 8), static_cast<u8>(prefixes)}, 32, {}});
			EXPECT(world.configure(0, request) == 0);
		}
	};

	configure_in_parts(world, peers);
	add_prefixes(1500);
	first = dump_takes(world);
	configure_in_parts(world, many_peers(world.random, 1500, 1));
	add_prefixes(6000);
	EXPECT(dump_takes(world) < 7 * first);
}

SCENARIO(dump_ends_when_its_device_is_another_one, 20)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request request = many_peers(world.random, 40, 20);
	wg_dump dump{};

	configure_in_parts(world, request);
	for (int part = 0; part < 3; part++) {
		wg_reply reply(600);

		world.kernel.run_process(world.host(0).domain, "dump", [&] { EXPECT(wg_engine_dump(world.host(0).device, &dump, nullptr, 0, &reply) == 0); });
	}
	EXPECT(!dump.done);
	world.destroy(0);
	world.create(0);
	if (world.random.chance(500))
		configure_in_parts(world, request);
	wg_reply reply(600);
	world.kernel.run_process(world.host(0).domain, "dump", [&] { EXPECT(wg_engine_dump(world.host(0).device, &dump, nullptr, 0, &reply) == -19); });
}

/* However small its parts: it ends with everything told, or says that they are too small. */
SCENARIO(dump_ends_whatever_room_it_gets, 100)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request request = many_peers(world.random, 3, 8);

	configure_in_parts(world, request);
	for (size_t room = 0; room < 400; room += 4) {
		wg_dump dump{};
		Shown shown;
		int error = 0;

		for (int parts = 0; !dump.done && !error; parts++) {
			wg_reply reply(room);

			world.kernel.run_process(world.host(0).domain, "dump", [&] { error = wg_engine_dump(world.host(0).device, &dump, nullptr, 0, &reply); });
			if (!error)
				parse_part(reply, shown);
			EXPECT(parts < 100);
		}
		EXPECT(error == 0 || (error == -90 && room < 300));	/* EMSGSIZE */
		EXPECT(error || (shown.peers.size() == 3 && shown.peers[0].allowed_ips.size() == 8));
	}
}

SCENARIO(dump_part_without_room_is_refused_and_loses_nothing, 100)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	wg_dump dump{};
	Shown shown;

	configure_in_parts(world, many_peers(world.random, 1, 40));
	auto part = [&](size_t room) {
		wg_reply reply(room);
		int error = 0;

		world.kernel.run_process(world.host(0).domain, "dump", [&] { error = wg_engine_dump(world.host(0).device, &dump, nullptr, 0, &reply); });
		if (!error)
			parse_part(reply, shown);
		return error;
	};
	EXPECT(part(400) == 0 && !dump.done);
	EXPECT(part(60) == -90 && !dump.done);		/* for the peer's key, and for nothing new; EMSGSIZE */
	EXPECT(part(4000) == 0 && dump.done);
	EXPECT(shown.peers.size() == 1 && shown.peers[0].allowed_ips.size() == 40);
}

SCENARIO(tables_that_cannot_grow_change_nothing, 50)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request request = many_peers(world.random, 100, 1);
	u64 needed;

	world.kernel.arm_allocations();
	EXPECT(world.configure(0, request) == 0);
	needed = world.kernel.allocations();
	for (u64 last = 0; last < 3; last++) {		/* one for each table */
		world.destroy(0);
		world.create(0);
		Shown before = world.dump(0);
		world.kernel.arm_allocations();
		world.kernel.knobs.fail_allocation = needed - last;
		EXPECT(world.configure(0, request) == ENOMEM_);
		world.kernel.knobs.fail_allocation = 0;
		EXPECT(world.dump(0) == before);
		EXPECT(world.configure(0, request) == 0 && world.dump(0).peers.size() == 100);
	}
}

SCENARIO(unknown_form_of_the_aead_is_refused, 50)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = [](Knobs &knobs) { knobs.cpu_features = 0; }});

	world.kernel.run_process(world.host(0).domain, "load", [] {
		EXPECT(wg_engine_load("nonsense") == -22);	/* EINVAL */
		EXPECT(wg_engine_load("avx2") == -22);		/* this machine has none */
	});
	/* Nor does it load without the memory for its self-tests. */
	world.kernel.arm_allocations();
	world.kernel.knobs.fail_allocation = 1;
	world.kernel.run_process(world.host(0).domain, "load", [] { EXPECT(wg_engine_load("auto") == ENOMEM_); });
	world.kernel.knobs.fail_allocation = 0;
}

SCENARIO(every_peer_is_found_again_after_the_tables_have_grown, 50)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request request = many_peers(world.random, 1000, 1);

	configure_in_parts(world, request);
	configure_in_parts(world, request);	/* who is not found is made anew */
	EXPECT(world.dump(0, 32768).peers.size() == 1000);
}

SCENARIO(a_thousand_peers_are_removed_with_one_wait_for_rcu, 50)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = [](Knobs &knobs) { knobs.preempt = 0; }});
	Request request = many_peers(world.random, 1000, 1);

	EXPECT(world.up(0) == 0);
	configure_in_parts(world, request);
	EXPECT(world.dump(0, 32768).peers.size() == 1000);
	u64 waits = world.kernel.rcu_waits;
	request = Request{};
	request.flags = WGDEVICE_F_REPLACE_PEERS;
	EXPECT(world.configure(0, request) == 0);
	EXPECT(world.kernel.rcu_waits - waits <= 2);
	EXPECT(world.dump(0).peers.empty());
}
