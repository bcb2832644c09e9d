// SPDX-License-Identifier: GPL-2.0
#include "bug_hook.h"
#include "engine/references.h"
#include "support.h"

namespace wg::engine {
namespace {

using test::ExpectBugs;

TEST(References, the_last_put_says_so_and_nobody_finds_it_afterwards)
{
	References references;

	references.get();
	EXPECT_TRUE(references.try_get());
	EXPECT_FALSE(references.put());
	EXPECT_FALSE(references.put());
	EXPECT_TRUE(references.put());
	EXPECT_FALSE(references.try_get());
}

TEST(References, an_object_given_up_too_often_stays_for_ever)
{
	References references;
	ExpectBugs bugs;

	EXPECT_TRUE(references.put());
	EXPECT_FALSE(references.put());
	EXPECT_EQ(bugs.count(), 1);
	for (int i = 0; i < 1000; i++)
		EXPECT_FALSE(references.put());
	EXPECT_TRUE(references.try_get());
}

TEST(References, a_count_that_would_wrap_stays_for_ever)
{
	alignas(References) u32 memory = 0x7fffffff;
	References &references = reinterpret_cast<References &>(memory);
	ExpectBugs bugs;

	EXPECT_TRUE(references.try_get());
	EXPECT_EQ(bugs.count(), 0);
	references.get();
	EXPECT_EQ(bugs.count(), 1);
	memory = 0xffffffff;
	EXPECT_TRUE(references.try_get());
	EXPECT_FALSE(references.put());
	EXPECT_GT(memory, 1u << 31);
}

} // namespace
} // namespace wg::engine
