// SPDX-License-Identifier: GPL-2.0
#include "crypto/aead_forms.h"

namespace wg::crypto {

/* Sixteen lanes twice, and eight messages authenticated at once, pay when there is enough to fill them. */
[[maybe_unused]] static bool fills_avx512(Span<Message> messages)
{
	u64 length = 0;

	for (const Message &message : messages)
		length += length_of(message);
	return messages.size() >= 4 && length >= 2048;
}

static void run(Form form, Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	switch (form) {
	case Form::Portable:
		return run_portable(direction, key, messages, workspace);
#ifdef __x86_64__
	case Form::Avx2:
		return run_avx2(direction, key, messages, workspace);
	case Form::Avx512:
		return fills_avx512(messages) ? run_avx512(direction, key, messages, workspace) : run_avx2(direction, key, messages, workspace);
#else
	case Form::Avx2:
	case Form::Avx512:
		break;
#endif
	case Form::Neon:
#ifdef __AARCH64EL__
		return run_neon(direction, key, messages, workspace);
#else
		break;
#endif
	}
	bug("AEAD form unknown to this build");
	run_portable(direction, key, messages, workspace);
}

void seal(Form form, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run(form, Direction::Seal, key, messages, workspace);
}

void open(Form form, const Key &key, Span<Message> messages, Workspace &workspace)
{
	run(form, Direction::Open, key, messages, workspace);
}

} // namespace wg::crypto
