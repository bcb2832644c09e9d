// SPDX-License-Identifier: GPL-2.0
/* Owned<T, Free>: the one owner of a heap object; Free is the function that ends it. Borrowing is a reference. */
#pragma once
#include "rt/types.h"

namespace wg {

template <typename T, void (*Free)(T *)> class [[nodiscard]] Owned {
public:
	constexpr Owned() = default;
	constexpr explicit Owned(T *object) : object_(object) {}
	Owned(Owned &&other) : object_(other.release()) {}
	Owned &operator=(Owned &&other)
	{
		reset(other.release());
		return *this;
	}
	~Owned() { reset(nullptr); }

	explicit operator bool() const { return object_ != nullptr; }
	T &operator*() const { return *object_; }
	T *operator->() const { return object_; }
	T *get() const { return object_; }
	T *release()
	{
		T *object = object_;

		object_ = nullptr;
		return object;
	}
	void reset(T *object)
	{
		if (object_ && object_ != object)
			Free(object_);
		object_ = object;
	}

private:
	T *object_ = nullptr;
};

} // namespace wg
