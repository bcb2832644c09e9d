// SPDX-License-Identifier: GPL-2.0
/* What happens to interfaces, as it happens: told by the kernel, or found by looking once a second where that tells nothing. */
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/machine.h"
#include "model/outside.h"

namespace wgctl {

class Observer {
public:
	/* Of one interface, or of all there are with an empty name. The program is, and stays, where they are. Throws Failure. */
	Observer(std::string interface, EventWishes wishes, World &world);

	/* By looking: what comes and goes between two looks is not seen, nor who asks with an unknown key. */
	bool is_looking() const { return !told_; }
	/* Those that come next; nothing when the program is asked to end. Throws Failure. */
	std::optional<std::vector<DeviceEvent>> next();

private:
	std::vector<DeviceEvent> read();
	std::vector<DeviceEvent> look();

	std::string interface_;
	EventWishes wishes_;
	World &world_;
	std::unique_ptr<DeviceEvents> told_;
	std::map<std::string, Device> seen_;
	std::int64_t seen_at_ = 0;
};

/* What happened to an interface between two looks at it; `then` and `now`: wall clock, seconds. */
std::vector<DeviceEvent> difference_of(const Device &before, std::int64_t then, const Device &after, std::int64_t now, EventWishes wishes);

}
