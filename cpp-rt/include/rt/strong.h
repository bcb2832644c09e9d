// SPDX-License-Identifier: GPL-2.0
/* Strong<T, Tag>: an integer that is not interchangeable with another kind of integer. == only; more when a user needs it. */
#pragma once

namespace wg {

template <typename T, typename Tag> class Strong {
public:
	constexpr Strong() = default;
	constexpr explicit Strong(T value) : value_(value) {}
	constexpr T value() const { return value_; }
	friend constexpr bool operator==(Strong a, Strong b) { return a.value_ == b.value_; }

private:
	T value_{};
};

} // namespace wg
