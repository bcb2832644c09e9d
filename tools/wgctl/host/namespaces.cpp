// SPDX-License-Identifier: GPL-2.0
#include "host/namespaces.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "host/io.h"
#include "host/process.h"
#include "model/descriptor.h"
#include "model/outside.h"

namespace wgctl {

namespace {

const std::string OWN = "/proc/thread-self/ns/net";
const std::string RESOLV_CONF = "/etc/resolv.conf";
/* Sockets by which programs ask the machine's own resolver, past resolv.conf and every namespace. */
const std::array<std::string, 2> RESOLVER_FOLDERS{"/run/systemd/resolve", "/run/nscd"};
constexpr unsigned long HARMLESS = MS_NOSUID | MS_NODEV | MS_NOEXEC;

[[noreturn]] void refuse(const std::string &what)
{
	std::string hint;

	if (errno == EPERM)
		hint = ". The kernel lets only CAP_SYS_ADMIN do this; CAP_NET_ADMIN is enough for everything else";
	throw Failure{what + ": " + std::strerror(errno) + hint};
}

Descriptor open_or_fail(const std::string &path, int flags)
{
	Descriptor file(open(path.c_str(), flags | O_CLOEXEC));

	if (file.get() < 0)
		throw Failure{path + ": " + std::strerror(errno)};
	return file;
}

/* A process that makes a user namespace with a network namespace in it, and lives as long as this. */
class NamespaceMaker {
public:
	NamespaceMaker()
	{
		int ends[2], error = 0;

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
			refuse("socketpair");
		socket_ = Descriptor(ends[0]);
		Descriptor other(ends[1]);
		pid_ = fork();
		if (pid_ == 0) {
			socket_.reset();
			_exit(make(other.get()));
		}
		other.reset();
		if (pid_ < 0)
			refuse("fork");
		if (read(socket_.get(), &error, sizeof(error)) != sizeof(error))
			error = EIO;
		if (error) {
			end();
			throw Failure{std::string("cannot make a network namespace: ") + std::strerror(error) +
				      ". It takes CAP_SYS_ADMIN, or CAP_NET_ADMIN where user namespaces are allowed (sysctl "
				      "kernel.unprivileged_userns_clone, user.max_user_namespaces)"};
		}
	}
	NamespaceMaker(const NamespaceMaker &) = delete;
	~NamespaceMaker() { end(); }

	std::string file(const std::string &name) const { return "/proc/" + std::to_string(pid_) + "/" + name; }

	/* Users inside are those outside: all of them if we may say so, else ourselves. Root may not even
	 * do that without CAP_SETFCAP: then it is called nobody inside, and has its files nevertheless. */
	void map(const std::string &name, unsigned own) const
	{
		if (write_map(name, "0 0 4294967295\n"))
			return;
		std::string number = std::to_string(own);
		if (name == "gid_map")
			write_map("setgroups", "deny");
		write_map(name, number + " " + number + " 1\n");
	}

private:
	static int make(int socket)
	{
		int error = unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? errno : 0;
		char nothing;

		if (write(socket, &error, sizeof(error)) != sizeof(error))
			return 1;
		/* Until the other end is closed. */
		return read(socket, &nothing, 1) == 0 ? 0 : 1;
	}
	bool write_map(const std::string &name, std::string_view text) const
	{
		Descriptor map(open_or_fail(file(name), O_WRONLY));
		return write(map.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
	}
	void end()
	{
		socket_.reset();
		if (pid_ > 0)
			while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
				continue;
		pid_ = -1;
	}

	Descriptor socket_{-1};
	pid_t pid_ = -1;
};

/* Of a network namespace that belongs to a user namespace. */
struct Handles {
	Descriptor network, user;
};

bool is_folder(const std::string &path)
{
	struct stat status;

	return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Text read_file(const std::string &path)
{
	Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));

	return file.get() < 0 ? Text() : read_to_end(file.get(), 64 << 10, path);
}

void mount_memory(const std::string &folder)
{
	if (mount("wgctl", folder.c_str(), "tmpfs", HARMLESS, "mode=755,size=256k") < 0)
		refuse("cannot mount a tmpfs on " + folder);
}

/* A file with this text that has no name as soon as it is mounted somewhere. */
class PassingFile {
public:
	explicit PassingFile(std::string_view text)
	{
		for (const char *folder : {"/run", "/tmp", "/var/tmp"}) {
			name_ = std::string(folder) + "/wgctl.XXXXXX";
			Descriptor file(mkostemp(name_.data(), O_CLOEXEC));
			if (file.get() < 0)
				continue;
			if (fchmod(file.get(), 0644) < 0 || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
				unlink(name_.c_str());
				refuse("cannot write " + name_);
			}
			return;
		}
		refuse("cannot create a file in /run, /tmp or /var/tmp");
	}
	PassingFile(const PassingFile &) = delete;
	~PassingFile() { unlink(name_.c_str()); }

	void mount_over(const std::string &path) const
	{
		if (mount(name_.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) < 0)
			refuse("cannot mount over " + path);
	}

private:
	std::string name_;
};

/* The same without a tmpfs, in which only users that have a name in the user namespace may write. */
void cover_single_files(const std::string &path, std::string_view text)
{
	PassingFile wanted(text), nothing("");

	for (const std::string &folder : RESOLVER_FOLDERS)
		for (const std::string &name : names_in(folder)) {
			std::string entry = folder + "/" + name;
			struct stat status;
			if (lstat(entry.c_str(), &status) == 0 && !S_ISDIR(status.st_mode) && !S_ISLNK(status.st_mode) && entry != path)
				nothing.mount_over(entry);
		}
	if (!path.empty())
		wanted.mount_over(path);
}

/* In a user namespace that is all ours, a program keeps all capabilities there whoever runs it. */
void keep_capabilities()
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct sets[2]{};

	if (syscall(SYS_capget, &header, sets) < 0)
		return;
	for (__user_cap_data_struct &set : sets)
		set.inheritable = set.permitted;
	if (syscall(SYS_capset, &header, sets) < 0)
		return;
	/* Up to the last one the kernel knows. */
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);
}

/* The command's own view of the file system: its resolv.conf, and no way to the machine's resolver. */
void prepare_mounts(const std::optional<std::string> &resolv_conf, bool in_user_namespace)
{
	char buffer[PATH_MAX];
	const char *real = realpath(RESOLV_CONF.c_str(), buffer);
	std::string path = real ? real : "";
	std::string text = resolv_conf ? *resolv_conf : std::string(std::string_view(read_file(RESOLV_CONF)));

	if (!real && resolv_conf)
		throw Failure{RESOLV_CONF + " is not there to be replaced for the command: create it, an empty one will do"};
	if (unshare(CLONE_NEWNS) < 0)
		refuse("cannot make a mount namespace");
	if (mount("none", "/", nullptr, MS_REC | MS_SLAVE, nullptr) < 0)
		refuse("cannot keep mounts to the command");
	if (in_user_namespace)
		return cover_single_files(path, text);
	for (const std::string &folder : RESOLVER_FOLDERS) {
		if (!is_folder(folder))
			continue;
		mount_memory(folder);
		if (path.starts_with(folder + "/"))
			Descriptor(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	if (real)
		PassingFile(text).mount_over(path);
}

}

Namespace SystemNamespaces::open(const std::string &path)
{
	auto file = std::make_shared<Descriptor>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
	struct stat status;

	if (file->get() < 0 || fstat(file->get(), &status) < 0)
		throw Failure{path + ": " + std::strerror(errno)};
	return {file->get(), status.st_dev, status.st_ino, -1, file};
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
	if (where.user >= 0) {
		if (setns(where.user, CLONE_NEWUSER) < 0)
			refuse("cannot enter the user namespace");
		in_user_namespace_ = true;
	}
	if (setns(where.descriptor, CLONE_NEWNET) < 0) {
		if (errno == EINVAL)
			throw Failure{"it is not a network namespace"};
		refuse("setns");
	}
}

Namespace SystemNamespaces::create()
{
	Namespace before = current();

	if (unshare(CLONE_NEWNET) == 0) {
		Namespace made = current();
		enter(before);
		return made;
	}
	if (errno != EPERM)
		refuse("cannot make a network namespace");
	NamespaceMaker maker;
	maker.map("uid_map", geteuid());
	maker.map("gid_map", getegid());
	auto handles = std::make_shared<Handles>(open_or_fail(maker.file("ns/net"), O_RDONLY), open_or_fail(maker.file("ns/user"), O_RDONLY));
	struct stat status;
	if (fstat(handles->network.get(), &status) < 0)
		refuse("cannot make a network namespace");
	return {handles->network.get(), status.st_dev, status.st_ino, handles->user.get(), handles};
}

int SystemNamespaces::run(std::span<const std::string_view> command, const std::optional<std::string> &resolv_conf)
{
	std::vector<std::string> arguments(command.begin(), command.end());

	return run_process(Signals::forward, [&] {
		std::string reason;
		int status = 126;
		try {
			prepare_mounts(resolv_conf, in_user_namespace_);
			if (in_user_namespace_)
				keep_capabilities();
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
