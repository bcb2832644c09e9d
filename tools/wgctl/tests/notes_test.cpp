// SPDX-License-Identifier: GPL-2.0
/* SystemNotes on a real file system, about a link that is always there. */
#include <gtest/gtest.h>

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

	std::ofstream(folder + "/lo.table") << "# link 4711 of 1\n254";
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

}
