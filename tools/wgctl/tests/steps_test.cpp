// SPDX-License-Identifier: GPL-2.0
#include "tunnel/steps.h"

#include <gtest/gtest.h>

#include "tests/fakes.h"

namespace wgctl {

TEST(Steps, undoing_goes_backwards_and_on_after_a_failure)
{
	FakeWorld fake;
	Steps steps(fake, Steps::Tells::failures);
	std::string done;

	steps.undo_by("do one", [&] { done += "1"; });
	steps.undo_by("do two", [] { throw Failure{"no"}; });
	steps.undo_by("do three", [&] { done += "3"; });
	EXPECT_FALSE(steps.undo());
	EXPECT_EQ(done, "31");
	EXPECT_EQ(fake.terminal.err, "wgctl: cannot do two: no\n");
	EXPECT_TRUE(steps.undo());
	EXPECT_EQ(done, "31");
}

TEST(Steps, what_is_kept_is_not_undone)
{
	FakeWorld fake;
	std::string done;

	{
		Steps steps(fake, Steps::Tells::failures);
		steps.undo_by("do one", [&] { done += "1"; });
		steps.keep();
		steps.undo_by("do two", [&] { done += "2"; });
	}
	EXPECT_EQ(done, "2");
}

TEST(Steps, a_step_that_fails_says_which)
{
	FakeWorld fake;
	Steps steps(fake, Steps::Tells::all);

	EXPECT_EQ(failure_of([&] { steps.run("go", [] { throw Failure{"no legs"}; }); }), "cannot go: no legs");
	EXPECT_EQ(fake.terminal.err, "[#] go\n");
}

}
