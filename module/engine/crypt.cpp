// SPDX-License-Identifier: GPL-2.0
#include "engine/crypt.h"
#include "engine/device.h"

namespace wg::engine {

namespace {

constexpr u32 MESSAGES_AT_ONCE = 64;
constexpr u32 BYTES_AT_ONCE = 64 << 10;		/* about 50 µs of AEAD: what one FPU section may take */

/* Lies in the CPU's scratch: too large for a stack. */
struct Scratch {
	crypto::Workspace workspace;
	crypto::Message messages[MESSAGES_AT_ONCE];
	crypto::Piece pieces[MESSAGES_AT_ONCE];
	Packet *packets[MESSAGES_AT_ONCE];
	u32 message_count, bytes;
};
static_assert(sizeof(Scratch) <= WG_SCRATCH_SIZE);

/* Prepares one more packet of @batch. False: no memory. */
bool add(Scratch &scratch, Packet &packet, const Batch &batch, u64 counter)
{
	bool sealing = batch.direction == Direction::Seal;
	u32 i = scratch.message_count;
	u8 *bytes = sealing ? wg_kernel_packet_prepare_seal(&packet, sizeof(DataHeader), padding_size(length_of(packet), batch.mtu))
			    : wg_kernel_packet_prepare_open(&packet);

	if (!bytes)
		return false;
	DataHeader &header = *reinterpret_cast<DataHeader *>(bytes);
	u8 *text = bytes + sizeof(header);
	u32 size = length_of(packet) - static_cast<u32>(MIN_DATA_MESSAGE);

	if (sealing) {
		header.type.set(static_cast<u32>(MessageType::Data));
		header.receiver_index.set(batch.session->keypair.remote_index.value());
		header.counter.set(counter);
	}
	scratch.pieces[i] = {text, text, size};
	scratch.messages[i] = {&scratch.pieces[i], 1, header.counter.get(), text + size, false};
	scratch.packets[i] = &packet;
	scratch.message_count++;
	scratch.bytes += length_of(packet);
	return true;
}

void flush(Scratch &scratch, Direction direction, const Keypair &keypair)
{
	Span<crypto::Message> messages(scratch.messages, scratch.message_count);
	bool simd;
	crypto::Form form;

	if (messages.empty())
		return;
	simd = aead_form() != crypto::Form::Portable && wg_kernel_fpu_begin();
	form = simd ? aead_form() : crypto::Form::Portable;
	if (direction == Direction::Seal)
		crypto::seal(form, keypair.sending_key, messages, scratch.workspace);
	else
		crypto::open(form, keypair.receiving_key, messages, scratch.workspace);
	if (simd)
		wg_kernel_fpu_end();
	if (direction == Direction::Open)
		for (u32 i = 0; i < scratch.message_count; i++)
			batch_of(*scratch.packets[i]).failed = !scratch.messages[i].authentic;
	scratch.message_count = scratch.bytes = 0;
}

Scratch &empty_scratch()
{
	Scratch &scratch = *static_cast<Scratch *>(wg_kernel_scratch());

	scratch.message_count = scratch.bytes = 0;
	return scratch;
}

/* Adds each packet of the batch, flushing whenever the scratch is full; marks those that failed. */
void add_batch(Scratch &scratch, Packet &head)
{
	Batch &batch = batch_of(head);
	u64 counter = batch.counter;	/* received packets carry their own */

	for (Packet *packet = &head; packet; packet = next_of(*packet)) {
		if (scratch.message_count == MESSAGES_AT_ONCE || scratch.bytes >= BYTES_AT_ONCE)
			flush(scratch, batch.direction, batch.session->keypair);
		batch_of(*packet).failed = !add(scratch, *packet, batch, counter++);
	}
}

/* As much of the work as one call of the AEAD takes. */
Run take_work(Device &device)
{
	SpinGuard guard(device.crypt_lock);
	Run run;
	u32 packets = 0, bytes = 0;

	while (device.crypt_work.first() && packets < MESSAGES_AT_ONCE && bytes < BYTES_AT_ONCE) {
		Packet *head = device.crypt_work.pop();

		packets += batch_of(*head).count;
		bytes += batch_of(*head).bytes;
		run.push(*head);
	}
	return run;
}

void finish(Packet &head)
{
	Peer &peer = batch_of(head).session->peer;
	bool sealing = batch_of(head).direction == Direction::Seal;

	/* Whoever drains puts the batch's session: hold the peer until we have told them. */
	get(peer);
	if ((sealing ? peer.tx : peer.rx).finish(head))
		(sealing ? peer.pollers.read()->tx : peer.pollers.read()->rx).schedule();
	put(peer);
}

} // namespace

void hand_over(Device &device, Packet &head)
{
	{
		SpinGuard guard(device.crypt_lock);

		device.crypt_work.push(head);
	}
	wg_kernel_workers_kick(device.crypt_workers);
}

void crypt_run(const Run &run, Progress which)
{
	Scratch &scratch = empty_scratch();
	Batch *last = nullptr;

	for (Packet *head = run.first(); head; head = Run::next(*head)) {
		Batch &batch = batch_of(*head);

		if (batch.progress != which)
			continue;
		if (last && (last->session != batch.session || last->direction != batch.direction))
			flush(scratch, last->direction, last->session->keypair);
		last = &batch;
		add_batch(scratch, *head);
	}
	if (last)
		flush(scratch, last->direction, last->session->keypair);
}

void run_crypt_worker(Device &device)
{
	for (;; wg_kernel_maybe_resched()) {
		BottomHalvesOff off;
		Run run = take_work(device);

		if (run.empty())
			return;
		crypt_run(run, Progress::Waiting);
		while (Packet *head = run.pop())
			finish(*head);
	}
}

} // namespace wg::engine
