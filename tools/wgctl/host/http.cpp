// SPDX-License-Identifier: GPL-2.0
#include "host/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "model/descriptor.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view UNIX = "unix:";

std::int64_t milliseconds_now()
{
	return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string reply(std::string_view status, std::string_view type, std::string_view body, bool is_head = false)
{
	std::string text = "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: " + std::string(type) +
			   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n";

	if (status.starts_with("405"))
		text += "Allow: GET, HEAD\r\n";
	return text + "\r\n" + std::string(is_head ? std::string_view() : body);
}

std::string refusal(std::string_view status, bool is_head = false)
{
	return reply(status, "text/plain; charset=utf-8", std::string(status) + "\n", is_head);
}

/* METHOD TARGET HTTP/1.x */
struct RequestLine {
	std::string_view method, target, version;
};

std::optional<RequestLine> split_request_line(std::string_view line)
{
	std::size_t first = line.find(' '), last = line.rfind(' ');

	if (first == line.npos || first == last || first == 0)
		return {};
	RequestLine result{line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
	if (!result.version.starts_with("HTTP/") || result.target.empty() || result.target.find(' ') != result.target.npos)
		return {};
	return result;
}

[[noreturn]] void fail(const std::string &place)
{
	throw Failure{"cannot listen at " + place + ": " + std::strerror(errno)};
}

/* Bound and listening; a socket's file goes with it. */
class Listener {
public:
	explicit Listener(const std::string &place) : place_(place), socket_(-1)
	{
		if (place.starts_with(UNIX))
			bind_file(place.substr(UNIX.size()));
		else
			bind_loopback();
		if (listen(socket_.get(), CONNECTION_LIMIT) < 0)
			fail(place);
	}
	Listener(const Listener &) = delete;
	~Listener()
	{
		if (!file_.empty())
			unlink(file_.c_str());
	}
	int get() const { return socket_.get(); }

private:
	void open(int family)
	{
		socket_ = Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
		if (socket_.get() < 0)
			fail(place_);
	}

	void bind_file(const std::string &path)
	{
		sockaddr_un address{};

		address.sun_family = AF_UNIX;
		if (path.empty() || path.size() >= sizeof(address.sun_path))
			throw Failure{"cannot listen at " + place_ + ": a path has 1 to " + std::to_string(sizeof(address.sun_path) - 1) + " bytes"};
		path.copy(address.sun_path, path.size());
		open(AF_UNIX);
		remove_orphan(address);
		/* Its owner and group: peers' keys and traffic are nobody else's business. */
		mode_t mask = umask(0117);
		int error = bind(socket_.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address));
		umask(mask);
		if (error < 0)
			fail(place_);
		file_ = path;
	}

	/* What a killed server left behind. One that still answers, or any other file, stays. */
	void remove_orphan(const sockaddr_un &address)
	{
		struct stat status;

		if (lstat(address.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
			return;
		Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		if (connect(probe.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) < 0 && errno == ECONNREFUSED)
			unlink(address.sun_path);
	}

	void bind_loopback()
	{
		Endpoint address;
		int yes = 1;

		if (!parse_loopback(place_, address))
			throw Failure{"cannot listen at " + in_quotes(place_) + ": the place is unix:PATH, 127.0.0.1:PORT or [::1]:PORT. Whoever "
				      "should see it from outside needs a server that asks for passwords in front"};
		open(address.any.sa_family);
		setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (bind(socket_.get(), &address.any, address.size()) < 0)
			fail(place_);
	}

	static bool parse_loopback(const std::string &text, Endpoint &address)
	{
		std::size_t colon = text.rfind(':');
		std::optional<std::uint16_t> port;

		if (colon == text.npos || !(port = parse_number<std::uint16_t>(std::string_view(text).substr(colon + 1))))
			return false;
		std::string host = text.substr(0, colon);
		if (host == "[::1]") {
			address.v6.sin6_family = AF_INET6;
			address.v6.sin6_addr = in6addr_loopback;
			address.v6.sin6_port = htons(*port);
			return true;
		}
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(*port);
		return inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) == 1 && host.starts_with("127.");
	}

	std::string place_, file_;
	Descriptor socket_;
};

/* The signals that ask for the end, as something to poll; as they were afterwards. */
class EndSignals {
public:
	EndSignals()
	{
		sigset_t set;

		sigemptyset(&set);
		for (int signal : {SIGINT, SIGTERM, SIGHUP})
			sigaddset(&set, signal);
		sigprocmask(SIG_BLOCK, &set, &before_);
		descriptor_ = Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
	}
	EndSignals(const EndSignals &) = delete;
	~EndSignals()
	{
		signalfd_siginfo taken;

		while (read(descriptor_.get(), &taken, sizeof(taken)) > 0)
			continue;
		sigprocmask(SIG_SETMASK, &before_, nullptr);
	}
	int get() const { return descriptor_.get(); }

private:
	sigset_t before_;
	Descriptor descriptor_{-1};
};

struct Connection {
	Descriptor socket;
	std::int64_t deadline;
	std::string received, answer;
	std::size_t sent = 0;
	bool is_done = false;

	bool is_answered() const { return !answer.empty(); }
};

/* Takes what there is; a client that goes away early is done. */
void receive(Connection &connection, std::string_view path, const std::function<WebPage()> &page)
{
	char buffer[4096];
	ssize_t size = recv(connection.socket.get(), buffer, sizeof(buffer), 0);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		connection.is_done = true;
		return;
	}
	connection.received.append(buffer, size);
	if (std::optional<std::string> answer = answer_http(connection.received, path, page))
		connection.answer = std::move(*answer);
}

void send(Connection &connection)
{
	char rest[4096];
	std::string_view left = std::string_view(connection.answer).substr(connection.sent);
	ssize_t size = ::send(connection.socket.get(), left.data(), left.size(), MSG_NOSIGNAL);

	if (size > 0)
		connection.sent += size;
	else if (size < 0 && errno != EAGAIN && errno != EINTR)
		connection.is_done = true;
	if (connection.sent < connection.answer.size())
		return;
	/* Closing with something unread would reset the connection, and take the answer along. */
	shutdown(connection.socket.get(), SHUT_WR);
	while (recv(connection.socket.get(), rest, sizeof(rest), MSG_DONTWAIT) > 0)
		continue;
	connection.is_done = true;
}

}

std::optional<std::string> answer_http(std::string_view received, std::string_view path, const std::function<WebPage()> &page)
{
	bool is_complete = received.find("\r\n\r\n") != received.npos || received.find("\n\n") != received.npos;

	if (received.size() > REQUEST_LIMIT)
		return refusal("431 Request Header Fields Too Large");
	if (!is_complete)
		return {};
	std::string_view line = received.substr(0, received.find('\n'));
	if (line.ends_with('\r'))
		line.remove_suffix(1);
	std::optional<RequestLine> request = split_request_line(line);
	if (!request)
		return refusal("400 Bad Request");
	if (!request->version.starts_with("HTTP/1."))
		return refusal("505 HTTP Version Not Supported");
	bool is_head = request->method == "HEAD";
	if (!is_head && request->method != "GET")
		return refusal("405 Method Not Allowed");
	if (request->target.substr(0, request->target.find('?')) != path)
		return refusal("404 Not Found", is_head);
	try {
		WebPage content = page();
		return reply("200 OK", content.content_type, content.body, is_head);
	} catch (const Failure &failure) {
		return reply("500 Internal Server Error", "text/plain; charset=utf-8", failure.text + "\n", is_head);
	}
}

void HttpServer::serve(const std::string &place, const std::string &path, const std::function<WebPage()> &page)
{
	EndSignals signals;
	Listener listener(place);
	std::vector<Connection> connections;

	for (;;) {
		/* Those beyond the limit wait their turn in the kernel's queue. */
		bool has_room = connections.size() < CONNECTION_LIMIT;
		std::vector<pollfd> waits{{signals.get(), POLLIN, 0}, {has_room ? listener.get() : -1, POLLIN, 0}};
		std::int64_t now = milliseconds_now(), pause = -1;
		for (const Connection &connection : connections) {
			waits.push_back({connection.socket.get(), static_cast<short>(connection.is_answered() ? POLLOUT : POLLIN), 0});
			std::int64_t left = std::max<std::int64_t>(connection.deadline - now, 0);
			pause = pause < 0 ? left : std::min(pause, left);
		}
		if (poll(waits.data(), waits.size(), static_cast<int>(pause)) < 0 && errno != EINTR)
			throw Failure{std::string("poll: ") + std::strerror(errno)};
		if (waits[0].revents)
			return;
		now = milliseconds_now();
		for (std::size_t i = 0; i < connections.size(); ++i) {
			Connection &connection = connections[i];
			if (waits[i + 2].revents && !connection.is_answered())
				receive(connection, path, page);
			else if (waits[i + 2].revents)
				send(connection);
			if (now >= connection.deadline)
				connection.is_done = true;
		}
		std::erase_if(connections, [](const Connection &connection) { return connection.is_done; });
		if (waits[1].revents) {
			Descriptor socket(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
			if (socket.get() >= 0)
				connections.push_back({std::move(socket), now + CONNECTION_MILLISECONDS, {}, {}, 0, false});
		}
	}
}

}
