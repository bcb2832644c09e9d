// SPDX-License-Identifier: GPL-2.0
#include "tunnel/steps.h"

#include "model/values.h"

namespace wgctl {

void Steps::tell(const std::string &what) const
{
	if (tells_ == Tells::all)
		world_.terminal.write(Stream::err, "[#] " + harmless(what) + "\n");
}

void Steps::stop_when_interrupted() const
{
	if (at_failure_ == AtFailure::stop && world_.host.shell.is_interrupted())
		throw Failure{"interrupted"};
}

bool Steps::attempt(const std::function<void()> &action)
{
	try {
		action();
		return true;
	} catch (const Failure &failure) {
		if (at_failure_ == AtFailure::stop)
			throw;
		complain(failure.text, world_.terminal);
		has_failed_ = true;
		return false;
	}
}

bool Steps::undo()
{
	bool is_undone = true;

	while (!undoings_.empty()) {
		Undoing undoing = std::move(undoings_.back());
		undoings_.pop_back();
		try {
			tell(undoing.what);
			undoing.action();
		} catch (const Failure &failure) {
			complain("cannot " + undoing.what + ": " + failure.text, world_.terminal);
			is_undone = false;
		}
	}
	return is_undone;
}

}
