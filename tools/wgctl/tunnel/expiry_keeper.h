// SPDX-License-Identifier: GPL-2.0
/* Takes peers from a running interface when their time is over (config/expiry.h). */
#pragma once

#include <string>

#include "config/quick_config.h"
#include "model/machine.h"
#include "model/outside.h"
#include "tunnel/placement.h"

namespace wgctl {

class ExpiryKeeper {
public:
	/* The program is, and stays, where the interface's sockets are. */
	ExpiryKeeper(std::string file, std::string interface, Placement placement, World &world) :
		file_(std::move(file)), interface_(std::move(interface)), placement_(std::move(placement)), world_(world)
	{
	}

	/* Whoever has expired goes, which is told on standard output. What the file has anew is known a minute later. Throws
	 * Failure; nobody goes while the file cannot be read. */
	void look();
	/* When there is something to do at the latest. Milliseconds of the monotonic clock. */
	std::int64_t next_look() const;

private:
	QuickConfig read() const;
	void take_away_expired(std::int64_t now);

	std::string file_, interface_;
	Placement placement_;
	World &world_;
	/* Of the file, its expiries alone; read now and then: it may be long. */
	QuickConfig known_;
	/* Milliseconds of the monotonic clock. */
	std::int64_t read_again_at_ = 0;
};

}
