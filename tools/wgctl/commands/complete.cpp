// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <map>

#include "commands/commands.h"
#include "config/config.h"
#include "config/edit.h"
#include "model/names.h"
#include "model/values.h"

namespace wgctl {

namespace {

/* What cannot be asked or read has nothing to offer. */
template<class Action>
void attempt(Action action)
{
	try {
		action();
	} catch (const Failure &) {
	}
}

class Candidates {
public:
	explicit Candidates(World &world) : world_(world) {}

	void add(std::string_view word, std::string_view meaning = {}) { found_.emplace(printable(word), printable(meaning)); }
	void add_options(const Command &command)
	{
		for (const std::string &name : list_items(command.options))
			add(name, find_word(name)->meaning);
	}
	/* What `place` stands for in a usage. Peers are those of `hub`. */
	void add_values(std::string_view place, const Command &command, const std::string &hub)
	{
		for (std::string_view one : alternatives(place)) {
			if (one == "FILE" || one == "WHERE")
				kind_ = "files";
			if (one == "COMMAND" || one == "ARGUMENT")
				kind_ = "program";
			if (one == "WHERE")
				for (const std::string &name : world_.files.list("/run/netns"))
					add(name);
			if (one == "INTERFACE")
				add_interfaces();
			if (one == "PEER" || one == "PUBLIC-KEY")
				add_peers(hub, one == "PEER");
			if (one == "KEY=VALUE")
				for (std::string_view key : editable_keys())
					add(std::string(key) + "=");
			if (one == "SETTING")
				add_options(command);
			if (std::size_t literal = one.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"); literal != 0)
				add(one.substr(0, literal));
		}
	}
	Text answer() const
	{
		Text text(kind_);

		for (const auto &[word, meaning] : found_)
			text.append("\n").append(word).append("\t").append(meaning);
		return text.append("\n");
	}

private:
	void add_interfaces()
	{
		constexpr std::string_view CONF = ".conf";

		attempt([&] {
			for (const std::string &name : world_.devices.names())
				add(name);
		});
		for (const std::string &file : world_.files.list("/etc/wireguard"))
			if (file.ends_with(CONF))
				add(file.substr(0, file.size() - CONF.size()));
	}
	void add_peers(const std::string &hub, bool by_name)
	{
		PeerNames names;

		attempt([&] {
			Text text = read_config_file(find_quick_file(hub, world_), world_.files);
			names = parse_peer_names(text);
			for (const auto &[key, values] : values_of_peers(text, "PublicKey", Spelled::either_way))
				add(to_base64(key), names[key]);
		});
		attempt([&] {
			for (const Peer &peer : world_.devices.get(hub).peers)
				add(to_base64(peer.public_key));
		});
		for (const auto &[key, name] : names) {
			/* That of a disabled peer, too. */
			add(to_base64(key), name);
			if (by_name && !name.empty())
				add(name, to_base64(key));
		}
	}

	World &world_;
	std::map<std::string, std::string> found_;
	std::string_view kind_ = "words";
};

/* The next word of a command's name. */
void add_names(Arguments before, Candidates &candidates)
{
	std::string beginning;

	for (std::string_view word : before)
		beginning.append(word).append(" ");
	for (const Command &command : all_commands())
		if (command.name.starts_with(beginning)) {
			std::string_view left = command.name.substr(beginning.size()), word = left.substr(0, left.find(' '));
			candidates.add(word, word == left ? command.summary : "");
		}
}

void add_words(const Command &command, Arguments before, std::string_view current, Candidates &candidates)
{
	const std::vector<std::string> options = list_items(command.options), operands = list_items(command.operands);
	bool takes_options = std::find(before.begin(), before.end(), "--") == before.end();
	const Word *option = before.empty() || !takes_options || !contains(options, std::string(before.back())) ? nullptr : find_word(before.back());
	bool is_value = option && option->takes_next_word();
	Options given(command, before.first(before.size() - is_value));
	std::size_t number = given.operands().size();

	if (is_value)
		candidates.add_values(option->value, command, given.operand(0));
	else if (takes_options && current.starts_with('-') && command.options.starts_with("--"))
		candidates.add_options(command);
	else if (!operands.empty() && (number < operands.size() || operands.back().find("...") != std::string::npos))
		candidates.add_values(operands[std::min(number, operands.size() - 1)], command, given.operand(0));
}

}

int complete(Arguments words, World &world)
{
	Candidates candidates(world);

	attempt([&] {
		Arguments before = words.first(words.empty() ? 0 : words.size() - 1);
		if (const Command *command = find_command(before))
			add_words(*command, before.subspan(count_words(*command)), words.back(), candidates);
		else
			add_names(before, candidates);
	});
	world.terminal.write(Stream::out, candidates.answer());
	return 0;
}

}
