// SPDX-License-Identifier: GPL-2.0
#include "engine/crypt.h"
#include "engine/device.h"

namespace wg::engine {

static_assert(sizeof(crypto::Piece) == sizeof(wg_piece) && offsetof(crypto::Piece, size) == offsetof(wg_piece, size));

namespace {

constexpr u32 MESSAGES_AT_ONCE = 64, PIECES_AT_ONCE = 400;
constexpr u32 BYTES_AT_ONCE = 64 << 10;		/* about 50 µs of AEAD: what one FPU section may take */

/* Lies in the CPU's scratch: too large for a stack. */
struct Scratch {
	crypto::Workspace workspace;
	crypto::Message messages[MESSAGES_AT_ONCE];
	crypto::Piece pieces[PIECES_AT_ONCE];
	Packet *packets[MESSAGES_AT_ONCE];
	u8 tags[MESSAGES_AT_ONCE][TAG_SIZE];
	u32 message_count, piece_count, bytes;
};
static_assert(sizeof(Scratch) <= WG_SCRATCH_SIZE);

bool is_full(const Scratch &scratch)
{
	return scratch.message_count == MESSAGES_AT_ONCE || scratch.bytes >= BYTES_AT_ONCE;
}

/* Prepares one more packet. 0, -E2BIG when the pieces do not fit behind the ones there are, or -ENOMEM. */
int add(Scratch &scratch, Packet &packet, Direction direction, Session &session, u64 counter, u32 mtu)
{
	u32 i = scratch.message_count, limit = PIECES_AT_ONCE - scratch.piece_count;
	crypto::Piece *pieces = &scratch.pieces[scratch.piece_count];
	crypto::Message &message = scratch.messages[i];
	int count;

	if (direction == Direction::Seal) {
		u8 *header;

		count = wg_kernel_packet_prepare_seal(&packet, sizeof(DataHeader), padding_size(length_of(packet), mtu),
						      reinterpret_cast<wg_piece *>(pieces), limit, &header, &message.tag);
		if (count >= 0) {
			DataHeader &data = *reinterpret_cast<DataHeader *>(header);

			data.type.set(static_cast<u32>(MessageType::Data));
			data.receiver_index.set(session.keypair.remote_index.value());
			data.counter.set(counter);
		}
	} else {
		count = wg_kernel_packet_prepare_open(&packet, sizeof(DataHeader), reinterpret_cast<wg_piece *>(pieces), limit,
						      scratch.tags[i]);
		message.tag = scratch.tags[i];
	}
	if (count < 0)
		return count;
	message.pieces = pieces;
	message.piece_count = static_cast<u32>(count);
	message.counter = counter;
	message.authentic = false;
	scratch.packets[i] = &packet;
	scratch.message_count++;
	scratch.piece_count += message.piece_count;
	scratch.bytes += length_of(packet);
	return 0;
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
	scratch.message_count = scratch.piece_count = scratch.bytes = 0;
}

/* Received packets carry their own counters; 16 bytes were pulled when they came in. */
u64 counter_of(Packet &packet)
{
	const u8 *header = wg_kernel_packet_pull(&packet, sizeof(DataHeader));

	return header ? reinterpret_cast<const DataHeader *>(header)->counter.get() : 0;
}

Scratch &empty_scratch()
{
	Scratch &scratch = *static_cast<Scratch *>(wg_kernel_scratch());

	scratch.message_count = scratch.piece_count = scratch.bytes = 0;
	return scratch;
}

/* Adds each packet of the batch, flushing whenever the scratch is full; marks those that failed. */
void add_batch(Scratch &scratch, Packet &head)
{
	Batch &batch = batch_of(head);
	Session &session = *batch.session;
	u64 counter = batch.counter;

	for (Packet *packet = &head; packet; packet = next_of(*packet)) {
		int error;

		if (batch.direction == Direction::Open)
			counter = counter_of(*packet);
		if (is_full(scratch))
			flush(scratch, batch.direction, session.keypair);
		error = add(scratch, *packet, batch.direction, session, counter, batch.mtu);
		if (error == -WG_E2BIG && scratch.message_count) {
			flush(scratch, batch.direction, session.keypair);
			error = add(scratch, *packet, batch.direction, session, counter, batch.mtu);
		}
		batch_of(*packet).failed = error != 0;
		counter++;
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
		(sealing ? peer.pollers.read()->tx : peer.pollers.read()->rx).schedule_here();
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
