// SPDX-License-Identifier: GPL-2.0
/* Result<T, E>: a value or a reason why there is none. It cannot hold both, nor "error: none". T is trivially copyable or a reference. */
#pragma once
#include <type_traits>
#include "rt/bug.h"

namespace wg {

template <typename T, typename E> class [[nodiscard]] Result {
	using Stored = std::conditional_t<std::is_reference_v<T>, std::remove_reference_t<T> *, T>;
	static_assert(std::is_trivially_copyable_v<Stored>);

public:
	Result(E error) : error_(error), ok_(false) {}
	Result(T value)
		requires(!std::is_reference_v<T>)
		: value_(value), ok_(true)
	{
	}
	Result(T value)
		requires(std::is_reference_v<T>)
		: value_(&value), ok_(true)
	{
	}

	explicit operator bool() const { return ok_; }
	E error() const { return error_; }
	std::remove_reference_t<T> &operator*()
	{
		if constexpr (std::is_reference_v<T>)
			return *value_;
		else
			return value_;
	}
	std::remove_reference_t<T> *operator->() { return &**this; }

private:
	union {
		Stored value_;
		E error_;
	};
	bool ok_;
};

/* No value, only success or the reason. */
template <typename E> class [[nodiscard]] Result<void, E> {
public:
	Result(E error) : error_(error), ok_(false) {}
	static Result success() { return Result(); }
	explicit operator bool() const { return ok_; }
	E error() const { return error_; }

private:
	Result() : error_(), ok_(true) {}
	E error_;
	bool ok_;
};

} // namespace wg
