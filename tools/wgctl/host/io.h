// SPDX-License-Identifier: GPL-2.0
/* System calls that end half-way, done to their end. Each throws Failure "WHAT: the system's words". */
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "model/outside.h"

namespace wgctl {

[[noreturn]] inline void fail(const std::string &what)
{
	throw Failure{what + ": " + std::strerror(errno)};
}

/* Reads up to `limit` bytes; stops before the end of file only when `is_complete` says so. */
template<class IsComplete>
Text read_all(int file, std::size_t limit, const std::string &what, IsComplete is_complete)
{
	Text text;
	Buffer buffer(64 << 10);

	while (text.size() < limit && !is_complete(text)) {
		ssize_t size = read(file, buffer.data(), std::min(buffer.size(), limit - text.size()));
		if (size == 0)
			break;
		if (size > 0)
			text.append(buffer.data(), size);
		else if (errno != EINTR)
			fail(what);
	}
	return text;
}

inline Text read_to_end(int file, std::size_t limit, const std::string &what)
{
	return read_all(file, limit, what, [](const Text &) { return false; });
}

/* `put` is write(2), or something like it. */
template<class Put>
void write_all(Put put, std::string_view text, const std::string &what)
{
	while (!text.empty()) {
		ssize_t size = put(text.data(), text.size());
		if (size >= 0)
			text.remove_prefix(size);
		else if (errno != EINTR)
			fail(what);
	}
}

inline void write_all(int file, std::string_view text, const std::string &what)
{
	write_all([file](const void *data, std::size_t size) { return write(file, data, size); }, text, what);
}

/* What is in a folder, in order; nothing when it cannot be read. */
inline std::vector<std::string> names_in(const std::string &folder)
{
	std::vector<std::string> names;
	std::error_code error;

	for (auto entry = std::filesystem::directory_iterator(folder, error); !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
		names.push_back(entry->path().filename());
	std::sort(names.begin(), names.end());
	return names;
}

}
