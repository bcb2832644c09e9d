// SPDX-License-Identifier: GPL-2.0
#include "protocol/replay.h"

namespace wg {

/* The bitmap is a ring of words, a bit per counter. Its newest word is only partly used, so the word that lies a whole turn behind is
 * given up: that is why one word less than the ring counts as window, and why moving on clears whole words and never shifts. */
Outcome<void> ReplayWindow::accept(u64 counter)
{
	if (counter >= REJECT_AFTER_MESSAGES)
		return Drop::ExpiredKey;
	if (counter >= next_)
		advance_to(counter);
	else if (next_ - 1 - counter > REPLAY_WINDOW)
		return Drop::Replayed;

	u64 &word = bitmap_[counter / WORD_BITS() % WORDS()];
	u64 bit = 1ull << counter % WORD_BITS();

	if (word & bit)
		return Drop::Replayed;
	word |= bit;
	return Outcome<void>::success();
}

void ReplayWindow::advance_to(u64 counter)
{
	u64 newest = next_ == 0 ? 0 : (next_ - 1) / WORD_BITS();
	u64 fresh_words = counter / WORD_BITS() - newest;

	if (fresh_words > WORDS())
		fresh_words = WORDS();
	for (u64 i = 1; i <= fresh_words; i++)
		bitmap_[(newest + i) % WORDS()] = 0;
	next_ = counter + 1;
}

} // namespace wg
