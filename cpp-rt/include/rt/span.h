// SPDX-License-Identifier: GPL-2.0
/* Span<T>: a borrowed run of T, bounds-checked. An access outside calls the bug hook and gives the first element or an empty span,
 * never memory that is not ours; indexing an empty span is the one thing that traps. */
#pragma once
#include <type_traits>
#include "rt/bug.h"
#include "rt/memory.h"
#include "rt/types.h"

namespace wg {

template <typename T> class Span {
public:
	constexpr Span() = default;
	constexpr Span(T *data, usize size) : data_(data), size_(size) {}
	template <usize N> constexpr Span(T (&array)[N]) : data_(array), size_(N) {}
	template <typename U>
		requires(std::is_const_v<T> && std::is_same_v<std::remove_const_t<T>, U>)
	constexpr Span(Span<U> other) : data_(other.data()), size_(other.size())
	{
	}

	constexpr T *data() const { return data_; }
	constexpr usize size() const { return size_; }
	constexpr bool empty() const { return size_ == 0; }
	constexpr T *begin() const { return data_; }
	constexpr T *end() const { return data_ + size_; }

	T &operator[](usize i) const
	{
		if (i >= size_) [[unlikely]] {
			bug("Span index out of bounds");
			if (size_ == 0)
				__builtin_trap();
			return data_[0];
		}
		return data_[i];
	}
	Span first(usize count) const { return part(0, count); }
	Span from(usize offset) const { return part(offset, offset <= size_ ? size_ - offset : 0); }
	Span part(usize offset, usize count) const
	{
		if (offset > size_ || count > size_ - offset) [[unlikely]] {
			bug("Span part out of bounds");
			return {};
		}
		return {data_ + offset, count};
	}

private:
	T *data_ = nullptr;
	usize size_ = 0;
};

} // namespace wg
