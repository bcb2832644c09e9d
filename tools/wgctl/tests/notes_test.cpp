// SPDX-License-Identifier: GPL-2.0
/* SystemNotes on a real file system, about a link that is always there. */
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/notes.h"

namespace wgctl {

namespace {

struct NotesTest : testing::Test {
	std::string folder = std::filesystem::temp_directory_path() / "wgctl-notes-XXXXXX";

	NotesTest() { EXPECT_NE(mkdtemp(folder.data()), nullptr); }
	~NotesTest() override { std::filesystem::remove_all(folder); }
};

}

TEST_F(NotesTest, what_is_written_is_read_until_it_is_removed)
{
	SystemNotes notes(folder + "/new/");

	EXPECT_EQ(notes.read("lo", "table"), std::nullopt);
	notes.write("lo", "table", "254");
	notes.write("lo", "dns", "nameserver 10.0.0.53\nsearch corp\n");
	EXPECT_EQ(notes.read("lo", "table"), "254");
	notes.write("lo", "table", "7");
	EXPECT_EQ(notes.read("lo", "table"), "7");
	EXPECT_EQ(notes.read("lo", "dns"), "nameserver 10.0.0.53\nsearch corp\n");
	notes.remove("lo", "table");
	EXPECT_EQ(notes.read("lo", "table"), std::nullopt);
	EXPECT_NE(notes.read("lo", "dns"), std::nullopt);
}

TEST_F(NotesTest, one_about_a_link_that_had_the_name_before_says_nothing)
{
	SystemNotes notes(folder + "/");

	notes.write("lo", "table", "254");
	for (const auto &entry : std::filesystem::directory_iterator(folder))
		std::ofstream(entry.path()) << "# link 4711 of 1\n254";
	EXPECT_EQ(notes.read("lo", "table"), std::nullopt);
	notes.write("no-such-link", "table", "254");
	EXPECT_EQ(notes.read("lo", "table"), std::nullopt);
}

TEST_F(NotesTest, without_a_place_there_are_none)
{
	SystemNotes notes(folder + "/not/there/");

	notes.write("lo", "table", "254");
	EXPECT_EQ(notes.read("lo", "table"), std::nullopt);
	notes.remove("lo", "table");
}

/* The same name in two namespaces is two links. */
TEST_F(NotesTest, interfaces_of_one_name_have_notes_of_their_own)
{
	SystemNotes notes(folder + "/");
	int status = 0;

	notes.write("lo", "table", "254");
	pid_t child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
			_exit(42);
		notes.write("lo", "table", "7");
		bool is_own = notes.read("lo", "table") == "7";
		notes.remove("lo", "table");
		_exit(is_own ? 0 : 1);
	}
	waitpid(child, &status, 0);
	if (WEXITSTATUS(status) == 42)
		GTEST_SKIP() << "namespaces are not allowed here";
	EXPECT_EQ(status, 0);
	EXPECT_EQ(notes.read("lo", "table"), "254");
}

}
