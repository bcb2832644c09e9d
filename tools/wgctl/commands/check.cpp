// SPDX-License-Identifier: GPL-2.0
#include <algorithm>
#include <map>

#include "commands/commands.h"
#include "config/config.h"
#include "config/peer_names.h"
#include "tunnel/bring_up.h"
#include "view/json.h"

namespace wgctl {

namespace {

/* A file with more is not one of ours. */
constexpr std::size_t MOST_ERRORS = 100;

struct Remark {
	/* 0: of the file as a whole. */
	std::size_t line = 0;
	bool is_error = false;
	std::string text;
};

/* "PATH:LINE: TEXT", or "PATH: TEXT", as every failure and warning about a file begins. */
Remark read_remark(std::string_view text, const std::string &path, bool is_error)
{
	Remark remark{0, is_error, ""};

	if (text.starts_with(path)) {
		std::string_view behind = text.substr(path.size());
		std::size_t end = behind.find(": ");
		remark.line = behind.starts_with(':') && end != behind.npos ? parse_number<std::size_t>(behind.substr(1, end - 1)).value_or(0) : 0;
		if (remark.line || end == 0)
			text = behind.substr(end + 2);
	}
	remark.text = text;
	return remark;
}

/* What is told while a file is read. */
class Listener : public Terminal {
public:
	Text read_input(std::size_t) override { return {}; }
	void write(Stream, std::string_view text) override { lines.emplace_back(text); }
	bool output_is_terminal() override { return false; }
	bool output_is_open_to_the_world() override { return false; }

	std::vector<std::string> lines;
};

/* Reads one file again and again, each time without what was wrong the last time. */
class FileCheck {
public:
	FileCheck(std::string_view argument, World &world) :
		listening_{world.devices, world.files, listener_, world.resolver, world.clock, world.environment, world.host}
	{
		text_ = read_quick_text(argument, listening_);
		std::swap(listener_.lines, about_all_);
		path_ = find_quick_file(argument, world);
		std::string_view base = std::string_view(path_).substr(path_.rfind('/') + 1);
		interface_ = base.substr(0, base.rfind('.'));
	}

	const std::string &path() const { return path_; }
	std::vector<Remark> run()
	{
		std::vector<Remark> errors;

		while (errors.size() < MOST_ERRORS) {
			std::optional<Remark> error = read(errors.empty());
			if (error)
				errors.push_back(*error);
			if (!error || !error->line)
				break;
			leave_out(error->line);
		}
		errors.insert(errors.end(), warnings_.begin(), warnings_.end());
		std::stable_sort(errors.begin(), errors.end(), [](const Remark &a, const Remark &b) { return a.line < b.line; });
		return errors;
	}

private:
	/* The first thing that is wrong. When something has been left out before, nothing is said to be missing. */
	std::optional<Remark> read(bool is_whole)
	{
		QuickConfig config;
		Placement here;

		config.interface = interface_;
		config.path = path_;
		config.text = text_;
		here.is_here = true;
		listener_.lines = about_all_;
		warnings_.clear();
		try {
			parse_quick_text(config, listening_.files);
			look_for_expired(config);
			look_over(parse_config(config.plain_text, path_, FileMeaning::replace, listening_, Names::leave), is_whole);
			check_values(config, here, listening_);
		} catch (const Failure &failure) {
			return read_remark(failure.text, path_, true);
		}
		return {};
	}
	void look_for_expired(const QuickConfig &config)
	{
		PeerNames names = parse_peer_names(config.text);

		for (const auto &[key, expiry] : config.expiries)
			if (config.is_expired(key, listening_.clock.now()))
				warn(expiry.line, "peer " + describe_peer(key, names) + " has expired: it is not let in");
	}
	/* What is allowed and hardly meant. Its peers are the file's sections, in their order. */
	void look_over(const Device &device, bool is_whole)
	{
		std::map<std::string, std::size_t> owners;
		std::map<Key, std::size_t> keys;
		std::size_t section = 0, line = 0;

		for (std::string_view told : listener_.lines) {
			told.remove_prefix(told.starts_with("Warning: ") ? std::string_view("Warning: ").size() : 0);
			warnings_.push_back(read_remark(told.substr(0, told.find('\n')), path_, false));
		}
		if (is_whole && device.private_key == Key())
			warn(0, "there is no PrivateKey: no peer will answer");
		for_each_line(text_, [&](std::string_view text) {
			++line;
			if (!read_config_line(text).is_section("[Peer]") || section == device.peers.size())
				return;
			const Peer &peer = device.peers[section++];
			if (auto [first, is_new] = keys.try_emplace(peer.public_key, line); !is_new)
				warn(line, "the same peer as in line " + std::to_string(first->second) + ": what this section says holds, AllowedIPs as a whole");
			if (is_whole && peer.allowed_ips.empty())
				warn(line, "a peer without AllowedIPs: no packet goes to it, and none from it is let in");
			for (const Prefix &ip : peer.allowed_ips)
				if (auto [first, is_new] = owners.try_emplace(format_prefix(network_of(ip)), line); !is_new && first->second != line)
					warn(line, "allowed IP " + first->first + " is that of the peer in line " + std::to_string(first->second) +
							   ", too: the later has it");
		});
	}
	void warn(std::size_t line, const std::string &text) { warnings_.push_back({line, false, text}); }
	/* A section's title goes with all of the section: its lines would be the one's above. */
	void leave_out(std::size_t unwanted)
	{
		Text rest;
		std::size_t line = 0;
		bool is_left_out = false;

		for_each_line(text_, [&](std::string_view text) {
			bool is_title = read_config_line(text).kind == ConfigLine::Kind::section;
			bool is_wrong = ++line == unwanted;
			if (is_title)
				is_left_out = is_wrong;
			rest.append(is_left_out || is_wrong ? std::string_view() : text).append("\n");
		});
		text_ = rest;
	}

	Listener listener_;
	World listening_;
	std::string path_, interface_;
	Text text_;
	std::vector<std::string> about_all_;
	std::vector<Remark> warnings_;
};

Text text_of(const std::string &path, const std::vector<Remark> &remarks)
{
	Text text;

	for (const Remark &remark : remarks)
		text.append(printable(path) + ":" + (remark.line ? std::to_string(remark.line) + ":" : "") + (remark.is_error ? " " : " warning: ") +
			    printable(remark.text) + "\n");
	return remarks.empty() ? Text(printable(path)).append(": nothing is wrong\n") : text;
}

Json json_of(const std::string &path, const std::vector<Remark> &remarks)
{
	Json file = Json::object();

	file["path"] = Text(path);
	file["remarks"] = Json::array();
	for (const Remark &remark : remarks) {
		Json object = Json::object();
		object["line"] = remark.line ? Json(remark.line) : Json();
		object["severity"] = remark.is_error ? "error" : "warning";
		object["text"] = Text(remark.text);
		file["remarks"].push_back(std::move(object));
	}
	return file;
}

}

int check(const Options &options, World &world)
{
	Json document = Json::object();
	bool is_wrong = false;

	document["version"] = JSON_VERSION;
	document["files"] = Json::array();
	for (std::string_view argument : options.operands()) {
		FileCheck file(argument, world);
		std::vector<Remark> remarks = file.run();
		is_wrong = is_wrong || std::any_of(remarks.begin(), remarks.end(), [](const Remark &remark) { return remark.is_error; });
		if (options.has("--json"))
			document["files"].push_back(json_of(file.path(), remarks));
		else
			world.terminal.write(Stream::out, text_of(file.path(), remarks));
	}
	if (options.has("--json"))
		world.terminal.write(Stream::out, to_text(document));
	return is_wrong;
}

}
