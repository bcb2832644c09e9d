// SPDX-License-Identifier: GPL-2.0
/* Single values, from text and to text: ports, marks, endpoints, prefixes.
 *
 * Every parse_ throws Failure naming what was expected and the text that was found.
 */
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/names.h"
#include "model/outside.h"

namespace wgctl {

/* A UDP port: a number, or the name of a service. */
std::uint16_t parse_port(std::string_view text, Resolver &resolver);
/* "off", decimal, or hexadecimal after 0x. */
std::uint32_t parse_fwmark(std::string_view text);
/* One of the two; true for the first. */
bool parse_either(std::string_view text, const std::string &yes, const std::string &no);
/* "off" or seconds. */
std::uint16_t parse_keepalive(std::string_view text);
Key parse_key(std::string_view text);
/* The contents of a key file; an empty file is the all-zero key, which removes one. */
Key parse_key_file(std::string_view text);
/* HOST:PORT or [HOST]:PORT. Names are looked up as by look_up_names. */
Endpoint parse_endpoint(std::string_view text, World &world);
struct HostPort {
	std::string host, port;
	bool is_name = false;
};
/* HOST is an address, as numbers in any way the system reads them, or a name DNS can have. */
HostPort split_endpoint(std::string_view text);
/* People copy them from browsers. `where`: the beginning of the failure. */
void refuse_url(std::string_view text, const std::string &where = "");
/* `retries`: again, with growing pauses, after passing failures, as often as WG_ENDPOINT_RESOLUTION_RETRIES
 * says, but no more than thrice once somebody has an address, who need not wait for the others. `none`: once; and when no server answers for one, the others are not asked for. */
enum class Patience { retries, none };
/* The peers with an endpoint_name get its address for it; returns why the others keep the name. */
std::map<Key, std::string> look_up_names(std::vector<Peer> &peers, Patience patience, World &world);
/* 10.0.0.1, or with its network's length, 10.0.0.1/24 or 10.0.0.1/255.255.255.0. */
Prefix parse_address(std::string_view text);
/* A comma-separated list, appended to `list`; host bits are worth a warning, which says `where` ("PATH:LINE: ").
 * Blanks do not matter, and nothing but blanks is no prefix. */
void parse_allowed_ips(std::string_view text, std::vector<Prefix> &list, Terminal &terminal, const std::string &where = "");
/* Likewise, and every prefix, or none, may have a sign: + adds it and - removes it. Returns whether
 * there are signs, that is, whether the list is a difference to what is there. */
bool parse_signed_allowed_ips(std::string_view text, std::vector<Prefix> &list, Terminal &terminal);

/* Without brackets, length or zone. */
bool is_ip_address(const std::string &text);
/* The same, or one of IPv6 with the link it is valid on: fe80::1%eth0. */
bool is_host_address(const std::string &text);
/* [a-zA-Z0-9_=+.-]{1,15} */
bool is_interface_name(std::string_view name);
constexpr std::size_t LONGEST_INTERFACE_NAME = 15;
/* A name DNS can have: labels of letters, digits, - and _. Not one whose last label is a number: that is
 * an address with a mistake in it. */
bool is_host_name(std::string_view text);

Text format_endpoint(const Endpoint &endpoint);
/* The address and the length apart, so that what stands between can be coloured. */
/* The first `length` bits of it. */
Prefix shortened(Prefix prefix, unsigned length);
/* With host bits zero. */
Prefix network_of(const Prefix &prefix);

/* Is `inner` part of `outer`? */
bool covers(const Prefix &outer, const Prefix &inner);
/* Has the kernel, for this address of a link, a route by itself to all of that? */
bool reaches(const Prefix &address, const Prefix &net);
/* Is there a packet that AllowedIPs send through the tunnel wherever it goes? */
bool is_default_route(const Prefix &prefix);
bool any_default_route(const std::vector<Peer> &peers);
/* Its address, without the port; and the way back. */
Prefix address_of(const Endpoint &endpoint);
Endpoint endpoint_of(const Prefix &address, std::uint16_t port);
std::string format_address(const Prefix &prefix);
std::string format_prefix(const Prefix &prefix);
std::string format_prefixes(const std::vector<Prefix> &prefixes, std::string_view separator = ", ");

template<class T>
bool contains(const std::vector<T> &list, const T &item)
{
	return std::find(list.begin(), list.end(), item) != list.end();
}

std::string format_fwmark(std::uint32_t fwmark);

/* What stands between commas or blanks, as in Address and DNS; empty items are none. */
std::vector<std::string> list_items(std::string_view list);
Text without_blanks(std::string_view text);
/* Without those around it. */
std::string_view trimmed(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool is_one_of(std::string_view word, std::span<const std::string_view> names);
/* Digits only, no sign, no more than `limit`. */
template<std::unsigned_integral T>
std::optional<T> parse_number(std::string_view text, int base = 10, T limit = std::numeric_limits<T>::max())
{
	T value{};
	auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);

	return error == std::errc{} && end == text.data() + text.size() && value <= limit ? std::optional(value) : std::nullopt;
}
std::string in_quotes(std::string_view text);
/* ": did you mean NAME?" for the one that is written most alike, or nothing when none is. */
std::string did_you_mean(std::string_view word, std::span<const std::string_view> names);
/* One word of a shell, for lines people are told to run. */
std::string shell_word(std::string_view text);
/* To standard output; warns when others may read what it goes to. */
void write_secret(std::string_view text, Terminal &terminal);
/* A line for whoever runs the program, about what went wrong. */
void complain(std::string_view text, Terminal &terminal);

/* Calls each(line) for the lines of a text, without their ends. */
template<class Each>
void for_each_line(std::string_view text, Each each)
{
	while (!text.empty()) {
		std::size_t end = text.find('\n');
		each(text.substr(0, end));
		text.remove_prefix(end == text.npos ? text.size() : end + 1);
	}
}

}
