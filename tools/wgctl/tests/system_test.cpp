// SPDX-License-Identifier: GPL-2.0
/* SystemTerminal, with a real pipe that nobody reads. */
#include "host/system.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "host/process.h"

namespace wgctl {

namespace {

/* What `child` returns, with `stream` a pipe whose reader is gone; 128 and the signal's number when one ended it. */
int without_reader(int stream, int (*child)())
{
	int ends[2], status = 0;

	if (pipe(ends) < 0)
		return -1;
	close(ends[0]);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(ends[1], stream);
		survive_lost_readers();
		_exit(child());
	}
	close(ends[1]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}

/* As `wgctl up wg0 2>&1 | head -1` has it: up goes on. */
TEST(SystemTerminals, a_reader_that_is_gone_stops_nothing)
{
	EXPECT_EQ(without_reader(STDERR_FILENO, [] { return SystemTerminal().write(Stream::err, "[#] add interface wg0\n"), 42; }), 42);
}

/* As `wgctl client wg0 phone | true' has it: who has changed something can undo it. */
TEST(SystemTerminals, output_nobody_reads_is_a_failure)
{
	EXPECT_EQ(without_reader(STDOUT_FILENO, [] {
		try {
			SystemTerminal().write(Stream::out, "[Interface]\n");
		} catch (const ReaderGone &) {
			return 42;
		}
		return 1;
	}), 42);
}

TEST(SystemTerminals, programs_end_by_lost_readers_as_always)
{
	EXPECT_EQ(without_reader(STDOUT_FILENO, [] { return run_process(Signals::forward, [] { return write(STDOUT_FILENO, "x", 1) < 0 ? 1 : 2; }); }),
		  128 + SIGPIPE);
}

/* Who asks twice cannot wait. */
TEST(Processes, second_signal_ends_the_program)
{
	int status = 0;

	pid_t child = fork();
	if (child == 0) {
		signal(SIGTERM, SIG_DFL);
		hold_signals();
		raise(SIGTERM);
		if (!is_interrupted())
			_exit(1);
		raise(SIGTERM);
		_exit(2);
	}
	waitpid(child, &status, 0);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

/* It would undo in the child what the parent has done. */
TEST(Processes, what_a_child_throws_stays_there)
{
	EXPECT_EQ(run_process(Signals::forward, []() -> int { throw Failure{"x"}; }), 126);
}

struct Within : testing::Test {
	std::string root = std::filesystem::temp_directory_path() / "wgctl-root-XXXXXX";
	SystemFiles files;

	Within()
	{
		EXPECT_NE(mkdtemp(root.data()), nullptr);
		std::filesystem::create_directory(root + "/etc");
	}
	~Within() override { std::filesystem::remove_all(root); }
};

/* As that of a container is a link from its own root. */
TEST_F(Within, links_lead_nowhere_else)
{
	std::ofstream(root + "/etc/stub") << "nameserver 10.0.0.53\n";
	std::filesystem::create_symlink("/etc/stub", root + "/etc/resolv.conf");
	std::filesystem::create_symlink("../../../../../etc/passwd", root + "/etc/out");
	EXPECT_EQ(files.read_within(root, "/etc/resolv.conf", 100), "nameserver 10.0.0.53\n");
	EXPECT_THROW(files.read_within(root, "/etc/out", 100), Failure);
}

TEST_F(Within, what_is_no_file_is_not_waited_for)
{
	ASSERT_EQ(mkfifo((root + "/etc/resolv.conf").c_str(), 0600), 0);
	EXPECT_THROW(files.read_within(root, "/etc/resolv.conf", 100), Failure);
	EXPECT_THROW(files.read_within(root, "/etc", 100), Failure);
}

TEST_F(Within, a_folder_that_cannot_be_read_is_empty)
{
	std::ofstream(root + "/etc/b");
	std::ofstream(root + "/etc/a");
	EXPECT_EQ(files.list(root + "/etc"), (std::vector<std::string>{"a", "b"}));
	EXPECT_TRUE(files.list(root + "/none").empty());
	EXPECT_TRUE(files.list(root + "/etc/a").empty());
}

}
