// SPDX-License-Identifier: GPL-2.0
/* SystemShell, with the shell that is there. */
#include "host/shell.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace wgctl {

namespace {

struct Hooks : testing::Test {
	char folder[32] = "/tmp/wgctl-shell.XXXXXX";
	std::string file;

	Hooks() : file(std::string(mkdtemp(folder)) + "/output") {}
	~Hooks() override { EXPECT_EQ(std::system(("rm -r " + std::string(folder)).c_str()), 0); }
	std::string output() const
	{
		std::ifstream stream(file);
		return std::string(std::istreambuf_iterator<char>(stream), {});
	}
};

}

TEST(Sudo, is_for_this_program_and_not_for_root)
{
	std::vector<std::string> words = SystemShell().sudo();

	if (geteuid() == 0) {
		EXPECT_TRUE(words.empty());
		ASSERT_EQ(seteuid(65534), 0);
		words = SystemShell().sudo();
		ASSERT_EQ(seteuid(0), 0);
	}
	ASSERT_EQ(words.size(), 5u);
	EXPECT_EQ(words[0], "sudo");
	EXPECT_EQ(words[3], "--");
	EXPECT_TRUE(words[4].starts_with('/') && words[4].ends_with("wgctl-test")) << words[4];
}

TEST_F(Hooks, command_is_in_no_list_of_processes)
{
	ASSERT_EQ(SystemShell().run(": PASSWORD; tr '\\0' ' ' < /proc/$$/cmdline > " + file, {}), 0);
	EXPECT_NE(output(), "");
	EXPECT_EQ(output().find("PASSWORD"), std::string::npos) << output();
}

TEST_F(Hooks, variables_are_those_it_is_given)
{
	ASSERT_EQ(SystemShell().run("sh -c 'echo $INTERFACE $CONFIG_FILE ${WGCTL_HOOK-none}' > " + file, {{"INTERFACE", "wg0"}, {"CONFIG_FILE", "/x.conf"}}), 0);
	EXPECT_EQ(output(), "wg0 /x.conf none\n");
	EXPECT_EQ(std::getenv("INTERFACE"), nullptr);
}

TEST_F(Hooks, first_failure_ends_a_hook)
{
	EXPECT_EQ(SystemShell().run("false; echo more > " + file, {}), 1);
	EXPECT_EQ(SystemShell().run("(exit 3) | cat", {}), 3);
	EXPECT_EQ(SystemShell().run("exit 7", {}), 7);
	EXPECT_EQ(output(), "");
}

}
