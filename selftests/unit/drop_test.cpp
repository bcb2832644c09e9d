// SPDX-License-Identifier: GPL-2.0
#include <set>
#include <string>

#include "bug_hook.h"
#include "support.h"
#include "wire/drop.h"

namespace wg {
namespace {

TEST(Drop, every_reason_has_a_name_of_its_own)
{
	std::set<std::string> names;

	for (usize i = 0; i < DROP_REASONS; i++) {
		std::string name = drop_name(static_cast<Drop>(i));

		EXPECT_FALSE(name.empty());
		EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"), std::string::npos) << name;
		EXPECT_TRUE(names.insert(name).second) << name;
	}
	EXPECT_EQ(names.count("unknown"), 0u);
}

TEST(Drop, a_value_outside_the_list_is_a_bug_with_a_name)
{
	test::ExpectBugs bugs;

	EXPECT_STREQ(drop_name(Drop::Count), "unknown");
	EXPECT_STREQ(drop_name(static_cast<Drop>(250)), "unknown");
	EXPECT_EQ(bugs.count(), 2);
}

} // namespace
} // namespace wg
