// SPDX-License-Identifier: GPL-2.0
/* An outside that lives in memory: every interface of outside.h, replaced. */
#pragma once

#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <set>

#include "model/outside.h"
#include "model/values.h"
#include "tests/fake_host.h"

namespace wgctl {

/* What a kernel like ours tells: the next of these lists each time it is read. */
struct FakeEvents : DeviceEvents {
	explicit FakeEvents(std::deque<std::vector<DeviceEvent>> &l) : lists(l) {}
	std::deque<std::vector<DeviceEvent>> &lists;

	int descriptor() override { return 77; }
	std::vector<DeviceEvent> read() override
	{
		if (lists.empty())
			throw Failure{"netlink: nothing to read"};
		std::vector<DeviceEvent> next = lists.front();
		lists.pop_front();
		return next;
	}
};

struct FakeDevices : Devices {
	~FakeDevices() override;
	bool tells = false;
	std::optional<EventWishes> wishes;
	std::deque<std::vector<DeviceEvent>> told;
	std::unique_ptr<DeviceEvents> listen(EventWishes w) override
	{
		wishes = w;
		return tells ? std::make_unique<FakeEvents>(told) : nullptr;
	}

	std::map<std::string, Device> present;
	std::vector<std::string> order;
	std::vector<Device> changes;
	/* What get and set fail with. */
	std::map<std::string, std::string> broken;
	std::optional<Key> broken_peer;

	std::vector<std::string> names() override { return order; }
	Device get(const std::string &name) override
	{
		if (broken.contains(name))
			throw Failure{broken[name]};
		if (!present.contains(name))
			throw Failure{"No such device"};
		return present[name];
	}
	void set(const Device &change) override
	{
		if (broken.contains(change.name))
			throw Failure{broken[change.name]};
		for (const Peer &peer : change.peers)
			if (peer.public_key == broken_peer)
				throw Failure{"broken peer"};
		changes.push_back(change);
	}
};

struct FakeFiles : Files {
	~FakeFiles() override;
	std::map<std::string, std::string> contents;

	Text read(const std::string &path, std::size_t limit) override
	{
		if (!contents.contains(path))
			throw Failure{path + ": No such file or directory"};
		++reads;
		return Text(std::string_view(contents[path]).substr(0, limit));
	}
	std::size_t reads = 0;
	Text read_within(const std::string &root, const std::string &path, std::size_t limit) override { return read(root + path, limit); }
	std::vector<std::string> list(const std::string &folder) override
	{
		std::vector<std::string> names;
		for (const auto &[path, text] : contents) {
			std::size_t begin = folder.size() + 1;
			std::string name = path.starts_with(folder + "/") ? path.substr(begin, path.find('/', begin) - begin) : "";
			if (!name.empty() && !contains(names, name))
				names.push_back(name);
		}
		return names;
	}
};

struct FakeTerminal : Terminal {
	~FakeTerminal() override;
	std::string input, out, err;
	bool is_terminal = false, is_open_to_the_world = false, is_full = false, is_unread = false;

	Text read_input(std::size_t limit) override { return Text(std::string_view(input).substr(0, limit)); }
	void write(Stream stream, std::string_view text) override
	{
		if (stream == Stream::out && is_unread)
			throw ReaderGone{{"standard output: nobody reads it any more"}};
		if (stream == Stream::out && is_full)
			throw Failure{"standard output: No space left on device"};
		(stream == Stream::out ? out : err).append(text);
	}
	bool output_is_terminal() override { return is_terminal; }
	bool output_is_open_to_the_world() override { return is_open_to_the_world; }
};

/* Knows numbers, and one name; answers with `errors` first. */
struct FakeResolver : Resolver {
	~FakeResolver() override;
	std::vector<int> errors;
	std::size_t lookups = 0;
	/* Names the server does not answer for, and those it was asked for. */
	std::set<std::string> silent, asked;

	int lookup(const char *host, const char *service, Endpoint &result) override
	{
		addrinfo hints{}, *answer = nullptr;

		if (lookups++ < errors.size())
			return errors[lookups - 1];
		if (host)
			asked.insert(host);
		if (host && silent.contains(host))
			return EAI_AGAIN;
		if (host && !std::strcmp(host, "example.com"))
			host = "192.0.2.7";
		if (!std::strcmp(service, "domain"))
			service = "53";
		hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | (host ? 0 : AI_PASSIVE);
		hints.ai_socktype = SOCK_DGRAM;
		if (int error = getaddrinfo(host, service, &hints, &answer))
			return error;
		std::memcpy(static_cast<void *>(&result.v6), answer->ai_addr, answer->ai_addrlen);
		freeaddrinfo(answer);
		return 0;
	}
};

/* What FakeClock says at first, in seconds. */
constexpr std::int64_t NOW = 1'700'000'000;

struct FakeClock : Clock {
	~FakeClock() override;
	std::int64_t time = NOW;
	std::vector<std::int64_t> sleeps;

	/* The milliseconds behind `time`; sleeping lets both pass. */
	std::int64_t milliseconds_passed = 0;
	std::function<void()> on_sleep;

	std::int64_t now() override { return time + milliseconds_passed / 1000; }
	std::int64_t monotonic() override { return milliseconds_passed; }
	void sleep(std::int64_t milliseconds) override
	{
		sleeps.push_back(milliseconds);
		milliseconds_passed += milliseconds;
		if (on_sleep)
			on_sleep();
	}
};

struct FakeEnvironment : Environment {
	~FakeEnvironment() override;
	std::map<std::string, std::string> variables;

	const char *get(const char *name) override
	{
		auto found = variables.find(name);
		return found == variables.end() ? nullptr : found->second.c_str();
	}
};

struct FakeWorld {
	FakeWorld();
	~FakeWorld();
	FakeDevices devices;
	FakeFiles files;
	FakeTerminal terminal;
	FakeResolver resolver;
	FakeClock clock;
	FakeEnvironment environment;
	FakeHost host{files.contents};
	World world{devices, files, terminal, resolver, clock, environment, host.host};

	operator World &() { return world; }
};

/* The text of the failure that `action` ends in; empty when it does not fail. */
template<class Action>
std::string failure_of(Action action)
{
	try {
		action();
	} catch (const Failure &failure) {
		return failure.text;
	}
	return {};
}

inline std::string plain(const Text &text)
{
	return {text.begin(), text.end()};
}

inline Key test_key(std::uint8_t number)
{
	Key key;
	key.bytes.fill(number);
	return key;
}

inline std::string test_key_text(std::uint8_t number)
{
	return plain(to_base64(test_key(number)));
}

inline const std::string K1 = test_key_text(1), K2 = test_key_text(2), K3 = test_key_text(3), K4 = test_key_text(4), K8 = test_key_text(8),
			 K9 = test_key_text(9);
inline const std::string FILE_NAME = "/etc/wireguard/wg0.conf", SRC_VALID_MARK = "/proc/sys/net/ipv4/conf/all/src_valid_mark";

inline std::vector<Prefix> test_prefixes(std::string_view text)
{
	FakeTerminal terminal;
	std::vector<Prefix> list;

	parse_allowed_ips(text, list, terminal);
	return list;
}

inline Prefix test_prefix(std::string_view text)
{
	return test_prefixes(text).at(0);
}

}
