// SPDX-License-Identifier: GPL-2.0
#include "config/peer_comments.h"

#include <algorithm>

#include "model/values.h"

namespace wgctl {

namespace {

using Each = std::function<void(const Key &, std::string_view, std::string_view, std::size_t)>;

class PeerComments {
public:
	PeerComments(const QuickConfig &config, std::span<const std::string_view> keys, const Each &each) : config_(config), keys_(keys), each_(each) {}

	void line(std::string_view text)
	{
		ConfigLine line = read_config_line(text);

		++line_;
		if (line.kind == ConfigLine::Kind::section)
			begin_section(line.is_section("[Peer]"));
		else if (in_peer_ && line.is_value("PublicKey"))
			peer_ = key_from_base64(without_blanks(line.value));
		if (is_comment(text) && !disabled_line(text))
			comment(read_config_line(text.substr(text.find('#') + 1)));
		else
			is_above_title_ = false;
	}
	/* The peer's key may stand behind its comments. */
	void end_section()
	{
		for (const Found &one : found_) {
			if (!peer_)
				break;
			try {
				each_(*peer_, one.key, one.value, one.line);
			} catch (const Failure &failure) {
				throw Failure{config_.at(one.line) + "# " + std::string(one.key) + ": " + failure.text};
			}
		}
		found_.clear();
		peer_.reset();
	}

private:
	struct Found {
		std::string_view key;
		std::string value;
		std::size_t line;
	};

	void begin_section(bool is_peer)
	{
		if (is_above_title_)
			throw Failure{config_.at(found_.back().line) + "# " + std::string(found_.back().key) +
				      " right above a title is about nobody: put it behind the title of its peer"};
		end_section();
		in_peer_ = is_peer;
	}
	void comment(const ConfigLine &comment)
	{
		auto key = std::find_if(keys_.begin(), keys_.end(), [&](std::string_view one) { return comment.is_value(one); });

		if (key == keys_.end())
			return;
		if (!in_peer_)
			throw Failure{config_.at(line_) + "# " + std::string(*key) + " is about a peer, and stands in no [Peer]"};
		found_.push_back({*key, std::string(comment.value), line_});
		is_above_title_ = true;
	}

	const QuickConfig &config_;
	std::span<const std::string_view> keys_;
	const Each &each_;
	std::vector<Found> found_;
	std::optional<Key> peer_;
	/* One of them stands among the comments right above. */
	bool in_peer_ = false, is_above_title_ = false;
	std::size_t line_ = 0;
};

}

void for_each_peer_comment(const QuickConfig &config, std::span<const std::string_view> keys, const Each &each)
{
	PeerComments comments(config, keys, each);

	for_each_line(config.text, [&](std::string_view line) { comments.line(line.substr(0, line.find('\0'))); });
	comments.end_section();
}

}
