// SPDX-License-Identifier: GPL-2.0
/* Plays our side of captured_session.h against a real peer on this machine, and prints what was sent.
 *
 * usage: capture keys                 what the peer is to be configured with, as shell variables
 *        capture initiate|respond     from 127.0.0.1:40000, with the peer at 127.0.0.1:51820; one row of captured_session.inc
 * exit status: 1 when the peer does not do its part within ten seconds
 */
#include <cstdio>
#include <cstdlib>

#include <arpa/inet.h>
#include <sodium.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "captured_session.h"

namespace {

using namespace wg::test;
using namespace wg::test::captured;

std::string base64(const ByteVector &bytes)
{
	char text[64];

	return sodium_bin2base64(text, sizeof(text), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
}

ByteVector public_of(const char *private_hex)
{
	ByteVector public_key(32);

	primitives().x25519_public(public_key.data(), from_hex(private_hex).data());
	return public_key;
}

class Peer {
public:
	Peer() : socket_(socket(AF_INET, SOCK_DGRAM, 0))
	{
		const timeval patience = {10, 0};
		sockaddr_in us = at(40000), them = at(51820);

		setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (bind(socket_, reinterpret_cast<sockaddr *>(&us), sizeof(us)) || connect(socket_, reinterpret_cast<sockaddr *>(&them), sizeof(them)))
			give_up("no socket");
	}
	void tell(const ByteVector &message)
	{
		if (send(socket_, message.data(), message.size(), 0) != static_cast<ssize_t>(message.size()))
			give_up("cannot send");
	}
	ByteVector hear(const char *what)
	{
		ByteVector message(2000);
		ssize_t size = recv(socket_, message.data(), message.size(), 0);

		if (size < 0)
			give_up(what);
		message.resize(static_cast<size_t>(size));
		return message;
	}
	[[noreturn]] static void give_up(const char *what)
	{
		fprintf(stderr, "capture: %s\n", what);
		exit(1);
	}

private:
	static sockaddr_in at(wg::u16 port)
	{
		sockaddr_in address{};

		address.sin_family = AF_INET;
		address.sin_port = htons(port);
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return address;
	}
	int socket_;
};

void print(const char *name, const ByteVector (&messages)[4])
{
	printf("const Exchange %s = {", name);
	for (const ByteVector &message : messages) {
		putchar('"');
		for (wg::u8 byte : message)
			printf("%02x", byte);
		printf(&message == &messages[3] ? "\"};\n" : "\", ");
	}
}

void initiate()
{
	Peer peer;
	Ours ours;
	const ByteVector initiation = ours.initiate();

	peer.tell(initiation);
	const ByteVector response = peer.hear("no response");
	if (!ours.finish(response))
		Peer::give_up("not an answer to our initiation");
	const ByteVector request = ours.seal(our_request());
	peer.tell(request);
	const ByteVector reply = peer.hear("no answer to our ping");
	if (ours.open(reply).empty())
		Peer::give_up("the answer to our ping does not open");
	print("WE_INITIATED", {initiation, response, request, reply});
}

void respond()
{
	Peer peer;
	Ours ours;
	const ByteVector initiation = peer.hear("no initiation"), response = ours.respond(initiation);

	if (response.empty())
		Peer::give_up("not an initiation of theirs");
	peer.tell(response);
	const ByteVector request = peer.hear("no packet"), opened = ours.open(request);
	if (opened.empty())
		Peer::give_up("their packet does not open");
	const ByteVector reply = ours.seal(our_reply(opened));
	peer.tell(reply);
	print("THEY_INITIATED", {initiation, response, request, reply});
}

} // namespace

int main(int argc, char **argv)
{
	const std::string_view how = argc == 2 ? argv[1] : "";

	if (how == "keys")
		printf("their_private=%s our_public=%s preshared=%s\n", base64(from_hex(THEIR_PRIVATE)).c_str(), base64(public_of(OUR_PRIVATE)).c_str(),
		       base64(from_hex(PRESHARED_KEY)).c_str());
	else if (how == "initiate")
		initiate();
	else if (how == "respond")
		respond();
	else
		Peer::give_up("usage: capture keys|initiate|respond");
	return 0;
}
