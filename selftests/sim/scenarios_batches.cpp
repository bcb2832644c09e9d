// SPDX-License-Identifier: GPL-2.0
/* The edges of a batch: how many segments of what sizes, and what stands among good messages that are opened in one call. */
#include "scenario.h"
#include <algorithm>

using namespace sim;

namespace {

/* One CPU that does one thing after the other: what a softirq hands up, one poll opens. */
const World::Options TOGETHER = {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) {
	knobs.cpus = 1;
	knobs.preempt = knobs.stall = knobs.short_budget = 0;
}};

/* By which poll each inner packet came up. */
struct Polls {
	World &world;
	std::vector<u64> of;
	explicit Polls(World &world) : world(world)
	{
		world.on_inner = [this](u32, u32, u64) { of.push_back(this->world.kernel.current->id); };
	}
	~Polls() { world.on_inner = nullptr; }
	bool was_one() const { return !of.empty() && std::count(of.begin(), of.end(), of[0]) == static_cast<i64>(of.size()); }
};

bool has_payload_of_0(const Sent &sent)
{
	return sent.from == 0 && sent.has_payload();
}

/* What host 0 seals for host 1 of @count packets, and the network loses, keepalives too. */
std::vector<Arrival> withheld(World &world, u32 count)
{
	size_t at = world.log.size();
	std::vector<Arrival> messages;

	world.keep_bytes = true;
	world.passes = [](const Sent &sent) { return sent.from != 0 || sent.kind != DATA; };
	for (u32 i = 0; i < count; i++)
		world.send(0, 1, static_cast<u32>(world.random.between(24, 1300)));
	world.run_for(SECOND);
	world.passes = nullptr;
	for (; at < world.log.size(); at++)
		if (has_payload_of_0(world.log[at]))
			messages.push_back({world.bytes[world.bytes.size() - world.log.size() + at], world.endpoint_of(0)});
	EXPECT(messages.size() == count);
	return messages;
}

Arrival forged(World &world, Arrival message)
{
	/* Its counter, its text or its tag. */
	message.payload[world.random.between(8, static_cast<i64>(message.payload.size()) - 1)] ^= static_cast<u8>(1u << world.random.below(8));
	return message;
}

/* Of the inner packet, up to a multiple of 16, but never beyond the MTU; and header and tag. */
u32 message_size(u32 payload, u32 mtu)
{
	u32 inner = payload + 20;

	return (inner > mtu ? inner : std::min(mtu, (inner + 15) / 16 * 16)) + 32;
}

std::vector<u32> sizes_sent(const World &world, size_t since)
{
	std::vector<u32> sizes;

	for (size_t i = since; i < world.log.size(); i++)
		if (has_payload_of_0(world.log[i]))
			sizes.push_back(world.log[i].size);
	return sizes;
}

/* Host 0's address as host 1 has it. */
std::vector<u8> endpoint_of_0(World &world)
{
	return *world.dump(1).peers.at(0).endpoint;
}

} // namespace

SCENARIO(batches_of_1_to_65_segments_arrive_and_the_last_may_be_short, 5)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = nullptr});

	world.meet();
	world.expect_traffic(0, 1, 12 * SECOND);
	for (u32 segments : {1u, 2u, 63u, 64u, 65u}) {
		for (bool is_short : {false, true}) {
			std::vector<u32> payloads(segments, static_cast<u32>(world.random.between(25, std::min(1400u, 64000 / segments)))), expected;
			size_t since = world.log.size();

			if (is_short)
				payloads.back() = static_cast<u32>(world.random.between(24, payloads[0] - 1));
			for (u32 payload : payloads)
				expected.push_back(message_size(payload, 1420));
			world.send_burst(0, 1, payloads);
			world.run_for(SECOND);
			EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
			EXPECT(sizes_sent(world, since) == expected);
		}
	}
}

/* They wait for a session together, and leave together; the MTU was another for each second one. */
SCENARIO(batches_of_mixed_sizes_and_mtus_leave_in_order, 5)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});
	std::vector<u32> expected;
	u32 left = 128;

	world.meet();
	world.passes = [](const Sent &sent) { return sent.kind != INITIATION; };
	while (left > 0) {
		u32 mtu = left % 2 ? 1420 : 1284, segments = std::min(left, world.random.chance(500) ? 1u : static_cast<u32>(world.random.between(2, 9)));
		std::vector<u32> payloads(segments, static_cast<u32>(world.random.between(world.random.chance(500) ? 24 : mtu - 24, mtu - 20)));

		payloads.back() = static_cast<u32>(world.random.between(24, payloads[0]));
		for (u32 payload : payloads)
			expected.push_back(message_size(payload, mtu));
		world.host(0).netdev.mtu = mtu;
		world.send_burst(0, 1, payloads);
		world.run_for(10 * MILLISECOND);
		left -= segments;
	}
	EXPECT(sizes_sent(world, 0).empty());
	world.passes = nullptr;
	world.run_for(7 * SECOND);
	EXPECT(world.flow(0, 1).received == 128);
	EXPECT(sizes_sent(world, 0) == expected);
}

SCENARIO(forged_messages_in_a_batch_are_dropped_alone, 5)
{
	World world(seed, TOGETHER);

	world.meet();
	world.send(0, 1);
	world.run_for(2 * SECOND);
	for (u32 round = 0; round < 4; round++) {
		u32 count = static_cast<u32>(world.random.between(3, 63));
		u64 bad = world.random.between(1, count - 2);
		std::vector<Arrival> messages = withheld(world, count);
		Arrival lost = messages[bad];
		u64 received = world.flow(0, 1).received, dropped = world.drops(1, "bad-tag"), errors = world.host(1).netdev.count[WG_RX_CRC_ERROR];
		Polls polls(world);

		messages[bad] = forged(world, lost);
		messages[bad].source.port++;
		messages.push_back(messages[bad]);
		world.inject(1, messages);
		world.run_for(SECOND);
		EXPECT(polls.of.size() == count - 1 && polls.was_one());
		EXPECT(world.flow(0, 1).received == received + count - 1);
		EXPECT(world.drops(1, "bad-tag") == dropped + 2);
		EXPECT(world.host(1).netdev.count[WG_RX_CRC_ERROR] == errors + 2);
		EXPECT(endpoint_of_0(world) == sockaddr_of(world.endpoint_of(0)));
		/* What it was forged of was not used up. */
		world.weather.keeps_order = false;
		world.inject(1, {lost});
		world.run_for(SECOND);
		world.weather.keeps_order = true;
		EXPECT(world.flow(0, 1).received == received + count);
	}
	world.expect_traffic(0, 1, SECOND);
}

SCENARIO(messages_replayed_in_a_batch_arrive_once, 5)
{
	World world(seed, TOGETHER);

	world.meet();
	world.send(0, 1);
	world.run_for(2 * SECOND);
	for (u32 round = 0; round < 4; round++) {
		std::vector<Arrival> messages = withheld(world, static_cast<u32>(world.random.between(2, 30))), all;
		u64 received = world.flow(0, 1).received, dropped = world.drops(1, "replayed"), bytes = world.dump(1).peers.at(0).rx_bytes;
		Polls polls(world);

		for (size_t i = 0; i < messages.size(); i++) {
			all.push_back(messages[i]);
			all.push_back(messages[world.random.below(i + 1)]);
			all.back().source.port++;
			bytes += messages[i].payload.size();
		}
		world.inject(1, all);
		world.run_for(SECOND);
		EXPECT(polls.of.size() == messages.size() && polls.was_one());
		EXPECT(world.flow(0, 1).received == received + messages.size());
		EXPECT(world.drops(1, "replayed") == dropped + messages.size());
		EXPECT(world.dump(1).peers.at(0).rx_bytes == bytes);
		EXPECT(endpoint_of_0(world) == sockaddr_of(world.endpoint_of(0)));
	}
	world.expect_traffic(0, 1, SECOND);
}

/* Old and new key in turn, the first message of the new one among them: it confirms the key in the middle of the batch. */
SCENARIO(messages_of_two_sessions_in_a_batch_all_arrive, 5)
{
	World world(seed, TOGETHER);
	std::vector<Arrival> old, fresh, all;

	world.meet();
	world.send(0, 1);
	world.run_for(12 * SECOND);	/* host 1 has said that it hears */
	old = withheld(world, 30);
	world.passes = [](const Sent &sent) { return sent.from != 0 || sent.kind != DATA; };
	world.run_for(20 * SECOND);	/* nothing came back: a new handshake */
	fresh = withheld(world, 30);
	EXPECT(!std::equal(&old[0].payload[4], &old[0].payload[8], &fresh[0].payload[4]));
	for (size_t i = 0; i < 30; i++) {
		all.push_back(old[i]);
		all.push_back(fresh[i]);
	}

	u32 bad = static_cast<u32>(world.random.between(1, 58));
	u64 received = world.flow(0, 1).received, sent_before = world.log.size();
	Polls polls(world);

	all[bad] = forged(world, all[bad]);
	world.weather.keeps_order = false;
	world.inject(1, all);
	world.run_for(SECOND);
	EXPECT(polls.of.size() == 59 && polls.was_one());
	EXPECT(world.flow(0, 1).received == received + 59);
	EXPECT(world.drops(1, "bad-tag") == 1);
	/* Confirmed: what goes back now goes by the new key. */
	world.send(1, 0);
	world.run_for(SECOND);
	EXPECT(world.flow(1, 0).received == 1 && world.count(INITIATION, 1) == 0 && world.log.size() > sent_before);
	world.expect_traffic(0, 1, SECOND);
}

/* The sender's address changes while a batch leaves: the receiver answers the last one, and nothing is lost. */
SCENARIO(batch_whose_sender_moves_in_its_middle_arrives, 5)
{
	World world(seed, {.hosts = 2, .ordered = true, .turn = [](Knobs &knobs) { knobs.stall = 0; }});

	world.meet();
	world.expect_traffic(0, 1, 3 * SECOND);
	for (u32 round = 0; round < 4; round++) {
		u32 left = static_cast<u32>(world.random.between(1, 39)), generation = world.host(0).generation;

		world.on_sent = [&](const Sent &sent) {
			if (has_payload_of_0(sent) && --left == 0)
				world.host(0).generation++;
		};
		world.send(0, 1, 400, 4, 40);
		world.run_for(SECOND);
		world.on_sent = nullptr;
		EXPECT(world.host(0).generation == generation + 1);
		EXPECT(world.flow(0, 1).received == world.flow(0, 1).sent);
		EXPECT(endpoint_of_0(world) == sockaddr_of(world.endpoint_of(0)));
		world.expect_traffic(0, 1, SECOND);
	}
}
