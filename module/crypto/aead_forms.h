// SPDX-License-Identifier: GPL-2.0
/* The forms of the AEAD, one file each, and what the files share without sharing code that is compiled for one CPU alone. */
#pragma once
#include "crypto/aead.h"

namespace wg::crypto {

enum class Direction : u8 { Seal, Open };

void run_portable(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);
void run_avx2(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);
void run_avx512(Direction direction, const Key &key, Span<Message> messages, Workspace &workspace);

} // namespace wg::crypto
