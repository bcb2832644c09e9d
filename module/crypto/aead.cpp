// SPDX-License-Identifier: GPL-2.0
#include "crypto/aead_forms.h"

namespace wg::crypto {

/* One message of one block: two blocks with the key's, for which lanes do not pay. */
static bool is_tiny(Span<Message> messages)
{
	usize length = 0;

	if (messages.size() != 1)
		return false;
	for (u32 i = 0; i < messages[0].piece_count; i++)
		length += messages[0].pieces[i].size;
	return length <= 64;
}

static void run(Form form, Direction direction, const Key &key, Span<Message> messages, Workspace &workspace)
{
	if (is_tiny(messages))
		form = Form::Portable;
	switch (form) {
	case Form::Portable:
		return run_portable(direction, key, messages, workspace);
#ifdef __x86_64__
	case Form::Avx2:
		return run_avx2(direction, key, messages, workspace);
	case Form::Avx512:
		return run_avx512(direction, key, messages, workspace);
#else
	case Form::Avx2:
	case Form::Avx512:
		break;
#endif
	}
	bug("AEAD form unknown to this build");
	run_portable(direction, key, messages, workspace);
}

Form best_form(CpuFeatures features)
{
	return features.avx512 ? Form::Avx512 : features.avx2 ? Form::Avx2 : Form::Portable;
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
