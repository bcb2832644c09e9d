// SPDX-License-Identifier: GPL-2.0
/* Other programs: starting one, and waiting for it. */
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace wgctl {

enum class Signals {
	/* As system(3): the terminal's signals are the child's business while it runs. */
	ignore,
	/* And those that are sent to us, not typed at the terminal, are passed on to it. */
	forward
};

/* From now on, signals that would end the program are only remembered, those passed on included. Those
 * it ignores, as under nohup(1), it goes on ignoring. Returns whether they were held before. */
bool hold_signals();
/* From now on, they end it again, with status 0. One that came before is still remembered. */
void release_signals();
bool is_interrupted();

/* From now on, writing to a reader that is gone, as behind `| head', is an error and ends nothing half-way. For
 * programs that are started it is as it was. */
void survive_lost_readers();

/* Runs `child` in a new process, which should replace itself; what it returns is its exit status.
 * Returns the exit status, 128 and the signal's number when a signal ended it. Throws Failure. */
int run_process(Signals signals, const std::function<int()> &child);

/* For use in a child: replaces it by a program, found by PATH. Returns only when that fails: with 127
 * when there is none, 126 when it cannot be run, as shells have it; errno says why. */
int replace_by_program(const std::vector<std::string> &arguments);

}
