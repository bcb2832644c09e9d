// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <cctype>

#include "commands/commands.h"
#include "config/peer_names.h"
#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr const char *SWITCH = "/proc/dynamic_debug/control";
constexpr std::int64_t LONG = 3'600'000;

/* Debug lines call peers by number. */
std::map<std::uint64_t, std::string> numbers_of(const std::string &name, World &world)
{
	std::map<std::uint64_t, std::string> numbers;
	PeerNames names = read_peer_names(name, world);

	for (const Peer &peer : get_device(name, world, Reading::with_state).peers)
		if (peer.state)
			numbers[peer.state->number] = describe_peer(peer.public_key, names);
	return numbers;
}

/* "Peer 4: ..." becomes "Peer 4, laptop (KEY): ...". */
std::string with_name(std::string line, const std::map<std::uint64_t, std::string> &numbers)
{
	constexpr std::string_view PEER = "Peer ";
	std::size_t begin = line.find(PEER), end = begin == line.npos ? begin : begin + PEER.size();

	while (end < line.size() && std::isdigit(static_cast<unsigned char>(line[end])))
		++end;
	if (begin == line.npos)
		return line;
	std::optional<std::uint64_t> number = parse_number<std::uint64_t>(std::string_view(line).substr(begin + PEER.size(), end - begin - PEER.size()));
	auto found = number ? numbers.find(*number) : numbers.end();
	return found == numbers.end() ? line : line.insert(end, ", " + found->second);
}

void switch_debug(std::string_view flags, World &world)
{
	step("switch debug lines", [&] { world.host.store.overwrite(SWITCH, "module wireguard " + std::string(flags) + "\n"); });
}

}

/* Until it is asked to end. */
int debug(const Options &options, World &world)
{
	std::string name = options.operand(0), beginning = "wireguard: " + name + ": ";

	enter_netns(options, world);
	std::map<std::uint64_t, std::string> numbers = numbers_of(name, world);
	/* They must not stay on. */
	world.host.shell.hold_signals();
	world.host.lookout.kernel_lines();
	switch_debug("+p", world);
	try {
		do {
			for (const std::string &line : world.host.lookout.kernel_lines())
				if (line.starts_with(beginning))
					world.terminal.write(Stream::out, printable(with_name(line.substr(beginning.size()), numbers)) + "\n");
		} while (world.host.lookout.wait(LONG, world.host.lookout.kernel_log()) != Lookout::Event::quit);
	} catch (...) {
		switch_debug("-p", world);
		throw;
	}
	switch_debug("-p", world);
	return 0;
}

}
