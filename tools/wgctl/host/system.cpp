// SPDX-License-Identifier: GPL-2.0
#include "host/system.h"

#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <thread>

#include "host/io.h"
#include "model/descriptor.h"
#include "model/values.h"

namespace wgctl {

namespace {

const std::string SOCKET_FOLDER = "/var/run/wireguard/";
constexpr std::string_view SOCKET_SUFFIX = ".sock";

std::string socket_path(const std::string &name)
{
	return SOCKET_FOLDER + name + std::string(SOCKET_SUFFIX);
}

/* Nothing, with errno, when that fails. */
std::optional<Descriptor> connect_to(const std::string &name)
{
	Descriptor connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	std::string path = socket_path(name);
	sockaddr_un address{};

	address.sun_family = AF_UNIX;
	if (path.size() >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return {};
	}
	path.copy(address.sun_path, path.size());
	if (connection.get() < 0 || connect(connection.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) < 0)
		return {};
	return connection;
}

class SystemNetlinkSocket : public NetlinkSocket {
public:
	explicit SystemNetlinkSocket(int protocol) : socket_(mnl_socket_open2(protocol, SOCK_CLOEXEC))
	{
		int yes = 1;

		if (!socket_ || mnl_socket_bind(socket_, 0, MNL_SOCKET_AUTOPID) < 0) {
			int error = errno;
			close_socket();
			throw Failure{std::string("netlink: ") + std::strerror(error)};
		}
		/* Old kernels have none of them: what is lost is the wording of errors, and dumps are longer than what was asked for. */
		for (int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK})
			mnl_socket_setsockopt(socket_, option, &yes, sizeof(yes));
	}
	~SystemNetlinkSocket() override { close_socket(); }

	ssize_t send(const void *message, std::size_t size) override { return mnl_socket_sendto(socket_, message, size); }
	ssize_t receive(void *buffer, std::size_t size) override { return mnl_socket_recvfrom(socket_, buffer, size); }
	int join(std::uint32_t group) override { return mnl_socket_setsockopt(socket_, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) ? errno : 0; }
	int descriptor() override { return mnl_socket_get_fd(socket_); }

private:
	void close_socket()
	{
		if (socket_)
			mnl_socket_close(socket_);
	}

	mnl_socket *socket_;
};

}

Text SystemFiles::read(const std::string &path, std::size_t limit)
{
	constexpr std::string_view DESCRIPTORS = "/dev/fd/";
	std::optional<int> number;

	/* Sockets cannot be opened by that name, and not everybody has a /proc behind it. */
	if (path.starts_with(DESCRIPTORS))
		number = parse_number<std::uint16_t>(std::string_view(path).substr(DESCRIPTORS.size()));
	Descriptor file(number ? fcntl(*number, F_DUPFD_CLOEXEC, 0) : open(path.c_str(), O_RDONLY | O_CLOEXEC));
	if (file.get() < 0)
		fail(path);
	return read_to_end(file.get(), limit, path);
}

Text SystemFiles::read_within(const std::string &root, const std::string &path, std::size_t limit)
{
	Descriptor folder(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
	open_how how{};
	struct stat status;

	if (folder.get() < 0)
		fail(root);
	how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
	how.resolve = RESOLVE_IN_ROOT;
	Descriptor file(static_cast<int>(syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof(how))));
	if (file.get() < 0 || fstat(file.get(), &status) < 0)
		fail(root + path);
	if (!S_ISREG(status.st_mode))
		throw Failure{root + path + ": not a regular file"};
	return read_to_end(file.get(), limit, root + path);
}

std::vector<std::string> SystemFiles::list(const std::string &folder)
{
	return names_in(folder);
}

Text SystemTerminal::read_input(std::size_t limit)
{
	return read_to_end(STDIN_FILENO, limit, "standard input");
}

void SystemTerminal::write(Stream stream, std::string_view text)
{
	if (stream == Stream::err) {
		/* When there is nobody left to tell, what is under way goes on, and ends as a whole. */
		[[maybe_unused]] ssize_t size = ::write(STDERR_FILENO, text.data(), text.size());
		return;
	}
	auto put = [](const void *data, std::size_t size) {
		ssize_t written = ::write(STDOUT_FILENO, data, size);
		if (written < 0 && errno == EPIPE)
			throw ReaderGone{{"standard output: nobody reads it any more"}};
		return written;
	};
	write_all(put, text, "standard output");
}

bool SystemTerminal::output_is_terminal()
{
	return isatty(STDOUT_FILENO);
}

bool SystemTerminal::output_is_open_to_the_world()
{
	struct stat status;

	return fstat(STDOUT_FILENO, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IRWXO);
}

int look_up(const char *host, const char *service, std::vector<Endpoint> &found, int flags)
{
	addrinfo hints{}, *answers = nullptr;

	hints.ai_family = AF_UNSPEC;
	hints.ai_socktype = SOCK_DGRAM;
	hints.ai_protocol = IPPROTO_UDP;
	hints.ai_flags = flags | (host ? 0 : AI_PASSIVE);
	if (int error = getaddrinfo(host, service, &hints, &answers))
		return error;
	std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(answers, freeaddrinfo);
	for (const addrinfo *answer = answers; answer; answer = answer->ai_next) {
		Endpoint endpoint;
		if ((answer->ai_family != AF_INET && answer->ai_family != AF_INET6) || answer->ai_addrlen > sizeof(endpoint.v6))
			continue;
		std::memcpy(static_cast<void *>(&endpoint.v6), answer->ai_addr, answer->ai_addrlen);
		found.push_back(endpoint);
	}
	return found.empty() ? EAI_NODATA : 0;
}

int SystemResolver::lookup(const char *host, const char *service, Endpoint &result)
{
	std::vector<Endpoint> found;
	int error = look_up(host, service, found);

	result = error ? result : found[0];
	return error;
}

std::int64_t SystemClock::now()
{
	return std::time(nullptr);
}

std::int64_t SystemClock::monotonic()
{
	timespec time;

	/* Not the steady clock of C++: that stands still while the machine sleeps, and sessions do not. */
	clock_gettime(CLOCK_BOOTTIME, &time);
	return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

void SystemClock::sleep(std::int64_t milliseconds)
{
	std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

const char *SystemEnvironment::get(const char *name)
{
	return std::getenv(name);
}

std::vector<std::string> SystemConfigSockets::names()
{
	std::vector<std::string> names;

	for (std::string &name : names_in(SOCKET_FOLDER)) {
		if (!name.ends_with(SOCKET_SUFFIX))
			continue;
		name.resize(name.size() - SOCKET_SUFFIX.size());
		if (exists(name))
			names.push_back(std::move(name));
	}
	return names;
}

/* A socket whose owner is gone is no interface. */
bool SystemConfigSockets::exists(const std::string &name)
{
	struct stat status;

	if (name.empty() || name.find('/') != name.npos || stat(socket_path(name).c_str(), &status) != 0 || !S_ISSOCK(status.st_mode))
		return false;
	return connect_to(name) || errno != ECONNREFUSED;
}

Text SystemConfigSockets::exchange(const std::string &name, std::string_view request)
{
	std::optional<Descriptor> connection = connect_to(name);

	if (!connection)
		throw Failure{std::strerror(errno)};
	int fd = connection->get();
	write_all([fd](const void *data, std::size_t size) { return send(fd, data, size, MSG_NOSIGNAL); }, request, name);
	return read_all(fd, SIZE_MAX, name, [](const Text &text) { return text.ends_with("\n\n"); });
}

std::unique_ptr<NetlinkSocket> open_system_netlink(int protocol)
{
	return std::make_unique<SystemNetlinkSocket>(protocol);
}

}
