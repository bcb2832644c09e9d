// SPDX-License-Identifier: GPL-2.0
/* The headers of others that most files include, read once a build instead of once a file. Every source
 * includes what it uses nevertheless: without this file, all of it compiles as well. */
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#ifdef WITH_GTEST
#include <gtest/gtest.h>
#endif
