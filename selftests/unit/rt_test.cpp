// SPDX-License-Identifier: GPL-2.0
/* The runtime: what its types allow, and what they refuse, at compile time and at run time. */
#include <concepts>
#include <cstring>
#include <type_traits>

#include "bug_hook.h"
#include "rt/atomic.h"
#include "rt/list.h"
#include "rt/little_endian.h"
#include "rt/rcu_ptr.h"
#include "rt/result.h"
#include "rt/strong.h"
#include "rt/time.h"
#include "support.h"

namespace wg {
namespace {

using test::ExpectBugs;

/* What must not compile. */
template <typename T> concept HasEquality = requires(const T &a, const T &b) { a == b; };
template <typename T> concept HasOrder = requires(const T &a, const T &b) { a < b; };
template <typename T> concept HasSum = requires(T a, T b) { a + b; };
template <typename T> concept HasIncrement = requires(T a) { ++a; };
template <typename T> concept IsIndexable = requires(T a) { a[0]; };

using Index = Strong<u32, struct IndexTag>;
using OtherIndex = Strong<u32, struct OtherIndexTag>;
enum class Reason : u8 { None, Some, Other };

static_assert(!HasEquality<Secret<32>> && !IsIndexable<Secret<32>>);
static_assert(!std::copy_constructible<Secret<32>> && !std::is_copy_assignable_v<Secret<32>>);
static_assert(!std::is_convertible_v<Secret<32>, ConstByteSpan> && !std::is_convertible_v<Secret<32>, const u8 *>);
static_assert(HasEquality<Index> && !HasOrder<Index> && !HasSum<Index> && !HasIncrement<Index>);
static_assert(!std::is_convertible_v<u32, Index> && !std::is_convertible_v<Index, u32>);
static_assert(!std::is_convertible_v<Index, OtherIndex> && !std::is_constructible_v<Index, OtherIndex>);
static_assert(!std::is_convertible_v<s64, Instant> && !std::is_convertible_v<Instant, Duration>);
static_assert(!HasSum<Instant>);
static_assert(!std::is_convertible_v<ConstByteSpan, ByteSpan> && std::is_convertible_v<ByteSpan, ConstByteSpan>);
static_assert(!std::is_convertible_v<Result<int, Reason>, bool> && !std::is_default_constructible_v<Result<int, Reason>>);
static_assert(!std::is_copy_constructible_v<Atomic<int>> && !std::is_copy_constructible_v<RcuPtr<int>>);
static_assert(alignof(LittleEndian<u64>) == 1 && sizeof(LittleEndian<u64>) == 8);
static_assert(std::is_trivially_copyable_v<LittleEndian<u32>> && std::is_trivially_copyable_v<Bytes<7>>);

TEST(Span, gives_the_parts_it_was_asked_for)
{
	u8 bytes[5] = {1, 2, 3, 4, 5};
	ByteSpan span(bytes);

	EXPECT_EQ(span.size(), 5u);
	EXPECT_EQ(span[4], 5);
	EXPECT_EQ(span.first(2).size(), 2u);
	EXPECT_EQ(span.from(3)[0], 4);
	EXPECT_EQ(span.from(3).size(), 2u);
	EXPECT_TRUE(span.from(5).empty());
	EXPECT_EQ(span.part(1, 3)[2], 4);
	EXPECT_EQ(span.part(5, 0).size(), 0u);
}

TEST(Span, outside_calls_the_bug_hook_and_touches_nothing_else)
{
	u8 bytes[3] = {7, 8, 9};
	ByteSpan span(bytes);
	ExpectBugs bugs;

	EXPECT_EQ(&span[3], &bytes[0]);
	EXPECT_EQ(bugs.count(), 1);
	EXPECT_TRUE(span.first(4).empty());
	EXPECT_TRUE(span.from(4).empty());
	EXPECT_TRUE(span.part(2, 2).empty());
	EXPECT_TRUE(span.part(1, ~usize{0}).empty());
	EXPECT_EQ(bugs.count(), 5);
}

TEST(SpanDeathTest, indexing_an_empty_span_traps)
{
	GTEST_FLAG_SET(death_test_style, "threadsafe");
	EXPECT_DEATH(
		{
			ExpectBugs bugs;
			ByteSpan span;

			span[0] = 1;
		},
		"");
}

TEST(Bytes, compare_by_value_and_know_zero)
{
	Bytes<4> a = {1, 2, 3, 4}, b = a;

	EXPECT_TRUE(a == b);
	b.at[3] = 0;
	EXPECT_FALSE(a == b);
	EXPECT_FALSE(b.is_zero());
	b.clear();
	EXPECT_TRUE(b.is_zero());
	b.at[3] = 0x80;
	EXPECT_FALSE(b.is_zero());
}

TEST(Secret, starts_as_zero_and_wipes_itself)
{
	alignas(Secret<16>) u8 memory[sizeof(Secret<16>)];
	u8 ones[16], zeros[16] = {};

	memset(memory, 0xff, sizeof(memory));
	memset(ones, 1, sizeof(ones));
	Secret<16> *secret = new (memory) Secret<16>;

	EXPECT_TRUE(secret->is_zero_constant_time());
	secret->copy_from(ones);
	EXPECT_EQ(memcmp(secret->expose(), ones, 16), 0);
	secret->~Secret<16>();
	/* A volatile read, so that the compiler may not reason about the lifetime that has ended. */
	for (usize i = 0; i < 16; i++)
		EXPECT_EQ(static_cast<volatile u8 *>(memory)[i], zeros[i]);
}

TEST(Secret, constant_time_comparison_sees_every_bit)
{
	Secret<32> a, b;

	EXPECT_TRUE(a.equals_constant_time(b));
	for (int bit = 0; bit < 256; bit++) {
		b.wipe();
		b.expose()[bit / 8] = static_cast<u8>(1 << bit % 8);
		EXPECT_FALSE(a.equals_constant_time(b));
		EXPECT_FALSE(b.is_zero_constant_time());
	}
}

TEST(Memory, constant_time_comparison_sees_every_byte_of_any_size)
{
	u8 a[20] = {}, b[20] = {};

	for (usize size = 0; size <= sizeof(a); size++) {
		for (usize i = 0; i < sizeof(a); i++) {
			b[i] = 0x80;
			EXPECT_EQ(same_bytes_constant_time(a, b, size), i >= size);
			b[i] = 0;
		}
	}
}

TEST(WireInteger, lies_in_the_byte_order_it_names)
{
	LittleEndian<u32> little = 0x01020304;
	BigEndian<u32> big = 0x01020304;
	BigEndian<u64> big64 = 0x0102030405060708;
	LittleEndian<u16> little16 = 0x0102;

	EXPECT_EQ(test::vector_of(little.data(), 4), (test::ByteVector{4, 3, 2, 1}));
	EXPECT_EQ(test::vector_of(big.data(), 4), (test::ByteVector{1, 2, 3, 4}));
	EXPECT_EQ(test::vector_of(big64.data(), 8), (test::ByteVector{1, 2, 3, 4, 5, 6, 7, 8}));
	EXPECT_EQ(test::vector_of(little16.data(), 2), (test::ByteVector{2, 1}));
	EXPECT_EQ(little.get(), 0x01020304u);
	EXPECT_EQ(big.get(), 0x01020304u);
	EXPECT_EQ(big64.get(), 0x0102030405060708u);
}

TEST(Result, holds_a_value_or_a_reason)
{
	Result<int, Reason> good = 5, bad = Reason::Some;

	ASSERT_TRUE(good);
	EXPECT_EQ(*good, 5);
	*good = 6;
	EXPECT_EQ(*good, 6);
	ASSERT_FALSE(bad);
	EXPECT_EQ(bad.error(), Reason::Some);
}

/* The first error value is zero: an error must not read as success because of that. */
TEST(Result, an_error_of_value_zero_is_an_error)
{
	Result<int, Reason> bad = Reason::None;
	Result<void, Reason> bad_void = Reason::None;

	EXPECT_FALSE(bad);
	EXPECT_FALSE(bad_void);
	EXPECT_TRUE((Result<void, Reason>::success()));
}

TEST(Result, holds_a_reference_without_copying)
{
	struct Big {
		int value;
	} big = {1};
	Result<Big &, Reason> result = big;

	ASSERT_TRUE(result);
	result->value = 2;
	EXPECT_EQ(big.value, 2);
	EXPECT_EQ(&*result, &big);
}

TEST(Atomic, exchanges_and_compares)
{
	Atomic<u32> value(3);
	u32 expected = 4;

	EXPECT_EQ(value.fetch_add(2), 3u);
	EXPECT_FALSE(value.compare_exchange(expected, 9));
	EXPECT_EQ(expected, 5u);
	EXPECT_TRUE(value.compare_exchange(expected, 9));
	EXPECT_EQ(value.exchange(1), 9u);
	EXPECT_EQ(value.load_relaxed(), 1u);
	EXPECT_EQ(value.fetch_sub(1), 1u);
	EXPECT_EQ(value.load_relaxed(), 0u);
}

struct Element {
	int value = 0;
	ListLink<Element> link;
};
using Elements = List<Element, &Element::link>;

std::vector<int> values(const Elements &list)
{
	std::vector<int> out;

	for (Element *at = list.first(); at; at = list.next(*at))
		out.push_back(at->value);
	return out;
}

TEST(List, keeps_the_order_of_insertion)
{
	Element e[4];
	Elements list;

	EXPECT_TRUE(list.empty());
	EXPECT_EQ(list.first(), nullptr);
	for (int i = 0; i < 4; i++) {
		e[i].value = i;
		EXPECT_FALSE(e[i].link.is_linked());
		list.push_back(e[i]);
		EXPECT_TRUE(e[i].link.is_linked());
	}
	EXPECT_EQ(values(list), (std::vector<int>{0, 1, 2, 3}));
	Elements::remove(e[1]);
	EXPECT_EQ(values(list), (std::vector<int>{0, 2, 3}));
	EXPECT_FALSE(e[1].link.is_linked());
	list.push_back(e[1]);
	Elements::remove(e[0]);
	EXPECT_EQ(values(list), (std::vector<int>{2, 3, 1}));
	for (int i : {3, 1, 2})
		Elements::remove(e[i]);
	EXPECT_TRUE(list.empty());
	EXPECT_EQ(list.first(), nullptr);
}

TEST(List, removing_an_element_of_no_list_changes_nothing)
{
	Element e;

	Elements::remove(e);
	EXPECT_FALSE(e.link.is_linked());
}

TEST(Time, never_is_zero_and_differences_are_durations)
{
	Instant now = {5};

	EXPECT_TRUE(Instant{}.is_never());
	EXPECT_FALSE(now.is_never());
	EXPECT_EQ(now + seconds(2), Instant{2000000005});
	EXPECT_EQ((now + milliseconds(3)) - now, milliseconds(3));
	EXPECT_EQ(milliseconds(1000), seconds(1));
	EXPECT_LT(now, now + Duration{1});
	EXPECT_EQ(seconds(3) * 60, seconds(180));
	EXPECT_EQ(seconds(3) - seconds(1), seconds(2));
}

} // namespace
} // namespace wg
