// SPDX-License-Identifier: GPL-2.0
#include "tunnel/reversal.h"

namespace wgctl {

namespace {

/* As it was, whatever came of it: its values alone, so that a session lives on where there is one. */
Peer before_change(const Peer &change, const Peer &present)
{
	Peer back;

	back.public_key = change.public_key;
	back.update_only = true;
	if (change.preshared_key)
		back.preshared_key = present.preshared_key.value_or(Key());
	if (change.endpoint)
		back.endpoint = present.endpoint;
	if (change.persistent_keepalive)
		back.persistent_keepalive = present.persistent_keepalive.value_or(0);
	if (change.replace_allowed_ips || !change.allowed_ips.empty()) {
		back.replace_allowed_ips = true;
		back.allowed_ips = present.allowed_ips;
	}
	return back;
}

}

Device reversal(const Device &change, const Device &present)
{
	Device back;
	PeerIndex present_by_key(present.peers);

	back.name = change.name;
	if (change.private_key)
		back.private_key = present.private_key.value_or(Key());
	if (change.listen_port)
		back.listen_port = present.listen_port.value_or(0);
	if (change.fwmark)
		back.fwmark = present.fwmark.value_or(0);
	for (const Peer &peer : change.peers) {
		const Peer *before = present_by_key.find(peer.public_key);
		if (before && !peer.remove && (before->endpoint || !peer.endpoint)) {
			back.peers.push_back(before_change(peer, *before));
			continue;
		}
		/* An endpoint cannot be taken from a peer; without one, there was no session either. */
		if (!peer.remove) {
			Peer &gone = back.peers.emplace_back();
			gone.public_key = peer.public_key;
			gone.remove = true;
		}
		if (before)
			back.peers.push_back(*before);
	}
	return back;
}

}
