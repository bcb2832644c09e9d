// SPDX-License-Identifier: GPL-2.0
/* What `watch` and `status` remember and draw: for each peer the rates of the last minute.
 *
 * A sample is a look at all devices. Rates are between two samples, so the first has none. A peer, or
 * an interface, that is gone is forgotten; when it comes back it starts anew, and counters that went
 * back mean the same.
 */
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "config/peer_names.h"

namespace wgctl {

struct Rates {
	/* Bytes per second. */
	double received = 0, sent = 0;
};

class RateHistory {
public:
	static constexpr std::size_t LENGTH = 60;

	/* `now` in milliseconds. */
	void sample(const Peer &peer, std::int64_t now);
	/* Those of the last sample. */
	Rates rates() const { return history_.empty() ? Rates() : history_.back(); }
	bool has_rates() const { return !history_.empty(); }
	/* Oldest first, one for each sample but the first. */
	const std::deque<Rates> &all() const { return history_; }

private:
	std::deque<Rates> history_;
	std::uint64_t rx_bytes_ = 0, tx_bytes_ = 0;
	std::int64_t time_ = 0;
	bool is_first_ = true;
};

struct WatchedDevice {
	std::string name;
	/* Why there is nothing to see; empty when there is. */
	std::string problem;
	Device device;
	PeerNames names;
	std::map<Key, RateHistory> histories;
};

struct WatchStyle {
	bool colour = false;
	/* Bars of a sparkline; without it they are of ASCII. */
	bool unicode = true;
	/* 0: as wide as it takes. */
	std::size_t columns = 0;
	/* Where sparklines would be are the addresses of peers. */
	bool addresses = false;
};

/* A screen of so many columns shows rows as a whole, endpoints of IPv4 among them. */
constexpr std::size_t FULL_WIDTH = 104;

/* Which peers are shown, and which come first: the latest, the least, the busiest; by default all, as they are. */
struct Selection {
	enum class Which { all, online, offline };
	enum class Order { none, handshake, name, address, rate };

	Which which = Which::all;
	Order order = Order::none;
};

/* `now` in seconds of wall clock. */
std::vector<const Peer *> select_peers(const WatchedDevice &watched, const Selection &selection, std::int64_t now);

class Dashboard {
public:
	/* Replaces what is known of the device; `now` in milliseconds. */
	void sample(const Device &device, PeerNames names, std::int64_t now);
	/* The interface is wanted, and cannot be read. */
	void problem(const std::string &name, const std::string &text);
	/* Forgets all interfaces but these. */
	void keep(const std::vector<std::string> &names);

	const std::map<std::string, WatchedDevice> &devices() const { return devices_; }
	/* `now` in seconds of wall clock, for ages. */
	Text page(const WatchStyle &style, std::int64_t now, const Selection &selection = {}) const;

private:
	std::map<std::string, WatchedDevice> devices_;
};

/* "1.5 MiB/s"; "12s", "3m 20s", "2h 5m", "3d 4h"; one bar for each of the last `width` values. */
std::string format_rate(double bytes_per_second);
std::string format_age(std::int64_t seconds);
std::string sparkline(const std::deque<Rates> &history, std::size_t width, bool unicode);

}
