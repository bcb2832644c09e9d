// SPDX-License-Identifier: GPL-2.0
/* Fixed-width integers under the kernel's names, in our namespace. */
#pragma once
#include <cstddef>
#include <cstdint>

namespace wg {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s32 = std::int32_t;
using s64 = std::int64_t;
using usize = std::size_t;

} // namespace wg
