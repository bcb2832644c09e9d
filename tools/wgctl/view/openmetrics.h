// SPDX-License-Identifier: GPL-2.0
/* Interfaces and peers as metrics, in the text format of OpenMetrics 1.0. Nothing is secret in it. */
#pragma once

#include <string>
#include <vector>

#include "config/peer_names.h"
#include "model/machine.h"

namespace wgctl {

struct Measurement {
	Device device;
	PeerNames names;
	/* The link's own counters; only those that count drops are metrics. */
	std::vector<Counter> counters;
};

constexpr std::string_view METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/* `now`: wall clock, seconds. */
std::string format_metrics(const std::vector<Measurement> &measurements, std::int64_t now);

}
