// SPDX-License-Identifier: GPL-2.0
/* Netlink attributes as the engine reads them: bounds-checked views of what the kernel's policy has checked already.
 *
 * Called by:  config_set
 * Format:     u16 length (header included), u16 type (two flag bits), payload; padded to 4
 */
#pragma once
#include "rt/bytes.h"

namespace wg::engine {

class Attribute {
public:
	Attribute() = default;
	explicit Attribute(void *header) : header_(static_cast<u8 *>(header)) {}

	explicit operator bool() const { return header_ != nullptr; }
	void *header() const { return header_; }
	u16 type() const { return field(2) & 0x3fff; }
	u16 size() const { return static_cast<u16>(field(0) - HEADER()); }
	u8 *data() const { return header_ + HEADER(); }
	/* The payload as an integer; zero when it is shorter than that. */
	template <typename T> T value() const
	{
		T value{};

		if (size() >= sizeof(T))
			copy_bytes(&value, data(), sizeof(T));
		return value;
	}
	bool is_key() const { return size() == 32; }
	void wipe() const { wipe_bytes(data(), size()); }

	static constexpr u16 HEADER() { return 4; }

private:
	u16 field(usize offset) const
	{
		u16 value;

		copy_bytes(&value, header_ + offset, sizeof(value));
		return value;
	}
	u8 *header_ = nullptr;
};

/* The attributes inside a nest (an absent one is empty): for (Attribute entry : AttributeList(nest)). Ends at the first malformed one. */
class AttributeList {
public:
	explicit AttributeList(Attribute nest) : at_(nest ? nest.data() : nullptr), left_(nest ? nest.size() : 0) {}

	class Iterator {
	public:
		Iterator(u8 *at, usize left) : at_(at), left_(left) {}
		Attribute operator*() const { return Attribute(at_); }
		Iterator &operator++()
		{
			usize step = (length() + 3u) & ~3u;

			step = step < left_ ? step : left_;
			at_ += step;
			left_ -= step;
			return *this;
		}
		bool at_end() const { return left_ < Attribute::HEADER() || length() < Attribute::HEADER() || length() > left_; }
		friend bool operator!=(const Iterator &a, const Iterator &) { return !a.at_end(); }

	private:
		usize length() const
		{
			u16 length;

			copy_bytes(&length, at_, sizeof(length));
			return length;
		}
		u8 *at_;
		usize left_;
	};
	Iterator begin() const { return {at_, left_}; }
	Iterator end() const { return {nullptr, 0}; }

private:
	u8 *at_;
	usize left_;
};

/* A nest's attributes by type; of one given twice the last counts. */
template <u16 Max> class AttributeTable {
public:
	explicit AttributeTable(Attribute nest)
	{
		for (Attribute attribute : AttributeList(nest))
			if (attribute.type() <= Max)
				at_[attribute.type()] = attribute;
	}
	Attribute operator[](u16 type) const { return type <= Max ? at_[type] : Attribute(); }

private:
	Attribute at_[Max + 1];
};

} // namespace wg::engine
