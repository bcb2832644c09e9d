// SPDX-License-Identifier: GPL-2.0
/* SystemTerminal, with a real standard error. */
#include "host/system.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace wgctl {

/* As `wgctl up wg0 2>&1 | head -1` has it: up goes on. */
TEST(SystemTerminals, a_reader_that_is_gone_stops_nothing)
{
	int ends[2], status = 0;

	ASSERT_EQ(pipe(ends), 0);
	close(ends[0]);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		SystemTerminal().write(Stream::err, "[#] add interface wg0\n");
		/* Others, and programs that are started, end by it as always. */
		struct sigaction after {};
		sigaction(SIGPIPE, nullptr, &after);
		_exit(after.sa_handler == SIG_DFL ? 42 : 1);
	}
	close(ends[1]);
	ASSERT_EQ(waitpid(child, &status, 0), child);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(WEXITSTATUS(status), 42);
}

}
