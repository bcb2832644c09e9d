// SPDX-License-Identifier: GPL-2.0
/* The main of every GoogleTest program here: runs the tests and prints TAP instead of GoogleTest's
 * own report. A failed test's messages come as comments before its line; GoogleTest's options work.
 */
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>
#include <string>

namespace {

class TapPrinter : public testing::EmptyTestEventListener {
	void OnTestPartResult(const testing::TestPartResult &result) override
	{
		if (!result.failed())
			return;
		comment(std::string(result.file_name() ? result.file_name() : "?") + ":" + std::to_string(result.line_number()));
		comment(result.message());
	}

	void OnTestEnd(const testing::TestInfo &test) override
	{
		const testing::TestResult &result = *test.result();

		std::printf("%sok %d - %s.%s%s\n", result.Failed() ? "not " : "", ++count_, test.test_suite_name(), test.name(),
			    result.Skipped() ? " # SKIP" : "");
		std::fflush(stdout);
	}

	/* With --gtest_repeat the plan still covers every line printed. */
	void OnTestProgramEnd(const testing::UnitTest &) override
	{
		std::printf("1..%d\n", count_);
	}

	static void comment(const std::string &text)
	{
		std::istringstream lines(text);
		for (std::string line; std::getline(lines, line);)
			std::printf("# %s\n", line.c_str());
	}

	int count_ = 0;
};

}

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	if (argc > 1) {
		std::fprintf(stderr, "%s: unknown argument %s\n", argv[0], argv[1]);
		return 2;
	}
	/* It would print its list through the printer removed below. */
	if (testing::GTEST_FLAG(list_tests))
		return RUN_ALL_TESTS();
	testing::TestEventListeners &listeners = testing::UnitTest::GetInstance()->listeners();
	delete listeners.Release(listeners.default_result_printer());
	listeners.Append(new TapPrinter);
	int status = RUN_ALL_TESTS();
	return testing::UnitTest::GetInstance()->test_to_run_count() ? status : 1;
}
