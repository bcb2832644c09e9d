// SPDX-License-Identifier: GPL-2.0
#include "protocol/keypair.h"
#include "support.h"

namespace wg {
namespace {

constexpr Instant BORN = {seconds(1000).ns};

TEST(Keypair, expires_in_both_directions_at_reject_after_time)
{
	Keypair keypair;

	keypair.born = BORN;
	EXPECT_FALSE(keypair.is_expired(BORN + seconds(180) - Duration{1}));
	EXPECT_TRUE(keypair.is_expired(BORN + seconds(180)));
	EXPECT_TRUE(keypair.can_send(1, BORN + seconds(180) - Duration{1}));
	EXPECT_FALSE(keypair.can_send(1, BORN + seconds(180)));
}

TEST(Keypair, hands_out_no_counter_at_or_past_reject_after_messages)
{
	Keypair keypair;

	keypair.born = BORN;
	keypair.sending_counter = REJECT_AFTER_MESSAGES - 3;
	EXPECT_TRUE(keypair.can_send(3, BORN));
	EXPECT_FALSE(keypair.can_send(4, BORN));
	keypair.sending_counter = REJECT_AFTER_MESSAGES;
	EXPECT_TRUE(keypair.can_send(0, BORN));
	EXPECT_FALSE(keypair.can_send(1, BORN));
	EXPECT_FALSE(keypair.can_send(0xffffffff, BORN));
	keypair.sending_counter = 0 - u64{8131};	/* the last one deployed peers take */
	EXPECT_TRUE(keypair.can_send(1, BORN));
	EXPECT_FALSE(keypair.can_send(2, BORN));
}

/* What one side's can_send allows, the other side's window takes: no counter between the two limits. */
TEST(Keypair, the_last_counter_handed_out_is_accepted)
{
	Keypair sender, receiver;

	sender.born = BORN;
	sender.sending_counter = REJECT_AFTER_MESSAGES - 1;
	ASSERT_TRUE(sender.can_send(1, BORN));
	EXPECT_TRUE(receiver.replay.accept(sender.sending_counter));
	sender.sending_counter++;
	EXPECT_FALSE(sender.can_send(1, BORN));
	EXPECT_EQ(receiver.replay.accept(sender.sending_counter).error(), Drop::ExpiredKey);
}

TEST(Keypair, may_not_send_after_a_key_change)
{
	Keypair keypair;

	keypair.born = BORN;
	keypair.may_send.store_relaxed(false);
	EXPECT_FALSE(keypair.can_send(1, BORN));
	EXPECT_FALSE(keypair.is_expired(BORN));
}

TEST(Keypair, sending_wants_a_rekey_after_120_seconds_of_the_initiator_alone)
{
	Keypair keypair;

	keypair.born = BORN;
	EXPECT_FALSE(keypair.wants_rekey_after_sending(BORN + seconds(120) - Duration{1}));
	EXPECT_TRUE(keypair.wants_rekey_after_sending(BORN + seconds(120)));
	keypair.role = Role::Responder;
	EXPECT_FALSE(keypair.wants_rekey_after_sending(BORN + seconds(179)));
}

TEST(Keypair, sending_wants_a_rekey_after_2_to_the_60_messages_of_both)
{
	Keypair keypair;

	keypair.born = BORN;
	for (Role role : {Role::Initiator, Role::Responder}) {
		keypair.role = role;
		keypair.sending_counter = REKEY_AFTER_MESSAGES;
		EXPECT_FALSE(keypair.wants_rekey_after_sending(BORN));
		keypair.sending_counter++;
		EXPECT_TRUE(keypair.wants_rekey_after_sending(BORN));
	}
	EXPECT_EQ(REKEY_AFTER_MESSAGES, 1ull << 60);
}

TEST(Keypair, receiving_wants_a_rekey_after_165_seconds_once)
{
	Keypair keypair;

	keypair.born = BORN;
	EXPECT_FALSE(keypair.wants_rekey_after_receiving(BORN + seconds(165) - Duration{1}));
	EXPECT_TRUE(keypair.wants_rekey_after_receiving(BORN + seconds(165)));
	EXPECT_FALSE(keypair.wants_rekey_after_receiving(BORN + seconds(166)));
}

TEST(Keypair, a_responder_never_wants_a_rekey_on_receiving)
{
	Keypair keypair;

	keypair.born = BORN;
	keypair.role = Role::Responder;
	EXPECT_FALSE(keypair.wants_rekey_after_receiving(BORN + seconds(170)));
	EXPECT_FALSE(keypair.rekey_on_receive_done.load_relaxed());
}

} // namespace
} // namespace wg
