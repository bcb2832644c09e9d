// SPDX-License-Identifier: GPL-2.0
/* Netlink attributes as the engine reads them: bounds-checked views of what the kernel's policy has checked already.
 *
 * Called by:  config_set; its numbers also by config_get
 * Format:     u16 length (header included), u16 type (two flag bits), payload; padded to 4
 */
#pragma once
#include "rt/bytes.h"

namespace wg::engine {

constexpr u16 FAMILY_IPV4 = 2, FAMILY_IPV6 = 10;		/* AF_INET, AF_INET6 */
constexpr u16 SOCKADDR_IN_SIZE = 16, SOCKADDR_IN6_SIZE = 28;

class Attribute {
public:
	Attribute() = default;
	explicit Attribute(void *header) : header_(static_cast<u8 *>(header)) {}

	explicit operator bool() const { return header_ != nullptr; }
	void *header() const { return header_; }
	u16 type() const { return field(2) & 0x3fff; }
	u16 length() const { return field(0); }		/* header included */
	u16 size() const { return static_cast<u16>(length() - HEADER()); }
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

/* Attributes one after the other, for (Attribute entry : AttributeList(nest)). Ends at the first malformed one; an absent nest is empty. */
class AttributeList {
public:
	AttributeList(void *at, usize size) : at_(static_cast<u8 *>(at)), left_(size) {}
	explicit AttributeList(Attribute nest) : AttributeList(nest ? nest.data() : nullptr, nest ? nest.size() : 0) {}

	/* What is left of a list is its iterator. */
	struct End {};
	AttributeList begin() const { return *this; }
	End end() const { return {}; }
	bool operator!=(End) const { return left_ >= Attribute::HEADER() && length() >= Attribute::HEADER() && length() <= left_; }
	Attribute operator*() const { return Attribute(at_); }
	/* Bytes of it; and the same list with fewer left. */
	u32 left() const { return static_cast<u32>(left_); }
	AttributeList from(u32 left) const { return left < left_ ? AttributeList(at_ + (left_ - left), left) : *this; }
	void operator++()
	{
		usize step = (length() + 3u) & ~3u;

		step = step < left_ ? step : left_;
		at_ += step;
		left_ -= step;
	}

private:
	usize length() const { return Attribute(at_).length(); }
	u8 *at_;
	usize left_;
};

/* A list's attributes by type, from @First to @Max; of one given twice the last counts. */
template <u16 Max, u16 First = 0> class AttributeTable {
public:
	explicit AttributeTable(AttributeList list)
	{
		for (Attribute attribute : list)
			if (has(attribute.type()))
				at_[attribute.type() - First] = attribute;
	}
	Attribute operator[](u16 type) const { return has(type) ? at_[type - First] : Attribute(); }

private:
	static bool has(u16 type) { return static_cast<u16>(type - First) <= Max - First; }
	Attribute at_[Max - First + 1];
};

} // namespace wg::engine
