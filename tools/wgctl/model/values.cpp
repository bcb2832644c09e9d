// SPDX-License-Identifier: GPL-2.0
#include "model/values.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace wgctl {

namespace {

/* Pauses between lookups, in milliseconds: grow by a fifth, up to a cap. */
constexpr std::int64_t FIRST_PAUSE = 1000;
constexpr std::int64_t LONGEST_PAUSE = 20000;
constexpr unsigned DEFAULT_RETRIES = 15, RETRIES_BESIDE_OTHERS = 3;

bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string why_lookup_failed(int error)
{
	/* The library's own words are about sockets. */
	if (error == EAI_SERVICE)
		return "no such UDP service";
	return error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
}

/* Failures that asking again will not change. */
bool is_permanent(int error)
{
	return error == EAI_NONAME || error == EAI_FAIL || error == EAI_NODATA || error == EAI_SERVICE ||
	       error == EAI_FAMILY || error == EAI_ADDRFAMILY || error == EAI_SOCKTYPE || error == EAI_BADFLAGS;
}

/* The resolver takes numbers modulo 2^16; a port that does not fit must not become another one. */
void refuse_oversized_port(const std::string &text)
{
	std::size_t digits = text.find_first_not_of(" \t+");

	if (digits != text.npos &&
	    parse_number<std::uint64_t>(std::string_view(text).substr(digits)).value_or(0) > UINT16_MAX)
		throw Failure{"port is not 0-65535: " + in_quotes(text)};
}

/* Nothing for endless. */
std::optional<unsigned> allowed_retries(Environment &environment)
{
	const char *text = environment.get("WG_ENDPOINT_RESOLUTION_RETRIES");

	if (!text)
		return DEFAULT_RETRIES;
	if (!std::strcmp(text, "infinity"))
		return {};
	if (!*text)
		return 0;
	std::optional<unsigned> retries = parse_number<unsigned>(text);
	if (!retries)
		throw Failure{"WG_ENDPOINT_RESOLUTION_RETRIES is neither a number nor \"infinity\": " + in_quotes(text)};
	return retries;
}

/* Behind a blank, inet_aton takes whatever comes. */
bool is_number_host(const std::string &host)
{
	in_addr address;

	return is_host_address(host) || (std::none_of(host.begin(), host.end(), is_blank) && inet_aton(host.c_str(), &address));
}

/* 24 of 255.255.255.0. */
std::optional<std::uint8_t> length_of_mask(const std::string &mask)
{
	in_addr bits;

	if (inet_pton(AF_INET, mask.c_str(), &bits) != 1)
		return {};
	std::uint32_t ones = ntohl(bits.s_addr);
	int length = std::countl_one(ones);
	return std::popcount(ones) == length ? std::optional(static_cast<std::uint8_t>(length)) : std::nullopt;
}

/* Calls each(item) for what stands between the commas; a list of blanks has no items. */
template<class Each>
void for_each_item(std::string_view text, Each each)
{
	Text compact = without_blanks(text);
	std::string_view rest = compact;

	while (!compact.empty()) {
		std::size_t comma = rest.find(',');
		each(rest.substr(0, comma));
		if (comma == rest.npos)
			break;
		rest.remove_prefix(comma + 1);
	}
}

void add_prefix(std::string_view item, bool remove, std::vector<Prefix> &list, Terminal &terminal, const std::string &where)
{
	Prefix prefix = parse_address(item);

	prefix.remove = remove;
	if (network_of(prefix).address != prefix.address)
		terminal.write(Stream::err, "Warning: " + where + "AllowedIP has nonzero host part: " + std::string(item) + "\n");
	list.push_back(prefix);
}

}

std::uint16_t parse_port(std::string_view text, Resolver &resolver)
{
	std::string service(text);
	Endpoint endpoint;

	if (service.empty())
		throw Failure{"it is empty"};
	refuse_oversized_port(service);
	if (int error = resolver.lookup(nullptr, service.c_str(), endpoint))
		throw Failure{"neither a number nor a UDP service: " + in_quotes(text) +
			      (is_permanent(error) ? "" : " (" + why_lookup_failed(error) + ")")};
	return endpoint.port();
}

bool parse_either(std::string_view text, const std::string &yes, const std::string &no)
{
	if (!equal_ignoring_case(text, yes) && !equal_ignoring_case(text, no))
		throw Failure{"neither " + yes + " nor " + no + ": " + in_quotes(text)};
	return equal_ignoring_case(text, yes);
}

std::uint32_t parse_fwmark(std::string_view text)
{
	bool hexadecimal = text.starts_with("0x");

	if (equal_ignoring_case(text, "off"))
		return 0;
	std::optional<std::uint32_t> value =
		parse_number<std::uint32_t>(hexadecimal ? text.substr(2) : text, hexadecimal ? 16 : 10);
	if (!value)
		throw Failure{"neither \"off\" nor 0-0xffffffff: " + in_quotes(text)};
	return *value;
}

std::uint16_t parse_keepalive(std::string_view text)
{
	if (equal_ignoring_case(text, "off"))
		return 0;
	std::optional<std::uint16_t> value = parse_number<std::uint16_t>(text);
	if (!value)
		throw Failure{"neither \"off\" nor 0-65535 seconds: " + in_quotes(text)};
	return *value;
}

/* The text is not repeated in the message: it may be most of a secret. */
Key parse_key(std::string_view text)
{
	if (std::optional<Key> key = key_from_base64(text))
		return *key;
	throw Failure{"not a key: expected 44 characters of base64, found " + std::to_string(text.size()) +
		      (text.size() == KEY_TEXT_LENGTH ? " that do not decode" : "")};
}

Key parse_key_file(std::string_view text)
{
	if (text.empty())
		return {};
	std::string_view trailing = text.substr(std::min(text.size(), KEY_TEXT_LENGTH));
	if (!std::all_of(trailing.begin(), trailing.end(), is_blank))
		throw Failure{"something follows the key's 44 characters"};
	return parse_key(text.substr(0, KEY_TEXT_LENGTH));
}

HostPort split_endpoint(std::string_view text)
{
	HostPort parts;
	std::size_t colon;

	if (text.empty())
		throw Failure{"there is no HOST:PORT"};
	refuse_url(text);
	if (text[0] == '[') {
		std::size_t end = text.find(']');
		if (end == text.npos)
			throw Failure{"there is no matching ']': " + in_quotes(text)};
		parts.host = text.substr(1, end - 1);
		colon = end + 1;
	} else {
		colon = text.rfind(':');
		parts.host = text.substr(0, colon);
	}
	if (colon >= text.size() || text[colon] != ':' || colon + 1 == text.size())
		throw Failure{"there is no port: " + in_quotes(text)};
	parts.port = text.substr(colon + 1);
	refuse_oversized_port(parts.port);
	if (parts.port.find_first_of("/\"'@<>") != parts.port.npos)
		throw Failure{"the port is neither a number nor a service: " + in_quotes(parts.port)};
	parts.is_name = !is_number_host(parts.host);
	if (parts.is_name && !is_host_name(parts.host))
		throw Failure{"neither an IP address nor a name of DNS: " + in_quotes(parts.host)};
	return parts;
}

void refuse_url(std::string_view text, const std::string &where)
{
	if (std::size_t scheme = text.find("://"); scheme != text.npos)
		throw Failure{where + "this is the address of a web page, not HOST:PORT: leave " + in_quotes(text.substr(0, scheme + 3)) + " out: " + in_quotes(text)};
}

std::map<Key, std::string> look_up_names(std::vector<Peer> &peers, Patience patience, World &world)
{
	std::optional<unsigned> retries = patience == Patience::none ? 0 : allowed_retries(world.environment);
	bool is_found = false;
	std::int64_t pause = FIRST_PAUSE;
	std::map<Key, std::string> failures;
	std::vector<Peer *> left;

	for (Peer &peer : peers) {
		is_found = is_found || peer.endpoint;
		if (!peer.endpoint_name.empty())
			left.push_back(&peer);
	}
	for (unsigned attempt = 0; !left.empty(); ++attempt) {
		bool is_last = (retries && attempt >= *retries) || (is_found && attempt >= RETRIES_BESIDE_OTHERS), is_vain = false;
		std::vector<Peer *> again;
		std::string told;
		char seconds[32];
		std::snprintf(seconds, sizeof(seconds), "%.2f", static_cast<double>(pause) / 1000);
		for (Peer *peer : left) {
			HostPort parts = split_endpoint(peer->endpoint_name);
			Endpoint endpoint;
			int error = is_vain ? EAI_AGAIN : world.resolver.lookup(parts.host.c_str(), parts.port.c_str(), endpoint);
			if (!error) {
				peer->endpoint = endpoint;
				peer->endpoint_name.clear();
				is_found = true;
				continue;
			}
			std::string reason = why_lookup_failed(error) + ": " + in_quotes(peer->endpoint_name);
			if (is_permanent(error) || is_last)
				failures[peer->public_key] = reason;
			else
				again.push_back(peer), told += reason + ". Trying again in " + seconds + " seconds...\n";
			is_vain = patience == Patience::none && !is_permanent(error);
		}
		if (again.empty())
			break;
		world.terminal.write(Stream::err, told);
		world.clock.sleep(pause);
		pause = std::min(pause * 6 / 5, LONGEST_PAUSE);
		left = again;
	}
	return failures;
}

Endpoint parse_endpoint(std::string_view text, World &world)
{
	std::vector<Peer> one(1);

	split_endpoint(text);
	one[0].endpoint_name = text;
	for (const auto &[key, reason] : look_up_names(one, Patience::retries, world))
		throw Failure{reason};
	return *one[0].endpoint;
}

Prefix parse_address(std::string_view text)
{
	Prefix prefix;
	std::size_t slash = text.find('/');
	std::string address(text.substr(0, slash));

	prefix.family = address.find(':') != address.npos ? AF_INET6 : AF_INET;
	if (inet_pton(prefix.family, address.c_str(), prefix.address.data()) != 1)
		throw Failure{"not an IP address: " + in_quotes(text)};
	prefix.cidr = prefix.bits();
	if (slash != text.npos) {
		std::optional<std::uint8_t> cidr = parse_number(text.substr(slash + 1), 10, prefix.bits());
		if (!cidr && prefix.family == AF_INET)
			cidr = length_of_mask(std::string(text.substr(slash + 1)));
		if (!cidr)
			throw Failure{"prefix length is not 0-" + std::to_string(prefix.bits()) + ": " + in_quotes(text)};
		prefix.cidr = *cidr;
	}
	return prefix;
}

void parse_allowed_ips(std::string_view text, std::vector<Prefix> &list, Terminal &terminal, const std::string &where)
{
	for_each_item(text, [&](std::string_view item) { add_prefix(item, false, list, terminal, where); });
}

bool parse_signed_allowed_ips(std::string_view text, std::vector<Prefix> &list, Terminal &terminal)
{
	std::size_t items = 0, signs = 0;

	for_each_item(text, [&](std::string_view item) {
		bool has_sign = item.starts_with('+') || item.starts_with('-');
		++items;
		signs += has_sign;
		add_prefix(item.substr(has_sign), item.starts_with('-'), list, terminal, "");
	});
	if (signs && signs != items)
		throw Failure{"either every allowed IP has a sign or none: " + in_quotes(text)};
	return signs;
}

bool is_ip_address(const std::string &text)
{
	std::array<std::uint8_t, 16> address;

	return inet_pton(AF_INET, text.c_str(), address.data()) == 1 || inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

bool is_host_address(const std::string &text)
{
	std::size_t percent = text.find('%');
	bool has_zone = percent != text.npos && text.find(':') < percent && is_interface_name(std::string_view(text).substr(percent + 1));

	return is_ip_address(has_zone ? text.substr(0, percent) : text);
}

bool is_interface_name(std::string_view name)
{
	return !name.empty() && name.size() <= LONGEST_INTERFACE_NAME && std::all_of(name.begin(), name.end(), [](char c) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		       std::string_view("_=+.-").find(c) != std::string_view::npos;
	});
}

bool is_host_name(std::string_view text)
{
	constexpr std::size_t LONGEST_NAME = 253, LONGEST_LABEL = 63;
	auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
	auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };

	if (text.ends_with('.'))
		text.remove_suffix(1);
	if (text.size() > LONGEST_NAME)
		return false;
	for (;;) {
		std::size_t dot = text.find('.');
		std::string_view label = text.substr(0, dot);
		if (label.empty() || label.size() > LONGEST_LABEL || label.front() == '-' || label.back() == '-' ||
		    !std::all_of(label.begin(), label.end(), [&](char c) { return is_digit(c) || is_letter(c) || c == '-' || c == '_'; }))
			return false;
		if (dot == text.npos)
			return !std::all_of(label.begin(), label.end(), is_digit);
		text.remove_prefix(dot + 1);
	}
}

Text format_endpoint(const Endpoint &endpoint)
{
	char host[NI_MAXHOST], service[NI_MAXSERV];
	Text text;

	int error = getnameinfo(&endpoint.any, endpoint.size(), host, sizeof(host), service, sizeof(service),
				NI_DGRAM | NI_NUMERICSERV | NI_NUMERICHOST);
	if (error)
		return gai_strerror(error);
	bool brackets = endpoint.any.sa_family == AF_INET6;
	return text.append(brackets ? "[" : "").append(host).append(brackets ? "]:" : ":").append(service);
}

Prefix shortened(Prefix prefix, unsigned length)
{
	for (unsigned bit = length; bit < prefix.bits(); ++bit)
		prefix.address[bit / 8] = static_cast<std::uint8_t>(prefix.address[bit / 8] & ~(0x80 >> bit % 8));
	prefix.cidr = static_cast<std::uint8_t>(length);
	return prefix;
}

Prefix network_of(const Prefix &prefix)
{
	return shortened(prefix, prefix.cidr);
}

bool covers(const Prefix &outer, const Prefix &inner)
{
	return outer.family == inner.family && outer.cidr <= inner.cidr &&
	       shortened(inner, outer.cidr).address == shortened(outer, outer.cidr).address;
}

bool is_default_route(const Prefix &prefix)
{
	return !prefix.cidr;
}

bool reaches(const Prefix &address, const Prefix &net)
{
	return (address.family == AF_INET6 || address.cidr < 32) && covers(address, net);
}

bool any_default_route(const std::vector<Peer> &peers)
{
	return std::any_of(peers.begin(), peers.end(), [](const Peer &peer) {
		return std::any_of(peer.allowed_ips.begin(), peer.allowed_ips.end(), is_default_route);
	});
}

Endpoint endpoint_of(const Prefix &address, std::uint16_t port)
{
	Endpoint endpoint;

	if (address.family == AF_INET6) {
		endpoint.v6.sin6_family = AF_INET6;
		endpoint.v6.sin6_port = htons(port);
		std::memcpy(&endpoint.v6.sin6_addr, address.address.data(), 16);
	} else {
		endpoint.v4.sin_family = AF_INET;
		endpoint.v4.sin_port = htons(port);
		std::memcpy(&endpoint.v4.sin_addr, address.address.data(), 4);
	}
	return endpoint;
}

Prefix address_of(const Endpoint &endpoint)
{
	Prefix prefix;

	prefix.family = endpoint.any.sa_family;
	prefix.cidr = prefix.bits();
	if (prefix.family == AF_INET6)
		std::memcpy(prefix.address.data(), &endpoint.v6.sin6_addr, 16);
	else
		std::memcpy(prefix.address.data(), &endpoint.v4.sin_addr, 4);
	return prefix;
}

std::string format_address(const Prefix &prefix)
{
	char address[INET6_ADDRSTRLEN];

	return inet_ntop(prefix.family, prefix.address.data(), address, sizeof(address)) ? address : "?";
}

std::string format_prefix(const Prefix &prefix)
{
	return format_address(prefix) + "/" + std::to_string(prefix.cidr);
}

std::string format_prefixes(const std::vector<Prefix> &prefixes, std::string_view separator)
{
	std::string list;

	for (const Prefix &prefix : prefixes)
		list.append(list.empty() ? "" : separator).append(format_prefix(prefix));
	return list;
}

std::string format_fwmark(std::uint32_t fwmark)
{
	char text[16];

	std::snprintf(text, sizeof(text), "0x%x", fwmark);
	return fwmark ? text : "off";
}

std::vector<std::string> list_items(std::string_view list)
{
	constexpr std::string_view BETWEEN = ", \t\r\v\f";
	std::vector<std::string> items;

	for (std::size_t at = 0; (at = list.find_first_not_of(BETWEEN, at)) != list.npos;) {
		std::size_t end = std::min(list.find_first_of(BETWEEN, at), list.size());
		items.emplace_back(list.substr(at, end - at));
		at = end;
	}
	return items;
}

Text without_blanks(std::string_view text)
{
	Text compact;

	std::copy_if(text.begin(), text.end(), std::back_inserter(compact), [](char c) { return !is_blank(c); });
	return compact;
}

std::string_view trimmed(std::string_view text)
{
	constexpr std::string_view BLANKS = " \t\r\v\f";
	std::size_t first = text.find_first_not_of(BLANKS);

	return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(BLANKS) - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b)
{
	return a.size() == b.size() && !strncasecmp(a.data(), b.data(), a.size());
}

bool is_one_of(std::string_view word, std::span<const std::string_view> names)
{
	return std::any_of(names.begin(), names.end(), [word](std::string_view name) { return equal_ignoring_case(word, name); });
}

std::string shell_word(std::string_view text)
{
	bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		       std::string_view("_=+.-/:@%,").find(c) != std::string_view::npos;
	});
	std::string word;

	if (is_plain)
		return std::string(text);
	for (char c : text)
		word += c == '\'' ? "'\\''" : std::string(1, c);
	return "'" + word + "'";
}

std::string in_quotes(std::string_view text)
{
	return "`" + printable(text) + "'";
}

namespace {

/* How many letters must be changed, added or left out to make `b` of `a`; their case does not matter. */
std::size_t distance(std::string_view a, std::string_view b)
{
	std::vector<std::size_t> row(b.size() + 1);

	for (std::size_t j = 0; j <= b.size(); ++j)
		row[j] = j;
	for (std::size_t i = 0; i < a.size(); ++i) {
		std::size_t diagonal = row[0]++;
		for (std::size_t j = 0; j < b.size(); ++j) {
			std::size_t changed = diagonal + !equal_ignoring_case(a.substr(i, 1), b.substr(j, 1));
			diagonal = row[j + 1];
			row[j + 1] = std::min({changed, diagonal + 1, row[j] + 1});
		}
	}
	return row.back();
}

}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> names)
{
	constexpr std::size_t LONGEST = 40;
	std::size_t least = word.size() < 5 ? 2 : 3;
	std::string_view best;

	for (std::string_view name : word.size() > LONGEST ? std::span<const std::string_view>() : names)
		if (std::size_t far = distance(word, name); far < least) {
			least = far;
			best = name;
		}
	return best.empty() ? "" : ": did you mean " + std::string(best) + "?";
}

void write_secret(std::string_view text, Terminal &terminal)
{
	if (terminal.output_is_open_to_the_world())
		terminal.write(Stream::err, "Warning: writing to world accessible file.\n"
					    "Consider setting the umask to 077 and trying again.\n");
	terminal.write(Stream::out, text);
}

void complain(std::string_view text, Terminal &terminal)
{
	terminal.write(Stream::err, "wgctl: " + harmless(text) + "\n");
}

}
