// SPDX-License-Identifier: GPL-2.0
#include "host/http.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>

#include "model/descriptor.h"
#include "model/names.h"
#include "model/values.h"

namespace wgctl {

namespace {

constexpr std::string_view UNIX = "unix:";

[[noreturn]] void cannot_listen(const std::string &place)
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
			cannot_listen(place);
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
			cannot_listen(place_);
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
			cannot_listen(place_);
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
		Endpoint address = parse_loopback();
		int yes = 1;

		open(address.any.sa_family);
		setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (bind(socket_.get(), &address.any, address.size()) < 0)
			cannot_listen(place_);
	}

	Endpoint parse_loopback() const
	{
		std::string host = place_.substr(0, place_.rfind(':'));
		std::optional<std::uint16_t> port = parse_number<std::uint16_t>(std::string_view(place_).substr(std::min(host.size() + 1, place_.size())));

		if (!port || !(host == "[::1]" || (host.starts_with("127.") && is_ip_address(host))))
			throw Failure{"cannot listen at " + in_quotes(place_) + ": the place is unix:PATH, 127.0.0.1:PORT or [::1]:PORT. Whoever "
				      "should see it from outside needs a server that asks for passwords in front"};
		return endpoint_of(parse_address(host == "[::1]" ? "::1" : host), *port);
	}

	std::string place_, file_;
	Descriptor socket_;
};

/* One request's answer. */
class Answerer {
public:
	Answerer(const std::string &place, const std::string &path, const std::function<WebPage()> &page) :
		is_file_(place.starts_with(UNIX)), path_(path), page_(page)
	{
	}

	MHD_Result answer(MHD_Connection *connection, std::string_view url, std::string_view method) const
	{
		const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");

		/* A browser here that was told that somebody's name is this machine's would show them the page. */
		if (!is_file_ && host && !is_name_of_this_machine(host))
			return refuse(connection, MHD_HTTP_FORBIDDEN, "this is not the page of " + printable(host));
		if (method != "GET" && method != "HEAD")
			return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
		if (url != path_)
			return refuse(connection, MHD_HTTP_NOT_FOUND, "only " + path_);
		try {
			return send(connection, MHD_HTTP_OK, page_());
		} catch (const Failure &failure) {
			return refuse(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, failure.text);
		} catch (const std::exception &) {
			return MHD_NO;
		}
	}

private:
	static MHD_Result refuse(MHD_Connection *connection, unsigned status, const std::string &why)
	{
		return send(connection, status, {"text/plain; charset=utf-8", why + "\n"});
	}

	static MHD_Result send(MHD_Connection *connection, unsigned status, WebPage page)
	{
		MHD_Response *response = MHD_create_response_from_buffer(page.body.size(), page.body.data(), MHD_RESPMEM_MUST_COPY);

		if (!response)
			return MHD_NO;
		MHD_add_response_header(response, "Content-Type", page.content_type.c_str());
		MHD_add_response_header(response, "Connection", "close");
		if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
			MHD_add_response_header(response, "Allow", "GET, HEAD");
		MHD_Result result = MHD_queue_response(connection, status, response);
		MHD_destroy_response(response);
		return result;
	}

	static bool is_name_of_this_machine(std::string_view host)
	{
		std::string name(host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':')));

		return equal_ignoring_case(name, "localhost") || name == "[::1]" || (name.starts_with("127.") && is_ip_address(name));
	}

	bool is_file_;
	const std::string &path_;
	const std::function<WebPage()> &page_;
};

MHD_Result answer(void *answerer, MHD_Connection *connection, const char *url, const char *method, const char *, const char *, std::size_t *, void **)
{
	return static_cast<const Answerer *>(answerer)->answer(connection, url, method);
}

}

/* The server has a thread of its own; this one waits for a signal that asks for the end. */
void HttpServer::serve(const std::string &place, const std::string &path, const std::function<WebPage()> &page)
{
	Listener listener(place);
	Answerer answerer(place, path, page);
	sigset_t ends, before;
	int signal;

	sigemptyset(&ends);
	for (int one : {SIGINT, SIGTERM, SIGHUP})
		sigaddset(&ends, one);
	pthread_sigmask(SIG_BLOCK, &ends, &before);
	/* The copy of the socket is closed by it. */
	MHD_Daemon *server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL, 0, nullptr, nullptr, answer, &answerer,
					      MHD_OPTION_LISTEN_SOCKET, fcntl(listener.get(), F_DUPFD_CLOEXEC, 0),
					      MHD_OPTION_CONNECTION_LIMIT, CONNECTION_LIMIT, MHD_OPTION_CONNECTION_TIMEOUT, CONNECTION_SECONDS,
					      MHD_OPTION_CONNECTION_MEMORY_LIMIT, REQUEST_LIMIT, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (server) {
		sd_notify(0, "READY=1");
		sigwait(&ends, &signal);
	}
	MHD_stop_daemon(server);
	pthread_sigmask(SIG_SETMASK, &before, nullptr);
	if (!server)
		cannot_listen(place);
}

}
