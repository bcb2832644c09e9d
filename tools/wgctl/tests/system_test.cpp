// SPDX-License-Identifier: GPL-2.0
/* SystemTerminal, with a real pipe that nobody reads. */
#include "host/system.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

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

}
