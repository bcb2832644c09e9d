// SPDX-License-Identifier: GPL-2.0
/* Doing several things of which all are wanted, or none.
 *
 * Each step says how it is taken back; when one fails, those before it are taken back in reverse order
 * and the failure goes on to the caller.
 */
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/machine.h"
#include "model/outside.h"

namespace wgctl {

class Steps {
public:
	/* `all`: beforehand, what is done and undone, as wg-quick does. */
	enum class Tells { all, failures };
	/* `go_on`: it is told, and the other steps are done nevertheless; then nothing ends them half-way. */
	enum class AtFailure { stop, go_on };

	Steps(World &world, Tells tells, AtFailure at_failure = AtFailure::stop) : world_(world), tells_(tells), at_failure_(at_failure) {}
	Steps(const Steps &) = delete;
	/* Takes back what was not kept. */
	~Steps() { undo(); }

	/* Throws Failure, also when the user has interrupted the program; returns whether it is done. */
	template<class Action>
	bool run(const std::string &what, Action action)
	{
		tell(what);
		stop_when_interrupted();
		return attempt([&] { step(what, action); });
	}
	/* The same of several steps, which tell by themselves. */
	bool attempt(const std::function<void()> &action);
	bool has_failed() const { return has_failed_; }
	void stop_when_interrupted() const;
	void undo_by(std::string what, std::function<void()> action) { undoings_.push_back({std::move(what), std::move(action)}); }
	void keep() { undoings_.clear(); }
	/* Goes on after a failure, and tells it. Returns whether there was none. */
	bool undo();

private:
	struct Undoing {
		std::string what;
		std::function<void()> action;
	};

	void tell(const std::string &what) const;

	World &world_;
	Tells tells_;
	AtFailure at_failure_;
	bool has_failed_ = false;
	std::vector<Undoing> undoings_;
};

}
