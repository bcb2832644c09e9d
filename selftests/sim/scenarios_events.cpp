// SPDX-License-Identifier: GPL-2.0
/* What this module's family can besides the deployed one's: events, state, and changes a controller can rely on. */
#include "scenario.h"
#include <algorithm>
#include <cstring>

using namespace sim;

namespace {

struct Told {
	wgx_event event;
	Key peer;
	std::map<u16, std::vector<u8>> rest;
	u32 number(u16 type) const
	{
		u32 value = 0;

		if (rest.contains(type))
			memcpy(&value, rest.at(type).data(), std::min(sizeof(value), rest.at(type).size()));
		return value;
	}
};

void listen(World &world, u32 id, std::initializer_list<wg_event_group> groups = {WG_EVENTS})
{
	for (wg_event_group group : groups)
		world.host(id).netdev.is_listened_to[group] = true;
}

/* What was told of a device since the last time. */
std::vector<Told> told(World &world, u32 id)
{
	std::vector<Told> all;

	for (const auto &[group, bytes] : world.host(id).netdev.events) {
		Told one{};

		for (const auto &[type, value] : attributes_of(bytes))
			one.rest[type] = value;
		EXPECT(one.rest.contains(WGDEVICE_A_IFINDEX) && one.rest.contains(WGDEVICE_A_IFNAME));
		one.event = static_cast<wgx_event>(one.number(WGX_A_EVENT));
		one.peer = one.rest[WGX_A_PEER];
		EXPECT((one.event == WGX_EVENT_ENDPOINT_MOVED) == (group == WG_EVENTS_ENDPOINTS));
		EXPECT((one.event == WGX_EVENT_UNKNOWN_INITIATION) == (group == WG_EVENTS_STRANGERS));
		all.push_back(one);
	}
	world.host(id).netdev.events.clear();
	return all;
}

std::vector<wgx_event> kinds(const std::vector<Told> &all)
{
	std::vector<wgx_event> events;

	for (const Told &one : all)
		events.push_back(one.event);
	return events;
}

using Events = std::vector<wgx_event>;

u32 generation_of(World &world, u32 id)
{
	u32 generation;
	Shown shown = world.ask(id, {});

	EXPECT(shown.extensions[WGX_A_GENERATION].size() == sizeof(generation));
	memcpy(&generation, shown.extensions[WGX_A_GENERATION].data(), sizeof(generation));
	return generation;
}

AllowedIp net(u8 last, std::optional<u32> flags = {})
{
	return {2, {172, 16, last, 0}, 24, flags};
}

} // namespace

SCENARIO(both_sides_are_told_of_a_session_of_its_rekey_and_of_its_end, 10)
{
	World world(seed, STEADY);

	world.meet();
	listen(world, 0);
	listen(world, 1);
	world.send(0, 1);
	world.run_for(2 * SECOND);
	for (u32 id : {0u, 1u}) {
		std::vector<Told> first = told(world, id);

		EXPECT(kinds(first) == Events{WGX_EVENT_SESSION_ESTABLISHED});
		EXPECT(first[0].peer == world.host(1 - id).public_key && first[0].number(WGX_A_ROLE) == id && first[0].number(WGX_A_IS_REKEY) == 0);
		EXPECT(first[0].rest[WGX_A_ENDPOINT] == sockaddr_of(world.endpoint_of(1 - id)));
	}
	world.stream(0, 1, 500 * MILLISECOND, world.time() + 125 * SECOND);
	world.run_for(130 * SECOND);
	for (u32 id : {0u, 1u}) {
		std::vector<Told> second = told(world, id);

		EXPECT(kinds(second) == Events{WGX_EVENT_SESSION_ESTABLISHED});
		EXPECT(second[0].number(WGX_A_ROLE) == id && second[0].number(WGX_A_IS_REKEY) == 1);
	}
	/* 180 s after the rekey at 120 s, and once. */
	world.run_for(165 * SECOND);
	EXPECT(told(world, 0).empty() && told(world, 1).empty());
	world.run_for(30 * SECOND);
	EXPECT(kinds(told(world, 0)) == Events{WGX_EVENT_SESSION_EXPIRED} && kinds(told(world, 1)) == Events{WGX_EVENT_SESSION_EXPIRED});
	world.run_for(600 * SECOND);
	EXPECT(told(world, 0).empty() && told(world, 1).empty());
	world.send(0, 1);
	world.run_for(2 * SECOND);
	EXPECT(told(world, 0).at(0).number(WGX_A_IS_REKEY) == 0);
}

SCENARIO(each_step_of_a_handshake_is_traced, 10)
{
	using Steps = std::map<std::string, u32>;
	World world(seed, STEADY);

	world.meet();
	world.send(0, 1);
	world.run_for(2 * SECOND);
	EXPECT((world.host(0).netdev.traced == Steps{{"initiation sent", 1}, {"response received", 1}, {"session established", 1}}));
	EXPECT((world.host(1).netdev.traced == Steps{{"initiation received", 1}, {"response sent", 1}, {"session established", 1}}));
	world.host(0).netdev.traced.clear();
	world.passes = [](const Sent &) { return false; };
	for (int i = 0; i < 700; i++, world.run_for(SECOND))
		world.send(0, 1);
	/* As long as somebody sends, it goes on trying. */
	world.run_for(110 * SECOND);
	Steps steps = world.host(0).netdev.traced;
	EXPECT(steps["initiation sent"] > 10 && steps["handshake given up"] == 1 && steps["session expired"] == 1);
}

SCENARIO(an_interface_that_goes_down_or_suspends_ends_its_sessions_once, 10)
{
	World world(seed, STEADY);

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	listen(world, 0);
	if (world.random.chance(500))
		EXPECT(world.down(0) == 0);
	else
		world.erase_keys(0);
	EXPECT(kinds(told(world, 0)) == Events{WGX_EVENT_SESSION_EXPIRED});
	EXPECT(world.down(0) == 0);
	EXPECT(told(world, 0).empty());
}

SCENARIO(a_handshake_that_nobody_answers_is_told_when_it_is_given_up, 10)
{
	World world(seed, STEADY);

	world.meet();
	listen(world, 0);
	world.passes = [](const Sent &) { return false; };
	world.send(0, 1);
	world.run_for(85 * SECOND);
	EXPECT(told(world, 0).empty());
	world.run_for(20 * SECOND);
	EXPECT(kinds(told(world, 0)) == Events{WGX_EVENT_HANDSHAKE_GIVEN_UP});
}

SCENARIO(who_changes_what_is_told_in_its_order, 10)
{
	World world(seed, STEADY);
	Request add, change, remove, replace;
	u32 before;

	world.meet();
	listen(world, 0);
	before = generation_of(world, 0);
	add.peers.push_back({.public_key = Key(32, 7)});
	EXPECT(world.configure(0, add) == 0);
	std::vector<Told> all = told(world, 0);
	EXPECT(kinds(all) == (Events{WGX_EVENT_PEER_ADDED, WGX_EVENT_CONFIGURATION_CHANGED}) && all[0].peer == Key(32, 7));
	EXPECT(all[1].number(WGX_A_PORT_ID) == PORT_ID && all[1].number(WGX_A_GENERATION) == before + 1 && generation_of(world, 0) == before + 1);
	change.peers.push_back({.public_key = Key(32, 7), .persistent_keepalive = 9});
	EXPECT(world.configure(0, change) == 0);
	EXPECT(kinds(told(world, 0)) == (Events{WGX_EVENT_PEER_CHANGED, WGX_EVENT_CONFIGURATION_CHANGED}));
	remove.peers.push_back({.public_key = Key(32, 7), .flags = WGPEER_F_REMOVE_ME});
	EXPECT(world.configure(0, remove) == 0);
	EXPECT(kinds(told(world, 0)) == (Events{WGX_EVENT_PEER_REMOVED, WGX_EVENT_CONFIGURATION_CHANGED}));
	EXPECT(world.configure(0, remove) == 0);
	EXPECT(kinds(told(world, 0)) == Events{WGX_EVENT_CONFIGURATION_CHANGED});
	replace.flags = WGDEVICE_F_REPLACE_PEERS;
	replace.peers.push_back({.public_key = Key(32, 8)});
	EXPECT(world.configure(0, replace) == 0);
	EXPECT(kinds(told(world, 0)) == (Events{WGX_EVENT_PEER_REMOVED, WGX_EVENT_PEER_ADDED, WGX_EVENT_CONFIGURATION_CHANGED}));
	replace.flags = 1u << 9;
	EXPECT(world.configure(0, replace) != 0);
	EXPECT(told(world, 0).empty());
}

SCENARIO(a_peer_that_moves_is_told_once_a_second_and_the_last_place_in_the_end, 10)
{
	World world(seed, STEADY);
	i64 last = 0;

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	world.run_for(2 * SECOND);
	listen(world, 1, {WG_EVENTS_ENDPOINTS});
	for (int move = 0; move < 40; move++) {
		world.host(0).generation++;
		world.send(0, 1);
		world.run_for(100 * MILLISECOND);
		for (const Told &one : told(world, 1)) {
			EXPECT(one.event == WGX_EVENT_ENDPOINT_MOVED && one.peer == world.host(0).public_key);
			EXPECT(last == 0 || world.time() - last >= 890 * MILLISECOND);
			last = world.time();
		}
	}
	EXPECT(last != 0);
	world.run_for(2 * SECOND);
	world.send(0, 1);
	world.run_for(SECOND);
	std::vector<Told> end = told(world, 1);
	EXPECT(end.size() <= 2);
	world.run_for(2 * SECOND);
	world.send(0, 1);
	world.run_for(SECOND);
	EXPECT(told(world, 1).empty());
}

SCENARIO(strangers_are_told_of_ten_times_a_second_whatever_they_send, 10)
{
	World world(seed, {.hosts = 3, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});
	u32 count = 0;

	world.introduce(0, 1);
	Request request = world.base_request(2);
	request.peers.push_back(world.peer_entry(2, 0));
	EXPECT(world.configure(2, request) == 0 && world.up(2) == 0);
	listen(world, 0, {WG_EVENTS_STRANGERS});
	std::vector<u8> initiation;
	world.on_arrival = [&](const Sent &sent, const std::vector<u8> &bytes) {
		if (sent.kind == INITIATION && sent.from == 2)
			initiation = bytes;
	};
	world.send(2, 0);
	world.run_for(SECOND);
	std::vector<Told> first = told(world, 0);
	EXPECT(!initiation.empty() && first.size() == 1 && first[0].peer == world.host(2).public_key);
	EXPECT(first[0].rest[WGX_A_ENDPOINT] == sockaddr_of(world.endpoint_of(2)));
	i64 began = world.time();
	for (int i = 0; i < 100; i++) {
		world.inject(0, initiation, world.endpoint_of(2));
		world.run_for(20 * MILLISECOND);
	}
	count = static_cast<u32>(told(world, 0).size());
	EXPECT(count >= 2 && count <= 2 + static_cast<u32>((world.time() - began) / (100 * MILLISECOND)));
}

SCENARIO(a_change_of_what_one_has_not_seen_is_refused, 10)
{
	World world(seed, STEADY);
	Request change;

	world.meet();
	change.generation = generation_of(world, 0);
	change.fwmark = 5;
	EXPECT(world.configure(0, change) == 0);
	change.fwmark = 6;
	EXPECT(world.configure(0, change) == -11 && world.host(0).report.find("changed meanwhile") != std::string::npos);
	EXPECT(world.dump(0).fwmark == 5);
}

SCENARIO(no_prefix_is_taken_from_another_peer_where_that_is_not_wanted, 10)
{
	World world(seed, STEADY);
	const u32 gone = WGALLOWEDIP_F_REMOVE_ME;
	Request request;
	auto peer = [](u8 key, std::vector<AllowedIp> ips, std::optional<u32> flags = {}) {
		return PeerRequest{.public_key = Key(32, key), .flags = flags, .allowed_ips = std::move(ips)};
	};
	auto set = [&](std::vector<PeerRequest> peers, std::optional<u32> flags = {}) {
		Request request;

		request.extended_flags = WGX_F_NO_STEAL;
		request.flags = flags;
		request.peers = std::move(peers);
		Shown before = world.dump(0);
		int error = world.configure(0, request);
		EXPECT(error == 0 || (error == -17 && before == world.dump(0)));
		return error;
	};

	world.meet();
	EXPECT(set({peer(7, {net(1), net(2)}), peer(8, {net(3)})}) == 0);
	EXPECT(set({peer(7, {net(1), net(1)})}) == 0);
	EXPECT(set({peer(8, {net(1)})}) == -17);
	EXPECT(world.host(0).report == "/24 belongs to peer 7");
	EXPECT(set({peer(9, {net(9)}), peer(10, {net(9)})}) == -17);
	EXPECT(set({peer(7, {net(1, gone)}), peer(8, {net(1)})}) == 0);
	EXPECT(set({peer(7, {net(1)})}) == -17);
	EXPECT(set({peer(8, {net(1, gone)}), peer(7, {net(1)})}) == 0);
	EXPECT(set({peer(7, {}, WGPEER_F_REPLACE_ALLOWEDIPS), peer(8, {net(2)})}) == 0);
	EXPECT(set({peer(8, {}, WGPEER_F_REMOVE_ME), peer(7, {net(2), net(3)})}) == 0);
	EXPECT(set({peer(11, {net(2)})}, WGDEVICE_F_REPLACE_PEERS) == 0);
	/* Without the flag it moves, as always. */
	request.peers = {peer(12, {net(2)})};
	EXPECT(world.configure(0, request) == 0 && world.dump(0).peer(Key(32, 11))->allowed_ips.empty());
}

SCENARIO(only_who_is_named_is_told_of, 20)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request peers, question;

	for (u8 i = 1; i <= 60; i++) {
		PeerRequest peer{.public_key = Key(32, i)};

		for (u8 last = 0; last < 20; last++)
			peer.allowed_ips.push_back({2, {10, i, last, 0}, 24, {}});
		peers.peers.push_back(peer);
	}
	EXPECT(world.configure(0, peers) == 0);
	std::vector<u8> wanted;
	for (int i = 0; i < 12; i++) {
		u8 key = static_cast<u8>(world.random.between(1, 90));	/* some are nobody's */

		if (std::find(wanted.begin(), wanted.end(), key) != wanted.end())
			continue;
		wanted.push_back(key);
		question.peers.push_back({.public_key = Key(32, key)});
	}
	bool changes = world.random.chance(500);
	u8 removed = 0;
	Shown shown = world.ask(0, question, world.random.between(450, 1500), [&] {
		Request change;

		if (!changes)
			return;
		change.fwmark = static_cast<u32>(world.random.between(0, 99));
		if (!removed && world.random.chance(300)) {
			removed = wanted[world.random.between(0, wanted.size() - 1)];
			change.peers.push_back({.public_key = Key(32, removed), .flags = WGPEER_F_REMOVE_ME});
		}
		EXPECT(world.configure(0, change) == 0);
	});
	std::vector<u8> seen;
	for (const ShownPeer &peer : shown.peers) {
		seen.push_back(peer.public_key[0]);
		EXPECT(peer.allowed_ips.size() == 20 || peer.public_key[0] == removed);
	}
	std::erase(seen, removed);
	std::erase_if(wanted, [&](u8 key) { return key > 60 || key == removed; });
	EXPECT(seen == wanted);
}

SCENARIO(who_is_named_often_is_told_as_often, 20)
{
	World world(seed, {.hosts = 1, .ordered = true, .turn = nullptr});
	Request peers, question;

	peers.peers.push_back({.public_key = Key(32, 1)});
	EXPECT(world.configure(0, peers) == 0);
	for (int i = 0; i < 50; i++)
		question.peers.push_back({.public_key = Key(32, 1)});
	EXPECT(world.ask(0, question, world.random.between(450, 1500), [] {}).peers.size() == 50);
}

SCENARIO(without_secrets_all_else_is_told, 10)
{
	World world(seed, STEADY);
	Request secret, question, open;

	world.meet();
	secret.peers = {world.peer_entry(0, 1)};
	secret.peers[0].preshared_key = Key(32, 0x5a);
	EXPECT(world.configure(0, secret) == 0);
	question.extended_flags = WGX_F_NO_SECRETS;
	Shown all = world.ask(0, {}), some = world.ask(0, question);
	EXPECT(all.private_key == world.host(0).private_key && all.peers[0].preshared_key == Key(32, 0x5a));
	EXPECT(!some.private_key && some.public_key == world.host(0).public_key && some.peers[0].preshared_key.empty());
	EXPECT(some.peers.size() == all.peers.size() && some.peers[0].allowed_ips == all.peers[0].allowed_ips);
	EXPECT(!wg_engine_is_public(world.host(0).device) && all.extensions[WGX_A_PUBLIC] == std::vector<u8>{0});
	open.is_public = 1;
	EXPECT(world.configure(0, open) == 0);
	EXPECT(wg_engine_is_public(world.host(0).device) && world.ask(0, {}).extensions[WGX_A_PUBLIC] == std::vector<u8>{1});
	wg_dump dump{};
	wg_reply reply(4000);
	Shown shown;
	Message message(open);	/* asks for secrets */
	dump.no_secrets = 1;
	world.kernel.run_process(world.host(0).domain, "dump", [&] {
		EXPECT(wg_engine_dump(world.host(0).device, &dump, message.bytes().data(), message.bytes().size(), &reply) == 0);
	});
	parse_part(reply, shown);
	EXPECT(!shown.private_key && shown.peers[0].preshared_key.empty());
	/* The deployed command says what it always said. */
	EXPECT(world.dump(0).extensions.empty() && world.dump(0).peers[0].state.empty());
}

SCENARIO(how_a_peer_is_can_be_asked, 10)
{
	World world(seed, STEADY);
	Request question;
	auto state = [&](u32 id) {
		std::map<u16, std::vector<u8>> found;

		for (const auto &[type, value] : attributes_of(world.ask(id, question).peers.at(0).state))
			found[type] = value;
		return found;
	};
	auto number = [](const std::vector<u8> &bytes) {
		u64 value = 0;

		memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof(value)));
		return value;
	};

	question.extended_flags = WGX_F_STATE;
	world.meet();
	auto fresh = state(0);
	EXPECT(fresh[WGX_STATE_A_SESSIONS].empty() && !fresh.contains(WGX_STATE_A_NEXT_RETRY) && !fresh.contains(WGX_STATE_A_LAST_DROP));
	EXPECT(number(fresh[WGX_STATE_A_AWAITS_RESPONSE]) == 0 && number(fresh[WGX_STATE_A_PATH_MTU]) == 1500);
	world.passes = [](const Sent &) { return false; };
	world.send(0, 1);
	world.run_for(SECOND);
	auto waiting = state(0);
	EXPECT(number(waiting[WGX_STATE_A_AWAITS_RESPONSE]) == 1 && number(waiting[WGX_STATE_A_STAGED]) == 1);
	EXPECT(number(waiting[WGX_STATE_A_NEXT_RETRY]) > 3000 && number(waiting[WGX_STATE_A_NEXT_RETRY]) < 5500);
	world.run_for(200 * SECOND);
	auto given_up = state(0);
	EXPECT(std::string(given_up[WGX_STATE_A_LAST_DROP].begin(), given_up[WGX_STATE_A_LAST_DROP].end()) == std::string("no-session") + '\0');
	EXPECT(number(given_up[WGX_STATE_A_LAST_DROP_AGE]) > 90000 && !given_up[WGX_STATE_A_DROPS].empty());
	EXPECT(number(given_up[WGX_STATE_A_STAGED]) == 0);
	world.passes = nullptr;
	world.send(0, 1);
	world.run_for(2 * SECOND);
	for (u32 id : {0u, 1u}) {
		auto sessions = attributes_of(state(id)[WGX_STATE_A_SESSIONS]);

		EXPECT(sessions.size() == 1);
		std::map<u16, std::vector<u8>> session;
		for (const auto &[type, value] : attributes_of(sessions[0].second))
			session[type] = value;
		EXPECT(number(session[WGX_SESSION_A_SLOT]) == 1 && number(session[WGX_SESSION_A_ROLE]) == id && number(session[WGX_SESSION_A_AGE]) < 2100);
		EXPECT(number(session[id == 0 ? WGX_SESSION_A_SENT : WGX_SESSION_A_RECEIVED]) >= 1);
	}
	Shown device = world.ask(0, question);
	EXPECT(device.extensions.contains(WGX_A_UNDER_LOAD) && device.extensions.contains(WGX_A_AEAD) && !device.extensions[WGX_A_DROPS].empty());
	EXPECT(number(device.extensions[WGX_A_COOKIES_SENT]) == 0);
}

SCENARIO(a_pinned_peer_stays_where_it_was_put, 10)
{
	World world(seed, STEADY);
	Request pin, question;

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	pin.peers.push_back({.public_key = world.host(0).public_key, .pins_endpoint = 1});
	EXPECT(world.configure(1, pin) == 0);
	auto before = world.dump(1).peers[0].endpoint;
	world.host(0).generation++;
	u64 received = world.dump(1).peers[0].rx_bytes;
	world.send(0, 1);
	world.run_for(2 * SECOND);
	EXPECT(world.dump(1).peers[0].rx_bytes > received && world.dump(1).peers[0].endpoint == before);
	EXPECT(world.ask(1, question).peers[0].policy[WGX_A_PIN_ENDPOINT] == std::vector<u8>{1} && world.dump(1).peers[0].policy.empty());
	pin.peers[0].pins_endpoint = 0;
	EXPECT(world.configure(1, pin) == 0);
	world.send(0, 1);
	world.run_for(2 * SECOND);
	EXPECT(world.dump(1).peers[0].endpoint != before && world.ask(1, question).peers[0].policy.empty());
}

SCENARIO(each_peer_has_its_marks_and_its_class, 10)
{
	World world(seed, STEADY);
	Request policy, back, device;
	auto send = [&](u8 traffic_class) {
		size_t from = world.log.size();

		world.send(0, 1, 64, 4, 1, traffic_class);
		world.run_for(SECOND);
		for (size_t i = from; i < world.log.size(); i++)
			if (world.log[i].from == 0 && world.log[i].has_payload())
				return world.log[i];
		fail("nothing was sent");
	};

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	device.fwmark = 5;
	EXPECT(world.configure(0, device) == 0);
	EXPECT(send(0xb9).mark == 5 && send(0xb9).traffic_class == 1 && world.host(1).netdev.delivered_mark == 0);
	policy.peers.push_back({.public_key = world.host(1).public_key, .dscp = 46, .outer_mark = 7});
	EXPECT(world.configure(0, policy) == 0);
	back.peers.push_back({.public_key = world.host(0).public_key, .opened_mark = 9});
	EXPECT(world.configure(1, back) == 0);
	EXPECT(send(0x01).mark == 7 && send(0x21).traffic_class == (46 << 2 | 1) && world.host(1).netdev.delivered_mark == 9);
	policy.peers[0].dscp = WGX_DSCP_INHERIT;
	policy.peers[0].outer_mark = 0;
	EXPECT(world.configure(0, policy) == 0);
	EXPECT(send(0x21).mark == 5 && send(0x21).traffic_class == 0x21);
	policy.peers[0].dscp = 65;
	EXPECT(world.configure(0, policy) == -22 && world.host(0).report.find("DSCP") != std::string::npos);
	EXPECT(send(0x21).traffic_class == 0x21);
}

SCENARIO(sockets_are_bound_when_they_are_opened, 10)
{
	World world(seed, STEADY);
	Request bind, question;
	auto bound = [&]() -> const wg_binding & { return world.host(0).ns.bound_to; };

	world.meet();
	bind.bind_device = std::vector<u8>{'e', '0', 0};
	bind.bind_address = std::vector<u8>{192, 0, 2, 1};
	EXPECT(world.configure(0, bind) == -16 && bound().interface[0] == 0 && world.host(0).report.find("down first") != std::string::npos);
	EXPECT(world.down(0) == 0 && world.configure(0, bind) == 0 && world.up(0) == 0);
	EXPECT(std::string(bound().interface) == "e0" && bound().family == 4 && bound().address[0] == 192);
	Shown shown = world.ask(0, question);
	EXPECT(shown.extensions[WGX_A_BIND_DEVICE] == *bind.bind_device && shown.extensions[WGX_A_BIND_ADDRESS] == *bind.bind_address);
	EXPECT(world.down(0) == 0);
	bind.bind_device.reset();
	bind.bind_address = std::vector<u8>(16, 0xfd);
	EXPECT(world.configure(0, bind) == 0 && world.up(0) == 0 && bound().interface[0] == 'e' && bound().family == 6);
	EXPECT(world.down(0) == 0);
	bind.bind_address = std::vector<u8>(5);
	EXPECT(world.configure(0, bind) == -22);
	bind.bind_address.reset();
	for (const std::vector<u8> &wrong : {std::vector<u8>{}, std::vector<u8>{'e', '0'}, std::vector<u8>(17)}) {
		bind.bind_device = wrong;
		EXPECT(world.configure(0, bind) == -22);
	}
	bind.bind_device = std::vector<u8>{0};
	bind.bind_address = std::vector<u8>(4);
	EXPECT(world.configure(0, bind) == 0 && world.up(0) == 0 && bound().interface[0] == 0 && bound().family == 0);
	EXPECT(!world.ask(0, question).extensions.contains(WGX_A_BIND_DEVICE));
}
