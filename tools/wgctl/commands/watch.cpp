// SPDX-License-Identifier: GPL-2.0
#include "view/dashboard.h"

#include <algorithm>

#include "commands/commands.h"
#include "config/quick_config.h"
#include "model/machine.h"
#include "model/times.h"
#include "model/values.h"
#include "tunnel/inside.h"
#include "view/json.h"

namespace wgctl {

namespace {

/* Of `status`, in milliseconds: nobody likes to wait. */
constexpr std::int64_t SHORT_LOOK = 500;

bool speaks_utf8(Environment &environment)
{
	for (const char *name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
		std::string_view value = environment.get(name) ? environment.get(name) : "";
		if (!value.empty())
			return value.find("UTF-8") != value.npos || value.find("utf8") != value.npos;
	}
	return false;
}

Selection selection_of(const Options &options)
{
	static constexpr std::string_view ORDERS[] = {"handshake", "name", "address", "rate"};
	std::string wanted = options.value("--sort") ? options.text("--sort") : "handshake";
	auto found = std::find(std::begin(ORDERS), std::end(ORDERS), wanted);
	Selection selection;

	if (found == std::end(ORDERS))
		options.fail("--sort is by handshake, name, address or rate, not " + in_quotes(wanted) + did_you_mean(wanted, ORDERS));
	if (options.has("--online") && options.has("--offline"))
		options.fail("nobody is both --online and --offline: leave out one of them");
	selection.order = static_cast<Selection::Order>(1 + (found - std::begin(ORDERS)));
	if (options.has("--online"))
		selection.which = Selection::Which::online;
	if (options.has("--offline"))
		selection.which = Selection::Which::offline;
	return selection;
}

/* A page that may be longer than the screen, and what of it is seen. */
class Scroll {
public:
	/* With a line at the bottom that tells the keys. */
	Text view(const Text &page, std::size_t rows)
	{
		std::vector<std::string_view> lines;
		Text text;

		for_each_line(page, [&](std::string_view line) { lines.push_back(line); });
		if (lines.size() + 2 <= rows) {
			top_ = 0;
			return Text(page).append("\nq quits\n");
		}
		rows_ = std::max<std::size_t>(rows, 2) - 1;
		top_ = std::min(top_, lines.size() - std::min(lines.size(), rows_));
		std::size_t end = std::min(top_ + rows_, lines.size());
		for (std::size_t i = top_; i < end; ++i)
			text.append(lines[i]).append("\n");
		return text.append("lines " + std::to_string(top_ + 1) + "-" + std::to_string(end) + " of " + std::to_string(lines.size()) +
				   "; arrows and page keys move, q quits\n");
	}

	/* An arrow is ESC [ A, a page key ESC [ 5 ~; each comes byte by byte. */
	void key(char key)
	{
		if (key == '\x1b' || (!sequence_.empty() && sequence_.size() < LONGEST_SEQUENCE && (key == '[' || key == 'O' || (key >= '0' && key <= '9')))) {
			sequence_ = key == '\x1b' ? "\x1b" : sequence_ + key;
			return;
		}
		bool is_special = !sequence_.empty();
		char digit = is_special ? sequence_.back() : 0;
		sequence_.clear();
		if (is_special ? key == 'A' : key == 'k')
			up(1);
		else if (is_special ? key == 'B' : key == 'j')
			top_ += 1;
		else if (is_special ? key == '~' && digit == '5' : key == 'b')
			up(rows_);
		else if (is_special ? key == '~' && digit == '6' : key == ' ')
			top_ += rows_;
	}

private:
	static constexpr std::size_t LONGEST_SEQUENCE = 4;
	void up(std::size_t lines) { top_ -= std::min(top_, lines); }

	std::size_t top_ = 0, rows_ = 1;
	std::string sequence_;
};

/* Looks at the interfaces again and again, in one of three ways. */
class Watcher {
public:
	Watcher(std::string wanted, std::int64_t interval, World &world) : wanted_(std::move(wanted)), interval_(interval), world_(world)
	{
		style_.colour = wants_colour(world);
		style_.unicode = speaks_utf8(world.environment);
	}

	int once(bool as_json, const Selection &selection = {})
	{
		sample();
		world_.clock.sleep(interval_);
		sample();
		if (as_json)
			world_.terminal.write(Stream::out, json(selection));
		else
			world_.terminal.write(Stream::out, watch_.page(style_, world_.clock.now(), selection));
		return has_problem() ? 1 : 0;
	}

	/* A page on which lines are of use by themselves: as wide as the screen, addresses instead of histories. */
	int status(bool as_json, const Selection &selection)
	{
		style_.addresses = true;
		if (world_.terminal.output_is_terminal())
			style_.columns = world_.host.screen.size().columns;
		return once(as_json, selection);
	}

	/* For files and pipes: a page for each sample, with the time above. */
	int plain()
	{
		for (;;) {
			sample();
			world_.terminal.write(Stream::out, time_line().append(watch_.page(style_, world_.clock.now())).append("\n"));
			world_.clock.sleep(interval_);
		}
	}

	int live()
	{
		Screen &screen = world_.host.screen;
		std::int64_t next = world_.clock.monotonic();
		Scroll scroll;
		char key;

		screen.open();
		for (;;) {
			std::int64_t left = next - world_.clock.monotonic();
			if (left <= 0) {
				sample();
				/* Not after every late sample another late one. */
				next = world_.clock.monotonic() + interval_;
				left = interval_;
			}
			Screen::Size size = screen.size();
			style_.columns = size.columns;
			screen.paint(scroll.view(watch_.page(style_, world_.clock.now()), size.rows));
			Screen::Event event = screen.wait(left, key);
			if (event == Screen::Event::key)
				scroll.key(key);
			if (event == Screen::Event::quit || (event == Screen::Event::key && (key == 'q' || key == 'Q' || key == '\x03')))
				break;
		}
		screen.close();
		return 0;
	}

private:
	void sample()
	{
		std::vector<std::string> names = wanted_.empty() ? all_names() : std::vector{wanted_};

		watch_.keep(names);
		for (const std::string &name : names) {
			try {
				watch_.sample(world_.devices.get(name), read_peer_names(name, world_), world_.clock.monotonic());
			} catch (const Failure &failure) {
				watch_.problem(name, failure.text);
			}
		}
	}

	/* None while they cannot be listed: a module may be reloaded. */
	std::vector<std::string> all_names()
	{
		try {
			return world_.devices.names();
		} catch (const Failure &) {
			return {};
		}
	}

	bool has_problem() const
	{
		for (const auto &[name, watched] : watch_.devices())
			if (!watched.problem.empty())
				return true;
		return false;
	}

	Text time_line()
	{
		return Text(format_time(world_.clock.now())).append("\n");
	}

	Text json(const Selection &selection) const
	{
		Json document = Json::object();

		document["version"] = JSON_VERSION;
		document["interfaces"] = Json::array();
		for (const auto &[name, watched] : watch_.devices()) {
			if (!watched.problem.empty()) {
				complain("cannot read interface " + wgctl::in_quotes(name) + ": " + watched.problem, world_.terminal);
				continue;
			}
			Json interface = json_of(watched.device, watched.names, Secrets::hidden), peers = Json::array();
			for (const Peer *peer : select_peers(watched, selection, world_.clock.now())) {
				Json object = interface["peers"][static_cast<std::size_t>(peer - watched.device.peers.data())];
				Rates rates = watched.histories.at(peer->public_key).rates();
				std::optional<Prefix> address = inner_address(*peer);
				object["rx_bytes_per_second"] = static_cast<std::uint64_t>(rates.received);
				object["tx_bytes_per_second"] = static_cast<std::uint64_t>(rates.sent);
				object["online"] = peer->has_session(world_.clock.now());
				object["address"] = address ? Json(Text(format_prefix(*address))) : Json();
				peers.push_back(std::move(object));
			}
			interface["peers"] = std::move(peers);
			document["interfaces"].push_back(std::move(interface));
		}
		return to_text(document);
	}

	std::string wanted_;
	std::int64_t interval_;
	World &world_;
	WatchStyle style_;
	Dashboard watch_;
};

}

int watch(const Options &options, World &world)
{
	if (options.has("--json") && !options.has("--once"))
		throw Failure{"watch: --json is for --once"};
	enter_netns(options, world);
	Watcher watcher(options.operand(0), std::int64_t{options.seconds("--interval", 1)} * 1000, world);
	if (options.has("--once"))
		return watcher.once(options.has("--json"));
	return world.terminal.output_is_terminal() ? watcher.live() : watcher.plain();
}

int status(const Options &options, World &world)
{
	Selection selection = selection_of(options);

	enter_netns(options, world);
	return Watcher(options.operand(0), SHORT_LOOK, world).status(options.has("--json"), selection);
}

}
