// SPDX-License-Identifier: GPL-2.0
#include "system_host.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "descriptor.h"
#include "outside.h"
#include "process.h"

namespace wgctl {

namespace {

const std::string OWN = "/proc/self/ns/net";
const std::string RESOLV_CONF = "/etc/resolv.conf";
/* Sockets by which programs ask the machine's own resolver, past resolv.conf and every namespace. */
const std::array<std::string, 2> RESOLVER_FOLDERS{"/run/systemd/resolve", "/run/nscd"};
constexpr unsigned long HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC;

[[noreturn]] void fail(const std::string &what)
{
	std::string hint;

	if (errno == EPERM)
		hint = ". The kernel lets only CAP_SYS_ADMIN do this; CAP_NET_ADMIN is enough for everything else";
	throw Failure{what + ": " + std::strerror(errno) + hint};
}

bool is_folder(const std::string &path)
{
	struct stat status;

	return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void write_file(const std::string &path, std::string_view text)
{
	Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));

	if (file.get() < 0 || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
		fail("cannot write " + path);
}

std::string read_file(const std::string &path)
{
	Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
	std::string text(64 << 10, '\0');
	ssize_t size = file.get() < 0 ? 0 : read(file.get(), text.data(), text.size());

	text.resize(size > 0 ? size : 0);
	return text;
}

void mount_memory(const std::string &folder)
{
	if (mount("wgctl", folder.c_str(), "tmpfs", HARMLESS, "mode=755,size=256k") < 0)
		fail("cannot mount a tmpfs on " + folder);
}

/* Bind-mounts a file of this text over `path`; nothing is written to a disk. */
void cover_file(const std::string &path, std::string_view text)
{
	std::string folder = is_folder("/tmp") ? "/tmp" : "/mnt";
	std::string file = folder + "/resolv.conf";

	mount_memory(folder);
	write_file(file, text);
	if (mount(file.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) < 0)
		fail("cannot mount over " + path);
	if (umount2(folder.c_str(), MNT_DETACH) < 0)
		fail("cannot unmount " + folder);
}

/* The command's own view of the file system: its resolv.conf, and no way to the machine's resolver. */
void prepare_mounts(const std::optional<std::string> &resolv_conf)
{
	char buffer[PATH_MAX];
	const char *real = realpath(RESOLV_CONF.c_str(), buffer);
	std::string path = real ? real : "";
	std::string text = resolv_conf ? *resolv_conf : read_file(RESOLV_CONF);
	bool is_written = !resolv_conf;

	if (!real && resolv_conf)
		throw Failure{RESOLV_CONF + " is not there to be replaced for the command: create it, an empty one will do"};
	if (unshare(CLONE_NEWNS) < 0)
		fail("cannot make a mount namespace");
	if (mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
		fail("cannot keep mounts to the command");
	for (const std::string &folder : RESOLVER_FOLDERS) {
		if (!is_folder(folder))
			continue;
		mount_memory(folder);
		if (path.starts_with(folder + "/") && path.find('/', folder.size() + 1) == path.npos) {
			write_file(path, text);
			is_written = true;
		}
	}
	if (!is_written)
		cover_file(path, text);
}

}

Namespace SystemNamespaces::open(const std::string &path)
{
	auto file = std::make_shared<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
	struct stat status;

	if (file->get() < 0 || fstat(file->get(), &status) < 0)
		throw Failure{path + ": " + std::strerror(errno)};
	return {file->get(), status.st_dev, status.st_ino, file};
}

Namespace SystemNamespaces::current()
{
	return open(OWN);
}

/* Entering the one the program is in takes no capability: nothing is done. */
void SystemNamespaces::enter(const Namespace &where)
{
	if (where == current())
		return;
	if (setns(where.descriptor, CLONE_NEWNET) < 0) {
		if (errno == EINVAL)
			throw Failure{"it is not a network namespace"};
		fail("setns");
	}
}

Namespace SystemNamespaces::create()
{
	Namespace before = current();

	if (unshare(CLONE_NEWNET) < 0)
		fail("cannot make a network namespace");
	Namespace made = current();
	enter(before);
	return made;
}

int SystemNamespaces::run(std::span<const std::string_view> command, const std::optional<std::string> &resolv_conf)
{
	std::vector<std::string> arguments(command.begin(), command.end());

	return run_process(Signals::forward, [&] {
		std::string reason;
		int status = 126;
		try {
			prepare_mounts(resolv_conf);
			status = replace_by_program(arguments);
			reason = "cannot run " + arguments[0] + ": " + std::strerror(errno);
		} catch (const Failure &failure) {
			reason = failure.text;
		}
		reason = "wgctl: exec: " + reason + "\n";
		if (write(STDERR_FILENO, reason.data(), reason.size()) < 0)
			return status; /* There is nobody left to tell. */
		return status;
	});
}

}
