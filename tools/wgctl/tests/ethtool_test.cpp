// SPDX-License-Identifier: GPL-2.0
/* KernelNetwork::statistics against an ethtool ioctl that writes as many counters as it has. */
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>

#include "kernel/network.h"
#include "tests/fakes.h"

namespace wgctl {

namespace {

/* What it has when asked how many, for the names, and for the values. */
struct Counters {
	std::uint32_t announced = 2, names = 2, values = 2;
} kernel;

int answer(char *data)
{
	std::uint32_t command;

	std::memcpy(&command, data, sizeof(command));
	if (command == ETHTOOL_GSSET_INFO)
		std::memcpy(data + sizeof(ethtool_sset_info), &kernel.announced, sizeof(kernel.announced));
	if (command == ETHTOOL_GSTRINGS) {
		reinterpret_cast<ethtool_gstrings *>(data)->len = kernel.names;
		for (std::uint32_t i = 0; i < kernel.names; ++i)
			std::snprintf(data + sizeof(ethtool_gstrings) + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN, "drop-%u", i);
	}
	if (command == ETHTOOL_GSTATS) {
		reinterpret_cast<ethtool_stats *>(data)->n_stats = kernel.values;
		for (std::uint64_t i = 0; i < kernel.values; ++i)
			std::memcpy(data + sizeof(ethtool_stats) + i * sizeof(i), &i, sizeof(i));
	}
	return 0;
}

struct Ethtools : testing::Test {
	KernelNetwork network{[](int) -> std::unique_ptr<NetlinkSocket> { throw Failure{"not asked for"}; }};

	std::vector<Counter> counters(const Counters &has)
	{
		kernel = has;
		return network.statistics("wg0");
	}
};

}

/* Instead of the system's, for the whole program. */
extern "C" int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == SIOCETHTOOL)
		return answer(static_cast<ifreq *>(argument)->ifr_data);
	return static_cast<int>(syscall(SYS_ioctl, fd, request, argument));
}

TEST_F(Ethtools, counters_have_names_and_values)
{
	std::vector<Counter> found = counters({2, 2, 2});

	ASSERT_EQ(found.size(), 2u);
	EXPECT_EQ(found[1].name, "drop-1");
	EXPECT_EQ(found[1].value, 1u);
}

TEST_F(Ethtools, device_with_more_counters_than_any_of_ours_is_none)
{
	EXPECT_TRUE(counters({4097, 4097, 4097}).empty());
	EXPECT_EQ(counters({4096, 4096, 4096}).size(), 4096u);
}

TEST_F(Ethtools, counters_that_come_or_go_meanwhile_fit)
{
	EXPECT_EQ(counters({2, 4096, 4096}).size(), 2u);
	EXPECT_EQ(counters({2, 1, 2}).size(), 1u);
	EXPECT_EQ(counters({2, 2, 0}).size(), 0u);
}

}
