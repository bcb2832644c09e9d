// SPDX-License-Identifier: GPL-2.0
#include "config/expiry.h"

#include "model/times.h"
#include "model/values.h"

namespace wgctl {

namespace {

class ExpiryParser {
public:
	explicit ExpiryParser(const QuickConfig &config) : config_(config) {}

	void line(std::string_view text)
	{
		ConfigLine line = read_config_line(text);

		++line_;
		if (line.kind == ConfigLine::Kind::section)
			begin_section(line.is_section("[Peer]"));
		else if (in_peer_ && line.is_value("PublicKey"))
			key_ = key_from_base64(without_blanks(line.value));
		if (is_comment(text) && !disabled_line(text))
			comment(read_config_line(text.substr(text.find('#') + 1)));
		else
			last_comment_ = 0;
	}
	std::map<Key, Expiry> finish()
	{
		end_section();
		return std::move(found_);
	}

private:
	void begin_section(bool is_peer)
	{
		if (last_comment_)
			throw Failure{config_.at(last_comment_) + "# Expires right above a title is about nobody: put it behind the title of its peer"};
		end_section();
		in_peer_ = is_peer;
	}
	/* Of several sections of one peer, the last that has one counts. */
	void end_section()
	{
		if (key_ && expiry_)
			found_.insert_or_assign(*key_, *expiry_);
		key_.reset();
		expiry_.reset();
	}
	void comment(const ConfigLine &comment)
	{
		if (!comment.is_value("Expires"))
			return;
		if (!in_peer_)
			throw Failure{config_.at(line_) + "# Expires is about a peer, and stands in no [Peer]"};
		try {
			expiry_ = {parse_time(comment.value), line_};
		} catch (const Failure &failure) {
			throw Failure{config_.at(line_) + "# Expires: " + failure.text};
		}
		last_comment_ = line_;
	}

	const QuickConfig &config_;
	std::map<Key, Expiry> found_;
	std::optional<Expiry> expiry_;
	std::optional<Key> key_;
	bool in_peer_ = false;
	/* The last one among the comments right above. */
	std::size_t line_ = 0, last_comment_ = 0;
};

}

std::map<Key, Expiry> parse_expiries(const QuickConfig &config)
{
	ExpiryParser parser(config);

	for_each_line(config.text, [&](std::string_view line) { parser.line(line.substr(0, line.find('\0'))); });
	return parser.finish();
}

void leave_out_expired(std::vector<Peer> &peers, const QuickConfig &config, World &world)
{
	if (!config.expiries.empty())
		std::erase_if(peers, [&, now = world.clock.now()](const Peer &peer) { return config.is_expired(peer.public_key, now); });
}

}
