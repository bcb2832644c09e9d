// SPDX-License-Identifier: GPL-2.0
/* What keeps a tunnel from working, in plain words, each with one remedy: judged from an Examination alone. */
#pragma once

#include "tunnel/examination.h"

namespace wgctl {

struct Finding {
	std::string what, remedy;
};

std::vector<Finding> diagnose(const Examination &examination);

}
