// SPDX-License-Identifier: GPL-2.0
#include "world.h"
#include <algorithm>
#include <cstring>
#include "packet.h"
#include "../unit/primitives.h"

namespace sim {

namespace {

constexpr u32 NOBODY = ~0u;
constexpr u32 FLOW_MAGIC = 0xf10a0001;
constexpr size_t FLOW_HEADER = 24;

u32 real_features()
{
	u32 features = __builtin_cpu_supports("avx2") ? u32{WG_CPU_AVX2} : 0u;

	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512ifma"))
		features |= WG_CPU_AVX512;
	return features;
}

Knobs draw_knobs(u64 seed, const std::function<void(Knobs &)> &turn)
{
	Random random(seed * 4 + 3);
	Knobs knobs;
	static const u32 PREEMPT[] = {0, 0, 8, 64, 300};

	knobs.cpus = static_cast<u32>(random.between(1, 4));
	knobs.preempt = PREEMPT[random.below(5)];
	knobs.stall = random.chance(500) ? 0 : 20;
	static const i64 COST[] = {0, MICROSECOND, 5 * MICROSECOND, 30 * MICROSECOND};
	knobs.step_cost = COST[random.below(4)];
	knobs.stall_most = random.between(1, 20) * MILLISECOND;
	knobs.worker_latency = random.between(0, 2) * MILLISECOND + 10 * MICROSECOND;
	knobs.poller_latency = random.between(0, 200) * MICROSECOND;
	knobs.grace = random.between(0, 20) * MILLISECOND;
	knobs.tick = random.chance(500) ? 4 * MILLISECOND : MILLISECOND;
	knobs.no_simd = random.chance(500) ? 0 : 200;
	knobs.short_budget = random.chance(500) ? 0 : 300;
	/* The forms of the AEAD write the same bytes, so a run is the same on a CPU that lacks one. */
	knobs.cpu_features = random.chance(500) ? 0 : real_features();
	if (turn)
		turn(knobs);
	return knobs;
}

u32 get32(const u8 *at)
{
	u32 value;

	memcpy(&value, at, 4);
	return value;
}

u64 get64(const u8 *at)
{
	u64 value;

	memcpy(&value, at, 8);
	return value;
}

u8 pattern(u64 number, size_t at)
{
	return static_cast<u8>(number * 31 + at * 7 + (at >> 8));
}

} // namespace

void make_keys(Random &random, Key &private_key, Key &public_key)
{
	private_key.resize(32);
	public_key.resize(32);
	random.fill(private_key.data(), 32);
	private_key[0] &= 248;
	private_key[31] = static_cast<u8>((private_key[31] & 127) | 64);
	wg::test::primitives().x25519_public(public_key.data(), private_key.data());
}

std::vector<u8> forged_initiation(Random &random, const Key &public_key, u32 kind)
{
	const auto &library = wg::test::primitives();
	std::vector<u8> message(kind == INITIATION ? 148 : 92);
	u8 mac1_key[32];

	random.fill(message.data(), message.size());
	memcpy(message.data(), &kind, 4);
	library.blake2s(mac1_key, 32, nullptr, 0, reinterpret_cast<const u8 *>("mac1----"), 8, public_key.data(), 32);
	library.blake2s(&message[message.size() - 32], 16, mac1_key, 32, message.data(), message.size() - 32, nullptr, 0);
	memset(&message[message.size() - 16], 0, 16);
	return message;
}

World::World(u64 seed) : World(seed, Options{}) {}

World::World(u64 seed, const Options &options)
	: kernel(seed, draw_knobs(seed, options.turn)), random(seed * 4 + 5), options_(options), weather_random_(seed * 4 + 6)
{
	weather.keeps_order = options.ordered;
	kernel.on_send = [this](wg_namespace &ns, u16 port, const wg_endpoint &to, std::vector<u8> &&payload, u8 traffic_class, u32 mark) {
		on_send(ns, port, to, std::move(payload), traffic_class, mark);
	};
	kernel.on_deliver = [this](wg_netdev &netdev, const std::vector<u8> &inner, u8 outer_class) { on_deliver(netdev, inner, outer_class); };
	kernel.source_is_usable = [this](wg_namespace &ns, const wg_endpoint &endpoint) {
		Host &self = *static_cast<Host *>(ns.host);
		wg_endpoint mine = endpoint_of(self.id, endpoint.family);
		static const u8 NONE[16] = {};

		if (memcmp(endpoint.source, NONE, 16) == 0)
			return true;
		return memcmp(endpoint.source, mine.source, 16) == 0 && (endpoint.source_interface == 0 || endpoint.source_interface == 2);
	};
	for (u32 i = 0; i < options.hosts; i++) {
		hosts_.push_back(std::make_unique<Host>());
		Host &host = *hosts_.back();

		host.id = i;
		host.domain.id = i;
		host.domain.boot_offset = random.between(0, 100) * SECOND;
		host.domain.wall_offset = random.between(0, 1000) * SECOND;
		host.netdev.domain = &host.domain;
		host.netdev.name = "wg" + std::to_string(i);
		host.netdev.index = 10 + i;
		host.netdev.host = &host;
		host.ns.host = &host;
		host.ns.domain = &host.domain;
		host.port = static_cast<u16>(51820 + i);
		make_keys(random, host.private_key, host.public_key);
	}
	kernel.run_process(host(0).domain, "load", [] {
		int error = wg_engine_load("auto");

		if (error == -12)
			error = wg_engine_load("auto");
		if (error)
			fail("wg_engine_load: %d", error);
	});
	for (u32 i = 0; i < options.hosts; i++)
		create(i);
}

World::~World()
{
	if (!finished_)
		finish();
}

void World::finish()
{
	finished_ = true;
	kernel.knobs.allocation_failures = 0;
	kernel.knobs.fail_allocation = 0;
	for (auto &host : hosts_)
		if (host->device)
			destroy(host->id);
	kernel.run_for(10 * SECOND);
	kernel.run_process(host(0).domain, "unload", [] {
		wg_kernel_rcu_barrier();
		wg_engine_unload();
	});
	kernel.run_for(SECOND);
	kernel.check_nothing_left();
}

/* ---- configuration ---- */

void World::create(u32 id)
{
	Host &self = host(id);
	int error = 0;

	kernel.run_process(self.domain, "create", [&] {
		wg_device *device = nullptr;

		error = wg_engine_device_create(&self.netdev, &self.ns, &device);
		self.device = error ? nullptr : device;
		self.netdev.has_statistics = true;
	});
	if (error && error != -12)
		fail("wg_engine_device_create: %d", error);
}

void World::expect_no_routes(const wg_namespace &ns) const
{
	for (const auto &[cache, of] : kernel.routes)
		if (of == &ns)
			fail("a cached route may outlive its namespace");
}

void World::destroy(u32 id)
{
	Host &self = host(id);

	kernel.run_process(self.domain, "destroy", [&] {
		if (self.netdev.up) {
			self.netdev.up = false;
			wg_engine_device_down(self.device);
		}
		/* unregister_netdevice waits for transmitters between closing and the destructor; the device is in no list then. */
		wg_kernel_rcu_wait();
		expect_no_routes(self.ns);
		self.netdev.has_statistics = false;
	});
	kernel.run_without_rtnl(self.domain, DESTRUCTOR, [&] {
		kernel.sleep(kernel.schedule.between(0, kernel.knobs.grace));
		wg_engine_device_destroy(self.device);
	});
	self.device = nullptr;
}

int World::configure(u32 id, const Request &request)
{
	Host &self = host(id);
	int result = 0;

	kernel.trace("configure", id);
	kernel.run_process(self.domain, "set", [&] {
		Message message(request);
		wg_report report;

		result = message.set(self.device, true, report);
		self.report = report.text;
		if (request.private_key && message.holds(*request.private_key))
			fail("the private key is left in the request");
		for (const PeerRequest &peer : request.peers)
			if (peer.preshared_key && message.holds(*peer.preshared_key))
				fail("a preshared key is left in the request");
	});
	kernel.trace("configured", id, static_cast<u64>(result));
	return result;
}

int World::up(u32 id)
{
	Host &self = host(id);
	int result = 0;

	kernel.run_process(self.domain, "up", [&] {
		self.netdev.up = true;
		result = wg_engine_device_up(self.device);
		if (result)
			self.netdev.up = false;
	});
	kernel.trace("up", id, static_cast<u64>(result));
	return result;
}

int World::down(u32 id)
{
	Host &self = host(id);

	kernel.run_process(self.domain, "down", [&] {
		self.netdev.up = false;
		wg_engine_device_down(self.device);
	});
	kernel.trace("down", id);
	return 0;
}

void World::erase_keys(u32 id)
{
	kernel.run_process(host(id).domain, "erase keys", [&] { wg_engine_device_erase_keys(host(id).device); });
}

void World::suspend(u32 id, i64 duration)
{
	erase_keys(id);
	/* Frozen when nothing of theirs is in work. */
	kernel.run_process(host(id).domain, "freeze", [&] {
		kernel.block("handshake workers", [&] {
			return std::none_of(kernel.workers.begin(), kernel.workers.end(), [&](const auto &entry) {
				const wg_workers &pool = *entry.second;

				return pool.netdev == &host(id).netdev && pool.kind == WG_WORKER_HANDSHAKE &&
				       std::any_of(pool.work.begin(), pool.work.end(), [](const auto &work) { return work.running; });
			});
		});
	});
	kernel.trace("suspend", id, static_cast<u64>(duration));
	host(id).domain.boot_offset += duration;
	host(id).domain.wall_offset += duration;
}

Shown World::dump(u32 id, size_t part_size, std::function<void()> between_parts)
{
	return dump_in_parts(id, nullptr, part_size, between_parts);
}

Shown World::ask(u32 id, const Request &question, size_t part_size, std::function<void()> between_parts)
{
	Message message(question);

	message.bytes().reserve(1);	/* a question that asks for nothing is one, too */
	return dump_in_parts(id, &message.bytes(), part_size, between_parts);
}

Shown World::dump_in_parts(u32 id, std::vector<u8> *question, size_t part_size, const std::function<void()> &between_parts)
{
	wg_dump dump{};
	Shown shown;
	u32 generation = 0;

	while (!dump.done) {
		wg_reply reply(part_size);
		int result = 0;

		kernel.run_process(host(id).domain, "dump", [&] {
			result = wg_engine_dump(host(id).device, &dump, question ? question->data() : nullptr, question ? question->size() : 0, &reply);
		});
		if (result)
			fail("wg_engine_dump into %zu bytes: %d", part_size, result);
		if (shown.parts && generation != dump.generation)
			shown.interrupted = true;
		generation = dump.generation;
		parse_part(reply, shown);
		if (shown.parts > 1000000)
			fail("the dump never ends");
		if (!dump.done && between_parts)
			between_parts();
	}
	return shown;
}

wg_endpoint World::endpoint_of(u32 id, u8 family) const
{
	const Host &self = *hosts_.at(id);
	wg_endpoint endpoint{};

	endpoint.family = family;
	endpoint.port = self.port;
	endpoint.source_interface = 2;
	if (family == 4) {
		const u8 address[4] = {10, static_cast<u8>(self.generation), static_cast<u8>(id >> 8), static_cast<u8>(id + 1)};

		memcpy(endpoint.address, address, 4);
		memcpy(endpoint.source, address, 4);
	} else {
		const u8 address[16] = {0xfd, 0, static_cast<u8>(self.generation), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<u8>(id >> 8),
					static_cast<u8>(id + 1)};

		memcpy(endpoint.address, address, 16);
		memcpy(endpoint.source, address, 16);
	}
	return endpoint;
}

PeerRequest World::peer_entry(u32, u32 peer, bool with_endpoint)
{
	PeerRequest entry;
	u8 high = static_cast<u8>(peer >> 8), low = static_cast<u8>(peer + 1);

	entry.public_key = host(peer).public_key;
	entry.allowed_ips.push_back({2, {192, 168, high, low}, 32, {}});
	entry.allowed_ips.push_back({10, {0xfd, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, low}, 128, {}});
	if (with_endpoint)
		entry.endpoint = sockaddr_of(endpoint_of(peer));
	return entry;
}

Request World::base_request(u32 id)
{
	Request request;

	request.private_key = host(id).private_key;
	request.listen_port = host(id).port;
	return request;
}

void World::meet()
{
	for (u32 i = 0; i < hosts(); i++) {
		Request request = base_request(i);

		for (u32 other = 0; other < hosts(); other++)
			if (other != i)
				request.peers.push_back(peer_entry(i, other));
		EXPECT(configure(i, request) == 0);
		EXPECT(up(i) == 0);
	}
}

void World::introduce(u32 a, u32 b)
{
	for (u32 id : {a, b}) {
		Request request = base_request(id);

		request.peers.push_back(peer_entry(id, id == a ? b : a));
		EXPECT(configure(id, request) == 0);
		EXPECT(up(id) == 0);
	}
}

/* ---- inner packets ---- */

std::vector<u8> World::inner_packet(u32 from, u32 to, u64 number, u32 payload, u8 version, u8 traffic_class, u64 total)
{
	size_t header = version == 4 ? 20 : 40;
	std::vector<u8> packet(header + std::max<size_t>(payload, FLOW_HEADER));
	size_t length = total ? total : packet.size();
	u8 *body;

	if (version == 4) {
		const u8 addresses[8] = {192, 168, static_cast<u8>(from >> 8), static_cast<u8>(from + 1), 192, 168, static_cast<u8>(to >> 8),
					 static_cast<u8>(to + 1)};

		packet[0] = 0x45;
		packet[1] = traffic_class;
		packet[2] = static_cast<u8>(length >> 8);
		packet[3] = static_cast<u8>(length);
		packet[8] = 64;
		packet[9] = 17;
		memcpy(&packet[12], addresses, 8);
	} else {
		packet[0] = static_cast<u8>(0x60 | traffic_class >> 4);
		packet[1] = static_cast<u8>(traffic_class << 4);
		packet[4] = static_cast<u8>((length - 40) >> 8);
		packet[5] = static_cast<u8>(length - 40);
		packet[6] = 17;
		packet[7] = 64;
		for (int side = 0; side < 2; side++) {
			u32 id = side ? to : from;
			u8 *address = &packet[side ? 24 : 8];

			address[0] = 0xfd;
			address[1] = 0x77;
			address[14] = static_cast<u8>(id >> 8);
			address[15] = static_cast<u8>(id + 1);
		}
	}
	body = &packet[header];
	for (size_t i = FLOW_HEADER; i < packet.size() - header; i++)
		body[i] = pattern(number, i);
	u32 words[4] = {FLOW_MAGIC, from, to, static_cast<u32>(packet.size())};
	memcpy(body, words, 16);
	memcpy(body + 16, &number, 8);
	return packet;
}

void World::run_transmit(Host &self, wg_packet *packet, std::function<void()> done)
{
	bool softirq = random.chance(500);

	kernel.spawn(
		softirq ? Context::Softirq : Context::Process, self.domain, "transmit",
		[&self, packet] {
			Fiber &fiber = *sim::kernel->current;

			sim::kernel->bottom_half_off(fiber);
			wg_kernel_rcu_read_lock();
			if (!self.netdev.up || !self.device) {
				wg_kernel_packet_free(packet);
			} else {
				int error = wg_engine_transmit(self.device, packet);

				if (error) {
					self.transmit_errors++;
					self.last_transmit_error = error;
				}
			}
			wg_kernel_rcu_read_unlock();
			sim::kernel->bottom_half_on(fiber);
		},
		ANY_CPU, std::move(done));
}

void World::pump_sends(Host &self)
{
	if (self.sending || self.sends.empty())
		return;
	std::function<void()> next = std::move(self.sends.front());
	self.sends.pop_front();
	self.sending = true;
	next();
}

void World::send_raw(u32 from, const std::vector<u8> &inner, u16 protocol)
{
	run_transmit(host(from), make_inner_packet({inner}, inner, protocol), nullptr);
}

void World::send(u32 from, u32 to, u32 payload, u8 version, u32 segments, u8 traffic_class)
{
	send_burst(from, to, std::vector<u32>(segments, payload), version, traffic_class);
}

void World::send_burst(u32 from, u32 to, const std::vector<u32> &payloads, u8 version, u8 traffic_class)
{
	Host &self = host(from);
	Flow &it = flow(from, to, version);
	std::vector<std::vector<u8>> parts;
	std::vector<u8> whole;

	for (u32 payload : payloads)
		parts.push_back(inner_packet(from, to, it.sent++, payload, version, traffic_class));
	whole = parts[0];
	if (parts.size() > 1) {
		size_t header = version == 4 ? 20 : 40, total = header;

		for (auto &part : parts)
			total += part.size() - header;
		whole = inner_packet(from, to, 0, payloads[0], version, traffic_class, total);
		whole.resize(total);
	}
	kernel.trace("send", from, to, it.sent - 1);
	auto start = [this, &self, parts = std::move(parts), whole = std::move(whole), version] {
		run_transmit(self, make_inner_packet(parts, whole, version == 4 ? 0x0800 : 0x86dd), [this, &self] {
			self.sending = false;
			pump_sends(self);
		});
	};
	if (!options_.ordered) {
		start();
		return;
	}
	self.sends.push_back(std::move(start));
	pump_sends(self);
}

void World::stream(u32 from, u32 to, i64 interval, i64 until)
{
	if (kernel.time >= until)
		return;
	for (i64 burst = random.chance(200) ? random.between(2, 5) : 1; burst > 0; burst--)
		send(from, to, static_cast<u32>(random.between(0, 120)), random.chance(300) ? 6 : 4);
	kernel.at(kernel.time + random.between(interval / 2, interval * 3 / 2), [this, from, to, interval, until] { stream(from, to, interval, until); });
}

void World::on_deliver(wg_netdev &netdev, const std::vector<u8> &inner, u8)
{
	Host &self = *static_cast<Host *>(netdev.host);
	u8 version = inner[0] >> 4;
	size_t header = version == 4 ? 20 : 40;

	if (inner.size() < header + FLOW_HEADER || get32(&inner[header]) != FLOW_MAGIC)
		fail("host %u got an inner packet that nobody sent", self.id);
	const u8 *body = &inner[header];
	u32 from = get32(body + 4), to = get32(body + 8);
	u64 number = get64(body + 16);
	if (to != self.id)
		fail("host %u got what was for host %u", self.id, to);
	if (get32(body + 12) != inner.size())
		fail("packet %llu of %u -> %u arrived with %zu bytes, not %u", static_cast<unsigned long long>(number), from, to, inner.size(),
		     get32(body + 12));
	u8 traffic_class = version == 4 ? inner[1] : static_cast<u8>(inner[0] << 4 | inner[1] >> 4);
	if (inner != inner_packet(from, to, number, static_cast<u32>(inner.size() - header), version, traffic_class))
		fail("packet %llu of %u -> %u was changed", static_cast<unsigned long long>(number), from, to);
	Flow &it = flow(from, to, version);
	if (number >= it.sent)
		fail("packet %llu of %u -> %u was never sent", static_cast<unsigned long long>(number), from, to);
	if (it.seen.size() <= number)
		it.seen.resize(number + 64);
	if (it.seen[number])
		fail("packet %llu of %u -> %u arrived twice", static_cast<unsigned long long>(number), from, to);
	it.seen[number] = true;
	it.received++;
	if (number < it.next_expected) {
		it.swapped++;
		if (weather.keeps_order)
			fail("packet %llu of %u -> %u arrived after number %llu", static_cast<unsigned long long>(number), from, to,
			     static_cast<unsigned long long>(it.next_expected - 1));
	}
	it.next_expected = std::max(it.next_expected, number + 1);
	kernel.trace("inner arrives", from, to, number);
	if (on_inner)
		on_inner(to, from, number);
}

/* ---- the network ---- */

u32 World::resolve(const wg_endpoint &endpoint, u16 &port)
{
	port = endpoint.port;
	if (endpoint.family == 4 && endpoint.address[0] == 172) {
		u32 id = endpoint.address[3] - 1u;

		if (id < hosts() && host(id).behind_nat && endpoint.port == 1024 + host(id).nat_generation) {
			port = host(id).port;
			return id;
		}
		return NOBODY;
	}
	for (auto &candidate : hosts_) {
		wg_endpoint at = endpoint_of(candidate->id, endpoint.family);

		if (!candidate->behind_nat && memcmp(at.address, endpoint.address, endpoint.family == 4 ? 4 : 16) == 0)
			return candidate->id;
	}
	return NOBODY;
}

void World::look_at(const Host &self, const std::vector<u8> &payload, Sent &sent)
{
	if (payload.size() < 32)
		fail("a message of %zu bytes leaves", payload.size());
	sent.kind = get32(&payload[0]);
	sent.size = static_cast<u32>(payload.size());
	switch (sent.kind) {
	case INITIATION:
		EXPECT(payload.size() == 148);
		sent.sender_index = get32(&payload[4]);
		break;
	case RESPONSE:
		EXPECT(payload.size() == 92);
		sent.sender_index = get32(&payload[4]);
		sent.receiver_index = get32(&payload[8]);
		break;
	case COOKIE:
		EXPECT(payload.size() == 64);
		sent.receiver_index = get32(&payload[4]);
		break;
	case DATA: {
		sent.receiver_index = get32(&payload[4]);
		sent.counter = get64(&payload[8]);
		u64 &next = counters_[{self.id, sent.receiver_index}];
		if (sent.counter < next)
			fail("host %u sends counter %llu to index %08x after %llu: %s", self.id, static_cast<unsigned long long>(sent.counter),
			     sent.receiver_index, static_cast<unsigned long long>(next - 1), "a nonce used twice, or packets out of order");
		next = sent.counter + 1;
		break;
	}
	default:
		fail("a message of type %u leaves", sent.kind);
	}
}

void World::on_send(wg_namespace &ns, u16 port, const wg_endpoint &endpoint, std::vector<u8> &&payload, u8 traffic_class, u32 mark)
{
	Host &self = *static_cast<Host *>(ns.host);
	Sent sent{};
	wg_endpoint source = endpoint_of(self.id, endpoint.family);
	u16 to_port;

	sent.time = kernel.time;
	sent.from = self.id;
	sent.traffic_class = traffic_class;
	sent.mark = mark;
	look_at(self, payload, sent);
	sent.to = resolve(endpoint, to_port);
	source.port = port;
	if (self.behind_nat && endpoint.family == 4) {
		const u8 outside[4] = {172, 16, 0, static_cast<u8>(self.id + 1)};

		memcpy(source.address, outside, 4);
		source.port = static_cast<u16>(1024 + self.nat_generation);
	}
	kernel.trace("message", sent.kind, sent.from << 16 | (sent.to & 0xffff), sent.size);
	kernel.hash_bytes(payload.data(), payload.size());
	if (on_sent)
		on_sent(sent);
	if (self.offline) {
		sent.lost = true;
		log.push_back(sent);
		if (keep_bytes)
			bytes.push_back(payload);
		return;
	}
	sent.lost = sent.to == NOBODY || host(sent.to).offline || weather_random_.chance(weather.loss) || (passes && !passes(sent));
	log.push_back(sent);
	if (keep_bytes)
		bytes.push_back(payload);
	if (sent.to == NOBODY)
		return;
	Recorded record = {payload, self.id, sent.to, source, to_port};
	if (recorded_.size() < 64)
		recorded_.push_back(record);
	else
		recorded_[weather_random_.below(64)] = record;
	if (!sent.lost)
		carry(self.id, sent.to, sent, payload, source, to_port, traffic_class);
	if (weather_random_.chance(weather.duplicate))
		carry(self.id, sent.to, sent, payload, source, to_port, traffic_class);
	if (weather_random_.chance(weather.replay)) {
		const Recorded &again = recorded_[weather_random_.below(recorded_.size())];
		Sent old = sent;

		old.kind = 0;
		carry(again.from, again.to, old, again.payload, again.source, again.port, traffic_class);
	}
}

void World::carry(u32 from, u32 to, const Sent &sent, std::vector<u8> payload, const wg_endpoint &source, u16 port, u8 traffic_class)
{
	Link &link = links_[{from, to}];
	i64 when = kernel.time + weather_random_.between(weather.delay_least, weather.delay_most);
	wg_endpoint seen = source;

	if (weather_random_.chance(weather.corrupt))
		payload[weather_random_.below(payload.size())] ^= static_cast<u8>(1u << weather_random_.below(8));
	if (weather_random_.chance(weather.truncate))
		payload.resize(weather_random_.below(payload.size()) + 1);
	if (weather.keeps_order)
		when = std::max(when, link.last_arrival);
	link.last_arrival = when;
	kernel.at(when, [this, &link, to, sent, payload = std::move(payload), seen, port, traffic_class] {
		if (!weather.keeps_order) {
			arrive(to, sent, payload, seen, port, traffic_class, nullptr);
			return;
		}
		link.waiting.push_back([this, &link, to, sent, payload, seen, port, traffic_class] {
			arrive(to, sent, payload, seen, port, traffic_class, [this, &link] {
				link.busy = false;
				pump(link);
			});
		});
		pump(link);
	});
}

void World::pump(Link &link)
{
	if (link.busy || link.waiting.empty())
		return;
	std::function<void()> next = std::move(link.waiting.front());

	link.waiting.pop_front();
	link.busy = true;
	next();
}

void World::arrive(u32 to, const Sent &sent, const std::vector<u8> &payload, const wg_endpoint &source, u16 port, u8 traffic_class,
		   std::function<void()> done)
{
	Host &self = host(to);
	auto bound = self.ns.bound.find(port);

	if (on_arrival)
		on_arrival(sent, payload);
	if (bound != self.ns.bound.end())
		hand_up(self, bound->second, {{payload, source}}, traffic_class, std::move(done));
	else if (done)
		done();
}

void World::hand_up(Host &self, wg_sockets *sockets, std::vector<Arrival> arrivals, u8 traffic_class, std::function<void()> done)
{
	for (Arrival &arrival : arrivals) {
		memcpy(arrival.source.source, endpoint_of(self.id, arrival.source.family).source, sizeof(arrival.source.source));
		arrival.source.source_interface = 2;
	}
	sockets->receiving++;
	kernel.spawn(
		Context::Softirq, self.domain, "receive",
		[this, sockets, arrivals = std::move(arrivals), traffic_class] {
			auto receive = [&](const std::vector<u8> &payload, const wg_endpoint &source) {
				wg_engine_receive(sockets->device, make_received_packet(payload, source, traffic_class));
			};

			wg_kernel_rcu_read_lock();
			if (sockets->unhooked) {
				/* the port was closed meanwhile */
			} else {
				sim::kernel->acquired(*kernel.current, sockets, CLASS_RECEIVE, false, true);
				for (const auto &[payload, source] : arrivals) {
					if (kernel.knobs.among_rubbish)
						receive({1, 2, 3}, source);
					receive(payload, source);
					if (kernel.knobs.among_rubbish)
						receive({}, source);
				}
				sim::kernel->released(*kernel.current, sockets, "receive");
			}
			wg_kernel_rcu_read_unlock();
			sockets->receiving--;
		},
		ANY_CPU, std::move(done));
}

void World::inject(u32 to, const std::vector<u8> &payload, const wg_endpoint &source)
{
	Sent sent{};

	sent.from = NOBODY;
	sent.to = to;
	arrive(to, sent, payload, source, host(to).port, 0, nullptr);
}

void World::inject(u32 to, std::vector<Arrival> arrivals)
{
	Host &self = host(to);

	hand_up(self, self.ns.bound.at(self.port), std::move(arrivals), 0, nullptr);
}

/* ---- questions ---- */

bool World::traffic_passes(u32 a, u32 b, i64 within)
{
	i64 until = kernel.time + within;
	u64 there = flow(a, b).sent, back = flow(b, a).sent;
	auto arrived = [](Flow &it, u64 number) { return it.seen.size() > number && it.seen[number]; };

	send(a, b);
	send(b, a);
	while (kernel.time < until) {
		kernel.run_for(std::min<i64>(100 * MILLISECOND, until - kernel.time));
		if (arrived(flow(a, b), there) && arrived(flow(b, a), back))
			return true;
	}
	return false;
}

void World::expect_traffic(u32 a, u32 b, i64 within)
{
	if (!traffic_passes(a, b, within))
		fail("no traffic between hosts %u and %u within %.3f s", a, b, static_cast<double>(within) / 1e9);
}

void World::expect_recovery(u32 a, u32 b, i64 within)
{
	i64 until = kernel.time + within;

	while (kernel.time < until)
		if (traffic_passes(a, b, SECOND))
			return;
	fail("traffic between hosts %u and %u does not recover within %.3f s", a, b, static_cast<double>(within) / 1e9);
}

u64 World::count(u32 kind, u32 from, i64 since) const
{
	u64 total = 0;

	for (const Sent &sent : log)
		total += sent.kind == kind && (from == NOBODY || sent.from == from) && sent.time >= since;
	return total;
}

u64 World::drops(u32 id, const char *reason)
{
	for (u32 i = 0; i < wg_engine_drop_reasons(); i++)
		if (strcmp(wg_engine_drop_name(i), reason) == 0) {
			u64 count = 0;

			kernel.run_process(host(id).domain, "drops", [&] { count = wg_engine_drop_count(host(id).device, i); });
			return count;
		}
	fail("no such drop reason: %s", reason);
}

} // namespace sim
