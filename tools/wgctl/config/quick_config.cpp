// SPDX-License-Identifier: GPL-2.0
#include "config/quick_config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "config/config.h"
#include "config/expiry.h"
#include "config/policies.h"
#include "model/machine.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view FOLDER = "/etc/wireguard/";
constexpr std::string_view SUFFIX = ".conf";
constexpr std::size_t TABLES_LIMIT = 1 << 20;

constexpr std::array QUICK_KEYS{std::string_view("Address"), std::string_view("DNS"),	   std::string_view("MTU"),
				std::string_view("Table"),   std::string_view("PreUp"),	   std::string_view("PostUp"),
				std::string_view("PreDown"), std::string_view("PostDown"), std::string_view("SaveConfig"),
				std::string_view("KillSwitch"), std::string_view("KillSwitchExcept"),
				std::string_view("Forward"), std::string_view("Masquerade"),
				std::string_view("BindDevice"), std::string_view("BindAddress")};
/* In a comment, too, wherever it stands: overlooked, one would leave the switch open. */
constexpr std::array COMMENT_KEYS{std::string_view("KillSwitch"), std::string_view("KillSwitchExcept")};
/* In a comment of [Interface]: elsewhere such words may be anything. */
constexpr std::array INTERFACE_COMMENT_KEYS{std::string_view("Forward"), std::string_view("Masquerade"), std::string_view("BindDevice"),
					    std::string_view("BindAddress")};

std::string expanded(std::string_view command, std::string_view interface)
{
	std::string text(command);

	for (std::size_t at = 0; (at = text.find("%i", at)) != text.npos; at += interface.size())
		text.replace(at, 2, interface);
	return text;
}

class QuickParser {
public:
	QuickParser(QuickConfig &config, Files &files) : config_(config), files_(files) {}

	void line(std::string_view text)
	{
		ConfigLine line = read_config_line(text);
		/* What a disabled line says of the whole file holds: a kill switch must not open with it. */
		std::string_view content = disabled_line(text).value_or(text);

		++line_;
		if (line.kind == ConfigLine::Kind::section)
			in_interface_ = line.is_section("[Interface]");
		if (read_config_line(content).kind == ConfigLine::Kind::section)
			in_disabled_ = line.kind != ConfigLine::Kind::section;
		/* Somebody took one line back by hand. */
		if (in_disabled_ && line.kind == ConfigLine::Kind::value)
			throw Failure{config_.at(line_) + "this stands among the lines of a disabled peer, and would be about the section above: put `" +
				      std::string(DISABLED) + "' before it, or move it"};
		if (is_comment(content)) {
			ConfigLine comment = read_config_line(content.substr(content.find('#') + 1));
			bool is_of_interface = in_interface_ && !in_disabled_ && is_one_of(comment.name, INTERFACE_COMMENT_KEYS);
			if (comment.kind == ConfigLine::Kind::value && (is_one_of(comment.name, COMMENT_KEYS) || is_of_interface))
				read(comment);
		}
		if (line.kind == ConfigLine::Kind::value && in_interface_ && is_quick_key(line.name))
			read(line);
		else
			config_.plain_text.append(text);
		config_.plain_text.append("\n");
	}

private:
	void read(const ConfigLine &line)
	{
		try {
			value(line.name, line.value);
		} catch (const Failure &failure) {
			throw Failure{config_.at(line_) + std::string(line.name) + ": " + failure.text};
		}
	}
	void value(std::string_view key, std::string_view value)
	{
		auto is = [key](std::string_view name) { return equal_ignoring_case(key, name); };

		if (is("Address"))
			for (const std::string &item : list_items(value))
				config_.addresses.push_back({parse_address(item), line_});
		else if (is("DNS"))
			for (const std::string &item : list_items(value))
				dns(item);
		else if (is("MTU"))
			mtu(value);
		else if (is("Table"))
			table(value);
		else if (is("SaveConfig"))
			config_.save = parse_either(value, "true", "false");
		else if (is("KillSwitch"))
			config_.kill_switch = parse_either(value, "yes", "no");
		else if (is("KillSwitchExcept"))
			for (const std::string &item : list_items(value))
				except(item);
		else if (is("Forward"))
			config_.forward = parse_either(value, "yes", "no");
		else if (is("Masquerade"))
			masquerade(value);
		else if (is("BindDevice"))
			bind_device(value);
		else if (is("BindAddress"))
			config_.binding.address = format_address(parse_whole_address(value));
		else if (is("PreUp"))
			hook(config_.pre_up, "PreUp", value);
		else if (is("PostUp"))
			hook(config_.post_up, "PostUp", value);
		else if (is("PreDown"))
			hook(config_.pre_down, "PreDown", value);
		else
			hook(config_.post_down, "PostDown", value);
	}

	void dns(const std::string &item)
	{
		if (is_host_address(item))
			config_.dns_servers.push_back(item);
		else if (is_search_domain(item))
			config_.dns_domains.push_back(item);
		else
			throw Failure{"neither an IP address nor a search domain: " + in_quotes(item)};
		config_.dns_line = line_;
	}
	void mtu(std::string_view value)
	{
		config_.mtu = parse_number<std::uint32_t>(value);
		config_.mtu_line = line_;
		if (!config_.mtu && !value.empty())
			throw Failure{"not a number of bytes: " + in_quotes(value)};
	}
	void table(std::string_view value)
	{
		if (value.empty() || value == "auto") {
			config_.routing = Routing::automatic;
		} else if (value == "off") {
			config_.routing = Routing::off;
		} else {
			config_.table = parse_table(value, files_);
			config_.routing = Routing::numbered;
		}
	}
	void masquerade(std::string_view value)
	{
		config_.masquerade = parse_either(value, "yes", "no");
		config_.masquerade_line = line_;
	}
	void bind_device(std::string_view value)
	{
		if (!is_interface_name(value))
			throw Failure{"no interface can have this name: " + in_quotes(value)};
		config_.binding.link = value;
	}
	static Prefix parse_whole_address(std::string_view value)
	{
		Prefix address = parse_address(value);

		if (address.address == Prefix().address)
			throw Failure{"that is no address of this machine; without BindAddress the sockets have all of them: " + in_quotes(value)};
		if (address.cidr != address.bits())
			throw Failure{"one address, without a length: " + in_quotes(value)};
		return address;
	}
	void except(const std::string &item)
	{
		config_.kill_switch_except.push_back(network_of(parse_address(item)));
		if (is_default_route(config_.kill_switch_except.back()))
			throw Failure{in_quotes(item) + " is everything: leave KillSwitch out instead"};
	}
	void hook(std::vector<Hook> &hooks, std::string_view key, std::string_view value)
	{
		/* As programs write it that have none: nothing to do. */
		if (!value.empty())
			hooks.push_back({expanded(value, config_.interface), key, line_});
	}

	QuickConfig &config_;
	Files &files_;
	std::size_t line_ = 0;
	bool in_interface_ = false, in_disabled_ = false;
};

/* /etc/wireguard is root's: to others, its files are not simply missing. */
[[noreturn]] void fail_without(const std::string &path, const std::string &remedy, World &world)
{
	if (world.host.store.is_hidden(path))
		throw Failure{path + ": Permission denied: it takes root, or whoever may look into its folder"};
	throw Failure{"there is no " + path + remedy};
}

/* Why that is no interface's name, or cannot be where one is looked for. */
std::string trouble_with(std::string_view name)
{
	auto wrong = std::find_if(name.begin(), name.end(), [](char c) { return !is_interface_name({&c, 1}); });

	if (name.size() > LONGEST_INTERFACE_NAME)
		return "it has " + std::to_string(name.size()) + " characters, and " + std::to_string(LONGEST_INTERFACE_NAME) + " are the most";
	if (wrong != name.end())
		return "it has only a-z A-Z 0-9 _ = + . -, not " + in_quotes(std::string_view(wrong, name.end()));
	return name.empty() || name == SUFFIX ? "there is no name" : "the file's name does not end in .conf";
}

/* wg0, or /some/where/wg0.conf, as path and interface name. */
void name_file(std::string_view argument, bool is_name, QuickConfig &config)
{
	std::string_view base = argument.substr(argument.rfind('/') + 1);

	config.path = is_name ? std::string(FOLDER).append(argument).append(SUFFIX) : std::string(argument);
	config.interface = is_name ? argument : base.ends_with(SUFFIX) ? base.substr(0, base.size() - SUFFIX.size()) : "";
	if (!is_interface_name(config.interface))
		throw Failure{in_quotes(argument) + " is not an interface's name, nor that of a file NAME.conf: " +
			      trouble_with(config.interface.empty() ? base : config.interface)};
}

void find_file(std::string_view argument, QuickConfig &config, World &world)
{
	Store &store = world.host.store;
	bool is_name = is_interface_name(argument);

	name_file(argument, is_name, config);
	/* wg0.conf is a name too; whoever means the file beside them gets it. */
	if (is_name && argument.ends_with(SUFFIX) && !store.exists(config.path) && store.exists(std::string(argument)))
		name_file(argument, is_name = false, config);
	if (!store.exists(config.path))
		fail_without(config.path, is_name ? ": write it, or give the path of NAME.conf" : "", world);
}

class SilentTerminal : public Terminal {
public:
	Text read_input(std::size_t) override { return {}; }
	void write(Stream, std::string_view) override {}
	bool output_is_terminal() override { return false; }
	bool output_is_open_to_the_world() override { return false; }
};

}

std::string QuickConfig::argument() const
{
	return path == std::string(FOLDER) + interface + std::string(SUFFIX) ? interface : shell_word(path);
}

std::string QuickConfig::beside(const std::string &what) const
{
	return path.substr(0, path.size() - SUFFIX.size()) + "." + what;
}

std::span<const std::string_view> quick_keys()
{
	return QUICK_KEYS;
}

bool is_quick_key(std::string_view key)
{
	return is_one_of(key, QUICK_KEYS);
}

bool is_comment(std::string_view line)
{
	return trimmed(line).starts_with('#');
}

std::optional<std::string_view> disabled_line(std::string_view line)
{
	return line.starts_with(DISABLED) ? std::optional(line.substr(DISABLED.size())) : std::nullopt;
}

bool ConfigLine::is_section(std::string_view title) const
{
	return kind == Kind::section && equal_ignoring_case(without_blanks(name), title);
}

bool ConfigLine::is_value(std::string_view key) const
{
	return kind == Kind::value && equal_ignoring_case(without_blanks(name), key);
}

ConfigLine read_config_line(std::string_view text)
{
	ConfigLine line;
	std::size_t hash = text.find_first_of(std::string_view("#\0", 2));
	std::string_view content = text.substr(0, hash);
	std::size_t equals = content.find('=');

	std::size_t end = content.find_last_not_of(" \t\r\v\f");
	line.comment = hash == text.npos ? std::string_view() : text.substr(end == content.npos ? 0 : end + 1);
	if (trimmed(content).starts_with('[')) {
		line.kind = ConfigLine::Kind::section;
		line.name = trimmed(content);
	} else if (equals != content.npos) {
		line.kind = ConfigLine::Kind::value;
		line.name = trimmed(content.substr(0, equals));
		line.value = trimmed(content.substr(equals + 1));
	}
	return line;
}

/* The number of a table of that name in such a file. */
static std::optional<std::uint32_t> table_in(const std::string &path, std::string_view name, Files &files)
{
	std::optional<std::uint32_t> number;

	try {
		Text tables = files.read(path, TABLES_LIMIT);
		for_each_line(tables, [&](std::string_view line) {
			line = trimmed(line.substr(0, line.find('#')));
			std::size_t blank = line.find_first_of(" \t");
			if (blank != line.npos && trimmed(line.substr(blank)) == name)
				number = parse_number<std::uint32_t>(line.substr(0, blank));
		});
	} catch (const Failure &) {
		/* Without that file there are no more names. */
	}
	return number;
}

std::uint32_t parse_table(std::string_view text, Files &files)
{
	std::optional<std::uint32_t> number = text.starts_with("0x") ? parse_number<std::uint32_t>(text.substr(2), 16)
								     : parse_number<std::uint32_t>(text);

	if (text == "main")
		number = 254;
	else if (text == "local")
		number = 255;
	else if (text == "default")
		number = 253;
	if (number && *number)
		return *number;
	/* As iproute2 has it: the distribution's names, then the machine's. */
	for (const std::string folder : {"/usr/lib/iproute2/", "/usr/share/iproute2/", "/etc/iproute2/"}) {
		std::vector<std::string> paths{folder + "rt_tables"};
		for (const std::string &name : files.list(folder + "rt_tables.d"))
			if (name.ends_with(SUFFIX))
				paths.push_back(folder + "rt_tables.d/" + name);
		for (const std::string &path : paths)
			if (std::optional<std::uint32_t> found = table_in(path, text, files))
				number = found;
	}
	if (number && *number)
		return *number;
	throw Failure{"neither auto, off, a number, nor a name of /etc/iproute2/rt_tables: " + in_quotes(text)};
}

bool is_search_domain(std::string_view text)
{
	if (text.starts_with('~'))
		text.remove_prefix(1);
	return text == "." || is_host_name(text);
}

namespace {

QuickConfig read_file(std::string_view argument, World &world)
{
	QuickConfig config;

	find_file(argument, config, world);
	if (world.host.store.is_open_to_the_world(config.path))
		world.terminal.write(Stream::err, "Warning: " + harmless(config.path) + " is accessible to everybody; it holds a private key. "
						  "Remedy: chmod 600 " + harmless(shell_word(config.path)) + "\n");
	config.text = read_config_file(config.path, world.files);
	return config;
}

}

void find_new_quick_file(std::string_view argument, QuickConfig &config, World &world)
{
	name_file(argument, is_interface_name(argument) && !argument.ends_with(SUFFIX), config);
	if (world.host.store.is_hidden(config.path))
		fail_without(config.path, "", world);
	if (world.host.store.exists(config.path))
		throw Failure{config.path + " exists already: give another name, or remove it first"};
}

std::string find_quick_file(std::string_view argument, World &world)
{
	QuickConfig config;

	find_file(argument, config, world);
	return config.path;
}

Text read_quick_text(std::string_view argument, World &world)
{
	return read_file(argument, world).text;
}

QuickConfig read_quick_config(std::string_view argument, World &world)
{
	QuickConfig config = read_file(argument, world);
	parse_quick_text(config, world.files);
	return config;
}

void parse_quick_text(QuickConfig &config, Files &files)
{
	QuickParser parser(config, files);

	for_each_line(config.text, [&](std::string_view line) { parser.line(line.substr(0, line.find('\0'))); });
	config.expiries = parse_expiries(config);
	config.policies = parse_policies(config);
}

Text strip_quick_keys(std::string_view text)
{
	Text result;
	bool in_interface = false;

	for_each_line(text, [&](std::string_view raw) {
		ConfigLine line = read_config_line(raw);
		if (line.kind == ConfigLine::Kind::section)
			in_interface = line.is_section("[Interface]");
		if (line.kind != ConfigLine::Kind::value || !in_interface || !is_quick_key(line.name))
			result.append(trimmed(raw)).append("\n");
	});
	/* wg-quick ends with an empty line. */
	return result.append("\n");
}

Device parse_without_lookup(const QuickConfig &config, World &world)
{
	Device device = parse_with_expired(config, world);

	leave_out_expired(device.peers, config, world);
	return device;
}

Device parse_with_expired(const QuickConfig &config, World &world)
{
	SilentTerminal terminal;
	World quiet{world.devices, world.files, terminal, world.resolver, world.clock, world.environment, world.host};

	Device device = parse_config(config.plain_text, config.path, FileMeaning::replace, quiet, Names::leave);
	device.peers = merged_peers(device.peers);
	add_policies(device.peers, config);
	return device;
}

}
