// SPDX-License-Identifier: GPL-2.0
/* Whatever bytes a program that may configure can put into a request: raw attributes, and true ones with some bytes changed, as a change and as
 * a question, against the whole engine in the simulation's kernel. A refused change changes nothing; what was taken can be shown; nothing is
 * left when the device goes. */
#include "support.h"
#include "world.h"

using sim::Message;
using sim::Request;
using sim::Shown;
using sim::World;
using wg::fuzz::Input;
using wg::fuzz::require;

namespace {

/* Each has an end of its own, which looks for what is left; and a simulated kernel does not live for ever. */
constexpr unsigned INPUTS_A_WORLD = 500;

void quiet(sim::Knobs &knobs)
{
	knobs.cpus = 1;
	knobs.preempt = knobs.stall = knobs.cpu_features = 0;
}

World &fresh_world()
{
	static World *world;
	static unsigned inputs;

	if (!world || ++inputs % INPUTS_A_WORLD == 0) {
		delete world;
		world = new World(1, {.hosts = 1, .ordered = true, .turn = quiet});
		world->up(0);
	}
	return *world;
}

sim::PeerRequest peer(sim::u8 number)
{
	sim::PeerRequest peer{.public_key = sim::Key(32, number), .preshared_key = sim::Key(32, static_cast<sim::u8>(number + 100))};

	peer.allowed_ips = {{2, {10, 0, 0, number}, 32, {}}, {10, std::vector<sim::u8>(16, number), 64, {}}};
	peer.persistent_keepalive = number;
	peer.dscp = number;
	return peer;
}

/* What each input begins with. */
Request beginning()
{
	Request request;

	request.private_key = sim::Key(32, 64);
	request.flags = WGDEVICE_F_REPLACE_PEERS;
	request.is_public = 0;
	request.peers = {peer(1), peer(2)};
	return request;
}

/* Another request about the same peers, with everything that one may ask for. */
Request change()
{
	Request request;

	request.private_key = sim::Key(32, 72);
	request.listen_port = 4000;
	request.fwmark = 5;
	request.flags = 0;
	request.extended_flags = WGX_F_NO_STEAL;
	request.is_public = 1;
	request.peers = {peer(2), peer(3)};
	request.peers[0].flags = WGPEER_F_REPLACE_ALLOWEDIPS;
	request.peers[0].opened_mark = request.peers[0].outer_mark = 7;
	request.peers[0].pins_endpoint = 1;
	request.peers[1].endpoint = std::vector<sim::u8>{2, 0, 4, 0, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0};
	request.peers[1].protocol_version = 1;
	return request;
}

/* As WGX_CMD_GET_DEVICE's attributes; parts of @size bytes. */
void ask(World &world, std::vector<sim::u8> question, size_t size)
{
	wg_dump dump{};

	for (int result = 0; !dump.done && !result;) {
		wg_reply reply(size);

		world.kernel.run_process(world.host(0).domain, "ask",
					 [&] { result = wg_engine_dump(world.host(0).device, &dump, question.data(), question.size(), &reply); });
		require(!result || result == -WG_EMSGSIZE, "a question was refused for its bytes");
		(void)sim::attributes_of(result ? std::vector<sim::u8>() : reply.bytes);
	}
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	World &world = fresh_world();
	Input input(data, size);
	Message message(change());
	sim::u8 kind = input.byte();
	int result = 0;

	require(world.configure(0, beginning()) == 0, "the beginning was refused");
	const Shown before = world.dump(0);
	if (kind & 1)
		message.bytes().assign(input.rest().data(), input.rest().data() + input.left());
	else
		for (size_t bytes = message.bytes().size(); !input.empty();)
			message.bytes()[input.below(static_cast<wg::u32>(bytes))] = input.byte();
	message.bytes().shrink_to_fit();
	const std::vector<sim::u8> question = message.bytes();
	world.kernel.run_process(world.host(0).domain, "set", [&] {
		wg_report report;

		result = message.set(world.host(0).device, kind & 2, report);
	});
	require(!result || world.dump(0) == before, "a refused change changed something");
	ask(world, question, 400 + kind * 10);
	world.run_for(sim::MILLISECOND);
	return 0;
}
