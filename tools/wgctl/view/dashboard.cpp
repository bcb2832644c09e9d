// SPDX-License-Identifier: GPL-2.0
#include "view/dashboard.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "model/values.h"
#include "tunnel/inside.h"
#include "view/colours.h"
#include "view/columns.h"

namespace wgctl {

namespace {

/* Columns: of names and sparklines, where there is room for them; of what stands between; of the least that
 * is worth to be called an endpoint. */
constexpr std::size_t LONGEST_NAME = 20, SHORTEST_NAME = 8, SPARKLINE_WIDTH = 20, REST = 41, SHORTEST_ENDPOINT = 10;
static_assert(FULL_WIDTH == REST + LONGEST_NAME + SPARKLINE_WIDTH + 2 + std::string_view("255.255.255.255:65535").size());

std::string scaled(double value, std::string_view suffix)
{
	static constexpr const char *UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	std::size_t unit = 0;
	char text[48];

	while (unit + 1 < std::size(UNITS) && value >= 1000) {
		value /= 1024;
		++unit;
	}
	std::snprintf(text, sizeof(text), unit && value < 100 ? "%.1f %s%s" : "%.0f %s%s", value, UNITS[unit], std::string(suffix).c_str());
	return text;
}

std::string painted(std::string_view text, std::string_view colour, const WatchStyle &style)
{
	if (!style.colour || colour.empty())
		return std::string(text);
	return std::string(colour) + std::string(text) + std::string(RESET);
}

/* How wide the columns are that give way on a narrow screen. */
struct Layout {
	std::size_t name = LONGEST_NAME, sparkline = SPARKLINE_WIDTH, endpoint = SIZE_MAX;

	explicit Layout(std::size_t columns)
	{
		if (!columns)
			return;
		std::size_t room = columns - std::min(columns, REST);
		name = std::clamp(room, SHORTEST_NAME, LONGEST_NAME);
		room -= std::min(room, name);
		sparkline = std::min(room, SPARKLINE_WIDTH);
		room -= sparkline;
		endpoint = room >= SHORTEST_ENDPOINT + 2 ? room - 2 : 0;
	}
};

std::string name_of(const Peer &peer, const PeerNames &names)
{
	auto name = names.find(peer.public_key);

	return name == names.end() ? std::string(to_base64(peer.public_key)) : name->second;
}

std::string address_text(const Peer &peer)
{
	std::optional<Prefix> address = inner_address(peer);

	return !address ? "-" : address->cidr == address->bits() ? format_address(*address) : format_prefix(*address);
}

/* IPv4 before IPv6, and whoever has none last. */
auto place_of(const Peer &peer)
{
	std::optional<Prefix> address = inner_address(peer);

	return address ? std::pair(address->family, address->address) : std::pair(std::numeric_limits<std::uint16_t>::max(), decltype(address->address)());
}

double rate_of(const Peer &peer, const WatchedDevice &watched)
{
	Rates rates = watched.histories.at(peer.public_key).rates();

	return rates.received + rates.sent;
}

bool comes_before(const Peer &a, const Peer &b, const WatchedDevice &watched, Selection::Order order)
{
	switch (order) {
	case Selection::Order::none:
		return false;
	case Selection::Order::handshake:
		return a.last_handshake > b.last_handshake;
	case Selection::Order::name:
		return name_of(a, watched.names) < name_of(b, watched.names);
	case Selection::Order::address:
		return place_of(a) < place_of(b);
	case Selection::Order::rate:
		return rate_of(a, watched) > rate_of(b, watched);
	}
	return false;
}

std::string header(const WatchedDevice &watched, const WatchStyle &style, std::int64_t now)
{
	Rates sum;
	std::size_t peers = watched.device.peers.size(), online = select_peers(watched, {Selection::Which::online}, now).size();

	for (const auto &[key, history] : watched.histories) {
		sum.received += history.rates().received;
		sum.sent += history.rates().sent;
	}
	return painted(printable(watched.name), BOLD, style) + "  port " + std::to_string(watched.device.listen_port.value_or(0)) + "  " +
	       std::to_string(peers) + (peers == 1 ? " peer, " : " peers, ") + std::to_string(online) + " online  in " + format_rate(sum.received) + "  out " +
	       format_rate(sum.sent) + "\n";
}

/* The columns of a peer; the endpoint only where there is room. */
std::string row(const std::string &name, const std::string &age, std::string_view age_colour, const std::string &in, const std::string &out,
		const std::string &line, const std::string &endpoint, const WatchStyle &style)
{
	Layout layout(style.columns);
	std::string text = "  " + padded(clipped(name, layout.name), layout.name) + "  " + painted(padded(age, 9, true), age_colour, style) + "  " +
			   padded(in, 11, true) + "  " + padded(out, 11, true) + "  " + padded(clipped(line, layout.sparkline), layout.sparkline);

	if (layout.endpoint)
		text += "  " + clipped(endpoint, layout.endpoint);
	return text + "\n";
}

std::string peer_row(const Peer &peer, const WatchedDevice &watched, const WatchStyle &style, std::int64_t now)
{
	auto found = watched.histories.find(peer.public_key);
	bool has_rates = found != watched.histories.end() && found->second.has_rates();
	Rates rates = has_rates ? found->second.rates() : Rates();
	std::int64_t age = now - peer.last_handshake.seconds;
	std::string_view colour = peer.has_session(now) ? GREEN : YELLOW;
	std::string text = format_age(age), line;

	if (!peer.last_handshake.seconds) {
		text = "never";
		colour = DIM;
	}
	if (style.addresses)
		line = address_text(peer);
	else if (has_rates)
		line = sparkline(found->second.all(), Layout(style.columns).sparkline, style.unicode);
	return row(name_of(peer, watched.names), text, colour, has_rates ? format_rate(rates.received) : "-",
		   has_rates ? format_rate(rates.sent) : "-", line,
		   peer.endpoint ? std::string(std::string_view(format_endpoint(*peer.endpoint))) : "-", style);
}

}

std::string format_rate(double bytes_per_second)
{
	return scaled(bytes_per_second, "/s");
}

std::string format_age(std::int64_t seconds)
{
	auto two = [](std::int64_t big, const char *big_unit, std::int64_t small, const char *small_unit) {
		return std::to_string(big) + big_unit + " " + std::to_string(small) + small_unit;
	};

	if (seconds < 0)
		return "future";
	if (seconds < 60)
		return std::to_string(seconds) + "s";
	if (seconds < 60 * 60)
		return two(seconds / 60, "m", seconds % 60, "s");
	if (seconds < 24 * 60 * 60)
		return two(seconds / 3600, "h", seconds / 60 % 60, "m");
	return two(seconds / 86400, "d", seconds / 3600 % 24, "h");
}

/* The tallest bar is the peer's own busiest moment: shapes can be compared, heights cannot. */
std::string sparkline(const std::deque<Rates> &history, std::size_t width, bool unicode)
{
	static constexpr const char *BARS[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	static constexpr const char *ASCII[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
	std::size_t first = history.size() - std::min(width, history.size());
	double most = 0;
	std::string text;

	for (std::size_t i = first; i < history.size(); ++i)
		most = std::max(most, history[i].received + history[i].sent);
	for (std::size_t i = first; i < history.size(); ++i) {
		double value = history[i].received + history[i].sent;
		std::size_t level = value > 0 ? 1 + static_cast<std::size_t>(value / most * 6) : 0;
		text += (unicode ? BARS : ASCII)[level];
	}
	return text;
}

void RateHistory::sample(const Peer &peer, std::int64_t now)
{
	bool went_back = peer.rx_bytes < rx_bytes_ || peer.tx_bytes < tx_bytes_;

	if (!is_first_ && !went_back && now > time_) {
		double seconds = static_cast<double>(now - time_) / 1000;
		history_.push_back({static_cast<double>(peer.rx_bytes - rx_bytes_) / seconds, static_cast<double>(peer.tx_bytes - tx_bytes_) / seconds});
		if (history_.size() > LENGTH)
			history_.pop_front();
	} else if (went_back) {
		history_.clear();
	}
	is_first_ = false;
	rx_bytes_ = peer.rx_bytes;
	tx_bytes_ = peer.tx_bytes;
	time_ = now;
}

void Dashboard::sample(const Device &device, PeerNames names, std::int64_t now)
{
	WatchedDevice &watched = devices_[device.name];
	std::map<Key, RateHistory> histories;

	for (const Peer &peer : device.peers) {
		RateHistory &history = histories[peer.public_key] = watched.histories[peer.public_key];
		history.sample(peer, now);
	}
	watched = {device.name, "", device, std::move(names), std::move(histories)};
}

void Dashboard::problem(const std::string &name, const std::string &text)
{
	devices_[name] = {name, text, {}, {}, {}};
}

void Dashboard::keep(const std::vector<std::string> &names)
{
	std::erase_if(devices_, [&](const auto &entry) { return std::find(names.begin(), names.end(), entry.first) == names.end(); });
}

std::vector<const Peer *> select_peers(const WatchedDevice &watched, const Selection &selection, std::int64_t now)
{
	std::vector<const Peer *> peers;

	for (const Peer &peer : watched.device.peers)
		if (selection.which == Selection::Which::all || peer.has_session(now) == (selection.which == Selection::Which::online))
			peers.push_back(&peer);
	std::stable_sort(peers.begin(), peers.end(),
			 [&](const Peer *a, const Peer *b) { return comes_before(*a, *b, watched, selection.order); });
	return peers;
}

Text Dashboard::page(const WatchStyle &style, std::int64_t now, const Selection &selection) const
{
	Text text;

	for (const auto &[name, watched] : devices_) {
		text.append(text.empty() ? "" : "\n");
		if (!watched.problem.empty()) {
			text.append(painted(printable(name), BOLD, style)).append("  ").append(painted(printable(watched.problem), RED, style)).append("\n");
			continue;
		}
		std::vector<const Peer *> peers = select_peers(watched, selection, now);
		text.append(header(watched, style, now));
		if (!peers.empty())
			text.append(row("PEER", "HANDSHAKE", "", "IN", "OUT", style.addresses ? "ADDRESS" : "TRAFFIC", "ENDPOINT", style));
		for (const Peer *peer : peers)
			text.append(peer_row(*peer, watched, style, now));
	}
	return text.empty() ? Text("There is no WireGuard interface.\n") : text;
}

}
