// SPDX-License-Identifier: GPL-2.0
/* Configuration files: whatever is in them, they are read or refused, and editing keeps its word. */
#include <cstdlib>

#include "config.h"
#include "config_edit.h"
#include "quick.h"
#include "quick_config.h"
#include "tests/fakes.h"

namespace {

using namespace wgctl;

void must(bool truth)
{
	if (!truth)
		std::abort();
}

template<class Action>
void may_fail(Action action)
{
	failure_of(action);
}

}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	std::string_view text(reinterpret_cast<const char *>(data), size);
	FakeWorld fake;
	Peer peer;

	peer.public_key = test_key(77);
	peer.allowed_ips = {test_prefix("10.0.0.1/32")};
	fake.files.contents["/etc/wireguard/wg0.conf"] = text;
	may_fail([&] { parse_config(text, "file", FileMeaning::replace, fake); });
	may_fail([&] { parse_without_lookup(read_quick_config("wg0", fake), fake); });
	strip_quick_keys(text);

	PeerNames names = parse_peer_names(text);
	if (!names.contains(peer.public_key)) {
		Text more = with_peer(text, "new", peer);
		must(parse_peer_names(more)[peer.public_key] == "new");
		must(parse_peer_names(without_peer(more, peer.public_key)) == names);
	}
	may_fail([&] {
		Text once = with_value(text, {}, "ListenPort", "1");
		must(with_value(once, {}, "ListenPort", "1") == once);
	});
	return 0;
}
