// SPDX-License-Identifier: GPL-2.0
/* The world around the simulated kernel: hosts with one device each, and the network between them.
 *
 * Every inner packet is numbered within its flow (from host, to host, IP version) and filled from that number, so that the receiving side
 * knows of each loss, copy, swap, change and misdelivery. Copies, changes and misdeliveries always end the run; swaps do on a network that
 * keeps order. Everything that leaves a host's sockets is looked at: counters of one key only grow, messages have legal types and sizes.
 */
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <vector>
#include "kernel.h"
#include "netlink.h"

namespace sim {

struct Weather {		/* chances are per 1000 messages */
	u32 loss = 0, duplicate = 0, corrupt = 0, truncate = 0, replay = 0;
	i64 delay_least = MILLISECOND, delay_most = MILLISECOND;
	bool keeps_order = true;	/* per pair of hosts */
};

struct Flow {
	u64 sent = 0, received = 0, next_expected = 0, swapped = 0;
	std::vector<bool> seen;
	std::vector<u8> traffic_classes;
};

struct Host {
	u32 id = 0;
	Domain domain;
	wg_netdev netdev;
	wg_namespace ns;
	wg_device *device = nullptr;
	Key private_key, public_key;
	u32 generation = 0;		/* of its addresses: roaming */
	u32 nat_generation = 0;		/* of its mapping, when behind NAT */
	bool behind_nat = false, offline = false;
	u16 port = 0;
	u64 transmit_errors = 0;
	int last_transmit_error = 0;
	std::deque<std::function<void()>> sends;	/* one after the other, on a network that keeps order */
	bool sending = false;
	std::string report;
};

enum MessageKind : u32 { INITIATION = 1, RESPONSE = 2, COOKIE = 3, DATA = 4 };

/* One message as it left a host. */
struct Sent {
	i64 time;
	u32 from, to;			/* to: whom it was addressed to, ~0 when nobody lives there */
	u32 kind;
	u32 size;
	u64 counter;
	u32 sender_index, receiver_index;
	u8 traffic_class;
	u32 mark;
	bool lost;			/* never scheduled for delivery */
	bool is_keepalive() const { return kind == DATA && size == 32; }
	bool has_payload() const { return kind == DATA && size > 32; }
};

/* A UDP payload as it comes to a host. */
struct Arrival {
	std::vector<u8> payload;
	wg_endpoint source;
};

struct Link {
	std::deque<std::function<void()>> waiting;
	i64 last_arrival = 0;
	bool busy = false;
};

class World {
public:
	struct Options {
		u32 hosts = 2;
		bool ordered = true;		/* sends and deliveries of a pair in order */
		std::function<void(Knobs &)> turn;	/* changes to the knobs drawn from the seed */
	};
	World(u64 seed, const Options &options);
	explicit World(u64 seed);
	~World();
	World(const World &) = delete;
	World &operator=(const World &) = delete;

	Kernel kernel;
	Random random;			/* the scenario's */
	Weather weather;
	std::vector<Sent> log;
	bool keep_bytes = false;	/* of every message, in `bytes`, beside log */
	std::vector<std::vector<u8>> bytes;
	std::function<bool(const Sent &)> passes;		/* a filter of the network: false loses it */
	std::function<void(const Sent &, const std::vector<u8> &)> on_arrival;	/* before the receiving host sees it */
	std::function<void(const Sent &)> on_sent;		/* each message as it leaves a host */
	std::function<void(u32 to, u32 from, u64 number)> on_inner;	/* an inner packet came up */

	Host &host(u32 id) { return *hosts_.at(id); }
	u32 hosts() const { return static_cast<u32>(hosts_.size()); }

	/* Configuration; each runs to its end while everything else goes on. Returns what the engine returned. */
	int configure(u32 host, const Request &request);
	int up(u32 host);
	int down(u32 host);
	Shown dump(u32 host, size_t part_size = 4000, std::function<void()> between_parts = nullptr);
	/* WGX_CMD_GET_DEVICE. */
	Shown ask(u32 host, const Request &question, size_t part_size = 4000, std::function<void()> between_parts = nullptr);
	void erase_keys(u32 host);
	void suspend(u32 host, i64 duration);
	void create(u32 host);
	void destroy(u32 host);
	/* Of a device that is down or will not send again: its namespace may end now. */
	void expect_no_routes(const wg_namespace &ns) const;

	/* Requests in pieces. */
	PeerRequest peer_entry(u32 of, u32 peer, bool with_endpoint = true);
	Request base_request(u32 host);
	wg_endpoint endpoint_of(u32 host, u8 family = 4) const;

	/* All hosts know each other; devices up. */
	void meet();
	/* Hosts a and b alone. */
	void introduce(u32 a, u32 b);

	/* An inner packet; @version 4 or 6; @segments > 1: one GSO packet of as many numbers. */
	void send(u32 from, u32 to, u32 payload = 64, u8 version = 4, u32 segments = 1, u8 traffic_class = 0);
	/* One packet of as many segments as there are @payloads. */
	void send_burst(u32 from, u32 to, const std::vector<u32> &payloads, u8 version = 4, u8 traffic_class = 0);
	void send_raw(u32 from, const std::vector<u8> &inner, u16 protocol);
	/* A packet every @interval until @until. */
	void stream(u32 from, u32 to, i64 interval, i64 until);
	/* A UDP payload to a host from a made-up (or a host's) address. */
	void inject(u32 to, const std::vector<u8> &payload, const wg_endpoint &source);
	/* Several at once, one after the other in one softirq. */
	void inject(u32 to, std::vector<Arrival> arrivals);
	std::vector<u8> inner_packet(u32 from, u32 to, u64 number, u32 payload, u8 version, u8 traffic_class = 0, u64 total = 0);

	Flow &flow(u32 from, u32 to, u8 version = 4) { return flows_[{from, to, version}]; }
	/* Sends one packet each way and expects both to arrive within @within. */
	void expect_traffic(u32 a, u32 b, i64 within);
	/* The same after a loss of keys: what was sent on the old ones may be lost, so both try again each second. */
	void expect_recovery(u32 a, u32 b, i64 within);
	bool traffic_passes(u32 a, u32 b, i64 within);
	u64 count(u32 kind, u32 from = ~0u, i64 since = 0) const;
	u64 drops(u32 host, const char *reason);
	void run_for(i64 duration) { kernel.run_for(duration); }
	i64 time() const { return kernel.time; }

	/* Takes everything down, checks that nothing is left, and ends. Called by the destructor when the scenario has not. */
	void finish();

private:
	Shown dump_in_parts(u32 host, std::vector<u8> *question, size_t part_size, const std::function<void()> &between_parts);
	void on_send(wg_namespace &, u16 port, const wg_endpoint &, std::vector<u8> &&, u8 traffic_class, u32 mark);
	void on_deliver(wg_netdev &, const std::vector<u8> &inner, u8 outer_class);
	void look_at(const Host &, const std::vector<u8> &, Sent &);
	void carry(u32 from, u32 to, const Sent &, std::vector<u8> payload, const wg_endpoint &source, u16 port, u8 traffic_class);
	void arrive(u32 to, const Sent &, const std::vector<u8> &payload, const wg_endpoint &source, u16 port, u8 traffic_class,
		    std::function<void()> done);
	void hand_up(Host &, wg_sockets *, std::vector<Arrival> arrivals, u8 traffic_class, std::function<void()> done);
	void pump(Link &);
	void pump_sends(Host &);
	u32 resolve(const wg_endpoint &, u16 &port);
	void run_transmit(Host &, wg_packet *, std::function<void()> done);

	Options options_;
	std::vector<std::unique_ptr<Host>> hosts_;
	std::map<std::tuple<u32, u32, u8>, Flow> flows_;
	std::map<std::pair<u32, u32>, Link> links_;
	std::map<std::pair<u32, u32>, u64> counters_;	/* (from, receiver_index) -> next counter */
	std::map<std::pair<u32, u16>, std::pair<u32, u16>> nat_;
	struct Recorded {
		std::vector<u8> payload;
		u32 from, to;
		wg_endpoint source;
		u16 port;
	};
	std::vector<Recorded> recorded_;	/* for replays: from where they came to where they went, else they would be roaming */
	Random weather_random_;
	bool finished_ = false;
};

/* What a stranger can make who knows the host's public key: an initiation with a right mac1 and noise for the rest. */
std::vector<u8> forged_initiation(Random &, const Key &public_key, u32 kind = INITIATION);

/* A clamped key pair from the seed. */
void make_keys(Random &, Key &private_key, Key &public_key);

} // namespace sim
