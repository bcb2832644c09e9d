// SPDX-License-Identifier: GPL-2.0
/* KernelNetwork::statistics: the counters of `ethtool -S`, over the ethtool ioctl. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kernel/network.h"
#include "model/descriptor.h"

namespace wgctl {

namespace {

/* A device with more is none of ours. */
constexpr std::uint32_t MOST_COUNTERS = 4096;

class Ethtool {
public:
	explicit Ethtool(const std::string &name) : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0))
	{
		if (name.size() >= sizeof(request_.ifr_name))
			throw Failure{std::strerror(ENODEV)};
		name.copy(request_.ifr_name, name.size());
	}

	/* `command` begins with its number; returns 0 or an errno value. */
	int call(void *command)
	{
		request_.ifr_data = static_cast<char *>(command);
		return ioctl(socket_.get(), SIOCETHTOOL, &request_) < 0 ? errno : 0;
	}

	std::uint32_t count()
	{
		/* The structure ends in as many numbers as bits are set in the mask. */
		struct {
			std::uint32_t command = ETHTOOL_GSSET_INFO, reserved = 0;
			std::uint64_t mask = 1ULL << ETH_SS_STATS;
			std::uint32_t count = 0, padding = 0;
		} info;
		int error = call(&info);
		if (error && error != EOPNOTSUPP)
			throw Failure{std::strerror(error)};
		return error || !info.mask || info.count > MOST_COUNTERS ? 0 : info.count;
	}

private:
	Descriptor socket_;
	ifreq request_{};
};

}

std::vector<Counter> KernelNetwork::statistics(const std::string &name)
{
	Ethtool ethtool(name);
	std::uint32_t count = ethtool.count();

	if (!count)
		return {};
	/* Room for the most: the kernel writes as many as there are, and by now another link may have the
	 * name. In units of 8 bytes, for the alignment of the counters. */
	std::vector<std::uint64_t> names((sizeof(ethtool_gstrings) + MOST_COUNTERS * ETH_GSTRING_LEN + 7) / 8);
	std::vector<std::uint64_t> values((sizeof(ethtool_stats) + 7) / 8 + MOST_COUNTERS);
	auto *strings = reinterpret_cast<ethtool_gstrings *>(names.data());
	auto *stats = reinterpret_cast<ethtool_stats *>(values.data());
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_STATS;
	strings->len = count;
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = count;
	for (void *command : {static_cast<void *>(strings), static_cast<void *>(stats)})
		if (int error = ethtool.call(command))
			throw Failure{std::strerror(error)};
	std::vector<Counter> counters(std::min({count, strings->len, stats->n_stats}));
	for (std::size_t i = 0; i < counters.size(); ++i) {
		const char *text = reinterpret_cast<const char *>(names.data()) + sizeof(ethtool_gstrings) + i * ETH_GSTRING_LEN;
		counters[i].name.assign(text, strnlen(text, ETH_GSTRING_LEN));
		std::memcpy(&counters[i].value, reinterpret_cast<const char *>(values.data()) + sizeof(ethtool_stats) + i * 8, 8);
	}
	return counters;
}

}
