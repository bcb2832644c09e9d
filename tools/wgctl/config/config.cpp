// SPDX-License-Identifier: GPL-2.0
#include "config/config.h"

#include <algorithm>
#include <array>

#include "config/quick_config.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::array TITLES{std::string_view("[Interface]"), std::string_view("[Peer]")};
constexpr std::array INTERFACE_KEYS{std::string_view("PrivateKey"), std::string_view("ListenPort"), std::string_view("FwMark")};
constexpr std::array PEER_KEYS{std::string_view("PublicKey"), std::string_view("PresharedKey"), std::string_view("Endpoint"),
			       std::string_view("PersistentKeepalive"), std::string_view("AllowedIPs")};
constexpr std::size_t LONGEST_KEY_NAME = std::string_view("PersistentKeepalive").size();

/* Without its '=', a line may be a name and a secret in one: what is much too long for a name, or a little and not of letters
 * alone, is not repeated to the terminal. */
std::string named(std::string_view key)
{
	constexpr std::size_t TOO_MUCH = 5;
	bool is_of_letters = std::all_of(key.begin(), key.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });

	return key.size() > LONGEST_KEY_NAME + (is_of_letters ? TOO_MUCH : 0) ? "this" : in_quotes(key);
}

/* What one may have meant by a key that the section does not have. */
std::string remedy(std::string_view key, bool is_of_interface)
{
	std::vector<std::string_view> names(PEER_KEYS.begin(), PEER_KEYS.end());

	if (is_of_interface && is_quick_key(key))
		return " here: wgctl strip takes out what only `up' and the like understand";
	if (is_of_interface ? is_one_of(key, PEER_KEYS) : is_one_of(key, INTERFACE_KEYS) || is_quick_key(key))
		return is_of_interface ? ", but of [Peer]" : ", but of [Interface]";
	if (is_of_interface) {
		names.assign(INTERFACE_KEYS.begin(), INTERFACE_KEYS.end());
		names.insert(names.end(), quick_keys().begin(), quick_keys().end());
	}
	return did_you_mean(key, names);
}

/* Reads one file, line by line; a line of [Peer] belongs to the last peer begun. */
class FileParser {
public:
	FileParser(const std::string &file_name, FileMeaning meaning, Names names, World &world) :
		file_name_(file_name), names_(names), world_(world)
	{
		if (meaning == FileMeaning::append)
			return;
		device_.private_key = Key();
		device_.listen_port = 0;
		device_.fwmark = 0;
		device_.replace_peers = true;
	}

	/* Without comment and blanks. */
	void line(std::string_view text);
	Device finish()
	{
		end_section();
		return std::move(device_);
	}

private:
	enum class Section { none, interface, peer };

	std::string at(std::size_t line) const { return file_name_ + ":" + std::to_string(line) + ": "; }
	[[noreturn]] void fail(std::size_t line, const std::string &text) const
	{
		throw Failure{at(line) + text + (unseen_.empty() ? "" : "; there is an invisible character in the line, " + unseen_)};
	}
	void end_section() const
	{
		if (section_ == Section::peer && !has_public_key_)
			fail(section_line_, "this peer has no PublicKey");
	}
	void begin_section(std::string_view title);
	bool value(std::string_view key, std::string_view value);

	const std::string &file_name_;
	Names names_;
	World &world_;
	Device device_;
	std::size_t line_ = 0, section_line_ = 0;
	Section section_ = Section::none;
	bool has_public_key_ = false;
	std::string unseen_;
};

void FileParser::begin_section(std::string_view title)
{
	end_section();
	section_line_ = line_;
	if (equal_ignoring_case(title, "[Interface]")) {
		section_ = Section::interface;
	} else if (equal_ignoring_case(title, "[Peer]")) {
		section_ = Section::peer;
		has_public_key_ = false;
		/* A peer in a file is described as a whole. */
		device_.peers.emplace_back().replace_allowed_ips = true;
	} else {
		fail(line_, "unknown section " + in_quotes(title) + did_you_mean(title, TITLES));
	}
}

/* Returns false when the section has no such key. */
bool FileParser::value(std::string_view key, std::string_view value)
{
	auto is = [key](std::string_view name) { return equal_ignoring_case(key, name); };

	if (section_ == Section::interface) {
		if (is("PrivateKey"))
			device_.private_key = parse_key(value);
		else if (is("ListenPort"))
			device_.listen_port = parse_port(value, world_.resolver);
		else if (is("FwMark"))
			device_.fwmark = parse_fwmark(value);
		else
			return false;
		return true;
	}
	Peer &peer = device_.peers.back();
	if (is("PublicKey")) {
		if (has_public_key_)
			world_.terminal.write(Stream::err, "Warning: " + harmless(at(line_)) + "a second PublicKey in one section takes the place of the "
							   "first: is a [Peer] missing above it?\n");
		peer.public_key = parse_key(value);
		has_public_key_ = true;
	} else if (is("PresharedKey")) {
		peer.preshared_key = parse_key(value);
	} else if (is("Endpoint")) {
		HostPort parts = split_endpoint(value);
		if (value[0] != '[' && parts.host.find(':') != parts.host.npos)
			world_.terminal.write(Stream::err, "Warning: " + harmless(at(line_) + "an IPv6 address without brackets, taken for [" + parts.host +
								   "]:" + parts.port) + "\n");
		peer.endpoint.reset();
		peer.endpoint_name.clear();
		if (names_ == Names::leave && parts.is_name)
			peer.endpoint_name = value;
		else
			peer.endpoint = parse_endpoint(value, world_);
	} else if (is("PersistentKeepalive")) {
		peer.persistent_keepalive = parse_keepalive(value);
	} else if (is("AllowedIPs")) {
		parse_allowed_ips(value, peer.allowed_ips, world_.terminal, harmless(at(line_)));
	} else {
		return false;
	}
	return true;
}

void FileParser::line(std::string_view text)
{
	std::size_t equals = text.find('=');
	std::string_view key = text.substr(0, equals);
	bool known = false;

	++line_;
	unseen_ = unseen_character(text);
	if (text.empty())
		return;
	if (text[0] == '[')
		return begin_section(text);
	if (equals == text.npos)
		fail(line_, "neither a section nor \"key = value\"");
	if (section_ == Section::none)
		fail(line_, named(key) + " stands before any section");
	if (equals + 1 == text.size())
		fail(line_, named(key) + " has no value");
	try {
		known = value(key, text.substr(equals + 1));
	} catch (const Failure &failure) {
		fail(line_, std::string(key) + ": " + failure.text);
	}
	if (!known)
		fail(line_, named(key) + " is not a key of " + (section_ == Section::interface ? "[Interface]" : "[Peer]") +
				    remedy(key, section_ == Section::interface));
}

}

Text read_config_file(const std::string &path, Files &files, std::size_t limit)
{
	Text text = files.read(path, limit + 1);

	if (text.size() > limit)
		throw Failure{path + ": larger than " + std::to_string(limit >> 20) + " MiB"};
	auto is_nul = [&](std::size_t at) { return at < text.size() && !text[at]; };
	/* Every second byte of plain letters is zero then, whatever stands before them. */
	if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || (is_nul(0) && is_nul(2)) || (is_nul(1) && is_nul(3)))
		throw Failure{path + ":1: this is UTF-16: save it as UTF-8"};
	/* Some editors begin with a byte order mark, which nobody sees. */
	if (text.starts_with("\xef\xbb\xbf"))
		text.erase(0, 3);
	return text;
}

Device parse_config(std::string_view text, const std::string &file_name, FileMeaning meaning, World &world, Names names)
{
	FileParser parser(file_name, meaning, names, world);

	for_each_line(text, [&](std::string_view line) { parser.line(without_blanks(line.substr(0, line.find_first_of(std::string_view("#\0", 2))))); });
	return parser.finish();
}

std::vector<Peer> merged_peers(const std::vector<Peer> &peers)
{
	std::map<Key, std::size_t> places;
	std::vector<Peer> result;

	for (const Peer &peer : peers) {
		auto [place, is_new] = places.try_emplace(peer.public_key, result.size());
		if (is_new) {
			result.push_back(peer);
			continue;
		}
		Peer *known = &result[place->second];
		known->preshared_key = peer.preshared_key ? peer.preshared_key : known->preshared_key;
		if (peer.has_endpoint()) {
			known->endpoint = peer.endpoint;
			known->endpoint_name = peer.endpoint_name;
		}
		known->persistent_keepalive = peer.persistent_keepalive ? peer.persistent_keepalive : known->persistent_keepalive;
		known->allowed_ips = peer.allowed_ips;
	}
	return result;
}

namespace {

constexpr std::array DEVICE_WORDS{std::string_view("listen-port"), std::string_view("fwmark"), std::string_view("private-key"), std::string_view("peer")};
constexpr std::array PEER_WORDS{std::string_view("preshared-key"), std::string_view("endpoint"), std::string_view("persistent-keepalive"),
				std::string_view("allowed-ips"), std::string_view("remove"), std::string_view("peer")};

[[noreturn]] void fail_at_word(std::string_view word, bool is_of_peer)
{
	if (is_of_peer && is_one_of(word, DEVICE_WORDS))
		throw Failure{"it is about the interface, and stands before all peers"};
	if (!is_of_peer && is_one_of(word, PEER_WORDS))
		throw Failure{"it is about a peer: peer PUBLIC-KEY stands before it"};
	throw Failure{"unknown word" + (is_of_peer ? did_you_mean(word, PEER_WORDS) : did_you_mean(word, DEVICE_WORDS))};
}

Key read_key(std::string_view path, Files &files)
{
	return parse_key_file(files.read(std::string(path), KEY_FILE_LIMIT));
}

void device_argument(Device &device, std::string_view name, std::string_view value, World &world)
{
	if (name == "listen-port")
		device.listen_port = parse_port(value, world.resolver);
	else if (name == "fwmark")
		device.fwmark = parse_fwmark(value);
	else if (name == "private-key")
		device.private_key = read_key(value, world.files);
	else
		fail_at_word(name, false);
}

void peer_argument(Peer &peer, std::string_view name, std::string_view value, World &world)
{
	if (name == "preshared-key") {
		peer.preshared_key = read_key(value, world.files);
	} else if (name == "endpoint") {
		peer.endpoint = parse_endpoint(value, world);
	} else if (name == "persistent-keepalive") {
		peer.persistent_keepalive = parse_keepalive(value);
	} else if (name == "allowed-ips") {
		if (!parse_signed_allowed_ips(value, peer.allowed_ips, world.terminal))
			peer.replace_allowed_ips = true;
	} else {
		fail_at_word(name, true);
	}
}

}

Device parse_set_arguments(std::span<const std::string_view> arguments, World &world)
{
	Device device;

	while (!arguments.empty()) {
		std::string_view name = arguments[0];
		try {
			if (name == "remove" && !device.peers.empty()) {
				device.peers.back().remove = true;
				arguments = arguments.subspan(1);
				continue;
			}
			bool is_of_peer = !device.peers.empty();
			if (arguments.size() < 2 && (is_of_peer ? is_one_of(name, PEER_WORDS) : is_one_of(name, DEVICE_WORDS)))
				throw Failure{"its value is missing"};
			if (arguments.size() < 2)
				fail_at_word(name, is_of_peer);
			if (name == "peer")
				device.peers.emplace_back().public_key = parse_key(arguments[1]);
			else if (device.peers.empty())
				device_argument(device, name, arguments[1], world);
			else
				peer_argument(device.peers.back(), name, arguments[1], world);
		} catch (const Failure &failure) {
			throw Failure{std::string(name) + ": " + failure.text};
		}
		arguments = arguments.subspan(2);
	}
	return device;
}

}
