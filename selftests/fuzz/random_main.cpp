// SPDX-License-Identifier: GPL-2.0
/* Stands in for libFuzzer where there is none: as many random inputs as the argument says, the same ones each time. */
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

int main(int argc, char **argv)
{
	constexpr std::size_t LONGEST = 600;
	std::mt19937_64 random(1);

	for (int left = argc == 2 ? std::atoi(argv[1]) : 0; left > 0; left--) {
		std::vector<std::uint8_t> input(random() % (LONGEST + 1));

		for (std::uint8_t &byte : input)
			byte = static_cast<std::uint8_t>(random());
		LLVMFuzzerTestOneInput(input.data(), input.size());
	}
	return argc == 2 ? 0 : 2;
}
