// SPDX-License-Identifier: GPL-2.0
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "config/notes.h"

namespace wgctl {

namespace {

std::string number_of_namespace()
{
	struct stat here = {};

	stat("/proc/self/ns/net", &here);
	return std::to_string(here.st_ino);
}

/* Another link of this name has another number, or is in another namespace, whose number may be used anew. */
std::string heading(const std::string &interface)
{
	return "# link " + std::to_string(if_nametoindex(interface.c_str())) + " of " + number_of_namespace();
}

}

std::string SystemNotes::path(const std::string &interface, const std::string &keyword) const
{
	return folder_ + number_of_namespace() + "." + interface + "." + keyword;
}

std::optional<std::string> SystemNotes::read(const std::string &interface, const std::string &keyword)
{
	std::ifstream file(path(interface, keyword));
	std::string line;

	if (!std::getline(file, line) || line != heading(interface))
		return {};
	return std::string(std::istreambuf_iterator<char>(file), {});
}

void SystemNotes::write(const std::string &interface, const std::string &keyword, const std::string &text)
{
	mkdir(folder_.c_str(), 0755);
	std::ofstream(path(interface, keyword)) << heading(interface) << "\n" << text;
}

void SystemNotes::remove(const std::string &interface, const std::string &keyword)
{
	unlink(path(interface, keyword).c_str());
}

}
